//! Rotas and wish sheets as offices keep them: from a table of texts to duties and wishes, and for each cell that
//! cannot be read where it stands and why. Bytes become a table in `export`; what is read is written by `app`.

mod across;
mod dates;
mod duties;
mod matrix;
mod names;
mod wishes;

#[cfg(test)]
mod tests;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::model::{Area, Assignment, Holder};
use super::rules::Wish;
use super::slots::SlotBook;
use crate::domain::calendar::{Calendar, CivilDate};

pub use duties::read_duties;
pub use wishes::read_wishes;

/// What a sheet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A rota (当番表).
    Duties,
    /// Wishes for days (希望・不可日).
    Wishes,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Duties, Self::Wishes];

    /// The stable word of forms, commands and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Duties => "duties",
            Self::Wishes => "wishes",
        }
    }

    /// Reads [`Kind::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Somebody whom a sheet may name.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// For whom they hold duty.
    pub holder: Holder,
    /// Family and given name with a blank between them.
    pub name: String,
    /// Its reading, likewise.
    pub kana: String,
    /// The name of their institution.
    pub institution: String,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("holder", &self.holder).finish_non_exhaustive()
    }
}

/// Everything a sheet is read against.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Whom it may name.
    pub people: &'a [Known],
    /// Where the duties are.
    pub area: &'a Area,
    /// Which slots there are.
    pub book: &'a SlotBook,
    /// Which days are off.
    pub calendar: &'a Calendar,
    /// The association's zone.
    pub zone: Tz,
    /// The days for which it is read, first and last: what lies outside is named and not taken, and a month
    /// that the sheet does not name is theirs.
    pub days: (CivilDate, CivilDate),
    /// What △ and ○ weigh in a wish sheet.
    pub weights: Weights,
}

/// What wishes of a sheet weigh: paper knows no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// △: rather not.
    pub off: u32,
    /// ○: gladly.
    pub on: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { off: 3, on: 3 }
    }
}

/// Where a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Counted from 1, as spreadsheets show it.
    pub row: u32,
    /// Counted from 0.
    pub column: usize,
}

impl std::fmt::Display for Place {
    /// As spreadsheets name it, `C7`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mut letters, mut rest) = (Vec::new(), self.column);
        loop {
            letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
            if rest < 26 {
                break;
            }
            rest = rest / 26 - 1;
        }
        letters.reverse();
        write!(f, "{}{}", letters.into_iter().collect::<String>(), self.row)
    }
}

/// How a sheet is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One day below the other (一覧).
    Rows,
    /// Weeks below each other, weekdays beside each other (月表).
    Grid,
    /// People below each other, days beside each other (人ごと).
    Across,
    /// People below each other, their days listed in a cell.
    Lists,
}

impl Layout {
    /// The stable word; its name is `rota-sheet-layout-CODE`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Grid => "grid",
            Self::Across => "across",
            Self::Lists => "lists",
        }
    }
}

/// Why a cell cannot be read. The words are `rota-sheet-reason-CODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nobody here has this name.
    Nobody,
    /// Several people have it; they are named.
    Several,
    /// The person belongs to no institution, and duty is held for one.
    NoInstitution,
    /// More names than there are roles.
    TooManyNames,
    /// No day can be read in it.
    NotADay,
    /// The day is another weekday than the sheet says; which is named.
    OtherWeekday,
    /// No title, no sheet and no choice says which month it is.
    WhichMonth,
    /// The day lies outside of the days for which the sheet is read.
    OutsideTheDays,
    /// That day has no such slot.
    NoSlot,
    /// That role is not held in the slot.
    NoRole,
    /// The slot and role were said before in the sheet, with somebody else.
    SaidBefore,
    /// The mark means nothing here.
    NotAMark,
    /// A wish is for whole days; this is about a part of one.
    PartOfADay,
}

