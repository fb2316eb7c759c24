//! The directory beside the entries themselves: bank accounts, care groups, contact windows, who looks after
//! an entry and who was asked to. What may be done is `domain::people::directory` and `app::directory`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::calendar::CivilDate;
use crate::domain::people::SpecialtyOffer;
use crate::domain::people::contact_window::ContactWindow;
use crate::domain::people::directory::Membership;
use crate::ids::{AssociationId, CareGroupId, InstitutionId, LinkId, MemberId};
use crate::time::Millis;

statements! {
    INSTITUTION_BANK = "SELECT bank FROM institution WHERE association_id = $1 AND institution_id = $2";
    INSTITUTION_BANK_SET = "UPDATE institution SET bank = $4, revision = revision + 1 WHERE association_id = $1 AND institution_id = $2 AND revision = $3";
    INSTITUTION_CLOSE = "UPDATE institution SET closed_at_ms = $4, revision = revision + 1 WHERE association_id = $1 AND institution_id = $2 AND revision = $3 AND closed_at_ms IS NULL";
    INSTITUTION_REOPEN = "UPDATE institution SET closed_at_ms = NULL, revision = revision + 1 WHERE association_id = $1 AND institution_id = $2 AND revision = $3 AND closed_at_ms IS NOT NULL";
    INSTITUTION_REVIEWED = "UPDATE institution SET reviewed_at_ms = $3 WHERE association_id = $1 AND institution_id = $2 AND closed_at_ms IS NULL";
    SPECIALTIES_OF_ALL = "SELECT member_id, body FROM member_specialty WHERE association_id = $1 ORDER BY member_id, specialty";
    CARE_GROUP_ADD = "INSERT INTO care_group (association_id, care_group_id, name, note, revision, created_at_ms) VALUES ($1, $2, $3, $4, 0, $5)";
    CARE_GROUP_CHANGE = "UPDATE care_group SET name = $4, note = $5, revision = revision + 1 WHERE association_id = $1 AND care_group_id = $2 AND revision = $3";
    CARE_GROUPS = "SELECT care_group_id, name, note, revision FROM care_group WHERE association_id = $1 ORDER BY care_group_id";
    // Taken before an institution joins: two that join at the same time wait for each other.
    CARE_GROUPS_LOCK =
        "SELECT 1 AS locked WHERE $1 IS NOT NULL",
        "SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(hashtextextended($1, 8452773))) AS l";
    CARE_GROUP_INSTITUTIONS = "SELECT care_group_id, institution_id, from_day, until_day FROM care_group_institution WHERE association_id = $1 ORDER BY care_group_id, from_day, institution_id";
    CARE_GROUP_JOIN = "INSERT INTO care_group_institution (association_id, care_group_id, institution_id, from_day, until_day) VALUES ($1, $2, $3, $4, $5)";
    CARE_GROUP_LEAVE = "UPDATE care_group_institution SET until_day = $5 WHERE association_id = $1 AND care_group_id = $2 AND institution_id = $3 AND from_day = $4";
    CARE_GROUP_FORGET = "DELETE FROM care_group_institution WHERE association_id = $1 AND care_group_id = $2 AND institution_id = $3 AND from_day = $4";
    CONTACT_WINDOWS_OF = "SELECT member_id, windows, revision FROM contact_windows WHERE association_id = $1 AND member_id = $2 AND fiscal_year = $3";
    CONTACT_WINDOWS_OF_YEAR = "SELECT member_id, windows, revision FROM contact_windows WHERE association_id = $1 AND fiscal_year = $2 ORDER BY member_id";
    CONTACT_WINDOWS_REPLACE = "INSERT INTO contact_windows (association_id, member_id, fiscal_year, windows, revision) VALUES ($1, $2, $3, $4, 1) ON CONFLICT (association_id, member_id, fiscal_year) DO UPDATE SET windows = excluded.windows, revision = contact_windows.revision + 1";
    ENTRY_OWNER_SET = "INSERT INTO entry_owner (association_id, institution_id, member_id) VALUES ($1, $2, $3) ON CONFLICT (association_id, institution_id) DO UPDATE SET member_id = excluded.member_id";
    ENTRY_OWNER_CLEAR = "DELETE FROM entry_owner WHERE association_id = $1 AND institution_id = $2";
    ENTRY_OWNERS = "SELECT institution_id, member_id FROM entry_owner WHERE association_id = $1";
    ENTRY_ROUND_BEGIN = "INSERT INTO entry_round (association_id, round, begun_at_ms) VALUES ($1, $2, $3) ON CONFLICT (association_id, round) DO NOTHING";
    ENTRY_ASK_ADD = "INSERT INTO entry_ask (association_id, member_id, round, link_id, asked_at_ms) VALUES ($1, $2, $3, $4, $5)";
    ENTRY_ASKS_LAST = "SELECT member_id, MAX(asked_at_ms) AS asked_at_ms FROM entry_ask WHERE association_id = $1 GROUP BY member_id";
}

