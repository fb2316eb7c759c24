//! Signing in of the office: by passkey, or by password and one-time code. How the means come about is
//! `enrol` and `staff`; what happens when they are lost, `recovery`.

pub mod enrol;
pub mod recovery;
pub mod sessions;
pub mod staff;
mod throttle;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::{NewAccess, SignedIn, new_access, note, write_access};
use super::{App, AppError, Kit, Who};
use crate::ids::{AssociationId, MemberId, SessionId};
use crate::seal::passkey::Passkeys;
use crate::seal::totp::TotpSecret;
use crate::seal::{Password, Secret, token_hash};
use crate::store::access::session_proved;
use crate::store::credentials::{
    PasskeyRow, PasswordRow, challenge_add, challenge_take, passkey_by_credential, passkey_used,
    password_of_member, totp_take,
};
use crate::store::people::{Member, associations, email_key, member_by_id, members_by_email};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use throttle::{Account, Charged, forgive, forgive_address};

pub use throttle::CEILING;

/// A question to an authenticator lives this long.
const CHALLENGE_S: i64 = 300;
/// People who share one address and may sign in with it; a shared mailbox of an office has no more.
const SHARED_ADDRESS_MAX: usize = 5;

/// What was typed to sign in.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub address: &'a str,
    pub password: &'a str,
    pub code: &'a str,
    /// The client's address.
    pub client: &'a str,
    /// The secret of the known device, if the browser brought one.
    pub device: Option<&'a str>,
    /// Know this device from now on.
    pub remember: bool,
}

impl std::fmt::Debug for Typed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(***)")
    }
}

/// How signing in ended.
#[derive(Debug)]
pub enum Entry {
    /// The cookies to set.
    SignedIn { session: Secret, device: Option<Secret> },
    /// Something does not fit; what, is said to nobody.
    Refused,
    /// Too many tries from devices that are not known: again after this many seconds.
    Wait { seconds: u32 },
    /// Too many failures in a row: only a passkey or recovery helps.
    Ceiling,
}

/// A question for the browser's authenticator.
#[derive(Debug)]
pub struct Challenge {
    /// Comes back with the answer.
    pub id: Secret,
    /// The options as JSON.
    pub options: String,
}

/// What is remembered of a question.
#[derive(Serialize, Deserialize)]
struct Asked {
    /// Whose new passkey it is about; empty when signing in.
    #[serde(default)]
    member: String,
    state: String,
}

struct Remember {
    hash: [u8; 32],
    state: String,
    expires: crate::time::Millis,
}

impl Command for Remember {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        challenge_add(tx, &self.hash, &self.state, self.expires).await
    }
}

struct Recall {
    hash: [u8; 32],
    now: crate::time::Millis,
}

impl Command for Recall {
    type Output = Option<String>;

    async fn apply(&self, tx: &mut Conn) -> Result<Option<String>, StoreError> {
        challenge_take(tx, &self.hash, self.now).await
    }
}

/// A code of the right step for the right password.
#[derive(Clone, Debug)]
struct Right {
    association: AssociationId,
    member: Member,
    hash: String,
    step: i64,
}

/// What a proof is for.
#[derive(Clone, Debug)]
enum For {
    Entering(Box<NewAccess>),
    /// The session proves again.
    Again(SessionId),
}

async fn let_in(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    member: &MemberId,
    what_for: &For,
    by: &str,
) -> Result<bool, StoreError> {
    let who = Who::member(association, member);
    let subject = format!("member:{member}");
    match what_for {
        For::Entering(access) => {
            write_access(tx, kit, association, member, access).await?;
            let detail = json!({ "by": by, "device_remembered": access.device.is_some() });
            note(tx, kit, &who, "sign_in.done", &subject, detail).await?;
        }
        For::Again(session) => {
            if !session_proved(tx, association, member, session, kit.now).await? {
                return Ok(false);
            }
            note(tx, kit, &who, "sign_in.again", &subject, json!({ "by": by })).await?;
        }
    }
    Ok(true)
}

struct ByPassword {
    kit: Kit,
    account: Account,
    right: Right,
    what_for: For,
}

impl Command for ByPassword {
    /// `false`: the code was used meanwhile, the password changed, or the person left.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, Right { association, member, hash, step }) = (&self.kit, &self.right);
        let active = member_by_id(tx, association, &member.id).await?.is_some_and(|m| m.is_active(kit.now));
        if !active || !totp_take(tx, association, &member.id, *step, hash).await? {
            return Ok(false);
        }
        forgive(tx, &self.account).await?;
        let_in(tx, kit, association, &member.id, &self.what_for, "password_and_code").await
    }
}

struct ByPasskey {
    kit: Kit,
    passkey: PasskeyRow,
    body: String,
    what_for: For,
}

impl Command for ByPasskey {
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, key) = (&self.kit, &self.passkey);
        let member = member_by_id(tx, &key.association, &key.member).await?;
        let Some(member) = member.filter(|m| m.is_active(kit.now)) else {
            return Ok(false);
        };
        if !passkey_used(tx, key, &self.body, kit.now).await? {
            return Ok(false);
        }
        if let Some(address) = &member.email {
            forgive_address(tx, kit, &email_key(address)).await?;
        }
        let_in(tx, kit, &key.association, &key.member, &self.what_for, "passkey").await
    }
}

