//! What duty counts for: points as held, shares, the spread and the median, what is carried into the next
//! fiscal year. Never a ranking: a person sees their own figures and the median.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{Area, RotaRole};
use super::slots::{Points, Slot};
use super::timeline::Timeline;
use crate::domain::ledger::Code;
use crate::ids::MemberId;
use crate::time::{Millis, Window};

/// What one person held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Points, whole and parts of slots.
    pub points: Points,
    /// Slots held, whole or in part, by kind and role.
    pub slots: BTreeMap<Code, BTreeMap<RotaRole, u32>>,
    /// Elapsed time held, in milliseconds, by role.
    pub held_ms: BTreeMap<RotaRole, i64>,
}

/// Counts what was held of these slots, as the timeline has it: swaps and overrides count for whoever stood
/// there. The points of a slot held by several, one after the other, are shared by elapsed time; rounding
/// never loses or makes any. Where slots of a role overlap, each counts for its own holder in full.
#[must_use]
pub fn tallies(timeline: &Timeline, slots: &[Slot]) -> BTreeMap<MemberId, Tally> {
    let mut tallies: BTreeMap<MemberId, Tally> = BTreeMap::new();
    for slot in slots {
        for role in &slot.roles {
            for (person, held) in held_of(timeline, slot, *role) {
                let tally = tallies.entry(person).or_default();
                tally.points = tally.points.plus(held.points);
                let kinds = tally.slots.entry(slot.key.kind.clone()).or_default();
                *kinds.entry(*role).or_default() += 1;
                *tally.held_ms.entry(*role).or_default() += held.held_ms;
            }
        }
    }
    tallies
}

#[derive(Default)]
struct HeldOfSlot {
    points: Points,
    held_ms: i64,
}

fn held_of(timeline: &Timeline, slot: &Slot, role: RotaRole) -> BTreeMap<MemberId, HeldOfSlot> {
    let mut by_person: BTreeMap<MemberId, HeldOfSlot> = BTreeMap::new();
    let whole = slot.points.get(&role).copied().unwrap_or_default();
    let until = |at: Millis| part_of(whole, at.since_ms(slot.window.from), slot.window);
    for part in timeline.parts_within(&slot.area, role, slot.window) {
        let mut people: Vec<&MemberId> = part
            .held
            .iter()
            .filter(|held| held.why.slot().is_none_or(|key| *key == slot.key))
            .map(|held| &held.holder.person)
            .collect();
        people.dedup();
        for person in people {
            let held = by_person.entry(person.clone()).or_default();
            held.points = held.points.plus(until(part.window.to).minus(until(part.window.from)));
            held.held_ms += part.window.to.since_ms(part.window.from);
        }
    }
    by_person
}

/// The points up to so far into a slot, rounded to the nearest hundredth: differences of these add up.
fn part_of(whole: Points, elapsed_ms: i64, window: Window) -> Points {
    let length = i128::from(window.to.since_ms(window.from)).max(1);
    let exact = i128::from(whole.0) * i128::from(elapsed_ms);
    Points(i64::try_from((exact * 2 + length).div_euclid(length * 2)).unwrap_or(whole.0))
}

/// How far apart people are, without saying who is where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The fewest points anybody has.
    pub least: Points,
    /// The middle; of two middle ones the mean, rounded down.
    pub median: Points,
    /// The most points anybody has.
    pub most: Points,
}

impl Spread {
    /// The spread over these figures, one for each person who takes part, those with nothing included.
    /// `None` when there are none.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = Points>) -> Option<Self> {
        let mut sorted: Vec<Points> = figures.into_iter().collect();
        sorted.sort_unstable();
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.get(sorted.len() / 2)?;
        let below = sorted.get((sorted.len() - 1) / 2)?;
        let sum = i128::from(middle.0) + i128::from(below.0);
        let median = Points(i64::try_from(sum.div_euclid(2)).unwrap_or(middle.0));
        Some(Self { least, median, most })
    }

    /// The distance between the ends.
    #[must_use]
    pub const fn range(self) -> Points {
        self.most.minus(self.least)
    }
}

/// Splits a sum by shares (percent of a full share), to the hundredth and without remainder: what rounding
/// leaves goes to the largest remainders, then by id. Nobody's share counts when all are 0.
#[must_use]
pub fn fair_shares(sum: Points, shares: &BTreeMap<MemberId, u32>) -> BTreeMap<MemberId, Points> {
    let all: i128 = shares.values().map(|share| i128::from(*share)).sum();
    if all == 0 {
        return BTreeMap::new();
    }
    let exact = |share: u32| i128::from(sum.0) * i128::from(share);
    let mut fair: BTreeMap<MemberId, Points> = BTreeMap::new();
    let mut remainders = Vec::with_capacity(shares.len());
    let mut left = i128::from(sum.0);
    for (person, share) in shares {
        let floor = exact(*share).div_euclid(all);
        left -= floor;
        remainders.push((std::cmp::Reverse(exact(*share).rem_euclid(all)), person));
        fair.insert(person.clone(), Points(i64::try_from(floor).unwrap_or_default()));
    }
    remainders.sort();
    let extra = usize::try_from(left).unwrap_or_default();
    for (_, person) in remainders.into_iter().take(extra) {
        if let Some(points) = fair.get_mut(person) {
            points.0 += 1;
        }
    }
    fair
}

/// What somebody should do this year: the fair share without what they did too much before.
#[must_use]
pub const fn target(fair_share: Points, carried_in: Points) -> Points {
    fair_share.minus(carried_in)
}

/// What somebody carries into the next fiscal year (繰越): what they did above their target, negative below.
#[must_use]
pub const fn carry_over(done: Points, fair_share: Points, carried_in: Points) -> Points {
    done.minus(target(fair_share, carried_in))
}

/// The points of the slots of an area that nobody holds, by role: what the people have not shared.
#[must_use]
pub fn unheld(timeline: &Timeline, slots: &[Slot], area: &Area) -> Points {
    let here = slots.iter().filter(|slot| slot.area == *area);
    here.flat_map(|slot| slot.roles.iter().map(move |role| (slot, *role))).fold(
        Points::default(),
        |sum, (slot, role)| {
            let whole = slot.points.get(&role).copied().unwrap_or_default();
            let until = |at: Millis| part_of(whole, at.since_ms(slot.window.from), slot.window);
            let empty = timeline.parts_within(&slot.area, role, slot.window).filter(|p| p.held.is_empty());
            empty.fold(sum, |sum, part| sum.plus(until(part.window.to).minus(until(part.window.from))))
        },
    )
}
