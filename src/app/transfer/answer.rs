//! What people say to a transfer: the attending doctor's yes or no, the officer's decision with its reason, the clinic
//! that takes the patient over; and to a message, in a word. Behind a mailed link, signed in with the PIN, or typed in by the office.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::{NewAccess, PinCheck, pin_stands, read_pin, write_access};
use super::super::answers::{DOUBLE_TAP_MS, Ended, LinkAnswer, ProvenOn};
use super::super::flow::{Act, apply};
use super::super::people::ApiWrongPin;
use super::super::replay::Key;
use super::super::views::Names;
use super::super::{App, AppError, Kit, Who};
use super::{facts_of, mails, say};
use crate::domain::consult::{Wrong, text_within};
use crate::domain::contact::REPLIES;
use crate::domain::dispatch::{Answer, Event, Kind, Proof, Request, Rule, Terms};
use crate::domain::transfer::{AskedAs, TransferFacts};
use crate::ids::{AssociationId, DeviceId, MemberId, RequestId};
use crate::seal::Secret;
use crate::store::access::{Link, LinkPurpose, link_by_id, link_consume};
use crate::store::dispatch::request_load;
use crate::store::enrolment::device_used;
use crate::store::people::{Association, Member, member_by_id, member_pin_right};
use crate::store::requests::{Case, case_by_id};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Characters of the words that go with an answer.
pub const WORDS_MAX: usize = 500;

/// What somebody says to a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferSaid {
    pub yes: bool,
    /// To the asker: needed with a no of the attending doctor and with every decision of the officer; sealed.
    pub words: String,
    /// "主治医へ連絡した", and when: needed to take a patient over.
    pub informed: Option<Millis>,
    /// To a message: a code of [`REPLIES`].
    #[serde(default)]
    pub reply: Option<String>,
}

/// A transfer behind a mailed link, as it can be answered: nothing of the patient.
#[derive(Debug)]
pub struct OpenTransfer {
    pub association: Association,
    pub member: Member,
    pub case: Case,
    pub facts: TransferFacts,
    pub request: Request,
    pub asked_as: AskedAs,
    /// The asker and the clinics by name; shown to the attending doctor and the officer.
    pub names: Names,
}

