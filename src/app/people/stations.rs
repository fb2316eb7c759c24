//! Devices that the people of an institution share (nurse station, care office, clinic desk): invited by the
//! office with a one-time link, enrolled by one of the institution's people with their PIN; whoever comes in
//! on it afterwards chooses their own name and types their own PIN.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::access::{PinCheck, Proven, new_access, note, read_pin, write_access};
use crate::app::flow::{make_link_for, raise};
use crate::app::replay::Key;
use crate::app::rows::SharedDevice;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::consult::{Wrong, short_text};
use crate::domain::people::device;
use crate::ids::{AssociationId, InstitutionId, MemberId, SharedDeviceId};
use crate::seal::{Secret, token_hash};
use crate::store::access::{Link, LinkPurpose, link_by_id, link_consume, link_wrong_pin};
use crate::store::enrolment::{
    members_of_institution, session_device, shared_add, shared_by_id, shared_by_link, shared_by_secret,
    shared_enrol, shared_live, shared_revoke, shared_slow, shared_used, shared_wrong,
};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{
    Association, Institution, Member, association_by_id, institution_by_id, member_by_id,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// An invitation is good for so long: paper goes by post.
pub const INVITED_FOR_S: i64 = 14 * 86_400;
/// A shared device is known for so long.
pub const SHARED_LIFE_S: i64 = 365 * 86_400;
/// After so many wrong PINs of one name in a row the device takes none for a while.
const SLOW_AFTER: i64 = 10;
/// The first wait; it doubles with each further wrong PIN.
const SLOW_FIRST_S: i64 = 60;
const SLOW_LONGEST_S: i64 = 3_600;

/// A shared device, or one about to be, and whose it is.
#[derive(Clone, Debug)]
pub struct Station {
    pub association: Association,
    pub device: SharedDevice,
    pub institution: Institution,
    /// Who may come in on it.
    pub people: Vec<Member>,
}

/// What the office says of a new shared device.
#[derive(Clone, Debug)]
pub struct NewStation {
    pub institution: InstitutionId,
    /// "ナースステーションのパソコン"
    pub name: String,
    /// Who gets the link: one of the institution's people.
    pub receiver: MemberId,
    /// By mail; otherwise on paper.
    pub by_mail: bool,
}

/// The paper that enrols a shared device.
#[derive(Clone, Debug)]
pub struct StationSheet {
    pub station: Station,
    pub receiver: Member,
    /// Where the QR code leads; secret.
    pub token: Secret,
    /// To be typed where there is no camera.
    pub code: String,
    pub until: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Invited {
    Done(SharedDeviceId),
    NoInstitution,
    /// The receiver is not one of its people, or cannot get the mail.
    NoReceiver,
}

struct Invite {
    kit: Kit,
    who: Who,
    id: SharedDeviceId,
    new: NewStation,
}

impl Command for Invite {
    type Output = Invited;

    async fn apply(&self, tx: &mut Conn) -> Result<Invited, StoreError> {
        let (kit, who, new) = (&self.kit, &self.who, &self.new);
        let (association, chance) = (&who.association, kit.vault.chance.as_ref());
        let institution = institution_by_id(tx, association, &new.institution).await?;
        if institution.is_none_or(|i| i.closed.is_some()) {
            return Ok(Invited::NoInstitution);
        }
        let receiver = member_by_id(tx, association, &new.receiver).await?;
        let fits = receiver
            .is_some_and(|m| may_share(&m, &new.institution, kit.now) && (!new.by_mail || m.email.is_some()));
        if !fits {
            return Ok(Invited::NoReceiver);
        }
        let until = kit.now.plus_s(INVITED_FOR_S);
        let link =
            make_link_for(tx, kit, association, &new.receiver, LinkPurpose::Station, None, until).await?;
        let device = SharedDevice {
            id: self.id.clone(),
            institution: new.institution.clone(),
            link: link.clone(),
            label: String::new(),
            name: new.name.clone(),
            invited: kit.now,
            invited_until: until,
            enrolled: None,
            enrolled_by: None,
            used: None,
            expires: None,
            revoked: None,
            slow_until: None,
        };
        shared_add(tx, association, &device).await?;
        if new.by_mail {
            let job = NewJob {
                lane: Lane::Mail,
                kind: "station",
                key: format!("station:{link}"),
                body: json!({ "member": new.receiver.as_str(), "link": link.as_str() }),
                due: kit.now,
            };
            job_add(tx, association, &job, kit.now, chance).await?;
        }
        let subject = format!("institution:{}", new.institution);
        let detail = json!({
            "device": self.id.as_str(), "receiver": new.receiver.as_str(), "by_mail": new.by_mail,
        });
        note(tx, kit, who, "station.invited", &subject, detail).await?;
        Ok(Invited::Done(self.id.clone()))
    }
}

/// Whether somebody may come in on the shared devices of an institution. The office's people never do: what
/// they may see needs more than four digits on a counter.
fn may_share(member: &Member, institution: &InstitutionId, now: Millis) -> bool {
    member.is_active(now) && !member.is_office() && member.institution.as_ref() == Some(institution)
}

async fn people_of(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    now: Millis,
) -> Result<Vec<Member>, StoreError> {
    let mut people = Vec::new();
    for id in members_of_institution(conn, association, institution).await? {
        let member = member_by_id(conn, association, &id).await?;
        people.extend(member.filter(|m| may_share(m, institution, now)));
    }
    Ok(people)
}

async fn station_of(
    conn: &mut Conn,
    association: &AssociationId,
    device: SharedDevice,
    now: Millis,
) -> Result<Option<Station>, StoreError> {
    let home = association_by_id(conn, association).await?;
    let institution = institution_by_id(conn, association, &device.institution).await?;
    let Some((association, institution)) = home.zip(institution) else {
        return Ok(None);
    };
    let people = people_of(conn, &association.id, &institution.id, now).await?;
    Ok(Some(Station { association, device, institution, people }))
}

struct WrongOnLink {
    kit: Kit,
    link: Link,
    member: MemberId,
}

impl Command for WrongOnLink {
    type Output = i64;

    async fn apply(&self, tx: &mut Conn) -> Result<i64, StoreError> {
        let (kit, association) = (&self.kit, &self.link.association);
        let wrong = link_wrong_pin(tx, association, &self.link.id).await?;
        let who = Who::member(association, &self.member);
        let subject = format!("member:{}", self.member);
        let detail = json!({ "link": self.link.id.as_str(), "wrong": wrong });
        note(tx, kit, &who, "pin.wrong", &subject, detail).await?;
        let left = (kit.rules.pin_tries_per_link - wrong).max(0);
        if left == 0 {
            link_consume(tx, association, &self.link.id, kit.now).await?;
            raise(tx, kit, association, "pin_locked", &subject).await?;
        }
        Ok(left)
    }
}

struct Enrol {
    kit: Kit,
    link: Link,
    member: MemberId,
    pin_version: i64,
    secret_hash: [u8; 32],
    label: String,
}

impl Command for Enrol {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.link.association);
        let Some(device) = shared_by_link(tx, association, &self.link.id).await? else {
            return Ok(false);
        };
        let member = member_by_id(tx, association, &self.member).await?;
        let fits = member.is_some_and(|m| {
            m.pin_version == self.pin_version && may_share(&m, &device.institution, kit.now)
        });
        let link = link_by_id(tx, association, &self.link.id).await?;
        let good = link.is_some_and(|l| {
            l.voided.is_none() && kit.now < l.expires && l.wrong_pins < kit.rules.pin_tries_per_link
        });
        if !fits || !good || !link_consume(tx, association, &self.link.id, kit.now).await? {
            return Ok(false);
        }
        let until = kit.now.plus_s(SHARED_LIFE_S);
        let known = (&self.secret_hash, self.label.as_str());
        if !shared_enrol(tx, association, &device.id, known, &self.member, kit.now, until).await? {
            return Ok(false);
        }
        let who = Who::member(association, &self.member);
        let subject = format!("institution:{}", device.institution);
        note(tx, kit, &who, "station.enrolled", &subject, json!({ "device": device.id.as_str() })).await?;
        Ok(true)
    }
}

