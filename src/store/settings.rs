//! Settings of an association, the rules of its people and who has read them, the counts for totals, and the
//! set-up before there is an association. What they mean is `app::settings` and `app::setup`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::ids::{AssociationId, MemberId};
use crate::time::Millis;

statements! {
    SETTING_GET = "SELECT body FROM setting WHERE association_id = $1 AND name = $2";
    SETTING_PUT = "INSERT INTO setting (association_id, name, body, changed_at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, name) DO UPDATE SET body = excluded.body, changed_at_ms = excluded.changed_at_ms";
    SETUP_LINK_ADD = "INSERT INTO setup_link (token_hash, created_at_ms, expires_at_ms) VALUES ($1, $2, $3)";
    SETUP_LINK_GET = "SELECT expires_at_ms, used_at_ms FROM setup_link WHERE token_hash = $1";
    // All of them: the locks on these rows make two that finish at the same time wait for each other.
    SETUP_LINKS_USE = "UPDATE setup_link SET used_at_ms = $1 WHERE used_at_ms IS NULL";
    SETUP_DRAFT_GET = "SELECT value FROM installation WHERE name = 'setup_draft'";
    SETUP_DRAFT_PUT = "INSERT INTO installation (name, value) VALUES ('setup_draft', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    SETUP_DRAFT_FORGET = "DELETE FROM installation WHERE name = 'setup_draft'";
    RULES_ADD = "INSERT INTO rules_text (association_id, version, body_ja, body_en, published_at_ms, published_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (association_id, version) DO NOTHING";
    RULES_NEWEST = "SELECT version, body_ja, body_en, published_at_ms, published_by FROM rules_text WHERE association_id = $1 ORDER BY version DESC LIMIT 1";
    RULES_BY_VERSION = "SELECT version, body_ja, body_en, published_at_ms, published_by FROM rules_text WHERE association_id = $1 AND version = $2";
    RULES_VERSIONS = "SELECT version, body_ja, body_en, published_at_ms, published_by FROM rules_text WHERE association_id = $1 ORDER BY version DESC LIMIT $2";
    RULES_SEEN_ADD = "INSERT INTO rules_seen (association_id, member_id, version, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, member_id, version) DO NOTHING";
    RULES_SEEN_BY = "SELECT version, at_ms FROM rules_seen WHERE association_id = $1 AND member_id = $2 ORDER BY version DESC LIMIT 1";
    RULES_SEEN_ALL = "SELECT member_id, MAX(version) AS version, MAX(at_ms) AS at_ms FROM rules_seen WHERE association_id = $1 GROUP BY member_id ORDER BY member_id";
    REQUESTS_COUNTED = "SELECT r.request_id, r.created_at_ms, r.state, r.facts, i.kind FROM request r JOIN institution i ON i.association_id = r.association_id AND i.institution_id = r.institution_id WHERE r.association_id = $1 AND r.kind = 'consult' AND r.created_at_ms >= $2 AND r.created_at_ms < $3 AND r.request_id > $4 ORDER BY r.request_id LIMIT $5";
}

/// A setting of the association as it was written.
///
/// # Errors
/// The database's.
pub async fn setting_get(
    conn: &mut Conn,
    association: &AssociationId,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let row = conn.one(&SETTING_GET, values![association.as_str(), name]).await?;
    row.map(|r| r.text("body")).transpose()
}

/// # Errors
/// The database's.
pub async fn setting_put(
    tx: &mut Conn,
    association: &AssociationId,
    name: &str,
    body: &str,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&SETTING_PUT, values![association.as_str(), name, body, now]).await.map(drop)
}

/// A link to the set-up of an installation without an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupLink {
    pub expires: Millis,
    pub used: Option<Millis>,
}

