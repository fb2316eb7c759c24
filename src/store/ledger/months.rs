//! Months of the ledger: what was made and closed, the sealed lines and their chain, what was held.

use super::super::db::{Conn, StoreError};
use super::super::row::{Row, values};
use super::super::statements;
use crate::domain::calendar::CivilDate;
use crate::domain::ledger::{Brief, Code, Line, Month, ReasonCode, Side, Unit};
use crate::ids::{AssociationId, InstitutionId, LedgerLineId, RequestId};
use crate::money::Yen;
use crate::seal::books::{GENESIS, line_hash};
use crate::time::Millis;

statements! {
    CLOSE_GET = "SELECT * FROM ledger_close WHERE association_id = $1 AND month = $2";
    CLOSES_ALL = "SELECT * FROM ledger_close WHERE association_id = $1 ORDER BY month DESC LIMIT $2";
    CLOSE_LAST = "SELECT * FROM ledger_close WHERE association_id = $1 AND state = 'closed' ORDER BY month DESC LIMIT 1";
    CLOSE_LAST_BEFORE = "SELECT * FROM ledger_close WHERE association_id = $1 AND state = 'closed' AND month < $2 ORDER BY month DESC LIMIT 1";
    CLOSE_MAKE = "INSERT INTO ledger_close (association_id, month, state, revision, made_at_ms, made_by, tariff_number, tariffs_version, lines, held, total_yen, run_hash, ends_year) VALUES ($1, $2, 'made', 1, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (association_id, month) DO UPDATE SET revision = ledger_close.revision + 1, made_at_ms = excluded.made_at_ms, made_by = excluded.made_by, tariff_number = excluded.tariff_number, tariffs_version = excluded.tariffs_version, lines = excluded.lines, held = excluded.held, total_yen = excluded.total_yen, run_hash = excluded.run_hash, ends_year = excluded.ends_year WHERE ledger_close.state = 'made'";
    CLOSE_SEAL = "UPDATE ledger_close SET state = 'closed', revision = revision + 1, closed_at_ms = $3, closed_by = $4, first_seq = $5, head_seq = $6, head_hash = $7 WHERE association_id = $1 AND month = $2 AND state = 'made' AND run_hash = $8";
    CLOSE_UNMAKE = "DELETE FROM ledger_close WHERE association_id = $1 AND month = $2 AND state = 'made'";
    SEALED_HEAD = "SELECT seq, hash FROM ledger_sealed WHERE association_id = $1 ORDER BY seq DESC LIMIT 1";
    SEALED_ADD = "INSERT INTO ledger_sealed (association_id, seq, line_id, month, event, case_no, side, party, program, tariff, civil_date, unit, reason, entry, of_line, amount_yen, body, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    SEALED_AFTER = "SELECT * FROM ledger_sealed WHERE association_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    SEALED_OF_MONTH = "SELECT seq, body FROM ledger_sealed WHERE association_id = $1 AND month = $2 AND seq > $3 ORDER BY seq LIMIT $4";
    SEALED_OF_PARTY = "SELECT seq, body FROM ledger_sealed WHERE association_id = $1 AND month = $2 AND party = $3 AND seq > $4 ORDER BY seq LIMIT $5";
    SEALED_BY_LINE = "SELECT seq, month, body FROM ledger_sealed WHERE association_id = $1 AND line_id = $2";
    SEALED_OF_EVENT = "SELECT seq, body FROM ledger_sealed WHERE association_id = $1 AND event = $2 ORDER BY seq";
    SEALED_REVERSED = "SELECT COUNT(*) AS n FROM ledger_sealed WHERE association_id = $1 AND of_line = $2 AND entry = 'reversal'";
    SEALED_BRIEFS = "SELECT seq, event, case_no, side, party, program, tariff, civil_date, unit, reason, entry, amount_yen FROM ledger_sealed WHERE association_id = $1 AND civil_date >= $2 AND civil_date < $3 AND seq > $4 AND month < $5 ORDER BY seq LIMIT $6";
    SEALED_OF_CASES = "SELECT seq, event, case_no, side, party, program, tariff, civil_date, unit, reason, entry, amount_yen FROM ledger_sealed WHERE association_id = $1 AND case_no IN (SELECT value FROM json_each($2)) AND civil_date >= $3 AND month < $4 ORDER BY seq", "SELECT seq, event, case_no, side, party, program, tariff, civil_date, unit, reason, entry, amount_yen FROM ledger_sealed WHERE association_id = $1 AND case_no IN (SELECT json_array_elements_text(CAST($2 AS json))) AND civil_date >= $3 AND month < $4 ORDER BY seq";
    SEALED_SPENT = "SELECT program, CAST(SUM(amount_yen) AS BIGINT) AS yen, MAX(CASE WHEN reason = 'budget_spent' THEN 1 ELSE 0 END) AS spent_out FROM ledger_sealed WHERE association_id = $1 AND month < $2 AND civil_date >= $3 AND civil_date < $4 AND program IS NOT NULL GROUP BY program ORDER BY program";
    SEALED_BY_PROGRAM = "SELECT program, CAST(SUM(amount_yen) AS BIGINT) AS yen FROM ledger_sealed WHERE association_id = $1 AND month >= $2 AND month <= $3 AND program IS NOT NULL GROUP BY program ORDER BY program";
    SEALED_BY_MONTH = "SELECT month, program, CAST(SUM(amount_yen) AS BIGINT) AS yen, COUNT(*) AS n FROM ledger_sealed WHERE association_id = $1 AND month >= $2 AND month <= $3 AND program IS NOT NULL GROUP BY month, program ORDER BY month, program";
    SEALED_BY_PARTY = "SELECT party, month, program, CAST(SUM(amount_yen) AS BIGINT) AS yen FROM ledger_sealed WHERE association_id = $1 AND month <= $2 GROUP BY party, month, program ORDER BY party, month, program";
    HELD_ADD = "INSERT INTO ledger_held (association_id, month, request_id) VALUES ($1, $2, $3) ON CONFLICT (association_id, month, request_id) DO NOTHING";
    HELD_OF = "SELECT e.request_id, e.body FROM ledger_held h JOIN completed_event e ON e.association_id = h.association_id AND e.request_id = h.request_id WHERE h.association_id = $1 AND h.month = $2 ORDER BY h.request_id";
}

