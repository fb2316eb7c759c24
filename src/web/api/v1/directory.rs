//! Institutions and members: listed, read, added; PINs set, people leaving.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Caller, Directory, Read};
use super::parts::{Id, Page, PageOf, ProblemBody, one_more};
use super::posted::{IdempotencyKey, Posted, created};
use super::refuse::{refuse, wrong};
use crate::app::AppError;
use crate::app::people::{NewInstitution, NewMember};
use crate::app::views::{Institution, Member};
use crate::domain::people::entry::{DutyProfile, MemberProfile, Way};
use crate::domain::people::{Day, Role, SpecialtyOffer};
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId};
use crate::seal::Pin;
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(institutions, institution_new))
        .routes(routes!(institution))
        .routes(routes!(members, member_new))
        .routes(routes!(member))
        .routes(routes!(member_leave))
        .routes(routes!(member_pin))
}

/// An institution (医療機関).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Institution)]
struct InstitutionOut {
    /// `ins_…`
    id: String,
    name: String,
    /// `clinic`, `clinic_with_beds`, `home_care_clinic`, `home_care_hospital`, `hospital`,
    /// `nursing_station`, `association`.
    kind: String,
    /// The coarse area.
    area: String,
    /// 全国地方公共団体コード, or empty.
    city_code: String,
}

impl From<Institution> for InstitutionOut {
    fn from(i: Institution) -> Self {
        Self { id: i.id.api(), name: i.name, kind: i.kind, area: i.area, city_code: i.city_code }
    }
}

/// An institution to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInstitution)]
struct InstitutionIn {
    name: String,
    kind: String,
    area: String,
    #[serde(default)]
    city_code: String,
    /// Kept sealed, never returned.
    #[serde(default)]
    phone: Option<String>,
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
struct Made {
    id: String,
}

/// A member (会員, 利用者). Telephone numbers and PINs are never returned.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
struct MemberOut {
    /// `mem_…`
    id: String,
    name: String,
    kana: String,
    institution: Option<String>,
    email: Option<String>,
    roles: Vec<&'static str>,
    /// `ja` or `en`.
    lang: &'static str,
    #[schema(format = DateTime)]
    active_from: String,
    #[schema(format = DateTime)]
    left_at: Option<String>,
    pin_set: bool,
    specialties: Vec<Specialty>,
    /// 会員番号, or empty.
    member_no: String,
    profile: Profile,
    /// Grows with each change.
    revision: i64,
}

/// How a member wants to be reached, and what duty they can carry.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// `mail`, `phone`, `fax`, first choice first; empty = mail.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    ways: Vec<Way>,
    /// No visits (電話対応のみ).
    #[serde(default)]
    phone_only: bool,
    /// Not between 22 and 6 o'clock.
    #[serde(default)]
    no_deep_night: bool,
    /// Turns a month; null = no limit of their own.
    #[serde(default)]
    max_per_month: Option<u32>,
    /// Takes no part in the rota.
    #[serde(default)]
    exempt: bool,
}

impl From<MemberProfile> for Profile {
    fn from(p: MemberProfile) -> Self {
        let DutyProfile { phone_only, no_deep_night, max_per_month, exempt } = p.duty;
        Self { ways: p.ways, phone_only, no_deep_night, max_per_month, exempt }
    }
}

impl From<Profile> for MemberProfile {
    fn from(p: Profile) -> Self {
        let duty = DutyProfile {
            phone_only: p.phone_only,
            no_deep_night: p.no_deep_night,
            max_per_month: p.max_per_month,
            exempt: p.exempt,
        };
        Self { ways: p.ways, duty, note: String::new() }
    }
}

/// What a specialist volunteers for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Specialty {
    /// Such as `dermatology`.
    specialty: String,
    /// Also visits; otherwise advice only.
    #[serde(default)]
    visits: bool,
    /// Coarse areas; empty = everywhere.
    #[serde(default)]
    areas: Vec<String>,
    /// `mon` to `sun`; empty = every day.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    days: Vec<Day>,
    /// Minutes after midnight, half-open; `from_min` = `to_min` is all day.
    #[serde(default)]
    #[schema(maximum = 1440)]
    from_min: u32,
    #[serde(default)]
    #[schema(maximum = 1440)]
    to_min: u32,
    /// Consults a month; null = no limit.
    #[serde(default)]
    monthly_cap: Option<u32>,
}

