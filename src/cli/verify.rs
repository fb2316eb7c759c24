//! `touban verify`: prints what the check of `app` found.

use serde_json::json;

use super::args::ReportArgs;
use super::open::{self, Missing};
use super::stop::{Stop, in_words};
use crate::app::App;
use crate::i18n::Lang;
use crate::seal::Seal;
use crate::store::secrets::{Vault, key_fits};

/// Checks the database against itself and writes nothing into it.
pub async fn run(arg: &ReportArgs, lang: Lang) -> Result<(), Stop> {
    let config = open::config(arg.config.config.as_deref(), lang)?;
    let (clock, chance) = open::real_world();
    let rules = open::rules(&config, open::loopback_url(config.listen.port()), lang)?;
    let db = open::database(&config, Missing::Refuse, lang).await?;
    if !db.migrations_missing().await?.is_empty() {
        return Err(Stop::failed(
            lang,
            "データベースの形が古いので点検できません。先に touban migrate を実行してください",
            "the database has an older schema; run touban migrate first",
        ));
    }
    let seal = Seal::load(&config.keys.file).map_err(|e| open::key_problem(&e, lang))?;
    if key_fits(&mut db.read().await?, &seal).await? == Some(false) {
        let path = &config.keys.file;
        return Err(Stop::failed(lang, open::wrong_key_ja(path), open::wrong_key_en(path)));
    }
    let app = App::new(db, Vault { seal, chance }, clock, rules);
    let found = app.verify().await?;
    app.db.close().await;

    let whole = found.problems.is_empty();
    if arg.json {
        let report = json!({
            "ok": whole,
            "associations": found.associations,
            "audit_rows": found.audit_rows,
            "month_keys": found.month_keys,
            "requests": found.requests,
            "ledger_lines": found.ledger_lines,
            "sealed_lines": found.sealed_lines,
            "problems": found.problems,
        });
        println!("{report:#}");
    } else {
        println!(
            "{}",
            in_words(
                lang,
                format!(
                    "点検しました：医師会 {}、記録 {} 行、月の鍵 {}、依頼 {} 件、台帳 {} 行、締めた明細 {} 行",
                    found.associations,
                    found.audit_rows,
                    found.month_keys,
                    found.requests,
                    found.ledger_lines,
                    found.sealed_lines
                ),
                format!(
                    "checked: {} associations, {} rows of the audit, {} month keys, {} requests, {} lines of \
                     the ledger, {} of closed months",
                    found.associations,
                    found.audit_rows,
                    found.month_keys,
                    found.requests,
                    found.ledger_lines,
                    found.sealed_lines
                ),
            )
        );
        for problem in &found.problems {
            println!("{}", in_words(lang, format!("問題：{problem}"), format!("problem: {problem}")));
        }
        if whole {
            println!("{}", in_words(lang, "問題はありません", "everything holds"));
        }
    }
    if whole { Ok(()) } else { Err(Stop::Found) }
}
