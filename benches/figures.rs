//! The figures of `docs/performance.md`, taken on the machine it runs on: durable accepts, the way of a mail,
//! cold start, resident memory. Prints Markdown; decides nothing.
//!
//! `cargo bench --bench figures` (`-- --quick` for a smaller round). PostgreSQL is measured when
//! `TOUBAN_TEST_POSTGRES_URL` names a server on which databases may be made. `TOUBAN_FIGURES_DIR` is where
//! files are put, otherwise the directory for temporary files: in memory there are no disks to measure.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a figure that cannot be taken ends the run")]

#[path = "figures/machine.rs"]
mod machine;
#[path = "figures/sink.rs"]
mod sink;
#[path = "../tests/it/support_office.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod support_office;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use tokio::task::JoinSet;
use touban::app::answers::{ApiAnswered, ApiProof, Choice};
use touban::app::replay::Key;
use touban::app::{App, Who};
use touban::domain::dispatch::{Answer, Terms};
use touban::durable::runner::{Runner, RunnerSettings};
use touban::durable::schedule::Schedule;
use touban::ids::{ApiKeyId, OfferId, SystemChance};
use touban::ports::mail::{Security, SmtpMail, SmtpSettings};
use touban::seal::Seal;
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::{Clock as _, SystemClock};

use sink::Sink;
use support_office::{Manner, Office, Scratch, rules};

/// As in the shipped plan: three are asked first.
const MANNER: Manner = Manner { at_once: 3, retries_s: &[60, 300, 900] };
const DOCTORS: usize = 20;
const ACCEPTERS: usize = 16;
const AT_ONCE: usize = 20;
const MEMBERS: usize = 500;
const COLD_STARTS: usize = 10;
/// A process that has been ready for so long is idle.
const SETTLE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is measured.
#[derive(Clone, Copy)]
struct Size {
    accepts: usize,
    commits: usize,
    alone: usize,
    rounds: usize,
}

const FULL: Size = Size { accepts: 3_000, commits: 3_000, alone: 50, rounds: 10 };
const QUICK: Size = Size { accepts: 300, commits: 300, alone: 10, rounds: 2 };

/// One kind of database, with a fresh database of that kind whenever one is asked for.
enum Place {
    Sqlite(Scratch),
    Postgres { server: String, files: Scratch },
}

/// What stands in one column of the table.
#[derive(Default)]
struct Column {
    name: &'static str,
    rows: Vec<(&'static str, String)>,
}

impl Column {
    fn row(&mut self, name: &'static str, value: String) {
        eprintln!("{}: {name}: {value}", self.name);
        self.rows.push((name, value));
    }
}

fn main() {
    let quick = std::env::args().any(|a| a == "--quick");
    let size = if quick { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(size, quick));
}

async fn measure(size: Size, quick: bool) {
    let files = Scratch::new("figures");
    println!("{}", machine::description(files.path()));
    if quick {
        println!("A quick round: the 99th percentiles stand on few samples.\n");
    }
    let mut columns = vec![column("SQLite", &Place::Sqlite(files), size).await];
    match std::env::var("TOUBAN_TEST_POSTGRES_URL") {
        Ok(server) => {
            println!("{}", postgres_settings(&server).await);
            let place = Place::Postgres { server, files: Scratch::new("figures") };
            columns.push(column("PostgreSQL", &place, size).await);
        }
        Err(_) => println!("PostgreSQL was not measured: TOUBAN_TEST_POSTGRES_URL is not set.\n"),
    }
    print_table(&columns);
}

async fn column(name: &'static str, place: &Place, size: Size) -> Column {
    let mut column = Column { name, ..Column::default() };
    raw_commits(place, size, &mut column).await;
    accepts(place, size, &mut column).await;
    mails(place, size, &mut column).await;
    process(place, &mut column).await;
    column
}

// ---- places --------------------------------------------------------------------------------------

impl Place {
    /// The address of a new, empty database.
    async fn fresh(&self, name: &str) -> String {
        match self {
            Self::Sqlite(files) => {
                format!("sqlite:{}", files.path().join(format!("{name}.sqlite")).display())
            }
            Self::Postgres { server, .. } => {
                let name = format!("touban_figures_{name}");
                self.admin(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                self.admin(&format!("CREATE DATABASE {name}")).await;
                let (base, _) = server.rsplit_once('/').expect("an address that ends in a database's name");
                format!("{base}/{name}")
            }
        }
    }

    async fn drop(&self, name: &str) {
        if let Self::Postgres { .. } = self {
            self.admin(&format!("DROP DATABASE IF EXISTS touban_figures_{name} WITH (FORCE)")).await;
        }
    }

    async fn admin(&self, statement: &str) {
        let Self::Postgres { server, .. } = self else { return };
        let mut conn = PgConnection::connect(server).await.expect("the PostgreSQL server");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut conn)
            .await
            .expect("a database of our own");
    }

