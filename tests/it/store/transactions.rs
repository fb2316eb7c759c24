//! `Db::run`: whole or not at all, whoever breaks off, once even when it runs again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Barrier, Notify};
use touban::store::audit::{Entry, audit_append};
use touban::store::dispatch::{request_lock, request_save};
use touban::store::jobs::{Lane, NewJob, alarm_raise, job_add};
use touban::store::people::case_counter_take;
use touban::store::secrets::Sealed;
use touban::store::{Faults, StoreError};

use super::ground::{Ground, NOW, PUTS, command, on_both, put, select, statement};
use super::requests::accepted;

on_both! {
    a_command_that_takes_itself_back_leaves_nothing,
    after_an_error_of_the_database_the_connection_is_closed_and_the_next_command_works,
    a_command_that_breaks_off_is_not_committed_by_the_next,
    a_caller_who_goes_away_does_not_stop_a_command_half_way,
    a_crash_between_any_two_statements_leaves_all_or_nothing,
    what_serde_did_not_expect_stays_out_of_errors,
}

async fn a_command_that_takes_itself_back_leaves_nothing(ground: Ground) {
    let taken_back = command(|tx| {
        Box::pin(async move {
            put(tx, "a").await?;
            Err::<(), _>(StoreError::Rollback)
        })
    });
    assert!(matches!(ground.db.run(taken_back).await, Err(StoreError::Rollback)));
    assert_eq!(ground.count(PUTS).await, 0);
    ground.db.run(command(|tx| Box::pin(put(tx, "b")))).await.unwrap();
    assert_eq!(ground.count(PUTS).await, 1);
}

async fn after_an_error_of_the_database_the_connection_is_closed_and_the_next_command_works(ground: Ground) {
    // What belongs to a connection alone tells connections apart.
    let marked = |sql: &'static str| {
        command(move |tx| {
            let sql = statement(sql);
            Box::pin(async move { tx.exec(sql, &[]).await.map(drop) })
        })
    };
    let mark = "CREATE TEMPORARY TABLE mark (x BIGINT)";
    if ground.db.is_sqlite() {
        ground.db.run(marked(mark)).await.unwrap();
        let ours = command(|_| Box::pin(async { Err::<(), _>(StoreError::Rollback) }));
        ground.db.run(ours).await.unwrap_err();
        // After an error of our own the same connection goes on …
        ground.db.run(marked("INSERT INTO mark (x) VALUES (1)")).await.unwrap();
    }
    let twice = command(|tx| {
        Box::pin(async move {
            put(tx, "a").await?;
            put(tx, "a").await
        })
    });
    let error = ground.db.run(twice).await.unwrap_err();
    assert!(error.is_duplicate(), "{error:?}");
    assert_eq!(ground.count(PUTS).await, 0);
    if ground.db.is_sqlite() {
        // … after one of SQLite's it does not.
        ground.db.run(marked(mark)).await.unwrap();
    }
    ground.db.run(command(|tx| Box::pin(put(tx, "a")))).await.unwrap();
    assert_eq!(ground.count(PUTS).await, 1);
}

async fn a_command_that_breaks_off_is_not_committed_by_the_next(ground: Ground) {
    for round in 0..20 {
        let broken = command(move |tx| {
            Box::pin(async move {
                put(tx, &format!("half {round}")).await?;
                if round >= 0 {
                    panic!("a planted bug");
                }
                Ok(())
            })
        });
        assert!(matches!(ground.db.run(broken).await, Err(StoreError::Gone)));
        ground
            .db
            .run(command(move |tx| Box::pin(async move { put(tx, &format!("whole {round}")).await })))
            .await
            .unwrap();
    }
    assert_eq!(ground.count("SELECT COUNT(*) AS n FROM installation WHERE name LIKE 'half%'").await, 0);
    assert_eq!(ground.count(PUTS).await, 20);
}

async fn a_caller_who_goes_away_does_not_stop_a_command_half_way(ground: Ground) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inner_begun, inner_go_on) = (begun.clone(), go_on.clone());
    let slow = command(move |tx| {
        let (begun, go_on) = (inner_begun.clone(), inner_go_on.clone());
        Box::pin(async move {
            put(tx, "first half").await?;
            begun.notify_one();
            go_on.notified().await;
            put(tx, "second half").await
        })
    });
    tokio::select! {
        done = ground.db.run(slow) => panic!("{done:?}"),
        () = begun.notified() => {}
    }
    // The caller is gone now. Its command is not.
    assert_eq!(ground.count(PUTS).await, 0);
    go_on.notify_one();
    let whole = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        loop {
            let rows = ground.count(PUTS).await;
            assert_ne!(rows, 1, "half of it");
            if rows == 2 {
                return;
            }
            look.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), whole).await.unwrap();
}

/// Crashes before the `at`-th statement or commit, counted from 1; or loses the answer of the commit.
#[derive(Debug, Default)]
struct CrashAt {
    at: usize,
    seen: AtomicUsize,
    after_commit: AtomicBool,
}

