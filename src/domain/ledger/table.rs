//! Tables of the ledger before they become files. Filling them is `app`'s, writing them `export`'s.

use crate::domain::calendar::{CivilDate, era_date};

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    /// Whole yen.
    Yen(i64),
    Count(i64),
    /// As data: 2026-11-20.
    Day(CivilDate),
    /// As on paper: 令和8年11月20日.
    Era(CivilDate),
    Nothing,
}

impl Cell {
    /// The cell as people and data read it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Yen(n) | Self::Count(n) => n.to_string(),
            Self::Day(day) => day.to_string(),
            Self::Era(day) => era_date(*day),
            Self::Nothing => String::new(),
        }
    }
}

/// A table of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerTable {
    /// Above the table, and the title of the sheet's first line.
    pub title: String,
    /// The name of the sheet.
    pub sheet: String,
    /// The key in JSON and the heading for people.
    pub columns: Vec<(&'static str, String)>,
    pub rows: Vec<Vec<Cell>>,
    /// Below the table and in the footer: who made it, the seal.
    pub footer: String,
}
