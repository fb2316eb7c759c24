//! Rotas and wish sheets as offices keep them, read in: chosen, looked at cell by cell, taken in, put back.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::{Binding, Caller, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::sheets::import::{refusal, table};
use super::super::sheets::upload::Upload;
use super::super::views::paper::{
    PlacedLine, RefusedPlace, RotaSheetDone, RotaSheetPage, RotaSheetPlan, RotaSheetRow, RotaSheetStage,
    RotaSheets, Tab,
};
use super::super::views::sheets::{Hidden64, Rest};
use super::super::views::{Choice, Choices, Field, StateLine, Tone, render};
use super::super::words::Voice;
use crate::app::rota::RotaWorld;
use crate::app::rota::lists::{paper_day, period_name, role_name, short_day, slot_name};
use crate::app::rota::sheets::{
    RotaSheet, SheetCounts, SheetPlan, SheetPutBack, SheetTaken, SheetView, Target,
};
use crate::app::rows::RunState;
use crate::app::sheets::Confirm;
use crate::domain::people::rights::Right;
use crate::domain::rota::sheet::{Kind, Note, Problem, Reading};
use crate::domain::rota::{Assignment, WishSheet, Wished};
use crate::i18n::{Lang, t, t_with};
use crate::ids::RotaSheetId;

pages! {
    get "/rota/sheets" => overview;
    post "/rota/sheets" => read;
    get "/rota/sheets/{id}" => show;
    post "/rota/sheets/{id}/confirm" => confirm;
    post "/rota/sheets/{id}/stop" => stop;
    post "/rota/sheets/{id}/undo" => undo;
}

const SHEETS: Binding<'static> = Binding::Page("rota-sheets");
/// Lines of each table that a page shows.
const LINES: usize = 300;

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn id_of(path: &str) -> Result<RotaSheetId, Failure> {
    RotaSheetId::from_stored(path).map_err(|_| Failure::not_found())
}

fn kind_name(kind: Kind, lang: Lang) -> String {
    t(lang, &format!("rota-sheet-kind-{}", kind.code()))
}

/// Why a cell cannot be read, in words.
pub(in crate::web::ui) fn problem_text(problem: &Problem, lang: Lang) -> String {
    let key = format!("rota-sheet-reason-{}", problem.reason.code());
    t_with(lang, &key, &[("about", &problem.about)])
}

fn note_text(note: &Note, lang: Lang) -> String {
    t_with(lang, &format!("rota-sheet-note-{}", note.kind.code()), &[("about", &note.about)])
}

fn counted(counts: SheetCounts, lang: Lang) -> String {
    let numbers = [counts.added, counts.changed, counts.same, counts.refused].map(|n| n.to_string());
    let [added, changed, same, refused] = &numbers;
    let values = [
        ("added", added.as_str()),
        ("changed", changed.as_str()),
        ("same", same.as_str()),
        ("refused", refused.as_str()),
    ];
    t_with(lang, "rota-sheet-result", &values)
}

fn state_line(sheet: &RotaSheet, caller: &Caller) -> StateLine {
    let (code, tone) = match sheet.state {
        RunState::Waiting if sheet.waits(caller.now) => ("waiting", Tone::Info),
        RunState::Waiting | RunState::Dropped => ("dropped", Tone::Plain),
        RunState::Done => ("done", Tone::Good),
        RunState::Undone => ("undone", Tone::Warn),
    };
    StateLine { text: t(caller.lang, &format!("sheet-state-{code}")), tone }
}

async fn targets(caller: &Caller, chosen: &str) -> Result<Choices, Failure> {
    let person = caller.with_right(Right::Board)?;
    let lang = caller.lang;
    let (drafts, rounds) = caller.web.app.rota_sheet_targets(&person.association.id).await?;
    let drafts = drafts.into_iter().map(|draft| {
        let period = period_name(draft.first, draft.last, lang);
        let values = [("name", draft.name.as_str()), ("period", period.as_str())];
        (Target::Draft(draft.id.clone()).code(), t_with(lang, "rota-sheets-target-draft", &values))
    });
    let rounds = rounds.into_iter().map(|round| {
        let period = period_name(round.first, round.last, lang);
        let label = t_with(lang, "rota-sheets-target-round", &[("period", &period)]);
        (Target::Round(round.id).code(), label)
    });
    let option = |(n, (value, label)): (usize, (String, String))| Choice {
        chosen: value == chosen || (chosen.is_empty() && n == 0),
        value,
        label,
        note: None,
    };
    Ok(Choices { options: drafts.chain(rounds).enumerate().map(option).collect(), problem: None })
}

