//! The phone bridge's worker: listens, takes a snapshot after every loss, gives the orders of each call in their
//! order, and sees to the waits of calls. What a call does is `app/call`; how a bridge is spoken to is
//! `ports/phone`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::clock::{ClockWatch, steady_ms};
use crate::app::call::{CallOrder, Fallback, Given, Seen, Todo};
use crate::app::verify::chain_of;
use crate::app::{App, AppError};
use crate::domain::call::{Collect, Command, Event};
use crate::ids::CallId;
use crate::ports::phone::{self as port, BridgeError, BridgeEvent, Events, Order, PhoneBridge, View};
use crate::store::jobs::Lane;
use crate::time::{Clock as _, Millis, SystemClock};

/// The worker looks at least this often: waits of calls are honoured to about that much.
const LOOK: Duration = Duration::from_millis(200);
/// From a loss of the bridge to the next try, growing to the second.
const AGAIN_FIRST: Duration = Duration::from_millis(250);
const AGAIN_MOST: Duration = Duration::from_secs(5);
/// An order whose outcome is not known is given again after this long.
const ORDER_AGAIN: Duration = Duration::from_millis(500);
/// Who is rung while touban is down is looked at again this often: the rota, the settings, the phones, and the hour
/// at which a duty ends change it.
const FALLBACK_LOOK: Duration = Duration::from_secs(5);
/// A bridge that cannot be heard for this long is an alarm, and one again after each of the second.
const AWAY_S: i64 = 3;
const AWAY_AGAIN_S: i64 = 60;
/// How often that is looked at.
const AWAY_LOOK: Duration = Duration::from_secs(1);
/// Checks of PINs that run beside the reading of events.
const PINS_AHEAD: usize = 32;

/// The worker of one process.
#[derive(Debug)]
pub struct Calls {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

#[derive(Clone, Debug)]
struct Worker {
    app: App,
    bridge: Arc<dyn PhoneBridge>,
    stop: watch::Receiver<bool>,
    heard: watch::Sender<bool>,
    /// Which life of the bridge is heard.
    life: watch::Sender<String>,
    /// By how much the machine's clock was set since this process began, in milliseconds.
    set_by: watch::Sender<i64>,
}

impl Calls {
    /// Starts it: until the first snapshot every call counts as unheard.
    #[must_use]
    pub fn start(app: App, bridge: Arc<dyn PhoneBridge>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (heard, hears) = watch::channel(false);
        let (life, set_by) = (watch::Sender::new(String::new()), watch::Sender::new(0));
        let worker = Worker { app, bridge, stop: stopped, heard, life, set_by };
        let mut tasks = JoinSet::new();
        tasks.spawn(supervised(worker.clone(), Part::Listen));
        tasks.spawn(supervised(worker.clone(), Part::Wait));
        tasks.spawn(supervised(worker.clone(), Part::Fallback));
        tasks.spawn(supervised(worker.clone(), Part::Watch));
        tasks.spawn(async move { worker.orders(hears).await });
        Self { stop, tasks }
    }

    /// Gives no more orders; the bridge goes on with what it has.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Listen,
    Wait,
    Fallback,
    Watch,
}

/// A part that panicked is started again.
async fn supervised(worker: Worker, part: Part) {
    loop {
        let worker_now = worker.clone();
        let run = tokio::spawn(async move {
            match part {
                Part::Listen => worker_now.listen().await,
                Part::Wait => worker_now.waits().await,
                Part::Fallback => worker_now.fallbacks().await,
                Part::Watch => worker_now.watch().await,
            }
        });
        match run.await {
            Ok(()) => return,
            Err(e) => {
                error!(?part, error = %e, "A part of the phone bridge's worker broke off; starting it again");
                if worker.rest(Duration::from_secs(1)).await {
                    return;
                }
            }
        }
    }
}

impl Worker {
    /// Waits; `true` when the process is stopping.
    #[expect(clippy::disallowed_methods, reason = "the workers own the only sleeps")]
    async fn rest(&self, longest: Duration) -> bool {
        let mut stop = self.stop.clone();
        if *stop.borrow_and_update() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(longest) => {}
            _ = stop.changed() => {}
        }
        *self.stop.borrow()
    }

    // ---- hearing ----------------------------------------------------------------------------------

