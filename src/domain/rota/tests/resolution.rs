//! Who is on: against the reference, against itself, and in the words of the office.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::any::{HORIZON, as_of, asked, minute, records};
use super::reference::{MINUTE, people_at, void};
use super::*;

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

#[test]
fn every_minute_is_as_the_plain_reading_of_the_records_says() {
    let seen: RefCell<BTreeMap<&str, u32>> = RefCell::default();
    let saw = |what: &'static str, is: bool| *seen.borrow_mut().entry(what).or_default() += u32::from(is);
    let mut runner = TestRunner::new(config(96));
    let result = runner.run(&(records(), as_of()), |(records, as_of)| {
        let timeline = Timeline::new(&records, as_of);
        let mut told: Vec<SwapId> = timeline.void_swaps().iter().map(|v| v.swap.clone()).collect();
        told.sort();
        prop_assert_eq!(&told, &void(&records, as_of).into_iter().collect::<Vec<_>>());
        saw("void swaps", !told.is_empty());
        for (area, role) in
            [(aoba(), RotaRole::Primary), (area("west"), RotaRole::Primary), (aoba(), RotaRole::Deputy)]
        {
            for n in -2..HORIZON + 2 {
                let part = timeline.who(&area, role, minute(n));
                let expected: Vec<Holder> =
                    people_at(&records, &area, role, minute(n), as_of).into_iter().collect();
                prop_assert_eq!(part.people(), expected, "{} {:?} minute {}", area, role, n);
                prop_assert_eq!(part.gap.is_some(), part.held.is_empty());
                prop_assert!(part.window.contains(minute(n)));
                saw("overlaps", part.standing() == Standing::Overlap);
                saw("left", matches!(part.gap, Some(Gap::Left { .. })));
                saw("emptied", matches!(part.gap, Some(Gap::Emptied { .. })));
                let why = |f: fn(&Because) -> bool| part.held.iter().any(|h| f(&h.why));
                saw("swapped", why(|w| matches!(w, Because::Swapped { .. })));
                saw("overridden", why(|w| matches!(w, Because::Overridden { .. })));
                saw("published", why(|w| matches!(w, Because::Published { .. })));
            }
        }
        Ok(())
    });
    result.unwrap();
    let seen = seen.borrow();
    let missing = ["void swaps", "overlaps", "left", "emptied", "swapped", "overridden", "published"];
    assert!(missing.iter().all(|what| seen.get(what).is_some_and(|n| *n > 0)), "{seen:?}");
}

fn line_of(n: u8) -> (Area, RotaRole) {
    match n {
        0 => (aoba(), RotaRole::Primary),
        1 => (aoba(), RotaRole::Deputy),
        2 => (area("west"), RotaRole::Primary),
        _ => (area("nowhere"), RotaRole::Backing),
    }
}

