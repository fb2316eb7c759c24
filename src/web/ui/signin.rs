//! Signing in of the office: passkeys, passwords with one-time codes, recovery. One's own means and sessions
//! stand in `means`, those of colleagues in `staff`.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::access::SignedIn;
use crate::app::signin::recovery::Lost;
use crate::app::signin::staff::{SetUp, SetupDoor};
use crate::app::signin::{Challenge, Entry, Typed};
use crate::i18n::{t, t_with};
use crate::web::rate::Purpose;

use super::caller::{Binding, Caller, Cookie, is_own_page, see_other, with};
use super::failure::{Again, Failure};
use super::form::{Fields, narrow};
use super::kept::{CARRIED, carry_on, hidden};
use super::views::signin::{LinkSetup, LinkStop, LinkStopped, LostMeans, LostSent, OfficeSignIn, ProveAgain};
use super::views::{Field, Hidden, PinProblem, render};

pages! {
    get "/sign-in/office" => office;
    post "/sign-in/office" => by_password;
    post "/sign-in/office/challenge" => challenge;
    post "/sign-in/office/passkey" => by_passkey;
    get "/sign-in/again" => again;
    post "/sign-in/again" => again_by_password;
    post "/sign-in/again/passkey" => again_by_passkey;
    get "/sign-in/lost" => lost;
    post "/sign-in/lost" => ask_recovery;
    get "/sign-in/lost/sent" => lost_sent;
    post "/k/setup" => setup;
    post "/k/stop-recovery" => stop_recovery;
}

const OFFICE: Binding<'static> = Binding::Page("office");
const LOST: Binding<'static> = Binding::Page("lost");

/// A question for `passkey.js`.
pub(super) fn question(challenge: &Challenge) -> Response {
    // The id is base64url, the options are JSON already.
    let body = format!("{{\"id\":\"{}\",\"options\":{}}}", challenge.id.as_str(), challenge.options);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn office_page(caller: &Caller, address: Field, problem: Option<String>, remember: bool) -> Response {
    let view = OfficeSignIn {
        shell: caller.shell_at(OFFICE, "/sign-in/office"),
        address,
        problem,
        notice: caller.next().map(|_| t(caller.lang, "sign-in-then")),
        remember,
        passkeys: caller.web.app.has_passkeys(),
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

/// `GET /sign-in/office`
pub(super) async fn office(caller: Caller) -> Response {
    office_page(&caller, Field::default(), None, false)
}

fn waiting(caller: &Caller, seconds: u32) -> String {
    let minutes = seconds.div_ceil(60).to_string();
    t_with(caller.lang, "signin-wait", &[("n", &minutes)])
}

/// Lets somebody in, or says why not.
fn entered(caller: &Caller, entry: Entry, typed: &str, remember: bool) -> Response {
    let problem = match entry {
        Entry::SignedIn { session, device } => {
            let next = caller.next().unwrap_or("/board");
            let mut response = with(see_other(next), caller.set(Cookie::Session, session.as_str()));
            if let Some(device) = device {
                response = with(response, caller.set(Cookie::Device, device.as_str()));
            }
            return with(response, caller.forget(Cookie::Next));
        }
        Entry::Refused => t(caller.lang, "signin-refused"),
        Entry::Wait { seconds } => waiting(caller, seconds),
        Entry::Ceiling => t(caller.lang, "signin-ceiling"),
    };
    let address = Field { value: typed.to_owned(), problem: None };
    office_page(caller, address, Some(problem), remember)
}

/// What is wrong with the form of an address; never whether somebody has it.
fn address_problem(caller: &Caller, address: &str) -> Option<String> {
    let malformed = address.len() > 254
        || address.chars().any(char::is_control)
        || !address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    malformed.then(|| {
        let key = if address.is_empty() { "sign-in-address-missing" } else { "sign-in-address-malformed" };
        t(caller.lang, key)
    })
}

/// `POST /sign-in/office`
pub(super) async fn by_password(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, OFFICE)?;
    let (typed, remember) = (fields.get("address").trim(), fields.is_ticked("remember"));
    let address = narrow(typed);
    if let Some(problem) = address_problem(&caller, &address) {
        let field = Field { value: typed.to_owned(), problem: Some(problem) };
        return Ok(office_page(&caller, field, None, remember));
    }
    caller.limit(Purpose::SignIn)?;
    let client = caller.client.to_string();
    let what = Typed {
        address: &address,
        password: fields.get("password"),
        code: fields.get("code"),
        client: &client,
        device: caller.device(),
        remember,
    };
    let entry = caller.web.app.sign_in_by_password(what).await?;
    Ok(entered(&caller, entry, typed, remember))
}

/// `POST /sign-in/office/challenge`: asked by the script.
pub(super) async fn challenge(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, OFFICE)?;
    caller.limit(Purpose::SignIn)?;
    Ok(question(&caller.web.app.passkey_challenge().await?))
}

/// `POST /sign-in/office/passkey`
pub(super) async fn by_passkey(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, OFFICE)?;
    let (id, answer) = (fields.get("challenge"), fields.get("answer"));
    let entry = caller.web.app.sign_in_by_passkey(id, answer, false).await?;
    Ok(entered(&caller, entry, "", false))
}

