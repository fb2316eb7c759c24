//! Night cover (夜間代行): asked for, taken slot by slot, given back, reported, confirmed. `ask` opens requests,
//! `mails` tells people, `answer` is what stands behind a mailed link, `lists` what pages read, `world` whom it
//! concerns, `pillars` which of those may take a slot. How a request goes is `domain::dispatch`, what a slot is `domain::cover`.

mod answer;
mod ask;
mod lists;
mod mails;
mod pillars;
mod world;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use answer::{CoverAnswered, OpenCover, Outcome};
pub(crate) use lists::open_cover;
pub use lists::{CoverBoard, CoverCase, CoverLine, SlotLine, SlotTold};
pub(crate) use mails::{ask_by_mail, asked_now, mail_of, tell, told_machine};
pub(crate) use pillars::pillars_changed;
pub use pillars::{PillarBeside, Untold};
pub(crate) use world::{cover_now, cover_world, not_on_duty_any_more, patients_of, was_taken_by};

use self::ask::AskCover;
pub(crate) use self::world::settings_of;
use super::access::note;
use super::consult::{Asking, Change};
use super::flow::{Act, apply};
use super::replay::{Done, Key};
use super::{App, AppError, Kit, Who};
use crate::domain::consult::{FieldWrong, Wrong, short_text};
use crate::domain::cover::{CoverFacts, CoverSettings, NewCover, OUTCOMES};
use crate::domain::dispatch::{Answer, Event, State};
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::cover::{cover_settings_save, cover_slot, cover_slots_of};
use crate::store::dispatch::request_load;
use crate::store::people::association_by_id;
use crate::store::requests::{Case, Report, case_by_id, report_add, request_by_case_no};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

/// Minutes of work that a report may name: three days.
const MINUTES_MAX: u32 = 3 * 24 * 60;
/// Calls or visits of one slot.
const COUNT_MAX: u32 = 200;
/// Characters of a report's text.
const TEXT_MAX: usize = 2_000;

/// What is open of a cover or of one of its slots.
pub(crate) fn facts_of(case: &Case) -> Result<CoverFacts, StoreError> {
    serde_json::from_str(&case.facts).map_err(|e| StoreError::corrupt("request", &case.id, e))
}

/// A cover that was taken down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverMade {
    pub request: RequestId,
    pub case_no: String,
    /// Slots it falls into.
    pub slots: usize,
    /// Those that the rota covers.
    pub by_rota: usize,
}

/// What became of asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CoverAsked {
    Asked(CoverMade),
    Wrong(String, Wrong),
}

/// The fields of a wish for cover, by their names in forms and API.
const FIELDS: [&str; 6] = ["asker", "from", "to", "patients", "manner", "note"];

/// What a taker tells of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverTold {
    /// A code of [`OUTCOMES`].
    pub outcome: String,
    pub calls: u32,
    pub visits: u32,
    pub minutes: u32,
    pub text: String,
}

impl CoverTold {
    /// Every field that cannot be taken as it is.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let visited = self.outcome == "visited" && self.visits == 0;
        let hidden = self.text.chars().any(|c| c.is_control() && c != '\n');
        [
            ("outcome", self.outcome.is_empty(), Wrong::Missing),
            (
                "outcome",
                !self.outcome.is_empty() && !OUTCOMES.contains(&self.outcome.as_str()),
                Wrong::NotAChoice,
            ),
            ("calls", self.calls > COUNT_MAX, Wrong::OutOfRange),
            ("calls", self.outcome == "no_calls" && self.calls + self.visits > 0, Wrong::OutOfRange),
            ("visits", self.visits > COUNT_MAX || visited, Wrong::OutOfRange),
            ("minutes", self.minutes > MINUTES_MAX, Wrong::OutOfRange),
            ("text", self.text.chars().count() > TEXT_MAX, Wrong::TooLong),
            ("text", hidden, Wrong::NotText),
        ]
        .into_iter()
        .filter(|(_, is, _)| *is)
        .map(|(field, _, wrong)| FieldWrong { field, wrong })
        .collect()
    }
}

/// The sealed part of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Words {
    pub calls: u32,
    pub visits: u32,
    pub text: String,
}

struct Tell {
    kit: Kit,
    who: Who,
    slot: RequestId,
    member: MemberId,
    told: CoverTold,
    channel: &'static str,
}

