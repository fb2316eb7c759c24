//! Carries a decision of the dispatch machine into the database: load, decide, save, effects, due time,
//! audit row; in the transaction of the command that calls it.

use std::collections::VecDeque;

use serde_json::json;

use super::access::note;
use super::{Kit, Who, contact, cover, swap, tonight, transfer};
use crate::domain::calendar::{CaseNo, CivilDate, FiscalYear, civil_day, start_of_day};
use crate::domain::dispatch::{
    Alarm, Answer, Channel, Decision, Effect, Event, Notice, Request, To, decide, next_due, plan::Kind,
};
use crate::domain::people::{ConsultFacts, LoadedWorld, Role};
use crate::domain::rota::Form;
use crate::ids::{AssociationId, LinkId, MemberId, RequestId};
use crate::planted::{self, Bug};
use crate::seal::token_hash;
use crate::store::access::{Link, LinkPurpose, link_add, links_void};
use crate::store::audit::{Entry, audit_append};
use crate::store::dispatch::{
    AttemptKey, Loaded, attempt_add, grant_end, grant_set, offer_of, request_lock, request_save,
};
use crate::store::jobs::{Lane, NewJob, alarm_raise, job_add, job_end_by_key, job_move};
use crate::store::people::{association_by_id, case_counter_take, members_with_role, volunteers};
use crate::store::requests::{case_by_id, request_kind};
use crate::store::rota::rota_touch;
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// What became of an event.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub answer: Answer,
    pub request: Request,
    pub changed: bool,
}

/// How an event stands in the audit.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    /// A verb of the office, such as `offer.accept`.
    pub action: &'static str,
    /// Codes and ids that explain it.
    pub detail: serde_json::Value,
}

/// The days back that count as "asked of late".
const RECENT_S: i64 = 14 * 86_400;

/// Gives `event` to the machine and writes what it decided. `None`: there is no such request.
pub(crate) async fn apply(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    id: &RequestId,
    event: Event,
    act: &Act,
) -> Result<Option<Moved>, StoreError> {
    let mut queue = VecDeque::from([(id.clone(), event)]);
    let mut first: Option<Moved> = None;
    let mut also = Vec::new();
    while let Some((id, event)) = queue.pop_front() {
        // Whoever may write the rota waits here for whoever is writing it, before anything of it is read.
        // So does a yes to a slot of a cover: what one person may carry is counted over all of them.
        let kind =
            if swap::writes_rota(&event) { request_kind(tx, &who.association, &id).await? } else { None };
        let counted = matches!(event, Event::Accept { .. }) && kind.as_deref() == Some(Kind::Cover.code());
        if counted || kind.as_deref() == Some(Kind::Swap.code()) {
            rota_touch(tx, &who.association, kit.now).await?;
        }
        let Some(mut loaded) = request_lock(tx, &who.association, &id).await? else {
            if first.is_none() {
                return Ok(None);
            }
            continue;
        };
        if planted::is(Bug::QuotaReadThenWrite) {
            read_before(&mut loaded.request, &event);
        }
        let world = world(tx, kit, &who.association, &loaded.request).await?;
        let Decision { next, effects, answer } = decide(&loaded.request, &event, kit.now, &world);
        let changed = next != loaded.request;
        if changed {
            save(tx, kit, who, &loaded, &next, &effects, &mut queue).await?;
        }
        match &first {
            None => first = Some(Moved { answer, request: next, changed }),
            Some(_) if changed && event == Event::Void => {
                // One was agreed to, and another could not be any more.
                let subject = format!("request:{id}");
                note(tx, kit, who, "swap.void", &subject, json!({ "state": next.state.code() })).await?;
                also.push(json!({ "request": id.as_str(), "state": next.state.code() }));
            }
            Some(_) if changed => also.push(json!({ "request": id.as_str(), "state": next.state.code() })),
            Some(_) => {}
        }
    }
    if let Some(moved) = &first
        && moved.changed
    {
        let mut detail = act.detail.clone();
        if let Some(map) = detail.as_object_mut() {
            map.insert("state".to_owned(), json!(moved.request.state.code()));
            map.insert("answer".to_owned(), json!(moved.answer));
            if !also.is_empty() {
                map.insert("also".to_owned(), json!(also));
            }
        }
        let subject = format!("request:{id}");
        let entry = Entry {
            at: kit.now,
            actor: &who.actor,
            on_behalf_of: who.on_behalf_of.as_deref(),
            action: act.action,
            subject: &subject,
            detail,
        };
        audit_append(tx, &who.association, &entry).await?;
    }
    Ok(first)
}

