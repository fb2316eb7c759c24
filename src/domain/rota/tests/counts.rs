//! Points, shares and 24-hour turns.

use std::collections::BTreeMap;

use chrono_tz::Europe;
use proptest::prelude::*;

use super::patterns::book;
use super::*;

const PRIMARY: RotaRole = RotaRole::Primary;

fn july() -> Window {
    span("2026-07-01T00:00:00+09:00", "2026-08-01T00:00:00+09:00")
}

fn primary(slot: &str, from: &str, to: &str, n: usize) -> Assignment {
    duty(slot, PRIMARY, span(from, to), n)
}

fn records(assignments: Vec<Assignment>) -> Records {
    let publications = vec![publication(1, "2026-06-01T00:00:00Z", july(), assignments)];
    Records { publications, ..Records::default() }
}

// ---- 24-hour turns -------------------------------------------------------------------------------

fn turns(records: &Records, n: usize) -> Vec<Window> {
    full_day_turns(&Timeline::new(records, None)).remove(&clinic(n)).unwrap_or_default()
}

#[test]
fn a_turn_survives_midnight_hand_overs_within_the_clinic_and_swaps() {
    // Persons 0, 1 and 2 are of one clinic: Saturday noon to Sunday noon and a little more.
    let mut records = records(vec![
        primary("2026-07-04/sp", "2026-07-04T12:00:00+09:00", "2026-07-04T18:00:00+09:00", 0),
        primary("2026-07-04/sn", "2026-07-04T18:00:00+09:00", "2026-07-05T08:00:00+09:00", 1),
        primary("2026-07-05/hd", "2026-07-05T08:00:00+09:00", "2026-07-05T18:00:00+09:00", 5),
    ]);
    assert_eq!(turns(&records, 0), []);
    let sunday = span("2026-07-05T08:00:00+09:00", "2026-07-05T18:00:00+09:00");
    records.swaps = vec![swap(1, "2026-06-10T00:00:00Z", vec![leg(PRIMARY, sunday, 5, 2)])];
    assert_eq!(turns(&records, 0), [span("2026-07-04T12:00:00+09:00", "2026-07-05T12:00:00+09:00")]);
    // Whoever of another clinic stands in for an hour breaks it.
    let hour = span("2026-07-04T22:00:00+09:00", "2026-07-04T23:00:00+09:00");
    records.overrides = vec![put(1, "2026-07-04T00:00:00Z", PRIMARY, hour, Some(9))];
    assert_eq!(turns(&records, 0), []);
}

#[test]
fn twenty_three_hours_do_not_count_and_forty_eight_are_two() {
    let hold = |to: &str| records(vec![primary("2026-07-04/x", "2026-07-04T12:00:00+09:00", to, 0)]);
    assert_eq!(turns(&hold("2026-07-05T11:00:00+09:00"), 0).len(), 0);
    assert_eq!(turns(&hold("2026-07-05T11:59:59.999+09:00"), 0).len(), 0);
    assert_eq!(turns(&hold("2026-07-05T12:00:00+09:00"), 0).len(), 1);
    assert_eq!(turns(&hold("2026-07-06T11:59:59+09:00"), 0).len(), 1);
    assert_eq!(turns(&hold("2026-07-06T12:00:00+09:00"), 0).len(), 2);
}

#[test]
fn a_deputy_earns_no_turn_and_areas_are_put_together() {
    let mut all = records(vec![
        primary("2026-07-04/a", "2026-07-04T12:00:00+09:00", "2026-07-05T02:00:00+09:00", 0),
        duty("2026-07-04/a", RotaRole::Deputy, july(), 0),
    ]);
    assert_eq!(turns(&all, 0), []);
    let mut west = publication(2, "2026-06-01T00:00:00Z", july(), vec![]);
    west.area = area("west");
    let rest = span("2026-07-05T01:00:00+09:00", "2026-07-05T12:00:00+09:00");
    west.assignments = vec![Assignment { area: area("west"), ..duty("2026-07-05/b", PRIMARY, rest, 1) }];
    all.publications.push(west);
    assert_eq!(turns(&all, 0).len(), 1);
}

