//! A changed telephone number counts only after the office has called back: on the number that was known until then, or
//! on the clinic's; and, where the association can ring, once the new number was rung and answered with the key. Until
//! then the old one stays in force, and the person is told at the mail address known before.
//! What a sheet brings is the office's own list, looked at before it is taken in, and counts at once.

use serde::{Deserialize, Serialize};
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use super::sealed;
use crate::app::access::note;
use crate::app::call::{Started, What, ring_one, settings};
use crate::app::replay::Key;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::call::number::Line as Dialled;
use crate::ids::{AssociationId, CallId, MemberId, PhoneChangeId, ReachTestId};
use crate::store::call::call_by_id;
use crate::store::enrolment::{TestBy, reach_call_end, reach_test_add, reach_tests_void};
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{Member, institution_by_id, member_by_id};
use crate::store::phone_changes::{
    PhoneChange, PhoneChangeEnd, member_phone_set, phone_change_add, phone_change_by_call,
    phone_change_called, phone_change_end, phone_change_waiting, phone_changes_waiting,
};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Changes are kept this long, with the number that was called; that they happened stands in the audit.
pub const PHONE_CHANGE_KEEP_S: i64 = 366 * 86_400;

/// Whether a changed number waits for a call back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phones {
    Wait,
    /// The office's own list says so.
    AtOnce,
}

/// On which line the office called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The number known until now.
    Old,
    /// The clinic's.
    Clinic,
}

impl Line {
    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::Clinic => "clinic",
        }
    }

    /// Reads [`Line::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Old, Self::Clinic].into_iter().find(|line| line.code() == code)
    }
}

/// A change that waits, as the office sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingPhone {
    /// `None`: the old number is to go.
    pub new: Option<String>,
    pub asked: Millis,
    /// The number in force.
    pub old: Option<String>,
    /// The number of their institution.
    pub clinic: Option<String>,
    /// The office has called back, and the new number was rung.
    pub ring: Option<NewNumberRung>,
}

/// How the ring at the new number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewNumberRung {
    Rings,
    /// Nobody answered it with the key.
    NotAnswered,
}

/// What the office did with a change that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneDeed {
    /// Called this line, and the person said yes.
    CalledBack(Line),
    /// The office has called back; the number counts though nobody answered it.
    Anyway,
    /// It was not them, or a slip of the pen.
    Drop,
}

/// How that went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneSettled {
    Changed,
    /// The new number rings; it counts once it is answered with the key.
    Rings,
    Dropped,
    /// Nothing waits, or somebody was quicker.
    NothingWaits,
    /// There is no number on that line.
    NoNumber,
}

fn of_member(id: &MemberId) -> Sealed<'_> {
    Sealed { table: "member", column: "phone", row: id.as_str() }
}

fn of_change<'a>(id: &'a PhoneChangeId, column: &'static str) -> Sealed<'a> {
    Sealed { table: "phone_change", column, row: id.as_str() }
}

/// The digits alone: brackets and hyphens do not make another number.
fn digits(number: &str) -> String {
    number.nfkc().filter(char::is_ascii_digit).collect()
}

async fn opened(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    at: Sealed<'_>,
    number: Option<&[u8]>,
) -> Result<Option<String>, StoreError> {
    match number {
        Some(number) => kit.vault.open(conn, association, at, number).await.map(Some),
        None => Ok(None),
    }
}

async fn tell(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    change: &PhoneChange,
    what: &str,
) -> Result<(), StoreError> {
    if change.mail.is_none() {
        return Ok(());
    }
    let job = NewJob {
        lane: Lane::Urgent,
        kind: "phone_change",
        key: format!("phone_change:{}:{what}", change.id),
        body: json!({ "change": change.id.as_str(), "what": what }),
        due: kit.now,
    };
    job_add(tx, &who.association, &job, kit.now, kit.vault.chance.as_ref()).await
}

/// What becomes of a number: what is written into the entry, and which changes end and begin with it.
#[derive(Debug, Default)]
pub(super) struct Number {
    pub write: Option<Vec<u8>>,
    /// Another number than until now: what was known of the old one says nothing of it.
    changes: Option<MemberId>,
    ends: Option<PhoneChangeId>,
    begins: Option<PhoneChange>,
}

impl Number {
    /// Carries out what waits or no longer does, once the entry is written.
    pub async fn carry_out(self, tx: &mut Conn, kit: &Kit, who: &Who) -> Result<(), StoreError> {
        let association = &who.association;
        if let Some(id) = &self.ends {
            let by = who.on_behalf_of.as_deref().unwrap_or(&who.actor);
            let end = PhoneChangeEnd { how: "replaced", by, called: None, at: kit.now };
            phone_change_end(tx, association, id, &end).await?;
        }
        if let Some(member) = &self.changes {
            reach_tests_void(tx, association, member, "phone", kit.now).await?;
        }
        let Some(change) = &self.begins else { return Ok(()) };
        phone_change_add(tx, association, change).await?;
        tell(tx, kit, who, change, "asked").await?;
        let detail = json!({ "change": change.id.as_str(), "removes": change.phone.is_none() });
        note(tx, kit, who, "member.phone_asked", &format!("member:{}", change.member), detail).await.map(drop)
    }
}

