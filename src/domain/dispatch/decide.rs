//! The machine: a request, something that happened, the time and the world in; the next request, what has
//! to be done, and the truthful answer to whoever caused it, out. No clock, no chance, no waiting.

use serde::{Deserialize, Serialize};

use super::plan::{Channel, Mode, Proof, Selector, Step};
use super::request::{Acceptance, Child, Offer, OfferState, Phase, Request, State, Terms};
use super::settle::{Rule, World, settle};
use crate::ids::{MemberId, RequestId};
use crate::time::Millis;

/// Something that happened to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The request was made.
    Begin,
    /// A wait has passed; which one, the machine knows.
    Due,
    /// A try was handed over (the mail server took it).
    Delivered {
        person: MemberId,
        attempt: u32,
    },
    /// A try failed for good.
    Undeliverable {
        person: MemberId,
        attempt: u32,
    },
    /// A yes. Where the asker chooses, it raises a hand.
    Accept {
        person: MemberId,
        proof: Proof,
        terms: Terms,
    },
    Decline {
        person: MemberId,
    },
    /// "Wait, I am looking."
    Hold {
        person: MemberId,
        until: Millis,
    },
    /// The asker picks one of the raised hands.
    Choose {
        person: MemberId,
    },
    /// A yes is given back, by its giver or on his behalf: also a hand-over.
    Release {
        person: MemberId,
    },
    /// The asker or the office takes the request back.
    Withdraw,
    /// A claimant told what came of it.
    Report {
        person: MemberId,
    },
    /// The asker is done.
    Close,
    /// What a child told its parent.
    ChildIs {
        child: RequestId,
        now: Child,
    },
}

/// What has to happen because of a decision; every one becomes a committed row first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Try to reach this person about the offer.
    Ask {
        person: MemberId,
        attempt: u32,
        channel: Channel,
    },
    /// The person's links are void; tries not yet begun must not begin.
    StopAsking {
        person: MemberId,
    },
    Tell {
        to: To,
        notice: Notice,
    },
    /// A human must look.
    Alarm(Alarm),
    /// The person may see the case, until then (`None`: while the case runs).
    Grant {
        person: MemberId,
        until: Option<Millis>,
    },
    EndGrant {
        person: MemberId,
    },
    /// Tell the parent how this request stands.
    ToParent {
        parent: RequestId,
        now: Child,
    },
    /// Take the child back too.
    WithdrawChild {
        child: RequestId,
    },
}

/// Whom a notice goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    Asker,
    Person(MemberId),
}

/// What a notice says. The words stand elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// For information, by a `tell` step.
    Told,
    /// To the asker: somebody took it.
    Accepted,
    /// To the taker: what you promised.
    Receipt,
    /// To the others: another took it.
    TakenByAnother,
    /// To those asked: it was taken back.
    Withdrawn,
    /// To the taker: half of the time has passed.
    AnswerDue,
    /// To the taker: the time passed, you are released.
    ReleasedLate,
    /// To the asker: the taker gave it back or stayed silent; we go on asking.
    AskingAgain,
    /// To the asker: the answer is there.
    Answered,
    /// To the asker: please close.
    PleaseClose,
    /// To the asker: hands are up, please choose.
    PleaseChoose,
    /// To the taker: closed, thank you.
    Thanks,
    /// To the asker: nobody took it in time.
    Expired,
    /// To the asker: it was not agreed to, or the rules stood against it.
    Refused,
}

/// Something a human must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// The plan is at its end and nobody said yes.
    Exhausted,
    /// The time ran out.
    Expired,
    /// A gate had nobody to ask and nobody to decide.
    GateStuck,
    /// The time ran out with fewer acceptances than wanted.
    Short,
    /// The asker does not close, though reminded.
    NotClosed,
}

/// What to say to whoever caused the event. Truthful: `Done` and `Already` only with the fact in `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    Done,
    /// The same was true before: said twice, counted once.
    Already,
    /// The hand is up; the asker will choose.
    HandRaised,
    /// Enough others were quicker.
    Taken,
    /// The request is over, or not at that point.
    Closed,
    /// The offer's time has passed.
    Expired,
    /// This person declined or gave it back before.
    AnsweredBefore,
    /// This person was not asked.
    NotAsked,
    /// The proof is not one this step takes.
    WrongProof,
    /// A rule stands against it.
    Refused {
        rule: Rule,
    },
}

