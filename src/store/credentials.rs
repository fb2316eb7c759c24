//! Means of signing in of the office: passkeys, passwords with one-time codes, recovery codes, failed tries,
//! recoveries. Secrets stand here sealed or as hashes.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::people::Role;
use crate::ids::{AssociationId, LinkId, MemberId, PasskeyId, RecoveryId};
use crate::time::Millis;

statements! {
    PASSKEY_ADD = "INSERT INTO passkey (association_id, passkey_id, member_id, label, credential_hash, body, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    // A credential's own id says whose it is.
    PASSKEY_BY_CREDENTIAL = "SELECT association_id, passkey_id, member_id, label, body, created_at_ms, used_at_ms FROM passkey WHERE credential_hash = $1 AND revoked_at_ms IS NULL";
    PASSKEYS_OF_MEMBER = "SELECT association_id, passkey_id, member_id, label, body, created_at_ms, used_at_ms FROM passkey WHERE association_id = $1 AND member_id = $2 AND revoked_at_ms IS NULL ORDER BY passkey_id LIMIT 50";
    PASSKEY_USED = "UPDATE passkey SET body = $4, used_at_ms = $5 WHERE association_id = $1 AND passkey_id = $2 AND body = $3 AND revoked_at_ms IS NULL";
    PASSKEY_REVOKE = "UPDATE passkey SET revoked_at_ms = $4 WHERE association_id = $1 AND passkey_id = $2 AND member_id = $3 AND revoked_at_ms IS NULL";
    PASSKEYS_REVOKE = "UPDATE passkey SET revoked_at_ms = $3 WHERE association_id = $1 AND member_id = $2 AND revoked_at_ms IS NULL";
    PASSWORD_OF_MEMBER = "SELECT hash, totp, totp_step, pending, pending_at_ms, changed_at_ms FROM sign_in_password WHERE association_id = $1 AND member_id = $2";
    PASSWORD_PENDING = "INSERT INTO sign_in_password (association_id, member_id, totp_step, pending, pending_at_ms) VALUES ($1, $2, 0, $3, $4) ON CONFLICT (association_id, member_id) DO UPDATE SET pending = excluded.pending, pending_at_ms = excluded.pending_at_ms";
    PASSWORD_SET = "UPDATE sign_in_password SET hash = $3, changed_at_ms = $4 WHERE association_id = $1 AND member_id = $2";
    // The secret that waited becomes the one that counts; its first code is used up.
    TOTP_CONFIRM = "UPDATE sign_in_password SET totp = pending, totp_step = $4, pending = NULL, pending_at_ms = NULL WHERE association_id = $1 AND member_id = $2 AND pending = $3";
    // A code counts once: whoever writes its step first has used it.
    TOTP_TAKE = "UPDATE sign_in_password SET totp_step = $3 WHERE association_id = $1 AND member_id = $2 AND totp_step < $3 AND hash = $4";
    PASSWORD_REMOVE = "DELETE FROM sign_in_password WHERE association_id = $1 AND member_id = $2";
    MEANS_IN_ASSOCIATION = "SELECT (SELECT COUNT(*) FROM passkey WHERE association_id = $1 AND revoked_at_ms IS NULL) + (SELECT COUNT(*) FROM sign_in_password WHERE association_id = $1 AND hash IS NOT NULL) AS n";
    RECOVERY_CODES_CLEAR = "DELETE FROM recovery_code WHERE association_id = $1 AND member_id = $2";
    RECOVERY_CODE_ADD = "INSERT INTO recovery_code (association_id, member_id, number, hash) VALUES ($1, $2, $3, $4)";
    RECOVERY_CODES_LEFT = "SELECT COUNT(*) AS n FROM recovery_code WHERE association_id = $1 AND member_id = $2 AND used_at_ms IS NULL";
    RECOVERY_CODE_USE = "UPDATE recovery_code SET used_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND hash = $3 AND used_at_ms IS NULL";
    CHALLENGE_ADD = "INSERT INTO passkey_challenge (secret_hash, state, expires_at_ms) VALUES ($1, $2, $3)";
    CHALLENGE_TAKE = "DELETE FROM passkey_challenge WHERE secret_hash = $1 RETURNING state, expires_at_ms";
    CHALLENGES_FORGET = "DELETE FROM passkey_challenge WHERE expires_at_ms < $1";
    TRY_GET = "SELECT failures, known_failures, wait_until_ms FROM sign_in_try WHERE account = $1";
    TRY_PUT = "INSERT INTO sign_in_try (account, failures, known_failures, wait_until_ms, changed_at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account) DO UPDATE SET failures = excluded.failures, known_failures = excluded.known_failures, wait_until_ms = excluded.wait_until_ms, changed_at_ms = excluded.changed_at_ms";
    // Two tries of one account wait for each other; SQLite has one writer anyway.
    TRY_LOCK =
        "SELECT 1 AS locked WHERE $1 IS NOT NULL",
        "SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(hashtextextended($1, 8452773))) AS l";
    TRY_CLEAR = "DELETE FROM sign_in_try WHERE account = $1";
    // Whoever reached the ceiling stays there until recovery.
    TRIES_FORGET = "DELETE FROM sign_in_try WHERE changed_at_ms < $1 AND failures < $2 AND known_failures < $2";
    MEMBER_ROLES_SET = "UPDATE member SET roles = $4, revision = revision + 1 WHERE association_id = $1 AND member_id = $2 AND revision = $3 AND left_at_ms IS NULL";
    RECOVERY_ADD = "INSERT INTO recovery (association_id, recovery_id, member_id, asked_at_ms) VALUES ($1, $2, $3, $4)";
    RECOVERY_BY_ID = "SELECT recovery_id, member_id, asked_at_ms, vouched_by, vouched_at_ms, due_at_ms, stopped_at_ms, link_id FROM recovery WHERE association_id = $1 AND recovery_id = $2";
    RECOVERY_OPEN = "SELECT recovery_id, member_id, asked_at_ms, vouched_by, vouched_at_ms, due_at_ms, stopped_at_ms, link_id FROM recovery WHERE association_id = $1 AND member_id = $2 AND stopped_at_ms IS NULL AND link_id IS NULL";
    RECOVERY_BY_LINK = "SELECT recovery_id, member_id, asked_at_ms, vouched_by, vouched_at_ms, due_at_ms, stopped_at_ms, link_id FROM recovery WHERE association_id = $1 AND link_id = $2";
    RECOVERY_VOUCH = "UPDATE recovery SET vouched_by = $3, vouched_at_ms = $4, due_at_ms = $5 WHERE association_id = $1 AND recovery_id = $2 AND vouched_by IS NULL AND stopped_at_ms IS NULL AND link_id IS NULL";
    RECOVERY_STOP = "UPDATE recovery SET stopped_at_ms = $3 WHERE association_id = $1 AND recovery_id = $2 AND stopped_at_ms IS NULL";
    RECOVERY_LINKED = "UPDATE recovery SET link_id = $3 WHERE association_id = $1 AND recovery_id = $2 AND stopped_at_ms IS NULL AND link_id IS NULL";
    RECOVERY_NOTICE_ADD = "INSERT INTO recovery_notice (association_id, link_id, recovery_id) VALUES ($1, $2, $3)";
    // Who joined later was not there to be told.
    RECOVERIES_UNSEEN = "SELECT r.recovery_id, r.member_id, r.asked_at_ms, r.vouched_by, r.vouched_at_ms, r.due_at_ms, r.stopped_at_ms, r.link_id FROM recovery r WHERE r.association_id = $1 AND r.asked_at_ms >= $3 AND NOT EXISTS (SELECT 1 FROM recovery_seen s WHERE s.association_id = r.association_id AND s.recovery_id = r.recovery_id AND s.member_id = $2) ORDER BY r.recovery_id LIMIT 50";
    RECOVERY_SEEN_ADD = "INSERT INTO recovery_seen (association_id, recovery_id, member_id, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, recovery_id, member_id) DO NOTHING";
    RECOVERY_NOTICE_GET = "SELECT recovery_id FROM recovery_notice WHERE association_id = $1 AND link_id = $2";
    LINK_VOID_ONE = "UPDATE link SET voided_at_ms = $3 WHERE association_id = $1 AND link_id = $2 AND voided_at_ms IS NULL AND consumed_at_ms IS NULL";
    SETUP_LINKS_VOID = "UPDATE link SET voided_at_ms = $3 WHERE association_id = $1 AND member_id = $2 AND purpose IN ('office_setup', 'office_first') AND voided_at_ms IS NULL AND consumed_at_ms IS NULL";
}

