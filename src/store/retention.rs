//! What stands sealed under which key, legal holds, what was destroyed and reported. When a key goes is
//! decided in `domain::retention`.

use super::db::{Conn, Statement, StoreError};
use super::row::{Row, values};
use super::secrets::{Sealed, Vault};
use super::statements;
use crate::domain::retention::{Owner, RetentionYears, TextFacts, TextKind};
use crate::ids::{AssociationId, CallId, HoldId, RequestId};
use crate::time::Millis;

statements! {
    // Placing a hold and destroying a key wait for each other here; rows that point to it do not wait.
    RETENTION_LOCK =
        "SELECT association_id FROM association WHERE association_id = $1",
        "SELECT association_id FROM association WHERE association_id = $1 FOR NO KEY UPDATE";
    RETENTION_YEARS_GET = "SELECT body, revision FROM retention_setting WHERE association_id = $1";
    RETENTION_YEARS_ADD = "INSERT INTO retention_setting (association_id, body, revision) VALUES ($1, $2, 1) ON CONFLICT (association_id) DO NOTHING";
    RETENTION_YEARS_SET = "UPDATE retention_setting SET body = $2, revision = revision + 1 WHERE association_id = $1 AND revision = $3";
    HOLD_ADD = "INSERT INTO retention_hold (association_id, hold_id, request_id, reason, since_ms, placed_by) VALUES ($1, $2, $3, $4, $5, $6)";
    HOLD_LIFT = "UPDATE retention_hold SET lifted_at_ms = $3, lifted_by = $4 WHERE association_id = $1 AND hold_id = $2 AND lifted_at_ms IS NULL";
    HOLDS = "SELECT hold_id, request_id, reason, since_ms, placed_by, lifted_at_ms, lifted_by FROM retention_hold WHERE association_id = $1 ORDER BY hold_id";
    HOLDS_STANDING = "SELECT hold_id, request_id, reason, since_ms, placed_by, lifted_at_ms, lifted_by FROM retention_hold WHERE association_id = $1 AND lifted_at_ms IS NULL ORDER BY hold_id";
    REQUEST_BY_CASE_NO = "SELECT request_id FROM request WHERE association_id = $1 AND case_no = $2";
    KEYS_STANDING = "SELECT month FROM month_key WHERE association_id = $1 AND destroyed_at_ms IS NULL ORDER BY month";
    KEY_DESTROY = "UPDATE month_key SET wrapped = '', destroyed_at_ms = $3 WHERE association_id = $1 AND month = $2 AND destroyed_at_ms IS NULL";
    OWN_KEY_LAST = "SELECT MAX(month) AS last FROM month_key WHERE association_id = $1 AND month >= 'h000000' AND month <= 'h999999'";
    DESTROYED_ADD = "INSERT INTO retention_destroyed (association_id, month, at_ms, body) VALUES ($1, $2, $3, $4)";
    DESTROYED_UNREPORTED = "SELECT month, at_ms, body FROM retention_destroyed WHERE association_id = $1 AND reported_in IS NULL ORDER BY month";
    DESTROYED_REPORTED = "UPDATE retention_destroyed SET reported_in = $2 WHERE association_id = $1 AND reported_in IS NULL";
    REPORT_PUT = "INSERT INTO retention_report (association_id, month, at_ms, body) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, month) DO NOTHING";
    RETENTION_REPORT_GET = "SELECT month, at_ms, body FROM retention_report WHERE association_id = $1 AND month = $2";
    RETENTION_REPORTS = "SELECT month, at_ms, body FROM retention_report WHERE association_id = $1 ORDER BY month DESC LIMIT $2";
    LEDGER_BEFORE = "SELECT COUNT(*) AS n FROM ledger_line WHERE association_id = $1 AND at_ms < $2";
    AUDIT_BEFORE = "SELECT COUNT(*) AS n FROM audit_event WHERE association_id = $1 AND at_ms < $2";

    // The month stands in bytes 3 to 9 of a sealed value.
    UNDER_BLIND = "SELECT request_id AS row_id, request_id, 0 AS seq, blind AS sealed, state, updated_at_ms FROM request WHERE association_id = $1 AND substr(blind, 3, 7) = $2";
    UNDER_DETAIL = "SELECT request_id AS row_id, request_id, 0 AS seq, detail AS sealed, state, updated_at_ms FROM request WHERE association_id = $1 AND substr(detail, 3, 7) = $2";
    UNDER_REPORT = "SELECT p.request_id AS row_id, p.request_id AS request_id, p.seq AS seq, p.text AS sealed, r.state AS state, r.updated_at_ms AS updated_at_ms FROM report p JOIN request r ON r.association_id = p.association_id AND r.request_id = p.request_id WHERE p.association_id = $1 AND substr(p.text, 3, 7) = $2";
    UNDER_SURVEY = "SELECT s.request_id AS row_id, s.request_id AS request_id, 0 AS seq, s.body AS sealed, r.state AS state, r.updated_at_ms AS updated_at_ms FROM survey s JOIN request r ON r.association_id = s.association_id AND r.request_id = s.request_id WHERE s.association_id = $1 AND substr(s.body, 3, 7) = $2";
    UNDER_CALL = "SELECT call_id AS row_id, call_id, consult_id, 0 AS seq, body AS sealed, ended_at_ms, updated_at_ms FROM call WHERE association_id = $1 AND substr(body, 3, 7) = $2";
    UNDER_CALL_MESSAGE = "SELECT call_id AS row_id, call_id, consult_id, 0 AS seq, message AS sealed, ended_at_ms, updated_at_ms FROM call WHERE association_id = $1 AND substr(message, 3, 7) = $2";
    UNDER_CALL_ORDER = "SELECT o.call_id || ':' || CAST(o.seq AS TEXT) AS row_id, o.call_id AS call_id, c.consult_id AS consult_id, o.seq AS seq, o.body AS sealed, c.ended_at_ms AS ended_at_ms, c.updated_at_ms AS updated_at_ms FROM call_order o JOIN call c ON c.association_id = o.association_id AND c.call_id = o.call_id WHERE o.association_id = $1 AND substr(o.body, 3, 7) = $2";
    UNDER_CALL_REPORT = "SELECT p.call_id AS row_id, p.call_id AS call_id, c.consult_id AS consult_id, p.seq AS seq, p.body AS sealed, c.ended_at_ms AS ended_at_ms, c.updated_at_ms AS updated_at_ms FROM call_report p JOIN call c ON c.association_id = p.association_id AND c.call_id = p.call_id WHERE p.association_id = $1 AND substr(p.body, 3, 7) = $2";
    MOVE_CALL = "UPDATE call SET body = $4 WHERE association_id = $1 AND call_id = $2 AND CAST($3 AS BIGINT) >= 0";
    MOVE_CALL_MESSAGE = "UPDATE call SET message = $4 WHERE association_id = $1 AND call_id = $2 AND CAST($3 AS BIGINT) >= 0";
    MOVE_CALL_ORDER = "UPDATE call_order SET body = $4 WHERE association_id = $1 AND call_id = $2 AND seq = $3";
    MOVE_CALL_REPORT = "UPDATE call_report SET body = $4 WHERE association_id = $1 AND call_id = $2 AND seq = $3";
    MOVE_BLIND = "UPDATE request SET blind = $4 WHERE association_id = $1 AND request_id = $2 AND CAST($3 AS BIGINT) >= 0";
    MOVE_DETAIL = "UPDATE request SET detail = $4 WHERE association_id = $1 AND request_id = $2 AND CAST($3 AS BIGINT) >= 0";
    MOVE_REPORT = "UPDATE report SET text = $4 WHERE association_id = $1 AND request_id = $2 AND seq = $3";
    MOVE_SURVEY = "UPDATE survey SET body = $4 WHERE association_id = $1 AND request_id = $2 AND CAST($3 AS BIGINT) >= 0";
    UNDER_INSTITUTION_PHONE = "SELECT institution_id AS row_id, phone AS sealed FROM institution WHERE association_id = $1 AND substr(phone, 3, 7) = $2";
    UNDER_INSTITUTION_FAX = "SELECT institution_id AS row_id, fax AS sealed FROM institution WHERE association_id = $1 AND substr(fax, 3, 7) = $2";
    UNDER_INSTITUTION_BANK = "SELECT institution_id AS row_id, bank AS sealed FROM institution WHERE association_id = $1 AND substr(bank, 3, 7) = $2";
    UNDER_MEMBER_PHONE = "SELECT member_id AS row_id, phone AS sealed FROM member WHERE association_id = $1 AND substr(phone, 3, 7) = $2";
    UNDER_MEMBER_FAX = "SELECT member_id AS row_id, fax AS sealed FROM member WHERE association_id = $1 AND substr(fax, 3, 7) = $2";
    UNDER_HOLD_REASON = "SELECT hold_id AS row_id, reason AS sealed FROM retention_hold WHERE association_id = $1 AND substr(reason, 3, 7) = $2";
    MOVE_INSTITUTION_PHONE = "UPDATE institution SET phone = $3 WHERE association_id = $1 AND institution_id = $2 AND phone = $4";
    MOVE_INSTITUTION_FAX = "UPDATE institution SET fax = $3 WHERE association_id = $1 AND institution_id = $2 AND fax = $4";
    MOVE_INSTITUTION_BANK = "UPDATE institution SET bank = $3 WHERE association_id = $1 AND institution_id = $2 AND bank = $4";
    MOVE_MEMBER_PHONE = "UPDATE member SET phone = $3 WHERE association_id = $1 AND member_id = $2 AND phone = $4";
    MOVE_MEMBER_FAX = "UPDATE member SET fax = $3 WHERE association_id = $1 AND member_id = $2 AND fax = $4";
    MOVE_HOLD_REASON = "UPDATE retention_hold SET reason = $3 WHERE association_id = $1 AND hold_id = $2 AND reason = $4";
}

