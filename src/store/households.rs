//! Households of a clinic and what they were told. Which pillar may be used because of it is `domain::cover`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::calendar::CivilDate;
use crate::domain::cover::households::Told;
use crate::ids::{AssociationId, HouseholdId, InstitutionId};
use crate::time::Millis;

statements! {
    HOUSEHOLD_ADD = "INSERT INTO household (association_id, household_id, institution_id, patient, added_at_ms, added_by) VALUES ($1, $2, $3, $4, $5, $6)";
    HOUSEHOLDS = "SELECT household_id, institution_id, patient, added_at_ms FROM household WHERE association_id = $1 AND institution_id = $2 AND ended_at_ms IS NULL ORDER BY household_id";
    HOUSEHOLD_BY_ID = "SELECT household_id, institution_id, patient, added_at_ms FROM household WHERE association_id = $1 AND household_id = $2 AND ended_at_ms IS NULL";
    HOUSEHOLDS_ENDING = "SELECT household_id, institution_id, patient, added_at_ms FROM household WHERE association_id = $1 AND household_id LIKE $2 AND ended_at_ms IS NULL ORDER BY household_id LIMIT 2";
    HOUSEHOLD_END = "UPDATE household SET ended_at_ms = $3, patient = $4 WHERE association_id = $1 AND household_id = $2 AND ended_at_ms IS NULL";
    HOUSEHOLD_TOLD_SET = "INSERT INTO household_told (association_id, household_id, pillar, day, refused, at_ms, told_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (association_id, household_id, pillar) DO UPDATE SET day = excluded.day, refused = excluded.refused, at_ms = excluded.at_ms, told_by = excluded.told_by";
    HOUSEHOLDS_TOLD = "SELECT t.household_id, t.pillar, t.day, t.refused FROM household_told t JOIN household h ON h.association_id = t.association_id AND h.household_id = t.household_id WHERE t.association_id = $1 AND h.institution_id = $2 AND h.ended_at_ms IS NULL ORDER BY t.household_id, t.pillar";
    HOUSEHOLD_LIST = "SELECT whole_since FROM household_list WHERE association_id = $1 AND institution_id = $2";
    HOUSEHOLD_LIST_SET = "INSERT INTO household_list (association_id, institution_id, whole_since, at_ms, said_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (association_id, institution_id) DO UPDATE SET whole_since = excluded.whole_since, at_ms = excluded.at_ms, said_by = excluded.said_by";
}

/// A household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseholdRow {
    pub id: HouseholdId,
    pub institution: InstitutionId,
    /// Sealed: initials or whatever the clinic chose.
    pub patient: Vec<u8>,
    pub added: Millis,
}

fn household(row: &Row) -> Result<HouseholdRow, StoreError> {
    Ok(HouseholdRow {
        id: row.id("household_id", HouseholdId::from_stored)?,
        institution: row.id("institution_id", InstitutionId::from_stored)?,
        patient: row.bytes("patient")?,
        added: row.millis("added_at_ms")?,
    })
}

/// # Errors
/// The database's.
pub async fn household_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &HouseholdRow,
    by: &str,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.institution.as_str(),
        new.patient.clone(),
        new.added,
        by,
    ];
    tx.exec(&HOUSEHOLD_ADD, params).await.map(drop)
}

/// The households of a clinic, in the order in which they were added.
///
/// # Errors
/// The database's.
pub async fn households(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
) -> Result<Vec<HouseholdRow>, StoreError> {
    let rows = conn.all(&HOUSEHOLDS, values![association.as_str(), clinic.as_str()]).await?;
    rows.iter().map(household).collect()
}

/// The households whose id ends so: letters and digits only. Two at most.
///
/// # Errors
/// The database's.
pub async fn households_ending(
    conn: &mut Conn,
    association: &AssociationId,
    end: &str,
) -> Result<Vec<HouseholdRow>, StoreError> {
    let like = format!("%{end}");
    let rows = conn.all(&HOUSEHOLDS_ENDING, values![association.as_str(), like.as_str()]).await?;
    rows.iter().map(household).collect()
}

/// # Errors
/// The database's.
pub async fn household_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &HouseholdId,
) -> Result<Option<HouseholdRow>, StoreError> {
    let row = conn.one(&HOUSEHOLD_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(household).transpose()
}

/// Takes a household off the list; what it was called is erased. `false`: it is not on it.
///
/// # Errors
/// The database's.
pub async fn household_end(
    tx: &mut Conn,
    association: &AssociationId,
    id: &HouseholdId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), now, Vec::<u8>::new()];
    Ok(tx.exec(&HOUSEHOLD_END, params).await? == 1)
}

/// Writes down what a household was told of a pillar; what was written before is replaced.
///
/// # Errors
/// The database's.
pub async fn household_told_set(
    tx: &mut Conn,
    association: &AssociationId,
    id: &HouseholdId,
    (pillar, told): (&str, Told),
    (now, by): (Millis, &str),
) -> Result<(), StoreError> {
    let (day, refused) = match told {
        Told::On { day } => (day, 0i64),
        Told::Refused { day } => (day, 1i64),
    };
    let params = values![association.as_str(), id.as_str(), pillar, day.to_string(), refused, now, by];
    tx.exec(&HOUSEHOLD_TOLD_SET, params).await.map(drop)
}

fn date(table: &'static str, text: &str) -> Result<CivilDate, StoreError> {
    text.parse().map_err(|_| StoreError::corrupt(table, text, "no day".to_owned()))
}

/// What the households of a clinic were told: household, pillar, answer.
///
/// # Errors
/// The database's.
pub async fn households_told(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
) -> Result<Vec<(HouseholdId, String, Told)>, StoreError> {
    let rows = conn.all(&HOUSEHOLDS_TOLD, values![association.as_str(), clinic.as_str()]).await?;
    rows.iter()
        .map(|row| {
            let day = date("household_told", &row.text("day")?)?;
            let told = if row.int("refused")? == 1 { Told::Refused { day } } else { Told::On { day } };
            Ok((row.id("household_id", HouseholdId::from_stored)?, row.text("pillar")?, told))
        })
        .collect()
}

/// The day on which a clinic said that its list is whole.
///
/// # Errors
/// The database's.
pub async fn household_list(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
) -> Result<Option<CivilDate>, StoreError> {
    let row = conn.one(&HOUSEHOLD_LIST, values![association.as_str(), clinic.as_str()]).await?;
    match row {
        None => Ok(None),
        Some(row) => match row.opt_text("whole_since")? {
            None => Ok(None),
            Some(text) => date("household_list", &text).map(Some),
        },
    }
}

/// # Errors
/// The database's.
pub async fn household_list_set(
    tx: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    whole_since: Option<CivilDate>,
    (now, by): (Millis, &str),
) -> Result<(), StoreError> {
    let since = whole_since.map(|day| day.to_string());
    let params = values![association.as_str(), clinic.as_str(), since.as_deref(), now, by];
    tx.exec(&HOUSEHOLD_LIST_SET, params).await.map(drop)
}
