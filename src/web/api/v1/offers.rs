//! Offers: listed, read, and answered in somebody's name, with that person's PIN or a key of scope
//! `act_for`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{AnyKey, Caller, Read};
use super::parts::{Id, Page, ProblemBody, cursor, limit, one_more};
use super::posted::{IdempotencyKey, Posted};
use super::refuse::{check, refuse, wrong};
use crate::app::access::Scope;
use crate::app::answers::{ApiAnswered, ApiProof, Choice};
use crate::app::views::OfferRow;
use crate::domain::dispatch::Terms;
use crate::ids::{MemberId, OfferId};
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::{Kind, Problem};
use crate::web::rate::Purpose;

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(offers))
        .routes(routes!(offer))
        .routes(routes!(offer_accept))
        .routes(routes!(offer_decline))
        .routes(routes!(offer_hold))
        .routes(routes!(offer_release))
}

/// One person asked for one request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Offer)]
pub(super) struct OfferOut {
    /// `ofr_…`
    id: String,
    /// `req_…`
    request: String,
    /// `mem_…`
    member: String,
    /// `pending`, `asked`, `raised`, `accepted`, `declined`, `lapsed`, `unreachable`, `full`, `withdrawn`,
    /// `released`.
    state: String,
    #[schema(format = DateTime)]
    asked_at: String,
    /// It lapses then, unless it is held.
    #[schema(format = DateTime)]
    until: String,
    #[schema(format = DateTime)]
    held_until: Option<String>,
    #[schema(format = DateTime)]
    opened_at: Option<String>,
}

