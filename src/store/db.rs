//! The thin layer over sqlx: one `Db`, `Conn` and `Row` for SQLite and PostgreSQL. No tables here.
//!
//! SQLite: one writer connection, `BEGIN IMMEDIATE`, WAL, `synchronous=FULL`, read-only readers; after any
//! SQL error the writer connection is closed (after an injected I/O error it stayed wedged otherwise).
//! Every write runs in a task of its own, so that a client that goes away cannot cancel it half-way.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Column, ConnectOptions as _, Connection as _, Postgres, Row as _, Sqlite, TypeInfo, ValueRef};
use tokio::sync::Notify;

use super::row::{Row, Value};

/// One SQL text, or two where the databases differ.
#[derive(Debug)]
pub struct Statement {
    pub name: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("running statement {statement}")]
    Sql {
        statement: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("opening the database")]
    Open {
        #[source]
        source: sqlx::Error,
    },
    #[error("{0}")]
    Unusable(String),
    #[error("reading {table} row {id}")]
    Corrupt {
        table: &'static str,
        id: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("column {column} is not there or not of that type")]
    Shape { column: String },
    #[error("{table} {id} changed while we were working on it")]
    Stale { table: &'static str, id: String },
    #[error("sealing or opening a secret")]
    Seal {
        #[source]
        source: crate::seal::SealError,
    },
    /// The command decided not to commit; what it wants said is in its own type.
    #[error("the command took itself back")]
    Rollback,
    #[error("the writing task ended early")]
    Gone,
    /// Only from an injected fault.
    #[error("a crash was injected before statement {at}")]
    Crashed { at: usize },
}

impl StoreError {
    /// A row of `table` cannot be understood.
    pub fn corrupt(
        table: &'static str,
        id: impl fmt::Display,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        // serde quotes the value it did not expect, which may be clinical text on its way into a log.
        let source = match source.into().downcast::<serde_json::Error>() {
            Ok(e) => format!("{:?} error in line {}, column {}", e.classify(), e.line(), e.column()).into(),
            Err(other) => other,
        };
        Self::Corrupt { table, id: id.to_string(), source }
    }

    /// The database asks for the whole command to be run again (PostgreSQL 40001, 40P01).
    fn wants_retry(&self) -> bool {
        matches!(self, Self::Sql { source: sqlx::Error::Database(e), .. }
            if e.code().is_some_and(|c| c == "40001" || c == "40P01"))
    }

    /// The database could not do it now and may in a moment: nothing free, a lock, a lost connection, a
    /// full disk. SQLite's codes are those of its first byte (5 busy, 6 locked, 10 I/O, 13 full).
    #[must_use]
    pub fn is_passing(&self) -> bool {
        let code = match self {
            Self::Open { .. } | Self::Gone | Self::Crashed { .. } => return true,
            Self::Sql { source: sqlx::Error::Database(e), .. } => e.code().unwrap_or_default(),
            Self::Sql { source, .. } => {
                return matches!(
                    source,
                    sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)
                );
            }
            _ => return false,
        };
        match code.parse::<u32>() {
            Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xFF, 5 | 6 | 10 | 13),
            // Class 40 rolled back, 53 no resources, 57 told to stop, 55P03 lock not available.
            _ => ["40", "53", "57", "55P03", "08"].iter().any(|class| code.starts_with(class)),
        }
    }

    /// Another row refers to what was to be taken out.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        matches!(self, Self::Sql { source: sqlx::Error::Database(e), .. } if e.is_foreign_key_violation())
    }

    /// A unique key already holds that value.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql { source: sqlx::Error::Database(e), .. } if e.is_unique_violation())
    }
}

impl From<crate::seal::SealError> for StoreError {
    fn from(source: crate::seal::SealError) -> Self {
        Self::Seal { source }
    }
}

