//! How quick the phone bridge is, against a real Asterisk and real SIP on loopback: from an order to a ringing phone,
//! from a refusal to the next phone, from a key to two people who talk. Prints Markdown; decides nothing.
//!
//! `scripts/bench-phone` starts what it needs and runs it. What touban itself adds (one commit, one claim) is in
//! `benches/figures.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a figure that cannot be taken ends the run"
)]

#[path = "figures/machine.rs"]
#[allow(dead_code, reason = "the other figures use the rest of it")]
mod machine;
#[path = "../tests/it/phone/network.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod network;

use std::time::{Duration, Instant};

use serde_json::json;
use touban::domain::call::number::{Line, Number, Reading, read};
use touban::domain::call::{Cause, Collect, Command, Gather, LegId, Prompt};
use touban::i18n::Lang;
use touban::ids::{CallId, SystemChance};
use touban::ports::phone::{AsteriskBridge, BridgeEvent, Events, Order, PhoneBridge as _};
use touban::time::{Clock as _, SystemClock};

use network::{Network, Pbx, well};

const ALONE: usize = 50;
const ROUNDS: usize = 10;
const AT_ONCE: usize = 20;
const KEYS: usize = 40;
const NIGHT: &str = "0312345678";

struct Bench {
    pbx: Pbx,
    network: Network,
    bridge: AsteriskBridge,
    events: Events,
    legs: u32,
    call: CallId,
}

