//! Reads the keys by which a tariff says more than an amount for an event: parts of units, rises, caps, who
//! it is for, what it steps back for. The machinery of reading is `tariff_file`'s.

use std::collections::BTreeSet;
use std::str::FromStr;

use toml::de::DeTable;

use super::condition::{Condition, HELD_HOURS_MAX};
use super::event::{Code, EventKind, OnRotaAs};
use super::fraction::{Fraction, Rounding};
use super::tariff::{Caps, Side, Tariff, Unit, Uplift, UpliftOn};
use super::tariff_file::{Entry, YEN_MAX, choices, shown, whole};
use crate::domain::calendar::YearlyDays;
use crate::domain::rota::RotaRole;
use crate::ids::InstitutionId;
use crate::money::Yen;

/// The most units a cap may name; above it there is no cap.
const CAP_MAX: i64 = 1_000_000;
/// The most minutes of a block: a day.
const BLOCK_MAX: i64 = 1_440;
/// The longest run of holidays that a rise may ask for.
const RUN_MAX: u32 = 30;
/// The most a rise may multiply by.
const UPLIFT_MAX: u32 = 10;

const RUN: &str = "calendar.run_of_holidays >= ";
const DAYS: &str = "calendar.days ";
const UPLIFT_SHAPE: &str = "write [{ if = \"calendar.run_of_holidays >= 3\", by = \"1.5\" }]; `if` may also be \
                            \"calendar.holiday\", \"calendar.year_end\" or \"calendar.days 05-02..05-06\"";

/// What these keys say.
pub(super) struct More {
    pub block_minutes: u32,
    pub partial: Option<Rounding>,
    pub rounding: Rounding,
    pub uplifts: Vec<Uplift>,
    pub caps: Caps,
    pub exclusive_with: BTreeSet<Code>,
    pub institution_kinds: BTreeSet<Code>,
    pub institutions: BTreeSet<InstitutionId>,
    pub specialties: BTreeSet<Code>,
    pub cities: BTreeSet<Code>,
    pub accepted_as: BTreeSet<OnRotaAs>,
    pub duty_roles: BTreeSet<RotaRole>,
    pub when: BTreeSet<Condition>,
}

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> More {
    let mut when = evidence(entry);
    if let Some(hours) = number(entry, "minimum_hours", 1, i64::from(HELD_HOURS_MAX)) {
        when.insert(Condition::HoursAtLeast(u32::try_from(hours).unwrap_or(HELD_HOURS_MAX)));
    }
    let rounding_of = |entry: &mut Entry<'_, '_, '_>, key: &str| {
        entry.optional(key)?;
        entry.coded(key, &choices(Rounding::ALL, Rounding::code), &[], Rounding::from_code)
    };
    More {
        block_minutes: number(entry, "block_minutes", 1, BLOCK_MAX)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(0),
        partial: rounding_of(entry, "partial"),
        rounding: rounding_of(entry, "rounding").unwrap_or(Rounding::Floor),
        uplifts: uplifts(entry),
        caps: caps(entry),
        exclusive_with: codes(entry, "exclusive_with"),
        institution_kinds: codes(entry, "institution_kinds"),
        institutions: named(
            entry,
            "institutions",
            |id| InstitutionId::from_api(id).ok(),
            "ins_ and 26 letters",
        ),
        specialties: codes(entry, "specialties"),
        cities: codes(entry, "cities"),
        accepted_as: named(
            entry,
            "accepted_as",
            OnRotaAs::from_code,
            &choices(OnRotaAs::ALL, OnRotaAs::code),
        ),
        duty_roles: named(entry, "duty_roles", RotaRole::from_code, &choices(&RotaRole::ALL, RotaRole::code)),
        when,
    }
}

