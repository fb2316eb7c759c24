//! What is printed and taken out of the ledger: statements, and tables as files.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::sheets::download;
use super::super::views::sheets::MissingCharacters;
use super::super::views::{LedgerStatement, render};
use super::{FORMATS, LEDGER, Said, desk, href, line_view, month_of, named, voice_of, yen};
use crate::app::ledger::tables::{KINDS, claims, details, footer, institutions, month_name, tallies};
use crate::domain::ledger::Month;
use crate::domain::people::rights::Right;
use crate::export::ledger::{csv_shift_jis, csv_utf8, json, xlsx};
use crate::i18n::{t, t_with};
use crate::ids::InstitutionId;
use crate::money::Yen;

/// Cells that a page names.
const SHOWN: usize = 50;

#[derive(Deserialize)]
pub(super) struct Of {
    #[serde(default)]
    month: String,
    #[serde(default)]
    institution: String,
}

/// `GET /ledger/statement`
pub(super) async fn statement(caller: Caller, Query(of): Query<Of>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ledger)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    // Without a month and an institution the desk shows where they are chosen.
    let (Ok(month), Ok(id)) = (of.month.parse::<Month>(), InstitutionId::from_stored(&of.institution)) else {
        return Ok(super::super::caller::see_other("/ledger"));
    };
    let institution = app.institution(home, &id).await?;
    let view = app.ledger_month(home, month).await?;
    let voice = voice_of(&caller);
    let all = view.lines.iter().chain(&view.held).filter(|l| l.institution == id);
    let names = app.ledger_names(home, all).await?;
    let line = |line: &&crate::domain::ledger::Line| line_view(voice, &view, line, &names, false);
    let statement = view.statement(&id);
    let sealed = view.close.as_ref().and_then(|c| c.sealed.as_ref());
    let total = statement.as_ref().map_or(Yen(0), |s| s.total);
    let program = |code: &str| {
        let known = view.tariffs.programs().values().find(|p| p.code.as_str() == code);
        match known {
            Some(program) => program.name.clone(),
            None if code.is_empty() => t(lang, "ledger-tally-none"),
            None => code.to_owned(),
        }
    };
    let page = LedgerStatement {
        shell: caller.shell_at(LEDGER, "/ledger"),
        month: month_name(month, lang),
        back: href(month),
        institution: institution.name,
        code: institution.code,
        is_draft: sealed.is_none(),
        lines: statement.iter().flat_map(|s| &s.lines).map(line).collect(),
        held: statement.iter().flat_map(|s| &s.held).map(line).collect(),
        programs: statement
            .iter()
            .flat_map(|s| &s.programs)
            .map(|(code, sum)| (program(code), yen(lang, *sum)))
            .collect(),
        sides: statement
            .iter()
            .flat_map(|s| &s.sides)
            .map(|(side, sum)| (voice.word("side", side.code()), yen(lang, *sum)))
            .collect(),
        total: yen(lang, total),
        below: total.0 < 0,
        made: {
            let now = crate::app::say::moment(caller.now, caller.zone(), lang);
            t_with(lang, "ledger-printed", &[("at", &now)])
        },
        made_by: match &view.close {
            Some(close) => named(&caller, &close.made_by).await,
            None => String::new(),
        },
        approved_by: match sealed {
            Some(sealed) => named(&caller, &sealed.by).await,
            None => String::new(),
        },
        seal: footer(&view, lang),
    };
    Ok(caller.page(render(&page), false))
}

/// `POST /ledger/export`: `month`, `table`, `format`; `replace`: write 〓 for what Shift_JIS does not have.
pub(super) async fn export(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Close).or_else(|_| caller.with_right(Right::Approve))?;
    fields.check(&caller, LEDGER)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let month = month_of(&fields)?;
    let kind = KINDS.into_iter().find(|code| *code == fields.get("table")).ok_or(Failure::form_expired())?;
    let format =
        FORMATS.into_iter().find(|code| *code == fields.get("format")).ok_or(Failure::form_expired())?;
    let view = app.ledger_month(home, month).await?;
    if !view.is_closed() {
        let problem = Some(t(lang, "ledger-export-open"));
        return desk(&caller, month, Said { problem, ..Said::default() }).await;
    }
    let names = app.ledger_names(home, view.lines.iter()).await?;
    let table = match kind {
        "institutions" => institutions(&view, &names, lang),
        "tallies" => tallies(&view, lang),
        "claims" => {
            let all = app.ledger_claims(home, month).await?.unwrap_or_default();
            claims(&view, &all, &names, lang)
        }
        _ => details(&view, &names, lang),
    };
    let (content_type, ending, bytes) = match format {
        "csv" => ("text/csv; charset=utf-8", "csv", csv_utf8(&table)),
        "json" => ("application/json", "json", json(&table)),
        "csv-sjis" => match csv_shift_jis(&table, fields.is_ticked("replace")) {
            Ok(bytes) => ("text/csv; charset=shift_jis", "csv", bytes),
            Err(cells) => {
                let missing = cells.into_iter().take(SHOWN).map(|cell| MissingCharacters {
                    row: t_with(lang, "run-row-n", &[("n", &cell.row.to_string())]),
                    column: cell.column,
                    text: cell.text,
                    characters: cell.characters,
                });
                let said = Said {
                    missing: missing.collect(),
                    table: kind.to_owned(),
                    format: format.to_owned(),
                    ..Said::default()
                };
                return desk(&caller, month, said).await;
            }
        },
        _ => {
            let bytes = xlsx(&table).map_err(|error| {
                tracing::error!(error = &*error as &dyn std::error::Error, "A sheet could not be written");
                Failure::broken()
            })?;
            (super::super::sheets::XLSX, "xlsx", bytes)
        }
    };
    app.ledger_exported(&person.who(), month, (kind, format), table.rows.len()).await?;
    Ok(download(&format!("ledger-{kind}-{month}.{ending}"), content_type, bytes))
}
