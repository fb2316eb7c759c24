//! A person's own means of signing in: adding, changing, removing. Needs a proof of the last minutes, or a
//! session that came by an invitation; the last means cannot be removed.

use serde_json::json;

use super::Challenge;
use super::throttle::forgive_address;
use crate::app::access::{NewAccess, SignedIn, new_access, note, write_access};
use crate::app::{App, AppError, Kit, Who};
use crate::domain::people::password::{PasswordWrong, password_wrong};
use crate::ids::{AssociationId, MemberId, PasskeyId};
use crate::seal::passkey::Registered;
use crate::seal::totp::TotpSecret;
use crate::seal::{Password, Secret};
use crate::store::access::{session_end_one, sessions_end, sessions_end_others};
use crate::store::credentials::{
    PasskeyRow, PasswordRow, passkey_add, passkey_by_credential, passkey_revoke, passkeys_of_member,
    password_of_member, password_pending, password_remove, password_set, recovery_codes_left,
    recovery_codes_put, setup_links_void, totp_confirm,
};
use crate::store::people::email_key;
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

/// Recovery codes on one sheet.
const CODES: usize = 10;
/// Passkeys of one person.
const PASSKEYS_MAX: usize = 10;
/// A new secret for one-time codes waits this long for its first code.
const PENDING_S: i64 = 1_800;
/// Characters of what a passkey is called.
const LABEL_MAX_CHARS: usize = 40;

/// What somebody can sign in with.
#[derive(Clone, Debug)]
pub struct Means {
    pub passkeys: Vec<PasskeyRow>,
    /// A password with one-time codes.
    pub password: bool,
    /// Recovery codes not yet used.
    pub codes_left: i64,
}

impl Means {
    /// There is more than one, so that one can be taken away.
    #[must_use]
    pub fn several(&self) -> bool {
        self.passkeys.len() + usize::from(self.password) > 1
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.passkeys.is_empty() && !self.password
    }
}

/// What came of adding a means.
#[derive(Debug)]
pub enum Enrolled {
    Done {
        /// The new session, where the old one only served to set up.
        session: Option<Secret>,
        /// The recovery codes, where these are the first means: shown this once.
        codes: Option<Vec<String>>,
    },
    /// The authenticator's answer proves nothing, or comes too late.
    Refused,
    /// The one-time code does not fit.
    CodeWrong,
    /// Nothing waits for a code any more.
    TooLate,
    Password(PasswordWrong),
}

/// The change itself.
#[derive(Clone, Debug)]
enum Change {
    Passkey { row: PasskeyRow, registered: Registered },
    Password { hash: Option<String>, confirm: Option<(Vec<u8>, i64)> },
}

struct Enrol {
    kit: Kit,
    person: SignedIn,
    change: Change,
    /// The session that takes the place of one that only served to set up.
    access: Option<NewAccess>,
    codes: Vec<[u8; 32]>,
}

/// What a command made of it.
enum Written {
    /// Whether the recovery codes were written.
    Done {
        codes: bool,
    },
    Refused,
}

/// What somebody can sign in with.
pub(super) async fn means_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Means, StoreError> {
    Ok(Means {
        passkeys: passkeys_of_member(conn, association, member).await?,
        password: password_of_member(conn, association, member).await?.is_some_and(|p| p.is_complete()),
        codes_left: recovery_codes_left(conn, association, member).await?,
    })
}

impl Enrol {
    async fn change(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association, member) = (&self.kit, &self.person.association.id, &self.person.member.id);
        match &self.change {
            Change::Passkey { row, registered } => {
                let there = passkeys_of_member(tx, association, member).await?.len();
                let known = passkey_by_credential(tx, &registered.credential_hash).await?.is_some();
                if there >= PASSKEYS_MAX || known {
                    return Ok(false);
                }
                passkey_add(tx, row, &registered.credential_hash).await?;
            }
            Change::Password { hash, confirm } => {
                if let Some((pending, step)) = confirm
                    && !totp_confirm(tx, association, member, pending, *step).await?
                {
                    return Ok(false);
                }
                if let Some(hash) = hash
                    && !password_set(tx, association, member, hash, kit.now).await?
                {
                    return Ok(false);
                }
                // Whoever knew the old password keeps nothing.
                sessions_end_others(tx, association, member, &self.person.session, kit.now).await?;
            }
        }
        Ok(true)
    }
}

impl Command for Enrol {
    type Output = Written;

