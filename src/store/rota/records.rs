//! What decides who is on: publications, overrides, taken swaps, leavings. Rows are added; a taking back sets
//! its own columns once; nothing else is ever changed.

use std::collections::BTreeMap;

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::statements;
use super::{area, duty, role, window};
use crate::domain::rota::{Area, Holder, Leaver, Leaving, Leg, Override, Publication, Records, Return, Swap};
use crate::ids::{AssociationId, InstitutionId, MemberId, OverrideId, PublicationId, RequestId, SwapId};
use crate::time::{Millis, Window};

statements! {
    PUBLICATION_ADD = "INSERT INTO rota_publication (association_id, publication_id, area, from_ms, to_ms, recorded_at_ms, made_at_ms, made_by, source, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    ASSIGNMENT_ADD = "INSERT INTO rota_assignment (association_id, publication_id, slot_day, slot_kind, role, from_ms, to_ms, member_id, institution_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    PUBLICATIONS_SINCE = "SELECT publication_id, area, from_ms, to_ms, recorded_at_ms FROM rota_publication WHERE association_id = $1 AND to_ms > $2";
    ASSIGNMENTS_SINCE = "SELECT publication_id, slot_day, slot_kind, role, from_ms, to_ms, member_id, institution_id FROM rota_assignment WHERE association_id = $1 AND to_ms > $2";
    PUBLICATIONS_LAST = "SELECT p.publication_id, p.area, p.from_ms, p.to_ms, p.recorded_at_ms, p.made_at_ms, p.made_by, p.source, p.note, (SELECT COUNT(*) FROM rota_assignment a WHERE a.association_id = p.association_id AND a.publication_id = p.publication_id) AS duties FROM rota_publication p WHERE p.association_id = $1 ORDER BY p.recorded_at_ms DESC, p.publication_id DESC LIMIT $2";
    PUBLICATIONS_AFTER = "SELECT p.publication_id, p.area, p.from_ms, p.to_ms, p.recorded_at_ms, p.made_at_ms, p.made_by, p.source, p.note, (SELECT COUNT(*) FROM rota_assignment a WHERE a.association_id = p.association_id AND a.publication_id = p.publication_id) AS duties FROM rota_publication p WHERE p.association_id = $1 AND p.publication_id > $2 ORDER BY p.publication_id LIMIT $3";
    PUBLICATION_BY_ID = "SELECT p.publication_id, p.area, p.from_ms, p.to_ms, p.recorded_at_ms, p.made_at_ms, p.made_by, p.source, p.note, (SELECT COUNT(*) FROM rota_assignment a WHERE a.association_id = p.association_id AND a.publication_id = p.publication_id) AS duties FROM rota_publication p WHERE p.association_id = $1 AND p.publication_id = $2";
    ASSIGNMENTS_OF = "SELECT slot_day, slot_kind, role, from_ms, to_ms, member_id, institution_id FROM rota_assignment WHERE association_id = $1 AND publication_id = $2 ORDER BY from_ms, slot_kind, role, member_id";
    OVERRIDE_ADD = "INSERT INTO rota_override (association_id, override_id, area, role, from_ms, to_ms, member_id, institution_id, recorded_at_ms, made_at_ms, made_by, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    OVERRIDE_WITHDRAW = "UPDATE rota_override SET withdrawn_at_ms = $3, withdrawn_by = $4 WHERE association_id = $1 AND override_id = $2 AND withdrawn_at_ms IS NULL";
    OVERRIDES_SINCE = "SELECT override_id, area, role, from_ms, to_ms, member_id, institution_id, recorded_at_ms, made_at_ms, made_by, reason, withdrawn_at_ms, withdrawn_by FROM rota_override WHERE association_id = $1 AND to_ms > $2 ORDER BY from_ms, override_id";
    OVERRIDE_BY_ID = "SELECT override_id, area, role, from_ms, to_ms, member_id, institution_id, recorded_at_ms, made_at_ms, made_by, reason, withdrawn_at_ms, withdrawn_by FROM rota_override WHERE association_id = $1 AND override_id = $2";
    SWAP_ADD = "INSERT INTO rota_swap (association_id, swap_id, request_id, from_ms, to_ms, taken_at_ms, recorded_at_ms, made_at_ms, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    SWAP_LEG_ADD = "INSERT INTO rota_swap_leg (association_id, swap_id, leg, area, role, from_ms, to_ms, giver_id, taker_id, taker_institution_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    SWAP_UNDO = "UPDATE rota_swap SET undone_at_ms = $3, undone_by = $4 WHERE association_id = $1 AND swap_id = $2 AND undone_at_ms IS NULL";
    SWAPS_SINCE = "SELECT swap_id, request_id, taken_at_ms, recorded_at_ms, made_by, undone_at_ms, undone_by FROM rota_swap WHERE association_id = $1 AND to_ms > $2 ORDER BY recorded_at_ms, swap_id";
    SWAP_LEGS_SINCE = "SELECT l.swap_id, l.area, l.role, l.from_ms, l.to_ms, l.giver_id, l.taker_id, l.taker_institution_id FROM rota_swap s JOIN rota_swap_leg l ON l.association_id = s.association_id AND l.swap_id = s.swap_id WHERE s.association_id = $1 AND s.to_ms > $2 ORDER BY l.swap_id, l.leg";
    SWAPS_EARLIEST = "SELECT MIN(from_ms) AS from_ms FROM rota_swap WHERE association_id = $1 AND to_ms > $2";
    SWAP_BY_ID = "SELECT swap_id, request_id, taken_at_ms, recorded_at_ms, made_by, undone_at_ms, undone_by FROM rota_swap WHERE association_id = $1 AND swap_id = $2";
    SWAP_LEGS_OF = "SELECT swap_id, area, role, from_ms, to_ms, giver_id, taker_id, taker_institution_id FROM rota_swap_leg WHERE association_id = $1 AND swap_id = $2 ORDER BY leg";
    LEAVING_ADD = "INSERT INTO rota_leaving (association_id, who_kind, who_id, from_ms, recorded_at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (association_id, who_kind, who_id, from_ms, recorded_at_ms) DO NOTHING";
    LEAVING_BACK = "UPDATE rota_leaving SET back_from_ms = $4, back_recorded_at_ms = $5 WHERE association_id = $1 AND who_kind = $2 AND who_id = $3 AND back_from_ms IS NULL";
    LEAVINGS = "SELECT who_kind, who_id, from_ms, recorded_at_ms, back_from_ms, back_recorded_at_ms FROM rota_leaving WHERE association_id = $1 ORDER BY recorded_at_ms, who_kind, who_id";
}

/// No duty is longer. Whatever began earlier than this before a moment is over by then.
const DUTY_MAX_MS: i64 = 40 * 24 * 3_600_000;
/// How often the look back is widened for swaps that reach further back than what was asked for.
const WIDENINGS_MAX: usize = 50;

/// Where a publication came from, beside what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationHead {
    pub id: PublicationId,
    pub area: Area,
    pub period: Window,
    pub recorded_at: Millis,
    /// When the row was made; later than `recorded_at` for imports of history.
    pub made_at: Millis,
    /// `member:…`, `key:…`, `cli`.
    pub made_by: String,
    /// `draft` or `import`.
    pub source: String,
    /// In the coordinator's own words.
    pub note: String,
    /// How many duties it names.
    pub duties: i64,
}

fn head(row: &Row) -> Result<PublicationHead, StoreError> {
    Ok(PublicationHead {
        id: row.id("publication_id", PublicationId::from_stored)?,
        area: area(row, "rota_publication")?,
        period: window(row)?,
        recorded_at: row.millis("recorded_at_ms")?,
        made_at: row.millis("made_at_ms")?,
        made_by: row.text("made_by")?,
        source: row.text("source")?,
        note: row.text("note")?,
        duties: row.int("duties")?,
    })
}

/// Adds a publication with its duties.
///
/// # Errors
/// A person or an institution that the association does not have; the database's.
pub async fn publication_add(
    tx: &mut Conn,
    association: &AssociationId,
    publication: &Publication,
    (made_at, made_by): (Millis, &str),
    (source, note): (&str, &str),
) -> Result<(), StoreError> {
    let id = publication.id.as_str();
    let params = values![
        association.as_str(),
        id,
        publication.area.as_str(),
        publication.period.from,
        publication.period.to,
        publication.recorded_at,
        made_at,
        made_by,
        source,
        note,
    ];
    tx.exec(&PUBLICATION_ADD, params).await?;
    for duty in &publication.assignments {
        let params = values![
            association.as_str(),
            id,
            duty.slot.day.to_string(),
            duty.slot.kind.as_str(),
            duty.role.code(),
            duty.window.from,
            duty.window.to,
            duty.holder.person.as_str(),
            duty.holder.institution.as_str(),
        ];
        tx.exec(&ASSIGNMENT_ADD, params).await?;
    }
    Ok(())
}

/// The publications recorded last, newest first.
///
/// # Errors
/// The database's.
pub async fn publications_last(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<PublicationHead>, StoreError> {
    conn.all(&PUBLICATIONS_LAST, values![association.as_str(), limit]).await?.iter().map(head).collect()
}

/// Publications in the order of their ids, after one of them, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn publications_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<PublicationHead>, StoreError> {
    conn.all(&PUBLICATIONS_AFTER, values![association.as_str(), after, limit])
        .await?
        .iter()
        .map(head)
        .collect()
}

/// A publication as it was made.
///
/// # Errors
/// The database's.
pub async fn publication_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &PublicationId,
) -> Result<Option<(PublicationHead, Publication)>, StoreError> {
    let params = values![association.as_str(), id.as_str()];
    let Some(row) = conn.one(&PUBLICATION_BY_ID, params).await? else { return Ok(None) };
    let head = head(&row)?;
    let rows = conn.all(&ASSIGNMENTS_OF, params).await?;
    let assignments = rows.iter().map(|row| duty(row, &head.area, "rota_assignment"));
    let publication = Publication {
        id: head.id.clone(),
        area: head.area.clone(),
        period: head.period,
        recorded_at: head.recorded_at,
        assignments: assignments.collect::<Result<_, _>>()?,
    };
    Ok(Some((head, publication)))
}