/// A sealed column: what stands under a key in it, and how a value in it is replaced.
#[derive(Debug)]
struct Column {
    table: &'static str,
    column: &'static str,
    under: &'static Statement,
    replace: &'static Statement,
}

const fn column(
    table: &'static str,
    column: &'static str,
    under: &'static Statement,
    replace: &'static Statement,
) -> Column {
    Column { table, column, under, replace }
}

/// Texts of cases, sealed under the month of their writing, and of calls, under that of the call's begin.
const TEXTS: [(TextKind, Column); 8] = [
    (TextKind::Blind, column("request", "blind", &UNDER_BLIND, &MOVE_BLIND)),
    (TextKind::Detail, column("request", "detail", &UNDER_DETAIL, &MOVE_DETAIL)),
    (TextKind::Report, column("report", "text", &UNDER_REPORT, &MOVE_REPORT)),
    (TextKind::Survey, column("survey", "body", &UNDER_SURVEY, &MOVE_SURVEY)),
    (TextKind::Call, column("call", "body", &UNDER_CALL, &MOVE_CALL)),
    (TextKind::CallMessage, column("call", "message", &UNDER_CALL_MESSAGE, &MOVE_CALL_MESSAGE)),
    (TextKind::CallOrder, column("call_order", "body", &UNDER_CALL_ORDER, &MOVE_CALL_ORDER)),
    (TextKind::CallReport, column("call_report", "body", &UNDER_CALL_REPORT, &MOVE_CALL_REPORT)),
];

