//! What changes a published rota: overrides by the office, swaps, people who leave. Asking people for a swap is
//! the dispatcher's; here it is recorded.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::replay::Key;
use super::super::swap::{call_for_gaps, void_swept};
use super::super::{App, AppError, Kit, Who};
use super::world::{RotaWorld, rota_world};
use super::{duties_within, laid_within};
use crate::domain::consult::{Wrong, long_text};
use crate::domain::rota::{
    Area, Holder, Leaver, Leg, NotTakeable, NotUndoable, Override, Records, Return, RotaRole, Setting, Swap,
    Timeline, Violation, check, may_take, may_undo,
};
use crate::ids::{AssociationId, InstitutionId, MemberId, OverrideId, RequestId, SwapId};
use crate::store::people::{institution_by_id, member_by_id};
pub use crate::store::rota::records::{OverrideRow, SwapRow};
use crate::store::rota::records::{
    leaving_add, leaving_back, override_add, override_by_id, override_withdraw, overrides_since, swap_add,
    swap_by_id, swap_undo, swaps_since,
};
use crate::store::rota::rota_touch;
use crate::store::{Command, Conn, StoreError};
use crate::time::{Millis, Window};

/// The longest override.
const OVERRIDE_MAX_DAYS: i64 = 400;
/// How far around a change the rules are looked at: weeks of rest and a month of caps.
const AROUND_S: i64 = 40 * 86_400;

/// An override to be made (臨時変更).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOverride {
    pub area: Area,
    pub role: RotaRole,
    pub window: Window,
    /// `None`: nobody is on then, visibly.
    pub person: Option<MemberId>,
    /// For which institution; `None` = the one they belong to.
    pub institution: Option<InstitutionId>,
    /// In the office's own words; may be empty.
    pub reason: String,
    /// Since when it is known, for imports of history; `None` = now.
    pub recorded_at: Option<Millis>,
}

/// How writing an override ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverrideMade {
    /// Made; what the rules say against it is told, never refused: the office decides.
    Done { id: OverrideId, violations: Vec<Violation> },
    /// There is no such area.
    NoArea,
    /// There is no such person who may hold duty, or no such institution.
    NoPerson,
}

struct AddOverride {
    kit: Kit,
    who: Who,
    id: OverrideId,
    new: NewOverride,
}

impl Command for AddOverride {
    type Output = OverrideMade;

    async fn apply(&self, tx: &mut Conn) -> Result<OverrideMade, StoreError> {
        let (kit, association, new) = (&self.kit, &self.who.association, &self.new);
        rota_touch(tx, association, kit.now).await?;
        let world = world_of(tx, kit, association).await?;
        if world.settings.area(&new.area).is_none() {
            return Ok(OverrideMade::NoArea);
        }
        let holder = match &new.person {
            None => None,
            Some(person) => {
                let Some(mut holder) = world.holder(person) else { return Ok(OverrideMade::NoPerson) };
                if let Some(institution) = &new.institution {
                    if !world.institutions.contains_key(institution) {
                        return Ok(OverrideMade::NoPerson);
                    }
                    holder.institution = institution.clone();
                }
                Some(holder)
            }
        };
        let change = Override {
            id: self.id.clone(),
            area: new.area.clone(),
            role: new.role,
            window: new.window,
            holder,
            recorded_at: new.recorded_at.unwrap_or(kit.now),
            withdrawn_at: None,
        };
        let since = new.window.from.plus_s(-AROUND_S).min(kit.now.plus_s(-AROUND_S));
        let (mut records, before) = laid_within(tx, association, since).await?;
        override_add(tx, association, &change, (kit.now, &self.who.actor), &new.reason).await?;
        records.overrides.push(change.clone());
        let after = Timeline::new(&records, None);
        let violations = new_violations(&world, &before, &after, change.window);
        let detail = json!({
            "area": new.area.as_str(), "role": new.role.code(), "from": new.window.from.rfc3339(),
            "to": new.window.to.rfc3339(), "member": new.person.as_ref().map(MemberId::as_str),
            "violations": violations.len(),
        });
        note(tx, kit, &self.who, "rota.override", &format!("override:{}", self.id), detail).await?;
        void_swept(tx, kit, &self.who).await?;
        Ok(OverrideMade::Done { id: self.id.clone(), violations })
    }
}

async fn world_of(tx: &mut Conn, kit: &Kit, association: &AssociationId) -> Result<RotaWorld, StoreError> {
    let world = rota_world(tx, kit, association).await?;
    world.ok_or_else(|| StoreError::Unusable("the association is gone".to_owned()))
}

