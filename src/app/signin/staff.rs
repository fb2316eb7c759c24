//! The people of the office: who they are, inviting them to set up their means, their roles, ending what they
//! have open; and the link behind which means are set up.

use serde_json::json;

use super::enrol::{Means, means_of};
use super::sessions::EndAll;
use crate::app::access::{NewAccess, PinCheck, new_access, note, pin_stands, read_pin, write_access};
use crate::app::answers::{Ended, Opened};
use crate::app::flow::make_link_for;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::people::Role;
use crate::ids::{AssociationId, LinkId, MemberId};
use crate::seal::Secret;
use crate::store::access::{Link, LinkPurpose, access_end, link_by_id, link_consume, sessions_end};
use crate::store::credentials::{
    Recovery, means_clear, means_in_association, member_roles_set, recovery_by_link, recovery_code_use,
    recovery_open, setup_links_void,
};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{
    Association, Member, member_by_id, member_pin_right, members_by_email, members_with_role,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// A link to set up one's means lives this long.
const SETUP_LINK_S: i64 = 259_200;
/// A session that came by it may set them up this long.
const SETUP_S: i64 = 1_800;

/// Somebody of the office.
#[derive(Clone, Debug)]
pub struct StaffMember {
    pub member: Member,
    pub means: Means,
    /// The recovery that waits, if they lost every means.
    pub recovery: Option<Recovery>,
}

/// How an invitation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    Sent,
    /// They have no PIN: it is the second factor of the link.
    NoPin,
    NoAddress,
    /// They have means already; who lost them goes the way of recovery.
    HasMeans,
    NotOffice,
}

/// A link made at the shell.
#[derive(Debug)]
pub struct StaffLink {
    /// The whole address.
    pub url: String,
    pub until: Millis,
    pub needs_pin: bool,
}

/// Why the shell makes no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStaffLink {
    NoPin,
    NotOffice,
}

/// How the roles were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolesSet {
    Done,
    /// Nobody would be left who may change roles.
    LastAdministrator,
    /// They would have no role at all.
    NoRole,
    Changed,
}

/// What stands behind a link to set up one's means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupDoor {
    pub needs_pin: bool,
    /// A recovery code may stand for the PIN.
    pub takes_code: bool,
}

/// How going through it ended.
#[derive(Debug)]
pub enum SetUp {
    /// The session that may set up.
    In(Secret),
    PinMissing,
    PinMalformed,
    Wrong {
        tries_left: i64,
    },
    Locked,
    Over,
}

/// Makes the link and the mail that brings it; older ones end.
pub(crate) async fn setup_link(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    member: &MemberId,
) -> Result<LinkId, StoreError> {
    let association = &who.association;
    setup_links_void(tx, association, member, kit.now).await?;
    let purpose = LinkPurpose::OfficeSetup;
    let link =
        make_link_for(tx, kit, association, member, purpose, None, kit.now.plus_s(SETUP_LINK_S)).await?;
    let job = NewJob {
        lane: Lane::Urgent,
        kind: "office_setup",
        key: format!("office_setup:{link}"),
        body: json!({ "member": member.as_str(), "link": link.as_str() }),
        due: kit.now,
    };
    job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
    let subject = format!("member:{member}");
    note(tx, kit, who, "staff.invite", &subject, json!({ "link": link.as_str() })).await?;
    Ok(link)
}

struct Invite {
    kit: Kit,
    who: Who,
    member: MemberId,
}

impl Command for Invite {
    /// `None`: no such member.
    type Output = Option<Invited>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let member = member_by_id(tx, association, &self.member).await?.filter(|m| m.is_active(kit.now));
        let Some(member) = member else { return Ok(None) };
        let means = means_of(tx, association, &self.member).await?;
        Ok(Some(if !member.is_office() {
            Invited::NotOffice
        } else if !means.is_empty() {
            Invited::HasMeans
        } else if member.pin_hash.is_none() {
            Invited::NoPin
        } else if member.email.is_none() {
            Invited::NoAddress
        } else {
            setup_link(tx, kit, &self.who, &self.member).await?;
            Invited::Sent
        }))
    }
}

struct LinkAtShell {
    kit: Kit,
    who: Who,
    member: Member,
}

