//! Carries out what was looked at: whole or not at all.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::undo::{Before, UndoNote};
use super::world::{self, Loaded, new_institution, new_member};
use super::{Confirm, UNDO_S, at, content, digest};
use crate::app::access::note;
use crate::app::people::{PutInstitution, PutMember, Written};
use crate::app::{Kit, Who};
use crate::domain::calendar::start_of_day;
use crate::domain::people::contact_window::ContactWindow;
use crate::domain::people::sheet::{
    Counts, InstitutionDraft, InstitutionOf, MemberDraft, Outcome, Plan, Target, WindowsDraft,
};
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId, SheetRunId};
use crate::store::directory::{contact_windows_of, contact_windows_replace};
use crate::store::sheets::{RunDone, RunState, member_from, sheet_run_by_id, sheet_run_done};
use crate::store::{Command, Conn, StoreError};

/// How confirming ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Applied {
    Done(Counts),
    /// Rows cannot be taken, and it was not said to leave them out: nothing was written.
    HasRefused(Counts),
    NotThere,
    /// It was done or stopped before, its day is over, or what it is about has changed: nothing was written.
    Changed,
}

pub(super) struct ApplyRun {
    pub kit: Kit,
    pub who: Who,
    pub id: SheetRunId,
    pub confirm: Confirm,
}

impl Command for ApplyRun {
    type Output = Applied;

    async fn apply(&self, tx: &mut Conn) -> Result<Applied, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(run) = sheet_run_by_id(tx, association, &self.id).await? else {
            return Ok(Applied::NotThere);
        };
        if run.state != RunState::Waiting || run.expires_at <= kit.now {
            return Ok(Applied::Changed);
        }
        let Some(table) = content(tx, kit, &self.who, &run).await? else { return Ok(Applied::Changed) };
        // The language only chooses words, and the plan's name does not hold them.
        let loaded = world::load(tx, kit, association, Lang::Ja).await?;
        let plan = world::plan(run.kind, &table, &loaded);
        if digest(&plan) != self.confirm.digest {
            return Ok(Applied::Changed);
        }
        let counts = plan.counts();
        if counts.refused > 0 && !self.confirm.leave_out {
            return Ok(Applied::HasRefused(counts));
        }
        let undo = self.write(tx, &plan, &loaded).await?;
        let plain = serde_json::to_string(&undo).unwrap_or_default();
        let undo = kit.vault.seal_lasting(tx, association, at(&self.id, "undo"), &plain).await?;
        let done = RunDone { counts, at: kit.now, undo, undo_until: kit.now.plus_s(UNDO_S) };
        if !sheet_run_done(tx, association, &self.id, &done).await? {
            return Err(stale(&self.id));
        }
        let detail = json!({
            "kind": run.kind.code(),
            "added": counts.added,
            "changed": counts.changed,
            "left_out": counts.refused,
            "institutions": counts.new_institutions,
        });
        note(tx, kit, &self.who, "sheet.import", &world::subject(&self.id), detail).await?;
        Ok(Applied::Done(counts))
    }
}

/// Somebody was quicker: the whole transaction goes back.
fn stale(id: &SheetRunId) -> StoreError {
    StoreError::Stale { table: "sheet_run", id: id.to_string() }
}

/// Names a doctor's windows of a year in what can be put back.
pub(super) fn window_id(draft: &WindowsDraft) -> String {
    format!("{}.{}", draft.member, draft.year)
}

