//! A rota being made: read, edited, undone and done again. Filling it is `fill`, publishing it `publish`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::world::{RotaWorld, rota_world};
use super::{duties_within, laid_within};
use crate::domain::calendar::CivilDate;
use crate::domain::consult::{Wrong, short_text};
use crate::domain::rota::{
    Area, Assignment, DutyPerson, Points, RotaRole, Rules, Setting, Slot, SlotKey, Spread, Violation, Wish,
    check,
};
use crate::ids::{AssociationId, DrawId, MemberId, RotaDraftId};
pub use crate::store::rota::drafts::{Draft, StepHead};
use crate::store::rota::drafts::{
    Step, draft_add, draft_by_id, draft_duties, draft_duties_change, draft_save, draft_step, draft_step_add,
    draft_steps, drafts,
};
use crate::store::rota::wishes::WishSheetRow;
use crate::store::{Command, Conn, StoreError};
use crate::time::Window;

/// The longest period of a draft, in days.
pub const DRAFT_DAYS_MAX: i64 = 400;
/// Steps that can be undone.
const STEPS_KEPT: i64 = 500;
/// Steps shown.
const STEPS_SHOWN: i64 = 50;
/// Seats changed at once.
const SEATS_MAX: usize = 2_000;
/// How far around a draft the rules are looked at.
const AROUND_S: i64 = 40 * 86_400;

/// Who is to sit on a seat of a draft: a role of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatChange {
    pub slot: SlotKey,
    pub role: RotaRole,
    /// `None`: nobody.
    pub person: Option<MemberId>,
    /// Only these hours of the slot; what others hold of the rest stays. `None` = the whole slot.
    pub window: Option<Window>,
}

/// How a change of a draft ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Drafted {
    /// The draft's revision afterwards.
    Done {
        revision: i64,
    },
    /// Nothing to undo, or nothing undone to do again.
    Nothing,
    /// It was published before, or thrown away.
    NotOpen,
    /// Somebody else changed it meanwhile.
    Stale,
    NotFound,
}

/// What happens to a draft.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// A step of its log.
    Step {
        what: &'static str,
        removed: Vec<Assignment>,
        added: Vec<Assignment>,
    },
    Undo,
    Redo,
    Draw(DrawId),
    Rename(String),
    Drop,
}

pub(super) struct ChangeDraft {
    pub kit: Kit,
    pub who: Who,
    pub draft: RotaDraftId,
    pub revision: i64,
    pub deed: Deed,
}

impl Command for ChangeDraft {
    type Output = Drafted;

    async fn apply(&self, tx: &mut Conn) -> Result<Drafted, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(mut draft) = draft_by_id(tx, association, &self.draft).await? else {
            return Ok(Drafted::NotFound);
        };
        if draft.publication.is_some() || draft.dropped_at.is_some() {
            return Ok(Drafted::NotOpen);
        }
        if draft.revision != self.revision {
            return Ok(Drafted::Stale);
        }
        let mut detail = json!({});
        let action = match &self.deed {
            Deed::Step { what, removed, added } => {
                draft.position += 1;
                let step = Step {
                    number: draft.position,
                    what: (*what).to_owned(),
                    removed: removed.clone(),
                    added: added.clone(),
                    at: kit.now,
                    actor: self.who.actor.clone(),
                };
                if !draft_duties_change(tx, association, &draft.id, removed, added).await? {
                    return Ok(Drafted::Stale);
                }
                draft_step_add(tx, association, &draft.id, &step, STEPS_KEPT).await?;
                detail = json!({ "what": what, "removed": removed.len(), "added": added.len() });
                "rota.draft_change"
            }
            Deed::Undo => {
                let Some(step) = draft_step(tx, association, &draft.id, draft.position).await? else {
                    return Ok(Drafted::Nothing);
                };
                if !draft_duties_change(tx, association, &draft.id, &step.added, &step.removed).await? {
                    return Ok(Drafted::Stale);
                }
                draft.position -= 1;
                "rota.draft_undo"
            }
            Deed::Redo => {
                let Some(step) = draft_step(tx, association, &draft.id, draft.position + 1).await? else {
                    return Ok(Drafted::Nothing);
                };
                if !draft_duties_change(tx, association, &draft.id, &step.removed, &step.added).await? {
                    return Ok(Drafted::Stale);
                }
                draft.position += 1;
                "rota.draft_redo"
            }
            Deed::Draw(id) => {
                draft.draw = Some(id.clone());
                "rota.draft_draw"
            }
            Deed::Rename(name) => {
                draft.name.clone_from(name);
                "rota.draft_rename"
            }
            Deed::Drop => {
                draft.dropped_at = Some(kit.now);
                "rota.draft_drop"
            }
        };
        // Two that read the same revision: the second finds it gone.
        match draft_save(tx, association, &draft).await {
            Err(StoreError::Stale { .. }) => {
                return Err(StoreError::Stale { table: "rota_draft", id: draft.id.to_string() });
            }
            done => done?,
        }
        note(tx, kit, &self.who, action, &format!("draft:{}", draft.id), detail).await?;
        Ok(Drafted::Done { revision: draft.revision + 1 })
    }
}