/// Segments put together: the last of the one and the first of the other are one if their people are.
fn joined(mut first: Vec<Segment>, second: Vec<Segment>) -> Vec<Segment> {
    for segment in second {
        match first.last_mut() {
            Some(last) if last.people == segment.people => {
                last.window.to = segment.window.to;
                for part in segment.parts {
                    match last.parts.last_mut() {
                        Some(p) if (&p.held, &p.gap, &p.void) == (&part.held, &part.gap, &part.void) => {
                            p.window.to = part.window.to;
                        }
                        _ => last.parts.push(part),
                    }
                }
            }
            _ => first.push(segment),
        }
    }
    first
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn an_expansion_covers_its_window_and_merges_neighbours(
        records in records(), as_of in as_of(), asked in asked(), line in 0..4u8,
    ) {
        let (area, role) = line_of(line);
        let segments = Timeline::new(&records, as_of).expand(&area, role, asked);
        prop_assert_eq!(segments.first().unwrap().window.from, asked.from);
        prop_assert_eq!(segments.last().unwrap().window.to, asked.to);
        for pair in segments.windows(2) {
            prop_assert_eq!(pair[0].window.to, pair[1].window.from);
            prop_assert_ne!(&pair[0].people, &pair[1].people);
        }
        for segment in &segments {
            prop_assert!(segment.window.from < segment.window.to);
            prop_assert_eq!(segment.parts.first().unwrap().window.from, segment.window.from);
            prop_assert_eq!(segment.parts.last().unwrap().window.to, segment.window.to);
            prop_assert!(segment.parts.iter().all(|p| p.people() == segment.people));
            prop_assert!(segment.parts.windows(2).all(|p| p[0].window.to == p[1].window.from));
        }
    }

    #[test]
    fn a_point_is_a_slice_of_any_expansion(
        records in records(), as_of in as_of(), asked in asked(), line in 0..4u8,
        inside in 0..1_000i64,
    ) {
        let (area, role) = line_of(line);
        let timeline = Timeline::new(&records, as_of);
        let length = asked.to.since_ms(asked.from);
        let instant = asked.from.plus_ms(length * inside / 1_000);
        let who = timeline.who(&area, role, instant);
        let segments = timeline.expand(&area, role, asked);
        let segment = segments.iter().find(|s| s.window.contains(instant)).unwrap();
        prop_assert_eq!(&segment.people, &who.people());
        let part = segment.parts.iter().find(|p| p.window.contains(instant)).unwrap();
        prop_assert_eq!((&part.held, &part.gap, &part.void), (&who.held, &who.gap, &who.void));
        prop_assert_eq!(records.who(&area, role, instant, as_of), who.clone());
    }

    #[test]
    fn two_expansions_that_meet_are_one(
        records in records(), as_of in as_of(), asked in asked(), line in 0..4u8, inside in 1..1_000i64,
    ) {
        let (area, role) = line_of(line);
        let timeline = Timeline::new(&records, as_of);
        let middle = asked.from.plus_ms(asked.to.since_ms(asked.from) * inside / 1_000);
        prop_assume!(asked.from < middle);
        let halves = [(asked.from, middle), (middle, asked.to)];
        let [first, second] = halves.map(|(from, to)| timeline.expand(&area, role, Window { from, to }));
        prop_assert_eq!(joined(first, second), timeline.expand(&area, role, asked));
    }

    #[test]
    fn the_order_of_rows_never_matters(
        (records, shuffled) in records().prop_flat_map(|r| {
            let shuffled = (
                Just(r.publications.clone()).prop_shuffle(),
                Just(r.overrides.clone()).prop_shuffle(),
                Just(r.swaps.clone()).prop_shuffle(),
                Just(r.leavings.clone()).prop_shuffle(),
            );
            (Just(r), shuffled)
        }),
        as_of in as_of(),
    ) {
        let (mut publications, overrides, mut swaps, leavings) = shuffled;
        publications.iter_mut().for_each(|p| p.assignments.reverse());
        swaps.iter_mut().for_each(|s| s.legs.reverse());
        let shuffled = Records { publications, overrides, swaps, leavings };
        let (one, two) = (Timeline::new(&records, as_of), Timeline::new(&shuffled, as_of));
        for n in 0..4 {
            let (area, role) = line_of(n);
            prop_assert_eq!(one.parts(&area, role), two.parts(&area, role));
        }
        let ids = |t: &Timeline| t.void_swaps().iter().map(|v| (v.swap.clone(), v.why)).collect::<Vec<_>>();
        prop_assert_eq!(ids(&one), ids(&two));
    }

    #[test]
    fn what_is_recorded_later_changes_nothing_of_what_was_known(records in records(), later in -4..8i64) {
        let as_of = minute(later * 30);
        let mut known = records.clone();
        known.publications.retain(|p| p.recorded_at <= as_of);
        known.overrides.retain(|o| o.recorded_at <= as_of);
        known.swaps.retain(|s| s.recorded_at <= as_of);
        known.leavings.retain(|l| l.recorded_at <= as_of);
        known.overrides.iter_mut().for_each(|o| o.withdrawn_at = o.withdrawn_at.filter(|w| *w <= as_of));
        known.swaps.iter_mut().for_each(|s| s.undone_at = s.undone_at.filter(|u| *u <= as_of));
        known.leavings.iter_mut().for_each(|l| l.back = l.back.filter(|b| b.recorded_at <= as_of));
        prop_assert_eq!(Timeline::new(&records, Some(as_of)), Timeline::new(&known, None));
    }

    #[test]
    fn records_read_back_from_their_text(records in records()) {
        let text = serde_json::to_string(&records).unwrap();
        prop_assert_eq!(serde_json::from_str::<Records>(&text).unwrap(), records);
    }
}

