//! What a tariff file may say, and how its mistakes are told.

use proptest::prelude::*;

use super::*;

const SAMPLE: &str = include_str!("../../../config/tariffs.toml");

const GOOD: &str = r#"
[[tariff]]
code = "A"
name = "相談"
program = "p"
side = "acceptor"
event = "consult"
effective = { from = "2026-04-01", before = "2027-04-01" }
bands = ["day", "night"]
unit = "event"
yen = 1_000
when = ["requester.confirmed", "report.submitted_within_hours   <=   72"]
"#;

fn told(text: &str) -> Vec<String> {
    match Tariffs::parse("tariffs.toml", text, "v1") {
        Ok(_) => Vec::new(),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    }
}

/// The mistakes of the good file with one line changed.
fn told_with(line: &str, instead: &str) -> Vec<String> {
    assert!(GOOD.contains(line), "{line}");
    told(&GOOD.replace(line, instead))
}

#[test]
fn the_sample_file_loads_and_pays_both_sides_of_a_consult_and_of_a_cover() {
    let tariffs = Tariffs::parse("config/tariffs.toml", SAMPLE, "v1").unwrap();
    let codes: Vec<&str> = tariffs.all().iter().map(|t| t.code.as_str()).collect();
    let consult = ["CONSULT-ACC-DAY", "CONSULT-ACC-OFF", "CONSULT-REQ"];
    assert_eq!(codes, [&consult[..], &["COVER-ACC-DAY", "COVER-ACC-OFF", "COVER-REQ"]].concat());
    assert!(tariffs.all().iter().all(|t| t.amount.0 > 0));
}

#[test]
fn a_tariff_is_read_as_it_is_written() {
    let tariffs = Tariffs::parse("tariffs.toml", GOOD, "v1").unwrap();
    let tariff = tariffs.all().first().unwrap();
    assert_eq!((tariff.amount.0, tariff.unit, tariff.side), (1_000, Unit::Event, Side::Acceptor));
    assert_eq!(
        (tariff.from.to_string(), tariff.before.to_string()),
        ("2026-04-01".into(), "2027-04-01".into())
    );
    assert_eq!(tariff.bands.len(), 2);
    let when: Vec<String> = tariff.when.iter().map(ToString::to_string).collect();
    assert_eq!(when, ["report.submitted_within_hours <= 72", "requester.confirmed"]);
    // TOML's own dates are dates too, and without `bands` every band is meant.
    let other = GOOD.replace("\"2026-04-01\"", "2026-04-01").replace("bands = [\"day\", \"night\"]\n", "");
    let tariffs = Tariffs::parse("tariffs.toml", &other, "v1").unwrap();
    let tariff = tariffs.all().first().unwrap();
    assert_eq!((tariff.from.to_string(), tariff.bands.len()), ("2026-04-01".to_owned(), 5));
}

