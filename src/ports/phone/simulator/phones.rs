//! What a person does with the phones of the simulator, and what the phones show. What the bridge does to them
//! is beside it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Leg, Simulator, State};
use crate::domain::call::{Cause, LegId, Prompt};
use crate::i18n::Lang;
use crate::ports::phone::keys::{CODE_PAUSE_MS, Window};
use crate::ports::phone::{BridgeError, BridgeEvent, Fallback, Inbound, MESSAGE_MAX_BYTES, prompts};

/// Phones that may be in use at once; a person plays them.
const PHONES_MAX: usize = 100;
/// Keys somebody presses in one go.
const KEYS_MAX: usize = 32;
/// A prompt of the demo takes no longer; the machine counts on at most twelve seconds.
const PROMPT_MAX_MS: u64 = 11_000;
/// Speaking takes this long per character.
const JA_CHAR_MS: u64 = 130;
const EN_CHAR_MS: u64 = 65;
/// Telephone sound: samples per second, bytes per sample.
const RATE: u32 = 8_000;
const SAMPLE_BYTES: u32 = 2;
const WAV_HEADER_BYTES: usize = 44;

/// A phone in use, or that was until a moment ago. Its `Debug` shows no number.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    pub leg: LegId,
    /// The phone's own number, as it is written in Japan; empty where it hides it.
    pub number: String,
    /// What its display shows: who is calling, or what was dialled.
    pub display: String,
    pub state: PhoneState,
    /// It called us.
    pub called_us: bool,
    /// What was heard on it, oldest first.
    pub heard: Vec<Heard>,
    /// Whether the last of it is still being said.
    pub speaking: bool,
    /// What is said on it now becomes the message.
    pub recording: bool,
    /// The phones it talks with.
    pub talks_with: Vec<LegId>,
    pub lang: Lang,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone").field("leg", &self.leg).field("state", &self.state).finish_non_exhaustive()
    }
}

/// What a phone does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneState {
    /// It called us and is not answered yet.
    Calling,
    Ringing,
    Up,
    /// Its machine picked up.
    Voicemail,
    Over {
        cause: Cause,
    },
}

/// A prompt as it was heard.
#[derive(Clone, PartialEq, Eq)]
pub struct Heard {
    /// The word of the prompt: name of its sound.
    pub prompt: &'static str,
    pub text: String,
    pub lang: Lang,
    /// The caller's message, where it was part of it.
    pub message: Option<Arc<[u8]>>,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.prompt)
    }
}

/// Somebody dials one of our numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallIn {
    /// The caller's number, or `anonymous`.
    pub from: String,
    /// Our number.
    pub to: String,
}

/// Why a phone cannot do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPossible {
    #[error("this phone is not in use any more")]
    Gone,
    #[error("this phone is doing something else")]
    NotNow,
    #[error("this phone is in use")]
    Busy,
    #[error("too many phones are in use")]
    TooMany,
    #[error("the bridge is unplugged")]
    Unplugged,
}

impl Simulator {
    /// Every phone in use, and the last that were, oldest first.
    #[must_use]
    pub fn phones(&self) -> Vec<Phone> {
        let state = self.state();
        let mut phones: Vec<(Instant, Phone)> =
            state.legs.iter().map(|(id, leg)| (leg.began, phone(&state, id, leg))).collect();
        phones.sort_by(|a, b| (a.0, &a.1.leg).cmp(&(b.0, &b.1.leg)));
        phones.into_iter().map(|(_, phone)| phone).collect()
    }

