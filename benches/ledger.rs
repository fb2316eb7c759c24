//! The figures of the ledger, taken on the machine it runs on: a month of 1,000 events, a year of 100,000, a month that
//! holds all of them, a statement out of 1,000,000 lines; how much memory that takes. Prints Markdown with the goal beside
//! each figure; decides nothing.
//!
//! `cargo bench --bench ledger` (`-- --quick` for a hundredth). PostgreSQL is measured when
//! `TOUBAN_TEST_POSTGRES_URL` names a server on which databases may be made. People, institutions, closes go
//! through the commands; completed events, and the lines of the large ledger, are written by SQL of our own, because
//! a hundred thousand consults asked and answered one by one would measure something else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a figure that cannot be taken ends the run"
)]

#[path = "figures/machine.rs"]
#[allow(dead_code, reason = "the figures of the service use the rest of it")]
mod machine;
#[path = "../tests/it/support_office.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod support_office;

use std::time::Instant;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use touban::app::people::{NewInstitution, NewMember};
use touban::app::{App, Who};
use touban::domain::calendar::{Calendar, NightHours, civil_day};
use touban::domain::ledger::{
    AcceptorFacts, AskerRole, AttemptFact, AttemptResult, Channel, CompletedEvent, Confirmation, EventKind,
    EventRef, FACTS_VERSION, GateResult, Membership, Moment, Month, Occasion, OnRotaAs, RequesterFacts,
    Urgency,
};
use touban::domain::people::Role;
use touban::i18n::Lang;
use touban::ids::{AssociationId, InstitutionId, MemberId, RequestId, SeededChance};
use touban::time::{Millis, Window};

use support_office::{Manner, Office, Scratch};

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Tokyo;
const PARTIES: usize = 60;
const ROUNDS: usize = 3;
const MANNER: Manner = Manner { at_once: 3, retries_s: &[60] };
/// Rows of one statement of our own.
const CHUNK: usize = 2_000;

#[derive(Clone, Copy)]
struct Size {
    month: usize,
    year: usize,
    lines: usize,
}

const FULL: Size = Size { month: 1_000, year: 100_000, lines: 1_000_000 };
const QUICK: Size = Size { month: 100, year: 1_200, lines: 12_000 };

/// The second way into the database of the office.
enum Raw {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl Raw {
    async fn open(url: &str) -> Self {
        if let Some(file) = url.strip_prefix("sqlite:") {
            let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
            Self::Sqlite(Box::new(SqliteConnection::connect_with(&options).await.unwrap()))
        } else {
            let mut conn = PgConnection::connect(url).await.unwrap();
            // No requests stand behind the events.
            sqlx::query("SET session_replication_role = replica").execute(&mut conn).await.unwrap();
            Self::Postgres(Box::new(conn))
        }
    }

    async fn run(&mut self, sql: &str) {
        match self {
            Self::Sqlite(conn) => {
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut **conn).await.map(drop).unwrap();
            }
            Self::Postgres(conn) => {
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut **conn).await.map(drop).unwrap();
            }
        }
    }

    async fn settle(&mut self) {
        match self {
            Self::Sqlite(_) => self.run("ANALYZE").await,
            Self::Postgres(_) => self.run("VACUUM ANALYZE").await,
        }
    }
}

/// Who asks and takes.
struct Town {
    office: Office,
    clerk: MemberId,
    officer: MemberId,
    parties: Vec<(InstitutionId, MemberId)>,
}

async fn town(url: &str) -> Town {
    let office = Office::open(url, 0, MANNER).await;
    let (app, cli) = (&office.app, Who::cli(&office.association));
    let mut parties = Vec::new();
    let mut add = async |name: &str, roles: Vec<Role>| {
        let new = NewInstitution {
            name: format!("{name}医院"),
            kind: "clinic".into(),
            area: "青葉北".into(),
            ..NewInstitution::default()
        };
        let place = app.institution_add(&cli, new, None).await.unwrap().into_inner();
        let new = NewMember {
            name: name.to_owned(),
            institution: Some(place.clone()),
            roles,
            lang: Lang::Ja,
            ..NewMember::default()
        };
        let member = app.member_add(&cli, new, None, None).await.unwrap().into_inner();
        parties.push((place, member.clone()));
        member
    };
    for n in 0..PARTIES {
        add(&format!("当番{n}"), vec![Role::Physician]).await;
    }
    let clerk = add("事務", vec![Role::Clerk]).await;
    let officer = add("理事", vec![Role::Officer]).await;
    parties.truncate(PARTIES);
    Town { office, clerk, officer, parties }
}

