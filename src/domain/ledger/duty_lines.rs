//! From stretches of duty and 24-hour turns to their lines. Completed events are `lines`'.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Condition, ConditionResult, ConditionState};
use super::event::{Code, EventKind, EventRef, Membership, Moment};
use super::fraction::Fraction;
use super::lines::{Entry, Line, days_away, held, in_part, judge, line_id, paid};
use super::program::StandbyDay;
use super::standby::{Piece, StandbyEvent, TurnEvent};
use super::tariff::{Side, Tariff, Tariffs, Unit};
use crate::domain::calendar::{CivilDate, TimeBand};
use crate::ids::{AssociationId, InstitutionId};
use crate::money::Yen;

/// Milliseconds that an institution held on a day, for a tariff that pays by the day.
pub(super) type DayHours = BTreeMap<(Code, InstitutionId, CivilDate), i64>;

const HOUR_MS: i64 = 3_600_000;

/// The conditions a line of duty is asked, besides those of its tariff.
const ASKED: [Condition; 2] = [Condition::InDates, Condition::InBand];

fn applies(tariff: &Tariff, kind: &Code) -> bool {
    tariff.event == EventKind::Standby
        && (tariff.institution_kinds.is_empty() || tariff.institution_kinds.contains(kind))
}

fn for_stretch(tariff: &Tariff, event: &StandbyEvent) -> bool {
    applies(tariff, &event.institution_kind)
        && tariff.unit != Unit::FullDayTurn
        && (tariff.duty_roles.is_empty() || tariff.duty_roles.contains(&event.role))
}

/// A stretch, or the part of it that lies on one day, as one programme counts it.
struct Share<'a> {
    event: &'a StandbyEvent,
    name: EventRef,
    date: CivilDate,
    moment: &'a Moment,
    pieces: Vec<&'a Piece>,
}

fn shares(event: &StandbyEvent, day: StandbyDay) -> Vec<Share<'_>> {
    let whole = |date, moment, pieces, name| Share { event, name, date, moment, pieces };
    match day {
        StandbyDay::SlotStart => {
            let name = EventRef::Duty(event.name(None));
            vec![whole(event.moment.civil_date, &event.moment, event.pieces.iter().collect(), name)]
        }
        StandbyDay::Split => {
            let days: BTreeSet<CivilDate> = event.pieces.iter().map(|p| p.moment.civil_date).collect();
            let of_day = |date: CivilDate| {
                let pieces: Vec<&Piece> =
                    event.pieces.iter().filter(|p| p.moment.civil_date == date).collect();
                let first = pieces.first().map(|p| &p.moment)?;
                Some(whole(date, first, pieces, EventRef::Duty(event.name(Some(date)))))
            };
            days.into_iter().filter_map(of_day).collect()
        }
    }
}

fn in_bands<'a>(
    share: &'a Share<'_>,
    tariff: &'a Tariff,
    tariffs: &'a Tariffs,
) -> impl Iterator<Item = &'a Piece> {
    let named = move |p: &&&Piece| tariff.bands.contains(&tariffs.band_of(Some(tariff), &p.moment).0);
    share.pieces.iter().filter(named).copied()
}

fn length(piece: &Piece) -> i64 {
    piece.window.to.since_ms(piece.window.from)
}

/// Adds what this stretch holds to the days of its institution.
pub(super) fn count_days(event: &StandbyEvent, tariffs: &Tariffs, days: &mut DayHours) {
    for tariff in tariffs.all().iter().filter(|t| t.unit == Unit::Day && for_stretch(t, event)) {
        for share in shares(event, tariffs.standby_day(&tariff.program)) {
            let ms: i64 = in_bands(&share, tariff, tariffs).map(length).sum();
            *days.entry((tariff.code.clone(), event.institution.clone(), share.date)).or_default() += ms;
        }
    }
}

