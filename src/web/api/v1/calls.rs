//! Urgent calls by programs: begun, listed, read, looked after by the office, reported. What was said on the phone and
//! what a report says in words is not here.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ActFor, Caller, Read, Request};
use super::parts::{Id, Page, PageOf, ProblemBody, one_more};
use super::posted::{IdempotencyKey, Posted, created};
use super::refuse::{refuse, refuse_at};
use crate::app::call::{CallLine, CallTold, LegLine};
use crate::domain::call::Answer;
use crate::ids::{CallId, InstitutionId, MemberId};
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(calls, call_new))
        .routes(routes!(call))
        .routes(routes!(call_acknowledge))
        .routes(routes!(call_ring))
        .routes(routes!(call_report))
}

/// One line of a call: the caller's, or one attempt to ring somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallLeg)]
struct LegOut {
    /// `caller`, `asked` or `taker`.
    role: String,
    /// Whose phone it is, `mem_…`; null for a caller who is no member.
    member: Option<String>,
    state: String,
    /// Why it ended, such as `no_answer`, `busy`, `rejected`, `no_key`, `hung_up`; null while it lasts.
    cause: Option<String>,
    #[schema(format = DateTime)]
    began_at: String,
    /// When somebody, or a machine, picked up.
    #[schema(format = DateTime)]
    answered_at: Option<String>,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// An urgent call (緊急の電話), or two doctors of a consult who were connected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Call)]
struct CallOut {
    /// `cal_…`
    id: String,
    case_no: String,
    /// `night`: the night number was dialled; `web`: begun on a page or here; `connect`: two doctors of a consult.
    kind: String,
    /// How it stands, such as `hunting`, `talking`, `report_due`, `last_resort`, `over`.
    stage: String,
    /// How it ended; null while it goes on.
    outcome: Option<String>,
    /// The patient's clinic, `ins_…`, where it is known.
    clinic: Option<String>,
    /// The institution that called, `ins_…`, where it is known.
    institution: Option<String>,
    /// The member who began it, `mem_…`.
    asker: Option<String>,
    /// Who pressed 1 and keyed the PIN, `mem_…`.
    taker: Option<String>,
    /// `req_…` of the consult.
    consult: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    legs: Vec<LegOut>,
}

fn leg(line: LegLine) -> LegOut {
    let leg = line.leg;
    LegOut {
        role: leg.role,
        member: leg.member.map(|m| m.api()),
        state: leg.state,
        cause: leg.cause,
        began_at: leg.began.rfc3339(),
        answered_at: leg.answered.map(|at| at.rfc3339()),
        ended_at: leg.ended.map(|at| at.rfc3339()),
    }
}

fn shown(line: CallLine) -> CallOut {
    let row = line.row;
    CallOut {
        id: row.id.api(),
        case_no: row.case_no,
        kind: row.kind,
        stage: row.stage,
        outcome: row.outcome,
        clinic: row.clinic.map(|id| id.api()),
        institution: row.institution.map(|id| id.api()),
        asker: row.asker.map(|id| id.api()),
        taker: row.taker.map(|id| id.api()),
        consult: row.consult.map(|id| id.api()),
        opened_at: row.opened.rfc3339(),
        ended_at: row.ended.map(|at| at.rfc3339()),
        legs: line.legs.into_iter().map(leg).collect(),
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCallIn {
    /// Who asks, and is rung once a physician has pressed 1: `mem_…`.
    #[schema(value_type = String)]
    asker: Id<MemberId>,
    /// The patient's clinic, `ins_…`; its own physicians are rung first where its switch is on.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    clinic: Option<Id<InstitutionId>>,
}

/// A call that was begun.
#[derive(Debug, Serialize, ToSchema)]
struct CallBegun {
    /// `cal_…`
    id: String,
    case_no: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NothingToSay {}

/// Who is to be rung now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallRingIn {
    /// `mem_…`: somebody with a phone, a PIN and a role that takes calls.
    #[schema(value_type = String)]
    person: Id<MemberId>,
}

/// What came of a call, in the taker's name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallReportIn {
    /// `phone_only`, `visited`, `transported` or `not_reached`.
    outcome: String,
    /// 搬送先; needed with `transported`. At most 100 characters.
    #[serde(default)]
    place: String,
    /// At most 2,000 characters; kept sealed.
    #[serde(default)]
    text: String,
    /// Minutes of work, 0 to 1,440.
    #[serde(default)]
    minutes: Option<i64>,
}

/// Lists calls in the order in which they began
#[utoipa::path(get, path = "/calls", tag = "calls", params(PageOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<CallOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn calls(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(page): ApiQuery<PageOf>,
) -> Result<Response, Problem> {
    let (after, limit) = page.read::<CallId>(caller.lang)?;
    let lines = web.app.calls_page(&caller.api.association, &after, one_more(limit)).await;
    let lines = lines.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(lines, limit, |line| line.row.id.api(), shown)).into_response())
}

