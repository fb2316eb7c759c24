//! Patients handed over: the list here; asking (`ask`), what becomes of it (`case`), the link of somebody who is asked
//! (`link`), the letter that goes with the patient (`letter`).

mod ask;
mod case;
mod letter;
mod link;

use axum::response::Response;

use crate::app::transfer::TransferLine;
use crate::app::views::Names;
use crate::domain::calendar::{CivilDate, start_of_day};
use crate::domain::dispatch::request::Phase;
use crate::domain::dispatch::{Mode, Request, State};
use crate::domain::people::rights::Right;
use crate::domain::transfer::AskedAs;
use crate::i18n::{t, t_with};
use crate::ids::MemberId;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::views::transfers::{TransferRow, TransfersPage};
use super::views::{StateLine, Tone, render};
use super::words::Voice;

pub(super) use link::offer_page;

pages! {
    get "/transfers" => list;
    post "/transfers" => ask::ask;
    get "/transfers/new" => ask::form;
    get "/transfers/{id}" => case::one;
    get "/transfers/{id}/letter" => letter::letter;
    post "/transfers/{id}/answer" => case::answer;
    post "/transfers/{id}/answer-for" => case::answer_for;
    post "/transfers/{id}/date" => case::date;
    post "/transfers/{id}/close" => case::close;
    post "/transfers/{id}/give-back" => case::give_back;
    post "/transfers/{id}/withdraw" => case::withdraw;
    get "/people/{id}/for/transfer" => ask::form_for;
    post "/people/{id}/for/transfer" => ask::ask_for;
    post "/k/transfer" => link::answer;
}

const TRANSFERS: Binding<'static> = Binding::Page("transfers");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// A civil day in words.
fn day(voice: Voice, day: CivilDate) -> String {
    crate::app::say::day(start_of_day(day, voice.zone), voice.zone, voice.lang)
}

/// Where a transfer stands, as one word of the pages.
fn stage(request: &Request) -> &'static str {
    match request.state {
        State::Running { phase: Phase::Deciding { .. }, .. } => "officer",
        State::Running { step, .. } if request.step(step).is_some_and(|s| s.mode == Mode::Gate) => "gate",
        State::Running { .. } => "open",
        State::Exhausted { .. } => "exhausted",
        State::Taken { .. } => "taken",
        State::Reported { .. } => "reported",
        State::Closed { .. } => "closed",
        State::Refused { .. } => "refused",
        State::Withdrawn { .. } => "withdrawn",
        State::Expired { .. } => "expired",
    }
}

fn state(voice: Voice, request: &Request) -> StateLine {
    let code = stage(request);
    let tone = match code {
        "gate" | "open" => Tone::Info,
        "officer" => Tone::Warn,
        "taken" | "reported" | "closed" => Tone::Good,
        "exhausted" | "expired" => Tone::Bad,
        _ => Tone::Plain,
    };
    StateLine { text: voice.word("transfer-state", code), tone }
}

/// Whether this person is asked now and has not answered.
fn is_asked(request: &Request, person: &MemberId) -> bool {
    request.state.is_open() && request.offers.get(person).is_some_and(|o| o.state.is_live())
}

fn row(voice: Voice, line: &TransferLine, names: &Names, me: &MemberId) -> TransferRow {
    let asked = is_asked(&line.request, me);
    let to_do = match (asked, AskedAs::of(&line.request, me)) {
        (true, Some(AskedAs::Officer)) => Some("transfers-to-do-decide"),
        (true, _) => Some("transfers-to-do-answer"),
        _ if matches!(line.request.state, State::Taken { .. }) && line.taker() == Some(me) => {
            Some("transfers-to-do-date")
        }
        _ if matches!(line.request.state, State::Reported { .. }) && line.case.asker == *me => {
            Some("transfers-to-do-close")
        }
        _ => None,
    };
    // Whose patient it is, a clinic that was only asked does not learn.
    let knows = line.case.asker == *me
        || !matches!(AskedAs::of(&line.request, me), Some(AskedAs::Receiver))
        || line.taker() == Some(me);
    let clinic = if knows { names.institution(&line.facts.clinic) } else { "" };
    let wished = [("day", day(voice, line.facts.wished))];
    TransferRow {
        href: format!("/transfers/{}", line.case.id),
        case_no: line.case.case_no.clone(),
        wished: t_with(voice.lang, "word-transfer-wished", &[("day", &wished[0].1)]),
        what: format!("{} {clinic}", line.facts.area).trim().to_owned(),
        state: state(voice, &line.request),
        to_do: to_do.map(|key| t(voice.lang, key)),
    }
}

/// What the step before is to say, once.
fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "transfer-asked" => "said-transfer-asked",
        "transfer-yes" => "said-transfer-yes",
        "transfer-no" => "said-transfer-no",
        "transfer-took" => "said-transfer-took",
        "transfer-dated" => "said-transfer-dated",
        "transfer-closed" => "said-transfer-closed",
        "transfer-given-back" => "said-transfer-given-back",
        "transfer-withdrawn" => "said-transfer-withdrawn",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

/// `GET /transfers`
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else { return Ok(caller.to_sign_in()) };
    let (office, may_ask) = (person.may(Right::Board), person.may(Right::Transfer));
    if !office && !may_ask {
        return Err(Failure::not_found());
    }
    let (voice, me) = (voice(&caller), &person.member.id);
    let of = (!office).then_some(me);
    let board = caller.web.app.transfers(&person.association.id, of).await?;
    let rows = |lines: &[TransferLine]| lines.iter().map(|line| row(voice, line, &board.names, me)).collect();
    let view = TransfersPage {
        shell: caller.shell_at(TRANSFERS, "/transfers"),
        notice: said(&caller),
        may_ask: may_ask && person.member.institution.is_some(),
        open: rows(&board.open),
        ended: rows(&board.ended),
    };
    Ok(caller.page(render(&view), true))
}
