//! Requests as the machine sees them: load, and save what a decision changed. The texts of a case, reports
//! and lists are `requests`.

use std::collections::BTreeMap;

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::domain::dispatch::plan::Channel;
use crate::domain::dispatch::{Acceptance, Offer, Request, next_due};
use crate::ids::{AssociationId, Chance, MemberId, OfferId, RequestId};
use crate::planted::{self, Bug};
use crate::time::Millis;

statements! {
    REQUEST_MACHINE = "SELECT request_id, revision, machine FROM request WHERE association_id = $1 AND request_id = $2";
    // The row lock makes commands on one request wait for each other instead of failing.
    REQUEST_MACHINE_LOCK =
        "SELECT request_id, revision, machine FROM request WHERE association_id = $1 AND request_id = $2",
        "SELECT request_id, revision, machine FROM request WHERE association_id = $1 AND request_id = $2 FOR UPDATE";
    OFFERS_OF_REQUEST = "SELECT offer_id, member_id, body FROM offer WHERE association_id = $1 AND request_id = $2";
    ACCEPTANCES_OF_REQUEST = "SELECT seq, body FROM acceptance WHERE association_id = $1 AND request_id = $2 ORDER BY seq";
    REQUEST_SAVE = "UPDATE request SET state = $4, revision = $3 + 1, due_at_ms = $5, answer_by_ms = $6, updated_at_ms = $7, machine = $8 WHERE association_id = $1 AND request_id = $2 AND revision = $3";
    OFFER_ADD = "INSERT INTO offer (association_id, offer_id, request_id, member_id, state, asked_at_ms, body) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OFFER_SAVE = "UPDATE offer SET state = $4, asked_at_ms = $5, body = $6 WHERE association_id = $1 AND request_id = $2 AND member_id = $3";
    OFFER_REMOVE = "DELETE FROM offer WHERE association_id = $1 AND request_id = $2 AND member_id = $3";
    ACCEPTANCE_ADD = "INSERT INTO acceptance (association_id, request_id, seq, member_id, claim_slot, at_ms, released_at_ms, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    ACCEPTANCE_SAVE = "UPDATE acceptance SET released_at_ms = $4, body = $5 WHERE association_id = $1 AND request_id = $2 AND seq = $3";
    CLAIM_SLOTS = "SELECT claim_slot FROM acceptance WHERE association_id = $1 AND request_id = $2 AND claim_slot IS NOT NULL AND released_at_ms IS NULL ORDER BY claim_slot";
    GRANT_SET = "INSERT INTO access_grant (association_id, request_id, member_id, from_ms, until_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (association_id, request_id, member_id) DO UPDATE SET until_ms = excluded.until_ms, ended_at_ms = NULL";
    GRANT_END = "UPDATE access_grant SET ended_at_ms = $4 WHERE association_id = $1 AND request_id = $2 AND member_id = $3 AND ended_at_ms IS NULL";
    GRANT_NOW = "SELECT from_ms FROM access_grant WHERE association_id = $1 AND request_id = $2 AND member_id = $3 AND ended_at_ms IS NULL AND (until_ms IS NULL OR until_ms > $4)";
    ATTEMPT_ADD = "INSERT INTO attempt (association_id, request_id, member_id, number, channel, state, tries, created_at_ms) VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6)";
    ATTEMPT_SAVE = "UPDATE attempt SET state = $6, tries = $7, ended_at_ms = $8, detail = $9 WHERE association_id = $1 AND request_id = $2 AND member_id = $3 AND number = $4 AND channel = $5";
    ATTEMPTS_OF_REQUEST = "SELECT member_id, number, channel, state, tries, created_at_ms, ended_at_ms, detail FROM attempt WHERE association_id = $1 AND request_id = $2 ORDER BY created_at_ms, member_id, number";
    OFFER_BY_ID = "SELECT offer_id, request_id, member_id, state, asked_at_ms, opened_at_ms, body FROM offer WHERE association_id = $1 AND offer_id = $2";
    OFFER_OF_MEMBER = "SELECT offer_id, request_id, member_id, state, asked_at_ms, opened_at_ms, body FROM offer WHERE association_id = $1 AND request_id = $2 AND member_id = $3";
    OFFERS_OF_REQUEST_FULL = "SELECT offer_id, request_id, member_id, state, asked_at_ms, opened_at_ms, body FROM offer WHERE association_id = $1 AND request_id = $2 ORDER BY asked_at_ms, member_id";
    OFFERS_OF_MEMBER = "SELECT offer_id, request_id, member_id, state, asked_at_ms, opened_at_ms, body FROM offer WHERE association_id = $1 AND member_id = $2 AND offer_id > $3 ORDER BY offer_id LIMIT $4";
    OFFERS_LIVE_OF = "SELECT offer_id, request_id, member_id, state, asked_at_ms, opened_at_ms, body FROM offer WHERE association_id = $1 AND member_id = $2 AND state IN ('pending', 'asked', 'raised') ORDER BY offer_id LIMIT $3";
    OFFERS_AFTER = "SELECT offer_id, request_id, member_id, state, asked_at_ms, opened_at_ms, body FROM offer WHERE association_id = $1 AND offer_id > $2 ORDER BY offer_id LIMIT $3";
    OFFER_OPENED = "UPDATE offer SET opened_at_ms = $4 WHERE association_id = $1 AND request_id = $2 AND member_id = $3 AND opened_at_ms IS NULL";
}

