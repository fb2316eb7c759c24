//! Requests: made, listed, read, taken back, reported, completed. Clinical text only with its own scope,
//! for a named reader, and audited.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ActFor, Caller, Read, ReadClinical, Request};
use super::clinical::Clinical;
use super::offers::OfferOut;
use super::parts::{Id, Page, ProblemBody, When, cursor, limit, one_more};
use super::posted::{IdempotencyKey, Posted, created};
use super::refuse::{check, refuse, refuse_at, wrong};
use crate::app::consult::{Asking, Change, Told};
use crate::app::views::{Case, CaseLine};
use crate::domain::consult::{ConsultAnswer, NewConsult, Survey};
use crate::domain::dispatch::{Answer, Terms};
use crate::domain::people::ConsultFacts;
use crate::ids::{MemberId, RequestId};
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(requests, request_new))
        .routes(routes!(request))
        .routes(routes!(request_clinical))
        .routes(routes!(request_cancel))
        .routes(routes!(request_report))
        .routes(routes!(request_complete))
}

/// The states a request can be looked for in.
const STATES: [&str; 9] =
    ["open", "choosing", "exhausted", "taken", "reported", "closed", "refused", "withdrawn", "expired"];

/// A request without its clinical text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestLine)]
struct LineOut {
    /// `req_…`
    id: String,
    /// 受付番号, such as `R8-0412`.
    case_no: String,
    /// `consult`.
    kind: String,
    /// `open`, `choosing`, `exhausted`, `taken`, `reported`, `closed`, `refused`, `withdrawn`, `expired`.
    state: String,
    asker: String,
    institution: String,
    /// `web`, `api`, `clerk`, `fax`.
    channel: String,
    specialty: String,
    area: String,
    mode: &'static str,
    #[schema(format = DateTime)]
    answer_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// When the next step is due; null when it is over.
    #[schema(format = DateTime)]
    next_due_at: Option<String>,
}

fn line(case: &Case, facts: &ConsultFacts) -> LineOut {
    LineOut {
        id: case.id.api(),
        case_no: case.case_no.clone(),
        kind: case.kind.clone(),
        state: case.state.clone(),
        asker: case.asker.api(),
        institution: case.institution.api(),
        channel: case.channel.clone(),
        specialty: facts.specialty.clone(),
        area: facts.area.clone(),
        mode: if facts.visit { "visit" } else { "advice" },
        answer_by: case.answer_by.rfc3339(),
        created_at: case.created.rfc3339(),
        updated_at: case.updated.rfc3339(),
        next_due_at: case.due.map(|at| at.rfc3339()),
    }
}

/// A yes.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptanceOut {
    member: String,
    /// `advice`, `visit` or `plain`.
    terms: &'static str,
    /// `pin`, `device`, `key` or `act_for`.
    proof: serde_json::Value,
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    released_at: Option<String>,
}

/// A request with who was asked and who took it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Request)]
struct RequestOut {
    #[serde(flatten)]
    line: LineOut,
    offers: Vec<OfferOut>,
    acceptances: Vec<AcceptanceOut>,
}

fn shown(of: CaseLine) -> RequestOut {
    let acceptances = of.request.acceptances.iter().map(|a| AcceptanceOut {
        member: a.person.api(),
        terms: match a.terms {
            Terms::Advice => "advice",
            Terms::Visit => "visit",
            Terms::Plain | Terms::CallBack { .. } | Terms::Informed { .. } | Terms::Exchange { .. } => {
                "plain"
            }
        },
        proof: serde_json::json!(a.proof),
        at: a.at.rfc3339(),
        released_at: a.released.map(|at| at.rfc3339()),
    });
    RequestOut {
        line: line(&of.case, &of.facts),
        acceptances: acceptances.collect(),
        offers: of.offers.into_iter().map(OfferOut::from).collect(),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RequestsOf {
    /// Only those in this state.
    state: Option<String>,
    /// The id after which the page begins.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Only what says which other members there must be.
#[derive(Debug, Deserialize)]
struct KindOnly {
    kind: String,
}

/// A request to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRequest {
    /// `consult`; the other kinds come later.
    #[expect(dead_code, reason = "read first, by `KindOnly`")]
    kind: String,
    /// Who asks (`mem_…`); the key and this person both stand in the audit.
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
    consult: ConsultIn,
}

/// What is wished for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// An opinion (助言).
    Advice,
    /// An opinion, and a visit where it is needed (往診).
    Visit,
}

/// A consult (専門相談).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConsultIn {
    /// A specialty that somebody volunteers for.
    specialty: String,
    mode: Mode,
    /// The patient's coarse area.
    area: String,
    #[schema(value_type = String, format = DateTime)]
    answer_by: When,
    /// The decade of age: 0, 10, … 100.
    decade: u32,
    /// `female`, `male`, `other`.
    sex: String,
    /// Such as `wound`, `skin`, `pain`; see the manual.
    condition: String,
    /// `no`, `with_help`, `yes`.
    can_travel: String,
    /// Up to 4,000 characters. Before acceptance it is shown without numbers and names.
    question: String,
    #[serde(default)]
    tried: String,
    #[serde(default)]
    patient_ref: String,
    #[serde(default)]
    details: String,
}

