//! Mails about night cover: one for several slots. What is told when is decided in `domain::dispatch`.

use serde::Deserialize;
use serde_json::json;

use super::super::flow::{Act, apply, make_link};
use super::super::mail_texts::{
    CaseNumber, CoarseArea, CoverAsk, Deadline, Link as MailLink, Mail, Moment, NotEnvelope, ShortMoment,
};
use super::super::outbox::personal_link;
use super::super::{Kit, Who, say};
use super::facts_of;
use crate::domain::cover::is_duty_step;
use crate::domain::cover::pillars::pillar_of_step;
use crate::domain::dispatch::plan::Channel;
use crate::domain::dispatch::{Event, Notice, OfferState, Request, State};
use crate::domain::people::Role;
use crate::i18n::Lang;
use crate::ids::{AssociationId, LinkId, MemberId, RequestId};
use crate::store::access::link_by_id;
use crate::store::cover::{SlotRow, cover_slots_of};
use crate::store::dispatch::{AttemptKey, attempt_save, attempts_of, request_load};
use crate::store::jobs::{Job, JobEnd, Lane, NewJob, job_add, job_by_key, job_move};
use crate::store::people::{Association, Member, member_by_id, members_with_role};
use crate::store::requests::case_by_id;
use crate::store::{Conn, StoreError};
use crate::time::Millis;

#[derive(Deserialize)]
struct AskBody {
    request: RequestId,
    member: MemberId,
    link: LinkId,
}

#[derive(Deserialize)]
struct TellBody {
    request: RequestId,
    member: MemberId,
    what: String,
    begins: Millis,
}

#[derive(Deserialize)]
struct SummaryBody {
    request: RequestId,
    member: MemberId,
}

fn body<'de, T: Deserialize<'de>>(job: &'de Job) -> Result<T, StoreError> {
    serde_json::from_str(&job.body).map_err(|e| StoreError::corrupt("job", &job.id, e))
}

fn whole_of(request: &Request) -> &RequestId {
    request.parent.as_ref().unwrap_or(&request.id)
}

/// Has somebody asked about a slot: by the mail that is waiting for them already, or by one of its own. What may have
/// gone out already says nothing new under its old Message-ID: a mailbox would take it for the copy that it has.
pub(crate) async fn ask_by_mail(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    slot: &Request,
    person: &MemberId,
    attempt: u32,
) -> Result<(), StoreError> {
    let chance = kit.vault.chance.as_ref();
    let whole = whole_of(slot);
    let mut key = format!("cover_ask:{whole}:{person}:{attempt}");
    let mut known = job_by_key(tx, association, &key).await?;
    if known.as_ref().is_some_and(|(job, state)| state != "due" || job.tries > 0) {
        key = format!("{key}:{}", kit.now.0);
        known = job_by_key(tx, association, &key).await?;
    }
    let soon = slot.window.from < kit.now.plus_s(86_400);
    let mut job = NewJob {
        lane: if soon { Lane::Urgent } else { Lane::Mail },
        kind: "cover_ask",
        key,
        body: json!({}),
        due: kit.now,
    };
    if known.is_none() {
        let expires = slot.window.to.min(kit.now.plus_s(kit.rules.offer_life_max_s));
        let link = make_link(tx, kit, association, person, Some(whole), expires).await?;
        job.body = json!({ "request": whole.as_str(), "member": person.as_str(), "link": link.as_str() });
    }
    // Waiting still, it carries this slot too.
    job_move(tx, association, &job, kit.now, chance).await
}

/// What a notice about a cover says; `None`: nothing that its page does not say in time. `slot`: of one slot, not
/// of the whole.
const fn told(notice: Notice, slot: bool) -> Option<&'static str> {
    Some(match notice {
        Notice::Told if slot => "open",
        Notice::Receipt if slot => "taken",
        Notice::TakenByAnother if slot => "other",
        Notice::Withdrawn | Notice::Void | Notice::Refused | Notice::Undone if slot => "withdrawn",
        Notice::AnswerDue if slot => "report_due",
        Notice::AskingAgain | Notice::ReleasedLate if slot => "again",
        Notice::Expired if slot => "unfilled",
        Notice::Accepted if !slot => "filled",
        Notice::PleaseClose if !slot => "confirm",
        _ => return None,
    })
}

