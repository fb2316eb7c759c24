//! XLSX: cells as texts, never worked out; joined cells; nothing that unpacks without end.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx};

use super::read::{FileRefused, Intake};
use crate::domain::calendar::CivilDate;
use crate::domain::people::sheet::{Merged, Table, TableRow};

/// Unpacks everything once into nothing and counts: what a file says of its own sizes may be untrue.
fn measure(bytes: &[u8], intake: &Intake<'_>) -> Result<(), FileRefused> {
    let damaged = |_| FileRefused::Damaged;
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > intake.limits.parts {
        return Err(FileRefused::Bomb);
    }
    let allowed = intake
        .limits
        .unpacked
        .min(intake.limits.ratio.saturating_mul(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).max(1 << 20));
    let mut total = 0u64;
    let mut workbook = false;
    let mut buffer = vec![0u8; 64 << 10];
    for at in 0..archive.len() {
        let mut part = match archive.by_index(at) {
            Ok(part) => part,
            Err(zip::result::ZipError::InvalidPassword) => return Err(FileRefused::Locked),
            Err(zip::result::ZipError::UnsupportedArchive(why)) if why.contains("assword") => {
                return Err(FileRefused::Locked);
            }
            Err(_) => return Err(FileRefused::Damaged),
        };
        if total.saturating_add(part.size()) > allowed {
            return Err(FileRefused::Bomb);
        }
        let name = part.name().map_err(|_| FileRefused::Damaged)?.to_lowercase();
        let (is_types, is_first) = (name == "[content_types].xml", name == "mimetype");
        workbook |= name.starts_with("xl/workbook");
        if name.ends_with("vbaproject.bin") {
            return Err(FileRefused::Macros);
        }
        let mut head = Vec::new();
        loop {
            intake.going()?;
            let read = part.read(&mut buffer).map_err(|_| FileRefused::Damaged)?;
            if read == 0 {
                break;
            }
            total = total.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if total > allowed {
                return Err(FileRefused::Bomb);
            }
            if (is_types || is_first) && head.len() < 1 << 20 {
                head.extend_from_slice(buffer.get(..read).unwrap_or_default());
            }
        }
        let says = |what: &str| String::from_utf8_lossy(&head).contains(what);
        if is_first && says("opendocument") {
            return Err(FileRefused::OpenDocument);
        }
        if is_types && says("macroEnabled") {
            return Err(FileRefused::Macros);
        }
    }
    if workbook { Ok(()) } else { Err(FileRefused::Unknown) }
}

/// A number as a person would type it: no exponent, no tail of a binary fraction.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.10}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// A day or a time that a spreadsheet keeps as a count of days: `2026-10-14`, `12:30`, or both.
fn moment(serial: f64, is_1904: bool) -> String {
    let whole = serial.floor();
    let minutes = ((serial - whole) * 1_440.0).round();
    let minutes = if (0.0..1_440.0).contains(&minutes) { minutes as i64 } else { 0 };
    let time = format!("{}:{:02}", minutes / 60, minutes % 60);
    if whole < 1.0 {
        return time;
    }
    let first = if is_1904 { CivilDate::new(1904, 1, 1) } else { CivilDate::new(1899, 12, 30) };
    // Days beyond any calendar are a number that was dressed as a day.
    let Some(day) = first.filter(|_| whole < 200_000.0).map(|d| d.plus_days(whole as i64)) else {
        return number(serial);
    };
    if minutes == 0 { day.to_string() } else { format!("{day} {time}") }
}

fn text_of(value: &DataRef<'_>, is_1904: bool) -> String {
    match value {
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(f) => number(*f),
        DataRef::Bool(yes) => if *yes { "○" } else { "×" }.to_owned(),
        DataRef::DateTime(at) if at.is_duration() => moment(at.as_f64().rem_euclid(1.0), is_1904),
        DataRef::DateTime(at) => moment(at.as_f64(), is_1904),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        // #N/A and #REF! say nothing about anybody.
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

pub(super) fn read(bytes: &[u8], wanted: &str, mut intake: Intake<'_>) -> Result<Table, FileRefused> {
    measure(bytes, &intake)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| match e {
        calamine::XlsxError::Password => FileRefused::Locked,
        _ => FileRefused::Damaged,
    })?;
    let sheets: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|s| s.typ == SheetType::WorkSheet && s.visible == SheetVisible::Visible)
        .map(|s| s.name.clone())
        .collect();
    let chosen: Vec<&String> =
        sheets.iter().filter(|name| wanted.is_empty() || name.trim() == wanted.trim()).collect();
    if chosen.is_empty() {
        return Err(if wanted.is_empty() { FileRefused::NoData } else { FileRefused::NoSuchSheet });
    }
    for name in chosen {
        let mut table = one_sheet(&mut book, name, &mut intake)?;
        if !table.rows.is_empty() {
            table.other_sheets = sheets.iter().filter(|other| *other != name).take(20).cloned().collect();
            return Ok(table);
        }
    }
    Err(FileRefused::NoData)
}

fn one_sheet(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    intake: &mut Intake<'_>,
) -> Result<Table, FileRefused> {
    let damaged = |_| FileRefused::Damaged;
    let is_1904 = book.has_1904_epoch();
    let mut table = Table { sheet: name.to_owned(), encoding: "xlsx".to_owned(), ..Table::default() };
    // Cell by cell: a sheet with two cells far apart is not laid out in memory.
    let mut cells = book.worksheet_cells_reader(name).map_err(damaged)?;
    let mut count = 0usize;
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        count += 1;
        if count.is_multiple_of(1_024) {
            intake.going()?;
        }
        let (row, column) = cell.get_position();
        let text = text_of(cell.get_value(), is_1904);
        if text.trim().is_empty() {
            continue;
        }
        let number = row.saturating_add(1);
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= intake.limits.columns {
            return Err(FileRefused::TooManyColumns);
        }
        let text = intake.cell(number, &text)?;
        if table.rows.last().is_none_or(|last| last.number != number) {
            // A file may give its rows in any order; ours are in the order of the sheet.
            if table.rows.last().is_some_and(|last| last.number > number) {
                return Err(FileRefused::Damaged);
            }
            if table.rows.len() >= intake.limits.rows {
                return Err(FileRefused::TooManyRows);
            }
            table.rows.push(TableRow { number, cells: Vec::new() });
        }
        if let Some(row) = table.rows.last_mut() {
            if row.cells.len() <= column {
                row.cells.resize(column + 1, String::new());
            }
            if let Some(place) = row.cells.get_mut(column) {
                *place = text;
            }
        }
    }
    drop(cells);
    let mut formulas = book.worksheet_cells_reader(name).map_err(damaged)?;
    while let Some(formula) = formulas.next_formula().map_err(damaged)? {
        intake.going()?;
        table.formulas = table.formulas.saturating_add(u32::from(!formula.get_value().is_empty()));
    }
    drop(formulas);
    let merged = book.merge_cells_by_sheet_name(name).unwrap_or_default();
    table.merged = merged
        .iter()
        // Only the header's joined cells are looked at.
        .filter(|m| m.start.0 < 100 && m.end.0 < 200)
        .take(1_000)
        .map(|m| Merged {
            top: m.start.0.saturating_add(1),
            bottom: m.end.0.saturating_add(1),
            left: m.start.1,
            right: m.end.1,
        })
        .collect();
    Ok(table)
}
