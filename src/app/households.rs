//! Households of a clinic's home patients: who was told of which pillar, and what follows for the pillars that a call
//! may ring. What a household's answer means is `domain::cover::households`.

use std::collections::BTreeMap;

use serde_json::json;

use super::access::note;
use super::call::settings::{Pillar, load};
use super::{App, AppError, Kit, Who, cards, cover};
use crate::domain::calendar::CivilDate;
use crate::domain::consult::{Wrong, short_text};
use crate::domain::cover::households::{HOUSEHOLDS_MAX, MEMBERS, Told, all_told};
use crate::ids::{AssociationId, HouseholdId, InstitutionId};
use crate::store::households::{
    HouseholdRow, household_add, household_by_id, household_end, household_list, household_list_set,
    household_told_set, households, households_told,
};
use crate::store::people::{institution_by_id, member_by_id};
use crate::store::secrets::Sealed;
use crate::store::{Command, Conn, StoreError};

pub(crate) const fn patient_of(id: &str) -> Sealed<'_> {
    Sealed { table: "household", column: "patient", row: id }
}

/// Whether every household of a clinic was told by this day: of a pillar by its institution's id, or of [`MEMBERS`].
pub(crate) async fn clinic_told(
    conn: &mut Conn,
    association: &AssociationId,
    clinic: &InstitutionId,
    pillar: &str,
    day: CivilDate,
) -> Result<bool, StoreError> {
    let whole_since = household_list(conn, association, clinic).await?;
    let listed = households(conn, association, clinic).await?;
    let told = households_told(conn, association, clinic).await?;
    let told: Vec<Option<Told>> = listed
        .iter()
        .map(|h| told.iter().find(|(id, name, _)| *id == h.id && name == pillar).map(|(_, _, told)| *told))
        .collect();
    Ok(all_told(whole_since, &told, day))
}

/// Which households were told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldWhom {
    One(HouseholdId),
    /// Every one of which nothing is written yet.
    NotYet,
}

enum Deed {
    Add { id: HouseholdId, patient: String },
    Told { whom: ToldWhom, pillar: String, told: Told },
    End { id: HouseholdId },
    Whole { since: Option<CivilDate> },
}

struct Do {
    kit: Kit,
    who: Who,
    clinic: InstitutionId,
    deed: Deed,
}

impl Do {
    /// Whether a household is one of this clinic.
    async fn is_ours(&self, tx: &mut Conn, id: &HouseholdId) -> Result<bool, StoreError> {
        let found = household_by_id(tx, &self.who.association, id).await?;
        Ok(found.is_some_and(|h| h.institution == self.clinic))
    }

    /// The households of which nothing is written yet.
    async fn not_told(&self, tx: &mut Conn, of: &str) -> Result<Vec<HouseholdId>, StoreError> {
        let association = &self.who.association;
        let told = households_told(tx, association, &self.clinic).await?;
        let known = |id: &HouseholdId| told.iter().any(|(told, pillar, _)| told == id && pillar == of);
        let listed = households(tx, association, &self.clinic).await?;
        Ok(listed.into_iter().map(|h| h.id).filter(|id| !known(id)).collect())
    }
}

impl Command for Do {
    /// `false`: there is no such household of this clinic, or the list is full.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let by = (kit.now, self.who.actor.as_str());
        let detail = match &self.deed {
            Deed::Add { id, patient } => {
                if households(tx, association, &self.clinic).await?.len() >= HOUSEHOLDS_MAX {
                    return Ok(false);
                }
                let sealed =
                    kit.vault.seal_lasting(tx, association, patient_of(id.as_str()), patient).await?;
                let new = HouseholdRow {
                    id: id.clone(),
                    institution: self.clinic.clone(),
                    patient: sealed,
                    added: kit.now,
                };
                household_add(tx, association, &new, by.1).await?;
                json!({ "household": id.as_str() })
            }
            Deed::Told { whom, pillar, told } => {
                let ids = match whom {
                    ToldWhom::One(id) if !self.is_ours(tx, id).await? => return Ok(false),
                    ToldWhom::One(id) => vec![id.clone()],
                    ToldWhom::NotYet => self.not_told(tx, pillar).await?,
                };
                for id in &ids {
                    household_told_set(tx, association, id, (pillar.as_str(), *told), by).await?;
                }
                json!({ "households": ids, "pillar": pillar, "told": told })
            }
            Deed::End { id } => {
                if !self.is_ours(tx, id).await? || !household_end(tx, association, id, kit.now).await? {
                    return Ok(false);
                }
                cards::household_gone(tx, kit, &self.who, &self.clinic, id).await?;
                json!({ "household": id.as_str() })
            }
            Deed::Whole { since } => {
                household_list_set(tx, association, &self.clinic, *since, by).await?;
                json!({ "whole_since": since.map(|day| day.to_string()) })
            }
        };
        let action = match &self.deed {
            Deed::Add { .. } => "household.add",
            Deed::Told { .. } => "household.told",
            Deed::End { .. } => "household.end",
            Deed::Whole { .. } => "household.whole",
        };
        note(tx, kit, &self.who, action, &format!("institution:{}", self.clinic), detail).await?;
        cover::pillars_changed(tx, kit, association, Some(&self.clinic)).await?;
        Ok(true)
    }
}

/// A household on its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    pub id: HouseholdId,
    /// Initials or whatever the clinic chose.
    pub patient: String,
    /// What it was told, by the id of a pillar's institution or [`MEMBERS`].
    pub told: BTreeMap<String, Told>,
}

