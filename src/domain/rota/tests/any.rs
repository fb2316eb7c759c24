//! Any records at all, on whole minutes of a few hours, so that everything meets everything.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::reference::MINUTE;
use super::*;

/// The hours that are looked at, in minutes.
pub const HORIZON: i64 = 240;
const PEOPLE: usize = 5;

pub fn minute(n: i64) -> Millis {
    Millis(n * MINUTE)
}

fn window() -> impl Strategy<Value = Window> {
    (0..HORIZON - 1, 1..90i64)
        .prop_map(|(from, length)| Window { from: minute(from), to: minute((from + length).min(HORIZON)) })
}

/// Few instants, so that records often tie.
fn recorded() -> impl Strategy<Value = Millis> {
    (-4..8i64).prop_map(|n| minute(n * 30))
}

fn role() -> impl Strategy<Value = RotaRole> {
    prop_oneof![3 => Just(RotaRole::Primary), 1 => Just(RotaRole::Deputy)]
}

fn place() -> impl Strategy<Value = Area> {
    prop_oneof![4 => Just(aoba()), 1 => Just(area("west"))]
}

fn who() -> impl Strategy<Value = usize> {
    0..PEOPLE
}

/// Somebody for a clinic: now and then not their own.
fn any_holder() -> impl Strategy<Value = Holder> {
    (who(), prop_oneof![5 => Just(0usize), 1 => Just(3usize)])
        .prop_map(|(n, shift)| Holder { person: person(n), institution: clinic(n + shift) })
}

/// Mostly slots one after the other, as offices have them; now and then anywhere.
fn assignments() -> impl Strategy<Value = Vec<Assignment>> {
    let regular = (place(), vec((role(), any_holder()), 8)).prop_map(|(area, rows)| {
        let row = |(n, (role, holder)): (usize, (RotaRole, Holder))| {
            let from = i64::try_from(n / 2).unwrap() * 60;
            let window = Window { from: minute(from), to: minute(from + 60) };
            Assignment { area: area.clone(), slot: key(&format!("2026-07-01/s{n}")), role, window, holder }
        };
        rows.into_iter().enumerate().map(row).collect::<Vec<_>>()
    });
    let wild = vec((place(), role(), window(), any_holder(), 0..9u8), 0..6).prop_map(|rows| {
        let row = |(area, role, window, holder, n): (Area, RotaRole, Window, Holder, u8)| Assignment {
            area,
            slot: key(&format!("2026-07-01/w{n}")),
            role,
            window,
            holder,
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    });
    prop_oneof![3 => regular, 1 => wild]
}

fn publications() -> impl Strategy<Value = Vec<Publication>> {
    let whole = Just(Window { from: minute(0), to: minute(HORIZON) });
    let one = (place(), prop_oneof![2 => whole.boxed(), 1 => window().boxed()], recorded(), assignments());
    vec(one, 1..4).prop_map(|all| {
        let made = |(n, (area, period, recorded_at, mut assignments)): (
            usize,
            (Area, Window, Millis, Vec<Assignment>),
        )| {
            // Mostly its own area; the wild rows keep theirs.
            if n != 2 {
                assignments.iter_mut().for_each(|a| a.area = area.clone());
            }
            Publication {
                id: PublicationId::named(&[&n.to_string()]),
                area,
                period,
                recorded_at,
                assignments,
            }
        };
        all.into_iter().enumerate().map(made).collect()
    })
}

fn overrides() -> impl Strategy<Value = Vec<Override>> {
    let one = (
        place(),
        role(),
        window(),
        option::weighted(0.7, any_holder()),
        recorded(),
        option::weighted(0.2, recorded()),
    );
    vec(one, 0..5).prop_map(|all| {
        let made = |(n, (area, role, window, holder, recorded_at, withdrawn_at)): (usize, _)| Override {
            id: OverrideId::named(&[&usize::to_string(&n)]),
            area,
            role,
            window,
            holder,
            recorded_at,
            withdrawn_at,
        };
        all.into_iter().enumerate().map(made).collect()
    })
}

/// Legs on whole slots or parts of them, so that many of them can be taken.
fn legs() -> impl Strategy<Value = Vec<Leg>> {
    let hours = prop_oneof![
        3 => (0..4i64, 0..30i64, 31..61i64).prop_map(|(hour, from, to)| Window {
            from: minute(hour * 60 + from),
            to: minute(hour * 60 + to.min(60)),
        }),
        2 => (0..4i64).prop_map(|hour| Window { from: minute(hour * 60), to: minute(hour * 60 + 60) }),
        1 => window(),
    ];
    let one = (place(), role(), hours, who(), any_holder());
    vec(one, 0..3).prop_map(|all| {
        let made =
            |(area, role, window, giver, taker)| Leg { area, role, window, giver: person(giver), taker };
        all.into_iter().map(made).collect()
    })
}

fn swaps() -> impl Strategy<Value = Vec<Swap>> {
    let one = (legs(), recorded(), option::weighted(0.2, recorded()), option::weighted(0.2, recorded()));
    vec(one, 0..7).prop_map(|all| {
        let made =
            |(n, (legs, taken_at, recorded, undone_at)): (usize, (_, Millis, Option<Millis>, _))| Swap {
                id: SwapId::named(&[&n.to_string()]),
                legs,
                taken_at,
                recorded_at: recorded.unwrap_or(taken_at),
                undone_at,
            };
        all.into_iter().enumerate().map(made).collect()
    })
}

fn leavings() -> impl Strategy<Value = Vec<Leaving>> {
    let leaver = prop_oneof![
        3 => who().prop_map(|n| Leaver::Person(person(n))),
        1 => who().prop_map(|n| Leaver::Institution(clinic(n))),
    ];
    let back =
        (0..HORIZON, recorded()).prop_map(|(from, recorded_at)| Return { from: minute(from), recorded_at });
    let one = (leaver, 0..HORIZON, recorded(), option::weighted(0.3, back));
    vec(one, 0..3).prop_map(|all| {
        let made = |(who, from, recorded_at, back)| Leaving { who, from: minute(from), recorded_at, back };
        all.into_iter().map(made).collect()
    })
}

pub fn records() -> impl Strategy<Value = Records> {
    (publications(), overrides(), swaps(), leavings()).prop_map(
        |(publications, overrides, swaps, leavings)| Records { publications, overrides, swaps, leavings },
    )
}

/// An instant as of which is asked; mostly today.
pub fn as_of() -> impl Strategy<Value = Option<Millis>> {
    prop_oneof![Just(None), recorded().prop_map(Some)]
}

/// A window within the horizon or a little around it.
pub fn asked() -> impl Strategy<Value = Window> {
    (-20..HORIZON, 1..HORIZON + 40)
        .prop_map(|(from, length)| Window { from: minute(from), to: minute(from + length) })
}
