//! Rotas being made: their duties and the log by which each step is undone and done again.

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::statements;
use super::{area, duty};
use crate::domain::calendar::CivilDate;
use crate::domain::rota::{Area, Assignment};
use crate::ids::{AssociationId, DrawId, PublicationId, RotaDraftId};
use crate::time::Millis;

statements! {
    DRAFT_ADD = "INSERT INTO rota_draft (association_id, draft_id, area, name, first_day, last_day, revision, position, made_at_ms, made_by) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $8)";
    DRAFT_BY_ID = "SELECT draft_id, area, name, first_day, last_day, revision, position, draw_id, made_at_ms, made_by, publication_id, dropped_at_ms FROM rota_draft WHERE association_id = $1 AND draft_id = $2";
    DRAFTS = "SELECT draft_id, area, name, first_day, last_day, revision, position, draw_id, made_at_ms, made_by, publication_id, dropped_at_ms FROM rota_draft WHERE association_id = $1 AND dropped_at_ms IS NULL ORDER BY draft_id DESC LIMIT $2";
    DRAFT_SAVE = "UPDATE rota_draft SET name = $4, position = $5, draw_id = $6, publication_id = $7, dropped_at_ms = $8, revision = revision + 1 WHERE association_id = $1 AND draft_id = $2 AND revision = $3";
    DRAFT_DUTIES = "SELECT slot_day, slot_kind, role, from_ms, to_ms, member_id, institution_id FROM rota_draft_duty WHERE association_id = $1 AND draft_id = $2 ORDER BY from_ms, slot_kind, role, member_id";
    DRAFT_DUTY_ADD = "INSERT INTO rota_draft_duty (association_id, draft_id, slot_day, slot_kind, role, from_ms, to_ms, member_id, institution_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    DRAFT_DUTY_REMOVE = "DELETE FROM rota_draft_duty WHERE association_id = $1 AND draft_id = $2 AND slot_day = $3 AND slot_kind = $4 AND role = $5 AND from_ms = $6 AND member_id = $7";
    DRAFT_STEP_ADD = "INSERT INTO rota_draft_step (association_id, draft_id, step, what, removed, added, at_ms, actor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    DRAFT_STEPS_FORGET = "DELETE FROM rota_draft_step WHERE association_id = $1 AND draft_id = $2 AND (step > $3 OR step <= $4)";
    DRAFT_STEP_BY_NO = "SELECT step, what, removed, added, at_ms, actor FROM rota_draft_step WHERE association_id = $1 AND draft_id = $2 AND step = $3";
    DRAFT_STEPS = "SELECT step, what, at_ms, actor FROM rota_draft_step WHERE association_id = $1 AND draft_id = $2 ORDER BY step DESC LIMIT $3";
}

/// A rota being made (当番表の案), without its duties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub id: RotaDraftId,
    pub area: Area,
    /// What its maker calls it.
    pub name: String,
    pub first: CivilDate,
    /// Included.
    pub last: CivilDate,
    /// Grows with each change; a change made from an older one is refused.
    pub revision: i64,
    /// The step up to which its log is applied.
    pub position: i64,
    /// The lots by which its year-end is filled.
    pub draw: Option<DrawId>,
    pub made_at: Millis,
    pub made_by: String,
    /// What was made of it.
    pub publication: Option<PublicationId>,
    /// Thrown away.
    pub dropped_at: Option<Millis>,
}

fn day(row: &Row, column: &str) -> Result<CivilDate, StoreError> {
    let text = row.text(column)?;
    text.parse().map_err(|e| StoreError::corrupt("rota_draft", &text, e))
}

fn draft(row: &Row) -> Result<Draft, StoreError> {
    Ok(Draft {
        id: row.id("draft_id", RotaDraftId::from_stored)?,
        area: area(row, "rota_draft")?,
        name: row.text("name")?,
        first: day(row, "first_day")?,
        last: day(row, "last_day")?,
        revision: row.int("revision")?,
        position: row.int("position")?,
        draw: row.opt_id("draw_id", DrawId::from_stored)?,
        made_at: row.millis("made_at_ms")?,
        made_by: row.text("made_by")?,
        publication: row.opt_id("publication_id", PublicationId::from_stored)?,
        dropped_at: row.opt_millis("dropped_at_ms")?,
    })
}

/// Adds an empty draft; its revision and position are 0 whatever stands in `new`.
///
/// # Errors
/// The database's.
pub async fn draft_add(tx: &mut Conn, association: &AssociationId, new: &Draft) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.area.as_str(),
        new.name.as_str(),
        new.first.to_string(),
        new.last.to_string(),
        new.made_at,
        new.made_by.as_str(),
    ];
    tx.exec(&DRAFT_ADD, params).await.map(drop)
}

