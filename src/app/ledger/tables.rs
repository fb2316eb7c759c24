//! The tables that are taken out of the ledger: details, sums by institution, tallies, claims; `reports` are those
//! for funders, `evaluation` those that look back on a year or a programme. Headings and words
//! come from the texts; writing files is `export`'s.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{App, AppError};
use super::close::MonthView;
use super::figures::{Burn, ClaimView, Tally, tally};
use super::names::LedgerNames;
use crate::domain::calendar::era_year;
use crate::domain::ledger::{Cell, Eligibility, LedgerTable, Line, Month, Side};
use crate::i18n::{Lang, has, t, t_with};
use crate::ids::{AssociationId, InstitutionId};

/// What can be taken out.
pub const KINDS: [&str; 13] = [
    "details",
    "institutions",
    "tallies",
    "city",
    "claims",
    "invoice",
    "report",
    "quarter",
    "balance",
    "cuts",
    "evaluation",
    "ending",
    "year",
];

/// Those of them that rest on everything that was closed, and are empty for an open month.
pub const OF_CLOSED: [&str; 6] = ["claims", "invoice", "report", "quarter", "balance", "ending"];

/// Cells with fewer lines are not told to the city: somebody could be known by them.
pub(super) const CITY_LEAST: u32 = 3;

/// Columns of the details that paper has no room for.
const NOT_ON_PAPER: [&str; 7] = ["date", "kind", "institution_code", "member", "band", "program", "line"];

/// 令和8年11月, or November 2026.
#[must_use]
pub fn month_name(month: Month, lang: Lang) -> String {
    let (year, number) = month.parts();
    match (lang, era_year(month.first())) {
        (Lang::Ja, Some((era, _, of_era))) => format!("{era}{of_era}年{number}月"),
        (Lang::Ja, None) => format!("{year}年{number}月"),
        (Lang::En, _) => t_with(lang, &format!("ledger-month-{number}"), &[("year", &year.to_string())]),
    }
}

pub(super) fn word(lang: Lang, of: &str, code: &str) -> String {
    let key = format!("word-{of}-{code}");
    // Kinds and specialties are an association's own; what has no text speaks for itself.
    if has(lang, &key) { t(lang, &key) } else { code.to_owned() }
}

/// Name of the programme of a line, as the tariffs of the month have it.
#[must_use]
pub fn program_name(view: &MonthView, line: &Line) -> String {
    let Some(code) = &line.program else { return String::new() };
    view.tariffs.programs().get(code).map_or_else(|| code.to_string(), |p| p.name.clone())
}

/// Name of the tariff of a line.
#[must_use]
pub fn tariff_name(view: &MonthView, line: &Line) -> String {
    let Some(code) = &line.tariff else { return String::new() };
    let all = view.tariffs.all();
    all.iter().find(|t| t.code == *code).map_or_else(|| code.to_string(), |t| t.name.clone())
}

/// 対象, 確認待ち, or why not.
#[must_use]
pub fn verdict(line: &Line, lang: Lang) -> String {
    match line.eligibility {
        Eligibility::Eligible => t(lang, "ledger-is-eligible"),
        Eligibility::PendingEvidence { reason } | Eligibility::Ineligible { reason } => {
            word(lang, "reason", reason.code())
        }
    }
}

/// What is printed below every page: who made and approved it, and the seal.
#[must_use]
pub fn footer(view: &MonthView, lang: Lang) -> String {
    match view.close.as_ref().and_then(|c| c.sealed.as_ref().map(|s| (c, s))) {
        None => t(lang, "ledger-draft"),
        Some((close, sealed)) => {
            let hex: String = sealed.head_hash.iter().map(|b| format!("{b:02x}")).collect();
            let args = [
                ("month", close.month.to_string()),
                ("from", sealed.first_seq.to_string()),
                ("to", sealed.head_seq.to_string()),
                ("hash", hex),
            ];
            let args: Vec<(&str, &str)> = args.iter().map(|(k, v)| (*k, v.as_str())).collect();
            t_with(lang, "ledger-seal", &args)
        }
    }
}

