//! The tariffs an association recorded, what its office recorded by hand for the ledger, and the orders for
//! entries over closed months. What they mean is `domain::ledger` and `app::ledger`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::statements;
use crate::domain::ledger::{Books, Month};
use crate::ids::{AssociationId, LedgerLineId, RequestId};
use crate::money::Yen;
use crate::time::Millis;

statements! {
    TARIFFS_ADD = "INSERT INTO tariff_set (association_id, number, version, recorded_at_ms, recorded_by, note, body) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (association_id, number) DO NOTHING";
    TARIFFS_NEWEST = "SELECT * FROM tariff_set WHERE association_id = $1 AND recorded_at_ms <= $2 ORDER BY number DESC LIMIT 1";
    TARIFFS_BY_NUMBER = "SELECT * FROM tariff_set WHERE association_id = $1 AND number = $2";
    TARIFFS_ALL = "SELECT * FROM tariff_set WHERE association_id = $1 ORDER BY number DESC LIMIT $2";
    EVIDENCE_ADD = "INSERT INTO ledger_evidence (association_id, request_id, number, recorded_at_ms, recorded_by, body) SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5 FROM ledger_evidence WHERE association_id = $1 AND request_id = $2";
    EVIDENCE_ALL = "SELECT request_id, number, body FROM ledger_evidence WHERE association_id = $1 AND recorded_at_ms <= $2 AND (request_id > $3 OR (request_id = $3 AND number > $4)) ORDER BY request_id, number LIMIT $5";
    EVIDENCE_OF = "SELECT request_id, number, body FROM ledger_evidence WHERE association_id = $1 AND request_id = $2 ORDER BY number";
    CORRECTION_ADD = "INSERT INTO ledger_correction (association_id, line_id, instead_yen, note, recorded_at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (association_id, line_id) DO NOTHING";
    CORRECTIONS_OPEN = "SELECT line_id, instead_yen, note, recorded_by FROM ledger_correction WHERE association_id = $1 AND recorded_at_ms <= $2 AND (sealed_in IS NULL OR sealed_in = $3) ORDER BY recorded_at_ms, line_id";
    CORRECTIONS_WAITING = "SELECT line_id, instead_yen, note, recorded_by FROM ledger_correction WHERE association_id = $1 AND sealed_in IS NULL ORDER BY recorded_at_ms, line_id";
    CORRECTION_DROP = "DELETE FROM ledger_correction WHERE association_id = $1 AND line_id = $2 AND sealed_in IS NULL";
    CORRECTIONS_SEAL = "UPDATE ledger_correction SET sealed_in = $3 WHERE association_id = $1 AND recorded_at_ms <= $2 AND sealed_in IS NULL";
    RERUN_ADD = "INSERT INTO ledger_rerun (association_id, month, tariff_number, recorded_at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (association_id, month, tariff_number) DO NOTHING";
    RERUNS_OPEN = "SELECT month, tariff_number FROM ledger_rerun WHERE association_id = $1 AND recorded_at_ms <= $2 AND (sealed_in IS NULL OR sealed_in = $3) ORDER BY tariff_number, month";
    RERUNS_SEAL = "UPDATE ledger_rerun SET sealed_in = $3 WHERE association_id = $1 AND recorded_at_ms <= $2 AND sealed_in IS NULL";
    PRORATION_ADD = "INSERT INTO ledger_proration (association_id, program, fiscal_year, budget_yen, note, recorded_at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (association_id, program, fiscal_year) DO NOTHING";
    PRORATIONS_OPEN = "SELECT program, fiscal_year, budget_yen FROM ledger_proration WHERE association_id = $1 AND fiscal_year = $2 AND recorded_at_ms <= $3 ORDER BY program";
    PRORATIONS_SEAL = "UPDATE ledger_proration SET sealed_in = $4 WHERE association_id = $1 AND fiscal_year = $2 AND recorded_at_ms <= $3 AND sealed_in IS NULL";
    BOOKS_PUT = "INSERT INTO ledger_books (association_id, program, first_month, party, actual_yen, total_cost_yen, other_income_yen, recorded_at_ms, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (association_id, program, first_month, party) DO UPDATE SET actual_yen = excluded.actual_yen, total_cost_yen = excluded.total_cost_yen, other_income_yen = excluded.other_income_yen, recorded_at_ms = excluded.recorded_at_ms, recorded_by = excluded.recorded_by";
    BOOKS_OF = "SELECT program, party, actual_yen, total_cost_yen, other_income_yen FROM ledger_books WHERE association_id = $1 AND program = $2 AND first_month = $3 ORDER BY party";
}

/// Tariffs as they were recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TariffSet {
    /// Counted from 1 in each association.
    pub number: i64,
    /// Names the text.
    pub version: String,
    pub recorded: Millis,
    pub recorded_by: String,
    /// Why.
    pub note: String,
    /// TOML.
    pub body: String,
}

