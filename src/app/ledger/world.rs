//! Everything that a month of the ledger is run from, as it was known at one instant: read once, so that the
//! same instant gives the same lines again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::Kit;
use super::super::calendar::calendar_of;
use super::duty::duty_facts;
use super::tariffs::tariffs_of;
use crate::domain::calendar::{CaseNo, CivilDate, start_of_day};
use crate::domain::ledger::{
    Asks, Brief, Code, CompletedEvent, Confirmation, Entry, Fact, Line, Month, Run, Said, Taken, Tariffs,
    Waiting, correction, differences, proration, run_month,
};
use crate::ids::{AssociationId, InstitutionId, RequestId};
use crate::money::Yen;
use crate::store::ledger::months::{
    CloseRow, close_get, close_last, held_of, sealed_briefs, sealed_by_line, sealed_of_cases,
    sealed_of_event, sealed_of_month, sealed_spent,
};
use crate::store::ledger::rules::{corrections_for, evidence_all, prorations_for, reruns_for};
use crate::store::ledger::{events_counted, events_late};
use crate::store::people::association_by_id;
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// What the office records about an event after it completed (証跡の補い).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "evidence", rename_all = "snake_case")]
pub enum Evidence {
    /// The report came, by fax or by hand, at this time.
    Report { at: Millis },
    /// The asker confirmed it to the office.
    Confirmed { at: Millis },
    /// The asker says it was not so.
    Disputed { at: Millis },
    /// The city in which the patient lives.
    City { code: Code },
    /// Another public subsidy was taken for it.
    OtherSubsidy,
    /// An officer decided against it, with the reason.
    Excluded { note: String },
    /// An officer took that decision back.
    Included,
}

impl Evidence {
    /// The stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Report { .. } => "report",
            Self::Confirmed { .. } => "confirmed",
            Self::Disputed { .. } => "disputed",
            Self::City { .. } => "city",
            Self::OtherSubsidy => "other_subsidy",
            Self::Excluded { .. } => "excluded",
            Self::Included => "included",
        }
    }

    /// The event as it is with this.
    pub fn lay_over(&self, event: &mut CompletedEvent) {
        match self {
            Self::Report { at } => {
                // The first report is the one that counts.
                event.report_at = Some(event.report_at.map_or(*at, |there| there.min(*at)));
                if event.report_ref.is_none() {
                    event.report_ref = "report:office".parse().ok();
                }
            }
            Self::Confirmed { at } => event.requester.confirmation = Confirmation::Confirmed { at: *at },
            Self::Disputed { at } => event.requester.confirmation = Confirmation::Disputed { at: *at },
            Self::City { code } => event.patient_city = Some(code.clone()),
            Self::OtherSubsidy => event.other_subsidy = true,
            Self::Excluded { .. } => event.excluded = true,
            Self::Included => event.excluded = false,
        }
    }
}

/// An order that goes into the month.
#[derive(Clone, Debug)]
pub(crate) struct Ordered {
    pub line: Line,
    pub instead: Yen,
}

/// What a month is run from.
#[derive(Debug)]
pub(crate) struct World {
    pub association: AssociationId,
    pub month: Month,
    pub tariffs: Tariffs,
    /// 0: the configuration's.
    pub tariff_number: i64,
    pub facts: Vec<Fact>,
    pub taken: Taken,
    pub corrections: Vec<Ordered>,
    /// Difference entries that closed months get under changed rules.
    pub differences: Vec<Line>,
    /// Decided budgets, where the month closes the fiscal year.
    pub prorations: Vec<(Code, Yen)>,
    /// Sums of the year's closed lines by programme and institution, each with its last line.
    pub year_sums: BTreeMap<Code, BTreeMap<InstitutionId, (Yen, Line)>>,
    pub waiting: Waiting,
    /// Cases of a fiscal year that is closed, which came after it.
    pub too_late: Vec<CaseNo>,
}

/// The lines of a month with the entries that go with them.
#[derive(Clone, Debug)]
pub struct Computed {
    /// Lines that wait for evidence.
    pub held: Vec<Line>,
    /// Lines and entries, in the order in which they are sealed.
    pub lines: Vec<Line>,
}

impl World {
    /// The month's lines: its run, then corrections, differences, and at the end of the year what sharing down
    /// takes.
    pub fn compute(&self) -> Computed {
        let run = run_month(self.month, &self.facts, &self.taken, &self.tariffs, self.waiting);
        let Run { mut lines, held } = run;
        for order in &self.corrections {
            lines.extend(correction(&order.line, order.instead, self.month));
        }
        lines.extend(self.differences.iter().cloned());
        for (program, budget) in &self.prorations {
            let mut sums = self.year_sums.get(program).cloned().unwrap_or_default();
            for line in lines.iter().filter(|l| l.program.as_ref() == Some(program)) {
                let mine = sums.entry(line.institution.clone()).or_insert_with(|| (Yen(0), line.clone()));
                mine.0.0 += line.amount.0;
            }
            let year = (self.month.fiscal_year(), self.month);
            lines.extend(proration(program, *budget, &sums, year));
        }
        Computed { held, lines }
    }
}

