//! Consults (専門相談): asked, withdrawn, given back, answered, closed. Answering an offer is `answers`;
//! reading a case is `views`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::flow::{Act, Moved, apply, next_case_no};
use super::replay::{Done, Key};
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::civil_day;
use crate::domain::consult::{ConsultAnswer, NewConsult, Survey, Wrong, short_text};
use crate::domain::dispatch::{Answer, Event, Plan, Request};
use crate::domain::people::ConsultFacts;
use crate::ids::{MemberId, RequestId};
use crate::planted::{self, Bug};
use crate::store::jobs::jobs_in_flight;
use crate::store::people::{association_by_id, member_by_id, specialties_in_use};
use crate::store::requests::{NewCase, Report, case_add, report_add, survey_add};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// The plan that consults start with.
pub const PLAN: &str = "consult";

/// A consult that was taken down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub request: RequestId,
    /// 受付番号, `R8-0412`.
    pub case_no: String,
    /// `open`, or `exhausted` where nobody could be asked.
    pub state: String,
}

/// What a change of a request came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub answer: Answer,
    /// The request's state after it.
    pub state: String,
    /// Mails about it that are being handed over in this moment and cannot be called back.
    pub in_flight: i64,
}

impl Change {
    fn of(moved: &Moved) -> Self {
        Self { answer: moved.answer, state: moved.request.state.code().to_owned(), in_flight: 0 }
    }
}

struct Ask {
    kit: Kit,
    who: Who,
    asker: MemberId,
    in_person: bool,
    channel: &'static str,
    plan: Plan,
    id: RequestId,
    new: NewConsult,
}

impl Command for Ask {
    /// `None`: the asker cannot ask (left, or belongs to no institution).
    type Output = Option<Asked>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(home) = association_by_id(tx, association).await? else {
            return Ok(None);
        };
        let asker = member_by_id(tx, association, &self.asker).await?.filter(|m| m.is_active(kit.now));
        let Some(institution) = asker.and_then(|m| m.institution) else {
            return Ok(None);
        };
        let case_no = next_case_no(tx, association, civil_day(kit.now, home.zone)).await?;
        let Some(window) = Window::new(kit.now, self.new.answer_by) else {
            return Ok(None);
        };
        let mut request = Request::new(
            self.id.clone(),
            self.plan.clone(),
            self.asker.clone(),
            window,
            self.new.answer_by,
            kit.now,
        );
        request.asked_in_person = self.in_person;
        let facts = ConsultFacts {
            specialty: self.new.specialty.clone(),
            area: self.new.area.clone(),
            visit: self.new.visit,
            institution: institution.clone(),
        };
        let text = |value: serde_json::Result<String>| {
            value.map_err(|e| StoreError::corrupt("request", &self.id, e))
        };
        let blind = text(serde_json::to_string(&self.new.blind()))?;
        let detail = text(serde_json::to_string(&self.new.detail()))?;
        let at = |column| Sealed { table: "request", column, row: self.id.as_str() };
        let new = NewCase {
            request: &request,
            case_no: &case_no,
            institution: &institution,
            entered_by: (!self.in_person).then_some(self.who.actor.as_str()),
            channel: self.channel,
            facts: &text(serde_json::to_string(&facts))?,
            blind: kit.vault.seal(tx, association, at("blind"), kit.now, &blind).await?,
            detail: kit.vault.seal(tx, association, at("detail"), kit.now, &detail).await?,
        };
        case_add(tx, association, &new).await?;
        let act = Act {
            action: "request.ask",
            detail: json!({
                "case_no": case_no, "kind": "consult", "specialty": self.new.specialty,
                "channel": self.channel, "plan": self.plan.name, "plan_version": self.plan.version,
            }),
        };
        let moved = apply(tx, kit, &self.who, &self.id, Event::Begin, &act).await?;
        let state = moved.map_or_else(|| request.state, |m| m.request.state).code().to_owned();
        Ok(Some(Asked { request: self.id.clone(), case_no, state }))
    }
}

struct Give {
    kit: Kit,
    who: Who,
    id: RequestId,
    event: Event,
    action: &'static str,
    detail: serde_json::Value,
}

impl Command for Give {
    type Output = Option<Change>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let act = Act { action: self.action, detail: self.detail.clone() };
        let moved = apply(tx, &self.kit, &self.who, &self.id, self.event.clone(), &act).await?;
        let Some(moved) = moved else {
            return Ok(None);
        };
        let mut change = Change::of(&moved);
        change.in_flight = jobs_in_flight(tx, &self.who.association, &self.id).await?;
        Ok(Some(change))
    }
}

