//! Night cover: its slots in time, who took them, the lists of requests, what an association sets. How a request goes
//! is `dispatch`, its texts `requests`.

use super::db::{Conn, StoreError};
use super::requests::{Case, case};
use super::row::{Row, values};
use super::statements;
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId};
use crate::time::{Millis, Window};

statements! {
    COVER_SLOT_ADD = "INSERT INTO cover_slot (association_id, request_id, parent_id, institution_id, asker_id, from_ms, to_ms, by_rota) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    COVER_SLOTS_OF = "SELECT s.request_id, s.parent_id, s.institution_id, s.asker_id, s.from_ms, s.to_ms, s.by_rota, r.state FROM cover_slot s JOIN request r ON r.association_id = s.association_id AND r.request_id = s.request_id WHERE s.association_id = $1 AND s.parent_id = $2 ORDER BY s.from_ms, s.request_id";
    COVER_SLOT = "SELECT s.request_id, s.parent_id, s.institution_id, s.asker_id, s.from_ms, s.to_ms, s.by_rota, r.state FROM cover_slot s JOIN request r ON r.association_id = s.association_id AND r.request_id = s.request_id WHERE s.association_id = $1 AND s.request_id = $2";
    COVER_SLOTS_WITHIN = "SELECT s.request_id, s.parent_id, s.institution_id, s.asker_id, s.from_ms, s.to_ms, s.by_rota, r.state FROM cover_slot s JOIN request r ON r.association_id = s.association_id AND r.request_id = s.request_id WHERE s.association_id = $1 AND s.to_ms > $2 AND s.from_ms < $3 AND r.state NOT IN ('refused', 'withdrawn', 'expired') ORDER BY s.from_ms, s.request_id";
    COVER_SLOTS_OF_CLINIC = "SELECT s.request_id, s.parent_id, s.institution_id, s.asker_id, s.from_ms, s.to_ms, s.by_rota, r.state FROM cover_slot s JOIN request r ON r.association_id = s.association_id AND r.request_id = s.request_id WHERE s.association_id = $1 AND s.institution_id = $2 AND s.to_ms > $3 AND s.from_ms < $4 AND r.state NOT IN ('refused', 'withdrawn', 'expired') ORDER BY s.from_ms, s.request_id";
    // Of the rota's slots: whose yes stands, while there is time left.
    COVER_CLAIMS_BY_ROTA = "SELECT s.request_id, a.member_id FROM cover_slot s JOIN request r ON r.association_id = s.association_id AND r.request_id = s.request_id JOIN acceptance a ON a.association_id = s.association_id AND a.request_id = s.request_id WHERE s.association_id = $1 AND s.by_rota = 1 AND s.to_ms > $2 AND r.state = 'taken' AND a.claim_slot IS NOT NULL AND a.released_at_ms IS NULL ORDER BY s.from_ms, s.request_id";
    COVER_CLAIMS_WITHIN = "SELECT s.request_id, s.institution_id, s.from_ms, s.to_ms, a.member_id FROM cover_slot s JOIN request r ON r.association_id = s.association_id AND r.request_id = s.request_id JOIN acceptance a ON a.association_id = s.association_id AND a.request_id = s.request_id WHERE s.association_id = $1 AND s.to_ms > $2 AND s.from_ms < $3 AND r.state NOT IN ('refused', 'withdrawn', 'expired') AND a.claim_slot IS NOT NULL AND a.released_at_ms IS NULL ORDER BY s.from_ms, s.request_id, a.member_id";
    COVER_ASKED_SINCE = "SELECT o.member_id, COUNT(*) AS n FROM offer o JOIN cover_slot s ON s.association_id = o.association_id AND s.request_id = o.request_id WHERE o.association_id = $1 AND o.asked_at_ms >= $2 GROUP BY o.member_id ORDER BY o.member_id";
    COVERS_OPEN = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'cover' AND parent_id IS NULL AND state NOT IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY answer_by_ms, request_id LIMIT $2";
    COVERS_ENDED = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'cover' AND parent_id IS NULL AND state IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY updated_at_ms DESC, request_id LIMIT $2";
    COVERS_AFTER = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'cover' AND parent_id IS NULL AND request_id > $2 AND (CAST($3 AS TEXT) IS NULL OR state = $3) ORDER BY request_id LIMIT $4";
    // Asked for by them, or they were asked about one of its slots.
    COVERS_OF = "SELECT r.request_id, r.case_no, r.kind, r.asker_id, r.institution_id, r.entered_by, r.channel, r.state, r.revision, r.due_at_ms, r.answer_by_ms, r.created_at_ms, r.updated_at_ms, r.facts, r.blind, r.detail FROM request r WHERE r.association_id = $1 AND r.kind = 'cover' AND r.parent_id IS NULL AND (r.asker_id = $2 OR EXISTS (SELECT 1 FROM cover_slot s JOIN offer o ON o.association_id = s.association_id AND o.request_id = s.request_id WHERE s.association_id = r.association_id AND s.parent_id = r.request_id AND o.member_id = $2)) ORDER BY r.request_id DESC LIMIT $3";
    COVER_SETTINGS = "SELECT revision, body FROM cover_settings WHERE association_id = $1";
    COVER_SETTINGS_ADD = "INSERT INTO cover_settings (association_id, revision, body) VALUES ($1, 1, $2) ON CONFLICT (association_id) DO NOTHING";
    COVER_SETTINGS_SAVE = "UPDATE cover_settings SET revision = revision + 1, body = $3 WHERE association_id = $1 AND revision = $2";
    // What was told of the clinic's calls that came in while it was covered.
    COVER_CALLS = "SELECT c.call_id, c.case_no, c.taker_id, c.opened_at_ms, (SELECT p.outcome FROM call_report p WHERE p.association_id = c.association_id AND p.call_id = c.call_id ORDER BY p.seq DESC LIMIT 1) AS told FROM call c WHERE c.association_id = $1 AND c.clinic_id = $2 AND c.opened_at_ms >= $3 AND c.opened_at_ms < $4 ORDER BY c.opened_at_ms, c.call_id LIMIT 500";
}

