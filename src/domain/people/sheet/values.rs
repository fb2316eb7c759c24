//! Single cells: phones, codes, days, hours, marks, names. What cannot be read has a reason.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

use super::plan::Reason;
use crate::domain::calendar::{CivilDate, era_year};
use crate::domain::people::Day;
use crate::domain::people::entry::Way;
pub(super) use crate::domain::people::kana::{digits, narrow};

const fn is_hyphen(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}' | '\u{FF70}' | '\u{FE63}' | 'ー' | '─' | '━'
    )
}

/// Half-width kana as full-width, with their voice marks; everything else as it is: names keep their
/// characters (髙 stays 髙, which NFKC would keep, and ﾊﾞ becomes バ, which NFKC would do to ① as well).
pub(super) fn wide_kana(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        out.extend(run.nfkc());
        run.clear();
    };
    for c in text.chars() {
        if ('\u{FF61}'..='\u{FF9F}').contains(&c) {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}

/// A name or any text of one line: blanks as one blank, half-width kana as full-width.
pub(super) fn line(text: &str) -> String {
    wide_kana(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of several lines.
pub(super) fn lines(text: &str) -> String {
    let text = wide_kana(text).replace("\r\n", "\n").replace('\r', "\n");
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Forms of one character that people and machines write for each other.
const SAME: &[(char, char)] = &[
    ('髙', '高'),
    ('﨑', '崎'),
    ('嵜', '崎'),
    ('德', '徳'),
    ('濵', '浜'),
    ('濱', '浜'),
    ('邊', '辺'),
    ('邉', '辺'),
    ('齋', '斎'),
    ('齊', '斉'),
    ('澤', '沢'),
    ('眞', '真'),
    ('廣', '広'),
    ('冨', '富'),
    ('瀨', '瀬'),
    ('櫻', '桜'),
    ('渕', '淵'),
    ('國', '国'),
    ('𠮷', '吉'),
    ('館', '舘'),
    ('嶋', '島'),
    ('條', '条'),
    ('惠', '恵'),
    ('榮', '栄'),
    ('龍', '竜'),
];

/// A name as it is compared: without width, case, blanks and the form of a character; kana as katakana.
#[must_use]
pub fn fold_name(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| !c.is_whitespace() && !is_mark(*c))
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
            _ => SAME.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to),
        })
        .collect()
}

/// Marks in names of places, variation selectors behind a character.
const fn is_mark(c: char) -> bool {
    matches!(c, '・' | '.' | ',' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Whether two texts are the same but for forms that a Shift_JIS file cannot keep apart.
#[must_use]
pub fn same_text(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| match c {
                '〜' => '～',
                '−' => '－',
                '—' => '―',
                '‖' => '∥',
                '¥' => '\\',
                '‾' => '~',
                '\u{A0}' => ' ',
                c => c,
            })
            .collect()
    };
    a == b || plain(a) == plain(b)
}

/// A phone number and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phone {
    pub number: String,
    /// A leading 0 was put in front.
    pub zero_put: bool,
    /// An extension (内線), which is not kept.
    pub extension: String,
}

/// Reads a phone or fax number: any width, any hyphen, brackets, （代）, 内線.
pub(super) fn phone(text: &str) -> Result<Phone, Reason> {
    let mut plain = narrow(text);
    for mark in [
        "(代表)", "(代)", "代表", "(直通)", "(直)", "直通", "(自宅)", "(携帯)", "tel", "TEL", "Tel", "fax",
        "FAX", "Fax",
    ] {
        plain = plain.replace(mark, "");
    }
    let plain = plain.trim_matches([':', '.', ',', '、', '※']).to_owned();
    let (plain, extension) = match plain.split_once("内線") {
        Some((number, inner)) => {
            (number.trim_end_matches(['(', '-']).to_owned(), inner.trim_matches([')', ':', '(']).to_owned())
        }
        None => (plain, String::new()),
    };
    let mut number = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '0'..='9' => number.push(c),
            '+' if number.is_empty() => number.push(c),
            '(' | ')' | '.' => number.push('-'),
            c if is_hyphen(c) => number.push('-'),
            '/' | '・' | ',' | '、' | '\n' | ';' | '~' => return Err(Reason::TwoPhones),
            _ => return Err(Reason::NotAPhone),
        }
    }
    let mut number: String = number.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let mut zero_put = false;
    if !number.starts_with(['0', '+']) {
        // 42-211-2345 and 90-1234-5678: a spreadsheet took the number for a number.
        let mobile = digits == 10 && ["70", "80", "90", "50", "20"].iter().any(|p| number.starts_with(p));
        if digits == 9 || mobile {
            number.insert(0, '0');
            zero_put = true;
        } else {
            return Err(Reason::NotAPhone);
        }
    }
    let digits = digits + usize::from(zero_put);
    let fits = if number.starts_with('+') { (8..=15).contains(&digits) } else { (10..=11).contains(&digits) };
    if fits {
        Ok(Phone { number, zero_put, extension })
    } else if digits >= 19 {
        Err(Reason::TwoPhones)
    } else {
        Err(Reason::NotAPhone)
    }
}

