//! Filling a draft: by rule and points, from last year, with lots for the year-end. Whoever fills stands behind
//! [`Fill`]; the plain one is used unless another is given.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::counts::points_before;
use super::drafts::{Bench, Deed, Drafted};
use crate::domain::calendar::FiscalYear;
use crate::domain::rota::{Assignment, EmptySeat, Fill, Filled, Points, Problem, draw};
use crate::ids::{AssociationId, DrawId, MemberId, RotaDraftId};
pub use crate::store::rota::plans::DrawRow;
use crate::store::rota::plans::{draw_add, draw_by_id, draws};
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// 52 weeks: the same weekday a year before.
const YEAR_DAYS: i64 = 364;
/// Draws shown.
const DRAWS_SHOWN: i64 = 20;

/// What filling came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftFilled {
    /// The draft's revision afterwards.
    pub revision: i64,
    /// Duties added.
    pub added: usize,
    /// Seats that stay empty, with what stands against everybody.
    pub empty: Vec<EmptySeat>,
    /// Everybody's points afterwards, those of this fiscal year before the draft and what was carried included.
    pub points: BTreeMap<MemberId, Points>,
}

struct RecordDraw {
    kit: Kit,
    who: Who,
    row: DrawRow,
}

impl Command for RecordDraw {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let association = &self.who.association;
        draw_add(tx, association, &self.row).await?;
        // The seed is public on purpose: anybody can draw again.
        let detail = json!({
            "fiscal_year": self.row.fiscal_year, "seed": self.row.draw.seed.to_string(),
            "people": self.row.draw.order.len(),
        });
        note(tx, &self.kit, &self.who, "rota.draw", &format!("draw:{}", self.row.id), detail).await.map(drop)
    }
}

