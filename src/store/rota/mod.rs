//! The rota: `records` decide who is on and are only added to; `plans` are patterns and settings; `drafts` a
//! rota being made; `wishes` what people wish for it. What they mean is `domain::rota`.

pub mod drafts;
pub mod plans;
pub mod records;
pub mod wishes;

use super::db::{Conn, Statement, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::rota::{Area, Assignment, Holder, RotaRole, SlotKey};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::time::{Millis, Window};

statements! {
    ROTA_REVISION = "SELECT revision FROM rota_state WHERE association_id = $1";
    // The row is the lock: whoever writes the rota of an association comes through here first.
    ROTA_TOUCH = "INSERT INTO rota_state (association_id, revision, changed_at_ms) VALUES ($1, 1, $2) ON CONFLICT (association_id) DO UPDATE SET revision = rota_state.revision + 1, changed_at_ms = excluded.changed_at_ms RETURNING revision";
}

/// For the test that prepares every statement.
pub(super) fn statements() -> Vec<&'static Statement> {
    [ALL, drafts::ALL, plans::ALL, records::ALL, wishes::ALL].concat()
}

/// How often the rota of an association was written; 0 = never.
///
/// # Errors
/// The database's.
pub async fn rota_revision(conn: &mut Conn, association: &AssociationId) -> Result<i64, StoreError> {
    conn.one(&ROTA_REVISION, values![association.as_str()]).await?.map_or(Ok(0), |row| row.int("revision"))
}

/// Says that the rota is being written, before anything of it is read; the new revision. Whoever else writes
/// waits until this transaction ends, so what was read stays so.
///
/// # Errors
/// The database's.
pub async fn rota_touch(tx: &mut Conn, association: &AssociationId, now: Millis) -> Result<i64, StoreError> {
    let row = tx.one(&ROTA_TOUCH, values![association.as_str(), now]).await?;
    row.ok_or_else(|| StoreError::Unusable("the rota has no revision".to_owned()))?.int("revision")
}

fn window(row: &Row) -> Result<Window, StoreError> {
    Ok(Window { from: row.millis("from_ms")?, to: row.millis("to_ms")? })
}

fn role(row: &Row, table: &'static str) -> Result<RotaRole, StoreError> {
    let code = row.text("role")?;
    RotaRole::from_code(&code).ok_or_else(|| StoreError::corrupt(table, &code, "no role of the rota"))
}

fn area(row: &Row, table: &'static str) -> Result<Area, StoreError> {
    let text = row.text("area")?;
    text.parse().map_err(|e| StoreError::corrupt(table, &text, e))
}

fn slot(row: &Row, table: &'static str) -> Result<SlotKey, StoreError> {
    let (day, kind) = (row.text("slot_day")?, row.text("slot_kind")?);
    Ok(SlotKey {
        day: day.parse().map_err(|e| StoreError::corrupt(table, &day, e))?,
        kind: kind.parse().map_err(|e| StoreError::corrupt(table, &kind, e))?,
    })
}

/// A duty of a publication or a draft; the area stands with those.
fn duty(row: &Row, area: &Area, table: &'static str) -> Result<Assignment, StoreError> {
    Ok(Assignment {
        area: area.clone(),
        slot: slot(row, table)?,
        role: role(row, table)?,
        window: window(row)?,
        holder: Holder {
            person: row.id("member_id", MemberId::from_stored)?,
            institution: row.id("institution_id", InstitutionId::from_stored)?,
        },
    })
}
