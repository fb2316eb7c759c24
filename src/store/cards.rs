//! Night cards, each version under a key of its own; who proved to be who before opening any; every opening; and the
//! 主治医・副主治医 of households and clinics. Who may open what is `app`, what stands on a card `domain::cover::cards`.

use super::db::{Conn, StoreError};
use super::retention::{holds_standing, key_destroy, retention_lock};
use super::row::{Row, values};
use super::secrets::{Kept, Sealed, Vault};
use super::statements;
use crate::ids::{
    AssociationId, CardOpeningId, CardPassId, HouseholdId, InstitutionId, MemberId, NightCardId,
};
use crate::seal::sealed_month;
use crate::time::{Millis, Window};

statements! {
    CARD_KEY_LAST = "SELECT MAX(month) AS last FROM month_key WHERE association_id = $1 AND month >= 'c000000' AND month <= 'c999999'";
    CARD_ADD = "INSERT INTO night_card (association_id, card_id, household_id, written_at_ms, written_by, body) VALUES ($1, $2, $3, $4, $5, $6)";
    CARD_REPLACE = "UPDATE night_card SET replaced_at_ms = $3, destroy_at_ms = $4 WHERE association_id = $1 AND household_id = $2 AND replaced_at_ms IS NULL";
    CARDS_TO_GO = "UPDATE night_card SET destroy_at_ms = $3 WHERE association_id = $1 AND household_id = $2 AND destroyed_at_ms IS NULL";
    CARD_OF = "SELECT card_id, household_id, written_at_ms, body FROM night_card WHERE association_id = $1 AND household_id = $2 AND replaced_at_ms IS NULL";
    CARD_BY_ID = "SELECT card_id, household_id, written_at_ms, body FROM night_card WHERE association_id = $1 AND card_id = $2";
    CARDS_OF_CLINIC = "SELECT c.card_id, c.household_id, c.written_at_ms, c.body FROM household h JOIN night_card c ON c.association_id = h.association_id AND c.household_id = h.household_id AND c.replaced_at_ms IS NULL WHERE h.association_id = $1 AND h.institution_id = $2 AND h.ended_at_ms IS NULL ORDER BY h.household_id";
    CARDS_DUE = "SELECT card_id, body FROM night_card WHERE association_id = $1 AND destroy_at_ms <= $2 AND destroyed_at_ms IS NULL ORDER BY destroy_at_ms LIMIT 500";
    CARD_DESTROYED = "UPDATE night_card SET body = $3, destroyed_at_ms = $4 WHERE association_id = $1 AND card_id = $2";
    CARDS_GONE_SINCE = "SELECT COUNT(*) AS n FROM night_card WHERE association_id = $1 AND destroyed_at_ms > $2";
    CARDS_OLD = "SELECT h.institution_id, c.household_id, c.card_id FROM night_card c JOIN household h ON h.association_id = c.association_id AND h.household_id = c.household_id WHERE c.association_id = $1 AND c.replaced_at_ms IS NULL AND c.reminded_at_ms IS NULL AND c.written_at_ms < $2 AND h.ended_at_ms IS NULL ORDER BY h.institution_id, c.household_id LIMIT 1000";
    CARD_REMINDED = "UPDATE night_card SET reminded_at_ms = $3 WHERE association_id = $1 AND card_id = $2";
    PASS_ADD = "INSERT INTO card_pass (association_id, pass_id, member_id, institution_id, via, source_id, reason, at_ms, until_ms, destroy_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    PASS_BY_ID = "SELECT pass_id, member_id, institution_id, via, source_id, reason, at_ms, until_ms FROM card_pass WHERE association_id = $1 AND pass_id = $2";
    GLASS = "SELECT pass_id, member_id, institution_id, via, source_id, reason, at_ms, until_ms FROM card_pass WHERE association_id = $1 AND via = 'glass' ORDER BY at_ms DESC, pass_id LIMIT $2";
    PASSES_DUE = "SELECT pass_id, reason FROM card_pass WHERE association_id = $1 AND destroy_at_ms <= $2 ORDER BY destroy_at_ms LIMIT 500";
    PASS_DESTROYED = "UPDATE card_pass SET reason = NULL, destroy_at_ms = NULL WHERE association_id = $1 AND pass_id = $2";
    OPENING_ADD = "INSERT INTO card_opening (association_id, opening_id, pass_id, card_id, household_id, at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
    // Of a clinic, by somebody, within hours; by whichever door.
    OPENINGS_BY = "SELECT COUNT(*) AS n FROM card_opening o JOIN card_pass p ON p.association_id = o.association_id AND p.pass_id = o.pass_id WHERE o.association_id = $1 AND p.institution_id = $2 AND p.member_id = $3 AND o.at_ms >= $4 AND o.at_ms < $5";
    OPENING_BY_ID = "SELECT pass_id, card_id, household_id, at_ms FROM card_opening WHERE association_id = $1 AND opening_id = $2";
    // What the attending doctor reads: everybody who proved to be somebody for this clinic, and each card they opened.
    OPENINGS_OF_CLINIC = "SELECT p.member_id, p.via, p.source_id, p.pass_id, p.reason, p.at_ms AS pass_at_ms, o.household_id, o.at_ms AS opened_at_ms FROM card_pass p LEFT JOIN card_opening o ON o.association_id = p.association_id AND o.pass_id = p.pass_id WHERE p.association_id = $1 AND p.institution_id = $2 ORDER BY p.at_ms DESC, p.pass_id, o.at_ms LIMIT $3";
    PAIRS_OF_CLINIC = "SELECT household_id, attending_id, deputy_id FROM attending_pair WHERE association_id = $1 AND institution_id = $2 ORDER BY household_id";
    PAIR_SET = "INSERT INTO attending_pair (association_id, institution_id, household_id, attending_id, deputy_id, at_ms, set_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (association_id, institution_id, household_id) DO UPDATE SET attending_id = excluded.attending_id, deputy_id = excluded.deputy_id, at_ms = excluded.at_ms, set_by = excluded.set_by";
    PAIR_END = "DELETE FROM attending_pair WHERE association_id = $1 AND institution_id = $2 AND household_id = $3";
}

