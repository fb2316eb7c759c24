//! What stands behind the link of a mail that asks to cover, and the answer to it: slot by slot, with one proof.

use serde::{Deserialize, Serialize};

use super::super::access::{Cookies, NewAccess, pin_stands, write_access};
use super::super::answers::{Choice, DOUBLE_TAP_MS, Ended, LinkAnswer, ProvenOn, answer_in};
use super::super::{App, AppError, Kit, Who};
use super::asked_now;
use super::lists::CoverCase;
use crate::domain::dispatch::{Answer, Proof, Terms};
use crate::ids::{DeviceId, MemberId, RequestId};
use crate::seal::Secret;
use crate::store::access::{Link, LinkPurpose, link_by_id, link_consume};
use crate::store::enrolment::device_used;
use crate::store::people::{Association, Member, member_by_id, member_pin_right};
use crate::store::{Command, Conn, StoreError};

/// A cover behind a mailed link, as it can be answered.
#[derive(Debug)]
pub struct OpenCover {
    pub association: Association,
    pub member: Member,
    pub case: CoverCase,
    /// The slots that can still be answered, by time.
    pub slots: Vec<RequestId>,
}

/// What became of each slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub slot: RequestId,
    pub accept: bool,
    pub answer: Answer,
}

/// How an answer behind the link of a cover ended.
#[derive(Debug)]
pub enum CoverAnswered {
    Answered {
        cover: RequestId,
        outcomes: Vec<Outcome>,
        session: Option<Secret>,
        device: Option<Secret>,
    },
    /// As for every other link: a wrong PIN, a link that is over.
    Not(Box<LinkAnswer>),
    /// No slot was chosen.
    Nothing,
}

struct AnswerCover {
    kit: Kit,
    link: Link,
    cover: RequestId,
    proof: Proof,
    pin_version: Option<i64>,
    chosen: Vec<(RequestId, bool)>,
    access: Option<NewAccess>,
    device: Option<DeviceId>,
}

impl Command for AnswerCover {
    /// `None`: the link is over.
    type Output = Option<Vec<Outcome>>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, person) = (&self.kit, &self.link.association, &self.link.member);
        let Some(link) = link_by_id(tx, association, &self.link.id).await? else { return Ok(None) };
        // Looked at again in the transaction, as for every other link.
        let double_tap = link.consumed.is_some_and(|at| kit.now.since_ms(at) < DOUBLE_TAP_MS);
        let fresh = link.consumed.is_none() && link.voided.is_none() && kit.now < link.expires;
        let locked = self.pin_version.is_some() && link.wrong_pins >= kit.rules.pin_tries_per_link;
        if locked || !(fresh || double_tap) {
            return Ok(None);
        }
        let member = member_by_id(tx, association, person).await?.filter(|m| m.is_active(kit.now));
        if !member.is_some_and(|m| self.pin_version.is_none_or(|v| pin_stands(kit, &m, v))) {
            return Ok(None);
        }
        let who = Who::member(association, person);
        let outcomes =
            answer_all(tx, kit, &who, &self.cover, person, (self.proof, None), &self.chosen).await?;
        if let Some(device) = &self.device {
            device_used(tx, association, device, kit.now).await?;
        }
        if self.pin_version.is_some() {
            member_pin_right(tx, association, person).await?;
        }
        if asked_now(tx, association, &self.cover, person).await?.is_empty() {
            link_consume(tx, association, &link.id, kit.now).await?;
        }
        let took = outcomes.iter().any(|o| o.accept && matches!(o.answer, Answer::Done | Answer::Already));
        if let (Some(access), true) = (&self.access, took) {
            write_access(tx, kit, association, person, access).await?;
        }
        Ok(Some(outcomes))
    }
}

/// Answers slots of one cover, in the order of the page.
async fn answer_all(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    cover: &RequestId,
    person: &MemberId,
    proven: (Proof, Option<&str>),
    chosen: &[(RequestId, bool)],
) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(chosen.len());
    for (slot, accept) in chosen {
        // A slot of another cover is none of this link's.
        let here = crate::store::cover::cover_slot(tx, &who.association, slot).await?;
        if here.is_none_or(|here| here.parent != *cover) {
            continue;
        }
        let choice =
            if *accept { Choice::Accept { terms: Terms::Plain } } else { Choice::Decline { reason: None } };
        if let Some(answer) = answer_in(tx, kit, who, slot, person, proven, &choice).await? {
            outcomes.push(Outcome { slot: slot.clone(), accept: *accept, answer });
        }
    }
    Ok(outcomes)
}

struct AnswerFor {
    kit: Kit,
    who: Who,
    cover: RequestId,
    member: MemberId,
    channel: &'static str,
    chosen: Vec<(RequestId, bool)>,
}

impl Command for AnswerFor {
    type Output = Vec<Outcome>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let proven = (Proof::ActFor, Some(self.channel));
        answer_all(tx, &self.kit, &self.who, &self.cover, &self.member, proven, &self.chosen).await
    }
}

impl App {
    /// Answers slots behind a mailed link; each of them for itself.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn cover_link_answer(
        &self,
        token: &str,
        chosen: Vec<(RequestId, bool)>,
        pin: Option<&str>,
        device: Option<&str>,
        remember: bool,
    ) -> Result<CoverAnswered, AppError> {
        let link = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::Offer);
        let Some((link, cover)) = link.and_then(|l| l.request.clone().map(|r| (l, r))) else {
            return Ok(CoverAnswered::Not(Box::new(LinkAnswer::Unknown)));
        };
        if chosen.is_empty() {
            return Ok(CoverAnswered::Nothing);
        }
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        drop(conn);
        let Some(member) = member else { return Ok(CoverAnswered::Not(Box::new(LinkAnswer::Unknown))) };
        let proven = match self.prove_on(&link, &member, pin, device, remember).await? {
            Ok(proven) => proven,
            Err(answer) => return Ok(CoverAnswered::Not(Box::new(answer))),
        };
        let ProvenOn { proof, pin_version, access, cookies, device } = proven;
        let command = AnswerCover {
            kit: self.kit(),
            link: link.clone(),
            cover: cover.clone(),
            proof,
            pin_version,
            chosen,
            access,
            device,
        };
        let Some(outcomes) = self.db.run(command).await? else {
            return Ok(CoverAnswered::Not(Box::new(self.link_over(&link, Some(Ended::Expired)).await?)));
        };
        let took = outcomes.iter().any(|o| o.accept && matches!(o.answer, Answer::Done | Answer::Already));
        let cookies: Option<Cookies> = cookies.filter(|_| took);
        let (session, device) = cookies.map_or((None, None), |c| (Some(c.session), c.device));
        Ok(CoverAnswered::Answered { cover, outcomes, session, device })
    }

    /// Answers slots for somebody who told the office by `channel`: `phone` or `fax`.
    ///
    /// # Errors
    /// The store's.
    pub async fn cover_answer_for(
        &self,
        who: &Who,
        cover: &RequestId,
        member: &MemberId,
        chosen: Vec<(RequestId, bool)>,
        channel: &'static str,
        key: Option<&super::Key>,
    ) -> Result<Vec<Outcome>, AppError> {
        let kit = self.kit();
        let answer = AnswerFor {
            kit: kit.clone(),
            who: who.clone(),
            cover: cover.clone(),
            member: member.clone(),
            channel,
            chosen,
        };
        Ok(self.run_once(&kit, who, key, answer).await?.into_inner())
    }
}
