//! The bridge of the demo: no network and no sound card, a person plays every phone. It keeps the state of the
//! phones and obeys like a real bridge. The page on which they are played is elsewhere.

mod phones;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

pub use phones::{CallIn, Heard, NotPossible, Phone, PhoneState};

use super::keys::Window;
use super::prompts;
use super::{
    BridgeError, BridgeEvent, EVENTS_AHEAD, Events, Fallback, Inbound, MESSAGE_MAX_BYTES, Order, PhoneBridge,
    View,
};
use crate::domain::call::{Cause, Collect, Command, Gather, LegId, LegSeen, Prompt};
use crate::i18n::Lang;
use crate::ids::CallId;
use crate::time::Millis;

/// Phones that have hung up and are still shown.
const ENDED_KEPT: usize = 40;
/// Prompts a phone remembers.
const HEARD_KEPT: usize = 40;
/// Recordings kept until they are deleted.
const RECORDINGS_KEPT: usize = 100;
/// A shorter recording holds no words.
const MESSAGE_MIN: Duration = Duration::from_millis(1_000);
/// The page is told of a change at the latest then, and the timers are looked at.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// The phones of the demo, and the bridge to them.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Something changed: timers are looked at again.
    wake: Notify,
}

#[derive(Default)]
struct State {
    legs: BTreeMap<LegId, Leg>,
    /// Raised at every change.
    revision: u64,
    /// How often the bridge has started.
    lives: u32,
    unplugged: bool,
    /// Names of inbound legs.
    called_in: u64,
    ear: Option<mpsc::Sender<Result<BridgeEvent, BridgeError>>>,
    /// How often somebody began to listen: an older listening ends.
    listening: u64,
    recordings: BTreeMap<(CallId, u32), Vec<u8>>,
    fallback: Vec<Fallback>,
}

/// One line, seen from the phone at its far end.
struct Leg {
    /// The number of this phone, as it is written in Japan.
    number: String,
    /// What its display shows.
    display: String,
    /// Who called us, and not the other way round.
    inbound: Option<Inbound>,
    lang: Lang,
    state: PhoneState,
    began: Instant,
    /// The bridge stops ringing then.
    gives_up: Option<Instant>,
    window: Option<Window>,
    /// A code without an end is complete then.
    pause: Option<Instant>,
    playing: Option<Playing>,
    heard: Vec<Heard>,
    room: Option<CallId>,
    recording: Option<Recording>,
}

struct Playing {
    play: u32,
    ends: Instant,
}

struct Recording {
    call: CallId,
    number: u32,
    since: Instant,
    until: Instant,
}

impl Leg {
    fn is_live(&self) -> bool {
        !matches!(self.state, PhoneState::Over { .. })
    }

    fn is_up(&self) -> bool {
        matches!(self.state, PhoneState::Up | PhoneState::Voicemail)
    }

    fn due(&self) -> Option<Instant> {
        let playing = self.playing.as_ref().map(|p| p.ends);
        let recording = self.recording.as_ref().map(|r| r.until);
        [self.gives_up, self.pause, playing, recording].into_iter().flatten().min()
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Simulator {
    #[must_use]
    pub fn new() -> Self {
        let state = State { lives: 1, ..State::default() };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), wake: Notify::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and lets timers and pages know.
    fn change<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        let done = {
            let mut state = self.state();
            let done = with(&mut state);
            state.revision += 1;
            done
        };
        self.shared.wake.notify_one();
        done
    }
}

/// Lets time pass for the phones while somebody listens.
async fn keep_time(shared: Arc<Shared>, listening: u64) {
    loop {
        let next = {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.listening != listening || state.ear.is_none() {
                return;
            }
            let now = Instant::now();
            state.pass(now);
            state.legs.values().filter_map(Leg::due).min().unwrap_or(now + LOOK_AT_LEAST_EVERY)
        };
        // Either something changed or the time has come: both are looked at above.
        let _ = tokio::time::timeout_at(next, shared.wake.notified()).await;
    }
}

impl State {
    fn tell(&mut self, event: BridgeEvent) {
        // Nobody listens, or far too slowly: as with a real bridge, what is not heard is not told again.
        if self.ear.as_ref().is_some_and(|ear| ear.try_send(Ok(event)).is_err()) {
            self.ear = None;
        }
    }

