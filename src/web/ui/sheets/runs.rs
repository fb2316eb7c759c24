//! What a sheet would change, row by row; confirming, stopping, undoing.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::{Caller, see_other};
use super::super::directory::windows::{days, hours};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::render;
use super::super::views::sheets::{
    Change, ChangedRow, Hidden64, NotedRow, RefusedCell, Rest, RunDone, RunPage, RunPlan, SheetRunView,
};
use super::{SHEETS, counted, id_of, kind_name, state_line, voice};
use crate::app::rows::RunState;
use crate::app::sheets::{Applied, Confirm, RunView, Undone};
use crate::domain::calendar::FiscalYear;
use crate::domain::people::rights::Right;
use crate::domain::people::sheet::{CellProblem, Kind, Note, Outcome, Plan, PlannedRow, Target};
use crate::i18n::{Lang, t, t_with};

/// Rows of each table that a page shows.
const SHOWN: usize = 300;

fn row_name(row: u32, lang: Lang) -> String {
    t_with(lang, "run-row-n", &[("n", &row.to_string())])
}

fn column_name(column: crate::domain::people::sheet::Column, lang: Lang) -> String {
    t(lang, &format!("sheet-column-{}", column.code()))
}

fn refused(row: &PlannedRow, problem: &CellProblem, plan: &Plan, lang: Lang) -> RefusedCell {
    let column = problem.column.map_or_else(
        || t(lang, "run-whole-row"),
        |column| {
            // As it stands in the clerk's own sheet, where it stands there.
            let theirs = plan.columns.iter().find(|seen| seen.column == Some(column));
            theirs.map_or_else(|| column_name(column, lang), |seen| seen.header.clone())
        },
    );
    let value = if problem.column.is_none() { String::new() } else { problem.value.clone() };
    RefusedCell {
        row: row_name(row.row, lang),
        name: row.label.clone(),
        column,
        value: if value.is_empty() { t(lang, "run-empty") } else { value },
        reason: t_with(
            lang,
            &format!("sheet-reason-{}", problem.reason.code()),
            &[("value", &problem.value)],
        ),
    }
}

fn noted(row: &PlannedRow, note: &Note, lang: Lang) -> NotedRow {
    let (column, value) = note.about();
    let column = column.map(|c| column_name(c, lang)).unwrap_or_default();
    let value = match note {
        Note::KindGuessed(code) => t(lang, &format!("sheet-kind-{code}")),
        _ => value.to_owned(),
    };
    let text =
        t_with(lang, &format!("sheet-note-{}", note.code()), &[("column", &column), ("value", &value)]);
    NotedRow { row: row_name(row.row, lang), name: row.label.clone(), text }
}

