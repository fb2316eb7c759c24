//! What is refused at publishing, what a publication changes, and what is missing afterwards.

use super::patterns::book;
use super::*;

const PRIMARY: RotaRole = RotaRole::Primary;
const DEPUTY: RotaRole = RotaRole::Deputy;

fn week() -> Window {
    span("2026-07-06T00:00:00+09:00", "2026-07-13T00:00:00+09:00")
}

/// Every slot of a week with a primary and a deputy of another clinic.
fn full_week() -> Vec<Assignment> {
    let slots = book().slots(&aoba(), day("2026-07-06"), day("2026-07-12"), &calendar(), TOKYO);
    let both = |(n, slot): (usize, Slot)| {
        let one = |role, who| Assignment {
            area: aoba(),
            slot: slot.key.clone(),
            role,
            window: slot.window,
            holder: holder(who),
        };
        [one(PRIMARY, n), one(DEPUTY, n + 30)]
    };
    slots.into_iter().enumerate().flat_map(both).collect()
}

fn published(assignments: Vec<Assignment>) -> Records {
    let publications = vec![publication(1, "2026-06-01T00:00:00Z", week(), assignments)];
    Records { publications, ..Records::default() }
}

fn found_holes(records: &Records, window: Window) -> Vec<Hole> {
    let (book, calendar) = (book(), calendar());
    let required = Required { book: &book, calendar: &calendar, zone: TOKYO };
    holes(&Timeline::new(records, None), &required, &aoba(), window)
}

#[test]
fn a_full_week_is_published_without_a_word_and_has_no_hole() {
    let records = published(full_week());
    assert_eq!(refusals(&records.publications[0], &Records::default()), []);
    // The week's first hours still belong to the Sunday before, which nobody published.
    let holes = found_holes(&records, week());
    let sunday = span("2026-07-06T00:00:00+09:00", "2026-07-06T08:00:00+09:00");
    let told: Vec<_> = holes.iter().map(|h| (h.role, h.window, h.why.as_slice())).collect();
    let unassigned = [Gap::Unassigned];
    assert_eq!(told, [(PRIMARY, sunday, unassigned.as_slice()), (DEPUTY, sunday, unassigned.as_slice())]);
}

#[test]
fn a_hole_says_from_when_until_when_and_why() {
    let mut all = full_week();
    all.retain(|a| (a.slot.clone(), a.role) != (key("2026-07-08/wn"), DEPUTY));
    let mut records = published(all);
    let evening = span("2026-07-09T20:00:00+09:00", "2026-07-09T21:00:00+09:00");
    records.overrides = vec![put(1, "2026-07-01T00:00:00Z", PRIMARY, evening, None)];
    // Outside of the required hours nobody is missed.
    let holes = found_holes(&records, span("2026-07-07T12:00:00+09:00", "2026-07-10T12:00:00+09:00"));
    assert_eq!(holes.len(), 2);
    assert_eq!(
        (holes[0].role, holes[0].window),
        (DEPUTY, span("2026-07-08T18:00:00+09:00", "2026-07-09T08:00:00+09:00"))
    );
    assert_eq!((holes[1].role, holes[1].window), (PRIMARY, evening));
    assert_eq!(holes[1].why, [Gap::Emptied { by: records.overrides[0].id.clone() }]);
}

#[test]
fn overlapping_slots_of_one_role_are_refused_also_against_the_night_before_the_period() {
    let mut new = publication(2, "2026-06-02T00:00:00Z", week(), full_week());
    let early = span("2026-07-08T17:00:00+09:00", "2026-07-08T18:00:01+09:00");
    new.assignments.push(duty("2026-07-08/x", PRIMARY, early, 9));
    let told = refusals(&new, &Records::default());
    let [Refused::Overlap { role, first, second }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*role, &first.slot, &second.slot), (PRIMARY, &key("2026-07-08/x"), &key("2026-07-08/wn")));

    let long = span("2026-07-05T18:00:00+09:00", "2026-07-06T20:00:00+09:00");
    let before = span("2026-07-05T00:00:00+09:00", "2026-07-06T00:00:00+09:00");
    let sunday =
        publication(1, "2026-06-01T00:00:00Z", before, vec![duty("2026-07-05/hn", PRIMARY, long, 9)]);
    let earlier = Records { publications: vec![sunday], ..Records::default() };
    let week_after = publication(2, "2026-06-02T00:00:00Z", week(), full_week());
    let told = refusals(&week_after, &earlier);
    assert_eq!(told.len(), 1, "{told:?}");
    // A publication does not stand in its own way when it replaces one for the same days.
    let again = publication(3, "2026-06-03T00:00:00Z", week(), full_week());
    assert_eq!(refusals(&again, &published(full_week())), []);
}

