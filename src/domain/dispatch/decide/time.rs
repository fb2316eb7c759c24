//! What passing time does to a request: lapses, reminders, extensions, the end; and what children tell their
//! parent.

use super::{
    Alarm, Answer, CHASES_BEFORE_ALARM, Effect, Machine, Notice, REPORT_REMINDERS, To, end_of, lapses_at,
    next_due, reports_after,
};
use crate::domain::dispatch::request::{Child, OfferState, Phase, State};
use crate::ids::{MemberId, RequestId};
use crate::time::Millis;

impl Machine<'_> {
    pub(super) fn due(&mut self) -> Answer {
        if next_due(&self.r).is_none_or(|at| self.now < at) {
            return Answer::Already;
        }
        match self.r.state {
            State::Running { .. } | State::Exhausted { .. } => self.due_while_open(),
            // It has begun: nothing can be undone any more.
            State::Taken { .. } if self.r.plan.undo => self.r.state = State::Closed { at: self.now },
            State::Taken { since, step, reminded } if reports_after(&self.r) => {
                self.report_is_due(since, step, reminded);
            }
            State::Taken { .. } if self.now >= end_of(&self.r) => {
                if self.r.children.is_empty() {
                    self.taker_was_silent();
                } else {
                    // Its children answer for themselves; what is left is that the asker closes.
                    self.r.state = State::Reported { since: self.now, chased: 0 };
                }
            }
            State::Taken { since, step, .. } => {
                self.r.state = State::Taken { since, step, reminded: true };
                let takers = self.takers();
                self.tell_each(takers, Notice::AnswerDue);
            }
            State::Reported { since, chased } => {
                // After a long standstill one reminder goes out, not all that were missed.
                let chase_ms = self.r.plan.chase_s.max(1).saturating_mul(1_000);
                let passed = u32::try_from(self.now.since_ms(since) / chase_ms).unwrap_or(u32::MAX);
                let next = passed.max(chased.saturating_add(1));
                self.r.state = State::Reported { since, chased: next };
                self.tell(To::Asker, Notice::PleaseClose);
                if chased < CHASES_BEFORE_ALARM && next >= CHASES_BEFORE_ALARM {
                    self.fx.push(Effect::Alarm(Alarm::NotClosed));
                }
            }
            State::Closed { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. }
            | State::Expired { .. } => {
                return Answer::Closed;
            }
        }
        Answer::Done
    }

    /// The window is over, and nothing was told of it yet.
    fn report_is_due(&mut self, since: Millis, step: usize, reminded: bool) {
        let takers = self.takers();
        if reminded {
            self.r.extended = self.r.extended.saturating_add(1);
            if self.r.extended == 1 {
                self.fx.push(Effect::Alarm(Alarm::NotReported));
            }
        }
        if self.r.extended >= REPORT_REMINDERS {
            self.r.state = State::Reported { since: self.now, chased: 0 };
            return;
        }
        self.r.state = State::Taken { since, step, reminded: true };
        self.tell_each(takers, Notice::AnswerDue);
    }

    fn due_while_open(&mut self) {
        if self.now >= end_of(&self.r) {
            return if self.r.children.is_empty() { self.expire() } else { self.children_out_of_time() };
        }
        let late: Vec<(MemberId, usize)> = self
            .r
            .offers
            .iter()
            .filter(|(_, o)| o.state.is_live() && self.now >= lapses_at(o))
            .map(|(p, o)| (p.clone(), o.step))
            .collect();
        for (person, _) in &late {
            self.end_offer(person, OfferState::Lapsed);
        }
        // Only when all of them have ended: the gate may be moved on by the first already.
        let gate = late.iter().map(|(_, step)| *step).find(|step| self.r.is_gate(*step));
        if let Some(gate) = gate {
            self.gate_lapsed(gate);
        }
        let step_over = matches!(self.r.state, State::Running { phase: Phase::Asking { until, .. }, .. } if self.now >= until);
        // After a standstill nobody is asked for a step whose time is over; the next one asks.
        if !late.is_empty() && !step_over {
            self.replenish();
        }
        match self.r.state {
            State::Running { step, phase: Phase::Waiting { at } } if self.now >= at => {
                if self.r.children.is_empty() {
                    self.start(step);
                } else {
                    self.r.state = State::Running { step, phase: Phase::Children };
                }
            }
            State::Running { step, phase: Phase::Asking { until, .. } } if self.now >= until => {
                if self.r.is_gate(step) {
                    self.gate_lapsed(step);
                } else {
                    self.search_ends(step);
                }
            }
            State::Running { phase: Phase::Asking { more: Some(more), .. }, .. } if self.now >= more => {
                self.replenish();
            }
            State::Running { step, phase: Phase::Choosing { since, chase } } if self.now >= chase => {
                let chase = self.now.plus_s(self.r.plan.chase_s);
                self.r.state = State::Running { step, phase: Phase::Choosing { since, chase } };
                self.tell(To::Asker, Notice::PleaseChoose);
            }
            _ => {}
        }
    }

    /// The time to say yes is over.
    pub(super) fn expire(&mut self) {
        let here = match self.r.state {
            State::Running { step, .. } => step,
            _ => self.r.last_search().map_or(0, |last| last + 1),
        };
        let agreed_to = !self.r.gate_ahead(here);
        let hands: Vec<MemberId> = self
            .r
            .offers
            .iter()
            .filter(|(_, o)| o.state == OfferState::Raised)
            .map(|(p, _)| p.clone())
            .collect();
        self.stop_live(OfferState::Lapsed, None, |_| true);
        self.tell_each(hands, Notice::Expired);
        let claims = self.r.claims().count();
        if claims > 0 && agreed_to {
            if self.r.is_short() {
                self.fx.push(Effect::Alarm(Alarm::Short));
                self.r.quota = claims;
            }
            // What was promised until now has to be reported within the extension.
            self.r.answer_by = self.now.plus_s(self.r.plan.extend_s.max(self.r.plan.chase_s));
            if self.settled().is_err() {
                self.refuse();
            }
            return;
        }
        self.end_grants();
        self.over();
    }

    fn over(&mut self) {
        self.r.state = State::Expired { at: self.now };
        self.tell(To::Asker, Notice::Expired);
        let people = self.who_said_yes();
        self.tell_each(people, Notice::Expired);
        self.fx.push(Effect::Alarm(Alarm::Expired));
        self.tell_parent(Child::Failed);
    }

    /// Accepted and then silent: released, and the rest is asked while there is an extension left.
    pub(super) fn taker_was_silent(&mut self) {
        let takers = self.takers();
        self.tell_each(takers.clone(), Notice::ReleasedLate);
        if self.r.extended < self.r.plan.extend_times {
            self.r.extended += 1;
            self.r.answer_by = self.now.plus_s(self.r.plan.extend_s);
            self.tell(To::Asker, Notice::AskingAgain);
            self.give_back(&takers);
        } else {
            self.release_claims(&takers);
            self.over();
        }
    }

    // ---- parents ---------------------------------------------------------------------------------

    pub(super) fn child_is(&mut self, child: &RequestId, now: Child) -> Answer {
        let Some(known) = self.r.children.get(child).copied() else {
            return Answer::NotAsked;
        };
        if known == now {
            return Answer::Already;
        }
        if self.r.state.is_terminal() {
            return Answer::Closed;
        }
        self.r.children.insert(child.clone(), now);
        if now == Child::Failed {
            self.fx.push(Effect::Alarm(Alarm::Short));
        }
        if now == Child::Open && self.now >= self.r.answer_by {
            // A taker stayed silent and his child was given more time.
            self.r.answer_by = self.now.plus_s(self.r.plan.extend_s.max(1));
        }
        self.follow_children();
        Answer::Done
    }

    /// A parent is open while one of its children is, and taken when somebody took at least one of them.
    fn follow_children(&mut self) {
        let any = |state: Child| self.r.children.values().any(|c| *c == state);
        if any(Child::Open) {
            if !self.r.state.is_open() {
                self.tell_parent(Child::Open);
            }
            self.r.state = State::Running { step: 0, phase: Phase::Children };
        } else if !any(Child::Taken) {
            self.over();
        } else if self.r.state.is_open() {
            self.tell(To::Asker, Notice::Accepted);
            self.r.state = if self.r.plan.report {
                State::Taken { since: self.now, step: 0, reminded: true }
            } else {
                State::Closed { at: self.now }
            };
            self.tell_parent(Child::Taken);
        }
    }

    fn children_out_of_time(&mut self) {
        let open: Vec<RequestId> =
            self.r.children.iter().filter(|(_, c)| **c == Child::Open).map(|(id, _)| id.clone()).collect();
        for child in open {
            self.r.children.insert(child.clone(), Child::Failed);
            self.fx.push(Effect::Alarm(Alarm::Short));
            self.fx.push(Effect::WithdrawChild { child });
        }
        self.follow_children();
    }
}