#[test]
fn the_reference_looks_at_minutes() {
    assert_eq!(minute(1).since_ms(minute(0)), MINUTE);
}

// ---- in the words of the office ------------------------------------------------------------------

const PRIMARY: RotaRole = RotaRole::Primary;
const DEPUTY: RotaRole = RotaRole::Deputy;

fn july() -> Window {
    span("2026-07-01T00:00:00+09:00", "2026-08-01T00:00:00+09:00")
}

fn night(n: u32) -> Window {
    span(&format!("2026-07-{n:02}T18:00:00+09:00"), &format!("2026-07-{:02}T08:00:00+09:00", n + 1))
}

/// The nights of 1 to 9 July: person n on the night of the nth, person n + 20 behind them.
fn nights() -> Vec<Assignment> {
    let night = |n: u32| {
        let (slot, who) = (format!("2026-07-{n:02}/wn"), usize::try_from(n).unwrap());
        [duty(&slot, PRIMARY, night(n), who), duty(&slot, DEPUTY, night(n), who + 20)]
    };
    (1..10).flat_map(night).collect()
}

fn published() -> Records {
    let publications = vec![publication(1, "2026-05-10T12:00:00+09:00", july(), nights())];
    Records { publications, ..Records::default() }
}

#[test]
fn the_very_second_of_the_hand_over_belongs_to_the_one_who_comes() {
    let mut records = published();
    let day = span("2026-07-02T08:00:00+09:00", "2026-07-02T18:00:00+09:00");
    records.publications[0].assignments.push(duty("2026-07-02/wd", PRIMARY, day, 15));
    assert_eq!(on(&records, PRIMARY, "2026-07-02T07:59:59.999+09:00"), [1]);
    assert_eq!(on(&records, PRIMARY, "2026-07-02T08:00:00+09:00"), [15]);
    assert_eq!(on(&records, PRIMARY, "2026-07-02T17:59:59.999+09:00"), [15]);
    assert_eq!(on(&records, PRIMARY, "2026-07-02T18:00:00+09:00"), [2]);
    let timeline = Timeline::new(&records, None);
    let next = timeline.next_hand_over(&aoba(), PRIMARY, at("2026-07-01T20:00:00+09:00")).unwrap();
    assert_eq!((next.window.from, numbers(&next.people())), (day.from, vec![15]));
    assert_eq!(timeline.next_hand_over(&aoba(), PRIMARY, at("2026-07-10T08:00:00+09:00")), None);
}

#[test]
fn outside_of_every_duty_there_is_a_gap_for_ever() {
    let records = published();
    for instant in ["1900-01-01T00:00:00Z", "2026-07-02T12:00:00+09:00", "2999-01-01T00:00:00Z"] {
        let part = records.who(&aoba(), PRIMARY, at(instant), None);
        assert_eq!((part.standing(), part.gap), (Standing::Gap, Some(Gap::Unassigned)));
    }
    let timeline = Timeline::new(&Records::default(), None);
    for end in [Millis(i64::MIN), Millis(0), Millis(i64::MAX)] {
        assert_eq!(timeline.who(&aoba(), PRIMARY, end).standing(), Standing::Gap);
    }
}

