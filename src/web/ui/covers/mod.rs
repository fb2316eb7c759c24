//! Night cover: the list and its settings here; asking (`ask`), what becomes of it (`case`), the link of somebody who
//! is asked (`link`), what stands in the way of pillars (`pillars`), the sheet for the fax and the notice for households (`sheet`).

mod ask;
mod case;
mod link;
mod pillars;
mod sheet;

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::app::AppError;
use crate::app::cover::CoverLine;
use crate::app::views::Names;
use crate::domain::calendar::CaseNo;
use crate::domain::cover::cards::DataMode;
use crate::domain::cover::{CoverSettings, short_code};
use crate::domain::dispatch::{Request, State};
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t, t_with};
use crate::ids::{InstitutionId, MemberId};

use super::caller::{Binding, Caller, see_other};
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::covers::{CoverRow, CoverSettingsPage, CoversPage};
use super::views::{Choice, Choices, Field, StateLine, Tone, render};
use super::words::Voice;

pub(super) use link::offer_page;

pages! {
    get "/covers" => list;
    post "/covers" => ask::ask;
    get "/covers/new" => ask::form;
    get "/covers/find" => find;
    get "/covers/settings" => settings;
    post "/covers/settings" => settings_put;
    get "/covers/{id}" => case::one;
    get "/covers/{id}/sheet" => sheet::of_case;
    get "/covers/{id}/notice" => sheet::notice;
    post "/covers/{id}/answer" => case::answer;
    post "/covers/{id}/answer-for" => case::answer_for;
    post "/covers/{id}/give-back" => case::give_back;
    post "/covers/{id}/report" => case::report;
    post "/covers/{id}/confirm" => case::confirm;
    post "/covers/{id}/withdraw" => case::withdraw;
    get "/people/{id}/for/cover" => ask::form_for;
    post "/people/{id}/for/cover" => ask::ask_for;
    get "/people/{id}/for/cover/sheet" => sheet::blank;
    post "/k/cover" => link::answer;
}

const COVERS: Binding<'static> = Binding::Page("covers");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// Who is asked first to cover a clinic, in a sentence; `None`: its patients have no deputies.
async fn first_asked(caller: &Caller, clinic: &InstitutionId) -> Result<Option<String>, Failure> {
    let Some(home) = &caller.home else { return Ok(None) };
    let found = caller.web.app.cover_deputies(&home.id, clinic).await?;
    let names: Vec<String> = found.into_iter().map(|(_, name)| name).collect();
    let say = || t_with(caller.lang, "cards-deputies-first", &[("names", &names.join("、"))]);
    Ok((!names.is_empty()).then(say))
}

/// The state of a whole cover.
fn state(voice: Voice, line: &CoverLine) -> StateLine {
    let (filled, all) = line.filled();
    let tone = match line.request.state {
        State::Running { .. } | State::Exhausted { .. } if filled < all => Tone::Warn,
        State::Running { .. } | State::Exhausted { .. } => Tone::Info,
        State::Taken { .. } | State::Reported { .. } | State::Closed { .. } => Tone::Good,
        State::Expired { .. } => Tone::Bad,
        State::Refused { .. } | State::Withdrawn { .. } => Tone::Plain,
    };
    StateLine { text: voice.word("cover-state", line.request.state.code()), tone }
}

/// The state of one slot: green when somebody covers it.
fn slot_state(voice: Voice, request: &Request, by_rota: bool) -> StateLine {
    let (code, tone) = match request.state {
        State::Taken { .. } => ("taken", Tone::Good),
        State::Reported { .. } => ("reported", Tone::Good),
        State::Closed { .. } => ("closed", Tone::Good),
        State::Running { .. } if by_rota => ("duty", Tone::Info),
        State::Running { .. } => ("open", Tone::Warn),
        State::Exhausted { .. } => ("exhausted", Tone::Bad),
        State::Expired { .. } => ("expired", Tone::Bad),
        State::Refused { .. } | State::Withdrawn { .. } => ("withdrawn", Tone::Plain),
    };
    StateLine { text: voice.word("cover-slot", code), tone }
}

