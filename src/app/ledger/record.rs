//! Records what completed, and the lines of both sides, in the transaction that closes the case.

use super::super::households::clinic_told;
use super::super::{Kit, Who};
use super::world::Evidence;
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::consult::Survey;
use crate::domain::cover::households::MEMBERS;
use crate::domain::dispatch::{Kind, OfferState, Request, Selector, State, Terms};
use crate::domain::ledger::{
    AcceptorFacts, AskerRole, AttemptFact, AttemptResult, Channel, Code, CompletedEvent, Confirmation,
    EventKind, EventRef, FACTS_VERSION, GateResult, Membership, Moment, Occasion, OnRotaAs, RequesterFacts,
    Urgency, counting_instant, lines,
};
use crate::domain::transfer::{TransferFacts, gate_result};
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId};
use crate::store::cards::card_opened_by;
use crate::store::ledger::rules::evidence_add;
use crate::store::ledger::{event_add, event_of, line_add};
use crate::store::people::{Member, association_by_id, institution_by_id, member_by_id};
use crate::store::requests::{Case, case_by_id, reports_of, survey_of};
use crate::store::secrets::Sealed;
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// The run in which lines of an open month are first written.
pub const FIRST_RUN: &str = "open";

/// Consults wanted within a day count as "soon".
const SOON_S: i64 = 36 * 3_600;

pub(super) fn code(text: &str) -> Option<Code> {
    text.parse().ok()
}

pub(super) fn seconds(from: Millis, to: Millis) -> u32 {
    u32::try_from(to.since_ms(from) / 1_000).unwrap_or(0)
}

/// Writes the completed event and its lines.
pub(crate) async fn record(tx: &mut Conn, kit: &Kit, who: &Who, request: &Request) -> Result<(), StoreError> {
    let association = &who.association;
    let gone = |what: &'static str| StoreError::corrupt("request", &request.id, what);
    let case = case_by_id(tx, association, &request.id).await?.ok_or_else(|| gone("its row is gone"))?;
    // Close is allowed only with a claim that stands.
    let event =
        completed(tx, kit, association, request, &case).await?.ok_or_else(|| gone("no acceptance"))?;
    written(tx, kit, &request.id, &event).await
}

/// Writes what was reported and waits for the asker's word: the lines of both sides are there, and pending. A party
/// that belongs to no institution counts for none: nothing is written then.
pub(crate) async fn record_reported(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    request: &Request,
) -> Result<(), StoreError> {
    let association = &who.association;
    if event_of(tx, association, &request.id).await?.is_some() {
        return Ok(());
    }
    let case = case_by_id(tx, association, &request.id).await?;
    let case = case.ok_or_else(|| StoreError::corrupt("request", &request.id, "its row is gone"))?;
    match completed(tx, kit, association, request, &case).await? {
        Some(event) => written(tx, kit, &request.id, &event).await,
        None => Ok(()),
    }
}

/// The asker confirmed what was reported: laid beside the event; without one, both are written now.
pub(crate) async fn record_confirmed(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    request: &Request,
) -> Result<(), StoreError> {
    if event_of(tx, &who.association, &request.id).await?.is_none() {
        return record(tx, kit, who, request).await;
    }
    let word = Evidence::Confirmed { at: kit.now };
    evidence_add(tx, &who.association, &request.id, (kit.now, &who.actor), &word).await
}

/// Whether the households of the clinic were told, by that day, of whoever took it: of the pillar of that
/// institution, or of the members' cover.
pub(super) async fn explained(
    tx: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    (step, taker): (Option<&Selector>, &InstitutionId),
    day: CivilDate,
) -> Result<bool, StoreError> {
    let of = if matches!(step, Some(Selector::Pillar(_))) { taker.as_str() } else { MEMBERS };
    clinic_told(tx, association, clinic, of, day).await
}

/// The event and its lines on both sides.
pub(super) async fn written(
    tx: &mut Conn,
    kit: &Kit,
    request: &RequestId,
    event: &CompletedEvent,
) -> Result<(), StoreError> {
    let association = &event.association;
    event_add(tx, association, request, kit.now, event).await?;
    let (tariffs, _) = super::tariffs::tariffs_of(tx, kit, association, None, kit.now).await?;
    for line in lines(event, &tariffs, FIRST_RUN) {
        line_add(tx, association, request, FIRST_RUN, kit.now, &line).await?;
    }
    Ok(())
}

