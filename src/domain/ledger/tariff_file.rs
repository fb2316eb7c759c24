//! Reads tariffs from TOML text. A file with any mistake is not loaded; every mistake is told with its
//! line and key, in words. What a tariff means is `tariff`'s; reading from a disk is the caller's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::{ALWAYS, CHOSEN, Condition, REPORT_HOURS_MAX};
use super::event::{Code, EventKind};
use super::program::Program;
use super::tariff::{Side, Tariff, Tariffs, Unit};
use super::{program_file, tariff_keys};
use crate::domain::calendar::{BandRules, CivilDate, RULE_KEYS, TimeBand};
use crate::money::Yen;

/// The most tariffs in one file: each event is held against all of them.
const TARIFFS_MAX: usize = 1_000;
/// The most yen per unit: a slip of the finger, not a subsidy, stands above it.
pub(super) const YEN_MAX: i64 = 10_000_000;
/// The most characters of a name or remark, which go onto statements.
const WORDS_MAX: usize = 500;

const KEYS: [&str; 26] = [
    "code",
    "name",
    "program",
    "side",
    "event",
    "effective",
    "calendar",
    "bands",
    "unit",
    "block_minutes",
    "partial",
    "yen",
    "rounding",
    "multiplier",
    "cap",
    "exclusive_with",
    "institution_kinds",
    "institutions",
    "specialties",
    "cities",
    "accepted_as",
    "duty_roles",
    "minimum_hours",
    "evidence",
    "when",
    "remarks",
];
const LATER_EVENTS: [&str; 1] = ["conference"];

/// One mistake in a file of tariffs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TariffError {
    /// The name of the file, as given by the caller.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The code of the tariff, where it could be read.
    pub tariff: Option<String>,
    pub key: Option<String>,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl fmt::Display for TariffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        if let Some(tariff) = &self.tariff {
            write!(f, ", tariff {tariff}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ", key `{key}`")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Every mistake in a file of tariffs, by line; never empty. None of its tariffs are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TariffErrors(pub Vec<TariffError>);

impl std::error::Error for TariffErrors {}

impl fmt::Display for TariffErrors {
    /// One mistake per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl Tariffs {
    /// Reads the text of a tariff file. `file` names it in errors; `version` names this text in lines.
    ///
    /// # Errors
    /// Every mistake, by line: TOML that does not parse, keys unknown or not supported yet, wrong values,
    /// a code used twice, two tariffs of a programme that would pay one event twice on one side.
    pub fn parse(file: &str, text: &str, version: impl Into<String>) -> Result<Self, TariffErrors> {
        let mut told = Told { file, text, errors: Vec::new() };
        let (mut read, programs, calendars) = match DeTable::parse(text) {
            Ok(document) => {
                let calendars = document_calendars(&mut told, document.get_ref());
                let programs = program_file::programs(&mut told, document.get_ref());
                (document_tariffs(&mut told, document.get_ref(), &calendars), programs, calendars)
            }
            Err(error) => {
                told.add(error.span().unwrap_or_default(), None, None, error.message());
                (Vec::new(), Vec::new(), BTreeMap::new())
            }
        };
        check_together(&mut told, &read);
        check_programs(&mut told, &read, &programs);
        if told.errors.is_empty() {
            read.sort_by(|(a, _), (b, _)| a.code.cmp(&b.code));
            let all = read.into_iter().map(|(tariff, _)| tariff).collect();
            let calendars = calendars.into_iter().filter_map(|(name, rules)| Some((name, rules?))).collect();
            let programs = programs.into_iter().map(|(p, _)| (p.code.clone(), p)).collect();
            Ok(Self { version: version.into(), all, programs, calendars })
        } else {
            told.errors.sort_by_key(|error| error.line);
            Err(TariffErrors(told.errors))
        }
    }
}

/// Collects the mistakes of one file.
pub(super) struct Told<'a> {
    file: &'a str,
    text: &'a str,
    pub(super) errors: Vec<TariffError>,
}

impl Told<'_> {
    pub(super) fn line_of(&self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
    }

    pub(super) fn add(
        &mut self,
        span: Range<usize>,
        tariff: Option<&str>,
        key: Option<&str>,
        problem: impl Into<String>,
    ) {
        self.errors.push(TariffError {
            file: self.file.to_owned(),
            line: self.line_of(&span),
            tariff: tariff.map(str::to_owned),
            key: key.map(str::to_owned),
            problem: problem.into(),
        });
    }
}

