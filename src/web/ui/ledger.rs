//! The subsidy ledger of a month as the office reads it. What a line is worth is `domain::ledger`.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::app::views::Names;
use crate::domain::calendar::{CivilDate, civil_day, era_year};
use crate::domain::ledger::{Condition, ConditionResult, ConditionState, Eligibility, Line, Side};
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t_with};
use crate::money::Yen;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::views::{Condition as ConditionView, LedgerLine, LedgerPage, Verdict, render};
use super::words::Voice;

pages! {
    get "/ledger" => ledger;
}

/// Lines a page looks at; the newest.
const LINES: i64 = 10_000;

#[derive(Deserialize)]
pub(super) struct Month {
    month: Option<String>,
}

/// The first day of `2026-11`.
fn first_of(month: &str) -> Option<CivilDate> {
    let (year, month) = month.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2)?;
    CivilDate::new(year.parse().ok()?, month.parse().ok()?, 1)
}

fn month_before(first: CivilDate) -> CivilDate {
    let last = first.plus_days(-1);
    last.plus_days(1 - i64::from(last.day()))
}

fn month_after(first: CivilDate) -> CivilDate {
    let next = first.plus_days(31);
    next.plus_days(1 - i64::from(next.day()))
}

fn href(first: CivilDate) -> String {
    format!("/ledger?month={:04}-{:02}", first.year(), first.month())
}

fn month_name(first: CivilDate, lang: Lang) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    match (lang, era_year(first)) {
        (Lang::Ja, Some((kanji, _, year))) => format!("{kanji}{year}年{}月", first.month()),
        (Lang::Ja, None) => format!("{}年{}月", first.year(), first.month()),
        (Lang::En, _) => {
            let name = usize::try_from(first.month() - 1).ok().and_then(|m| MONTHS.get(m)).copied();
            format!("{} {}", name.unwrap_or_default(), first.year())
        }
    }
}

fn yen(voice: Voice, amount: Yen) -> String {
    t_with(voice.lang, "word-yen", &[("amount", &amount.to_string())])
}

fn condition(voice: Voice, result: &ConditionResult) -> ConditionView {
    let (code, n) = match result.condition {
        Condition::NotATest => ("not_a_test", 0),
        Condition::NotTraining => ("not_training", 0),
        Condition::NotWithdrawnBeforeStart => ("not_withdrawn_before_start", 0),
        Condition::InDates => ("in_dates", 0),
        Condition::InBand => ("in_band", 0),
        Condition::MemberActive(Side::Requester) => ("requester_active", 0),
        Condition::MemberActive(Side::Acceptor) => ("acceptor_active", 0),
        Condition::DifferentInstitution => ("different_institution", 0),
        Condition::ReportPresent => ("report", 0),
        Condition::ReportWithinHours(hours) => ("report_within", hours),
        Condition::RequesterConfirmed => ("confirmed", 0),
        Condition::NotExcluded => ("not_excluded", 0),
        Condition::InArea => ("in_area", 0),
        Condition::MemberActive(Side::Standby) => ("standby_active", 0),
        Condition::HoursAtLeast(hours) => ("hours_at_least", hours),
        Condition::AttemptsRecorded => ("attempts", 0),
        Condition::HouseholdExplained => ("household", 0),
        Condition::NightCardUsed => ("night_card", 0),
        Condition::MinutesKnown => ("minutes", 0),
        Condition::NoOtherSubsidy => ("no_other_subsidy", 0),
        Condition::NotDuplicate => ("not_duplicate", 0),
        Condition::WithinCap => ("within_cap", 0),
        Condition::WithinBudget => ("within_budget", 0),
    };
    ConditionView {
        text: t_with(voice.lang, &format!("word-needs-{code}"), &[("n", &n.to_string())]),
        verdict: match result.state {
            ConditionState::Met => Verdict::Yes,
            ConditionState::Missing => Verdict::Waiting,
            ConditionState::Failed => Verdict::No,
        },
    }
}

fn line_view(caller: &Caller, voice: Voice, line: &Line, names: &Names) -> LedgerLine {
    let tariffs = caller.web.app.rules.tariffs.all();
    let tariff = line.tariff.as_ref().map(|code| {
        // The name of the tariff as it is now; a code that has gone from the file speaks for itself.
        let name =
            tariffs.iter().find(|t| t.code == *code).map_or_else(|| code.to_string(), |t| t.name.clone());
        let version: String = line.tariffs_version.chars().take(8).collect();
        format!("{name} ({version})")
    });
    let day = line.civil_date;
    LedgerLine {
        case_no: line.case_no.map_or_else(String::new, |c| c.to_string()),
        date: match voice.lang {
            Lang::Ja => crate::domain::calendar::era_date(day),
            Lang::En => format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day()),
        },
        side: voice.word("side", line.side.code()),
        institution: names.institution(&line.institution).to_owned(),
        member: line.person.as_ref().map(|id| voice.named(names, id)).unwrap_or_default(),
        tariff: tariff.unwrap_or_default(),
        amount: yen(voice, line.amount),
        verdict: match line.eligibility {
            Eligibility::Eligible => Verdict::Yes,
            Eligibility::PendingEvidence { .. } => Verdict::Waiting,
            Eligibility::Ineligible { .. } => Verdict::No,
        },
        reason: line.eligibility.reason().map(|reason| voice.word("reason", reason.code())),
        conditions: line.conditions.iter().map(|result| condition(voice, result)).collect(),
    }
}

/// `GET /ledger`
pub(super) async fn ledger(caller: Caller, Query(asked): Query<Month>) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else {
        return Ok(caller.to_sign_in());
    };
    caller.with_right(Right::Ledger)?;
    let voice = Voice { lang: caller.lang, zone: caller.zone(), now: caller.now };
    let today = civil_day(caller.now, voice.zone);
    let this_month = today.plus_days(1 - i64::from(today.day()));
    let month = match asked.month.as_deref() {
        None => this_month,
        Some(text) => first_of(text).ok_or(Failure::not_found())?,
    };
    let (rows, names) = caller.web.app.ledger_newest(&person.association.id, LINES).await?;
    let of_month: Vec<&Line> = rows
        .iter()
        .map(|row| &row.line)
        .filter(|line| (line.civil_date.year(), line.civil_date.month()) == (month.year(), month.month()))
        .collect();
    let eligible = of_month.iter().filter(|l| l.eligibility == Eligibility::Eligible).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let total = of_month.iter().fold(0i64, |sum, line| sum.saturating_add(line.amount.0));
    let view = LedgerPage {
        shell: caller.shell(Binding::Page("ledger")),
        month: month_name(month, caller.lang),
        previous_href: Some(href(month_before(month))),
        next_href: (month < this_month).then(|| href(month_after(month))),
        eligible_lines: count(eligible),
        other_lines: count(of_month.len() - eligible),
        total: yen(voice, Yen(total)),
        lines: of_month.into_iter().map(|line| line_view(&caller, voice, line, &names)).collect(),
    };
    Ok(caller.page(render(&view), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_over_the_turn_of_the_year() {
        let january = first_of("2027-01").unwrap();
        assert_eq!(href(month_before(january)), "/ledger?month=2026-12");
        assert_eq!(href(month_after(january)), "/ledger?month=2027-02");
        assert_eq!(href(month_after(first_of("2026-12").unwrap())), "/ledger?month=2027-01");
        assert_eq!(month_name(january, Lang::Ja), "令和9年1月");
        for wrong in ["", "2026", "2026-13", "2026-1", "26-11", "2026-11-01"] {
            assert_eq!(first_of(wrong), None, "{wrong}");
        }
    }
}
