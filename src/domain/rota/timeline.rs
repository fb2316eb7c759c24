//! Who is on (いまの当番): the records of an instant, laid over each other once, and asked as often as wanted.
//!
//! Override before taken swap before published assignment. Later recorded wins; with equal recorded times
//! the later start, then the greater id. Swaps are applied in that order and each needs its giver to hold
//! the duty when its turn comes, so a duty handed on twice goes to the last taker and a swap whose giver a
//! republication no longer names is void with all its legs. Who left is taken out last, of everything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{
    Area, Holder, Leaver, Leaving, Leg, Override, Publication, Records, RotaRole, SlotKey, Swap,
};
use crate::ids::{MemberId, OverrideId, PublicationId, SwapId};
use crate::time::{Millis, Window};

/// The beginning and the end of time: a line of the rota has no edges.
const ALWAYS: Window = Window { from: Millis(i64::MIN), to: Millis(i64::MAX) };

/// Why somebody is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// A publication names them.
    Published { publication: PublicationId, slot: SlotKey },
    /// They took it from the one whom the publication names, perhaps over others.
    Swapped { swap: SwapId, publication: PublicationId, slot: SlotKey },
    /// The office put them there.
    Overridden { by: OverrideId },
}

impl Because {
    /// The slot they hold; an override belongs to hours, not to a slot.
    #[must_use]
    pub const fn slot(&self) -> Option<&SlotKey> {
        match self {
            Self::Published { slot, .. } | Self::Swapped { slot, .. } => Some(slot),
            Self::Overridden { .. } => None,
        }
    }
}

/// Somebody is on, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// Who.
    pub holder: Holder,
    /// Why.
    pub why: Because,
}

impl Held {
    /// Held by a slot, so that it can be given away; not by a change of the office.
    #[must_use]
    pub const fn is_of_a_slot(&self) -> bool {
        self.why.slot().is_some()
    }
}

/// Why nobody is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "gap", rename_all = "snake_case")]
pub enum Gap {
    /// No publication names anybody.
    Unassigned,
    /// An override names nobody.
    Emptied { by: OverrideId },
    /// Whoever held it has left.
    Left { people: Vec<MemberId> },
}

/// How many are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody.
    Gap,
    /// One person, as it should be.
    One,
    /// More than one: slots of one role overlap.
    Overlap,
}

/// A stretch of time in which nothing about a role of an area changes, reasons included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// From when until when; the first and the last part of a line have no edge on one side, then it is the
    /// beginning (`i64::MIN`) or the end (`i64::MAX`) of time.
    pub window: Window,
    /// Everybody who is on, sorted; one person stands here twice when two of their slots overlap.
    pub held: Vec<Held>,
    /// Why nobody is on; `None` when somebody is.
    pub gap: Option<Gap>,
    /// Swaps that would count here and do not, see [`Timeline::void_swaps`].
    pub void: Vec<SwapId>,
}

impl Part {
    /// The people who are on, each once.
    #[must_use]
    pub fn people(&self) -> Vec<Holder> {
        let mut people: Vec<Holder> = self.held.iter().map(|h| h.holder.clone()).collect();
        people.dedup();
        people
    }

    /// How many are on.
    #[must_use]
    pub fn standing(&self) -> Standing {
        standing(&self.people())
    }

    fn same_people(&self, other: &Self) -> bool {
        let mut mine = self.held.iter().map(|h| &h.holder).collect::<Vec<_>>();
        let mut theirs = other.held.iter().map(|h| &h.holder).collect::<Vec<_>>();
        mine.dedup();
        theirs.dedup();
        mine == theirs
    }

    fn same_but_for_time(&self, other: &Self) -> bool {
        self.held == other.held && self.gap == other.gap && self.void == other.void
    }
}

fn standing(people: &[Holder]) -> Standing {
    match people {
        [] => Standing::Gap,
        // Institutions may differ: a person cannot ring together with themselves.
        [first, rest @ ..] if rest.iter().all(|p| p.person == first.person) => Standing::One,
        _ => Standing::Overlap,
    }
}

/// A stretch of an expansion: neighbours always have different people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// From when until when, within the window asked for.
    pub window: Window,
    /// The people who are on, sorted, each once; nobody in a gap.
    pub people: Vec<Holder>,
    /// The parts it consists of, with their reasons; cut to the segment.
    pub parts: Vec<Part>,
}

impl Segment {
    /// How many are on.
    #[must_use]
    pub fn standing(&self) -> Standing {
        standing(&self.people)
    }
}

/// Why a recorded swap does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// The giver of a leg does not hold it: a later publication names another, or it was given away before.
    GiverDoesNotHold,
    /// A leg was over when the swap was taken.
    TooLate,
    /// It has no leg at all.
    Empty,
}

