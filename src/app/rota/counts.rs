//! What duty counted for: own figures beside the median, never a ranking; the carry-over of a fiscal year; the
//! continuous 24-hour turns of institutions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::laid_within;
use super::world::{RotaWorld, rota_world};
use crate::domain::calendar::{CivilDate, FiscalYear};
use crate::domain::consult::Wrong;
use crate::domain::rota::{
    Month, Points, Slot, Spread, Tally, Timeline, TurnCount, carry_over, fair_shares, tallies, target,
    turns_of_month,
};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::rota::plans::{carried, carry_add};
use crate::store::rota::rota_touch;
use crate::store::{Command, Conn, StoreError};

/// What one person did, and what they should do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCount {
    /// What they held.
    pub tally: Tally,
    /// Their share of what all held.
    pub fair_share: Points,
    /// What they did too much, or too little, in the fiscal year before.
    pub carried_in: Points,
    /// Their share without what they carried in.
    pub target: Points,
}

/// Everybody's counts of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    pub first: CivilDate,
    /// Included.
    pub last: CivilDate,
    /// Everybody who takes part or held something.
    pub people: BTreeMap<MemberId, PersonCount>,
    /// Over those who take part with a share.
    pub spread: Option<Spread>,
}

fn slots_of(world: &RotaWorld, first: CivilDate, last: CivilDate) -> Vec<Slot> {
    world.settings.areas.iter().flat_map(|area| world.slots(&area.key, first, last)).collect()
}

/// Counts what was held of the slots that begin on these days.
#[must_use]
pub fn count(
    world: &RotaWorld,
    timeline: &Timeline,
    carried_in: &BTreeMap<MemberId, Points>,
    (first, last): (CivilDate, CivilDate),
) -> Counts {
    let mut held = tallies(timeline, &slots_of(world, first, last));
    let shares: BTreeMap<MemberId, u32> = world
        .people()
        .into_iter()
        .filter(|person| !person.profile.exempt)
        .map(|person| (person.id, person.share_percent))
        .collect();
    let sum = held.values().fold(Points::default(), |sum, tally| sum.plus(tally.points));
    let fair = fair_shares(sum, &shares);
    let everybody: BTreeSet<MemberId> = shares.keys().chain(held.keys()).cloned().collect();
    let people: BTreeMap<MemberId, PersonCount> = everybody
        .into_iter()
        .map(|person| {
            let fair_share = fair.get(&person).copied().unwrap_or_default();
            let carried_in = carried_in.get(&person).copied().unwrap_or_default();
            let tally = held.remove(&person).unwrap_or_default();
            (person, PersonCount { tally, fair_share, carried_in, target: target(fair_share, carried_in) })
        })
        .collect();
    let with_share = people.iter().filter(|(id, _)| shares.get(*id).is_some_and(|share| *share > 0));
    let spread = Spread::of(with_share.map(|(_, count)| count.tally.points));
    Counts { first, last, people, spread }
}

/// The points of the fiscal year up to the day before `first`, with what was carried into it: what a fill
/// begins with. Less carried in than done counts like points already had.
pub(super) async fn points_before(
    conn: &mut Conn,
    association: &AssociationId,
    world: &RotaWorld,
    timeline: &Timeline,
    first: CivilDate,
) -> Result<BTreeMap<MemberId, Points>, StoreError> {
    let year = FiscalYear::of(first);
    let carried_in: BTreeMap<MemberId, Points> =
        carried(conn, association, year.first_year() - 1).await?.into_iter().collect();
    let begins = year.first_day().unwrap_or(first);
    let mut points = carried_in.clone();
    if begins < first {
        for (person, tally) in tallies(timeline, &slots_of(world, begins, first.plus_days(-1))) {
            let mine = points.entry(person).or_default();
            *mine = mine.plus(tally.points);
        }
    }
    Ok(points)
}

/// How closing a fiscal year of the rota ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum YearClosed {
    /// What everybody carries on.
    Done(BTreeMap<MemberId, Points>),
    /// It was closed before.
    Already,
    /// It is not over yet.
    NotOver,
}

struct CloseYear {
    kit: Kit,
    who: Who,
    year: FiscalYear,
}

impl Command for CloseYear {
    type Output = YearClosed;

