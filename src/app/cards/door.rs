//! Opening night cards: by the physician who took the call, by the cover of the clinic while it lasts, and in an
//! emergency by another one with a reason. Each proves by PIN who they are, gets a pass for a quarter of an hour, and
//! every card opened with it is written down.

use serde_json::json;

use super::super::access::{PinCheck, Proven, note, pin_stands, read_pin};
use super::super::cover::{cover_now, patients_of};
use super::super::people::ApiWrongPin;
use super::super::{App, AppError, Kit, Who};
use super::{case_no, mails, mode_of, read_card};
use crate::domain::calendar::civil_day;
use crate::domain::consult::text_within;
use crate::domain::cover::cards::{
    DataMode, NightCard, PASS_S, REASON_KEEP_S, REASON_MAX, is_old, open_until, same_patient,
};
use crate::ids::{
    AssociationId, CallId, CardOpeningId, CardPassId, HouseholdId, InstitutionId, MemberId, RequestId,
};
use crate::store::call::call_by_id;
use crate::store::call::reports::call_reports;
use crate::store::cards::{
    OpeningRow, PassRow, card_by_id, card_of, cards_of_clinic, glass_of_association, opening_add,
    opening_by_id, pass_add, pass_by_id,
};
use crate::store::households::{household_by_id, households};
use crate::store::people::{Member, association_by_id, institution_by_id, member_by_id, member_pin_right};
use crate::store::requests::case_by_id;
use crate::store::secrets::Vault;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Broken glass that a page shows.
const BROKEN_MAX: i64 = 100;

/// Why somebody may open cards of a clinic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// They took this call.
    Call(CallId),
    /// They cover the clinic now, by this cover.
    Cover(RequestId),
    /// Neither, but somebody is in need.
    Glass { clinic: InstitutionId, reason: String },
}

impl Door {
    const fn via(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Cover(_) => "cover",
            Self::Glass { .. } => "glass",
        }
    }

    fn source(&self) -> Option<String> {
        match self {
            Self::Call(id) => Some(id.to_string()),
            Self::Cover(id) => Some(id.to_string()),
            Self::Glass { .. } => None,
        }
    }
}

/// Why a door that is somebody's own does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// The association keeps no cards.
    NoCards,
    /// The time of the call, the cover or the pass is over.
    Over,
}

/// How proving who one is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    Pass(CardPassId),
    PinMissing,
    PinMalformed,
    /// Counted; nothing else changed.
    PinWrong,
    /// Too many wrong PINs in a row: the office helps.
    PinLocked,
    Shut(Shut),
}

/// Whether a door is this person's, and open; `None`: there is no such door for them.
async fn open_for(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    member: &MemberId,
    door: &Door,
    now: Millis,
) -> Result<Option<Result<InstitutionId, Shut>>, StoreError> {
    let found = match door {
        Door::Call(id) => {
            let call = call_by_id(conn, association, id).await?;
            let Some(call) = call.filter(|call| call.taker.as_ref() == Some(member)) else {
                return Ok(None);
            };
            let Some(clinic) = call.clinic else { return Ok(None) };
            let reported = call_reports(conn, association, id).await?.first().map(|report| report.at);
            let open = open_until(reported, call.ended).is_none_or(|until| now < until);
            if open { Ok(clinic) } else { Err(Shut::Over) }
        }
        Door::Cover(id) => {
            let case = case_by_id(conn, association, id).await?.filter(|case| case.kind == "cover");
            let Some(case) = case else { return Ok(None) };
            let Some(facts) = super::super::cover::was_taken_by(conn, association, &case, member).await?
            else {
                return Ok(None);
            };
            let covers = cover_now(conn, vault, association, &facts.institution, now).await?;
            let mine = covers.is_some_and(|people| people.contains(member));
            if mine { Ok(facts.institution) } else { Err(Shut::Over) }
        }
        Door::Glass { clinic, .. } => {
            if institution_by_id(conn, association, clinic).await?.is_none() {
                return Ok(None);
            }
            Ok(clinic.clone())
        }
    };
    if found.is_ok() && mode_of(conn, association).await? == DataMode::None {
        return Ok(Some(Err(Shut::NoCards)));
    }
    Ok(Some(found))
}

struct Enter {
    kit: Kit,
    who: Who,
    member: MemberId,
    pin_version: i64,
    door: Door,
    id: CardPassId,
}

