//! What can be said of every statement, and of the two schemas.

use std::collections::BTreeSet;

use touban::store::all_statements;

use super::ground::{Ground, on_both, select};

const SQLITE: &str = include_str!("../../../migrations/sqlite/0001_ground.sql");
const POSTGRES: &str = include_str!("../../../migrations/postgres/0001_ground.sql");

on_both! {
    every_statement_is_understood,
    nothing_is_read_from_end_to_end_that_grows,
}

async fn every_statement_is_understood(ground: Ground) {
    let mut conn = ground.db.read().await.unwrap();
    let all = all_statements();
    assert!(all.len() > 90, "the list of statements has shrunk to {}", all.len());
    let mut wrong = Vec::new();
    for statement in all {
        if let Err(e) = conn.prepare(statement).await {
            wrong.push(format!(
                "{}: {:?}",
                statement.name,
                std::error::Error::source(&e).map(ToString::to_string)
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Statements that look at a table as a whole, and why they may.
const WHOLE_TABLES: &[(&str, &str)] = &[
    ("REPLAYS_FORGET", "once a day"),
    ("SESSIONS_FORGET", "once a day"),
    ("LINKS_FORGET", "once a day"),
    ("DEVICES_FORGET", "once a day"),
    ("CHALLENGES_FORGET", "once a day"),
    ("TRIES_FORGET", "once a day"),
    ("SHEET_RUNS_FORGET", "once a day"),
    ("SHEET_UNDOS_FORGET", "once a day"),
    ("ROTA_SHEETS_FORGET", "once a day"),
    ("ROTA_SHEET_UNDOS_FORGET", "once a day"),
    ("CALL_LINES_FORGET", "once a day"),
    ("ORDERS_FORGET", "once a day"),
    ("PHONE_CHANGES_FORGET", "once a day"),
    ("JOBS_BY_STATE", "figures of the operator"),
    ("MONTH_KEYS", "twelve a year; only `verify`"),
    ("ASSOCIATIONS", "a handful"),
    ("SEALED_OF_CASES", "the list of cases that it is given"),
    ("SETUP_LINKS_USE", "a handful, once"),
];

/// Indexes that hold only what is open: as long as what is going on, whatever there was before.
const SHORT: &[&str] = &[
    "USING INDEX job_due",
    "USING INDEX request_open",
    "USING INDEX call_open",
    "USING INDEX call_due",
    "USING INDEX call_order_due",
];

async fn nothing_is_read_from_end_to_end_that_grows(ground: Ground) {
    if !ground.db.is_sqlite() {
        // An empty PostgreSQL reads small tables from end to end because that is quicker.
        return;
    }
    let mut conn = ground.db.read().await.unwrap();
    let mut scanned = BTreeSet::new();
    for statement in all_statements() {
        let mut sql = statement.sqlite.to_owned();
        for n in (1..=20).rev() {
            sql = sql.replace(&format!("${n}"), "NULL");
        }
        for row in select(&mut conn, &format!("EXPLAIN QUERY PLAN {sql}")).await {
            let step = row.text("detail").unwrap();
            if step.starts_with("SCAN")
                && step != "SCAN CONSTANT ROW"
                && !SHORT.iter().any(|s| step.contains(s))
            {
                scanned.insert(statement.name);
            }
        }
    }
    assert_eq!(scanned, WHOLE_TABLES.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>());
}

/// Statements about an association's tables that do not name the association, and why.
const WITHOUT_ASSOCIATION: &[(&str, &str)] = &[
    ("LINK_BY_TOKEN", "the secret says which association"),
    ("LINK_BY_CODE", "the secret says which association"),
    ("DEVICE_BY_SECRET", "the secret says which association"),
    ("SESSION_BY_SECRET", "the secret says which association"),
    ("SESSION_END", "the secret says which association"),
    ("API_KEY_BY_SECRET", "the secret says which association"),
    ("ASSOCIATION_BY_CODE", "finds the association"),
    ("ASSOCIATIONS", "finds the associations"),
    ("JOB_CLAIM", "the runner serves every association"),
    ("JOBS_VOID_LEASES", "the runner serves every association"),
    ("JOBS_NEXT", "the runner serves every association"),
    ("JOBS_LATE", "the runner serves every association"),
    ("JOBS_BY_STATE", "figures of the operator"),
    ("REQUESTS_WITHOUT_STEP", "the self-check looks at every association"),
    ("MONTH_KEYS", "`verify` opens every key"),
    ("JOBS_FORGET", "housekeeping"),
    ("REPLAYS_FORGET", "housekeeping"),
    ("SESSIONS_FORGET", "housekeeping"),
    ("LINKS_FORGET", "housekeeping"),
    ("DEVICES_FORGET", "housekeeping"),
];

/// The tables of a migration with their columns' text.
fn tables(migration: &str) -> Vec<(&str, &str)> {
    migration
        .split("CREATE TABLE ")
        .skip(1)
        .map(|rest| {
            let (name, columns) = rest.split_once(" (").unwrap();
            (name, columns.split("\n)").next().unwrap())
        })
        .collect()
}

#[test]
fn no_statement_forgets_whose_rows_it_touches() {
    let owned: Vec<&str> = tables(SQLITE)
        .into_iter()
        .filter(|(_, c)| c.contains("association_id"))
        .map(|(name, _)| name)
        .collect();
    assert!(owned.len() > 20, "{owned:?}");
    let mut forgetful = BTreeSet::new();
    for statement in all_statements() {
        for text in [statement.sqlite, statement.postgres] {
            let words: Vec<&str> = text
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .filter(|w| !w.is_empty())
                .collect();
            let touches = words
                .windows(2)
                .any(|w| matches!(w[0], "FROM" | "JOIN" | "INTO" | "UPDATE") && owned.contains(&w[1]));
            let inserts = text.starts_with("INSERT INTO") && text.contains(" (association_id, ");
            let bound = (1..=9).any(|n| text.contains(&format!("association_id = ${n}")));
            if touches && !bound && !inserts {
                forgetful.insert(statement.name);
            }
        }
    }
    assert_eq!(forgetful, WITHOUT_ASSOCIATION.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>());
}

#[test]
fn every_key_and_index_begins_with_the_association() {
    // Hashes of secrets, and the runner's own: see the head of the migration.
    let free = ["installation", "job_due", "job_ended"];
    for (table, columns) in tables(SQLITE) {
        for key in
            columns.lines().filter(|l| l.contains("PRIMARY KEY") || l.trim_start().starts_with("UNIQUE"))
        {
            let own = ["association_id", "(association_id"].iter().any(|w| key.contains(w));
            assert!(own || free.contains(&table), "{table}: {key}");
        }
    }
    for line in
        SQLITE.lines().filter(|l| l.starts_with("CREATE INDEX") || l.starts_with("CREATE UNIQUE INDEX"))
    {
        let leads = line.contains("(association_id, ");
        assert!(leads || free.iter().any(|f| line.contains(&format!("INDEX {f} "))), "{line}");
    }
}

#[test]
fn the_two_schemas_differ_only_in_the_names_of_types() {
    let as_postgres = SQLITE
        .lines()
        .map(|line| if line.starts_with("--") { line.to_owned() } else { translated(line) })
        .collect::<Vec<_>>()
        .join("\n");
    let theirs: Vec<&str> = POSTGRES.lines().collect();
    assert_eq!(as_postgres.lines().collect::<Vec<_>>(), theirs);
}

fn translated(line: &str) -> String {
    line.replace(" INTEGER", " BIGINT").replace(" BLOB", " BYTEA").replace(") STRICT;", ");")
}