/// How many units of the tariff a share is, before and after rises, and whether any of it lies in its bands.
fn measure(share: &Share<'_>, tariff: &Tariff, tariffs: &Tariffs) -> (Fraction, Fraction, bool) {
    let unit_ms = match tariff.unit {
        Unit::Hour => HOUR_MS,
        Unit::MinuteBlock => i64::from(tariff.block_minutes.max(1)) * 60_000,
        Unit::Slot => {
            let slot = share.event.slot_window;
            let whole = slot.to.since_ms(slot.from).max(1);
            let part: i64 = share.pieces.iter().map(|p| length(p)).sum();
            let exact = Fraction::new(part.min(whole), whole).unwrap_or(Fraction::ZERO);
            return by_moment(share, tariff, tariffs, in_part(tariff, exact));
        }
        Unit::Event | Unit::Day | Unit::FullDayTurn => {
            return by_moment(share, tariff, tariffs, Fraction::ONE);
        }
    };
    let (mut quantity, mut counted) = (Fraction::ZERO, Fraction::ZERO);
    for piece in in_bands(share, tariff, tariffs) {
        let part = Fraction::new(length(piece), unit_ms).unwrap_or(Fraction::ZERO);
        let uplift = tariffs.uplift(tariff, &piece.moment);
        quantity = quantity.plus(part).unwrap_or(quantity);
        counted = part.times(uplift).and_then(|part| counted.plus(part)).unwrap_or(counted);
    }
    let whole = in_part(tariff, quantity);
    if whole != quantity {
        // Whole units have one rise: that of the slot's start.
        counted = whole.times(tariffs.uplift(tariff, share.moment)).unwrap_or(whole);
    }
    (whole, counted, !quantity.is_zero())
}

/// Units that are not counted by time: the band and the rise of the start hold for all of it.
fn by_moment(
    share: &Share<'_>,
    tariff: &Tariff,
    tariffs: &Tariffs,
    quantity: Fraction,
) -> (Fraction, Fraction, bool) {
    let (band, _) = tariffs.band_of(Some(tariff), share.moment);
    let counted = quantity.times(tariffs.uplift(tariff, share.moment)).unwrap_or(quantity);
    (quantity, counted, tariff.bands.contains(&band))
}

/// The lines of one stretch, each programme's by its own way of counting days.
///
/// Of each programme that knows duty of this role and kind of institution there is one line for every tariff
/// in force that names some of its hours; where there is none, one line says why, by the nearest tariff.
pub(super) fn stretch_lines(
    event: &StandbyEvent,
    days: &DayHours,
    tariffs: &Tariffs,
    run: &str,
) -> Vec<Line> {
    let mut by_program: BTreeMap<&Code, Vec<&Tariff>> = BTreeMap::new();
    for tariff in tariffs.all().iter().filter(|t| for_stretch(t, event)) {
        by_program.entry(&tariff.program).or_default().push(tariff);
    }
    let mut lines = Vec::new();
    for (program, candidates) in by_program {
        for share in shares(event, tariffs.standby_day(program)) {
            let speaks = |t: &&&Tariff| tariffs.in_dates(t, share.date) && measure(&share, t, tariffs).2;
            let mut speaking: Vec<&Tariff> = candidates.iter().filter(speaks).copied().collect();
            if speaking.is_empty() {
                let far = |t: &&&Tariff| {
                    (!tariffs.in_dates(t, share.date), days_away(t, share.date), t.code.clone())
                };
                speaking.extend(candidates.iter().min_by_key(far).copied());
            }
            lines.extend(speaking.into_iter().map(|tariff| line(&share, tariff, days, tariffs, run)));
        }
    }
    lines
}

fn line(share: &Share<'_>, tariff: &Tariff, days: &DayHours, tariffs: &Tariffs, run: &str) -> Line {
    let event = share.event;
    let (quantity, counted, in_band) = measure(share, tariff, tariffs);
    let hours_held = || {
        let by_day = || days.get(&(tariff.code.clone(), event.institution.clone(), share.date)).copied();
        let own: i64 = share.pieces.iter().map(|p| length(p)).sum();
        if tariff.unit == Unit::Day { by_day().unwrap_or(own) } else { own }
    };
    let state = |condition: Condition| match condition {
        Condition::InDates => held(tariffs.in_dates(tariff, share.date)),
        Condition::InBand => held(in_band),
        Condition::HoursAtLeast(hours) => held(hours_held() >= i64::from(hours) * HOUR_MS),
        Condition::MemberActive(_) => held(event.membership == Membership::Active),
        _ => ConditionState::Met,
    };
    let parts = Parts {
        of: (event.association.clone(), event.institution.clone(), event.institution_kind.clone()),
        name: share.name.clone(),
        moment: share.moment,
        date: share.date,
        quantity,
        counted,
        conditions: conditions(tariff, state),
    };
    let mut line = made(parts, tariff, tariffs, run);
    line.person = Some(event.person.clone());
    line.evidence = event.because.clone();
    line
}

