//! Checks what the database says against itself, as an auditor would: audit chains, keys, machines, lines.

use crate::domain::dispatch::{next_due, plan::Mode};
use crate::domain::ledger::{Line, Side, Tariffs, lines};
use crate::ids::{AssociationId, RequestId};
use crate::seal::books::{GENESIS, line_hash};
use crate::store::audit::{ChainState, audit_check, audit_of};
use crate::store::dispatch::request_load;
use crate::store::jobs::job_by_key;
use crate::store::ledger::months::{CloseRow, CloseState, closes, columns_of, sealed_after};
use crate::store::ledger::reports::names_of;
use crate::store::ledger::{event_of, lines_of_request};
use crate::store::people::associations;
use crate::store::requests::{case_by_id, request_ids_after};
use crate::store::secrets::month_keys_open;

use super::ledger::names::hash_of_names;
use super::ledger::tariffs::tariffs_of;
use super::{App, AppError};

/// What was checked and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub associations: usize,
    pub audit_rows: i64,
    pub month_keys: usize,
    pub requests: usize,
    pub ledger_lines: usize,
    /// Lines of closed months.
    pub sealed_lines: usize,
    /// Each in one sentence; empty when everything holds.
    pub problems: Vec<String>,
}

/// Requests read at a time.
const PAGE: i64 = 200;
/// Sealed lines read at a time.
const SEALED_PAGE: i64 = 2_000;
/// Rows of the audit about one month that are looked at.
const AUDIT_ROWS: i64 = 1_000;

impl App {
    /// Recomputes the audit chains, opens the keys, checks every request's promises and its lines.
    ///
    /// # Errors
    /// Only when the database cannot be read; what is wrong is in the value.
    pub async fn verify(&self) -> Result<Findings, AppError> {
        let mut findings = Findings::default();
        let mut conn = self.db.read().await?;
        match month_keys_open(&mut conn, &self.vault.seal).await {
            Ok(n) => findings.month_keys = n,
            Err(e) => findings.problems.push(format!("month keys: {}", chain_of(&e))),
        }
        for home in associations(&mut conn).await? {
            findings.associations += 1;
            match audit_check(&mut conn, &home.id).await? {
                ChainState::Whole(head) => findings.audit_rows += head.seq,
                ChainState::Broken(broken) => {
                    findings.problems.push(format!("audit of {}: {broken}", home.code))
                }
                ChainState::HeadDiffers => {
                    findings.problems.push(format!("audit of {}: the head is not the last row's", home.code));
                }
            }
            verify_months(&mut conn, &home.id, &mut findings).await?;
            let kit = self.kit();
            let (tariffs, _) = tariffs_of(&mut conn, &kit, &home.id, None, kit.now).await?;
            let mut after = String::new();
            loop {
                let ids = request_ids_after(&mut conn, &home.id, &after, PAGE).await?;
                let Some(last) = ids.last() else { break };
                last.as_str().clone_into(&mut after);
                for id in &ids {
                    // Its parts as they were in one moment, while the office goes on.
                    conn.begin_snapshot().await?;
                    self.verify_request(&mut conn, (&home.id, &tariffs), id, &mut findings).await?;
                    conn.end_snapshot().await?;
                }
            }
        }
        Ok(findings)
    }

    /// What is wrong with the closed months of an association, each in one sentence.
    ///
    /// # Errors
    /// Only when the database cannot be read.
    pub async fn verify_ledger(&self, association: &AssociationId) -> Result<Vec<String>, AppError> {
        let mut findings = Findings::default();
        let mut conn = self.db.read().await?;
        verify_months(&mut conn, association, &mut findings).await?;
        Ok(findings.problems)
    }

    async fn verify_request(
        &self,
        conn: &mut crate::store::Conn,
        (association, tariffs): (&AssociationId, &Tariffs),
        id: &RequestId,
        findings: &mut Findings,
    ) -> Result<(), AppError> {
        findings.requests += 1;
        let loaded = request_load(conn, association, id).await?;
        let case = case_by_id(conn, association, id).await?;
        let (Some(loaded), Some(case)) = (loaded, case) else {
            findings.problems.push(format!("request {id}: a part of it is gone"));
            return Ok(());
        };
        let request = &loaded.request;
        let mut wrong =
            |what: String| findings.problems.push(format!("request {id} ({}): {what}", case.case_no));
        if request.claims().count() > request.quota {
            wrong("more acceptances than wanted".to_owned());
        }
        if request.state.code() != case.state || next_due(request) != case.due {
            wrong("its state and its row disagree".to_owned());
        }
        let wake = job_by_key(conn, association, &format!("wake:{id}")).await?;
        let waiting = wake.is_some_and(|(_, state)| state == "due" || state == "leased");
        if !request.state.is_terminal() && !waiting {
            wrong("it is open and has no next step".to_owned());
        }
        for claim in request.claims() {
            let gate = request.step(claim.step).is_some_and(|s| s.mode == Mode::Gate);
            if gate {
                wrong("an acceptance at a gate takes quota".to_owned());
            }
        }
        // A swap is told by the rota; the ledger reads it there.
        // A cover is told slot by slot: the whole has no line of its own.
        let slot = case.kind == "cover" && request.parent.is_some();
        if case.kind != "consult" && !slot {
            return Ok(());
        }
        let event = event_of(conn, association, id).await?;
        let stored = lines_of_request(conn, association, id).await?;
        match (&event, case.state.as_str()) {
            (None, "closed") => wrong("it is closed and nothing was recorded of it".to_owned()),
            // A slot of a cover is recorded with its report, and its lines wait for the asker's word.
            (Some(_), "reported") if slot => {}
            (Some(_), state) if state != "closed" => wrong("it was recorded before it was closed".to_owned()),
            _ => {}
        }
        if let Some(event) = &event {
            for side in [Side::Requester, Side::Acceptor] {
                if !stored.iter().any(|l| l.line.side == side) {
                    wrong(format!("no line stands for the side {}", side.code()));
                }
            }
            // Lines made under the tariffs now in force must come out the same again.
            let version = &tariffs.version;
            for row in stored.iter().filter(|l| l.line.tariffs_version == *version) {
                if !lines(event, tariffs, &row.run).contains(&row.line) {
                    wrong(format!("line {} does not come out the same again", row.id));
                }
            }
        } else if !stored.is_empty() {
            wrong("it has lines and no event".to_owned());
        }
        findings.ledger_lines += stored.len();
        Ok(())
    }
}

