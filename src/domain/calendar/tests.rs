//! What the calendar promises the office.

use chrono_tz::{Australia, Europe, Pacific, Tz};

use super::*;

/// A zone nine hours ahead all year, under its other name.
const EAST: Tz = chrono_tz::Japan;

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn time(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M").unwrap()
}

fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

fn national() -> Calendar {
    Calendar::national("test-1", NightHours::new(18 * 60, 8 * 60).unwrap())
}

#[test]
fn the_civil_day_is_the_one_on_the_wall_of_the_zone() {
    assert_eq!(civil_day(at("2027-03-31T14:59:59.999Z"), EAST), day("2027-03-31"));
    assert_eq!(civil_day(at("2027-03-31T15:00:00Z"), EAST), day("2027-04-01"));
    assert_eq!(civil_day(at("2027-03-31T15:00:00Z"), Tz::UTC), day("2027-03-31"));
    // A broken clock gives a strange day, not a crash.
    assert_eq!(civil_day(Millis(i64::MIN), EAST).year(), 1);
    assert!(civil_day(Millis(i64::MAX), EAST).year() >= 9999);
}

#[test]
fn a_skipped_time_means_the_first_instant_after_the_hole() {
    // Berlin skips 02:00 to 03:00, Lord Howe only 02:00 to 02:30.
    let berlin = |t| instant_of(day("2026-03-29"), time(t), Europe::Berlin);
    assert_eq!(berlin("01:59"), at("2026-03-29T00:59:00Z"));
    for skipped in ["02:00", "02:30", "02:59", "03:00"] {
        assert_eq!(berlin(skipped), at("2026-03-29T01:00:00Z"), "{skipped}");
    }
    let lord_howe = |t| instant_of(day("2026-10-04"), time(t), Australia::Lord_Howe);
    assert_eq!(lord_howe("01:59"), at("2026-10-03T15:29:00Z"));
    for skipped in ["02:00", "02:15", "02:29", "02:30"] {
        assert_eq!(lord_howe(skipped), at("2026-10-03T15:30:00Z"), "{skipped}");
    }
    assert_eq!(lord_howe("02:31"), at("2026-10-03T15:31:00Z"));
}

#[test]
fn a_doubled_time_means_its_first_occurrence() {
    let berlin = instant_of(day("2026-10-25"), time("02:30"), Europe::Berlin);
    assert_eq!(berlin, at("2026-10-25T02:30:00+02:00"));
    let lord_howe = instant_of(day("2026-04-05"), time("01:45"), Australia::Lord_Howe);
    assert_eq!(lord_howe, at("2026-04-05T01:45:00+11:00"));
    let after = instant_of(day("2026-04-05"), time("02:00"), Australia::Lord_Howe);
    assert_eq!(after, at("2026-04-05T02:00:00+10:30"));
}

#[test]
fn days_follow_each_other_without_hole_or_overlap_and_are_not_always_24_hours_long() {
    let hours = |d: &str, zone| {
        let window = day_window(day(d), zone).unwrap();
        assert_eq!(civil_day(window.from, zone), day(d));
        assert_eq!(day_window(day(d).plus_days(1), zone).unwrap().from, window.to);
        window.to.since_ms(window.from) / 60_000
    };
    assert_eq!(hours("2026-11-20", EAST), 24 * 60);
    assert_eq!(hours("2026-03-29", Europe::Berlin), 23 * 60);
    assert_eq!(hours("2026-10-25", Europe::Berlin), 25 * 60);
    assert_eq!(hours("2026-10-04", Australia::Lord_Howe), 23 * 60 + 30);
    assert_eq!(day_window(day("2011-12-30"), Pacific::Apia), None);
}

#[test]
fn the_law_ends_where_the_formula_of_the_equinoxes_ends() {
    assert_eq!(national_holiday(day("2099-01-01")), Some("元日"));
    assert_eq!(national_holiday(day("2100-01-01")), None);
}

