//! The run of a month: from everything that happened and what closed months already hold to the lines of the
//! month, with what needs more than one event: days paid once, subsidies that exclude each other, caps,
//! budgets. Pure: the same input gives the same bytes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::condition::{Condition, ConditionResult, ConditionState};
use super::duty_lines::{DayHours, count_days, stretch_lines, turn_lines};
use super::event::{Code, CompletedEvent};
use super::lines::{Eligibility, Entry, Line, Said, held, judge, lines, paid};
use super::month::Month;
use super::program::BudgetRule;
use super::standby::{StandbyEvent, TurnEvent};
use super::tariff::{Side, Tariff, Tariffs, Unit};
use crate::domain::calendar::CivilDate;
use crate::ids::InstitutionId;
use crate::money::Yen;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    Event(Box<CompletedEvent>),
    Standby(Box<StandbyEvent>),
    Turn(TurnEvent),
}

/// What lines of closed months, or of this month so far, have used up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What has been said for good.
    said: BTreeSet<Said>,
    /// Paid lines and yen by tariff, institution and the month of the event.
    by_month: BTreeMap<(Code, InstitutionId, Month), (u32, i64)>,
    /// Paid lines and yen by tariff and the month of the event.
    of_all: BTreeMap<(Code, Month), (u32, i64)>,
    /// Paid lines by tariff and case.
    by_case: BTreeMap<(Code, String), u32>,
    /// Days paid, by tariff and institution.
    days: BTreeSet<(Code, InstitutionId, CivilDate)>,
    /// Programmes that pay a case to a party on a side.
    claims: BTreeMap<(String, Side, InstitutionId), BTreeSet<Code>>,
    /// Yen by programme and fiscal year.
    spent: BTreeMap<(Code, i32), i64>,
    /// Programmes and fiscal years whose budget a line did not fit into.
    spent_out: BTreeSet<(Code, i32)>,
}

/// Of a line, what others must know of it. Read back from closed months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    pub event: String,
    pub case: Option<String>,
    pub side: Side,
    pub institution: InstitutionId,
    pub program: Option<Code>,
    pub tariff: Option<Code>,
    pub civil_date: CivilDate,
    pub by_day: bool,
    pub reason: Option<super::ReasonCode>,
    pub entry: &'static str,
    pub amount: Yen,
}

impl Brief {
    /// The brief of a line.
    #[must_use]
    pub fn of(line: &Line) -> Self {
        Self {
            event: line.event.key(),
            case: line.case_no.map(|c| c.to_string()),
            side: line.side,
            institution: line.institution.clone(),
            program: line.program.clone(),
            tariff: line.tariff.clone(),
            civil_date: line.civil_date,
            by_day: line.unit == Unit::Day,
            reason: line.eligibility.reason(),
            entry: line.entry.code(),
            amount: line.amount,
        }
    }

    fn case(&self) -> &str {
        self.case.as_deref().unwrap_or(&self.event)
    }
}

impl Taken {
    /// Counts a line in, closed or new. Corrections move money, not counts: what was taken back does not make
    /// room under a cap for an event that came later and was refused.
    pub fn take(&mut self, line: &Brief) {
        self.take_sum(line);
        self.take_counts(line);
    }

    /// Counts a line of the same run in. What was said is looked up before any of its lines is judged, and cases only
    /// where tariffs ask for them.
    fn use_up(&mut self, line: &Brief, asks: Asks) {
        self.take_sum(line);
        self.take_room(line);
        if asks.cases {
            self.take_case(line);
        }
    }

    fn take_sum(&mut self, line: &Brief) {
        if let Some(program) = &line.program {
            let over = line.reason == Some(super::ReasonCode::BudgetSpent);
            self.take_money(program, Month::of(line.civil_date).fiscal_year(), line.amount, over);
        }
    }

    /// Counts in what a programme has paid for events of a fiscal year; `over`: a line did not fit any more.
    pub fn take_money(&mut self, program: &Code, fiscal_year: i32, yen: Yen, over: bool) {
        let year = (program.clone(), fiscal_year);
        *self.spent.entry(year.clone()).or_default() += yen.0;
        if over {
            self.spent_out.insert(year);
        }
    }

    /// Counts in that something was said, and what it takes of caps and days; no money.
    pub fn take_counts(&mut self, line: &Brief) {
        self.said.insert((line.event.clone(), line.side, line.program.clone()));
        self.take_room(line);
        self.take_case(line);
    }

