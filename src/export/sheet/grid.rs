//! Lists of the rota as XLSX and CSV: real days and moments, so that offices can sort and count them.

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};
use encoding_rs::SHIFT_JIS;
use rust_xlsxwriter::{Color, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, XlsxError};

use super::write::{ERA_FORMAT, Unwritable, guarded, kin, serial, width, writable};
use crate::domain::calendar::era_date;
use crate::domain::rota::grid::{Cell, Grid};

fn said(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Day(day) => day.to_string(),
        Cell::Moment(at) => at.format("%Y-%m-%d %H:%M").to_string(),
        Cell::Nothing => String::new(),
    }
}

/// Rows of texts, the heads first, each line ended by CRLF (RFC 4180).
fn csv_text(grid: &Grid) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory does not fail, and every record is as long as the head.
    let _ = writer.write_record(grid.columns.iter().map(|name| guarded(name)));
    for row in &grid.rows {
        let _ = writer.write_record(row.cells.iter().map(|cell| guarded(&said(cell))));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// CSV in UTF-8 with the mark by which Excel knows it.
#[must_use]
pub fn grid_csv_utf8(grid: &Grid) -> Vec<u8> {
    let mut bytes = b"\xEF\xBB\xBF".to_vec();
    bytes.extend_from_slice(csv_text(grid).as_bytes());
    bytes
}

/// CSV in Shift_JIS (CP932). What it does not have stands as 〓 only when `replace` says so.
///
/// # Errors
/// Every cell with characters that Shift_JIS does not have.
pub fn grid_csv_shift_jis(grid: &Grid, replace: bool) -> Result<Vec<u8>, Vec<Unwritable>> {
    let mut missing = Vec::new();
    for (n, row) in grid.rows.iter().enumerate() {
        for (cell, column) in row.cells.iter().zip(&grid.columns) {
            let text = said(cell);
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
    let text: String = csv_text(grid).chars().map(kin).map(|c| if writable(c) { c } else { '〓' }).collect();
    let (bytes, _, _) = SHIFT_JIS.encode(&text);
    Ok(bytes.into_owned())
}

struct Looks {
    text: [Format; 2],
    day: [Format; 2],
    moment: [Format; 2],
}

impl Looks {
    fn new() -> Self {
        let base = |shaded: bool| {
            let format = Format::new().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
            if shaded { format.set_background_color(Color::RGB(0x00FD_E9E9)) } else { format }
        };
        let both = |number: &str| [false, true].map(|shaded| base(shaded).set_num_format(number));
        // Text, so that nothing typed later turns into a day, and nothing is calculated.
        Self { text: both("@"), day: both(ERA_FORMAT), moment: both("m\"月\"d\"日\" h:mm") }
    }

    fn of(pair: &[Format; 2], shaded: bool) -> &Format {
        let [plain, coloured] = pair;
        if shaded { coloured } else { plain }
    }
}

fn moment(at: NaiveDateTime) -> Result<ExcelDateTime, XlsxError> {
    let year = u16::try_from(at.year()).unwrap_or(0);
    let (month, day) = (u8::try_from(at.month()).unwrap_or(1), u8::try_from(at.day()).unwrap_or(1));
    let (hour, minute) = (u16::try_from(at.hour()).unwrap_or(0), u8::try_from(at.minute()).unwrap_or(0));
    ExcelDateTime::from_ymd(year, month, day)?.and_hms(hour, minute, 0)
}

/// A workbook of one sheet: A4 upright, one page wide, the heads on each page.
///
/// # Errors
/// What the writer refuses: it would be a mistake of ours.
pub fn grid_xlsx(grid: &Grid) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    const HEAD: u32 = 2;
    let looks = Looks::new();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name(&grid.sheet)?;
    sheet.write_string_with_format(0, 0, &grid.title, &Format::new().set_bold().set_font_size(14))?;
    sheet.write_string(1, 0, &grid.subtitle)?;
    let head = Format::new()
        .set_border(FormatBorder::Thin)
        .set_bold()
        .set_background_color(Color::RGB(0x00D9_E6FF))
        .set_align(FormatAlign::Center);
    for (at, name) in (0u16..).zip(&grid.columns) {
        sheet.write_string_with_format(HEAD, at, name, &head)?;
    }
    let mut widths: Vec<f64> = grid.columns.iter().map(|name| width(name)).collect();
    let mut line = HEAD;
    for row in &grid.rows {
        line += 1;
        for ((at, cell), wide) in (0u16..).zip(&row.cells).zip(&mut widths) {
            let text = Looks::of(&looks.text, row.shaded);
            let shown = match cell {
                Cell::Day(day) => era_date(*day),
                Cell::Moment(_) => "12月31日 23:59".to_owned(),
                cell => said(cell),
            };
            *wide = wide.max(width(&shown));
            match cell {
                Cell::Text(said) => sheet.write_string_with_format(line, at, said, text)?,
                Cell::Nothing => sheet.write_blank(line, at, text)?,
                Cell::Day(day) => match serial(*day) {
                    Some(serial) => {
                        let format = Looks::of(&looks.day, row.shaded);
                        sheet.write_number_with_format(line, at, serial, format)?
                    }
                    None => sheet.write_string_with_format(line, at, shown, text)?,
                },
                Cell::Moment(at_) => {
                    let format = Looks::of(&looks.moment, row.shaded);
                    sheet.write_datetime_with_format(line, at, moment(*at_)?, format)?
                }
            };
        }
    }
    for (at, wide) in (0u16..).zip(widths) {
        sheet.set_column_width(at, (wide + 2.0).clamp(5.0, 40.0))?;
    }
    let right = u16::try_from(grid.columns.len().saturating_sub(1)).unwrap_or(0);
    sheet.set_freeze_panes(HEAD + 1, 0)?;
    sheet.autofilter(HEAD, 0, line.max(HEAD), right)?;
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(HEAD, HEAD)?;
    sheet.set_footer("&C&P / &N");
    Ok(book.save_to_buffer()?)
}
