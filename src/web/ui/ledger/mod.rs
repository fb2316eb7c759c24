//! The subsidy ledger as the office works with it: the desk of a month. `forms` record evidence, corrections and
//! tariffs, `chase` asks for what is missing, `files` are what is printed and taken out, `year` the budgets and their decisions. What a line is worth is
//! `domain::ledger`.

mod chase;
mod files;
mod forms;
mod year;

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::app::ledger::close::{CloseRefused, CloseRow, CloseState, MonthView};
use crate::app::ledger::figures::Burn;
use crate::app::ledger::names::{LedgerNames, MemberName};
use crate::app::ledger::tables::{KINDS, OF_CLOSED, footer, month_name, program_name, tariff_name};
use crate::domain::calendar::{civil_day, era_date};
use crate::domain::ledger::{Condition, ConditionResult, ConditionState, Eligibility, Line, Month, Side};
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t, t_with};
use crate::ids::{InstitutionId, MemberId};
use crate::money::Yen;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::Fields;
use super::views::{
    Choice, Choices, Condition as ConditionView, LedgerLine, LedgerPage, PartySum, Prep, PrepLine,
    ProgramSum, Tone, Verdict, render,
};
use super::words::Voice;

pages! {
    get "/ledger" => ledger;
    post "/ledger/make" => make;
    post "/ledger/unmake" => unmake;
    post "/ledger/approve" => approve;
    get "/ledger/statement" => files::statement;
    get "/ledger/paper" => files::paper;
    get "/ledger/letter" => files::letter;
    post "/ledger/export" => files::export;
    post "/ledger/transfer" => files::transfer;
    get "/ledger/year" => year::year;
    post "/ledger/prorate" => year::prorate;
    post "/ledger/books" => year::books;
    post "/ledger/rerun" => year::rerun;
    post "/ledger/grade" => year::grade;
    post "/ledger/chase" => chase::chase;
    get "/ledger/chasers" => chase::chasers;
    get "/ledger/correct" => forms::correct_form;
    post "/ledger/correct" => forms::correct;
    post "/ledger/correct-not" => forms::correct_not;
    get "/ledger/evidence" => forms::evidence_form;
    post "/ledger/evidence" => forms::evidence;
    get "/ledger/tariffs" => forms::tariffs_page;
    post "/ledger/tariffs" => forms::tariffs;
}

const LEDGER: Binding<'static> = Binding::Page("ledger");
/// Lines a page shows; the files have all of them.
const SHOWN: usize = 300;
const FORMATS: [&str; 4] = ["xlsx", "csv", "csv-sjis", "json"];

#[derive(Deserialize)]
pub(super) struct Asked {
    month: Option<String>,
}

fn href(month: Month) -> String {
    format!("/ledger?month={month}")
}

fn yen(lang: Lang, amount: Yen) -> String {
    t_with(lang, "word-yen", &[("amount", &amount.to_string())])
}

