//! Tables as XLSX and CSV for Excel as Japanese offices have it.

use encoding_rs::SHIFT_JIS;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::domain::calendar::{CivilDate, era_date};
use crate::domain::people::sheet::{OutCell, OutTable};

/// A character that Shift_JIS does not have, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// Counted from 1, without the header.
    pub row: usize,
    pub column: String,
    /// The whole text of the cell.
    pub text: String,
    pub characters: String,
}

/// Whether a spreadsheet would calculate with a text that begins like this (OWASP, CSV injection; the full-width
/// signs are taken for the narrow ones by Japanese Excel).
pub(super) fn needs_guard(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'])
}

pub(in crate::export) fn guarded(text: &str) -> String {
    if needs_guard(text) { format!("'{text}") } else { text.to_owned() }
}

fn cell_text(cell: &OutCell) -> String {
    match cell {
        OutCell::Text(text) => text.clone(),
        OutCell::Day(day) => era_date(*day),
        OutCell::Number(n) => n.to_string(),
        OutCell::Nothing => String::new(),
    }
}

/// Rows of texts, the header first; every line ends with CRLF (RFC 4180).
fn csv_text(table: &OutTable) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let header: Vec<String> = table.columns.iter().map(|(_, name)| guarded(name)).collect();
    // Writing into memory does not fail, and every record is as long as the header.
    let _ = writer.write_record(&header);
    for row in &table.rows {
        let _ = writer.write_record(row.iter().map(|cell| guarded(&cell_text(cell))));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// CSV in UTF-8 with the mark by which Excel knows it.
#[must_use]
pub fn csv_utf8(table: &OutTable) -> Vec<u8> {
    let mut bytes = b"\xEF\xBB\xBF".to_vec();
    bytes.extend_from_slice(csv_text(table).as_bytes());
    bytes
}

/// Characters that Shift_JIS has under another code.
pub(in crate::export) const fn kin(c: char) -> char {
    match c {
        '〜' => '～',
        '−' => '－',
        '—' => '―',
        '‖' => '∥',
        '\u{A0}' => ' ',
        c => c,
    }
}

pub(in crate::export) fn writable(c: char) -> bool {
    let mut buffer = [0u8; 4];
    let (_, _, failed) = SHIFT_JIS.encode(c.encode_utf8(&mut buffer));
    // The encoder writes ¥ and ‾ as \ and ~, which is what Shift_JIS files have always done.
    !failed
}

/// CSV in Shift_JIS (CP932). What it does not have stands as 〓 only when `replace` says so.
///
/// # Errors
/// Every cell with characters that Shift_JIS does not have.
pub fn csv_shift_jis(table: &OutTable, replace: bool) -> Result<Vec<u8>, Vec<Unwritable>> {
    let mut missing = Vec::new();
    for (n, row) in table.rows.iter().enumerate() {
        for (cell, (_, column)) in row.iter().zip(&table.columns) {
            let text = cell_text(cell);
            let mut characters: Vec<char> = text.chars().map(kin).filter(|c| !writable(*c)).collect();
            characters.dedup();
            if !characters.is_empty() {
                let characters = characters.into_iter().collect();
                missing.push(Unwritable { row: n + 1, column: column.clone(), text, characters });
            }
        }
    }
    if !missing.is_empty() && !replace {
        return Err(missing);
    }
    let text: String = csv_text(table).chars().map(kin).map(|c| if writable(c) { c } else { '〓' }).collect();
    let (bytes, _, _) = SHIFT_JIS.encode(&text);
    Ok(bytes.into_owned())
}

/// 令和8年10月14日 in every Excel that knows Japanese eras.
pub(in crate::export) const ERA_FORMAT: &str = "[$-411]ggge\"年\"m\"月\"d\"日\"";

/// How wide a text is, in the widths of a digit.
pub(super) fn width(text: &str) -> f64 {
    let units: u32 = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    f64::from(units)
}

/// Excel's count of days; days before its calendar have none.
pub(in crate::export) fn serial(day: CivilDate) -> Option<f64> {
    let first = CivilDate::new(1899, 12, 30)?;
    let days = day.days_since(first);
    i32::try_from(days).ok().filter(|d| *d > 60).map(f64::from)
}

struct Looks {
    title: Format,
    header: Format,
    plain: Format,
    code: Format,
    day: Format,
}

impl Looks {
    fn new() -> Self {
        let base =
            || Format::new().set_border(FormatBorder::Thin).set_align(FormatAlign::Top).set_text_wrap();
        Self {
            title: Format::new().set_bold().set_font_size(14),
            header: base()
                .set_bold()
                .set_background_color(Color::RGB(0x00D9_E6FF))
                .set_align(FormatAlign::VerticalCenter),
            // Text, so that nothing typed later turns into a day or loses a 0, and nothing is calculated.
            plain: base().set_num_format("@"),
            code: base().set_num_format("@"),
            day: base().set_num_format(ERA_FORMAT),
        }
    }
}

fn header(sheet: &mut Worksheet, table: &OutTable, looks: &Looks, row: u32) -> Result<(), XlsxError> {
    for (at, (column, name)) in table.columns.iter().enumerate() {
        let Ok(at) = u16::try_from(at) else { continue };
        sheet.write_string_with_format(row, at, name, &looks.header)?;
        if column.is_code() {
            sheet.set_column_format(at, &Format::new().set_num_format("@"))?;
        }
    }
    Ok(())
}

fn widths(sheet: &mut Worksheet, table: &OutTable, rows: &[Vec<String>]) -> Result<(), XlsxError> {
    for (at, (_, name)) in table.columns.iter().enumerate() {
        let Ok(column) = u16::try_from(at) else { continue };
        let longest = rows
            .iter()
            .filter_map(|row| row.get(at))
            .map(|text| text.lines().map(width).fold(0.0, f64::max))
            .fold(width(name), f64::max);
        sheet.set_column_width(column, (longest + 2.0).clamp(6.0, 40.0))?;
    }
    Ok(())
}

/// What stands around the cells: frozen header, filter, one page wide on A4 with the header on each.
fn page(sheet: &mut Worksheet, table: &OutTable, header_row: u32, last: u32) -> Result<(), XlsxError> {
    let right = u16::try_from(table.columns.len().saturating_sub(1)).unwrap_or(0);
    sheet.set_freeze_panes(header_row + 1, 0)?;
    sheet.autofilter(header_row, 0, last.max(header_row), right)?;
    sheet.set_paper_size(9);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(header_row, header_row)?;
    sheet.set_footer("&C&P / &N");
    Ok(())
}

/// A workbook: the table, and the example sheet where there is one.
///
/// # Errors
/// What the writer refuses: it would be a mistake of ours.
pub fn xlsx(table: &OutTable) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    const HEADER_ROW: u32 = 2;
    let looks = Looks::new();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name(&table.sheet)?;
    sheet.write_string_with_format(0, 0, &table.title, &looks.title)?;
    header(sheet, table, &looks, HEADER_ROW)?;
    let mut line = HEADER_ROW;
    for row in &table.rows {
        line += 1;
        for (at, (cell, (column, _))) in row.iter().zip(&table.columns).enumerate() {
            let Ok(at) = u16::try_from(at) else { continue };
            let format = if column.is_code() { &looks.code } else { &looks.plain };
            match cell {
                OutCell::Text(text) => sheet.write_string_with_format(line, at, text, format)?,
                OutCell::Number(n) => sheet.write_string_with_format(line, at, n.to_string(), format)?,
                OutCell::Nothing => sheet.write_blank(line, at, format)?,
                OutCell::Day(day) => match serial(*day) {
                    Some(serial) => sheet.write_number_with_format(line, at, serial, &looks.day)?,
                    None => sheet.write_string_with_format(line, at, era_date(*day), format)?,
                },
            };
        }
    }
    let texts: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(cell_text).collect()).collect();
    widths(sheet, table, if texts.is_empty() { &table.example } else { &texts })?;
    page(sheet, table, HEADER_ROW, line)?;
    if !table.example.is_empty() {
        let sheet = book.add_worksheet();
        sheet.set_name(&table.example_sheet)?;
        sheet.write_string_with_format(0, 0, &table.example_title, &looks.title)?;
        header(sheet, table, &looks, HEADER_ROW)?;
        let mut line = HEADER_ROW;
        for row in &table.example {
            line += 1;
            for (at, text) in row.iter().enumerate() {
                let Ok(at) = u16::try_from(at) else { continue };
                sheet.write_string_with_format(line, at, text, &looks.plain)?;
            }
        }
        widths(sheet, table, &table.example)?;
        page(sheet, table, HEADER_ROW, line)?;
    }
    Ok(book.save_to_buffer()?)
}
