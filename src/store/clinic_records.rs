//! What clinics write down of a year, and the conferences of their groups. What follows from it is
//! `domain::clinic_records`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::calendar::CivilDate;
use crate::domain::clinic_records::RecordKind;
use crate::ids::{AssociationId, CareGroupId, ClinicRecordId, InstitutionId};
use crate::time::Millis;

statements! {
    RECORD_ADD = "INSERT INTO clinic_record (association_id, record_id, institution_id, kind, day, number, at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    RECORDS = "SELECT record_id, institution_id, kind, day, number FROM clinic_record WHERE association_id = $1 AND day >= $2 AND day < $3 AND withdrawn_at_ms IS NULL ORDER BY day DESC, record_id DESC";
    RECORD_WITHDRAW = "UPDATE clinic_record SET withdrawn_at_ms = $4 WHERE association_id = $1 AND record_id = $2 AND institution_id = $3 AND withdrawn_at_ms IS NULL";
    CONFERENCE_ADD = "INSERT INTO conference (association_id, record_id, care_group_id, day, online, attendees, people, patients, at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    CONFERENCES = "SELECT record_id, care_group_id, day, online, attendees, people, patients FROM conference WHERE association_id = $1 AND day >= $2 AND day < $3 AND withdrawn_at_ms IS NULL ORDER BY day DESC, record_id DESC";
    CONFERENCE_WITHDRAW = "UPDATE conference SET withdrawn_at_ms = $3 WHERE association_id = $1 AND record_id = $2 AND withdrawn_at_ms IS NULL";
}

/// A line that a clinic wrote down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClinicRecord {
    pub id: ClinicRecordId,
    pub institution: InstitutionId,
    pub kind: RecordKind,
    pub day: CivilDate,
    pub number: i64,
}

/// A conference (定例カンファレンス).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conference {
    pub id: ClinicRecordId,
    /// `None`: of the whole association.
    pub group: Option<CareGroupId>,
    pub day: CivilDate,
    /// By video (Web会議), else in one room.
    pub online: bool,
    /// The institutions that were there.
    pub attendees: Vec<InstitutionId>,
    pub people: i64,
    /// Patients who were spoken about.
    pub patients: i64,
}

fn day_of(table: &'static str, row: &Row) -> Result<CivilDate, StoreError> {
    let text = row.text("day")?;
    text.parse().map_err(|_| StoreError::corrupt(table, &text, "no day".to_owned()))
}

/// # Errors
/// The database's.
pub async fn record_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &ClinicRecord,
    (at, by): (Millis, &str),
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.institution.as_str(),
        new.kind.code(),
        new.day.to_string(),
        new.number,
        at,
        by,
    ];
    tx.exec(&RECORD_ADD, params).await.map(drop)
}

/// Every clinic's lines of the days `[from, to)`, the newest day first.
///
/// # Errors
/// The database's.
pub async fn records(
    conn: &mut Conn,
    association: &AssociationId,
    (from, to): (CivilDate, CivilDate),
) -> Result<Vec<ClinicRecord>, StoreError> {
    let params = values![association.as_str(), from.to_string(), to.to_string()];
    let record = |row: &Row| {
        let kind = row.text("kind")?;
        Ok(ClinicRecord {
            id: row.id("record_id", ClinicRecordId::from_stored)?,
            institution: row.id("institution_id", InstitutionId::from_stored)?,
            kind: RecordKind::of(&kind)
                .ok_or_else(|| StoreError::corrupt("clinic_record", &kind, "no kind".to_owned()))?,
            day: day_of("clinic_record", row)?,
            number: row.int("number")?,
        })
    };
    conn.all(&RECORDS, params).await?.iter().map(record).collect()
}

/// Takes a line back; it stays where it is, and counts no more. `false`: this clinic has none such.
///
/// # Errors
/// The database's.
pub async fn record_withdraw(
    tx: &mut Conn,
    association: &AssociationId,
    (institution, id): (&InstitutionId, &ClinicRecordId),
    at: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), institution.as_str(), at];
    Ok(tx.exec(&RECORD_WITHDRAW, params).await? == 1)
}

/// # Errors
/// The database's.
pub async fn conference_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &Conference,
    (at, by): (Millis, &str),
) -> Result<(), StoreError> {
    let attendees = serde_json::to_string(&new.attendees)
        .map_err(|e| StoreError::corrupt("conference", new.id.as_str(), e))?;
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.group.as_ref().map(CareGroupId::as_str),
        new.day.to_string(),
        i64::from(new.online),
        attendees,
        new.people,
        new.patients,
        at,
        by,
    ];
    tx.exec(&CONFERENCE_ADD, params).await.map(drop)
}

/// The conferences of the days `[from, to)`, the newest first.
///
/// # Errors
/// The database's.
pub async fn conferences(
    conn: &mut Conn,
    association: &AssociationId,
    (from, to): (CivilDate, CivilDate),
) -> Result<Vec<Conference>, StoreError> {
    let params = values![association.as_str(), from.to_string(), to.to_string()];
    let conference = |row: &Row| {
        Ok(Conference {
            id: row.id("record_id", ClinicRecordId::from_stored)?,
            group: row.opt_id("care_group_id", CareGroupId::from_stored)?,
            day: day_of("conference", row)?,
            online: row.int("online")? == 1,
            attendees: row.json("attendees")?,
            people: row.int("people")?,
            patients: row.int("patients")?,
        })
    };
    conn.all(&CONFERENCES, params).await?.iter().map(conference).collect()
}

/// Takes a conference back. `false`: there is none such.
///
/// # Errors
/// The database's.
pub async fn conference_withdraw(
    tx: &mut Conn,
    association: &AssociationId,
    id: &ClinicRecordId,
    at: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&CONFERENCE_WITHDRAW, values![association.as_str(), id.as_str(), at]).await? == 1)
}
