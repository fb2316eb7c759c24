//! The telephone company of the tests (`tests/phone/carrier.py`) as a process, and the one Asterisk they share.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use touban::ports::phone::{AsteriskSettings, BridgeError};

/// Nothing in these tests takes longer.
pub const PATIENCE: Duration = Duration::from_secs(25);

/// A variable that `scripts/test phone` sets.
pub fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/test phone"))
}

/// The Asterisk of the tests.
pub struct Pbx {
    pub dir: PathBuf,
    pub ari: String,
    password: String,
    http: reqwest::Client,
}

impl Pbx {
    pub fn given() -> Self {
        Self {
            dir: given("TOUBAN_TEST_ASTERISK").into(),
            ari: given("TOUBAN_TEST_ASTERISK_ARI"),
            password: given("TOUBAN_TEST_ASTERISK_PASSWORD"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// The section of the configuration as an association would write it, for this Asterisk.
    pub fn section(&self) -> String {
        format!(
            "ari = \"{}\"\npassword = \"{}\"\nfallback_file = \"{}\"\nmessage_dir = \"{}\"\n",
            self.ari,
            self.password,
            self.dir.join("fallback.conf").display(),
            self.dir.join("messages").display(),
        )
    }

    pub fn settings(&self) -> AsteriskSettings {
        toml::from_str(&self.section()).unwrap()
    }

    /// No line of an earlier test is left.
    pub async fn clear(&self) {
        for (list, name) in [("channels", "id"), ("bridges", "id")] {
            for thing in self.list(list).await {
                let url = format!("{}/{list}/{}", self.ari, thing[name].as_str().unwrap());
                self.http.delete(url).basic_auth("touban", Some(&self.password)).send().await.unwrap();
            }
        }
        let begun = Instant::now();
        while !self.list("channels").await.is_empty() {
            assert!(begun.elapsed() < PATIENCE, "a line of an earlier test does not end");
            breathe().await;
        }
    }

    pub async fn list(&self, what: &str) -> Vec<Value> {
        let answer = self
            .http
            .get(format!("{}/{what}", self.ari))
            .basic_auth("touban", Some(&self.password))
            .send()
            .await;
        answer.unwrap().json().await.unwrap()
    }

    /// Kills it and starts it again; returns when ARI answers.
    pub async fn kill_and_restart(&self) {
        let pid_file = self.dir.join("run/asterisk.pid");
        let pid = std::fs::read_to_string(&pid_file).unwrap();
        assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
        // On a busy machine a killed program holds its sockets for a moment; another one would think it still runs.
        let begun = Instant::now();
        let alive = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
        };
        while alive() {
            assert!(begun.elapsed() < PATIENCE, "a killed Asterisk does not die");
            breathe().await;
        }
        std::fs::remove_file(&pid_file).unwrap();
        std::fs::remove_file(self.dir.join("run/asterisk.ctl")).unwrap();
        // Outlives this test; `asterisk_stop` finds it by its configuration.
        let start = format!(
            "setsid '{}' & echo $! > '{}'",
            self.dir.join("start").display(),
            self.dir.join("pid").display()
        );
        assert!(Command::new("bash").args(["-c", &start]).status().unwrap().success());
        let begun = Instant::now();
        loop {
            let url = format!("{}/asterisk/info", self.ari);
            match self.http.get(url).basic_auth("touban", Some(&self.password)).send().await {
                Ok(answer) if answer.status().is_success() => return,
                _ => assert!(begun.elapsed() < PATIENCE, "Asterisk does not come back"),
            }
            breathe().await;
        }
    }
}

/// Between two looks at something that tells nothing by itself.
#[allow(clippy::disallowed_methods, reason = "another program is looked at, which tells nothing by itself")]
pub async fn breathe() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// As long as a person takes to hear that something is asked, and for a key to come up again.
pub async fn a_moment() {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(400) {
        breathe().await;
    }
}

/// Every phone behind the trunk.
pub struct Network {
    child: Child,
    stdin: ChildStdin,
    heard: mpsc::UnboundedReceiver<(Instant, Value)>,
    kept: Vec<(Instant, Value)>,
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Network {
    pub async fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/phone/carrier.py");
        let mut child = Command::new("python3")
            .args([script, &given("TOUBAN_TEST_CARRIER_PORT"), &given("TOUBAN_TEST_ASTERISK_SIP")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, heard) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let told = (Instant::now(), serde_json::from_str(&line).unwrap());
                if tell.send(told).is_err() {
                    return;
                }
            }
        });
        let mut network = Self { child, stdin, heard, kept: Vec::new() };
        network.wait_for("listening", |told| told["event"] == "listening").await;
        network
    }

