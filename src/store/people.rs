//! Associations, institutions and members. What they may do is `domain::people` and `app`.

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::people::entry::{InstitutionEntry, MemberProfile, OfficeEntry};
use crate::domain::people::{Role, SpecialtyOffer, Volunteer};
use crate::i18n::Lang;
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::time::Millis;

statements! {
    ASSOCIATION_ADD = "INSERT INTO association (association_id, code, name, zone, office_phone, lang, office, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    ASSOCIATION_BY_ID = "SELECT association_id, code, name, zone, office_phone, lang, office, revision FROM association WHERE association_id = $1";
    ASSOCIATION_BY_CODE = "SELECT association_id, code, name, zone, office_phone, lang, office, revision FROM association WHERE code = $1";
    ASSOCIATIONS = "SELECT association_id, code, name, zone, office_phone, lang, office, revision FROM association ORDER BY code";
    ASSOCIATION_CHANGE = "UPDATE association SET name = $3, office_phone = $4, office = $5, revision = revision + 1 WHERE association_id = $1 AND revision = $2";
    CASE_COUNTER_TAKE = "INSERT INTO case_counter (association_id, fiscal_year, next) VALUES ($1, $2, 2) ON CONFLICT (association_id, fiscal_year) DO UPDATE SET next = case_counter.next + 1 RETURNING next - 1 AS n";
    INSTITUTION_ADD = "INSERT INTO institution (association_id, institution_id, name, kind, area, city_code, phone, kana, code, fax, entry, created_at_ms, reviewed_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";
    INSTITUTION_BY_ID = "SELECT institution_id, name, kind, area, city_code, phone, kana, code, fax, entry, revision, reviewed_at_ms, closed_at_ms FROM institution WHERE association_id = $1 AND institution_id = $2";
    INSTITUTIONS_AFTER = "SELECT institution_id, name, kind, area, city_code, phone, kana, code, fax, entry, revision, reviewed_at_ms, closed_at_ms FROM institution WHERE association_id = $1 AND institution_id > $2 ORDER BY institution_id LIMIT $3";
    INSTITUTION_CHANGE = "UPDATE institution SET name = $4, kind = $5, area = $6, city_code = $7, phone = $8, kana = $9, code = $10, fax = $11, entry = $12, reviewed_at_ms = $13, revision = revision + 1 WHERE association_id = $1 AND institution_id = $2 AND revision = $3";
    INSTITUTION_BY_CODE = "SELECT institution_id FROM institution WHERE association_id = $1 AND code = $2";
    MEMBER_ADD = "INSERT INTO member (association_id, member_id, institution_id, name, kana, email, email_key, phone, roles, lang, active_from_ms, pin_version, pin_failures, member_no, fax, profile, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12, $13, $14, $11)";
    MEMBER_CHANGE = "UPDATE member SET institution_id = $4, name = $5, kana = $6, email = $7, email_key = $8, phone = $9, roles = $10, lang = $11, member_no = $12, fax = $13, profile = $14, revision = revision + 1 WHERE association_id = $1 AND member_id = $2 AND revision = $3 AND left_at_ms IS NULL";
    MEMBER_BY_NO = "SELECT member_id FROM member WHERE association_id = $1 AND member_no = $2 AND left_at_ms IS NULL";
    MEMBER_BY_ID = "SELECT member_id, institution_id, name, kana, email, phone, roles, lang, active_from_ms, left_at_ms, pin_hash, pin_version, pin_failures, mail_failing_since_ms, member_no, fax, profile, revision FROM member WHERE association_id = $1 AND member_id = $2";
    MEMBERS_AFTER = "SELECT member_id, institution_id, name, kana, email, phone, roles, lang, active_from_ms, left_at_ms, pin_hash, pin_version, pin_failures, mail_failing_since_ms, member_no, fax, profile, revision FROM member WHERE association_id = $1 AND member_id > $2 ORDER BY member_id LIMIT $3";
    MEMBERS_BY_EMAIL = "SELECT member_id, institution_id, name, kana, email, phone, roles, lang, active_from_ms, left_at_ms, pin_hash, pin_version, pin_failures, mail_failing_since_ms, member_no, fax, profile, revision FROM member WHERE association_id = $1 AND email_key = $2 AND left_at_ms IS NULL ORDER BY member_id LIMIT 20";
    MEMBER_PIN_SET = "UPDATE member SET pin_hash = $3, pin_version = pin_version + 1, pin_failures = 0 WHERE association_id = $1 AND member_id = $2";
    MEMBER_PIN_FAILED = "UPDATE member SET pin_failures = pin_failures + 1 WHERE association_id = $1 AND member_id = $2 RETURNING pin_failures";
    MEMBER_PIN_RIGHT = "UPDATE member SET pin_failures = 0 WHERE association_id = $1 AND member_id = $2 AND pin_failures > 0";
    MEMBER_LEAVES = "UPDATE member SET left_at_ms = $3 WHERE association_id = $1 AND member_id = $2 AND left_at_ms IS NULL";
    MEMBER_MAIL_FAILING = "UPDATE member SET mail_failing_since_ms = $3 WHERE association_id = $1 AND member_id = $2 AND mail_failing_since_ms IS NULL";
    MEMBER_MAIL_WORKS = "UPDATE member SET mail_failing_since_ms = NULL WHERE association_id = $1 AND member_id = $2 AND mail_failing_since_ms IS NOT NULL";
    SPECIALTY_SET = "INSERT INTO member_specialty (association_id, member_id, specialty, body) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, member_id, specialty) DO UPDATE SET body = excluded.body";
    SPECIALTIES_CLEAR = "DELETE FROM member_specialty WHERE association_id = $1 AND member_id = $2";
    SPECIALTIES_OF_MEMBER = "SELECT body FROM member_specialty WHERE association_id = $1 AND member_id = $2 ORDER BY specialty";
    SPECIALTIES_IN_USE = "SELECT specialty, COUNT(*) AS n FROM member_specialty WHERE association_id = $1 GROUP BY specialty ORDER BY specialty";
    // The load counts what keeps the asking fair: accepted this month, asked of late.
    VOLUNTEERS = "SELECT m.member_id, m.institution_id, m.email, m.active_from_ms, m.left_at_ms, m.mail_failing_since_ms, s.body, (SELECT COUNT(*) FROM acceptance a WHERE a.association_id = m.association_id AND a.member_id = m.member_id AND a.claim_slot IS NOT NULL AND a.released_at_ms IS NULL AND a.at_ms >= $3) AS taken, (SELECT COUNT(*) FROM offer o WHERE o.association_id = m.association_id AND o.member_id = m.member_id AND o.asked_at_ms >= $4) AS asked FROM member_specialty s JOIN member m ON m.association_id = s.association_id AND m.member_id = s.member_id WHERE s.association_id = $1 AND s.specialty = $2 ORDER BY s.member_id";
    MEMBERS_WITH_ROLE = "SELECT member_id FROM member WHERE association_id = $1 AND roles LIKE $2 AND left_at_ms IS NULL AND active_from_ms <= $3 ORDER BY member_id";
}

