//! The rota as it stands on paper (当番表、貼り出し用): a line for each slot of each day, who is on in it, what has
//! changed since it was published. Every other list of the rota (XLSX, CSV, a person's slip, a clinic's notice,
//! the city's list) is cut from the same lines, so that all say the same.

use std::collections::BTreeMap;

use chrono::Weekday;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::model::{Area, Holder, Records, RotaRole, SlotKey};
use super::slots::{SlotBook, days};
use super::swaps::overlap;
use super::timeline::Timeline;
use crate::domain::calendar::{Calendar, CivilDate, civil_day, start_of_day};
use crate::time::{Millis, Window};

/// What a day is called on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DayMark {
    /// A working day.
    Plain,
    /// 土
    Saturday,
    /// 日
    Sunday,
    /// 祝: a holiday of the association's calendar, also on a Saturday or Sunday.
    Holiday,
    /// 年末年始
    YearEnd,
}

/// Who is on in a stretch of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// From when until when.
    pub window: Window,
    /// Everybody who is on; nobody in a gap.
    pub people: Vec<Holder>,
}

/// One role of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The role.
    pub role: RotaRole,
    /// Who is on, in order of time: one stretch where nobody hands over within the slot.
    pub stretches: Vec<Stretch>,
    /// Others are on than the publication said (★).
    pub changed: bool,
}

/// A slot of a day, or hours that the office filled outside of all slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The civil day on which it begins.
    pub day: CivilDate,
    /// The slot; `None`: hours outside of every slot.
    pub slot: Option<SlotKey>,
    /// Its name, 平日の夜; the code where the patterns do not know it any more; empty without a slot.
    pub name: String,
    /// From when until when.
    pub window: Window,
    /// The roles of the slot, in the order of ringing.
    pub seats: Vec<Seat>,
}

/// A day with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub day: CivilDate,
    /// What it is.
    pub mark: DayMark,
    /// The name of the holiday, or empty.
    pub holiday: String,
    /// Its slots, by beginning.
    pub lines: Vec<Line>,
}

/// The rota of an area over whole days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Where.
    pub area: Area,
    /// Every day, also those without a slot.
    pub days: Vec<Day>,
    /// The roles that any line has, in the order of ringing.
    pub roles: Vec<RotaRole>,
    /// How many publications speak of these days.
    pub edition: u32,
    /// When the newest of them was published; `None`: nothing is published.
    pub published_at: Option<Millis>,
    /// How many seats have changed since.
    pub changes: u32,
}

/// What paper is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What is recorded.
    pub records: &'a Records,
    /// Who is on.
    pub timeline: &'a Timeline,
    /// Which slots there are.
    pub book: &'a SlotBook,
    /// Which days are off.
    pub calendar: &'a Calendar,
    /// The association's zone.
    pub zone: Tz,
}

/// What a day is called on paper.
#[must_use]
pub fn day_mark(day: CivilDate, calendar: &Calendar) -> DayMark {
    if calendar.is_year_end(day) {
        DayMark::YearEnd
    } else if calendar.holiday_name(day).is_some() {
        DayMark::Holiday
    } else {
        match day.weekday() {
            Weekday::Sat => DayMark::Saturday,
            Weekday::Sun => DayMark::Sunday,
            // A weekday that is off by the association's own rule.
            _ if calendar.is_holiday(day) => DayMark::Holiday,
            _ => DayMark::Plain,
        }
    }
}

