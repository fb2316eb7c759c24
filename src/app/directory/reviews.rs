//! Entries looked at by whoever they are about: rounds of mails in April, July and October, the page behind the
//! mail's link, and the office's list of who has not answered. When a round begins is `durable`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::{PinCheck, Proven, note, pin_stands, read_pin};
use super::super::answers::Ended;
use super::super::flow::make_link_for;
use super::super::people::NewInstitution;
use super::super::replay::Key;
use super::super::{App, AppError, Kit, Who};
use super::{Numbers, load_people};
use crate::domain::consult::FieldWrong;
use crate::ids::{AssociationId, InstitutionId, LinkId, MemberId};
use crate::store::access::{Link, LinkPurpose, link_by_id};
use crate::store::directory::{
    entry_ask_add, entry_asks_last, entry_owner_set, entry_owners, entry_round_begin, institution_reviewed,
};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{
    Association, Institution, Member, association_by_id, institution_by_id, institution_change, member_by_id,
    member_pin_right,
};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// How long a link to one's entries is good.
pub const REVIEW_LINK_LIFE_S: i64 = 14 * 86_400;

/// An open entry, who looks after it, and how things stand.
#[derive(Clone, Debug)]
pub struct EntryReview {
    pub institution: Institution,
    /// `None`: nobody of it can be reached by mail.
    pub owner: Option<Member>,
    /// Somebody was named; otherwise the first of its people.
    pub chosen: bool,
    /// When the owner was last asked.
    pub asked: Option<Millis>,
}

impl EntryReview {
    /// Asked, and not answered since.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.asked.is_some_and(|asked| self.institution.reviewed.is_none_or(|at| at < asked))
    }
}

/// Every open entry but the office's own.
async fn entries(
    conn: &mut Conn,
    association: &AssociationId,
    now: Millis,
) -> Result<Vec<EntryReview>, StoreError> {
    let (institutions, members) = load_people(conn, association, now).await?;
    let chosen: BTreeMap<InstitutionId, MemberId> =
        entry_owners(conn, association).await?.into_iter().collect();
    let asked: BTreeMap<MemberId, Millis> = entry_asks_last(conn, association).await?.into_iter().collect();
    let reachable = |m: &&Member| m.email.is_some();
    Ok(institutions
        .into_iter()
        .filter(|i| i.closed.is_none() && i.kind != "association")
        .map(|institution| {
            let named = chosen.get(&institution.id);
            let named = named.and_then(|id| members.iter().filter(reachable).find(|m| m.id == *id));
            let first = || {
                let own = |m: &&Member| m.institution.as_ref() == Some(&institution.id) && !m.is_office();
                members.iter().filter(reachable).filter(own).min_by(|a, b| a.id.cmp(&b.id))
            };
            let owner = named.or_else(first).cloned();
            let asked = owner.as_ref().and_then(|o| asked.get(&o.id)).copied();
            EntryReview { chosen: named.is_some(), owner, asked, institution }
        })
        .collect())
}

/// Sends a person the link to their entries.
async fn ask(tx: &mut Conn, kit: &Kit, who: &Who, member: &MemberId, round: &str) -> Result<(), StoreError> {
    let association = &who.association;
    let expires = kit.now.plus_s(REVIEW_LINK_LIFE_S);
    let link = make_link_for(tx, kit, association, member, LinkPurpose::EntryReview, None, expires).await?;
    entry_ask_add(tx, association, member, round, &link, kit.now).await?;
    let job = NewJob {
        lane: Lane::Reports,
        kind: "entry_review",
        key: format!("entry_review:{link}"),
        body: json!({ "member": member.as_str(), "link": link.as_str() }),
        due: kit.now,
    };
    job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
    note(tx, kit, who, "entry.asked", &format!("member:{member}"), json!({ "round": round })).await.map(drop)
}