/// A passkey as it is stored: the public part only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyRow {
    pub association: AssociationId,
    pub id: PasskeyId,
    pub member: MemberId,
    /// What its owner calls it.
    pub label: String,
    /// The credential with its public key and counter, as `seal::passkey` writes it.
    pub body: String,
    pub created: Millis,
    pub used: Option<Millis>,
}

fn passkey(row: &Row) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        association: row.id("association_id", AssociationId::from_stored)?,
        id: row.id("passkey_id", PasskeyId::from_stored)?,
        member: row.id("member_id", MemberId::from_stored)?,
        label: row.text("label")?,
        body: row.text("body")?,
        created: row.millis("created_at_ms")?,
        used: row.opt_millis("used_at_ms")?,
    })
}

/// # Errors
/// The database's; a credential that is registered already.
pub async fn passkey_add(
    tx: &mut Conn,
    new: &PasskeyRow,
    credential_hash: &[u8; 32],
) -> Result<(), StoreError> {
    let params = values![
        new.association.as_str(),
        new.id.as_str(),
        new.member.as_str(),
        new.label.as_str(),
        credential_hash.as_slice(),
        new.body.as_str(),
        new.created,
    ];
    tx.exec(&PASSKEY_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn passkey_by_credential(
    conn: &mut Conn,
    credential_hash: &[u8; 32],
) -> Result<Option<PasskeyRow>, StoreError> {
    let row = conn.one(&PASSKEY_BY_CREDENTIAL, values![credential_hash.as_slice()]).await?;
    row.as_ref().map(passkey).transpose()
}

/// The passkeys of a person, oldest first.
///
/// # Errors
/// The database's.
pub async fn passkeys_of_member(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Vec<PasskeyRow>, StoreError> {
    let rows = conn.all(&PASSKEYS_OF_MEMBER, values![association.as_str(), member.as_str()]).await?;
    rows.iter().map(passkey).collect()
}

/// Writes the counter of a passkey that was used. `false`: it was used or revoked meanwhile.
///
/// # Errors
/// The database's.
pub async fn passkey_used(
    tx: &mut Conn,
    before: &PasskeyRow,
    body: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![before.association.as_str(), before.id.as_str(), before.body.as_str(), body, now];
    Ok(tx.exec(&PASSKEY_USED, params).await? == 1)
}

/// `false`: no such passkey of this person.
///
/// # Errors
/// The database's.
pub async fn passkey_revoke(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    id: &PasskeyId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), member.as_str(), now];
    Ok(tx.exec(&PASSKEY_REVOKE, params).await? == 1)
}

/// A password with its one-time codes; also one that is being set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRow {
    /// `None`: it is being set up.
    pub hash: Option<String>,
    /// Sealed.
    pub totp: Option<Vec<u8>>,
    /// The last step (RFC 6238) whose code was used.
    pub totp_step: i64,
    /// A secret that waits for its first code. Sealed.
    pub pending: Option<Vec<u8>>,
    pub pending_at: Option<Millis>,
    pub changed: Option<Millis>,
}