/// What lasts as long as a person or institution belongs to the association. Values of before the lasting
/// key stand under months and are moved before a month goes.
const LASTING: [Column; 6] = [
    column("institution", "phone", &UNDER_INSTITUTION_PHONE, &MOVE_INSTITUTION_PHONE),
    column("institution", "fax", &UNDER_INSTITUTION_FAX, &MOVE_INSTITUTION_FAX),
    column("institution", "bank", &UNDER_INSTITUTION_BANK, &MOVE_INSTITUTION_BANK),
    column("member", "phone", &UNDER_MEMBER_PHONE, &MOVE_MEMBER_PHONE),
    column("member", "fax", &UNDER_MEMBER_FAX, &MOVE_MEMBER_FAX),
    column("retention_hold", "reason", &UNDER_HOLD_REASON, &MOVE_HOLD_REASON),
];

/// Every sealed column as `table.column`; a test holds the schema against this list, so that no new one is
/// forgotten when its month's key goes.
#[must_use]
pub fn sealed_columns() -> Vec<String> {
    let texts = TEXTS.iter().map(|(_, c)| c);
    texts.chain(&LASTING).map(|c| format!("{}.{}", c.table, c.column)).collect()
}

/// # Errors
/// The database's.
pub async fn retention_lock(tx: &mut Conn, association: &AssociationId) -> Result<(), StoreError> {
    tx.all(&RETENTION_LOCK, values![association.as_str()]).await.map(drop)
}

