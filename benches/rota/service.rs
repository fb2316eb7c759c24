//! The rota in the whole program: a year published for many people, and who is on, in process and over HTTP, with a
//! database below it. SQLite in the directory for temporary files.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use touban::app::Who;
use touban::app::access::Scope;
use touban::app::people::{NewInstitution, NewMember};
use touban::app::rota::file::{FORMAT, RotaFile, VERSION};
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::domain::people::Role;
use touban::domain::rota::{Area, Assignment, Holder, Override, Records, RotaRole};
use touban::ids::{OverrideId, SystemChance};
use touban::time::{Millis, SystemClock, Window};
use touban::web::Web;
use touban::web::edge::{Edge, Framing};
use touban::web::rate::{Allowances, RateLimiter};
use touban::web::server::{Limits, serve};
use touban::web::trust::{Networks, Site};

use crate::support_office::{Manner, Office, Scratch};

const PEOPLE: usize = 80;
const OVERRIDES: usize = 100;
const QUESTIONS: usize = 5_000;
const MANNER: Manner = Manner { at_once: 3, retries_s: &[60] };

/// The time the processor worked for this process, of all its threads. The kernel counts in hundredths of a second.
fn worked() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

pub async fn measure() {
    let files = Scratch::new("rota");
    let office = Office::open(&files.sqlite(), 1, MANNER).await;
    let (app, home) = (&office.app, &office.association);
    let who = Who::cli(home);
    let mut holders = Vec::new();
    for n in 0..PEOPLE {
        let institution = NewInstitution {
            name: format!("測定{n}医院"),
            kind: "clinic".to_owned(),
            area: "青葉北".to_owned(),
            ..NewInstitution::default()
        };
        let institution = app.institution_add(&who, institution, None).await.unwrap().into_inner();
        let member = NewMember {
            name: format!("測定 {n}"),
            institution: Some(institution.clone()),
            roles: vec![Role::Physician],
            ..NewMember::default()
        };
        let person = app.member_add(&who, member, None, None).await.unwrap().into_inner();
        holders.push(Holder { person, institution });
    }
    let world = app.rota_world(home).await.unwrap();
    let area: Area = world.settings.areas[0].key.clone();
    let first = world.today();
    let last = first.plus_days(364);
    let period = world.period(first, last).unwrap();
    let mut assignments = Vec::new();
    for (n, slot) in world.slots(&area, first, last).into_iter().enumerate() {
        for (seat, role) in slot.roles.iter().enumerate() {
            assignments.push(Assignment {
                area: area.clone(),
                slot: slot.key.clone(),
                role: *role,
                window: slot.window,
                holder: holders[(n * 2 + seat) % PEOPLE].clone(),
            });
        }
    }
    let duties = assignments.len();
    let new = NewPublication {
        area: area.clone(),
        period,
        assignments: assignments.clone(),
        recorded_at: None,
        breaches: Breaches::Accept,
        note: String::new(),
    };
    let begun = Instant::now();
    let published = app.rota_import(&who, new, None).await.unwrap();
    let took = begun.elapsed();
    assert!(matches!(published, Published::Done { .. }), "{published:?}");
    println!(
        "| publishing a year for {PEOPLE} people ({duties} duties, a mail for each person) | {:.0} ms wall | < 1 s |",
        ms(took)
    );

    let recorded = app.now();
    let overrides = (0..OVERRIDES).map(|n| {
        let duty = &assignments[n * assignments.len() / OVERRIDES];
        Override {
            id: OverrideId::named(&["bench", &n.to_string()]),
            area: area.clone(),
            role: duty.role,
            window: Window { from: duty.window.from.plus_s(3_600), to: duty.window.to.plus_s(-1_800) },
            holder: Some(holders[(n * 11 + 3) % PEOPLE].clone()),
            recorded_at: recorded,
            withdrawn_at: None,
        }
    });
    let records = Records { overrides: overrides.collect(), ..Records::default() };
    let file = RotaFile { format: FORMAT.to_owned(), version: VERSION, slots: None, settings: None, records };
    app.rota_file_read(&who, file, None).await.unwrap();

    let length = period.to.since_ms(period.from);
    let instants: Vec<Millis> = (0..i64::try_from(QUESTIONS).unwrap())
        .map(|n| period.from.plus_ms((n * 7_919_999_983).rem_euclid(length)))
        .collect();
    app.rota_who(home, &area, RotaRole::Primary, instants[0], None).await.unwrap();
    let (cpu, begun) = (worked(), Instant::now());
    for at in &instants {
        std::hint::black_box(app.rota_who(home, &area, RotaRole::Primary, *at, None).await.unwrap());
    }
    let wall = begun.elapsed() / u32::try_from(QUESTIONS).unwrap();
    let cpu = cpu.zip(worked()).map(|(before, after)| (after - before) / u32::try_from(QUESTIONS).unwrap());
    println!(
        "| who is on, use case with its look at the database, {OVERRIDES} overrides | {:.3} ms CPU, {:.3} ms wall | < 0.1 ms CPU |",
        cpu.map_or(f64::NAN, ms),
        ms(wall)
    );
    over_http(&office, &instants).await;
}

async fn over_http(office: &Office, instants: &[Millis]) {
    let who = Who::cli(&office.association);
    let (_, key) = office.app.key_add(&who, "bench", &[Scope::Read]).await.unwrap();
    let web = Web {
        app: office.app.clone(),
        rates: Arc::new(RateLimiter::new(Arc::new(SystemClock), Allowances::default())),
        secure: false,
        demo: None,
        ready: Arc::new(AtomicBool::new(true)),
    };
    let edge = Edge {
        site: Site::Loopback,
        trusted_proxies: Networks::none(),
        boot_id: "bench".into(),
        framing: Framing::Nobody,
        error_page: |status: StatusCode, _| status.as_u16().to_string(),
        chance: Arc::new(SystemChance),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = edge.apply(touban::web::api::router().with_state(web)).unwrap();
    let running = tokio::spawn(serve(listener, router, Limits::default(), std::future::pending::<()>()));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut took: BTreeSet<(Duration, usize)> = BTreeSet::new();
    for (n, at) in instants.iter().take(QUESTIONS / 2).enumerate() {
        let url = format!("http://localhost:{}/api/v1/duty?at={}&role=primary", address.port(), at.rfc3339());
        let begun = Instant::now();
        let answer = client.get(url).bearer_auth(key.as_str()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        answer.bytes().await.unwrap();
        took.insert((begun.elapsed(), n));
    }
    running.abort();
    let of = |part: usize| took.iter().nth(took.len() * part / 100).map_or(f64::NAN, |(time, _)| ms(*time));
    println!(
        "| who is on over HTTP, p50 / p99 (n = {}) | {:.2} / {:.2} ms wall | p50 < 2 ms |",
        took.len(),
        of(50),
        of(99)
    );
}
