//! Tariffs (補助基準) as data: what is paid for which event, to which side, when and on what conditions.
//! Reading them from a file is `tariff_file`'s.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::event::{Code, EventKind, Moment, OnRotaAs, coded};
use super::fraction::{Fraction, Rounding};
use super::program::{ClaimRule, Program, StandbyDay};
use crate::domain::calendar::{BandFacts, BandRules, CivilDate, TimeBand, YearlyDays, national_holiday};
use crate::domain::rota::RotaRole;
use crate::ids::InstitutionId;
use crate::money::Yen;

coded! {
    /// The side of a line.
    Side {
        /// 依頼側
        Requester = "requester",
        /// 受諾側
        Acceptor = "acceptor",
        /// 待機
        Standby = "standby",
    }

    /// What the amount is paid for.
    Unit {
        /// 1件
        Event = "event",
        /// 1時間
        Hour = "hour",
        /// 1枠; whoever holds a part of it gets that part
        Slot = "slot",
        /// 1日; once for an institution, whoever of it was there
        Day = "day",
        /// 連続24時間当番1回
        FullDayTurn = "24h_turn",
        /// So many minutes begun or completed, by `partial`.
        MinuteBlock = "minute_block",
    }
}

/// When a multiplier applies, by the day on which the event counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpliftOn {
    /// The day stands in at least so many holidays in a row (連休).
    RunOfHolidays(u32),
    Holiday,
    /// 年末年始
    YearEnd,
    /// Days of every year, both ends included.
    Days(YearlyDays),
}

/// A rise or a fall of the amount; the first of a tariff that applies is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uplift {
    pub on: UpliftOn,
    pub by: Fraction,
}

/// How often, or how much, a tariff pays at most. Counted in the order of the events, what closed months hold
/// first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Lines of one case.
    pub per_case: Option<u32>,
    /// Lines of one institution in a month.
    pub per_institution_month: Option<u32>,
    /// Yen of one institution in a month; the line that reaches it is cut.
    pub per_institution_month_yen: Option<Yen>,
    /// Lines of everybody in a month.
    pub per_month: Option<u32>,
    /// Yen of everybody in a month; the line that reaches it is cut.
    pub per_month_yen: Option<Yen>,
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
    /// Of [`Unit::MinuteBlock`]: how many minutes one is.
    pub block_minutes: u32,
    /// What becomes of an hour or block held in part; `None`: it is paid in part.
    pub partial: Option<Rounding>,
    /// What becomes of a fraction of a yen.
    pub rounding: Rounding,
    pub uplifts: Vec<Uplift>,
    pub caps: Caps,
    /// Programmes that come first: where one of them pays the same case to the same party, this does not.
    pub exclusive_with: BTreeSet<Code>,
    /// Only for institutions of these kinds; none: all.
    pub institution_kinds: BTreeSet<Code>,
    /// Only for these institutions, such as a pillar that has a contract of its own; none: all.
    #[serde(default)]
    pub institutions: BTreeSet<InstitutionId>,
    /// Only for what was asked of these specialties; none: all.
    pub specialties: BTreeSet<Code>,
    /// Only for patients of these cities; none: wherever they live.
    pub cities: BTreeSet<Code>,
    /// Of what is taken by somebody: only where they were asked as one of these; none: all.
    #[serde(default)]
    pub accepted_as: BTreeSet<OnRotaAs>,
    /// Of duty: only these roles; none: all.
    pub duty_roles: BTreeSet<RotaRole>,
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
        fn apart<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> bool {
            !a.is_empty() && !b.is_empty() && a.is_disjoint(b)
        }
        // A turn is an event of its own beside the duty it is made of.
        let turn = |t: &Self| t.unit == Unit::FullDayTurn;
        (&self.program, self.side, self.event) == (&other.program, other.side, other.event)
            && turn(self) == turn(other)
            && !apart(&self.institution_kinds, &other.institution_kinds)
            && !apart(&self.institutions, &other.institutions)
            && !apart(&self.specialties, &other.specialties)
            && !apart(&self.accepted_as, &other.accepted_as)
            && !apart(&self.duty_roles, &other.duty_roles)
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
    /// By code; every programme that a tariff names.
    pub(super) programs: BTreeMap<Code, Program>,
    /// How funders count bands, by the name that tariffs use.
    pub(super) calendars: BTreeMap<Code, BandRules>,
}

impl Tariffs {
    /// No tariffs: every line is out of dates.
    #[must_use]
    pub fn none(version: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            all: Vec::new(),
            programs: BTreeMap::new(),
            calendars: BTreeMap::new(),
        }
    }

    /// The programmes by code.
    #[must_use]
    pub const fn programs(&self) -> &BTreeMap<Code, Program> {
        &self.programs
    }

    /// How a programme is claimed; one that is gone from the file is claimed plainly.
    #[must_use]
    pub fn claim_rule(&self, program: &Code) -> ClaimRule {
        self.programs.get(program).map_or(ClaimRule::PLAIN, |p| p.claim)
    }

    /// To which day a programme counts duty over midnight.
    #[must_use]
    pub fn standby_day(&self, program: &Code) -> StandbyDay {
        self.programs.get(program).map_or(StandbyDay::SlotStart, |p| p.standby_day)
    }

    /// Whether a tariff is in force on a day, its programme included.
    #[must_use]
    pub fn in_dates(&self, tariff: &Tariff, date: CivilDate) -> bool {
        tariff.in_dates(date) && self.programs.get(&tariff.program).is_none_or(|p| p.in_dates(date))
    }

    /// The factor of a tariff for what counts at `moment`.
    #[must_use]
    pub fn uplift(&self, tariff: &Tariff, moment: &Moment) -> Fraction {
        let found = tariff.uplifts.iter().find(|uplift| match uplift.on {
            UpliftOn::RunOfHolidays(least) => self.run_of_holidays(tariff, moment) >= least,
            UpliftOn::Holiday => self.facts_of(tariff, moment).holiday,
            UpliftOn::YearEnd => self.facts_of(tariff, moment).year_end,
            UpliftOn::Days(days) => days.contain(moment.civil_date),
        });
        found.map_or(Fraction::ONE, |uplift| uplift.by)
    }

    fn facts_of(&self, tariff: &Tariff, moment: &Moment) -> BandFacts {
        let rules = tariff.calendar.as_ref().and_then(|name| self.calendars.get(name));
        rules.map_or(moment.facts, |rules| {
            // The zone was one when it was recorded.
            let zone = moment.zone.parse().unwrap_or(chrono_tz::UTC);
            rules.facts(moment.facts, moment.at, zone, |date| national_holiday(date).is_some())
        })
    }

    /// The run of holidays by the association's calendar, as recorded, or by the funder's own, which must say
    /// itself what a holiday is.
    fn run_of_holidays(&self, tariff: &Tariff, moment: &Moment) -> u32 {
        let rules = tariff.calendar.as_ref().and_then(|name| self.calendars.get(name));
        let Some(rules) = rules.filter(|r| r.holidays.is_some() || !r.listed.is_empty()) else {
            return moment.run_of_holidays;
        };
        rules.run_of_holidays(moment.civil_date, |date| national_holiday(date).is_some())
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
        let facts = tariff.map_or(moment.facts, |tariff| self.facts_of(tariff, moment));
        (rules.band(facts), format!("{}/{name}", moment.calendar_version))
    }

    /// All tariffs, ordered by code.
    #[must_use]
    pub fn all(&self) -> &[Tariff] {
        &self.all
    }
}
