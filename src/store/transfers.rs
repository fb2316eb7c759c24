//! Patients handed over (引継ぎ): the lists of requests, and the people whom they may name. How a request goes is
//! `dispatch`, its texts `requests`.

use super::db::{Conn, StoreError};
use super::requests::{Case, case};
use super::row::values;
use super::statements;
use crate::domain::transfer::Receiver;
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::time::Millis;

statements! {
    REQUESTS_OPEN_OF_KIND = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = $2 AND state NOT IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY answer_by_ms, request_id LIMIT $3";
    REQUESTS_ENDED_OF_KIND = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = $2 AND state IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY updated_at_ms DESC, request_id LIMIT $3";
    // Asked for by them, or they were asked.
    REQUESTS_OF_MEMBER_AND_KIND = "SELECT r.request_id, r.case_no, r.kind, r.asker_id, r.institution_id, r.entered_by, r.channel, r.state, r.revision, r.due_at_ms, r.answer_by_ms, r.created_at_ms, r.updated_at_ms, r.facts, r.blind, r.detail FROM request r WHERE r.association_id = $1 AND r.kind = $2 AND (r.asker_id = $3 OR EXISTS (SELECT 1 FROM offer o WHERE o.association_id = r.association_id AND o.request_id = r.request_id AND o.member_id = $3)) ORDER BY r.request_id DESC LIMIT $4";
    PHYSICIANS_OF_CLINIC = "SELECT member_id FROM member WHERE association_id = $1 AND institution_id = $2 AND (roles LIKE '%,physician,%' OR roles LIKE '%,specialist,%') AND left_at_ms IS NULL AND active_from_ms <= $3 ORDER BY member_id";
    PHYSICIANS_WHO_RECEIVE = "SELECT m.member_id, m.institution_id, m.email, m.mail_failing_since_ms, i.area, (SELECT COUNT(*) FROM offer o WHERE o.association_id = m.association_id AND o.member_id = m.member_id AND o.asked_at_ms >= $3) AS asked FROM member m JOIN institution i ON i.association_id = m.association_id AND i.institution_id = m.institution_id WHERE m.association_id = $1 AND m.roles LIKE '%,physician,%' AND m.left_at_ms IS NULL AND m.active_from_ms <= $2 AND i.kind IN ('home_care_clinic', 'home_care_hospital') AND i.closed_at_ms IS NULL ORDER BY m.member_id";
}

/// Open requests of a kind, those that end first before the others.
///
/// # Errors
/// The database's.
pub async fn requests_open_of_kind(
    conn: &mut Conn,
    association: &AssociationId,
    kind: &str,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let rows = conn.all(&REQUESTS_OPEN_OF_KIND, values![association.as_str(), kind, limit]).await?;
    rows.iter().map(case).collect()
}

/// Ended requests of a kind, the newest first.
///
/// # Errors
/// The database's.
pub async fn requests_ended_of_kind(
    conn: &mut Conn,
    association: &AssociationId,
    kind: &str,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let rows = conn.all(&REQUESTS_ENDED_OF_KIND, values![association.as_str(), kind, limit]).await?;
    rows.iter().map(case).collect()
}

/// The requests of a kind that a member made or was asked about, the newest first.
///
/// # Errors
/// The database's.
pub async fn requests_of_member_and_kind(
    conn: &mut Conn,
    association: &AssociationId,
    kind: &str,
    member: &MemberId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let params = values![association.as_str(), kind, member.as_str(), limit];
    conn.all(&REQUESTS_OF_MEMBER_AND_KIND, params).await?.iter().map(case).collect()
}

/// The physicians of an institution who are here, in the order of ids.
///
/// # Errors
/// The database's.
pub async fn physicians_of_clinic(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let params = values![association.as_str(), clinic.as_str(), now];
    let rows = conn.all(&PHYSICIANS_OF_CLINIC, params).await?;
    rows.iter().map(|row| row.id("member_id", MemberId::from_stored)).collect()
}

/// The physicians of the clinics that take patients over, with how often they were asked since `recent`.
///
/// # Errors
/// The database's.
pub async fn physicians_who_receive(
    conn: &mut Conn,
    association: &AssociationId,
    now: Millis,
    recent: Millis,
) -> Result<Vec<Receiver>, StoreError> {
    let rows = conn.all(&PHYSICIANS_WHO_RECEIVE, values![association.as_str(), now, recent]).await?;
    rows.iter()
        .map(|row| {
            let failing = row.opt_millis("mail_failing_since_ms")?;
            Ok(Receiver {
                person: row.id("member_id", MemberId::from_stored)?,
                institution: row.id("institution_id", InstitutionId::from_stored)?,
                area: row.text("area")?,
                reachable: row.opt_text("email")?.is_some() && failing.is_none(),
                asked_recently: u32::try_from(row.int("asked")?).unwrap_or(u32::MAX),
            })
        })
        .collect()
}
