//! Sheets read in: what waits, what was done, and what puts it back. What a sheet says is `domain`.

use super::db::{Conn, StoreError};
use super::people::{Institution, Member, institutions_after, members_after};
use super::row::{Row, values};
use super::statements;
use crate::domain::people::SpecialtyOffer;
use crate::domain::people::sheet::{Counts, Kind};
use crate::ids::{AssociationId, InstitutionId, MemberId, SheetRunId};
use crate::time::Millis;

statements! {
    SHEET_RUN_ADD = "INSERT INTO sheet_run (association_id, run_id, kind, state, made_by, made_at_ms, expires_at_ms, content, counts) VALUES ($1, $2, $3, 'waiting', $4, $5, $6, $7, $8)";
    SHEET_RUN_BY_ID = "SELECT run_id, kind, state, made_by, made_at_ms, expires_at_ms, content, counts, done_at_ms, undo, undo_until_ms, undone_at_ms FROM sheet_run WHERE association_id = $1 AND run_id = $2";
    SHEET_RUNS_NEWEST = "SELECT run_id, kind, state, made_by, made_at_ms, expires_at_ms, NULL AS content, counts, done_at_ms, NULL AS undo, undo_until_ms, undone_at_ms FROM sheet_run WHERE association_id = $1 ORDER BY run_id DESC LIMIT $2", "SELECT run_id, kind, state, made_by, made_at_ms, expires_at_ms, NULL::bytea AS content, counts, done_at_ms, NULL::bytea AS undo, undo_until_ms, undone_at_ms FROM sheet_run WHERE association_id = $1 ORDER BY run_id DESC LIMIT $2";
    SHEET_RUN_DONE = "UPDATE sheet_run SET state = 'done', content = NULL, counts = $3, done_at_ms = $4, undo = $5, undo_until_ms = $6 WHERE association_id = $1 AND run_id = $2 AND state = 'waiting' AND expires_at_ms > $4";
    SHEET_RUN_DROP = "UPDATE sheet_run SET state = 'dropped', content = NULL WHERE association_id = $1 AND run_id = $2 AND state = 'waiting'";
    SHEET_RUN_UNDONE = "UPDATE sheet_run SET state = 'undone', undo = NULL, undone_at_ms = $3 WHERE association_id = $1 AND run_id = $2 AND state = 'done' AND undo IS NOT NULL AND undo_until_ms > $3";
    SHEET_RUNS_FORGET = "UPDATE sheet_run SET state = 'dropped', content = NULL WHERE state = 'waiting' AND expires_at_ms < $1";
    SHEET_UNDOS_FORGET = "UPDATE sheet_run SET undo = NULL WHERE undo IS NOT NULL AND undo_until_ms < $1";
    SHEET_SPECIALTIES = "SELECT member_id, body FROM member_specialty WHERE association_id = $1 ORDER BY member_id, specialty";
    SHEET_MEMBER_FROM = "UPDATE member SET active_from_ms = $3 WHERE association_id = $1 AND member_id = $2";
    // Whoever has a PIN, or of whom anything but their own adding was noted, has been here.
    SHEET_MEMBER_REMOVE = "DELETE FROM member WHERE association_id = $1 AND member_id = $2 AND pin_hash IS NULL AND NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.association_id = $1 AND e.subject = $3 AND e.action <> 'member.add')";
    SHEET_INSTITUTION_REMOVE = "DELETE FROM institution WHERE association_id = $1 AND institution_id = $2 AND NOT EXISTS (SELECT 1 FROM member m WHERE m.association_id = $1 AND m.institution_id = $2) AND NOT EXISTS (SELECT 1 FROM request r WHERE r.association_id = $1 AND r.institution_id = $2) AND NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.association_id = $1 AND e.subject = $3 AND e.action <> 'institution.add')";
}

/// Read at a time.
const PAGE: i64 = 1_000;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Looked at, nothing written yet.
    Waiting,
    Done,
    Undone,
    /// Stopped by the clerk, or its day was over.
    Dropped,
}

/// A sheet that was read in.
#[derive(Clone, Debug)]
pub struct SheetRun {
    pub id: SheetRunId,
    pub kind: Kind,
    pub state: RunState,
    /// The actor, as in the audit.
    pub made_by: String,
    pub made_at: Millis,
    pub expires_at: Millis,
    /// The table, sealed; gone when it was confirmed or dropped.
    pub content: Option<Vec<u8>>,
    pub counts: Counts,
    pub done_at: Option<Millis>,
    /// What was there before, sealed.
    pub undo: Option<Vec<u8>>,
    pub undo_until: Option<Millis>,
    pub undone_at: Option<Millis>,
}

