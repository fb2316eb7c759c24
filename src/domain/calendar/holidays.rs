//! Japan's national holidays by the rule of the holiday law (国民の祝日に関する法律, 1948 no. 178), each
//! day by the law as it stood on that day. What an association makes of them is `Calendar`'s.

use std::ops::RangeInclusive;

use chrono::Weekday;

use super::CivilDate;

/// The years that [`national_holiday`] knows. The law is in force since 20 July 1948, so that the first of
/// these years is not whole; after the last one the equinox formula ends. Outside them no day is a national
/// holiday: list such days in the calendar.
pub const NATIONAL_YEARS: RangeInclusive<i32> = 1948..=2099;

/// Days on which the law, or a change of it, came into force.
const LAW: (i32, u32, u32) = (1948, 7, 20);
/// A holiday on a Sunday passes its rest on (law no. 10 of 1973).
const SUBSTITUTES: (i32, u32, u32) = (1973, 4, 12);
/// A day between two holidays is one (law no. 103 of 1985).
const BETWEEN: (i32, u32, u32) = (1985, 12, 27);
/// Both worded anew (law no. 43 of 2005).
const REWORDED: (i32, u32, u32) = (2007, 1, 1);

/// The name of the national holiday on `date`: a day named by article 2 or by a law of its own, its
/// substitute (振替休日) or a day between two named days (国民の休日).
///
/// The equinoxes are those of the formula; the gazette of 1 February fixes them for the following year
/// and has agreed with it so far. Where it will not, import the Cabinet Office's list into the calendar.
#[must_use]
pub fn national_holiday(date: CivilDate) -> Option<&'static str> {
    if !NATIONAL_YEARS.contains(&date.year()) {
        return None;
    }
    if let Some(name) = named_day(date) {
        return Some(name);
    }
    if substitute(date) {
        return Some("振替休日");
    }
    let between = named_day(date.plus_days(-1)).is_some() && named_day(date.plus_days(1)).is_some();
    // Until 2006 the day between was none where it was a Sunday.
    let counts = civil(date) >= REWORDED || (civil(date) >= BETWEEN && date.weekday() != Weekday::Sun);
    (between && counts).then_some("国民の休日")
}

fn civil(date: CivilDate) -> (i32, u32, u32) {
    (date.year(), date.month(), date.day())
}

/// Article 3, paragraph 2, of a day that is not a named day itself.
fn substitute(date: CivilDate) -> bool {
    let mut before = date.plus_days(-1);
    if civil(date) < SUBSTITUTES {
        return false;
    }
    if civil(date) < REWORDED {
        // "That falls on a Sunday: the day after it." The change of 1973 held for holidays from then on.
        return before.weekday() == Weekday::Sun
            && civil(before) >= SUBSTITUTES
            && named_day(before).is_some();
    }
    // "The nearest later day that is not a holiday": walk back over named days to a Sunday among them.
    while named_day(before).is_some() {
        if before.weekday() == Weekday::Sun {
            return true;
        }
        before = before.plus_days(-1);
    }
    false
}

/// The days of article 2 as it read in that year, and of the laws for single days.
fn named_day(date: CivilDate) -> Option<&'static str> {
    let (year, month, day) = civil(date);
    if (year, month, day) < LAW {
        return None;
    }
    let nth_monday = |n: u32| date.weekday() == Weekday::Mon && (day - 1) / 7 + 1 == n;
    let name = match (month, day) {
        (1, 1) => "元日",
        (1, 15) if year <= 1999 => "成人の日",
        (1, _) if year >= 2000 && nth_monday(2) => "成人の日",
        (2, 11) if year >= 1967 => "建国記念の日",
        (2, 23) if year >= 2020 => "天皇誕生日",
        (3, _) if equinox(year, Equinox::Spring) == Some(day) => "春分の日",
        (4, 29) if year <= 1988 => "天皇誕生日",
        (4, 29) if year <= 2006 => "みどりの日",
        (4, 29) => "昭和の日",
        (5, 3) => "憲法記念日",
        (5, 4) if year >= 2007 => "みどりの日",
        (5, 5) => "こどもの日",
        (7, 20) if (1996..=2002).contains(&year) => "海の日",
        // The Games of 2020 moved three days in 2020 and again in 2021 (laws no. 55 of 2018 and no. 68 of 2020).
        (7, 23) if year == 2020 => "海の日",
        (7, 22) if year == 2021 => "海の日",
        (7, 24) if year == 2020 => "スポーツの日",
        (7, 23) if year == 2021 => "スポーツの日",
        (8, 10) if year == 2020 => "山の日",
        (8, 8) if year == 2021 => "山の日",
        (7, _) if year >= 2003 && nth_monday(3) && !matches!(year, 2020 | 2021) => "海の日",
        (8, 11) if year >= 2016 && !matches!(year, 2020 | 2021) => "山の日",
        (9, 15) if (1966..=2002).contains(&year) => "敬老の日",
        (9, _) if year >= 2003 && nth_monday(3) => "敬老の日",
        (9, _) if equinox(year, Equinox::Autumn) == Some(day) => "秋分の日",
        (10, 10) if (1966..=1999).contains(&year) => "体育の日",
        (10, _) if (2000..=2019).contains(&year) && nth_monday(2) => "体育の日",
        (10, _) if year >= 2022 && nth_monday(2) => "スポーツの日",
        (11, 3) => "文化の日",
        (11, 23) => "勤労感謝の日",
        (12, 23) if (1989..=2018).contains(&year) => "天皇誕生日",
        _ => return single_day(date),
    };
    Some(name)
}

/// Days of laws of their own: no. 16 of 1959, no. 4 of 1989, no. 24 of 1990, no. 32 of 1993, no. 99 of 2018.
/// None of the first four fell on a Sunday or two days from a holiday, so nothing followed from them.
fn single_day(date: CivilDate) -> Option<&'static str> {
    Some(match civil(date) {
        (1959, 4, 10) => "皇太子明仁親王の結婚の儀",
        (1989, 2, 24) => "昭和天皇の大喪の礼",
        (1990, 11, 12) => "即位礼正殿の儀",
        (1993, 6, 9) => "皇太子徳仁親王の結婚の儀",
        // A holiday of the law in every respect: 30 April and 2 May lay between two.
        (2019, 5, 1) => "天皇の即位の日",
        (2019, 10, 22) => "即位礼正殿の儀",
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Equinox {
    Spring,
    Autumn,
}

/// The day of an equinox's month by the usual approximation (新こよみ便利帳), in millionths of a day: no
/// floats. 1900 to 1979: ⌊base + 0.242194 × (year − 1980)⌋ − (year − 1983) / 4 cut towards nought;
/// 1980 to 2099: ⌊base + 0.242194 × (year − 1980)⌋ − ⌊(year − 1980) / 4⌋.
fn equinox(year: i32, which: Equinox) -> Option<u32> {
    let (base_millionths, leap_from) = match (which, year) {
        (Equinox::Spring, ..1980) => (20_835_700, 1983),
        (Equinox::Autumn, ..1980) => (23_258_800, 1983),
        (Equinox::Spring, _) => (20_843_100, 1980),
        (Equinox::Autumn, _) => (23_248_800, 1980),
    };
    let day = (base_millionths + 242_194 * (year - 1980)) / 1_000_000 - (year - leap_from) / 4;
    u32::try_from(day).ok()
}