fn voice_of(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn day(lang: Lang, line: &Line) -> String {
    let day = line.civil_date;
    match lang {
        Lang::Ja => era_date(day),
        Lang::En => day.to_string(),
    }
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

/// A line as the desk shows it; `closed`: it can be corrected.
fn line_view(voice: Voice, view: &MonthView, line: &Line, names: &LedgerNames, closed: bool) -> LedgerLine {
    let correctable = closed && line.amount.0 != 0 && line.entry.code() != "reversal";
    let member = |id: &MemberId| {
        let title = |m: &MemberName| super::words::title(&m.name, &m.roles, voice.lang);
        names.members.get(id).map_or_else(|| id.api(), title)
    };
    LedgerLine {
        case_no: line.case_no.map_or_else(|| t(voice.lang, "ledger-duty"), |c| c.to_string()),
        date: day(voice.lang, line),
        side: voice.word("side", line.side.code()),
        institution: names.institution(&line.institution),
        member: line.person.as_ref().map(member).unwrap_or_default(),
        tariff: tariff_name(view, line),
        amount: yen(voice.lang, line.amount),
        verdict: match line.eligibility {
            Eligibility::Eligible => Verdict::Yes,
            Eligibility::PendingEvidence { .. } => Verdict::Waiting,
            Eligibility::Ineligible { .. } => Verdict::No,
        },
        reason: line.eligibility.reason().map(|reason| voice.word("reason", reason.code())),
        conditions: line.conditions.iter().map(|result| condition(voice, result)).collect(),
        entry: (!line.entry.is_original())
            .then(|| t(voice.lang, &format!("ledger-entry-{}", line.entry.code()))),
        correct_href: correctable.then(|| format!("/ledger/correct?line={}", line.id)),
    }
}

/// Everybody who made or approved months, in words.
async fn named(caller: &Caller, by: &str) -> String {
    let Ok(person) = caller.person() else { return String::new() };
    match by.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok()) {
        Some(id) => match caller.web.app.member(&person.association.id, &id).await {
            Ok(member) => super::words::title(&member.name, &member.roles, caller.lang),
            Err(_) => by.to_owned(),
        },
        None => t(caller.lang, "ledger-by-shell"),
    }
}

async fn steps(caller: &Caller, close: &CloseRow) -> Vec<String> {
    let say = |key: &str, at, who: &str| {
        let at = crate::app::say::moment(at, caller.zone(), caller.lang);
        t_with(caller.lang, key, &[("at", &at), ("who", who)])
    };
    let maker = named(caller, &close.made_by).await;
    let mut steps = vec![say("ledger-made-by", close.made_at, &maker)];
    if let Some(sealed) = &close.sealed {
        let officer = named(caller, &sealed.by).await;
        steps.push(say("ledger-approved-by", sealed.at, &officer));
    }
    steps
}

fn preparation(lang: Lang, view: &MonthView, names: &LedgerNames, may_record: bool) -> Vec<Prep> {
    let found = &view.preparation;
    let line = |line: &Line| PrepLine {
        case_no: line.case_no.map(|c| c.to_string()).unwrap_or_default(),
        date: day(lang, line),
        who: names.institution(&line.institution),
        href: line.case_no.filter(|_| may_record).map(|case| format!("/ledger/evidence?case={case}")),
    };
    let plain = |case_no: String, who: String| PrepLine { case_no, date: String::new(), who, href: None };
    let once = |lines: &[Line]| {
        // A case waits once, whatever its sides.
        let cases: BTreeMap<String, &Line> =
            lines.iter().map(|l| (l.case_no.map(|c| c.to_string()).unwrap_or_default(), l)).collect();
        cases.into_values().map(line).collect::<Vec<_>>()
    };
    let lists = [
        ("no_report", once(&found.no_report)),
        ("not_confirmed", once(&found.not_confirmed)),
        ("other", once(&found.other)),
        (
            "without_code",
            found.without_code.iter().map(|id| plain(String::new(), names.institution(id))).collect(),
        ),
        ("too_late", found.too_late.iter().map(|case| plain(case.to_string(), String::new())).collect()),
    ];
    let mut all: Vec<Prep> = lists
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|(code, lines)| Prep {
            title: t_with(lang, &format!("ledger-prep-{code}"), &[("n", &lines.len().to_string())]),
            what: t(lang, &format!("ledger-prep-{code}-what")),
            lines,
        })
        .collect();
    for (code, n) in [("late", found.late), ("changed_hands", found.changed_hands)] {
        if n > 0 {
            all.push(Prep {
                title: t_with(lang, &format!("ledger-prep-{code}"), &[("n", &n.to_string())]),
                what: t(lang, &format!("ledger-prep-{code}-what")),
                lines: Vec::new(),
            });
        }
    }
    all
}

/// The budget's burn-down as bars of what is left after each closed month, against the even course. Numbers only.
fn drawing(burn: &Burn) -> Option<String> {
    const WIDTH: i64 = 360;
    const HEIGHT: i64 = 120;
    let budget = burn.budget.map(|b| b.0).filter(|b| *b > 0)?;
    let mut left = budget;
    let mut bars = String::new();
    for (n, month) in (0i64..).zip(&burn.months) {
        let Some(yen) = month else { continue };
        left -= yen.0;
        let height = i64::try_from(i128::from(left.max(0)) * i128::from(HEIGHT) / i128::from(budget)).ok()?;
        let (x, y) = (n * WIDTH / 12 + 4, HEIGHT - height);
        bars.push_str(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"22\" height=\"{height}\" fill=\"#0017c1\"/>"
        ));
    }
    Some(format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-hidden=\"true\"><rect x=\"0\" y=\"0\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" fill=\"#f2f2f2\"/>{bars}<line x1=\"0\" y1=\"0\" x2=\"{WIDTH}\" y2=\"{HEIGHT}\" \
         stroke=\"#767676\" stroke-dasharray=\"4 4\"/></svg>",
        HEIGHT + 4
    ))
}