    async fn listen(&self) {
        let mut again = AGAIN_FIRST;
        loop {
            if let Err(e) = self.app.calls_bridge_down().await {
                error!(error = chain_of(&e), "The calls could not be told that the bridge is away");
            }
            match self.once().await {
                Ok(()) => return,
                Err(BridgeError::Superseded) => {
                    error!(
                        "Another touban has taken the phone bridge over; this one gives it no more orders"
                    );
                    return;
                }
                Err(e) => warn!(error = chain_of(&e), "The phone bridge cannot be heard; trying again"),
            }
            self.heard.send_replace(false);
            if self.rest(again).await {
                return;
            }
            again = (again * 2).min(AGAIN_MOST);
        }
    }

    /// One connection, from its snapshot to its loss. `Ok`: the process is stopping.
    async fn once(&self) -> Result<(), BridgeError> {
        let mut events = self.bridge.listen().await?;
        let view = self.bridge.snapshot(self.app.now()).await?;
        info!(legs = view.legs.len(), "The phone bridge is heard");
        self.life.send_replace(view.generation.clone());
        self.all_seen(&view).await;
        self.heard.send_replace(true);
        let outcome = self.hear(&mut events).await;
        self.heard.send_replace(false);
        outcome
    }

    async fn all_seen(&self, view: &View) {
        if let Err(e) = self.app.calls_seen(&seen(view), None).await {
            error!(error = chain_of(&e), "What the bridge holds could not be compared with what is written");
        }
        for inbound in &view.inbound {
            self.comes_in(&inbound.leg, &inbound.from, &inbound.to).await;
        }
    }

    async fn hear(&self, events: &mut Events) -> Result<(), BridgeError> {
        let mut stop = self.stop.clone();
        let (pins, mut waiting) = mpsc::channel::<BridgeEvent>(PINS_AHEAD);
        // A PIN takes a while to check, and nobody else's call waits for it.
        let checker = self.clone();
        let checks = tokio::spawn(async move {
            while let Some(event) = waiting.recv().await {
                checker.told(event).await;
            }
        });
        let outcome = loop {
            let event = tokio::select! {
                event = events.next() => event,
                _ = stop.changed() => break Ok(()),
            };
            match event {
                Ok(event @ BridgeEvent::Keys { what: Collect::Pin, .. }) => {
                    // Full: too many at once; the prompt asks again.
                    if pins.try_send(event).is_err() {
                        warn!("Too many PINs are being checked; one is asked for again");
                    }
                }
                Ok(event) => self.told(event).await,
                Err(e) => break Err(e),
            }
        };
        drop(pins);
        checks.abort();
        outcome
    }

    async fn comes_in(&self, leg: &crate::domain::call::LegId, from: &str, to: &str) {
        let life = self.life.borrow().clone();
        match self.app.call_comes_in(leg, (from, to), &life).await {
            Ok(true) => {}
            Ok(false) => error!(leg = leg.as_str(), "A call came in on a number that no association has set"),
            Err(e) => error!(error = chain_of(&e), "A call that came in could not be written down"),
        }
    }

    /// One event of the bridge. It is tried once more when the database was busy; a later look repairs the rest.
    async fn told(&self, event: BridgeEvent) {
        for _ in 0..2 {
            match self.take(&event).await {
                Ok(()) => return,
                Err(e) => error!(error = chain_of(&e), "An event of the phone bridge could not be taken"),
            }
        }
    }

    async fn take(&self, told: &BridgeEvent) -> Result<(), AppError> {
        let app = &self.app;
        let event = match told.clone() {
            BridgeEvent::Inbound(inbound) => {
                self.comes_in(&inbound.leg, &inbound.from, &inbound.to).await;
                return Ok(());
            }
            BridgeEvent::Keys { leg, gather, what, digits } => {
                return app.call_keys(&leg, gather, what, digits.reveal()).await;
            }
            BridgeEvent::Recorded { call, recording, usable } => {
                return app.call_recorded(&call, recording, usable).await;
            }
            BridgeEvent::Ringing { leg } => (leg.clone(), Event::Ringing { leg }),
            BridgeEvent::Answered { leg } => (leg.clone(), Event::Answered { leg }),
            BridgeEvent::PromptEnded { leg, play } => (leg.clone(), Event::PromptEnded { leg, play }),
            BridgeEvent::MachineSuspected { leg } => (leg.clone(), Event::MachineSuspected { leg }),
            BridgeEvent::Joined { leg } => (leg.clone(), Event::Joined { leg }),
            BridgeEvent::Left { leg } => (leg.clone(), Event::Left { leg }),
            BridgeEvent::Ended { leg, cause, .. } => (leg.clone(), Event::Ended { leg, cause }),
        };
        app.call_event(&event.0, event.1).await.map(drop)
    }