impl App {
    /// Fills the empty seats of a draft that stands at `revision`; what stands is not moved. One step of its log.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_draft_fill(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        filler: &(dyn Fill + Sync),
        key: Option<&Key>,
    ) -> Result<DraftFilled, AppError> {
        let bench = self.rota_bench(&who.association, id).await?;
        let Filled { assignments, empty, points } =
            self.rota_filled(&who.association, &bench, filler).await?;
        let added = assignments.len();
        let after = bench.duties.iter().cloned().chain(assignments).collect();
        match self.rota_draft_step(who, &bench, revision, "fill", after, key).await? {
            Drafted::Done { revision } => Ok(DraftFilled { revision, added, empty, points }),
            _ => Err(AppError::ChangedMeanwhile),
        }
    }

    /// What a filler makes of a draft.
    pub(super) async fn rota_filled(
        &self,
        association: &AssociationId,
        bench: &Bench,
        filler: &(dyn Fill + Sync),
    ) -> Result<Filled, AppError> {
        let before = self.rota_points_before(association, bench).await?;
        let lots = match &bench.draft.draw {
            Some(draw) => {
                let mut conn = self.db.read().await?;
                draw_by_id(&mut conn, association, draw).await?.map(|row| row.draw)
            }
            None => None,
        };
        let standing: Vec<Assignment> = bench.duties.iter().chain(&bench.around).cloned().collect();
        let problem = Problem {
            setting: bench.setting(),
            standing: &standing,
            points_before: &before,
            lottery: lots.as_ref(),
        };
        Ok(filler.fill(&problem))
    }

    pub(super) async fn rota_points_before(
        &self,
        association: &AssociationId,
        bench: &Bench,
    ) -> Result<BTreeMap<MemberId, Points>, AppError> {
        let world = &bench.world;
        let year = FiscalYear::of(bench.draft.first);
        let first = year.first_day().unwrap_or(bench.draft.first);
        let laid = self
            .rota_laid(association, world.period(first, first).map_or_else(|| self.now(), |w| w.from))
            .await?;
        let mut conn = self.db.read().await?;
        Ok(points_before(&mut conn, association, world, &laid.timeline, bench.draft.first).await?)
    }

    /// Lays onto a draft what was held a year (52 weeks) before: the same kind of slot on the same weekday, whoever
    /// stood there, where they may still hold duty and the seat is empty. One step of its log.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_draft_copy_year(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        let bench = self.rota_bench(&who.association, id).await?;
        let world = &bench.world;
        let (first, last) = (bench.draft.first.plus_days(-YEAR_DAYS), bench.draft.last.plus_days(-YEAR_DAYS));
        let Some(period) = world.period(first, last) else { return Err(AppError::NotFound) };
        let laid = self.rota_laid(&who.association, period.from).await?;
        let taken: BTreeSet<_> = bench.duties.iter().map(|d| (&d.slot, d.role)).collect();
        let mut after = bench.duties.clone();
        for slot in &bench.slots {
            let then = slot.key.day.plus_days(-YEAR_DAYS);
            for role in slot.roles.iter().filter(|role| !taken.contains(&(&slot.key, **role))) {
                // Whoever held that slot longest.
                let around = Window {
                    from: slot.window.from.plus_s(-(YEAR_DAYS + 2) * 86_400),
                    to: slot.window.to.plus_s(-(YEAR_DAYS - 2) * 86_400),
                };
                let mut held: BTreeMap<&MemberId, i64> = BTreeMap::new();
                let parts: Vec<_> = laid.timeline.parts_within(&slot.area, *role, around).collect();
                for part in &parts {
                    for h in &part.held {
                        let same = h.why.slot().is_some_and(|k| k.day == then && k.kind == slot.key.kind);
                        if same {
                            *held.entry(&h.holder.person).or_default() +=
                                part.window.to.since_ms(part.window.from);
                        }
                    }
                }
                let longest = held.into_iter().max_by_key(|(_, ms)| *ms);
                let holder = longest.and_then(|(person, _)| world.holder(person));
                after.extend(holder.map(|holder| Assignment {
                    area: slot.area.clone(),
                    slot: slot.key.clone(),
                    role: *role,
                    window: slot.window,
                    holder,
                }));
            }
        }
        self.rota_draft_step(who, &bench, revision, "copy", after, key).await
    }

    /// Empties a draft. One step of its log.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_draft_clear(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        let bench = self.rota_bench(&who.association, id).await?;
        self.rota_draft_step(who, &bench, revision, "clear", Vec::new(), key).await
    }

    /// Lays duties onto a draft in the place of what sits on their seats: a sheet that was read in. One step.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a duty of another area, outside of the draft's slots, or of somebody who may
    /// not hold duty; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_draft_lay(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        duties: Vec<Assignment>,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        use crate::domain::consult::Wrong;
        let bench = self.rota_bench(&who.association, id).await?;
        for duty in &duties {
            let slot = bench.slots.iter().find(|slot| slot.key == duty.slot && slot.area == duty.area);
            let slot = slot.ok_or_else(|| AppError::field("slot", Wrong::NotAChoice))?;
            let within = slot.window.from <= duty.window.from && duty.window.to <= slot.window.to;
            if !slot.roles.contains(&duty.role) || !within || duty.window.to <= duty.window.from {
                return Err(AppError::field("window", Wrong::OutOfRange));
            }
            if bench.world.holder(&duty.holder.person).is_none() {
                return Err(AppError::field("person", Wrong::NotAChoice));
            }
        }
        let seats: BTreeSet<_> = duties.iter().map(|d| (d.slot.clone(), d.role)).collect();
        let kept = bench.duties.iter().filter(|d| !seats.contains(&(d.slot.clone(), d.role))).cloned();
        let after = kept.chain(duties.iter().cloned()).collect();
        self.rota_draft_step(who, &bench, revision, "import", after, key).await
    }

    /// Draws lots for the year-end of a draft's fiscal year: everybody who takes part and is not exempt; whoever
    /// held a duty on a day of last year's year-end comes after all who did not. The draw is recorded with its
    /// seed, so that anybody can draw again; filling the draft then follows it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_draft_draw(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        seed: Option<u64>,
        key: Option<&Key>,
    ) -> Result<(DrawRow, Drafted), AppError> {
        let bench = self.rota_bench(&who.association, id).await?;
        if bench.draft.revision != revision {
            return Err(AppError::ChangedMeanwhile);
        }
        let world = &bench.world;
        let year = FiscalYear::of(bench.draft.last).first_year();
        let last_year = self.rota_year_end_of(&who.association, world, year - 1).await?;
        let people = bench.people.iter().filter(|p| !p.profile.exempt).map(|p| p.id.clone());
        let kit = self.kit();
        let seed = seed.unwrap_or_else(|| {
            let mut bytes = [0u8; 8];
            self.chance.fill(&mut bytes);
            u64::from_le_bytes(bytes)
        });
        let row = DrawRow {
            id: DrawId::new(kit.now, self.chance.as_ref()),
            fiscal_year: year,
            draw: draw(people, &last_year, seed),
            drawn_at: kit.now,
            drawn_by: who.actor.clone(),
        };
        let record = RecordDraw { kit: kit.clone(), who: who.clone(), row: row.clone() };
        self.db.run(record).await?;
        let done = self.rota_draft_deed(who, id, revision, Deed::Draw(row.id.clone()), key).await?;
        Ok((row, done))
    }

    /// Who held a duty that began on a day of the year-end of a fiscal year.
    async fn rota_year_end_of(
        &self,
        association: &AssociationId,
        world: &super::RotaWorld,
        year: i32,
    ) -> Result<BTreeSet<MemberId>, AppError> {
        use crate::domain::calendar::{CivilDate, civil_day};
        let (Some(first), Some(last)) = (CivilDate::new(year, 12, 1), CivilDate::new(year + 1, 1, 31)) else {
            return Ok(BTreeSet::new());
        };
        let Some(period) = world.period(first, last) else { return Ok(BTreeSet::new()) };
        let laid = self.rota_laid(association, period.from).await?;
        let duties = super::duties_within(&laid.timeline, period, world.zone());
        Ok(duties
            .into_iter()
            .filter(|d| world.calendar.is_year_end(civil_day(d.window.from, world.zone())))
            .map(|d| d.holder.person)
            .collect())
    }

    /// The last draws, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_draws(&self, association: &AssociationId) -> Result<Vec<DrawRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(draws(&mut conn, association, DRAWS_SHOWN).await?)
    }
}
