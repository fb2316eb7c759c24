//! What stands in a calendar feed (カレンダー購読): duties as entries that keep their names, count their changes and
//! say for a while that they are gone. How that is written down is `export`'s.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Area, Holder, Leaver, Leg, Records, RotaRole, SlotKey};
use super::swaps::overlap;
use super::timeline::{Because, Part, Timeline};
use crate::ids::{MemberId, OverrideId};
use crate::time::{Millis, Window};

/// How long an entry that is gone is still said to be gone, in seconds: calendar programs that only add would
/// show it for ever.
pub const GONE_FOR_S: i64 = 30 * 86_400;

/// Moments of change that are looked at for what is gone: far more than a month of a large district has.
const MOMENTS_MAX: usize = 500;

/// Whose duties a feed holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// Everything a person holds, in every area and role.
    Person(MemberId),
    /// Everybody in one role of an area.
    Line {
        /// Where.
        area: Area,
        /// Which role.
        role: RotaRole,
    },
}

/// What names an entry for ever, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    area: Area,
    role: RotaRole,
    from: Origin,
    /// In a person's own feed who they are: what two people hold after each other are two entries there.
    person: Option<MemberId>,
    /// Counts the pieces of a duty that is held in pieces, from 0.
    piece: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Slot(SlotKey),
    Override(OverrideId),
}

/// One entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names it for ever: the same duty has the same name in every later feed.
    pub name: String,
    /// Where.
    pub area: Area,
    /// Which role.
    pub role: RotaRole,
    /// The slot; a change made by the office belongs to hours, not to a slot.
    pub slot: Option<SlotKey>,
    /// From when until when; of one that is gone, as it last was.
    pub window: Window,
    /// Who is on; of one that is gone, who was.
    pub people: Vec<Holder>,
    /// How often something was recorded about it after the first time. Only grows.
    pub sequence: u32,
    /// When something was last recorded about it.
    pub modified: Millis,
    /// It was there within the last 30 days and is not any more.
    pub gone: bool,
}

/// A feed in words, ready to be written: what stands around its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its name in the list of calendars.
    pub name: String,
    /// What it is, in a sentence.
    pub description: String,
    /// In which zone the reader's program shows it, if it asks: `Asia/Tokyo`.
    pub zone: String,
    /// The host behind the `@` of every UID.
    pub host: String,
    /// Two letters of the language of the texts.
    pub language: &'static str,
    /// The entries, in the order in which they are to stand.
    pub events: Vec<Event>,
    /// Minutes before the beginning at which a program that wants it reminds.
    pub alarm_min: Option<u32>,
}

/// One entry in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Names it for ever, without the host.
    pub name: String,
    /// From when until when.
    pub window: Window,
    /// The line that is shown in a month.
    pub summary: String,
    /// What is shown when it is opened.
    pub description: String,
    /// Where: the area.
    pub location: String,
    /// The number of changes since the first.
    pub sequence: u32,
    /// When it last changed.
    pub modified: Millis,
    /// It does not take place any more.
    pub cancelled: bool,
}

/// The entries of a feed over a window, by beginning and name. `records` is everything that is known; what is
/// gone for longer than [`GONE_FOR_S`] before `now` is not said any more.
#[must_use]
pub fn entries(records: &Records, whose: &Whose, window: Window, now: Millis) -> Vec<Entry> {
    let there = pieces(&Timeline::new(records, None), whose, window);
    let mut entries: Vec<Entry> =
        there.iter().map(|(key, piece)| entry(records, key, piece, false)).collect();
    // What stood just before each moment of the last month, and does not stand now.
    let since = now.plus_s(-GONE_FOR_S);
    let mut moments: Vec<Millis> =
        moments(records, whose).into_iter().filter(|at| *at > since && *at <= now).collect();
    moments.reverse();
    let mut gone: BTreeMap<Key, Piece> = BTreeMap::new();
    for at in moments.into_iter().take(MOMENTS_MAX) {
        for (key, piece) in pieces(&Timeline::new(records, Some(at.plus_ms(-1))), whose, window) {
            if !there.contains_key(&key) {
                // The newest state counts: moments come newest first.
                gone.entry(key).or_insert(piece);
            }
        }
    }
    entries.extend(gone.iter().map(|(key, piece)| entry(records, key, piece, true)));
    entries.sort_by(|a, b| (a.window, &a.name).cmp(&(b.window, &b.name)));
    entries
}

#[derive(Clone, Debug)]
struct Piece {
    window: Window,
    people: Vec<Holder>,
}

/// What is held over a window, under the names of the entries.
fn pieces(timeline: &Timeline, whose: &Whose, window: Window) -> BTreeMap<Key, Piece> {
    let mut pieces: BTreeMap<Key, Piece> = BTreeMap::new();
    let mut counted: BTreeMap<(Area, RotaRole, Origin), usize> = BTreeMap::new();
    let lines: BTreeSet<(Area, RotaRole)> = timeline.lines().map(|(a, r)| (a.clone(), r)).collect();
    for (area, role) in lines {
        if matches!(whose, Whose::Line { area: a, role: r } if (a, *r) != (&area, role)) {
            continue;
        }
        let mut open: BTreeMap<Origin, (Millis, Key)> = BTreeMap::new();
        // Whole duties, also where the window cuts them: an entry does not change when the window moves on.
        let parts = timeline.parts(&area, role).iter().filter(|part| overlap(part.window, window));
        for part in parts {
            for (origin, people) in held(part, whose) {
                let goes_on = open.get(&origin).filter(|(to, key)| {
                    *to == part.window.from
                        && pieces
                            .get(key)
                            .is_some_and(|p| p.people == people || matches!(whose, Whose::Person(_)))
                });
                let key = match goes_on {
                    Some((_, key)) => key.clone(),
                    None => {
                        let n = counted.entry((area.clone(), role, origin.clone())).or_default();
                        let person = match whose {
                            Whose::Person(person) => Some(person.clone()),
                            Whose::Line { .. } => None,
                        };
                        let key = Key { area: area.clone(), role, from: origin.clone(), person, piece: *n };
                        *n += 1;
                        key
                    }
                };
                pieces
                    .entry(key.clone())
                    .and_modify(|piece| piece.window.to = part.window.to)
                    .or_insert(Piece { window: part.window, people });
                open.insert(origin, (part.window.to, key));
            }
        }
    }
    pieces
}

