//! Time bands (時間帯) as plain facts of an instant, and the one word for them.

use chrono::{NaiveTime, Timelike};
use serde::{Deserialize, Serialize};

use super::CivilDate;

const MINUTES_A_DAY: u16 = 1_440;
/// Deep night (深夜) is national, 22:00 to 06:00 by the fee schedule.
const DEEP_NIGHT: NightHours = NightHours { from_min: 22 * 60, to_min: 6 * 60 };

/// The one word for an instant's time band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeBand {
    /// 日中
    Day,
    /// 夜間
    Night,
    /// 深夜
    DeepNight,
    /// 休日
    Holiday,
    /// 年末年始
    YearEnd,
}

impl TimeBand {
    /// Every band.
    pub const ALL: [Self; 5] = [Self::Day, Self::Night, Self::DeepNight, Self::Holiday, Self::YearEnd];

    /// The stable text of the band in data and tariffs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Night => "night",
            Self::DeepNight => "deep_night",
            Self::Holiday => "holiday",
            Self::YearEnd => "year_end",
        }
    }

    /// The band with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|band| band.code() == code)
    }
}

/// Which band gives the word where several hold, unless a programme says otherwise; then comes day.
pub const PRECEDENCE: [TimeBand; 4] =
    [TimeBand::DeepNight, TimeBand::YearEnd, TimeBand::Holiday, TimeBand::Night];

/// What is true of an instant, each by itself: 3 o'clock on New Year's Day is deep night, a holiday and
/// year-end at once. Recorded with events, so that a programme with other words can be counted later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandFacts {
    /// 22:00 to 06:00.
    pub deep_night: bool,
    /// Within the association's configured night hours.
    pub night: bool,
    /// The civil day is a holiday of the association's calendar.
    pub holiday: bool,
    /// The civil day lies between 29 December and 3 January.
    pub year_end: bool,
}

impl BandFacts {
    /// The one word by the usual precedence.
    #[must_use]
    pub fn band(self) -> TimeBand {
        self.band_by(&PRECEDENCE)
    }

    /// The one word by a programme's own precedence: the first band of `order` that holds, else day.
    #[must_use]
    pub fn band_by(self, order: &[TimeBand]) -> TimeBand {
        order.iter().copied().find(|band| self.holds(*band)).unwrap_or(TimeBand::Day)
    }

    fn holds(self, band: TimeBand) -> bool {
        match band {
            TimeBand::Day => !(self.deep_night || self.night || self.holiday || self.year_end),
            TimeBand::Night => self.night,
            TimeBand::DeepNight => self.deep_night,
            TimeBand::Holiday => self.holiday,
            TimeBand::YearEnd => self.year_end,
        }
    }
}

/// The hours called night, `[from, to)` in minutes after midnight, over midnight when `to` is the
/// smaller (18:00 to 08:00 is 1080 to 480). Prefectures differ: 18 to 6, 19 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u16, u16)", into = "(u16, u16)")]
pub struct NightHours {
    from_min: u16,
    to_min: u16,
}

/// The pair cannot be night hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("night hours need two different minutes of the day (0 to 1439), not {from_min} and {to_min}")]
pub struct NotNightHours {
    from_min: u16,
    to_min: u16,
}

impl NightHours {
    /// Night from `from_min` until `to_min`, minutes after midnight.
    ///
    /// # Errors
    /// When a minute is not in 0..1440, or both are the same.
    pub fn new(from_min: u16, to_min: u16) -> Result<Self, NotNightHours> {
        let good = from_min < MINUTES_A_DAY && to_min < MINUTES_A_DAY && from_min != to_min;
        if good { Ok(Self { from_min, to_min }) } else { Err(NotNightHours { from_min, to_min }) }
    }

    /// Whether the minute of the day is one of them.
    pub(super) fn contain(self, minute: u32) -> bool {
        let (from, to) = (u32::from(self.from_min), u32::from(self.to_min));
        if from < to { from <= minute && minute < to } else { minute >= from || minute < to }
    }
}

impl TryFrom<(u16, u16)> for NightHours {
    type Error = NotNightHours;

    fn try_from((from_min, to_min): (u16, u16)) -> Result<Self, NotNightHours> {
        Self::new(from_min, to_min)
    }
}

impl From<NightHours> for (u16, u16) {
    fn from(hours: NightHours) -> Self {
        (hours.from_min, hours.to_min)
    }
}

pub(super) fn facts(time: NaiveTime, night: NightHours, holiday: bool, date: CivilDate) -> BandFacts {
    let minute = time.hour() * 60 + time.minute();
    BandFacts {
        deep_night: DEEP_NIGHT.contain(minute),
        night: night.contain(minute),
        holiday,
        year_end: is_year_end(date),
    }
}

/// Whether the civil day belongs to the year-end (年末年始), 29 December to 3 January by the fee schedule.
pub(super) fn is_year_end(date: CivilDate) -> bool {
    matches!((date.month(), date.day()), (12, 29..) | (1, ..=3))
}
