//! Who asks for a page, in which language and letters, and what surrounds the page. What stands on it is
//! the business of each page's own file.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

use crate::app::access::{KnownDevice, SignedIn};
use crate::app::people::stations::SHARED_LIFE_S;
use crate::app::rows::{Association, Recovery};
use crate::app::say;
use crate::app::setup::SETUP_LINK_LIFE_S;
use crate::domain::people::rights::Right;
use crate::i18n::Lang;
use crate::ids::crockford_128;
use crate::time::Millis;
use crate::web::Web;
use crate::web::edge::{ClientAddress, RequestId};
use crate::web::problem::lang_of;
use crate::web::rate::Purpose;

use super::failure::Failure;
use super::form::Fields;
use super::views::{Hidden, Nav, Shell, TextSize};
use super::words::title;

/// The cookies of the pages. On https each name begins with `__Host-`, which binds it to this host alone
/// (RFC 6265bis §4.1.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    Session,
    Device,
    /// A device that an institution's people share.
    Station,
    Lang,
    TextSize,
    /// The page that was wanted before signing in: kept here, so that no address carries an address.
    Next,
    /// What is said once on the next page.
    Said,
    /// The exercise has been seen; the start page no longer leads to it by itself.
    DemoSeen,
    /// The set-up link of an installation without an association.
    Setup,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "touban",
            Self::Device => "touban-device",
            Self::Station => "touban-station",
            Self::Lang => "lang",
            Self::TextSize => "text-size",
            Self::Next => "touban-next",
            Self::Said => "touban-said",
            Self::DemoSeen => "touban-demo",
            Self::Setup => "touban-setup",
        }
    }

    fn full_name(self, secure: bool) -> String {
        if secure { format!("__Host-{}", self.name()) } else { self.name().to_owned() }
    }

    /// Seconds it is kept; `None`: until the browser closes.
    fn max_age_s(self, web: &Web) -> Option<i64> {
        match self {
            Self::Session | Self::DemoSeen => None,
            Self::Device => Some(web.app.rules.device_life_s),
            Self::Station => Some(SHARED_LIFE_S),
            Self::Lang | Self::TextSize => Some(400 * 86_400),
            Self::Next => Some(1_800),
            Self::Said => Some(120),
            Self::Setup => Some(SETUP_LINK_LIFE_S),
        }
    }
}

/// Who may post a form: in its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding<'a> {
    /// Whoever has this session; without one, whoever was given this form.
    Page(&'static str),
    /// Whoever holds this link.
    Link(&'a str),
}

/// One request for a page.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub web: Web,
    pub lang: Lang,
    pub text_size: TextSize,
    pub signed_in: Option<SignedIn>,
    /// Recoveries of means to sign in of which the signed-in person has to be told.
    pub recoveries: Vec<Recovery>,
    /// The association of the session, or the only one there is.
    pub home: Option<Association>,
    pub client: IpAddr,
    pub now: Millis,
    /// Only the part that changes is wanted.
    pub fragment: bool,
    request: String,
    path: String,
    session: Option<Hidden>,
    /// There was a session, which is over.
    ended: bool,
    device: Option<Hidden>,
    station: Option<Hidden>,
    agent: String,
    next: Option<String>,
    said: Option<String>,
    demo_seen: bool,
    setup: Option<Hidden>,
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let cookie = |which: Cookie| cookie_of(&parts.headers, &which.full_name(web.secure));
        let session = cookie(Cookie::Session);
        let signed_in = match &session {
            Some(secret) => web.app.session(secret).await?,
            None => None,
        };
        let recoveries = match &signed_in {
            Some(person) => web.app.recoveries_unseen(person).await?,
            None => Vec::new(),
        };
        let home = match (&signed_in, &web.demo) {
            (Some(signed_in), _) => Some(signed_in.association.clone()),
            (None, _) => only_one(web.app.associations().await?),
        };
        let chosen = cookie(Cookie::Lang).as_deref().and_then(Lang::from_tag);
        let of_member = signed_in.as_ref().map(|s| s.member.lang);
        Ok(Self {
            lang: chosen.or(of_member).unwrap_or_else(|| lang_of(&parts.headers)),
            text_size: TextSize::from_tag(cookie(Cookie::TextSize).as_deref().unwrap_or_default()),
            home,
            client: parts
                .extensions
                .get::<ClientAddress>()
                .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0),
            now: web.app.now(),
            fragment: parts.headers.get("hx-request").is_some_and(|v| v == "true"),
            request: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            path: parts.uri.path().to_owned(),
            ended: session.is_some() && signed_in.is_none(),
            session: session.filter(|_| signed_in.is_some()).map(Hidden),
            device: cookie(Cookie::Device).map(Hidden),
            station: cookie(Cookie::Station).map(Hidden),
            agent: agent_of(&parts.headers),
            next: cookie(Cookie::Next),
            said: cookie(Cookie::Said),
            demo_seen: cookie(Cookie::DemoSeen).is_some(),
            setup: cookie(Cookie::Setup).map(Hidden),
            signed_in,
            recoveries,
            web: web.clone(),
        })
    }
}

