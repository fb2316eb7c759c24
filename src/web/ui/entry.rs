//! The doors: start page, signing in and out, the two settings, problem pages, files.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::access::Proven;
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t};
use crate::web::Web;
use crate::web::problem::Kind;
use crate::web::rate::Purpose;

use super::assets;
use super::caller::{Binding, Caller, Cookie, gave_settings, is_own_path, see_other, with};
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::{
    DeviceSignIn, Field, Home, PinProblem, ProblemPage, SignIn, SignInSent, TextSize, render,
};
use super::words::title;

pages! {
    get "/" => home;
    get "/sign-in" => sign_in;
    post "/sign-in" => ask_for_link;
    get "/sign-in/sent" => link_sent;
    post "/sign-in/device" => by_device;
    post "/sign-out" => sign_out;
    post "/lang" => lang;
    post "/text-size" => text_size;
    get "/problems/{name}" => problem;
    get "/assets/{*file}" => file;
    get "/favicon.ico" => icon;
}

const SIGN_IN: Binding<'static> = Binding::Page("sign-in");

/// `GET /`
pub(super) async fn home(caller: Caller) -> Result<Response, Failure> {
    if caller.web.demo.is_some() && caller.signed_in.is_none() && !caller.demo_seen() {
        return Ok(see_other("/demo"));
    }
    let app = &caller.web.app;
    let (mut rules, mut left) = (false, false);
    let (mut recoveries, mut phones) = (0, Vec::new());
    if let Some(person) = &caller.signed_in {
        let home = &person.association.id;
        let seen = app.rules_seen_by(home, &person.member.id).await?.map(|(version, _)| version);
        rules = seen != Some(app.rules_now(home).await?.version);
        left = person.may(Right::Settings) && !app.left_for_later(home).await?.is_empty();
        let others = caller.recoveries.iter().filter(|r| r.member != person.member.id).count();
        recoveries = u32::try_from(others).unwrap_or(u32::MAX);
        if person.may(Right::Enrol) {
            for waiting in app.phones_waiting(home).await? {
                let whose = app.member(home, &waiting.member).await?;
                if whose.left_at.is_none() {
                    let name = title(&whose.name, &whose.roles, caller.lang);
                    phones.push((format!("/people/{}", whose.id), name));
                }
            }
        }
    }
    let not_set_up = caller.home.is_none() && app.setup_needed().await?;
    let shell = caller.shell(Binding::Page("home"));
    let view = Home { shell, rules, left, not_set_up, recoveries, phones };
    Ok(caller.page(render(&view), false))
}

#[derive(Deserialize)]
pub(super) struct By {
    by: Option<String>,
}

/// `GET /sign-in`: on a known device the second factor is enough.
pub(super) async fn sign_in(caller: Caller, Query(by): Query<By>) -> Result<Response, Failure> {
    if by.by.is_none()
        && let Some(page) = super::people::station::door(&caller).await?
    {
        return Ok(page);
    }
    if by.by.is_none()
        && let Some(page) = device_page(&caller, None).await?
    {
        return Ok(page);
    }
    Ok(address_page(&caller, Field::default()))
}

fn address_page(caller: &Caller, address: Field) -> Response {
    let notice = caller.next().map(|_| t(caller.lang, "sign-in-then"));
    let shell = caller.shell_at(SIGN_IN, "/sign-in");
    caller.page(render(&SignIn { shell, address, once: caller.once(), notice }), false)
}

async fn device_page(caller: &Caller, pin_problem: Option<PinProblem>) -> Result<Option<Response>, Failure> {
    let Some(known) = caller.known_device().await? else {
        return Ok(None);
    };
    let guest = caller.as_guest_of(&known.association);
    let view = DeviceSignIn {
        shell: guest.shell_at(SIGN_IN, "/sign-in"),
        person_name: super::words::title(&known.member.name, &known.member.roles, caller.lang),
        pin_problem,
        once: caller.once(),
    };
    Ok(Some(caller.page(render(&view), false)))
}

/// `POST /sign-in`: the answer is the same for every address.
pub(super) async fn ask_for_link(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, SIGN_IN)?;
    let typed = fields.get("address").trim();
    let address = narrow(typed);
    let malformed = address.len() > 254
        || address.chars().any(char::is_control)
        || !address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if malformed {
        let key = if address.is_empty() { "sign-in-address-missing" } else { "sign-in-address-malformed" };
        let field = Field { value: typed.to_owned(), problem: Some(t(caller.lang, key)) };
        return Ok(address_page(&caller, field));
    }
    caller.limit(Purpose::SignIn)?;
    caller.web.app.sign_in_links(&address).await?;
    Ok(see_other("/sign-in/sent"))
}