struct WrongOnStation {
    kit: Kit,
    association: AssociationId,
    device: SharedDeviceId,
    member: MemberId,
}

impl Command for WrongOnStation {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let wrong = shared_wrong(tx, association, &self.device, &self.member).await?;
        let who = Who::member(association, &self.member);
        let subject = format!("member:{}", self.member);
        let detail = json!({ "shared_device": self.device.as_str(), "in_a_row": wrong });
        note(tx, kit, &who, "pin.wrong", &subject, detail).await?;
        if wrong >= SLOW_AFTER {
            let doubled = SLOW_FIRST_S << (wrong - SLOW_AFTER).clamp(0, 10);
            let until = kit.now.plus_s(doubled.min(SLOW_LONGEST_S));
            shared_slow(tx, association, &self.device, until).await?;
        }
        if wrong == SLOW_AFTER {
            raise(tx, kit, association, "pin_locked", &subject).await?;
        }
        Ok(())
    }
}

struct ComeIn {
    kit: Kit,
    association: AssociationId,
    device: SharedDeviceId,
    member: MemberId,
    pin_version: i64,
    access: crate::app::access::NewAccess,
}

impl Command for ComeIn {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let device = shared_by_id(tx, association, &self.device).await?;
        // Revoked, or slowed down by tries sent at the same time.
        let Some(device) = device.filter(|d| {
            d.revoked.is_none() && d.enrolled.is_some() && d.slow_until.is_none_or(|until| until <= kit.now)
        }) else {
            return Ok(false);
        };
        let member = member_by_id(tx, association, &self.member).await?;
        let fits = member.is_some_and(|m| {
            m.pin_version == self.pin_version && may_share(&m, &device.institution, kit.now)
        });
        if !fits {
            return Ok(false);
        }
        write_access(tx, kit, association, &self.member, &self.access).await?;
        session_device(tx, association, &self.access.session, device.id.as_str()).await?;
        shared_used(tx, association, &device.id, &self.member, kit.now).await?;
        let who = Who::member(association, &self.member);
        let detail = json!({ "by": "shared_device_and_pin", "shared_device": device.id.as_str() });
        note(tx, kit, &who, "sign_in.done", &format!("member:{}", self.member), detail).await?;
        Ok(true)
    }
}

