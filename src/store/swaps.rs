//! Requests about published duties: their lists, what of the rota was written because of one, and the office's
//! confirmation by telephone. Taken swaps and overrides themselves are `rota`'s.

use super::db::{Conn, StoreError};
use super::requests::{Case, case};
use super::row::values;
use super::statements;
use crate::ids::{AssociationId, MemberId, OverrideId, RequestId, SwapId};
use crate::time::Millis;

statements! {
    SWAP_REQUESTS_OPEN = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'swap' AND state NOT IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY answer_by_ms, request_id LIMIT $2";
    SWAP_REQUESTS_ENDED = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'swap' AND state IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY updated_at_ms DESC, request_id LIMIT $2";
    SWAP_REQUESTS_AFTER = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'swap' AND request_id > $2 AND (CAST($3 AS TEXT) IS NULL OR state = $3) ORDER BY request_id LIMIT $4";
    SWAP_REQUESTS_OF = "SELECT r.request_id, r.case_no, r.kind, r.asker_id, r.institution_id, r.entered_by, r.channel, r.state, r.revision, r.due_at_ms, r.answer_by_ms, r.created_at_ms, r.updated_at_ms, r.facts, r.blind, r.detail FROM request r WHERE r.association_id = $1 AND r.kind = 'swap' AND (r.asker_id = $2 OR EXISTS (SELECT 1 FROM offer o WHERE o.association_id = r.association_id AND o.request_id = r.request_id AND o.member_id = $2)) ORDER BY r.request_id DESC LIMIT $3";
    SWAPS_OF_REQUEST = "SELECT swap_id FROM rota_swap WHERE association_id = $1 AND request_id = $2 AND undone_at_ms IS NULL ORDER BY swap_id";
    SWAP_OVERRIDE_ADD = "INSERT INTO swap_override (association_id, request_id, override_id) VALUES ($1, $2, $3)";
    SWAP_OVERRIDES = "SELECT override_id FROM swap_override WHERE association_id = $1 AND request_id = $2 ORDER BY override_id";
    SWAP_CONFIRM = "INSERT INTO swap_confirmation (association_id, request_id, at_ms, confirmed_by) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, request_id) DO NOTHING";
    SWAP_CONFIRMED = "SELECT at_ms, confirmed_by FROM swap_confirmation WHERE association_id = $1 AND request_id = $2";
}

/// Open requests about duties, those that end first before the others; taken ones whose duty has not begun are
/// among them.
///
/// # Errors
/// The database's.
pub async fn swap_requests_open(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    conn.all(&SWAP_REQUESTS_OPEN, values![association.as_str(), limit]).await?.iter().map(case).collect()
}

/// Ended ones, the newest first.
///
/// # Errors
/// The database's.
pub async fn swap_requests_ended(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    conn.all(&SWAP_REQUESTS_ENDED, values![association.as_str(), limit]).await?.iter().map(case).collect()
}

/// In the order of ids, after `after` (empty: from the start); only those in `state` where one is given.
///
/// # Errors
/// The database's.
pub async fn swap_requests_after(
    conn: &mut Conn,
    association: &AssociationId,
    state: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let params = values![association.as_str(), after, state, limit];
    conn.all(&SWAP_REQUESTS_AFTER, params).await?.iter().map(case).collect()
}

/// Those a member asked for or was asked about, the newest first.
///
/// # Errors
/// The database's.
pub async fn swap_requests_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let params = values![association.as_str(), member.as_str(), limit];
    conn.all(&SWAP_REQUESTS_OF, params).await?.iter().map(case).collect()
}

/// The taken swaps of a request that were not undone.
///
/// # Errors
/// The database's.
pub async fn swaps_of_request(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Vec<SwapId>, StoreError> {
    let rows = conn.all(&SWAPS_OF_REQUEST, values![association.as_str(), request.as_str()]).await?;
    rows.iter().map(|row| row.id("swap_id", SwapId::from_stored)).collect()
}

/// Notes that an override was made because of a request.
///
/// # Errors
/// The database's.
pub async fn swap_override_add(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    id: &OverrideId,
) -> Result<(), StoreError> {
    tx.exec(&SWAP_OVERRIDE_ADD, values![association.as_str(), request.as_str(), id.as_str()]).await.map(drop)
}

/// The overrides made because of a request, those taken back included.
///
/// # Errors
/// The database's.
pub async fn swap_overrides(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Vec<OverrideId>, StoreError> {
    let rows = conn.all(&SWAP_OVERRIDES, values![association.as_str(), request.as_str()]).await?;
    rows.iter().map(|row| row.id("override_id", OverrideId::from_stored)).collect()
}

/// Notes that somebody of the office confirmed a late change by telephone. `false`: it was noted before.
///
/// # Errors
/// The database's.
pub async fn swap_confirm(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    now: Millis,
    by: &str,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&SWAP_CONFIRM, values![association.as_str(), request.as_str(), now, by]).await? == 1)
}

/// When and by whom a late change was confirmed by telephone.
///
/// # Errors
/// The database's.
pub async fn swap_confirmed(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Option<(Millis, String)>, StoreError> {
    let row = conn.one(&SWAP_CONFIRMED, values![association.as_str(), request.as_str()]).await?;
    row.map(|row| Ok((row.millis("at_ms")?, row.text("confirmed_by")?))).transpose()
}
