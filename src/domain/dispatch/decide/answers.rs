//! What people answer, take back and report, and what became of a try to reach them. Waits are `time`.

use super::{Answer, Effect, Machine, Notice, To, lapses_at, reports_after};
use crate::domain::dispatch::plan::{Mode, Proof};
use crate::domain::dispatch::request::{Acceptance, Child, Offer, OfferState, Phase, Request, State, Terms};
use crate::domain::dispatch::settle::{Rule, settle};
use crate::ids::MemberId;
use crate::planted::{self, Bug};
use crate::time::Millis;

impl Machine<'_> {
    /// The offer this person may still answer, or what to say instead.
    fn answerable(&self, person: &MemberId) -> Result<Offer, Answer> {
        let Some(offer) = self.r.offers.get(person) else {
            return Err(Answer::NotAsked);
        };
        let late = self.now >= lapses_at(offer).min(self.r.answer_by) && !planted::is(Bug::LateYesAccepted);
        match offer.state {
            OfferState::Declined | OfferState::Released => Err(Answer::AnsweredBefore),
            OfferState::Accepted => Err(match self.r.state {
                State::Refused { .. } | State::Withdrawn { .. } | State::Expired { .. } => self.why_over(),
                State::Running { .. }
                | State::Exhausted { .. }
                | State::Taken { .. }
                | State::Reported { .. }
                | State::Closed { .. } => Answer::Already,
            }),
            OfferState::Withdrawn => Err(Answer::Closed),
            _ if !self.r.state.is_open() => Err(self.why_over()),
            OfferState::Lapsed if planted::is(Bug::LateYesAccepted) => Ok(offer.clone()),
            OfferState::Lapsed | OfferState::Unreachable => Err(Answer::Expired),
            OfferState::Full if !self.r.is_short() => Err(Answer::Taken),
            // Full is also somebody whose place came free again and who was not asked anew yet: a late yes
            // gets what is free.
            OfferState::Full | OfferState::Pending | OfferState::Asked | OfferState::Raised => {
                if late {
                    Err(Answer::Expired)
                } else {
                    Ok(offer.clone())
                }
            }
        }
    }

    fn why_over(&self) -> Answer {
        match self.r.state {
            State::Taken { .. } | State::Reported { .. } | State::Closed { .. } if !self.r.is_short() => {
                Answer::Taken
            }
            State::Expired { .. } => Answer::Expired,
            State::Running { .. }
            | State::Exhausted { .. }
            | State::Taken { .. }
            | State::Reported { .. }
            | State::Closed { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. } => Answer::Closed,
        }
    }

    pub(super) fn accept(&mut self, person: &MemberId, proof: Proof, terms: &Terms) -> Answer {
        let offer = match self.answerable(person) {
            Ok(offer) => offer,
            Err(answer) => return answer,
        };
        let Some(step) = self.r.step(offer.step).cloned() else {
            return Answer::Closed;
        };
        if !step.proof.contains(&proof) {
            return Answer::WrongProof;
        }
        match step.mode {
            Mode::Tell => Answer::NotAsked,
            Mode::Gate => {
                let (before, done) = (self.r.clone(), self.fx.len());
                self.say_yes(person, offer.step, proof, terms, true);
                self.pass_gate(offer.step);
                match self.against.take() {
                    // Whose yes a rule stands against is told so, and nothing has happened: another may agree, or
                    // the same person when the rule does not stand any more.
                    Some(rule) if self.r.plan.undo => {
                        self.fx.truncate(done);
                        self.undo(before, rule)
                    }
                    _ => Answer::Done,
                }
            }
            Mode::Collect if offer.state == OfferState::Raised => Answer::Already,
            Mode::Collect if !self.r.is_short() => Answer::Taken,
            Mode::Collect => {
                if let Some(offer) = self.r.offers.get_mut(person) {
                    offer.state = OfferState::Raised;
                    offer.terms = Some(terms.clone());
                    offer.proof = Some(proof);
                }
                self.hand_is_up(offer.step, step.hands);
                Answer::HandRaised
            }
            Mode::Seek => self.claim(person, offer.step, proof, terms),
        }
    }

    fn hand_is_up(&mut self, asked_by: usize, wanted: usize) {
        match self.r.state {
            State::Running { step, phase: Phase::Asking { .. } | Phase::Waiting { .. } }
                if self.r.is_search(step) && self.r.hands() >= wanted =>
            {
                self.ask_to_choose(step);
            }
            // The plan is at its end: nothing else will come of waiting.
            State::Exhausted { .. } => self.ask_to_choose(asked_by),
            _ => self.replenish(),
        }
    }

    /// The one place where quota is taken.
    fn claim(&mut self, person: &MemberId, step: usize, proof: Proof, terms: &Terms) -> Answer {
        if !self.r.is_short() && !planted::is(Bug::QuotaReadThenWrite) {
            return Answer::Taken;
        }
        let before = self.r.clone();
        self.say_yes(person, step, proof, terms, false);
        let effects = match settle(&self.r, self.world, Some(person)) {
            Ok(effects) => effects,
            Err(rule) => return self.undo(before, rule),
        };
        // Where somebody has to agree, nothing is shown and nothing promised before.
        if !self.r.gate_ahead(0) {
            self.fx.extend(effects);
            self.tell(To::Person(person.clone()), Notice::Receipt);
            self.tell(To::Asker, Notice::Accepted);
        }
        if self.r.is_short() {
            self.replenish();
        } else {
            // What is left of the plan are gates and notices, then the rules.
            let here = match self.r.state {
                State::Running { step, .. } => step,
                _ => self.r.last_search().map_or(0, |last| last + 1),
            };
            self.start(here);
        }
        Answer::Done
    }

    fn undo(&mut self, before: Request, rule: Rule) -> Answer {
        self.r = before;
        Answer::Refused { rule }
    }

    fn say_yes(&mut self, person: &MemberId, step: usize, proof: Proof, terms: &Terms, gate: bool) {
        if let Some(offer) = self.r.offers.get_mut(person) {
            offer.state = OfferState::Accepted;
            offer.held_until = None;
            offer.terms = Some(terms.clone());
            offer.proof = Some(proof);
        }
        self.write_yes(person.clone(), step, proof, terms.clone(), gate);
    }

    pub(super) fn decline(&mut self, person: &MemberId) -> Answer {
        if self.r.offers.get(person).map(|o| o.state) == Some(OfferState::Declined) {
            return Answer::Already;
        }
        let offer = match self.answerable(person) {
            Ok(offer) => offer,
            Err(Answer::Already) => return Answer::AnsweredBefore,
            Err(answer) => return answer,
        };
        self.end_offer(person, OfferState::Declined);
        if self.r.is_gate(offer.step) {
            self.refuse();
        } else if !planted::is(Bug::NoNextAfterDecline) {
            self.replenish();
        }
        Answer::Done
    }

    pub(super) fn hold(&mut self, person: &MemberId, until: Millis) -> Answer {
        match self.answerable(person) {
            Ok(offer) if offer.state == OfferState::Raised => Answer::Already,
            Ok(_) => {
                let until = until.min(self.r.answer_by);
                if let Some(offer) = self.r.offers.get_mut(person) {
                    offer.held_until = Some(until);
                }
                Answer::Done
            }
            Err(answer) => answer,
        }
    }

    pub(super) fn choose(&mut self, person: &MemberId) -> Answer {
        if !self.r.state.is_terminal() && self.r.is_taken_by(person) {
            return Answer::Already;
        }
        if !self.r.state.is_open() {
            return self.why_over();
        }
        let Some(hand) = self.r.offers.get(person).filter(|o| o.state == OfferState::Raised).cloned() else {
            return Answer::NotAsked;
        };
        if self.now >= lapses_at(&hand).min(self.r.answer_by) {
            return Answer::Expired;
        }
        let (terms, proof) = (hand.terms.unwrap_or(Terms::Plain), hand.proof.unwrap_or(Proof::Pin));
        self.claim(person, hand.step, proof, &terms)
    }

    // ---- after the yes ---------------------------------------------------------------------------

    pub(super) fn release(&mut self, person: &MemberId) -> Answer {
        if self.r.offers.get(person).map(|o| o.state) == Some(OfferState::Released) {
            return Answer::Already;
        }
        if self.r.state.is_terminal() {
            return self.why_over();
        }
        let agreed = |a: &Acceptance| a.gate && a.person == *person && a.released.is_none();
        let undoes = matches!(self.r.state, State::Taken { .. }) || self.r.acceptances.iter().any(agreed);
        if self.r.plan.undo && undoes {
            return self.undo_by(person);
        }
        if !self.r.is_taken_by(person) {
            return Answer::NotAsked;
        }
        match self.r.state {
            State::Reported { .. } => return Answer::Closed,
            // It is over: nothing is left to give back.
            State::Taken { .. } if reports_after(&self.r) && self.now >= self.r.window.to => {
                return Answer::Closed;
            }
            // Given back when the time to answer is over: as if he had stayed silent.
            State::Taken { .. } if self.now >= self.r.answer_by => self.taker_was_silent(),
            _ => {
                self.give_back(std::slice::from_ref(person));
                if self.r.state.is_open() {
                    self.tell(To::Asker, Notice::AskingAgain);
                }
            }
        }
        Answer::Done
    }

    /// Somebody whose yes stands takes it back before the window begins: what changed hands goes back, and
    /// the request is open again.
    fn undo_by(&mut self, person: &MemberId) -> Answer {
        if !self.r.acceptances.iter().any(|a| a.person == *person && a.released.is_none()) {
            return Answer::NotAsked;
        }
        if self.now >= self.r.window.from {
            return Answer::Closed;
        }
        self.fx.push(Effect::HandBack { whole: false });
        self.tell(To::Asker, Notice::Undone);
        let people = self.who_said_yes();
        self.tell_each(people, Notice::Undone);
        self.r.answer_by = self.r.answer_by.max(self.r.window.from);
        let takers = self.takers();
        if takers.is_empty() {
            self.void_gates_from(0);
            self.r.state = State::Running { step: 0, phase: Phase::Waiting { at: self.now } };
            self.tell_parent(Child::Open);
            self.start(0);
        } else {
            self.give_back(&takers);
        }
        Answer::Done
    }

    /// A new rota names others: nobody is asked any more, and nothing that was agreed to counts.
    pub(super) fn void(&mut self) -> Answer {
        if self.r.state.is_terminal() {
            return self.why_over();
        }
        self.stop_live(OfferState::Withdrawn, Some(Notice::Void), |_| true);
        self.tell(To::Asker, Notice::Void);
        let people = self.who_said_yes();
        self.tell_each(people, Notice::Void);
        self.end_grants();
        self.r.state = State::Refused { at: self.now };
        self.tell_parent(Child::Failed);
        Answer::Done
    }

    /// Ends claims and resumes the plan at the next step; their givers are not asked again.
    pub(super) fn give_back(&mut self, people: &[MemberId]) {
        let from = self.release_claims(people);
        self.tell_parent(Child::Open);
        if self.now >= self.r.answer_by {
            return self.expire();
        }
        if let State::Running { step, .. } = self.r.state
            && self.r.is_search(step)
        {
            // More were wanted anyway and are being asked: one more place is free.
            return self.replenish();
        }
        self.void_gates_after(from);
        let later_search = (from + 1..self.r.plan.steps.len()).any(|i| self.r.is_search(i));
        let resume = if later_search { from + 1 } else { from };
        self.r.state = State::Running { step: resume, phase: Phase::Waiting { at: self.now } };
        self.start(resume);
    }

    /// The earliest step whose claim was released.
    pub(super) fn release_claims(&mut self, people: &[MemberId]) -> usize {
        let now = self.now;
        let mut from = usize::MAX;
        for acceptance in self.r.acceptances.iter_mut().filter(|a| a.is_claim() && people.contains(&a.person))
        {
            acceptance.released = Some(now);
            from = from.min(acceptance.step);
        }
        for person in people {
            self.end_offer(person, OfferState::Released);
            self.fx.push(Effect::EndGrant { person: person.clone() });
        }
        if from == usize::MAX { 0 } else { from }
    }

    pub(super) fn report(&mut self, person: &MemberId) -> Answer {
        let taker = self.r.is_taken_by(person);
        match self.r.state {
            State::Closed { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. }
            | State::Expired { .. } => Answer::Closed,
            _ if !taker => Answer::NotAsked,
            State::Taken { .. } => {
                self.r.state = State::Reported { since: self.now, chased: 0 };
                self.tell(To::Asker, Notice::Answered);
                Answer::Done
            }
            State::Reported { .. } => Answer::Already,
            // Others are still being asked, or somebody has to agree first.
            State::Running { .. } | State::Exhausted { .. } => Answer::Closed,
        }
    }

    pub(super) fn close(&mut self) -> Answer {
        match self.r.state {
            State::Closed { .. } => Answer::Already,
            // The taker has to tell first what came of it; a parent's children tell for it.
            State::Taken { .. } if self.r.plan.report && self.r.children.is_empty() => Answer::Closed,
            State::Taken { .. } | State::Reported { .. } => {
                let until = Some(self.now.plus_s(self.r.plan.grant_after_report_s));
                for person in self.takers() {
                    self.fx.push(Effect::Grant { person: person.clone(), until });
                    self.tell(To::Person(person), Notice::Thanks);
                }
                self.r.state = State::Closed { at: self.now };
                Answer::Done
            }
            State::Running { .. }
            | State::Exhausted { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. }
            | State::Expired { .. } => Answer::Closed,
        }
    }

    pub(super) fn withdraw(&mut self) -> Answer {
        if matches!(self.r.state, State::Withdrawn { .. }) {
            return Answer::Already;
        }
        if self.r.state.is_terminal() {
            return Answer::Closed;
        }
        if self.r.plan.undo {
            if matches!(self.r.state, State::Taken { .. }) && self.now >= self.r.window.from {
                return Answer::Closed;
            }
            self.fx.push(Effect::HandBack { whole: true });
        }
        if !planted::is(Bug::CancelLeavesOffersLive) {
            self.stop_live(OfferState::Withdrawn, Some(Notice::Withdrawn), |_| true);
        }
        let people = self.who_said_yes();
        self.tell_each(people, Notice::Withdrawn);
        self.end_grants();
        for (child, state) in self.r.children.clone() {
            if state != Child::Failed {
                self.fx.push(Effect::WithdrawChild { child });
            }
        }
        self.r.state = State::Withdrawn { at: self.now };
        self.tell_parent(Child::Failed);
        Answer::Done
    }

    // ---- tries -----------------------------------------------------------------------------------

    pub(super) fn delivered(&mut self, person: &MemberId, attempt: u32) -> Answer {
        match self.r.offers.get_mut(person) {
            Some(offer) if offer.attempts == attempt && offer.state == OfferState::Pending => {
                offer.state = OfferState::Asked;
                Answer::Done
            }
            Some(_) => Answer::Already,
            None => Answer::NotAsked,
        }
    }

    pub(super) fn undeliverable(&mut self, person: &MemberId, attempt: u32) -> Answer {
        self.try_failed(person, attempt, OfferState::Unreachable)
    }

    pub(super) fn unanswered(&mut self, person: &MemberId, attempt: u32) -> Answer {
        self.try_failed(person, attempt, OfferState::Lapsed)
    }

    fn try_failed(&mut self, person: &MemberId, attempt: u32, end: OfferState) -> Answer {
        let step = match self.r.offers.get(person) {
            // A bounce that comes after an answer says nothing any more.
            Some(o)
                if o.attempts == attempt && matches!(o.state, OfferState::Pending | OfferState::Asked) =>
            {
                o.step
            }
            Some(_) => return Answer::Already,
            None => return Answer::NotAsked,
        };
        if !self.r.state.is_open() {
            return Answer::Already;
        }
        self.end_offer(person, end);
        if self.r.is_gate(step) {
            self.gate_lapsed(step);
        } else if !planted::is(Bug::UnreachableNotReplaced) {
            self.replenish();
        }
        Answer::Done
    }
}
