//! Whoever is asked: rung, screened by key and PIN, and what becomes of the yes.

use super::{Answer, Effect, Machine, News, PinVerdict};
use crate::domain::call::bridge::{Collect, Gather, Prompt, RoleSpoken};
use crate::domain::call::leg::{Cause, Leg, LegId, LegState, Role, Screening};
use crate::domain::call::number::Line;
use crate::domain::call::state::{Kind, Stage};
use crate::ids::MemberId;
use crate::planted::{self, Bug};

/// Seconds a suspected machine is still given for a key. Suspicion never accepts and never refuses.
const MACHINE_GRACE_S: i64 = 4;

impl Machine {
    pub(super) fn ring(
        &mut self,
        person: &MemberId,
        attempt: u32,
        line: Option<&Line>,
        role: RoleSpoken,
    ) -> Answer {
        if !self.c.stage.is_seeking() {
            return Answer::NotNow;
        }
        let theirs = |leg: &Leg| leg.person() == Some(person);
        if let Some(leg) = self.c.legs.values_mut().find(|l| l.is_busy() && theirs(l)) {
            // The same phone still rings: it answers for the newer try too.
            let newer = Role::Asked { person: person.clone(), attempt };
            let heard = if leg.role == newer { Answer::Already } else { Answer::Done };
            leg.role = newer;
            return heard;
        }
        let known = |leg: &Leg| matches!(&leg.role, Role::Asked { person: p, attempt: a } if p == person && *a >= attempt);
        if self.c.legs.values().any(known) {
            return Answer::Already;
        }
        if let Stage::LastResort { .. } = self.c.stage {
            self.c.stage = Stage::Hunting { since: self.now, check: self.in_s(self.c.policy.idle_s) };
        }
        let asked = Role::Asked { person: person.clone(), attempt };
        match self.why_not(line) {
            Some(cause) => {
                let number = self.number();
                let id = LegId::ours(&self.c.id, number);
                let state = LegState::Ended { cause, at: self.now };
                self.c.legs.insert(id, Leg::new(asked, line.cloned(), state, self.now));
                self.news_of_end(person, attempt, cause);
            }
            None => {
                if let Some(line) = line {
                    self.new_leg(asked, line);
                }
                self.say_to_caller(Prompt::Calling(role));
            }
        }
        Answer::Done
    }

    /// What stands against ringing this line.
    fn why_not(&self, line: Option<&Line>) -> Option<Cause> {
        let Some(line) = line else {
            return Some(Cause::NoLine);
        };
        let in_use = self.c.legs.values().any(|l| l.is_busy() && l.line.as_ref() == Some(line));
        // One phone for two people, or the caller's own: it is busy with us already.
        if in_use || self.c.caller.line.as_ref() == Some(line) {
            return Some(Cause::Busy);
        }
        let full = u32::try_from(self.c.legs.len()).unwrap_or(u32::MAX) >= self.c.policy.legs_max;
        full.then_some(Cause::Congestion)
    }

    pub(super) fn stop_ringing(&mut self, person: &MemberId) -> Answer {
        let asked = |l: &Leg| matches!(&l.role, Role::Asked { person: p, .. } if p == person);
        let taker = self.c.taker.as_ref().and_then(|t| t.leg.clone());
        let found = self.c.legs.iter().find(|(id, l)| l.is_busy() && asked(l) && Some(*id) != taker.as_ref());
        let Some((id, state)) = found.map(|(id, l)| (id.clone(), l.state)) else {
            return Answer::Already;
        };
        self.dismiss(&id, state, Cause::Withdrawn);
        Answer::Done
    }

    /// Ends a leg that is not wanted any more: whoever is listening hears why.
    pub(super) fn dismiss(&mut self, id: &LegId, state: LegState, cause: Cause) {
        match state {
            LegState::Screening { .. } | LegState::Accepting { .. } | LegState::Up => {
                self.farewell(id, Prompt::TakenByAnother, cause);
            }
            LegState::Waiting
            | LegState::Dialing { .. }
            | LegState::Ringing { .. }
            | LegState::Leaving { .. }
            | LegState::Ended { .. } => self.cut(id, cause),
        }
    }

