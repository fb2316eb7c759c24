//! How somebody else than the law counts time bands: an association in its own calendar, a funder in a
//! programme. Every rule left out leaves the fact as it was.

use std::collections::BTreeMap;

use chrono::{Timelike, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::bands::{BandFacts, NightHours, PRECEDENCE, TimeBand};
use super::{CivilDate, HolidayRule, Listed, ListedDay, RUN_MAX, wall_clock};
use crate::time::Millis;

/// What a Saturday is (土曜の扱い).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saturday {
    /// A day like Monday to Friday, unless it is a holiday of itself.
    Weekday,
    /// A holiday.
    Holiday,
    /// A holiday from this minute after midnight on: 720 where the clinics close at noon.
    HolidayFrom(u16),
}

/// The days on which the night hours are night.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NightOn {
    /// Every day.
    EveryDay,
    /// Holidays and Saturdays only: what some cities pay evening duty for.
    HolidaysAndSaturdays,
}

/// Days of every year from one to another, both included, over the new year when `to` comes first:
/// 12-29 to 01-03. Written as a pair of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(String, String)", into = "(String, String)")]
pub struct YearlyDays {
    from: (u32, u32),
    to: (u32, u32),
}

impl YearlyDays {
    /// `None` where one of the texts is no day of every year, `12-29`.
    #[must_use]
    pub fn new(from: &str, to: &str) -> Option<Self> {
        let yearly = |text: &str| match text.parse::<ListedDay>() {
            Ok(ListedDay::EveryYear { month, day }) => Some((month, day)),
            Ok(ListedDay::Once(_)) | Err(_) => None,
        };
        Some(Self { from: yearly(from)?, to: yearly(to)? })
    }

    /// Whether the day is one of them.
    #[must_use]
    pub fn contain(self, date: CivilDate) -> bool {
        let day = (date.month(), date.day());
        if self.from <= self.to {
            self.from <= day && day <= self.to
        } else {
            day >= self.from || day <= self.to
        }
    }
}

impl TryFrom<(String, String)> for YearlyDays {
    type Error = String;

    fn try_from((from, to): (String, String)) -> Result<Self, String> {
        Self::new(&from, &to).ok_or_else(|| format!("{from} to {to} are no days of every year"))
    }
}

impl From<YearlyDays> for (String, String) {
    fn from(days: YearlyDays) -> Self {
        let text = |(month, day)| format!("{month:02}-{day:02}");
        (text(days.from), text(days.to))
    }
}

/// Rules laid over plain facts. `BandRules::default()` changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandRules {
    /// What is a holiday before the listed days; `None`: what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holidays: Option<HolidayRule>,
    /// Extra and removed days; they outrank `holidays`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub listed: BTreeMap<ListedDay, Listed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturday: Option<Saturday>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night: Option<NightHours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night_on: Option<NightOn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deep_night: Option<NightHours>,
    /// Instead of 29 December to 3 January; an empty list: there is no year-end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_end: Option<Vec<YearlyDays>>,
    /// Which band gives the one word where several hold, the first one that does; then comes day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<TimeBand>>,
}

impl BandRules {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the rules make of the facts of an instant. `national` says which days are national holidays.
    #[must_use]
    pub fn facts(
        &self,
        before: BandFacts,
        at: Millis,
        zone: Tz,
        national: impl Fn(CivilDate) -> bool,
    ) -> BandFacts {
        let local = wall_clock(at, zone);
        let (date, minute) = (CivilDate::from(local.date()), local.hour() * 60 + local.minute());
        let holiday = self.holiday(before.holiday, date, minute, national);
        let night = self.night.map_or(before.night, |hours| hours.contain(minute));
        let night_today = match self.night_on {
            None | Some(NightOn::EveryDay) => true,
            Some(NightOn::HolidaysAndSaturdays) => holiday || date.weekday() == Weekday::Sat,
        };
        BandFacts {
            deep_night: self.deep_night.map_or(before.deep_night, |hours| hours.contain(minute)),
            night: night && night_today,
            holiday,
            year_end: match &self.year_end {
                Some(ranges) => ranges.iter().any(|days| days.contain(date)),
                None => before.year_end,
            },
        }
    }

    pub(super) fn holiday(
        &self,
        before: bool,
        date: CivilDate,
        minute: u32,
        national: impl Fn(CivilDate) -> bool,
    ) -> bool {
        match listed_in(&self.listed, date) {
            Some(Listed::Extra(_)) => return true,
            Some(Listed::Removed) => return false,
            None => {}
        }
        let by_rule = match self.holidays {
            None => before,
            Some(HolidayRule::National) => date.weekday() == Weekday::Sun || national(date),
            Some(HolidayRule::SundaysOnly) => date.weekday() == Weekday::Sun,
            Some(HolidayRule::ListedOnly) => false,
        };
        by_rule
            || date.weekday() == Weekday::Sat
                && match self.saturday {
                    None | Some(Saturday::Weekday) => false,
                    Some(Saturday::Holiday) => true,
                    Some(Saturday::HolidayFrom(from)) => minute >= u32::from(from),
                }
    }

    /// How many holidays in a row the day stands in by these rules alone; nought when it is none.
    #[must_use]
    pub fn run_of_holidays(&self, date: CivilDate, national: impl Fn(CivilDate) -> bool) -> u32 {
        let off = |date: CivilDate| self.holiday(false, date, 0, &national);
        if !off(date) {
            return 0;
        }
        let reach =
            |step: i64| (1..=RUN_MAX).take_while(|n| off(date.plus_days(step * i64::from(*n)))).count();
        1 + u32::try_from(reach(-1) + reach(1)).unwrap_or(RUN_MAX)
    }

    /// The one word for facts by these rules' order.
    #[must_use]
    pub fn band(&self, facts: BandFacts) -> TimeBand {
        facts.band_by(self.order.as_deref().unwrap_or(&PRECEDENCE))
    }
}

/// What a list says of a day: a single day outranks one of every year.
pub(super) fn listed_in(listed: &BTreeMap<ListedDay, Listed>, date: CivilDate) -> Option<&Listed> {
    listed.get(&ListedDay::Once(date)).or_else(|| listed.get(&ListedDay::every_year(date)))
}
