//! How quick the whole program is on the real bridge. Printed as lines of the table in `docs/performance.md`; a test
//! fails only where a figure is far from its goal, since other work may run beside it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use touban::app::Who;
use touban::app::access::Scope;
use touban::domain::call::policy::Policy;
use touban::ids::CallId;

use super::network::{PATIENCE, a_moment, breathe};
use super::night::{DEPUTY, DEPUTY_VOICE, Night, PRIMARY, PRIMARY_VOICE, figure};
use crate::support::PIN;

/// Beyond this something is wrong, however busy the machine is.
const MUCH: Duration = Duration::from_secs(10);
const TAKEN: usize = 20;
const BUSY: usize = 30;
const SILENT: usize = 8;
const KILLED: usize = 8;
/// The window of the key where nobody presses one.
const ACCEPT_S: u32 = 3;

/// Begins calls over the API, as a program does.
struct Begins {
    http: reqwest::Client,
    key: String,
}

impl Begins {
    async fn of(night: &Night) -> Self {
        let who = Who::cli(&night.association);
        let (_, key) = night.app.key_add(&who, "figures", &Scope::ALL).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, key: key.as_str().to_owned() }
    }

    async fn call(&self, night: &Night) -> CallId {
        let url = format!("{}/api/v1/calls", night.base_url.trim_end_matches('/'));
        let body = json!({ "asker": night.other.api() });
        let answer = self.http.post(&url).bearer_auth(&self.key).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201, "{:?}", answer.text().await);
        let begun: Value = answer.json().await.unwrap();
        CallId::from_api(begun["id"].as_str().unwrap()).unwrap()
    }
}

impl Night {
    /// Both are in one room, as the bridge itself says.
    async fn are_joined(&self) -> bool {
        let rooms = self.pbx.list("bridges").await;
        rooms.iter().any(|room| room["channels"].as_array().is_some_and(|lines| lines.len() >= 2))
    }

    async fn is_closed(&self, call: &CallId) {
        self.app.call_close(&Who::cli(&self.association), call).await.unwrap();
    }

    /// Keys the PIN but for its last key, then that one: how long it takes until both are in one room.
    async fn last_key_to_joined(&mut self, phone: &str) -> Duration {
        let (first, last) = PIN.split_at(PIN.len() - 1);
        for _ in 0..5 {
            self.network.press(phone, &format!("*{first}"));
            for _ in 0..3 {
                a_moment().await;
            }
            let begun = Instant::now();
            self.network.press(phone, last);
            // A question that was not yet asked when it was answered is answered again.
            while begun.elapsed() < Duration::from_secs(4) {
                if self.are_joined().await {
                    return begun.elapsed();
                }
            }
        }
        panic!("nobody is joined: {}", self.last_words());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/bench-phone"]
async fn from_the_last_key_of_a_pin_until_both_are_in_one_room() {
    let policy = Policy { ring_s: 20, message_s: 1, ..Policy::default() };
    let mut night = Night::begins_with(policy).await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    let primary = night.primary.clone();
    let mut took = Vec::new();
    for _ in 0..TAKEN {
        night.nurse_calls().await;
        night.picks_up(PRIMARY).await;
        night.presses_1(PRIMARY, &primary).await;
        took.push(night.last_key_to_joined(PRIMARY).await);
        let line = night.stage("talking").await;
        night.network.hang_up("nurse");
        night.network.wait("nurse", "over").await;
        night.network.wait(PRIMARY, "over").await;
        night.stage("report_due").await;
        night.is_closed(&line.row.id).await;
    }
    let slowest = figure("last key of the PIN goes down → both in one room", took);
    assert!(slowest < MUCH, "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/bench-phone"]
async fn from_a_phone_that_is_of_no_help_until_the_next_one_rings() {
    let policy = Policy { ring_s: 20, accept_s: ACCEPT_S.into(), ..Policy::default() };
    let mut night = Night::begins_with(policy).await;
    let begins = Begins::of(&night).await;
    night.phone(DEPUTY, DEPUTY_VOICE).await;
    night.network.behaves(PRIMARY, "busy", json!({})).await;
    let mut took = Vec::new();
    for _ in 0..BUSY {
        let call = begins.call(&night).await;
        let (busy, _) = night.network.wait(PRIMARY, "over").await;
        let (rang, _) = night.network.wait(DEPUTY, "rings").await;
        took.push(rang.duration_since(busy));
        night.is_closed(&call).await;
        night.network.wait(DEPUTY, "over").await;
    }
    let slowest = figure("a busy phone → the next one rings", took);
    assert!(slowest < MUCH, "{slowest:?}");

    night.network.behaves(PRIMARY, "voicemail", json!({ "tone": 1150, "after_ms": 200 })).await;
    let mut took = Vec::new();
    for _ in 0..SILENT {
        let call = begins.call(&night).await;
        let (up, _) = night.network.wait(PRIMARY, "up").await;
        let (rang, _) = night.network.wait(DEPUTY, "rings").await;
        let window = Duration::from_secs(ACCEPT_S.into());
        assert!(rang.duration_since(up) > window / 2, "the window of the key is not kept");
        took.push(rang.duration_since(up).saturating_sub(window));
        night.is_closed(&call).await;
        for phone in [PRIMARY, DEPUTY] {
            night.network.wait(phone, "over").await;
        }
    }
    let slowest = figure("the window of the key is over → the next phone rings", took);
    assert!(slowest < MUCH, "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/bench-phone"]
async fn from_a_start_after_a_kill_until_the_next_phone_rings() {
    let mut night = Night::begins().await;
    let begins = Begins::of(&night).await;
    for (phone, voice) in [(PRIMARY, PRIMARY_VOICE), (DEPUTY, DEPUTY_VOICE)] {
        night.phone(phone, voice).await;
    }
    let primary = night.primary.clone();
    let mut took = Vec::new();
    for _ in 0..KILLED {
        let call = begins.call(&night).await;
        night.network.wait(PRIMARY, "rings").await;
        // Killed before that is written down, nobody knows whether it rang: it would be rung once more.
        night.leg(&primary, "ringing").await;
        night.killed();
        // Declined while nobody listens: the next one is due the moment the program is back.
        night.network.hang_up(PRIMARY);
        night.network.wait(PRIMARY, "over").await;
        let begun = Instant::now();
        night.serve().await;
        let (rang, _) = night.network.wait(DEPUTY, "rings").await;
        took.push(rang.duration_since(begun));
        night.is_closed(&call).await;
        night.network.wait(DEPUTY, "over").await;
        let closed = Instant::now();
        while !night.pbx.list("channels").await.is_empty() {
            assert!(closed.elapsed() < PATIENCE, "a line is left");
            breathe().await;
        }
    }
    let slowest = figure("killed while a phone rings, started again → the next phone rings", took);
    assert!(slowest < MUCH, "{slowest:?}");
}
