//! `touban rota export` and `touban rota import`: the same lists, the same reading and the same undo as on the pages.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::admin;
use super::rota_args::{RotaExportArgs, RotaImportArgs};
use super::stop::{Stop, in_words};
use crate::app::rota::RotaWorld;
use crate::app::rota::lists::{city_list, line_feed, rota_list};
use crate::app::rota::publish::{Breaches, NewPublication, Published};
use crate::app::rota::sheets::{SheetCounts, SheetTaken, Target, read as read_table};
use crate::app::sheets::Confirm;
use crate::app::{App, Who};
use crate::domain::calendar::CivilDate;
use crate::domain::people::sheet::Table;
use crate::domain::rota::sheet::{Kind, Reading};
use crate::domain::rota::{Area, RotaRole};
use crate::export::ics;
use crate::export::sheet::{LIMITS, grid_csv_shift_jis, grid_csv_utf8, grid_xlsx, read};
use crate::i18n::{Lang, t, t_with};
use crate::time::Millis;

fn area_of(world: &RotaWorld, asked: Option<&Area>, lang: Lang) -> Result<Area, Stop> {
    let areas = &world.settings.areas;
    let found = match asked {
        None => areas.first(),
        Some(key) => areas.iter().find(|area| area.key == *key),
    };
    found.map(|area| area.key.clone()).ok_or_else(|| {
        let keys: Vec<&str> = areas.iter().map(|a| a.key.as_str()).collect();
        let keys = keys.join(", ");
        Stop::usage(
            lang,
            format!("その地区はありません。あるのは {keys}"),
            format!("no such area; there are {keys}"),
        )
    })
}

/// Days that are asked for, in their order.
fn days(
    first: Option<CivilDate>,
    last: Option<CivilDate>,
    lang: Lang,
) -> Result<(CivilDate, CivilDate), Stop> {
    match (first, last) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        (Some(_), Some(_)) => {
            Err(Stop::usage(lang, "--last が --first より前です", "--last lies before --first"))
        }
        _ => Err(Stop::usage(
            lang,
            "--first と --last で期間を指定してください",
            "give the days by --first and --last",
        )),
    }
}

/// Whether a file is one of those that offices keep.
pub fn is_sheet(file: &std::path::Path) -> bool {
    let endings = ["xlsx", "csv", "txt", "tsv"];
    file.extension().is_some_and(|e| endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)))
}

/// Writes the rota into a new file that only its owner can read.
pub async fn export(arg: RotaExportArgs, lang: Lang) -> Result<(), Stop> {
    let (app, _, who) = admin::at(&arg.at, lang).await?;
    let (first, last) = days(arg.first, arg.last, lang)?;
    let world = app.rota_world(&who.association).await?;
    let area = area_of(&world, arg.duty_area.as_ref(), lang)?;
    let paper = app.rota_paper(&who.association, &area, (first, last)).await?;
    let broken = |e: Box<dyn std::error::Error + Send + Sync>| {
        Stop::failed(lang, format!("表を書けません（{e}）"), format!("the sheet cannot be written ({e})"))
    };
    let (format, rows, bytes) = if arg.format == "ics" {
        let window =
            world.period(first, last).unwrap_or(crate::time::Window { from: Millis(0), to: Millis(0) });
        let (host, now) = (app.rules.mail_host.clone(), app.now());
        let one = |role: RotaRole| line_feed(&world, &paper.laid, (&area, role), window, now, (lang, &host));
        let roles = match arg.duty_role {
            Some(role) => vec![role],
            None => paper.paper.roles.clone(),
        };
        let mut feeds = roles.into_iter().map(one);
        let mut feed = feeds.next().unwrap_or_else(|| one(RotaRole::Primary));
        feed.events.extend(feeds.flat_map(|other| other.events));
        // A file is no subscription: what is gone is left out of it.
        feed.events.retain(|event| !event.cancelled);
        feed.events.sort_by(|a, b| (a.window, &a.name).cmp(&(b.window, &b.name)));
        ("ics", feed.events.len(), ics::write(&feed).into_bytes())
    } else {
        let grid = if arg.city {
            let institutions: Vec<_> = world.institutions.values().collect();
            let numbers = app.numbers_of_all(&who.association, &institutions).await?;
            city_list(&paper, &numbers, world.settings.city, lang)
        } else {
            rota_list(&paper, lang)
        };
        let (format, bytes) = match arg.format.as_str() {
            "csv" => ("csv", grid_csv_utf8(&grid)),
            "csv-sjis" => match grid_csv_shift_jis(&grid, arg.replace) {
                Ok(bytes) => ("csv-sjis", bytes),
                Err(missing) => {
                    for cell in missing {
                        let row = t_with(lang, "run-row-n", &[("n", &cell.row.to_string())]);
                        eprintln!("{row} {}: {}", cell.column, cell.characters);
                    }
                    eprintln!("{}", t(lang, "export-missing"));
                    return Err(Stop::Found);
                }
            },
            _ => ("xlsx", grid_xlsx(&grid).map_err(broken)?),
        };
        (format, grid.rows.len(), bytes)
    };
    let path = arg.rota_file.display();
    let unwritable = |e| {
        Stop::failed(lang, format!("{path} に書けません（{e}）"), format!("{path} cannot be written ({e})"))
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&arg.rota_file)
        .map_err(unwritable)?;
    app.rota_taken_out(&who, if arg.city { "city" } else { "rota" }, format, rows).await?;
    app.db.close().await;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(unwritable)?;
    if arg.at.report.json {
        println!("{}", json!({ "rows": rows, "format": format }));
    } else {
        println!(
            "{}",
            in_words(lang, format!("{rows} 行を書き出しました"), format!("{rows} rows were written"))
        );
    }
    Ok(())
}