    /// Counts in what a line takes of caps and days.
    fn take_room(&mut self, line: &Brief) {
        let (Some(tariff), Some(_)) = (&line.tariff, &line.program) else { return };
        let month = Month::of(line.civil_date);
        let mine = self.by_month.entry((tariff.clone(), line.institution.clone(), month)).or_default();
        mine.1 += line.amount.0;
        let all = self.of_all.entry((tariff.clone(), month)).or_default();
        all.1 += line.amount.0;
        if line.entry != "original" || line.reason.is_some() {
            return;
        }
        mine.0 += 1;
        all.0 += 1;
        if line.by_day {
            self.days.insert((tariff.clone(), line.institution.clone(), line.civil_date));
        }
    }

    /// Counts in that a tariff pays a case, and that its programme pays it to this party.
    pub fn take_case(&mut self, line: &Brief) {
        let (Some(tariff), Some(program)) = (&line.tariff, &line.program) else { return };
        if line.entry != "original" || line.reason.is_some() {
            return;
        }
        *self.by_case.entry((tariff.clone(), line.case().to_owned())).or_default() += 1;
        let claim = (line.case().to_owned(), line.side, line.institution.clone());
        self.claims.entry(claim).or_default().insert(program.clone());
    }

    /// Whether closed months have the last word on what the line says.
    fn has_said_of(&self, line: &Line) -> bool {
        !self.said.is_empty() && self.said.contains(&line.said())
    }

    /// Whether closed months have said anything on a side of an event.
    #[must_use]
    pub fn has_side(&self, event: &str, side: Side) -> bool {
        let from = (event.to_owned(), side, None);
        self.said.range(from..).next().is_some_and(|(e, s, _)| e == event && *s == side)
    }

    /// What a programme has paid out for events of a fiscal year.
    #[must_use]
    pub fn spent(&self, program: &Code, fiscal_year: i32) -> Yen {
        Yen(self.spent.get(&(program.clone(), fiscal_year)).copied().unwrap_or(0))
    }
}

/// What to do with lines whose evidence has not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// They are held (保留) and go into a later month.
    Hold,
    /// The year closes: they are not paid.
    End,
}

/// The lines of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// In the order of the events; each has its last word for this month.
    pub lines: Vec<Line>,
    /// Lines that wait for evidence, in the same order. They are not closed with the month.
    pub held: Vec<Line>,
}

/// The lines of `month` and of what came late to it: of every fact whose day lies in the month or before and on
/// which closed months have not said their word.
///
/// Order decides who comes under a cap or a budget first: what closed months hold, then day, instant, event,
/// side, programme, tariff. A budget for the first who come is over with the first line that does not fit;
/// smaller ones do not pass it.
#[must_use]
pub fn run_month(month: Month, facts: &[Fact], taken: &Taken, tariffs: &Tariffs, waiting: Waiting) -> Run {
    let name = month.to_string();
    let mut days = DayHours::new();
    for fact in facts {
        if let Fact::Standby(event) = fact {
            count_days(event, tariffs, &mut days);
        }
    }
    let mut all: Vec<Line> = Vec::new();
    for fact in facts {
        let made = match fact {
            Fact::Event(event) => lines(event, tariffs, &name),
            Fact::Standby(event) => stretch_lines(event, &days, tariffs, &name),
            Fact::Turn(event) => turn_lines(event, tariffs, &name),
        };
        // Duty of other months reaches into the window of this one; it has its word there.
        let here = |line: &Line| match fact {
            Fact::Event(_) => Month::of(line.civil_date) <= month,
            Fact::Standby(_) | Fact::Turn(_) => Month::of(line.civil_date) == month,
        };
        all.extend(made.into_iter().filter(|line| here(line) && !taken.has_said_of(line)));
    }
    if waiting == Waiting::End {
        for line in &mut all {
            if let Eligibility::PendingEvidence { reason } = line.eligibility {
                line.eligibility = Eligibility::Ineligible { reason };
            }
        }
    }
    let mut taken = taken.clone();
    let by_code: BTreeMap<&Code, &Tariff> = tariffs.all().iter().map(|t| (&t.code, t)).collect();
    let ranks = ranks(tariffs);
    let rank = |line: &Line| line.program.as_ref().and_then(|p| ranks.get(p)).copied().unwrap_or(0);
    let one_rank = ranks.values().all(|rank| *rank == 0);
    all.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| order(a, b)));
    let steps_back = tariffs.all().iter().any(|t| !t.exclusive_with.is_empty());
    let asks = Asks::of(tariffs);
    let mut run = Run::default();
    for mut line in all {
        let tariff = line.tariff.as_ref().and_then(|code| by_code.get(code)).copied();
        // What nobody asks about need not be kept in mind.
        let asked = steps_back || tariff.is_some_and(|t| counts(t, tariffs));
        let mut brief = asked.then(|| Brief::of(&line));
        if let (Some(tariff), Some(brief)) = (tariff, &brief) {
            hold_against_others(&mut line, tariff, brief, tariffs, &taken);
        }
        if matches!(line.eligibility, Eligibility::PendingEvidence { .. }) {
            run.held.push(line);
        } else {
            if let Some(brief) = &mut brief {
                (brief.amount, brief.reason) = (line.amount, line.eligibility.reason());
                taken.use_up(brief, asks);
            }
            run.lines.push(line);
        }
    }
    if !one_rank {
        run.lines.sort_by(order);
        run.held.sort_by(order);
    }
    run
}

