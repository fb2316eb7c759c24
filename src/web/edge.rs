//! The outermost layer around every route, fallback and error: whose host and page it is, who the client
//! is, the whole body, the headers of every answer, the shape of errors, one log line. No session or key
//! is known here.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use futures_util::FutureExt;

use crate::i18n::Lang;
use crate::ids::{SharedChance, crockford_128};

use super::problem::{Kind, Problem, lang_of};
use super::trust::{HostSays, Networks, Site, client_address};
use super::wire::{BodyRefused, read_whole};

/// Renders the neutral page for an error status; given by the `ui`. It must not fail.
pub type ErrorPage = fn(StatusCode, Lang) -> String;

/// Who may put our pages into a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Nobody,
    /// The demo shows several people's pages beside each other.
    OwnPages,
}

/// What the outermost layer needs to know.
#[derive(Clone, Debug)]
pub struct Edge {
    pub site: Site,
    /// The reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// Changes with every start; sent as `x-boot-id`.
    pub boot_id: String,
    pub framing: Framing,
    pub error_page: ErrorPage,
    pub chance: SharedChance,
}

/// The peer's address, as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The client's address: the peer, or what a trusted proxy says. For limits and the audit; never logged.
/// Unspecified (`0.0.0.0`) when the router is called without a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The request's own id, also sent as `x-request-id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The server could not read a request from the connection; the edge shapes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProtocolRefusal(pub StatusCode);

/// Every feature off that a browser could lend to a page. Not named, so left to our own origin: passkeys
/// (`publickey-credentials-*`) and copying a text (`clipboard-write`).
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), display-capture=(), \
    encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), \
    serial=(), usb=(), xr-spatial-tracking=()";

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const CSP_DEMO: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; \
    frame-src 'self'";

/// For the HTML part of a mail shown in the demo: no script, no form, no origin of its own.
pub(super) const CSP_SHUT_IN: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'self'";

#[derive(Debug)]
struct Shared {
    edge: Edge,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The boot id cannot stand in a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the boot id has characters that cannot stand in a header")]
pub struct BadBootId;

impl Edge {
    /// Puts the layer around all routes and fallbacks of `router`. To be called last: routes added
    /// afterwards stand outside.
    ///
    /// # Errors
    /// When the boot id cannot stand in a header.
    pub fn apply(self, router: Router) -> Result<Router, BadBootId> {
        let headers = self.headers()?;
        let shared = Arc::new(Shared { edge: self, headers });
        // The server limits bodies, and the edge reads them whole; axum's own limit would be a third.
        Ok(router.layer(DefaultBodyLimit::disable()).layer(from_fn_with_state(shared, pass)))
    }

    fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, BadBootId> {
        let csp = match self.framing {
            Framing::Nobody => CSP,
            Framing::OwnPages => CSP_DEMO,
        };
        let fixed = HeaderValue::from_static;
        let mut headers = vec![
            (header::CONTENT_SECURITY_POLICY, fixed(csp)),
            // Nobody else learns an address of ours. With `no-referrer` a browser older than Sec-Fetch-Site
            // (iOS before 16.4) would send our own forms with `Origin: null` (Fetch §3.2), which is refused.
            (header::REFERRER_POLICY, fixed("same-origin")),
            (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
            (HeaderName::from_static("cross-origin-opener-policy"), fixed("same-origin")),
            (HeaderName::from_static("cross-origin-resource-policy"), fixed("same-origin")),
            (HeaderName::from_static("permissions-policy"), fixed(PERMISSIONS)),
            (HeaderName::from_static("x-robots-tag"), fixed("noindex")),
            (HeaderName::from_static("x-boot-id"), self.boot_id.parse().map_err(|_| BadBootId)?),
        ];
        if self.site.https() {
            headers.push((header::STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000; includeSubDomains")));
        }
        Ok(headers)
    }
}

/// One request, from its first header to its last. Written when dropped, so that a client that went away
/// leaves its line too.
struct Line {
    id: String,
    method: &'static str,
    route: String,
    status: Option<StatusCode>,
    began: Instant,
}

impl Drop for Line {
    fn drop(&mut self) {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (id, method, route) = (&self.id, self.method, &self.route);
        match self.status {
            Some(status) => {
                let status = status.as_u16();
                tracing::info!(request.id = %id, method, route, status, ms, "{method} {route} answered {status} in {ms} ms");
            }
            None => {
                tracing::info!(request.id = %id, method, route, ms, "{method} {route} was left by its client after {ms} ms");
            }
        }
    }
}

async fn pass(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let edge = &shared.edge;
    let mut random = [0u8; 16];
    edge.chance.fill(&mut random);
    let id = crockford_128(u128::from_le_bytes(random));
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let mut line = Line {
        id: id.clone(),
        method: name_of(request.method()),
        route,
        status: None,
        began: Instant::now(),
    };

    let lang = lang_of(request.headers());
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |p| p.0);
    let client = client_address(peer, request.headers(), &edge.trusted_proxies);
    request.extensions_mut().insert(ClientAddress(client));
    request.extensions_mut().insert(RequestId(id.clone()));

    let for_programs = is_for_programs(request.uri().path());
    let shape = Shape { lang, for_programs, error_page: edge.error_page };
    let mut response = match answer(edge, &shape, request, next).await {
        Ok(response) => shape.errors(response),
        Err(kind) => shape.refusal(kind.problem(lang)),
    };

    let headers = response.headers_mut();
    // A page that shows somebody else's HTML shuts it in tighter than we do; nothing may loosen ours.
    let is_shut_in = headers.get(header::CONTENT_SECURITY_POLICY).is_some_and(|policy| policy == CSP_SHUT_IN);
    for (name, value) in &shared.headers {
        if !(is_shut_in && name == header::CONTENT_SECURITY_POLICY) {
            headers.insert(name.clone(), value.clone());
        }
    }
    // Hashed assets say themselves how long they keep; everything else may be somebody's data.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    line.status = Some(response.status());
    response
}

/// What is checked before a handler runs, and the handler.
async fn answer(edge: &Edge, shape: &Shape, request: Request, next: Next) -> Result<Response, Kind> {
    if let Some(ProtocolRefusal(status)) = request.extensions().get() {
        let kind = Kind::from_status(*status).unwrap_or(Kind::MalformedRequest);
        return Ok(kind.problem(shape.lang).into_response());
    }
    match edge.site.judge_host(request.uri(), request.headers()) {
        HostSays::Ours => {}
        HostSays::Foreign => return Err(Kind::WrongHost),
        HostSays::Nothing => return Err(Kind::MalformedRequest),
    }
    if changes_something(request.method()) && !is_from_our_pages(&edge.site, &request) {
        return Err(Kind::CrossSite);
    }
    // NUL fits into no text column and no mail; nothing that contains it was typed by a person.
    let target = request.uri().path_and_query().map_or("", |p| p.as_str());
    if target.contains("%00") {
        return Err(Kind::MalformedRequest);
    }

    let (parts, body) = request.into_parts();
    let body = match read_whole(body).await {
        Ok(body) => body,
        Err(BodyRefused::TooLarge) => return Err(Kind::TooLarge),
        Err(BodyRefused::TooSlow) => return Err(Kind::TooSlow),
        Err(BodyRefused::Broken) => return Err(Kind::MalformedRequest),
    };
    if is_form(&parts.headers) && (body.contains(&0) || body.windows(3).any(|w| w == b"%00")) {
        return Err(Kind::MalformedRequest);
    }

    let asks_for_options = parts.method == Method::OPTIONS;
    let request = Request::from_parts(parts, Body::from(body));
    let response = AssertUnwindSafe(next.run(request)).catch_unwind().await.map_err(|_| {
        tracing::error!("A handler panicked; its request is answered with 500");
        Kind::Internal
    })?;
    if asks_for_options && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        // `OPTIONS` asks no handler: it is the 405 of the route put positively. axum adds `Allow`.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(response)
}

fn is_for_programs(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|v| v.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded"))
}

const fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The first wall against cross-site request forgery (the second is the token in each form). Browsers send
/// `Sec-Fetch-Site` to secure origins, older ones at least `Origin`; programs send neither. A request with
/// a key and without cookies carries nothing a foreign page could borrow.
fn is_from_our_pages(site: &Site, request: &Request) -> bool {
    let headers = request.headers();
    let bearer = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|v| v.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer ")));
    if bearer && !headers.contains_key(header::COOKIE) {
        return true;
    }
    let mut fetch_sites = headers.get_all("sec-fetch-site").iter().peekable();
    if fetch_sites.peek().is_some() {
        return fetch_sites.all(|v| matches!(v.as_bytes(), b"same-origin" | b"none"));
    }
    headers
        .get_all(header::ORIGIN)
        .iter()
        .all(|o| o.to_str().is_ok_and(|o| site.is_own_origin(o, request.uri(), headers)))
}

/// The method for the log: a client may invent one, and put into it what must not stand there.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// How errors look to this client.
struct Shape {
    lang: Lang,
    for_programs: bool,
    error_page: ErrorPage,
}

impl Shape {
    /// A refusal of the edge itself.
    fn refusal(&self, problem: Problem) -> Response {
        if self.for_programs {
            return problem.into_response();
        }
        let status = problem.status;
        let retry_after_s = problem.retry_after_s;
        let mut response = (status, Html((self.error_page)(status, self.lang))).into_response();
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// Gives a body to errors that have none for people or programs: axum's empty 404 and 405, and the
    /// plain text of its extractors, which would show our types.
    fn errors(&self, response: Response) -> Response {
        let explained = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|v| !v.as_bytes().starts_with(b"text/plain"));
        let Some(kind) = Kind::from_status(response.status()).filter(|_| !explained) else { return response };
        let mut problem = kind.problem(self.lang);
        problem.status = response.status();
        if problem.status == StatusCode::FORBIDDEN {
            problem.status = StatusCode::NOT_FOUND;
        }
        let mut shaped = self.refusal(problem);
        // What the handler said of the request still holds; what it said of its body does not.
        let mut kept = response.into_parts().0.headers;
        kept.remove(header::CONTENT_TYPE);
        kept.remove(header::CONTENT_LENGTH);
        for (name, value) in shaped.headers() {
            kept.entry(name).or_insert(value.clone());
        }
        *shaped.headers_mut() = kept;
        shaped
    }
}
