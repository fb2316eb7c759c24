//! From the yes to the end of the talk: both sides are brought to the line and joined, a broken line is
//! mended, a 9 hands over.

use super::{Answer, Effect, Machine, News, Notice, To};
use crate::domain::call::bridge::{Command, Prompt};
use crate::domain::call::leg::{Cause, Leg, LegId, LegState, Role};
use crate::domain::call::state::{Alarm, Kind, Message, Outcome, Stage, Taker};
use crate::ids::MemberId;
use crate::planted::{self, Bug};
use crate::time::Millis;

/// Joins ordered without the bridge saying so before a human is alarmed.
const JOINS_BEFORE_ALARM: u32 = 3;

impl Machine {
    /// The dispatcher took this leg's yes.
    pub(super) fn claim(&mut self, id: &LegId, call_back: bool) {
        let Some(leg) = self.c.legs.get(id).cloned() else {
            return;
        };
        let Some(person) = leg.person().cloned() else {
            return;
        };
        let line = leg.line.clone();
        self.c.taker = Some(Taker {
            person: person.clone(),
            line,
            leg: Some(id.clone()),
            since: self.now,
            tries: 0,
            talked: false,
            joined: None,
            ended: None,
        });
        self.c.caller.tries = 0;
        self.c.caller.retry = None;
        for moot in [Alarm::NobodyLeft, Alarm::NobodyRinging, Alarm::NoVerdict, Alarm::PromiseMissed] {
            self.c.alarms.remove(&moot);
        }
        let others: Vec<(LegId, LegState)> = self
            .c
            .legs
            .iter()
            .filter(|(other, l)| *other != id && l.is_busy() && matches!(l.role, Role::Asked { .. }))
            .map(|(other, l)| (other.clone(), l.state))
            .collect();
        for (other, state) in others.into_iter().filter(|_| !planted::is(Bug::OthersKeepRinging)) {
            self.dismiss(&other, state, Cause::Outrun);
        }
        if call_back {
            self.farewell(id, Prompt::Promised, Cause::Promised);
            self.promised();
            self.say_to_caller(Prompt::WillCallBack);
        } else {
            self.set(id, LegState::Up);
            if self.c.caller_leg().is_none_or(|l| l.state != LegState::Up) {
                self.say_to_taker(self.while_caller_is_rung());
            }
            self.connecting();
        }
    }

    const fn while_caller_is_rung(&self) -> Prompt {
        if matches!(self.c.message, Message::Kept { .. }) {
            Prompt::MessageThenCallingBack
        } else {
            Prompt::CallingBack
        }
    }

    /// The taker calls back within the promised time.
    fn promised(&mut self) {
        let by = self.in_s(self.c.policy.call_back_s);
        if let Some(taker) = self.c.taker.as_mut() {
            taker.leg = None;
            let person = taker.person.clone();
            self.tell(To::Person(person), Notice::Promise { by });
        }
        self.c.stage = Stage::Promised { by };
    }

    /// The taker asks to be connected: after a promise, or once more.
    pub(super) fn connect(&mut self, person: &MemberId) -> Answer {
        if self.c.taker.as_ref().is_none_or(|t| t.person != *person) {
            return Answer::NotNow;
        }
        match self.c.stage {
            Stage::Promised { .. } | Stage::ReportDue { .. } => {
                self.c.caller.tries = 0;
                self.c.caller.retry = None;
                if let Some(taker) = self.c.taker.as_mut() {
                    (taker.tries, taker.talked) = (0, false);
                }
                self.connecting();
                Answer::Done
            }
            Stage::Connecting { .. } | Stage::Talking { .. } => Answer::Already,
            _ => Answer::NotNow,
        }
    }

    // ---- both sides on the line -------------------------------------------------------------------

    pub(super) fn connecting(&mut self) {
        let keys = self.number();
        let again = self.in_s(self.c.policy.join_s);
        self.c.stage = Stage::Connecting { since: self.now, again, joins: 0, keys };
        self.ensure_sides();
    }