/// The years and their revision; the defaults, revision 0, where nothing was set.
///
/// # Errors
/// The database's.
pub async fn retention_years(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<(RetentionYears, i64), StoreError> {
    match conn.one(&RETENTION_YEARS_GET, values![association.as_str()]).await? {
        Some(row) => Ok((row.json("body")?, row.int("revision")?)),
        None => Ok((RetentionYears::default(), 0)),
    }
}

/// `false`: they are not at `revision` any more.
///
/// # Errors
/// The database's.
pub async fn retention_years_set(
    tx: &mut Conn,
    association: &AssociationId,
    years: RetentionYears,
    revision: i64,
) -> Result<bool, StoreError> {
    let body = serde_json::to_string(&years)
        .map_err(|e| StoreError::corrupt("retention_setting", association, e))?;
    let changed = if revision == 0 {
        tx.exec(&RETENTION_YEARS_ADD, values![association.as_str(), body]).await?
    } else {
        tx.exec(&RETENTION_YEARS_SET, values![association.as_str(), body, revision]).await?
    };
    Ok(changed == 1)
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    pub id: HoldId,
    /// `None`: the whole association.
    pub request: Option<RequestId>,
    /// Sealed.
    pub reason: Vec<u8>,
    pub since: Millis,
    /// The actor who placed it.
    pub placed_by: String,
    pub lifted_at: Option<Millis>,
    pub lifted_by: Option<String>,
}

fn hold(row: &Row) -> Result<HoldRow, StoreError> {
    Ok(HoldRow {
        id: row.id("hold_id", HoldId::from_stored)?,
        request: row.opt_id("request_id", RequestId::from_stored)?,
        reason: row.bytes("reason")?,
        since: row.millis("since_ms")?,
        placed_by: row.text("placed_by")?,
        lifted_at: row.opt_millis("lifted_at_ms")?,
        lifted_by: row.opt_text("lifted_by")?,
    })
}

/// # Errors
/// The database's.
pub async fn hold_add(tx: &mut Conn, association: &AssociationId, new: &HoldRow) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.request.as_ref().map(RequestId::as_str),
        new.reason.clone(),
        new.since,
        new.placed_by.as_str(),
    ];
    tx.exec(&HOLD_ADD, params).await.map(drop)
}

/// `false`: there is none, or it was lifted before.
///
/// # Errors
/// The database's.
pub async fn hold_lift(
    tx: &mut Conn,
    association: &AssociationId,
    id: &HoldId,
    by: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&HOLD_LIFT, values![association.as_str(), id.as_str(), now, by]).await? == 1)
}

/// Every hold that ever was, oldest first.
///
/// # Errors
/// The database's.
pub async fn holds(conn: &mut Conn, association: &AssociationId) -> Result<Vec<HoldRow>, StoreError> {
    conn.all(&HOLDS, values![association.as_str()]).await?.iter().map(hold).collect()
}

