//! How a database becomes one of ours, stays one, and is refused when it is not.

use std::os::unix::fs::PermissionsExt as _;

use sqlx::ConnectOptions as _;
use touban::store::StoreError;

use super::ground::{Ground, NOW, PUTS, command, on_both, postgres_place, put, sqlite_place};

on_both! {
    a_migrated_database_is_left_alone,
    an_edited_migration_is_refused,
    a_database_of_a_newer_touban_is_refused,
}

fn refused(outcome: Result<Vec<i64>, StoreError>) -> String {
    match outcome {
        Err(StoreError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn a_migrated_database_is_left_alone(ground: Ground) {
    let before = ground.dump(&["schema_migration", "member"]).await;
    assert_eq!(ground.db.migrate(NOW.plus_s(60)).await.unwrap(), Vec::<i64>::new());
    let again = ground.place.open().await.unwrap();
    assert_eq!(again.migrate(NOW.plus_s(120)).await.unwrap(), Vec::<i64>::new());
    assert_eq!(ground.dump(&["schema_migration", "member"]).await, before);
}

async fn an_edited_migration_is_refused(ground: Ground) {
    assert_eq!(
        ground.place.tamper("UPDATE schema_migration SET checksum = 'other' WHERE number = 1").await,
        1
    );
    assert_eq!(refused(ground.db.migrate(NOW).await), "migration 1 was changed after its release");
}

async fn a_database_of_a_newer_touban_is_refused(ground: Ground) {
    let newer =
        "INSERT INTO schema_migration (number, name, checksum, applied_at_ms) VALUES (900, 'n', 'c', 1)";
    ground.place.tamper(newer).await;
    let why = refused(ground.db.migrate(NOW).await);
    assert!(why.contains("newer touban (schema 900"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_start_at_the_same_time_migrate_once() {
    for place in [sqlite_place(), postgres_place().await] {
        let first = place.open().await.unwrap();
        let all = first.migrations_missing().await.unwrap();
        let mut starts = Vec::new();
        for _ in 0..6 {
            let db = place.open().await.unwrap();
            starts.push(tokio::spawn(async move { db.migrate(NOW).await }));
        }
        let mut applied = Vec::new();
        for start in starts {
            applied.extend(start.await.unwrap().unwrap());
        }
        assert!(!applied.is_empty(), "{}", place.url);
        assert_eq!(applied, all, "{}", place.url);
        assert_eq!(first.migrate(NOW).await.unwrap(), Vec::<i64>::new());
    }
}

#[tokio::test]
async fn the_file_of_another_program_is_refused_and_not_touched() {
    let place = sqlite_place();
    let theirs = sqlx::sqlite::SqliteConnectOptions::new().filename(place.file()).create_if_missing(true);
    let mut conn = theirs.connect().await.unwrap();
    sqlx::raw_sql("CREATE TABLE patients (name TEXT)").execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    let before = std::fs::read(place.file()).unwrap();
    match place.open().await {
        Err(StoreError::Unusable(why)) => assert!(why.contains("another program"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(place.file()).unwrap(), before);
    std::fs::write(place.file(), "not a database at all, but long enough to look like a file of something")
        .unwrap();
    assert!(place.open().await.is_err());
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    let ground = Ground::new(sqlite_place()).await;
    for name in ["", "-wal", "-shm"] {
        let file = format!("{}{name}", ground.place.file().display());
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: {mode:o}");
    }
}

#[tokio::test]
async fn a_file_whose_process_was_killed_opens_with_what_it_had_acknowledged() {
    let ground = Ground::new(sqlite_place()).await;
    ground.db.run(command(|tx| Box::pin(put(tx, "acknowledged")))).await.unwrap();
    // The file and its log as they are on the disk now, without the orderly end of the process.
    let later = sqlite_place();
    for name in ["", "-wal"] {
        let from = format!("{}{name}", ground.place.file().display());
        std::fs::copy(from, format!("{}{name}", later.file().display())).unwrap();
    }
    let db = later.open().await.unwrap();
    assert_eq!(db.migrate(NOW).await.unwrap(), Vec::<i64>::new());
    let mut conn = db.read().await.unwrap();
    assert_eq!(super::ground::select(&mut conn, PUTS).await[0].int("n").unwrap(), 1);
}
