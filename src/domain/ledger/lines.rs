//! From one completed event and the tariffs to its ledger lines: pure, the same bytes every time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::{ALWAYS, Condition, ConditionResult, ConditionState, ReasonCode};
use super::event::{Code, CompletedEvent, EventKind, EventRef};
use super::tariff::{Side, Tariff, Tariffs, Unit};
use crate::domain::calendar::{CaseNo, CivilDate, TimeBand};
use crate::ids::{AssociationId, InstitutionId, LedgerLineId, MemberId};
use crate::money::Yen;

/// Whether a line is paid (補助対象・対象外). The reason is that of the first condition not met, in the
/// order of [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Eligibility {
    /// Every condition is met: paid.
    Eligible,
    /// Nothing speaks against it, but a report or a confirmation has not come yet. Worth nothing until a
    /// later run finds it; at the close it goes to the next month.
    PendingEvidence { reason: ReasonCode },
    /// The facts speak against it: counted, not paid.
    Ineligible { reason: ReasonCode },
}

impl Eligibility {
    /// `None` when eligible.
    #[must_use]
    pub const fn reason(self) -> Option<ReasonCode> {
        match self {
            Self::Eligible => None,
            Self::PendingEvidence { reason } | Self::Ineligible { reason } => Some(reason),
        }
    }
}

/// A line of the ledger (明細): one event, one side, one party, one tariff, one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Named by the identity (event, side, party, tariff, run), see [`lines`].
    pub id: LedgerLineId,
    pub association: AssociationId,
    pub event: EventRef,
    pub case_no: CaseNo,
    pub kind: EventKind,
    pub side: Side,
    /// The party that is paid.
    pub institution: InstitutionId,
    pub institution_kind: Code,
    /// Who asked or took it for the institution.
    pub person: Option<MemberId>,
    /// The event's day, as recorded with it.
    pub civil_date: CivilDate,
    /// As recorded with the event, or as the tariff's own calendar counts it.
    pub band: TimeBand,
    /// The calendar that said so; with the name of the tariff's own behind a slash.
    pub calendar_version: String,
    /// `None` with `tariff`, where no programme knows this side of this kind of event.
    pub program: Option<Code>,
    pub tariff: Option<Code>,
    pub tariffs_version: String,
    /// Every condition, met or not, in the deciding order.
    pub conditions: Vec<ConditionResult>,
    /// How many units; one event.
    pub quantity: u32,
    pub unit: Unit,
    /// The tariff's amount per unit, also where the line is not paid.
    pub rate: Yen,
    /// What is paid: nought unless eligible.
    pub amount: Yen,
    pub eligibility: Eligibility,
    /// The evidence: where the report is kept.
    pub report_ref: Option<Code>,
    /// The run that made the line.
    pub run: String,
}

/// The lines of one event under one version of the tariffs.
///
/// A clerk wants to see, for each event and each side, what every programme said, once: a sum, or why
/// not. So for each side there is **exactly one line per programme that knows this kind of event on this
/// side**, carrying the tariff
///
/// 1. in force on the event's day that names its band: there is at most one, the file is refused otherwise;
/// 2. else one in force that names other bands (`wrong_band`), the least code;
/// 3. else the one in force nearest to the day (`out_of_dates`), the least code where two are as near.
///
/// Where no programme knows the side at all, one line without programme and tariff stands there, out of
/// dates, so that neither side of an event is ever missing. Requester's lines come first, then acceptor's,
/// each by programme.
///
/// A line's id is named by `touban/ledger-line/1`, the event's key, the side, the institution, the
/// tariff's code (nothing where there is none) and the run; a second run of the same name gives the same
/// bytes.
#[must_use]
pub fn lines(event: &CompletedEvent, tariffs: &Tariffs, run: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for &side in Side::ALL {
        let mut by_program: BTreeMap<&Code, Vec<&Tariff>> = BTreeMap::new();
        for tariff in tariffs.all.iter().filter(|t| t.side == side && t.event == event.kind) {
            by_program.entry(&tariff.program).or_default().push(tariff);
        }
        let before = lines.len();
        let chosen =
            by_program.into_values().filter_map(|candidates| speaking_for(&candidates, event, tariffs));
        lines.extend(chosen.map(|tariff| line(event, side, Some(tariff), tariffs, run)));
        if lines.len() == before {
            lines.push(line(event, side, None, tariffs, run));
        }
    }
    lines
}