impl Faults for CrashAt {
    fn crash_before(&self, _: &'static str) -> bool {
        self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at
    }

    fn crash_after_commit(&self) -> bool {
        self.after_commit.load(Ordering::SeqCst)
    }
}

const TOUCHED: &[&str] = &[
    "request",
    "offer",
    "acceptance",
    "job",
    "alarm",
    "audit_head",
    "audit_event",
    "case_counter",
    "month_key",
];

async fn a_crash_between_any_two_statements_leaves_all_or_nothing(ground: Ground) {
    let request = ground.case(1).await;
    let next = accepted(&request, &ground.doctors[..1]);
    let (association, vault) = (ground.association.clone(), ground.vault.clone());
    let busy = || {
        let (association, vault) = (association.clone(), vault.clone());
        let (id, next) = (request.id.clone(), next.clone());
        command(move |tx| {
            let (association, vault) = (association.clone(), vault.clone());
            let (id, next) = (id.clone(), next.clone());
            Box::pin(async move {
                let chance = vault.chance.as_ref();
                let before = request_lock(tx, &association, &id).await?.unwrap();
                request_save(tx, &association, &before, &next, NOW, chance).await?;
                let job = NewJob {
                    lane: Lane::Mail,
                    kind: "tell",
                    key: "tell:1".into(),
                    body: serde_json::json!({}),
                    due: NOW,
                };
                job_add(tx, &association, &job, NOW, chance).await?;
                alarm_raise(tx, &association, "exhausted", "request:1", NOW, chance).await?;
                case_counter_take(tx, &association, 2026).await?;
                let at = Sealed { table: "request", column: "blind", row: id.as_str() };
                vault.seal(tx, &association, at, NOW, "text").await?;
                let entry = Entry {
                    at: NOW,
                    actor: "cli",
                    on_behalf_of: None,
                    action: "test",
                    subject: "request:1",
                    detail: serde_json::json!({}),
                };
                audit_append(tx, &association, &entry).await
            })
        })
    };
    let before = ground.dump(TOUCHED).await;
    let mut points = 0;
    loop {
        let faults = Arc::new(CrashAt { at: points + 1, ..CrashAt::default() });
        match ground.db.with_faults(faults.clone()).run(busy()).await {
            Err(StoreError::Crashed { at }) => assert_eq!(at, points + 1),
            Ok(_) => break,
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(ground.dump(TOUCHED).await, before, "after a crash before statement {}", points + 1);
        points += 1;
    }
    assert!(points > 15, "only {points} points");
    let after = ground.dump(TOUCHED).await;
    assert_ne!(after, before);

    // The answer of a commit is lost; the commit is not.
    let lost = Arc::new(CrashAt { after_commit: AtomicBool::new(true), ..CrashAt::default() });
    let one = command(|tx| Box::pin(put(tx, "committed")));
    assert!(matches!(ground.db.with_faults(lost).run(one).await, Err(StoreError::Crashed { .. })));
    assert_eq!(ground.count(PUTS).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_on_postgres_is_resolved_by_running_again_and_acts_once() {
    let ground = Ground::new(super::ground::postgres_place().await).await;
    ground.place.tamper("INSERT INTO installation (name, value) VALUES ('a', '0'), ('b', '0')").await;
    let add = |name: &str| {
        statement(&format!(
            "UPDATE installation SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = '{name}'"
        ))
    };
    let (meet, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let crossing = |first, second| {
        let (meet, runs) = (meet.clone(), runs.clone());
        let mine = Arc::new(AtomicUsize::new(0));
        command(move |tx| {
            let (meet, runs, mine) = (meet.clone(), runs.clone(), mine.clone());
            Box::pin(async move {
                runs.fetch_add(1, Ordering::SeqCst);
                tx.exec(first, &[]).await?;
                if mine.fetch_add(1, Ordering::SeqCst) == 0 {
                    meet.wait().await;
                }
                tx.exec(second, &[]).await.map(drop)
            })
        })
    };
    let (one, other) = tokio::join!(
        ground.db.run(crossing(add("a"), add("b"))),
        ground.db.run(crossing(add("b"), add("a"))),
    );
    one.unwrap();
    other.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 3, "one of the two ran again");
    let mut conn = ground.db.read().await.unwrap();
    for row in select(&mut conn, "SELECT value FROM installation ORDER BY name").await {
        assert_eq!(row.text("value").unwrap(), "2");
    }
}

async fn what_serde_did_not_expect_stays_out_of_errors(ground: Ground) {
    let request = ground.case(1).await;
    ground.place.tamper("UPDATE request SET machine = '{\"kind\":\"発疹が三週間\"}'").await;
    let mut conn = ground.db.read().await.unwrap();
    let error =
        touban::store::dispatch::request_load(&mut conn, &ground.association, &request.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(!format!("{error:?} {}", touban::app::verify::chain_of(&error)).contains("発疹"));
}
