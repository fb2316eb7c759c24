//! Reads [`BandRules`] from a TOML table, and tells every mistake with its place and what would be right.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::bands::{NightHours, TimeBand};
use super::rules::{BandRules, NightOn, Saturday, YearlyDays};
use super::{HolidayRule, Listed, ListedDay};

/// The keys that say how bands are counted.
pub const RULE_KEYS: [&str; 9] =
    ["holidays", "extra", "removed", "saturday", "night", "night_on", "deep_night", "year_end", "order"];

/// The name of an extra day that has none of its own.
const UNNAMED: &str = "休日";
/// The most days in one list.
const DAYS_MAX: usize = 1_000;

/// One mistake: where, at which key, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMistake {
    pub span: Range<usize>,
    pub key: String,
    pub problem: String,
}

impl BandRules {
    /// Reads the rules among the keys of a table; other keys are the caller's.
    ///
    /// # Errors
    /// Every mistake.
    pub fn from_table(table: &DeTable<'_>) -> Result<Self, Vec<RuleMistake>> {
        let mut read = Reading { table, mistakes: Vec::new() };
        let rules = Self {
            holidays: read.word("holidays", &HOLIDAYS),
            listed: read.listed(),
            saturday: read.saturday(),
            night: read.hours("night"),
            night_on: read.word("night_on", &NIGHT_ON),
            deep_night: read.hours("deep_night"),
            year_end: read.year_end(),
            order: read.order(),
        };
        if read.mistakes.is_empty() { Ok(rules) } else { Err(read.mistakes) }
    }

    /// Reads a text that holds nothing but the rules, with the line of each mistake.
    ///
    /// # Errors
    /// Every mistake: its line, its key, what would be right.
    pub fn parse(text: &str) -> Result<Self, Vec<(usize, String, String)>> {
        let line = |span: &Range<usize>| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1;
        let document = DeTable::parse(text).map_err(|e| {
            vec![(line(&e.span().unwrap_or_default()), String::new(), e.message().to_owned())]
        })?;
        let table = document.get_ref();
        let unknown = table.iter().filter(|(key, _)| !RULE_KEYS.contains(&key.get_ref().as_ref()));
        let mut mistakes: Vec<(usize, String, String)> = unknown
            .map(|(key, _)| {
                let problem = format!("unknown key; known are {}", RULE_KEYS.join(", "));
                (line(&key.span()), key.get_ref().to_string(), problem)
            })
            .collect();
        match Self::from_table(table) {
            Ok(rules) if mistakes.is_empty() => return Ok(rules),
            Ok(_) => {}
            Err(found) => mistakes.extend(found.into_iter().map(|m| (line(&m.span), m.key, m.problem))),
        }
        mistakes.sort();
        Err(mistakes)
    }
}

/// `association` says nothing: what the association's own calendar said stands.
const HOLIDAYS: [(&str, Option<HolidayRule>); 4] = [
    ("association", None),
    ("national", Some(HolidayRule::National)),
    ("sundays_only", Some(HolidayRule::SundaysOnly)),
    ("listed_only", Some(HolidayRule::ListedOnly)),
];
const NIGHT_ON: [(&str, Option<NightOn>); 2] =
    [("every_day", Some(NightOn::EveryDay)), ("holidays_and_saturdays", Some(NightOn::HolidaysAndSaturdays))];

struct Reading<'a, 'i> {
    table: &'a DeTable<'i>,
    mistakes: Vec<RuleMistake>,
}

type Found<'a, 'i> = (&'a DeValue<'i>, Range<usize>);

impl<'a, 'i> Reading<'a, 'i> {
    fn found(&self, key: &str) -> Option<Found<'a, 'i>> {
        let found = self.table.iter().find(|(k, _)| k.get_ref() == key);
        found.map(|(_, value)| (value.get_ref(), value.span()))
    }

    fn wrong(&mut self, span: Range<usize>, key: &str, problem: impl Into<String>) {
        self.mistakes.push(RuleMistake { span, key: key.to_owned(), problem: problem.into() });
    }

