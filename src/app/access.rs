//! Who proves to be who: links by mail, known devices, PINs, sessions, API keys.

use serde_json::json;

use super::flow::{make_link, raise};
use super::{App, AppError, Kit, Who};
use crate::domain::people::Role;
use crate::domain::people::rights::{Right, may};
use crate::ids::{ApiKeyId, AssociationId, DeviceId, LinkId, MemberId, SessionId};
use crate::seal::{Pin, Secret, token_hash};
use crate::store::access::{
    Link, LinkPurpose, NewSession, api_key_by_secret, device_add, device_by_secret, link_by_code, link_by_id,
    link_by_token, link_consume, link_wrong_pin, links_void, session_add, session_by_secret, session_end,
    session_seen,
};
use crate::store::audit::{Entry, audit_append};
use crate::store::enrolment::{device_used, session_device};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{
    Association, Member, association_by_id, associations, member_by_id, member_pin_failed, member_pin_right,
    members_by_email,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub association: Association,
    pub member: Member,
    pub session: SessionId,
    /// The last proof by passkey, or by password and one-time code; `None`: signed in by PIN.
    pub strong_at: Option<Millis>,
    /// Until when this session may set up the first means of signing in.
    pub setup_until: Option<Millis>,
}

/// How long a strong proof counts for what asks for a fresh one (ASVS 5.0, 7.5.3).
const FRESH_S: i64 = 300;

impl SignedIn {
    #[must_use]
    pub fn who(&self) -> Who {
        Who::member(&self.association.id, &self.member.id)
    }

    /// Whose deed it is: one's own, or in somebody's name.
    #[must_use]
    pub fn who_for(&self, whose: &MemberId) -> Who {
        if self.member.id == *whose {
            self.who()
        } else {
            Who::member_for(&self.association.id, &self.member.id, whose)
        }
    }

    /// Whether one of their roles carries this right, signed in as they are: a role of the office counts only
    /// in a session that was signed in with a passkey, or a password and a one-time code.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        let counts = |role: &Role| !role.is_office() || self.strong_at.is_some();
        self.member.roles.iter().copied().filter(counts).any(|role| may(role, right))
    }

    /// Whether a strong proof was given within the last minutes.
    #[must_use]
    pub fn is_fresh(&self, now: Millis) -> bool {
        self.strong_at.is_some_and(|at| now < at.plus_s(FRESH_S))
    }

    /// Whether this session may set up means of signing in: it came by an invitation just now.
    #[must_use]
    pub fn is_setting_up(&self, now: Millis) -> bool {
        self.setup_until.is_some_and(|until| now < until)
    }

    /// The person has a role of the office that does not count in this session.
    #[must_use]
    pub fn is_office_by_pin(&self) -> bool {
        self.strong_at.is_none() && self.member.is_office()
    }
}

/// A known device and the person who proved it.
#[derive(Clone, Debug)]
pub struct KnownDevice {
    pub association: Association,
    pub member: Member,
    pub device: DeviceId,
}

/// What a caller of the API may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiCaller {
    pub association: AssociationId,
    pub key: ApiKeyId,
    pub scopes: Vec<Scope>,
}

impl ApiCaller {
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// What an API key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read institutions, members, requests without clinical text, offers.
    Read,
    /// Read clinical text; every reading is audited.
    ReadClinical,
    /// Make requests and change them for their asker.
    Request,
    /// Answer offers and report in somebody's name.
    ActFor,
    /// Add institutions and members.
    Directory,
    /// Read the ledger.
    Ledger,
    /// Read the audit feed.
    Audit,
    /// Publish and change the rota, read everybody's counts.
    Rota,
}

impl Scope {
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::ReadClinical,
        Self::Request,
        Self::ActFor,
        Self::Directory,
        Self::Ledger,
        Self::Audit,
        Self::Rota,
    ];

    /// The stable word of the command line and the API.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadClinical => "read_clinical",
            Self::Request => "request",
            Self::ActFor => "act_for",
            Self::Directory => "directory",
            Self::Ledger => "ledger",
            Self::Audit => "audit",
            Self::Rota => "rota",
        }
    }

    /// Reads [`Scope::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }
}

/// What a PIN check said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinCheck {
    /// Right; the version of the PIN it was checked against.
    Right(i64),
    Wrong,
}

