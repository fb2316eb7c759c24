//! Devices with names, devices that an institution shares, sheets with a PIN, tests of reachability. What
//! follows from them is `domain::people::reach` and `app::people`.

use std::collections::BTreeMap;

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::call::Cause;
use crate::domain::people::entry::MemberProfile;
use crate::ids::{
    AssociationId, CallId, DeviceId, InstitutionId, LinkId, MemberId, ReachTestId, SessionId, SharedDeviceId,
};
use crate::time::Millis;

statements! {
    DEVICE_NAME = "UPDATE device SET label = $4, used_at_ms = $5 WHERE association_id = $1 AND device_id = $2 AND member_id = $3";
    DEVICE_USED = "UPDATE device SET used_at_ms = $3 WHERE association_id = $1 AND device_id = $2";
    // A device is in use while a session on it is.
    DEVICES_OF_MEMBER = "SELECT d.device_id, d.label, d.created_at_ms, d.expires_at_ms, d.used_at_ms, (SELECT MAX(s.seen_at_ms) FROM session s WHERE s.association_id = $1 AND s.member_id = $2 AND s.device_id = d.device_id) AS seen_at_ms FROM device d WHERE d.association_id = $1 AND d.member_id = $2 AND d.revoked_at_ms IS NULL AND d.expires_at_ms > $3 ORDER BY d.created_at_ms, d.device_id";
    DEVICE_REVOKE = "UPDATE device SET revoked_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND device_id = $3 AND revoked_at_ms IS NULL";
    DEVICES_REVOKE_BUT = "UPDATE device SET revoked_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND device_id <> $3 AND revoked_at_ms IS NULL";
    SESSION_DEVICE = "UPDATE session SET device_id = $3 WHERE association_id = $1 AND session_id = $2";
    SESSIONS_OF_DEVICE_END = "UPDATE session SET ended_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND device_id = $3 AND ended_at_ms IS NULL";
    SESSIONS_OF_SHARED_END = "UPDATE session SET ended_at_ms = $3 WHERE association_id = $1 AND device_id = $2 AND ended_at_ms IS NULL";
    SESSIONS_END_BUT = "UPDATE session SET ended_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND session_id <> $3 AND ended_at_ms IS NULL";
    LINKS_OF_MEMBER_VOID = "UPDATE link SET voided_at_ms = $3 WHERE association_id = $1 AND member_id = $2 AND voided_at_ms IS NULL AND consumed_at_ms IS NULL";
    LINK_VOID = "UPDATE link SET voided_at_ms = $3 WHERE association_id = $1 AND link_id = $2 AND voided_at_ms IS NULL AND consumed_at_ms IS NULL";
    MEMBER_PROFILE = "UPDATE member SET profile = $4, revision = revision + 1 WHERE association_id = $1 AND member_id = $2 AND revision = $3 AND left_at_ms IS NULL";
    MEMBERS_OF_INSTITUTION = "SELECT member_id FROM member WHERE association_id = $1 AND institution_id = $2 AND left_at_ms IS NULL ORDER BY kana, name, member_id LIMIT 200";
    ALARMS_OF_ACKNOWLEDGE = "UPDATE alarm SET acknowledged_at_ms = $4, acknowledged_by = $5 WHERE association_id = $1 AND kind = $2 AND subject = $3 AND acknowledged_at_ms IS NULL";

    SHEET_SET = "INSERT INTO enrolment_sheet (association_id, member_id, made_at_ms, made_by) VALUES ($1, $2, $3, $4) ON CONFLICT (association_id, member_id) DO UPDATE SET made_at_ms = excluded.made_at_ms, made_by = excluded.made_by";
    // One member, or with an empty id everybody: one text for the page of a person and the board of all.
    SHEETS = "SELECT member_id, made_at_ms FROM enrolment_sheet WHERE association_id = $1 AND ($2 = '' OR member_id = $2)";
    DEVICES_KNOWN = "SELECT member_id, COUNT(*) AS n FROM device WHERE association_id = $1 AND ($2 = '' OR member_id = $2) AND revoked_at_ms IS NULL AND expires_at_ms > $3 GROUP BY member_id";
    REACH_NEWEST = "SELECT member_id, MAX(asked_at_ms) AS asked_at_ms, MAX(confirmed_at_ms) AS confirmed_at_ms FROM reach_test WHERE association_id = $1 AND ($2 = '' OR member_id = $2) AND way = $3 AND voided_at_ms IS NULL GROUP BY member_id";
    OFFERS_LOOKED_AT = "SELECT member_id, MAX(opened_at_ms) AS opened_at_ms, COUNT(*) AS n FROM offer WHERE association_id = $1 AND ($2 = '' OR member_id = $2) AND asked_at_ms >= $3 AND asked_at_ms < $4 AND state NOT IN ('pending', 'unreachable', 'withdrawn') GROUP BY member_id";

    REACH_CALLS = "SELECT member_id, asked_at_ms, confirmed_at_ms, failed_at_ms, cause FROM reach_test WHERE association_id = $1 AND ($2 = '' OR member_id = $2) AND way = 'phone' AND voided_at_ms IS NULL ORDER BY asked_at_ms, reach_test_id";
    REACH_TEST_ADD = "INSERT INTO reach_test (association_id, reach_test_id, member_id, way, link_id, call_id, asked_at_ms, asked_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    REACH_CALL_OPEN = "SELECT call_id FROM reach_test WHERE association_id = $1 AND member_id = $2 AND way = 'phone' AND confirmed_at_ms IS NULL AND failed_at_ms IS NULL AND asked_at_ms > $3 ORDER BY asked_at_ms DESC LIMIT 1";
    REACH_CALL_END = "UPDATE reach_test SET confirmed_at_ms = $3, failed_at_ms = $4, cause = $5 WHERE association_id = $1 AND call_id = $2 AND confirmed_at_ms IS NULL AND failed_at_ms IS NULL";
    REACH_TEST_BY_LINK = "SELECT reach_test_id, member_id, way, asked_at_ms, confirmed_at_ms, voided_at_ms, failed_at_ms, cause FROM reach_test WHERE association_id = $1 AND link_id = $2";
    REACH_TEST_CONFIRM = "UPDATE reach_test SET confirmed_at_ms = $3 WHERE association_id = $1 AND link_id = $2 AND confirmed_at_ms IS NULL AND voided_at_ms IS NULL";
    REACH_TESTS_OF_MEMBER = "SELECT reach_test_id, member_id, way, asked_at_ms, confirmed_at_ms, voided_at_ms, failed_at_ms, cause FROM reach_test WHERE association_id = $1 AND member_id = $2 ORDER BY asked_at_ms DESC, reach_test_id DESC LIMIT 10";
    REACH_TESTS_VOID = "UPDATE reach_test SET voided_at_ms = $4 WHERE association_id = $1 AND member_id = $2 AND way = $3 AND voided_at_ms IS NULL";

    SHARED_ADD = "INSERT INTO shared_device (association_id, shared_device_id, institution_id, link_id, label, name, invited_at_ms, invited_until_ms) VALUES ($1, $2, $3, $4, '', $5, $6, $7)";
    SHARED_BY_LINK = "SELECT shared_device_id, institution_id, link_id, label, name, invited_at_ms, invited_until_ms, enrolled_at_ms, enrolled_by, used_at_ms, expires_at_ms, revoked_at_ms, slow_until_ms FROM shared_device WHERE association_id = $1 AND link_id = $2";
    SHARED_BY_ID = "SELECT shared_device_id, institution_id, link_id, label, name, invited_at_ms, invited_until_ms, enrolled_at_ms, enrolled_by, used_at_ms, expires_at_ms, revoked_at_ms, slow_until_ms FROM shared_device WHERE association_id = $1 AND shared_device_id = $2";
    // The secret says which association it belongs to.
    SHARED_BY_SECRET = "SELECT association_id, shared_device_id, institution_id, link_id, label, name, invited_at_ms, invited_until_ms, enrolled_at_ms, enrolled_by, used_at_ms, expires_at_ms, revoked_at_ms, slow_until_ms FROM shared_device WHERE secret_hash = $1 AND revoked_at_ms IS NULL AND expires_at_ms > $2";
    SHARED_LIVE = "SELECT shared_device_id, institution_id, link_id, label, name, invited_at_ms, invited_until_ms, enrolled_at_ms, enrolled_by, used_at_ms, expires_at_ms, revoked_at_ms, slow_until_ms FROM shared_device WHERE association_id = $1 AND ($2 = '' OR institution_id = $2) AND revoked_at_ms IS NULL AND (enrolled_at_ms IS NOT NULL OR invited_until_ms > $3) AND (expires_at_ms IS NULL OR expires_at_ms > $3) ORDER BY institution_id, invited_at_ms LIMIT 1000";
    SHARED_ENROL = "UPDATE shared_device SET secret_hash = $3, label = $4, enrolled_at_ms = $5, enrolled_by = $6, used_at_ms = $5, expires_at_ms = $7 WHERE association_id = $1 AND shared_device_id = $2 AND enrolled_at_ms IS NULL AND revoked_at_ms IS NULL";
    SHARED_USED = "UPDATE shared_device SET used_at_ms = $3 WHERE association_id = $1 AND shared_device_id = $2";
    SHARED_SLOW = "UPDATE shared_device SET slow_until_ms = $3 WHERE association_id = $1 AND shared_device_id = $2";
    SHARED_REVOKE = "UPDATE shared_device SET revoked_at_ms = $3 WHERE association_id = $1 AND shared_device_id = $2 AND revoked_at_ms IS NULL";
    SHARED_TRY_WRONG = "INSERT INTO shared_device_try (association_id, shared_device_id, member_id, wrong_pins) VALUES ($1, $2, $3, 1) ON CONFLICT (association_id, shared_device_id, member_id) DO UPDATE SET wrong_pins = shared_device_try.wrong_pins + 1 RETURNING wrong_pins";
    SHARED_TRY_RIGHT = "DELETE FROM shared_device_try WHERE association_id = $1 AND shared_device_id = $2 AND member_id = $3";
}