struct NewDraft {
    kit: Kit,
    who: Who,
    draft: Draft,
}

impl Command for NewDraft {
    type Output = Option<RotaDraftId>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, draft) = (&self.kit, &self.who.association, &self.draft);
        let known =
            rota_world(tx, kit, association).await?.is_some_and(|w| w.settings.area(&draft.area).is_some());
        if !known {
            return Ok(None);
        }
        draft_add(tx, association, draft).await?;
        let detail = json!({
            "area": draft.area.as_str(), "first": draft.first.to_string(), "last": draft.last.to_string(),
        });
        note(tx, kit, &self.who, "rota.draft", &format!("draft:{}", draft.id), detail).await?;
        Ok(Some(draft.id.clone()))
    }
}

/// A draft with everything a coordinator needs beside it.
#[derive(Clone, Debug)]
pub struct DraftView {
    pub draft: Draft,
    pub world: RotaWorld,
    /// By time.
    pub duties: Vec<Assignment>,
    /// The slots of its period, by time.
    pub slots: Vec<Slot>,
    /// Who may hold duty, narrowed to what they wish for the period.
    pub people: Vec<DutyPerson>,
    /// The newest sheets for the period.
    pub sheets: Vec<WishSheetRow>,
    /// The days' wishes of these sheets.
    pub wishes: Vec<Wish>,
    /// Every breach of a rule and every wish not met, by time.
    pub violations: Vec<Violation>,
    /// Seats of slots that nobody holds, or not throughout.
    pub empty: Vec<(SlotKey, RotaRole)>,
    /// The points of everybody who takes part in this draft.
    pub points: BTreeMap<MemberId, Points>,
    /// Their spread.
    pub spread: Option<Spread>,
    /// The last steps, newest first.
    pub steps: Vec<StepHead>,
}

/// What a draft is judged and filled with.
pub(super) struct Bench {
    pub draft: Draft,
    pub world: RotaWorld,
    pub duties: Vec<Assignment>,
    pub slots: Vec<Slot>,
    pub rules: Rules,
    pub people: Vec<DutyPerson>,
    pub sheets: Vec<WishSheetRow>,
    pub wishes: Vec<Wish>,
    /// What stands in the weeks around, and in other areas.
    pub around: Vec<Assignment>,
}

impl Bench {
    pub fn setting(&self) -> Setting<'_> {
        Setting {
            rules: &self.rules,
            people: &self.people,
            wishes: &self.wishes,
            groups: &self.world.groups,
            slots: &self.slots,
            calendar: &self.world.calendar,
            zone: self.world.zone(),
        }
    }

    pub fn violations(&self, duties: &[Assignment]) -> Vec<Violation> {
        let all: Vec<Assignment> = duties.iter().chain(&self.around).cloned().collect();
        check(self.setting(), &all, self.draft.first, self.draft.last)
    }

    pub fn points(&self, duties: &[Assignment]) -> BTreeMap<MemberId, Points> {
        let slots: BTreeMap<&SlotKey, &Slot> = self.slots.iter().map(|slot| (&slot.key, slot)).collect();
        let mut points: BTreeMap<MemberId, Points> = self
            .people
            .iter()
            .filter(|p| !p.profile.exempt && p.share_percent > 0)
            .map(|p| (p.id.clone(), Points::default()))
            .collect();
        for duty in duties {
            let Some(slot) = slots.get(&duty.slot) else { continue };
            let whole = slot.points.get(&duty.role).copied().unwrap_or_default();
            let length = slot.window.to.since_ms(slot.window.from).max(1);
            let held = duty.window.to.since_ms(duty.window.from).min(length);
            let part = i64::try_from(i128::from(whole.0) * i128::from(held) / i128::from(length));
            let mine = points.entry(duty.holder.person.clone()).or_default();
            *mine = mine.plus(Points(part.unwrap_or(whole.0)));
        }
        points
    }
}