/// Names every cell that cannot be read, one line each.
fn say_problems(table: &Table, reading: &Reading, lang: Lang) {
    for problem in &reading.problems {
        let key = format!("rota-sheet-reason-{}", problem.reason.code());
        let reason = t_with(lang, &key, &[("about", &problem.about)]);
        let sheet = if table.sheet.is_empty() { String::new() } else { format!("{}!", table.sheet) };
        eprintln!("{sheet}{} {}: {reason}", problem.place, problem.value);
    }
}

fn say_counts(counts: SheetCounts, done: bool, as_json: bool, lang: Lang) {
    if as_json {
        let report = json!({
            "written": done,
            "added": counts.added,
            "changed": counts.changed,
            "same": counts.same,
            "refused": counts.refused,
        });
        println!("{report}");
        return;
    }
    let numbers = [counts.added, counts.changed, counts.same, counts.refused].map(|n| n.to_string());
    let [added, changed, same, refused] = &numbers;
    let values = [
        ("added", added.as_str()),
        ("changed", changed.as_str()),
        ("same", same.as_str()),
        ("refused", refused.as_str()),
    ];
    println!("{}", t_with(lang, "rota-sheet-result", &values));
    let nothing = || in_words(lang, "何も変えていません。", "Nothing was changed.");
    println!("{}", if done { t(lang, "run-done") } else { nothing() });
}

fn table_of(arg: &RotaImportArgs, lang: Lang) -> Result<Table, Stop> {
    let path = arg.rota_file.display();
    let unreadable =
        |e| Stop::usage(lang, format!("{path} を読めません（{e}）"), format!("{path} cannot be read ({e})"));
    let mut bytes = Vec::new();
    let most = u64::try_from(LIMITS.bytes).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(&arg.rota_file)
        .map_err(unreadable)?
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    read(&bytes, &arg.sheet, &LIMITS, &AtomicBool::new(false)).map_err(|refused| {
        let row = refused.row().map(|r| r.to_string()).unwrap_or_default();
        Stop::Usage(t_with(lang, &format!("sheet-file-{}", refused.code()), &[("row", &row)]))
    })
}

