//! Who is on, worked out anew for a single minute from the records alone: slow, plain, and sharing nothing
//! with the timeline but the records.

use std::collections::BTreeSet;

use super::*;

pub const MINUTE: i64 = 60_000;

/// The people on at a minute, with whether an override names nobody there.
pub fn people_at(
    records: &Records,
    area: &Area,
    role: RotaRole,
    minute: Millis,
    as_of: Option<Millis>,
) -> BTreeSet<Holder> {
    let valid = valid_swaps(records, as_of);
    let mut people = with_swaps(records, area, role, minute, as_of, &valid);
    let mut best: Option<&Override> = None;
    for o in &records.overrides {
        let there = o.area == *area && o.role == role && o.window.from <= minute && minute < o.window.to;
        let seen = known(o.recorded_at, as_of) && !o.withdrawn_at.is_some_and(|w| known(w, as_of));
        if there && seen {
            let wins = match best {
                None => true,
                Some(b) if o.recorded_at != b.recorded_at => o.recorded_at > b.recorded_at,
                Some(b) if o.window.from != b.window.from => o.window.from > b.window.from,
                Some(b) => o.id > b.id,
            };
            if wins {
                best = Some(o);
            }
        }
    }
    if let Some(o) = best {
        people = o.holder.iter().cloned().collect();
    }
    for l in records.leavings.iter().filter(|l| known(l.recorded_at, as_of) && l.from <= minute) {
        let back = l.back.is_some_and(|b| known(b.recorded_at, as_of) && b.from <= minute);
        if !back {
            people.retain(|h| match &l.who {
                Leaver::Person(p) => h.person != *p,
                Leaver::Institution(i) => h.institution != *i,
            });
        }
    }
    people
}

/// The swaps that do not count although they were recorded and not undone in time.
pub fn void(records: &Records, as_of: Option<Millis>) -> BTreeSet<SwapId> {
    let valid: BTreeSet<SwapId> = valid_swaps(records, as_of).into_iter().map(|s| s.id.clone()).collect();
    let taken = records.swaps.iter().filter(|s| standing(s, as_of)).map(|s| s.id.clone());
    taken.filter(|id| !valid.contains(id)).collect()
}

fn known(at: Millis, as_of: Option<Millis>) -> bool {
    match as_of {
        None => true,
        Some(as_of) => at.0 <= as_of.0,
    }
}

fn standing(s: &Swap, as_of: Option<Millis>) -> bool {
    let undone = s.undone_at.is_some_and(|u| known(u, as_of) && s.legs.iter().all(|l| u < l.window.from));
    known(s.recorded_at, as_of) && !undone
}

fn published(
    records: &Records,
    area: &Area,
    role: RotaRole,
    minute: Millis,
    as_of: Option<Millis>,
) -> Vec<Holder> {
    let mut people = Vec::new();
    for p in records.publications.iter().filter(|p| p.area == *area && known(p.recorded_at, as_of)) {
        for a in p.assignments.iter().filter(|a| a.area == *area && a.role == role) {
            // The publication that speaks for the instant at which the duty begins.
            let mut speaks: Option<&Publication> = None;
            for q in &records.publications {
                let for_it = q.area == *area && q.period.from <= a.window.from && a.window.from < q.period.to;
                let newer = speaks.is_none_or(|s| {
                    (q.recorded_at, q.period.from, q.id.as_str())
                        > (s.recorded_at, s.period.from, s.id.as_str())
                });
                if known(q.recorded_at, as_of) && for_it && newer {
                    speaks = Some(q);
                }
            }
            let on = a.window.from <= minute && minute < a.window.to;
            if on && speaks.is_some_and(|s| s.id == p.id) {
                people.push(a.holder.clone());
            }
        }
    }
    people
}

fn with_swaps(
    records: &Records,
    area: &Area,
    role: RotaRole,
    minute: Millis,
    as_of: Option<Millis>,
    valid: &[&Swap],
) -> BTreeSet<Holder> {
    let mut people = published(records, area, role, minute, as_of);
    for swap in valid {
        let mut legs = swap.legs.clone();
        legs.sort();
        for l in legs.iter().filter(|l| l.area == *area && l.role == role) {
            if minute >= l.window.from && minute < l.window.to && minute >= swap.taken_at {
                for h in people.iter_mut().filter(|h| h.person == l.giver) {
                    *h = l.taker.clone();
                }
            }
        }
    }
    people.into_iter().collect()
}

/// Tries the swaps one after the other; a leg needs its giver at every minute of it.
fn valid_swaps(records: &Records, as_of: Option<Millis>) -> Vec<&Swap> {
    let mut swaps: Vec<&Swap> = records.swaps.iter().filter(|s| standing(s, as_of)).collect();
    let start = |s: &Swap| s.legs.iter().map(|l| l.window.from).min();
    swaps.sort_by(|a, b| {
        let by_record = a.recorded_at.cmp(&b.recorded_at);
        by_record.then_with(|| start(a).cmp(&start(b))).then_with(|| a.id.cmp(&b.id))
    });
    let mut valid: Vec<&Swap> = Vec::new();
    for swap in swaps {
        let good = !swap.legs.is_empty()
            && swap.legs.iter().all(|l| {
                let mut minute = l.window.from.0.max(swap.taken_at.0);
                let mut all = minute < l.window.to.0;
                while all && minute < l.window.to.0 {
                    let here = with_swaps(records, &l.area, l.role, Millis(minute), as_of, &valid);
                    all = here.iter().any(|h| h.person == l.giver);
                    minute += MINUTE;
                }
                all
            });
        if good {
            valid.push(swap);
        }
    }
    valid
}
