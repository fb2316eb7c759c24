//! What passing time does to a call: windows that close, words for those who wait, alarms said again.

use super::{Answer, Effect, Machine, Notice, To};
use crate::domain::call::bridge::{Command, Prompt};
use crate::domain::call::leg::{Cause, LegId, LegState, Screening};
use crate::domain::call::state::{Alarm, Away, Call, Message, Outcome, Stage};
use crate::time::Millis;

/// Questions to a silent dispatcher before a human is alarmed.
const VERDICTS_BEFORE_ALARM: u32 = 4;

/// When the machine wants [`super::Event::Due`]. `None` only for a call that is over and whose last farewell
/// was heard.
#[must_use]
pub fn next_due(call: &Call) -> Option<Millis> {
    let alarms = call.alarms.values().map(|a| a.next).min();
    let tell = call
        .caller
        .away
        .filter(|a| !a.told && !call.stage.is_done())
        .map(|a| a.since.plus_s(call.policy.caller_gone_s));
    // Nobody can say what a leg does while the bridge cannot be heard.
    let heard = call.bridge_down.is_none();
    let legs = call.legs.values().filter_map(crate::domain::call::leg::Leg::due).min().filter(|_| heard);
    let retry = call.caller.retry.filter(|_| heard);
    [alarms, tell, legs, retry, stage_due(call, heard)].into_iter().flatten().min()
}

fn stage_due(call: &Call, heard: bool) -> Option<Millis> {
    match call.stage {
        Stage::New => Some(call.opened),
        Stage::Hunting { check, .. } => Some(check).filter(|_| heard && !call.legs.values().any(is_hunting)),
        Stage::Connecting { again, .. } => Some(again).filter(|_| heard),
        Stage::Asking { until, .. }
        | Stage::Inviting { until }
        | Stage::Recording { until, .. }
        | Stage::Refusing { until }
        | Stage::Talking { until, .. } => Some(until).filter(|_| heard),
        Stage::Keeping { until, .. } | Stage::Vanished { until } => Some(until),
        Stage::Promised { by } => Some(by),
        Stage::ReportDue { chase, .. } => Some(chase),
        // The alarm is the wait; acknowledged, a human has it in hand.
        Stage::LastResort { .. } | Stage::Over { .. } => None,
    }
}

const fn is_hunting(leg: &crate::domain::call::leg::Leg) -> bool {
    leg.is_busy() && matches!(leg.role, crate::domain::call::leg::Role::Asked { .. })
}

impl Machine {
    pub(super) fn due(&mut self) -> Answer {
        if next_due(&self.c).is_none_or(|at| self.now < at) {
            return Answer::Already;
        }
        if self.c.stage == Stage::New {
            return self.begin();
        }
        self.alarms_again();
        self.tell_of_caller_gone();
        if self.c.bridge_down.is_none() {
            let late: Vec<LegId> = self
                .c
                .legs
                .iter()
                .filter(|(_, l)| l.due().is_some_and(|at| at <= self.now))
                .map(|(id, _)| id.clone())
                .collect();
            for id in late {
                // An earlier one may have moved it.
                if self.c.legs.get(&id).and_then(|l| l.due()).is_some_and(|at| at <= self.now) {
                    self.leg_due(&id);
                }
            }
            self.call_caller_if_due();
        }
        let heard = self.c.bridge_down.is_none();
        if stage_due(&self.c, heard).is_some_and(|at| at <= self.now) {
            self.stage_is_due();
        }
        Answer::Done
    }

    fn alarms_again(&mut self) {
        let every_s = self.c.policy.alarm_every_s;
        let last_resort = matches!(self.c.stage, Stage::LastResort { .. }) && self.c.bridge_down.is_none();
        for (alarm, clock) in &mut self.c.alarms {
            if clock.next <= self.now {
                clock.said = clock.said.saturating_add(1);
                // After a standstill it is said once, not as often as was missed.
                clock.next = self.now.plus_s(every_s);
                self.fx.push(Effect::Alarm { alarm: *alarm, said: clock.said });
                if *alarm == Alarm::NobodyLeft && last_resort {
                    self.fx.push(Effect::RingOffice);
                }
            }
        }
    }

    fn tell_of_caller_gone(&mut self) {
        let Some(Away { since, told: false }) = self.c.caller.away else {
            return;
        };
        if self.now >= since.plus_s(self.c.policy.caller_gone_s) && !self.c.stage.is_done() {
            self.c.caller.away = Some(Away { since, told: true });
            if !matches!(self.c.stage, Stage::Vanished { .. }) {
                self.tell(To::Coordinator, Notice::CallerGone);
            }
        }
    }

