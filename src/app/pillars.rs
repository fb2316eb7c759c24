//! The pillars (受け皿): institutions that stand by, what is set for each, and the own rota of those that have one. Which
//! of them may be used for a clinic is `households` and `domain::cover::pillars`; asked they are by `cover` and `call`.

use serde_json::json;

use super::access::note;
use super::call::here;
use super::call::settings::{CallSettings, PLACE_MAX, Pillar, load};
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::civil_day;
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::cover::pillars::{NewPillarDuty, ROTA_LINES_MAX};
use crate::domain::ledger::{EventKind, OnRotaAs, Side, Tariff};
use crate::ids::{AssociationId, InstitutionId, MemberId, PillarDutyId};
use crate::store::people::{association_by_id, institution_by_id, member_by_id};
use crate::store::pillars::{PillarDuty, pillar_duties, pillar_duty_add, pillar_duty_withdraw};
use crate::store::secrets::Vault;
use crate::store::{Command, Conn, StoreError};
use crate::time::{Millis, Window};

/// What of a rota is ahead: two years.
const AHEAD_S: i64 = 2 * 366 * 86_400;

/// Who answers for a pillar: whoever is named and still there; otherwise everybody of the institution.
pub(crate) async fn contacts(
    conn: &mut Conn,
    association: &AssociationId,
    (institution, pillar): (&InstitutionId, &Pillar),
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let there = here(conn, association, institution, now).await?;
    let named: Vec<MemberId> = pillar.people.iter().filter(|p| there.contains(p)).cloned().collect();
    Ok(if named.is_empty() { there } else { named })
}

/// Who of an institution is written into its own rota for some hours and still there.
async fn on_rota(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    window: Window,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let mut people = Vec::new();
    for duty in pillar_duties(conn, association, institution, window).await? {
        let member = member_by_id(conn, association, &duty.member).await?;
        let there = member.is_some_and(|m| m.is_active(now) && m.institution.as_ref() == Some(institution));
        if there && !people.contains(&duty.member) {
            people.push(duty.member);
        }
    }
    Ok(people)
}

/// Who of an institution its own rota names for this moment.
pub(crate) async fn on_rota_now(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    on_rota(conn, association, institution, Window { from: now, to: now.plus_ms(1) }, now).await
}

/// Who of a pillar is rung now: by its own rota, where that names somebody for this moment; otherwise who answers
/// for it, so that an hour nobody was written down for rings somebody all the same.
pub(crate) async fn rung_now(
    conn: &mut Conn,
    association: &AssociationId,
    (institution, pillar): (&InstitutionId, &Pillar),
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let people = on_rota_now(conn, association, institution, now).await?;
    if people.is_empty() { contacts(conn, association, (institution, pillar), now).await } else { Ok(people) }
}

/// Everybody whom the own rotas of the pillars in use name for a night.
pub(crate) async fn on_tonight(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    (night, zone): (Window, chrono_tz::Tz),
) -> Result<Vec<MemberId>, StoreError> {
    let (_, settings) = load(conn, vault, association).await?;
    let today = civil_day(night.from, zone);
    let mut people = Vec::new();
    for (institution, pillar) in settings.pillars_in_order() {
        if pillar.on && pillar.contract.runs_on(today) {
            people.extend(on_rota(conn, association, institution, night, night.from).await?);
        }
    }
    Ok(people)
}

enum Deed {
    Add { member: MemberId, duties: Vec<PillarDuty> },
    Withdraw { id: PillarDutyId },
}

struct Do {
    kit: Kit,
    who: Who,
    institution: InstitutionId,
    deed: Deed,
}

impl Command for Do {
    type Output = Result<(), FieldWrong>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let wrong = |field, wrong| Ok(Err(FieldWrong { field, wrong }));
        let (action, detail) = match &self.deed {
            Deed::Add { member, duties } => {
                if !here(tx, association, &self.institution, kit.now).await?.contains(member) {
                    return wrong("member", Wrong::NotAChoice);
                }
                let ahead = Window { from: kit.now, to: kit.now.plus_s(AHEAD_S) };
                let known = pillar_duties(tx, association, &self.institution, ahead).await?;
                if known.len() + duties.len() > ROTA_LINES_MAX {
                    return wrong("last", Wrong::TooLate);
                }
                let twice = |new: &PillarDuty| {
                    known.iter().any(|k| {
                        k.member == new.member
                            && k.window.from < new.window.to
                            && new.window.from < k.window.to
                    })
                };
                if duties.iter().any(twice) {
                    return wrong("first", Wrong::Taken);
                }
                for duty in duties {
                    let by = (kit.now, self.who.actor.as_str());
                    pillar_duty_add(tx, association, &self.institution, duty, by).await?;
                }
                let windows: Vec<Window> = duties.iter().map(|duty| duty.window).collect();
                ("pillar_duty.add", json!({ "member": member.as_str(), "windows": windows }))
            }
            Deed::Withdraw { id } => {
                if !pillar_duty_withdraw(tx, association, (&self.institution, id), kit.now).await? {
                    return wrong("duty", Wrong::Unknown);
                }
                ("pillar_duty.withdraw", json!({ "duty": id.as_str() }))
            }
        };
        note(tx, kit, &self.who, action, &format!("institution:{}", self.institution), detail).await?;
        Ok(Ok(()))
    }
}