/// How a proof by PIN ended.
#[derive(Debug)]
pub enum Proven {
    /// Signed in: the cookies to set.
    SignedIn {
        member: MemberId,
        session: Secret,
        device: Option<Secret>,
    },
    PinMissing,
    PinMalformed,
    PinWrong {
        tries_left: i64,
    },
    /// Too many wrong PINs: the office helps.
    PinLocked,
    /// The link was used, is too old, or does not exist.
    LinkOver,
}

/// A new session and, when wanted, a new known device, to be written by a command.
#[derive(Clone, Debug)]
pub(crate) struct NewAccess {
    pub session: SessionId,
    pub session_hash: [u8; 32],
    pub device: Option<(DeviceId, [u8; 32])>,
    /// The code of the means, for the list of sessions.
    pub means: &'static str,
    /// By passkey, or by password and one-time code.
    pub strong: bool,
    pub setup_until: Option<Millis>,
}

impl NewAccess {
    /// The same, by a strong means.
    pub(crate) fn strongly(self, means: &'static str) -> Self {
        Self { means, strong: true, ..self }
    }
}

/// The cookies that belong to a [`NewAccess`].
#[derive(Debug)]
pub(crate) struct Cookies {
    pub session: Secret,
    pub device: Option<Secret>,
}

pub(crate) fn new_access(app: &App, remember: bool) -> (NewAccess, Cookies) {
    let (now, chance) = (app.now(), app.chance.as_ref());
    let session = Secret::new(chance);
    let device = remember.then(|| Secret::new(chance));
    let access = NewAccess {
        session: SessionId::new(now, chance),
        session_hash: session.hash(),
        device: device.as_ref().map(|secret| (DeviceId::new(now, chance), secret.hash())),
        means: "pin",
        strong: false,
        setup_until: None,
    };
    (access, Cookies { session, device })
}

pub(crate) async fn write_access(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    member: &MemberId,
    access: &NewAccess,
) -> Result<(), StoreError> {
    let ends = kit.now.plus_s(kit.rules.session_max_s);
    let new = NewSession {
        id: &access.session,
        secret_hash: &access.session_hash,
        expires: ends,
        means: access.means,
        strong: access.strong,
        setup_until: access.setup_until,
    };
    session_add(tx, association, member, new, kit.now).await?;
    if let Some((id, hash)) = &access.device {
        let ends = kit.now.plus_s(kit.rules.device_life_s);
        device_add(tx, association, id, member, hash, kit.now, ends).await?;
        session_device(tx, association, &access.session, id.as_str()).await?;
    }
    Ok(())
}

struct SendLinks {
    kit: Kit,
    address: String,
}

impl Command for SendLinks {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let kit = &self.kit;
        for association in associations(tx).await? {
            for member in members_by_email(tx, &association.id, &self.address).await? {
                if !member.is_active(kit.now) {
                    continue;
                }
                let expires = kit.now.plus_s(kit.rules.sign_in_life_s);
                let link = make_link(tx, kit, &association.id, &member.id, None, expires).await?;
                let job = NewJob {
                    lane: Lane::Urgent,
                    kind: "sign_in",
                    key: format!("sign_in:{link}"),
                    body: json!({ "member": member.id.as_str(), "link": link.as_str() }),
                    due: kit.now,
                };
                job_add(tx, &association.id, &job, kit.now, kit.vault.chance.as_ref()).await?;
                let who = Who::member(&association.id, &member.id);
                note(tx, kit, &who, "sign_in.asked", &format!("member:{}", member.id), json!({})).await?;
            }
        }
        Ok(())
    }
}