/// The calendars of the file by name; `None` for one with mistakes, which have been told.
type Calendars = BTreeMap<Code, Option<BandRules>>;

fn document_calendars(told: &mut Told<'_>, document: &DeTable<'_>) -> Calendars {
    const SHAPE: &str = "calendars are written as tables, each under its own line [[calendar]]";
    let mut calendars = Calendars::new();
    let Some((key, value)) = document.iter().find(|(key, _)| key.get_ref() == "calendar") else {
        return calendars;
    };
    let entries = value.get_ref().as_array().filter(|all| all.len() <= TARIFFS_MAX);
    let Some(entries) = entries else {
        told.add(key.span(), None, Some("calendar"), SHAPE);
        return calendars;
    };
    for entry in entries.iter() {
        let Some(table) = entry.get_ref().as_table() else {
            told.add(entry.span(), None, Some("calendar"), SHAPE);
            continue;
        };
        let name = table.iter().find(|(key, _)| key.get_ref() == "name");
        let code = name.and_then(|(_, value)| value.get_ref().as_str()?.parse::<Code>().ok());
        let Some(code) = code else {
            let span = name.map_or(entry.span(), |(_, value)| value.span());
            told.add(span, None, Some("name"), "a calendar needs a name that is a code, such as agano");
            continue;
        };
        for (key, _) in table.iter() {
            let word = key.get_ref().as_ref();
            if word != "name" && !RULE_KEYS.contains(&word) {
                let problem = format!("unknown key; a calendar has name, {}", RULE_KEYS.join(", "));
                told.add(key.span(), None, Some(word), problem);
            }
        }
        let rules = BandRules::from_table(table).map_err(|mistakes| {
            for mistake in mistakes {
                told.add(mistake.span, None, Some(&mistake.key), mistake.problem);
            }
        });
        if calendars.insert(code.clone(), rules.ok()).is_some() {
            let problem = format!("there is another calendar called {code}");
            told.add(entry.span(), None, Some("name"), problem);
        }
    }
    calendars
}

fn document_tariffs(
    told: &mut Told<'_>,
    document: &DeTable<'_>,
    calendars: &Calendars,
) -> Vec<(Tariff, Range<usize>)> {
    const SHAPE: &str = "tariffs are written as tables, each under its own line [[tariff]]";
    let mut read = Vec::new();
    for (key, value) in document {
        if key.get_ref() == "calendar" || key.get_ref() == "program" {
            continue;
        }
        if key.get_ref() != "tariff" {
            let problem = "unknown key; the file holds only [[program]], [[tariff]] and [[calendar]] tables";
            told.add(key.span(), None, Some(key.get_ref()), problem);
            continue;
        }
        let DeValue::Array(entries) = value.get_ref() else {
            told.add(key.span(), None, Some("tariff"), SHAPE);
            continue;
        };
        if entries.len() > TARIFFS_MAX {
            told.add(
                key.span(),
                None,
                Some("tariff"),
                format!("more than {TARIFFS_MAX} tariffs in one file"),
            );
            continue;
        }
        for entry in entries.iter() {
            match entry.get_ref() {
                DeValue::Table(table) => {
                    let found = tariff(told, table, entry.span(), calendars);
                    read.extend(found.map(|tariff| (tariff, entry.span())));
                }
                _ => told.add(entry.span(), None, Some("tariff"), SHAPE),
            }
        }
    }
    read
}

fn check_together(told: &mut Told<'_>, read: &[(Tariff, Range<usize>)]) {
    let mut seen: BTreeMap<&Code, usize> = BTreeMap::new();
    for (i, (tariff, span)) in read.iter().enumerate() {
        let line = told.line_of(span);
        if let Some(first) = seen.insert(&tariff.code, line) {
            let problem = format!("the code is already used by the tariff of line {first}");
            told.add(span.clone(), Some(tariff.code.as_str()), Some("code"), problem);
            continue;
        }
        let earlier = read.iter().take(i).find(|(other, _)| tariff.collides_with(other));
        if let Some((other, at)) = earlier.filter(|(other, _)| other.code != tariff.code) {
            let problem = format!(
                "some events would be paid twice on one side: {} of line {} has the same program, side and \
                 event, and dates and bands in common",
                other.code,
                told.line_of(at)
            );
            told.add(span.clone(), Some(tariff.code.as_str()), Some("effective"), problem);
        }
    }
}

