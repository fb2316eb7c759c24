//! The rota in words: seats, points, rules that are broken, people in short.

use std::collections::BTreeMap;

use super::super::words::Voice;
use crate::app::rota::RotaWorld;
use crate::app::rows::Member;
use crate::app::say;
use crate::domain::calendar::{CivilDate, era_date, start_of_day, western_date};
use crate::domain::rota::{Assignment, Holder, Points, RotaRole, Rule, SlotBook, SlotKey, Violation};
use crate::i18n::{Lang, t, t_with};
use crate::ids::MemberId;
use crate::time::Window;

/// A day with its year.
pub(super) fn long_day(voice: Voice, day: CivilDate) -> String {
    match voice.lang {
        Lang::Ja => era_date(day),
        Lang::En => western_date(day),
    }
}

/// A day without its year, "10月9日（金）".
pub(super) fn day(voice: Voice, day: CivilDate) -> String {
    say::day(start_of_day(day, voice.zone), voice.zone, voice.lang)
}

/// Days from one to another, both included.
pub(super) fn days(voice: Voice, first: CivilDate, last: CivilDate) -> String {
    let (first, last) = (long_day(voice, first), day(voice, last));
    t_with(voice.lang, "duty-hours", &[("from", &first), ("to", &last)])
}

pub(super) fn hours(voice: Voice, window: Window) -> String {
    let (from, to) = (voice.moment(window.from), voice.moment(window.to));
    t_with(voice.lang, "duty-hours", &[("from", &from), ("to", &to)])
}

pub(super) fn role(voice: Voice, role: RotaRole) -> String {
    t(voice.lang, &format!("word-rota-role-{}", role.code()))
}

/// The name of a kind of slot, as the pattern has it; the code where there is none any more.
pub(super) fn kind(book: &SlotBook, key: &SlotKey) -> String {
    let pattern = book.patterns().iter().find(|pattern| pattern.kind == key.kind);
    pattern.map_or_else(|| key.kind.as_str().to_owned(), |pattern| pattern.name.clone())
}

/// "10月9日（金） 平日の夜 正".
pub(super) fn seat(voice: Voice, world: &RotaWorld, key: &SlotKey, of: RotaRole) -> String {
    format!("{} {} {}", day(voice, key.day), kind(world.book(), key), role(voice, of))
}

/// Points with as many decimals as they need: "1.5".
pub(super) fn points(points: Points) -> String {
    let sign = if points.0 < 0 { "-" } else { "" };
    let (whole, rest) = (points.0.unsigned_abs() / 100, points.0.unsigned_abs() % 100);
    match (rest, rest % 10) {
        (0, _) => format!("{sign}{whole}"),
        (_, 0) => format!("{sign}{whole}.{}", rest / 10),
        _ => format!("{sign}{whole}.{rest:02}"),
    }
}

/// Somebody with title; their id where nobody of that id is known.
pub(super) fn person(voice: Voice, world: &RotaWorld, id: &MemberId) -> String {
    world.members.get(id).map_or_else(|| id.to_string(), |member| voice.name(member))
}

pub(super) fn people(voice: Voice, world: &RotaWorld, holders: &[Holder]) -> String {
    if holders.is_empty() {
        return t(voice.lang, "rota-nobody");
    }
    holders.iter().map(|h| person(voice, world, &h.person)).collect::<Vec<_>>().join("・")
}

/// Family names, whole names where two share one: for the narrow cells of a month.
pub(super) fn short_names(world: &RotaWorld) -> BTreeMap<&MemberId, String> {
    let family = |member: &Member| member.name.split([' ', '\u{3000}']).next().unwrap_or_default().to_owned();
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for member in world.members.values().filter(|m| world.takes_part(m)) {
        *times.entry(family(member)).or_default() += 1;
    }
    let name = |member: &Member| {
        let family = family(member);
        if family.is_empty() || times.get(&family).is_some_and(|n| *n > 1) {
            member.name.clone()
        } else {
            family
        }
    };
    world.members.values().map(|member| (&member.id, name(member))).collect()
}

/// Who does what, for a list: "10月9日（金） 平日の夜 正 青木 先生".
pub(super) fn duty(voice: Voice, world: &RotaWorld, duty: &Assignment) -> String {
    format!("{} {}", seat(voice, world, &duty.slot, duty.role), person(voice, world, &duty.holder.person))
}

/// Which rule is broken, in words.
pub(super) fn rule(voice: Voice, rule: &Rule) -> String {
    crate::app::rota::say::rule(rule, voice.lang)
}

/// The rule, and the other duty where two do not go together.
pub(super) fn why(voice: Voice, violation: &Violation) -> String {
    let rule = rule(voice, &violation.rule);
    match &violation.other {
        Some(other) => {
            t_with(voice.lang, "rota-why-other", &[("rule", &rule), ("day", &day(voice, other.day))])
        }
        None => rule,
    }
}

/// Who, when, which rule.
pub(super) fn violation(voice: Voice, world: &RotaWorld, violation: &Violation) -> String {
    let who: Vec<String> = violation.people.iter().map(|id| person(voice, world, id)).collect();
    let who = who.join("・");
    let why = why(voice, violation);
    match (&violation.slot, violation.role) {
        (Some(key), Some(role)) => {
            let seat = seat(voice, world, key, role);
            t_with(voice.lang, "rota-violation", &[("seat", &seat), ("who", &who), ("why", &why)])
        }
        (Some(key), None) => {
            let seat = format!("{} {}", day(voice, key.day), kind(world.book(), key));
            t_with(voice.lang, "rota-violation", &[("seat", &seat), ("who", &who), ("why", &why)])
        }
        (None, _) => t_with(voice.lang, "rota-violation-person", &[("who", &who), ("why", &why)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_said_as_short_as_they_are() {
        for (hundredths, said) in
            [(0, "0"), (100, "1"), (150, "1.5"), (125, "1.25"), (5, "0.05"), (-75, "-0.75"), (-200, "-2")]
        {
            assert_eq!(points(Points(hundredths)), said);
        }
    }
}
