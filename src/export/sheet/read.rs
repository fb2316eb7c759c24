//! Which kind of file some bytes are, told by what stands in them and not by their name; and what is refused.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::people::sheet::Table;

/// How much a file may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub bytes: usize,
    pub rows: usize,
    pub columns: usize,
    /// Characters of one cell.
    pub cell: usize,
    /// Characters of all cells together.
    pub text: usize,
    /// Bytes of an XLSX when unpacked, and how many times larger than packed.
    pub unpacked: u64,
    pub ratio: u64,
    /// Files within an XLSX.
    pub parts: usize,
}

/// What is taken: a list of people of a large district is a tenth of it.
pub const LIMITS: Limits = Limits {
    bytes: 5 << 20,
    rows: 5_000,
    columns: 100,
    cell: 2_000,
    text: 4_000_000,
    unpacked: 100 << 20,
    ratio: 200,
    parts: 1_000,
};

/// Why a file is not read. The words are `sheet-file-CODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileRefused {
    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than 5 MB")]
    TooLarge,
    #[error("the sheet has more than 5,000 rows")]
    TooManyRows,
    #[error("the sheet has more than 100 columns")]
    TooManyColumns,
    #[error("a cell of row {0} has more than 2,000 characters")]
    CellTooLong(u32),
    #[error("the sheet has too much text")]
    TooMuchText,
    #[error("the file unpacks to far too much")]
    Bomb,
    #[error("an Excel workbook with macros")]
    Macros,
    #[error("an Excel file of the old kind (.xls)")]
    OldExcel,
    #[error("the file is protected with a password")]
    Locked,
    #[error("an OpenDocument file")]
    OpenDocument,
    #[error("a picture or a PDF")]
    Picture,
    #[error("neither Excel nor CSV")]
    Unknown,
    #[error("the file is damaged")]
    Damaged,
    #[error("the letters are neither UTF-8 nor Shift_JIS")]
    Encoding,
    #[error("there is no sheet of that name")]
    NoSuchSheet,
    #[error("no sheet has anything in it")]
    NoData,
    #[error("reading took too long")]
    TooSlow,
}

impl FileRefused {
    /// One of each, for the tests of the texts.
    pub const ALL: [Self; 18] = [
        Self::Empty,
        Self::TooLarge,
        Self::TooManyRows,
        Self::TooManyColumns,
        Self::CellTooLong(1),
        Self::TooMuchText,
        Self::Bomb,
        Self::Macros,
        Self::OldExcel,
        Self::Locked,
        Self::OpenDocument,
        Self::Picture,
        Self::Unknown,
        Self::Damaged,
        Self::Encoding,
        Self::NoSuchSheet,
        Self::NoData,
        Self::TooSlow,
    ];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::TooManyRows => "too_many_rows",
            Self::TooManyColumns => "too_many_columns",
            Self::CellTooLong(_) => "cell_too_long",
            Self::TooMuchText => "too_much_text",
            Self::Bomb => "bomb",
            Self::Macros => "macros",
            Self::OldExcel => "old_excel",
            Self::Locked => "locked",
            Self::OpenDocument => "open_document",
            Self::Picture => "picture",
            Self::Unknown => "unknown",
            Self::Damaged => "damaged",
            Self::Encoding => "encoding",
            Self::NoSuchSheet => "no_such_sheet",
            Self::NoData => "no_data",
            Self::TooSlow => "too_slow",
        }
    }

    /// The row it names, where it names one.
    #[must_use]
    pub const fn row(self) -> Option<u32> {
        match self {
            Self::CellTooLong(row) => Some(row),
            _ => None,
        }
    }
}

/// Rows on their way in, held to the limits; `stop` ends the reading.
pub(super) struct Intake<'a> {
    pub limits: &'a Limits,
    stop: &'a AtomicBool,
    text: usize,
}

impl<'a> Intake<'a> {
    pub const fn new(limits: &'a Limits, stop: &'a AtomicBool) -> Self {
        Self { limits, stop, text: 0 }
    }

    /// To be asked now and then.
    pub fn going(&self) -> Result<(), FileRefused> {
        if self.stop.load(Ordering::Relaxed) { Err(FileRefused::TooSlow) } else { Ok(()) }
    }

    /// A cell's text, counted.
    pub fn cell(&mut self, row: u32, text: &str) -> Result<String, FileRefused> {
        // Invisible marks and NUL have no place in a list and would only hide something.
        let text: String = unguarded(text)
            .chars()
            .filter(|c| !matches!(c, '\0' | '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'))
            .take(self.limits.cell + 1)
            .collect();
        let length = text.chars().count();
        if length > self.limits.cell {
            return Err(FileRefused::CellTooLong(row));
        }
        self.text += length;
        if self.text > self.limits.text { Err(FileRefused::TooMuchText) } else { Ok(text) }
    }
}

/// Reads a file into a table. `sheet`: the sheet to read; empty: the first with anything in it. Heavy: not to be
/// called where others wait. `stop` may be set from another thread.
///
/// # Errors
/// Why not.
pub fn read(bytes: &[u8], sheet: &str, limits: &Limits, stop: &AtomicBool) -> Result<Table, FileRefused> {
    if bytes.is_empty() {
        return Err(FileRefused::Empty);
    }
    if bytes.len() > limits.bytes {
        return Err(FileRefused::TooLarge);
    }
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    let intake = Intake::new(limits, stop);
    if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") || begins(b"PK\x07\x08") {
        return super::xlsx::read(bytes, sheet, intake);
    }
    // The compound file of old Excel; a protected new one is wrapped in it too.
    if begins(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
        let wide: Vec<u8> = "EncryptedPackage".bytes().flat_map(|b| [b, 0]).collect();
        let locked = bytes.windows(wide.len()).any(|w| w == wide);
        return Err(if locked { FileRefused::Locked } else { FileRefused::OldExcel });
    }
    let pictures: [&[u8]; 7] = [b"\x89PNG", b"\xFF\xD8\xFF", b"GIF8", b"%PDF", b"BM", b"II*\0", b"MM\0*"];
    let riff = begins(b"RIFF") || bytes.get(4..12).is_some_and(|b| b == b"ftypheic");
    if riff || pictures.iter().any(|mark| begins(mark) && (mark.len() > 2 || bytes.contains(&0))) {
        return Err(FileRefused::Picture);
    }
    super::csv::read(bytes, intake)
}

/// Without the mark that our own export puts before a sign a spreadsheet would calculate with; a CSV
/// of ours saved again as a workbook still has it.
fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if super::write::needs_guard(rest) => rest,
        _ => cell,
    }
}
