//! Files read in and taken out: members, institutions, contact windows.

pub(super) mod export;
pub(super) mod import;
mod runs;
pub(super) mod upload;

pub(super) use export::{XLSX, download, workbook};

use axum::response::Response;

use crate::app::rows::{RunState, SheetRun};
use crate::domain::people::rights::Right;
use crate::domain::people::sheet::{Counts, Kind};
use crate::i18n::{Lang, t, t_with};
use crate::ids::SheetRunId;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::views::sheets::{RunRow, Sheets};
use super::views::{Choice, Choices, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/sheets" => overview;
    get "/sheets/import" => import::form;
    post "/sheets/import" => import::read;
    get "/sheets/template/{kind}" => import::template;
    get "/sheets/runs/{id}" => runs::show;
    post "/sheets/runs/{id}/confirm" => runs::confirm;
    post "/sheets/runs/{id}/stop" => runs::stop;
    post "/sheets/runs/{id}/undo" => runs::undo;
    get "/sheets/export" => export::form;
    post "/sheets/export" => export::take;
}

const SHEETS: Binding<'static> = Binding::Page("sheets");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn kind_name(kind: Kind, lang: Lang) -> String {
    t(lang, &format!("sheet-kind-of-{}", kind.code()))
}

/// The kinds to choose from.
fn kinds(lang: Lang, chosen: Option<Kind>, notes: bool) -> Choices {
    let option = |kind: Kind| Choice {
        value: kind.code().to_owned(),
        label: kind_name(kind, lang),
        note: notes.then(|| t(lang, &format!("sheet-note-of-{}", kind.code()))),
        chosen: chosen == Some(kind),
    };
    Choices { options: Kind::ALL.into_iter().map(option).collect(), problem: None }
}

fn id_of(path: &str) -> Result<SheetRunId, Failure> {
    SheetRunId::from_stored(path).map_err(|_| Failure::not_found())
}

fn counted(counts: Counts, lang: Lang) -> String {
    let (added, changed, refused) =
        (counts.added.to_string(), counts.changed.to_string(), counts.refused.to_string());
    t_with(lang, "sheet-result", &[("added", &added), ("changed", &changed), ("refused", &refused)])
}

fn state_line(run: &SheetRun, caller: &Caller) -> StateLine {
    let (code, tone) = match run.state {
        RunState::Waiting if run.waits(caller.now) => ("waiting", Tone::Info),
        RunState::Waiting | RunState::Dropped => ("dropped", Tone::Plain),
        RunState::Done => ("done", Tone::Good),
        RunState::Undone => ("undone", Tone::Warn),
    };
    StateLine { text: t(caller.lang, &format!("sheet-state-{code}")), tone }
}

/// `GET /sheets`
async fn overview(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else {
        return Ok(caller.to_sign_in());
    };
    caller.with_right(Right::Sheets)?;
    let voice = voice(&caller);
    let rows = caller.web.app.sheet_runs(&person.who()).await?;
    let rows = rows.iter().map(|run| RunRow {
        href: format!("/sheets/runs/{}", run.id),
        at: voice.moment(run.made_at),
        kind: kind_name(run.kind, caller.lang),
        state: state_line(run, &caller),
        result: run.done_at.map(|_| counted(run.counts, caller.lang)),
    });
    let view = Sheets { shell: caller.shell(SHEETS), runs: rows.collect() };
    Ok(caller.page(render(&view), false))
}