/// What shows whose answer it is.
#[derive(Clone, Copy, Debug)]
pub enum AnsweredBy<'a> {
    /// The person's PIN, typed.
    Pin(&'a str),
    /// The person signed in with a passkey, or a password and a code.
    Strong,
    /// The person signed in, by whatever means: enough for a word that answers a message, never for a transfer.
    Session,
    /// Told to the office by this channel: `phone` or `fax`.
    Office(&'static str),
}

/// How an answer to a transfer ended.
#[derive(Debug)]
pub enum TransferAnswered {
    Answered {
        request: RequestId,
        asked_as: AskedAs,
        session: Option<Secret>,
        device: Option<Secret>,
    },
    /// The PIN was right; nothing was answered.
    Proven {
        request: RequestId,
        session: Option<Secret>,
        device: Option<Secret>,
    },
    /// As for every other link: a wrong PIN, a link that is over.
    Not(Box<LinkAnswer>),
    /// A field that cannot be taken: `words`, `reply`.
    Wrong(&'static str, Wrong),
    /// A rule stands against it: nothing happened.
    Refused(Rule),
    /// Others were quicker, or it is over.
    Late(Answer),
    PinMissing,
    PinMalformed,
    PinWrong,
    PinLocked,
}

/// What became of it within the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Said {
    Answered {
        officer: bool,
        receiver: bool,
        answer: Answer,
    },
    WordsMissing,
    ReplyMissing,
    /// No such request, or this person was not asked, or is not here any more.
    NotAsked,
    LinkOver,
}

impl Said {
    const fn is_done(self) -> bool {
        matches!(self, Self::Answered { answer: Answer::Done | Answer::Already, .. })
    }
}

async fn answer(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    (id, person): (&RequestId, &MemberId),
    (proof, channel): (Proof, Option<&str>),
    said: &TransferSaid,
) -> Result<Said, StoreError> {
    let association = &who.association;
    let loaded = request_load(tx, association, id).await?;
    let loaded = loaded.filter(|l| matches!(l.request.kind, Kind::Transfer | Kind::Contact));
    let message = loaded.as_ref().is_some_and(|l| l.request.kind == Kind::Contact);
    let asked_as = loaded.as_ref().and_then(|l| AskedAs::of(&l.request, person));
    let Some(asked_as) = asked_as else { return Ok(Said::NotAsked) };
    let reply = said.reply.as_deref().and_then(|code| REPLIES.into_iter().find(|known| *known == code));
    // A reply belongs to a message and to nothing else: it may have been proven by less.
    if said.reply.is_some() != message || (message && (reply.is_none() || !said.yes)) {
        return Ok(Said::ReplyMissing);
    }
    let needed = match asked_as {
        _ if message => false,
        AskedAs::Attending => !said.yes,
        AskedAs::Officer => true,
        AskedAs::Receiver => false,
    };
    if needed && said.words.trim().is_empty() {
        return Ok(Said::WordsMissing);
    }
    let terms = match (asked_as, said.informed) {
        (AskedAs::Receiver, Some(at)) => Terms::Informed { at },
        _ => Terms::Plain,
    };
    let (event, action) = if said.yes {
        (Event::Accept { person: person.clone(), proof, terms: terms.clone() }, "offer.accept")
    } else {
        (Event::Decline { person: person.clone() }, "offer.decline")
    };
    let detail = json!({
        "member": person.as_str(), "as": asked_as.code(), "proof": proof, "terms": terms,
        "words": !said.words.trim().is_empty(), "channel": channel, "reply": reply,
    });
    let Some(moved) = apply(tx, kit, who, id, event, &Act { action, detail }).await? else {
        return Ok(Said::NotAsked);
    };
    if moved.changed {
        if let Some(reply) = reply.filter(|_| message) {
            say(tx, kit, association, id, (person, reply, said.words.trim())).await?;
        } else if !said.words.trim().is_empty() {
            let outcome = format!("{}_{}", asked_as.code(), if said.yes { "yes" } else { "no" });
            say(tx, kit, association, id, (person, &outcome, said.words.trim())).await?;
        }
        if asked_as == AskedAs::Officer {
            let what = if message { "contact_handled" } else { "decided" };
            mails::tell_attending(tx, kit, association, &moved.request, what).await?;
        }
    }
    Ok(Said::Answered {
        officer: asked_as == AskedAs::Officer,
        receiver: asked_as == AskedAs::Receiver,
        answer: moved.answer,
    })
}

struct ByLink {
    kit: Kit,
    link: Link,
    request: RequestId,
    proof: Proof,
    pin_version: Option<i64>,
    /// `None`: only to be let in.
    said: Option<TransferSaid>,
    access: Option<NewAccess>,
    device: Option<DeviceId>,
}

impl Command for ByLink {
    type Output = Said;

    async fn apply(&self, tx: &mut Conn) -> Result<Said, StoreError> {
        let (kit, association, person) = (&self.kit, &self.link.association, &self.link.member);
        let Some(link) = link_by_id(tx, association, &self.link.id).await? else {
            return Ok(Said::LinkOver);
        };
        // Looked at again in the transaction, as for every other link.
        let double_tap = link.consumed.is_some_and(|at| kit.now.since_ms(at) < DOUBLE_TAP_MS);
        let fresh = link.consumed.is_none() && link.voided.is_none() && kit.now < link.expires;
        let locked = self.pin_version.is_some() && link.wrong_pins >= kit.rules.pin_tries_per_link;
        if locked || !(fresh || double_tap) {
            return Ok(Said::LinkOver);
        }
        let member = member_by_id(tx, association, person).await?.filter(|m| m.is_active(kit.now));
        if !member.is_some_and(|m| self.pin_version.is_none_or(|v| pin_stands(kit, &m, v))) {
            return Ok(Said::LinkOver);
        }
        let who = Who::member(association, person);
        let answered = match &self.said {
            Some(said) => answer(tx, kit, &who, (&self.request, person), (self.proof, None), said).await?,
            None => Said::Answered { officer: false, receiver: false, answer: Answer::Done },
        };
        if let Some(device) = &self.device {
            device_used(tx, association, device, kit.now).await?;
        }
        if self.pin_version.is_some() {
            member_pin_right(tx, association, person).await?;
        }
        if answered.is_done() {
            if self.said.is_some() {
                link_consume(tx, association, &link.id, kit.now).await?;
            }
            if let Some(access) = &self.access {
                write_access(tx, kit, association, person, access).await?;
            }
        }
        Ok(answered)
    }
}

struct InPerson {
    kit: Kit,
    who: Who,
    id: RequestId,
    member: MemberId,
    proof: Proof,
    channel: Option<&'static str>,
    pin_version: Option<i64>,
    said: TransferSaid,
}

impl Command for InPerson {
    type Output = Said;

    async fn apply(&self, tx: &mut Conn) -> Result<Said, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let member = member_by_id(tx, association, &self.member).await?;
        let stands = |m: &Member| {
            m.is_active(kit.now) && self.pin_version.is_none_or(|version| pin_stands(kit, m, version))
        };
        if !member.as_ref().is_some_and(stands) {
            return Ok(Said::NotAsked);
        }
        let proven = (self.proof, self.channel);
        let answered = answer(tx, kit, &self.who, (&self.id, &self.member), proven, &self.said).await?;
        if self.pin_version.is_some() {
            member_pin_right(tx, association, &self.member).await?;
        }
        Ok(answered)
    }
}

