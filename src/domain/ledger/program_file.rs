//! Reads the programmes of a tariff file. The machinery of reading is `tariff_file`'s.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::event::Code;
use super::program::{Budget, BudgetRule, ClaimBy, ClaimRule, Cycle, Program, StandbyDay};
use super::tariff_file::{Entry, Told, choices, shown, whole};
use crate::money::Yen;

const KEYS: [&str; 16] = [
    "code",
    "name",
    "funder",
    "effective",
    "budget_yen",
    "budget",
    "successor",
    "claim_cycle",
    "claim_by",
    "claim_unit_yen",
    "claim_lesser_of_actual",
    "claim_less_other_income",
    "claim_due_days",
    "standby_day",
    "tax_included",
    "remarks",
];
/// The most programmes in one file.
const PROGRAMS_MAX: usize = 100;
/// The largest budget: 100,000,000,000 yen is no district's.
const BUDGET_MAX: i64 = 100_000_000_000;
/// The units to which claims are cut.
const UNITS: [i64; 5] = [1, 10, 100, 1_000, 10_000];
const DUE_MAX: i64 = 366;
const SHAPE: &str = "programmes are written as tables, each under its own line [[program]]";

/// Every programme of the file, with its place.
pub(super) fn programs(told: &mut Told<'_>, document: &DeTable<'_>) -> Vec<(Program, Range<usize>)> {
    let mut read: Vec<(Program, Range<usize>)> = Vec::new();
    let Some((key, value)) = document.iter().find(|(key, _)| key.get_ref() == "program") else {
        return read;
    };
    let Some(entries) = value.get_ref().as_array().filter(|all| all.len() <= PROGRAMS_MAX) else {
        told.add(key.span(), None, Some("program"), SHAPE);
        return read;
    };
    let mut seen: BTreeMap<Code, usize> = BTreeMap::new();
    for entry in entries.iter() {
        let Some(table) = entry.get_ref().as_table() else {
            told.add(entry.span(), None, Some("program"), SHAPE);
            continue;
        };
        let Some(program) = program(told, table, entry.span()) else { continue };
        let line = told.line_of(&entry.span());
        if let Some(first) = seen.insert(program.code.clone(), line) {
            let problem = format!("the code is already used by the programme of line {first}");
            told.add(entry.span(), Some(program.code.as_str()), Some("code"), problem);
            continue;
        }
        read.push((program, entry.span()));
    }
    for (program, span) in &read {
        let Some(next) = &program.successor else { continue };
        let begins = read.iter().find(|(p, _)| p.code == *next).map(|(p, _)| p.from);
        let problem = match begins {
            None => format!("no [[program]] of this file has the code {next}"),
            Some(from) if from < program.before => {
                format!("{next} begins on {from}, before this programme is over ({})", program.before)
            }
            Some(_) => continue,
        };
        told.add(span.clone(), Some(program.code.as_str()), Some("successor"), problem);
    }
    read
}

fn program(told: &mut Told<'_>, table: &DeTable<'_>, span: Range<usize>) -> Option<Program> {
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
    let funder = entry.words("funder");
    let dates = entry.effective();
    let budget = budget(&mut entry);
    let successor = match entry.optional("successor") {
        Some(_) => entry.text("successor", a_code, |text| Code::from_str(text).ok()),
        None => None,
    };
    let claim = claim(&mut entry);
    let standby_day = match entry.optional("standby_day") {
        Some(_) => entry.coded(
            "standby_day",
            &choices(StandbyDay::ALL, StandbyDay::code),
            &[],
            StandbyDay::from_code,
        ),
        None => Some(StandbyDay::SlotStart),
    };
    let tax_included = entry.optional("tax_included").is_some().then(|| yes(&mut entry, "tax_included"));
    let remarks =
        if entry.optional("remarks").is_some() { entry.words("remarks") } else { Some(String::new()) };
    if entry.told.errors.len() > before_errors {
        return None;
    }
    let (from, before) = dates?;
    Some(Program {
        code: code?,
        name: name?,
        funder: funder?,
        from,
        before,
        budget,
        successor,
        claim,
        standby_day: standby_day?,
        tax_included,
        remarks: remarks?,
    })
}

fn budget(entry: &mut Entry<'_, '_, '_>) -> Option<Budget> {
    let yen = number(entry, "budget_yen", 0, BUDGET_MAX);
    let rule = entry.optional("budget").and_then(|_| {
        entry.coded("budget", &choices(BudgetRule::ALL, BudgetRule::code), &[], BudgetRule::from_code)
    });
    match (entry.optional("budget_yen"), entry.optional("budget")) {
        (Some((_, span)), None) => {
            let problem = "say with `budget` what happens when it does not reach: first_come or prorated";
            entry.wrong(span, "budget_yen", problem);
        }
        (None, Some((_, span))) => {
            entry.wrong(span, "budget", "say with `budget_yen` how much there is");
        }
        _ => {}
    }
    Some(Budget { yen: Yen(yen?), rule: rule? })
}

fn claim(entry: &mut Entry<'_, '_, '_>) -> ClaimRule {
    let cycle = entry
        .optional("claim_cycle")
        .and_then(|_| entry.coded("claim_cycle", &choices(Cycle::ALL, Cycle::code), &[], Cycle::from_code));
    let by = entry.optional("claim_by").and_then(|_| {
        entry.coded("claim_by", &choices(ClaimBy::ALL, ClaimBy::code), &[], ClaimBy::from_code)
    });
    let unit_yen = match entry.optional("claim_unit_yen") {
        None => 1,
        Some((value, span)) => whole(value).filter(|n| UNITS.contains(n)).unwrap_or_else(|| {
            let units = UNITS.map(|n| n.to_string()).join(", ");
            entry.wrong(span, "claim_unit_yen", format!("{} is not one of: {units}", shown(value)));
            1
        }),
    };
    ClaimRule {
        cycle: cycle.unwrap_or(Cycle::Month),
        by: by.unwrap_or(ClaimBy::Program),
        unit_yen,
        lesser_of_actual: yes(entry, "claim_lesser_of_actual"),
        less_other_income: yes(entry, "claim_less_other_income"),
        due_days: number(entry, "claim_due_days", 1, DUE_MAX).and_then(|n| u32::try_from(n).ok()),
    }
}

fn number(entry: &mut Entry<'_, '_, '_>, key: &str, least: i64, most: i64) -> Option<i64> {
    let (value, span) = entry.optional(key)?;
    let good = whole(value).filter(|n| (least..=most).contains(n));
    if good.is_none() {
        entry.wrong(span, key, format!("{} is not a whole number from {least} to {most}", shown(value)));
    }
    good
}

fn yes(entry: &mut Entry<'_, '_, '_>, key: &str) -> bool {
    match entry.optional(key) {
        None => false,
        Some((DeValue::Boolean(yes), _)) => *yes,
        Some((value, span)) => {
            entry.wrong(span, key, format!("{} is not true or false", shown(value)));
            false
        }
    }
}
