//! Patients handed over (引継ぎ): asked for, agreed to by the attending doctor, taken over by a clinic, dated, closed.
//! `ask` opens requests, `answer` is what people say to them, `mails` tells people, `lists` what pages read. How a
//! request goes is `domain::dispatch`, who may be asked `domain::transfer`.

mod answer;
mod ask;
mod lists;
mod mails;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use answer::{AnsweredBy, OpenTransfer, TransferAnswered, TransferSaid, WORDS_MAX};
pub(crate) use answer::{must_say_more, open_transfer};
pub use lists::{Said, TransferBoard, TransferCase, TransferLine};
pub(crate) use mails::{asked, mail_of, tell};

pub(crate) use ask::TransferAsked;
pub(crate) use lists::{NoteRead, cases_of_kind};

use self::ask::AskTransfer;
use super::consult::{Asked, Asking};
use super::flow::{Act, apply};
use super::mail_texts::CoarseArea;
use super::replay::{Done, Key};
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::consult::{FieldWrong, Wrong, long_text, short_text};
use crate::domain::dispatch::{Answer, Event, Plan, Request};
use crate::domain::transfer::{NewTransfer, TransferFacts, TransferWorld};
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::people::association_by_id;
use crate::store::requests::{Case, Report, case_by_id, report_add};
use crate::store::secrets::Sealed;
use crate::store::transfers::{physicians_of_clinic, physicians_who_receive};
use crate::store::{Command, Conn, StoreError};

/// The plan that transfers start with.
pub const PLAN: &str = "transfer";

/// The outcome of the report that says from which day the patient is looked after.
pub const DATED: &str = "dated";

/// The days back that count as "asked of late".
const RECENT_S: i64 = 14 * 86_400;
/// A day of the handing over lies at most so many days back or ahead.
const DATED_DAYS_MAX: i64 = 366;

/// What is open of a transfer.
pub(crate) fn facts_of(case: &Case) -> Result<TransferFacts, StoreError> {
    serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))
}

/// The people a transfer may name, as they are in this transaction. `None`: its row is gone.
pub(crate) async fn transfer_world(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
) -> Result<Option<TransferWorld>, StoreError> {
    let Some(case) = case_by_id(conn, association, &request.id).await? else { return Ok(None) };
    let facts = facts_of(&case)?;
    let attending = physicians_of_clinic(conn, association, &facts.clinic, kit.now).await?;
    let recent = kit.now.plus_s(-RECENT_S);
    let receivers = physicians_who_receive(conn, association, kit.now, recent).await?;
    Ok(Some(TransferWorld { facts, attending, receivers }))
}

/// From which day a clinic looks after the patient (引継ぎ日), and a word to the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferDated {
    pub effective: CivilDate,
    pub note: String,
}

struct Date {
    kit: Kit,
    who: Who,
    id: RequestId,
    member: MemberId,
    dated: TransferDated,
    channel: &'static str,
}

impl Command for Date {
    /// `None`: there is no such request.
    type Output = Option<Answer>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let act = Act {
            action: "request.report",
            detail: json!({ "effective": self.dated.effective.to_string(), "channel": self.channel }),
        };
        let event = Event::Report { person: self.member.clone() };
        let Some(moved) = apply(tx, kit, &self.who, &self.id, event, &act).await? else { return Ok(None) };
        if moved.changed {
            let text =
                serde_json::to_string(&self.dated).map_err(|e| StoreError::corrupt("report", &self.id, e))?;
            say(tx, kit, association, &self.id, (&self.member, DATED, &text)).await?;
        }
        Ok(Some(moved.answer))
    }
}

/// Keeps what somebody said of a request, sealed.
async fn say(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    id: &RequestId,
    (member, outcome, text): (&MemberId, &str, &str),
) -> Result<(), StoreError> {
    let at = Sealed { table: "report", column: "text", row: id.as_str() };
    let report = Report {
        seq: 0,
        member: member.clone(),
        at: kit.now,
        minutes: 0,
        outcome: outcome.to_owned(),
        text: kit.vault.seal(tx, association, at, kit.now, text).await?,
    };
    report_add(tx, association, id, &report).await
}

struct Close {
    kit: Kit,
    who: Who,
    id: RequestId,
    channel: &'static str,
}

impl Command for Close {
    type Output = Option<Answer>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let act = Act { action: "request.close", detail: json!({ "channel": self.channel }) };
        let moved = apply(tx, &self.kit, &self.who, &self.id, Event::Close, &act).await?;
        let Some(moved) = moved else { return Ok(None) };
        if moved.changed {
            super::ledger::record(tx, &self.kit, &self.who, &moved.request).await?;
        }
        Ok(Some(moved.answer))
    }
}