    async fn apply(&self, tx: &mut Conn) -> Result<Written, StoreError> {
        let (kit, association, member) = (&self.kit, &self.person.association.id, &self.person.member.id);
        // An invitation is used up by the first means; a second answer to it comes too late.
        if self.access.is_some()
            && !session_end_one(tx, association, member, &self.person.session, kit.now).await?
        {
            return Ok(Written::Refused);
        }
        if !self.change(tx).await? {
            return Err(StoreError::Stale { table: "sign_in_password", id: member.to_string() });
        }
        if let Some(access) = &self.access {
            sessions_end(tx, association, member, kit.now).await?;
            setup_links_void(tx, association, member, kit.now).await?;
            write_access(tx, kit, association, member, access).await?;
            if let Some(address) = &self.person.member.email {
                forgive_address(tx, kit, &email_key(address)).await?;
            }
        }
        let codes = recovery_codes_left(tx, association, member).await? == 0;
        if codes {
            recovery_codes_put(tx, association, member, &self.codes).await?;
        }
        let what = match &self.change {
            Change::Passkey { .. } => "passkey",
            Change::Password { hash: Some(_), .. } => "password",
            Change::Password { hash: None, .. } => "one_time_codes",
        };
        let detail = json!({ "what": what, "first": self.access.is_some(), "recovery_codes": codes });
        note(tx, kit, &self.person.who(), "means.add", &format!("member:{member}"), detail).await?;
        Ok(Written::Done { codes })
    }
}

struct Begin {
    kit: Kit,
    person: SignedIn,
    letters: zeroize::Zeroizing<String>,
}

/// The place a secret of one-time codes is sealed for, while it waits and afterwards.
const fn totp_place(member: &str) -> Sealed<'_> {
    Sealed { table: "sign_in_password", column: "totp", row: member }
}

impl Command for Begin {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (association, member) = (&self.person.association.id, &self.person.member.id);
        let place = totp_place(member.as_str());
        let sealed = self.kit.vault.seal_lasting(tx, association, place, &self.letters).await?;
        password_pending(tx, association, member, sealed, self.kit.now).await
    }
}

enum Take {
    Passkey(PasskeyId),
    Password,
}

struct Remove {
    kit: Kit,
    who: Who,
    member: MemberId,
    /// Their own doing keeps this session and needs another means to remain; `None`: a colleague's.
    own: Option<crate::ids::SessionId>,
    what: Take,
}

/// How removing a means ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    Done,
    /// It is the last one.
    Last,
    NotThere,
}

impl Command for Remove {
    type Output = Removed;

    async fn apply(&self, tx: &mut Conn) -> Result<Removed, StoreError> {
        let (association, member, now) = (&self.who.association, &self.member, self.kit.now);
        if self.own.is_some() && !means_of(tx, association, member).await?.several() {
            return Ok(Removed::Last);
        }
        let (done, what) = match &self.what {
            Take::Passkey(id) => (passkey_revoke(tx, association, member, id, now).await?, "passkey"),
            Take::Password => (password_remove(tx, association, member).await?, "password"),
        };
        if !done {
            return Ok(Removed::NotThere);
        }
        match &self.own {
            Some(session) => sessions_end_others(tx, association, member, session, now).await?,
            None => sessions_end(tx, association, member, now).await?,
        };
        let subject = format!("member:{member}");
        note(tx, &self.kit, &self.who, "means.remove", &subject, json!({ "what": what })).await?;
        Ok(Removed::Done)
    }
}

struct PutCodes {
    kit: Kit,
    person: SignedIn,
    codes: Vec<[u8; 32]>,
}

impl Command for PutCodes {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (association, member) = (&self.person.association.id, &self.person.member.id);
        recovery_codes_put(tx, association, member, &self.codes).await?;
        let subject = format!("member:{member}");
        note(tx, &self.kit, &self.person.who(), "means.recovery_codes", &subject, json!({})).await.map(drop)
    }
}

impl App {
    /// What somebody can sign in with.
    ///
    /// # Errors
    /// The store's.
    pub async fn means(&self, association: &AssociationId, member: &MemberId) -> Result<Means, AppError> {
        let mut conn = self.db.read().await?;
        Ok(means_of(&mut conn, association, member).await?)
    }

