//! Rotas and wish sheets as offices keep them, read in: looked at first, then taken in whole or not at all, and put
//! back for a week. What a sheet says is `domain::rota::sheet`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::drafts::{ChangeDraft, Deed, Drafted};
use super::world::{RotaWorld, rota_world};
use crate::app::sheets::Confirm;
use crate::domain::calendar::CivilDate;
use crate::domain::people::sheet::Table;
use crate::domain::rota::sheet::{Kind, Known, Reading, Weights, World, read_duties, read_wishes};
use crate::domain::rota::{Area, Assignment, WishSheet, WishSource, WishedDays};
use crate::ids::{AssociationId, MemberId, RotaDraftId, RotaSheetId, WishRoundId};
use crate::store::rota::drafts::{Draft, draft_by_id, draft_duties, drafts};
use crate::store::rota::wishes::{WishRound, wish_round_by_id, wish_rounds, wish_sheet_add, wish_sheets};
pub use crate::store::rota_sheets::{RotaSheet, SheetCounts};
use crate::store::rota_sheets::{
    SheetDone, rota_sheet_add, rota_sheet_by_id, rota_sheet_done, rota_sheet_drop, rota_sheet_undone,
    rota_sheets_newest, wish_sheet_take_back,
};
use crate::store::secrets::Sealed;
use crate::store::sheets::RunState;
use crate::store::{Command, Conn, StoreError};

/// What was read waits this long to be confirmed.
const WAITS_S: i64 = 86_400;
/// What was taken in can be put back this long.
const UNDO_S: i64 = 7 * 86_400;
/// Sheets a page lists, and targets it offers.
const SHOWN: i64 = 50;

/// Where a sheet goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// The duties of a rota that is being made.
    Draft(RotaDraftId),
    /// A collection of wishes.
    Round(WishRoundId),
}

impl Target {
    /// The stable text of forms and the database.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Draft(id) => format!("draft:{id}"),
            Self::Round(id) => format!("round:{id}"),
        }
    }

    /// Reads [`Target::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code.split_once(':')? {
            ("draft", id) => RotaDraftId::from_stored(id).ok().map(Self::Draft),
            ("round", id) => WishRoundId::from_stored(id).ok().map(Self::Round),
            _ => None,
        }
    }

    /// What a sheet that goes there is about.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Draft(_) => Kind::Duties,
            Self::Round(_) => Kind::Wishes,
        }
    }
}

/// A duty that stands in the place of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    pub duty: Assignment,
    pub instead_of: Vec<Assignment>,
}

/// Somebody's wishes, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishChange {
    pub member: MemberId,
    pub before: Option<WishSheet>,
    pub after: WishSheet,
}

/// What would be done with a sheet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SheetPlan {
    pub reading: Reading,
    /// Duties of empty seats.
    pub added: Vec<Assignment>,
    /// Duties of seats that somebody else has.
    pub replaced: Vec<Replaced>,
    /// People whose wishes are others now.
    pub wishes: Vec<WishChange>,
    pub counts: SheetCounts,
}

impl SheetPlan {
    /// Whether anything would change.
    #[must_use]
    pub fn changes_something(&self) -> bool {
        !self.added.is_empty() || !self.replaced.is_empty() || !self.wishes.is_empty()
    }

    /// A name for what would be done: the same table and the same rota give the same one.
    #[must_use]
    pub fn digest(&self) -> String {
        let body = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// A sheet with what would be done, or was.
#[derive(Clone, Debug)]
pub struct SheetView {
    pub sheet: RotaSheet,
    pub target: Target,
    /// Where it goes, as it is now: its name and its days.
    pub into: Option<(String, CivilDate, CivilDate)>,
    pub world: RotaWorld,
    /// While it waits.
    pub plan: Option<SheetPlan>,
    /// Of the file: the sheet that was read, the others, how it was encoded.
    pub table: Option<(String, Vec<String>, String)>,
}

/// How confirming ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SheetTaken {
    Done(SheetCounts),
    /// Cells cannot be read, and it was not said to leave them out: nothing was written.
    HasRefused(SheetCounts),
    NotThere,
    /// It does not wait any more, or what it is about has changed: nothing was written.
    Changed,
}

/// How putting back ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SheetPutBack {
    Done,
    /// Somebody changed it since: nothing was put back.
    Changed,
    /// There is nothing to put back, or not any more.
    Over,
}

/// What puts a sheet back.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum UndoNote {
    /// The step of the draft's log.
    Draft { draft: RotaDraftId, step: i64 },
    /// Versions of people's sheets that were added.
    Wishes { round: WishRoundId, sheets: Vec<(MemberId, i64)> },
    /// Nothing changed.
    Nothing,
}

