//! Shared by the tests of calls: people, lines, a plan and a night told sentence by sentence.

mod any;
mod clock;
mod journeys;
mod machine;
mod mishaps;
mod numbers;
mod random;
mod recovery;

use std::collections::BTreeMap;

use super::hunt::{Happened, hunt};
use super::*;
use crate::domain::dispatch::{self, Candidate, Channel, Mode, Plan, Proof, Request, Selector, Step, World};
use crate::ids::{CallId, InstitutionId, MemberId, RequestId};
use crate::time::{Millis, Window};

pub const NURSE: &str = "03-5550-1000";
/// Six hours after the beginning the report is due.
pub const REPORT_BY_S: i64 = 21_600;

pub fn person(n: usize) -> MemberId {
    MemberId::named(&["physician", &n.to_string()])
}

pub fn house(name: &str) -> InstitutionId {
    InstitutionId::named(&[name])
}

/// Seconds after the beginning of every test.
pub fn at(seconds: i64) -> Millis {
    Millis(1_792_500_000_000).plus_s(seconds)
}

pub fn line(n: usize) -> Line {
    Line::read(&format!("090-0000-{n:04}"), &[]).unwrap()
}

pub fn call_id() -> CallId {
    CallId::named(&["call"])
}

pub fn inbound() -> LegId {
    LegId::inbound("SIP/trunk-1")
}

/// Whom each selector names, in order.
#[derive(Clone, Debug, Default)]
pub struct Office {
    pub named: BTreeMap<Selector, Vec<MemberId>>,
}

impl World for Office {
    fn resolve(&self, selector: &Selector, _: &Request, now: Millis) -> Vec<Candidate> {
        let named = self.named.get(selector).cloned().unwrap_or_default();
        named.into_iter().map(|person| Candidate { person, from: now }).collect()
    }

    fn person(&self, _: &MemberId) -> Option<dispatch::settle::PersonFacts> {
        None
    }
}

/// Primary, then deputy, then the pillar, then primary and deputy once more.
pub fn plan() -> Plan {
    let step = |ask, lap| Step {
        ask,
        mode: Mode::Seek,
        channels: vec![Channel::Mail],
        proof: vec![Proof::Pin],
        at_once: 0,
        wait_s: 120,
        before_window_s: None,
        offer_life_s: None,
        lap,
        hands: 0,
        on_lapse: None,
        optional: false,
        any: false,
    };
    Plan {
        name: "urgent".to_owned(),
        version: 1,
        kind: dispatch::Kind::Urgent,
        report: true,
        extend_s: 3_600,
        extend_times: 0,
        chase_s: 3_600,
        grant_after_report_s: 3_600,
        report_s: 0,
        undo: false,
        steps: vec![
            step(Selector::DutyPrimary, false),
            step(Selector::DutyDeputy, false),
            step(Selector::Pillar("home".to_owned()), false),
            step(Selector::DutyPrimary, true),
            step(Selector::DutyDeputy, true),
        ],
    }
}

pub fn request(plan: Plan) -> Request {
    let window = Window::new(at(0), at(86_400)).unwrap();
    Request::new(RequestId::named(&["urgent"]), plan, MemberId::named(&["desk"]), window, at(86_400), at(0))
}

/// A night with one call: who is on, what happens, what was ordered.
#[derive(Debug)]
pub struct Night {
    pub call: Call,
    pub request: Request,
    pub office: Office,
    pub now: Millis,
    /// What the last event brought.
    pub effects: Vec<Effect>,
    /// Everything since the beginning.
    pub all: Vec<Effect>,
    pub answer: Answer,
}

impl Night {
    fn of(mut call: Call) -> Self {
        call.report_by = Some(at(REPORT_BY_S));
        let named = [
            (Selector::DutyPrimary, vec![person(1)]),
            (Selector::DutyDeputy, vec![person(2)]),
            (Selector::Pillar("home".to_owned()), vec![person(3)]),
        ];
        Self {
            call,
            request: request(plan()),
            office: Office { named: named.into_iter().collect() },
            now: at(0),
            effects: Vec::new(),
            all: Vec::new(),
            answer: Answer::Done,
        }
    }