/// What stands behind a link, where it is about a transfer.
pub(crate) async fn open_transfer(
    conn: &mut Conn,
    association: Association,
    member: Member,
    case: Case,
    request: Request,
) -> Result<Option<OpenTransfer>, StoreError> {
    let Some(asked_as) = AskedAs::of(&request, &member.id) else { return Ok(None) };
    let facts = facts_of(&case)?;
    let mut names = Names::default();
    names.add_member(conn, &association.id, &case.asker).await?;
    names.add_institution(conn, &association.id, &facts.clinic).await?;
    names.add_institution(conn, &association.id, &case.institution).await?;
    Ok(Some(OpenTransfer { association, member, case, facts, request, asked_as, names }))
}

/// Whether an answer to this request has to say more than yes or no, so that only its own page takes it.
pub(crate) async fn must_say_more(
    conn: &mut Conn,
    association: &AssociationId,
    id: &RequestId,
    person: &MemberId,
    yes: bool,
) -> Result<bool, StoreError> {
    let case = case_by_id(conn, association, id).await?;
    match case.and_then(|case| Kind::from_code(&case.kind)) {
        Some(Kind::Contact) => return Ok(true),
        Some(Kind::Transfer) => {}
        _ => return Ok(false),
    }
    let loaded = request_load(conn, association, id).await?;
    let asked_as = loaded.and_then(|l| AskedAs::of(&l.request, person));
    Ok(match asked_as {
        Some(AskedAs::Officer) => true,
        Some(AskedAs::Attending) => !yes,
        Some(AskedAs::Receiver) | None => false,
    })
}

const fn asked_as(said: Said) -> AskedAs {
    match said {
        Said::Answered { officer: true, .. } => AskedAs::Officer,
        Said::Answered { receiver: true, .. } => AskedAs::Receiver,
        _ => AskedAs::Attending,
    }
}