/// Twelve months as bars from the foot up, April first; the tallest is the greatest. Numbers only.
fn bars(months: &[Option<i64>]) -> Option<String> {
    const WIDTH: i64 = 360;
    const HEIGHT: i64 = 120;
    let most = months.iter().flatten().copied().max().filter(|most| *most > 0)?;
    let mut bars = String::new();
    for (n, month) in (0i64..).zip(months) {
        let Some(value) = month else { continue };
        let height =
            i64::try_from(i128::from((*value).max(0)) * i128::from(HEIGHT) / i128::from(most)).ok()?;
        let (x, y) = (n * WIDTH / 12 + 4, HEIGHT - height);
        bars.push_str(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"22\" height=\"{height}\" fill=\"#0017c1\"/>"
        ));
    }
    Some(format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-hidden=\"true\"><rect x=\"0\" y=\"0\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" fill=\"#f2f2f2\"/>{bars}</svg>",
        HEIGHT + 4
    ))
}

fn programs(lang: Lang, view: &MonthView, burns: &[Burn]) -> Vec<ProgramSum> {
    let mut sums: BTreeMap<String, (String, i64)> = BTreeMap::new();
    for line in &view.lines {
        let Some(code) = &line.program else { continue };
        let sum = sums.entry(code.to_string()).or_insert_with(|| (program_name(view, line), 0));
        sum.1 += line.amount.0;
    }
    for burn in burns {
        sums.entry(burn.program.to_string()).or_insert_with(|| (burn.name.clone(), 0));
    }
    let one = |(code, (name, sum)): (String, (String, i64))| {
        let burn = burns.iter().find(|b| b.program.as_str() == code);
        let budget = burn.and_then(|b| b.budget);
        let closed = burn.is_some_and(|b| b.months.iter().any(Option::is_some));
        ProgramSum {
            name,
            amount: yen(lang, Yen(sum)),
            left: burn.and_then(Burn::left).map(|left| yen(lang, left)),
            forecast: burn.filter(|_| closed && budget.is_some()).map(|b| yen(lang, b.forecast)),
            drawing: burn.filter(|_| closed).and_then(drawing),
            words: t(lang, "ledger-burn-words"),
        }
    };
    sums.into_iter().map(one).collect()
}