/// A consult that was taken, answered and confirmed, as it is recorded.
fn event(
    town: &Town,
    n: usize,
    at: Millis,
    calendar: &Calendar,
    chance: &SeededChance,
) -> (RequestId, CompletedEvent) {
    let (asker, taker) = (&town.parties[n % PARTIES], &town.parties[(n * 7 + 1) % PARTIES]);
    let (answered, closed) = (at.plus_s(3_000), at.plus_s(7_200));
    let request = RequestId::new(at, chance);
    let attempt = |person: &MemberId, result| AttemptFact {
        person: Some(person.clone()),
        institution: None,
        result,
        seconds: 1_200,
    };
    let event = CompletedEvent {
        facts_version: FACTS_VERSION,
        event: EventRef::Request(request.clone()),
        case_no: format!("R7-{:04}", n + 1).parse().unwrap(),
        kind: EventKind::Consult,
        association: town.office.association.clone(),
        occasion: Occasion::Real,
        created_at: at.plus_s(-1_200),
        accepted_at: at,
        started_at: Some(at),
        ended_at: Some(answered),
        report_at: Some(answered),
        closed_at: Some(closed),
        withdrawn_at: None,
        moment: Moment::of(at, ZONE, calendar),
        patient_city: "13999".parse().ok(),
        patient_ref: None,
        urgency: Urgency::Soon,
        requested_by: Channel::Web,
        accepted_by: Channel::MailLink,
        attempts: vec![
            attempt(&asker.1, AttemptResult::Declined),
            attempt(&asker.1, AttemptResult::NoAnswer),
            attempt(&taker.1, AttemptResult::Accepted),
        ],
        gate: GateResult::NotNeeded,
        outcome: "advice".parse().unwrap(),
        minutes: Some(50),
        distance_class: None,
        report_ref: "report:1".parse().ok(),
        household_explained: false,
        night_card_used: false,
        specialty: "dermatology".parse().ok(),
        other_subsidy: false,
        transport_avoided: n.is_multiple_of(3),
        excluded: false,
        requester: RequesterFacts {
            institution: asker.0.clone(),
            institution_kind: "clinic".parse().unwrap(),
            member: Some(asker.1.clone()),
            membership: Membership::Active,
            role: AskerRole::Attending,
            entered_by: None,
            confirmation: Confirmation::Confirmed { at: closed },
        },
        acceptor: AcceptorFacts {
            institution: taker.0.clone(),
            institution_kind: "clinic".parse().unwrap(),
            person: Some(taker.1.clone()),
            membership: Membership::Active,
            on_rota_as: OnRotaAs::Volunteer,
            accepted_at: at,
            arrived_at: None,
            completed_at: Some(answered),
            minutes: Some(10),
            minutes_confirmed: true,
        },
    };
    (request, event)
}

fn window(first: Month, last: Month) -> Window {
    let start = |month: Month| touban::domain::calendar::start_of_day(month.first(), ZONE);
    Window { from: start(first), to: start(last.plus(1)) }
}

/// Writes so many events, spread evenly.
async fn write_events(raw: &mut Raw, town: &Town, span: Window, count: usize) {
    let calendar = Calendar::national("test", NightHours::new(1_080, 480).unwrap());
    let chance = SeededChance::new(7);
    let step = span.to.since_ms(span.from) / i64::try_from(count).unwrap();
    let home = town.office.association.as_str();
    for chunk in (0..count).collect::<Vec<_>>().chunks(CHUNK) {
        let (mut ids, mut ats, mut counts, mut bodies) = (vec![], vec![], vec![], vec![]);
        for n in chunk {
            let at = span.from.plus_ms(step * i64::try_from(*n).unwrap() + 1);
            let (id, event) = event(town, *n, at, &calendar, &chance);
            ids.push(id.as_str().to_owned());
            ats.push(at.plus_s(7_200).0);
            counts.push(at.0);
            bodies.push(serde_json::to_string(&event).unwrap());
        }
        match raw {
            Raw::Sqlite(conn) => {
                let mut tx = conn.begin().await.unwrap();
                for n in 0..ids.len() {
                    sqlx::query("INSERT INTO completed_event (association_id, request_id, at_ms, counts_at_ms, body) VALUES ($1, $2, $3, $4, $5)")
                        .bind(home).bind(&ids[n]).bind(ats[n]).bind(counts[n]).bind(&bodies[n])
                        .execute(&mut *tx).await.unwrap();
                }
                tx.commit().await.unwrap();
            }
            Raw::Postgres(conn) => {
                sqlx::query("INSERT INTO completed_event (association_id, request_id, at_ms, counts_at_ms, body) SELECT $1, * FROM UNNEST($2::text[], $3::bigint[], $4::bigint[], $5::text[])")
                    .bind(home).bind(&ids).bind(&ats).bind(&counts).bind(&bodies)
                    .execute(&mut **conn).await.unwrap();
            }
        }
    }
}

