//! The rule of the holiday law against another person's reading of it, day by day. The lists are written by
//! scripts/lib/holidays.py; the stage `holidays` of scripts/test writes them anew and compares.

use std::collections::BTreeMap;

use touban::domain::calendar::{CivilDate, national_holiday};

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