/// A district medical association (地区医師会).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    pub id: AssociationId,
    pub code: String,
    pub name: String,
    pub zone: chrono_tz::Tz,
    /// Shown on every page and in every mail.
    pub office_phone: String,
    pub lang: Lang,
    /// What else the office says of itself.
    pub office: OfficeEntry,
    /// Grows with each change of the office's texts; a change made from an older one is refused.
    pub revision: i64,
}

fn association(row: &Row) -> Result<Association, StoreError> {
    let code = row.text("code")?;
    let zone = row.text("zone")?;
    Ok(Association {
        id: row.id("association_id", AssociationId::from_stored)?,
        name: row.text("name")?,
        zone: zone
            .parse()
            .map_err(|e: chrono_tz::ParseError| StoreError::corrupt("association", &code, e))?,
        code,
        office_phone: row.text("office_phone")?,
        lang: Lang::from_tag(&row.text("lang")?).unwrap_or_default(),
        office: row.json("office")?,
        revision: row.int("revision")?,
    })
}

/// # Errors
/// The database's; a code that is taken.
pub async fn association_add(tx: &mut Conn, new: &Association, now: Millis) -> Result<(), StoreError> {
    let params = values![
        new.id.as_str(),
        new.code.as_str(),
        new.name.as_str(),
        new.zone.name(),
        new.office_phone.as_str(),
        new.lang.tag(),
        json_text(&new.office),
        now,
    ];
    tx.exec(&ASSOCIATION_ADD, params).await.map(drop)
}

