//! Collections of wishes for the rota (当番の希望): opened, listed, read with everybody's sheet; a sheet written in a
//! doctor's name.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ActFor, Caller, Read, Rota};
use super::parts::{Id, ProblemBody, When, read_day};
use super::posted::{IdempotencyKey, Posted, created};
use super::refuse::{refuse, said, wrong};
use crate::app::AppError;
use crate::app::rota::wishes::{Asked, SheetWritten};
use crate::app::rows::WishRound;
use crate::domain::rota::{WishSheet, WishSource, Wished, WishedDays};
use crate::i18n::Lang;
use crate::ids::{MemberId, WishRoundId};
use crate::web::Web;
use crate::web::extract::ApiPath;
use crate::web::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(rounds, round_open))
        .routes(routes!(round))
        .routes(routes!(sheet_write))
}

/// A collection of wishes for a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishRound)]
struct RoundOut {
    /// `wsr_…`
    id: String,
    /// The first day that is asked about.
    #[schema(format = Date)]
    first: String,
    /// The last, included.
    #[schema(format = Date)]
    last: String,
    /// Until when people answer; the office may write sheets later, too.
    #[schema(format = DateTime)]
    deadline: String,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
}

impl RoundOut {
    fn of(round: &WishRound) -> Self {
        Self {
            id: round.id.api(),
            first: round.first.to_string(),
            last: round.last.to_string(),
            deadline: round.deadline.rfc3339(),
            opened_at: round.opened_at.rfc3339(),
            closed_at: round.closed_at.map(|at| at.rfc3339()),
        }
    }
}

/// Collections, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishRounds)]
struct RoundsOut {
    items: Vec<RoundOut>,
}

/// A wish for some days.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WishedDays)]
#[serde(deny_unknown_fields)]
struct DaysOf {
    #[schema(format = Date)]
    first: String,
    /// Included.
    #[schema(format = Date)]
    last: String,
    /// `unavailable`, `off` (rather not) or `on` (gladly).
    wish: String,
    /// 1 to 10, how much; null with `unavailable`.
    #[serde(default)]
    weight: Option<u32>,
}

/// What somebody wishes for the whole period.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = WishSheet)]
#[serde(deny_unknown_fields)]
struct SheetOf {
    /// None: no wish.
    #[serde(default)]
    days: Vec<DaysOf>,
    /// Advice by telephone only.
    #[serde(default)]
    phone_only: bool,
    /// Not between 22 and 6 o'clock.
    #[serde(default)]
    no_deep_night: bool,
    /// Turns a month at most.
    #[serde(default)]
    max_per_month: Option<u32>,
    /// With whom they must not be on together (`mem_…`).
    #[serde(default)]
    apart: Vec<String>,
    /// In their own words, 400 characters at most.
    #[serde(default)]
    note: String,
}

impl SheetOf {
    fn of(sheet: &WishSheet) -> Self {
        let days = sheet.days.iter().map(|days| {
            let (wish, weight) = match days.wished {
                Wished::Unavailable => ("unavailable", None),
                Wished::Off { weight } => ("off", Some(weight)),
                Wished::On { weight } => ("on", Some(weight)),
            };
            let (first, last) = (days.first.to_string(), days.last.to_string());
            DaysOf { first, last, wish: wish.to_owned(), weight }
        });
        Self {
            days: days.collect(),
            phone_only: sheet.phone_only,
            no_deep_night: sheet.no_deep_night,
            max_per_month: sheet.max_per_month,
            apart: sheet.apart.iter().map(MemberId::api).collect(),
            note: sheet.note.clone(),
        }
    }

    fn read(self, lang: Lang) -> Result<WishSheet, Problem> {
        let days = self.days.iter().enumerate().map(|(n, days)| {
            let day = |text: &str, field: &str| read_day(text, &format!("/sheet/days/{n}/{field}"), lang);
            let weight =
                || days.weight.ok_or_else(|| wrong(lang, &format!("/sheet/days/{n}/weight"), "missing"));
            let wished = match days.wish.as_str() {
                "unavailable" => Wished::Unavailable,
                "off" => Wished::Off { weight: weight()? },
                "on" => Wished::On { weight: weight()? },
                _ => return Err(wrong(lang, &format!("/sheet/days/{n}/wish"), "not_a_choice")),
            };
            Ok(WishedDays { first: day(&days.first, "first")?, last: day(&days.last, "last")?, wished })
        });
        let apart = self.apart.iter().enumerate().map(|(n, id)| {
            MemberId::from_api(id).map_err(|_| wrong(lang, &format!("/sheet/apart/{n}"), "unknown"))
        });
        Ok(WishSheet {
            days: days.collect::<Result<_, _>>()?,
            apart: apart.collect::<Result<_, _>>()?,
            phone_only: self.phone_only,
            no_deep_night: self.no_deep_night,
            max_per_month: self.max_per_month,
            note: self.note,
        })
    }
}

/// Somebody who was asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishAsked)]
struct AskedOut {
    /// `mem_…`
    member: String,
    /// When they were last asked by mail.
    #[schema(format = DateTime)]
    asked_at: Option<String>,
    /// Their newest sheet; null: they have not answered.
    sheet: Option<SheetOf>,
    /// 1 for the first sheet, one more with each.
    version: Option<i64>,
    /// `person`, `phone`, `fax` or `import`.
    source: Option<&'static str>,
    #[schema(format = DateTime)]
    recorded_at: Option<String>,
}