/// How far a month is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseState {
    /// The clerk has made it; an officer has not approved it.
    Made,
    /// Closed for good.
    Closed,
}

impl CloseState {
    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Closed => "closed",
        }
    }
}

/// Where the lines of a closed month stand in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAt {
    pub at: Millis,
    pub by: String,
    /// The first line of the month; one more than the head where it has none.
    pub first_seq: i64,
    pub head_seq: i64,
    pub head_hash: Vec<u8>,
}

/// A month that was made or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseRow {
    pub month: Month,
    pub state: CloseState,
    pub revision: i64,
    /// What was known then is what the month says.
    pub made_at: Millis,
    pub made_by: String,
    /// The number of the recorded tariffs; 0: those of the configuration.
    pub tariff_number: i64,
    pub tariffs_version: String,
    pub lines: i64,
    pub held: i64,
    pub total: Yen,
    pub run_hash: String,
    /// It closes the fiscal year: nothing of it is held any more.
    pub ends_year: bool,
    pub sealed: Option<SealedAt>,
}

fn close_row(row: &Row) -> Result<CloseRow, StoreError> {
    let month = row.text("month")?;
    let state = match row.text("state")?.as_str() {
        "closed" => CloseState::Closed,
        _ => CloseState::Made,
    };
    let sealed = match (row.opt_millis("closed_at_ms")?, row.opt_text("closed_by")?) {
        (Some(at), Some(by)) => Some(SealedAt {
            at,
            by,
            first_seq: row.int("first_seq")?,
            head_seq: row.int("head_seq")?,
            head_hash: row.bytes("head_hash")?,
        }),
        _ => None,
    };
    Ok(CloseRow {
        state,
        revision: row.int("revision")?,
        made_at: row.millis("made_at_ms")?,
        made_by: row.text("made_by")?,
        tariff_number: row.int("tariff_number")?,
        tariffs_version: row.text("tariffs_version")?,
        lines: row.int("lines")?,
        held: row.int("held")?,
        total: Yen(row.int("total_yen")?),
        run_hash: row.text("run_hash")?,
        ends_year: row.int("ends_year")? == 1,
        sealed,
        month: month.parse().map_err(|e| StoreError::corrupt("ledger_close", &month, e))?,
    })
}