/// The outcome of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub next: Request,
    pub effects: Vec<Effect>,
    pub answer: Answer,
}

/// After this many unanswered reminders to close, a human is alarmed.
pub const CHASES_BEFORE_ALARM: u32 = 3;

/// Moves `request` on. An event that is late, repeated or not allowed leaves it as it was and says so.
#[must_use]
pub fn decide(request: &Request, event: &Event, now: Millis, world: &dyn World) -> Decision {
    let mut machine = Machine { r: request.clone(), fx: Vec::new(), now, world };
    let answer = machine.take(event);
    Decision { next: machine.r, effects: machine.fx, answer }
}

/// When the machine wants [`Event::Due`]. `None` only for a request that is over.
#[must_use]
pub fn next_due(request: &Request) -> Option<Millis> {
    let lapse = request.offers.values().filter(|o| o.state.is_live()).map(lapses_at).min();
    let with_lapse = |at: Millis| Some(lapse.map_or(at, |l| l.min(at)).min(request.answer_by));
    match request.state {
        State::Running { phase, .. } => match phase {
            Phase::Waiting { at } => with_lapse(at),
            Phase::Asking { until, .. } => with_lapse(until),
            Phase::Choosing { chase, .. } => with_lapse(chase),
            Phase::Deciding { .. } | Phase::Children => with_lapse(request.answer_by),
        },
        State::Exhausted { .. } => with_lapse(request.answer_by),
        State::Taken { since, reminded, .. } => Some(if reminded {
            request.answer_by
        } else {
            half_time(since, request.answer_by).min(request.answer_by)
        }),
        State::Reported { since, chased } => {
            Some(since.plus_s(request.plan.chase_s.saturating_mul(i64::from(chased) + 1)))
        }
        State::Closed { .. } | State::Refused { .. } | State::Withdrawn { .. } | State::Expired { .. } => {
            None
        }
    }
}

fn lapses_at(offer: &Offer) -> Millis {
    offer.held_until.map_or(offer.until, |held| held.max(offer.until))
}

fn half_time(from: Millis, to: Millis) -> Millis {
    from.plus_ms(to.since_ms(from) / 2)
}

struct Machine<'a> {
    r: Request,
    fx: Vec<Effect>,
    now: Millis,
    world: &'a dyn World,
}

