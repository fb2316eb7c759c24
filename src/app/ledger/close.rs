//! Making and closing months: the clerk makes a month, an officer approves it, its lines are sealed into a chain
//! and never change. Two people, two moments, the same bytes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::json;

use super::super::access::note;
use super::super::{App, AppError, Kit, Who};
use super::names::{LedgerNames, seal_names, sealed_names};
use super::tariffs::draft_next_year;
use super::world::{Computed, World, instants, world_of};
use crate::domain::calendar::CaseNo;
use crate::domain::ledger::{
    Balance, BudgetRule, Code, Eligibility, EventRef, Fact, Line, Month, OutOfBalance, ReasonCode, Side,
    balance,
};
use crate::domain::people::Role;
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::money::Yen;
use crate::seal::books::run_hash;
pub use crate::store::ledger::months::{CloseRow, CloseState, SealedAt};
use crate::store::ledger::months::{
    close_get, close_last, close_make, close_seal, close_unmake, closes, held_add, sealed_by_program,
    sealed_of_month,
};
use crate::store::ledger::rules::orders_seal;
use crate::store::people::{association_by_id, institution_by_id, member_by_id};
use crate::store::{Command, Conn, StoreError};

/// Months a page lists.
const MONTHS: i64 = 60;

/// Why a month was not made or closed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseRefused {
    /// The month is not over.
    NotOver,
    /// An earlier month comes first.
    Earlier { month: Month },
    /// A later month is closed.
    Later,
    /// It is closed for good.
    Closed,
    /// Nobody has made it.
    NotMade,
    /// Whoever made it may not approve it.
    OwnClose,
    /// Only an officer approves.
    NotAnOfficer,
    /// Something was recorded since it was made: make it again and look again.
    Changed,
    /// The sums do not agree.
    OutOfBalance { why: String },
    /// The budget of a programme does not reach for the fiscal year and nobody has decided.
    Undecided { program: String },
}

impl CloseRefused {
    /// The stable word, and the end of the key of its text.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOver => "not_over",
            Self::Earlier { .. } => "earlier",
            Self::Later => "later",
            Self::Closed => "closed",
            Self::NotMade => "not_made",
            Self::OwnClose => "own_close",
            Self::NotAnOfficer => "not_an_officer",
            Self::Changed => "changed",
            Self::OutOfBalance { .. } => "out_of_balance",
            Self::Undecided { .. } => "undecided",
        }
    }

    /// What the text names: a month, a programme, what does not fit.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Earlier { month } => month.to_string(),
            Self::OutOfBalance { why } => why.clone(),
            Self::Undecided { program } => program.clone(),
            _ => String::new(),
        }
    }
}

/// Whose deed it is: the person in whose name it is done, else the one who does it.
fn person(who: &Who) -> &str {
    who.on_behalf_of.as_deref().unwrap_or(&who.actor)
}

/// March closes its fiscal year: nothing of the year is held any more.
const fn ends_year(month: Month) -> bool {
    month.in_fiscal_year() == 11
}

fn bodies(lines: &[Line]) -> Result<Vec<String>, StoreError> {
    let text = |line: &Line| {
        serde_json::to_string(line).map_err(|e| StoreError::corrupt("ledger_sealed", &line.id, e))
    };
    lines.iter().map(text).collect()
}

fn hash_of(month: Month, bodies: &[String]) -> String {
    run_hash(&month.to_string(), bodies.iter().map(String::as_str))
}

/// What stands against making the month now.
async fn may_make(
    tx: &mut Conn,
    association: &AssociationId,
    month: Month,
    kit: &Kit,
) -> Result<Option<CloseRefused>, StoreError> {
    if close_get(tx, association, month).await?.is_some_and(|c| c.state == CloseState::Closed) {
        return Ok(Some(CloseRefused::Closed));
    }
    if let Some(last) = close_last(tx, association, None).await? {
        if last.month >= month {
            return Ok(Some(CloseRefused::Later));
        }
        if last.month.plus(1) != month {
            return Ok(Some(CloseRefused::Earlier { month: last.month.plus(1) }));
        }
    }
    let zone = association_by_id(tx, association).await?.map_or(chrono_tz::UTC, |a| a.zone);
    Ok((kit.now < instants(month, zone).1).then_some(CloseRefused::NotOver))
}

