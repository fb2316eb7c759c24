//! The pillars (受け皿) as slots of a cover may be asked of them, and whether one that took a slot may still be rung.
//! Which rules stand against it is `domain::cover::pillars`, what the association set `call::settings`.

use serde_json::json;

use super::super::call::settings::{Pillar, load};
use super::super::households::{Household, clinic_told};
use super::super::pillars::{contacts, on_rota_now};
use super::super::{App, AppError, Kit};
use super::lists::CoverLine;
use super::{facts_of, mails};
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::cover::CoverFacts;
use crate::domain::cover::households::Told;
use crate::domain::cover::pillars::{Contact, CoverPillar, PillarKind, PillarTerms, pillar_of_step};
use crate::domain::dispatch::{Request, Rule, State};
use crate::domain::people::Role;
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId};
use crate::store::cover::{cover_slots_of_clinic, cover_slots_within};
use crate::store::dispatch::request_load;
use crate::store::jobs::{Lane, NewJob, job_add};
use crate::store::people::{association_by_id, member_by_id, members_with_role};
use crate::store::requests::case_by_id;
use crate::store::secrets::Vault;
use crate::store::{Conn, StoreError};
use crate::time::{Millis, Window};

/// Slots that begin later than this are looked at when something about a pillar changes, in days.
const AHEAD_DAYS: i64 = 440;

fn terms(pillar: &Pillar, told: bool) -> PillarTerms {
    PillarTerms {
        on: pillar.on,
        contract: pillar.contract,
        hours: (pillar.from_min, pillar.to_min),
        areas: pillar.areas.clone(),
        told,
    }
}

/// Who answers for a pillar to a clinic, and whether mail reaches them.
async fn who_answers(
    conn: &mut Conn,
    association: &AssociationId,
    (institution, pillar): (&InstitutionId, &Pillar),
    now: Millis,
) -> Result<Vec<Contact>, StoreError> {
    let mut found = Vec::new();
    for person in contacts(conn, association, (institution, pillar), now).await? {
        let Some(member) = member_by_id(conn, association, &person).await? else { continue };
        let reachable = member.email.is_some() && member.mail_failing_since.is_none();
        found.push(Contact { person, reachable });
    }
    Ok(found)
}

/// The pillars for one slot, as they are in this transaction.
pub(super) async fn pillars_for(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
    facts: &CoverFacts,
    zone: chrono_tz::Tz,
) -> Result<Vec<CoverPillar>, StoreError> {
    // A plan that names none need not wait for them to be read.
    let named: Vec<PillarKind> =
        (0..request.plan.steps.len()).filter_map(|step| pillar_of_step(request, step)).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let (_, settings) = load(conn, &kit.vault, association).await?;
    let today = civil_day(kit.now, zone);
    let mut found = Vec::new();
    for (id, pillar) in settings.pillars_in_order() {
        // A clinic does not stand by for itself.
        if !named.contains(&pillar.kind) || *id == facts.institution {
            continue;
        }
        let told = clinic_told(conn, association, &facts.institution, id.as_str(), today).await?;
        found.push(CoverPillar {
            institution: id.clone(),
            kind: pillar.kind,
            people: who_answers(conn, association, (id, pillar), kit.now).await?,
            against: terms(pillar, told).may_cover(&facts.area, request.window, zone).err(),
        });
    }
    Ok(found)
}

/// Whom a call rings now for a pillar that took a clinic's slot: whoever its own rota names, else whoever took it.
/// Nobody where it is out of contract, off, or a household was not told.
pub(super) async fn rung_for(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    clinic: &InstitutionId,
    taker: &MemberId,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let (_, settings) = load(conn, vault, association).await?;
    let place = member_by_id(conn, association, taker).await?.and_then(|m| m.institution);
    let Some((institution, pillar)) = place.as_ref().and_then(|id| settings.pillars.get_key_value(id)) else {
        return Ok(Vec::new());
    };
    let zone = association_by_id(conn, association).await?.map_or(chrono_tz::UTC, |a| a.zone);
    let today = civil_day(now, zone);
    let runs = pillar.on && pillar.contract.runs_on(today);
    if !runs || !clinic_told(conn, association, clinic, institution.as_str(), today).await? {
        return Ok(Vec::new());
    }
    let people = on_rota_now(conn, association, institution, now).await?;
    Ok(if people.is_empty() { vec![taker.clone()] } else { people })
}

