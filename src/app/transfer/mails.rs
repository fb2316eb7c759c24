//! Mails about a transfer: who is told what, and the words of those that ask. Nothing of a patient and nobody's name is
//! in them.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::super::mail_texts::{
    CaseNumber, CoarseArea, Link as MailLink, Mail, Moment, NotEnvelope, TransferAsk,
};
use super::super::outbox::personal_link;
use super::super::{Kit, say};
use super::facts_of;
use crate::domain::dispatch::{Kind, Mode, Notice, Request, State};
use crate::domain::transfer::AskedAs;
use crate::i18n::Lang;
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId};
use crate::store::access::Link;
use crate::store::dispatch::{offer_of, request_load};
use crate::store::jobs::{Job, Lane, NewJob, job_add};
use crate::store::people::{Association, Member, member_by_id};
use crate::store::requests::{Case, case_by_id};
use crate::store::transfers::physicians_of_clinic;
use crate::store::{Conn, StoreError};

#[derive(Deserialize)]
struct TellBody {
    request: RequestId,
    member: MemberId,
    what: String,
}

/// Everything a mail about a transfer or a message can say.
const WHATS: [&str; 17] = [
    "accepted",
    "taken",
    "other",
    "withdrawn",
    "refused",
    "decided",
    "date_due",
    "again",
    "dated",
    "close",
    "thanks",
    "expired",
    "contact_answered",
    "contact_withdrawn",
    "contact_other",
    "contact_expired",
    "contact_handled",
];

/// What a notice about a message says.
const fn told_of_message(notice: Notice) -> Option<&'static str> {
    Some(match notice {
        Notice::Accepted => "contact_answered",
        Notice::TakenByAnother => "contact_other",
        Notice::Withdrawn => "contact_withdrawn",
        Notice::Expired => "contact_expired",
        _ => return None,
    })
}

/// What a notice says; `None`: nothing that its page does not say in time.
const fn told(notice: Notice) -> Option<&'static str> {
    Some(match notice {
        Notice::Accepted => "accepted",
        Notice::Receipt => "taken",
        Notice::TakenByAnother => "other",
        Notice::Withdrawn | Notice::Void | Notice::Undone => "withdrawn",
        Notice::Refused => "refused",
        Notice::AnswerDue => "date_due",
        Notice::AskingAgain | Notice::ReleasedLate => "again",
        Notice::Answered => "dated",
        Notice::PleaseClose => "close",
        Notice::Thanks => "thanks",
        Notice::Expired => "expired",
        Notice::Told | Notice::PleaseChoose => return None,
    })
}

/// Has somebody told of a transfer. What the asker hears of a clinic that takes the patient over, the attending doctor
/// hears too.
pub(crate) async fn tell(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
    person: &MemberId,
    notice: Notice,
) -> Result<(), StoreError> {
    let message = request.kind == Kind::Contact;
    let what = if message { told_of_message(notice) } else { told(notice) };
    let Some(what) = what else { return Ok(()) };
    if matches!(what, "other" | "contact_other")
        && offer_of(tx, association, &request.id, person).await?.is_none_or(|o| o.opened.is_none())
    {
        // Nobody who never looked is bothered with the end of it.
        return Ok(());
    }
    let mut people = BTreeSet::from([person.clone()]);
    if *person == request.asker && matches!(what, "accepted" | "dated" | "again") {
        people.extend(attending_of(tx, kit, association, request).await?);
    }
    for person in people {
        enqueue(tx, kit, association, request, &person, what).await?;
    }
    Ok(())
}

/// Has the attending doctor told, who did not do it himself.
pub(super) async fn tell_attending(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
    what: &'static str,
) -> Result<(), StoreError> {
    for person in attending_of(tx, kit, association, request).await? {
        enqueue(tx, kit, association, request, &person, what).await?;
    }
    Ok(())
}

/// Those of the attending doctor's clinic whom the request asked, or who asked; where nobody was, all of them.
async fn attending_of(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
) -> Result<Vec<MemberId>, StoreError> {
    let Some(case) = case_by_id(tx, association, &request.id).await? else { return Ok(Vec::new()) };
    let clinic = clinic_of(&case)?;
    let here = physicians_of_clinic(tx, association, &clinic, kit.now).await?;
    if here.contains(&request.asker) {
        return Ok(vec![request.asker.clone()]);
    }
    Ok(here)
}