/// Writes the name and the office's texts anew. `false`: they are not at `changed.revision` any more.
///
/// # Errors
/// The database's.
pub async fn association_change(tx: &mut Conn, changed: &Association) -> Result<bool, StoreError> {
    let params = values![
        changed.id.as_str(),
        changed.revision,
        changed.name.as_str(),
        changed.office_phone.as_str(),
        json_text(&changed.office),
    ];
    Ok(tx.exec(&ASSOCIATION_CHANGE, params).await? == 1)
}

/// # Errors
/// The database's.
pub async fn association_by_id(
    conn: &mut Conn,
    id: &AssociationId,
) -> Result<Option<Association>, StoreError> {
    conn.one(&ASSOCIATION_BY_ID, values![id.as_str()]).await?.as_ref().map(association).transpose()
}

/// # Errors
/// The database's.
pub async fn association_by_code(conn: &mut Conn, code: &str) -> Result<Option<Association>, StoreError> {
    conn.one(&ASSOCIATION_BY_CODE, values![code]).await?.as_ref().map(association).transpose()
}

/// Every association of this installation.
///
/// # Errors
/// The database's.
pub async fn associations(conn: &mut Conn) -> Result<Vec<Association>, StoreError> {
    conn.all(&ASSOCIATIONS, &[]).await?.iter().map(association).collect()
}

/// The next case number of the fiscal year, counted from 1.
///
/// # Errors
/// The database's.
pub async fn case_counter_take(
    tx: &mut Conn,
    association: &AssociationId,
    fiscal_year: i32,
) -> Result<i64, StoreError> {
    let row = tx.one(&CASE_COUNTER_TAKE, values![association.as_str(), i64::from(fiscal_year)]).await?;
    row.map_or(Ok(1), |r| r.int("n"))
}

/// An institution (医療機関).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    pub id: InstitutionId,
    pub name: String,
    /// A code such as `clinic`, `hospital`, `nursing_station`.
    pub kind: String,
    pub area: String,
    /// The municipality's code (全国地方公共団体コード), or empty.
    pub city_code: String,
    /// Sealed.
    pub phone: Option<Vec<u8>>,
    pub kana: String,
    /// 保険医療機関コード, ten digits, or empty.
    pub code: String,
    /// Sealed.
    pub fax: Option<Vec<u8>>,
    pub entry: InstitutionEntry,
    /// Grows with each change; a change made from an older one is refused.
    pub revision: i64,
    /// When somebody last said that the entry is right.
    pub reviewed: Option<Millis>,
    /// It is gone; its name stays where it stood.
    pub closed: Option<Millis>,
}

fn institution(row: &Row) -> Result<Institution, StoreError> {
    Ok(Institution {
        id: row.id("institution_id", InstitutionId::from_stored)?,
        name: row.text("name")?,
        kind: row.text("kind")?,
        area: row.text("area")?,
        city_code: row.text("city_code")?,
        phone: row.opt_bytes("phone")?,
        kana: row.text("kana")?,
        code: row.text("code")?,
        fax: row.opt_bytes("fax")?,
        entry: row.json("entry")?,
        revision: row.int("revision")?,
        reviewed: row.opt_millis("reviewed_at_ms")?,
        closed: row.opt_millis("closed_at_ms")?,
    })
}

