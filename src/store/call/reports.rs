//! What came of calls, as their takers or the office told it, and who has still to tell it.

use super::super::db::{Conn, StoreError};
use super::super::row::values;
use super::super::statements;
use crate::ids::{AssociationId, CallId, MemberId};
use crate::time::Millis;

statements! {
    REPORTERS = "SELECT DISTINCT taker_id FROM call WHERE association_id = $1 AND ended_at_ms IS NULL AND stage = 'report_due' AND taker_id IS NOT NULL ORDER BY taker_id";
    REPORT_DUE_OF = "SELECT association_id, call_id FROM call WHERE association_id = $1 AND taker_id = $2 AND kind <> 'connect' ORDER BY CASE WHEN stage = 'report_due' THEN 0 ELSE 1 END, opened_at_ms DESC, call_id DESC LIMIT 1";
    CALL_REPORT_ADD = "INSERT INTO call_report (association_id, call_id, seq, member_id, entered_by, at_ms, outcome, minutes, body) SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6, $7, $8 FROM call_report WHERE association_id = $1 AND call_id = $2";
    CALL_REPORTS = "SELECT seq, member_id, entered_by, at_ms, outcome, minutes, body FROM call_report WHERE association_id = $1 AND call_id = $2 ORDER BY seq";
}

/// Members who took a call and have not told yet what came of it.
///
/// # Errors
/// The database's.
pub async fn reporters(conn: &mut Conn, association: &AssociationId) -> Result<Vec<MemberId>, StoreError> {
    let rows = conn.all(&REPORTERS, values![association.as_str()]).await?;
    rows.iter().map(|r| r.id("taker_id", MemberId::from_stored)).collect()
}

/// The call a member took last that waits for its report, else the one taken last.
///
/// # Errors
/// The database's.
pub async fn report_due_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Option<CallId>, StoreError> {
    let row = conn.one(&REPORT_DUE_OF, values![association.as_str(), member.as_str()]).await?;
    row.map(|r| r.id("call_id", CallId::from_stored)).transpose()
}

/// What came of a call, as its taker or the office told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallReport {
    pub seq: i64,
    pub member: MemberId,
    /// Who typed it, where that was not the taker.
    pub entered_by: Option<String>,
    pub at: Millis,
    /// A code of the list of outcomes.
    pub outcome: String,
    /// Minutes of work, as the taker says.
    pub minutes: Option<i64>,
    /// Sealed.
    pub body: Vec<u8>,
}

/// # Errors
/// The database's.
pub async fn call_report_add(
    tx: &mut Conn,
    association: &AssociationId,
    call: &CallId,
    report: &CallReport,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        call.as_str(),
        report.member.as_str(),
        report.entered_by.as_deref(),
        report.at,
        report.outcome.as_str(),
        report.minutes,
        report.body.clone(),
    ];
    tx.exec(&CALL_REPORT_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn call_reports(
    conn: &mut Conn,
    association: &AssociationId,
    call: &CallId,
) -> Result<Vec<CallReport>, StoreError> {
    let rows = conn.all(&CALL_REPORTS, values![association.as_str(), call.as_str()]).await?;
    rows.iter()
        .map(|r| {
            Ok(CallReport {
                seq: r.int("seq")?,
                member: r.id("member_id", MemberId::from_stored)?,
                entered_by: r.opt_text("entered_by")?,
                at: r.millis("at_ms")?,
                outcome: r.text("outcome")?,
                minutes: r.opt_int("minutes")?,
                body: r.bytes("body")?,
            })
        })
        .collect()
}