/// Somebody tried in vain. Written only where there is such a person: the audit belongs to an association.
struct Failed {
    kit: Kit,
    whose: Vec<(AssociationId, MemberId)>,
}

impl Command for Failed {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        for (association, member) in &self.whose {
            let who = Who::member(association, member);
            let subject = format!("member:{member}");
            note(tx, &self.kit, &who, "sign_in.refused", &subject, json!({ "by": "password_and_code" }))
                .await?;
        }
        Ok(())
    }
}

impl App {
    /// Passkeys of this installation; `None` where its address has no name to bind them to.
    pub(crate) fn passkeys(&self) -> Option<Passkeys> {
        Passkeys::at(&self.rules.base_url)
    }

    /// Whether passkeys can be used here at all.
    #[must_use]
    pub fn has_passkeys(&self) -> bool {
        self.passkeys().is_some()
    }

    async fn remember(
        &self,
        member: Option<&MemberId>,
        question: crate::seal::passkey::Question,
    ) -> Result<Challenge, AppError> {
        let id = Secret::new(self.chance.as_ref());
        let asked = Asked {
            member: member.map(|m| m.as_str().to_owned()).unwrap_or_default(),
            state: question.state,
        };
        let state =
            serde_json::to_string(&asked).map_err(|e| StoreError::corrupt("passkey_challenge", "", e))?;
        let expires = self.now().plus_s(CHALLENGE_S);
        self.db.run(Remember { hash: id.hash(), state, expires }).await?;
        Ok(Challenge { id, options: question.options })
    }

    /// The state of a question, which is used up by this. `None`: there is none for this member.
    async fn recall(&self, id: &str, member: Option<&MemberId>) -> Result<Option<String>, AppError> {
        let state = self.db.run(Recall { hash: token_hash(id), now: self.now() }).await?;
        let asked = state.and_then(|text| serde_json::from_str::<Asked>(&text).ok());
        let whose = member.map_or("", MemberId::as_str);
        Ok(asked.filter(|a| a.member == whose).map(|a| a.state))
    }

    /// Asks for a passkey of anybody: the question is the same for everyone.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there are no passkeys; the store's.
    pub async fn passkey_challenge(&self) -> Result<Challenge, AppError> {
        let question = self.passkeys().and_then(|site| site.ask()).ok_or(AppError::NotFound)?;
        self.remember(None, question).await
    }

    /// The passkey that answered, with its new counter; `None`: the answer proves nothing.
    async fn passkey_answer(&self, id: &str, answer: &str) -> Result<Option<(PasskeyRow, String)>, AppError> {
        let Some(state) = self.recall(id, None).await? else { return Ok(None) };
        let (Some(site), Some(claimed)) = (self.passkeys(), Passkeys::claimed(answer)) else {
            return Ok(None);
        };
        let mut conn = self.db.read().await?;
        let Some(key) = passkey_by_credential(&mut conn, &claimed).await? else { return Ok(None) };
        drop(conn);
        let body = site.check(answer, &state, &key.body, &key.member);
        Ok(body.map(|body| (key, body)))
    }

