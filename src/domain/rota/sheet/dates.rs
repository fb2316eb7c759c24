//! Days as sheets write them: whole dates of any era, month and day, or a bare number below a title that names
//! the month; with a weekday beside it that must fit.

use chrono::Weekday;

use super::matrix::Matrix;
use super::{NoteKind, Place, Reading, Reason, World};
use crate::domain::calendar::{CivilDate, weekday_kanji, written_date};
use crate::domain::people::kana::narrow;

/// A day as far as a cell says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Whole(CivilDate),
    MonthDay(u32, u32),
    Day(u32),
}

/// A month as far as a title says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SaidMonth {
    pub year: Option<i32>,
    pub month: Option<u32>,
}

pub(super) fn weekday(text: &str) -> Option<Weekday> {
    let text = narrow(text);
    let text = text.trim_matches(['(', ')', '[', ']']).trim_end_matches("日").trim_end_matches('曜');
    let text = if text.is_empty() { "日" } else { text };
    let mut chars = text.chars();
    let (first, rest) = (chars.next()?, chars.as_str());
    // 月・祝, 月(祝)
    if !rest.is_empty() && !rest.trim_matches(['・', '(', ')', '/', ',']).starts_with('祝') {
        return match text.to_lowercase().as_str() {
            "mon" => Some(Weekday::Mon),
            "tue" => Some(Weekday::Tue),
            "wed" => Some(Weekday::Wed),
            "thu" => Some(Weekday::Thu),
            "fri" => Some(Weekday::Fri),
            "sat" => Some(Weekday::Sat),
            "sun" => Some(Weekday::Sun),
            _ => None,
        };
    }
    of_kanji(first)
}

fn of_kanji(c: char) -> Option<Weekday> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    [Mon, Tue, Wed, Thu, Fri, Sat, Sun].into_iter().find(|day| weekday_kanji(*day) == c)
}

/// Reads a cell as a day, with the weekday that stands in it. `None`: it is no day.
pub(super) fn day_said(text: &str) -> Option<(Said, Option<Weekday>)> {
    let plain = narrow(text);
    if plain.is_empty() || plain.chars().count() > 24 {
        return None;
    }
    // 2026-10-01T00:00:00, 2026-10-01 0:00: a spreadsheet's moment.
    let plain = match plain.split_once('T') {
        Some((day, _)) if day.len() == 10 => day.to_owned(),
        _ => plain,
    };
    let (mut rest, mut on) = match plain.split_once('(') {
        Some((day, behind)) => (day.to_owned(), behind.chars().find_map(of_kanji)),
        None => (plain, None),
    };
    if on.is_none() {
        let mut back = rest.chars().rev();
        let (last, before) = (back.next(), back.next());
        // 1木, 1日木, 1日日; but 1日 is a day of the month.
        // 10月 is a month; 1 月 with a blank between is a Monday.
        let apart = text.split_whitespace().count() > 1;
        let unclear = last == Some('日') || (last == Some('月') && !apart);
        let behind = before.is_some_and(|c| c == '日' || (c.is_ascii_digit() && !unclear));
        if let Some(found) = last.filter(|_| behind).and_then(of_kanji) {
            on = Some(found);
            rest.pop();
        }
        if rest.ends_with("曜日") || rest.ends_with('曜') {
            let bare = rest.trim_end_matches("曜日").trim_end_matches('曜').to_owned();
            on = bare.chars().next_back().and_then(of_kanji);
            rest = bare.chars().take(bare.chars().count().saturating_sub(1)).collect();
        }
    }
    if rest.len() == 5
        && let Some(serial) = rest.parse::<i64>().ok().filter(|n| (20_000..=100_000).contains(n))
    {
        return CivilDate::new(1899, 12, 30).map(|first| (Said::Whole(first.plus_days(serial)), on));
    }
    if let Ok(day) = written_date(&rest) {
        return Some((Said::Whole(day), on));
    }
    let number = |text: &str, most: u32| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u32>().ok().filter(|n| digits && (1..=most).contains(n))
    };
    let pair = rest
        .split_once('月')
        .map(|(month, day)| (month.to_owned(), day.trim_end_matches('日').to_owned()))
        .or_else(|| {
            ['/', '-', '.']
                .into_iter()
                .find_map(|sign| rest.split_once(sign))
                .map(|(m, d)| (m.to_owned(), d.to_owned()))
        });
    if let Some((month, day)) = pair {
        return Some((Said::MonthDay(number(&month, 12)?, number(&day, 31)?), on));
    }
    number(rest.strip_suffix('日').unwrap_or(&rest), 31).map(|day| (Said::Day(day), on))
}

/// Reads year and month out of a title: 令和８年１０月 当番表, R8.10, 2026年10月〜12月, 令和8年度1月, 10月分.
pub(super) fn month_said(text: &str) -> Option<SaidMonth> {
    let plain = narrow(text);
    let digits_before = |at: usize| -> String {
        let before = plain.get(..at).unwrap_or_default();
        let digits: Vec<char> = before.chars().rev().take_while(|c| c.is_ascii_digit()).collect();
        digits.into_iter().rev().collect()
    };
    let month = plain.match_indices('月').find_map(|(at, _)| {
        let digits = digits_before(at);
        digits.parse::<u32>().ok().filter(|n| digits.len() <= 2 && (1..=12).contains(n))
    });
    let year = plain.match_indices('年').find_map(|(at, _)| {
        let before = plain.get(..at).unwrap_or_default();
        let (digits, head) = match before.strip_suffix('元') {
            Some(head) => ("1".to_owned(), head),
            None => {
                let digits = digits_before(at);
                let head = before.get(..before.len() - digits.len()).unwrap_or_default();
                (digits, head)
            }
        };
        let fiscal = plain.get(at..).is_some_and(|rest| rest.starts_with("年度"));
        let year = western(head, &digits)?;
        Some((year, fiscal))
    });
    if month.is_some() || year.is_some() {
        let year = year.map(|(year, fiscal)| match month {
            // A fiscal year ends in March of the next.
            Some(month) if fiscal && month <= 3 => year + 1,
            _ => year,
        });
        return Some(SaidMonth { year, month });
    }
    // R8.10, 2026/10 and nothing else.
    let sign = ['.', '/', '-'].into_iter().find(|sign| plain.contains(*sign))?;
    let (year, month) = plain.split_once(sign)?;
    let month: u32 = month.parse().ok().filter(|n| (1..=12).contains(n))?;
    let digits: String = year.chars().filter(char::is_ascii_digit).collect();
    let head = year.strip_suffix(digits.as_str())?;
    Some(SaidMonth { year: Some(western(head, &digits)?), month: Some(month) })
}