impl PasswordRow {
    /// It can be signed in with.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.hash.is_some() && self.totp.is_some()
    }
}

/// # Errors
/// The database's.
pub async fn password_of_member(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Option<PasswordRow>, StoreError> {
    let row = conn.one(&PASSWORD_OF_MEMBER, values![association.as_str(), member.as_str()]).await?;
    row.map(|r| {
        Ok(PasswordRow {
            hash: r.opt_text("hash")?,
            totp: r.opt_bytes("totp")?,
            totp_step: r.int("totp_step")?,
            pending: r.opt_bytes("pending")?,
            pending_at: r.opt_millis("pending_at_ms")?,
            changed: r.opt_millis("changed_at_ms")?,
        })
    })
    .transpose()
}

/// Puts a new secret beside what there is; it counts once its first code was typed.
///
/// # Errors
/// The database's.
pub async fn password_pending(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    sealed: Vec<u8>,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), member.as_str(), sealed, now];
    tx.exec(&PASSWORD_PENDING, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn password_set(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    hash: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), hash, now];
    Ok(tx.exec(&PASSWORD_SET, params).await? == 1)
}

/// Makes the secret that waited the one that counts. `false`: another one waits meanwhile.
///
/// # Errors
/// The database's.
pub async fn totp_confirm(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    pending: &[u8],
    step: i64,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), pending, step];
    Ok(tx.exec(&TOTP_CONFIRM, params).await? == 1)
}

