//! Links, known devices, sessions, API keys and replayed answers. Secrets stand here only as hashes.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::ids::{ApiKeyId, AssociationId, DeviceId, LinkId, MemberId, RequestId, SessionId};
use crate::time::Millis;

statements! {
    LINK_ADD = "INSERT INTO link (association_id, link_id, member_id, purpose, request_id, token_hash, code_hash, created_at_ms, expires_at_ms, wrong_pins) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)";
    // A link's secret says which association it belongs to.
    LINK_BY_TOKEN = "SELECT association_id, link_id, member_id, purpose, request_id, token_hash, created_at_ms, expires_at_ms, consumed_at_ms, voided_at_ms, wrong_pins FROM link WHERE token_hash = $1";
    LINK_BY_CODE = "SELECT association_id, link_id, member_id, purpose, request_id, token_hash, created_at_ms, expires_at_ms, consumed_at_ms, voided_at_ms, wrong_pins FROM link WHERE code_hash = $1";
    LINK_BY_ID = "SELECT association_id, link_id, member_id, purpose, request_id, token_hash, created_at_ms, expires_at_ms, consumed_at_ms, voided_at_ms, wrong_pins FROM link WHERE association_id = $1 AND link_id = $2";
    LINK_CONSUME = "UPDATE link SET consumed_at_ms = $3 WHERE association_id = $1 AND link_id = $2 AND consumed_at_ms IS NULL";
    LINKS_VOID = "UPDATE link SET voided_at_ms = $4 WHERE association_id = $1 AND request_id = $2 AND member_id = $3 AND voided_at_ms IS NULL AND consumed_at_ms IS NULL";
    LINK_WRONG_PIN = "UPDATE link SET wrong_pins = wrong_pins + 1 WHERE association_id = $1 AND link_id = $2 RETURNING wrong_pins";
    DEVICE_ADD = "INSERT INTO device (association_id, device_id, member_id, secret_hash, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
    DEVICE_BY_SECRET = "SELECT association_id, device_id, member_id FROM device WHERE secret_hash = $1 AND revoked_at_ms IS NULL AND expires_at_ms > $2";
    DEVICES_REVOKE = "UPDATE device SET revoked_at_ms = $3 WHERE association_id = $1 AND member_id = $2 AND revoked_at_ms IS NULL";
    SESSION_ADD = "INSERT INTO session (association_id, session_id, member_id, secret_hash, created_at_ms, seen_at_ms, expires_at_ms, means, strong_at_ms, setup_until_ms) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)";
    SESSION_BY_SECRET = "SELECT association_id, session_id, member_id, seen_at_ms, strong_at_ms, setup_until_ms FROM session WHERE secret_hash = $1 AND ended_at_ms IS NULL AND expires_at_ms > $2 AND seen_at_ms > $3";
    SESSION_SEEN = "UPDATE session SET seen_at_ms = $3 WHERE association_id = $1 AND session_id = $2 AND seen_at_ms < $3";
    SESSION_END = "UPDATE session SET ended_at_ms = $2 WHERE secret_hash = $1 AND ended_at_ms IS NULL";
    SESSIONS_END = "UPDATE session SET ended_at_ms = $3 WHERE association_id = $1 AND member_id = $2 AND ended_at_ms IS NULL";
    SESSIONS_END_OTHERS = "UPDATE session SET ended_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND session_id <> $3 AND ended_at_ms IS NULL";
    SESSION_END_ONE = "UPDATE session SET ended_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND session_id = $3 AND ended_at_ms IS NULL";
    SESSION_PROVED = "UPDATE session SET strong_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND session_id = $3 AND ended_at_ms IS NULL AND strong_at_ms IS NOT NULL";
    SESSIONS_OF_MEMBER = "SELECT session_id, means, created_at_ms, seen_at_ms, strong_at_ms FROM session WHERE association_id = $1 AND member_id = $2 AND ended_at_ms IS NULL AND expires_at_ms > $3 AND seen_at_ms > $4 ORDER BY session_id DESC LIMIT 50";
    API_KEY_ADD = "INSERT INTO api_key (association_id, api_key_id, label, scopes, secret_hash, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
    API_KEYS = "SELECT api_key_id, label, scopes, created_at_ms, revoked_at_ms FROM api_key WHERE association_id = $1 ORDER BY created_at_ms DESC, api_key_id DESC LIMIT $2";
    API_KEY_REVOKE = "UPDATE api_key SET revoked_at_ms = $3 WHERE association_id = $1 AND api_key_id = $2 AND revoked_at_ms IS NULL";
    API_KEY_BY_SECRET = "SELECT association_id, api_key_id, scopes FROM api_key WHERE secret_hash = $1 AND revoked_at_ms IS NULL";
    REPLAY_GET = "SELECT fingerprint, status, body FROM idempotency WHERE association_id = $1 AND actor = $2 AND key = $3";
    REPLAY_ADD = "INSERT INTO idempotency (association_id, actor, key, fingerprint, status, body, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    // Taken first, so that two of the same key wait for each other instead of both acting.
    REPLAY_LOCK =
        "SELECT 1 AS locked WHERE $1 IS NOT NULL",
        "SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(hashtextextended($1, 8452772))) AS l";
    REPLAYS_FORGET = "DELETE FROM idempotency WHERE created_at_ms < $1";
    SESSIONS_FORGET = "DELETE FROM session WHERE expires_at_ms < $1";
    LINKS_FORGET = "DELETE FROM link WHERE expires_at_ms < $1";
    DEVICES_FORGET = "DELETE FROM device WHERE expires_at_ms < $1";
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Answering an offer.
    Offer,
    SignIn,
    /// Setting up one's means of signing in, with the PIN.
    OfficeSetup,
    /// The same for the first person of an office that has none yet: without a PIN, while that is so.
    OfficeFirst,
    /// Stopping a recovery that its owner did not ask for.
    RecoveryStop,
    /// Saying that a test mail arrived.
    ReachTest,
    /// Enrolling a device that an institution shares.
    Station,
    /// Looking at the entries that the person looks after, and setting them right.
    EntryReview,
    /// Writing one's wishes for a rota that is being made.
    Wishes,
}