/// A pillar as a household may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarShown {
    pub institution: InstitutionId,
    pub name: String,
    pub phone: String,
    /// Whether a call for this clinic may ring it, of what concerns the contract and the households.
    pub used: bool,
    pub pillar: Pillar,
    /// Who answers for it (担当者), by name.
    pub people: Vec<String>,
}

/// The list of a clinic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseholdList {
    pub clinic: InstitutionId,
    pub clinic_name: String,
    pub whole_since: Option<CivilDate>,
    pub households: Vec<Household>,
    pub pillars: Vec<PillarShown>,
}

impl App {
    /// The households of a clinic, what they were told, and which pillars follow from it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such clinic; the store's.
    pub async fn household_list(
        &self,
        association: &AssociationId,
        clinic: &InstitutionId,
    ) -> Result<HouseholdList, AppError> {
        let today = self.today_of(association).await?;
        let mut conn = self.db.read().await?;
        let place = institution_by_id(&mut conn, association, clinic).await?.ok_or(AppError::NotFound)?;
        let told = households_told(&mut conn, association, clinic).await?;
        let mut listed = Vec::new();
        for row in households(&mut conn, association, clinic).await? {
            let patient =
                self.vault.open(&mut conn, association, patient_of(row.id.as_str()), &row.patient).await?;
            let own = told.iter().filter(|(id, _, _)| *id == row.id);
            let told = own.map(|(_, of, told)| (of.clone(), *told)).collect();
            listed.push(Household { told, id: row.id.clone(), patient });
        }
        let (_, settings) = load(&mut conn, &self.vault, association).await?;
        let mut pillars = Vec::new();
        for (id, pillar) in settings.pillars_in_order() {
            let Some(place) = institution_by_id(&mut conn, association, id).await? else { continue };
            let phone = match &place.phone {
                Some(sealed) => {
                    let at = Sealed { table: "institution", column: "phone", row: id.as_str() };
                    self.vault.open(&mut conn, association, at, sealed).await?
                }
                None => String::new(),
            };
            let mut people = Vec::new();
            for person in &pillar.people {
                people.extend(member_by_id(&mut conn, association, person).await?.map(|m| m.name));
            }
            let told = clinic_told(&mut conn, association, clinic, id.as_str(), today).await?;
            pillars.push(PillarShown {
                institution: id.clone(),
                name: place.name,
                phone,
                used: pillar.on && pillar.contract.runs_on(today) && told,
                pillar: pillar.clone(),
                people,
            });
        }
        Ok(HouseholdList {
            clinic: clinic.clone(),
            clinic_name: place.name,
            whole_since: household_list(&mut conn, association, clinic).await?,
            households: listed,
            pillars,
        })
    }

    async fn household_do(&self, who: &Who, clinic: &InstitutionId, deed: Deed) -> Result<(), AppError> {
        let deed = Do { kit: self.kit(), who: who.clone(), clinic: clinic.clone(), deed };
        if self.db.run(deed).await? { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// Puts a household on a clinic's list.
    ///
    /// # Errors
    /// No text, or none that is one line; the list is full; the store's.
    pub async fn household_add(
        &self,
        who: &Who,
        clinic: &InstitutionId,
        patient: &str,
    ) -> Result<HouseholdId, AppError> {
        if let Some(wrong) = short_text(patient, true) {
            return Err(AppError::field("patient", wrong));
        }
        let id = HouseholdId::new(self.now(), self.chance.as_ref());
        let deed = Deed::Add { id: id.clone(), patient: patient.trim().to_owned() };
        match self.household_do(who, clinic, deed).await {
            Err(AppError::NotFound) => Err(AppError::field("patient", Wrong::TooLong)),
            done => done.map(|()| id),
        }
    }

    /// Writes down what a household was told of a pillar, by its institution's id, or of [`MEMBERS`].
    ///
    /// # Errors
    /// No such household of this clinic; no such pillar; a day to come; the store's.
    pub async fn household_told(
        &self,
        who: &Who,
        clinic: &InstitutionId,
        id: &HouseholdId,
        pillar: &str,
        told: Told,
    ) -> Result<(), AppError> {
        self.households_told(who, clinic, ToldWhom::One(id.clone()), pillar, told).await
    }

    /// As [`App::household_told`], of one household or of all of which nothing is written yet.
    ///
    /// # Errors
    /// As there.
    pub async fn households_told(
        &self,
        who: &Who,
        clinic: &InstitutionId,
        whom: ToldWhom,
        pillar: &str,
        told: Told,
    ) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        let (_, settings) = load(&mut conn, &self.vault, &who.association).await?;
        if pillar != MEMBERS && !settings.pillars.keys().any(|known| known.as_str() == pillar) {
            return Err(AppError::field("pillar", Wrong::NotAChoice));
        }
        drop(conn);
        if let Some(wrong) = told.wrong(self.today_of(&who.association).await?) {
            return Err(AppError::Invalid(vec![wrong]));
        }
        self.household_do(who, clinic, Deed::Told { whom, pillar: pillar.to_owned(), told }).await
    }

    /// Takes a household off the list.
    ///
    /// # Errors
    /// No such household of this clinic; the store's.
    pub async fn household_end(
        &self,
        who: &Who,
        clinic: &InstitutionId,
        id: &HouseholdId,
    ) -> Result<(), AppError> {
        self.household_do(who, clinic, Deed::End { id: id.clone() }).await
    }

    /// The clinic says that nobody is missing on its list, or takes that back.
    ///
    /// # Errors
    /// The store's.
    pub async fn household_whole(
        &self,
        who: &Who,
        clinic: &InstitutionId,
        whole: bool,
    ) -> Result<(), AppError> {
        let today = self.today_of(&who.association).await?;
        let since = whole.then_some(today);
        self.household_do(who, clinic, Deed::Whole { since }).await
    }
}
