//! The own rota of a pillar: who of an institution standing by is rung when. Which pillar may be used at all is
//! `domain::cover::pillars`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::ids::{AssociationId, InstitutionId, MemberId, PillarDutyId};
use crate::time::{Millis, Window};

statements! {
    DUTY_ADD = "INSERT INTO pillar_duty (association_id, duty_id, institution_id, member_id, from_ms, to_ms, at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    DUTIES = "SELECT duty_id, member_id, from_ms, to_ms FROM pillar_duty WHERE association_id = $1 AND institution_id = $2 AND to_ms > $3 AND from_ms < $4 AND withdrawn_at_ms IS NULL ORDER BY from_ms, duty_id";
    DUTY_WITHDRAW = "UPDATE pillar_duty SET withdrawn_at_ms = $4 WHERE association_id = $1 AND duty_id = $2 AND institution_id = $3 AND withdrawn_at_ms IS NULL";
}

/// Somebody of a pillar, for some hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarDuty {
    pub id: PillarDutyId,
    pub member: MemberId,
    pub window: Window,
}

/// # Errors
/// The database's.
pub async fn pillar_duty_add(
    tx: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    new: &PillarDuty,
    (at, by): (Millis, &str),
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        institution.as_str(),
        new.member.as_str(),
        new.window.from,
        new.window.to,
        at,
        by,
    ];
    tx.exec(&DUTY_ADD, params).await.map(drop)
}

/// What of a pillar's rota lies in a window, in order of time; what begins at once, as it was written down.
///
/// # Errors
/// The database's.
pub async fn pillar_duties(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    window: Window,
) -> Result<Vec<PillarDuty>, StoreError> {
    let duty = |row: &Row| {
        let id = row.id("duty_id", PillarDutyId::from_stored)?;
        let window = Window::new(row.millis("from_ms")?, row.millis("to_ms")?);
        let window = window.ok_or_else(|| StoreError::corrupt("pillar_duty", &id, "no time".to_owned()))?;
        Ok(PillarDuty { member: row.id("member_id", MemberId::from_stored)?, window, id })
    };
    let params = values![association.as_str(), institution.as_str(), window.from, window.to];
    conn.all(&DUTIES, params).await?.iter().map(duty).collect()
}

/// Takes a line back; it stays where it is, and counts no more. `false`: this institution has none such.
///
/// # Errors
/// The database's.
pub async fn pillar_duty_withdraw(
    tx: &mut Conn,
    association: &AssociationId,
    (institution, id): (&InstitutionId, &PillarDutyId),
    at: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), institution.as_str(), at];
    Ok(tx.exec(&DUTY_WITHDRAW, params).await? == 1)
}
