//! A person's wishes for a period on one sheet (希望調査票), as they or the clerk write them, and what follows
//! from it for the rules.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rules::{DutyPerson, Wish, Wished};
use crate::domain::calendar::CivilDate;
use crate::ids::MemberId;

/// The most days or stretches on one sheet.
pub const DAYS_MAX: usize = 400;
/// The most characters of a note.
pub const NOTE_MAX: usize = 400;
/// The heaviest wish.
pub const WEIGHT_MAX: u32 = 10;

/// How a sheet came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WishSource {
    /// From the person, behind the link of a mail or signed in.
    Person,
    /// Told by telephone and typed by the office.
    Phone,
    /// A sheet by fax, typed by the office.
    Fax,
    /// Read in from a file.
    Import,
}

impl WishSource {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Person, Self::Phone, Self::Fax, Self::Import];

    /// The stable word of the data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Phone => "phone",
            Self::Fax => "fax",
            Self::Import => "import",
        }
    }

    /// Reads [`WishSource::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.code() == code)
    }
}

/// A wish for some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WishedDays {
    /// From this day.
    pub first: CivilDate,
    /// Until this day, included.
    pub last: CivilDate,
    /// What.
    #[serde(flatten)]
    pub wished: Wished,
}

/// Everything somebody wishes for a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WishSheet {
    /// Days they cannot, would rather not, would gladly.
    pub days: Vec<WishedDays>,
    /// Advice by phone only (電話対応のみ), in this period.
    pub phone_only: bool,
    /// Not between 22 and 6 o'clock, in this period.
    pub no_deep_night: bool,
    /// Turns a month at most, in this period.
    pub max_per_month: Option<u32>,
    /// People they must not be on together with.
    pub apart: BTreeSet<MemberId>,
    /// In their own words.
    pub note: String,
}

impl WishSheet {
    /// The days' wishes as the rules take them.
    pub fn wishes<'a>(&'a self, person: &'a MemberId) -> impl Iterator<Item = Wish> + 'a {
        self.days.iter().map(|d| Wish {
            person: person.clone(),
            first: d.first,
            last: d.last,
            wished: d.wished,
        })
    }

    /// Narrows what somebody can carry to what they say here; never widens it.
    pub fn narrow(&self, person: &mut DutyPerson) {
        person.profile.phone_only |= self.phone_only;
        person.profile.no_deep_night |= self.no_deep_night;
        let caps = [person.profile.max_per_month, self.max_per_month];
        person.profile.max_per_month = caps.into_iter().flatten().min();
    }

    /// What cannot be taken, by field, for a period from `first` to `last`.
    #[must_use]
    pub fn wrong(&self, first: CivilDate, last: CivilDate) -> Vec<(&'static str, SheetWrong)> {
        let mut wrong = Vec::new();
        if self.days.len() > DAYS_MAX {
            wrong.push(("days", SheetWrong::TooMany));
        }
        if self.days.iter().any(|d| d.last < d.first) {
            wrong.push(("days", SheetWrong::Reversed));
        }
        if self.days.iter().any(|d| d.first < first || last < d.last) {
            wrong.push(("days", SheetWrong::OutsideThePeriod));
        }
        let weight = |d: &WishedDays| match d.wished {
            Wished::Off { weight } | Wished::On { weight } => (1..=WEIGHT_MAX).contains(&weight),
            Wished::Unavailable => true,
        };
        if !self.days.iter().all(weight) {
            wrong.push(("days", SheetWrong::Weight));
        }
        if self.max_per_month.is_some_and(|most| most > 31) {
            wrong.push(("max_per_month", SheetWrong::TooMany));
        }
        if self.note.chars().count() > NOTE_MAX {
            wrong.push(("note", SheetWrong::TooMany));
        }
        wrong
    }
}

/// What is wrong with a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetWrong {
    /// More than fits.
    TooMany,
    /// The last day comes before the first.
    Reversed,
    /// A day that the collection does not ask about.
    OutsideThePeriod,
    /// A weight beyond 1 to [`WEIGHT_MAX`].
    Weight,
}
