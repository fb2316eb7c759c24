//! The days and rules that an association's calendar has of its own. What they mean is `domain::calendar`.

use super::db::{Conn, StoreError};
use super::row::values;
use super::statements;
use crate::domain::calendar::{BandRules, CivilDate};
use crate::ids::AssociationId;
use crate::time::Millis;

statements! {
    CALENDAR_DAYS = "SELECT date, kind, name FROM calendar_day WHERE association_id = $1 ORDER BY date, kind";
    CALENDAR_DAY_SET = "INSERT INTO calendar_day (association_id, date, kind, name) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, date, kind) DO UPDATE SET name = excluded.name";
    CALENDAR_DAY_CLEAR = "DELETE FROM calendar_day WHERE association_id = $1 AND date = $2 AND kind <> 'national'";
    CALENDAR_NATIONAL_CLEAR = "DELETE FROM calendar_day WHERE association_id = $1 AND kind = 'national' AND date >= $2 AND date <= $3";
    CALENDAR_RULES_GET = "SELECT body FROM calendar_rules WHERE association_id = $1";
    CALENDAR_RULES_SET = "INSERT INTO calendar_rules (association_id, body, updated_at_ms) VALUES ($1, $2, $3) ON CONFLICT (association_id) DO UPDATE SET body = excluded.body, updated_at_ms = excluded.updated_at_ms";
}

/// What a stored day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DayKind {
    /// A day of the Cabinet Office's list.
    National,
    /// A holiday here, whatever list and law say.
    Extra,
    /// No holiday here.
    Removed,
}

impl DayKind {
    /// The stable word in data.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::National => "national",
            Self::Extra => "extra",
            Self::Removed => "removed",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::National, Self::Extra, Self::Removed].into_iter().find(|kind| kind.code() == code)
    }
}

/// A stored day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalendarDay {
    pub date: CivilDate,
    pub kind: DayKind,
    /// As pages show it; empty for a removed day.
    pub name: String,
}

/// In the order of days.
///
/// # Errors
/// The database's.
pub async fn calendar_days(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<CalendarDay>, StoreError> {
    let rows = conn.all(&CALENDAR_DAYS, values![association.as_str()]).await?;
    rows.iter()
        .map(|row| {
            let (date, kind) = (row.text("date")?, row.text("kind")?);
            let corrupt = |what: &str| StoreError::corrupt("calendar_day", &date, what.to_owned());
            Ok(CalendarDay {
                kind: DayKind::from_code(&kind).ok_or_else(|| corrupt("an unknown kind"))?,
                name: row.text("name")?,
                date: date.parse().map_err(|_| corrupt("not a day"))?,
            })
        })
        .collect()
}

/// # Errors
/// The database's.
pub async fn calendar_day_set(
    tx: &mut Conn,
    association: &AssociationId,
    day: &CalendarDay,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), day.date.to_string(), day.kind.code(), day.name.as_str()];
    tx.exec(&CALENDAR_DAY_SET, params).await.map(drop)
}

/// Forgets what the association itself says of a day.
///
/// # Errors
/// The database's.
pub async fn calendar_day_clear(
    tx: &mut Conn,
    association: &AssociationId,
    date: CivilDate,
) -> Result<(), StoreError> {
    tx.exec(&CALENDAR_DAY_CLEAR, values![association.as_str(), date.to_string()]).await.map(drop)
}

/// Forgets the official days from `first` to `last`, both included.
///
/// # Errors
/// The database's.
pub async fn calendar_national_clear(
    tx: &mut Conn,
    association: &AssociationId,
    first: CivilDate,
    last: CivilDate,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), first.to_string(), last.to_string()];
    tx.exec(&CALENDAR_NATIONAL_CLEAR, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn calendar_rules_get(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<BandRules, StoreError> {
    let row = conn.one(&CALENDAR_RULES_GET, values![association.as_str()]).await?;
    row.map_or_else(|| Ok(BandRules::default()), |row| row.json("body"))
}

/// # Errors
/// The database's.
pub async fn calendar_rules_set(
    tx: &mut Conn,
    association: &AssociationId,
    rules: &BandRules,
    now: Millis,
) -> Result<(), StoreError> {
    let body =
        serde_json::to_string(rules).map_err(|e| StoreError::corrupt("calendar_rules", association, e))?;
    tx.exec(&CALENDAR_RULES_SET, values![association.as_str(), body, now]).await.map(drop)
}
