//! Civil days of a zone, and the association's calendar: which day is a holiday, which minute is night.
//! The zone is always an argument. The holiday law stands in `holidays`, bands in `bands`, years and
//! their names in `era`, case numbers in `case_no`.

mod bands;
mod case_no;
mod era;
mod holidays;
mod official;
mod rules;
mod rules_file;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

pub use bands::{BandFacts, NightHours, PRECEDENCE, TimeBand};
pub use case_no::{CaseNo, NotACaseNo};
pub use era::{
    FiscalYear, NotAFiscalYear, NotAWrittenDate, era_date, era_year, weekday_kanji, western_date,
    written_date,
};
pub use holidays::{NATIONAL_YEARS, national_holiday};
pub use official::{Difference, NotTheList, OfficialList};
pub use rules::{BandRules, NightOn, Saturday, YearlyDays};
pub use rules_file::{RULE_KEYS, RuleMistake};

use crate::time::{Millis, Window};

/// A civil day (暦日) without a zone: 20 November 2026. In data it is ISO text, `2026-11-20`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CivilDate(NaiveDate);

/// The text is not a civil day of the form `2026-11-20`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a day of the form 2026-11-20")]
pub struct NotADate {
    pub text: String,
}

impl CivilDate {
    /// `None` when there is no such day.
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// The western year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// 1 to 12.
    #[must_use]
    pub fn month(self) -> u32 {
        self.0.month()
    }

    /// 1 to 31.
    #[must_use]
    pub fn day(self) -> u32 {
        self.0.day()
    }

    /// The day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        self.0.weekday()
    }

    /// The day `days` later, or earlier when negative; stays put at the ends of the calendar.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let step = Days::new(days.unsigned_abs());
        let moved = if days < 0 { self.0.checked_sub_days(step) } else { self.0.checked_add_days(step) };
        Self(moved.unwrap_or(self.0))
    }

    /// Whole days from `earlier` to this day; negative when `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }
}

impl From<NaiveDate> for CivilDate {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

impl From<CivilDate> for NaiveDate {
    fn from(date: CivilDate) -> Self {
        date.0
    }
}

impl From<CivilDate> for String {
    fn from(date: CivilDate) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for CivilDate {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        text.parse()
    }
}

impl FromStr for CivilDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        // chrono alone would also take `2026-1-2`; in data a day has one spelling.
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self);
        date.filter(|d| d.to_string() == text).ok_or_else(|| NotADate { text: text.to_owned() })
    }
}

impl fmt::Display for CivilDate {
    /// ISO 8601, `2026-11-20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a clock on the wall in `zone` shows at `at`. Instants before the year 1 or after 9999 are read
/// as the first or last of these years: beyond them is only a broken clock.
#[must_use]
pub fn wall_clock(at: Millis, zone: Tz) -> NaiveDateTime {
    const FIRST_MS: i64 = -62_135_596_800_000;
    const LAST_MS: i64 = 253_402_300_799_999;
    let utc = DateTime::from_timestamp_millis(at.0.clamp(FIRST_MS, LAST_MS)).unwrap_or(DateTime::UNIX_EPOCH);
    utc.with_timezone(&zone).naive_local()
}

/// The civil day of an instant in a zone.
#[must_use]
pub fn civil_day(at: Millis, zone: Tz) -> CivilDate {
    CivilDate(wall_clock(at, zone).date())
}

/// The instant of a wall-clock time in a zone. A time that the clocks skip means the first instant after
/// the hole; a time that they show twice means its first occurrence.
#[must_use]
pub fn instant_of(date: CivilDate, time: NaiveTime, zone: Tz) -> Millis {
    let local = date.0.and_time(time);
    let found = match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.timestamp_millis()),
        LocalResult::None => {
            GapInfo::new(&local, &zone).and_then(|gap| gap.end).map(|at| at.timestamp_millis())
        }
    };
    // Only a hole at the very end of the zone's table would lack its end; there is none.
    Millis(found.unwrap_or_else(|| local.and_utc().timestamp_millis()))
}

/// The first instant of a civil day in a zone.
#[must_use]
pub fn start_of_day(date: CivilDate, zone: Tz) -> Millis {
    instant_of(date, NaiveTime::MIN, zone)
}

/// A civil day as an interval, not always 24 hours long. `None` for a day that the zone skipped
/// altogether (Samoa, 30 December 2011).
#[must_use]
pub fn day_window(date: CivilDate, zone: Tz) -> Option<Window> {
    Window::new(start_of_day(date, zone), start_of_day(date.plus_days(1), zone))
}

/// What an association calls a holiday (休日), before its own extra and removed days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayRule {
    /// Sundays and the days of the holiday law (日曜・祝日), substitute days included. The year-end is a
    /// fact of its own, see [`BandFacts::year_end`].
    National,
    /// Sundays only: what some city ordinances say.
    SundaysOnly,
    /// Only the days that are listed, not even Sundays.
    ListedOnly,
}

/// A day of a calendar's own list: one day (`2026-08-14`) or every year's (`08-14`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ListedDay {
    /// This day alone.
    Once(CivilDate),
    /// This day of every year; 29 February in leap years only.
    EveryYear { month: u32, day: u32 },
}

impl ListedDay {
    fn every_year(date: CivilDate) -> Self {
        Self::EveryYear { month: date.month(), day: date.day() }
    }
}

impl FromStr for ListedDay {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        // 2000 was a leap year, so 02-29 may be listed.
        if let Ok(date) = format!("2000-{text}").parse::<CivilDate>() {
            return Ok(Self::every_year(date));
        }
        text.parse().map(Self::Once)
    }
}

