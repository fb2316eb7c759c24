//! What statements and exports show, all of it from the same lines: of one institution, of a month, of a claim,
//! of a year.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::access::note;
use super::super::{App, AppError, Kit, Who};
use super::close::MonthView;
use crate::domain::ledger::{Books, BudgetRule, Claim, ClaimBy, Code, Line, Month, Side, claim};
use crate::domain::people::directory::BankAccount;
use crate::ids::{AssociationId, InstitutionId};
use crate::money::Yen;
use crate::store::directory::institution_bank;
use crate::store::ledger::months::{CloseState, close_get, sealed_by_month, sealed_by_party};
use crate::store::ledger::reports::sealed_sums;
use crate::store::ledger::rules::{books_of, prorations_for};
use crate::store::people::{institution_by_id, institutions_after};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

/// What the fiscal year has come to, of one programme (予算の消化).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burn {
    pub program: Code,
    pub name: String,
    pub budget: Option<Yen>,
    pub rule: Option<BudgetRule>,
    /// By month of closing, April first; nothing where a month is not closed.
    pub months: Vec<Option<Yen>>,
    pub spent: Yen,
    /// What the year comes to where it goes on as it did: the mean of the closed months for the others.
    pub forecast: Yen,
}

impl Burn {
    /// What is left of the budget.
    #[must_use]
    pub fn left(&self) -> Option<Yen> {
        self.budget.map(|budget| Yen(budget.0 - self.spent.0))
    }
}

/// The claim of a programme for a cycle (請求).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimView {
    pub program: Code,
    pub name: String,
    pub funder: String,
    pub first: Month,
    pub last: Month,
    /// The institution that claims for itself; nobody: the association for all.
    pub party: Option<InstitutionId>,
    /// The sum of the lines of the cycle.
    pub standard: Yen,
    /// `None`: the books are not there yet.
    pub claim: Option<Claim>,
}

/// A cell of the tallies: how many lines and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub lines: u32,
    pub yen: Yen,
}

/// Counts lines by what `of` says of each, paid or not; corrections move the yen and not the count.
pub fn tally<'a>(
    lines: impl Iterator<Item = &'a Line>,
    of: impl Fn(&Line) -> String,
) -> BTreeMap<String, Tally> {
    let mut all: BTreeMap<String, Tally> = BTreeMap::new();
    for line in lines {
        let cell = all.entry(of(line)).or_default();
        cell.lines += u32::from(line.entry.is_original());
        cell.yen.0 += line.amount.0;
    }
    all
}

/// One payment of the bank transfer list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub institution: InstitutionId,
    pub name: String,
    /// The insurer's code, or nothing.
    pub code: String,
    /// What is paid: the month, less what earlier months ended below nought by and no month has made up since.
    /// Below nought: nothing is paid, and the next month is reduced by it.
    pub yen: Yen,
    /// `None`: there is no account, or it is not complete.
    pub account: Option<BankAccount>,
}

/// The bank transfers of a closed month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentList {
    /// The account of the association itself (an institution of its own kind), with its name.
    pub payer: Option<(String, BankAccount)>,
    pub payments: Vec<Payment>,
}

/// What is paid for the last of these months: months below nought are taken off the next ones.
#[must_use]
pub fn payable(months: &[Yen]) -> Yen {
    let Some((last, before)) = months.split_last() else { return Yen(0) };
    let owed = before.iter().fold(0i64, |owed, month| owed.saturating_add(month.0).min(0));
    Yen(owed.saturating_add(last.0))
}

struct Payments {
    kit: Kit,
    who: Who,
    month: Month,
}

impl Command for Payments {
    /// `None`: the month is not closed.
    type Output = Option<PaymentList>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let close = close_get(tx, association, self.month).await?;
        if !close.is_some_and(|c| c.state == CloseState::Closed) {
            return Ok(None);
        }
        let (tariffs, _) = super::tariffs::tariffs_of(tx, kit, association, None, kit.now).await?;
        // Where institutions claim for themselves, the funder pays them.
        let elsewhere = |program: Option<&str>| {
            let code = program.and_then(|p| p.parse::<Code>().ok());
            code.is_some_and(|code| tariffs.claim_rule(&code).by == ClaimBy::Institution)
        };
        let mut sums: BTreeMap<InstitutionId, BTreeMap<Month, i64>> = BTreeMap::new();
        for sum in sealed_by_party(tx, association, self.month).await? {
            if !elsewhere(sum.program.as_deref()) {
                *sums.entry(sum.institution).or_default().entry(sum.month).or_default() += sum.yen.0;
            }
        }
        let mut payments = Vec::new();
        for (institution, months) in sums {
            let mut months: Vec<Yen> = {
                let last = months.get(&self.month).copied().unwrap_or(0);
                let before = months.range(..self.month).map(|(_, yen)| Yen(*yen));
                before.chain([Yen(last)]).collect()
            };
            let yen = payable(&months);
            let touched = months.pop().is_some_and(|last| last.0 != 0);
            if yen == Yen(0) || (yen.0 < 0 && !touched) {
                continue;
            }
            let there = institution_by_id(tx, association, &institution).await?;
            let account = account_of(tx, kit, association, &institution).await?;
            let (name, code) = there.map_or_else(|| (institution.api(), String::new()), |i| (i.name, i.code));
            payments.push(Payment { institution, name, code, yen, account });
        }
        let mut payer = None;
        for own in institutions_after(tx, association, "", INSTITUTIONS).await? {
            if payer.is_none() && own.kind == OWN_KIND && own.closed.is_none() {
                let account = account_of(tx, kit, association, &own.id).await?;
                payer = account.map(|account| (own.name, account));
            }
        }
        let detail = json!({ "payments": payments.len() });
        note(tx, kit, &self.who, "ledger.payments", &format!("ledger:{}", self.month), detail).await?;
        Ok(Some(PaymentList { payer, payments }))
    }
}