/// Programmes whose shared budget does not reach for the year, with nothing decided.
fn undecided(world: &World, computed: &Computed, spent: &BTreeMap<Code, Yen>) -> Option<CloseRefused> {
    let decided: BTreeSet<&Code> = world.prorations.iter().map(|(code, _)| code).collect();
    for (code, program) in world.tariffs.programs() {
        let Some(budget) = program.budget.filter(|b| b.rule == BudgetRule::Prorated) else { continue };
        let here: i64 =
            computed.lines.iter().filter(|l| l.program.as_ref() == Some(code)).map(|l| l.amount.0).sum();
        let year = spent.get(code).map_or(0, |y| y.0) + here;
        if year > budget.yen.0 && !decided.contains(code) {
            return Some(CloseRefused::Undecided { program: program.name.clone() });
        }
    }
    None
}

async fn spent_this_year(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<BTreeMap<Code, Yen>, StoreError> {
    let april = Month::april(month.fiscal_year());
    let sums = sealed_by_program(conn, association, april, month.plus(-1)).await?;
    Ok(sums.into_iter().filter_map(|(program, yen)| Some((program.parse().ok()?, yen))).collect())
}

struct Make {
    kit: Kit,
    who: Who,
    month: Month,
}

impl Command for Make {
    type Output = Result<CloseRow, CloseRefused>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, month) = (&self.kit, &self.who.association, self.month);
        if let Some(refused) = may_make(tx, association, month, kit).await? {
            return Ok(Err(refused));
        }
        let ends = ends_year(month);
        let world = Box::pin(world_of(tx, kit, association, month, kit.now, (None, ends))).await?;
        let computed = world.compute();
        if ends {
            let spent = spent_this_year(tx, association, month).await?;
            if let Some(refused) = undecided(&world, &computed, &spent) {
                return Ok(Err(refused));
            }
        }
        let sums = match checked(&world, &computed) {
            Ok(sums) => sums,
            Err(wrong) => return Ok(Err(CloseRefused::OutOfBalance { why: wrong.to_string() })),
        };
        let made = CloseRow {
            month,
            state: CloseState::Made,
            revision: 1,
            made_at: kit.now,
            made_by: person(&self.who).to_owned(),
            tariff_number: world.tariff_number,
            tariffs_version: world.tariffs.version.clone(),
            lines: i64::from(sums.lines),
            held: i64::try_from(computed.held.len()).unwrap_or(i64::MAX),
            total: sums.total,
            run_hash: hash_of(month, &bodies(&computed.lines)?),
            ends_year: ends,
            sealed: None,
        };
        if !close_make(tx, association, &made).await? {
            return Ok(Err(CloseRefused::Closed));
        }
        // Its revision grows with every making.
        let made = close_get(tx, association, month).await?.unwrap_or(made);
        let detail = json!({
            "lines": made.lines, "held": made.held, "total_yen": made.total.0, "run_hash": made.run_hash,
            "tariffs": made.tariffs_version,
        });
        note(tx, kit, &self.who, "ledger.make", &format!("ledger:{month}"), detail).await?;
        Ok(Ok(made))
    }
}

/// The sums of a month, once every event has a line for both its sides.
fn checked(world: &World, computed: &Computed) -> Result<Balance, OutOfBalance> {
    let sums = balance(&computed.lines)?;
    // Nothing is told in its order, so it need not have one.
    let mut sides: HashSet<(&EventRef, Side)> = HashSet::new();
    sides.extend(computed.lines.iter().chain(&computed.held).map(|line| (&line.event, line.side)));
    for fact in &world.facts {
        let Fact::Event(event) = fact else { continue };
        let said =
            |side| sides.contains(&(&event.event, side)) || world.taken.has_side(&event.event.key(), side);
        if !(said(Side::Requester) && said(Side::Acceptor)) {
            return Err(OutOfBalance::Side { event: event.event.key() });
        }
    }
    Ok(sums)
}

struct Approve {
    kit: Kit,
    who: Who,
    month: Month,
    revision: i64,
}