/// # Errors
/// The database's.
pub async fn close_get(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<Option<CloseRow>, StoreError> {
    let row = conn.one(&CLOSE_GET, values![association.as_str(), month.to_string()]).await?;
    row.as_ref().map(close_row).transpose()
}

/// The newest months first.
///
/// # Errors
/// The database's.
pub async fn closes(
    conn: &mut Conn,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<CloseRow>, StoreError> {
    conn.all(&CLOSES_ALL, values![association.as_str(), limit]).await?.iter().map(close_row).collect()
}

/// The last closed month, of all or before another.
///
/// # Errors
/// The database's.
pub async fn close_last(
    conn: &mut Conn,
    association: &AssociationId,
    before: Option<Month>,
) -> Result<Option<CloseRow>, StoreError> {
    let row = match before {
        None => conn.one(&CLOSE_LAST, values![association.as_str()]).await?,
        Some(month) => conn.one(&CLOSE_LAST_BEFORE, values![association.as_str(), month.to_string()]).await?,
    };
    row.as_ref().map(close_row).transpose()
}

/// Writes a made month over an older making; `false` where it is closed.
///
/// # Errors
/// The database's.
pub async fn close_make(
    tx: &mut Conn,
    association: &AssociationId,
    made: &CloseRow,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        made.month.to_string(),
        made.made_at,
        made.made_by.as_str(),
        made.tariff_number,
        made.tariffs_version.as_str(),
        made.lines,
        made.held,
        made.total.0,
        made.run_hash.as_str(),
        i64::from(made.ends_year),
    ];
    Ok(tx.exec(&CLOSE_MAKE, params).await? == 1)
}

/// Takes a making back; `false` where there is none.
///
/// # Errors
/// The database's.
pub async fn close_unmake(
    tx: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&CLOSE_UNMAKE, values![association.as_str(), month.to_string()]).await? == 1)
}

/// The end of the chain of sealed lines.
///
/// # Errors
/// The database's.
pub async fn sealed_head(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<(i64, [u8; 32]), StoreError> {
    let Some(row) = conn.one(&SEALED_HEAD, values![association.as_str()]).await? else {
        return Ok((0, GENESIS));
    };
    let (seq, hash) = (row.int("seq")?, row.bytes("hash")?);
    let hash = hash
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::Unusable("the head of the chain of sealed lines is damaged".to_owned()))?;
    Ok((seq, hash))
}

/// Seals the lines of a made month, whose JSON is given with them; `None` where it is not the made one any more.
///
/// # Errors
/// The database's; a line that is sealed already.
pub async fn close_seal(
    tx: &mut Conn,
    association: &AssociationId,
    (month, run_hash): (Month, &str),
    lines: &[(Line, String)],
    (at, by): (Millis, &str),
) -> Result<Option<SealedAt>, StoreError> {
    let (before, mut hash) = sealed_head(tx, association).await?;
    let name = month.to_string();
    let mut seq = before;
    for (line, body) in lines {
        seq += 1;
        hash = line_hash(&hash, association.as_str(), seq, &name, body);
        let params = values![
            association.as_str(),
            seq,
            line.id.as_str(),
            name.as_str(),
            line.event.key(),
            line.case_no.map(|c| c.to_string()),
            line.side.code(),
            line.institution.as_str(),
            line.program.as_ref().map(Code::as_str),
            line.tariff.as_ref().map(Code::as_str),
            line.civil_date.to_string(),
            line.unit.code(),
            line.eligibility.reason().map(ReasonCode::code),
            line.entry.code(),
            line.entry.of().map(LedgerLineId::as_str),
            line.amount.0,
            body.as_str(),
            hash.as_slice(),
        ];
        tx.exec(&SEALED_ADD, params).await?;
    }
    let params = values![association.as_str(), name, at, by, before + 1, seq, hash.as_slice(), run_hash];
    let sealed = tx.exec(&CLOSE_SEAL, params).await? == 1;
    let sealed_at =
        SealedAt { at, by: by.to_owned(), first_seq: before + 1, head_seq: seq, head_hash: hash.to_vec() };
    Ok(sealed.then_some(sealed_at))
}