/// A request as loaded, with what saving it needs.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub request: Request,
    pub revision: i64,
    pub offer_ids: BTreeMap<MemberId, OfferId>,
}

async fn load(
    conn: &mut Conn,
    statement: &'static super::Statement,
    association: &AssociationId,
    id: &RequestId,
) -> Result<Option<Loaded>, StoreError> {
    let key = values![association.as_str(), id.as_str()];
    let Some(row) = conn.one(statement, key).await? else {
        return Ok(None);
    };
    let mut request: Request = row.json("machine")?;
    let mut offer_ids = BTreeMap::new();
    for row in conn.all(&OFFERS_OF_REQUEST, key).await? {
        let member = row.id("member_id", MemberId::from_stored)?;
        offer_ids.insert(member.clone(), row.id("offer_id", OfferId::from_stored)?);
        request.offers.insert(member, row.json::<Offer>("body")?);
    }
    for row in conn.all(&ACCEPTANCES_OF_REQUEST, key).await? {
        request.acceptances.push(row.json::<Acceptance>("body")?);
    }
    Ok(Some(Loaded { request, revision: row.int("revision")?, offer_ids }))
}

/// The request as it is now, for reading.
///
/// # Errors
/// The database's, or a row that cannot be understood.
pub async fn request_load(
    conn: &mut Conn,
    association: &AssociationId,
    id: &RequestId,
) -> Result<Option<Loaded>, StoreError> {
    load(conn, &REQUEST_MACHINE, association, id).await
}

/// The request, locked until the transaction ends.
///
/// # Errors
/// As [`request_load`].
pub async fn request_lock(
    tx: &mut Conn,
    association: &AssociationId,
    id: &RequestId,
) -> Result<Option<Loaded>, StoreError> {
    load(tx, &REQUEST_MACHINE_LOCK, association, id).await
}

/// The part of a request that stands in its own row: offers and acceptances have theirs.
///
/// # Errors
/// Never in practice: every part of a request has a JSON form.
pub fn machine_json(request: &Request) -> Result<String, StoreError> {
    let own = Request { offers: BTreeMap::new(), acceptances: Vec::new(), ..request.clone() };
    serde_json::to_string(&own).map_err(|e| StoreError::corrupt("request", &request.id, e))
}

fn json<T: serde::Serialize>(value: &T, id: &RequestId) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::corrupt("request", id, e))
}

/// Writes what changed between `before` and `next`.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile; the database's.
pub async fn request_save(
    tx: &mut Conn,
    association: &AssociationId,
    before: &Loaded,
    next: &Request,
    now: Millis,
    chance: &dyn Chance,
) -> Result<(), StoreError> {
    let (asc, id) = (association.as_str(), next.id.as_str());
    let params = values![
        asc,
        id,
        before.revision,
        next.state.code(),
        next_due(next),
        next.answer_by,
        now,
        machine_json(next)?,
    ];
    if tx.exec(&REQUEST_SAVE, params).await? != 1 {
        return Err(StoreError::Stale { table: "request", id: id.to_owned() });
    }
    for (member, offer) in &next.offers {
        match before.request.offers.get(member) {
            Some(same) if same == offer => {}
            Some(_) => {
                let params = values![
                    asc,
                    id,
                    member.as_str(),
                    offer.state.code(),
                    offer.asked_at,
                    json(offer, &next.id)?
                ];
                tx.exec(&OFFER_SAVE, params).await?;
            }
            None => {
                let offer_id = OfferId::new(now, chance);
                let params = values![
                    asc,
                    offer_id.as_str(),
                    id,
                    member.as_str(),
                    offer.state.code(),
                    offer.asked_at,
                    json(offer, &next.id)?,
                ];
                tx.exec(&OFFER_ADD, params).await?;
            }
        }
    }
    for member in before.request.offers.keys().filter(|m| !next.offers.contains_key(*m)) {
        tx.exec(&OFFER_REMOVE, values![asc, id, member.as_str()]).await?;
    }
    save_acceptances(tx, association, before, next).await
}