impl From<OfferRow> for OfferOut {
    fn from(row: OfferRow) -> Self {
        Self {
            id: row.id.api(),
            request: row.request.api(),
            member: row.person.api(),
            state: row.state,
            asked_at: row.asked.rfc3339(),
            until: row.offer.until.rfc3339(),
            held_until: row.offer.held_until.map(|at| at.rfc3339()),
            opened_at: row.opened.map(|at| at.rfc3339()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OffersOf {
    /// Only those of this member (`mem_…`).
    #[param(value_type = Option<String>)]
    member: Option<Id<MemberId>>,
    /// The id after which the page begins.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// What a yes promises.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AcceptTerms {
    /// An opinion (助言).
    Advice,
    /// An opinion, and a visit where it is needed (往診も可).
    Visit,
    /// A duty, as it is asked about.
    Plain,
    /// The two duties of an exchange.
    Exchange,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Accept {
    terms: AcceptTerms,
    /// `exchange`: the duty this person gives, `area/role/from-to` in milliseconds, as in `Swap.takes`.
    #[serde(default)]
    gives: Option<String>,
    /// `exchange`: the duty this person takes, as in `Swap.gives`.
    #[serde(default)]
    takes: Option<String>,
    /// The person's PIN; not needed with a key of scope `act_for`.
    #[serde(default)]
    pin: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decline {
    /// `schedule`, `not_my_field` or `other`.
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    pin: Option<String>,
}

/// Only the proof.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proof {
    #[serde(default)]
    pin: Option<String>,
}

/// How the offer stands after an answer.
#[derive(Debug, Serialize, ToSchema)]
struct Answered {
    /// `accepted`: it stands and is durable. Otherwise as in `Offer`.
    state: String,
    offer: String,
    request: String,
    member: String,
    #[schema(format = DateTime)]
    held_until: Option<String>,
}

const REASONS: [&str; 3] = ["schedule", "not_my_field", "other"];

/// Lists offers in the order they were made
#[utoipa::path(get, path = "/offers", tag = "offers", params(OffersOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<OfferOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn offers(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<OffersOf>,
) -> Result<Response, Problem> {
    let after = cursor::<OfferId>(of.after.as_deref(), caller.lang)?;
    let limit = limit(of.limit, caller.lang)?;
    let member = of.member.as_ref().map(|Id(id)| id);
    let rows = web.app.offers(&caller.api.association, member, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(rows, limit, |o| o.id.api(), OfferOut::from)).into_response())
}

/// Reads an offer
#[utoipa::path(get, path = "/offers/{id}", tag = "offers", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = OfferOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn offer(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<OfferId>>,
) -> Result<Response, Problem> {
    let row = web.app.offer(&caller.api.association, &id).await;
    Ok(axum::Json(OfferOut::from(row.map_err(|e| refuse(e, caller.lang))?)).into_response())
}

/// What proves that the answer is the person's.
fn proof(web: &Web, caller: &Caller<AnyKey>, pin: Option<String>) -> Result<ApiProof, Problem> {
    match pin {
        Some(pin) => {
            // What can be guessed is limited; what a key may do anyway is not.
            web.rates
                .try_now(caller.client, Purpose::Pin)
                .map_err(|e| Kind::TooManyRequests.problem(caller.lang).retry_after_s(e.retry_after_s))?;
            Ok(ApiProof::Pin(pin))
        }
        None if caller.api.may(Scope::ActFor) => Ok(ApiProof::ActFor),
        None => Err(Kind::PinRequired.problem(caller.lang)),
    }
}

async fn answer(
    web: &Web,
    caller: &Caller<AnyKey>,
    id: &OfferId,
    posted: &Posted,
    choice: Choice,
    pin: Option<String>,
) -> Result<axum::Json<Answered>, Problem> {
    let lang = caller.lang;
    let row = web.app.offer(&caller.api.association, id).await.map_err(|e| refuse(e, lang))?;
    let proof = proof(web, caller, pin)?;
    let who = caller.who_for(&row.person);
    let answered = web.app.offer_answer(&who, id, choice, proof, posted.key()).await;
    let answer = match answered.map_err(|e| refuse(e, lang))? {
        ApiAnswered::Answered(answer) => answer,
        ApiAnswered::PinMalformed => return Err(wrong(lang, "/pin", "not_a_pin")),
        ApiAnswered::PinWrong => return Err(Kind::PinWrong.problem(lang)),
        ApiAnswered::PinLocked => return Err(Kind::PinLocked.problem(lang)),
    };
    check(answer.answer, lang)?;
    Ok(axum::Json(Answered {
        state: answer.state,
        offer: id.api(),
        request: answer.request.api(),
        member: answer.member.api(),
        held_until: answer.until.map(|at| at.rfc3339()),
    }))
}

/// Takes it: 200 only when the acceptance stands; 409 `/problems/taken` when another was first
#[utoipa::path(post, path = "/offers/{id}/accept", tag = "offers",
    params(("id" = String, Path), IdempotencyKey), request_body = Accept, security(("key" = [])),
    responses((status = 200, body = Answered),
        (status = 403, body = ProblemBody, content_type = "application/problem+json",
            description = "`pin-required`, `pin-wrong`, `pin-locked`."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`taken`, `closed`, `answered-before`, `refused-by-rule`."),
        (status = 410, body = ProblemBody, content_type = "application/problem+json", description = "`expired`."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn offer_accept(
    State(web): State<Web>,
    caller: Caller<AnyKey>,
    ApiPath(Id(id)): ApiPath<Id<OfferId>>,
    posted: Posted,
) -> Response {
    let accept = async {
        let body: Accept = posted.read()?;
        let terms = match body.terms {
            AcceptTerms::Advice => Terms::Advice,
            AcceptTerms::Visit => Terms::Visit,
            AcceptTerms::Plain => Terms::Plain,
            AcceptTerms::Exchange => {
                let missing = |at| wrong(caller.lang, at, "missing");
                Terms::Exchange {
                    gives: body.gives.ok_or_else(|| missing("/gives"))?,
                    takes: body.takes.ok_or_else(|| missing("/takes"))?,
                }
            }
        };
        answer(&web, &caller, &id, &posted, Choice::Accept { terms }, body.pin).await
    };
    posted.answer(accept.await)
}

/// Says no; never asked again for this request
#[utoipa::path(post, path = "/offers/{id}/decline", tag = "offers",
    params(("id" = String, Path), IdempotencyKey), request_body = Decline, security(("key" = [])),
    responses((status = 200, body = Answered),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn offer_decline(
    State(web): State<Web>,
    caller: Caller<AnyKey>,
    ApiPath(Id(id)): ApiPath<Id<OfferId>>,
    posted: Posted,
) -> Response {
    let decline = async {
        let body: Decline = posted.read_or_empty()?;
        if body.reason.as_deref().is_some_and(|r| !REASONS.contains(&r)) {
            return Err(wrong(caller.lang, "/reason", "not_a_choice"));
        }
        answer(&web, &caller, &id, &posted, Choice::Decline { reason: body.reason }, body.pin).await
    };
    posted.answer(decline.await)
}

/// "Wait, I am looking": pauses the lapse for half an hour, reserves nothing
#[utoipa::path(post, path = "/offers/{id}/hold", tag = "offers",
    params(("id" = String, Path), IdempotencyKey), request_body = Proof, security(("key" = [])),
    responses((status = 200, body = Answered),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn offer_hold(
    State(web): State<Web>,
    caller: Caller<AnyKey>,
    ApiPath(Id(id)): ApiPath<Id<OfferId>>,
    posted: Posted,
) -> Response {
    let hold = async {
        let body: Proof = posted.read_or_empty()?;
        answer(&web, &caller, &id, &posted, Choice::Hold, body.pin).await
    };
    posted.answer(hold.await)
}

/// Gives an acceptance back; others are asked
#[utoipa::path(post, path = "/offers/{id}/release", tag = "offers",
    params(("id" = String, Path), IdempotencyKey), request_body = Proof, security(("key" = [])),
    responses((status = 200, body = Answered),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn offer_release(
    State(web): State<Web>,
    caller: Caller<AnyKey>,
    ApiPath(Id(id)): ApiPath<Id<OfferId>>,
    posted: Posted,
) -> Response {
    let release = async {
        let body: Proof = posted.read_or_empty()?;
        answer(&web, &caller, &id, &posted, Choice::Release, body.pin).await
    };
    posted.answer(release.await)
}
