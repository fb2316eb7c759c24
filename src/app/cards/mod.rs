//! Night cards (夜間カード) and the 主治医・副主治医: what the clinic writes and reads of its own here; opening by who
//! comes at night is `door`, mails are `mails`, what is past its time `destroy`.

mod destroy;
mod door;
mod mails;

use serde_json::json;

pub(crate) use destroy::household_gone;
pub use door::{Broken, CardShown, Door, Entered, PassPage, Shut};
pub(crate) use mails::mail_of;

use super::access::note;
use super::call::physicians;
use super::cover::settings_of;
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::consult::Wrong;
use crate::domain::cover::cards::{DataMode, NightCard, REPLACED_KEEP_S, is_old, sheet_end};
use crate::domain::people::rights::{Right, any_may};
use crate::ids::{AssociationId, HouseholdId, InstitutionId, MemberId, NightCardId, RequestId};
use crate::store::call::call_by_id;
use crate::store::cards::{
    CardRow, OpenedRow, PairRow, card_of, card_text, card_write, cards_of_clinic, openings_of_clinic,
    pair_set, pairs_of_clinic,
};
use crate::store::households::{household_by_id, households, households_ending};
use crate::store::people::{association_by_id, institution_by_id, member_by_id, members_after};
use crate::store::requests::case_by_id;
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Openings that a page shows.
const OPENED_MAX: i64 = 100;
/// People to choose from.
const EVERYBODY: i64 = 10_000;

/// What the association allows of cards.
pub(crate) async fn mode_of(conn: &mut Conn, association: &AssociationId) -> Result<DataMode, StoreError> {
    Ok(settings_of(conn, association).await?.1.cards)
}

async fn read_card(
    conn: &mut Conn,
    app: &App,
    association: &AssociationId,
    row: &CardRow,
    mode: DataMode,
) -> Result<Option<NightCard>, StoreError> {
    let Some(text) = card_text(conn, &app.vault, association, row).await? else { return Ok(None) };
    let card: NightCard =
        serde_json::from_str(&text).map_err(|e| StoreError::corrupt("night_card", &row.id, e))?;
    Ok(card.within(mode))
}

/// A patient of a clinic with the state of the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardLine {
    pub household: HouseholdId,
    pub patient: String,
    /// `None`: there is no card.
    pub written: Option<Millis>,
    /// Written more than sixty days ago.
    pub old: bool,
    pub last_visit: Option<CivilDate>,
    pub attending: Option<MemberId>,
    pub deputy: Option<MemberId>,
}

/// Who opened a card, when, and from which call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedLine {
    pub at: Millis,
    pub member: String,
    /// `call`, `cover` or `glass`.
    pub via: String,
    /// The number of the call or cover.
    pub case_no: Option<String>,
    /// Whose card; `None`: proved who they are and opened none. Empty: not on the list any more.
    pub patient: Option<String>,
    pub reason: Option<String>,
}

/// The patients of a clinic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardList {
    pub mode: DataMode,
    pub clinic: InstitutionId,
    pub clinic_name: String,
    pub lines: Vec<CardLine>,
    /// The pair of all patients for whom none of their own is set.
    pub panel: (Option<MemberId>, Option<MemberId>),
    pub opened: Vec<OpenedLine>,
    /// Who may be 主治医: the clinic's own physicians.
    pub own: Vec<(MemberId, String)>,
    /// Who may be 副主治医: everybody who asks and is asked.
    pub others: Vec<(MemberId, String)>,
}

impl CardList {
    /// The name of somebody who may be chosen.
    #[must_use]
    pub fn name_of(&self, id: &MemberId) -> &str {
        let all = self.own.iter().chain(&self.others);
        all.into_iter().find(|(known, _)| known == id).map_or("", |(_, name)| name)
    }
}

/// One's own patient with the card as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCard {
    pub mode: DataMode,
    pub clinic_name: String,
    pub patient: String,
    pub card: Option<(NightCard, Millis)>,
    pub old: bool,
}

struct Write {
    kit: Kit,
    who: Who,
    clinic: InstitutionId,
    household: HouseholdId,
    id: NightCardId,
    card: NightCard,
}