    fn leg_due(&mut self, id: &LegId) {
        let Some(leg) = self.c.legs.get(id).cloned() else {
            return;
        };
        match leg.state {
            LegState::Dialing { .. } => self.hang_up(id, Cause::Unreachable),
            LegState::Ringing { .. } => self.hang_up(id, Cause::NoAnswer),
            LegState::Screening { ask: Screening::Key | Screening::Confirm, .. } => {
                self.hang_up(id, Cause::NoKey);
            }
            LegState::Screening { ask: Screening::Pin { .. }, .. } => self.hang_up(id, Cause::PinWrong),
            LegState::Accepting { call_back, tries, .. } => {
                if tries >= VERDICTS_BEFORE_ALARM {
                    self.raise(Alarm::NoVerdict);
                }
                let again = self.in_s(self.c.policy.verdict_s);
                self.set(id, LegState::Accepting { call_back, again, tries: tries.saturating_add(1) });
                self.ask_for_verdict(id, call_back);
            }
            LegState::Up => self.next_word(id),
            LegState::Leaving { cause, .. } => self.hang_up(id, cause),
            LegState::Waiting | LegState::Ended { .. } => {}
        }
    }

    /// Whoever waits hears how it stands.
    fn next_word(&mut self, id: &LegId) {
        let prompt = if self.c.caller.leg.as_ref() == Some(id) {
            match self.c.stage {
                Stage::LastResort { .. } => Prompt::LastResortStill,
                Stage::Connecting { .. } | Stage::Talking { .. } => Prompt::OneMoment,
                Stage::Promised { .. } => Prompt::WillCallBack,
                _ => Prompt::StillCalling,
            }
        } else {
            Prompt::CallingBack
        };
        self.play(id, prompt, None);
    }

    /// The next reminder: the ladder around the time at which the report is due, then again and again.
    pub(super) fn next_chase(&self) -> Millis {
        let by = self.c.report_by.unwrap_or(self.now);
        let steps = self.c.policy.report_ladder_s.iter().map(|s| by.plus_s(*s));
        let again = self.in_s(self.c.policy.report_chase_s);
        steps.filter(|at| *at > self.now).min().unwrap_or(again)
    }

    /// The last reminder of the ladder is out.
    fn chased_in_vain(&self) -> bool {
        let last = self.c.policy.report_ladder_s.iter().max().copied().unwrap_or(0);
        self.c.report_by.is_some_and(|by| self.now >= by.plus_s(last))
    }

    fn stage_is_due(&mut self) {
        match self.c.stage {
            Stage::Asking { what, tries, .. } => self.not_understood(what, tries),
            Stage::Inviting { .. } => self.record(),
            Stage::Recording { recording, .. } => {
                self.bridge(Command::StopRecording { recording });
                self.keep(recording);
            }
            Stage::Keeping { recording, .. } => {
                // An urgent call is not held up by a disk.
                self.c.message = Message::NotKept { recording };
                self.hunt();
            }
            Stage::Vanished { .. } => {
                self.tell(To::Coordinator, Notice::CallerVanished);
                self.over(Outcome::Vanished);
            }
            Stage::Refusing { .. } => self.over(Outcome::Refused),
            // Somebody was rung beyond the plan, in vain: it is as it was before.
            Stage::Hunting { .. } if self.c.plan_ended => {
                self.c.stage = Stage::LastResort { since: self.now };
                self.fx.push(Effect::GoOn);
            }
            Stage::Hunting { since, .. } => {
                self.raise(Alarm::NobodyRinging);
                let check = self.in_s(self.c.policy.alarm_every_s);
                self.c.stage = Stage::Hunting { since, check };
                self.fx.push(Effect::GoOn);
            }
            Stage::Connecting { since, joins, keys, .. } => {
                let again = self.in_s(self.c.policy.join_s);
                self.c.stage = Stage::Connecting { since, again, joins, keys };
                if joins > 0 && self.sides_up() == (true, true) {
                    // Not confirmed: the end of one of the two may never have been told.
                    self.fx.push(Effect::Look);
                }
                self.ensure_sides();
            }
            Stage::Talking { .. } => {
                if let Some(leg) = self.c.taker.as_mut().and_then(|t| t.leg.take()) {
                    self.cut(&leg, Cause::TimeLimit);
                }
                self.talk_over();
            }
            Stage::Promised { .. } => {
                self.raise(Alarm::PromiseMissed);
                self.release(Cause::Promised);
            }
            Stage::ReportDue { since, .. } => {
                let chase = self.next_chase();
                self.c.stage = Stage::ReportDue { since, chase };
                if let Some(person) = self.c.taker.as_ref().map(|t| t.person.clone()) {
                    self.tell(To::Person(person), Notice::ReportDue);
                }
                if self.chased_in_vain() {
                    self.tell(To::Coordinator, Notice::ReportMissing);
                }
            }
            Stage::New | Stage::LastResort { .. } | Stage::Over { .. } => {}
        }
    }
}
