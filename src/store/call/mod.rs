//! Calls: load, save what a decision changed, legs, reports, settings. Orders to the bridge are `orders`, what was
//! told of a call `reports`.

pub mod orders;
pub mod reports;

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::secrets::{Sealed, Vault};
use super::statements;
use crate::domain::call::{Call, Leg, LegId, LegState, Role, Stage};
use crate::domain::dispatch::Request;
use crate::ids::{AssociationId, CallId, InstitutionId, MemberId, RequestId};
use crate::time::Millis;

statements! {
    CALL_ADD = "INSERT INTO call (association_id, call_id, case_no, kind, stage, revision, clinic_id, institution_id, asker_id, consult_id, opened_at_ms, updated_at_ms, due_at_ms, orders, line_mark, body, hunt) VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $10, $11, 0, $12, $13, $14)";
    CALL_MACHINE = "SELECT association_id, call_id, case_no, revision, orders, body, hunt, consult_id, institution_id FROM call WHERE association_id = $1 AND call_id = $2";
    // The row lock makes commands on one call wait for each other instead of failing.
    CALL_MACHINE_LOCK =
        "SELECT association_id, call_id, case_no, revision, orders, body, hunt, consult_id, institution_id FROM call WHERE association_id = $1 AND call_id = $2",
        "SELECT association_id, call_id, case_no, revision, orders, body, hunt, consult_id, institution_id FROM call WHERE association_id = $1 AND call_id = $2 FOR UPDATE";
    CALL_SAVE = "UPDATE call SET stage = $4, revision = $3 + 1, clinic_id = $5, institution_id = $6, taker_id = $7, updated_at_ms = $8, ended_at_ms = $9, outcome = $10, due_at_ms = $11, body = $12, hunt = $13 WHERE association_id = $1 AND call_id = $2 AND revision = $3";
    LEG_SET = "INSERT INTO call_leg (association_id, call_id, leg_id, role, member_id, state, cause, began_at_ms, answered_at_ms, ended_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (association_id, call_id, leg_id) DO UPDATE SET state = excluded.state, cause = excluded.cause, answered_at_ms = excluded.answered_at_ms, ended_at_ms = excluded.ended_at_ms";
    LEG_CALL = "SELECT association_id, call_id FROM call_leg WHERE leg_id = $1";
    LEGS_OF_CALL = "SELECT leg_id, role, member_id, state, cause, began_at_ms, answered_at_ms, ended_at_ms FROM call_leg WHERE association_id = $1 AND call_id = $2 ORDER BY began_at_ms, leg_id";
    LEGS_IN_USE = "SELECT COUNT(*) AS n FROM call_leg WHERE association_id = $1 AND ended_at_ms IS NULL";
    LINE_MS =
        "SELECT COALESCE(SUM(l.ended_at_ms - l.answered_at_ms), 0) AS n FROM call c JOIN call_leg l ON l.association_id = c.association_id AND l.call_id = c.call_id WHERE c.association_id = $1 AND c.opened_at_ms >= $2 AND l.answered_at_ms IS NOT NULL AND l.ended_at_ms IS NOT NULL",
        "SELECT CAST(COALESCE(SUM(l.ended_at_ms - l.answered_at_ms), 0) AS BIGINT) AS n FROM call c JOIN call_leg l ON l.association_id = c.association_id AND l.call_id = c.call_id WHERE c.association_id = $1 AND c.opened_at_ms >= $2 AND l.answered_at_ms IS NOT NULL AND l.ended_at_ms IS NOT NULL";
    CALL_LINES_FORGET = "UPDATE call SET line_mark = NULL WHERE ended_at_ms < $1 AND line_mark IS NOT NULL";
    CALL_MESSAGE_SET = "UPDATE call SET message = $3 WHERE association_id = $1 AND call_id = $2";
    CALL_MESSAGE = "SELECT message FROM call WHERE association_id = $1 AND call_id = $2";
    CALL_BY_ID = "SELECT call_id, case_no, kind, stage, clinic_id, institution_id, asker_id, taker_id, consult_id, opened_at_ms, updated_at_ms, ended_at_ms, outcome, due_at_ms FROM call WHERE association_id = $1 AND call_id = $2";
    CALLS_OPEN = "SELECT call_id, case_no, kind, stage, clinic_id, institution_id, asker_id, taker_id, consult_id, opened_at_ms, updated_at_ms, ended_at_ms, outcome, due_at_ms FROM call WHERE association_id = $1 AND ended_at_ms IS NULL ORDER BY opened_at_ms, call_id LIMIT $2";
    CALLS_ENDED = "SELECT call_id, case_no, kind, stage, clinic_id, institution_id, asker_id, taker_id, consult_id, opened_at_ms, updated_at_ms, ended_at_ms, outcome, due_at_ms FROM call WHERE association_id = $1 AND ended_at_ms >= $2 ORDER BY ended_at_ms DESC, call_id LIMIT $3";
    CALLS_AFTER = "SELECT call_id, case_no, kind, stage, clinic_id, institution_id, asker_id, taker_id, consult_id, opened_at_ms, updated_at_ms, ended_at_ms, outcome, due_at_ms FROM call WHERE association_id = $1 AND call_id > $2 ORDER BY call_id LIMIT $3";
    CALLS_OF_MEMBER = "SELECT call_id, case_no, kind, stage, clinic_id, institution_id, asker_id, taker_id, consult_id, opened_at_ms, updated_at_ms, ended_at_ms, outcome, due_at_ms FROM call WHERE association_id = $1 AND (taker_id = $2 OR asker_id = $2) ORDER BY opened_at_ms DESC, call_id LIMIT $3";
    CALLS_BETWEEN = "SELECT call_id, case_no, kind, stage, clinic_id, institution_id, asker_id, taker_id, consult_id, opened_at_ms, updated_at_ms, ended_at_ms, outcome, due_at_ms FROM call WHERE association_id = $1 AND opened_at_ms >= $2 AND opened_at_ms < $3 ORDER BY opened_at_ms, call_id LIMIT $4";
    CALLS_LIVE = "SELECT association_id, call_id, opened_at_ms FROM call WHERE ended_at_ms IS NULL UNION SELECT association_id, call_id, opened_at_ms FROM call WHERE due_at_ms IS NOT NULL ORDER BY opened_at_ms, call_id LIMIT 1000";
    CALLS_NOT_SAVED_IN = "SELECT association_id, call_id FROM call WHERE due_at_ms IS NOT NULL AND (updated_at_ms < $1 OR updated_at_ms > $2) ORDER BY opened_at_ms, call_id";
    CALLS_DUE = "SELECT association_id, call_id FROM call WHERE due_at_ms IS NOT NULL AND due_at_ms <= $1 ORDER BY due_at_ms, call_id LIMIT $2";
    CALLS_NEXT = "SELECT MIN(due_at_ms) AS due FROM call WHERE due_at_ms IS NOT NULL";
    CALLS_OF_LINE = "SELECT call_id, ended_at_ms FROM call WHERE association_id = $1 AND line_mark = $2 AND opened_at_ms >= $3 ORDER BY opened_at_ms DESC, call_id LIMIT 100";
    CALLS_HIDDEN = "SELECT COUNT(*) AS n FROM call WHERE association_id = $1 AND line_mark IS NULL AND kind = 'night' AND opened_at_ms >= $2";
    CALLS_WITHOUT_STEP = "SELECT association_id, call_id FROM call WHERE ended_at_ms IS NULL AND ((due_at_ms IS NULL AND stage <> 'last_resort') OR due_at_ms < $1) LIMIT 100";
    CALL_SETTINGS = "SELECT revision, body FROM call_settings WHERE association_id = $1";
    CALL_SETTINGS_ADD = "INSERT INTO call_settings (association_id, revision, body) VALUES ($1, 1, $2) ON CONFLICT (association_id) DO NOTHING";
    CALL_SETTINGS_SAVE = "UPDATE call_settings SET revision = revision + 1, body = $3 WHERE association_id = $1 AND revision = $2";
}

