//! What lies beside a draft on the coordinator's desk: who could take a seat and why not, what a fill would do, what
//! publishing would change. Reads only.

use std::collections::BTreeMap;

use super::super::{App, AppError};
use super::drafts::{Bench, Draft};
use super::laid_within;
use super::publish::violations_of;
use super::world::RotaWorld;
use crate::domain::rota::publish::with;
use crate::domain::rota::{
    Assignment, Change, EmptySeat, Fill, Filled, Judge, Month, Points, Publication, Refused, RotaRole, Slot,
    SlotKey, Spread, Timeline, Violation, Wished, changes, refusals,
};
use crate::ids::{AssociationId, MemberId, OverrideId, PublicationId, RotaDraftId};
use crate::store::rota::drafts::draft_by_id;
use crate::store::rota::records::{OverrideRow, override_by_id};
use crate::time::{Millis, Window};

/// How far around a period the rules are looked at.
const AROUND_S: i64 = 40 * 86_400;

/// Somebody for a seat, with what one wants to know of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub person: MemberId,
    /// Their duties that begin in the slot's month, without this seat.
    pub in_month: u32,
    /// When their last duty before the slot begins.
    pub last: Option<Millis>,
    /// When their next duty after it begins.
    pub next: Option<Millis>,
    /// The points of the fiscal year with the draft, without this seat.
    pub points: Points,
    /// They wished to be on that day.
    pub wished: bool,
    /// What stands against it; rules that must hold and wishes.
    pub against: Vec<Violation>,
}

impl Candidate {
    /// Whether no rule that must hold stands against it.
    #[must_use]
    pub fn can(&self) -> bool {
        !self.against.iter().any(|violation| violation.rule.is_hard())
    }

    fn weight(&self) -> i64 {
        let against: i64 = self.against.iter().map(|v| i64::from(v.rule.weight())).sum();
        against - i64::from(self.wished)
    }
}

/// A seat with everybody who could sit on it.
#[derive(Clone, Debug)]
pub struct SeatView {
    pub slot: Slot,
    pub role: RotaRole,
    /// Who sits there, by time.
    pub held: Vec<Assignment>,
    /// Best first: wishes, then the fewest points for a full share, then the longest ago.
    pub can: Vec<Candidate>,
    /// Those against whom a rule stands.
    pub cannot: Vec<Candidate>,
}

/// What filling a draft would do.
#[derive(Clone, Debug)]
pub struct FillPreview {
    pub draft: Draft,
    pub world: RotaWorld,
    /// By time.
    pub adds: Vec<Assignment>,
    /// Seats that would stay empty, with what stands against everybody.
    pub empty: Vec<EmptySeat>,
    /// The spread of the draft's points as it stands.
    pub before: Option<Spread>,
    /// And as it would be.
    pub after: Option<Spread>,
}

/// What publishing a draft would change.
#[derive(Clone, Debug)]
pub struct PublishPreview {
    pub draft: Draft,
    pub world: RotaWorld,
    /// Against the rota as it stands, by role and time.
    pub changes: Vec<Change>,
    /// What forbids it.
    pub refused: Vec<Refused>,
    /// Breaches of the rules, which somebody may accept.
    pub violations: Vec<Violation>,
    /// Seats that nobody holds.
    pub empty: Vec<(SlotKey, RotaRole)>,
}