/// What the browser says of itself, as far as it is text.
fn agent_of(headers: &HeaderMap) -> String {
    headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

fn only_one(all: Vec<Association>) -> Option<Association> {
    let mut all = all.into_iter();
    all.next().filter(|_| all.next().is_none())
}

fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty() && value.len() <= 400)
        .map(|(_, value)| value.to_owned())
}

impl Caller {
    /// The signed-in person.
    ///
    /// # Errors
    /// The page that says the session ended.
    pub fn person(&self) -> Result<&SignedIn, Failure> {
        self.signed_in.as_ref().ok_or(Failure::session_ended())
    }

    /// The signed-in person, if one of their roles carries this right; for everybody else there is no such page.
    ///
    /// # Errors
    /// The page that says there is none.
    pub fn with_right(&self, right: Right) -> Result<&SignedIn, Failure> {
        self.signed_in.as_ref().filter(|s| s.may(right)).ok_or(Failure::not_found())
    }

    /// The signed-in person, if one of their roles carries this right and they proved who they are within the
    /// last five minutes; otherwise they are asked first and come back to this page. For pages; a form's deed
    /// takes [`Caller::fresh_with`].
    ///
    /// # Errors
    /// As [`Caller::with_right`]; the way to the page that asks.
    pub fn fresh(&self, right: Right) -> Result<&SignedIn, Failure> {
        let person = self.with_right(right)?;
        self.proven(person, None)
    }

    /// The same for a form: what was typed is carried past the page that asks, and sent again by one press.
    ///
    /// # Errors
    /// As [`Caller::fresh`].
    pub fn fresh_with(&self, right: Right, fields: &Fields) -> Result<&SignedIn, Failure> {
        let person = self.with_right(right)?;
        self.proven(person, Some(fields))
    }