/// # Errors
/// The database's.
pub async fn institution_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &Institution,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.name.as_str(),
        new.kind.as_str(),
        new.area.as_str(),
        new.city_code.as_str(),
        new.phone.clone(),
        new.kana.as_str(),
        new.code.as_str(),
        new.fax.clone(),
        json_text(&new.entry),
        now,
    ];
    tx.exec(&INSTITUTION_ADD, params).await.map(drop)
}

/// Writes all of an institution anew but its bank account. `false`: it is not at `changed.revision` any more.
///
/// # Errors
/// The database's.
pub async fn institution_change(
    tx: &mut Conn,
    association: &AssociationId,
    changed: &Institution,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        changed.id.as_str(),
        changed.revision,
        changed.name.as_str(),
        changed.kind.as_str(),
        changed.area.as_str(),
        changed.city_code.as_str(),
        changed.phone.clone(),
        changed.kana.as_str(),
        changed.code.as_str(),
        changed.fax.clone(),
        json_text(&changed.entry),
        now,
    ];
    Ok(tx.exec(&INSTITUTION_CHANGE, params).await? == 1)
}

/// The institution with this 保険医療機関コード.
///
/// # Errors
/// The database's.
pub async fn institution_by_code(
    conn: &mut Conn,
    association: &AssociationId,
    code: &str,
) -> Result<Option<InstitutionId>, StoreError> {
    let row = conn.one(&INSTITUTION_BY_CODE, values![association.as_str(), code]).await?;
    row.map(|r| r.id("institution_id", InstitutionId::from_stored)).transpose()
}

/// Plain data of ours as JSON: maps with text keys, which cannot fail.
fn json_text(data: &impl serde::Serialize) -> String {
    serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned())
}

/// # Errors
/// The database's.
pub async fn institution_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &InstitutionId,
) -> Result<Option<Institution>, StoreError> {
    let row = conn.one(&INSTITUTION_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(institution).transpose()
}

/// In the order of ids, after `after` (empty: from the start), at most `limit`.
///
/// # Errors
/// The database's.
pub async fn institutions_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<Institution>, StoreError> {
    let rows = conn.all(&INSTITUTIONS_AFTER, values![association.as_str(), after, limit]).await?;
    rows.iter().map(institution).collect()
}

/// A member (会員, 利用者).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: MemberId,
    pub institution: Option<InstitutionId>,
    pub name: String,
    pub kana: String,
    /// As typed; old carrier addresses break the rules and are kept.
    pub email: Option<String>,
    /// Sealed.
    pub phone: Option<Vec<u8>>,
    pub roles: Vec<Role>,
    pub lang: Lang,
    pub active_from: Millis,
    pub left_at: Option<Millis>,
    pub pin_hash: Option<String>,
    /// Grows with each new PIN; a proof against an older one no longer counts.
    pub pin_version: i64,
    /// Wrong PINs in a row.
    pub pin_failures: i64,
    pub mail_failing_since: Option<Millis>,
    /// 会員番号, or empty.
    pub member_no: String,
    /// Sealed.
    pub fax: Option<Vec<u8>>,
    pub profile: MemberProfile,
    /// Grows with each change; a change made from an older one is refused.
    pub revision: i64,
}

impl Member {
    /// A member in good standing at `at`.
    #[must_use]
    pub fn is_active(&self, at: Millis) -> bool {
        self.active_from <= at && self.left_at.is_none_or(|left| at < left)
    }

    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// May see every request of the association.
    #[must_use]
    pub fn is_office(&self) -> bool {
        self.roles.iter().any(|r| r.is_office())
    }
}

