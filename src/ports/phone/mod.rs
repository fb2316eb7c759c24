//! The phone bridge as the rest of the program sees it: what it is ordered, what it tells, how it can fail.
//! The orders themselves and their prompts stand in `domain/call`.
//!
//! Not here: a real bridge (`asterisk`), the phones of the demo (`simulator`), which keys belong to which
//! question (`keys`), the words (`prompts`), when to try again (`durable`).

mod asterisk;
mod keys;
pub mod prompts;
mod simulator;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

pub use asterisk::{AsteriskBridge, AsteriskSettings, SettingsError};
pub use simulator::{CallIn, Heard, NotPossible, Phone, PhoneState, Simulator};

use crate::domain::call::number::{Line, Number};
use crate::domain::call::{Cause, Collect, Command, LegId, LegSeen, Snapshot};
use crate::i18n::Lang;
use crate::ids::CallId;
use crate::time::Millis;

/// Events a bridge may be ahead of whoever hears them; then it waits.
pub const EVENTS_AHEAD: usize = 1_024;
/// Longest spoken message a bridge hands over, in bytes: a minute of telephone sound.
pub const MESSAGE_MAX_BYTES: usize = 1_000_000;

/// One command of a call, with what the bridge needs beside it. The orders of one call are given one after the
/// other, in the order in which they were decided; each may be given again.
#[derive(Clone)]
pub struct Order {
    pub call: CallId,
    pub command: Command,
    /// The number that rung phones show: the association's own.
    pub shown: Number,
    /// The language in which whoever is on the leg is spoken to.
    pub lang: Lang,
    /// The caller's message as the bridge handed it over, for the one prompt that contains it. Without it that
    /// prompt is said alone.
    pub message: Option<Arc<[u8]>>,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("call", &self.call)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

/// Something the bridge tells. It may come late, twice, in another order or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BridgeEvent {
    /// Somebody dialled one of our numbers. Told again, after a restart, by [`View::inbound`].
    Inbound(Inbound),
    Ringing {
        leg: LegId,
    },
    /// Picked up, by a person or a machine, and in our hands.
    Answered {
        leg: LegId,
    },
    /// Keys of the window `gather`. Where `what` is [`Collect::Pin`] they go to the PIN check and nowhere else.
    Keys {
        leg: LegId,
        gather: u32,
        what: Collect,
        digits: Digits,
    },
    PromptEnded {
        leg: LegId,
        play: u32,
    },
    /// A machine may have picked up.
    MachineSuspected {
        leg: LegId,
    },
    Joined {
        leg: LegId,
    },
    Left {
        leg: LegId,
    },
    /// `raw`: the bridge's own reason, for the record of the attempt.
    Ended {
        leg: LegId,
        cause: Cause,
        raw: String,
    },
    /// The recording of a message is over. `usable`: there is something in it.
    Recorded {
        call: CallId,
        recording: u32,
        usable: bool,
    },
}

impl BridgeEvent {
    /// The leg it is about; `None` for a recording.
    #[must_use]
    pub const fn leg(&self) -> Option<&LegId> {
        match self {
            Self::Inbound(inbound) => Some(&inbound.leg),
            Self::Ringing { leg }
            | Self::Answered { leg }
            | Self::Keys { leg, .. }
            | Self::PromptEnded { leg, .. }
            | Self::MachineSuspected { leg }
            | Self::Joined { leg }
            | Self::Left { leg }
            | Self::Ended { leg, .. } => Some(leg),
            Self::Recorded { .. } => None,
        }
    }
}

/// A line that calls us, as the network describes it. Its `Debug` shows the leg alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    pub leg: LegId,
    /// The caller's number as it came, or the word for a hidden one; not checked.
    pub from: String,
    /// What was dialled, as it came.
    pub to: String,
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").field("leg", &self.leg).finish_non_exhaustive()
    }
}

/// Keys somebody pressed. They may be a PIN: `Debug` shows stars, and the memory is wiped.
#[derive(Clone, PartialEq, Eq)]
pub struct Digits(Zeroizing<String>);

impl Digits {
    #[must_use]
    pub fn new(digits: String) -> Self {
        Self(Zeroizing::new(digits))
    }

    /// The digits themselves: to the machine for a key or a code, to the check for a PIN.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Everything the bridge holds at one moment, all calls together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Which life of the bridge it is. After another one every line was cut.
    pub generation: String,
    /// When it was asked for.
    pub taken: Millis,
    pub legs: BTreeMap<LegId, LegSeen>,
    /// Who has called us and is in our hands: those that nobody knows yet are new calls.
    pub inbound: Vec<Inbound>,
}

