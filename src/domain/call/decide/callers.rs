//! The caller: who it is, the message, and a caller who hangs up or comes back.

use super::{Answer, Effect, Machine, Notice, PinVerdict, To, Told};
use crate::domain::call::bridge::{Collect, Command, Gather, Prompt};
use crate::domain::call::leg::{Cause, Leg, LegId, LegState, Role, Screening};
use crate::domain::call::policy::Admission;
use crate::domain::call::state::{Alarm, Away, Kind, Message, Outcome, Question, Route, Stage, Standing};
use crate::ids::InstitutionId;

/// Seconds a recording may outlast its limit before the machine stops waiting for its end.
const RECORDING_GRACE_S: i64 = 3;

impl Machine {
    pub(super) fn begin(&mut self) -> Answer {
        if self.c.stage != Stage::New {
            return Answer::Already;
        }
        match (self.c.kind, self.c.admission) {
            (Kind::Night, Admission::Loop) => {
                if let Some(leg) = self.c.caller.leg.clone() {
                    self.cut(&leg, Cause::Withdrawn);
                }
                self.tell(To::Coordinator, Notice::LoopCut);
                self.over(Outcome::Refused);
            }
            (Kind::Night, Admission::TooMany) => {
                if let Some(leg) = self.c.caller.leg.clone() {
                    self.bridge(Command::Answer { leg: leg.clone() });
                    self.farewell(&leg, Prompt::TooMany, Cause::CallOver);
                    let until = self.in_s(self.c.policy.prompt_max_s);
                    self.set(&leg, LegState::Leaving { cause: Cause::CallOver, until });
                    self.c.stage = Stage::Refusing { until };
                }
                self.tell(To::Coordinator, Notice::TurnedAway);
            }
            (Kind::Night, Admission::Open) => {
                if let Some(leg) = self.c.caller.leg.clone() {
                    self.bridge(Command::Answer { leg });
                }
                self.next_question();
            }
            (Kind::Web, _) => self.hunt(),
            (Kind::Connect | Kind::Test | Kind::Recovery | Kind::Tonight, _) => self.connecting(),
        }
        Answer::Done
    }

    // ---- who is calling ---------------------------------------------------------------------------

    fn next_question(&mut self) {
        if self.c.reporter.is_some() {
            self.ask(Question::Report, 1);
        } else if !self.c.caller.standing.is_known() {
            self.ask(Question::Station, 1);
        } else if self.c.clinic.is_none() {
            self.ask(Question::Clinic, 1);
        } else {
            self.invite();
        }
    }

    pub(super) fn ask(&mut self, what: Question, tries: u8) {
        let gather = self.number();
        let until = self.in_s(self.c.policy.prompt_max_s + self.c.policy.code_s);
        self.c.stage = Stage::Asking { what, gather, tries, until };
        let prompt = match (what, tries) {
            (Question::Station, 0 | 1) => Prompt::AskStation,
            (Question::Station, _) => Prompt::AskStationAgain,
            (Question::Clinic, 0 | 1) => Prompt::AskClinic,
            (Question::Clinic, _) => Prompt::AskClinicAgain,
            (Question::Report, _) => Prompt::AskReport,
            (Question::ReportPin, 0 | 1) => Prompt::AskReportPin,
            (Question::ReportPin, _) => Prompt::PinAgain,
            (Question::ReportOutcome, _) => Prompt::AskReportOutcome,
        };
        let what = match what {
            Question::Station | Question::Clinic => Collect::Code,
            Question::Report | Question::ReportOutcome => Collect::Key,
            Question::ReportPin => Collect::Pin,
        };
        self.ask_caller(prompt, Some(Gather { number: gather, what }));
    }

    /// A question or the invitation was heard to its end.
    pub(super) fn question_ended(&mut self) {
        match self.c.stage {
            Stage::Asking { what, gather, tries, .. } => {
                let until = self.in_s(self.c.policy.code_s);
                self.c.stage = Stage::Asking { what, gather, tries, until };
            }
            Stage::Inviting { .. } => self.record(),
            _ => {}
        }
    }

