//! Completed events and the lines made when they completed. `months` keeps closes and sealed lines, `rules`
//! tariffs and what the office recorded by hand, `reports` what papers need besides. What a line is worth is `domain::ledger`.

pub mod months;
pub mod reports;
pub mod rules;

use super::db::{Conn, Statement, StoreError};
use super::row::values;
use super::statements;
use crate::domain::ledger::{CompletedEvent, Line};
use crate::ids::{AssociationId, CallId, LedgerLineId, RequestId};
use crate::time::Millis;

statements! {
    EVENT_ADD = "INSERT INTO completed_event (association_id, request_id, call_id, at_ms, counts_at_ms, body) VALUES ($1, $2, $3, $4, $5, $6)";
    EVENTS_COUNTED = "SELECT request_id, counts_at_ms AS at, body FROM completed_event WHERE association_id = $1 AND counts_at_ms >= $2 AND counts_at_ms < $3 AND at_ms <= $4 AND (counts_at_ms > $2 OR request_id > $5) ORDER BY counts_at_ms, request_id LIMIT $6";
    EVENTS_LATE = "SELECT request_id, at_ms AS at, body FROM completed_event WHERE association_id = $1 AND at_ms >= $2 AND counts_at_ms < $3 AND at_ms <= $4 AND (at_ms > $2 OR request_id > $5) ORDER BY at_ms, request_id LIMIT $6";
    EVENT_OF_CALL_CASE = "SELECT e.request_id FROM completed_event e JOIN call c ON c.association_id = e.association_id AND c.call_id = e.call_id WHERE e.association_id = $1 AND c.case_no = $2";
    EVENT_OF_CALL = "SELECT request_id FROM completed_event WHERE association_id = $1 AND call_id = $2";
    EVENT_OF_REQUEST = "SELECT body FROM completed_event WHERE association_id = $1 AND request_id = $2";
    EVENTS_AFTER = "SELECT request_id, body FROM completed_event WHERE association_id = $1 AND request_id > $2 ORDER BY request_id LIMIT $3";
    LINE_ADD = "INSERT INTO ledger_line (association_id, line_id, request_id, run, side, party, tariff, at_ms, amount_yen, reason, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LINES_AFTER = "SELECT line_id, request_id, run, at_ms, body FROM ledger_line WHERE association_id = $1 AND line_id > $2 ORDER BY line_id LIMIT $3";
    LINES_NEWEST = "SELECT line_id, request_id, run, at_ms, body FROM ledger_line WHERE association_id = $1 ORDER BY at_ms DESC, request_id, side DESC, line_id LIMIT $2";
    LINES_OF_REQUEST = "SELECT line_id, request_id, run, at_ms, body FROM ledger_line WHERE association_id = $1 AND request_id = $2 ORDER BY side DESC, line_id";
}

/// For the test that prepares every statement.
pub(super) fn statements() -> Vec<&'static Statement> {
    [ALL, months::ALL, reports::ALL, rules::ALL].concat()
}

/// A stored line.
#[derive(Clone, Debug)]
pub struct LineRow {
    pub id: LedgerLineId,
    pub request: RequestId,
    pub run: String,
    pub at: Millis,
    pub line: Line,
}

fn line_row(row: &super::Row) -> Result<LineRow, StoreError> {
    Ok(LineRow {
        id: row.id("line_id", LedgerLineId::from_stored)?,
        request: row.id("request_id", RequestId::from_stored)?,
        run: row.text("run")?,
        at: row.millis("at_ms")?,
        line: row.json("body")?,
    })
}

/// `event` says whether it came from a request or from a call.
///
/// # Errors
/// The database's; a request completes once.
pub async fn event_add(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    at: Millis,
    event: &CompletedEvent,
) -> Result<(), StoreError> {
    let body =
        serde_json::to_string(event).map_err(|e| StoreError::corrupt("completed_event", request, e))?;
    let call = event.event.call().map(CallId::as_str);
    let params = values![association.as_str(), request.as_str(), call, at, event.moment.at, body];
    tx.exec(&EVENT_ADD, params).await.map(drop)
}

fn event_row(row: &super::Row) -> Result<(RequestId, Box<CompletedEvent>), StoreError> {
    Ok((row.id("request_id", RequestId::from_stored)?, row.json("body")?))
}

/// Events read at a time.
const PAGE: i64 = 2_000;

