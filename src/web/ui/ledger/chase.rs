//! What is asked for before a month is made: mails to those who read mail, sheets to fax for the others.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::{Caller, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::{ChaseSheet, LedgerChasers, render};
use super::{LEDGER, href, month_of};
use crate::app::ledger::chase::Asked;
use crate::app::ledger::tables::month_name;
use crate::domain::ledger::Month;
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t, t_with};

#[derive(Deserialize)]
pub(super) struct Of {
    #[serde(default)]
    month: String,
}

fn sheet(lang: Lang, asked: Asked) -> ChaseSheet {
    let needed = |report: bool| if report { "ledger-chase-report" } else { "ledger-chase-confirm" };
    ChaseSheet {
        name: asked.name,
        institution: asked.institution,
        by_mail: asked.by_mail,
        cases: asked.cases.into_iter().map(|case| (case.case_no, t(lang, needed(case.report)))).collect(),
    }
}

/// `GET /ledger/chasers`
pub(super) async fn chasers(caller: Caller, Query(of): Query<Of>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Close)?;
    // Without a month the desk shows where it is chosen.
    let Ok(month) = of.month.parse::<Month>() else { return Ok(see_other("/ledger")) };
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let view = app.ledger_month(home, month).await?;
    let asked = app.ledger_missing(home, &view).await?;
    let said = caller.said().filter(|said| *said == "chased");
    let now = crate::app::say::moment(caller.now, caller.zone(), lang);
    let page = LedgerChasers {
        shell: caller.shell_at(LEDGER, "/ledger"),
        month: month_name(month, lang),
        back: href(month),
        notice: said.map(|_| t(lang, "ledger-done-chased")),
        people: asked.into_iter().map(|asked| sheet(lang, asked)).collect(),
        made: t_with(lang, "ledger-printed", &[("at", &now)]),
    };
    Ok(caller.page(render(&page), said.is_some()))
}

/// `POST /ledger/chase`: `month`
pub(super) async fn chase(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let month = month_of(&fields)?;
    caller.web.app.ledger_chase(&person.who(), month).await?;
    Ok(caller.go_and_say(&format!("/ledger/chasers?month={month}"), "chased"))
}