/// A request that was made.
#[derive(Debug, Serialize, ToSchema)]
struct Asked {
    id: String,
    case_no: String,
    state: String,
}

/// What a change came to.
#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    id: String,
    state: String,
}

/// What taking it back came to.
#[derive(Debug, Serialize, ToSchema)]
struct Cancelled {
    id: String,
    state: String,
    /// Mails about it that were being handed over in that moment and cannot be called back.
    in_flight: i64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancel {
    /// The asker, or somebody of the office; the asker when it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    on_behalf_of: Option<Id<MemberId>>,
}

/// The taker's answer (返書).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportIn {
    /// Who took it.
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
    /// 見立て
    assessment: String,
    /// 今すること
    #[serde(default)]
    do_now: String,
    /// 次に見る目安
    #[serde(default)]
    follow_up: String,
    /// 送るべき時
    #[serde(default)]
    refer_when: String,
    /// Minutes of work, 0 to 600.
    #[schema(minimum = 0, maximum = 600)]
    minutes: i64,
    /// `advice`, `visit`, `joint_care`, `referral`, `transport_avoided`.
    outcome: String,
}

/// The four questions at the end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Survey)]
struct SurveyIn {
    /// 紹介を避けられたか: `yes`, `no`, `unclear`.
    avoided: String,
    /// 新たに必要になったか.
    newly_needed: String,
    /// 役立ったか, 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    helpful: u32,
    /// 期日に間に合ったか.
    in_time: String,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Complete {
    /// The asker; may be left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    on_behalf_of: Option<Id<MemberId>>,
    /// The asker's confirmation; without it the lines wait for evidence.
    #[serde(default)]
    survey: Option<SurveyIn>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct As {
    /// The reader: the asker, or who has taken it (`mem_…`).
    #[serde(rename = "as")]
    #[param(rename = "as", value_type = String)]
    reader: Id<MemberId>,
}

/// Lists requests in the order they were made
#[utoipa::path(get, path = "/requests", tag = "requests", params(RequestsOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<LineOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn requests(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<RequestsOf>,
) -> Result<Response, Problem> {
    let after = cursor::<RequestId>(of.after.as_deref(), caller.lang)?;
    let limit = limit(of.limit, caller.lang)?;
    let state = of.state.as_deref();
    if state.is_some_and(|s| !STATES.contains(&s)) {
        return Err(wrong(caller.lang, "/state", "not_a_choice"));
    }
    let rows = web.app.cases(&caller.api.association, state, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(rows, limit, |(c, _)| c.id.api(), |(c, f)| line(&c, &f))).into_response())
}

/// Makes a request
#[utoipa::path(post, path = "/requests", tag = "requests", params(IdempotencyKey), request_body = NewRequest,
    security(("key" = ["request"])), responses((status = 201, body = Asked),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn request_new(State(web): State<Web>, caller: Caller<Request>, posted: Posted) -> Response {
    let ask = async {
        let lang = caller.lang;
        let KindOnly { kind } = posted.read()?;
        if kind != "consult" {
            return Err(wrong(lang, "/kind", "kind_not_yet"));
        }
        let NewRequest { on_behalf_of: Id(asker), consult: c, .. } = posted.read()?;
        let new = NewConsult {
            specialty: c.specialty,
            visit: c.mode == Mode::Visit,
            area: c.area,
            answer_by: c.answer_by.0,
            decade: c.decade,
            sex: c.sex,
            condition: c.condition,
            can_travel: c.can_travel,
            question: c.question,
            tried: c.tried,
            patient_ref: c.patient_ref,
            details: c.details,
        };
        let who = caller.who_for(&asker);
        let asking = Asking { asker, in_person: false, channel: "api" };
        let asked = web.app.consult_ask(&who, asking, new, posted.key()).await;
        let asked = asked.map_err(|e| {
            refuse_at(e, lang, |field| match field {
                "asker" => "/on_behalf_of".to_owned(),
                field => format!("/consult/{field}"),
            })
        })?;
        let asked = asked.into_inner();
        let id = asked.request.api();
        let place = format!("/api/v1/requests/{id}");
        Ok(created(&place, Asked { id, case_no: asked.case_no, state: asked.state }))
    };
    posted.answer(ask.await)
}

/// Reads a request, without clinical text
#[utoipa::path(get, path = "/requests/{id}", tag = "requests", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = RequestOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn request(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
) -> Result<Response, Problem> {
    let case = web.app.case(&caller.api.association, &id).await;
    Ok(axum::Json(shown(case.map_err(|e| refuse(e, caller.lang))?)).into_response())
}