fn run(row: &Row) -> Result<SheetRun, StoreError> {
    let id = row.id("run_id", SheetRunId::from_stored)?;
    let corrupt = |what: &str| StoreError::corrupt("sheet_run", &id, what.to_owned());
    Ok(SheetRun {
        kind: Kind::from_code(&row.text("kind")?).ok_or_else(|| corrupt("kind"))?,
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

fn counts_text(counts: &Counts) -> String {
    serde_json::to_string(counts).unwrap_or_else(|_| "{}".to_owned())
}

/// # Errors
/// The database's.
pub async fn sheet_run_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &SheetRun,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.kind.code(),
        new.made_by.as_str(),
        new.made_at,
        new.expires_at,
        new.content.clone(),
        counts_text(&new.counts),
    ];
    tx.exec(&SHEET_RUN_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn sheet_run_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &SheetRunId,
) -> Result<Option<SheetRun>, StoreError> {
    conn.one(&SHEET_RUN_BY_ID, values![association.as_str(), id.as_str()])
        .await?
        .as_ref()
        .map(run)
        .transpose()
}

/// The newest first, without what they hold.
///
/// # Errors
/// The database's.
pub async fn sheet_runs_newest(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<SheetRun>, StoreError> {
    conn.all(&SHEET_RUNS_NEWEST, values![association.as_str(), limit]).await?.iter().map(run).collect()
}

/// What a run leaves behind when it was carried out.
#[derive(Clone, Debug)]
pub struct RunDone {
    pub counts: Counts,
    pub at: Millis,
    pub undo: Vec<u8>,
    pub undo_until: Millis,
}

/// `false`: it does not wait any more.
///
/// # Errors
/// The database's.
pub async fn sheet_run_done(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SheetRunId,
    done: &RunDone,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        id.as_str(),
        counts_text(&done.counts),
        done.at,
        done.undo.clone(),
        done.undo_until,
    ];
    Ok(tx.exec(&SHEET_RUN_DONE, params).await? == 1)
}

/// `false`: it does not wait any more.
///
/// # Errors
/// The database's.
pub async fn sheet_run_drop(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SheetRunId,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&SHEET_RUN_DROP, values![association.as_str(), id.as_str()]).await? == 1)
}

/// `false`: it was undone, or its days are over.
///
/// # Errors
/// The database's.
pub async fn sheet_run_undone(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SheetRunId,
    at: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&SHEET_RUN_UNDONE, values![association.as_str(), id.as_str(), at]).await? == 1)
}

/// Forgets what nobody confirmed in time and what can no longer be undone.
///
/// # Errors
/// The database's.
pub async fn sheets_forget(tx: &mut Conn, now: Millis) -> Result<u64, StoreError> {
    let dropped = tx.exec(&SHEET_RUNS_FORGET, values![now]).await?;
    Ok(dropped + tx.exec(&SHEET_UNDOS_FORGET, values![now]).await?)
}

/// Every member, also those who left.
///
/// # Errors
/// The database's.
pub async fn every_member(conn: &mut Conn, association: &AssociationId) -> Result<Vec<Member>, StoreError> {
    let mut all: Vec<Member> = Vec::new();
    loop {
        let after = all.last().map(|m| m.id.to_string()).unwrap_or_default();
        let page = members_after(conn, association, &after, PAGE).await?;
        let last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// Every institution, also those that are gone.
///
/// # Errors
/// The database's.
pub async fn every_institution(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<Institution>, StoreError> {
    let mut all: Vec<Institution> = Vec::new();
    loop {
        let after = all.last().map(|i| i.id.to_string()).unwrap_or_default();
        let page = institutions_after(conn, association, &after, PAGE).await?;
        let last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// What everybody volunteers for.
///
/// # Errors
/// The database's.
pub async fn every_specialty(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<(MemberId, SpecialtyOffer)>, StoreError> {
    let rows = conn.all(&SHEET_SPECIALTIES, values![association.as_str()]).await?;
    rows.iter().map(|r| Ok((r.id("member_id", MemberId::from_stored)?, r.json("body")?))).collect()
}

/// The moment from which somebody is a member.
///
/// # Errors
/// The database's.
pub async fn member_from(
    tx: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
    from: Millis,
) -> Result<(), StoreError> {
    tx.exec(&SHEET_MEMBER_FROM, values![association.as_str(), id.as_str(), from]).await.map(drop)
}

/// Takes out a member who was never here. `false`: they have been, and stay.
///
/// # Errors
/// The database's; a row of theirs that this room does not know of.
pub async fn member_remove(
    tx: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
) -> Result<bool, StoreError> {
    let subject = format!("member:{id}");
    Ok(tx.exec(&SHEET_MEMBER_REMOVE, values![association.as_str(), id.as_str(), subject]).await? == 1)
}

/// Takes out an institution that nothing is about. `false`: something is.
///
/// # Errors
/// As [`member_remove`].
pub async fn institution_remove(
    tx: &mut Conn,
    association: &AssociationId,
    id: &InstitutionId,
) -> Result<bool, StoreError> {
    let subject = format!("institution:{id}");
    Ok(tx.exec(&SHEET_INSTITUTION_REMOVE, values![association.as_str(), id.as_str(), subject]).await? == 1)
}