/// A version of a night card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRow {
    pub id: NightCardId,
    pub household: HouseholdId,
    pub written: Millis,
    /// Sealed; empty once destroyed.
    pub body: Vec<u8>,
}

/// Where a card's words are sealed for.
#[must_use]
pub const fn card_at(id: &str) -> Sealed<'_> {
    Sealed { table: "night_card", column: "body", row: id }
}

const fn reason_at(id: &str) -> Sealed<'_> {
    Sealed { table: "card_pass", column: "reason", row: id }
}

fn card(row: &Row) -> Result<CardRow, StoreError> {
    Ok(CardRow {
        id: row.id("card_id", NightCardId::from_stored)?,
        household: row.id("household_id", HouseholdId::from_stored)?,
        written: row.millis("written_at_ms")?,
        body: row.bytes("body")?,
    })
}

/// The name of a new key of one card's own, `c000001` and on. Two that are written at the same time wait for each
/// other here: a key shared by two cards would take both along.
async fn own_key(tx: &mut Conn, association: &AssociationId) -> Result<String, StoreError> {
    retention_lock(tx, association).await?;
    let last = match tx.one(&CARD_KEY_LAST, values![association.as_str()]).await? {
        Some(row) => row.opt_text("last")?,
        None => None,
    };
    let last = last.and_then(|name| name.get(1..).and_then(|n| n.parse::<u32>().ok())).unwrap_or(0);
    if last >= 999_999 {
        return Err(StoreError::Unusable("the keys of night cards are used up".to_owned()));
    }
    Ok(format!("c{:06}", last + 1))
}

/// Writes a card of a household, in the place of the one before, which is kept until `destroy_before`.
///
/// # Errors
/// The database's.
pub async fn card_write(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    (id, household): (&NightCardId, &HouseholdId),
    text: &str,
    (now, destroy_before, by): (Millis, Millis, &str),
) -> Result<(), StoreError> {
    let key = own_key(tx, association).await?;
    let body = vault.seal_under(tx, association, card_at(id.as_str()), &key, text).await?;
    let before = values![association.as_str(), household.as_str(), now, destroy_before];
    tx.exec(&CARD_REPLACE, before).await?;
    let params = values![association.as_str(), id.as_str(), household.as_str(), now, by, body];
    tx.exec(&CARD_ADD, params).await.map(drop)
}

