//! What people order for the ledger: evidence that came later, corrections of closed lines, reruns of closed
//! months under changed rules, decisions on budgets, books of claims. All of it is recorded and takes effect in
//! the next month that closes.

use serde_json::json;

use super::super::access::note;
use super::super::{App, AppError, Kit, Who};
use super::tariffs::needed_note;
use super::world::Evidence;
use crate::domain::consult::Wrong;
use crate::domain::ledger::{
    Books, BudgetRule, ClaimBy, Code, CompletedEvent, Line, Month, NotCorrectable, may_correct,
};
use crate::ids::{InstitutionId, LedgerLineId, RequestId};
use crate::money::Yen;
use crate::store::ledger::months::{CloseState, close_get, sealed_by_line, sealed_reversed};
use crate::store::ledger::rules::{
    CorrectionRow, books_put, correction_add, correction_drop, corrections_open, evidence_add, evidence_of,
    proration_add, rerun_add, tariffs_by_number,
};
use crate::store::ledger::{event_of, event_of_call_case};
use crate::store::requests::request_by_case_no;
use crate::store::{Command, Conn, StoreError};

/// The most yen the books of a claim may name.
const BOOKS_MAX: i64 = 100_000_000_000;

struct AddEvidence {
    kit: Kit,
    who: Who,
    request: RequestId,
    evidence: Evidence,
}

impl Command for AddEvidence {
    /// `false`: no event of this request completed.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let association = &self.who.association;
        if event_of(tx, association, &self.request).await?.is_none() {
            return Ok(false);
        }
        let at = (self.kit.now, self.who.actor.as_str());
        evidence_add(tx, association, &self.request, at, &self.evidence).await?;
        let (subject, detail) =
            (format!("request:{}", self.request), json!({ "kind": self.evidence.code() }));
        note(tx, &self.kit, &self.who, "ledger.evidence", &subject, detail).await?;
        Ok(true)
    }
}

/// Why an order was not taken. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefused {
    /// There is no such closed line.
    NoLine,
    /// The line stands in no closed month: correct its facts instead.
    Cannot(NotCorrectable),
    /// It was ordered before and waits for the next month.
    Ordered,
    /// The month is not closed.
    NotClosed,
    /// There are no such tariffs.
    NoTariffs,
    /// The programme has no budget that is shared down.
    NoBudget,
}

impl OrderRefused {
    /// The stable word, and the end of the key of its text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoLine => "no_line",
            Self::Cannot(NotCorrectable::IsReversal) => "is_reversal",
            Self::Cannot(NotCorrectable::Reversed) => "reversed",
            Self::Cannot(NotCorrectable::Larger) => "larger",
            Self::Cannot(NotCorrectable::OfTheYear) => "of_the_year",
            Self::Ordered => "ordered",
            Self::NotClosed => "not_closed",
            Self::NoTariffs => "no_tariffs",
            Self::NoBudget => "no_budget",
        }
    }
}

struct Correct {
    kit: Kit,
    who: Who,
    line: LedgerLineId,
    instead: Yen,
    why: String,
}

impl Command for Correct {
    type Output = Result<Line, OrderRefused>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let association = &self.who.association;
        let Some((_, line)) = sealed_by_line(tx, association, &self.line).await? else {
            return Ok(Err(OrderRefused::NoLine));
        };
        let reversed = sealed_reversed(tx, association, &self.line).await?;
        if let Err(cannot) = may_correct(&line, reversed, self.instead) {
            return Ok(Err(OrderRefused::Cannot(cannot)));
        }
        let order = CorrectionRow {
            line: self.line.clone(),
            instead: self.instead,
            note: self.why.clone(),
            by: self.who.actor.clone(),
        };
        if !correction_add(tx, association, &order, self.kit.now).await? {
            return Ok(Err(OrderRefused::Ordered));
        }
        let subject = format!("ledger_line:{}", self.line);
        let detail = json!({ "instead_yen": self.instead.0 });
        note(tx, &self.kit, &self.who, "ledger.correct", &subject, detail).await?;
        Ok(Ok(line))
    }
}

struct CorrectNot {
    kit: Kit,
    who: Who,
    line: LedgerLineId,
}

impl Command for CorrectNot {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let there = correction_drop(tx, &self.who.association, &self.line).await?;
        if there {
            let subject = format!("ledger_line:{}", self.line);
            note(tx, &self.kit, &self.who, "ledger.correct_not", &subject, json!({})).await?;
        }
        Ok(there)
    }
}