impl Command for Approve {
    type Output = Result<CloseRow, CloseRefused>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, month) = (&self.kit, &self.who.association, self.month);
        let Some(made) = close_get(tx, association, month).await? else {
            return Ok(Err(CloseRefused::NotMade));
        };
        if made.state == CloseState::Closed {
            return Ok(Err(CloseRefused::Closed));
        }
        let me = person(&self.who);
        if me == made.made_by {
            return Ok(Err(CloseRefused::OwnClose));
        }
        let officer = match me.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok()) {
            Some(id) => member_by_id(tx, association, &id).await?,
            None => None,
        };
        if !officer.is_some_and(|m| m.is_active(kit.now) && m.has(Role::Officer)) {
            return Ok(Err(CloseRefused::NotAnOfficer));
        }
        if made.revision != self.revision {
            return Ok(Err(CloseRefused::Changed));
        }
        // What the officer approves is what was made: the same bytes, computed again.
        let pinned = (Some(made.tariff_number), made.ends_year);
        let world = Box::pin(world_of(tx, kit, association, month, made.made_at, pinned)).await?;
        let computed = world.compute();
        let texts = bodies(&computed.lines)?;
        if hash_of(month, &texts) != made.run_hash {
            return Ok(Err(CloseRefused::Changed));
        }
        let sums = match checked(&world, &computed) {
            Ok(sums) => sums,
            Err(wrong) => return Ok(Err(CloseRefused::OutOfBalance { why: wrong.to_string() })),
        };
        for line in &computed.held {
            if let Some(request) = line.event.request() {
                held_add(tx, association, month, request).await?;
            }
        }
        let names = seal_names(tx, association, month, &computed.lines).await?;
        let lines: Vec<(Line, String)> = computed.lines.into_iter().zip(texts).collect();
        let hash = (month, made.run_hash.as_str());
        let Some(sealed) = close_seal(tx, association, hash, &lines, (kit.now, me)).await? else {
            return Ok(Err(CloseRefused::Changed));
        };
        orders_seal(tx, association, month, made.made_at, made.ends_year).await?;
        if made.ends_year {
            draft_next_year(tx, kit, association, month.fiscal_year()).await?;
        }
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let detail = json!({
            "made_by": made.made_by, "lines": made.lines, "total_yen": sums.total.0, "run_hash": made.run_hash,
            "first_seq": sealed.first_seq, "head_seq": sealed.head_seq, "head_hash": hex(&sealed.head_hash),
            "names_hash": names,
        });
        note(tx, kit, &self.who, "ledger.close", &format!("ledger:{month}"), detail).await?;
        Ok(Ok(CloseRow {
            state: CloseState::Closed,
            sealed: Some(sealed),
            revision: made.revision + 1,
            ..made
        }))
    }
}

struct Unmake {
    kit: Kit,
    who: Who,
    month: Month,
}

impl Command for Unmake {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let there = close_unmake(tx, &self.who.association, self.month).await?;
        if there {
            let subject = format!("ledger:{}", self.month);
            note(tx, &self.kit, &self.who, "ledger.unmake", &subject, json!({})).await?;
        }
        Ok(there)
    }
}

/// What the clerk should look at before making a month (締め準備).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preparation {
    /// Lines that wait for a report.
    pub no_report: Vec<Line>,
    /// Lines that wait for the asker's confirmation.
    pub not_confirmed: Vec<Line>,
    /// Lines that wait for something else: the patient's city.
    pub other: Vec<Line>,
    /// Institutions of the month without a code of the insurer (医療機関コードなし).
    pub without_code: Vec<InstitutionId>,
    /// Stretches of duty in which hands were changed.
    pub changed_hands: u32,
    /// Events of earlier months that came late and are counted now.
    pub late: u32,
    /// Cases of a closed fiscal year: not counted any more.
    pub too_late: Vec<CaseNo>,
}

/// A month as the office sees it.
#[derive(Clone, Debug)]
pub struct MonthView {
    pub month: Month,
    /// `None`: open, its lines are what they would be now.
    pub close: Option<CloseRow>,
    pub lines: Vec<Line>,
    /// Names as of the closing; none while it is open.
    pub names: LedgerNames,
    /// Lines that wait; empty once closed.
    pub held: Vec<Line>,
    pub sums: Result<Balance, OutOfBalance>,
    pub preparation: Preparation,
    /// Names of the tariffs and programmes of the lines.
    pub tariffs: crate::domain::ledger::Tariffs,
    /// What stands against making it now.
    pub refused: Option<CloseRefused>,
    /// For a made month: whether it would still come out the same.
    pub still_same: bool,
}

impl MonthView {
    /// Whether it is closed for good.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.close.as_ref().is_some_and(|c| c.state == CloseState::Closed)
    }
}

async fn prepared(conn: &mut Conn, world: &World, computed: &Computed) -> Result<Preparation, StoreError> {
    let mut found = Preparation { too_late: world.too_late.clone(), ..Preparation::default() };
    for line in &computed.held {
        match line.eligibility.reason() {
            Some(ReasonCode::NoReport) => found.no_report.push(line.clone()),
            Some(ReasonCode::NotConfirmed) => found.not_confirmed.push(line.clone()),
            _ => found.other.push(line.clone()),
        }
    }
    for fact in &world.facts {
        match fact {
            Fact::Event(e) => found.late += u32::from(Month::of(e.moment.civil_date) < world.month),
            Fact::Standby(s) => {
                let here = Month::of(s.moment.civil_date) == world.month;
                found.changed_hands += u32::from(s.changed_hands && here);
            }
            Fact::Turn(_) => {}
        }
    }
    let parties: BTreeSet<&InstitutionId> = computed
        .lines
        .iter()
        .filter(|l| l.eligibility == Eligibility::Eligible)
        .map(|l| &l.institution)
        .collect();
    for party in parties {
        let institution = institution_by_id(conn, &world.association, party).await?;
        if institution.is_none_or(|i| i.code.is_empty()) {
            found.without_code.push(party.clone());
        }
    }
    Ok(found)
}