/// A known device of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    pub id: DeviceId,
    /// A code of [`crate::domain::people::device`], or empty.
    pub label: String,
    pub created: Millis,
    pub expires: Millis,
    pub used: Option<Millis>,
}

/// The devices of a person that are still known, the oldest first.
///
/// # Errors
/// The database's.
pub async fn devices_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
) -> Result<Vec<DeviceRow>, StoreError> {
    let rows = conn.all(&DEVICES_OF_MEMBER, values![association.as_str(), member.as_str(), now]).await?;
    rows.iter()
        .map(|row| {
            let (used, seen) = (row.opt_millis("used_at_ms")?, row.opt_millis("seen_at_ms")?);
            Ok(DeviceRow {
                id: row.id("device_id", DeviceId::from_stored)?,
                label: row.text("label")?,
                created: row.millis("created_at_ms")?,
                expires: row.millis("expires_at_ms")?,
                used: used.max(seen),
            })
        })
        .collect()
}

/// Names a device by the code of what it is.
///
/// # Errors
/// The database's.
pub async fn device_name(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    id: &DeviceId,
    label: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), id.as_str(), member.as_str(), label, now];
    tx.exec(&DEVICE_NAME, params).await.map(drop)
}

/// A device has just proved somebody.
///
/// # Errors
/// The database's.
pub async fn device_used(
    tx: &mut Conn,
    association: &AssociationId,
    id: &DeviceId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&DEVICE_USED, values![association.as_str(), id.as_str(), now]).await.map(drop)
}