/// What moves in the Cabinet Office's own list of 1955 to 1979: equinoxes and substitutes.
#[test]
fn equinoxes_and_substitutes_of_1955_to_1979_are_those_of_the_official_list() {
    let mut substitutes = Vec::new();
    for year in 1955..1980 {
        let spring = if matches!(year, 1960 | 1964 | 1968 | 1972 | 1976) { 20 } else { 21 };
        let autumn = if (year - 1955) % 4 == 0 { 24 } else { 23 };
        for (month, expected, name) in [(3, spring, "春分の日"), (9, autumn, "秋分の日")] {
            let days =
                (1..=30).filter(|d| national_holiday(CivilDate::new(year, month, *d).unwrap()) == Some(name));
            assert_eq!(days.collect::<Vec<_>>(), [expected], "{year}");
        }
        let mut date = day(&format!("{year}-01-01"));
        while date.year() == year {
            match national_holiday(date) {
                Some("振替休日") => substitutes.push(date.to_string()),
                Some("国民の休日") => panic!("{date}"),
                _ => {}
            }
            date = date.plus_days(1);
        }
    }
    assert_eq!(
        substitutes,
        [
            "1973-04-30",
            "1973-09-24",
            "1974-05-06",
            "1974-09-16",
            "1974-11-04",
            "1975-11-24",
            "1976-10-11",
            "1978-01-02",
            "1978-01-16",
            "1979-02-12",
            "1979-04-30",
        ]
    );
}

#[test]
fn holidays_before_1980_are_those_of_the_law_as_it_stood() {
    let of = |year: i32| -> Vec<String> {
        let mut date = day(&format!("{year}-01-01"));
        let mut found = Vec::new();
        while date.year() == year {
            if let Some(name) = national_holiday(date) {
                found.push(format!("{}/{} {name}", date.month(), date.day()));
            }
            date = date.plus_days(1);
        }
        found
    };
    // The law came into force on 20 July 1948.
    assert_eq!(of(1948), ["9/23 秋分の日", "11/3 文化の日", "11/23 勤労感謝の日"]);
    assert_eq!(of(1947), [""; 0]);
    let usual = |spring: &str, autumn: &str| {
        ["1/1 元日", "1/15 成人の日", spring, "4/29 天皇誕生日", "5/3 憲法記念日", "5/5 こどもの日", autumn]
            .map(str::to_owned)
            .into_iter()
            .chain(["11/3 文化の日", "11/23 勤労感謝の日"].map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(1955), usual("3/21 春分の日", "9/24 秋分の日"));
    assert_eq!(of(1960), usual("3/20 春分の日", "9/23 秋分の日"));
    assert!(of(1959).contains(&"4/10 皇太子明仁親王の結婚の儀".to_owned()));
    // 1966: 15 September and 10 October; 11 February only from 1967.
    assert!(!of(1966).contains(&"2/11 建国記念の日".to_owned()));
    assert!(
        of(1966).contains(&"9/15 敬老の日".to_owned()) && of(1966).contains(&"10/10 体育の日".to_owned())
    );
    assert!(of(1967).contains(&"2/11 建国記念の日".to_owned()));
    // Substitutes since 12 April 1973: not for 11 February 1973, a Sunday.
    assert_eq!(
        of(1973),
        [
            "1/1 元日",
            "1/15 成人の日",
            "2/11 建国記念の日",
            "3/21 春分の日",
            "4/29 天皇誕生日",
            "4/30 振替休日",
            "5/3 憲法記念日",
            "5/5 こどもの日",
            "9/15 敬老の日",
            "9/23 秋分の日",
            "9/24 振替休日",
            "10/10 体育の日",
            "11/3 文化の日",
            "11/23 勤労感謝の日",
        ]
    );
    // Days between two holidays since 27 December 1985, and until 2006 not on a Sunday (4 May 1986).
    for (date, name) in [
        ("1985-05-04", None),
        ("1986-05-04", None),
        ("1987-05-04", Some("振替休日")),
        ("1988-05-04", Some("国民の休日")),
        ("2003-05-04", None),
        ("2006-05-04", Some("国民の休日")),
        ("2007-05-04", Some("みどりの日")),
        ("1989-02-24", Some("昭和天皇の大喪の礼")),
        ("1990-11-12", Some("即位礼正殿の儀")),
        ("1993-06-09", Some("皇太子徳仁親王の結婚の儀")),
        ("1979-09-24", Some("秋分の日")),
    ] {
        assert_eq!(national_holiday(day(date)), name, "{date}");
    }
}

#[test]
fn substitute_and_sandwiched_days_are_holidays_and_their_neighbours_are_not() {
    let calendar = national();
    for (date, name) in [
        ("2026-05-06", Some("振替休日")),
        ("2026-05-07", None),
        ("2026-09-22", Some("国民の休日")),
        ("2026-09-24", None),
        ("2027-03-22", Some("振替休日")),
        ("2019-04-30", Some("国民の休日")),
        ("2026-11-22", None),
    ] {
        assert_eq!(calendar.holiday_name(day(date)), name, "{date}");
    }
    // A plain Sunday is a holiday without a name; a Saturday is none.
    assert!(calendar.is_holiday(day("2026-11-22")) && !calendar.is_holiday(day("2026-11-21")));
    // The year-end is a band of its own, not a holiday of the law.
    assert!(!calendar.is_holiday(day("2026-12-29")));
}

#[test]
fn a_city_with_sundays_only_differs_and_may_leave_out_new_year() {
    let mut calendar = Calendar { rule: HolidayRule::SundaysOnly, ..national() };
    assert!(!calendar.is_holiday(day("2026-05-06")) && !calendar.is_holiday(day("2026-09-22")));
    assert!(calendar.is_holiday(day("2026-05-03")), "a Sunday");
    assert_eq!(calendar.holiday_name(day("2026-05-03")), None);
    // 1 January 2023 was a Sunday.
    assert!(calendar.is_holiday(day("2023-01-01")));
    calendar.listed.insert("01-01".parse().unwrap(), Listed::Removed);
    assert!(!calendar.is_holiday(day("2023-01-01")) && calendar.is_holiday(day("2023-01-08")));
}

#[test]
fn listed_days_outrank_the_rule_and_a_single_day_outranks_every_years() {
    let json = r#"{"version":"aoba-2","rule":"national","night":[1080,480],
        "listed":{"08-14":{"extra":"お盆"},"2027-08-14":"removed","2026-11-03":"removed"}}"#;
    let calendar: Calendar = serde_json::from_str(json).unwrap();
    assert_eq!(calendar.holiday_name(day("2026-08-14")), Some("お盆"));
    assert!(calendar.is_holiday(day("2026-08-14")) && !calendar.is_holiday(day("2027-08-14")));
    assert!(!calendar.is_holiday(day("2026-11-03")) && calendar.is_holiday(day("2027-11-03")));
    let again: Calendar = serde_json::from_str(&serde_json::to_string(&calendar).unwrap()).unwrap();
    assert_eq!(again, calendar);
    assert!("02-29".parse::<ListedDay>().is_ok() && "02-30".parse::<ListedDay>().is_err());
}