    /// The reason of an end, as the dispatcher needs to know it.
    pub(super) fn news_of_end(&mut self, person: &MemberId, attempt: u32, cause: Cause) {
        if planted::is(Bug::FailedLegUntold) {
            return;
        }
        let person = person.clone();
        let news = match cause {
            Cause::Unallocated | Cause::NoLine => News::Undeliverable { person, attempt, cause },
            Cause::Declined => News::Declined { person },
            Cause::NoAnswer
            | Cause::Busy
            | Cause::Rejected
            | Cause::Unreachable
            | Cause::Congestion
            | Cause::HungUp
            | Cause::Lost
            | Cause::Failed
            | Cause::NoKey
            | Cause::PinWrong
            | Cause::PinLocked => News::Unanswered { person, attempt, cause },
            Cause::Promised
            | Cause::Outrun
            | Cause::Withdrawn
            | Cause::HandedOver
            | Cause::CallOver
            | Cause::Replaced
            | Cause::NotTaken
            | Cause::Stray
            | Cause::TimeLimit => return,
        };
        self.fx.push(Effect::Offer(news));
    }

    // ---- screening --------------------------------------------------------------------------------

    pub(super) fn answered(&mut self, id: &LegId) -> Answer {
        let Some(leg) = self.c.legs.get_mut(id) else {
            return self.stray(id);
        };
        match leg.state {
            LegState::Waiting | LegState::Dialing { .. } | LegState::Ringing { .. } => {
                leg.answered = Some(self.now);
                let asked = matches!(leg.role, Role::Asked { .. });
                if asked && planted::is(Bug::AnswerCountsAsYes) {
                    self.say_yes(id, false);
                } else {
                    self.screen(id, if asked { Screening::Key } else { Screening::Confirm }, 0);
                }
                Answer::Done
            }
            LegState::Screening { .. }
            | LegState::Accepting { .. }
            | LegState::Up
            | LegState::Leaving { .. } => Answer::Already,
            LegState::Ended { .. } => self.stray(id),
        }
    }

    /// Opens a window of its own for this question.
    pub(super) fn screen(&mut self, id: &LegId, ask: Screening, wrong: u8) {
        let gather = self.number();
        let window = match ask {
            Screening::Key | Screening::Confirm => self.c.policy.accept_s,
            Screening::Pin { .. } => self.c.policy.pin_s,
        };
        self.set(id, LegState::Screening { ask, gather, until: self.in_s(window), wrong });
        let prompt = match ask {
            Screening::Pin { .. } if wrong > 0 => Prompt::PinAgain,
            _ => self.question(ask),
        };
        self.play(id, prompt, Some(Gather { number: gather, what: collects(ask) }));
    }

    const fn question(&self, ask: Screening) -> Prompt {
        match (ask, self.c.kind) {
            (Screening::Key, _) => Prompt::Screen,
            (Screening::Confirm, Kind::Test) => Prompt::Test,
            (Screening::Confirm, Kind::Recovery) => Prompt::RecoveryAsked,
            (Screening::Confirm, Kind::Tonight) => Prompt::Tonight,
            (Screening::Confirm, _) => Prompt::Confirm,
            (Screening::Pin { call_back: false }, _) => Prompt::AskPin,
            (Screening::Pin { call_back: true }, _) => Prompt::AskPinToCallBack,
        }
    }

    /// The same question in the same window.
    pub(super) fn ask_again(&mut self, id: &LegId, ask: Screening, gather: u32) {
        self.play(id, self.question(ask), Some(Gather { number: gather, what: collects(ask) }));
    }

    pub(super) fn screening_key(&mut self, id: &LegId, ask: Screening, gather: u32, digits: &str) -> Answer {
        match (ask, digits.chars().next()) {
            (Screening::Confirm, Some('1')) => self.confirmed(id),
            (Screening::Key, Some('1')) => self.screen(id, Screening::Pin { call_back: false }, 0),
            (Screening::Key, Some('2')) => self.screen(id, Screening::Pin { call_back: true }, 0),
            // Nobody else is rung for what is asked of one person.
            (_, Some('3')) if self.c.kind.rings_one() => self.refused(id, Prompt::Noted, Cause::Declined),
            (_, Some('3')) => self.refused(id, Prompt::NotNow, Cause::Declined),
            // Other keys mean nothing; the window goes on and the question is said again.
            _ => self.ask_again(id, ask, gather),
        }
        Answer::Done
    }

