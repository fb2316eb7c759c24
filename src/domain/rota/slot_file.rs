//! Reads slot patterns and required hours from TOML text. A file with any mistake is not loaded; every
//! mistake is told with its line and key, in words. What the patterns mean is `slots`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::model::{Area, RotaRole};
use super::slots::{DAY_MIN, DayKind, Hours, On, Points, Scope, SlotBook, SlotPattern};
use crate::domain::calendar::{CivilDate, ListedDay};
use crate::domain::ledger::Code;

/// The most tables in one file: every day is held against all of them.
const TABLES_MAX: usize = 500;
/// The most points of a slot: above it stands a slip of the finger.
const POINTS_MAX: i64 = 1_000_000;
/// The most characters of a name, which goes onto the wall sheet.
const NAME_MAX: usize = 60;

const SLOT_KEYS: [&str; 11] =
    ["kind", "name", "days", "dates", "from", "to", "roles", "areas", "points", "need_any", "effective"];
const REQUIRED_KEYS: [&str; 7] = ["days", "dates", "from", "to", "roles", "areas", "effective"];

/// One mistake in a file of slot patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotFileError {
    /// The name of the file, as given by the caller.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The kind of the slot, where it could be read.
    pub kind: Option<String>,
    /// The key that is wrong.
    pub key: Option<String>,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl fmt::Display for SlotFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        if let Some(kind) = &self.kind {
            write!(f, ", slot {kind}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ", key `{key}`")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Every mistake in a file of slot patterns, by line; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotFileErrors(pub Vec<SlotFileError>);

impl std::error::Error for SlotFileErrors {}

impl fmt::Display for SlotFileErrors {
    /// One mistake per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl SlotBook {
    /// Reads the text of a file of slot patterns. `file` names it in errors; `version` names this text.
    ///
    /// # Errors
    /// Every mistake, by line: TOML that does not parse, unknown keys, wrong values, and two patterns that
    /// would make two slots of one name on one day.
    pub fn parse(file: &str, text: &str, version: impl Into<String>) -> Result<Self, SlotFileErrors> {
        let mut told = Told { file, text, errors: Vec::new() };
        let (mut patterns, mut required) = (Vec::new(), Vec::new());
        match DeTable::parse(text) {
            Ok(document) => {
                for (key, value) in document.get_ref() {
                    match key.get_ref().as_ref() {
                        "slot" => tables(&mut told, key.span(), value.get_ref(), |told, table, span| {
                            patterns.extend(slot(told, table, span.clone()).map(|slot| (slot, span)));
                        }),
                        "required" => tables(&mut told, key.span(), value.get_ref(), |told, table, span| {
                            let mut entry = Entry { told, table, span, kind: None };
                            entry.known_keys(&REQUIRED_KEYS);
                            required.extend(entry.scope());
                        }),
                        name => {
                            let problem = "unknown key; the file holds only [[slot]] and [[required]] tables";
                            told.add(key.span(), None, Some(name), problem);
                        }
                    }
                }
            }
            Err(error) => told.add(error.span().unwrap_or_default(), None, None, error.message()),
        }
        check_together(&mut told, &patterns);
        if told.errors.is_empty() {
            let patterns = patterns.into_iter().map(|(pattern, _)| pattern).collect();
            Ok(Self { version: version.into(), patterns, required })
        } else {
            told.errors.sort_by_key(|error| error.line);
            Err(SlotFileErrors(told.errors))
        }
    }
}

/// Collects the mistakes of one file.
struct Told<'a> {
    file: &'a str,
    text: &'a str,
    errors: Vec<SlotFileError>,
}

impl Told<'_> {
    fn line_of(&self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
    }

    fn add(&mut self, span: Range<usize>, kind: Option<&str>, key: Option<&str>, problem: impl Into<String>) {
        self.errors.push(SlotFileError {
            file: self.file.to_owned(),
            line: self.line_of(&span),
            kind: kind.map(str::to_owned),
            key: key.map(str::to_owned),
            problem: problem.into(),
        });
    }
}