struct RevokeStation {
    kit: Kit,
    who: Who,
    id: SharedDeviceId,
}

impl Command for RevokeStation {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(device) = shared_by_id(tx, association, &self.id).await? else {
            return Ok(false);
        };
        if !shared_revoke(tx, association, &device, kit.now).await? {
            return Ok(false);
        }
        let subject = format!("institution:{}", device.institution);
        let detail = json!({ "device": device.id.as_str() });
        note(tx, kit, &self.who, "station.revoked", &subject, detail).await?;
        Ok(true)
    }
}

/// How a PIN on a shared device, or for one, ended.
#[derive(Debug)]
pub enum AtStation {
    /// The cookie to set: the device's when enrolling, the session's when coming in.
    Done(Secret),
    /// None of the institution's people was chosen.
    NobodyChosen,
    PinMissing,
    PinMalformed,
    /// The tries left, where they are counted out.
    PinWrong {
        tries_left: Option<i64>,
    },
    /// Too many wrong ones: it takes none until then.
    Slow {
        until: Millis,
    },
    /// Too many wrong ones, or used, or revoked.
    Over,
}

impl App {
    /// Invites a shared device.
    ///
    /// # Errors
    /// Fields that cannot be taken; the store's.
    pub async fn station_invite(
        &self,
        who: &Who,
        new: NewStation,
        key: Option<&Key>,
    ) -> Result<SharedDeviceId, AppError> {
        if let Some(wrong) = short_text(&new.name, true) {
            return Err(AppError::field("name", wrong));
        }
        let kit = self.kit();
        let id = SharedDeviceId::new(kit.now, self.chance.as_ref());
        let invite = Invite { kit: kit.clone(), who: who.clone(), id, new };
        match self.run_once(&kit, who, key, invite).await?.into_inner() {
            Invited::Done(id) => Ok(id),
            Invited::NoInstitution => Err(AppError::field("institution", Wrong::Unknown)),
            Invited::NoReceiver => Err(AppError::field("receiver", Wrong::Unknown)),
        }
    }

