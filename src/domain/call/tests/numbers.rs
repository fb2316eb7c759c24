//! Numbers as they are written, shown and dialled; and who may call how often.

use proptest::prelude::*;

use super::super::number::{Hidden, NotDialled, NumberKind, Special, read};
use super::*;

/// What is written, the number it is (or nothing), its kind, whether it may be dialled.
const WRITTEN: &[(&str, &str, &str, bool)] = &[
    ("09012345678", "+819012345678", "mobile", true),
    ("090-1234-5678", "+819012345678", "mobile", true),
    ("０９０－１２３４－５６７８", "+819012345678", "mobile", true),
    ("090ー1234ー5678", "+819012345678", "mobile", true),
    ("090‐1234‐5678", "+819012345678", "mobile", true),
    ("090 1234 5678", "+819012345678", "mobile", true),
    ("+81 90 1234 5678", "+819012345678", "mobile", true),
    ("+81(0)90-1234-5678", "+819012345678", "mobile", true),
    ("81 90 1234 5678", "+819012345678", "mobile", true),
    ("010-81-90-1234-5678", "+819012345678", "mobile", true),
    ("tel:+81-90-1234-5678", "+819012345678", "mobile", true),
    ("sip:09012345678@trunk", "+819012345678", "mobile", true),
    ("<sip:+819012345678@trunk;user=phone>", "+819012345678", "mobile", true),
    ("070-1234-5678", "+817012345678", "mobile", true),
    ("060-1234-5678", "+816012345678", "mobile", true),
    ("03-1234-5678", "+81312345678", "fixed", true),
    ("(03)1234-5678", "+81312345678", "fixed", true),
    ("011-234-5678", "+81112345678", "fixed", true),
    ("04992-2-1234", "+81499221234", "fixed", true),
    ("050-1234-5678", "+815012345678", "voip", true),
    ("0120-123-456", "+81120123456", "toll-free", false),
    ("0800-123-4567", "+818001234567", "toll-free", false),
    ("0570-012-345", "+81570012345", "uan", false),
    ("0990-123-456", "+81990123456", "premium", false),
    ("020-1234-5678", "+812012345678", "m2m/pager", false),
    ("186-090-1234-5678", "+819012345678", "mobile", true),
    ("184-090-1234-5678", "-", "-", false),
    ("110", "-", "emergency", false),
    ("118", "-", "emergency", false),
    ("119", "-", "emergency", false),
    ("#7119", "-", "service", false),
    ("#8000", "-", "service", false),
    ("171", "-", "service", false),
    ("104", "-", "service", false),
    ("0081 90 1234 5678", "-", "-", false),
    ("010-1-415-555-2671", "-", "foreign", false),
    ("+14155552671", "-", "foreign", false),
    ("9012345678", "-", "-", false),
    ("0901234567", "-", "-", false),
    ("090123456789", "-", "-", false),
    ("00-0000-0000", "-", "-", false),
    ("anonymous", "-", "withheld", false),
    ("非通知", "-", "withheld", false),
    ("公衆電話", "-", "payphone", false),
    ("表示圏外", "-", "unavailable", false),
    ("", "-", "empty", false),
    ("０３（１２３４）５６７８", "+81312345678", "fixed", true),
    ("\"Night\" <sip:0312345678@trunk>", "+81312345678", "fixed", true),
    ("*31#09012345678", "-", "star", false),
    ("*21", "-", "star", false),
    ("Anonymous <sip:anonymous@anonymous.invalid>", "-", "withheld", false),
    ("090123456789012345678901234567890", "-", "-", false),
    ("電話はありません", "-", "-", false),
    ("+", "-", "-", false),
    ("184", "-", "service", false),
    ("1840", "-", "-", false),
];

fn kind_word(reading: &Reading) -> &'static str {
    match reading {
        Reading::Number(n) => match n.kind() {
            NumberKind::Mobile => "mobile",
            NumberKind::Fixed => "fixed",
            NumberKind::Voip => "voip",
            NumberKind::TollFree => "toll-free",
            NumberKind::Navi => "uan",
            NumberKind::Premium => "premium",
            NumberKind::Machine => "m2m/pager",
            NumberKind::Foreign => "foreign",
        },
        Reading::Special(Special::Emergency) => "emergency",
        Reading::Special(Special::Service) => "service",
        Reading::Special(Special::Star) => "star",
        Reading::Special(Special::HidesOurs) | Reading::Unreadable => "-",
        Reading::Hidden(Hidden::Withheld) => "withheld",
        Reading::Hidden(Hidden::Payphone) => "payphone",
        Reading::Hidden(Hidden::Unavailable) => "unavailable",
        Reading::Hidden(Hidden::Missing) => "empty",
    }
}

