//! Whom an urgent call may ring now: the clinic's own line by its switch, the duty, pillars, the office's people;
//! and the phone of each, read from the sealed column in the moment in which somebody is rung.

use std::collections::BTreeMap;

use chrono::Timelike as _;

use super::settings::{CallSettings, line_of, load};
use crate::app::Kit;
use crate::app::cover::cover_now;
use crate::app::households::clinic_told;
use crate::app::pillars::rung_now;
use crate::domain::calendar::{civil_day, wall_clock};
use crate::domain::call::Call;
use crate::domain::call::number::Line;
use crate::domain::dispatch::settle::PersonFacts;
use crate::domain::dispatch::{Candidate, Request, Selector, World};
use crate::domain::people::Role;
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::enrolment::members_of_institution;
use crate::store::people::{association_by_id, institution_by_id, member_by_id, members_with_role};
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// Whether this kind of call can find out whom a selector means.
#[must_use]
pub const fn resolvable(selector: &Selector) -> bool {
    matches!(
        selector,
        Selector::CoverOrAttending
            | Selector::Attending
            | Selector::DutyPrimary
            | Selector::DutyDeputy
            | Selector::Pillar(_)
            | Selector::Coordinator
            | Selector::Officer
            | Selector::Person(_)
    )
}

/// The people of this moment, for one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct NightWorld {
    pub settings: CallSettings,
    named: BTreeMap<Selector, Vec<MemberId>>,
    lines: BTreeMap<MemberId, Line>,
}

impl NightWorld {
    /// The phone a person is rung on now.
    pub(crate) fn line(&self, person: &MemberId) -> Option<Line> {
        self.lines.get(person).cloned()
    }

    /// Somebody whom no plan names may be rung too.
    pub(super) async fn add_line(
        &mut self,
        conn: &mut Conn,
        kit: &Kit,
        association: &AssociationId,
        person: &MemberId,
    ) -> Result<(), StoreError> {
        let own = self.settings.own();
        if let Some(line) = line_of(conn, &kit.vault, association, &own, person).await? {
            self.lines.insert(person.clone(), line);
        }
        Ok(())
    }

    pub(crate) async fn load(
        conn: &mut Conn,
        kit: &Kit,
        association: &AssociationId,
        call: &Call,
        request: &Request,
    ) -> Result<Self, StoreError> {
        let (_, settings) = load(conn, &kit.vault, association).await?;
        let mut world = Self { settings, ..Self::default() };
        if !call.kind.seeks() {
            return Ok(world);
        }
        let clinic = call.clinic.as_ref();
        let own = match clinic.filter(|id| world.settings.institutions.get(*id).is_some_and(|i| i.own_line)) {
            Some(id) => physicians(conn, association, id, kit.now).await?,
            None => Vec::new(),
        };
        world.named.insert(Selector::Attending, own.clone());
        // While somebody covers the clinic its own line is left in peace.
        let covered = match clinic {
            Some(id) => cover_now(conn, &kit.vault, association, id, kit.now).await?,
            None => None,
        };
        world.named.insert(Selector::CoverOrAttending, covered.unwrap_or(own));
        let duty = super::duty::on_duty(conn, association, clinic, kit.now).await?;
        world.named.insert(Selector::DutyPrimary, duty.primary);
        world.named.insert(Selector::DutyDeputy, duty.deputy);
        let area = match clinic {
            Some(id) => institution_by_id(conn, association, id).await?.map(|i| i.area),
            None => None,
        };
        let zone = association_by_id(conn, association).await?.map_or(chrono_tz::UTC, |a| a.zone);
        let clock = wall_clock(kit.now, zone);
        let minute = u16::try_from(clock.hour() * 60 + clock.minute()).unwrap_or(0);
        let area = area.as_deref().filter(|a| !a.is_empty());
        let today = civil_day(kit.now, zone);
        for (institution, pillar) in world.settings.pillars_in_order() {
            if !pillar.serves(minute, area) || !pillar.contract.runs_on(today) {
                continue;
            }
            // Nobody rings a pillar for a household that was not told of it; of a caller who names no clinic nothing
            // is known.
            let told = match clinic {
                Some(id) => clinic_told(conn, association, id, institution.as_str(), today).await?,
                None => false,
            };
            if !told {
                continue;
            }
            let people = rung_now(conn, association, (institution, pillar), kit.now).await?;
            let kind = Selector::Pillar(pillar.kind.code().to_owned());
            world.named.entry(kind).or_default().extend(people);
        }
        for (selector, role) in
            [(Selector::Coordinator, Role::Coordinator), (Selector::Officer, Role::Officer)]
        {
            world.named.insert(selector, members_with_role(conn, association, role, kit.now).await?);
        }
        let own = world.settings.own();
        let asked: Vec<MemberId> =
            world.named.values().flatten().chain(request.offers.keys()).cloned().collect();
        for person in asked {
            if !world.lines.contains_key(&person)
                && let Some(line) = line_of(conn, &kit.vault, association, &own, &person).await?
            {
                world.lines.insert(person, line);
            }
        }
        Ok(world)
    }
}

/// Whoever of an institution is here now.
pub(crate) async fn here(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let mut there = Vec::new();
    for id in members_of_institution(conn, association, institution).await? {
        if member_by_id(conn, association, &id).await?.is_some_and(|m| m.is_active(now)) {
            there.push(id);
        }
    }
    Ok(there)
}

/// The physicians of an institution who are here now.
pub(crate) async fn physicians(
    conn: &mut Conn,
    association: &AssociationId,
    institution: &InstitutionId,
    now: Millis,
) -> Result<Vec<MemberId>, StoreError> {
    let mut there = Vec::new();
    for id in members_of_institution(conn, association, institution).await? {
        let member = member_by_id(conn, association, &id).await?;
        if member.is_some_and(|m| m.is_active(now) && m.has(Role::Physician)) {
            there.push(id);
        }
    }
    Ok(there)
}

impl World for NightWorld {
    fn resolve(&self, selector: &Selector, _: &Request, now: Millis) -> Vec<Candidate> {
        let people = match selector {
            Selector::Person(id) => vec![id.clone()],
            other => self.named.get(other).cloned().unwrap_or_default(),
        };
        people.into_iter().map(|person| Candidate { person, from: now }).collect()
    }

    fn person(&self, _: &MemberId) -> Option<PersonFacts> {
        None
    }
}
