//! Changes of telephone numbers that wait until the office has called back, and how they ended. Who may end them is
//! `app::people::phone_change`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::ids::{AssociationId, CallId, MemberId, PhoneChangeId};
use crate::time::Millis;

statements! {
    PHONE_CHANGE_ADD = "INSERT INTO phone_change (association_id, phone_change_id, member_id, phone, mail, asked_by, asked_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    PHONE_CHANGE_BY_ID = "SELECT phone_change_id, member_id, phone, mail, asked_by, asked_at_ms, called, called_number, call_id, ended, ended_by, ended_at_ms FROM phone_change WHERE association_id = $1 AND phone_change_id = $2";
    PHONE_CHANGE_WAITING = "SELECT phone_change_id, member_id, phone, mail, asked_by, asked_at_ms, called, called_number, call_id, ended, ended_by, ended_at_ms FROM phone_change WHERE association_id = $1 AND member_id = $2 AND ended_at_ms IS NULL";
    PHONE_CHANGES_WAITING = "SELECT phone_change_id, member_id, phone, mail, asked_by, asked_at_ms, called, called_number, call_id, ended, ended_by, ended_at_ms FROM phone_change WHERE association_id = $1 AND ended_at_ms IS NULL ORDER BY phone_change_id";
    PHONE_CHANGE_END = "UPDATE phone_change SET called = COALESCE($3, called), called_number = COALESCE($4, called_number), ended = $5, ended_by = $6, ended_at_ms = $7 WHERE association_id = $1 AND phone_change_id = $2 AND ended_at_ms IS NULL";
    PHONE_CHANGE_BY_CALL = "SELECT phone_change_id, member_id, phone, mail, asked_by, asked_at_ms, called, called_number, call_id, ended, ended_by, ended_at_ms FROM phone_change WHERE association_id = $1 AND call_id = $2 AND ended_at_ms IS NULL";
    PHONE_CHANGE_CALLED = "UPDATE phone_change SET called = $3, called_number = $4, call_id = $5 WHERE association_id = $1 AND phone_change_id = $2 AND ended_at_ms IS NULL";
    PHONE_CHANGES_FORGET = "DELETE FROM phone_change WHERE asked_at_ms < $1";
    MEMBER_PHONE_SET = "UPDATE member SET phone = $3, revision = revision + 1 WHERE association_id = $1 AND member_id = $2 AND left_at_ms IS NULL";
}

/// A change of somebody's telephone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneChange {
    pub id: PhoneChangeId,
    pub member: MemberId,
    /// The new number, sealed; `None`: the old one is to go.
    pub phone: Option<Vec<u8>>,
    /// The mail address known when the change was asked for: the person is told there.
    pub mail: Option<String>,
    /// The actor, as in the audit.
    pub asked_by: String,
    pub asked: Millis,
    /// The line on which the office called back.
    pub called: Option<String>,
    /// The number that was called, sealed.
    pub called_number: Option<Vec<u8>>,
    /// The call that rings the new number, once the office has called back.
    pub call: Option<CallId>,
    /// How it ended, by whom.
    pub ended: Option<(String, String)>,
    pub ended_at: Option<Millis>,
}

fn phone_change(row: &Row) -> Result<PhoneChange, StoreError> {
    let (how, by) = (row.opt_text("ended")?, row.opt_text("ended_by")?);
    Ok(PhoneChange {
        id: row.id("phone_change_id", PhoneChangeId::from_stored)?,
        member: row.id("member_id", MemberId::from_stored)?,
        phone: row.opt_bytes("phone")?,
        mail: row.opt_text("mail")?,
        asked_by: row.text("asked_by")?,
        asked: row.millis("asked_at_ms")?,
        called: row.opt_text("called")?,
        called_number: row.opt_bytes("called_number")?,
        call: match row.opt_text("call_id")? {
            Some(_) => Some(row.id("call_id", CallId::from_stored)?),
            None => None,
        },
        ended: how.zip(by),
        ended_at: row.opt_millis("ended_at_ms")?,
    })
}

/// Writes a change that waits.
///
/// # Errors
/// The database's; one that waits already.
pub async fn phone_change_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &PhoneChange,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.member.as_str(),
        new.phone.clone(),
        new.mail.as_deref(),
        new.asked_by.as_str(),
        new.asked,
    ];
    tx.exec(&PHONE_CHANGE_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn phone_change_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &PhoneChangeId,
) -> Result<Option<PhoneChange>, StoreError> {
    let row = conn.one(&PHONE_CHANGE_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(phone_change).transpose()
}

/// The change of a person that waits.
///
/// # Errors
/// The database's.
pub async fn phone_change_waiting(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Option<PhoneChange>, StoreError> {
    let row = conn.one(&PHONE_CHANGE_WAITING, values![association.as_str(), member.as_str()]).await?;
    row.as_ref().map(phone_change).transpose()
}

/// Every change that waits, oldest first.
///
/// # Errors
/// The database's.
pub async fn phone_changes_waiting(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<PhoneChange>, StoreError> {
    let rows = conn.all(&PHONE_CHANGES_WAITING, values![association.as_str()]).await?;
    rows.iter().map(phone_change).collect()
}

/// The change whose new number this call rings.
///
/// # Errors
/// The database's.
pub async fn phone_change_by_call(
    conn: &mut Conn,
    association: &AssociationId,
    call: &CallId,
) -> Result<Option<PhoneChange>, StoreError> {
    let row = conn.one(&PHONE_CHANGE_BY_CALL, values![association.as_str(), call.as_str()]).await?;
    row.as_ref().map(phone_change).transpose()
}

/// The office called back on this line; the new number is rung by this call. `false`: the change was over.
///
/// # Errors
/// The database's.
pub async fn phone_change_called(
    tx: &mut Conn,
    association: &AssociationId,
    id: &PhoneChangeId,
    (line, number): (&'static str, Vec<u8>),
    call: &CallId,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), line, number, call.as_str()];
    Ok(tx.exec(&PHONE_CHANGE_CALLED, params).await? == 1)
}

/// How a change ends.
#[derive(Clone, Debug)]
pub struct PhoneChangeEnd<'a> {
    /// `changed`, `dropped`, `replaced`.
    pub how: &'static str,
    /// The actor, as in the audit.
    pub by: &'a str,
    /// The line on which the office called back, and its number, sealed.
    pub called: Option<(&'static str, Vec<u8>)>,
    pub at: Millis,
}

/// Ends a change. `false`: it was over.
///
/// # Errors
/// The database's.
pub async fn phone_change_end(
    tx: &mut Conn,
    association: &AssociationId,
    id: &PhoneChangeId,
    end: &PhoneChangeEnd<'_>,
) -> Result<bool, StoreError> {
    let (line, number) = end.called.clone().unzip();
    let params = values![association.as_str(), id.as_str(), line, number, end.how, end.by, end.at];
    Ok(tx.exec(&PHONE_CHANGE_END, params).await? == 1)
}

/// Deletes changes that were asked for before `before`, however they ended.
///
/// # Errors
/// The database's.
pub async fn phone_changes_forget(tx: &mut Conn, before: Millis) -> Result<u64, StoreError> {
    tx.exec(&PHONE_CHANGES_FORGET, values![before]).await
}

/// Writes somebody's number alone. `false`: they are gone.
///
/// # Errors
/// The database's.
pub async fn member_phone_set(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    phone: Option<Vec<u8>>,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&MEMBER_PHONE_SET, values![association.as_str(), member.as_str(), phone]).await? == 1)
}