impl LinkPurpose {
    /// Every purpose.
    pub const ALL: [Self; 9] = [
        Self::Offer,
        Self::SignIn,
        Self::OfficeSetup,
        Self::OfficeFirst,
        Self::RecoveryStop,
        Self::ReachTest,
        Self::Station,
        Self::EntryReview,
        Self::Wishes,
    ];

    /// It is about how the office signs in.
    #[must_use]
    pub const fn is_of_the_office(self) -> bool {
        matches!(self, Self::OfficeSetup | Self::OfficeFirst | Self::RecoveryStop)
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::SignIn => "sign_in",
            Self::OfficeSetup => "office_setup",
            Self::OfficeFirst => "office_first",
            Self::RecoveryStop => "recovery_stop",
            Self::ReachTest => "reach_test",
            Self::Station => "station",
            Self::EntryReview => "entry_review",
            Self::Wishes => "wishes",
        }
    }
}

/// A link as it stands; its token and code exist only in the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub association: AssociationId,
    pub id: LinkId,
    pub member: MemberId,
    pub purpose: LinkPurpose,
    pub request: Option<RequestId>,
    pub token_hash: [u8; 32],
    pub created: Millis,
    pub expires: Millis,
    pub consumed: Option<Millis>,
    pub voided: Option<Millis>,
    pub wrong_pins: i64,
}

fn link(row: &Row) -> Result<Link, StoreError> {
    let id = row.id("link_id", LinkId::from_stored)?;
    let purpose = row.text("purpose")?;
    let purpose = LinkPurpose::ALL
        .into_iter()
        .find(|p| p.code() == purpose)
        .ok_or_else(|| StoreError::corrupt("link", &id, format!("purpose {purpose}")))?;
    let hash = row.bytes("token_hash")?;
    Ok(Link {
        association: row.id("association_id", AssociationId::from_stored)?,
        member: row.id("member_id", MemberId::from_stored)?,
        purpose,
        request: row.opt_id("request_id", RequestId::from_stored)?,
        token_hash: hash
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::corrupt("link", &id, "token hash length"))?,
        created: row.millis("created_at_ms")?,
        expires: row.millis("expires_at_ms")?,
        consumed: row.opt_millis("consumed_at_ms")?,
        voided: row.opt_millis("voided_at_ms")?,
        wrong_pins: row.int("wrong_pins")?,
        id,
    })
}

