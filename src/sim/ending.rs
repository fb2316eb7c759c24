//! The end of a history: the faults are over, time runs on, and everything must come to rest with nobody
//! forgotten and the books right.

use super::Broken;
use super::promises::Rows;
use super::runners::Hand;
use super::stage::{Ack, LEASE_S, Sim};
use crate::app::Who;
use crate::domain::dispatch::State;
use crate::ids::RequestId;
use crate::store::StoreError;
use crate::store::jobs::{Lane, alarms_unacknowledged, jobs_by_state, jobs_next};
use crate::time::Millis;

/// Steps until it must be quiet; the longest good histories take a fifth of it.
const PATIENCE: usize = 4_000;

fn unreadable(e: &StoreError) -> Broken {
    Broken::new("the database can be read", crate::app::verify::chain_of(e))
}

impl Sim {
    /// Lets time run on until nothing is left to do, then looks at all of it.
    pub(super) async fn come_to_rest(&mut self) -> Result<(), Broken> {
        self.faults_on = false;
        self.say("the faults are over");
        for runner in &mut self.runners {
            runner.asleep_until = Millis(0);
        }
        // Some askers close at once, some only after they were reminded often enough to alarm a human.
        let reminders = if self.dice.one_in(3) { 4 } else { 0 };
        let reports = self.dice.one_in(2);
        for _ in 0..PATIENCE {
            self.no += 1;
            let mut busy = false;
            for index in 0..self.runners.len() {
                busy |= self.run_step(index).await?;
            }
            if busy {
                continue;
            }
            if self.people_finish(reminders, reports).await? {
                continue;
            }
            match self.next_moment().await? {
                Some(at) => self.clock.set(at.max(self.now())),
                None => return self.the_books().await,
            }
        }
        Err(Broken::new("it comes to rest when the faults are over", format!("after {PATIENCE} steps")))
    }

    /// `true`: somebody did something.
    async fn people_finish(&mut self, reminders: u32, reports: bool) -> Result<bool, Broken> {
        let mut wanted: Option<(RequestId, bool)> = None;
        for (id, known) in &self.seen.requests {
            match known.request.state {
                State::Reported { chased, .. } if chased >= reminders => wanted = Some((id.clone(), false)),
                State::Taken { reminded: true, .. } if reports => wanted = Some((id.clone(), true)),
                _ => {}
            }
        }
        if let Some((_, report)) = wanted {
            if report {
                self.taker_does(true).await?
            } else {
                self.close().await?
            }
            return Ok(true);
        }
        let mut conn = self.db.read().await.map_err(|e| unreadable(&e))?;
        let alarms = alarms_unacknowledged(&mut conn, &self.home).await.map_err(|e| unreadable(&e))?;
        drop(conn);
        // An alarm is seen to after its second round of mails.
        let now = self.now();
        let Some(alarm) = alarms.into_iter().find(|a| now.since_ms(a.raised) > 1_000_000) else {
            return Ok(false);
        };
        if alarm.kind == "not_closed" {
            self.tally.count("never closed, with an alarm");
        }
        let who = Who::member(&self.home, &self.coordinator);
        let app = self.app.clone();
        match self.attempt(app.alarm_seen(&who, &alarm.id, None)).await? {
            Ack::Answer(true) => self.observe(Rows::Exactly(1)).await?,
            other => return Err(Broken::new("an open alarm can be acknowledged", format!("{other:?}"))),
        }
        Ok(true)
    }

    /// When something will happen next; `None`: the outbox is empty.
    async fn next_moment(&self) -> Result<Option<Millis>, Broken> {
        let mut conn = self.db.read().await.map_err(|e| unreadable(&e))?;
        let states = jobs_by_state(&mut conn).await.map_err(|e| unreadable(&e))?;
        let next = jobs_next(&mut conn, (Lane::Urgent, Lane::Reports)).await.map_err(|e| unreadable(&e))?;
        // What a dead worker held is due again when its lease has run out.
        let leased = states.iter().any(|(state, n)| state == "leased" && *n > 0);
        if !leased {
            self.nothing_is_late()?;
        }
        let lease = leased.then(|| self.now().plus_s(LEASE_S + 1));
        let alarms = alarms_unacknowledged(&mut conn, &self.home).await.map_err(|e| unreadable(&e))?;
        let seen_to = alarms.iter().map(|a| a.raised.plus_ms(1_000_001)).min();
        Ok([next, lease, seen_to].into_iter().flatten().min())
    }

    /// Everything at rest: nobody waits, the chains are whole, the copies are counted.
    async fn the_books(&mut self) -> Result<(), Broken> {
        self.observe(Rows::Exactly(0)).await?;
        for (id, known) in &self.seen.requests {
            if !known.request.state.is_terminal() {
                let name = self.names.get(id).cloned().unwrap_or_default();
                let why = format!("{name} is {}", known.request.state.code());
                return Err(Broken::new("every request comes to an end", why));
            }
        }
        if self.runners.iter().any(|r| !matches!(r.hand, Hand::Idle)) {
            return Err(Broken::new(
                "it comes to rest when the faults are over",
                "a worker is busy".to_owned(),
            ));
        }
        for (key, copies) in &self.seen.outbox.mails {
            if copies.copies > 1 + copies.doubts {
                let why =
                    format!("{}: {} copies, {} in doubt", self.key_name(key), copies.copies, copies.doubts);
                return Err(Broken::new("a mail goes out once, but for endings in doubt", why));
            }
        }
        let verified = self.app.verify().await;
        let findings = verified.map_err(|e| Broken::new("the books can be verified", e.to_string()))?;
        match findings.problems.first() {
            None => Ok(()),
            Some(problem) => Err(Broken::new("the books are right", problem.clone())),
        }
    }
}