/// `GET /sign-in/sent`
pub(super) async fn link_sent(caller: Caller) -> Response {
    let minutes = u32::try_from(caller.web.app.rules.sign_in_life_s / 60).unwrap_or(10);
    caller.page(render(&SignInSent { shell: caller.shell(SIGN_IN), minutes }), false)
}

/// `POST /sign-in/device`
pub(super) async fn by_device(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, SIGN_IN)?;
    match prove_by_device(&caller, &fields).await? {
        ByDevice::SignedIn(cookie) => Ok(with(enter(&caller, cookie), caller.forget(Cookie::Next))),
        ByDevice::Wrong(problem) => {
            Ok(device_page(&caller, Some(problem)).await?.unwrap_or(see_other("/sign-in")))
        }
        ByDevice::Unknown => Ok(with(see_other("/sign-in"), caller.forget(Cookie::Device))),
    }
}

/// What a PIN typed on a known device came to.
pub(super) enum ByDevice {
    /// The session cookie to set.
    SignedIn(axum::http::HeaderValue),
    Wrong(PinProblem),
    /// The device is not known any more.
    Unknown,
}

/// Signs in by the known device and the form's `pin`.
pub(super) async fn prove_by_device(caller: &Caller, fields: &Fields) -> Result<ByDevice, Failure> {
    let Some(device) = caller.device() else {
        return Ok(ByDevice::Unknown);
    };
    caller.limit(Purpose::Pin)?;
    Ok(match caller.web.app.sign_in_by_device(device, Some(fields.get("pin"))).await? {
        Proven::SignedIn { session, .. } => ByDevice::SignedIn(caller.set(Cookie::Session, session.as_str())),
        Proven::PinMissing => ByDevice::Wrong(PinProblem::Missing),
        Proven::PinMalformed => ByDevice::Wrong(PinProblem::Malformed),
        Proven::PinWrong { .. } => ByDevice::Wrong(PinProblem::WrongOnDevice),
        Proven::PinLocked | Proven::LinkOver => ByDevice::Unknown,
    })
}

/// On to the page that was wanted.
pub(super) fn enter(caller: &Caller, session: axum::http::HeaderValue) -> Response {
    with(see_other(caller.next().unwrap_or("/consults")), session)
}

/// `POST /sign-out`
pub(super) async fn sign_out(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let (Some(person), Some(session)) = (&caller.signed_in, caller.session()) else {
        return Ok(see_other("/"));
    };
    fields.check(&caller, Binding::Page("sign-out"))?;
    caller.web.app.sign_out(&person.who(), session).await?;
    Ok(with(see_other("/"), caller.forget(Cookie::Session)))
}

/// `POST /lang`
pub(super) async fn lang(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let chosen = Lang::from_tag(fields.get("lang")).ok_or(Failure::form_expired())?;
    setting(&caller, &fields, Cookie::Lang, chosen.tag())
}

/// `POST /text-size`
pub(super) async fn text_size(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    setting(&caller, &fields, Cookie::TextSize, TextSize::from_tag(fields.get("size")).tag())
}

fn setting(caller: &Caller, fields: &Fields, cookie: Cookie, value: &str) -> Result<Response, Failure> {
    if !gave_settings(&caller.web, fields.get("csrf")) {
        return Err(Failure::form_expired());
    }
    let back = Some(fields.get("back")).filter(|path| is_own_path(path)).unwrap_or("/");
    Ok(with(see_other(back), caller.set(cookie, value)))
}

/// `GET /problems/{name}`: what a problem type of the API means.
pub(super) async fn problem(caller: Caller, Path(name): Path<String>) -> Result<Response, Failure> {
    let path = format!("/problems/{name}");
    let kind = Kind::ALL.iter().find(|kind| kind.type_() == path).ok_or(Failure::not_found())?;
    let view = ProblemPage {
        shell: caller.shell(Binding::Page("problem")),
        name,
        status: kind.status().as_u16(),
        title: kind.title(caller.lang).to_owned(),
        what_to_do: kind.detail(caller.lang).to_owned(),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /assets/{*file}`
pub(super) async fn file(Path(file): Path<String>) -> Response {
    match assets::asset(&format!("/assets/{file}")) {
        Some((kind, bytes)) => {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, assets::CACHE_CONTROL)], bytes)
                .into_response()
        }
        None => Failure::not_found().into_response(),
    }
}

/// `GET /favicon.ico`: browsers ask for it whatever the page says.
pub(super) async fn icon() -> Response {
    match assets::asset(assets::asset_url("icon.svg")) {
        Some((kind, bytes)) => {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=86400")], bytes)
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Everything else.
pub(super) async fn nothing(State(_): State<Web>, uri: axum::http::Uri) -> Response {
    if uri.path().starts_with("/api") {
        // The edge explains it to programs.
        StatusCode::NOT_FOUND.into_response()
    } else {
        Failure::not_found().into_response()
    }
}