/// The origins of what a part holds, each with its people.
fn held(part: &Part, whose: &Whose) -> BTreeMap<Origin, Vec<Holder>> {
    let mut found: BTreeMap<Origin, Vec<Holder>> = BTreeMap::new();
    for held in &part.held {
        if matches!(whose, Whose::Person(person) if held.holder.person != *person) {
            continue;
        }
        let origin = match &held.why {
            Because::Published { slot, .. } | Because::Swapped { slot, .. } => Origin::Slot(slot.clone()),
            Because::Overridden { by } => Origin::Override(by.clone()),
        };
        found.entry(origin).or_default().push(held.holder.clone());
    }
    found
}

fn entry(records: &Records, key: &Key, piece: &Piece, gone: bool) -> Entry {
    let told = told(records, key, piece);
    let (origin, slot) = match &key.from {
        Origin::Slot(slot) => (slot.to_string(), Some(slot.clone())),
        Origin::Override(id) => (id.to_string(), None),
    };
    let person = key.person.as_ref().map_or("", MemberId::as_str);
    let parts = [key.area.as_str(), key.role.code(), &origin, person, &key.piece.to_string()];
    Entry {
        // The prefix keeps names of entries apart from all other named ids.
        name: OverrideId::named(&[&["calendar-entry"], parts.as_slice()].concat()).to_string().to_lowercase(),
        area: key.area.clone(),
        role: key.role,
        slot,
        window: piece.window,
        people: piece.people.clone(),
        sequence: u32::try_from(told.len().saturating_sub(1)).unwrap_or(u32::MAX),
        modified: told.last().copied().unwrap_or_default(),
        gone,
    }
}

/// When something was recorded that could change the entry: nothing recorded is ever taken out, so the list
/// only grows.
fn told(records: &Records, key: &Key, piece: &Piece) -> BTreeSet<Millis> {
    let mut told = BTreeSet::new();
    let here = |area: &Area, role: RotaRole, window: Window| {
        *area == key.area && role == key.role && overlap(window, piece.window)
    };
    for p in records.publications.iter().filter(|p| p.area == key.area) {
        // The night before the period may reach in, and what begins in it may be what is meant.
        let named = p
            .assignments
            .iter()
            .any(|a| a.role == key.role && matches!(&key.from, Origin::Slot(slot) if a.slot == *slot));
        if named || p.period.contains(piece.window.from) {
            told.insert(p.recorded_at);
        }
    }
    for o in records.overrides.iter().filter(|o| here(&o.area, o.role, o.window)) {
        told.insert(o.recorded_at);
        told.extend(o.withdrawn_at);
    }
    for s in &records.swaps {
        if s.legs.iter().any(|leg| here(&leg.area, leg.role, leg.window)) {
            told.insert(s.recorded_at);
            told.extend(s.undone_at);
        }
    }
    for l in records.leavings.iter().filter(|l| l.from < piece.window.to) {
        let theirs = piece.people.iter().any(|holder| match &l.who {
            Leaver::Person(person) => holder.person == *person,
            Leaver::Institution(institution) => holder.institution == *institution,
        });
        if theirs {
            told.insert(l.recorded_at);
            told.extend(l.back.map(|back| back.recorded_at));
        }
    }
    told
}

/// Every moment at which something was recorded that could take an entry out of the feed, in order.
fn moments(records: &Records, whose: &Whose) -> BTreeSet<Millis> {
    let here = |area: &Area, role: Option<RotaRole>| match whose {
        Whose::Person(_) => true,
        Whose::Line { area: a, role: r } => a == area && role.is_none_or(|role| role == *r),
    };
    let gives = |leg: &Leg| match whose {
        Whose::Person(person) => leg.giver == *person,
        Whose::Line { .. } => here(&leg.area, Some(leg.role)),
    };
    let publications = records.publications.iter().filter(|p| here(&p.area, None)).map(|p| p.recorded_at);
    let overrides = records.overrides.iter().filter(|o| here(&o.area, Some(o.role)));
    let overrides = overrides.flat_map(|o| [Some(o.recorded_at), o.withdrawn_at]).flatten();
    // Whoever took a duty loses it when the swap is undone.
    let undone = records.swaps.iter().filter_map(|s| s.undone_at);
    let swaps = records.swaps.iter().filter(|s| s.legs.iter().any(gives)).map(|s| s.recorded_at);
    let leavings = records.leavings.iter().filter(|l| match (&l.who, whose) {
        (Leaver::Person(who), Whose::Person(person)) => who == person,
        _ => true,
    });
    let leavings = leavings.flat_map(|l| [Some(l.recorded_at), l.back.map(|b| b.recorded_at)]).flatten();
    publications.chain(overrides).chain(undone).chain(swaps).chain(leavings).collect()
}