    /// Rises with every change: a page that has seen this number needs nothing new.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.state().revision
    }

    /// Somebody dials one of our numbers.
    ///
    /// # Errors
    /// The phone is in use, too many are, or the bridge is unplugged: then the network plays a busy tone.
    pub fn call_in(&self, call: &CallIn) -> Result<LegId, NotPossible> {
        self.change(|state| {
            if state.unplugged {
                return Err(NotPossible::Unplugged);
            }
            if state.legs.values().filter(|leg| leg.is_live()).count() >= PHONES_MAX {
                return Err(NotPossible::TooMany);
            }
            let hidden = call.from.is_empty() || call.from == "anonymous";
            if !hidden && state.legs.values().any(|leg| leg.is_live() && leg.number == call.from) {
                return Err(NotPossible::Busy);
            }
            state.called_in += 1;
            let id = LegId::inbound(&format!("sim-{}-{}", state.lives, state.called_in));
            let inbound = Inbound { leg: id.clone(), from: call.from.clone(), to: call.to.clone() };
            let leg = Leg {
                number: if hidden { String::new() } else { call.from.clone() },
                display: call.to.clone(),
                inbound: Some(inbound.clone()),
                lang: Lang::default(),
                state: PhoneState::Calling,
                began: Instant::now(),
                gives_up: None,
                window: None,
                pause: None,
                playing: None,
                heard: Vec::new(),
                room: None,
                recording: None,
            };
            state.legs.insert(id.clone(), leg);
            state.tell(BridgeEvent::Inbound(inbound));
            Ok(id)
        })
    }

    /// A person picks the ringing phone up.
    ///
    /// # Errors
    /// It does not ring.
    pub fn pick_up(&self, leg: &LegId) -> Result<(), NotPossible> {
        self.picked_up(leg, PhoneState::Up)
    }

    /// Nobody picks it up and its machine answers.
    ///
    /// # Errors
    /// It does not ring.
    pub fn let_go_to_voicemail(&self, leg: &LegId) -> Result<(), NotPossible> {
        self.picked_up(leg, PhoneState::Voicemail)
    }

    fn picked_up(&self, id: &LegId, to: PhoneState) -> Result<(), NotPossible> {
        self.change(|state| {
            let leg = state.live(id)?;
            if leg.state != PhoneState::Ringing {
                return Err(NotPossible::NotNow);
            }
            leg.state = to;
            leg.gives_up = None;
            state.tell(BridgeEvent::Answered { leg: id.clone() });
            Ok(())
        })
    }

    /// Presses keys, one after the other; what is no key is skipped.
    ///
    /// # Errors
    /// Nobody holds this phone.
    pub fn press(&self, id: &LegId, keys: &str) -> Result<(), NotPossible> {
        self.change(|state| {
            if state.live(id)?.state != PhoneState::Up {
                return Err(NotPossible::NotNow);
            }
            for key in keys.chars().filter(|k| k.is_ascii_digit() || matches!(k, '*' | '#')).take(KEYS_MAX) {
                state.key(id, key);
            }
            Ok(())
        })
    }

    /// Says the message that is being recorded. `sound`: a WAV from a microphone; without it, a tone as long as
    /// the phone was open.
    ///
    /// # Errors
    /// Nothing is being recorded on this phone.
    pub fn speak(&self, id: &LegId, sound: Option<Vec<u8>>) -> Result<(), NotPossible> {
        let sound = sound.filter(|wav| (WAV_HEADER_BYTES..=MESSAGE_MAX_BYTES).contains(&wav.len()));
        self.change(|state| {
            if state.live(id)?.recording.is_none() {
                return Err(NotPossible::NotNow);
            }
            state.stop_recording(id, sound);
            Ok(())
        })
    }

    /// Hangs up, or declines while it rings.
    ///
    /// # Errors
    /// The phone is not in use.
    pub fn hang_up(&self, id: &LegId) -> Result<(), NotPossible> {
        self.change(|state| {
            let cause = match state.live(id)?.state {
                PhoneState::Ringing => Cause::Rejected,
                _ => Cause::HungUp,
            };
            state.end(id, cause);
            Ok(())
        })
    }

    /// The bridge goes down, and with it every line. Nothing is told: whoever listens only notices silence.
    pub fn unplug(&self) {
        self.change(|state| {
            state.unplugged = true;
            state.ear = None;
            state.recordings.clear();
            for leg in state.legs.values_mut().filter(|leg| leg.is_live()) {
                leg.state = PhoneState::Over { cause: Cause::Lost };
                (leg.gives_up, leg.pause, leg.window, leg.room) = (None, None, None, None);
                (leg.playing, leg.recording) = (None, None);
            }
        });
    }

    /// It comes back, with no line.
    pub fn plug_in(&self) {
        self.change(|state| {
            if std::mem::take(&mut state.unplugged) {
                state.lives += 1;
            }
        });
    }

    /// Whether it is unplugged.
    #[must_use]
    pub fn is_unplugged(&self) -> bool {
        self.state().unplugged
    }

    /// Whom each number would ring if touban were down.
    #[must_use]
    pub fn fallback(&self) -> Vec<Fallback> {
        self.state().fallback.clone()
    }
}