    /// Shared devices that are enrolled or invited, of one institution or of all.
    ///
    /// # Errors
    /// The store's.
    pub async fn stations(
        &self,
        association: &AssociationId,
        institution: Option<&InstitutionId>,
    ) -> Result<Vec<(SharedDevice, Institution)>, AppError> {
        let mut conn = self.db.read().await?;
        let mut found = Vec::new();
        for device in shared_live(&mut conn, association, institution, self.now()).await? {
            if let Some(home) = institution_by_id(&mut conn, association, &device.institution).await? {
                found.push((device, home));
            }
        }
        Ok(found)
    }

    /// Whether there is, or was, such a shared device.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn station_there(
        &self,
        association: &AssociationId,
        id: &SharedDeviceId,
    ) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        shared_by_id(&mut conn, association, id).await?.map(drop).ok_or(AppError::NotFound)
    }

    /// The people of an institution who may come in on its shared devices.
    ///
    /// # Errors
    /// The store's.
    pub async fn station_people(
        &self,
        association: &AssociationId,
        institution: &InstitutionId,
    ) -> Result<Vec<Member>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(people_of(&mut conn, association, institution, self.now()).await?)
    }

    /// The paper of a device that was invited and not yet enrolled.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also when it was enrolled; the store's.
    pub async fn station_sheet(
        &self,
        association: &AssociationId,
        id: &SharedDeviceId,
    ) -> Result<StationSheet, AppError> {
        let now = self.now();
        let mut conn = self.db.read().await?;
        let device = shared_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)?;
        let link = link_by_id(&mut conn, association, &device.link).await?;
        let link = link.filter(|l| l.consumed.is_none() && l.voided.is_none() && now < l.expires);
        let link = link.filter(|_| device.enrolled.is_none() && device.revoked.is_none());
        let link = link.ok_or(AppError::NotFound)?;
        let receiver = member_by_id(&mut conn, association, &link.member).await?.ok_or(AppError::NotFound)?;
        let station = station_of(&mut conn, association, device, now).await?.ok_or(AppError::NotFound)?;
        // A key of the key file that is gone takes the links made under it along.
        let again = self.vault.seal.link_again(&link.id, &link.token_hash).ok_or(AppError::NotFound)?;
        Ok(StationSheet { station, receiver, token: again.0, code: again.1, until: link.expires })
    }

    /// What a link would enrol, while it can.
    pub(crate) async fn station_behind(&self, link: &Link) -> Result<Option<Station>, AppError> {
        let now = self.now();
        if link.consumed.is_some() || link.voided.is_some() || now >= link.expires {
            return Ok(None);
        }
        let mut conn = self.db.read().await?;
        let device = shared_by_link(&mut conn, &link.association, &link.id).await?;
        match device.filter(|d| d.enrolled.is_none() && d.revoked.is_none()) {
            Some(device) => Ok(station_of(&mut conn, &link.association, device, now).await?),
            None => Ok(None),
        }
    }

    /// Enrols the device in hand as the institution's: by the link, and the PIN of one of its people.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn station_enrol(
        &self,
        token: &str,
        member: &str,
        pin: &str,
        user_agent: &str,
    ) -> Result<AtStation, AppError> {
        let link = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::Station);
        let Some(link) = link.filter(|l| l.wrong_pins < self.rules.pin_tries_per_link) else {
            return Ok(AtStation::Over);
        };
        let Some(station) = self.station_behind(&link).await? else {
            return Ok(AtStation::Over);
        };
        let Some(member) = station.people.iter().find(|m| m.id.as_str() == member) else {
            return Ok(AtStation::NobodyChosen);
        };
        let pin = match read_pin(Some(pin)) {
            Ok(pin) => pin,
            Err(Proven::PinMissing) => return Ok(AtStation::PinMissing),
            Err(_) => return Ok(AtStation::PinMalformed),
        };
        match self.pin_check(&link.association, member, pin).await? {
            PinCheck::Wrong => {
                let wrong = WrongOnLink { kit: self.kit(), link, member: member.id.clone() };
                let left = self.db.run(wrong).await?;
                Ok(if left == 0 { AtStation::Over } else { AtStation::PinWrong { tries_left: Some(left) } })
            }
            PinCheck::Right(pin_version) => {
                let secret = Secret::new(self.chance.as_ref());
                let enrol = Enrol {
                    kit: self.kit(),
                    link,
                    member: member.id.clone(),
                    pin_version,
                    secret_hash: secret.hash(),
                    label: device::label_of(user_agent),
                };
                Ok(if self.db.run(enrol).await? { AtStation::Done(secret) } else { AtStation::Over })
            }
        }
    }

    /// The shared device that a cookie is, while it is good.
    ///
    /// # Errors
    /// The store's.
    pub async fn station(&self, secret: &str) -> Result<Option<Station>, AppError> {
        let now = self.now();
        let mut conn = self.db.read().await?;
        match shared_by_secret(&mut conn, &token_hash(secret), now).await? {
            Some((association, device)) => Ok(station_of(&mut conn, &association, device, now).await?),
            None => Ok(None),
        }
    }

    /// Comes in on a shared device in one's own name, with one's own PIN. Wrong PINs slow the device down and
    /// lock nobody out elsewhere.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn station_sign_in(
        &self,
        secret: &str,
        member: &str,
        pin: &str,
    ) -> Result<AtStation, AppError> {
        let Some(station) = self.station(secret).await? else {
            return Ok(AtStation::Over);
        };
        if let Some(until) = station.device.slow_until.filter(|until| self.now() < *until) {
            return Ok(AtStation::Slow { until });
        }
        let Some(member) = station.people.iter().find(|m| m.id.as_str() == member) else {
            return Ok(AtStation::NobodyChosen);
        };
        let pin = match read_pin(Some(pin)) {
            Ok(pin) => pin,
            Err(Proven::PinMissing) => return Ok(AtStation::PinMissing),
            Err(_) => return Ok(AtStation::PinMalformed),
        };
        let association = station.association.id.clone();
        match self.pin_check(&association, member, pin).await? {
            PinCheck::Wrong => {
                let (device, member) = (station.device.id.clone(), member.id.clone());
                self.db.run(WrongOnStation { kit: self.kit(), association, device, member }).await?;
                Ok(AtStation::PinWrong { tries_left: None })
            }
            PinCheck::Right(pin_version) => {
                let (access, cookies) = new_access(self, false);
                let come_in = ComeIn {
                    kit: self.kit(),
                    association,
                    device: station.device.id.clone(),
                    member: member.id.clone(),
                    pin_version,
                    access,
                };
                Ok(if self.db.run(come_in).await? {
                    AtStation::Done(cookies.session)
                } else {
                    AtStation::Over
                })
            }
        }
    }

    /// Forgets a shared device; every session on it ends at once.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also when it was forgotten before; the store's.
    pub async fn station_revoke(
        &self,
        who: &Who,
        id: &SharedDeviceId,
        key: Option<&Key>,
    ) -> Result<(), AppError> {
        let kit = self.kit();
        let revoke = RevokeStation { kit: kit.clone(), who: who.clone(), id: id.clone() };
        let there = self.run_once(&kit, who, key, revoke).await?.into_inner();
        if there { Ok(()) } else { Err(AppError::NotFound) }
    }
}