impl Command for Enter {
    /// `None`: no such door for this person.
    type Output = Option<Result<(), Shut>>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let member = member_by_id(tx, association, &self.member).await?;
        let stands = |m: &Member| m.is_active(kit.now) && pin_stands(kit, m, self.pin_version);
        let Some(member) = member.filter(stands) else { return Ok(None) };
        let clinic = match open_for(tx, &kit.vault, association, &member.id, &self.door, kit.now).await? {
            None => return Ok(None),
            Some(Err(shut)) => return Ok(Some(Err(shut))),
            Some(Ok(clinic)) => clinic,
        };
        member_pin_right(tx, association, &member.id).await?;
        let reason = match &self.door {
            Door::Glass { reason, .. } => Some(reason.as_str()),
            Door::Call(_) | Door::Cover(_) => None,
        };
        let pass = PassRow {
            id: self.id.clone(),
            member: member.id,
            clinic: clinic.clone(),
            via: self.door.via().to_owned(),
            source: self.door.source(),
            reason: None,
            at: kit.now,
            until: kit.now.plus_s(PASS_S),
        };
        let keep = kit.now.plus_s(REASON_KEEP_S);
        pass_add(tx, &kit.vault, association, &pass, reason, keep).await?;
        let action = if reason.is_some() { "card.glass" } else { "card.pass" };
        let detail = json!({ "pass": self.id.as_str(), "via": pass.via, "source": pass.source });
        note(tx, kit, &self.who, action, &format!("institution:{clinic}"), detail).await?;
        if reason.is_some() {
            mails::glass_broken(tx, kit, association, &pass).await?;
        }
        Ok(Some(Ok(())))
    }
}

struct Open {
    kit: Kit,
    who: Who,
    member: MemberId,
    pass: CardPassId,
    household: HouseholdId,
    id: CardOpeningId,
}

impl Command for Open {
    /// `None`: no such pass of this person, or no card of this household there.
    type Output = Option<Result<(), Shut>>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let pass = match pass_now(tx, &kit.vault, association, &self.member, &self.pass, kit.now).await? {
            None => return Ok(None),
            Some((_, Err(shut))) => return Ok(Some(Err(shut))),
            Some((pass, Ok(()))) => pass,
        };
        let behind = behind(tx, &kit.vault, association, &pass).await?;
        if !behind.iter().any(|(household, _)| *household == self.household) {
            return Ok(None);
        }
        let Some(card) = card_of(tx, association, &self.household).await? else { return Ok(None) };
        let opening = OpeningRow {
            pass: pass.id,
            card: card.id.clone(),
            household: self.household.clone(),
            at: kit.now,
        };
        opening_add(tx, association, &self.id, &opening).await?;
        let subject = format!("household:{}", self.household);
        let detail = json!({
            "opening": self.id.as_str(), "card": card.id.as_str(), "pass": opening.pass.as_str(),
            "via": pass.via, "source": pass.source,
        });
        note(tx, kit, &self.who, "card.open", &subject, detail).await?;
        Ok(Some(Ok(())))
    }
}

/// A pass of this person, and whether it still opens anything.
async fn pass_now(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    member: &MemberId,
    id: &CardPassId,
    now: Millis,
) -> Result<Option<(PassRow, Result<(), Shut>)>, StoreError> {
    let pass = pass_by_id(conn, association, id).await?.filter(|pass| pass.member == *member);
    let Some(pass) = pass else { return Ok(None) };
    if now >= pass.until {
        return Ok(Some((pass, Err(Shut::Over))));
    }
    let source = pass.source.clone().unwrap_or_default();
    let door = match pass.via.as_str() {
        "call" => CallId::from_stored(&source).ok().map(Door::Call),
        "cover" => RequestId::from_stored(&source).ok().map(Door::Cover),
        _ => Some(Door::Glass { clinic: pass.clinic.clone(), reason: String::new() }),
    };
    let door = door.ok_or_else(|| StoreError::corrupt("card_pass", &pass.id, "source".to_owned()))?;
    // A call that was handed over, a cover that was given back: the pass is over with it.
    let open = open_for(conn, vault, association, member, &door, now).await?;
    let open = open.unwrap_or(Err(Shut::Over)).map(drop);
    Ok(Some((pass, open)))
}