/// What was set for pillars, or what a household was told, changed: of slots that a pillar took and may not be rung
/// for any more, the asker and the coordinators are told, once a day. `clinic`: of this one only.
pub(crate) async fn pillars_changed(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    clinic: Option<&InstitutionId>,
) -> Result<(), StoreError> {
    let ahead = Window { from: kit.now, to: kit.now.plus_s(AHEAD_DAYS * 86_400) };
    let slots = match clinic {
        Some(clinic) => cover_slots_of_clinic(tx, association, clinic, ahead).await?,
        None => cover_slots_within(tx, association, ahead).await?,
    };
    let zone = association_by_id(tx, association).await?.map_or(chrono_tz::UTC, |a| a.zone);
    let today = civil_day(kit.now, zone);
    for slot in slots.iter().filter(|slot| slot.state == "taken") {
        let Some(loaded) = request_load(tx, association, &slot.request).await? else { continue };
        let request = loaded.request;
        let mut taken = request.claims().filter(|claim| pillar_of_step(&request, claim.step).is_some());
        let Some(person) = taken.next().map(|claim| claim.person.clone()) else { continue };
        let Some(case) = case_by_id(tx, association, &slot.request).await? else { continue };
        let facts = facts_of(&case)?;
        let world = pillars_for(tx, kit, association, &request, &facts, zone).await?;
        let answers = |p: &CoverPillar| p.people.iter().any(|c| c.person == person);
        let stands = world.iter().any(|p| answers(p) && p.against.is_none());
        if stands {
            continue;
        }
        let mut people = members_with_role(tx, association, Role::Coordinator, kit.now).await?;
        people.push(slot.asker.clone());
        for person in people {
            let job = NewJob {
                lane: Lane::Urgent,
                kind: "cover_tell",
                key: format!("cover_tell:{}:{person}:pillar:{today}", slot.parent),
                body: json!({
                    "request": slot.parent.as_str(), "member": person.as_str(), "what": mails::PILLAR,
                    "begins": slot.window.from,
                }),
                due: kit.now,
            };
            job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await?;
        }
    }
    Ok(())
}

/// A household that stands in a pillar's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Initials or whatever the clinic chose.
    pub patient: String,
    /// It was told, and refused.
    pub refused: bool,
}

/// A pillar beside a cover: for each slot that is not over, whether it may take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PillarBeside {
    pub institution: InstitutionId,
    pub kind: PillarKind,
    pub name: String,
    /// Slots that it took.
    pub taken: Vec<RequestId>,
    pub slots: Vec<(RequestId, Option<Rule>)>,
    /// The clinic never said that its list is whole.
    pub list_open: bool,
    pub untold: Vec<Untold>,
}

impl App {
    /// The pillars that the association has set up, against the slots of a cover.
    ///
    /// # Errors
    /// The store's.
    pub async fn cover_pillars(
        &self,
        association: &AssociationId,
        line: &CoverLine,
    ) -> Result<Vec<PillarBeside>, AppError> {
        let list = self.household_list(association, &line.facts.institution).await?;
        if list.pillars.is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.db.read().await?;
        let home = association_by_id(&mut conn, association).await?.ok_or(AppError::NotFound)?;
        let today: CivilDate = civil_day(self.now(), home.zone);
        let mut found = Vec::new();
        for shown in list.pillars.iter().filter(|p| p.institution != line.facts.institution) {
            let told = |h: &Household| h.told.get(shown.institution.as_str()).copied();
            let agreed = |answer: Option<Told>| matches!(answer, Some(Told::On { day }) if day <= today);
            let untold: Vec<Untold> = list
                .households
                .iter()
                .filter(|h| !agreed(told(h)))
                .map(|h| Untold {
                    patient: h.patient.clone(),
                    refused: matches!(told(h), Some(Told::Refused { .. })),
                })
                .collect();
            let whole = list.whole_since.is_some_and(|since| since <= today) && !list.households.is_empty();
            let terms = terms(&shown.pillar, whole && untold.is_empty());
            let open = line.slots.iter().filter(|s| s.request.state.is_open() || stands(&s.request));
            let slots = open.map(|s| {
                let may = terms.may_cover(&line.facts.area, s.slot.window, home.zone);
                (s.slot.request.clone(), may.err())
            });
            let mut taken = Vec::new();
            for slot in line.slots.iter().filter(|s| stands(&s.request)) {
                for claim in slot.request.claims() {
                    let asked = pillar_of_step(&slot.request, claim.step).is_some();
                    let place = member_by_id(&mut conn, association, &claim.person).await?;
                    if asked && place.and_then(|m| m.institution).as_ref() == Some(&shown.institution) {
                        taken.push(slot.slot.request.clone());
                    }
                }
            }
            found.push(PillarBeside {
                institution: shown.institution.clone(),
                kind: shown.pillar.kind,
                name: shown.name.clone(),
                taken,
                slots: slots.collect(),
                list_open: !whole,
                untold,
            });
        }
        Ok(found)
    }
}

const fn stands(request: &Request) -> bool {
    matches!(request.state, State::Taken { .. })
}
