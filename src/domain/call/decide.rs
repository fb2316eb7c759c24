//! The machine: a call, something that happened and the time in; the next call, what has to be done, and the
//! truthful answer to whoever caused it, out. No clock, no chance, no waiting.

mod callees;
mod callers;
mod connect;
mod recover;
mod time;

use serde::{Deserialize, Serialize};

use super::bridge::{Command, Gather, Prompt, RoleSpoken, Snapshot};
use super::leg::{Cause, Leg, LegId, LegState, Role};
use super::number::Line;
use super::state::{Alarm, AlarmClock, Call, Message, Outcome, Route, Stage};
use crate::ids::{InstitutionId, MemberId};
use crate::planted::{self, Bug};
use crate::time::Millis;

pub use time::next_due;

/// Something that happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It came in, or was started.
    Begin,
    /// A wait has passed; which one, the machine knows.
    Due,

    // ---- the bridge; any of them may come late, twice, in another order or never
    Ringing {
        leg: LegId,
    },
    /// Picked up, by a person or a machine.
    Answered {
        leg: LegId,
    },
    /// Keys of the window `gather`. `found`: the institution these digits name, looked up for the question
    /// that collected them.
    Keys {
        leg: LegId,
        gather: u32,
        digits: String,
        found: Option<InstitutionId>,
    },
    /// What the PIN check said. The digits themselves never come here.
    Pin {
        leg: LegId,
        gather: u32,
        verdict: PinVerdict,
    },
    PromptEnded {
        leg: LegId,
        play: u32,
    },
    /// A machine may have picked up. Only ever shortens the wait for a key.
    MachineSuspected {
        leg: LegId,
    },
    Joined {
        leg: LegId,
    },
    Left {
        leg: LegId,
    },
    Ended {
        leg: LegId,
        cause: Cause,
    },
    /// The recording of the message is over. `usable`: there is something in it.
    Recorded {
        recording: u32,
        usable: bool,
    },
    /// The bridge cannot be heard, or we have just started and do not know.
    BridgeDown,
    /// The bridge is heard again, and this is what it holds.
    Snapshot(Snapshot),

    // ---- the dispatcher
    /// Ring this person about the offer. `line`: none that may be dialled.
    Ring {
        person: MemberId,
        attempt: u32,
        line: Option<Line>,
        role: RoleSpoken,
    },
    /// The offer is over for the dispatcher.
    StopRinging {
        person: MemberId,
    },
    /// Whether the yes that came from this leg was taken.
    Verdict {
        leg: LegId,
        won: bool,
    },
    /// The plan is at its end.
    NobodyLeft,

    // ---- people and the rest of touban
    /// The message is in the vault, or could not be put there.
    MessageKept {
        recording: u32,
        kept: bool,
    },
    /// The caller of this call came in again on a new leg.
    CallerReturned {
        leg: LegId,
    },
    /// The taker asks to be connected now: after a promise, or once more.
    Connect {
        person: MemberId,
    },
    /// The taker hands over, from a page.
    HandOver {
        person: MemberId,
    },
    /// The taker told what came of it.
    Reported {
        person: MemberId,
    },
    /// Somebody looks after the alarms.
    Acknowledged,
    /// A human ends it.
    Close,
}

/// What the check of a PIN said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinVerdict {
    Right,
    Wrong,
    Locked,
}

/// What has to happen because of a decision; every one becomes a committed row first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Bridge(Command),
    /// The request begins: its plan looks for somebody. Number and message are saved.
    Hunt {
        route: Route,
    },
    /// What a leg says to the dispatcher about its offer.
    Offer(News),
    /// Nobody is being rung: the dispatcher has to look again.
    GoOn,
    /// Nobody is left and nobody has seen it: the phones of coordinators and officers ring again.
    RingOffice,
    /// The request is taken back.
    StopHunt,
    /// The bridge leaves something unsaid: ask it what it holds, and say so with [`Event::Snapshot`].
    Look,
    /// Take the recording into the vault and say so with [`Event::MessageKept`].
    KeepMessage {
        recording: u32,
    },
    Tell {
        to: To,
        notice: Notice,
    },
    /// A human must look: two channels, of which one does not need the bridge. `said`: the how-manieth time.
    Alarm {
        alarm: Alarm,
        said: u32,
    },
    /// What a taker told by key about the call taken last, shown by the PIN.
    Report {
        person: MemberId,
        told: Told,
    },
    Ended {
        outcome: Outcome,
    },
}