/// Uses up the code of a step, where the password is still the one with this hash. `false`: the code was
/// used before, or the password changed.
///
/// # Errors
/// The database's.
pub async fn totp_take(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    step: i64,
    hash: &str,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), step, hash];
    Ok(tx.exec(&TOTP_TAKE, params).await? == 1)
}

/// # Errors
/// The database's.
pub async fn password_remove(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&PASSWORD_REMOVE, values![association.as_str(), member.as_str()]).await? == 1)
}

/// How many means of signing in there are in the association.
///
/// # Errors
/// The database's.
pub async fn means_in_association(conn: &mut Conn, association: &AssociationId) -> Result<i64, StoreError> {
    let row = conn.one(&MEANS_IN_ASSOCIATION, values![association.as_str()]).await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// Takes every means of signing in from a person: passkeys, password, recovery codes, links not yet used.
///
/// # Errors
/// The database's.
pub async fn means_clear(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    let whose = values![association.as_str(), member.as_str()];
    tx.exec(&PASSKEYS_REVOKE, values![association.as_str(), member.as_str(), now]).await?;
    tx.exec(&PASSWORD_REMOVE, whose).await?;
    tx.exec(&RECOVERY_CODES_CLEAR, whose).await?;
    setup_links_void(tx, association, member, now).await
}

/// Voids the links by which a person could set up means.
///
/// # Errors
/// The database's.
pub async fn setup_links_void(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&SETUP_LINKS_VOID, values![association.as_str(), member.as_str(), now]).await.map(drop)
}

/// Replaces the recovery codes of a person.
///
/// # Errors
/// The database's.
pub async fn recovery_codes_put(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    hashes: &[[u8; 32]],
) -> Result<(), StoreError> {
    tx.exec(&RECOVERY_CODES_CLEAR, values![association.as_str(), member.as_str()]).await?;
    for (number, hash) in (1i64..).zip(hashes) {
        let params = values![association.as_str(), member.as_str(), number, hash.as_slice()];
        tx.exec(&RECOVERY_CODE_ADD, params).await?;
    }
    Ok(())
}

