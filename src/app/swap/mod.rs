//! Changes of a published rota (交代): asked for, handed over when everybody agreed, taken back, void when a new
//! rota says otherwise; somebody ill, somebody who left, a hole to be filled. `ask` opens requests, `follow` writes
//! the rota because of them, `lists` reads them, `world` is the rota as a request sees it. How a request goes is
//! `domain::dispatch`, what may change hands `domain::rota`.

mod ask;
mod follow;
mod lists;
mod world;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use ask::call_for_gaps;
pub(crate) use follow::{hand_back, hand_over, void_swept};
pub use lists::{AskedAs, Choosable, Duty, MyDuties, OpenHole, OpenSwap, SwapBoard, SwapCase, SwapLine};
pub(crate) use lists::{facts_of, open_swap};
pub(crate) use world::{duty_view, duty_view_for, duty_view_in};

use self::ask::AskSwap;
use super::access::note;
use super::consult::{Asked, Asking, Change};
use super::replay::{Done, Key};
use super::{App, AppError, Kit, Who};
use crate::domain::consult::{Wrong, short_text};
use crate::domain::dispatch::{Event, Rule};
use crate::domain::rota::{Area, DutyView, Form, RotaRole, Stretch};
use crate::ids::{MemberId, RequestId};
use crate::store::requests::case_by_id;
use crate::store::swaps::swap_confirm;
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// Open requests that are looked through when the rota changes.
const OPEN_MAX: i64 = 1_000;

/// A duty, or part of one, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub area: Area,
    pub role: RotaRole,
    pub window: Window,
}

impl Named {
    fn stretch(&self, view: &DutyView) -> Stretch {
        let within = view.timeline.parts_within(&self.area, self.role, self.window);
        let slot = within.flat_map(|part| part.held).find_map(|held| held.why.slot().cloned());
        Stretch { area: self.area.clone(), role: self.role, slot, window: self.window }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSwap {
    pub form: Form,
    /// What is given away, or to be filled.
    pub gives: Named,
    /// What comes back for it, in an exchange.
    pub takes: Option<Named>,
    /// Who is asked, to give it to; in an exchange it is whoever holds what comes back.
    pub other: Option<MemberId>,
    /// A word to those who are asked; stands in no mail.
    pub note: String,
}

/// What became of asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SwapAsked {
    Asked(Asked),
    /// A field that cannot be taken.
    Wrong(String, Wrong),
    /// A rule stands against it already now.
    Refused(Rule),
}

/// The fields of [`NewSwap`] that can be wrong, by their names in forms and API.
const FIELDS: [&str; 6] = ["duty", "part", "takes", "other", "note", "asker"];

struct Confirm {
    kit: Kit,
    who: Who,
    id: RequestId,
}

impl Command for Confirm {
    /// `None`: there is no such request.
    type Output = Option<bool>;

    async fn apply(&self, tx: &mut Conn) -> Result<Option<bool>, StoreError> {
        let association = &self.who.association;
        let case = case_by_id(tx, association, &self.id).await?.filter(|c| c.kind == "swap");
        if case.is_none() {
            return Ok(None);
        }
        let fresh = swap_confirm(tx, association, &self.id, self.kit.now, &self.who.actor).await?;
        if fresh {
            let subject = format!("request:{}", self.id);
            note(tx, &self.kit, &self.who, "swap.confirm", &subject, json!({})).await?;
        }
        Ok(Some(fresh))
    }
}

impl App {
    /// Takes a wish for a change of the rota down and starts asking. Somebody ill is relieved at once.
    ///
    /// # Errors
    /// A note that is no line of text; the store's.
    pub async fn swap_ask(
        &self,
        who: &Who,
        asking: Asking,
        new: NewSwap,
        key: Option<&Key>,
    ) -> Result<SwapAsked, AppError> {
        if let Some(wrong) = short_text(&new.note, false) {
            return Err(AppError::field("note", wrong));
        }
        let kit = self.kit();
        let ask = AskSwap { kit: kit.clone(), who: who.clone(), asking, new };
        match self.run_once(&kit, who, key, ask).await? {
            Done::Fresh(SwapAsked::Wrong(field, wrong)) | Done::Again(SwapAsked::Wrong(field, wrong)) => {
                let field = FIELDS.into_iter().find(|f| *f == field).unwrap_or("duty");
                Err(AppError::field(field, wrong))
            }
            done => Ok(done.into_inner()),
        }
    }

    /// Undoes what was agreed to, until the duty begins: by somebody whose yes it was, or on their behalf.
    /// Then the request is open again.
    ///
    /// # Errors
    /// There is no such request; the store's.
    pub async fn swap_undo(
        &self,
        who: &Who,
        id: &RequestId,
        member: &MemberId,
        key: Option<&Key>,
    ) -> Result<Change, AppError> {
        self.request_release(who, id, member, key).await
    }

    /// Notes that the office confirmed a late change by telephone. `false`: it was noted before.
    ///
    /// # Errors
    /// There is no such request; the store's.
    pub async fn swap_confirmed_by_phone(&self, who: &Who, id: &RequestId) -> Result<bool, AppError> {
        let confirm = Confirm { kit: self.kit(), who: who.clone(), id: id.clone() };
        self.db.run(confirm).await?.ok_or(AppError::NotFound)
    }
}

/// Whether an event of a request about a duty may write the rota.
pub(crate) const fn writes_rota(event: &Event) -> bool {
    matches!(
        event,
        Event::Accept { .. }
            | Event::Choose { .. }
            | Event::Release { .. }
            | Event::Withdraw
            | Event::Due
            | Event::Void
    )
}
