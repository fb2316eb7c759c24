//! Sheets read in and taken out: looked at first, then written whole or not at all, and put back for a week.

mod apply;
mod out;
mod undo;
mod world;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::access::note;
use super::replay::{Done, Key};
use super::{App, AppError, Kit, Who};
use crate::domain::people::sheet::{Counts, Kind, Plan, Table};
use crate::i18n::Lang;
use crate::ids::SheetRunId;
use crate::store::secrets::Sealed;
use crate::store::sheets::{
    RunState, SheetRun, sheet_run_add, sheet_run_by_id, sheet_run_drop, sheet_runs_newest,
};
use crate::store::{Command, Conn, StoreError};

pub use apply::Applied;
pub use out::template;
pub use undo::Undone;

/// What was read waits this long to be confirmed.
const WAITS_S: i64 = 86_400;
/// What was written can be put back this long.
const UNDO_S: i64 = 7 * 86_400;
/// Runs a page lists.
const RUNS: i64 = 50;

/// A run with what would be done, or was.
#[derive(Clone, Debug)]
pub struct RunView {
    pub run: SheetRun,
    /// While it waits.
    pub plan: Option<Plan>,
    /// Names the plan: what was looked at is what is confirmed.
    pub digest: String,
    /// Names of other sheets of the file, and which was read.
    pub sheet: String,
    pub other_sheets: Vec<String>,
    pub formulas: u32,
    pub encoding: String,
}

impl SheetRun {
    /// Whether it can still be confirmed.
    #[must_use]
    pub fn waits(&self, now: crate::time::Millis) -> bool {
        self.state == RunState::Waiting && now < self.expires_at
    }

    /// Whether it can still be put back, as far as time goes.
    #[must_use]
    pub fn can_be_undone(&self, now: crate::time::Millis) -> bool {
        self.state == RunState::Done && self.undo_until.is_some_and(|until| now < until)
    }
}

/// A name for what would be done: the same table and the same people give the same one.
fn digest(plan: &Plan) -> String {
    let body = serde_json::to_vec(plan).unwrap_or_default();
    Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect()
}

fn at<'a>(id: &'a SheetRunId, column: &'static str) -> Sealed<'a> {
    Sealed { table: "sheet_run", column, row: id.as_str() }
}

/// The table of a run that waits.
async fn content(tx: &mut Conn, kit: &Kit, who: &Who, run: &SheetRun) -> Result<Option<Table>, StoreError> {
    let Some(sealed) = &run.content else { return Ok(None) };
    let plain = kit.vault.open(tx, &who.association, at(&run.id, "content"), sealed).await?;
    serde_json::from_str(&plain).map(Some).map_err(|e| StoreError::corrupt("sheet_run", &run.id, e))
}

struct StartRun {
    kit: Kit,
    who: Who,
    id: SheetRunId,
    kind: Kind,
    table: Table,
}

impl Command for StartRun {
    type Output = SheetRunId;

    async fn apply(&self, tx: &mut Conn) -> Result<SheetRunId, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let plain = serde_json::to_string(&self.table).unwrap_or_default();
        let content = kit.vault.seal_lasting(tx, association, at(&self.id, "content"), &plain).await?;
        let run = SheetRun {
            id: self.id.clone(),
            kind: self.kind,
            state: RunState::Waiting,
            made_by: self.who.actor.clone(),
            made_at: kit.now,
            expires_at: kit.now.plus_s(WAITS_S),
            content: Some(content),
            counts: Counts::default(),
            done_at: None,
            undo: None,
            undo_until: None,
            undone_at: None,
        };
        sheet_run_add(tx, association, &run).await?;
        let detail = json!({ "kind": self.kind.code(), "rows": self.table.rows.len() });
        note(tx, kit, &self.who, "sheet.read", &format!("sheet_run:{}", self.id), detail).await?;
        Ok(self.id.clone())
    }
}

struct DropRun {
    kit: Kit,
    who: Who,
    id: SheetRunId,
}

impl Command for DropRun {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let dropped = sheet_run_drop(tx, &self.who.association, &self.id).await?;
        if dropped {
            note(tx, &self.kit, &self.who, "sheet.drop", &format!("sheet_run:{}", self.id), json!({}))
                .await?;
        }
        Ok(dropped)
    }
}

/// How a run is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// [`RunView::digest`] of what was looked at.
    pub digest: String,
    /// Leave out the rows that cannot be taken; otherwise such a sheet is not taken at all.
    pub leave_out: bool,
}

