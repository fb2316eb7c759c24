//! Somebody of the office lost every means of signing in. A printed code and the word of a colleague start the
//! way back; a day passes in which the real person can stop it; then a link comes, which needs the PIN or
//! another code. No step of it alone lets anybody in (OWASP ASVS 5.0, 6.4.3, 6.4.4).

use std::collections::BTreeSet;

use serde_json::json;

use super::throttle::{Account, Charged, forgive};
use crate::app::access::{SignedIn, note};
use crate::app::call::{What, ring_one};
use crate::app::flow::{make_link_for, raise};
use crate::app::{App, AppError, Kit, Who};
use crate::domain::people::Role;
use crate::domain::people::rights::Right;
use crate::ids::{AssociationId, LinkId, MemberId, RecoveryId};
use crate::store::access::{LinkPurpose, link_by_id, link_consume};
use crate::store::credentials::{
    Recovery, recoveries_unseen, recovery_add, recovery_by_id, recovery_code_use, recovery_notice_add,
    recovery_of_notice, recovery_open, recovery_seen_add, recovery_stop, recovery_vouch,
};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{
    association_by_id, associations, email_key, member_by_id, members_by_email, members_with_role,
};
use crate::store::{Command, Conn, StoreError};

/// The link by which it can be stopped lives this long.
const NOTICE_S: i64 = 14 * 86_400;

/// The notice goes to the office's own address instead of a person's.
pub(crate) const OFFICE: &str = "office";

/// How asking for recovery was answered: the same whether there is such a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    Taken,
    /// Too many tries.
    Wait {
        seconds: u32,
    },
}

/// How a colleague's word was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouched {
    Done,
    /// Nobody vouches for themselves.
    Oneself,
    /// Nothing waits, or somebody did before.
    NothingWaits,
}

struct Lose {
    kit: Kit,
    account: Account,
    /// Whose code it may be, with the hashes it may stand under.
    maybe: Vec<(AssociationId, MemberId, Vec<[u8; 32]>)>,
}

impl Command for Lose {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        for (association, member, hashes) in &self.maybe {
            let who = Who::member(association, member);
            let subject = format!("member:{member}");
            if recovery_code_use(tx, association, member, hashes, self.kit.now).await? {
                forgive(tx, &self.account).await?;
                if recovery_open(tx, association, member).await?.is_none() {
                    begin(tx, &self.kit, &who, member).await?;
                }
                return Ok(());
            }
            note(tx, &self.kit, &who, "recovery.refused", &subject, json!({})).await?;
        }
        Ok(())
    }
}

/// Writes the recovery, and tells the person and those who watch over it.
async fn begin(tx: &mut Conn, kit: &Kit, who: &Who, member: &MemberId) -> Result<(), StoreError> {
    let association = &who.association;
    let id = RecoveryId::new(kit.now, kit.vault.chance.as_ref());
    recovery_add(tx, association, &id, member, kit.now).await?;
    let mut told = BTreeSet::from([member.clone()]);
    for role in [Role::Administrator, Role::Officer] {
        told.extend(members_with_role(tx, association, role, kit.now).await?);
    }
    let mut addresses = BTreeSet::new();
    for reader in &told {
        let known = member_by_id(tx, association, reader).await?.and_then(|m| m.email);
        addresses.extend(known.as_deref().map(email_key));
        tell(tx, kit, association, (&id, reader), None).await?;
    }
    // The office's own address reaches whoever reads it, whatever became of the others.
    let office = association_by_id(tx, association).await?.map(|home| home.office.mail).unwrap_or_default();
    if !office.is_empty() && addresses.insert(email_key(&office)) {
        tell(tx, kit, association, (&id, member), Some(OFFICE)).await?;
    }
    // Their phone too, where it can be rung.
    ring_one(tx, kit, who, member, What::Recovery).await?;
    // The board, and whoever watches it. On the pages it stands because nobody has said yet to have seen it.
    raise(tx, kit, association, "recovery_asked", &format!("member:{member}")).await?;
    let detail = json!({ "recovery": id.as_str(), "told": told.len() });
    note(tx, kit, who, "recovery.asked", &format!("member:{member}"), detail).await.map(drop)
}