impl From<SpecialtyOffer> for Specialty {
    fn from(s: SpecialtyOffer) -> Self {
        Self {
            specialty: s.specialty,
            visits: s.visits,
            areas: s.areas,
            days: s.days,
            from_min: s.from_min,
            to_min: s.to_min,
            monthly_cap: s.monthly_cap,
        }
    }
}

impl From<Specialty> for SpecialtyOffer {
    fn from(s: Specialty) -> Self {
        Self {
            specialty: s.specialty,
            visits: s.visits,
            areas: s.areas,
            days: s.days,
            from_min: s.from_min,
            to_min: s.to_min,
            monthly_cap: s.monthly_cap,
        }
    }
}

fn shown((m, specialties): (Member, Vec<SpecialtyOffer>)) -> MemberOut {
    MemberOut {
        id: m.id.api(),
        name: m.name,
        kana: m.kana,
        institution: m.institution.map(|i| i.api()),
        email: m.email,
        roles: m.roles.iter().map(|r| r.code()).collect(),
        lang: m.lang.tag(),
        active_from: m.active_from.rfc3339(),
        left_at: m.left_at.map(|at| at.rfc3339()),
        pin_set: m.pin_hash.is_some(),
        specialties: specialties.into_iter().map(Specialty::from).collect(),
        member_no: m.member_no,
        profile: m.profile.into(),
        revision: m.revision,
    }
}

/// A member to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMember)]
struct MemberIn {
    name: String,
    #[serde(default)]
    kana: String,
    /// `ins_…`; needed by whoever asks or volunteers.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    institution: Option<Id<InstitutionId>>,
    #[serde(default)]
    email: Option<String>,
    /// Kept sealed, never returned.
    #[serde(default)]
    phone: Option<String>,
    /// `physician`, `specialist`, `nurse_station`, `care_office`, `city_observer`, `clerk`, `coordinator`,
    /// `officer`, `administrator`.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    lang: Lang,
    #[serde(default)]
    specialties: Vec<Specialty>,
    /// 会員番号, or empty.
    #[serde(default)]
    member_no: String,
    /// Kept sealed, never returned.
    #[serde(default)]
    fax: Option<String>,
    #[serde(default)]
    profile: Profile,
    /// Four digits; never returned.
    #[serde(default)]
    pin: Option<String>,
}

/// A new PIN.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPin {
    /// Four digits; never returned.
    pin: String,
}

/// Nothing has to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NothingMore {}

/// Lists institutions
#[utoipa::path(get, path = "/institutions", tag = "directory", params(PageOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<InstitutionOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn institutions(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(page): ApiQuery<PageOf>,
) -> Result<Response, Problem> {
    let (after, limit) = page.read::<InstitutionId>(caller.lang)?;
    let rows = web.app.institutions(&caller.api.association, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(rows, limit, |i| i.id.api(), InstitutionOut::from)).into_response())
}

/// Adds an institution
#[utoipa::path(post, path = "/institutions", tag = "directory", params(IdempotencyKey),
    request_body = InstitutionIn, security(("key" = ["directory"])),
    responses((status = 201, body = Made),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn institution_new(State(web): State<Web>, caller: Caller<Directory>, posted: Posted) -> Response {
    let add = async {
        let new: InstitutionIn = posted.read()?;
        let new = NewInstitution {
            name: new.name,
            kind: new.kind,
            area: new.area,
            city_code: new.city_code,
            phone: new.phone,
            ..NewInstitution::default()
        };
        let id = web.app.institution_add(&caller.who(), new, posted.key()).await;
        let id = id.map_err(|e| refuse(e, caller.lang))?.into_inner().api();
        Ok(created(&format!("/api/v1/institutions/{id}"), Made { id }))
    };
    posted.answer(add.await)
}

/// Reads an institution
#[utoipa::path(get, path = "/institutions/{id}", tag = "directory", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = InstitutionOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn institution(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<InstitutionId>>,
) -> Result<Response, Problem> {
    let found = web.app.institution(&caller.api.association, &id).await;
    Ok(axum::Json(InstitutionOut::from(found.map_err(|e| refuse(e, caller.lang))?)).into_response())
}

