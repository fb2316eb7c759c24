//! What handlers of the API take out of a request; what does not fit becomes a problem that names the
//! field, in the reader's language.

use std::fmt;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;

use crate::i18n::Lang;

use super::problem::{Kind, Problem, lang_of};

/// The language the client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(pub Lang);

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(lang_of(&parts.headers)))
    }
}

/// A JSON body. Refused with the field's JSON Pointer: what is no JSON, NUL and half surrogate pairs
/// (neither fits into a text column), a member twice, unknown members (with
/// `#[serde(deny_unknown_fields)]`, which every body of the API has), missing members, wrong types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiJson<T>(pub T);

impl<S: Sync + Send, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let lang = lang_of(request.headers());
        if !is_json(request.headers()) {
            return Err(Kind::UnsupportedMediaType.problem(lang));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejected| {
            Kind::from_status(rejected.status()).unwrap_or(Kind::MalformedRequest).problem(lang)
        })?;
        read_json(&body, lang).map(Self)
    }
}

/// The parts of the path. A part that is not of its kind is an address nobody has: 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiPath<T>(pub T);

impl<S: Sync + Send, T: DeserializeOwned + Send> FromRequestParts<S> for ApiPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(inner)| Self(inner)).map_err(|_| Kind::NotFound.problem(lang_of(&parts.headers)))
    }
}

/// The query parameters. The field of an error is `/name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiQuery<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let lang = lang_of(&parts.headers);
        Query::<T>::try_from_uri(&parts.uri)
            .map(|Query(inner)| Self(inner))
            .map_err(|e| query_problem(&e, lang))
    }
}

/// axum says `Failed to deserialize query string: [name: ]reason`.
fn query_problem(rejected: &QueryRejection, lang: Lang) -> Problem {
    let text = rejected.body_text();
    let reason = text.split_once(": ").map_or("", |(_, rest)| rest);
    let is_name =
        |n: &str| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || "_.[]".contains(c));
    let (pointer, reason) = match reason.split_once(": ") {
        Some((name, rest)) if is_name(name) => (format!("/{name}"), rest),
        _ => (String::new(), reason),
    };
    explain(pointer, reason, None, lang)
}

/// Reads a JSON body.
///
/// # Errors
/// The problem to answer with; see [`ApiJson`].
pub fn read_json<T: DeserializeOwned>(body: &[u8], lang: Lang) -> Result<T, Problem> {
    if std::str::from_utf8(body).is_err() {
        return Err(Kind::MalformedJson.problem(lang));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Checked(value) = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let pointer = pointer_of(e.path());
        unreadable(pointer, e.inner(), lang)
    })?;
    reader.end().map_err(|e| unreadable(String::new(), &e, lang))?;
    serde_path_to_error::deserialize(&value).map_err(|e| {
        let pointer = pointer_of(e.path());
        let text = e.inner().to_string();
        explain(pointer, &text, Some(&value), lang)
    })
}

/// Whether the body says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// A JSON Pointer (RFC 6901).
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => push_member(&mut pointer, key),
            Segment::Unknown => {}
        }
    }
    pointer
}

