//! What the papers of the ledger need besides months and rules: names as of a closing, sums of closed months without
//! their lines, the association's judgement of a year, drafts of tariffs. Filling papers is `app::ledger`'s.

use serde::Deserialize;

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::statements;
use crate::domain::calendar::CivilDate;
use crate::domain::ledger::{Code, EventKind, Line, Month};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::money::Yen;
use crate::time::Millis;

statements! {
    NAME_ADD = "INSERT INTO ledger_name (association_id, month, kind, id, name, code, more) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    NAMES_OF = "SELECT kind, id, name, code, more FROM ledger_name WHERE association_id = $1 AND month = $2 ORDER BY kind, id";
    GRADE_PUT = "INSERT INTO ledger_grade (association_id, fiscal_year, item, grade, comment, recorded_at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (association_id, fiscal_year, item) DO UPDATE SET grade = excluded.grade, comment = excluded.comment, recorded_at_ms = excluded.recorded_at_ms, recorded_by = excluded.recorded_by";
    GRADES_OF = "SELECT item, grade, comment FROM ledger_grade WHERE association_id = $1 AND fiscal_year = $2 ORDER BY item";
    DRAFT_PUT = "INSERT INTO tariff_draft (association_id, fiscal_year, after_number, recorded_at_ms, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (association_id, fiscal_year) DO NOTHING";
    DRAFTS_AFTER = "SELECT fiscal_year, body FROM tariff_draft WHERE association_id = $1 AND after_number >= $2 ORDER BY fiscal_year DESC LIMIT 1";
    SEALED_SUMS = "SELECT month, program, tariff, party, CAST(SUM(amount_yen) AS BIGINT) AS yen, COUNT(*) AS n, CAST(SUM(CASE WHEN entry = 'original' AND reason IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS paid FROM ledger_sealed WHERE association_id = $1 AND month >= $2 AND month <= $3 AND program IS NOT NULL GROUP BY month, program, tariff, party ORDER BY month, program, tariff, party";
    SEALED_BETWEEN = "SELECT seq, month, body FROM ledger_sealed WHERE association_id = $1 AND month >= $2 AND month <= $3 AND seq > $4 ORDER BY seq LIMIT $5";
    EVENTS_BETWEEN = "SELECT request_id, counts_at_ms, body FROM completed_event WHERE association_id = $1 AND counts_at_ms >= $2 AND counts_at_ms < $3 AND (counts_at_ms > $4 OR request_id > $5) ORDER BY counts_at_ms, request_id LIMIT $6";
}

/// Rows read at a time.
const PAGE: i64 = 2_000;

/// A name as it stood when a month was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedName {
    /// `institution` or `member`.
    pub kind: String,
    pub id: String,
    pub name: String,
    /// The insurer's code of an institution, or nothing.
    pub code: String,
    /// The city's code of an institution; the roles of a member, with commas.
    pub more: String,
}

/// Keeps a name with a month that is being closed.
///
/// # Errors
/// The database's; a name that is there already.
pub async fn name_add(
    tx: &mut Conn,
    association: &AssociationId,
    month: Month,
    name: &SealedName,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        month.to_string(),
        name.kind.as_str(),
        name.id.as_str(),
        name.name.as_str(),
        name.code.as_str(),
        name.more.as_str(),
    ];
    tx.exec(&NAME_ADD, params).await.map(drop)
}

/// The names of a closed month by kind and id; none where it was closed before names were kept.
///
/// # Errors
/// The database's.
pub async fn names_of(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<Vec<SealedName>, StoreError> {
    let rows = conn.all(&NAMES_OF, values![association.as_str(), month.to_string()]).await?;
    let read = |row: &Row| {
        Ok(SealedName {
            kind: row.text("kind")?,
            id: row.text("id")?,
            name: row.text("name")?,
            code: row.text("code")?,
            more: row.text("more")?,
        })
    };
    rows.iter().map(read).collect()
}

/// What the association thinks of one item of a fiscal year (自己評価).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradeRow {
    /// `task:u`, `program:CODE`.
    pub item: String,
    /// A to D.
    pub grade: String,
    pub comment: String,
}

/// Writes a grade over an older one.
///
/// # Errors
/// The database's.
pub async fn grade_put(
    tx: &mut Conn,
    association: &AssociationId,
    fiscal_year: i32,
    grade: &GradeRow,
    (at, by): (Millis, &str),
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        i64::from(fiscal_year),
        grade.item.as_str(),
        grade.grade.as_str(),
        grade.comment.as_str(),
        at,
        by,
    ];
    tx.exec(&GRADE_PUT, params).await.map(drop)
}

/// The grades of a fiscal year by item.
///
/// # Errors
/// The database's.
pub async fn grades_of(
    conn: &mut Conn,
    association: &AssociationId,
    fiscal_year: i32,
) -> Result<Vec<GradeRow>, StoreError> {
    let rows = conn.all(&GRADES_OF, values![association.as_str(), i64::from(fiscal_year)]).await?;
    let read = |row: &Row| {
        Ok(GradeRow { item: row.text("item")?, grade: row.text("grade")?, comment: row.text("comment")? })
    };
    rows.iter().map(read).collect()
}