/// What is to be done for somebody whose entry says `new` now: the number in force stays, where `new` has to wait.
/// Writes nothing yet.
pub(super) async fn number_for(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    (id, before): (&MemberId, Option<&Member>),
    new: Option<&str>,
    phones: Phones,
) -> Result<Number, StoreError> {
    let association = &who.association;
    let written = async |tx: &mut Conn| sealed(tx, kit, association, of_member(id), new).await;
    // The first number of somebody: there is nothing that could be called back.
    let known = before.and_then(|before| before.phone.as_deref().map(|old| (before, old)));
    let Some((before, old)) = known else {
        return Ok(Number { write: written(tx).await?, ..Number::default() });
    };
    let in_force = kit.vault.open(tx, association, of_member(id), old).await?;
    if new.is_some_and(|new| digits(new) == digits(&in_force)) {
        return Ok(Number { write: written(tx).await?, ..Number::default() });
    }
    let waiting = phone_change_waiting(tx, association, id).await?;
    let ends = waiting.as_ref().map(|waiting| waiting.id.clone());
    if phones == Phones::AtOnce {
        return Ok(Number { write: written(tx).await?, changes: Some(id.clone()), ends, begins: None });
    }
    if let Some(waiting) = &waiting {
        let at = of_change(&waiting.id, "phone");
        let number = opened(tx, kit, association, at, waiting.phone.as_deref()).await?;
        if number.as_deref().map(digits) == new.map(digits) {
            return Ok(Number { write: Some(old.to_vec()), ..Number::default() });
        }
    }
    let change = PhoneChangeId::new(kit.now, kit.vault.chance.as_ref());
    let begins = PhoneChange {
        phone: sealed(tx, kit, association, of_change(&change, "phone"), new).await?,
        id: change,
        member: id.clone(),
        mail: before.email.clone(),
        asked_by: who.on_behalf_of.as_deref().unwrap_or(&who.actor).to_owned(),
        asked: kit.now,
        called: None,
        called_number: None,
        call: None,
        ended: None,
        ended_at: None,
    };
    Ok(Number { write: Some(old.to_vec()), changes: None, ends, begins: Some(begins) })
}

struct Settle {
    kit: Kit,
    who: Who,
    member: MemberId,
    deed: PhoneDeed,
}

impl Command for Settle {
    type Output = PhoneSettled;

    async fn apply(&self, tx: &mut Conn) -> Result<PhoneSettled, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let waiting = phone_change_waiting(tx, association, &self.member).await?;
        let member = member_by_id(tx, association, &self.member).await?;
        let (Some(waiting), Some(member)) = (waiting, member.filter(|m| m.left_at.is_none())) else {
            return Ok(PhoneSettled::NothingWaits);
        };
        let by = self.who.on_behalf_of.as_deref().unwrap_or(&self.who.actor);
        let subject = format!("member:{}", self.member);
        if self.deed == PhoneDeed::Drop {
            let end = PhoneChangeEnd { how: "dropped", by, called: None, at: kit.now };
            if !phone_change_end(tx, association, &waiting.id, &end).await? {
                return Ok(PhoneSettled::NothingWaits);
            }
            tell(tx, kit, &self.who, &waiting, "dropped").await?;
            let detail = json!({ "change": waiting.id.as_str() });
            note(tx, kit, &self.who, "member.phone_dropped", &subject, detail).await?;
            return Ok(PhoneSettled::Dropped);
        }
        let PhoneDeed::CalledBack(line) = self.deed else {
            // Only after a call back.
            let called = waiting.called.is_some();
            return Ok(if called && counts(tx, kit, &self.who, &waiting, None).await? {
                PhoneSettled::Changed
            } else {
                PhoneSettled::NothingWaits
            });
        };
        let Some(called) = number_of(tx, kit, association, &member, line).await? else {
            return Ok(PhoneSettled::NoNumber);
        };
        let at = of_change(&waiting.id, "called_number");
        let called = kit.vault.seal_lasting(tx, association, at, &called).await?;
        let called = (line.code(), called);
        if let Some(number) = dialled(tx, kit, association, &waiting).await?
            && let Started::Call { call, .. } =
                ring_one(tx, kit, &self.who, &self.member, What::NewNumber(number)).await?
        {
            if !phone_change_called(tx, association, &waiting.id, called, &call).await? {
                return Ok(PhoneSettled::NothingWaits);
            }
            let detail = json!({ "change": waiting.id.as_str(), "called": line.code() });
            note(tx, kit, &self.who, "member.phone_called", &subject, detail).await?;
            return Ok(PhoneSettled::Rings);
        }
        Ok(match counts(tx, kit, &self.who, &waiting, Some(called)).await? {
            true => PhoneSettled::Changed,
            false => PhoneSettled::NothingWaits,
        })
    }
}

/// The new number as the bridge dials it; `None` where there is none that may be dialled.
async fn dialled(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    waiting: &PhoneChange,
) -> Result<Option<Dialled>, StoreError> {
    let at = of_change(&waiting.id, "phone");
    let Some(new) = opened(tx, kit, association, at, waiting.phone.as_deref()).await? else {
        return Ok(None);
    };
    let own = settings::load(tx, &kit.vault, association).await?.1.own();
    Ok(Dialled::read(&new, &own).ok())
}

