//! The promises of calls, looked at after every command of a night: one taker who showed a PIN, the right person rung
//! once, nobody left ringing, no call that waits for nothing, alarms that go on, both sides in the ledger once.

use std::collections::BTreeSet;

use super::Broken;
use super::night::Network;
use super::stage::Sim;
use crate::domain::call::{Alarm, Call, Kind, Leg, LegId, LegState, Role, Stage};
use crate::domain::dispatch::{self, Request, Selector, State};
use crate::domain::rota::RotaRole;
use crate::ids::CallId;
use crate::store::StoreError;
use crate::store::call::{LoadedCall, call_load, calls_after};
use crate::store::jobs::alarms_unacknowledged;
use crate::store::ledger::{event_of_call, lines_of_request};

/// Calls of one night at most.
const MANY: i64 = 100;
/// An alarm is said again within this long.
const AGAIN_S: i64 = 60;

fn broken(promise: &'static str, call: &CallId, why: impl Into<String>) -> Broken {
    Broken::new(promise, format!("call {call}: {}", why.into()))
}

fn unreadable(e: &StoreError) -> Broken {
    Broken::new("the database can be read", crate::app::verify::chain_of(e))
}

/// Looked at before a phone is rung.
pub(super) fn may_ring(net: &mut Network, call: &CallId, leg: &LegId) -> Result<(), Broken> {
    if let Some(Call { stage: Stage::Over { .. }, .. }) = net.calls.get(call) {
        return Err(broken("nothing of a closed call rings", call, format!("{leg:?}")));
    }
    // The bridge knows the name already: a second order for it rings nobody.
    if net.lines.contains_key(leg) {
        return Ok(());
    }
    let known = net.dialled.entry(leg.clone()).or_default();
    known.copies += 1;
    if known.copies > 1 + known.doubts {
        return Err(broken(
            "one attempt rings once, but for what was in doubt",
            call,
            format!("{leg:?} {known:?}"),
        ));
    }
    Ok(())
}

/// The step by which this person was asked last.
fn asked_by<'r>(request: &'r Request, leg: &Leg) -> Option<&'r Selector> {
    let offer = request.offers.get(leg.person()?)?;
    request.step(offer.step).map(|step| &step.ask)
}

impl Sim {
    pub(super) async fn calls_as_stored(&self) -> Result<Vec<LoadedCall>, Broken> {
        let mut conn = self.db.read().await.map_err(|e| unreadable(&e))?;
        let rows = calls_after(&mut conn, &self.home, "", MANY).await.map_err(|e| unreadable(&e))?;
        let vault = self.app.kit().vault;
        let mut all = Vec::new();
        for row in rows {
            let loaded = call_load(&mut conn, &vault, &self.home, &row.id).await;
            all.extend(loaded.map_err(|e| unreadable(&e))?);
        }
        Ok(all)
    }

    pub(super) async fn look_at_calls(&mut self, net: &mut Network) -> Result<(), Broken> {
        let all = self.calls_as_stored().await?;
        let app = self.app.clone();
        let stuck = app
            .calls_stuck()
            .await
            .map_err(|e| Broken::new("the database can be read", crate::app::verify::chain_of(&e)))?;
        // A long moment may have passed in which nobody looked; then the waits are seen to first.
        if stuck > 0 && self.waits_were_seen_to(&all) {
            let waits = |l: &LoadedCall| {
                let (own, plan) = (crate::domain::call::next_due(&l.call), dispatch::next_due(&l.request));
                format!("{} {:?}: {own:?} {plan:?} {:?}", l.call.id, l.call.stage, l.call.bridge_down)
            };
            let all: Vec<String> = all.iter().map(waits).collect();
            let why = format!("{stuck} at {}: {all:?}", self.now());
            return Err(Broken::new("no call waits for nothing", why));
        }
        for LoadedCall { call, request, .. } in &all {
            self.look_at_call(net, call, request).await?;
            let was = net.calls.get(&call.id).map(|c| c.stage.code());
            if was != Some(call.stage.code()) {
                self.say(&format!("  call {} is {}", call.id, call.stage.code()));
                match call.stage {
                    Stage::Talking { .. } => self.tally.count("a call was taken and joined"),
                    Stage::LastResort { .. } => self.tally.count("nobody was left for a call"),
                    Stage::Promised { .. } => self.tally.count("a call back was promised"),
                    _ => {}
                }
            }
            net.calls.insert(call.id.clone(), call.clone());
        }
        Ok(())
    }