pub(super) fn columns(lang: Lang, keys: &[&'static str]) -> Vec<(&'static str, String)> {
    keys.iter().map(|key| (*key, t(lang, &format!("ledger-column-{key}")))).collect()
}

pub(super) fn titled(view: &MonthView, lang: Lang, kind: &str) -> (String, String) {
    let sheet = t(lang, &format!("ledger-export-{kind}"));
    (format!("{sheet} {}", month_name(view.month, lang)), sheet)
}

/// 実績明細書: every line of the month, those that are not paid with their reason.
#[must_use]
pub fn details(view: &MonthView, names: &LedgerNames, lang: Lang) -> LedgerTable {
    let (title, sheet) = titled(view, lang, "details");
    let keys = [
        "case_no",
        "date",
        "era_date",
        "kind",
        "side",
        "institution_code",
        "institution",
        "member",
        "band",
        "program",
        "tariff",
        "quantity",
        "rate_yen",
        "amount_yen",
        "verdict",
        "entry",
        "line",
    ];
    let row = |line: &Line| {
        vec![
            line.case_no.map_or(Cell::Nothing, |c| Cell::Text(c.to_string())),
            Cell::Day(line.civil_date),
            Cell::Era(line.civil_date),
            Cell::Text(word(lang, "ledger-kind", line.kind.code())),
            Cell::Text(word(lang, "side", line.side.code())),
            Cell::Text(names.code(&line.institution)),
            Cell::Text(names.institution(&line.institution)),
            line.person.as_ref().map_or(Cell::Nothing, |p| Cell::Text(names.member(p))),
            Cell::Text(word(lang, "band", line.band.code())),
            Cell::Text(program_name(view, line)),
            Cell::Text(tariff_name(view, line)),
            Cell::Text(line.quantity.to_string()),
            Cell::Yen(line.rate.0),
            Cell::Yen(line.amount.0),
            Cell::Text(verdict(line, lang)),
            Cell::Text(t(lang, &format!("ledger-entry-{}", line.entry.code()))),
            Cell::Text(line.id.api()),
        ]
    };
    LedgerTable {
        title,
        sheet,
        columns: columns(lang, &keys),
        rows: view.lines.iter().map(row).collect(),
        footer: footer(view, lang),
    }
}

/// 月次総括: what each institution gets, by side.
#[must_use]
pub fn institutions(view: &MonthView, names: &LedgerNames, lang: Lang) -> LedgerTable {
    let (title, sheet) = titled(view, lang, "institutions");
    let keys = [
        "institution_code",
        "institution",
        "institution_kind",
        "lines",
        "requester_yen",
        "acceptor_yen",
        "standby_yen",
        "amount_yen",
    ];
    let mut parties: BTreeMap<&InstitutionId, (i64, [i64; 3], &Line)> = BTreeMap::new();
    for line in &view.lines {
        let party = parties.entry(&line.institution).or_insert((0, [0; 3], line));
        party.0 += i64::from(line.amount.0 != 0);
        let [asked, took, duty] = &mut party.1;
        let sum = match line.side {
            Side::Requester => asked,
            Side::Acceptor => took,
            Side::Standby => duty,
        };
        *sum += line.amount.0;
    }
    let mut rows: Vec<Vec<Cell>> = parties
        .into_iter()
        .map(|(id, (lines, sums, line))| {
            let total = sums.iter().sum();
            let [asked, took, duty] = sums;
            vec![
                Cell::Text(names.code(id)),
                Cell::Text(names.institution(id)),
                Cell::Text(word(lang, "institution", line.institution_kind.as_str())),
                Cell::Count(lines),
                Cell::Yen(asked),
                Cell::Yen(took),
                Cell::Yen(duty),
                Cell::Yen(total),
            ]
        })
        .collect();
    rows.sort_by_key(|row| row.get(1).map(Cell::text));
    LedgerTable { title, sheet, columns: columns(lang, &keys), rows, footer: footer(view, lang) }
}

/// The cells of a cut that are not told: those with fewer lines than `least`, and where that is a single one also
/// the smallest beside it, or the sum would tell it.
pub(super) fn hidden(cells: &BTreeMap<String, Tally>, least: u32) -> BTreeSet<String> {
    let small = |(_, cell): &(&String, &Tally)| cell.lines < least;
    let mut hidden: BTreeSet<String> = cells.iter().filter(small).map(|(value, _)| value.clone()).collect();
    if hidden.len() == 1 {
        let others = cells.iter().filter(|(value, _)| !hidden.contains(*value));
        let next = others.min_by_key(|(value, cell)| (cell.lines, (*value).clone()));
        let next = next.map(|(value, _)| value.clone());
        hidden.extend(next);
    }
    hidden
}

/// 集計: lines and yen in every cut: kind of institution, specialty, band, side, kind of event, reason, programme.
#[must_use]
pub fn tallies(view: &MonthView, lang: Lang) -> LedgerTable {
    tallied(view, lang, "tallies", 0)
}

/// 市への集計: the same with small cells hidden.
#[must_use]
pub fn city(view: &MonthView, lang: Lang) -> LedgerTable {
    tallied(view, lang, "city", CITY_LEAST)
}

fn tallied(view: &MonthView, lang: Lang, kind: &str, least: u32) -> LedgerTable {
    type Cut = (&'static str, fn(&Line) -> String, &'static str);
    const NONE: &str = "-";
    let cuts: [Cut; 6] = [
        ("institution_kind", |l| l.institution_kind.to_string(), "institution"),
        (
            "specialty",
            |l| l.specialty.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string),
            "specialty",
        ),
        ("band", |l| l.band.code().to_owned(), "band"),
        ("side", |l| l.side.code().to_owned(), "side"),
        ("kind", |l| l.kind.code().to_owned(), "ledger-kind"),
        (
            "verdict",
            |l| l.eligibility.reason().map_or_else(|| NONE.to_owned(), |r| r.code().to_owned()),
            "reason",
        ),
    ];
    let (title, sheet) = titled(view, lang, kind);
    let mut rows = Vec::new();
    let mut add = |cut: &str, value: String, cell: &Tally, is_hidden: bool| {
        let few = || Cell::Text(t_with(lang, "ledger-few", &[("n", &least.to_string())]));
        let (lines, sum) = if is_hidden {
            (few(), few())
        } else {
            (Cell::Count(i64::from(cell.lines)), Cell::Yen(cell.yen.0))
        };
        rows.push(vec![Cell::Text(t(lang, &format!("ledger-column-{cut}"))), Cell::Text(value), lines, sum]);
    };
    for (cut, of, words) in cuts {
        let cells = tally(view.lines.iter(), of);
        let untold = hidden(&cells, least);
        for (value, cell) in &cells {
            let name = if value == NONE { t(lang, "ledger-tally-none") } else { word(lang, words, value) };
            add(cut, name, cell, untold.contains(value));
        }
    }
    let cells = tally(view.lines.iter(), |line| program_name(view, line));
    let untold = hidden(&cells, least);
    for (value, cell) in &cells {
        let name = if value.is_empty() { t(lang, "ledger-tally-none") } else { value.clone() };
        add("program", name, cell, untold.contains(value));
    }
    let keys = ["cut", "value", "lines", "amount_yen"];
    LedgerTable { title, sheet, columns: columns(lang, &keys), rows, footer: footer(view, lang) }
}