    pub(super) fn code(
        &mut self,
        what: Question,
        tries: u8,
        digits: &str,
        found: Option<&InstitutionId>,
    ) -> Answer {
        match (what, found) {
            // "I do not know it": no further question, somebody finds out.
            (Question::Report, _) => match digits.chars().next() {
                Some('1') => self.ask(Question::ReportPin, 1),
                Some('2') => self.not_to_report(),
                _ => self.not_understood(what, tries),
            },
            // Digits of a PIN go to its check and never come here.
            (Question::ReportPin, _) => return Answer::Already,
            (Question::ReportOutcome, _) => match (Told::of_key(digits), self.c.reporter.clone()) {
                (Some(told), Some(person)) => {
                    self.fx.push(Effect::Report { person, told });
                    self.report_over(Prompt::ReportTaken);
                }
                _ => self.not_understood(what, tries),
            },
            (_, None) if digits == "0" => self.invite(),
            (Question::Station, Some(station)) => {
                self.c.caller.standing = Standing::Code { institution: station.clone() };
                self.next_question();
            }
            (Question::Clinic, Some(clinic)) => {
                self.c.clinic = Some(clinic.clone());
                self.invite();
            }
            (_, None) => self.not_understood(what, tries),
        }
        Answer::Done
    }

    /// Three calm tries, then on without the code.
    pub(super) fn not_understood(&mut self, what: Question, tries: u8) {
        if tries < self.c.policy.code_tries {
            return self.ask(what, tries + 1);
        }
        match what {
            Question::Station | Question::Clinic => self.invite(),
            // Who does not say that it is a report is taken for urgent.
            Question::Report => self.not_to_report(),
            Question::ReportPin | Question::ReportOutcome => self.report_over(Prompt::ReportOnPage),
        }
    }

    // ---- somebody calls to report -----------------------------------------------------------------

    fn not_to_report(&mut self) {
        self.c.reporter = None;
        self.next_question();
    }

    /// The PIN of whoever reports was checked.
    pub(super) fn report_pin(&mut self, gather: u32, verdict: PinVerdict) -> Answer {
        match self.c.stage {
            Stage::Asking { what: Question::ReportPin, gather: open, tries, .. } if open == gather => {
                match verdict {
                    PinVerdict::Right => self.ask(Question::ReportOutcome, 1),
                    PinVerdict::Wrong => self.not_understood(Question::ReportPin, tries),
                    PinVerdict::Locked => self.report_over(Prompt::ReportOnPage),
                }
                Answer::Done
            }
            _ => Answer::Already,
        }
    }

    fn report_over(&mut self, prompt: Prompt) {
        if let Some(leg) = self.c.caller.leg.take() {
            self.farewell(&leg, prompt, Cause::CallOver);
        }
        self.over(Outcome::Reported);
    }

    // ---- the message ------------------------------------------------------------------------------

    fn invite(&mut self) {
        self.c.stage = Stage::Inviting { until: self.in_s(self.c.policy.prompt_max_s) };
        self.ask_caller(Prompt::AskMessage, None);
    }

    pub(super) fn record(&mut self) {
        let recording = self.number();
        let max_s = self.c.policy.message_s;
        self.c.stage = Stage::Recording { recording, until: self.in_s(max_s + RECORDING_GRACE_S) };
        self.c.message = Message::OnBridge { recording };
        if let Some(leg) = self.c.caller.leg.clone() {
            self.bridge(Command::Record { leg, recording, max_s });
        }
    }

    pub(super) fn recorded(&mut self, recording: u32, usable: bool) -> Answer {
        match self.c.stage {
            Stage::Recording { recording: running, .. } if running == recording => {
                if usable {
                    self.keep(recording);
                } else {
                    self.bridge(Command::DeleteRecording { recording });
                    self.c.message = Message::None;
                    self.hunt();
                }
                Answer::Done
            }
            _ => Answer::Already,
        }
    }

    pub(super) fn keep(&mut self, recording: u32) {
        self.c.stage = Stage::Keeping { recording, until: self.in_s(self.c.policy.keep_s) };
        self.fx.push(Effect::KeepMessage { recording });
    }

    pub(super) fn message_kept(&mut self, recording: u32, kept: bool) -> Answer {
        match self.c.message {
            Message::OnBridge { recording: mine } | Message::NotKept { recording: mine }
                if mine == recording && kept =>
            {
                self.c.message = Message::Kept { recording };
                self.bridge(Command::DeleteRecording { recording });
            }
            Message::OnBridge { recording: mine } if mine == recording => {
                self.c.message = Message::NotKept { recording };
            }
            Message::None | Message::OnBridge { .. } | Message::Kept { .. } | Message::NotKept { .. } => {
                return Answer::Already;
            }
        }
        if matches!(self.c.stage, Stage::Recording { .. } | Stage::Keeping { .. }) {
            self.hunt();
        }
        Answer::Done
    }