/// Whether the mail is still wanted when it is about to go: the link is good, and an entry was not looked at
/// since it was asked for.
pub(crate) async fn still_wanted(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    member: &MemberId,
    link: &LinkId,
) -> Result<Option<(Member, Link)>, StoreError> {
    let Some(link) = link_by_id(tx, association, link).await? else { return Ok(None) };
    if link.voided.is_some() || link.consumed.is_some() || kit.now >= link.expires {
        return Ok(None);
    }
    let open = entries(tx, association, kit.now).await?.into_iter().find(|e| {
        e.owner.as_ref().is_some_and(|o| o.id == *member)
            && e.institution.reviewed.is_none_or(|at| at <= link.created)
    });
    Ok(open.and_then(|e| e.owner).map(|owner| (owner, link)))
}

struct BeginRound {
    kit: Kit,
    who: Who,
    round: String,
    /// Entries looked at since are left alone.
    not_since: Millis,
}

impl Command for BeginRound {
    /// How many people were asked; `None`: the round was begun before.
    type Output = Option<usize>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        if !entry_round_begin(tx, association, &self.round, kit.now).await? {
            return Ok(None);
        }
        let due: BTreeSet<MemberId> = entries(tx, association, kit.now)
            .await?
            .into_iter()
            .filter(|e| e.institution.reviewed.is_none_or(|at| at < self.not_since))
            .filter_map(|e| e.owner.map(|o| o.id))
            .collect();
        for member in &due {
            ask(tx, kit, &self.who, member, &self.round).await?;
        }
        let subject = format!("entry_round:{}", self.round);
        note(tx, kit, &self.who, "entry.round", &subject, json!({ "asked": due.len() })).await?;
        Ok(Some(due.len()))
    }
}

/// How a step of the office with an entry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryStep {
    Done,
    /// Nobody of the institution can be reached by mail.
    NoOwner,
    NotFound,
}

enum Step {
    /// Sends the owner the link now.
    Send,
    /// Said by phone that it is right.
    ReviewedFor,
    /// Names the owner.
    Owner(Option<MemberId>),
}

struct OfficeStep {
    kit: Kit,
    who: Who,
    institution: InstitutionId,
    step: Step,
    /// Tells this step's mail from every other.
    round: String,
}

impl Command for OfficeStep {
    type Output = EntryStep;

    async fn apply(&self, tx: &mut Conn) -> Result<EntryStep, StoreError> {
        let (kit, association, id) = (&self.kit, &self.who.association, &self.institution);
        let found = entries(tx, association, kit.now).await?.into_iter().find(|e| e.institution.id == *id);
        let Some(entry) = found else {
            return Ok(EntryStep::NotFound);
        };
        let subject = format!("institution:{id}");
        match &self.step {
            Step::Send => {
                let Some(owner) = entry.owner else { return Ok(EntryStep::NoOwner) };
                ask(tx, kit, &self.who, &owner.id, &self.round).await?;
            }
            Step::ReviewedFor => {
                institution_reviewed(tx, association, id, kit.now).await?;
                let on_behalf_of = entry.owner.map(|o| format!("member:{}", o.id));
                let who = Who { on_behalf_of, ..self.who.clone() };
                note(tx, kit, &who, "entry.reviewed", &subject, json!({ "by": "phone" })).await?;
            }
            Step::Owner(owner) => {
                if let Some(owner) = owner {
                    let member = member_by_id(tx, association, owner).await?;
                    if !member.is_some_and(|m| m.is_active(kit.now) && m.email.is_some()) {
                        return Ok(EntryStep::NoOwner);
                    }
                }
                entry_owner_set(tx, association, id, owner.as_ref()).await?;
                let detail = json!({ "member": owner.as_ref().map(MemberId::as_str) });
                note(tx, kit, &self.who, "entry.owner", &subject, detail).await?;
            }
        }
        Ok(EntryStep::Done)
    }
}

/// What the owner of an entry may set right. Name, kind, codes and what is public are the office's.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OwnEntry {
    pub phone: Option<String>,
    pub fax: Option<String>,
    pub postcode: String,
    pub address: String,
    pub hours: String,
    pub round_the_clock: bool,
    pub contact_person: String,
    pub accepts: String,
}

impl std::fmt::Debug for OwnEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnEntry").finish_non_exhaustive()
    }
}

