//! What the rota is judged by: areas, rules, targets, how duties change hands; and the slot patterns as their text.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;

use super::super::caller::Caller;
use super::super::directory::{line, part, say_wrong, text, tick};
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::views::directory::Input;
use super::super::views::render;
use super::super::views::rota::{RotaSettingsPage, SlotsPage};
use super::{ROTA, enter, said, voice};
use crate::app::AppError;
use crate::app::directory::DirectoryView;
use crate::app::rota::settings::SlotsRefused;
use crate::app::rota::world::BUILT_IN_SLOTS;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::people::rights::Right;
use crate::domain::rota::{BlockRule, RotaArea, RotaSettings};
use crate::i18n::{t, t_with};
use crate::ids::InstitutionId;

/// The numbers of the rules that may be left empty.
const CAPS: [&str; 4] = ["max_per_week", "max_per_month", "institution_per_week", "institution_per_month"];

fn areas_text(settings: &RotaSettings, directory: &DirectoryView) -> String {
    let line = |area: &RotaArea| {
        let group = area.group.as_ref().and_then(|id| directory.groups.iter().find(|g| g.id == *id));
        match group {
            Some(group) => format!("{}, {}, {}", area.key, area.name, group.name),
            None => format!("{}, {}", area.key, area.name),
        }
    };
    settings.areas.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn targets_text(settings: &RotaSettings, directory: &DirectoryView) -> String {
    let name = |id: &InstitutionId| {
        directory.institution(id).map_or_else(|| id.to_string(), |institution| institution.name.clone())
    };
    let lines = settings.turn_targets.iter().map(|(id, target)| format!("{}, {target}", name(id)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The form as it is filled in: what was typed, or what is set.
fn known(settings: &RotaSettings, directory: &DirectoryView) -> Fields {
    let rules = &settings.rules;
    let most = |most: Option<u32>| most.map(|n| n.to_string()).unwrap_or_default();
    let ticked = |is: bool| if is { "yes".to_owned() } else { String::new() };
    let days: Vec<String> = settings.wish_reminder_days.iter().rev().map(u32::to_string).collect();
    let pairs = [
        ("areas", areas_text(settings, directory)),
        ("different", ticked(rules.different_institutions)),
        ("rest_h", rules.rest_h.to_string()),
        ("rest_nights", rules.rest_nights.to_string()),
        ("max_per_week", most(rules.max_per_week)),
        ("max_per_month", most(rules.max_per_month)),
        ("institution_per_week", most(rules.institution_per_week)),
        ("institution_per_month", most(rules.institution_per_month)),
        ("block_days", most(rules.block.map(|block| block.min_days))),
        ("block_same", ticked(rules.block.is_some_and(|block| block.same_people))),
        ("targets", targets_text(settings, directory)),
        ("coordinator", ticked(settings.swaps.coordinator_agrees)),
        ("phone_within_h", settings.swaps.phone_within_h.to_string()),
        ("wish_days", days.join(", ")),
    ];
    Fields::of(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn inputs(caller: &Caller, typed: &Fields) -> Vec<Input> {
    let number = |id: &'static str, key: &str| line(caller, id, key, typed.get(id), "numeric");
    vec![
        part(caller, "rset-areas-part"),
        text(caller, "areas", "rset-areas", typed.get("areas"), 4),
        part(caller, "rset-rules-part"),
        tick(caller, "different", "rset-different", typed.is_ticked("different")),
        number("rest_h", "rset-rest-h"),
        number("rest_nights", "rset-rest-nights"),
        number("max_per_week", "rset-max-week"),
        number("max_per_month", "rset-max-month"),
        number("institution_per_week", "rset-institution-week"),
        number("institution_per_month", "rset-institution-month"),
        number("block_days", "rset-block"),
        tick(caller, "block_same", "rset-block-same", typed.is_ticked("block_same")),
        part(caller, "rset-turns-part"),
        text(caller, "targets", "rset-targets", typed.get("targets"), 4),
        part(caller, "rset-swaps-part"),
        tick(caller, "coordinator", "rset-coordinator", typed.is_ticked("coordinator")),
        number("phone_within_h", "rset-phone"),
        part(caller, "rset-wishes-part"),
        line(caller, "wish_days", "rset-wish-days", typed.get("wish_days"), "text"),
    ]
}

/// The parts of a line, however the comma was typed.
fn parts(line: &str) -> Vec<&str> {
    line.split([',', '、', '，']).map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(parts).filter(|parts| !parts.is_empty())
}

/// What was typed, laid over what is set; what has no field here stays.
fn read(
    typed: &Fields,
    before: &RotaSettings,
    directory: &DirectoryView,
) -> Result<RotaSettings, Vec<FieldWrong>> {
    let mut settings = before.clone();
    let mut wrong: Vec<FieldWrong> = Vec::new();
    let mut areas = Vec::new();
    for parts in lines(typed.get("areas")) {
        let (key, name, group) = match parts.as_slice() {
            [key, name] => (*key, *name, None),
            [key, name, group] => (*key, *name, Some(*group)),
            _ => {
                wrong.push(FieldWrong { field: "areas", wrong: Wrong::NotText });
                continue;
            }
        };
        let group = match group {
            None => None,
            Some(name) => match directory.groups.iter().find(|g| g.name == name) {
                Some(group) => Some(group.id.clone()),
                None => {
                    wrong.push(FieldWrong { field: "areas", wrong: Wrong::Unknown });
                    continue;
                }
            },
        };
        match key.parse() {
            Ok(key) => areas.push(RotaArea { key, name: name.to_owned(), group }),
            Err(_) => wrong.push(FieldWrong { field: "areas", wrong: Wrong::NotText }),
        }
    }
    settings.areas = areas;
    let mut number = |field: &'static str| {
        let text = narrow(typed.get(field));
        if text.is_empty() {
            return None;
        }
        let number = text.parse::<u32>().ok().filter(|n| *n <= 9_999);
        if number.is_none() {
            wrong.push(FieldWrong { field, wrong: Wrong::OutOfRange });
        }
        number
    };
    settings.rules.different_institutions = typed.is_ticked("different");
    settings.rules.rest_h = number("rest_h").unwrap_or_default();
    settings.rules.rest_nights = number("rest_nights").unwrap_or_default();
    let [week, month, institution_week, institution_month] = CAPS.map(&mut number);
    settings.rules.max_per_week = week;
    settings.rules.max_per_month = month;
    settings.rules.institution_per_week = institution_week;
    settings.rules.institution_per_month = institution_month;
    let same_people = typed.is_ticked("block_same");
    settings.rules.block =
        number("block_days").filter(|days| *days > 0).map(|min_days| BlockRule { min_days, same_people });
    settings.swaps.coordinator_agrees = typed.is_ticked("coordinator");
    settings.swaps.phone_within_h = number("phone_within_h").unwrap_or_default();
    let mut targets = BTreeMap::new();
    for parts in lines(typed.get("targets")) {
        let found = match parts.as_slice() {
            [name, target] => directory
                .institutions
                .iter()
                .find(|i| i.name == *name)
                .map(|i| i.id.clone())
                .zip(narrow(target).parse::<u32>().ok().filter(|n| *n <= 62)),
            _ => None,
        };
        match found {
            Some((id, target)) => {
                targets.insert(id, target);
            }
            None => wrong.push(FieldWrong { field: "targets", wrong: Wrong::Unknown }),
        }
    }
    settings.turn_targets = targets;
    let mut days = BTreeSet::new();
    for one in parts(typed.get("wish_days")) {
        match narrow(one).parse() {
            Ok(n) => {
                days.insert(n);
            }
            Err(_) => wrong.push(FieldWrong { field: "wish_days", wrong: Wrong::NotText }),
        }
    }
    settings.wish_reminder_days = days;
    if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
}

fn page(
    caller: &Caller,
    version: i64,
    typed: &Fields,
    wrong: &[FieldWrong],
    problem: Option<String>,
) -> Response {
    let mut inputs = inputs(caller, typed);
    let above = say_wrong(caller, &mut inputs, wrong);
    let view = RotaSettingsPage {
        shell: caller.shell_at(ROTA, "/rota/settings"),
        notice: said(caller),
        problem: problem.or(above),
        version,
        inputs,
        once: caller.once(),
    };
    caller.page(render(&view), caller.said().is_some())
}

/// `GET /rota/settings`
pub(in crate::web::ui) async fn show(caller: Caller) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let (app, home) = (&caller.web.app, &person.association.id);
    let (version, settings) = app.rota_settings(home).await?;
    let directory = app.directory(home).await?;
    Ok(page(&caller, version, &known(&settings, &directory), &[], None))
}

/// `POST /rota/settings`
pub(in crate::web::ui) async fn save(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    fields.check(&caller, ROTA)?;
    let key = fields.key("POST /rota/settings")?;
    let version = fields.number("version").ok_or(Failure::form_expired())?;
    let (app, home) = (&caller.web.app, &person.association.id);
    let (now, before) = app.rota_settings(home).await?;
    let directory = app.directory(home).await?;
    let settings = match read(&fields, &before, &directory) {
        Ok(settings) => settings,
        Err(wrong) => return Ok(page(&caller, version, &fields, &wrong, None)),
    };
    match app.rota_settings_put(&person.who(), version, settings, Some(&key)).await {
        Ok(_) => Ok(caller.go_and_say("/rota/settings", "settings")),
        Err(AppError::ChangedMeanwhile) => {
            // What was typed stays; sent again it counts over what the other one did.
            Ok(page(&caller, now, &fields, &[], Some(t(caller.lang, "rset-stale"))))
        }
        Err(AppError::Invalid(wrong)) => Ok(page(&caller, version, &fields, &wrong, None)),
        Err(e) => Err(e.into()),
    }
}

/// `GET /rota/settings/slots`
pub(in crate::web::ui) async fn slots(caller: Caller) -> Result<Response, Failure> {
    if let Err(instead) = enter(&caller, Right::Rota) {
        return *instead;
    }
    slots_page(&caller, None, Vec::new()).await
}

async fn slots_page(caller: &Caller, typed: Option<String>, wrong: Vec<String>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let voice = voice(caller);
    let books = caller.web.app.rota_slot_books(&person.association.id).await?;
    let newest = books.last();
    let edition = match newest {
        None => t(voice.lang, "slots-built-in"),
        Some(book) => {
            let values = [("n", book.version.to_string()), ("at", voice.moment(book.recorded_at))];
            t_with(voice.lang, "slots-edition", &[("n", &values[0].1), ("at", &values[1].1)])
        }
    };
    let body = typed.or_else(|| newest.map(|book| book.body.clone()));
    let view = SlotsPage {
        shell: caller.shell_at(ROTA, "/rota/settings/slots"),
        notice: said(caller),
        edition,
        body: body.unwrap_or_else(|| BUILT_IN_SLOTS.to_owned()),
        wrong,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), caller.said().is_some()))
}

/// `POST /rota/settings/slots`: new slot patterns; what was published keeps its hours.
pub(in crate::web::ui) async fn save_slots(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    fields.check(&caller, ROTA)?;
    let key = fields.key("POST /rota/settings/slots")?;
    let body = fields.text("body");
    let put = caller.web.app.rota_slot_book_put(&person.who(), ("slots.toml", &body), None, Some(&key)).await;
    match put {
        Ok(_) => Ok(caller.go_and_say("/rota/settings/slots", "slots")),
        Err(SlotsRefused::Wrong(errors)) => {
            let line = |error: &crate::domain::rota::SlotFileError| {
                let (line, what) = (error.line.to_string(), error.problem.clone());
                t_with(caller.lang, "slots-wrong-line", &[("line", &line), ("what", &what)])
            };
            let wrong = errors.0.iter().map(line).collect();
            slots_page(&caller, Some(body), wrong).await
        }
        Err(SlotsRefused::App(AppError::Invalid(_))) => {
            slots_page(&caller, Some(body), vec![t(caller.lang, "slots-too-long")]).await
        }
        Err(SlotsRefused::App(e)) => Err(e.into()),
    }
}