impl View {
    /// The part for one call: the legs that bear its name, and those `known` to it by another.
    pub fn of<'a>(&self, call: &CallId, known: impl Iterator<Item = &'a LegId>) -> Snapshot {
        let known: std::collections::BTreeSet<&LegId> = known.collect();
        let legs = self
            .legs
            .iter()
            .filter(|(id, _)| known.contains(id) || id.call().as_ref() == Some(call))
            .map(|(id, seen)| (id.clone(), *seen))
            .collect();
        Snapshot { generation: self.generation.clone(), taken: self.taken, legs }
    }
}

/// Whom a dialled number rings while touban is down, under the press-1 rule of the bridge itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The dialled number.
    pub number: Number,
    /// One after the other, at most [`FALLBACK_LINES_MAX`].
    pub lines: Vec<Line>,
}

/// Lines of one [`Fallback`].
pub const FALLBACK_LINES_MAX: usize = 6;

/// Why an order was not carried out. No reason holds a number or a name; all may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BridgeError {
    /// The bridge is away or slow. What became of the order is not known; given again it does no harm.
    #[error("the phone bridge cannot be heard: {reason}")]
    Temporary { reason: String },
    /// The bridge is there and will not do it: an unknown trunk, a missing sound. An order to dial counts as
    /// ended with `cause`; the operator must hear of it.
    #[error("the phone bridge refuses: {reason}")]
    Refused { reason: String, cause: Cause },
    /// Another touban speaks to this bridge now: this one must stop giving orders.
    #[error("another touban has taken the phone bridge over")]
    Superseded,
}

impl BridgeError {
    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Self::Temporary { reason: reason.into() }
    }

    /// Whether the same order may be given again.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }
}

/// What is heard from the bridge, in order, until it falls silent.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Result<BridgeEvent, BridgeError>>);

impl Events {
    pub(super) const fn new(from: mpsc::Receiver<Result<BridgeEvent, BridgeError>>) -> Self {
        Self(from)
    }

    /// The next event.
    ///
    /// # Errors
    /// [`BridgeError::Temporary`] when the connection is lost, [`BridgeError::Superseded`] when another touban
    /// has taken over. Nothing comes after an error; what happens meanwhile is not told later, only
    /// [`PhoneBridge::snapshot`] shows it.
    pub async fn next(&mut self) -> Result<BridgeEvent, BridgeError> {
        match self.0.recv().await {
            Some(told) => told,
            None => Err(BridgeError::temporary("the connection was closed")),
        }
    }
}

/// A phone bridge. One touban at a time: [`PhoneBridge::listen`] takes it over from whoever had it.
pub trait PhoneBridge: Send + Sync + fmt::Debug {
    /// Begins to hear the bridge, in place of an earlier listening. Take a [`PhoneBridge::snapshot`] right
    /// after it and after every loss: what happened before is not told.
    ///
    /// # Errors
    /// See [`BridgeError`].
    fn listen(&self) -> BoxFuture<'_, Result<Events, BridgeError>>;

    /// Carries out one order. It starts things and never waits for a person: a prompt that was begun, a phone
    /// that will ring. Only while somebody listens; otherwise [`BridgeError::Temporary`].
    ///
    /// # Errors
    /// See [`BridgeError`]. A leg, room or recording that is gone is no error.
    fn obey<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<(), BridgeError>>;

    /// All that the bridge holds. `asked`: now.
    ///
    /// # Errors
    /// See [`BridgeError`].
    fn snapshot(&self, asked: Millis) -> BoxFuture<'_, Result<View, BridgeError>>;

    /// The sound of a recorded message (WAV), at most [`MESSAGE_MAX_BYTES`]. `None`: there is none. It stays on
    /// the bridge until [`Command::DeleteRecording`].
    ///
    /// # Errors
    /// See [`BridgeError`].
    fn message<'a>(
        &'a self,
        call: &'a CallId,
        recording: u32,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BridgeError>>;

    /// Whom the bridge rings by itself while touban is down; replaces what was set before, and is kept over a
    /// restart of the bridge.
    ///
    /// # Errors
    /// See [`BridgeError`].
    fn set_fallback<'a>(&'a self, plans: &'a [Fallback]) -> BoxFuture<'a, Result<(), BridgeError>>;

    /// What is missing for calls to work, each as one sentence for the operator; empty when all is well.
    ///
    /// # Errors
    /// See [`BridgeError`].
    fn check(&self) -> BoxFuture<'_, Result<Vec<String>, BridgeError>>;
}