/// Reads a rota or a wish sheet in: 0 done, or looked at and everything could be read; 3 cells cannot be read and
/// nothing was written; 2 the file is not one that can be read.
pub async fn import(arg: RotaImportArgs, lang: Lang) -> Result<(), Stop> {
    let table = table_of(&arg, lang)?;
    let (app, _, who) = admin::at(&arg.at, lang).await?;
    let ended = match (&arg.into, &arg.new_draft, arg.recorded_at) {
        (Some(target), None, None) => into(&app, &who, &arg, &table, target, lang).await,
        (None, Some(name), None) => {
            let world = app.rota_world(&who.association).await?;
            let area = area_of(&world, arg.duty_area.as_ref(), lang)?;
            let (first, last) = days(arg.first, arg.last, lang)?;
            if arg.dry_run {
                looked(&table, &read_table(Kind::Duties, &table, &world, &area, (first, last)), &arg, lang)
            } else {
                let draft = app.rota_draft_new(&who, &area, name, (first, last), None).await?;
                into(&app, &who, &arg, &table, &Target::Draft(draft), lang).await
            }
        }
        (None, None, Some(recorded_at)) => history(&app, &who, &arg, &table, recorded_at, lang).await,
        _ => Err(Stop::usage(
            lang,
            "--into、--new-draft、--recorded-at のどれか一つを指定してください",
            "give one of --into, --new-draft and --recorded-at",
        )),
    };
    app.db.close().await;
    ended
}

/// What a table would bring where nothing is yet.
fn looked(table: &Table, reading: &Reading, arg: &RotaImportArgs, lang: Lang) -> Result<(), Stop> {
    if reading.layout.is_none() {
        return Err(Stop::Usage(t(lang, "rota-sheet-unreadable")));
    }
    say_problems(table, reading, lang);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let counts = SheetCounts {
        added: number(reading.duties.len()),
        refused: number(reading.problems.len()),
        ..SheetCounts::default()
    };
    say_counts(counts, false, arg.at.report.json, lang);
    if counts.refused > 0 && !arg.leave_out { Err(Stop::Found) } else { Ok(()) }
}

/// Into a draft or a collection of wishes.
async fn into(
    app: &App,
    who: &Who,
    arg: &RotaImportArgs,
    table: &Table,
    target: &Target,
    lang: Lang,
) -> Result<(), Stop> {
    let (plan, _) = app.rota_sheet_plan(who, target, table).await?;
    if plan.reading.layout.is_none() {
        return Err(Stop::Usage(t(lang, "rota-sheet-unreadable")));
    }
    say_problems(table, &plan.reading, lang);
    let as_json = arg.at.report.json;
    let refused = plan.counts.refused > 0 && !arg.leave_out;
    if arg.dry_run || refused || !plan.changes_something() {
        say_counts(plan.counts, false, as_json, lang);
        return if refused { Err(Stop::Found) } else { Ok(()) };
    }
    let id = app.rota_sheet_read(who, target, table.clone(), None).await?;
    let confirm = Confirm { digest: plan.digest(), leave_out: arg.leave_out };
    match app.rota_sheet_take(who, &id, confirm, None).await? {
        SheetTaken::Done(counts) => {
            say_counts(counts, true, as_json, lang);
            Ok(())
        }
        _ => Err(Stop::Failed(t(lang, "run-changed-meanwhile"))),
    }
}

/// As a rota that was published then: history, which is held against no rule.
async fn history(
    app: &App,
    who: &Who,
    arg: &RotaImportArgs,
    table: &Table,
    recorded_at: Millis,
    lang: Lang,
) -> Result<(), Stop> {
    let world = app.rota_world(&who.association).await?;
    let area = area_of(&world, arg.duty_area.as_ref(), lang)?;
    let (first, last) = days(arg.first, arg.last, lang)?;
    let reading = read_table(Kind::Duties, table, &world, &area, (first, last));
    let refused = !reading.problems.is_empty() && !arg.leave_out;
    if arg.dry_run || refused || reading.layout.is_none() || reading.duties.is_empty() {
        return looked(table, &reading, arg, lang);
    }
    say_problems(table, &reading, lang);
    let Some(whole) = world.period(first, last) else { return looked(table, &reading, arg, lang) };
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let counts = SheetCounts {
        added: number(reading.duties.len()),
        refused: number(reading.problems.len()),
        ..SheetCounts::default()
    };
    let new = NewPublication {
        area,
        period: whole,
        assignments: reading.duties.into_iter().map(|read| read.duty).collect(),
        recorded_at: Some(recorded_at),
        breaches: Breaches::Accept,
        note: String::new(),
    };
    match app.rota_import(who, new, None).await? {
        Published::Done { .. } => {
            say_counts(counts, true, arg.at.report.json, lang);
            Ok(())
        }
        other => Err(Stop::failed(
            lang,
            format!("公開済みの当番表にできませんでした（{other:?}）"),
            format!("it could not be published ({other:?})"),
        )),
    }
}
