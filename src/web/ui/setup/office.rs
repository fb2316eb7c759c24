//! What the office sets: the pages under `/settings`. What the settings do is `app::settings`.

use axum::response::Response;

use crate::app::AppError;
use crate::app::post::PostTest;
use crate::app::settings::OfficeTexts;
use crate::domain::consult::FieldWrong;
use crate::domain::people::rights::Right;
use crate::i18n::t;
use crate::web::rate::Purpose;
use crate::web::ui::caller::{Binding, Caller};
use crate::web::ui::failure::Failure;
use crate::web::ui::form::{Fields, narrow};
use crate::web::ui::views::setup::{
    Door, FormField, MailSettings, MailTested, Settings, SettingsMail, SettingsOffice,
};
use crate::web::ui::views::{Field, render};

use super::{field, office_fields, typed_office};

const SETTINGS: Binding<'static> = Binding::Page("settings");

/// `GET /settings`
pub(super) async fn settings(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    settings_page(&caller, None).await
}

/// The page of all settings; `minimum` with what is wrong about it.
pub(super) async fn settings_page(caller: &Caller, minimum: Option<Field>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    let (app, id, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let door = |key: &str, href: &str| Door {
        href: href.to_owned(),
        name: t(lang, &format!("settings-{key}-title")),
        note: t(lang, &format!("settings-{key}-note")),
    };
    let left = app
        .left_for_later(id)
        .await?
        .iter()
        .filter_map(|page| match page.as_str() {
            "association" => Some(door("left-association", "/settings/office")),
            "office" => Some(door("left-office", "/settings/office")),
            "mail" => Some(door("left-mail", "/settings/mail")),
            "members" => Some(door("left-members", "/sheets/import")),
            _ => None,
        })
        .collect();
    let minimum = match minimum {
        Some(typed) => typed,
        None => Field { value: app.totals_minimum(id).await?.to_string(), problem: None },
    };
    let said = caller.said();
    let notice = match said {
        Some("saved") => Some(t(lang, "settings-saved")),
        _ => None,
    };
    let view = Settings {
        shell: caller.shell_at(SETTINGS, "/settings"),
        notice,
        left,
        doors: vec![
            door("office", "/settings/office"),
            door("mail", "/settings/mail"),
            door("staff", "/settings/staff"),
            door("keys", "/settings/keys"),
            door("calls", "/settings/calls"),
            door("pillars", "/settings/pillars"),
            door("rules", "/rules"),
            door("totals", "/totals"),
        ],
        minimum,
    };
    Ok(caller.page(render(&view), said.is_some()))
}

/// `GET /settings/office`: every office role may read it.
pub(super) async fn texts(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::People)?;
    let texts = OfficeTexts::of(&person.association);
    Ok(texts_page(&caller, person.association.revision, &texts, &[]))
}

fn texts_page(caller: &Caller, revision: i64, texts: &OfficeTexts, wrong: &[FieldWrong]) -> Response {
    let name = field(caller.lang, "name", texts.name.clone(), wrong);
    let mut fields = vec![FormField::new(caller.lang, "name", "text", name)];
    fields.extend(office_fields(caller.lang, texts, wrong));
    let view = SettingsOffice {
        shell: caller.shell_at(SETTINGS, "/settings/office"),
        revision,
        fields,
        may_change: caller.with_right(Right::Settings).is_ok(),
    };
    caller.page(render(&view), false)
}

/// `POST /settings/office`
pub(super) async fn change(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    fields.check(&caller, SETTINGS)?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let mut texts = typed_office(&fields, &OfficeTexts::of(&person.association));
    texts.name = fields.text("name");
    match caller.web.app.office_texts_change(&person.who(), revision, texts.clone()).await {
        Ok(()) => Ok(caller.go_and_say("/settings", "saved")),
        Err(AppError::Invalid(wrong)) => Ok(texts_page(&caller, revision, &texts, &wrong)),
        Err(e) => Err(Failure::from(e).back_to("/settings/office")),
    }
}

/// `GET /settings/mail`
pub(super) async fn mail(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    caller.with_right(Right::Settings)?;
    Ok(mail_page(&caller, Field::default(), None))
}

fn mail_page(caller: &Caller, address: Field, result: Option<MailTested>) -> Response {
    let mail = mail_view(caller, "/settings/mail", address, result);
    caller.page(render(&SettingsMail { shell: caller.shell_at(SETTINGS, "/settings/mail"), mail }), false)
}

/// `POST /settings/mail`
pub(super) async fn mail_test(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    fields.check(&caller, SETTINGS)?;
    let typed = fields.get("address").trim().to_owned();
    let address = address_problem(&caller, &typed);
    if address.problem.is_some() {
        return Ok(mail_page(&caller, address, None));
    }
    caller.limit(Purpose::SignIn)?;
    let app = &caller.web.app;
    let result = tested(&caller, app.post_test(&narrow(&typed), &person.association.name, caller.lang).await);
    if result.good {
        app.mail_was_tried(&person.who()).await?;
    }
    Ok(mail_page(&caller, address, Some(result)))
}

/// What was typed as an address, and what is wrong with its form.
pub(super) fn address_problem(caller: &Caller, typed: &str) -> Field {
    let address = narrow(typed);
    let formed = address.len() <= 254
        && !address.chars().any(char::is_control)
        && address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let key = if address.is_empty() { "sign-in-address-missing" } else { "sign-in-address-malformed" };
    Field { value: typed.to_owned(), problem: (!formed).then(|| t(caller.lang, key)) }
}

/// How mail is configured, without its secrets.
pub(super) fn mail_view(
    caller: &Caller,
    action: &'static str,
    address: Field,
    result: Option<MailTested>,
) -> MailSettings {
    let (lang, shown) = (caller.lang, caller.web.app.post_shown());
    let mut facts = vec![(t(lang, "setup-mail-from"), shown.from)];
    match shown.server {
        Some(server) => {
            facts.push((t(lang, "setup-mail-server"), format!("{}:{}", server.host, server.port)));
            facts.push((t(lang, "setup-mail-security"), server.security));
            let login = server.username.unwrap_or_else(|| t(lang, "setup-mail-no-login"));
            facts.push((t(lang, "setup-mail-login"), login));
        }
        None => facts.push((t(lang, "setup-mail-server"), t(lang, "setup-mail-folder"))),
    }
    MailSettings { facts, address, action, result }
}

/// What came of a try, in words.
pub(super) fn tested(caller: &Caller, result: PostTest) -> MailTested {
    let (kind, good, reply) = match result {
        PostTest::Taken { reply } => ("taken", true, reply),
        PostTest::Folder => ("folder", false, String::new()),
        PostTest::Later { reason } => ("later", false, reason),
        PostTest::Settings { reason } => ("settings", false, reason),
        PostTest::Refused { reason } => ("refused", false, reason),
        PostTest::NoPort => ("none", false, String::new()),
    };
    MailTested {
        good,
        said: t(caller.lang, &format!("setup-tested-{kind}")),
        todo: t(caller.lang, &format!("setup-tested-{kind}-todo")),
        reply,
    }
}