/// Reads the clinical text as its asker or its taker; every reading is a row of the audit log
#[utoipa::path(get, path = "/requests/{id}/clinical", tag = "requests", params(("id" = String, Path), As),
    security(("key" = ["read_clinical"])), responses((status = 200, body = Clinical),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn request_clinical(
    State(web): State<Web>,
    caller: Caller<ReadClinical>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    ApiQuery(As { reader: Id(reader) }): ApiQuery<As>,
) -> Result<Response, Problem> {
    let case = web.app.case_read(&caller.who_for(&reader), &reader, &id).await;
    Ok(axum::Json(Clinical::from(case.map_err(|e| refuse(e, caller.lang))?)).into_response())
}

fn changed(id: &RequestId, change: Change) -> axum::Json<Changed> {
    axum::Json(Changed { id: id.api(), state: change.state })
}

/// Takes a request back; nobody is asked any more
#[utoipa::path(post, path = "/requests/{id}/cancel", tag = "requests",
    params(("id" = String, Path), IdempotencyKey), request_body = Cancel, security(("key" = ["request"])),
    responses((status = 200, body = Cancelled),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn request_cancel(
    State(web): State<Web>,
    caller: Caller<Request>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let cancel = async {
        let (lang, home) = (caller.lang, &caller.api.association);
        let body: Cancel = posted.read_or_empty()?;
        let asker = web.app.case(home, &id).await.map_err(|e| refuse(e, lang))?.case.asker;
        let whose = body.on_behalf_of.map_or_else(|| asker.clone(), |Id(member)| member);
        let office = async || web.app.member(home, &whose).await.is_ok_and(|m| m.is_office());
        if whose != asker && !office().await {
            return Err(wrong(lang, "/on_behalf_of", "not_the_asker"));
        }
        let change = web.app.request_withdraw(&caller.who_for(&whose), &id, posted.key()).await;
        let change = change.map_err(|e| refuse(e, lang))?;
        check(change.answer, lang)?;
        Ok(axum::Json(Cancelled { id: id.api(), state: change.state, in_flight: change.in_flight }))
    };
    posted.answer(cancel.await)
}

/// Tells what came of it, in the taker's name
#[utoipa::path(post, path = "/requests/{id}/report", tag = "requests",
    params(("id" = String, Path), IdempotencyKey), request_body = ReportIn, security(("key" = ["act_for"])),
    responses((status = 200, body = Changed),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn request_report(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let report = async {
        let lang = caller.lang;
        let body: ReportIn = posted.read()?;
        let Id(member) = body.on_behalf_of;
        let who = caller.who_for(&member);
        let told = Told {
            member,
            answer: ConsultAnswer {
                assessment: body.assessment,
                do_now: body.do_now,
                follow_up: body.follow_up,
                refer_when: body.refer_when,
            },
            minutes: body.minutes,
            minutes_confirmed: true,
            outcome: body.outcome,
        };
        let change = web.app.consult_report(&who, &id, told, posted.key()).await;
        let change = change.map_err(|e| refuse(e, lang))?;
        if change.answer == Answer::NotAsked {
            return Err(wrong(lang, "/on_behalf_of", "not_the_taker"));
        }
        check(change.answer, lang)?;
        Ok(changed(&id, change))
    };
    posted.answer(report.await)
}

/// The asker is done: it is closed, and both sides' ledger lines are written
#[utoipa::path(post, path = "/requests/{id}/complete", tag = "requests",
    params(("id" = String, Path), IdempotencyKey), request_body = Complete, security(("key" = ["request"])),
    responses((status = 200, body = Changed),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn request_complete(
    State(web): State<Web>,
    caller: Caller<Request>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let complete = async {
        let lang = caller.lang;
        let body: Complete = posted.read_or_empty()?;
        let case = web.app.case(&caller.api.association, &id).await.map_err(|e| refuse(e, lang))?;
        let asker = case.case.asker;
        if body.on_behalf_of.is_some_and(|Id(member)| member != asker) {
            return Err(wrong(lang, "/on_behalf_of", "not_the_asker"));
        }
        let survey = body.survey.map(|s| Survey {
            avoided: s.avoided,
            newly_needed: s.newly_needed,
            helpful: s.helpful,
            in_time: s.in_time,
            note: s.note,
        });
        let closed = web.app.consult_close(&caller.who_for(&asker), &id, survey, posted.key()).await;
        let closed = closed.map_err(|e| refuse_at(e, lang, |field| format!("/survey/{field}")))?;
        check(closed.answer, lang)?;
        Ok(changed(&id, closed))
    };
    posted.answer(complete.await)
}
