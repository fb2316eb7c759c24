//! Urgent calls as events of the ledger: written with the lines of both sides when a call that was taken is over.

use serde_json::json;

use super::super::access::note;
use super::super::{Kit, Who};
use super::record::{code, explained, party, seconds, written};
use super::world::Evidence;
use crate::domain::calendar::civil_day;
use crate::domain::call::{Call, Cause, Kind, Leg, LegState, Role, Standing, Taker};
use crate::domain::dispatch::{Request, Selector};
use crate::domain::ledger::{
    AcceptorFacts, AskerRole, AttemptFact, AttemptResult, CallRef, Channel, CompletedEvent, Confirmation,
    EventKind, EventRef, FACTS_VERSION, GateResult, Moment, Occasion, OnRotaAs, RequesterFacts, Urgency,
    counting_instant,
};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::call::reports::{CallReport, call_reports};
use crate::store::cards::card_opened_by;
use crate::store::ledger::rules::evidence_add;
use crate::store::ledger::{event_of, event_of_call};
use crate::store::people::{association_by_id, institution_by_id, member_by_id};
use crate::store::{Conn, StoreError};
use crate::time::Window;

/// Writes a call that is over into the ledger, once: the taker and the caller talked, or the taker told what came
/// of it. A report that comes after the call was written is laid beside it. A talk between two doctors of a consult
/// is part of that consult.
pub(crate) async fn record_call(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    case_no: &str,
    call: &Call,
    request: &Request,
) -> Result<(), StoreError> {
    let association = &who.association;
    let Some(taker) = call.taker.as_ref().filter(|_| call.kind != Kind::Connect) else {
        return Ok(());
    };
    let report = call_reports(tx, association, &call.id).await?.pop();
    if let Some(there) = event_of_call(tx, association, &call.id).await? {
        let event = event_of(tx, association, &there).await?;
        if let Some(report) = report.filter(|_| event.is_some_and(|e| e.report_at.is_none())) {
            let late = Evidence::Report { at: report.at };
            evidence_add(tx, association, &there, (kit.now, &who.actor), &late).await?;
        }
        return Ok(());
    }
    if !taker.talked && report.is_none() {
        return Ok(());
    }
    let subject = format!("call:{}", call.id);
    match completed(tx, kit, association, case_no, call, taker, request, report.as_ref()).await? {
        Some(event) => {
            written(tx, kit, &request.id, &event).await?;
            let detail = json!({ "case_no": case_no, "reported": report.is_some() });
            note(tx, kit, who, "call.counted", &subject, detail).await.map(drop)
        }
        // Nobody knows for whom it counts: said, not dropped.
        None => {
            let detail = json!({ "case_no": case_no, "why": "no_institution" });
            note(tx, kit, who, "call.not_counted", &subject, detail).await.map(drop)
        }
    }
}

/// The side that asked: the institution that called, else that of the member, else the patient's clinic.
fn requester(call: &Call) -> (Option<&InstitutionId>, Option<&MemberId>) {
    match &call.caller.standing {
        Standing::Line { institution } | Standing::Code { institution } => (Some(institution), None),
        Standing::Member { person } => (None, Some(person)),
        Standing::Unknown => (call.clinic.as_ref(), None),
    }
}

#[expect(clippy::too_many_arguments, reason = "one call with everything that is known of it")]
async fn completed(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    case_no: &str,
    call: &Call,
    taker: &Taker,
    request: &Request,
    report: Option<&CallReport>,
) -> Result<Option<CompletedEvent>, StoreError> {
    let broken = |what: String| StoreError::corrupt("call", &call.id, what);
    let calendar = super::super::calendar::calendar_of(tx, kit, association).await?;
    let zone = association_by_id(tx, association).await?.map_or(chrono_tz::UTC, |a| a.zone);
    let at = counting_instant(call.opened, Some(taker.since), taker.joined);
    let (institution, member) = requester(call);
    let nobody = MemberId::named(&["night line", association.as_str()]);
    let asker = member.unwrap_or(&nobody);
    let (_, asking, asking_kind, asking_as) = party(tx, association, asker, institution, at).await?;
    let (_, taking, taking_kind, taking_as) = party(tx, association, &taker.person, None, at).await?;
    let (Some(asking), Some(taking)) = (asking, taking) else {
        return Ok(None);
    };
    let home = call.clinic.as_ref().unwrap_or(&asking);
    let city = institution_by_id(tx, association, home).await?.and_then(|i| code(&i.city_code));
    let outcome = report.and_then(|r| code(&r.outcome)).or_else(|| code("none"));
    let outcome = outcome.ok_or_else(|| broken("an outcome is no code".to_owned()))?;
    let known = |text: &str| call.clinic.as_ref().is_some_and(|c| c.as_str() == text);
    let step = request.offers.get(&taker.person).and_then(|offer| request.step(offer.step));
    let day = civil_day(call.opened, zone);
    let household_explained = match &call.clinic {
        Some(clinic) => explained(tx, association, clinic, (step.map(|s| &s.ask), &taking), day).await?,
        None => false,
    };
    let opened = Window::new(call.opened, kit.now.plus_ms(1));
    let night_card_used = match (&call.clinic, opened) {
        (Some(clinic), Some(opened)) => {
            card_opened_by(tx, association, clinic, &taker.person, opened).await?
        }
        _ => false,
    };
    let minutes = taker.joined.zip(taker.ended).map(|(from, to)| seconds(from, to).div_ceil(60));
    Ok(Some(CompletedEvent {
        facts_version: FACTS_VERSION,
        event: EventRef::Call(CallRef { call: call.id.clone(), request: request.id.clone() }),
        case_no: case_no.parse().map_err(|e| broken(format!("{e}")))?,
        kind: EventKind::UrgentCall,
        association: association.clone(),
        occasion: Occasion::Real,
        created_at: call.opened,
        accepted_at: taker.since,
        started_at: taker.joined,
        ended_at: taker.ended,
        report_at: report.map(|r| r.at),
        closed_at: Some(kit.now),
        withdrawn_at: None,
        moment: Moment::of(at, zone, &calendar),
        patient_city: city,
        patient_ref: None,
        urgency: Urgency::Urgent,
        requested_by: if call.kind == Kind::Web { Channel::Web } else { Channel::Keypad },
        accepted_by: Channel::Keypad,
        attempts: attempts(tx, association, call, request).await?,
        gate: if call.clinic.is_some() { GateResult::Informed } else { GateResult::NotNeeded },
        outcome,
        minutes,
        distance_class: None,
        report_ref: report.and_then(|r| code(&format!("call_report:{}", r.seq))),
        household_explained,
        night_card_used,
        transport_avoided: false,
        specialty: None,
        other_subsidy: false,
        excluded: false,
        requester: RequesterFacts {
            role: if known(asking.as_str()) { AskerRole::Attending } else { AskerRole::Other },
            institution: asking,
            institution_kind: asking_kind,
            member: member.cloned(),
            membership: asking_as,
            entered_by: None,
            confirmation: Confirmation::Waiting,
        },
        acceptor: AcceptorFacts {
            institution: taking,
            institution_kind: taking_kind,
            person: Some(taker.person.clone()),
            membership: taking_as,
            on_rota_as: on_rota_as(request, &taker.person),
            accepted_at: taker.since,
            arrived_at: None,
            completed_at: report.map(|r| r.at),
            minutes: report.and_then(|r| u32::try_from(r.minutes?).ok()),
            minutes_confirmed: report.is_some_and(|r| r.minutes.is_some()),
        },
    }))
}