impl Command for Tell {
    type Output = Option<Answer>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(slot) = cover_slot(tx, association, &self.slot).await? else { return Ok(None) };
        // Before it has begun there is nothing to tell.
        if kit.now < slot.window.from {
            return Ok(Some(Answer::Closed));
        }
        let act = Act {
            action: "request.report",
            detail: json!({
                "outcome": self.told.outcome, "minutes": self.told.minutes, "channel": self.channel,
            }),
        };
        let event = Event::Report { person: self.member.clone() };
        let Some(moved) = apply(tx, kit, &self.who, &self.slot, event, &act).await? else { return Ok(None) };
        if moved.changed {
            let words =
                Words { calls: self.told.calls, visits: self.told.visits, text: self.told.text.clone() };
            let words =
                serde_json::to_string(&words).map_err(|e| StoreError::corrupt("report", &self.slot, e))?;
            let at = Sealed { table: "report", column: "text", row: self.slot.as_str() };
            let report = Report {
                seq: 0,
                member: self.member.clone(),
                at: kit.now,
                minutes: i64::from(self.told.minutes),
                outcome: self.told.outcome.clone(),
                text: kit.vault.seal(tx, association, at, kit.now, &words).await?,
            };
            report_add(tx, association, &self.slot, &report).await?;
            super::ledger::record_reported(tx, kit, &self.who, &moved.request).await?;
        }
        Ok(Some(moved.answer))
    }
}

/// What a confirmation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// Slots that are done now, with the lines of both sides.
    pub slots: usize,
    /// Slots of which nothing was told yet: they wait.
    pub waiting: usize,
}

struct Confirm {
    kit: Kit,
    who: Who,
    id: RequestId,
    channel: &'static str,
}

impl Command for Confirm {
    type Output = Option<Confirmed>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let slots = cover_slots_of(tx, association, &self.id).await?;
        if slots.is_empty() {
            return Ok(None);
        }
        let mut done = Confirmed { slots: 0, waiting: 0 };
        for slot in slots {
            let Some(loaded) = request_load(tx, association, &slot.request).await? else { continue };
            match loaded.request.state {
                State::Reported { .. } => {
                    let act = Act {
                        action: "request.close",
                        detail: json!({ "of": self.id.as_str(), "channel": self.channel }),
                    };
                    let moved = apply(tx, kit, &self.who, &slot.request, Event::Close, &act).await?;
                    if let Some(moved) = moved.filter(|m| m.changed) {
                        super::ledger::record_confirmed(tx, kit, &self.who, &moved.request).await?;
                        done.slots += 1;
                    }
                }
                state if state.is_terminal() => {}
                _ => done.waiting += 1,
            }
        }
        if done.waiting == 0 {
            let act = Act { action: "request.close", detail: json!({ "channel": self.channel }) };
            apply(tx, kit, &self.who, &self.id, Event::Close, &act).await?;
        }
        Ok(Some(done))
    }
}

/// What taking a cover back came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TakenBack {
    /// Nobody is asked any more, and who had said yes is free.
    Whole,
    /// Slots that had begun stay; this many were taken back.
    Rest(usize),
    /// All of it is over or has begun.
    Nothing,
}

struct TakeBack {
    kit: Kit,
    who: Who,
    id: RequestId,
    reason: String,
}

impl Command for TakeBack {
    type Output = Option<TakenBack>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let slots = cover_slots_of(tx, association, &self.id).await?;
        let Some(first) = slots.first() else { return Ok(None) };
        let act = Act { action: "request.withdraw", detail: json!({ "reason": self.reason }) };
        if kit.now < first.window.from {
            let moved = apply(tx, kit, &self.who, &self.id, Event::Withdraw, &act).await?;
            let done = moved.is_some_and(|m| matches!(m.answer, Answer::Done | Answer::Already));
            return Ok(Some(if done { TakenBack::Whole } else { TakenBack::Nothing }));
        }
        let mut taken_back = 0;
        for slot in slots.iter().filter(|slot| kit.now < slot.window.from) {
            let moved = apply(tx, kit, &self.who, &slot.request, Event::Withdraw, &act).await?;
            taken_back += usize::from(moved.is_some_and(|m| m.changed));
        }
        if taken_back == 0 {
            return Ok(Some(TakenBack::Nothing));
        }
        let detail = json!({ "reason": self.reason, "slots": taken_back });
        note(tx, kit, &self.who, "cover.shorten", &format!("request:{}", self.id), detail).await?;
        Ok(Some(TakenBack::Rest(taken_back)))
    }
}

struct Save {
    kit: Kit,
    who: Who,
    revision: i64,
    settings: CoverSettings,
}

impl Command for Save {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let association = &self.who.association;
        let body = serde_json::to_string(&self.settings)
            .map_err(|e| StoreError::corrupt("cover_settings", association, e))?;
        if !cover_settings_save(tx, association, self.revision, &body).await? {
            return Ok(false);
        }
        let detail = json!({ "settings": self.settings });
        note(tx, &self.kit, &self.who, "cover_settings.change", "cover_settings", detail).await?;
        Ok(true)
    }
}