impl App {
    pub(super) async fn rota_bench(
        &self,
        association: &AssociationId,
        id: &RotaDraftId,
    ) -> Result<Bench, AppError> {
        let mut conn = self.db.read().await?;
        let draft = draft_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)?;
        let duties = draft_duties(&mut conn, association, &draft).await?;
        let world = rota_world(&mut conn, &self.kit(), association).await?.ok_or(AppError::NotFound)?;
        let sheets = super::wishes::sheets_for(&mut conn, association, draft.first, draft.last).await?;
        let zone = world.zone();
        let period = world.period(draft.first, draft.last).ok_or(AppError::NotFound)?;
        let around = Window { from: period.from.plus_s(-AROUND_S), to: period.to.plus_s(AROUND_S) };
        let (_, timeline) = laid_within(&mut conn, association, around.from).await?;
        drop(conn);
        let mut standing = duties_within(&timeline, around, zone);
        standing.retain(|d| d.area != draft.area || !period.contains(d.window.from));
        let mut people = world.people();
        let mut rules = world.settings.rules.clone();
        let mut wishes = Vec::new();
        for row in &sheets {
            wishes.extend(row.sheet.wishes(&row.member));
            if let Some(person) = people.iter_mut().find(|p| p.id == row.member) {
                row.sheet.narrow(person);
            }
            rules.apart.extend(row.sheet.apart.iter().map(|other| crate::domain::rota::Apart {
                a: row.member.clone(),
                b: other.clone(),
                weight: None,
            }));
        }
        let slots = world.slots(&draft.area, draft.first, draft.last);
        Ok(Bench { draft, world, duties, slots, rules, people, sheets, wishes, around: standing })
    }

    /// Begins an empty draft for days of an area, both included.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for days in the wrong order or too many, no name, an area that is not in the
    /// settings; the store's.
    pub async fn rota_draft_new(
        &self,
        who: &Who,
        area: &Area,
        name: &str,
        (first, last): (CivilDate, CivilDate),
        key: Option<&Key>,
    ) -> Result<RotaDraftId, AppError> {
        if let Some(wrong) = short_text(name, true) {
            return Err(AppError::field("name", wrong));
        }
        if last < first {
            return Err(AppError::field("last", Wrong::OutOfRange));
        }
        if last.days_since(first) >= DRAFT_DAYS_MAX {
            return Err(AppError::field("last", Wrong::TooLong));
        }
        let kit = self.kit();
        let draft = Draft {
            id: RotaDraftId::new(kit.now, self.chance.as_ref()),
            area: area.clone(),
            name: name.to_owned(),
            first,
            last,
            revision: 0,
            position: 0,
            draw: None,
            made_at: kit.now,
            made_by: who.actor.clone(),
            publication: None,
            dropped_at: None,
        };
        let new = NewDraft { kit: kit.clone(), who: who.clone(), draft };
        let made = self.run_once(&kit, who, key, new).await?.into_inner();
        made.ok_or_else(|| AppError::field("area", Wrong::NotAChoice))
    }

    /// The drafts made last, newest first, published ones included.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_drafts(&self, association: &AssociationId) -> Result<Vec<Draft>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(drafts(&mut conn, association, 50).await?)
    }

    /// A draft with its slots, breaches, wishes and points.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_draft(
        &self,
        association: &AssociationId,
        id: &RotaDraftId,
    ) -> Result<DraftView, AppError> {
        let bench = self.rota_bench(association, id).await?;
        let mut conn = self.db.read().await?;
        let steps = draft_steps(&mut conn, association, id, STEPS_SHOWN).await?;
        drop(conn);
        let violations = bench.violations(&bench.duties);
        let points = bench.points(&bench.duties);
        let empty = empty_seats(&bench.slots, &bench.duties);
        let spread = Spread::of(points.values().copied());
        let Bench { draft, world, duties, slots, people, sheets, wishes, .. } = bench;
        Ok(DraftView {
            draft,
            world,
            duties,
            slots,
            people,
            sheets,
            wishes,
            violations,
            empty,
            points,
            spread,
            steps,
        })
    }

    /// Seats people on seats of a draft that stands at `revision`, and clears others; one step of its log.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a slot the draft does not have, a person who may not hold duty, hours outside
    /// of the slot; [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_draft_edit(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        seats: &[SeatChange],
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        if seats.is_empty() || seats.len() > SEATS_MAX {
            return Err(AppError::field("seats", Wrong::OutOfRange));
        }
        let bench = self.rota_bench(&who.association, id).await?;
        let mut after = bench.duties.clone();
        for seat in seats {
            let slot = bench.slots.iter().find(|slot| slot.key == seat.slot);
            let slot = slot.ok_or_else(|| AppError::field("slot", Wrong::NotAChoice))?;
            if !slot.roles.contains(&seat.role) {
                return Err(AppError::field("role", Wrong::NotAChoice));
            }
            let window = seat.window.unwrap_or(slot.window);
            if window.from < slot.window.from || slot.window.to < window.to || window.to <= window.from {
                return Err(AppError::field("window", Wrong::OutOfRange));
            }
            let holder = match &seat.person {
                Some(person) => {
                    let holder = bench.world.holder(person);
                    Some(holder.ok_or_else(|| AppError::field("person", Wrong::NotAChoice))?)
                }
                None => None,
            };
            clear(&mut after, (&seat.slot, seat.role), window);
            after.extend(holder.map(|holder| Assignment {
                area: bench.draft.area.clone(),
                slot: seat.slot.clone(),
                role: seat.role,
                window,
                holder,
            }));
        }
        self.rota_draft_step(who, &bench, revision, "edit", after, key).await
    }

    /// Writes what a draft is to be as one step of its log.
    pub(super) async fn rota_draft_step(
        &self,
        who: &Who,
        bench: &Bench,
        revision: i64,
        what: &'static str,
        after: Vec<Assignment>,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        if bench.draft.revision != revision && key.is_none() {
            return Err(AppError::ChangedMeanwhile);
        }
        let removed: Vec<Assignment> = bench.duties.iter().filter(|d| !after.contains(d)).cloned().collect();
        let added: Vec<Assignment> = after.into_iter().filter(|d| !bench.duties.contains(d)).collect();
        self.rota_draft_deed(who, &bench.draft.id, revision, Deed::Step { what, removed, added }, key).await
    }

    pub(super) async fn rota_draft_deed(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        deed: Deed,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        let kit = self.kit();
        let change = ChangeDraft { kit: kit.clone(), who: who.clone(), draft: id.clone(), revision, deed };
        match self.run_once(&kit, who, key, change).await {
            Ok(done) => match done.into_inner() {
                Drafted::NotFound => Err(AppError::NotFound),
                Drafted::Stale => Err(AppError::ChangedMeanwhile),
                done => Ok(done),
            },
            Err(e) if e.is_stale() => Err(AppError::ChangedMeanwhile),
            Err(e) => Err(e),
        }
    }

    /// Takes the last step back.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rota_draft_undo(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        self.rota_draft_deed(who, id, revision, Deed::Undo, key).await
    }

    /// Does the step again that was taken back last.
    ///
    /// # Errors
    /// As [`App::rota_draft_undo`].
    pub async fn rota_draft_redo(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        self.rota_draft_deed(who, id, revision, Deed::Redo, key).await
    }

    /// Gives a draft another name.
    ///
    /// # Errors
    /// As [`App::rota_draft_undo`]; no name.
    pub async fn rota_draft_rename(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        name: &str,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        if let Some(wrong) = short_text(name, true) {
            return Err(AppError::field("name", wrong));
        }
        self.rota_draft_deed(who, id, revision, Deed::Rename(name.to_owned()), key).await
    }

    /// Throws a draft away.
    ///
    /// # Errors
    /// As [`App::rota_draft_undo`].
    pub async fn rota_draft_drop(
        &self,
        who: &Who,
        id: &RotaDraftId,
        revision: i64,
        key: Option<&Key>,
    ) -> Result<Drafted, AppError> {
        self.rota_draft_deed(who, id, revision, Deed::Drop, key).await
    }
}