/// The sealed bank account of an institution.
///
/// # Errors
/// The database's.
pub async fn institution_bank(
    conn: &mut Conn,
    association: &AssociationId,
    id: &InstitutionId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = conn.one(&INSTITUTION_BANK, values![association.as_str(), id.as_str()]).await?;
    row.map_or(Ok(None), |r| r.opt_bytes("bank"))
}

/// Writes or clears the bank account. `false`: the institution is not at `revision` any more.
///
/// # Errors
/// The database's.
pub async fn institution_bank_set(
    tx: &mut Conn,
    association: &AssociationId,
    id: &InstitutionId,
    revision: i64,
    sealed: Option<Vec<u8>>,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), revision, sealed];
    Ok(tx.exec(&INSTITUTION_BANK_SET, params).await? == 1)
}

/// Closes an institution. `false`: it is not at `revision`, or closed.
///
/// # Errors
/// The database's.
pub async fn institution_close(
    tx: &mut Conn,
    association: &AssociationId,
    id: &InstitutionId,
    revision: i64,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), id.as_str(), revision, now];
    Ok(tx.exec(&INSTITUTION_CLOSE, params).await? == 1)
}

/// Opens a closed institution again. `false`: it is not at `revision`, or open.
///
/// # Errors
/// The database's.
pub async fn institution_reopen(
    tx: &mut Conn,
    association: &AssociationId,
    id: &InstitutionId,
    revision: i64,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&INSTITUTION_REOPEN, values![association.as_str(), id.as_str(), revision]).await? == 1)
}

/// Notes that the entry was looked at and is right. `false`: no such open institution.
///
/// # Errors
/// The database's.
pub async fn institution_reviewed(
    tx: &mut Conn,
    association: &AssociationId,
    id: &InstitutionId,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&INSTITUTION_REVIEWED, values![association.as_str(), id.as_str(), now]).await? == 1)
}

/// What everybody volunteers for.
///
/// # Errors
/// The database's.
pub async fn specialties_of_all(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<(MemberId, SpecialtyOffer)>, StoreError> {
    let rows = conn.all(&SPECIALTIES_OF_ALL, values![association.as_str()]).await?;
    rows.iter().map(|r| Ok((r.id("member_id", MemberId::from_stored)?, r.json("body")?))).collect()
}

/// A care group (在宅支援連携体制).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CareGroup {
    pub id: CareGroupId,
    pub name: String,
    pub note: String,
    /// Grows with each change of name or note.
    pub revision: i64,
}

/// # Errors
/// The database's.
pub async fn care_group_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &CareGroup,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), new.id.as_str(), new.name.as_str(), new.note.as_str(), now];
    tx.exec(&CARE_GROUP_ADD, params).await.map(drop)
}

/// `false`: the group is not at `changed.revision` any more.
///
/// # Errors
/// The database's.
pub async fn care_group_change(
    tx: &mut Conn,
    association: &AssociationId,
    changed: &CareGroup,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        changed.id.as_str(),
        changed.revision,
        changed.name.as_str(),
        changed.note.as_str(),
    ];
    Ok(tx.exec(&CARE_GROUP_CHANGE, params).await? == 1)
}

/// # Errors
/// The database's.
pub async fn care_groups(conn: &mut Conn, association: &AssociationId) -> Result<Vec<CareGroup>, StoreError> {
    let rows = conn.all(&CARE_GROUPS, values![association.as_str()]).await?;
    let group = |r: &Row| {
        Ok(CareGroup {
            id: r.id("care_group_id", CareGroupId::from_stored)?,
            name: r.text("name")?,
            note: r.text("note")?,
            revision: r.int("revision")?,
        })
    };
    rows.iter().map(group).collect()
}

/// Makes who changes the association's groups at the same time wait.
///
/// # Errors
/// The database's.
pub async fn care_groups_lock(tx: &mut Conn, association: &AssociationId) -> Result<(), StoreError> {
    tx.all(&CARE_GROUPS_LOCK, values![format!("care_groups {association}")]).await.map(drop)
}

/// Every institution's times in every group, past and to come.
///
/// # Errors
/// The database's.
pub async fn care_group_institutions(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<Membership>, StoreError> {
    let rows = conn.all(&CARE_GROUP_INSTITUTIONS, values![association.as_str()]).await?;
    let day = |text: &str| {
        text.parse::<CivilDate>().map_err(|e| StoreError::corrupt("care_group_institution", text, e))
    };
    let membership = |r: &Row| {
        Ok(Membership {
            group: r.id("care_group_id", CareGroupId::from_stored)?,
            institution: r.id("institution_id", InstitutionId::from_stored)?,
            from: day(&r.text("from_day")?)?,
            until: r.opt_text("until_day")?.as_deref().map(day).transpose()?,
        })
    };
    rows.iter().map(membership).collect()
}

/// # Errors
/// The database's.
pub async fn care_group_join(
    tx: &mut Conn,
    association: &AssociationId,
    new: &Membership,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.group.as_str(),
        new.institution.as_str(),
        new.from.to_string(),
        new.until.map(|d| d.to_string()),
    ];
    tx.exec(&CARE_GROUP_JOIN, params).await.map(drop)
}