async fn again_page(
    caller: &Caller,
    person: &SignedIn,
    then: &str,
    fields: Vec<(String, String)>,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let means = caller.web.app.means(&person.association.id, &person.member.id).await?;
    let view = ProveAgain {
        shell: caller.shell_at(OFFICE, "/sign-in/again"),
        problem,
        passkeys: !means.passkeys.is_empty() && caller.web.app.has_passkeys(),
        password: means.password,
        then: then.to_owned(),
        fields: hidden(fields),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// The way on where a proof of the last minutes is missing.
pub(super) async fn ask_again(caller: &Caller, again: &Again) -> Response {
    let Some(fields) = &again.fields else {
        return with(see_other("/sign-in/again"), caller.set(Cookie::Next, &again.path));
    };
    let Ok(person) = caller.person() else { return Failure::not_found().into_response() };
    match again_page(caller, person, &again.path, fields.carried(CARRIED), None).await {
        Ok(page) => page,
        Err(failure) => failure.into_response(),
    }
}

/// Somebody whose session was signed in strongly.
fn strong(caller: &Caller) -> Result<&SignedIn, Failure> {
    caller.signed_in.as_ref().filter(|p| p.strong_at.is_some()).ok_or(Failure::not_found())
}

/// `GET /sign-in/again`
pub(super) async fn again(caller: Caller) -> Result<Response, Failure> {
    let person = strong(&caller)?;
    let then = caller.next().unwrap_or("/me/sign-in");
    again_page(&caller, person, then, Vec::new(), None).await
}

/// On to what was wanted, or once more.
async fn proved(
    caller: &Caller,
    person: &SignedIn,
    fields: &Fields,
    right: bool,
) -> Result<Response, Failure> {
    let then = Some(fields.get("then")).filter(|then| is_own_page(then)).unwrap_or("/me/sign-in");
    let typed = fields.uncarried(CARRIED);
    if !right {
        let kept = typed.into_iter().map(|(name, value)| (format!("{CARRIED}{name}"), value)).collect();
        let problem = Some(t(caller.lang, "signin-refused"));
        return again_page(caller, person, then, kept, problem).await;
    }
    if typed.is_empty() {
        return Ok(with(see_other(then), caller.forget(Cookie::Next)));
    }
    Ok(carry_on(caller, then, typed))
}

/// `POST /sign-in/again`
pub(super) async fn again_by_password(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = strong(&caller)?;
    fields.check(&caller, OFFICE)?;
    caller.limit(Purpose::Pin)?;
    let app = &caller.web.app;
    let right = app.prove_by_password(person, fields.get("password"), fields.get("code")).await?;
    proved(&caller, person, &fields, right).await
}

/// `POST /sign-in/again/passkey`
pub(super) async fn again_by_passkey(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = strong(&caller)?;
    fields.check(&caller, OFFICE)?;
    let app = &caller.web.app;
    let right = app.prove_by_passkey(person, fields.get("challenge"), fields.get("answer")).await?;
    proved(&caller, person, &fields, right).await
}

fn lost_page(
    caller: &Caller,
    address: Field,
    code_problem: Option<String>,
    problem: Option<String>,
) -> Response {
    let shell = caller.shell_at(LOST, "/sign-in/lost");
    caller.page(render(&LostMeans { shell, problem, address, code_problem, once: caller.once() }), false)
}

/// `GET /sign-in/lost`
pub(super) async fn lost(caller: Caller) -> Response {
    lost_page(&caller, Field::default(), None, None)
}

/// `POST /sign-in/lost`: the answer is the same for every address and code.
pub(super) async fn ask_recovery(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, LOST)?;
    let (typed, code) = (fields.get("address").trim(), fields.get("code").trim());
    let address = narrow(typed);
    let problem = address_problem(&caller, &address);
    // Only its form is looked at here: twelve characters.
    let is_code = caller.web.app.vault.seal.code_hash(code).is_some();
    let code_problem = (!is_code).then(|| t(caller.lang, "lost-code-malformed"));
    if problem.is_some() || code_problem.is_some() {
        let field = Field { value: typed.to_owned(), problem };
        return Ok(lost_page(&caller, field, code_problem, None));
    }
    caller.limit(Purpose::SignIn)?;
    match caller.web.app.recovery_ask(&address, code, &caller.client.to_string()).await? {
        Lost::Taken => Ok(see_other("/sign-in/lost/sent")),
        Lost::Wait { seconds } => {
            let field = Field { value: typed.to_owned(), problem: None };
            Ok(lost_page(&caller, field, None, Some(waiting(&caller, seconds))))
        }
    }
}

/// `GET /sign-in/lost/sent`
pub(super) async fn lost_sent(caller: Caller) -> Response {
    let hours = u32::try_from(caller.web.app.rules.recovery_delay_s.div_euclid(3_600)).unwrap_or(24);
    caller.page(render(&LostSent { shell: caller.shell(LOST), hours }), false)
}

/// The page behind an invitation.
pub(super) fn setup_page(
    caller: &Caller,
    person_name: String,
    door: SetupDoor,
    token: &str,
    pin_problem: Option<PinProblem>,
) -> Response {
    let problem = pin_problem.map(|problem| match problem {
        PinProblem::Missing => t(caller.lang, "part-pin-missing"),
        PinProblem::Malformed => t(caller.lang, "part-pin-malformed"),
        PinProblem::Wrong { tries_left } => {
            t_with(caller.lang, "part-pin-wrong", &[("n", &tries_left.to_string())])
        }
        PinProblem::WrongOnDevice => t(caller.lang, "part-pin-wrong-device"),
    });
    let view = LinkSetup {
        shell: caller.shell_at(Binding::Link(token), "/k"),
        person_name,
        needs_pin: door.needs_pin,
        takes_code: door.takes_code,
        pin_problem,
        problem,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

/// `POST /k/setup`
pub(super) async fn setup(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    caller.limit(Purpose::Pin)?;
    let tries = |n: i64| u32::try_from(n).unwrap_or(0);
    let problem = match caller.web.app.setup_enter(token, fields.get("pin"), fields.get("code")).await? {
        SetUp::In(session) => {
            let response = see_other("/setup-sign-in");
            return Ok(with(response, caller.set(Cookie::Session, session.as_str())));
        }
        SetUp::PinMissing => Some(PinProblem::Missing),
        SetUp::PinMalformed => Some(PinProblem::Malformed),
        SetUp::Wrong { tries_left } => Some(PinProblem::Wrong { tries_left: tries(tries_left) }),
        SetUp::Locked | SetUp::Over => None,
    };
    super::link::show(&caller, token, problem, false).await
}

/// The page behind the link of a notice.
pub(super) fn stop_page(caller: &Caller, token: &str) -> Response {
    let shell = caller.shell_at(Binding::Link(token), "/k");
    let view = LinkStop { shell, token: Hidden(token.to_owned()), once: caller.once() };
    caller.page(render(&view), false)
}

/// `POST /k/stop-recovery`
pub(super) async fn stop_recovery(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    caller.limit(Purpose::LinkAnswer)?;
    caller.web.app.recovery_stop_by_link(token).await?;
    Ok(caller.page(render(&LinkStopped { shell: caller.shell_at(LOST, "/k") }), false))
}
