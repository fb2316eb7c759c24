//! Parts that every resource is made of: ids with their prefix, instants, pages.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::refuse::{said, wrong};
use crate::domain::calendar::CivilDate;
use crate::i18n::{Lang, t_with};
use crate::ids::{
    AlarmId, CalendarFeedId, CallId, InstitutionId, LedgerLineId, MemberId, OfferId, OverrideId,
    PublicationId, RequestId, RotaDraftId, WishRoundId,
};
use crate::time::Millis;
use crate::web::problem::{Kind, Problem};

/// An id that the API reads.
pub trait ApiIdKind: Sized {
    const PREFIX: &'static str;
    /// The id behind `mem_…`.
    fn read(text: &str) -> Option<Self>;
    /// The 26 characters.
    fn stored(&self) -> &str;
}

macro_rules! api_ids {
    ($($name:ident),*) => {$(
        impl ApiIdKind for $name {
            const PREFIX: &'static str = $name::PREFIX;
            fn read(text: &str) -> Option<Self> {
                Self::from_api(text).ok()
            }
            fn stored(&self) -> &str {
                self.as_str()
            }
        }
    )*};
}

api_ids!(
    AlarmId,
    CalendarFeedId,
    CallId,
    InstitutionId,
    LedgerLineId,
    MemberId,
    OfferId,
    OverrideId,
    PublicationId,
    RequestId,
    RotaDraftId,
    WishRoundId
);

/// An id with its prefix, in a path or a body.
#[derive(Clone, Debug)]
pub struct Id<T>(pub T);

struct IdVisitor<T>(PhantomData<T>);

impl<T: ApiIdKind> Visitor<'_> for IdVisitor<T> {
    type Value = Id<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id of the API")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<T>, E> {
        T::read(text).map(Id).ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
    }
}

impl<'de, T: ApiIdKind> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IdVisitor(PhantomData))
    }
}

/// An instant as RFC 3339 with an offset.
#[derive(Clone, Copy, Debug)]
pub struct When(pub Millis);

struct WhenVisitor;

impl Visitor<'_> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 date-time")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
        Millis::parse_rfc3339(text)
            .map(When)
            .ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WhenVisitor)
    }
}

/// How many things a page has when nothing is said.
const USUAL: u32 = 50;
/// How many it has at most.
const MOST: u32 = 500;

/// A civil day of a body or query, such as `2026-11-20`.
///
/// # Errors
/// It is none; `pointer` says where it stands.
pub fn read_day(text: &str, pointer: &str, lang: Lang) -> Result<CivilDate, Problem> {
    text.parse().map_err(|_| wrong(lang, pointer, "not_text"))
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageOf {
    /// The id after which the page begins: `next` of the page before.
    after: Option<String>,
    /// 1 to 500; 50 when it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl PageOf {
    /// Where the page begins, and how many things it has at most.
    ///
    /// # Errors
    /// The cursor is no such id, or the limit is out of range.
    pub fn read<T: ApiIdKind>(&self, lang: Lang) -> Result<(String, usize), Problem> {
        Ok((cursor::<T>(self.after.as_deref(), lang)?, limit(self.limit, lang)?))
    }
}

/// The stored form of a cursor.
///
/// # Errors
/// It is not an id of that kind.
pub fn cursor<T: ApiIdKind>(after: Option<&str>, lang: Lang) -> Result<String, Problem> {
    after.map_or(Ok(String::new()), |after| {
        T::read(after).map(|id| id.stored().to_owned()).ok_or_else(|| not_an_id::<T>("/after", lang))
    })
}

/// The limit of a page.
///
/// # Errors
/// It is out of range.
pub fn limit(limit: Option<u32>, lang: Lang) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(USUAL);
    if (1..=MOST).contains(&limit) {
        Ok(usize::try_from(limit).unwrap_or(1))
    } else {
        let range = format!("{} (1–{MOST})", said(lang, "out_of_range"));
        Err(Kind::InvalidInput.problem(lang).error("/limit", range))
    }
}

/// A text that should be an id of a certain kind.
pub fn not_an_id<T: ApiIdKind>(pointer: &str, lang: Lang) -> Problem {
    let words = t_with(lang, "word-wrong-not_an_id", &[("prefix", T::PREFIX)]);
    Kind::InvalidInput.problem(lang).error(pointer, words)
}

/// One more than a page has, so that the page knows whether it is the last.
pub fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page of `rows`, which were read with [`one_more`].
    pub fn of<R>(
        mut rows: Vec<R>,
        limit: usize,
        cursor: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self { items: rows.into_iter().map(show).collect(), next }
    }
}

/// What went wrong (RFC 9457), for the description.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A path on this server that names the kind; part of the API.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What to do next, in the language of `Accept-Language` (ja, en).
    pub detail: String,
    /// The wrong fields, where fields are wrong.
    pub errors: Option<Vec<FieldErrorBody>>,
    /// The rule that forbids it, with `/problems/refused-by-rule`.
    pub reason: Option<String>,
    /// The missing scope, with `/problems/missing-scope`.
    pub scope: Option<String>,
}

/// One wrong field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorBody {
    /// A JSON Pointer (RFC 6901) into the body, or `/name` of a query parameter.
    pub field: String,
    pub message: String,
}