/// Lists members
#[utoipa::path(get, path = "/members", tag = "directory", params(PageOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<MemberOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn members(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(page): ApiQuery<PageOf>,
) -> Result<Response, Problem> {
    let (after, limit) = page.read::<MemberId>(caller.lang)?;
    let rows = web.app.members(&caller.api.association, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(Page::of(rows, limit, |(m, _)| m.id.api(), shown)).into_response())
}

/// Adds a member
#[utoipa::path(post, path = "/members", tag = "directory", params(IdempotencyKey), request_body = MemberIn,
    security(("key" = ["directory"])), responses((status = 201, body = Made),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn member_new(State(web): State<Web>, caller: Caller<Directory>, posted: Posted) -> Response {
    let add = async {
        let new: MemberIn = posted.read()?;
        let pin = new.pin.as_deref().map(|typed| read_pin(typed, caller.lang)).transpose()?;
        let new = NewMember {
            name: new.name,
            kana: new.kana,
            institution: new.institution.map(|Id(id)| id),
            email: new.email,
            phone: new.phone,
            roles: new.roles,
            lang: new.lang,
            specialties: new.specialties.into_iter().map(SpecialtyOffer::from).collect(),
            member_no: new.member_no,
            fax: new.fax,
            profile: new.profile.into(),
        };
        let id = web.app.member_add(&caller.who(), new, pin.as_ref(), posted.key()).await;
        let id = id.map_err(|e| refuse(e, caller.lang))?.into_inner().api();
        Ok(created(&format!("/api/v1/members/{id}"), Made { id }))
    };
    posted.answer(add.await)
}

fn read_pin(typed: &str, lang: Lang) -> Result<Pin, Problem> {
    Pin::parse(typed).map_err(|_| wrong(lang, "/pin", "not_a_pin"))
}

/// Reads a member
#[utoipa::path(get, path = "/members/{id}", tag = "directory", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = MemberOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn member(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<MemberId>>,
) -> Result<Response, Problem> {
    let say = |e| refuse(e, caller.lang);
    let found = web.app.member(&caller.api.association, &id).await.map_err(say)?;
    let specialties = web.app.volunteers_for(&caller.api.association, &id).await.map_err(say)?;
    Ok(axum::Json(shown((found, specialties))).into_response())
}

/// A member leaves; devices, sessions and offers end
#[utoipa::path(post, path = "/members/{id}/leave", tag = "directory",
    params(("id" = String, Path), IdempotencyKey), request_body = NothingMore,
    security(("key" = ["directory"])), responses((status = 204, description = "Done."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "Left before."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn member_leave(
    State(web): State<Web>,
    caller: Caller<Directory>,
    ApiPath(Id(id)): ApiPath<Id<MemberId>>,
    posted: Posted,
) -> Response {
    let leave = async {
        let NothingMore {} = posted.read_or_empty()?;
        match web.app.member_leave(&caller.who(), &id, posted.key()).await {
            Ok(()) => Ok(StatusCode::NO_CONTENT),
            Err(AppError::NotFound) => {
                let there = web.app.member(&caller.api.association, &id).await;
                Err(there.map_or_else(|e| refuse(e, caller.lang), |_| Kind::Conflict.problem(caller.lang)))
            }
            Err(e) => Err(refuse(e, caller.lang)),
        }
    };
    posted.answer(leave.await)
}

/// Sets a member's PIN; the person's devices and sessions end
#[utoipa::path(post, path = "/members/{id}/pin", tag = "directory",
    params(("id" = String, Path), IdempotencyKey), request_body = NewPin, security(("key" = ["directory"])),
    responses((status = 204, description = "Done."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn member_pin(
    State(web): State<Web>,
    caller: Caller<Directory>,
    ApiPath(Id(id)): ApiPath<Id<MemberId>>,
    posted: Posted,
) -> Response {
    let set = async {
        let new: NewPin = posted.read()?;
        let pin = read_pin(&new.pin, caller.lang)?;
        let done = web.app.pin_set(&caller.who(), &id, &pin, posted.key()).await;
        done.map(|()| StatusCode::NO_CONTENT).map_err(|e| refuse(e, caller.lang))
    };
    posted.answer(set.await)
}
