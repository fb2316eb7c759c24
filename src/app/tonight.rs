//! Tonight's check (今夜の点検): once a day, at the association's hour, everybody of tonight's chain is asked whether
//! they can be reached; who is silent, and what nobody holds, stands as an alarm before the night.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::access::note;
use super::call::{Started, What, ring_one};
use super::cover::settings_of;
use super::flow::{Act, apply, next_case_no, raise};
use super::pillars::on_tonight;
use super::rota::RotaWorld;
use super::rota::world::rota_world;
use super::views::Names;
use super::{App, AppError, Kit, Who};
use crate::domain::calendar::{CivilDate, civil_day, instant_of};
use crate::domain::call::{Call, Cause, Leg, LegState, Outcome};
use crate::domain::cover::time_of;
use crate::domain::dispatch::{Channel, Event, Plan, Proof, Request, Selector, Terms};
use crate::domain::people::Role;
use crate::domain::rota::{RotaRole, Timeline};
use crate::ids::{AssociationId, MemberId, RequestId};
use crate::store::cover::{cover_claims_within, cover_slots_within};
use crate::store::dispatch::{
    AttemptKey, OfferRow, attempt_add, attempt_save, offers_of_request, request_load,
};
use crate::store::people::Association;
use crate::store::requests::{NewCase, case_add};
use crate::store::rota::records::records_since;
use crate::store::secrets::Sealed;
use crate::store::tonight::{
    RoundRow, tonight_by_call, tonight_check_add, tonight_checks, tonight_round, tonight_round_add,
    tonight_rung,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::{Millis, Window};

/// The plan of one person's check.
const PLAN: &str = "tonight_check";
/// A round that could not begin at its hour begins within this.
const LATE_S: i64 = 4 * 3_600;
/// How long somebody may answer.
const ANSWER_S: i64 = 6 * 3_600;
/// The night ends at this hour of the next morning.
const MORNING_MIN: u32 = 9 * 60;
/// People of one night who are asked.
const PEOPLE_MAX: usize = 100;

/// The hours that are looked at: from now to the next morning.
fn tonight(now: Millis, zone: chrono_tz::Tz) -> Window {
    let morning = instant_of(civil_day(now, zone).plus_days(1), time_of(MORNING_MIN), zone);
    Window { from: now, to: morning }
}

struct Round {
    kit: Kit,
    association: AssociationId,
    day: CivilDate,
}

impl Round {
    /// Everybody of tonight's chain: who is on by the rota, who covers a clinic, whom a pillar's own rota names.
    async fn chain(
        &self,
        tx: &mut Conn,
        timeline: &Timeline,
        (night, zone): (Window, chrono_tz::Tz),
    ) -> Result<BTreeSet<MemberId>, StoreError> {
        let mut people = BTreeSet::new();
        for (area, role) in timeline.lines() {
            if role == RotaRole::Backing {
                continue;
            }
            for part in timeline.parts_within(area, role, night) {
                people.extend(part.held.into_iter().map(|held| held.holder.person));
            }
        }
        let claims = cover_claims_within(tx, &self.association, night).await?;
        people.extend(claims.into_iter().map(|claim| claim.person));
        let standing_by = on_tonight(tx, &self.kit.vault, &self.association, (night, zone));
        people.extend(standing_by.await?);
        Ok(people)
    }

    async fn ask(
        &self,
        tx: &mut Conn,
        world: &RotaWorld,
        plan: &Plan,
        (asker, person): (&MemberId, &MemberId),
    ) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let member = world.members.get(person).filter(|m| m.is_active(kit.now));
        let Some(institution) = member.and_then(|m| m.institution.clone()) else { return Ok(false) };
        let mut plan = plan.clone();
        let by_mail = member.is_some_and(|m| m.email.is_some() && m.mail_failing_since.is_none());
        for step in &mut plan.steps {
            step.ask = Selector::Person(person.clone());
            if !by_mail {
                step.channels = vec![Channel::Phone];
            }
        }
        let id = RequestId::new(kit.now, kit.vault.chance.as_ref());
        let window = tonight(kit.now, world.zone());
        let answer_by = kit.now.plus_s(ANSWER_S).min(window.to);
        let mut request = Request::new(id.clone(), plan, asker.clone(), window, answer_by, kit.now);
        request.asked_in_person = false;
        let case_no = next_case_no(tx, association, self.day).await?;
        let at = |column| Sealed { table: "request", column, row: id.as_str() };
        let new = NewCase {
            request: &request,
            case_no: &case_no,
            institution: &institution,
            entered_by: Some("runner"),
            channel: "web",
            facts: "{}",
            blind: kit.vault.seal(tx, association, at("blind"), kit.now, "{}").await?,
            detail: kit.vault.seal(tx, association, at("detail"), kit.now, "{}").await?,
        };
        case_add(tx, association, &new).await?;
        tonight_check_add(tx, association, &self.day.to_string(), person, &id).await?;
        let act = Act { action: "request.ask", detail: json!({ "kind": "check", "case_no": case_no }) };
        apply(tx, kit, &Who::runner(association), &id, Event::Begin, &act).await?;
        Ok(true)
    }
}