#[test]
fn of_overlapping_overrides_the_later_recorded_holds_then_the_later_start_then_the_greater_id() {
    let mut records = published();
    let early = span("2026-07-01T18:00:00+09:00", "2026-07-01T22:00:00+09:00");
    let late = span("2026-07-01T20:00:00+09:00", "2026-07-01T23:00:00+09:00");
    records.overrides = vec![
        put(1, "2026-07-01T10:00:00+09:00", PRIMARY, early, Some(31)),
        put(2, "2026-07-01T09:00:00+09:00", PRIMARY, late, Some(32)),
    ];
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [31]);
    assert_eq!(on(&records, PRIMARY, "2026-07-01T22:00:00+09:00"), [32]);
    records.overrides[0].recorded_at = records.overrides[1].recorded_at;
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [32]);
    records.overrides[0].window.from = late.from;
    let greater = if records.overrides[0].id > records.overrides[1].id { 31 } else { 32 };
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [greater]);
    // It belongs to one role, and a withdrawn one is as if it had not been.
    assert_eq!(on(&records, DEPUTY, "2026-07-01T21:00:00+09:00"), [21]);
    records.overrides.iter_mut().for_each(|o| o.withdrawn_at = Some(at("2026-07-01T11:00:00+09:00")));
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [1]);
}

#[test]
fn an_override_that_names_nobody_is_a_gap_and_one_that_names_somebody_ends_their_swaps_reach() {
    let mut records = published();
    records.swaps = vec![swap(1, "2026-06-01T10:00:00+09:00", vec![leg(PRIMARY, night(1), 1, 5)])];
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [5]);
    // The office puts 1 back; that 1 gave the night away plays no part: an override does not chain.
    records.overrides = vec![put(1, "2026-06-02T10:00:00+09:00", PRIMARY, night(1), Some(1))];
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [1]);
    records.overrides.push(put(2, "2026-06-03T10:00:00+09:00", PRIMARY, night(1), None));
    let part = records.who(&aoba(), PRIMARY, at("2026-07-01T21:00:00+09:00"), None);
    assert_eq!(part.gap, Some(Gap::Emptied { by: records.overrides[1].id.clone() }));
}

#[test]
fn an_exchange_moves_both_duties_or_none() {
    let mut records = published();
    let legs = vec![leg(PRIMARY, night(3), 3, 6), leg(PRIMARY, night(6), 6, 3)];
    records.swaps = vec![swap(1, "2026-06-01T10:00:00+09:00", legs)];
    assert_eq!(on(&records, PRIMARY, "2026-07-03T21:00:00+09:00"), [6]);
    assert_eq!(on(&records, PRIMARY, "2026-07-06T21:00:00+09:00"), [3]);
    // Published anew with another on the 6th: void, on both nights, and to be seen.
    let mut again = nights();
    again.iter_mut().filter(|a| a.holder == holder(6)).for_each(|a| a.holder = holder(9));
    records.publications.push(publication(2, "2026-06-20T12:00:00+09:00", july(), again));
    assert_eq!(on(&records, PRIMARY, "2026-07-03T21:00:00+09:00"), [3]);
    assert_eq!(on(&records, PRIMARY, "2026-07-06T21:00:00+09:00"), [9]);
    let timeline = Timeline::new(&records, None);
    let [void] = timeline.void_swaps() else { panic!("one void swap") };
    assert_eq!((&void.swap, void.why), (&records.swaps[0].id, VoidReason::GiverDoesNotHold));
    let part = timeline.who(&aoba(), PRIMARY, at("2026-07-03T21:00:00+09:00"));
    assert_eq!(part.void, [records.swaps[0].id.clone()]);
    // As it was known before, it counted.
    let before =
        records.who(&aoba(), PRIMARY, at("2026-07-03T21:00:00+09:00"), Some(at("2026-06-19T00:00:00Z")));
    assert_eq!(numbers(&before.people()), [6]);
}