fn asked(asked: Asked) -> AskedOut {
    let sheet = asked.sheet.as_ref();
    AskedOut {
        member: asked.member.api(),
        asked_at: asked.asked.map(|(at, _)| at.rfc3339()),
        sheet: sheet.map(|row| SheetOf::of(&row.sheet)),
        version: sheet.map(|row| row.version),
        source: sheet.map(|row| row.source.code()),
        recorded_at: sheet.map(|row| row.recorded_at.rfc3339()),
    }
}

/// A collection with everybody it asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishRoundWhole)]
struct WholeOut {
    #[serde(flatten)]
    round: RoundOut,
    people: Vec<AskedOut>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRound {
    #[schema(format = Date)]
    first: String,
    /// Included.
    #[schema(format = Date)]
    last: String,
    #[schema(value_type = String, format = DateTime)]
    deadline: When,
}

/// The collection that was opened.
#[derive(Debug, Serialize, ToSchema)]
struct RoundOpened {
    /// `wsr_…`
    id: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSheet {
    /// Whose wishes they are (`mem_…`).
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
    /// How they came in: `phone`, `fax` or `import`.
    source: String,
    sheet: SheetOf,
}

/// The sheet that counts now.
#[derive(Debug, Serialize, ToSchema)]
struct SheetKept {
    version: i64,
}

/// Lists collections of wishes, the newest first
#[utoipa::path(get, path = "/wishes", tag = "rota", security(("key" = ["read"])),
    responses((status = 200, body = RoundsOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn rounds(State(web): State<Web>, caller: Caller<Read>) -> Result<Response, Problem> {
    let rounds = web.app.wish_rounds(&caller.api.association).await.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(RoundsOut { items: rounds.iter().map(RoundOut::of).collect() }).into_response())
}

/// Opens a collection: everybody of the rota is asked by mail
#[utoipa::path(post, path = "/wishes", tag = "rota", params(IdempotencyKey), request_body = NewRound,
    security(("key" = ["rota"])), responses((status = 201, body = RoundOpened),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn round_open(State(web): State<Web>, caller: Caller<Rota>, posted: Posted) -> Response {
    let open = async {
        let lang = caller.lang;
        let new: NewRound = posted.read()?;
        let days = (read_day(&new.first, "/first", lang)?, read_day(&new.last, "/last", lang)?);
        let opened = web.app.wish_round_open(&caller.who(), days, new.deadline.0, posted.key()).await;
        let id = opened.map_err(|e| refuse(e, lang))?.api();
        Ok(created(&format!("/api/v1/wishes/{id}"), RoundOpened { id }))
    };
    posted.answer(open.await)
}

/// Reads a collection with everybody it asks and their newest sheets
#[utoipa::path(get, path = "/wishes/{id}", tag = "rota", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = WholeOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn round(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<WishRoundId>>,
) -> Result<Response, Problem> {
    let view = web.app.wish_round(&caller.api.association, &id).await.map_err(|e| refuse(e, caller.lang))?;
    let people = view.people.into_iter().map(asked).collect();
    Ok(axum::Json(WholeOut { round: RoundOut::of(&view.round), people }).into_response())
}

/// Writes a doctor's sheet, also after the deadline; the one before is kept
#[utoipa::path(post, path = "/wishes/{id}/sheets", tag = "rota", params(("id" = String, Path), IdempotencyKey),
    request_body = NewSheet, security(("key" = ["act_for"])), responses((status = 201, body = SheetKept),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`closed`: the collection is closed."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn sheet_write(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<WishRoundId>>,
    posted: Posted,
) -> Response {
    let write = async {
        let lang = caller.lang;
        let NewSheet { on_behalf_of: Id(member), source, sheet } = posted.read()?;
        let source = WishSource::from_code(&source).filter(|source| *source != WishSource::Person);
        let source = source.ok_or_else(|| wrong(lang, "/source", "not_a_choice"))?;
        let sheet = sheet.read(lang)?;
        web.app.wish_round(&caller.api.association, &id).await.map_err(|e| refuse(e, lang))?;
        let who = caller.who_for(&member);
        let written = web.app.wish_sheet_write(&who, &id, (&member, sheet), source, posted.key()).await;
        let written = match written {
            // The collection is there: it is the person who is not asked.
            Err(AppError::NotFound) => SheetWritten::NotFound,
            written => written.map_err(|e| refuse(e, lang))?,
        };
        match written {
            SheetWritten::Done { version } => {
                Ok(created(&format!("/api/v1/wishes/{}", id.api()), SheetKept { version }))
            }
            SheetWritten::Closed => Err(Kind::Closed.problem(lang)),
            SheetWritten::Wrong(fields) => {
                let add = |problem: Problem, field: String| {
                    problem.error(format!("/sheet/{field}"), said(lang, "out_of_range"))
                };
                Err(fields.into_iter().fold(Kind::InvalidInput.problem(lang), add))
            }
            SheetWritten::NotFound => Err(wrong(lang, "/on_behalf_of", "not_a_choice")),
        }
    };
    posted.answer(write.await)
}