#[test]
fn a_mistake_is_told_with_file_line_tariff_and_key() {
    let event = "tariffs.toml line 7, tariff A, key `event`: `conference` is not supported yet; write one of: \
                 cover, consult, transfer, urgent_call, visit, standby";
    assert_eq!(told_with("\"consult\"", "\"conference\""), [event]);
    for (line, instead, expected) in [
        ("unit = \"event\"", "unit = \"week\"", "line 10, tariff A, key `unit`: `week` is not one of: event"),
        ("yen = 1_000", "yen = -1", "line 11, tariff A, key `yen`: `-1` is not a whole number of yen"),
        ("yen = 1_000", "yen = 10.5", "line 11, tariff A, key `yen`: this float is not a whole number"),
        ("yen = 1_000", "yen = 10_000_001", "line 11, tariff A, key `yen`: `10000001` is not a whole"),
        ("yen = 1_000\n", "", "line 2, tariff A, key `yen`: this key is missing"),
        (
            "yen = 1_000",
            "yen = 1\ncap = { per_case = 0 }",
            "line 12, tariff A, key `cap.per_case`: `0` is not a",
        ),
        (
            "yen = 1_000",
            "yen = 1\ncap = { per_week = 1 }",
            "line 12, tariff A, key `cap.per_week`: unknown key",
        ),
        (
            "yen = 1_000",
            "yen = 1\nblock_minutes = 30",
            "key `unit`: `unit = \"minute_block\"` and `block_minutes`",
        ),
        ("\"event\"", "\"24h_turn\"", "line 10, tariff A, key `unit`: a continuous 24-hour turn is duty"),
        (
            "yen = 1_000",
            "yen = 1\npartial = \"up\"",
            "key `partial`: only hours, slots and blocks of minutes",
        ),
        (
            "yen = 1_000",
            "yen = 1\nrounding = \"near\"",
            "key `rounding`: `near` is not one of: floor, half_up",
        ),
        ("yen = 1_000", "yen = 1\nminimum_hours = 4", "key `minimum_hours`: only a day or a slot of duty"),
        ("yen = 1_000", "yen = 1\nduty_roles = [\"primary\"]", "key `duty_roles`: only duty has roles"),
        (
            "yen = 1_000",
            "yen = 1\ninstitutions = [\"みどり\"]",
            "key `institutions`: `みどり` is not one of: ins_ and 26 letters",
        ),
        (
            "yen = 1_000",
            "yen = 1\naccepted_as = [\"stranger\"]",
            "key `accepted_as`: `stranger` is not one of: primary, deputy, backing, volunteer, pillar",
        ),
        (
            "yen = 1_000",
            "yen = 1\nevidence = [\"photo\"]",
            "key `evidence`: `photo` is not one of: report_back",
        ),
        ("yen = 1_000", "yen = 1\ncities = []", "key `cities`: names nothing; leave the key out"),
        ("yen = 1_000", "yen = 1\ncities = [\"青葉\"]", "key `cities`: `青葉`: a code has"),
        (
            "yen = 1_000",
            "yen = 1\nexclusive_with = [\"q\"]",
            "key `exclusive_with`: q is not another programme",
        ),
        (
            "yen = 1_000",
            "yen = 1\nmultiplier = [{ if = \"rain\", by = \"2\" }]",
            "key `multiplier`: write [{ if =",
        ),
        (
            "yen = 1_000",
            "yen = 1\nmultiplier = [{ if = \"calendar.holiday\", by = 1.5 }]",
            "key `multiplier`:",
        ),
        (
            "requester.confirmed",
            "standby.member_active",
            "key `when`: `standby.member_active` cannot be asked of",
        ),
        ("requester.confirmed", "tariff.within_caps", "key `when`: `tariff.within_caps` is not a known"),
        ("yen = 1_000", "yen = 1\nyenn = 2", "line 12, tariff A, key `yenn`: unknown key; known are code"),
        (
            "\"acceptor\"",
            "\"standby\"",
            "line 6, tariff A, key `side`: duty (`event = \"standby\"`) has the side",
        ),
        ("\"night\"]", "\"evening\"]", "line 9, tariff A, key `bands`: `evening` is not one of: day, night"),
        ("[\"day\", \"night\"]", "[]", "line 9, tariff A, key `bands`: names no band"),
        ("[\"day\", \"night\"]", "\"day\"", "line 9, tariff A, key `bands`: `day` is not a list"),
        ("72", "0", "line 12, tariff A, key `when`: `report.submitted_within_hours <= 0` is not a known"),
        ("requester.confirmed", "event.not_a_test", "key `when`: `event.not_a_test` holds for every tariff"),
        ("name = \"相談\"", "name = \"\"", "line 4, tariff A, key `name`: `` is not a text of 1 to 500"),
        ("code = \"A\"", "code = \"あ\"", "line 3, tariff あ, key `code`: `あ` is not a code"),
        ("code = \"A\"\n", "", "line 2, key `code`: this key is missing"),
    ] {
        let errors = told_with(line, instead);
        let good = errors.len() == 1 && errors[0].contains(expected);
        assert!(good, "{instead}: {errors:#?} should be `{expected}`");
    }
}