/// A sealed row as it stands: for checks, columns and body may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    pub seq: i64,
    pub month: String,
    /// Every column that repeats something of the body, in the order of the table.
    pub columns: Vec<Option<String>>,
    pub body: String,
    pub hash: Vec<u8>,
}

/// The columns a line has in its row.
#[must_use]
pub fn columns_of(line: &Line) -> Vec<Option<String>> {
    vec![
        Some(line.id.to_string()),
        Some(line.event.key()),
        line.case_no.map(|c| c.to_string()),
        Some(line.side.code().to_owned()),
        Some(line.institution.to_string()),
        line.program.as_ref().map(ToString::to_string),
        line.tariff.as_ref().map(ToString::to_string),
        Some(line.civil_date.to_string()),
        Some(line.unit.code().to_owned()),
        line.eligibility.reason().map(|r| r.code().to_owned()),
        Some(line.entry.code().to_owned()),
        line.entry.of().map(ToString::to_string),
        Some(line.amount.0.to_string()),
    ]
}

/// Sealed rows after a number.
///
/// # Errors
/// The database's.
pub async fn sealed_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: i64,
    limit: i64,
) -> Result<Vec<SealedRow>, StoreError> {
    let rows = conn.all(&SEALED_AFTER, values![association.as_str(), after, limit]).await?;
    let read = |row: &Row| {
        let texts = [
            "line_id",
            "event",
            "case_no",
            "side",
            "party",
            "program",
            "tariff",
            "civil_date",
            "unit",
            "reason",
            "entry",
            "of_line",
        ];
        let mut columns: Vec<Option<String>> =
            texts.into_iter().map(|name| row.opt_text(name)).collect::<Result<_, _>>()?;
        columns.push(Some(row.int("amount_yen")?.to_string()));
        Ok(SealedRow {
            seq: row.int("seq")?,
            month: row.text("month")?,
            columns,
            body: row.text("body")?,
            hash: row.bytes("hash")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Lines read at a time.
const PAGE: i64 = 5_000;

/// Every sealed line of a month, in the order of the chain; of one institution where one is named.
///
/// # Errors
/// The database's.
pub async fn sealed_of_month(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
    party: Option<&InstitutionId>,
) -> Result<Vec<Line>, StoreError> {
    let (mut lines, mut after, month) = (Vec::new(), 0i64, month.to_string());
    loop {
        let rows = match party {
            None => {
                conn.all(&SEALED_OF_MONTH, values![association.as_str(), month.as_str(), after, PAGE]).await?
            }
            Some(party) => {
                let params = values![association.as_str(), month.as_str(), party.as_str(), after, PAGE];
                conn.all(&SEALED_OF_PARTY, params).await?
            }
        };
        let Some(last) = rows.last() else { return Ok(lines) };
        after = last.int("seq")?;
        for row in &rows {
            lines.push(row.json("body")?);
        }
    }
}

/// A sealed line with the month that closed it.
///
/// # Errors
/// The database's.
pub async fn sealed_by_line(
    conn: &mut Conn,
    association: &AssociationId,
    line: &LedgerLineId,
) -> Result<Option<(Month, Line)>, StoreError> {
    let Some(row) = conn.one(&SEALED_BY_LINE, values![association.as_str(), line.as_str()]).await? else {
        return Ok(None);
    };
    let month = row.text("month")?;
    let month = month.parse().map_err(|e| StoreError::corrupt("ledger_sealed", line, e))?;
    Ok(Some((month, row.json("body")?)))
}

/// Every sealed line of an event.
///
/// # Errors
/// The database's.
pub async fn sealed_of_event(
    conn: &mut Conn,
    association: &AssociationId,
    event: &str,
) -> Result<Vec<Line>, StoreError> {
    let rows = conn.all(&SEALED_OF_EVENT, values![association.as_str(), event]).await?;
    rows.iter().map(|row| row.json("body")).collect()
}

/// Whether a line was taken back by a closed month.
///
/// # Errors
/// The database's.
pub async fn sealed_reversed(
    conn: &mut Conn,
    association: &AssociationId,
    line: &LedgerLineId,
) -> Result<bool, StoreError> {
    let row = conn.one(&SEALED_REVERSED, values![association.as_str(), line.as_str()]).await?;
    Ok(row.map(|r| r.int("n")).transpose()?.unwrap_or(0) > 0)
}

fn brief(row: &Row) -> Result<Brief, StoreError> {
    let wrong = |what: &'static str| StoreError::corrupt("ledger_sealed", "", what);
    let code = |text: Option<String>| {
        text.map(|t| t.parse::<Code>()).transpose().map_err(|e| StoreError::corrupt("ledger_sealed", "", e))
    };
    let entry = row.text("entry")?;
    let entry = ["original", "reversal", "correction", "difference", "proration"]
        .into_iter()
        .find(|known| *known == entry)
        .ok_or_else(|| wrong("an entry of no known kind"))?;
    let date = row.text("civil_date")?;
    Ok(Brief {
        event: row.text("event")?,
        case: row.opt_text("case_no")?,
        side: Side::from_code(&row.text("side")?).ok_or_else(|| wrong("no side"))?,
        institution: row.id("party", InstitutionId::from_stored)?,
        program: code(row.opt_text("program")?)?,
        tariff: code(row.opt_text("tariff")?)?,
        civil_date: date.parse().map_err(|e| StoreError::corrupt("ledger_sealed", &date, e))?,
        by_day: row.text("unit")? == Unit::Day.code(),
        reason: row.opt_text("reason")?.and_then(|r| ReasonCode::from_code(&r)),
        entry,
        amount: Yen(row.int("amount_yen")?),
    })
}

/// What closed months before `month` hold of events of the days `[from, to)`, in the order of the chain; `each` gets
/// one after the other, so that a long ledger is not held in memory.
///
/// # Errors
/// The database's.
pub async fn sealed_briefs(
    conn: &mut Conn,
    association: &AssociationId,
    ((from, to), month): ((CivilDate, CivilDate), Month),
    mut each: impl FnMut(&Brief),
) -> Result<(), StoreError> {
    let (mut after, from, to) = (0i64, from.to_string(), to.to_string());
    loop {
        let params =
            values![association.as_str(), from.as_str(), to.as_str(), after, month.to_string(), PAGE];
        let rows = conn.all(&SEALED_BRIEFS, params).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.int("seq")?;
        for row in &rows {
            each(&brief(row)?);
        }
    }
}

/// Cases asked about in one statement.
const CASES: usize = 1_000;

/// What closed months before `month` hold of these cases, for events from a day on.
///
/// # Errors
/// The database's.
pub async fn sealed_of_cases(
    conn: &mut Conn,
    association: &AssociationId,
    cases: &[String],
    (from, month): (CivilDate, Month),
    mut each: impl FnMut(&Brief),
) -> Result<(), StoreError> {
    for some in cases.chunks(CASES) {
        let list = serde_json::Value::from(some).to_string();
        let params = values![association.as_str(), list, from.to_string(), month.to_string()];
        for row in &conn.all(&SEALED_OF_CASES, params).await? {
            each(&brief(row)?);
        }
    }
    Ok(())
}

/// What each programme has paid in closed months before `month` for events of the days `[from, to)`, and whether a
/// line did not fit into its budget any more.
///
/// # Errors
/// The database's.
pub async fn sealed_spent(
    conn: &mut Conn,
    association: &AssociationId,
    (from, to): (CivilDate, CivilDate),
    month: Month,
) -> Result<Vec<(Code, Yen, bool)>, StoreError> {
    let params = values![association.as_str(), month.to_string(), from.to_string(), to.to_string()];
    let rows = conn.all(&SEALED_SPENT, params).await?;
    let read = |row: &Row| {
        let program = row.text("program")?;
        let program = program.parse().map_err(|e| StoreError::corrupt("ledger_sealed", &program, e))?;
        Ok((program, Yen(row.int("yen")?), row.int("spent_out")? == 1))
    };
    rows.iter().map(read).collect()
}

/// What each programme paid in closed months, both included.
///
/// # Errors
/// The database's.
pub async fn sealed_by_program(
    conn: &mut Conn,
    association: &AssociationId,
    first: Month,
    last: Month,
) -> Result<Vec<(String, Yen)>, StoreError> {
    let params = values![association.as_str(), first.to_string(), last.to_string()];
    let rows = conn.all(&SEALED_BY_PROGRAM, params).await?;
    rows.iter().map(|row| Ok((row.text("program")?, Yen(row.int("yen")?)))).collect()
}

/// Month, programme, yen and lines of closed months, both included.
///
/// # Errors
/// The database's.
pub async fn sealed_by_month(
    conn: &mut Conn,
    association: &AssociationId,
    first: Month,
    last: Month,
) -> Result<Vec<(Month, String, Yen, i64)>, StoreError> {
    let params = values![association.as_str(), first.to_string(), last.to_string()];
    let rows = conn.all(&SEALED_BY_MONTH, params).await?;
    let read = |row: &Row| {
        let month = row.text("month")?;
        let month = month.parse().map_err(|e| StoreError::corrupt("ledger_sealed", &month, e))?;
        Ok((month, row.text("program")?, Yen(row.int("yen")?), row.int("n")?))
    };
    rows.iter().map(read).collect()
}

/// What an institution came to in a closed month, under one programme or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartySum {
    pub institution: InstitutionId,
    pub month: Month,
    pub program: Option<String>,
    pub yen: Yen,
}

/// What every institution came to in each closed month until `last`, by institution, then month, then programme.
///
/// # Errors
/// The database's.
pub async fn sealed_by_party(
    conn: &mut Conn,
    association: &AssociationId,
    last: Month,
) -> Result<Vec<PartySum>, StoreError> {
    let rows = conn.all(&SEALED_BY_PARTY, values![association.as_str(), last.to_string()]).await?;
    let read = |row: &Row| {
        let month = row.text("month")?;
        Ok(PartySum {
            institution: row.id("party", InstitutionId::from_stored)?,
            month: month.parse().map_err(|e| StoreError::corrupt("ledger_sealed", &month, e))?,
            program: row.opt_text("program")?,
            yen: Yen(row.int("yen")?),
        })
    };
    rows.iter().map(read).collect()
}

/// Remembers that an event's lines were held when the month closed.
///
/// # Errors
/// The database's.
pub async fn held_add(
    tx: &mut Conn,
    association: &AssociationId,
    month: Month,
    request: &RequestId,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), month.to_string(), request.as_str()];
    tx.exec(&HELD_ADD, params).await.map(drop)
}

/// The events whose lines were held when the month closed.
///
/// # Errors
/// The database's.
pub async fn held_of(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<Vec<(RequestId, Box<crate::domain::ledger::CompletedEvent>)>, StoreError> {
    let rows = conn.all(&HELD_OF, values![association.as_str(), month.to_string()]).await?;
    rows.iter().map(super::event_row).collect()
}
