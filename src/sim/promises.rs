//! What is looked at after every single command: the promises that must hold at every commit.

use std::collections::{BTreeMap, BTreeSet};

use super::Broken;
use super::runners::{Held, Outbox};
use super::stage::Sim;
use crate::domain::dispatch::request::Phase;
use crate::domain::dispatch::{OfferState, Request, State, next_due};
use crate::domain::ledger::Side;
use crate::ids::RequestId;
use crate::store::StoreError;
use crate::store::audit::audit_after;
use crate::store::dispatch::request_load;
use crate::store::jobs::{alarms_unacknowledged, job_by_key, requests_without_step};
use crate::store::ledger::{event_of, lines_of_request};
use crate::store::requests::{Case, cases_after};
use crate::time::Millis;

/// Rows about a request that do not move it.
const OBSERVATIONS: &[&str] = &["request.read", "request.repaired", "offer.opened"];

/// How many audit rows a command writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows {
    Exactly(usize),
    AtMost(usize),
    /// One for whoever left, and one for each request they were being asked about; none, unless `done`.
    Leaving {
        done: bool,
    },
}

/// A request as last seen.
#[derive(Debug)]
pub(super) struct Known {
    pub revision: i64,
    pub request: Request,
}

/// After this deed nobody new is written to about a request.
#[derive(Debug)]
struct Silence {
    no: u64,
    /// Mails that were named as being handed over in that moment.
    in_flight: Option<i64>,
    begun: i64,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    seq: i64,
    pub requests: BTreeMap<RequestId, Known>,
    pub outbox: Outbox,
    silence: BTreeMap<RequestId, Silence>,
}

impl Seen {
    /// A request was taken back, and the answer left: from here on there is silence, but for what the
    /// answer named.
    pub(super) fn silenced(&mut self, request: &RequestId, no: u64, in_flight: Option<i64>) {
        self.silence.insert(request.clone(), Silence { no, in_flight, begun: 0 });
    }

    pub(super) fn begins_to_send(&mut self, request: &RequestId, held: &Held) -> Result<(), Broken> {
        let Some(silence) = self.silence.get_mut(request) else {
            return Ok(());
        };
        silence.begun += 1;
        let named = silence.in_flight.is_none_or(|n| silence.begun <= n);
        if held.no < silence.no && named {
            return Ok(());
        }
        Err(Broken::new("nobody is written to after the request was taken or taken back", String::new()))
    }
}

fn broken(promise: &'static str, name: &str, why: impl Into<String>) -> Broken {
    Broken::new(promise, format!("{name}: {}", why.into()))
}

fn unreadable(e: &StoreError) -> Broken {
    Broken::new("the database can be read", crate::app::verify::chain_of(e))
}

impl Sim {
    /// Takes what the stage itself wrote as given.
    pub(super) async fn start_observing(&mut self) -> Result<(), Broken> {
        let mut conn = self.db.read().await.map_err(|e| unreadable(&e))?;
        let rows = audit_after(&mut conn, &self.home, 0, 1_000).await.map_err(|e| unreadable(&e))?;
        self.seen.seq = rows.last().map_or(0, |r| r.seq);
        Ok(())
    }

    /// Looks at everything that a commit may have changed.
    pub(super) async fn observe(&mut self, rows: Rows) -> Result<(), Broken> {
        let db = self.db.clone();
        let mut conn = db.read().await.map_err(|e| unreadable(&e))?;
        let home = self.home.clone();
        let events = audit_after(&mut conn, &home, self.seen.seq, 1_000).await.map_err(|e| unreadable(&e))?;
        let right = match rows {
            Rows::Exactly(n) => events.len() == n,
            Rows::AtMost(n) => events.len() <= n,
            Rows::Leaving { done } => {
                let left = events.iter().filter(|e| e.action == "member.leave").count();
                let declined = events.iter().filter(|e| e.action == "offer.decline").count();
                left + declined == events.len() && (left == 1 || (!done && events.is_empty()))
            }
        };
        for event in &events {
            let subject = self.key_name(&event.subject);
            self.say(&format!(
                "  audit {} {subject} {}",
                event.action,
                event.actor.split(':').next().unwrap_or("")
            ));
        }
        if !right {
            let actions: Vec<&str> = events.iter().map(|e| e.action.as_str()).collect();
            let why = format!("{rows:?} wanted, there are {actions:?}");
            return Err(Broken::new("every change has one audit row, and nothing else has", why));
        }
        if let Some(last) = events.last() {
            self.seen.seq = last.seq;
        }
        let cases = cases_after(&mut conn, &home, None, "", 1_000).await.map_err(|e| unreadable(&e))?;
        for case in &cases {
            let before = self.seen.requests.get(&case.id).map_or(0, |k| k.revision);
            let subject = format!("request:{}", case.id);
            let actions: Vec<&str> = events
                .iter()
                .filter(|e| e.subject == subject && !OBSERVATIONS.contains(&e.action.as_str()))
                .map(|e| e.action.as_str())
                .collect();
            let moved = case.revision - before;
            if usize::try_from(moved) != Ok(actions.len()) {
                let why = format!("{moved} changes, rows {actions:?}");
                return Err(broken("every change has one audit row", &case.case_no, why));
            }
            if moved > 0 {
                self.moved(&mut conn, case, &actions).await?;
            }
        }
        if cases.len() > self.ask_keys.len() {
            return Err(Broken::new("asked twice under one key is one request", cases.len().to_string()));
        }
        let stuck = requests_without_step(&mut conn).await.map_err(|e| unreadable(&e))?;
        if let Some((_, id)) = stuck.first() {
            return Err(broken("every open request has a next step", id.as_str(), ""));
        }
        Ok(())
    }

