//! Calendar feeds: entries keep their names, count their changes, and say for a while that they are gone.

use proptest::prelude::*;

use super::any::{asked, records};
use super::*;
use crate::domain::rota::feed::{Entry, GONE_FOR_S, Whose, entries};

fn own(records: &Records, n: usize, now: &str) -> Vec<Entry> {
    let july = span("2026-07-01T00:00:00+09:00", "2026-08-01T00:00:00+09:00");
    entries(records, &Whose::Person(person(n)), july, at(now))
}

fn night(day: u32) -> Window {
    let from = format!("2026-07-{day:02}T18:00:00+09:00");
    let to = format!("2026-07-{:02}T08:00:00+09:00", day + 1);
    span(&from, &to)
}

fn rota() -> Records {
    let duties = (1..=6).map(|d| {
        let slot = format!("2026-07-{d:02}/wn");
        duty(&slot, RotaRole::Primary, night(d), usize::try_from(d % 3).unwrap())
    });
    let july = span("2026-07-01T00:00:00+09:00", "2026-08-01T00:00:00+09:00");
    Records {
        publications: vec![publication(1, "2026-05-10T00:00:00Z", july, duties.collect())],
        ..Records::default()
    }
}

#[test]
fn a_duty_keeps_its_name_through_a_swap_and_back() {
    let mut records = rota();
    let before = own(&records, 1, "2026-06-01T00:00:00Z");
    assert_eq!(before.len(), 2);
    let first = before[0].clone();
    assert_eq!((first.window, first.sequence, first.gone), (night(1), 0, false));
    assert_eq!(first.modified, at("2026-05-10T00:00:00Z"));

    records.swaps.push(swap(1, "2026-06-10T00:00:00Z", vec![leg(RotaRole::Primary, night(1), 1, 2)]));
    let after = own(&records, 1, "2026-06-11T00:00:00Z");
    assert_eq!(
        after[0],
        Entry { sequence: 1, modified: at("2026-06-10T00:00:00Z"), gone: true, ..first.clone() }
    );
    assert_eq!(after[1], before[1], "what did not change has not changed");
    let taker = own(&records, 2, "2026-06-11T00:00:00Z");
    assert!(taker.iter().any(|e| e.window == night(1) && !e.gone && e.name != first.name));

    records.swaps[0].undone_at = Some(at("2026-06-12T00:00:00Z"));
    let again = own(&records, 1, "2026-06-13T00:00:00Z");
    assert_eq!(again[0], Entry { sequence: 2, modified: at("2026-06-12T00:00:00Z"), gone: false, ..first });
}

#[test]
fn what_is_gone_is_said_for_thirty_days() {
    let mut records = rota();
    let mut leaves = put(1, "2026-06-10T00:00:00Z", RotaRole::Primary, night(1), None);
    records.overrides.push(leaves.clone());
    let gone = |records: &Records, now: Millis| {
        let july = span("2026-07-01T00:00:00+09:00", "2026-08-01T00:00:00+09:00");
        entries(records, &Whose::Person(person(1)), july, now).iter().filter(|e| e.gone).count()
    };
    let told = at("2026-06-10T00:00:00Z");
    assert_eq!(gone(&records, told), 1);
    assert_eq!(gone(&records, told.plus_s(GONE_FOR_S - 1)), 1);
    assert_eq!(gone(&records, told.plus_s(GONE_FOR_S)), 0);
    leaves.withdrawn_at = Some(at("2026-06-11T00:00:00Z"));
    records.overrides = vec![leaves];
    assert_eq!(gone(&records, at("2026-06-12T00:00:00Z")), 0, "it is there again");
}

#[test]
fn the_feed_of_a_role_changes_the_person_and_not_the_entry() {
    let mut records = rota();
    let july = span("2026-07-01T00:00:00+09:00", "2026-08-01T00:00:00+09:00");
    let line = Whose::Line { area: aoba(), role: RotaRole::Primary };
    let before = entries(&records, &line, july, at("2026-06-01T00:00:00Z"));
    assert_eq!(before.len(), 6);
    records.swaps.push(swap(1, "2026-06-10T00:00:00Z", vec![leg(RotaRole::Primary, night(1), 1, 2)]));
    let after = entries(&records, &line, july, at("2026-06-11T00:00:00Z"));
    assert_eq!(after.len(), 6, "nothing is gone");
    assert_eq!((&after[0].name, after[0].sequence), (&before[0].name, 1));
    assert_eq!(after[0].people, [holder(2)]);
    // Half of a night: the entry keeps its name for the first part, the second is new.
    let late = span("2026-07-02T23:00:00+09:00", "2026-07-03T08:00:00+09:00");
    records.swaps.push(swap(2, "2026-06-12T00:00:00Z", vec![leg(RotaRole::Primary, late, 2, 0)]));
    let split = entries(&records, &line, july, at("2026-06-13T00:00:00Z"));
    assert_eq!(split.len(), 7);
    assert_eq!((&split[1].name, split[1].window.to), (&before[1].name, late.from));
}

proptest! {
    /// A feed says what the rota says: at every instant exactly those are in it who are on.
    #[test]
    fn a_feed_says_who_is_on(records in records(), window in asked(), n in 0..5usize) {
        let timeline = Timeline::new(&records, None);
        let now = Millis(i64::from(u16::MAX) * 1_000_000);
        let own = entries(&records, &Whose::Person(person(n)), window, now);
        let mut names: Vec<_> = own.iter().map(|e| e.name.clone()).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), own.len(), "names are unique");
        for minute in 0..240i64 {
            let at = Millis(minute * 60_000);
            if !window.contains(at) {
                continue;
            }
            for (area, role) in timeline.lines() {
                let on = timeline.who(area, role, at).people().iter().any(|h| h.person == person(n));
                let said = own.iter().any(|e| !e.gone && e.area == *area && e.role == role && e.window.contains(at));
                prop_assert_eq!(on, said, "{} {} minute {}", area, role.code(), minute);
            }
        }
    }

    /// Sequence numbers never fall when more is recorded.
    #[test]
    fn a_number_of_changes_only_grows(records in records(), window in asked(), more in records()) {
        let now = Millis(0);
        let line = Whose::Line { area: aoba(), role: RotaRole::Primary };
        let before = entries(&records, &line, window, now);
        let mut grown = records;
        grown.overrides.extend(more.overrides.into_iter().map(|o| Override {
            id: OverrideId::named(&["more", o.id.as_str()]),
            ..o
        }));
        for entry in entries(&grown, &line, window, now) {
            if let Some(old) = before.iter().find(|e| e.name == entry.name && e.window == entry.window) {
                prop_assert!(entry.sequence >= old.sequence);
                prop_assert!(entry.modified >= old.modified);
            }
        }
    }
}
