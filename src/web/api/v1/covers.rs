//! Night cover: asked for, listed, read slot by slot, taken back, reported, confirmed. Answering a slot is `offers`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ActFor, Caller, Read, Request};
use super::offers::OfferOut;
use super::parts::{Id, Page, ProblemBody, When, cursor, limit, one_more};
use super::posted::{IdempotencyKey, Posted, created};
use super::refuse::{check, refuse, refuse_at, wrong};
use crate::app::consult::Asking;
use crate::app::cover::{CoverLine, CoverTold, TakenBack};
use crate::domain::cover::{Manner, NewCover, asked_as};
use crate::domain::dispatch::Answer;
use crate::ids::{MemberId, RequestId};
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(covers, cover_new))
        .routes(routes!(cover))
        .routes(routes!(cover_cancel))
        .routes(routes!(cover_complete))
        .routes(routes!(cover_report))
}

/// The states a cover can be looked for in.
const STATES: [&str; 6] = ["open", "taken", "reported", "closed", "withdrawn", "expired"];

/// A slot of a cover.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoverSlot)]
struct SlotOut {
    /// `req_…`: named by offers and reports.
    id: String,
    case_no: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// The rota had somebody on for it when it was asked.
    by_rota: bool,
    /// `open`, `exhausted`, `taken`, `reported`, `closed`, `withdrawn`, `expired`.
    state: String,
    /// Whoever covers it.
    taker: Option<String>,
    /// As what: `duty`, `volunteer`, `pillar_home_care` or `pillar_visits`.
    taken_as: Option<String>,
    offers: Vec<OfferOut>,
}

/// A night cover.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cover)]
struct CoverOut {
    /// `req_…`
    id: String,
    case_no: String,
    /// `open` while a slot is, `taken`, `reported` (to be confirmed), `closed`, `withdrawn`, `expired`.
    state: String,
    asker: String,
    institution: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// `visit` or `phone_only`.
    manner: &'static str,
    /// How many patients were named; null: all of the institution's.
    patients: Option<u32>,
    #[schema(format = DateTime)]
    created_at: String,
    slots: Vec<SlotOut>,
}