    async fn moved(
        &mut self,
        conn: &mut crate::store::Conn,
        case: &Case,
        actions: &[&str],
    ) -> Result<(), Broken> {
        let home = self.home.clone();
        let name = self.names.entry(case.id.clone()).or_insert_with(|| case.case_no.clone()).clone();
        let loaded = request_load(conn, &home, &case.id).await.map_err(|e| unreadable(&e))?;
        let Some(loaded) = loaded else {
            return Err(broken("a request is never lost", &name, ""));
        };
        let new = loaded.request;
        let old = self.seen.requests.remove(&case.id).map(|k| k.request);
        self.say(&format!("  {name} is {}", new.state.code()));
        promises_of_state(&name, &new, self.now())?;
        if let Some(old) = &old {
            promises_of_change(&name, old, &new, actions)?;
            self.count_change(old, &new, actions);
        }
        self.next_step(conn, &name, &new).await?;
        self.lines(conn, &name, &new).await?;
        self.alarms(conn, &name, old.as_ref(), &new).await?;
        drop_silence(&mut self.seen.silence, &new);
        self.links(conn, &name, old.as_ref(), &new).await?;
        self.seen.requests.insert(case.id.clone(), Known { revision: case.revision, request: new });
        Ok(())
    }

    /// The due time stands in the outbox, and not later than the machine wants it.
    async fn next_step(
        &self,
        conn: &mut crate::store::Conn,
        name: &str,
        new: &Request,
    ) -> Result<(), Broken> {
        let key = format!("wake:{}", new.id);
        let wake = job_by_key(conn, &self.home, &key).await.map_err(|e| unreadable(&e))?;
        let pending = wake.filter(|(_, state)| state == "due" || state == "leased").map(|(job, _)| job.due);
        match (next_due(new), pending) {
            (None, None) => Ok(()),
            (Some(wanted), Some(at)) if at <= wanted.max(self.now()) => Ok(()),
            (wanted, pending) => {
                let why = format!("due {wanted:?}, in the outbox {pending:?}");
                Err(broken("every open request has a next step in time", name, why))
            }
        }
    }

    /// One line for each side of a closed request, none before.
    async fn lines(
        &mut self,
        conn: &mut crate::store::Conn,
        name: &str,
        new: &Request,
    ) -> Result<(), Broken> {
        let event = event_of(conn, &self.home, &new.id).await.map_err(|e| unreadable(&e))?;
        let lines = lines_of_request(conn, &self.home, &new.id).await.map_err(|e| unreadable(&e))?;
        let side = |side: Side| lines.iter().filter(|l| l.line.side == side).count();
        let pair = lines.len() == 2 && side(Side::Requester) == 1 && side(Side::Acceptor) == 1;
        let closed = matches!(new.state, State::Closed { .. });
        if closed != event.is_some() || (closed && !pair) || (!closed && !lines.is_empty()) {
            let why = format!("{} with {} lines", new.state.code(), lines.len());
            return Err(broken(
                "a closed request has one line on each side, and no other has any",
                name,
                why,
            ));
        }
        if closed {
            self.tally.count("closed with its lines");
        }
        Ok(())
    }

    /// Where nobody is left to ask, a human hears of it.
    async fn alarms(
        &mut self,
        conn: &mut crate::store::Conn,
        name: &str,
        old: Option<&Request>,
        new: &Request,
    ) -> Result<(), Broken> {
        let wanted = match new.state {
            State::Exhausted { .. } => "exhausted",
            State::Expired { .. } => "expired",
            _ => return Ok(()),
        };
        if old.is_some_and(|o| o.state.code() == new.state.code()) {
            return Ok(());
        }
        let alarms = alarms_unacknowledged(conn, &self.home).await.map_err(|e| unreadable(&e))?;
        let subject = format!("request:{}", new.id);
        if !alarms.iter().any(|a| a.kind == wanted && a.subject == subject) {
            return Err(broken("nobody is left in silence", name, format!("no alarm {wanted}")));
        }
        self.tally.count(if wanted == "expired" { "expired" } else { "exhausted with an alarm" });
        Ok(())
    }