/// The patient is not on the list any more: every card of the household is to be destroyed now.
///
/// # Errors
/// The database's.
pub async fn cards_end(
    tx: &mut Conn,
    association: &AssociationId,
    household: &HouseholdId,
    now: Millis,
) -> Result<(), StoreError> {
    let params = values![association.as_str(), household.as_str(), now, now];
    tx.exec(&CARD_REPLACE, params).await?;
    tx.exec(&CARDS_TO_GO, values![association.as_str(), household.as_str(), now]).await.map(drop)
}

/// The card of a household as it stands.
///
/// # Errors
/// The database's.
pub async fn card_of(
    conn: &mut Conn,
    association: &AssociationId,
    household: &HouseholdId,
) -> Result<Option<CardRow>, StoreError> {
    let row = conn.one(&CARD_OF, values![association.as_str(), household.as_str()]).await?;
    row.as_ref().map(card).transpose()
}

/// # Errors
/// The database's.
pub async fn card_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &NightCardId,
) -> Result<Option<CardRow>, StoreError> {
    let row = conn.one(&CARD_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(card).transpose()
}

/// The cards of a clinic's households.
///
/// # Errors
/// The database's.
pub async fn cards_of_clinic(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
) -> Result<Vec<CardRow>, StoreError> {
    let rows = conn.all(&CARDS_OF_CLINIC, values![association.as_str(), clinic.as_str()]).await?;
    rows.iter().map(card).collect()
}

/// The words of a card; `None`: destroyed.
///
/// # Errors
/// The database's; a card that was changed.
pub async fn card_text(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    row: &CardRow,
) -> Result<Option<String>, StoreError> {
    opened(conn, vault, association, card_at(row.id.as_str()), &row.body).await
}

async fn opened(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    at: Sealed<'_>,
    sealed: &[u8],
) -> Result<Option<String>, StoreError> {
    if sealed.is_empty() {
        return Ok(None);
    }
    Ok(match vault.open_kept(conn, association, at, sealed).await? {
        Kept::Text(text) => Some(text),
        Kept::Destroyed { .. } => None,
    })
}

/// What was destroyed: cards, and reasons of who broke the glass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardsGone {
    pub cards: Vec<NightCardId>,
    pub reasons: usize,
}

/// Destroys the keys of the cards and reasons whose time has come, and their bytes. Nothing while everything of the
/// association is on hold.
///
/// # Errors
/// The database's.
pub async fn cards_destroy(
    tx: &mut Conn,
    association: &AssociationId,
    now: Millis,
) -> Result<CardsGone, StoreError> {
    retention_lock(tx, association).await?;
    let mut gone = CardsGone::default();
    if holds_standing(tx, association).await?.iter().any(|hold| hold.request.is_none()) {
        return Ok(gone);
    }
    for row in tx.all(&CARDS_DUE, values![association.as_str(), now]).await? {
        let (id, body) = (row.id("card_id", NightCardId::from_stored)?, row.bytes("body")?);
        key_destroy(tx, association, sealed_month(&body)?, now).await?;
        let params = values![association.as_str(), id.as_str(), Vec::<u8>::new(), now];
        tx.exec(&CARD_DESTROYED, params).await?;
        gone.cards.push(id);
    }
    for row in tx.all(&PASSES_DUE, values![association.as_str(), now]).await? {
        if let Some(reason) = row.opt_bytes("reason")? {
            key_destroy(tx, association, sealed_month(&reason)?, now).await?;
            gone.reasons += 1;
        }
        tx.exec(&PASS_DESTROYED, values![association.as_str(), row.text("pass_id")?.as_str()]).await?;
    }
    Ok(gone)
}

/// How many cards were destroyed after a moment.
///
/// # Errors
/// The database's.
pub async fn cards_gone_since(
    conn: &mut Conn,
    association: &AssociationId,
    since: Millis,
) -> Result<i64, StoreError> {
    let row = conn.one(&CARDS_GONE_SINCE, values![association.as_str(), since]).await?;
    row.map_or(Ok(0), |row| row.int("n"))
}

