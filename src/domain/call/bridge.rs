//! What a phone bridge is told to do, as data, and what it shows after a reconnect. Only what every bridge can
//! do: one's own over ARI, and a cloud's with documents and callbacks. Words and sounds stand elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::leg::{Cause, LegId};
use super::number::Line;
use crate::domain::dispatch::Selector;
use crate::time::Millis;

/// One order to the bridge. Each may be repeated: what is already so stays so, and a leg that is gone counts
/// as hung up. All legs of one call share one room, named by the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Pick up an inbound leg.
    Answer {
        leg: LegId,
    },
    /// Ring a line. `ring_s`: the bridge gives up by itself after that many seconds.
    Dial {
        leg: LegId,
        to: Line,
        ring_s: i64,
    },
    /// Play this in place of whatever plays on the leg; into the room when the leg stands in it.
    Prompt {
        leg: LegId,
        play: u32,
        prompt: Prompt,
        gather: Option<Gather>,
        room: bool,
    },
    /// Nothing plays on the leg any more. A prompt still running would hold up the join.
    Hush {
        leg: LegId,
    },
    /// These legs hear each other. Each is confirmed by its own event, again when it was so already.
    /// Keys pressed in the room are told under the number `keys`, and not heard by the other side.
    Join {
        legs: [LegId; 2],
        keys: u32,
    },
    /// The leg leaves the room and stays up.
    Leave {
        leg: LegId,
    },
    HangUp {
        leg: LegId,
        cause: Cause,
    },
    /// Takes the room away; legs in it stay up.
    CloseRoom,
    /// Record a message, apart from any call recording; `#` or silence ends it.
    Record {
        leg: LegId,
        recording: u32,
        max_s: i64,
    },
    StopRecording {
        recording: u32,
    },
    /// The recording leaves the bridge's disk.
    DeleteRecording {
        recording: u32,
    },
}

/// Keys the bridge collects with a prompt. `number` names the window: keys of another one do not count.
/// Repeating a prompt keeps the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gather {
    pub number: u32,
    pub what: Collect,
}

/// What the keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collect {
    /// One key.
    Key,
    /// Up to eight digits, ended by `#` or a pause: a station's or clinic's code.
    Code,
    /// Four digits that go to the PIN check and nowhere else: never into a state, a log or an event.
    Pin,
}

/// What is said. The words are files with their text beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    // To the caller.
    /// Who we are and 119, then: your station's code, please.
    AskStation,
    /// Who we are and 119, then: the clinic's code, or 0.
    AskClinic,
    /// The code was not understood; the same again.
    AskStationAgain,
    AskClinicAgain,
    /// Who we are and 119, then: say in fifteen seconds what it is about.
    AskMessage,
    /// It is kept; somebody is being called.
    Kept,
    /// Somebody in this role is being called now.
    Calling(RoleSpoken),
    /// We are still calling; please wait.
    StillCalling,
    /// Nobody could be reached yet: 119, the office, and a person is being alarmed.
    LastResort,
    LastResortStill,
    /// Somebody has taken it; one moment.
    OneMoment,
    /// A physician calls back within ten minutes; you may hang up.
    WillCallBack,
    /// The physician has handed over; the next one is being called.
    HandedOver,
    /// The talk is over.
    Over,
    /// All lines are busy: 119 and the office.
    TooMany,
    // To somebody who took a call and has not reported.
    /// 1 = a report, 2 = an urgent call.
    AskReport,
    /// Your PIN, please.
    AskReportPin,
    /// 1 = by phone, 2 = visited, 3 = transported, 4 = not reached.
    AskReportOutcome,
    /// It is written down.
    ReportTaken,
    /// It could not be taken here; the page can.
    ReportOnPage,
    // To whoever is asked.
    /// 1 = I take it, 2 = I call back, 3 = I cannot.
    Screen,
    /// You take it: your PIN, please.
    AskPin,
    /// You call back: your PIN, please.
    AskPinToCallBack,
    PinAgain,
    PinLocked,
    NotNow,
    TakenByAnother,
    Promised,
    GivenBack,
    /// The caller has hung up; the message, then: we are calling back.
    MessageThenCallingBack,
    CallingBack,
    CallerOutOfReach,
    /// Your line broke, or you asked for this connection: 1 to be connected.
    Confirm,
    /// This is a test of your phone: 1 to show that you hear it.
    Test,
    /// The test is done; thank you.
    Tested,
    /// New means to sign in were asked for; call the office if it was not you: 1 to show that you heard it.
    RecoveryAsked,
    /// Tonight's check: 1 = I can be reached tonight, 3 = I cannot.
    Tonight,
    /// Thank you.
    Noted,
}