/// 保険医療機関コード: ten digits; nine where a spreadsheet dropped the leading 0 (the prefectures 01 to 09).
pub(super) fn institution_code(text: &str) -> Result<(String, bool), Reason> {
    let plain: String = narrow(text).chars().filter(|c| !is_hyphen(*c) && *c != ',').collect();
    if plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reason::NotACode);
    }
    match plain.len() {
        10 => Ok((plain, false)),
        9 => Ok((format!("0{plain}"), true)),
        _ => Err(Reason::NotACode),
    }
}

/// 全国地方公共団体コード: five digits, or six with the check digit. One fewer where the 0 was dropped is not
/// told apart from a code without its check digit, so nothing is put in front.
pub(super) fn city_code(text: &str) -> Result<String, Reason> {
    let plain: String = narrow(text).chars().filter(|c| !is_hyphen(*c)).collect();
    let fits = matches!(plain.len(), 5 | 6) && plain.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(plain) } else { Err(Reason::NotACode) }
}

/// A post code of seven digits; six where the leading 0 was dropped.
pub(super) fn postcode(text: &str) -> Result<(String, bool), Reason> {
    let plain: String = narrow(text).chars().filter(|c| !is_hyphen(*c) && *c != '〒').collect();
    if !plain.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reason::NotAPostcode);
    }
    match plain.len() {
        7 => Ok((plain, false)),
        6 => Ok((format!("0{plain}"), true)),
        _ => Err(Reason::NotAPostcode),
    }
}

/// A mail address as typed, without width and blanks.
pub(super) fn email(text: &str) -> Result<String, Reason> {
    let plain: String = narrow(text)
        .trim_start_matches("mailto:")
        .chars()
        .map(|c| if is_hyphen(c) { '-' } else { c })
        .collect();
    let ok = plain.is_ascii()
        && plain.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && host.contains('.')
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if ok { Ok(plain) } else { Err(Reason::NotAnAddress) }
}

/// ○ or ×, and the words for them.
pub(super) fn mark(text: &str) -> Result<bool, Reason> {
    match narrow(text).to_lowercase().as_str() {
        "○" | "◯" | "〇" | "◎" | "●" | "o" | "有" | "あり" | "可" | "可能" | "はい" | "する" | "yes"
        | "y" | "true" | "1" | "✓" | "✔" | "レ" | "該当" | "対応" | "対応可" => Ok(true),
        "×" | "✕" | "✖" | "x" | "無" | "なし" | "不可" | "いいえ" | "しない" | "no" | "n" | "false" | "0"
        | "-" | "ー" | "非該当" | "対応不可" => Ok(false),
        _ => Err(Reason::NotAMark),
    }
}

/// A small number, 月2回.
pub(super) fn number(text: &str) -> Result<u32, Reason> {
    let plain = digits(text);
    let rest: String = narrow(text).chars().filter(|c| !c.is_ascii_digit()).collect();
    if !matches!(rest.as_str(), "" | "回" | "月回" | "回/月" | "件" | "まで" | "回まで") {
        return Err(Reason::NotANumber);
    }
    plain.parse().ok().filter(|n| *n <= 99).ok_or(Reason::NotANumber)
}

/// Excel counts days from 1899-12-30 (its 1900 had a 29 February).
fn from_serial(serial: i64) -> Option<CivilDate> {
    // From 1954 to 2173: anything else is a year, a code, a mistake.
    (20_000..=100_000).contains(&serial).then(|| CivilDate::new(1899, 12, 30).map(|d| d.plus_days(serial)))?
}