/// An override with who made it and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideRow {
    pub change: Override,
    pub made_at: Millis,
    pub made_by: String,
    /// In the office's own words.
    pub reason: String,
    pub withdrawn_by: Option<String>,
}

fn override_row(row: &Row) -> Result<OverrideRow, StoreError> {
    let person = row.opt_id("member_id", MemberId::from_stored)?;
    let institution = row.opt_id("institution_id", InstitutionId::from_stored)?;
    Ok(OverrideRow {
        change: Override {
            id: row.id("override_id", OverrideId::from_stored)?,
            area: area(row, "rota_override")?,
            role: role(row, "rota_override")?,
            window: window(row)?,
            holder: person.zip(institution).map(|(person, institution)| Holder { person, institution }),
            recorded_at: row.millis("recorded_at_ms")?,
            withdrawn_at: row.opt_millis("withdrawn_at_ms")?,
        },
        made_at: row.millis("made_at_ms")?,
        made_by: row.text("made_by")?,
        reason: row.text("reason")?,
        withdrawn_by: row.opt_text("withdrawn_by")?,
    })
}

/// Adds an override.
///
/// # Errors
/// A person or an institution that the association does not have; the database's.
pub async fn override_add(
    tx: &mut Conn,
    association: &AssociationId,
    change: &Override,
    (made_at, made_by): (Millis, &str),
    reason: &str,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        change.id.as_str(),
        change.area.as_str(),
        change.role.code(),
        change.window.from,
        change.window.to,
        change.holder.as_ref().map(|h| h.person.as_str()),
        change.holder.as_ref().map(|h| h.institution.as_str()),
        change.recorded_at,
        made_at,
        made_by,
        reason,
    ];
    tx.exec(&OVERRIDE_ADD, params).await.map(drop)
}