/// What keys say of each other.
pub(super) fn check(entry: &mut Entry<'_, '_, '_>, tariff: &Tariff) {
    let standby = tariff.event == EventKind::Standby;
    let place = |entry: &Entry<'_, '_, '_>, key: &str| {
        entry.optional(key).map_or(entry.span.clone(), |(_, span)| span)
    };
    if standby != (tariff.side == Side::Standby) {
        let span = place(entry, "side");
        entry.wrong(
            span,
            "side",
            "duty (`event = \"standby\"`) has the side `standby`, and only duty has it",
        );
    }
    if (tariff.unit == Unit::MinuteBlock) != (tariff.block_minutes > 0) {
        let span = place(entry, "unit");
        let problem = "`unit = \"minute_block\"` and `block_minutes`, such as 30, belong together";
        entry.wrong(span, "unit", problem);
    }
    if tariff.unit == Unit::FullDayTurn && !standby {
        let span = place(entry, "unit");
        entry.wrong(span, "unit", "a continuous 24-hour turn is duty: write `event = \"standby\"`");
    }
    if tariff.partial.is_some() && !matches!(tariff.unit, Unit::Hour | Unit::MinuteBlock | Unit::Slot) {
        let span = place(entry, "partial");
        entry.wrong(span, "partial", "only hours, slots and blocks of minutes can be held in part");
    }
    if !standby && !tariff.duty_roles.is_empty() {
        let span = place(entry, "duty_roles");
        entry.wrong(span, "duty_roles", "only duty has roles");
    }
    if standby && !(tariff.accepted_as.is_empty() && tariff.institutions.is_empty()) {
        let key = if tariff.institutions.is_empty() { "accepted_as" } else { "institutions" };
        let span = place(entry, key);
        entry.wrong(span, key, "duty is not taken by somebody who was asked; its roles are `duty_roles`");
    }
    let minimum = tariff.when.iter().any(|c| matches!(c, Condition::HoursAtLeast(_)));
    if minimum && !(standby && matches!(tariff.unit, Unit::Day | Unit::Slot)) {
        let span = place(entry, "minimum_hours");
        entry.wrong(span, "minimum_hours", "only a day or a slot of duty needs a least number of hours");
    }
    if standby && !(tariff.cities.is_empty() && tariff.specialties.is_empty()) {
        let key = if tariff.cities.is_empty() { "specialties" } else { "cities" };
        let span = place(entry, key);
        entry.wrong(span, key, "duty is not for one patient");
    }
    let of_events = tariff.when.iter().find(|c| match c {
        Condition::MemberActive(Side::Standby) => !standby,
        Condition::HoursAtLeast(_) => false,
        _ => standby,
    });
    if let Some(condition) = of_events {
        let span = place(entry, "when");
        let problem = format!("`{condition}` cannot be asked of this event");
        entry.wrong(span, "when", problem);
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

fn codes(entry: &mut Entry<'_, '_, '_>, key: &str) -> BTreeSet<Code> {
    let mut all = BTreeSet::new();
    let Some((value, span)) = entry.optional(key) else { return all };
    for (text, span) in entry.texts(key).unwrap_or_default() {
        match Code::from_str(text) {
            Ok(code) => {
                all.insert(code);
            }
            Err(e) => entry.wrong(span, key, format!("`{text}`: {e}")),
        }
    }
    if value.as_array().is_some_and(|list| list.is_empty()) {
        entry.wrong(span, key, "names nothing; leave the key out");
    }
    all
}

fn named<T: Ord>(
    entry: &mut Entry<'_, '_, '_>,
    key: &str,
    read: impl Fn(&str) -> Option<T>,
    choices: &str,
) -> BTreeSet<T> {
    let mut all = BTreeSet::new();
    for (text, span) in entry.texts(key).unwrap_or_default() {
        match read(text) {
            Some(one) => {
                all.insert(one);
            }
            None => entry.wrong(span, key, format!("`{text}` is not one of: {choices}")),
        }
    }
    all
}

fn evidence(entry: &mut Entry<'_, '_, '_>) -> BTreeSet<Condition> {
    const KNOWN: [(&str, Condition); 4] = [
        ("report_back", Condition::ReportPresent),
        ("attempt_log", Condition::AttemptsRecorded),
        ("household_explained", Condition::HouseholdExplained),
        ("night_card", Condition::NightCardUsed),
    ];
    let mut asked = BTreeSet::new();
    for (text, span) in entry.texts("evidence").unwrap_or_default() {
        match KNOWN.iter().find(|(word, _)| *word == text) {
            Some((_, condition)) => {
                asked.insert(*condition);
            }
            None => {
                let words = KNOWN.map(|(word, _)| word).join(", ");
                entry.wrong(span, "evidence", format!("`{text}` is not one of: {words}"));
            }
        }
    }
    asked
}

fn uplift_on(text: &str) -> Option<UpliftOn> {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(days) = plain.strip_prefix(RUN) {
        let days = days.parse().ok().filter(|n| (1..=RUN_MAX).contains(n))?;
        return Some(UpliftOn::RunOfHolidays(days));
    }
    if let Some(days) = plain.strip_prefix(DAYS) {
        let (from, to) = days.split_once("..")?;
        return YearlyDays::new(from.trim(), to.trim()).map(UpliftOn::Days);
    }
    match plain.as_str() {
        "calendar.holiday" => Some(UpliftOn::Holiday),
        "calendar.year_end" => Some(UpliftOn::YearEnd),
        _ => None,
    }
}

fn text_of<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    table.iter().find(|(k, _)| k.get_ref() == key).and_then(|(_, value)| value.get_ref().as_str())
}