    /// The person, if they proved who they are within the last five minutes.
    ///
    /// # Errors
    /// The way to the page that asks.
    pub fn proven<'a>(&self, person: &'a SignedIn, fields: Option<&Fields>) -> Result<&'a SignedIn, Failure> {
        // In the exercise anybody may be anybody; nobody has anything to prove it with.
        if person.is_fresh(self.now) || self.web.demo.is_some() {
            return Ok(person);
        }
        if person.strong_at.is_none() {
            return Err(Failure::not_found());
        }
        Err(Failure::prove_again(&self.path, fields.cloned()))
    }

    /// The zone of the page's association.
    pub fn zone(&self) -> Tz {
        self.home.as_ref().map_or(chrono_tz::UTC, |home| home.zone)
    }

    /// Whose known device this is.
    ///
    /// # Errors
    /// The store's.
    pub async fn known_device(&self) -> Result<Option<KnownDevice>, Failure> {
        match &self.device {
            Some(secret) => Ok(self.web.app.known_device(&secret.0).await?),
            None => Ok(None),
        }
    }

    /// The secret of the device, if it has one.
    pub fn device(&self) -> Option<&str> {
        self.device.as_ref().map(|secret| secret.0.as_str())
    }

    /// The secret of the shared device, if this is one.
    pub fn station(&self) -> Option<&str> {
        self.station.as_ref().map(|secret| secret.0.as_str())
    }

    /// What the browser says of itself; never kept as it is.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Whether this browser was signed in, and its session is over.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// The same request by the person of a session that has just begun.
    pub fn signed_in_as(&self, person: SignedIn, session: &str) -> Self {
        Self {
            home: Some(person.association.clone()),
            signed_in: Some(person),
            session: Some(Hidden(session.to_owned())),
            ended: false,
            ..self.clone()
        }
    }

    /// The secret of the session, if it stands.
    pub fn session(&self) -> Option<&str> {
        self.session.as_ref().map(|secret| secret.0.as_str())
    }

    /// The token of the set-up link that this browser opened.
    pub fn setup(&self) -> Option<&str> {
        self.setup.as_ref().map(|secret| secret.0.as_str())
    }

    /// The same request seen as a page of this association, by nobody in particular.
    pub fn as_guest_of(&self, home: &Association) -> Self {
        Self {
            home: Some(home.clone()),
            signed_in: None,
            recoveries: Vec::new(),
            session: None,
            ..self.clone()
        }
    }

    fn token(&self, binding: Binding<'_>) -> String {
        let seal = &self.web.app.vault.seal;
        match (binding, &self.session) {
            (Binding::Link(token), _) => seal.csrf(token),
            (Binding::Page(_), Some(session)) => seal.csrf(&of_session(&session.0)),
            (Binding::Page(form), None) => seal.csrf(&anonymous(form)),
        }
    }

    /// Whether a form's token was given to this reader. A form drawn before signing in (in another window)
    /// stays good; forms of signed-in people are never drawn for others.
    pub fn gave(&self, binding: Binding<'_>, token: &str) -> bool {
        let seal = &self.web.app.vault.seal;
        match binding {
            Binding::Link(link) => seal.csrf_ok(link, token),
            Binding::Page(form) => {
                let of_this = self.session.as_ref().is_some_and(|s| seal.csrf_ok(&of_session(&s.0), token));
                of_this || seal.csrf_ok(&anonymous(form), token)
            }
        }
    }

    /// A new one-time number of a form.
    pub fn once(&self) -> Hidden {
        let mut random = [0u8; 16];
        self.web.app.chance.fill(&mut random);
        Hidden(crockford_128(u128::from_le_bytes(random)))
    }

    /// What surrounds a page at the request's own path.
    pub fn shell(&self, binding: Binding<'_>) -> Shell {
        self.shell_at(binding, &self.path)
    }

    /// What surrounds a page; `path` shows it, or the nearest one, again.
    pub fn shell_at(&self, binding: Binding<'_>, path: &str) -> Shell {
        let person = self.signed_in.as_ref().filter(|_| matches!(binding, Binding::Page(_)));
        let nav = person.map_or_else(Nav::default, |p| Nav {
            asker: p.may(Right::Ask),
            board: p.may(Right::Board),
            ledger: p.may(Right::Ledger),
            directory: p.may(Right::Directory),
            people: p.may(Right::People),
            sheets: p.may(Right::Sheets),
            settings: p.may(Right::Settings),
            totals: p.may(Right::Totals),
            duty: p.may(Right::Duty),
            rota: p.may(Right::Rota),
            transfers: p.may(Right::Transfer) || p.may(Right::Board),
        });
        let home = self.home.as_ref();
        Shell {
            lang: self.lang,
            association_name: home.map(|h| h.name.clone()).unwrap_or_default(),
            office_phone: home.map(|h| h.office_phone.clone()).unwrap_or_default(),
            office_hours: home.map(|h| h.office.hours.clone()).unwrap_or_default(),
            signed_in_as: person.map(|p| title(&p.member.name, &p.member.roles, self.lang)),
            nav,
            office_door: person.is_some_and(|p| p.is_office_by_pin() && !p.is_setting_up(self.now)),
            recovery: person.is_some_and(|p| self.recoveries.iter().any(|r| r.member == p.member.id)),
            text_size: self.text_size,
            demo: self.web.demo.is_some(),
            csrf: Hidden(self.token(binding)),
            settings: Hidden(self.web.app.vault.seal.csrf(&anonymous(SETTINGS))),
            now_text: home.map(|h| say::moment(self.now, h.zone, self.lang)).unwrap_or_default(),
            path: path.to_owned(),
        }
    }

    /// Counts a try against this client's allowance.
    ///
    /// # Errors
    /// The page that asks to wait.
    pub fn limit(&self, purpose: Purpose) -> Result<(), Failure> {
        self.web.rates.try_now(self.client, purpose).map_err(|e| Failure::too_many(e.retry_after_s))
    }

    /// A cookie to be set.
    pub fn set(&self, which: Cookie, value: &str) -> HeaderValue {
        self.cookie_line(which, value, which.max_age_s(&self.web))
    }

    /// A cookie to be forgotten.
    pub fn forget(&self, which: Cookie) -> HeaderValue {
        self.cookie_line(which, "", Some(0))
    }

    fn cookie_line(&self, which: Cookie, value: &str, max_age_s: Option<i64>) -> HeaderValue {
        let secure = self.web.secure;
        let mut line = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", which.full_name(secure));
        if let Some(seconds) = max_age_s {
            // Writing into a String cannot fail.
            let _ = write!(line, "; Max-Age={seconds}");
        }
        if secure {
            line.push_str("; Secure");
        }
        // Every value is one of ours: letters of base64url, of Crockford, or a path that was checked.
        HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static(""))
    }

    /// Where the reader wanted to go before signing in.
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref().filter(|path| is_own_page(path))
    }

    /// What the last step said, to be said once.
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    pub const fn demo_seen(&self) -> bool {
        self.demo_seen
    }

    /// To the door, remembering where the reader wanted to go.
    pub fn to_sign_in(&self) -> Response {
        let mut response = see_other("/sign-in");
        if is_own_page(&self.path) {
            response.headers_mut().append(header::SET_COOKIE, self.set(Cookie::Next, &self.path));
        }
        response
    }

    /// To the door of the office, remembering where the reader wanted to go.
    pub fn to_office_door(&self) -> Response {
        with(see_other("/sign-in/office"), self.set(Cookie::Next, &self.path))
    }

    /// To another page that says once what was done.
    pub fn go_and_say(&self, path: &str, said: &str) -> Response {
        with(see_other(path), self.set(Cookie::Said, said))
    }

    /// A page; what was to be said once has been said when `used`.
    pub fn page(&self, html: String, used: bool) -> Response {
        let response = Html(html).into_response();
        if used { with(response, self.forget(Cookie::Said)) } else { response }
    }

    /// What to read out to the office.
    pub fn reference(&self) -> Option<String> {
        let at = self.request.len().checked_sub(8)?;
        self.request.get(at..).map(str::to_owned)
    }
}

