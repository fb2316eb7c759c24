//! Tonight's check: the rounds, and which request asked whom. How a request goes is `dispatch`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::ids::{AssociationId, CallId, MemberId, RequestId};
use crate::time::Millis;

statements! {
    TONIGHT_ROUND_ADD = "INSERT INTO tonight_round (association_id, day, at_ms, asked, holes) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (association_id, day) DO NOTHING";
    TONIGHT_ROUND = "SELECT day, at_ms, asked, holes FROM tonight_round WHERE association_id = $1 ORDER BY day DESC LIMIT 1";
    TONIGHT_CHECK_ADD = "INSERT INTO tonight_check (association_id, day, member_id, request_id) VALUES ($1, $2, $3, $4)";
    TONIGHT_RUNG = "UPDATE tonight_check SET call_id = $3 WHERE association_id = $1 AND request_id = $2";
    TONIGHT_BY_CALL = "SELECT member_id, request_id FROM tonight_check WHERE association_id = $1 AND call_id = $2";
    TONIGHT_CHECKS = "SELECT member_id, request_id FROM tonight_check WHERE association_id = $1 AND day = $2 ORDER BY member_id";
}

/// A round of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundRow {
    /// The civil day, `2026-11-20`.
    pub day: String,
    pub at: Millis,
    /// People who were asked.
    pub asked: i64,
    /// Hours of the night that nobody holds, and slots of night cover that nobody took.
    pub holes: i64,
}

/// Begins the round of a day. `false`: it was begun before.
///
/// # Errors
/// The database's.
pub async fn tonight_round_add(
    tx: &mut Conn,
    association: &AssociationId,
    round: &RoundRow,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), round.day.as_str(), round.at, round.asked, round.holes];
    Ok(tx.exec(&TONIGHT_ROUND_ADD, params).await? == 1)
}

/// The last round.
///
/// # Errors
/// The database's.
pub async fn tonight_round(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Option<RoundRow>, StoreError> {
    let row = conn.one(&TONIGHT_ROUND, values![association.as_str()]).await?;
    row.map(|row| {
        Ok(RoundRow {
            day: row.text("day")?,
            at: row.millis("at_ms")?,
            asked: row.int("asked")?,
            holes: row.int("holes")?,
        })
    })
    .transpose()
}

/// # Errors
/// The database's.
pub async fn tonight_check_add(
    tx: &mut Conn,
    association: &AssociationId,
    day: &str,
    member: &MemberId,
    request: &RequestId,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), day, member.as_str(), request.as_str()];
    tx.exec(&TONIGHT_CHECK_ADD, params).await.map(drop)
}

fn asked(row: &Row) -> Result<(MemberId, RequestId), StoreError> {
    Ok((row.id("member_id", MemberId::from_stored)?, row.id("request_id", RequestId::from_stored)?))
}

/// Who was asked on a day, and by which request.
///
/// # Errors
/// The database's.
pub async fn tonight_checks(
    conn: &mut Conn,
    association: &AssociationId,
    day: &str,
) -> Result<Vec<(MemberId, RequestId)>, StoreError> {
    conn.all(&TONIGHT_CHECKS, values![association.as_str(), day]).await?.iter().map(asked).collect()
}

/// The call that asks as well; the newest counts.
///
/// # Errors
/// The database's.
pub async fn tonight_rung(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    call: &CallId,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), request.as_str(), call.as_str()];
    tx.exec(&TONIGHT_RUNG, params).await.map(drop)
}

/// Whom a call asked, and for which request.
///
/// # Errors
/// The database's.
pub async fn tonight_by_call(
    conn: &mut Conn,
    association: &AssociationId,
    call: &CallId,
) -> Result<Option<(MemberId, RequestId)>, StoreError> {
    let row = conn.one(&TONIGHT_BY_CALL, values![association.as_str(), call.as_str()]).await?;
    row.as_ref().map(asked).transpose()
}