/// A call and its hunt as loaded, with what saving needs.
#[derive(Clone, Debug)]
pub struct LoadedCall {
    pub call: Call,
    pub request: Request,
    pub case_no: String,
    pub revision: i64,
    /// The consult of a talk between two doctors.
    pub consult: Option<RequestId>,
    /// Orders given to the bridge so far.
    pub orders: i64,
}

const fn body_at(id: &str) -> Sealed<'_> {
    Sealed { table: "call", column: "body", row: id }
}

const fn message_at(id: &str) -> Sealed<'_> {
    Sealed { table: "call", column: "message", row: id }
}

fn json<T: serde::Serialize>(value: &T, id: &CallId) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::corrupt("call", id, e))
}

/// The word a stage's call is stored under.
const fn kind_code(call: &Call) -> &'static str {
    use crate::domain::call::Kind;
    match call.kind {
        Kind::Night => "night",
        Kind::Web => "web",
        Kind::Connect => "connect",
        Kind::Test => "test",
        Kind::Recovery => "recovery",
        Kind::Tonight => "tonight",
    }
}

/// What a new call brings beside its machine.
#[derive(Clone, Debug)]
pub struct NewCall<'a> {
    pub call: &'a Call,
    pub request: &'a Request,
    pub case_no: &'a str,
    pub asker: Option<&'a MemberId>,
    pub institution: Option<&'a InstitutionId>,
    pub consult: Option<&'a RequestId>,
    /// A keyed hash of the caller's number; `None` where it is hidden.
    pub line_mark: Option<Vec<u8>>,
}