impl Command for LinkAtShell {
    type Output = Result<(LinkId, Millis, bool), NoStaffLink>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association, member) = (&self.kit, &self.who.association, &self.member);
        if !member.is_office() {
            return Ok(Err(NoStaffLink::NotOffice));
        }
        let first = means_in_association(tx, association).await? == 0;
        if !first && member.pin_hash.is_none() {
            return Ok(Err(NoStaffLink::NoPin));
        }
        setup_links_void(tx, association, &member.id, kit.now).await?;
        let purpose = if first { LinkPurpose::OfficeFirst } else { LinkPurpose::OfficeSetup };
        let until = kit.now.plus_s(SETUP_LINK_S);
        let link = make_link_for(tx, kit, association, &member.id, purpose, None, until).await?;
        let detail = json!({ "link": link.as_str(), "first": first });
        note(tx, kit, &self.who, "staff.link", &format!("member:{}", member.id), detail).await?;
        Ok(Ok((link, until, !first)))
    }
}

struct SetRoles {
    kit: Kit,
    who: Who,
    member: MemberId,
    revision: i64,
    office: Vec<Role>,
}

impl Command for SetRoles {
    type Output = Option<RolesSet>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let member = member_by_id(tx, association, &self.member).await?.filter(|m| m.is_active(kit.now));
        let Some(member) = member else { return Ok(None) };
        let mut roles: Vec<Role> = member.roles.iter().copied().filter(|r| !r.is_office()).collect();
        roles.extend(self.office.iter().copied().filter(|r| r.is_office()));
        if roles.is_empty() {
            return Ok(Some(RolesSet::NoRole));
        }
        if member.has(Role::Administrator) && !roles.contains(&Role::Administrator) {
            let all = members_with_role(tx, association, Role::Administrator, kit.now).await?;
            if all.iter().all(|id| *id == self.member) {
                return Ok(Some(RolesSet::LastAdministrator));
            }
        }
        if !member_roles_set(tx, association, &self.member, self.revision, &roles).await? {
            return Ok(Some(RolesSet::Changed));
        }
        sessions_end(tx, association, &self.member, kit.now).await?;
        let codes: Vec<&str> = roles.iter().map(|r| r.code()).collect();
        let subject = format!("member:{}", self.member);
        note(tx, kit, &self.who, "member.roles", &subject, json!({ "roles": codes })).await?;
        Ok(Some(RolesSet::Done))
    }
}

/// By which second factor somebody comes through the link.
#[derive(Clone, Debug)]
enum Second {
    Pin(i64),
    Codes(Vec<[u8; 32]>),
    /// Nobody of the office has any means yet.
    First,
}

struct ThroughLink {
    kit: Kit,
    link: Link,
    second: Second,
    access: NewAccess,
}

/// How going through the link ended.
enum Through {
    In,
    CodeWrong,
    Over,
}

impl Command for ThroughLink {
    type Output = Through;

    async fn apply(&self, tx: &mut Conn) -> Result<Through, StoreError> {
        let (kit, association, member) = (&self.kit, &self.link.association, &self.link.member);
        let person = member_by_id(tx, association, member).await?;
        let Some(person) = person.filter(|m| m.is_active(kit.now) && m.is_office()) else {
            return Ok(Through::Over);
        };
        // Wrong PINs sent at the same time may have ended the link while this one was being checked.
        let link = link_by_id(tx, association, &self.link.id).await?;
        let good = link.is_some_and(|l| is_good(kit, &l));
        let recovery = recovery_by_link(tx, association, &self.link.id).await?;
        if !good || recovery.as_ref().is_some_and(|r| r.stopped.is_some()) {
            return Ok(Through::Over);
        }
        let by = match &self.second {
            Second::Pin(version) if pin_stands(kit, &person, *version) => {
                member_pin_right(tx, association, member).await?;
                "link_and_pin"
            }
            Second::Pin(_) => return Ok(Through::Over),
            Second::Codes(hashes) => {
                if !recovery_code_use(tx, association, member, hashes, kit.now).await? {
                    return Ok(Through::CodeWrong);
                }
                "link_and_recovery_code"
            }
            Second::First if means_in_association(tx, association).await? == 0 => "first_link",
            Second::First => return Ok(Through::Over),
        };
        if !link_consume(tx, association, &self.link.id, kit.now).await? {
            return Ok(Through::Over);
        }
        if recovery.is_some() {
            // What was lost may have been found by somebody else.
            means_clear(tx, association, member, kit.now).await?;
            access_end(tx, association, member, kit.now).await?;
        }
        write_access(tx, kit, association, member, &self.access).await?;
        let detail = json!({ "by": by, "recovery": recovery.is_some() });
        note(tx, kit, &Who::member(association, member), "means.setup", &format!("member:{member}"), detail)
            .await?;
        Ok(Through::In)
    }
}

