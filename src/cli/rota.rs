//! `touban who` and `touban rota`: who is on, and the rota as files, checked, filled and published from the shell.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use serde_json::json;

use super::rota_args::{
    RotaCheckArgs, RotaCommand, RotaExportArgs, RotaFillArgs, RotaImportArgs, RotaPublishArgs, WhoArgs,
};
use super::stop::{Stop, in_words};
use super::{admin, rota_files};
use crate::app::rota::file::{FileRead, RotaFile};
use crate::app::rota::publish::{Breaches, Published};
use crate::app::rota::settings::SlotsRefused;
use crate::app::rota::{OnDuty, RotaWorld, duties_within, gap_code, say};
use crate::app::{App, AppError};
use crate::domain::calendar::{civil_day, start_of_day};
use crate::domain::rota::{Area, Clash, Hole, Part, PlainFill, RotaRole, Setting, Violation, check, clashes};
use crate::i18n::Lang;
use crate::ids::{AssociationId, RotaDraftId};
use crate::store::people::Association;
use crate::time::{Millis, Window};

/// The largest file that is read in: a decade of a large association.
const FILE_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Days that are checked when nothing is said.
const CHECK_DAYS: i64 = 90;

pub async fn run(command: RotaCommand, lang: Lang) -> Result<(), Stop> {
    match command {
        RotaCommand::Import(arg) if rota_files::is_sheet(&arg.rota_file) => {
            rota_files::import(arg, lang).await
        }
        RotaCommand::Import(arg) => import(arg, lang).await,
        RotaCommand::Export(arg) if arg.format != "json" => rota_files::export(arg, lang).await,
        RotaCommand::Export(arg) => export(arg, lang).await,
        RotaCommand::Check(arg) => look(arg, lang).await,
        RotaCommand::Publish(arg) => publish(arg, lang).await,
        RotaCommand::Fill(arg) => fill(arg, lang).await,
    }
}

/// Who is on: one line for each area and role.
pub async fn who(arg: WhoArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, _) = admin::at(&arg.at, lang).await?;
    let moment = arg.moment.unwrap_or_else(|| app.now());
    let world = app.rota_world(&home.id).await?;
    if let Some(area) = arg.duty_area.as_ref().filter(|area| world.settings.area(area).is_none()) {
        return Err(Stop::usage(
            lang,
            format!("{area} という地区はありません"),
            format!("there is no area {area}"),
        ));
    }
    let found =
        found(&app, &world, (moment, arg.as_of), arg.duty_area.as_ref(), arg.duty_role.as_ref()).await?;
    app.db.close().await;
    if arg.at.report.json {
        println!("{}", who_said(&found, &world, moment, arg.as_of));
        return Ok(());
    }
    for on in &found {
        let until = on.next.as_ref().map_or_else(String::new, |next| {
            let at = crate::app::say::moment(next.window.from, home.zone, lang);
            in_words(lang, format!("（{at}まで）"), format!(" (until {at})"))
        });
        println!(
            "{} {}: {}{until}",
            world.area_name(&on.area),
            say::role(on.role, lang),
            people(&on.now, &world, lang)
        );
    }
    Ok(())
}

/// Who is on in an area or all of them, in a role or those that the association has.
async fn found(
    app: &App,
    world: &RotaWorld,
    (moment, as_of): (Millis, Option<Millis>),
    area: Option<&Area>,
    role: Option<&RotaRole>,
) -> Result<Vec<OnDuty>, AppError> {
    let timeline = app.rota_laid(&world.home.id, moment).await?.as_of(as_of);
    let areas =
        world.settings.areas.iter().map(|each| &each.key).filter(|key| area.is_none_or(|a| a == *key));
    let mut found = Vec::new();
    for area in areas {
        for each in RotaRole::ALL {
            let wanted = match role {
                Some(wanted) => *wanted == each,
                None => each != RotaRole::Backing || !timeline.parts(area, each).is_empty(),
            };
            if wanted {
                found.push(OnDuty::of(&timeline, area, each, moment));
            }
        }
    }
    Ok(found)
}

