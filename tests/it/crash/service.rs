//! The real binary as a process: an installation in a directory, made by its own `admin` commands, served,
//! killed and served again. What is asked of it stands next door.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::oneshot;

/// A start that takes longer than this is a failure of its own.
const START_PATIENCE: Duration = Duration::from_secs(20);
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// A directory with the binary, the configuration, the database and the keys.
#[derive(Debug)]
pub struct Installation {
    directory: PathBuf,
    binary: PathBuf,
    lives: AtomicU32,
}

impl Installation {
    /// Writes the configuration and makes the association with its people.
    pub fn make(directory: &Path, smtp_port: u16) -> Self {
        let binary = directory.join("touban");
        // A copy: a build that runs meanwhile must not put another binary in the place of this one.
        std::fs::copy(env!("CARGO_BIN_EXE_touban"), &binary).unwrap();
        std::fs::write(directory.join("touban.toml"), config(smtp_port)).unwrap();
        std::fs::write(directory.join("plans.toml"), PLAN).unwrap();
        std::fs::write(directory.join("tariffs.toml"), include_str!("../../../config/tariffs.toml")).unwrap();
        Self { directory: directory.to_owned(), binary, lives: AtomicU32::new(0) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--config").arg(self.directory.join("touban.toml"));
        // Nothing of the machine's own settings, and English words in what fails.
        command.env_clear().current_dir(&self.directory);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What an `admin` command made.
    pub fn admin(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[&["admin"], arguments, &["--json"]].concat());
        let (said, complained) =
            (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "admin {arguments:?}: {said}{complained}");
        serde_json::from_str(&said).unwrap()
    }

    /// Starts a life of the service.
    pub fn serve(&self) -> Life {
        let number = self.lives.fetch_add(1, Ordering::Relaxed);
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let begun = Instant::now();
        let mut child =
            self.command(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::from(log)).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (say_ready, ready) = oneshot::channel();
        // Reads to the end, so that the service never waits for somebody to listen.
        std::thread::spawn(move || {
            let mut say_ready = Some(say_ready);
            for line in output.lines().map_while(Result::ok) {
                let event: Option<Value> =
                    serde_json::from_str(&line).ok().filter(|v: &Value| v["event"] == "ready");
                if let (Some(event), Some(say)) = (event, say_ready.take()) {
                    let _ = say.send((event, begun.elapsed()));
                }
            }
        });
        Life { number, child, ready }
    }

    fn log(&self) -> PathBuf {
        self.directory.join("touban.log")
    }

    /// The end of what the service wrote on stderr over all its lives.
    pub fn last_words(&self) -> String {
        let log = std::fs::read(self.log()).unwrap_or_default();
        let from = log.len().saturating_sub(4_000);
        String::from_utf8_lossy(&log[from..]).into_owned()
    }
}

/// One life of the process; killed when dropped.
#[derive(Debug)]
pub struct Life {
    pub number: u32,
    child: Child,
    ready: oneshot::Receiver<(Value, Duration)>,
}

impl Life {
    /// Where it listens, and how long it took to say so; `None` when it ended before.
    pub async fn ready(&mut self) -> Option<(String, Duration)> {
        let ready = tokio::time::timeout(START_PATIENCE, &mut self.ready).await;
        let (event, took) = ready.expect("the service is ready in time").ok()?;
        Some((event["base_url"].as_str().unwrap().to_owned(), took))
    }

    /// SIGKILL. Returns when the process is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM. Whether it ended well, and in time.
    pub async fn stop(mut self) -> bool {
        let term = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(term.success());
        let ended = tokio::task::spawn_blocking(move || self.child.wait().unwrap().success());
        tokio::time::timeout(STOP_PATIENCE, ended).await.is_ok_and(|ended| ended.unwrap())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // Gone already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks everybody at once, so that one mail server sees the most.
const PLAN: &str = r#"
[[plan]]
name = "consult"
version = 1
kind = "consult"
report = true
[[plan.step]]
ask = "specialists"
mode = "seek"
channels = ["mail"]
proof = ["pin", "device", "act_for"]
at_once = 0
wait_s = 14400
"#;

fn config(smtp_port: u16) -> String {
    format!(
        r#"
listen = "127.0.0.1:0"
[database]
url = "sqlite:touban.sqlite"
[mail]
kind = "smtp"
from = "青葉市医師会 在宅当番 <touban@example.jp>"
[mail.smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "plain"
allow_plain = true
[durable]
self_check_s = 1
[plans]
files = ["plans.toml"]
[tariffs]
file = "tariffs.toml"
"#
    )
}
