//! A civil month of the ledger and the fiscal year it lies in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::calendar::CivilDate;

/// A civil month, `2026-05`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i32,
    month: u32,
}

/// The text is not a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a month as 2026-05")]
pub struct NotAMonth;

impl Month {
    /// The month of a day.
    #[must_use]
    pub fn of(day: CivilDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> CivilDate {
        CivilDate::new(self.year, self.month, 1).expect("a month was read or made from a day")
    }

    /// The first day of the month after it.
    #[must_use]
    pub fn end(self) -> CivilDate {
        self.plus(1).first()
    }

    /// So many months later; earlier when negative.
    #[must_use]
    pub fn plus(self, months: i64) -> Self {
        let count = i64::from(self.year) * 12 + i64::from(self.month) - 1 + months;
        let year = i32::try_from(count.div_euclid(12)).unwrap_or(self.year);
        Self { year, month: u32::try_from(count.rem_euclid(12)).unwrap_or(0) + 1 }
    }

    /// How many months after the first of its fiscal year: nought for April.
    #[must_use]
    pub const fn in_fiscal_year(self) -> u32 {
        (self.month + 8) % 12
    }

    /// The fiscal year (年度) it lies in, named by the year of its April.
    #[must_use]
    pub const fn fiscal_year(self) -> i32 {
        if self.month >= 4 { self.year } else { self.year - 1 }
    }

    /// April of a fiscal year.
    #[must_use]
    pub const fn april(fiscal_year: i32) -> Self {
        Self { year: fiscal_year, month: 4 }
    }

    /// The western year and the number of the month.
    #[must_use]
    pub const fn parts(self) -> (i32, u32) {
        (self.year, self.month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(NotAMonth);
        }
        let (year, month) = (year.parse().map_err(|_| NotAMonth)?, month.parse().map_err(|_| NotAMonth)?);
        // The years that the calendar knows to be months of an office.
        let known = (1900..=2200).contains(&year) && (1..=12).contains(&month);
        if known { Ok(Self { year, month }) } else { Err(NotAMonth) }
    }
}

impl TryFrom<String> for Month {
    type Error = NotAMonth;

    fn try_from(text: String) -> Result<Self, NotAMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_lie_in_fiscal_years_that_begin_in_april() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        assert_eq!(month("2027-03").fiscal_year(), 2026);
        assert_eq!(month("2027-04").fiscal_year(), 2027);
        assert_eq!((month("2026-04").in_fiscal_year(), month("2027-03").in_fiscal_year()), (0, 11));
        assert_eq!(month("2026-12").plus(1), month("2027-01"));
        assert_eq!(month("2026-01").plus(-1), month("2025-12"));
        assert_eq!(month("2028-02").end().to_string(), "2028-03-01");
        for wrong in ["", "2026", "2026-13", "2026-1", "26-11", "2026-11-01", "0000-01"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }
}