/// A recorded swap that does not count, to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidSwap {
    /// Its id.
    pub swap: SwapId,
    /// What would have changed hands, sorted.
    pub legs: Vec<Leg>,
    /// Why.
    pub why: VoidReason,
}

/// What is so at a moment of a line while it is being laid.
#[derive(Clone, Debug, Default)]
struct Content {
    held: Vec<Held>,
    emptied: Option<OverrideId>,
    left: Vec<MemberId>,
    void: Vec<SwapId>,
}

impl Content {
    fn part(mut self, window: Window) -> Part {
        self.held.sort();
        self.held.dedup();
        self.void.sort();
        let gap = match (self.held.is_empty(), self.emptied) {
            (false, _) => None,
            (true, Some(by)) => Some(Gap::Emptied { by }),
            (true, None) if self.left.is_empty() => Some(Gap::Unassigned),
            (true, None) => {
                self.left.sort();
                self.left.dedup();
                Some(Gap::Left { people: self.left })
            }
        };
        Part { window, held: self.held, gap, void: self.void }
    }
}

/// One role of one area while it is being laid: each content counts from its key until the next key.
#[derive(Debug)]
struct Canvas(BTreeMap<Millis, Content>);

impl Canvas {
    fn new() -> Self {
        Self(BTreeMap::from([(ALWAYS.from, Content::default())]))
    }

    fn cut(&mut self, at: Millis) {
        if let Some((begun, content)) = self.0.range(..=at).next_back()
            && *begun != at
        {
            let content = content.clone();
            self.0.insert(at, content);
        }
    }

    /// What lies within the window, cut at its edges.
    fn within(&mut self, window: Window) -> impl Iterator<Item = &mut Content> {
        let to = window.to.max(window.from);
        self.cut(window.from);
        if to < ALWAYS.to {
            self.cut(to);
        }
        self.0.range_mut(window.from..to).map(|(_, content)| content)
    }

    /// What touches the window, uncut.
    fn touching(&self, window: Window) -> impl Iterator<Item = &Content> {
        let first = self.0.range(..=window.from).next_back();
        let rest = self
            .0
            .range(window.from..window.to.max(window.from))
            .skip_while(move |(at, _)| **at == window.from);
        first.into_iter().chain(rest).map(|(_, content)| content)
    }

    fn parts(self) -> Vec<Part> {
        let ends: Vec<Millis> = self.0.keys().skip(1).copied().chain([ALWAYS.to]).collect();
        let mut parts: Vec<Part> = Vec::with_capacity(ends.len());
        for ((from, content), to) in self.0.into_iter().zip(ends) {
            let part = content.part(Window { from, to });
            match parts.last_mut() {
                Some(last) if last.same_but_for_time(&part) => last.window.to = to,
                _ => parts.push(part),
            }
        }
        parts
    }
}

impl Records {
    /// Who is on at an instant, as known at `as_of` or today. Lays the whole rota for one question: whoever
    /// asks more than once keeps a [`Timeline`].
    #[must_use]
    pub fn who(&self, area: &Area, role: RotaRole, at: Millis, as_of: Option<Millis>) -> Part {
        Timeline::new(self, as_of).who(area, role, at).clone()
    }

    /// Who is on over a window, as known at `as_of` or today; see [`Timeline::expand`].
    #[must_use]
    pub fn expand(&self, area: &Area, role: RotaRole, window: Window, as_of: Option<Millis>) -> Vec<Segment> {
        Timeline::new(self, as_of).expand(area, role, window)
    }
}

type Lines<T> = BTreeMap<Area, BTreeMap<RotaRole, T>>;

fn line<'a>(lines: &'a mut Lines<Canvas>, area: &Area, role: RotaRole) -> &'a mut Canvas {
    lines.entry(area.clone()).or_default().entry(role).or_insert_with(Canvas::new)
}

/// Who is on, as known at one instant: laid once, then asked by binary search. Times without any record are
/// gaps, so every question has an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    lines: Lines<Vec<Part>>,
    nobody: Part,
    void: Vec<VoidSwap>,
}

impl Timeline {
    /// Lays what was recorded at or before `as_of`; everything that is known today without it.
    #[must_use]
    pub fn new(records: &Records, as_of: Option<Millis>) -> Self {
        let known = |at: Millis| as_of.is_none_or(|as_of| at <= as_of);
        let mut lines: Lines<Canvas> = BTreeMap::new();
        publish(&mut lines, records.publications.iter().filter(|p| known(p.recorded_at)));
        let void = hand_over(&mut lines, records.swaps.iter().filter(|s| s.counts(known)));
        let standing = |o: &&Override| known(o.recorded_at) && !o.withdrawn_at.is_some_and(known);
        put_over(&mut lines, records.overrides.iter().filter(standing));
        for leaving in records.leavings.iter().filter(|l| known(l.recorded_at)) {
            take_out(&mut lines, leaving, known);
        }
        let lines = lines.into_iter().map(|(area, roles)| {
            (area, roles.into_iter().map(|(role, canvas)| (role, canvas.parts())).collect())
        });
        let nobody = Content::default().part(ALWAYS);
        Self { lines: lines.collect(), nobody, void }
    }