struct Tell {
    kit: Kit,
    who: Who,
    id: RequestId,
    member: MemberId,
    answer: ConsultAnswer,
    minutes: i64,
    minutes_confirmed: bool,
    outcome: String,
    /// How it came to whoever types it in the taker's name.
    channel: Option<&'static str>,
}

impl Command for Tell {
    type Output = Option<Change>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let event = Event::Report { person: self.member.clone() };
        let mut detail = json!({
            "minutes": self.minutes, "outcome": self.outcome, "minutes_confirmed": self.minutes_confirmed,
        });
        if let (Some(channel), Some(detail)) = (self.channel, detail.as_object_mut()) {
            detail.insert("channel".to_owned(), json!(channel));
        }
        let act = Act { action: "request.report", detail };
        let Some(moved) = apply(tx, kit, &self.who, &self.id, event, &act).await? else {
            return Ok(None);
        };
        if moved.changed {
            let text = serde_json::to_string(&self.answer)
                .map_err(|e| StoreError::corrupt("report", &self.id, e))?;
            let at = Sealed { table: "report", column: "text", row: self.id.as_str() };
            let report = Report {
                seq: 0,
                member: self.member.clone(),
                at: kit.now,
                minutes: self.minutes,
                outcome: self.outcome.clone(),
                text: kit.vault.seal(tx, association, at, kit.now, &text).await?,
            };
            report_add(tx, association, &self.id, &report).await?;
        }
        Ok(Some(Change::of(&moved)))
    }
}

struct Close {
    kit: Kit,
    who: Who,
    id: RequestId,
    survey: Option<Survey>,
}

impl Command for Close {
    type Output = Option<Change>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let act = Act { action: "request.close", detail: json!({ "survey": self.survey.is_some() }) };
        let Some(moved) = apply(tx, kit, &self.who, &self.id, Event::Close, &act).await? else {
            return Ok(None);
        };
        if moved.changed {
            if let Some(survey) = &self.survey {
                let body =
                    serde_json::to_string(survey).map_err(|e| StoreError::corrupt("survey", &self.id, e))?;
                let at = Sealed { table: "survey", column: "body", row: self.id.as_str() };
                let sealed = kit.vault.seal(tx, association, at, kit.now, &body).await?;
                survey_add(tx, association, &self.id, kit.now, sealed).await?;
            }
            if !planted::is(Bug::LedgerOutsideTransaction) {
                super::ledger::record(tx, kit, &self.who, &moved.request).await?;
            }
        }
        Ok(Some(Change::of(&moved)))
    }
}

/// The planted bug: the lines in a transaction of their own.
struct LinesLater {
    kit: Kit,
    who: Who,
    id: RequestId,
}

impl Command for LinesLater {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let loaded = crate::store::dispatch::request_load(tx, &self.who.association, &self.id).await?;
        match loaded {
            Some(loaded) => super::ledger::record(tx, &self.kit, &self.who, &loaded.request).await,
            None => Ok(()),
        }
    }
}

/// Who asks, and by which way.
#[derive(Clone, Debug)]
pub struct Asking {
    pub asker: MemberId,
    /// By the asker in person; otherwise the office or a program typed it.
    pub in_person: bool,
    /// `web`, `api`, `phone`, `fax`.
    pub channel: &'static str,
}

/// What a taker tells.
#[derive(Clone, Debug)]
pub struct Told {
    pub member: MemberId,
    pub answer: ConsultAnswer,
    /// Minutes of work.
    pub minutes: i64,
    /// The taker said so; otherwise it is the form's default.
    pub minutes_confirmed: bool,
    /// A code of [`crate::domain::consult::OUTCOMES`].
    pub outcome: String,
}

