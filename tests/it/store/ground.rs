//! A database of its own for each case, and the few people a case needs. Cases stand in the other files.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions as _, Connection as _};
use touban::domain::dispatch::plan::{Channel, Mode, Proof, Selector, Step};
use touban::domain::dispatch::{Plan, Request};
use touban::domain::people::Role;
use touban::domain::people::entry::{InstitutionEntry, MemberProfile, OfficeEntry};
use touban::i18n::Lang;
use touban::ids::{AssociationId, InstitutionId, MemberId, RequestId, SeededChance, SharedChance};
use touban::seal::Seal;
use touban::store::audit::audit_start;
use touban::store::people::{Association, Institution, Member, association_add, institution_add, member_add};
use touban::store::requests::{NewCase, case_add};
use touban::store::secrets::Vault;
use touban::store::{Command, Conn, Db, DbSettings, Row, Statement, StoreError, Value};
use touban::time::{Millis, Window};

/// A Friday morning in Tokyo.
pub const NOW: Millis = Millis(1_795_136_400_000);

/// Each `async fn name(ground: Ground)` becomes one test on a SQLite file and one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::store::ground::Ground::new($crate::store::ground::sqlite_place()).await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let place = $crate::store::ground::postgres_place().await;
                super::$name($crate::store::ground::Ground::new(place).await).await;
            })*
        }
    };
}
pub(super) use on_both;

/// An address of a database that exists and is empty; a folder to be removed.
#[derive(Debug)]
pub struct Place {
    pub url: String,
    folder: Option<PathBuf>,
}

impl Place {
    /// Another way to the same database.
    pub async fn open(&self) -> Result<Db, StoreError> {
        Db::open(&DbSettings { url: self.url.clone(), connections: 12 }).await
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        PathBuf::from(self.url.strip_prefix("sqlite:").unwrap())
    }

    /// Changes the database behind the program's back; the number of rows changed.
    pub async fn tamper(&self, sql: &str) -> u64 {
        self.tamperer().await.run(sql).await
    }

    /// Somebody with SQL access.
    pub async fn tamperer(&self) -> Tamperer {
        if let Some(file) = self.url.strip_prefix("sqlite:") {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
            // What they do need not survive a power cut.
            let options = options.synchronous(sqlx::sqlite::SqliteSynchronous::Off);
            Tamperer::Sqlite(options.connect().await.unwrap())
        } else {
            Tamperer::Postgres(sqlx::PgConnection::connect(&self.url).await.unwrap())
        }
    }
}

