//! The calendar: the rule of the holiday law against another person's reading of it, day by day. The lists are written by
//! scripts/lib/holidays.py; the stage `holidays` of scripts/test writes them anew and compares.

use std::collections::BTreeMap;

use touban::app::AppError;
use touban::app::calendar::{DayChange, ListRefused, Rehearsal};
use touban::domain::calendar::{BandRules, CivilDate, NotTheList, national_holiday};

use crate::support::{TestOffice, on_both};

const LISTS: [(&str, &str, &str, usize); 2] = [
    ("1980-01-01", "2031-01-01", include_str!("data/holidays-1980-2030.csv"), 843),
    ("2031-01-01", "2100-01-01", include_str!("data/holidays-2031-2099.csv"), 1_233),
];

#[test]
fn every_day_of_1980_to_2099_is_the_holiday_of_an_independent_list_or_none() {
    for (from, before, text, holidays) in LISTS {
        let golden: BTreeMap<CivilDate, &str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_once(',').unwrap())
            .map(|(date, name)| (date.parse().unwrap(), name))
            .collect();
        assert_eq!(golden.len(), holidays, "from {from}");
        let (mut date, before): (CivilDate, CivilDate) = (from.parse().unwrap(), before.parse().unwrap());
        let mut differing = Vec::new();
        while date < before {
            let (ours, theirs) = (national_holiday(date), golden.get(&date).copied());
            if ours != theirs {
                differing.push(format!("{date}: {ours:?}, the list has {theirs:?}"));
            }
            date = date.plus_days(1);
        }
        assert!(differing.is_empty(), "{differing:#?}");
    }
}

on_both! {
    the_official_list_takes_the_place_of_the_rule_in_its_years,
    an_association_has_days_and_rules_of_its_own,
}

const HEADER: &str = "国民の祝日・休日月日,国民の祝日・休日名称\r\n";

/// The list of 2026 and 2027 as the gazette might have it: the equinox of March 2027 a day later.
fn list() -> String {
    let mut text = HEADER.to_owned();
    for (date, name) in (2026..2028).flat_map(holidays_of) {
        let name = if name.ends_with("休日") { "休日" } else { name };
        let moved = if date == "2027/3/21" { "2027/3/23" } else { date.as_str() };
        text.push_str(&format!("{moved},{name}\r\n"));
    }
    text
}

fn holidays_of(year: i32) -> Vec<(String, &'static str)> {
    let mut date = CivilDate::new(year, 1, 1).unwrap();
    let mut found = Vec::new();
    while date.year() == year {
        if let Some(name) = national_holiday(date) {
            found.push((format!("{}/{}/{}", date.year(), date.month(), date.day()), name));
        }
        date = date.plus_days(1);
    }
    found
}

