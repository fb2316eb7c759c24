//! The case around a request: its number, texts (sealed), reports and survey, and the lists of requests.
//! How it moves is `store::dispatch`.

use super::db::{Conn, StoreError};
use super::dispatch::machine_json;
use super::row::{Row, values};
use super::statements;
use crate::domain::dispatch::{Request, next_due};
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId};
use crate::time::Millis;

statements! {
    REQUEST_ADD = "INSERT INTO request (association_id, request_id, case_no, kind, asker_id, institution_id, entered_by, channel, parent_id, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, machine, facts, blind, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $13, $14, $15, $16, $17)";
    CASE_BY_ID = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND request_id = $2";
    REQUEST_BY_CASE_NO = "SELECT request_id FROM request WHERE association_id = $1 AND case_no = $2 ORDER BY request_id LIMIT 1";
    CASES_AFTER = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'consult' AND request_id > $2 AND (CAST($3 AS TEXT) IS NULL OR state = $3) ORDER BY request_id LIMIT $4";
    CASES_OPEN = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'consult' AND state NOT IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY answer_by_ms, request_id LIMIT $2";
    CASES_ENDED = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'consult' AND state IN ('closed', 'refused', 'withdrawn', 'expired') ORDER BY updated_at_ms DESC, request_id LIMIT $2";
    CASES_OF_ASKER = "SELECT request_id, case_no, kind, asker_id, institution_id, entered_by, channel, state, revision, due_at_ms, answer_by_ms, created_at_ms, updated_at_ms, facts, blind, detail FROM request WHERE association_id = $1 AND kind = 'consult' AND asker_id = $2 ORDER BY created_at_ms DESC, request_id LIMIT $3";
    CASES_TAKEN_BY = "SELECT r.request_id, r.case_no, r.kind, r.asker_id, r.institution_id, r.entered_by, r.channel, r.state, r.revision, r.due_at_ms, r.answer_by_ms, r.created_at_ms, r.updated_at_ms, r.facts, r.blind, r.detail FROM request r JOIN access_grant g ON g.association_id = r.association_id AND g.request_id = r.request_id WHERE g.association_id = $1 AND r.kind = 'consult' AND g.member_id = $2 AND g.ended_at_ms IS NULL AND (g.until_ms IS NULL OR g.until_ms > $3) ORDER BY r.created_at_ms DESC, r.request_id LIMIT $4";
    REQUEST_KIND = "SELECT kind FROM request WHERE association_id = $1 AND request_id = $2";
    REQUESTS_ALL = "SELECT request_id FROM request WHERE association_id = $1 AND request_id > $2 ORDER BY request_id LIMIT $3";
    REPORT_ADD = "INSERT INTO report (association_id, request_id, seq, member_id, at_ms, minutes, outcome, text) SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6, $7 FROM report WHERE association_id = $1 AND request_id = $2";
    REPORTS_OF_REQUEST = "SELECT seq, member_id, at_ms, minutes, outcome, text FROM report WHERE association_id = $1 AND request_id = $2 ORDER BY seq";
    SURVEY_ADD = "INSERT INTO survey (association_id, request_id, at_ms, body) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, request_id) DO NOTHING";
    SURVEY_OF_REQUEST = "SELECT body FROM survey WHERE association_id = $1 AND request_id = $2";
}

/// A new case, ready to be written.
#[derive(Clone, Debug)]
pub struct NewCase<'a> {
    pub request: &'a Request,
    pub case_no: &'a str,
    pub institution: &'a InstitutionId,
    /// The clerk or program that typed it for the asker.
    pub entered_by: Option<&'a str>,
    pub channel: &'a str,
    /// The facts that decide whom to ask, as JSON; nothing clinical beyond the specialty.
    pub facts: &'a str,
    /// Sealed: the blind summary (T1).
    pub blind: Vec<u8>,
    /// Sealed: what stands open after acceptance (T2).
    pub detail: Vec<u8>,
}

/// # Errors
/// The database's.
pub async fn case_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &NewCase<'_>,
) -> Result<(), StoreError> {
    let request = new.request;
    let params = values![
        association.as_str(),
        request.id.as_str(),
        new.case_no,
        request.kind.code(),
        request.asker.as_str(),
        new.institution.as_str(),
        new.entered_by,
        new.channel,
        request.parent.as_ref().map(RequestId::as_str),
        request.state.code(),
        next_due(request),
        request.answer_by,
        request.created,
        machine_json(request)?,
        new.facts,
        new.blind.clone(),
        new.detail.clone(),
    ];
    tx.exec(&REQUEST_ADD, params).await.map(drop)
}

/// A case without its machine.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: RequestId,
    pub case_no: String,
    pub kind: String,
    pub asker: MemberId,
    pub institution: InstitutionId,
    pub entered_by: Option<String>,
    pub channel: String,
    pub state: String,
    pub revision: i64,
    pub due: Option<Millis>,
    pub answer_by: Millis,
    pub created: Millis,
    pub updated: Millis,
    pub facts: String,
    /// Sealed.
    pub blind: Vec<u8>,
    /// Sealed.
    pub detail: Vec<u8>,
}

