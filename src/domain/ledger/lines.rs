//! From one completed event and the tariffs to its ledger lines: pure, the same bytes every time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::{ALWAYS, Condition, ConditionResult, ConditionState, ReasonCode};
use super::event::{Code, CompletedEvent, EventKind, EventRef};
use super::fraction::{Fraction, Rounding};
use super::tariff::{Side, Tariff, Tariffs, Unit};
use crate::domain::calendar::{CaseNo, CivilDate, TimeBand};
use crate::ids::{AssociationId, InstitutionId, LedgerLineId, MemberId};
use crate::money::Yen;
use crate::time::Millis;

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

/// What a line is in the books (仕訳の種類).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The word on an event.
    #[default]
    Original,
    /// Takes a closed line back (取消): its amount, negated.
    Reversal { of: LedgerLineId },
    /// Stands instead of a line that was taken back (訂正).
    Correction { of: LedgerLineId },
    /// What a changed rule makes more or less of closed lines (差額).
    Difference { of: LedgerLineId },
    /// What sharing down a budget takes (按分) at the close of the fiscal year.
    Proration { fiscal_year: i32 },
}

impl Entry {
    /// Whether it is the plain word on an event.
    #[must_use]
    pub fn is_original(&self) -> bool {
        *self == Self::Original
    }

    /// The line it refers to.
    #[must_use]
    pub const fn of(&self) -> Option<&LedgerLineId> {
        match self {
            Self::Original | Self::Proration { .. } => None,
            Self::Reversal { of } | Self::Correction { of } | Self::Difference { of } => Some(of),
        }
    }