impl Command for Round {
    /// People asked and holes found; `None`: begun before, or there is nobody in whose name to ask.
    type Output = Option<(usize, usize)>;

    async fn apply(&self, tx: &mut Conn) -> Result<Self::Output, StoreError> {
        let (kit, association) = (&self.kit, &self.association);
        let Some(world) = rota_world(tx, kit, association).await? else { return Ok(None) };
        let plan = kit.rules.plans.get(PLAN).cloned();
        let plan = plan.ok_or_else(|| StoreError::Unusable(format!("no plan is called {PLAN}")))?;
        let night = tonight(kit.now, world.zone());
        let timeline = Timeline::new(&records_since(tx, association, kit.now).await?, None);
        let chain = self.chain(tx, &timeline, (night, world.zone())).await?;
        let office = |role: Role| {
            let here = world.members.values().filter(move |m| m.has(role) && m.is_active(kit.now));
            here.map(|m| m.id.clone())
        };
        let askers: Vec<MemberId> =
            office(Role::Coordinator).chain(office(Role::Officer)).chain(office(Role::Clerk)).collect();
        let open = cover_slots_within(tx, association, night).await?;
        let open = open.iter().filter(|slot| matches!(slot.state.as_str(), "open" | "exhausted")).count();
        let holes = world.holes(&timeline, night).len() + open;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let round = RoundRow {
            day: self.day.to_string(),
            at: kit.now,
            asked: count(chain.len()),
            holes: count(holes),
        };
        if !tonight_round_add(tx, association, &round).await? {
            return Ok(None);
        }
        let mut asked = 0;
        for person in chain.iter().take(PEOPLE_MAX) {
            // Nobody is asked in their own name.
            let Some(asker) = askers.iter().find(|a| *a != person) else { continue };
            asked += usize::from(self.ask(tx, &world, &plan, (asker, person)).await?);
        }
        let subject = format!("tonight:{}", self.day);
        if holes > 0 || chain.is_empty() {
            raise(tx, kit, association, "tonight_hole", &subject).await?;
        }
        let detail = json!({ "asked": asked, "holes": holes });
        note(tx, kit, &Who::runner(association), "tonight.check", &subject, detail).await?;
        Ok(Some((asked, holes)))
    }
}

/// Rings whoever is asked; what happens to the request because of it.
pub(super) fn ring<'a>(
    tx: &'a mut Conn,
    kit: &'a Kit,
    who: &'a Who,
    request: &'a Request,
    person: &'a MemberId,
    attempt: u32,
) -> BoxFuture<'a, Result<Option<Event>, StoreError>> {
    Box::pin(async move {
        let association = &who.association;
        let key = AttemptKey { request: &request.id, person, number: attempt, channel: Channel::Phone };
        attempt_add(tx, association, &key, kit.now).await?;
        let rings = match ring_one(tx, kit, who, person, What::Tonight).await? {
            Started::Call { call, .. } => {
                tonight_rung(tx, association, &request.id, &call).await?;
                true
            }
            Started::NoNumber | Started::NoPhone | Started::NotThere | Started::TooDear => false,
        };
        let (state, detail) =
            if rings { ("sent", None) } else { ("failed", Some("no phone that can be rung")) };
        attempt_save(tx, association, &key, state, 1, Some(kit.now), detail).await?;
        let step = request.offers.get(person).and_then(|offer| request.step(offer.step));
        let alone = step.is_some_and(|step| step.channels == [Channel::Phone]);
        let person = person.clone();
        Ok(match (rings, alone) {
            (true, _) => Some(Event::Delivered { person, attempt }),
            // The mail beside it says how it went.
            (false, false) => None,
            (false, true) => Some(Event::Undeliverable { person, attempt }),
        })
    })
}

