//! Fiscal years (年度) and era dates (和暦), as the office writes and prints them.

use std::fmt;
use std::str::FromStr;

use chrono::Weekday;
use serde::{Deserialize, Serialize};

use super::CivilDate;

/// An era (元号).
struct Era {
    letter: char,
    kanji: &'static str,
    /// Its first day.
    first: (i32, u32, u32),
    /// The western year of its 元年.
    year_1: i32,
}

/// Newest first. Meiji from 1873: before it Japan's calendar was another.
const ERAS: [Era; 5] = [
    Era { letter: 'R', kanji: "令和", first: (2019, 5, 1), year_1: 2019 },
    Era { letter: 'H', kanji: "平成", first: (1989, 1, 8), year_1: 1989 },
    Era { letter: 'S', kanji: "昭和", first: (1926, 12, 25), year_1: 1926 },
    Era { letter: 'T', kanji: "大正", first: (1912, 7, 30), year_1: 1912 },
    Era { letter: 'M', kanji: "明治", first: (1873, 1, 1), year_1: 1868 },
];

/// The era of a day and its year in it: `("令和", 'R', 8)`. `None` before 1873.
#[must_use]
pub fn era_year(date: CivilDate) -> Option<(&'static str, char, i32)> {
    let civil = (date.year(), date.month(), date.day());
    let era = ERAS.into_iter().find(|era| civil >= era.first)?;
    Some((era.kanji, era.letter, date.year() - era.year_1 + 1))
}

/// `水` for Wednesday.
#[must_use]
pub const fn weekday_kanji(weekday: Weekday) -> char {
    match weekday {
        Weekday::Mon => '月',
        Weekday::Tue => '火',
        Weekday::Wed => '水',
        Weekday::Thu => '木',
        Weekday::Fri => '金',
        Weekday::Sat => '土',
        Weekday::Sun => '日',
    }
}

/// A date for paper, 令和8年10月14日（水）; an era's first year is 元年. Western before 1873.
#[must_use]
pub fn era_date(date: CivilDate) -> String {
    let Some((kanji, _, year)) = era_year(date) else { return western_date(date) };
    let year = if year == 1 { "元".to_owned() } else { year.to_string() };
    format!("{kanji}{year}年{}", month_day(date))
}

/// A date for screens and mails, 2026年11月20日（金）.
#[must_use]
pub fn western_date(date: CivilDate) -> String {
    format!("{}年{}", date.year(), month_day(date))
}

fn month_day(date: CivilDate) -> String {
    format!("{}月{}日（{}）", date.month(), date.day(), weekday_kanji(date.weekday()))
}

/// Why a date as people write it cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWrittenDate {
    /// It has no known form.
    #[error("`{text}` is not a date of the form 2026-10-14, 2026年10月14日, 令和8年10月14日 or R8.10.14")]
    Unreadable { text: String },
    /// The month has no such day.
    #[error("there is no such day: {year}-{month}-{day}")]
    NoSuchDay { year: i32, month: u32, day: u32 },
    /// The era did not reach that far, or had not begun (平成40年, 昭和64年1月8日). `meant` is the day when its
    /// years are counted on: a caller may ask "did you mean …?", and takes nothing by itself.
    #[error("{era} has no such day; {meant} is {}", era_date(*meant))]
    NotInEra { era: &'static str, meant: CivilDate },
}