/// Forgets one device of a person and ends the sessions on it. `false`: there is none.
///
/// # Errors
/// The database's.
pub async fn device_revoke(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    id: &DeviceId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), member.as_str(), id.as_str(), now];
    let there = tx.exec(&DEVICE_REVOKE, params).await? == 1;
    tx.exec(&SESSIONS_OF_DEVICE_END, params).await?;
    Ok(there)
}

/// Forgets every device of a person but `device`, and ends every session but `session`.
///
/// # Errors
/// The database's.
pub async fn access_end_but(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    device: Option<&DeviceId>,
    session: &SessionId,
    now: Millis,
) -> Result<u64, StoreError> {
    let kept = device.map_or("", DeviceId::as_str);
    let params = values![association.as_str(), member.as_str(), kept, now];
    let ended = tx.exec(&DEVICES_REVOKE_BUT, params).await?;
    let params = values![association.as_str(), member.as_str(), session.as_str(), now];
    tx.exec(&SESSIONS_END_BUT, params).await?;
    Ok(ended)
}

/// Notes on which device a session was opened: `device` is the id of a personal or a shared one.
///
/// # Errors
/// The database's.
pub async fn session_device(
    tx: &mut Conn,
    association: &AssociationId,
    session: &SessionId,
    device: &str,
) -> Result<(), StoreError> {
    tx.exec(&SESSION_DEVICE, values![association.as_str(), session.as_str(), device]).await.map(drop)
}