    /// Everything that is due by `now`.
    fn pass(&mut self, now: Instant) {
        let due: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, leg)| leg.due().is_some_and(|at| at <= now))
            .map(|(id, _)| id.clone())
            .collect();
        if !due.is_empty() {
            self.revision += 1;
        }
        for id in due {
            self.pass_for(&id, now);
        }
    }

    fn pass_for(&mut self, id: &LegId, now: Instant) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        if leg.gives_up.is_some_and(|at| at <= now) {
            return self.end(id, Cause::NoAnswer);
        }
        if leg.pause.is_some_and(|at| at <= now) {
            leg.pause = None;
            let keyed = leg.window.as_mut().and_then(Window::pause);
            if let Some((Gather { number: gather, what }, digits)) = keyed {
                self.tell(BridgeEvent::Keys { leg: id.clone(), gather, what, digits });
            }
        }
        if self.legs.get(id).and_then(|l| l.playing.as_ref()).is_some_and(|p| p.ends <= now) {
            self.quiet(id);
        }
        if self.legs.get(id).and_then(|l| l.recording.as_ref()).is_some_and(|r| r.until <= now) {
            self.stop_recording(id, None);
        }
    }

    /// Nothing plays on the leg any more; whoever waits for the end of it is told.
    fn quiet(&mut self, id: &LegId) {
        let Some(play) = self.legs.get_mut(id).and_then(|leg| leg.playing.take()).map(|p| p.play) else {
            return;
        };
        self.tell(BridgeEvent::PromptEnded { leg: id.clone(), play });
    }

    fn end(&mut self, id: &LegId, cause: Cause) {
        self.quiet(id);
        self.stop_recording(id, None);
        let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.is_live()) else {
            return;
        };
        leg.state = PhoneState::Over { cause };
        (leg.gives_up, leg.pause, leg.window, leg.room) = (None, None, None, None);
        self.tell(BridgeEvent::Ended { leg: id.clone(), cause, raw: "simulator".to_owned() });
        self.forget_old();
    }

    fn forget_old(&mut self) {
        let mut over: Vec<(Instant, LegId)> = self
            .legs
            .iter()
            .filter(|(_, leg)| !leg.is_live())
            .map(|(id, leg)| (leg.began, id.clone()))
            .collect();
        over.sort();
        let many = over.len().saturating_sub(ENDED_KEPT);
        for (_, id) in over.into_iter().take(many) {
            self.legs.remove(&id);
        }
    }

    /// `sound`: what was said; without it the recording holds a tone as long as the phone was open.
    fn stop_recording(&mut self, id: &LegId, sound: Option<Vec<u8>>) {
        let Some(recording) = self.legs.get_mut(id).and_then(|leg| leg.recording.take()) else {
            return;
        };
        let long = recording.since.elapsed();
        let usable = sound.is_some() || long >= MESSAGE_MIN;
        if usable {
            let wav = sound.unwrap_or_else(|| phones::tone(long));
            self.recordings.insert((recording.call.clone(), recording.number), wav);
            if self.recordings.len() > RECORDINGS_KEPT {
                self.recordings.pop_first();
            }
        }
        self.tell(BridgeEvent::Recorded { call: recording.call, recording: recording.number, usable });
    }

    fn obey(&mut self, order: &Order) {
        match &order.command {
            Command::Answer { leg } => {
                if let Some(leg) = self.legs.get_mut(leg).filter(|leg| leg.state == PhoneState::Calling) {
                    leg.state = PhoneState::Up;
                    leg.lang = order.lang;
                }
            }
            Command::Dial { leg, to, ring_s } => self.dial(order, leg, &to.number().shown(), *ring_s),
            Command::Prompt { leg, play, prompt, gather, room } => {
                self.prompt(order, leg, *play, *prompt, *gather, *room);
            }
            Command::Hush { leg } => self.quiet(leg),
            Command::Join { legs, keys } => self.join(&order.call, legs, *keys),
            Command::Leave { leg } => self.leave(leg),
            Command::HangUp { leg, cause } => self.end(leg, *cause),
            Command::CloseRoom => {
                let inside: Vec<LegId> = self
                    .legs
                    .iter()
                    .filter(|(_, leg)| leg.room.as_ref() == Some(&order.call))
                    .map(|(id, _)| id.clone())
                    .collect();
                for id in inside {
                    self.leave(&id);
                }
            }
            Command::Record { leg, recording, max_s } => {
                let since = Instant::now();
                let until = since + Duration::from_secs((*max_s).try_into().unwrap_or(0));
                if let Some(leg) = self.legs.get_mut(leg).filter(|leg| leg.is_up()) {
                    leg.recording =
                        Some(Recording { call: order.call.clone(), number: *recording, since, until });
                }
            }
            Command::StopRecording { recording } => {
                let running = |leg: &Leg| {
                    leg.recording.as_ref().is_some_and(|r| r.call == order.call && r.number == *recording)
                };
                let found = self.legs.iter().find(|(_, leg)| running(leg)).map(|(id, _)| id.clone());
                match found {
                    Some(id) => self.stop_recording(&id, None),
                    None => {
                        let usable = self.recordings.contains_key(&(order.call.clone(), *recording));
                        let (call, recording) = (order.call.clone(), *recording);
                        self.tell(BridgeEvent::Recorded { call, recording, usable });
                    }
                }
            }
            Command::DeleteRecording { recording } => {
                self.recordings.remove(&(order.call.clone(), *recording));
            }
        }
    }

    fn dial(&mut self, order: &Order, id: &LegId, number: &str, ring_s: i64) {
        if self.legs.get(id).is_some_and(Leg::is_live) {
            return;
        }
        let busy = self.legs.values().any(|leg| leg.is_live() && leg.number == number);
        let now = Instant::now();
        let leg = Leg {
            number: number.to_owned(),
            display: order.shown.shown(),
            inbound: None,
            lang: order.lang,
            state: PhoneState::Ringing,
            began: now,
            gives_up: Some(now + Duration::from_secs(ring_s.try_into().unwrap_or(0))),
            window: None,
            pause: None,
            playing: None,
            heard: Vec::new(),
            room: None,
            recording: None,
        };
        self.legs.insert(id.clone(), leg);
        if busy {
            self.end(id, Cause::Busy);
        } else {
            self.tell(BridgeEvent::Ringing { leg: id.clone() });
        }
    }

    fn prompt(
        &mut self,
        order: &Order,
        id: &LegId,
        play: u32,
        prompt: Prompt,
        gather: Option<Gather>,
        room: bool,
    ) {
        if self.legs.get(id).is_none_or(|leg| !leg.is_up()) {
            return;
        }
        self.quiet(id);
        let said = prompts::shown(order.lang, prompt);
        let contains = prompt == Prompt::MessageThenCallingBack;
        let heard = Heard {
            prompt: prompt.code(),
            text: said.to_owned(),
            lang: order.lang,
            message: order.message.clone().filter(|_| contains),
        };
        let room = self.legs.get(id).and_then(|leg| leg.room.clone()).filter(|_| room);
        let hears = |other: &LegId, leg: &Leg| other == id || (room.is_some() && leg.room == room);
        for (_, leg) in self.legs.iter_mut().filter(|(other, leg)| hears(other, leg)) {
            leg.heard.push(heard.clone());
            let many = leg.heard.len().saturating_sub(HEARD_KEPT);
            leg.heard.drain(..many);
        }
        if let Some(leg) = self.legs.get_mut(id) {
            let long = phones::spoken_ms(order.lang, prompt) + phones::message_ms(heard.message.as_deref());
            leg.playing = Some(Playing { play, ends: Instant::now() + Duration::from_millis(long) });
            match (&mut leg.window, gather) {
                (Some(window), Some(gather)) => window.reopen(gather),
                // What is said into a room takes nobody's key away.
                (_, None) if room.is_some() => {}
                (window, gather) => *window = gather.map(Window::new),
            }
        }
    }

    fn join(&mut self, call: &CallId, legs: &[LegId; 2], keys: u32) {
        for id in legs {
            self.quiet(id);
            if let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.is_up()) {
                leg.room = Some(call.clone());
                leg.window = Some(Window::new(Gather { number: keys, what: Collect::Key }));
                self.tell(BridgeEvent::Joined { leg: id.clone() });
            }
        }
    }

    fn leave(&mut self, id: &LegId) {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.room.is_some()) else {
            return;
        };
        leg.room = None;
        leg.window = None;
        self.tell(BridgeEvent::Left { leg: id.clone() });
    }

    fn view(&self, asked: Millis) -> View {
        let seen = |leg: &Leg| match (leg.state, &leg.room) {
            (PhoneState::Ringing, _) => Some(LegSeen::Ringing),
            (PhoneState::Calling, _) => Some(LegSeen::Up),
            (PhoneState::Up | PhoneState::Voicemail, None) => Some(LegSeen::Up),
            (PhoneState::Up | PhoneState::Voicemail, Some(_)) => Some(LegSeen::InRoom),
            (PhoneState::Over { .. }, _) => None,
        };
        let live = self.legs.iter().filter(|(_, leg)| leg.is_live());
        View {
            generation: self.lives.to_string(),
            taken: asked,
            legs: live.clone().filter_map(|(id, leg)| Some((id.clone(), seen(leg)?))).collect(),
            inbound: live.filter_map(|(_, leg)| leg.inbound.clone()).collect(),
        }
    }
}