    const fn files(&self) -> &Scratch {
        let (Self::Sqlite(files) | Self::Postgres { files, .. }) = self;
        files
    }
}

/// Whether the server syncs at all decides what its figures mean.
async fn postgres_settings(server: &str) -> String {
    let mut conn = PgConnection::connect(server).await.expect("the PostgreSQL server");
    let mut said = Vec::new();
    for name in ["server_version", "fsync", "synchronous_commit", "wal_sync_method", "full_page_writes"] {
        let show = sqlx::AssertSqlSafe(format!("SHOW {name}"));
        let value: String = sqlx::query_scalar(show).fetch_one(&mut conn).await.expect("a setting");
        said.push(format!("{name} = {value}"));
    }
    format!("PostgreSQL: {}.\n", said.join(", "))
}

// ---- commits -------------------------------------------------------------------------------------

/// The yardstick: one row per commit with nothing of ours in between.
async fn raw_commits(place: &Place, size: Size, column: &mut Column) {
    let url = place.fresh("raw").await;
    let table = "CREATE TABLE probe (id BIGINT PRIMARY KEY, body TEXT NOT NULL)";
    let insert = "INSERT INTO probe (id, body) VALUES ($1, $2)";
    let body = "x".repeat(200);
    let mut took = Vec::with_capacity(size.commits);
    let begun;
    match place {
        Place::Sqlite(_) => {
            let options = SqliteConnectOptions::new()
                .filename(url.trim_start_matches("sqlite:"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::raw_sql(table).execute(&mut conn).await.unwrap();
            begun = Instant::now();
            for id in 0..size.commits {
                let at = Instant::now();
                let id = i64::try_from(id).unwrap();
                sqlx::query(insert).bind(id).bind(&body).execute(&mut conn).await.unwrap();
                took.push(at.elapsed());
            }
        }
        Place::Postgres { .. } => {
            let mut conn = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(table).execute(&mut conn).await.unwrap();
            begun = Instant::now();
            for id in 0..size.commits {
                let at = Instant::now();
                let id = i64::try_from(id).unwrap();
                sqlx::query(insert).bind(id).bind(&body).execute(&mut conn).await.unwrap();
                took.push(at.elapsed());
            }
            conn.close().await.unwrap();
        }
    }
    let spent = begun.elapsed();
    column.row("raw single-row commits per second, one connection", rate(size.commits, spent));
    column.row("… p50 / p99 / max", spread(&mut took));
    place.drop("raw").await;
}

async fn accepts(place: &Place, size: Size, column: &mut Column) {
    let url = place.fresh("accepts").await;
    let office = Arc::new(Office::open(&url, DOCTORS, MANNER).await);
    let offers = Arc::new(one_offer_each(&office, size.accepts).await);
    let next = Arc::new(AtomicUsize::new(0));
    let key = ApiKeyId::new(office.app.now(), &SystemChance);
    let mut accepters = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..ACCEPTERS {
        let (office, offers, next, key) = (office.clone(), offers.clone(), next.clone(), key.clone());
        accepters.spawn(async move {
            let mut took = Vec::new();
            while let Some((offer, doctor)) = offers.get(next.fetch_add(1, Ordering::Relaxed)) {
                let who = Who::key(&office.association, &key, Some(doctor));
                let once = Key::new(offer.as_str(), "accept", b"{}");
                let accept = Choice::Accept { terms: Terms::Advice };
                let at = Instant::now();
                let said = office.app.offer_answer(&who, offer, accept, ApiProof::ActFor, Some(&once)).await;
                took.push(at.elapsed());
                let done = matches!(said, Ok(ApiAnswered::Answered(ref a)) if a.answer == Answer::Done);
                assert!(done, "{said:?}");
            }
            took
        });
    }
    let mut took = accepters.join_all().await.concat();
    let spent = begun.elapsed();
    assert_eq!(took.len(), size.accepts);
    column.row("durable accepts per second, 16 at a time", rate(size.accepts, spent));
    column.row("… p50 / p99 / max ", spread(&mut took));
    office.app.db.close().await;
    place.drop("accepts").await;
}

/// Requests with three live offers each; one offer of each.
async fn one_offer_each(office: &Office, count: usize) -> Vec<(OfferId, touban::ids::MemberId)> {
    let mut offers = Vec::with_capacity(count);
    for _ in 0..count {
        let request = office.ask().await.request;
        let case = office.app.case_for_office(&office.association, &request).await.expect("the case");
        let offer = case.line.offers.into_iter().next().expect("somebody was asked");
        offers.push((offer.id, offer.person));
    }
    offers
}

// ---- mails ---------------------------------------------------------------------------------------

async fn mails(place: &Place, size: Size, column: &mut Column) {
    let url = place.fresh("mails").await;
    let office = Arc::new(Office::open(&url, DOCTORS, MANNER).await);
    let sink = Sink::start().await;
    let runner = runner(&office.app, sink.port()).await;
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for _ in 0..size.alone {
        let way = mail_way(&office, &sink).await;
        first.push(way.0);
        all.push(way.1);
    }
    column.row("request committed → first mail at RCPT, alone: p50 / p99 / max", spread(&mut first));
    column.row("… → all three mails taken, alone: p50 / p99 / max", spread(&mut all));
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let mut together = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (office, sink) = (office.clone(), sink.clone());
            together.spawn(async move { mail_way(&office, &sink).await });
        }
        for way in together.join_all().await {
            first.push(way.0);
            all.push(way.1);
        }
    }
    column.row("request committed → first mail at RCPT, 20 at once: p50 / p99 / max", spread(&mut first));
    column.row("… → all three mails taken, 20 at once: p50 / p99 / max", spread(&mut all));
    runner.stop().await;
    office.app.db.close().await;
    place.drop("mails").await;
}

/// From the answer to the asker until the first mail is named its recipient, and until the last is taken.
async fn mail_way(office: &Office, sink: &Sink) -> (Duration, Duration) {
    let request = office.ask().await.request;
    let committed = Instant::now();
    let seen = tokio::time::timeout(PATIENCE, sink.wait_for(request.as_str(), MANNER.at_once)).await;
    let seen = seen.expect("the mails of a request");
    // A worker may be quicker than the task that asked is woken.
    let after = |at: Instant| at.saturating_duration_since(committed);
    (after(seen.first_recipient), after(seen.last_taken))
}

/// Workers as the shipped configuration has them.
async fn runner(app: &App, port: u16) -> Runner {
    let smtp = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::None,
        allow_plain: false,
        username: None,
        password: None,
        ca_file: None,
        hello_name: None,
        send_budget_s: 8,
    };
    let settings = RunnerSettings {
        boot_id: "figures".to_owned(),
        from: "jimukyoku@example.jp".to_owned(),
        reply_to: None,
        poll: Duration::from_secs(1),
        mail_workers: 4,
        urgent_workers: 2,
        self_check: Duration::from_secs(10),
        housekeeping: Schedule::parse("0 30 3 * * *").expect("a schedule"),
        reviews: touban::durable::reviews::Reviews {
            schedule: touban::durable::schedule::Schedule::parse("0 0 9 1 4,7,10 *").expect("a schedule"),
            after_days: 60,
        },
        stop: Duration::from_secs(10),
    };
    let port = Arc::new(SmtpMail::new(smtp).expect("settings"));
    Runner::start(app.clone(), port, settings).await.expect("workers")
}

