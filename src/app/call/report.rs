//! What came of a call: told by the taker on the page, or typed by the office. The patient's own physicians hear
//! of a transport (搬送先) at once.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::flow::{decided, tell};
use super::world::physicians;
use crate::app::access::note;
use crate::app::ledger::record_call;
use crate::app::replay::Key;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::call::{Event, Happened, Stage, Told};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::ids::{CallId, MemberId};
use crate::store::call::reports::{CallReport, call_report_add, report_due_of};
use crate::store::call::{LoadedCall, call_lock};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

/// How a call can have ended for the patient.
pub const OUTCOMES: [&str; 4] = ["phone_only", "visited", "transported", "not_reached"];
/// Characters of a report's text, and of the place somebody was taken to.
const TEXT_MAX: usize = 2_000;
const PLACE_MAX: usize = 100;
/// Minutes of work on one call.
const MINUTES_MAX: i64 = 1_440;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTold {
    /// A code of [`OUTCOMES`].
    pub outcome: String,
    /// 搬送先, where somebody was taken.
    pub place: String,
    pub text: String,
    /// Minutes of work, where they are told.
    pub minutes: Option<i64>,
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
        if self.minutes.is_some_and(|m| !(0..=MINUTES_MAX).contains(&m)) {
            say("minutes", Wrong::OutOfRange);
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
        let in_person = who.actor == format!("member:{}", self.member);
        let typed_by = (!in_person).then(|| who.actor.clone());
        take(tx, kit, who, &loaded, &self.member, &self.told, typed_by).await?;
        Ok(true)
    }
}

/// Writes a report down with what follows from it. `typed_by`: who told it for the taker.
async fn take(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    loaded: &LoadedCall,
    member: &MemberId,
    told: &CallTold,
    typed_by: Option<String>,
) -> Result<(), StoreError> {
    let (association, call) = (&who.association, &loaded.call.id);
    let words = Words { place: told.place.clone(), text: told.text.clone() };
    let words = serde_json::to_string(&words).map_err(|e| StoreError::corrupt("call_report", call, e))?;
    let at = words_at(call.as_str());
    let in_person = typed_by.is_none();
    let report = CallReport {
        seq: 0,
        member: member.clone(),
        entered_by: typed_by,
        at: kit.now,
        outcome: told.outcome.clone(),
        minutes: told.minutes,
        body: kit.vault.seal(tx, association, at, loaded.call.opened, &words).await?,
    };
    call_report_add(tx, association, call, &report).await?;
    let event = Event::Reported { person: member.clone() };
    decided(tx, kit, who, loaded, Happened::Call(event)).await?;
    if let Stage::Over { .. } = loaded.call.stage {
        // A human ended it before it was told.
        record_call(tx, kit, who, &loaded.case_no, &loaded.call, &loaded.request).await?;
    }
    let detail = json!({ "outcome": told.outcome, "case_no": loaded.case_no, "in_person": in_person });
    note(tx, kit, who, "call.report", &format!("call:{call}"), detail).await?;
    if told.outcome == "transported"
        && let Some(clinic) = &loaded.call.clinic
    {
        for person in physicians(tx, association, clinic, kit.now).await? {
            let key = format!("call:{call}:transport:{}:{person}", kit.now.0);
            tell(tx, kit, who, call, &person, "transport", key).await?;
        }
    }
    Ok(())
}

/// What a taker told by key, about the call taken last that waits for its report. The place of a transport is told
/// on the page later.
pub(super) async fn told_by_key(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    member: &MemberId,
    told: Told,
) -> Result<(), StoreError> {
    let Some(call) = report_due_of(tx, &who.association, member).await? else {
        return Ok(());
    };
    let Some(loaded) = call_lock(tx, &kit.vault, &who.association, &call).await? else {
        return Ok(());
    };
    let told = CallTold {
        outcome: told.code().to_owned(),
        place: String::new(),
        text: String::new(),
        minutes: None,
    };
    take(tx, kit, who, &loaded, member, &told, None).await
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