struct Rerun {
    kit: Kit,
    who: Who,
    month: Month,
    tariff_number: i64,
}

impl Command for Rerun {
    type Output = Result<(), OrderRefused>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let association = &self.who.association;
        let close = close_get(tx, association, self.month).await?;
        if !close.is_some_and(|c| c.state == CloseState::Closed) {
            return Ok(Err(OrderRefused::NotClosed));
        }
        if tariffs_by_number(tx, association, self.tariff_number).await?.is_none() {
            return Ok(Err(OrderRefused::NoTariffs));
        }
        let at = (self.kit.now, self.who.actor.as_str());
        if !rerun_add(tx, association, (self.month, self.tariff_number), at).await? {
            return Ok(Err(OrderRefused::Ordered));
        }
        let (subject, detail) = (format!("ledger:{}", self.month), json!({ "tariffs": self.tariff_number }));
        note(tx, &self.kit, &self.who, "ledger.rerun", &subject, detail).await?;
        Ok(Ok(()))
    }
}

struct Prorate {
    kit: Kit,
    who: Who,
    program: Code,
    fiscal_year: i32,
    why: String,
}

impl Command for Prorate {
    type Output = Result<(), OrderRefused>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let (tariffs, _) = super::tariffs::tariffs_of(tx, kit, association, None, kit.now).await?;
        let budget = tariffs.programs().get(&self.program).and_then(|p| p.budget);
        let Some(budget) = budget.filter(|b| b.rule == BudgetRule::Prorated) else {
            return Ok(Err(OrderRefused::NoBudget));
        };
        let (program, at) = (self.program.as_str(), (kit.now, self.who.actor.as_str()));
        let what = (budget.yen, self.why.as_str());
        if !proration_add(tx, association, (program, self.fiscal_year), what, at).await? {
            return Ok(Err(OrderRefused::Ordered));
        }
        let detail = json!({ "fiscal_year": self.fiscal_year, "budget_yen": budget.yen.0 });
        note(tx, kit, &self.who, "ledger.prorate", &format!("program:{program}"), detail).await?;
        Ok(Ok(()))
    }
}

struct PutBooks {
    kit: Kit,
    who: Who,
    program: Code,
    month: Month,
    party: Option<InstitutionId>,
    books: Books,
}

impl Command for PutBooks {
    type Output = Result<(), OrderRefused>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let (tariffs, _) = super::tariffs::tariffs_of(tx, kit, association, None, kit.now).await?;
        if !tariffs.programs().contains_key(&self.program) {
            return Ok(Err(OrderRefused::NoTariffs));
        }
        let rule = tariffs.claim_rule(&self.program);
        let first = rule.cycle.of(self.month).0;
        let party = match rule.by {
            ClaimBy::Program => "",
            ClaimBy::Institution => self.party.as_ref().map_or("", InstitutionId::as_str),
        };
        let at = (kit.now, self.who.actor.as_str());
        books_put(tx, association, (self.program.as_str(), first, party), self.books, at).await?;
        let detail = json!({
            "first_month": first, "party": party, "actual_yen": self.books.actual.0,
            "total_cost_yen": self.books.total_cost.0, "other_income_yen": self.books.other_income.0,
        });
        note(tx, kit, &self.who, "ledger.books", &format!("program:{}", self.program), detail).await?;
        Ok(Ok(()))
    }
}

impl App {
    /// Records what the office learned of a completed event. It counts from the next making of a month on.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where nothing completed; a note that cannot be taken; the store's.
    pub async fn ledger_evidence(
        &self,
        who: &Who,
        request: &RequestId,
        evidence: Evidence,
    ) -> Result<(), AppError> {
        let evidence = match evidence {
            Evidence::Excluded { note } => Evidence::Excluded { note: needed_note(&note)? },
            Evidence::Report { at } | Evidence::Confirmed { at } | Evidence::Disputed { at }
                if at > self.now() =>
            {
                return Err(AppError::field("at", Wrong::TooLate));
            }
            other => other,
        };
        let add = AddEvidence { kit: self.kit(), who: who.clone(), request: request.clone(), evidence };
        if self.db.run(add).await? { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// A completed event as it was recorded, with what the office recorded about it, oldest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn ledger_event(
        &self,
        association: &crate::ids::AssociationId,
        request: &RequestId,
    ) -> Result<(CompletedEvent, Vec<Evidence>), AppError> {
        let mut conn = self.db.read().await?;
        let event = event_of(&mut conn, association, request).await?.ok_or(AppError::NotFound)?;
        Ok((event, evidence_of(&mut conn, association, request).await?))
    }

    /// A closed line with the month that closed it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn ledger_line(
        &self,
        association: &crate::ids::AssociationId,
        line: &LedgerLineId,
    ) -> Result<(Month, Line), AppError> {
        let mut conn = self.db.read().await?;
        sealed_by_line(&mut conn, association, line).await?.ok_or(AppError::NotFound)
    }

