//! What the office records for the ledger: evidence, corrections of closed lines, tariffs.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::{ComparedRow, Field, LedgerCorrect, LedgerEvidence, LedgerTariffs, render};
use super::year::year_name;
use super::{LEDGER, choices, href, line_view, voice_of, yen};
use crate::app::AppError;
use crate::app::ledger::tables::month_name;
use crate::app::ledger::tariffs::{Preview, TariffsRefused};
use crate::app::ledger::world::Evidence;
use crate::domain::consult::Wrong;
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::LedgerLineId;
use crate::money::Yen;
use crate::web::ui::words::Voice;

const EVIDENCE: [&str; 7] =
    ["report", "confirmed", "disputed", "city", "other_subsidy", "excluded", "included"];

fn field(value: impl Into<String>, problem: Option<String>) -> Field {
    Field { value: value.into(), problem }
}

#[derive(Deserialize)]
pub(super) struct OfLine {
    #[serde(default)]
    line: String,
}

async fn correct_page(
    caller: &Caller,
    id: &LedgerLineId,
    [instead, note]: [Field; 2],
    problem: Option<String>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    let (app, home) = (&caller.web.app, &person.association.id);
    let (month, line) = app.ledger_line(home, id).await?;
    let view = app.ledger_month_of(home, month, &line.institution).await?;
    let waiting = app.ledger_corrections(home).await?.into_iter().find(|(of, _)| of == id);
    let names = app.ledger_names(home, &view.names, std::iter::once(&line)).await?;
    let page = LedgerCorrect {
        shell: caller.shell_at(LEDGER, "/ledger"),
        line_id: id.to_string(),
        line: line_view(voice_of(caller), &view, &line, &names, false),
        month: month_name(month, caller.lang),
        back: href(month),
        instead,
        note,
        problem,
        ordered: waiting.map(|(_, instead)| {
            t_with(caller.lang, "ledger-order-waits", &[("amount", &yen(caller.lang, instead))])
        }),
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /ledger/correct`
pub(super) async fn correct_form(caller: Caller, Query(of): Query<OfLine>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    caller.with_right(Right::Close)?;
    // Without a line the desk shows where one is chosen.
    let Ok(id) = LedgerLineId::from_stored(&of.line) else {
        return Ok(super::super::caller::see_other("/ledger"));
    };
    correct_page(&caller, &id, [field("0", None), field("", None)], None).await
}

/// `POST /ledger/correct`: `line`, `instead`, `note`
pub(super) async fn correct(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let lang = caller.lang;
    let id = LedgerLineId::from_stored(fields.get("line")).map_err(|_| Failure::form_expired())?;
    let (typed, note) = (fields.text("instead"), fields.text("note"));
    let Some(instead) = fields.number("instead") else {
        let problem = Some(t(lang, "ledger-correct-number"));
        return correct_page(&caller, &id, [field(typed, problem), field(note, None)], None).await;
    };
    match caller.web.app.ledger_correct(&person.who(), &id, Yen(instead), &note).await {
        Ok(Ok(_)) => {
            let month = caller.web.app.ledger_line(&person.association.id, &id).await?.0;
            Ok(caller.go_and_say(&href(month), "corrected"))
        }
        Ok(Err(refused)) => {
            let problem = Some(t(lang, &format!("ledger-order-{}", refused.code())));
            correct_page(&caller, &id, [field(typed, None), field(note, None)], problem).await
        }
        Err(AppError::Invalid(wrong)) => {
            let problem = wrong.first().map(|w| Voice::wrong(lang, w));
            correct_page(&caller, &id, [field(typed, None), field(note, problem)], None).await
        }
        Err(e) => Err(Failure::from(e).back_to("/ledger")),
    }
}

/// `POST /ledger/correct-not`: `line`. Takes an order back that no month has closed.
pub(super) async fn correct_not(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let id = LedgerLineId::from_stored(fields.get("line")).map_err(|_| Failure::form_expired())?;
    let app = &caller.web.app;
    if app.ledger_correct_not(&person.who(), &id).await? {
        let month = app.ledger_line(&person.association.id, &id).await?.0;
        return Ok(caller.go_and_say(&href(month), "dropped"));
    }
    let problem = Some(t(caller.lang, "ledger-order-none"));
    correct_page(&caller, &id, [field("0", None), field("", None)], problem).await
}

#[derive(Deserialize)]
pub(super) struct OfCase {
    #[serde(default)]
    case: String,
}

async fn evidence_page(
    caller: &Caller,
    case_no: &str,
    chosen: &str,
    [city, note]: [Field; 2],
    problem: Option<String>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let request = app.ledger_request(home, case_no).await?;
    let (_, known) = app.ledger_event(home, &request).await?;
    let words = |evidence: &Evidence| {
        let kind = t(lang, &format!("ledger-evidence-{}", evidence.code()));
        match evidence {
            Evidence::Report { at } | Evidence::Confirmed { at } | Evidence::Disputed { at } => {
                format!("{kind} {}", crate::app::say::moment(*at, caller.zone(), lang))
            }
            Evidence::City { code } => format!("{kind} {code}"),
            Evidence::Excluded { note } => format!("{kind} {note}"),
            Evidence::OtherSubsidy | Evidence::Included => kind,
        }
    };
    let mut kinds = choices(lang, &EVIDENCE, "ledger-evidence", chosen);
    kinds.problem = problem;
    let page = LedgerEvidence {
        shell: caller.shell_at(LEDGER, "/ledger"),
        case_no: case_no.to_owned(),
        known: known.iter().map(words).collect(),
        kinds,
        city,
        note,
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /ledger/evidence`
pub(super) async fn evidence_form(caller: Caller, Query(of): Query<OfCase>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    caller.with_right(Right::Close)?;
    if of.case.is_empty() {
        return Ok(super::super::caller::see_other("/ledger"));
    }
    evidence_page(&caller, &of.case, "", [field("", None), field("", None)], None).await
}

/// `POST /ledger/evidence`: `case`, `kind`, `city`, `note`. It counts as learned now.
pub(super) async fn evidence(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let (case, kind) = (fields.text("case"), fields.text("kind"));
    let (city, note) = (fields.text("city"), fields.text("note"));
    if case.is_empty() {
        return Err(Failure::form_expired());
    }
    let request = app.ledger_request(home, &case).await?;
    let at = app.now();
    let learned = match kind.as_str() {
        "report" => Evidence::Report { at },
        "confirmed" => Evidence::Confirmed { at },
        "disputed" => Evidence::Disputed { at },
        "other_subsidy" => Evidence::OtherSubsidy,
        "excluded" => Evidence::Excluded { note: note.clone() },
        "included" => Evidence::Included,
        "city" => match super::super::form::narrow(&city).parse() {
            Ok(code) => Evidence::City { code },
            Err(_) => {
                let problem = Some(t(lang, "ledger-evidence-city-wrong"));
                return evidence_page(&caller, &case, &kind, [field(city, problem), field(note, None)], None)
                    .await;
            }
        },
        _ => {
            let problem = Some(t(lang, "ledger-evidence-missing"));
            return evidence_page(&caller, &case, "", [field(city, None), field(note, None)], problem).await;
        }
    };
    // The officers' word is the officers'.
    let theirs = matches!(learned, Evidence::Excluded { .. } | Evidence::Included);
    if theirs && note.trim().is_empty() {
        let problem = Some(Voice::wrong_code(lang, Wrong::Missing.code()));
        return evidence_page(&caller, &case, &kind, [field(city, None), field(note, problem)], None).await;
    }
    match app.ledger_evidence(&person.who(), &request, learned).await {
        Ok(()) => Ok(caller.go_and_say("/ledger", "evidence")),
        Err(AppError::Invalid(wrong)) => {
            let problem = wrong.first().map(|w| Voice::wrong(lang, w));
            evidence_page(&caller, &case, &kind, [field(city, None), field(note, problem)], None).await
        }
        Err(e) => Err(Failure::from(e).back_to("/ledger")),
    }
}

async fn tariffs_view(
    caller: &Caller,
    (after, body, note): (i64, Field, Field),
    mistakes: Vec<String>,
    preview: Option<Preview>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Ledger)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let (now, _) = app.tariffs_now(home).await?;
    let name = |code: &str| {
        let known = now.programs().values().find(|p| p.code.as_str() == code);
        match known {
            Some(program) => program.name.clone(),
            None if code.is_empty() => t(lang, "ledger-tally-none"),
            None => code.to_owned(),
        }
    };
    let mut compared: Vec<ComparedRow> = preview
        .iter()
        .flat_map(|p| &p.programs)
        .map(|(code, c)| ComparedRow {
            name: name(code),
            before: yen(lang, c.yen_before),
            after: yen(lang, c.yen_after),
        })
        .collect();
    if let Some(preview) = &preview {
        compared.push(ComparedRow {
            name: t(lang, "ledger-total"),
            before: yen(lang, preview.total.yen_before),
            after: yen(lang, preview.total.yen_after),
        });
    }
    let history = app.tariffs_history(home).await?;
    let said = caller.said().filter(|said| *said == "recorded");
    let may_edit = caller.with_right(Right::Close).is_ok();
    let draft = if may_edit { app.tariffs_draft(home).await? } else { None };
    let page = LedgerTariffs {
        shell: caller.shell_at(LEDGER, "/ledger/tariffs"),
        notice: said.map(|_| t(lang, "ledger-tariffs-done")),
        after,
        body,
        note,
        mistakes,
        compared,
        compared_month: preview.and_then(|p| p.month).map(|m| month_name(m, lang)).unwrap_or_default(),
        versions: history
            .iter()
            .map(|set| {
                let at = crate::app::say::moment(set.recorded, caller.zone(), lang);
                t_with(
                    lang,
                    "ledger-tariffs-version",
                    &[("version", &set.version), ("at", &at), ("note", &set.note)],
                )
            })
            .collect(),
        draft: draft.map(|(year, _)| (year_name(year, lang), format!("/ledger/tariffs?draft={year}"))),
        may_edit,
    };
    Ok(caller.page(render(&page), said.is_some()))
}

#[derive(Deserialize)]
pub(super) struct OfDraft {
    draft: Option<i32>,
}

/// `GET /ledger/tariffs`; with `draft` the text that the closed year left for this one stands in the form.
pub(super) async fn tariffs_page(caller: Caller, Query(of): Query<OfDraft>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ledger)?;
    let newest = caller.web.app.tariffs_history(&person.association.id).await?.into_iter().next();
    let (after, mut body) = newest.map_or_else(|| (0, String::new()), |set| (set.number, set.body));
    if let Some(year) = of.draft {
        let draft = caller.web.app.tariffs_draft(&person.association.id).await?;
        let draft = draft.filter(|(of, _)| *of == year).ok_or(Failure::not_found())?;
        body = draft.1;
    }
    tariffs_view(&caller, (after, field(body, None), field("", None)), Vec::new(), None).await
}