fn is_good(kit: &Kit, link: &Link) -> bool {
    link.voided.is_none()
        && link.consumed.is_none()
        && kit.now < link.expires
        && link.wrong_pins < kit.rules.pin_tries_per_link
}

impl App {
    /// Everybody of the office, in the order in which they came.
    ///
    /// # Errors
    /// The store's.
    pub async fn staff(&self, association: &AssociationId) -> Result<Vec<StaffMember>, AppError> {
        let mut conn = self.db.read().await?;
        let mut ids = std::collections::BTreeSet::new();
        for role in Role::ALL.into_iter().filter(|r| r.is_office()) {
            ids.extend(members_with_role(&mut conn, association, role, self.now()).await?);
        }
        drop(conn);
        let mut staff = Vec::with_capacity(ids.len());
        for id in &ids {
            staff.push(self.staff_member(association, id).await?);
        }
        Ok(staff)
    }

    /// One person, as the office looks at how they sign in.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also when they left; the store's.
    pub async fn staff_member(
        &self,
        association: &AssociationId,
        id: &MemberId,
    ) -> Result<StaffMember, AppError> {
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, association, id).await?.filter(|m| m.is_active(self.now()));
        let member = member.ok_or(AppError::NotFound)?;
        let means = means_of(&mut conn, association, id).await?;
        let recovery = recovery_open(&mut conn, association, id).await?;
        Ok(StaffMember { member, means, recovery })
    }

    /// Who here uses this address: the office looks for whom to give a role.
    ///
    /// # Errors
    /// The store's.
    pub async fn members_at(
        &self,
        association: &AssociationId,
        address: &str,
    ) -> Result<Vec<Member>, AppError> {
        let mut conn = self.db.read().await?;
        let found = members_by_email(&mut conn, association, address).await?;
        Ok(found.into_iter().filter(|m| m.is_active(self.now())).collect())
    }

    /// Mails somebody of the office the link to set up their first means.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn staff_invite(&self, who: &Who, member: &MemberId) -> Result<Invited, AppError> {
        let invite = Invite { kit: self.kit(), who: who.clone(), member: member.clone() };
        self.db.run(invite).await?.ok_or(AppError::NotFound)
    }

    /// Makes the link at the shell, for the first person of an office and where nobody can vouch.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn staff_link(
        &self,
        who: &Who,
        member: &MemberId,
    ) -> Result<Result<StaffLink, NoStaffLink>, AppError> {
        let found = self.staff_member(&who.association, member).await?;
        let at_shell = LinkAtShell { kit: self.kit(), who: who.clone(), member: found.member };
        Ok(self.db.run(at_shell).await?.map(|(link, until, needs_pin)| {
            let token = self.vault.seal.link_token(&link);
            StaffLink { url: format!("{}/k#{}", self.rules.base_url, token.as_str()), until, needs_pin }
        }))
    }

    /// Sets the roles of the office of a person who stands at `revision`; their sessions end. Their other
    /// roles stay.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn office_roles_set(
        &self,
        who: &Who,
        member: &MemberId,
        revision: i64,
        office: Vec<Role>,
    ) -> Result<RolesSet, AppError> {
        let set = SetRoles { kit: self.kit(), who: who.clone(), member: member.clone(), revision, office };
        self.db.run(set).await?.ok_or(AppError::NotFound)
    }

    /// A colleague ends every session of a person and forgets their devices.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn staff_sign_out(&self, who: &Who, member: &MemberId) -> Result<(), AppError> {
        self.staff_member(&who.association, member).await?;
        Ok(self.db.run(EndAll { kit: self.kit(), who: who.clone(), member: member.clone() }).await?)
    }

    /// What stands behind a link about how the office signs in, as things stand.
    pub(crate) async fn office_link_opened(
        &self,
        link: &Link,
        association: Association,
        member: Member,
    ) -> Result<Opened, AppError> {
        let (now, used) = (self.now(), link.consumed.is_some());
        let over = |association, why| Opened::Ended { association, case_no: None, why };
        let live = !used && link.voided.is_none() && now < link.expires;
        if link.purpose == LinkPurpose::RecoveryStop && live {
            return Ok(Opened::StopRecovery { association });
        }
        if link.purpose != LinkPurpose::RecoveryStop {
            if link.wrong_pins >= self.rules.pin_tries_per_link {
                return Ok(over(association, Ended::PinLocked));
            }
            if let Some(door) = self.setup_door(link).await?.filter(|_| member.is_active(now)) {
                return Ok(Opened::Setup { association, member: Box::new(member), door });
            }
        }
        Ok(over(association, if used { Ended::SignInUsed } else { Ended::Expired }))
    }

    /// What stands behind a link to set up means. `None`: it is used, over, or none of these.
    pub(crate) async fn setup_door(&self, link: &Link) -> Result<Option<SetupDoor>, AppError> {
        let mut conn = self.db.read().await?;
        let recovery = recovery_by_link(&mut conn, &link.association, &link.id).await?;
        let first = link.purpose == LinkPurpose::OfficeFirst;
        let none_yet = means_in_association(&mut conn, &link.association).await? == 0;
        let open = is_good(&self.kit(), link)
            && (!first || none_yet)
            && recovery.as_ref().is_none_or(|r| r.stopped.is_none());
        Ok(open.then_some(SetupDoor { needs_pin: !first, takes_code: recovery.is_some() }))
    }

    /// Goes through a link to set up means: with the PIN, or after a recovery with another recovery code.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn setup_enter(&self, token: &str, pin: &str, code: &str) -> Result<SetUp, AppError> {
        let setup = [LinkPurpose::OfficeSetup, LinkPurpose::OfficeFirst];
        let link = self.link_by_token(token).await?.filter(|l| setup.contains(&l.purpose));
        let Some(link) = link else { return Ok(SetUp::Over) };
        if link.wrong_pins >= self.rules.pin_tries_per_link {
            return Ok(SetUp::Locked);
        }
        let Some(door) = self.setup_door(&link).await? else { return Ok(SetUp::Over) };
        let second = if !door.needs_pin {
            Second::First
        } else if door.takes_code && !code.trim().is_empty() {
            Second::Codes(self.vault.seal.recovery_hashes(&link.association, &link.member, code))
        } else {
            match self.setup_pin(&link, pin).await? {
                Ok(version) => Second::Pin(version),
                Err(ended) => return Ok(ended),
            }
        };
        let (access, cookies) = new_access(self, false);
        let access = NewAccess { means: "setup", setup_until: Some(self.now().plus_s(SETUP_S)), ..access };
        let through = ThroughLink { kit: self.kit(), link: link.clone(), second, access };
        Ok(match self.db.run(through).await? {
            Through::In => SetUp::In(cookies.session),
            Through::Over => SetUp::Over,
            Through::CodeWrong => self.setup_wrong(&link).await?,
        })
    }

    async fn setup_wrong(&self, link: &Link) -> Result<SetUp, AppError> {
        let tries_left = self.wrong_pin(link).await?;
        Ok(if tries_left == 0 { SetUp::Locked } else { SetUp::Wrong { tries_left } })
    }

    async fn setup_pin(&self, link: &Link, pin: &str) -> Result<Result<i64, SetUp>, AppError> {
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        drop(conn);
        let Some(member) = member.filter(|m| m.is_active(self.now()) && m.is_office()) else {
            return Ok(Err(SetUp::Over));
        };
        if self.is_locked(link, &member) {
            return Ok(Err(SetUp::Locked));
        }
        let pin = match read_pin(Some(pin)) {
            Ok(pin) => pin,
            Err(crate::app::access::Proven::PinMissing) => return Ok(Err(SetUp::PinMissing)),
            Err(_) => return Ok(Err(SetUp::PinMalformed)),
        };
        match self.pin_check(&link.association, &member, pin).await? {
            PinCheck::Right(version) => Ok(Ok(version)),
            PinCheck::Wrong => Ok(Err(self.setup_wrong(link).await?)),
        }
    }
}