/// Those that stand.
///
/// # Errors
/// The database's.
pub async fn holds_standing(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<HoldRow>, StoreError> {
    conn.all(&HOLDS_STANDING, values![association.as_str()]).await?.iter().map(hold).collect()
}

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

/// The names of the keys that were not destroyed, in order.
///
/// # Errors
/// The database's.
pub async fn keys_standing(conn: &mut Conn, association: &AssociationId) -> Result<Vec<String>, StoreError> {
    let rows = conn.all(&KEYS_STANDING, values![association.as_str()]).await?;
    rows.iter().map(|r| r.text("month")).collect()
}

/// A text of a case or call under a key, and where it stands.
#[derive(Clone, Debug)]
pub struct TextUnder {
    pub facts: TextFacts,
    /// What it was sealed for.
    row: String,
    seq: i64,
    sealed: Vec<u8>,
}

const ENDED: [&str; 4] = ["closed", "refused", "withdrawn", "expired"];

/// Every text of a case or call that stands under a key.
///
/// # Errors
/// The database's.
pub async fn texts_under(
    conn: &mut Conn,
    association: &AssociationId,
    key: &str,
) -> Result<Vec<TextUnder>, StoreError> {
    let mut found = Vec::new();
    for (kind, column) in &TEXTS {
        for row in conn.all(column.under, values![association.as_str(), key.as_bytes()]).await? {
            let (owner, ended) = match kind {
                TextKind::Blind | TextKind::Detail | TextKind::Report | TextKind::Survey => {
                    let request = row.id("request_id", RequestId::from_stored)?;
                    (Owner::Case(request), ENDED.contains(&row.text("state")?.as_str()))
                }
                TextKind::Call | TextKind::CallMessage | TextKind::CallOrder | TextKind::CallReport => {
                    let consult = row.opt_id("consult_id", RequestId::from_stored)?;
                    let id = row.id("call_id", CallId::from_stored)?;
                    (Owner::Call { id, consult }, row.opt_millis("ended_at_ms")?.is_some())
                }
            };
            let ended = if ended { Some(row.millis("updated_at_ms")?) } else { None };
            found.push(TextUnder {
                facts: TextFacts { owner, kind: *kind, ended },
                row: row.text("row_id")?,
                seq: row.int("seq")?,
                sealed: row.bytes("sealed")?,
            });
        }
    }
    Ok(found)
}

/// Moves a text under another key, which belongs to its case alone.
///
/// # Errors
/// The database's; a text that does not open.
pub async fn text_move(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    text: &TextUnder,
    to: &str,
) -> Result<(), StoreError> {
    let Some((_, column)) = TEXTS.iter().find(|(kind, _)| *kind == text.facts.kind) else {
        return Ok(());
    };
    let of = match &text.facts.owner {
        Owner::Case(id) => id.as_str(),
        Owner::Call { id, .. } => id.as_str(),
    };
    let at = Sealed { table: column.table, column: column.column, row: &text.row };
    let plain = vault.open(tx, association, at, &text.sealed).await?;
    let sealed = vault.seal_under(tx, association, at, to, &plain).await?;
    tx.exec(column.replace, values![association.as_str(), of, text.seq, sealed]).await.map(drop)
}

/// Moves what lasts from a key to the lasting one; how many values.
///
/// # Errors
/// The database's; a value that does not open.
pub async fn lasting_move(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    key: &str,
) -> Result<usize, StoreError> {
    let mut moved = 0;
    for column in &LASTING {
        for found in tx.all(column.under, values![association.as_str(), key.as_bytes()]).await? {
            let row = found.text("row_id")?;
            let at = Sealed { table: column.table, column: column.column, row: &row };
            let before = found.bytes("sealed")?;
            let plain = vault.open(tx, association, at, &before).await?;
            let sealed = vault.seal_lasting(tx, association, at, &plain).await?;
            // Whoever wrote a new value in this moment has sealed it under the lasting key.
            let params = values![association.as_str(), row.as_str(), sealed, before];
            moved += usize::try_from(tx.exec(column.replace, params).await?).unwrap_or(0);
        }
    }
    Ok(moved)
}

/// A name for a key of one case's own: `h000001` and on.
///
/// # Errors
/// The database's; a million of them are used up.
pub async fn own_key_name(tx: &mut Conn, association: &AssociationId) -> Result<String, StoreError> {
    let row = tx.one(&OWN_KEY_LAST, values![association.as_str()]).await?;
    let last = match row {
        Some(row) => row.opt_text("last")?,
        None => None,
    };
    let last = last.and_then(|name| name.get(1..).and_then(|n| n.parse::<u32>().ok())).unwrap_or(0);
    if last >= 999_999 {
        return Err(StoreError::Unusable("the keys of held cases are used up".to_owned()));
    }
    Ok(format!("h{:06}", last + 1))
}

/// Destroys a key. `false`: it was destroyed before.
///
/// # Errors
/// The database's.
pub async fn key_destroy(
    tx: &mut Conn,
    association: &AssociationId,
    key: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    // Freed pages of a SQLite file would keep the wrapped key until they are used again.
    tx.overwrite_what_is_freed().await?;
    Ok(tx.exec(&KEY_DESTROY, values![association.as_str(), key, now]).await? == 1)
}

/// What was destroyed with a key.
#[derive(Clone, Debug)]
pub struct DestroyedRow {
    pub key: String,
    pub at: Millis,
    /// Counts, as JSON.
    pub body: String,
}

/// # Errors
/// The database's.
pub async fn destroyed_add(
    tx: &mut Conn,
    association: &AssociationId,
    row: &DestroyedRow,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), row.key.as_str(), row.at, row.body.as_str()];
    tx.exec(&DESTROYED_ADD, params).await.map(drop)
}