#[test]
fn the_one_word_band_takes_deep_night_then_year_end_then_holiday_then_night() {
    let band = |text: &str| national().facts(at(text), EAST).band();
    for (moment, expected) in [
        ("2026-11-20T08:00:00+09:00", TimeBand::Day),
        ("2026-11-20T17:59:59.999+09:00", TimeBand::Day),
        ("2026-11-20T18:00:00+09:00", TimeBand::Night),
        ("2026-11-20T21:59:59.999+09:00", TimeBand::Night),
        ("2026-11-20T22:00:00+09:00", TimeBand::DeepNight),
        ("2026-11-21T05:59:59.999+09:00", TimeBand::DeepNight),
        ("2026-11-21T06:00:00+09:00", TimeBand::Night),
        ("2026-09-22T12:00:00+09:00", TimeBand::Holiday),
        ("2026-09-22T19:00:00+09:00", TimeBand::Holiday),
        ("2026-09-22T23:00:00+09:00", TimeBand::DeepNight),
        // By the civil day of the moment: the small hours after a holiday are no holiday.
        ("2026-09-24T06:30:00+09:00", TimeBand::Night),
        ("2026-12-28T12:00:00+09:00", TimeBand::Day),
        ("2026-12-29T12:00:00+09:00", TimeBand::YearEnd),
        ("2027-01-03T12:00:00+09:00", TimeBand::YearEnd),
        ("2027-01-03T23:00:00+09:00", TimeBand::DeepNight),
        ("2027-01-04T12:00:00+09:00", TimeBand::Day),
    ] {
        assert_eq!(band(moment), expected, "{moment}");
    }
}