/// What a new entry says, in a few words.
fn summary(target: &Target, plan: &Plan, lang: Lang) -> String {
    let mut parts: Vec<String> = Vec::new();
    match target {
        Target::Member(draft) => {
            parts.push(draft.member_no.clone());
            parts.push(draft.kana.clone());
            if let crate::domain::people::sheet::InstitutionOf::New(n) = draft.institution {
                parts.extend(plan.new_institutions.get(n).map(|h| h.draft.name.clone()));
            }
            parts.extend(draft.roles.iter().map(|r| t(lang, &format!("word-role-{}", r.code()))));
            parts.extend(draft.phone.clone());
            parts.extend(draft.email.clone());
        }
        Target::Institution(draft) => {
            parts.push(draft.code.clone());
            parts.push(t(lang, &format!("sheet-kind-{}", draft.kind)));
            parts.push(draft.area.clone());
            parts.extend(draft.phone.clone());
        }
        Target::Windows(draft) => {
            parts.extend(draft.windows.iter().map(|window| {
                let way = t(lang, &format!("word-way-{}", window.way.code()));
                [way, days(window, lang), hours(window, lang), window.remarks.clone()].join(" ")
            }));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join(if lang == Lang::Ja { "、" } else { ", " })
}

/// The first of a list, and how many more there are.
fn first_of<T>(mut all: Vec<T>) -> (Vec<T>, Rest) {
    let more = all.len().saturating_sub(SHOWN);
    all.truncate(SHOWN);
    (all, Rest(u32::try_from(more).unwrap_or(u32::MAX)))
}

fn plan_view(view: &RunView, plan: &Plan, lang: Lang) -> RunPlan {
    let counts = plan.counts();
    let mut refusals = Vec::new();
    let (mut added, mut changed, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for row in &plan.rows {
        match &row.outcome {
            Outcome::Refused(problems) => {
                refusals.extend(problems.iter().map(|p| refused(row, p, plan, lang)));
            }
            Outcome::Add(target) => added.push(ChangedRow {
                row: row_name(row.row, lang),
                name: row.label.clone(),
                summary: summary(target, plan, lang),
                changes: Vec::new(),
            }),
            Outcome::Change { diffs, .. } => changed.push(ChangedRow {
                row: row_name(row.row, lang),
                name: row.label.clone(),
                summary: String::new(),
                changes: diffs
                    .iter()
                    .map(|diff| {
                        let said = |text: &str| {
                            if text.is_empty() { t(lang, "run-empty") } else { text.to_owned() }
                        };
                        Change {
                            column: column_name(diff.column, lang),
                            old: said(&diff.old),
                            new: said(&diff.new),
                        }
                    })
                    .collect(),
            }),
            Outcome::Same => {}
        }
        if !matches!(row.outcome, Outcome::Refused(_)) {
            notes.extend(row.notes.iter().map(|note| noted(row, note, lang)));
        }
    }
    let unknown = plan.columns.iter().filter(|seen| seen.column.is_none() && !seen.header.is_empty());
    let passed: Vec<String> = plan.passed_over.iter().take(20).map(ToString::to_string).collect();
    let separator = if lang == Lang::Ja { "・" } else { ", " };
    let mut read = vec![t(lang, &format!("run-encoding-{}", view.encoding))];
    if let Some(year) = plan.year.and_then(FiscalYear::beginning_in) {
        let year = if lang == Lang::Ja { year.long() } else { format!("FY{}", year.first_year()) };
        read.push(t_with(lang, "run-year", &[("year", &year)]));
    }
    if !view.sheet.is_empty() {
        read.push(t_with(lang, "run-read", &[("sheet", &view.sheet)]));
    }
    if !view.other_sheets.is_empty() {
        let others = view.other_sheets.join("、");
        read.push(t_with(lang, "run-other-sheets", &[("sheets", &others)]));
    }
    if view.formulas > 0 {
        read.push(t_with(lang, "run-formulas", &[("n", &view.formulas.to_string())]));
    }
    if !passed.is_empty() {
        read.push(t_with(lang, "run-passed-text", &[("rows", &passed.join(separator))]));
    }
    let (refusals, refused_rest) = first_of(refusals);
    let (added_rows, added_rest) = first_of(added);
    let (changed_rows, changed_rest) = first_of(changed);
    let (notes, notes_rest) = first_of(notes);
    RunPlan {
        has_heading: plan.heading.is_some(),
        // A row of members or places is one of them; a doctor's hours stand in several.
        counted: if plan.kind == Kind::Windows { "run-doctors" } else { "run-rows" },
        added: counts.added,
        changed: counts.changed,
        same: counts.same,
        refused: counts.refused,
        new_institutions: counts.new_institutions,
        read,
        unknown_columns: unknown.map(|seen| seen.header.clone()).collect(),
        refusals,
        refused_rest,
        added_rows,
        added_rest,
        changed_rows,
        changed_rest,
        notes,
        notes_rest,
        digest: Hidden64(view.digest.clone()),
        may_confirm: plan.changes_something(),
    }
}

async fn page(caller: &Caller, id: &str) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Sheets)?;
    let id = id_of(id)?;
    let lang = caller.lang;
    let view = caller.web.app.sheet_run(&person.who(), &id, lang).await?;
    let voice = voice(caller);
    let run = &view.run;
    let stage = match (&view.plan, run.state) {
        (Some(plan), _) => SheetRunView::Waiting {
            plan: Box::new(plan_view(&view, plan, lang)),
            until: voice.moment(run.expires_at),
        },
        (None, RunState::Done | RunState::Undone) => SheetRunView::Done(RunDone {
            result: counted(run.counts, lang),
            at: run.done_at.map(|at| voice.moment(at)).unwrap_or_default(),
            undo_until: run
                .can_be_undone(caller.now)
                .then(|| run.undo_until.map(|at| voice.moment(at)).unwrap_or_default()),
            was_undone: run.state == RunState::Undone,
        }),
        (None, _) => SheetRunView::Dropped,
    };
    let said = caller.said().and_then(|said| said_of(said, lang));
    let page = RunPage {
        shell: caller.shell_at(SHEETS, &format!("/sheets/runs/{id}")),
        id: id.to_string(),
        kind: kind_name(run.kind, lang),
        state: state_line(run, caller),
        made_at: voice.moment(run.made_at),
        problem: said.as_ref().filter(|(bad, _)| *bad).map(|(_, text)| text.clone()),
        notice: said.as_ref().filter(|(bad, _)| !*bad).map(|(_, text)| text.clone()),
        stage,
        once: caller.once(),
    };
    Ok(caller.page(render(&page), said.is_some()))
}

/// What the last step said: a word of ours, with numbers behind it. `true`: it could not be done.
fn said_of(said: &str, lang: Lang) -> Option<(bool, String)> {
    let mut parts = said.split('.');
    let word = parts.next()?;
    let numbers: Vec<&str> = parts.filter(|n| n.bytes().all(|b| b.is_ascii_digit())).collect();
    match (word, numbers.as_slice()) {
        ("sheet-done", _) => Some((false, t(lang, "run-done"))),
        ("sheet-dropped", _) => Some((false, t(lang, "run-dropped"))),
        ("sheet-undone", [put, removed, kept]) => {
            let values = [("put_back", *put), ("removed", *removed), ("kept", *kept)];
            Some((false, t_with(lang, "run-undone", &values)))
        }
        ("sheet-changed", _) => Some((true, t(lang, "run-changed-meanwhile"))),
        ("sheet-has-refused", _) => Some((true, t(lang, "run-has-refused"))),
        ("sheet-undo-changed", _) => Some((true, t(lang, "run-undo-changed"))),
        ("sheet-undo-over", _) => Some((true, t(lang, "run-undo-over"))),
        _ => None,
    }
}

/// `GET /sheets/runs/{id}`
pub(super) async fn show(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    id_of(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &id).await
}

/// `POST /sheets/runs/{id}/confirm`: `plan` names what was looked at; `leave_out`: without what cannot be taken.
pub(super) async fn confirm(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Sheets)?;
    let id = id_of(&id)?;
    fields.check(&caller, SHEETS)?;
    let key = fields.key(&format!("POST /sheets/runs/{id}/confirm"))?;
    let back = format!("/sheets/runs/{id}");
    let confirm = Confirm { digest: fields.get("plan").to_owned(), leave_out: fields.is_ticked("leave_out") };
    let said = match caller.web.app.sheet_confirm(&person.who(), &id, confirm, Some(&key)).await {
        Ok(done) => match done.into_inner() {
            Applied::Done(_) => "sheet-done",
            Applied::HasRefused(_) => "sheet-has-refused",
            Applied::NotThere | Applied::Changed => "sheet-changed",
        },
        Err(e) if e.is_stale() => "sheet-changed",
        Err(e) => return Err(e.into()),
    };
    Ok(caller.go_and_say(&back, said))
}

