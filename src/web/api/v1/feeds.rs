//! Links to calendars of duties (RFC 5545): listed, made, ended. What they show is `web::feeds`'.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ActFor, Caller, Read};
use super::parts::{Id, ProblemBody};
use super::posted::{IdempotencyKey, Posted, created};
use super::refuse::{refuse, refuse_at, wrong};
use crate::app::rota::feeds::FeedMade;
use crate::app::rows::FeedRow;
use crate::domain::rota::RotaRole;
use crate::ids::{CalendarFeedId, MemberId};
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new().routes(routes!(feeds, feed_make)).routes(routes!(feed_end))
}

/// A link to a calendar of duties that still works. Its address is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarFeed)]
struct FeedOut {
    /// `ics_…`
    id: String,
    member: String,
    /// With `role`: whoever is on there; both null: what the member holds.
    area: Option<String>,
    /// `primary`, `deputy` or `backing`.
    role: Option<&'static str>,
    #[schema(format = DateTime)]
    made_at: String,
}

fn shown(feed: FeedRow) -> FeedOut {
    let (area, role) = feed.line.map(|(area, role)| (area.to_string(), role.code())).unzip();
    FeedOut { id: feed.id.api(), member: feed.member.api(), area, role, made_at: feed.made_at.rfc3339() }
}

/// A member's links, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarFeeds)]
struct FeedsOut {
    items: Vec<FeedOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FeedsOf {
    /// Whose (`mem_…`).
    #[param(value_type = String)]
    member: Id<MemberId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewFeed {
    /// Whose link it is (`mem_…`).
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
    /// With `role`: whoever is on there. Without both: what the member holds.
    #[serde(default)]
    area: Option<String>,
    #[serde(default)]
    role: Option<String>,
}

/// The link that was made.
#[derive(Debug, Serialize, ToSchema)]
struct FeedMadeOut {
    /// `ics_…`; null in a replay.
    id: Option<String>,
    /// Whoever has it reads the calendar; it stands nowhere else and is not repeated in a replay.
    address: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FeedOwner {
    /// Whose link it is (`mem_…`).
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
}

/// Lists a member's calendar links that still work; their addresses are not here
#[utoipa::path(get, path = "/feeds", tag = "rota", params(FeedsOf), security(("key" = ["read"])),
    responses((status = 200, body = FeedsOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn feeds(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(FeedsOf { member: Id(member) }): ApiQuery<FeedsOf>,
) -> Result<Response, Problem> {
    let say = |e| refuse(e, caller.lang);
    web.app.member(&caller.api.association, &member).await.map_err(say)?;
    let items = web.app.feeds(&caller.api.association, &member).await.map_err(say)?;
    Ok(axum::Json(FeedsOut { items: items.into_iter().map(shown).collect() }).into_response())
}

/// Makes a calendar link in a member's name
#[utoipa::path(post, path = "/feeds", tag = "rota", params(IdempotencyKey), request_body = NewFeed,
    security(("key" = ["act_for"])), responses((status = 201, body = FeedMadeOut),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`conflict`: they have as many as there may be; end one first."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn feed_make(State(web): State<Web>, caller: Caller<ActFor>, posted: Posted) -> Response {
    let make = async {
        let lang = caller.lang;
        let NewFeed { on_behalf_of: Id(member), area, role } = posted.read()?;
        let line = match (area, role) {
            (None, None) => None,
            (Some(area), Some(role)) => Some((
                area.parse().map_err(|_| wrong(lang, "/area", "not_a_choice"))?,
                RotaRole::from_code(&role).ok_or_else(|| wrong(lang, "/role", "not_a_choice"))?,
            )),
            (Some(_), None) => return Err(wrong(lang, "/role", "missing")),
            (None, Some(_)) => return Err(wrong(lang, "/area", "missing")),
        };
        let found = web.app.member(&caller.api.association, &member).await;
        found.map_err(|_| wrong(lang, "/on_behalf_of", "not_a_choice"))?;
        let made = web.app.feed_make(&caller.who_for(&member), &member, line, posted.key()).await;
        let (id, address) = match made.map_err(|e| refuse_at(e, lang, |field| format!("/{field}")))? {
            FeedMade::Shown { id, token } => {
                let address = format!("{}/feeds/{}/duty.ics", web.app.rules.base_url, token.as_str());
                (Some(id.api()), Some(address))
            }
            FeedMade::ShownBefore => (None, None),
            FeedMade::TooMany => return Err(Kind::Conflict.problem(lang)),
        };
        Ok(created("/api/v1/feeds", FeedMadeOut { id, address }))
    };
    posted.answer(make.await)
}

/// Ends a calendar link: from now on it shows nothing
#[utoipa::path(post, path = "/feeds/{id}/end", tag = "rota", params(("id" = String, Path), IdempotencyKey),
    request_body = FeedOwner, security(("key" = ["act_for"])),
    responses((status = 204, description = "Done."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn feed_end(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<CalendarFeedId>>,
    posted: Posted,
) -> Response {
    let end = async {
        let FeedOwner { on_behalf_of: Id(member) } = posted.read()?;
        let ended = web.app.feed_end(&caller.who_for(&member), &member, &id, posted.key()).await;
        ended.map_err(|e| refuse(e, caller.lang))?;
        Ok(StatusCode::NO_CONTENT)
    };
    posted.answer(end.await)
}