/// What tariffs and programmes say of each other.
fn check_programs(
    told: &mut Told<'_>,
    read: &[(Tariff, Range<usize>)],
    programs: &[(Program, Range<usize>)],
) {
    let known = |code: &Code| programs.iter().find(|(p, _)| p.code == *code).map(|(p, _)| p);
    let named: BTreeSet<&Code> = read.iter().map(|(t, _)| &t.program).collect();
    // A file that names no programme at all has those its tariffs name, without dates and budget.
    for (tariff, span) in read {
        let code = Some(tariff.code.as_str());
        if !programs.is_empty() {
            match known(&tariff.program) {
                None => {
                    let problem = format!("no [[program]] of this file has the code {}", tariff.program);
                    told.add(span.clone(), code, Some("program"), problem);
                }
                Some(program) if tariff.before <= program.from || program.before <= tariff.from => {
                    let problem = format!(
                        "the tariff is never in force within its programme, which lasts from {} and before {}",
                        program.from, program.before
                    );
                    told.add(span.clone(), code, Some("effective"), problem);
                }
                Some(_) => {}
            }
        }
        for other in &tariff.exclusive_with {
            if *other == tariff.program || !named.contains(other) {
                let problem = format!("{other} is not another programme that a tariff of this file names");
                told.add(span.clone(), code, Some("exclusive_with"), problem);
            } else if let Some((back, at)) =
                read.iter().find(|(t, _)| t.program == *other && t.exclusive_with.contains(&tariff.program))
                && back.code > tariff.code
            {
                let problem = format!(
                    "{} of line {} steps back for this one too, so neither would be paid; write it on one of the \
                     two",
                    back.code,
                    told.line_of(at)
                );
                told.add(span.clone(), code, Some("exclusive_with"), problem);
            }
        }
    }
}

/// One table of a tariff or programme and where to tell its mistakes.
pub(super) struct Entry<'a, 't, 'i> {
    pub(super) told: &'a mut Told<'t>,
    pub(super) table: &'a DeTable<'i>,
    pub(super) span: Range<usize>,
    pub(super) code: Option<String>,
}

pub(super) type Found<'a, 'i> = (&'a DeValue<'i>, Range<usize>);