    /// A nurse of a known station calls.
    pub fn nurse() -> Self {
        Self::inbound(NURSE, Standing::Line { institution: house("station") }, Admission::Open)
    }

    pub fn inbound(shown: &str, standing: Standing, admission: Admission) -> Self {
        let shown = number::read(shown);
        let line = match &shown {
            Reading::Number(n) => Line::new(n, &[]).ok(),
            _ => None,
        };
        let policy = Policy::default();
        Self::of(Call::inbound(call_id(), inbound(), shown, line, standing, None, admission, policy, at(0)))
    }

    pub fn on_page() -> Self {
        Self::of(Call::from_page(call_id(), person(9), line(9), None, Policy::default(), at(0)))
    }

    pub fn two_doctors() -> Self {
        let (first, other) = ((person(9), line(9)), (person(1), line(1)));
        Self::of(Call::between(call_id(), first, other, Policy::default(), at(0)))
    }

    /// Lets something happen to the call.
    pub fn take(&mut self, event: Event) -> &mut Self {
        self.happens(Happened::Call(event))
    }

    pub fn happens(&mut self, what: Happened) -> &mut Self {
        let lines = |p: &MemberId| (1..9).find(|n| person(*n) == *p).map(line);
        let both = hunt(&self.call, &self.request, what, self.now, &self.office, &lines);
        (self.call, self.request, self.answer) = (both.call, both.request, both.answer);
        self.all.extend(both.effects.iter().cloned());
        self.effects = both.effects;
        self
    }

