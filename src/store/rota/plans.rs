//! What a rota is made by: slot books, settings, what people want to be reminded of, drawn lots, what was
//! carried over. Each version stays.

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::statements;
use crate::domain::rota::{Draw, Points, Reminders, RotaSettings};
use crate::ids::{AssociationId, DrawId, MemberId};
use crate::time::Millis;

statements! {
    SLOT_BOOKS = "SELECT version, body, recorded_at_ms, made_by FROM rota_slot_book WHERE association_id = $1 ORDER BY version";
    SLOT_BOOK_ADD = "INSERT INTO rota_slot_book (association_id, version, body, recorded_at_ms, made_by) SELECT $1, COALESCE(MAX(version), 0) + 1, $2, $3, $4 FROM rota_slot_book WHERE association_id = $1 RETURNING version";
    SETTING_ADD = "INSERT INTO rota_setting (association_id, version, body, recorded_at_ms, made_by) SELECT $1, COALESCE(MAX(version), 0) + 1, $2, $3, $4 FROM rota_setting WHERE association_id = $1 RETURNING version";
    SETTING_NEWEST = "SELECT version, body, recorded_at_ms, made_by FROM rota_setting WHERE association_id = $1 ORDER BY version DESC LIMIT 1";
    REMINDER_SET = "INSERT INTO rota_reminder (association_id, member_id, body, changed_at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, member_id) DO UPDATE SET body = excluded.body, changed_at_ms = excluded.changed_at_ms";
    REMINDER_CLEAR = "DELETE FROM rota_reminder WHERE association_id = $1 AND member_id = $2";
    REMINDERS = "SELECT member_id, body FROM rota_reminder WHERE association_id = $1 ORDER BY member_id";
    DRAW_ADD = "INSERT INTO rota_draw (association_id, draw_id, fiscal_year, body, drawn_at_ms, drawn_by) VALUES ($1, $2, $3, $4, $5, $6)";
    DRAWS = "SELECT draw_id, fiscal_year, body, drawn_at_ms, drawn_by FROM rota_draw WHERE association_id = $1 ORDER BY draw_id DESC LIMIT $2";
    DRAW_BY_ID = "SELECT draw_id, fiscal_year, body, drawn_at_ms, drawn_by FROM rota_draw WHERE association_id = $1 AND draw_id = $2";
    CARRY_ADD = "INSERT INTO rota_carry (association_id, fiscal_year, member_id, points, recorded_at_ms) VALUES ($1, $2, $3, $4, $5)";
    CARRIED = "SELECT member_id, points FROM rota_carry WHERE association_id = $1 AND fiscal_year = $2 ORDER BY member_id";
}

/// A version of the slot patterns and required hours, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotBookText {
    pub version: i64,
    pub body: String,
    pub recorded_at: Millis,
    pub made_by: String,
}