impl App {
    /// Keeps a table to be looked at. Nothing is written to people yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn sheet_read(
        &self,
        who: &Who,
        kind: Kind,
        table: Table,
        key: Option<&Key>,
    ) -> Result<SheetRunId, AppError> {
        let kit = self.kit();
        let id = SheetRunId::new(kit.now, self.chance.as_ref());
        let start = StartRun { kit: kit.clone(), who: who.clone(), id, kind, table };
        Ok(self.run_once(&kit, who, key, start).await?.into_inner())
    }

    /// A run; while it waits with what would be done now.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn sheet_run(&self, who: &Who, id: &SheetRunId, lang: Lang) -> Result<RunView, AppError> {
        let kit = self.kit();
        let mut conn = self.db.read().await?;
        let run = sheet_run_by_id(&mut conn, &who.association, id).await?.ok_or(AppError::NotFound)?;
        let mut view = RunView {
            plan: None,
            digest: String::new(),
            sheet: String::new(),
            other_sheets: Vec::new(),
            formulas: 0,
            encoding: String::new(),
            run,
        };
        if view.run.waits(kit.now)
            && let Some(table) = content(&mut conn, &kit, who, &view.run).await?
        {
            let world = world::load(&mut conn, &kit, &who.association, lang).await?;
            let plan = world::plan(view.run.kind, &table, &world);
            view.digest = digest(&plan);
            view.plan = Some(plan);
            view.sheet = table.sheet;
            view.other_sheets = table.other_sheets;
            view.formulas = table.formulas;
            view.encoding = table.encoding;
        }
        Ok(view)
    }

    /// What would be done with a table, and its name for [`Confirm::digest`]; nothing is kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn sheet_plan(
        &self,
        who: &Who,
        kind: Kind,
        table: &Table,
        lang: Lang,
    ) -> Result<(Plan, String), AppError> {
        let mut conn = self.db.read().await?;
        let loaded = world::load(&mut conn, &self.kit(), &who.association, lang).await?;
        let plan = world::plan(kind, table, &loaded);
        let digest = digest(&plan);
        Ok((plan, digest))
    }

    /// Whether there is such a run here.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn sheet_run_there(&self, who: &Who, id: &SheetRunId) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        sheet_run_by_id(&mut conn, &who.association, id).await?.map(drop).ok_or(AppError::NotFound)
    }

    /// The newest runs, without what they hold.
    ///
    /// # Errors
    /// The store's.
    pub async fn sheet_runs(&self, who: &Who) -> Result<Vec<SheetRun>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(sheet_runs_newest(&mut conn, &who.association, RUNS).await?)
    }

    /// Carries out what was looked at, in one transaction.
    ///
    /// # Errors
    /// [`AppError::ChangedMeanwhile`]: something that the plan is about changed since it was looked at, or the
    /// run does not wait any more; [`AppError::NotFound`]; the store's. Nothing is written then.
    pub async fn sheet_confirm(
        &self,
        who: &Who,
        id: &SheetRunId,
        confirm: Confirm,
        key: Option<&Key>,
    ) -> Result<Done<Applied>, AppError> {
        let kit = self.kit();
        let apply = apply::ApplyRun { kit: kit.clone(), who: who.clone(), id: id.clone(), confirm };
        let done = self.run_once(&kit, who, key, apply).await?;
        match done {
            Done::Fresh(Applied::NotThere) | Done::Again(Applied::NotThere) => Err(AppError::NotFound),
            Done::Fresh(Applied::Changed) | Done::Again(Applied::Changed) => Err(AppError::ChangedMeanwhile),
            done => Ok(done),
        }
    }

    /// Stops a run; what was read is forgotten.
    ///
    /// # Errors
    /// The store's.
    pub async fn sheet_drop(&self, who: &Who, id: &SheetRunId, key: Option<&Key>) -> Result<bool, AppError> {
        let kit = self.kit();
        let command = DropRun { kit: kit.clone(), who: who.clone(), id: id.clone() };
        Ok(self.run_once(&kit, who, key, command).await?.into_inner())
    }

    /// Puts back what was there before a run.
    ///
    /// # Errors
    /// The store's.
    pub async fn sheet_undo(
        &self,
        who: &Who,
        id: &SheetRunId,
        key: Option<&Key>,
    ) -> Result<Undone, AppError> {
        let kit = self.kit();
        let undo = |remove| undo::UndoRun { kit: kit.clone(), who: who.clone(), id: id.clone(), remove };
        match self.run_once(&kit, who, key, undo(true)).await {
            // Something this room does not know of names one of them: nobody is taken out, they leave.
            Err(AppError::Store(e)) if e.is_reference() => {
                Ok(self.run_once(&kit, who, key, undo(false)).await?.into_inner())
            }
            done => Ok(done?.into_inner()),
        }
    }
}