/// Cards that were written before a moment and of which nobody was reminded: clinic, household, card.
///
/// # Errors
/// The database's.
pub async fn cards_old(
    conn: &mut Conn,
    association: &AssociationId,
    before: Millis,
) -> Result<Vec<(InstitutionId, HouseholdId, NightCardId)>, StoreError> {
    let rows = conn.all(&CARDS_OLD, values![association.as_str(), before]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.id("institution_id", InstitutionId::from_stored)?,
                row.id("household_id", HouseholdId::from_stored)?,
                row.id("card_id", NightCardId::from_stored)?,
            ))
        })
        .collect()
}

/// # Errors
/// The database's.
pub async fn card_reminded(
    tx: &mut Conn,
    association: &AssociationId,
    id: &NightCardId,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&CARD_REMINDED, values![association.as_str(), id.as_str(), now]).await.map(drop)
}

/// A proof, by PIN, of who may open cards of a clinic for a short time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassRow {
    pub id: CardPassId,
    pub member: MemberId,
    pub clinic: InstitutionId,
    /// `call`, `cover` or `glass`.
    pub via: String,
    /// The call or the cover.
    pub source: Option<String>,
    /// Sealed; of who broke the glass.
    pub reason: Option<Vec<u8>>,
    pub at: Millis,
    pub until: Millis,
}

/// Writes a pass; the reason, if there is one, is sealed and kept until `destroy_reason`.
///
/// # Errors
/// The database's.
pub async fn pass_add(
    tx: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    new: &PassRow,
    reason: Option<&str>,
    destroy_reason: Millis,
) -> Result<(), StoreError> {
    let sealed = match reason {
        Some(text) => {
            let key = own_key(tx, association).await?;
            Some(vault.seal_under(tx, association, reason_at(new.id.as_str()), &key, text).await?)
        }
        None => None,
    };
    let destroy = sealed.is_some().then_some(destroy_reason);
    let params = values![
        association.as_str(),
        new.id.as_str(),
        new.member.as_str(),
        new.clinic.as_str(),
        new.via.as_str(),
        new.source.as_deref(),
        sealed,
        new.at,
        new.until,
        destroy,
    ];
    tx.exec(&PASS_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn pass_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &CardPassId,
) -> Result<Option<PassRow>, StoreError> {
    let row = conn.one(&PASS_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.as_ref().map(pass).transpose()
}

fn pass(row: &Row) -> Result<PassRow, StoreError> {
    Ok(PassRow {
        id: row.id("pass_id", CardPassId::from_stored)?,
        member: row.id("member_id", MemberId::from_stored)?,
        clinic: row.id("institution_id", InstitutionId::from_stored)?,
        via: row.text("via")?,
        source: row.opt_text("source_id")?,
        reason: row.opt_bytes("reason")?,
        at: row.millis("at_ms")?,
        until: row.millis("until_ms")?,
    })
}

/// Who broke the glass, with the reason where it still is, the newest first.
///
/// # Errors
/// The database's; a reason that was changed.
pub async fn glass_of_association(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    limit: i64,
) -> Result<Vec<(PassRow, Option<String>)>, StoreError> {
    let mut found = Vec::new();
    for row in &conn.all(&GLASS, values![association.as_str(), limit]).await? {
        let row = pass(row)?;
        let reason = match &row.reason {
            Some(sealed) => opened(conn, vault, association, reason_at(row.id.as_str()), sealed).await?,
            None => None,
        };
        found.push((row, reason));
    }
    Ok(found)
}

/// One opening of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningRow {
    pub pass: CardPassId,
    pub card: NightCardId,
    pub household: HouseholdId,
    pub at: Millis,
}

/// # Errors
/// The database's.
pub async fn opening_add(
    tx: &mut Conn,
    association: &AssociationId,
    id: &CardOpeningId,
    new: &OpeningRow,
) -> Result<(), StoreError> {
    let params = values![
        association.as_str(),
        id.as_str(),
        new.pass.as_str(),
        new.card.as_str(),
        new.household.as_str(),
        new.at,
    ];
    tx.exec(&OPENING_ADD, params).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn opening_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &CardOpeningId,
) -> Result<Option<OpeningRow>, StoreError> {
    let row = conn.one(&OPENING_BY_ID, values![association.as_str(), id.as_str()]).await?;
    row.map(|row| {
        Ok(OpeningRow {
            pass: row.id("pass_id", CardPassId::from_stored)?,
            card: row.id("card_id", NightCardId::from_stored)?,
            household: row.id("household_id", HouseholdId::from_stored)?,
            at: row.millis("at_ms")?,
        })
    })
    .transpose()
}

/// What the attending doctor reads of one opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRow {
    pub member: MemberId,
    pub via: String,
    pub source: Option<String>,
    pub reason: Option<String>,
    pub at: Millis,
    /// `None`: proved who they are and opened none.
    pub household: Option<HouseholdId>,
}