    // ---- waits ------------------------------------------------------------------------------------

    /// Waits of calls are honoured whether the bridge is heard or not: alarms do not need it.
    async fn waits(&self) {
        let mut clocks = ClockWatch::default();
        loop {
            self.clock_was_set(&mut clocks).await;
            let next = match self.app.calls_due().await {
                Ok(next) => next,
                Err(e) => {
                    error!(error = chain_of(&e), "The waits of calls could not be seen to");
                    None
                }
            };
            let soon = next.map_or(LOOK, |at| {
                let wait = u64::try_from(at.since_ms(self.app.now())).unwrap_or(0);
                Duration::from_millis(wait.clamp(5, 1_000)).min(LOOK)
            });
            if self.rest(soon).await {
                return;
            }
        }
    }

    /// Looks at the machine's own clock, whatever clock the program goes by: one that was set begins no wait of a
    /// call and ends none.
    async fn clock_was_set(&self, clocks: &mut ClockWatch) {
        let Some(set) = steady_ms().and_then(|steady| clocks.look(SystemClock.now(), steady)) else { return };
        warn!(by_ms = set.by_ms, "The clock of this machine was set; the waits of calls keep their length");
        self.set_by.send_modify(|all| *all = all.saturating_add(set.by_ms));
        if let Err(e) = self.app.calls_clock_set(set.by_ms, set.unseen_ms).await {
            error!(error = chain_of(&e), "The waits of calls could not be moved with the clock");
        }
    }

    // ---- while the bridge is away --------------------------------------------------------------------

    /// Whether a call is open or not, somebody hears that the night number does not work.
    async fn watch(&self) {
        let hears = self.heard.subscribe();
        let mut away: Option<(Millis, Option<Millis>)> = None;
        let mut alarms = BTreeMap::new();
        let mut set_by = *self.set_by.borrow();
        loop {
            let now = self.app.now();
            let all = *self.set_by.borrow();
            let moved = all.saturating_sub(std::mem::replace(&mut set_by, all));
            away = away.map(|(since, told)| (since.plus_ms(moved), told.map(|at| at.plus_ms(moved))));
            if *hears.borrow() {
                away = None;
                alarms.clear();
            } else {
                let (since, told) = away.get_or_insert((now, None));
                let due = told.map_or_else(|| since.plus_s(AWAY_S), |at| at.plus_s(AWAY_AGAIN_S));
                if now >= due {
                    match self.app.calls_bridge_away(&mut alarms).await {
                        Ok(()) => *told = Some(now),
                        Err(e) => {
                            error!(error = chain_of(&e), "Nobody could be told that the bridge is away")
                        }
                    }
                }
            }
            if self.rest(AWAY_LOOK).await {
                return;
            }
        }
    }

    // ---- while touban is down -----------------------------------------------------------------------

    /// Keeps the bridge told whom to ring by itself.
    async fn fallbacks(&self) {
        let mut hears = self.heard.subscribe();
        let mut told: Option<Vec<Fallback>> = None;
        loop {
            if *hears.borrow_and_update() {
                match self.app.call_fallbacks().await {
                    Ok(now) if told.as_ref() == Some(&now) => {}
                    Ok(now) => match self.bridge.set_fallback(&plans(&now)).await {
                        Ok(()) => told = Some(now),
                        Err(e) => {
                            warn!(error = chain_of(&e), "The bridge was not told whom to ring by itself")
                        }
                    },
                    Err(e) => {
                        error!(error = chain_of(&e), "Whom the bridge rings by itself could not be read")
                    }
                }
            } else {
                // Another life of the bridge may know nothing.
                told = None;
            }
            let stopping = tokio::select! {
                stopping = self.rest(FALLBACK_LOOK) => stopping,
                _ = hears.changed() => *self.stop.borrow(),
            };
            if stopping {
                return;
            }
        }
    }

    // ---- orders -----------------------------------------------------------------------------------