/// The next case number of the fiscal year in which a day of the association lies.
pub(crate) async fn next_case_no(
    tx: &mut Conn,
    association: &AssociationId,
    day: CivilDate,
) -> Result<String, StoreError> {
    let year = FiscalYear::of(day);
    let counter = case_counter_take(tx, association, year.first_year()).await?;
    let case_no = u32::try_from(counter).ok().and_then(|n| CaseNo::new(year, n));
    case_no
        .map(|n| n.to_string())
        .ok_or_else(|| StoreError::Unusable("the case numbers of this year are used up".to_owned()))
}

/// The planted bug: the request as somebody read it before the other's yes was written.
fn read_before(request: &mut Request, event: &Event) {
    use crate::domain::dispatch::{OfferState, State, request::Phase};
    if let (Event::Accept { person, .. }, State::Taken { since, step, .. }) = (event, request.state)
        && let Some(offer) = request.offers.get_mut(person).filter(|o| o.state == OfferState::Full)
    {
        offer.state = OfferState::Asked;
        request.state = State::Running { step, phase: Phase::Waiting { at: since } };
    }
}

async fn save(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    loaded: &Loaded,
    next: &Request,
    effects: &[Effect],
    queue: &mut VecDeque<(RequestId, Event)>,
) -> Result<(), StoreError> {
    let chance = kit.vault.chance.as_ref();
    request_save(tx, &who.association, loaded, next, kit.now, chance).await?;
    for (number, effect) in effects.iter().enumerate() {
        perform(tx, kit, who, loaded, next, effect, number, queue).await?;
    }
    set_due(tx, kit, &who.association, next).await
}

