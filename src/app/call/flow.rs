//! Carries a decision of the call machine into the database: load, decide, save, orders to the bridge, notices,
//! alarms, audit row; in the transaction of the command that calls it.

use serde_json::json;

use super::bridge::Todo;
use super::report::told_by_key;
use super::world::{NightWorld, physicians};
use crate::app::access::note;
use crate::app::ledger::record_call;
use crate::app::people::phone_change::new_number_answered;
use crate::app::{Kit, Who, tonight};
use crate::domain::call::{
    Alarm, Answer, Call, Effect, Event, Happened, Kind, LegState, Notice, Outcome, Stage, Standing, To, hunt,
    next_due,
};
use crate::domain::dispatch::{self, Request};
use crate::domain::people::Role;
use crate::ids::{CallId, MemberId};
use crate::store::call::orders::order_add;
use crate::store::call::{LoadedCall, call_load, call_lock, call_save, calls_without_step};
use crate::store::enrolment::reach_call_end;
use crate::store::jobs::{Lane, NewJob, alarm_raise, job_add};
use crate::store::people::members_with_role;
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// What became of an event.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub answer: Answer,
}

/// When a call wants attention: its own waits, and those of the plan while somebody is looked for.
pub(crate) fn due_of(call: &Call, request: &Request) -> Option<Millis> {
    let plan = dispatch::next_due(request).filter(|_| call.stage.is_seeking() && call.route.is_some());
    [next_due(call), plan].into_iter().flatten().min()
}

/// Whether whom to ring may have to be known for this.
const fn may_ring(happened: &Happened) -> bool {
    !matches!(
        happened,
        Happened::Call(
            Event::PromptEnded { .. }
                | Event::Answered { .. }
                | Event::Joined { .. }
                | Event::Left { .. }
                | Event::MachineSuspected { .. }
                | Event::Acknowledged
        )
    )
}

/// Gives what happened to both machines and writes what they decided. `None`: there is no such call.
pub(crate) async fn apply(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    id: &CallId,
    happened: Happened,
) -> Result<Option<Moved>, StoreError> {
    let Some(loaded) = call_lock(tx, &kit.vault, &who.association, id).await? else {
        return Ok(None);
    };
    decided(tx, kit, who, &loaded, happened).await.map(Some)
}

/// As [`apply`], for a call that is locked already.
pub(crate) async fn decided(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    loaded: &LoadedCall,
    happened: Happened,
) -> Result<Moved, StoreError> {
    let mut world = if may_ring(&happened) {
        NightWorld::load(tx, kit, &who.association, &loaded.call, &loaded.request).await?
    } else {
        NightWorld::default()
    };
    if let Happened::Request(dispatch::Event::AskNow { person }) = &happened {
        world.add_line(tx, kit, &who.association, person).await?;
    }
    let lines = |person: &MemberId| world.line(person);
    let both = hunt(&loaded.call, &loaded.request, happened, kit.now, &world, &lines);
    let due = due_of(&both.call, &both.request);
    if both.call != loaded.call || both.request != loaded.request {
        let (vault, association) = (&kit.vault, &who.association);
        call_save(tx, vault, association, loaded, &both.call, &both.request, due, kit.now).await?;
        audit(tx, kit, who, loaded, &both.call).await?;
        follow(tx, kit, who, loaded, &both.call).await?;
        let over = |c: &Call| matches!(c.stage, Stage::Over { .. });
        if over(&both.call) && !over(&loaded.call) {
            record_call(tx, kit, who, &loaded.case_no, &both.call, &both.request).await?;
        }
    }
    for (number, effect) in both.effects.iter().enumerate() {
        perform(tx, kit, who, loaded, &both.call, effect, number).await?;
    }
    Ok(Moved { answer: both.answer })
}

/// What changed, in codes and ids: the stage, whose yes stands, and each attempt that ended with its reason.
async fn audit(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    before: &LoadedCall,
    call: &Call,
) -> Result<(), StoreError> {
    let was = &before.call;
    let taker = |c: &Call| c.taker.as_ref().map(|t| t.person.clone());
    let ended: Vec<_> = call
        .legs
        .iter()
        .filter(|(id, _)| was.legs.get(*id).is_none_or(|leg| leg.is_live()))
        .filter_map(|(id, leg)| match leg.state {
            LegState::Ended { cause, .. } => Some(json!({
                "leg": id.as_str(), "member": leg.person().map(MemberId::as_str), "cause": cause.code(),
            })),
            _ => None,
        })
        .collect();
    let rung: Vec<_> = call
        .legs
        .iter()
        .filter(|(id, _)| !was.legs.contains_key(*id))
        .map(|(id, leg)| json!({ "leg": id.as_str(), "member": leg.person().map(MemberId::as_str) }))
        .collect();
    let moved = was.stage.code() != call.stage.code() || taker(was) != taker(call);
    if !moved && ended.is_empty() && rung.is_empty() {
        return Ok(());
    }
    let detail = json!({
        "case_no": before.case_no, "stage": call.stage.code(), "taker": taker(call).as_ref().map(MemberId::as_str),
        "rung": rung, "ended": ended,
    });
    note(tx, kit, who, "call.moved", &format!("call:{}", call.id), detail).await.map(drop)
}

