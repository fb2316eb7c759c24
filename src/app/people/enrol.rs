//! PINs: set, changed by their owner, unlocked, printed on enrolment sheets; and a person leaving.

use serde_json::json;

use crate::app::access::{PinCheck, Proven, SignedIn, note, read_pin};
use crate::app::answers::DECLINE_LEFT;
use crate::app::flow::{Act, apply};
use crate::app::replay::Key;
use crate::app::rota::changes::leaves as rota_leaves;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::consult::Wrong;
use crate::domain::dispatch::Event;
use crate::domain::rota::Leaver;
use crate::ids::{AssociationId, DeviceId, MemberId, SessionId};
use crate::seal::Pin;
use crate::store::access::access_end;
use crate::store::credentials::means_clear;
use crate::store::dispatch::offers_live_of;
use crate::store::enrolment::{
    access_end_but, alarms_of_acknowledge, links_of_member_void, reach_tests_void, sheet_set,
};
use crate::store::people::{
    Member, member_by_id, member_leaves, member_pin_failed, member_pin_right, member_pin_set,
};
use crate::store::{Command, Conn, StoreError};

/// Sheets in one print at most: each needs a slow hash.
pub const SHEETS_AT_ONCE: usize = 60;

/// A live offer of somebody who leaves; more than this nobody has.
const OFFERS_OF_ONE: i64 = 10_000;

/// Sets a PIN: whoever knew the old one keeps nothing, and what was raised about it is seen to.
async fn put_pin(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    member: &MemberId,
    hash: &str,
) -> Result<bool, StoreError> {
    let association = &who.association;
    if !member_pin_set(tx, association, member, hash).await? {
        return Ok(false);
    }
    access_end(tx, association, member, kit.now).await?;
    let subject = format!("member:{member}");
    alarms_of_acknowledge(tx, association, "pin_locked", &subject, kit.now, &who.actor).await?;
    Ok(true)
}

struct SetPin {
    kit: Kit,
    who: Who,
    member: MemberId,
    hash: String,
}

impl Command for SetPin {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        if !put_pin(tx, &self.kit, &self.who, &self.member, &self.hash).await? {
            return Ok(false);
        }
        let subject = format!("member:{}", self.member);
        note(tx, &self.kit, &self.who, "member.pin_set", &subject, json!({})).await?;
        Ok(true)
    }
}

struct MakeSheets {
    kit: Kit,
    who: Who,
    rows: Vec<(MemberId, String)>,
}

impl Command for MakeSheets {
    /// For whom there is one now.
    type Output = Vec<MemberId>;

    async fn apply(&self, tx: &mut Conn) -> Result<Vec<MemberId>, StoreError> {
        let (kit, who) = (&self.kit, &self.who);
        let mut made = Vec::new();
        for (member, hash) in &self.rows {
            let there = member_by_id(tx, &who.association, member).await?;
            if !there.is_some_and(|m| m.is_active(kit.now)) || !put_pin(tx, kit, who, member, hash).await? {
                continue;
            }
            sheet_set(tx, &who.association, member, kit.now, &who.actor).await?;
            let subject = format!("member:{member}");
            note(tx, kit, who, "member.pin_set", &subject, json!({ "sheet": true })).await?;
            made.push(member.clone());
        }
        Ok(made)
    }
}

struct Unlock {
    kit: Kit,
    who: Who,
    member: MemberId,
}

impl Command for Unlock {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, who) = (&self.kit, &self.who);
        let Some(member) = member_by_id(tx, &who.association, &self.member).await? else {
            return Ok(false);
        };
        member_pin_right(tx, &who.association, &member.id).await?;
        let subject = format!("member:{}", member.id);
        alarms_of_acknowledge(tx, &who.association, "pin_locked", &subject, kit.now, &who.actor).await?;
        let detail = json!({ "in_a_row": member.pin_failures });
        note(tx, kit, who, "member.pin_unlocked", &subject, detail).await?;
        Ok(true)
    }
}

struct ChangeOwnPin {
    kit: Kit,
    who: Who,
    member: MemberId,
    session: SessionId,
    device: Option<DeviceId>,
    pin_version: i64,
    hash: String,
}

