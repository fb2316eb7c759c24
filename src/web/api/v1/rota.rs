//! The rota: who is on, what is missing, what was published, what changed it.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Caller, Read, Rota};
use super::parts::{Id, Page, PageOf, ProblemBody, When, one_more, read_day};
use super::posted::{IdempotencyKey, Posted, created};
use super::refuse::{refuse, wrong};
use crate::app::rota::changes::{NewOverride, OverrideMade, OverrideRow, Withdrawn};
use crate::app::rota::publish::{Breaches, NewPublication, PublicationHead, Published};
use crate::app::rota::{Names, OnDuty, RotaWorld, gap_code, say};
use crate::domain::rota::{
    Area, Assignment, Because, Change, Holder, Hole, Part, RotaRole, Standing, Violation,
};
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId, OverrideId, PublicationId, RotaDraftId};
use crate::time::{Millis, Window};
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(duty))
        .routes(routes!(duty_segments))
        .routes(routes!(duty_holes))
        .routes(routes!(duty_tallies))
        .routes(routes!(overrides, override_new))
        .routes(routes!(override_withdraw))
        .routes(routes!(rotas, rota_import))
        .routes(routes!(rota))
        .routes(routes!(rota_publish))
}

/// The beginning and the end of time have no place in an answer.
fn instant(at: Millis) -> Option<String> {
    (at.0 != i64::MIN && at.0 != i64::MAX).then(|| at.rfc3339())
}

/// An instant of a query. A `+` that was not encoded arrives as a blank.
fn read_instant(text: Option<&str>, pointer: &str, lang: Lang) -> Result<Option<Millis>, Problem> {
    let read = |text: &str| {
        Millis::parse_rfc3339(text)
            .or_else(|| Millis::parse_rfc3339(&text.replace(' ', "+")))
            .ok_or_else(|| wrong(lang, pointer, "not_text"))
    };
    text.map(read).transpose()
}

fn read_area(text: &str, world_areas: &[Area], lang: Lang) -> Result<Area, Problem> {
    let area = text.parse::<Area>().ok().filter(|area| world_areas.contains(area));
    area.ok_or_else(|| wrong(lang, "/area", "not_a_choice"))
}

fn read_role(text: &str, lang: Lang) -> Result<RotaRole, Problem> {
    RotaRole::from_code(text).ok_or_else(|| wrong(lang, "/role", "not_a_choice"))
}

/// A person who holds a duty, for an institution.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Holder)]
struct HolderOut {
    /// `mem_…`
    member: String,
    name: String,
    /// `ins_…`
    institution: String,
    institution_name: String,
}

fn holder_out(holder: &Holder, names: &Names) -> HolderOut {
    HolderOut {
        member: holder.person.api(),
        name: names.person(&holder.person).to_owned(),
        institution: holder.institution.api(),
        institution_name: names.institution(&holder.institution).to_owned(),
    }
}

/// Why somebody is on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyReason)]
struct ReasonOut {
    /// `published`, `swapped`, `overridden`.
    because: String,
    /// The slot, `2026-07-01/wn`; an override belongs to hours, not to a slot.
    slot: Option<String>,
    /// `pub_…`
    publication: Option<String>,
    /// `swp_…`
    swap: Option<String>,
    /// `ovr_…`
    #[serde(rename = "override")]
    by: Option<String>,
}

fn reason_out(why: &Because) -> ReasonOut {
    let slot = why.slot().map(ToString::to_string);
    match why {
        Because::Published { publication, .. } => ReasonOut {
            because: "published".to_owned(),
            slot,
            publication: Some(publication.api()),
            swap: None,
            by: None,
        },
        Because::Swapped { swap, publication, .. } => ReasonOut {
            because: "swapped".to_owned(),
            slot,
            publication: Some(publication.api()),
            swap: Some(swap.api()),
            by: None,
        },
        Because::Overridden { by } => ReasonOut {
            because: "overridden".to_owned(),
            slot,
            publication: None,
            swap: None,
            by: Some(by.api()),
        },
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Gap => "gap",
        Standing::One => "one",
        Standing::Overlap => "overlap",
    }
}