fn push_member(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

const NUL: &str = "contains NUL";
const TWICE: &str = "stands twice";

/// The bytes could not be read as JSON, or hold a text that is none.
fn unreadable(pointer: String, error: &serde_json::Error, lang: Lang) -> Problem {
    let text = error.to_string();
    let say = |ja: &str, en: &str| match lang {
        Lang::Ja => ja.to_owned(),
        Lang::En => en.to_owned(),
    };
    if text.starts_with(NUL) {
        let message = say("使えない文字（NUL）が入っています", "has a character that cannot be used (NUL)");
        Kind::InvalidInput.problem(lang).error(pointer, message)
    } else if text.starts_with(TWICE) {
        let message = say("同じ項目が二度あります", "stands twice");
        Kind::InvalidInput.problem(lang).error(pointer, message)
    } else if text.contains("surrogate") || text.contains("unexpected end of hex escape") {
        let message =
            say("文字が壊れています（サロゲートの片方だけ）", "has half a character (a lone surrogate)");
        Kind::InvalidInput.problem(lang).error(pointer, message)
    } else {
        let (line, column) = (error.line(), error.column());
        let place = say(
            &format!("{line} 行目 {column} 文字目の辺りで、JSON として読み取れません。"),
            &format!("The JSON cannot be read near line {line}, column {column}."),
        );
        Kind::MalformedJson.problem(lang).detail(place)
    }
}

/// Puts serde's words for what does not fit into the reader's. `body`: to see what stands there instead.
/// The words themselves are not sent: they hold the value, and names of our types.
fn explain(mut pointer: String, reason: &str, body: Option<&Value>, lang: Lang) -> Problem {
    let quoted = || reason.split('`').nth(1).unwrap_or_default();
    let (kind, message) = if reason.starts_with("unknown field") {
        // In a body the path of the error ends with the member itself.
        if body.is_none() && pointer.is_empty() {
            push_member(&mut pointer, quoted());
        }
        let message = match lang {
            Lang::Ja => "この項目はありません",
            Lang::En => "there is no such field",
        };
        (Kind::UnknownField, message.to_owned())
    } else if reason.starts_with("missing field") {
        push_member(&mut pointer, quoted());
        let message = match lang {
            Lang::Ja => "必須の項目です",
            Lang::En => "is required",
        };
        (Kind::InvalidInput, message.to_owned())
    } else if let Some((_, choices)) =
        reason.split_once(", expected ").filter(|_| reason.starts_with("unknown variant"))
    {
        let names: Vec<&str> = choices.split('`').skip(1).step_by(2).collect();
        let names = names.join(", ");
        let message = match lang {
            Lang::Ja => format!("次のいずれかにしてください: {names}"),
            Lang::En => format!("must be one of: {names}"),
        };
        (Kind::InvalidInput, message)
    } else {
        let expected = reason.rsplit_once(", expected ").map_or("", |(_, e)| e);
        (Kind::InvalidInput, wrong_kind(expected, body.and_then(|b| b.pointer(&pointer)), lang))
    };
    kind.problem(lang).error(pointer, message)
}

fn wrong_kind(expected: &str, found: Option<&Value>, lang: Lang) -> String {
    let wanted = match expected.split(" at line ").next().unwrap_or_default() {
        "a string" | "string" | "a borrowed string" => Some(("文字列", "a string")),
        "a boolean" | "bool" => Some(("true か false", "true or false")),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => Some(("整数", "an integer")),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => Some(("0 以上の整数", "an integer of at least 0")),
        "f32" | "f64" => Some(("数値", "a number")),
        "a sequence" => Some(("配列", "an array")),
        "a map" => Some(("オブジェクト", "an object")),
        "an RFC 3339 date-time" => Some((
            "時差つきの日時（例: 2026-11-20T18:00:00+09:00）",
            "a date-time with its offset, such as 2026-11-20T18:00:00+09:00",
        )),
        "an id of the API" => {
            Some(("種類の接頭辞で始まる番号（例: mem_…）", "an id with its prefix, such as mem_…"))
        }
        e if e.starts_with("struct ") => Some(("オブジェクト", "an object")),
        _ => None,
    };
    let is = found.map(|v| match v {
        Value::Null => ("null", "null"),
        Value::Bool(_) => ("真偽値", "a boolean"),
        Value::Number(_) => ("数値", "a number"),
        Value::String(_) => ("文字列", "a string"),
        Value::Array(_) => ("配列", "an array"),
        Value::Object(_) => ("オブジェクト", "an object"),
    });
    match (lang, wanted, is) {
        (Lang::Ja, Some((w, _)), Some((f, _))) if w != f => format!("{w}にしてください（今は{f}です）"),
        (Lang::Ja, Some((w, _)), _) => format!("{w}にしてください（範囲も確かめてください）"),
        (Lang::Ja, None, _) => "この値は使えません".to_owned(),
        (Lang::En, Some((_, w)), Some((_, f))) if w != f => format!("must be {w}, but is {f}"),
        (Lang::En, Some((_, w)), _) => format!("must be {w}, within its range"),
        (Lang::En, None, _) => "cannot be used".to_owned(),
    }
}

/// JSON in which no text contains NUL and no object a member twice.
struct Checked(Value);

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CheckedVisitor).map(Self)
    }
}

/// A member's value; a fault of its name is reported here, where the path of the error ends with it.
struct Member {
    fault: Option<&'static str>,
}

impl<'de> DeserializeSeed<'de> for Member {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.fault {
            Some(fault) => Err(de::Error::custom(fault)),
            None => deserializer.deserialize_any(CheckedVisitor),
        }
    }
}

struct CheckedVisitor;

