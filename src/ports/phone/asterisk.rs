//! An Asterisk as phone bridge, over ARI: orders by HTTP, events by WebSocket. Proven with version 22 and the
//! configuration in `config/asterisk`; the surprises of ARI are named where they are met.

mod ari;
mod fallback;
mod listen;
mod memory;
mod messages;
mod settings;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, join_all};
use tokio::sync::mpsc;
use tracing::warn;

use self::ari::Ari;
use self::memory::{Memory, Play};
pub use self::settings::{AsteriskSettings, SettingsError};
use self::told::{Bridge, Channel, Info, Sound, Variable};
use super::prompts;
use super::{
    BridgeError, BridgeEvent, EVENTS_AHEAD, Events, Fallback, Inbound, MESSAGE_MAX_BYTES, Order, PhoneBridge,
    View,
};
use crate::domain::call::number::Line;
use crate::domain::call::{Cause, Collect, Command, Gather, LegId, LegSeen, Prompt};
use crate::ids::CallId;
use crate::time::Millis;

/// The name of our application in the dialplan.
const APP: &str = "touban";
/// Where phones that we ring land when they are picked up. Not our application itself: whoever picks up while
/// touban restarts would be cut off.
const LEG_CONTEXT: &str = "touban-leg";
/// A message ends after this much silence, in seconds.
const MESSAGE_SILENCE_S: &str = "4";
/// On the channel, so that they outlast this process: the prompt that plays, and the window of keys in the room.
const PLAY_VARIABLE: &str = "TOUBAN_PLAY";
const KEYS_VARIABLE: &str = "TOUBAN_KEYS";
/// Modules without which calls do not work, or without which people are connected who did not press 1.
const MODULES: [&str; 4] = ["app_stack.so", "app_read.so", "app_dial.so", "chan_bridge_media.so"];
/// Modules that do harm, and the harm. Device states: when the event stream closes while a phone changes its state,
/// Asterisk 20 and 22 wait for themselves for ever, and no event stream opens again until Asterisk is restarted
/// (asterisk/asterisk issue 2170).
const UNWANTED_MODULES: [(&str, &str); 2] = [
    ("bridge_native_rtp.so", "a 9 pressed while talking is not heard"),
    ("res_stasis_device_state.so", "after a restart of touban the bridge may never be heard again"),
];

/// One Asterisk.
#[derive(Clone, Debug)]
pub struct AsteriskBridge {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ari: Ari,
    settings: AsteriskSettings,
    memory: Mutex<Memory>,
}

impl AsteriskBridge {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// [`SettingsError`] for settings that cannot be used.
    pub fn new(settings: AsteriskSettings) -> Result<Self, SettingsError> {
        let ari = Ari::new(&settings)?;
        Ok(Self { inner: Arc::new(Inner { ari, settings, memory: Mutex::default() }) })
    }
}

impl Inner {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells something that the bridge did not. Never waits: whoever gives orders may be the one who listens.
    fn tell(&self, event: BridgeEvent) {
        let ear = self.memory().ear.clone();
        if ear.is_some_and(|ear| ear.try_send(Ok(event)).is_err()) {
            warn!("Nobody heard an event of the phone bridge; the order will be given again");
        }
    }

    fn may_order(&self) -> Result<(), BridgeError> {
        let memory = self.memory();
        if memory.superseded {
            return Err(BridgeError::Superseded);
        }
        match &memory.ear {
            Some(ear) if !ear.is_closed() => Ok(()),
            _ => Err(BridgeError::temporary("the event stream is not open")),
        }
    }

    async fn obey(&self, order: &Order) -> Result<(), BridgeError> {
        self.may_order()?;
        match &order.command {
            Command::Answer { leg } => {
                self.ari.post(&["channels", leg.as_str(), "answer"], &[]).await?.done_or_gone()
            }
            Command::Dial { leg, to, ring_s } => self.dial(order, leg, to, *ring_s).await,
            Command::Prompt { leg, play, prompt, gather, room } => {
                self.prompt(order, leg, *play, *prompt, *gather, *room).await
            }
            Command::Hush { leg } => self.hush(leg).await,
            Command::Join { legs, keys } => self.join(&order.call, legs, *keys).await,
            Command::Leave { leg } => self.leave(&order.call, leg).await,
            Command::HangUp { leg, .. } => self.ari.delete(&["channels", leg.as_str()]).await?.done_or_gone(),
            Command::CloseRoom => self.close_room(&order.call).await,
            Command::Record { leg, recording, max_s } => {
                self.record(&order.call, leg, *recording, *max_s).await
            }
            Command::StopRecording { recording } => self.stop_recording(&order.call, *recording).await,
            Command::DeleteRecording { recording } => {
                let name = memory::recording(&order.call, *recording);
                // Running or finished: both are gone afterwards.
                self.ari.delete(&["recordings", "live", &name]).await?.done_or_gone()?;
                self.ari.delete(&["recordings", "stored", &name]).await?.done_or_gone()
            }
        }
    }

