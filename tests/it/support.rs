//! An office in a box: an association with people, PINs and keys on a database of its own, and the router on
//! a real socket. What is asserted stands in the tests.
//!
//! ```ignore
//! on_both! { a_question_is_answered }
//! async fn a_question_is_answered(office: TestOffice) { let base = office.serve().await; … }
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use touban::app::access::Scope;
use touban::app::people::{NewAssociation, NewInstitution, NewMember};
use touban::app::{App, Rules, Who};
use touban::domain::calendar::{Calendar, NightHours};
use touban::domain::call::number::{Number, Reading, read};
use touban::domain::dispatch::Plans;
use touban::domain::ledger::Tariffs;
use touban::domain::people::{Role, SpecialtyOffer, resolvable};
use touban::i18n::Lang;
use touban::ids::{AssociationId, InstitutionId, MemberId, SeededChance, SharedChance};
use touban::seal::{Pin, Seal};
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::{ManualClock, Millis};
use touban::web::Web;
use touban::web::edge::{Edge, Framing};
use touban::web::rate::{Allowances, RateLimiter};
use touban::web::server::{Limits, serve};
use touban::web::trust::{Networks, Site};

/// The PIN of everybody who has one.
pub const PIN: &str = "1234";

/// A Friday morning in Tokyo.
pub const START: &str = "2026-11-20T10:00:00+09:00";