/// Who is on in a role of an area.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Duty)]
struct DutyOut {
    /// The key of the area.
    area: String,
    /// `primary`, `deputy`, `backing`.
    role: String,
    /// `one`; `gap`: nobody; `overlap`: several, all of whom are named.
    standing: String,
    people: Vec<HolderOut>,
    /// Why each duty is held; in the order of the people.
    reasons: Vec<ReasonOut>,
    /// Why nobody is on: `unassigned`, `emptied`, `left`; null when somebody is.
    gap: Option<String>,
    /// Since when nothing of this changed; null: ever since.
    #[schema(format = DateTime)]
    from: Option<String>,
    /// Until when nothing of this changes; null: for good, as far as known.
    #[schema(format = DateTime)]
    to: Option<String>,
    /// When other people come on, or nobody; null: never, as far as known.
    next: Option<NextOut>,
}

/// The next hand-over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandOver)]
struct NextOut {
    #[schema(format = DateTime)]
    at: String,
    /// Empty: nobody.
    people: Vec<HolderOut>,
}

fn duty_out(on: &OnDuty, names: &Names) -> DutyOut {
    let part = &on.now;
    let people = |part: &Part| part.people().iter().map(|h| holder_out(h, names)).collect();
    DutyOut {
        area: on.area.as_str().to_owned(),
        role: on.role.code().to_owned(),
        standing: standing(part.standing()).to_owned(),
        people: people(part),
        reasons: part.held.iter().map(|held| reason_out(&held.why)).collect(),
        gap: part.gap.as_ref().map(|gap| gap_code(gap).to_owned()),
        from: instant(part.window.from),
        to: instant(part.window.to),
        next: on.next.as_ref().map(|next| NextOut { at: next.window.from.rfc3339(), people: people(next) }),
    }
}