// ---- the process ---------------------------------------------------------------------------------

async fn process(place: &Place, column: &mut Column) {
    let url = place.fresh("process").await;
    let directory = place.files().path().to_owned();
    let key_file = directory.join("touban.key");
    let seal = Seal::load_or_create(&key_file, &SystemChance).expect("a key file");
    let db = Db::open(&DbSettings { url: url.clone(), connections: 4 }).await.expect("a database");
    db.migrate(SystemClock.now()).await.expect("a schema");
    let vault = Vault { seal, chance: Arc::new(SystemChance) };
    let office = Office::with(App::new(db, vault, Arc::new(SystemClock), rules(MANNER)), 0).await;
    for number in 0..MEMBERS {
        office.dermatologist(&format!("member{number}@example.jp"), None).await;
    }
    office.app.db.close().await;
    let config = directory.join("touban.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[database]\nurl = \"{url}\"\n[keys]\nfile = \"{}\"\n[mail]\nkind = \"folder\"\nfolder = \"{}\"\n",
        key_file.display(),
        directory.join("mail").display(),
    );
    std::fs::write(&config, text).unwrap();

    let mut ready = Vec::new();
    let mut resident = 0;
    for round in 0..COLD_STARTS {
        let begun = Instant::now();
        let mut served = Served::start(&config);
        served.wait_until_ready();
        ready.push(begun.elapsed());
        if round + 1 == COLD_STARTS {
            std::thread::sleep(SETTLE);
            resident = machine::resident_kb(served.0.id());
        }
    }
    column.row("cold start, process made → ready line (500 members): p50 / p99 / max", spread(&mut ready));
    column.row("resident memory, idle with 500 members", format!("{:.1} MiB", resident as f64 / 1024.0));
    place.drop("process").await;
}

