//! The machine: a request, something that happened, the time and the world in; the next request, what has
//! to be done, and the truthful answer to whoever caused it, out. No clock, no chance, no waiting.

mod answers;
mod steps;
mod time;

use serde::{Deserialize, Serialize};

use super::plan::{Channel, Proof};
use super::request::{Child, Offer, OfferState, Phase, Request, State, Terms};
use super::settle::{Rule, World};
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
    /// A try reached nobody who answered: a phone that rang out, was busy or was picked up without a key.
    /// The offer lapses now instead of at its time; a later lap may ask the person again.
    Unanswered {
        person: MemberId,
        attempt: u32,
    },
    /// The office has this person asked now, whatever the plan says.
    AskNow {
        person: MemberId,
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
    /// What it was about is not so any more: a new rota names another giver.
    Void,
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
    /// Everybody agreed and the rules hold: the duty changes hands now.
    HandOver,
    /// What changed hands because of this request goes back, as far as it has not begun. `whole`: with what was
    /// changed when it was made; otherwise only what its taker took.
    HandBack {
        whole: bool,
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
    /// To the asker: nobody took it in time. To those whose hand was up or who had agreed: it is over.
    Expired,
    /// To the asker and to those who had said yes: it was not agreed to, or the rules stood against it.
    Refused,
    /// To the asker and to those who had said yes: it was undone in time and is as it was before.
    Undone,
    /// To the asker and to those who were asked or had said yes: a new rota made it void.
    Void,
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
    /// The taker does not report, though reminded.
    NotReported,
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

/// After this many unanswered reminders to report, the asker may close without.
pub const REPORT_REMINDERS: u32 = 7;

/// A parent's time is over this much later than its children's, so that they end by themselves first.
pub const CHILDREN_GRACE_S: i64 = 60;

/// Moves `request` on. An event that is late, repeated or not allowed leaves it as it was and says so.
#[must_use]
pub fn decide(request: &Request, event: &Event, now: Millis, world: &dyn World) -> Decision {
    let mut machine = Machine { r: request.clone(), fx: Vec::new(), now, world, against: None };
    let answer = machine.take(event);
    Decision { next: machine.r, effects: machine.fx, answer }
}

/// When the machine wants [`Event::Due`]. `None` only for a request that is over.
#[must_use]
pub fn next_due(request: &Request) -> Option<Millis> {
    let end = end_of(request);
    let lapse = request.offers.values().filter(|o| o.state.is_live()).map(lapses_at).min();
    let with_lapse = |at: Millis| Some(lapse.map_or(at, |l| l.min(at)).min(end));
    match request.state {
        State::Running { phase, .. } => match phase {
            Phase::Waiting { at } => with_lapse(at),
            Phase::Asking { until, more, .. } => with_lapse(more.map_or(until, |m| m.min(until))),
            Phase::Choosing { chase, .. } => with_lapse(chase),
            Phase::Deciding { .. } | Phase::Children => with_lapse(end),
        },
        State::Exhausted { .. } => with_lapse(end),
        State::Taken { .. } if request.plan.undo => Some(request.window.from),
        State::Taken { reminded, .. } if reports_after(request) => {
            let waits = i64::from(request.extended).saturating_add(1);
            let after_s = if reminded { request.plan.report_s.saturating_mul(waits) } else { 0 };
            Some(request.window.to.plus_s(after_s))
        }
        State::Taken { reminded: true, .. } => Some(end),
        State::Taken { since, reminded: false, .. } => Some(half_time(since, end)),
        State::Reported { since, chased } => {
            Some(since.plus_s(request.plan.chase_s.saturating_mul(i64::from(chased) + 1)))
        }
        State::Closed { .. } | State::Refused { .. } | State::Withdrawn { .. } | State::Expired { .. } => {
            None
        }
    }
}

/// What was taken stands through the window, and the report follows.
fn reports_after(request: &Request) -> bool {
    request.plan.report_s > 0 && request.children.is_empty()
}

fn end_of(request: &Request) -> Millis {
    if request.children.is_empty() { request.answer_by } else { request.answer_by.plus_s(CHILDREN_GRACE_S) }
}

fn lapses_at(offer: &Offer) -> Millis {
    offer.held_until.map_or(offer.until, |held| held.max(offer.until))
}

fn half_time(from: Millis, to: Millis) -> Millis {
    from.plus_ms(to.since_ms(from).max(0) / 2)
}

struct Machine<'a> {
    r: Request,
    fx: Vec<Effect>,
    now: Millis,
    world: &'a dyn World,
    /// The rule that stood against it after the last step.
    against: Option<Rule>,
}

impl Machine<'_> {
    fn take(&mut self, event: &Event) -> Answer {
        match event {
            Event::Begin => self.begin(),
            Event::Due => self.due(),
            Event::Delivered { person, attempt } => self.delivered(person, *attempt),
            Event::Undeliverable { person, attempt } => self.undeliverable(person, *attempt),
            Event::Unanswered { person, attempt } => self.unanswered(person, *attempt),
            Event::AskNow { person } => self.ask_now(person),
            Event::Accept { person, proof, terms } => self.accept(person, *proof, terms),
            Event::Decline { person } => self.decline(person),
            Event::Hold { person, until } => self.hold(person, *until),
            Event::Choose { person } => self.choose(person),
            Event::Release { person } => self.release(person),
            Event::Withdraw => self.withdraw(),
            Event::Void => self.void(),
            Event::Report { person } => self.report(person),
            Event::Close => self.close(),
            Event::ChildIs { child, now } => self.child_is(child, *now),
        }
    }

    // ---- what several of them need ---------------------------------------------------------------

    fn tell(&mut self, to: To, notice: Notice) {
        self.fx.push(Effect::Tell { to, notice });
    }

    fn tell_each(&mut self, people: Vec<MemberId>, notice: Notice) {
        for person in people {
            self.tell(To::Person(person), notice);
        }
    }

    fn tell_parent(&mut self, now: Child) {
        if let Some(parent) = self.r.parent.clone() {
            self.fx.push(Effect::ToParent { parent, now });
        }
    }

    fn takers(&self) -> Vec<MemberId> {
        self.r.claims().map(|a| a.person.clone()).collect()
    }

    /// Everyone but the asker whose yes stands, to a taking or at a gate: none of them may find out by
    /// accident that it came to nothing.
    fn who_said_yes(&self) -> Vec<MemberId> {
        let standing = self.r.acceptances.iter().filter(|a| a.released.is_none() && a.person != self.r.asker);
        let people: std::collections::BTreeSet<&MemberId> = standing.map(|a| &a.person).collect();
        people.into_iter().cloned().collect()
    }

    fn end_grants(&mut self) {
        let takers = self.takers();
        self.fx.extend(takers.into_iter().map(|person| Effect::EndGrant { person }));
    }

    fn end_offer(&mut self, person: &MemberId, state: OfferState) {
        if let Some(offer) = self.r.offers.get_mut(person) {
            offer.state = state;
            self.fx.push(Effect::StopAsking { person: person.clone() });
        }
    }

    /// Ends every live offer that `which` names.
    fn stop_live(&mut self, state: OfferState, notice: Option<Notice>, which: impl Fn(&Offer) -> bool) {
        for (person, offer) in &mut self.r.offers {
            if offer.state.is_live() && which(offer) {
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

    /// Somebody who had to agree did not, or a rule stood against it: over for everybody.
    fn refuse(&mut self) {
        self.stop_live(OfferState::Withdrawn, Some(Notice::Withdrawn), |_| true);
        self.tell(To::Asker, Notice::Refused);
        let people = self.who_said_yes();
        self.tell_each(people, Notice::Refused);
        self.end_grants();
        self.r.state = State::Refused { at: self.now };
        self.tell_parent(Child::Failed);
    }
}