impl Command for ChangeOwnPin {
    /// `false`: somebody set another one meanwhile.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let now = member_by_id(tx, association, &self.member).await?;
        let same = now.is_some_and(|m| m.pin_version == self.pin_version && m.is_active(kit.now));
        if !same || !member_pin_set(tx, association, &self.member, &self.hash).await? {
            return Ok(false);
        }
        let device = self.device.as_ref();
        access_end_but(tx, association, &self.member, device, &self.session, kit.now).await?;
        let subject = format!("member:{}", self.member);
        note(tx, kit, &self.who, "member.pin_changed", &subject, json!({})).await?;
        Ok(true)
    }
}

/// A wrong PIN typed where no link counts it: through the API, or for a new one.
pub(crate) struct ApiWrongPin {
    kit: Kit,
    who: Who,
    member: MemberId,
}

impl ApiWrongPin {
    pub(crate) const fn new(kit: Kit, who: Who, member: MemberId) -> Self {
        Self { kit, who, member }
    }
}

impl Command for ApiWrongPin {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let in_a_row = member_pin_failed(tx, &self.who.association, &self.member).await?;
        let subject = format!("member:{}", self.member);
        note(tx, &self.kit, &self.who, "pin.wrong", &subject, json!({ "in_a_row": in_a_row })).await.map(drop)
    }
}

struct Leave {
    kit: Kit,
    who: Who,
    member: MemberId,
}

impl Command for Leave {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let there = member_by_id(tx, association, &self.member).await?;
        if there.is_none_or(|m| m.left_at.is_some()) {
            return Ok(false);
        }
        // Requests before members, as everywhere. Whoever leaves is not waited for.
        for row in offers_live_of(tx, association, &self.member, OFFERS_OF_ONE).await? {
            let detail = json!({ "member": self.member.as_str(), "reason": DECLINE_LEFT });
            let act = Act { action: "offer.decline", detail };
            let event = Event::Decline { person: self.member.clone() };
            apply(tx, kit, &self.who, &row.request, event, &act).await?;
        }
        if !member_leaves(tx, association, &self.member, kit.now).await? {
            return Ok(false);
        }
        // From now on they hold no duty: a hole that is shown, not somebody who is rung in vain.
        rota_leaves(tx, kit, &self.who, &Leaver::Person(self.member.clone())).await?;
        access_end(tx, association, &self.member, kit.now).await?;
        means_clear(tx, association, &self.member, kit.now).await?;
        links_of_member_void(tx, association, &self.member, kit.now).await?;
        reach_tests_void(tx, association, &self.member, "mail", kit.now).await?;
        let subject = format!("member:{}", self.member);
        alarms_of_acknowledge(tx, association, "pin_locked", &subject, kit.now, &self.who.actor).await?;
        note(tx, kit, &self.who, "member.leave", &subject, json!({})).await?;
        Ok(true)
    }
}

/// A sheet to be printed: the only place where the PIN stands.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub member: Member,
    pub pin: Pin,
}

/// What came of making sheets.
#[derive(Debug)]
pub enum Sheets {
    Made(Vec<Sheet>),
    /// This very form was sent before: the PINs were shown then, and never again.
    ShownBefore,
}

/// How changing one's own PIN ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinChange {
    Changed,
    OldMissing,
    OldMalformed,
    OldWrong,
    /// Too many wrong ones: the office helps.
    Locked,
    /// The new one is guessed first.
    Trivial,
}

impl App {
    /// A PIN's hash. Slow on purpose: it waits among the checks of PINs, on a thread that may block.
    pub(crate) async fn pin_hash(
        &self,
        association: &AssociationId,
        member: &MemberId,
        pin: &Pin,
    ) -> Result<String, AppError> {
        let _place = self.waiting.try_acquire().map_err(|_| AppError::Busy)?;
        let _worker = self.pins.acquire().await.map_err(|_| AppError::Busy)?;
        let (seal, chance) = (self.vault.seal.clone(), self.chance.clone());
        let (association, member, pin) = (association.clone(), member.clone(), pin.clone());
        let hash = move || seal.pin_hash(&association, &member, &pin, chance.as_ref());
        let hash = tokio::task::spawn_blocking(hash).await.map_err(|_| AppError::Busy)?;
        Ok(hash.map_err(StoreError::from)?)
    }