pub(crate) async fn note(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    action: &str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<i64, StoreError> {
    let entry = Entry {
        at: kit.now,
        actor: &who.actor,
        on_behalf_of: who.on_behalf_of.as_deref(),
        action,
        subject,
        detail,
    };
    audit_append(tx, &who.association, &entry).await
}

/// Counts a wrong PIN on a link and on the person; ends the link at its limit.
struct WrongPin {
    kit: Kit,
    association: AssociationId,
    link: LinkId,
    member: MemberId,
}

impl Command for WrongPin {
    /// Tries left on this link.
    type Output = i64;

    async fn apply(&self, tx: &mut Conn) -> Result<i64, StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let wrong = link_wrong_pin(tx, association, &self.link).await?;
        let in_a_row = member_pin_failed(tx, association, &self.member).await?;
        let who = Who::member(association, &self.member);
        let subject = format!("member:{}", self.member);
        let detail = json!({ "link": self.link.as_str(), "wrong": wrong, "in_a_row": in_a_row });
        note(tx, kit, &who, "pin.wrong", &subject, detail).await?;
        let left = kit.rules.pin_tries_per_link - wrong;
        if left <= 0 || in_a_row >= kit.rules.pin_tries_total {
            if let Some(link) = link_by_id(tx, association, &self.link).await?
                && let Some(request) = &link.request
            {
                links_void(tx, association, request, &self.member, kit.now).await?;
            } else {
                link_consume(tx, association, &self.link, kit.now).await?;
            }
            raise(tx, kit, association, "pin_locked", &subject).await?;
        }
        Ok(left.max(0))
    }
}

/// Whether a PIN that was found right still counts: it is the same one, and not locked meanwhile.
pub(crate) fn pin_stands(kit: &Kit, member: &Member, version: i64) -> bool {
    member.pin_version == version && member.pin_failures < kit.rules.pin_tries_total
}

struct SignInByLink {
    kit: Kit,
    link: Link,
    pin_version: i64,
    access: NewAccess,
}

impl Command for SignInByLink {
    /// `false`: the link was used meanwhile, or the PIN changed.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association, member) = (&self.kit, &self.link.association, &self.link.member);
        let now = member_by_id(tx, association, member).await?.filter(|m| m.is_active(kit.now));
        let same = now.is_some_and(|m| pin_stands(kit, &m, self.pin_version));
        // Wrong PINs sent at the same time may have ended the link while this one was being checked.
        let link = link_by_id(tx, association, &self.link.id).await?;
        let good = link.is_some_and(|l| {
            l.voided.is_none() && kit.now < l.expires && l.wrong_pins < kit.rules.pin_tries_per_link
        });
        if !same || !good || !link_consume(tx, association, &self.link.id, kit.now).await? {
            return Ok(false);
        }
        member_pin_right(tx, association, member).await?;
        write_access(tx, kit, association, member, &self.access).await?;
        let who = Who::member(association, member);
        let detail = json!({ "by": "link_and_pin", "device_remembered": self.access.device.is_some() });
        note(tx, kit, &who, "sign_in.done", &format!("member:{member}"), detail).await?;
        Ok(true)
    }
}

struct SignInByDevice {
    kit: Kit,
    association: AssociationId,
    member: MemberId,
    device: DeviceId,
    pin_version: i64,
    access: NewAccess,
}

impl Command for SignInByDevice {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let now = member_by_id(tx, association, &self.member).await?;
        if !now.is_some_and(|m| m.pin_version == self.pin_version && m.is_active(kit.now)) {
            return Ok(false);
        }
        member_pin_right(tx, association, &self.member).await?;
        write_access(tx, kit, association, &self.member, &self.access).await?;
        session_device(tx, association, &self.access.session, self.device.as_str()).await?;
        device_used(tx, association, &self.device, kit.now).await?;
        let who = Who::member(association, &self.member);
        let detail = json!({ "by": "device_and_pin", "device": self.device.as_str() });
        note(tx, kit, &who, "sign_in.done", &format!("member:{}", self.member), detail).await?;
        Ok(true)
    }
}

struct DeviceWrongPin {
    kit: Kit,
    association: AssociationId,
    member: MemberId,
    device: DeviceId,
}

impl Command for DeviceWrongPin {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let who = Who::member(&self.association, &self.member);
        let detail = json!({ "device": self.device.as_str() });
        note(tx, &self.kit, &who, "pin.wrong", &format!("member:{}", self.member), detail).await.map(drop)
    }
}

struct Seen {
    association: AssociationId,
    session: SessionId,
    now: Millis,
}

impl Command for Seen {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        session_seen(tx, &self.association, &self.session, self.now).await
    }
}

struct SignOut {
    kit: Kit,
    who: Who,
    hash: [u8; 32],
}

impl Command for SignOut {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        session_end(tx, &self.hash, self.kit.now).await?;
        let subject = self.who.actor.clone();
        note(tx, &self.kit, &self.who, "sign_in.ended", &subject, json!({})).await.map(drop)
    }
}