/// Reads a date as people write it: `2026-10-14`, `2026/10/14`, `2026年10月14日`, `令和8年10月14日（水）`,
/// `令和元年5月1日`, `R8.10.14`, `令8.10.14`; digits, letters and signs may be full-width, a weekday behind it
/// is not looked at. Eras are kept to strictly.
///
/// # Errors
/// [`NotAWrittenDate`].
pub fn written_date(text: &str) -> Result<CivilDate, NotAWrittenDate> {
    let unreadable = || NotAWrittenDate::Unreadable { text: text.chars().take(40).collect() };
    let plain: String = text.chars().map(half_width).filter(|c| !c.is_whitespace()).collect();
    let plain = plain.split('(').next().unwrap_or_default();
    let era = ERAS.into_iter().find_map(|era| {
        let short: String = era.kanji.chars().take(1).collect();
        let letter = [era.letter.to_string(), era.letter.to_ascii_lowercase().to_string()];
        let rest = plain
            .strip_prefix(era.kanji)
            .or_else(|| plain.strip_prefix(short.as_str()))
            .or_else(|| letter.iter().find_map(|l| plain.strip_prefix(l.as_str())))?;
        Some((era, rest))
    });
    let (era, rest) = era.map_or((None, plain), |(era, rest)| (Some(era), rest));
    let [year, month, day] = date_parts(rest).ok_or_else(unreadable)?;
    let number = |text: &str, most: usize| {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (month, day) = number(month, 2).zip(number(day, 2)).ok_or_else(unreadable)?;
    let found = |year: i32| {
        let found = CivilDate::new(year, month, day);
        found.ok_or(NotAWrittenDate::NoSuchDay { year, month, day })
    };
    let Some(era) = era else {
        // Two digits would be a year of an era without its letter.
        let year = number(year, 4).filter(|_| year.len() == 4).ok_or_else(unreadable)?;
        return found(i32::try_from(year).map_err(|_| unreadable())?);
    };
    let year = if year == "元" { Some(1) } else { number(year, 2) };
    let year = year.filter(|year| *year > 0).and_then(|y| i32::try_from(y).ok()).ok_or_else(unreadable)?;
    let meant = found(era.year_1 + year - 1)?;
    match era_year(meant) {
        Some((kanji, _, _)) if kanji == era.kanji => Ok(meant),
        _ => Err(NotAWrittenDate::NotInEra { era: era.kanji, meant }),
    }
}

/// Year, month and day of `8年10月14日` or `8.10.14`, `8/10/14`, `8-10-14`.
fn date_parts(text: &str) -> Option<[&str; 3]> {
    if let Some((year, rest)) = text.split_once('年') {
        let (month, rest) = rest.split_once('月')?;
        return Some([year, month, rest.strip_suffix('日')?]);
    }
    let sign = ['-', '/', '.'].into_iter().find(|sign| text.contains(*sign))?;
    let mut parts = text.split(sign);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}

/// Full-width digits, letters and signs as ASCII; the dashes and dots that Japanese keyboards make.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' => '-',
        '\u{30fb}' | '\u{3002}' | '\u{ff61}' | '\u{ff65}' => '.',
        other => other,
    }
}

/// A fiscal year (年度): 1 April to 31 March, known by the year in which it begins. Its label is that of
/// the era on 1 April and stays when the era changes later: what was printed with it stays true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FiscalYear(i32);

/// The text is not the label of a fiscal year, such as `R8`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a fiscal year of the form R8")]
pub struct NotAFiscalYear {
    pub text: String,
}

impl FiscalYear {
    /// The fiscal year that begins on 1 April of `year`; `None` outside 1873..=9998.
    #[must_use]
    pub fn beginning_in(year: i32) -> Option<Self> {
        (1873..=9998).contains(&year).then_some(Self(year))
    }

    /// The fiscal year of a civil day.
    #[must_use]
    pub fn of(date: CivilDate) -> Self {
        Self(if date.month() >= 4 { date.year() } else { date.year() - 1 })
    }

    /// The year in which it begins.
    #[must_use]
    pub const fn first_year(self) -> i32 {
        self.0
    }

    /// Its first day, 1 April.
    #[must_use]
    pub fn first_day(self) -> Option<CivilDate> {
        CivilDate::new(self.0, 4, 1)
    }

    /// Whether the day belongs to it.
    #[must_use]
    pub fn contains(self, date: CivilDate) -> bool {
        Self::of(date) == self
    }

    /// 令和8年度, for paper.
    #[must_use]
    pub fn long(self) -> String {
        match self.first_day().and_then(era_year) {
            Some((kanji, _, 1)) => format!("{kanji}元年度"),
            Some((kanji, _, year)) => format!("{kanji}{year}年度"),
            None => format!("{}年度", self.0),
        }
    }
}

impl fmt::Display for FiscalYear {
    /// The label, `R8`; the plain year before 1873.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first_day().and_then(era_year) {
            Some((_, letter, year)) => write!(f, "{letter}{year}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for FiscalYear {
    type Err = NotAFiscalYear;

    /// Reads a label; the case of the letter does not matter. The year in which an era changed can be
    /// read under both (`H31` and `R1`), years an era never had (`H40`) cannot.
    fn from_str(text: &str) -> Result<Self, NotAFiscalYear> {
        let wrong = || NotAFiscalYear { text: text.to_owned() };
        let mut chars = text.chars();
        let letter = chars.next().map(|c| c.to_ascii_uppercase()).ok_or_else(wrong)?;
        let digits = chars.as_str();
        let plain = !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit());
        let year: i32 = if plain { digits.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
        let era = ERAS.into_iter().find(|era| era.letter == letter).ok_or_else(wrong)?;
        let found = Self::beginning_in(era.year_1 + year - 1).filter(|_| year > 0).ok_or_else(wrong)?;
        let ends = CivilDate::new(found.0 + 1, 3, 31);
        let in_era = [found.first_day(), ends].into_iter().flatten().filter_map(era_year);
        in_era.map(|(_, l, _)| l).any(|l| l == letter).then_some(found).ok_or_else(wrong)
    }
}