/// The rota of an area for the days `first` to `last`, both included: every slot that begins in them.
#[must_use]
pub fn paper(source: &Source<'_>, area: &Area, first: CivilDate, last: CivilDate) -> Paper {
    let (zone, records) = (source.zone, source.records);
    let span = Window { from: start_of_day(first, zone), to: start_of_day(last.plus_days(1), zone) };
    // What was published stands with the hours of then; patterns of today fill in what nobody published.
    let mut lines: BTreeMap<(Window, Option<SlotKey>), Vec<RotaRole>> = BTreeMap::new();
    let current = current_assignments(records, area, span);
    for slot in source.book.slots(area, first, last, source.calendar, zone) {
        let published = current.iter().find(|(key, _, _)| *key == slot.key);
        let window = published.map_or(slot.window, |(_, window, _)| *window);
        let roles = lines.entry((window, Some(slot.key))).or_default();
        roles.extend(slot.roles.iter().copied());
    }
    for (key, window, role) in &current {
        lines.entry((*window, Some(key.clone()))).or_default().push(*role);
    }
    // Who is on outside of every line stands in a line of their own.
    for role in RotaRole::ALL {
        for segment in source.timeline.expand(area, role, span) {
            if segment.people.is_empty() {
                continue;
            }
            let covered = lines.iter().filter(|(_, roles)| roles.contains(&role)).map(|((w, _), _)| *w);
            // Nights of the day before the first reach in and stand on the page before.
            let before = before_lines(source, area, first, role);
            for rest in without(segment.window, covered.chain(before).collect()) {
                lines.entry((rest, None)).or_default().push(role);
            }
        }
    }
    let mut paper = Paper {
        area: area.clone(),
        days: Vec::new(),
        roles: Vec::new(),
        edition: 0,
        published_at: None,
        changes: 0,
    };
    let mut editions: Vec<Millis> = records
        .publications
        .iter()
        .filter(|p| p.area == *area && overlap(p.period, span))
        .map(|p| p.recorded_at)
        .collect();
    editions.sort_unstable();
    paper.edition = u32::try_from(editions.len()).unwrap_or(u32::MAX);
    paper.published_at = editions.last().copied();
    let printed: Vec<(Millis, Timeline)> = {
        editions.dedup();
        editions.iter().map(|at| (*at, Timeline::new(records, Some(*at)))).collect()
    };
    let mut by_day: BTreeMap<CivilDate, Vec<Line>> = BTreeMap::new();
    for ((window, slot), mut roles) in lines {
        roles.sort_unstable();
        roles.dedup();
        // As it was printed: the newest publication in whose period the line begins.
        let base = printed.iter().rev().find(|(at, _)| {
            let mut of = records.publications.iter().filter(|p| p.area == *area && p.recorded_at == *at);
            of.any(|p| p.period.contains(window.from))
        });
        let seats: Vec<Seat> = roles
            .into_iter()
            .map(|role| {
                let stretches = stretches(source.timeline, area, role, window);
                let changed =
                    base.is_some_and(|(_, base)| self::stretches(base, area, role, window) != stretches);
                Seat { role, stretches, changed }
            })
            .collect();
        paper.changes += u32::try_from(seats.iter().filter(|s| s.changed).count()).unwrap_or(0);
        for seat in &seats {
            if !paper.roles.contains(&seat.role) {
                paper.roles.push(seat.role);
            }
        }
        let day = slot.as_ref().map_or_else(|| civil_day(window.from, zone), |key| key.day);
        let name = slot.as_ref().map(|key| {
            let pattern = source.book.patterns().iter().find(|p| p.kind == key.kind);
            pattern.map_or_else(|| key.kind.to_string(), |p| p.name.clone())
        });
        by_day.entry(day).or_default().push(Line {
            day,
            slot,
            name: name.unwrap_or_default(),
            window,
            seats,
        });
    }
    paper.roles.sort_unstable();
    paper.days = days(first, last)
        .map(|day| Day {
            day,
            mark: day_mark(day, source.calendar),
            holiday: source.calendar.holiday_name(day).unwrap_or_default().to_owned(),
            lines: by_day.remove(&day).unwrap_or_default(),
        })
        .collect();
    paper
}

