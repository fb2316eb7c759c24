//! Slots (当番枠): the patterns of an association, and the slots and required hours that follow from them for
//! civil days. Reading patterns from a file is `slot_file`'s.
//!
//! A wall time that the clocks skip means the first instant after the hole, one that they show twice its
//! first occurrence. Neighbours share that rule, so a night that ends at a skipped time and a day that begins
//! at it still meet. A slot that lies wholly within a hole does not exist that day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::model::{Area, RotaRole, SlotKey};
use crate::domain::calendar::{Calendar, CivilDate, ListedDay, civil_day, instant_of};
use crate::domain::ledger::Code;
use crate::time::{Millis, Window};

/// Minutes of a civil day on the wall.
pub(super) const DAY_MIN: u16 = 1_440;

/// Duty points (当番点数) in hundredths: a Saturday night of 1.5 points is `Points(150)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(pub i64);

impl Points {
    /// The sum; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; saturates.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// What a civil day is to the rota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A working day (平日).
    Weekday,
    /// 土曜
    Saturday,
    /// 日曜
    Sunday,
    /// A holiday of the association's calendar that is more than a plain Sunday (祝日・休日).
    Holiday,
    /// 年末年始, 29 December to 3 January unless the calendar says otherwise.
    YearEnd,
    /// The next day is a holiday or the year-end begins (休前日).
    BeforeHoliday,
}

impl DayKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Weekday, Self::Saturday, Self::Sunday, Self::Holiday, Self::YearEnd, Self::BeforeHoliday];

    /// The stable word of the data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Weekday => "weekday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
            Self::Holiday => "holiday",
            Self::YearEnd => "year_end",
            Self::BeforeHoliday => "before_holiday",
        }
    }

    /// Reads [`DayKind::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The kinds of a day, the most telling first. A day takes the first of them that the patterns name, so an
/// association without patterns for the year-end keeps it like a holiday, and a holiday like a Sunday.
#[must_use]
pub fn day_kinds(day: CivilDate, calendar: &Calendar) -> Vec<DayKind> {
    let off = |day: CivilDate| calendar.is_holiday(day) || calendar.is_year_end(day);
    let mut kinds = Vec::with_capacity(4);
    if calendar.is_year_end(day) {
        kinds.push(DayKind::YearEnd);
    }
    let plain = calendar.holiday_name(day).is_none() && !calendar.is_year_end(day);
    let holiday = if off(day) { [DayKind::Holiday, DayKind::Sunday].as_slice() } else { &[] };
    match day.weekday() {
        Weekday::Sun if plain && off(day) => kinds.extend([DayKind::Sunday, DayKind::Holiday]),
        // Also where the calendar counts Saturdays as holidays.
        Weekday::Sat if plain => {
            kinds.push(DayKind::Saturday);
            kinds.extend(holiday);
        }
        Weekday::Sat => {
            kinds.extend(holiday);
            kinds.push(DayKind::Saturday);
        }
        _ => kinds.extend(holiday),
    }
    if off(day.plus_days(1)) {
        kinds.push(DayKind::BeforeHoliday);
    }
    kinds.push(DayKind::Weekday);
    kinds
}

/// On which days a pattern applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// Every day.
    Every,
    /// Days that take one of these kinds.
    Kinds(BTreeSet<DayKind>),
    /// These days, before all kinds: where a pattern lists a day, no pattern by kind applies to it.
    Listed(BTreeSet<ListedDay>),
}

/// Civil hours: from a time of the day until a time of the same day, or of the next when that is not later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Minutes after midnight, 0 to 1439.
    pub from_min: u16,
    /// Minutes after midnight, 0 to 1440; not later than `from_min` means the next day (18:00 to 08:00).
    pub to_min: u16,
}

impl Hours {
    /// The hours beginning on a civil day in a zone; `None` when the clocks skip them altogether.
    #[must_use]
    pub fn on(self, day: CivilDate, zone: Tz) -> Option<Window> {
        let next_day = self.to_min <= self.from_min || self.to_min == DAY_MIN;
        let until = day.plus_days(i64::from(next_day));
        Window::new(at_minute(day, self.from_min, zone), at_minute(until, self.to_min % DAY_MIN, zone))
    }
}

fn at_minute(day: CivilDate, minute: u16, zone: Tz) -> Millis {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(u32::from(minute % DAY_MIN) * 60, 0);
    instant_of(day, time.unwrap_or_default(), zone)
}

/// Where and when a pattern or required hours apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The days.
    pub on: On,
    /// The hours, beginning on such a day.
    pub hours: Hours,
    /// The roles to fill.
    pub roles: BTreeSet<RotaRole>,
    /// The areas; empty = every area.
    pub areas: BTreeSet<Area>,
    /// The first day on which it applies; `None` = always has.
    pub from: Option<CivilDate>,
    /// The first day on which it no longer applies; `None` = until further notice.
    pub before: Option<CivilDate>,
}

impl Scope {
    fn in_force(&self, area: &Area, day: CivilDate) -> bool {
        let here = self.areas.is_empty() || self.areas.contains(area);
        here && self.from.is_none_or(|from| from <= day) && self.before.is_none_or(|before| day < before)
    }

    fn lists(&self, day: CivilDate) -> bool {
        let every_year = ListedDay::EveryYear { month: day.month(), day: day.day() };
        matches!(&self.on, On::Listed(days) if days.contains(&ListedDay::Once(day)) || days.contains(&every_year))
    }
}