fn who_said(found: &[OnDuty], world: &RotaWorld, at: Millis, as_of: Option<Millis>) -> serde_json::Value {
    let items: Vec<_> = found.iter().map(|on| on_json(on, world)).collect();
    json!({ "at": at.rfc3339(), "as_of": as_of.map(Millis::rfc3339), "items": items })
}

/// What `touban who --json` prints about an instant, as known at `as_of` or today.
///
/// # Errors
/// The store's; [`AppError::NotFound`] for an unknown association.
pub async fn who_json(
    app: &App,
    association: &AssociationId,
    at: Millis,
    as_of: Option<Millis>,
) -> Result<serde_json::Value, AppError> {
    let world = app.rota_world(association).await?;
    Ok(who_said(&found(app, &world, (at, as_of), None, None).await?, &world, at, as_of))
}

fn people(part: &Part, world: &RotaWorld, lang: Lang) -> String {
    if let Some(gap) = &part.gap {
        return say::gap(gap, lang);
    }
    let named = part.people();
    let named: Vec<String> = named
        .iter()
        .map(|h| format!("{} ({})", world.name(&h.person), world.institution_name(&h.institution)))
        .collect();
    named.join(", ")
}

fn on_json(on: &OnDuty, world: &RotaWorld) -> serde_json::Value {
    let people = |part: &Part| -> Vec<serde_json::Value> {
        let people = part.people();
        people
            .iter()
            .map(|h| {
                json!({
                    "member": h.person.api(), "name": world.name(&h.person),
                    "institution": h.institution.api(),
                    "institution_name": world.institution_name(&h.institution),
                })
            })
            .collect()
    };
    let next =
        on.next.as_ref().map(|next| json!({ "at": next.window.from.rfc3339(), "people": people(next) }));
    json!({
        "area": on.area.as_str(), "role": on.role.code(), "people": people(&on.now),
        "gap": on.now.gap.as_ref().map(gap_code), "next": next,
    })
}

fn read_text(path: &std::path::Path, lang: Lang) -> Result<String, Stop> {
    let place = path.display();
    let unreadable = |e| {
        Stop::usage(lang, format!("{place} を読めません（{e}）"), format!("{place} cannot be read ({e})"))
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

async fn import(arg: RotaImportArgs, lang: Lang) -> Result<(), Stop> {
    let text = read_text(&arg.rota_file, lang)?;
    let name = arg.rota_file.display().to_string();
    let is_slots = arg.rota_file.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    // Before the database is opened: a file that cannot be read changes nothing.
    let file = if is_slots {
        None
    } else {
        let read: RotaFile = serde_json::from_str(&text).map_err(|e| {
            Stop::usage(
                lang,
                format!("{name} は当番表のファイルではありません（{e}）"),
                format!("{name} is no file of a rota ({e})"),
            )
        })?;
        Some(read)
    };
    let (app, _, who) = admin::at(&arg.at, lang).await?;
    let done = match file {
        None => match app.rota_slot_book_put(&who, (&name, &text), arg.recorded_at, None).await {
            Ok(version) => Ok(vec![("version", version.to_string())]),
            Err(SlotsRefused::Wrong(wrong)) => Err(Stop::Usage(wrong.to_string())),
            Err(SlotsRefused::App(e)) => Err(Stop::app(lang, e)),
        },
        Some(file) => match app.rota_file_read(&who, file, None).await {
            Ok(FileRead::Done { publications, overrides, swaps, leavings, slot_books, settings }) => {
                Ok(vec![
                    ("publications", publications.to_string()),
                    ("overrides", overrides.to_string()),
                    ("swaps", swaps.to_string()),
                    ("leavings", leavings.to_string()),
                    ("slot_books", slot_books.to_string()),
                    ("settings", settings.to_string()),
                ])
            }
            Ok(FileRead::Unknown(unknown)) => {
                let list = unknown.join(" ");
                Err(Stop::usage(
                    lang,
                    format!("この医師会にない会員・医療機関があります：{list}"),
                    format!("the association does not have these people or institutions: {list}"),
                ))
            }
            Err(e) => Err(Stop::app(lang, e)),
        },
    };
    app.db.close().await;
    admin::say(&arg.at.report, &done?);
    Ok(())
}

async fn export(arg: RotaExportArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, _) = admin::at(&arg.at, lang).await?;
    let since = arg.since.map(|day| start_of_day(day, home.zone));
    let file = app.rota_file(&home.id, since).await?;
    app.db.close().await;
    let text = serde_json::to_string_pretty(&file)?;
    let path = arg.rota_file.display();
    let unwritable = |e| {
        Stop::failed(lang, format!("{path} に書けません（{e}）"), format!("{path} cannot be written ({e})"))
    };
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&arg.rota_file)
        .map_err(unwritable)?;
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(unwritable)?;
    let records = &file.records;
    let counts = [
        ("publications", records.publications.len().to_string()),
        ("overrides", records.overrides.len().to_string()),
        ("swaps", records.swaps.len().to_string()),
        ("leavings", records.leavings.len().to_string()),
    ];
    admin::say(&arg.at.report, &counts);
    Ok(())
}

