//! Before and after publishing: what is refused, and what a publication changes for whom.

use serde::{Deserialize, Serialize};

use super::model::{Area, Assignment, Holder, Publication, Records, RotaRole};
use super::swaps::overlap;
use super::timeline::{Part, Timeline};
use crate::time::Window;

/// Why a rota cannot be published as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum Refused {
    /// Two duties of one role overlap; the second may have been published before and reach in.
    Overlap { role: RotaRole, first: Assignment, second: Assignment },
    /// A duty begins outside of the period, or belongs to another area.
    OutsideThePeriod { duty: Assignment },
    /// A duty ends before it begins.
    NoTime { duty: Assignment },
}

/// What stands against publishing, beside what is published already. Imports of history are not asked: there
/// overlapping slots are shown with all their people.
#[must_use]
pub fn refusals(publication: &Publication, records: &Records) -> Vec<Refused> {
    let mut found = Vec::new();
    let mut duties: Vec<&Assignment> = Vec::new();
    for duty in &publication.assignments {
        if duty.window.from >= duty.window.to {
            found.push(Refused::NoTime { duty: duty.clone() });
        } else if duty.area == publication.area && publication.period.contains(duty.window.from) {
            duties.push(duty);
        } else {
            found.push(Refused::OutsideThePeriod { duty: duty.clone() });
        }
    }
    let before = |p: &&Publication| p.area == publication.area && p.id != publication.id;
    for published in records.publications.iter().filter(before) {
        // What begins within the period is replaced; what an even later publication replaced plays no part.
        let stays = |duty: &&Assignment| {
            let begins = duty.window.from;
            let replaced = records.publications.iter().filter(before).any(|other| {
                (other.recorded_at, other.period.from, &other.id)
                    > (published.recorded_at, published.period.from, &published.id)
                    && other.period.contains(begins)
            });
            published.period.contains(begins) && !publication.period.contains(begins) && !replaced
        };
        duties.extend(published.assignments.iter().filter(|d| d.area == publication.area).filter(stays));
    }
    duties.sort_by_key(|duty| (duty.role, duty.window, *duty));
    let mut open: Vec<&Assignment> = Vec::new();
    for duty in duties {
        open.retain(|other| other.role == duty.role && other.window.to > duty.window.from);
        for other in open.iter().filter(|other| overlap(other.window, duty.window)) {
            let ours = publication.assignments.contains(other) || publication.assignments.contains(duty);
            if ours {
                let (first, second) = ((*other).clone(), duty.clone());
                found.push(Refused::Overlap { role: duty.role, first, second });
            }
        }
        open.push(duty);
    }
    found
}

/// A stretch in which other people are on after than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which role.
    pub role: RotaRole,
    /// From when until when.
    pub window: Window,
    /// Who was on.
    pub before: Vec<Holder>,
    /// Who is on now.
    pub after: Vec<Holder>,
}

/// What differs between two states of the rota of an area within a window, by role and time; neighbouring
/// stretches with the same people before and after are one.
#[must_use]
pub fn changes(before: &Timeline, after: &Timeline, area: &Area, window: Window) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for role in RotaRole::ALL {
        let mut from = window.from;
        while from < window.to {
            let (old, new) = (before.who(area, role, from), after.who(area, role, from));
            let to = old.window.to.min(new.window.to).min(window.to);
            if to <= from {
                break;
            }
            push(&mut changes, role, Window { from, to }, old, new);
            from = to;
        }
    }
    changes
}

fn push(changes: &mut Vec<Change>, role: RotaRole, window: Window, old: &Part, new: &Part) {
    let (before, after) = (old.people(), new.people());
    if before == after {
        return;
    }
    match changes.last_mut() {
        Some(last)
            if last.role == role
                && last.window.to == window.from
                && last.before == before
                && last.after == after =>
        {
            last.window.to = window.to;
        }
        _ => changes.push(Change { role, window, before, after }),
    }
}

/// The records with a publication added, to look at what it would change.
#[must_use]
pub fn with(records: &Records, publication: Publication) -> Records {
    let mut records = records.clone();
    records.publications.push(publication);
    records
}
