//! `touban admin holidays|calendar|hold|retention`: the association's calendar and how long what is kept.

use std::path::Path;

use super::admin::{at, say};
use super::args::{CalendarArgs, HoldArgs, HolidaysArgs, RetentionArgs};
use super::stop::{Stop, in_words};
use crate::app::calendar::{DayChange, DayKind, ListRefused, Rehearsal};
use crate::app::retention::Held;
use crate::domain::calendar::{BandRules, CivilDate, Difference, NotTheList, era_date, written_date};
use crate::i18n::Lang;
use crate::ids::HoldId;

/// The longest file of rules, in bytes.
const RULES_MAX_BYTES: u64 = 100_000;

fn read(path: &Path, most: u64, lang: Lang) -> Result<Vec<u8>, Stop> {
    let shown = path.display();
    let failed = |e: std::io::Error| {
        Stop::usage(lang, format!("{shown} を読めません（{e}）"), format!("{shown} cannot be read ({e})"))
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > most {
        return Err(Stop::usage(lang, format!("{shown} は大きすぎます"), format!("{shown} is too long")));
    }
    std::fs::read(path).map_err(failed)
}

fn day(text: &str, lang: Lang) -> Result<CivilDate, Stop> {
    written_date(text).map_err(|e| {
        Stop::usage(
            lang,
            format!("{text} は日付として読めません（2026-08-14、2026年8月14日、令和8年8月14日 の形）"),
            e.to_string(),
        )
    })
}

pub async fn holidays(arg: HolidaysArgs, lang: Lang) -> Result<(), Stop> {
    let mut changes = Vec::new();
    for text in &arg.adds {
        let Some((date, name)) = text.split_once('=') else {
            return Err(Stop::usage(
                lang,
                format!("add：{text} は 2026-08-14=お盆 の形ではありません"),
                format!("add: {text} is not of the form 2026-08-14=NAME"),
            ));
        };
        changes.push(DayChange::Add { date: day(date, lang)?, name: name.to_owned() });
    }
    for text in &arg.removes {
        changes.push(DayChange::Remove { date: day(text, lang)? });
    }
    for text in &arg.forgets {
        changes.push(DayChange::Forget { date: day(text, lang)? });
    }
    let list = match &arg.list {
        Some(path) => Some(read(path, 1_000_000, lang)?),
        None => None,
    };
    let (app, home, who) = at(&arg.at, lang).await?;
    let report = &arg.at.report;
    if let Some(bytes) = list {
        let rehearsal = if arg.dry_run { Rehearsal::DryRun } else { Rehearsal::Earnest };
        let done = app.calendar_list_import(&who, &bytes, rehearsal).await;
        app.db.close().await;
        let done = done.map_err(|e| refused(e, lang))?;
        let mut values = vec![
            ("years", format!("{}-{}", done.years.0, done.years.1)),
            ("days", done.days.to_string()),
            ("differences", done.differences.len().to_string()),
            ("stored", if done.changes && !arg.dry_run { "yes" } else { "no" }.to_owned()),
            ("version", done.version),
        ];
        if report.json {
            let told: Vec<String> = done.differences.iter().map(|d| differs(d, lang)).collect();
            values.push(("differs", told.join("\n")));
        } else {
            for difference in &done.differences {
                println!("{}", differs(difference, lang));
            }
        }
        say(report, &values);
        return Ok(());
    }
    if !changes.is_empty() {
        app.calendar_days_put(&who, changes).await.map_err(|e| Stop::app(lang, e))?;
    }
    let days = app.calendar_days(&home.id).await?;
    let version = app.calendar_of(&home.id).await?.version;
    app.db.close().await;
    for own in days.iter().filter(|d| d.kind != DayKind::National) {
        let what = match own.kind {
            DayKind::Removed => in_words(lang, "休日としない", "no holiday here"),
            DayKind::National | DayKind::Extra => own.name.clone(),
        };
        if !report.json {
            println!("{} {} {what}", own.date, era_date(own.date));
        }
    }
    let count = |kind| days.iter().filter(|d| d.kind == kind).count().to_string();
    say(
        report,
        &[
            ("national", count(DayKind::National)),
            ("extra", count(DayKind::Extra)),
            ("removed", count(DayKind::Removed)),
            ("version", version),
        ],
    );
    Ok(())
}

fn differs(difference: &Difference, lang: Lang) -> String {
    match difference {
        Difference::Added { date, name } => in_words(
            lang,
            format!("{date} {name}：一覧では休日、法律の計算では休日ではありません"),
            format!("{date} {name}: a holiday by the list, not by the rule of the law"),
        ),
        Difference::Removed { date, name } => in_words(
            lang,
            format!("{date} {name}：法律の計算では休日、一覧にはありません"),
            format!("{date} {name}: a holiday by the rule of the law, not by the list"),
        ),
        Difference::Renamed { date, name, by_rule } => in_words(
            lang,
            format!("{date}：一覧では {name}、法律の計算では {by_rule}"),
            format!("{date}: {name} by the list, {by_rule} by the rule of the law"),
        ),
    }
}

fn refused(error: ListRefused, lang: Lang) -> Stop {
    let en = error.to_string();
    let ja = match &error {
        ListRefused::NotTheList(NotTheList::Header) => {
            "1 行目が「国民の祝日・休日月日,国民の祝日・休日名称」ではありません。内閣府の一覧ではないようです".to_owned()
        }
        ListRefused::NotTheList(NotTheList::Line { line }) => {
            format!("{line} 行目が「2026/5/6,休日」の形ではありません")
        }
        ListRefused::NotTheList(NotTheList::Twice { line, date }) => {
            format!("{line} 行目：{date} が二度あります")
        }
        ListRefused::NotTheList(NotTheList::NotWhole { year, missing }) => {
            format!("{year} 年がそろっていません（{missing} がありません）。ファイルが途中で切れていませんか")
        }
        ListRefused::NotTheList(NotTheList::Size) => "日付が一つもないか、多すぎます".to_owned(),
        ListRefused::NotText => "UTF-8 でも Shift_JIS でもないか、大きすぎます".to_owned(),
        ListRefused::App(_) => return Stop::from(error),
    };
    Stop::usage(lang, format!("{ja}。何も変更していません"), format!("{en}; nothing was changed"))
}

pub async fn calendar(arg: CalendarArgs, lang: Lang) -> Result<(), Stop> {
    let rules = match &arg.rules {
        Some(path) => {
            let shown = path.display();
            let text = String::from_utf8(read(path, RULES_MAX_BYTES, lang)?).map_err(|_| {
                Stop::usage(lang, format!("{shown} は UTF-8 ではありません"), format!("{shown} is not UTF-8"))
            })?;
            let rules = BandRules::parse(&text).map_err(|mistakes| {
                let told = mistakes.into_iter().map(|(line, key, problem)| {
                    in_words(
                        lang,
                        format!("{shown} {line} 行目 {key}：{problem}"),
                        format!("{shown} line {line}, key `{key}`: {problem}"),
                    )
                });
                Stop::Usage(told.collect::<Vec<_>>().join("\n"))
            })?;
            Some(rules)
        }
        None => None,
    };
    let (app, home, who) = at(&arg.at, lang).await?;
    if let Some(rules) = rules {
        app.calendar_rules_put(&who, rules).await.map_err(|e| Stop::app(lang, e))?;
    }
    let rules = serde_json::to_string(&app.calendar_rules(&home.id).await?)?;
    let version = app.calendar_of(&home.id).await?.version;
    app.db.close().await;
    say(&arg.at.report, &[("rules", rules), ("version", version)]);
    Ok(())
}

pub async fn hold(arg: HoldArgs, lang: Lang) -> Result<(), Stop> {
    let lift = match &arg.lift {
        Some(id) => Some(HoldId::from_api(id).map_err(|_| {
            Stop::usage(
                lang,
                "lift：hld_ で始まる番号を書いてください",
                "lift takes an id that begins with hld_",
            )
        })?),
        None => None,
    };
    let (app, home, who) = at(&arg.at, lang).await?;
    let report = &arg.at.report;
    if let Some(id) = lift {
        app.hold_lift(&who, &id, None).await.map_err(|e| Stop::app(lang, e))?;
        app.db.close().await;
        say(report, &[("lifted", id.api())]);
        return Ok(());
    }
    if let Some(reason) = &arg.reason {
        let held = arg.case.map_or(Held::Everything, Held::Case);
        let id = app.hold_put(&who, held, reason, None).await.map_err(|e| Stop::app(lang, e))?;
        app.db.close().await;
        say(report, &[("id", id.api())]);
        return Ok(());
    }
    let holds = app.holds(&home.id).await?;
    app.db.close().await;
    let standing: Vec<_> = holds.into_iter().filter(|h| h.lifted.is_none()).collect();
    if report.json {
        let ids: Vec<String> = standing.iter().map(|h| h.id.api()).collect();
        say(report, &[("standing", ids.join(" "))]);
        return Ok(());
    }
    for hold in &standing {
        let what = hold.case_no.clone().unwrap_or_else(|| in_words(lang, "全体", "everything"));
        println!("{} {what} {} {}", hold.id.api(), hold.since, hold.reason);
    }
    say(report, &[("standing", standing.len().to_string())]);
    Ok(())
}

pub async fn retention(arg: RetentionArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, who) = at(&arg.at, lang).await?;
    let report = &arg.at.report;
    if arg.run {
        let done = app.retention_run(&who).await.map_err(|e| Stop::app(lang, e))?;
        app.db.close().await;
        let texts: u32 = done.iter().flat_map(|key| key.texts.values()).sum();
        let keys: Vec<&str> = done.iter().map(|key| key.key.as_str()).collect();
        say(report, &[("keys", keys.join(" ")), ("texts", texts.to_string())]);
        return Ok(());
    }
    let (mut years, revision) = app.retention_settings(&home.id).await?;
    if arg.clinical.is_some() || arg.reports.is_some() || arg.ledger.is_some() {
        years.clinical = arg.clinical.unwrap_or(years.clinical);
        years.reports = arg.reports.unwrap_or(years.reports);
        years.ledger = arg.ledger.unwrap_or(years.ledger);
        app.retention_settings_put(&who, years, revision).await.map_err(|e| Stop::app(lang, e))?;
    }
    let reports = app.retention_report(&home.id).await?;
    app.db.close().await;
    let mut values = vec![
        ("clinical", years.clinical.to_string()),
        ("reports", years.reports.to_string()),
        ("ledger", years.ledger.to_string()),
    ];
    if let Some(last) = reports.first() {
        values.push(("last_report", last.month.clone()));
        values.push(("last_report_texts", last.texts().to_string()));
    }
    say(report, &values);
    Ok(())
}