/// What came of a call, as far as a key can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    PhoneOnly,
    Visited,
    Transported,
    NotReached,
}

impl Told {
    /// The key that stands for it.
    #[must_use]
    pub fn of_key(digits: &str) -> Option<Self> {
        match digits.chars().next()? {
            '1' => Some(Self::PhoneOnly),
            '2' => Some(Self::Visited),
            '3' => Some(Self::Transported),
            '4' => Some(Self::NotReached),
            _ => None,
        }
    }

    /// The outcome of a report.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PhoneOnly => "phone_only",
            Self::Visited => "visited",
            Self::Transported => "transported",
            Self::NotReached => "not_reached",
        }
    }
}

/// News of one offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The phone rings.
    Rang { person: MemberId, attempt: u32 },
    /// Nobody took it on this try: the next person at once.
    Unanswered { person: MemberId, attempt: u32, cause: Cause },
    /// This person cannot be reached by phone at all.
    Undeliverable { person: MemberId, attempt: u32, cause: Cause },
    /// Key 3.
    Declined { person: MemberId },
    /// A yes, shown by the PIN. Answered by [`Event::Verdict`] for the same leg. `call_back`: promised by then.
    Accept { person: MemberId, leg: LegId, call_back: Option<Millis> },
    /// The yes is given back.
    Release { person: MemberId, why: Cause },
}

/// Whom a notice goes to, by mail or message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    Person(MemberId),
    Coordinator,
}

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// To the coordinator: a caller is gone and was not helped yet.
    CallerGone,
    /// To the coordinator: an unknown caller hung up before saying anything.
    CallerVanished,
    /// To the coordinator: a call beyond the limits was turned away.
    TurnedAway,
    /// To the coordinator: a phone we rang is forwarded to our own number.
    LoopCut,
    /// To the taker: you promised to call back by then.
    Promise { by: Millis },
    /// To the taker: the caller could not be reached; please see to it.
    CallerOutOfReach,
    /// To the taker: please report.
    ReportDue,
    /// To the coordinator: a report is still missing.
    ReportMissing,
}

/// What to say to whoever caused the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Done,
    /// Late, repeated or of no meaning here: nothing changed.
    Already,
    /// Not at this point.
    NotNow,
}

/// The outcome of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub next: Call,
    pub effects: Vec<Effect>,
    pub answer: Answer,
}

/// Moves `call` on. What is late, repeated or not allowed leaves it as it was.
#[must_use]
pub fn decide(call: &Call, event: &Event, now: Millis) -> Decision {
    let mut machine = Machine { c: call.clone(), fx: Vec::new(), now };
    let answer = machine.take(event);
    // No phone rings for an order that the same decision took back.
    let Machine { c, fx, .. } = &mut machine;
    fx.retain(|effect| match effect {
        Effect::Bridge(Command::Dial { leg, .. }) => c.legs.get(leg).is_some_and(Leg::is_live),
        _ => true,
    });
    Decision { next: machine.c, effects: machine.fx, answer }
}

struct Machine {
    c: Call,
    fx: Vec<Effect>,
    now: Millis,
}