#[test]
fn the_facts_stay_apart_and_a_programme_may_rank_them_otherwise() {
    let facts = national().facts(at("2027-01-01T03:00:00+09:00"), EAST);
    assert_eq!(facts, BandFacts { deep_night: true, night: true, holiday: true, year_end: true });
    assert_eq!(facts.band_by(&[TimeBand::Holiday, TimeBand::DeepNight]), TimeBand::Holiday);
    assert_eq!(facts.band_by(&[]), TimeBand::Day);
    let noon = national().facts(at("2026-11-20T12:00:00+09:00"), EAST);
    assert_eq!(noon, BandFacts { deep_night: false, night: false, holiday: false, year_end: false });
    assert_eq!(noon.band_by(&[TimeBand::Holiday, TimeBand::Day]), TimeBand::Day);
}

#[test]
fn night_hours_need_two_different_minutes_of_the_day() {
    assert!(NightHours::new(1_080, 480).is_ok() && NightHours::new(0, 360).is_ok());
    for (from, to) in [(1_440, 480), (480, 1_440), (480, 480)] {
        assert!(NightHours::new(from, to).is_err());
        assert!(serde_json::from_str::<NightHours>(&format!("[{from},{to}]")).is_err());
    }
}

#[test]
fn the_fiscal_year_turns_on_the_night_of_31_march() {
    assert_eq!(FiscalYear::of(day("2027-03-31")).to_string(), "R8");
    assert_eq!(FiscalYear::of(day("2027-04-01")).to_string(), "R9");
    assert_eq!(FiscalYear::of(day("2026-04-01")).long(), "令和8年度");
    // Named by the era of 1 April, readable under both.
    assert_eq!(FiscalYear::of(day("2019-05-01")).to_string(), "H31");
    for label in ["H31", "R1", "r1"] {
        assert_eq!(label.parse::<FiscalYear>().unwrap().first_year(), 2019);
    }
    for wrong in ["", "R", "R0", "R+8", "H32", "X8", "8", "R8a", "令8"] {
        assert!(wrong.parse::<FiscalYear>().is_err(), "{wrong}");
    }
}

#[test]
fn dates_are_written_as_the_office_writes_them() {
    for (date, era, western) in [
        ("2026-10-14", "令和8年10月14日（水）", "2026年10月14日（水）"),
        ("2026-11-20", "令和8年11月20日（金）", "2026年11月20日（金）"),
        ("2019-05-01", "令和元年5月1日（水）", "2019年5月1日（水）"),
        ("2019-04-30", "平成31年4月30日（火）", "2019年4月30日（火）"),
        ("1989-01-07", "昭和64年1月7日（土）", "1989年1月7日（土）"),
        ("1926-12-24", "大正15年12月24日（金）", "1926年12月24日（金）"),
        ("1912-07-29", "明治45年7月29日（月）", "1912年7月29日（月）"),
        ("1872-12-31", "1872年12月31日（火）", "1872年12月31日（火）"),
    ] {
        assert_eq!((era_date(day(date)), western_date(day(date))), (era.to_owned(), western.to_owned()));
    }
}

