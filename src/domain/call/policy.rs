//! How long the phone waits for whom, how often it tries, and whom it lets in: data of an association. A call
//! pins the policy it began with.

use serde::{Deserialize, Serialize};

use super::number::{Number, Reading};

/// Waits in seconds and numbers of tries. Every deadline of a call is computed from these when the wait
/// begins and stored as an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// A phone that does not even ring by then counts as out of reach.
    pub never_rang_s: i64,
    /// A phone rings this long. Below the pick-up of mobile voicemail.
    pub ring_s: i64,
    /// From picking up to 1, 2 or 3.
    pub accept_s: i64,
    /// To enter the PIN, for each try.
    pub pin_s: i64,
    pub pin_tries: u8,
    /// The dispatcher is asked again who won after this long.
    pub verdict_s: i64,
    /// Two legs are joined again when the bridge has not said by then that they are.
    pub join_s: i64,
    /// No prompt lasts longer; one whose end was never told counts as ended then.
    pub prompt_max_s: i64,
    /// Silence on a waiting line before it hears the next word. At most 10 (domain J3).
    pub quiet_s: i64,
    /// From the end of the question to the code.
    pub code_s: i64,
    /// Questions for one code.
    pub code_tries: u8,
    /// The spoken message of the caller.
    pub message_s: i64,
    /// Nobody waits longer than this for the message to be put away.
    pub keep_s: i64,
    /// Nobody being rung for this long is an alarm (reliability L5: 5 s).
    pub idle_s: i64,
    /// An alarm is repeated until somebody acknowledges it.
    pub alarm_every_s: i64,
    /// A caller who is gone for this long is reported to the coordinator.
    pub caller_gone_s: i64,
    /// The promise of key 2.
    pub call_back_s: i64,
    /// Tries to reach a caller again once somebody has taken the call.
    pub caller_tries: u8,
    pub caller_gap_s: i64,
    /// Tries to reach a taker again whose line broke.
    pub taker_tries: u8,
    /// A farewell lasts no longer.
    pub leave_s: i64,
    /// A talk is ended after this: a line left open by mistake.
    pub talk_max_s: i64,
    /// Reminders of a report, before (less than nought) and after the time by which it is due.
    pub report_ladder_s: Vec<i64>,
    /// Between two reminders after the last of those; the coordinator is told too.
    pub report_chase_s: i64,
    /// A 9 this soon after joining is the echo of the PIN's last key, in milliseconds.
    pub key_guard_ms: i64,
    /// Legs one call may have in all.
    pub legs_max: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            never_rang_s: 8,
            ring_s: 25,
            accept_s: 12,
            pin_s: 12,
            pin_tries: 3,
            verdict_s: 2,
            join_s: 3,
            prompt_max_s: 12,
            quiet_s: 8,
            code_s: 8,
            code_tries: 3,
            message_s: 15,
            keep_s: 5,
            idle_s: 4,
            alarm_every_s: 60,
            caller_gone_s: 120,
            call_back_s: 600,
            caller_tries: 3,
            caller_gap_s: 15,
            taker_tries: 2,
            leave_s: 8,
            talk_max_s: 7_200,
            report_ladder_s: vec![-3_600, 0, 10_800, 86_400],
            report_chase_s: 86_400,
            key_guard_ms: 2_000,
            legs_max: 200,
        }
    }
}

impl Policy {
    /// What cannot work, by the name of the field; empty when the policy is usable.
    #[must_use]
    pub fn wrong(&self) -> Vec<&'static str> {
        let positive = [
            ("never_rang_s", self.never_rang_s),
            ("ring_s", self.ring_s),
            ("accept_s", self.accept_s),
            ("pin_s", self.pin_s),
            ("verdict_s", self.verdict_s),
            ("join_s", self.join_s),
            ("prompt_max_s", self.prompt_max_s),
            ("code_s", self.code_s),
            ("message_s", self.message_s),
            ("keep_s", self.keep_s),
            ("alarm_every_s", self.alarm_every_s),
            ("caller_gone_s", self.caller_gone_s),
            ("call_back_s", self.call_back_s),
            ("caller_gap_s", self.caller_gap_s),
            ("leave_s", self.leave_s),
            ("talk_max_s", self.talk_max_s),
            ("report_chase_s", self.report_chase_s),
            ("pin_tries", i64::from(self.pin_tries)),
            ("code_tries", i64::from(self.code_tries)),
            ("caller_tries", i64::from(self.caller_tries)),
            ("legs_max", i64::from(self.legs_max)),
        ];
        let mut wrong: Vec<&'static str> =
            positive.into_iter().filter(|(_, v)| *v < 1).map(|(name, _)| name).collect();
        for (name, value, most) in [("quiet_s", self.quiet_s, 10), ("idle_s", self.idle_s, 5)] {
            if !(1..=most).contains(&value) {
                wrong.push(name);
            }
        }
        wrong
    }
}

/// How much of the night number callers may use whom the directory does not know. Known institutions are
/// never limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Calls from one line within an hour.
    pub calls_per_line_hour: u32,
    /// Calls without a number within an hour, all together.
    pub hidden_per_hour: u32,
    /// Lines in use from which on unknown callers hear that all are busy: the rest is kept for known ones.
    pub lines_in_use: u32,
    /// Minutes on the phone within a month, all lines together, from which on unknown callers are turned away:
    /// the ceiling of what the bridge may cost. `None`: there is none.
    pub minutes_per_month: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls_per_line_hour: 5, hidden_per_hour: 20, lines_in_use: 16, minutes_per_month: None }
    }
}

/// What the association's lines carry at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Earlier calls of this line within the last hour; for hidden numbers, of all hidden ones.
    pub from_line_last_hour: u32,
    /// Legs up or ringing.
    pub lines_in_use: u32,
    /// Minutes on the phone since the month began.
    pub minutes_this_month: u32,
}

/// Whether an inbound call is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    Open,
    /// Our own number calls: a phone we rang was forwarded to us. Hung up unanswered.
    Loop,
    /// Beyond the limits: the caller hears 119 and the office, the coordinator is told.
    TooMany,
}

/// Decides on an inbound call before it is answered. `known`: its line or code belongs to an institution of
/// the directory.
#[must_use]
pub fn admit(line: &Reading, known: bool, own: &[Number], load: Load, limits: Limits) -> Admission {
    let per_hour = match line {
        Reading::Number(number) if own.contains(number) => return Admission::Loop,
        Reading::Number(_) | Reading::Special(_) => limits.calls_per_line_hour,
        Reading::Hidden(_) | Reading::Unreadable => limits.hidden_per_hour,
    };
    let paid = limits.minutes_per_month.is_none_or(|most| load.minutes_this_month < most);
    if known || (paid && load.from_line_last_hour < per_hour && load.lines_in_use < limits.lines_in_use) {
        Admission::Open
    } else {
        Admission::TooMany
    }
}
