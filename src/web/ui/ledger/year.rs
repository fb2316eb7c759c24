//! The fiscal year of the ledger: its months, budgets and forecasts, what the officers decide on them, the books of
//! claims, closed months run again under other tariffs.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::{Caller, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::{
    Field, JudgedRow, LedgerClaim, LedgerYear, LoadRow, Tone, YearMonth, YearProgram, render,
};
use super::{LEDGER, Said, bars, desk, drawing, href, month_of, yen};
use crate::app::AppError;
use crate::app::ledger::close::{CloseState, MonthView};
use crate::app::ledger::ending::Load;
use crate::app::ledger::evaluation::{GRADES, Judged};
use crate::app::ledger::figures::{Burn, ClaimView};
use crate::app::ledger::names::LedgerNames;
use crate::app::ledger::tables::month_name;
use crate::domain::calendar::{civil_day, era_year};
use crate::domain::ledger::{Books, BudgetRule, Code, Month};
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t, t_with};
use crate::ids::InstitutionId;
use crate::money::Yen;
use crate::web::ui::views::{Choice, Choices};
use crate::web::ui::words::Voice;

/// Fiscal years that a page shows.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2190;

/// 令和8年度, or fiscal year 2026.
pub(super) fn year_name(year: i32, lang: Lang) -> String {
    match (lang, era_year(Month::april(year).first())) {
        (Lang::Ja, Some((era, _, of_era))) => format!("{era}{of_era}年度"),
        _ => t_with(lang, "ledger-fiscal-year", &[("year", &year.to_string())]),
    }
}

fn year_href(year: i32) -> String {
    format!("/ledger/year?year={year}")
}

/// The claims of a closed month, with their books where a programme asks for them.
pub(super) fn claims_of(lang: Lang, claims: &[ClaimView], names: &LedgerNames) -> Vec<LedgerClaim> {
    let one = |view: &ClaimView| {
        let books = view.claim.and_then(|c| c.books);
        let number = |of: fn(&Books) -> Yen| books.as_ref().map(|b| of(b).0.to_string()).unwrap_or_default();
        LedgerClaim {
            program: view.name.clone(),
            program_code: view.program.to_string(),
            funder: view.funder.clone(),
            span: if view.first == view.last {
                month_name(view.last, lang)
            } else {
                format!("{}〜{}", month_name(view.first, lang), month_name(view.last, lang))
            },
            institution: view.party.as_ref().map(|id| names.institution(id)),
            institution_id: view.party.as_ref().map(ToString::to_string).unwrap_or_default(),
            standard: yen(lang, view.standard),
            amount: view.claim.map(|c| yen(lang, c.amount)),
            cut: view.claim.filter(|c| c.cut.0 != 0).map(|c| yen(lang, c.cut)),
            needs_books: view.claim.is_none() || books.is_some(),
            actual: number(|b| b.actual),
            total_cost: number(|b| b.total_cost),
            other_income: number(|b| b.other_income),
        }
    };
    claims.iter().map(one).collect()
}

/// The recorded tariffs under which a closed month may be run again.
pub(super) fn reruns_of(lang: Lang, view: &MonthView, versions: &[(i64, String)]) -> Choices {
    let closed = view.close.as_ref().filter(|c| c.state == CloseState::Closed);
    let newer = versions.iter().filter(|(number, _)| closed.is_some_and(|c| *number > c.tariff_number));
    let option = |(number, version): &(i64, String)| Choice {
        value: number.to_string(),
        label: t_with(lang, "ledger-rerun-version", &[("version", version)]),
        note: None,
        chosen: false,
    };
    Choices { options: newer.map(option).collect(), problem: None }
}

fn load_rows(lang: Lang, april: Month, load: &[Load]) -> Vec<LoadRow> {
    if load.iter().all(|month| month.events == 0) {
        return Vec::new();
    }
    let row = |(n, month): (i64, &Load)| LoadRow {
        month: month_name(april.plus(n), lang),
        events: month.events.to_string(),
        minutes: month.median_minutes.map(|n| n.to_string()).unwrap_or_default(),
    };
    (0i64..).zip(load).map(row).collect()
}

/// Events by month, for a drawing.
pub(super) fn events(load: &[Load]) -> Vec<Option<i64>> {
    load.iter().map(|month| Some(i64::from(month.events))).collect()
}

/// Minutes to answer by month, for a drawing. Less than a minute is drawn as one.
pub(super) fn medians(load: &[Load]) -> Vec<Option<i64>> {
    load.iter().map(|month| month.median_minutes.map(|n| i64::from(n.max(1)))).collect()
}