#[test]
fn a_republication_that_names_the_same_giver_keeps_the_swap() {
    let mut records = published();
    records.swaps = vec![swap(1, "2026-06-01T10:00:00+09:00", vec![leg(PRIMARY, night(3), 3, 6)])];
    records.publications.push(publication(2, "2026-06-20T12:00:00+09:00", july(), nights()));
    assert_eq!(on(&records, PRIMARY, "2026-07-03T21:00:00+09:00"), [6]);
    assert!(Timeline::new(&records, None).void_swaps().is_empty());
}

#[test]
fn a_take_counts_from_the_taking_also_midway() {
    let mut records = published();
    let taken = "2026-07-01T22:30:00+09:00";
    records.swaps = vec![swap(1, taken, vec![leg(PRIMARY, night(1), 1, 7)])];
    assert_eq!(on(&records, PRIMARY, "2026-07-01T22:29:59.999+09:00"), [1]);
    assert_eq!(on(&records, PRIMARY, taken), [7]);
    assert_eq!(on(&records, PRIMARY, "2026-07-02T07:59:59+09:00"), [7]);
    assert_eq!(may_undo(&records.swaps[0], at(taken)), Err(NotUndoable::Begun { begins: night(1).from }));
    // After the duty is over there is nothing to take.
    let late = swap(2, "2026-07-02T08:00:00+09:00", vec![leg(PRIMARY, night(1), 7, 8)]);
    let timeline = Timeline::new(&records, None);
    assert_eq!(may_take(&timeline, &late), Err(NotTakeable::Over { leg: 0 }));
}

#[test]
fn part_of_a_night_can_change_hands() {
    let mut records = published();
    let part = span("2026-07-01T22:00:00+09:00", "2026-07-02T02:00:00+09:00");
    records.swaps = vec![swap(1, "2026-06-01T10:00:00+09:00", vec![leg(PRIMARY, part, 1, 7)])];
    let segments = records.expand(&aoba(), PRIMARY, night(1), None);
    let people: Vec<Vec<usize>> = segments.iter().map(|s| numbers(&s.people)).collect();
    assert_eq!(people, [[1], [7], [1]]);
    assert_eq!(segments[1].window, part);
}

#[test]
fn a_swap_accepted_twice_is_impossible_and_one_handed_on_follows() {
    let mut records = published();
    let first = swap(1, "2026-06-01T10:00:00+09:00", vec![leg(PRIMARY, night(1), 1, 7)]);
    assert_eq!(may_take(&Timeline::new(&records, None), &first), Ok(()));
    records.swaps.push(first);
    let second = swap(2, "2026-06-01T10:00:01+09:00", vec![leg(PRIMARY, night(1), 1, 8)]);
    assert_eq!(may_take(&Timeline::new(&records, None), &second), Err(NotTakeable::NotHeld { leg: 0 }));
    // Recorded all the same, it does not count.
    records.swaps.push(second);
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [7]);
    let on_again = swap(3, "2026-06-02T10:00:00+09:00", vec![leg(PRIMARY, night(1), 7, 9)]);
    assert_eq!(may_take(&Timeline::new(&records, None), &on_again), Ok(()));
    records.swaps.push(on_again);
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [9]);
}

#[test]
fn an_undone_swap_is_open_again_and_too_late_an_undo_does_nothing() {
    let mut records = published();
    let taken = swap(1, "2026-06-01T10:00:00+09:00", vec![leg(PRIMARY, night(1), 1, 7)]);
    assert_eq!(may_undo(&taken, night(1).from.plus_ms(-1)), Ok(()));
    assert!(may_undo(&taken, night(1).from).is_err());
    records.swaps.push(Swap { undone_at: Some(at("2026-06-05T10:00:00+09:00")), ..taken.clone() });
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [1]);
    let again = swap(2, "2026-06-06T10:00:00+09:00", vec![leg(PRIMARY, night(1), 1, 8)]);
    assert_eq!(may_take(&Timeline::new(&records, None), &again), Ok(()));
    let as_known = Some(at("2026-06-04T00:00:00Z"));
    let before = records.who(&aoba(), PRIMARY, at("2026-07-01T21:00:00+09:00"), as_known);
    assert_eq!(numbers(&before.people()), [7]);
    records.swaps[0].undone_at = Some(night(1).from);
    assert_eq!(on(&records, PRIMARY, "2026-07-01T21:00:00+09:00"), [7]);
}