impl Machine {
    fn take(&mut self, event: &Event) -> Answer {
        match event {
            Event::Begin => self.begin(),
            Event::Due => self.due(),
            Event::Ringing { leg } => self.ringing(leg),
            Event::Answered { leg } => self.answered(leg),
            Event::Keys { leg, gather, digits, found } => self.keys(leg, *gather, digits, found.as_ref()),
            Event::Pin { leg, gather, verdict } => self.pin(leg, *gather, *verdict),
            Event::PromptEnded { leg, play } => self.prompt_ended(leg, *play),
            Event::MachineSuspected { leg } => self.machine_suspected(leg),
            Event::Joined { leg } => self.joined(leg),
            Event::Left { leg } => self.left(leg),
            Event::Ended { leg, cause } => self.ended(leg, *cause),
            Event::Recorded { recording, usable } => self.recorded(*recording, *usable),
            Event::BridgeDown => self.bridge_down(),
            Event::Snapshot(snapshot) => self.snapshot(snapshot),
            Event::Ring { person, attempt, line, role } => self.ring(person, *attempt, line.as_ref(), *role),
            Event::StopRinging { person } => self.stop_ringing(person),
            Event::Verdict { leg, won } => self.verdict(leg, *won),
            Event::NobodyLeft => self.nobody_left(),
            Event::MessageKept { recording, kept } => self.message_kept(*recording, *kept),
            Event::CallerReturned { leg } => self.caller_returned(leg),
            Event::Connect { person } => self.connect(person),
            Event::HandOver { person } => self.hand_over_from_page(person),
            Event::Reported { person } => self.reported(person),
            Event::Acknowledged if self.c.alarms.is_empty() => Answer::Already,
            Event::Acknowledged => {
                self.c.alarms.clear();
                Answer::Done
            }
            Event::Close => self.close(),
        }
    }

    // ---- small things everybody needs -------------------------------------------------------------

    fn bridge(&mut self, command: Command) {
        self.fx.push(Effect::Bridge(command));
    }

    fn tell(&mut self, to: To, notice: Notice) {
        self.fx.push(Effect::Tell { to, notice });
    }

    const fn number(&mut self) -> u32 {
        self.c.seq += 1;
        self.c.seq
    }

    const fn in_s(&self, seconds: i64) -> Millis {
        self.now.plus_s(seconds)
    }

    fn raise(&mut self, alarm: Alarm) {
        if self.c.alarms.contains_key(&alarm) {
            return;
        }
        let clock = AlarmClock { since: self.now, next: self.in_s(self.c.policy.alarm_every_s), said: 1 };
        self.c.alarms.insert(alarm, clock);
        self.fx.push(Effect::Alarm { alarm, said: 1 });
    }

    // ---- what is heard ----------------------------------------------------------------------------

    /// Plays a prompt on a leg. A leg that waits hears the next word after it.
    fn play(&mut self, id: &LegId, prompt: Prompt, gather: Option<Gather>) {
        let play = self.number();
        // The caller's message is part of one prompt and not cut off by the next word.
        let message_s = if prompt == Prompt::MessageThenCallingBack { self.c.policy.message_s } else { 0 };
        let word = self.in_s(self.c.policy.prompt_max_s + message_s);
        let Some(leg) = self.c.legs.get_mut(id) else {
            return;
        };
        (leg.play, leg.playing) = (play, true);
        let waits = leg.state == LegState::Up && !planted::is(Bug::SilentWait);
        leg.word_due = waits.then_some(word);
        let room = leg.in_room;
        self.bridge(Command::Prompt { leg: id.clone(), play, prompt, gather, room });
    }

    /// Says something to the caller, if the caller is on the line.
    fn say_to_caller(&mut self, prompt: Prompt) {
        let up = self.c.caller_leg().is_some_and(|l| l.state == LegState::Up);
        if let Some(id) = self.c.caller.leg.clone().filter(|_| up) {
            self.play(&id, prompt, None);
        }
    }

    fn say_to_taker(&mut self, prompt: Prompt) {
        let up = self.c.taker_leg().is_some_and(|l| l.state == LegState::Up);
        let id = self.c.taker.as_ref().and_then(|t| t.leg.clone()).filter(|_| up);
        if let Some(id) = id {
            self.play(&id, prompt, None);
        }
    }

    /// Plays what is not followed by a word of its own: a deadline of the stage watches over it.
    fn ask_caller(&mut self, prompt: Prompt, gather: Option<Gather>) {
        if let Some(id) = self.c.caller.leg.clone() {
            self.play(&id, prompt, gather);
            if let Some(leg) = self.c.legs.get_mut(&id) {
                leg.word_due = None;
            }
        }
    }

    // ---- legs -------------------------------------------------------------------------------------