/// # Errors
/// The database's.
pub async fn link_add(tx: &mut Conn, new: &Link, code_hash: &[u8; 32]) -> Result<(), StoreError> {
    let params = values![
        new.association.as_str(),
        new.id.as_str(),
        new.member.as_str(),
        new.purpose.code(),
        new.request.as_ref().map(RequestId::as_str),
        new.token_hash.as_slice(),
        code_hash.as_slice(),
        new.created,
        new.expires,
    ];
    tx.exec(&LINK_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn link_by_token(conn: &mut Conn, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
    conn.one(&LINK_BY_TOKEN, values![hash.as_slice()]).await?.as_ref().map(link).transpose()
}

/// # Errors
/// The database's.
pub async fn link_by_code(conn: &mut Conn, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
    conn.one(&LINK_BY_CODE, values![hash.as_slice()]).await?.as_ref().map(link).transpose()
}

/// # Errors
/// The database's.
pub async fn link_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &LinkId,
) -> Result<Option<Link>, StoreError> {
    conn.one(&LINK_BY_ID, values![association.as_str(), id.as_str()]).await?.as_ref().map(link).transpose()
}

/// Uses the link up. `false`: it was used before.
///
/// # Errors
/// The database's.
pub async fn link_consume(
    tx: &mut Conn,
    association: &AssociationId,
    id: &LinkId,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&LINK_CONSUME, values![association.as_str(), id.as_str(), now]).await? == 1)
}

/// Voids the links of a person about a request.
///
/// # Errors
/// The database's.
pub async fn links_void(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    member: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&LINKS_VOID, values![association.as_str(), request.as_str(), member.as_str(), now])
        .await
        .map(drop)
}

/// Counts a wrong PIN on a link; how many so far.
///
/// # Errors
/// The database's.
pub async fn link_wrong_pin(
    tx: &mut Conn,
    association: &AssociationId,
    id: &LinkId,
) -> Result<i64, StoreError> {
    let row = tx.one(&LINK_WRONG_PIN, values![association.as_str(), id.as_str()]).await?;
    row.map_or(Ok(0), |r| r.int("wrong_pins"))
}

/// # Errors
/// The database's.
pub async fn device_add(
    tx: &mut Conn,
    association: &AssociationId,
    id: &DeviceId,
    member: &MemberId,
    secret_hash: &[u8; 32],
    now: Millis,
    expires: Millis,
) -> Result<(), StoreError> {
    let params =
        values![association.as_str(), id.as_str(), member.as_str(), secret_hash.as_slice(), now, expires];
    tx.exec(&DEVICE_ADD, params).await.map(drop)
}

/// Whose known device this is.
///
/// # Errors
/// The database's.
pub async fn device_by_secret(
    conn: &mut Conn,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<Option<(AssociationId, MemberId, DeviceId)>, StoreError> {
    let row = conn.one(&DEVICE_BY_SECRET, values![secret_hash.as_slice(), now]).await?;
    row.map(|r| {
        Ok((
            r.id("association_id", AssociationId::from_stored)?,
            r.id("member_id", MemberId::from_stored)?,
            r.id("device_id", DeviceId::from_stored)?,
        ))
    })
    .transpose()
}

/// Forgets every device and ends every session of a person.
///
/// # Errors
/// The database's.
pub async fn access_end(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&DEVICES_REVOKE, values![association.as_str(), member.as_str(), now]).await?;
    tx.exec(&SESSIONS_END, values![association.as_str(), member.as_str(), now]).await.map(drop)
}

/// A session that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    pub id: &'a SessionId,
    pub secret_hash: &'a [u8; 32],
    pub expires: Millis,
    /// The code of the means it was begun with.
    pub means: &'a str,
    /// It began with a passkey, or a password and a one-time code.
    pub strong: bool,
    /// Until when it may set up the first means.
    pub setup_until: Option<Millis>,
}