/// 請求一覧: the claims whose cycle ends with the month, step by step.
#[must_use]
pub fn claims(view: &MonthView, claims: &[ClaimView], names: &LedgerNames, lang: Lang) -> LedgerTable {
    let (title, sheet) = titled(view, lang, "claims");
    let keys = [
        "funder",
        "program",
        "first_month",
        "last_month",
        "institution",
        "standard_yen",
        "actual_yen",
        "total_cost_yen",
        "other_income_yen",
        "cut_yen",
        "claim_yen",
    ];
    let row = |view: &ClaimView| {
        let books = view.claim.and_then(|c| c.books);
        let yen = |yen: Option<i64>| yen.map_or(Cell::Nothing, Cell::Yen);
        vec![
            Cell::Text(view.funder.clone()),
            Cell::Text(view.name.clone()),
            Cell::Text(view.first.to_string()),
            Cell::Text(view.last.to_string()),
            view.party.as_ref().map_or(Cell::Nothing, |id| Cell::Text(names.institution(id))),
            yen(view.claim.map(|c| c.standard.0)),
            yen(books.map(|b| b.actual.0)),
            yen(books.map(|b| b.total_cost.0)),
            yen(books.map(|b| b.other_income.0)),
            yen(view.claim.map(|c| c.cut.0)),
            view.claim.map_or_else(|| Cell::Text(t(lang, "ledger-books-missing")), |c| Cell::Yen(c.amount.0)),
        ]
    };
    LedgerTable {
        title,
        sheet,
        columns: columns(lang, &keys),
        rows: claims.iter().map(row).collect(),
        footer: footer(view, lang),
    }
}