fn shown(line: CoverLine) -> CoverOut {
    let slots = line.slots.into_iter().map(|slot| SlotOut {
        id: slot.slot.request.api(),
        taker: slot.taker().map(MemberId::api),
        taken_as: slot.request.claims().next().map(|claim| asked_as(&slot.request, claim.step)),
        case_no: slot.case_no,
        from: slot.slot.window.from.rfc3339(),
        to: slot.slot.window.to.rfc3339(),
        by_rota: slot.slot.by_rota,
        state: slot.request.state.code().to_owned(),
        offers: slot.offers.into_iter().map(OfferOut::from).collect(),
    });
    CoverOut {
        slots: slots.collect(),
        id: line.case.id.api(),
        case_no: line.case.case_no,
        state: line.case.state,
        asker: line.case.asker.api(),
        institution: line.case.institution.api(),
        from: line.request.window.from.rfc3339(),
        to: line.request.window.to.rfc3339(),
        manner: line.facts.manner.code(),
        patients: line.facts.patients,
        created_at: line.case.created.rfc3339(),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CoversOf {
    /// Only those in this state.
    state: Option<String>,
    /// The id after which the page begins.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCoverIn {
    /// Whose clinic is to be covered (`mem_…`).
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
    #[schema(value_type = String, format = DateTime)]
    from: When,
    /// At most 31 days later.
    #[schema(value_type = String, format = DateTime)]
    to: When,
    /// `visit` or `phone_only`.
    manner: String,
    /// Initials or whatever the asker chose, at most 60; without it all patients. Whoever covers reads them.
    #[serde(default)]
    patients: Option<Vec<String>>,
    /// For whoever covers, in one line.
    #[serde(default)]
    note: String,
}

/// What was taken down.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoverAsked)]
struct MadeOut {
    id: String,
    case_no: String,
    /// Slots it falls into.
    slots: usize,
    /// Those for which the rota had somebody on.
    by_rota: usize,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelIn {
    /// Why, in one line; kept in the audit.
    reason: String,
}

/// How it stands after a change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoverChanged)]
struct ChangedOut {
    id: String,
    state: String,
}

/// What a confirmation came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoverConfirmed)]
struct ConfirmedOut {
    id: String,
    state: String,
    /// Slots that are done now.
    confirmed: usize,
    /// Slots of which nothing was told yet.
    waiting: usize,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportIn {
    /// The slot (`req_…`).
    #[schema(value_type = String)]
    slot: Id<RequestId>,
    /// Whoever covered it (`mem_…`).
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
    /// `no_calls`, `phone_only`, `visited` or `transported`.
    outcome: String,
    #[serde(default)]
    calls: u32,
    #[serde(default)]
    visits: u32,
    /// Minutes of work.
    #[serde(default)]
    minutes: u32,
    /// For the asking doctor.
    #[serde(default)]
    text: String,
}

/// Lists night covers in the order they were asked for
#[utoipa::path(get, path = "/covers", tag = "covers", params(CoversOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<CoverOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn covers(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<CoversOf>,
) -> Result<Response, Problem> {
    let after = cursor::<RequestId>(of.after.as_deref(), caller.lang)?;
    let limit = limit(of.limit, caller.lang)?;
    let state = of.state.as_deref();
    if state.is_some_and(|s| !STATES.contains(&s)) {
        return Err(wrong(caller.lang, "/state", "not_a_choice"));
    }
    let rows = web.app.covers_after(&caller.api.association, state, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(rows, limit, |line| line.case.id.api(), shown)).into_response())
}

/// Asks for night cover in a doctor's name; its slots are asked for at once
#[utoipa::path(post, path = "/covers", tag = "covers", params(IdempotencyKey), request_body = NewCoverIn,
    security(("key" = ["request"])), responses((status = 201, body = MadeOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn cover_new(State(web): State<Web>, caller: Caller<Request>, posted: Posted) -> Response {
    let ask = async {
        let lang = caller.lang;
        let body: NewCoverIn = posted.read()?;
        let manner = Manner::from_code(&body.manner);
        let manner = manner.ok_or_else(|| wrong(lang, "/manner", "not_a_choice"))?;
        let new =
            NewCover { window: (body.from.0, body.to.0), patients: body.patients, manner, note: body.note };
        let Id(asker) = body.on_behalf_of;
        let who = caller.who_for(&asker);
        let asking = Asking { asker, in_person: false, channel: "api" };
        let made = web.app.cover_ask(&who, asking, new, posted.key()).await;
        let made = made.map_err(|e| {
            refuse_at(e, lang, |field| match field {
                "asker" => "/on_behalf_of".to_owned(),
                field => format!("/{field}"),
            })
        })?;
        let made = made.into_inner();
        let id = made.request.api();
        let place = format!("/api/v1/covers/{id}");
        let (slots, by_rota) = (made.slots, made.by_rota);
        Ok(created(&place, MadeOut { id, case_no: made.case_no, slots, by_rota }))
    };
    posted.answer(ask.await)
}

/// Reads a night cover with its slots, who was asked and who took them
#[utoipa::path(get, path = "/covers/{id}", tag = "covers", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = CoverOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn cover(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
) -> Result<Response, Problem> {
    let case = web.app.cover_case(&caller.api.association, &id).await;
    Ok(axum::Json(shown(case.map_err(|e| refuse(e, caller.lang))?.line)).into_response())
}

/// Takes back what of a cover has not begun; whoever took it is told
#[utoipa::path(post, path = "/covers/{id}/cancel", tag = "covers",
    params(("id" = String, Path), IdempotencyKey), request_body = CancelIn,
    security(("key" = ["request"])), responses((status = 200, body = ChangedOut),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`closed`: all of it has begun or is over."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn cover_cancel(
    State(web): State<Web>,
    caller: Caller<Request>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let cancel = async {
        let lang = caller.lang;
        let body: CancelIn = posted.read()?;
        let home = &caller.api.association;
        let case = web.app.cover_case(home, &id).await.map_err(|e| refuse(e, lang))?;
        let who = caller.who_for(&case.line.case.asker);
        let done = web.app.cover_take_back(&who, &id, &body.reason, posted.key()).await;
        let done = done.map_err(|e| refuse_at(e, lang, |field| format!("/{field}")))?;
        if done == TakenBack::Nothing {
            check(Answer::Closed, lang)?;
        }
        let case = web.app.cover_case(home, &id).await.map_err(|e| refuse(e, lang))?;
        Ok(axum::Json(ChangedOut { id: id.api(), state: case.line.case.state }))
    };
    posted.answer(cancel.await)
}

/// Confirms what was told of the slots, in the asker's name; the lines of both sides, pending until then, count
#[utoipa::path(post, path = "/covers/{id}/complete", tag = "covers",
    params(("id" = String, Path), IdempotencyKey), security(("key" = ["request"])),
    responses((status = 200, body = ConfirmedOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn cover_complete(
    State(web): State<Web>,
    caller: Caller<Request>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let confirm = async {
        let lang = caller.lang;
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let Nothing {} = posted.read_or_empty()?;
        let home = &caller.api.association;
        let case = web.app.cover_case(home, &id).await.map_err(|e| refuse(e, lang))?;
        let who = caller.who_for(&case.line.case.asker);
        let done = web.app.cover_confirm(&who, &id, "api", posted.key()).await;
        let done = done.map_err(|e| refuse(e, lang))?;
        let case = web.app.cover_case(home, &id).await.map_err(|e| refuse(e, lang))?;
        let state = case.line.case.state;
        Ok(axum::Json(ConfirmedOut { id: id.api(), state, confirmed: done.slots, waiting: done.waiting }))
    };
    posted.answer(confirm.await)
}

/// Tells what came of a slot, in the name of whoever covered it
#[utoipa::path(post, path = "/covers/{id}/report", tag = "covers",
    params(("id" = String, Path), IdempotencyKey), request_body = ReportIn,
    security(("key" = ["act_for"])), responses((status = 200, body = ChangedOut),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`closed`: the slot has not begun, or is confirmed already."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn cover_report(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let report = async {
        let lang = caller.lang;
        let body: ReportIn = posted.read()?;
        let (Id(slot), Id(member)) = (body.slot, body.on_behalf_of);
        let home = &caller.api.association;
        let case = web.app.cover_case(home, &id).await.map_err(|e| refuse(e, lang))?;
        if !case.line.slots.iter().any(|s| s.slot.request == slot) {
            return Err(wrong(lang, "/slot", "unknown"));
        }
        let told = CoverTold {
            outcome: body.outcome,
            calls: body.calls,
            visits: body.visits,
            minutes: body.minutes,
            text: body.text,
        };
        let who = caller.who_for(&member);
        let answer = web.app.cover_report(&who, &slot, &member, told, "api", posted.key()).await;
        check(answer.map_err(|e| refuse_at(e, lang, |field| format!("/{field}")))?, lang)?;
        let case = web.app.cover_case(home, &id).await.map_err(|e| refuse(e, lang))?;
        Ok(axum::Json(ChangedOut { id: id.api(), state: case.line.case.state }))
    };
    posted.answer(report.await)
}