/// A session is marked as seen at most this often.
const SEEN_EVERY_MS: i64 = 60_000;

impl App {
    /// Sends a link to everybody who uses this address. The answer is the same whether there is anybody.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_in_links(&self, address: &str) -> Result<(), AppError> {
        Ok(self.db.run(SendLinks { kit: self.kit(), address: address.to_owned() }).await?)
    }

    /// The link behind a token from a mail.
    ///
    /// # Errors
    /// The store's.
    pub async fn link_by_token(&self, token: &str) -> Result<Option<Link>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(link_by_token(&mut conn, &token_hash(token)).await?)
    }

    /// The token behind a typed code, for the form that carries it on. `None`: no such code.
    ///
    /// # Errors
    /// The store's.
    pub async fn token_by_code(&self, typed: &str) -> Result<Option<Secret>, AppError> {
        let mut conn = self.db.read().await?;
        for hash in self.vault.seal.code_hashes(typed) {
            if let Some(link) = link_by_code(&mut conn, &hash).await? {
                return Ok(self.vault.seal.link_again(&link.id, &link.token_hash).map(|(token, _)| token));
            }
        }
        Ok(None)
    }

    /// Checks a PIN. Slow on purpose; at most [`super::PIN_WORKERS`] at the same time.
    ///
    /// # Errors
    /// [`AppError::Busy`] when too many are waiting; the store's.
    pub(crate) async fn pin_check(
        &self,
        association: &AssociationId,
        member: &Member,
        pin: Pin,
    ) -> Result<PinCheck, AppError> {
        let _place = self.waiting.try_acquire().map_err(|_| AppError::Busy)?;
        let _worker = self.pins.acquire().await.map_err(|_| AppError::Busy)?;
        let seal = self.vault.seal.clone();
        let (association, id) = (association.clone(), member.id.clone());
        let stored = member.pin_hash.clone().unwrap_or_default();
        let right = tokio::task::spawn_blocking(move || seal.pin_matches(&association, &id, &pin, &stored))
            .await
            .map_err(|_| AppError::Busy)?;
        Ok(if right { PinCheck::Right(member.pin_version) } else { PinCheck::Wrong })
    }

    /// Counts a wrong PIN typed behind a link; the tries left.
    pub(crate) async fn wrong_pin(&self, link: &Link) -> Result<i64, AppError> {
        let wrong = WrongPin {
            kit: self.kit(),
            association: link.association.clone(),
            link: link.id.clone(),
            member: link.member.clone(),
        };
        Ok(self.db.run(wrong).await?)
    }

    /// Whether this person's PIN is closed for links; the registered phone and known devices stay open.
    pub(crate) fn is_locked(&self, link: &Link, member: &Member) -> bool {
        link.wrong_pins >= self.rules.pin_tries_per_link || member.pin_failures >= self.rules.pin_tries_total
    }

    /// Signs in by a fresh link and the PIN: two factors.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn sign_in_by_link(
        &self,
        token: &str,
        pin: Option<&str>,
        remember: bool,
    ) -> Result<Proven, AppError> {
        let Some(link) = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::SignIn) else {
            return Ok(Proven::LinkOver);
        };
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        drop(conn);
        let Some(member) = member.filter(|m| m.is_active(self.now())) else {
            return Ok(Proven::LinkOver);
        };
        if self.is_locked(&link, &member) {
            return Ok(Proven::PinLocked);
        }
        if link.consumed.is_some() || link.voided.is_some() || self.now() >= link.expires {
            return Ok(Proven::LinkOver);
        }
        let pin = match read_pin(pin) {
            Ok(pin) => pin,
            Err(proven) => return Ok(proven),
        };
        match self.pin_check(&link.association, &member, pin).await? {
            PinCheck::Wrong => {
                let tries_left = self.wrong_pin(&link).await?;
                Ok(if tries_left == 0 { Proven::PinLocked } else { Proven::PinWrong { tries_left } })
            }
            PinCheck::Right(pin_version) => {
                let (access, cookies) = new_access(self, remember);
                let member = link.member.clone();
                let done = self.db.run(SignInByLink { kit: self.kit(), link, pin_version, access }).await?;
                Ok(if done {
                    Proven::SignedIn { member, session: cookies.session, device: cookies.device }
                } else {
                    Proven::LinkOver
                })
            }
        }
    }

    /// Signs in by a known device and the PIN: two factors.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn sign_in_by_device(&self, device: &str, pin: Option<&str>) -> Result<Proven, AppError> {
        let Some(known) = self.known_device(device).await? else {
            return Ok(Proven::LinkOver);
        };
        let pin = match read_pin(pin) {
            Ok(pin) => pin,
            Err(proven) => return Ok(proven),
        };
        match self.pin_check(&known.association.id, &known.member, pin).await? {
            PinCheck::Wrong => {
                let wrong = DeviceWrongPin {
                    kit: self.kit(),
                    association: known.association.id,
                    member: known.member.id,
                    device: known.device,
                };
                self.db.run(wrong).await?;
                // Never locked by failures here: the device is a factor of its own, and guessing is slowed
                // down by the caller's rate limit.
                Ok(Proven::PinWrong { tries_left: self.rules.pin_tries_per_link })
            }
            PinCheck::Right(pin_version) => {
                let (access, cookies) = new_access(self, false);
                let member = known.member.id.clone();
                let command = SignInByDevice {
                    kit: self.kit(),
                    association: known.association.id,
                    member: known.member.id,
                    device: known.device,
                    pin_version,
                    access,
                };
                Ok(if self.db.run(command).await? {
                    Proven::SignedIn { member, session: cookies.session, device: None }
                } else {
                    Proven::LinkOver
                })
            }
        }
    }

    /// The person behind a session cookie; the idle time starts anew.
    ///
    /// # Errors
    /// The store's.
    pub async fn session(&self, secret: &str) -> Result<Option<SignedIn>, AppError> {
        let now = self.now();
        let idle_since = now.plus_s(-self.rules.session_idle_s);
        let mut conn = self.db.read().await?;
        let found = session_by_secret(&mut conn, &token_hash(secret), now, idle_since).await?;
        let Some(found) = found else {
            return Ok(None);
        };
        let (association, session) = (found.association, found.id);
        let home = association_by_id(&mut conn, &association).await?;
        let member = member_by_id(&mut conn, &association, &found.member).await?.filter(|m| m.is_active(now));
        drop(conn);
        let (Some(home), Some(member)) = (home, member) else {
            return Ok(None);
        };
        if now.since_ms(found.seen) >= SEEN_EVERY_MS {
            self.db.run(Seen { association, session: session.clone(), now }).await?;
        }
        let (strong_at, setup_until) = (found.strong_at, found.setup_until);
        Ok(Some(SignedIn { association: home, member, session, strong_at, setup_until }))
    }

    /// Whose known device a cookie is.
    ///
    /// # Errors
    /// The store's.
    pub async fn known_device(&self, secret: &str) -> Result<Option<KnownDevice>, AppError> {
        let now = self.now();
        let mut conn = self.db.read().await?;
        let Some((association, member, device)) =
            device_by_secret(&mut conn, &token_hash(secret), now).await?
        else {
            return Ok(None);
        };
        let home = association_by_id(&mut conn, &association).await?;
        let member = member_by_id(&mut conn, &association, &member).await?.filter(|m| m.is_active(now));
        Ok(home.zip(member).map(|(association, member)| KnownDevice { association, member, device }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out(&self, who: &Who, secret: &str) -> Result<(), AppError> {
        let out = SignOut { kit: self.kit(), who: who.clone(), hash: token_hash(secret) };
        Ok(self.db.run(out).await?)
    }

    /// The caller behind an API key.
    ///
    /// # Errors
    /// The store's.
    pub async fn api_caller(&self, secret: &str) -> Result<Option<ApiCaller>, AppError> {
        let mut conn = self.db.read().await?;
        let found = api_key_by_secret(&mut conn, &token_hash(secret)).await?;
        Ok(found.map(|(association, key, scopes)| ApiCaller {
            association,
            key,
            scopes: scopes.split(' ').filter_map(Scope::from_code).collect(),
        }))
    }
}

pub(crate) fn read_pin(pin: Option<&str>) -> Result<Pin, Proven> {
    match pin.map(str::trim) {
        None | Some("") => Err(Proven::PinMissing),
        Some(typed) => Pin::parse(typed).map_err(|_| Proven::PinMalformed),
    }
}