    /// This leg will not say yes: the next person at once, while it hears a farewell.
    fn refused(&mut self, id: &LegId, prompt: Prompt, cause: Cause) {
        let Some(before) = self.c.legs.get(id).cloned() else {
            return;
        };
        self.farewell(id, prompt, cause);
        self.follow(id, &before, cause);
    }

    pub(super) fn machine_suspected(&mut self, id: &LegId) -> Answer {
        let soon = self.in_s(MACHINE_GRACE_S);
        match self.c.legs.get_mut(id).map(|l| &mut l.state) {
            Some(LegState::Screening { ask: Screening::Key | Screening::Confirm, until, .. })
                if *until > soon =>
            {
                *until = soon;
                Answer::Done
            }
            _ => Answer::Already,
        }
    }

    pub(super) fn pin(&mut self, id: &LegId, gather: u32, verdict: PinVerdict) -> Answer {
        if self.c.caller.leg.as_ref() == Some(id) {
            return self.report_pin(gather, verdict);
        }
        let Some(LegState::Screening { ask: Screening::Pin { call_back }, gather: open, wrong, .. }) =
            self.state_of(id).filter(|_| self.c.legs.contains_key(id))
        else {
            return Answer::Already;
        };
        if open != gather {
            return Answer::Already;
        }
        match verdict {
            PinVerdict::Right => self.say_yes(id, call_back),
            PinVerdict::Wrong if wrong + 1 < self.c.policy.pin_tries => {
                self.screen(id, Screening::Pin { call_back }, wrong + 1);
            }
            PinVerdict::Wrong => self.refused(id, Prompt::PinLocked, Cause::PinWrong),
            PinVerdict::Locked => self.refused(id, Prompt::PinLocked, Cause::PinLocked),
        }
        Answer::Done
    }

    // ---- the yes ----------------------------------------------------------------------------------

    /// A deliberate yes: the dispatcher alone says whether it is the first.
    fn say_yes(&mut self, id: &LegId, call_back: bool) {
        let again = self.in_s(self.c.policy.verdict_s);
        self.set(id, LegState::Accepting { call_back, again, tries: 1 });
        self.ask_for_verdict(id, call_back);
        if planted::is(Bug::VerdictNotAwaited) {
            self.claim(id, call_back);
        }
    }

    pub(super) fn ask_for_verdict(&mut self, id: &LegId, call_back: bool) {
        let Some(Role::Asked { person, .. }) = self.c.legs.get(id).map(|l| l.role.clone()) else {
            return;
        };
        let by = call_back.then(|| self.in_s(self.c.policy.call_back_s));
        self.fx.push(Effect::Offer(News::Accept { person, leg: id.clone(), call_back: by }));
    }

    pub(super) fn verdict(&mut self, id: &LegId, won: bool) -> Answer {
        let Some(leg) = self.c.legs.get(id).cloned() else {
            return Answer::NotNow;
        };
        let Role::Asked { person, .. } = &leg.role else {
            return Answer::NotNow;
        };
        if self.c.taker.as_ref().is_some_and(|t| t.person == *person) {
            return Answer::Already;
        }
        match leg.state {
            LegState::Accepting { call_back, .. } if won && self.c.stage.is_seeking() => {
                self.claim(id, call_back);
                Answer::Done
            }
            LegState::Accepting { .. } if !won => {
                self.farewell(id, Prompt::TakenByAnother, Cause::NotTaken);
                Answer::Done
            }
            _ if won => {
                // The yes was taken and nobody is on its line any more: it must not stand.
                if leg.is_busy() {
                    self.farewell(id, Prompt::TakenByAnother, Cause::NotTaken);
                }
                self.fx.push(Effect::Offer(News::Release { person: person.clone(), why: Cause::Lost }));
                Answer::Done
            }
            _ => Answer::Already,
        }
    }
}

const fn collects(ask: Screening) -> Collect {
    match ask {
        Screening::Key | Screening::Confirm => Collect::Key,
        Screening::Pin { .. } => Collect::Pin,
    }
}
