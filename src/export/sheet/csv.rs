//! CSV as spreadsheets and address books write it: UTF-8 or Shift_JIS, commas, tabs or semicolons.

use encoding_rs::SHIFT_JIS;

use super::read::{FileRefused, Intake};
use crate::domain::people::sheet::{Table, TableRow};

/// The text, and how it was encoded: a byte order mark, strict UTF-8, else Shift_JIS (CP932).
fn decode(bytes: &[u8]) -> Result<(String, &'static str), FileRefused> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return std::str::from_utf8(rest).map(|t| (t.to_owned(), "utf-8")).map_err(|_| FileRefused::Encoding);
    }
    // UTF-16 has half its bytes empty in every list with digits and commas.
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(FileRefused::Encoding);
    }
    if bytes.contains(&0) {
        return Err(FileRefused::Unknown);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.to_owned(), "utf-8"));
    }
    let text =
        SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes).ok_or(FileRefused::Encoding)?;
    if looks_wrong(&text) { Err(FileRefused::Encoding) } else { Ok((text.into_owned(), "shift_jis")) }
}

/// EUC-JP and ISO-8859-1 decode as Shift_JIS into rows of half-width kana and characters of the private area:
/// nobody's list is made of those alone.
fn looks_wrong(text: &str) -> bool {
    let (mut narrow, mut wide, mut odd) = (0usize, 0usize, 0usize);
    for c in text.chars() {
        match c {
            '\u{FF61}'..='\u{FF9F}' => narrow += 1,
            '\u{E000}'..='\u{F8FF}' | '\u{80}'..='\u{9F}' => odd += 1,
            '\u{3040}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => wide += 1,
            _ => {}
        }
    }
    let control = text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')).count();
    odd > 0 || control > 0 || narrow > 2 * wide.max(4)
}

/// The sign between cells: the one that stands most evenly outside of quotes in the first lines.
fn separator(text: &str) -> u8 {
    let score = |sign: char| {
        let (mut quoted, mut lines, mut counts, mut now) = (false, 0usize, 0usize, 0usize);
        for c in text.chars().take(20_000) {
            match c {
                '"' => quoted = !quoted,
                '\n' if !quoted => {
                    counts += now.min(30);
                    lines += usize::from(now > 0);
                    now = 0;
                }
                c if c == sign && !quoted => now += 1,
                _ => {}
            }
        }
        (lines + usize::from(now > 0), counts + now.min(30))
    };
    let best = [(',', b','), ('\t', b'\t'), (';', b';')].into_iter().max_by_key(|(sign, byte)| {
        // Of equals the comma: max_by_key keeps the last, so it gets one more.
        (score(*sign), u8::from(*byte == b','))
    });
    best.map_or(b',', |(_, byte)| byte)
}

pub(super) fn read(bytes: &[u8], mut intake: Intake<'_>) -> Result<Table, FileRefused> {
    let (text, encoding) = decode(bytes)?;
    // One kind of line end, so that lines can be counted.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(&text))
        .from_reader(text.as_bytes());
    let mut table = Table { encoding: encoding.to_owned(), ..Table::default() };
    let mut record = csv::StringRecord::new();
    // A line break within a cell makes lines of the file differ from rows of the sheet; people see rows.
    let mut number = 0u32;
    loop {
        let before = reader.position().line();
        if !reader.read_record(&mut record).map_err(|_| FileRefused::Damaged)? {
            break;
        }
        intake.going()?;
        // The reader passes over empty lines; spreadsheets count them.
        let lines = reader.position().line().saturating_sub(before);
        let empty = lines.saturating_sub(inner_lines(&record) + 1);
        number = number.saturating_add(u32::try_from(empty).unwrap_or(u32::MAX)).saturating_add(1);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if table.rows.len() >= intake.limits.rows {
            return Err(FileRefused::TooManyRows);
        }
        let used = (0..record.len())
            .rev()
            .find(|at| record.get(*at).is_some_and(|cell| !cell.trim().is_empty()))
            .map_or(0, |at| at + 1);
        if used > intake.limits.columns {
            return Err(FileRefused::TooManyColumns);
        }
        let mut cells = Vec::with_capacity(used);
        for cell in record.iter().take(used) {
            cells.push(intake.cell(number, cell)?);
        }
        table.rows.push(TableRow { number, cells });
    }
    if table.rows.is_empty() {
        return Err(FileRefused::NoData);
    }
    Ok(table)
}

/// Line ends within the cells of a record.
fn inner_lines(record: &csv::StringRecord) -> u64 {
    u64::try_from(record.iter().map(|cell| cell.matches('\n').count()).sum::<usize>()).unwrap_or(0)
}