/// A slot pattern (当番枠の型): one row of an association's rota, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotPattern {
    /// The kind of its slots: `wn` for a weekday's night.
    pub kind: Code,
    /// Its name on screen and paper (平日の夜).
    pub name: String,
    /// When and where.
    pub scope: Scope,
    /// What a whole slot counts, by role; a role that is not named counts nothing.
    pub points: BTreeMap<RotaRole, Points>,
    /// Qualifications of which somebody among the active people of the slot needs each.
    pub need_any: BTreeSet<Code>,
}

/// Every slot pattern and the required hours of an association: one text, with a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotBook {
    pub(super) version: String,
    pub(super) patterns: Vec<SlotPattern>,
    pub(super) required: Vec<Scope>,
}

/// A duty slot (当番枠) on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where.
    pub area: Area,
    /// The day on which it begins, and its kind.
    pub key: SlotKey,
    /// From when until when.
    pub window: Window,
    /// The roles to fill.
    pub roles: BTreeSet<RotaRole>,
    /// What a whole slot counts, by role.
    pub points: BTreeMap<RotaRole, Points>,
    /// Qualifications of which somebody among the active people needs each.
    pub need_any: BTreeSet<Code>,
}

impl SlotBook {
    /// The version of the text.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The patterns, as written.
    #[must_use]
    pub fn patterns(&self) -> &[SlotPattern] {
        &self.patterns
    }

    /// The required hours, as written.
    #[must_use]
    pub fn required(&self) -> &[Scope] {
        &self.required
    }

    /// The slots of an area that begin on the days `first` to `last`, both included, by beginning and kind.
    #[must_use]
    pub fn slots(
        &self,
        area: &Area,
        first: CivilDate,
        last: CivilDate,
        calendar: &Calendar,
        zone: Tz,
    ) -> Vec<Slot> {
        let mut slots = Vec::new();
        for day in days(first, last) {
            let in_force = self.patterns.iter().map(|p| (p, &p.scope));
            for pattern in applying(in_force, area, day, calendar) {
                slots.extend(pattern.scope.hours.on(day, zone).map(|window| Slot {
                    area: area.clone(),
                    key: SlotKey { day, kind: pattern.kind.clone() },
                    window,
                    roles: pattern.scope.roles.clone(),
                    points: pattern.points.clone(),
                    need_any: pattern.need_any.clone(),
                }));
            }
        }
        slots.sort_by(|a, b| (a.window, &a.key).cmp(&(b.window, &b.key)));
        slots
    }

    /// The hours of a window in which a role of an area must be held: sorted, apart from each other.
    #[must_use]
    pub fn required_hours(
        &self,
        area: &Area,
        role: RotaRole,
        window: Window,
        calendar: &Calendar,
        zone: Tz,
    ) -> Vec<Window> {
        // Hours that begin the evening before, and days that the zone shifts, still reach into the window.
        let (first, last) = (civil_day(window.from, zone).plus_days(-2), civil_day(window.to, zone));
        let scopes = || self.required.iter().filter(|scope| scope.roles.contains(&role));
        let mut found: Vec<Window> = days(first, last)
            .flat_map(|day| applying(scopes().map(|s| (s, s)), area, day, calendar).map(move |s| (s, day)))
            .filter_map(|(scope, day)| scope.hours.on(day, zone))
            .filter_map(|hours| Window::new(hours.from.max(window.from), hours.to.min(window.to)))
            .collect();
        found.sort();
        merged(found)
    }
}

/// The entries that apply to a day: those that list it; else those of the first kind of the day that any
/// entry in force names, with those of every day.
fn applying<'a, T: 'a>(
    entries: impl Iterator<Item = (&'a T, &'a Scope)>,
    area: &Area,
    day: CivilDate,
    calendar: &Calendar,
) -> impl Iterator<Item = &'a T> {
    let here: Vec<(&T, &Scope)> = entries.filter(|(_, scope)| scope.in_force(area, day)).collect();
    let listed = here.iter().any(|(_, scope)| scope.lists(day));
    let names =
        |kind: DayKind| here.iter().any(|(_, s)| matches!(&s.on, On::Kinds(kinds) if kinds.contains(&kind)));
    let kind = day_kinds(day, calendar).into_iter().find(|kind| names(*kind));
    let applies = move |scope: &Scope| match &scope.on {
        On::Listed(_) => scope.lists(day),
        On::Every => !listed,
        On::Kinds(kinds) => !listed && kind.is_some_and(|kind| kinds.contains(&kind)),
    };
    here.into_iter().filter(move |(_, scope)| applies(scope)).map(|(entry, _)| entry)
}

/// The civil days from `first` to `last`, both included; none when reversed.
pub(super) fn days(first: CivilDate, last: CivilDate) -> impl Iterator<Item = CivilDate> {
    (0..=last.days_since(first)).map(move |n| first.plus_days(n))
}

/// Sorted windows with those that touch or overlap made one.
pub(super) fn merged(sorted: Vec<Window>) -> Vec<Window> {
    let mut merged: Vec<Window> = Vec::with_capacity(sorted.len());
    for window in sorted {
        match merged.last_mut() {
            Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
            _ => merged.push(window),
        }
    }
    merged
}

/// A slot book and when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedBook {
    /// When it was recorded.
    pub recorded_at: Millis,
    /// The book.
    pub book: SlotBook,
}

/// The book in use as known at `as_of`, or today: the one recorded last (tie: the greater version).
#[must_use]
pub fn book_as_of(books: &[RecordedBook], as_of: Option<Millis>) -> Option<&SlotBook> {
    let known = books.iter().filter(|b| as_of.is_none_or(|as_of| b.recorded_at <= as_of));
    known.max_by_key(|b| (b.recorded_at, &b.book.version)).map(|b| &b.book)
}
