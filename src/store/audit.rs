//! The audit log: one row per change and per reading of clinical text, hash-chained per association, in the
//! order of commits. The chain's bytes are defined in `seal::chain` and `docs/crypto.md`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::ids::AssociationId;
use crate::seal::chain::{BrokenChain, ChainCheck, ChainRow, GENESIS, Head, chain_hash};
use crate::time::Millis;

statements! {
    // The head row is the lock that makes the order of numbers the order of commits.
    AUDIT_HEAD_LOCK =
        "SELECT seq, hash FROM audit_head WHERE association_id = $1",
        "SELECT seq, hash FROM audit_head WHERE association_id = $1 FOR UPDATE";
    AUDIT_HEAD_READ = "SELECT seq, hash FROM audit_head WHERE association_id = $1";
    AUDIT_HEAD_ADD = "INSERT INTO audit_head (association_id, seq, hash) VALUES ($1, $2, $3)";
    AUDIT_HEAD_SET = "UPDATE audit_head SET seq = $2, hash = $3 WHERE association_id = $1 AND seq = $4";
    AUDIT_ADD = "INSERT INTO audit_event (association_id, seq, at_ms, actor, on_behalf_of, action, subject, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    AUDIT_AFTER = "SELECT seq, at_ms, actor, on_behalf_of, action, subject, detail, hash FROM audit_event WHERE association_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    AUDIT_OF_SUBJECT = "SELECT seq, at_ms, actor, on_behalf_of, action, subject, detail, hash FROM audit_event WHERE association_id = $1 AND subject = $2 ORDER BY seq LIMIT $3";
}

/// A row to be written.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub at: Millis,
    /// `member:…`, `key:…`, `cli`, `runner`.
    pub actor: &'a str,
    pub on_behalf_of: Option<&'a str>,
    /// A verb of the office, such as `offer.accept`.
    pub action: &'a str,
    /// The kind and id of what it was done to.
    pub subject: &'a str,
    /// Codes, ids and counts; never names or clinical text.
    pub detail: serde_json::Value,
}

/// A written row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub seq: i64,
    pub at: Millis,
    pub actor: String,
    pub on_behalf_of: Option<String>,
    pub action: String,
    pub subject: String,
    pub detail: String,
    pub hash: Vec<u8>,
}

fn event(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        seq: row.int("seq")?,
        at: row.millis("at_ms")?,
        actor: row.text("actor")?,
        on_behalf_of: row.opt_text("on_behalf_of")?,
        action: row.text("action")?,
        subject: row.text("subject")?,
        detail: row.text("detail")?,
        hash: row.bytes("hash")?,
    })
}

/// Starts an association's chain.
///
/// # Errors
/// The database's.
pub async fn audit_start(tx: &mut Conn, association: &AssociationId) -> Result<(), StoreError> {
    tx.exec(&AUDIT_HEAD_ADD, values![association.as_str(), 0i64, GENESIS.as_slice()]).await.map(drop)
}

/// Appends a row; its number.
///
/// # Errors
/// The association has no chain, or the database's.
pub async fn audit_append(
    tx: &mut Conn,
    association: &AssociationId,
    entry: &Entry<'_>,
) -> Result<i64, StoreError> {
    let head = tx.one(&AUDIT_HEAD_LOCK, values![association.as_str()]).await?;
    let head = head.ok_or_else(|| StoreError::Unusable("the association has no audit chain".to_owned()))?;
    let before = head.int("seq")?;
    let hash = head.bytes("hash")?;
    let prev: [u8; 32] = hash
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::Unusable("the head of the audit chain is damaged".to_owned()))?;
    let seq = before + 1;
    let detail = entry.detail.to_string();
    let row = ChainRow {
        association: association.as_str(),
        seq,
        at_ms: entry.at.0,
        actor: entry.actor,
        on_behalf_of: entry.on_behalf_of,
        action: entry.action,
        subject: entry.subject,
        detail: &detail,
    };
    let hash = chain_hash(&prev, &row);
    tx.exec(
        &AUDIT_ADD,
        values![
            association.as_str(),
            seq,
            entry.at,
            entry.actor,
            entry.on_behalf_of,
            entry.action,
            entry.subject,
            detail,
            hash.as_slice(),
        ],
    )
    .await?;
    let moved = tx.exec(&AUDIT_HEAD_SET, values![association.as_str(), seq, hash.as_slice(), before]).await?;
    if moved == 1 { Ok(seq) } else { Err(StoreError::Stale { table: "audit_head", id: seq.to_string() }) }
}

/// Rows after `seq`, oldest first, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn audit_after(
    conn: &mut Conn,
    association: &AssociationId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    conn.all(&AUDIT_AFTER, values![association.as_str(), seq, limit]).await?.iter().map(event).collect()
}

/// Rows about one subject, oldest first, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn audit_of(
    conn: &mut Conn,
    association: &AssociationId,
    subject: &str,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    conn.all(&AUDIT_OF_SUBJECT, values![association.as_str(), subject, limit])
        .await?
        .iter()
        .map(event)
        .collect()
}

/// What a check of a chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainState {
    Whole(Head),
    Broken(BrokenChain),
    /// The stored head is not the last row's.
    HeadDiffers,
}

/// Recomputes an association's chain, also while others write. The connection must not be in a transaction.
///
/// # Errors
/// The database's; what is wrong with the chain is in the value.
pub async fn audit_check(conn: &mut Conn, association: &AssociationId) -> Result<ChainState, StoreError> {
    let mut check = ChainCheck::new(association.as_str(), &[]);
    let mut after = 0;
    let stored = loop {
        // The head and the rows of one moment: the office goes on writing meanwhile.
        conn.begin_snapshot().await?;
        let head = conn.one(&AUDIT_HEAD_READ, values![association.as_str()]).await?;
        let rows = audit_after(conn, association, after, PAGE).await?;
        conn.end_snapshot().await?;
        if rows.is_empty() {
            break head;
        }
        for row in &rows {
            let chain_row = ChainRow {
                association: association.as_str(),
                seq: row.seq,
                at_ms: row.at.0,
                actor: &row.actor,
                on_behalf_of: row.on_behalf_of.as_deref(),
                action: &row.action,
                subject: &row.subject,
                detail: &row.detail,
            };
            if row.seq != after + 1 {
                return Ok(ChainState::Broken(BrokenChain::Order { seq: row.seq }));
            }
            if let Err(broken) = check.row(&chain_row, &row.hash) {
                return Ok(ChainState::Broken(broken));
            }
            after = row.seq;
        }
    };
    let head = match check.finish() {
        Ok(head) => head,
        Err(broken) => return Ok(ChainState::Broken(broken)),
    };
    let same = match stored {
        Some(row) => row.int("seq")? == head.seq && row.bytes("hash")? == head.hash,
        None => head == Head::EMPTY,
    };
    Ok(if same { ChainState::Whole(head) } else { ChainState::HeadDiffers })
}

/// Rows of a chain read at a time.
const PAGE: i64 = 1_000;