/// What became of writing.
enum Written {
    Done,
    /// No such household of this clinic.
    NotThere,
    /// The association keeps no cards.
    NoCards,
}

impl Command for Write {
    type Output = Written;

    async fn apply(&self, tx: &mut Conn) -> Result<Written, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let there = household_by_id(tx, association, &self.household).await?;
        if there.is_none_or(|h| h.institution != self.clinic) {
            return Ok(Written::NotThere);
        }
        let mode = mode_of(tx, association).await?;
        let Some(card) = self.card.clone().within(mode) else { return Ok(Written::NoCards) };
        let text =
            serde_json::to_string(&card).map_err(|e| StoreError::corrupt("night_card", &self.id, e))?;
        let destroy = kit.now.plus_s(REPLACED_KEEP_S);
        let at = (kit.now, destroy, self.who.actor.as_str());
        card_write(tx, &kit.vault, association, (&self.id, &self.household), &text, at).await?;
        let subject = format!("household:{}", self.household);
        let detail = json!({ "card": self.id.as_str(), "mode": mode });
        note(tx, kit, &self.who, "card.write", &subject, detail).await?;
        Ok(Written::Done)
    }
}

struct SetPair {
    kit: Kit,
    who: Who,
    clinic: InstitutionId,
    pair: PairRow,
}

impl Command for SetPair {
    /// The field that names somebody who cannot be it; `None` within: there is no such household.
    type Output = Result<(), Option<&'static str>>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        if let Some(household) = &self.pair.household {
            let there = household_by_id(tx, association, household).await?;
            if there.is_none_or(|h| h.institution != self.clinic) {
                return Ok(Err(None));
            }
        }
        for (field, id) in [("attending", &self.pair.attending), ("deputy", &self.pair.deputy)] {
            let Some(id) = id else { continue };
            let member = member_by_id(tx, association, id).await?;
            let fits = member.is_some_and(|m| {
                let own = m.institution.as_ref() == Some(&self.clinic);
                m.is_active(kit.now) && any_may(&m.roles, Right::Ask) && (field == "deputy" || own)
            });
            if !fits {
                return Ok(Err(Some(field)));
            }
        }
        if self.pair.attending.is_some() && self.pair.attending == self.pair.deputy {
            return Ok(Err(Some("deputy")));
        }
        pair_set(tx, association, &self.clinic, &self.pair, (kit.now, &self.who.actor)).await?;
        let detail = json!({
            "household": self.pair.household.as_ref().map(HouseholdId::as_str),
            "attending": self.pair.attending.as_ref().map(MemberId::as_str),
            "deputy": self.pair.deputy.as_ref().map(MemberId::as_str),
        });
        let subject = format!("institution:{}", self.clinic);
        note(tx, kit, &self.who, "attending.set", &subject, detail).await?;
        Ok(Ok(()))
    }
}

/// The deputies of a clinic's patients: of all of them first, then of single ones, each once.
pub(crate) async fn deputies_of(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
) -> Result<Vec<MemberId>, StoreError> {
    let mut found: Vec<MemberId> = Vec::new();
    for pair in pairs_of_clinic(conn, association, clinic).await? {
        if let Some(deputy) = pair.deputy
            && !found.contains(&deputy)
        {
            found.push(deputy);
        }
    }
    Ok(found)
}

/// Whom to tell of a clinic's cards: the 主治医 that are set, otherwise every physician of the clinic.
pub(crate) async fn attending_of(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let all = physicians(conn, association, clinic, now).await?;
    let pairs = pairs_of_clinic(conn, association, clinic).await?;
    let named = |id: &MemberId| pairs.iter().any(|p| p.attending.as_ref() == Some(id));
    // For patients of whom no 主治医 is set it may be any of them.
    let whole = pairs.iter().any(|p| p.household.is_none() && p.attending.is_some());
    Ok(if whole { all.into_iter().filter(named).collect() } else { all })
}

impl App {
    /// What the association allows of cards.
    ///
    /// # Errors
    /// The store's.
    pub async fn card_mode(&self, association: &AssociationId) -> Result<DataMode, AppError> {
        let mut conn = self.db.read().await?;
        Ok(mode_of(&mut conn, association).await?)
    }