/// Keeps a draft of tariffs for a fiscal year, written from the version `after`; one that is there stays.
///
/// # Errors
/// The database's.
pub async fn draft_put(
    tx: &mut Conn,
    association: &AssociationId,
    (fiscal_year, after): (i32, i64),
    at: Millis,
    body: &str,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), i64::from(fiscal_year), after, at, body];
    tx.exec(&DRAFT_PUT, params).await.map(drop)
}

/// The newest draft that nobody has recorded tariffs over: its fiscal year and its text.
///
/// # Errors
/// The database's.
pub async fn draft_waiting(
    conn: &mut Conn,
    association: &AssociationId,
    newest: i64,
) -> Result<Option<(i32, String)>, StoreError> {
    let row = conn.one(&DRAFTS_AFTER, values![association.as_str(), newest]).await?;
    let read = |row: Row| {
        let year = i32::try_from(row.int("fiscal_year")?)
            .map_err(|e| StoreError::corrupt("tariff_draft", "fiscal_year", e))?;
        Ok((year, row.text("body")?))
    };
    row.map(read).transpose()
}

/// What one tariff came to for one institution in a closed month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumRow {
    pub month: Month,
    pub program: Code,
    pub tariff: Option<Code>,
    pub institution: InstitutionId,
    pub yen: Yen,
    /// All lines, entries of corrections included.
    pub lines: i64,
    /// Plain lines that are eligible.
    pub paid: i64,
}

/// The sums of closed months, both included, by month, programme, tariff and institution. Read from the columns of
/// the sealed rows, which `touban verify` holds against their texts.
///
/// # Errors
/// The database's.
pub async fn sealed_sums(
    conn: &mut Conn,
    association: &AssociationId,
    first: Month,
    last: Month,
) -> Result<Vec<SumRow>, StoreError> {
    let params = values![association.as_str(), first.to_string(), last.to_string()];
    let rows = conn.all(&SEALED_SUMS, params).await?;
    let code =
        |text: String| text.parse::<Code>().map_err(|e| StoreError::corrupt("ledger_sealed", &text, e));
    let read = |row: &Row| {
        let month = row.text("month")?;
        Ok(SumRow {
            month: month.parse().map_err(|e| StoreError::corrupt("ledger_sealed", &month, e))?,
            program: code(row.text("program")?)?,
            tariff: row.opt_text("tariff")?.map(code).transpose()?,
            institution: row.id("party", InstitutionId::from_stored)?,
            yen: Yen(row.int("yen")?),
            lines: row.int("n")?,
            paid: row.int("paid")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Every sealed line of closed months, both included, with the month that closed it, one after the other.
///
/// # Errors
/// The database's.
pub async fn sealed_between(
    conn: &mut Conn,
    association: &AssociationId,
    (first, last): (Month, Month),
    mut each: impl FnMut(Month, &Line),
) -> Result<(), StoreError> {
    let mut after = 0i64;
    loop {
        let params = values![association.as_str(), first.to_string(), last.to_string(), after, PAGE];
        let rows = conn.all(&SEALED_BETWEEN, params).await?;
        let Some(end) = rows.last() else { return Ok(()) };
        after = end.int("seq")?;
        for row in &rows {
            let month = row.text("month")?;
            let month = month.parse().map_err(|e| StoreError::corrupt("ledger_sealed", &month, e))?;
            each(month, &row.json("body")?);
        }
    }
}

/// Of a completed event, what pictures and reports of an ended programme show.
#[derive(Clone, Debug, Deserialize)]
pub struct Glance {
    pub kind: EventKind,
    pub created_at: Millis,
    pub accepted_at: Millis,
    pub moment: GlanceMoment,
    pub outcome: Code,
    #[serde(default)]
    pub transport_avoided: bool,
    pub acceptor: GlanceAcceptor,
}

/// The day on which it counts.
#[derive(Clone, Debug, Deserialize)]
pub struct GlanceMoment {
    pub civil_date: CivilDate,
}

/// Who took it.
#[derive(Clone, Debug, Deserialize)]
pub struct GlanceAcceptor {
    pub institution: InstitutionId,
    pub person: Option<MemberId>,
}

/// The completed events that count in `[from, to)`, by that instant, one after the other with their requests.
///
/// # Errors
/// The database's.
pub async fn events_between(
    conn: &mut Conn,
    association: &AssociationId,
    (from, to): (Millis, Millis),
    mut each: impl FnMut(&str, &Glance),
) -> Result<(), StoreError> {
    let (mut at, mut after) = (from, String::new());
    loop {
        let params = values![association.as_str(), at, to, at, after.as_str(), PAGE];
        let rows = conn.all(&EVENTS_BETWEEN, params).await?;
        let Some(end) = rows.last() else { return Ok(()) };
        (at, after) = (end.millis("counts_at_ms")?, end.text("request_id")?);
        for row in &rows {
            each(&row.text("request_id")?, &row.json("body")?);
        }
    }
}