/// Puts the request's next due time into the outbox, or takes it out.
pub(crate) async fn set_due(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
) -> Result<(), StoreError> {
    let key = format!("wake:{}", request.id);
    match next_due(request) {
        Some(due) => {
            let due = if planted::is(Bug::DueFromLocalTime) { due.plus_s(9 * 3_600) } else { due };
            let body = json!({ "request": request.id.as_str() });
            let job = NewJob { lane: Lane::Wake, kind: "wake", key, body, due };
            job_move(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await
        }
        None => job_end_by_key(tx, association, &key, kit.now).await,
    }
}

#[expect(clippy::too_many_arguments, reason = "one effect with the transaction and its command's context")]
async fn perform(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    loaded: &Loaded,
    next: &Request,
    effect: &Effect,
    number: usize,
    queue: &mut VecDeque<(RequestId, Event)>,
) -> Result<(), StoreError> {
    let association = &who.association;
    let chance = kit.vault.chance.as_ref();
    match effect {
        Effect::Ask { person, attempt, channel } if next.kind == Kind::Cover => {
            let key = AttemptKey { request: &next.id, person, number: *attempt, channel: *channel };
            attempt_add(tx, association, &key, kit.now).await?;
            cover::ask_by_mail(tx, kit, association, next, person, *attempt).await
        }
        Effect::Ask { person, attempt, channel: Channel::Phone } if next.kind == Kind::Check => {
            let event = tonight::ring(tx, kit, who, next, person, *attempt).await?;
            queue.extend(event.map(|event| (next.id.clone(), event)));
            Ok(())
        }
        Effect::Ask { person, attempt, channel } => {
            let key = AttemptKey { request: &next.id, person, number: *attempt, channel: *channel };
            attempt_add(tx, association, &key, kit.now).await?;
            let until = next.offers.get(person).map_or(next.answer_by, |o| o.until);
            let expires = until.min(kit.now.plus_s(kit.rules.offer_life_max_s));
            let link = make_link(tx, kit, association, person, Some(&next.id), expires).await?;
            let job = NewJob {
                lane: if is_pressing(next) { Lane::Urgent } else { Lane::Mail },
                kind: "ask",
                key: format!("ask:{}:{person}:{attempt}", next.id),
                body: json!({
                    "request": next.id.as_str(), "member": person.as_str(), "attempt": attempt,
                    "link": link.as_str(),
                }),
                due: kit.now,
            };
            job_add(tx, association, &job, kit.now, chance).await
        }
        Effect::StopAsking { .. } if planted::is(Bug::CancelKeepsLinks) => Ok(()),
        Effect::StopAsking { person } => links_void(tx, association, &next.id, person, kit.now).await,
        Effect::Tell { to, notice } => {
            let person = match to {
                To::Asker => next.asker.clone(),
                To::Person(person) => person.clone(),
            };
            if next.kind == Kind::Check {
                return Ok(());
            }
            if next.kind == Kind::Cover {
                return cover::tell(tx, kit, association, next, &person, *notice, to == &To::Asker).await;
            }
            if matches!(next.kind, Kind::Transfer | Kind::Contact) {
                return transfer::tell(tx, kit, association, next, &person, *notice).await;
            }
            if *notice == Notice::TakenByAnother
                && offer_of(tx, association, &next.id, &person).await?.is_none_or(|o| o.opened.is_none())
            {
                // Nobody who never looked is bothered with the end of it.
                return Ok(());
            }
            let job = NewJob {
                lane: Lane::Mail,
                kind: "tell",
                key: format!("tell:{}:{}:{number}", next.id, loaded.revision),
                body: json!({
                    "request": next.id.as_str(), "member": person.as_str(), "notice": notice,
                }),
                due: kit.now,
            };
            job_add(tx, association, &job, kit.now, chance).await
        }
        // Who did not answer the check was an alarm before the night already.
        Effect::Alarm(Alarm::Expired) if next.kind == Kind::Check => Ok(()),
        Effect::Alarm(alarm) => {
            raise(tx, kit, association, alarm_code(*alarm), &format!("request:{}", next.id)).await
        }
        Effect::Grant { person, until } => {
            grant_set(tx, association, &next.id, person, kit.now, *until).await
        }
        Effect::HandOver => swap::hand_over(tx, kit, who, loaded.revision, next, queue).await,
        Effect::HandBack { whole } => {
            swap::hand_back(tx, kit, who, loaded.revision, next, *whole, queue).await
        }
        Effect::EndGrant { person } => grant_end(tx, association, &next.id, person, kit.now).await,
        Effect::ToParent { parent, now } => {
            queue.push_back((parent.clone(), Event::ChildIs { child: next.id.clone(), now: *now }));
            Ok(())
        }
        Effect::WithdrawChild { child } => {
            queue.push_back((child.clone(), Event::Withdraw));
            Ok(())
        }
    }
}

/// Goes before everything else: an urgent call, and somebody to stand in for who fell ill.
fn is_pressing(request: &Request) -> bool {
    request.kind == Kind::Urgent || (request.kind == Kind::Swap && request.plan.name == Form::Ill.code())
}

/// The stable word of an alarm.
#[must_use]
pub const fn alarm_code(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::Exhausted => "exhausted",
        Alarm::Expired => "expired",
        Alarm::GateStuck => "gate_stuck",
        Alarm::Short => "short",
        Alarm::NotClosed => "not_closed",
        Alarm::NotReported => "not_reported",
    }
}

/// Raises an alarm and has the coordinators told.
pub(crate) async fn raise(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    kind: &str,
    subject: &str,
) -> Result<(), StoreError> {
    let chance = kit.vault.chance.as_ref();
    let id = alarm_raise(tx, association, kind, subject, kit.now, chance).await?;
    let job = NewJob {
        lane: Lane::Urgent,
        kind: "alarm",
        key: format!("alarm:{id}:0"),
        body: json!({ "alarm": id.as_str(), "round": 0 }),
        due: kit.now,
    };
    job_add(tx, association, &job, kit.now, chance).await
}

/// Makes a link; its token and code exist only when the mail is written.
pub(crate) async fn make_link(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    member: &MemberId,
    request: Option<&RequestId>,
    expires: Millis,
) -> Result<LinkId, StoreError> {
    let purpose = if request.is_some() { LinkPurpose::Offer } else { LinkPurpose::SignIn };
    make_link_for(tx, kit, association, member, purpose, request, expires).await
}