/// Faults a test injects between statements. Production has none.
pub trait Faults: Send + Sync + fmt::Debug {
    /// Called before every statement and before every commit; `true` crashes there.
    fn crash_before(&self, statement: &'static str) -> bool;
    /// Called after a commit; `true` loses the answer of a commit that happened.
    fn crash_after_commit(&self) -> bool;
}

enum Link {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A connection: within a command a transaction, otherwise for reading.
pub struct Conn {
    link: Link,
    faults: Option<Arc<dyn Faults>>,
    statements: usize,
    wakes: [bool; LANES],
    /// A transaction was begun and not ended.
    open: bool,
}

/// A command that panicked, or a task that was dropped, leaves its transaction open. In the pool the next
/// command would go on in it (PostgreSQL only warns) and commit the half of another: close it instead.
impl Drop for Conn {
    fn drop(&mut self) {
        if self.open {
            self.abandon();
        }
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("statements", &self.statements).finish_non_exhaustive()
    }
}

macro_rules! bound {
    ($sql:expr, $params:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $params {
            query = match value {
                Value::Int(v) => query.bind(*v),
                Value::Text(v) => query.bind(v.as_deref()),
                Value::Bytes(v) => query.bind(v.as_deref()),
            };
        }
        query
    }};
}

macro_rules! read_rows {
    ($rows:expr, $statement:expr) => {{
        let mut names: Option<Arc<[String]>> = None;
        let mut out = Vec::with_capacity($rows.len());
        for row in &$rows {
            let names = names
                .get_or_insert_with(|| row.columns().iter().map(|c| c.name().to_owned()).collect())
                .clone();
            let mut cells = Vec::with_capacity(names.len());
            for i in 0..names.len() {
                let kind = row.try_get_raw(i).map(|raw| raw.type_info().name().to_owned());
                let cell = match kind.as_deref() {
                    Ok("INTEGER" | "INT8" | "BIGINT" | "NULL") => {
                        row.try_get::<Option<i64>, _>(i).map(Value::Int)
                    }
                    Ok("INT4") => row.try_get::<Option<i32>, _>(i).map(|v| Value::Int(v.map(i64::from))),
                    Ok("TEXT" | "VARCHAR" | "NAME") => row.try_get::<Option<String>, _>(i).map(Value::Text),
                    Ok(_) => row.try_get::<Option<Vec<u8>>, _>(i).map(Value::Bytes),
                    Err(_) => return Err(StoreError::Shape { column: $statement.name.to_owned() }),
                };
                cells.push(cell.map_err(|source| StoreError::Sql { statement: $statement.name, source })?);
            }
            out.push(Row { names, cells });
        }
        out
    }};
}

impl Conn {
    fn check(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.statements += 1;
        match &self.faults {
            Some(faults) if faults.crash_before(statement) => {
                Err(StoreError::Crashed { at: self.statements })
            }
            _ => Ok(()),
        }
    }

    /// Runs a statement; the number of rows it changed.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn exec(&mut self, statement: &'static Statement, params: &[Value]) -> Result<u64, StoreError> {
        self.check(statement.name)?;
        let done = match &mut self.link {
            Link::Sqlite(c) => {
                bound!(statement.sqlite, params).execute(&mut **c).await.map(|r| r.rows_affected())
            }
            Link::Postgres(c) => {
                bound!(statement.postgres, params).execute(&mut **c).await.map(|r| r.rows_affected())
            }
        };
        done.map_err(|source| StoreError::Sql { statement: statement.name, source })
    }