/// Who is on at an instant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyAt)]
struct DutyAtOut {
    #[schema(format = DateTime)]
    at: String,
    /// As it was known at this instant; null: as it is known now.
    #[schema(format = DateTime)]
    as_of: Option<String>,
    /// By area, then primary, deputy, backing.
    items: Vec<DutyOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DutyOf {
    /// RFC 3339; now when it is left out. The instant of a hand-over belongs to whoever comes on.
    #[param(format = DateTime)]
    at: Option<String>,
    /// The key of an area; every area when it is left out.
    area: Option<String>,
    /// `primary`, `deputy` or `backing`; each of them when it is left out.
    role: Option<String>,
    /// As it was known at this instant; what was recorded later plays no part.
    #[param(format = DateTime)]
    as_of: Option<String>,
}

/// Who is on duty
#[utoipa::path(get, path = "/duty", tag = "rota", params(DutyOf), security(("key" = ["read"])),
    responses((status = 200, body = DutyAtOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn duty(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<DutyOf>,
) -> Result<Response, Problem> {
    let (association, lang) = (&caller.api.association, caller.lang);
    let say = |e| refuse(e, lang);
    let at = read_instant(of.at.as_deref(), "/at", lang)?.unwrap_or_else(|| web.app.now());
    let as_of = read_instant(of.as_of.as_deref(), "/as_of", lang)?;
    let areas = web.app.rota_areas(association).await.map_err(say)?;
    let keys: Vec<Area> = match &of.area {
        Some(area) => vec![read_area(area, &areas, lang)?],
        None => areas,
    };
    let role = of.role.as_deref().map(|role| read_role(role, lang)).transpose()?;
    let laid = web.app.rota_laid(association, at).await.map_err(say)?;
    let timeline = laid.as_of(as_of);
    let mut found = Vec::new();
    for area in &keys {
        for each in RotaRole::ALL {
            let wanted = match role {
                Some(role) => role == each,
                // An association without a third tier is not told about it.
                None => each != RotaRole::Backing || !timeline.parts(area, each).is_empty(),
            };
            if wanted {
                found.push(OnDuty::of(&timeline, area, each, at));
            }
        }
    }
    let mut people: Vec<Holder> = Vec::new();
    for on in &found {
        people.extend(on.now.people());
        people.extend(on.next.iter().flat_map(Part::people));
    }
    let names = web.app.rota_names(association, people).await.map_err(say)?;
    let items = found.iter().map(|on| duty_out(on, &names)).collect();
    let body = DutyAtOut { at: at.rfc3339(), as_of: as_of.map(Millis::rfc3339), items };
    Ok(axum::Json(body).into_response())
}

/// A stretch in which the same people are on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutySegment)]
struct SegmentOut {
    area: String,
    role: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// `one`, `gap`, `overlap`.
    standing: String,
    people: Vec<HolderOut>,
}

/// A window expanded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutySegments)]
struct SegmentsOut {
    /// By area, role and time; each covers the window without hole or overlap, gaps included.
    items: Vec<SegmentOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SegmentsOf {
    #[param(format = DateTime)]
    from: String,
    /// At most 800 days after `from`.
    #[param(format = DateTime)]
    to: String,
    /// The key of an area; every area when it is left out.
    area: Option<String>,
    /// `primary`, `deputy` or `backing`; primary and deputy when it is left out.
    role: Option<String>,
    /// As it was known at this instant.
    #[param(format = DateTime)]
    as_of: Option<String>,
}

fn read_window(from: &str, to: &str, lang: Lang) -> Result<Window, Problem> {
    let from = read_instant(Some(from), "/from", lang)?.unwrap_or_default();
    let to = read_instant(Some(to), "/to", lang)?.unwrap_or_default();
    Window::new(from, to).ok_or_else(|| wrong(lang, "/to", "out_of_range"))
}

/// Who is on duty over a window
#[utoipa::path(get, path = "/duty/segments", tag = "rota", params(SegmentsOf), security(("key" = ["read"])),
    responses((status = 200, body = SegmentsOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn duty_segments(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<SegmentsOf>,
) -> Result<Response, Problem> {
    let (association, lang) = (&caller.api.association, caller.lang);
    let say = |e| refuse(e, lang);
    let window = read_window(&of.from, &of.to, lang)?;
    let as_of = read_instant(of.as_of.as_deref(), "/as_of", lang)?;
    let areas = web.app.rota_areas(association).await.map_err(say)?;
    let keys: Vec<Area> = match &of.area {
        Some(area) => vec![read_area(area, &areas, lang)?],
        None => areas,
    };
    let roles = match of.role.as_deref() {
        Some(role) => vec![read_role(role, lang)?],
        None => vec![RotaRole::Primary, RotaRole::Deputy],
    };
    let mut found = Vec::new();
    for area in &keys {
        for role in &roles {
            let segments = web.app.rota_expand(association, area, *role, window, as_of).await.map_err(say)?;
            found.extend(segments.into_iter().map(|segment| (area.clone(), *role, segment)));
        }
    }
    let mut people: Vec<Holder> = Vec::new();
    for (_, _, segment) in &found {
        people.extend(segment.people.iter().cloned());
    }
    let names = web.app.rota_names(association, people).await.map_err(say)?;
    let items = found.iter().map(|(area, role, segment)| SegmentOut {
        area: area.as_str().to_owned(),
        role: role.code().to_owned(),
        from: segment.window.from.rfc3339(),
        to: segment.window.to.rfc3339(),
        standing: standing(segment.standing()).to_owned(),
        people: segment.people.iter().map(|h| holder_out(h, &names)).collect(),
    });
    Ok(axum::Json(SegmentsOut { items: items.collect() }).into_response())
}

/// Required hours that nobody holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyHole)]
struct HoleOut {
    area: String,
    role: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// `unassigned`, `emptied`, `left`, in order of time.
    why: Vec<String>,
}

fn hole_out(hole: &Hole) -> HoleOut {
    HoleOut {
        area: hole.area.as_str().to_owned(),
        role: hole.role.code().to_owned(),
        from: hole.window.from.rfc3339(),
        to: hole.window.to.rfc3339(),
        why: hole.why.iter().map(|gap| gap_code(gap).to_owned()).collect(),
    }
}

/// The holes of a window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyHoles)]
struct HolesOut {
    /// By time.
    items: Vec<HoleOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HolesOf {
    #[param(format = DateTime)]
    from: String,
    /// At most 800 days after `from`.
    #[param(format = DateTime)]
    to: String,
}

/// Required hours of a window that nobody holds
#[utoipa::path(get, path = "/duty/holes", tag = "rota", params(HolesOf), security(("key" = ["read"])),
    responses((status = 200, body = HolesOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn duty_holes(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<HolesOf>,
) -> Result<Response, Problem> {
    let window = read_window(&of.from, &of.to, caller.lang)?;
    let holes = web.app.rota_holes(&caller.api.association, window).await;
    let holes = holes.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(HolesOut { items: holes.iter().map(hole_out).collect() }).into_response())
}

/// What somebody held, and what they should.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyTally)]
struct TallyOut {
    /// `mem_…`
    member: String,
    /// Hundredths of a point.
    points: i64,
    /// Their share of what all held, in hundredths.
    fair_share: i64,
    /// Brought in from the fiscal year before, in hundredths: positive where they did too much.
    carried_in: i64,
    /// The share without what was brought in, in hundredths.
    target: i64,
    /// Slots by kind and role.
    slots: BTreeMap<String, BTreeMap<String, u32>>,
    /// Milliseconds held, by role.
    held_ms: BTreeMap<String, i64>,
}

/// Counts of some days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyTallies)]
struct TalliesOut {
    /// In hundredths of a point; null when nobody takes part.
    median: Option<i64>,
    least: Option<i64>,
    most: Option<i64>,
    /// By id, never by points.
    items: Vec<TallyOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TalliesOf {
    /// The first day on which a slot that counts begins, `2026-04-01`.
    #[param(format = Date)]
    first: String,
    /// The last one.
    #[param(format = Date)]
    last: String,
}

/// Counts points, slots and hours of some days
#[utoipa::path(get, path = "/duty/tallies", tag = "rota", params(TalliesOf), security(("key" = ["rota"])),
    responses((status = 200, body = TalliesOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn duty_tallies(
    State(web): State<Web>,
    caller: Caller<Rota>,
    ApiQuery(of): ApiQuery<TalliesOf>,
) -> Result<Response, Problem> {
    let first = read_day(&of.first, "/first", caller.lang)?;
    let last = read_day(&of.last, "/last", caller.lang)?;
    let counts = web.app.rota_counts(&caller.api.association, first, last).await;
    let counts = counts.map_err(|e| refuse(e, caller.lang))?;
    let items = counts.people.iter().map(|(person, count)| TallyOut {
        member: person.api(),
        points: count.tally.points.0,
        fair_share: count.fair_share.0,
        carried_in: count.carried_in.0,
        target: count.target.0,
        slots: count
            .tally
            .slots
            .iter()
            .map(|(kind, roles)| {
                let roles = roles.iter().map(|(role, n)| (role.code().to_owned(), *n)).collect();
                (kind.as_str().to_owned(), roles)
            })
            .collect(),
        held_ms: count.tally.held_ms.iter().map(|(role, ms)| (role.code().to_owned(), *ms)).collect(),
    });
    let body = TalliesOut {
        median: counts.spread.map(|s| s.median.0),
        least: counts.spread.map(|s| s.least.0),
        most: counts.spread.map(|s| s.most.0),
        items: items.collect(),
    };
    Ok(axum::Json(body).into_response())
}

/// A change made by the office.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyOverride)]
struct OverrideOut {
    /// `ovr_…`
    id: String,
    area: String,
    role: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// `mem_…`; null: nobody is on then.
    member: Option<String>,
    /// `ins_…`
    institution: Option<String>,
    #[schema(format = DateTime)]
    recorded_at: String,
    #[schema(format = DateTime)]
    withdrawn_at: Option<String>,
}

fn override_out(row: &OverrideRow) -> OverrideOut {
    let change = &row.change;
    OverrideOut {
        id: change.id.api(),
        area: change.area.as_str().to_owned(),
        role: change.role.code().to_owned(),
        from: change.window.from.rfc3339(),
        to: change.window.to.rfc3339(),
        member: change.holder.as_ref().map(|h| h.person.api()),
        institution: change.holder.as_ref().map(|h| h.institution.api()),
        recorded_at: change.recorded_at.rfc3339(),
        withdrawn_at: change.withdrawn_at.map(Millis::rfc3339),
    }
}

/// The overrides that end after an instant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyOverrides)]
struct OverridesOut {
    /// By time, those taken back included.
    items: Vec<OverrideOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OverridesOf {
    /// Only those that end after this instant; now when it is left out.
    #[param(format = DateTime)]
    since: Option<String>,
}

/// Lists the changes made by the office
#[utoipa::path(get, path = "/duty/overrides", tag = "rota", params(OverridesOf), security(("key" = ["read"])),
    responses((status = 200, body = OverridesOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn overrides(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(of): ApiQuery<OverridesOf>,
) -> Result<Response, Problem> {
    let since = read_instant(of.since.as_deref(), "/since", caller.lang)?;
    let since = since.unwrap_or_else(|| web.app.now());
    let rows = web.app.rota_overrides(&caller.api.association, since).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    Ok(axum::Json(OverridesOut { items: rows.iter().map(override_out).collect() }).into_response())
}

/// A change to be made by the office.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDutyOverride)]
struct OverrideIn {
    /// The key of the area.
    area: String,
    /// `primary`, `deputy`, `backing`.
    role: String,
    #[schema(value_type = String, format = DateTime)]
    from: When,
    #[schema(value_type = String, format = DateTime)]
    to: When,
    /// `mem_…`; null or left out: nobody is on then, visibly.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    member: Option<Id<MemberId>>,
    /// For which institution, `ins_…`; the one they belong to when it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    institution: Option<Id<InstitutionId>>,
    #[serde(default)]
    reason: String,
    /// Since when it is known, for history; now when it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    recorded_at: Option<When>,
}

/// A breach of a rule, or a wish not met.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyViolation)]
struct ViolationOut {
    /// The stable word of the rule.
    rule: String,
    /// It must hold; otherwise it is a wish.
    hard: bool,
    members: Vec<String>,
    slot: Option<String>,
    role: Option<String>,
    /// In words.
    message: String,
}

fn violation_out(violation: &Violation, world: &RotaWorld, lang: Lang) -> ViolationOut {
    ViolationOut {
        rule: violation.rule.code().to_owned(),
        hard: violation.rule.is_hard(),
        members: violation.people.iter().map(MemberId::api).collect(),
        slot: violation.slot.as_ref().map(ToString::to_string),
        role: violation.role.map(|role| role.code().to_owned()),
        message: say::violation(violation, world, lang),
    }
}

/// A change that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyOverrideMade)]
struct OverrideMadeOut {
    /// `ovr_…`
    id: String,
    /// What the rules say against it; it counts all the same.
    violations: Vec<ViolationOut>,
}

/// Puts somebody, or nobody, on for some hours, above everything published and swapped
#[utoipa::path(post, path = "/duty/overrides", tag = "rota", params(IdempotencyKey), request_body = OverrideIn,
    security(("key" = ["rota"])), responses((status = 201, body = OverrideMadeOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn override_new(State(web): State<Web>, caller: Caller<Rota>, posted: Posted) -> Response {
    let lang = caller.lang;
    let add = async {
        let new: OverrideIn = posted.read()?;
        let new = NewOverride {
            area: new.area.parse().map_err(|_| wrong(lang, "/area", "not_a_choice"))?,
            role: read_role(&new.role, lang)?,
            window: Window { from: new.from.0, to: new.to.0 },
            person: new.member.map(|Id(id)| id),
            institution: new.institution.map(|Id(id)| id),
            reason: new.reason,
            recorded_at: new.recorded_at.map(|When(at)| at),
        };
        let made = web.app.rota_override_add(&caller.who(), new, posted.key()).await;
        match made.map_err(|e| refuse(e, lang))? {
            OverrideMade::Done { id, violations } => {
                let world = web.app.rota_world(&caller.api.association).await.map_err(|e| refuse(e, lang))?;
                let violations = violations.iter().map(|v| violation_out(v, &world, lang)).collect();
                Ok(created("/api/v1/duty/overrides", OverrideMadeOut { id: id.api(), violations }))
            }
            OverrideMade::NoArea => Err(wrong(lang, "/area", "not_a_choice")),
            OverrideMade::NoPerson => Err(wrong(lang, "/member", "unknown")),
        }
    };
    posted.answer(add.await)
}

/// Nothing but the wish itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NothingToAdd)]
struct NothingToAdd {}

/// Takes a change of the office back
#[utoipa::path(post, path = "/duty/overrides/{id}/withdraw", tag = "rota",
    params(("id" = String, Path), IdempotencyKey), request_body = NothingToAdd, security(("key" = ["rota"])),
    responses((status = 204, description = "Done."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "Taken back before."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn override_withdraw(
    State(web): State<Web>,
    caller: Caller<Rota>,
    ApiPath(Id(id)): ApiPath<Id<OverrideId>>,
    posted: Posted,
) -> Response {
    let withdraw = async {
        let NothingToAdd {} = posted.read_or_empty()?;
        let done = web.app.rota_override_withdraw(&caller.who(), &id, posted.key()).await;
        match done.map_err(|e| refuse(e, caller.lang))? {
            Withdrawn::Done => Ok(axum::http::StatusCode::NO_CONTENT),
            Withdrawn::Already | Withdrawn::NotFound => Err(Kind::Conflict.problem(caller.lang)),
        }
    };
    posted.answer(withdraw.await)
}

/// A publication.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rota)]
struct RotaOut {
    /// `pub_…`
    id: String,
    area: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// Since when it is known.
    #[schema(format = DateTime)]
    recorded_at: String,
    /// `draft`: made here. `import`: read in.
    source: String,
    /// How many duties it names.
    duties: i64,
}

fn rota_out(head: &PublicationHead) -> RotaOut {
    RotaOut {
        id: head.id.api(),
        area: head.area.as_str().to_owned(),
        from: head.period.from.rfc3339(),
        to: head.period.to.rfc3339(),
        recorded_at: head.recorded_at.rfc3339(),
        source: head.source.clone(),
        duties: head.duties,
    }
}

/// Lists publications in the order they were made
#[utoipa::path(get, path = "/rotas", tag = "rota", params(PageOf), security(("key" = ["read"])),
    responses((status = 200, body = Page<RotaOut>),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn rotas(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiQuery(page): ApiQuery<PageOf>,
) -> Result<Response, Problem> {
    let (after, limit) = page.read::<PublicationId>(caller.lang)?;
    let rows = web.app.rota_publications_after(&caller.api.association, &after, one_more(limit)).await;
    let rows = rows.map_err(|e| refuse(e, caller.lang))?;
    let page = Page::of(rows, limit, |head| head.id.api(), |head| rota_out(&head));
    Ok(axum::Json(page).into_response())
}

/// A duty of a publication, as it is written and read.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Assignment)]
struct AssignmentBody {
    /// The day on which the slot begins and its kind, `2026-07-01/wn`.
    slot: String,
    /// `primary`, `deputy`, `backing`.
    role: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// `mem_…`
    member: String,
    /// `ins_…`
    institution: String,
}

fn assignment_body(duty: &Assignment) -> AssignmentBody {
    AssignmentBody {
        slot: duty.slot.to_string(),
        role: duty.role.code().to_owned(),
        from: duty.window.from.rfc3339(),
        to: duty.window.to.rfc3339(),
        member: duty.holder.person.api(),
        institution: duty.holder.institution.api(),
    }
}

fn read_assignment(n: usize, body: &AssignmentBody, area: &Area, lang: Lang) -> Result<Assignment, Problem> {
    let bad = |field: &str| wrong(lang, &format!("/assignments/{n}/{field}"), "not_text");
    Ok(Assignment {
        area: area.clone(),
        slot: body.slot.parse().map_err(|_| bad("slot"))?,
        role: RotaRole::from_code(&body.role).ok_or_else(|| bad("role"))?,
        window: Window {
            from: Millis::parse_rfc3339(&body.from).ok_or_else(|| bad("from"))?,
            to: Millis::parse_rfc3339(&body.to).ok_or_else(|| bad("to"))?,
        },
        holder: Holder {
            person: MemberId::from_api(&body.member).map_err(|_| bad("member"))?,
            institution: InstitutionId::from_api(&body.institution).map_err(|_| bad("institution"))?,
        },
    })
}

/// A publication with its duties as they were published; swaps and changes since are not in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RotaWhole)]
struct RotaWhole {
    #[serde(flatten)]
    head: RotaOut,
    /// By time.
    assignments: Vec<AssignmentBody>,
}

/// Reads a publication
#[utoipa::path(get, path = "/rotas/{id}", tag = "rota", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = RotaWhole),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn rota(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<PublicationId>>,
) -> Result<Response, Problem> {
    let found = web.app.rota_publication(&caller.api.association, &id).await;
    let (head, publication) = found.map_err(|e| refuse(e, caller.lang))?;
    let assignments = publication.assignments.iter().map(assignment_body).collect();
    Ok(axum::Json(RotaWhole { head: rota_out(&head), assignments }).into_response())
}

/// What becomes of breaches of the rules.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RotaBreaches)]
enum BreachesIn {
    /// They forbid publishing.
    #[default]
    Forbid,
    /// They are told, and it is published all the same. Overlaps are refused always.
    Accept,
}

impl From<BreachesIn> for Breaches {
    fn from(breaches: BreachesIn) -> Self {
        match breaches {
            BreachesIn::Forbid => Self::Forbid,
            BreachesIn::Accept => Self::Accept,
        }
    }
}

/// A rota from elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRota)]
struct RotaIn {
    /// The key of the area.
    area: String,
    /// It replaces what was published earlier and begins within `[from, to)`.
    #[schema(value_type = String, format = DateTime)]
    from: When,
    #[schema(value_type = String, format = DateTime)]
    to: When,
    /// Since when it is known, for history, which is not held against the rules; now when it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    recorded_at: Option<When>,
    #[serde(default)]
    breaches: BreachesIn,
    #[serde(default)]
    note: String,
    assignments: Vec<AssignmentBody>,
}

/// A stretch in which other people are on than before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyChange)]
struct ChangeOut {
    role: String,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// `mem_…`
    before: Vec<String>,
    /// `mem_…`
    after: Vec<String>,
}

fn change_out(change: &Change) -> ChangeOut {
    let ids = |people: &[Holder]| people.iter().map(|h| h.person.api()).collect();
    ChangeOut {
        role: change.role.code().to_owned(),
        from: change.window.from.rfc3339(),
        to: change.window.to.rfc3339(),
        before: ids(&change.before),
        after: ids(&change.after),
    }
}

/// A publication that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RotaPublished)]
struct PublishedOut {
    /// `pub_…`
    id: String,
    /// What changes, by role and time.
    changes: Vec<ChangeOut>,
    /// Breaches that were accepted, and wishes not met.
    violations: Vec<ViolationOut>,
}

/// What became of publishing, as the API says it.
async fn published(web: &Web, caller: &Caller<Rota>, done: Published) -> Result<Response, Problem> {
    let lang = caller.lang;
    let world = async || web.app.rota_world(&caller.api.association).await.map_err(|e| refuse(e, lang));
    match done {
        Published::Done { id, changes, violations } => {
            let world = world().await?;
            let body = PublishedOut {
                id: id.api(),
                changes: changes.iter().map(change_out).collect(),
                violations: violations.iter().map(|v| violation_out(v, &world, lang)).collect(),
            };
            Ok(created(&format!("/api/v1/rotas/{}", id.api()), body))
        }
        Published::Refused { refused, violations } => {
            let world = world().await?;
            let hard = violations.iter().filter(|v| v.rule.is_hard());
            let rule = if refused.is_empty() {
                hard.clone().next().map_or("rules", |v| v.rule.code())
            } else {
                "role_held_twice"
            };
            let overlaps = refused.iter().map(|r| say::refused(r, &world, lang));
            let breaches = hard.map(|v| say::violation(v, &world, lang));
            let problem = Kind::RefusedByRule.problem(lang).with("reason", rule);
            Err(overlaps
                .chain(breaches)
                .take(BREACHES_TOLD)
                .fold(problem, |problem, line| problem.error("/assignments", line)))
        }
        Published::NoArea => Err(wrong(lang, "/area", "not_a_choice")),
        Published::NoPerson(_) => Err(wrong(lang, "/assignments", "unknown")),
        Published::NotOpen | Published::Stale => Err(Kind::Conflict.problem(lang)),
        Published::NotFound => Err(Kind::NotFound.problem(lang)),
    }
}

/// Breaches named in one answer.
const BREACHES_TOLD: usize = 100;

/// Publishes a rota from elsewhere
#[utoipa::path(post, path = "/rotas", tag = "rota", params(IdempotencyKey), request_body = RotaIn,
    security(("key" = ["rota"])), responses((status = 201, body = PublishedOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn rota_import(State(web): State<Web>, caller: Caller<Rota>, posted: Posted) -> Response {
    let lang = caller.lang;
    let import = async {
        let new: RotaIn = posted.read()?;
        let area: Area = new.area.parse().map_err(|_| wrong(lang, "/area", "not_a_choice"))?;
        let duties = new.assignments.iter().enumerate();
        let assignments =
            duties.map(|(n, body)| read_assignment(n, body, &area, lang)).collect::<Result<_, _>>()?;
        let new = NewPublication {
            area,
            period: Window { from: new.from.0, to: new.to.0 },
            assignments,
            recorded_at: new.recorded_at.map(|When(at)| at),
            breaches: new.breaches.into(),
            note: new.note,
        };
        let done = web.app.rota_import(&caller.who(), new, posted.key()).await;
        published(&web, &caller, done.map_err(|e| refuse(e, lang))?).await
    };
    posted.answer(import.await)
}

/// A draft to be published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PublishRota)]
struct PublishIn {
    /// `drf_…`
    #[schema(value_type = String)]
    draft: Id<RotaDraftId>,
    /// The revision of the draft that was looked at.
    revision: i64,
    #[serde(default)]
    breaches: BreachesIn,
    #[serde(default)]
    note: String,
}

/// Publishes a draft made on the pages
#[utoipa::path(post, path = "/rotas/publish", tag = "rota", params(IdempotencyKey), request_body = PublishIn,
    security(("key" = ["rota"])), responses((status = 201, body = PublishedOut),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The draft was changed or published meanwhile."),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn rota_publish(State(web): State<Web>, caller: Caller<Rota>, posted: Posted) -> Response {
    let publish = async {
        let PublishIn { draft: Id(draft), revision, breaches, note } = posted.read()?;
        let how = (breaches.into(), note.as_str());
        let done = web.app.rota_publish(&caller.who(), &draft, revision, how, posted.key()).await;
        published(&web, &caller, done.map_err(|e| refuse(e, caller.lang))?).await
    };
    posted.answer(publish.await)
}
