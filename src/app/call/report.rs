//! What came of a call: told by the taker on the page, or typed by the office. The patient's own physicians hear
//! of a transport (搬送先) at once.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::flow::{decided, tell};
use super::world::physicians;
use crate::app::access::note;
use crate::app::replay::Key;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::call::{Event, Happened};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::ids::{CallId, MemberId};
use crate::store::call::{CallReport, call_lock, call_report_add};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

/// How a call can have ended for the patient.
pub const OUTCOMES: [&str; 4] = ["phone_only", "visited", "transported", "not_reached"];
/// Characters of a report's text, and of the place somebody was taken to.
const TEXT_MAX: usize = 2_000;
const PLACE_MAX: usize = 100;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTold {
    /// A code of [`OUTCOMES`].
    pub outcome: String,
    /// 搬送先, where somebody was taken.
    pub place: String,
    pub text: String,
}

/// The sealed part of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Words {
    pub place: String,
    pub text: String,
}

impl CallTold {
    /// What cannot be taken.
    #[must_use]
    pub fn wrong(&self) -> Vec<FieldWrong> {
        let mut wrong = Vec::new();
        let mut say = |field, what| wrong.push(FieldWrong { field, wrong: what });
        if !OUTCOMES.contains(&self.outcome.as_str()) {
            say("outcome", if self.outcome.is_empty() { Wrong::Missing } else { Wrong::NotAChoice });
        }
        if self.outcome == "transported" && self.place.is_empty() {
            say("place", Wrong::Missing);
        }
        let control = |c: char| c.is_control() && c != '\n';
        for (field, text, most) in [("place", &self.place, PLACE_MAX), ("text", &self.text, TEXT_MAX)] {
            if text.chars().count() > most {
                say(field, Wrong::TooLong);
            }
            if text.chars().any(control) {
                say(field, Wrong::NotText);
            }
        }
        wrong
    }
}

pub(super) const fn words_at(id: &str) -> Sealed<'_> {
    Sealed { table: "call_report", column: "body", row: id }
}

struct Tell {
    kit: Kit,
    who: Who,
    call: CallId,
    /// The taker, in whose name the office may type.
    member: MemberId,
    told: CallTold,
}

impl Command for Tell {
    /// `false`: there is no such call, or it is not this person's.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, who) = (&self.kit, &self.who);
        let association = &who.association;
        let Some(loaded) = call_lock(tx, &kit.vault, association, &self.call).await? else {
            return Ok(false);
        };
        if loaded.call.taker.as_ref().is_none_or(|t| t.person != self.member) {
            return Ok(false);
        }
        let words = Words { place: self.told.place.clone(), text: self.told.text.clone() };
        let words =
            serde_json::to_string(&words).map_err(|e| StoreError::corrupt("call_report", &self.call, e))?;
        let at = words_at(self.call.as_str());
        let in_person = who.actor == format!("member:{}", self.member);
        let report = CallReport {
            seq: 0,
            member: self.member.clone(),
            entered_by: (!in_person).then(|| who.actor.clone()),
            at: kit.now,
            outcome: self.told.outcome.clone(),
            body: kit.vault.seal(tx, association, at, loaded.call.opened, &words).await?,
        };
        call_report_add(tx, association, &self.call, &report).await?;
        let event = Event::Reported { person: self.member.clone() };
        decided(tx, kit, who, &loaded, Happened::Call(event)).await?;
        let detail =
            json!({ "outcome": self.told.outcome, "case_no": loaded.case_no, "in_person": in_person });
        note(tx, kit, who, "call.report", &format!("call:{}", self.call), detail).await?;
        if self.told.outcome == "transported"
            && let Some(clinic) = &loaded.call.clinic
        {
            for person in physicians(tx, association, clinic, kit.now).await? {
                let key = format!("call:{}:transport:{}:{person}", self.call, kit.now.0);
                tell(tx, kit, who, &loaded.call.id, &person, "transport", key).await?;
            }
        }
        Ok(true)
    }
}

impl App {
    /// The taker's report; `who` may be the office in the taker's name.
    ///
    /// # Errors
    /// Fields that cannot be taken; no such call of this person; the store's.
    pub async fn call_report(
        &self,
        who: &Who,
        call: &CallId,
        member: &MemberId,
        told: CallTold,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let wrong = told.wrong();
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let kit = self.kit();
        let tell =
            Tell { kit: kit.clone(), who: who.clone(), call: call.clone(), member: member.clone(), told };
        let done = self.run_once(&kit, who, key, tell).await?.into_inner();
        if done { Ok(()) } else { Err(AppError::NotFound) }
    }
}