impl TryFrom<String> for ListedDay {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        text.parse()
    }
}

impl From<ListedDay> for String {
    fn from(day: ListedDay) -> Self {
        match day {
            ListedDay::Once(date) => date.to_string(),
            ListedDay::EveryYear { month, day } => format!("{month:02}-{day:02}"),
        }
    }
}

/// What a calendar's own list says of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// A holiday here, under this name.
    Extra(String),
    /// Not a holiday here, whatever the rule says.
    Removed,
}

/// An association's calendar: data, with the text that names its version wherever a band is recorded.
///
/// A single listed day outranks one listed for every year, and both outrank the rule. In the years of the
/// official list the list says what is a national holiday, elsewhere the rule of the law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Names this text of the calendar, for instance `aoba-2026.1`; recorded with every event.
    pub version: String,
    /// What is a holiday before the listed days.
    pub rule: HolidayRule,
    /// The hours of the night band.
    pub night: NightHours,
    /// The association's own extra and removed days.
    #[serde(default)]
    pub listed: BTreeMap<ListedDay, Listed>,
    /// The Cabinet Office's list, as it was last imported.
    #[serde(default)]
    pub official: BTreeMap<CivilDate, String>,
    /// What the association counts otherwise.
    #[serde(default)]
    pub rules: BandRules,
}

impl Calendar {
    /// The calendar of the holiday law with no days of its own.
    #[must_use]
    pub fn national(version: impl Into<String>, night: NightHours) -> Self {
        Self {
            version: version.into(),
            rule: HolidayRule::National,
            night,
            listed: BTreeMap::new(),
            official: BTreeMap::new(),
            rules: BandRules::default(),
        }
    }

    /// The name of the national holiday, by the official list in its years and by the law elsewhere.
    #[must_use]
    pub fn national_name(&self, date: CivilDate) -> Option<&str> {
        // A list holds whole years, and every year has a New Year's Day.
        let of_list = CivilDate::new(date.year(), 1, 1).is_some_and(|day| self.official.contains_key(&day));
        if of_list { official::name_in(&self.official, date) } else { national_holiday(date) }
    }

    /// The name of the holiday (祝日・休日の名), `None` on other days and on a plain Sunday. For marking 祝.
    #[must_use]
    pub fn holiday_name(&self, date: CivilDate) -> Option<&str> {
        let listed = rules::listed_in(&self.rules.listed, date).or_else(|| self.listed(date));
        match (listed, self.rules.holidays.unwrap_or(self.rule)) {
            (Some(Listed::Extra(name)), _) => Some(name),
            (Some(Listed::Removed), _) | (None, HolidayRule::SundaysOnly | HolidayRule::ListedOnly) => None,
            (None, HolidayRule::National) => self.national_name(date),
        }
    }

    /// Whether the day as a whole counts as a holiday (休日): Sundays, the rule's days, the extra days,
    /// without the removed ones. A Saturday that is a holiday from noon on is not one as a whole.
    #[must_use]
    pub fn is_holiday(&self, date: CivilDate) -> bool {
        let national = |d| self.national_name(d).is_some();
        self.rules.holiday(self.plain_holiday(date), date, 0, national)
    }

    /// Whether the day belongs to the year-end (年末年始): 29 December to 3 January by the fee schedule,
    /// unless the association's rules say otherwise.
    #[must_use]
    pub fn is_year_end(&self, date: CivilDate) -> bool {
        let ranges = self.rules.year_end.as_deref();
        ranges.map_or_else(|| bands::is_year_end(date), |days| days.iter().any(|range| range.contain(date)))
    }

    /// Without the association's rules.
    fn plain_holiday(&self, date: CivilDate) -> bool {
        match (self.listed(date), self.rule) {
            (Some(Listed::Extra(_)), _) => true,
            (Some(Listed::Removed), _) | (None, HolidayRule::ListedOnly) => false,
            (None, HolidayRule::SundaysOnly) => date.weekday() == Weekday::Sun,
            (None, HolidayRule::National) => {
                date.weekday() == Weekday::Sun || self.national_name(date).is_some()
            }
        }
    }

    /// How many holidays in a row the day stands in (連休); nought when it is none. Saturdays that are no
    /// holidays end a run.
    #[must_use]
    pub fn run_of_holidays(&self, date: CivilDate) -> u32 {
        if !self.is_holiday(date) {
            return 0;
        }
        let reach = |step: i64| {
            let mut days = 0;
            // No law makes a month of holidays; the limit keeps a strange list from being walked for ever.
            while days < RUN_MAX && self.is_holiday(date.plus_days(step * (i64::from(days) + 1))) {
                days += 1;
            }
            days
        };
        1 + reach(-1) + reach(1)
    }

    /// The plain facts of an instant in a zone, by the civil day and minute of that instant.
    #[must_use]
    pub fn facts(&self, at: Millis, zone: Tz) -> BandFacts {
        let local = wall_clock(at, zone);
        let date = CivilDate(local.date());
        let plain = bands::facts(local.time(), self.night, self.plain_holiday(date), date);
        self.rules.facts(plain, at, zone, |d| self.national_name(d).is_some())
    }

    /// The one word for facts, by the association's order.
    #[must_use]
    pub fn band(&self, facts: BandFacts) -> TimeBand {
        self.rules.band(facts)
    }

    fn listed(&self, date: CivilDate) -> Option<&Listed> {
        rules::listed_in(&self.listed, date)
    }
}

/// The longest run of holidays that is counted, to each side.
const RUN_MAX: u32 = 60;

#[cfg(test)]
mod tests;
