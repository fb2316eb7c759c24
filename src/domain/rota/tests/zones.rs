//! Nights in zones whose clocks jump: Berlin by an hour, Lord Howe by half an hour, Tokyo never.

use chrono_tz::{Australia, Europe};
use proptest::prelude::*;

use super::*;

const TWO: &str = r#"
[[slot]]
kind = "early"
name = "宵"
days = ["every"]
from = "18:00"
to = "02:15"
roles = ["primary"]

[[slot]]
kind = "late"
name = "明け"
days = ["every"]
from = "02:15"
to = "18:00"
roles = ["primary"]

[[required]]
days = ["every"]
from = "00:00"
to = "24:00"
roles = ["primary"]
"#;

fn two() -> SlotBook {
    SlotBook::parse("slots.toml", TWO, "v").unwrap()
}

fn slots(first: &str, last: &str, zone: Tz) -> Vec<Slot> {
    two().slots(&aoba(), day(first), day(last), &calendar(), zone)
}

fn hours(slot: &Slot) -> f64 {
    slot.window.to.since_ms(slot.window.from) as f64 / 3_600_000.0
}

#[test]
fn a_night_that_ends_in_a_skipped_hour_ends_where_the_next_begins() {
    // Berlin skips 02:00 to 03:00 on 29 March 2026, Lord Howe 02:00 to 02:30 on 4 October 2026.
    for (zone, before, on, hole_ends) in [
        (Europe::Berlin, "2026-03-28", "2026-03-29", "2026-03-29T01:00:00Z"),
        (Australia::Lord_Howe, "2026-10-03", "2026-10-04", "2026-10-03T15:30:00Z"),
    ] {
        let found = slots(before, on, zone);
        let of = |text: &str| found.iter().find(|s| s.key == key(text)).unwrap();
        let (night, morning) = (of(&format!("{before}/early")), of(&format!("{on}/late")));
        assert_eq!(night.window.to, at(hole_ends), "{zone}");
        assert_eq!(morning.window.from, at(hole_ends), "{zone}");
    }
    let berlin = slots("2026-03-28", "2026-03-29", Europe::Berlin);
    let howe = slots("2026-10-03", "2026-10-04", Australia::Lord_Howe);
    // 18:00 to 03:00 on the wall less the hour; 18:00 to 02:30 less the half hour.
    assert_eq!((hours(&berlin[2]), hours(&howe[2])), (15.0, 15.5));
    assert_eq!((hours(&berlin[1]), hours(&howe[1])), (8.0, 8.0));
}

#[test]
fn a_night_that_ends_in_a_doubled_hour_ends_at_its_first_occurrence() {
    // Berlin shows 02:00 to 03:00 twice on 25 October 2026, Lord Howe 01:30 to 02:00 on 5 April 2026.
    let berlin = slots("2026-10-24", "2026-10-25", Europe::Berlin);
    assert_eq!(berlin[1].window.to, at("2026-10-25T00:15:00Z"));
    assert_eq!(berlin[2].window.from, at("2026-10-25T00:15:00Z"));
    assert_eq!((hours(&berlin[1]), hours(&berlin[2])), (8.25, 16.75));
    let book = TWO.replace("02:15", "01:45");
    let book = SlotBook::parse("slots.toml", &book, "v").unwrap();
    let howe = book.slots(&aoba(), day("2026-04-04"), day("2026-04-05"), &calendar(), Australia::Lord_Howe);
    assert_eq!(howe[1].window.to, at("2026-04-04T14:45:00Z"));
    assert_eq!(howe[2].window.from, at("2026-04-04T14:45:00Z"));
}

#[test]
fn a_slot_wholly_within_a_skipped_hour_does_not_exist_that_day() {
    let text = "[[slot]]\nkind = \"x\"\nname = \"x\"\ndays = [\"every\"]\nfrom = \"02:10\"\nto = \"02:50\"\nroles = [\"primary\"]\n";
    let book = SlotBook::parse("slots.toml", text, "v").unwrap();
    let of = |text: &str| book.slots(&aoba(), day(text), day(text), &calendar(), Europe::Berlin).len();
    assert_eq!((of("2026-03-28"), of("2026-03-29"), of("2026-03-30")), (1, 0, 1));
}

#[test]
fn the_night_of_31_march_belongs_to_the_year_in_which_it_begins() {
    use crate::domain::calendar::FiscalYear;
    let night = &slots("2027-03-31", "2027-03-31", TOKYO)[1];
    assert_eq!(night.window, span("2027-03-31T18:00:00+09:00", "2027-04-01T02:15:00+09:00"));
    assert_eq!(FiscalYear::of(night.key.day).to_string(), "R8");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slots_that_meet_on_the_wall_meet_in_every_zone(
        start in 0..1_200i64, length in 1..40i64, which in 0..3usize,
    ) {
        let zone = [TOKYO, Europe::Berlin, Australia::Lord_Howe][which];
        let first = day("2025-01-01").plus_days(start);
        let found = two().slots(&aoba(), first, first.plus_days(length), &calendar(), zone);
        prop_assert!(found.windows(2).all(|pair| pair[0].window.to == pair[1].window.from));
        prop_assert_eq!(found.len() as i64, 2 * (length + 1));
        let window = Window::new(found[0].window.from, found[found.len() - 1].window.to).unwrap();
        let required = two().required_hours(&aoba(), RotaRole::Primary, window, &calendar(), zone);
        prop_assert_eq!(required, [window]);
        // Published as they are, they leave no hole and no clash.
        let all: Vec<Assignment> = found
            .iter()
            .enumerate()
            .map(|(n, s)| Assignment { area: aoba(), slot: s.key.clone(), role: RotaRole::Primary, window: s.window, holder: holder(n % 7) })
            .collect();
        let published = publication(1, "2025-01-01T00:00:00Z", window, all);
        prop_assert_eq!(refusals(&published, &Records::default()), []);
        let timeline = Timeline::new(&Records { publications: vec![published], ..Records::default() }, None);
        let (book, calendar) = (two(), calendar());
        let required = Required { book: &book, calendar: &calendar, zone };
        prop_assert_eq!(holes(&timeline, &required, &aoba(), window), []);
        prop_assert_eq!(clashes(&timeline, &required, &aoba(), window), []);
    }
}
