//! The whole program on the real bridge: a nurse dials the night number, phones ring in the order of the rota, keys
//! are pressed, people hear each other. The program is a process of its own, so that it can be killed.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{MutexGuard, oneshot};
use touban::app::access::Scope;
use touban::app::call::CallLine;
use touban::app::call::settings::{CallSettings, InstitutionCalls};
use touban::app::people::NewMember;
use touban::app::rota::changes::{NewOverride, OverrideMade};
use touban::app::{App, Who};
use touban::domain::call::Cause;
use touban::domain::call::policy::Policy;
use touban::domain::people::Role;
use touban::domain::people::reach::PhoneHealth;
use touban::domain::rota::RotaRole;
use touban::ids::{AssociationId, InstitutionId, MemberId, SharedChance, SystemChance};
use touban::seal::{Pin, Seal};
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::{Clock as _, Millis, SystemClock, Window};

use super::network::{Network, PATIENCE, Pbx, a_moment, breathe};
use super::port::TURN;
use crate::support::{PIN, add_association, add_institution, new_member, rules_with, telephone as number};
use crate::support_office::Scratch;

pub(super) const NIGHT: &str = "0312345678";
pub(super) const NURSE: &str = "0422000001";
pub(super) const NURSE_VOICE: u32 = 350;
pub(super) const PRIMARY: &str = "09011110001";
pub(super) const PRIMARY_VOICE: u32 = 550;
pub(super) const DEPUTY: &str = "09011110002";
pub(super) const DEPUTY_VOICE: u32 = 750;
pub(super) const OTHER: &str = "09011110003";
const COORDINATOR: &str = "09011110004";
/// From a start of the program until it hears the bridge, under load.
const START: Duration = Duration::from_secs(30);

fn now() -> Millis {
    SystemClock.now()
}

/// One installation, its people, and its life.
pub(super) struct Night {
    pub(super) network: Network,
    pub(super) pbx: Pbx,
    pub(super) scratch: Scratch,
    life: Option<Child>,
    pub(super) base_url: String,
    /// Reads the same database, and stands for the office.
    pub(super) app: App,
    pub(super) association: AssociationId,
    pub(super) clinic: InstitutionId,
    pub(super) primary: MemberId,
    pub(super) deputy: MemberId,
    pub(super) other: MemberId,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Night {
    fn drop(&mut self) {
        if let Some(life) = &mut self.life {
            let _ = life.kill();
            let _ = life.wait();
        }
    }
}

impl Night {
    /// The program is up and heard the bridge; the primary and the deputy are on duty.
    pub(super) async fn begins() -> Self {
        Self::begins_with(Policy { ring_s: 20, message_s: 2, ..Policy::default() }).await
    }

    /// With these waits.
    pub(super) async fn begins_with(policy: Policy) -> Self {
        let turn = TURN.lock().await;
        let pbx = Pbx::given();
        pbx.clear().await;
        let network = Network::start().await;
        let scratch = Scratch::new("night");
        let chance: SharedChance = Arc::new(SystemChance);
        let seal = Seal::load_or_create(&scratch.path().join("touban.key"), chance.as_ref()).unwrap();
        let db = Db::open(&DbSettings { url: scratch.sqlite(), connections: 4 }).await.unwrap();
        db.migrate(now()).await.unwrap();
        let rules = rules_with(include_str!("../../../config/plans.toml"));
        let app = App::new(db, Vault { seal, chance }, Arc::new(SystemClock), rules);
        let association = add_association(&app, "aoba", "青葉市医師会").await;
        let who = Who::cli(&association);
        let clinic = add_institution(&app, &association, "さとう内科クリニック").await;
        let pin = Pin::parse(PIN).unwrap();
        let member = async |name: &str, role, phone: &str| {
            let new = NewMember { phone: Some(phone.to_owned()), ..new_member(name, &clinic, role, vec![]) };
            app.member_add(&who, new, Some(&pin), None).await.unwrap().into_inner()
        };
        let primary = member("当番 一", Role::Physician, PRIMARY).await;
        let deputy = member("当番 二", Role::Physician, DEPUTY).await;
        let other = member("当番 三", Role::Physician, OTHER).await;
        member("調整 四", Role::Coordinator, COORDINATOR).await;
        let station = add_institution(&app, &association, "青葉訪問看護").await;
        let mut settings = CallSettings { numbers: vec![number(NIGHT)], policy, ..CallSettings::default() };
        let lines = InstitutionCalls { lines: vec![number(NURSE)], ..InstitutionCalls::default() };
        settings.institutions.insert(station, lines);
        let code = InstitutionCalls { code: "12".into(), ..InstitutionCalls::default() };
        settings.institutions.insert(clinic.clone(), code);
        app.call_settings_put(&who, 0, settings).await.unwrap();
        let mut night = Self {
            network,
            pbx,
            scratch,
            life: None,
            base_url: String::new(),
            app,
            association,
            clinic,
            primary,
            deputy,
            other,
            _turn: turn,
        };
        let (primary, deputy) = (night.primary.clone(), night.deputy.clone());
        night.on_duty(RotaRole::Primary, &primary).await;
        night.on_duty(RotaRole::Deputy, &deputy).await;
        night.serve().await;
        night
    }