    /// Every row of the answer.
    ///
    /// # Errors
    /// Whatever the database says; a column of a type we do not use.
    pub async fn all(
        &mut self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        self.check(statement.name)?;
        let failed = |source| StoreError::Sql { statement: statement.name, source };
        Ok(match &mut self.link {
            Link::Sqlite(c) => {
                let rows = bound!(statement.sqlite, params).fetch_all(&mut **c).await.map_err(failed)?;
                read_rows!(rows, statement)
            }
            Link::Postgres(c) => {
                let rows = bound!(statement.postgres, params).fetch_all(&mut **c).await.map_err(failed)?;
                read_rows!(rows, statement)
            }
        })
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Conn::all`].
    pub async fn one(
        &mut self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.all(statement, params).await?.into_iter().next())
    }

    /// The runner should look at once: this transaction made work for that lane.
    pub fn wake_runner(&mut self, lane: super::jobs::Lane) {
        if let Some(wakes) = self.wakes.get_mut(lane as usize) {
            *wakes = true;
        }
    }

    async fn raw(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        match &mut self.link {
            Link::Sqlite(c) => sqlx::raw_sql(text).execute(&mut **c).await.map(drop),
            Link::Postgres(c) => sqlx::raw_sql(text).execute(&mut **c).await.map(drop),
        }
    }

    /// Isolation is named because a server may be set to another default, on which waiting for a locked row
    /// fails instead of reading it anew; read-write, so that a standby refuses at once.
    const fn begin_write(&self) -> &'static str {
        if self.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE" }
    }

    /// Runs several statements of a migration file.
    pub(super) async fn script(&mut self, text: &'static str) -> Result<(), StoreError> {
        self.raw(text).await.map_err(|source| StoreError::Sql { statement: "migration", source })
    }

    /// From here on this connection overwrites what it frees in a SQLite file: a destroyed key must not be
    /// found in an unused page. PostgreSQL has no such switch; VACUUM clears there.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn overwrite_what_is_freed(&mut self) -> Result<(), StoreError> {
        if self.is_sqlite() { self.script("PRAGMA secure_delete = ON").await } else { Ok(()) }
    }

    /// Asks the database to parse and plan a statement, as the test of all statements does.
    ///
    /// # Errors
    /// What the database says against it.
    pub async fn prepare(&mut self, statement: &'static Statement) -> Result<(), StoreError> {
        use sqlx::{Executor, SqlSafeStr};
        let prepared = match &mut self.link {
            Link::Sqlite(c) => c.prepare(statement.sqlite.into_sql_str()).await.map(drop),
            Link::Postgres(c) => c.prepare(statement.postgres.into_sql_str()).await.map(drop),
        };
        prepared.map_err(|source| StoreError::Sql { statement: statement.name, source })
    }

    async fn begin(&mut self, text: &'static str) -> Result<(), StoreError> {
        self.open = true;
        self.raw(text).await.map_err(|source| StoreError::Sql { statement: "begin", source })
    }

    async fn end(&mut self, text: &'static str) -> Result<(), StoreError> {
        self.raw(text).await.map_err(|source| StoreError::Sql { statement: "commit", source })?;
        self.open = false;
        Ok(())
    }

    /// From here to [`Conn::end_snapshot`] every answer is of one moment, whatever others write. For checks;
    /// keep it short (a long reader keeps SQLite's log from shrinking).
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_snapshot(&mut self) -> Result<(), StoreError> {
        let text = if self.is_sqlite() { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" };
        self.begin(text).await
    }

    /// Ends what [`Conn::begin_snapshot`] began.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_snapshot(&mut self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    fn abandon(&mut self) {
        match &mut self.link {
            Link::Sqlite(c) => c.close_on_drop(),
            Link::Postgres(c) => c.close_on_drop(),
        }
    }

    #[must_use]
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.link, Link::Sqlite(_))
    }
}

/// A write: owns its input and may be run again, so it has no effects outside the transaction.
pub trait Command: Send + Sync + 'static {
    type Output: Send + 'static;

    fn apply<'a>(
        &'a self,
        tx: &'a mut Conn,
    ) -> impl Future<Output = Result<Self::Output, StoreError>> + Send + 'a;
}

/// Which database, and how wide.
#[derive(Clone, Debug)]
pub struct DbSettings {
    /// `sqlite:PATH`, `sqlite::memory:` or `postgres://…`.
    pub url: String,
    /// Read-only connections (SQLite) or all connections (PostgreSQL).
    pub connections: u32,
}

/// SQLite `application_id` of our files: "TOUB".
pub(super) const APPLICATION_ID: i64 = 0x544F_5542;

/// Refuses a SQLite file of another program before anything is written to it: opening it as ours would
/// already turn its journal into a write-ahead log.
async fn refuse_foreign(path: &str) -> Result<(), StoreError> {
    if std::fs::metadata(path).map_or(true, |m| m.len() == 0) {
        return Ok(());
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let look = || async {
        let mut conn = options.connect().await?;
        // In this order: another instance may be making our tables and our number just now, at once.
        let objects = sqlx::query("SELECT COUNT(*) AS n FROM sqlite_master");
        let objects: i64 = objects.fetch_one(&mut conn).await?.try_get("n")?;
        let own = sqlx::query("SELECT application_id AS n FROM pragma_application_id");
        let own: i64 = own.fetch_one(&mut conn).await?.try_get("n")?;
        conn.close().await?;
        Ok::<_, sqlx::Error>(own != APPLICATION_ID && objects > 0)
    };
    match patiently(look).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(StoreError::Unusable(
            "the database file belongs to another program; nothing was changed".to_owned(),
        )),
        Err(source) => Err(StoreError::Open { source }),
    }
}

/// Makes the file when it is not there, for nobody but its owner: it holds names and addresses. SQLite gives
/// its log the same rights.
pub(super) fn create_private(path: &std::path::Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(StoreError::Open { source: sqlx::Error::Io(e) }),
    }
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
    file: Option<PathBuf>,
    faults: Option<Arc<dyn Faults>>,
    /// One per lane: told after each commit that made work for it.
    work: Arc<[Notify; LANES]>,
}