/// What stands in no report yet.
///
/// # Errors
/// The database's.
pub async fn destroyed_unreported(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<DestroyedRow>, StoreError> {
    let rows = conn.all(&DESTROYED_UNREPORTED, values![association.as_str()]).await?;
    rows.iter()
        .map(|r| Ok(DestroyedRow { key: r.text("month")?, at: r.millis("at_ms")?, body: r.text("body")? }))
        .collect()
}

/// A report of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    pub month: String,
    pub at: Millis,
    /// JSON.
    pub body: String,
}

fn report(row: &Row) -> Result<ReportRow, StoreError> {
    Ok(ReportRow { month: row.text("month")?, at: row.millis("at_ms")?, body: row.text("body")? })
}

/// Writes a month's report and what it tells of. `false`: the month has one.
///
/// # Errors
/// The database's.
pub async fn retention_report_put(
    tx: &mut Conn,
    association: &AssociationId,
    row: &ReportRow,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), row.month.as_str(), row.at, row.body.as_str()];
    if tx.exec(&REPORT_PUT, params).await? == 0 {
        return Ok(false);
    }
    tx.exec(&DESTROYED_REPORTED, values![association.as_str(), row.month.as_str()]).await?;
    Ok(true)
}

/// # Errors
/// The database's.
pub async fn retention_report_get(
    conn: &mut Conn,
    association: &AssociationId,
    month: &str,
) -> Result<Option<ReportRow>, StoreError> {
    let row = conn.one(&RETENTION_REPORT_GET, values![association.as_str(), month]).await?;
    row.as_ref().map(report).transpose()
}

/// The newest first.
///
/// # Errors
/// The database's.
pub async fn retention_reports(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<ReportRow>, StoreError> {
    conn.all(&RETENTION_REPORTS, values![association.as_str(), limit]).await?.iter().map(report).collect()
}

/// Lines of the ledger and rows of the audit from before a moment.
///
/// # Errors
/// The database's.
pub async fn records_before(
    conn: &mut Conn,
    association: &AssociationId,
    before: Millis,
) -> Result<(i64, i64), StoreError> {
    let mut counts = [0, 0];
    for (count, statement) in counts.iter_mut().zip([&LEDGER_BEFORE, &AUDIT_BEFORE]) {
        let row = conn.one(statement, values![association.as_str(), before]).await?;
        *count = row.map_or(Ok(0), |r| r.int("n"))?;
    }
    let [ledger, audit] = counts;
    Ok((ledger, audit))
}