    /// Rings whoever is missing, and joins when both are there.
    pub(super) fn ensure_sides(&mut self) {
        if !matches!(self.c.stage, Stage::Connecting { .. }) {
            return;
        }
        if self.c.kind.rings_one() {
            return self.ring_one();
        }
        let (caller_up, taker_up) = self.sides_up();
        if caller_up && taker_up {
            return self.join();
        }
        let talked = self.c.taker.as_ref().is_some_and(|t| t.talked);
        let caller_first = self.c.kind == Kind::Connect;
        // Nobody is rung to wait for somebody who does not come: the one who asked or took it comes first.
        // A broken talk is mended from both sides.
        let ring_taker = self.c.taker_leg().is_none() && (talked || !caller_first || caller_up);
        let ring_caller = self.c.caller_leg().is_none()
            && self.c.caller.retry.is_none()
            && (talked || caller_first || taker_up);
        if ring_taker && !self.dial_taker() {
            return self.taker_out_of_reach();
        }
        if ring_caller {
            let may = self.c.caller.tries < self.c.policy.caller_tries;
            if !may || !self.dial_caller() {
                self.caller_out_of_reach();
            }
        }
    }

    /// Rings the one phone, once.
    fn ring_one(&mut self) {
        if self.c.caller_leg().is_none() && (self.c.caller.tries > 0 || !self.dial_caller()) {
            self.not_connected();
        }
    }

    /// Whether the caller and the taker are on the line, as far as we know.
    pub(super) fn sides_up(&self) -> (bool, bool) {
        let up = |leg: Option<&Leg>| leg.is_some_and(|l| l.state == LegState::Up);
        (up(self.c.caller_leg()), up(self.c.taker_leg()))
    }

    fn dial_taker(&mut self) -> bool {
        let most = self.c.policy.taker_tries;
        let Some((person, line)) = self
            .c
            .taker
            .as_ref()
            .filter(|t| t.tries < most)
            .and_then(|t| Some((t.person.clone(), t.line.clone()?)))
        else {
            return false;
        };
        let leg = self.new_leg(Role::Taker { person }, &line);
        if let Some(taker) = self.c.taker.as_mut() {
            taker.tries = taker.tries.saturating_add(1);
            taker.leg = Some(leg);
        }
        true
    }

    /// Somebody rung to be connected pressed 1.
    pub(super) fn confirmed(&mut self, id: &LegId) {
        if self.c.kind.rings_one() {
            let thanks = if self.c.kind == Kind::Test { Prompt::Tested } else { Prompt::Noted };
            self.farewell(id, thanks, Cause::CallOver);
            return self.over(Outcome::Confirmed);
        }
        self.set(id, LegState::Up);
        let is_caller = self.c.caller.leg.as_ref() == Some(id);
        if is_caller {
            self.caller_is_up();
        } else {
            if self.c.caller_leg().is_none_or(|l| l.state != LegState::Up) {
                self.say_to_taker(self.while_caller_is_rung());
            }
            self.ensure_sides();
        }
        // Whoever waits alone hears something.
        let waits = self.c.legs.get(id).is_some_and(|l| l.state == LegState::Up && l.word_due.is_none());
        let alone = !matches!(self.c.stage, Stage::Connecting { joins: 1.., .. } | Stage::Talking { .. });
        if waits && alone {
            let word = if is_caller { Prompt::OneMoment } else { Prompt::CallingBack };
            self.play(id, word, None);
        }
    }

    fn join(&mut self) {
        let Stage::Connecting { since, joins, keys, .. } = self.c.stage else {
            return;
        };
        let (Some(caller), Some(taker)) =
            (self.c.caller.leg.clone(), self.c.taker.as_ref().and_then(|t| t.leg.clone()))
        else {
            return;
        };
        if joins >= JOINS_BEFORE_ALARM {
            self.raise(Alarm::NotJoined);
        }
        let again = self.in_s(self.c.policy.join_s);
        self.c.stage = Stage::Connecting { since, again, joins: joins.saturating_add(1), keys };
        for id in [&caller, &taker] {
            self.bridge(Command::Hush { leg: id.clone() });
            if let Some(leg) = self.c.legs.get_mut(id) {
                (leg.playing, leg.word_due) = (false, None);
            }
        }
        self.bridge(Command::Join { legs: [caller, taker], keys });
    }

