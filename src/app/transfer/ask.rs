//! Taking a wish for a transfer down. Nothing of it goes to any clinic before the attending doctor's word.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::consult::{Asked, Asking};
use super::super::flow::{Act, apply, next_case_no};
use super::super::{AppError, Kit, Who};
use crate::domain::calendar::civil_day;
use crate::domain::consult::Wrong;
use crate::domain::dispatch::{Event, Plan, Request};
use crate::domain::transfer::{NewTransfer, TransferDetail};
use crate::ids::RequestId;
use crate::store::people::{association_by_id, institution_by_id, member_by_id};
use crate::store::requests::{NewCase, case_add};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// What became of asking, or of writing a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TransferAsked {
    Asked(Asked),
    /// A field that cannot be taken, and why.
    Wrong(String, Wrong),
}

impl TransferAsked {
    /// # Errors
    /// The field that cannot be taken.
    pub fn said(self) -> Result<Asked, AppError> {
        match self {
            Self::Asked(asked) => Ok(asked),
            Self::Wrong(field, wrong) => {
                let field = ["asker", "clinic"].into_iter().find(|f| *f == field).unwrap_or("asker");
                Err(AppError::field(field, wrong))
            }
        }
    }
}

pub(super) struct AskTransfer {
    pub kit: Kit,
    pub who: Who,
    pub asking: Asking,
    pub plan: Plan,
    pub id: RequestId,
    pub new: NewTransfer,
}

impl Command for AskTransfer {
    type Output = TransferAsked;

    async fn apply(&self, tx: &mut Conn) -> Result<TransferAsked, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let wrong = |field: &str, wrong| Ok(TransferAsked::Wrong(field.to_owned(), wrong));
        let Some(home) = association_by_id(tx, association).await? else {
            return wrong("asker", Wrong::Unknown);
        };
        let asker = member_by_id(tx, association, &self.asking.asker).await?;
        let asker = asker.filter(|m| m.is_active(kit.now));
        let Some((asker, institution)) = asker.and_then(|m| m.institution.map(|i| (m.id, i))) else {
            return wrong("asker", Wrong::Unknown);
        };
        let clinic = institution_by_id(tx, association, &self.new.facts.clinic).await?;
        if clinic.is_none_or(|clinic| clinic.closed.is_some()) {
            return wrong("clinic", Wrong::Unknown);
        }
        let case_no = next_case_no(tx, association, civil_day(kit.now, home.zone)).await?;
        let answer_by = self.new.answer_by(kit.now, home.zone);
        let window = Window { from: kit.now, to: answer_by };
        let (id, plan) = (self.id.clone(), self.plan.clone());
        let mut request = Request::new(id, plan, asker, window, answer_by, kit.now);
        request.asked_in_person = self.asking.in_person;
        let text = |value: serde_json::Result<String>| {
            value.map_err(|e| StoreError::corrupt("request", &self.id, e))
        };
        let detail = TransferDetail { patient: self.new.patient.clone(), details: self.new.details.clone() };
        let detail = text(serde_json::to_string(&detail))?;
        let at = |column| Sealed { table: "request", column, row: self.id.as_str() };
        let new = NewCase {
            request: &request,
            case_no: &case_no,
            institution: &institution,
            entered_by: (!self.asking.in_person).then_some(self.who.actor.as_str()),
            channel: self.asking.channel,
            facts: &text(serde_json::to_string(&self.new.facts))?,
            blind: kit.vault.seal(tx, association, at("blind"), kit.now, "{}").await?,
            detail: kit.vault.seal(tx, association, at("detail"), kit.now, &detail).await?,
        };
        case_add(tx, association, &new).await?;
        let act = Act {
            action: "request.ask",
            detail: json!({
                "case_no": case_no, "kind": "transfer", "channel": self.asking.channel,
                "clinic": self.new.facts.clinic.as_str(), "area": self.new.facts.area,
                "reason": self.new.facts.reason, "wished": self.new.facts.wished.to_string(),
                "plan": self.plan.name, "plan_version": self.plan.version,
            }),
        };
        let moved = apply(tx, kit, &self.who, &self.id, Event::Begin, &act).await?;
        let state = moved.map_or(request.state, |m| m.request.state).code().to_owned();
        Ok(TransferAsked::Asked(Asked { request: self.id.clone(), case_no, state }))
    }
}
