//! Behind a mailed link about a duty: what is asked, and what a yes means.

use axum::response::Response;

use crate::app::swap::{AskedAs, OpenSwap};
use crate::domain::dispatch::Terms;
use crate::domain::rota::{Form, Stretch, SwapFacts};
use crate::i18n::t;

use super::super::caller::{Binding, Caller};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::duties::{LinkSwap, SwapAnswer};
use super::super::views::{Hidden, PinProblem, render};
use super::super::words::Voice;
use super::facts;

/// What somebody agrees to: in an exchange the two duties that the page showed, otherwise what it is.
pub(in crate::web::ui) fn terms_of(fields: &Fields) -> Terms {
    match (fields.get("gives"), fields.get("takes")) {
        ("", _) | (_, "") => Terms::Plain,
        (gives, takes) => Terms::Exchange { gives: gives.to_owned(), takes: takes.to_owned() },
    }
}

/// What somebody is asked, and what a yes means.
pub(super) fn question(voice: Voice, facts: &SwapFacts, asked_as: AskedAs) -> SwapAnswer {
    let form = facts.form;
    let code = match (asked_as, form) {
        (AskedAs::Other, Form::Exchange) => "other-exchange",
        (AskedAs::Other, _) => "other-give",
        (asked_as, _) => asked_as.code(),
    };
    let title = match asked_as {
        AskedAs::Volunteer => format!("swap-asks-volunteer-{}", form.code()),
        AskedAs::Giver | AskedAs::Other | AskedAs::Approver => format!("swap-asks-{code}"),
    };
    let accept = match asked_as {
        AskedAs::Giver => "swap-accept-giver",
        AskedAs::Approver => "swap-accept-approver",
        AskedAs::Other | AskedAs::Volunteer => "swap-accept",
    };
    let exchange = facts.takes.as_ref().filter(|_| asked_as == AskedAs::Other);
    SwapAnswer {
        title: t(voice.lang, &title),
        meaning: t(voice.lang, &format!("swap-means-{code}")),
        accept: t(voice.lang, accept),
        // Seen from who agrees: their duty for the asker's.
        gives: exchange.map(Stretch::word).unwrap_or_default(),
        takes: exchange.map(|_| facts.gives.word()).unwrap_or_default(),
        pin_problem: None,
    }
}

pub(in crate::web::ui) async fn offer_page(
    caller: &Caller,
    open: &OpenSwap,
    token: &str,
    pin_problem: Option<PinProblem>,
    remember: bool,
) -> Result<Response, Failure> {
    let voice = Voice { lang: caller.lang, zone: open.association.zone, now: caller.now };
    let known = caller.known_device().await?.is_some_and(|known| {
        known.member.id == open.member.id && known.association.id == open.association.id
    });
    let line = &open.line;
    let question = question(voice, &line.facts, open.asked_as);
    let view = LinkSwap {
        shell: caller.as_guest_of(&open.association).shell_at(Binding::Link(token), "/k"),
        person_name: voice.name(&open.member),
        title: question.title,
        meaning: question.meaning,
        accept: question.accept,
        case_no: line.case.case_no.clone(),
        facts: facts(voice, &line.facts, &open.names, &open.areas),
        note: open.note.clone(),
        answer_by: voice.until(line.request.answer_by),
        late: line.facts.late,
        gives: question.gives,
        takes: question.takes,
        known_device: known,
        pin_problem,
        remember,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}
