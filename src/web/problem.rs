//! Problem details (RFC 9457): the closed list of what the API can answer instead of a result, in both
//! languages. Which problem an error of the application becomes is decided where the error is handled.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::i18n::Lang;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The language the client asks for; Japanese when it asks for none of ours.
#[must_use]
pub fn lang_of(headers: &HeaderMap) -> Lang {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok())
        .map_or(Lang::Ja, Lang::from_accept_language)
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $status:ident $type_:literal
        { $ja_title:literal, $ja_detail:literal; $en_title:literal, $en_detail:literal })*) => {
        /// What went wrong. The `type` and status of each are part of the API and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, for the API's description and for tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The `type` of the problem: a path on this server.
            #[must_use]
            pub const fn type_(self) -> &'static str {
                match self { $(Self::$name => concat!("/problems/", $type_),)* }
            }

            /// The status it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// One line that is the same for every problem of the kind.
            #[must_use]
            pub const fn title(self, lang: Lang) -> &'static str {
                match (self, lang) { $(
                    (Self::$name, Lang::Ja) => $ja_title,
                    (Self::$name, Lang::En) => $en_title,
                )* }
            }

            /// What to do next, as long as nothing more is known.
            #[must_use]
            pub const fn detail(self, lang: Lang) -> &'static str {
                match (self, lang) { $(
                    (Self::$name, Lang::Ja) => $ja_detail,
                    (Self::$name, Lang::En) => $en_detail,
                )* }
            }
        }
    };
}