    /// The links of an offer that ended are void.
    async fn links(
        &self,
        conn: &mut crate::store::Conn,
        name: &str,
        old: Option<&Request>,
        new: &Request,
    ) -> Result<(), Broken> {
        let Some(old) = old else {
            return Ok(());
        };
        let ended: BTreeSet<_> = new
            .offers
            .iter()
            .filter(|(person, o)| {
                !o.state.is_live()
                    && o.state != OfferState::Accepted
                    && old.offers.get(*person).is_some_and(|before| before.state.is_live())
            })
            .map(|(person, _)| person)
            .collect();
        for letter in self.letters.iter().filter(|l| l.request == new.id && ended.contains(&l.person)) {
            let hash = crate::seal::token_hash(&letter.token);
            let link = crate::store::access::link_by_token(conn, &hash).await.map_err(|e| unreadable(&e))?;
            if link.is_some_and(|l| l.voided.is_none() && l.consumed.is_none()) {
                return Err(broken("the links of an offer that ended are void", name, ""));
            }
        }
        Ok(())
    }

    fn count_change(&mut self, old: &Request, new: &Request, actions: &[&str]) {
        let fresh = new.offers.iter().any(|(person, o)| {
            o.state == OfferState::Pending && old.offers.get(person).is_none_or(|b| b.attempts < o.attempts)
        });
        let released = new.acceptances.iter().filter(|a| a.released.is_some()).count()
            > old.acceptances.iter().filter(|a| a.released.is_some()).count();
        if fresh && released {
            self.tally.count("given back, others asked");
        }
        if fresh && actions.contains(&"offer.undeliverable") {
            self.tally.count("undeliverable, the next one asked");
        }
        if fresh && actions.contains(&"offer.decline") {
            self.tally.count("declined, the next one asked");
        }
        if released && actions.contains(&"request.due") {
            self.tally.count("a silent taker released");
        }
    }

    /// With the faults over and the workers done, nothing may be late.
    pub(super) fn nothing_is_late(&self) -> Result<(), Broken> {
        let now: Millis = self.now();
        for (id, known) in &self.seen.requests {
            if next_due(&known.request).is_some_and(|due| due <= now) {
                let name = self.names.get(id).map_or("", String::as_str);
                return Err(broken("what is due is done", name, format!("{:?}", next_due(&known.request))));
            }
        }
        Ok(())
    }
}

fn drop_silence(silence: &mut BTreeMap<RequestId, Silence>, new: &Request) {
    if new.state.is_open() {
        silence.remove(&new.id);
    }
}

/// What holds for a request in any moment.
fn promises_of_state(name: &str, new: &Request, now: Millis) -> Result<(), Broken> {
    // A consult wants one taker; the number the request itself carries is not asked.
    if new.claims().count() > 1 {
        return Err(broken("never more takers than wanted", name, new.claims().count().to_string()));
    }
    let taken = matches!(new.state, State::Taken { .. } | State::Reported { .. } | State::Closed { .. });
    if taken != (new.claims().count() == 1) && !matches!(new.state, State::Withdrawn { .. }) {
        return Err(broken("taken is who has a taker", name, new.state.code()));
    }
    let live = new.offers.values().filter(|o| o.state.is_live()).count();
    if new.state.is_terminal() && live > 0 {
        return Err(broken("no offer outlives its request", name, format!("{live} live")));
    }
    // What is due already is moved on by the wake that stands in the outbox.
    if let State::Running { step, phase: Phase::Asking { .. } } = new.state
        && next_due(new).is_some_and(|due| due > now)
        && !new.offers.values().any(|o| o.step == step && o.state.is_live())
    {
        return Err(broken("while people are asked, somebody is being asked", name, format!("step {step}")));
    }
    Ok(())
}

/// What holds between a state and the next.
fn promises_of_change(name: &str, old: &Request, new: &Request, actions: &[&str]) -> Result<(), Broken> {
    if old.state.is_terminal() {
        return Err(broken("what ended stays ended", name, format!("{actions:?}")));
    }
    for (n, before) in old.acceptances.iter().enumerate() {
        let Some(after) = new.acceptances.get(n).filter(|a| a.person == before.person && a.at == before.at)
        else {
            return Err(broken("an acceptance is never lost", name, format!("{actions:?}")));
        };
        let released = before.released.is_none() && after.released.is_some();
        if released && !actions.iter().any(|a| matches!(*a, "offer.release" | "request.due")) {
            return Err(broken(
                "an acceptance ends only by being given back or by time",
                name,
                format!("{actions:?}"),
            ));
        }
    }
    for (person, before) in &old.offers {
        let Some(after) = new.offers.get(person) else {
            return Err(broken("an offer is never lost", name, format!("{actions:?}")));
        };
        let over = matches!(before.state, OfferState::Declined | OfferState::Released);
        if over && (after.state != before.state || after.attempts != before.attempts) {
            return Err(broken(
                "who declined or gave it back is not asked again",
                name,
                format!("{actions:?}"),
            ));
        }
    }
    Ok(())
}
