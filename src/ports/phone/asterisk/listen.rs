//! The event stream of ARI: opened, kept alive, and turned into what the rest of the program understands.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::{Request, generate_key};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tracing::{debug, error, warn};

use super::memory::{self, Play};
use super::told::{self, Told};
use super::{APP, Inner};
use crate::domain::call::LegId;
use crate::ports::phone::keys::Keyed;
use crate::ports::phone::{BridgeError, BridgeEvent, Inbound};

/// Opening the stream takes no longer.
const OPEN_TIMEOUT: Duration = Duration::from_secs(4);
/// After this long without a word the bridge is asked whether it is there; after as long again it counts as lost.
const SILENCE: Duration = Duration::from_secs(5);
/// Longest event.
const EVENT_MAX_BYTES: usize = 1_000_000;

type Socket = WebSocketStream<TcpStream>;
type Ear = mpsc::Sender<Result<BridgeEvent, BridgeError>>;

pub(super) async fn open(inner: &Inner) -> Result<Socket, BridgeError> {
    let (host, url) = inner.ari.event_stream(APP);
    let path = url.as_str().replacen("http://", "ws://", 1);
    let request = Request::builder()
        .uri(path)
        .header("Host", &host)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .header("Authorization", inner.ari.authorization())
        .body(())
        .map_err(|_| BridgeError::temporary("the address of ARI is not usable"))?;
    let config = WebSocketConfig::default().max_message_size(Some(EVENT_MAX_BYTES));
    let opening = async {
        let stream = TcpStream::connect(&host).await.map_err(|_| "nothing answers at the address of ARI")?;
        stream.set_nodelay(true).map_err(|_| "the connection to ARI broke")?;
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        opened.map(|(socket, _)| socket).map_err(|_| "ARI refuses the event stream")
    };
    match timeout(OPEN_TIMEOUT, opening).await {
        Ok(opened) => opened.map_err(BridgeError::temporary),
        Err(_) => Err(BridgeError::temporary("ARI is slow")),
    }
}

/// Hears until the stream ends, and says why it ended.
pub(super) async fn hear(inner: Arc<Inner>, mut socket: Socket, ear: Ear, listening: u64) {
    let why = tokio::select! {
        why = hear_on(&inner, &mut socket, &ear) => why,
        () = ear.closed() => BridgeError::temporary("nobody listens any more"),
    };
    {
        let mut memory = inner.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.listening == listening {
            memory.ear = None;
            memory.superseded = why == BridgeError::Superseded;
        }
    }
    warn!("The phone bridge is not heard any more: {why}");
    // Nobody may be there to hear it.
    let _ = ear.send(Err(why)).await;
}

async fn hear_on(inner: &Arc<Inner>, socket: &mut Socket, ear: &Ear) -> BridgeError {
    let mut asked = false;
    let mut quiet_at = Instant::now() + SILENCE;
    loop {
        let pause = inner.memory.lock().unwrap_or_else(PoisonError::into_inner).next_pause();
        let wake = pause.map_or(quiet_at, |at| at.min(quiet_at));
        match timeout_at(wake, socket.next()).await {
            Ok(Some(Ok(message))) => {
                (asked, quiet_at) = (false, Instant::now() + SILENCE);
                if let Message::Text(text) = message
                    && let Err(why) = take(inner, text.as_str(), ear).await
                {
                    return why;
                }
            }
            Ok(Some(Err(_)) | None) => return BridgeError::temporary("the event stream broke"),
            Err(_) => {
                let now = Instant::now();
                let ended = inner.memory.lock().unwrap_or_else(PoisonError::into_inner).paused(now);
                for (leg, keyed) in ended {
                    if ear.send(Ok(keys(leg, keyed))).await.is_err() {
                        return BridgeError::temporary("nobody listens any more");
                    }
                }
                if now >= quiet_at {
                    if asked || socket.send(Message::Ping(Bytes::new())).await.is_err() {
                        return BridgeError::temporary("the event stream is silent");
                    }
                    (asked, quiet_at) = (true, now + SILENCE);
                }
            }
        }
    }
}

fn keys(leg: LegId, (gather, digits): Keyed) -> BridgeEvent {
    BridgeEvent::Keys { leg, gather: gather.number, what: gather.what, digits }
}

async fn take(inner: &Arc<Inner>, text: &str, ear: &Ear) -> Result<(), BridgeError> {
    let told: Told = match serde_json::from_str(text) {
        Ok(told) => told,
        Err(e) => {
            // Its text holds numbers; its shape is enough.
            warn!(line = e.line(), column = e.column(), "An event of the phone bridge is not understood");
            return Ok(());
        }
    };
    if let Told::ApplicationReplaced { application } = &told
        && application == APP
    {
        error!("Another touban has taken the phone bridge over; this one stops giving orders");
        return Err(BridgeError::Superseded);
    }
    match understand(inner, told) {
        Some(event) => {
            ear.send(Ok(event)).await.map_err(|_| BridgeError::temporary("nobody listens any more"))
        }
        None => Ok(()),
    }
}

