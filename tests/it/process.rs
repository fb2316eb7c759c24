//! The real program as a process: what its shell sees, its signals, its files. Pages and mails are tested
//! elsewhere.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("touban-process-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.write("touban.toml", "listen = \"127.0.0.1:0\"\n");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// A command line in this folder, with nothing of the calling shell's settings.
    fn touban(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touban"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null()).env("LANG", "C").env_remove("LC_ALL");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TOUBAN__")) {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.touban(args).output().unwrap()
    }

    /// What a command that must succeed says as JSON.
    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", complaint(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn serve(&self) -> Running {
        Running::start(self.touban(&["serve", "--config", "touban.toml"]))
    }

    fn association(&self) -> String {
        let made = self.json(&[
            "admin",
            "create-association",
            "--code",
            "aoba",
            "--name",
            "青葉市医師会",
            "--office-phone",
            "042-000-0000",
            "--json",
        ]);
        made["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn says(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A touban that has said that it is ready.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    ready: Value,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Ok(ready) = serde_json::from_str(&line) else {
            let output = child.wait_with_output().unwrap();
            panic!("no ready line but {line:?}; {}", complaint(&output));
        };
        Self { child, stdout, ready }
    }

    fn said(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop; the exit code and how long it took.
    fn stop(mut self) -> (Option<i32>, Duration) {
        let asked = Instant::now();
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert!(!rest.contains("\"event\":\"ready\""), "{rest}");
        (status.code(), asked.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `done`, and fails after ten seconds.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what} did not happen");
        std::thread::yield_now();
    }
}

fn change_by_sql(file: &Path, sql: &str) {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nn = c.execute(sys.argv[2]).rowcount\n\
                  c.commit()\nassert n > 0, n\n";
    let done = Command::new("python3").arg("-c").arg(script).arg(file).arg(sql).output().unwrap();
    assert!(done.status.success(), "{}", complaint(&done));
}

#[tokio::test]
async fn the_ready_line_tells_where_we_are_and_every_answer_which_start_gave_it() {
    let folder = Folder::new();
    let touban = folder.serve();
    let mut keys: Vec<&String> = touban.ready.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["base_url", "boot_id", "event", "listen", "version"]);
    assert_eq!(touban.said("event"), "ready");
    assert_eq!(touban.said("version"), env!("CARGO_PKG_VERSION"));
    let port = touban.said("listen").strip_prefix("127.0.0.1:").unwrap();
    assert_ne!(port, "0");
    assert_eq!(touban.said("base_url"), format!("http://localhost:{port}"));

    for path in ["/healthz", "/readyz", "/nowhere"] {
        let answer = reqwest::get(format!("{}{path}", touban.said("base_url"))).await.unwrap();
        assert_eq!(answer.headers()["x-boot-id"], touban.said("boot_id"), "{path}");
        assert_eq!(answer.status() == 200, path != "/nowhere", "{path}");
    }
    let first = touban.said("boot_id").to_owned();
    assert_eq!(touban.stop().0, Some(0));
    let again = folder.serve();
    assert_ne!(again.said("boot_id"), first);
}

