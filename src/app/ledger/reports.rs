//! The papers for funders, all from the sums of closed months: what is claimed (請求書), what was achieved (実績報告書),
//! the sheet of a quarter, income and outlay (収支決算書).

use std::collections::BTreeMap;

use super::super::{App, AppError};
use super::close::MonthView;
use super::figures::ClaimView;
use super::names::LedgerNames;
use super::tables::{columns, footer, titled};
use crate::domain::calendar::CivilDate;
use crate::domain::ledger::{Cell, Code, Cycle, LedgerTable, Month, Program, Tariffs};
use crate::i18n::{Lang, t, t_with};
use crate::ids::AssociationId;
use crate::store::ledger::months::{CloseState, closes};
use crate::store::ledger::reports::{SumRow, sealed_sums};

/// Months whose closes are looked at.
const MONTHS: i64 = 24;
/// A quarter's sheet is due on this day of the month after it, unless the programme says otherwise (江東区: 15 July,
/// 15 October, 15 January, 15 April).
const DUE_DAY: i64 = 15;

/// What stands in a claim, step by step: each tariff with its lines and yen, then the sum, what is cut, the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimItem {
    /// `item`, `standard`, `books`, `cut`, `claim`.
    pub step: &'static str,
    pub name: String,
    /// Lines that are paid; of a tariff only.
    pub lines: Option<i64>,
    pub yen: Option<i64>,
}

fn tariff_of(tariffs: &Tariffs, code: Option<&Code>) -> String {
    let known = code.and_then(|code| tariffs.all().iter().find(|t| t.code == *code));
    known.map_or_else(|| code.map_or_else(String::new, ToString::to_string), |t| t.name.clone())
}

/// The lines of a claim's letter.
pub(super) fn items(claim: &ClaimView, sums: &[SumRow], tariffs: &Tariffs, lang: Lang) -> Vec<ClaimItem> {
    let mut by_tariff: BTreeMap<Option<&Code>, (i64, i64)> = BTreeMap::new();
    let mine = |sum: &&SumRow| {
        sum.program == claim.program
            && (claim.first..=claim.last).contains(&sum.month)
            && claim.party.as_ref().is_none_or(|party| *party == sum.institution)
    };
    for sum in sums.iter().filter(mine) {
        let cell = by_tariff.entry(sum.tariff.as_ref()).or_default();
        cell.0 += sum.paid;
        cell.1 += sum.yen.0;
    }
    let step = |step: &'static str, yen: Option<i64>| ClaimItem {
        step,
        name: t(lang, &format!("ledger-step-{step}")),
        lines: None,
        yen,
    };
    let mut items: Vec<ClaimItem> = by_tariff
        .into_iter()
        .map(|(code, (lines, yen))| ClaimItem {
            step: "item",
            name: tariff_of(tariffs, code),
            lines: Some(lines),
            yen: Some(yen),
        })
        .collect();
    items.push(step("standard", Some(claim.standard.0)));
    if let Some(made) = claim.claim {
        if made.before_cut != made.standard {
            items.push(step("books", Some(made.before_cut.0)));
        }
        if made.cut.0 != 0 {
            items.push(step("cut", Some(-made.cut.0)));
        }
    }
    items.push(step("claim", claim.claim.map(|c| c.amount.0)));
    items
}

/// 請求書: every claim whose cycle ends with the month, with what it is made of.
fn invoice(
    view: &MonthView,
    claims: &[ClaimView],
    sums: &[SumRow],
    names: &LedgerNames,
    lang: Lang,
) -> LedgerTable {
    let (title, sheet) = titled(view, lang, "invoice");
    let keys = [
        "funder",
        "program",
        "first_month",
        "last_month",
        "institution",
        "step",
        "item",
        "lines",
        "amount_yen",
    ];
    let mut rows = Vec::new();
    for claim in claims {
        for item in items(claim, sums, &view.tariffs, lang) {
            let yen = item.yen.map_or_else(|| Cell::Text(t(lang, "ledger-books-missing")), Cell::Yen);
            rows.push(vec![
                Cell::Text(claim.funder.clone()),
                Cell::Text(claim.name.clone()),
                Cell::Text(claim.first.to_string()),
                Cell::Text(claim.last.to_string()),
                claim.party.as_ref().map_or(Cell::Nothing, |id| Cell::Text(names.institution(id))),
                Cell::Text(t(lang, &format!("ledger-step-{}", item.step))),
                Cell::Text(item.name),
                item.lines.map_or(Cell::Nothing, Cell::Count),
                yen,
            ]);
        }
    }
    LedgerTable { title, sheet, columns: columns(lang, &keys), rows, footer: footer(view, lang) }
}