    /// The household of the number on a sheet that came by fax, and its clinic; `None`: the number is none, was
    /// misread, or stands for nobody.
    ///
    /// # Errors
    /// The store's.
    pub async fn card_of_sheet(
        &self,
        association: &AssociationId,
        typed: &str,
    ) -> Result<Option<(InstitutionId, HouseholdId)>, AppError> {
        let Some(end) = sheet_end(typed) else { return Ok(None) };
        let mut conn = self.db.read().await?;
        let found = households_ending(&mut conn, association, &end).await?;
        Ok(match found.as_slice() {
            [one] => Some((one.institution.clone(), one.id.clone())),
            _ => None,
        })
    }

    /// The patients of a clinic, the state of their cards, who opened which.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such clinic; the store's.
    pub async fn card_list(
        &self,
        association: &AssociationId,
        clinic: &InstitutionId,
    ) -> Result<CardList, AppError> {
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let place = institution_by_id(&mut conn, association, clinic).await?.ok_or(AppError::NotFound)?;
        let mode = mode_of(&mut conn, association).await?;
        let today = civil_day(self.now(), home.zone);
        let pairs = pairs_of_clinic(&mut conn, association, clinic).await?;
        let cards = cards_of_clinic(&mut conn, association, clinic).await?;
        let mut lines = Vec::new();
        for household in households(&mut conn, association, clinic).await? {
            let at = super::households::patient_of(household.id.as_str());
            let patient = self.vault.open(&mut conn, association, at, &household.patient).await?;
            let row = cards.iter().find(|c| c.household == household.id);
            let card = match row {
                Some(row) => read_card(&mut conn, self, association, row, mode).await?,
                None => None,
            };
            let pair = pairs.iter().find(|p| p.household.as_ref() == Some(&household.id));
            lines.push(CardLine {
                patient,
                written: row.map(|row| row.written),
                old: row.is_some_and(|row| is_old(civil_day(row.written, home.zone), today)),
                last_visit: card.and_then(|card| card.last_visit_on),
                attending: pair.and_then(|p| p.attending.clone()),
                deputy: pair.and_then(|p| p.deputy.clone()),
                household: household.id,
            });
        }
        let panel = pairs.iter().find(|p| p.household.is_none());
        let panel = panel.map(|p| (p.attending.clone(), p.deputy.clone())).unwrap_or_default();
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for member in members_after(&mut conn, association, "", EVERYBODY).await? {
            if !member.is_active(self.now()) || !any_may(&member.roles, Right::Ask) {
                continue;
            }
            if member.institution.as_ref() == Some(clinic) {
                own.push((member.id.clone(), member.name.clone()));
            }
            others.push((member.id, member.name));
        }
        let rows = openings_of_clinic(&mut conn, &self.vault, association, clinic, OPENED_MAX).await?;
        let mut opened = Vec::new();
        for row in rows {
            opened.push(self.opened_line(&mut conn, association, row, &lines).await?);
        }
        Ok(CardList {
            mode,
            clinic: clinic.clone(),
            clinic_name: place.name,
            lines,
            panel,
            opened,
            own,
            others,
        })
    }

    async fn opened_line(
        &self,
        conn: &mut Conn,
        association: &AssociationId,
        row: OpenedRow,
        lines: &[CardLine],
    ) -> Result<OpenedLine, StoreError> {
        let member = member_by_id(conn, association, &row.member).await?;
        let patient = row.household.map(|id| {
            lines
                .iter()
                .find(|line| line.household == id)
                .map(|line| line.patient.clone())
                .unwrap_or_default()
        });
        Ok(OpenedLine {
            at: row.at,
            member: member.map(|m| m.name).unwrap_or_default(),
            case_no: case_no(conn, association, &row.via, row.source.as_deref()).await?,
            via: row.via,
            patient,
            reason: row.reason,
        })
    }