/// Whether somebody opened a card of a clinic within these hours.
///
/// # Errors
/// The database's.
pub async fn card_opened_by(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    member: &MemberId,
    within: Window,
) -> Result<bool, StoreError> {
    let params = values![association.as_str(), clinic.as_str(), member.as_str(), within.from, within.to];
    let row = conn.one(&OPENINGS_BY, params).await?;
    Ok(row.map(|row| row.int("n")).transpose()?.unwrap_or(0) > 0)
}

/// Who opened cards of a clinic, the newest first.
///
/// # Errors
/// The database's; a reason that was changed.
pub async fn openings_of_clinic(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    clinic: &InstitutionId,
    limit: i64,
) -> Result<Vec<OpenedRow>, StoreError> {
    let rows = conn.all(&OPENINGS_OF_CLINIC, values![association.as_str(), clinic.as_str(), limit]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let pass = row.text("pass_id")?;
        let reason = match row.opt_bytes("reason")? {
            Some(sealed) => opened(conn, vault, association, reason_at(&pass), &sealed).await?,
            None => None,
        };
        found.push(OpenedRow {
            member: row.id("member_id", MemberId::from_stored)?,
            via: row.text("via")?,
            source: row.opt_text("source_id")?,
            reason,
            at: row.opt_millis("opened_at_ms")?.map_or_else(|| row.millis("pass_at_ms"), Ok)?,
            household: row.opt_id("household_id", HouseholdId::from_stored)?,
        });
    }
    Ok(found)
}

/// 主治医・副主治医.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairRow {
    /// `None`: all patients of the clinic.
    pub household: Option<HouseholdId>,
    pub attending: Option<MemberId>,
    pub deputy: Option<MemberId>,
}

/// The pairs of a clinic; the one of all its patients first.
///
/// # Errors
/// The database's.
pub async fn pairs_of_clinic(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
) -> Result<Vec<PairRow>, StoreError> {
    let rows = conn.all(&PAIRS_OF_CLINIC, values![association.as_str(), clinic.as_str()]).await?;
    rows.iter()
        .map(|row| {
            let household = row.text("household_id")?;
            Ok(PairRow {
                household: if household.is_empty() {
                    None
                } else {
                    Some(row.id("household_id", HouseholdId::from_stored)?)
                },
                attending: row.opt_id("attending_id", MemberId::from_stored)?,
                deputy: row.opt_id("deputy_id", MemberId::from_stored)?,
            })
        })
        .collect()
}

/// Sets a pair, or takes it away where it names nobody.
///
/// # Errors
/// The database's.
pub async fn pair_set(
    tx: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    pair: &PairRow,
    (now, by): (Millis, &str),
) -> Result<(), StoreError> {
    let household = pair.household.as_ref().map_or("", HouseholdId::as_str);
    if pair.attending.is_none() && pair.deputy.is_none() {
        let params = values![association.as_str(), clinic.as_str(), household];
        return tx.exec(&PAIR_END, params).await.map(drop);
    }
    let params = values![
        association.as_str(),
        clinic.as_str(),
        household,
        pair.attending.as_ref().map(MemberId::as_str),
        pair.deputy.as_ref().map(MemberId::as_str),
        now,
        by,
    ];
    tx.exec(&PAIR_SET, params).await.map(drop)
}
