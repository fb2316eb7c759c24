//! The rules of the association's people: read, acknowledged, edited, and who has. What a version is stands in
//! `app::settings::rules`.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::settings::rules::{Part, RulesText, parts};
use crate::domain::calendar::{civil_day, era_date, western_date};
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t, t_with};
use crate::web::ui::caller::{Binding, Caller};
use crate::web::ui::failure::Failure;
use crate::web::ui::form::Fields;
use crate::web::ui::views::setup::{RulesEdit, RulesPage, RulesPart, RulesReader, RulesReaders};
use crate::web::ui::views::{Field, render};

use super::words;

const RULES: Binding<'static> = Binding::Page("rules");

fn edition(caller: &Caller, text: &RulesText) -> String {
    if !text.is_own() {
        return t_with(caller.lang, "rules-edition-first", &[("n", &text.version.to_string())]);
    }
    let day = civil_day(text.published, caller.zone());
    let date = if caller.lang == Lang::Ja { era_date(day) } else { western_date(day) };
    t_with(caller.lang, "rules-edition", &[("n", &text.version.to_string()), ("date", &date)])
}

/// `GET /rules`
pub(super) async fn now(caller: Caller) -> Result<Response, Failure> {
    let Some(home) = caller.home.clone() else { return Ok(caller.to_sign_in()) };
    if caller.signed_in.is_none() && !caller.web.app.rules_public(&home.id).await? {
        return Ok(caller.to_sign_in());
    }
    let text = caller.web.app.rules_now(&home.id).await?;
    page(&caller, text, true).await
}

/// `GET /rules/{version}`
pub(super) async fn version(caller: Caller, Path(version): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.person()?;
    let number = version.parse().ok().filter(|n: &i64| *n > 0).ok_or(Failure::not_found())?;
    let text = caller.web.app.rules_version(&person.association.id, number).await?;
    let newest = caller.web.app.rules_now(&person.association.id).await?.version;
    page(&caller, text, number == newest).await
}

async fn page(caller: &Caller, text: RulesText, is_newest: bool) -> Result<Response, Failure> {
    let Some(home) = &caller.home else { return Err(Failure::not_found()) };
    let app = &caller.web.app;
    let mut seen = None;
    let mut others = Vec::new();
    if let Some(person) = &caller.signed_in {
        seen = app.rules_seen_by(&home.id, &person.member.id).await?.filter(|(v, _)| *v == text.version);
        others = app.rules_history(&home.id).await?;
    }
    let said = caller.said();
    let view = RulesPage {
        shell: caller.shell_at(RULES, "/rules"),
        notice: match said {
            Some("published") => Some(t(caller.lang, "rules-published")),
            _ => None,
        },
        edition: edition(caller, &text),
        version: text.version,
        is_newest,
        parts: parts(text.body(caller.lang))
            .into_iter()
            .map(|part| match part {
                Part::Heading(text) => RulesPart::Heading(text),
                Part::Paragraph(text) => RulesPart::Paragraph(text),
                Part::List(points) => RulesPart::List(points),
            })
            .collect(),
        seen: seen.map(|(_, at)| crate::app::say::moment(at, home.zone, caller.lang)),
        may_acknowledge: is_newest && caller.signed_in.is_some(),
        may_edit: is_newest && caller.with_right(Right::Settings).is_ok(),
        may_see_readers: caller.with_right(Right::People).is_ok(),
        others: others
            .into_iter()
            .filter(|other| other.version != text.version)
            .map(|other| (format!("/rules/{}", other.version), edition(caller, &other)))
            .collect(),
    };
    Ok(caller.page(render(&view), said.is_some()))
}

/// `POST /rules/seen`
pub(super) async fn acknowledge(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.person()?;
    fields.check(&caller, RULES)?;
    let version = fields.number("version").ok_or(Failure::form_expired())?;
    let said = caller.web.app.rules_acknowledge(&person.who(), &person.member.id, version).await;
    said.map_err(|e| Failure::from(e).back_to("/rules"))?;
    Ok(caller.go_and_say("/rules", "acknowledged"))
}

/// `GET /rules/edit`
pub(super) async fn edit(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Settings)?;
    let app = &caller.web.app;
    let text = app.rules_now(&person.association.id).await?;
    let public = app.rules_public(&person.association.id).await?;
    let plain = |value: String| Field { value, problem: None };
    Ok(edit_page(&caller, text.version, [plain(text.body_ja), plain(text.body_en)], public))
}

fn edit_page(caller: &Caller, after: i64, [body_ja, body_en]: [Field; 2], public: bool) -> Response {
    let shell = caller.shell_at(RULES, "/rules/edit");
    caller.page(render(&RulesEdit { shell, after, body_ja, body_en, public }), false)
}

/// `POST /rules/edit`
pub(super) async fn publish(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    fields.check(&caller, RULES)?;
    let after = fields.number("after").ok_or(Failure::form_expired())?;
    let (ja, en, public) = (fields.text("body_ja"), fields.text("body_en"), fields.is_ticked("public"));
    let app = &caller.web.app;
    match app.rules_publish(&person.who(), after, (ja.clone(), en.clone()), public).await {
        Ok(_) => Ok(caller.go_and_say("/rules", "published")),
        Err(AppError::Invalid(wrong)) => {
            let field = |name: &str, value: String| {
                let problem = wrong.iter().find(|w| w.field == name).map(|w| words(caller.lang, w));
                Field { value, problem }
            };
            Ok(edit_page(&caller, after, [field("body_ja", ja), field("body_en", en)], public))
        }
        Err(e) => Err(Failure::from(e).back_to("/rules/edit")),
    }
}

/// `GET /rules/readers`
pub(super) async fn readers(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::People)?;
    let app = &caller.web.app;
    let newest = app.rules_now(&person.association.id).await?;
    let all = app.rules_readers(&person.association.id).await?;
    let done = all.iter().filter(|(_, said)| said.is_some_and(|(v, _)| v == newest.version)).count();
    let readers = all
        .into_iter()
        .map(|(member, said)| RulesReader {
            name: crate::web::ui::words::title(&member.name, &member.roles, caller.lang),
            version: match said {
                Some((n, _)) => t_with(caller.lang, "rules-version", &[("n", &n.to_string())]),
                None => t(caller.lang, "rules-not-yet"),
            },
            at: said
                .map(|(_, at)| crate::app::say::moment(at, caller.zone(), caller.lang))
                .unwrap_or_default(),
            is_newest: said.is_some_and(|(n, _)| n == newest.version),
        })
        .collect();
    let view = RulesReaders {
        shell: caller.shell_at(RULES, "/rules/readers"),
        edition: edition(&caller, &newest),
        done: u32::try_from(done).unwrap_or(u32::MAX),
        readers,
    };
    Ok(caller.page(render(&view), false))
}