fn parties(lang: Lang, view: &MonthView, names: &LedgerNames) -> Vec<PartySum> {
    let mut sums: BTreeMap<&InstitutionId, (u32, i64)> = BTreeMap::new();
    for line in view.lines.iter().chain(&view.held) {
        let sum = sums.entry(&line.institution).or_default();
        sum.0 += 1;
        sum.1 += line.amount.0;
    }
    let one = |(id, (lines, sum)): (&InstitutionId, (u32, i64))| PartySum {
        name: names.institution(id),
        href: format!("/ledger/statement?month={}&institution={id}", view.month),
        lines,
        amount: yen(lang, Yen(sum)),
    };
    let mut all: Vec<PartySum> = sums.into_iter().map(one).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// What can be printed: name and address. What rests on closed months waits for the close.
fn papers(lang: Lang, view: &MonthView) -> Vec<(String, String)> {
    let month = view.month;
    let table = |kind: &str| {
        (t(lang, &format!("ledger-export-{kind}")), format!("/ledger/paper?month={month}&table={kind}"))
    };
    let there = |kind: &&str| view.is_closed() || !OF_CLOSED.contains(kind);
    let mut papers: Vec<(String, String)> = KINDS.into_iter().filter(there).map(table).collect();
    if view.is_closed() {
        papers.push((t(lang, "ledger-letter"), format!("/ledger/letter?month={month}")));
    }
    papers
}

/// Corrections that wait for the next month: in words, and where they are looked at.
async fn ordered(caller: &Caller) -> Result<Vec<(String, String)>, Failure> {
    let person = caller.with_right(Right::Close)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let mut all = Vec::new();
    for (id, instead) in app.ledger_corrections(home).await? {
        let (_, line) = app.ledger_line(home, &id).await?;
        let case = line.case_no.map_or_else(|| t(lang, "ledger-duty"), |c| c.to_string());
        let amount = t_with(lang, "ledger-ordered-one", &[("amount", &yen(lang, instead))]);
        let words = format!("{case} {} {} {amount}", day(lang, &line), yen(lang, line.amount));
        all.push((words, format!("/ledger/correct?line={id}")));
    }
    Ok(all)
}

fn choices(lang: Lang, kinds: &[&str], key: &str, chosen: &str) -> Choices {
    let option = |code: &&str| Choice {
        value: (*code).to_owned(),
        label: t(lang, &format!("{key}-{code}")),
        note: None,
        chosen: *code == chosen,
    };
    Choices { options: kinds.iter().map(option).collect(), problem: None }
}

/// What a page says besides the month.
#[derive(Default)]
struct Said {
    notice: Option<String>,
    problem: Option<String>,
    missing: Vec<super::views::sheets::MissingCharacters>,
    table: String,
    format: String,
}

/// The desk of a month, with what is to be said.
async fn desk(caller: &Caller, month: Month, said: Said) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Ledger)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let voice = voice_of(caller);
    let view = app.ledger_month(home, month).await?;
    let all = view.lines.iter().chain(&view.held);
    let names = app.ledger_names(home, &view.names, all.clone()).await?;
    let burns = app.ledger_burn(home, month.fiscal_year()).await?;
    let this = Month::of(civil_day(caller.now, voice.zone));
    let eligible = view.lines.iter().filter(|l| l.eligibility == Eligibility::Eligible).count();
    let total = view.lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.amount.0));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (clerk, officer) =
        (caller.with_right(Right::Close).is_ok(), caller.with_right(Right::Approve).is_ok());
    let made = view.close.as_ref().filter(|c| c.state == CloseState::Made);
    let own = made.is_some_and(|c| c.made_by == format!("member:{}", person.member.id));
    let (state, tone) = match &view.close {
        None => ("open", Tone::Info),
        Some(c) if c.state == CloseState::Made => ("made", Tone::Warn),
        Some(_) => ("closed", Tone::Good),
    };
    let claims = if view.is_closed() { app.ledger_claims(home, month).await? } else { None };
    let claims = claims.unwrap_or_default();
    let claimants =
        app.ledger_institutions(home, &view.names, claims.iter().filter_map(|c| c.party.as_ref())).await?;
    let mut reruns = Choices { options: Vec::new(), problem: None };
    if view.is_closed() && clerk {
        let history = app.tariffs_history(home).await?;
        let versions: Vec<(i64, String)> = history.into_iter().map(|s| (s.number, s.version)).collect();
        reruns = year::reruns_of(lang, &view, &versions);
    }
    let fresh_notice = said.notice.is_some();
    let shown = SHOWN.min(view.lines.len() + view.held.len());
    let page = LedgerPage {
        shell: caller.shell_at(LEDGER, "/ledger"),
        month: month_name(month, lang),
        month_value: month.to_string(),
        notice: said.notice,
        problem: said.problem.or_else(|| {
            let balance = view.sums.as_ref().err()?;
            let refused = CloseRefused::OutOfBalance { why: balance.to_string() };
            Some(refused_words(lang, &refused))
        }),
        state: t(lang, &format!("ledger-state-{state}")),
        tone,
        steps: match &view.close {
            Some(close) => steps(caller, close).await,
            None => Vec::new(),
        },
        may_make: clerk && view.refused.is_none(),
        may_unmake: clerk && made.is_some(),
        may_approve: made.filter(|_| officer && !own && view.still_same).map(|c| c.revision),
        has_changed: !view.still_same,
        prepare: preparation(lang, &view, &names, clerk),
        may_chase: clerk
            && !(view.preparation.no_report.is_empty() && view.preparation.not_confirmed.is_empty()),
        ordered: if clerk && !view.is_closed() { ordered(caller).await? } else { Vec::new() },
        parties: parties(lang, &view, &names),
        programs: programs(lang, &view, &burns),
        tables: choices(
            lang,
            &KINDS,
            "ledger-export",
            if said.table.is_empty() { "details" } else { &said.table },
        ),
        formats: choices(
            lang,
            &FORMATS,
            "export-format",
            if said.format.is_empty() { "xlsx" } else { &said.format },
        ),
        may_export: view.is_closed() && (clerk || officer),
        may_pay: view.is_closed() && caller.with_right(Right::Bank).is_ok(),
        may_keep_books: clerk,
        claims: year::claims_of(lang, &claims, &claimants),
        reruns,
        papers: papers(lang, &view),
        year_href: format!("/ledger/year?year={}", month.fiscal_year()),
        missing: said.missing,
        seal: if view.close.is_some() { footer(&view, lang) } else { String::new() },
        previous_href: Some(href(month.plus(-1))),
        next_href: (month < this).then(|| href(month.plus(1))),
        eligible_lines: count(eligible),
        other_lines: count(view.lines.len() + view.held.len() - eligible),
        total: yen(lang, Yen(total)),
        lines: all
            .take(shown)
            .map(|line| line_view(voice, &view, line, &names, view.is_closed() && clerk))
            .collect(),
    };
    Ok(caller.page(render(&page), fresh_notice))
}