impl App {
    /// Takes a wish for cover down and starts asking for each of its slots.
    ///
    /// # Errors
    /// Fields that cannot be taken; the store's.
    pub async fn cover_ask(
        &self,
        who: &Who,
        asking: Asking,
        new: NewCover,
        key: Option<&Key>,
    ) -> Result<Done<CoverMade>, AppError> {
        let kit = self.kit();
        let before = self.replayed::<CoverAsked>(who, key).await?;
        if before.is_none() {
            let mut conn = self.db.read().await?;
            let home = association_by_id(&mut conn, &who.association).await?.ok_or(AppError::NotFound)?;
            let wrong = new.wrong_fields(kit.now, home.zone);
            if !wrong.is_empty() {
                return Err(AppError::Invalid(wrong));
            }
        }
        let id = RequestId::new(kit.now, self.chance.as_ref());
        let ask = AskCover { kit: kit.clone(), who: who.clone(), asking, id, new };
        let asked = match before {
            Some(asked) => Done::Again(asked),
            None => self.run_once(&kit, who, key, ask).await?,
        };
        let said = |asked| match asked {
            CoverAsked::Asked(made) => Ok(made),
            CoverAsked::Wrong(field, wrong) => {
                let field = FIELDS.into_iter().find(|f| *f == field).unwrap_or("from");
                Err(AppError::field(field, wrong))
            }
        };
        Ok(match asked {
            Done::Fresh(asked) => Done::Fresh(said(asked)?),
            Done::Again(asked) => Done::Again(said(asked)?),
        })
    }

    /// What a taker tells of a slot; `who` may be the office in the taker's name, told by `channel`.
    ///
    /// # Errors
    /// Fields that cannot be taken; no such slot; the store's.
    pub async fn cover_report(
        &self,
        who: &Who,
        slot: &RequestId,
        member: &MemberId,
        told: CoverTold,
        channel: &'static str,
        key: Option<&Key>,
    ) -> Result<Answer, AppError> {
        let wrong = told.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let tell = Tell {
            kit: kit.clone(),
            who: who.clone(),
            slot: slot.clone(),
            member: member.clone(),
            told,
            channel,
        };
        self.run_once(&kit, who, key, tell).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// The asker has seen what was told: the slots that were reported are done, and the lines of both sides, pending
    /// until then, count. The others wait.
    ///
    /// # Errors
    /// No such cover; the store's.
    pub async fn cover_confirm(
        &self,
        who: &Who,
        id: &RequestId,
        channel: &'static str,
        key: Option<&Key>,
    ) -> Result<Confirmed, AppError> {
        let kit = self.kit();
        let confirm = Confirm { kit: kit.clone(), who: who.clone(), id: id.clone(), channel };
        self.run_once(&kit, who, key, confirm).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// Takes a cover back, as far as it has not begun; why is kept in the audit.
    ///
    /// # Errors
    /// No reason, or one that is no line of text; no such cover; the store's.
    pub async fn cover_take_back(
        &self,
        who: &Who,
        id: &RequestId,
        reason: &str,
        key: Option<&Key>,
    ) -> Result<TakenBack, AppError> {
        if let Some(wrong) = short_text(reason, true) {
            return Err(AppError::field("reason", wrong));
        }
        let kit = self.kit();
        let back = TakeBack { kit: kit.clone(), who: who.clone(), id: id.clone(), reason: reason.to_owned() };
        self.run_once(&kit, who, key, back).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// A taker cannot come after all: the slot is open again and others are asked.
    ///
    /// # Errors
    /// No such slot; the store's.
    pub async fn cover_give_back(
        &self,
        who: &Who,
        slot: &RequestId,
        member: &MemberId,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        self.request_release(who, slot, member, key).await
    }

    /// What the association sets for night cover, with its revision (0: nothing was set).
    ///
    /// # Errors
    /// The store's.
    pub async fn cover_settings(
        &self,
        association: &AssociationId,
    ) -> Result<(i64, CoverSettings), AppError> {
        let mut conn = self.db.read().await?;
        Ok(settings_of(&mut conn, association).await?)
    }

    /// Writes them anew. Who may is the caller's question.
    ///
    /// # Errors
    /// Values that cannot work; somebody else changed them meanwhile; the store's.
    pub async fn cover_settings_put(
        &self,
        who: &Who,
        revision: i64,
        settings: CoverSettings,
    ) -> Result<(), AppError> {
        let wrong = settings.wrong_fields();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let save = Save { kit: self.kit(), who: who.clone(), revision, settings };
        if self.db.run(save).await? { Ok(()) } else { Err(AppError::ChangedMeanwhile) }
    }

    /// The cover of a case number: its own, or that of one of its slots.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it is no cover; the store's.
    pub async fn cover_by_case_no(
        &self,
        association: &AssociationId,
        case_no: &str,
    ) -> Result<RequestId, AppError> {
        let mut conn = self.db.read().await?;
        let found = request_by_case_no(&mut conn, association, case_no).await?;
        drop(conn);
        self.cover_of(association, &found.ok_or(AppError::NotFound)?).await
    }

    /// The cover that a request of its own or one of its slots belongs to.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it is no cover; the store's.
    pub async fn cover_of(
        &self,
        association: &AssociationId,
        request: &RequestId,
    ) -> Result<RequestId, AppError> {
        let mut conn = self.db.read().await?;
        if let Some(slot) = cover_slot(&mut conn, association, request).await? {
            return Ok(slot.parent);
        }
        let case = case_by_id(&mut conn, association, request).await?.filter(|c| c.kind == "cover");
        case.map(|c| c.id).ok_or(AppError::NotFound)
    }
}
