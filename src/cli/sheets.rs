//! `touban import` and `touban export`: the same reading, the same rules and the same undo as on the pages.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::admin;
use super::args::{ExportArgs, ImportArgs};
use super::stop::{Stop, in_words};
use crate::app::sheets::{Applied, Confirm};
use crate::domain::people::sheet::{Counts, Outcome, Plan};
use crate::export::sheet::{LIMITS, csv_shift_jis, csv_utf8, read, write_xlsx};
use crate::i18n::{Lang, t, t_with};

/// Says of every row that cannot be taken why, one line each, and what the others would do.
fn say_plan(plan: &Plan, lang: Lang) {
    for row in &plan.rows {
        let Outcome::Refused(problems) = &row.outcome else { continue };
        for problem in problems {
            let place = t_with(lang, "run-row-n", &[("n", &row.row.to_string())]);
            let column = problem
                .column
                .map_or_else(|| t(lang, "run-whole-row"), |c| t(lang, &format!("sheet-column-{}", c.code())));
            let reason = t_with(
                lang,
                &format!("sheet-reason-{}", problem.reason.code()),
                &[("value", &problem.value)],
            );
            eprintln!("{place} {column}: {reason}");
        }
    }
    for seen in plan.columns.iter().filter(|seen| seen.column.is_none() && !seen.header.is_empty()) {
        eprintln!("{}: {}", t(lang, "run-columns-unknown"), seen.header);
    }
}

fn say_counts(counts: Counts, done: bool, as_json: bool, lang: Lang) {
    if as_json {
        let report = json!({
            "written": done,
            "added": counts.added,
            "changed": counts.changed,
            "same": counts.same,
            "refused": counts.refused,
            "new_institutions": counts.new_institutions,
        });
        println!("{report}");
        return;
    }
    let rows = [
        ("run-added", counts.added),
        ("run-changed", counts.changed),
        ("run-same", counts.same),
        ("run-refused", counts.refused),
        ("run-houses", counts.new_institutions),
    ];
    for (key, n) in rows {
        println!("{}: {n}", t(lang, key));
    }
    println!(
        "{}",
        if done {
            t(lang, "run-done")
        } else {
            in_words(lang, "何も変えていません。", "Nothing was changed.")
        }
    );
}

/// Reads a file in: 0 done, or looked at and everything could be taken; 3 rows cannot be taken and nothing was
/// written; 2 the file is not one that can be read.
pub async fn import(arg: ImportArgs, lang: Lang) -> Result<(), Stop> {
    let path = arg.file.display();
    let unreadable =
        |e| Stop::usage(lang, format!("{path} を読めません（{e}）"), format!("{path} cannot be read ({e})"));
    let mut bytes = Vec::new();
    let most = u64::try_from(LIMITS.bytes).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(&arg.file)
        .map_err(unreadable)?
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let table = read(&bytes, &arg.sheet, &LIMITS, &AtomicBool::new(false)).map_err(|refused| {
        let row = refused.row().map(|r| r.to_string()).unwrap_or_default();
        Stop::Usage(t_with(lang, &format!("sheet-file-{}", refused.code()), &[("row", &row)]))
    })?;
    let (app, _, who) = admin::at(&arg.at, lang).await?;
    let as_json = arg.at.report.json;
    let (plan, digest) = app.sheet_plan(&who, arg.kind, &table, lang).await?;
    if plan.heading.is_none() {
        return Err(Stop::Usage(t(lang, "run-no-heading")));
    }
    say_plan(&plan, lang);
    let counts = plan.counts();
    let refused = counts.refused > 0 && !arg.leave_out;
    if arg.dry_run || refused || !plan.changes_something() {
        app.db.close().await;
        say_counts(counts, false, as_json, lang);
        return if refused { Err(Stop::Found) } else { Ok(()) };
    }
    let id = app.sheet_read(&who, arg.kind, table, None).await?;
    let confirm = Confirm { digest, leave_out: arg.leave_out };
    let done = app.sheet_confirm(&who, &id, confirm, None).await?.into_inner();
    app.db.close().await;
    match done {
        Applied::Done(counts) => {
            say_counts(counts, true, as_json, lang);
            Ok(())
        }
        _ => Err(Stop::Failed(t(lang, "run-changed-meanwhile"))),
    }
}

/// Writes a list into a new file that only its owner can read.
pub async fn export(arg: ExportArgs, lang: Lang) -> Result<(), Stop> {
    let (app, _, who) = admin::at(&arg.at, lang).await?;
    let table = app.sheet_export(&who, arg.kind, lang).await?;
    let (format, bytes) = match arg.format.as_str() {
        "csv" => ("csv", csv_utf8(&table)),
        "csv-sjis" => match csv_shift_jis(&table, arg.replace) {
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
        _ => (
            "xlsx",
            write_xlsx(&table).map_err(|e| {
                Stop::failed(
                    lang,
                    format!("表を書けません（{e}）"),
                    format!("the sheet cannot be written ({e})"),
                )
            })?,
        ),
    };
    let path = arg.file.display();
    let unwritable = |e| {
        Stop::failed(lang, format!("{path} に書けません（{e}）"), format!("{path} cannot be written ({e})"))
    };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&arg.file).map_err(unwritable)?;
    app.sheet_exported(&who, arg.kind, format, table.rows.len()).await?;
    app.db.close().await;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(unwritable)?;
    let rows = table.rows.len();
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
