//! Rotas and wish sheets read in: what waits, what was done, and what puts it back. What a sheet says is
//! `domain::rota::sheet`.

use serde::{Deserialize, Serialize};

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::sheets::RunState;
use super::statements;
use crate::domain::rota::sheet::Kind;
use crate::ids::{AssociationId, MemberId, RotaSheetId, WishRoundId};
use crate::time::Millis;

statements! {
    ROTA_SHEET_ADD = "INSERT INTO rota_sheet (association_id, sheet_id, kind, target, state, made_by, made_at_ms, expires_at_ms, content, counts) VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7, $8, $9)";
    ROTA_SHEET_BY_ID = "SELECT sheet_id, kind, target, state, made_by, made_at_ms, expires_at_ms, content, counts, done_at_ms, undo, undo_until_ms, undone_at_ms FROM rota_sheet WHERE association_id = $1 AND sheet_id = $2";
    ROTA_SHEETS_NEWEST = "SELECT sheet_id, kind, target, state, made_by, made_at_ms, expires_at_ms, NULL AS content, counts, done_at_ms, NULL AS undo, undo_until_ms, undone_at_ms FROM rota_sheet WHERE association_id = $1 ORDER BY sheet_id DESC LIMIT $2", "SELECT sheet_id, kind, target, state, made_by, made_at_ms, expires_at_ms, NULL::bytea AS content, counts, done_at_ms, NULL::bytea AS undo, undo_until_ms, undone_at_ms FROM rota_sheet WHERE association_id = $1 ORDER BY sheet_id DESC LIMIT $2";
    ROTA_SHEET_DONE = "UPDATE rota_sheet SET state = 'done', content = NULL, counts = $3, done_at_ms = $4, undo = $5, undo_until_ms = $6 WHERE association_id = $1 AND sheet_id = $2 AND state = 'waiting' AND expires_at_ms > $4";
    ROTA_SHEET_DROP = "UPDATE rota_sheet SET state = 'dropped', content = NULL WHERE association_id = $1 AND sheet_id = $2 AND state = 'waiting'";
    ROTA_SHEET_UNDONE = "UPDATE rota_sheet SET state = 'undone', undo = NULL, undone_at_ms = $3 WHERE association_id = $1 AND sheet_id = $2 AND state = 'done' AND undo IS NOT NULL AND undo_until_ms > $3";
    ROTA_SHEETS_FORGET = "UPDATE rota_sheet SET state = 'dropped', content = NULL WHERE state = 'waiting' AND expires_at_ms < $1";
    // Only the newest sheet of somebody: what they wrote since stays.
    WISH_SHEET_TAKE_BACK = "DELETE FROM wish_sheet WHERE association_id = $1 AND round_id = $2 AND member_id = $3 AND version = $4 AND NOT EXISTS (SELECT 1 FROM wish_sheet v WHERE v.association_id = $1 AND v.round_id = $2 AND v.member_id = $3 AND v.version > $4)";
    ROTA_SHEET_UNDOS_FORGET = "UPDATE rota_sheet SET undo = NULL WHERE undo IS NOT NULL AND undo_until_ms < $1";
}

/// What a sheet brought, or would bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetCounts {
    /// Duties or wishes that were not there.
    pub added: u32,
    /// Duties that stand in the place of others, people whose wishes are others now.
    pub changed: u32,
    /// Already there.
    pub same: u32,
    /// Cells that cannot be read.
    pub refused: u32,
}

/// A sheet that was read in.
#[derive(Clone, Debug)]
pub struct RotaSheet {
    pub id: RotaSheetId,
    pub kind: Kind,
    /// The stored id of the draft or the round into which it goes.
    pub target: String,
    pub state: RunState,
    /// The actor, as in the audit.
    pub made_by: String,
    pub made_at: Millis,
    pub expires_at: Millis,
    /// The table, sealed; gone when it was confirmed or dropped.
    pub content: Option<Vec<u8>>,
    pub counts: SheetCounts,
    pub done_at: Option<Millis>,
    /// What was there before, sealed.
    pub undo: Option<Vec<u8>>,
    pub undo_until: Option<Millis>,
    pub undone_at: Option<Millis>,
}

impl RotaSheet {
    /// Whether it can still be confirmed.
    #[must_use]
    pub fn waits(&self, now: Millis) -> bool {
        self.state == RunState::Waiting && now < self.expires_at
    }