    /// The stable word in data.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Reversal { .. } => "reversal",
            Self::Correction { .. } => "correction",
            Self::Difference { .. } => "difference",
            Self::Proration { .. } => "proration",
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
    /// `None` of duty.
    pub case_no: Option<CaseNo>,
    pub kind: EventKind,
    pub side: Side,
    /// The party that is paid.
    pub institution: InstitutionId,
    pub institution_kind: Code,
    /// Who asked, took or held it for the institution.
    pub person: Option<MemberId>,
    /// The instant by which it counts.
    pub at: Millis,
    /// The event's day, as recorded with it.
    pub civil_date: CivilDate,
    /// As recorded with the event, or as the tariff's own calendar counts it.
    pub band: TimeBand,
    /// The calendar that said so; with the name of the tariff's own behind a slash.
    pub calendar_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specialty: Option<Code>,
    /// The city's code; never an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_city: Option<Code>,
    /// `None` with `tariff`, where no programme knows this side of this kind of event.
    pub program: Option<Code>,
    pub tariff: Option<Code>,
    pub tariffs_version: String,
    /// Every condition, met or not, in the deciding order.
    pub conditions: Vec<ConditionResult>,
    /// How many units were done or held.
    pub quantity: Fraction,
    /// The same after rises: what the rate is multiplied by.
    pub counted: Fraction,
    pub unit: Unit,
    /// The tariff's amount per unit, also where the line is not paid.
    pub rate: Yen,
    /// What a cap took off the amount.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub capped: Yen,
    /// What is paid: nought unless eligible.
    pub amount: Yen,
    pub eligibility: Eligibility,
    /// The evidence: where the report is kept.
    pub report_ref: Option<Code>,
    /// The evidence of duty: `publication:…`, `swap:…`, `override:…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Code>,
    #[serde(default, skip_serializing_if = "Entry::is_original")]
    pub entry: Entry,
    /// The run that made the line.
    pub run: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_nought(yen: &Yen) -> bool {
    yen.0 == 0
}

impl Line {
    /// The key under which a run has one word for each programme.
    #[must_use]
    pub fn said(&self) -> Said {
        (self.event.key(), self.side, self.program.clone())
    }
}

/// Event, side and programme: on each there is one word, with all its tariffs.
pub type Said = (String, Side, Option<Code>);

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
    for side in [Side::Requester, Side::Acceptor] {
        let mut by_program: BTreeMap<&Code, Vec<&Tariff>> = BTreeMap::new();
        for tariff in tariffs.all.iter().filter(|t| t.side == side && t.event == event.kind) {
            if !applies(tariff, event, side) {
                continue;
            }
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

/// Whether the tariff is for such institutions, specialties and takers at all.
fn applies(tariff: &Tariff, event: &CompletedEvent, side: Side) -> bool {
    let (kind, institution) = match side {
        Side::Requester => (&event.requester.institution_kind, &event.requester.institution),
        Side::Acceptor | Side::Standby => (&event.acceptor.institution_kind, &event.acceptor.institution),
    };
    (tariff.institutions.is_empty() || tariff.institutions.contains(institution))
        && (tariff.institution_kinds.is_empty() || tariff.institution_kinds.contains(kind))
        && (tariff.specialties.is_empty()
            || event.specialty.as_ref().is_some_and(|s| tariff.specialties.contains(s)))
        && (tariff.accepted_as.is_empty() || tariff.accepted_as.contains(&event.acceptor.on_rota_as))
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
        let (in_dates, in_band) = (tariffs.in_dates(t, date), t.bands.contains(&band));
        (!in_dates, in_dates && !in_band, days_away(t, date), t.code.clone())
    };
    candidates.iter().min_by_key(wrongness).copied()
}

/// Days between a day and the nearest day on which the tariff is in force.
pub(super) fn days_away(tariff: &Tariff, date: CivilDate) -> i64 {
    if date < tariff.from {
        tariff.from.days_since(date)
    } else {
        date.days_since(tariff.before.plus_days(-1)).max(0)
    }
}

/// How many units the event is, exactly; one where that is not known yet.
fn quantity(event: &CompletedEvent, tariff: &Tariff) -> Fraction {
    let minutes = || i64::from(event.worked_minutes().unwrap_or(0));
    let exact = match tariff.unit {
        Unit::Event | Unit::Slot | Unit::Day | Unit::FullDayTurn => return Fraction::ONE,
        Unit::Hour => Fraction::new(minutes(), 60),
        Unit::MinuteBlock => Fraction::new(minutes(), i64::from(tariff.block_minutes.max(1))),
    };
    in_part(tariff, exact.unwrap_or(Fraction::ZERO))
}

/// What becomes of a part of a unit: blocks are paid when they are full, hours and slots in part, unless the
/// tariff says otherwise.
pub(super) fn in_part(tariff: &Tariff, exact: Fraction) -> Fraction {
    let partial = tariff.partial.or((tariff.unit == Unit::MinuteBlock).then_some(Rounding::Floor));
    partial.map_or(exact, |rounding| Fraction::new(exact.rounded(rounding), 1).unwrap_or(Fraction::ZERO))
}

/// The id of a line: its identity.
pub(super) fn line_id(
    event: &EventRef,
    side: Side,
    institution: &InstitutionId,
    tariff: Option<&Code>,
    run: &str,
) -> LedgerLineId {
    let named_by = tariff.map_or("", Code::as_str);
    LedgerLineId::named(&[
        "touban/ledger-line/1",
        &event.key(),
        side.code(),
        institution.as_str(),
        named_by,
        run,
    ])
}

fn line(event: &CompletedEvent, side: Side, tariff: Option<&Tariff>, tariffs: &Tariffs, run: &str) -> Line {
    let (band, calendar_version) = tariffs.band_of(tariff, &event.moment);
    let (institution, institution_kind, person) = match side {
        Side::Requester => {
            let r = &event.requester;
            (&r.institution, &r.institution_kind, &r.member)
        }
        Side::Acceptor | Side::Standby => {
            let a = &event.acceptor;
            (&a.institution, &a.institution_kind, &a.person)
        }
    };
    let conditions = results(event, tariff, tariffs, band);
    let eligibility = judge(&conditions);
    let rate = tariff.map_or(Yen(0), |t| t.amount);
    let quantity = tariff.map_or(Fraction::ONE, |t| quantity(event, t));
    let uplift = tariff.map_or(Fraction::ONE, |t| tariffs.uplift(t, &event.moment));
    let counted = quantity.times(uplift).unwrap_or(quantity);
    let rounding = tariff.map_or(Rounding::Floor, |t| t.rounding);
    let tariff_code = tariff.map(|t| t.code.clone());
    Line {
        id: line_id(&event.event, side, institution, tariff_code.as_ref(), run),
        association: event.association.clone(),
        event: event.event.clone(),
        case_no: Some(event.case_no),
        kind: event.kind,
        side,
        institution: institution.clone(),
        institution_kind: institution_kind.clone(),
        person: person.clone(),
        at: event.moment.at,
        civil_date: event.moment.civil_date,
        band,
        calendar_version,
        specialty: event.specialty.clone(),
        patient_city: event.patient_city.clone(),
        program: tariff.map(|t| t.program.clone()),
        tariff: tariff_code,
        tariffs_version: tariffs.version.clone(),
        conditions,
        quantity,
        counted,
        unit: tariff.map_or(Unit::Event, |t| t.unit),
        rate,
        capped: Yen(0),
        amount: paid(eligibility, counted, rate, rounding),
        eligibility,
        report_ref: event.report_ref.clone(),
        evidence: Vec::new(),
        entry: Entry::Original,
        run: run.to_owned(),
    }
}

/// The amount of a line before caps: rounded once, here.
pub(super) fn paid(eligibility: Eligibility, counted: Fraction, rate: Yen, rounding: Rounding) -> Yen {
    // Rates, parts and rises are bounded where they are read, so that the product fits.
    if eligibility == Eligibility::Eligible { counted.of(rate, rounding).unwrap_or(Yen(0)) } else { Yen(0) }
}

/// Every condition's result, in the deciding order. Without a tariff there are no dates to be in.
fn results(
    event: &CompletedEvent,
    tariff: Option<&Tariff>,
    tariffs: &Tariffs,
    band: TimeBand,
) -> Vec<ConditionResult> {
    let asked = tariff.into_iter().flat_map(|t| {
        let in_area = (!t.cities.is_empty()).then_some(Condition::InArea);
        let minutes = matches!(t.unit, Unit::Hour | Unit::MinuteBlock).then_some(Condition::MinutesKnown);
        t.when.iter().copied().chain(in_area).chain(minutes)
    });
    let by_tariff = |condition: Condition| match condition {
        Condition::InArea => match (&event.patient_city, tariff) {
            // Where somebody lives can still be found out.
            (None, _) => ConditionState::Missing,
            (Some(city), Some(tariff)) => held(tariff.cities.contains(city)),
            (Some(_), None) => ConditionState::Met,
        },
        Condition::InBand => held(tariff.is_none_or(|t| t.bands.contains(&band))),
        _ => held(tariff.is_some_and(|t| tariffs.in_dates(t, event.moment.civil_date))),
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

pub(super) const fn held(yes: bool) -> ConditionState {
    if yes { ConditionState::Met } else { ConditionState::Failed }
}

/// What the results come to. A failure decides before what is only missing.
pub(super) fn judge(conditions: &[ConditionResult]) -> Eligibility {
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