/// Takes whoever sits on a seat off it for these hours; what they hold of the rest stays.
fn clear(duties: &mut Vec<Assignment>, (slot, role): (&SlotKey, RotaRole), window: Window) {
    let mut rest = Vec::new();
    duties.retain(|duty| {
        let there = duty.slot == *slot && duty.role == role;
        if !there || duty.window.to <= window.from || window.to <= duty.window.from {
            return true;
        }
        let before = Window::new(duty.window.from, window.from);
        let after = Window::new(window.to, duty.window.to);
        rest.extend(before.into_iter().chain(after).map(|window| Assignment { window, ..duty.clone() }));
        false
    });
    duties.append(&mut rest);
}

/// The seats that nobody holds, or not throughout, by time.
pub(super) fn empty_seats(slots: &[Slot], duties: &[Assignment]) -> Vec<(SlotKey, RotaRole)> {
    let mut held_ms: BTreeMap<(&SlotKey, RotaRole), i64> = BTreeMap::new();
    for duty in duties {
        *held_ms.entry((&duty.slot, duty.role)).or_default() += duty.window.to.since_ms(duty.window.from);
    }
    let seats = slots.iter().flat_map(|slot| slot.roles.iter().map(move |role| (slot, *role)));
    seats
        .filter(|(slot, role)| {
            let held = held_ms.get(&(&slot.key, *role)).copied().unwrap_or_default();
            held < slot.window.to.since_ms(slot.window.from)
        })
        .map(|(slot, role)| (slot.key.clone(), role))
        .collect()
}
