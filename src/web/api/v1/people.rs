//! Members changed, and whether they can be reached.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Caller, Directory, Read};
use super::directory::{Profile, Specialty};
use super::parts::{Id, ProblemBody};
use super::posted::{IdempotencyKey, Posted};
use super::refuse::refuse;
use crate::app::AppError;
use crate::app::people::NewMember;
use crate::domain::people::entry::MemberProfile;
use crate::domain::people::{Role, SpecialtyOffer};
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId};
use crate::web::Web;
use crate::web::extract::ApiPath;
use crate::web::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new().routes(routes!(member_change)).routes(routes!(member_reach))
}

/// A change of a member. What is not named stays as it is; an empty text removes what may be missing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberChange {
    /// As last read; a change made from an older one is refused with 409.
    revision: i64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    kana: Option<String>,
    /// `ins_…`
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    institution: Option<Id<InstitutionId>>,
    #[serde(default)]
    email: Option<String>,
    /// Kept sealed, never returned.
    #[serde(default)]
    phone: Option<String>,
    /// Kept sealed, never returned.
    #[serde(default)]
    fax: Option<String>,
    /// `physician`, `specialist`, `nurse_station`, `care_office`, `city_observer`; roles of the office stay
    /// as they are.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    roles: Option<Vec<Role>>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    lang: Option<Lang>,
    #[serde(default)]
    member_no: Option<String>,
    #[serde(default)]
    profile: Option<Profile>,
    #[serde(default)]
    specialties: Option<Vec<Specialty>>,
}

/// A test whether a member can be reached.
#[derive(Debug, Serialize, ToSchema)]
struct ReachTestOut {
    /// `mail`, `phone` or `fax`.
    way: String,
    #[schema(format = DateTime)]
    asked_at: String,
    #[schema(format = DateTime)]
    confirmed_at: Option<String>,
    /// When a test call ended without the key, and why: a cause of a leg of a call.
    #[schema(format = DateTime)]
    failed_at: Option<String>,
    cause: Option<&'static str>,
    /// The address was changed since; it says nothing any more.
    void: bool,
}

/// How a member can be reached, and what the office should do next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reach)]
struct ReachOut {
    /// `no_address`, `confirmed`, `unknown`, `waiting`, `refused`, `test_silent`, `offers_unopened`.
    mail: &'static str,
    /// `breaks_rules`, `carrier`, or null for a usual address.
    hard_address: Option<&'static str>,
    /// `no_number`, `confirmed`, `unknown`, `waiting`, `failing`: whether a test call was answered with the key.
    phone: &'static str,
    has_phone: bool,
    has_fax: bool,
    pin_set: bool,
    pin_locked: bool,
    #[schema(format = DateTime)]
    sheet_made_at: Option<String>,
    /// Known devices.
    devices: i64,
    /// `ask_for_contact`, `unlock`, `make_sheet`, `call_about_mail`, `send_test`, `await_test`,
    /// `agree_on_phone`, `help_with_device`, `call_about_phone`, `test_call`, `nothing`.
    next: &'static str,
    /// The newest ten, newest first.
    tests: Vec<ReachTestOut>,
}

/// What was given; nothing where it is empty; what stands there where it was not named.
fn optional(given: Option<String>, before: Option<String>) -> Option<String> {
    match given {
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text),
        None => before,
    }
}

impl MemberChange {
    async fn onto(self, web: &Web, caller: &Caller<Directory>, id: &MemberId) -> Result<NewMember, AppError> {
        let (app, home) = (&web.app, &caller.api.association);
        let before = app.member(home, id).await?;
        let row = id.as_str();
        let phone = app.number_shown(home, ("member", "phone", row), before.phone.as_deref()).await?;
        let fax = app.number_shown(home, ("member", "fax", row), before.fax.as_deref()).await?;
        let specialties = match self.specialties {
            Some(given) => given.into_iter().map(SpecialtyOffer::from).collect(),
            None => app.volunteers_for(home, id).await?,
        };
        let profile = match self.profile {
            // The office's note is not the API's.
            Some(given) => MemberProfile { note: before.profile.note, ..MemberProfile::from(given) },
            None => before.profile,
        };
        Ok(NewMember {
            name: self.name.unwrap_or(before.name),
            kana: self.kana.unwrap_or(before.kana),
            institution: self.institution.map(|Id(id)| id).or(before.institution),
            email: optional(self.email, before.email),
            phone: optional(self.phone, phone),
            fax: optional(self.fax, fax),
            roles: self.roles.unwrap_or(before.roles),
            lang: self.lang.unwrap_or(before.lang),
            specialties,
            member_no: self.member_no.unwrap_or(before.member_no),
            profile,
        })
    }
}

/// Changes a member who stands at `revision`
#[utoipa::path(post, path = "/members/{id}/change", tag = "directory",
    params(("id" = String, Path), IdempotencyKey), request_body = MemberChange,
    security(("key" = ["directory"])), responses((status = 204, description = "Done."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "Changed by somebody else meanwhile."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn member_change(
    State(web): State<Web>,
    caller: Caller<Directory>,
    ApiPath(Id(id)): ApiPath<Id<MemberId>>,
    posted: Posted,
) -> Response {
    let change = async {
        let change: MemberChange = posted.read()?;
        let revision = change.revision;
        let say = |e| refuse(e, caller.lang);
        let new = change.onto(&web, &caller, &id).await.map_err(say)?;
        let done = web.app.member_change(&caller.who(), &id, revision, new, posted.key()).await;
        done.map(|()| StatusCode::NO_CONTENT).map_err(say)
    };
    posted.answer(change.await)
}

/// Reads how a member can be reached
#[utoipa::path(get, path = "/members/{id}/reach", tag = "directory", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = ReachOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn member_reach(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<MemberId>>,
) -> Result<Response, Problem> {
    let found = web.app.reach(&caller.api.association, &id).await;
    let (_, reach, tests) = found.map_err(|e| refuse(e, caller.lang))?;
    let tests = tests.into_iter().map(|test| ReachTestOut {
        way: test.way,
        asked_at: test.asked.rfc3339(),
        confirmed_at: test.confirmed.map(|at| at.rfc3339()),
        failed_at: test.failed.map(|(at, _)| at.rfc3339()),
        cause: test.failed.and_then(|(_, cause)| cause).map(|cause| cause.code()),
        void: test.voided.is_some(),
    });
    let ready = &reach.readiness;
    let out = ReachOut {
        mail: ready.mail.code(),
        hard_address: reach.hard_address.map(|hard| hard.code()),
        phone: ready.phone.code(),
        has_phone: ready.has_phone(),
        has_fax: ready.has_fax,
        pin_set: ready.pin_set,
        pin_locked: ready.pin_locked,
        sheet_made_at: reach.facts.sheet.map(|at| at.rfc3339()),
        devices: ready.devices,
        next: reach.next.code(),
        tests: tests.collect(),
    };
    Ok(axum::Json(out).into_response())
}