/// A mail with a link by which it can be stopped, to a person or to the office.
async fn tell(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    (recovery, reader): (&RecoveryId, &MemberId),
    to: Option<&str>,
) -> Result<(), StoreError> {
    let until = kit.now.plus_s(NOTICE_S);
    let link = make_link_for(tx, kit, association, reader, LinkPurpose::RecoveryStop, None, until).await?;
    recovery_notice_add(tx, association, &link, recovery).await?;
    let job = NewJob {
        lane: Lane::Urgent,
        kind: "recovery_notice",
        key: format!("recovery_notice:{link}"),
        body: json!({ "member": reader.as_str(), "link": link.as_str(), "to": to }),
        due: kit.now,
    };
    job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await
}

struct Seen {
    kit: Kit,
    who: Who,
    by: MemberId,
    recovery: RecoveryId,
}

impl Command for Seen {
    /// `false`: there is none, or they had seen it.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let Some(found) = recovery_by_id(tx, association, &self.recovery).await? else { return Ok(false) };
        if !recovery_seen_add(tx, association, &found.id, &self.by, kit.now).await? {
            return Ok(false);
        }
        let detail = json!({ "recovery": found.id.as_str() });
        note(tx, kit, &self.who, "recovery.seen", &format!("member:{}", found.member), detail).await?;
        Ok(true)
    }
}

struct Vouch {
    kit: Kit,
    who: Who,
    by: MemberId,
    member: MemberId,
}

impl Command for Vouch {
    type Output = Vouched;

    async fn apply(&self, tx: &mut Conn) -> Result<Vouched, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        if self.by == self.member {
            return Ok(Vouched::Oneself);
        }
        let Some(open) = recovery_open(tx, association, &self.member).await? else {
            return Ok(Vouched::NothingWaits);
        };
        let due = kit.now.plus_s(kit.rules.recovery_delay_s);
        if !recovery_vouch(tx, association, &open.id, &self.by, kit.now, due).await? {
            return Ok(Vouched::NothingWaits);
        }
        let job = NewJob {
            lane: Lane::Wake,
            kind: "recovery",
            key: format!("recovery:{}", open.id),
            body: json!({ "recovery": open.id.as_str() }),
            due,
        };
        job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
        let detail = json!({ "recovery": open.id.as_str() });
        note(tx, kit, &self.who, "recovery.vouch", &format!("member:{}", self.member), detail).await?;
        Ok(Vouched::Done)
    }
}

struct Stop {
    kit: Kit,
    who: Who,
    by: StopBy,
}

enum StopBy {
    /// A colleague.
    Colleague(MemberId),
    /// Whoever holds the link of the notice.
    Link(LinkId),
}

impl Command for Stop {
    /// `false`: nothing was to be stopped.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let found = match &self.by {
            StopBy::Colleague(member) => recovery_open(tx, association, member).await?,
            StopBy::Link(link) => {
                let stands = link_by_id(tx, association, link)
                    .await?
                    .is_some_and(|l| l.consumed.is_none() && l.voided.is_none() && kit.now < l.expires);
                if !stands || !link_consume(tx, association, link, kit.now).await? {
                    return Ok(false);
                }
                recovery_of_notice(tx, association, link).await?
            }
        };
        let Some(found) = found else { return Ok(false) };
        if !recovery_stop(tx, association, &found, kit.now).await? {
            return Ok(false);
        }
        let subject = format!("member:{}", found.member);
        raise(tx, kit, association, "recovery_stopped", &subject).await?;
        let detail = json!({ "recovery": found.id.as_str() });
        note(tx, kit, &self.who, "recovery.stop", &subject, detail).await?;
        Ok(true)
    }
}

