//! Lists taken out as files. A POST, because every taking out is noted.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::sheets::{MissingCharacters, SheetExport};
use super::super::views::{Choice, Choices, render};
use super::{SHEETS, kinds};
use crate::domain::calendar::civil_day;
use crate::domain::people::rights::Right;
use crate::domain::people::sheet::Kind;
use crate::export::sheet::{Unwritable, csv_shift_jis, csv_utf8, write_xlsx};
use crate::i18n::{Lang, t, t_with};

pub(in crate::web::ui) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const FORMATS: [&str; 3] = ["xlsx", "csv", "csv-sjis"];
/// Cells that a page names.
const SHOWN: usize = 100;

/// A file to be kept.
pub(in crate::web::ui) fn download(name: &str, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let named = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_DISPOSITION, named.unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    (headers, bytes).into_response()
}

/// The bytes of a workbook. What its writer refuses is a mistake of ours.
pub(in crate::web::ui) fn workbook(
    written: Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>,
) -> Result<Vec<u8>, Failure> {
    written.map_err(|error| {
        tracing::error!(error = &*error as &dyn std::error::Error, "A sheet could not be written");
        Failure::broken()
    })
}

fn formats(lang: Lang, chosen: &str) -> Choices {
    let option = |code: &str| Choice {
        value: code.to_owned(),
        label: t(lang, &format!("export-format-{code}")),
        note: None,
        chosen: chosen == code,
    };
    Choices { options: FORMATS.into_iter().map(option).collect(), problem: None }
}

fn page(
    caller: &Caller,
    kinds: Choices,
    formats: Choices,
    missing: Vec<MissingCharacters>,
    more: usize,
) -> Response {
    let chosen = |choices: &Choices| {
        choices.options.iter().find(|o| o.chosen).map(|o| o.value.clone()).unwrap_or_default()
    };
    let view = SheetExport {
        shell: caller.shell_at(SHEETS, "/sheets/export"),
        kind: chosen(&kinds),
        kinds,
        formats,
        missing,
        more: u32::try_from(more).unwrap_or(u32::MAX),
    };
    caller.page(render(&view), false)
}

/// `GET /sheets/export`
pub(super) async fn form(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    caller.fresh(Right::Sheets)?;
    let lang = caller.lang;
    Ok(page(&caller, kinds(lang, Some(Kind::Members), false), formats(lang, "xlsx"), Vec::new(), 0))
}

/// The cells that a page names, and how many more there are.
pub(in crate::web::ui) fn missing_cells(
    lang: Lang,
    unwritable: &[Unwritable],
) -> (Vec<MissingCharacters>, u32) {
    let more = unwritable.len().saturating_sub(SHOWN);
    (missing(lang, unwritable), u32::try_from(more).unwrap_or(u32::MAX))
}

fn missing(lang: Lang, unwritable: &[Unwritable]) -> Vec<MissingCharacters> {
    let shown = unwritable.iter().take(SHOWN).map(|cell| MissingCharacters {
        row: t_with(lang, "run-row-n", &[("n", &cell.row.to_string())]),
        column: cell.column.clone(),
        text: cell.text.clone(),
        characters: cell.characters.clone(),
    });
    shown.collect()
}

/// `POST /sheets/export`: `kind`, `format`; `replace`: write 〓 for what Shift_JIS does not have.
pub(super) async fn take(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    caller.with_right(Right::Sheets)?;
    fields.check(&caller, SHEETS)?;
    let person = caller.fresh_with(Right::Sheets, &fields)?;
    let lang = caller.lang;
    let kind = Kind::from_code(fields.get("kind"));
    let format = FORMATS.into_iter().find(|code| *code == fields.get("format"));
    let (Some(kind), Some(format)) = (kind, format) else {
        let (mut kinds, mut formats) = (kinds(lang, kind, false), formats(lang, format.unwrap_or_default()));
        kinds.problem = kind.is_none().then(|| t(lang, "sheet-kind-missing"));
        formats.problem = format.is_none().then(|| t(lang, "export-format-missing"));
        return Ok(page(&caller, kinds, formats, Vec::new(), 0));
    };
    let who = person.who();
    let table = caller.web.app.sheet_export(&who, kind, lang).await?;
    let (content_type, ending, bytes) = match format {
        "csv" => ("text/csv; charset=utf-8", "csv", csv_utf8(&table)),
        "csv-sjis" => match csv_shift_jis(&table, fields.is_ticked("replace")) {
            Ok(bytes) => ("text/csv; charset=shift_jis", "csv", bytes),
            Err(unwritable) => {
                let more = unwritable.len().saturating_sub(SHOWN);
                let missing = missing(lang, &unwritable);
                return Ok(page(
                    &caller,
                    kinds(lang, Some(kind), false),
                    formats(lang, format),
                    missing,
                    more,
                ));
            }
        },
        _ => (XLSX, "xlsx", workbook(write_xlsx(&table))?),
    };
    caller.web.app.sheet_exported(&who, kind, format, table.rows.len()).await?;
    let day = civil_day(caller.now, caller.zone());
    let name = format!("{}-{:04}{:02}{:02}.{ending}", kind.code(), day.year(), day.month(), day.day());
    Ok(download(&name, content_type, bytes))
}