    pub(super) fn joined(&mut self, id: &LegId) -> Answer {
        let taker = self.c.taker.as_ref().and_then(|t| t.leg.clone());
        let ours = self.c.caller.leg.as_ref() == Some(id) || taker.as_ref() == Some(id);
        let Some(leg) = self.c.legs.get_mut(id).filter(|l| l.state == LegState::Up && ours) else {
            // In a room it does not belong into: out of it.
            return match self.state_of(id) {
                Some(LegState::Leaving { .. }) => {
                    self.bridge(Command::Leave { leg: id.clone() });
                    Answer::Already
                }
                Some(LegState::Ended { .. }) | None => self.stray(id),
                Some(_) => Answer::Already,
            };
        };
        if std::mem::replace(&mut leg.in_room, true) {
            return Answer::Already;
        }
        let both =
            self.c.caller_leg().is_some_and(|l| l.in_room) && self.c.taker_leg().is_some_and(|l| l.in_room);
        if let (true, Stage::Connecting { keys, .. }) = (both, self.c.stage) {
            self.talking(keys);
        }
        Answer::Done
    }

    pub(super) fn talking(&mut self, keys: u32) {
        let until = self.in_s(self.c.policy.talk_max_s);
        self.c.stage = Stage::Talking { since: self.now, until, keys };
        self.c.caller.away = None;
        self.c.alarms.remove(&Alarm::NotJoined);
        if let Some(taker) = self.c.taker.as_mut() {
            (taker.talked, taker.tries) = (true, 0);
            taker.joined.get_or_insert(self.now);
        }
        self.c.caller.tries = 0;
    }

    pub(super) fn left(&mut self, id: &LegId) -> Answer {
        let Some(leg) = self.c.legs.get_mut(id).filter(|l| l.in_room) else {
            return Answer::Already;
        };
        leg.in_room = false;
        match self.c.stage {
            // Both are still on the line: they are joined again.
            Stage::Talking { .. } => self.connecting(),
            _ => {
                if leg.state == LegState::Up && leg.word_due.is_none() && !leg.playing {
                    leg.word_due = Some(self.now);
                }
            }
        }
        Answer::Done
    }

    // ---- somebody goes ----------------------------------------------------------------------------

    /// The taker's leg is over: hung up, broken, or not reached when rung.
    pub(super) fn taker_gone(&mut self, before: &Leg, cause: Cause) {
        let Some(taker) = self.c.taker.as_mut() else {
            return;
        };
        taker.leg = None;
        let talked = taker.talked;
        let was_up = before.state == LegState::Up;
        match self.c.stage {
            Stage::Talking { .. } if cause.is_fault() => {
                self.say_to_caller(Prompt::OneMoment);
                self.connecting();
            }
            Stage::Talking { .. } => self.talk_over(),
            Stage::Connecting { .. } if self.c.kind == Kind::Connect => {
                if was_up && cause.is_fault() {
                    self.ensure_sides()
                } else {
                    self.not_connected()
                }
            }
            Stage::Connecting { .. } if cause == Cause::Declined => self.release(Cause::Declined),
            // A line that broke, or a first ring that failed: once more while there are tries.
            Stage::Connecting { .. } if cause.is_fault() || !was_up => self.ensure_sides(),
            Stage::Connecting { .. } if talked => self.gave_up_waiting(),
            Stage::Connecting { .. } => self.release(cause),
            _ => {}
        }
    }

    /// They talked, the line broke, and the taker does not wait for it to be mended: a promise to call back.
    fn gave_up_waiting(&mut self) {
        self.promised();
        self.say_to_caller(Prompt::WillCallBack);
    }

    fn taker_out_of_reach(&mut self) {
        if self.c.kind == Kind::Connect {
            return self.not_connected();
        }
        self.release(Cause::Lost);
    }