/// The households whose cards a pass opens, with how the clinic calls them. Whoever covers chosen patients opens
/// theirs only.
async fn behind(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    pass: &PassRow,
) -> Result<Vec<(HouseholdId, String)>, StoreError> {
    let mut found = Vec::new();
    for row in households(conn, association, &pass.clinic).await? {
        let at = super::super::households::patient_of(row.id.as_str());
        let patient = vault.open(conn, association, at, &row.patient).await?;
        found.push((row.id, patient));
    }
    if pass.via == "cover" {
        let cover = pass.source.as_deref().and_then(|id| RequestId::from_stored(id).ok());
        let case = match cover {
            Some(id) => case_by_id(conn, association, &id).await?,
            None => None,
        };
        let named = match case {
            Some(case) => patients_of(conn, vault, association, &case).await?,
            None => Some(Vec::new()),
        };
        if let Some(named) = named {
            found.retain(|(_, patient)| named.iter().any(|name| same_patient(name, patient)));
        }
    }
    Ok(found)
}

/// When a card was written, and whether that is too long ago to go by it.
pub type Written = (Millis, bool);

/// The patients behind a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassPage {
    pub clinic_name: String,
    pub via: String,
    pub case_no: Option<String>,
    pub until: Millis,
    /// Household, patient, when the card was written and whether it is old; `None`: there is no card.
    pub patients: Vec<(HouseholdId, String, Option<Written>)>,
}

/// A card as it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardShown {
    pub pass: CardPassId,
    pub clinic_name: String,
    pub patient: String,
    pub card: NightCard,
    pub written: Millis,
    pub old: bool,
    pub opened: Millis,
}

/// Somebody broke the glass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub at: Millis,
    pub member: String,
    pub clinic: String,
    /// `None`: past its time.
    pub reason: Option<String>,
}

impl App {
    /// Whether a door is this person's and open, for the page before the PIN; nothing changes.
    ///
    /// # Errors
    /// [`AppError::NotFound`]: no such door for this person; the store's.
    pub async fn card_door(
        &self,
        association: &AssociationId,
        member: &MemberId,
        door: &Door,
    ) -> Result<Result<String, Shut>, AppError> {
        let mut conn = self.db.read().await?;
        let open = open_for(&mut conn, &self.vault, association, member, door, self.now()).await?;
        match open.ok_or(AppError::NotFound)? {
            Err(shut) => Ok(Err(shut)),
            Ok(clinic) => {
                let place = institution_by_id(&mut conn, association, &clinic).await?;
                Ok(Ok(place.map(|p| p.name).unwrap_or_default()))
            }
        }
    }

    /// Proves by PIN who somebody is and gives them a pass for a door. Breaking the glass tells the attending
    /// doctors and the coordinators at once.
    ///
    /// # Errors
    /// No reason for breaking the glass; [`AppError::NotFound`]: no such door for this person; the store's;
    /// [`AppError::Busy`].
    pub async fn card_enter(
        &self,
        who: &Who,
        member: &MemberId,
        door: Door,
        typed: &str,
    ) -> Result<Entered, AppError> {
        if let Door::Glass { reason, .. } = &door
            && let Some(wrong) = text_within(reason, true, REASON_MAX)
        {
            return Err(AppError::field("reason", wrong));
        }
        // Whoever may not enter is not asked for a PIN first.
        if let Err(shut) = self.card_door(&who.association, member, &door).await? {
            return Ok(Entered::Shut(shut));
        }
        let mut conn = self.db.read().await?;
        let person = member_by_id(&mut conn, &who.association, member).await?.ok_or(AppError::NotFound)?;
        drop(conn);
        if person.pin_failures >= self.rules.pin_tries_total {
            return Ok(Entered::PinLocked);
        }
        let pin = match read_pin(Some(typed)) {
            Ok(pin) => pin,
            Err(Proven::PinMissing) => return Ok(Entered::PinMissing),
            Err(_) => return Ok(Entered::PinMalformed),
        };
        let PinCheck::Right(pin_version) = self.pin_check(&who.association, &person, pin).await? else {
            self.db.run(ApiWrongPin::new(self.kit(), who.clone(), person.id)).await?;
            return Ok(Entered::PinWrong);
        };
        let kit = self.kit();
        let id = CardPassId::new(kit.now, self.chance.as_ref());
        let enter =
            Enter { kit, who: who.clone(), member: member.clone(), pin_version, door, id: id.clone() };
        Ok(match self.db.run(enter).await?.ok_or(AppError::NotFound)? {
            Ok(()) => Entered::Pass(id),
            Err(shut) => Entered::Shut(shut),
        })
    }