/// 年度の一覧: what each programme paid in each month of closing, with its budget.
#[must_use]
pub fn year(view: &MonthView, burns: &[Burn], lang: Lang) -> LedgerTable {
    const MONTHS: [&str; 12] =
        ["apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "jan", "feb", "mar"];
    let (title, sheet) = titled(view, lang, "year");
    let april = Month::april(view.month.fiscal_year());
    let mut columns = columns(lang, &["program"]);
    for (n, key) in (0i64..).zip(MONTHS) {
        let (_, number) = april.plus(n).parts();
        columns.push((key, t_with(lang, "ledger-column-month", &[("n", &number.to_string())])));
    }
    columns.extend(self::columns(lang, &["year_yen", "budget_yen", "left_yen", "forecast_yen"]));
    let yen = |yen: Option<crate::money::Yen>| yen.map_or(Cell::Nothing, |yen| Cell::Yen(yen.0));
    let row = |burn: &Burn| {
        let mut row = vec![Cell::Text(burn.name.clone())];
        row.extend(burn.months.iter().map(|month| yen(*month)));
        row.extend([Cell::Yen(burn.spent.0), yen(burn.budget), yen(burn.left()), Cell::Yen(burn.forecast.0)]);
        row
    };
    let rows = burns.iter().map(row).collect();
    LedgerTable { title, sheet, columns, rows, footer: footer(view, lang) }
}

/// A table as it is printed: the details without the columns that data needs and readers do not.
#[must_use]
pub fn on_paper(kind: &str, mut table: LedgerTable) -> LedgerTable {
    if kind != "details" {
        return table;
    }
    let keep: Vec<bool> = table.columns.iter().map(|(key, _)| !NOT_ON_PAPER.contains(key)).collect();
    for row in &mut table.rows {
        let mut kept = keep.iter();
        row.retain(|_| kept.next().copied().unwrap_or(true));
    }
    let mut kept = keep.iter();
    table.columns.retain(|_| kept.next().copied().unwrap_or(true));
    table
}

impl App {
    /// One of the tables of a month, by its word in [`KINDS`]; `None` where there is no such table.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_table(
        &self,
        association: &AssociationId,
        view: &MonthView,
        kind: &str,
        lang: Lang,
    ) -> Result<Option<LedgerTable>, AppError> {
        let names = self.ledger_names(association, &view.names, view.lines.iter()).await?;
        Ok(Some(match kind {
            "details" => details(view, &names, lang),
            "institutions" => institutions(view, &names, lang),
            "tallies" => tallies(view, lang),
            "city" => city(view, lang),
            "claims" => {
                let all = self.ledger_claims(association, view.month).await?.unwrap_or_default();
                claims(view, &all, &names, lang)
            }
            "year" => year(view, &self.ledger_burn(association, view.month.fiscal_year()).await?, lang),
            "invoice" | "report" | "quarter" | "balance" => {
                return self.ledger_paper_of(association, view, kind, lang).await;
            }
            "cuts" => self.ledger_cuts(association, view, lang).await?,
            "evaluation" => self.ledger_evaluation(association, view, lang).await?,
            "ending" => self.ledger_ending(association, view, lang).await?,
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Yen;

    fn cells(lines: &[(&str, u32)]) -> BTreeMap<String, Tally> {
        lines.iter().map(|(name, lines)| ((*name).to_owned(), Tally { lines: *lines, yen: Yen(1) })).collect()
    }

    #[test]
    fn a_small_cell_cannot_be_told_from_the_sum_of_the_others() {
        let untold = |of: &[(&str, u32)]| hidden(&cells(of), 3).into_iter().collect::<Vec<_>>();
        assert!(untold(&[("a", 3), ("b", 9)]).is_empty());
        assert_eq!(untold(&[("a", 2), ("b", 9), ("c", 5)]), ["a", "c"]);
        assert_eq!(untold(&[("a", 2), ("b", 1), ("c", 5)]), ["a", "b"]);
        assert_eq!(untold(&[("a", 1)]), ["a"]);
        assert!(hidden(&cells(&[("a", 0), ("b", 1)]), 0).is_empty());
    }
}
