//! Continuous 24-hour turns (連続24時間当番) of institutions, by month.
//!
//! For each institution the union of the times its people hold `primary`, whoever of them and in whatever
//! area; an unbroken hold of L elapsed hours gives ⌊L/24⌋ turns laid from its start; a turn belongs to the
//! month in which it starts. Elapsed hours count, not those on the wall: on a day of 25 hours a turn ends an
//! hour before midnight. Source: the draft of the fee revision of 2026 for the linked enhanced 在支診, whose
//! number is still blank and therefore a target in the configuration.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::model::RotaRole;
use super::rules::Month;
use super::slots::merged;
use super::timeline::Timeline;
use crate::domain::calendar::civil_day;
use crate::ids::InstitutionId;
use crate::time::{Millis, Window};

/// The length of a turn.
const TURN_MS: i64 = 24 * 3_600_000;

/// The unbroken times in which each institution's people hold `primary`, in order.
#[must_use]
pub fn unbroken_holds(timeline: &Timeline) -> BTreeMap<InstitutionId, Vec<Window>> {
    let mut holds: BTreeMap<InstitutionId, Vec<Window>> = BTreeMap::new();
    for (area, role) in timeline.lines().filter(|(_, role)| *role == RotaRole::Primary) {
        for part in timeline.parts(area, role) {
            for held in &part.held {
                holds.entry(held.holder.institution.clone()).or_default().push(part.window);
            }
        }
    }
    for windows in holds.values_mut() {
        windows.sort();
        *windows = merged(std::mem::take(windows));
    }
    holds
}

/// The turns of each institution, in order: laid from the start of each unbroken hold.
#[must_use]
pub fn full_day_turns(timeline: &Timeline) -> BTreeMap<InstitutionId, Vec<Window>> {
    let turns = |hold: &Window| {
        let from = hold.from;
        let count = hold.to.since_ms(from) / TURN_MS;
        (0..count).map(move |n| Window {
            from: from.plus_ms(n.saturating_mul(TURN_MS)),
            to: from.plus_ms((n + 1).saturating_mul(TURN_MS)),
        })
    };
    let holds = unbroken_holds(timeline).into_iter();
    holds.map(|(institution, holds)| (institution, holds.iter().flat_map(turns).collect())).collect()
}

/// How an institution stands against its target in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnCount {
    /// Turns of the month that are over.
    pub done: u32,
    /// Turns of the month, those still ahead included, as the rota stands.
    pub planned: u32,
    /// How many there should be.
    pub target: u32,
}

impl TurnCount {
    /// Whether somebody has to be told: the rota as it stands does not reach the target.
    #[must_use]
    pub const fn falls_short(self) -> bool {
        self.planned < self.target
    }
}

/// Counts the turns of a month against the targets of the institutions (連続24時間 2回/目標N). Institutions
/// without a target are not in the answer.
#[must_use]
pub fn turns_of_month(
    timeline: &Timeline,
    month: Month,
    targets: &BTreeMap<InstitutionId, u32>,
    now: Millis,
    zone: Tz,
) -> BTreeMap<InstitutionId, TurnCount> {
    let turns = full_day_turns(timeline);
    let in_month = |turn: &&Window| Month::of(civil_day(turn.from, zone)) == month;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let counted = targets.iter().map(|(institution, target)| {
        let all = || turns.get(institution).into_iter().flatten().filter(in_month);
        let done = number(all().filter(|turn| turn.to <= now).count());
        (institution.clone(), TurnCount { done, planned: number(all().count()), target: *target })
    });
    counted.collect()
}