/// `None`: nothing that anybody needs to know, or known already.
fn understand(inner: &Arc<Inner>, told: Told) -> Option<BridgeEvent> {
    let mut memory = inner.memory.lock().unwrap_or_else(PoisonError::into_inner);
    match told {
        Told::StasisStart { args, channel } => {
            let leg = LegId::inbound(&channel.id);
            match args.first().map(String::as_str) {
                Some("inbound") => {
                    memory.leg(&leg).up = true;
                    let to = args.get(1).cloned().unwrap_or_default();
                    Some(BridgeEvent::Inbound(Inbound { leg, from: channel.caller.number, to }))
                }
                Some("leg") if leg.call().is_some() => {
                    let known = memory.leg(&leg);
                    (known.rang, known.up) = (true, true);
                    Some(BridgeEvent::Answered { leg })
                }
                _ => None,
            }
        }
        Told::ChannelStateChange { channel } if channel.state == "Ringing" => {
            rings(&mut memory, &LegId::inbound(&channel.id))
        }
        // Sound of the network before the answer (183) instead of the plain word (180).
        Told::Dial { dialstatus, peer } if matches!(dialstatus.as_str(), "RINGING" | "PROGRESS") => {
            rings(&mut memory, &LegId::inbound(&peer.id))
        }
        Told::ChannelDtmfReceived { digit, duration_ms, channel } => {
            let leg = LegId::inbound(&channel.id);
            let key = digit.chars().next()?;
            let held = Duration::from_millis(duration_ms);
            let keyed = memory.legs.get_mut(&leg)?.press(key, held, Instant::now())?;
            Some(keys(leg, keyed))
        }
        Told::ChannelHangupRequest { channel } => {
            if let Some(leg) = memory.legs.get_mut(&LegId::inbound(&channel.id)) {
                leg.hanging = true;
            }
            None
        }
        Told::ChannelDestroyed { cause, tech_cause, channel } => {
            let leg = LegId::inbound(&channel.id);
            let known = memory.legs.remove(&leg);
            if known.is_none() && leg.call().is_none() {
                return None;
            }
            let known = known.unwrap_or_default();
            if let Some(file) = known.play.and_then(|play| play.file) {
                inner.forget_file(file);
            }
            let raw =
                tech_cause.map_or_else(|| format!("q850={cause}"), |sip| format!("q850={cause} sip={sip}"));
            let cause = told::cause(cause, known.rang, known.up);
            Some(BridgeEvent::Ended { leg, cause, raw })
        }
        Told::ChannelEnteredBridge { bridge, channel: Some(channel) } => {
            let call = memory::room_of(&bridge.id)?;
            let leg = LegId::inbound(&channel.id);
            let known = memory.leg(&leg);
            // Told twice by a bridge to which we listen twice.
            (known.room.replace(call.clone()) != Some(call)).then_some(BridgeEvent::Joined { leg })
        }
        Told::ChannelLeftBridge { bridge, channel } => {
            memory::room_of(&bridge.id)?;
            let leg = LegId::inbound(&channel.id);
            let known = memory.legs.get_mut(&leg)?;
            known.room.take()?;
            if std::mem::take(&mut known.told_to_leave) {
                return Some(BridgeEvent::Left { leg });
            }
            if !known.hanging {
                // Usually the first sign of a line that ends; then its end is all there is to tell.
                let inner = Arc::clone(inner);
                tokio::spawn(async move { inner.left_or_gone(leg).await });
            }
            None
        }
        Told::PlaybackFinished { playback } => {
            let (leg, number) = Play::parse(&playback.id)?;
            let known = memory.legs.get_mut(&leg)?;
            let play = known.play.take_if(|play| play.number == number)?;
            if let Some(file) = play.file {
                inner.forget_file(file);
            }
            if playback.state == "failed" {
                // Not told as an end: the question would be asked again at once, and fail again.
                let hanging = known.hanging;
                if hanging {
                    debug!(%number, "A prompt ended with its line");
                } else {
                    error!(%number, "The phone bridge could not play a prompt; see `touban doctor`");
                }
                return None;
            }
            Some(BridgeEvent::PromptEnded { leg, play: number })
        }
        Told::RecordingFinished { recording } => recorded(&recording.name, recording.has_words()),
        Told::RecordingFailed { recording } => recorded(&recording.name, false),
        Told::ApplicationReplaced { .. }
        | Told::ChannelStateChange { .. }
        | Told::Dial { .. }
        | Told::ChannelEnteredBridge { channel: None, .. }
        | Told::Other => None,
    }
}

fn rings(memory: &mut memory::Memory, leg: &LegId) -> Option<BridgeEvent> {
    leg.call()?;
    let known = memory.leg(leg);
    (!std::mem::replace(&mut known.rang, true)).then(|| BridgeEvent::Ringing { leg: leg.clone() })
}

fn recorded(name: &str, usable: bool) -> Option<BridgeEvent> {
    let (call, recording) = memory::recording_of(name)?;
    Some(BridgeEvent::Recorded { call, recording, usable })
}