struct Parts<'a> {
    of: (AssociationId, InstitutionId, Code),
    name: EventRef,
    moment: &'a Moment,
    date: CivilDate,
    quantity: Fraction,
    counted: Fraction,
    conditions: Vec<ConditionResult>,
}

fn conditions(tariff: &Tariff, state: impl Fn(Condition) -> ConditionState) -> Vec<ConditionResult> {
    let asked: BTreeSet<Condition> = ASKED.into_iter().chain(tariff.when.iter().copied()).collect();
    asked.into_iter().map(|condition| ConditionResult { condition, state: state(condition) }).collect()
}

fn made(parts: Parts<'_>, tariff: &Tariff, tariffs: &Tariffs, run: &str) -> Line {
    let (association, institution, institution_kind) = parts.of;
    let (band, calendar_version): (TimeBand, String) = tariffs.band_of(Some(tariff), parts.moment);
    let eligibility = judge(&parts.conditions);
    Line {
        id: line_id(&parts.name, Side::Standby, &institution, Some(&tariff.code), run),
        association,
        event: parts.name,
        case_no: None,
        kind: EventKind::Standby,
        side: Side::Standby,
        institution,
        institution_kind,
        person: None,
        at: parts.moment.at,
        civil_date: parts.date,
        band,
        calendar_version,
        specialty: None,
        patient_city: None,
        program: Some(tariff.program.clone()),
        tariff: Some(tariff.code.clone()),
        tariffs_version: tariffs.version.clone(),
        conditions: parts.conditions,
        quantity: parts.quantity,
        counted: parts.counted,
        unit: tariff.unit,
        rate: tariff.amount,
        capped: Yen(0),
        amount: paid(eligibility, parts.counted, tariff.amount, tariff.rounding),
        eligibility,
        report_ref: None,
        evidence: Vec::new(),
        entry: Entry::Original,
        run: run.to_owned(),
    }
}

/// The lines of one turn: one for each programme that pays turns.
pub(super) fn turn_lines(event: &TurnEvent, tariffs: &Tariffs, run: &str) -> Vec<Line> {
    let mut by_program: BTreeMap<&Code, Vec<&Tariff>> = BTreeMap::new();
    let turns = |t: &&Tariff| t.unit == Unit::FullDayTurn && applies(t, &event.institution_kind);
    for tariff in tariffs.all().iter().filter(turns) {
        by_program.entry(&tariff.program).or_default().push(tariff);
    }
    let date = event.moment.civil_date;
    let in_band = |t: &Tariff| t.bands.contains(&tariffs.band_of(Some(t), &event.moment).0);
    let wrongness =
        |t: &&&Tariff| (!tariffs.in_dates(t, date), !in_band(t), days_away(t, date), t.code.clone());
    let chosen = by_program.into_values().filter_map(|all| all.iter().min_by_key(wrongness).copied());
    let line = |tariff: &Tariff| {
        let state = |condition: Condition| match condition {
            Condition::InDates => held(tariffs.in_dates(tariff, date)),
            Condition::InBand => held(in_band(tariff)),
            Condition::MemberActive(_) => held(event.membership == Membership::Active),
            _ => ConditionState::Met,
        };
        let parts = Parts {
            of: (event.association.clone(), event.institution.clone(), event.institution_kind.clone()),
            name: EventRef::Turn(event.name()),
            moment: &event.moment,
            date,
            quantity: Fraction::ONE,
            counted: tariffs.uplift(tariff, &event.moment),
            conditions: conditions(tariff, state),
        };
        made(parts, tariff, tariffs, run)
    };
    chosen.map(line).collect()
}