/// Completed events with what the office recorded about them.
async fn events_of(
    conn: &mut Conn,
    association: &AssociationId,
    (from, to): (Millis, Millis),
    as_of: Millis,
    last: Option<&CloseRow>,
) -> Result<BTreeMap<RequestId, Box<CompletedEvent>>, StoreError> {
    let counted = events_counted(conn, association, (from, to, as_of)).await?;
    let mut events: BTreeMap<RequestId, Box<CompletedEvent>> = counted.into_iter().collect();
    let since = last.map_or(Millis(i64::MIN), |close| close.made_at);
    events.extend(events_late(conn, association, (from, since, as_of)).await?);
    if let Some(close) = last {
        events.extend(held_of(conn, association, close.month).await?);
    }
    for (request, evidence) in evidence_all::<Evidence>(conn, association, as_of).await? {
        if let Some(event) = events.get_mut(&request) {
            evidence.lay_over(event);
        }
    }
    Ok(events)
}

/// The instants of the civil month.
pub(crate) fn instants(month: Month, zone: chrono_tz::Tz) -> (Millis, Millis) {
    (start_of_day(month.first(), zone), start_of_day(month.end(), zone))
}

/// The first day of the fiscal year after the last one that was closed before this month.
async fn year_closed_before(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<Option<CivilDate>, StoreError> {
    let march = Month::april(month.fiscal_year()).plus(-1);
    let close = close_get(conn, association, march).await?;
    Ok(close.filter(|c| c.ends_year && c.sealed.is_some()).map(|_| march.end()))
}

/// What closed months before this one hold, as far as its events and its tariffs ask: everything of the months from
/// which something came late; lines of the same cases; sums. An event of this month stands in no closed one.
async fn taken_before(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
    events: &BTreeMap<RequestId, Box<CompletedEvent>>,
    tariffs: &Tariffs,
) -> Result<Taken, StoreError> {
    let late: BTreeSet<Month> =
        events.values().map(|e| Month::of(e.moment.civil_date)).filter(|of| *of < month).collect();
    let oldest = late.first().copied().unwrap_or(month).fiscal_year();
    let mut taken = Taken::default();
    for of in &late {
        let days = (of.first(), of.end());
        sealed_briefs(conn, association, (days, month), |brief: &Brief| taken.take_counts(brief)).await?;
    }
    let asks = Asks::of(tariffs);
    if asks.cases {
        let cases: BTreeSet<String> = events.values().map(|e| e.case_no.to_string()).collect();
        let cases: Vec<String> = cases.into_iter().collect();
        let from = (Month::april(oldest).first(), month);
        sealed_of_cases(conn, association, &cases, from, |brief: &Brief| {
            if !late.contains(&Month::of(brief.civil_date)) {
                taken.take_case(brief);
            }
        })
        .await?;
    }
    if asks.money {
        for year in oldest..=month.fiscal_year() {
            let days = (Month::april(year).first(), Month::april(year + 1).first());
            for (program, yen, over) in sealed_spent(conn, association, days, month).await? {
                taken.take_money(&program, year, yen, over);
            }
        }
    }
    Ok(taken)
}

/// What happened in a month and what closed months before it hold, without the orders that go into it.
struct Base {
    tariffs: Tariffs,
    tariff_number: i64,
    facts: Vec<Fact>,
    taken: Taken,
    too_late: Vec<CaseNo>,
}

async fn base_of(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    (month, as_of): (Month, Millis),
    tariff_number: Option<i64>,
) -> Result<Base, StoreError> {
    let home = association_by_id(conn, association).await?;
    let zone = home.map_or(chrono_tz::UTC, |a| a.zone);
    let (tariffs, number) = tariffs_of(conn, kit, association, tariff_number, as_of).await?;
    let last = close_last(conn, association, Some(month)).await?;
    let span = instants(month, zone);
    let mut events = events_of(conn, association, span, as_of, last.as_ref()).await?;
    // A closed fiscal year is closed: what comes after it is shown and not counted any more.
    let mut too_late = Vec::new();
    if let Some(open_from) = year_closed_before(conn, association, month).await? {
        events.retain(|_, event| {
            let late = event.moment.civil_date < open_from;
            if late {
                too_late.push(event.case_no);
            }
            !late
        });
    }
    let taken = taken_before(conn, association, month, &events, &tariffs).await?;
    let calendar = calendar_of(conn, kit, association).await?;
    let mut facts: Vec<Fact> = events.into_values().map(Fact::Event).collect();
    facts.extend(duty_facts(conn, association, month, as_of, (&calendar, &tariffs, zone)).await?);
    Ok(Base { tariffs, tariff_number: number, facts, taken, too_late })
}

/// Reads the world of a month as it was known at `as_of`. `tariff_number` pins the tariffs; without it those
/// recorded last at `as_of` are used.
pub(crate) async fn world_of(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    month: Month,
    as_of: Millis,
    (tariff_number, ends_year): (Option<i64>, bool),
) -> Result<World, StoreError> {
    let base = Box::pin(base_of(conn, kit, association, (month, as_of), tariff_number)).await?;
    let mut corrections = Vec::new();
    for order in corrections_for(conn, association, as_of, month).await? {
        let sealed = sealed_by_line(conn, association, &order.line).await?;
        let (_, line) = sealed
            .ok_or_else(|| StoreError::corrupt("ledger_correction", &order.line, "its line is gone"))?;
        corrections.push(Ordered { line, instead: order.instead });
    }
    let mut entries = Vec::new();
    for (closed, number) in reruns_for(conn, association, as_of, month).await? {
        entries.extend(Box::pin(rerun(conn, kit, association, (closed, number), month)).await?);
    }
    let (mut prorations, mut year_sums) = (Vec::new(), BTreeMap::new());
    if ends_year {
        for (program, budget) in prorations_for(conn, association, month.fiscal_year(), as_of).await? {
            let code = program.parse().map_err(|e| StoreError::corrupt("ledger_proration", &program, e))?;
            prorations.push((code, budget));
        }
        if !prorations.is_empty() {
            year_sums = sums_of_year(conn, association, month).await?;
        }
    }
    Ok(World {
        association: association.clone(),
        month,
        tariffs: base.tariffs,
        tariff_number: base.tariff_number,
        facts: base.facts,
        taken: base.taken,
        corrections,
        differences: entries,
        prorations,
        year_sums,
        too_late: base.too_late,
        waiting: waiting(ends_year),
    })
}

const fn waiting(ends_year: bool) -> Waiting {
    if ends_year { Waiting::End } else { Waiting::Hold }
}

async fn sums_of_year(
    conn: &mut Conn,
    association: &AssociationId,
    month: Month,
) -> Result<BTreeMap<Code, BTreeMap<InstitutionId, (Yen, Line)>>, StoreError> {
    let mut sums: BTreeMap<Code, BTreeMap<InstitutionId, (Yen, Line)>> = BTreeMap::new();
    let mut at = Month::april(month.fiscal_year());
    while at < month {
        for line in sealed_of_month(conn, association, at, None).await? {
            let Some(program) = line.program.clone() else { continue };
            let of_program = sums.entry(program).or_default();
            let amount = line.amount.0;
            let mine = of_program.entry(line.institution.clone()).or_insert_with(|| (Yen(0), line.clone()));
            mine.0.0 += amount;
            mine.1 = line;
        }
        at = at.plus(1);
    }
    Ok(sums)
}

/// Runs a closed month again under other tariffs and gives the differences. Everything that closed months hold of
/// its events stands against the new run, so a second rerun finds nothing left.
async fn rerun(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    (closed, number): (Month, i64),
    into: Month,
) -> Result<Vec<Line>, StoreError> {
    let gone = |what: String| StoreError::corrupt("ledger_rerun", closed.to_string(), what);
    let close = close_get(conn, association, closed).await?.ok_or_else(|| gone("not closed".to_owned()))?;
    // What was known when the month was made; only the rules are others. Orders of that month stay out: they
    // stand against the lines already.
    let known = (closed, close.made_at);
    let again = Box::pin(base_of(conn, kit, association, known, Some(number))).await?;
    let waiting = waiting(close.ends_year);
    let run = run_month(closed, &again.facts, &again.taken, &again.tariffs, waiting);
    // What the month held has its word in a later one, and is run again with that.
    let (old, _) = tariffs_of(conn, kit, association, Some(close.tariff_number), close.made_at).await?;
    let held = run_month(closed, &again.facts, &again.taken, &old, waiting).held;
    let held: BTreeSet<Said> = held.iter().map(Line::said).collect();
    let mut before = sealed_of_month(conn, association, closed, None).await?;
    before.retain(|line| line.entry.is_original());
    let said: BTreeSet<Said> = before.iter().map(Line::said).collect();
    let mut ids: BTreeSet<_> = before.iter().map(|line| line.id.clone()).collect();
    let events: BTreeSet<String> = before.iter().map(|line| line.event.key()).collect();
    for event in events {
        for line in sealed_of_event(conn, association, &event).await? {
            let later = matches!(
                line.entry,
                Entry::Reversal { .. } | Entry::Correction { .. } | Entry::Difference { .. }
            );
            if later && Month::of(line.civil_date) <= closed && ids.insert(line.id.clone()) {
                before.push(line);
            }
        }
    }
    // What it now says of the same events, also under programmes it did not know.
    let known: BTreeSet<String> = said.iter().map(|(event, _, _)| event.clone()).collect();
    let mut now: Vec<Line> = run.lines;
    now.retain(|line| known.contains(&line.event.key()) && !held.contains(&line.said()));
    Ok(differences(&before, &now, into))
}