/// # Errors
/// The database's.
pub async fn setup_link_add(
    tx: &mut Conn,
    token_hash: &[u8; 32],
    now: Millis,
    expires: Millis,
) -> Result<(), StoreError> {
    tx.exec(&SETUP_LINK_ADD, values![token_hash.to_vec(), now, expires]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn setup_link_by_token(
    conn: &mut Conn,
    token_hash: &[u8; 32],
) -> Result<Option<SetupLink>, StoreError> {
    let row = conn.one(&SETUP_LINK_GET, values![token_hash.to_vec()]).await?;
    row.map(|r| Ok(SetupLink { expires: r.millis("expires_at_ms")?, used: r.opt_millis("used_at_ms")? }))
        .transpose()
}

/// Uses up every link; how many there were.
///
/// # Errors
/// The database's.
pub async fn setup_links_use(tx: &mut Conn, now: Millis) -> Result<u64, StoreError> {
    tx.exec(&SETUP_LINKS_USE, values![now]).await
}

/// What was answered so far, as JSON.
///
/// # Errors
/// The database's.
pub async fn setup_draft(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    conn.one(&SETUP_DRAFT_GET, &[]).await?.map(|r| r.text("value")).transpose()
}

/// # Errors
/// The database's.
pub async fn setup_draft_put(tx: &mut Conn, draft: &str) -> Result<(), StoreError> {
    tx.exec(&SETUP_DRAFT_PUT, values![draft]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn setup_draft_forget(tx: &mut Conn) -> Result<(), StoreError> {
    tx.exec(&SETUP_DRAFT_FORGET, &[]).await.map(drop)
}

/// A version of the association's rules (エチケットブック).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesText {
    pub version: i64,
    pub body_ja: String,
    /// Empty: there is only the Japanese text.
    pub body_en: String,
    pub published: Millis,
    /// `member:…`, or `built-in`.
    pub published_by: String,
}

fn rules(row: &Row) -> Result<RulesText, StoreError> {
    Ok(RulesText {
        version: row.int("version")?,
        body_ja: row.text("body_ja")?,
        body_en: row.text("body_en")?,
        published: row.millis("published_at_ms")?,
        published_by: row.text("published_by")?,
    })
}

/// `false`: this version is there already.
///
/// # Errors
/// The database's.
pub async fn rules_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &RulesText,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        new.version,
        new.body_ja.as_str(),
        new.body_en.as_str(),
        new.published,
        new.published_by.as_str(),
    ];
    Ok(tx.exec(&RULES_ADD, params).await? == 1)
}

/// # Errors
/// The database's.
pub async fn rules_newest(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Option<RulesText>, StoreError> {
    conn.one(&RULES_NEWEST, values![association.as_str()]).await?.as_ref().map(rules).transpose()
}

/// # Errors
/// The database's.
pub async fn rules_by_version(
    conn: &mut Conn,
    association: &AssociationId,
    version: i64,
) -> Result<Option<RulesText>, StoreError> {
    let row = conn.one(&RULES_BY_VERSION, values![association.as_str(), version]).await?;
    row.as_ref().map(rules).transpose()
}

/// The newest first, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn rules_versions(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<RulesText>, StoreError> {
    conn.all(&RULES_VERSIONS, values![association.as_str(), limit]).await?.iter().map(rules).collect()
}

/// `false`: they had said so before.
///
/// # Errors
/// The database's.
pub async fn rules_seen_add(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    version: i64,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), version, now];
    Ok(tx.exec(&RULES_SEEN_ADD, params).await? == 1)
}

/// The newest version this member has acknowledged, and when.
///
/// # Errors
/// The database's.
pub async fn rules_seen_by(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Option<(i64, Millis)>, StoreError> {
    let row = conn.one(&RULES_SEEN_BY, values![association.as_str(), member.as_str()]).await?;
    row.map(|r| Ok((r.int("version")?, r.millis("at_ms")?))).transpose()
}

/// The newest version each member has acknowledged, and when they did so last.
///
/// # Errors
/// The database's.
pub async fn rules_seen_all(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<(MemberId, i64, Millis)>, StoreError> {
    let rows = conn.all(&RULES_SEEN_ALL, values![association.as_str()]).await?;
    rows.iter()
        .map(|r| Ok((r.id("member_id", MemberId::from_stored)?, r.int("version")?, r.millis("at_ms")?)))
        .collect()
}

/// What of a request is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedRequest {
    /// For the next page of rows.
    pub id: String,
    pub created: Millis,
    pub state: String,
    /// The facts as JSON.
    pub facts: String,
    pub institution_kind: String,
}

/// The requests made in `[from, to)`, in the order of ids after `after`, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn requests_counted(
    conn: &mut Conn,
    association: &AssociationId,
    (from, to): (Millis, Millis),
    after: &str,
    limit: i64,
) -> Result<Vec<CountedRequest>, StoreError> {
    let rows = conn.all(&REQUESTS_COUNTED, values![association.as_str(), from, to, after, limit]).await?;
    rows.iter()
        .map(|r| {
            Ok(CountedRequest {
                id: r.text("request_id")?,
                created: r.millis("created_at_ms")?,
                state: r.text("state")?,
                facts: r.text("facts")?,
                institution_kind: r.text("kind")?,
            })
        })
        .collect()
}