pub(super) fn case(row: &Row) -> Result<Case, StoreError> {
    Ok(Case {
        id: row.id("request_id", RequestId::from_stored)?,
        case_no: row.text("case_no")?,
        kind: row.text("kind")?,
        asker: row.id("asker_id", MemberId::from_stored)?,
        institution: row.id("institution_id", InstitutionId::from_stored)?,
        entered_by: row.opt_text("entered_by")?,
        channel: row.text("channel")?,
        state: row.text("state")?,
        revision: row.int("revision")?,
        due: row.opt_millis("due_at_ms")?,
        answer_by: row.millis("answer_by_ms")?,
        created: row.millis("created_at_ms")?,
        updated: row.millis("updated_at_ms")?,
        facts: row.text("facts")?,
        blind: row.bytes("blind")?,
        detail: row.bytes("detail")?,
    })
}

/// # Errors
/// The database's.
pub async fn case_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &RequestId,
) -> Result<Option<Case>, StoreError> {
    conn.one(&CASE_BY_ID, values![association.as_str(), id.as_str()]).await?.as_ref().map(case).transpose()
}

/// The request of a case number.
///
/// # Errors
/// The database's.
pub async fn request_by_case_no(
    conn: &mut Conn,
    association: &AssociationId,
    case_no: &str,
) -> Result<Option<RequestId>, StoreError> {
    let row = conn.one(&REQUEST_BY_CASE_NO, values![association.as_str(), case_no]).await?;
    row.map(|r| r.id("request_id", RequestId::from_stored)).transpose()
}

/// The kind of a request, by its code.
///
/// # Errors
/// The database's.
pub async fn request_kind(
    conn: &mut Conn,
    association: &AssociationId,
    id: &RequestId,
) -> Result<Option<String>, StoreError> {
    let row = conn.one(&REQUEST_KIND, values![association.as_str(), id.as_str()]).await?;
    row.map(|row| row.text("kind")).transpose()
}

/// Consults, in the order of ids, after `after` (empty: from the start); only those in `state` where one is given.
///
/// # Errors
/// The database's.
pub async fn cases_after(
    conn: &mut Conn,
    association: &AssociationId,
    state: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let rows = conn.all(&CASES_AFTER, values![association.as_str(), after, state, limit]).await?;
    rows.iter().map(case).collect()
}

/// Open consults, the most pressing first.
///
/// # Errors
/// The database's.
pub async fn cases_open(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    conn.all(&CASES_OPEN, values![association.as_str(), limit]).await?.iter().map(case).collect()
}

/// Ended consults, the newest first.
///
/// # Errors
/// The database's.
pub async fn cases_ended(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    conn.all(&CASES_ENDED, values![association.as_str(), limit]).await?.iter().map(case).collect()
}

/// The consults a member asked for, the newest first.
///
/// # Errors
/// The database's.
pub async fn cases_of_asker(
    conn: &mut Conn,
    association: &AssociationId,
    asker: &MemberId,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let rows = conn.all(&CASES_OF_ASKER, values![association.as_str(), asker.as_str(), limit]).await?;
    rows.iter().map(case).collect()
}

/// What a member took and may still see, the newest first.
///
/// # Errors
/// The database's.
pub async fn cases_taken_by(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let rows = conn.all(&CASES_TAKEN_BY, values![association.as_str(), member.as_str(), now, limit]).await?;
    rows.iter().map(case).collect()
}

/// Ids of requests after `after`, for checks that walk all of them.
///
/// # Errors
/// The database's.
pub async fn request_ids_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<RequestId>, StoreError> {
    let rows = conn.all(&REQUESTS_ALL, values![association.as_str(), after, limit]).await?;
    rows.iter().map(|r| r.id("request_id", RequestId::from_stored)).collect()
}

/// What a taker told (対応報告, 返書).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub seq: i64,
    pub member: MemberId,
    pub at: Millis,
    pub minutes: i64,
    /// A code of the association's list.
    pub outcome: String,
    /// Sealed.
    pub text: Vec<u8>,
}

/// # Errors
/// The database's.
pub async fn report_add(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    report: &Report,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        request.as_str(),
        report.member.as_str(),
        report.at,
        report.minutes,
        report.outcome.as_str(),
        report.text.clone(),
    ];
    tx.exec(&REPORT_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn reports_of(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Vec<Report>, StoreError> {
    let rows = conn.all(&REPORTS_OF_REQUEST, values![association.as_str(), request.as_str()]).await?;
    rows.iter()
        .map(|r| {
            Ok(Report {
                seq: r.int("seq")?,
                member: r.id("member_id", MemberId::from_stored)?,
                at: r.millis("at_ms")?,
                minutes: r.int("minutes")?,
                outcome: r.text("outcome")?,
                text: r.bytes("text")?,
            })
        })
        .collect()
}

/// # Errors
/// The database's.
pub async fn survey_add(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    at: Millis,
    sealed: Vec<u8>,
) -> Result<(), StoreError> {
    tx.exec(&SURVEY_ADD, values![association.as_str(), request.as_str(), at, sealed]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn survey_of(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = conn.one(&SURVEY_OF_REQUEST, values![association.as_str(), request.as_str()]).await?;
    row.map(|r| r.bytes("body")).transpose()
}
