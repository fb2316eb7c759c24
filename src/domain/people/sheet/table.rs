//! A table of texts, as it came out of a file and as it goes into one.

use serde::{Deserialize, Serialize};

use super::{Column, unsaid};
use crate::domain::calendar::CivilDate;

/// A row with its number in the file, counted from 1 as spreadsheets show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRow {
    pub number: u32,
    pub cells: Vec<String>,
}

impl TableRow {
    /// The text of a cell; nothing where the row is shorter.
    #[must_use]
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// How many cells say something.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.cells.iter().filter(|c| !c.trim().is_empty()).count()
    }

    /// The first cell that says something.
    #[must_use]
    pub fn first(&self) -> &str {
        self.cells.iter().map(|c| c.trim()).find(|c| !c.is_empty()).unwrap_or("")
    }
}

/// Cells that were joined into one: rows by their number in the file, columns counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merged {
    pub top: u32,
    pub bottom: u32,
    pub left: u32,
    pub right: u32,
}

/// A sheet as texts. Rows without any text are left out.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub rows: Vec<TableRow>,
    pub merged: Vec<Merged>,
    /// Cells whose text is the remembered result of a formula. No formula is ever worked out.
    pub formulas: u32,
    /// The sheet that was read, and the other sheets of the file.
    pub sheet: String,
    pub other_sheets: Vec<String>,
    /// How the bytes were understood: `xlsx`, `utf-8`, `shift_jis`.
    pub encoding: String,
}

unsaid!(TableRow, Table, OutTable);

/// One cell to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutCell {
    Text(String),
    Day(CivilDate),
    Number(i64),
    Nothing,
}

/// A table to be written into a file.
#[derive(Clone, PartialEq, Eq)]
pub struct OutTable {
    /// Above the table: what it is, of whom, of when.
    pub title: String,
    /// The name of the sheet.
    pub sheet: String,
    pub columns: Vec<(Column, String)>,
    pub rows: Vec<Vec<OutCell>>,
    /// Rows of an example sheet, as texts; none: no such sheet.
    pub example: Vec<Vec<String>>,
    /// The name of the example sheet and what stands above it.
    pub example_sheet: String,
    pub example_title: String,
}