    /// A new leg to this line; it rings when the bridge can be heard.
    fn new_leg(&mut self, role: Role, line: &Line) -> LegId {
        // A farewell still running on this phone would make it busy.
        let same = |l: &Leg| l.is_live() && l.line.as_ref() == Some(line);
        let leaving = self.c.legs.iter().find(|(_, l)| same(l)).map(|(id, _)| id.clone());
        if let Some(id) = leaving {
            self.cut(&id, Cause::CallOver);
        }
        let number = self.number();
        let id = LegId::ours(&self.c.id, number);
        let leg = Leg::new(role, Some(line.clone()), LegState::Waiting, self.now);
        self.c.legs.insert(id.clone(), leg);
        if self.c.bridge_down.is_none() {
            self.dial(&id);
        }
        id
    }

    fn dial(&mut self, id: &LegId) {
        let until = self.in_s(self.c.policy.never_rang_s);
        let ring_s = self.c.policy.never_rang_s + self.c.policy.ring_s;
        let Some(leg) = self.c.legs.get_mut(id) else {
            return;
        };
        let Some(to) = leg.line.clone() else {
            return;
        };
        leg.state = LegState::Dialing { until };
        leg.dialled = leg.dialled.saturating_add(1);
        self.bridge(Command::Dial { leg: id.clone(), to, ring_s });
    }

    fn set(&mut self, id: &LegId, state: LegState) {
        if let Some(leg) = self.c.legs.get_mut(id) {
            leg.state = state;
        }
    }

    /// Writes down that a leg is over; what follows from it is [`Machine::follow`]. `None`: it was already.
    fn mark_ended(&mut self, id: &LegId, cause: Cause) -> Option<(Leg, Cause)> {
        let (now, idle) = (self.now, self.in_s(self.c.policy.idle_s));
        let leg = self.c.legs.get_mut(id).filter(|leg| leg.is_live())?;
        let before = leg.clone();
        let cause = if let LegState::Leaving { cause, .. } = before.state { cause } else { cause };
        leg.state = LegState::Ended { cause, at: now };
        (leg.playing, leg.word_due, leg.in_room) = (false, None, false);
        if let Stage::Hunting { check, .. } = &mut self.c.stage {
            *check = idle;
        }
        Some((before, cause))
    }

    /// What the end of a leg means, once it is written down.
    fn follow(&mut self, id: &LegId, before: &Leg, cause: Cause) {
        if matches!(before.state, LegState::Leaving { .. }) {
            return;
        }
        let mine = |leg: &Option<LegId>| leg.as_ref() == Some(id);
        if self.c.taker.as_ref().is_some_and(|t| mine(&t.leg)) {
            return self.taker_gone(before, cause);
        }
        if mine(&self.c.caller.leg) {
            return self.caller_gone(before, cause);
        }
        if let Role::Asked { person, attempt } = &before.role {
            self.news_of_end(person, *attempt, cause);
        }
    }

    /// A leg ended on its own.
    fn ended(&mut self, id: &LegId, cause: Cause) -> Answer {
        match self.mark_ended(id, cause) {
            Some((before, cause)) => {
                if before.dialled > 1 {
                    // The end of the first order may be told after the second one was given.
                    self.bridge(Command::HangUp { leg: id.clone(), cause: Cause::Stray });
                }
                self.follow(id, &before, cause);
                Answer::Done
            }
            None => Answer::Already,
        }
    }

    /// We end a leg, with everything that follows from it.
    fn hang_up(&mut self, id: &LegId, cause: Cause) {
        if let Some((before, cause)) = self.mark_ended(id, cause) {
            self.bridge(Command::HangUp { leg: id.clone(), cause });
            self.follow(id, &before, cause);
        }
    }

    /// We end a leg and nothing follows from it.
    fn cut(&mut self, id: &LegId, cause: Cause) {
        if let Some((_, cause)) = self.mark_ended(id, cause) {
            self.bridge(Command::HangUp { leg: id.clone(), cause });
        }
    }

    /// A farewell, then the end. The leg counts for nothing any more.
    fn farewell(&mut self, id: &LegId, prompt: Prompt, cause: Cause) {
        let until = self.in_s(self.c.policy.leave_s);
        let Some(leg) = self.c.legs.get_mut(id).filter(|leg| leg.is_busy()) else {
            return;
        };
        leg.state = LegState::Leaving { cause, until };
        if std::mem::take(&mut leg.in_room) {
            self.bridge(Command::Leave { leg: id.clone() });
        }
        self.play(id, prompt, None);
    }