/// A side as it is on the day: the person, the institution it counts for (the person's own, where none is named),
/// that institution's kind, and the standing of the person.
pub(super) async fn party(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    institution: Option<&InstitutionId>,
    at: Millis,
) -> Result<(Option<Member>, Option<InstitutionId>, Code, Membership), StoreError> {
    let unknown = || code("unknown").ok_or_else(|| StoreError::Unusable("a code is not a code".to_owned()));
    let member = member_by_id(tx, association, member).await?;
    let institution = institution.cloned().or_else(|| member.as_ref().and_then(|m| m.institution.clone()));
    let kind = match &institution {
        Some(id) => institution_by_id(tx, association, id).await?.and_then(|i| code(&i.kind)),
        None => None,
    };
    let membership = match &member {
        Some(m) if m.is_active(at) => Membership::Active,
        Some(_) => Membership::Lapsed,
        None => Membership::NotAMember,
    };
    Ok((member, institution, kind.map_or_else(unknown, Ok)?, membership))
}

async fn completed(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
    case: &Case,
) -> Result<Option<CompletedEvent>, StoreError> {
    let Some(claim) = request.claims().next().cloned() else {
        return Ok(None);
    };
    let calendar = super::super::calendar::calendar_of(tx, kit, association).await?;
    let home = association_by_id(tx, association).await?;
    let zone = home.map_or(chrono_tz::UTC, |a| a.zone);
    let transfer = request.kind == Kind::Transfer;
    let mut reports = reports_of(tx, association, &request.id).await?;
    // What the gate's people said is no report of what came of it.
    reports.retain(|report| !transfer || report.outcome == super::super::transfer::DATED);
    let report = reports.pop();
    let survey = match survey_of(tx, association, &request.id).await? {
        Some(sealed) => {
            let place = Sealed { table: "survey", column: "body", row: request.id.as_str() };
            let plain = kit.vault.open(tx, association, place, &sealed).await?;
            let read = serde_json::from_str::<Survey>(&plain);
            Some(read.map_err(|e| StoreError::corrupt("survey", &request.id, e))?)
        }
        None => None,
    };
    let cover = request.kind == Kind::Cover;
    // A cover begins with its slot, a consult with the yes.
    let started = if cover { request.window.from } else { claim.at };
    let at = counting_instant(request.created, Some(claim.at), Some(started));
    let (_, asker_institution, asker_kind, asker_membership) =
        party(tx, association, &request.asker, Some(&case.institution), at).await?;
    let (_, taker_institution, taker_kind, taker_membership) =
        party(tx, association, &claim.person, None, at).await?;
    let (Some(asker_institution), Some(taker_institution)) = (asker_institution, taker_institution) else {
        return Ok(None);
    };
    let city = institution_by_id(tx, association, &asker_institution).await?.and_then(|i| code(&i.city_code));
    let mut attempts = Vec::new();
    for (person, offer) in &request.offers {
        let institution = member_by_id(tx, association, person).await?.and_then(|m| m.institution);
        let ended = request.acceptances.iter().rev().find(|a| a.person == *person);
        attempts.push(AttemptFact {
            person: Some(person.clone()),
            institution,
            result: attempt_result(offer.state),
            seconds: seconds(offer.asked_at, ended.map_or(claim.at.max(offer.asked_at), |a| a.at)),
        });
    }
    let outcome = report.as_ref().and_then(|r| code(&r.outcome)).or_else(|| code("none"));
    let Some(outcome) = outcome else {
        return Ok(None);
    };
    let asker_attends = serde_json::from_str::<TransferFacts>(&case.facts)
        .is_ok_and(|facts| facts.clinic == asker_institution);
    // A cover is closed by nothing else than the asker's confirmation.
    let confirmed = !cover || matches!(request.state, State::Closed { .. });
    let step = request.step(claim.step).map(|step| &step.ask);
    let (household_explained, night_card_used) = if cover {
        let (clinic, window) = (&case.institution, request.window);
        let day = civil_day(window.from, zone);
        (
            explained(tx, association, clinic, (step, &taker_institution), day).await?,
            card_opened_by(tx, association, clinic, &claim.person, window).await?,
        )
    } else {
        (false, false)
    };
    let channel = |word: &str| Channel::from_code(word).unwrap_or(Channel::Web);
    let soon = request.answer_by.since_ms(request.created) <= SOON_S * 1_000;
    Ok(Some(CompletedEvent {
        facts_version: FACTS_VERSION,
        event: EventRef::Request(request.id.clone()),
        case_no: case.case_no.parse().map_err(|e| StoreError::corrupt("request", &request.id, e))?,
        kind: match request.kind {
            Kind::Cover => EventKind::Cover,
            Kind::Transfer => EventKind::Transfer,
            Kind::Consult | Kind::Swap | Kind::Urgent | Kind::Check | Kind::Contact => EventKind::Consult,
        },
        association: association.clone(),
        occasion: Occasion::Real,
        created_at: request.created,
        accepted_at: claim.at,
        started_at: Some(started),
        ended_at: if cover { Some(request.window.to) } else { report.as_ref().map(|r| r.at) },
        report_at: report.as_ref().map(|r| r.at),
        closed_at: confirmed.then_some(kit.now),
        withdrawn_at: None,
        moment: Moment::of(at, zone, &calendar),
        patient_city: city,
        patient_ref: None,
        urgency: if soon { Urgency::Soon } else { Urgency::Routine },
        requested_by: channel(&case.channel),
        accepted_by: accepted_by(&claim.proof),
        attempts,
        gate: gate_result(request).unwrap_or(GateResult::NotNeeded),
        outcome,
        minutes: match &report {
            Some(r) if cover => u32::try_from(r.minutes).ok(),
            _ if transfer => None,
            report => report.as_ref().map(|r| seconds(claim.at, r.at) / 60),
        },
        distance_class: None,
        report_ref: report.as_ref().and_then(|r| code(&format!("report:{}", r.seq))),
        household_explained,
        night_card_used,
        specialty: serde_json::from_str::<serde_json::Value>(&case.facts)
            .ok()
            .and_then(|facts| code(facts.get("specialty")?.as_str()?)),
        other_subsidy: false,
        transport_avoided: survey.as_ref().is_some_and(|s| s.avoided == "yes"),
        excluded: false,
        requester: RequesterFacts {
            institution: asker_institution,
            institution_kind: asker_kind,
            member: Some(request.asker.clone()),
            membership: asker_membership,
            role: if transfer && !asker_attends { AskerRole::Other } else { AskerRole::Attending },
            entered_by: case
                .entered_by
                .as_deref()
                .and_then(|actor| actor.strip_prefix("member:"))
                .and_then(|id| MemberId::from_stored(id).ok()),
            // A transfer is closed by nothing else than the asker's side.
            confirmation: if survey.is_some() || transfer || (cover && confirmed) {
                Confirmation::Confirmed { at: kit.now }
            } else {
                Confirmation::Waiting
            },
        },
        acceptor: AcceptorFacts {
            institution: taker_institution,
            institution_kind: taker_kind,
            person: Some(claim.person.clone()),
            membership: taker_membership,
            on_rota_as: match step {
                Some(Selector::DutyPrimary) => OnRotaAs::Primary,
                Some(Selector::DutyDeputy) => OnRotaAs::Deputy,
                Some(Selector::Pillar(_)) => OnRotaAs::Pillar,
                _ => OnRotaAs::Volunteer,
            },
            accepted_at: claim.at,
            arrived_at: None,
            completed_at: report.as_ref().map(|r| r.at),
            minutes: report.as_ref().filter(|_| !transfer).and_then(|r| u32::try_from(r.minutes).ok()),
            minutes_confirmed: report.is_some() && !transfer && (cover || claim.terms != Terms::Plain),
        },
    }))
}

const fn attempt_result(state: OfferState) -> AttemptResult {
    match state {
        OfferState::Accepted => AttemptResult::Accepted,
        OfferState::Declined => AttemptResult::Declined,
        OfferState::Released => AttemptResult::Released,
        OfferState::Unreachable => AttemptResult::Undeliverable,
        OfferState::Lapsed => AttemptResult::Lapsed,
        OfferState::Full | OfferState::Withdrawn => AttemptResult::CalledOff,
        OfferState::Pending | OfferState::Asked | OfferState::Raised => AttemptResult::NoAnswer,
    }
}

const fn accepted_by(proof: &crate::domain::dispatch::Proof) -> Channel {
    use crate::domain::dispatch::Proof;
    match proof {
        Proof::Pin | Proof::Device => Channel::MailLink,
        Proof::Key => Channel::Keypad,
        Proof::ActFor => Channel::Api,
    }
}