/// As what the person was rung.
fn on_rota_as(request: &Request, person: &MemberId) -> OnRotaAs {
    let step = request.offers.get(person).and_then(|offer| request.step(offer.step));
    match step.map(|step| &step.ask) {
        Some(Selector::DutyPrimary) => OnRotaAs::Primary,
        Some(Selector::DutyDeputy) => OnRotaAs::Deputy,
        Some(Selector::Pillar(_)) => OnRotaAs::Pillar,
        Some(Selector::Coordinator | Selector::Officer) => OnRotaAs::Backing,
        _ => OnRotaAs::Volunteer,
    }
}

/// Every phone that was rung to find somebody, in the order in which they were rung.
async fn attempts(
    tx: &mut Conn,
    association: &AssociationId,
    call: &Call,
    request: &Request,
) -> Result<Vec<AttemptFact>, StoreError> {
    let mut rung: Vec<(&Leg, &MemberId)> = call
        .legs
        .values()
        .filter_map(|leg| match &leg.role {
            Role::Asked { person, .. } => Some((leg, person)),
            Role::Caller | Role::Taker { .. } => None,
        })
        .collect();
    rung.sort_by_key(|(leg, person)| (leg.since, (*person).clone()));
    let mut facts = Vec::new();
    for (leg, person) in rung {
        let until = match leg.state {
            LegState::Ended { at, .. } => at,
            _ => call.opened,
        };
        facts.push(AttemptFact {
            person: Some(person.clone()),
            institution: member_by_id(tx, association, person).await?.and_then(|m| m.institution),
            result: result(leg, person, call, request),
            seconds: seconds(leg.since, leg.answered.unwrap_or(until)),
        });
    }
    Ok(facts)
}

fn result(leg: &Leg, person: &MemberId, call: &Call, request: &Request) -> AttemptResult {
    let LegState::Ended { cause, at } = leg.state else {
        return AttemptResult::CalledOff;
    };
    // The yes was given on this leg: it began before and ended after it.
    let yes = |since: crate::time::Millis| leg.since <= since && since <= at;
    if call.taker.as_ref().is_some_and(|t| t.person == *person && yes(t.since)) {
        return AttemptResult::Accepted;
    }
    if request.acceptances.iter().any(|a| a.person == *person && yes(a.at)) {
        return AttemptResult::Released;
    }
    match cause {
        Cause::NoAnswer
        | Cause::Unreachable
        | Cause::Congestion
        | Cause::HungUp
        | Cause::Lost
        | Cause::Failed => AttemptResult::NoAnswer,
        Cause::Busy => AttemptResult::Busy,
        Cause::Rejected | Cause::Declined => AttemptResult::Declined,
        Cause::Unallocated | Cause::NoLine => AttemptResult::Undeliverable,
        Cause::NoKey => AttemptResult::Voicemail,
        Cause::PinWrong | Cause::PinLocked => AttemptResult::NotProved,
        Cause::HandedOver => AttemptResult::Released,
        Cause::Promised
        | Cause::Outrun
        | Cause::Withdrawn
        | Cause::CallOver
        | Cause::Replaced
        | Cause::NotTaken
        | Cause::Stray
        | Cause::TimeLimit => AttemptResult::CalledOff,
    }
}