#[test]
fn a_misspelt_key_is_refused_with_its_file_its_line_and_the_nearest_key() {
    let folder = Folder::new();
    folder.write("touban.toml", "listen = \"127.0.0.1:0\"\n\n[durable]\npol_s = 2\n");
    let refused = folder.run(&["serve", "--config", "touban.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        complaint(&refused),
        "touban: touban.toml line 4: there is no key durable.pol_s; did you mean durable.poll_s?\n"
    );
    let japanese =
        folder.touban(&["serve", "--config", "touban.toml"]).env("LANG", "ja_JP.UTF-8").output().unwrap();
    assert!(complaint(&japanese).contains("4行目：durable.pol_s という項目はありません"), "{japanese:?}");
    assert!(!folder.path("touban.sqlite").exists(), "nothing was made");
}

#[test]
fn wrong_usage_and_missing_files_end_with_two() {
    let folder = Folder::new();
    for args in [&["serv"][..], &["serve", "--config"], &["serve", "--config", "nowhere.toml"]] {
        assert_eq!(folder.run(args).status.code(), Some(2), "{args:?}");
    }
    folder.write("touban.toml", "[plans]\nfiles = [\"mine.toml\"]\n");
    folder.write("mine.toml", "[[plan]]\nname = \"consult\"\nversion = 2\nkind = \"consult\"\ncolour = 1\n");
    let refused = folder.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(complaint(&refused).contains("mine.toml, line "), "{}", complaint(&refused));
    let help = folder.run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(says(&help).contains("Exit codes"));
}

#[test]
fn the_first_start_makes_a_key_file_that_only_its_owner_can_read() {
    let folder = Folder::new();
    let touban = folder.serve();
    let mode = std::fs::metadata(folder.path("touban.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(touban.stop().0, Some(0));
    // A stopped service leaves one whole file: its log has been taken into it.
    let wal = std::fs::metadata(folder.path("touban.sqlite-wal")).map_or(0, |m| m.len());
    assert_eq!(wal, 0);
}

#[test]
fn a_missing_or_foreign_key_file_is_refused_in_one_line_and_none_is_made() {
    let folder = Folder::new();
    folder.association();
    std::fs::rename(folder.path("touban.key"), folder.path("away")).unwrap();
    let refused = folder.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = complaint(&refused);
    let line = said.lines().find(|l| l.starts_with("touban: ")).unwrap();
    assert!(line.contains("there is no key file at touban.key"), "{said}");
    assert!(!folder.path("touban.key").exists(), "a fresh key would open nothing");
    assert_eq!(folder.run(&["doctor"]).status.code(), Some(3));

    let other = Folder::new();
    other.association();
    std::fs::copy(other.path("touban.key"), folder.path("touban.key")).unwrap();
    let refused = folder.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains("is not the one this database was made with"), "{refused:?}");
    assert_eq!(folder.run(&["verify"]).status.code(), Some(1));

    std::fs::copy(folder.path("away"), folder.path("touban.key")).unwrap();
    std::fs::set_permissions(folder.path("touban.key"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = folder.run(&["serve"]);
    assert!(complaint(&refused).contains("chmod 600"), "{refused:?}");
}

#[test]
fn a_second_service_on_the_same_file_is_refused() {
    let folder = Folder::new();
    let first = folder.serve();
    let second = folder.run(&["serve"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(complaint(&second).contains("another touban serve is running on touban.sqlite"), "{second:?}");
    assert_eq!(first.stop().0, Some(0));
    // The lock goes with the process, not with the file.
    assert_eq!(folder.serve().stop().0, Some(0));
    let mut killed = folder.serve();
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert_eq!(folder.serve().stop().0, Some(0));
}

#[test]
fn a_taken_port_is_named() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    folder.write("touban.toml", &format!("listen = \"{address}\"\n"));
    let refused = folder.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains(&address), "{refused:?}");
}

#[tokio::test]
async fn the_office_is_set_up_from_the_shell_while_the_service_runs() {
    let folder = Folder::new();
    let touban = folder.serve();
    assert!(folder.association().starts_with("asc_"));
    let at = ["--association", "aoba", "--json"];
    let with = |args: &[&str]| folder.json(&[args, &at].concat());
    let clinic = with(&["admin", "create-institution", "--name", "佐藤医院", "--area", "緑町"]);
    assert!(clinic["id"].as_str().unwrap().starts_with("ins_"));
    with(&[
        "admin",
        "create-institution",
        "--name",
        "青葉中央皮膚科",
        "--area",
        "青葉中央",
        "--phone",
        "042-000-1011",
    ]);
    let asker = with(&[
        "admin",
        "create-member",
        "--name",
        "佐藤 健一",
        "--email",
        "sato@aoba.example.jp",
        "--institution",
        "佐藤医院",
        "--role",
        "physician",
    ]);
    let pin = asker["pin"].as_str().unwrap();
    assert!(pin.len() == 4 && pin.bytes().all(|b| b.is_ascii_digit()), "{pin}");
    let taker = with(&[
        "admin",
        "create-member",
        "--name",
        "伊藤 真理",
        "--email",
        "ito@aoba.example.jp",
        "--institution",
        "青葉中央皮膚科",
        "--role",
        "specialist",
        "--specialty",
        "dermatology:visit:青葉北,青葉中央",
    ]);
    let key = with(&["admin", "create-key", "--label", "試験", "--scope", "read", "--scope", "request"]);
    assert!(key["id"].as_str().unwrap().starts_with("key_"));
    assert!(key["secret"].as_str().unwrap().starts_with("tbk_"));

    let members = reqwest::Client::new()
        .get(format!("{}/api/v1/members", touban.said("base_url")))
        .bearer_auth(key["secret"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(members.status(), 200);
    let members: Value = members.json().await.unwrap();
    let ids: Vec<&Value> = members["items"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
    assert_eq!(ids, [&asker["id"], &taker["id"]]);

    // A PIN that is typed is not repeated.
    let member = taker["id"].as_str().unwrap();
    let mut command =
        folder.touban(&["admin", "set-pin", "--association", "aoba", "--member", member, "--pin-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("４０７１\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(says(&output), format!("id: {member}\n"));

    // The calendar and the times of keeping.
    let own = with(&["admin", "holidays", "--add", "令和8年8月14日=お盆", "--remove", "2026-11-03"]);
    assert_eq!((own["extra"].as_str(), own["removed"].as_str()), (Some("1"), Some("1")), "{own}");
    let rules = folder.0.join("calendar.toml");
    std::fs::write(&rules, "saturday = \"12:00\"\n").unwrap();
    let counted = with(&["admin", "calendar", rules.to_str().unwrap()]);
    assert_ne!(counted["version"], own["version"]);
    std::fs::write(&rules, "saturday = \"noon\"\n").unwrap();
    let refused = folder.run(&["admin", "calendar", "--association", "aoba", rules.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    let no_list = folder.run(&["admin", "holidays", "--association", "aoba", rules.to_str().unwrap()]);
    assert_eq!(no_list.status.code(), Some(2));
    let years = with(&["admin", "retention", "--clinical", "7"]);
    assert_eq!((years["clinical"].as_str(), years["reports"].as_str()), (Some("7"), Some("5")), "{years}");
    let hold = with(&["admin", "hold", "--reason", "監査のため"]);
    let hold = hold["id"].as_str().unwrap();
    assert!(hold.starts_with("hld_"), "{hold}");
    assert_eq!(with(&["admin", "hold"])["standing"], hold);
    with(&["admin", "hold", "--lift", hold]);
    assert_eq!(with(&["admin", "hold"])["standing"], "");
    assert_eq!(with(&["admin", "retention", "--run"])["texts"], "0");

    let verified = folder.json(&["verify", "--json"]);
    assert_eq!(verified["ok"], true);
    // Association, two institutions, two members, a key and a PIN, each with its line of the audit.
    assert!(verified["audit_rows"].as_i64().unwrap() >= 7, "{verified}");
    assert_eq!(touban.stop().0, Some(0));
}

#[test]
fn commands_beside_each_other_all_get_through() {
    let folder = Folder::new();
    let _touban = folder.serve();
    folder.association();
    let ids: Vec<String> = std::thread::scope(|scope| {
        let one = |n: usize| {
            let (folder, label) = (&folder, format!("鍵 {n}"));
            scope.spawn(move || {
                let args = [
                    "admin",
                    "create-key",
                    "--association",
                    "aoba",
                    "--label",
                    &label,
                    "--scope",
                    "read",
                    "--json",
                ];
                folder.json(&args)["id"].as_str().unwrap().to_owned()
            })
        };
        let running: Vec<_> = (0..6).map(one).collect();
        running.into_iter().map(|r| r.join().unwrap()).collect()
    });
    let different: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), 6);
    assert_eq!(folder.json(&["verify", "--json"])["ok"], true);
}

#[test]
fn the_first_commands_on_an_empty_folder_may_come_together() {
    let folder = Folder::new();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|_| scope.spawn(|| folder.run(&["migrate", "--json"]))).collect();
        let applied: Vec<Value> = running
            .into_iter()
            .map(|r| {
                let output = r.join().unwrap();
                assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
                serde_json::from_slice::<Value>(&output.stdout).unwrap()["applied"].clone()
            })
            .collect();
        let first = applied.iter().filter(|a| a.as_array().is_some_and(|a| a.contains(&1.into()))).count();
        assert_eq!(first, 1, "{applied:?}");
    });
}

#[test]
fn what_does_not_exist_is_said_and_not_made() {
    let folder = Folder::new();
    let key = ["admin", "create-key", "--association", "aoba", "--label", "x", "--scope", "read"];
    let refused = folder.run(&key);
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains("there is no database at touban.sqlite"), "{refused:?}");
    assert!(!folder.path("touban.sqlite").exists());

    folder.association();
    let again = folder.run(&[
        "admin",
        "create-association",
        "--code",
        "aoba",
        "--name",
        "緑町医師会",
        "--office-phone",
        "042-000-0002",
    ]);
    assert_eq!(
        (again.status.code(), complaint(&again)),
        (Some(2), "touban: code is taken already\n".to_owned())
    );
    let member = folder.run(&[
        "admin",
        "create-member",
        "--association",
        "aoba",
        "--name",
        "佐藤",
        "--role",
        "physician",
        "--institution",
        "佐藤医院",
    ]);
    assert_eq!(member.status.code(), Some(1));
    assert!(complaint(&member).contains("there is no institution called 佐藤医院"), "{member:?}");
    let nowhere = folder.run(&["admin", "set-pin", "--association", "midori", "--member", "mem_X"]);
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
}

#[test]
fn a_signal_ends_the_service_quickly_even_while_a_client_is_slow() {
    let folder = Folder::new();
    let touban = folder.serve();
    assert_eq!(touban.said("event"), "ready");
    let (code, took) = touban.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");

    let touban = folder.serve();
    let mut slow = std::net::TcpStream::connect(touban.said("listen")).unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").unwrap();
    let (code, took) = touban.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");

    let mut touban = folder.serve();
    touban.signal("-INT");
    assert_eq!(touban.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_row_changed_behind_our_back_is_found() {
    let folder = Folder::new();
    folder.association();
    let whole = folder.run(&["verify"]);
    assert_eq!(whole.status.code(), Some(0), "{}", says(&whole));
    assert!(says(&whole).contains("everything holds"));

    change_by_sql(&folder.path("touban.sqlite"), "UPDATE audit_event SET actor = 'nobody' WHERE seq = 1");
    let found = folder.run(&["verify"]);
    assert_eq!(found.status.code(), Some(3));
    assert!(says(&found).contains("problem: audit of aoba"), "{}", says(&found));
    let report = folder.run(&["verify", "--json"]);
    assert_eq!(report.status.code(), Some(3));
    assert_eq!(serde_json::from_slice::<Value>(&report.stdout).unwrap()["ok"], false);
}

#[test]
fn the_doctor_says_what_to_fix_and_shows_no_secret() {
    let folder = Folder::new();
    let fresh = folder.json(&["doctor", "--json"]);
    assert_eq!(fresh["ok"], true, "{fresh}");
    assert!(!folder.path("touban.sqlite").exists() && !folder.path("touban.key").exists());

    folder.association();
    let _touban = folder.serve();
    let served = folder.json(&["doctor", "--json"]);
    assert!(served["checks"].as_array().unwrap().iter().any(|c| c["name"] == "serving"), "{served}");

    // A port on which nobody answers.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    folder.write(
        "touban.toml",
        &format!(
            "listen = \"0.0.0.0:0\"\n[mail]\nkind = \"smtp\"\nfrom = \"touban@example.jp\"\n[mail.smtp]\nhost = \
             \"127.0.0.1\"\nport = {port}\nsecurity = \"plain\"\nallow_plain = true\nusername = \
             \"touban\"\npassword = \"hunter2\"\n"
        ),
    );
    let ill = folder.run(&["doctor"]);
    assert_eq!(ill.status.code(), Some(3));
    let said = says(&ill);
    for words in
        ["mail cannot be sent", "write base_url", "mail.smtp.password = \"***\"", "durable.poll_s = 1"]
    {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    assert!(!said.contains("hunter2") && !complaint(&ill).contains("hunter2"));

    folder.write("touban.toml", "[durable]\npol_s = 1\n");
    let wrong = folder.run(&["doctor"]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(says(&wrong).contains("did you mean durable.poll_s?"), "{wrong:?}");
}

#[tokio::test]
async fn the_numbers_are_read_on_a_listener_of_their_own() {
    let folder = Folder::new();
    folder.write("touban.toml", "listen = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let touban = folder.serve();
    let pages = touban.said("base_url").to_owned();
    assert_eq!(reqwest::get(format!("{pages}/healthz")).await.unwrap().status(), 200);
    assert_eq!(reqwest::get(format!("{pages}/metrics")).await.unwrap().status(), 404);
    let numbers = reqwest::get(format!("http://{}/metrics", touban.said("metrics"))).await.unwrap();
    assert_eq!(numbers.status(), 200);
    let text = numbers.text().await.unwrap();
    for line in [
        "touban_http_answers_total{status=\"2xx\"} 1",
        "touban_http_answers_total{status=\"4xx\"} 1",
        "touban_jobs{state=\"due\"} 0",
        "touban_requests_without_step 0",
        "touban_panics_total 0",
        "touban_log_lines_total{level=\"error\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert_eq!(touban.stop().0, Some(0));
}

#[tokio::test]
async fn the_demo_is_there_within_seconds_and_gone_at_the_end() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = taken.local_addr().unwrap().to_string();
    let began = Instant::now();
    let mut command = folder.touban(&["demo", "--listen", &wanted]);
    command.env("TMPDIR", &folder.0);
    let mut demo = Running::start(command);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_ne!(demo.said("listen"), wanted, "the port was taken");
    let mut greeting = String::new();
    while !greeting.contains("Ctrl-C ends it") {
        demo.stdout.read_line(&mut greeting).unwrap();
    }
    let start = format!("{}/demo", demo.said("base_url"));
    assert!(greeting.contains("青葉市医師会") && greeting.contains(&start), "{greeting}");
    let page = reqwest::get(&start).await.unwrap();
    assert_eq!(page.status(), 200);

    let left = || {
        std::fs::read_dir(&folder.0)
            .unwrap()
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_string_lossy().starts_with("touban-demo-"))
    };
    assert!(left());
    demo.signal("-INT");
    assert_eq!(demo.child.wait().unwrap().code(), Some(0));
    until("the folder of the demo goes", || !left());
    drop(taken);
}