    /// Time goes on; every wait that ends on the way is honoured.
    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        let until = self.now.plus_s(seconds);
        let mut brought = Vec::new();
        for _ in 0..10_000 {
            let plan_due = dispatch::next_due(&self.request).filter(|_| self.call.route.is_some());
            let (due, whose) = match (next_due(&self.call), plan_due) {
                (Some(mine), Some(theirs)) if theirs < mine => {
                    (theirs, Happened::Request(dispatch::Event::Due))
                }
                (Some(mine), _) => (mine, Happened::Call(Event::Due)),
                (None, Some(theirs)) => (theirs, Happened::Request(dispatch::Event::Due)),
                (None, None) => break,
            };
            if due > until {
                break;
            }
            self.now = self.now.max(due);
            self.happens(whose);
            brought.append(&mut self.effects);
        }
        self.now = until;
        self.effects = brought;
        self
    }

    /// Begins, passes the questions, leaves a message.
    pub fn hunting(&mut self) -> &mut Self {
        self.take(Event::Begin);
        if let Stage::Asking { gather, .. } = self.call.stage {
            self.take(Event::Keys {
                leg: inbound(),
                gather,
                digits: "12".to_owned(),
                found: Some(house("clinic")),
            });
        }
        self.prompt_ends(&inbound());
        let Stage::Recording { recording, .. } = self.call.stage else {
            panic!("no recording: {:?}", self.call.stage)
        };
        self.take(Event::Recorded { recording, usable: true });
        self.take(Event::MessageKept { recording, kept: true });
        assert_eq!(self.call.stage.code(), "ringing");
        self
    }

    pub fn prompt_ends(&mut self, leg: &LegId) -> &mut Self {
        let play = self.call.legs[leg].play;
        self.take(Event::PromptEnded { leg: leg.clone(), play })
    }

    /// The newest leg of this person.
    pub fn leg_of(&self, n: usize) -> LegId {
        let theirs = self.call.legs.iter().filter(|(_, l)| l.person() == Some(&person(n)));
        theirs.max_by_key(|(id, l)| (l.since, id.as_str().len(), (*id).clone())).unwrap().0.clone()
    }

    pub fn rings(&mut self, n: usize) -> &mut Self {
        let leg = self.leg_of(n);
        self.take(Event::Ringing { leg })
    }

    pub fn picks_up(&mut self, n: usize) -> &mut Self {
        let leg = self.leg_of(n);
        self.rings(n).take(Event::Answered { leg })
    }

    pub fn presses(&mut self, leg: &LegId, digits: &str) -> &mut Self {
        let gather = match self.call.legs[leg].state {
            LegState::Screening { gather, .. } => gather,
            _ => match self.call.stage {
                Stage::Talking { keys, .. } => keys,
                Stage::Asking { gather, .. } => gather,
                _ => 0,
            },
        };
        self.take(Event::Keys { leg: leg.clone(), gather, digits: digits.to_owned(), found: None })
    }

    pub fn pin(&mut self, n: usize, verdict: PinVerdict) -> &mut Self {
        let leg = self.leg_of(n);
        let LegState::Screening { gather, .. } = self.call.legs[&leg].state else {
            panic!("nobody asked {n} for a PIN: {:?}", self.call.legs[&leg].state)
        };
        self.take(Event::Pin { leg, gather, verdict })
    }

    /// Picks up, presses the key and enters the right PIN.
    pub fn says(&mut self, n: usize, key: &str) -> &mut Self {
        self.picks_up(n);
        let leg = self.leg_of(n);
        self.presses(&leg, key).pin(n, PinVerdict::Right)
    }

    /// The bridge confirms the join of the caller with this person.
    pub fn joined(&mut self, n: usize) -> &mut Self {
        let caller = self.call.caller.leg.clone().unwrap();
        let leg = self.leg_of(n);
        self.take(Event::Joined { leg: caller }).take(Event::Joined { leg })
    }

    pub fn talking(&mut self, n: usize) -> &mut Self {
        self.hunting().says(n, "1").joined(n);
        assert_eq!(self.call.stage.code(), "talking");
        self
    }

    pub fn ends(&mut self, leg: &LegId, cause: Cause) -> &mut Self {
        self.take(Event::Ended { leg: leg.clone(), cause })
    }

    pub fn caller_hangs_up(&mut self) -> &mut Self {
        let leg = self.call.caller.leg.clone().unwrap();
        self.ends(&leg, Cause::HungUp)
    }

    // ---- what one sees ----------------------------------------------------------------------------

    /// The people whose phones ring or are being dialled.
    pub fn rung(&self) -> Vec<usize> {
        let busy = |l: &&Leg| matches!(l.state, LegState::Dialing { .. } | LegState::Ringing { .. });
        let people: Vec<MemberId> =
            self.call.legs.values().filter(busy).filter_map(|l| l.person().cloned()).collect();
        (0..10).filter(|n| people.contains(&person(*n))).collect()
    }

    /// The lines dialled by the last event.
    pub fn dialled(&self) -> Vec<Line> {
        dialled(&self.effects)
    }

    pub fn heard(&self, leg: &LegId) -> Vec<Prompt> {
        heard(&self.effects, leg)
    }

    pub fn cause(&self, n: usize) -> Option<Cause> {
        match self.call.legs[&self.leg_of(n)].state {
            LegState::Ended { cause, .. } | LegState::Leaving { cause, .. } => Some(cause),
            _ => None,
        }
    }

    pub fn join_ordered(&self) -> Option<[LegId; 2]> {
        self.effects.iter().find_map(|e| match e {
            Effect::Bridge(Command::Join { legs, .. }) => Some(legs.clone()),
            _ => None,
        })
    }

    pub fn alarms(&self) -> Vec<Alarm> {
        let alarm = |e: &Effect| if let Effect::Alarm { alarm, .. } = e { Some(*alarm) } else { None };
        self.effects.iter().filter_map(alarm).collect()
    }

    pub fn notices(&self) -> Vec<Notice> {
        let notice = |e: &Effect| if let Effect::Tell { notice, .. } = e { Some(*notice) } else { None };
        self.effects.iter().filter_map(notice).collect()
    }
}

pub fn dialled(effects: &[Effect]) -> Vec<Line> {
    let line = |e: &Effect| match e {
        Effect::Bridge(Command::Dial { to, .. }) => Some(to.clone()),
        _ => None,
    };
    effects.iter().filter_map(line).collect()
}

pub fn heard(effects: &[Effect], who: &LegId) -> Vec<Prompt> {
    let said = |e: &Effect| match e {
        Effect::Bridge(Command::Prompt { leg, prompt, .. }) if leg == who => Some(*prompt),
        _ => None,
    };
    effects.iter().filter_map(said).collect()
}