/// A pillar among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarLine {
    pub institution: InstitutionId,
    pub name: String,
    pub pillar: Pillar,
    /// In contract today.
    pub runs: bool,
    /// Lines of its own rota that are ahead.
    pub rota: usize,
}

/// A pillar as it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarCase {
    pub name: String,
    /// The revision of the settings in which it stands.
    pub revision: i64,
    /// `None`: it is none yet.
    pub pillar: Option<Pillar>,
    /// Everybody of the institution.
    pub people: Vec<(MemberId, String)>,
    /// The tariffs that are for what it takes, by name, in force today.
    pub tariffs: Vec<String>,
}

/// The own rota of a pillar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarRota {
    pub institution: InstitutionId,
    pub name: String,
    /// It stands by; otherwise nothing can be written here.
    pub pillar: bool,
    /// Who is rung where nothing is written, by name.
    pub otherwise: Vec<String>,
    /// Everybody of the institution, to choose from.
    pub people: Vec<(MemberId, String)>,
    /// What is ahead, with the name of each.
    pub lines: Vec<(PillarDuty, String)>,
}

/// Whether a tariff is for covers that this institution takes as a pillar.
fn is_for(tariff: &Tariff, institution: &InstitutionId, kind: &str) -> bool {
    tariff.side == Side::Acceptor
        && tariff.event == EventKind::Cover
        && (tariff.institutions.is_empty() || tariff.institutions.contains(institution))
        && (tariff.accepted_as.is_empty() || tariff.accepted_as.contains(&OnRotaAs::Pillar))
        && (tariff.institution_kinds.is_empty()
            || tariff.institution_kinds.iter().any(|k| k.as_str() == kind))
}

async fn people_of(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    now: Millis,
) -> Result<Vec<(MemberId, String)>, StoreError> {
    let mut people = Vec::new();
    for id in here(conn, association, institution, now).await? {
        if let Some(member) = member_by_id(conn, association, &id).await? {
            people.push((id, member.name));
        }
    }
    Ok(people)
}

impl App {
    /// The pillars in the order in which they are asked, with the revision of their settings.
    ///
    /// # Errors
    /// The store's.
    pub async fn pillars(&self, association: &AssociationId) -> Result<Vec<PillarLine>, AppError> {
        let today = self.today_of(association).await?;
        let mut conn = self.db.read().await?;
        let (_, settings) = load(&mut conn, &self.vault, association).await?;
        let ahead = Window { from: self.now(), to: self.now().plus_s(AHEAD_S) };
        let mut found = Vec::new();
        for (id, pillar) in settings.pillars_in_order() {
            let Some(place) = institution_by_id(&mut conn, association, id).await? else { continue };
            found.push(PillarLine {
                institution: id.clone(),
                name: place.name,
                runs: pillar.contract.runs_on(today),
                pillar: pillar.clone(),
                rota: pillar_duties(&mut conn, association, id, ahead).await?.len(),
            });
        }
        Ok(found)
    }

    /// One institution as a pillar.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such institution; the store's.
    pub async fn pillar(
        &self,
        association: &AssociationId,
        institution: &InstitutionId,
    ) -> Result<PillarCase, AppError> {
        let today = self.today_of(association).await?;
        let mut conn = self.db.read().await?;
        let place =
            institution_by_id(&mut conn, association, institution).await?.ok_or(AppError::NotFound)?;
        let (revision, settings) = load(&mut conn, &self.vault, association).await?;
        let kit = self.kit();
        let (tariffs, _) =
            super::ledger::tariffs::tariffs_of(&mut conn, &kit, association, None, self.now()).await?;
        let known = tariffs
            .all()
            .iter()
            .filter(|t| tariffs.in_dates(t, today) && is_for(t, institution, &place.kind));
        Ok(PillarCase {
            name: place.name.clone(),
            revision,
            pillar: settings.pillars.get(institution).cloned(),
            people: people_of(&mut conn, association, institution, self.now()).await?,
            tariffs: known.map(|t| t.name.clone()).collect(),
        })
    }