/// Writes a new call and its first legs.
///
/// # Errors
/// The database's; an inbound leg that belongs to a call already.
pub async fn call_add(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    new: &NewCall<'_>,
    now: Millis,
) -> Result<(), StoreError> {
    let call = new.call;
    let body = json(call, &call.id)?;
    let body = vault.seal(tx, association, body_at(call.id.as_str()), now, &body).await?;
    let params = values![
        association.as_str(),
        call.id.as_str(),
        new.case_no,
        kind_code(call),
        call.stage.code(),
        call.clinic.as_ref().map(InstitutionId::as_str),
        new.institution.map(InstitutionId::as_str),
        new.asker.map(MemberId::as_str),
        new.consult.map(RequestId::as_str),
        call.opened,
        now,
        new.line_mark.clone(),
        body,
        json(new.request, &call.id)?,
    ];
    tx.exec(&CALL_ADD, params).await?;
    tx.wake_runner(super::jobs::Lane::Calls);
    for (id, leg) in &call.legs {
        leg_set(tx, association, &call.id, id, leg).await?;
    }
    Ok(())
}

/// The call as it is now, locked until the transaction ends; `None` where there is none, or where it is past its
/// time and only its row is left.
///
/// # Errors
/// The database's, or a row that cannot be understood.
pub async fn call_lock(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    id: &CallId,
) -> Result<Option<LoadedCall>, StoreError> {
    load(tx, vault, &CALL_MACHINE_LOCK, association, id).await
}

/// The call as it is now, for reading.
///
/// # Errors
/// As [`call_lock`].
pub async fn call_load(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    id: &CallId,
) -> Result<Option<LoadedCall>, StoreError> {
    load(conn, vault, &CALL_MACHINE, association, id).await
}

async fn load(
    conn: &mut Conn,
    vault: &Vault,
    statement: &'static super::Statement,
    association: &AssociationId,
    id: &CallId,
) -> Result<Option<LoadedCall>, StoreError> {
    let Some(row) = conn.one(statement, values![association.as_str(), id.as_str()]).await? else {
        return Ok(None);
    };
    let kept = vault.open_kept(conn, association, body_at(id.as_str()), &row.bytes("body")?).await?;
    let Some(body) = kept.text() else { return Ok(None) };
    Ok(Some(LoadedCall {
        call: serde_json::from_str(body).map_err(|e| StoreError::corrupt("call", id, e))?,
        request: row.json("hunt")?,
        case_no: row.text("case_no")?,
        revision: row.int("revision")?,
        consult: row.opt_id("consult_id", RequestId::from_stored)?,
        orders: row.int("orders")?,
    }))
}

/// Writes what changed between `before` and the next state.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile; the database's.
#[expect(clippy::too_many_arguments, reason = "one decision with its transaction and keys")]
pub async fn call_save(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    before: &LoadedCall,
    call: &Call,
    request: &Request,
    due: Option<Millis>,
    now: Millis,
) -> Result<(), StoreError> {
    let (ended, outcome) = match call.stage {
        Stage::Over { at, outcome } => {
            (Some(at), Some(json(&outcome, &call.id)?.trim_matches('"').to_owned()))
        }
        _ => (None, None),
    };
    let body = json(call, &call.id)?;
    // Under the key of the month in which it was opened: a call is destroyed as a whole.
    let body = vault.seal(tx, association, body_at(call.id.as_str()), call.opened, &body).await?;
    let params = values![
        association.as_str(),
        call.id.as_str(),
        before.revision,
        call.stage.code(),
        call.clinic.as_ref().map(InstitutionId::as_str),
        institution_of(call).map(InstitutionId::as_str),
        call.taker.as_ref().map(|t| t.person.as_str()),
        now,
        ended,
        outcome,
        due,
        body,
        json(request, &call.id)?,
    ];
    if tx.exec(&CALL_SAVE, params).await? != 1 {
        return Err(StoreError::Stale { table: "call", id: call.id.as_str().to_owned() });
    }
    tx.wake_runner(super::jobs::Lane::Calls);
    for (id, leg) in call.legs.iter().filter(|(id, leg)| before.call.legs.get(*id) != Some(*leg)) {
        leg_set(tx, association, &call.id, id, leg).await?;
    }
    Ok(())
}