    /// Puts somebody on from now on.
    pub(super) async fn on_duty(&self, role: RotaRole, person: &MemberId) {
        let new = NewOverride {
            area: "all".parse().unwrap(),
            role,
            window: Window { from: now().plus_s(-60), to: now().plus_s(86_400) },
            person: Some(person.clone()),
            institution: Some(self.clinic.clone()),
            reason: String::new(),
            recorded_at: None,
        };
        let made = self.app.rota_override_add(&Who::cli(&self.association), new, None).await.unwrap();
        assert!(matches!(made, OverrideMade::Done { .. }), "{made:?}");
    }

    fn log(&self) -> PathBuf {
        self.scratch.path().join("touban.log")
    }

    fn fallback(&self) -> String {
        std::fs::read_to_string(self.pbx.dir.join("fallback.conf")).unwrap_or_default()
    }

    /// Starts the program; returns when the bridge was told whom to ring without it.
    pub(super) async fn serve(&mut self) {
        let folder = self.scratch.path();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[database]\nurl = \"{}\"\n[phone]\nbridge = \"asterisk\"\n[phone.asterisk]\n{}",
            self.scratch.sqlite(),
            self.pbx.section(),
        );
        std::fs::write(folder.join("touban.toml"), text).unwrap();
        let _ = std::fs::remove_file(self.pbx.dir.join("fallback.conf"));
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_touban"));
        command.args(["serve", "--config", "touban.toml"]).env_clear().current_dir(folder);
        let mut life = command.stdout(Stdio::piped()).stderr(Stdio::from(log)).spawn().unwrap();
        let said = BufReader::new(life.stdout.take().unwrap());
        self.life = Some(life);
        let (tell, ready) = oneshot::channel();
        // Reads to the end, so that the program never waits for somebody to listen.
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in said.lines().map_while(Result::ok) {
                let event = serde_json::from_str::<Value>(&line).ok().filter(|v| v["event"] == "ready");
                if let Some(event) = event
                    && let Some(tell) = tell.take()
                {
                    let _ = tell.send(event);
                }
            }
        });
        let event = tokio::time::timeout(START, ready).await.ok().and_then(Result::ok);
        let event = event.unwrap_or_else(|| panic!("it is not ready: {}", self.last_words()));
        self.base_url = event["base_url"].as_str().unwrap().to_owned();
        let begun = Instant::now();
        while !self.fallback().contains(PRIMARY) {
            assert!(begun.elapsed() < START, "the bridge is not heard: {}", self.last_words());
            breathe().await;
        }
    }

    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(4_000)..]).into_owned()
    }

    /// SIGKILL; returns when the process is gone.
    pub(super) fn killed(&mut self) {
        let mut life = self.life.take().unwrap();
        life.kill().unwrap();
        life.wait().unwrap();
    }

    pub(super) async fn calls(&self) -> Vec<CallLine> {
        self.app.calls_page(&self.association, "", 100).await.unwrap()
    }

    /// Waits until the newest call is so.
    pub(super) async fn until(&self, what: &str, so: impl Fn(&CallLine) -> bool) -> CallLine {
        let begun = Instant::now();
        loop {
            let calls = self.calls().await;
            if let Some(line) = calls.last().filter(|line| so(line)) {
                return line.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: {calls:?}\n{}", self.last_words());
            breathe().await;
        }
    }

    pub(super) async fn stage(&self, stage: &str) -> CallLine {
        self.until(stage, |line| line.row.stage == stage).await
    }

    /// The nurse dials, names the clinic, says what it is about.
    pub(super) async fn nurse_calls(&mut self) {
        self.network.calls("nurse", Some(NURSE), NIGHT, NURSE_VOICE);
        self.network.wait("nurse", "up").await;
        self.network.until_spoken_to("nurse").await;
        self.stage("identifying").await;
        a_moment().await;
        self.network.press("nurse", "12#");
        self.until("the clinic is known", |line| line.row.clinic.is_some()).await;
    }

    /// A phone that somebody holds in the hand.
    pub(super) async fn phone(&mut self, phone: &str, voice: u32) {
        self.network.behaves(phone, "ring", json!({ "tone": voice })).await;
    }

    pub(super) async fn picks_up(&mut self, phone: &str) -> Value {
        let (_, rang) = self.network.wait(phone, "rings").await;
        self.network.answer(phone);
        self.network.wait(phone, "up").await;
        rang
    }

    /// Hears the question, presses 1.
    pub(super) async fn presses_1(&mut self, phone: &str, member: &MemberId) {
        self.leg(member, "screening").await;
        self.network.until_spoken_to(phone).await;
        a_moment().await;
        self.network.press(phone, "1");
        a_moment().await;
    }

    /// Keys the PIN when it is asked for; a star begins anew, as a person does who was too early.
    pub(super) async fn keys_pin(&mut self, phone: &str) {
        for _ in 0..5 {
            a_moment().await;
            self.network.press(phone, &format!("*{PIN}"));
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(4) {
                if self.calls().await.last().is_some_and(|line| line.row.taker.is_some()) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
        panic!("the PIN is not taken: {}", self.last_words());
    }

    pub(super) async fn leg(&self, member: &MemberId, state: &str) {
        let is = |l: &touban::app::call::LegLine| {
            l.leg.member.as_ref() == Some(member) && l.leg.state == state && l.leg.ended.is_none()
        };
        self.until(&format!("a leg is {state}"), |line| line.legs.iter().any(is)).await;
    }

    pub(super) async fn takes(&mut self, phone: &str, member: &MemberId) {
        let rang = self.picks_up(phone).await;
        assert_eq!(rang["shows"], NIGHT, "the phone shows the night number");
        self.presses_1(phone, member).await;
        self.keys_pin(phone).await;
    }

    pub(super) async fn they_talk(&mut self, phone: &str, voice: u32) {
        self.network.until_hears("nurse", voice).await;
        self.network.until_hears(phone, NURSE_VOICE).await;
    }

    pub(super) fn causes(line: &CallLine, member: &MemberId) -> Vec<String> {
        let of = line.legs.iter().filter(|l| l.leg.member.as_ref() == Some(member));
        of.filter_map(|l| l.leg.cause.clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn nobody_answers_and_whoever_is_deputy_by_then_talks_with_the_nurse() {
    let mut night = Night::begins_with(Policy { ring_s: 8, message_s: 2, ..Policy::default() }).await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone(DEPUTY, DEPUTY_VOICE).await;
    night.phone(OTHER, DEPUTY_VOICE).await;
    night.nurse_calls().await;
    night.network.wait(PRIMARY, "rings").await;
    // The rota changes while the primary's phone rings: the person is found when the step starts.
    let other = night.other.clone();
    night.on_duty(RotaRole::Deputy, &other).await;
    let (_, over) = night.network.wait(PRIMARY, "over").await;
    assert_eq!(over["why"], "cancelled");
    night.takes(OTHER, &other).await;
    night.they_talk(OTHER, DEPUTY_VOICE).await;
    assert_eq!(night.network.told(DEPUTY, "rings"), 0, "who is not on duty any more is not rung");
    let line = night.stage("talking").await;
    assert_eq!(line.row.taker.as_ref(), Some(&other));
    assert_eq!(Night::causes(&line, &night.primary), ["no_answer"]);
    // What the nurse said is sealed, and gone from the bridge.
    let who = Who::member(&night.association, &other);
    let sound = night.app.call_sound(&who, &line.row.id).await.unwrap().expect("a message was kept");
    assert!(sound.starts_with(b"RIFF") && sound.len() > 8_000, "{} bytes", sound.len());
    let recordings = night.pbx.list("recordings/stored").await;
    assert!(recordings.is_empty(), "{recordings:?}");
    night.network.hang_up("nurse");
    night.network.wait(OTHER, "over").await;
    night.stage("report_due").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_busy_phone_is_followed_by_the_next_at_once_and_a_machine_is_never_heard() {
    let mut night = Night::begins().await;
    night.network.behaves(PRIMARY, "busy", json!({})).await;
    night.network.behaves(DEPUTY, "voicemail", json!({ "tone": 1150, "after_ms": 200 })).await;
    night.phone(COORDINATOR, DEPUTY_VOICE).await;
    night.nurse_calls().await;
    let (busy, _) = night.network.wait(PRIMARY, "over").await;
    let (next, _) = night.network.wait(DEPUTY, "rings").await;
    println!("busy -> the next phone rings: {} ms", next.duration_since(busy).as_millis());
    assert!(next.duration_since(busy) < Duration::from_secs(3), "{:?}", next.duration_since(busy));
    night.network.wait(DEPUTY, "up").await;
    let begun = Instant::now();
    while night.network.told(DEPUTY, "over") == 0 {
        let heard = night.network.hears("nurse").await.0;
        assert!(heard.get(&1150).is_none_or(|share| *share < 0.5), "the nurse hears a machine: {heard:?}");
        assert!(begun.elapsed() < PATIENCE);
    }
    let line = night.until("the machine is passed over", |line| {
        line.legs.iter().filter(|l| l.leg.cause.as_deref() == Some("no_key")).count() == 1
    });
    assert_eq!(Night::causes(&line.await, &night.primary), ["busy"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_test_call_counts_when_1_is_pressed_and_not_when_a_machine_answers() {
    let mut night = Night::begins().await;
    night.network.behaves(DEPUTY, "voicemail", json!({ "tone": 1150, "after_ms": 200 })).await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    let (who, primary, deputy) = (Who::cli(&night.association), night.primary.clone(), night.deputy.clone());
    night.app.call_test(&who, &primary, None).await.unwrap();
    let rang = night.picks_up(PRIMARY).await;
    assert_eq!(rang["shows"], NIGHT, "the phone shows the night number");
    night.network.until_spoken_to(PRIMARY).await;
    a_moment().await;
    night.network.press(PRIMARY, "1");
    night.until("it is confirmed", |line| line.row.outcome.as_deref() == Some("confirmed")).await;
    night.network.wait(PRIMARY, "over").await;
    night.app.call_test(&who, &deputy, None).await.unwrap();
    night.until("a machine has no key", |line| line.row.outcome.as_deref() == Some("not_connected")).await;
    let health =
        async |of: &MemberId| night.app.reach(&night.association, of).await.unwrap().1.readiness.phone;
    assert!(health(&primary).await.is_confirmed());
    assert_eq!(health(&deputy).await, PhoneHealth::Failing(Some(Cause::NoKey)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn killed_while_a_phone_rings_the_program_rings_nobody_twice_and_the_call_goes_on() {
    let mut night = Night::begins().await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone(DEPUTY, DEPUTY_VOICE).await;
    night.nurse_calls().await;
    night.network.wait(PRIMARY, "rings").await;
    night.killed();
    let begun = Instant::now();
    night.serve().await;
    println!("killed while ringing: back after {} ms", begun.elapsed().as_millis());
    night.network.answer(PRIMARY);
    night.network.wait(PRIMARY, "up").await;
    let primary = night.primary.clone();
    night.presses_1(PRIMARY, &primary).await;
    night.keys_pin(PRIMARY).await;
    night.they_talk(PRIMARY, PRIMARY_VOICE).await;
    assert_eq!(night.network.told(PRIMARY, "rings"), 0, "one attempt, one ring");
    assert_eq!(night.network.told(DEPUTY, "rings"), 0);
    assert_eq!(night.calls().await.len(), 1, "the nurse's line is one call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn killed_while_it_asks_the_program_asks_again() {
    let mut night = Night::begins().await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.nurse_calls().await;
    night.picks_up(PRIMARY).await;
    let primary = night.primary.clone();
    night.leg(&primary, "screening").await;
    night.killed();
    night.serve().await;
    night.presses_1(PRIMARY, &primary).await;
    night.keys_pin(PRIMARY).await;
    night.they_talk(PRIMARY, PRIMARY_VOICE).await;
    assert_eq!(night.network.told(PRIMARY, "rings"), 0, "one attempt, one ring");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn killed_the_moment_a_yes_is_written_the_program_joins_them_when_it_is_back() {
    let mut night = Night::begins().await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.nurse_calls().await;
    night.picks_up(PRIMARY).await;
    let primary = night.primary.clone();
    night.presses_1(PRIMARY, &primary).await;
    night.keys_pin(PRIMARY).await;
    night.killed();
    night.serve().await;
    night.they_talk(PRIMARY, PRIMARY_VOICE).await;
    let line = night.stage("talking").await;
    assert_eq!(line.row.taker.as_ref(), Some(&primary));
    assert_eq!(night.network.told(PRIMARY, "rings"), 0, "one attempt, one ring");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn killed_while_they_talk_they_go_on_and_a_9_hands_over_when_the_program_is_back() {
    let mut night = Night::begins().await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone(DEPUTY, DEPUTY_VOICE).await;
    night.nurse_calls().await;
    let (primary, deputy) = (night.primary.clone(), night.deputy.clone());
    night.takes(PRIMARY, &primary).await;
    night.they_talk(PRIMARY, PRIMARY_VOICE).await;
    night.stage("talking").await;
    night.killed();
    night.they_talk(PRIMARY, PRIMARY_VOICE).await;
    night.serve().await;
    night.they_talk(PRIMARY, PRIMARY_VOICE).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        breathe().await;
    }
    night.network.press(PRIMARY, "9");
    night.takes(DEPUTY, &deputy).await;
    night.they_talk(DEPUTY, DEPUTY_VOICE).await;
    let line = night.stage("talking").await;
    assert_eq!(line.row.taker.as_ref(), Some(&deputy));
    assert_eq!(Night::causes(&line, &primary), ["handed_over"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn with_the_program_dead_the_bridge_rings_those_on_duty_and_joins_whoever_presses_1() {
    let mut night = Night::begins().await;
    let told = night.fallback();
    let at = |phone: &str| told.find(phone).unwrap_or_else(|| panic!("{phone} is not in {told}"));
    assert!(at(PRIMARY) < at(DEPUTY) && at(DEPUTY) < at(COORDINATOR), "{told}");
    // A change of the rota reaches the bridge by itself.
    let other = night.other.clone();
    night.on_duty(RotaRole::Deputy, &other).await;
    let begun = Instant::now();
    while !night.fallback().contains(OTHER) {
        assert!(begun.elapsed() < PATIENCE, "{}", night.fallback());
        breathe().await;
    }
    night.killed();
    night.network.behaves(PRIMARY, "busy", json!({})).await;
    night.network.behaves(OTHER, "answer", json!({ "tone": DEPUTY_VOICE, "keys": "1" })).await;
    night.network.calls("nurse", Some(NURSE), NIGHT, NURSE_VOICE);
    night.network.wait(OTHER, "rings").await;
    night.they_talk(OTHER, DEPUTY_VOICE).await;
}

/// Calls begun one after the other, and at once.
const ALONE: usize = 10;
const AT_ONCE: usize = 20;

/// Prints one line of the table; the slowest of a hundred.
pub(super) fn figure(what: &str, mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
    println!("| {what} | {} | {} | {} |", took.len(), at(50).as_millis(), at(99).as_millis());
    at(99)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn twenty_calls_begun_at_once_ring_twenty_phones() {
    let mut night = Night::begins().await;
    let who = Who::cli(&night.association);
    let (revision, mut settings) = night.app.call_settings(&night.association).await.unwrap();
    let mut doctors = Vec::new();
    for i in 0..AT_ONCE {
        let clinic = add_institution(&night.app, &night.association, &format!("医院 {i}")).await;
        let phone = format!("09022220{i:03}");
        let new = NewMember {
            phone: Some(phone.clone()),
            ..new_member(&format!("自院 {i}"), &clinic, Role::Physician, vec![])
        };
        night.app.member_add(&who, new, None, None).await.unwrap();
        let calls = InstitutionCalls { own_line: true, ..InstitutionCalls::default() };
        settings.institutions.insert(clinic.clone(), calls);
        night.network.behaves(&phone, "ring", json!({})).await;
        doctors.push((clinic, phone));
    }
    night.app.call_settings_put(&who, revision, settings).await.unwrap();
    let (_, key) = night.app.key_add(&who, "figures", &Scope::ALL).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/api/v1/calls", night.base_url.trim_end_matches('/'));
    let begin = |asker: &MemberId, clinic: &InstitutionId| {
        let body = json!({ "asker": asker.api(), "clinic": clinic.api() });
        let post = http.post(&url).bearer_auth(key.as_str()).json(&body);
        async move {
            let sent = Instant::now();
            let answer = post.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 201, "{:?}", answer.text().await);
            let begun: Value = answer.json().await.unwrap();
            (sent, Instant::now(), begun["id"].as_str().unwrap().to_owned())
        }
    };
    let asker = night.other.clone();
    let close = async |night: &Night, id: &str| {
        let id = touban::ids::CallId::from_api(id).unwrap();
        night.app.call_close(&who, &id).await.unwrap();
    };
    println!("| figure | n | p50 ms | p99 ms |");
    let (mut sent_to_ring, mut answered_to_ring) = (Vec::new(), Vec::new());
    for (clinic, phone) in doctors.iter().take(ALONE) {
        let (sent, answered, id) = begin(&asker, clinic).await;
        let (rang, _) = night.network.wait(phone, "rings").await;
        sent_to_ring.push(rang.duration_since(sent));
        answered_to_ring.push(rang.saturating_duration_since(answered));
        close(&night, &id).await;
        night.network.wait(phone, "over").await;
    }
    figure("request sent → phone rings, alone", sent_to_ring);
    figure("request committed → phone rings, alone", answered_to_ring);
    let all = futures_util::future::join_all(doctors.iter().map(|(clinic, _)| begin(&asker, clinic))).await;
    let (mut sent_to_ring, mut answered_to_ring) = (Vec::new(), Vec::new());
    for ((sent, answered, _), (_, phone)) in all.iter().zip(&doctors) {
        let (rang, _) = night.network.wait(phone, "rings").await;
        sent_to_ring.push(rang.duration_since(*sent));
        answered_to_ring.push(rang.saturating_duration_since(*answered));
    }
    let slowest = figure("request sent → phone rings, 20 at once", sent_to_ring);
    figure("request committed → phone rings, 20 at once", answered_to_ring);
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    for (_, _, id) in &all {
        close(&night, id).await;
    }
    for (_, phone) in &doctors {
        night.network.wait(phone, "over").await;
    }
}