#[test]
fn a_date_is_read_as_people_write_it() {
    for (typed, date) in [
        ("2026-10-14", "2026-10-14"),
        ("2026/5/6", "2026-05-06"),
        ("2026年10月14日（水）", "2026-10-14"),
        ("令和8年10月14日", "2026-10-14"),
        ("令和８年１０月１４日（水）", "2026-10-14"),
        ("R8.10.14", "2026-10-14"),
        ("r8/10/14", "2026-10-14"),
        ("Ｒ８．１０．１４", "2026-10-14"),
        ("令8・10・14", "2026-10-14"),
        ("令和 元年 5月 1日", "2019-05-01"),
        ("R1.5.1", "2019-05-01"),
        ("平31.4.30", "2019-04-30"),
        ("平成元年1月8日", "1989-01-08"),
        ("昭和64年1月7日", "1989-01-07"),
        ("S1.12.25", "1926-12-25"),
        ("昭和元年12月25日", "1926-12-25"),
        ("大正15年12月24日", "1926-12-24"),
        ("大正元年7月30日", "1912-07-30"),
        ("明治45年7月29日", "1912-07-29"),
        ("明治6年1月1日", "1873-01-01"),
        ("令和8年2月28日", "2026-02-28"),
    ] {
        assert_eq!(written_date(typed), Ok(day(date)), "{typed}");
    }
    for typed in [
        "",
        "8.10.14",
        "令和8年10月",
        "R8.10",
        "R0.1.1",
        "令和零年1月1日",
        "R8.10.14.1",
        "26-10-14",
        "X8.10.14",
    ] {
        assert!(matches!(written_date(typed), Err(NotAWrittenDate::Unreadable { .. })), "{typed}");
    }
    for typed in ["令和8年2月29日", "2026-13-01", "2026/6/31", "R8.0.1"] {
        assert!(matches!(written_date(typed), Err(NotAWrittenDate::NoSuchDay { .. })), "{typed}");
    }
    // Days an era never had are refused, and the error says which day would be meant.
    for (typed, meant) in [
        ("平成40年4月1日", "2028-04-01"),
        ("平成31年5月1日", "2019-05-01"),
        ("昭和64年1月8日", "1989-01-08"),
        ("平成元年1月7日", "1989-01-07"),
        ("令和元年4月30日", "2019-04-30"),
        ("大正元年7月29日", "1912-07-29"),
        ("明治5年12月31日", "1872-12-31"),
    ] {
        let refused = written_date(typed).unwrap_err();
        assert!(
            matches!(&refused, NotAWrittenDate::NotInEra { meant: m, .. } if *m == day(meant)),
            "{typed}: {refused}"
        );
        if meant.starts_with("2028") {
            assert_eq!(refused.to_string(), "平成 has no such day; 2028-04-01 is 令和10年4月1日（土）");
        }
    }
    // Whatever the office prints, it reads again.
    for date in ["2026-10-14", "2019-05-01", "1989-01-07", "1873-01-01", "1872-12-31"].map(day) {
        assert_eq!(written_date(&era_date(date)), Ok(date));
        assert_eq!(written_date(&western_date(date)), Ok(date));
    }
}

#[test]
fn july_to_september_2026_has_the_days_that_the_office_counts_with() {
    let (mut date, mut nights, mut saturdays, mut sundays, mut weekday_holidays) =
        (day("2026-07-01"), 0, 0, 0, 0);
    while date < day("2026-10-01") {
        nights += 1;
        match date.weekday() {
            Weekday::Sat => saturdays += 1,
            Weekday::Sun => sundays += 1,
            _ if national_holiday(date).is_some() => weekday_holidays += 1,
            _ => {}
        }
        date = date.plus_days(1);
    }
    assert_eq!((nights, saturdays, sundays, weekday_holidays), (92, 13, 13, 5));
    // Golden Week and September: five days off from the 19th to the 23rd.
    let calendar = national();
    for date in ["2026-04-29", "2026-05-03", "2026-05-04", "2026-05-05", "2026-05-06"] {
        assert!(calendar.is_holiday(day(date)), "{date}");
    }
    let off = |d: &str| day(d).weekday() == Weekday::Sat || calendar.is_holiday(day(d));
    assert!((19..=23).all(|d| off(&format!("2026-09-{d}"))) && !off("2026-09-18") && !off("2026-09-24"));
}

#[test]
fn a_case_number_reads_back_as_people_type_it() {
    let no = CaseNo::new(FiscalYear::of(day("2026-11-20")), 412).unwrap();
    assert_eq!(no.to_string(), "R8-0412");
    for typed in ["R8-0412", "r8-412", "Ｒ８－０４１２", "ｒ８ー０４１２", " R8 − 0412 ", "Ｒ８―４１２"]
    {
        assert_eq!(typed.parse::<CaseNo>(), Ok(no), "{typed}");
    }
    let big = CaseNo::new(no.year(), 12_345).unwrap();
    assert_eq!((big.to_string(), "R8-12345".parse()), ("R8-12345".to_owned(), Ok(big)));
    for wrong in
        ["", "R8", "R80412", "R8-", "R8-0", "R8-0000", "R8-+412", "A-0412", "R8-0412-73", "R8-99999999999"]
    {
        assert_eq!(wrong.parse::<CaseNo>(), Err(NotACaseNo), "{wrong}");
    }
    assert_eq!(serde_json::to_string(&no).unwrap(), "\"R8-0412\"");
}