/// Calls `read` with each table of `[[name]]`.
fn tables<'a, 'i>(
    told: &mut Told<'_>,
    at: Range<usize>,
    value: &'a DeValue<'i>,
    mut read: impl FnMut(&mut Told<'_>, &'a DeTable<'i>, Range<usize>),
) {
    const SHAPE: &str = "written as tables, each under its own line in double brackets: [[slot]]";
    let Some(entries) = value.as_array() else { return told.add(at, None, None, SHAPE) };
    if entries.len() > TABLES_MAX {
        return told.add(at, None, None, format!("more than {TABLES_MAX} tables of one name"));
    }
    for entry in entries.iter() {
        match entry.get_ref().as_table() {
            Some(table) => read(told, table, entry.span()),
            None => told.add(entry.span(), None, None, SHAPE),
        }
    }
}

fn check_together(told: &mut Told<'_>, patterns: &[(SlotPattern, Range<usize>)]) {
    for (n, (pattern, span)) in patterns.iter().enumerate() {
        let before = patterns.iter().take(n);
        if let Some((_, at)) = before.clone().find(|(other, _)| collide(other, pattern)) {
            let problem = format!(
                "the slot of line {} has the same kind and days, areas and dates in common; give one of \
                 them another kind",
                told.line_of(at)
            );
            told.add(span.clone(), Some(pattern.kind.as_str()), Some("kind"), problem);
        }
    }
}

/// Whether both could make a slot on one day in one area under one name.
fn collide(a: &SlotPattern, b: &SlotPattern) -> bool {
    let (one, two) = (&a.scope, &b.scope);
    let areas = one.areas.is_empty() || two.areas.is_empty() || !one.areas.is_disjoint(&two.areas);
    let ends_before = |x: &Scope, y: &Scope| x.before.zip(y.from).is_some_and(|(end, begin)| end <= begin);
    let dates = !ends_before(one, two) && !ends_before(two, one);
    let days = match (&one.on, &two.on) {
        (On::Kinds(one), On::Kinds(two)) => !one.is_disjoint(two),
        (On::Listed(one), On::Listed(two)) => !one.is_disjoint(two),
        (On::Listed(_), _) | (_, On::Listed(_)) => false,
        (On::Every, _) | (_, On::Every) => true,
    };
    a.kind == b.kind && areas && dates && days
}

fn slot(told: &mut Told<'_>, table: &DeTable<'_>, span: Range<usize>) -> Option<SlotPattern> {
    let before = told.errors.len();
    let kind = table.iter().find(|(key, _)| key.get_ref() == "kind");
    let kind = kind.and_then(|(_, value)| value.get_ref().as_str()).map(str::to_owned);
    let mut entry = Entry { told, table, span, kind };
    entry.known_keys(&SLOT_KEYS);
    let code = entry.text("kind", A_CODE, |text| text.parse().ok());
    let name = entry.text("name", &format!("a text of 1 to {NAME_MAX} characters"), |text| {
        let text = text.trim();
        (1..=NAME_MAX).contains(&text.chars().count()).then(|| text.to_owned())
    });
    let scope = entry.scope();
    let points = entry.points();
    let need_any = entry.list("need_any", A_CODE, |text| text.parse::<Code>().ok());
    if let Some(scope) = &scope {
        for role in points.keys().filter(|role| !scope.roles.contains(role)) {
            let span = entry.span_of("points");
            entry.wrong(span, "points", format!("`{}` is not among the roles of this slot", role.code()));
        }
    }
    if entry.told.errors.len() > before {
        return None;
    }
    Some(SlotPattern { kind: code?, name: name?, scope: scope?, points, need_any })
}

const A_CODE: &str = "a code of 1 to 64 ASCII letters, digits or `_ - . :`";

/// One table of the file and where to tell its mistakes.
struct Entry<'a, 't, 'i> {
    told: &'a mut Told<'t>,
    table: &'a DeTable<'i>,
    span: Range<usize>,
    kind: Option<String>,
}

type Found<'a, 'i> = (&'a DeValue<'i>, Range<usize>);