impl OwnEntry {
    /// What stands there now.
    #[must_use]
    pub fn of(institution: &Institution, numbers: &Numbers) -> Self {
        let entry = &institution.entry;
        Self {
            phone: numbers.phone.clone(),
            fax: numbers.fax.clone(),
            postcode: entry.postcode.clone(),
            address: entry.address.clone(),
            hours: entry.hours.clone(),
            round_the_clock: entry.round_the_clock,
            contact_person: entry.contact_person.clone(),
            accepts: entry.accepts.clone(),
        }
    }

    fn onto(&self, before: &Institution) -> NewInstitution {
        let mut new = NewInstitution {
            name: before.name.clone(),
            kind: before.kind.clone(),
            area: before.area.clone(),
            city_code: before.city_code.clone(),
            phone: self.phone.clone(),
            kana: before.kana.clone(),
            code: before.code.clone(),
            fax: self.fax.clone(),
            entry: before.entry.clone(),
        };
        new.entry.postcode.clone_from(&self.postcode);
        new.entry.address.clone_from(&self.address);
        new.entry.hours.clone_from(&self.hours);
        new.entry.round_the_clock = self.round_the_clock;
        new.entry.contact_person.clone_from(&self.contact_person);
        new.entry.accepts.clone_from(&self.accepts);
        new
    }
}

/// What the owner answers.
#[derive(Clone, Debug)]
pub enum EntryAnswer {
    /// このままで正しい.
    Right,
    Change(Box<OwnEntry>),
}

/// How an answer behind the link ended.
#[derive(Debug)]
pub enum EntryAnswered {
    Done,
    Ended {
        association: Box<Association>,
        why: Ended,
    },
    Unknown,
    PinMissing,
    PinMalformed,
    PinWrong {
        tries_left: i64,
    },
    Invalid(Vec<FieldWrong>),
    /// The office changed the entry meanwhile.
    Stale,
}

/// The entries behind a link, without anything having changed.
#[derive(Debug)]
pub struct OwnEntries {
    pub association: Association,
    pub member: Member,
    pub entries: Vec<(Institution, Numbers)>,
    pub asked: Millis,
    pub until: Millis,
}

/// Whose entries, or why there is nothing to answer.
type Behind = Result<(Association, Member), EntryAnswered>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ByLink {
    Done,
    LinkOver,
    Stale,
}

struct AnswerEntry {
    kit: Kit,
    link: Link,
    pin_version: Option<i64>,
    institution: InstitutionId,
    revision: i64,
    answer: EntryAnswer,
}

impl Command for AnswerEntry {
    type Output = ByLink;

    async fn apply(&self, tx: &mut Conn) -> Result<ByLink, StoreError> {
        let (kit, association, person) = (&self.kit, &self.link.association, &self.link.member);
        // Looked at again in the transaction: wrong PINs sent at the same time may have ended the link.
        let link = link_by_id(tx, association, &self.link.id).await?;
        let good = link.is_some_and(|l| is_good(kit, &l, self.pin_version.is_some()));
        let member = member_by_id(tx, association, person).await?.filter(|m| m.is_active(kit.now));
        let proven = member.is_some_and(|m| self.pin_version.is_none_or(|v| pin_stands(kit, &m, v)));
        let owned = entries(tx, association, kit.now).await?.into_iter().find(|e| {
            e.institution.id == self.institution && e.owner.as_ref().is_some_and(|o| o.id == *person)
        });
        let Some(entry) = owned.filter(|_| good && proven) else {
            return Ok(ByLink::LinkOver);
        };
        let id = &self.institution;
        if entry.institution.revision != self.revision {
            return Ok(ByLink::Stale);
        }
        match &self.answer {
            EntryAnswer::Right => {
                institution_reviewed(tx, association, id, kit.now).await?;
            }
            EntryAnswer::Change(own) => {
                let mut row = entry.institution;
                row.entry = own.onto(&row).entry;
                row.phone = seal(tx, kit, association, (id, "phone"), own.phone.as_deref()).await?;
                row.fax = seal(tx, kit, association, (id, "fax"), own.fax.as_deref()).await?;
                if !institution_change(tx, association, &row, kit.now).await? {
                    return Ok(ByLink::Stale);
                }
            }
        }
        if self.pin_version.is_some() {
            member_pin_right(tx, association, person).await?;
        }
        let who = Who::member(association, person);
        let subject = format!("institution:{id}");
        let changed = matches!(self.answer, EntryAnswer::Change(_));
        note(tx, kit, &who, "entry.reviewed", &subject, json!({ "by": "link", "changed": changed })).await?;
        Ok(ByLink::Done)
    }
}