impl<'a, 'i> Entry<'a, '_, 'i> {
    pub(super) fn wrong(&mut self, span: Range<usize>, key: &str, problem: impl Into<String>) {
        self.told.add(span, self.code.as_deref(), Some(key), problem);
    }

    pub(super) fn optional(&self, key: &str) -> Option<Found<'a, 'i>> {
        let found = self.table.iter().find(|(k, _)| k.get_ref() == key);
        found.map(|(_, value): (_, &Spanned<DeValue<'i>>)| (value.get_ref(), value.span()))
    }

    pub(super) fn needed(&mut self, key: &str) -> Option<Found<'a, 'i>> {
        let found = self.optional(key);
        if found.is_none() {
            self.wrong(self.span.clone(), key, "this key is missing");
        }
        found
    }

    /// A needed text that `read` understands; else the mistake is told with `expected`.
    pub(super) fn text<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (value, span) = self.needed(key)?;
        let good = value.as_str().and_then(read);
        if good.is_none() {
            self.wrong(span, key, format!("{} is not {expected}", shown(value)));
        }
        good
    }

    /// Free words, printed on statements.
    pub(super) fn words(&mut self, key: &str) -> Option<String> {
        let fits = |text: &str| {
            let good = !text.trim().is_empty() && text.chars().count() <= WORDS_MAX;
            good.then(|| text.trim().to_owned())
        };
        self.text(key, &format!("a text of 1 to {WORDS_MAX} characters"), fits)
    }

    pub(super) fn coded<T>(
        &mut self,
        key: &str,
        choices: &str,
        later: &[&str],
        read: fn(&str) -> Option<T>,
    ) -> Option<T> {
        if let Some((value, span)) = self.optional(key)
            && let Some(word) = value.as_str().filter(|word| later.contains(word))
        {
            self.wrong(span, key, format!("`{word}` is not supported yet; write one of: {choices}"));
            return None;
        }
        self.text(key, &format!("one of: {choices}"), read)
    }

    fn yen(&mut self) -> Option<Yen> {
        let (value, span) = self.needed("yen")?;
        let good = whole(value).filter(|yen| (0..=YEN_MAX).contains(yen));
        if good.is_none() {
            let problem = format!("{} is not a whole number of yen from 0 to {}", shown(value), Yen(YEN_MAX));
            self.wrong(span, "yen", problem);
        }
        good.map(Yen)
    }

    /// The first day and the first day after.
    pub(super) fn effective(&mut self) -> Option<(CivilDate, CivilDate)> {
        const SHAPE: &str = "write { from = \"2026-04-01\", before = \"2027-04-01\" }; `before` is the first \
                             day on which the tariff no longer applies";
        let (value, span) = self.needed("effective")?;
        let Some(table) = value.as_table() else {
            self.wrong(span, "effective", SHAPE);
            return None;
        };
        for (key, _) in table.iter().filter(|(key, _)| !matches!(key.get_ref().as_ref(), "from" | "before")) {
            self.wrong(key.span(), &format!("effective.{}", key.get_ref()), format!("unknown key; {SHAPE}"));
        }
        let mut days = ["from", "before"].into_iter().map(|name| {
            let found = table.iter().find(|(key, _)| key.get_ref() == name);
            let day = found.and_then(|(_, value)| civil_date(value.get_ref()));
            if day.is_none() {
                let span = found.map_or(span.clone(), |(_, value)| value.span());
                self.wrong(
                    span,
                    &format!("effective.{name}"),
                    format!("no day of the form 2026-04-01; {SHAPE}"),
                );
            }
            day
        });
        let (from, before) = (days.next().flatten(), days.next().flatten());
        let (from, before) = (from?, before?);
        if from >= before {
            self.wrong(span, "effective", format!("no day lies from {from} and before {before}"));
            return None;
        }
        Some((from, before))
    }

    /// The texts of an array with their places; tells what is not a text.
    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<(&'a str, Range<usize>)>> {
        let (value, span) = self.optional(key)?;
        let Some(array) = value.as_array() else {
            self.wrong(span, key, format!("{} is not a list in square brackets", shown(value)));
            return None;
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text, item.span())),
                None => self.wrong(item.span(), key, format!("{} is not a text", shown(item.get_ref()))),
            }
        }
        Some(texts)
    }

    /// The funder's calendar by which the bands are counted.
    fn calendar(&mut self, calendars: &Calendars) -> Option<Code> {
        self.optional("calendar")?;
        let known: Vec<&str> = calendars.keys().map(Code::as_str).collect();
        let expected = format!("the name of a [[calendar]] of this file ({})", known.join(", "));
        let named = |text: &str| text.parse::<Code>().ok().filter(|code| calendars.contains_key(code));
        self.text("calendar", &expected, named)
    }

    fn bands(&mut self) -> BTreeSet<TimeBand> {
        if self.optional("bands").is_none() {
            return TimeBand::ALL.into();
        }
        let mut bands = BTreeSet::new();
        for (text, span) in self.texts("bands").unwrap_or_default() {
            match TimeBand::from_code(text) {
                Some(band) => {
                    bands.insert(band);
                }
                None => {
                    let choices = choices(&TimeBand::ALL, TimeBand::code);
                    self.wrong(span, "bands", format!("`{text}` is not one of: {choices}"));
                }
            }
        }
        if let Some((value, span)) = self.optional("bands")
            && value.as_array().is_some_and(|list| list.is_empty())
        {
            self.wrong(span, "bands", "names no band; leave the key out for all bands");
        }
        bands
    }

    fn conditions(&mut self) -> BTreeSet<Condition> {
        let mut when = BTreeSet::new();
        for (text, span) in self.texts("when").unwrap_or_default() {
            let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match plain.parse::<Condition>() {
                Ok(condition) if ALWAYS.contains(&condition) => {
                    self.wrong(span, "when", format!("`{plain}` holds for every tariff; leave it out"));
                }
                Ok(condition)
                    if !CHOSEN.contains(&condition)
                        && !matches!(condition, Condition::ReportWithinHours(_)) =>
                {
                    self.wrong(span, "when", unknown_condition(&plain));
                }
                Ok(condition) => {
                    when.insert(condition);
                }
                Err(_) => self.wrong(span, "when", unknown_condition(&plain)),
            }
        }
        when
    }
}

