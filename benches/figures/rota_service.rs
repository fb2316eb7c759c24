//! The figures of the rota with a database and over HTTP: a year published for 80 people, and who is on asked of a
//! running `touban serve` by a client that keeps its connection.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use touban::app::access::Scope;
use touban::app::rota::changes::{NewOverride, OverrideMade};
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::app::{App, Who};
use touban::domain::rota::{Area, Assignment, Holder, RotaRole, Slot};
use touban::ids::{AssociationId, SystemChance};
use touban::seal::Seal;
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::{Clock as _, Millis, SystemClock, Window};

use crate::support_office::{Manner, Office, Scratch, rules};

const MANNER: Manner = Manner { at_once: 3, retries_s: &[60, 300, 900] };
const FIRST: &str = "2027-04-01";
const LAST: &str = "2028-03-31";
const PUBLISHED: usize = 80;
const ASKED: usize = 30;
const OVERRIDES: usize = 100;
const WARM_UP: usize = 200;
const QUESTIONS: usize = 3_000;

/// An association with so many people of as many institutions, on a SQLite file.
async fn house(files: &Path, people: usize) -> (App, AssociationId) {
    let url = format!("sqlite:{}", files.join("touban.sqlite").display());
    let seal = Seal::load_or_create(&files.join("touban.key"), &SystemChance).expect("a key file");
    let db = Db::open(&DbSettings { url, connections: 4 }).await.expect("a database");
    db.migrate(SystemClock.now()).await.expect("a schema");
    let vault = Vault { seal, chance: Arc::new(SystemChance) };
    let office = Office::with(App::new(db, vault, Arc::new(SystemClock), rules(MANNER)), 0).await;
    // With the asker there is one already.
    for number in 1..people {
        office.dermatologist(&format!("doctor{number}@example.jp"), None).await;
    }
    (office.app, office.association)
}

fn all() -> Area {
    "all".parse().expect("a plain word")
}

/// Every slot of a year with primary and deputy, everybody in turn.
async fn year(app: &App, home: &AssociationId) -> (Window, Vec<Slot>, NewPublication) {
    let world = app.rota_world(home).await.expect("a rota");
    let (first, last) = (FIRST.parse().expect("a day"), LAST.parse().expect("a day"));
    let slots = world.slots(&all(), first, last);
    let period = world.period(first, last).expect("a year");
    let people: Vec<Holder> =
        world.people().into_iter().map(|p| Holder { person: p.id, institution: p.institution }).collect();
    let half = people.len() / 2;
    let roles = [(RotaRole::Primary, 0), (RotaRole::Deputy, half)];
    let seat = |n: usize, slot: &Slot, role: RotaRole, shift: usize| Assignment {
        area: all(),
        slot: slot.key.clone(),
        role,
        window: slot.window,
        holder: people[(n + shift) % people.len()].clone(),
    };
    let assignments = slots
        .iter()
        .enumerate()
        .flat_map(|(n, slot)| roles.map(|(role, shift)| seat(n, slot, role, shift)))
        .collect();
    let note = String::new();
    let new = NewPublication {
        area: all(),
        period,
        assignments,
        recorded_at: None,
        breaches: Breaches::Accept,
        note,
    };
    (period, slots, new)
}

pub async fn measure() {
    println!("\n## With a database (SQLite, every commit synced) and over HTTP\n");
    println!(
        "| Figure | wall: p50 / p99 / max | CPU of the process, each | Goal |\n| --- | --- | --- | --- |"
    );
    publishing().await;
    asking().await;
}

/// Each time into a fresh database.
async fn publishing() {
    let (mut wall, mut cpu, mut duties) = (Vec::new(), Duration::ZERO, 0);
    const ROUNDS: usize = 5;
    for _ in 0..ROUNDS {
        let files = Scratch::new("rota-publish");
        let (app, home) = house(files.path(), PUBLISHED).await;
        let (_, _, new) = year(&app, &home).await;
        duties = new.assignments.len();
        let (begun, worked) = (Instant::now(), process_cpu("self"));
        let done = app.rota_import(&Who::cli(&home), new, None).await.expect("a publication");
        wall.push(begun.elapsed());
        cpu += process_cpu("self").saturating_sub(worked);
        assert!(matches!(done, Published::Done { .. }), "{done:?}");
        app.db.close().await;
    }
    let name = format!(
        "a year published for {PUBLISHED} people: {duties} duties judged by the rules, compared with what was there, \
         everybody's mail queued"
    );
    line(&name, &mut wall, cpu / u32::try_from(ROUNDS).unwrap(), "< 1 s");
}

