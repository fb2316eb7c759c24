//! Checks what the database says against itself, as an auditor would: audit chains, keys, machines, lines.

use crate::domain::dispatch::{next_due, plan::Mode};
use crate::domain::ledger::{Side, lines};
use crate::ids::{AssociationId, RequestId};
use crate::store::audit::{ChainState, audit_check};
use crate::store::dispatch::request_load;
use crate::store::jobs::job_by_key;
use crate::store::ledger::{event_of, lines_of_request};
use crate::store::people::associations;
use crate::store::requests::{case_by_id, request_ids_after};
use crate::store::secrets::month_keys_open;

use super::{App, AppError};

/// What was checked and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub associations: usize,
    pub audit_rows: i64,
    pub month_keys: usize,
    pub requests: usize,
    pub ledger_lines: usize,
    /// Each in one sentence; empty when everything holds.
    pub problems: Vec<String>,
}

/// Requests read at a time.
const PAGE: i64 = 200;

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
            let mut after = String::new();
            loop {
                let ids = request_ids_after(&mut conn, &home.id, &after, PAGE).await?;
                let Some(last) = ids.last() else { break };
                last.as_str().clone_into(&mut after);
                for id in &ids {
                    // Its parts as they were in one moment, while the office goes on.
                    conn.begin_snapshot().await?;
                    self.verify_request(&mut conn, &home.id, id, &mut findings).await?;
                    conn.end_snapshot().await?;
                }
            }
        }
        Ok(findings)
    }

    async fn verify_request(
        &self,
        conn: &mut crate::store::Conn,
        association: &AssociationId,
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
        if case.kind != "consult" {
            return Ok(());
        }
        let event = event_of(conn, association, id).await?;
        let stored = lines_of_request(conn, association, id).await?;
        match (&event, case.state.as_str()) {
            (None, "closed") => wrong("it is closed and nothing was recorded of it".to_owned()),
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
            let version = &self.rules.tariffs.version;
            for row in stored.iter().filter(|l| l.line.tariffs_version == *version) {
                if !lines(event, &self.rules.tariffs, &row.run).contains(&row.line) {
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