impl PhoneBridge for Simulator {
    fn listen(&self) -> BoxFuture<'_, Result<Events, BridgeError>> {
        Box::pin(async move {
            let (ear, events) = mpsc::channel(EVENTS_AHEAD);
            let listening = self.change(|state| {
                if state.unplugged {
                    return Err(phones::unplugged());
                }
                if let Some(before) = state.ear.replace(ear) {
                    let _ = before.try_send(Err(BridgeError::Superseded));
                }
                state.listening += 1;
                Ok(state.listening)
            })?;
            tokio::spawn(keep_time(Arc::clone(&self.shared), listening));
            Ok(Events::new(events))
        })
    }

    fn obey<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<(), BridgeError>> {
        Box::pin(async move {
            self.change(|state| {
                if state.ear.as_ref().is_none_or(mpsc::Sender::is_closed) {
                    return Err(BridgeError::temporary("nobody listens to the simulator"));
                }
                state.obey(order);
                Ok(())
            })
        })
    }

    fn snapshot(&self, asked: Millis) -> BoxFuture<'_, Result<View, BridgeError>> {
        Box::pin(async move {
            let state = self.state();
            if state.unplugged {
                return Err(phones::unplugged());
            }
            Ok(state.view(asked))
        })
    }

    fn message<'a>(
        &'a self,
        call: &'a CallId,
        recording: u32,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BridgeError>> {
        Box::pin(async move {
            let found = self.state().recordings.get(&(call.clone(), recording)).cloned();
            Ok(found.filter(|sound| sound.len() <= MESSAGE_MAX_BYTES))
        })
    }

    fn set_fallback<'a>(&'a self, plans: &'a [Fallback]) -> BoxFuture<'a, Result<(), BridgeError>> {
        Box::pin(async move {
            self.change(|state| state.fallback = plans.to_vec());
            Ok(())
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<Vec<String>, BridgeError>> {
        Box::pin(async move { Ok(Vec::new()) })
    }
}
