//! Collections of wishes: rounds, the sheets people wrote, and who was asked when.

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::statements;
use crate::domain::calendar::CivilDate;
use crate::domain::rota::{WishSheet, WishSource};
use crate::ids::{AssociationId, LinkId, MemberId, WishRoundId};
use crate::time::Millis;

statements! {
    WISH_ROUND_ADD = "INSERT INTO wish_round (association_id, round_id, first_day, last_day, opened_at_ms, deadline_ms, opened_by) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    WISH_ROUNDS = "SELECT round_id, first_day, last_day, opened_at_ms, deadline_ms, opened_by, closed_at_ms FROM wish_round WHERE association_id = $1 ORDER BY round_id DESC LIMIT $2";
    WISH_ROUND_BY_ID = "SELECT round_id, first_day, last_day, opened_at_ms, deadline_ms, opened_by, closed_at_ms FROM wish_round WHERE association_id = $1 AND round_id = $2";
    WISH_ROUND_DEADLINE = "UPDATE wish_round SET deadline_ms = $3, closed_at_ms = $4 WHERE association_id = $1 AND round_id = $2";
    WISH_SHEET_ADD = "INSERT INTO wish_sheet (association_id, round_id, member_id, version, body, source, recorded_at_ms, recorded_by) SELECT $1, $2, $3, COALESCE(MAX(version), 0) + 1, $4, $5, $6, $7 FROM wish_sheet WHERE association_id = $1 AND round_id = $2 AND member_id = $3 RETURNING version";
    // The newest sheet of each person.
    WISH_SHEETS = "SELECT w.member_id, w.version, w.body, w.source, w.recorded_at_ms, w.recorded_by FROM wish_sheet w WHERE w.association_id = $1 AND w.round_id = $2 AND w.version = (SELECT MAX(v.version) FROM wish_sheet v WHERE v.association_id = w.association_id AND v.round_id = w.round_id AND v.member_id = w.member_id) ORDER BY w.member_id";
    WISH_ASK_ADD = "INSERT INTO wish_ask (association_id, round_id, member_id, what, link_id, asked_at_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (association_id, round_id, member_id, what) DO NOTHING";
    WISH_ASKS = "SELECT member_id, MAX(asked_at_ms) AS asked_at_ms, COUNT(*) AS times FROM wish_ask WHERE association_id = $1 AND round_id = $2 GROUP BY member_id ORDER BY member_id";
    WISH_ASK_BY_LINK = "SELECT round_id FROM wish_ask WHERE association_id = $1 AND link_id = $2";
}

/// A collection of wishes for a period (希望の募集).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishRound {
    pub id: WishRoundId,
    pub first: CivilDate,
    /// Included.
    pub last: CivilDate,
    pub opened_at: Millis,
    /// Until when people answer; the office may enter sheets later too.
    pub deadline: Millis,
    pub opened_by: String,
    pub closed_at: Option<Millis>,
}

impl WishRound {
    /// Whether people may still answer.
    #[must_use]
    pub fn is_open(&self, now: Millis) -> bool {
        self.closed_at.is_none() && now < self.deadline
    }
}

fn round(row: &Row) -> Result<WishRound, StoreError> {
    let day = |column| {
        let text = row.text(column)?;
        text.parse().map_err(|e| StoreError::corrupt("wish_round", &text, e))
    };
    Ok(WishRound {
        id: row.id("round_id", WishRoundId::from_stored)?,
        first: day("first_day")?,
        last: day("last_day")?,
        opened_at: row.millis("opened_at_ms")?,
        deadline: row.millis("deadline_ms")?,
        opened_by: row.text("opened_by")?,
        closed_at: row.opt_millis("closed_at_ms")?,
    })
}

/// Opens a collection.
///
/// # Errors
/// The database's.
pub async fn wish_round_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &WishRound,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.first.to_string(),
        new.last.to_string(),
        new.opened_at,
        new.deadline,
        new.opened_by.as_str(),
    ];
    tx.exec(&WISH_ROUND_ADD, params).await.map(drop)
}

