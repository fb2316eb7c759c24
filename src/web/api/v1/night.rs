//! What stands behind a night, to be read: the households of a clinic and what they were told, the state of its night
//! cards without a word of them, tonight's check, the year of a clinic. Nothing here names a patient.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Caller, Read};
use super::parts::{Id, ProblemBody};
use super::refuse::{refuse, wrong};
use crate::app::clinic_records::ClinicYear;
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::clinic_records::Counts;
use crate::domain::cover::households::{MEMBERS, Told};
use crate::domain::dispatch::{OfferState, State as RequestState};
use crate::domain::ledger::Month;
use crate::ids::InstitutionId;
use crate::web::Web;
use crate::web::extract::{ApiPath, ApiQuery};
use crate::web::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(households))
        .routes(routes!(night_cards))
        .routes(routes!(year))
        .routes(routes!(tonight))
}

/// A pillar (受け皿) for one institution.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pillar)]
struct PillarOut {
    /// The institution that stands by.
    institution: String,
    name: String,
    /// `home_care` or `visits`.
    kind: &'static str,
    on: bool,
    #[schema(format = Date)]
    contract_from: Option<String>,
    /// The last day; null: open.
    #[schema(format = Date)]
    contract_until: Option<String>,
    /// It is on, in contract, and every household was told of it: calls and covers may use it today.
    used: bool,
}

/// What a household was told of a pillar, or of the members' own cover.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HouseholdTold)]
struct ToldOut {
    /// The institution that stands by; `members`: the members' own cover.
    of: String,
    /// `told` or `refused`; null: not told yet.
    answer: Option<&'static str>,
    #[schema(format = Date)]
    day: Option<String>,
}

/// A household of a home patient, without a name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Household)]
struct HouseholdOut {
    /// `hhd_…`
    id: String,
    told: Vec<ToldOut>,
}

/// The households of an institution.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Households)]
struct HouseholdsOut {
    institution: String,
    /// The day on which the institution said that nobody is missing; null: it never did.
    #[schema(format = Date)]
    whole_since: Option<String>,
    pillars: Vec<PillarOut>,
    households: Vec<HouseholdOut>,
}

/// The state of a night card; what stands on it is no part of the API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NightCard)]
struct CardOut {
    /// `hhd_…`
    household: String,
    /// When it was written last; null: there is none.
    #[schema(format = DateTime)]
    written_at: Option<String>,
    /// Written more than 60 days ago.
    old: bool,
}

/// The night cards of an institution.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NightCards)]
struct CardsOut {
    institution: String,
    /// `none`, `minimal` or `handover`: what the association lets stand on cards.
    mode: &'static str,
    cards: Vec<CardOut>,
}

/// What was counted in a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicMonth)]
struct MonthOut {
    /// `2026-11`
    month: String,
    /// Continuous 24-hour turns.
    turns: i64,
    emergency_visits: i64,
    home_deaths: i64,
    conferences: i64,
}

/// What the criteria for the strengthened types ask of a year.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicDemand)]
struct DemandOut {
    /// `own_visits`, `own_deaths`, `group_visits`, `group_deaths`, `conference_months`.
    code: &'static str,
    has: i64,
    needs: i64,
    met: bool,
}

/// The care group of an institution in a year.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupYear)]
struct GroupOut {
    name: String,
    months: Vec<MonthOut>,
}

/// Twelve months of an institution.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClinicYear)]
struct YearOut {
    institution: String,
    months: Vec<MonthOut>,
    /// Null: it is in no group in the last of these months.
    group: Option<GroupOut>,
    demands: Vec<DemandOut>,
}

/// Somebody of tonight's chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TonightPerson)]
struct CheckedOut {
    /// `mem_…`
    member: String,
    /// `ok`, `no`, `waiting` or `silent`.
    state: &'static str,
}