/// A running `touban serve`, killed when dropped.
struct Served(Child);

impl Served {
    fn start(config: &std::path::Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_touban"))
            .arg("serve")
            .arg("--config")
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("the touban binary"))
    }

    fn wait_until_ready(&mut self) {
        let mut lines = BufReader::new(self.0.stdout.take().expect("its output")).lines();
        let ready = lines.any(|line| line.is_ok_and(|l| l.contains("\"event\":\"ready\"")));
        assert!(ready, "touban serve ended before it was ready");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

// ---- numbers -------------------------------------------------------------------------------------

fn rate(count: usize, spent: Duration) -> String {
    format!("{:.0}", count as f64 / spent.as_secs_f64())
}

/// By nearest rank: each is a value that was measured.
fn spread(samples: &mut [Duration]) -> String {
    samples.sort();
    let rank = |percent: usize| (samples.len() * percent).div_ceil(100).max(1) - 1;
    let ms = |at: usize| samples.get(at).map_or(0.0, |d| d.as_secs_f64() * 1_000.0);
    format!("{:.1} / {:.1} / {:.1} ms (n = {})", ms(rank(50)), ms(rank(99)), ms(rank(100)), samples.len())
}

fn print_table(columns: &[Column]) {
    let names: Vec<&str> = columns.iter().map(|c| c.name).collect();
    println!("| Figure | {} |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(columns.len()));
    let Some(first) = columns.first() else { return };
    for (at, (name, _)) in first.rows.iter().enumerate() {
        let values: Vec<&str> =
            columns.iter().map(|c| c.rows.get(at).map_or("", |(_, value)| value.as_str())).collect();
        println!("| {} | {} |", name.trim_end(), values.join(" | "));
    }
}
