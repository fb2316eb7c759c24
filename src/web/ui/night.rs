//! What the office sets for its night number: the number, who is recognised by line or code, whose own physicians
//! are rung first.

use axum::response::Response;

use crate::app::AppError;
use crate::app::call::settings::{CallSettings, InstitutionCalls, Pillar};
use crate::domain::call::number::{Number, Reading, read};
use crate::domain::cover::households::Contract;
use crate::domain::people::rights::Right;
use crate::i18n::t;
use crate::ids::InstitutionId;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::calls::{NightInstitution, NightPillar, NightSettings};
use super::views::{Choice, Choices, Field, render};

pages! {
    get "/settings/calls" => settings;
    post "/settings/calls" => change;
}

const SETTINGS: Binding<'static> = Binding::Page("settings");
/// The pillars that the shipped plan rings, in its order.
const PILLARS: [&str; 2] = ["home_care", "visits"];
/// The largest limits that can be set.
const LIMIT_MAX: u32 = 200;
const MINUTES_MAX: u32 = 100_000;
/// Institutions a page shows.
const EVERYWHERE: i64 = 1_000;

fn shown(numbers: &[Number]) -> String {
    numbers.iter().map(Number::shown).collect::<Vec<_>>().join(" ")
}

/// Numbers between blanks, commas or line ends; `None` where one of them is no number.
fn numbers(text: &str) -> Option<Vec<Number>> {
    let one = |word: &str| match read(word) {
        Reading::Number(number) => Some(number),
        _ => None,
    };
    text.split([' ', '\u{3000}', ',', '、', '\n']).filter(|word| !word.trim().is_empty()).map(one).collect()
}