impl<'a, 'i> Entry<'a, '_, 'i> {
    fn wrong(&mut self, span: Range<usize>, key: &str, problem: impl Into<String>) {
        self.told.add(span, self.kind.as_deref(), Some(key), problem);
    }

    fn known_keys(&mut self, known: &[&str]) {
        let table = self.table;
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let problem = format!("unknown key; known are {}", known.join(", "));
            self.wrong(key.span(), key.get_ref(), problem);
        }
    }

    fn optional(&self, key: &str) -> Option<Found<'a, 'i>> {
        let found = self.table.iter().find(|(k, _)| k.get_ref() == key);
        found.map(|(_, value)| (value.get_ref(), value.span()))
    }

    fn span_of(&self, key: &str) -> Range<usize> {
        self.optional(key).map_or(self.span.clone(), |(_, span)| span)
    }

    /// A needed text that `read` understands; else the mistake is told with `expected`.
    fn text<T>(&mut self, key: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let Some((value, span)) = self.optional(key) else {
            self.wrong(self.span.clone(), key, "this key is missing");
            return None;
        };
        let good = value.as_str().and_then(read);
        if good.is_none() {
            self.wrong(span, key, format!("{} is not {expected}", shown(value)));
        }
        good
    }

    /// A list of texts; empty when the key is not there.
    fn list<T: Ord>(&mut self, key: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> BTreeSet<T> {
        let mut all = BTreeSet::new();
        let Some((value, span)) = self.optional(key) else { return all };
        let Some(array) = value.as_array() else {
            self.wrong(span, key, format!("{} is not a list in square brackets", shown(value)));
            return all;
        };
        if array.is_empty() {
            self.wrong(span, key, "names nothing; leave the key out or name something");
        }
        for item in array.iter() {
            match item.get_ref().as_str().and_then(&read) {
                Some(good) => drop(all.insert(good)),
                None => self.wrong(item.span(), key, format!("{} is not {expected}", shown(item.get_ref()))),
            }
        }
        all
    }

    /// Every key that slots and required hours share.
    fn scope(&mut self) -> Option<Scope> {
        let before = self.told.errors.len();
        let on = self.on();
        let from_min =
            self.text("from", "a time of the day from 00:00 to 23:59", |text| clock(text, DAY_MIN - 1));
        let to_min = self.text("to", "a time from 00:00 to 24:00", |text| clock(text, DAY_MIN));
        let roles = self.list("roles", &one_of(RotaRole::ALL.map(RotaRole::code)), RotaRole::from_code);
        if self.optional("roles").is_none() {
            self.wrong(self.span.clone(), "roles", "this key is missing");
        }
        let areas = self.list("areas", "the key of an area", |text| text.parse::<Area>().ok());
        let (from, before_day) = self.effective();
        if self.told.errors.len() > before {
            return None;
        }
        let hours = Hours { from_min: from_min?, to_min: to_min? };
        Some(Scope { on: on?, hours, roles, areas, from, before: before_day })
    }

    fn on(&mut self) -> Option<On> {
        let (days, dates) = (self.optional("days"), self.optional("dates"));
        match (days, dates) {
            (Some(_), None) => {
                let mut words: Vec<&str> = DayKind::ALL.iter().map(|kind| kind.code()).collect();
                words.push("every");
                let read = |text: &str| {
                    if text == "every" { Some(None) } else { DayKind::from_code(text).map(Some) }
                };
                let kinds = self.list("days", &one_of(words), read);
                if kinds.contains(&None) {
                    Some(On::Every)
                } else {
                    Some(On::Kinds(kinds.into_iter().flatten().collect()))
                }
            }
            (None, Some(_)) => {
                let expected = "a day as 2026-08-14 or, for every year, 08-14";
                Some(On::Listed(self.list("dates", expected, |text| text.parse::<ListedDay>().ok())))
            }
            (Some(_), Some((_, span))) => {
                self.wrong(span, "dates", "write either `days` or `dates`");
                None
            }
            (None, None) => {
                self.wrong(self.span.clone(), "days", "this key is missing; write `days` or `dates`");
                None
            }
        }
    }

    fn effective(&mut self) -> (Option<CivilDate>, Option<CivilDate>) {
        const SHAPE: &str = "write { from = \"2026-04-01\", before = \"2027-04-01\" }, or one of the two; \
                             `before` is the first day on which it no longer applies";
        let Some((value, span)) = self.optional("effective") else { return (None, None) };
        let Some(table) = value.as_table() else {
            self.wrong(span, "effective", SHAPE);
            return (None, None);
        };
        let (mut from, mut before) = (None, None);
        for (key, value) in table {
            let day = value.get_ref().as_str().and_then(|text| text.parse::<CivilDate>().ok());
            match key.get_ref().as_ref() {
                "from" if day.is_some() => from = day,
                "before" if day.is_some() => before = day,
                name => self.wrong(value.span(), &format!("effective.{name}"), SHAPE),
            }
        }
        if let Some((from, before)) = from.zip(before).filter(|(from, before)| from >= before) {
            self.wrong(span, "effective", format!("no day lies from {from} and before {before}"));
        }
        (from, before)
    }

    fn points(&mut self) -> BTreeMap<RotaRole, Points> {
        let mut points = BTreeMap::new();
        let Some((value, span)) = self.optional("points") else { return points };
        let Some(table) = value.as_table() else {
            self.wrong(span, "points", "write { primary = 1.0, deputy = 0.5 }");
            return points;
        };
        for (key, value) in table {
            let name = format!("points.{}", key.get_ref());
            let number = match value.get_ref() {
                DeValue::Integer(n) => hundredths(n.as_str()),
                DeValue::Float(n) => hundredths(n.as_str()),
                _ => None,
            };
            match (RotaRole::from_code(key.get_ref()), number) {
                (None, _) => {
                    let roles = one_of(RotaRole::ALL.map(RotaRole::code));
                    self.wrong(key.span(), &name, format!("not {roles}"));
                }
                (_, None) => {
                    let problem = "not a number of points, 0 or more, with at most two decimals";
                    self.wrong(value.span(), &name, problem);
                }
                (Some(role), Some(number)) => drop(points.insert(role, number)),
            }
        }
        points
    }
}

/// `18:00` as minutes after midnight, at most `most`.
fn clock(text: &str, most: u16) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hour, minute): (u16, u16) = (two(hour)?, two(minute)?);
    let at = hour * 60 + minute;
    (minute < 60 && at <= most).then_some(at)
}

/// `1.5` as 150, without floats: what is written is what counts.
fn hundredths(text: &str) -> Option<Points> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    let all = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)?;
    (all <= POINTS_MAX).then_some(Points(all))
}

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    format!("one of: {}", words.into_iter().collect::<Vec<_>>().join(", "))
}

/// A value for an error text.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("`{text}`"),
        DeValue::Integer(number) => format!("`{}`", number.as_str()),
        other => format!("this {}", other.type_str()),
    }
}