/// The institution that calls, as far as it is known.
const fn institution_of(call: &Call) -> Option<&InstitutionId> {
    use crate::domain::call::Standing;
    match &call.caller.standing {
        Standing::Line { institution } | Standing::Code { institution } => Some(institution),
        Standing::Member { .. } | Standing::Unknown => None,
    }
}

async fn leg_set(
    tx: &mut Conn,
    association: &AssociationId,
    call: &CallId,
    id: &LegId,
    leg: &Leg,
) -> Result<(), StoreError> {
    let role = match leg.role {
        Role::Caller => "caller",
        Role::Asked { .. } => "asked",
        Role::Taker { .. } => "taker",
    };
    let (state, cause, ended) = match leg.state {
        LegState::Waiting => ("waiting", None, None),
        LegState::Dialing { .. } => ("dialing", None, None),
        LegState::Ringing { .. } => ("ringing", None, None),
        LegState::Screening { .. } | LegState::Accepting { .. } => ("screening", None, None),
        LegState::Up => ("up", None, None),
        LegState::Leaving { cause, .. } => ("leaving", Some(cause.code()), None),
        LegState::Ended { cause, at } => ("ended", Some(cause.code()), Some(at)),
    };
    let params = values![
        association.as_str(),
        call.as_str(),
        id.as_str(),
        role,
        leg.person().map(MemberId::as_str),
        state,
        cause,
        leg.since,
        leg.answered,
        ended,
    ];
    tx.exec(&LEG_SET, params).await.map(drop)
}

/// The call a leg belongs to.
///
/// # Errors
/// The database's.
pub async fn leg_call(conn: &mut Conn, leg: &LegId) -> Result<Option<(AssociationId, CallId)>, StoreError> {
    let row = conn.one(&LEG_CALL, values![leg.as_str()]).await?;
    row.as_ref().map(call_key).transpose()
}

fn call_key(row: &Row) -> Result<(AssociationId, CallId), StoreError> {
    Ok((row.id("association_id", AssociationId::from_stored)?, row.id("call_id", CallId::from_stored)?))
}

/// One attempt, as the live page and the record show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegRow {
    pub id: String,
    /// `caller`, `asked`, `taker`.
    pub role: String,
    pub member: Option<MemberId>,
    pub state: String,
    pub cause: Option<String>,
    pub began: Millis,
    pub answered: Option<Millis>,
    pub ended: Option<Millis>,
}

/// # Errors
/// The database's.
pub async fn legs_of_call(
    conn: &mut Conn,
    association: &AssociationId,
    call: &CallId,
) -> Result<Vec<LegRow>, StoreError> {
    let rows = conn.all(&LEGS_OF_CALL, values![association.as_str(), call.as_str()]).await?;
    rows.iter()
        .map(|r| {
            Ok(LegRow {
                id: r.text("leg_id")?,
                role: r.text("role")?,
                member: r.opt_id("member_id", MemberId::from_stored)?,
                state: r.text("state")?,
                cause: r.opt_text("cause")?,
                began: r.millis("began_at_ms")?,
                answered: r.opt_millis("answered_at_ms")?,
                ended: r.opt_millis("ended_at_ms")?,
            })
        })
        .collect()
}

/// Lines of the association that ring or are up.
///
/// # Errors
/// The database's.
pub async fn legs_in_use(conn: &mut Conn, association: &AssociationId) -> Result<i64, StoreError> {
    conn.one(&LEGS_IN_USE, values![association.as_str()]).await?.map_or(Ok(0), |r| r.int("n"))
}