/// Institutions among which the association's own is looked for.
const INSTITUTIONS: i64 = 10_000;
/// The kind of the association's own office.
const OWN_KIND: &str = "association";

async fn account_of(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    institution: &InstitutionId,
) -> Result<Option<BankAccount>, StoreError> {
    let Some(sealed) = institution_bank(tx, association, institution).await? else { return Ok(None) };
    let place = Sealed { table: "institution", column: "bank", row: institution.as_str() };
    let plain = kit.vault.open(tx, association, place, &sealed).await?;
    Ok(serde_json::from_str::<BankAccount>(&plain).ok())
}

struct Exported {
    kit: Kit,
    who: Who,
    month: Month,
    what: String,
    format: String,
    rows: usize,
}

impl Command for Exported {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let detail = json!({ "what": self.what, "format": self.format, "rows": self.rows });
        let subject = format!("ledger:{}", self.month);
        note(tx, &self.kit, &self.who, "ledger.export", &subject, detail).await.map(drop)
    }
}

impl App {
    /// How the budgets of a fiscal year stand, as far as its months are closed.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_burn(
        &self,
        association: &AssociationId,
        fiscal_year: i32,
    ) -> Result<Vec<Burn>, AppError> {
        let (tariffs, _) = self.tariffs_now(association).await?;
        let april = Month::april(fiscal_year);
        let mut conn = self.db.read().await?;
        let rows = sealed_by_month(&mut conn, association, april, april.plus(11)).await?;
        let mut closed = [false; 12];
        for (n, there) in (0..12).zip(closed.iter_mut()) {
            let close = close_get(&mut conn, association, april.plus(n)).await?;
            *there = close.is_some_and(|c| c.state == CloseState::Closed);
        }
        let mut programs: BTreeMap<String, Burn> = BTreeMap::new();
        let blank = || closed.iter().map(|c| c.then_some(Yen(0))).collect::<Vec<_>>();
        let in_year =
            |p: &crate::domain::ledger::Program| p.from < april.plus(12).first() && april.first() < p.before;
        for program in tariffs.programs().values().filter(|p| in_year(p)) {
            let burn = Burn {
                program: program.code.clone(),
                name: program.name.clone(),
                budget: program.budget.map(|b| b.yen),
                rule: program.budget.map(|b| b.rule),
                months: blank(),
                spent: Yen(0),
                forecast: Yen(0),
            };
            programs.insert(program.code.to_string(), burn);
        }
        for (month, program, yen, _) in rows {
            let Ok(code) = program.parse::<Code>() else { continue };
            let burn = programs.entry(program).or_insert_with(|| Burn {
                name: code.to_string(),
                program: code,
                budget: None,
                rule: None,
                months: blank(),
                spent: Yen(0),
                forecast: Yen(0),
            });
            let at = usize::try_from(month.in_fiscal_year()).unwrap_or(0);
            if let Some(cell) = burn.months.get_mut(at) {
                *cell = Some(Yen(cell.map_or(0, |y| y.0) + yen.0));
            }
            burn.spent.0 += yen.0;
        }
        let done = i64::try_from(closed.iter().filter(|c| **c).count()).unwrap_or(0);
        for burn in programs.values_mut() {
            let rest = if done == 0 { 0 } else { burn.spent.0 * (12 - done) / done };
            burn.forecast = Yen(burn.spent.0 + rest);
        }
        Ok(programs.into_values().collect())
    }

    /// The claims whose cycle ends with this month, as far as its months are closed; `None` where one of them
    /// is not.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_claims(
        &self,
        association: &AssociationId,
        month: Month,
    ) -> Result<Option<Vec<ClaimView>>, AppError> {
        let (tariffs, _) = self.tariffs_now(association).await?;
        let mut conn = self.db.read().await?;
        let close = close_get(&mut conn, association, month).await?;
        if !close.is_some_and(|c| c.state == CloseState::Closed) {
            return Ok(None);
        }
        let mut claims = Vec::new();
        let april = Month::april(month.fiscal_year());
        let sums_of_year = sealed_sums(&mut conn, association, april, month).await?;
        let mut programs: BTreeMap<Code, (String, String)> = tariffs
            .programs()
            .values()
            .map(|p| (p.code.clone(), (p.name.clone(), p.funder.clone())))
            .collect();
        for sum in sums_of_year.iter().filter(|sum| sum.month == month) {
            let unknown = || (sum.program.to_string(), String::new());
            programs.entry(sum.program.clone()).or_insert_with(unknown);
        }
        for (code, (name, funder)) in programs {
            let rule = tariffs.claim_rule(&code);
            let (first, last) = rule.cycle.of(month);
            if last != month {
                continue;
            }
            let mut sums: BTreeMap<Option<InstitutionId>, i64> = BTreeMap::new();
            let of_cycle = sums_of_year.iter().filter(|s| s.program == code && first <= s.month);
            for sum in of_cycle {
                let party = (rule.by == ClaimBy::Institution).then(|| sum.institution.clone());
                *sums.entry(party).or_default() += sum.yen.0;
            }
            let books: BTreeMap<String, Books> =
                books_of(&mut conn, association, code.as_str(), first).await?.into_iter().collect();
            for (party, standard) in sums {
                let key = party.as_ref().map_or("", InstitutionId::as_str);
                claims.push(ClaimView {
                    program: code.clone(),
                    name: name.clone(),
                    funder: funder.clone(),
                    first,
                    last,
                    standard: Yen(standard),
                    claim: claim(&rule, Yen(standard), books.get(key).copied()),
                    party,
                });
            }
        }
        Ok(Some(claims))
    }

    /// What each institution is paid for a closed month, with its account; `None` where the month is not
    /// closed. Reading accounts is noted.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_payments(&self, who: &Who, month: Month) -> Result<Option<PaymentList>, AppError> {
        Ok(self.db.run(Payments { kit: self.kit(), who: who.clone(), month }).await?)
    }

    /// What the officers decided on budgets of a fiscal year: the programme and the budget that is shared down.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_decisions(
        &self,
        association: &AssociationId,
        fiscal_year: i32,
    ) -> Result<Vec<(String, Yen)>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(prorations_for(&mut conn, association, fiscal_year, self.now()).await?)
    }

    /// Notes that a file of a month was taken out.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_exported(
        &self,
        who: &Who,
        month: Month,
        (what, format): (&str, &str),
        rows: usize,
    ) -> Result<(), AppError> {
        let (what, format) = (what.to_owned(), format.to_owned());
        let noted = Exported { kit: self.kit(), who: who.clone(), month, what, format, rows };
        Ok(self.db.run(noted).await?)
    }
}