/// Has somebody told of a cover; of several slots in the same moment, once.
pub(crate) async fn tell(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
    person: &MemberId,
    notice: Notice,
    asker: bool,
) -> Result<(), StoreError> {
    let slot = request.parent.is_some();
    let Some(what) = told(notice, slot) else { return Ok(()) };
    let mut people = vec![person.clone()];
    if what == "again" && asker {
        // What was covered is not any more: the coordinator does not hear of it last.
        people.extend(members_with_role(tx, association, Role::Coordinator, kit.now).await?);
    }
    let whole = whole_of(request);
    for person in people {
        let job = NewJob {
            lane: if matches!(what, "again" | "open") { Lane::Urgent } else { Lane::Mail },
            kind: "cover_tell",
            key: format!("cover_tell:{whole}:{person}:{what}:{}", kit.now.0),
            body: json!({
                "request": whole.as_str(), "member": person.as_str(), "what": what,
                "begins": request.window.from,
            }),
            due: kit.now,
        };
        job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
    }
    Ok(())
}

/// The slots of a cover about which somebody was asked and has not answered, with their requests.
pub(crate) async fn asked_now(
    conn: &mut Conn,
    association: &AssociationId,
    whole: &RequestId,
    person: &MemberId,
) -> Result<Vec<(SlotRow, Request)>, StoreError> {
    let mut found = Vec::new();
    for slot in cover_slots_of(conn, association, whole).await? {
        let Some(loaded) = request_load(conn, association, &slot.request).await? else { continue };
        let request = loaded.request;
        let live = request.offers.get(person).is_some_and(|o| o.state.is_live());
        if live && request.state.is_open() {
            found.push((slot, request));
        }
    }
    Ok(found)
}

fn deadline(at: Millis, written: Millis, home: &Association, lang: Lang) -> Result<Deadline, NotEnvelope> {
    Ok(Deadline {
        short: ShortMoment::new(say::short(at, written, home.zone, lang))?,
        full: Moment::new(say::moment(at, home.zone, lang))?,
    })
}

/// A mail that is made of facts that may not be there any more.
type Built = Option<(Member, Result<Mail, NotEnvelope>, RequestId)>;

/// The mail of a piece of work; `None`: it is not wanted any more.
pub(crate) async fn mail_of(
    tx: &mut Conn,
    kit: &Kit,
    home: &Association,
    job: &Job,
) -> Result<Built, StoreError> {
    match job.kind.as_str() {
        "cover_ask" => ask(tx, kit, home, job).await,
        "cover_summary" => summary(tx, kit, home, job).await,
        _ => told_mail(tx, kit, home, job).await,
    }
}

async fn ask(tx: &mut Conn, kit: &Kit, home: &Association, job: &Job) -> Result<Built, StoreError> {
    let AskBody { request, member, link } = body(job)?;
    let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(kit.now));
    let case = case_by_id(tx, &home.id, &request).await?;
    let mut link = link_by_id(tx, &home.id, &link).await?;
    if link.as_ref().is_some_and(|l| l.voided.is_some() || l.consumed.is_some() || l.expires <= kit.now) {
        // Of an earlier mail of the same cover: this one carries a link that opens.
        let expires = kit.now.plus_s(kit.rules.offer_life_max_s);
        let fresh = make_link(tx, kit, &home.id, &member, Some(&request), expires).await?;
        link = link_by_id(tx, &home.id, &fresh).await?;
    }
    let (Some(person), Some(case), Some(link)) = (person, case, link) else { return Ok(None) };
    let mut slots = asked_now(tx, &home.id, &request, &member).await?;
    slots.retain(|(_, slot)| slot.offers.get(&member).is_some_and(|o| o.state == OfferState::Pending));
    let Some(begins) = slots.first().map(|(slot, _)| slot.window.from) else { return Ok(None) };
    for (slot, request) in &slots {
        let number = request.offers.get(&member).map_or(0, |o| o.attempts);
        let key = AttemptKey { request: &slot.request, person: &member, number, channel: Channel::Mail };
        attempt_save(tx, &home.id, &key, "sending", job.tries, None, None).await?;
    }
    let duty = slots
        .iter()
        .all(|(_, request)| request.offers.get(&member).is_some_and(|o| is_duty_step(request, o.step)));
    let pillar = slots.iter().all(|(_, request)| {
        request.offers.get(&member).is_some_and(|o| pillar_of_step(request, o.step).is_some())
    });
    let facts = facts_of(&case)?;
    let count = u32::try_from(slots.len()).unwrap_or(u32::MAX);
    let lang = person.lang;
    let built = (|| {
        Ok(Mail::CoverAsk {
            ask: match (duty, pillar) {
                (true, _) => CoverAsk::Duty,
                (false, true) => CoverAsk::Pillar,
                (false, false) => CoverAsk::Volunteer,
            },
            case: CaseNumber::new(&case.case_no)?,
            area: CoarseArea::new(if facts.area.is_empty() { "-" } else { &facts.area })?,
            slots: count,
            begins: deadline(begins, job.created, home, lang)?,
            link: personal_link(kit, &link, home, lang)?,
        })
    })();
    Ok(Some((person, built, request)))
}