/// Whom a change concerns beside the phones: the taker gets the way to the page, the patient's own physicians
/// hear that there was a call.
async fn follow(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    before: &LoadedCall,
    call: &Call,
) -> Result<(), StoreError> {
    if !call.kind.seeks() {
        return Ok(());
    }
    let was = before.call.taker.as_ref().map(|t| &t.person);
    if let Some(taker) = call.taker.as_ref().filter(|t| Some(&t.person) != was) {
        let key = format!("call:{}:taken:{}:{}", call.id, taker.person, before.revision);
        tell(tx, kit, who, &call.id, &taker.person, "taken", key).await?;
    }
    if before.call.route.is_none()
        && call.route.is_some()
        && let Some(clinic) = &call.clinic
    {
        for person in physicians(tx, &who.association, clinic, kit.now).await? {
            let key = format!("call:{}:attending:{person}", call.id);
            tell(tx, kit, who, &call.id, &person, "attending", key).await?;
        }
    }
    Ok(())
}

/// A mail about a call; `what` is a word of `mail-call-…`.
pub(crate) async fn tell(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    call: &CallId,
    person: &MemberId,
    what: &'static str,
    key: String,
) -> Result<(), StoreError> {
    let body = json!({ "call": call.as_str(), "member": person.as_str(), "what": what });
    let lane = if what == "summary" { Lane::Reports } else { Lane::Urgent };
    let job = NewJob { lane, kind: "call_notice", key, body, due: kit.now };
    job_add(tx, &who.association, &job, kit.now, kit.vault.chance.as_ref()).await
}

const fn notice_code(notice: Notice) -> &'static str {
    match notice {
        Notice::CallerGone => "caller_gone",
        Notice::CallerVanished => "caller_vanished",
        Notice::TurnedAway => "turned_away",
        Notice::LoopCut => "loop_cut",
        Notice::Promise { .. } => "promise",
        Notice::CallerOutOfReach => "caller_out_of_reach",
        Notice::ReportDue => "report_due",
        Notice::ReportMissing => "report_missing",
    }
}

const fn alarm_code(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::NobodyLeft => "call_nobody_left",
        Alarm::NobodyRinging => "call_nobody_ringing",
        Alarm::BridgeDown => "call_bridge_down",
        Alarm::CallerOutOfReach => "call_caller_out_of_reach",
        Alarm::NotJoined => "call_not_joined",
        Alarm::NoVerdict => "call_no_verdict",
        Alarm::PromiseMissed => "call_promise_missed",
    }
}

/// Words of a notice that the mail has texts for.
pub(crate) fn notice_text(what: &str) -> Option<&'static str> {
    const WORDS: [&str; 20] = [
        "taken",
        "attending",
        "transport",
        "summary",
        "caller_gone",
        "caller_vanished",
        "turned_away",
        "loop_cut",
        "promise",
        "caller_out_of_reach",
        "report_due",
        "report_missing",
        "call_nobody_left",
        "call_nobody_ringing",
        "call_bridge_down",
        "call_caller_out_of_reach",
        "call_not_joined",
        "call_no_verdict",
        "call_promise_missed",
        "call_without_step",
    ];
    WORDS.into_iter().find(|word| *word == what)
}

/// The coordinators and officers: who is alarmed.
pub(super) async fn watch(tx: &mut Conn, kit: &Kit, who: &Who) -> Result<Vec<MemberId>, StoreError> {
    let mut people = members_with_role(tx, &who.association, Role::Coordinator, kit.now).await?;
    for officer in members_with_role(tx, &who.association, Role::Officer, kit.now).await? {
        if !people.contains(&officer) {
            people.push(officer);
        }
    }
    Ok(people)
}