/// Whether lines of a tariff change what later ones get: by a cap, a day, a budget for the first who come.
fn counts(tariff: &Tariff, tariffs: &Tariffs) -> bool {
    let budget = tariffs.programs().get(&tariff.program).and_then(|p| p.budget);
    tariff.caps != super::tariff::Caps::default()
        || tariff.unit == Unit::Day
        || budget.is_some_and(|b| b.rule == BudgetRule::FirstCome)
}

/// What of closed months a run under these tariffs looks at, besides what was said of late events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    /// Lines of the same cases.
    pub cases: bool,
    /// What programmes have spent.
    pub money: bool,
}

impl Asks {
    /// What these tariffs ask.
    #[must_use]
    pub fn of(tariffs: &Tariffs) -> Self {
        let budgets = tariffs.programs().values().filter_map(|p| p.budget);
        Self {
            cases: tariffs.all().iter().any(|t| !t.exclusive_with.is_empty() || t.caps.per_case.is_some()),
            money: budgets.into_iter().any(|b| b.rule == BudgetRule::FirstCome),
        }
    }
}

/// The order in which programmes have their word: who steps back for another comes after it.
fn ranks(tariffs: &Tariffs) -> BTreeMap<&Code, usize> {
    let mut ranks: BTreeMap<&Code, usize> = tariffs.all().iter().map(|t| (&t.program, 0)).collect();
    // Where programmes step back in a ring, the number of rounds ends it.
    for _ in 0..ranks.len() {
        for tariff in tariffs.all() {
            let after = tariff.exclusive_with.iter().filter_map(|p| ranks.get(p)).max().map_or(0, |r| r + 1);
            if let Some(own) = ranks.get_mut(&tariff.program) {
                *own = (*own).max(after);
            }
        }
    }
    ranks
}

/// Day, instant, event, side, programme, tariff. The texts of events are made only where day and instant are the same.
fn order(a: &Line, b: &Line) -> Ordering {
    let event = || if a.event == b.event { Ordering::Equal } else { a.event.key().cmp(&b.event.key()) };
    (a.civil_date, a.at.0)
        .cmp(&(b.civil_date, b.at.0))
        .then_with(event)
        .then_with(|| (a.side, &a.program, &a.tariff).cmp(&(b.side, &b.program, &b.tariff)))
}

/// Writes the result of a condition and what follows from it.
fn decide(line: &mut Line, tariff: &Tariff, condition: Condition, yes: bool) {
    let result = ConditionResult { condition, state: held(yes) };
    match line.conditions.iter_mut().find(|c| c.condition == condition) {
        Some(there) if there.state == ConditionState::Met => *there = result,
        Some(_) => {}
        None => {
            line.conditions.push(result);
            line.conditions.sort_by_key(|c| c.condition);
        }
    }
    if !yes {
        line.eligibility = judge(&line.conditions);
        line.amount = paid(line.eligibility, line.counted, line.rate, tariff.rounding);
    }
}