kinds! {
    /// The bytes are no HTTP request, or one that contradicts itself.
    MalformedRequest BAD_REQUEST "malformed-request" {
        "リクエストを読み取れません", "リクエストの形式を確認してください。";
        "The request cannot be read", "Check the form of the request." }
    /// The body is no JSON.
    MalformedJson BAD_REQUEST "malformed-json" {
        "JSON として読み取れません", "本文が UTF-8 の正しい JSON であることを確認してください。";
        "The body is not JSON", "Check that the body is valid JSON in UTF-8." }
    /// Nobody has proved who they are.
    Unauthenticated UNAUTHORIZED "unauthenticated" {
        "認証が必要です", "有効な API キーを Authorization: Bearer で送るか、ログインし直してください。";
        "Please identify yourself", "Send a valid API key as Authorization: Bearer, or sign in again." }
    /// The answer needs the person's PIN.
    PinRequired FORBIDDEN "pin-required" {
        "暗証番号が必要です", "4 桁の暗証番号を添えて、もう一度送信してください。";
        "A PIN is needed", "Send it again with your four-digit PIN." }
    /// The PIN is wrong.
    PinWrong FORBIDDEN "pin-wrong" {
        "暗証番号が違います", "暗証番号を確かめて、もう一度入力してください。";
        "The PIN is wrong", "Check the PIN and type it again." }
    /// Too many wrong PINs in a row.
    PinLocked FORBIDDEN "pin-locked" {
        "暗証番号を使えなくなっています", "続けて間違えたため止めてあります。事務局へお電話ください。";
        "The PIN is locked", "It was typed wrongly too often in a row. Please call the office." }
    /// The API key lacks a scope; `scope` says which. Decided before anything is looked up, so that it says
    /// nothing about what is there.
    MissingScope FORBIDDEN "missing-scope" {
        "この API キーでは操作できません", "scope にある権限を持つキーを使ってください。";
        "This API key may not do that", "Use a key that has the scope named in scope." }
    /// The request came from a page that is not ours.
    CrossSite FORBIDDEN "cross-site" {
        "ほかのサイトからの操作は受け付けません", "touban の画面を開き直して、もう一度操作してください。";
        "Actions from other sites are refused", "Open the page in touban again and repeat what you did." }
    /// There is no such thing, or it may not be seen: the two look the same.
    NotFound NOT_FOUND "not-found" {
        "見つかりません", "アドレスと番号を確かめてください。";
        "Not found", "Check the address and the number." }
    /// The thing is there, the method is not.
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" {
        "この操作はできません", "使える操作は Allow ヘッダーにあります。";
        "This method is not offered here", "The Allow header names those that are." }
    /// The request did not arrive in time.
    TooSlow REQUEST_TIMEOUT "too-slow" {
        "受信が時間内に終わりませんでした", "通信の状態を確かめて、もう一度送信してください。";
        "The request did not arrive in time", "Check your connection and send it again." }
    /// Another person was first.
    Taken CONFLICT "taken" {
        "ほかの先生がお引き受けくださいました", "ご返答ありがとうございます。この依頼への対応は必要ありません。";
        "Another doctor has taken it", "Thank you for answering. Nothing more is needed for this request." }
    /// The request is no longer open.
    Closed CONFLICT "closed" {
        "受付を終了しました", "この依頼は終了しているため、変更できません。";
        "It is closed", "This request has ended and can no longer be changed." }
    /// This person declined, or gave it back, before.
    AnsweredBefore CONFLICT "answered-before" {
        "すでにお返事をいただいています", "お断りまたは取り消しのお返事をいただいています。変えるときは事務局へお電話ください。";
        "It was answered before", "It was declined or given back. Please call the office to change that." }
    /// It was changed meanwhile.
    Conflict CONFLICT "conflict" {
        "ほかの操作で変更されました", "最新の内容を読み込んでから、もう一度操作してください。";
        "It was changed meanwhile", "Load it again and repeat what you did." }
    /// A rule of the association forbids it; `reason` says which.
    RefusedByRule CONFLICT "refused-by-rule" {
        "規則により受け付けられません", "理由は reason にあります。";
        "A rule forbids it", "The member reason says which." }
    /// The first request with this key is still running.
    IdempotencyInProgress CONFLICT "idempotency-in-progress" {
        "同じ操作を処理しています", "少し待ってから、同じ Idempotency-Key でもう一度送信してください。";
        "The same action is still running", "Wait a moment and send it again with the same Idempotency-Key." }
    /// Its time is over.
    Expired GONE "expired" {
        "期限が過ぎました", "新しいリンクを依頼してください。";
        "Its time is over", "Ask for a new link." }
    /// The body is larger than accepted.
    TooLarge PAYLOAD_TOO_LARGE "too-large" {
        "データが大きすぎます", "小さくしてから、もう一度送信してください。";
        "The body is too large", "Make it smaller and send it again." }
    /// The address is longer than accepted.
    UriTooLong URI_TOO_LONG "uri-too-long" {
        "アドレスが長すぎます", "短いアドレスで、もう一度送信してください。";
        "The address is too long", "Send it again with a shorter one." }
    /// The body is of a kind that is not accepted.
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" {
        "この形式は受け付けません", "Content-Type: application/json で送信してください。";
        "This kind of body is not accepted", "Send it with Content-Type: application/json." }
    /// The request is for another host.
    WrongHost MISDIRECTED_REQUEST "wrong-host" {
        "このホスト名では応答しません", "設定された base_url のアドレスを使ってください。";
        "This host name is not served here", "Use the address of the configured base_url." }
    /// A value is missing, of the wrong type or out of range; `errors` says which.
    InvalidInput UNPROCESSABLE_ENTITY "invalid-input" {
        "入力内容を確認してください", "errors にある項目を直して、もう一度送信してください。";
        "Please check what you entered", "Correct the fields named in errors and send it again." }
    /// There is a member nobody knows.
    UnknownField UNPROCESSABLE_ENTITY "unknown-field" {
        "知らない項目があります", "errors にある項目を取り除いて、もう一度送信してください。";
        "There is an unknown field", "Remove the fields named in errors and send it again." }
    /// The key was used for another body.
    IdempotencyKeyReused UNPROCESSABLE_ENTITY "idempotency-key-reused" {
        "Idempotency-Key は別の内容で使用済みです", "新しい内容には新しいキーを使ってください。";
        "The Idempotency-Key was used for something else", "Use a new key for a new request." }
    /// Too many tries; `Retry-After` says how long to wait.
    TooManyRequests TOO_MANY_REQUESTS "too-many-requests" {
        "回数が多すぎます", "しばらく待ってから、もう一度お試しください。";
        "Too many tries", "Wait a while and try again." }
    /// The head of the request is larger than accepted.
    HeadersTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "headers-too-large" {
        "リクエストのヘッダーが大きすぎます", "ヘッダーやクッキーを減らして、もう一度送信してください。";
        "The request's headers are too large", "Send it again with fewer headers or cookies." }
    /// Something broke on our side.
    Internal INTERNAL_SERVER_ERROR "internal" {
        "内部で問題が起きました", "もう一度お試しください。続くときは x-request-id を添えて管理者に知らせてください。";
        "Something broke on our side", "Try again; if it goes on, tell the administrator the x-request-id." }
    /// For the moment it cannot be done; `Retry-After` says how long to wait.
    Unavailable SERVICE_UNAVAILABLE "unavailable" {
        "ただいま利用できません", "しばらく待ってから、もう一度お試しください。お急ぎのときは電話をお使いください。";
        "Not available at the moment", "Wait a while and try again. If it is urgent, use the telephone." }
}