    /// Whether it can still be put back, as far as time goes.
    #[must_use]
    pub fn can_be_undone(&self, now: Millis) -> bool {
        self.state == RunState::Done && self.undo_until.is_some_and(|until| now < until)
    }
}

fn sheet(row: &Row) -> Result<RotaSheet, StoreError> {
    let id = row.id("sheet_id", RotaSheetId::from_stored)?;
    let corrupt = |what: &str| StoreError::corrupt("rota_sheet", &id, what.to_owned());
    Ok(RotaSheet {
        kind: Kind::from_code(&row.text("kind")?).ok_or_else(|| corrupt("kind"))?,
        target: row.text("target")?,
        state: match row.text("state")?.as_str() {
            "waiting" => RunState::Waiting,
            "done" => RunState::Done,
            "undone" => RunState::Undone,
            "dropped" => RunState::Dropped,
            _ => return Err(corrupt("state")),
        },
        made_by: row.text("made_by")?,
        made_at: row.millis("made_at_ms")?,
        expires_at: row.millis("expires_at_ms")?,
        content: row.opt_bytes("content")?,
        counts: row.json("counts")?,
        done_at: row.opt_millis("done_at_ms")?,
        undo: row.opt_bytes("undo")?,
        undo_until: row.opt_millis("undo_until_ms")?,
        undone_at: row.opt_millis("undone_at_ms")?,
        id,
    })
}

fn counts_text(counts: &SheetCounts) -> String {
    serde_json::to_string(counts).unwrap_or_else(|_| "{}".to_owned())
}

/// # Errors
/// The database's.
pub async fn rota_sheet_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &RotaSheet,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.kind.code(),
        new.target.as_str(),
        new.made_by.as_str(),
        new.made_at,
        new.expires_at,
        new.content.clone(),
        counts_text(&new.counts),
    ];
    tx.exec(&ROTA_SHEET_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn rota_sheet_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &RotaSheetId,
) -> Result<Option<RotaSheet>, StoreError> {
    let row = conn.one(&ROTA_SHEET_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(sheet).transpose()
}

/// The newest first, without what they hold.
///
/// # Errors
/// The database's.
pub async fn rota_sheets_newest(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<RotaSheet>, StoreError> {
    conn.all(&ROTA_SHEETS_NEWEST, values![association.as_str(), limit]).await?.iter().map(sheet).collect()
}

/// What a sheet leaves behind when it was taken in.
#[derive(Clone, Debug)]
pub struct SheetDone {
    pub counts: SheetCounts,
    pub at: Millis,
    pub undo: Vec<u8>,
    pub undo_until: Millis,
}

/// `false`: it does not wait any more.
///
/// # Errors
/// The database's.
pub async fn rota_sheet_done(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RotaSheetId,
    done: &SheetDone,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        id.as_str(),
        counts_text(&done.counts),
        done.at,
        done.undo.clone(),
        done.undo_until,
    ];
    Ok(tx.exec(&ROTA_SHEET_DONE, params).await? == 1)
}

/// `false`: it does not wait any more.
///
/// # Errors
/// The database's.
pub async fn rota_sheet_drop(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RotaSheetId,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&ROTA_SHEET_DROP, values![association.as_str(), id.as_str()]).await? == 1)
}

/// `false`: it was undone, or its days are over.
///
/// # Errors
/// The database's.
pub async fn rota_sheet_undone(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RotaSheetId,
    at: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&ROTA_SHEET_UNDONE, values![association.as_str(), id.as_str(), at]).await? == 1)
}

/// Forgets what nobody confirmed in time and what can no longer be undone.
///
/// # Errors
/// The database's.
pub async fn rota_sheets_forget(tx: &mut Conn, now: Millis) -> Result<u64, StoreError> {
    let dropped = tx.exec(&ROTA_SHEETS_FORGET, values![now]).await?;
    Ok(dropped + tx.exec(&ROTA_SHEET_UNDOS_FORGET, values![now]).await?)
}

/// Takes back a person's newest sheet of wishes, which a file brought. `false`: they wrote another since.
///
/// # Errors
/// The database's.
pub async fn wish_sheet_take_back(
    tx: &mut Conn,
    association: &AssociationId,
    round: &WishRoundId,
    member: &MemberId,
    version: i64,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), round.as_str(), member.as_str(), version];
    Ok(tx.exec(&WISH_SHEET_TAKE_BACK, params).await? == 1)
}
