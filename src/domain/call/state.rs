//! Where a call stands. How it moves is `decide`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::leg::{Cause, Leg, LegId, LegState, Role};
use super::number::{Line, Reading};
use super::policy::{Admission, Policy};
use crate::ids::{CallId, InstitutionId, MemberId};
use crate::time::Millis;

/// An urgent call or a bridged talk. The number and the message in it are personal: stored sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub id: CallId,
    pub kind: Kind,
    pub opened: Millis,
    /// The policy it began with.
    pub policy: Policy,
    /// By when what came of it has to be told.
    #[serde(default)]
    pub report_by: Option<Millis>,
    /// Whoever calls is this member, by the line, and has a report to give.
    #[serde(default)]
    pub reporter: Option<MemberId>,
    pub admission: Admission,
    pub stage: Stage,
    pub caller: Caller,
    pub message: Message,
    /// The clinic the patient belongs to, once known: from the forwarded number, a code or the page.
    pub clinic: Option<InstitutionId>,
    /// Where the hunt was sent, once it began.
    pub route: Option<Route>,
    /// The dispatcher said that its plan is at its end, and nobody was looked for anew since.
    #[serde(default)]
    pub plan_ended: bool,
    /// Whose yes stands.
    pub taker: Option<Taker>,
    pub legs: BTreeMap<LegId, Leg>,
    /// The last number given to a leg, a play, a window or a recording of this call.
    pub seq: u32,
    /// Raised and not acknowledged.
    pub alarms: BTreeMap<Alarm, AlarmClock>,
    /// Which life of the bridge the legs belong to; empty until it said so.
    pub generation: String,
    /// Since when the bridge cannot be heard. Waits of legs stand still meanwhile.
    pub bridge_down: Option<Millis>,
}

/// What kind of call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody dialled the night number.
    Night,
    /// Started on a page or by the API: the physician is rung first, then the asker.
    Web,
    /// Two doctors of an accepted consult (電話でつなぐ): who asked for it is rung first, then the other.
    Connect,
    /// One phone is rung to see whether it is answered with a key (試験の電話).
    Test,
    /// One phone is rung to say that new means to sign in were asked for.
    Recovery,
    /// One phone is rung to ask whether it will be answered tonight (今夜の点検).
    Tonight,
}

impl Kind {
    /// Somebody is looked for by the plan, and what came of it has to be told.
    #[must_use]
    pub const fn seeks(self) -> bool {
        matches!(self, Self::Night | Self::Web)
    }

    /// One phone is rung, once, and its key is all that is wanted.
    #[must_use]
    pub const fn rings_one(self) -> bool {
        matches!(self, Self::Test | Self::Recovery | Self::Tonight)
    }
}

/// The stage of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Stage {
    /// Before `Begin`.
    New,
    /// The caller is asked for a code.
    Asking {
        what: Question,
        gather: u32,
        tries: u8,
        until: Millis,
    },
    /// The caller hears how to leave a message; then it is recorded.
    Inviting {
        until: Millis,
    },
    Recording {
        recording: u32,
        until: Millis,
    },
    /// The message is on its way into the vault.
    Keeping {
        recording: u32,
        until: Millis,
    },
    /// An unknown caller hung up before anything was known.
    Vanished {
        until: Millis,
    },
    /// Hears that all lines are busy.
    Refusing {
        until: Millis,
    },
    /// People are rung. `check`: when to look whether anybody is.
    Hunting {
        since: Millis,
        check: Millis,
    },
    /// Nobody is left; people may still be rung by hand. Open until a human closes it.
    LastResort {
        since: Millis,
    },
    /// Somebody took it; both sides are brought to the line and joined. `again`: the next look.
    Connecting {
        since: Millis,
        again: Millis,
        joins: u32,
        keys: u32,
    },
    Talking {
        since: Millis,
        until: Millis,
        keys: u32,
    },
    /// The taker calls back by then.
    Promised {
        by: Millis,
    },
    /// Over for the phones; what came of it is not told yet.
    ReportDue {
        since: Millis,
        chase: Millis,
    },
    Over {
        at: Millis,
        outcome: Outcome,
    },
}