fn unknown_condition(text: &str) -> String {
    let known = CHOSEN.into_iter().chain([Condition::ReportWithinHours(72)]);
    let known: Vec<String> = known.map(|c| format!("`{c}`")).collect();
    format!(
        "`{text}` is not a known condition; known are {} (1 to {REPORT_HOURS_MAX} hours)",
        known.join(", ")
    )
}

fn tariff(
    told: &mut Told<'_>,
    table: &DeTable<'_>,
    span: Range<usize>,
    calendars: &Calendars,
) -> Option<Tariff> {
    let before_errors = told.errors.len();
    let code = table.iter().find(|(key, _)| key.get_ref() == "code");
    let code = code.and_then(|(_, value)| value.get_ref().as_str()).map(str::to_owned);
    let mut entry = Entry { told, table, span, code };
    for (key, _) in table {
        let name = key.get_ref().as_ref();
        if !KEYS.contains(&name) {
            entry.wrong(key.span(), name, format!("unknown key; known are {}", KEYS.join(", ")));
        }
    }
    let a_code = "a code of 1 to 64 ASCII letters, digits or `_ - . :`";
    let code = entry.text("code", a_code, |text| Code::from_str(text).ok());
    let name = entry.words("name");
    let program = entry.text("program", a_code, |text| Code::from_str(text).ok());
    let side = entry.coded("side", &choices(Side::ALL, Side::code), &[], Side::from_code);
    let event =
        entry.coded("event", &choices(EventKind::ALL, EventKind::code), &LATER_EVENTS, EventKind::from_code);
    let effective = entry.effective();
    let calendar = entry.calendar(calendars);
    let bands = entry.bands();
    let unit = entry.coded("unit", &choices(Unit::ALL, Unit::code), &[], Unit::from_code);
    let amount = entry.yen();
    let when = entry.conditions();
    let more = tariff_keys::read(&mut entry);
    let remarks =
        if entry.optional("remarks").is_some() { entry.words("remarks") } else { Some(String::new()) };
    if entry.told.errors.len() > before_errors {
        return None;
    }
    let (from, before) = effective?;
    let tariff = Tariff {
        code: code?,
        name: name?,
        program: program?,
        side: side?,
        event: event?,
        from,
        before,
        calendar,
        bands,
        unit: unit?,
        amount: amount?,
        block_minutes: more.block_minutes,
        partial: more.partial,
        rounding: more.rounding,
        uplifts: more.uplifts,
        caps: more.caps,
        exclusive_with: more.exclusive_with,
        institution_kinds: more.institution_kinds,
        institutions: more.institutions,
        specialties: more.specialties,
        cities: more.cities,
        accepted_as: more.accepted_as,
        duty_roles: more.duty_roles,
        when: when.into_iter().chain(more.when).collect(),
        remarks: remarks?,
    };
    tariff_keys::check(&mut entry, &tariff);
    (entry.told.errors.len() == before_errors).then_some(tariff)
}

/// A day as text or as TOML's own date.
fn civil_date(value: &DeValue<'_>) -> Option<CivilDate> {
    match value {
        DeValue::String(text) => text.parse().ok(),
        DeValue::Datetime(date) if date.time.is_none() && date.offset.is_none() => {
            date.to_string().parse().ok()
        }
        _ => None,
    }
}

/// A whole number.
pub(super) fn whole(value: &DeValue<'_>) -> Option<i64> {
    value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok())
}

pub(super) fn choices<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> String {
    all.iter().map(|value| code(*value)).collect::<Vec<_>>().join(", ")
}

/// A value for an error text.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("`{text}`"),
        DeValue::Integer(number) => format!("`{}`", number.as_str()),
        other => format!("this {}", other.type_str()),
    }
}