impl App {
    /// Answers a transfer behind a mailed link; without `said` the reader is only let in, to read what stands about
    /// the patient.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn transfer_link_answer(
        &self,
        token: &str,
        said: Option<TransferSaid>,
        pin: Option<&str>,
        device: Option<&str>,
        remember: bool,
    ) -> Result<TransferAnswered, AppError> {
        let unknown = || TransferAnswered::Not(Box::new(LinkAnswer::Unknown));
        let link = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::Offer);
        let Some((link, request)) = link.and_then(|l| l.request.clone().map(|r| (l, r))) else {
            return Ok(unknown());
        };
        if let Some(wrong) = said.as_ref().and_then(|s| text_within(&s.words, false, WORDS_MAX)) {
            return Ok(TransferAnswered::Wrong("words", wrong));
        }
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        drop(conn);
        let Some(member) = member else { return Ok(unknown()) };
        let proven = match self.prove_on(&link, &member, pin, device, remember).await? {
            Ok(proven) => proven,
            Err(answer) => return Ok(TransferAnswered::Not(Box::new(answer))),
        };
        let ProvenOn { proof, pin_version, access, cookies, device } = proven;
        let looks = said.is_none();
        let command = ByLink {
            kit: self.kit(),
            link: link.clone(),
            request: request.clone(),
            proof,
            pin_version,
            said,
            access,
            device,
        };
        let outcome = self.db.run(command).await?;
        let (session, device) = cookies
            .filter(|_| outcome.is_done())
            .map_or((None, None), |cookies| (Some(cookies.session), cookies.device));
        Ok(match outcome {
            Said::LinkOver | Said::NotAsked => {
                TransferAnswered::Not(Box::new(self.link_over(&link, Some(Ended::Expired)).await?))
            }
            Said::Answered { answer: Answer::Done | Answer::Already, .. } if looks => {
                TransferAnswered::Proven { request, session, device }
            }
            Said::Answered { answer: Answer::Done | Answer::Already, .. } => {
                TransferAnswered::Answered { request, asked_as: asked_as(outcome), session, device }
            }
            Said::Answered { answer: Answer::Refused { rule }, .. } => TransferAnswered::Refused(rule),
            Said::Answered { answer: Answer::Taken, .. } => {
                TransferAnswered::Not(Box::new(self.link_over(&link, Some(Ended::TakenByAnother)).await?))
            }
            Said::Answered { .. } => TransferAnswered::Not(Box::new(self.link_over(&link, None).await?)),
            Said::WordsMissing => TransferAnswered::Wrong("words", Wrong::Missing),
            Said::ReplyMissing => TransferAnswered::Wrong("reply", Wrong::NotAChoice),
        })
    }

    /// Answers a transfer: by somebody signed in, or by the office for somebody who told it.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn transfer_answer(
        &self,
        who: &Who,
        id: &RequestId,
        member: &MemberId,
        said: TransferSaid,
        by: AnsweredBy<'_>,
        key: Option<&Key>,
    ) -> Result<TransferAnswered, AppError> {
        if let Some(wrong) = text_within(&said.words, false, WORDS_MAX) {
            return Ok(TransferAnswered::Wrong("words", wrong));
        }
        let kit = self.kit();
        let (proof, channel, pin_version) = match by {
            AnsweredBy::Office(channel) => (Proof::ActFor, Some(channel), None),
            // A word to a message is no yes to anything.
            AnsweredBy::Session if said.reply.is_none() => return Ok(TransferAnswered::PinMissing),
            AnsweredBy::Strong | AnsweredBy::Session => (Proof::Device, None, None),
            AnsweredBy::Pin("") => return Ok(TransferAnswered::PinMissing),
            AnsweredBy::Pin(typed) => {
                let mut conn = self.db.read().await?;
                let found = member_by_id(&mut conn, &who.association, member).await?;
                drop(conn);
                let found = found.ok_or(AppError::NotFound)?;
                if found.pin_failures >= self.rules.pin_tries_total {
                    return Ok(TransferAnswered::PinLocked);
                }
                let Ok(pin) = read_pin(Some(typed)) else { return Ok(TransferAnswered::PinMalformed) };
                match self.pin_check(&who.association, &found, pin).await? {
                    PinCheck::Right(version) => (Proof::Pin, None, Some(version)),
                    PinCheck::Wrong => {
                        self.db.run(ApiWrongPin::new(kit, who.clone(), found.id)).await?;
                        return Ok(TransferAnswered::PinWrong);
                    }
                }
            }
        };
        let command = InPerson {
            kit: kit.clone(),
            who: who.clone(),
            id: id.clone(),
            member: member.clone(),
            proof,
            channel,
            pin_version,
            said,
        };
        let outcome = self.run_once(&kit, who, key, command).await?.into_inner();
        Ok(match outcome {
            Said::NotAsked | Said::LinkOver => return Err(AppError::NotFound),
            Said::WordsMissing => TransferAnswered::Wrong("words", Wrong::Missing),
            Said::ReplyMissing => TransferAnswered::Wrong("reply", Wrong::NotAChoice),
            Said::Answered { answer: Answer::Done | Answer::Already, .. } => TransferAnswered::Answered {
                request: id.clone(),
                asked_as: asked_as(outcome),
                session: None,
                device: None,
            },
            Said::Answered { answer: Answer::Refused { rule }, .. } => TransferAnswered::Refused(rule),
            Said::Answered { answer, .. } => TransferAnswered::Late(answer),
        })
    }
}