    fn want(&mut self, want: &Value) {
        writeln!(self.stdin, "{want}").unwrap();
    }

    /// What this phone does when it is rung from now on.
    pub async fn behaves(&mut self, number: &str, how: &str, more: Value) {
        let mut want = json!({"do": "behave", "number": number, "as": how});
        want.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.want(&want);
        self.wait(number, "behaves").await;
    }

    /// A phone calls the night number. `from`: nothing for a withheld number.
    pub fn calls(&mut self, phone: &str, from: Option<&str>, to: &str, voice: u32) {
        self.want(&json!({"do": "call", "phone": phone, "from": from, "to": to, "tone": voice}));
    }

    pub fn answer(&mut self, phone: &str) {
        self.want(&json!({"do": "answer", "phone": phone}));
    }

    pub fn press(&mut self, phone: &str, keys: &str) {
        self.want(&json!({"do": "keys", "phone": phone, "keys": keys}));
    }

    pub fn hang_up(&mut self, phone: &str) {
        self.want(&json!({"do": "hang_up", "phone": phone}));
    }

    /// Waits until `phone` tells `event`, and takes it.
    pub async fn wait(&mut self, phone: &str, event: &str) -> (Instant, Value) {
        self.wait_for(&format!("{phone} {event}"), |told| told["phone"] == phone && told["event"] == event)
            .await
    }

    async fn wait_for(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> (Instant, Value) {
        if let Some(at) = self.kept.iter().position(|(_, told)| is(told)) {
            return self.kept.remove(at);
        }
        loop {
            let Ok(Some(told)) = timeout(PATIENCE, self.heard.recv()).await else {
                panic!("the telephone company does not tell {what}; it told {:?}", self.kept);
            };
            if is(&told.1) {
                return told;
            }
            self.kept.push(told);
        }
    }

    /// How often `phone` has told `event` without anybody having waited for it.
    pub fn told(&mut self, phone: &str, event: &str) -> usize {
        while let Ok(told) = self.heard.try_recv() {
            self.kept.push(told);
        }
        self.kept.iter().filter(|(_, told)| told["phone"] == phone && told["event"] == event).count()
    }

    /// The voices in the sound that reaches `phone` now, by their share, and how loud it is.
    pub async fn hears(&mut self, phone: &str) -> (BTreeMap<u32, f64>, f64) {
        self.want(&json!({"do": "hears", "phone": phone}));
        let (_, told) = self.wait(phone, "hears").await;
        let voices = told["voices"].as_object().unwrap();
        let voices = voices.iter().map(|(voice, share)| (voice.parse().unwrap(), share.as_f64().unwrap()));
        (voices.collect(), told["level"].as_f64().unwrap())
    }

    /// Waits until `phone` hears this voice and hardly anything else.
    pub async fn until_hears(&mut self, phone: &str, voice: u32) {
        let begun = Instant::now();
        loop {
            let (voices, level) = self.hears(phone).await;
            if voices.get(&voice).is_some_and(|share| *share > 0.8) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{phone} does not hear {voice} but {voices:?} at {level}");
            breathe().await;
        }
    }

    /// Waits until something is said to `phone`.
    pub async fn until_spoken_to(&mut self, phone: &str) {
        let begun = Instant::now();
        while self.hears(phone).await.1 < 200.0 {
            assert!(begun.elapsed() < PATIENCE, "nothing is said to {phone}");
            breathe().await;
        }
    }

    /// Waits until it is quiet on `phone`.
    pub async fn until_quiet(&mut self, phone: &str) {
        let begun = Instant::now();
        while self.hears(phone).await.1 > 50.0 {
            assert!(begun.elapsed() < PATIENCE, "it does not become quiet on {phone}");
            breathe().await;
        }
    }
}

/// For errors that a test does not expect.
pub fn well<T>(done: Result<T, BridgeError>) -> T {
    done.unwrap_or_else(|e| panic!("{e}"))
}