async fn asking() {
    let files = Scratch::new("rota-ask");
    let (app, home) = house(files.path(), ASKED).await;
    let (period, slots, new) = year(&app, &home).await;
    let who = Who::cli(&home);
    let done = app.rota_import(&who, new, None).await.expect("a publication");
    assert!(matches!(done, Published::Done { .. }), "{done:?}");
    let people = app.rota_world(&home).await.expect("a rota").people();
    for n in 0..OVERRIDES {
        let slot = &slots[n * slots.len() / OVERRIDES];
        let new = NewOverride {
            area: all(),
            role: if n % 3 == 0 { RotaRole::Deputy } else { RotaRole::Primary },
            window: Window { from: slot.window.from.plus_s(3_600), to: slot.window.to.plus_s(-1_800) },
            person: Some(people[n * 11 % people.len()].id.clone()),
            institution: None,
            reason: String::new(),
            recorded_at: None,
        };
        let made = app.rota_override_add(&who, new, None).await.expect("an override");
        assert!(matches!(made, OverrideMade::Done { .. }), "{made:?}");
    }
    let key = app.key_add(&who, "figures", &[Scope::Read]).await.expect("a key").1.as_str().to_owned();
    app.db.close().await;

    let config = files.path().join("touban.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:{}\"\n[keys]\nfile = \"{}\"\n[mail]\nkind = \"folder\"\nfolder = \"{}\"\n",
        files.path().join("touban.sqlite").display(),
        files.path().join("touban.key").display(),
        files.path().join("mail").display(),
    );
    std::fs::write(&config, text).unwrap();
    let (served, base) = Served::start(&config);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let length = period.to.since_ms(period.from);
    let ask = async |n: usize| {
        // A step that shares no factor with the length of a year.
        let at = Millis(period.from.0 + (i64::try_from(n).unwrap() * 7_919_999_983).rem_euclid(length));
        let address = format!("{base}/api/v1/duty?at={}", at.rfc3339());
        let begun = Instant::now();
        let said = client.get(address).bearer_auth(&key).send().await.expect("an answer");
        let (status, body) = (said.status(), said.text().await.expect("its body"));
        let took = begun.elapsed();
        assert!(status == 200 && body.contains("\"member\""), "{status} {body}");
        took
    };
    for n in 0..WARM_UP {
        ask(n).await;
    }
    // The mails of the publication are written meanwhile; who is on is asked when that is over.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (mut wall, worked) = (Vec::new(), process_cpu(&served.0.id().to_string()));
    for n in 0..QUESTIONS {
        wall.push(ask(n).await);
    }
    let cpu = process_cpu(&served.0.id().to_string()).saturating_sub(worked);
    let name = format!(
        "who is on (`GET /api/v1/duty?at=`, both roles with names and what comes next), {ASKED} people, {OVERRIDES} \
         overrides, one connection"
    );
    line(&name, &mut wall, cpu / u32::try_from(QUESTIONS).unwrap(), "p50 < 2 ms");
}

/// A running `touban serve`, ended when dropped.
struct Served(Child);

impl Served {
    fn start(config: &Path) -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_touban"))
            .arg("serve")
            .arg("--config")
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the touban binary");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines.find_map(|line| line.ok().filter(|l| l.contains("\"event\":\"ready\"")));
        let ready: serde_json::Value = serde_json::from_str(&ready.expect("it became ready")).unwrap();
        let base = ready["base_url"].as_str().unwrap().to_owned();
        // It may go on writing.
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), base)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processor time of a whole process, in ticks of a hundredth of a second; nothing where the kernel does not tell.
fn process_cpu(pid: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn line(name: &str, wall: &mut [Duration], cpu: Duration, goal: &str) {
    wall.sort();
    // By nearest rank: each is a value that was measured.
    let rank = |percent: usize| wall[(wall.len() * percent).div_ceil(100).max(1) - 1].as_secs_f64() * 1_000.0;
    println!(
        "| {name} | {:.2} / {:.2} / {:.2} ms (n = {}) | {:.2} ms | {goal} |",
        rank(50),
        rank(99),
        rank(100),
        wall.len(),
        cpu.as_secs_f64() * 1_000.0
    );
}