fn tariff_set(row: &Row) -> Result<TariffSet, StoreError> {
    Ok(TariffSet {
        number: row.int("number")?,
        version: row.text("version")?,
        recorded: row.millis("recorded_at_ms")?,
        recorded_by: row.text("recorded_by")?,
        note: row.text("note")?,
        body: row.text("body")?,
    })
}

/// `false`: this number is there already.
///
/// # Errors
/// The database's.
pub async fn tariffs_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &TariffSet,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        new.number,
        new.version.as_str(),
        new.recorded,
        new.recorded_by.as_str(),
        new.note.as_str(),
        new.body.as_str(),
    ];
    Ok(tx.exec(&TARIFFS_ADD, params).await? == 1)
}

/// The newest tariffs recorded at or before `as_of`.
///
/// # Errors
/// The database's.
pub async fn tariffs_newest(
    conn: &mut Conn,
    association: &AssociationId,
    as_of: Millis,
) -> Result<Option<TariffSet>, StoreError> {
    let row = conn.one(&TARIFFS_NEWEST, values![association.as_str(), as_of]).await?;
    row.as_ref().map(tariff_set).transpose()
}

/// # Errors
/// The database's.
pub async fn tariffs_by_number(
    conn: &mut Conn,
    association: &AssociationId,
    number: i64,
) -> Result<Option<TariffSet>, StoreError> {
    let row = conn.one(&TARIFFS_BY_NUMBER, values![association.as_str(), number]).await?;
    row.as_ref().map(tariff_set).transpose()
}

/// The newest first.
///
/// # Errors
/// The database's.
pub async fn tariffs_all(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<TariffSet>, StoreError> {
    conn.all(&TARIFFS_ALL, values![association.as_str(), limit]).await?.iter().map(tariff_set).collect()
}

/// Adds what the office recorded about an event.
///
/// # Errors
/// The database's.
pub async fn evidence_add<T: Serialize + Sync>(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    (at, by): (Millis, &str),
    evidence: &T,
) -> Result<(), StoreError> {
    let body =
        serde_json::to_string(evidence).map_err(|e| StoreError::corrupt("ledger_evidence", request, e))?;
    tx.exec(&EVIDENCE_ADD, values![association.as_str(), request.as_str(), at, by, body]).await.map(drop)
}

/// Rows read at a time.
const PAGE: i64 = 5_000;

/// Everything the office recorded until `as_of`, by event and in the order it was recorded.
///
/// # Errors
/// The database's.
pub async fn evidence_all<T: DeserializeOwned>(
    conn: &mut Conn,
    association: &AssociationId,
    as_of: Millis,
) -> Result<Vec<(RequestId, T)>, StoreError> {
    let (mut all, mut after) = (Vec::new(), (String::new(), 0i64));
    loop {
        let params = values![association.as_str(), as_of, after.0.as_str(), after.1, PAGE];
        let rows = conn.all(&EVIDENCE_ALL, params).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        after = (last.text("request_id")?, last.int("number")?);
        for row in &rows {
            all.push((row.id("request_id", RequestId::from_stored)?, row.json("body")?));
        }
    }
}

/// What the office recorded about one event.
///
/// # Errors
/// The database's.
pub async fn evidence_of<T: DeserializeOwned>(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Vec<T>, StoreError> {
    let rows = conn.all(&EVIDENCE_OF, values![association.as_str(), request.as_str()]).await?;
    rows.iter().map(|row| row.json("body")).collect()
}

/// An order to take a closed line back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectionRow {
    pub line: LedgerLineId,
    pub instead: Yen,
    pub note: String,
    pub by: String,
}

/// `false`: there is an order for this line.
///
/// # Errors
/// The database's; a line that is not sealed.
pub async fn correction_add(
    tx: &mut Conn,
    association: &AssociationId,
    order: &CorrectionRow,
    at: Millis,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        order.line.as_str(),
        order.instead.0,
        order.note.as_str(),
        at,
        order.by.as_str(),
    ];
    Ok(tx.exec(&CORRECTION_ADD, params).await? == 1)
}

/// Takes an order back before it is sealed; `false` where there is none.
///
/// # Errors
/// The database's.
pub async fn correction_drop(
    tx: &mut Conn,
    association: &AssociationId,
    line: &LedgerLineId,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&CORRECTION_DROP, values![association.as_str(), line.as_str()]).await? == 1)
}

/// The orders that go into `month`: not sealed yet, or sealed in it.
///
/// # Errors
/// The database's.
pub async fn corrections_for(
    conn: &mut Conn,
    association: &AssociationId,
    as_of: Millis,
    month: Month,
) -> Result<Vec<CorrectionRow>, StoreError> {
    let params = values![association.as_str(), as_of, month.to_string()];
    conn.all(&CORRECTIONS_OPEN, params).await?.iter().map(correction).collect()
}

