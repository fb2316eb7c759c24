//! What the bridge is told, as rows: written with the decision, given in order, call by call.

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::secrets::{Sealed, Vault};
use super::super::statements;
use crate::ids::{AssociationId, CallId};
use crate::time::Millis;

statements! {
    ORDER_SEQ = "UPDATE call SET orders = orders + 1 WHERE association_id = $1 AND call_id = $2 RETURNING orders";
    ORDER_ADD = "INSERT INTO call_order (association_id, call_id, seq, state, body, tries, created_at_ms) VALUES ($1, $2, $3, 'due', $4, 0, $5)";
    ORDERS_DUE = "SELECT association_id, call_id, seq, body, tries, created_at_ms FROM call_order WHERE state = 'due' ORDER BY created_at_ms, call_id, seq LIMIT $1";
    ORDER_END = "UPDATE call_order SET state = $4, ended_at_ms = $5, last_error = $6, tries = tries + 1 WHERE association_id = $1 AND call_id = $2 AND seq = $3 AND state = 'due'";
    ORDER_TRIED = "UPDATE call_order SET tries = tries + 1, last_error = $4 WHERE association_id = $1 AND call_id = $2 AND seq = $3 AND state = 'due'";
    ORDERS_FORGET = "DELETE FROM call_order WHERE state <> 'due' AND ended_at_ms < $1";
}

/// One order, waiting to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    pub association: AssociationId,
    pub call: CallId,
    pub seq: i64,
    /// Sealed.
    pub body: Vec<u8>,
    pub tries: i64,
    pub created: Millis,
}

fn order_row(row: &Row) -> Result<OrderRow, StoreError> {
    Ok(OrderRow {
        association: row.id("association_id", AssociationId::from_stored)?,
        call: row.id("call_id", CallId::from_stored)?,
        seq: row.int("seq")?,
        body: row.bytes("body")?,
        tries: row.int("tries")?,
        created: row.millis("created_at_ms")?,
    })
}

fn place(call: &CallId, seq: i64) -> String {
    format!("{call}:{seq}")
}

/// Adds an order of a call behind its others. `opened`: the month under whose key it is sealed.
///
/// # Errors
/// The database's.
pub async fn order_add(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    call: &CallId,
    body: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let row = tx.one(&ORDER_SEQ, values![association.as_str(), call.as_str()]).await?;
    let seq = row.map_or(Ok(0), |r| r.int("orders"))?;
    let at = place(call, seq);
    let at = Sealed { table: "call_order", column: "body", row: &at };
    let sealed = vault.seal(tx, association, at, now, body).await?;
    tx.exec(&ORDER_ADD, values![association.as_str(), call.as_str(), seq, sealed, now]).await?;
    tx.wake_runner(super::super::jobs::Lane::Calls);
    Ok(())
}

/// Orders nobody has given yet, the oldest first, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn orders_due(conn: &mut Conn, limit: i64) -> Result<Vec<OrderRow>, StoreError> {
    conn.all(&ORDERS_DUE, values![limit]).await?.iter().map(order_row).collect()
}

/// What an order says.
///
/// # Errors
/// The database's; an order that was changed.
pub async fn order_open(conn: &mut Conn, vault: &Vault, order: &OrderRow) -> Result<String, StoreError> {
    let at = place(&order.call, order.seq);
    let at = Sealed { table: "call_order", column: "body", row: &at };
    vault.open(conn, &order.association, at, &order.body).await
}

/// The order is given (`done`), was not needed any more (`moot`) or was refused (`refused`).
///
/// # Errors
/// The database's.
pub async fn order_end(
    tx: &mut Conn,
    order: &OrderRow,
    state: &str,
    now: Millis,
    error: Option<&str>,
) -> Result<bool, StoreError> {
    let (association, call) = (order.association.as_str(), order.call.as_str());
    Ok(tx.exec(&ORDER_END, values![association, call, order.seq, state, now, error]).await? == 1)
}

/// The bridge could not be reached; the order stays.
///
/// # Errors
/// The database's.
pub async fn order_tried(tx: &mut Conn, order: &OrderRow, error: &str) -> Result<(), StoreError> {
    let params = values![order.association.as_str(), order.call.as_str(), order.seq, error];
    tx.exec(&ORDER_TRIED, params).await.map(drop)
}

/// Forgets given orders older than `before`.
///
/// # Errors
/// The database's.
pub async fn orders_forget(tx: &mut Conn, before: Millis) -> Result<u64, StoreError> {
    tx.exec(&ORDERS_FORGET, values![before]).await
}
