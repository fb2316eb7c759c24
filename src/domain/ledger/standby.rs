//! Duty as the ledger sees it (待機): stretches held by one person, and continuous 24-hour turns, out of the
//! rota's timeline. Who is on is `domain::rota`'s; what it is worth is `duty_lines`'.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::event::{Code, DutyRef, Membership, Moment, TurnRef};
use super::tariff::Tariffs;
use crate::domain::calendar::{Calendar, CivilDate, Saturday, civil_day, instant_of};
use crate::domain::rota::{Area, Because, RotaRole, SlotKey, Timeline, full_day_turns};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::time::{Millis, Window};

/// A part of a stretch in which day and band do not change for any funder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub window: Window,
    /// What counts at its start, and so throughout.
    pub moment: Moment,
}

/// A stretch of duty of one slot, held by one person without a break: an event of the ledger, called or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbyEvent {
    pub association: AssociationId,
    pub area: Area,
    pub role: RotaRole,
    /// `None` where the office put somebody there by hours.
    pub slot: Option<SlotKey>,
    /// The whole slot; the stretch itself where there is none.
    pub slot_window: Window,
    /// What was held of it.
    pub window: Window,
    pub person: MemberId,
    pub institution: InstitutionId,
    pub institution_kind: Code,
    pub membership: Membership,
    /// What counts at the slot's start.
    pub moment: Moment,
    pub pieces: Vec<Piece>,
    /// Why they held it: `publication:…`, `swap:…`, `override:…`.
    pub because: Vec<Code>,
    /// A swap or an override lies in it: the clerk may want to look.
    pub changed_hands: bool,
}

impl StandbyEvent {
    /// The event's name in lines; with a day where it is counted day by day.
    #[must_use]
    pub fn name(&self, day: Option<CivilDate>) -> DutyRef {
        DutyRef {
            area: self.area.clone(),
            role: self.role,
            slot: self.slot.clone(),
            person: self.person.clone(),
            from: self.window.from,
            day,
        }
    }
}

/// A continuous 24-hour turn of an institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnEvent {
    pub association: AssociationId,
    pub institution: InstitutionId,
    pub institution_kind: Code,
    pub membership: Membership,
    pub window: Window,
    /// What counts at its start: a turn belongs to the day on which it starts.
    pub moment: Moment,
}

impl TurnEvent {
    /// The event's name in lines.
    #[must_use]
    pub fn name(&self) -> TurnRef {
        TurnRef { institution: self.institution.clone(), from: self.window.from }
    }
}

/// What the ledger must know of the people and institutions of the rota.
pub trait People {
    /// The kind of the institution.
    fn institution_kind(&self, institution: &InstitutionId) -> Code;
    /// How the person stood with the association at that time.
    fn membership(&self, person: &MemberId, at: Millis) -> Membership;
    /// How the institution stood.
    fn institution_membership(&self, institution: &InstitutionId, at: Millis) -> Membership;
}

/// The minutes of the day at which the facts of a calendar may change.
fn turning_minutes(calendar: &Calendar, tariffs: &Tariffs) -> BTreeSet<u16> {
    // Midnight, and deep night as the fee schedule has it.
    let mut minutes = BTreeSet::from([0u16, 6 * 60, 22 * 60]);
    let mut night = |hours: crate::domain::calendar::NightHours| {
        let (from, to) = hours.into();
        minutes.extend([from, to]);
    };
    night(calendar.night);
    let rules = || std::iter::once(&calendar.rules).chain(tariffs.calendars().values());
    for rules in rules() {
        rules.night.map(&mut night);
        rules.deep_night.map(&mut night);
    }
    for rules in rules() {
        if let Some(Saturday::HolidayFrom(minute)) = rules.saturday {
            minutes.insert(minute);
        }
    }
    minutes
}

/// Cuts a window wherever day or band may change.
fn pieces(window: Window, minutes: &BTreeSet<u16>, calendar: &Calendar, zone: Tz) -> Vec<Piece> {
    let mut cuts = BTreeSet::from([window.from]);
    let mut day = civil_day(window.from, zone);
    let last = civil_day(window.to, zone);
    while day <= last {
        for minute in minutes {
            let time = NaiveTime::from_hms_opt(u32::from(minute / 60), u32::from(minute % 60), 0);
            let cut = time.map(|time| instant_of(day, time, zone));
            cuts.extend(cut.filter(|at| window.from < *at && *at < window.to));
        }
        day = day.plus_days(1);
    }
    let ends = cuts.iter().copied().skip(1).chain([window.to]);
    let mut pieces = Vec::with_capacity(cuts.len());
    for (from, to) in cuts.iter().copied().zip(ends) {
        let moment = Moment::of(from, zone, calendar);
        pieces.push(Piece { window: Window { from, to }, moment });
    }
    pieces
}