#[test]
fn every_writing_of_a_number_is_read_the_same() {
    for (written, e164, kind, dial) in WRITTEN {
        let reading = read(written);
        assert_eq!(kind_word(&reading), *kind, "{written:?} is {reading:?}");
        // Foreign numbers are kept for comparison; the table names those of the country only.
        if let (Reading::Number(n), true) = (&reading, *kind != "foreign") {
            assert_eq!(n.e164(), *e164, "{written:?}");
            assert_eq!(read(&n.shown()), reading, "{written:?}: as it is shown");
            assert_eq!(read(n.e164()), reading, "{written:?}: as it is stored");
        }
        assert_eq!(Line::read(written, &[]).is_ok(), *dial, "{written:?} dialled");
    }
}

#[test]
fn emergency_and_service_numbers_are_never_a_line() {
    for written in
        ["119", "１１９", "110", "118", "#7119", "＃7119", "#8000", "171", "*21", "184-090-1234-5678"]
    {
        assert_eq!(Line::read(written, &[]), Err(NotDialled::Special), "{written}");
    }
}

#[test]
fn our_own_number_is_known_in_any_writing_and_never_dialled() {
    let Reading::Number(own) = read("03-5550-0119") else { panic!() };
    for written in ["0355500119", "+81 3 5550 0119", "０３－５５５０－０１１９"] {
        assert_eq!(Line::read(written, std::slice::from_ref(&own)), Err(NotDialled::OwnNumber));
    }
    let from_us = read("+81355500119");
    let own = std::slice::from_ref(&own);
    assert_eq!(admit(&from_us, true, own, Load::default(), Limits::default()), Admission::Loop);
}

#[test]
fn a_number_in_a_log_shows_its_last_four_digits_only() {
    let line = line(1234);
    for text in [format!("{line:?}"), format!("{}", line.number()), line.number().masked()] {
        assert_eq!(text, "***1234");
    }
    let call = Night::on_page().call;
    assert!(!format!("{call:?}").contains("900000009"), "no number in a printed call");
}

#[test]
fn known_institutions_are_never_limited_and_others_are() {
    let limits =
        Limits { calls_per_line_hour: 5, hidden_per_hour: 20, lines_in_use: 16, minutes_per_month: None };
    let load = |calls, lines| Load { from_line_last_hour: calls, lines_in_use: lines, minutes_this_month: 0 };
    let (shown, hidden) = (read(NURSE), read("anonymous"));
    for (line, known, load, expected) in [
        (&shown, true, load(1_000, 1_000), Admission::Open),
        (&shown, false, load(4, 15), Admission::Open),
        (&shown, false, load(5, 0), Admission::TooMany),
        (&shown, false, load(0, 16), Admission::TooMany),
        (&hidden, false, load(19, 0), Admission::Open),
        (&hidden, false, load(20, 0), Admission::TooMany),
        (&hidden, true, load(20, 99), Admission::Open),
    ] {
        assert_eq!(admit(line, known, &[], load, limits), expected, "{line:?} {known} {load:?}");
    }
}

#[test]
fn a_policy_that_could_leave_a_caller_in_silence_is_refused() {
    assert_eq!(Policy::default().wrong(), Vec::<&str>::new());
    let wrong = Policy { quiet_s: 11, idle_s: 6, ring_s: 0, pin_tries: 0, ..Policy::default() }.wrong();
    assert_eq!(wrong, ["ring_s", "pin_tries", "quiet_s", "idle_s"]);
}

proptest! {
    #[test]
    fn whatever_is_written_reading_it_neither_fails_nor_dials_what_it_must_not(text in "\\PC{0,40}") {
        let reading = read(&text);
        if let Reading::Number(n) = &reading {
            prop_assert_eq!(&read(n.e164()), &reading);
            let json = serde_json::to_string(n).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Number>(&json).unwrap(), n);
        }
        if let Ok(line) = Line::read(&text, &[]) {
            prop_assert!(line.number().e164().starts_with("+81"));
            prop_assert!((12..=13).contains(&line.number().e164().len()));
        }
    }

    #[test]
    fn hyphens_spaces_and_width_make_no_difference(digits in "0[789]0[1-9][0-9]{7}", at in 0usize..11, mark in "[-‐–—−ー ]") {
        let plain = read(&digits);
        prop_assert!(matches!(plain, Reading::Number(_)));
        let (head, tail) = digits.split_at(at);
        prop_assert_eq!(&read(&format!("{head}{mark}{tail}")), &plain);
        let wide: String = digits.bytes().map(|b| char::from_u32(u32::from(b) + 0xFEE0).unwrap()).collect();
        prop_assert_eq!(&read(&wide), &plain);
    }
}