#[test]
fn whoever_leaves_holds_nothing_from_that_instant_and_nobody_moves_up() {
    let mut records = published();
    records.swaps = vec![swap(1, "2026-06-01T10:00:00+09:00", vec![leg(PRIMARY, night(3), 3, 6)])];
    records.overrides = vec![put(1, "2026-06-02T10:00:00+09:00", PRIMARY, night(4), Some(6))];
    let gone = Leaving {
        who: Leaver::Person(person(6)),
        from: at("2026-07-03T23:00:00+09:00"),
        recorded_at: at("2026-06-15T10:00:00+09:00"),
        back: None,
    };
    records.leavings = vec![gone];
    assert_eq!(on(&records, PRIMARY, "2026-07-03T22:59:59.999+09:00"), [6]);
    for instant in ["2026-07-03T23:00:00+09:00", "2026-07-04T21:00:00+09:00", "2026-07-06T21:00:00+09:00"] {
        let part = records.who(&aoba(), PRIMARY, at(instant), None);
        assert_eq!(part.gap, Some(Gap::Left { people: vec![person(6)] }), "{instant}");
    }
    assert_eq!(on(&records, DEPUTY, "2026-07-06T21:00:00+09:00"), [26]);
    records.leavings[0].back =
        Some(Return { from: at("2026-07-06T20:00:00+09:00"), recorded_at: at("2026-06-20T10:00:00+09:00") });
    assert_eq!(on(&records, PRIMARY, "2026-07-06T21:00:00+09:00"), [6]);
}

#[test]
fn overlapping_slots_of_one_role_show_all_their_people() {
    let mut records = published();
    let both = span("2026-07-01T22:00:00+09:00", "2026-07-01T23:00:00+09:00");
    records.publications[0].assignments.push(duty("2026-07-01/extra", PRIMARY, both, 40));
    let part = records.who(&aoba(), PRIMARY, at("2026-07-01T22:30:00+09:00"), None);
    assert_eq!((numbers(&part.people()), part.standing()), (vec![1, 40], Standing::Overlap));
    // Whoever of them gives it away is replaced alone.
    records.swaps = vec![swap(1, "2026-06-01T10:00:00+09:00", vec![leg(PRIMARY, both, 40, 41)])];
    assert_eq!(on(&records, PRIMARY, "2026-07-01T22:30:00+09:00"), [1, 41]);
}

#[test]
fn a_republication_replaces_what_begins_in_its_period_and_leaves_the_night_that_reaches_in() {
    let mut records = published();
    let from_the_3rd = span("2026-07-03T00:00:00+09:00", "2026-08-01T00:00:00+09:00");
    let new = vec![duty("2026-07-03/wn", PRIMARY, night(3), 50)];
    records.publications.push(publication(2, "2026-06-20T12:00:00+09:00", from_the_3rd, new));
    assert_eq!(on(&records, PRIMARY, "2026-07-03T05:00:00+09:00"), [2]);
    assert_eq!(on(&records, PRIMARY, "2026-07-03T21:00:00+09:00"), [50]);
    assert_eq!(on(&records, PRIMARY, "2026-07-04T21:00:00+09:00"), [0usize; 0]);
    let known = Some(at("2026-06-20T02:59:59Z"));
    let before = records.who(&aoba(), PRIMARY, at("2026-07-04T21:00:00+09:00"), known);
    assert_eq!(numbers(&before.people()), [4]);
}