/// Voids every link a person still has.
///
/// # Errors
/// The database's.
pub async fn links_of_member_void(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), member.as_str(), now];
    tx.exec(&LINKS_OF_MEMBER_VOID, params).await.map(drop)
}

/// Writes a member's profile anew. `false`: they are not at `revision` any more, or left.
///
/// # Errors
/// The database's.
pub async fn member_profile(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    revision: i64,
    profile: &MemberProfile,
) -> Result<bool, StoreError> {
    let text = serde_json::to_string(profile).map_err(|e| StoreError::corrupt("member", member, e))?;
    let params = values![association.as_str(), member.as_str(), revision, text];
    Ok(tx.exec(&MEMBER_PROFILE, params).await? == 1)
}

/// Who is still at an institution, by name.
///
/// # Errors
/// The database's.
pub async fn members_of_institution(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
) -> Result<Vec<MemberId>, StoreError> {
    let rows = conn.all(&MEMBERS_OF_INSTITUTION, values![association.as_str(), institution.as_str()]).await?;
    rows.iter().map(|row| row.id("member_id", MemberId::from_stored)).collect()
}

/// The open alarms of a kind about something are seen to; how many there were.
///
/// # Errors
/// The database's.
pub async fn alarms_of_acknowledge(
    tx: &mut Conn,
    association: &AssociationId,
    kind: &str,
    subject: &str,
    now: Millis,
    by: &str,
) -> Result<u64, StoreError> {
    tx.exec(&ALARMS_OF_ACKNOWLEDGE, values![association.as_str(), kind, subject, now, by]).await
}

/// A sheet with a PIN was made for somebody.
///
/// # Errors
/// The database's.
pub async fn sheet_set(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    now: Millis,
    by: &str,
) -> Result<(), StoreError> {
    tx.exec(&SHEET_SET, values![association.as_str(), member.as_str(), now, by]).await.map(drop)
}

/// What is known of whether people can be reached and can come in, for one member or everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReachFacts {
    pub sheet: Option<Millis>,
    pub devices: i64,
    /// When a test mail was last asked for.
    pub test_asked: Option<Millis>,
    pub test_confirmed: Option<Millis>,
    /// When a test call was last asked for.
    pub call_asked: Option<Millis>,
    pub call_confirmed: Option<Millis>,
    /// The newest test call that nobody answered with the key, and why.
    pub call_failed: Option<(Millis, Option<Cause>)>,
    /// When an offer was last opened, of those asked within the window.
    pub offer_opened: Option<Millis>,
    /// Offers asked within the window.
    pub offers: i64,
}

