//! Choosing a file, and reading it where nobody waits behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Path;
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::Semaphore;

use super::super::caller::{Caller, see_other};
use super::super::failure::Failure;
use super::super::views::sheets::{SheetImport, TemplateLink};
use super::super::views::{Choices, Field, render};
use super::export::{XLSX, download, workbook};
use super::upload::Upload;
use super::{SHEETS, kind_name, kinds};
use crate::app::sheets::template as empty_sheet;
use crate::domain::people::rights::Right;
use crate::domain::people::sheet::{Kind, Table};
use crate::export::sheet::{FileRefused, LIMITS, read as read_file, write_xlsx};
use crate::i18n::{Lang, t, t_with};

/// One file at a time: a spreadsheet takes its size many times over while it is read.
static READING: Semaphore = Semaphore::const_new(1);
/// How long one waits for its turn, and how long its reading may take.
const TURN: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_secs(20);

/// What a page says about a file that is not read.
pub(in crate::web::ui) fn refusal(refused: FileRefused, lang: Lang) -> String {
    let row = refused.row().map(|row| row.to_string()).unwrap_or_default();
    t_with(lang, &format!("sheet-file-{}", refused.code()), &[("row", &row)])
}

/// Reads a file on a thread of its own. `None`: others are before it.
pub(in crate::web::ui) async fn table(file: Bytes, sheet: String) -> Option<Result<Table, FileRefused>> {
    let turn = tokio::time::timeout(TURN, READING.acquire()).await.ok()?.ok()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let reading = tokio::task::spawn_blocking(move || {
        let read = read_file(&file, &sheet, &LIMITS, &stopped);
        // Only now is the next one's turn: a reading that was given up may still hold its memory.
        drop(turn);
        read
    });
    let read = tokio::time::timeout(READ, reading).await;
    stop.store(true, Ordering::Relaxed);
    Some(match read {
        Ok(Ok(read)) => read,
        // It broke on a file that no test has seen; the file is as good as damaged.
        Ok(Err(_)) => Err(FileRefused::Damaged),
        Err(_) => Err(FileRefused::TooSlow),
    })
}

fn page(caller: &Caller, kinds: Choices, sheet: Field, file_problem: Option<String>) -> Response {
    let templates = Kind::ALL.into_iter().map(|kind| TemplateLink {
        href: format!("/sheets/template/{}", kind.code()),
        name: kind_name(kind, caller.lang),
    });
    let view = SheetImport {
        shell: caller.shell_at(SHEETS, "/sheets/import"),
        kinds,
        sheet,
        file_problem,
        templates: templates.collect(),
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

/// `GET /sheets/import`
pub(super) async fn form(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    caller.with_right(Right::Sheets)?;
    Ok(page(&caller, kinds(caller.lang, Some(Kind::Members), true), Field::default(), None))
}

/// `POST /sheets/import`: `kind`, `file`, `sheet`.
pub(super) async fn read(caller: Caller, upload: Result<Upload, Failure>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Sheets)?;
    let Upload { fields, file } = upload?;
    fields.check(&caller, SHEETS)?;
    let key = fields.key("sheet.read")?;
    let lang = caller.lang;
    let kind = Kind::from_code(fields.get("kind"));
    let sheet = fields.text("sheet");
    let mut choices = kinds(lang, kind, true);
    let again = |choices, problem: Option<String>| {
        let sheet = Field { value: sheet.clone(), problem: None };
        Ok(page(&caller, choices, sheet, problem))
    };
    let Some(kind) = kind else {
        choices.problem = Some(t(lang, "sheet-kind-missing"));
        return again(choices, file.is_empty().then(|| t(lang, "sheet-file-missing")));
    };
    if file.is_empty() {
        return again(choices, Some(t(lang, "sheet-file-missing")));
    }
    match table(file, sheet.clone()).await {
        None => again(choices, Some(t(lang, "sheet-file-busy"))),
        Some(Err(refused)) => again(choices, Some(refusal(refused, lang))),
        Some(Ok(table)) => {
            let id = caller.web.app.sheet_read(&person.who(), kind, table, Some(&key)).await?;
            Ok(see_other(&format!("/sheets/runs/{id}")))
        }
    }
}

/// `GET /sheets/template/{kind}`: nobody's data.
pub(super) async fn template(caller: Caller, Path(kind): Path<String>) -> Result<Response, Failure> {
    caller.with_right(Right::Sheets)?;
    let kind = Kind::from_code(&kind).ok_or(Failure::not_found())?;
    let bytes = workbook(write_xlsx(&empty_sheet(kind, caller.lang)))?;
    Ok(download(&format!("touban-{}.xlsx", kind.code()), XLSX, bytes))
}