/// Whether what a mail says is still so in the moment in which it is sent.
fn still_true(what: &str, request: &Request) -> bool {
    match what {
        "confirm" => matches!(request.state, State::Reported { .. }),
        "open" | "again" => request.state.is_open(),
        _ => true,
    }
}

async fn told_mail(tx: &mut Conn, kit: &Kit, home: &Association, job: &Job) -> Result<Built, StoreError> {
    let TellBody { request, member, what, begins } = body(job)?;
    let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(kit.now));
    let case = case_by_id(tx, &home.id, &request).await?;
    let loaded = request_load(tx, &home.id, &request).await?;
    let (Some(person), Some(case), Some(loaded)) = (person, case, loaded) else { return Ok(None) };
    let what = WHATS.into_iter().find(|known| *known == what);
    let what = what.ok_or_else(|| StoreError::corrupt("job", &job.id, "what".to_owned()))?;
    if !still_true(what, &loaded.request) {
        return Ok(None);
    }
    let built = notice(kit, home, job, &person, (what, &case.case_no, begins), &request);
    Ok(Some((person, built, request)))
}

/// A pillar took a slot and may not be rung for it any more.
pub(super) const PILLAR: &str = "pillar";

/// Everything a mail about a cover can say.
const WHATS: [&str; 11] = [
    PILLAR,
    "open",
    "taken",
    "other",
    "withdrawn",
    "report_due",
    "again",
    "unfilled",
    "filled",
    "confirm",
    "summary",
];

fn notice(
    kit: &Kit,
    home: &Association,
    job: &Job,
    person: &Member,
    (what, case_no, begins): (&'static str, &str, Millis),
    request: &RequestId,
) -> Result<Mail, NotEnvelope> {
    Ok(Mail::Cover {
        what,
        case: CaseNumber::new(case_no)?,
        begins: deadline(begins, job.created, home, person.lang)?,
        page: MailLink::new(format!("{}/covers/{request}", kit.rules.base_url))?,
    })
}

/// The morning after: one mail, whatever happened. Not of a cover that was taken back or never found anybody.
async fn summary(tx: &mut Conn, kit: &Kit, home: &Association, job: &Job) -> Result<Built, StoreError> {
    let SummaryBody { request, member } = body(job)?;
    let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(kit.now));
    let case = case_by_id(tx, &home.id, &request).await?;
    let loaded = request_load(tx, &home.id, &request).await?;
    let (Some(person), Some(case), Some(loaded)) = (person, case, loaded) else { return Ok(None) };
    if matches!(loaded.request.state, State::Withdrawn { .. } | State::Expired { .. } | State::Closed { .. })
    {
        return Ok(None);
    }
    let what = ("summary", case.case_no.as_str(), loaded.request.window.from);
    let built = notice(kit, home, job, &person, what, &request);
    Ok(Some((person, built, request)))
}

/// After a mail that asked was handed over or given up: the machine hears of each slot that it carried.
pub(crate) async fn told_machine(
    tx: &mut Conn,
    kit: &Kit,
    job: &Job,
    end: &JobEnd,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let AskBody { request, member, .. } = body(job)?;
    let association = &job.association;
    let who = Who::runner(association);
    for (slot, loaded) in asked_now(tx, association, &request, &member).await? {
        let Some(attempt) = loaded.offers.get(&member).map(|o| o.attempts) else { continue };
        let carried = attempts_of(tx, association, &slot.request).await?;
        let carried = carried
            .iter()
            .any(|a| a.person == member && a.number == i64::from(attempt) && a.state == "sending");
        if !carried {
            continue;
        }
        let (event, action, state) = match end {
            JobEnd::Done => (Event::Delivered { person: member.clone(), attempt }, "offer.sent", "sent"),
            JobEnd::Dead(_) => {
                (Event::Undeliverable { person: member.clone(), attempt }, "offer.undeliverable", "failed")
            }
            JobEnd::Moot | JobEnd::Retry(..) | JobEnd::GivenBack => continue,
        };
        let key =
            AttemptKey { request: &slot.request, person: &member, number: attempt, channel: Channel::Mail };
        attempt_save(tx, association, &key, state, job.tries, Some(kit.now), detail).await?;
        let act = Act { action, detail: json!({ "member": member.as_str(), "attempt": attempt }) };
        apply(tx, kit, &who, &slot.request, event, &act).await?;
    }
    Ok(())
}