fn at<'a>(id: &'a RotaSheetId, column: &'static str) -> Sealed<'a> {
    Sealed { table: "rota_sheet", column, row: id.as_str() }
}

fn stale(id: &RotaSheetId) -> StoreError {
    StoreError::Stale { table: "rota_sheet", id: id.to_string() }
}

/// Whom a sheet may name: everybody who may hold duty.
#[must_use]
pub fn known(world: &RotaWorld) -> Vec<Known> {
    let people = world.people().into_iter();
    let known = people.filter_map(|person| {
        let member = world.members.get(&person.id)?;
        Some(Known {
            holder: world.holder(&person.id)?,
            name: member.name.clone(),
            kana: member.kana.clone(),
            institution: world.institution_name(&person.institution).to_owned(),
        })
    });
    known.collect()
}

/// Reads a table for some days of an area.
#[must_use]
pub fn read(
    kind: Kind,
    table: &Table,
    world: &RotaWorld,
    area: &Area,
    days: (CivilDate, CivilDate),
) -> Reading {
    let people = known(world);
    let against = World {
        people: &people,
        area,
        book: world.book(),
        calendar: &world.calendar,
        zone: world.zone(),
        days,
        weights: Weights::default(),
    };
    match kind {
        Kind::Duties => read_duties(table, against),
        Kind::Wishes => read_wishes(table, against),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What would be done with a rota, beside what the draft has.
fn plan_duties(reading: Reading, there: &[Assignment]) -> SheetPlan {
    let mut plan = SheetPlan::default();
    for read in &reading.duties {
        let duty = &read.duty;
        let seat: Vec<Assignment> =
            there.iter().filter(|d| d.slot == duty.slot && d.role == duty.role).cloned().collect();
        match seat.as_slice() {
            [] => plan.added.push(duty.clone()),
            [one] if one.holder == duty.holder && one.window == duty.window => plan.counts.same += 1,
            _ => plan.replaced.push(Replaced { duty: duty.clone(), instead_of: seat }),
        }
    }
    plan.counts.added = count(plan.added.len());
    plan.counts.changed = count(plan.replaced.len());
    plan.counts.refused = count(reading.problems.len());
    plan.reading = reading;
    plan
}

/// What would be done with a wish sheet: the days of everybody who stands in it become those of the sheet; what they
/// said otherwise stays.
fn plan_wishes(reading: Reading, there: &[(MemberId, WishSheet)]) -> SheetPlan {
    let mut plan = SheetPlan::default();
    for member in &reading.answered {
        let own = reading.wishes.iter().map(|w| &w.wish).filter(|wish| wish.person == *member);
        let days: Vec<WishedDays> =
            own.map(|w| WishedDays { first: w.first, last: w.last, wished: w.wished }).collect();
        let before = there.iter().find(|(id, _)| id == member).map(|(_, sheet)| sheet.clone());
        let after = WishSheet { days, ..before.clone().unwrap_or_default() };
        match &before {
            Some(before) if *before == after => plan.counts.same += 1,
            Some(_) => plan.counts.changed += 1,
            None => plan.counts.added += 1,
        }
        if before.as_ref() != Some(&after) {
            plan.wishes.push(WishChange { member: member.clone(), before, after });
        }
    }
    plan.counts.refused = count(reading.problems.len());
    plan.reading = reading;
    plan
}

/// `None`: the target is not there, or not open any more.
async fn plan_for(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    target: &Target,
    table: &Table,
) -> Result<Option<(SheetPlan, RotaWorld)>, StoreError> {
    let Some(world) = rota_world(conn, kit, association).await? else { return Ok(None) };
    let plan = match target {
        Target::Draft(id) => {
            let draft = draft_by_id(conn, association, id).await?;
            let Some(draft) = draft.filter(|d| d.publication.is_none() && d.dropped_at.is_none()) else {
                return Ok(None);
            };
            let there = draft_duties(conn, association, &draft).await?;
            let reading = read(Kind::Duties, table, &world, &draft.area, (draft.first, draft.last));
            plan_duties(reading, &there)
        }
        Target::Round(id) => {
            let Some(round) = wish_round_by_id(conn, association, id).await? else { return Ok(None) };
            let rows = wish_sheets(conn, association, id).await?;
            let there: Vec<_> = rows.into_iter().map(|row| (row.member, row.sheet)).collect();
            let Some(area) = world.settings.areas.first().map(|a| a.key.clone()) else { return Ok(None) };
            let reading = read(Kind::Wishes, table, &world, &area, (round.first, round.last));
            plan_wishes(reading, &there)
        }
    };
    Ok(Some((plan, world)))
}

async fn table_of(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    sheet: &RotaSheet,
) -> Result<Option<Table>, StoreError> {
    let Some(sealed) = &sheet.content else { return Ok(None) };
    let plain = kit.vault.open(conn, association, at(&sheet.id, "content"), sealed).await?;
    serde_json::from_str(&plain).map(Some).map_err(|e| StoreError::corrupt("rota_sheet", &sheet.id, e))
}

fn target_of(sheet: &RotaSheet) -> Result<Target, StoreError> {
    Target::from_code(&sheet.target)
        .ok_or_else(|| StoreError::corrupt("rota_sheet", &sheet.id, "no target".to_owned()))
}

struct KeepSheet {
    kit: Kit,
    who: Who,
    id: RotaSheetId,
    target: Target,
    table: Table,
}

impl Command for KeepSheet {
    type Output = RotaSheetId;

    async fn apply(&self, tx: &mut Conn) -> Result<RotaSheetId, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let plain = serde_json::to_string(&self.table).unwrap_or_default();
        let content = kit.vault.seal_lasting(tx, association, at(&self.id, "content"), &plain).await?;
        let sheet = RotaSheet {
            id: self.id.clone(),
            kind: self.target.kind(),
            target: self.target.code(),
            state: RunState::Waiting,
            made_by: self.who.actor.clone(),
            made_at: kit.now,
            expires_at: kit.now.plus_s(WAITS_S),
            content: Some(content),
            counts: SheetCounts::default(),
            done_at: None,
            undo: None,
            undo_until: None,
            undone_at: None,
        };
        rota_sheet_add(tx, association, &sheet).await?;
        let detail = json!({ "kind": self.target.kind().code(), "into": self.target.code() });
        note(tx, kit, &self.who, "rota_sheet.read", &format!("rota_sheet:{}", self.id), detail).await?;
        Ok(self.id.clone())
    }
}

struct TakeSheet {
    kit: Kit,
    who: Who,
    id: RotaSheetId,
    confirm: Confirm,
}

impl Command for TakeSheet {
    type Output = SheetTaken;

    async fn apply(&self, tx: &mut Conn) -> Result<SheetTaken, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(sheet) = rota_sheet_by_id(tx, association, &self.id).await? else {
            return Ok(SheetTaken::NotThere);
        };
        if !sheet.waits(kit.now) {
            return Ok(SheetTaken::Changed);
        }
        let Some(table) = table_of(tx, kit, association, &sheet).await? else {
            return Ok(SheetTaken::Changed);
        };
        let target = target_of(&sheet)?;
        let planned = plan_for(tx, kit, association, &target, &table).await?;
        let Some((plan, _)) = planned.filter(|(plan, _)| plan.digest() == self.confirm.digest) else {
            return Ok(SheetTaken::Changed);
        };
        let counts = plan.counts;
        if counts.refused > 0 && !self.confirm.leave_out {
            return Ok(SheetTaken::HasRefused(counts));
        }
        let undo = match &target {
            Target::Draft(id) => self.duties(tx, id, &plan).await?,
            Target::Round(id) => self.wishes(tx, id, &plan).await?,
        };
        let plain = serde_json::to_string(&undo).unwrap_or_default();
        let undo = kit.vault.seal_lasting(tx, association, at(&self.id, "undo"), &plain).await?;
        let done = SheetDone { counts, at: kit.now, undo, undo_until: kit.now.plus_s(UNDO_S) };
        if !rota_sheet_done(tx, association, &self.id, &done).await? {
            return Err(stale(&self.id));
        }
        let detail = json!({
            "kind": sheet.kind.code(),
            "into": sheet.target,
            "added": counts.added,
            "changed": counts.changed,
            "left_out": counts.refused,
        });
        note(tx, kit, &self.who, "rota_sheet.take", &format!("rota_sheet:{}", self.id), detail).await?;
        Ok(SheetTaken::Done(counts))
    }
}