    fn word<T: Copy>(&mut self, key: &str, words: &[(&str, Option<T>)]) -> Option<T> {
        let (value, span) = self.found(key)?;
        match value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text)) {
            Some((_, meant)) => *meant,
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.wrong(span, key, format!("write one of: {}", known.join(", ")));
                None
            }
        }
    }

    /// The texts of a list; `None` when the key is not there or no list of texts.
    fn texts(&mut self, key: &str, shape: &str) -> Option<Vec<(&'a str, Range<usize>)>> {
        let (value, span) = self.found(key)?;
        let Some(array) = value.as_array().filter(|a| a.len() <= DAYS_MAX) else {
            self.wrong(span, key, shape);
            return None;
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text, item.span())),
                None => self.wrong(item.span(), key, shape),
            }
        }
        Some(texts)
    }

    fn hours(&mut self, key: &str) -> Option<NightHours> {
        const SHAPE: &str = "write two different times of the day: [\"18:00\", \"08:00\"]";
        let texts = self.texts(key, SHAPE)?;
        let minutes: Vec<Option<u16>> = texts.iter().map(|(text, _)| minute(text)).collect();
        let hours = match minutes.as_slice() {
            [Some(from), Some(to)] => NightHours::new(*from, *to).ok(),
            _ => None,
        };
        if hours.is_none() {
            let span = self.found(key).map(|(_, span)| span).unwrap_or_default();
            self.wrong(span, key, SHAPE);
        }
        hours
    }

    fn saturday(&mut self) -> Option<Saturday> {
        let (value, span) = self.found("saturday")?;
        let read = match value.as_str() {
            Some("weekday") => Some(Saturday::Weekday),
            Some("holiday") => Some(Saturday::Holiday),
            Some(time) => minute(time).map(Saturday::HolidayFrom),
            None => None,
        };
        if read.is_none() {
            let problem = "write \"weekday\", \"holiday\", or the time from which it is a holiday: \"12:00\"";
            self.wrong(span, "saturday", problem);
        }
        read
    }

    fn listed(&mut self) -> BTreeMap<ListedDay, Listed> {
        const SHAPE: &str = "write days in square brackets: [\"2026-08-14\", \"01-01\"]; an extra day may \
                             have a name: \"08-14 お盆\"";
        let mut listed = BTreeMap::new();
        for (key, extra) in [("extra", true), ("removed", false)] {
            for (text, span) in self.texts(key, SHAPE).unwrap_or_default() {
                let (day, name) = text.split_once(' ').unwrap_or((text, UNNAMED));
                let Ok(day) = day.parse::<ListedDay>() else {
                    self.wrong(span, key, format!("`{text}` is no such day; {SHAPE}"));
                    continue;
                };
                let says = if extra { Listed::Extra(name.trim().to_owned()) } else { Listed::Removed };
                if listed.insert(day, says).is_some() {
                    self.wrong(span, key, format!("`{text}` is listed twice"));
                }
            }
        }
        listed
    }

    fn year_end(&mut self) -> Option<Vec<YearlyDays>> {
        const SHAPE: &str = "write first and last day of each stretch: [[\"12-29\", \"01-03\"]]";
        let (value, span) = self.found("year_end")?;
        let Some(array) = value.as_array() else {
            self.wrong(span, "year_end", SHAPE);
            return None;
        };
        let mut stretches = Vec::new();
        for item in array.iter() {
            let pair = item
                .get_ref()
                .as_array()
                .map(|pair| pair.iter().filter_map(|day| day.get_ref().as_str()).collect::<Vec<_>>());
            let days = match pair.as_deref() {
                Some([from, to]) => YearlyDays::new(from, to),
                _ => None,
            };
            match days {
                Some(days) => stretches.push(days),
                None => self.wrong(item.span(), "year_end", SHAPE),
            }
        }
        Some(stretches)
    }

    fn order(&mut self) -> Option<Vec<TimeBand>> {
        const SHAPE: &str = "write each band at most once, the first that holds gives the word: \
                             [\"deep_night\", \"year_end\", \"holiday\", \"night\"]";
        let texts = self.texts("order", SHAPE)?;
        let mut order = Vec::new();
        for (text, span) in texts {
            match TimeBand::from_code(text).filter(|b| *b != TimeBand::Day && !order.contains(b)) {
                Some(band) => order.push(band),
                None => self.wrong(span, "order", format!("`{text}` cannot stand here; {SHAPE}")),
            }
        }
        Some(order)
    }
}

/// `18:00` as minutes after midnight.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |t: &str| (t.len() == 2).then(|| t.parse::<u16>().ok()).flatten();
    let (hour, minute) = number(hour).zip(number(minute))?;
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}