/// A call without its machine: what lists show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    pub id: CallId,
    pub case_no: String,
    /// `night`, `web`, `connect`.
    pub kind: String,
    pub stage: String,
    pub clinic: Option<InstitutionId>,
    /// Who called, where it is an institution of the directory.
    pub institution: Option<InstitutionId>,
    pub asker: Option<MemberId>,
    pub taker: Option<MemberId>,
    pub consult: Option<RequestId>,
    pub opened: Millis,
    pub updated: Millis,
    pub ended: Option<Millis>,
    pub outcome: Option<String>,
    pub due: Option<Millis>,
}

fn call_row(row: &Row) -> Result<CallRow, StoreError> {
    Ok(CallRow {
        id: row.id("call_id", CallId::from_stored)?,
        case_no: row.text("case_no")?,
        kind: row.text("kind")?,
        stage: row.text("stage")?,
        clinic: row.opt_id("clinic_id", InstitutionId::from_stored)?,
        institution: row.opt_id("institution_id", InstitutionId::from_stored)?,
        asker: row.opt_id("asker_id", MemberId::from_stored)?,
        taker: row.opt_id("taker_id", MemberId::from_stored)?,
        consult: row.opt_id("consult_id", RequestId::from_stored)?,
        opened: row.millis("opened_at_ms")?,
        updated: row.millis("updated_at_ms")?,
        ended: row.opt_millis("ended_at_ms")?,
        outcome: row.opt_text("outcome")?,
        due: row.opt_millis("due_at_ms")?,
    })
}

/// # Errors
/// The database's.
pub async fn call_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &CallId,
) -> Result<Option<CallRow>, StoreError> {
    conn.one(&CALL_BY_ID, values![association.as_str(), id.as_str()])
        .await?
        .as_ref()
        .map(call_row)
        .transpose()
}