/// The lines of one institution in a month, with the sums of its statement.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    pub lines: Vec<&'a Line>,
    pub held: Vec<&'a Line>,
    /// By programme; with an empty name where no programme knows a line.
    pub programs: BTreeMap<String, Yen>,
    pub sides: BTreeMap<Side, Yen>,
    pub total: Yen,
}

impl MonthView {
    /// The statement of an institution; `None` where it has nothing in this month.
    #[must_use]
    pub fn statement(&self, institution: &InstitutionId) -> Option<Statement<'_>> {
        let mine = |line: &&Line| line.institution == *institution;
        let (lines, held): (Vec<&Line>, Vec<&Line>) =
            (self.lines.iter().filter(mine).collect(), self.held.iter().filter(mine).collect());
        if lines.is_empty() && held.is_empty() {
            return None;
        }
        let mut statement =
            Statement { lines, held, programs: BTreeMap::new(), sides: BTreeMap::new(), total: Yen(0) };
        for line in &statement.lines {
            let program = line.program.as_ref().map_or_else(String::new, ToString::to_string);
            statement.programs.entry(program).or_default().0 += line.amount.0;
            statement.sides.entry(line.side).or_default().0 += line.amount.0;
            statement.total.0 += line.amount.0;
        }
        Some(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_below_nought_is_taken_off_the_next_ones() {
        let paid = |months: &[i64]| payable(&months.iter().copied().map(Yen).collect::<Vec<_>>()).0;
        assert_eq!(paid(&[]), 0);
        assert_eq!(paid(&[2_000]), 2_000);
        // What was paid before has nothing to do with what is paid now.
        assert_eq!(paid(&[2_000, 500]), 500);
        assert_eq!(paid(&[2_000, -800]), -800);
        assert_eq!(paid(&[2_000, -800, 500]), -300);
        assert_eq!(paid(&[2_000, -800, 500, 1_000]), 700);
        assert_eq!(paid(&[2_000, -800, 500, 1_000, 50]), 50);
    }
}