/// The last collections, newest first.
///
/// # Errors
/// The database's.
pub async fn wish_rounds(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<WishRound>, StoreError> {
    conn.all(&WISH_ROUNDS, values![association.as_str(), limit]).await?.iter().map(round).collect()
}

/// A collection.
///
/// # Errors
/// The database's.
pub async fn wish_round_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &WishRoundId,
) -> Result<Option<WishRound>, StoreError> {
    let row = conn.one(&WISH_ROUND_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(round).transpose()
}

/// Moves the deadline, closes or opens again. `false`: there is no such collection.
///
/// # Errors
/// The database's.
pub async fn wish_round_deadline(
    tx: &mut Conn,
    association: &AssociationId,
    id: &WishRoundId,
    deadline: Millis,
    closed_at: Option<Millis>,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&WISH_ROUND_DEADLINE, values![association.as_str(), id.as_str(), deadline, closed_at]).await?
        == 1)
}

/// A person's sheet as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishSheetRow {
    pub member: MemberId,
    /// From 1; grows with each sheet of this person in this collection.
    pub version: i64,
    pub sheet: WishSheet,
    pub source: WishSource,
    pub recorded_at: Millis,
    /// `member:…`, `key:…`, `cli`.
    pub recorded_by: String,
}

/// Adds a sheet; its version.
///
/// # Errors
/// A person that the association does not have; the database's.
pub async fn wish_sheet_add(
    tx: &mut Conn,
    association: &AssociationId,
    round: &WishRoundId,
    (member, sheet): (&MemberId, &WishSheet),
    source: WishSource,
    (now, by): (Millis, &str),
) -> Result<i64, StoreError> {
    let body = serde_json::to_string(sheet).map_err(|e| StoreError::corrupt("wish_sheet", member, e))?;
    let params = values![association.as_str(), round.as_str(), member.as_str(), body, source.code(), now, by];
    let row = tx.one(&WISH_SHEET_ADD, params).await?;
    row.ok_or_else(|| StoreError::Unusable("a sheet was not written".to_owned()))?.int("version")
}

/// The newest sheet of everybody who answered.
///
/// # Errors
/// The database's.
pub async fn wish_sheets(
    conn: &mut Conn,
    association: &AssociationId,
    id: &WishRoundId,
) -> Result<Vec<WishSheetRow>, StoreError> {
    let rows = conn.all(&WISH_SHEETS, values![association.as_str(), id.as_str()]).await?;
    let sheet = |row: &Row| {
        let source = row.text("source")?;
        Ok(WishSheetRow {
            member: row.id("member_id", MemberId::from_stored)?,
            version: row.int("version")?,
            sheet: row.json("body")?,
            source: WishSource::from_code(&source)
                .ok_or_else(|| StoreError::corrupt("wish_sheet", &source, "no source of wishes"))?,
            recorded_at: row.millis("recorded_at_ms")?,
            recorded_by: row.text("recorded_by")?,
        })
    };
    rows.iter().map(sheet).collect()
}

/// Notes that somebody is asked. `false`: they were asked this before.
///
/// # Errors
/// The database's.
pub async fn wish_ask_add(
    tx: &mut Conn,
    association: &AssociationId,
    round: &WishRoundId,
    (member, what): (&MemberId, &str),
    link: &LinkId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), round.as_str(), member.as_str(), what, link.as_str(), now];
    Ok(tx.exec(&WISH_ASK_ADD, params).await? == 1)
}

/// When each person was last asked, and how often.
///
/// # Errors
/// The database's.
pub async fn wish_asks(
    conn: &mut Conn,
    association: &AssociationId,
    id: &WishRoundId,
) -> Result<Vec<(MemberId, Millis, i64)>, StoreError> {
    let rows = conn.all(&WISH_ASKS, values![association.as_str(), id.as_str()]).await?;
    rows.iter()
        .map(|row| {
            let member = row.id("member_id", MemberId::from_stored)?;
            Ok((member, row.millis("asked_at_ms")?, row.int("times")?))
        })
        .collect()
}

/// The collection about which a link asks.
///
/// # Errors
/// The database's.
pub async fn wish_round_of_link(
    conn: &mut Conn,
    association: &AssociationId,
    link: &LinkId,
) -> Result<Option<WishRoundId>, StoreError> {
    let row = conn.one(&WISH_ASK_BY_LINK, values![association.as_str(), link.as_str()]).await?;
    row.map(|row| row.id("round_id", WishRoundId::from_stored)).transpose()
}
