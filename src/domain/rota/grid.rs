//! Lists of the rota with real days and moments in their cells. Writing them into files is `export`'s.

use chrono::NaiveDateTime;

use crate::domain::calendar::CivilDate;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A day; in CSV as `2026-10-14`, which every program reads.
    Day(CivilDate),
    /// A moment on the wall of the association; in CSV as `2026-10-14 18:00`.
    Moment(NaiveDateTime),
    /// Nothing.
    Nothing,
}

impl Cell {
    /// A text, or nothing where it is empty.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }
}

/// A row, and whether it stands out (a day off).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GridRow {
    /// The cells, as many as there are columns.
    pub cells: Vec<Cell>,
    /// On a coloured ground, in the workbook alone.
    pub shaded: bool,
}

/// A list to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// Above the list.
    pub title: String,
    /// Below the title: when it is due, which edition it is.
    pub subtitle: String,
    /// The name of the sheet.
    pub sheet: String,
    /// The heads of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<GridRow>,
}