async fn close(town: &Town, month: Month) {
    let (app, home) = (&town.office.app, &town.office.association);
    let made = app.ledger_make(&Who::member(home, &town.clerk), month).await.unwrap().unwrap();
    app.ledger_approve(&Who::member(home, &town.officer), month, made.revision).await.unwrap().unwrap();
}

/// Copies the lines of a closed month until there are so many, in twelve months that count as closed.
async fn write_lines(raw: &mut Raw, home: &AssociationId, (from, many): (Month, usize), count: usize) {
    let (home, name) = (home.as_str(), from.to_string());
    let each = count / 12;
    let is_sqlite = matches!(raw, Raw::Sqlite(_));
    let (series, number) = if is_sqlite {
        (
            format!(
                "(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {}) SELECT n FROM c)",
                each - 1
            ),
            "substr('00000000000000000000000000' || CAST(c.k AS TEXT), -26)",
        )
    } else {
        (format!("(SELECT n FROM generate_series(0, {}) AS n)", each - 1), "lpad(CAST(c.k AS TEXT), 26, '0')")
    };
    for m in 1..=12i64 {
        let month = from.plus(m);
        let first = 1_000_000_000 + m * 10_000_000;
        let body = "replace(replace(s.body, s.line_id, c.id), '\"run\":\"' || s.month || '\"', '\"run\":\"{month}\"')"
            .replace("{month}", &month.to_string());
        raw.run(&format!(
            "INSERT INTO ledger_close SELECT association_id, '{month}', state, revision, made_at_ms, made_by, \
             tariff_number, tariffs_version, {each}, held, total_yen, run_hash, ends_year, closed_at_ms, closed_by, \
             {first}, {}, head_hash FROM ledger_close WHERE association_id = '{home}' AND month = '{name}'",
            first + i64::try_from(each).unwrap() - 1,
        ))
        .await;
        raw.run(&format!(
            "INSERT INTO ledger_sealed (association_id, seq, line_id, month, event, case_no, side, party, program, \
             tariff, civil_date, unit, reason, entry, of_line, amount_yen, body, hash) \
             SELECT s.association_id, c.k, c.id, '{month}', s.event || c.k, s.case_no, s.side, s.party, s.program, \
             s.tariff, s.civil_date, s.unit, s.reason, s.entry, s.of_line, s.amount_yen, {body}, s.hash \
             FROM (SELECT c.k, c.n, {number} AS id FROM (SELECT n, {first} + n AS k FROM {series} AS series) AS c) AS c \
             JOIN (SELECT ROW_NUMBER() OVER (ORDER BY seq) - 1 AS r, l.* \
             FROM ledger_sealed AS l WHERE association_id = '{home}' AND month = '{name}') AS s ON s.r = c.n % {many}",
        ))
        .await;
    }
}

/// What the process has held at most since the last time it was asked, and holds now, in MiB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let told = (field("VmHWM:").unwrap_or(0) / 1_024, field("VmRSS:").unwrap_or(0) / 1_024);
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    told
}

struct Taken {
    ms: f64,
    /// MiB above what was there before.
    above: u64,
}

async fn median<F: AsyncFnMut()>(mut deed: F) -> Taken {
    deed().await;
    let before = memory().1;
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        deed().await;
        all.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    let above = memory().0.saturating_sub(before);
    all.sort_by(f64::total_cmp);
    Taken { ms: all[all.len() / 2], above }
}