    async fn apply(&self, tx: &mut Conn) -> Result<YearClosed, StoreError> {
        let (kit, association, year) = (&self.kit, &self.who.association, self.year.first_year());
        rota_touch(tx, association, kit.now).await?;
        if !carried(tx, association, year).await?.is_empty() {
            return Ok(YearClosed::Already);
        }
        let world = rota_world(tx, kit, association).await?;
        let world = world.ok_or_else(|| StoreError::Unusable("the association is gone".to_owned()))?;
        let days = year_days(self.year);
        let Some(period) = days.and_then(|(first, last)| world.period(first, last)) else {
            return Ok(YearClosed::NotOver);
        };
        let Some(days) = days.filter(|_| period.to <= kit.now) else { return Ok(YearClosed::NotOver) };
        let (_, timeline) = laid_within(tx, association, period.from).await?;
        let carried_in: BTreeMap<MemberId, Points> =
            carried(tx, association, year - 1).await?.into_iter().collect();
        let counts = count(&world, &timeline, &carried_in, days);
        let mut out = BTreeMap::new();
        for (person, count) in &counts.people {
            let points = carry_over(count.tally.points, count.fair_share, count.carried_in);
            carry_add(tx, association, year, (person, points), kit.now).await?;
            out.insert(person.clone(), points);
        }
        let detail = json!({ "fiscal_year": year, "people": out.len() });
        note(tx, kit, &self.who, "rota.close_year", &format!("association:{association}"), detail).await?;
        Ok(YearClosed::Done(out))
    }
}

/// The first and the last day of a fiscal year.
fn year_days(year: FiscalYear) -> Option<(CivilDate, CivilDate)> {
    let next = FiscalYear::beginning_in(year.first_year() + 1)?;
    Some((year.first_day()?, next.first_day()?.plus_days(-1)))
}

impl App {
    /// Everybody's counts of the slots that begin on some days, both included; what was carried into the fiscal
    /// year of the first day counts towards the targets.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for days in the wrong order or too many; the store's.
    pub async fn rota_counts(
        &self,
        association: &AssociationId,
        first: CivilDate,
        last: CivilDate,
    ) -> Result<Counts, AppError> {
        if last < first {
            return Err(AppError::field("last", Wrong::OutOfRange));
        }
        if last.days_since(first) >= super::WINDOW_MAX_DAYS {
            return Err(AppError::field("last", Wrong::TooLong));
        }
        let world = self.rota_world(association).await?;
        let period = world.period(first, last).ok_or_else(|| AppError::field("last", Wrong::OutOfRange))?;
        let laid = self.rota_laid(association, period.from).await?;
        let mut conn = self.db.read().await?;
        let before = FiscalYear::of(first).first_year() - 1;
        let carried_in = carried(&mut conn, association, before).await?.into_iter().collect();
        Ok(count(&world, &laid.timeline, &carried_in, (first, last)))
    }

    /// Everybody's counts of a fiscal year, up to its end as the rota stands.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_counts_of_year(
        &self,
        association: &AssociationId,
        year: FiscalYear,
    ) -> Result<Counts, AppError> {
        let (first, last) = year_days(year).ok_or(AppError::NotFound)?;
        self.rota_counts(association, first, last).await
    }

    /// Closes a fiscal year of the rota: what each person did above their target is carried into the next.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_close_year(
        &self,
        who: &Who,
        year: FiscalYear,
        key: Option<&Key>,
    ) -> Result<YearClosed, AppError> {
        let kit = self.kit();
        let close = CloseYear { kit: kit.clone(), who: who.clone(), year };
        Ok(self.run_once(&kit, who, key, close).await?.into_inner())
    }

    /// How the institutions with a target stand in a month: turns that are over, planned, wanted.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_turns(
        &self,
        association: &AssociationId,
        month: Month,
    ) -> Result<BTreeMap<InstitutionId, TurnCount>, AppError> {
        let world = self.rota_world(association).await?;
        let first = CivilDate::new(month.year, month.month, 1)
            .ok_or_else(|| AppError::field("month", Wrong::OutOfRange))?;
        // A hold that reaches into the month lays its turns from where it began.
        let since = world.period(first.plus_days(-92), first).map_or_else(|| self.now(), |w| w.from);
        let laid = self.rota_laid(association, since).await?;
        let targets = &world.settings.turn_targets;
        Ok(turns_of_month(&laid.timeline, month, targets, self.now(), world.zone()))
    }
}