impl App {
    /// A month: sealed lines where it is closed, else what it would be now.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_month(
        &self,
        association: &AssociationId,
        month: Month,
    ) -> Result<MonthView, AppError> {
        self.month_view(association, month, None).await
    }

    /// A month as one institution's statement needs it: where it is closed, its lines alone are read. Where it is
    /// open, the whole month is there, because one line may hang on another institution's.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_month_of(
        &self,
        association: &AssociationId,
        month: Month,
        party: &InstitutionId,
    ) -> Result<MonthView, AppError> {
        self.month_view(association, month, Some(party)).await
    }

    async fn month_view(
        &self,
        association: &AssociationId,
        month: Month,
        party: Option<&InstitutionId>,
    ) -> Result<MonthView, AppError> {
        let kit = self.kit();
        let mut conn = self.db.read().await?;
        conn.begin_snapshot().await?;
        let close = close_get(&mut conn, association, month).await?;
        if let Some(close) = close.clone().filter(|c| c.state == CloseState::Closed) {
            let lines = sealed_of_month(&mut conn, association, month, party).await?;
            let number = Some(close.tariff_number);
            let (tariffs, _) =
                super::tariffs::tariffs_of(&mut conn, &kit, association, number, close.made_at).await?;
            let names = sealed_names(&mut conn, association, month).await?;
            conn.end_snapshot().await?;
            return Ok(MonthView {
                month,
                sums: balance(&lines),
                lines,
                names,
                held: Vec::new(),
                preparation: Preparation::default(),
                tariffs,
                refused: Some(CloseRefused::Closed),
                still_same: true,
                close: Some(close),
            });
        }
        let refused = may_make(&mut conn, association, month, &kit).await?;
        let known = (None, ends_year(month));
        let world = Box::pin(world_of(&mut conn, &kit, association, month, kit.now, known)).await?;
        let computed = world.compute();
        let preparation = prepared(&mut conn, &world, &computed).await?;
        conn.end_snapshot().await?;
        let sums = checked(&world, &computed);
        let tariffs = world.tariffs.clone();
        // Nobody waits until a hundred thousand events are gone from memory.
        drop(tokio::task::spawn_blocking(move || drop(world)));
        // Only a made month has something to be compared with.
        let still_same = match &close {
            Some(made) => made.run_hash == hash_of(month, &bodies(&computed.lines)?),
            None => true,
        };
        Ok(MonthView {
            month,
            still_same,
            close,
            sums,
            held: computed.held,
            lines: computed.lines,
            names: LedgerNames::default(),
            preparation,
            tariffs,
            refused,
        })
    }

    /// The months that were made or closed, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_closes(&self, association: &AssociationId) -> Result<Vec<CloseRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(closes(&mut conn, association, MONTHS).await?)
    }

    /// The month the clerk should look at: the one after the last closed, else the one before this.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_next_month(&self, association: &AssociationId) -> Result<Month, AppError> {
        let this = Month::of(self.today_of(association).await?);
        let mut conn = self.db.read().await?;
        let last = close_last(&mut conn, association, None).await?;
        Ok(last.map_or(this.plus(-1), |close| close.month.plus(1)).min(this))
    }

    /// Makes a month (作成): what it says is fixed as it is known now, and waits for an officer. Making it again
    /// replaces an older making.
    ///
    /// # Errors
    /// The store's; a refusal is in the value.
    pub async fn ledger_make(
        &self,
        who: &Who,
        month: Month,
    ) -> Result<Result<CloseRow, CloseRefused>, AppError> {
        Ok(self.db.run(Make { kit: self.kit(), who: who.clone(), month }).await?)
    }

    /// Takes a making back, so that more can be recorded in peace; `false` where there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_unmake(&self, who: &Who, month: Month) -> Result<bool, AppError> {
        Ok(self.db.run(Unmake { kit: self.kit(), who: who.clone(), month }).await?)
    }

    /// Approves a made month (承認) in the revision that was looked at: its lines are sealed. The caller has asked
    /// for a second factor.
    ///
    /// # Errors
    /// The store's; a refusal is in the value.
    pub async fn ledger_approve(
        &self,
        who: &Who,
        month: Month,
        revision: i64,
    ) -> Result<Result<CloseRow, CloseRefused>, AppError> {
        Ok(self.db.run(Approve { kit: self.kit(), who: who.clone(), month, revision }).await?)
    }
}