/// Calls that are not over, the oldest first.
///
/// # Errors
/// The database's.
pub async fn calls_open(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<CallRow>, StoreError> {
    conn.all(&CALLS_OPEN, values![association.as_str(), limit]).await?.iter().map(call_row).collect()
}

/// Calls that ended since, the newest first.
///
/// # Errors
/// The database's.
pub async fn calls_ended(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
    limit: i64,
) -> Result<Vec<CallRow>, StoreError> {
    conn.all(&CALLS_ENDED, values![association.as_str(), since, limit]).await?.iter().map(call_row).collect()
}

/// In the order of ids, after `after` (empty: from the start).
///
/// # Errors
/// The database's.
pub async fn calls_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<CallRow>, StoreError> {
    conn.all(&CALLS_AFTER, values![association.as_str(), after, limit]).await?.iter().map(call_row).collect()
}

/// What a member took or started, the newest first.
///
/// # Errors
/// The database's.
pub async fn calls_of_member(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    limit: i64,
) -> Result<Vec<CallRow>, StoreError> {
    let params = values![association.as_str(), member.as_str(), limit];
    conn.all(&CALLS_OF_MEMBER, params).await?.iter().map(call_row).collect()
}

/// Calls that began in `[from, to)`, in the order in which they began.
///
/// # Errors
/// The database's.
pub async fn calls_between(
    conn: &mut Conn,
    association: &AssociationId,
    (from, to): (Millis, Millis),
    limit: i64,
) -> Result<Vec<CallRow>, StoreError> {
    let params = values![association.as_str(), from, to, limit];
    conn.all(&CALLS_BETWEEN, params).await?.iter().map(call_row).collect()
}

/// Every call the bridge may still have something to say about, of every association.
///
/// # Errors
/// The database's.
pub async fn calls_live(conn: &mut Conn) -> Result<Vec<(AssociationId, CallId)>, StoreError> {
    conn.all(&CALLS_LIVE, &[]).await?.iter().map(call_key).collect()
}

/// Calls that wait for something, of every association, without those that were saved between `from` and `to`.
///
/// # Errors
/// The database's.
pub async fn calls_not_saved_in(
    conn: &mut Conn,
    (from, to): (Millis, Millis),
) -> Result<Vec<(AssociationId, CallId)>, StoreError> {
    conn.all(&CALLS_NOT_SAVED_IN, values![from, to]).await?.iter().map(call_key).collect()
}

/// Calls whose wait is over, the longest overdue first.
///
/// # Errors
/// The database's.
pub async fn calls_due(
    conn: &mut Conn,
    now: Millis,
    limit: i64,
) -> Result<Vec<(AssociationId, CallId)>, StoreError> {
    conn.all(&CALLS_DUE, values![now, limit]).await?.iter().map(call_key).collect()
}

/// When the next wait of any call is over.
///
/// # Errors
/// The database's.
pub async fn calls_next(conn: &mut Conn) -> Result<Option<Millis>, StoreError> {
    conn.one(&CALLS_NEXT, &[]).await?.map_or(Ok(None), |r| r.opt_millis("due"))
}

/// Calls of a line since, the newest first, and whether each is over.
///
/// # Errors
/// The database's.
pub async fn calls_of_line(
    conn: &mut Conn,
    association: &AssociationId,
    mark: &[u8],
    since: Millis,
) -> Result<Vec<(CallId, bool)>, StoreError> {
    let rows = conn.all(&CALLS_OF_LINE, values![association.as_str(), mark, since]).await?;
    rows.iter()
        .map(|r| Ok((r.id("call_id", CallId::from_stored)?, r.opt_millis("ended_at_ms")?.is_some())))
        .collect()
}

/// Calls without a number since.
///
/// # Errors
/// The database's.
pub async fn calls_hidden(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<i64, StoreError> {
    conn.one(&CALLS_HIDDEN, values![association.as_str(), since]).await?.map_or(Ok(0), |r| r.int("n"))
}

/// Milliseconds that lines of calls which began since were up, as far as they have ended.
///
/// # Errors
/// The database's.
pub async fn line_ms_since(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<i64, StoreError> {
    conn.one(&LINE_MS, values![association.as_str(), since]).await?.map_or(Ok(0), |r| r.int("n"))
}

/// Forgets from which lines calls that ended before `before` came.
///
/// # Errors
/// The database's.
pub async fn lines_forget(tx: &mut Conn, before: Millis) -> Result<u64, StoreError> {
    tx.exec(&CALL_LINES_FORGET, values![before]).await
}

/// Open calls that wait for nothing, or for something that should have happened before `late`: there must be
/// none.
///
/// # Errors
/// The database's.
pub async fn calls_without_step(
    conn: &mut Conn,
    late: Millis,
) -> Result<Vec<(AssociationId, CallId)>, StoreError> {
    conn.all(&CALLS_WITHOUT_STEP, values![late]).await?.iter().map(call_key).collect()
}

/// Puts the caller's spoken message away, sealed. `sound`: WAV in base64.
///
/// # Errors
/// The database's.
pub async fn call_message_set(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    call: &Call,
    sound: &str,
) -> Result<(), StoreError> {
    let sealed = vault.seal(tx, association, message_at(call.id.as_str()), call.opened, sound).await?;
    tx.exec(&CALL_MESSAGE_SET, values![association.as_str(), call.id.as_str(), sealed]).await.map(drop)
}

/// The message as it was put away; `None` without one, or past its time.
///
/// # Errors
/// The database's; a message that was changed.
pub async fn call_message(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    id: &CallId,
) -> Result<Option<String>, StoreError> {
    let row = conn.one(&CALL_MESSAGE, values![association.as_str(), id.as_str()]).await?;
    let Some(sealed) = row.map_or(Ok(None), |r| r.opt_bytes("message"))? else {
        return Ok(None);
    };
    let kept = vault.open_kept(conn, association, message_at(id.as_str()), &sealed).await?;
    Ok(kept.text().cloned())
}

const fn settings_at(id: &str) -> Sealed<'_> {
    Sealed { table: "call_settings", column: "body", row: id }
}

/// The association's settings of calls as JSON, and their revision. `None`: never set.
///
/// # Errors
/// The database's.
pub async fn call_settings(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
) -> Result<Option<(i64, String)>, StoreError> {
    let Some(row) = conn.one(&CALL_SETTINGS, values![association.as_str()]).await? else {
        return Ok(None);
    };
    let at = settings_at(association.as_str());
    Ok(Some((row.int("revision")?, vault.open(conn, association, at, &row.bytes("body")?).await?)))
}

/// Writes the settings anew. `false`: they are not at `revision` any more (0: never set).
///
/// # Errors
/// The database's.
pub async fn call_settings_save(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    revision: i64,
    body: &str,
) -> Result<bool, StoreError> {
    let sealed = vault.seal_lasting(tx, association, settings_at(association.as_str()), body).await?;
    let changed = if revision == 0 {
        tx.exec(&CALL_SETTINGS_ADD, values![association.as_str(), sealed]).await?
    } else {
        tx.exec(&CALL_SETTINGS_SAVE, values![association.as_str(), revision, sealed]).await?
    };
    Ok(changed == 1)
}
