//! `touban ledger`: months of the subsidy ledger from the shell, by the same doors as the pages.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use serde_json::json;

use super::admin;
use super::ledger_args::{
    CloseArgs, LedgerCommand, LedgerExportArgs, MonthArgs, ReverseArgs, StatementArgs, TariffArgs,
};
use super::stop::{Stop, in_words};
use crate::app::ledger::close::MonthView;
use crate::app::ledger::tables;
use crate::app::ledger::tariffs::TariffsRefused;
use crate::app::{App, Who};
use crate::domain::ledger::{LedgerTable, Line};
use crate::export::ledger::{csv_shift_jis, csv_utf8, json as json_file, xlsx};
use crate::i18n::{Lang, t, t_with};
use crate::ids::{InstitutionId, LedgerLineId, MemberId};
use crate::money::Yen;

/// Institutions that are looked through for a name.
const INSTITUTIONS: i64 = 10_000;

/// Runs one of the commands.
pub async fn run(command: LedgerCommand, lang: Lang) -> Result<(), Stop> {
    match command {
        LedgerCommand::Run(arg) => show(arg, lang).await,
        LedgerCommand::Close(arg) => close(arg, lang).await,
        LedgerCommand::Reverse(arg) => reverse(arg, lang).await,
        LedgerCommand::Statement(arg) => statement(arg, lang).await,
        LedgerCommand::Export(arg) => export(arg, lang).await,
        LedgerCommand::Tariffs(arg) => tariffs(arg, lang).await,
        LedgerCommand::Verify(arg) => {
            let (app, home, _) = admin::at(&arg, lang).await?;
            let problems = app.verify_ledger(&home.id).await?;
            app.db.close().await;
            if arg.report.json {
                println!("{}", json!({ "ok": problems.is_empty(), "problems": problems }));
            } else {
                problems.iter().for_each(|problem| println!("{problem}"));
                if problems.is_empty() {
                    println!("{}", in_words(lang, "問題はありません", "everything holds"));
                }
            }
            if problems.is_empty() { Ok(()) } else { Err(Stop::Found) }
        }
    }
}

fn line_of(line: &Line) -> serde_json::Value {
    json!({
        "id": line.id.api(),
        "event": line.event.key(),
        "case_no": line.case_no.map(|c| c.to_string()),
        "civil_date": line.civil_date,
        "side": line.side.code(),
        "institution": line.institution.api(),
        "program": line.program,
        "tariff": line.tariff,
        "amount_yen": line.amount.0,
        "reason": line.eligibility.reason().map(|r| r.code()),
        "entry": line.entry.code(),
    })
}

fn state(view: &MonthView) -> &'static str {
    view.close.as_ref().map_or("open", |close| close.state.code())
}

async fn show(arg: MonthArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, _) = admin::at(&arg.at, lang).await?;
    let view = app.ledger_month(&home.id, arg.month).await?;
    app.db.close().await;
    let sums = view.sums.as_ref().map_err(|e| Stop::Failed(e.to_string()))?;
    if arg.at.report.json {
        let report = json!({
            "month": view.month,
            "state": state(&view),
            "total_yen": sums.total.0,
            "lines": view.lines.iter().map(line_of).collect::<Vec<_>>(),
            "held": view.held.iter().map(line_of).collect::<Vec<_>>(),
            "head_hash": view.close.as_ref().and_then(|c| c.sealed.as_ref()).map(|s| hex(&s.head_hash)),
        });
        println!("{report:#}");
        return Ok(());
    }
    println!(
        "{} ({})",
        tables::month_name(view.month, lang),
        t(lang, &format!("ledger-state-{}", state(&view)))
    );
    println!("{}: {}", t(lang, "ledger-total"), sums.total);
    println!("{}: {}", t(lang, "ledger-held"), view.held.len());
    for line in &view.lines {
        let case = line.case_no.map_or_else(|| "-".to_owned(), |c| c.to_string());
        println!(
            "{} {case} {} {} {} {}",
            line.civil_date,
            t(lang, &format!("word-side-{}", line.side.code())),
            tables::tariff_name(&view, line),
            line.amount,
            tables::verdict(line, lang),
        );
    }
    println!("{}", tables::footer(&view, lang));
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The shell in somebody's name: both stand in the audit.
fn in_name_of(who: &Who, member: &str, lang: Lang) -> Result<Who, Stop> {
    let id = MemberId::from_api(member).map_err(|_| {
        Stop::usage(
            lang,
            format!("{member} は会員の番号（mem_…）ではありません"),
            format!("{member} is no id of a member (mem_…)"),
        )
    })?;
    Ok(Who { on_behalf_of: Some(format!("member:{id}")), ..who.clone() })
}

