//! Whom a slot of a cover may be asked of, whom a call for a covered clinic rings, and what a change of the rota means
//! for slots that were acknowledged.

use std::collections::BTreeSet;

use super::super::rota::world::rota_world;
use super::super::swap::duty_view;
use super::super::{Kit, call, cards};
use super::facts_of;
use super::lists::Detail;
use super::pillars::{pillars_for, rung_for};
use crate::domain::calendar::{civil_day, start_of_day};
use crate::domain::cover::pillars::pillar_of_step;
use crate::domain::cover::{
    CoverFacts, CoverPerson, CoverSettings, CoverWorld, CoveredNow, is_duty_step, rung,
};
use crate::domain::dispatch::{OfferState, Request};
use crate::domain::rota::RotaRole;
use crate::ids::{AssociationId, InstitutionId, MemberId, RequestId};
use crate::store::cover::{
    cover_asked_since, cover_claims_by_rota, cover_claims_within, cover_settings, cover_slots_of,
    cover_slots_of_clinic, cover_slots_within,
};
use crate::store::dispatch::request_load;
use crate::store::requests::{Case, case_by_id};
use crate::store::secrets::{Kept, Sealed, Vault};
use crate::store::{Conn, StoreError};
use crate::time::{Millis, Window};

/// The days back that count as "asked of late".
const RECENT_S: i64 = 14 * 86_400;