/// The facts by member. Offers count that were asked at or after `offers_from` and before `offers_until`.
///
/// # Errors
/// The database's.
pub async fn reach_facts(
    conn: &mut Conn,
    association: &AssociationId,
    member: Option<&MemberId>,
    (offers_from, offers_until): (Millis, Millis),
    now: Millis,
) -> Result<BTreeMap<MemberId, ReachFacts>, StoreError> {
    let (asc, one) = (association.as_str(), member.map_or("", MemberId::as_str));
    let mut facts: BTreeMap<MemberId, ReachFacts> = BTreeMap::new();
    let id = |row: &Row| row.id("member_id", MemberId::from_stored);
    for row in conn.all(&SHEETS, values![asc, one]).await? {
        facts.entry(id(&row)?).or_default().sheet = row.opt_millis("made_at_ms")?;
    }
    for row in conn.all(&DEVICES_KNOWN, values![asc, one, now]).await? {
        facts.entry(id(&row)?).or_default().devices = row.int("n")?;
    }
    for row in conn.all(&REACH_NEWEST, values![asc, one, "mail"]).await? {
        let of = facts.entry(id(&row)?).or_default();
        of.test_asked = row.opt_millis("asked_at_ms")?;
        of.test_confirmed = row.opt_millis("confirmed_at_ms")?;
    }
    for row in conn.all(&REACH_CALLS, values![asc, one]).await? {
        let of = facts.entry(id(&row)?).or_default();
        of.call_asked = row.opt_millis("asked_at_ms")?;
        of.call_confirmed = of.call_confirmed.max(row.opt_millis("confirmed_at_ms")?);
        if let Some(at) = row.opt_millis("failed_at_ms")? {
            of.call_failed = Some((at, cause(&row)?));
        }
    }
    for row in conn.all(&OFFERS_LOOKED_AT, values![asc, one, offers_from, offers_until]).await? {
        let of = facts.entry(id(&row)?).or_default();
        of.offer_opened = row.opt_millis("opened_at_ms")?;
        of.offers = row.int("n")?;
    }
    Ok(facts)
}

/// One try whether somebody can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachTest {
    pub id: ReachTestId,
    pub member: MemberId,
    /// A code of [`crate::domain::people::entry::Way`].
    pub way: String,
    pub asked: Millis,
    pub confirmed: Option<Millis>,
    /// The address was changed since: it says nothing any more.
    pub voided: Option<Millis>,
    /// Nobody answered the call with the key, and why.
    pub failed: Option<(Millis, Option<Cause>)>,
}

fn cause(row: &Row) -> Result<Option<Cause>, StoreError> {
    Ok(row.opt_text("cause")?.as_deref().and_then(Cause::from_code))
}

fn reach_test(row: &Row) -> Result<ReachTest, StoreError> {
    Ok(ReachTest {
        id: row.id("reach_test_id", ReachTestId::from_stored)?,
        member: row.id("member_id", MemberId::from_stored)?,
        way: row.text("way")?,
        asked: row.millis("asked_at_ms")?,
        confirmed: row.opt_millis("confirmed_at_ms")?,
        voided: row.opt_millis("voided_at_ms")?,
        failed: match row.opt_millis("failed_at_ms")? {
            Some(at) => Some((at, cause(row)?)),
            None => None,
        },
    })
}