async fn the_official_list_takes_the_place_of_the_rule_in_its_years(office: TestOffice) {
    let (app, who, home) = (&office.app, office.cli(), &office.association);
    let day = |text: &str| text.parse::<CivilDate>().unwrap();
    let configured = app.calendar_of(home).await.unwrap().version;
    assert_eq!(configured, "national-1");
    let text = list();
    let (bytes, _, unmappable) = encoding_rs::SHIFT_JIS.encode(&text);
    assert!(!unmappable);
    // Looked at first, it changes nothing.
    let looked = app.calendar_list_import(&who, &bytes, Rehearsal::DryRun).await.unwrap();
    assert_eq!((looked.years, looked.changes), ((2026, 2027), true));
    let differing: Vec<String> = looked.differences.iter().map(|d| format!("{d:?}")).collect();
    assert_eq!(differing.len(), 2, "{differing:#?}");
    assert!(differing[0].starts_with("Removed { date: 2027-03-21, name: \"春分の日\""), "{differing:?}");
    assert!(differing[1].starts_with("Added { date: 2027-03-23, name: \"春分の日\""), "{differing:?}");
    assert!(app.calendar_days(home).await.unwrap().is_empty());
    assert_eq!(app.calendar_of(home).await.unwrap().version, configured);

    let taken = app.calendar_list_import(&who, &bytes, Rehearsal::Earnest).await.unwrap();
    assert_ne!(taken.version, configured);
    let calendar = app.calendar_of(home).await.unwrap();
    assert_eq!(calendar.version, taken.version);
    assert_eq!(calendar.holiday_name(day("2027-03-23")), Some("春分の日"));
    assert_eq!(calendar.holiday_name(day("2027-03-21")), None);
    assert_eq!(calendar.holiday_name(day("2026-05-06")), Some("振替休日"));
    assert_eq!(calendar.holiday_name(day("2026-09-22")), Some("国民の休日"));
    // Years the list does not speak of are the law's.
    assert_eq!(calendar.holiday_name(day("2028-01-01")), Some("元日"));
    // The same list again changes nothing, not even the version.
    let again = app.calendar_list_import(&who, &bytes, Rehearsal::Earnest).await.unwrap();
    assert_eq!((again.changes, again.version), (false, taken.version.clone()));

    // A list with a mistake is not taken at all.
    let cut = list().lines().take(9).collect::<Vec<_>>().join("\n");
    for (text, expected) in [
        ("date,name\n2026/1/1,元日\n".to_owned(), NotTheList::Header),
        (format!("{HEADER}2026/13/1,元日\n"), NotTheList::Line { line: 2 }),
        (format!("{HEADER}2026/1/1\n"), NotTheList::Line { line: 2 }),
        (
            format!("{HEADER}2026/1/1,元日\n2026/1/1,元日\n"),
            NotTheList::Twice { line: 3, date: day("2026-01-01") },
        ),
        (cut, NotTheList::NotWhole { year: 2026, missing: day("2026-11-23") }),
        (HEADER.to_owned(), NotTheList::Size),
    ] {
        match app.calendar_list_import(&who, text.as_bytes(), Rehearsal::Earnest).await {
            Err(ListRefused::NotTheList(why)) => assert_eq!(why, expected),
            other => panic!("{other:?}"),
        }
    }
    let no_text = app.calendar_list_import(&who, &[0x81, 0xff, 0xff], Rehearsal::Earnest).await;
    assert!(matches!(no_text, Err(ListRefused::NotText)), "{no_text:?}");
    assert_eq!(app.calendar_of(home).await.unwrap().version, taken.version);
}

async fn an_association_has_days_and_rules_of_its_own(office: TestOffice) {
    let (app, who, home) = (&office.app, office.cli(), &office.association);
    let day = |text: &str| text.parse::<CivilDate>().unwrap();
    let put = |changes| app.calendar_days_put(&who, changes);
    put(vec![
        DayChange::Add { date: day("2026-08-14"), name: "お盆".into() },
        DayChange::Remove { date: day("2026-11-03") },
    ])
    .await
    .unwrap();
    let calendar = app.calendar_of(home).await.unwrap();
    assert_eq!(calendar.holiday_name(day("2026-08-14")), Some("お盆"));
    assert!(!calendar.is_holiday(day("2026-11-03")) && calendar.is_holiday(day("2027-11-03")));
    let first = calendar.version.clone();
    // A day is one or the other; what is forgotten is again as the law says.
    put(vec![DayChange::Remove { date: day("2026-08-14") }, DayChange::Forget { date: day("2026-11-03") }])
        .await
        .unwrap();
    let calendar = app.calendar_of(home).await.unwrap();
    assert!(!calendar.is_holiday(day("2026-08-14")) && calendar.is_holiday(day("2026-11-03")));
    assert_eq!(app.calendar_days(home).await.unwrap().len(), 1);
    assert_ne!(calendar.version, first);
    for wrong in [vec![], vec![DayChange::Add { date: day("2026-08-14"), name: "  ".into() }]] {
        assert!(matches!(put(wrong).await, Err(AppError::Invalid(_))));
    }

    // The neighbours have their own.
    let other = crate::support::add_association(app, "midori", "緑町医師会").await;
    assert_eq!(app.calendar_of(&other).await.unwrap().version, "national-1");

    let rules = BandRules::parse("saturday = \"12:00\"\nyear_end = [[\"12-28\", \"01-04\"]]\n").unwrap();
    let before = app.calendar_of(home).await.unwrap().version;
    app.calendar_rules_put(&who, rules.clone()).await.unwrap();
    let calendar = app.calendar_of(home).await.unwrap();
    assert_ne!(calendar.version, before);
    assert_eq!(app.calendar_rules(home).await.unwrap(), rules);
    let at = |text: &str| touban::time::Millis::parse_rfc3339(text).unwrap();
    let facts = |text: &str| calendar.facts(at(text), chrono_tz::Asia::Tokyo);
    assert!(!facts("2026-11-21T11:59:00+09:00").holiday && facts("2026-11-21T12:00:00+09:00").holiday);
    assert!(facts("2026-12-28T12:00:00+09:00").year_end && !facts("2026-12-27T12:00:00+09:00").year_end);
    assert!(app.verify().await.unwrap().problems.is_empty());
}