/// # Errors
/// The database's.
pub async fn recovery_codes_left(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<i64, StoreError> {
    let row = conn.one(&RECOVERY_CODES_LEFT, values![association.as_str(), member.as_str()]).await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// Uses up a recovery code that may stand under one of these hashes. `false`: there is none.
///
/// # Errors
/// The database's.
pub async fn recovery_code_use(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    hashes: &[[u8; 32]],
    now: Millis,
) -> Result<bool, StoreError> {
    for hash in hashes {
        let params = values![association.as_str(), member.as_str(), hash.as_slice(), now];
        if tx.exec(&RECOVERY_CODE_USE, params).await? == 1 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// # Errors
/// The database's.
pub async fn challenge_add(
    tx: &mut Conn,
    secret_hash: &[u8; 32],
    state: &str,
    expires: Millis,
) -> Result<(), StoreError> {
    tx.exec(&CHALLENGE_ADD, values![secret_hash.as_slice(), state, expires]).await.map(drop)
}

/// What a challenge was about; it is gone afterwards. `None`: there is none, or it is too old.
///
/// # Errors
/// The database's.
pub async fn challenge_take(
    tx: &mut Conn,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<Option<String>, StoreError> {
    let Some(row) = tx.one(&CHALLENGE_TAKE, values![secret_hash.as_slice()]).await? else {
        return Ok(None);
    };
    let lives = now < row.millis("expires_at_ms")?;
    Ok(if lives { Some(row.text("state")?) } else { None })
}

/// Failed tries on one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// In a row, from devices that are not known.
    pub failures: i64,
    /// In a row, from a known device.
    pub known_failures: i64,
    /// Devices that are not known wait until then.
    pub wait_until: Millis,
}

/// The failed tries of an account; whoever asks next waits until this command has ended.
///
/// # Errors
/// The database's.
pub async fn tries_locked(tx: &mut Conn, account: &[u8; 32]) -> Result<Tries, StoreError> {
    let name: String = account.iter().map(|b| format!("{b:02x}")).collect();
    tx.all(&TRY_LOCK, values![name]).await?;
    let row = tx.one(&TRY_GET, values![account.as_slice()]).await?;
    row.map_or(Ok(Tries::default()), |r| {
        Ok(Tries {
            failures: r.int("failures")?,
            known_failures: r.int("known_failures")?,
            wait_until: r.millis("wait_until_ms")?,
        })
    })
}

/// # Errors
/// The database's.
pub async fn tries_put(
    tx: &mut Conn,
    account: &[u8; 32],
    tries: Tries,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![account.as_slice(), tries.failures, tries.known_failures, tries.wait_until, now];
    tx.exec(&TRY_PUT, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn tries_clear(tx: &mut Conn, account: &[u8; 32]) -> Result<(), StoreError> {
    tx.exec(&TRY_CLEAR, values![account.as_slice()]).await.map(drop)
}

/// Housekeeping: challenges that are over, and tries older than `before` below the `ceiling`.
///
/// # Errors
/// The database's.
pub async fn credentials_forget(
    tx: &mut Conn,
    now: Millis,
    before: Millis,
    ceiling: i64,
) -> Result<u64, StoreError> {
    Ok(tx.exec(&CHALLENGES_FORGET, values![now]).await?
        + tx.exec(&TRIES_FORGET, values![before, ceiling]).await?)
}

/// Sets the roles of a member who stands at `revision`. `false`: they changed meanwhile, or left.
///
/// # Errors
/// The database's.
pub async fn member_roles_set(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    revision: i64,
    roles: &[Role],
) -> Result<bool, StoreError> {
    let roles = super::people::roles_text(roles);
    let params = values![association.as_str(), member.as_str(), revision, roles];
    Ok(tx.exec(&MEMBER_ROLES_SET, params).await? == 1)
}

/// Somebody who lost every means, on the way to new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    pub id: RecoveryId,
    pub member: MemberId,
    pub asked: Millis,
    /// The colleague who confirmed who it is.
    pub vouched_by: Option<MemberId>,
    pub vouched: Option<Millis>,
    /// When the link goes out.
    pub due: Option<Millis>,
    pub stopped: Option<Millis>,
    /// The link that went out.
    pub link: Option<LinkId>,
}

fn recovery(row: &Row) -> Result<Recovery, StoreError> {
    Ok(Recovery {
        id: row.id("recovery_id", RecoveryId::from_stored)?,
        member: row.id("member_id", MemberId::from_stored)?,
        asked: row.millis("asked_at_ms")?,
        vouched_by: row.opt_id("vouched_by", MemberId::from_stored)?,
        vouched: row.opt_millis("vouched_at_ms")?,
        due: row.opt_millis("due_at_ms")?,
        stopped: row.opt_millis("stopped_at_ms")?,
        link: row.opt_id("link_id", LinkId::from_stored)?,
    })
}

/// # Errors
/// The database's; one that waits already.
pub async fn recovery_add(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RecoveryId,
    member: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&RECOVERY_ADD, values![association.as_str(), id.as_str(), member.as_str(), now]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn recovery_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &RecoveryId,
) -> Result<Option<Recovery>, StoreError> {
    let row = conn.one(&RECOVERY_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(recovery).transpose()
}

/// The recovery of a person that still waits.
///
/// # Errors
/// The database's.
pub async fn recovery_open(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Option<Recovery>, StoreError> {
    let row = conn.one(&RECOVERY_OPEN, values![association.as_str(), member.as_str()]).await?;
    row.as_ref().map(recovery).transpose()
}

/// The recovery that this link ended.
///
/// # Errors
/// The database's.
pub async fn recovery_by_link(
    conn: &mut Conn,
    association: &AssociationId,
    link: &LinkId,
) -> Result<Option<Recovery>, StoreError> {
    let row = conn.one(&RECOVERY_BY_LINK, values![association.as_str(), link.as_str()]).await?;
    row.as_ref().map(recovery).transpose()
}

/// Writes who vouched. `false`: somebody did, or it is over.
///
/// # Errors
/// The database's.
pub async fn recovery_vouch(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RecoveryId,
    by: &MemberId,
    now: Millis,
    due: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), by.as_str(), now, due];
    Ok(tx.exec(&RECOVERY_VOUCH, params).await? == 1)
}

/// Stops a recovery, also one whose link has gone out. `false`: it was stopped before.
///
/// # Errors
/// The database's.
pub async fn recovery_stop(
    tx: &mut Conn,
    association: &AssociationId,
    recovery: &Recovery,
    now: Millis,
) -> Result<bool, StoreError> {
    let stopped = tx.exec(&RECOVERY_STOP, values![association.as_str(), recovery.id.as_str(), now]).await?;
    if let Some(link) = &recovery.link {
        tx.exec(&LINK_VOID_ONE, values![association.as_str(), link.as_str(), now]).await?;
    }
    Ok(stopped == 1)
}

/// Notes the link that went out. `false`: it is over.
///
/// # Errors
/// The database's.
pub async fn recovery_linked(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RecoveryId,
    link: &LinkId,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), link.as_str()];
    Ok(tx.exec(&RECOVERY_LINKED, params).await? == 1)
}

/// Notes a link by which this recovery can be stopped.
///
/// # Errors
/// The database's.
pub async fn recovery_notice_add(
    tx: &mut Conn,
    association: &AssociationId,
    link: &LinkId,
    recovery: &RecoveryId,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), link.as_str(), recovery.as_str()];
    tx.exec(&RECOVERY_NOTICE_ADD, params).await.map(drop)
}

/// The recovery that a link can stop.
///
/// # Errors
/// The database's.
pub async fn recovery_of_notice(
    conn: &mut Conn,
    association: &AssociationId,
    link: &LinkId,
) -> Result<Option<Recovery>, StoreError> {
    let Some(row) = conn.one(&RECOVERY_NOTICE_GET, values![association.as_str(), link.as_str()]).await?
    else {
        return Ok(None);
    };
    let id = row.id("recovery_id", RecoveryId::from_stored)?;
    recovery_by_id(conn, association, &id).await
}

/// The recoveries since `since` that this person has not said to have seen, at most fifty.
///
/// # Errors
/// The database's.
pub async fn recoveries_unseen(
    conn: &mut Conn,
    association: &AssociationId,
    by: &MemberId,
    since: Millis,
) -> Result<Vec<Recovery>, StoreError> {
    let rows = conn.all(&RECOVERIES_UNSEEN, values![association.as_str(), by.as_str(), since]).await?;
    rows.iter().map(recovery).collect()
}

/// Notes that somebody has seen it. `false`: they had.
///
/// # Errors
/// The database's.
pub async fn recovery_seen_add(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RecoveryId,
    by: &MemberId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), by.as_str(), now];
    Ok(tx.exec(&RECOVERY_SEEN_ADD, params).await? == 1)
}