    /// Sets what an institution does as a pillar; `None`: it is none any more.
    ///
    /// # Errors
    /// What cannot work, by field; the settings were changed meanwhile; no such institution; the store's.
    pub async fn pillar_put(
        &self,
        who: &Who,
        revision: i64,
        institution: &InstitutionId,
        pillar: Option<Pillar>,
    ) -> Result<(), AppError> {
        let case = self.pillar(&who.association, institution).await?;
        let (_, mut settings): (i64, CallSettings) = self.call_settings(&who.association).await?;
        match pillar {
            None => drop(settings.pillars.remove(institution)),
            Some(pillar) => {
                if pillar.contract.is_backwards() {
                    return Err(AppError::field("until", Wrong::OutOfRange));
                }
                if pillar.place > PLACE_MAX {
                    return Err(AppError::field("place", Wrong::OutOfRange));
                }
                // Nobody answers for an institution of which the households were told without being of it.
                if !pillar.people.iter().all(|p| case.people.iter().any(|(id, _)| id == p)) {
                    return Err(AppError::field("people", Wrong::NotAChoice));
                }
                settings.pillars.insert(institution.clone(), pillar);
            }
        }
        self.call_settings_put(who, revision, settings).await
    }

    /// The own rota of a pillar, from now on.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such institution; the store's.
    pub async fn pillar_rota(
        &self,
        association: &AssociationId,
        institution: &InstitutionId,
    ) -> Result<PillarRota, AppError> {
        let mut conn = self.db.read().await?;
        let place =
            institution_by_id(&mut conn, association, institution).await?.ok_or(AppError::NotFound)?;
        let (_, settings) = load(&mut conn, &self.vault, association).await?;
        let pillar = settings.pillars.get(institution);
        let people = people_of(&mut conn, association, institution, self.now()).await?;
        let mut otherwise = Vec::new();
        if let Some(pillar) = pillar {
            for person in contacts(&mut conn, association, (institution, pillar), self.now()).await? {
                otherwise.extend(people.iter().find(|(id, _)| *id == person).map(|(_, name)| name.clone()));
            }
        }
        let ahead = Window { from: self.now(), to: self.now().plus_s(AHEAD_S) };
        let mut lines = Vec::new();
        for duty in pillar_duties(&mut conn, association, institution, ahead).await? {
            let name = member_by_id(&mut conn, association, &duty.member).await?;
            lines.push((duty, name.map(|m| m.name).unwrap_or_default()));
        }
        Ok(PillarRota {
            institution: institution.clone(),
            name: place.name,
            pillar: pillar.is_some(),
            otherwise,
            people,
            lines,
        })
    }

    async fn pillar_do(&self, who: &Who, institution: &InstitutionId, deed: Deed) -> Result<(), AppError> {
        if !self.pillar_rota(&who.association, institution).await?.pillar {
            return Err(AppError::field("pillar", Wrong::Unknown));
        }
        let deed = Do { kit: self.kit(), who: who.clone(), institution: institution.clone(), deed };
        self.db.run(deed).await?.map_err(|wrong| AppError::Invalid(vec![wrong]))
    }

    /// Writes somebody into the own rota of a pillar.
    ///
    /// # Errors
    /// Days that cannot be; nobody of the institution; the person stands there already; it is no pillar; the store's.
    pub async fn pillar_duty_add(
        &self,
        who: &Who,
        institution: &InstitutionId,
        member: &MemberId,
        new: NewPillarDuty,
    ) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, &who.association).await?.ok_or(AppError::NotFound)?;
        drop(conn);
        let windows = new.windows(self.now(), home.zone).map_err(|wrong| AppError::Invalid(vec![wrong]))?;
        let duties = windows.into_iter().map(|window| PillarDuty {
            id: PillarDutyId::new(self.now(), self.chance.as_ref()),
            member: member.clone(),
            window,
        });
        let deed = Deed::Add { member: member.clone(), duties: duties.collect() };
        self.pillar_do(who, institution, deed).await
    }

    /// Takes a line out of it.
    ///
    /// # Errors
    /// No such line; it is no pillar; the store's.
    pub async fn pillar_duty_withdraw(
        &self,
        who: &Who,
        institution: &InstitutionId,
        id: &PillarDutyId,
    ) -> Result<(), AppError> {
        self.pillar_do(who, institution, Deed::Withdraw { id: id.clone() }).await
    }
}
