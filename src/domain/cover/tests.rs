use chrono_tz::Asia::Tokyo;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

fn person(n: usize) -> MemberId {
    MemberId::named(&["person", &n.to_string()])
}

fn asked(from: &str, to: &str) -> NewCover {
    NewCover { window: (at(from), at(to)), patients: None, manner: Manner::Visit, note: String::new() }
}

fn wrong(new: &NewCover) -> Vec<(&'static str, Wrong)> {
    let now = at("2026-11-20T10:00:00+09:00");
    new.wrong_fields(now, Tokyo).into_iter().map(|w| (w.field, w.wrong)).collect()
}

#[test]
fn hours_that_cannot_be_are_named_by_their_field() {
    assert_eq!(wrong(&asked("2026-11-20T10:00:00+09:00", "2026-11-20T10:01:00+09:00")), []);
    assert_eq!(
        wrong(&asked("2026-11-20T09:59:00+09:00", "2026-11-21T10:00:00+09:00")),
        [("from", Wrong::TooSoon)]
    );
    assert_eq!(
        wrong(&asked("2026-11-21T10:00:00+09:00", "2026-11-21T10:00:00+09:00")),
        [("to", Wrong::OutOfRange)]
    );
    assert_eq!(wrong(&asked("2026-12-01T18:00:00+09:00", "2027-01-01T18:00:00+09:00")), []);
    assert_eq!(
        wrong(&asked("2026-12-01T18:00:00+09:00", "2027-01-01T18:00:01+09:00")),
        [("to", Wrong::TooLate)]
    );
    let named = |patients: &[&str]| NewCover {
        patients: Some(patients.iter().map(|p| (*p).to_owned()).collect()),
        ..asked("2026-11-21T10:00:00+09:00", "2026-11-21T18:00:00+09:00")
    };
    assert_eq!(wrong(&named(&["A.K."])), []);
    assert_eq!(wrong(&named(&[])), [("patients", Wrong::Missing)]);
    assert_eq!(wrong(&named(&["x"; PATIENTS_MAX + 1])), [("patients", Wrong::TooLong)]);
    assert_eq!(wrong(&named(&["a\u{7}"])), [("patients", Wrong::NotText)]);
}

#[test]
fn the_summary_comes_in_the_first_morning_after_the_end() {
    let settings = CoverSettings::default();
    let summary = |end: &str| summary_at(at(end), &settings, Tokyo);
    assert_eq!(summary("2026-11-22T21:00:00+09:00"), at("2026-11-23T07:00:00+09:00"));
    assert_eq!(summary("2026-11-23T06:00:00+09:00"), at("2026-11-23T07:00:00+09:00"));
    assert_eq!(summary("2026-11-23T07:00:00+09:00"), at("2026-11-23T07:00:00+09:00"));
    assert_eq!(summary("2026-11-23T08:00:00+09:00"), at("2026-11-24T07:00:00+09:00"));
}

#[test]
fn a_fiscal_year_turns_at_midnight_before_the_first_of_april() {
    let turns = |from: &str, to: &str| year_turns(Window::new(at(from), at(to)).unwrap(), Tokyo);
    let turn = at("2027-04-01T00:00:00+09:00");
    assert_eq!(turns("2027-03-31T18:00:00+09:00", "2027-04-01T08:00:00+09:00"), Some(turn));
    assert_eq!(turns("2027-03-31T18:00:00+09:00", "2027-04-01T00:00:00+09:00"), None);
    assert_eq!(turns("2027-04-01T00:00:00+09:00", "2027-04-02T00:00:00+09:00"), None);
}

#[test]
fn a_covered_clinic_rings_its_cover_and_the_duty_only_as_it_is_now() {
    let by = |takers: &[usize], by_duty| CoveredNow {
        takers: takers.iter().map(|n| person(*n)).collect(),
        by_duty,
    };
    assert_eq!(rung(&[], &[person(9)]), None);
    assert_eq!(rung(&[by(&[], false)], &[person(9)]), None, "asked for, and nobody took it: as without");
    assert_eq!(rung(&[by(&[1], false)], &[person(9)]), Some(vec![person(1)]));
    assert_eq!(rung(&[by(&[9], true)], &[person(9)]), Some(vec![person(9)]));
    assert_eq!(rung(&[by(&[1], true)], &[person(9)]), Some(vec![person(9)]), "the duty changed hands");
    assert_eq!(rung(&[by(&[1], false), by(&[1], false)], &[]), Some(vec![person(1)]));
}

proptest! {
    #[test]
    fn a_misread_digit_of_a_number_is_noticed(one in 0u64..1_000_000, other in 0u64..1_000_000) {
        let id = |n: u64| RequestId::named(&["cover", &n.to_string()]);
        let (a, b) = (short_code(&id(one)), short_code(&id(other)));
        prop_assert!(a.len() == 2 && a.bytes().all(|c| c.is_ascii_digit()));
        prop_assert!(one != other || a == b);
    }
}