/// The tariff that speaks for its programme; see [`lines`].
fn speaking_for<'t>(
    candidates: &[&'t Tariff],
    event: &CompletedEvent,
    tariffs: &Tariffs,
) -> Option<&'t Tariff> {
    let date = event.moment.civil_date;
    let wrongness = |t: &&&Tariff| {
        let (band, _) = tariffs.band_of(Some(t), &event.moment);
        let (in_dates, in_band) = (t.in_dates(date), t.bands.contains(&band));
        (!in_dates, in_dates && !in_band, days_away(t, date), t.code.clone())
    };
    candidates.iter().min_by_key(wrongness).copied()
}

/// Days between a day and the nearest day on which the tariff is in force.
fn days_away(tariff: &Tariff, date: CivilDate) -> i64 {
    if date < tariff.from {
        tariff.from.days_since(date)
    } else {
        date.days_since(tariff.before.plus_days(-1)).max(0)
    }
}

fn line(event: &CompletedEvent, side: Side, tariff: Option<&Tariff>, tariffs: &Tariffs, run: &str) -> Line {
    let (band, calendar_version) = tariffs.band_of(tariff, &event.moment);
    let (institution, institution_kind, person) = match side {
        Side::Requester => {
            let r = &event.requester;
            (&r.institution, &r.institution_kind, &r.member)
        }
        Side::Acceptor => {
            let a = &event.acceptor;
            (&a.institution, &a.institution_kind, &a.person)
        }
    };
    let conditions = results(event, tariff, band);
    let eligibility = judge(&conditions);
    let rate = tariff.map_or(Yen(0), |t| t.amount);
    let amount = if eligibility == Eligibility::Eligible { rate } else { Yen(0) };
    let tariff_code = tariff.map(|t| t.code.clone());
    let named_by = tariff_code.as_ref().map_or("", Code::as_str);
    let identity =
        ["touban/ledger-line/1", &event.event.key(), side.code(), institution.as_str(), named_by, run];
    Line {
        id: LedgerLineId::named(&identity),
        association: event.association.clone(),
        event: event.event.clone(),
        case_no: event.case_no,
        kind: event.kind,
        side,
        institution: institution.clone(),
        institution_kind: institution_kind.clone(),
        person: person.clone(),
        civil_date: event.moment.civil_date,
        band,
        calendar_version,
        program: tariff.map(|t| t.program.clone()),
        tariff: tariff_code,
        tariffs_version: tariffs.version.clone(),
        conditions,
        quantity: 1,
        unit: tariff.map_or(Unit::Event, |t| t.unit),
        rate,
        amount,
        eligibility,
        report_ref: event.report_ref.clone(),
        run: run.to_owned(),
    }
}

/// Every condition's result, in the deciding order. Without a tariff there are no dates to be in.
fn results(event: &CompletedEvent, tariff: Option<&Tariff>, band: TimeBand) -> Vec<ConditionResult> {
    let asked = tariff.into_iter().flat_map(|t| t.when.iter().copied());
    let by_tariff = |condition: Condition| {
        let held = match condition {
            Condition::InBand => tariff.is_none_or(|t| t.bands.contains(&band)),
            _ => tariff.is_some_and(|t| t.in_dates(event.moment.civil_date)),
        };
        if held { ConditionState::Met } else { ConditionState::Failed }
    };
    let mut results: Vec<ConditionResult> = ALWAYS
        .into_iter()
        .chain(asked)
        .map(|condition| ConditionResult {
            condition,
            state: condition.by_event(event).unwrap_or_else(|| by_tariff(condition)),
        })
        .collect();
    results.sort_by_key(|result| result.condition);
    results
}

fn judge(conditions: &[ConditionResult]) -> Eligibility {
    let Some(first) = conditions.iter().find(|c| c.state != ConditionState::Met) else {
        return Eligibility::Eligible;
    };
    let reason = first.condition.reason();
    if conditions.iter().any(|c| c.state == ConditionState::Failed) {
        Eligibility::Ineligible { reason }
    } else {
        Eligibility::PendingEvidence { reason }
    }
}