/// Takes an override back. `false`: there is none, or it was taken back before.
///
/// # Errors
/// The database's.
pub async fn override_withdraw(
    tx: &mut Conn,
    association: &AssociationId,
    id: &OverrideId,
    now: Millis,
    by: &str,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&OVERRIDE_WITHDRAW, values![association.as_str(), id.as_str(), now, by]).await? == 1)
}

/// An override.
///
/// # Errors
/// The database's.
pub async fn override_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &OverrideId,
) -> Result<Option<OverrideRow>, StoreError> {
    let row = conn.one(&OVERRIDE_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(override_row).transpose()
}

/// The overrides that end after a moment, those taken back included, by time.
///
/// # Errors
/// The database's.
pub async fn overrides_since(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<Vec<OverrideRow>, StoreError> {
    conn.all(&OVERRIDES_SINCE, values![association.as_str(), since]).await?.iter().map(override_row).collect()
}

/// A taken swap with the request it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapRow {
    pub swap: Swap,
    /// `None`: read in from history.
    pub request: Option<RequestId>,
    pub made_by: String,
    pub undone_by: Option<String>,
}

fn leg(row: &Row) -> Result<Leg, StoreError> {
    Ok(Leg {
        area: area(row, "rota_swap_leg")?,
        role: role(row, "rota_swap_leg")?,
        window: window(row)?,
        giver: row.id("giver_id", MemberId::from_stored)?,
        taker: Holder {
            person: row.id("taker_id", MemberId::from_stored)?,
            institution: row.id("taker_institution_id", InstitutionId::from_stored)?,
        },
    })
}

fn swap_row(row: &Row, legs: Vec<Leg>) -> Result<SwapRow, StoreError> {
    Ok(SwapRow {
        swap: Swap {
            id: row.id("swap_id", SwapId::from_stored)?,
            legs,
            taken_at: row.millis("taken_at_ms")?,
            recorded_at: row.millis("recorded_at_ms")?,
            undone_at: row.opt_millis("undone_at_ms")?,
        },
        request: row.opt_id("request_id", RequestId::from_stored)?,
        made_by: row.text("made_by")?,
        undone_by: row.opt_text("undone_by")?,
    })
}

/// Adds a taken swap.
///
/// # Errors
/// A person or an institution that the association does not have; the database's.
pub async fn swap_add(
    tx: &mut Conn,
    association: &AssociationId,
    swap: &Swap,
    request: Option<&RequestId>,
    (made_at, made_by): (Millis, &str),
) -> Result<(), StoreError> {
    let from = swap.begins().unwrap_or(swap.taken_at);
    let to = swap.legs.iter().map(|leg| leg.window.to).max().unwrap_or(swap.taken_at);
    let params = values![
        association.as_str(),
        swap.id.as_str(),
        request.map(RequestId::as_str),
        from,
        to,
        swap.taken_at,
        swap.recorded_at,
        made_at,
        made_by,
    ];
    tx.exec(&SWAP_ADD, params).await?;
    for (number, leg) in swap.legs.iter().enumerate() {
        let params = values![
            association.as_str(),
            swap.id.as_str(),
            i64::try_from(number).unwrap_or(i64::MAX),
            leg.area.as_str(),
            leg.role.code(),
            leg.window.from,
            leg.window.to,
            leg.giver.as_str(),
            leg.taker.person.as_str(),
            leg.taker.institution.as_str(),
        ];
        tx.exec(&SWAP_LEG_ADD, params).await?;
    }
    Ok(())
}

/// Notes that a swap was undone. `false`: there is none, or it was undone before.
///
/// # Errors
/// The database's.
pub async fn swap_undo(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SwapId,
    now: Millis,
    by: &str,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&SWAP_UNDO, values![association.as_str(), id.as_str(), now, by]).await? == 1)
}