impl<'de> Visitor<'de> for CheckedVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') { Err(E::custom(NUL)) } else { Ok(Value::String(value.to_owned())) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Checked(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let fault = if name.contains('\0') {
                Some(NUL)
            } else if members.contains_key(&name) {
                Some(TWICE)
            } else {
                None
            };
            let value = map.next_value_seed(Member { fault })?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        question: String,
        #[serde(default)]
        quota: Option<u8>,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        urgent: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Part {
        mode: Mode,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Advice,
        Visit,
    }

    fn refused(body: &str) -> (Problem, String) {
        let problem = read_json::<Ask>(body.as_bytes(), Lang::En).unwrap_err();
        let errors: Vec<String> =
            problem.errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
        let text = errors.join("; ");
        let japanese = read_json::<Ask>(body.as_bytes(), Lang::Ja).unwrap_err();
        assert_eq!((japanese.type_, japanese.errors.len()), (problem.type_, problem.errors.len()));
        assert!(japanese.errors.iter().all(|e| !e.message.is_ascii()), "{japanese:?}");
        (problem, text)
    }

    #[test]
    fn a_well_formed_question_is_read() {
        let ask: Ask =
            read_json("{\"question\":\"湿疹😀\",\"parts\":[{\"mode\":\"visit\"}]}".as_bytes(), Lang::Ja)
                .unwrap();
        assert_eq!((ask.question.as_str(), ask.parts.len()), ("湿疹😀", 1));
        let escaped: Ask = read_json(br#"{"question":"\ud83d\ude00"}"#, Lang::Ja).unwrap();
        assert_eq!(escaped.question, "😀");
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        for (body, kind, text) in [
            (r#"{}"#, Kind::InvalidInput, "/question: is required"),
            (r#"{"question":1}"#, Kind::InvalidInput, "/question: must be a string, but is a number"),
            (r#"{"question":null}"#, Kind::InvalidInput, "/question: must be a string, but is null"),
            (
                r#"{"question":"a","quota":300}"#,
                Kind::InvalidInput,
                "/quota: must be an integer of at least 0, but is a number",
            ),
            (
                r#"{"question":"a","urgent":"yes"}"#,
                Kind::InvalidInput,
                "/urgent: must be true or false, but is a string",
            ),
            (r#"{"question":"a","answer":"b"}"#, Kind::UnknownField, "/answer: there is no such field"),
            (
                r#"{"question":"a","parts":[{"mode":"advice"},{"mode":"advice","x/y":1}]}"#,
                Kind::UnknownField,
                "/parts/1/x~1y: there is no such field",
            ),
            (
                r#"{"question":"a","parts":[{"mode":"letter"}]}"#,
                Kind::InvalidInput,
                "/parts/0/mode: must be one of: advice, visit",
            ),
            (r#"{"question":"a","parts":[{}]}"#, Kind::InvalidInput, "/parts/0/mode: is required"),
            (
                r#"{"question":"a","parts":{}}"#,
                Kind::InvalidInput,
                "/parts: must be an array, but is an object",
            ),
            (r#"[]"#, Kind::InvalidInput, ": must be an object, but is an array"),
            (r#"{"question":"a","question":"b"}"#, Kind::InvalidInput, "/question: stands twice"),
        ] {
            let (problem, said) = refused(body);
            assert_eq!((problem.type_, said.as_str()), (kind.type_(), text), "{body}");
        }
    }

    #[test]
    fn nul_and_half_surrogates_are_refused_with_their_field() {
        for (body, field) in [
            (r#"{"question":"a\u0000b"}"#, "/question: has a character that cannot be used (NUL)"),
            (
                r#"{"question":"a","other":["x","\u0000"]}"#,
                "/other/1: has a character that cannot be used (NUL)",
            ),
            (r#"{"question":"\ud83d"}"#, "/question: has half a character (a lone surrogate)"),
            (r#"{"question":"\ude00"}"#, "/question: has half a character (a lone surrogate)"),
            (r#"{"question":"\ud83dx"}"#, "/question: has half a character (a lone surrogate)"),
            (r#"{"question":"\ud83d\ud83d"}"#, "/question: has half a character (a lone surrogate)"),
        ] {
            let (problem, said) = refused(body);
            assert_eq!((problem.type_, said.as_str()), (Kind::InvalidInput.type_(), field), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_malformed_however_deep() {
        let deep = "[".repeat(100_000);
        for body in ["", "{", "{\"question\":\"a\"} x", "{'question':1}", "{\"question\":\"\u{1}\"}", &deep] {
            let (problem, _) = refused(body);
            assert_eq!(problem.type_, Kind::MalformedJson.type_(), "{body:.20}");
        }
        assert_eq!(
            read_json::<Ask>(b"{\"question\":\"\xff\"}", Lang::Ja).unwrap_err().type_,
            Kind::MalformedJson.type_()
        );
    }

    #[test]
    fn a_refusal_repeats_neither_the_value_nor_our_types() {
        for body in [r#"{"question":{"canary":"花子"}}"#, r#"{"question":"a","quota":"花子"}"#, r#""花子""#]
        {
            let sent = read_json::<Ask>(body.as_bytes(), Lang::En).unwrap_err().to_json().to_string();
            assert!(!sent.contains("花子") && !sent.contains("Ask"), "{sent}");
        }
    }

    #[test]
    fn a_query_names_the_parameter_that_does_not_fit() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Page {
            #[expect(dead_code, reason = "only read")]
            after: u64,
        }
        let said = |uri: &'static str| {
            let rejected = Query::<Page>::try_from_uri(&axum::http::Uri::from_static(uri)).unwrap_err();
            let problem = query_problem(&rejected, Lang::En);
            (problem.type_, problem.errors[0].field.clone(), problem.errors[0].message.clone())
        };
        assert_eq!(said("/e?after=x"), ("/problems/invalid-input", "/after".into(), "cannot be used".into()));
        assert_eq!(said("/e"), ("/problems/invalid-input", "/after".into(), "is required".into()));
        assert_eq!(
            said("/e?after=1&x=2"),
            ("/problems/unknown-field", "/x".into(), "there is no such field".into())
        );
    }
}