async fn start(
    caller: &Caller,
    targets: Choices,
    sheet: String,
    file_problem: Option<String>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let (voice, lang) = (voice(caller), caller.lang);
    let named = |sheet: &RotaSheet| {
        let target = targets.options.iter().find(|option| option.value == sheet.target);
        target.map_or_else(String::new, |option| option.label.clone())
    };
    let rows = caller.web.app.rota_sheets(&person.who()).await?;
    let rows = rows.iter().map(|sheet| RotaSheetRow {
        href: format!("/rota/sheets/{}", sheet.id),
        at: voice.moment(sheet.made_at),
        kind: kind_name(sheet.kind, lang),
        into: named(sheet),
        state: state_line(sheet, caller),
        result: sheet.done_at.map(|_| counted(sheet.counts, lang)),
    });
    let view = RotaSheets {
        shell: caller.shell_at(SHEETS, "/rota/sheets"),
        rows: rows.collect(),
        targets,
        sheet: Field { value: sheet, problem: None },
        file_problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /rota/sheets`
async fn overview(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let targets = targets(&caller, "").await?;
    start(&caller, targets, String::new(), None).await
}

/// `POST /rota/sheets`: `target`, `file`, `sheet`.
async fn read(caller: Caller, upload: Result<Upload, Failure>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let Upload { fields, file } = upload?;
    fields.check(&caller, SHEETS)?;
    let key = fields.key("rota_sheet.read")?;
    let lang = caller.lang;
    let mut targets = targets(&caller, fields.get("target")).await?;
    let sheet = fields.text("sheet");
    let known = targets.options.iter().any(|option| option.value == fields.get("target"));
    let target = Target::from_code(fields.get("target")).filter(|_| known);
    let missing = file.is_empty().then(|| t(lang, "sheet-file-missing"));
    let Some(target) = target else {
        targets.problem = Some(t(lang, "rota-sheets-target-missing"));
        return start(&caller, targets, sheet, missing).await;
    };
    if missing.is_some() {
        return start(&caller, targets, sheet, missing).await;
    }
    match table(file, sheet.clone()).await {
        None => start(&caller, targets, sheet, Some(t(lang, "sheet-file-busy"))).await,
        Some(Err(refused)) => start(&caller, targets, sheet, Some(refusal(refused, lang))).await,
        Some(Ok(table)) => {
            let id = caller.web.app.rota_sheet_read(&person.who(), &target, table, Some(&key)).await?;
            Ok(see_other(&format!("/rota/sheets/{id}")))
        }
    }
}

fn read_lines(view: &SheetView, reading: &Reading, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((sheet, _, encoding)) = &view.table {
        lines.push(t(lang, &format!("run-encoding-{encoding}")));
        if !sheet.is_empty() {
            lines.push(t_with(lang, "run-read", &[("sheet", sheet)]));
        }
    }
    if let Some(layout) = reading.layout {
        lines.push(t(lang, &format!("rota-sheet-layout-{}", layout.code())));
    }
    if let Some((first, last)) = reading.days {
        let (first, last) = (paper_day(first, lang), paper_day(last, lang));
        lines.push(t_with(lang, "rota-sheet-days", &[("first", &first), ("last", &last)]));
    }
    if view.sheet.kind == Kind::Wishes {
        lines.push(t_with(lang, "rota-sheet-answered", &[("n", &reading.answered.len().to_string())]));
    } else if reading.empty > 0 {
        lines.push(t_with(lang, "rota-sheet-empty-seats", &[("n", &reading.empty.to_string())]));
    }
    lines
}

fn names(world: &RotaWorld, duties: &[Assignment]) -> String {
    duties.iter().map(|d| world.name(&d.holder.person)).collect::<Vec<_>>().join("・")
}

fn wish_text(sheet: &WishSheet, lang: Lang) -> String {
    let day = |wish: &crate::domain::rota::WishedDays| {
        let code = match wish.wished {
            Wished::Unavailable => "unavailable",
            Wished::Off { .. } => "off",
            Wished::On { .. } => "on",
        };
        let what = t(lang, &format!("rota-sheet-wish-{code}"));
        let first = short_day(wish.first, lang);
        if wish.first == wish.last {
            format!("{first} {what}")
        } else {
            format!("{first}〜{} {what}", short_day(wish.last, lang))
        }
    };
    sheet.days.iter().map(day).collect::<Vec<_>>().join("、")
}

/// What would stand where, in the order of the sheet.
fn changes(plan: &SheetPlan, world: &RotaWorld, lang: Lang) -> Vec<PlacedLine> {
    let place = |duty: &Assignment| {
        let read = plan.reading.duties.iter().find(|read| read.duty == *duty);
        read.map(|read| read.place)
    };
    let line = |duty: &Assignment, instead: &[Assignment]| {
        let at = place(duty);
        let slot = slot_name(world, Some(&duty.slot), lang);
        let line = PlacedLine {
            place: at.map(|at| at.to_string()).unwrap_or_default(),
            day: short_day(duty.slot.day, lang),
            what: format!("{slot} {}", role_name(duty.role, lang)),
            name: world.name(&duty.holder.person).to_owned(),
            instead: names(world, instead),
        };
        (at, line)
    };
    let replaced = plan.replaced.iter().map(|r| line(&r.duty, &r.instead_of));
    let mut lines: Vec<_> = plan.added.iter().map(|duty| line(duty, &[])).chain(replaced).collect();
    for change in &plan.wishes {
        let first = plan.reading.wishes.iter().find(|w| w.wish.person == change.member).map(|w| w.place);
        let line = PlacedLine {
            place: first.map(|at| at.to_string()).unwrap_or_default(),
            day: String::new(),
            what: wish_text(&change.after, lang),
            name: world.name(&change.member).to_owned(),
            instead: change.before.as_ref().map(|before| wish_text(before, lang)).unwrap_or_default(),
        };
        lines.push((first, line));
    }
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn cut<T>(mut lines: Vec<T>) -> (Vec<T>, Rest) {
    let rest = u32::try_from(lines.len().saturating_sub(LINES)).unwrap_or(u32::MAX);
    lines.truncate(LINES);
    (lines, Rest(rest))
}

fn plan_view(view: &SheetView, plan: &SheetPlan, lang: Lang) -> RotaSheetPlan {
    let refused = |p: &Problem| RefusedPlace {
        place: p.place.to_string(),
        value: if p.value.is_empty() { t(lang, "run-empty") } else { p.value.clone() },
        reason: problem_text(p, lang),
    };
    let noted = |n: &Note| RefusedPlace {
        place: n.place.to_string(),
        value: n.value.clone(),
        reason: note_text(n, lang),
    };
    let (refusals, refused_rest) = cut(plan.reading.problems.iter().map(refused).collect());
    let (changes, changes_rest) = cut(changes(plan, &view.world, lang));
    let (notes, notes_rest) = cut(plan.reading.notes.iter().map(noted).collect());
    RotaSheetPlan {
        readable: plan.reading.layout.is_some(),
        read: read_lines(view, &plan.reading, lang),
        other_sheets: view.table.as_ref().map(|(_, other, _)| other.join("・")).unwrap_or_default(),
        added: plan.counts.added,
        changed: plan.counts.changed,
        same: plan.counts.same,
        refused: plan.counts.refused,
        refusals,
        refused_rest,
        changes,
        changes_rest,
        notes,
        notes_rest,
        digest: Hidden64(plan.digest()),
        may_confirm: plan.changes_something(),
    }
}

/// What the last step said: a word of ours. `true`: it could not be done.
fn said_of(said: &str, lang: Lang) -> Option<(bool, String)> {
    let (bad, key) = match said {
        "rota-sheet-done" => (false, "run-done"),
        "rota-sheet-dropped" => (false, "run-dropped"),
        "rota-sheet-undone" => (false, "rota-sheet-undone"),
        "rota-sheet-changed" => (true, "run-changed-meanwhile"),
        "rota-sheet-has-refused" => (true, "rota-sheet-has-refused"),
        "rota-sheet-undo-changed" => (true, "run-undo-changed"),
        "rota-sheet-undo-over" => (true, "run-undo-over"),
        _ => return None,
    };
    Some((bad, t(lang, key)))
}

/// `GET /rota/sheets/{id}`
async fn show(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    caller.with_right(Right::Board)?;
    let (voice, lang) = (voice(&caller), caller.lang);
    let view = caller.web.app.rota_sheet(&person.who(), &id).await?;
    let sheet = &view.sheet;
    let stage = match (&view.plan, sheet.state) {
        (Some(plan), _) => RotaSheetStage::Waiting {
            plan: Box::new(plan_view(&view, plan, lang)),
            until: voice.moment(sheet.expires_at),
        },
        (None, RunState::Done | RunState::Undone) => RotaSheetStage::Done(RotaSheetDone {
            result: counted(sheet.counts, lang),
            at: sheet.done_at.map(|at| voice.moment(at)).unwrap_or_default(),
            undo_until: sheet
                .undo_until
                .filter(|_| sheet.can_be_undone(caller.now))
                .map(|at| voice.moment(at)),
            was_undone: sheet.state == RunState::Undone,
        }),
        (None, _) => RotaSheetStage::Dropped,
    };
    let period =
        view.into.as_ref().map(|(_, first, last)| period_name(*first, *last, lang)).unwrap_or_default();
    let into = match (&view.target, &view.into) {
        (Target::Draft(draft), Some((name, _, _))) => Tab {
            href: format!("/rota/drafts/{draft}"),
            label: t_with(lang, "rota-sheets-target-draft", &[("name", name), ("period", &period)]),
            current: false,
        },
        (Target::Round(round), Some(_)) => Tab {
            href: format!("/rota/wishes/{round}"),
            label: t_with(lang, "rota-sheets-target-round", &[("period", &period)]),
            current: false,
        },
        (_, None) => Tab { href: "/rota/sheets".to_owned(), ..Tab::default() },
    };
    let said = caller.said().and_then(|said| said_of(said, lang));
    let page = RotaSheetPage {
        shell: caller.shell_at(SHEETS, &format!("/rota/sheets/{id}")),
        id: id.to_string(),
        kind: kind_name(sheet.kind, lang),
        into,
        state: state_line(sheet, &caller),
        made_at: voice.moment(sheet.made_at),
        problem: said.as_ref().filter(|(bad, _)| *bad).map(|(_, text)| text.clone()),
        notice: said.as_ref().filter(|(bad, _)| !*bad).map(|(_, text)| text.clone()),
        stage,
        once: caller.once(),
    };
    Ok(caller.page(render(&page), said.is_some()))
}

/// `POST /rota/sheets/{id}/confirm`: `plan` names what was looked at; `leave_out`: without what cannot be read.
async fn confirm(caller: Caller, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let id = id_of(&id)?;
    fields.check(&caller, SHEETS)?;
    caller.web.app.rota_sheet_there(&person.who(), &id).await?;
    let key = fields.key(&format!("POST /rota/sheets/{id}/confirm"))?;
    let confirm = Confirm { digest: fields.get("plan").to_owned(), leave_out: fields.is_ticked("leave_out") };
    let said = match caller.web.app.rota_sheet_take(&person.who(), &id, confirm, Some(&key)).await {
        Ok(SheetTaken::Done(_)) => "rota-sheet-done",
        Ok(SheetTaken::HasRefused(_)) => "rota-sheet-has-refused",
        Ok(SheetTaken::NotThere | SheetTaken::Changed) => "rota-sheet-changed",
        Err(e) if e.is_stale() => "rota-sheet-changed",
        Err(e) => return Err(e.into()),
    };
    Ok(caller.go_and_say(&format!("/rota/sheets/{id}"), said))
}

/// `POST /rota/sheets/{id}/stop`
async fn stop(caller: Caller, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let id = id_of(&id)?;
    fields.check(&caller, SHEETS)?;
    caller.web.app.rota_sheet_there(&person.who(), &id).await?;
    let key = fields.key(&format!("POST /rota/sheets/{id}/stop"))?;
    let dropped = caller.web.app.rota_sheet_drop(&person.who(), &id, Some(&key)).await?;
    let back = format!("/rota/sheets/{id}");
    Ok(if dropped { caller.go_and_say(&back, "rota-sheet-dropped") } else { see_other(&back) })
}

/// `POST /rota/sheets/{id}/undo`
async fn undo(caller: Caller, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    let id = id_of(&id)?;
    fields.check(&caller, SHEETS)?;
    caller.web.app.rota_sheet_there(&person.who(), &id).await?;
    let key = fields.key(&format!("POST /rota/sheets/{id}/undo"))?;
    let said = match caller.web.app.rota_sheet_undo(&person.who(), &id, Some(&key)).await {
        Ok(SheetPutBack::Done) => "rota-sheet-undone",
        Ok(SheetPutBack::Changed) => "rota-sheet-undo-changed",
        Ok(SheetPutBack::Over) => "rota-sheet-undo-over",
        Err(e) if e.is_stale() => "rota-sheet-undo-changed",
        Err(e) => return Err(e.into()),
    };
    Ok(caller.go_and_say(&format!("/rota/sheets/{id}"), said))
}