impl App {
    /// Asks for new means with an address and a printed code. The answer is the same whether there is
    /// anybody; whom it concerns, a mail tells.
    ///
    /// # Errors
    /// The store's.
    pub async fn recovery_ask(&self, address: &str, code: &str, client: &str) -> Result<Lost, AppError> {
        let address = email_key(address);
        let account = Account::new(self, &format!("lost:{address}"), client);
        match self.charge_client(account).await? {
            Charged::Go => {}
            Charged::Wait(seconds) => return Ok(Lost::Wait { seconds }),
            Charged::Ceiling => return Ok(Lost::Wait { seconds: 86_400 }),
        }
        let now = self.now();
        let mut conn = self.db.read().await?;
        let mut maybe = Vec::new();
        for home in associations(&mut conn).await? {
            for member in members_by_email(&mut conn, &home.id, &address).await? {
                if member.is_active(now) && member.is_office() {
                    let hashes = self.vault.seal.recovery_hashes(&home.id, &member.id, code);
                    maybe.push((home.id.clone(), member.id, hashes));
                }
            }
        }
        drop(conn);
        self.db.run(Lose { kit: self.kit(), account, maybe }).await?;
        Ok(Lost::Taken)
    }

    /// What this person has to be told and has not said to have seen: recoveries of their own, and those of colleagues
    /// if they are of the office.
    ///
    /// # Errors
    /// The store's.
    pub async fn recoveries_unseen(&self, person: &SignedIn) -> Result<Vec<Recovery>, AppError> {
        let (association, me) = (&person.association.id, &person.member);
        if !me.is_office() {
            return Ok(Vec::new());
        }
        let mut conn = self.db.read().await?;
        let mut all = recoveries_unseen(&mut conn, association, &me.id, me.active_from).await?;
        all.retain(|r| r.member == me.id || person.may(Right::Board));
        Ok(all)
    }

    /// Somebody says to have seen that a recovery was asked for. `false`: it was not there for them.
    ///
    /// # Errors
    /// The store's.
    pub async fn recovery_seen(&self, by: &SignedIn, id: &RecoveryId) -> Result<bool, AppError> {
        if !self.recoveries_unseen(by).await?.iter().any(|r| r.id == *id) {
            return Ok(false);
        }
        let seen = Seen { kit: self.kit(), who: by.who(), by: by.member.id.clone(), recovery: id.clone() };
        Ok(self.db.run(seen).await?)
    }

    /// A colleague confirms that somebody who lost every means is who they say.
    ///
    /// # Errors
    /// The store's.
    pub async fn recovery_vouch(&self, by: &SignedIn, member: &MemberId) -> Result<Vouched, AppError> {
        let vouch =
            Vouch { kit: self.kit(), who: by.who(), by: by.member.id.clone(), member: member.clone() };
        Ok(self.db.run(vouch).await?)
    }

    /// A colleague stops a recovery. `false`: nothing waits.
    ///
    /// # Errors
    /// The store's.
    pub async fn recovery_stop(&self, by: &SignedIn, member: &MemberId) -> Result<bool, AppError> {
        let by_whom = StopBy::Colleague(member.clone());
        Ok(self.db.run(Stop { kit: self.kit(), who: by.who(), by: by_whom }).await?)
    }

    /// Whoever holds the link of a notice stops the recovery. `false`: it was stopped, or is over.
    ///
    /// # Errors
    /// The store's.
    pub async fn recovery_stop_by_link(&self, token: &str) -> Result<bool, AppError> {
        let link = self.link_by_token(token).await?;
        let Some(link) = link.filter(|l| l.purpose == LinkPurpose::RecoveryStop) else {
            return Ok(false);
        };
        let who = Who::member(&link.association, &link.member);
        Ok(self.db.run(Stop { kit: self.kit(), who, by: StopBy::Link(link.id) }).await?)
    }
}
