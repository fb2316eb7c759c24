//! Slot patterns: what a file may say, how its mistakes are told, which slots follow.

use std::collections::BTreeSet;

use super::*;

pub const GOOD: &str = r#"
[[slot]]
kind = "wn"
name = "平日の夜"
days = ["weekday"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy", "backing"]
points = { primary = 1, deputy = 0.5 }

[[slot]]
kind = "sp"
name = "土曜の午後"
days = ["saturday"]
from = "12:00"
to = "18:00"
roles = ["primary", "deputy"]
points = { primary = 0.75 }

[[slot]]
kind = "sn"
name = "土曜の夜"
days = ["saturday"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy"]
points = { primary = 1.5, deputy = 0.75 }

[[slot]]
kind = "hd"
name = "日曜・祝日の昼"
days = ["sunday", "holiday"]
from = "08:00"
to = "18:00"
roles = ["primary", "deputy"]
points = { primary = 2.0, deputy = 1.0 }

[[slot]]
kind = "hn"
name = "日曜・祝日の夜"
days = ["sunday", "holiday"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy"]
points = { primary = 2.0, deputy = 1.0 }
need_any = ["ped"]

[[slot]]
kind = "ye"
name = "年末年始"
days = ["year_end"]
from = "08:00"
to = "08:00"
roles = ["primary", "deputy"]
points = { primary = 4.00 }

[[required]]
days = ["every"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy"]

[[required]]
days = ["sunday", "holiday", "year_end"]
from = "08:00"
to = "18:00"
roles = ["primary", "deputy"]
"#;

pub fn book() -> SlotBook {
    SlotBook::parse("slots.toml", GOOD, "test-1").unwrap()
}

fn told(text: &str) -> Vec<String> {
    match SlotBook::parse("slots.toml", text, "v") {
        Ok(_) => Vec::new(),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    }
}

/// The mistakes of the good file with the first place of one text changed.
fn told_with(text: &str, instead: &str) -> Vec<String> {
    assert!(GOOD.contains(text), "{text}");
    told(&GOOD.replacen(text, instead, 1))
}

fn kinds_of(book: &SlotBook, calendar: &Calendar, text: &str) -> Vec<String> {
    let slots = book.slots(&aoba(), day(text), day(text), calendar, TOKYO);
    slots.into_iter().map(|slot| slot.key.kind.to_string()).collect()
}

#[test]
fn a_file_is_read_as_it_is_written() {
    let book = book();
    assert_eq!((book.version(), book.patterns().len(), book.required().len()), ("test-1", 6, 2));
    let slots = book.slots(&aoba(), day("2026-07-01"), day("2026-07-01"), &calendar(), TOKYO);
    let [slot] = slots.as_slice() else { panic!("one slot: {slots:?}") };
    assert_eq!(slot.key.to_string(), "2026-07-01/wn");
    assert_eq!(slot.window, span("2026-07-01T18:00:00+09:00", "2026-07-02T08:00:00+09:00"));
    assert_eq!(slot.points[&RotaRole::Primary], Points(100));
    assert_eq!(slot.points[&RotaRole::Deputy], Points(50));
    assert_eq!(slot.points.get(&RotaRole::Backing), None);
    assert_eq!(slot.roles, BTreeSet::from(RotaRole::ALL));
}

#[test]
fn a_quarter_has_the_slots_the_office_counts() {
    // July to September 2026: 92 nights, 13 Saturdays, 13 Sundays, 5 weekday holidays.
    let slots = book().slots(&aoba(), day("2026-07-01"), day("2026-09-30"), &calendar(), TOKYO);
    let count = |kind: &str| slots.iter().filter(|s| s.key.kind.as_str() == kind).count();
    assert_eq!((count("sp"), count("sn"), count("hd"), count("hn"), count("ye")), (13, 13, 18, 18, 0));
    assert_eq!(count("wn") + count("sn") + count("hn"), 92);
}

#[test]
fn the_five_days_off_of_september_2026_are_a_saturday_and_four_holidays() {
    let (book, calendar) = (book(), calendar());
    assert_eq!(kinds_of(&book, &calendar, "2026-09-18"), ["wn"]);
    assert_eq!(kinds_of(&book, &calendar, "2026-09-19"), ["sp", "sn"]);
    for day in ["2026-09-20", "2026-09-21", "2026-09-22", "2026-09-23"] {
        assert_eq!(kinds_of(&book, &calendar, day), ["hd", "hn"], "{day}");
    }
    assert_eq!(kinds_of(&book, &calendar, "2026-09-24"), ["wn"]);
    let run = run_of(day("2026-09-22"), &calendar).unwrap();
    assert_eq!((run.first, run.last, run.len_days()), (day("2026-09-19"), day("2026-09-23"), 5));
    assert_eq!(run_of(day("2026-09-24"), &calendar), None);
    // The substitute holiday of Golden Week: Saturday 2 to Wednesday 6 May.
    assert_eq!(run_of(day("2026-05-06"), &calendar).unwrap().first, day("2026-05-02"));
}

#[test]
fn the_year_end_is_its_own_kind_or_else_like_a_holiday() {
    let calendar = calendar();
    for day in ["2026-12-29", "2026-12-31", "2027-01-01", "2027-01-03"] {
        assert_eq!(kinds_of(&book(), &calendar, day), ["ye"], "{day}");
    }
    assert_eq!(kinds_of(&book(), &calendar, "2026-12-28"), ["wn"]);
    assert_eq!(kinds_of(&book(), &calendar, "2027-01-04"), ["wn"]);
    let without = GOOD.replace("days = [\"year_end\"]", "dates = [\"2030-01-01\"]");
    let without = SlotBook::parse("slots.toml", &without, "v").unwrap();
    assert_eq!(kinds_of(&without, &calendar, "2026-12-31"), ["hd", "hn"]);
    assert_eq!(run_of(day("2027-01-01"), &calendar).unwrap().first, day("2026-12-29"));
}

#[test]
fn a_day_tells_its_kinds_from_the_most_telling_on() {
    use DayKind::{BeforeHoliday, Holiday, Saturday, Sunday, Weekday, YearEnd};
    let of = |text: &str| day_kinds(day(text), &calendar());
    assert_eq!(of("2026-07-01"), [Weekday]);
    assert_eq!(of("2026-07-04"), [Saturday, BeforeHoliday, Weekday]);
    assert_eq!(of("2026-07-05"), [Sunday, Holiday, Weekday]);
    // The Sunday before 海の日, the holiday itself, and the day before a holiday in the week.
    assert_eq!(of("2026-07-19"), [Sunday, Holiday, BeforeHoliday, Weekday]);
    assert_eq!(of("2026-07-20"), [Holiday, Sunday, Weekday]);
    assert_eq!(of("2026-08-10"), [BeforeHoliday, Weekday]);
    // 3 May 2026 is a Sunday and a holiday by name.
    assert_eq!(of("2026-05-03")[0], Holiday);
    assert_eq!(of("2026-12-28"), [BeforeHoliday, Weekday]);
    assert_eq!(of("2027-01-01"), [YearEnd, Holiday, Sunday, BeforeHoliday, Weekday]);
}

#[test]
fn a_listed_day_and_a_version_outrank_the_kinds_of_the_day() {
    let listed = "[[slot]]\nkind = \"obon\"\nname = \"お盆\"\ndates = [\"08-14\", \"2026-08-15\"]\n\
                  from = \"08:00\"\nto = \"24:00\"\nroles = [\"primary\"]\n";
    let text = format!(
        "{listed}{}",
        GOOD.replacen("to = \"08:00\"", "to = \"08:00\"\neffective = { before = \"2027-04-01\" }", 1)
    );
    let text = format!(
        "{text}\n[[slot]]\nkind = \"wn\"\nname = \"平日の夜\"\ndays = [\"weekday\"]\nfrom = \"19:00\"\n\
         to = \"07:00\"\nroles = [\"primary\"]\neffective = {{ from = \"2027-04-01\" }}\n"
    );
    let book = SlotBook::parse("slots.toml", &text, "v").unwrap();
    assert_eq!(kinds_of(&book, &calendar(), "2026-08-14"), ["obon"]);
    assert_eq!(kinds_of(&book, &calendar(), "2026-08-15"), ["obon"]);
    assert_eq!(kinds_of(&book, &calendar(), "2027-08-14"), ["obon"]);
    // 15 August 2027 is a Sunday like any other.
    assert_eq!(kinds_of(&book, &calendar(), "2027-08-15"), ["hd", "hn"]);
    let slot = |text: &str| book.slots(&aoba(), day(text), day(text), &calendar(), TOKYO)[0].window;
    assert_eq!(slot("2026-08-14"), span("2026-08-14T08:00:00+09:00", "2026-08-15T00:00:00+09:00"));
    // The night of 31 March belongs to the old year and keeps its hours.
    assert_eq!(slot("2027-03-31"), span("2027-03-31T18:00:00+09:00", "2027-04-01T08:00:00+09:00"));
    assert_eq!(slot("2027-04-01"), span("2027-04-01T19:00:00+09:00", "2027-04-02T07:00:00+09:00"));
}

#[test]
fn areas_have_their_own_patterns() {
    let text = GOOD.replacen("to = \"08:00\"", "to = \"08:00\"\nareas = [\"west\"]", 1);
    let book = SlotBook::parse("slots.toml", &text, "v").unwrap();
    let of =
        |name: &str| book.slots(&area(name), day("2026-07-01"), day("2026-07-04"), &calendar(), TOKYO).len();
    assert_eq!((of("west"), of("aoba")), (5, 2));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    assert_eq!(told(GOOD), [""; 0]);
    let line = |told: &[String]| told.first().cloned().unwrap_or_default();
    let wrong = told_with("days = [\"weekday\"]", "days = [\"workday\"]");
    assert!(
        line(&wrong).starts_with("slots.toml line 5, slot wn, key `days`: `workday` is not one of: weekday")
    );
    assert!(line(&told_with("from = \"18:00\"", "from = \"24:00\"")).contains("line 6, slot wn, key `from`"));
    assert!(line(&told_with("to = \"08:00\"", "to = \"8:00\"")).contains("key `to`: `8:00` is not a time"));
    assert!(
        line(&told_with("deputy = 0.5", "deputy = 0.505")).contains("line 9, slot wn, key `points.deputy`")
    );
    assert!(line(&told_with("deputy = 0.5", "deputy = -1")).contains("points.deputy"));
    assert!(line(&told_with("primary = 0.75", "backing = 1")).contains("`backing` is not among the roles"));
    assert!(
        line(&told_with("kind = \"wn\"", "kind = \"wn\"\ncolour = 1")).contains("key `colour`: unknown key")
    );
    assert!(line(&told_with("name = \"平日の夜\"", "")).contains("key `name`: this key is missing"));
    assert!(line(&told_with("days = [\"weekday\"]", "days = []")).contains("names nothing"));
    let both = told_with("days = [\"weekday\"]", "days = [\"weekday\"]\ndates = [\"08-14\"]");
    assert!(line(&both).contains("write either `days` or `dates`"));
    assert!(line(&told("[[sloth]]\n")).contains("line 1, key `sloth`: unknown key"));
    assert!(line(&told("slot = 3\n")).contains("line 1: written as tables"));
    assert!(line(&told("[[slot]\n")).starts_with("slots.toml line 1: "));
    let reversed = told_with(
        "days = [\"weekday\"]",
        "days = [\"weekday\"]\neffective = { from = \"2027-04-01\", before = \"2026-04-01\" }",
    );
    assert!(line(&reversed).contains("no day lies from 2027-04-01"));
    // Several at once, in the order of the lines.
    let two = GOOD.replacen("\"18:00\"", "\"25:00\"", 1).replacen("\"saturday\"", "\"sabbath\"", 1);
    let two = told(&two);
    assert_eq!(two.len(), 2);
    assert!(two[0].contains("line 6") && two[1].contains("line 14"), "{two:?}");
}

#[test]
fn two_slots_of_one_name_on_one_day_are_refused() {
    let twice = told_with("kind = \"sn\"", "kind = \"sp\"");
    assert!(twice[0].contains("the slot of line 11 has the same kind"), "{twice:?}");
    // On other days the same name is no mistake.
    assert_eq!(told_with("kind = \"sn\"", "kind = \"wn\""), [""; 0]);
}

#[test]
fn required_hours_are_put_together_and_cut_to_the_window() {
    let book = book();
    let hours = |from: &str, to: &str| {
        book.required_hours(&aoba(), RotaRole::Primary, span(from, to), &calendar(), TOKYO)
    };
    // From Saturday's morning to Monday's noon: the end of Friday's night, then all of Sunday's 24 hours.
    let found = hours("2026-07-04T06:00:00+09:00", "2026-07-06T12:00:00+09:00");
    let friday = span("2026-07-04T06:00:00+09:00", "2026-07-04T08:00:00+09:00");
    let on = span("2026-07-04T18:00:00+09:00", "2026-07-06T08:00:00+09:00");
    assert_eq!(found, [friday, on]);
    assert_eq!(hours("2026-07-06T09:00:00+09:00", "2026-07-06T18:00:00+09:00"), []);
    let backing = span("2026-07-04T06:00:00+09:00", "2026-07-06T12:00:00+09:00");
    assert_eq!(book.required_hours(&aoba(), RotaRole::Backing, backing, &calendar(), TOKYO), []);
}

#[test]
fn the_book_in_use_is_the_one_recorded_last_as_known() {
    let recorded = |text: &str, version: &str| RecordedBook {
        recorded_at: at(text),
        book: SlotBook::parse("slots.toml", GOOD, version).unwrap(),
    };
    let books = [recorded("2026-06-01T00:00:00Z", "b"), recorded("2026-04-01T00:00:00Z", "a")];
    let version = |as_of: Option<&str>| book_as_of(&books, as_of.map(at)).map(SlotBook::version);
    assert_eq!(version(None), Some("b"));
    assert_eq!(version(Some("2026-05-31T23:59:59Z")), Some("a"));
    assert_eq!(version(Some("2026-03-01T00:00:00Z")), None);
}

#[test]
fn keys_of_slots_and_areas_read_back_and_refuse_nonsense() {
    let text = serde_json::to_string(&key("2026-07-01/wn")).unwrap();
    assert_eq!(
        (text.as_str(), serde_json::from_str(&text).ok()),
        ("\"2026-07-01/wn\"", Some(key("2026-07-01/wn")))
    );
    for wrong in ["2026-07-01", "2026-07-32/wn", "2026-07-01/", "2026-7-1/wn", "/wn"] {
        assert!(wrong.parse::<SlotKey>().is_err(), "{wrong}");
    }
    assert!("青葉北".parse::<Area>().is_ok());
    assert!("".parse::<Area>().is_err() && "a b".parse::<Area>().is_err());
    let group = |n: usize| CareGroup::new(aoba(), (0..n).map(|n| clinic(n * 3)).collect());
    assert_eq!(group(10), Err(NotACareGroup { institutions: 10 }));
    assert!(group(9).is_ok() && group(2).is_ok() && group(1).is_err());
}

#[test]
fn the_sample_file_covers_every_hour_of_a_year() {
    let sample = include_str!("../../../../config/slots.toml");
    let book = SlotBook::parse("config/slots.toml", sample, "v").unwrap();
    let slots = book.slots(&aoba(), day("2026-04-01"), day("2027-03-31"), &calendar(), TOKYO);
    assert!(slots.windows(2).all(|pair| pair[0].window.to == pair[1].window.from));
    assert!(slots.iter().all(|slot| slot.points.len() == slot.roles.len()));
    let year = Window { from: slots[0].window.from, to: slots[slots.len() - 1].window.to };
    assert_eq!(book.required_hours(&aoba(), RotaRole::Deputy, year, &calendar(), TOKYO), [year]);
}

#[test]
fn the_calendars_own_rules_move_the_days_of_the_rota() {
    use crate::domain::calendar::{Saturday, YearlyDays};
    let mut calendar = calendar();
    calendar.rules.year_end = YearlyDays::new("12-30", "01-03").map(|days| vec![days]);
    calendar.rules.saturday = Some(Saturday::Holiday);
    assert_eq!(kinds_of(&book(), &calendar, "2026-12-29"), ["wn"]);
    assert_eq!(kinds_of(&book(), &calendar, "2026-12-30"), ["ye"]);
    // A Saturday that counts as a holiday still has the slots of a Saturday, where there are any.
    assert_eq!(kinds_of(&book(), &calendar, "2026-07-04"), ["sp", "sn"]);
    let without = GOOD.replace("days = [\"saturday\"]", "dates = [\"2030-01-01\"]");
    let without = SlotBook::parse("slots.toml", &without, "v").unwrap();
    assert_eq!(kinds_of(&without, &calendar, "2026-07-04"), ["hd", "hn"]);
}