/// A swap.
///
/// # Errors
/// The database's.
pub async fn swap_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &SwapId,
) -> Result<Option<SwapRow>, StoreError> {
    let params = values![association.as_str(), id.as_str()];
    let Some(row) = conn.one(&SWAP_BY_ID, params).await? else { return Ok(None) };
    let legs = conn.all(&SWAP_LEGS_OF, params).await?.iter().map(leg).collect::<Result<_, _>>()?;
    swap_row(&row, legs).map(Some)
}

/// The swaps with a leg that ends after a moment, undone ones included, in the order in which they count.
///
/// # Errors
/// The database's.
pub async fn swaps_since(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<Vec<SwapRow>, StoreError> {
    let params = values![association.as_str(), since];
    let mut legs: BTreeMap<String, Vec<Leg>> = BTreeMap::new();
    for row in conn.all(&SWAP_LEGS_SINCE, params).await? {
        legs.entry(row.text("swap_id")?).or_default().push(leg(&row)?);
    }
    let rows = conn.all(&SWAPS_SINCE, params).await?;
    rows.iter().map(|row| swap_row(row, legs.remove(&row.text("swap_id")?).unwrap_or_default())).collect()
}

fn leaver(who: &Leaver) -> (&'static str, &str) {
    match who {
        Leaver::Person(id) => ("person", id.as_str()),
        Leaver::Institution(id) => ("institution", id.as_str()),
    }
}

/// Notes that somebody leaves; the same twice is one.
///
/// # Errors
/// The database's.
pub async fn leaving_add(
    tx: &mut Conn,
    association: &AssociationId,
    who: &Leaver,
    from: Millis,
    recorded_at: Millis,
) -> Result<(), StoreError> {
    let (kind, id) = leaver(who);
    tx.exec(&LEAVING_ADD, values![association.as_str(), kind, id, from, recorded_at]).await.map(drop)
}

/// Notes that somebody is back. `false`: they had not left.
///
/// # Errors
/// The database's.
pub async fn leaving_back(
    tx: &mut Conn,
    association: &AssociationId,
    who: &Leaver,
    back: Return,
) -> Result<bool, StoreError> {
    let (kind, id) = leaver(who);
    let params = values![association.as_str(), kind, id, back.from, back.recorded_at];
    Ok(tx.exec(&LEAVING_BACK, params).await? > 0)
}

fn leaving(row: &Row) -> Result<Leaving, StoreError> {
    let who = if row.text("who_kind")? == "institution" {
        Leaver::Institution(row.id("who_id", InstitutionId::from_stored)?)
    } else {
        Leaver::Person(row.id("who_id", MemberId::from_stored)?)
    };
    let back = row.opt_millis("back_from_ms")?.zip(row.opt_millis("back_recorded_at_ms")?);
    Ok(Leaving {
        who,
        from: row.millis("from_ms")?,
        recorded_at: row.millis("recorded_at_ms")?,
        back: back.map(|(from, recorded_at)| Return { from, recorded_at }),
    })
}

/// Everything that decides who is on at any moment from `since` on; all there is for the beginning of time.
/// Who was on before that moment cannot be told from it: a swap's other leg may reach back, so the look back
/// goes as far as the legs of the swaps in it do.
///
/// # Errors
/// The database's.
pub async fn records_since(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<Records, StoreError> {
    let mut since = since;
    for _ in 0..WIDENINGS_MAX {
        let row = conn.one(&SWAPS_EARLIEST, values![association.as_str(), since]).await?;
        match row.map_or(Ok(None), |row| row.opt_millis("from_ms"))? {
            Some(earlier) if earlier < since => since = earlier,
            _ => break,
        }
    }
    let mut publications: BTreeMap<PublicationId, Publication> = BTreeMap::new();
    let periods = values![association.as_str(), since.plus_ms(-DUTY_MAX_MS)];
    for row in conn.all(&PUBLICATIONS_SINCE, periods).await? {
        let publication = Publication {
            id: row.id("publication_id", PublicationId::from_stored)?,
            area: area(&row, "rota_publication")?,
            period: window(&row)?,
            recorded_at: row.millis("recorded_at_ms")?,
            assignments: Vec::new(),
        };
        publications.insert(publication.id.clone(), publication);
    }
    for row in conn.all(&ASSIGNMENTS_SINCE, values![association.as_str(), since]).await? {
        // A duty that reaches further than forty days beyond its period cannot be written.
        if let Some(publication) =
            publications.get_mut(&row.id("publication_id", PublicationId::from_stored)?)
        {
            let duty = duty(&row, &publication.area, "rota_assignment")?;
            publication.assignments.push(duty);
        }
    }
    let overrides = overrides_since(conn, association, since).await?;
    let swaps = swaps_since(conn, association, since).await?;
    let leavings = conn.all(&LEAVINGS, values![association.as_str()]).await?;
    Ok(Records {
        publications: publications.into_values().collect(),
        overrides: overrides.into_iter().map(|row| row.change).collect(),
        swaps: swaps.into_iter().map(|row| row.swap).collect(),
        leavings: leavings.iter().map(leaving).collect::<Result<_, _>>()?,
    })
}