    /// Who is on at an instant, why, and from when until when nothing of that changes. The instant of a
    /// hand-over belongs to the one who comes on.
    #[must_use]
    pub fn who(&self, area: &Area, role: RotaRole, at: Millis) -> &Part {
        let parts = self.parts(area, role);
        let begun = parts.partition_point(|part| part.window.from <= at);
        begun.checked_sub(1).and_then(|i| parts.get(i)).unwrap_or(&self.nobody)
    }

    /// Who is on over a window: covers it without hole or overlap, gaps included, neighbours with the same
    /// people merged.
    #[must_use]
    pub fn expand(&self, area: &Area, role: RotaRole, window: Window) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        for part in self.parts_within(area, role, window) {
            match segments.last_mut() {
                Some(last) if last.parts.last().is_some_and(|p| p.same_people(&part)) => {
                    last.window.to = part.window.to;
                    last.parts.push(part);
                }
                _ => {
                    let people = part.people();
                    segments.push(Segment { window: part.window, people, parts: vec![part] });
                }
            }
        }
        segments
    }

    /// The parts of a window, cut to it: as [`Timeline::expand`], not merged.
    pub fn parts_within(
        &self,
        area: &Area,
        role: RotaRole,
        window: Window,
    ) -> impl Iterator<Item = Part> + use<'_> {
        let parts = match self.parts(area, role) {
            [] => std::slice::from_ref(&self.nobody),
            parts => parts,
        };
        let first = parts.partition_point(|part| part.window.to <= window.from);
        parts.iter().skip(first).take_while(move |part| part.window.from < window.to).map(move |part| {
            let cut = Window { from: part.window.from.max(window.from), to: part.window.to.min(window.to) };
            Part { window: cut, ..part.clone() }
        })
    }

    /// The next hand-over after `at`: the first later instant from which other people are on, or nobody.
    /// `None` when nothing changes any more.
    #[must_use]
    pub fn next_hand_over(&self, area: &Area, role: RotaRole, at: Millis) -> Option<&Part> {
        let now = self.who(area, role, at);
        let parts = self.parts(area, role);
        let later = parts.partition_point(|part| part.window.from <= at);
        parts.iter().skip(later).find(|part| !part.same_people(now))
    }

    /// Swaps that are recorded and do not count, in the order in which they were tried.
    #[must_use]
    pub fn void_swaps(&self) -> &[VoidSwap] {
        &self.void
    }

    /// Every area and role of which anything is recorded.
    pub fn lines(&self) -> impl Iterator<Item = (&Area, RotaRole)> {
        self.lines.iter().flat_map(|(area, roles)| roles.keys().map(move |role| (area, *role)))
    }

    /// Every part of a line, in order; none when nothing is recorded of it.
    #[must_use]
    pub fn parts(&self, area: &Area, role: RotaRole) -> &[Part] {
        self.lines.get(area).and_then(|roles| roles.get(&role)).map_or(&[], Vec::as_slice)
    }

    /// Whether the person is on throughout the window, for this role and area.
    #[must_use]
    pub fn holds(&self, person: &MemberId, area: &Area, role: RotaRole, window: Window) -> bool {
        let mut parts = self.parts_within(area, role, window);
        parts.all(|part| part.held.iter().any(|h| h.holder.person == *person))
    }
}

impl Swap {
    /// When the earliest leg begins; `None` without legs.
    #[must_use]
    pub fn begins(&self) -> Option<Millis> {
        self.legs.iter().map(|leg| leg.window.from).min()
    }

    /// Recorded, and not undone in time, as far as known.
    fn counts(&self, known: impl Fn(Millis) -> bool) -> bool {
        let in_time = |undone: Millis| self.begins().is_none_or(|begins| undone < begins);
        known(self.recorded_at) && !self.undone_at.is_some_and(|undone| known(undone) && in_time(undone))
    }
}