impl App {
    /// Takes a consult down and starts its plan.
    ///
    /// # Errors
    /// Fields that cannot be taken; an asker who cannot ask; the store's.
    pub async fn consult_ask(
        &self,
        who: &Who,
        asking: Asking,
        new: NewConsult,
        key: Option<&Key>,
    ) -> Result<Done<Asked>, AppError> {
        if let Some(before) = self.replayed::<Option<Asked>>(who, key).await? {
            return before.map(Done::Again).ok_or(AppError::field("asker", Wrong::Unknown));
        }
        let kit = self.kit();
        let mut conn = self.db.read().await?;
        let specialties = specialties_in_use(&mut conn, &who.association).await?;
        drop(conn);
        let specialties: Vec<String> = specialties.into_iter().map(|(code, _)| code).collect();
        let wrong = new.wrong_fields(kit.now, &specialties);
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let plan = kit.rules.plans.get(PLAN).cloned().ok_or_else(|| AppError::NoPlan(PLAN.to_owned()))?;
        let ask = Ask {
            id: RequestId::new(kit.now, self.chance.as_ref()),
            kit: kit.clone(),
            who: who.clone(),
            asker: asking.asker,
            in_person: asking.in_person,
            channel: asking.channel,
            plan,
            new,
        };
        match self.run_once(&kit, who, key, ask).await? {
            Done::Fresh(Some(asked)) => Ok(Done::Fresh(asked)),
            Done::Again(Some(asked)) => Ok(Done::Again(asked)),
            Done::Fresh(None) | Done::Again(None) => Err(AppError::field("asker", Wrong::Unknown)),
        }
    }

    async fn give(
        &self,
        who: &Who,
        id: &RequestId,
        event: Event,
        action: &'static str,
        detail: serde_json::Value,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        let kit = self.kit();
        let give = Give { kit: kit.clone(), who: who.clone(), id: id.clone(), event, action, detail };
        self.run_once(&kit, who, key, give).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// Takes a request back. Who may do so is the caller's question.
    ///
    /// # Errors
    /// There is no such request; the store's.
    pub async fn request_withdraw(
        &self,
        who: &Who,
        id: &RequestId,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        self.give(who, id, Event::Withdraw, "request.withdraw", json!({}), key).await
    }

    /// Takes a request back in the asker's place; why is kept in the audit.
    ///
    /// # Errors
    /// No reason, or one that is no line of text; there is no such request; the store's.
    pub async fn request_withdraw_for_asker(
        &self,
        who: &Who,
        id: &RequestId,
        reason: &str,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        if let Some(wrong) = short_text(reason, true) {
            return Err(AppError::field("reason", wrong));
        }
        let detail = json!({ "reason": reason, "by_office": true });
        self.give(who, id, Event::Withdraw, "request.withdraw", detail, key).await
    }

    /// Gives an acceptance back; the plan goes on with others.
    ///
    /// # Errors
    /// There is no such request; the store's.
    pub async fn request_release(
        &self,
        who: &Who,
        id: &RequestId,
        member: &MemberId,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        let event = Event::Release { person: member.clone() };
        self.give(who, id, event, "offer.release", json!({ "member": member.as_str() }), key).await
    }

    /// The taker's answer.
    ///
    /// # Errors
    /// Fields that cannot be taken; no such request; the store's.
    pub async fn consult_report(
        &self,
        who: &Who,
        id: &RequestId,
        told: Told,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        self.report(who, id, told, None, key).await
    }

    /// The taker's answer, told to the office by `channel`: `phone` or `fax`.
    ///
    /// # Errors
    /// As [`App::consult_report`].
    pub async fn consult_report_for(
        &self,
        who: &Who,
        id: &RequestId,
        told: Told,
        channel: &'static str,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        self.report(who, id, told, Some(channel), key).await
    }

    async fn report(
        &self,
        who: &Who,
        id: &RequestId,
        told: Told,
        channel: Option<&'static str>,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        let wrong = told.answer.wrong_fields(told.minutes, &told.outcome);
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let tell = Tell {
            kit: kit.clone(),
            who: who.clone(),
            id: id.clone(),
            member: told.member,
            answer: told.answer,
            minutes: told.minutes,
            minutes_confirmed: told.minutes_confirmed,
            outcome: told.outcome,
            channel,
        };
        self.run_once(&kit, who, key, tell).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// The asker is done: facts are recorded and both sides' lines written.
    ///
    /// # Errors
    /// A survey that cannot be taken; no such request; the store's.
    pub async fn consult_close(
        &self,
        who: &Who,
        id: &RequestId,
        survey: Option<Survey>,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        let wrong = survey.as_ref().map(Survey::wrong_fields).unwrap_or_default();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let close = Close { kit: kit.clone(), who: who.clone(), id: id.clone(), survey };
        let closed = self.run_once(&kit, who, key, close).await?;
        if let (Done::Fresh(Some(change)), true) = (&closed, planted::is(Bug::LedgerOutsideTransaction))
            && change.answer == Answer::Done
        {
            self.db.run(LinesLater { kit, who: who.clone(), id: id.clone() }).await?;
        }
        closed.into_inner().ok_or(AppError::NotFound)
    }
}