fn judged_row(lang: Lang, item: &Judged) -> JudgedRow {
    let args = [("lines", item.year_lines.to_string()), ("yen", yen(lang, item.year_yen))];
    let args: Vec<(&str, &str)> = args.iter().map(|(k, v)| (*k, v.as_str())).collect();
    JudgedRow {
        item: item.item.clone(),
        name: item.name.clone(),
        so_far: t_with(lang, "ledger-judged-so-far", &args),
        grade: item.grade.clone(),
        comment: item.comment.clone(),
    }
}

/// `POST /ledger/grade`: `year`, `item`, `grade`, `comment`. What the association thinks of an item of the year.
pub(super) async fn grade(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let year = fields.get("year").parse().ok().filter(|year| YEARS.contains(year));
    let year: i32 = year.ok_or(Failure::form_expired())?;
    let (item, grade) = (fields.text("item"), fields.text("grade"));
    let what = (item.as_str(), grade.as_str());
    match caller.web.app.ledger_grade(&person.who(), year, what, &fields.text("comment")).await {
        Ok(()) => Ok(caller.go_and_say(&year_href(year), "graded")),
        Err(AppError::Invalid(_)) => {
            year_page(&caller, year, (None, Some(t(caller.lang, "ledger-grade-wrong")))).await
        }
        Err(e) => Err(Failure::from(e).back_to("/ledger/year")),
    }
}

fn program(lang: Lang, burn: &Burn, decided: &[(String, Yen)], may_decide: bool) -> YearProgram {
    let word = decided.iter().find(|(code, _)| code == burn.program.as_str());
    let short = burn.budget.is_some_and(|budget| burn.forecast > budget);
    let shared = burn.rule == Some(BudgetRule::Prorated);
    let rule = burn.rule.map(|rule| match rule {
        BudgetRule::FirstCome => t(lang, "ledger-budget-first-come"),
        BudgetRule::Prorated => t(lang, "ledger-budget-prorated"),
    });
    YearProgram {
        name: burn.name.clone(),
        code: burn.program.to_string(),
        rule,
        budget: burn.budget.map(|b| yen(lang, b)),
        spent: yen(lang, burn.spent),
        left: burn.left().map(|left| yen(lang, left)),
        forecast: yen(lang, burn.forecast),
        short,
        decided: word.map(|(_, budget)| t_with(lang, "ledger-decided", &[("budget", &yen(lang, *budget))])),
        may_decide: may_decide && shared && word.is_none(),
        drawing: drawing(burn),
        words: t(lang, "ledger-burn-words"),
    }
}

async fn year_page(
    caller: &Caller,
    year: i32,
    (notice, problem): (Option<String>, Option<String>),
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Ledger)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let april = Month::april(year);
    let closes = app.ledger_closes(home).await?;
    let burns = app.ledger_burn(home, year).await?;
    let decided = app.ledger_decisions(home, year).await?;
    let may_decide = caller.with_right(Right::Approve).is_ok();
    let month = |n: i64| {
        let month = april.plus(n);
        let close = closes.iter().find(|c| c.month == month);
        let (state, tone) = match close {
            None => ("open", Tone::Info),
            Some(c) if c.state == CloseState::Made => ("made", Tone::Warn),
            Some(_) => ("closed", Tone::Good),
        };
        YearMonth {
            name: month_name(month, lang),
            href: href(month),
            state: t(lang, &format!("ledger-state-{state}")),
            tone,
            amount: close.map(|c| yen(lang, c.total)),
        }
    };
    let load = app.ledger_load(home, year).await?;
    let last = (0..12)
        .rev()
        .map(|n| april.plus(n))
        .find(|month| closes.iter().any(|c| c.month == *month && c.state == CloseState::Closed));
    let judged = match last {
        Some(month) => {
            let view = app.ledger_month(home, month).await?;
            app.ledger_judged(home, &view, lang).await?
        }
        None => Vec::new(),
    };
    let this = Month::of(civil_day(caller.now, caller.zone())).fiscal_year();
    let fresh_notice = notice.is_some();
    let page = LedgerYear {
        shell: caller.shell_at(LEDGER, "/ledger"),
        year: year_name(year, lang),
        year_value: year.to_string(),
        notice,
        problem,
        previous_href: Some(year_href(year - 1)),
        next_href: (year < this).then(|| year_href(year + 1)),
        months: (0..12).map(month).collect(),
        programs: burns.iter().map(|burn| program(lang, burn, &decided, may_decide)).collect(),
        total: yen(lang, Yen(burns.iter().map(|b| b.spent.0).sum())),
        note: Field { value: String::new(), problem: None },
        load: load_rows(lang, april, &load),
        load_drawing: bars(&events(&load)),
        minutes_drawing: bars(&medians(&load)),
        judged: judged.iter().map(|item| judged_row(lang, item)).collect(),
        grades: GRADES.map(str::to_owned).to_vec(),
        may_grade: caller.with_right(Right::Close).is_ok(),
    };
    Ok(caller.page(render(&page), fresh_notice))
}