    /// Everything that is known is written down: now somebody is looked for.
    pub(super) fn hunt(&mut self) {
        let route = match (&self.c.clinic, self.c.caller.standing.is_known()) {
            (Some(clinic), _) => Route::Clinic { clinic: clinic.clone() },
            (None, true) => Route::Duty,
            (None, false) => Route::Person,
        };
        self.c.route = Some(route.clone());
        self.seek(Prompt::Kept);
        self.fx.push(Effect::Hunt { route });
    }

    /// Somebody is looked for, for the first time or again.
    pub(super) fn seek(&mut self, word: Prompt) {
        self.c.plan_ended = false;
        self.c.stage = Stage::Hunting { since: self.now, check: self.in_s(self.c.policy.idle_s) };
        self.say_to_caller(word);
    }

    // ---- gone, and back ---------------------------------------------------------------------------

    /// The caller's leg is over: hung up, broken, or not reached when rung.
    pub(super) fn caller_gone(&mut self, before: &Leg, cause: Cause) {
        self.c.caller.leg = None;
        if before.state != LegState::Up {
            return self.caller_not_reached(cause);
        }
        if matches!(self.c.stage, Stage::Talking { .. }) && !cause.is_fault() {
            return self.talk_over();
        }
        if let Stage::Asking { what: Question::ReportPin | Question::ReportOutcome, .. } = self.c.stage {
            return self.over(Outcome::Reported);
        }
        if !self.c.stage.is_done() && self.c.caller.away.is_none() {
            self.c.caller.away = Some(Away { since: self.now, told: false });
        }
        match self.c.stage {
            Stage::New | Stage::Asking { .. } | Stage::Inviting { .. } => {
                let has_number = self.c.caller.line.is_some();
                if self.c.caller.standing.is_known() || (cause.is_fault() && has_number) {
                    self.hunt();
                } else {
                    self.c.stage = Stage::Vanished { until: self.in_s(self.c.policy.caller_gone_s) };
                }
            }
            Stage::Recording { recording, .. } => {
                // What was said until now is kept; who hung up does not hold up the call.
                self.bridge(Command::StopRecording { recording });
                let until = self.in_s(self.c.policy.keep_s);
                self.c.stage = Stage::Recording { recording, until };
            }
            Stage::Connecting { .. } => {
                self.c.caller.retry = None;
                self.say_to_taker(Prompt::CallingBack);
                self.ensure_sides();
            }
            Stage::Talking { .. } => {
                self.say_to_taker(Prompt::CallingBack);
                self.connecting();
            }
            // A broken line is mended at once; who hung up is called back when somebody has taken it.
            Stage::Hunting { .. } | Stage::LastResort { .. } | Stage::Promised { .. } if cause.is_fault() => {
                self.c.caller.retry = Some(self.now);
            }
            Stage::Refusing { .. }
            | Stage::Vanished { .. }
            | Stage::Keeping { .. }
            | Stage::Hunting { .. }
            | Stage::LastResort { .. }
            | Stage::Promised { .. }
            | Stage::ReportDue { .. }
            | Stage::Over { .. } => {}
        }
        self.call_caller_if_due();
    }

    fn caller_not_reached(&mut self, cause: Cause) {
        let again = self.c.caller.tries < self.c.policy.caller_tries && cause != Cause::Declined;
        match self.c.stage {
            Stage::Connecting { .. } if !self.c.kind.seeks() => self.not_connected(),
            Stage::Connecting { .. } if again => {
                self.c.caller.retry = Some(self.in_s(self.c.policy.caller_gap_s));
            }
            Stage::Connecting { .. } => self.caller_out_of_reach(),
            _ if again && self.c.stage.is_seeking() => {
                self.c.caller.retry = Some(self.in_s(self.c.policy.caller_gap_s));
            }
            _ => {}
        }
    }