impl TakeSheet {
    /// One step of the draft's log.
    async fn duties(
        &self,
        tx: &mut Conn,
        id: &RotaDraftId,
        plan: &SheetPlan,
    ) -> Result<UndoNote, StoreError> {
        if !plan.changes_something() {
            return Ok(UndoNote::Nothing);
        }
        let Some(draft) = draft_by_id(tx, &self.who.association, id).await? else {
            return Err(stale(&self.id));
        };
        let removed = plan.replaced.iter().flat_map(|r| r.instead_of.iter().cloned()).collect();
        let added = plan.added.iter().chain(plan.replaced.iter().map(|r| &r.duty)).cloned().collect();
        let change = ChangeDraft {
            kit: self.kit.clone(),
            who: self.who.clone(),
            draft: id.clone(),
            revision: draft.revision,
            deed: Deed::Step { what: "import", removed, added },
        };
        match change.apply(tx).await? {
            Drafted::Done { .. } => Ok(UndoNote::Draft { draft: id.clone(), step: draft.position + 1 }),
            _ => Err(stale(&self.id)),
        }
    }

    async fn wishes(
        &self,
        tx: &mut Conn,
        id: &WishRoundId,
        plan: &SheetPlan,
    ) -> Result<UndoNote, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let mut sheets = Vec::with_capacity(plan.wishes.len());
        for change in &plan.wishes {
            let made = (kit.now, self.who.actor.as_str());
            let sheet = (&change.member, &change.after);
            let version = wish_sheet_add(tx, association, id, sheet, WishSource::Import, made).await?;
            sheets.push((change.member.clone(), version));
        }
        Ok(UndoNote::Wishes { round: id.clone(), sheets })
    }
}

