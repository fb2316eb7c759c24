//! Random plans, worlds and events, and what must hold after every single one of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::test_runner::{Config, TestRunner};

use super::super::request::{Acceptance, Offer, Phase};
use super::any::{Op, PEOPLE, child_id, offices, ops, requests, who};
use super::*;

/// More waits than this without anybody doing anything is a request that never ends.
const MOST_WAITS: usize = 400;
/// More waits than this at one instant is a machine that turns on the spot.
const MOST_AT_ONCE: usize = 12;

/// What the checks remember, on their own, of what happened so far.
#[derive(Debug, Default)]
struct Memory {
    newest_try: BTreeMap<MemberId, u32>,
    said_no: BTreeSet<MemberId>,
    gave_back: BTreeSet<MemberId>,
    granted: BTreeSet<MemberId>,
    /// By gate: the people asked since it was last void, whether they decide, and whether they agreed.
    gates: BTreeMap<usize, BTreeMap<MemberId, (bool, bool)>>,
}

#[derive(Debug)]
struct Run<'a> {
    r: Request,
    office: Office,
    base: BTreeMap<MemberId, (u32, u32)>,
    now: Millis,
    memory: Memory,
    seen: &'a RefCell<BTreeMap<&'static str, u32>>,
}

impl Run<'_> {
    fn saw(&self, what: &'static str) {
        *self.seen.borrow_mut().entry(what).or_default() += 1;
    }

    /// Somebody, more often than not somebody who was asked.
    fn one(&self, n: usize) -> MemberId {
        match n.checked_sub(PEOPLE + 1) {
            None => who(n),
            Some(k) if self.r.offers.is_empty() => person(k % PEOPLE),
            Some(k) => self.r.offers.keys().nth(k % self.r.offers.len()).unwrap().clone(),
        }
    }

    /// Somebody, more often than not a taker.
    fn taker(&self, n: usize) -> MemberId {
        let taker = self.r.claims().nth(n % PEOPLE % self.r.quota);
        taker.filter(|_| n > PEOPLE).map_or_else(|| self.one(n), |a| a.person.clone())
    }

    fn take(&mut self, op: &Op) {
        let attempt = |p: &usize, stale: bool| {
            let now = self.r.offers.get(&self.one(*p)).map_or(1, |o| o.attempts);
            if stale { now.saturating_sub(1) } else { now }
        };
        let event = match op {
            Op::Pass(seconds) => {
                self.now = self.now.plus_s(*seconds);
                return;
            }
            Op::PassToDue(more) => {
                let due = next_due(&self.r).unwrap_or(self.now);
                self.now = self.now.max(due).plus_s(*more);
                Event::Due
            }
            Op::Leaves(p) => {
                self.office.left.insert(person(*p));
                return;
            }
            Op::Due => Event::Due,
            Op::Begin => Event::Begin,
            Op::Delivered(p, stale) => Event::Delivered { person: self.one(*p), attempt: attempt(p, *stale) },
            Op::Undeliverable(p, stale) => {
                Event::Undeliverable { person: self.one(*p), attempt: attempt(p, *stale) }
            }
            Op::Unanswered(p, stale) => {
                Event::Unanswered { person: self.one(*p), attempt: attempt(p, *stale) }
            }
            Op::Accept(p, proof, terms) => {
                Event::Accept { person: self.one(*p), proof: *proof, terms: terms.clone() }
            }
            Op::Decline(p) => Event::Decline { person: self.one(*p) },
            Op::Hold(p, seconds) => Event::Hold { person: self.one(*p), until: self.now.plus_s(*seconds) },
            Op::Choose(p) => Event::Choose { person: self.one(*p) },
            Op::Release(p) => Event::Release { person: self.taker(*p) },
            Op::Withdraw => Event::Withdraw,
            Op::Report(p) => Event::Report { person: self.taker(*p) },
            Op::Close => Event::Close,
            Op::ChildIs(c, now) => Event::ChildIs { child: child_id(*c), now: *now },
        };
        self.happens(&event);
    }

    /// The world counts a taker's month the way the database does: what is committed.
    fn count_the_month(&mut self) {
        for (person, (taken, cap)) in &self.base {
            let here = u32::from(self.r.is_taken_by(person));
            self.office.caps.insert(person.clone(), (taken + here, *cap));
        }
    }

    fn happens(&mut self, event: &Event) {
        self.count_the_month();
        let before = self.r.clone();
        let made = decide(&before, event, self.now, &self.office);
        assert_eq!(made, decide(&before, event, self.now, &self.office), "the same twice is the same");
        self.check_quiet(&before, event, &made);
        self.check_answer(&before, event, &made);
        self.check_asks(&before, &made);
        self.note(&before, event, &made);
        self.check_state(&before, event, &made);
        self.check_gates(&before, &made.next);
        self.r = made.next;
        self.count_the_month();
        self.check_said_twice(event);
    }

    /// What is late, repeated or not allowed changes nothing; what is over stays over.
    fn check_quiet(&self, before: &Request, event: &Event, made: &Decision) {
        if before.state.is_terminal() {
            assert_eq!((&made.next, &made.effects), (before, &Vec::new()), "it was over");
        }
        if !matches!(made.answer, Answer::Done | Answer::HandRaised) {
            assert_eq!(&made.next, before, "{:?} changes nothing", made.answer);
        }
        if made.next == *before {
            assert_eq!(made.effects, Vec::new(), "nothing changed, so nothing is done");
        }
        if *event == Event::Due && next_due(before).is_none_or(|due| self.now < due) {
            assert_eq!(&made.next, before, "too early");
        }
    }

    fn check_answer(&self, before: &Request, event: &Event, made: &Decision) {
        let new = made.next.acceptances.get(before.acceptances.len()..).unwrap();
        for yes in new.iter().filter(|a| !a.gate) {
            let by = match event {
                Event::Accept { person, .. } | Event::Choose { person } => person,
                other => panic!("{other:?} is nobody's yes"),
            };
            assert_eq!((&yes.person, made.answer, yes.at), (by, Answer::Done, self.now));
            self.check_rules(yes);
        }
        match event {
            Event::Accept { person, proof, .. } => self.check_yes(before, person, *proof, new, made),
            Event::Choose { person } if made.answer == Answer::Done => {
                self.saw("a raised hand was chosen");
                assert!(new.iter().any(|a| a.person == *person && !a.gate));
                assert_eq!(before.offers.get(person).map(|o| o.state), Some(OfferState::Raised));
            }
            _ => {}
        }
        if made.answer == Answer::Taken {
            assert!(before.claims().count() >= before.quota, "taken, though a place was free");
        }
    }

    fn check_yes(
        &self,
        before: &Request,
        person: &MemberId,
        proof: Proof,
        new: &[Acceptance],
        made: &Decision,
    ) {
        let offer = before.offers.get(person);
        let in_time = |o: &Offer| {
            self.now < before.answer_by && self.now < o.until.max(o.held_until.unwrap_or(o.until))
        };
        match made.answer {
            Answer::Done | Answer::HandRaised => {
                let offer = offer.unwrap();
                assert!(offer.state.is_live() || offer.state == OfferState::Full, "{offer:?}");
                assert!(in_time(offer) && before.state.is_open(), "too late");
                let step = before.step(offer.step).unwrap();
                assert!(step.proof.contains(&proof), "this proof is not taken");
                if made.answer == Answer::HandRaised {
                    assert_eq!(made.next.offers.get(person).map(|o| o.state), Some(OfferState::Raised));
                } else {
                    let written = |a: &&Acceptance| a.person == *person && a.step == offer.step;
                    assert!(new.iter().any(|a| written(&a)), "done means written");
                }
                if matches!(before.state, State::Running { step, .. } if step > offer.step) {
                    self.saw("a late yes got the free place");
                }
                if offer.state == OfferState::Full {
                    self.saw("somebody told full took what came free again");
                }
            }
            Answer::Already => {
                let state = offer.unwrap().state;
                assert!(matches!(state, OfferState::Accepted | OfferState::Raised), "{state:?}");
            }
            Answer::Expired => assert!(
                before.state.is_terminal()
                    || offer
                        .is_some_and(|o| !in_time(o)
                            || matches!(o.state, OfferState::Lapsed | OfferState::Unreachable))
            ),
            Answer::NotAsked => assert!(offer.is_none()),
            Answer::WrongProof => {
                assert!(!before.step(offer.unwrap().step).unwrap().proof.contains(&proof));
            }
            Answer::Refused { .. } => self.saw("a rule stood against a yes"),
            Answer::Taken | Answer::Closed | Answer::AnsweredBefore => {}
        }
    }

    /// The rules as the office would read them, in the moment of the yes.
    fn check_rules(&self, yes: &Acceptance) {
        if self.r.kind != Kind::Consult {
            return;
        }
        assert!(!self.office.left.contains(&yes.person), "who left takes nothing");
        assert_ne!(yes.person, self.r.asker);
        assert!(matches!(yes.terms, Terms::Advice | Terms::Visit));
        let cap = self.office.caps.get(&yes.person);
        assert!(cap.is_none_or(|(taken, cap)| taken < cap), "beyond the monthly number");
    }

    fn check_asks(&mut self, before: &Request, made: &Decision) {
        let next = &made.next;
        let mut last: BTreeMap<&MemberId, bool> = BTreeMap::new();
        for effect in &made.effects {
            match effect {
                Effect::Ask { person, attempt, .. } => {
                    let offer = next.offers.get(person).unwrap();
                    assert!(
                        next.state.is_open() && self.now < next.answer_by,
                        "nobody is asked after the end"
                    );
                    assert_eq!((offer.state, offer.attempts), (OfferState::Pending, *attempt));
                    let newest = self.memory.newest_try.insert(person.clone(), *attempt);
                    assert!(newest.is_none_or(|n| n < *attempt), "every try has its own number");
                    let gate = next.is_gate(offer.step);
                    let never =
                        self.memory.said_no.contains(person) || self.memory.gave_back.contains(person);
                    assert!(!never, "asked again after a no");
                    let by_clerk = gate && !next.asked_in_person && !offer.decider;
                    assert!(*person != next.asker || by_clerk, "the asker asks himself");
                    if gate {
                        let asked = self.memory.gates.entry(offer.step).or_default();
                        asked.insert(person.clone(), (offer.decider, false));
                    }
                    if before.offers.get(person).is_some_and(|o| o.state == OfferState::Asked) {
                        self.saw("a silent person was asked again");
                    }
                    last.insert(person, true);
                }
                Effect::StopAsking { person } => {
                    last.insert(person, false);
                }
                _ => {}
            }
        }
        for (person, asked) in &last {
            let live = next.offers.get(*person).is_some_and(|o| o.state.is_live());
            assert_eq!(live, *asked, "stopped means not live, asked means live");
        }
        for (person, offer) in before.offers.iter().filter(|(_, o)| o.state.is_live()) {
            let now = next.offers.get(person).map(|o| o.state);
            let ended = now.is_none_or(|s| !s.is_live() && s != OfferState::Accepted);
            assert!(!ended || last.contains_key(person), "{offer:?} ended and its links were left open");
        }
    }

    /// Takes note of what the checks need later.
    fn note(&mut self, before: &Request, event: &Event, made: &Decision) {
        match event {
            Event::Decline { person }
                if made.answer == Answer::Done && !before.is_gate(before.offers[person].step) =>
            {
                self.memory.said_no.insert(person.clone());
            }
            Event::Accept { person, .. } if made.answer == Answer::Done => {
                let step = before.offers[person].step;
                if let Some(said) = self.memory.gates.get_mut(&step).and_then(|g| g.get_mut(person)) {
                    said.1 = true;
                }
            }
            _ => {}
        }
        for (old, new) in before.acceptances.iter().zip(&made.next.acceptances) {
            if old.released.is_none() && new.released.is_some() {
                if new.gate {
                    self.memory.gates.remove(&new.step);
                } else {
                    self.saw("a yes was given back");
                    self.memory.gave_back.insert(new.person.clone());
                }
            }
        }
        // A gate that was left before anybody agreed is void as well.
        if let (State::Running { step: was, .. }, State::Running { step: is, .. }) =
            (before.state, made.next.state)
            && before.is_gate(was)
            && is < was
        {
            self.memory.gates.remove(&was);
        }
        for effect in &made.effects {
            match effect {
                Effect::Grant { person, .. } => {
                    self.memory.granted.insert(person.clone());
                    for gate in (0..before.plan.steps.len()).filter(|i| before.is_gate(*i)) {
                        assert!(made.next.agreed(gate).next().is_some(), "shown before all agreed");
                    }
                }
                Effect::EndGrant { person } => {
                    self.memory.granted.remove(person);
                }
                Effect::Alarm(alarm) => self.saw(match alarm {
                    super::super::Alarm::Exhausted => "a plan came to its end",
                    super::super::Alarm::GateStuck => "a gate was stuck",
                    super::super::Alarm::Short => "fewer than wanted",
                    super::super::Alarm::Expired => "nobody in time",
                    super::super::Alarm::NotClosed => "an asker did not close",
                    super::super::Alarm::NotReported => "a cover was not reported",
                }),
                _ => {}
            }
        }
    }

    fn check_state(&self, before: &Request, event: &Event, made: &Decision) {
        let next = &made.next;
        assert!(next.claims().count() <= next.quota, "more yes than places");
        let unique: BTreeSet<_> = next.claims().map(|a| &a.person).collect();
        assert_eq!(unique.len(), next.claims().count(), "one place each");
        assert_eq!(
            next_due(next).is_none(),
            next.state.is_terminal(),
            "every open request waits for something"
        );
        for claim in next.claims() {
            assert_eq!(next.offers.get(&claim.person).map(|o| o.state), Some(OfferState::Accepted));
        }
        for person in &self.memory.granted {
            assert!(next.is_taken_by(person), "sees the case without having it");
        }
        let live = next.offers.values().any(|o| o.state.is_live());
        assert!(next.state.is_open() || !live, "an offer outlives its request");
        if next.kind == Kind::Consult && !next.gate_ahead(0) && !next.state.is_terminal() {
            for claim in next.claims() {
                assert!(self.memory.granted.contains(&claim.person), "has the case without seeing it");
            }
        }
        if matches!(next.state, State::Taken { .. }) && next.children.is_empty() {
            assert_eq!(next.claims().count(), next.quota, "taken means full");
        }
        let failed =
            matches!(next.state, State::Refused { .. } | State::Withdrawn { .. } | State::Expired { .. });
        if failed && !before.state.is_terminal() {
            assert!(self.memory.granted.is_empty(), "a failed request stays open to somebody");
            let himself = |p: &MemberId| matches!(event, Event::Release { person } if person == p);
            let standing =
                before.acceptances.iter().filter(|a| a.released.is_none() && a.person != next.asker);
            for yes in standing.filter(|a| !himself(&a.person)) {
                let told =
                    |e: &Effect| matches!(e, Effect::Tell { to: To::Person(p), .. } if *p == yes.person);
                assert!(made.effects.iter().any(told), "a yes came to nothing in silence");
            }
            let no = matches!(event, Event::Decline { .. });
            self.saw(if no { "a no at a gate" } else { "a failed request" });
        }
        if next.extended > before.extended {
            self.saw("a silent taker");
        }
        let fell_away = matches!(event, Event::Decline { .. } | Event::Undeliverable { .. });
        if let State::Running { step, phase: Phase::Asking { .. } } = next.state
            && let Some(search) = next.step(step).filter(|s| s.mode.is_search())
            && self.now < next.answer_by
        {
            assert!(next.silent(step) > 0, "waits for nobody");
            let limit = if search.at_once == 0 { usize::MAX } else { search.at_once };
            if fell_away && made.answer == Answer::Done && next.silent(step) < limit {
                for more in self.office.resolve(&search.ask, next, self.now) {
                    let asked = next.offers.contains_key(&more.person) || more.person == next.asker;
                    assert!(asked || more.from > self.now, "the next person was not asked at once");
                }
            }
        }
        if let State::Running { phase: Phase::Choosing { .. }, .. } = next.state {
            assert!(next.hands() > 0, "asked to choose from nobody");
        }
        if next.state.is_terminal() && !before.state.is_terminal() && !before.children.is_empty() {
            self.saw("a parent ended");
        }
    }

    /// No gate lies behind the request that was not agreed to by everyone asked, or by one who decides.
    fn check_gates(&self, before: &Request, next: &Request) {
        let reached = match next.state {
            _ if !next.children.is_empty() => 0,
            State::Running { step, .. } => step,
            State::Exhausted { .. } => next.last_search().map_or(0, |last| last + 1),
            State::Taken { .. } | State::Reported { .. } | State::Closed { .. } => next.plan.steps.len(),
            State::Refused { .. } | State::Withdrawn { .. } | State::Expired { .. } => 0,
        };
        for gate in (0..reached).filter(|i| next.is_gate(*i)) {
            assert!(next.agreed(gate).next().is_some(), "gate {gate} was passed and nobody agreed");
            let asked = self.memory.gates.get(&gate).cloned().unwrap_or_default();
            let decided = asked.values().any(|(decides, yes)| *decides && *yes);
            let all = asked.values().all(|(decides, yes)| *decides || *yes);
            assert!(decided || all, "gate {gate} was passed without {asked:?}");
            if decided {
                self.saw("somebody else decided at a gate");
            }
        }
        if let State::Running { step, phase: Phase::Asking { since, .. } } = next.state
            && next.is_gate(step)
            && since == self.now
            && !matches!(before.state, State::Running { step: was, .. } if was == step)
        {
            let ask = &next.step(step).unwrap().ask;
            for named in self.office.resolve(ask, next, self.now) {
                let asked = next.offers.get(&named.person).is_some_and(|o| o.step == step);
                let agreed = next.agreed(step).any(|a| a.person == named.person);
                assert!(asked || agreed, "the gate forgot somebody");
            }
        }
    }

    /// The same event a second time is heard and changes nothing.
    fn check_said_twice(&mut self, event: &Event) {
        if *event == Event::Due {
            for _ in 0..MOST_AT_ONCE {
                if next_due(&self.r).is_none_or(|due| self.now < due) {
                    return;
                }
                self.count_the_month();
                let before = self.r.clone();
                let made = decide(&before, event, self.now, &self.office);
                assert_ne!(made.next, before, "a wait that is over must bring something");
                self.check_quiet(&before, event, &made);
                self.check_answer(&before, event, &made);
                self.check_asks(&before, &made);
                self.note(&before, event, &made);
                self.check_state(&before, event, &made);
                self.check_gates(&before, &made.next);
                self.r = made.next;
            }
            panic!("the machine turns on the spot");
        }
        let again = decide(&self.r, event, self.now, &self.office);
        assert_eq!((&again.next, &again.effects), (&self.r, &Vec::new()), "said twice counts once");
        assert_ne!(again.answer, Answer::HandRaised);
    }

    /// Without anybody doing anything the request comes to an end, or its asker is reminded for ever.
    fn ends_by_itself(&mut self) {
        for _ in 0..MOST_WAITS {
            let Some(due) = next_due(&self.r) else {
                return;
            };
            if matches!(self.r.state, State::Reported { .. }) {
                return;
            }
            self.now = self.now.max(due);
            self.happens(&Event::Due);
        }
        panic!("still {:?} after {MOST_WAITS} waits", self.r.state);
    }
}