    async fn dial(&self, order: &Order, leg: &LegId, to: &Line, ring_s: i64) -> Result<(), BridgeError> {
        self.memory().leg(leg);
        let endpoint = self.settings.endpoint(to.number());
        // Without a number of ours it goes out as anonymous, which many phones refuse.
        let (shown, ring_s) = (order.shown.shown(), ring_s.to_string());
        let query = [
            ("endpoint", endpoint.as_str()),
            ("context", LEG_CONTEXT),
            ("extension", "s"),
            ("priority", "1"),
            ("callerId", &shown),
            ("timeout", &ring_s),
        ];
        let answer = self.ari.post(&["channels", leg.as_str()], &query).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        // "Exists already" is also said of an unknown trunk: only looking tells.
        if answer.status.as_u16() == 409
            && self.ari.get(&["channels", leg.as_str()], &[]).await?.status.is_success()
        {
            return Ok(());
        }
        self.memory().legs.remove(leg);
        Err(answer.refusal())
    }

    async fn prompt(
        &self,
        order: &Order,
        leg: &LegId,
        number: u32,
        prompt: Prompt,
        gather: Option<Gather>,
        room: bool,
    ) -> Result<(), BridgeError> {
        let mut media = format!("sound:touban/{}", prompt.code());
        let file = match &order.message {
            Some(sound) if prompt == Prompt::MessageThenCallingBack => self.lay_out(leg, number, sound).await,
            _ => None,
        };
        if let Some(path) = file.as_deref().and_then(|path| path.to_str()) {
            // Asterisk adds the ending itself.
            media = format!("{media},sound:{}", path.trim_end_matches(".wav"));
        }
        let before = {
            let mut memory = self.memory();
            let known = memory.leg(leg);
            if !room || gather.is_some() {
                known.ask(gather);
            }
            known.play.replace(Play { number, file })
        };
        let id = Play::id(leg, number);
        let note = [("variable", PLAY_VARIABLE), ("value", id.as_str())];
        let path = ["channels", leg.as_str(), "variable"];
        let (stopped, noted) = tokio::join!(self.stop(leg, before), self.ari.post(&path, &note));
        stopped?;
        noted?.done_or_gone()?;
        let query = [("media", media.as_str()), ("lang", prompts::folder(order.lang))];
        if room {
            let name = memory::room(&order.call);
            let answer = self.ari.post(&["bridges", &name, "play", &id], &query).await?;
            if answer.status.as_u16() != 404 {
                return answer.done_or_gone();
            }
        }
        self.ari.post(&["channels", leg.as_str(), "play", &id], &query).await?.done_or_gone()
    }

    async fn stop(&self, leg: &LegId, play: Option<Play>) -> Result<(), BridgeError> {
        let Some(play) = play else {
            return Ok(());
        };
        if let Some(file) = play.file {
            self.forget_file(file);
        }
        self.ari.delete(&["playbacks", &Play::id(leg, play.number)]).await?.done_or_gone()
    }

    /// Before joining, leaving and recording: ARI keeps these waiting for the end of a prompt, or of a tone for ever.
    async fn hush(&self, leg: &LegId) -> Result<(), BridgeError> {
        let play = self.memory().legs.get_mut(leg).and_then(|known| known.play.take());
        self.stop(leg, play).await
    }

