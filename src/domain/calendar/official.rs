//! The Cabinet Office's list of national holidays (内閣府「国民の祝日」CSV): the gazette decides, the rule of
//! the law only foresees it. Reading the file's bytes is the caller's.

use std::collections::{BTreeMap, BTreeSet};

use super::{CivilDate, national_holiday, written_date};

/// The header's first words; the second column is the name.
const HEADER: &str = "国民の祝日・休日月日";
/// The most lines read: the list grows by some twenty a year.
const LINES_MAX: usize = 20_000;
/// Substitutes and days between two holidays have no name of their own in the list.
const NAMELESS: [&str; 2] = ["休日", "休日（祝日扱い）"];

/// A list of whole years.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfficialList {
    days: BTreeMap<CivilDate, String>,
}

/// Why the list was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTheList {
    /// The first line is not the header of the list.
    #[error(
        "the first line is not `{HEADER},国民の祝日・休日名称`: this is not the list of the Cabinet Office"
    )]
    Header,
    /// A line cannot be read. Counted from 1.
    #[error("line {line} is not a day and a name such as 2026/5/6,休日")]
    Line { line: usize },
    /// A day stands there twice.
    #[error("line {line}: {date} stands there twice")]
    Twice { line: usize, date: CivilDate },
    /// A year lacks New Year's Day or 23 November: the file was cut off, or a year is not complete.
    #[error("the year {year} is not whole: {missing} is missing; was the file cut off?")]
    NotWhole { year: i32, missing: CivilDate },
    /// No day at all, or far too many.
    #[error("the list has no days, or far too many")]
    Size,
}

/// Where the list and the rule of the law differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A holiday by the list, not by the rule.
    Added { date: CivilDate, name: String },
    /// A holiday by the rule, not by the list.
    Removed { date: CivilDate, name: &'static str },
    /// A holiday by both, under another name.
    Renamed { date: CivilDate, name: String, by_rule: &'static str },
}

impl OfficialList {
    /// Reads the text of the CSV.
    ///
    /// # Errors
    /// [`NotTheList`]; nothing of a list with a mistake is taken.
    pub fn parse(text: &str) -> Result<Self, NotTheList> {
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        if !lines.next().is_some_and(|line| line.trim().starts_with(HEADER)) {
            return Err(NotTheList::Header);
        }
        let mut days = BTreeMap::new();
        for (index, line) in lines.enumerate().take(LINES_MAX + 1) {
            let at = index + 2;
            if line.trim().is_empty() {
                continue;
            }
            let unquoted = line.replace('"', "");
            let (date, name) = unquoted.split_once(',').ok_or(NotTheList::Line { line: at })?;
            let date = written_date(date.trim()).map_err(|_| NotTheList::Line { line: at })?;
            let name = name.trim();
            if name.is_empty() || name.contains(',') || name.chars().count() > 40 {
                return Err(NotTheList::Line { line: at });
            }
            if days.insert(date, name.to_owned()).is_some() {
                return Err(NotTheList::Twice { line: at, date });
            }
        }
        if days.is_empty() || days.len() > LINES_MAX {
            return Err(NotTheList::Size);
        }
        let list = Self { days };
        for year in list.years() {
            for day in [CivilDate::new(year, 1, 1), CivilDate::new(year, 11, 23)].into_iter().flatten() {
                if !list.days.contains_key(&day) {
                    return Err(NotTheList::NotWhole { year, missing: day });
                }
            }
        }
        Ok(list)
    }

    /// A list that was stored.
    #[must_use]
    pub fn of(days: BTreeMap<CivilDate, String>) -> Self {
        Self { days }
    }

    /// Its days, under the names of the list.
    #[must_use]
    pub fn days(&self) -> &BTreeMap<CivilDate, String> {
        &self.days
    }

    /// The years it speaks of; in them the list alone says what is a national holiday.
    #[must_use]
    pub fn years(&self) -> BTreeSet<i32> {
        self.days.keys().map(|day| day.year()).collect()
    }

    /// The name of the holiday: the list's own, or the rule's for what the list calls only 休日.
    #[must_use]
    pub fn name(&self, date: CivilDate) -> Option<&str> {
        name_in(&self.days, date)
    }

    /// Where it differs from the rule of the law, in the years it speaks of.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        for year in self.years() {
            let Some(mut date) = CivilDate::new(year, 1, 1) else { continue };
            while date.year() == year {
                match (self.name(date), national_holiday(date)) {
                    (Some(name), None) => found.push(Difference::Added { date, name: name.to_owned() }),
                    (None, Some(name)) => found.push(Difference::Removed { date, name }),
                    (Some(name), Some(by_rule)) if !same(name, by_rule) => {
                        found.push(Difference::Renamed { date, name: name.to_owned(), by_rule });
                    }
                    _ => {}
                }
                date = date.plus_days(1);
            }
        }
        found
    }
}

/// See [`OfficialList::name`].
pub(super) fn name_in(days: &BTreeMap<CivilDate, String>, date: CivilDate) -> Option<&str> {
    let name = days.get(&date)?.as_str();
    if NAMELESS.contains(&name) { Some(national_holiday(date).unwrap_or("休日")) } else { Some(name) }
}

/// The list shortens the names of the days of single laws (結婚の儀, 大喪の礼), and says for 10 October 2020
/// how the day was called before.
fn same(list: &str, rule: &str) -> bool {
    rule.ends_with(list) || list.contains(rule)
}