/// # Errors
/// The database's.
pub async fn session_add(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    new: NewSession<'_>,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        member.as_str(),
        new.secret_hash.as_slice(),
        now,
        new.expires,
        new.means,
        new.strong.then_some(now),
        new.setup_until,
    ];
    tx.exec(&SESSION_ADD, params).await.map(drop)
}

/// A session that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    pub association: AssociationId,
    pub id: SessionId,
    pub member: MemberId,
    pub seen: Millis,
    /// The last strong proof; `None`: signed in by PIN.
    pub strong_at: Option<Millis>,
    pub setup_until: Option<Millis>,
}

/// A live session: not ended, not past its end, seen after `idle_since`.
///
/// # Errors
/// The database's.
pub async fn session_by_secret(
    conn: &mut Conn,
    secret_hash: &[u8; 32],
    now: Millis,
    idle_since: Millis,
) -> Result<Option<LiveSession>, StoreError> {
    let row = conn.one(&SESSION_BY_SECRET, values![secret_hash.as_slice(), now, idle_since]).await?;
    row.map(|r| {
        Ok(LiveSession {
            association: r.id("association_id", AssociationId::from_stored)?,
            id: r.id("session_id", SessionId::from_stored)?,
            member: r.id("member_id", MemberId::from_stored)?,
            seen: r.millis("seen_at_ms")?,
            strong_at: r.opt_millis("strong_at_ms")?,
            setup_until: r.opt_millis("setup_until_ms")?,
        })
    })
    .transpose()
}

/// A session as its owner sees it in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub id: SessionId,
    /// The code of the means it was begun with.
    pub means: String,
    pub created: Millis,
    pub seen: Millis,
    pub strong: bool,
}

/// The live sessions of a person, newest first.
///
/// # Errors
/// The database's.
pub async fn sessions_of_member(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
    idle_since: Millis,
) -> Result<Vec<SessionRow>, StoreError> {
    let params = values![association.as_str(), member.as_str(), now, idle_since];
    let rows = conn.all(&SESSIONS_OF_MEMBER, params).await?;
    rows.iter()
        .map(|r| {
            Ok(SessionRow {
                id: r.id("session_id", SessionId::from_stored)?,
                means: r.text("means")?,
                created: r.millis("created_at_ms")?,
                seen: r.millis("seen_at_ms")?,
                strong: r.opt_millis("strong_at_ms")?.is_some(),
            })
        })
        .collect()
}

/// Ends every session of a person but this one.
///
/// # Errors
/// The database's.
pub async fn sessions_end_others(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    keep: &SessionId,
    now: Millis,
) -> Result<u64, StoreError> {
    tx.exec(&SESSIONS_END_OTHERS, values![association.as_str(), member.as_str(), keep.as_str(), now]).await
}

/// Ends one session of a person. `false`: it was not theirs, or had ended.
///
/// # Errors
/// The database's.
pub async fn session_end_one(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    id: &SessionId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), id.as_str(), now];
    Ok(tx.exec(&SESSION_END_ONE, params).await? == 1)
}

/// Ends every session of a person; their known devices stay.
///
/// # Errors
/// The database's.
pub async fn sessions_end(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
) -> Result<u64, StoreError> {
    tx.exec(&SESSIONS_END, values![association.as_str(), member.as_str(), now]).await
}

/// Notes that the person of a strong session proved again. `false`: it ended, or was never strong.
///
/// # Errors
/// The database's.
pub async fn session_proved(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    id: &SessionId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), id.as_str(), now];
    Ok(tx.exec(&SESSION_PROVED, params).await? == 1)
}