/// The attending doctor's clinic, of a transfer or of a message.
fn clinic_of(case: &Case) -> Result<InstitutionId, StoreError> {
    if case.kind == Kind::Contact.code() {
        return super::super::contact::facts_of(case).map(|facts| facts.clinic);
    }
    facts_of(case).map(|facts| facts.clinic)
}

async fn enqueue(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
    person: &MemberId,
    what: &str,
) -> Result<(), StoreError> {
    let job = NewJob {
        lane: Lane::Mail,
        kind: "transfer_tell",
        key: format!("transfer_tell:{}:{person}:{what}:{}", request.id, kit.now.0),
        body: json!({ "request": request.id.as_str(), "member": person.as_str(), "what": what }),
        due: kit.now,
    };
    job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await
}

/// Whether what a mail says is still so in the moment in which it is sent.
fn still_true(what: &str, request: &Request) -> bool {
    match what {
        "close" => matches!(request.state, State::Reported { .. }),
        "date_due" => matches!(request.state, State::Taken { .. }),
        "again" => request.state.is_open(),
        _ => true,
    }
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
    let TellBody { request, member, what } =
        serde_json::from_str(&job.body).map_err(|e| StoreError::corrupt("job", &job.id, e))?;
    let person = member_by_id(tx, &home.id, &member).await?.filter(|m| m.is_active(kit.now));
    let case = case_by_id(tx, &home.id, &request).await?;
    let loaded = request_load(tx, &home.id, &request).await?;
    let (Some(person), Some(case), Some(loaded)) = (person, case, loaded) else { return Ok(None) };
    let what = WHATS.into_iter().find(|known| *known == what);
    let what = what.ok_or_else(|| StoreError::corrupt("job", &job.id, "what".to_owned()))?;
    if !still_true(what, &loaded.request) {
        return Ok(None);
    }
    let place = if loaded.request.kind == Kind::Contact { "contacts" } else { "transfers" };
    let built = (|| {
        Ok(Mail::Transfer {
            what,
            case: CaseNumber::new(&case.case_no)?,
            page: MailLink::new(format!("{}/{place}/{request}", kit.rules.base_url))?,
        })
    })();
    Ok(Some((person, built, request)))
}

/// The mail that asks somebody about a transfer.
pub(crate) fn asked(
    kit: &Kit,
    home: &Association,
    (request, case): (&Request, &Case),
    (person, link): (&MemberId, &Link),
    lang: Lang,
) -> Result<Mail, NotEnvelope> {
    let unfit = || NotEnvelope { what: "transfer" };
    let message = request.kind == Kind::Contact;
    let area =
        if message { String::new() } else { facts_of(case).map(|facts| facts.area).map_err(|_| unfit())? };
    let offer = request.offers.get(person).ok_or_else(unfit)?;
    let ask = match AskedAs::of(request, person).ok_or_else(unfit)? {
        AskedAs::Attending if message => TransferAsk::Message,
        AskedAs::Officer if message => TransferAsk::Unanswered,
        AskedAs::Attending => TransferAsk::Attending,
        AskedAs::Officer => TransferAsk::Officer,
        AskedAs::Receiver => TransferAsk::Receiver,
    };
    // After this moment the officer is asked; a late word of the attending doctor still counts until then.
    let waits = |s: &&crate::domain::dispatch::Step| {
        s.wait_s > 0 && (message || (s.mode == Mode::Gate && !offer.decider))
    };
    let gate = request.step(offer.step).filter(waits);
    let until = gate.map_or(request.answer_by, |step| offer.asked_at.plus_s(step.wait_s));
    Ok(Mail::TransferAsk {
        ask,
        case: CaseNumber::new(&case.case_no)?,
        area: CoarseArea::new(if area.is_empty() { "-".to_owned() } else { area })?,
        answer_by: Moment::new(say::moment(until.min(request.answer_by), home.zone, lang))?,
        link: personal_link(kit, link, home, lang)?,
    })
}