async fn close(arg: CloseArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, who) = admin::at(&arg.of.at, lang).await?;
    let who = in_name_of(&who, &arg.member, lang)?;
    let month = arg.of.month;
    let done = if arg.approve {
        let close = app.ledger_month(&home.id, month).await?.close;
        app.ledger_approve(&who, month, close.map_or(0, |c| c.revision)).await?
    } else {
        app.ledger_make(&who, month).await?
    };
    app.db.close().await;
    let close = done.map_err(|refused| {
        Stop::Failed(t_with(
            lang,
            &format!("ledger-refused-{}", refused.code()),
            &[("about", &refused.about())],
        ))
    })?;
    if arg.of.at.report.json {
        let report = json!({
            "month": close.month, "state": close.state.code(), "lines": close.lines, "held": close.held,
            "total_yen": close.total.0, "run_hash": close.run_hash,
            "head_hash": close.sealed.map(|s| hex(&s.head_hash)),
        });
        println!("{report}");
    } else {
        let key = format!("ledger-done-{}", close.state.code());
        println!("{}", t_with(lang, &key, &[("month", &tables::month_name(close.month, lang))]));
        println!("{}: {}", t(lang, "ledger-total"), close.total);
    }
    Ok(())
}

async fn reverse(arg: ReverseArgs, lang: Lang) -> Result<(), Stop> {
    let (app, _, who) = admin::at(&arg.at, lang).await?;
    let who = in_name_of(&who, &arg.member, lang)?;
    let line = LedgerLineId::from_api(&arg.line).map_err(|_| {
        Stop::usage(
            lang,
            format!("{} は明細の番号（lin_…）ではありません", arg.line),
            format!("{} is no id of a line (lin_…)", arg.line),
        )
    })?;
    let done = app.ledger_correct(&who, &line, Yen(arg.instead), &arg.note).await;
    let done = done.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    done.map_err(|refused| Stop::Failed(t(lang, &format!("ledger-order-{}", refused.code()))))?;
    if arg.at.report.json {
        println!("{}", json!({ "line": arg.line, "instead_yen": arg.instead }));
    } else {
        println!("{}", t(lang, "ledger-done-correct"));
    }
    Ok(())
}

async fn institution(
    app: &App,
    home: &crate::ids::AssociationId,
    typed: &str,
    lang: Lang,
) -> Result<InstitutionId, Stop> {
    if let Ok(id) = InstitutionId::from_api(typed) {
        return Ok(id);
    }
    let all = app.institutions(home, "", INSTITUTIONS).await?;
    let mut named = all.into_iter().filter(|i| i.name == typed);
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one.id),
        _ => Err(Stop::failed(
            lang,
            format!("{typed} という医療機関は一つに決まりません。番号（ins_…）で指定してください"),
            format!("{typed} does not name one institution; give its id (ins_…)"),
        )),
    }
}

async fn statement(arg: StatementArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, _) = admin::at(&arg.of.at, lang).await?;
    let id = institution(&app, &home.id, &arg.institution, lang).await?;
    let view = app.ledger_month_of(&home.id, arg.of.month, &id).await?;
    app.db.close().await;
    let Some(statement) = view.statement(&id) else {
        return Err(Stop::Failed(t(lang, "ledger-statement-empty")));
    };
    if arg.of.at.report.json {
        let report = json!({
            "month": view.month, "state": state(&view), "institution": id.api(), "total_yen": statement.total.0,
            "programs": statement.programs.iter().map(|(p, y)| (p.clone(), y.0)).collect::<std::collections::BTreeMap<_, _>>(),
            "lines": statement.lines.iter().map(|l| line_of(l)).collect::<Vec<_>>(),
            "held": statement.held.iter().map(|l| line_of(l)).collect::<Vec<_>>(),
        });
        println!("{report:#}");
        return Ok(());
    }
    println!("{} {}", tables::month_name(view.month, lang), arg.institution);
    for line in &statement.lines {
        println!(
            "{} {} {} {} {}",
            line.civil_date,
            line.case_no.map_or_else(|| "-".to_owned(), |c| c.to_string()),
            tables::tariff_name(&view, line),
            line.amount,
            tables::verdict(line, lang),
        );
    }
    println!("{}: {}", t(lang, "ledger-total"), statement.total);
    println!("{}", tables::footer(&view, lang));
    Ok(())
}

