//! Changes of a published rota: asked for, listed, read, taken back, undone. Answering is `offers`; being ill and
//! filling a hole are forms of asking, too.

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
use super::refuse::{check, refuse, refuse_at, said, wrong};
use crate::app::consult::Asking;
use crate::app::swap::{Named, NewSwap, SwapAsked, SwapLine};
use crate::domain::dispatch::{Answer, Terms};
use crate::domain::rota::{Form, RotaRole, Stretch};
use crate::ids::{MemberId, RequestId};
use crate::time::Window;
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(swaps, swap_new))
        .routes(routes!(swap))
        .routes(routes!(swap_cancel))
        .routes(routes!(swap_undo))
}

/// The states a swap can be looked for in.
const STATES: [&str; 7] = ["open", "exhausted", "taken", "closed", "refused", "withdrawn", "expired"];

/// A duty, or part of one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyPart)]
struct DutyOut {
    area: String,
    /// `primary`, `deputy` or `backing`.
    role: &'static str,
    /// The slot, such as `2026-07-01/wn`; null where the hours belong to none.
    slot: Option<String>,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
}

impl DutyOut {
    fn of(stretch: &Stretch) -> Self {
        Self {
            area: stretch.area.to_string(),
            role: stretch.role.code(),
            slot: stretch.slot.as_ref().map(ToString::to_string),
            from: stretch.window.from.rfc3339(),
            to: stretch.window.to.rfc3339(),
        }
    }
}

/// A yes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SwapAgreement)]
struct AgreementOut {
    member: String,
    /// `exchange`: to the two duties that its page showed; otherwise `plain`.
    terms: &'static str,
    /// `pin`, `device` or `act_for`.
    proof: serde_json::Value,
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    released_at: Option<String>,
}

/// A change of the rota that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Swap)]
struct SwapOut {
    /// `req_…`
    id: String,
    case_no: String,
    /// `give`, `exchange`, `pool`, `cover`, `ill` or `hole`.
    form: &'static str,
    /// `open`, `exhausted`, `taken` (agreed to, can be undone), `closed` (has begun), `refused` (also: made void
    /// by a new rota), `withdrawn`, `expired`.
    state: String,
    asker: String,
    /// Whose duty it is; null for a hole.
    giver: Option<String>,
    /// Who is asked, where that is one person.
    other: Option<String>,
    gives: DutyOut,
    /// What comes back for it.
    takes: Option<DutyOut>,
    /// It begins soon: the office confirms it by telephone, too.
    late: bool,
    #[schema(format = DateTime)]
    answer_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    offers: Vec<OfferOut>,
    acceptances: Vec<AgreementOut>,
}