#[test]
fn a_duty_outside_of_the_period_or_without_time_is_refused() {
    let outside =
        duty("2026-07-20/wn", PRIMARY, span("2026-07-20T18:00:00+09:00", "2026-07-21T08:00:00+09:00"), 1);
    let mut none = duty("2026-07-08/wn", PRIMARY, week(), 1);
    none.window.to = none.window.from;
    let new = publication(1, "2026-06-02T00:00:00Z", week(), vec![outside.clone(), none.clone()]);
    let told = refusals(&new, &Records::default());
    assert_eq!(told, [Refused::OutsideThePeriod { duty: outside }, Refused::NoTime { duty: none.clone() }]);
    // Such a record, imported all the same, counts for nothing and breaks nothing.
    let records = Records { publications: vec![new], ..Records::default() };
    assert_eq!(records.who(&aoba(), PRIMARY, none.window.from, None).people(), []);
}

#[test]
fn what_changes_is_told_by_hours_and_people() {
    let before = published(full_week());
    let mut after = before.clone();
    let mut again = full_week();
    again.iter_mut().filter(|a| a.slot == key("2026-07-08/wn")).for_each(|a| a.holder = holder(50));
    again.retain(|a| a.slot != key("2026-07-10/wn") || a.role == PRIMARY);
    after.publications.push(publication(2, "2026-06-05T00:00:00Z", week(), again));
    let timelines = [&before, &after].map(|r| Timeline::new(r, None));
    let changes = changes(&timelines[0], &timelines[1], &aoba(), week());
    let night = |n: u32| {
        span(&format!("2026-07-{n:02}T18:00:00+09:00"), &format!("2026-07-{:02}T08:00:00+09:00", n + 1))
    };
    let told: Vec<_> =
        changes.iter().map(|c| (c.role, c.window, numbers(&c.before), numbers(&c.after))).collect();
    let expected = [
        (PRIMARY, night(8), vec![2], vec![50]),
        (DEPUTY, night(8), vec![32], vec![50]),
        (DEPUTY, night(10), vec![34], vec![]),
    ];
    assert_eq!(told, expected);
    assert_eq!(super::changes(&timelines[0], &timelines[0], &aoba(), week()), []);
}

#[test]
fn several_on_and_one_clinic_on_both_roles_are_shown_as_clashes() {
    let mut all = full_week();
    // Persons 0 and 2 share a clinic.
    let monday = key("2026-07-06/wn");
    all.iter_mut().filter(|a| a.slot == monday && a.role == DEPUTY).for_each(|a| a.holder = holder(2));
    let two = span("2026-07-08T20:00:00+09:00", "2026-07-08T22:00:00+09:00");
    all.push(duty("2026-07-08/x", PRIMARY, two, 9));
    let timeline = Timeline::new(&published(all), None);
    let (book, calendar) = (book(), calendar());
    let required = Required { book: &book, calendar: &calendar, zone: TOKYO };
    let told = clashes(&timeline, &required, &aoba(), week());
    let [Clash::SameInstitution { window, institution, .. }, Clash::Several { window: both, people, .. }] =
        told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!(
        (*window, institution),
        (span("2026-07-06T18:00:00+09:00", "2026-07-07T08:00:00+09:00"), &clinic(0))
    );
    assert_eq!((*both, numbers(people)), (two, vec![2, 9]));
}