/// The table of a closed month; an open one is no export.
async fn table(
    app: &App,
    home: &crate::ids::AssociationId,
    arg: &LedgerExportArgs,
    lang: Lang,
) -> Result<LedgerTable, Stop> {
    let view = app.ledger_month(home, arg.of.month).await?;
    if !view.is_closed() {
        return Err(Stop::Failed(t(lang, "ledger-export-open")));
    }
    let table = app.ledger_table(home, &view, &arg.table, lang).await?;
    table.ok_or_else(|| Stop::Failed(t(lang, "ledger-statement-empty")))
}

async fn export(arg: LedgerExportArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, who) = admin::at(&arg.of.at, lang).await?;
    let table = table(&app, &home.id, &arg, lang).await?;
    let bytes = match arg.format.as_str() {
        "csv" => csv_utf8(&table),
        "json" => json_file(&table),
        "csv-sjis" => match csv_shift_jis(&table, arg.replace) {
            Ok(bytes) => bytes,
            Err(missing) => {
                for cell in missing {
                    let row = t_with(lang, "run-row-n", &[("n", &cell.row.to_string())]);
                    eprintln!("{row} {}: {}", cell.column, cell.characters);
                }
                eprintln!("{}", t(lang, "export-missing"));
                return Err(Stop::Found);
            }
        },
        _ => xlsx(&table).map_err(|e| {
            Stop::failed(lang, format!("表を書けません（{e}）"), format!("the sheet cannot be written ({e})"))
        })?,
    };
    let path = arg.file.display();
    let unwritable = |e| {
        Stop::failed(lang, format!("{path} に書けません（{e}）"), format!("{path} cannot be written ({e})"))
    };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&arg.file).map_err(unwritable)?;
    let what = (arg.table.as_str(), arg.format.as_str());
    app.ledger_exported(&who, arg.of.month, what, table.rows.len()).await?;
    app.db.close().await;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(unwritable)?;
    let rows = table.rows.len();
    if arg.of.at.report.json {
        println!("{}", json!({ "rows": rows, "table": arg.table, "format": arg.format }));
    } else {
        let said = in_words(lang, format!("{rows} 行を書き出しました"), format!("{rows} rows were written"));
        println!("{said}");
    }
    Ok(())
}

async fn tariffs(arg: TariffArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, who) = admin::at(&arg.at, lang).await?;
    let Some(path) = &arg.tariffs else {
        let newest = app.tariffs_history(&home.id).await?.into_iter().next();
        let (tariffs, _) = app.tariffs_now(&home.id).await?;
        app.db.close().await;
        match newest {
            Some(set) => println!("{}", set.body),
            None => println!("{}", t_with(lang, "ledger-tariffs-file", &[("version", &tariffs.version)])),
        }
        return Ok(());
    };
    let text = std::fs::read_to_string(path).map_err(|e| {
        let path = path.display();
        Stop::usage(lang, format!("{path} を読めません（{e}）"), format!("{path} cannot be read ({e})"))
    })?;
    let after = app.tariffs_history(&home.id).await?.first().map_or(0, |set| set.number);
    let done = app.tariffs_record(&who, after, &text, &arg.note).await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    match done {
        Ok(set) => {
            println!("{}", t_with(lang, "ledger-tariffs-recorded", &[("version", &set.version)]));
            Ok(())
        }
        Err(TariffsRefused::Mistakes(mistakes)) => Err(Stop::Usage(mistakes.to_string())),
        Err(TariffsRefused::TooLong) => {
            let kb = text.len().div_ceil(1_024).to_string();
            Err(Stop::Usage(t_with(lang, "ledger-tariffs-too-long", &[("n", &kb)])))
        }
        Err(TariffsRefused::Changed) => Err(Stop::Failed(t(lang, "ledger-tariffs-changed"))),
    }
}