/// Follows the chain of sealed lines, holds every row against its own text, every closed month against its
/// lines and against what the audit says of its closing.
async fn verify_months(
    conn: &mut crate::store::Conn,
    association: &AssociationId,
    findings: &mut Findings,
) -> Result<(), AppError> {
    let mut closed: Vec<CloseRow> = closes(conn, association, i64::MAX).await?;
    closed.retain(|c| c.sealed.is_some() || c.state == CloseState::Closed);
    closed.sort_by_key(|c| c.month);
    let mut wrong = |what: String| findings.problems.push(format!("ledger of {association}: {what}"));
    let mut months = closed.iter();
    let mut open = months.next();
    let (mut hash, mut seq) = (GENESIS, 0i64);
    let mut sums = (0i64, 0i64);
    loop {
        let rows = sealed_after(conn, association, seq, SEALED_PAGE).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            findings.sealed_lines += 1;
            // Months without a line end where they begin.
            while let Some(close) = open.filter(|c| ends_at(c) < row.seq) {
                month_ends(close, &hash, sums, &mut wrong);
                sums = (0, 0);
                open = months.next();
            }
            if row.seq != seq + 1 {
                wrong(format!("line {} does not follow line {seq}", row.seq));
            }
            seq = row.seq;
            let next = line_hash(&hash, association.as_str(), row.seq, &row.month, &row.body);
            if next.as_slice() != row.hash.as_slice() {
                wrong(format!("line {seq} does not follow from the lines before it"));
            }
            hash = next;
            match serde_json::from_str::<Line>(&row.body) {
                Ok(line) => {
                    if columns_of(&line) != row.columns || line.run != row.month {
                        wrong(format!("line {seq} and its row disagree"));
                    }
                    sums = (sums.0 + 1, sums.1 + line.amount.0);
                }
                Err(_) => wrong(format!("line {seq} cannot be read")),
            }
            if open.is_none_or(|close| close.month.to_string() != row.month) {
                wrong(format!("line {seq} stands in a month that is not closed so"));
            }
        }
    }
    while let Some(close) = open {
        month_ends(close, &hash, sums, &mut wrong);
        sums = (0, 0);
        open = months.next();
    }
    for close in &closed {
        let subject = format!("ledger:{}", close.month);
        let said = audit_of(conn, association, &subject, AUDIT_ROWS).await?;
        let told = said.iter().rev().find(|e| e.action == "ledger.close");
        let detail = told.and_then(|e| serde_json::from_str::<serde_json::Value>(&e.detail).ok());
        // Months closed before names were kept have none.
        if let Some(names) = detail.as_ref().and_then(|d| d.get("names_hash")?.as_str()) {
            let rows = names_of(conn, association, close.month).await?;
            if hash_of_names(close.month, &rows) != names {
                wrong(format!("the names of {} are not those it was closed with", close.month));
            }
        }
        if !detail.is_some_and(|detail| agrees(close, &detail)) {
            wrong(format!("the month {} is not closed as the audit says", close.month));
        }
    }
    Ok(())
}

fn ends_at(close: &CloseRow) -> i64 {
    close.sealed.as_ref().map_or(0, |s| s.head_seq)
}

/// Whether the lines that were met are those of the closed month.
fn month_ends(close: &CloseRow, hash: &[u8; 32], sums: (i64, i64), wrong: &mut impl FnMut(String)) {
    let month = close.month;
    let Some(sealed) = &close.sealed else {
        wrong(format!("the month {month} is closed and nobody closed it"));
        return;
    };
    if sealed.head_hash.as_slice() != hash.as_slice() {
        wrong(format!("the lines of {month} are not those that were sealed"));
    }
    if (close.lines, close.total.0) != sums || sealed.head_seq - sealed.first_seq + 1 != close.lines {
        wrong(format!("the sums of {month} are not those of its lines"));
    }
}

/// Whether the row of a closed month says what was noted when it was closed.
fn agrees(close: &CloseRow, detail: &serde_json::Value) -> bool {
    let Some(sealed) = &close.sealed else { return false };
    let hex: String = sealed.head_hash.iter().map(|b| format!("{b:02x}")).collect();
    detail["head_hash"] == hex.as_str()
        && detail["head_seq"] == sealed.head_seq
        && detail["first_seq"] == sealed.first_seq
        && detail["run_hash"] == close.run_hash.as_str()
        && detail["lines"] == close.lines
        && detail["total_yen"] == close.total.0
        && detail["made_by"] == close.made_by.as_str()
}

/// An error with its causes, in one line.
#[must_use]
pub fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}