    async fn join(&self, call: &CallId, legs: &[LegId; 2], keys: u32) -> Result<(), BridgeError> {
        let [first, second] = legs;
        {
            let mut memory = self.memory();
            for leg in legs {
                memory.leg(leg).ask(Some(Gather { number: keys, what: Collect::Key }));
            }
        }
        let name = memory::room(call);
        let value = keys.to_string();
        let note = [("variable", KEYS_VARIABLE), ("value", value.as_str())];
        let paths = legs.each_ref().map(|leg| ["channels", leg.as_str(), "variable"]);
        let room = ["bridges", name.as_str()];
        let (hushed, also, made, ..) = tokio::join!(
            self.hush(first),
            self.hush(second),
            self.ari.post(&room, &[("type", "mixing")]),
            self.ari.post(&paths[0], &note),
            self.ari.post(&paths[1], &note),
        );
        hushed?;
        also?;
        let made = made?;
        // Whoever is put in again is taken out first: only those who are missing.
        let inside: Vec<String> = match made.status.as_u16() {
            200 => Vec::new(),
            409 => self.ari.get(&["bridges", &name], &[]).await?.read::<Bridge>()?.channels,
            _ => return Err(made.refusal()),
        };
        let (there, missing): (Vec<&LegId>, Vec<&LegId>) =
            legs.iter().partition(|leg| inside.iter().any(|id| id == leg.as_str()));
        for leg in there {
            self.memory().leg(leg).room = Some(call.clone());
            self.tell(BridgeEvent::Joined { leg: leg.clone() });
        }
        let added = join_all(missing.into_iter().map(|leg| self.add(&name, leg))).await;
        added.into_iter().collect()
    }

    async fn add(&self, room: &str, leg: &LegId) -> Result<(), BridgeError> {
        let query = [
            ("channel", leg.as_str()),
            // The other side does not hear keys, and no phone is asked to change its display or its sound.
            ("absorbDTMF", "true"),
            ("inhibitConnectedLineUpdates", "true"),
        ];
        let answer = self.ari.post(&["bridges", room, "addChannel"], &query).await?;
        // 400: no such channel. Its end is told by itself.
        if answer.status.as_u16() == 400 { Ok(()) } else { answer.done_or_gone() }
    }

    async fn leave(&self, call: &CallId, leg: &LegId) -> Result<(), BridgeError> {
        self.hush(leg).await?;
        if let Some(known) = self.memory().legs.get_mut(leg) {
            known.told_to_leave = known.room.is_some();
            known.ask(None);
        }
        let name = memory::room(call);
        let query = [("channel", leg.as_str())];
        let answer = self.ari.post(&["bridges", &name, "removeChannel"], &query).await?;
        if answer.status.as_u16() == 400 { Ok(()) } else { answer.done_or_gone() }
    }

    async fn close_room(&self, call: &CallId) -> Result<(), BridgeError> {
        for known in self.memory().legs.values_mut().filter(|leg| leg.room.as_ref() == Some(call)) {
            known.told_to_leave = true;
            known.ask(None);
        }
        self.ari.delete(&["bridges", &memory::room(call)]).await?.done_or_gone()
    }

    /// A leg is out of the room and nobody told it to go.
    async fn left_or_gone(&self, leg: LegId) {
        let Ok(answer) = self.ari.get(&["channels", leg.as_str()], &[]).await else {
            return;
        };
        let hanging = self.memory().legs.get(&leg).is_none_or(|known| known.hanging);
        if !hanging && answer.read::<Channel>().is_ok_and(|channel| channel.state == "Up") {
            self.tell(BridgeEvent::Left { leg });
        }
    }

    async fn record(&self, call: &CallId, leg: &LegId, number: u32, max_s: i64) -> Result<(), BridgeError> {
        self.hush(leg).await?;
        let (name, max_s) = (memory::recording(call, number), max_s.to_string());
        let query = [
            ("name", name.as_str()),
            ("format", "wav"),
            ("maxDurationSeconds", &max_s),
            ("maxSilenceSeconds", MESSAGE_SILENCE_S),
            ("terminateOn", "#"),
            ("ifExists", "overwrite"),
            // The tone is the end of the prompt.
            ("beep", "false"),
        ];
        self.ari.post(&["channels", leg.as_str(), "record"], &query).await?.done_or_gone()
    }

    async fn stop_recording(&self, call: &CallId, number: u32) -> Result<(), BridgeError> {
        let name = memory::recording(call, number);
        let answer = self.ari.post(&["recordings", "live", &name, "stop"], &[]).await?;
        if answer.status.as_u16() != 404 {
            return answer.done_or_gone();
        }
        // It ended before, and that may not have been heard.
        let stored = self.ari.get(&["recordings", "stored", &name], &[]).await?;
        let usable = stored.status.is_success();
        self.tell(BridgeEvent::Recorded { call: call.clone(), recording: number, usable });
        Ok(())
    }