/// A draft, thrown away ones included.
///
/// # Errors
/// The database's.
pub async fn draft_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &RotaDraftId,
) -> Result<Option<Draft>, StoreError> {
    let row = conn.one(&DRAFT_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(draft).transpose()
}

/// The drafts made last, newest first, without those thrown away.
///
/// # Errors
/// The database's.
pub async fn drafts(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<Draft>, StoreError> {
    conn.all(&DRAFTS, values![association.as_str(), limit]).await?.iter().map(draft).collect()
}

/// Writes what of a draft may change, from its revision to the next.
///
/// # Errors
/// [`StoreError::Stale`] when it is not at `draft.revision` any more; the database's.
pub async fn draft_save(tx: &mut Conn, association: &AssociationId, draft: &Draft) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        draft.id.as_str(),
        draft.revision,
        draft.name.as_str(),
        draft.position,
        draft.draw.as_ref().map(DrawId::as_str),
        draft.publication.as_ref().map(PublicationId::as_str),
        draft.dropped_at,
    ];
    if tx.exec(&DRAFT_SAVE, params).await? == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { table: "rota_draft", id: draft.id.to_string() })
    }
}

/// The duties of a draft, by time.
///
/// # Errors
/// The database's.
pub async fn draft_duties(
    conn: &mut Conn,
    association: &AssociationId,
    draft: &Draft,
) -> Result<Vec<Assignment>, StoreError> {
    let rows = conn.all(&DRAFT_DUTIES, values![association.as_str(), draft.id.as_str()]).await?;
    rows.iter().map(|row| duty(row, &draft.area, "rota_draft_duty")).collect()
}

/// Takes duties out of a draft and puts others in. `false`: one to be taken out is not there.
///
/// # Errors
/// A person or an institution that the association does not have; the database's.
pub async fn draft_duties_change(
    tx: &mut Conn,
    association: &AssociationId,
    draft: &RotaDraftId,
    removed: &[Assignment],
    added: &[Assignment],
) -> Result<bool, StoreError> {
    for duty in removed {
        let params = values![
            association.as_str(),
            draft.as_str(),
            duty.slot.day.to_string(),
            duty.slot.kind.as_str(),
            duty.role.code(),
            duty.window.from,
            duty.holder.person.as_str(),
        ];
        if tx.exec(&DRAFT_DUTY_REMOVE, params).await? != 1 {
            return Ok(false);
        }
    }
    for duty in added {
        let params = values![
            association.as_str(),
            draft.as_str(),
            duty.slot.day.to_string(),
            duty.slot.kind.as_str(),
            duty.role.code(),
            duty.window.from,
            duty.window.to,
            duty.holder.person.as_str(),
            duty.holder.institution.as_str(),
        ];
        tx.exec(&DRAFT_DUTY_ADD, params).await?;
    }
    Ok(true)
}

/// A step of a draft's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub number: i64,
    /// What was done: `edit`, `fill`, `copy`, `clear`, `import`.
    pub what: String,
    pub removed: Vec<Assignment>,
    pub added: Vec<Assignment>,
    pub at: Millis,
    pub actor: String,
}

/// Adds a step; those after the one before it, which were undone, and the oldest beyond `keep` are forgotten.
///
/// # Errors
/// The database's.
pub async fn draft_step_add(
    tx: &mut Conn,
    association: &AssociationId,
    draft: &RotaDraftId,
    step: &Step,
    keep: i64,
) -> Result<(), StoreError> {
    let json = |duties: &[Assignment]| {
        serde_json::to_string(duties).map_err(|e| StoreError::corrupt("rota_draft_step", draft, e))
    };
    let params = values![association.as_str(), draft.as_str(), step.number - 1, step.number - keep];
    tx.exec(&DRAFT_STEPS_FORGET, params).await?;
    let params = values![
        association.as_str(),
        draft.as_str(),
        step.number,
        step.what.as_str(),
        json(&step.removed)?,
        json(&step.added)?,
        step.at,
        step.actor.as_str(),
    ];
    tx.exec(&DRAFT_STEP_ADD, params).await.map(drop)
}

/// A step by its number.
///
/// # Errors
/// The database's.
pub async fn draft_step(
    conn: &mut Conn,
    association: &AssociationId,
    draft: &RotaDraftId,
    number: i64,
) -> Result<Option<Step>, StoreError> {
    let row = conn.one(&DRAFT_STEP_BY_NO, values![association.as_str(), draft.as_str(), number]).await?;
    row.map(|row| {
        Ok(Step {
            number: row.int("step")?,
            what: row.text("what")?,
            removed: row.json("removed")?,
            added: row.json("added")?,
            at: row.millis("at_ms")?,
            actor: row.text("actor")?,
        })
    })
    .transpose()
}

/// What was done when and by whom, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepHead {
    pub number: i64,
    pub what: String,
    pub at: Millis,
    pub actor: String,
}

/// The last steps of a draft, newest first, undone ones included.
///
/// # Errors
/// The database's.
pub async fn draft_steps(
    conn: &mut Conn,
    association: &AssociationId,
    draft: &RotaDraftId,
    limit: i64,
) -> Result<Vec<StepHead>, StoreError> {
    let rows = conn.all(&DRAFT_STEPS, values![association.as_str(), draft.as_str(), limit]).await?;
    let head = |row: &Row| {
        Ok(StepHead {
            number: row.int("step")?,
            what: row.text("what")?,
            at: row.millis("at_ms")?,
            actor: row.text("actor")?,
        })
    };
    rows.iter().map(head).collect()
}