impl Prompt {
    /// The stable word: name of the sound file and of the text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AskStation => "ask_station",
            Self::AskClinic => "ask_clinic",
            Self::AskStationAgain => "ask_station_again",
            Self::AskClinicAgain => "ask_clinic_again",
            Self::AskMessage => "ask_message",
            Self::Kept => "kept",
            Self::Calling(RoleSpoken::Cover) => "calling_cover",
            Self::Calling(RoleSpoken::Attending) => "calling_attending",
            Self::Calling(RoleSpoken::Primary) => "calling_primary",
            Self::Calling(RoleSpoken::Deputy) => "calling_deputy",
            Self::Calling(RoleSpoken::Pillar) => "calling_pillar",
            Self::Calling(RoleSpoken::Office) => "calling_office",
            Self::Calling(RoleSpoken::Other) => "calling_other",
            Self::StillCalling => "still_calling",
            Self::LastResort => "last_resort",
            Self::LastResortStill => "last_resort_still",
            Self::OneMoment => "one_moment",
            Self::WillCallBack => "will_call_back",
            Self::HandedOver => "handed_over",
            Self::Over => "over",
            Self::TooMany => "too_many",
            Self::AskReport => "ask_report",
            Self::AskReportPin => "ask_report_pin",
            Self::AskReportOutcome => "ask_report_outcome",
            Self::ReportTaken => "report_taken",
            Self::ReportOnPage => "report_on_page",
            Self::Screen => "screen",
            Self::AskPin => "ask_pin",
            Self::AskPinToCallBack => "ask_pin_to_call_back",
            Self::PinAgain => "pin_again",
            Self::PinLocked => "pin_locked",
            Self::NotNow => "not_now",
            Self::TakenByAnother => "taken_by_another",
            Self::Promised => "promised",
            Self::GivenBack => "given_back",
            Self::MessageThenCallingBack => "message_then_calling_back",
            Self::CallingBack => "calling_back",
            Self::CallerOutOfReach => "caller_out_of_reach",
            Self::Confirm => "confirm",
            Self::Test => "test",
            Self::Tested => "tested",
            Self::RecoveryAsked => "recovery_asked",
            Self::Tonight => "tonight",
            Self::Noted => "noted",
        }
    }
}

/// The role the caller hears, never a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleSpoken {
    Cover,
    Attending,
    Primary,
    Deputy,
    Pillar,
    Office,
    Other,
}

impl From<&Selector> for RoleSpoken {
    fn from(selector: &Selector) -> Self {
        match selector {
            Selector::CoverOrAttending => Self::Cover,
            Selector::Attending | Selector::DeputyAttending => Self::Attending,
            Selector::DutyPrimary => Self::Primary,
            Selector::DutyDeputy => Self::Deputy,
            Selector::Pillar(_) => Self::Pillar,
            Selector::Coordinator | Selector::Officer => Self::Office,
            Selector::Specialists
            | Selector::Pool(_)
            | Selector::Party(_)
            | Selector::Person(_)
            | Selector::Asker => Self::Other,
        }
    }
}

/// How a leg looks at the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegSeen {
    Ringing,
    /// Picked up, but not in our hands yet: its event follows.
    UpElsewhere,
    Up,
    InRoom,
}

/// The bridge's own view after a reconnect. Events that were missed are not replayed; this is all there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Changes when the bridge started anew, and with it every line was cut.
    pub generation: String,
    /// When it was asked for: what was ordered later is not missing from it.
    pub taken: Millis,
    /// The legs of this call, and those that bear its name and are not known.
    pub legs: BTreeMap<LegId, LegSeen>,
}