struct DropSheet {
    kit: Kit,
    who: Who,
    id: RotaSheetId,
}

impl Command for DropSheet {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let dropped = rota_sheet_drop(tx, &self.who.association, &self.id).await?;
        if dropped {
            let subject = format!("rota_sheet:{}", self.id);
            note(tx, &self.kit, &self.who, "rota_sheet.drop", &subject, json!({})).await?;
        }
        Ok(dropped)
    }
}

struct PutBack {
    kit: Kit,
    who: Who,
    id: RotaSheetId,
}

impl Command for PutBack {
    type Output = SheetPutBack;

    async fn apply(&self, tx: &mut Conn) -> Result<SheetPutBack, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(sheet) = rota_sheet_by_id(tx, association, &self.id).await? else {
            return Ok(SheetPutBack::Over);
        };
        let Some(sealed) = sheet.undo.as_ref().filter(|_| sheet.can_be_undone(kit.now)) else {
            return Ok(SheetPutBack::Over);
        };
        let plain = kit.vault.open(tx, association, at(&self.id, "undo"), sealed).await?;
        let undo: UndoNote =
            serde_json::from_str(&plain).map_err(|e| StoreError::corrupt("rota_sheet", &self.id, e))?;
        match &undo {
            UndoNote::Nothing => {}
            UndoNote::Draft { draft: id, step } => {
                let draft = draft_by_id(tx, association, id).await?;
                let open = |d: &Draft| d.publication.is_none() && d.dropped_at.is_none();
                let Some(draft) = draft.filter(|d| open(d) && d.position == *step) else {
                    return Ok(SheetPutBack::Changed);
                };
                let change = ChangeDraft {
                    kit: kit.clone(),
                    who: self.who.clone(),
                    draft: id.clone(),
                    revision: draft.revision,
                    deed: Deed::Undo,
                };
                if !matches!(change.apply(tx).await?, Drafted::Done { .. }) {
                    return Err(stale(&self.id));
                }
            }
            UndoNote::Wishes { round, sheets } => {
                let newest = wish_sheets(tx, association, round).await?;
                let untouched = sheets.iter().all(|(member, version)| {
                    newest.iter().any(|row| row.member == *member && row.version == *version)
                });
                if !untouched {
                    return Ok(SheetPutBack::Changed);
                }
                for (member, version) in sheets {
                    if !wish_sheet_take_back(tx, association, round, member, *version).await? {
                        return Err(stale(&self.id));
                    }
                }
            }
        }
        if !rota_sheet_undone(tx, association, &self.id, kit.now).await? {
            return Err(stale(&self.id));
        }
        note(tx, kit, &self.who, "rota_sheet.undo", &format!("rota_sheet:{}", self.id), json!({})).await?;
        Ok(SheetPutBack::Done)
    }
}

