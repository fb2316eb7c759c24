//! The rota in words: roles, gaps, breaches of the rules, duties with their hours.

use super::RotaWorld;
use super::gap_code;
use crate::app::say;
use crate::domain::rota::{Gap, Refused, RotaRole, Rule, Violation};
use crate::i18n::{Lang, t, t_with};
use crate::time::Window;

/// 正, 副, 控え.
#[must_use]
pub fn role(role: RotaRole, lang: Lang) -> String {
    t(lang, &format!("word-rota-role-{}", role.code()))
}

/// Why nobody is on.
#[must_use]
pub fn gap(gap: &Gap, lang: Lang) -> String {
    t(lang, &format!("word-rota-gap-{}", gap_code(gap)))
}

/// `11月21日（土）18時〜22日（日）8時`.
#[must_use]
pub fn hours(window: Window, zone: chrono_tz::Tz, lang: Lang) -> String {
    let dash = match lang {
        Lang::Ja => "〜",
        Lang::En => " – ",
    };
    let from = say::moment(window.from, zone, lang);
    let same_day = crate::domain::calendar::civil_day(window.from, zone)
        == crate::domain::calendar::civil_day(window.to, zone);
    let to = if same_day {
        say::time(window.to, zone, lang)
    } else {
        say::short(window.to, crate::time::Millis(i64::MIN), zone, lang)
    };
    format!("{from}{dash}{to}")
}

/// The rule that is broken.
#[must_use]
pub fn rule(rule: &Rule, lang: Lang) -> String {
    let (has, needed, what) = match rule {
        Rule::RestHours { hours, needed } => (hours.to_string(), needed.to_string(), String::new()),
        Rule::RestNights { nights, needed } => (nights.to_string(), needed.to_string(), String::new()),
        Rule::WeekCap { most, .. }
        | Rule::MonthCap { most, .. }
        | Rule::KindCap { most, .. }
        | Rule::InstitutionWeek { most, .. }
        | Rule::InstitutionMonth { most, .. } => (String::new(), most.to_string(), String::new()),
        Rule::WishedOff { weight } | Rule::WishedOn { weight } => {
            (String::new(), weight.to_string(), String::new())
        }
        Rule::Qualification { needs } | Rule::NobodyQualified { needs } => {
            (String::new(), String::new(), needs.as_str().to_owned())
        }
        _ => Default::default(),
    };
    let values = [("has", has.as_str()), ("needed", needed.as_str()), ("what", what.as_str())];
    t_with(lang, &format!("word-rota-rule-{}", rule.code()), &values)
}

/// Who breaks which rule when, in one line.
#[must_use]
pub fn violation(violation: &Violation, world: &RotaWorld, lang: Lang) -> String {
    let people: Vec<&str> = violation.people.iter().map(|person| world.name(person)).collect();
    let when = violation.window.map(|window| say::moment(window.from, world.zone(), lang));
    let role = violation.role.map(|r| self::role(r, lang));
    let place: Vec<String> = when.into_iter().chain(role).collect();
    let comma = match lang {
        Lang::Ja => "・",
        Lang::En => ", ",
    };
    let head: Vec<String> =
        [place.join(" "), people.join(comma)].into_iter().filter(|s| !s.is_empty()).collect();
    format!("{}: {}", head.join(" "), rule(&violation.rule, lang))
}

/// Why a rota cannot be published, in one line.
#[must_use]
pub fn refused(refused: &Refused, world: &RotaWorld, lang: Lang) -> String {
    let (code, duty) = match refused {
        Refused::Overlap { second, .. } => ("overlap", second),
        Refused::OutsideThePeriod { duty } => ("outside_the_period", duty),
        Refused::NoTime { duty } => ("no_time", duty),
    };
    let when = say::moment(duty.window.from, world.zone(), lang);
    let role = self::role(duty.role, lang);
    let words = t(lang, &format!("word-rota-refused-{code}"));
    format!("{when} {role} {}: {words}", world.name(&duty.holder.person))
}