    fn may_enrol(&self, person: &SignedIn) -> Result<(), AppError> {
        let may = person.is_fresh(self.now()) || person.is_setting_up(self.now());
        if may { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// A new sheet of recovery codes, and what is stored of it.
    fn new_codes(&self, person: &SignedIn) -> (Vec<String>, Vec<[u8; 32]>) {
        let seal = &self.vault.seal;
        let codes: Vec<String> =
            std::iter::repeat_with(|| seal.recovery_code(self.chance.as_ref())).take(CODES).collect();
        let hash = |code: &String| {
            seal.recovery_hashes(&person.association.id, &person.member.id, code).into_iter().next()
        };
        let hashes = codes.iter().filter_map(hash).collect();
        (codes, hashes)
    }

    async fn enrol(
        &self,
        person: &SignedIn,
        change: Change,
        means: &'static str,
    ) -> Result<Enrolled, AppError> {
        let setting_up = !person.is_fresh(self.now());
        let (access, cookies) = new_access(self, false);
        let (codes, hashes) = self.new_codes(person);
        let enrol = Enrol {
            kit: self.kit(),
            person: person.clone(),
            change,
            access: setting_up.then(|| access.strongly(means)),
            codes: hashes,
        };
        match self.db.run(enrol).await {
            Ok(Written::Done { codes: written }) => Ok(Enrolled::Done {
                session: setting_up.then_some(cookies.session),
                codes: written.then_some(codes),
            }),
            Ok(Written::Refused) | Err(StoreError::Stale { .. }) => Ok(Enrolled::Refused),
            Err(e) => Err(e.into()),
        }
    }

    /// Asks the browser for a new passkey.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there are no passkeys, or without a fresh proof; the store's.
    pub async fn passkey_begin(&self, person: &SignedIn) -> Result<Challenge, AppError> {
        self.may_enrol(person)?;
        let there = self.means(&person.association.id, &person.member.id).await?.passkeys;
        let bodies: Vec<&str> = there.iter().map(|key| key.body.as_str()).collect();
        let question = self
            .passkeys()
            .and_then(|site| site.ask_new(&person.member.id, &person.member.name, &bodies))
            .ok_or(AppError::NotFound)?;
        self.remember(Some(&person.member.id), question).await
    }

    /// Registers the passkey that answered. `label` is what its owner calls it.
    ///
    /// # Errors
    /// As [`App::passkey_begin`].
    pub async fn passkey_add(
        &self,
        person: &SignedIn,
        id: &str,
        answer: &str,
        label: &str,
    ) -> Result<Enrolled, AppError> {
        self.may_enrol(person)?;
        let Some(state) = self.recall(id, Some(&person.member.id)).await? else {
            return Ok(Enrolled::Refused);
        };
        let site = self.passkeys().ok_or(AppError::NotFound)?;
        let Some(registered) = site.register(answer, &state) else {
            return Ok(Enrolled::Refused);
        };
        let label = label.trim().chars().filter(|c| !c.is_control()).take(LABEL_MAX_CHARS).collect();
        let row = PasskeyRow {
            association: person.association.id.clone(),
            id: PasskeyId::new(self.now(), self.chance.as_ref()),
            member: person.member.id.clone(),
            label,
            body: registered.body.clone(),
            created: self.now(),
            used: None,
        };
        self.enrol(person, Change::Passkey { row, registered }, "passkey").await
    }

    /// Makes a new secret for one-time codes; it counts once its first code was typed.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without a fresh proof; the store's.
    pub async fn totp_begin(&self, person: &SignedIn) -> Result<(), AppError> {
        self.may_enrol(person)?;
        let letters = TotpSecret::new(self.chance.as_ref()).letters();
        Ok(self.db.run(Begin { kit: self.kit(), person: person.clone(), letters }).await?)
    }

    async fn totp_waiting(&self, person: &SignedIn) -> Result<Option<(Vec<u8>, TotpSecret)>, AppError> {
        let (association, member) = (&person.association.id, &person.member.id);
        let mut conn = self.db.read().await?;
        let Some(row) = password_of_member(&mut conn, association, member).await? else {
            return Ok(None);
        };
        let young = row.pending_at.is_some_and(|at| self.now() < at.plus_s(PENDING_S));
        let Some(sealed) = row.pending.filter(|_| young) else { return Ok(None) };
        let letters = self.vault.open(&mut conn, association, totp_place(member.as_str()), &sealed).await?;
        Ok(TotpSecret::from_letters(&letters).map(|secret| (sealed, secret)))
    }

    /// The secret that waits for its first code, in letters. `None`: there is none.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without a fresh proof; the store's.
    pub async fn totp_letters(
        &self,
        person: &SignedIn,
    ) -> Result<Option<zeroize::Zeroizing<String>>, AppError> {
        self.may_enrol(person)?;
        Ok(self.totp_waiting(person).await?.map(|(_, secret)| secret.letters()))
    }

    /// Sets the password, and confirms the secret that waits by its first code. Where nothing waits, the
    /// password alone is changed; where there is a password, an empty one leaves it as it is.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without a fresh proof; the store's; [`AppError::Busy`].
    pub async fn password_put(
        &self,
        person: &SignedIn,
        password: &str,
        code: &str,
    ) -> Result<Enrolled, AppError> {
        self.may_enrol(person)?;
        let (association, member) = (&person.association, &person.member);
        let mut conn = self.db.read().await?;
        let row = password_of_member(&mut conn, &association.id, &member.id).await?;
        drop(conn);
        let there = row.as_ref().is_some_and(PasswordRow::is_complete);
        let waiting = self.totp_waiting(person).await?;
        if waiting.is_none() && !there {
            return Ok(Enrolled::TooLate);
        }
        let keeps = password.is_empty() && there && waiting.is_some();
        let typed = Password::typed(password);
        if !keeps {
            let email = member.email.as_deref().unwrap_or_default();
            let around = [&association.name, &association.code, &member.name, &member.kana, email];
            let wrong =
                typed.as_ref().map_or(Some(PasswordWrong::TooLong), |p| password_wrong(p.expose(), &around));
            if let Some(wrong) = wrong {
                return Ok(Enrolled::Password(wrong));
            }
        }
        let confirm = match waiting {
            None => None,
            Some((sealed, secret)) => match secret.step_of(code, self.now(), 0) {
                Some(step) => Some((sealed, step)),
                None => return Ok(Enrolled::CodeWrong),
            },
        };
        let hash = match typed.filter(|_| !keeps) {
            Some(password) => Some(self.password_hash(&association.id, &member.id, password).await?),
            None => None,
        };
        self.enrol(person, Change::Password { hash, confirm }, "password").await
    }

    async fn password_hash(
        &self,
        association: &AssociationId,
        member: &MemberId,
        password: Password,
    ) -> Result<String, AppError> {
        let _place = self.waiting.try_acquire().map_err(|_| AppError::Busy)?;
        let _worker = self.pins.acquire().await.map_err(|_| AppError::Busy)?;
        let (seal, chance) = (self.vault.seal.clone(), self.chance.clone());
        let (association, member) = (association.clone(), member.clone());
        let hash = tokio::task::spawn_blocking(move || {
            seal.password_hash(&association, &member, &password, chance.as_ref())
        });
        Ok(hash.await.map_err(|_| AppError::Busy)?.map_err(StoreError::from)?)
    }

    async fn means_remove(&self, person: &SignedIn, what: Take) -> Result<Removed, AppError> {
        if !person.is_fresh(self.now()) {
            return Err(AppError::NotFound);
        }
        let (who, member) = (person.who(), person.member.id.clone());
        let own = Some(person.session.clone());
        Ok(self.db.run(Remove { kit: self.kit(), who, member, own, what }).await?)
    }

    /// Takes one of the person's own passkeys away.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without a fresh proof; the store's.
    pub async fn passkey_remove(&self, person: &SignedIn, id: &PasskeyId) -> Result<Removed, AppError> {
        self.means_remove(person, Take::Passkey(id.clone())).await
    }

    /// Takes the person's own password and one-time codes away.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without a fresh proof; the store's.
    pub async fn password_remove(&self, person: &SignedIn) -> Result<Removed, AppError> {
        self.means_remove(person, Take::Password).await
    }

    /// A colleague takes somebody's passkey away, because it was lost; their sessions end.
    ///
    /// # Errors
    /// The store's.
    pub async fn passkey_revoke(
        &self,
        who: &Who,
        member: &MemberId,
        id: &PasskeyId,
    ) -> Result<Removed, AppError> {
        let (who, member, what) = (who.clone(), member.clone(), Take::Passkey(id.clone()));
        Ok(self.db.run(Remove { kit: self.kit(), who, member, own: None, what }).await?)
    }

    /// Makes new recovery codes; the old ones no longer count. They are shown this once.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without a fresh proof; the store's.
    pub async fn recovery_codes_new(&self, person: &SignedIn) -> Result<Vec<String>, AppError> {
        if !person.is_fresh(self.now()) {
            return Err(AppError::NotFound);
        }
        let (codes, hashes) = self.new_codes(person);
        self.db.run(PutCodes { kit: self.kit(), person: person.clone(), codes: hashes }).await?;
        Ok(codes)
    }
}