/// Makes of each `async fn name(office: TestOffice)` one test on a SQLite file and one on PostgreSQL;
/// `name with PLANS` brings its own plans.
macro_rules! on_both {
    (@plans) => { $crate::support::PLANS };
    (@plans $plans:expr) => { $plans };
    ($($name:ident $(with $plans:expr)?),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let plans = $crate::support::on_both!(@plans $($plans)?);
                super::$name($crate::support::TestOffice::sqlite_with(plans).await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let plans = $crate::support::on_both!(@plans $($plans)?);
                // The runner of all tests starts a server; without one only SQLite is tested.
                if let Some(office) = $crate::support::TestOffice::postgres_with(plans).await {
                    super::$name(office).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

/// The association 青葉市医師会 as the tests know it.
#[derive(Debug)]
pub struct TestOffice {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub association: AssociationId,
    /// The asker's institution, in 青葉北.
    pub clinic: InstitutionId,
    pub clerk: MemberId,
    pub coordinator: MemberId,
    pub asker: MemberId,
    /// Three volunteers for dermatology, each of an institution of their own; the first two visit.
    pub dermatologists: Vec<MemberId>,
    pub keys: TestKeys,
    place: Place,
}

/// API keys of the association.
#[derive(Clone, Debug)]
pub struct TestKeys {
    /// Every scope.
    pub all: String,
    /// Reads without clinical text.
    pub read: String,
    /// Makes requests; may not act for others.
    pub request: String,
}

/// Where the database lives, gone when dropped.
#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    /// The server is thrown away with everything in it; the address of the database.
    Server(String),
    /// Not ours.
    Elsewhere,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Folder(folder) = self {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// A number no other test of this process has.
/// A telephone number as it is written.
pub fn telephone(text: &str) -> Number {
    match read(text) {
        Reading::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// The rules of an installation as shipped, with the given plans.
pub fn rules_with(plans: &str) -> Rules {
    let urgent = include_str!("../../config/urgent.toml");
    let urgent = Plans::parse("urgent.toml", urgent, &touban::app::call::resolvable).unwrap();
    Rules {
        base_url: "https://touban.example.jp".into(),
        mail_host: "touban.example.jp".into(),
        plans: Plans::parse("plans.toml", plans, &resolvable).unwrap().replaced_by(urgent),
        tariffs: Tariffs::parse("tariffs.toml", include_str!("../../config/tariffs.toml"), "test-1").unwrap(),
        calendar: Calendar::national("national-1", NightHours::new(1_080, 480).unwrap()),
        sign_in_life_s: 600,
        offer_life_max_s: 259_200,
        device_life_s: 7_776_000,
        session_idle_s: 1_800,
        session_max_s: 43_200,
        pin_tries_per_link: 5,
        pin_tries_total: 10,
        mail_retry_s: vec![60, 300],
        urgent_mail_retry_s: vec![5, 15],
        alarm_repeat_s: 60,
        lease_s: 30,
        poison_tries: 5,
        replay_keep_s: 604_800,
        recovery_delay_s: 86_400,
    }
}

/// The plans as shipped.
pub const PLANS: &str = include_str!("../../config/plans.toml");

/// One step that asks every specialist at once.
pub const ALL_AT_ONCE: &str = r#"
[[plan]]
name = "consult"
version = 1
kind = "consult"
report = true
extend_s = 86400
extend_times = 1
[[plan.step]]
ask = "specialists"
mode = "seek"
channels = ["mail"]
proof = ["pin", "device", "act_for"]
at_once = 0
wait_s = 14400
"#;

/// A database in a folder of its own.
async fn sqlite_db() -> (Db, Place) {
    let folder = std::env::temp_dir().join(format!("touban-it-{}-{}", std::process::id(), number()));
    std::fs::create_dir_all(&folder).unwrap();
    let url = format!("sqlite:{}", folder.join("touban.sqlite").display());
    let db = Db::open(&DbSettings { url, connections: 4 }).await.unwrap();
    (db, Place::Folder(folder))
}

/// A database of its own on the server that `TOUBAN_TEST_POSTGRES_URL` names; `None` without one.
async fn postgres_db() -> Option<(Db, Place)> {
    use sqlx::Connection as _;
    let server = std::env::var("TOUBAN_TEST_POSTGRES_URL").ok()?;
    let name = format!("touban_it_{}_{}", std::process::id(), number());
    let mut conn = sqlx::PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let (before, _) = server.rsplit_once('/').unwrap();
    let url = format!("{before}/{name}");
    let db = Db::open(&DbSettings { url: url.clone(), connections: 10 }).await.unwrap();
    Some((db, Place::Server(url)))
}

/// A new database with what PostgreSQL's own tools take out of this one.
async fn dumped_and_read_back(url: &str) -> String {
    use sqlx::Connection as _;
    use std::process::{Command, Stdio};
    let copy = format!("{url}_restored");
    let name = copy.rsplit_once('/').unwrap().1.to_owned();
    let mut conn = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let mut dump = Command::new("pg_dump").args(["--no-owner", url]).stdout(Stdio::piped()).spawn().unwrap();
    let text = dump.stdout.take().unwrap();
    let read = Command::new("psql")
        .args(["--quiet", "--set", "ON_ERROR_STOP=1", &copy])
        .stdin(text)
        .output()
        .unwrap();
    assert!(dump.wait().unwrap().success() && read.status.success(), "{read:?}");
    copy
}

impl TestOffice {
    /// On a SQLite file, with the plans as shipped.
    pub async fn sqlite() -> Self {
        Self::sqlite_with(PLANS).await
    }

    /// On a SQLite file, with these plans.
    pub async fn sqlite_with(plans: &str) -> Self {
        let (db, place) = sqlite_db().await;
        Self::open(db, place, rules_with(plans), number()).await
    }

    /// On PostgreSQL, with the plans as shipped; `None` where no server is named.
    pub async fn postgres() -> Option<Self> {
        Self::postgres_with(PLANS).await
    }

    /// On PostgreSQL, with these plans.
    pub async fn postgres_with(plans: &str) -> Option<Self> {
        let (db, place) = postgres_db().await?;
        Some(Self::open(db, place, rules_with(plans), number()).await)
    }

    /// The same office on each database there is, the same ids included; everybody is asked at once.
    pub async fn twins(seed: u32) -> Vec<Self> {
        let (db, place) = sqlite_db().await;
        let mut twins = vec![Self::open(db, place, rules_with(ALL_AT_ONCE), seed).await];
        if let Some((db, place)) = postgres_db().await {
            twins.push(Self::open(db, place, rules_with(ALL_AT_ONCE), seed).await);
        }
        twins
    }

    /// The association of `touban demo`, begun at this moment, on a SQLite file; its members by their keys.
    pub async fn demo(begun: &str) -> (Self, BTreeMap<String, MemberId>) {
        let (db, place) = sqlite_db().await;
        let clock = Arc::new(ManualClock::at(Millis::parse_rfc3339(begun).unwrap()));
        let chance: SharedChance = Arc::new(SeededChance::new(u64::from(number())));
        let vault = Vault { seal: Seal::in_memory(chance.as_ref()), chance };
        db.migrate(Millis::parse_rfc3339(begun).unwrap()).await.unwrap();
        let app = App::new(db, vault, clock.clone(), rules_with(PLANS));
        let (association, members) = touban::cli::demo_association(&app).await.unwrap();
        let who = Who::cli(&association);
        let key =
            async |scopes: &[Scope]| app.key_add(&who, "test", scopes).await.unwrap().1.as_str().to_owned();
        let keys = TestKeys {
            all: key(&Scope::ALL).await,
            read: key(&[Scope::Read]).await,
            request: key(&[Scope::Read, Scope::Request]).await,
        };
        let world = app.rota_world(&association).await.unwrap();
        let (asker, clerk) = (members["sato"].clone(), members["yamada"].clone());
        let of = |role: Role| {
            world.members.values().filter(move |m| m.roles.contains(&role)).map(|m| m.id.clone())
        };
        let office = Self {
            clinic: world.members[&asker].institution.clone().unwrap(),
            coordinator: of(Role::Coordinator).next().unwrap_or_else(|| clerk.clone()),
            dermatologists: of(Role::Specialist).collect(),
            app: app.clone(),
            clock,
            association,
            clerk,
            asker,
            keys,
            place,
        };
        (office, members)
    }

    async fn open(db: Db, place: Place, rules: Rules, seed: u32) -> Self {
        let start = Millis::parse_rfc3339(START).unwrap();
        // The people come shortly before, one after the other.
        let clock = Arc::new(ManualClock::at(start.plus_s(-1)));
        let chance: SharedChance = Arc::new(SeededChance::new(u64::from(seed)));
        let vault = Vault { seal: Seal::in_memory(chance.as_ref()), chance };
        db.migrate(start).await.unwrap();
        let app = App::new(db, vault, clock.clone(), rules);
        let association = add_association(&app, "aoba", "青葉市医師会").await;
        let who = Who::cli(&association);
        let pin = Pin::parse(PIN).unwrap();
        let clinic = add_institution(&app, &association, "さとう内科クリニック").await;
        let desk = add_institution(&app, &association, "青葉市医師会 事務局").await;
        let member = async |name: &str, institution: &InstitutionId, role, specialties| {
            let new = new_member(name, institution, role, specialties);
            let id = app.member_add(&who, new, Some(&pin), None).await.unwrap().into_inner();
            // Ids sort by the time they were made: whoever comes first here is asked first.
            clock.set(app.now().plus_ms(1));
            id
        };
        let clerk = member("事務 花", &desk, Role::Clerk, vec![]).await;
        let coordinator = member("調整 守", &desk, Role::Coordinator, vec![]).await;
        let asker = member("佐藤 健", &clinic, Role::Physician, vec![]).await;
        let mut dermatologists = Vec::new();
        for (name, visits) in [("伊藤 静", true), ("星野 翼", true), ("川辺 学", false)] {
            let own = add_institution(&app, &association, &format!("{name} 皮膚科")).await;
            dermatologists.push(member(name, &own, Role::Specialist, vec![dermatology(visits)]).await);
        }
        clock.set(start);
        let key = async |label: &str, scopes: &[Scope]| {
            app.key_add(&who, label, scopes).await.unwrap().1.as_str().to_owned()
        };
        let keys = TestKeys {
            all: key("all", &Scope::ALL).await,
            read: key("read", &[Scope::Read]).await,
            request: key("request", &[Scope::Read, Scope::Request]).await,
        };
        Self { app, clock, association, clinic, clerk, coordinator, asker, dermatologists, keys, place }
    }

    /// An association that is there already, without anybody, over an open database that somebody else removes.
    pub async fn over(app: App, clock: Arc<ManualClock>, association: AssociationId) -> Self {
        let who = Who::cli(&association);
        let clinic = add_institution(&app, &association, "さとう内科クリニック").await;
        let member = async |name: &str, role| {
            let new = new_member(name, &clinic, role, vec![]);
            app.member_add(&who, new, None, None).await.unwrap().into_inner()
        };
        let clerk = member("事務 花", Role::Clerk).await;
        let coordinator = member("調整 守", Role::Coordinator).await;
        let asker = member("佐藤 健", Role::Physician).await;
        let none = String::new;
        let keys = TestKeys { all: none(), read: none(), request: none() };
        let (dermatologists, place) = (Vec::new(), Place::Elsewhere);
        Self { app, clock, association, clinic, clerk, coordinator, asker, dermatologists, keys, place }
    }

    /// The command line of this association.
    pub fn cli(&self) -> Who {
        Who::cli(&self.association)
    }

    /// The same database out of a backup: a copy of its files, or a dump read back into a new database.
    pub async fn restored(&self) -> App {
        let url = match &self.place {
            Place::Folder(folder) => {
                let copy = folder.join("restored");
                std::fs::create_dir_all(&copy).unwrap();
                for name in ["touban.sqlite", "touban.sqlite-wal"] {
                    if folder.join(name).exists() {
                        std::fs::copy(folder.join(name), copy.join(name)).unwrap();
                    }
                }
                format!("sqlite:{}", copy.join("touban.sqlite").display())
            }
            Place::Server(url) => dumped_and_read_back(url).await,
            Place::Elsewhere => panic!("the database is somebody else's"),
        };
        let db = Db::open(&DbSettings { url, connections: 4 }).await.unwrap();
        let chance: SharedChance = Arc::new(SeededChance::new(2));
        let vault = Vault { seal: Seal::in_memory(chance.as_ref()), chance };
        App::new(db, vault, self.clock.clone(), rules_with(ALL_AT_ONCE))
    }

    /// One more physician, of an institution of their own.
    pub async fn physician(&self, name: &str) -> MemberId {
        let own = add_institution(&self.app, &self.association, &format!("{name} 医院")).await;
        let pin = Pin::parse(PIN).unwrap();
        let new = new_member(name, &own, Role::Physician, vec![]);
        self.app.member_add(&self.cli(), new, Some(&pin), None).await.unwrap().into_inner()
    }

    /// Adds a volunteer for dermatology without a PIN, of an institution of their own.
    pub async fn add_dermatologist(&self, name: &str) -> MemberId {
        let own = add_institution(&self.app, &self.association, &format!("{name} 皮膚科")).await;
        let new = new_member(name, &own, Role::Specialist, vec![dermatology(true)]);
        self.app.member_add(&self.cli(), new, None, None).await.unwrap().into_inner()
    }

    /// A key with these scopes, of this or another association.
    pub async fn key_of(&self, association: &AssociationId, scopes: &[Scope]) -> String {
        let (_, secret) = self.app.key_add(&Who::cli(association), "test", scopes).await.unwrap();
        secret.as_str().to_owned()
    }

    /// What the handlers reach; every rate as shipped.
    pub fn web(&self) -> Web {
        Web {
            app: self.app.clone(),
            rates: Arc::new(RateLimiter::new(self.clock.clone(), Allowances::default())),
            secure: false,
            demo: None,
            ready: Arc::new(AtomicBool::new(true)),
        }
    }

    /// The API on a real socket, behind the outermost layer.
    pub async fn serve(&self) -> Served {
        self.serve_router(touban::web::api::router().with_state(self.web())).await
    }

    /// Any router on a real socket, behind the outermost layer.
    pub async fn serve_router(&self, router: Router) -> Served {
        let edge = Edge {
            site: Site::Loopback,
            trusted_proxies: Networks::none(),
            boot_id: "01TESTBOOT".into(),
            framing: Framing::Nobody,
            error_page: |status: StatusCode, _| format!("<!doctype html><title>{}</title>", status.as_u16()),
            chance: Arc::new(SeededChance::new(1)),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = edge.apply(router).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(listener, router, Limits::default(), async {
            let _ = stopped.await;
        }));
        Served { base: format!("http://localhost:{}", address.port()), _stop: stop }
    }
}

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// Without a slash at the end.
    pub base: String,
    _stop: oneshot::Sender<()>,
}

/// The cells of the table of `docs/access.md` whose head begins with these words, its head first.
pub fn access_table(head: &str) -> Vec<Vec<&'static str>> {
    let lines = include_str!("../../docs/access.md")
        .lines()
        .skip_while(|line| !line.starts_with(head))
        .take_while(|line| line.starts_with('|'));
    lines
        .filter(|line| !line.starts_with("| ---"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Another association, with nobody in it.
pub async fn add_association(app: &App, code: &str, name: &str) -> AssociationId {
    let new = NewAssociation {
        code: code.into(),
        name: name.into(),
        zone: chrono_tz::Asia::Tokyo,
        office_phone: "050-0000-1000".into(),
        lang: Lang::Ja,
    };
    app.association_add(new).await.unwrap()
}

/// A clinic in 青葉北.
pub async fn add_institution(app: &App, association: &AssociationId, name: &str) -> InstitutionId {
    let new = NewInstitution {
        name: name.into(),
        kind: "clinic".into(),
        area: "青葉北".into(),
        city_code: "999991".into(),
        phone: None,
        ..NewInstitution::default()
    };
    app.institution_add(&Who::cli(association), new, None).await.unwrap().into_inner()
}

/// A member with an address at which nobody reads.
pub fn new_member(
    name: &str,
    institution: &InstitutionId,
    role: Role,
    specialties: Vec<SpecialtyOffer>,
) -> NewMember {
    NewMember {
        name: name.into(),
        kana: String::new(),
        institution: Some(institution.clone()),
        email: Some(format!("m{}@aoba.example.jp", number())),
        phone: None,
        roles: vec![role],
        lang: Lang::Ja,
        specialties,
        ..NewMember::default()
    }
}

/// Volunteers for dermatology at all hours, everywhere, without a cap.
pub fn dermatology(visits: bool) -> SpecialtyOffer {
    SpecialtyOffer {
        specialty: "dermatology".into(),
        visits,
        areas: vec![],
        days: vec![],
        from_min: 0,
        to_min: 0,
        monthly_cap: None,
    }
}
