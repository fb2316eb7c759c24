//! Answering an offer through the API, or in somebody's name: by PIN, or by whoever may act for them.

use serde::{Deserialize, Serialize};

use super::super::access::{PinCheck, pin_stands, read_pin};
use super::super::people::ApiWrongPin;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::{Choice, answer_in};
use crate::domain::dispatch::{Answer, OfferState, Proof};
use crate::ids::{MemberId, OfferId, RequestId};
use crate::planted::{self, Bug};
use crate::store::dispatch::offer_by_id;
use crate::store::people::{Member, member_by_id, member_pin_right};
use crate::store::requests::case_by_id;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

struct AnswerByApi {
    kit: Kit,
    who: Who,
    offer: OfferId,
    proof: Proof,
    /// How the answer came to whoever types it in somebody's name.
    channel: Option<&'static str>,
    pin_version: Option<i64>,
    choice: Choice,
}

/// What the API says to an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiAnswer {
    pub answer: Answer,
    pub request: RequestId,
    pub member: MemberId,
    /// The offer's state after it.
    pub state: String,
    /// How long a hold lasts.
    pub until: Option<Millis>,
}

/// How an answer through the API ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiAnswered {
    Answered(ApiAnswer),
    PinMalformed,
    /// Counted; nothing else changed.
    PinWrong,
    /// Too many wrong PINs in a row: the office helps.
    PinLocked,
}

impl Command for AnswerByApi {
    type Output = Option<ApiAnswer>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(offer) = offer_by_id(tx, association, &self.offer).await? else {
            return Ok(None);
        };
        let member = member_by_id(tx, association, &offer.person).await?.filter(|m| m.is_active(kit.now));
        let stands = |m: &Member| self.pin_version.is_none_or(|v| pin_stands(kit, m, v));
        let Some(member) = member.filter(stands) else {
            return Ok(None);
        };
        // Of five hundred who say yes at once, all but the first are told so from two rows: the machine, which
        // would say the same, needs all five hundred offers loaded.
        let mut taken = false;
        let looks = !planted::is(Bug::QuotaReadThenWrite) && matches!(self.choice, Choice::Accept { .. });
        if looks && offer.state == OfferState::Full.code() {
            let case = case_by_id(tx, association, &offer.request).await?;
            taken = case.is_some_and(|c| matches!(c.state.as_str(), "taken" | "reported" | "closed"));
        }
        let answer = if taken {
            Some(Answer::Taken)
        } else {
            let proven = (self.proof, self.channel);
            answer_in(tx, kit, &self.who, &offer.request, &member.id, proven, &self.choice).await?
        };
        let Some(answer) = answer else {
            return Ok(None);
        };
        if self.pin_version.is_some() {
            member_pin_right(tx, association, &member.id).await?;
        }
        let after = offer_by_id(tx, association, &self.offer).await?;
        Ok(after.map(|after| ApiAnswer {
            answer,
            request: after.request,
            member: member.id,
            until: after.offer.held_until,
            state: after.state,
        }))
    }
}

/// How an answer through the API was proven.
#[derive(Clone, Debug)]
pub enum ApiProof {
    /// The person's PIN, typed.
    Pin(String),
    /// A key that may act for others.
    ActFor,
}

impl App {
    /// Answers an offer through the API.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's; [`AppError::Busy`].
    pub async fn offer_answer(
        &self,
        who: &Who,
        offer: &OfferId,
        choice: Choice,
        proof: ApiProof,
        key: Option<&Key>,
    ) -> Result<ApiAnswered, AppError> {
        if let Some(before) = self.replayed::<Option<ApiAnswer>>(who, key).await? {
            return before.map(ApiAnswered::Answered).ok_or(AppError::NotFound);
        }
        let (proof, pin_version) = match proof {
            ApiProof::ActFor => (Proof::ActFor, None),
            ApiProof::Pin(typed) => {
                let mut conn = self.db.read().await?;
                let row = offer_by_id(&mut conn, &who.association, offer).await?.ok_or(AppError::NotFound)?;
                let member = member_by_id(&mut conn, &who.association, &row.person).await?;
                let member = member.ok_or(AppError::NotFound)?;
                drop(conn);
                if member.pin_failures >= self.rules.pin_tries_total {
                    return Ok(ApiAnswered::PinLocked);
                }
                let Ok(pin) = read_pin(Some(&typed)) else {
                    return Ok(ApiAnswered::PinMalformed);
                };
                match self.pin_check(&who.association, &member, pin).await? {
                    PinCheck::Right(version) => (Proof::Pin, Some(version)),
                    PinCheck::Wrong => {
                        let wrong = ApiWrongPin::new(self.kit(), who.clone(), member.id);
                        self.db.run(wrong).await?;
                        return Ok(ApiAnswered::PinWrong);
                    }
                }
            }
        };
        let kit = self.kit();
        let command = AnswerByApi {
            kit: kit.clone(),
            who: who.clone(),
            offer: offer.clone(),
            proof,
            channel: None,
            pin_version,
            choice,
        };
        let answer = self.run_once(&kit, who, key, command).await?.into_inner();
        answer.map(ApiAnswered::Answered).ok_or(AppError::NotFound)
    }

    /// Answers an offer for somebody who told the office by `channel`: `phone` or `fax`. Both stand in the
    /// audit: who typed it and whose answer it is.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn offer_answer_for(
        &self,
        who: &Who,
        offer: &OfferId,
        choice: Choice,
        channel: &'static str,
        key: Option<&Key>,
    ) -> Result<ApiAnswer, AppError> {
        let kit = self.kit();
        let command = AnswerByApi {
            kit: kit.clone(),
            who: who.clone(),
            offer: offer.clone(),
            proof: Proof::ActFor,
            channel: Some(channel),
            pin_version: None,
            choice,
        };
        self.run_once(&kit, who, key, command).await?.into_inner().ok_or(AppError::NotFound)
    }
}