/// The two forms on every page that only set a cookie.
pub(super) const SETTINGS: &str = "settings";

fn of_session(secret: &str) -> String {
    let mut hex = String::from("session:");
    for byte in Sha256::digest(secret.as_bytes()) {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn anonymous(form: &str) -> String {
    format!("anonymous:{form}")
}

/// Whether the two forms that only set a cookie came from a page of ours.
pub(super) fn gave_settings(web: &Web, token: &str) -> bool {
    web.app.vault.seal.csrf_ok(&anonymous(SETTINGS), token)
}

/// Whether a path is one of our own pages that a reader may be sent to: nothing that leads out.
pub(super) fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 300
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'?' | b'=' | b'.'))
}

pub(super) fn is_own_page(path: &str) -> bool {
    is_own_path(path)
        && [
            "/consults",
            "/duty",
            "/rota",
            "/duties",
            "/swaps",
            "/board",
            "/ledger",
            "/cards",
            "/transfers",
            "/contacts",
            "/directory",
            "/people",
            "/sheets",
            "/settings",
            "/rules",
            "/rota",
            "/totals",
            "/me",
        ]
        .iter()
        .any(|page| path.starts_with(page))
}

/// 303: look there (RFC 9110 §15.4.4).
pub(super) fn see_other(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (axum::http::StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// The same answer with a cookie.
pub(super) fn with(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_sent_to_our_own_pages_only() {
        for ours in ["/", "/consults/01ABC", "/ledger?month=2026-11", "/demo/mailbox/00000001?tab=source"] {
            assert!(is_own_path(ours), "{ours}");
        }
        for foreign in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nset-cookie: x", "/k#x"]
        {
            assert!(!is_own_path(foreign), "{foreign}");
        }
        assert!(!is_own_page("/sign-out"));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("touban-device=d; touban=s"));
        headers.append(header::COOKIE, HeaderValue::from_static("lang=en"));
        assert_eq!(cookie_of(&headers, "touban").as_deref(), Some("s"));
        assert_eq!(cookie_of(&headers, "touban-device").as_deref(), Some("d"));
        assert_eq!(cookie_of(&headers, "lang").as_deref(), Some("en"));
        assert_eq!(cookie_of(&headers, "__Host-touban"), None);
    }
}
