//! A person's own known devices: listed, named, revoked; and the ways in which a person wants to be reached.

use serde_json::json;

use crate::app::access::{SignedIn, note};
use crate::app::replay::Key;
use crate::app::rows::DeviceRow;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::people::device;
use crate::domain::people::entry::{MemberProfile, Way};
use crate::ids::{AssociationId, DeviceId, MemberId, SessionId};
use crate::store::enrolment::{access_end_but, device_name, device_revoke, devices_of, member_profile};
use crate::store::people::member_by_id;
use crate::store::{Command, Conn, StoreError};

struct Revoke {
    kit: Kit,
    who: Who,
    member: MemberId,
    device: DeviceId,
}

impl Command for Revoke {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let there = device_revoke(tx, association, &self.member, &self.device, kit.now).await?;
        if there {
            let subject = format!("member:{}", self.member);
            let detail = json!({ "device": self.device.as_str() });
            note(tx, kit, &self.who, "device.revoked", &subject, detail).await?;
        }
        Ok(there)
    }
}

struct RevokeOthers {
    kit: Kit,
    who: Who,
    member: MemberId,
    device: Option<DeviceId>,
    session: SessionId,
}

impl Command for RevokeOthers {
    type Output = u64;

    async fn apply(&self, tx: &mut Conn) -> Result<u64, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let device = self.device.as_ref();
        let ended = access_end_but(tx, association, &self.member, device, &self.session, kit.now).await?;
        let subject = format!("member:{}", self.member);
        note(tx, kit, &self.who, "device.others_revoked", &subject, json!({ "devices": ended })).await?;
        Ok(ended)
    }
}

struct NameDevice {
    kit: Kit,
    association: AssociationId,
    member: MemberId,
    device: DeviceId,
    label: String,
}

impl Command for NameDevice {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let now = self.kit.now;
        device_name(tx, &self.association, &self.member, &self.device, &self.label, now).await
    }
}

struct SetWays {
    kit: Kit,
    who: Who,
    member: MemberId,
    revision: i64,
    ways: Vec<Way>,
}

impl Command for SetWays {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(before) = member_by_id(tx, association, &self.member).await? else {
            return Ok(false);
        };
        let profile = MemberProfile { ways: self.ways.clone(), ..before.profile };
        if !member_profile(tx, association, &self.member, self.revision, &profile).await? {
            return Ok(false);
        }
        let codes: Vec<&str> = self.ways.iter().map(|way| way.code()).collect();
        let subject = format!("member:{}", self.member);
        note(tx, kit, &self.who, "member.ways", &subject, json!({ "ways": codes })).await?;
        Ok(true)
    }
}

impl App {
    /// The known devices of a person, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn devices(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<Vec<DeviceRow>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(devices_of(&mut conn, association, member, self.now()).await?)
    }

    /// Forgets one device; the sessions on it end at once.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also when it was forgotten before; the store's.
    pub async fn device_revoke(
        &self,
        who: &Who,
        member: &MemberId,
        device: &DeviceId,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let kit = self.kit();
        let (member, device) = (member.clone(), device.clone());
        let revoke = Revoke { kit: kit.clone(), who: who.clone(), member, device };
        let there = self.run_once(&kit, who, key, revoke).await?.into_inner();
        if there { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Forgets every device of a person but the one they hold, and ends every other session; how many
    /// devices that were.
    ///
    /// # Errors
    /// The store's.
    pub async fn devices_revoke_others(
        &self,
        person: &SignedIn,
        device: Option<&DeviceId>,
        key: Option<&Key>,
    ) -> Result<u64, AppError> {
        let (kit, who) = (self.kit(), person.who());
        let revoke = RevokeOthers {
            kit: kit.clone(),
            who: who.clone(),
            member: person.member.id.clone(),
            device: device.cloned(),
            session: person.session.clone(),
        };
        Ok(self.run_once(&kit, &who, key, revoke).await?.into_inner())
    }

    /// Notes what a newly known device is, from what its browser says of itself.
    ///
    /// # Errors
    /// The store's.
    pub async fn device_named(&self, secret: &str, user_agent: &str) -> Result<(), AppError> {
        let Some(known) = self.known_device(secret).await? else {
            return Ok(());
        };
        let name = NameDevice {
            kit: self.kit(),
            association: known.association.id,
            member: known.member.id,
            device: known.device,
            label: device::label_of(user_agent),
        };
        Ok(self.db.run(name).await?)
    }

    /// How a person wants to be reached, first choice first.
    ///
    /// # Errors
    /// [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn ways_set(
        &self,
        who: &Who,
        member: &MemberId,
        revision: i64,
        ways: Vec<Way>,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let kit = self.kit();
        let set = SetWays { kit: kit.clone(), who: who.clone(), member: member.clone(), revision, ways };
        let done = self.run_once(&kit, who, key, set).await?.into_inner();
        if done { Ok(()) } else { Err(AppError::ChangedMeanwhile) }
    }
}