#[test]
fn a_day_has_one_spelling_in_data() {
    assert_eq!(serde_json::to_string(&day("2026-05-06")).unwrap(), "\"2026-05-06\"");
    for wrong in ["2026-5-6", "2026-02-29", "06-05-2026", "", "2026-05-06 "] {
        assert!(wrong.parse::<CivilDate>().is_err(), "{wrong}");
    }
    assert_eq!(day("2026-03-01").plus_days(-1), day("2026-02-28"));
}

#[test]
fn a_run_of_holidays_is_counted_over_weekends_and_stops_at_a_working_day() {
    let calendar = national();
    for (date, run) in [
        ("2026-05-04", 4), // Sunday 3 May to the substitute of the 6th
        ("2026-05-06", 4),
        ("2026-05-07", 0),
        ("2026-09-22", 4), // Sunday the 20th to the equinox of the 23rd
        ("2026-04-29", 1),
        ("2026-11-22", 2), // Sunday and Labour Thanksgiving Day
    ] {
        assert_eq!(calendar.run_of_holidays(day(date)), run, "{date}");
    }
    let saturdays = BandRules { saturday: Some(Saturday::Holiday), ..BandRules::default() };
    let calendar = Calendar { rules: saturdays, ..national() };
    assert_eq!(calendar.run_of_holidays(day("2026-05-04")), 5);
}

#[test]
fn an_association_may_count_its_bands_otherwise() {
    let rules = BandRules::parse(
        "holidays = \"listed_only\"\nextra = [\"05-02\"]\nyear_end = []\ndeep_night = [\"23:00\", \"05:00\"]\n\
         order = [\"night\", \"deep_night\"]\n",
    )
    .unwrap();
    let calendar = Calendar { rules, ..national() };
    let facts = |text: &str| calendar.facts(at(text), EAST);
    assert!(!facts("2026-05-03T12:00:00+09:00").holiday && facts("2026-05-02T12:00:00+09:00").holiday);
    assert!(!facts("2026-12-30T12:00:00+09:00").year_end);
    assert!(!facts("2026-11-20T22:30:00+09:00").deep_night && facts("2026-11-20T23:00:00+09:00").deep_night);
    assert_eq!(calendar.band(facts("2026-11-20T23:00:00+09:00")), TimeBand::Night);
    let mistakes = BandRules::parse("nights = 1\nsaturday = 3\n").unwrap_err();
    let places: Vec<(usize, &str)> = mistakes.iter().map(|(line, key, _)| (*line, key.as_str())).collect();
    assert_eq!(places, [(1, "nights"), (2, "saturday")]);
    assert!(BandRules::parse("").unwrap().is_empty());
}

#[test]
fn days_of_every_year_may_go_over_the_new_year() {
    let days = YearlyDays::new("12-29", "01-03").unwrap();
    for (date, inside) in
        [("2026-12-28", false), ("2026-12-29", true), ("2027-01-03", true), ("2027-01-04", false)]
    {
        assert_eq!(days.contain(day(date)), inside, "{date}");
    }
    let may = YearlyDays::new("05-02", "05-06").unwrap();
    assert!(
        may.contain(day("2026-05-02")) && may.contain(day("2026-05-06")) && !may.contain(day("2026-05-07"))
    );
    assert!(YearlyDays::new("12-32", "01-03").is_none() && YearlyDays::new("2026-12-29", "01-03").is_none());
}

#[test]
fn a_day_belongs_to_the_year_end_as_its_instants_do() {
    let mut calendar = national();
    let year_end = |calendar: &Calendar, text: &str| {
        let noon = instant_of(day(text), time("12:00"), EAST);
        assert_eq!(calendar.is_year_end(day(text)), calendar.facts(noon, EAST).year_end, "{text}");
        calendar.is_year_end(day(text))
    };
    assert!(year_end(&calendar, "2026-12-29") && year_end(&calendar, "2027-01-03"));
    assert!(!year_end(&calendar, "2026-12-28") && !year_end(&calendar, "2027-01-04"));
    calendar.rules.year_end = YearlyDays::new("12-30", "01-04").map(|days| vec![days]);
    assert!(!year_end(&calendar, "2026-12-29") && year_end(&calendar, "2027-01-04"));
}