impl Kind {
    /// How long to wait before the next try when nothing better is known, in seconds.
    const fn usual_wait_s(self) -> Option<u32> {
        match self {
            Self::TooManyRequests => Some(60),
            Self::Unavailable => Some(5),
            Self::IdempotencyInProgress => Some(1),
            _ => None,
        }
    }

    /// The kind for an error status that came without any explanation. `None`: it is no error.
    #[must_use]
    pub fn from_status(status: StatusCode) -> Option<Self> {
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        Some(match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            // Forbidden and not there look the same.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::GONE => Self::Expired,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::URI_TOO_LONG => Self::UriTooLong,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::MISDIRECTED_REQUEST => Self::WrongHost,
            StatusCode::UNPROCESSABLE_ENTITY => Self::InvalidInput,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HeadersTooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            s if s.is_server_error() => Self::Internal,
            _ => Self::MalformedRequest,
        })
    }

    /// The problem with its usual words.
    pub fn problem(self, lang: Lang) -> Problem {
        Problem {
            type_: self.type_(),
            title: self.title(lang),
            status: self.status(),
            detail: self.detail(lang).to_owned(),
            errors: Vec::new(),
            retry_after_s: self.usual_wait_s(),
            extra: Map::new(),
        }
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: a JSON Pointer (RFC 6901) into the body; `/name` for a query parameter.
    pub field: String,
    /// What is wrong with it, for the person who filled it in.
    pub message: String,
}

/// A problem as it is sent.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Problem {
    pub type_: &'static str,
    pub title: &'static str,
    pub status: StatusCode,
    /// Translated; says what to do next. Nothing internal.
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// Seconds, sent as `Retry-After`.
    pub retry_after_s: Option<u32>,
    /// Further members, such as `reason`. The members of RFC 9457 cannot be overwritten.
    pub extra: Map<String, Value>,
}

impl Problem {
    /// With another detail than the usual one.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// With one more wrong field.
    pub fn error(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    /// With one more member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// With the seconds after which it may be tried again.
    pub const fn retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The body as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = self.extra.clone();
        members.insert("type".into(), self.type_.into());
        members.insert("title".into(), self.title.into());
        members.insert("status".into(), self.status.as_u16().into());
        members.insert("detail".into(), self.detail.clone().into());
        if !self.errors.is_empty() {
            let errors = self
                .errors
                .iter()
                .map(|e| serde_json::json!({ "field": e.field, "message": e.message }))
                .collect();
            members.insert("errors".into(), Value::Array(errors));
        }
        Value::Object(members)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 requires a challenge.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_problem_has_its_own_type_and_words_in_both_languages() {
        let types: BTreeSet<_> = Kind::ALL.iter().map(|k| k.type_()).collect();
        assert_eq!(types.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            for text in [kind.title(Lang::Ja), kind.detail(Lang::Ja)] {
                assert!(!text.is_ascii(), "{kind:?}: {text}");
            }
            for text in [kind.title(Lang::En), kind.detail(Lang::En)] {
                assert!(text.is_ascii() && !text.is_empty(), "{kind:?}: {text}");
            }
            assert!(kind.status().is_client_error() || kind.status().is_server_error());
            assert!(Kind::from_status(kind.status()).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn what_is_forbidden_looks_like_what_is_not_there() {
        assert_eq!(Kind::from_status(StatusCode::FORBIDDEN), Some(Kind::NotFound));
        assert_eq!(Kind::from_status(StatusCode::OK), None);
        assert_eq!(Kind::from_status(StatusCode::BAD_GATEWAY), Some(Kind::Internal));
    }

    #[test]
    fn a_problem_says_when_to_come_back_and_which_field_is_wrong() {
        let problem = Kind::Unavailable
            .problem(Lang::En)
            .retry_after_s(7)
            .error("/window/from", "is missing")
            .with("reason", "disk")
            .with("status", 200);
        let json = problem.to_json();
        assert_eq!(json["status"], 503, "an extra member does not overwrite the status");
        assert_eq!(json["reason"], "disk");
        assert_eq!(json["errors"][0]["field"], "/window/from");
        let response = problem.into_response();
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }

    #[test]
    fn whoever_must_wait_is_told_how_long() {
        for kind in [Kind::TooManyRequests, Kind::Unavailable, Kind::IdempotencyInProgress] {
            assert!(kind.problem(Lang::Ja).into_response().headers().contains_key("retry-after"), "{kind:?}");
        }
        let challenge = Kind::Unauthenticated.problem(Lang::Ja).into_response();
        assert_eq!(challenge.headers()["www-authenticate"], "Bearer");
    }
}