/// A transaction the database asks to run again is run at most this often.
pub const MAX_RETRIES: u32 = 5;

/// As many as there are in [`super::jobs::Lane`].
const LANES: usize = 5;

/// The first wait before a transaction runs again; it doubles.
const STAND_BACK: Duration = Duration::from_millis(4);

/// Commands that met once must not meet again: each waits a time of its own, by the number of its task.
#[expect(clippy::disallowed_methods, reason = "milliseconds within one command, not a durable wait")]
async fn stand_back(tries: u32) {
    let own = tokio::task::try_id().map_or_else(String::new, |id| id.to_string());
    let own = own.bytes().fold(0u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b))) % 8;
    tokio::time::sleep(STAND_BACK * (1 << tries.min(MAX_RETRIES)) * (8 + own) / 8).await;
}

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);

/// How often opening a file is tried that another process holds: about five seconds.
const OPENING_TRIES: u32 = 40;

/// Tries again what SQLite refuses at once, without its own wait, while another process turns the same file to
/// its log (`SQLITE_BUSY`, `SQLITE_LOCKED`, `SQLITE_PROTOCOL`) or makes the log's index (`SQLITE_CANTOPEN`).
async fn patiently<T, F>(attempt: impl Fn() -> F) -> Result<T, sqlx::Error>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let mut tries = 0;
    loop {
        match attempt().await {
            Err(sqlx::Error::Database(e))
                if tries < OPENING_TRIES
                    && e.code()
                        .and_then(|c| c.parse::<u32>().ok())
                        .is_some_and(|c| matches!(c & 0xFF, 5 | 6 | 14 | 15)) =>
            {
                tries += 1;
                stand_back(tries).await;
            }
            done => return done,
        }
    }
}