fn row(voice: Voice, line: &CoverLine, names: &Names, me: &MemberId) -> CoverRow {
    let (filled, all) = line.filled();
    let count = [("filled", filled.to_string()), ("all", all.to_string())];
    let asked = line
        .slots
        .iter()
        .any(|s| s.request.state.is_open() && s.request.offers.get(me).is_some_and(|o| o.state.is_live()));
    let to_report = line.slots.iter().any(|s| {
        matches!(s.request.state, State::Taken { .. })
            && s.taker() == Some(me)
            && s.slot.window.to <= voice.now
    });
    let to_confirm = line.case.asker == *me
        && line.slots.iter().any(|s| matches!(s.request.state, State::Reported { .. }));
    let to_do = match (asked, to_report, to_confirm) {
        (true, ..) => Some("covers-to-do-answer"),
        (_, true, _) => Some("covers-to-do-report"),
        (_, _, true) => Some("covers-to-do-confirm"),
        _ => None,
    };
    CoverRow {
        href: format!("/covers/{}", line.case.id),
        case_no: line.case.case_no.clone(),
        hours: voice.hours(line.request.window),
        who: names.institution(&line.case.institution).to_owned(),
        state: state(voice, line),
        filled: t_with(voice.lang, "word-cover-filled", &[("filled", &count[0].1), ("all", &count[1].1)]),
        to_do: to_do.map(|key| t(voice.lang, key)),
    }
}

/// What the step before is to say, once.
fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "cover-asked" => "said-cover-asked",
        "cover-answered" => "said-cover-answered",
        "cover-declined" => "said-cover-declined",
        "cover-late" => "said-cover-late",
        "cover-given-back" => "said-cover-given-back",
        "cover-reported" => "said-cover-reported",
        "cover-confirmed" => "said-cover-confirmed",
        "cover-waiting" => "said-cover-waiting",
        "cover-withdrawn" => "said-cover-withdrawn",
        "cover-settings" => "said-cover-settings",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

/// `GET /covers`
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    list_page(&caller, Field::default()).await
}

async fn list_page(caller: &Caller, find: Field) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    let (office, may_ask) = (person.may(Right::Board), person.may(Right::Ask));
    if !office && !may_ask {
        return Err(Failure::not_found());
    }
    let (voice, me) = (voice(caller), &person.member.id);
    let (open, ended, names) = if office {
        let board = caller.web.app.cover_board(&person.association.id).await?;
        (board.open, board.ended, board.names)
    } else {
        let (mine, names) = caller.web.app.covers_of(&person.association.id, me).await?;
        let (ended, open) = mine.into_iter().partition(|line| line.request.state.is_terminal());
        (open, ended, names)
    };
    let rows = |lines: &[CoverLine]| lines.iter().map(|line| row(voice, line, &names, me)).collect();
    let view = CoversPage {
        shell: caller.shell_at(COVERS, "/covers"),
        notice: said(caller),
        may_ask: may_ask && person.member.institution.is_some(),
        office,
        find,
        open: rows(&open),
        ended: rows(&ended),
    };
    Ok(caller.page(render(&view), true))
}

#[derive(Deserialize)]
pub(super) struct Find {
    #[serde(default)]
    no: String,
}

/// `GET /covers/find?no=R8-0412-73`: the case of a sheet that came by fax; the digits behind it find a misread number.
pub(super) async fn find(caller: Caller, Query(find): Query<Find>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Board)?;
    let typed = narrow(&find.no).replace(['－', '―', 'ー', '‐', '−'], "-");
    let typed = typed.trim();
    let problem = |key: &str| Field { value: find.no.clone(), problem: Some(t(caller.lang, key)) };
    // A sheet of a night card has a number of its own; who types cards in may follow it.
    if person.may(Right::Enrol)
        && let Some((clinic, household)) = caller.web.app.card_of_sheet(&person.association.id, typed).await?
    {
        return Ok(see_other(&format!("/cards/of/{clinic}/{household}")));
    }
    let Some((no, code)) =
        typed.rsplit_once('-').and_then(|(no, code)| Some((no.parse::<CaseNo>().ok()?, code)))
    else {
        return list_page(&caller, problem("covers-find-malformed")).await;
    };
    let cover = match caller.web.app.cover_by_case_no(&person.association.id, &no.to_string()).await {
        Ok(cover) => Some(cover),
        Err(AppError::NotFound) => None,
        Err(e) => return Err(e.into()),
    };
    match cover {
        Some(cover) if short_code(&cover) == code => Ok(see_other(&format!("/covers/{cover}"))),
        _ => list_page(&caller, problem("covers-find-nothing")).await,
    }
}

