//! Tariffs (補助基準) as data: what is paid for which event, to which side, when and on what conditions.
//! Reading them from a file is `tariff_file`'s.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::event::{Code, EventKind, coded};
use crate::domain::calendar::{CivilDate, TimeBand};
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
            && !self.bands.is_disjoint(&other.bands)
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
}

impl Tariffs {
    /// No tariffs: every line is out of dates.
    #[must_use]
    pub fn none(version: impl Into<String>) -> Self {
        Self { version: version.into(), all: Vec::new() }
    }

    /// All tariffs, ordered by code.
    #[must_use]
    pub fn all(&self) -> &[Tariff] {
        &self.all
    }
}
