//! Brings the schema up to date. Files have the same number and name for both databases and are never
//! edited once released; a checksum notices.

use super::db::{Db, Statement, StoreError, Value};
use crate::time::Millis;

struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
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

const MIGRATIONS: &[Migration] = &[migration!(1, "0001_ground")];

/// SQLite `application_id` of our files: "TOUB".
const APPLICATION_ID: i64 = 0x544F_5542;

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
/// Several instances may start at once; the number is arbitrary but ours.
const LOCK: Statement = Statement {
    name: "MIGRATION_LOCK",
    sqlite: "SELECT 1 AS locked",
    postgres: "SELECT 1 AS locked FROM (SELECT pg_advisory_lock(8452771)) AS l",
};
const UNLOCK: Statement = Statement {
    name: "MIGRATION_UNLOCK",
    sqlite: "SELECT 1 AS locked",
    postgres: "SELECT 1 AS locked FROM (SELECT pg_advisory_unlock(8452771)) AS l",
};
const APPLICATION: Statement = Statement {
    name: "APPLICATION_ID",
    sqlite: "SELECT application_id FROM pragma_application_id",
    postgres: "SELECT 1414485314::bigint AS application_id",
};
const OBJECTS: Statement = Statement {
    name: "SCHEMA_OBJECTS",
    sqlite: "SELECT COUNT(*) AS n FROM sqlite_master",
    postgres: "SELECT 0::bigint AS n",
};
const BACKUP: Statement =
    Statement { name: "BACKUP_BEFORE_MIGRATION", sqlite: "VACUUM INTO $1", postgres: "SELECT $1" };

fn checksum(text: &str) -> String {
    crate::seal::token_hash(text).iter().map(|b| format!("{b:02x}")).collect()
}

impl Db {
    /// Applies what is missing; the numbers applied. A SQLite file that already has data is copied beside
    /// itself first.
    ///
    /// # Errors
    /// The file belongs to another program, was made by a newer touban, or a released migration was edited.
    pub async fn migrate(&self, now: Millis) -> Result<Vec<i64>, StoreError> {
        let mut lock = self.bare().await?;
        lock.all(&LOCK, &[]).await?;
        if !self.is_sqlite() {
            let done = self.migrate_locked(now).await;
            lock.all(&UNLOCK, &[]).await?;
            return done;
        }
        let id = lock.one(&APPLICATION, &[]).await?.map_or(Ok(0), |r| r.int("application_id"))?;
        let objects = lock.one(&OBJECTS, &[]).await?.map_or(Ok(0), |r| r.int("n"))?;
        drop(lock);
        if id != APPLICATION_ID && objects > 0 {
            return Err(StoreError::Unusable(
                "the database file belongs to another program; nothing was changed".to_owned(),
            ));
        }
        self.migrate_locked(now).await
    }

    async fn migrate_locked(&self, now: Millis) -> Result<Vec<i64>, StoreError> {
        let mut conn = self.bare().await?;
        if self.is_sqlite() {
            conn.script("PRAGMA application_id = 1414485314").await?;
        }
        conn.exec(&CREATE, &[]).await?;
        let applied = conn.all(&APPLIED, &[]).await?;
        let newest_known = MIGRATIONS.last().map_or(0, |m| m.number);
        let mut have = Vec::new();
        for row in &applied {
            let number = row.int("number")?;
            if number > newest_known {
                return Err(StoreError::Unusable(format!(
                    "the database was made by a newer touban (schema {number}, this program knows {newest_known})"
                )));
            }
            if let Some(m) = MIGRATIONS.iter().find(|m| m.number == number)
                && row.text("checksum")? != checksum(if self.is_sqlite() { m.sqlite } else { m.postgres })
            {
                return Err(StoreError::Unusable(format!(
                    "migration {number} was changed after its release"
                )));
            }
            have.push(number);
        }
        let missing: Vec<&Migration> = MIGRATIONS.iter().filter(|m| !have.contains(&m.number)).collect();
        if let (Some(file), false, false) = (self.file(), have.is_empty(), missing.is_empty()) {
            let copy = format!("{}.before-{newest_known}-{}", file.display(), now.0);
            conn.exec(&BACKUP, &[Value::from(copy)]).await?;
        }
        drop(conn);
        for migration in &missing {
            let text = if self.is_sqlite() { migration.sqlite } else { migration.postgres };
            let params = [
                Value::from(migration.number),
                Value::from(migration.name),
                Value::from(checksum(text)),
                Value::from(now),
            ];
            self.migrate_one(text, &RECORD, &params).await?;
        }
        Ok(missing.iter().map(|m| m.number).collect())
    }
}