/// Words between blanks or commas.
fn words(text: &str) -> Vec<String> {
    let parted = text.split([' ', '\u{3000}', ',', '、']);
    parted.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// `08:00` as a minute of the day.
fn minute(clock: &str) -> Option<u16> {
    let (hour, minute) = clock.trim().split_once(':')?;
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `18:00-08:00` as minutes of the day; nothing typed: always. `None`: it cannot be read.
fn hours(text: &str) -> Option<(u16, u16)> {
    let text = narrow(text);
    if text.trim().is_empty() {
        return Some((0, 0));
    }
    let (from, to) = text.split_once(['-', '~', '〜', '–'])?;
    Some((minute(from)?, minute(to)?))
}

fn hours_shown(pillar: &Pillar) -> String {
    if pillar.from_min == pillar.to_min {
        return String::new();
    }
    format!("{}-{}", clock(pillar.from_min), clock(pillar.to_min))
}

/// `GET /settings/calls`
pub(super) async fn settings(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Settings)?;
    let (revision, settings) = caller.web.app.call_settings(&person.association.id).await?;
    let numbers = Field { value: shown(&settings.numbers), problem: None };
    page(&caller, revision, &settings, numbers, None).await
}

async fn page(
    caller: &Caller,
    revision: i64,
    settings: &CallSettings,
    numbers: Field,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    let all = caller.web.app.institutions(&person.association.id, "", EVERYWHERE).await?;
    let choice = |name: &str, id: &InstitutionId| Choice {
        value: name.to_owned(),
        label: t(caller.lang, &format!("night-pillar-{name}")),
        note: None,
        chosen: settings.pillars.get(name).is_some_and(|p| p.institutions.contains(id)),
    };
    let pillar = |name: &&str| {
        let set = settings.pillars.get(*name).cloned().unwrap_or_default();
        NightPillar {
            name: (*name).to_owned(),
            title: t(caller.lang, &format!("night-pillar-{name}")),
            on: set.on,
            hours: hours_shown(&set),
            areas: set.areas.join(" "),
            from: set.contract.from.map(|day| day.to_string()).unwrap_or_default(),
            until: set.contract.until.map(|day| day.to_string()).unwrap_or_default(),
        }
    };
    let number = |n: u32| Field { value: n.to_string(), problem: None };
    let row = |institution: crate::app::rows::Institution| {
        let set = settings.institutions.get(&institution.id).cloned().unwrap_or_default();
        NightInstitution {
            id: institution.id.to_string(),
            clinic: is_clinic(&institution.kind),
            name: institution.name,
            code: set.code,
            lines: shown(&set.lines),
            forwarded: set.forwarded.map(|n| n.shown()).unwrap_or_default(),
            own_line: set.own_line,
            pillar: Choices {
                options: PILLARS.iter().map(|name| choice(name, &institution.id)).collect(),
                problem: None,
            },
        }
    };
    let view = NightSettings {
        shell: caller.shell_at(SETTINGS, "/settings/calls"),
        revision,
        numbers,
        problem,
        together: settings.together,
        pillars: PILLARS.iter().map(pillar).collect(),
        per_line: number(settings.limits.calls_per_line_hour),
        hidden: number(settings.limits.hidden_per_hour),
        in_use: number(settings.limits.lines_in_use),
        minutes: settings.limits.minutes_per_month.map_or_else(Field::default, number),
        report_by: Field { value: clock(settings.report_by()), problem: None },
        institutions: all.into_iter().filter(|i| i.closed.is_none()).map(row).collect(),
    };
    Ok(caller.page(render(&view), false))
}

fn is_clinic(kind: &str) -> bool {
    matches!(kind, "clinic" | "home_care_clinic")
}

/// `POST /settings/calls`
pub(super) async fn change(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    fields.check(&caller, SETTINGS)?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let association = &person.association.id;
    let (_, mut settings) = caller.web.app.call_settings(association).await?;
    let typed = Field { value: fields.text("numbers"), problem: None };
    let say = |key: &str| Some(t(caller.lang, key));
    let Some(own) = numbers(&typed.value) else {
        let wrong = Field { problem: say("night-wrong-number"), ..typed };
        return page(&caller, revision, &settings, wrong, None).await;
    };
    settings.numbers = own;
    settings.together = fields.is_ticked("together");
    for name in PILLARS {
        let set = settings.pillars.entry(name.to_owned()).or_default();
        set.on = fields.is_ticked(&format!("on_{name}"));
        set.areas = words(&fields.text(&format!("areas_{name}")));
        set.institutions.clear();
        let day = |field: &str| {
            let typed = narrow(fields.get(&format!("{field}_{name}")));
            match typed.trim() {
                "" => Some(None),
                typed => typed.parse().ok().map(Some),
            }
        };
        let (Some(from), Some(until)) = (day("from"), day("until")) else {
            return page(&caller, revision, &settings, typed, say("night-wrong-contract")).await;
        };
        set.contract = Contract { from, until };
        let Some((from, to)) = hours(&fields.text(&format!("hours_{name}"))) else {
            return page(&caller, revision, &settings, typed, say("night-wrong-hours")).await;
        };
        (set.from_min, set.to_min) = (from, to);
    }
    let Some(by) = minute(&narrow(fields.get("report_by"))) else {
        return page(&caller, revision, &settings, typed, say("night-wrong-clock")).await;
    };
    settings.report_by_min = Some(by);
    let limit = |name: &str, from: u32, most: u32| {
        narrow(fields.get(name)).parse::<u32>().ok().filter(|n| (from..=most).contains(n))
    };
    let ceiling = match narrow(fields.get("month_minutes")).as_str() {
        "" => Some(None),
        _ => limit("month_minutes", 1, MINUTES_MAX).map(Some),
    };
    let (Some(per_line), Some(hidden), Some(in_use), Some(ceiling)) = (
        limit("per_line", 1, LIMIT_MAX),
        limit("hidden", 0, LIMIT_MAX),
        limit("in_use", 1, LIMIT_MAX),
        ceiling,
    ) else {
        return page(&caller, revision, &settings, typed, say("night-wrong-limit")).await;
    };
    settings.limits.calls_per_line_hour = per_line;
    settings.limits.hidden_per_hour = hidden;
    settings.limits.lines_in_use = in_use;
    settings.limits.minutes_per_month = ceiling;
    let mut unreadable = false;
    for institution in caller.web.app.institutions(association, "", EVERYWHERE).await? {
        let field = |name: &str| format!("{name}_{}", institution.id);
        let forwarded = numbers(&fields.text(&field("forwarded")));
        let lines = numbers(&fields.text(&field("lines")));
        if let Some(pillar) = settings.pillars.get_mut(fields.get(&field("pillar"))) {
            pillar.institutions.push(institution.id.clone());
        }
        unreadable |= forwarded.is_none() || lines.is_none();
        let set = InstitutionCalls {
            code: narrow(fields.get(&field("code"))),
            lines: lines.unwrap_or_default(),
            forwarded: forwarded.unwrap_or_default().into_iter().next(),
            own_line: fields.is_ticked(&field("own")),
        };
        if set == InstitutionCalls::default() {
            settings.institutions.remove(&institution.id);
        } else {
            settings.institutions.insert(institution.id.clone(), set);
        }
    }
    if unreadable {
        return page(&caller, revision, &settings, typed, say("night-wrong-number")).await;
    }
    match caller.web.app.call_settings_put(&person.who(), revision, settings.clone()).await {
        Ok(()) => Ok(caller.go_and_say("/settings", "saved")),
        Err(AppError::Invalid(wrong)) if wrong.iter().any(|w| w.field == "contract") => {
            page(&caller, revision, &settings, typed, say("night-wrong-contract")).await
        }
        Err(AppError::Invalid(_)) => page(&caller, revision, &settings, typed, say("night-wrong-code")).await,
        Err(e) => Err(Failure::from(e).back_to("/settings/calls")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_nonsense_is_not_dropped() {
        let read = numbers("042-000-0099、０９０－００００－０００１").unwrap();
        assert_eq!(shown(&read), "0420000099 09000000001");
        assert_eq!(numbers(""), Some(Vec::new()));
        assert_eq!(numbers("042-000-0099 office"), None);
        assert_eq!(hours("１８:００-8:00"), Some((1_080, 480)));
        assert_eq!(hours(""), Some((0, 0)));
        for wrong in ["18-8", "25:00-08:00", "18:00-", "18:60-08:00"] {
            assert_eq!(hours(wrong), None, "{wrong}");
        }
        let pillar = Pillar { from_min: 1_080, to_min: 480, ..Pillar::default() };
        assert_eq!(hours(&hours_shown(&pillar)), Some((1_080, 480)));
    }
}
