//! Shared by the dispatch tests: people, plans and worlds made by hand.

mod any;
mod plans;
mod random;
mod scenarios;
mod searches;
mod undoing;

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Answer, Decision, Effect, Event, Notice, To, decide, next_due};
use super::plan::{Channel, Kind, Mode, Plan, Proof, Selector, Step};
use super::request::{OfferState, Request, State, Terms};
use super::settle::{Candidate, PersonFacts, World};
use crate::ids::{MemberId, RequestId};
use crate::time::{Millis, Window};

/// Person number `n` of the office.
pub fn person(n: usize) -> MemberId {
    MemberId::named(&["person", &n.to_string()])
}

/// The one who asks.
pub fn asker() -> MemberId {
    MemberId::named(&["asker"])
}

/// Seconds after the beginning of every test.
pub fn at(seconds: i64) -> Millis {
    Millis(1_792_500_000_000).plus_s(seconds)
}

pub fn pool(name: &str) -> Selector {
    Selector::Pool(name.to_owned())
}

/// A world written down by hand: whom each selector names, from when, and what the rules know.
#[derive(Clone, Debug, Default)]
pub struct Office {
    pub named: BTreeMap<Selector, Vec<Candidate>>,
    pub left: BTreeSet<MemberId>,
    pub caps: BTreeMap<MemberId, (u32, u32)>,
}

impl Office {
    /// These people can be asked at any time.
    pub fn with(mut self, selector: Selector, people: &[MemberId]) -> Self {
        let people = people.iter().map(|p| Candidate { person: p.clone(), from: Millis(0) });
        self.named.entry(selector).or_default().extend(people);
        self
    }

    /// This person can be asked from then on.
    pub fn from(mut self, selector: Selector, person: MemberId, from: Millis) -> Self {
        self.named.entry(selector).or_default().push(Candidate { person, from });
        self
    }
}

impl World for Office {
    fn resolve(&self, selector: &Selector, request: &Request, now: Millis) -> Vec<Candidate> {
        if *selector == Selector::Asker {
            return vec![Candidate { person: request.asker.clone(), from: now }];
        }
        let named = self.named.get(selector).cloned().unwrap_or_default();
        let here = named.into_iter().filter(|c| !self.left.contains(&c.person));
        here.map(|c| Candidate { from: c.from.max(now), ..c }).collect()
    }

    fn person(&self, person: &MemberId) -> Option<PersonFacts> {
        let (taken_this_month, cap) = self.caps.get(person).map_or((0, None), |(t, c)| (*t, Some(*c)));
        Some(PersonFacts {
            active: !self.left.contains(person),
            visits: true,
            taken_this_month,
            monthly_cap: cap,
        })
    }
}

pub fn step(mode: Mode, ask: Selector) -> Step {
    Step {
        ask,
        mode,
        channels: if mode == Mode::Tell { Vec::new() } else { vec![Channel::Mail] },
        proof: if mode == Mode::Tell { Vec::new() } else { vec![Proof::Pin] },
        at_once: 0,
        wait_s: 600,
        before_window_s: None,
        offer_life_s: None,
        lap: false,
        hands: usize::from(mode == Mode::Collect),
        on_lapse: None,
        optional: false,
        any: false,
    }
}

pub fn plan(kind: Kind, steps: Vec<Step>) -> Plan {
    Plan {
        name: "by hand".to_owned(),
        version: 1,
        kind,
        report: steps.iter().any(|s| s.mode.is_search()),
        extend_s: 86_400,
        extend_times: 1,
        chase_s: 259_200,
        grant_after_report_s: 86_400,
        report_s: 0,
        undo: false,
        steps,
    }
}

/// A request of `asker()`, to be answered within a day.
pub fn request(plan: Plan) -> Request {
    let window = Window::new(at(2 * 86_400), at(3 * 86_400)).unwrap();
    Request::new(RequestId::named(&["request"]), plan, asker(), window, at(86_400), at(0))
}

/// A request with its world, told what happens sentence by sentence.
#[derive(Debug)]
pub struct Story {
    pub r: Request,
    pub office: Office,
    pub now: Millis,
    /// Effects of the last event.
    pub fx: Vec<Effect>,
}

impl Story {
    pub fn begun(r: Request, office: Office) -> Self {
        let mut story = Self { r, office, now: at(0), fx: Vec::new() };
        assert_eq!(story.event(Event::Begin), Answer::Done);
        story
    }

    pub fn event(&mut self, event: Event) -> Answer {
        let Decision { next, effects, answer } = decide(&self.r, &event, self.now, &self.office);
        self.r = next;
        self.fx = effects;
        answer
    }

    pub fn yes(&mut self, who: &MemberId) -> Answer {
        self.yes_with(who, Proof::Pin)
    }

    pub fn yes_with(&mut self, who: &MemberId, proof: Proof) -> Answer {
        let terms = if self.r.kind == Kind::Consult { Terms::Advice } else { Terms::Plain };
        self.event(Event::Accept { person: who.clone(), proof, terms })
    }

    pub fn no(&mut self, who: &MemberId) -> Answer {
        self.event(Event::Decline { person: who.clone() })
    }

    pub fn back(&mut self, who: &MemberId) -> Answer {
        self.event(Event::Release { person: who.clone() })
    }

    /// Every mail that is out arrives.
    pub fn mails_arrive(&mut self) {
        let out: Vec<(MemberId, u32)> = self.r.offers.iter().map(|(p, o)| (p.clone(), o.attempts)).collect();
        let fx = std::mem::take(&mut self.fx);
        for (person, attempt) in out {
            self.event(Event::Delivered { person, attempt });
        }
        self.fx = fx;
    }

    /// Lets the time come, with every wait served when it is due; effects of all of them are kept.
    pub fn until(&mut self, then: Millis) {
        let mut all = Vec::new();
        let mut rounds = 0;
        while let Some(due) = next_due(&self.r).filter(|d| *d <= then) {
            self.now = self.now.max(due);
            self.event(Event::Due);
            all.append(&mut self.fx);
            rounds += 1;
            assert!(rounds < 200, "the waits do not come to an end");
        }
        self.now = then;
        self.fx = all;
    }

    /// Who was asked by what just happened.
    pub fn asked(&self) -> Vec<MemberId> {
        let ask = |e: &Effect| match e {
            Effect::Ask { person, .. } => Some(person.clone()),
            _ => None,
        };
        self.fx.iter().filter_map(ask).collect()
    }

    pub fn told(&self, to: &To, notice: Notice) -> bool {
        self.fx.contains(&Effect::Tell { to: to.clone(), notice })
    }

    pub fn offer(&self, who: &MemberId) -> Option<OfferState> {
        self.r.offers.get(who).map(|o| o.state)
    }

    pub fn takers(&self) -> Vec<MemberId> {
        self.r.claims().map(|a| a.person.clone()).collect()
    }

    pub fn is_taken(&self) -> bool {
        matches!(self.r.state, State::Taken { .. })
    }
}