    fn waits_were_seen_to(&self, all: &[LoadedCall]) -> bool {
        let due = |l: &LoadedCall| crate::domain::call::next_due(&l.call).is_none_or(|at| at > self.now());
        all.iter().all(due)
    }

    async fn look_at_call(&self, net: &Network, call: &Call, request: &Request) -> Result<(), Broken> {
        let id = &call.id;
        if request.claims().count() > 1 {
            return Err(broken("one physician has it", id, "two claims stand"));
        }
        if let Some(taker) = &call.taker {
            let over = matches!(call.stage, Stage::Over { .. });
            if !over && !request.is_taken_by(&taker.person) {
                return Err(broken("who is told yes has it", id, format!("{}", taker.person)));
            }
            let theirs =
                |(leg, l): &(&LegId, &Leg)| l.person() == Some(&taker.person) && net.right.contains(*leg);
            if !call.legs.iter().any(|pair| theirs(&pair)) {
                return Err(broken("a yes is shown by the PIN", id, format!("{}", taker.person)));
            }
            let other = |l: &&Leg| {
                l.is_busy() && matches!(l.role, Role::Asked { .. }) && l.person() != Some(&taker.person)
            };
            if let Some(leg) = call.legs.values().find(other) {
                return Err(broken("nobody is rung for what is taken", id, format!("{leg:?}")));
            }
        }
        let mut in_room = call.legs.iter().filter(|(leg, l)| {
            !matches!(l.role, Role::Caller) && net.lines.get(*leg).is_some_and(|n| n.in_room)
        });
        if let (Some((_, one)), Some((_, two))) = (in_room.next(), in_room.next())
            && one.person() != two.person()
            && one.is_busy()
            && two.is_busy()
        {
            return Err(broken("one physician talks with the caller", id, "two are in the room"));
        }
        let silent = |l: &Leg| l.state == LegState::Up && !l.in_room && !l.playing && l.word_due.is_none();
        if matches!(call.stage, Stage::Hunting { .. } | Stage::LastResort { .. })
            && call.caller_leg().is_some_and(silent)
        {
            return Err(broken("whoever waits hears something", id, call.stage.code()));
        }
        let mut tries = BTreeSet::new();
        for leg in call.legs.values() {
            if let Role::Asked { person, attempt } = &leg.role
                && !tries.insert((person, attempt))
            {
                return Err(broken("one try is one leg", id, format!("{person} {attempt}")));
            }
        }
        self.right_people(net, call, request)?;
        if call.alarms.contains_key(&Alarm::NobodyRinging)
            && matches!(request.state, State::Running { .. })
            && !net.calls.get(id).is_some_and(|was| was.alarms.contains_key(&Alarm::NobodyRinging))
        {
            return Err(broken("the next phone rings as soon as one has failed", id, "nobody was rung"));
        }
        self.alarmed(call).await
    }

    /// Whoever is rung for the duty is on duty in that moment.
    fn right_people(&self, net: &Network, call: &Call, request: &Request) -> Result<(), Broken> {
        let known = net.calls.get(&call.id);
        let fresh = |leg: &LegId| known.is_none_or(|c| !c.legs.contains_key(leg));
        for (leg, l) in call.legs.iter().filter(|(leg, l)| fresh(leg) && matches!(l.role, Role::Asked { .. }))
        {
            let role = match asked_by(request, l) {
                Some(Selector::DutyPrimary) => RotaRole::Primary,
                Some(Selector::DutyDeputy) => RotaRole::Deputy,
                _ => continue,
            };
            if net.on_duty(role, l.since) != l.person() {
                return Err(broken(
                    "the one on duty is rung",
                    &call.id,
                    format!("{leg:?} for {}", role.code()),
                ));
            }
        }
        Ok(())
    }