    /// Signs in with a passkey.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_in_by_passkey(
        &self,
        id: &str,
        answer: &str,
        remember: bool,
    ) -> Result<Entry, AppError> {
        let Some((passkey, body)) = self.passkey_answer(id, answer).await? else {
            return Ok(Entry::Refused);
        };
        let (access, cookies) = new_access(self, remember);
        let what_for = For::Entering(Box::new(access.strongly("passkey")));
        let done = self.db.run(ByPasskey { kit: self.kit(), passkey, body, what_for }).await?;
        Ok(if done {
            Entry::SignedIn { session: cookies.session, device: cookies.device }
        } else {
            Entry::Refused
        })
    }

    /// Proves again with a passkey of the same person. `false`: it proves nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn prove_by_passkey(
        &self,
        person: &SignedIn,
        id: &str,
        answer: &str,
    ) -> Result<bool, AppError> {
        let Some((passkey, body)) = self.passkey_answer(id, answer).await? else { return Ok(false) };
        if passkey.association != person.association.id || passkey.member != person.member.id {
            return Ok(false);
        }
        let what_for = For::Again(person.session.clone());
        Ok(self.db.run(ByPasskey { kit: self.kit(), passkey, body, what_for }).await?)
    }

    /// Everybody with this address who has a password.
    async fn with_password(
        &self,
        address: &str,
    ) -> Result<Vec<(AssociationId, Member, PasswordRow)>, AppError> {
        let now = self.now();
        let mut conn = self.db.read().await?;
        let mut found = Vec::new();
        for home in associations(&mut conn).await? {
            for member in members_by_email(&mut conn, &home.id, address).await? {
                let password = password_of_member(&mut conn, &home.id, &member.id).await?;
                if let Some(password) = password.filter(PasswordRow::is_complete)
                    && member.is_active(now)
                {
                    found.push((home.id.clone(), member, password));
                }
            }
        }
        found.truncate(SHARED_ADDRESS_MAX);
        Ok(found)
    }

    /// Checks a password; as slow where there is none.
    async fn password_check(
        &self,
        association: &AssociationId,
        member: &MemberId,
        password: &Password,
        stored: &str,
    ) -> Result<bool, AppError> {
        let _place = self.waiting.try_acquire().map_err(|_| AppError::Busy)?;
        let _worker = self.pins.acquire().await.map_err(|_| AppError::Busy)?;
        let (seal, password, stored) = (self.vault.seal.clone(), password.clone(), stored.to_owned());
        let (association, member) = (association.clone(), member.clone());
        tokio::task::spawn_blocking(move || seal.password_matches(&association, &member, &password, &stored))
            .await
            .map_err(|_| AppError::Busy)
    }

    /// The step of a code typed by this person. `None`: the code is none of theirs, or was used.
    async fn code_step(
        &self,
        association: &AssociationId,
        member: &MemberId,
        row: &PasswordRow,
        typed: &str,
    ) -> Result<Option<i64>, AppError> {
        let Some(sealed) = &row.totp else { return Ok(None) };
        let mut conn = self.db.read().await?;
        let at = Sealed { table: "sign_in_password", column: "totp", row: member.as_str() };
        let letters = self.vault.open(&mut conn, association, at, sealed).await?;
        let secret = TotpSecret::from_letters(&letters)
            .ok_or_else(|| StoreError::corrupt("sign_in_password", member, "not the letters of a secret"))?;
        Ok(secret.step_of(typed, self.now(), row.totp_step))
    }

    /// Whose password and code these are.
    async fn whose(
        &self,
        candidates: Vec<(AssociationId, Member, PasswordRow)>,
        password: &str,
        code: &str,
    ) -> Result<Option<Right>, AppError> {
        let Some(password) = Password::typed(password) else { return Ok(None) };
        if candidates.is_empty() {
            // The same work for an address that nobody has.
            let (nobody, none) = (AssociationId::named(&["nobody"]), MemberId::named(&["nobody"]));
            self.password_check(&nobody, &none, &password, "").await?;
        }
        for (association, member, row) in candidates {
            let hash = row.hash.clone().unwrap_or_default();
            if self.password_check(&association, &member.id, &password, &hash).await? {
                let step = self.code_step(&association, &member.id, &row, code).await?;
                return Ok(step.map(|step| Right { association, member, hash, step }));
            }
        }
        Ok(None)
    }

    /// Signs in with address, password and one-time code. Takes as long, and answers the same, whether or not
    /// somebody has the address.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn sign_in_by_password(&self, typed: Typed<'_>) -> Result<Entry, AppError> {
        let address = email_key(typed.address);
        let device = match typed.device {
            Some(secret) => self.known_device(secret).await?,
            None => None,
        };
        let known =
            device.is_some_and(|d| d.member.email.as_deref().map(email_key).as_ref() == Some(&address));
        let account = Account::new(self, &address, typed.client);
        match self.charge(account, known).await? {
            Charged::Go => {}
            Charged::Wait(seconds) => return Ok(Entry::Wait { seconds }),
            Charged::Ceiling => return Ok(Entry::Ceiling),
        }
        let candidates = self.with_password(&address).await?;
        let whose = candidates.iter().map(|(asc, member, _)| (asc.clone(), member.id.clone())).collect();
        if let Some(right) = self.whose(candidates, typed.password, typed.code).await? {
            let (access, cookies) = new_access(self, typed.remember);
            let what_for = For::Entering(Box::new(access.strongly("password")));
            if self.db.run(ByPassword { kit: self.kit(), account, right, what_for }).await? {
                return Ok(Entry::SignedIn { session: cookies.session, device: cookies.device });
            }
        }
        self.db.run(Failed { kit: self.kit(), whose }).await?;
        Ok(Entry::Refused)
    }

    /// Proves again with password and one-time code of the same person.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn prove_by_password(
        &self,
        person: &SignedIn,
        password: &str,
        code: &str,
    ) -> Result<bool, AppError> {
        let (association, member) = (&person.association.id, &person.member);
        let address = member.email.as_deref().map(email_key).unwrap_or_default();
        let account = Account::new(self, &address, "");
        // Whoever has the session is known; guessing is counted all the same.
        if self.charge(account, true).await? != Charged::Go {
            return Ok(false);
        }
        let mut conn = self.db.read().await?;
        let row = password_of_member(&mut conn, association, &member.id).await?;
        drop(conn);
        let candidates = row
            .filter(PasswordRow::is_complete)
            .map(|row| vec![(association.clone(), member.clone(), row)])
            .unwrap_or_default();
        if let Some(right) = self.whose(candidates, password, code).await? {
            let what_for = For::Again(person.session.clone());
            return Ok(self.db.run(ByPassword { kit: self.kit(), account, right, what_for }).await?);
        }
        let whose = vec![(association.clone(), member.id.clone())];
        self.db.run(Failed { kit: self.kit(), whose }).await?;
        Ok(false)
    }
}