    async fn message(&self, call: &CallId, number: u32) -> Result<Option<Vec<u8>>, BridgeError> {
        let name = memory::recording(call, number);
        let answer = self.ari.get(&["recordings", "stored", &name, "file"], &[]).await?;
        match answer.status.as_u16() {
            200 if answer.body.len() <= MESSAGE_MAX_BYTES => Ok(Some(answer.body)),
            200 => Err(BridgeError::Refused {
                reason: "the message is too long".to_owned(),
                cause: Cause::Failed,
            }),
            404 => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    // ---- the view ---------------------------------------------------------------------------------

    async fn snapshot(&self, asked: Millis) -> Result<View, BridgeError> {
        let info: Info = self.ari.get(&["asterisk", "info"], &[("only", "status")]).await?.read()?;
        let generation = info.status.ok_or_else(|| BridgeError::temporary("ARI tells no start time"))?;
        let channels: Vec<Channel> = self.ari.get(&["channels"], &[]).await?.read()?;
        let bridges: Vec<Bridge> = self.ari.get(&["bridges"], &[]).await?.read()?;
        let rooms: BTreeMap<&str, CallId> = bridges
            .iter()
            .filter_map(|bridge| Some((bridge, memory::room_of(&bridge.id)?)))
            .flat_map(|(bridge, call)| bridge.channels.iter().map(move |id| (id.as_str(), call.clone())))
            .collect();
        let mut view = View {
            generation: generation.startup_time,
            taken: asked,
            legs: BTreeMap::new(),
            inbound: Vec::new(),
        };
        let mut unknown = Vec::new();
        for channel in channels {
            let Some((leg, seen, inbound)) = seen(&channel, rooms.contains_key(channel.id.as_str())) else {
                continue;
            };
            view.legs.insert(leg.clone(), seen);
            view.inbound.extend(inbound);
            let mut memory = self.memory();
            if !memory.legs.contains_key(&leg) {
                unknown.push(leg.clone());
            }
            let known = memory.leg(&leg);
            known.rang = true;
            known.up |= seen != LegSeen::Ringing;
            known.room = rooms.get(channel.id.as_str()).cloned();
        }
        // What ended while nobody listened is not told any more.
        let there: BTreeSet<LegId> = view.legs.keys().cloned().collect();
        self.memory().legs.retain(|leg, known| there.contains(leg) || !known.rang);
        for leg in unknown.into_iter().filter(|leg| view.legs.get(leg) != Some(&LegSeen::Ringing)) {
            self.remember(&leg).await?;
        }
        Ok(view)
    }

    /// What another life of this process left on the channel.
    async fn remember(&self, leg: &LegId) -> Result<(), BridgeError> {
        let path = ["channels", leg.as_str(), "variable"];
        let play = self.ari.get(&path, &[("variable", PLAY_VARIABLE)]).await?.read::<Variable>().ok();
        let keys = self.ari.get(&path, &[("variable", KEYS_VARIABLE)]).await?.read::<Variable>().ok();
        let mut memory = self.memory();
        let known = memory.leg(leg);
        let number = play.and_then(|variable| Play::parse(&variable.value)).map(|(_, number)| number);
        known.play = number.map(|number| Play { number, file: None });
        if known.room.is_some() {
            let number = keys.and_then(|variable| variable.value.parse().ok());
            known.ask(number.map(|number| Gather { number, what: Collect::Key }));
        }
        Ok(())
    }

    // ---- whether it will work ---------------------------------------------------------------------

    async fn check(&self) -> Result<Vec<String>, BridgeError> {
        let mut wrong = Vec::new();
        let info: Info = self.ari.get(&["asterisk", "info"], &[("only", "system")]).await?.read()?;
        let version = info.system.map(|system| system.version).unwrap_or_default();
        if !version.starts_with("22.") {
            wrong.push(format!("Asterisk {version} answers; touban is tested with version 22."));
        }
        for module in MODULES {
            if !self.ari.get(&["asterisk", "modules", module], &[]).await?.status.is_success() {
                wrong.push(format!("Asterisk has not loaded {module}; see config/asterisk/modules.conf."));
            }
        }
        for (module, harm) in UNWANTED_MODULES {
            if self.ari.get(&["asterisk", "modules", module], &[]).await?.status.is_success() {
                wrong.push(format!("Asterisk has loaded {module}: {harm}. Take it out of modules.conf."));
            }
        }
        if let Some(trunk) = self.settings.trunk()
            && !self.ari.get(&["endpoints", "PJSIP", trunk], &[]).await?.status.is_success()
        {
            wrong.push(format!("Asterisk knows no trunk {trunk}; see config/asterisk/pjsip.conf."));
        }
        let sounds: Vec<Sound> = self.ari.get(&["sounds"], &[]).await?.read()?;
        let missing = missing_sounds(&sounds);
        if !missing.is_empty() {
            wrong.push(format!(
                "Asterisk lacks the sounds {}. Make them with scripts/prompts, put them into its folder of sounds, and restart it.",
                missing.join(", ")
            ));
        }
        wrong.extend(self.settings.unwritable());
        Ok(wrong)
    }
}

/// A channel that is ours, and how it looks.
fn seen(channel: &Channel, in_room: bool) -> Option<(LegId, LegSeen, Option<Inbound>)> {
    let leg = LegId::inbound(&channel.id);
    let in_our_hands = channel.dialplan.app_name == "Stasis";
    let place = |up: bool| match (up, in_our_hands, in_room) {
        (false, ..) => LegSeen::Ringing,
        (true, _, true) => LegSeen::InRoom,
        (true, true, false) => LegSeen::Up,
        (true, false, false) => LegSeen::UpElsewhere,
    };
    if leg.call().is_some() {
        return Some((leg, place(channel.state == "Up"), None));
    }
    // `touban,inbound,0312345678`: nobody else's calls, and none that the dialplan rings by itself.
    let mut data = channel.dialplan.app_data.splitn(3, ',');
    let ours = in_our_hands && data.next() == Some(APP) && data.next() == Some("inbound");
    ours.then(|| {
        let to = data.next().unwrap_or_default().to_owned();
        let inbound = Inbound { leg: leg.clone(), from: channel.caller.number.clone(), to };
        (leg, place(true), Some(inbound))
    })
}

/// Every prompt without a sound, as `ja/screen`.
fn missing_sounds(sounds: &[Sound]) -> Vec<String> {
    let there: BTreeSet<(&str, &str)> = sounds
        .iter()
        .filter_map(|sound| Some((sound.id.strip_prefix("touban/")?, &sound.formats)))
        .flat_map(|(code, formats)| formats.iter().map(move |format| (format.language.as_str(), code)))
        .collect();
    let codes = prompts::ALL.iter().map(|prompt| prompt.code()).chain(prompts::FALLBACK);
    codes
        .flat_map(|code| ["ja", "en"].map(|language| (language, code)))
        .filter(|wanted| !there.contains(wanted))
        .map(|(language, code)| format!("{language}/{code}"))
        .collect()
}

impl PhoneBridge for AsteriskBridge {
    fn listen(&self) -> BoxFuture<'_, Result<Events, BridgeError>> {
        Box::pin(async move {
            let socket = listen::open(&self.inner).await?;
            self.inner.sweep().await;
            let (ear, events) = mpsc::channel(EVENTS_AHEAD);
            let listening = {
                let mut memory = self.inner.memory();
                memory.ear = Some(ear.clone());
                memory.superseded = false;
                memory.listening += 1;
                memory.listening
            };
            tokio::spawn(listen::hear(Arc::clone(&self.inner), socket, ear, listening));
            Ok(Events::new(events))
        })
    }

    fn obey<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<(), BridgeError>> {
        Box::pin(self.inner.obey(order))
    }

    fn snapshot(&self, asked: Millis) -> BoxFuture<'_, Result<View, BridgeError>> {
        Box::pin(self.inner.snapshot(asked))
    }

    fn message<'a>(
        &'a self,
        call: &'a CallId,
        recording: u32,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BridgeError>> {
        Box::pin(self.inner.message(call, recording))
    }

    fn set_fallback<'a>(&'a self, plans: &'a [Fallback]) -> BoxFuture<'a, Result<(), BridgeError>> {
        Box::pin(self.inner.set_fallback(plans))
    }

    fn check(&self) -> BoxFuture<'_, Result<Vec<String>, BridgeError>> {
        Box::pin(self.inner.check())
    }
}