/// Has coordinators and officers look: on the board, and by a mail each time it is said. Their phones are rung
/// by the last steps of the plan.
async fn alarm(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    call: &Call,
    code: &'static str,
    said: u32,
) -> Result<(), StoreError> {
    let subject = format!("call:{}", call.id);
    alarm_raise(tx, &who.association, code, &subject, kit.now, kit.vault.chance.as_ref()).await?;
    for person in watch(tx, kit, who).await? {
        let key = format!("call:{}:{code}:{}:{said}:{person}", call.id, kit.now.0);
        tell(tx, kit, who, &call.id, &person, code, key).await?;
    }
    Ok(())
}

async fn perform(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    before: &LoadedCall,
    call: &Call,
    effect: &Effect,
    number: usize,
) -> Result<(), StoreError> {
    match effect {
        Effect::Bridge(command) => order(tx, kit, who, call, &Todo::Bridge(command.clone())).await,
        Effect::Look => order(tx, kit, who, call, &Todo::Look).await,
        Effect::KeepMessage { recording } => {
            order(tx, kit, who, call, &Todo::Keep { recording: *recording }).await
        }
        Effect::Tell { to, notice } => {
            let code = notice_code(*notice);
            let people = match to {
                To::Person(person) => vec![person.clone()],
                To::Coordinator => watch(tx, kit, who).await?,
            };
            for person in people {
                let key = format!("call:{}:{code}:{}:{number}:{person}", call.id, before.revision);
                tell(tx, kit, who, &call.id, &person, code, key).await?;
            }
            Ok(())
        }
        Effect::Report { person, told } => Box::pin(told_by_key(tx, kit, who, person, *told)).await,
        Effect::Alarm { alarm: raised, said } => alarm(tx, kit, who, call, alarm_code(*raised), *said).await,
        Effect::Ended { outcome } if call.kind == Kind::Test => tested(tx, kit, who, call, *outcome).await,
        Effect::Ended { outcome } if call.kind == Kind::Tonight => {
            tonight::rung(tx, kit, who, call, *outcome).await
        }
        // The row says how it ended; the rest is what the two machines say to each other.
        Effect::Ended { .. }
        | Effect::Hunt { .. }
        | Effect::Offer(_)
        | Effect::GoOn
        | Effect::RingOffice
        | Effect::StopHunt => Ok(()),
    }
}

/// How a test call ended stands with the tests of the person.
async fn tested(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    call: &Call,
    outcome: Outcome,
) -> Result<(), StoreError> {
    let cause = call.legs.values().rev().find_map(|leg| match leg.state {
        LegState::Ended { cause, .. } | LegState::Leaving { cause, .. } => Some(cause),
        _ => None,
    });
    let ended = if outcome == Outcome::Confirmed { Ok(()) } else { Err(cause) };
    let confirmed = ended.is_ok();
    let known = reach_call_end(tx, &who.association, &call.id, ended, kit.now).await?;
    let Standing::Member { person } = &call.caller.standing else { return Ok(()) };
    if !confirmed {
        return Ok(());
    }
    if !known {
        return new_number_answered(tx, kit, who, &call.id).await;
    }
    note(tx, kit, who, "reach.confirmed", &format!("member:{person}"), json!({ "way": "phone" }))
        .await
        .map(drop)
}

async fn order(tx: &mut Conn, kit: &Kit, who: &Who, call: &Call, todo: &Todo) -> Result<(), StoreError> {
    let body = serde_json::to_string(todo).map_err(|e| StoreError::corrupt("call_order", &call.id, e))?;
    order_add(tx, &kit.vault, &who.association, &call.id, &body, kit.now).await
}

/// Seconds a wait of a call may be late before the self-check sees to it.
const LATE_S: i64 = 30;

/// How many of them there are; there must be none.
pub(crate) async fn stuck(conn: &mut Conn, now: Millis) -> Result<usize, StoreError> {
    Ok(calls_without_step(conn, now.plus_s(-LATE_S)).await?.len())
}

/// Open calls that wait for nothing, or have not been seen to in time: alarmed, and given their due time again.
pub(crate) async fn self_check(tx: &mut Conn, kit: &Kit) -> Result<usize, StoreError> {
    let stuck = calls_without_step(tx, kit.now.plus_s(-LATE_S)).await?;
    for (association, id) in &stuck {
        let who = Who::runner(association);
        let Some(loaded) = call_load(tx, &kit.vault, association, id).await? else { continue };
        let due = due_of(&loaded.call, &loaded.request);
        let quiet = matches!(loaded.call.stage, Stage::Hunting { .. }) && due.is_none();
        let due = if quiet { Some(kit.now) } else { due };
        let vault = &kit.vault;
        call_save(tx, vault, association, &loaded, &loaded.call, &loaded.request, due, kit.now).await?;
        alarm(tx, kit, &who, &loaded.call, "call_without_step", 1).await?;
    }
    Ok(stuck.len())
}