fn draft_id(text: &str, lang: Lang) -> Result<RotaDraftId, Stop> {
    RotaDraftId::from_api(text).map_err(|_| {
        Stop::usage(
            lang,
            format!("{text} は案の番号（drf_…）ではありません"),
            format!("{text} is no id of a draft (drf_…)"),
        )
    })
}

/// What a check found.
struct Found {
    holes: Vec<Hole>,
    clashes: Vec<Clash>,
    violations: Vec<Violation>,
    empty: usize,
}

async fn look(arg: RotaCheckArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, _) = admin::at(&arg.at, lang).await?;
    let (found, world) = match &arg.draft {
        Some(draft) => {
            let view =
                app.rota_draft(&home.id, &draft_id(draft, lang)?).await.map_err(|e| Stop::app(lang, e))?;
            let found = Found {
                holes: Vec::new(),
                clashes: Vec::new(),
                violations: view.violations,
                empty: view.empty.len(),
            };
            (found, view.world)
        }
        None => published(&app, &home, &arg, lang).await?,
    };
    app.db.close().await;
    let hard = found.violations.iter().filter(|v| v.rule.is_hard()).count();
    if arg.at.report.json {
        let violations: Vec<_> = found
            .violations
            .iter()
            .map(|v| json!({ "rule": v.rule.code(), "hard": v.rule.is_hard(), "message": say::violation(v, &world, lang) }))
            .collect();
        println!(
            "{}",
            json!({
                "holes": found.holes, "clashes": found.clashes, "violations": violations, "empty_seats": found.empty,
            })
        );
    } else {
        for hole in &found.holes {
            let (area, role) = (world.area_name(&hole.area), say::role(hole.role, lang));
            let hours = say::hours(hole.window, home.zone, lang);
            println!("{area} {role} {hours}: {}", in_words(lang, "空き", "nobody"));
        }
        for clash in &found.clashes {
            let (window, words) = match clash {
                Clash::Several { window, .. } => (window, in_words(lang, "重なり", "several people")),
                Clash::SameInstitution { window, .. } => {
                    (window, in_words(lang, "正と副が同じ医療機関", "primary and deputy of one institution"))
                }
            };
            println!("{}: {words}", say::hours(*window, home.zone, lang));
        }
        for violation in &found.violations {
            println!("{}", say::violation(violation, &world, lang));
        }
        if found.empty > 0 {
            println!("{}: {}", in_words(lang, "空いている枠", "empty seats"), found.empty);
        }
    }
    let clean = found.holes.is_empty() && found.clashes.is_empty() && hard == 0 && found.empty == 0;
    if clean { Ok(()) } else { Err(Stop::Found) }
}

