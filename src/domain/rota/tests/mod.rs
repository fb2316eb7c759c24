//! What the rota promises, with people and places made up for the tests.

use chrono_tz::Tz;

use super::*;
use crate::domain::calendar::{Calendar, CivilDate, NightHours};
use crate::domain::ledger::Code;
use crate::ids::{InstitutionId, MemberId, OverrideId, PublicationId, SwapId};
use crate::time::{Millis, Window};

mod any;
mod asking;
mod checking;
mod counts;
mod feeds;
mod filling;
mod papers;
mod patterns;
mod publishing;
mod reference;
mod resolution;
mod zones;

const TOKYO: Tz = chrono_tz::Asia::Tokyo;

fn person(n: usize) -> MemberId {
    MemberId::named(&["person", &n.to_string()])
}

/// Three people share a clinic.
fn clinic(n: usize) -> InstitutionId {
    InstitutionId::named(&["clinic", &(n / 3).to_string()])
}

fn holder(n: usize) -> Holder {
    Holder { person: person(n), institution: clinic(n) }
}

fn area(name: &str) -> Area {
    name.parse().unwrap()
}

fn aoba() -> Area {
    area("aoba")
}

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

fn span(from: &str, to: &str) -> Window {
    Window::new(at(from), at(to)).unwrap()
}

fn key(text: &str) -> SlotKey {
    text.parse().unwrap()
}

fn calendar() -> Calendar {
    Calendar::national("test-1", NightHours::new(18 * 60, 8 * 60).unwrap())
}

fn duty(slot: &str, role: RotaRole, window: Window, n: usize) -> Assignment {
    Assignment { area: aoba(), slot: key(slot), role, window, holder: holder(n) }
}

fn publication(n: usize, recorded: &str, period: Window, assignments: Vec<Assignment>) -> Publication {
    Publication {
        id: PublicationId::named(&[&n.to_string()]),
        area: aoba(),
        period,
        recorded_at: at(recorded),
        assignments,
    }
}

fn leg(role: RotaRole, window: Window, giver: usize, taker: usize) -> Leg {
    Leg { area: aoba(), role, window, giver: person(giver), taker: holder(taker) }
}

fn swap(n: usize, taken: &str, legs: Vec<Leg>) -> Swap {
    let taken_at = at(taken);
    Swap { id: SwapId::named(&[&n.to_string()]), legs, taken_at, recorded_at: taken_at, undone_at: None }
}

fn put(n: usize, recorded: &str, role: RotaRole, window: Window, who: Option<usize>) -> Override {
    Override {
        id: OverrideId::named(&[&n.to_string()]),
        area: aoba(),
        role,
        window,
        holder: who.map(holder),
        recorded_at: at(recorded),
        withdrawn_at: None,
    }
}

/// The people on, as numbers.
fn on(records: &Records, role: RotaRole, instant: &str) -> Vec<usize> {
    numbers(&records.who(&aoba(), role, at(instant), None).people())
}

fn numbers(people: &[Holder]) -> Vec<usize> {
    let mut numbers: Vec<usize> =
        people.iter().map(|h| (0..100).find(|n| person(*n) == h.person).unwrap()).collect();
    numbers.sort_unstable();
    numbers
}
