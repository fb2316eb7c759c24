//! The tables that are taken out of the ledger: details, sums by institution, tallies, claims. Headings and words
//! come from the texts; writing files is `export`'s.

use std::collections::BTreeMap;

use super::close::MonthView;
use super::figures::{ClaimView, LedgerNames, tally};
use crate::domain::calendar::era_year;
use crate::domain::ledger::{Cell, Eligibility, LedgerTable, Line, Month, Side};
use crate::i18n::{Lang, has, t, t_with};
use crate::ids::InstitutionId;

/// What can be taken out.
pub const KINDS: [&str; 4] = ["details", "institutions", "tallies", "claims"];

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

fn word(lang: Lang, of: &str, code: &str) -> String {
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

fn columns(lang: Lang, keys: &[&'static str]) -> Vec<(&'static str, String)> {
    keys.iter().map(|key| (*key, t(lang, &format!("ledger-column-{key}")))).collect()
}

fn titled(view: &MonthView, lang: Lang, kind: &str) -> (String, String) {
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

/// 集計: lines and yen in every cut: kind of institution, specialty, band, side, kind of event, reason, programme.
#[must_use]
pub fn tallies(view: &MonthView, lang: Lang) -> LedgerTable {
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
    let (title, sheet) = titled(view, lang, "tallies");
    let mut rows = Vec::new();
    let mut add = |cut: &str, value: String, tally: super::figures::Tally| {
        rows.push(vec![
            Cell::Text(t(lang, &format!("ledger-column-{cut}"))),
            Cell::Text(value),
            Cell::Count(i64::from(tally.lines)),
            Cell::Yen(tally.yen.0),
        ]);
    };
    for (cut, of, words) in cuts {
        for (value, cell) in tally(view.lines.iter(), of) {
            let value = if value == NONE { t(lang, "ledger-tally-none") } else { word(lang, words, &value) };
            add(cut, value, cell);
        }
    }
    for (value, cell) in tally(view.lines.iter(), |line| program_name(view, line)) {
        add("program", if value.is_empty() { t(lang, "ledger-tally-none") } else { value }, cell);
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