impl Stage {
    /// The stable word of the API and the database.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Asking { .. } => "identifying",
            Self::Inviting { .. } | Self::Recording { .. } | Self::Keeping { .. } => "message",
            Self::Vanished { .. } => "vanished",
            Self::Refusing { .. } => "refused",
            Self::Hunting { .. } => "ringing",
            Self::LastResort { .. } => "last_resort",
            Self::Connecting { .. } => "connecting",
            Self::Talking { .. } => "talking",
            Self::Promised { .. } => "promised",
            Self::ReportDue { .. } => "report_due",
            Self::Over { .. } => "over",
        }
    }

    /// People may be rung and say yes.
    #[must_use]
    pub const fn is_seeking(&self) -> bool {
        matches!(self, Self::Hunting { .. } | Self::LastResort { .. })
    }

    /// Nothing is told to anybody on the phone any more.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::ReportDue { .. } | Self::Over { .. })
    }
}

/// What a caller is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The code of the visiting-nursing station.
    Station,
    /// The code of the patient's clinic, or 0.
    Clinic,
    /// A report, or an urgent call?
    Report,
    /// The PIN of whoever reports.
    ReportPin,
    /// What came of the call that was taken last.
    ReportOutcome,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// They talked, or a report came.
    Helped,
    /// A human closed it.
    ClosedByHand,
    /// An unknown caller hung up before saying anything.
    Vanished,
    /// Beyond the limits, or our own number.
    Refused,
    /// A talk between two doctors that did not come about, or a test that nobody answered with the key.
    NotConnected,
    /// The key was pressed on the one phone that was rung.
    Confirmed,
    /// Somebody called to report on another call.
    Reported,
}

/// Where the hunt begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "route")]
pub enum Route {
    /// The chain of this clinic: cover, attending, duty.
    Clinic { clinic: InstitutionId },
    /// The caller is known, the clinic is not: the duty.
    Duty,
    /// Neither is known: a person of the association finds out.
    Person,
}

/// How well the caller is known. A line identifies, it does not prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// The line belongs to this institution of the directory.
    Line {
        institution: InstitutionId,
    },
    /// The station's code was keyed.
    Code {
        institution: InstitutionId,
    },
    /// A member, signed in on a page.
    Member {
        person: MemberId,
    },
    Unknown,
}

impl Standing {
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

/// The side that needs help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// What the network or the page said.
    pub shown: Reading,
    /// Where to call back; `None` when there is no number that may be dialled.
    pub line: Option<Line>,
    pub standing: Standing,
    /// The present leg, rung or up.
    pub leg: Option<LegId>,
    /// Gone without having been helped, since.
    pub away: Option<Away>,
    /// Tries to reach the caller since somebody took the call or the line broke.
    pub tries: u8,
    /// The next try.
    pub retry: Option<Millis>,
}

/// A caller who is not on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    pub since: Millis,
    /// The coordinator was told.
    pub told: bool,
}

/// The spoken message of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "message")]
pub enum Message {
    None,
    /// On the bridge, not yet in the vault.
    OnBridge {
        recording: u32,
    },
    Kept {
        recording: u32,
    },
    /// It could not be put away in time; a later success still counts.
    NotKept {
        recording: u32,
    },
}

/// Whose yes stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taker {
    pub person: MemberId,
    pub line: Option<Line>,
    /// The present leg, rung or up.
    pub leg: Option<LegId>,
    pub since: Millis,
    /// Calls to bring the taker back to the line.
    pub tries: u8,
    /// They have been joined at least once.
    pub talked: bool,
    /// When they were joined first, and when they hung up last.
    #[serde(default)]
    pub joined: Option<Millis>,
    #[serde(default)]
    pub ended: Option<Millis>,
}

/// Something a human must look at; said again until acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// The plan is at its end and nobody said yes.
    NobodyLeft,
    /// Nobody is being rung though the plan is not at its end.
    NobodyRinging,
    /// The bridge cannot be heard.
    BridgeDown,
    /// Somebody took it and the caller cannot be reached.
    CallerOutOfReach,
    /// The bridge does not join the two lines.
    NotJoined,
    /// The dispatcher does not say who won.
    NoVerdict,
    /// The taker did not call back in time.
    PromiseMissed,
}

/// When an alarm was raised and when it is said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmClock {
    pub since: Millis,
    pub next: Millis,
    /// How often it was said.
    pub said: u32,
}

