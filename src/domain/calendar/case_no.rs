//! Case numbers (受付番号): printed, spoken and typed, never proof of who somebody is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::FiscalYear;

/// A case number, `R8-0412`: the fiscal year's label and an association's counter in it, from 1, with at
/// least four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseNo {
    year: FiscalYear,
    counter: u32,
}

/// The text is not a case number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a case number of the form R8-0412")]
pub struct NotACaseNo;

impl CaseNo {
    /// `None` for the counter 0.
    #[must_use]
    pub fn new(year: FiscalYear, counter: u32) -> Option<Self> {
        (counter > 0).then_some(Self { year, counter })
    }

    /// The fiscal year in which the case began.
    #[must_use]
    pub const fn year(self) -> FiscalYear {
        self.year
    }

    /// The association's counter in that year, from 1.
    #[must_use]
    pub const fn counter(self) -> u32 {
        self.counter
    }
}

impl fmt::Display for CaseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:04}", self.year, self.counter)
    }
}

impl fmt::Debug for CaseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CaseNo {
    type Err = NotACaseNo;

    /// Reads a case number as people type it: full-width letters and digits, any of the dashes that a
    /// Japanese keyboard gives, spaces, small letters, and without the leading zeros.
    fn from_str(text: &str) -> Result<Self, NotACaseNo> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).map(narrow).collect();
        let (year, counter) = plain.split_once('-').ok_or(NotACaseNo)?;
        let all_digits = !counter.is_empty() && counter.bytes().all(|b| b.is_ascii_digit());
        let counter = if all_digits { counter.parse().map_err(|_| NotACaseNo)? } else { 0 };
        Self::new(year.parse().map_err(|_| NotACaseNo)?, counter).ok_or(NotACaseNo)
    }
}

/// The half-width form of a full-width character (U+FF01 to U+FF5E), a hyphen for every dash.
fn narrow(c: char) -> char {
    match c {
        '－' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | 'ー' | 'ｰ' => '-',
        '！'..='～' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
        other => other,
    }
}

impl TryFrom<String> for CaseNo {
    type Error = NotACaseNo;

    fn try_from(text: String) -> Result<Self, NotACaseNo> {
        text.parse()
    }
}

impl From<CaseNo> for String {
    fn from(no: CaseNo) -> Self {
        no.to_string()
    }
}
