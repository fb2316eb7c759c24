//! Runs of days off (連休): a weekend, a bridge of holidays, the year-end. A run of a configured length is one
//! block: nobody needs rest inside it.

use chrono::Weekday;
use serde::{Deserialize, Serialize};

use super::slots::days;
use crate::domain::calendar::{Calendar, CivilDate};

/// When a run of days off is one duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockRule {
    /// The shortest run, in days, that is a block. 1: the day and the night of a single Sunday are one too.
    pub min_days: u32,
    /// One person holds each role throughout the block.
    pub same_people: bool,
}

/// A run of days off, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Run {
    /// Its first day.
    pub first: CivilDate,
    /// Its last day.
    pub last: CivilDate,
}

impl Run {
    /// Whether the day is one of the run.
    #[must_use]
    pub fn contains(self, day: CivilDate) -> bool {
        self.first <= day && day <= self.last
    }

    /// How many days.
    #[must_use]
    pub fn len_days(self) -> i64 {
        self.last.days_since(self.first) + 1
    }
}

/// A Saturday, a holiday of the calendar (Sundays included) or a day of the year-end.
#[must_use]
pub fn is_day_off(day: CivilDate, calendar: &Calendar) -> bool {
    day.weekday() == Weekday::Sat || calendar.is_holiday(day) || calendar.is_year_end(day)
}

/// The longest run a calendar may hold, so that a calendar that lists every day ends too.
const RUN_MAX_DAYS: i64 = 60;

/// The run of days off to which a day belongs; `None` on a working day. Cut at sixty days on either side.
#[must_use]
pub fn run_of(day: CivilDate, calendar: &Calendar) -> Option<Run> {
    if !is_day_off(day, calendar) {
        return None;
    }
    let off = |n: &i64| is_day_off(day.plus_days(*n), calendar);
    let before = (1..=RUN_MAX_DAYS).take_while(|n| off(&-n)).last().unwrap_or(0);
    let after = (1..=RUN_MAX_DAYS).take_while(off).last().unwrap_or(0);
    Some(Run { first: day.plus_days(-before), last: day.plus_days(after) })
}

impl BlockRule {
    /// The block to which a day belongs: its run, when that is long enough.
    #[must_use]
    pub fn block_of(self, day: CivilDate, calendar: &Calendar) -> Option<Run> {
        run_of(day, calendar).filter(|run| run.len_days() >= i64::from(self.min_days))
    }

    /// The blocks that have a day from `first` to `last`, in order; at their full length.
    #[must_use]
    pub fn blocks(self, first: CivilDate, last: CivilDate, calendar: &Calendar) -> Vec<Run> {
        let mut blocks: Vec<Run> = days(first, last).filter_map(|day| self.block_of(day, calendar)).collect();
        blocks.dedup();
        blocks
    }
}
