//! Both machines together: the dispatcher says whom to ask, the call rings them and brings their answers back,
//! until neither has anything to say to the other. One transaction: the next phone is ordered in the same
//! decision in which the last one failed.

use std::collections::VecDeque;

use super::bridge::RoleSpoken;
use super::decide::{Answer, Effect, Event, News, decide};
use super::leg::LegId;
use super::number::Line;
use super::state::Call;
use crate::domain::dispatch::{self, Proof, Request, Selector, Terms, World};
use crate::ids::MemberId;
use crate::time::Millis;

/// Messages between the two in one decision; more is a plan without end.
pub const MESSAGES_MAX: usize = 1_000;

/// Where both stand after one event, and what has to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Both {
    pub call: Call,
    pub request: Request,
    /// In the order in which it has to happen. What the machines said to each other is not in it.
    pub effects: Vec<Effect>,
    /// The dispatcher's, for mails, grants and notices.
    pub dispatched: Vec<dispatch::Effect>,
    pub answer: Answer,
}

/// What happened, and to which of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    Call(Event),
    /// A wait of the plan, an answer by mail, a hand-over by the office.
    Request(dispatch::Event),
}

/// Lets it happen, and everything that follows from it on both sides. `lines`: the phone a person
/// is rung on now; `None` without one that may be dialled.
///
/// The request was made for the call's route (see [`Effect::Hunt`]) and waits for its first step.
#[must_use]
pub fn hunt(
    call: &Call,
    request: &Request,
    happened: Happened,
    now: Millis,
    world: &dyn World,
    lines: &dyn Fn(&MemberId) -> Option<Line>,
) -> Both {
    let mut both = Both {
        call: call.clone(),
        request: request.clone(),
        effects: Vec::new(),
        dispatched: Vec::new(),
        answer: Answer::Done,
    };
    let mut queue = VecDeque::new();
    let mut first = false;
    match happened {
        Happened::Call(event) => {
            queue.push_back(event);
            first = true;
        }
        Happened::Request(event) => both.dispatch(&event, None, now, world, lines, &mut queue),
    }
    let mut left = MESSAGES_MAX;
    while let Some(event) = queue.pop_front() {
        if left == 0 {
            break;
        }
        left -= 1;
        let made = decide(&both.call, &event, now);
        both.call = made.next;
        if std::mem::take(&mut first) {
            both.answer = made.answer;
        }
        for effect in made.effects {
            let (asked, from) = match &effect {
                Effect::Hunt { .. } => (vec![dispatch::Event::Begin], None),
                Effect::GoOn => (vec![dispatch::Event::Due], None),
                Effect::StopHunt => (vec![dispatch::Event::Withdraw], None),
                Effect::RingOffice => {
                    let named = |s| world.resolve(&s, &both.request, now).into_iter().map(|c| c.person);
                    let people = named(Selector::Coordinator).chain(named(Selector::Officer));
                    (people.map(|person| dispatch::Event::AskNow { person }).collect(), None)
                }
                Effect::Offer(news) => (vec![to_dispatch(news)], leg_of(news)),
                _ => (Vec::new(), None),
            };
            if asked.is_empty() {
                both.effects.push(effect);
            }
            for event in asked {
                both.dispatch(&event, from.as_ref(), now, world, lines, &mut queue);
            }
        }
    }
    both
}

impl Both {
    fn dispatch(
        &mut self,
        event: &dispatch::Event,
        from: Option<&LegId>,
        now: Millis,
        world: &dyn World,
        lines: &dyn Fn(&MemberId) -> Option<Line>,
        queue: &mut VecDeque<Event>,
    ) {
        let made = dispatch::decide(&self.request, event, now, world);
        self.request = made.next;
        // The answer comes before what follows from it: the winner is known when the others are stopped.
        if let Some(leg) = from {
            let won = matches!(made.answer, dispatch::Answer::Done | dispatch::Answer::Already);
            queue.push_back(Event::Verdict { leg: leg.clone(), won });
        }
        for effect in made.effects {
            match &effect {
                dispatch::Effect::Ask { person, attempt, .. } => queue.push_back(Event::Ring {
                    person: person.clone(),
                    attempt: *attempt,
                    line: lines(person),
                    role: self.role_of(person),
                }),
                dispatch::Effect::StopAsking { person } => {
                    queue.push_back(Event::StopRinging { person: person.clone() });
                }
                dispatch::Effect::Alarm(dispatch::Alarm::Exhausted | dispatch::Alarm::Expired) => {
                    queue.push_back(Event::NobodyLeft);
                }
                _ => {}
            }
            self.dispatched.push(effect);
        }
    }

    fn role_of(&self, person: &MemberId) -> RoleSpoken {
        let step = self.request.offers.get(person).and_then(|o| self.request.step(o.step));
        step.map_or(RoleSpoken::Other, |s| RoleSpoken::from(&s.ask))
    }
}

fn leg_of(news: &News) -> Option<LegId> {
    match news {
        News::Accept { leg, .. } => Some(leg.clone()),
        _ => None,
    }
}

/// What a leg's news means to the dispatcher.
#[must_use]
pub fn to_dispatch(news: &News) -> dispatch::Event {
    match news.clone() {
        News::Rang { person, attempt } => dispatch::Event::Delivered { person, attempt },
        News::Unanswered { person, attempt, .. } => dispatch::Event::Unanswered { person, attempt },
        News::Undeliverable { person, attempt, .. } => dispatch::Event::Undeliverable { person, attempt },
        News::Declined { person } => dispatch::Event::Decline { person },
        News::Accept { person, call_back, .. } => dispatch::Event::Accept {
            person,
            proof: Proof::Pin,
            terms: call_back.map_or(Terms::Plain, |by| Terms::CallBack { by }),
        },
        News::Release { person, .. } => dispatch::Event::Release { person },
    }
}