/// By which way a test goes out.
#[derive(Clone, Copy, Debug)]
pub enum TestBy<'a> {
    Mail(&'a LinkId),
    Call(&'a CallId),
}

/// Adds a test.
///
/// # Errors
/// The database's.
pub async fn reach_test_add(
    tx: &mut Conn,
    association: &AssociationId,
    id: &ReachTestId,
    member: &MemberId,
    test: TestBy<'_>,
    now: Millis,
    by: &str,
) -> Result<(), StoreError> {
    let (way, link, call) = match test {
        TestBy::Mail(link) => ("mail", Some(link.as_str()), None),
        TestBy::Call(call) => ("phone", None, Some(call.as_str())),
    };
    let params = values![association.as_str(), id.as_str(), member.as_str(), way, link, call, now, by];
    tx.exec(&REACH_TEST_ADD, params).await.map(drop)
}

/// The test call to somebody that was asked for after `since` and has not ended.
///
/// # Errors
/// The database's.
pub async fn reach_call_open(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    since: Millis,
) -> Result<Option<CallId>, StoreError> {
    let row = conn.one(&REACH_CALL_OPEN, values![association.as_str(), member.as_str(), since]).await?;
    row.map(|row| row.id("call_id", CallId::from_stored)).transpose()
}

/// A test call ended: with the key, or for this cause. `false`: it had ended before, or is none.
///
/// # Errors
/// The database's.
pub async fn reach_call_end(
    tx: &mut Conn,
    association: &AssociationId,
    call: &CallId,
    ended: Result<(), Option<Cause>>,
    now: Millis,
) -> Result<bool, StoreError> {
    let (confirmed, failed) = (ended.is_ok().then_some(now), ended.is_err().then_some(now));
    let cause = ended.err().flatten().map(Cause::code);
    let params = values![association.as_str(), call.as_str(), confirmed, failed, cause];
    Ok(tx.exec(&REACH_CALL_END, params).await? == 1)
}

/// # Errors
/// The database's.
pub async fn reach_test_by_link(
    conn: &mut Conn,
    association: &AssociationId,
    link: &LinkId,
) -> Result<Option<ReachTest>, StoreError> {
    let row = conn.one(&REACH_TEST_BY_LINK, values![association.as_str(), link.as_str()]).await?;
    row.as_ref().map(reach_test).transpose()
}

/// The person says that it arrived. `false`: said before, or the test counts no more.
///
/// # Errors
/// The database's.
pub async fn reach_test_confirm(
    tx: &mut Conn,
    association: &AssociationId,
    link: &LinkId,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&REACH_TEST_CONFIRM, values![association.as_str(), link.as_str(), now]).await? == 1)
}

/// The tests of a person, the newest first, at most ten.
///
/// # Errors
/// The database's.
pub async fn reach_tests_of(
    conn: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
) -> Result<Vec<ReachTest>, StoreError> {
    let rows = conn.all(&REACH_TESTS_OF_MEMBER, values![association.as_str(), member.as_str()]).await?;
    rows.iter().map(reach_test).collect()
}

/// The tests of a way say nothing any more: its address or number was changed.
///
/// # Errors
/// The database's.
pub async fn reach_tests_void(
    tx: &mut Conn,
    association: &AssociationId,
    member: &MemberId,
    way: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), member.as_str(), way, now];
    tx.exec(&REACH_TESTS_VOID, params).await.map(drop)
}

/// A device that the people of an institution share: invited, then enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedDevice {
    pub id: SharedDeviceId,
    pub institution: InstitutionId,
    /// The link that enrols it.
    pub link: LinkId,
    /// A code of [`crate::domain::people::device`], or empty.
    pub label: String,
    /// As the office calls it, "ナースステーションのパソコン".
    pub name: String,
    pub invited: Millis,
    pub invited_until: Millis,
    pub enrolled: Option<Millis>,
    pub enrolled_by: Option<MemberId>,
    pub used: Option<Millis>,
    pub expires: Option<Millis>,
    pub revoked: Option<Millis>,
    /// After many wrong PINs it takes none until then.
    pub slow_until: Option<Millis>,
}

fn shared(row: &Row) -> Result<SharedDevice, StoreError> {
    Ok(SharedDevice {
        id: row.id("shared_device_id", SharedDeviceId::from_stored)?,
        institution: row.id("institution_id", InstitutionId::from_stored)?,
        link: row.id("link_id", LinkId::from_stored)?,
        label: row.text("label")?,
        name: row.text("name")?,
        invited: row.millis("invited_at_ms")?,
        invited_until: row.millis("invited_until_ms")?,
        enrolled: row.opt_millis("enrolled_at_ms")?,
        enrolled_by: row.opt_id("enrolled_by", MemberId::from_stored)?,
        used: row.opt_millis("used_at_ms")?,
        expires: row.opt_millis("expires_at_ms")?,
        revoked: row.opt_millis("revoked_at_ms")?,
        slow_until: row.opt_millis("slow_until_ms")?,
    })
}

