//! Tariffs (補助基準) as data: what is paid for which event, to which side, when and on what conditions.
//! Reading them from a file is `tariff_file`'s.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::event::{Code, EventKind, Moment, coded};
use crate::domain::calendar::{BandFacts, BandRules, CivilDate, TimeBand, national_holiday};
use crate::money::Yen;

coded! {
    /// The side of a line. Standby (待機) will be the third.
    Side {
        /// 依頼側
        Requester = "requester",
        /// 受諾側
        Acceptor = "acceptor",
    }

    /// What the amount is paid for. Hours, slots, 24-hour turns and blocks of minutes are not built yet.
    Unit {
        /// 1件
        Event = "event",
    }
}

/// One tariff of one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// Unique in its file.
    pub code: Code,
    /// As it is printed on statements.
    pub name: String,
    /// The subsidy programme (補助事業).
    pub program: Code,
    pub side: Side,
    pub event: EventKind,
    /// The first day on which it applies.
    pub from: CivilDate,
    /// The first day on which it no longer applies.
    pub before: CivilDate,
    /// Never empty; all bands where the file names none.
    pub bands: BTreeSet<TimeBand>,
    /// The funder's own way of counting bands, one of [`Tariffs::calendars`]; `None`: as the association does.
    #[serde(default)]
    pub calendar: Option<Code>,
    pub unit: Unit,
    /// Per unit; not negative. Nought is allowed: counted, not paid.
    pub amount: Yen,
    /// Besides what every tariff asks (a real event, not withdrawn, dates, band).
    pub when: BTreeSet<Condition>,
    /// The ordinance's article and other remarks, as they are printed.
    pub remarks: String,
}

impl Tariff {
    /// Whether the tariff is in force on a day, `[from, before)`.
    #[must_use]
    pub fn in_dates(&self, date: CivilDate) -> bool {
        self.from <= date && date < self.before
    }

    /// Whether some event would be paid by both tariffs.
    pub(super) fn collides_with(&self, other: &Self) -> bool {
        (&self.program, self.side, self.event) == (&other.program, other.side, other.event)
            && self.from < other.before
            && other.from < self.before
            // Counted in two ways, an instant may lie in the bands of both, whatever they are called.
            && (self.calendar != other.calendar || !self.bands.is_disjoint(&other.bands))
    }
}

/// The tariffs of one file, checked: codes are unique, and within a programme no event is paid twice on
/// one side. The order in the file means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariffs {
    /// Names this text of the tariffs wherever a line is recorded; the caller's, usually a hash of the file.
    pub version: String,
    /// By code.
    pub(super) all: Vec<Tariff>,
    /// How funders count bands, by the name that tariffs use.
    pub(super) calendars: BTreeMap<Code, BandRules>,
}

impl Tariffs {
    /// No tariffs: every line is out of dates.
    #[must_use]
    pub fn none(version: impl Into<String>) -> Self {
        Self { version: version.into(), all: Vec::new(), calendars: BTreeMap::new() }
    }

    /// How funders count bands.
    #[must_use]
    pub fn calendars(&self) -> &BTreeMap<Code, BandRules> {
        &self.calendars
    }

    /// The band of an event for a tariff, and the version of the calendar that says so: the association's
    /// own, or the funder's laid over what was recorded with the event.
    #[must_use]
    pub fn band_of(&self, tariff: Option<&Tariff>, moment: &Moment) -> (TimeBand, String) {
        let named = tariff.and_then(|t| t.calendar.as_ref());
        let Some((name, rules)) = named.and_then(|name| self.calendars.get_key_value(name)) else {
            return (moment.band, moment.calendar_version.clone());
        };
        // The zone was one when it was recorded.
        let zone = moment.zone.parse().unwrap_or(chrono_tz::UTC);
        let facts: BandFacts =
            rules.facts(moment.facts, moment.at, zone, |date| national_holiday(date).is_some());
        (rules.band(facts), format!("{}/{name}", moment.calendar_version))
    }

    /// All tariffs, ordered by code.
    #[must_use]
    pub fn all(&self) -> &[Tariff] {
        &self.all
    }
}