    /// Nobody left: somebody of the office is told, and again.
    async fn alarmed(&self, call: &Call) -> Result<(), Broken> {
        let Some(clock) = call.alarms.get(&Alarm::NobodyLeft) else { return Ok(()) };
        if clock.next > self.now().plus_s(AGAIN_S) {
            return Err(broken("an alarm is said again each minute", &call.id, format!("at {}", clock.next)));
        }
        let mut conn = self.db.read().await.map_err(|e| unreadable(&e))?;
        let raised = alarms_unacknowledged(&mut conn, &self.home).await.map_err(|e| unreadable(&e))?;
        let subject = format!("call:{}", call.id);
        if raised.iter().any(|a| a.subject == subject && a.kind == "call_nobody_left") {
            Ok(())
        } else {
            Err(broken("who is left alone is alarmed about", &call.id, "no alarm stands"))
        }
    }

    /// No line is left up, no attempt is without its end, and what was taken stands in the ledger once.
    pub(super) async fn books_of_the_night(&mut self, net: &Network) -> Result<(), Broken> {
        if !net.lines.is_empty() {
            return Err(Broken::new("no line is up after its call", format!("{:?}", net.lines)));
        }
        let mut counted = 0;
        for LoadedCall { call, .. } in self.calls_as_stored().await? {
            let id = &call.id;
            if !matches!(call.stage, Stage::Over { .. }) {
                return Err(broken("a call that was ended is over", id, call.stage.code()));
            }
            if call.legs.values().any(|l| !matches!(l.state, LegState::Ended { .. })) {
                return Err(broken("every attempt ends with its reason", id, ""));
            }
            let mut conn = self.db.read().await.map_err(|e| unreadable(&e))?;
            let event = event_of_call(&mut conn, &self.home, id).await.map_err(|e| unreadable(&e))?;
            let talked = call.kind == Kind::Night && call.taker.as_ref().is_some_and(|t| t.talked);
            let lines = match &event {
                Some(request) => {
                    lines_of_request(&mut conn, &self.home, request).await.map_err(|e| unreadable(&e))?.len()
                }
                None => 0,
            };
            if (talked && lines != 2) || (call.taker.is_none() && lines != 0) {
                return Err(broken("what was taken counts once on each side", id, format!("{lines} lines")));
            }
            counted += lines;
        }
        if counted > 0 {
            self.tally.count("a call with its lines");
        }
        let verified = self
            .app
            .verify()
            .await
            .map_err(|e| Broken::new("the books are whole", crate::app::verify::chain_of(&e)))?;
        if verified.problems.is_empty() {
            Ok(())
        } else {
            Err(Broken::new("the books are whole", format!("{:?}", verified.problems)))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sim::{Settings, run_many, story};

    /// Enough for each of these to happen again and again.
    const NIGHTS: u64 = 40;

    #[test]
    fn nights_keep_their_promises_and_people_are_helped_in_them() {
        let nights = std::env::var("TOUBAN_TEST_NIGHTS").ok().and_then(|n| n.parse().ok());
        let (found, tally) = run_many(1, nights.unwrap_or(NIGHTS), &Settings::NIGHTS);
        assert!(found.is_none(), "{}", found.as_ref().map(story).unwrap_or_default());
        for what in [
            "a call back was promised",
            "a call was taken and joined",
            "a call with its lines",
            "an event was lost",
            "an order in doubt",
            "killed with calls open",
            "nobody was left for a call",
            "the bridge was lost with calls open",
            "the clock was set with calls open",
        ] {
            assert!(tally.0.contains_key(what), "{what} never happened: {tally:?}");
        }
    }
}