    /// A patient of one's own clinic with the card as it stands.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it is no patient of this clinic; the store's.
    pub async fn card_own(
        &self,
        association: &AssociationId,
        clinic: &InstitutionId,
        household: &HouseholdId,
    ) -> Result<OwnCard, AppError> {
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let place = institution_by_id(&mut conn, association, clinic).await?.ok_or(AppError::NotFound)?;
        let row = household_by_id(&mut conn, association, household).await?;
        let row = row.filter(|h| h.institution == *clinic).ok_or(AppError::NotFound)?;
        let at = super::households::patient_of(household.as_str());
        let patient = self.vault.open(&mut conn, association, at, &row.patient).await?;
        let mode = mode_of(&mut conn, association).await?;
        let mut found = OwnCard { mode, clinic_name: place.name, patient, card: None, old: false };
        if let Some(row) = card_of(&mut conn, association, household).await? {
            let card = read_card(&mut conn, self, association, &row, mode).await?;
            found.card = card.map(|card| (card, row.written));
            found.old = is_old(civil_day(row.written, home.zone), civil_day(self.now(), home.zone));
        }
        Ok(found)
    }

    /// Writes the card of a patient in the place of the one before; `who` may be the office in the doctor's name.
    ///
    /// # Errors
    /// Fields that cannot be taken; `mode` is wrong where the association keeps no cards; no such patient of this
    /// clinic; the store's.
    pub async fn card_write(
        &self,
        who: &Who,
        clinic: &InstitutionId,
        household: &HouseholdId,
        card: NightCard,
    ) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, &who.association).await?.ok_or(AppError::NotFound)?;
        let mode = mode_of(&mut conn, &who.association).await?;
        drop(conn);
        let kit = self.kit();
        let no_cards = || AppError::field("mode", Wrong::NotAChoice);
        let card = card.within(mode).ok_or_else(no_cards)?;
        let wrong = card.wrong_fields(civil_day(kit.now, home.zone));
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let id = NightCardId::new(kit.now, self.chance.as_ref());
        let (clinic, household) = (clinic.clone(), household.clone());
        match self.db.run(Write { kit, who: who.clone(), clinic, household, id, card }).await? {
            Written::Done => Ok(()),
            Written::NotThere => Err(AppError::NotFound),
            Written::NoCards => Err(no_cards()),
        }
    }

    /// Sets the 主治医 and 副主治医 of one patient, or of all patients of a clinic (`household` is `None`). Nobody: taken
    /// away.
    ///
    /// # Errors
    /// Somebody who cannot be it; no such patient of this clinic; the store's.
    pub async fn attending_set(
        &self,
        who: &Who,
        clinic: &InstitutionId,
        household: Option<HouseholdId>,
        (attending, deputy): (Option<MemberId>, Option<MemberId>),
    ) -> Result<(), AppError> {
        let pair = PairRow { household, attending, deputy };
        let set = SetPair { kit: self.kit(), who: who.clone(), clinic: clinic.clone(), pair };
        match self.db.run(set).await? {
            Ok(()) => Ok(()),
            Err(None) => Err(AppError::NotFound),
            Err(Some(field)) => Err(AppError::field(field, Wrong::NotAChoice)),
        }
    }

    /// The names of those who are asked first to cover a clinic: the deputies of its patients.
    ///
    /// # Errors
    /// The store's.
    pub async fn cover_deputies(
        &self,
        association: &AssociationId,
        clinic: &InstitutionId,
    ) -> Result<Vec<(MemberId, String)>, AppError> {
        let mut conn = self.db.read().await?;
        let mut found = Vec::new();
        for id in deputies_of(&mut conn, association, clinic).await? {
            let member = member_by_id(&mut conn, association, &id).await?;
            found.extend(member.filter(|m| m.is_active(self.now())).map(|m| (id, m.name)));
        }
        Ok(found)
    }
}

/// The number of the call or cover behind an opening.
async fn case_no(
    conn: &mut Conn,
    association: &AssociationId,
    via: &str,
    source: Option<&str>,
) -> Result<Option<String>, StoreError> {
    let Some(source) = source else { return Ok(None) };
    Ok(match via {
        "call" => match crate::ids::CallId::from_stored(source) {
            Ok(id) => call_by_id(conn, association, &id).await?.map(|call| call.case_no),
            Err(_) => None,
        },
        _ => match RequestId::from_stored(source) {
            Ok(id) => case_by_id(conn, association, &id).await?.map(|case| case.case_no),
            Err(_) => None,
        },
    })
}