#[test]
fn a_turn_belongs_to_the_month_in_which_it_starts_and_a_shortage_is_told() {
    let hold = primary("2026-07-29/x", "2026-07-29T18:00:00+09:00", "2026-08-02T17:00:00+09:00", 0);
    let timeline = Timeline::new(&records(vec![hold]), None);
    let targets = BTreeMap::from([(clinic(0), 3), (clinic(3), 1)]);
    let month =
        |month, now: &str| turns_of_month(&timeline, Month { year: 2026, month }, &targets, at(now), TOKYO);
    let july = month(7, "2026-07-30T18:00:00+09:00");
    let clinic_0 = july[&clinic(0)];
    assert_eq!(clinic_0, TurnCount { done: 1, planned: 3, target: 3 });
    assert!(!clinic_0.falls_short());
    assert!(july[&clinic(3)].falls_short());
    let august = month(8, "2026-08-30T00:00:00+09:00");
    assert_eq!(august[&clinic(0)], TurnCount { done: 0, planned: 0, target: 3 });
}

#[test]
fn a_civil_day_of_23_hours_is_no_turn_and_one_of_25_is_one() {
    // Midnight to midnight in Berlin on 29 March and on 25 October 2026.
    let year = span("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let of = |text: &str| {
        let window = crate::domain::calendar::day_window(day(text), Europe::Berlin).unwrap();
        let all = vec![duty(&format!("{text}/x"), PRIMARY, window, 0)];
        let records = Records {
            publications: vec![publication(1, "2026-01-01T00:00:00Z", year, all)],
            ..Records::default()
        };
        turns(&records, 0)
    };
    assert_eq!((of("2026-03-29").len(), of("2026-03-30").len()), (0, 1));
    assert_eq!(of("2026-10-25"), [span("2026-10-25T00:00:00+02:00", "2026-10-25T23:00:00+01:00")]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn turns_are_those_that_an_hour_by_hour_count_finds(
        holds in proptest::collection::vec((0..300i64, 1..40i64, 0..4usize), 0..24),
    ) {
        let zero = july().from;
        let all: Vec<Assignment> = holds
            .iter()
            .enumerate()
            .map(|(n, (from, length, who))| {
                let window = Window { from: zero.plus_s(from * 3_600), to: zero.plus_s((from + length) * 3_600) };
                duty(&format!("2026-07-01/s{n}"), PRIMARY, window, *who)
            })
            .collect();
        let records = records(all);
        // Persons 0 to 2 are of one clinic, 3 of another.
        let mut expected = Vec::new();
        let mut run = 0;
        for hour in 0..400i64 {
            let held = holds.iter().any(|(from, length, who)| *who < 3 && *from <= hour && hour < from + length);
            run = if held { run + 1 } else { 0 };
            if run == 24 {
                expected.push(zero.plus_s((hour - 23) * 3_600));
                run = 0;
            }
        }
        let found: Vec<Millis> = turns(&records, 0).iter().map(|turn| turn.from).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn points_of_a_slot_are_shared_without_loss(
        cuts in proptest::collection::btree_set(1..839i64, 0..6), points in 0..1_000i64,
    ) {
        let night = span("2026-07-01T18:00:00+09:00", "2026-07-02T08:00:00+09:00");
        let mut slot = book().slots(&aoba(), day("2026-07-01"), day("2026-07-01"), &calendar(), TOKYO).remove(0);
        slot.points = BTreeMap::from([(PRIMARY, Points(points))]);
        let mut records = records(vec![duty("2026-07-01/wn", PRIMARY, night, 0)]);
        for (n, cut) in cuts.iter().enumerate() {
            let rest = Window { from: night.from.plus_s(cut * 60), to: night.to };
            let taken = format!("2026-06-{:02}T00:00:00Z", n + 2);
            records.swaps.push(swap(n, &taken, vec![leg(PRIMARY, rest, n, n + 1)]));
        }
        let tallies = tallies(&Timeline::new(&records, None), &[slot]);
        prop_assert_eq!(tallies.len(), cuts.len() + 1);
        prop_assert_eq!(tallies.values().map(|t| t.points.0).sum::<i64>(), points);
        prop_assert_eq!(tallies.values().map(|t| t.held_ms[&PRIMARY]).sum::<i64>(), 14 * 3_600_000);
    }

    #[test]
    fn shares_add_up_and_nobody_is_off_by_a_hundredth(
        sum in 0..1_000_000i64, shares in proptest::collection::vec(0..=200u32, 1..40),
    ) {
        let shares: BTreeMap<MemberId, u32> = shares.into_iter().enumerate().map(|(n, s)| (person(n), s)).collect();
        let all: u32 = shares.values().sum();
        let fair = fair_shares(Points(sum), &shares);
        if all == 0 {
            prop_assert!(fair.is_empty());
        } else {
            prop_assert_eq!(fair.values().map(|p| p.0).sum::<i64>(), sum);
            for (person, points) in &fair {
                let exact = sum as f64 * f64::from(shares[person]) / f64::from(all);
                prop_assert!((points.0 as f64 - exact).abs() < 1.0 + 1e-6);
            }
        }
    }
}

// ---- points --------------------------------------------------------------------------------------

#[test]
fn a_tally_follows_swaps_and_overrides() {
    let slots = book().slots(&aoba(), day("2026-07-04"), day("2026-07-05"), &calendar(), TOKYO);
    let holders = slots.iter().enumerate().map(|(n, s)| Assignment {
        area: aoba(),
        slot: s.key.clone(),
        role: PRIMARY,
        window: s.window,
        holder: holder(n),
    });
    let mut records = records(holders.collect());
    // 0: Saturday afternoon 0.75, 1: its night 1.5, 2: Sunday 2, 3: its night 2.
    let (night, sunday) = (slots[1].window, slots[2].window);
    records.swaps = vec![swap(1, "2026-06-10T00:00:00Z", vec![leg(PRIMARY, night, 1, 9)])];
    let half = Window { from: sunday.from, to: sunday.from.plus_s(5 * 3_600) };
    records.overrides = vec![put(1, "2026-06-11T00:00:00Z", PRIMARY, half, Some(9))];
    let counted = tallies(&Timeline::new(&records, None), &slots);
    let points = |n: usize| counted.get(&person(n)).map(|t| t.points.0);
    let told = [points(0), points(1), points(2), points(3), points(9)];
    assert_eq!(told, [Some(75), None, Some(100), Some(200), Some(250)]);
    let nine = &counted[&person(9)];
    assert_eq!(nine.slots[&code("sn")][&PRIMARY], 1);
    assert_eq!(nine.slots[&code("hd")][&PRIMARY], 1);
    assert_eq!(nine.held_ms[&PRIMARY], 19 * 3_600_000);
}

#[test]
fn the_spread_names_nobody() {
    let of = |figures: &[i64]| Spread::of(figures.iter().map(|p| Points(*p)));
    assert_eq!(of(&[]), None);
    let spread = of(&[300, 100, 200]).unwrap();
    assert_eq!((spread.least, spread.median, spread.most), (Points(100), Points(200), Points(300)));
    assert_eq!(spread.range(), Points(200));
    assert_eq!(of(&[100, 200, 400, 500]).unwrap().median, Points(300));
    assert_eq!(of(&[-3, -2]).unwrap().median, Points(-3));
}

#[test]
fn what_was_done_too_much_is_carried_over_and_lowers_the_next_target() {
    let (fair, carried) = (Points(1_000), Points(150));
    assert_eq!(target(fair, carried), Points(850));
    assert_eq!(carry_over(Points(900), fair, carried), Points(50));
    assert_eq!(carry_over(Points(850), fair, carried), Points(0));
    assert_eq!(carry_over(Points(800), fair, Points(0)), Points(-200));
}

#[test]
fn what_nobody_holds_is_counted_apart() {
    let slots = book().slots(&aoba(), day("2026-07-01"), day("2026-07-01"), &calendar(), TOKYO);
    let evening = span("2026-07-01T18:00:00+09:00", "2026-07-02T01:00:00+09:00");
    let timeline = Timeline::new(&records(vec![duty("2026-07-01/wn", PRIMARY, evening, 0)]), None);
    // Half of the primary's point and the whole of the deputy's half.
    assert_eq!(super::super::counting::unheld(&timeline, &slots, &aoba()), Points(100));
}
