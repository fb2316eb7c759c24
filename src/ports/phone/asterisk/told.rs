//! What ARI says, read into types: events and the lists of a snapshot; and what its numbers for the end of a line
//! mean. Fields that are not needed are not read.

use serde::Deserialize;

use crate::domain::call::Cause;

/// An event. Others are of no interest.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Told {
    ApplicationReplaced {
        application: String,
    },
    StasisStart {
        #[serde(default)]
        args: Vec<String>,
        channel: Channel,
    },
    ChannelStateChange {
        channel: Channel,
    },
    Dial {
        #[serde(default)]
        dialstatus: String,
        peer: Channel,
    },
    ChannelDtmfReceived {
        digit: String,
        #[serde(default)]
        duration_ms: u64,
        channel: Channel,
    },
    ChannelHangupRequest {
        channel: Channel,
    },
    ChannelDestroyed {
        cause: i64,
        tech_cause: Option<i64>,
        channel: Channel,
    },
    ChannelEnteredBridge {
        bridge: Bridge,
        channel: Option<Channel>,
    },
    ChannelLeftBridge {
        bridge: Bridge,
        channel: Channel,
    },
    PlaybackFinished {
        playback: Playback,
    },
    RecordingFinished {
        recording: Recording,
    },
    RecordingFailed {
        recording: Recording,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct Channel {
    pub id: String,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub caller: Party,
    #[serde(default)]
    pub dialplan: Place,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Party {
    #[serde(default)]
    pub number: String,
}

/// Where in the dialplan a channel is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Place {
    #[serde(default)]
    pub app_name: String,
    #[serde(default)]
    pub app_data: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Bridge {
    pub id: String,
    #[serde(default)]
    pub channels: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Playback {
    pub id: String,
    #[serde(default)]
    pub state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Recording {
    pub name: String,
    #[serde(default)]
    pub duration: Option<i64>,
    #[serde(default)]
    pub talking_duration: Option<i64>,
}

impl Recording {
    /// Somebody spoke, as far as Asterisk can tell.
    pub(super) fn has_words(&self) -> bool {
        self.talking_duration.or(self.duration).unwrap_or(0) > 0
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Info {
    pub status: Option<Status>,
    pub system: Option<System>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub startup_time: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct System {
    pub version: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Variable {
    pub value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sound {
    pub id: String,
    #[serde(default)]
    pub formats: Vec<SoundFormat>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SoundFormat {
    pub language: String,
}

/// The end of a line by its Q.850 number, as Asterisk uses them. `up`: somebody had picked up. `rang`: it rang.
pub(super) const fn cause(q850: i64, rang: bool, up: bool) -> Cause {
    match (q850, up) {
        // No sound came any more.
        (44, _) => Cause::Lost,
        (38 | 41 | 102 | 111 | 127, true) => Cause::Lost,
        (_, true) => Cause::HungUp,
        (1 | 22 | 28, false) => Cause::Unallocated,
        (17, false) => Cause::Busy,
        (21, false) => Cause::Rejected,
        // "Nobody answered" is also said where nothing ever rang.
        (0 | 16 | 19, false) if rang => Cause::NoAnswer,
        (2 | 3 | 18 | 19 | 20 | 27 | 102, false) => Cause::Unreachable,
        (34 | 42 | 43, false) => Cause::Congestion,
        (_, false) => Cause::Failed,
    }
}