/// Every stretch of duty that begins in `within` or reaches into it, in order.
///
/// Neighbouring parts of the timeline in which the same person holds the same slot are one stretch, for
/// whatever reason they hold them.
#[must_use]
pub fn stretches(
    association: &AssociationId,
    timeline: &Timeline,
    within: Window,
    slot_windows: &BTreeMap<(Area, SlotKey, RotaRole), Window>,
    people: &dyn People,
    (calendar, tariffs, zone): (&Calendar, &Tariffs, Tz),
) -> Vec<StandbyEvent> {
    let minutes = turning_minutes(calendar, tariffs);
    let mut found = Vec::new();
    for (area, role) in timeline.lines() {
        let mut open: Vec<StandbyEvent> = Vec::new();
        for part in timeline.parts(area, role) {
            let touches = part.window.to > within.from && part.window.from < within.to;
            if !touches || part.window.from == Millis(i64::MIN) || part.window.to == Millis(i64::MAX) {
                found.append(&mut open);
                continue;
            }
            let (mut going, ended): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|s: &StandbyEvent| s.window.to == part.window.from);
            found.extend(ended);
            let mut next: Vec<StandbyEvent> = Vec::new();
            for held in &part.held {
                let slot = held.why.slot();
                let same = |s: &StandbyEvent| {
                    s.slot.as_ref() == slot
                        && s.person == held.holder.person
                        && s.institution == held.holder.institution
                };
                let (why, changed) = match &held.why {
                    Because::Published { publication, .. } => (format!("publication:{publication}"), false),
                    Because::Swapped { swap, .. } => (format!("swap:{swap}"), true),
                    Because::Overridden { by } => (format!("override:{by}"), true),
                };
                let why = why.parse::<Code>().ok();
                if let Some(at) = going.iter().position(same) {
                    let mut stretch = going.swap_remove(at);
                    stretch.window.to = part.window.to;
                    stretch.changed_hands |= changed;
                    stretch.because.extend(why.filter(|why| !stretch.because.contains(why)));
                    next.push(stretch);
                    continue;
                }
                let slot_window = slot
                    .and_then(|slot| slot_windows.get(&(area.clone(), slot.clone(), role)))
                    .copied()
                    .unwrap_or(part.window);
                next.push(StandbyEvent {
                    association: association.clone(),
                    area: area.clone(),
                    role,
                    slot: slot.cloned(),
                    slot_window,
                    window: part.window,
                    person: held.holder.person.clone(),
                    institution: held.holder.institution.clone(),
                    institution_kind: people.institution_kind(&held.holder.institution),
                    membership: people.membership(&held.holder.person, part.window.from),
                    moment: Moment::of(slot_window.from, zone, calendar),
                    pieces: Vec::new(),
                    because: why.into_iter().collect(),
                    changed_hands: changed,
                });
            }
            found.append(&mut going);
            open = next;
        }
        found.append(&mut open);
    }
    for stretch in &mut found {
        if stretch.slot.is_none() {
            stretch.slot_window = stretch.window;
        }
        stretch.pieces = pieces(stretch.window, &minutes, calendar, zone);
    }
    found.sort_by_key(|s| (s.window.from, s.name(None)));
    found
}

/// Every continuous 24-hour turn that starts in `within` and is over by its end or later, in order.
#[must_use]
pub fn turns(
    association: &AssociationId,
    timeline: &Timeline,
    within: Window,
    people: &dyn People,
    calendar: &Calendar,
    zone: Tz,
) -> Vec<TurnEvent> {
    let mut found: Vec<TurnEvent> = Vec::new();
    for (institution, windows) in full_day_turns(timeline) {
        for window in windows.into_iter().filter(|w| within.from <= w.from && w.from < within.to) {
            found.push(TurnEvent {
                association: association.clone(),
                institution_kind: people.institution_kind(&institution),
                membership: people.institution_membership(&institution, window.from),
                institution: institution.clone(),
                window,
                moment: Moment::of(window.from, zone, calendar),
            });
        }
    }
    found.sort_by_key(|t| (t.window.from, t.institution.clone()));
    found
}