/// A phone that was rung for the check was hung up: a key is an answer, and anything else is none yet.
pub(super) fn rung<'a>(
    tx: &'a mut Conn,
    kit: &'a Kit,
    who: &'a Who,
    call: &'a Call,
    outcome: Outcome,
) -> BoxFuture<'a, Result<(), StoreError>> {
    Box::pin(async move {
        let Some((person, request)) = tonight_by_call(tx, &who.association, &call.id).await? else {
            return Ok(());
        };
        let cause = |leg: &Leg| match leg.state {
            LegState::Ended { cause, .. } | LegState::Leaving { cause, .. } => Some(cause),
            _ => None,
        };
        let declined = call.legs.values().any(|leg| cause(leg) == Some(Cause::Declined));
        let detail = json!({ "member": person.as_str(), "way": "phone" });
        let (event, action) = match outcome {
            Outcome::Confirmed => {
                (Event::Accept { person, proof: Proof::Key, terms: Terms::Plain }, "offer.accept")
            }
            _ if declined => (Event::Decline { person }, "offer.decline"),
            _ => return Ok(()),
        };
        apply(tx, kit, who, &request, event, &Act { action, detail }).await.map(drop)
    })
}

/// One person of tonight's chain.
#[derive(Clone, Debug)]
pub struct Checked {
    pub member: MemberId,
    pub request: Request,
    pub offers: Vec<OfferRow>,
}

/// The last round.
#[derive(Clone, Debug)]
pub struct TonightPage {
    pub round: Option<RoundRow>,
    pub people: Vec<Checked>,
    pub names: Names,
}

impl App {
    /// Begins today's round where its hour has come; how many people were asked. `told`: the day this process began
    /// last.
    ///
    /// # Errors
    /// The store's.
    pub async fn tonight_due(
        &self,
        home: &Association,
        told: &mut Option<CivilDate>,
    ) -> Result<usize, AppError> {
        let now = self.now();
        let today = civil_day(now, home.zone);
        if *told == Some(today) {
            return Ok(0);
        }
        let mut conn = self.db.read().await?;
        let (_, settings) = settings_of(&mut conn, &home.id).await?;
        drop(conn);
        let Some(minutes) = settings.check_min else { return Ok(0) };
        let hour = instant_of(today, time_of(minutes), home.zone);
        if now < hour || hour.plus_s(LATE_S) <= now {
            return Ok(0);
        }
        let round = Round { kit: self.kit(), association: home.id.clone(), day: today };
        let done = self.db.run(round).await?;
        *told = Some(today);
        Ok(done.map_or(0, |(asked, _)| asked))
    }

    /// The last round, with what each person said.
    ///
    /// # Errors
    /// The store's.
    pub async fn tonight_page(&self, association: &AssociationId) -> Result<TonightPage, AppError> {
        let mut conn = self.db.read().await?;
        let round = tonight_round(&mut conn, association).await?;
        let (mut people, mut names) = (Vec::new(), Names::default());
        if let Some(round) = &round {
            for (member, request) in tonight_checks(&mut conn, association, &round.day).await? {
                let Some(loaded) = request_load(&mut conn, association, &request).await? else { continue };
                names.add_member(&mut conn, association, &member).await?;
                let offers = offers_of_request(&mut conn, association, &request).await?;
                people.push(Checked { member, request: loaded.request, offers });
            }
        }
        Ok(TonightPage { round, people, names })
    }
}