/// Roles as they are stored: `,clerk,physician,`, so that one of them can be looked for.
pub(super) fn roles_text(roles: &[Role]) -> String {
    let mut codes: Vec<&str> = roles.iter().map(|r| r.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    format!(",{},", codes.join(","))
}

fn member(row: &Row) -> Result<Member, StoreError> {
    let id = row.id("member_id", MemberId::from_stored)?;
    let roles = row
        .text("roles")?
        .split(',')
        .filter(|c| !c.is_empty())
        .map(|c| Role::from_code(c).ok_or_else(|| StoreError::corrupt("member", &id, format!("role {c}"))))
        .collect::<Result<_, _>>()?;
    Ok(Member {
        institution: row.opt_id("institution_id", InstitutionId::from_stored)?,
        name: row.text("name")?,
        kana: row.text("kana")?,
        email: row.opt_text("email")?,
        phone: row.opt_bytes("phone")?,
        roles,
        lang: Lang::from_tag(&row.text("lang")?).unwrap_or_default(),
        active_from: row.millis("active_from_ms")?,
        left_at: row.opt_millis("left_at_ms")?,
        pin_hash: row.opt_text("pin_hash")?,
        pin_version: row.int("pin_version")?,
        pin_failures: row.int("pin_failures")?,
        mail_failing_since: row.opt_millis("mail_failing_since_ms")?,
        member_no: row.text("member_no")?,
        fax: row.opt_bytes("fax")?,
        profile: row.json("profile")?,
        revision: row.int("revision")?,
        id,
    })
}

/// How addresses are compared: without case and surrounding space.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// # Errors
/// The database's.
pub async fn member_add(tx: &mut Conn, association: &AssociationId, new: &Member) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.institution.as_ref().map(InstitutionId::as_str),
        new.name.as_str(),
        new.kana.as_str(),
        new.email.as_deref(),
        new.email.as_deref().map(email_key),
        new.phone.clone(),
        roles_text(&new.roles),
        new.lang.tag(),
        new.active_from,
        new.member_no.as_str(),
        new.fax.clone(),
        json_text(&new.profile),
    ];
    tx.exec(&MEMBER_ADD, params).await.map(drop)
}

/// Writes what is known of a member anew, not what proves who they are. `false`: they are not at
/// `changed.revision` any more, or left.
///
/// # Errors
/// The database's.
pub async fn member_change(
    tx: &mut Conn,
    association: &AssociationId,
    changed: &Member,
) -> Result<bool, StoreError> {
    let params = values![
        association.as_str(),
        changed.id.as_str(),
        changed.revision,
        changed.institution.as_ref().map(InstitutionId::as_str),
        changed.name.as_str(),
        changed.kana.as_str(),
        changed.email.as_deref(),
        changed.email.as_deref().map(email_key),
        changed.phone.clone(),
        roles_text(&changed.roles),
        changed.lang.tag(),
        changed.member_no.as_str(),
        changed.fax.clone(),
        json_text(&changed.profile),
    ];
    Ok(tx.exec(&MEMBER_CHANGE, params).await? == 1)
}

/// Who is still here under this member number.
///
/// # Errors
/// The database's.
pub async fn member_by_no(
    conn: &mut Conn,
    association: &AssociationId,
    member_no: &str,
) -> Result<Option<MemberId>, StoreError> {
    let row = conn.one(&MEMBER_BY_NO, values![association.as_str(), member_no]).await?;
    row.map(|r| r.id("member_id", MemberId::from_stored)).transpose()
}

/// # Errors
/// The database's.
pub async fn member_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
) -> Result<Option<Member>, StoreError> {
    conn.one(&MEMBER_BY_ID, values![association.as_str(), id.as_str()])
        .await?
        .as_ref()
        .map(member)
        .transpose()
}

/// In the order of ids, after `after` (empty: from the start), at most `limit`.
///
/// # Errors
/// The database's.
pub async fn members_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    conn.all(&MEMBERS_AFTER, values![association.as_str(), after, limit]).await?.iter().map(member).collect()
}

/// Everybody still here who uses this address.
///
/// # Errors
/// The database's.
pub async fn members_by_email(
    conn: &mut Conn,
    association: &AssociationId,
    email: &str,
) -> Result<Vec<Member>, StoreError> {
    conn.all(&MEMBERS_BY_EMAIL, values![association.as_str(), email_key(email)])
        .await?
        .iter()
        .map(member)
        .collect()
}

/// # Errors
/// The database's.
pub async fn member_pin_set(
    tx: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
    hash: &str,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&MEMBER_PIN_SET, values![association.as_str(), id.as_str(), hash]).await? == 1)
}