fn western(head: &str, digits: &str) -> Option<i32> {
    let number: i32 = digits.parse().ok()?;
    if digits.len() == 4 && (1900..=2200).contains(&number) {
        return Some(number);
    }
    let base = [("令和", 2018), ("令", 2018), ("R", 2018), ("r", 2018), ("平成", 1988), ("H", 1988)]
        .into_iter()
        .find_map(|(era, base)| head.ends_with(era).then_some(base))?;
    (1..=99).contains(&number).then_some(base + number)
}

/// Reads one day after the other: a bare number belongs to the month of the last title, and to the next month
/// when the numbers begin anew.
#[derive(Debug)]
pub(super) struct Days<'a> {
    world: World<'a>,
    year: Option<i32>,
    month: Option<u32>,
    /// Where year and month come from, when they are not said.
    last: Option<CivilDate>,
    taken: bool,
}

impl<'a> Days<'a> {
    /// What the name of the sheet and the days asked for say.
    pub fn new(world: World<'a>, matrix: &Matrix<'_>) -> Self {
        let mut days = Self { world, year: None, month: None, last: None, taken: false };
        if let Some(said) = month_said(matrix.sheet()) {
            days.title(said);
        }
        days
    }

    /// A title names a month.
    pub fn title(&mut self, said: SaidMonth) {
        if let Some(year) = said.year {
            self.year = Some(year);
        }
        if let Some(month) = said.month {
            if self.year.is_some() && said.year.is_none() && self.month.is_some_and(|before| month < before) {
                self.year = self.year.map(|year| year + 1);
            }
            self.month = Some(month);
            self.last = None;
        }
    }

    /// The year of a month that was said without one: the one in which it touches the days asked for, else the
    /// year in which they begin.
    fn year_of(&mut self, month: u32) -> i32 {
        if let Some(year) = self.year {
            // 12/31 and then 1/1 below a title of the old year.
            let later = self.last.is_some_and(|last| last.month() == 12 && month == 1 && last.year() == year);
            return if later { year + 1 } else { year };
        }
        let (first, last) = self.world.days;
        self.taken = true;
        (first.year()..=last.year())
            .find(|year| {
                let begins = CivilDate::new(*year, month, 1);
                begins.is_some_and(|day| day <= last && day.plus_days(30) >= first)
            })
            .unwrap_or(first.year())
    }

    /// The civil day of a cell, if there is one and its weekday fits; what does not is told.
    pub fn read(
        &mut self,
        text: &str,
        place: Place,
        beside: Option<Weekday>,
        reading: &mut Reading,
    ) -> Option<CivilDate> {
        let Some((said, within)) = day_said(text) else {
            reading.wrong(place, text, Reason::NotADay, "");
            return None;
        };
        let day = match said {
            Said::Whole(day) => Some(day),
            Said::MonthDay(month, day) => {
                let year = self.year_of(month);
                CivilDate::new(year, month, day)
            }
            Said::Day(day) => match self.month_of(day) {
                Some((year, month)) => CivilDate::new(year, month, day),
                None => {
                    reading.wrong(place, text, Reason::WhichMonth, "");
                    return None;
                }
            },
        };
        let Some(day) = day else {
            reading.wrong(place, text, Reason::NotADay, "");
            return None;
        };
        if self.taken {
            self.taken = false;
            if !reading.notes.iter().any(|note| note.kind == NoteKind::YearTaken) {
                reading.note(place, text, NoteKind::YearTaken, day.year().to_string());
            }
        }
        self.last = Some(day);
        let said = within.or(beside);
        if said.is_some_and(|said| said != day.weekday()) {
            let right = format!("{day}（{}）", weekday_kanji(day.weekday()));
            reading.wrong(place, text, Reason::OtherWeekday, right);
            return None;
        }
        let (first, last) = self.world.days;
        if day < first || day > last {
            reading.wrong(place, text, Reason::OutsideTheDays, day.to_string());
            return None;
        }
        Some(day)
    }

    /// The month to which a bare number belongs.
    fn month_of(&mut self, day: u32) -> Option<(i32, u32)> {
        if let Some(last) = self.last {
            // The numbers begin anew: the next month.
            if day < last.day() && last.day() >= 28 && day <= 3 {
                let (year, month) =
                    if last.month() == 12 { (last.year() + 1, 1) } else { (last.year(), last.month() + 1) };
                self.month = Some(month);
                self.year = Some(year);
                return Some((year, month));
            }
            return Some((last.year(), last.month()));
        }
        if let Some(month) = self.month {
            return Some((self.year_of(month), month));
        }
        // Nothing is said: the month asked for, if it is one.
        let (first, last) = self.world.days;
        let one = (first.year(), first.month()) == (last.year(), last.month());
        if one {
            self.taken = true;
        }
        one.then(|| (first.year(), first.month()))
    }
}