/// Slots, hours and roles of the assignments in force that begin in a window: those that no later publication
/// replaced.
fn current_assignments(records: &Records, area: &Area, span: Window) -> Vec<(SlotKey, Window, RotaRole)> {
    let mut publications: Vec<_> = records.publications.iter().filter(|p| p.area == *area).collect();
    publications.sort_by_key(|p| (p.recorded_at, p.period.from, &p.id));
    let mut found = Vec::new();
    let mut rest = publications.as_slice();
    while let Some((publication, later)) = rest.split_first() {
        rest = later;
        for a in publication.assignments.iter().filter(|a| a.area == *area) {
            let begins = a.window.from;
            let replaced = later.iter().any(|p| p.period.contains(begins));
            if publication.period.contains(begins) && span.contains(begins) && !replaced {
                found.push((a.slot.clone(), a.window, a.role));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Slots that begin before the first day and reach into it.
fn before_lines(source: &Source<'_>, area: &Area, first: CivilDate, role: RotaRole) -> Vec<Window> {
    let from = first.plus_days(-7);
    let span = Window { from: start_of_day(from, source.zone), to: start_of_day(first, source.zone) };
    let published = current_assignments(source.records, area, span);
    let slots = source.book.slots(area, from, first.plus_days(-1), source.calendar, source.zone);
    let slots = slots.into_iter().filter(|s| s.roles.contains(&role)).map(|s| s.window);
    published.into_iter().filter(|(_, _, r)| *r == role).map(|(_, window, _)| window).chain(slots).collect()
}

/// What is left of a window.
fn without(window: Window, mut taken: Vec<Window>) -> Vec<Window> {
    taken.retain(|t| overlap(*t, window));
    taken.sort_unstable();
    let (mut left, mut from) = (Vec::new(), window.from);
    for t in taken {
        left.extend(Window::new(from, t.from.min(window.to)));
        from = from.max(t.to);
    }
    left.extend(Window::new(from, window.to));
    left
}

fn stretches(timeline: &Timeline, area: &Area, role: RotaRole, window: Window) -> Vec<Stretch> {
    let segments = timeline.expand(area, role, window).into_iter();
    segments.map(|s| Stretch { window: s.window, people: s.people }).collect()
}

impl Paper {
    /// Every line, in order.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.days.iter().flat_map(|day| &day.lines)
    }

    /// Who is on at an instant, as far as these days say: `None` when no line holds the instant.
    #[must_use]
    pub fn who(&self, role: RotaRole, at: Millis) -> Option<&[Holder]> {
        let seats = self.lines().filter(|line| line.window.contains(at)).flat_map(|line| &line.seats);
        let mut stretches = seats.filter(|seat| seat.role == role).flat_map(|seat| &seat.stretches);
        stretches.find(|s| s.window.contains(at)).map(|s| s.people.as_slice())
    }
}

/// By when a municipality wants the list of a month, as data: the 10th of the month two months before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CityRule {
    /// Day of the month, 1 to 31; in a shorter month its last day.
    pub day: u32,
    /// How many months before the month of the list, 0 to 12.
    pub months_before: u32,
    /// What happens where that day is a holiday or a Saturday.
    pub on_days_off: OnDaysOff,
}

/// What happens where the last day falls on a day on which no office is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDaysOff {
    /// It stays.
    #[default]
    Stays,
    /// The working day before.
    Earlier,
    /// The next working day.
    Later,
}

impl Default for CityRule {
    /// The 10th of the month two months before (国分寺市's ordinance).
    fn default() -> Self {
        Self { day: 10, months_before: 2, on_days_off: OnDaysOff::Stays }
    }
}

impl CityRule {
    /// Whether a number is beyond all sense.
    #[must_use]
    pub const fn wrong(&self) -> bool {
        !matches!(self.day, 1..=31) || self.months_before > 12
    }

    /// By when the list of the month that begins on `first` is due.
    #[must_use]
    pub fn due(&self, first: CivilDate, calendar: &Calendar) -> CivilDate {
        let months =
            i64::from(first.year()) * 12 + i64::from(first.month()) - 1 - i64::from(self.months_before);
        let year = i32::try_from(months.div_euclid(12)).unwrap_or(first.year());
        let month = u32::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
        let last = (1..=self.day.clamp(1, 31)).rev().find_map(|day| CivilDate::new(year, month, day));
        let mut due = last.unwrap_or(first);
        let off = |day: CivilDate| {
            day.weekday() == Weekday::Sat || calendar.is_holiday(day) || calendar.is_year_end(day)
        };
        let step = match self.on_days_off {
            OnDaysOff::Stays => return due,
            OnDaysOff::Earlier => -1,
            OnDaysOff::Later => 1,
        };
        // No law makes a month of days off.
        for _ in 0..31 {
            if !off(due) {
                break;
            }
            due = due.plus_days(step);
        }
        due
    }
}