/// A day: 2026-10-14, 2026/10/14, 2026年10月14日, R8.10.14, 令和8年10月14日, 令和元年5月1日, a spreadsheet's
/// number. A weekday behind it is passed over; a day that an era does not have is none.
pub(super) fn day(text: &str) -> Result<CivilDate, Reason> {
    let plain = narrow(text);
    let plain = plain.split('(').next().unwrap_or_default().replace('元', "1");
    // What a spreadsheet says of a moment: the time of the day does not matter.
    let plain = plain.split('T').next().filter(|d| d.len() == 10).map_or(plain.clone(), str::to_owned);
    if let Some(found) = plain.parse::<i64>().ok().filter(|_| plain.len() == 5).and_then(from_serial) {
        return Ok(found);
    }
    if plain.len() == 8 && plain.bytes().all(|b| b.is_ascii_digit()) {
        let part = |from: usize, to: usize| plain.get(from..to).and_then(|p| p.parse::<i32>().ok());
        let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
        return civil(year, month, day).ok_or(Reason::NotADay);
    }
    let upper = plain.to_uppercase();
    let (era, rest) = [
        ("令和", 'R'),
        ("R", 'R'),
        ("平成", 'H'),
        ("H", 'H'),
        ("昭和", 'S'),
        ("S", 'S'),
        ("大正", 'T'),
        ("T", 'T'),
    ]
    .into_iter()
    .find_map(|(name, letter)| upper.strip_prefix(name).map(|rest| (Some(letter), rest.to_owned())))
    .unwrap_or((None, upper.clone()));
    let mut parts = Vec::new();
    let mut current = String::new();
    for c in rest.chars() {
        match c {
            '0'..='9' => current.push(c),
            '.' | '/' | '年' | '月' | '日' | ',' => parts.push(std::mem::take(&mut current)),
            c if is_hyphen(c) => parts.push(std::mem::take(&mut current)),
            _ => return Err(Reason::NotADay),
        }
    }
    parts.push(current);
    parts.retain(|p| !p.is_empty());
    let numbers: Vec<i32> = parts.iter().map_while(|p| p.parse().ok()).collect();
    let [year, month, day] = numbers.as_slice() else { return Err(Reason::NotADay) };
    let western = match era {
        None => (*year >= 1868).then_some(*year),
        Some('R') => Some(2018 + year),
        Some('H') => Some(1988 + year),
        Some('S') => Some(1925 + year),
        Some(_) => Some(1911 + year),
    };
    let found = civil(western, Some(*month), Some(*day)).ok_or(Reason::NotADay)?;
    let in_era = era.is_none_or(|letter| era_year(found).is_some_and(|(_, of, _)| of == letter));
    if in_era { Ok(found) } else { Err(Reason::NotADay) }
}

fn civil(year: Option<i32>, month: Option<i32>, day: Option<i32>) -> Option<CivilDate> {
    CivilDate::new(year?, u32::try_from(month?).ok()?, u32::try_from(day?).ok()?)
}

const WEEK: [(char, Day); 7] = [
    ('月', Day::Mon),
    ('火', Day::Tue),
    ('水', Day::Wed),
    ('木', Day::Thu),
    ('金', Day::Fri),
    ('土', Day::Sat),
    ('日', Day::Sun),
];

const ENGLISH_WEEK: [(&str, Day); 7] = [
    ("mon", Day::Mon),
    ("tue", Day::Tue),
    ("wed", Day::Wed),
    ("thu", Day::Thu),
    ("fri", Day::Fri),
    ("sat", Day::Sat),
    ("sun", Day::Sun),
];

/// The sign of a weekday.
pub(super) fn day_kanji(day: Day) -> char {
    WEEK.iter().find(|(_, d)| *d == day).map_or('日', |(c, _)| *c)
}