async fn seal(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    (id, column): (&InstitutionId, &'static str),
    plain: Option<&str>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let at = Sealed { table: "institution", column, row: id.as_str() };
    match plain {
        Some(plain) => kit.vault.seal_lasting(tx, association, at, plain).await.map(Some),
        None => Ok(None),
    }
}

fn is_good(kit: &Kit, link: &Link, by_pin: bool) -> bool {
    let locked = by_pin && link.wrong_pins >= kit.rules.pin_tries_per_link;
    link.voided.is_none() && link.consumed.is_none() && kit.now < link.expires && !locked
}

impl App {
    /// Begins a round of asking: whoever looks after an entry that nobody looked at since `not_since` gets one
    /// mail. `None`: this round was begun before.
    ///
    /// # Errors
    /// The store's.
    pub async fn entry_round(
        &self,
        association: &AssociationId,
        round: &str,
        not_since: Millis,
    ) -> Result<Option<usize>, AppError> {
        let who = Who::runner(association);
        Ok(self.db.run(BeginRound { kit: self.kit(), who, round: round.to_owned(), not_since }).await?)
    }

    /// Every open entry with who looks after it.
    ///
    /// # Errors
    /// The store's.
    pub async fn entry_reviews(&self, association: &AssociationId) -> Result<Vec<EntryReview>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(entries(&mut conn, association, self.now()).await?)
    }

    async fn entry_step(
        &self,
        who: &Who,
        institution: &InstitutionId,
        step: Step,
        key: Option<&Key>,
    ) -> Result<EntryStep, AppError> {
        let kit = self.kit();
        let round = format!("by_hand:{}", LinkId::new(kit.now, self.chance.as_ref()));
        let step =
            OfficeStep { kit: kit.clone(), who: who.clone(), institution: institution.clone(), step, round };
        match self.run_once(&kit, who, key, step).await?.into_inner() {
            EntryStep::NotFound => Err(AppError::NotFound),
            done => Ok(done),
        }
    }

    /// Sends whoever looks after an entry the link to it, now.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn entry_link_send(
        &self,
        who: &Who,
        institution: &InstitutionId,
        key: Option<&Key>,
    ) -> Result<EntryStep, AppError> {
        self.entry_step(who, institution, Step::Send, key).await
    }

    /// Notes that somebody said by phone that the entry is right.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn entry_reviewed_for(
        &self,
        who: &Who,
        institution: &InstitutionId,
        key: Option<&Key>,
    ) -> Result<EntryStep, AppError> {
        self.entry_step(who, institution, Step::ReviewedFor, key).await
    }

    /// Names who looks after an entry; `None`: the first of its people.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn entry_owner(
        &self,
        who: &Who,
        institution: &InstitutionId,
        owner: Option<MemberId>,
        key: Option<&Key>,
    ) -> Result<EntryStep, AppError> {
        self.entry_step(who, institution, Step::Owner(owner), key).await
    }

    async fn behind(&self, link: &Link) -> Result<Behind, AppError> {
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, &link.association).await?;
        let member = member_by_id(&mut conn, &link.association, &link.member).await?;
        let (Some(association), Some(member)) = (home, member.filter(|m| m.is_active(self.now()))) else {
            return Ok(Err(EntryAnswered::Unknown));
        };
        let why = if self.is_locked(link, &member) {
            Ended::PinLocked
        } else if link.consumed.is_some() || link.voided.is_some() || self.now() >= link.expires {
            Ended::Expired
        } else {
            return Ok(Ok((association, member)));
        };
        Ok(Err(EntryAnswered::Ended { association: Box::new(association), why }))
    }

    /// The entries behind a link; opening it changes nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn entry_link_open(&self, token: &str) -> Result<Result<OwnEntries, EntryAnswered>, AppError> {
        let link = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::EntryReview);
        let Some(link) = link else { return Ok(Err(EntryAnswered::Unknown)) };
        let (association, member) = match self.behind(&link).await? {
            Ok(behind) => behind,
            Err(over) => return Ok(Err(over)),
        };
        let mut conn = self.db.read().await?;
        let own: Vec<Institution> = entries(&mut conn, &association.id, self.now())
            .await?
            .into_iter()
            .filter(|e| e.owner.as_ref().is_some_and(|o| o.id == member.id))
            .map(|e| e.institution)
            .collect();
        drop(conn);
        let numbers = self.numbers_of_all(&association.id, &own.iter().collect::<Vec<_>>()).await?;
        let entries = own
            .into_iter()
            .map(|i| {
                let numbers = numbers.get(&i.id).cloned().unwrap_or_default();
                (i, numbers)
            })
            .collect();
        Ok(Ok(OwnEntries { association, member, entries, asked: link.created, until: link.expires }))
    }

    /// Answers for an entry behind its link, by PIN or on the person's known device. The link stays good until it
    /// runs out: there may be more than one entry.
    ///
    /// # Errors
    /// The store's; [`AppError::Busy`].
    pub async fn entry_link_answer(
        &self,
        token: &str,
        (institution, revision): (&InstitutionId, i64),
        answer: EntryAnswer,
        (pin, device): (Option<&str>, Option<&str>),
        key: Option<&Key>,
    ) -> Result<EntryAnswered, AppError> {
        let link = self.link_by_token(token).await?.filter(|l| l.purpose == LinkPurpose::EntryReview);
        let Some(link) = link else { return Ok(EntryAnswered::Unknown) };
        let who = Who::member(&link.association, &link.member);
        let (association, member) = match self.behind(&link).await? {
            Ok(behind) => behind,
            Err(over) => return Ok(over),
        };
        let mut conn = self.db.read().await?;
        let Some(before) = institution_by_id(&mut conn, &association.id, institution).await? else {
            return Ok(EntryAnswered::Unknown);
        };
        drop(conn);
        if let EntryAnswer::Change(own) = &answer {
            let wrong = own.onto(&before).wrong_fields();
            if !wrong.is_empty() {
                return Ok(EntryAnswered::Invalid(wrong));
            }
        }
        let known = match device {
            Some(device) => self
                .known_device(device)
                .await?
                .is_some_and(|known| known.association.id == association.id && known.member.id == member.id),
            None => false,
        };
        let pin_version = if known {
            None
        } else {
            let pin = match read_pin(pin) {
                Ok(pin) => pin,
                Err(Proven::PinMissing) => return Ok(EntryAnswered::PinMissing),
                Err(_) => return Ok(EntryAnswered::PinMalformed),
            };
            match self.pin_check(&association.id, &member, pin).await? {
                PinCheck::Right(version) => Some(version),
                PinCheck::Wrong => {
                    let tries_left = self.wrong_pin(&link).await?;
                    return Ok(if tries_left == 0 {
                        EntryAnswered::Ended { association: Box::new(association), why: Ended::PinLocked }
                    } else {
                        EntryAnswered::PinWrong { tries_left }
                    });
                }
            }
        };
        let kit = self.kit();
        let institution = institution.clone();
        let command = AnswerEntry { kit: kit.clone(), link, pin_version, institution, revision, answer };
        Ok(match self.run_once(&kit, &who, key, command).await?.into_inner() {
            ByLink::Done => EntryAnswered::Done,
            ByLink::Stale => EntryAnswered::Stale,
            ByLink::LinkOver => {
                EntryAnswered::Ended { association: Box::new(association), why: Ended::Expired }
            }
        })
    }
}