#[test]
fn the_end_of_a_tariff_cannot_be_misread() {
    let dates = "{ from = \"2026-04-01\", before = \"2027-04-01\" }";
    for (instead, expected) in [
        ("[\"2026-04-01\", \"2027-03-31\"]", "key `effective`: write { from = "),
        ("{ from = \"2026-04-01\", to = \"2027-04-01\" }", "key `effective.to`: unknown key"),
        ("{ from = \"2026-04-01\" }", "key `effective.before`: no day of the form"),
        ("{ from = \"2026-04-31\", before = \"2027-04-01\" }", "key `effective.from`: no day of the form"),
        ("{ from = \"2027-04-01\", before = \"2027-04-01\" }", "no day lies from 2027-04-01 and before"),
    ] {
        let errors = told_with(dates, instead);
        assert!(
            errors.iter().any(|e| e.starts_with("tariffs.toml line 8,") && e.contains(expected)),
            "{errors:#?}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_lines() {
    let text = GOOD.replace("yen = 1_000", "yen = \"many\"").replace("\"acceptor\"", "\"both\"");
    let errors = told(&format!("[programs]\nname = \"x\"\n{text}"));
    assert_eq!(errors.len(), 3, "{errors:#?}");
    for (error, place) in
        errors.iter().zip(["line 1, key `programs`", "line 8, tariff A, key `side`", "line 13,"])
    {
        assert!(error.contains(place), "{error}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let errors = told("[[tariff]]\ncode = \"A\"\ncode = \"B\"\n");
    assert!(errors[0].starts_with("tariffs.toml line 3: "), "{errors:#?}");
    assert!(told("\n\ntariff = 3")[0].contains("line 3, key `tariff`: tariffs are written as tables"));
    assert!(told("tariff = [1]")[0].contains("tariffs are written as tables"));
    assert_eq!(Tariffs::parse("empty.toml", "", "v0").unwrap(), Tariffs::none("v0"));
}

#[test]
fn two_tariffs_that_would_pay_one_event_twice_are_refused() {
    let second = GOOD.replace("code = \"A\"", "code = \"B\"");
    let with = |second: String| told(&format!("{GOOD}{second}"));
    let both = with(second.clone());
    assert!(
        both[0].contains("line 14, tariff B") && both[0].contains("paid twice on one side: A of line 2"),
        "{both:?}"
    );
    // One day in common is enough; the day `before` is not in common.
    assert_eq!(
        with(second.replace("2026-04-01", "2027-03-31").replace("before = \"2027-04", "before = \"2028-04"))
            .len(),
        1
    );
    assert_eq!(
        with(second.replace("\"2027-04-01\"", "\"2028-04-01\"").replace("2026-04-01", "2027-04-01")),
        [""; 0]
    );
    for (text, instead) in [
        ("[\"day\", \"night\"]", "[\"holiday\"]"),
        ("\"acceptor\"", "\"requester\""),
        ("\"consult\"", "\"cover\""),
        ("program = \"p\"", "program = \"q\""),
    ] {
        assert_eq!(with(second.replace(text, instead)), [""; 0], "{instead}");
    }
    let same_code = with(GOOD.replace("\"consult\"", "\"cover\""));
    assert!(same_code[0].contains("key `code`: the code is already used by the tariff of line 2"));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_stumble(cut in 0usize..SAMPLE.len(), noise in ".{0,12}", keep in any::<bool>()) {
        let cut = (0..=cut).rev().find(|i| SAMPLE.is_char_boundary(*i)).unwrap();
        let (head, tail) = SAMPLE.split_at(cut);
        let text = format!("{head}{noise}{}", if keep { tail } else { "" });
        if let Err(errors) = Tariffs::parse("t.toml", &text, "v") {
            prop_assert!(!errors.0.is_empty());
            prop_assert!(errors.0.iter().all(|e| e.line >= 1 && e.line <= text.lines().count() + 1));
        }
    }
}

const CALENDAR: &str = r#"
[[calendar]]
name = "city"
holidays = "sundays_only"
extra = ["2026-08-14 お盆"]
removed = ["01-01"]
saturday = "12:00"
night = ["18:00", "08:00"]
night_on = "holidays_and_saturdays"
deep_night = ["23:00", "05:00"]
year_end = [["12-29", "01-03"]]
order = ["holiday", "night"]
"#;

#[test]
fn a_calendar_is_read_as_it_is_written_and_its_mistakes_are_told_with_their_line() {
    let with = |tariff: &str| format!("{CALENDAR}{}", GOOD.replace("bands =", tariff));
    let tariffs = Tariffs::parse("t.toml", &with("calendar = \"city\"\nbands ="), "v1").unwrap();
    assert_eq!(tariffs.all().first().unwrap().calendar, Some("city".parse().unwrap()));
    let rules = tariffs.calendars().values().next().unwrap();
    let again = serde_json::from_str(&serde_json::to_string(rules).unwrap()).unwrap();
    assert_eq!(*rules, again);
    assert_eq!((rules.listed.len(), rules.order.as_ref().map(Vec::len)), (2, Some(2)));
    for (line, instead, expected) in [
        ("\"sundays_only\"", "\"weekends\"", "line 4, key `holidays`: write one of: association, national"),
        ("2026-08-14 お盆", "14 August", "line 5, key `extra`: `14 August` is no such day"),
        ("[\"01-01\"]", "[\"02-30\"]", "line 6, key `removed`: `02-30` is no such day"),
        ("[\"01-01\"]", "[\"2026-08-14\"]", "line 6, key `removed`: `2026-08-14` is listed twice"),
        ("\"12:00\"", "\"noon\"", "line 7, key `saturday`: write \"weekday\", \"holiday\", or the time"),
        ("[\"18:00\", \"08:00\"]", "[\"18:00\"]", "line 8, key `night`: write two different times"),
        ("[\"18:00\", \"08:00\"]", "[\"18:00\", \"18:00\"]", "line 8, key `night`: write two different"),
        ("holidays_and_saturdays", "weekends", "line 9, key `night_on`: write one of: every_day"),
        ("\"23:00\"", "\"24:00\"", "line 10, key `deep_night`: write two different times"),
        ("[[\"12-29\", \"01-03\"]]", "[\"12-29\"]", "line 11, key `year_end`: write first and last day"),
        ("[\"holiday\", \"night\"]", "[\"night\", \"night\"]", "line 12, key `order`: `night` cannot stand"),
        ("[\"holiday\", \"night\"]", "[\"day\"]", "line 12, key `order`: `day` cannot stand here"),
        ("name = \"city\"", "name = \"市\"", "line 3, key `name`: a calendar needs a name that is a code"),
        (
            "name = \"city\"",
            "name = \"city\"\nnights = 1",
            "line 4, key `nights`: unknown key; a calendar has",
        ),
    ] {
        assert!(CALENDAR.contains(line), "{line}");
        let errors = told(&CALENDAR.replace(line, instead));
        assert!(errors.len() == 1 && errors[0].contains(expected), "{instead}: {errors:#?}");
    }
    let unknown = told(&with("calendar = \"town\"\nbands ="));
    assert!(
        unknown[0].contains("`town` is not the name of a [[calendar]] of this file (city)"),
        "{unknown:?}"
    );
    let twice = told(&format!("{CALENDAR}{CALENDAR}"));
    assert!(twice.len() == 1 && twice[0].contains("another calendar called city"), "{twice:?}");
}

#[test]
fn two_tariffs_that_count_bands_in_two_ways_may_not_share_a_programme() {
    let other = GOOD
        .replace("code = \"A\"", "code = \"B\"")
        .replace("bands = [\"day\", \"night\"]", "calendar = \"city\"\nbands = [\"holiday\"]");
    let errors = told(&format!("{CALENDAR}{GOOD}{other}"));
    assert!(errors.len() == 1 && errors[0].contains("paid twice on one side"), "{errors:#?}");
}