/// Breaches of the rules that stand after a change and did not stand before it.
#[must_use]
pub fn new_violations(
    world: &RotaWorld,
    before: &Timeline,
    after: &Timeline,
    changed: Window,
) -> Vec<Violation> {
    let around = Window { from: changed.from.plus_s(-AROUND_S), to: changed.to.plus_s(AROUND_S) };
    let people = world.people();
    let (first, last) = (
        crate::domain::calendar::civil_day(around.from, world.zone()),
        crate::domain::calendar::civil_day(around.to, world.zone()),
    );
    let slots: Vec<_> = world.settings.areas.iter().flat_map(|a| world.slots(&a.key, first, last)).collect();
    let setting = Setting {
        rules: &world.settings.rules,
        people: &people,
        wishes: &[],
        groups: &world.groups,
        slots: &slots,
        calendar: &world.calendar,
        zone: world.zone(),
    };
    let told =
        |timeline: &Timeline| check(setting, &duties_within(timeline, around, world.zone()), first, last);
    let was = told(before);
    told(after).into_iter().filter(|violation| !was.contains(violation)).collect()
}

struct WithdrawOverride {
    kit: Kit,
    who: Who,
    id: OverrideId,
}

/// How taking an override back ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Withdrawn {
    Done,
    /// It was taken back before.
    Already,
    NotFound,
}

impl Command for WithdrawOverride {
    type Output = Withdrawn;

    async fn apply(&self, tx: &mut Conn) -> Result<Withdrawn, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        rota_touch(tx, association, kit.now).await?;
        let Some(row) = override_by_id(tx, association, &self.id).await? else {
            return Ok(Withdrawn::NotFound);
        };
        if row.change.withdrawn_at.is_some()
            || !override_withdraw(tx, association, &self.id, kit.now, &self.who.actor).await?
        {
            return Ok(Withdrawn::Already);
        }
        let subject = format!("override:{}", self.id);
        note(tx, kit, &self.who, "rota.override_withdraw", &subject, json!({})).await?;
        Ok(Withdrawn::Done)
    }
}

/// Why a swap is not recorded; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SwapRefused {
    /// Somebody does not hold what they give, it is over, or the legs do not go together.
    NotTakeable(NotTakeable),
    /// A taker may not hold duty.
    NoPerson(MemberId),
}

/// Records a taken swap, within the command that settles it: whoever gives must hold it now, so the same swap
/// cannot be taken twice. The answer carries the breaches of the rules that it makes; whether those forbid it
/// is the caller's to say, by [`swap_violations`] before or by rolling back.
pub(crate) async fn swap_take(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    swap: &Swap,
    request: Option<&RequestId>,
) -> Result<Result<Vec<Violation>, SwapRefused>, StoreError> {
    let association = &who.association;
    rota_touch(tx, association, kit.now).await?;
    let world = world_of(tx, kit, association).await?;
    let taker = swap.legs.iter().map(|leg| &leg.taker.person).find(|taker| world.holder(taker).is_none());
    if let Some(taker) = taker {
        return Ok(Err(SwapRefused::NoPerson(taker.clone())));
    }
    let since = swap.begins().unwrap_or(kit.now).min(kit.now).plus_s(-AROUND_S);
    let (records, before) = laid_within(tx, association, since).await?;
    if let Err(not) = may_take(&before, swap) {
        return Ok(Err(SwapRefused::NotTakeable(not)));
    }
    let violations = violations_with(&world, records, &before, swap);
    swap_add(tx, association, swap, request, (kit.now, &who.actor)).await?;
    let legs: Vec<_> = swap.legs.iter().map(|leg| {
        json!({
            "area": leg.area.as_str(), "role": leg.role.code(), "from": leg.window.from.rfc3339(),
            "to": leg.window.to.rfc3339(), "giver": leg.giver.as_str(), "taker": leg.taker.person.as_str(),
        })
    })
    .collect();
    let detail = json!({
        "request": request.map(RequestId::as_str), "legs": legs, "violations": violations.len(),
    });
    note(tx, kit, who, "rota.swap", &format!("swap:{}", swap.id), detail).await?;
    Ok(Ok(violations))
}

fn violations_with(
    world: &RotaWorld,
    mut records: Records,
    before: &Timeline,
    swap: &Swap,
) -> Vec<Violation> {
    records.swaps.push(swap.clone());
    let after = Timeline::new(&records, None);
    let mut found: Vec<Violation> = Vec::new();
    for leg in &swap.legs {
        for violation in new_violations(world, before, &after, leg.window) {
            if !found.contains(&violation) {
                found.push(violation);
            }
        }
    }
    found
}