fn refused_words(lang: Lang, refused: &CloseRefused) -> String {
    let about = match refused {
        CloseRefused::Earlier { month } => month_name(*month, lang),
        other => other.about(),
    };
    t_with(lang, &format!("ledger-refused-{}", refused.code()), &[("about", &about)])
}

/// `GET /ledger`
pub(super) async fn ledger(caller: Caller, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    caller.with_right(Right::Ledger)?;
    let this = Month::of(civil_day(caller.now, caller.zone()));
    let month = match asked.month.as_deref() {
        None => this,
        Some(text) => text.parse().map_err(|_| Failure::not_found())?,
    };
    let notice = caller.said().filter(|said| {
        ["made", "unmade", "closed", "corrected", "dropped", "evidence", "books", "rerun"].contains(said)
    });
    let notice = notice.map(|said| {
        t_with(caller.lang, &format!("ledger-done-{said}"), &[("month", &month_name(month, caller.lang))])
    });
    desk(&caller, month, Said { notice, ..Said::default() }).await
}

/// The month a form names.
fn month_of(fields: &Fields) -> Result<Month, Failure> {
    fields.get("month").parse().map_err(|_| Failure::form_expired())
}

/// `POST /ledger/make`: `month`
pub(super) async fn make(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let month = month_of(&fields)?;
    match caller.web.app.ledger_make(&person.who(), month).await? {
        Ok(_) => Ok(caller.go_and_say(&href(month), "made")),
        Err(refused) => {
            let problem = Some(refused_words(caller.lang, &refused));
            desk(&caller, month, Said { problem, ..Said::default() }).await
        }
    }
}

/// `POST /ledger/unmake`: `month`
pub(super) async fn unmake(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close)?;
    fields.check(&caller, LEDGER)?;
    let month = month_of(&fields)?;
    caller.web.app.ledger_unmake(&person.who(), month).await?;
    Ok(caller.go_and_say(&href(month), "unmade"))
}

/// `POST /ledger/approve`: `month`, `revision`. Asks for a proof of who it is first.
pub(super) async fn approve(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    caller.with_right(Right::Approve)?;
    fields.check(&caller, LEDGER)?;
    let person = caller.fresh_with(Right::Approve, &fields)?;
    let month = month_of(&fields)?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    match caller.web.app.ledger_approve(&person.who(), month, revision).await? {
        Ok(_) => Ok(caller.go_and_say(&href(month), "closed")),
        Err(refused) => {
            let problem = Some(refused_words(caller.lang, &refused));
            desk(&caller, month, Said { problem, ..Said::default() }).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_month_is_as_tall_as_the_drawing_and_nothing_is_not_drawn() {
        let drawn = bars(&[Some(10), None, Some(5), Some(0)]).unwrap();
        assert_eq!(drawn.matches("fill=\"#0017c1\"").count(), 3);
        assert!(
            drawn.contains("y=\"0\" width=\"22\" height=\"120\"") && drawn.contains("height=\"60\""),
            "{drawn}"
        );
        assert_eq!(bars(&[None, Some(0)]), None);
    }

    #[test]
    fn months_have_names_in_both_languages() {
        let january: Month = "2027-01".parse().unwrap();
        assert_eq!(month_name(january, Lang::Ja), "令和9年1月");
        assert_eq!(month_name(january, Lang::En), "January 2027");
    }
}