    /// An event of a leg that is over here: it must not stay up there.
    fn stray(&mut self, id: &LegId) -> Answer {
        self.bridge(Command::HangUp { leg: id.clone(), cause: Cause::Stray });
        Answer::Already
    }

    fn state_of(&self, id: &LegId) -> Option<LegState> {
        self.c.legs.get(id).map(|leg| leg.state)
    }

    fn ringing(&mut self, id: &LegId) -> Answer {
        match self.state_of(id) {
            Some(LegState::Dialing { .. } | LegState::Waiting) => {
                self.set(id, LegState::Ringing { until: self.in_s(self.c.policy.ring_s) });
                if let Some(Role::Asked { person, attempt }) = self.c.legs.get(id).map(|l| l.role.clone()) {
                    self.fx.push(Effect::Offer(News::Rang { person, attempt }));
                }
                Answer::Done
            }
            Some(
                LegState::Ringing { .. }
                | LegState::Screening { .. }
                | LegState::Accepting { .. }
                | LegState::Up
                | LegState::Leaving { .. },
            ) => Answer::Already,
            Some(LegState::Ended { .. }) | None => self.stray(id),
        }
    }

    fn prompt_ended(&mut self, id: &LegId, play: u32) -> Answer {
        let word = self.in_s(self.c.policy.quiet_s);
        let Some(leg) = self.c.legs.get_mut(id).filter(|l| l.is_live() && l.play == play && l.playing) else {
            return Answer::Already;
        };
        leg.playing = false;
        if leg.word_due.is_some() {
            leg.word_due = Some(word);
        }
        match leg.state {
            LegState::Leaving { .. } => self.hang_up(id, Cause::CallOver),
            // The question again while the window is open.
            LegState::Screening { ask, gather, .. } => self.ask_again(id, ask, gather),
            LegState::Up if self.c.caller.leg.as_ref() == Some(id) => self.question_ended(),
            LegState::Up
            | LegState::Waiting
            | LegState::Dialing { .. }
            | LegState::Ringing { .. }
            | LegState::Accepting { .. }
            | LegState::Ended { .. } => {}
        }
        Answer::Done
    }

    // ---- the end ----------------------------------------------------------------------------------

    fn over(&mut self, outcome: Outcome) {
        let busy: Vec<LegId> =
            self.c.legs.iter().filter(|(_, l)| l.is_busy()).map(|(id, _)| id.clone()).collect();
        for id in &busy {
            self.cut(id, Cause::CallOver);
        }
        self.bridge(Command::CloseRoom);
        if let Message::OnBridge { recording } | Message::NotKept { recording } = self.c.message {
            self.bridge(Command::DeleteRecording { recording });
        }
        self.c.alarms.clear();
        self.c.caller.retry = None;
        self.c.stage = Stage::Over { at: self.now, outcome };
        self.fx.push(Effect::Ended { outcome });
    }

    fn reported(&mut self, person: &MemberId) -> Answer {
        if self.c.taker.as_ref().is_none_or(|t| t.person != *person) {
            return Answer::NotNow;
        }
        match self.c.stage {
            Stage::ReportDue { .. } | Stage::Promised { .. } => {
                self.over(Outcome::Helped);
                Answer::Done
            }
            Stage::Over { .. } => Answer::Already,
            _ => Answer::NotNow,
        }
    }

    fn close(&mut self) -> Answer {
        if let Stage::Over { .. } = self.c.stage {
            return Answer::Already;
        }
        if !self.c.stage.is_done() && self.c.kind.seeks() {
            self.fx.push(Effect::StopHunt);
        }
        let leaving: Vec<LegId> =
            self.c.legs.iter().filter(|(_, l)| l.is_live()).map(|(id, _)| id.clone()).collect();
        for id in &leaving {
            self.cut(id, Cause::CallOver);
        }
        self.over(Outcome::ClosedByHand);
        Answer::Done
    }
}