/// What an association sets, with its revision (0: nothing was set).
pub(crate) async fn settings_of(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<(i64, CoverSettings), StoreError> {
    match cover_settings(conn, association).await? {
        None => Ok((0, CoverSettings::default())),
        Some((revision, body)) => serde_json::from_str(&body)
            .map(|settings| (revision, settings))
            .map_err(|e| StoreError::corrupt("cover_settings", association, e)),
    }
}

/// The civil month of an instant.
fn month_of(at: Millis, zone: chrono_tz::Tz) -> Window {
    let day = civil_day(at, zone);
    let first = day.plus_days(1 - i64::from(day.day()));
    let next = first.plus_days(31);
    let next = next.plus_days(1 - i64::from(next.day()));
    Window { from: start_of_day(first, zone), to: start_of_day(next, zone) }
}

/// The people of a slot, as they are in this transaction. `None`: a part of it is gone.
pub(crate) async fn cover_world(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    request: &Request,
) -> Result<Option<CoverWorld>, StoreError> {
    let Some(case) = case_by_id(conn, association, &request.id).await? else { return Ok(None) };
    let facts = facts_of(&case)?;
    let (_, settings) = settings_of(conn, association).await?;
    let Some(world) = rota_world(conn, kit, association).await? else { return Ok(None) };
    let month = month_of(request.window.from, world.zone());
    let claims = cover_claims_within(conn, association, month).await?;
    let during = cover_claims_within(conn, association, request.window).await?;
    let asked = cover_asked_since(conn, association, kit.now.plus_s(-RECENT_S)).await?;
    let away: BTreeSet<MemberId> =
        cover_slots_within(conn, association, request.window).await?.into_iter().map(|s| s.asker).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let people = world.people().into_iter().filter_map(|p| {
        let member = world.members.get(&p.id)?;
        let clinics: BTreeSet<&InstitutionId> = during
            .iter()
            .filter(|c| c.person == p.id && c.institution != facts.institution)
            .map(|c| &c.institution)
            .collect();
        let taken = claims.iter().filter(|c| c.person == p.id && c.request != request.id).count();
        let asked = asked.iter().find(|(id, _)| *id == p.id).map_or(0, |(_, n)| *n);
        Some(CoverPerson {
            area: world.institutions.get(&p.institution).map(|i| i.area.clone()).unwrap_or_default(),
            reachable: member.email.is_some() && member.mail_failing_since.is_none(),
            exempt: p.profile.exempt,
            phone_only: p.profile.phone_only,
            clinics: count(clinics.len()),
            taken_this_month: count(taken),
            asked_recently: u32::try_from(asked).unwrap_or(u32::MAX),
            away: away.contains(&p.id),
            institution: p.institution,
            person: p.id,
        })
    });
    let people = people.collect();
    let deputies = cards::deputies_of(conn, association, &facts.institution).await?;
    let pillars = pillars_for(conn, kit, association, request, &facts, world.zone()).await?;
    Ok(Some(CoverWorld { people, deputies, pillars, facts, settings }))
}

/// What is open of a cover, if this person's yes stands for one of its slots or once stood; whether they cover the
/// clinic now is [`cover_now`].
pub(crate) async fn was_taken_by(
    conn: &mut Conn,
    association: &AssociationId,
    case: &Case,
    person: &MemberId,
) -> Result<Option<CoverFacts>, StoreError> {
    for slot in cover_slots_of(conn, association, &case.id).await? {
        let Some(loaded) = request_load(conn, association, &slot.request).await? else { continue };
        let known = loaded.request.offers.get(person);
        if known.is_some_and(|o| matches!(o.state, OfferState::Accepted | OfferState::Released)) {
            return facts_of(case).map(Some);
        }
    }
    Ok(None)
}

/// The patients whom a cover names, as the asker wrote them; `None`: all of the clinic's. Past its time it names
/// nobody.
pub(crate) async fn patients_of(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    case: &Case,
) -> Result<Option<Vec<String>>, StoreError> {
    if facts_of(case)?.patients.is_none() {
        return Ok(None);
    }
    let at = Sealed { table: "request", column: "detail", row: case.id.as_str() };
    let named = match vault.open_kept(conn, association, at, &case.detail).await? {
        Kept::Text(text) => serde_json::from_str::<Detail>(&text).unwrap_or_default().patients,
        Kept::Destroyed { .. } => None,
    };
    Ok(Some(named.unwrap_or_default()))
}

/// Whom a call for this clinic rings first because it is covered now; `None`: it is not. A pillar that took it is
/// nobody for a household that was not told of it, nor out of its contract.
pub(crate) async fn cover_now(
    conn: &mut Conn,
    vault: &Vault,
    association: &AssociationId,
    clinic: &InstitutionId,
    now: Millis,
) -> Result<Option<Vec<MemberId>>, StoreError> {
    let moment = Window { from: now, to: now.plus_ms(1) };
    let mut slots = Vec::new();
    for slot in cover_slots_of_clinic(conn, association, clinic, moment).await? {
        let Some(loaded) = request_load(conn, association, &slot.request).await? else { continue };
        let request = loaded.request;
        let mut takers = Vec::new();
        for claim in request.claims() {
            match pillar_of_step(&request, claim.step) {
                Some(_) => {
                    takers.extend(rung_for(conn, vault, association, clinic, &claim.person, now).await?);
                }
                None => takers.push(claim.person.clone()),
            }
        }
        slots.push(CoveredNow { takers, by_duty: request.claims().any(|c| is_duty_step(&request, c.step)) });
    }
    if slots.is_empty() {
        return Ok(None);
    }
    let duty = call::on_duty(conn, association, Some(clinic), now).await?;
    Ok(rung(&slots, &duty.primary))
}

/// The slots whose yes came from somebody who was on duty and is not any more: to be given back, so that whoever
/// holds the duty now is asked.
pub(crate) async fn not_on_duty_any_more(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
) -> Result<Vec<(RequestId, MemberId)>, StoreError> {
    let claims = cover_claims_by_rota(conn, association, kit.now).await?;
    let mut gone = Vec::new();
    for (id, person) in claims {
        let Some(loaded) = request_load(conn, association, &id).await? else { continue };
        let request = loaded.request;
        let by_duty = request.claims().any(|c| c.person == person && is_duty_step(&request, c.step));
        if !by_duty {
            continue;
        }
        let Some(view) = duty_view(conn, kit, association, Some(&request)).await? else { continue };
        let Some(rest) = Window::new(request.window.from.max(kit.now), request.window.to) else { continue };
        let on = view.on(RotaRole::Primary, rest).into_iter().chain(view.on(RotaRole::Deputy, rest));
        if !on.into_iter().any(|p| p == person) {
            gone.push((id, person));
        }
    }
    Ok(gone)
}
