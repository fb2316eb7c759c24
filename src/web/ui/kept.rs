//! A form sent after its session ended: what was typed stays, the person shows who they are, and sends it again by
//! one press. Nothing is stored: the words wait in the page of whoever wrote them.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::app::access::Proven;
use crate::i18n::t;
use crate::web::rate::Purpose;

use super::caller::{Binding, Caller, Cookie, is_own_page, see_other, with};
use super::failure::Failure;
use super::form::Fields;
use super::views::signin::{CarryOn, KeptForm};
use super::views::{Hidden, PinProblem, render};

pages! {
    post "/sign-in/kept" => go_on;
}

const KEPT: Binding<'static> = Binding::Page("kept");
/// Before the names of fields that are carried past the page that asks for a proof.
pub(super) const CARRIED: &str = "f_";

/// The fields that a page carries along, hidden.
pub(super) fn hidden(fields: Vec<(String, String)>) -> Vec<(String, Hidden)> {
    fields.into_iter().map(|(name, value)| (name, Hidden(value))).collect()
}

/// What a page of this kind is drawn with beside the fields.
#[derive(Default)]
struct Shown {
    pin_problem: Option<PinProblem>,
    problem: Option<String>,
}

async fn page(caller: &Caller, then: &str, fields: Vec<(String, String)>, shown: Shown) -> Response {
    let known = match caller.known_device().await {
        Ok(known) => known,
        Err(failure) => return failure.into_response(),
    };
    // A device of somebody of the office lets them in without the rights of the office: it is no way back here.
    let known = known.filter(|known| !known.member.is_office());
    let view = KeptForm {
        shell: caller.shell_at(KEPT, "/sign-in"),
        problem: shown.problem,
        person_name: known.map(|k| super::words::title(&k.member.name, &k.member.roles, caller.lang)),
        pin_problem: shown.pin_problem,
        then: then.to_owned(),
        fields: hidden(fields),
    };
    caller.page(render(&view), false)
}

/// In place of the door, for whoever had a session and typed something.
pub(super) async fn page_of(caller: &Caller, path: &str, fields: &Fields) -> Response {
    let page = page(caller, path, fields.carried(CARRIED), Shown::default()).await;
    (StatusCode::FORBIDDEN, page).into_response()
}

/// The page with which somebody who has shown who they are sends what they typed.
pub(super) fn carry_on(caller: &Caller, then: &str, typed: Vec<(String, String)>) -> Response {
    let shell = caller.shell_at(Binding::Page("carry"), "/");
    caller.page(render(&CarryOn { shell, then: then.to_owned(), fields: hidden(typed) }), false)
}

/// `POST /sign-in/kept`: with the PIN on a known device, or after signing in in another window.
pub(super) async fn go_on(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, KEPT)?;
    let then = fields.get("then");
    if !is_own_page(then) {
        return Ok(see_other("/"));
    }
    let typed = fields.uncarried(CARRIED);
    if caller.signed_in.is_some() {
        return Ok(carry_on(&caller, then, typed));
    }
    let again = |shown| {
        let kept = typed.iter().map(|(name, value)| (format!("{CARRIED}{name}"), value.clone())).collect();
        page(&caller, then, kept, shown)
    };
    let Some(device) = caller.device().filter(|_| fields.has("pin")) else {
        let problem = Some(t(caller.lang, "kept-not-yet"));
        return Ok(again(Shown { problem, ..Shown::default() }).await);
    };
    caller.limit(Purpose::Pin)?;
    let wrong = match caller.web.app.sign_in_by_device(device, Some(fields.get("pin"))).await? {
        Proven::SignedIn { session, .. } => {
            let person = caller.web.app.session(session.as_str()).await?.ok_or(Failure::not_found())?;
            let caller = caller.signed_in_as(person, session.as_str());
            let response = carry_on(&caller, then, typed);
            return Ok(with(response, caller.set(Cookie::Session, session.as_str())));
        }
        Proven::PinMissing => Some(PinProblem::Missing),
        Proven::PinMalformed => Some(PinProblem::Malformed),
        Proven::PinWrong { .. } => Some(PinProblem::WrongOnDevice),
        // The device is not known any more: the other ways stand on the page.
        Proven::PinLocked | Proven::LinkOver => None,
    };
    let problem = wrong.is_none().then(|| t(caller.lang, "kept-not-yet"));
    Ok(again(Shown { pin_problem: wrong, problem }).await)
}