/// Reads page after page by a statement whose second value is the instant, and whose fifth the request, after which
/// it goes on. While the database reads a page, the one before it is made sense of.
async fn events_by(
    conn: &mut Conn,
    association: &AssociationId,
    statement: &'static Statement,
    (mut at, before, as_of): (Millis, Millis, Millis),
    mut after: String,
) -> Result<Vec<(RequestId, Box<CompletedEvent>)>, StoreError> {
    type Read = tokio::task::JoinHandle<Result<Vec<(RequestId, Box<CompletedEvent>)>, StoreError>>;
    let lost = |e: tokio::task::JoinError| StoreError::Unusable(format!("reading events broke off: {e}"));
    let (mut events, mut reading): (Vec<_>, Option<Read>) = (Vec::new(), None);
    loop {
        let params = values![association.as_str(), at, before, as_of, after.as_str(), PAGE];
        let rows = conn.all(statement, params).await?;
        if let Some(page) = reading.take() {
            events.extend(page.await.map_err(lost)??);
        }
        let Some(last) = rows.last() else { return Ok(events) };
        (at, after) = (last.millis("at")?, last.text("request_id")?);
        reading = Some(tokio::task::spawn_blocking(move || rows.iter().map(event_row).collect()));
    }
}

/// Completed events that count in `[from, to)` and were recorded at or before `as_of`.
///
/// # Errors
/// The database's.
pub async fn events_counted(
    conn: &mut Conn,
    association: &AssociationId,
    span: (Millis, Millis, Millis),
) -> Result<Vec<(RequestId, Box<CompletedEvent>)>, StoreError> {
    events_by(conn, association, &EVENTS_COUNTED, span, String::new()).await
}

/// Completed events that count before `before` and were recorded after `since`, until `as_of`.
///
/// # Errors
/// The database's.
pub async fn events_late(
    conn: &mut Conn,
    association: &AssociationId,
    (before, since, as_of): (Millis, Millis, Millis),
) -> Result<Vec<(RequestId, Box<CompletedEvent>)>, StoreError> {
    // After every request of that instant itself: ids begin with a digit.
    let after = "Z".to_owned();
    events_by(conn, association, &EVENTS_LATE, (since, before, as_of), after).await
}

/// # Errors
/// The database's.
pub async fn event_of(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Option<CompletedEvent>, StoreError> {
    let row = conn.one(&EVENT_OF_REQUEST, values![association.as_str(), request.as_str()]).await?;
    row.map(|r| r.json("body")).transpose()
}

/// Under which request the event of a call stands; `None` where the call is no event of the ledger (yet).
///
/// # Errors
/// The database's.
pub async fn event_of_call(
    conn: &mut Conn,
    association: &AssociationId,
    call: &CallId,
) -> Result<Option<RequestId>, StoreError> {
    let row = conn.one(&EVENT_OF_CALL, values![association.as_str(), call.as_str()]).await?;
    row.map(|r| r.id("request_id", RequestId::from_stored)).transpose()
}

/// As [`event_of_call`], by the call's case number.
///
/// # Errors
/// The database's.
pub async fn event_of_call_case(
    conn: &mut Conn,
    association: &AssociationId,
    case_no: &str,
) -> Result<Option<RequestId>, StoreError> {
    let row = conn.one(&EVENT_OF_CALL_CASE, values![association.as_str(), case_no]).await?;
    row.map(|r| r.id("request_id", RequestId::from_stored)).transpose()
}

/// Completed events in the order of their requests, after `after`.
///
/// # Errors
/// The database's.
pub async fn events_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<(RequestId, Box<CompletedEvent>)>, StoreError> {
    let rows = conn.all(&EVENTS_AFTER, values![association.as_str(), after, limit]).await?;
    rows.iter().map(|r| Ok((r.id("request_id", RequestId::from_stored)?, r.json("body")?))).collect()
}

/// # Errors
/// The database's; an identity that is there already.
pub async fn line_add(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    run: &str,
    at: Millis,
    line: &Line,
) -> Result<(), StoreError> {
    let body = serde_json::to_string(line).map_err(|e| StoreError::corrupt("ledger_line", request, e))?;
    let params = values![
        association.as_str(),
        line.id.as_str(),
        request.as_str(),
        run,
        line.side.code(),
        line.institution.as_str(),
        line.tariff.as_ref().map_or("", |t| t.as_str()),
        at,
        line.amount.0,
        line.eligibility.reason().map(|r| r.code()),
        body,
    ];
    tx.exec(&LINE_ADD, params).await.map(drop)
}

/// Lines in the order of their ids, after `after` (empty: from the start).
///
/// # Errors
/// The database's.
pub async fn lines_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<LineRow>, StoreError> {
    conn.all(&LINES_AFTER, values![association.as_str(), after, limit]).await?.iter().map(line_row).collect()
}

/// The newest lines.
///
/// # Errors
/// The database's.
pub async fn lines_newest(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<LineRow>, StoreError> {
    conn.all(&LINES_NEWEST, values![association.as_str(), limit]).await?.iter().map(line_row).collect()
}

/// The lines of one request, requester first.
///
/// # Errors
/// The database's.
pub async fn lines_of_request(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Vec<LineRow>, StoreError> {
    let rows = conn.all(&LINES_OF_REQUEST, values![association.as_str(), request.as_str()]).await?;
    rows.iter().map(line_row).collect()
}
