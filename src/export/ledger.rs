//! Tables of the ledger as files: XLSX with real numbers and days, CSV in UTF-8 and Shift_JIS, JSON. What stands
//! in them comes from `app`.

use encoding_rs::SHIFT_JIS;
use rust_xlsxwriter::{Format, FormatBorder, Workbook};
use serde_json::{Map, Value};

use super::sheet::{ERA_FORMAT, Unwritable, guarded, kin, serial, writable};
use crate::domain::ledger::{Cell, LedgerTable};

/// Only what people typed can be a formula; a number below nought is a number.
fn safe(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => guarded(text),
        other => other.text(),
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Text(_) | Cell::Day(_) | Cell::Era(_) => Value::from(cell.text()),
        Cell::Yen(n) | Cell::Count(n) => Value::from(*n),
        Cell::Nothing => Value::Null,
    }
}

fn csv_text(table: &LedgerTable) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory does not fail, and every record is as long as the header.
    let _ = writer.write_record(table.columns.iter().map(|(_, name)| guarded(name)));
    for row in &table.rows {
        let _ = writer.write_record(row.iter().map(safe));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// CSV in UTF-8 with the mark by which Excel knows it.
#[must_use]
pub fn csv_utf8(table: &LedgerTable) -> Vec<u8> {
    let mut bytes = b"\xEF\xBB\xBF".to_vec();
    bytes.extend_from_slice(csv_text(table).as_bytes());
    bytes
}

/// CSV in Shift_JIS (CP932). What it does not have stands as 〓 only when `replace` says so.
///
/// # Errors
/// Every cell with characters that Shift_JIS does not have.
pub fn csv_shift_jis(table: &LedgerTable, replace: bool) -> Result<Vec<u8>, Vec<Unwritable>> {
    let mut missing = Vec::new();
    for (n, row) in table.rows.iter().enumerate() {
        for (cell, (_, column)) in row.iter().zip(&table.columns) {
            let text = cell.text();
            let mut characters: Vec<char> = text.chars().map(kin).filter(|c| !writable(*c)).collect();
            characters.dedup();
            if !characters.is_empty() {
                let (column, characters) = (column.clone(), characters.into_iter().collect());
                missing.push(Unwritable { row: n + 1, column, text, characters });
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

/// One JSON document: title, seal, and the rows as objects.
#[must_use]
pub fn json(table: &LedgerTable) -> Vec<u8> {
    let row = |row: &Vec<Cell>| {
        let cells = row.iter().zip(&table.columns).map(|(cell, (key, _))| ((*key).to_owned(), value(cell)));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    let document = serde_json::json!({
        "title": table.title, "footer": table.footer, "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
    });
    let mut bytes = document.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// A workbook with real numbers and days, one page wide on A4.
///
/// # Errors
/// What the writer refuses: it would be a mistake of ours.
pub fn xlsx(table: &LedgerTable) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    const HEADER: u32 = 2;
    let base = || Format::new().set_border(FormatBorder::Thin);
    let (text, yen) =
        (base().set_text_wrap().set_num_format("@"), base().set_num_format("#,##0;[Red]-#,##0"));
    let (count, day) = (base().set_num_format("#,##0"), base().set_num_format("yyyy-mm-dd"));
    let (era, head) = (base().set_num_format(ERA_FORMAT), base().set_bold().set_text_wrap());
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name(&table.sheet)?;
    sheet.write_string_with_format(0, 0, &table.title, &Format::new().set_bold().set_font_size(14))?;
    for (at, (_, name)) in (0u16..).zip(&table.columns) {
        sheet.write_string_with_format(HEADER, at, name, &head)?;
        let longest = table.rows.iter().filter_map(|row| row.get(usize::from(at))).map(|c| width(&c.text()));
        let widest = longest.fold(width(name), u32::max);
        sheet.set_column_width(at, f64::from(widest.clamp(6, 40) + 2))?;
    }
    let mut line = HEADER;
    for row in &table.rows {
        line += 1;
        for (at, cell) in (0u16..).zip(row) {
            #[expect(
                clippy::cast_precision_loss,
                reason = "yen of a district stay below 2^53, where f64 is exact"
            )]
            match cell {
                Cell::Text(words) => sheet.write_string_with_format(line, at, words, &text)?,
                Cell::Yen(n) => sheet.write_number_with_format(line, at, *n as f64, &yen)?,
                Cell::Count(n) => sheet.write_number_with_format(line, at, *n as f64, &count)?,
                Cell::Day(date) | Cell::Era(date) => {
                    let format = if matches!(cell, Cell::Day(_)) { &day } else { &era };
                    match serial(*date) {
                        Some(serial) => sheet.write_number_with_format(line, at, serial, format)?,
                        None => sheet.write_string_with_format(line, at, cell.text(), &text)?,
                    }
                }
                Cell::Nothing => sheet.write_blank(line, at, &text)?,
            };
        }
    }
    sheet.write_string(line + 2, 0, &table.footer)?;
    let right = u16::try_from(table.columns.len().saturating_sub(1)).unwrap_or(0);
    sheet.set_freeze_panes(HEADER + 1, 0)?;
    sheet.autofilter(HEADER, 0, line.max(HEADER), right)?;
    sheet.set_paper_size(9);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(HEADER, HEADER)?;
    sheet.set_footer(format!("&L{}&R&P / &N", table.footer.replace('&', "&&")));
    Ok(book.save_to_buffer()?)
}

fn width(text: &str) -> u32 {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::CivilDate;

    fn table() -> LedgerTable {
        let day = CivilDate::new(2026, 11, 20).unwrap();
        LedgerTable {
            title: "明細".into(),
            sheet: "明細".into(),
            columns: vec![
                ("name", "医療機関".into()),
                ("day", "日付".into()),
                ("era", "和暦".into()),
                ("yen", "金額".into()),
            ],
            rows: vec![
                vec![Cell::Text("=1+1〜髙𠮷".into()), Cell::Day(day), Cell::Era(day), Cell::Yen(-800)],
                vec![Cell::Nothing, Cell::Day(day), Cell::Era(day), Cell::Yen(1_234_567)],
            ],
            footer: "封印 abc".into(),
        }
    }

    #[test]
    fn a_csv_keeps_numbers_below_nought_and_guards_formulas() {
        let text = String::from_utf8(csv_utf8(&table())).unwrap();
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split("\r\n").collect();
        assert_eq!(lines[1], "'=1+1〜髙𠮷,2026-11-20,令和8年11月20日（金）,-800");
        assert_eq!(lines[2], ",2026-11-20,令和8年11月20日（金）,1234567");
    }

    #[test]
    fn what_shift_jis_does_not_have_is_told_and_not_lost() {
        let missing = csv_shift_jis(&table(), false).unwrap_err();
        assert_eq!((missing.len(), missing[0].row, missing[0].characters.as_str()), (1, 1, "𠮷"));
        let bytes = csv_shift_jis(&table(), true).unwrap();
        let (text, _, wrong) = SHIFT_JIS.decode(&bytes);
        assert!(!wrong && text.contains("=1+1～髙〓"), "{text}");
    }

    #[test]
    fn json_has_numbers_as_numbers() {
        let read: Value = serde_json::from_slice(&json(&table())).unwrap();
        assert_eq!((&read["rows"][0]["yen"], &read["rows"][1]["name"]), (&Value::from(-800), &Value::Null));
    }
}