impl App {
    /// Takes a wish for a transfer down. The attending doctor is asked first, nobody else.
    ///
    /// # Errors
    /// Fields that cannot be taken; an asker who cannot ask; the store's.
    pub async fn transfer_ask(
        &self,
        who: &Who,
        asking: Asking,
        new: NewTransfer,
        key: Option<&Key>,
    ) -> Result<Done<Asked>, AppError> {
        let kit = self.kit();
        let before = self.replayed::<TransferAsked>(who, key).await?;
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, &who.association).await?.ok_or(AppError::NotFound)?;
        drop(conn);
        if before.is_none() {
            let mut wrong = new.wrong_fields(kit.now, home.zone);
            // It stands in mails: a part of the city, never an address.
            if CoarseArea::new(&new.facts.area).is_err() && wrong.iter().all(|w| w.field != "area") {
                wrong.push(FieldWrong { field: "area", wrong: Wrong::NotText });
            }
            if !wrong.is_empty() {
                return Err(AppError::Invalid(wrong));
            }
        }
        let ask = AskTransfer {
            id: RequestId::new(kit.now, self.chance.as_ref()),
            plan: self.plan_named(PLAN)?,
            kit: kit.clone(),
            who: who.clone(),
            asking,
            new,
        };
        let asked = match before {
            Some(asked) => Done::Again(asked),
            None => self.run_once(&kit, who, key, ask).await?,
        };
        Ok(match asked {
            Done::Fresh(asked) => Done::Fresh(asked.said()?),
            Done::Again(asked) => Done::Again(asked.said()?),
        })
    }

    fn plan_named(&self, name: &str) -> Result<Plan, AppError> {
        self.rules.plans.get(name).cloned().ok_or_else(|| AppError::NoPlan(name.to_owned()))
    }

    /// From which day the clinic that took the patient over looks after them; `who` may be the office in its name.
    ///
    /// # Errors
    /// Fields that cannot be taken; no such transfer; the store's.
    pub async fn transfer_date(
        &self,
        who: &Who,
        id: &RequestId,
        member: &MemberId,
        dated: TransferDated,
        channel: &'static str,
        key: Option<&Key>,
    ) -> Result<Answer, AppError> {
        let kit = self.kit();
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, &who.association).await?.ok_or(AppError::NotFound)?;
        drop(conn);
        let away = dated.effective.days_since(civil_day(kit.now, home.zone)).abs();
        let day = (away > DATED_DAYS_MAX).then_some(Wrong::OutOfRange);
        let wrong: Vec<FieldWrong> = [("effective", day), ("note", long_text(&dated.note, false))]
            .into_iter()
            .filter_map(|(field, wrong)| wrong.map(|wrong| FieldWrong { field, wrong }))
            .collect();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let date = Date {
            kit: kit.clone(),
            who: who.clone(),
            id: id.clone(),
            member: member.clone(),
            dated,
            channel,
        };
        self.run_once(&kit, who, key, date).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// Closes a transfer: the event stands in the ledger with what the attending doctor's gate came to. Who may is the
    /// caller's question.
    ///
    /// # Errors
    /// No such transfer; the store's.
    pub async fn transfer_close(
        &self,
        who: &Who,
        id: &RequestId,
        channel: &'static str,
        key: Option<&Key>,
    ) -> Result<Answer, AppError> {
        let kit = self.kit();
        let close = Close { kit: kit.clone(), who: who.clone(), id: id.clone(), channel };
        self.run_once(&kit, who, key, close).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// Takes a transfer back; why is kept in the audit.
    ///
    /// # Errors
    /// No reason, or one that is no line of text; no such transfer; the store's.
    pub async fn transfer_withdraw(
        &self,
        who: &Who,
        id: &RequestId,
        reason: &str,
        key: Option<&Key>,
    ) -> Result<Answer, AppError> {
        if let Some(wrong) = short_text(reason, true) {
            return Err(AppError::field("reason", wrong));
        }
        let kit = self.kit();
        let back = Withdraw { kit: kit.clone(), who: who.clone(), id: id.clone(), reason: reason.to_owned() };
        self.run_once(&kit, who, key, back).await?.into_inner().ok_or(AppError::NotFound)
    }
}

struct Withdraw {
    kit: Kit,
    who: Who,
    id: RequestId,
    reason: String,
}

impl Command for Withdraw {
    type Output = Option<Answer>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let act = Act { action: "request.withdraw", detail: json!({ "reason": self.reason }) };
        let moved = apply(tx, &self.kit, &self.who, &self.id, Event::Withdraw, &act).await?;
        Ok(moved.map(|moved| moved.answer))
    }
}
