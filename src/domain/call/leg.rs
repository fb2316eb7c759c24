//! One line of a call: its name at the bridge, who is behind it, how far it got and why it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::number::Line;
use crate::ids::{CallId, MemberId};
use crate::time::Millis;

/// The name of a leg at the bridge: ours for what we dial, the bridge's own for what calls us.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegId(String);

impl LegId {
    const PREFIX: &'static str = "tb-";

    /// The name of leg `number` of `call`: the same at every try, so that a repeated order rings once.
    #[must_use]
    pub fn ours(call: &CallId, number: u32) -> Self {
        Self(format!("{}{call}-{number}", Self::PREFIX))
    }

    /// The bridge's own name of an inbound leg.
    #[must_use]
    pub fn inbound(name: &str) -> Self {
        Self(name.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The call a leg of ours belongs to; `None` for an inbound one.
    #[must_use]
    pub fn call(&self) -> Option<CallId> {
        let (call, number) = self.0.strip_prefix(Self::PREFIX)?.rsplit_once('-')?;
        number.parse::<u32>().ok()?;
        CallId::from_stored(call).ok()
    }
}

impl fmt::Debug for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is behind a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "role")]
pub enum Role {
    /// The caller or, for a call started on a page, whoever started it.
    Caller,
    /// Somebody who is asked: try `attempt` of that person's offer.
    Asked { person: MemberId, attempt: u32 },
    /// Somebody whose yes stands and who is rung to be connected.
    Taker { person: MemberId },
}

/// What the person on a leg is being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screening {
    /// 1, 2 or 3.
    Key,
    /// The PIN that makes the 1 or the 2 count.
    Pin { call_back: bool },
    /// 1 to be connected: shows that a person holds the phone.
    Confirm,
}

/// How far a leg got. Deadlines are instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum LegState {
    /// To be dialled when the bridge is back.
    Waiting,
    /// Ordered; nothing rings yet.
    Dialing {
        until: Millis,
    },
    Ringing {
        until: Millis,
    },
    /// Picked up; a prompt asks. `gather`: the window whose keys count. `wrong`: wrong PINs so far.
    Screening {
        ask: Screening,
        gather: u32,
        until: Millis,
        wrong: u8,
    },
    /// The PIN was right; the dispatcher is asked whether it is taken.
    Accepting {
        call_back: bool,
        again: Millis,
        tries: u32,
    },
    /// A person is on the line and waits or talks.
    Up,
    /// Hears a farewell.
    Leaving {
        cause: Cause,
        until: Millis,
    },
    Ended {
        cause: Cause,
        at: Millis,
    },
}

/// Why a leg ended (切断理由).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    // The network.
    NoAnswer,
    Busy,
    /// Declined on the phone itself.
    Rejected,
    Unallocated,
    /// Did not ring, or the phone is off.
    Unreachable,
    /// No line is free, here or in the network.
    Congestion,
    /// The person hung up.
    HungUp,
    /// The line broke, or the bridge lost it.
    Lost,
    /// The bridge or its provider refused.
    Failed,
    // What was said or not said.
    /// Key 3.
    Declined,
    /// Picked up without a valid key: voicemail, or nobody there.
    NoKey,
    /// No right PIN in time.
    PinWrong,
    PinLocked,
    /// Key 2 and the PIN: calls back.
    Promised,
    // Us.
    /// There is no line that may be dialled.
    NoLine,
    /// Another was quicker.
    Outrun,
    /// Not wanted any more.
    Withdrawn,
    HandedOver,
    /// The other side ended it, or the call is over.
    CallOver,
    /// The same person came back on another line.
    Replaced,
    /// The dispatcher did not take the yes.
    NotTaken,
    /// A leg nobody waits for any more.
    Stray,
    /// The longest talk.
    TimeLimit,
}

impl Cause {
    /// The stable word of the API and the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::Rejected => "rejected",
            Self::Unallocated => "unallocated",
            Self::Unreachable => "unreachable",
            Self::Congestion => "congestion",
            Self::HungUp => "hung_up",
            Self::Lost => "lost",
            Self::Failed => "failed",
            Self::Declined => "declined",
            Self::NoKey => "no_key",
            Self::PinWrong => "pin_wrong",
            Self::PinLocked => "pin_locked",
            Self::Promised => "promised",
            Self::NoLine => "no_line",
            Self::Outrun => "outrun",
            Self::Withdrawn => "withdrawn",
            Self::HandedOver => "handed_over",
            Self::CallOver => "call_over",
            Self::Replaced => "replaced",
            Self::NotTaken => "not_taken",
            Self::Stray => "stray",
            Self::TimeLimit => "time_limit",
        }
    }

    /// Reads [`Cause::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        use serde::de::IntoDeserializer as _;
        let code: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = code.into_deserializer();
        Self::deserialize(code).ok()
    }

    /// The line broke without anybody wanting it: the talk is re-made.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::Lost | Self::Failed)
    }
}

/// One leg. Ended legs stay: each attempt keeps its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    pub role: Role,
    /// What was dialled; `None` for an inbound leg and where there was no line.
    pub line: Option<Line>,
    pub since: Millis,
    /// When a person or a machine picked up.
    pub answered: Option<Millis>,
    pub state: LegState,
    /// How often it was ordered under its one name: a second time only where the first is in doubt.
    pub dialled: u8,
    /// The newest prompt and whether it still plays.
    pub play: u32,
    pub playing: bool,
    /// A waiting line hears the next word then.
    pub word_due: Option<Millis>,
    pub in_room: bool,
}

impl Leg {
    /// Not ended, a farewell included.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self.state, LegState::Ended { .. })
    }

    /// Rings or talks with somebody about the call: live, and not on its way out.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        !matches!(self.state, LegState::Ended { .. } | LegState::Leaving { .. })
    }

    /// The person behind it; `None` for the caller.
    #[must_use]
    pub const fn person(&self) -> Option<&MemberId> {
        match &self.role {
            Role::Asked { person, .. } | Role::Taker { person } => Some(person),
            Role::Caller => None,
        }
    }

    /// When this leg wants attention. `None`: it waits for a person or the bridge, or it ended.
    #[must_use]
    pub fn due(&self) -> Option<Millis> {
        match self.state {
            LegState::Dialing { until }
            | LegState::Ringing { until }
            | LegState::Screening { until, .. }
            | LegState::Leaving { until, .. } => Some(until),
            LegState::Accepting { again, .. } => Some(again),
            LegState::Up => self.word_due,
            LegState::Waiting | LegState::Ended { .. } => None,
        }
    }
}