impl App {
    /// The drafts and collections into which a sheet may go, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_sheet_targets(
        &self,
        association: &AssociationId,
    ) -> Result<(Vec<Draft>, Vec<WishRound>), AppError> {
        let mut conn = self.db.read().await?;
        let mut drafts = drafts(&mut conn, association, SHOWN).await?;
        drafts.retain(|d| d.publication.is_none() && d.dropped_at.is_none());
        Ok((drafts, wish_rounds(&mut conn, association, SHOWN).await?))
    }

    /// What would be done with a table; nothing is kept.
    ///
    /// # Errors
    /// [`AppError::NotFound`]: there is no such draft or collection, or it is not open; the store's.
    pub async fn rota_sheet_plan(
        &self,
        who: &Who,
        target: &Target,
        table: &Table,
    ) -> Result<(SheetPlan, RotaWorld), AppError> {
        let mut conn = self.db.read().await?;
        let planned = plan_for(&mut conn, &self.kit(), &who.association, target, table).await?;
        planned.ok_or(AppError::NotFound)
    }

    /// Keeps a table to be looked at. Nothing else is written yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_sheet_read(
        &self,
        who: &Who,
        target: &Target,
        table: Table,
        key: Option<&Key>,
    ) -> Result<RotaSheetId, AppError> {
        let kit = self.kit();
        let id = RotaSheetId::new(kit.now, self.chance.as_ref());
        let keep = KeepSheet { kit: kit.clone(), who: who.clone(), id, target: target.clone(), table };
        Ok(self.run_once(&kit, who, key, keep).await?.into_inner())
    }

    /// A sheet; while it waits with what would be done now.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_sheet(&self, who: &Who, id: &RotaSheetId) -> Result<SheetView, AppError> {
        let (kit, association) = (self.kit(), &who.association);
        let mut conn = self.db.read().await?;
        let sheet = rota_sheet_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)?;
        let target = target_of(&sheet)?;
        let world = rota_world(&mut conn, &kit, association).await?.ok_or(AppError::NotFound)?;
        let into = match &target {
            Target::Draft(id) => {
                draft_by_id(&mut conn, association, id).await?.map(|d| (d.name, d.first, d.last))
            }
            Target::Round(id) => {
                wish_round_by_id(&mut conn, association, id).await?.map(|r| (String::new(), r.first, r.last))
            }
        };
        let mut view = SheetView { target, into, world, plan: None, table: None, sheet };
        if view.sheet.waits(kit.now)
            && let Some(table) = table_of(&mut conn, &kit, association, &view.sheet).await?
        {
            view.plan = plan_for(&mut conn, &kit, association, &view.target, &table).await?.map(|(p, _)| p);
            view.table = Some((table.sheet, table.other_sheets, table.encoding));
        }
        Ok(view)
    }

    /// The newest sheets, without what they hold.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_sheets(&self, who: &Who) -> Result<Vec<RotaSheet>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(rota_sheets_newest(&mut conn, &who.association, SHOWN).await?)
    }

    /// Takes in what was looked at, in one transaction.
    ///
    /// # Errors
    /// [`AppError::ChangedMeanwhile`]; [`AppError::NotFound`]; the store's. Nothing is written then.
    pub async fn rota_sheet_take(
        &self,
        who: &Who,
        id: &RotaSheetId,
        confirm: Confirm,
        key: Option<&Key>,
    ) -> Result<SheetTaken, AppError> {
        let kit = self.kit();
        let take = TakeSheet { kit: kit.clone(), who: who.clone(), id: id.clone(), confirm };
        match self.run_once(&kit, who, key, take).await?.into_inner() {
            SheetTaken::NotThere => Err(AppError::NotFound),
            SheetTaken::Changed => Err(AppError::ChangedMeanwhile),
            done => Ok(done),
        }
    }

    /// Stops a sheet; what was read is forgotten. `false`: it did not wait any more.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_sheet_drop(
        &self,
        who: &Who,
        id: &RotaSheetId,
        key: Option<&Key>,
    ) -> Result<bool, AppError> {
        self.rota_sheet_there(who, id).await?;
        let kit = self.kit();
        let command = DropSheet { kit: kit.clone(), who: who.clone(), id: id.clone() };
        Ok(self.run_once(&kit, who, key, command).await?.into_inner())
    }

    /// Puts back what was there before a sheet was taken in.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_sheet_undo(
        &self,
        who: &Who,
        id: &RotaSheetId,
        key: Option<&Key>,
    ) -> Result<SheetPutBack, AppError> {
        self.rota_sheet_there(who, id).await?;
        let kit = self.kit();
        let command = PutBack { kit: kit.clone(), who: who.clone(), id: id.clone() };
        Ok(self.run_once(&kit, who, key, command).await?.into_inner())
    }

    /// Whether there is such a sheet here.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_sheet_there(&self, who: &Who, id: &RotaSheetId) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        rota_sheet_by_id(&mut conn, &who.association, id).await?.map(drop).ok_or(AppError::NotFound)
    }
}