/// 実績報告書: what each tariff came to, in the month and in the fiscal year so far. No patient stands in it.
fn report(view: &MonthView, sums: &[SumRow], lang: Lang) -> LedgerTable {
    let (title, sheet) = titled(view, lang, "report");
    let keys = ["funder", "program", "tariff", "lines", "amount_yen", "year_lines", "year_yen"];
    let mut cells: BTreeMap<(&Code, Option<&Code>), [i64; 4]> = BTreeMap::new();
    for sum in sums {
        let [lines, yen, year_lines, year_yen] =
            cells.entry((&sum.program, sum.tariff.as_ref())).or_default();
        *year_lines += sum.paid;
        *year_yen += sum.yen.0;
        if sum.month == view.month {
            *lines += sum.paid;
            *yen += sum.yen.0;
        }
    }
    let programs = view.tariffs.programs();
    let row =
        |((program, tariff), [lines, yen, year_lines, year_yen]): ((&Code, Option<&Code>), [i64; 4])| {
            let known = programs.get(program);
            vec![
                Cell::Text(known.map_or_else(String::new, |p| p.funder.clone())),
                Cell::Text(known.map_or_else(|| program.to_string(), |p| p.name.clone())),
                Cell::Text(tariff_of(&view.tariffs, tariff)),
                Cell::Count(lines),
                Cell::Yen(yen),
                Cell::Count(year_lines),
                Cell::Yen(year_yen),
            ]
        };
    let rows = cells.into_iter().map(row).collect();
    LedgerTable { title, sheet, columns: columns(lang, &keys), rows, footer: footer(view, lang) }
}

/// The day by which a quarter's sheet must be in.
fn due(last: Month, program: Option<&Program>) -> CivilDate {
    program.and_then(|p| p.claim.due(last)).unwrap_or_else(|| last.end().plus_days(DUE_DAY - 1))
}

/// 四半期報告: each programme in the three months of its quarter; a month that is not closed yet stays empty.
fn quarter(view: &MonthView, sums: &[SumRow], closed: &[Month], lang: Lang) -> LedgerTable {
    const KEYS: [(&str, &str); 3] =
        [("first_lines", "first_yen"), ("second_lines", "second_yen"), ("third_lines", "third_yen")];
    let (title, sheet) = titled(view, lang, "quarter");
    let (first, last) = Cycle::Quarter.of(view.month);
    let mut heads = columns(lang, &["funder", "program"]);
    for (n, (lines, yen)) in (0i64..).zip(KEYS) {
        let number = first.plus(n).parts().1.to_string();
        heads.push((lines, t_with(lang, "ledger-column-month-lines", &[("n", &number)])));
        heads.push((yen, t_with(lang, "ledger-column-month-yen", &[("n", &number)])));
    }
    heads.extend(columns(lang, &["lines", "amount_yen", "due"]));
    let mut programs: BTreeMap<&Code, BTreeMap<Month, (i64, i64)>> = BTreeMap::new();
    for sum in sums.iter().filter(|s| (first..=last).contains(&s.month)) {
        let cell = programs.entry(&sum.program).or_default().entry(sum.month).or_default();
        cell.0 += sum.paid;
        cell.1 += sum.yen.0;
    }
    let row = |(code, months): (&Code, BTreeMap<Month, (i64, i64)>)| {
        let known = view.tariffs.programs().get(code);
        let mut row = vec![
            Cell::Text(known.map_or_else(String::new, |p| p.funder.clone())),
            Cell::Text(known.map_or_else(|| code.to_string(), |p| p.name.clone())),
        ];
        for n in 0..3 {
            let month = first.plus(n);
            let (lines, yen) = months.get(&month).copied().unwrap_or_default();
            let there = closed.contains(&month);
            row.push(if there { Cell::Count(lines) } else { Cell::Nothing });
            row.push(if there { Cell::Yen(yen) } else { Cell::Nothing });
        }
        row.push(Cell::Count(months.values().map(|m| m.0).sum()));
        row.push(Cell::Yen(months.values().map(|m| m.1).sum()));
        row.push(Cell::Day(due(last, known)));
        row
    };
    let rows = programs.into_iter().map(row).collect();
    LedgerTable { title, sheet, columns: heads, rows, footer: footer(view, lang) }
}