/// Situations that are rare in an office and must not be rare here; without them the checks show little.
const SOMETIMES: &[&str] = &[
    "a raised hand was chosen",
    "a late yes got the free place",
    "a rule stood against a yes",
    "a silent person was asked again",
    "a yes was given back",
    "a plan came to its end",
    "a gate was stuck",
    "fewer than wanted",
    "nobody in time",
    "an asker did not close",
    "a no at a gate",
    "a failed request",
    "a silent taker",
    "somebody else decided at a gate",
    "a parent ended",
];

fn run(cases: u32, shrink: u32, seen: &RefCell<BTreeMap<&'static str, u32>>) -> Result<(), String> {
    let config = Config { cases, max_shrink_iters: shrink, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(requests(), offices(), ops()), |(r, office, ops)| {
        let base = office.caps.clone();
        let mut run = Run { r, office, base, now: at(0), memory: Memory::default(), seen };
        run.happens(&Event::Begin);
        for op in &ops {
            run.take(op);
        }
        run.ends_by_itself();
        Ok(())
    });
    outcome.map_err(|broken| broken.to_string())
}

#[test]
fn whatever_happens_to_a_request_the_promises_hold() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let seen = RefCell::new(BTreeMap::new());
    if let Err(broken) = run(cases, 4_096, &seen) {
        panic!("{broken}");
    }
    if cases >= 1_000 {
        for what in SOMETIMES {
            let times = seen.borrow().get(what).copied().unwrap_or(0);
            assert!(times > 0, "{what}: not once in {cases} runs");
        }
    }
}

#[cfg(feature = "planted")]
#[test]
#[ignore = "switches bugs on for the whole process: run it alone"]
fn every_mistake_planted_in_the_machine_is_found() {
    use crate::planted::{Bug, plant};
    let here = [
        Bug::QuotaReadThenWrite,
        Bug::ReleasedAskedAgain,
        Bug::NoNextAfterDecline,
        Bug::LateYesAccepted,
        Bug::CancelLeavesOffersLive,
        Bug::UnreachableNotReplaced,
    ];
    for bug in here {
        plant(Some(bug));
        let found = run(20_000, 0, &RefCell::default());
        plant(None);
        assert!(found.is_err(), "{bug:?} was not found");
    }
}