    /// Sets a PIN; every device and session of the person ends.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn pin_set(
        &self,
        who: &Who,
        member: &MemberId,
        pin: &Pin,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let found = |there: bool| if there { Ok(()) } else { Err(AppError::NotFound) };
        if let Some(before) = self.replayed(who, key).await? {
            return found(before);
        }
        let hash = self.pin_hash(&who.association, member, pin).await?;
        let kit = self.kit();
        let set = SetPin { kit: kit.clone(), who: who.clone(), member: member.clone(), hash };
        found(self.run_once(&kit, who, key, set).await?.into_inner())
    }

    /// Gives each of these people a new PIN and shows it once. Their devices and sessions end. Whoever left
    /// meanwhile gets none.
    ///
    /// # Errors
    /// Nobody chosen, or more than [`SHEETS_AT_ONCE`]; [`AppError::NotFound`]; the store's.
    pub async fn sheets_make(&self, who: &Who, chosen: &[MemberId], key: &Key) -> Result<Sheets, AppError> {
        let mut chosen = chosen.to_vec();
        chosen.sort();
        chosen.dedup();
        if chosen.is_empty() {
            return Err(AppError::field("member", Wrong::Missing));
        }
        if chosen.len() > SHEETS_AT_ONCE {
            return Err(AppError::field("member", Wrong::OutOfRange));
        }
        if self.replayed::<Vec<MemberId>>(who, Some(key)).await?.is_some() {
            return Ok(Sheets::ShownBefore);
        }
        let (mut sheets, mut rows) = (Vec::new(), Vec::new());
        for id in chosen {
            let member = self.member(&who.association, &id).await?;
            let pin = Pin::for_paper(self.chance.as_ref());
            rows.push((id.clone(), self.pin_hash(&who.association, &id, &pin).await?));
            sheets.push(Sheet { member, pin });
        }
        let kit = self.kit();
        let make = MakeSheets { kit: kit.clone(), who: who.clone(), rows };
        match self.run_once(&kit, who, Some(key), make).await? {
            crate::app::replay::Done::Fresh(made) => {
                sheets.retain(|sheet| made.contains(&sheet.member.id));
                Ok(Sheets::Made(sheets))
            }
            crate::app::replay::Done::Again(_) => Ok(Sheets::ShownBefore),
        }
    }

    /// Lets a locked PIN be tried again; alarms about it are seen to.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn pin_unlock(&self, who: &Who, member: &MemberId, key: Option<&Key>) -> Result<(), AppError> {
        let kit = self.kit();
        let unlock = Unlock { kit: kit.clone(), who: who.clone(), member: member.clone() };
        let there = self.run_once(&kit, who, key, unlock).await?.into_inner();
        if there { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// A person changes their own PIN with the old one. Every other device and session of theirs ends.
    ///
    /// # Errors
    /// [`AppError::ChangedMeanwhile`]; [`AppError::Busy`]; the store's.
    pub async fn pin_change(
        &self,
        person: &SignedIn,
        device: Option<&DeviceId>,
        old: &str,
        new: &Pin,
    ) -> Result<PinChange, AppError> {
        let (association, member, who) = (&person.association.id, &person.member, person.who());
        if new.is_trivial() {
            return Ok(PinChange::Trivial);
        }
        if member.pin_failures >= self.rules.pin_tries_total {
            return Ok(PinChange::Locked);
        }
        let old = match read_pin(Some(old)) {
            Ok(old) => old,
            Err(Proven::PinMissing) => return Ok(PinChange::OldMissing),
            Err(_) => return Ok(PinChange::OldMalformed),
        };
        match self.pin_check(association, member, old).await? {
            PinCheck::Wrong => {
                self.db.run(ApiWrongPin::new(self.kit(), who, member.id.clone())).await?;
                Ok(PinChange::OldWrong)
            }
            PinCheck::Right(pin_version) => {
                let change = ChangeOwnPin {
                    kit: self.kit(),
                    who,
                    member: member.id.clone(),
                    session: person.session.clone(),
                    device: device.cloned(),
                    pin_version,
                    hash: self.pin_hash(association, &member.id, new).await?,
                };
                if self.db.run(change).await? {
                    Ok(PinChange::Changed)
                } else {
                    Err(AppError::ChangedMeanwhile)
                }
            }
        }
    }

    /// A person leaves: devices, sessions, links and open offers end at once.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also when they left before; the store's.
    pub async fn member_leave(
        &self,
        who: &Who,
        member: &MemberId,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let kit = self.kit();
        let leave = Leave { kit: kit.clone(), who: who.clone(), member: member.clone() };
        let done = self.run_once(&kit, who, key, leave).await?.into_inner();
        if done { Ok(()) } else { Err(AppError::NotFound) }
    }
}