/// `POST /sheets/runs/{id}/stop`
pub(super) async fn stop(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Sheets)?;
    let id = id_of(&id)?;
    fields.check(&caller, SHEETS)?;
    let key = fields.key(&format!("POST /sheets/runs/{id}/stop"))?;
    caller.web.app.sheet_run_there(&person.who(), &id).await?;
    let dropped = caller.web.app.sheet_drop(&person.who(), &id, Some(&key)).await?;
    let back = format!("/sheets/runs/{id}");
    Ok(if dropped { caller.go_and_say(&back, "sheet-dropped") } else { see_other(&back) })
}

/// `POST /sheets/runs/{id}/undo`
pub(super) async fn undo(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Sheets)?;
    let id = id_of(&id)?;
    fields.check(&caller, SHEETS)?;
    let key = fields.key(&format!("POST /sheets/runs/{id}/undo"))?;
    caller.web.app.sheet_run_there(&person.who(), &id).await?;
    let back = format!("/sheets/runs/{id}");
    let said = match caller.web.app.sheet_undo(&person.who(), &id, Some(&key)).await {
        Ok(Undone::Done { put_back, removed, kept }) => format!("sheet-undone.{put_back}.{removed}.{kept}"),
        Ok(Undone::Changed) => "sheet-undo-changed".to_owned(),
        Ok(Undone::Over) => "sheet-undo-over".to_owned(),
        Err(e) if e.is_stale() => "sheet-undo-changed".to_owned(),
        Err(e) => return Err(e.into()),
    };
    Ok(caller.go_and_say(&back, &said))
}