impl Db {
    /// Opens the database; SQLite files are created. Migrations are a step of their own.
    ///
    /// # Errors
    /// The address is not one of ours, or the database does not answer.
    pub async fn open(settings: &DbSettings) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open { source };
        let (pools, file) = if let Some(path) = settings.url.strip_prefix("sqlite:") {
            let memory = path == ":memory:";
            if !memory {
                refuse_foreign(path).await?;
                create_private(std::path::Path::new(path))?;
            }
            let base = SqliteConnectOptions::new()
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                .pragma("trusted_schema", "OFF")
                .pragma("mmap_size", "0")
                .pragma("journal_size_limit", "67108864")
                .statement_cache_capacity(256);
            let base = if memory {
                base.in_memory(true)
            } else {
                base.filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal)
            };
            let only_one = SqlitePoolOptions::new()
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .acquire_timeout(ACQUIRE_TIMEOUT);
            let durable = base.clone().synchronous(SqliteSynchronous::Full);
            let writer = patiently(|| only_one.clone().connect_with(durable.clone())).await.map_err(open)?;
            let readers = if memory {
                writer.clone()
            } else {
                SqlitePoolOptions::new()
                    .max_connections(settings.connections.max(1))
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .connect_with(base.read_only(true).create_if_missing(false))
                    .await
                    .map_err(open)?
            };
            (Pools::Sqlite { writer, readers }, (!memory).then(|| PathBuf::from(path)))
        } else if settings.url.starts_with("postgres://") || settings.url.starts_with("postgresql://") {
            let options: PgConnectOptions = settings.url.parse().map_err(open)?;
            let options = options.application_name("touban").options([
                ("statement_timeout", "15000"),
                ("lock_timeout", "10000"),
                ("idle_in_transaction_session_timeout", "30000"),
            ]);
            let pool = PgPoolOptions::new()
                .max_connections(settings.connections.max(2))
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .connect_with(options)
                .await
                .map_err(open)?;
            (Pools::Postgres(pool), None)
        } else {
            return Err(StoreError::Unusable(
                "the database address must begin with sqlite: or postgres://".to_owned(),
            ));
        };
        Ok(Self { pools, file, faults: None, work: Arc::default() })
    }

    /// The same database with injected faults, for tests.
    #[must_use]
    pub fn with_faults(&self, faults: Arc<dyn Faults>) -> Self {
        Self { faults: Some(faults), ..self.clone() }
    }

    /// Told after each commit that made work for the lane.
    #[must_use]
    pub fn work(&self, lane: super::jobs::Lane) -> &Notify {
        let [urgent, wake, mail, reports, calls] = &*self.work;
        match lane {
            super::jobs::Lane::Urgent => urgent,
            super::jobs::Lane::Wake => wake,
            super::jobs::Lane::Mail => mail,
            super::jobs::Lane::Reports => reports,
            super::jobs::Lane::Calls => calls,
        }
    }

    /// The SQLite file, if there is one.
    #[must_use]
    pub const fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    #[must_use]
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// None became free in time.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        let failed = |source| StoreError::Sql { statement: "acquire", source };
        let link = match &self.pools {
            Pools::Sqlite { readers, .. } => Link::Sqlite(readers.acquire().await.map_err(failed)?),
            Pools::Postgres(pool) => Link::Postgres(pool.acquire().await.map_err(failed)?),
        };
        Ok(self.conn(link))
    }

    fn conn(&self, link: Link) -> Conn {
        Conn { link, faults: self.faults.clone(), statements: 0, wakes: [false; LANES], open: false }
    }

    async fn writer(&self) -> Result<Conn, StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let link = writer
                    .acquire()
                    .await
                    .map_err(|source| StoreError::Sql { statement: "acquire", source })?;
                Ok(self.conn(Link::Sqlite(link)))
            }
            Pools::Postgres(_) => self.read().await,
        }
    }

    /// Runs a write: begin, apply, commit, in a task of its own; again when the database asks for it.
    ///
    /// # Errors
    /// The command's own, or the database's. After an error nothing of it is in the database, except when
    /// the answer to the commit itself was lost.
    pub async fn run<C: Command>(&self, command: C) -> Result<C::Output, StoreError> {
        let db = self.clone();
        tokio::spawn(async move {
            let mut tries = 0;
            loop {
                match db.once(&command).await {
                    Err(e) if e.wants_retry() && tries < MAX_RETRIES => {
                        tries += 1;
                        stand_back(tries).await;
                    }
                    done => return done,
                }
            }
        })
        .await
        .map_err(|_| StoreError::Gone)?
    }

    async fn once<C: Command>(&self, command: &C) -> Result<C::Output, StoreError> {
        let mut tx = self.writer().await?;
        tx.begin(tx.begin_write()).await?;
        let outcome = match command.apply(&mut tx).await {
            Ok(output) => tx.check("commit").map(|()| output),
            Err(e) => Err(e),
        };
        match outcome {
            Ok(output) => {
                tx.end("COMMIT").await?;
                for (woken, lane) in tx.wakes.iter().zip(self.work.iter()) {
                    if *woken {
                        lane.notify_one();
                    }
                }
                match &self.faults {
                    Some(faults) if faults.crash_after_commit() => {
                        Err(StoreError::Crashed { at: tx.statements })
                    }
                    _ => Ok(output),
                }
            }
            Err(e) => {
                // After an SQL error the connection is not trusted again; after our own it is. What is left
                // open is closed when `tx` goes.
                if !matches!(e, StoreError::Sql { .. }) {
                    tx.end("ROLLBACK").await.ok();
                }
                Err(e)
            }
        }
    }

    /// Empties the log of a SQLite file into the file, so that what was overwritten there is gone here too.
    /// While somebody reads, or on PostgreSQL, nothing happens: the log is emptied in the course of work.
    ///
    /// # Errors
    /// The database's.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        if self.is_sqlite() {
            self.bare().await?.script("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Ok(())
    }

    pub(super) async fn bare(&self) -> Result<Conn, StoreError> {
        self.writer().await
    }

    /// Closes every connection; SQLite checkpoints its log into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}
