//! What the bridge itself does not keep, or does not tell: the open question of each leg, what plays on it, whether
//! it rang. Lost with the process; what must outlast it is written to the channel.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::domain::call::{Gather, LegId};
use crate::ids::CallId;
use crate::ports::phone::keys::{CODE_PAUSE_MS, Keyed, Window};
use crate::ports::phone::{BridgeError, BridgeEvent};

/// How much longer a key seems to have been held than it was: its length is counted in packets.
const KEY_SLACK: Duration = Duration::from_millis(40);

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub ear: Option<mpsc::Sender<Result<BridgeEvent, BridgeError>>>,
    /// How often somebody began to listen.
    pub listening: u64,
    pub superseded: bool,
    pub legs: BTreeMap<LegId, Leg>,
}

#[derive(Debug, Default)]
pub(super) struct Leg {
    pub rang: bool,
    pub up: bool,
    /// Its end is under way.
    pub hanging: bool,
    /// The room it stands in, as far as was told.
    pub room: Option<CallId>,
    /// We took it out of the room.
    pub told_to_leave: bool,
    pub window: Option<Window>,
    /// When the question was asked first: a key that went down before it is no answer.
    pub asked: Option<Instant>,
    /// A code without an end is complete then.
    pub pause: Option<Instant>,
    pub play: Option<Play>,
}

/// A prompt that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Play {
    pub number: u32,
    /// A caller's message in it, to be deleted after it.
    pub file: Option<PathBuf>,
}

impl Play {
    /// Its name at the bridge.
    pub(super) fn id(leg: &LegId, number: u32) -> String {
        format!("{}.{number}", leg.as_str())
    }

    pub(super) fn parse(id: &str) -> Option<(LegId, u32)> {
        let (leg, number) = id.rsplit_once('.')?;
        Some((LegId::inbound(leg), number.parse().ok()?))
    }
}

impl Memory {
    pub(super) fn leg(&mut self, id: &LegId) -> &mut Leg {
        self.legs.entry(id.clone()).or_default()
    }

    /// When the next code ends by itself.
    pub(super) fn next_pause(&self) -> Option<Instant> {
        self.legs.values().filter_map(|leg| leg.pause).min()
    }

    /// Codes that have ended by themselves.
    pub(super) fn paused(&mut self, now: Instant) -> Vec<(LegId, Keyed)> {
        let mut ended = Vec::new();
        for (id, leg) in &mut self.legs {
            if leg.pause.is_some_and(|at| at <= now) {
                leg.pause = None;
                ended.extend(leg.window.as_mut().and_then(Window::pause).map(|keyed| (id.clone(), keyed)));
            }
        }
        ended
    }
}

impl Leg {
    /// The question whose keys count from now on; `None`: keys mean nothing.
    pub(super) fn ask(&mut self, gather: Option<Gather>) {
        if self.window.as_ref().map(Window::gather) == gather {
            return;
        }
        self.window = gather.map(Window::new);
        self.asked = Some(Instant::now());
        self.pause = None;
    }

    /// A key that has just been released after `held`.
    pub(super) fn press(&mut self, key: char, held: Duration, now: Instant) -> Option<Keyed> {
        if self.asked.is_some_and(|asked| now + KEY_SLACK < asked + held) {
            return None;
        }
        let keyed = self.window.as_mut().and_then(|window| window.press(key));
        let waits = self.window.as_ref().is_some_and(Window::waits_for_pause);
        self.pause = waits.then(|| now + Duration::from_millis(CODE_PAUSE_MS));
        keyed
    }
}

/// The room of a call, as the bridge names it.
pub(super) fn room(call: &CallId) -> String {
    format!("touban-{call}-room")
}

pub(super) fn room_of(name: &str) -> Option<CallId> {
    CallId::from_stored(name.strip_prefix("touban-")?.strip_suffix("-room")?).ok()
}

/// A recording, as the bridge names it.
pub(super) fn recording(call: &CallId, number: u32) -> String {
    format!("touban-{call}-{number}")
}

pub(super) fn recording_of(name: &str) -> Option<(CallId, u32)> {
    let (call, number) = name.strip_prefix("touban-")?.rsplit_once('-')?;
    Some((CallId::from_stored(call).ok()?, number.parse().ok()?))
}
