//! What is printed and taken out of the ledger: statements, and tables as files.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::sheets::{XLSX, download, workbook};
use super::super::views::sheets::MissingCharacters;
use super::super::views::{LedgerLetter, LedgerLetters, LedgerPaper, LedgerStatement, TableCell, render};
use super::year::{events, medians};
use super::{FORMATS, LEDGER, Said, bars, desk, drawing, href, line_view, month_of, named, voice_of, yen};
use crate::app::ledger::close::MonthView;
use crate::app::ledger::figures::PaymentList;
use crate::app::ledger::reports::{ClaimItem, Letter};
use crate::app::ledger::tables::{KINDS, footer, month_name, on_paper};
use crate::domain::calendar::CivilDate;
use crate::domain::ledger::{Cell, Month};
use crate::domain::people::rights::Right;
use crate::export::ledger::{csv_shift_jis, csv_utf8, json, xlsx};
use crate::export::transfer::{NotTransferable, Payer, Transfer, transfer_list};
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
    // Whether it is one of this association.
    app.institution(home, &id).await?;
    let view = app.ledger_month_of(home, month, &id).await?;
    let voice = voice_of(&caller);
    let all = view.lines.iter().chain(&view.held).filter(|l| l.institution == id);
    let names = app.ledger_names(home, &view.names, all).await?;
    let names = app.ledger_institutions(home, &names, std::iter::once(&id)).await?;
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
    let (made_by, approved_by) = signed(&caller, &view).await;
    let page = LedgerStatement {
        shell: caller.shell_at(LEDGER, "/ledger"),
        month: month_name(month, lang),
        back: href(month),
        institution: names.institution(&id),
        code: names.code(&id),
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
        made_by,
        approved_by,
        seal: footer(&view, lang),
    };
    Ok(caller.page(render(&page), false))
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    month: String,
    #[serde(default)]
    table: String,
}

/// Who made and approved a month, for the boxes of seals.
async fn signed(caller: &Caller, view: &MonthView) -> (String, String) {
    let Some(close) = &view.close else { return (String::new(), String::new()) };
    let approved = match &close.sealed {
        Some(sealed) => named(caller, &sealed.by).await,
        None => String::new(),
    };
    (named(caller, &close.made_by).await, approved)
}

/// `GET /ledger/paper`: a table of the month to be printed.
pub(super) async fn paper(caller: Caller, Query(which): Query<Which>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ledger)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    // Without a month and a table the desk shows where they are chosen.
    let kind = KINDS.into_iter().find(|kind| *kind == which.table);
    let (Ok(month), Some(kind)) = (which.month.parse::<Month>(), kind) else {
        return Ok(super::super::caller::see_other("/ledger"));
    };
    let view = app.ledger_month(home, month).await?;
    let table = app.ledger_table(home, &view, kind, lang).await?.ok_or(Failure::not_found())?;
    let table = on_paper(kind, table);
    let cell = |cell: &Cell| match cell {
        Cell::Yen(n) => TableCell { text: Yen(*n).to_string(), is_number: true },
        Cell::Count(n) => TableCell { text: n.to_string(), is_number: true },
        other => TableCell { text: other.text(), is_number: false },
    };
    let sum = |key: &str| {
        let at = table.columns.iter().position(|(name, _)| *name == key)?;
        let cells = table.rows.iter().filter_map(|row| row.get(at));
        Some(cells.fold(0i64, |sum, cell| if let Cell::Yen(n) = cell { sum.saturating_add(*n) } else { sum }))
    };
    let key = match kind {
        "claims" => "claim_yen",
        "year" | "report" => "year_yen",
        _ => "amount_yen",
    };
    // A table of several cuts has the same sum several times over.
    let several = ["tallies", "city", "invoice", "balance", "cuts", "evaluation", "ending"];
    let total = if several.contains(&kind) { None } else { sum(key) };
    let (made_by, approved_by) = signed(&caller, &view).await;
    let now = crate::app::say::moment(caller.now, caller.zone(), lang);
    let page = LedgerPaper {
        shell: caller.shell_at(LEDGER, "/ledger"),
        title: table.title.clone(),
        back: href(month),
        month: month_name(month, lang),
        is_draft: !view.is_closed(),
        columns: table.columns.iter().map(|(_, name)| name.clone()).collect(),
        rows: table.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        total: total.map(|sum| yen(lang, Yen(sum))),
        drawings: drawings(&caller, kind, &view).await?,
        made: t_with(lang, "ledger-printed", &[("at", &now)]),
        made_by,
        approved_by,
        seal: table.footer,
    };
    Ok(caller.page(render(&page), false))
}