/// A slot of a cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRow {
    pub request: RequestId,
    pub parent: RequestId,
    pub institution: InstitutionId,
    pub asker: MemberId,
    pub window: Window,
    /// The rota had somebody on for it when it was asked.
    pub by_rota: bool,
    /// The code of the request's state.
    pub state: String,
}

/// A yes to a slot that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    pub request: RequestId,
    pub institution: InstitutionId,
    pub window: Window,
    pub person: MemberId,
}

/// A call of the clinic while it was covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverCall {
    pub call: crate::ids::CallId,
    pub case_no: String,
    pub taker: Option<MemberId>,
    pub at: Millis,
    /// The code of what came of it, where it was told.
    pub outcome: Option<String>,
}

fn window(row: &Row) -> Result<Window, StoreError> {
    Ok(Window { from: row.millis("from_ms")?, to: row.millis("to_ms")? })
}

fn slot(row: &Row) -> Result<SlotRow, StoreError> {
    Ok(SlotRow {
        request: row.id("request_id", RequestId::from_stored)?,
        parent: row.id("parent_id", RequestId::from_stored)?,
        institution: row.id("institution_id", InstitutionId::from_stored)?,
        asker: row.id("asker_id", MemberId::from_stored)?,
        window: window(row)?,
        by_rota: row.int("by_rota")? == 1,
        state: row.text("state")?,
    })
}

/// # Errors
/// The database's.
pub async fn cover_slot_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &SlotRow,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.request.as_str(),
        new.parent.as_str(),
        new.institution.as_str(),
        new.asker.as_str(),
        new.window.from,
        new.window.to,
        i64::from(new.by_rota),
    ];
    tx.exec(&COVER_SLOT_ADD, params).await.map(drop)
}

/// The slots of a cover, by time.
///
/// # Errors
/// The database's.
pub async fn cover_slots_of(
    conn: &mut Conn,
    association: &AssociationId,
    parent: &RequestId,
) -> Result<Vec<SlotRow>, StoreError> {
    let rows = conn.all(&COVER_SLOTS_OF, values![association.as_str(), parent.as_str()]).await?;
    rows.iter().map(slot).collect()
}

