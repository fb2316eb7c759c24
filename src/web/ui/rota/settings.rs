//! What the rota is judged by: areas, rules, targets, how duties change hands; and the slot patterns as their text.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;

use super::super::caller::Caller;
use super::super::directory::{line, part, say_wrong, select, text, tick};
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::views::Choice;
use super::super::views::directory::Input;
use super::super::views::render;
use super::super::views::rota::{RotaSettingsPage, SlotsPage};
use super::{ROTA, enter, said, voice};
use crate::app::AppError;
use crate::app::directory::DirectoryView;
use crate::app::rota::settings::SlotsRefused;
use crate::app::rota::world::BUILT_IN_SLOTS;
use crate::app::rows::Member;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::ledger::Code;
use crate::domain::people::rights::Right;
use crate::domain::rota::paper::OnDaysOff;
use crate::domain::rota::settings::HOLES_AHEAD_MAX;
use crate::domain::rota::wishes::WEIGHT_MAX;
use crate::domain::rota::{Apart, BlockRule, PersonSetting, Reminders, RotaArea, RotaRole, RotaSettings};
use crate::i18n::{Lang, t, t_with};
use crate::ids::{InstitutionId, MemberId};

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

/// A member as lines of this page call them: the name, with the institution beside it where several have that name.
fn called(member: &Member, directory: &DirectoryView) -> String {
    if directory.members.iter().filter(|m| m.name == member.name).count() < 2 {
        return member.name.clone();
    }
    let institution = member.institution.as_ref().and_then(|id| directory.institution(id));
    format!("{}（{}）", member.name, institution.map_or("", |i| i.name.as_str()))
}

/// Whom a line calls so; `None`: nobody, or several.
fn meant<'a>(name: &str, directory: &'a DirectoryView) -> Option<&'a MemberId> {
    let mut found = directory.members.iter().filter(|m| called(m, directory) == name);
    found.next().filter(|_| found.next().is_none()).map(|m| &m.id)
}

fn name_of(id: &MemberId, directory: &DirectoryView) -> String {
    directory.members.iter().find(|m| m.id == *id).map_or_else(|| id.to_string(), |m| called(m, directory))
}

