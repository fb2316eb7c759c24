//! The totals for the city, as a page and as a file. What may be shown is decided in `domain::totals`.

use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::AppError;
use crate::app::settings::totals::{OUTCOMES, YearTotals};
use crate::domain::calendar::{FiscalYear, civil_day};
use crate::domain::people::rights::Right;
use crate::domain::totals::Shown;
use crate::i18n::{Lang, t, t_with};
use crate::web::ui::caller::{Binding, Caller};
use crate::web::ui::failure::Failure;
use crate::web::ui::form::Fields;
use crate::web::ui::views::setup::{TotalsPage, TotalsRow, TotalsTable};
use crate::web::ui::views::{Field, render};

use super::words;

/// Fiscal years to choose from, the present one among them.
const YEARS: i32 = 5;

#[derive(Deserialize)]
pub(super) struct Year {
    year: Option<i32>,
}

fn year_name(year: FiscalYear, lang: Lang) -> String {
    match lang {
        Lang::Ja => year.long(),
        Lang::En => t_with(lang, "totals-year", &[("n", &year.first_year().to_string())]),
    }
}

/// A hidden number.
const HIDDEN: &str = "＊";

fn cell(count: Option<i64>) -> String {
    count.map_or_else(|| HIDDEN.to_owned(), |n| n.to_string())
}

/// The chosen year, or the present one.
fn chosen(caller: &Caller, asked: Option<i32>) -> Result<(FiscalYear, FiscalYear), Failure> {
    let present = FiscalYear::of(civil_day(caller.now, caller.zone()));
    let year = match asked {
        None => present,
        Some(year) => FiscalYear::beginning_in(year)
            .filter(|y| y.first_year() <= present.first_year())
            .filter(|y| y.first_year() > present.first_year() - YEARS)
            .ok_or(Failure::not_found())?,
    };
    Ok((year, present))
}

fn tables(caller: &Caller, found: &YearTotals) -> Vec<TotalsTable> {
    let lang = caller.lang;
    let word = |group: &str, code: &str| t(lang, &format!("word-{group}-{code}"));
    let mut columns: Vec<String> = OUTCOMES.iter().map(|o| t(lang, &format!("totals-{o}"))).collect();
    columns.push(t(lang, "totals-sum"));
    let mut sums: Vec<String> = found.totals.column_sums.iter().copied().map(cell).collect();
    sums.push(cell(found.totals.sum));
    let rows = |names: Vec<Vec<String>>, shown: &Shown| {
        names
            .into_iter()
            .zip(shown.rows.iter().zip(&shown.row_sums))
            .map(|(name, (cells, sum))| {
                let cells = cells.iter().chain([sum]).copied().map(cell).collect();
                TotalsRow { name, cells }
            })
            .collect()
    };
    let months = found
        .months
        .iter()
        .map(|(year, month, specialty)| vec![format!("{year:04}-{month:02}"), word("specialty", specialty)]);
    let kinds = found.kinds.iter().map(|kind| vec![word("institution", kind)]);
    vec![
        TotalsTable {
            caption: t(lang, "totals-by-month"),
            heads: vec![t(lang, "totals-month"), t(lang, "totals-specialty")],
            columns: columns.clone(),
            rows: rows(months.collect(), &found.totals.first),
            sums: sums.clone(),
        },
        TotalsTable {
            caption: t(lang, "totals-by-kind"),
            heads: vec![t(lang, "totals-kind")],
            columns,
            rows: rows(kinds.collect(), &found.totals.second),
            sums,
        },
    ]
}

/// `GET /totals`
pub(super) async fn show(caller: Caller, Query(asked): Query<Year>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Totals)?;
    let (year, present) = chosen(&caller, asked.year)?;
    let found = caller.web.app.totals(&person.association.id, year).await?;
    let years = (0..YEARS)
        .filter_map(|n| FiscalYear::beginning_in(present.first_year() - n))
        .map(|y| (format!("/totals?year={}", y.first_year()), year_name(y, caller.lang)))
        .collect();
    let view = TotalsPage {
        shell: caller.shell_at(Binding::Page("totals"), "/totals"),
        year: year_name(year, caller.lang),
        years,
        csv: format!("/totals.csv?year={}", year.first_year()),
        minimum: u32::try_from(found.minimum).unwrap_or(0),
        tables: tables(&caller, &found),
    };
    Ok(caller.page(render(&view), false))
}

/// A cell of a CSV file: quoted, and never a formula for the program that opens it.
fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// `GET /totals.csv`: UTF-8 with a mark, so that spreadsheets read it rightly.
pub(super) async fn csv(caller: Caller, Query(asked): Query<Year>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Totals)?;
    let (year, _) = chosen(&caller, asked.year)?;
    let found = caller.web.app.totals(&person.association.id, year).await?;
    let mut text = String::from("\u{feff}");
    let mut line = |cells: &mut dyn Iterator<Item = &String>| {
        let cells: Vec<String> = cells.map(|c| csv_cell(c)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    };
    for table in tables(&caller, &found) {
        line(&mut [table.caption].iter());
        line(&mut table.heads.iter().chain(&table.columns));
        for row in &table.rows {
            line(&mut row.name.iter().chain(&row.cells));
        }
        let sum = t(caller.lang, "totals-sum");
        let blank = String::new();
        let heads = std::iter::once(&sum).chain(std::iter::repeat_n(&blank, table.heads.len() - 1));
        line(&mut heads.chain(&table.sums));
        line(&mut std::iter::empty());
    }
    let name = format!("attachment; filename=\"totals-{}.csv\"", year.first_year());
    Ok((
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        text,
    )
        .into_response())
}

/// `POST /totals/minimum`
pub(super) async fn minimum(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    fields.check(&caller, Binding::Page("settings"))?;
    let typed = fields.text("minimum");
    let minimum = fields.number("minimum").unwrap_or(0);
    match caller.web.app.totals_minimum_set(&person.who(), minimum).await {
        Ok(()) => Ok(caller.go_and_say("/settings", "saved")),
        Err(AppError::Invalid(wrong)) => {
            let problem = wrong.first().map(|w| words(caller.lang, w));
            super::office::settings_page(&caller, Some(Field { value: typed, problem })).await
        }
        Err(e) => Err(e.into()),
    }
}