/// Undoes a taken swap within a command, until its earliest leg begins. `None`: there is no such swap.
pub(crate) async fn swap_take_back(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    id: &SwapId,
) -> Result<Option<Result<(), NotUndoable>>, StoreError> {
    let association = &who.association;
    rota_touch(tx, association, kit.now).await?;
    let Some(row) = swap_by_id(tx, association, id).await? else { return Ok(None) };
    if let Err(not) = may_undo(&row.swap, kit.now) {
        return Ok(Some(Err(not)));
    }
    swap_undo(tx, association, id, kit.now, &who.actor).await?;
    note(tx, kit, who, "rota.swap_undo", &format!("swap:{id}"), json!({})).await?;
    Ok(Some(Ok(())))
}

/// Notes within a command that somebody left: they hold nothing from now on, and nobody moves up silently. The
/// command's own audit row says so. What they held is called for.
pub(crate) async fn leaves(tx: &mut Conn, kit: &Kit, who: &Who, leaver: &Leaver) -> Result<(), StoreError> {
    let association = &who.association;
    rota_touch(tx, association, kit.now).await?;
    leaving_add(tx, association, leaver, kit.now, kit.now).await?;
    call_for_gaps(tx, kit, who).await.map(drop)
}

/// Notes within a command that somebody is back; what was published for them before counts again.
pub(crate) async fn returns(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    leaver: &Leaver,
) -> Result<bool, StoreError> {
    let association = &who.association;
    rota_touch(tx, association, kit.now).await?;
    let back = Return { from: kit.now, recorded_at: kit.now };
    leaving_back(tx, association, leaver, back).await
}

fn subject(leaver: &Leaver) -> String {
    match leaver {
        Leaver::Person(id) => format!("member:{id}"),
        Leaver::Institution(id) => format!("institution:{id}"),
    }
}

/// A leave of absence (休会) from the rota, or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Absence {
    /// From this moment on they hold nothing.
    Away { from: Millis },
    /// They are back from this moment on.
    Back { from: Millis },
}

struct TakeSwap {
    kit: Kit,
    who: Who,
    swap: Swap,
}

impl Command for TakeSwap {
    type Output = Result<Vec<Violation>, SwapRefused>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let taken = swap_take(tx, &self.kit, &self.who, &self.swap, None).await?;
        if taken.is_ok() {
            void_swept(tx, &self.kit, &self.who).await?;
        }
        Ok(taken)
    }
}

struct UndoSwap {
    kit: Kit,
    who: Who,
    swap: SwapId,
}

impl Command for UndoSwap {
    type Output = Option<Result<(), NotUndoable>>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        swap_take_back(tx, &self.kit, &self.who, &self.swap).await
    }
}

struct SetAbsence {
    kit: Kit,
    who: Who,
    leaver: Leaver,
    absence: Absence,
}

impl Command for SetAbsence {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let there = match &self.leaver {
            Leaver::Person(id) => member_by_id(tx, association, id).await?.is_some(),
            Leaver::Institution(id) => institution_by_id(tx, association, id).await?.is_some(),
        };
        if !there {
            return Ok(false);
        }
        rota_touch(tx, association, kit.now).await?;
        let (action, from) = match self.absence {
            Absence::Away { from } => {
                leaving_add(tx, association, &self.leaver, from, kit.now).await?;
                ("rota.leave", from)
            }
            Absence::Back { from } => {
                let back = Return { from, recorded_at: kit.now };
                if !leaving_back(tx, association, &self.leaver, back).await? {
                    return Ok(false);
                }
                ("rota.return", from)
            }
        };
        let detail = json!({ "from": from.rfc3339() });
        note(tx, kit, &self.who, action, &subject(&self.leaver), detail).await?;
        call_for_gaps(tx, kit, &self.who).await?;
        Ok(true)
    }
}