#[derive(Deserialize)]
pub(super) struct OfYear {
    year: Option<String>,
}

/// `GET /ledger/year`
pub(super) async fn year(caller: Caller, Query(of): Query<OfYear>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    caller.with_right(Right::Ledger)?;
    let year = match of.year.as_deref() {
        None => Month::of(civil_day(caller.now, caller.zone())).fiscal_year(),
        Some(text) => text.parse().ok().filter(|year| YEARS.contains(year)).ok_or(Failure::not_found())?,
    };
    let said = caller.said().filter(|said| ["decided", "graded"].contains(said));
    let notice = said.map(|said| t(caller.lang, &format!("ledger-done-{said}")));
    year_page(&caller, year, (notice, None)).await
}

/// `POST /ledger/prorate`: `year`, `program`, `note`. The officers' decision; asks for a proof of who it is first.
pub(super) async fn prorate(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    caller.with_right(Right::Approve)?;
    fields.check(&caller, LEDGER)?;
    let person = caller.fresh_with(Right::Approve, &fields)?;
    let lang = caller.lang;
    let year = fields.get("year").parse().ok().filter(|year| YEARS.contains(year));
    let year: i32 = year.ok_or(Failure::form_expired())?;
    let program: Code = fields.get("program").parse().map_err(|_| Failure::form_expired())?;
    match caller.web.app.ledger_prorate(&person.who(), &program, year, &fields.text("note")).await {
        Ok(Ok(())) => Ok(caller.go_and_say(&year_href(year), "decided")),
        Ok(Err(refused)) => {
            let problem = t(lang, &format!("ledger-order-{}", refused.code()));
            year_page(&caller, year, (None, Some(problem))).await
        }
        Err(AppError::Invalid(_)) => {
            year_page(&caller, year, (None, Some(t(lang, "ledger-decide-note")))).await
        }
        Err(e) => Err(Failure::from(e).back_to("/ledger/year")),
    }
}

/// `POST /ledger/books`: `month`, `program`, `institution`, `actual`, `total_cost`, `other_income`
pub(super) async fn books(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let lang = caller.lang;
    let month = month_of(&fields)?;
    let program: Code = fields.get("program").parse().map_err(|_| Failure::form_expired())?;
    let party = InstitutionId::from_stored(fields.get("institution")).ok();
    let typed = ["actual", "total_cost", "other_income"].map(|name| fields.number(name));
    let [Some(actual), Some(total_cost), Some(other_income)] = typed else {
        let problem = Some(t(lang, "ledger-books-numbers"));
        return desk(&caller, month, Said { problem, ..Said::default() }).await;
    };
    let books = Books { actual: Yen(actual), total_cost: Yen(total_cost), other_income: Yen(other_income) };
    let done = caller.web.app.ledger_books(&person.who(), (&program, month), party.as_ref(), books).await;
    let problem = match done {
        Ok(Ok(())) => return Ok(caller.go_and_say(&href(month), "books")),
        Ok(Err(refused)) => t(lang, &format!("ledger-order-{}", refused.code())),
        Err(AppError::Invalid(wrong)) => {
            wrong.first().map_or_else(|| t(lang, "ledger-books-numbers"), |w| Voice::wrong(lang, w))
        }
        Err(e) => return Err(Failure::from(e).back_to("/ledger")),
    };
    desk(&caller, month, Said { problem: Some(problem), ..Said::default() }).await
}

/// `POST /ledger/rerun`: `month`, `tariffs`
pub(super) async fn rerun(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let month = month_of(&fields)?;
    let Some(number) = fields.number("tariffs") else {
        return Ok(see_other(&href(month)));
    };
    match caller.web.app.ledger_rerun(&person.who(), month, number).await? {
        Ok(()) => Ok(caller.go_and_say(&href(month), "rerun")),
        Err(refused) => {
            let problem = Some(t(caller.lang, &format!("ledger-order-{}", refused.code())));
            desk(&caller, month, Said { problem, ..Said::default() }).await
        }
    }
}