    /// Rings the caller when the next try has come.
    pub(super) fn call_caller_if_due(&mut self) {
        let due = self.c.caller.retry.is_some_and(|at| at <= self.now);
        if !due {
            return;
        }
        self.c.caller.retry = None;
        if matches!(self.c.stage, Stage::Connecting { .. }) {
            self.ensure_sides();
        } else if self.c.caller_leg().is_none()
            && !self.c.stage.is_done()
            && self.c.caller.tries < self.c.policy.caller_tries
        {
            self.dial_caller();
        }
    }

    /// `false`: there is no number to ring.
    pub(super) fn dial_caller(&mut self) -> bool {
        let Some(line) = self.c.caller.line.clone() else {
            return false;
        };
        self.c.caller.tries = self.c.caller.tries.saturating_add(1);
        let leg = self.new_leg(Role::Caller, &line);
        self.c.caller.leg = Some(leg);
        true
    }

    /// The caller rings us again while the call is open: the new line counts.
    pub(super) fn caller_returned(&mut self, id: &LegId) -> Answer {
        if self.c.legs.contains_key(id) {
            return Answer::Already;
        }
        if self.c.stage.is_done() || matches!(self.c.stage, Stage::New | Stage::Refusing { .. }) {
            return Answer::NotNow;
        }
        if let Some(old) = self.c.caller.leg.take() {
            self.cut(&old, Cause::Replaced);
        }
        self.c.legs.insert(id.clone(), Leg::new(Role::Caller, None, LegState::Up, self.now));
        self.c.caller.leg = Some(id.clone());
        self.bridge(Command::Answer { leg: id.clone() });
        self.caller_is_up();
        Answer::Done
    }

    /// The caller is on the line, again or for the first time.
    pub(super) fn caller_is_up(&mut self) {
        self.c.caller.away = None;
        self.c.caller.retry = None;
        match self.c.stage {
            Stage::Vanished { .. } | Stage::Asking { .. } | Stage::Inviting { .. } => self.next_question(),
            Stage::Recording { recording, .. } => {
                self.bridge(Command::StopRecording { recording });
                self.keep(recording);
            }
            Stage::Hunting { .. } => self.say_to_caller(Prompt::StillCalling),
            Stage::LastResort { .. } => self.say_to_caller(Prompt::LastResort),
            Stage::Promised { .. } => self.say_to_caller(Prompt::WillCallBack),
            Stage::Connecting { .. } => {
                let alone = self.c.taker_leg().is_none_or(|l| l.state != LegState::Up);
                if alone {
                    self.say_to_caller(Prompt::OneMoment);
                }
                self.ensure_sides();
            }
            Stage::Talking { .. } => self.connecting(),
            Stage::New
            | Stage::Refusing { .. }
            | Stage::Keeping { .. }
            | Stage::ReportDue { .. }
            | Stage::Over { .. } => {}
        }
    }

    // ---- the end of the plan ----------------------------------------------------------------------

    pub(super) fn nobody_left(&mut self) -> Answer {
        match self.c.stage {
            Stage::Hunting { .. } => {
                self.c.stage = Stage::LastResort { since: self.now };
                self.c.plan_ended = true;
                self.raise(Alarm::NobodyLeft);
                self.say_to_caller(Prompt::LastResort);
                Answer::Done
            }
            Stage::LastResort { .. } => Answer::Already,
            _ => Answer::NotNow,
        }
    }

    // ---- keys of the caller -----------------------------------------------------------------------

    pub(super) fn keys(
        &mut self,
        id: &LegId,
        gather: u32,
        digits: &str,
        found: Option<&InstitutionId>,
    ) -> Answer {
        let Some(leg) = self.c.legs.get(id).filter(|l| l.is_busy()) else {
            return Answer::Already;
        };
        let is_caller = self.c.caller.leg.as_ref() == Some(id);
        match (leg.state, self.c.stage) {
            (LegState::Screening { ask, gather: open, .. }, _) if open == gather => match ask {
                Screening::Key | Screening::Confirm => self.screening_key(id, ask, gather, digits),
                // Digits of a PIN go to its check and never come here.
                Screening::Pin { .. } => Answer::Already,
            },
            (LegState::Up, Stage::Asking { what, gather: open, tries, .. })
                if is_caller && open == gather =>
            {
                self.code(what, tries, digits, found)
            }
            (LegState::Up, Stage::Talking { since, keys, .. }) if keys == gather && !is_caller => {
                self.key_while_talking(since, digits)
            }
            _ => Answer::Already,
        }
    }
}