fn needs_text(settings: &RotaSettings, lang: Lang) -> String {
    let line = |(role, codes): (&RotaRole, &BTreeSet<Code>)| {
        let codes: Vec<&str> = codes.iter().map(Code::as_str).collect();
        format!("{}, {}", role_word(*role, lang), codes.join(", "))
    };
    settings.rules.qualifications.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn qualified_text(settings: &RotaSettings, directory: &DirectoryView) -> String {
    let with = settings.people.iter().filter(|(_, person)| !person.qualifications.is_empty());
    let line = |(id, person): (&MemberId, &PersonSetting)| {
        let codes: Vec<&str> = person.qualifications.iter().map(Code::as_str).collect();
        format!("{}, {}", name_of(id, directory), codes.join(", "))
    };
    with.map(line).collect::<Vec<_>>().join("\n")
}

fn apart_text(settings: &RotaSettings, directory: &DirectoryView) -> String {
    let line = |apart: &Apart| {
        let weight = apart.weight.map(|weight| format!(", {weight}")).unwrap_or_default();
        format!("{}, {}{weight}", name_of(&apart.a, directory), name_of(&apart.b, directory))
    };
    settings.rules.apart.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn role_word(role: RotaRole, lang: Lang) -> String {
    t(lang, &format!("word-rota-role-{}", role.code()))
}

/// A role by its word in either language, or its code.
fn role_of(text: &str) -> Option<RotaRole> {
    let is = |role: &RotaRole| {
        role.code() == text || [Lang::Ja, Lang::En].iter().any(|lang| role_word(*role, *lang) == text)
    };
    RotaRole::ALL.into_iter().find(is)
}

/// The form as it is filled in: what was typed, or what is set.
fn known(settings: &RotaSettings, directory: &DirectoryView, lang: Lang) -> Fields {
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
        ("needs", needs_text(settings, lang)),
        ("qualified", qualified_text(settings, directory)),
        ("apart", apart_text(settings, directory)),
        ("remind_eve", settings.reminders.day_before_min.map(time_of_day).unwrap_or_default()),
        ("remind_start", most(settings.reminders.before_start_min)),
        ("holes_at", time_of_day(settings.holes.at_min)),
        ("holes_days", settings.holes.days_ahead.to_string()),
        ("city_day", settings.city.day.to_string()),
        ("city_months", settings.city.months_before.to_string()),
        ("city_off", off_code(settings.city.on_days_off).to_owned()),
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
        text(caller, "needs", "rset-needs", typed.get("needs"), 3),
        text(caller, "qualified", "rset-qualified", typed.get("qualified"), 4),
        text(caller, "apart", "rset-apart", typed.get("apart"), 3),
        part(caller, "rset-turns-part"),
        text(caller, "targets", "rset-targets", typed.get("targets"), 4),
        part(caller, "rset-swaps-part"),
        tick(caller, "coordinator", "rset-coordinator", typed.is_ticked("coordinator")),
        number("phone_within_h", "rset-phone"),
        part(caller, "rset-wishes-part"),
        line(caller, "wish_days", "rset-wish-days", typed.get("wish_days"), "text"),
        part(caller, "rset-reminders-part"),
        line(caller, "remind_eve", "rset-remind-eve", typed.get("remind_eve"), "text"),
        number("remind_start", "rset-remind-start"),
        part(caller, "rset-holes-part"),
        line(caller, "holes_at", "rset-holes-at", typed.get("holes_at"), "text"),
        number("holes_days", "rset-holes-days"),
        part(caller, "rset-city-part"),
        number("city_day", "rset-city-day"),
        number("city_months", "rset-city-months"),
        select(caller, "city_off", "rset-city-off", off_choices(caller.lang, typed.get("city_off"))),
    ]
}

const DAYS_OFF: [OnDaysOff; 3] = [OnDaysOff::Stays, OnDaysOff::Earlier, OnDaysOff::Later];

const fn off_code(rule: OnDaysOff) -> &'static str {
    match rule {
        OnDaysOff::Stays => "stays",
        OnDaysOff::Earlier => "earlier",
        OnDaysOff::Later => "later",
    }
}

fn off_choices(lang: Lang, chosen: &str) -> Vec<Choice> {
    let choice = |rule: OnDaysOff| {
        let code = off_code(rule);
        Choice {
            value: code.to_owned(),
            label: t(lang, &format!("rset-city-off-{code}")),
            note: None,
            chosen: code == chosen,
        }
    };
    DAYS_OFF.into_iter().map(choice).collect()
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
    people_of(typed, directory, &mut settings, &mut wrong);
    days_of(typed, &mut settings, &mut wrong);
    if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
}

/// Qualifications and people who are not to be on together. What else is set for a person stays, and what the form
/// does not say at all.
fn people_of(
    typed: &Fields,
    directory: &DirectoryView,
    settings: &mut RotaSettings,
    wrong: &mut Vec<FieldWrong>,
) {
    let codes = |parts: &[&str]| {
        parts.iter().map(|part| part.parse::<Code>().ok()).collect::<Option<BTreeSet<Code>>>()
    };
    let mut needs = BTreeMap::new();
    for parts in lines(typed.get("needs")) {
        let read = parts.split_first().and_then(|(role, rest)| role_of(role).zip(codes(rest)));
        match read {
            Some((role, codes)) if !codes.is_empty() => drop(needs.insert(role, codes)),
            _ => wrong.push(FieldWrong { field: "needs", wrong: Wrong::NotText }),
        }
    }
    if typed.has("needs") {
        settings.rules.qualifications = needs;
    }
    let mut qualified = BTreeMap::new();
    for parts in lines(typed.get("qualified")) {
        let Some((name, rest)) = parts.split_first() else { continue };
        match (meant(name, directory), codes(rest)) {
            (Some(id), Some(codes)) if !codes.is_empty() => drop(qualified.insert(id.clone(), codes)),
            (None, _) => wrong.push(FieldWrong { field: "qualified", wrong: Wrong::Unknown }),
            _ => wrong.push(FieldWrong { field: "qualified", wrong: Wrong::NotText }),
        }
    }
    if typed.has("qualified") {
        settings.people.values_mut().for_each(|person| person.qualifications.clear());
    }
    for (id, codes) in qualified {
        settings.people.entry(id).or_default().qualifications = codes;
    }
    settings.people.retain(|_, person| *person != PersonSetting::default());
    let mut apart = Vec::new();
    for parts in lines(typed.get("apart")) {
        let (a, b, weight) = match parts.as_slice() {
            [a, b] => (a, b, Some(None)),
            [a, b, weight] => {
                (a, b, narrow(weight).parse().ok().filter(|n| (1..=WEIGHT_MAX).contains(n)).map(Some))
            }
            _ => {
                wrong.push(FieldWrong { field: "apart", wrong: Wrong::NotText });
                continue;
            }
        };
        match (meant(a, directory), meant(b, directory), weight) {
            (Some(a), Some(b), Some(weight)) if a != b => {
                apart.push(Apart { a: a.clone(), b: b.clone(), weight });
            }
            (Some(_), Some(_), _) => wrong.push(FieldWrong { field: "apart", wrong: Wrong::OutOfRange }),
            _ => wrong.push(FieldWrong { field: "apart", wrong: Wrong::Unknown }),
        }
    }
    if typed.has("apart") {
        settings.rules.apart = apart;
    }
}