/// The last round of tonight's check.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tonight)]
struct TonightOut {
    /// Null: there was none yet.
    #[schema(format = Date)]
    day: Option<String>,
    #[schema(format = DateTime)]
    at: Option<String>,
    /// Hours of the night that nobody holds, and slots of night cover that nobody took.
    holes: i64,
    people: Vec<CheckedOut>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct YearOf {
    /// The last of the twelve months (`2026-11`); without it the present one.
    month: Option<String>,
}

fn day(day: Option<CivilDate>) -> Option<String> {
    day.map(|day| day.to_string())
}

fn month(month: Month, counts: &Counts) -> MonthOut {
    MonthOut {
        month: month.to_string(),
        turns: counts.turns,
        emergency_visits: counts.visits,
        home_deaths: counts.deaths,
        conferences: counts.conferences,
    }
}

/// Reads the households of an institution and what each was told of the pillars; no patient is named
#[utoipa::path(get, path = "/institutions/{id}/households", tag = "night", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = HouseholdsOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn households(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<InstitutionId>>,
) -> Result<Response, Problem> {
    let list = web.app.household_list(&caller.api.association, &id).await;
    let list = list.map_err(|e| refuse(e, caller.lang))?;
    let own = list.pillars.iter().map(|p| (p.institution.as_str(), p.institution.api()));
    let told_of: Vec<(&str, String)> = std::iter::once((MEMBERS, MEMBERS.to_owned())).chain(own).collect();
    let households = list.households.iter().map(|household| HouseholdOut {
        id: household.id.api(),
        told: told_of
            .iter()
            .map(|(key, of)| {
                let (answer, on) = match household.told.get(*key) {
                    None => (None, None),
                    Some(Told::On { day }) => (Some("told"), Some(*day)),
                    Some(Told::Refused { day }) => (Some("refused"), Some(*day)),
                };
                ToldOut { of: of.clone(), answer, day: day(on) }
            })
            .collect(),
    });
    let pillars = list.pillars.iter().map(|pillar| PillarOut {
        institution: pillar.institution.api(),
        name: pillar.name.clone(),
        kind: pillar.pillar.kind.code(),
        on: pillar.pillar.on,
        contract_from: day(pillar.pillar.contract.from),
        contract_until: day(pillar.pillar.contract.until),
        used: pillar.used,
    });
    let out = HouseholdsOut {
        institution: id.api(),
        whole_since: day(list.whole_since),
        pillars: pillars.collect(),
        households: households.collect(),
    };
    Ok(axum::Json(out).into_response())
}

/// Reads which night cards of an institution there are and how old; nothing that stands on them
#[utoipa::path(get, path = "/institutions/{id}/night-cards", tag = "night", params(("id" = String, Path)),
    security(("key" = ["read"])), responses((status = 200, body = CardsOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn night_cards(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<InstitutionId>>,
) -> Result<Response, Problem> {
    let list = web.app.card_list(&caller.api.association, &id).await;
    let list = list.map_err(|e| refuse(e, caller.lang))?;
    let cards = list.lines.iter().map(|line| CardOut {
        household: line.household.api(),
        written_at: line.written.map(crate::time::Millis::rfc3339),
        old: line.old,
    });
    let out = CardsOut { institution: id.api(), mode: list.mode.code(), cards: cards.collect() };
    Ok(axum::Json(out).into_response())
}

fn year_out(year: ClinicYear) -> YearOut {
    let months = |counts: &[Counts]| year.months.iter().zip(counts).map(|(m, c)| month(*m, c)).collect();
    YearOut {
        institution: year.institution.api(),
        months: months(&year.own),
        group: year
            .group
            .as_ref()
            .map(|group| GroupOut { name: group.name.clone(), months: months(&group.counts) }),
        demands: year
            .demands
            .iter()
            .map(|d| DemandOut { code: d.code, has: d.has, needs: d.needs, met: d.is_met() })
            .collect(),
    }
}

/// Reads what an institution counts of twelve months for a home-care support clinic (在支診)
#[utoipa::path(get, path = "/institutions/{id}/year", tag = "night", params(("id" = String, Path), YearOf),
    security(("key" = ["read"])), responses((status = 200, body = YearOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn year(
    State(web): State<Web>,
    caller: Caller<Read>,
    ApiPath(Id(id)): ApiPath<Id<InstitutionId>>,
    ApiQuery(of): ApiQuery<YearOf>,
) -> Result<Response, Problem> {
    let home = web.app.association(&caller.api.association).await.map_err(|e| refuse(e, caller.lang))?;
    let now = Month::of(civil_day(web.app.now(), home.zone));
    let last = match of.month.as_deref() {
        None => now,
        Some(typed) => typed.parse().map_err(|_| wrong(caller.lang, "/month", "not_a_choice"))?,
    };
    let year = web.app.clinic_year(&home.id, &id, last.min(now)).await;
    Ok(axum::Json(year_out(year.map_err(|e| refuse(e, caller.lang))?)).into_response())
}

/// Reads the last round of tonight's check: who of the chain can be reached, and how many holes the night has
#[utoipa::path(get, path = "/tonight", tag = "night", security(("key" = ["read"])),
    responses((status = 200, body = TonightOut),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")))]
async fn tonight(State(web): State<Web>, caller: Caller<Read>) -> Result<Response, Problem> {
    let found = web.app.tonight_page(&caller.api.association).await;
    let found = found.map_err(|e| refuse(e, caller.lang))?;
    let people = found.people.iter().map(|checked| {
        let offer = checked.offers.iter().find(|o| o.person == checked.member).map(|o| o.offer.state);
        let state = match (offer, checked.request.state) {
            (Some(OfferState::Accepted), _) => "ok",
            (Some(OfferState::Declined | OfferState::Released), _) => "no",
            (_, RequestState::Running { .. }) => "waiting",
            _ => "silent",
        };
        CheckedOut { member: checked.member.api(), state }
    });
    let out = TonightOut {
        day: found.round.as_ref().map(|round| round.day.clone()),
        at: found.round.as_ref().map(|round| round.at.rfc3339()),
        holes: found.round.as_ref().map_or(0, |round| round.holes),
        people: people.collect(),
    };
    Ok(axum::Json(out).into_response())
}