/// Invites a device.
///
/// # Errors
/// The database's.
pub async fn shared_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &SharedDevice,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.institution.as_str(),
        new.link.as_str(),
        new.name.as_str(),
        new.invited,
        new.invited_until,
    ];
    tx.exec(&SHARED_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn shared_by_link(
    conn: &mut Conn,
    association: &AssociationId,
    link: &LinkId,
) -> Result<Option<SharedDevice>, StoreError> {
    let row = conn.one(&SHARED_BY_LINK, values![association.as_str(), link.as_str()]).await?;
    row.as_ref().map(shared).transpose()
}

/// # Errors
/// The database's.
pub async fn shared_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &SharedDeviceId,
) -> Result<Option<SharedDevice>, StoreError> {
    let row = conn.one(&SHARED_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(shared).transpose()
}

/// The shared device with this secret, while it is good.
///
/// # Errors
/// The database's.
pub async fn shared_by_secret(
    conn: &mut Conn,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<Option<(AssociationId, SharedDevice)>, StoreError> {
    let row = conn.one(&SHARED_BY_SECRET, values![secret_hash.as_slice(), now]).await?;
    row.map(|row| Ok((row.id("association_id", AssociationId::from_stored)?, shared(&row)?))).transpose()
}

/// Devices that are enrolled or may still be, of one institution or of all.
///
/// # Errors
/// The database's.
pub async fn shared_live(
    conn: &mut Conn,
    association: &AssociationId,
    institution: Option<&InstitutionId>,
    now: Millis,
) -> Result<Vec<SharedDevice>, StoreError> {
    let one = institution.map_or("", InstitutionId::as_str);
    let rows = conn.all(&SHARED_LIVE, values![association.as_str(), one, now]).await?;
    rows.iter().map(shared).collect()
}

/// Enrols an invited device. `false`: it was enrolled or revoked meanwhile.
///
/// # Errors
/// The database's.
pub async fn shared_enrol(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SharedDeviceId,
    (secret_hash, label): (&[u8; 32], &str),
    by: &MemberId,
    now: Millis,
    expires: Millis,
) -> Result<bool, StoreError> {
    let params =
        values![association.as_str(), id.as_str(), secret_hash.as_slice(), label, now, by.as_str(), expires,];
    Ok(tx.exec(&SHARED_ENROL, params).await? == 1)
}

/// Somebody came in on it: their wrong PINs are forgotten.
///
/// # Errors
/// The database's.
pub async fn shared_used(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SharedDeviceId,
    member: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&SHARED_TRY_RIGHT, values![association.as_str(), id.as_str(), member.as_str()]).await?;
    tx.exec(&SHARED_USED, values![association.as_str(), id.as_str(), now]).await.map(drop)
}

/// Counts a wrong PIN of a person on it; how many in a row.
///
/// # Errors
/// The database's.
pub async fn shared_wrong(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SharedDeviceId,
    member: &MemberId,
) -> Result<i64, StoreError> {
    let params = values![association.as_str(), id.as_str(), member.as_str()];
    let row = tx.one(&SHARED_TRY_WRONG, params).await?;
    row.map_or(Ok(0), |row| row.int("wrong_pins"))
}

/// It takes no PIN until then.
///
/// # Errors
/// The database's.
pub async fn shared_slow(
    tx: &mut Conn,
    association: &AssociationId,
    id: &SharedDeviceId,
    until: Millis,
) -> Result<(), StoreError> {
    tx.exec(&SHARED_SLOW, values![association.as_str(), id.as_str(), until]).await.map(drop)
}

/// Forgets a shared device, ends every session on it and voids its link. `false`: there is none.
///
/// # Errors
/// The database's.
pub async fn shared_revoke(
    tx: &mut Conn,
    association: &AssociationId,
    device: &SharedDevice,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), device.id.as_str(), now];
    let there = tx.exec(&SHARED_REVOKE, params).await? == 1;
    tx.exec(&SESSIONS_OF_SHARED_END, params).await?;
    tx.exec(&LINK_VOID, values![association.as_str(), device.link.as_str(), now]).await?;
    Ok(there)
}