impl Call {
    fn empty(id: CallId, kind: Kind, caller: Caller, policy: Policy, now: Millis) -> Self {
        Self {
            id,
            kind,
            opened: now,
            policy,
            report_by: None,
            reporter: None,
            admission: Admission::Open,
            stage: Stage::New,
            caller,
            message: Message::None,
            clinic: None,
            route: None,
            plan_ended: false,
            taker: None,
            legs: BTreeMap::new(),
            seq: 0,
            alarms: BTreeMap::new(),
            generation: String::new(),
            bridge_down: None,
        }
    }

    /// An inbound call, before `Begin`. `line`: where to call back, if it may be dialled.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "each is one fact of the first message of the bridge")]
    pub fn inbound(
        id: CallId,
        leg: LegId,
        shown: Reading,
        line: Option<Line>,
        standing: Standing,
        clinic: Option<InstitutionId>,
        admission: Admission,
        policy: Policy,
        now: Millis,
    ) -> Self {
        let caller =
            Caller { shown, line, standing, leg: Some(leg.clone()), away: None, tries: 0, retry: None };
        let mut call = Self::empty(id, Kind::Night, caller, policy, now);
        call.clinic = clinic;
        call.admission = admission;
        call.legs.insert(leg, Leg::new(Role::Caller, None, LegState::Up, now));
        call
    }

    /// A call started on a page or by the API, before `Begin`.
    #[must_use]
    pub fn from_page(
        id: CallId,
        asker: MemberId,
        line: Line,
        clinic: Option<InstitutionId>,
        policy: Policy,
        now: Millis,
    ) -> Self {
        let mut call = Self::empty(id, Kind::Web, Caller::on_page(asker, line), policy, now);
        call.clinic = clinic;
        call
    }

    /// A call to one phone, [`Kind::rings_one`], before `Begin`.
    #[must_use]
    pub fn to_one(id: CallId, kind: Kind, person: MemberId, line: Line, policy: Policy, now: Millis) -> Self {
        Self::empty(id, kind, Caller::on_page(person, line), policy, now)
    }

    /// A talk between two doctors of an accepted consult, before `Begin`. `first` asked to be connected.
    #[must_use]
    pub fn between(
        id: CallId,
        first: (MemberId, Line),
        other: (MemberId, Line),
        policy: Policy,
        now: Millis,
    ) -> Self {
        let mut call = Self::empty(id, Kind::Connect, Caller::on_page(first.0, first.1), policy, now);
        call.taker = Some(Taker {
            person: other.0,
            line: Some(other.1),
            leg: None,
            since: now,
            tries: 0,
            talked: false,
            joined: None,
            ended: None,
        });
        call
    }

    /// The leg of the caller while it is live and not on its way out.
    #[must_use]
    pub fn caller_leg(&self) -> Option<&Leg> {
        self.caller.leg.as_ref().and_then(|id| self.legs.get(id)).filter(|leg| leg.is_busy())
    }

    /// The leg of the taker while it is live and not on its way out.
    #[must_use]
    pub fn taker_leg(&self) -> Option<&Leg> {
        let id = self.taker.as_ref().and_then(|t| t.leg.as_ref())?;
        self.legs.get(id).filter(|leg| leg.is_busy())
    }

    /// Each attempt that ended, with its reason: what the live page and the record show.
    pub fn attempts(&self) -> impl Iterator<Item = (&LegId, &Leg, Cause)> {
        self.legs.iter().filter_map(|(id, leg)| match leg.state {
            LegState::Ended { cause, .. } => Some((id, leg, cause)),
            _ => None,
        })
    }
}

impl Caller {
    fn on_page(person: MemberId, line: Line) -> Self {
        Self {
            shown: Reading::Number(line.number().clone()),
            line: Some(line),
            standing: Standing::Member { person },
            leg: None,
            away: None,
            tries: 0,
            retry: None,
        }
    }
}

impl Leg {
    pub(super) const fn new(role: Role, line: Option<Line>, state: LegState, now: Millis) -> Self {
        Self {
            role,
            line,
            since: now,
            answered: None,
            state,
            dialled: 0,
            play: 0,
            playing: false,
            word_due: None,
            in_room: false,
        }
    }
}