fn seat(
    bench: &Bench,
    key: &SlotKey,
    role: RotaRole,
    before: &BTreeMap<MemberId, Points>,
) -> Option<SeatView> {
    let slot = bench.slots.iter().find(|slot| slot.key == *key && slot.roles.contains(&role))?.clone();
    let here = |duty: &Assignment| duty.area == slot.area && duty.slot == slot.key && duty.role == role;
    let (held, rest): (Vec<Assignment>, Vec<Assignment>) = bench.duties.iter().cloned().partition(here);
    let mut judge = Judge::new(bench.setting());
    for duty in rest.iter().chain(&bench.around) {
        judge.place(duty);
    }
    let points = bench.points(&rest);
    let month = Month::of(slot.key.day);
    let candidate = |person: &crate::domain::rota::DutyPerson| {
        let holder = crate::domain::rota::Holder {
            person: person.id.clone(),
            institution: person.institution.clone(),
        };
        let duty =
            Assignment { area: slot.area.clone(), slot: slot.key.clone(), role, window: slot.window, holder };
        let theirs = || rest.iter().chain(&bench.around).filter(|d| d.holder.person == person.id);
        let in_month = theirs().filter(|d| Month::of(d.slot.day) == month).count();
        let begins = || theirs().map(|d| d.window.from);
        let draft = points.get(&person.id).copied().unwrap_or_default();
        Candidate {
            person: person.id.clone(),
            in_month: u32::try_from(in_month).unwrap_or(u32::MAX),
            last: begins().filter(|from| *from < slot.window.from).max(),
            next: begins().filter(|from| *from > slot.window.from).min(),
            points: before.get(&person.id).copied().unwrap_or_default().plus(draft),
            wished: bench.wishes.iter().any(|w| {
                w.person == person.id && w.covers(slot.key.day) && matches!(w.wished, Wished::On { .. })
            }),
            against: judge.objections(&duty),
        }
    };
    let (mut can, mut cannot): (Vec<Candidate>, Vec<Candidate>) =
        bench.people.iter().map(candidate).partition(Candidate::can);
    let shares: BTreeMap<&MemberId, u32> = bench.people.iter().map(|p| (&p.id, p.share_percent)).collect();
    // Somebody with half a share has done as much with half the points; without any share they come last.
    let full = |c: &Candidate| match shares.get(&c.person) {
        Some(0) | None => i64::MAX,
        Some(share) => c.points.0.saturating_mul(100) / i64::from(*share),
    };
    can.sort_by_key(|c| (c.weight(), full(c), c.last, c.person.clone()));
    let kana = |c: &Candidate| bench.world.members.get(&c.person).map(|m| m.kana.clone());
    cannot.sort_by_key(|c| (kana(c), c.person.clone()));
    Some(SeatView { slot, role, held, can, cannot })
}

impl App {
    /// A draft without what is in it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_draft_head(
        &self,
        association: &AssociationId,
        id: &RotaDraftId,
    ) -> Result<Draft, AppError> {
        let mut conn = self.db.read().await?;
        draft_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)
    }

    /// Finds a change by the office, taken back or not.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_override_there(
        &self,
        association: &AssociationId,
        id: &OverrideId,
    ) -> Result<OverrideRow, AppError> {
        let mut conn = self.db.read().await?;
        override_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)
    }

    /// A seat of a draft with everybody who could sit on it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a draft or a seat that is not there; the store's.
    pub async fn rota_seat(
        &self,
        association: &AssociationId,
        id: &RotaDraftId,
        key: &SlotKey,
        role: RotaRole,
    ) -> Result<SeatView, AppError> {
        let bench = self.rota_bench(association, id).await?;
        let before = self.rota_points_before(association, &bench).await?;
        seat(&bench, key, role, &before).ok_or(AppError::NotFound)
    }

    /// What filling a draft would do; changes nothing. The fill of the same revision does the same.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_fill_preview(
        &self,
        association: &AssociationId,
        id: &RotaDraftId,
        filler: &(dyn Fill + Sync),
    ) -> Result<FillPreview, AppError> {
        let bench = self.rota_bench(association, id).await?;
        let Filled { assignments, empty, .. } = self.rota_filled(association, &bench, filler).await?;
        let before = Spread::of(bench.points(&bench.duties).into_values());
        let all: Vec<Assignment> = bench.duties.iter().chain(&assignments).cloned().collect();
        let after = Spread::of(bench.points(&all).into_values());
        let Bench { draft, world, .. } = bench;
        Ok(FillPreview { draft, world, adds: assignments, empty, before, after })
    }

    /// What publishing a draft would change, and what stands against it; changes nothing.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_publish_preview(
        &self,
        association: &AssociationId,
        id: &RotaDraftId,
    ) -> Result<PublishPreview, AppError> {
        let bench = self.rota_bench(association, id).await?;
        let empty = super::drafts::empty_seats(&bench.slots, &bench.duties);
        let Bench { draft, world, duties, .. } = bench;
        let period = world.period(draft.first, draft.last).ok_or(AppError::NotFound)?;
        let kit = self.kit();
        let publication = Publication {
            id: PublicationId::new(kit.now, self.chance.as_ref()),
            area: draft.area.clone(),
            period,
            recorded_at: kit.now,
            assignments: duties,
        };
        let mut conn = self.db.read().await?;
        let (records, before) = laid_within(&mut conn, association, period.from.plus_s(-AROUND_S)).await?;
        drop(conn);
        let refused = refusals(&publication, &records);
        let violations = violations_of(&world, &records, &publication);
        let area = publication.area.clone();
        let after = Timeline::new(&with(&records, publication), None);
        let around = Window { from: period.from, to: period.to.plus_s(AROUND_S) };
        let changes = changes(&before, &after, &area, around);
        Ok(PublishPreview { draft, world, changes, refused, violations, empty })
    }
}
