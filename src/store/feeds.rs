//! Links by which calendar programs read duties. What stands in a feed is `domain::rota::feed`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::rota::{Area, RotaRole};
use crate::ids::{AssociationId, CalendarFeedId, MemberId};
use crate::time::Millis;

statements! {
    FEED_ADD = "INSERT INTO calendar_feed (association_id, feed_id, member_id, area, role, token_hash, made_at_ms, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    // The token says which association it belongs to.
    FEED_BY_TOKEN = "SELECT association_id, feed_id, member_id, area, role, made_at_ms, revoked_at_ms FROM calendar_feed WHERE token_hash = $1";
    FEEDS_OF_MEMBER = "SELECT association_id, feed_id, member_id, area, role, made_at_ms, revoked_at_ms FROM calendar_feed WHERE association_id = $1 AND member_id = $2 AND revoked_at_ms IS NULL ORDER BY feed_id LIMIT 50";
    FEED_REVOKE = "UPDATE calendar_feed SET revoked_at_ms = $4, revoked_by = $5 WHERE association_id = $1 AND member_id = $2 AND feed_id = $3 AND revoked_at_ms IS NULL";
}

/// A link to a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRow {
    pub association: AssociationId,
    pub id: CalendarFeedId,
    /// Whose link it is.
    pub member: MemberId,
    /// The duty it shows; `None`: what the member holds.
    pub line: Option<(Area, RotaRole)>,
    pub made_at: Millis,
    pub revoked_at: Option<Millis>,
}

fn feed(row: &Row) -> Result<FeedRow, StoreError> {
    let id = row.id("feed_id", CalendarFeedId::from_stored)?;
    let corrupt = |what: &str| StoreError::corrupt("calendar_feed", &id, what.to_owned());
    let line = match (row.opt_text("area")?, row.opt_text("role")?) {
        (None, None) => None,
        (Some(area), Some(role)) => Some((
            area.parse().map_err(|_| corrupt("area"))?,
            RotaRole::from_code(&role).ok_or_else(|| corrupt("role"))?,
        )),
        _ => return Err(corrupt("area and role")),
    };
    Ok(FeedRow {
        association: row.id("association_id", AssociationId::from_stored)?,
        member: row.id("member_id", MemberId::from_stored)?,
        line,
        made_at: row.millis("made_at_ms")?,
        revoked_at: row.opt_millis("revoked_at_ms")?,
        id,
    })
}

/// Adds a link whose token has this hash.
///
/// # Errors
/// The database's.
pub async fn feed_add(
    tx: &mut Conn,
    new: &FeedRow,
    token_hash: &[u8; 32],
    made_by: &str,
) -> Result<(), StoreError> {
    let (area, role) = match &new.line {
        Some((area, role)) => (Some(area.to_string()), Some(role.code().to_owned())),
        None => (None, None),
    };
    let params = values![
        new.association.as_str(),
        new.id.as_str(),
        new.member.as_str(),
        area,
        role,
        token_hash.to_vec(),
        new.made_at,
        made_by,
    ];
    tx.exec(&FEED_ADD, params).await.map(drop)
}

/// The link of a token, also a revoked one.
///
/// # Errors
/// The database's.
pub async fn feed_by_token(conn: &mut Conn, token_hash: &[u8; 32]) -> Result<Option<FeedRow>, StoreError> {
    conn.one(&FEED_BY_TOKEN, values![token_hash.to_vec()]).await?.as_ref().map(feed).transpose()
}

/// The links of a member that still work, the oldest first.
///
/// # Errors
/// The database's.
pub async fn feeds_of_member(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Vec<FeedRow>, StoreError> {
    let rows = conn.all(&FEEDS_OF_MEMBER, values![association.as_str(), member.as_str()]).await?;
    rows.iter().map(feed).collect()
}

/// `false`: not theirs, or revoked before.
///
/// # Errors
/// The database's.
pub async fn feed_revoke(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    id: &CalendarFeedId,
    at: Millis,
    by: &str,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), id.as_str(), at, by];
    Ok(tx.exec(&FEED_REVOKE, params).await? == 1)
}