/// What stands against the rota as it is published and was changed since.
async fn published(
    app: &App,
    home: &Association,
    arg: &RotaCheckArgs,
    lang: Lang,
) -> Result<(Found, RotaWorld), Stop> {
    let world = app.rota_world(&home.id).await?;
    let first = arg.first.unwrap_or_else(|| civil_day(app.now(), home.zone));
    let last = arg.last.unwrap_or_else(|| first.plus_days(CHECK_DAYS));
    let Some(window) = world.period(first, last) else {
        return Err(Stop::usage(
            lang,
            "終わりの日が始まりの日より前です",
            "the last day comes before the first",
        ));
    };
    let holes = app.rota_holes(&home.id, window).await.map_err(|e| Stop::app(lang, e))?;
    let laid = app.rota_laid(&home.id, window.from.plus_s(-40 * 86_400)).await?;
    let around = Window { from: window.from.plus_s(-40 * 86_400), to: window.to.plus_s(40 * 86_400) };
    let people = world.people();
    let slots: Vec<_> =
        world.settings.areas.iter().flat_map(|area| world.slots(&area.key, first, last)).collect();
    let setting = Setting {
        rules: &world.settings.rules,
        people: &people,
        wishes: &[],
        groups: &world.groups,
        slots: &slots,
        calendar: &world.calendar,
        zone: home.zone,
    };
    let duties = duties_within(&laid.timeline, around, home.zone);
    let violations = check(setting, &duties, first, last);
    let areas = world.settings.areas.iter();
    let clashes = areas.flat_map(|a| clashes(&laid.timeline, &world.required(), &a.key, window)).collect();
    Ok((Found { holes, clashes, violations, empty: 0 }, world))
}

async fn publish(arg: RotaPublishArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, who) = admin::at(&arg.at, lang).await?;
    let id = draft_id(&arg.draft, lang)?;
    let view = app.rota_draft(&home.id, &id).await.map_err(|e| Stop::app(lang, e))?;
    let breaches = if arg.accept_breaches { Breaches::Accept } else { Breaches::Forbid };
    let done = app.rota_publish(&who, &id, view.draft.revision, (breaches, ""), None).await;
    app.db.close().await;
    match done.map_err(|e| Stop::app(lang, e))? {
        Published::Done { id, changes, .. } => {
            let values = [("publication", id.api()), ("changes", changes.len().to_string())];
            admin::say(&arg.at.report, &values);
            Ok(())
        }
        Published::Refused { refused, violations } => {
            for refused in &refused {
                eprintln!("{}", say::refused(refused, &view.world, lang));
            }
            for violation in violations.iter().filter(|v| v.rule.is_hard()) {
                eprintln!("{}", say::violation(violation, &view.world, lang));
            }
            Err(Stop::Found)
        }
        Published::NotOpen => Err(Stop::failed(
            lang,
            "この案はもう公開されたか、捨てられています",
            "the draft was published or thrown away before",
        )),
        other => Err(Stop::failed(lang, "公開できません", format!("it cannot be published ({other:?})"))),
    }
}

async fn fill(arg: RotaFillArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, who) = admin::at(&arg.at, lang).await?;
    let id = match (&arg.draft, arg.first, arg.last) {
        (Some(draft), _, _) => draft_id(draft, lang)?,
        (None, Some(first), Some(last)) => {
            let world = app.rota_world(&home.id).await?;
            let first_area = || world.settings.areas.first().map(|area| area.key.clone());
            let Some(area) = arg.duty_area.clone().or_else(first_area) else {
                return Err(Stop::usage(lang, "地区がありません", "there is no area"));
            };
            let name = format!("{first} – {last}");
            app.rota_draft_new(&who, &area, &name, (first, last), None)
                .await
                .map_err(|e| Stop::app(lang, e))?
        }
        _ => return Err(Stop::usage(lang, "期間を指定してください", "say from when until when")),
    };
    let revision = app.rota_draft(&home.id, &id).await.map_err(|e| Stop::app(lang, e))?.draft.revision;
    let filled = app.rota_draft_fill(&who, &id, revision, &PlainFill, None).await;
    let filled = filled.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    let values =
        [("draft", id.api()), ("added", filled.added.to_string()), ("empty", filled.empty.len().to_string())];
    admin::say(&arg.at.report, &values);
    Ok(())
}