async fn save_acceptances(
    tx: &mut Conn,
    association: &AssociationId,
    before: &Loaded,
    next: &Request,
) -> Result<(), StoreError> {
    let (asc, id) = (association.as_str(), next.id.as_str());
    let known = before.request.acceptances.len();
    for (seq, (old, new)) in before.request.acceptances.iter().zip(&next.acceptances).enumerate() {
        if old != new {
            let seq = i64::try_from(seq).unwrap_or(i64::MAX);
            tx.exec(&ACCEPTANCE_SAVE, values![asc, id, seq, new.released, json(new, &next.id)?]).await?;
        }
    }
    if next.acceptances.len() <= known {
        return Ok(());
    }
    let taken = tx.all(&CLAIM_SLOTS, values![asc, id]).await?;
    let taken: Vec<i64> = taken.iter().map(|r| r.int("claim_slot")).collect::<Result<_, _>>()?;
    let mut free = (0..i64::try_from(next.quota).unwrap_or(i64::MAX)).filter(|slot| !taken.contains(slot));
    for (seq, new) in next.acceptances.iter().enumerate().skip(known) {
        // A claim without a free place meets the unique index: the second wall.
        let full = if planted::is(Bug::QuotaReadThenWrite) { i64::try_from(seq).unwrap_or(0) } else { 0 };
        let slot = (!new.gate).then(|| free.next().unwrap_or(full));
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        let params =
            values![asc, id, seq, new.person.as_str(), slot, new.at, new.released, json(new, &next.id)?];
        tx.exec(&ACCEPTANCE_ADD, params).await?;
    }
    Ok(())
}

/// Lets a person see the case until `until` (`None`: until it ends).
///
/// # Errors
/// The database's.
pub async fn grant_set(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    person: &MemberId,
    from: Millis,
    until: Option<Millis>,
) -> Result<(), StoreError> {
    tx.exec(&GRANT_SET, values![association.as_str(), request.as_str(), person.as_str(), from, until])
        .await
        .map(drop)
}

/// # Errors
/// The database's.
pub async fn grant_end(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    person: &MemberId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&GRANT_END, values![association.as_str(), request.as_str(), person.as_str(), now]).await.map(drop)
}

/// Whether the person may see the case at `now`.
///
/// # Errors
/// The database's.
pub async fn grant_holds(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    person: &MemberId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), request.as_str(), person.as_str(), now];
    Ok(conn.one(&GRANT_NOW, params).await?.is_some())
}

/// Which try of which person.
#[derive(Clone, Debug)]
pub struct AttemptKey<'a> {
    pub request: &'a RequestId,
    pub person: &'a MemberId,
    pub number: u32,
    pub channel: Channel,
}

const fn channel_code(channel: Channel) -> &'static str {
    match channel {
        Channel::Mail => "mail",
        Channel::Phone => "phone",
    }
}

/// # Errors
/// The database's.
pub async fn attempt_add(
    tx: &mut Conn,
    association: &AssociationId,
    key: &AttemptKey<'_>,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        key.request.as_str(),
        key.person.as_str(),
        i64::from(key.number),
        channel_code(key.channel),
        now,
    ];
    tx.exec(&ATTEMPT_ADD, params).await.map(drop)
}

/// Notes how a try stands: `queued`, `sent`, `failed`, `retrying`, `in_doubt`, `moot`.
///
/// # Errors
/// The database's.
pub async fn attempt_save(
    tx: &mut Conn,
    association: &AssociationId,
    key: &AttemptKey<'_>,
    state: &str,
    tries: u32,
    ended: Option<Millis>,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        key.request.as_str(),
        key.person.as_str(),
        i64::from(key.number),
        channel_code(key.channel),
        state,
        i64::from(tries),
        ended,
        detail,
    ];
    tx.exec(&ATTEMPT_SAVE, params).await.map(drop)
}