    /// The yes does not stand any more: the plan goes on with the next, the caller stays where he is.
    pub(super) fn release(&mut self, why: Cause) {
        let Some(taker) = self.c.taker.take() else {
            return;
        };
        if let Some(leg) = taker.leg {
            self.cut(&leg, why);
        }
        self.c.caller.tries = 0;
        self.c.caller.retry = None;
        let word = if why == Cause::HandedOver { Prompt::HandedOver } else { Prompt::StillCalling };
        self.seek(word);
        self.fx.push(Effect::Offer(News::Release { person: taker.person, why }));
    }

    /// The caller is rung no more; the taker has to see to it, and the association hears of it.
    pub(super) fn caller_out_of_reach(&mut self) {
        if self.c.kind == Kind::Connect {
            return self.not_connected();
        }
        self.raise(Alarm::CallerOutOfReach);
        if let Some(leg) = self.c.caller.leg.take() {
            self.cut(&leg, Cause::CallOver);
        }
        let taker = self.c.taker.as_mut().map(|t| (t.person.clone(), t.leg.take()));
        if let Some((person, leg)) = taker {
            if let Some(leg) = leg {
                self.farewell(&leg, Prompt::CallerOutOfReach, Cause::CallOver);
            }
            self.tell(To::Person(person), Notice::CallerOutOfReach);
        }
        let chase = self.next_chase();
        self.c.stage = Stage::ReportDue { since: self.now, chase };
    }

    /// Two doctors could not be connected: whoever waits hears it.
    pub(super) fn not_connected(&mut self) {
        let legs = [self.c.caller.leg.take(), self.c.taker.as_mut().and_then(|t| t.leg.take())];
        for id in legs.into_iter().flatten() {
            match self.state_of(&id) {
                Some(LegState::Up) => self.farewell(&id, Prompt::CallerOutOfReach, Cause::CallOver),
                _ => self.cut(&id, Cause::CallOver),
            }
        }
        self.over(Outcome::NotConnected);
    }

    /// One of them hung up: the talk is over, what came of it has to be told.
    pub(super) fn talk_over(&mut self) {
        if let Some(leg) = self.c.caller.leg.take() {
            self.farewell(&leg, Prompt::Over, Cause::CallOver);
        }
        let person = self.c.taker.as_ref().map(|t| t.person.clone());
        let leg = self.c.taker.as_mut().and_then(|t| {
            t.ended = Some(self.now);
            t.leg.take()
        });
        if let Some(leg) = leg {
            self.cut(&leg, Cause::CallOver);
        }
        self.c.caller.away = None;
        if self.c.kind == Kind::Connect {
            return self.over(Outcome::Helped);
        }
        self.bridge(Command::CloseRoom);
        let chase = self.next_chase();
        self.c.stage = Stage::ReportDue { since: self.now, chase };
        if let Some(person) = person {
            self.tell(To::Person(person), Notice::ReportDue);
        }
    }

    // ---- handing over -----------------------------------------------------------------------------

    pub(super) fn key_while_talking(&mut self, since: Millis, digits: &str) -> Answer {
        // The last key of a PIN may echo into the room; it is not a hand-over.
        let guard = since.plus_ms(self.c.policy.key_guard_ms);
        if !digits.contains('9') || self.now < guard || !self.c.kind.seeks() {
            return Answer::Already;
        }
        self.hand_over();
        Answer::Done
    }

    pub(super) fn hand_over_from_page(&mut self, person: &MemberId) -> Answer {
        let mine = self.c.taker.as_ref().is_some_and(|t| t.person == *person);
        match self.c.stage {
            Stage::Talking { .. } | Stage::Connecting { .. } | Stage::Promised { .. }
                if mine && self.c.kind.seeks() =>
            {
                self.hand_over();
                Answer::Done
            }
            _ => Answer::NotNow,
        }
    }

    fn hand_over(&mut self) {
        if let Some(leg) = self.c.taker.as_mut().and_then(|t| t.leg.take()) {
            match self.state_of(&leg) {
                Some(LegState::Up) => self.farewell(&leg, Prompt::GivenBack, Cause::HandedOver),
                _ => self.cut(&leg, Cause::HandedOver),
            }
        }
        self.release(Cause::HandedOver);
    }
}