fn uplifts(entry: &mut Entry<'_, '_, '_>) -> Vec<Uplift> {
    let mut all = Vec::new();
    let Some((value, span)) = entry.optional("multiplier") else { return all };
    let Some(list) = value.as_array() else {
        entry.wrong(span, "multiplier", UPLIFT_SHAPE);
        return all;
    };
    for item in list.iter() {
        let table = item.get_ref().as_table();
        let known = |t: &DeTable<'_>| t.iter().all(|(k, _)| matches!(k.get_ref().as_ref(), "if" | "by"));
        let uplift = table.filter(|t| known(t)).and_then(|table| {
            let by = Fraction::from_str(text_of(table, "by")?).ok()?;
            let by = (by.is_plain() && by <= Fraction::whole(UPLIFT_MAX)).then_some(by)?;
            Some(Uplift { on: uplift_on(text_of(table, "if")?)?, by })
        });
        match uplift {
            Some(uplift) => all.push(uplift),
            None => entry.wrong(item.span(), "multiplier", UPLIFT_SHAPE),
        }
    }
    all
}

fn caps(entry: &mut Entry<'_, '_, '_>) -> Caps {
    const SHAPE: &str = "write { per_case = 1, per_institution_month = 20, per_institution_month_yen = 50000, \
                         per_month = 100, per_month_yen = 300000 } with those that there are";
    let mut caps = Caps::default();
    let Some((value, span)) = entry.optional("cap") else { return caps };
    let Some(table) = value.as_table() else {
        entry.wrong(span, "cap", SHAPE);
        return caps;
    };
    for (key, value) in table.iter() {
        let name = key.get_ref().as_ref();
        let most = if name.ends_with("_yen") { YEN_MAX.saturating_mul(100) } else { CAP_MAX };
        let Some(n) = whole(value.get_ref()).filter(|n| (1..=most).contains(n)) else {
            let problem = format!("{} is not a whole number from 1 to {most}", shown(value.get_ref()));
            entry.wrong(value.span(), &format!("cap.{name}"), problem);
            continue;
        };
        let count = u32::try_from(n).ok();
        match name {
            "per_case" => caps.per_case = count,
            "per_institution_month" => caps.per_institution_month = count,
            "per_institution_month_yen" => caps.per_institution_month_yen = Some(Yen(n)),
            "per_month" => caps.per_month = count,
            "per_month_yen" => caps.per_month_yen = Some(Yen(n)),
            _ => entry.wrong(key.span(), &format!("cap.{name}"), format!("unknown key; {SHAPE}")),
        }
    }
    caps
}