fn shown(line: SwapLine) -> SwapOut {
    let agreements = line.request.acceptances.iter().map(|a| AgreementOut {
        member: a.person.api(),
        terms: if matches!(a.terms, Terms::Exchange { .. }) { "exchange" } else { "plain" },
        proof: serde_json::json!(a.proof),
        at: a.at.rfc3339(),
        released_at: a.released.map(|at| at.rfc3339()),
    });
    SwapOut {
        id: line.case.id.api(),
        case_no: line.case.case_no.clone(),
        form: line.facts.form.code(),
        state: line.case.state.clone(),
        asker: line.case.asker.api(),
        giver: line.facts.giver.as_ref().map(MemberId::api),
        other: line.facts.other.as_ref().map(MemberId::api),
        gives: DutyOut::of(&line.facts.gives),
        takes: line.facts.takes.as_ref().map(DutyOut::of),
        late: line.facts.late,
        answer_by: line.request.answer_by.rfc3339(),
        created_at: line.case.created.rfc3339(),
        acceptances: agreements.collect(),
        offers: line.offers.into_iter().map(OfferOut::from).collect(),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SwapsOf {
    /// Only those in this state.
    state: Option<String>,
    /// The id after which the page begins.
    after: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DutyIn {
    area: String,
    /// `primary`, `deputy` or `backing`.
    role: String,
    #[schema(value_type = String, format = DateTime)]
    from: When,
    #[schema(value_type = String, format = DateTime)]
    to: When,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSwapIn {
    /// `give`, `exchange`, `pool`, `cover`, `ill` or `hole`.
    form: String,
    /// Whose duty it is; for a hole, who calls for it (`mem_…`).
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
    /// The whole duty or part of it.
    gives: DutyIn,
    /// `exchange`: what comes back; its holder is asked.
    #[serde(default)]
    takes: Option<DutyIn>,
    /// `give`: who is asked (`mem_…`).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    other: Option<Id<MemberId>>,
    /// A word to those who are asked, in one line.
    #[serde(default)]
    note: String,
}

/// What was taken down.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SwapAsked)]
struct AskedOut {
    id: String,
    case_no: String,
    state: String,
}

/// How it stands after a change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SwapChanged)]
struct ChangedOut {
    id: String,
    state: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Undo {
    /// Whose yes is undone (`mem_…`).
    #[schema(value_type = String)]
    on_behalf_of: Id<MemberId>,
}

fn named(duty: &DutyIn, at: &str, lang: crate::i18n::Lang) -> Result<Named, Problem> {
    let area = duty.area.parse().map_err(|_| wrong(lang, &format!("{at}/area"), "not_a_choice"))?;
    let role = RotaRole::from_code(&duty.role);
    let role = role.ok_or_else(|| wrong(lang, &format!("{at}/role"), "not_a_choice"))?;
    let window = Window::new(duty.from.0, duty.to.0);
    let window = window.ok_or_else(|| wrong(lang, &format!("{at}/to"), "out_of_range"))?;
    Ok(Named { area, role, window })
}

/// Lists changes of the rota in the order they were asked for
#[utoipa::path(get, path = "/swaps", tag = "swaps", params(SwapsOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<SwapOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn swaps(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<SwapsOf>,
) -> Result<Response, Problem> {
    let after = cursor::<RequestId>(of.after.as_deref(), caller.lang)?;
    let limit = limit(of.limit, caller.lang)?;
    let state = of.state.as_deref();
    if state.is_some_and(|s| !STATES.contains(&s)) {
        return Err(wrong(caller.lang, "/state", "not_a_choice"));
    }
    let rows = web.app.swap_lines(&caller.api.association, state, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(rows, limit, |line| line.case.id.api(), shown)).into_response())
}

/// Asks for a change in a doctor's name; that doctor agrees by the link of a mail, unless ill: then the deputy
/// moves up at once
#[utoipa::path(post, path = "/swaps", tag = "swaps", params(IdempotencyKey), request_body = NewSwapIn,
    security(("key" = ["request"])), responses((status = 201, body = AskedOut),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`refused-by-rule`: a rule of the rota stands against it."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn swap_new(State(web): State<Web>, caller: Caller<Request>, posted: Posted) -> Response {
    let ask = async {
        let lang = caller.lang;
        let body: NewSwapIn = posted.read()?;
        let form = Form::from_code(&body.form).ok_or_else(|| wrong(lang, "/form", "not_a_choice"))?;
        let takes = body.takes.as_ref().map(|takes| named(takes, "/takes", lang)).transpose()?;
        let new = NewSwap {
            form,
            gives: named(&body.gives, "/gives", lang)?,
            takes,
            other: body.other.map(|Id(other)| other),
            note: body.note,
        };
        let Id(asker) = body.on_behalf_of;
        let who = caller.who_for(&asker);
        let asking = Asking { asker, in_person: false, channel: "api" };
        let asked = web.app.swap_ask(&who, asking, new, posted.key()).await;
        let asked = asked.map_err(|e| {
            refuse_at(e, lang, |field| match field {
                "asker" => "/on_behalf_of".to_owned(),
                "duty" | "part" => "/gives".to_owned(),
                field => format!("/{field}"),
            })
        })?;
        let asked = match asked {
            SwapAsked::Asked(asked) => asked,
            SwapAsked::Refused(rule) => {
                check(Answer::Refused { rule }, lang)?;
                return Err(Kind::RefusedByRule.problem(lang));
            }
            SwapAsked::Wrong(_, what) => {
                return Err(Kind::InvalidInput.problem(lang).error("/gives", said(lang, what.code())));
            }
        };
        let id = asked.request.api();
        let place = format!("/api/v1/swaps/{id}");
        Ok(created(&place, AskedOut { id, case_no: asked.case_no, state: asked.state }))
    };
    posted.answer(ask.await)
}

/// Reads a change of the rota with who was asked and who agreed
#[utoipa::path(get, path = "/swaps/{id}", tag = "swaps", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = SwapOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn swap(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
) -> Result<Response, Problem> {
    let case = web.app.swap_case(&caller.api.association, &id).await;
    Ok(axum::Json(shown(case.map_err(|e| refuse(e, caller.lang))?.line)).into_response())
}

/// Takes it back; what changed hands because of it goes back, as far as it has not begun
#[utoipa::path(post, path = "/swaps/{id}/cancel", tag = "swaps", params(("id" = String, Path), IdempotencyKey),
    security(("key" = ["request"])), responses((status = 200, body = ChangedOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn swap_cancel(
    State(web): State<Web>,
    caller: Caller<Request>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let cancel = async {
        let lang = caller.lang;
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let Nothing {} = posted.read_or_empty()?;
        let case = web.app.swap_case(&caller.api.association, &id).await;
        let asker = case.map_err(|e| refuse(e, lang))?.line.case.asker;
        let change = web.app.request_withdraw(&caller.who_for(&asker), &id, posted.key()).await;
        let change = change.map_err(|e| refuse(e, lang))?;
        check(change.answer, lang)?;
        Ok(axum::Json(ChangedOut { id: id.api(), state: change.state }))
    };
    posted.answer(cancel.await)
}

/// Undoes somebody's yes before the duty begins; then it is open again
#[utoipa::path(post, path = "/swaps/{id}/undo", tag = "swaps", params(("id" = String, Path), IdempotencyKey),
    request_body = Undo, security(("key" = ["act_for"])), responses((status = 200, body = ChangedOut),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "`closed`: it has begun; `conflict`: no yes of this person stands."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn swap_undo(
    State(web): State<Web>,
    caller: Caller<ActFor>,
    ApiPath(Id(id)): ApiPath<Id<RequestId>>,
    posted: Posted,
) -> Response {
    let undo = async {
        let lang = caller.lang;
        let Undo { on_behalf_of: Id(member) } = posted.read()?;
        web.app.swap_case(&caller.api.association, &id).await.map_err(|e| refuse(e, lang))?;
        let change = web.app.swap_undo(&caller.who_for(&member), &id, &member, posted.key()).await;
        let change = change.map_err(|e| refuse(e, lang))?;
        check(change.answer, lang)?;
        Ok(axum::Json(ChangedOut { id: id.api(), state: change.state }))
    };
    posted.answer(undo.await)
}