fn hold_against_others(line: &mut Line, tariff: &Tariff, brief: &Brief, tariffs: &Tariffs, taken: &Taken) {
    let month = Month::of(line.civil_date);
    // Where a programme pays a case to a party on a side, tariffs that step back for it do not (二重補助の禁止).
    // What still waits for evidence is not paid yet, and nobody steps back for it.
    if !tariff.exclusive_with.is_empty() && line.eligibility == Eligibility::Eligible {
        let claim = (brief.case().to_owned(), line.side, line.institution.clone());
        let paid = taken.claims.get(&claim).is_some_and(|all| !all.is_disjoint(&tariff.exclusive_with));
        decide(line, tariff, Condition::NoOtherSubsidy, !paid);
    }
    if tariff.unit == Unit::Day && line.eligibility == Eligibility::Eligible {
        let day = (tariff.code.clone(), line.institution.clone(), line.civil_date);
        decide(line, tariff, Condition::NotDuplicate, !taken.days.contains(&day));
    }
    let caps = tariff.caps;
    let capped = caps != super::tariff::Caps::default();
    if capped && line.eligibility == Eligibility::Eligible {
        let mine = taken
            .by_month
            .get(&(tariff.code.clone(), line.institution.clone(), month))
            .copied()
            .unwrap_or_default();
        let all = taken.of_all.get(&(tariff.code.clone(), month)).copied().unwrap_or_default();
        let cases = taken.by_case.get(&(tariff.code.clone(), brief.case().to_owned())).copied().unwrap_or(0);
        let room = |cap: Option<u32>, used: u32| cap.is_none_or(|cap| used < cap);
        let left = |cap: Option<Yen>, used: i64| cap.map_or(i64::MAX, |cap| cap.0.saturating_sub(used));
        let counts = room(caps.per_case, cases)
            && room(caps.per_institution_month, mine.0)
            && room(caps.per_month, all.0);
        let yen = left(caps.per_institution_month_yen, mine.1).min(left(caps.per_month_yen, all.1));
        // Nought is counted, whatever is left.
        let fits = counts && (yen > 0 || line.amount == Yen(0));
        decide(line, tariff, Condition::WithinCap, fits);
        if fits && line.amount.0 > yen {
            line.capped = Yen(line.amount.0 - yen);
            line.amount = Yen(yen);
        }
    }
    let budget = tariffs.programs().get(&tariff.program).and_then(|p| p.budget);
    if let Some(budget) = budget.filter(|b| b.rule == BudgetRule::FirstCome)
        && line.eligibility == Eligibility::Eligible
    {
        let year = month.fiscal_year();
        let over = taken.spent_out.contains(&(tariff.program.clone(), year));
        let fits = taken.spent(&tariff.program, year).0.saturating_add(line.amount.0) <= budget.yen.0;
        decide(line, tariff, Condition::WithinBudget, line.amount == Yen(0) || (!over && fits));
    }
}

/// Sums that must agree before a month may be closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub lines: u32,
    pub paid_lines: u32,
    pub total: Yen,
    pub by_institution: BTreeMap<InstitutionId, Yen>,
    /// With nothing where no programme knows a line.
    pub by_program: BTreeMap<String, Yen>,
}

/// Why a month does not balance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBalance {
    #[error("the sums of institutions and of programmes differ")]
    Sums,
    #[error("line {id} has an amount that its quantity and rate do not give")]
    Amount { id: crate::ids::LedgerLineId },
    #[error("line {id} stands twice")]
    Twice { id: crate::ids::LedgerLineId },
    #[error("event {event} has no line for one of its sides")]
    Side { event: String },
    #[error("the sum does not fit into a number")]
    TooLarge,
}

/// Adds the lines up two ways and holds every line against its own figures.
///
/// # Errors
/// [`OutOfBalance`]: the first thing that does not fit.
pub fn balance(lines: &[Line]) -> Result<Balance, OutOfBalance> {
    let mut sums = Balance::default();
    // Nothing is told in its order, so it need not have one.
    let mut ids = HashSet::with_capacity(lines.len());
    for line in lines {
        if !ids.insert(&line.id) {
            return Err(OutOfBalance::Twice { id: line.id.clone() });
        }
        if line.entry == Entry::Original {
            let exact = line.amount.0 + line.capped.0;
            let low = line.counted.of(line.rate, super::Rounding::Floor).ok_or(OutOfBalance::TooLarge)?;
            let high = line.counted.of(line.rate, super::Rounding::Up).ok_or(OutOfBalance::TooLarge)?;
            let right = match line.eligibility {
                Eligibility::Eligible => low.0 <= exact && exact <= high.0,
                Eligibility::PendingEvidence { .. } | Eligibility::Ineligible { .. } => exact == 0,
            };
            if !right || line.amount.0 < 0 {
                return Err(OutOfBalance::Amount { id: line.id.clone() });
            }
        }
        sums.lines += 1;
        sums.paid_lines += u32::from(line.amount.0 != 0);
        let add = |sum: Yen| sum.checked_add(line.amount).ok_or(OutOfBalance::TooLarge);
        sums.total = add(sums.total)?;
        match sums.by_institution.get_mut(&line.institution) {
            Some(mine) => *mine = add(*mine)?,
            None => drop(sums.by_institution.insert(line.institution.clone(), line.amount)),
        }
        let program = line.program.as_ref().map_or("", Code::as_str);
        match sums.by_program.get_mut(program) {
            Some(of_program) => *of_program = add(*of_program)?,
            None => drop(sums.by_program.insert(program.to_owned(), line.amount)),
        }
    }
    let all = |sums: &mut dyn Iterator<Item = &Yen>| sums.map(|y| i128::from(y.0)).sum::<i128>();
    let total = i128::from(sums.total.0);
    if all(&mut sums.by_institution.values()) != total || all(&mut sums.by_program.values()) != total {
        return Err(OutOfBalance::Sums);
    }
    Ok(sums)
}