/// The new number counts from now on. `false`: the change was over, or the person is gone.
async fn counts(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    waiting: &PhoneChange,
    called: Option<(&'static str, Vec<u8>)>,
) -> Result<bool, StoreError> {
    let association = &who.association;
    let line = called.as_ref().map(|(line, _)| (*line).to_owned()).or_else(|| waiting.called.clone());
    let by = who.on_behalf_of.as_deref().unwrap_or(&who.actor);
    let end = PhoneChangeEnd { how: "changed", by, called, at: kit.now };
    let new = of_change(&waiting.id, "phone");
    let new = opened(tx, kit, association, new, waiting.phone.as_deref()).await?;
    let phone = sealed(tx, kit, association, of_member(&waiting.member), new.as_deref()).await?;
    if !phone_change_end(tx, association, &waiting.id, &end).await?
        || !member_phone_set(tx, association, &waiting.member, phone).await?
    {
        return Ok(false);
    }
    // What was known of the old number says nothing of the new one.
    reach_tests_void(tx, association, &waiting.member, "phone", kit.now).await?;
    tell(tx, kit, who, waiting, "changed").await?;
    let detail = json!({ "change": waiting.id.as_str(), "called": line });
    note(tx, kit, who, "member.phone_changed", &format!("member:{}", waiting.member), detail).await?;
    Ok(true)
}

/// The key was pressed on a number that waited for it: it counts, and is known to be answered.
pub(crate) async fn new_number_answered(
    tx: &mut Conn,
    kit: &Kit,
    who: &Who,
    call: &CallId,
) -> Result<(), StoreError> {
    let Some(waiting) = phone_change_by_call(tx, &who.association, call).await? else { return Ok(()) };
    if counts(tx, kit, who, &waiting, None).await? {
        let test = ReachTestId::new(kit.now, kit.vault.chance.as_ref());
        let by = TestBy::Call(call);
        reach_test_add(tx, &who.association, &test, &waiting.member, by, kit.now, &who.actor).await?;
        reach_call_end(tx, &who.association, call, Ok(()), kit.now).await?;
    }
    Ok(())
}

/// The number on which the office calls back.
async fn number_of(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    member: &Member,
    line: Line,
) -> Result<Option<String>, StoreError> {
    match (line, &member.institution) {
        (Line::Old, _) => {
            opened(conn, kit, association, of_member(&member.id), member.phone.as_deref()).await
        }
        (Line::Clinic, Some(id)) => {
            let clinic = institution_by_id(conn, association, id).await?;
            let at = Sealed { table: "institution", column: "phone", row: id.as_str() };
            opened(conn, kit, association, at, clinic.and_then(|c| c.phone).as_deref()).await
        }
        (Line::Clinic, None) => Ok(None),
    }
}

impl App {
    /// The change of somebody's number that waits for a call back.
    ///
    /// # Errors
    /// [`AppError::NotFound`]: there is nobody; the store's.
    pub async fn phone_waiting(
        &self,
        association: &AssociationId,
        id: &MemberId,
    ) -> Result<Option<WaitingPhone>, AppError> {
        let kit = self.kit();
        let mut conn = self.db.read().await?;
        let member = member_by_id(&mut conn, association, id).await?.ok_or(AppError::NotFound)?;
        let Some(waiting) = phone_change_waiting(&mut conn, association, id).await? else {
            return Ok(None);
        };
        let at = of_change(&waiting.id, "phone");
        let ring = match &waiting.call {
            Some(call) => {
                let row = call_by_id(&mut conn, association, call).await?;
                let over = row.is_none_or(|row| row.outcome.is_some());
                Some(if over { NewNumberRung::NotAnswered } else { NewNumberRung::Rings })
            }
            None => None,
        };
        Ok(Some(WaitingPhone {
            ring,
            new: opened(&mut conn, &kit, association, at, waiting.phone.as_deref()).await?,
            asked: waiting.asked,
            old: number_of(&mut conn, &kit, association, &member, Line::Old).await?,
            clinic: number_of(&mut conn, &kit, association, &member, Line::Clinic).await?,
        }))
    }

    /// Whose numbers wait for a call back, the longest waiting first.
    ///
    /// # Errors
    /// The store's.
    pub async fn phones_waiting(&self, association: &AssociationId) -> Result<Vec<PhoneChange>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(phone_changes_waiting(&mut conn, association).await?)
    }

    /// Ends a change that waits: the office called back, or it is dropped.
    ///
    /// # Errors
    /// The store's.
    pub async fn phone_settle(
        &self,
        who: &Who,
        id: &MemberId,
        deed: PhoneDeed,
        key: Option<&Key>,
    ) -> Result<PhoneSettled, AppError> {
        let kit = self.kit();
        let settle = Settle { kit: kit.clone(), who: who.clone(), member: id.clone(), deed };
        Ok(self.run_once(&kit, who, key, settle).await?.into_inner())
    }
}