/// A link for a purpose, and the request it is about if it is about one.
pub(crate) async fn make_link_for(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    member: &MemberId,
    purpose: LinkPurpose,
    request: Option<&RequestId>,
    expires: Millis,
) -> Result<LinkId, StoreError> {
    let id = LinkId::new(kit.now, kit.vault.chance.as_ref());
    let link = NewLink { id: &id, member, purpose, request, expires };
    make_link_as(tx, kit, association, &link).await?;
    Ok(id)
}

/// A link to be made.
pub(crate) struct NewLink<'a> {
    pub id: &'a LinkId,
    pub member: &'a MemberId,
    pub purpose: LinkPurpose,
    pub request: Option<&'a RequestId>,
    pub expires: Millis,
}

/// A link whose id something else names already.
pub(crate) async fn make_link_as(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    new: &NewLink<'_>,
) -> Result<(), StoreError> {
    let NewLink { id, member, purpose, request, expires } = *new;
    let token = kit.vault.seal.link_token(id);
    let code = kit.vault.seal.link_code(id);
    let code_hash = kit
        .vault
        .seal
        .code_hash(&code)
        .ok_or_else(|| StoreError::Unusable("a link code does not read back".to_owned()))?;
    let link = Link {
        association: association.clone(),
        id: id.clone(),
        member: member.clone(),
        purpose,
        request: request.cloned(),
        token_hash: token_hash(token.as_str()),
        created: kit.now,
        expires,
        consumed: None,
        voided: None,
        wrong_pins: 0,
    };
    link_add(tx, &link, &code_hash).await
}

/// Loads the people a request's plan could name now.
pub(crate) async fn world(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
) -> Result<LoadedWorld, StoreError> {
    let home = association_by_id(tx, association)
        .await?
        .ok_or_else(|| StoreError::Unusable("the association is gone".to_owned()))?;
    let consult = match request.kind {
        Kind::Consult => consult_facts(tx, association, request).await?,
        Kind::Cover | Kind::Transfer | Kind::Swap | Kind::Urgent | Kind::Check | Kind::Contact => None,
    };
    let volunteers = match &consult {
        Some(facts) => {
            let today = civil_day(kit.now, home.zone);
            let first = today.plus_days(1 - i64::from(today.day()));
            let month = start_of_day(first, home.zone);
            let recent = kit.now.plus_s(-RECENT_S);
            volunteers(tx, association, &facts.specialty, month, recent, kit.now).await?
        }
        None => Vec::new(),
    };
    Ok(LoadedWorld {
        zone: home.zone,
        consult,
        volunteers,
        coordinators: members_with_role(tx, association, Role::Coordinator, kit.now).await?,
        officers: members_with_role(tx, association, Role::Officer, kit.now).await?,
        duty: swap::duty_view_for(tx, kit, association, request).await?,
        cover: match request.kind {
            Kind::Cover if request.children.is_empty() => {
                cover::cover_world(tx, kit, association, request).await?
            }
            Kind::Cover
            | Kind::Consult
            | Kind::Transfer
            | Kind::Swap
            | Kind::Urgent
            | Kind::Check
            | Kind::Contact => None,
        },
        transfer: match request.kind {
            Kind::Transfer => transfer::transfer_world(tx, kit, association, request).await?,
            Kind::Consult | Kind::Cover | Kind::Swap | Kind::Urgent | Kind::Check | Kind::Contact => None,
        },
        contact: match request.kind {
            Kind::Contact => contact::contact_world(tx, kit, &home, request).await?,
            Kind::Consult | Kind::Cover | Kind::Transfer | Kind::Swap | Kind::Urgent | Kind::Check => None,
        },
    })
}

async fn consult_facts(
    tx: &mut Conn,
    association: &AssociationId,
    request: &Request,
) -> Result<Option<ConsultFacts>, StoreError> {
    let case = case_by_id(tx, association, &request.id).await?;
    case.map(|c| serde_json::from_str(&c.facts).map_err(|e| StoreError::corrupt("request", &request.id, e)))
        .transpose()
}