/// `POST /ledger/tariffs`: `after`, `body`, `note`, `do`
pub(super) async fn tariffs(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let after = fields.number("after").ok_or(Failure::form_expired())?;
    let (body, note) = (fields.get("body").replace("\r\n", "\n"), fields.text("note"));
    let refused = |refused: TariffsRefused| match refused {
        TariffsRefused::Mistakes(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
        TariffsRefused::TooLong => {
            let kb = body.len().div_ceil(1_024).to_string();
            vec![t_with(lang, "ledger-tariffs-too-long", &[("n", &kb)])]
        }
        TariffsRefused::Changed => vec![t(lang, "ledger-tariffs-changed")],
    };
    let form = |problem| (after, field(body.clone(), None), field(note.clone(), problem));
    if fields.get("do") == "record" {
        return match app.tariffs_record(&person.who(), after, &body, &note).await {
            Ok(Ok(_)) => Ok(caller.go_and_say("/ledger/tariffs", "recorded")),
            Ok(Err(why)) => tariffs_view(&caller, form(None), refused(why), None).await,
            Err(AppError::Invalid(wrong)) => {
                let problem = wrong.first().map(|w| Voice::wrong(lang, w));
                tariffs_view(&caller, form(problem), Vec::new(), None).await
            }
            Err(e) => Err(Failure::from(e).back_to("/ledger/tariffs")),
        };
    }
    match app.tariffs_preview(home, &body).await? {
        Ok(preview) => tariffs_view(&caller, form(None), Vec::new(), Some(preview)).await,
        Err(why) => tariffs_view(&caller, form(None), refused(why), None).await,
    }
}