/// Every order that no month has sealed yet.
///
/// # Errors
/// The database's.
pub async fn corrections_open(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<CorrectionRow>, StoreError> {
    conn.all(&CORRECTIONS_WAITING, values![association.as_str()]).await?.iter().map(correction).collect()
}

fn correction(row: &Row) -> Result<CorrectionRow, StoreError> {
    Ok(CorrectionRow {
        line: row.id("line_id", LedgerLineId::from_stored)?,
        instead: Yen(row.int("instead_yen")?),
        note: row.text("note")?,
        by: row.text("recorded_by")?,
    })
}

/// Orders a closed month to be run again; `false`: it was ordered with these tariffs.
///
/// # Errors
/// The database's.
pub async fn rerun_add(
    tx: &mut Conn,
    association: &AssociationId,
    (month, tariff_number): (Month, i64),
    (at, by): (Millis, &str),
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), month.to_string(), tariff_number, at, by];
    Ok(tx.exec(&RERUN_ADD, params).await? == 1)
}

/// The reruns that go into `month`: not sealed yet, or sealed in it.
///
/// # Errors
/// The database's.
pub async fn reruns_for(
    conn: &mut Conn,
    association: &AssociationId,
    as_of: Millis,
    month: Month,
) -> Result<Vec<(Month, i64)>, StoreError> {
    let params = values![association.as_str(), as_of, month.to_string()];
    let read = |row: &Row| {
        let month = row.text("month")?;
        let month = month.parse().map_err(|e| StoreError::corrupt("ledger_rerun", &month, e))?;
        Ok((month, row.int("tariff_number")?))
    };
    conn.all(&RERUNS_OPEN, params).await?.iter().map(read).collect()
}

/// Records what the officers decided on a budget that does not reach; `false`: it was decided.
///
/// # Errors
/// The database's.
pub async fn proration_add(
    tx: &mut Conn,
    association: &AssociationId,
    (program, fiscal_year): (&str, i32),
    (budget, note): (Yen, &str),
    (at, by): (Millis, &str),
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), program, i64::from(fiscal_year), budget.0, note, at, by];
    Ok(tx.exec(&PRORATION_ADD, params).await? == 1)
}

/// What was decided for a fiscal year.
///
/// # Errors
/// The database's.
pub async fn prorations_for(
    conn: &mut Conn,
    association: &AssociationId,
    fiscal_year: i32,
    as_of: Millis,
) -> Result<Vec<(String, Yen)>, StoreError> {
    let params = values![association.as_str(), i64::from(fiscal_year), as_of];
    let rows = conn.all(&PRORATIONS_OPEN, params).await?;
    rows.iter().map(|row| Ok((row.text("program")?, Yen(row.int("budget_yen")?)))).collect()
}

/// Marks every order recorded until `as_of` as sealed in `month`.
///
/// # Errors
/// The database's.
pub async fn orders_seal(
    tx: &mut Conn,
    association: &AssociationId,
    month: Month,
    as_of: Millis,
    ends_year: bool,
) -> Result<(), StoreError> {
    let name = month.to_string();
    tx.exec(&CORRECTIONS_SEAL, values![association.as_str(), as_of, name.as_str()]).await?;
    tx.exec(&RERUNS_SEAL, values![association.as_str(), as_of, name.as_str()]).await?;
    if ends_year {
        let year = i64::from(month.fiscal_year());
        tx.exec(&PRORATIONS_SEAL, values![association.as_str(), year, as_of, name.as_str()]).await?;
    }
    Ok(())
}

/// Writes the books of a claim; `party` is empty where the association claims for everybody.
///
/// # Errors
/// The database's.
pub async fn books_put(
    tx: &mut Conn,
    association: &AssociationId,
    (program, first, party): (&str, Month, &str),
    books: Books,
    (at, by): (Millis, &str),
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        program,
        first.to_string(),
        party,
        books.actual.0,
        books.total_cost.0,
        books.other_income.0,
        at,
        by,
    ];
    tx.exec(&BOOKS_PUT, params).await.map(drop)
}

/// The books of a programme's claims for the cycle that begins with `first`, by party.
///
/// # Errors
/// The database's.
pub async fn books_of(
    conn: &mut Conn,
    association: &AssociationId,
    program: &str,
    first: Month,
) -> Result<Vec<(String, Books)>, StoreError> {
    let rows = conn.all(&BOOKS_OF, values![association.as_str(), program, first.to_string()]).await?;
    let read = |row: &Row| {
        let books = Books {
            actual: Yen(row.int("actual_yen")?),
            total_cost: Yen(row.int("total_cost_yen")?),
            other_income: Yen(row.int("other_income_yen")?),
        };
        Ok((row.text("party")?, books))
    };
    rows.iter().map(read).collect()
}
