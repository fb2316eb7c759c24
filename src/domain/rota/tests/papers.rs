//! The rota on paper says what the rota says, marks what changed, and knows when the city wants it.

use super::*;
use crate::domain::rota::paper::{CityRule, DayMark, OnDaysOff, Paper, Source, paper};

const BOOK: &str = include_str!("../../../../config/slots.toml");

fn book() -> SlotBook {
    SlotBook::parse("slots.toml", BOOK, "1").unwrap()
}

fn make(records: &Records, first: &str, last: &str) -> Paper {
    let (timeline, book, calendar) = (Timeline::new(records, None), book(), calendar());
    let source = Source { records, timeline: &timeline, book: &book, calendar: &calendar, zone: TOKYO };
    paper(&source, &aoba(), day(first), day(last))
}

/// A published month: every slot of the book, people in turn.
fn october() -> Records {
    let (book, calendar) = (book(), calendar());
    let slots = book.slots(&aoba(), day("2026-10-01"), day("2026-10-31"), &calendar, TOKYO);
    let mut n = 0;
    let mut duties = Vec::new();
    for slot in slots {
        for role in &slot.roles {
            let (window, slot) = (slot.window, slot.key.clone());
            duties.push(Assignment { area: aoba(), slot, role: *role, window, holder: holder(n % 20) });
            n += 3;
        }
    }
    let period = span("2026-10-01T00:00:00+09:00", "2026-11-01T00:00:00+09:00");
    Records {
        publications: vec![publication(1, "2026-08-10T00:00:00Z", period, duties)],
        ..Records::default()
    }
}

fn every_instant(records: &Records, sheet: &Paper) {
    let timeline = Timeline::new(records, None);
    let (from, to) = (at("2026-10-01T08:00:00+09:00"), at("2026-11-01T08:00:00+09:00"));
    let mut looked = 0;
    let mut instant = from;
    while instant < to {
        for role in RotaRole::ALL {
            let on = timeline.who(&aoba(), role, instant).people();
            let said = sheet.who(role, instant).unwrap_or_default();
            assert_eq!(said, on, "{} {instant}", role.code());
        }
        looked += 1;
        // Seven minutes and a second: every hour and every edge is met sooner or later.
        instant = instant.plus_s(421);
    }
    assert!(looked > 6_000);
}

#[test]
fn the_sheet_says_who_is_on_at_every_instant() {
    let mut records = october();
    every_instant(&records, &make(&records, "2026-10-01", "2026-10-31"));
    let night = span("2026-10-14T18:00:00+09:00", "2026-10-15T08:00:00+09:00");
    let taker = Timeline::new(&records, None).who(&aoba(), RotaRole::Primary, night.from).people()[0].clone();
    let half = span("2026-10-14T23:00:00+09:00", "2026-10-15T08:00:00+09:00");
    let giver = (0..20).find(|n| holder(*n) == taker).unwrap();
    records.swaps.push(swap(1, "2026-10-01T00:00:00Z", vec![leg(RotaRole::Primary, half, giver, 50)]));
    // Over midnight and over two slots, and outside of every slot of its role.
    let over = span("2026-10-17T11:00:00+09:00", "2026-10-18T12:30:00+09:00");
    records.overrides.push(put(1, "2026-10-02T00:00:00Z", RotaRole::Deputy, over, Some(51)));
    records.overrides.push(put(2, "2026-10-02T00:00:00Z", RotaRole::Backing, over, Some(52)));
    records.overrides.push(put(
        3,
        "2026-10-03T00:00:00Z",
        RotaRole::Primary,
        span("2026-10-20T20:00:00+09:00", "2026-10-20T21:00:00+09:00"),
        None,
    ));
    let sheet = make(&records, "2026-10-01", "2026-10-31");
    every_instant(&records, &sheet);
    let extra: Vec<_> = sheet.lines().filter(|line| line.slot.is_none()).collect();
    assert_eq!(extra.len(), 1, "the third tier has no slots in this book: {extra:?}");
    assert_eq!(extra[0].window, over);
    let changed: Vec<String> = sheet
        .lines()
        .filter(|line| line.slot.is_some())
        .flat_map(|line| {
            line.seats
                .iter()
                .filter(|s| s.changed)
                .map(|s| format!("{:?} {}", line.slot.as_ref().unwrap(), s.role.code()))
        })
        .collect();
    assert_eq!(
        changed,
        [
            "2026-10-14/wn primary",
            "2026-10-17/sm deputy",
            "2026-10-17/sp deputy",
            "2026-10-17/sn deputy",
            "2026-10-18/hd deputy",
            "2026-10-20/wn primary",
        ]
    );
    assert_eq!(sheet.changes, 7, "and the third tier");
}

#[test]
fn a_republication_is_a_new_edition_without_marks() {
    let mut records = october();
    let mut again = records.publications[0].clone();
    again.id = PublicationId::named(&["again"]);
    again.recorded_at = at("2026-09-01T00:00:00Z");
    again.assignments.iter_mut().for_each(|a| a.holder = holder(7));
    records.publications.push(again);
    let sheet = make(&records, "2026-10-01", "2026-10-31");
    assert_eq!((sheet.edition, sheet.published_at, sheet.changes), (2, Some(at("2026-09-01T00:00:00Z")), 0));
    every_instant(&records, &sheet);
}

#[test]
fn days_are_called_by_what_they_are() {
    let sheet = make(&Records::default(), "2026-09-19", "2026-09-24");
    let said: Vec<_> = sheet.days.iter().map(|d| (d.mark, d.holiday.as_str())).collect();
    assert_eq!(
        said,
        [
            (DayMark::Saturday, ""),
            (DayMark::Sunday, ""),
            (DayMark::Holiday, "敬老の日"),
            (DayMark::Holiday, "国民の休日"),
            (DayMark::Holiday, "秋分の日"),
            (DayMark::Plain, ""),
        ]
    );
    assert!(sheet.published_at.is_none() && sheet.edition == 0);
    let seats = sheet.lines().flat_map(|line| &line.seats);
    assert!(seats.flat_map(|s| &s.stretches).all(|s| s.people.is_empty()), "an empty sheet shows its gaps");
}

#[test]
fn the_city_wants_its_list_by_the_rule() {
    let due = |rule: CityRule, month: &str| rule.due(day(month), &calendar()).to_string();
    let rule = CityRule::default();
    assert_eq!(due(rule, "2026-07-01"), "2026-05-10");
    assert_eq!(due(rule, "2027-01-01"), "2026-11-10");
    assert_eq!(due(rule, "2027-02-01"), "2026-12-10");
    // 10 May 2026 is a Sunday.
    assert_eq!(due(CityRule { on_days_off: OnDaysOff::Earlier, ..rule }, "2026-07-01"), "2026-05-08");
    assert_eq!(due(CityRule { on_days_off: OnDaysOff::Later, ..rule }, "2026-07-01"), "2026-05-11");
    // The year-end is no working day either.
    let last = CityRule { day: 31, months_before: 1, on_days_off: OnDaysOff::Later };
    assert_eq!(due(last, "2027-01-01"), "2027-01-04");
    assert_eq!(due(CityRule { on_days_off: OnDaysOff::Stays, ..last }, "2026-03-01"), "2026-02-28");
}
