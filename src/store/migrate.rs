//! Brings the schema up to date. Files have the same number and name for both databases and are never
//! edited once released; a checksum notices.

use super::db::{Command, Conn, Db, Statement, StoreError, create_private};
use super::row::Value;
use crate::time::Millis;

struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

impl Migration {
    const fn text(&self, conn: &Conn) -> &'static str {
        if conn.is_sqlite() { self.sqlite } else { self.postgres }
    }
}

macro_rules! migration {
    ($number:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_ground"),
    migration!(2, "0002_people"),
    migration!(3, "0003_sign_in"),
    migration!(4, "0004_enrolment"),
    migration!(5, "0005_directory"),
    migration!(6, "0006_sheets"),
    migration!(7, "0007_retention"),
    migration!(8, "0008_settings"),
    migration!(9, "0009_rota"),
    migration!(10, "0010_ledger"),
    migration!(11, "0011_swaps"),
    migration!(12, "0012_feeds"),
    migration!(13, "0013_rota_sheets"),
    migration!(14, "0014_calls"),
    migration!(16, "0016_call_back"),
    migration!(17, "0017_calls_in_ledger"),
    migration!(19, "0019_ledger_reports"),
    migration!(20, "0020_ledger_reading"),
    migration!(21, "0021_cover"),
    migration!(22, "0022_tonight"),
    migration!(23, "0023_households"),
    migration!(25, "0025_test_calls"),
    migration!(26, "0026_night_cards"),
    migration!(27, "0027_attending_pairs"),
    migration!(28, "0028_clinic_records"),
    migration!(33, "0033_tonight_calls"),
    migration!(34, "0034_pillar_duty"),
];

const CREATE: Statement = Statement {
    name: "CREATE_SCHEMA_MIGRATION",
    sqlite: "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT",
    postgres: "CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)",
};
const APPLIED: Statement = Statement {
    name: "MIGRATIONS_APPLIED",
    sqlite: "SELECT number, checksum FROM schema_migration ORDER BY number",
    postgres: "SELECT number, checksum FROM schema_migration ORDER BY number",
};
const RECORD: Statement = Statement {
    name: "MIGRATION_RECORD",
    sqlite: "INSERT INTO schema_migration (number, name, checksum, applied_at_ms) VALUES ($1, $2, $3, $4)",
    postgres: "INSERT INTO schema_migration (number, name, checksum, applied_at_ms) VALUES ($1, $2, $3, $4)",
};
/// Several instances may start at once; the number is arbitrary but ours. Held to the end of the
/// transaction: a lock of the session would outlive a start that was broken off.
const LOCK: Statement = Statement {
    name: "MIGRATION_LOCK",
    sqlite: "SELECT 1 AS locked",
    postgres: "SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(8452771)) AS l",
};
/// A migration, or waiting for another instance's, may take longer than a command may.
const PATIENCE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
                        SET LOCAL idle_in_transaction_session_timeout = 0";
/// The same for a SQLite file: this many times the wait of a command, about a minute.
const PATIENT_TRIES: u32 = 12;
const HAS_TABLE: Statement = Statement {
    name: "HAS_SCHEMA_MIGRATION",
    sqlite: "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'",
    postgres: "SELECT COUNT(*) AS n FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migration'",
};
const BACKUP: Statement =
    Statement { name: "BACKUP_BEFORE_MIGRATION", sqlite: "VACUUM INTO $1", postgres: "SELECT $1" };

fn checksum(text: &str) -> String {
    crate::seal::token_hash(text).iter().map(|b| format!("{b:02x}")).collect()
}

/// What of the schema is there.
async fn applied(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    if conn.one(&HAS_TABLE, &[]).await?.map_or(Ok(0), |r| r.int("n"))? == 0 {
        return Ok(Vec::new());
    }
    let newest_known = MIGRATIONS.last().map_or(0, |m| m.number);
    let mut have = Vec::new();
    for row in conn.all(&APPLIED, &[]).await? {
        let number = row.int("number")?;
        if number > newest_known {
            return Err(StoreError::Unusable(format!(
                "the database was made by a newer touban (schema {number}, this program knows {newest_known})"
            )));
        }
        if let Some(m) = MIGRATIONS.iter().find(|m| m.number == number)
            && row.text("checksum")? != checksum(m.text(conn))
        {
            return Err(StoreError::Unusable(format!("migration {number} was changed after its release")));
        }
        have.push(number);
    }
    Ok(have)
}

fn missing(have: &[i64]) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(|m| !have.contains(&m.number))
}

/// Everything that is missing, whole or not at all.
struct Migrate {
    now: Millis,
}

impl Command for Migrate {
    type Output = Vec<i64>;

    async fn apply(&self, tx: &mut Conn) -> Result<Vec<i64>, StoreError> {
        if tx.is_sqlite() {
            tx.script("PRAGMA application_id = 1414485314").await?;
        } else {
            tx.script(PATIENCE).await?;
        }
        tx.all(&LOCK, &[]).await?;
        // Another instance may have done it while this one waited.
        let have = applied(tx).await?;
        tx.exec(&CREATE, &[]).await?;
        let mut done = Vec::new();
        for migration in missing(&have) {
            let text = migration.text(tx);
            tx.script(text).await?;
            let params = [
                Value::from(migration.number),
                Value::from(migration.name),
                Value::from(checksum(text)),
                Value::from(self.now),
            ];
            tx.exec(&RECORD, &params).await?;
            done.push(migration.number);
        }
        Ok(done)
    }
}

impl Db {
    /// Applies what is missing, in one transaction; the numbers applied. A SQLite file that already has data
    /// is copied beside itself first.
    ///
    /// # Errors
    /// The database was made by a newer touban, or a released migration was edited.
    pub async fn migrate(&self, now: Millis) -> Result<Vec<i64>, StoreError> {
        let mut conn = self.read().await?;
        let have = applied(&mut conn).await?;
        drop(conn);
        let Some(newest) = missing(&have).last() else {
            return Ok(Vec::new());
        };
        if let Some(file) = self.file()
            && !have.is_empty()
        {
            let copy = format!("{}.before-{}-{}", file.display(), newest.number, now.0);
            create_private(std::path::Path::new(&copy))?;
            self.bare().await?.exec(&BACKUP, &[Value::from(copy)]).await?;
        }
        // Each try waits as long as any command may for another process that migrates the same file.
        let mut tries = 0;
        loop {
            match self.run(Migrate { now }).await {
                Err(e) if self.file().is_some() && e.is_passing() && tries < PATIENT_TRIES => tries += 1,
                done => return done,
            }
        }
    }

    /// The migrations this program brings and the database does not have; nothing is changed.
    ///
    /// # Errors
    /// As [`Db::migrate`].
    pub async fn migrations_missing(&self) -> Result<Vec<i64>, StoreError> {
        let mut conn = self.read().await?;
        let have = applied(&mut conn).await?;
        Ok(missing(&have).map(|m| m.number).collect())
    }
}
