//! What a POST brings: its JSON and its Idempotency-Key; and how its answer is sent.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::refuse::wrong;
use crate::app::replay::Key;
use crate::i18n::Lang;
use crate::web::extract::{is_json, read_json};
use crate::web::problem::{Kind, Problem, lang_of};

/// The header's name; also names it in errors.
const KEY: &str = "Idempotency-Key";

/// The characters a key may have.
const KEY_LENGTH: usize = 255;

/// For the description.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// 1 to 255 visible ASCII characters. The same key with the same body acts once: a replay within seven
    /// days gives the same status and body, with the header `Idempotency-Replayed: true`; with another body
    /// it is refused.
    #[param(rename = "Idempotency-Key", required = false, max_length = 255, min_length = 1, value_type = String)]
    #[expect(dead_code, reason = "only described; `Posted` reads the header")]
    idempotency_key: Option<String>,
}

/// The body and the key of a POST.
#[derive(Debug)]
pub struct Posted {
    body: Bytes,
    key: Option<Key>,
    lang: Lang,
}

impl<S: Sync + Send> FromRequest<S> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let lang = lang_of(request.headers());
        let mut keys = request.headers().get_all(KEY).iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(only), None) => Some(only.to_str().unwrap_or_default().to_owned()),
            (Some(_), Some(_)) => Some(String::new()),
        };
        let usable =
            |key: &String| (1..=KEY_LENGTH).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if key.as_ref().is_some_and(|key| !usable(key)) {
            return Err(wrong(lang, KEY, "not_a_key"));
        }
        let operation = format!("{} {}", request.method(), request.uri().path());
        let typed = is_json(request.headers());
        let body = Bytes::from_request(request, state).await.map_err(|rejected| {
            Kind::from_status(rejected.status()).unwrap_or(Kind::MalformedRequest).problem(lang)
        })?;
        if !typed && !body.is_empty() {
            return Err(Kind::UnsupportedMediaType.problem(lang));
        }
        let key = key.map(|key| Key::new(&key, &operation, &body));
        Ok(Self { body, key, lang })
    }
}

impl Posted {
    /// The body as `T`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_json(&self.body, self.lang)
    }

    /// The body as `T`; no body at all is an empty object.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_or_empty<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_json(if self.body.is_empty() { b"{}" } else { &self.body }, self.lang)
    }

    pub const fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// The answer, marked where it was given before.
    pub fn answer(&self, outcome: Result<impl IntoResponse, Problem>) -> Response {
        let mut response = outcome.into_response();
        if self.key.as_ref().is_some_and(Key::was_replayed) {
            response
                .headers_mut()
                .insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
        }
        response
    }
}

/// 201 with the address of what was made.
pub fn created(place: &str, body: impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, axum::Json(body)).into_response();
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