/// # Errors
/// The database's.
pub async fn session_seen(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SessionId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&SESSION_SEEN, values![association.as_str(), id.as_str(), now]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn session_end(tx: &mut Conn, secret_hash: &[u8; 32], now: Millis) -> Result<(), StoreError> {
    tx.exec(&SESSION_END, values![secret_hash.as_slice(), now]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn api_key_add(
    tx: &mut Conn,
    association: &AssociationId,
    id: &ApiKeyId,
    label: &str,
    scopes: &str,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), id.as_str(), label, scopes, secret_hash.as_slice(), now];
    tx.exec(&API_KEY_ADD, params).await.map(drop)
}

/// The key with its scopes, separated by spaces.
///
/// # Errors
/// The database's.
pub async fn api_key_by_secret(
    conn: &mut Conn,
    secret_hash: &[u8; 32],
) -> Result<Option<(AssociationId, ApiKeyId, String)>, StoreError> {
    let row = conn.one(&API_KEY_BY_SECRET, values![secret_hash.as_slice()]).await?;
    row.map(|r| {
        Ok((
            r.id("association_id", AssociationId::from_stored)?,
            r.id("api_key_id", ApiKeyId::from_stored)?,
            r.text("scopes")?,
        ))
    })
    .transpose()
}

/// A key as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    pub id: ApiKeyId,
    pub label: String,
    /// Separated by spaces.
    pub scopes: String,
    pub created: Millis,
    pub revoked: Option<Millis>,
}

/// Keys of an association, the newest first.
///
/// # Errors
/// The database's.
pub async fn api_keys(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    let rows = conn.all(&API_KEYS, values![association.as_str(), limit]).await?;
    rows.iter()
        .map(|r| {
            Ok(ApiKeyRow {
                id: r.id("api_key_id", ApiKeyId::from_stored)?,
                label: r.text("label")?,
                scopes: r.text("scopes")?,
                created: r.millis("created_at_ms")?,
                revoked: r.opt_millis("revoked_at_ms")?,
            })
        })
        .collect()
}

/// Takes a key away. `false`: there is none, or it was.
///
/// # Errors
/// The database's.
pub async fn api_key_revoke(
    tx: &mut Conn,
    association: &AssociationId,
    id: &ApiKeyId,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&API_KEY_REVOKE, values![association.as_str(), id.as_str(), now]).await? == 1)
}

/// An answer given before under an Idempotency-Key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    pub fingerprint: Vec<u8>,
    pub status: i64,
    pub body: String,
}

/// Waits for another command of the same key, then reads what it answered.
///
/// # Errors
/// The database's.
pub async fn replay_lock(
    tx: &mut Conn,
    association: &AssociationId,
    actor: &str,
    key: &str,
) -> Result<Option<Replay>, StoreError> {
    tx.all(&REPLAY_LOCK, values![format!("{association} {actor} {key}")]).await?;
    replay_get(tx, association, actor, key).await
}

/// What a command of this key answered, if one has.
///
/// # Errors
/// The database's.
pub async fn replay_get(
    conn: &mut Conn,
    association: &AssociationId,
    actor: &str,
    key: &str,
) -> Result<Option<Replay>, StoreError> {
    let row = conn.one(&REPLAY_GET, values![association.as_str(), actor, key]).await?;
    row.map(|r| {
        Ok(Replay { fingerprint: r.bytes("fingerprint")?, status: r.int("status")?, body: r.text("body")? })
    })
    .transpose()
}

/// # Errors
/// The database's.
pub async fn replay_add(
    tx: &mut Conn,
    association: &AssociationId,
    actor: &str,
    key: &str,
    replay: &Replay,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        actor,
        key,
        replay.fingerprint.as_slice(),
        replay.status,
        replay.body.as_str(),
        now,
    ];
    tx.exec(&REPLAY_ADD, params).await.map(drop)
}

/// Housekeeping: replays older than `replays_before`, and access that ended before `access_before`.
///
/// # Errors
/// The database's.
pub async fn access_forget(
    tx: &mut Conn,
    replays_before: Millis,
    access_before: Millis,
) -> Result<u64, StoreError> {
    Ok(tx.exec(&REPLAYS_FORGET, values![replays_before]).await?
        + tx.exec(&SESSIONS_FORGET, values![access_before]).await?
        + tx.exec(&LINKS_FORGET, values![access_before]).await?
        + tx.exec(&DEVICES_FORGET, values![access_before]).await?)
}