/// One physical try, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    pub person: MemberId,
    pub number: i64,
    pub channel: String,
    pub state: String,
    pub tries: i64,
    pub created: Millis,
    pub ended: Option<Millis>,
    pub detail: Option<String>,
}

/// # Errors
/// The database's.
pub async fn attempts_of(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Vec<AttemptRow>, StoreError> {
    let rows = conn.all(&ATTEMPTS_OF_REQUEST, values![association.as_str(), request.as_str()]).await?;
    rows.iter()
        .map(|r| {
            Ok(AttemptRow {
                person: r.id("member_id", MemberId::from_stored)?,
                number: r.int("number")?,
                channel: r.text("channel")?,
                state: r.text("state")?,
                tries: r.int("tries")?,
                created: r.millis("created_at_ms")?,
                ended: r.opt_millis("ended_at_ms")?,
                detail: r.opt_text("detail")?,
            })
        })
        .collect()
}

/// An offer with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    pub id: OfferId,
    pub request: RequestId,
    pub person: MemberId,
    pub state: String,
    pub asked: Millis,
    pub opened: Option<Millis>,
    pub offer: Offer,
}

fn offer_row(row: &Row) -> Result<OfferRow, StoreError> {
    Ok(OfferRow {
        id: row.id("offer_id", OfferId::from_stored)?,
        request: row.id("request_id", RequestId::from_stored)?,
        person: row.id("member_id", MemberId::from_stored)?,
        state: row.text("state")?,
        asked: row.millis("asked_at_ms")?,
        opened: row.opt_millis("opened_at_ms")?,
        offer: row.json("body")?,
    })
}

/// # Errors
/// The database's.
pub async fn offer_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &OfferId,
) -> Result<Option<OfferRow>, StoreError> {
    conn.one(&OFFER_BY_ID, values![association.as_str(), id.as_str()])
        .await?
        .as_ref()
        .map(offer_row)
        .transpose()
}

/// # Errors
/// The database's.
pub async fn offer_of(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    person: &MemberId,
) -> Result<Option<OfferRow>, StoreError> {
    let params = values![association.as_str(), request.as_str(), person.as_str()];
    conn.one(&OFFER_OF_MEMBER, params).await?.as_ref().map(offer_row).transpose()
}

/// # Errors
/// The database's.
pub async fn offers_of_request(
    conn: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
) -> Result<Vec<OfferRow>, StoreError> {
    let rows = conn.all(&OFFERS_OF_REQUEST_FULL, values![association.as_str(), request.as_str()]).await?;
    rows.iter().map(offer_row).collect()
}

/// The newest offers of a member, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn offers_of_member(
    conn: &mut Conn,
    association: &AssociationId,
    person: &MemberId,
    after: &str,
    limit: i64,
) -> Result<Vec<OfferRow>, StoreError> {
    let params = values![association.as_str(), person.as_str(), after, limit];
    let rows = conn.all(&OFFERS_OF_MEMBER, params).await?;
    rows.iter().map(offer_row).collect()
}

/// The offers that a person can still answer, in the order they were made, at most `limit`.
///
/// # Errors
/// The database's.
pub async fn offers_live_of(
    conn: &mut Conn,
    association: &AssociationId,
    person: &MemberId,
    limit: i64,
) -> Result<Vec<OfferRow>, StoreError> {
    let rows = conn.all(&OFFERS_LIVE_OF, values![association.as_str(), person.as_str(), limit]).await?;
    rows.iter().map(offer_row).collect()
}

/// Offers in the order they were made, after `after` (empty: from the start), at most `limit`.
///
/// # Errors
/// The database's.
pub async fn offers_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<OfferRow>, StoreError> {
    conn.all(&OFFERS_AFTER, values![association.as_str(), after, limit])
        .await?
        .iter()
        .map(offer_row)
        .collect()
}

/// The person looked at the offer. An observation, not a state. `false`: it had been looked at before.
///
/// # Errors
/// The database's.
pub async fn offer_opened(
    tx: &mut Conn,
    association: &AssociationId,
    request: &RequestId,
    person: &MemberId,
    now: Millis,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), request.as_str(), person.as_str(), now];
    Ok(tx.exec(&OFFER_OPENED, params).await? == 1)
}