    async fn orders(self, mut hears: watch::Receiver<bool>) {
        let mut running: JoinSet<(CallId, bool)> = JoinSet::new();
        let mut busy: BTreeSet<CallId> = BTreeSet::new();
        loop {
            if *self.stop.borrow() {
                return;
            }
            if *hears.borrow_and_update() {
                match self.app.call_orders().await {
                    Ok(orders) => {
                        let mut by_call: BTreeMap<CallId, Vec<CallOrder>> = BTreeMap::new();
                        for order in orders.into_iter().filter(|o| !busy.contains(&o.call)) {
                            by_call.entry(order.call.clone()).or_default().push(order);
                        }
                        for (call, orders) in by_call {
                            busy.insert(call.clone());
                            let worker = self.clone();
                            running.spawn(async move { (call, worker.give(orders).await) });
                        }
                    }
                    Err(e) => {
                        error!(error = chain_of(&e), "The orders to the phone bridge could not be read")
                    }
                }
            }
            let mut stop = self.stop.clone();
            tokio::select! {
                () = self.app.db.work(Lane::Calls).notified() => {}
                Some(done) = running.join_next(), if !running.is_empty() => {
                    match done {
                        Ok((call, _)) => {
                            busy.remove(&call);
                        }
                        Err(e) => {
                            error!(error = %e, "Giving an order broke off");
                            busy.clear();
                        }
                    }
                    // What was ordered meanwhile.
                    self.app.db.work(Lane::Calls).notify_one();
                }
                _ = hears.changed() => {}
                _ = stop.changed() => return,
                () = pause(LOOK) => {}
            }
        }
    }

    /// Gives one call's orders one after the other; stops at the first whose outcome is not known.
    async fn give(&self, orders: Vec<CallOrder>) -> bool {
        for order in orders {
            let given = self.one(&order).await;
            let unknown = matches!(given, Given::Unknown { .. });
            if let Err(e) = self.app.call_order_given(&order, given).await {
                error!(error = chain_of(&e), "An order was given and could not be written down as given");
                return false;
            }
            if unknown {
                self.rest(ORDER_AGAIN).await;
                return false;
            }
        }
        true
    }

    async fn one(&self, order: &CallOrder) -> Given {
        match &order.todo {
            Todo::Bridge(command) => self.obey(order, command).await,
            Todo::Keep { recording } => self.keep(order, *recording).await,
            Todo::Look => match self.bridge.snapshot(self.app.now()).await {
                Ok(view) => match self.app.calls_seen(&seen(&view), Some(&order.call)).await {
                    Ok(()) => Given::Done,
                    Err(e) => Given::Unknown { reason: chain_of(&e) },
                },
                Err(e) => given(e),
            },
        }
    }

    async fn obey(&self, order: &CallOrder, command: &Command) -> Given {
        let Some(shown) = order.shown.clone() else {
            let reason = "the association has no number of its own".to_owned();
            return Given::Refused { reason, cause: crate::domain::call::Cause::Failed };
        };
        let order = Order {
            call: order.call.clone(),
            command: command.clone(),
            shown,
            lang: order.lang,
            message: order.message.clone(),
        };
        match self.bridge.obey(&order).await {
            Ok(()) => Given::Done,
            Err(e) => {
                warn!(call.id = %order.call, error = chain_of(&e), "The bridge did not take an order of call {}", order.call);
                given(e)
            }
        }
    }

    async fn keep(&self, order: &CallOrder, recording: u32) -> Given {
        let sound = match self.bridge.message(&order.call, recording).await {
            Ok(sound) => sound,
            Err(BridgeError::Temporary { reason }) => return Given::Unknown { reason },
            Err(e) => {
                warn!(call.id = %order.call, error = chain_of(&e), "The message of call {} could not be fetched", order.call);
                None
            }
        };
        match self.app.call_message_keep(order, recording, sound.as_deref()).await {
            Ok(()) => Given::Done,
            Err(e) => Given::Unknown { reason: chain_of(&e) },
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the workers own the only sleeps")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

fn plans(all: &[Fallback]) -> Vec<port::Fallback> {
    all.iter().map(|f| port::Fallback { number: f.number.clone(), lines: f.lines.clone() }).collect()
}

fn seen(view: &View) -> Seen {
    Seen { generation: view.generation.clone(), taken: view.taken, legs: view.legs.clone() }
}

fn given(error: BridgeError) -> Given {
    match error {
        BridgeError::Refused { reason, cause } => Given::Refused { reason, cause },
        other => Given::Unknown { reason: other.to_string() },
    }
}