fn night_number() -> Number {
    match read(NIGHT) {
        Reading::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

impl Bench {
    async fn start() -> Self {
        let pbx = Pbx::given();
        pbx.clear().await;
        let network = Network::start().await;
        let bridge = AsteriskBridge::new(pbx.settings()).unwrap();
        let events = well(bridge.listen().await);
        let call = CallId::new(SystemClock.now(), &SystemChance);
        Self { pbx, network, bridge, events, legs: 0, call }
    }

    async fn give(&self, command: Command) {
        let order =
            Order { call: self.call.clone(), command, shown: night_number(), lang: Lang::Ja, message: None };
        well(self.bridge.obey(&order).await);
    }

    fn leg(&mut self) -> LegId {
        self.legs += 1;
        LegId::ours(&self.call, self.legs)
    }

    async fn dial(&mut self, number: &str) -> LegId {
        let leg = self.leg();
        let to = Line::read(number, &[]).unwrap();
        self.give(Command::Dial { leg: leg.clone(), to, ring_s: 25 }).await;
        leg
    }

    async fn until<T>(&mut self, is: impl Fn(&BridgeEvent) -> Option<T>) -> T {
        loop {
            let event = tokio::time::timeout(network::PATIENCE, self.events.next()).await.unwrap();
            if let Some(found) = is(&well(event)) {
                return found;
            }
        }
    }

    async fn hang_up(&mut self, legs: &[LegId]) {
        for leg in legs {
            self.give(Command::HangUp { leg: leg.clone(), cause: Cause::Withdrawn }).await;
        }
        self.pbx.clear().await;
    }

    /// From the order until the phone rings, one after the other.
    async fn rings_alone(&mut self) -> Vec<Duration> {
        let mut took = Vec::new();
        self.network.behaves("09011110001", "ring", json!({})).await;
        for _ in 0..ALONE {
            let begun = Instant::now();
            let leg = self.dial("09011110001").await;
            let (rang, _) = self.network.wait("09011110001", "rings").await;
            took.push(rang - begun);
            self.give(Command::HangUp { leg, cause: Cause::Withdrawn }).await;
            self.network.wait("09011110001", "over").await;
        }
        took
    }

    /// The same, twenty calls at the same moment; the clock of all starts with the first order.
    async fn rings_together(&mut self) -> Vec<Duration> {
        let mut took = Vec::new();
        let numbers: Vec<String> = (0..AT_ONCE).map(|i| format!("09022220{i:03}")).collect();
        for number in &numbers {
            self.network.behaves(number, "ring", json!({})).await;
        }
        for _ in 0..ROUNDS {
            let legs: Vec<(LegId, Order)> = numbers
                .iter()
                .map(|number| {
                    let leg = self.leg();
                    let to = Line::read(number, &[]).unwrap();
                    let command = Command::Dial { leg: leg.clone(), to, ring_s: 25 };
                    let call = self.call.clone();
                    (leg, Order { call, command, shown: night_number(), lang: Lang::Ja, message: None })
                })
                .collect();
            let begun = Instant::now();
            let given = futures_util::future::join_all(legs.iter().map(|(_, o)| self.bridge.obey(o))).await;
            given.into_iter().for_each(well);
            for number in &numbers {
                let (rang, _) = self.network.wait(number, "rings").await;
                took.push(rang - begun);
            }
            let legs: Vec<LegId> = legs.into_iter().map(|(leg, _)| leg).collect();
            self.hang_up(&legs).await;
            for number in &numbers {
                self.network.wait(number, "over").await;
            }
        }
        took
    }

    /// From the order to a busy phone until the next phone rings.
    async fn next_after_busy(&mut self) -> Vec<Duration> {
        let mut took = Vec::new();
        self.network.behaves("09011110002", "busy", json!({})).await;
        self.network.behaves("09011110001", "ring", json!({})).await;
        for _ in 0..ALONE {
            let begun = Instant::now();
            let busy = self.dial("09011110002").await;
            let ended = |e: &BridgeEvent| {
                matches!(e, BridgeEvent::Ended { leg, cause: Cause::Busy, .. } if *leg == busy).then_some(())
            };
            self.until(ended).await;
            let next = self.dial("09011110001").await;
            let (rang, _) = self.network.wait("09011110001", "rings").await;
            took.push(rang - begun);
            self.give(Command::HangUp { leg: next, cause: Cause::Withdrawn }).await;
            self.network.wait("09011110001", "over").await;
        }
        took
    }

    /// From the last key going down on the phone until both lines are in one room; the key itself lasts 100 ms.
    async fn key_to_joined(&mut self) -> Vec<Duration> {
        let mut took = Vec::new();
        for (number, voice) in [("09011110003", 350), ("09011110004", 550)] {
            self.network.behaves(number, "answer", json!({"tone": voice})).await;
        }
        let first = self.dial("09011110003").await;
        let second = self.dial("09011110004").await;
        for _ in 0..2 {
            self.until(|e| matches!(e, BridgeEvent::Answered { .. }).then_some(())).await;
        }
        for i in 0..u32::try_from(KEYS).unwrap() {
            let gather = Some(Gather { number: i + 1, what: Collect::Key });
            for leg in [&first, &second] {
                let prompt = Prompt::StillCalling;
                let play = 1_000 + i;
                self.give(Command::Prompt { leg: leg.clone(), play, prompt, gather, room: false }).await;
            }
            let begun = Instant::now();
            self.network.press("09011110004", "1");
            self.until(|e| matches!(e, BridgeEvent::Keys { .. }).then_some(())).await;
            self.give(Command::Hush { leg: first.clone() }).await;
            self.give(Command::Hush { leg: second.clone() }).await;
            self.give(Command::Join { legs: [first.clone(), second.clone()], keys: 9_000 + i }).await;
            for _ in 0..2 {
                self.until(|e| matches!(e, BridgeEvent::Joined { .. }).then_some(())).await;
            }
            took.push(begun.elapsed());
            self.give(Command::CloseRoom).await;
            for _ in 0..2 {
                self.until(|e| matches!(e, BridgeEvent::Left { .. }).then_some(())).await;
            }
        }
        self.hang_up(&[first, second]).await;
        took
    }

    /// From a new process that begins to listen until its first phone rings.
    async fn first_ring_after_restart(&mut self) -> Vec<Duration> {
        let mut took = Vec::new();
        self.network.behaves("09011110001", "ring", json!({})).await;
        for _ in 0..10 {
            let begun = Instant::now();
            self.bridge = AsteriskBridge::new(self.pbx.settings()).unwrap();
            self.events = well(self.bridge.listen().await);
            well(self.bridge.snapshot(SystemClock.now()).await);
            let leg = self.dial("09011110001").await;
            let (rang, _) = self.network.wait("09011110001", "rings").await;
            took.push(rang - begun);
            self.give(Command::HangUp { leg, cause: Cause::Withdrawn }).await;
            self.network.wait("09011110001", "over").await;
        }
        took
    }
}

/// One line of the table; percentiles by nearest rank.
fn line(what: &str, mut took: Vec<Duration>, goal: &str) {
    took.sort();
    let at = |percent: usize| {
        let rank = (took.len() * percent).div_ceil(100).max(1);
        took.get(rank - 1).map_or(0.0, |d| d.as_secs_f64() * 1_000.0)
    };
    println!("| {what} | {} | {:.0} | {:.0} | {:.0} | {goal} |", took.len(), at(50), at(99), at(100));
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` and the like only want to know that it builds.
    if std::env::var("TOUBAN_TEST_ASTERISK").is_err() {
        println!("no Asterisk is given: run scripts/bench-phone");
        return;
    }
    let mut bench = Bench::start().await;
    println!("{}", machine::description(&bench.pbx.dir));
    println!("\n| Figure | n | p50 ms | p99 ms | max ms | goal |\n| --- | ---: | ---: | ---: | ---: | --- |");
    line("order → phone rings, alone", bench.rings_alone().await, "1,000");
    line("order → phone rings, 20 at once", bench.rings_together().await, "1,000");
    line("order to a busy phone → next phone rings", bench.next_after_busy().await, "1,000");
    line("key goes down → both in one room", bench.key_to_joined().await, "300");
    line("listening begins → first phone rings", bench.first_ring_after_restart().await, "5,000");
}
