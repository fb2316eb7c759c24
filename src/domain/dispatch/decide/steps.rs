//! How a request goes through the steps of its plan: whom a step asks, when a gate opens, when the plan is at
//! its end. What people answer is `answers`.

use std::collections::BTreeSet;

use super::{Alarm, Answer, Effect, Machine, Notice, To, half_time};
use crate::domain::dispatch::plan::{Mode, Proof, Selector, Step};
use crate::domain::dispatch::request::{Acceptance, Child, Offer, OfferState, Phase, State, Terms};
use crate::domain::dispatch::settle::{Rule, settle};
use crate::ids::MemberId;
use crate::planted::{self, Bug};
use crate::time::Millis;

/// Seconds that a step keeps where the next one ought to have started before.
const PRESSED_WAIT_S: i64 = 900;

impl Machine<'_> {
    pub(super) fn begin(&mut self) -> Answer {
        // A request that waits for somebody's hours or for its window looks alike, but waits for later.
        let fresh = matches!(self.r.state, State::Running { step: 0, phase: Phase::Waiting { at } } if at <= self.r.created)
            && self.r.offers.is_empty()
            && self.r.acceptances.is_empty();
        if !fresh {
            return Answer::Already;
        }
        if self.r.children.is_empty() {
            if self.now >= self.r.answer_by { self.expire() } else { self.start(0) }
        } else {
            self.r.state = State::Running { step: 0, phase: Phase::Children };
        }
        Answer::Done
    }

    /// Starts step `index`, and the ones after it while nothing holds them.
    pub(super) fn start(&mut self, index: usize) {
        let last_search = self.r.last_search();
        let mut index = index;
        loop {
            let short = self.r.is_short();
            if short && last_search.is_some_and(|last| index > last) {
                return self.end_of_plan();
            }
            let Some(step) = self.r.step(index).cloned() else {
                return self.end_of_plan();
            };
            // What is said between searches says that nobody was found yet.
            let between = step.mode == Mode::Tell && last_search.is_some_and(|last| index < last);
            if (step.mode.is_search() || between) && !short {
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
                    let people = self.named_by(&step.ask);
                    self.tell_each(people, Notice::Told);
                    index += 1;
                }
                Mode::Gate => return self.start_gate(index, &step),
                Mode::Seek | Mode::Collect => {
                    let phase =
                        Phase::Asking { since: self.now, until: self.step_ends(index, &step), more: None };
                    self.r.state = State::Running { step: index, phase };
                    if self.fill(index, &step) {
                        return;
                    }
                    if self.r.hands() > 0 {
                        return self.ask_to_choose(index);
                    }
                    index += 1;
                }
            }
        }
    }

    /// When the next step starts: after the wait, and not after the time before the window that the next one
    /// has for itself. Where that has passed already, soon.
    fn step_ends(&self, index: usize, step: &Step) -> Millis {
        let until = if step.wait_s == 0 { self.r.answer_by } else { self.now.plus_s(step.wait_s) };
        let Some(before_s) = self.r.step(index + 1).and_then(|next| next.before_window_s) else {
            return until;
        };
        let at = self.r.window.from.plus_s(-before_s);
        let at = if at <= self.now { self.now.plus_s(PRESSED_WAIT_S) } else { at };
        until.min(at)
    }

    /// The people a selector names, each once, best first.
    fn named_by(&self, selector: &Selector) -> Vec<MemberId> {
        let mut seen = BTreeSet::new();
        let people = self.world.resolve(selector, &self.r, self.now).into_iter().map(|c| c.person);
        people.filter(|p| seen.insert(p.clone())).collect()
    }

    // ---- searching -------------------------------------------------------------------------------

    /// Asks further people of the running step until `at_once` of them are silent. `false`: nobody of this
    /// step can be waited for, now or later.
    fn fill(&mut self, index: usize, step: &Step) -> bool {
        let limit = if step.at_once == 0 { usize::MAX } else { step.at_once };
        let free = limit.saturating_sub(self.r.silent(index));
        let mut seen = BTreeSet::new();
        let mut chosen: Vec<MemberId> = self
            .world
            .resolve(&step.ask, &self.r, self.now)
            .into_iter()
            .filter(|c| c.from <= self.now && self.may_ask(&c.person, index, step.lap))
            .map(|c| c.person)
            .filter(|p| seen.insert(p.clone()))
            .collect();
        // After a release, those who were told "full" are asked again first. The sort is stable.
        chosen.sort_by_key(|p| self.r.offers.get(p).map(|o| o.state) != Some(OfferState::Full));
        for person in chosen.into_iter().take(free) {
            self.ask(person, index, step, false);
        }
        let silent = self.r.silent(index);
        let later = self.later(index, step);
        if silent > 0 {
            if let State::Running { phase: Phase::Asking { more, .. }, .. } = &mut self.r.state {
                *more = if silent < limit { later } else { None };
            }
            return true;
        }
        match later {
            // Raised hands do not wait for somebody else's morning.
            Some(at) if self.r.hands() == 0 => {
                self.r.state = State::Running { step: index, phase: Phase::Waiting { at } };
                true
            }
            _ => false,
        }
    }

    /// When somebody this step could ask becomes reachable, before the request ends.
    pub(super) fn later(&self, index: usize, step: &Step) -> Option<Millis> {
        let candidates = self.world.resolve(&step.ask, &self.r, self.now).into_iter();
        candidates
            .filter(|c| c.from > self.now && c.from < self.r.answer_by)
            .filter(|c| self.may_ask(&c.person, index, step.lap))
            .map(|c| c.from)
            .min()
    }

    fn may_ask(&self, person: &MemberId, index: usize, lap: bool) -> bool {
        if *person == self.r.asker {
            return false;
        }
        let Some(offer) = self.r.offers.get(person) else {
            return true;
        };
        // A lap asks everyone once.
        let again = lap && offer.step != index;
        match offer.state {
            OfferState::Full | OfferState::Withdrawn => true,
            OfferState::Lapsed => again,
            // Who said "I am looking" is not silent.
            OfferState::Asked => again && offer.held_until.is_none_or(|held| held <= self.now),
            OfferState::Released => planted::is(Bug::ReleasedAskedAgain),
            OfferState::Pending
            | OfferState::Raised
            | OfferState::Accepted
            | OfferState::Declined
            | OfferState::Unreachable => false,
        }
    }

    fn ask(&mut self, person: MemberId, index: usize, step: &Step, decider: bool) {
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
            proof: None,
            decider,
        };
        self.r.offers.insert(person.clone(), offer);
        for channel in &step.channels {
            self.fx.push(Effect::Ask { person: person.clone(), attempt, channel: *channel });
        }
    }

    /// Asks one person at once, on behalf of the step that searches or searched last. Who declined or gave it back
    /// may be asked so; who is being asked, is.
    pub(super) fn ask_now(&mut self, person: &MemberId) -> Answer {
        let index = match self.r.state {
            State::Running { step, .. } if self.r.step(step).is_some_and(|s| s.mode.is_search()) => {
                Some(step)
            }
            State::Exhausted { .. } => self.r.last_search(),
            _ => None,
        };
        let step = index.and_then(|i| Some((i, self.r.step(i)?.clone())));
        let Some((index, step)) = step.filter(|_| self.r.is_short() && self.now < self.r.answer_by) else {
            return Answer::Closed;
        };
        if *person == self.r.asker {
            return Answer::NotAsked;
        }
        if self.r.offers.get(person).is_some_and(|o| o.state.is_live()) {
            return Answer::Already;
        }
        self.ask(person.clone(), index, &step, false);
        Answer::Done
    }

    /// Somebody fell away or one place more is free: the next person is asked at once, and when nobody of
    /// this step is left, the next step starts.
    pub(super) fn replenish(&mut self) {
        let State::Running { step: index, phase } = self.r.state else {
            return;
        };
        let Some(step) = self.r.step(index).filter(|s| s.mode.is_search()).cloned() else {
            return;
        };
        if self.now >= self.r.answer_by {
            return;
        }
        match phase {
            Phase::Asking { .. } if self.fill(index, &step) => {}
            Phase::Asking { .. } if self.r.hands() > 0 => self.ask_to_choose(index),
            Phase::Asking { .. } => self.start(index + 1),
            // The last hand went down: there is nothing to choose from.
            Phase::Choosing { .. } if self.r.hands() == 0 => self.start(index),
            Phase::Choosing { .. } | Phase::Waiting { .. } | Phase::Deciding { .. } | Phase::Children => {}
        }
    }

    /// The step's time is over; the offers already out live on.
    pub(super) fn search_ends(&mut self, index: usize) {
        if self.r.hands() > 0 {
            return self.ask_to_choose(index);
        }
        let last = self.r.last_search() == Some(index);
        let later = self.r.step(index).filter(|_| last).and_then(|step| self.later(index, step));
        match later {
            // Nobody is given up on before his hours have begun.
            Some(at) => self.r.state = State::Running { step: index, phase: Phase::Waiting { at } },
            None => self.start(index + 1),
        }
    }

    pub(super) fn ask_to_choose(&mut self, index: usize) {
        let chase = self.now.plus_s(self.r.plan.chase_s).min(half_time(self.now, self.r.answer_by));
        self.r.state = State::Running { step: index, phase: Phase::Choosing { since: self.now, chase } };
        self.tell(To::Asker, Notice::PleaseChoose);
    }

    // ---- gates -----------------------------------------------------------------------------------

    fn start_gate(&mut self, index: usize, step: &Step) {
        let running = matches!(
            self.r.state,
            State::Running { step, phase: Phase::Asking { .. } | Phase::Deciding { .. } } if step == index
        );
        if running {
            return self.pass_gate(index);
        }
        let phase = Phase::Asking { since: self.now, until: self.step_ends(index, step), more: None };
        self.r.state = State::Running { step: index, phase };
        let people = self.named_by(&step.ask);
        if people.is_empty() || people.iter().any(|p| self.r.is_excluded(p)) {
            // Who said no to this request is not asked about it again, and is not passed over either.
            return self.ask_decider(index, step);
        }
        for person in people {
            let standing = |a: &&Acceptance| a.person == person && a.released.is_none();
            let given = self.r.acceptances.iter().find(standing).map(|a| a.proof);
            let in_person = (person == self.r.asker && self.r.asked_in_person).then_some(Proof::Device);
            match given.or(in_person) {
                // Asking for it in person, taking it, and a yes at an earlier gate are agreeing to it: a
                // second press of the same button must not answer another question.
                Some(proof) => self.write_yes(person, index, proof, Terms::Plain, true),
                None => self.ask(person, index, step, false),
            }
        }
        self.pass_gate(index);
    }

    /// The gate's own people could not be asked or stayed silent: somebody else decides, who has no
    /// part in it: neither the asker nor anybody who said yes before.
    fn ask_decider(&mut self, index: usize, step: &Step) {
        self.r.state = State::Running { step: index, phase: Phase::Deciding { since: self.now } };
        let named = step.on_lapse.as_ref().map(|selector| self.named_by(selector)).unwrap_or_default();
        let deciders: Vec<MemberId> =
            named.into_iter().filter(|p| *p != self.r.asker && !self.has_part(index, p)).collect();
        if deciders.is_empty() {
            self.fx.push(Effect::Alarm(Alarm::GateStuck));
        }
        for person in deciders {
            self.ask(person, index, step, true);
        }
    }

    /// Said yes or no before, or was asked at this gate as one of its own people: such a yes counts for one,
    /// not for all.
    fn has_part(&self, index: usize, person: &MemberId) -> bool {
        self.r.is_excluded(person)
            || self.r.acceptances.iter().any(|a| a.person == *person && a.released.is_none())
            || self.r.offers.get(person).is_some_and(|o| o.step == index && o.state != OfferState::Withdrawn)
    }

    /// A gate opens when everyone asked said yes, or when one decider did.
    pub(super) fn pass_gate(&mut self, index: usize) {
        let here = matches!(
            self.r.state,
            State::Running { step, phase: Phase::Asking { .. } | Phase::Deciding { .. } } if step == index
        );
        let mine = || self.r.offers.values().filter(|o| o.step == index);
        let decided = mine().any(|o| o.decider && o.state == OfferState::Accepted);
        let open = |o: &Offer| !o.decider && !matches!(o.state, OfferState::Accepted | OfferState::Withdrawn);
        let one = self.r.agreed(index).next().is_some();
        let all = one && !mine().any(open);
        let any = one && self.r.step(index).is_some_and(|s| s.any);
        if here && (decided || all || any) {
            self.stop_live(OfferState::Withdrawn, None, |o| o.step == index);
            self.start(index + 1);
        }
    }

    /// One of the gate's people will not answer any more.
    pub(super) fn gate_lapsed(&mut self, index: usize) {
        let State::Running { step: running, phase } = self.r.state else {
            return;
        };
        if running != index || self.now >= self.r.answer_by {
            return;
        }
        match phase {
            Phase::Asking { until, .. } => {
                if let Some(step) = self.r.step(index).cloned() {
                    // Where one yes is enough, the others may still give it.
                    if step.any && self.now < until && self.r.silent(index) > 0 {
                        return;
                    }
                    self.ask_decider(index, &step);
                }
            }
            Phase::Deciding { .. } if self.r.silent(index) == 0 => {
                self.fx.push(Effect::Alarm(Alarm::GateStuck));
            }
            Phase::Deciding { .. } | Phase::Waiting { .. } | Phase::Choosing { .. } | Phase::Children => {}
        }
    }

    /// What was agreed to after step `from` is no longer so: it is asked again when it comes to it.
    pub(super) fn void_gates_after(&mut self, from: usize) {
        self.void_gates_from(from + 1);
    }

    /// As [`Machine::void_gates_after`], step `first` included.
    pub(super) fn void_gates_from(&mut self, first: usize) {
        let now = self.now;
        for acceptance in self.r.acceptances.iter_mut().filter(|a| a.gate && a.step >= first) {
            acceptance.released.get_or_insert(now);
        }
        let gates: Vec<usize> = (first..self.r.plan.steps.len()).filter(|i| self.r.is_gate(*i)).collect();
        self.stop_live(OfferState::Withdrawn, None, |o| gates.contains(&o.step));
        for offer in self.r.offers.values_mut().filter(|o| gates.contains(&o.step)) {
            offer.state = OfferState::Withdrawn;
        }
    }

    // ---- the end of the plan ---------------------------------------------------------------------

    fn end_of_plan(&mut self) {
        if let Some(last) = self.r.last_search()
            && self.r.is_short()
        {
            if self.r.hands() > 0 {
                self.ask_to_choose(last);
            } else if !matches!(self.r.state, State::Exhausted { .. }) {
                self.r.state = State::Exhausted { since: self.now };
                self.fx.push(Effect::Alarm(Alarm::Exhausted));
            }
            return;
        }
        if let Err(rule) = self.settled() {
            self.against = Some(rule);
            self.refuse();
        }
    }

    /// Runs the rules of the kind; on success the request is taken (or done, where nothing is reported).
    pub(super) fn settled(&mut self) -> Result<(), Rule> {
        let effects = settle(&self.r, self.world, None)?;
        self.fx.extend(effects);
        let step = self.r.claims().map(|a| a.step).max().unwrap_or(0);
        self.stop_live(OfferState::Full, Some(Notice::TakenByAnother), |_| true);
        // Without a gate every taker was told with his yes.
        if self.r.gate_ahead(0) {
            let takers = self.takers();
            self.tell_each(takers, Notice::Receipt);
        }
        if self.r.gate_ahead(0) || self.r.last_search().is_none() {
            self.tell(To::Asker, Notice::Accepted);
        }
        self.r.state = if self.r.plan.report {
            State::Taken { since: self.now, step, reminded: false }
        } else if self.r.plan.undo && self.now < self.r.window.from {
            State::Taken { since: self.now, step, reminded: true }
        } else {
            State::Closed { at: self.now }
        };
        self.tell_parent(Child::Taken);
        Ok(())
    }

    pub(super) fn write_yes(
        &mut self,
        person: MemberId,
        step: usize,
        proof: Proof,
        terms: Terms,
        gate: bool,
    ) {
        self.r.acceptances.push(Acceptance {
            person,
            step,
            at: self.now,
            proof,
            terms,
            gate,
            released: None,
        });
    }
}