#[derive(Debug)]
pub enum Tamperer {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Tamperer {
    pub async fn run(&mut self, sql: &str) -> u64 {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(conn) => sql.execute(conn).await.unwrap().rows_affected(),
            Self::Postgres(conn) => sql.execute(conn).await.unwrap().rows_affected(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

pub fn sqlite_place() -> Place {
    let folder = std::env::temp_dir().join(format!("touban-store-{}-{}", std::process::id(), number()));
    std::fs::create_dir_all(&folder).unwrap();
    Place { url: format!("sqlite:{}", folder.join("touban.sqlite").display()), folder: Some(folder) }
}

/// A new database on the server of the tests. The server is thrown away with everything in it.
pub async fn postgres_place() -> Place {
    let server = std::env::var("TOUBAN_TEST_POSTGRES_URL")
        .expect("TOUBAN_TEST_POSTGRES_URL is not set: run `scripts/test it`, which starts a PostgreSQL");
    let name = format!("touban_store_{}_{}", std::process::id(), number());
    let mut conn = sqlx::PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let (before, _) = server.rsplit_once('/').unwrap();
    Place { url: format!("{before}/{name}"), folder: None }
}

/// A migrated database with one association, an asker and three doctors.
#[derive(Debug)]
pub struct Ground {
    pub db: Db,
    pub place: Place,
    pub vault: Vault,
    pub association: AssociationId,
    pub clinic: InstitutionId,
    pub asker: MemberId,
    pub doctors: Vec<MemberId>,
}

impl Ground {
    pub async fn new(place: Place) -> Self {
        let db = place.open().await.unwrap();
        db.migrate(NOW).await.unwrap();
        let chance: SharedChance = Arc::new(SeededChance::new(u64::from(number())));
        let association = AssociationId::new(NOW, chance.as_ref());
        let clinic = InstitutionId::new(NOW, chance.as_ref());
        let people: Vec<MemberId> = (0..4).map(|_| MemberId::new(NOW, chance.as_ref())).collect();
        let found =
            Found { association: association.clone(), clinic: clinic.clone(), people: people.clone() };
        db.run(found).await.unwrap();
        Self {
            db,
            place,
            vault: Vault { seal: Seal::in_memory(chance.as_ref()), chance },
            association,
            clinic,
            asker: people[0].clone(),
            doctors: people[1..].to_vec(),
        }
    }

    /// A consult that has not begun, with its row.
    pub async fn case(&self, quota: usize) -> Request {
        let id = RequestId::new(NOW, self.vault.chance.as_ref());
        let by = NOW.plus_s(86_400);
        let window = Window::new(NOW, by).unwrap();
        let mut request = Request::new(id, plan(), self.asker.clone(), window, by, NOW);
        request.quota = quota;
        let (association, clinic, written) = (self.association.clone(), self.clinic.clone(), request.clone());
        let number = number();
        let add = command(move |tx| {
            let (association, clinic, request) = (association.clone(), clinic.clone(), written.clone());
            Box::pin(async move {
                let case_no = format!("R8-{number:04}");
                let new = NewCase {
                    request: &request,
                    case_no: &case_no,
                    institution: &clinic,
                    entered_by: None,
                    channel: "web",
                    facts: "{}",
                    blind: vec![1],
                    detail: vec![2],
                };
                case_add(tx, &association, &new).await
            })
        });
        self.db.run(add).await.unwrap();
        request
    }

    /// Every row of these tables as text, to be compared.
    pub async fn dump(&self, tables: &[&str]) -> String {
        let mut conn = self.db.read().await.unwrap();
        let mut text = String::new();
        for table in tables {
            let rows = select(&mut conn, &format!("SELECT * FROM {table} ORDER BY 1, 2")).await;
            text.push_str(&format!("{table}: {rows:#?}\n"));
        }
        text
    }

    /// The first column of the first row, named `n`.
    pub async fn count(&self, sql: &str) -> i64 {
        let mut conn = self.db.read().await.unwrap();
        select(&mut conn, sql).await[0].int("n").unwrap()
    }
}

/// A statement of a test's own. It is never freed, as statements never are.
pub fn statement(sql: &str) -> &'static Statement {
    let text: &'static str = Box::leak(sql.to_owned().into_boxed_str());
    Box::leak(Box::new(Statement { name: "TEST", sqlite: text, postgres: text }))
}

pub async fn select(conn: &mut Conn, sql: &str) -> Vec<Row> {
    conn.all(statement(sql), &[]).await.unwrap()
}

struct Found {
    association: AssociationId,
    clinic: InstitutionId,
    people: Vec<MemberId>,
}

impl Command for Found {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let home = Association {
            id: self.association.clone(),
            code: "aoba".into(),
            name: "青葉市医師会".into(),
            zone: chrono_tz::Asia::Tokyo,
            office_phone: "050-0000-1000".into(),
            lang: Lang::Ja,
            office: OfficeEntry::default(),
            revision: 0,
        };
        association_add(tx, &home, NOW).await?;
        audit_start(tx, &self.association).await?;
        let clinic = Institution {
            id: self.clinic.clone(),
            name: "さとう内科クリニック".into(),
            kind: "clinic".into(),
            area: "青葉北".into(),
            city_code: String::new(),
            phone: None,
            kana: String::new(),
            code: String::new(),
            fax: None,
            entry: InstitutionEntry::default(),
            revision: 0,
            reviewed: None,
            closed: None,
        };
        institution_add(tx, &self.association, &clinic, NOW).await?;
        for id in &self.people {
            let member = Member {
                id: id.clone(),
                institution: Some(self.clinic.clone()),
                name: "佐藤 健".into(),
                kana: String::new(),
                email: None,
                phone: None,
                roles: vec![Role::Physician],
                lang: Lang::Ja,
                active_from: NOW,
                left_at: None,
                pin_hash: None,
                pin_version: 0,
                pin_failures: 0,
                mail_failing_since: None,
                member_no: String::new(),
                fax: None,
                profile: MemberProfile::default(),
                revision: 0,
            };
            member_add(tx, &self.association, &member).await?;
        }
        Ok(())
    }
}

fn plan() -> Plan {
    Plan {
        name: "consult".into(),
        version: 1,
        kind: touban::domain::dispatch::plan::Kind::Consult,
        report: true,
        extend_s: 0,
        extend_times: 0,
        chase_s: 60,
        grant_after_report_s: 60,
        report_s: 0,
        undo: false,
        steps: vec![Step {
            ask: Selector::Specialists,
            mode: Mode::Seek,
            channels: vec![Channel::Mail],
            proof: vec![Proof::Pin],
            at_once: 0,
            wait_s: 3_600,
            before_window_s: None,
            offer_life_s: None,
            lap: false,
            hands: 0,
            on_lapse: None,
            optional: false,
            any: false,
        }],
    }
}

/// A command made of a function that may be called again.
pub struct Made<F, T>(F, PhantomData<fn() -> T>);

pub fn command<F, T>(apply: F) -> Made<F, T>
where
    F: for<'a> Fn(&'a mut Conn) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync + 'static,
    T: Send + 'static,
{
    Made(apply, PhantomData)
}

impl<F, T> Command for Made<F, T>
where
    F: for<'a> Fn(&'a mut Conn) -> BoxFuture<'a, Result<T, StoreError>> + Send + Sync + 'static,
    T: Send + 'static,
{
    type Output = T;

    async fn apply(&self, tx: &mut Conn) -> Result<T, StoreError> {
        (self.0)(tx).await
    }
}

/// Writes one row of a table that belongs to nobody in particular.
pub async fn put(tx: &mut Conn, name: &str) -> Result<(), StoreError> {
    const PUT: Statement = Statement {
        name: "TEST_PUT",
        sqlite: "INSERT INTO installation (name, value) VALUES ($1, 'x')",
        postgres: "INSERT INTO installation (name, value) VALUES ($1, 'x')",
    };
    tx.exec(&PUT, &[Value::from(name)]).await.map(drop)
}

/// The rows of [`put`].
pub const PUTS: &str = "SELECT COUNT(*) AS n FROM installation";