impl ApplyRun {
    async fn write(&self, tx: &mut Conn, plan: &Plan, loaded: &Loaded) -> Result<UndoNote, StoreError> {
        let mut undo = UndoNote::default();
        let mut houses = Vec::with_capacity(plan.new_institutions.len());
        for house in &plan.new_institutions {
            let id = InstitutionId::new(self.kit.now, self.kit.vault.chance.as_ref());
            self.institution(tx, id.clone(), None, &house.draft).await?;
            undo.institutions.push(Before { id: id.to_string(), revision: 0, was: None });
            houses.push(id);
        }
        for row in &plan.rows {
            match &row.outcome {
                Outcome::Add(Target::Institution(draft)) => {
                    let id = InstitutionId::new(self.kit.now, self.kit.vault.chance.as_ref());
                    self.institution(tx, id.clone(), None, draft).await?;
                    undo.institutions.push(Before { id: id.to_string(), revision: 0, was: None });
                }
                Outcome::Change { id, revision, to: Target::Institution(draft), .. } => {
                    let found = loaded.world.institutions.iter().find(|i| i.id.as_str() == id);
                    let now = found.ok_or_else(|| stale(&self.id))?;
                    self.institution(tx, now.id.clone(), Some(*revision), draft).await?;
                    let was = Some(now.draft.clone());
                    undo.institutions.push(Before { id: id.clone(), revision: revision + 1, was });
                }
                Outcome::Add(Target::Member(draft)) => {
                    let id = MemberId::new(self.kit.now, self.kit.vault.chance.as_ref());
                    self.member(tx, &id, None, draft, &houses, loaded).await?;
                    undo.members.push(Before { id: id.to_string(), revision: 0, was: None });
                }
                Outcome::Change { id, revision, to: Target::Member(draft), .. } => {
                    let found = loaded.world.members.iter().find(|m| m.id.as_str() == id);
                    let now = found.ok_or_else(|| stale(&self.id))?;
                    self.member(tx, &now.id, Some(*revision), draft, &houses, loaded).await?;
                    if draft.joined != now.draft.joined
                        && let Some(from) = loaded.active_from.get(&now.id)
                    {
                        undo.active_from.push((id.clone(), *from));
                    }
                    let was = Some(now.draft.clone());
                    undo.members.push(Before { id: id.clone(), revision: revision + 1, was });
                }
                Outcome::Add(Target::Windows(draft)) => {
                    self.windows(tx, 0, draft).await?;
                    undo.windows.push(Before { id: window_id(draft), revision: 1, was: None });
                }
                Outcome::Change { revision, to: Target::Windows(draft), .. } => {
                    let was = self.windows(tx, *revision, draft).await?;
                    let was = Some(WindowsDraft { windows: was, ..WindowsDraft::clone(draft) });
                    undo.windows.push(Before { id: window_id(draft), revision: revision + 1, was });
                }
                Outcome::Same | Outcome::Refused(_) => {}
            }
        }
        Ok(undo)
    }

    /// Writes a doctor's windows of a year that stand at `revision`; what was there.
    async fn windows(
        &self,
        tx: &mut Conn,
        revision: i64,
        draft: &WindowsDraft,
    ) -> Result<Vec<ContactWindow>, StoreError> {
        let association = &self.who.association;
        let before = contact_windows_of(tx, association, &draft.member, draft.year).await?;
        if before.revision != revision {
            return Err(stale(&self.id));
        }
        contact_windows_replace(tx, association, &draft.member, draft.year, &draft.windows).await?;
        let subject = format!("member:{}", draft.member);
        let detail = json!({ "fiscal_year": draft.year, "windows": draft.windows.len() });
        note(tx, &self.kit, &self.who, "contact_windows.change", &subject, detail).await?;
        Ok(before.windows)
    }

    async fn institution(
        &self,
        tx: &mut Conn,
        id: InstitutionId,
        revision: Option<i64>,
        draft: &InstitutionDraft,
    ) -> Result<(), StoreError> {
        let new = new_institution(draft);
        let put = PutInstitution { kit: self.kit.clone(), who: self.who.clone(), id, revision, new };
        match put.apply(tx).await? {
            Written::Done(_) => Ok(()),
            _ => Err(stale(&self.id)),
        }
    }

    async fn member(
        &self,
        tx: &mut Conn,
        id: &MemberId,
        revision: Option<i64>,
        draft: &MemberDraft,
        houses: &[InstitutionId],
        loaded: &Loaded,
    ) -> Result<(), StoreError> {
        let institution = match &draft.institution {
            InstitutionOf::None => None,
            InstitutionOf::There(id) => Some(id.clone()),
            InstitutionOf::New(n) => Some(houses.get(*n).cloned().ok_or_else(|| stale(&self.id))?),
        };
        let lang = loaded.langs.get(id).copied().unwrap_or(loaded.lang);
        let new = new_member(draft, institution, lang);
        let put = PutMember {
            kit: self.kit.clone(),
            who: self.who.clone(),
            id: id.clone(),
            revision,
            new,
            pin_hash: None,
        };
        match put.apply(tx).await? {
            Written::Done(_) => {}
            _ => return Err(stale(&self.id)),
        }
        let before = loaded.world.members.iter().find(|m| m.id == *id).and_then(|m| m.draft.joined);
        if let Some(day) = draft.joined
            && before != Some(day)
        {
            member_from(tx, &self.who.association, id, start_of_day(day, loaded.zone)).await?;
        }
        Ok(())
    }
}