    /// The patients whose cards a pass opens.
    ///
    /// # Errors
    /// [`AppError::NotFound`]: no such pass of this person; the store's.
    pub async fn card_pass(
        &self,
        association: &AssociationId,
        member: &MemberId,
        pass: &CardPassId,
    ) -> Result<Result<PassPage, Shut>, AppError> {
        let mut conn = self.db.read().await?;
        let now = self.now();
        let found = pass_now(&mut conn, &self.vault, association, member, pass, now).await?;
        let (pass, open) = found.ok_or(AppError::NotFound)?;
        if let Err(shut) = open {
            return Ok(Err(shut));
        }
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let place = institution_by_id(&mut conn, association, &pass.clinic).await?;
        let cards = cards_of_clinic(&mut conn, association, &pass.clinic).await?;
        let mut patients = Vec::new();
        for (household, patient) in behind(&mut conn, &self.vault, association, &pass).await? {
            let card = cards.iter().find(|c| c.household == household).map(|card| {
                let old = is_old(civil_day(card.written, home.zone), civil_day(now, home.zone));
                (card.written, old)
            });
            patients.push((household, patient, card));
        }
        Ok(Ok(PassPage {
            clinic_name: place.map(|p| p.name).unwrap_or_default(),
            case_no: case_no(&mut conn, association, &pass.via, pass.source.as_deref()).await?,
            via: pass.via,
            until: pass.until,
            patients,
        }))
    }

    /// Opens the card of a household by a pass: written down for the attending doctor.
    ///
    /// # Errors
    /// [`AppError::NotFound`]: no such pass of this person, or no card behind it; the store's.
    pub async fn card_open(
        &self,
        who: &Who,
        member: &MemberId,
        pass: &CardPassId,
        household: &HouseholdId,
    ) -> Result<Result<CardOpeningId, Shut>, AppError> {
        let kit = self.kit();
        let id = CardOpeningId::new(kit.now, self.chance.as_ref());
        let open = Open {
            kit,
            who: who.clone(),
            member: member.clone(),
            pass: pass.clone(),
            household: household.clone(),
            id: id.clone(),
        };
        Ok(self.db.run(open).await?.ok_or(AppError::NotFound)?.map(|()| id))
    }

    /// A card that was opened, while its pass lasts.
    ///
    /// # Errors
    /// [`AppError::NotFound`]: this person opened no such card, or it is gone; the store's.
    pub async fn card_shown(
        &self,
        association: &AssociationId,
        member: &MemberId,
        opening: &CardOpeningId,
    ) -> Result<Result<CardShown, Shut>, AppError> {
        let mut conn = self.db.read().await?;
        let now = self.now();
        let row = opening_by_id(&mut conn, association, opening).await?.ok_or(AppError::NotFound)?;
        let found = pass_now(&mut conn, &self.vault, association, member, &row.pass, now).await?;
        let (pass, open) = found.ok_or(AppError::NotFound)?;
        if let Err(shut) = open {
            return Ok(Err(shut));
        }
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let household = household_by_id(&mut conn, association, &row.household).await?;
        let card = card_by_id(&mut conn, association, &row.card).await?;
        let (Some(household), Some(card)) = (household, card) else { return Err(AppError::NotFound) };
        let mode = mode_of(&mut conn, association).await?;
        let written = card.written;
        let text = read_card(&mut conn, self, association, &card, mode).await?.ok_or(AppError::NotFound)?;
        let at = super::super::households::patient_of(household.id.as_str());
        let place = institution_by_id(&mut conn, association, &pass.clinic).await?;
        Ok(Ok(CardShown {
            patient: self.vault.open(&mut conn, association, at, &household.patient).await?,
            pass: pass.id,
            clinic_name: place.map(|p| p.name).unwrap_or_default(),
            card: text,
            written,
            old: is_old(civil_day(written, home.zone), civil_day(now, home.zone)),
            opened: row.at,
        }))
    }

    /// Who broke the glass, the newest first: for the office.
    ///
    /// # Errors
    /// The store's.
    pub async fn cards_broken(&self, association: &AssociationId) -> Result<Vec<Broken>, AppError> {
        let mut conn = self.db.read().await?;
        let mut found = Vec::new();
        for (row, reason) in glass_of_association(&mut conn, &self.vault, association, BROKEN_MAX).await? {
            let member = member_by_id(&mut conn, association, &row.member).await?;
            let clinic = institution_by_id(&mut conn, association, &row.clinic).await?;
            found.push(Broken {
                at: row.at,
                member: member.map(|m| m.name).unwrap_or_default(),
                clinic: clinic.map(|c| c.name).unwrap_or_default(),
                reason,
            });
        }
        Ok(found)
    }
}
