//! What a page says when something could not be done: one kind, one status, one page with the office's
//! number. Which words stand there is `views::entry`.

use std::error::Error;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use crate::app::AppError;
use crate::i18n::Lang;
use crate::web::Web;

use super::caller::{Binding, Caller, is_own_page};
use super::form::{Fields, Typed};
use super::views::{Message, MessageKind, Shell, render};

/// Something that could not be done. Becomes a page in [`say_failures`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: MessageKind,
    back: Option<String>,
    retry_after_s: Option<u32>,
    again: Option<Box<Again>>,
}

/// What was wanted when a proof of the last minutes was missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Again {
    pub path: String,
    /// What was typed into the form; `None` for a page that was only looked at.
    pub fields: Option<Fields>,
}

impl Failure {
    const fn of(kind: MessageKind) -> Self {
        Self { kind, back: None, retry_after_s: None, again: None }
    }

    pub const fn not_found() -> Self {
        Self::of(MessageKind::NotFound)
    }

    pub const fn forbidden() -> Self {
        Self::of(MessageKind::Forbidden)
    }

    pub const fn form_expired() -> Self {
        Self::of(MessageKind::FormExpired)
    }

    pub const fn session_ended() -> Self {
        Self::of(MessageKind::SessionEnded)
    }

    pub const fn changed() -> Self {
        Self::of(MessageKind::ChangedMeanwhile)
    }

    pub const fn broken() -> Self {
        Self::of(MessageKind::Broken)
    }

    pub fn too_many(retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::of(MessageKind::TooMany) }
    }

    /// Asks for a proof first and then goes on with what was wanted.
    pub fn prove_again(path: &str, fields: Option<Fields>) -> Self {
        let again = Some(Box::new(Again { path: path.to_owned(), fields }));
        Self { again, ..Self::of(MessageKind::SessionEnded) }
    }

    /// With the page to go back to.
    pub fn back_to(mut self, path: impl Into<String>) -> Self {
        self.back = Some(path.into());
        self
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::of(match error {
            AppError::NotFound => MessageKind::NotFound,
            AppError::KeyReused | AppError::ChangedMeanwhile => MessageKind::ChangedMeanwhile,
            AppError::Busy => return Self { retry_after_s: Some(5), ..Self::of(MessageKind::Unavailable) },
            // Fields are said beside the field; what comes here did not come from our form.
            AppError::Invalid(_) => MessageKind::FormExpired,
            AppError::Store(_) | AppError::NoPlan(_) => {
                tracing::error!(error = &error as &dyn Error, "A page could not be made");
                MessageKind::Broken
            }
        })
    }
}

const fn status_of(kind: MessageKind) -> StatusCode {
    match kind {
        MessageKind::NotFound => StatusCode::NOT_FOUND,
        MessageKind::Forbidden | MessageKind::FormExpired | MessageKind::SessionEnded => {
            StatusCode::FORBIDDEN
        }
        MessageKind::ChangedMeanwhile => StatusCode::CONFLICT,
        MessageKind::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        MessageKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        MessageKind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        MessageKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn kind_of(status: StatusCode) -> MessageKind {
    match status {
        StatusCode::CONFLICT => MessageKind::ChangedMeanwhile,
        StatusCode::MISDIRECTED_REQUEST => MessageKind::Misdirected,
        StatusCode::TOO_MANY_REQUESTS => MessageKind::TooMany,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => MessageKind::Unavailable,
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED => MessageKind::NotFound,
        s if s.is_server_error() => MessageKind::Broken,
        _ => MessageKind::FormExpired,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = status_of(self.kind).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts a page where a handler, the router or an extractor answered with a bare status.
pub(super) async fn say_failures(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = parts.clone();
    let typed = (asked.method == Method::POST && is_own_page(asked.uri.path())).then(Typed::default);
    if let Some(typed) = &typed {
        parts.extensions.insert(typed.clone());
    }
    let response = next.run(Request::from_parts(parts, body)).await;
    let failure = response.extensions().get::<Failure>().cloned();
    if let Some(fields) = typed.filter(|_| is_for_the_door(&response)).and_then(|typed| typed.worth_keeping())
        && let Ok(caller) = Caller::from_request_parts(&mut asked.clone(), &web).await
        && caller.has_ended()
    {
        return super::kept::page_of(&caller, asked.uri.path(), &fields).await;
    }
    let is_bare = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let for_programs = asked.uri.path().starts_with("/api");
    if failure.is_none() && (!is_error || !is_bare || for_programs || asked.method == Method::OPTIONS) {
        return response;
    }
    let status = response.status();
    let failure = failure.unwrap_or_else(|| Failure::of(kind_of(status)));
    let mut asked = asked;
    if let Some(again) = &failure.again {
        return match Caller::from_request_parts(&mut asked, &web).await {
            Ok(caller) => super::signin::ask_again(&caller, again).await,
            Err(failure) => failure.into_response(),
        };
    }
    let page = match Caller::from_request_parts(&mut asked, &web).await {
        Ok(caller) => {
            let reference = (failure.kind == MessageKind::Broken).then(|| caller.reference()).flatten();
            let shell = caller.shell_at(Binding::Page("message"), "/");
            render(&Message { shell, kind: failure.kind, reference, back: failure.back.clone() })
        }
        Err(_) => error_page(status, crate::web::problem::lang_of(&asked.headers)),
    };
    let mut headers = kept(response.headers());
    if let Some(seconds) = failure.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    (status, headers, Html(page)).into_response()
}

/// Whether the answer is one that a form gets when nobody is signed in: to the door, or there is nothing here.
fn is_for_the_door(response: &Response) -> bool {
    let to = response.headers().get(header::LOCATION).map_or(&b""[..], HeaderValue::as_bytes);
    match response.status() {
        StatusCode::SEE_OTHER => to.starts_with(b"/sign-in"),
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => true,
        _ => false,
    }
}

/// What was said of the request still holds; what was said of the body does not.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    kept.remove(header::CONTENT_TYPE);
    kept.remove(header::CONTENT_LENGTH);
    kept
}

/// The page of a refusal that no route has seen: of no association, because none is known.
#[must_use]
pub fn error_page(status: StatusCode, lang: Lang) -> String {
    let shell = Shell { lang, path: "/".to_owned(), ..Shell::default() };
    render(&Message { shell, kind: kind_of(status), reference: None, back: None })
}