impl Reason {
    /// Every one.
    pub const ALL: [Self; 13] = [
        Self::Nobody,
        Self::Several,
        Self::NoInstitution,
        Self::TooManyNames,
        Self::NotADay,
        Self::OtherWeekday,
        Self::WhichMonth,
        Self::OutsideTheDays,
        Self::NoSlot,
        Self::NoRole,
        Self::SaidBefore,
        Self::NotAMark,
        Self::PartOfADay,
    ];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Several => "several",
            Self::NoInstitution => "no_institution",
            Self::TooManyNames => "too_many_names",
            Self::NotADay => "not_a_day",
            Self::OtherWeekday => "other_weekday",
            Self::WhichMonth => "which_month",
            Self::OutsideTheDays => "outside_the_days",
            Self::NoSlot => "no_slot",
            Self::NoRole => "no_role",
            Self::SaidBefore => "said_before",
            Self::NotAMark => "not_a_mark",
            Self::PartOfADay => "part_of_a_day",
        }
    }
}

/// A cell that cannot be read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Which cell.
    pub place: Place,
    /// What stands in it.
    pub value: String,
    /// Why not.
    pub reason: Reason,
    /// What the reason names: the people of that name, the right weekday; or empty.
    pub about: String,
}

/// What was made of a cell that does not say it in full, for the clerk to look at. The words are
/// `rota-sheet-note-CODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A part of a name that only one person has.
    ShortName,
    /// A name with an arrow to another: the other is taken.
    Replaced,
    /// One name for a day of several slots: it was taken for all of them.
    WholeDay,
    /// The year was not said.
    YearTaken,
    /// The column is not used.
    NotUsed,
}

impl NoteKind {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::ShortName, Self::Replaced, Self::WholeDay, Self::YearTaken, Self::NotUsed];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ShortName => "short_name",
            Self::Replaced => "replaced",
            Self::WholeDay => "whole_day",
            Self::YearTaken => "year_taken",
            Self::NotUsed => "not_used",
        }
    }
}

/// Something to look at; nothing that stands in the way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// Which cell.
    pub place: Place,
    /// What stands in it.
    pub value: String,
    /// What was made of it.
    pub kind: NoteKind,
    /// The person, the year, the number of slots.
    pub about: String,
}

/// A duty that a sheet names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadDuty {
    /// The duty.
    pub duty: Assignment,
    /// Where it stands.
    pub place: Place,
}

/// A wish that a sheet names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadWish {
    /// The wish, for one day or a run of days.
    pub wish: Wish,
    /// Where it, or its first day, stands.
    pub place: Place,
}

/// What was read.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// How the sheet is laid out; `None`: neither days nor people were found, nothing was read.
    pub layout: Option<Layout>,
    /// The first and the last day it speaks of.
    pub days: Option<(CivilDate, CivilDate)>,
    /// Of a rota.
    pub duties: Vec<ReadDuty>,
    /// Seats that the sheet leaves empty.
    pub empty: u32,
    /// Of a wish sheet: by person, by day.
    pub wishes: Vec<ReadWish>,
    /// People for whom the wish sheet has a row or a column, also when they wish nothing.
    pub answered: Vec<crate::ids::MemberId>,
    /// Cells that cannot be read, in the order of the sheet.
    pub problems: Vec<Problem>,
    /// What else is to be looked at, in the order of the sheet.
    pub notes: Vec<Note>,
}

/// Names of people stay out of logs.
macro_rules! unsaid {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
unsaid!(Problem, Note, Reading);

impl Reading {
    pub(super) fn wrong(&mut self, place: Place, value: &str, reason: Reason, about: impl Into<String>) {
        let value = value.trim().to_owned();
        self.problems.push(Problem { place, value, reason, about: about.into() });
    }

    pub(super) fn note(&mut self, place: Place, value: &str, kind: NoteKind, about: impl Into<String>) {
        self.notes.push(Note { place, value: value.trim().to_owned(), kind, about: about.into() });
    }

    /// Puts everything in the order of the sheet, each once.
    fn ordered(mut self) -> Self {
        self.problems.sort();
        self.problems.dedup();
        self.notes.sort();
        self.notes.dedup();
        self.duties.sort_by_key(|d| (d.duty.window, d.duty.role, d.place));
        self.answered.sort();
        self.answered.dedup();
        self
    }
}