/// 収支決算書: of each claim what came in and what went out; both sides add up to the same.
fn balance(view: &MonthView, claims: &[ClaimView], names: &LedgerNames, lang: Lang) -> LedgerTable {
    let (title, sheet) = titled(view, lang, "balance");
    let keys =
        ["funder", "program", "first_month", "last_month", "institution", "section", "item", "amount_yen"];
    let mut rows = Vec::new();
    for view in claims {
        let Some(claim) = view.claim else { continue };
        // Without books what is paid out is what the lines come to.
        let (cost, other) = claim.books.map_or((view.standard.0, 0), |b| (b.total_cost.0, b.other_income.0));
        let own = cost - claim.amount.0 - other;
        let sides = [
            ("income", "subsidy", claim.amount.0),
            ("income", "other_income", other),
            ("income", "own", own),
            ("income", "sum", claim.amount.0 + other + own),
            ("outlay", "cost", cost),
            ("outlay", "sum", cost),
        ];
        for (section, item, yen) in sides {
            rows.push(vec![
                Cell::Text(view.funder.clone()),
                Cell::Text(view.name.clone()),
                Cell::Text(view.first.to_string()),
                Cell::Text(view.last.to_string()),
                view.party.as_ref().map_or(Cell::Nothing, |id| Cell::Text(names.institution(id))),
                Cell::Text(t(lang, &format!("ledger-balance-{section}"))),
                Cell::Text(t(lang, &format!("ledger-balance-{section}-{item}"))),
                Cell::Yen(yen),
            ]);
        }
    }
    LedgerTable { title, sheet, columns: columns(lang, &keys), rows, footer: footer(view, lang) }
}

/// A claim with the lines of its letter (請求書).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub claim: ClaimView,
    /// The claimant: nobody where it is the association.
    pub institution: Option<String>,
    pub items: Vec<ClaimItem>,
}

impl App {
    async fn sums_until(&self, association: &AssociationId, month: Month) -> Result<Vec<SumRow>, AppError> {
        let mut conn = self.db.read().await?;
        let april = Month::april(month.fiscal_year());
        Ok(sealed_sums(&mut conn, association, april, month).await?)
    }

    /// The letters of a closed month; none for an open one.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_letters(
        &self,
        association: &AssociationId,
        view: &MonthView,
        lang: Lang,
    ) -> Result<Vec<Letter>, AppError> {
        let claims = self.ledger_claims(association, view.month).await?.unwrap_or_default();
        let parties = claims.iter().filter_map(|c| c.party.as_ref());
        let names = self.ledger_institutions(association, &view.names, parties).await?;
        let sums = self.sums_until(association, view.month).await?;
        let letter = |claim: ClaimView| Letter {
            institution: claim.party.as_ref().map(|id| names.institution(id)),
            items: items(&claim, &sums, &view.tariffs, lang),
            claim,
        };
        Ok(claims.into_iter().map(letter).collect())
    }

    /// One of the papers for funders.
    pub(super) async fn ledger_paper_of(
        &self,
        association: &AssociationId,
        view: &MonthView,
        kind: &str,
        lang: Lang,
    ) -> Result<Option<LedgerTable>, AppError> {
        let claims = self.ledger_claims(association, view.month).await?.unwrap_or_default();
        let parties = claims.iter().filter_map(|c| c.party.as_ref());
        let names = self.ledger_institutions(association, &view.names, parties).await?;
        let sums = self.sums_until(association, view.month).await?;
        Ok(Some(match kind {
            "invoice" => invoice(view, &claims, &sums, &names, lang),
            "report" => report(view, &sums, lang),
            "balance" => balance(view, &claims, &names, lang),
            "quarter" => {
                let mut conn = self.db.read().await?;
                let (first, last) = Cycle::Quarter.of(view.month);
                // The whole quarter, also where a later month of it is closed.
                let sums = sealed_sums(&mut conn, association, first, last).await?;
                let closed: Vec<Month> = closes(&mut conn, association, MONTHS)
                    .await?
                    .into_iter()
                    .filter(|c| c.state == CloseState::Closed)
                    .map(|c| c.month)
                    .collect();
                quarter(view, &sums, &closed, lang)
            }
            _ => return Ok(None),
        }))
    }
}