impl Machine<'_> {
    fn take(&mut self, event: &Event) -> Answer {
        match event {
            Event::Begin => self.begin(),
            Event::Due => self.due(),
            Event::Delivered { person, attempt } => self.delivered(person, *attempt),
            Event::Undeliverable { person, attempt } => self.undeliverable(person, *attempt),
            Event::Accept { person, proof, terms } => self.accept(person, *proof, terms),
            Event::Decline { person } => self.decline(person),
            Event::Hold { person, until } => self.hold(person, *until),
            Event::Choose { person } => self.choose(person),
            Event::Release { person } => self.release(person),
            Event::Withdraw => self.withdraw(),
            Event::Report { person } => self.report(person),
            Event::Close => self.close(),
            Event::ChildIs { child, now } => self.child_is(child, *now),
        }
    }

    fn begin(&mut self) -> Answer {
        let fresh = matches!(self.r.state, State::Running { step: 0, phase: Phase::Waiting { .. } })
            && self.r.offers.is_empty()
            && self.r.acceptances.is_empty();
        if !fresh {
            return Answer::Already;
        }
        if self.r.children.is_empty() {
            self.start(0);
        } else {
            self.r.state = State::Running { step: 0, phase: Phase::Children };
        }
        Answer::Done
    }

    // ---- steps -----------------------------------------------------------------------------------

    /// Starts step `index`, and the ones after it while nothing holds them.
    fn start(&mut self, index: usize) {
        let mut index = index;
        loop {
            let Some(step) = self.r.step(index).cloned() else {
                return self.end_of_plan();
            };
            let wanted = self.r.claims().count() < self.r.quota;
            if matches!(step.mode, Mode::Seek | Mode::Collect) && !wanted {
                index += 1;
                continue;
            }
            if let Some(before_s) = step.before_window_s {
                let at = self.r.window.from.plus_s(-before_s);
                if self.now < at {
                    self.r.state = State::Running { step: index, phase: Phase::Waiting { at } };
                    return;
                }
            }
            match step.mode {
                Mode::Tell => {
                    self.tell_all(&step);
                    index += 1;
                }
                Mode::Gate => return self.start_gate(index, &step),
                Mode::Seek | Mode::Collect => {
                    let until =
                        if step.wait_s == 0 { self.r.answer_by } else { self.now.plus_s(step.wait_s) };
                    self.r.state =
                        State::Running { step: index, phase: Phase::Asking { since: self.now, until } };
                    self.fill(index, &step, step.lap);
                    if self.r.live(index) > 0 {
                        return;
                    }
                    if let Some(from) = self.later(&step) {
                        self.r.state = State::Running { step: index, phase: Phase::Waiting { at: from } };
                        return;
                    }
                    if self.r.hands() > 0 && step.mode == Mode::Collect {
                        return self.ask_to_choose(index);
                    }
                    index += 1;
                }
            }
        }
    }

    fn tell_all(&mut self, step: &Step) {
        for candidate in self.world.resolve(&step.ask, &self.r, self.now) {
            let to = Effect::Tell { to: To::Person(candidate.person), notice: Notice::Told };
            self.fx.push(to);
        }
    }

    /// Asks further people of the step until `at_once` offers of it are out.
    fn fill(&mut self, index: usize, step: &Step, lap: bool) {
        let limit = if step.at_once == 0 { usize::MAX } else { step.at_once };
        let free = limit.saturating_sub(self.r.live(index));
        let mut chosen: Vec<MemberId> = self
            .world
            .resolve(&step.ask, &self.r, self.now)
            .into_iter()
            .filter(|c| c.from <= self.now && self.may_ask(&c.person, lap))
            .map(|c| c.person)
            .collect();
        // After a release, those who were told "full" are asked again first. The sort is stable.
        chosen.sort_by_key(|p| self.r.offers.get(p).map(|o| o.state) != Some(OfferState::Full));
        let mut seen = std::collections::BTreeSet::new();
        chosen.retain(|p| seen.insert(p.clone()));
        for person in chosen.into_iter().take(free) {
            self.ask(person, index, step);
        }
    }

    /// When somebody this step could ask becomes reachable, before the request ends.
    fn later(&self, step: &Step) -> Option<Millis> {
        self.world
            .resolve(&step.ask, &self.r, self.now)
            .into_iter()
            .filter(|c| c.from > self.now && c.from < self.r.answer_by && self.may_ask(&c.person, step.lap))
            .map(|c| c.from)
            .min()
    }

    fn may_ask(&self, person: &MemberId, lap: bool) -> bool {
        if *person == self.r.asker {
            return false;
        }
        match self.r.offers.get(person).map(|o| o.state) {
            None | Some(OfferState::Full | OfferState::Withdrawn) => true,
            Some(OfferState::Lapsed | OfferState::Asked) => lap,
            Some(
                OfferState::Pending
                | OfferState::Raised
                | OfferState::Accepted
                | OfferState::Declined
                | OfferState::Unreachable
                | OfferState::Released,
            ) => false,
        }
    }

    fn ask(&mut self, person: MemberId, index: usize, step: &Step) {
        let until =
            step.offer_life_s.map_or(self.r.answer_by, |life| self.now.plus_s(life).min(self.r.answer_by));
        let attempt = self.r.offers.get(&person).map_or(0, |o| o.attempts) + 1;
        let offer = Offer {
            state: OfferState::Pending,
            step: index,
            asked_at: self.now,
            until,
            held_until: None,
            attempts: attempt,
            terms: None,
        };
        self.r.offers.insert(person.clone(), offer);
        for channel in &step.channels {
            self.fx.push(Effect::Ask { person: person.clone(), attempt, channel: *channel });
        }
    }

    fn start_gate(&mut self, index: usize, step: &Step) {
        let until = if step.wait_s == 0 { self.r.answer_by } else { self.now.plus_s(step.wait_s) };
        self.r.state = State::Running { step: index, phase: Phase::Asking { since: self.now, until } };
        let people: Vec<MemberId> =
            self.world.resolve(&step.ask, &self.r, self.now).into_iter().map(|c| c.person).collect();
        if people.is_empty() {
            return self.ask_decider(index, step);
        }
        for person in people {
            if self.r.offers.get(&person).is_some_and(|o| o.step == index) {
                continue;
            }
            if person == self.r.asker && self.r.asked_in_person {
                self.say_yes(person, index, Proof::Device, Terms::Plain, true);
            } else {
                self.ask(person, index, step);
            }
        }
        self.pass_gate(index);
    }

    fn ask_decider(&mut self, index: usize, step: &Step) {
        self.r.state = State::Running { step: index, phase: Phase::Deciding { since: self.now } };
        let deciders: Vec<MemberId> = step
            .on_lapse
            .as_ref()
            .map(|selector| self.world.resolve(selector, &self.r, self.now))
            .unwrap_or_default()
            .into_iter()
            .map(|c| c.person)
            .collect();
        if deciders.is_empty() {
            self.fx.push(Effect::Alarm(Alarm::GateStuck));
        }
        for person in deciders {
            if self.r.offers.get(&person).is_none_or(|o| !o.state.is_live()) {
                self.ask(person, index, step);
            }
        }
    }

    /// A gate opens when everyone asked said yes, or when one decider did.
    fn pass_gate(&mut self, index: usize) {
        let deciding = matches!(self.r.state, State::Running { phase: Phase::Deciding { .. }, .. });
        let mine = || self.r.offers.values().filter(|o| o.step == index);
        let yes = mine().filter(|o| o.state == OfferState::Accepted).count();
        let open = if deciding { yes > 0 } else { yes > 0 && yes == mine().count() };
        if open {
            if deciding {
                self.stop_live(OfferState::Lapsed, None);
            }
            self.start(index + 1);
        }
    }

    fn end_of_plan(&mut self) {
        let seeks = self.r.plan.steps.iter().any(|s| matches!(s.mode, Mode::Seek | Mode::Collect));
        if seeks && self.r.claims().count() < self.r.quota {
            if !matches!(self.r.state, State::Exhausted { .. }) {
                self.r.state = State::Exhausted { since: self.now };
                self.fx.push(Effect::Alarm(Alarm::Exhausted));
            }
            return;
        }
        if let Err(rule) = self.settled() {
            self.refuse(rule);
        }
    }

    /// Runs the rules of the kind; on success the request is taken (or done, where nothing is reported).
    fn settled(&mut self) -> Result<(), Rule> {
        let effects = settle(&self.r, self.world)?;
        self.fx.extend(effects);
        let step = self.r.acceptances.iter().filter(|a| a.is_claim()).map(|a| a.step).max().unwrap_or(0);
        self.stop_live(OfferState::Full, Some(Notice::TakenByAnother));
        let takers: Vec<MemberId> = self.r.claims().map(|a| a.person.clone()).collect();
        for person in takers {
            self.fx.push(Effect::Tell { to: To::Person(person), notice: Notice::Receipt });
        }
        self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Accepted });
        self.r.state = if self.r.plan.report {
            State::Taken { since: self.now, step, reminded: false }
        } else {
            State::Closed { at: self.now }
        };
        self.tell_parent(Child::Taken);
        Ok(())
    }

    fn refuse(&mut self, _rule: Rule) {
        self.stop_live(OfferState::Withdrawn, Some(Notice::Withdrawn));
        self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Refused });
        self.r.state = State::Refused { at: self.now };
        self.tell_parent(Child::Failed);
    }

    /// Ends every live offer.
    fn stop_live(&mut self, state: OfferState, notice: Option<Notice>) {
        for (person, offer) in &mut self.r.offers {
            if offer.state.is_live() {
                // Nobody is told of the end of something that never reached them.
                let reached = offer.state != OfferState::Pending;
                offer.state = state;
                self.fx.push(Effect::StopAsking { person: person.clone() });
                if let (Some(notice), true) = (notice, reached) {
                    self.fx.push(Effect::Tell { to: To::Person(person.clone()), notice });
                }
            }
        }
    }

    fn tell_parent(&mut self, now: Child) {
        if let Some(parent) = self.r.parent.clone() {
            self.fx.push(Effect::ToParent { parent, now });
        }
    }

    // ---- answers ---------------------------------------------------------------------------------

    /// The offer this person may still answer, or what to say instead.
    fn answerable(&self, person: &MemberId) -> Result<Offer, Answer> {
        let Some(offer) = self.r.offers.get(person) else {
            return Err(Answer::NotAsked);
        };
        match offer.state {
            OfferState::Declined | OfferState::Released => Err(Answer::AnsweredBefore),
            OfferState::Accepted => Err(Answer::Already),
            OfferState::Full => Err(Answer::Taken),
            OfferState::Withdrawn => Err(Answer::Closed),
            OfferState::Lapsed | OfferState::Unreachable => {
                Err(if self.r.state.is_open() { Answer::Expired } else { self.why_over() })
            }
            OfferState::Pending | OfferState::Asked | OfferState::Raised => {
                if !self.r.state.is_open() {
                    Err(self.why_over())
                } else if self.now >= lapses_at(offer).min(self.r.answer_by) {
                    Err(Answer::Expired)
                } else {
                    Ok(offer.clone())
                }
            }
        }
    }

    const fn why_over(&self) -> Answer {
        match self.r.state {
            State::Taken { .. } | State::Reported { .. } | State::Closed { .. } => Answer::Taken,
            State::Expired { .. } => Answer::Expired,
            State::Running { .. }
            | State::Exhausted { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. } => Answer::Closed,
        }
    }

    fn accept(&mut self, person: &MemberId, proof: Proof, terms: &Terms) -> Answer {
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
                self.say_yes(person.clone(), offer.step, proof, terms.clone(), true);
                self.pass_gate(offer.step);
                Answer::Done
            }
            Mode::Collect => {
                if offer.state == OfferState::Raised {
                    return Answer::Already;
                }
                if let Some(offer) = self.r.offers.get_mut(person) {
                    offer.state = OfferState::Raised;
                    offer.terms = Some(terms.clone());
                }
                if let State::Running { step: index, phase: Phase::Asking { .. } } = self.r.state
                    && self.r.hands() >= step.hands
                {
                    self.ask_to_choose(index);
                }
                Answer::HandRaised
            }
            Mode::Seek => self.claim(person, offer.step, proof, terms),
        }
    }

    /// The one place where quota is taken.
    fn claim(&mut self, person: &MemberId, step: usize, proof: Proof, terms: &Terms) -> Answer {
        if self.r.claims().count() >= self.r.quota {
            return Answer::Taken;
        }
        let before = (self.r.clone(), self.fx.len());
        self.say_yes(person.clone(), step, proof, terms.clone(), false);
        if self.r.claims().count() < self.r.quota {
            return match settle(&self.r, self.world) {
                Ok(effects) => {
                    self.fx.extend(effects);
                    Answer::Done
                }
                Err(rule) => self.undo(before, rule),
            };
        }
        // Enough: what is left of the plan are gates and notices, then the rules.
        let last_needed = (step + 1..self.r.plan.steps.len())
            .find(|i| self.r.step(*i).is_some_and(|s| matches!(s.mode, Mode::Gate | Mode::Tell)));
        match last_needed {
            Some(next) => {
                if let Err(rule) = settle(&self.r, self.world) {
                    return self.undo(before, rule);
                }
                self.start(next);
                Answer::Done
            }
            None => match self.settled() {
                Ok(()) => Answer::Done,
                Err(rule) => self.undo(before, rule),
            },
        }
    }

    fn undo(&mut self, before: (Request, usize), rule: Rule) -> Answer {
        self.r = before.0;
        self.fx.truncate(before.1);
        Answer::Refused { rule }
    }

    fn say_yes(&mut self, person: MemberId, step: usize, proof: Proof, terms: Terms, gate: bool) {
        let at = self.now;
        let asked = self.r.offers.get(&person);
        let offer = Offer {
            state: OfferState::Accepted,
            step,
            asked_at: asked.map_or(at, |o| o.asked_at),
            until: asked.map_or(at, |o| o.until),
            held_until: None,
            attempts: asked.map_or(0, |o| o.attempts),
            terms: Some(terms.clone()),
        };
        self.r.offers.insert(person.clone(), offer);
        self.r.acceptances.push(Acceptance { person, step, at, proof, terms, gate, released: None });
    }

    fn decline(&mut self, person: &MemberId) -> Answer {
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
            self.refuse_by_gate();
        } else {
            self.replenish();
        }
        Answer::Done
    }

    fn refuse_by_gate(&mut self) {
        self.stop_live(OfferState::Withdrawn, Some(Notice::Withdrawn));
        self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Refused });
        self.end_grants();
        self.r.state = State::Refused { at: self.now };
        self.tell_parent(Child::Failed);
    }

    fn end_offer(&mut self, person: &MemberId, state: OfferState) {
        if let Some(offer) = self.r.offers.get_mut(person) {
            offer.state = state;
            self.fx.push(Effect::StopAsking { person: person.clone() });
        }
    }

    /// Somebody fell away: the next person is asked at once, the next step starts when nobody is left.
    fn replenish(&mut self) {
        let State::Running { step: index, phase: Phase::Asking { .. } } = self.r.state else {
            return;
        };
        let Some(step) = self.r.step(index).cloned() else {
            return;
        };
        if step.mode == Mode::Gate {
            return;
        }
        self.fill(index, &step, false);
        if self.r.live(index) == 0 {
            match self.later(&step) {
                Some(at) => self.r.state = State::Running { step: index, phase: Phase::Waiting { at } },
                None => self.start(index + 1),
            }
        }
    }

    fn hold(&mut self, person: &MemberId, until: Millis) -> Answer {
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

    fn ask_to_choose(&mut self, index: usize) {
        let chase = self.now.plus_s(self.r.plan.chase_s);
        self.r.state = State::Running { step: index, phase: Phase::Choosing { since: self.now, chase } };
        self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::PleaseChoose });
    }

    fn choose(&mut self, person: &MemberId) -> Answer {
        if self.r.is_taken_by(person) {
            return Answer::Already;
        }
        let Some((step, terms)) = self
            .r
            .offers
            .get(person)
            .filter(|o| o.state == OfferState::Raised)
            .map(|o| (o.step, o.terms.clone().unwrap_or(Terms::Plain)))
        else {
            return Answer::NotAsked;
        };
        if !self.r.state.is_open() {
            return self.why_over();
        }
        let proof = self.r.step(step).and_then(|s| s.proof.first().copied()).unwrap_or(Proof::Pin);
        self.claim(person, step, proof, &terms)
    }

    // ---- after the yes ---------------------------------------------------------------------------

    fn release(&mut self, person: &MemberId) -> Answer {
        if self.r.offers.get(person).map(|o| o.state) == Some(OfferState::Released) {
            return Answer::Already;
        }
        if self.r.state.is_terminal() || !self.r.is_taken_by(person) {
            return if self.r.state.is_terminal() { self.why_over() } else { Answer::NotAsked };
        }
        if matches!(self.r.state, State::Reported { .. }) {
            return Answer::Closed;
        }
        self.give_back(person);
        self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::AskingAgain });
        Answer::Done
    }

    /// Ends a claim and resumes the plan at the next step; its giver is not asked again.
    fn give_back(&mut self, person: &MemberId) {
        let now = self.now;
        let mut from = 0;
        for acceptance in &mut self.r.acceptances {
            if acceptance.person == *person && acceptance.is_claim() {
                acceptance.released = Some(now);
                from = acceptance.step;
            }
        }
        self.end_offer(person, OfferState::Released);
        self.fx.push(Effect::EndGrant { person: person.clone() });
        // A gate after the released step agreed to something that is no longer so: it is asked again.
        let gates: Vec<MemberId> = self
            .r
            .acceptances
            .iter()
            .filter(|a| a.gate && a.step > from && a.released.is_none())
            .map(|a| a.person.clone())
            .collect();
        for acceptance in self.r.acceptances.iter_mut().filter(|a| a.gate && a.step > from) {
            acceptance.released.get_or_insert(now);
        }
        for gate in gates {
            self.r.offers.remove(&gate);
        }
        self.tell_parent(Child::Open);
        let seeks = |i: &usize| self.r.step(*i).is_some_and(|s| matches!(s.mode, Mode::Seek | Mode::Collect));
        if let State::Running { step, phase: Phase::Asking { .. } } = self.r.state
            && seeks(&step)
        {
            // More were wanted anyway and are being asked: one more place is free.
            return self.replenish();
        }
        let resume = (from + 1..self.r.plan.steps.len()).find(seeks).unwrap_or(from);
        self.start(resume);
    }

    fn report(&mut self, person: &MemberId) -> Answer {
        match self.r.state {
            State::Taken { .. } if self.r.is_taken_by(person) => {
                self.r.state = State::Reported { since: self.now, chased: 0 };
                self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Answered });
                Answer::Done
            }
            State::Reported { .. } if self.r.is_taken_by(person) => Answer::Already,
            State::Taken { .. }
            | State::Reported { .. }
            | State::Running { .. }
            | State::Exhausted { .. } => Answer::NotAsked,
            State::Closed { .. }
            | State::Refused { .. }
            | State::Withdrawn { .. }
            | State::Expired { .. } => Answer::Closed,
        }
    }

    fn close(&mut self) -> Answer {
        match self.r.state {
            State::Closed { .. } => Answer::Already,
            State::Taken { .. } | State::Reported { .. } => {
                let until = Some(self.now.plus_s(self.r.plan.grant_after_report_s));
                let takers: Vec<MemberId> = self.r.claims().map(|a| a.person.clone()).collect();
                for person in takers {
                    self.fx.push(Effect::Grant { person: person.clone(), until });
                    self.fx.push(Effect::Tell { to: To::Person(person), notice: Notice::Thanks });
                }
                self.stop_live(OfferState::Withdrawn, None);
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

    fn withdraw(&mut self) -> Answer {
        if matches!(self.r.state, State::Withdrawn { .. }) {
            return Answer::Already;
        }
        if self.r.state.is_terminal() {
            return Answer::Closed;
        }
        self.stop_live(OfferState::Withdrawn, Some(Notice::Withdrawn));
        let takers: Vec<MemberId> = self.r.claims().map(|a| a.person.clone()).collect();
        for person in takers {
            self.fx.push(Effect::Tell { to: To::Person(person), notice: Notice::Withdrawn });
        }
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

    fn end_grants(&mut self) {
        let takers: Vec<MemberId> = self.r.claims().map(|a| a.person.clone()).collect();
        self.fx.extend(takers.into_iter().map(|person| Effect::EndGrant { person }));
    }

    // ---- tries -----------------------------------------------------------------------------------

    fn delivered(&mut self, person: &MemberId, attempt: u32) -> Answer {
        match self.r.offers.get_mut(person) {
            Some(offer) if offer.attempts == attempt && offer.state == OfferState::Pending => {
                offer.state = OfferState::Asked;
                Answer::Done
            }
            Some(_) => Answer::Already,
            None => Answer::NotAsked,
        }
    }

    fn undeliverable(&mut self, person: &MemberId, attempt: u32) -> Answer {
        let gate_step = match self.r.offers.get(person) {
            Some(offer) if offer.attempts == attempt && offer.state.is_live() && self.r.state.is_open() => {
                offer.step
            }
            Some(_) => return Answer::Already,
            None => return Answer::NotAsked,
        };
        self.end_offer(person, OfferState::Unreachable);
        if self.r.is_gate(gate_step) {
            self.gate_lapsed(gate_step)
        } else {
            self.replenish()
        }
        Answer::Done
    }

    fn gate_lapsed(&mut self, index: usize) {
        let asking =
            matches!(self.r.state, State::Running { step, phase: Phase::Asking { .. } } if step == index);
        if asking && let Some(step) = self.r.step(index).cloned() {
            self.ask_decider(index, &step);
        }
    }

    // ---- time ------------------------------------------------------------------------------------

    fn due(&mut self) -> Answer {
        if next_due(&self.r).is_none_or(|at| self.now < at) {
            return Answer::Already;
        }
        match self.r.state {
            State::Running { .. } | State::Exhausted { .. } => self.due_while_open(),
            State::Taken { since, step, reminded } => {
                if self.now >= self.r.answer_by {
                    self.taker_was_silent();
                } else if !reminded {
                    self.r.state = State::Taken { since, step, reminded: true };
                    let takers: Vec<MemberId> = self.r.claims().map(|a| a.person.clone()).collect();
                    for person in takers {
                        self.fx.push(Effect::Tell { to: To::Person(person), notice: Notice::AnswerDue });
                    }
                }
            }
            State::Reported { since, chased } => {
                self.r.state = State::Reported { since, chased: chased.saturating_add(1) };
                self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::PleaseClose });
                if chased + 1 == CHASES_BEFORE_ALARM {
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

    fn due_while_open(&mut self) {
        if self.now >= self.r.answer_by {
            return self.expire();
        }
        let late: Vec<(MemberId, usize)> = self
            .r
            .offers
            .iter()
            .filter(|(_, o)| o.state.is_live() && self.now >= lapses_at(o))
            .map(|(p, o)| (p.clone(), o.step))
            .collect();
        for (person, step) in &late {
            self.end_offer(person, OfferState::Lapsed);
            if self.r.is_gate(*step) {
                self.gate_lapsed(*step);
            }
        }
        if !late.is_empty() {
            self.replenish();
        }
        match self.r.state {
            State::Running { step, phase: Phase::Waiting { at } } if self.now >= at => self.start(step),
            State::Running { step, phase: Phase::Asking { until, .. } } if self.now >= until => {
                if self.r.is_gate(step) {
                    self.gate_lapsed(step);
                } else if self.r.hands() > 0 {
                    self.ask_to_choose(step);
                } else {
                    self.start(step + 1);
                }
            }
            State::Running { step, phase: Phase::Choosing { since, chase } } if self.now >= chase => {
                let chase = self.now.plus_s(self.r.plan.chase_s);
                self.r.state = State::Running { step, phase: Phase::Choosing { since, chase } };
                self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::PleaseChoose });
            }
            _ => {}
        }
    }

    fn expire(&mut self) {
        self.stop_live(OfferState::Lapsed, None);
        if self.r.claims().count() > 0 && self.r.children.is_empty() {
            self.fx.push(Effect::Alarm(Alarm::Short));
            self.r.quota = self.r.claims().count();
            // The time is over: what was promised until now has to be reported within the extension.
            self.r.answer_by = self.now.plus_s(self.r.plan.extend_s.max(self.r.plan.chase_s));
            if let Err(rule) = self.settled() {
                self.refuse(rule);
            }
            return;
        }
        self.r.state = State::Expired { at: self.now };
        self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Expired });
        self.fx.push(Effect::Alarm(Alarm::Expired));
        for (child, state) in self.r.children.clone() {
            if state == Child::Open {
                self.fx.push(Effect::WithdrawChild { child });
            }
        }
        self.tell_parent(Child::Failed);
    }

    /// Accepted and then silent: released, and the rest is asked while there is an extension left.
    fn taker_was_silent(&mut self) {
        let takers: Vec<MemberId> = self.r.claims().map(|a| a.person.clone()).collect();
        for person in &takers {
            self.fx.push(Effect::Tell { to: To::Person(person.clone()), notice: Notice::ReleasedLate });
        }
        if self.r.extended < self.r.plan.extend_times {
            self.r.extended += 1;
            self.r.answer_by = self.now.plus_s(self.r.plan.extend_s);
            self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::AskingAgain });
            for person in &takers {
                self.give_back(person);
            }
            return;
        }
        let now = self.now;
        for acceptance in self.r.acceptances.iter_mut().filter(|a| a.is_claim()) {
            acceptance.released = Some(now);
        }
        for person in &takers {
            self.end_offer(person, OfferState::Released);
            self.fx.push(Effect::EndGrant { person: person.clone() });
        }
        self.r.state = State::Expired { at: now };
        self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Expired });
        self.fx.push(Effect::Alarm(Alarm::Expired));
        self.tell_parent(Child::Failed);
    }

    // ---- parents ---------------------------------------------------------------------------------

    fn child_is(&mut self, child: &RequestId, now: Child) -> Answer {
        match self.r.children.get_mut(child) {
            None => return Answer::NotAsked,
            Some(known) if *known == now => return Answer::Already,
            Some(known) => *known = now,
        }
        if self.r.state.is_terminal() {
            return Answer::Closed;
        }
        let all = |state: Child| self.r.children.values().all(|c| *c == state);
        if all(Child::Taken) {
            self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Accepted });
            self.r.state = if self.r.plan.report {
                State::Taken { since: self.now, step: 0, reminded: true }
            } else {
                State::Closed { at: self.now }
            };
        } else if all(Child::Failed) {
            self.r.state = State::Expired { at: self.now };
            self.fx.push(Effect::Tell { to: To::Asker, notice: Notice::Expired });
            self.fx.push(Effect::Alarm(Alarm::Expired));
        } else {
            if now == Child::Failed {
                self.fx.push(Effect::Alarm(Alarm::Short));
            }
            self.r.state = State::Running { step: 0, phase: Phase::Children };
        }
        Answer::Done
    }
}

/// The selectors a plan needs, for loading their people.
#[must_use]
pub fn selectors(request: &Request) -> Vec<Selector> {
    let steps = request.plan.steps.iter();
    steps.flat_map(|s| std::iter::once(s.ask.clone()).chain(s.on_lapse.clone())).collect()
}