/// Weekdays: 月・水・金, 月〜金, 月水金, 平日, 毎日, 土日. Every day is said by none.
pub(super) fn weekdays(text: &str) -> Result<Vec<Day>, Reason> {
    let mut plain = narrow(text).to_lowercase().replace("曜日", "").replace('曜', "").replace("から", "~");
    for (word, day) in ENGLISH_WEEK {
        let kanji = day_kanji(day).to_string();
        for long in [format!("{word}day"), word.to_owned()] {
            plain = plain.replace(&long, &kanji);
        }
    }
    plain = plain.replace("平日", "月~金").replace("weekdays", "月~金").replace("土日", "土・日");
    if ["毎日", "全日", "everyday", "いつでも", "全曜日"].contains(&plain.as_str()) {
        return Ok(Vec::new());
    }
    let place = |c: char| WEEK.iter().position(|(kanji, _)| *kanji == c);
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut last: Option<usize> = None;
    let mut range = false;
    for c in plain.chars() {
        if let Some(at) = place(c) {
            match (range, last) {
                (true, Some(from)) => {
                    let mut day = from;
                    while day != at {
                        found.insert(day);
                        day = (day + 1) % 7;
                    }
                    found.insert(at);
                }
                (true, None) => return Err(Reason::NotADayOfTheWeek),
                (false, _) => {
                    found.insert(at);
                }
            }
            last = Some(at);
            range = false;
        } else if matches!(c, '~' | '〜' | '～') || is_hyphen(c) {
            range = true;
        } else if !matches!(c, '・' | ',' | '、' | '/' | '.' | '･' | '&' | 'と') {
            return Err(Reason::NotADayOfTheWeek);
        }
    }
    if found.is_empty() || range {
        return Err(Reason::NotADayOfTheWeek);
    }
    if found.len() == 7 {
        return Ok(Vec::new());
    }
    Ok(found.into_iter().filter_map(|at| WEEK.get(at).map(|(_, day)| *day)).collect())
}

/// Minutes after midnight of a time: 9時, 9時半, 12:30, 午後1時, 13時15分.
fn minute(text: &str) -> Option<u32> {
    let (afternoon, text) = match (text.strip_prefix("午後"), text.strip_prefix("午前")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => (false, text),
    };
    if text == "正午" {
        return Some(720);
    }
    let text = text.replace("時半", ":30").replace('時', ":").replace('分', "").replace('.', ":");
    let (hour, minute) = text.split_once(':').unwrap_or((text.as_str(), "0"));
    let hour: u32 = hour.parse().ok()?;
    let minute: u32 = if minute.is_empty() { 0 } else { minute.parse().ok()? };
    let hour = if afternoon && hour < 12 { hour + 12 } else { hour };
    (hour <= 24 && minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
}

/// Hours as minutes after midnight, half-open: 12:30〜13:30, 9時-17時, 午後1時から2時, 終日 (0 to 0).
pub(super) fn hours(text: &str) -> Result<(u32, u32), Reason> {
    let plain = narrow(text).replace("から", "~").replace("まで", "").replace('翌', "");
    if ["終日", "24時間", "24h", "いつでも", "随時", "allday", "anytime"]
        .contains(&plain.to_lowercase().as_str())
    {
        return Ok((0, 0));
    }
    let plain: String =
        plain.chars().map(|c| if matches!(c, '〜' | '～') || is_hyphen(c) { '~' } else { c }).collect();
    let (from, to) = plain.split_once('~').ok_or(Reason::NotAnHour)?;
    let to_text = if from.starts_with("午後") && !to.starts_with('午') {
        format!("午後{to}")
    } else {
        to.to_owned()
    };
    match (minute(from), minute(&to_text)) {
        (Some(from), Some(to)) if from != to => Ok((from, to)),
        _ => Err(Reason::NotAnHour),
    }
}

/// Hours as they are written into a sheet.
pub(super) fn hours_text(from: u32, to: u32) -> String {
    if from == to {
        return "終日".to_owned();
    }
    format!("{}:{:02}〜{}:{:02}", from / 60, from % 60, to / 60, to % 60)
}

/// Words in one cell: 、・,/ and line ends stand between them.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(['、', ',', '，', '/', '／', '・', ';', '；', '\n', '+', '＋'])
        .map(line)
        .filter(|word| !word.is_empty())
        .collect()
}

/// Ways to reach somebody, first choice first.
pub(super) fn ways(text: &str) -> Result<Vec<Way>, Reason> {
    let mut found = Vec::new();
    for word in words(text) {
        let way = match narrow(&word).to_lowercase().as_str() {
            "メール" | "mail" | "email" | "e-mail" | "eメール" | "電子メール" => Way::Mail,
            "電話" | "tel" | "phone" | "携帯" | "携帯電話" => Way::Phone,
            "fax" | "ファックス" | "ファクス" => Way::Fax,
            _ => return Err(Reason::NotAWay),
        };
        if !found.contains(&way) {
            found.push(way);
        }
    }
    Ok(found)
}