    /// The request of a case number, of a call too.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn ledger_request(
        &self,
        association: &crate::ids::AssociationId,
        case_no: &str,
    ) -> Result<RequestId, AppError> {
        let mut conn = self.db.read().await?;
        let case_no = case_no.trim();
        if let Some(request) = request_by_case_no(&mut conn, association, case_no).await? {
            return Ok(request);
        }
        event_of_call_case(&mut conn, association, case_no).await?.ok_or(AppError::NotFound)
    }

    /// Orders a closed line to be taken back, with `instead` in its place where that is not nought.
    ///
    /// # Errors
    /// A note that is missing; the store's; a refusal is in the value.
    pub async fn ledger_correct(
        &self,
        who: &Who,
        line: &LedgerLineId,
        instead: Yen,
        why: &str,
    ) -> Result<Result<Line, OrderRefused>, AppError> {
        let why = needed_note(why)?;
        let correct = Correct { kit: self.kit(), who: who.clone(), line: line.clone(), instead, why };
        Ok(self.db.run(correct).await?)
    }

    /// Takes an order back that no month has sealed; `false` where there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_correct_not(&self, who: &Who, line: &LedgerLineId) -> Result<bool, AppError> {
        Ok(self.db.run(CorrectNot { kit: self.kit(), who: who.clone(), line: line.clone() }).await?)
    }

    /// The corrections that wait for the next month: the line, and what stands instead.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_corrections(
        &self,
        association: &crate::ids::AssociationId,
    ) -> Result<Vec<(LedgerLineId, Yen)>, AppError> {
        let mut conn = self.db.read().await?;
        let open = corrections_open(&mut conn, association).await?;
        Ok(open.into_iter().map(|order| (order.line, order.instead)).collect())
    }

    /// How many orders for corrections wait for the next month.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_pending_corrections(
        &self,
        association: &crate::ids::AssociationId,
    ) -> Result<usize, AppError> {
        let mut conn = self.db.read().await?;
        Ok(corrections_open(&mut conn, association).await?.len())
    }

    /// Orders a closed month to be run again under recorded tariffs; the differences go into the next month.
    ///
    /// # Errors
    /// The store's; a refusal is in the value.
    pub async fn ledger_rerun(
        &self,
        who: &Who,
        month: Month,
        tariff_number: i64,
    ) -> Result<Result<(), OrderRefused>, AppError> {
        Ok(self.db.run(Rerun { kit: self.kit(), who: who.clone(), month, tariff_number }).await?)
    }

    /// Records the officers' decision to share a programme's budget down when the fiscal year closes.
    ///
    /// # Errors
    /// A note that is missing; the store's; a refusal is in the value.
    pub async fn ledger_prorate(
        &self,
        who: &Who,
        program: &Code,
        fiscal_year: i32,
        why: &str,
    ) -> Result<Result<(), OrderRefused>, AppError> {
        let why = needed_note(why)?;
        let program = program.clone();
        let prorate = Prorate { kit: self.kit(), who: who.clone(), program, fiscal_year, why };
        Ok(self.db.run(prorate).await?)
    }

    /// Records the books against which the claim of a month's cycle is held.
    ///
    /// # Errors
    /// Sums out of range; the store's; a refusal is in the value.
    pub async fn ledger_books(
        &self,
        who: &Who,
        (program, month): (&Code, Month),
        party: Option<&InstitutionId>,
        books: Books,
    ) -> Result<Result<(), OrderRefused>, AppError> {
        let all = [books.actual, books.total_cost, books.other_income];
        if all.iter().any(|yen| !(0..=BOOKS_MAX).contains(&yen.0)) {
            return Err(AppError::field("yen", Wrong::OutOfRange));
        }
        let put = PutBooks {
            kit: self.kit(),
            who: who.clone(),
            program: program.clone(),
            month,
            party: party.cloned(),
            books,
        };
        Ok(self.db.run(put).await?)
    }
}