/// Begins an urgent call in a member's name: physicians are rung in the order of the plan, then the asker
#[utoipa::path(post, path = "/calls", tag = "calls", params(IdempotencyKey), request_body = NewCallIn,
    security(("key" = ["request"])), responses((status = 201, body = CallBegun),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn call_new(State(web): State<Web>, caller: Caller<Request>, posted: Posted) -> Response {
    let begin = async {
        let body: NewCallIn = posted.read()?;
        let (asker, clinic) = (body.asker.0, body.clinic.map(|id| id.0));
        let who = caller.who_for(&asker);
        let begun = web.app.call_start(&who, &asker, clinic, posted.key()).await;
        // A member without a phone, or an association without a number: both stand behind the asker.
        let at = |field: &str| if field == "clinic" { "/clinic" } else { "/asker" }.to_owned();
        let (id, case_no) = begun.map_err(|e| refuse_at(e, caller.lang, at))?;
        let id = id.api();
        let place = format!("/api/v1/calls/{id}");
        Ok(created(&place, CallBegun { id, case_no }))
    };
    posted.answer(begin.await)
}

/// Reads a call with every attempt and why it ended
#[utoipa::path(get, path = "/calls/{id}", tag = "calls", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = CallOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn call(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<CallId>>,
) -> Result<Response, Problem> {
    let line = web.app.call_line(&caller.api.association, &id).await;
    Ok(axum::Json(shown(line.map_err(|e| refuse(e, caller.lang))?)).into_response())
}

/// Somebody of the office looks after the call: its alarms stop; it stays open
#[utoipa::path(post, path = "/calls/{id}/acknowledge", tag = "calls",
    params(("id" = String, Path), IdempotencyKey), request_body = NothingToSay, security(("key" = ["act_for"])),
    responses((status = 204, description = "Done."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`closed`: the call is over."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn call_acknowledge(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<CallId>>,
    posted: Posted,
) -> Response {
    let acknowledge = async {
        let NothingToSay {} = posted.read_or_empty()?;
        let answer = web.app.call_acknowledge(&caller.who(), &id).await;
        match answer.map_err(|e| refuse(e, caller.lang))? {
            // Looked after twice is looked after.
            Answer::Done | Answer::Already => Ok(StatusCode::NO_CONTENT),
            Answer::NotNow => Err(Kind::Closed.problem(caller.lang)),
        }
    };
    posted.answer(acknowledge.await)
}

/// Has somebody rung now, whatever the plan says: beside those who ring already, and also where nobody was left
#[utoipa::path(post, path = "/calls/{id}/ring", tag = "calls",
    params(("id" = String, Path), IdempotencyKey), request_body = CallRingIn, security(("key" = ["act_for"])),
    responses((status = 204, description = "The phone is rung, or rings already."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`closed`: nobody is being looked for (any more)."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn call_ring(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<CallId>>,
    posted: Posted,
) -> Response {
    let ring = async {
        let body: CallRingIn = posted.read()?;
        let answer = web.app.call_ring(&caller.who(), &id, &body.person.0, posted.key()).await;
        match answer.map_err(|e| refuse(e, caller.lang))? {
            Answer::Done | Answer::Already => Ok(StatusCode::NO_CONTENT),
            Answer::NotNow => Err(Kind::Closed.problem(caller.lang)),
        }
    };
    posted.answer(ring.await)
}

/// Reports in the name of the physician who took the call; the patient's own physicians hear of a transport at once
#[utoipa::path(post, path = "/calls/{id}/report", tag = "calls",
    params(("id" = String, Path), IdempotencyKey), request_body = CallReportIn, security(("key" = ["act_for"])),
    responses((status = 204, description = "Done."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`conflict`: nobody has taken the call."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn call_report(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<CallId>>,
    posted: Posted,
) -> Response {
    let report = async {
        let body: CallReportIn = posted.read()?;
        let say = |e| refuse(e, caller.lang);
        let line = web.app.call_line(&caller.api.association, &id).await.map_err(say)?;
        let taker = line.row.taker.ok_or_else(|| Kind::Conflict.problem(caller.lang))?;
        let told =
            CallTold { outcome: body.outcome, place: body.place, text: body.text, minutes: body.minutes };
        web.app.call_report(&caller.who(), &id, &taker, told, posted.key()).await.map_err(say)?;
        Ok(StatusCode::NO_CONTENT)
    };
    posted.answer(report.await)
}