fn publish<'a>(lines: &mut Lines<Canvas>, known: impl Iterator<Item = &'a Publication>) {
    let mut by_area: BTreeMap<&Area, Vec<&Publication>> = BTreeMap::new();
    for publication in known {
        by_area.entry(&publication.area).or_default().push(publication);
    }
    for (area, mut publications) in by_area {
        publications.sort_by(|a, b| publication_order(a).cmp(&publication_order(b)));
        let mut rest = publications.as_slice();
        while let Some((publication, later)) = rest.split_first() {
            rest = later;
            for assignment in &publication.assignments {
                let begins = assignment.window.from;
                let replaced = later.iter().any(|p| p.period.contains(begins));
                if assignment.area == *area && publication.period.contains(begins) && !replaced {
                    let held = Held {
                        holder: assignment.holder.clone(),
                        why: Because::Published {
                            publication: publication.id.clone(),
                            slot: assignment.slot.clone(),
                        },
                    };
                    for content in line(lines, area, assignment.role).within(assignment.window) {
                        content.held.push(held.clone());
                    }
                }
            }
        }
    }
}

fn publication_order(p: &Publication) -> (Millis, Millis, &PublicationId) {
    (p.recorded_at, p.period.from, &p.id)
}

fn hand_over<'a>(lines: &mut Lines<Canvas>, known: impl Iterator<Item = &'a Swap>) -> Vec<VoidSwap> {
    let mut swaps: Vec<&Swap> = known.collect();
    swaps.sort_by_key(|s| (s.recorded_at, s.begins(), &s.id));
    swaps.dedup();
    let mut void = Vec::new();
    for swap in swaps {
        let effective = |window: Window| Window::new(window.from.max(swap.taken_at), window.to);
        let mut legs: Vec<&Leg> = swap.legs.iter().collect();
        legs.sort();
        let legs = legs.into_iter().map(|leg| (leg, effective(leg.window)));
        let mut why = swap.legs.is_empty().then_some(VoidReason::Empty);
        for (leg, window) in legs.clone() {
            let Some(window) = window else {
                why = why.or(Some(VoidReason::TooLate));
                continue;
            };
            let canvas = line(lines, &leg.area, leg.role);
            let holds = |content: &Content| content.held.iter().any(|h| h.holder.person == leg.giver);
            if !canvas.touching(window).all(holds) {
                why = why.or(Some(VoidReason::GiverDoesNotHold));
            }
        }
        for (leg, window) in legs.clone() {
            let canvas = line(lines, &leg.area, leg.role);
            for content in canvas.within(window.unwrap_or(leg.window)) {
                if why.is_some() {
                    if !content.void.contains(&swap.id) {
                        content.void.push(swap.id.clone());
                    }
                } else {
                    give(content, swap, &leg.giver, &leg.taker);
                }
            }
        }
        if let Some(why) = why {
            let legs = legs.map(|(leg, _)| leg.clone()).collect();
            void.push(VoidSwap { swap: swap.id.clone(), legs, why });
        }
    }
    void
}

fn give(content: &mut Content, swap: &Swap, giver: &MemberId, taker: &Holder) {
    for held in content.held.iter_mut().filter(|h| h.holder.person == *giver) {
        let (Because::Published { publication, slot } | Because::Swapped { publication, slot, .. }) =
            held.why.clone()
        else {
            continue;
        };
        held.holder = taker.clone();
        held.why = Because::Swapped { swap: swap.id.clone(), publication, slot };
    }
}

fn put_over<'a>(lines: &mut Lines<Canvas>, known: impl Iterator<Item = &'a Override>) {
    let mut overrides: Vec<&Override> = known.collect();
    overrides.sort_by_key(|o| (o.recorded_at, o.window.from, &o.id));
    for o in overrides {
        let held = o
            .holder
            .iter()
            .map(|holder| Held { holder: holder.clone(), why: Because::Overridden { by: o.id.clone() } });
        for content in line(lines, &o.area, o.role).within(o.window) {
            content.held = held.clone().collect();
            content.emptied = o.holder.is_none().then(|| o.id.clone());
        }
    }
}

fn take_out(lines: &mut Lines<Canvas>, leaving: &Leaving, known: impl Fn(Millis) -> bool) {
    let back = leaving.back.filter(|back| known(back.recorded_at));
    let Some(away) = Window::new(leaving.from, back.map_or(ALWAYS.to, |back| back.from)) else { return };
    let leaves = |held: &Held| match &leaving.who {
        Leaver::Person(person) => held.holder.person == *person,
        Leaver::Institution(institution) => held.holder.institution == *institution,
    };
    for canvas in lines.values_mut().flat_map(BTreeMap::values_mut) {
        if !canvas.touching(away).any(|content| content.held.iter().any(leaves)) {
            continue;
        }
        for content in canvas.within(away) {
            let gone = content.held.iter().filter(|h| leaves(h)).map(|h| h.holder.person.clone());
            content.left.extend(gone);
            content.held.retain(|h| !leaves(h));
        }
    }
}
