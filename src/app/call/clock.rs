//! The machine's clock was set, by somebody or by a time server: the waits of open calls keep their length.

use serde_json::json;

use super::flow::due_of;
use crate::app::access::note;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::call::move_waits;
use crate::ids::{AssociationId, CallId};
use crate::planted::{self, Bug};
use crate::store::call::{call_lock, call_save, calls_not_saved_in};
use crate::store::{Command, Conn, StoreError};

struct Stepped {
    kit: Kit,
    association: AssociationId,
    call: CallId,
    by_ms: i64,
}

impl Command for Stepped {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let Some(loaded) = call_lock(tx, &kit.vault, association, &self.call).await? else {
            return Ok(false);
        };
        let (mut call, mut request) = (loaded.call.clone(), loaded.request.clone());
        move_waits(&mut call, self.by_ms);
        request.move_waits(self.by_ms);
        let due = due_of(&call, &request);
        call_save(tx, &kit.vault, association, &loaded, &call, &request, due, kit.now).await?;
        let (who, subject) = (Who::runner(association), format!("call:{}", self.call));
        note(tx, kit, &who, "call.clock_set", &subject, json!({ "by_ms": self.by_ms })).await?;
        Ok(true)
    }
}

impl App {
    /// The wall clock was moved by `by_ms` within the last `unseen_ms`: what is left of the waits of open calls stays
    /// what it was. A call that something happened to since then counts by the new clock already. How many calls were
    /// seen to.
    ///
    /// # Errors
    /// The store's.
    pub async fn calls_clock_set(&self, by_ms: i64, unseen_ms: i64) -> Result<usize, AppError> {
        if planted::is(Bug::ClockSetUnheard) {
            return Ok(0);
        }
        let kit = self.kit();
        let mut conn = self.db.read().await?;
        let before = calls_not_saved_in(&mut conn, (kit.now.plus_ms(-unseen_ms), kit.now)).await?;
        drop(conn);
        let mut moved = 0;
        for (association, call) in before {
            let stepped = Stepped { kit: kit.clone(), association, call, by_ms };
            moved += usize::from(self.db.run(stepped).await?);
        }
        Ok(moved)
    }
}