impl State {
    fn live(&mut self, id: &LegId) -> Result<&mut Leg, NotPossible> {
        self.legs.get_mut(id).filter(|leg| leg.is_live()).ok_or(NotPossible::Gone)
    }

    fn key(&mut self, id: &LegId, key: char) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        if key == '#' && leg.recording.is_some() {
            return self.stop_recording(id, None);
        }
        let keyed = leg.window.as_mut().and_then(|window| window.press(key));
        let waits = leg.window.as_ref().is_some_and(Window::waits_for_pause);
        leg.pause = waits.then(|| Instant::now() + Duration::from_millis(CODE_PAUSE_MS));
        if let Some((gather, digits)) = keyed {
            let (gather, what) = (gather.number, gather.what);
            self.tell(BridgeEvent::Keys { leg: id.clone(), gather, what, digits });
        }
    }
}

fn phone(state: &State, id: &LegId, leg: &Leg) -> Phone {
    let with = |(other, l): (&LegId, &Leg)| {
        (other != id && leg.room.is_some() && l.room == leg.room).then(|| other.clone())
    };
    Phone {
        leg: id.clone(),
        number: leg.number.clone(),
        display: leg.display.clone(),
        state: leg.state,
        called_us: leg.inbound.is_some(),
        heard: leg.heard.clone(),
        speaking: leg.playing.is_some(),
        recording: leg.recording.is_some(),
        talks_with: state.legs.iter().filter_map(with).collect(),
        lang: leg.lang,
    }
}

/// How long a prompt is spoken in the demo, in milliseconds.
pub(super) fn spoken_ms(lang: Lang, prompt: Prompt) -> u64 {
    let Some(words) = prompts::words(lang, prompt.code()) else {
        return 0;
    };
    let per_char = match lang {
        Lang::Ja => JA_CHAR_MS,
        Lang::En => EN_CHAR_MS,
    };
    let chars = u64::try_from(words.shown.chars().count()).unwrap_or(u64::MAX);
    chars.saturating_mul(per_char).saturating_add(words.pause_ms).min(PROMPT_MAX_MS)
}

/// How long a recorded message takes, in milliseconds.
pub(super) fn message_ms(wav: Option<&[u8]>) -> u64 {
    let bytes = wav.map_or(0, |wav| wav.len().saturating_sub(WAV_HEADER_BYTES));
    u64::try_from(bytes).unwrap_or(0) * 1_000 / u64::from(RATE * SAMPLE_BYTES)
}

/// A quiet tone as a WAV of telephone quality: stands for a voice where there is no microphone.
pub(super) fn tone(long: Duration) -> Vec<u8> {
    const PERIOD: i32 = 20;
    const LOUD: i32 = 4_000;
    let most = u32::try_from(MESSAGE_MAX_BYTES.saturating_sub(WAV_HEADER_BYTES)).unwrap_or(0) / SAMPLE_BYTES;
    let samples = u32::try_from(long.as_millis() * u128::from(RATE) / 1_000).unwrap_or(most).min(most);
    let bytes = samples * SAMPLE_BYTES;
    let mut wav = Vec::new();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + bytes).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16u32.to_le_bytes());
    wav.extend_from_slice(&1u16.to_le_bytes());
    wav.extend_from_slice(&1u16.to_le_bytes());
    wav.extend_from_slice(&RATE.to_le_bytes());
    wav.extend_from_slice(&(RATE * SAMPLE_BYTES).to_le_bytes());
    wav.extend_from_slice(&2u16.to_le_bytes());
    wav.extend_from_slice(&16u16.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&bytes.to_le_bytes());
    // A triangle: 400 Hz, no need of a sine.
    let triangle = |i: u32| {
        let at = i32::try_from(i % PERIOD.unsigned_abs()).unwrap_or(0);
        let up = if at < PERIOD / 2 { at } else { PERIOD - at };
        i16::try_from(LOUD * (2 * up - PERIOD / 2) / (PERIOD / 2)).unwrap_or(0)
    };
    wav.extend((0..samples).flat_map(|i| triangle(i).to_le_bytes()));
    wav
}

/// The bridge cannot be spoken to.
pub(super) fn unplugged() -> BridgeError {
    BridgeError::temporary("the simulator is unplugged")
}