impl App {
    /// Puts somebody, or nobody, on for some hours, above everything published and swapped.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for an empty or endless window, a reason too long, a time of recording that is
    /// still to come; the store's.
    pub async fn rota_override_add(
        &self,
        who: &Who,
        new: NewOverride,
        key: Option<&Key>,
    ) -> Result<OverrideMade, AppError> {
        let kit = self.kit();
        let length_ms = new.window.to.since_ms(new.window.from);
        if length_ms <= 0 {
            return Err(AppError::field("to", Wrong::OutOfRange));
        }
        if length_ms > OVERRIDE_MAX_DAYS * 86_400_000 {
            return Err(AppError::field("to", Wrong::TooLong));
        }
        if let Some(wrong) = long_text(&new.reason, false) {
            return Err(AppError::field("reason", wrong));
        }
        if new.recorded_at.is_some_and(|at| kit.now < at) {
            return Err(AppError::field("recorded_at", Wrong::OutOfRange));
        }
        let id = OverrideId::new(kit.now, self.chance.as_ref());
        let add = AddOverride { kit: kit.clone(), who: who.clone(), id, new };
        Ok(self.run_once(&kit, who, key, add).await?.into_inner())
    }

    /// Takes an override back: from now on it does not count, also for the hours that are over.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_override_withdraw(
        &self,
        who: &Who,
        id: &OverrideId,
        key: Option<&Key>,
    ) -> Result<Withdrawn, AppError> {
        let kit = self.kit();
        let withdraw = WithdrawOverride { kit: kit.clone(), who: who.clone(), id: id.clone() };
        match self.run_once(&kit, who, key, withdraw).await?.into_inner() {
            Withdrawn::NotFound => Err(AppError::NotFound),
            done => Ok(done),
        }
    }

    /// The overrides that end after a moment, by time, those taken back included.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_overrides(
        &self,
        association: &AssociationId,
        since: Millis,
    ) -> Result<Vec<OverrideRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(overrides_since(&mut conn, association, since).await?)
    }

    /// The swaps with a duty that ends after a moment, in the order in which they count, undone ones included.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_swaps(
        &self,
        association: &AssociationId,
        since: Millis,
    ) -> Result<Vec<SwapRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(swaps_since(&mut conn, association, since).await?)
    }

    /// Records a swap that both sides told the office: taken now, without anybody being asked. Breaches of the
    /// rules are told, not refused.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_swap_told(
        &self,
        who: &Who,
        legs: Vec<Leg>,
        key: Option<&Key>,
    ) -> Result<(SwapId, Result<Vec<Violation>, SwapRefused>), AppError> {
        let kit = self.kit();
        let id = SwapId::new(kit.now, self.chance.as_ref());
        let swap = Swap { id: id.clone(), legs, taken_at: kit.now, recorded_at: kit.now, undone_at: None };
        let take = TakeSwap { kit: kit.clone(), who: who.clone(), swap };
        Ok((id, self.run_once(&kit, who, key, take).await?.into_inner()))
    }

    /// Undoes a taken swap, until its earliest duty begins.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rota_swap_undo(
        &self,
        who: &Who,
        swap: &SwapId,
        key: Option<&Key>,
    ) -> Result<Result<(), NotUndoable>, AppError> {
        let kit = self.kit();
        let undo = UndoSwap { kit: kit.clone(), who: who.clone(), swap: swap.clone() };
        self.run_once(&kit, who, key, undo).await?.into_inner().ok_or(AppError::NotFound)
    }

    /// Whether a swap could be taken as the rota stands, and the breaches of the rules it would make. Changes
    /// nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_swap_check(
        &self,
        association: &AssociationId,
        swap: &Swap,
    ) -> Result<Result<Vec<Violation>, SwapRefused>, AppError> {
        let world = self.rota_world(association).await?;
        let taker = swap.legs.iter().map(|leg| &leg.taker.person).find(|t| world.holder(t).is_none());
        if let Some(taker) = taker {
            return Ok(Err(SwapRefused::NoPerson(taker.clone())));
        }
        let since = swap.begins().unwrap_or(swap.taken_at).plus_s(-AROUND_S);
        let laid = self.rota_laid(association, since).await?;
        if let Err(not) = may_take(&laid.timeline, swap) {
            return Ok(Err(SwapRefused::NotTakeable(not)));
        }
        Ok(Ok(violations_with(&world, laid.records.clone(), &laid.timeline, swap)))
    }

    /// Notes that a person or an institution is away from the rota from a moment on, or back. `false`: there is
    /// nobody of that id, or they were not away.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_absence(
        &self,
        who: &Who,
        leaver: Leaver,
        absence: Absence,
        key: Option<&Key>,
    ) -> Result<bool, AppError> {
        let kit = self.kit();
        let set = SetAbsence { kit: kit.clone(), who: who.clone(), leaver, absence };
        Ok(self.run_once(&kit, who, key, set).await?.into_inner())
    }
}

/// The holder a person would be, for whoever makes a swap.
#[must_use]
pub fn holder_for(world: &RotaWorld, person: &MemberId) -> Option<Holder> {
    world.holder(person)
}