/// Every version, the first one first.
///
/// # Errors
/// The database's.
pub async fn slot_books(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<SlotBookText>, StoreError> {
    let text = |row: &Row| {
        Ok(SlotBookText {
            version: row.int("version")?,
            body: row.text("body")?,
            recorded_at: row.millis("recorded_at_ms")?,
            made_by: row.text("made_by")?,
        })
    };
    conn.all(&SLOT_BOOKS, values![association.as_str()]).await?.iter().map(text).collect()
}

fn number(row: Option<&Row>) -> Result<i64, StoreError> {
    row.ok_or_else(|| StoreError::Unusable("a row was not written".to_owned()))?.int("version")
}

/// Adds a version of the slot patterns; its number.
///
/// # Errors
/// The database's.
pub async fn slot_book_add(
    tx: &mut Conn,
    association: &AssociationId,
    body: &str,
    recorded_at: Millis,
    by: &str,
) -> Result<i64, StoreError> {
    number(tx.one(&SLOT_BOOK_ADD, values![association.as_str(), body, recorded_at, by]).await?.as_ref())
}

/// Adds a version of the settings; its number.
///
/// # Errors
/// The database's.
pub async fn rota_settings_add(
    tx: &mut Conn,
    association: &AssociationId,
    settings: &RotaSettings,
    now: Millis,
    by: &str,
) -> Result<i64, StoreError> {
    let body =
        serde_json::to_string(settings).map_err(|e| StoreError::corrupt("rota_setting", association, e))?;
    number(tx.one(&SETTING_ADD, values![association.as_str(), body, now, by]).await?.as_ref())
}

/// The settings in force and their version; 0 and the defaults when nothing was ever set.
///
/// # Errors
/// The database's.
pub async fn rota_settings(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<(i64, RotaSettings), StoreError> {
    match conn.one(&SETTING_NEWEST, values![association.as_str()]).await? {
        Some(row) => Ok((row.int("version")?, row.json("body")?)),
        None => Ok((0, RotaSettings::default())),
    }
}

/// What somebody wants to be reminded of; `None` = as the association does.
///
/// # Errors
/// The database's.
pub async fn reminder_set(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    reminders: Option<&Reminders>,
    now: Millis,
) -> Result<(), StoreError> {
    match reminders {
        Some(reminders) => {
            let body = serde_json::to_string(reminders)
                .map_err(|e| StoreError::corrupt("rota_reminder", member, e))?;
            tx.exec(&REMINDER_SET, values![association.as_str(), member.as_str(), body, now]).await
        }
        None => tx.exec(&REMINDER_CLEAR, values![association.as_str(), member.as_str()]).await,
    }
    .map(drop)
}

/// Who wants to be reminded otherwise than the association does.
///
/// # Errors
/// The database's.
pub async fn reminders(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<(MemberId, Reminders)>, StoreError> {
    let rows = conn.all(&REMINDERS, values![association.as_str()]).await?;
    rows.iter().map(|row| Ok((row.id("member_id", MemberId::from_stored)?, row.json("body")?))).collect()
}

/// Lots as they were drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawRow {
    pub id: DrawId,
    /// The year in which the fiscal year begins.
    pub fiscal_year: i32,
    pub draw: Draw,
    pub drawn_at: Millis,
    pub drawn_by: String,
}

fn draw_row(row: &Row) -> Result<DrawRow, StoreError> {
    Ok(DrawRow {
        id: row.id("draw_id", DrawId::from_stored)?,
        fiscal_year: i32::try_from(row.int("fiscal_year")?).unwrap_or_default(),
        draw: row.json("body")?,
        drawn_at: row.millis("drawn_at_ms")?,
        drawn_by: row.text("drawn_by")?,
    })
}

/// Records a draw.
///
/// # Errors
/// The database's.
pub async fn draw_add(tx: &mut Conn, association: &AssociationId, drawn: &DrawRow) -> Result<(), StoreError> {
    let body =
        serde_json::to_string(&drawn.draw).map_err(|e| StoreError::corrupt("rota_draw", &drawn.id, e))?;
    let params = values![
        association.as_str(),
        drawn.id.as_str(),
        i64::from(drawn.fiscal_year),
        body,
        drawn.drawn_at,
        drawn.drawn_by.as_str(),
    ];
    tx.exec(&DRAW_ADD, params).await.map(drop)
}

/// The last draws, newest first.
///
/// # Errors
/// The database's.
pub async fn draws(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<DrawRow>, StoreError> {
    conn.all(&DRAWS, values![association.as_str(), limit]).await?.iter().map(draw_row).collect()
}

/// A draw.
///
/// # Errors
/// The database's.
pub async fn draw_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &DrawId,
) -> Result<Option<DrawRow>, StoreError> {
    let row = conn.one(&DRAW_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(draw_row).transpose()
}

/// Records what somebody carries out of a fiscal year.
///
/// # Errors
/// It was recorded before; the database's.
pub async fn carry_add(
    tx: &mut Conn,
    association: &AssociationId,
    fiscal_year: i32,
    (member, points): (&MemberId, Points),
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), i64::from(fiscal_year), member.as_str(), points.0, now];
    tx.exec(&CARRY_ADD, params).await.map(drop)
}

/// What everybody carried out of a fiscal year; empty when it was not closed.
///
/// # Errors
/// The database's.
pub async fn carried(
    conn: &mut Conn,
    association: &AssociationId,
    fiscal_year: i32,
) -> Result<Vec<(MemberId, Points)>, StoreError> {
    let rows = conn.all(&CARRIED, values![association.as_str(), i64::from(fiscal_year)]).await?;
    rows.iter()
        .map(|row| Ok((row.id("member_id", MemberId::from_stored)?, Points(row.int("points")?))))
        .collect()
}