/// # Errors
/// The database's.
pub async fn cover_slot(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Option<SlotRow>, StoreError> {
    let row = conn.one(&COVER_SLOT, values![association.as_str(), request.as_str()]).await?;
    row.as_ref().map(slot).transpose()
}

/// The slots of every clinic that reach into a window; not those that were taken back or came to nothing.
///
/// # Errors
/// The database's.
pub async fn cover_slots_within(
    conn: &mut Conn,
    association: &AssociationId,
    within: Window,
) -> Result<Vec<SlotRow>, StoreError> {
    let params = values![association.as_str(), within.from, within.to];
    conn.all(&COVER_SLOTS_WITHIN, params).await?.iter().map(slot).collect()
}

/// As [`cover_slots_within`], of one clinic.
///
/// # Errors
/// The database's.
pub async fn cover_slots_of_clinic(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    within: Window,
) -> Result<Vec<SlotRow>, StoreError> {
    let params = values![association.as_str(), clinic.as_str(), within.from, within.to];
    conn.all(&COVER_SLOTS_OF_CLINIC, params).await?.iter().map(slot).collect()
}

/// Whose yes stands for slots that the rota covers and that are not over at `now`.
///
/// # Errors
/// The database's.
pub async fn cover_claims_by_rota(
    conn: &mut Conn,
    association: &AssociationId,
    now: Millis,
) -> Result<Vec<(RequestId, MemberId)>, StoreError> {
    let rows = conn.all(&COVER_CLAIMS_BY_ROTA, values![association.as_str(), now]).await?;
    rows.iter()
        .map(|row| {
            Ok((row.id("request_id", RequestId::from_stored)?, row.id("member_id", MemberId::from_stored)?))
        })
        .collect()
}

/// Every yes that stands for a slot that reaches into a window.
///
/// # Errors
/// The database's.
pub async fn cover_claims_within(
    conn: &mut Conn,
    association: &AssociationId,
    within: Window,
) -> Result<Vec<ClaimRow>, StoreError> {
    let params = values![association.as_str(), within.from, within.to];
    let rows = conn.all(&COVER_CLAIMS_WITHIN, params).await?;
    rows.iter()
        .map(|row| {
            Ok(ClaimRow {
                request: row.id("request_id", RequestId::from_stored)?,
                institution: row.id("institution_id", InstitutionId::from_stored)?,
                window: window(row)?,
                person: row.id("member_id", MemberId::from_stored)?,
            })
        })
        .collect()
}

/// How often people were asked to cover since an instant.
///
/// # Errors
/// The database's.
pub async fn cover_asked_since(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<Vec<(MemberId, i64)>, StoreError> {
    let rows = conn.all(&COVER_ASKED_SINCE, values![association.as_str(), since]).await?;
    rows.iter().map(|row| Ok((row.id("member_id", MemberId::from_stored)?, row.int("n")?))).collect()
}

/// Open covers, those that end first before the others.
///
/// # Errors
/// The database's.
pub async fn covers_open(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    conn.all(&COVERS_OPEN, values![association.as_str(), limit]).await?.iter().map(case).collect()
}

/// Ended covers, the newest first.
///
/// # Errors
/// The database's.
pub async fn covers_ended(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    conn.all(&COVERS_ENDED, values![association.as_str(), limit]).await?.iter().map(case).collect()
}

/// In the order of ids, after `after` (empty: from the start); only those in `state` where one is given.
///
/// # Errors
/// The database's.
pub async fn covers_after(
    conn: &mut Conn,
    association: &AssociationId,
    state: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let params = values![association.as_str(), after, state, limit];
    conn.all(&COVERS_AFTER, params).await?.iter().map(case).collect()
}

/// The covers a member asked for or was asked about, the newest first.
///
/// # Errors
/// The database's.
pub async fn covers_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let params = values![association.as_str(), member.as_str(), limit];
    conn.all(&COVERS_OF, params).await?.iter().map(case).collect()
}

/// What an association sets, with its revision; `None`: nothing was set.
///
/// # Errors
/// The database's.
pub async fn cover_settings(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Option<(i64, String)>, StoreError> {
    let row = conn.one(&COVER_SETTINGS, values![association.as_str()]).await?;
    row.map(|row| Ok((row.int("revision")?, row.text("body")?))).transpose()
}

/// Writes it anew. `false`: somebody else changed it since `revision` (0: nothing was set) was read.
///
/// # Errors
/// The database's.
pub async fn cover_settings_save(
    tx: &mut Conn,
    association: &AssociationId,
    revision: i64,
    body: &str,
) -> Result<bool, StoreError> {
    let changed = if revision == 0 {
        tx.exec(&COVER_SETTINGS_ADD, values![association.as_str(), body]).await?
    } else {
        tx.exec(&COVER_SETTINGS_SAVE, values![association.as_str(), revision, body]).await?
    };
    Ok(changed == 1)
}

/// The calls for a clinic that came in within a window.
///
/// # Errors
/// The database's.
pub async fn cover_calls(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    within: Window,
) -> Result<Vec<CoverCall>, StoreError> {
    let params = values![association.as_str(), clinic.as_str(), within.from, within.to];
    let rows = conn.all(&COVER_CALLS, params).await?;
    rows.iter()
        .map(|row| {
            Ok(CoverCall {
                call: row.id("call_id", crate::ids::CallId::from_stored)?,
                case_no: row.text("case_no")?,
                taker: row.opt_id("taker_id", MemberId::from_stored)?,
                at: row.millis("opened_at_ms")?,
                outcome: row.opt_text("told")?,
            })
        })
        .collect()
}