fn clock(minutes: u32) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// Minutes after midnight of a time such as 7:00.
fn minutes_of(typed: &str) -> Option<u32> {
    let plain = narrow(typed).replace('：', ":");
    let (hour, minute) = plain.trim().split_once(':')?;
    let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn modes(lang: Lang, chosen: &str, problem: Option<String>) -> Choices {
    let choice = |mode: DataMode| Choice {
        value: mode.code().to_owned(),
        label: t(lang, &format!("word-card-mode-{}", mode.code())),
        note: Some(t(lang, &format!("word-card-mode-note-{}", mode.code()))),
        chosen: mode.code() == chosen,
    };
    Choices { options: DataMode::ALL.map(choice).into(), problem }
}

/// `GET /covers/settings`
pub(super) async fn settings(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    caller.with_right(Right::Board)?;
    let (revision, now) = caller.web.app.cover_settings(&person.association.id).await?;
    let field = |value: String| Field { value, problem: None };
    let view = CoverSettingsPage {
        shell: caller.shell_at(COVERS, "/covers/settings"),
        notice: said(&caller),
        problem: None,
        at_once: field(now.at_once.to_string()),
        month: field(now.month.to_string()),
        summary: field(clock(now.summary_min)),
        check: field(now.check_min.map(clock).unwrap_or_default()),
        cards: modes(caller.lang, now.cards.code(), None),
        revision: revision.to_string(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /covers/settings`
pub(super) async fn settings_put(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Board)?;
    fields.check(&caller, COVERS)?;
    fields.key("POST /covers/settings")?;
    let number = |name: &str| fields.number(name).and_then(|n| u32::try_from(n).ok());
    let typed = |name: &str| fields.get(name).trim().is_empty();
    let check = if typed("check") { Some(None) } else { minutes_of(fields.get("check")).map(Some) };
    let values = (number("at_once"), number("month"), minutes_of(fields.get("summary")), check);
    // A form that asks nothing about cards leaves them as they are.
    let mode = if fields.has("cards") {
        DataMode::from_code(fields.get("cards"))
    } else {
        Some(caller.web.app.card_mode(&person.association.id).await?)
    };
    let wrong: Vec<&str> = [
        ("at_once", values.0.is_none()),
        ("month", values.1.is_none()),
        ("summary", values.2.is_none()),
        ("check", values.3.is_none()),
        ("cards", mode.is_none()),
    ]
    .into_iter()
    .filter(|(_, wrong)| *wrong)
    .map(|(name, _)| name)
    .collect();
    let (mut wrong, mut problem) = (wrong.into_iter().map(str::to_owned).collect::<Vec<_>>(), None);
    if let ((Some(at_once), Some(month), Some(summary_min), Some(check_min)), Some(cards)) = (values, mode) {
        let new = CoverSettings { at_once, month, summary_min, check_min, cards };
        let revision = fields.number("revision").unwrap_or(-1);
        match caller.web.app.cover_settings_put(&person.who(), revision, new).await {
            Ok(()) => return Ok(caller.go_and_say("/covers/settings", "cover-settings")),
            Err(AppError::Invalid(fields)) => wrong.extend(fields.iter().map(|w| w.field.to_owned())),
            Err(AppError::ChangedMeanwhile) => problem = Some(t(caller.lang, "cover-settings-changed")),
            Err(e) => return Err(e.into()),
        }
    }
    let field = |name: &str| Field {
        value: fields.get(name).to_owned(),
        problem: wrong.iter().any(|w| w == name).then(|| Voice::wrong_code(caller.lang, "out_of_range")),
    };
    let view = CoverSettingsPage {
        shell: caller.shell_at(COVERS, "/covers/settings"),
        notice: None,
        problem,
        at_once: field("at_once"),
        month: field("month"),
        summary: field("summary"),
        check: field("check"),
        cards: modes(caller.lang, fields.get("cards"), field("cards").problem),
        revision: fields.get("revision").to_owned(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}
