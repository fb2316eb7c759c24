//! Japan's national holidays by the rule of the holiday law (国民の祝日に関する法律, 1948 no. 178) as it
//! stands since 2007. What an association makes of them is `Calendar`'s.

use std::ops::RangeInclusive;

use chrono::Weekday;

use super::CivilDate;

/// The years that [`national_holiday`] knows. Before 2007 article 3 read otherwise; after 2099 the
/// equinox formula ends. Outside them no day is a national holiday: list such days in the calendar.
pub const NATIONAL_YEARS: RangeInclusive<i32> = 2007..=2099;

/// The name of the national holiday on `date`: a day named by article 2, its substitute (article 3,
/// paragraph 2: the next day that is not itself a named day when it falls on a Sunday) or a day between
/// two named days (paragraph 3).
///
/// The equinoxes are those of the formula; the gazette of 1 February fixes them for the following year
/// and has agreed with it so far. Where it will not, list the day in the calendar.
#[must_use]
pub fn national_holiday(date: CivilDate) -> Option<&'static str> {
    if !NATIONAL_YEARS.contains(&date.year()) {
        return None;
    }
    if let Some(name) = named_day(date) {
        return Some(name);
    }
    // Article 3 (2): walk back over named days; a Sunday among them passes its rest on to today.
    let mut before = date.plus_days(-1);
    while named_day(before).is_some() {
        if before.weekday() == Weekday::Sun {
            return Some("振替休日");
        }
        before = before.plus_days(-1);
    }
    let between = named_day(date.plus_days(-1)).is_some() && named_day(date.plus_days(1)).is_some();
    between.then_some("国民の休日")
}

/// The days of article 2, and of the laws of 2017, 2018 and 2020 for the accession and the Games.
fn named_day(date: CivilDate) -> Option<&'static str> {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let nth_monday = |n: u32| date.weekday() == Weekday::Mon && (day - 1) / 7 + 1 == n;
    let name = match (month, day) {
        (1, 1) => "元日",
        (1, _) if nth_monday(2) => "成人の日",
        (2, 11) => "建国記念の日",
        (2, 23) if year >= 2020 => "天皇誕生日",
        (3, _) if equinox(year, 20_843_100) == Some(day) => "春分の日",
        (4, 29) => "昭和の日",
        // The accession of 2019 (law no. 99 of 2018): a holiday of the law in every respect.
        (5, 1) if year == 2019 => "天皇の即位の日",
        (10, 22) if year == 2019 => "即位礼正殿の儀",
        (5, 3) => "憲法記念日",
        (5, 4) => "みどりの日",
        (5, 5) => "こどもの日",
        // The Games of 2020 moved three days in 2020 and again in 2021 (laws no. 55 of 2018 and no. 68 of 2020).
        (7, 23) if year == 2020 => "海の日",
        (7, 22) if year == 2021 => "海の日",
        (7, 24) if year == 2020 => "スポーツの日",
        (7, 23) if year == 2021 => "スポーツの日",
        (8, 10) if year == 2020 => "山の日",
        (8, 8) if year == 2021 => "山の日",
        (7, _) if nth_monday(3) && !matches!(year, 2020 | 2021) => "海の日",
        (8, 11) if year >= 2016 && !matches!(year, 2020 | 2021) => "山の日",
        (9, _) if nth_monday(3) => "敬老の日",
        (9, _) if equinox(year, 23_248_800) == Some(day) => "秋分の日",
        (10, _) if nth_monday(2) && year >= 2022 => "スポーツの日",
        (10, _) if nth_monday(2) && year <= 2019 => "体育の日",
        (11, 3) => "文化の日",
        (11, 23) => "勤労感謝の日",
        (12, 23) if year <= 2018 => "天皇誕生日",
        _ => return None,
    };
    Some(name)
}

/// The day of an equinox's month by the usual approximation for 1980 to 2099,
/// ⌊base + 0.242194 × (year − 1980)⌋ − ⌊(year − 1980) / 4⌋, in millionths of a day: no floats.
fn equinox(year: i32, base_millionths: i32) -> Option<u32> {
    let years = year - 1980;
    u32::try_from((base_millionths + 242_194 * years) / 1_000_000 - years / 4).ok()
}