/// Reminders, the daily mail about holes, and by when the municipality wants its list.
fn days_of(typed: &Fields, settings: &mut RotaSettings, wrong: &mut Vec<FieldWrong>) {
    let mut out = |field: &'static str| wrong.push(FieldWrong { field, wrong: Wrong::OutOfRange });
    if typed.has("remind_eve") || typed.has("remind_start") {
        match read_reminders(typed.get("remind_eve"), typed.get("remind_start")) {
            Ok(reminders) => settings.reminders = reminders,
            Err(field) => out(field),
        }
    }
    if typed.has("holes_at") {
        match minute_of_day(typed.get("holes_at")) {
            Some(at_min) => settings.holes.at_min = at_min,
            None => out("holes_at"),
        }
    }
    let mut within = |field: &'static str, from: u32, to: u32| {
        if !typed.has(field) {
            return None;
        }
        let number = narrow(typed.get(field)).parse::<u32>().ok().filter(|n| (from..=to).contains(n));
        if number.is_none() {
            out(field);
        }
        number
    };
    if let Some(days) = within("holes_days", 0, HOLES_AHEAD_MAX) {
        settings.holes.days_ahead = days;
    }
    if let Some(day) = within("city_day", 1, 31) {
        settings.city.day = day;
    }
    if let Some(months) = within("city_months", 0, 12) {
        settings.city.months_before = months;
    }
    if typed.has("city_off") {
        match DAYS_OFF.into_iter().find(|rule| off_code(*rule) == typed.get("city_off")) {
            Some(rule) => settings.city.on_days_off = rule,
            None => out("city_off"),
        }
    }
}

/// A time of day as it is typed and shown: 18:00.
pub(in crate::web::ui) fn time_of_day(minute: u32) -> String {
    format!("{}:{:02}", minute / 60, minute % 60)
}

/// The minute of the day that was typed, whatever the width of its digits.
fn minute_of_day(text: &str) -> Option<u32> {
    let text = narrow(text);
    let (hour, minute) = text.split_once([':', '：'])?;
    let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// The times of reminders that were typed; an empty field is none.
///
/// # Errors
/// The field that cannot be read.
pub(in crate::web::ui) fn read_reminders(eve: &str, start: &str) -> Result<Reminders, &'static str> {
    let day_before_min = match narrow(eve).as_str() {
        "" => None,
        time => Some(minute_of_day(time).ok_or("remind_eve")?),
    };
    let before_start_min = match narrow(start).as_str() {
        "" => None,
        minutes => {
            let minutes = minutes.parse::<u32>().ok().filter(|n| *n <= Reminders::BEFORE_START_MAX);
            Some(minutes.ok_or("remind_start")?)
        }
    };
    Ok(Reminders { day_before_min, before_start_min })
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
    Ok(page(&caller, version, &known(&settings, &directory, caller.lang), &[], None))
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