#[derive(Default)]
struct Column(Vec<(String, &'static str, String)>);

impl Column {
    fn put(&mut self, what: String, goal: &'static str, taken: &Taken) {
        let said = format!("{:.0} ms, {} MiB", taken.ms, taken.above);
        eprintln!("{what}: {said}");
        self.0.push((what, goal, said));
    }
}

async fn preview(app: &App, home: &AssociationId, month: Month, least: usize) -> Taken {
    median(async || {
        let view = app.ledger_month(home, month).await.unwrap();
        assert!(view.sums.is_ok() && view.lines.len() >= least, "{} lines", view.lines.len());
    })
    .await
}

async fn measured(fresh: impl AsyncFn(&str) -> String, size: Size) -> Column {
    let mut column = Column::default();
    // April of a fiscal year that is over.
    let april: Month = "2025-04".parse().unwrap();
    let march = april.plus(11);
    {
        let url = fresh("ledger_month").await;
        let town = town(&url).await;
        let mut raw = Raw::open(&url).await;
        write_events(&mut raw, &town, window(april, april), size.month).await;
        raw.settle().await;
        let (app, home) = (&town.office.app, &town.office.association);
        let taken = preview(app, home, april, size.month).await;
        column.put(format!("Preview of a month of {} events", size.month), "", &taken);
        let began = Instant::now();
        close(&town, april).await;
        let closed = Taken { ms: began.elapsed().as_secs_f64() * 1_000.0, above: 0 };
        column.put(format!("Made and approved: a month of {} events", size.month), "", &closed);
        let many = app.ledger_month(home, april).await.unwrap().lines.len();
        write_lines(&mut raw, home, (april, many), size.lines).await;
        raw.settle().await;
        let party = town.parties[1].0.clone();
        let taken = median(async || {
            let view = app.ledger_month_of(home, april.plus(6), &party).await.unwrap();
            assert!(view.statement(&party).is_some_and(|s| !s.lines.is_empty()));
        })
        .await;
        column.put(format!("A statement out of {} lines", size.lines), "≤ 500 ms", &taken);
        let taken = median(async || {
            assert!(!app.ledger_burn(home, 2025).await.unwrap().is_empty());
        })
        .await;
        column.put(format!("The budgets of the year, {} lines", size.lines), "", &taken);
        app.db.close().await;
    }
    {
        let url = fresh("ledger_year").await;
        let town = town(&url).await;
        let mut raw = Raw::open(&url).await;
        write_events(&mut raw, &town, window(april, march), size.year).await;
        raw.settle().await;
        let (app, home) = (&town.office.app, &town.office.association);
        let began = Instant::now();
        for n in 0..11 {
            close(&town, april.plus(n)).await;
        }
        let closed = Taken { ms: began.elapsed().as_secs_f64() * 1_000.0 / 11.0, above: 0 };
        column.put(
            format!("Made and approved: a month of {} events, on average", size.year / 12),
            "",
            &closed,
        );
        raw.settle().await;
        let taken = preview(app, home, march, size.year / 12).await;
        column.put(
            format!("Close preview of the last month of a year of {} events", size.year),
            "≤ 2 s",
            &taken,
        );
        app.db.close().await;
    }
    {
        let url = fresh("ledger_heavy").await;
        let town = town(&url).await;
        let mut raw = Raw::open(&url).await;
        write_events(&mut raw, &town, window(april, april), size.year).await;
        raw.settle().await;
        let (app, home) = (&town.office.app, &town.office.association);
        let taken = preview(app, home, april, size.year).await;
        column.put(format!("Close preview of one month of {} events", size.year), "≤ 2 s", &taken);
        app.db.close().await;
    }
    column
}

async fn admin(server: &str, sql: &str) {
    let mut conn = PgConnection::connect(server).await.expect("the PostgreSQL server");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.map(drop).unwrap();
}

async fn measure(size: Size) {
    let files = Scratch::new("ledger");
    println!("{}", machine::description(files.path()));
    let today = civil_day(touban::time::Clock::now(&touban::time::SystemClock), ZONE);
    println!(
        "Taken on {today}; the median of {ROUNDS} rounds, and what the process held at most above what it held before.\n"
    );
    let sqlite =
        async |name: &str| format!("sqlite:{}", files.path().join(format!("{name}.sqlite")).display());
    let mut columns = vec![("SQLite", measured(sqlite, size).await)];
    if let Ok(server) = std::env::var("TOUBAN_TEST_POSTGRES_URL") {
        let postgres = async |name: &str| {
            admin(&server, &format!("DROP DATABASE IF EXISTS touban_{name} WITH (FORCE)")).await;
            admin(&server, &format!("CREATE DATABASE touban_{name}")).await;
            let (base, _) = server.rsplit_once('/').unwrap();
            format!("{base}/touban_{name}")
        };
        columns.push(("PostgreSQL", measured(postgres, size).await));
    } else {
        println!("PostgreSQL was not measured: TOUBAN_TEST_POSTGRES_URL is not set.\n");
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    println!("| Figure | Goal | {} |\n| --- | --- |{}", names.join(" | "), " --- |".repeat(names.len()));
    for n in 0..columns[0].1.0.len() {
        let (what, goal, _) = &columns[0].1.0[n];
        let cells: Vec<&str> = columns.iter().map(|(_, column)| column.0[n].2.as_str()).collect();
        println!("| {what} | {goal} | {} |", cells.join(" | "));
    }
}

fn main() {
    let size = if std::env::args().any(|a| a == "--quick") { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(size));
}