/// Sets the last day of a membership; one that would end before it began is forgotten.
///
/// # Errors
/// The database's.
pub async fn care_group_leave(
    tx: &mut Conn,
    association: &AssociationId,
    membership: &Membership,
    until: CivilDate,
) -> Result<bool, StoreError> {
    let (group, institution) = (membership.group.as_str(), membership.institution.as_str());
    let from = membership.from.to_string();
    let done = if until < membership.from {
        tx.exec(&CARE_GROUP_FORGET, values![association.as_str(), group, institution, from]).await?
    } else {
        let until = until.to_string();
        tx.exec(&CARE_GROUP_LEAVE, values![association.as_str(), group, institution, from, until]).await?
    };
    Ok(done == 1)
}

/// A doctor's contact windows of a fiscal year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YearWindows {
    pub member: MemberId,
    pub windows: Vec<ContactWindow>,
    /// Grows with each change; 0 = never written.
    pub revision: i64,
}

fn year_windows(row: &Row) -> Result<YearWindows, StoreError> {
    Ok(YearWindows {
        member: row.id("member_id", MemberId::from_stored)?,
        windows: row.json("windows")?,
        revision: row.int("revision")?,
    })
}

/// The windows of one doctor in the fiscal year that begins in `fiscal_year`.
///
/// # Errors
/// The database's.
pub async fn contact_windows_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    fiscal_year: i32,
) -> Result<YearWindows, StoreError> {
    let params = values![association.as_str(), member.as_str(), i64::from(fiscal_year)];
    match conn.one(&CONTACT_WINDOWS_OF, params).await? {
        Some(row) => year_windows(&row),
        None => Ok(YearWindows { member: member.clone(), windows: Vec::new(), revision: 0 }),
    }
}

/// The windows of everybody who has some in the fiscal year that begins in `fiscal_year`.
///
/// # Errors
/// The database's.
pub async fn contact_windows_of_year(
    conn: &mut Conn,
    association: &AssociationId,
    fiscal_year: i32,
) -> Result<Vec<YearWindows>, StoreError> {
    let params = values![association.as_str(), i64::from(fiscal_year)];
    conn.all(&CONTACT_WINDOWS_OF_YEAR, params).await?.iter().map(year_windows).collect()
}

/// Writes the windows of a doctor's fiscal year anew, whatever stood there.
///
/// # Errors
/// The database's.
pub async fn contact_windows_replace(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    fiscal_year: i32,
    windows: &[ContactWindow],
) -> Result<(), StoreError> {
    let text =
        serde_json::to_string(windows).map_err(|e| StoreError::corrupt("contact_windows", member, e))?;
    let params = values![association.as_str(), member.as_str(), i64::from(fiscal_year), text];
    tx.exec(&CONTACT_WINDOWS_REPLACE, params).await.map(drop)
}

/// Says who looks after an entry; `None` = whoever comes first of its people.
///
/// # Errors
/// The database's.
pub async fn entry_owner_set(
    tx: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    owner: Option<&MemberId>,
) -> Result<(), StoreError> {
    match owner {
        Some(owner) => {
            tx.exec(&ENTRY_OWNER_SET, values![association.as_str(), institution.as_str(), owner.as_str()])
                .await
        }
        None => tx.exec(&ENTRY_OWNER_CLEAR, values![association.as_str(), institution.as_str()]).await,
    }
    .map(drop)
}

/// Who was said to look after which entry.
///
/// # Errors
/// The database's.
pub async fn entry_owners(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<(InstitutionId, MemberId)>, StoreError> {
    let rows = conn.all(&ENTRY_OWNERS, values![association.as_str()]).await?;
    rows.iter()
        .map(|r| {
            let institution = r.id("institution_id", InstitutionId::from_stored)?;
            Ok((institution, r.id("member_id", MemberId::from_stored)?))
        })
        .collect()
}

/// Begins a round. `false`: it was begun before.
///
/// # Errors
/// The database's.
pub async fn entry_round_begin(
    tx: &mut Conn,
    association: &AssociationId,
    round: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&ENTRY_ROUND_BEGIN, values![association.as_str(), round, now]).await? == 1)
}

/// Notes that a person was asked in a round.
///
/// # Errors
/// The database's; a person who was asked in this round.
pub async fn entry_ask_add(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    round: &str,
    link: &LinkId,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), member.as_str(), round, link.as_str(), now];
    tx.exec(&ENTRY_ASK_ADD, params).await.map(drop)
}

/// When each person was last asked.
///
/// # Errors
/// The database's.
pub async fn entry_asks_last(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<(MemberId, Millis)>, StoreError> {
    let rows = conn.all(&ENTRY_ASKS_LAST, values![association.as_str()]).await?;
    rows.iter().map(|r| Ok((r.id("member_id", MemberId::from_stored)?, r.millis("asked_at_ms")?))).collect()
}