/// Counts a wrong PIN; how many in a row.
///
/// # Errors
/// The database's.
pub async fn member_pin_failed(
    tx: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
) -> Result<i64, StoreError> {
    let row = tx.one(&MEMBER_PIN_FAILED, values![association.as_str(), id.as_str()]).await?;
    row.map_or(Ok(0), |r| r.int("pin_failures"))
}

/// # Errors
/// The database's.
pub async fn member_pin_right(
    tx: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
) -> Result<(), StoreError> {
    tx.exec(&MEMBER_PIN_RIGHT, values![association.as_str(), id.as_str()]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn member_leaves(
    tx: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
    at: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&MEMBER_LEAVES, values![association.as_str(), id.as_str(), at]).await? == 1)
}

/// Notes whether mail reaches this member (mail health).
///
/// # Errors
/// The database's.
pub async fn member_mail(
    tx: &mut Conn,
    association: &AssociationId,
    id: &MemberId,
    failing_since: Option<Millis>,
) -> Result<(), StoreError> {
    match failing_since {
        Some(at) => tx.exec(&MEMBER_MAIL_FAILING, values![association.as_str(), id.as_str(), at]).await,
        None => tx.exec(&MEMBER_MAIL_WORKS, values![association.as_str(), id.as_str()]).await,
    }
    .map(drop)
}

/// # Errors
/// The database's.
pub async fn specialty_set(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    offer: &SpecialtyOffer,
) -> Result<(), StoreError> {
    let body =
        serde_json::to_string(offer).map_err(|e| StoreError::corrupt("member_specialty", member, e))?;
    tx.exec(&SPECIALTY_SET, values![association.as_str(), member.as_str(), offer.specialty.as_str(), body])
        .await
        .map(drop)
}

/// Forgets what a member volunteers for.
///
/// # Errors
/// The database's.
pub async fn specialties_clear(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<(), StoreError> {
    tx.exec(&SPECIALTIES_CLEAR, values![association.as_str(), member.as_str()]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn specialties_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Vec<SpecialtyOffer>, StoreError> {
    let rows = conn.all(&SPECIALTIES_OF_MEMBER, values![association.as_str(), member.as_str()]).await?;
    rows.iter().map(|r| r.json("body")).collect()
}

/// The specialties somebody volunteers for, with how many.
///
/// # Errors
/// The database's.
pub async fn specialties_in_use(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = conn.all(&SPECIALTIES_IN_USE, values![association.as_str()]).await?;
    rows.iter().map(|r| Ok((r.text("specialty")?, r.int("n")?))).collect()
}

/// The volunteers of a specialty with their load: taken since `month_start`, asked since `recent`.
///
/// # Errors
/// The database's.
pub async fn volunteers(
    conn: &mut Conn,
    association: &AssociationId,
    specialty: &str,
    month_start: Millis,
    recent: Millis,
    now: Millis,
) -> Result<Vec<Volunteer>, StoreError> {
    let rows = conn.all(&VOLUNTEERS, values![association.as_str(), specialty, month_start, recent]).await?;
    let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    let mut volunteers = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(institution) = row.opt_id("institution_id", InstitutionId::from_stored)? else {
            continue;
        };
        let left = row.opt_millis("left_at_ms")?;
        volunteers.push(Volunteer {
            person: row.id("member_id", MemberId::from_stored)?,
            institution,
            active: row.millis("active_from_ms")? <= now && left.is_none_or(|l| now < l),
            reachable: row.opt_text("email")?.is_some(),
            offer: row.json("body")?,
            taken_this_month: count(row.int("taken")?),
            asked_recently: count(row.int("asked")?),
        });
    }
    Ok(volunteers)
}

/// The active members with a role, in the order of ids.
///
/// # Errors
/// The database's.
pub async fn members_with_role(
    conn: &mut Conn,
    association: &AssociationId,
    role: Role,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let like = format!("%,{},%", role.code());
    let rows = conn.all(&MEMBERS_WITH_ROLE, values![association.as_str(), like, now]).await?;
    rows.iter().map(|r| r.id("member_id", MemberId::from_stored)).collect()
}