/// `GET /ledger/letter`: the claims of a closed month as letters to their funders.
pub(super) async fn letter(caller: Caller, Query(which): Query<Which>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Ledger)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let Ok(month) = which.month.parse::<Month>() else {
        return Ok(super::super::caller::see_other("/ledger"));
    };
    let view = app.ledger_month(home, month).await?;
    let shell = caller.shell_at(LEDGER, "/ledger");
    let one = |letter: Letter| {
        let claim = &letter.claim;
        let span = if claim.first == claim.last {
            month_name(claim.last, lang)
        } else {
            format!("{}〜{}", month_name(claim.first, lang), month_name(claim.last, lang))
        };
        let item = |item: &ClaimItem| {
            let lines = item.lines.map(|n| n.to_string()).unwrap_or_default();
            (item.name.clone(), lines, item.yen.map_or_else(String::new, |n| yen(lang, Yen(n))))
        };
        LedgerLetter {
            funder: claim.funder.clone(),
            from: letter.institution.clone().unwrap_or_else(|| shell.association_name.clone()),
            program: claim.name.clone(),
            words: t_with(lang, "ledger-letter-for", &[("program", &claim.name), ("span", &span)]),
            sum: claim.claim.map(|c| yen(lang, c.amount)),
            items: letter.items.iter().map(item).collect(),
        }
    };
    let letters = app.ledger_letters(home, &view, lang).await?.into_iter().map(one).collect();
    let (made_by, approved_by) = signed(&caller, &view).await;
    let now = crate::app::say::moment(caller.now, caller.zone(), lang);
    let page = LedgerLetters {
        month: month_name(month, lang),
        back: href(month),
        is_draft: !view.is_closed(),
        letters,
        made: t_with(lang, "ledger-printed", &[("at", &now)]),
        made_by,
        approved_by,
        seal: footer(&view, lang),
        shell,
    };
    Ok(caller.page(render(&page), false))
}

/// The pictures that go with a printed table: of the year its budgets, its load, the time to answer.
async fn drawings(caller: &Caller, kind: &str, view: &MonthView) -> Result<Vec<(String, String)>, Failure> {
    if kind != "year" {
        return Ok(Vec::new());
    }
    let person = caller.with_right(Right::Ledger)?;
    let (app, home, lang) = (&caller.web.app, &person.association.id, caller.lang);
    let year = view.month.fiscal_year();
    let mut all = Vec::new();
    for burn in app.ledger_burn(home, year).await? {
        let words = format!("{}：{}", burn.name, t(lang, "ledger-burn-words"));
        all.extend(drawing(&burn).map(|drawing| (drawing, words)));
    }
    let load = app.ledger_load(home, year).await?;
    all.extend(bars(&events(&load)).map(|drawing| (drawing, t(lang, "ledger-load-words"))));
    all.extend(bars(&medians(&load)).map(|drawing| (drawing, t(lang, "ledger-load-minutes-words"))));
    Ok(all)
}

/// The file for the bank, or what stands against it, in words.
fn transfers(
    caller: &Caller,
    list: &PaymentList,
    code: &str,
    day: CivilDate,
) -> Result<(Vec<u8>, usize), Vec<String>> {
    let lang = caller.lang;
    let Some((_, account)) = &list.payer else {
        return Err(vec![t(lang, "ledger-transfer-no-payer")]);
    };
    let payer = Payer { code: code.to_owned(), name: account.holder.clone(), account: account.clone() };
    let mut wrong = Vec::new();
    let mut payments = Vec::new();
    for (n, payment) in (1u32..).zip(list.payments.iter().filter(|p| p.yen.0 > 0)) {
        match &payment.account {
            None => wrong.push(t_with(lang, "ledger-transfer-no-account", &[("name", &payment.name)])),
            Some(account) => payments.push(Transfer {
                name: payment.name.clone(),
                account: account.clone(),
                yen: payment.yen.0,
                reference: if payment.code.is_empty() { n.to_string() } else { payment.code.clone() },
            }),
        }
    }
    let told = |wrong: NotTransferable| match wrong {
        NotTransferable::Field { whose, field } => {
            let what = t(lang, &format!("ledger-transfer-{field}"));
            t_with(lang, "ledger-transfer-field", &[("name", &whose), ("what", &what)])
        }
        NotTransferable::Yen { whose } => t_with(lang, "ledger-transfer-yen", &[("name", &whose)]),
        NotTransferable::Nobody => t(lang, "ledger-transfer-nobody"),
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    match transfer_list(&payer, &format!("{:02}{:02}", day.month(), day.day()), &payments) {
        Ok(bytes) => Ok((bytes, payments.len())),
        Err(all) => Err(all.into_iter().map(told).collect()),
    }
}

/// `POST /ledger/transfer`: `month`, `payer_code`, `day`. The bank transfer list of a closed month; asks for a proof
/// of who it is first, as the bank accounts do.
pub(super) async fn transfer(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    caller.with_right(Right::Bank)?;
    fields.check(&caller, LEDGER)?;
    let person = caller.fresh_with(Right::Bank, &fields)?;
    let lang = caller.lang;
    let month = month_of(&fields)?;
    let code = super::super::form::narrow(fields.get("payer_code"));
    let problem = |text: String| Said { problem: Some(text), ..Said::default() };
    let Ok(day) = super::super::form::narrow(fields.get("day")).parse::<CivilDate>() else {
        return desk(&caller, month, problem(t(lang, "ledger-transfer-day"))).await;
    };
    let Some(list) = caller.web.app.ledger_payments(&person.who(), month).await? else {
        return desk(&caller, month, problem(t(lang, "ledger-export-open"))).await;
    };
    match transfers(&caller, &list, &code, day) {
        Ok((bytes, rows)) => {
            let what = ("transfer", "zengin");
            caller.web.app.ledger_exported(&person.who(), month, what, rows).await?;
            Ok(download(&format!("transfer-{month}.txt"), "text/plain; charset=shift_jis", bytes))
        }
        Err(wrong) => desk(&caller, month, problem(wrong.join("　"))).await,
    }
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
    let table = app.ledger_table(home, &view, kind, lang).await?.ok_or(Failure::form_expired())?;
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
        _ => (XLSX, "xlsx", workbook(xlsx(&table))?),
    };
    app.ledger_exported(&person.who(), month, (kind, format), table.rows.len()).await?;
    Ok(download(&format!("ledger-{kind}-{month}.{ending}"), content_type, bytes))
}
