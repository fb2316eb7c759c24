//! The outbox: who may take what, when, and whose word counts about how it ended.

use std::collections::BTreeSet;

use serde_json::json;
use touban::ids::{AssociationId, SharedChance};
use touban::store::jobs::{
    Job, JobEnd, Lane, NewJob, alarm_acknowledge, alarm_raise, alarms_unacknowledged, job_add, job_by_key,
    job_claim, job_end, job_end_by_key, job_held, job_move, jobs_forget, jobs_next, jobs_void_leases,
    requests_without_step,
};
use touban::time::Millis;

use super::ground::{Ground, NOW, command, on_both};

on_both! {
    the_most_pressing_lane_and_then_the_longest_due_comes_first,
    a_holder_whose_lease_ran_out_writes_nothing,
    a_due_time_that_moves_is_taken_from_its_holder,
    the_same_work_is_never_put_twice,
    eight_workers_never_take_the_same_work,
    work_ends_as_it_is_told,
    an_alarm_stands_once_until_somebody_has_seen_it,
    a_request_without_a_next_step_is_found,
}

const ALL: (Lane, Lane) = (Lane::Urgent, Lane::Reports);
const LEASE_S: i64 = 30;

fn work(lane: Lane, key: &str, due: Millis) -> NewJob {
    NewJob { lane, kind: "tell", key: key.to_owned(), body: json!({ "key": key }), due }
}

/// What commands about jobs need, owned.
fn kit(ground: &Ground) -> (AssociationId, SharedChance) {
    (ground.association.clone(), ground.vault.chance.clone())
}

async fn add(ground: &Ground, new: NewJob) {
    let kit = kit(ground);
    let add = command(move |tx| {
        let (kit, new) = (kit.clone(), new.clone());
        Box::pin(async move { job_add(tx, &kit.0, &new, NOW, kit.1.as_ref()).await })
    });
    ground.db.run(add).await.unwrap();
}

async fn take(ground: &Ground, lanes: (Lane, Lane), owner: &'static str, now: Millis) -> Option<Job> {
    let take = command(move |tx| {
        Box::pin(async move { job_claim(tx, lanes, now, owner, now.plus_s(LEASE_S)).await })
    });
    ground.db.run(take).await.unwrap()
}

async fn end(ground: &Ground, job: &Job, owner: &'static str, end: JobEnd, now: Millis) -> bool {
    let job = job.clone();
    let end = command(move |tx| {
        let (job, end) = (job.clone(), end.clone());
        Box::pin(async move { job_end(tx, &job, owner, &end, now).await })
    });
    ground.db.run(end).await.unwrap()
}

async fn held(ground: &Ground, job: &Job, owner: &str) -> bool {
    job_held(&mut ground.db.read().await.unwrap(), job, owner).await.unwrap()
}

async fn state(ground: &Ground, key: &str) -> (Job, String) {
    let mut conn = ground.db.read().await.unwrap();
    job_by_key(&mut conn, &ground.association, key).await.unwrap().unwrap()
}

async fn the_most_pressing_lane_and_then_the_longest_due_comes_first(ground: Ground) {
    add(&ground, work(Lane::Mail, "mail, long due", NOW.plus_s(-90))).await;
    add(&ground, work(Lane::Urgent, "urgent, just due", NOW)).await;
    add(&ground, work(Lane::Urgent, "urgent, not yet due", NOW.plus_ms(1))).await;
    add(&ground, work(Lane::Mail, "mail, just due", NOW)).await;
    add(&ground, work(Lane::Wake, "wake", NOW.plus_s(-1))).await;
    let mut order = Vec::new();
    while let Some(job) = take(&ground, ALL, "a", NOW).await {
        order.push(job.key);
    }
    assert_eq!(order, ["urgent, just due", "wake", "mail, long due", "mail, just due"]);
    let mut conn = ground.db.read().await.unwrap();
    assert_eq!(jobs_next(&mut conn, ALL).await.unwrap(), Some(NOW.plus_ms(1)));
    drop(conn);
    // A worker of one lane leaves the others alone.
    assert_eq!(take(&ground, (Lane::Mail, Lane::Mail), "a", NOW.plus_s(1)).await, None);
    assert!(take(&ground, (Lane::Urgent, Lane::Urgent), "a", NOW.plus_s(1)).await.is_some());
}

async fn a_holder_whose_lease_ran_out_writes_nothing(ground: Ground) {
    add(&ground, work(Lane::Mail, "m", NOW)).await;
    let paused = take(&ground, ALL, "a", NOW).await.unwrap();
    assert_eq!(paused.tries, 1);
    assert_eq!(take(&ground, ALL, "b", NOW.plus_s(LEASE_S).plus_ms(-1)).await, None, "the lease holds");
    let later = NOW.plus_s(LEASE_S);
    let second = take(&ground, ALL, "b", later).await.unwrap();
    assert_eq!((&second.id, second.tries), (&paused.id, 2));
    assert!(second.fence > paused.fence);

    assert!(!held(&ground, &paused, "a").await && held(&ground, &second, "b").await);
    let before = ground.dump(&["job"]).await;
    for late in [
        JobEnd::Done,
        JobEnd::Moot,
        JobEnd::Dead("no".into()),
        JobEnd::Retry(later, "no".into()),
        JobEnd::GivenBack,
    ] {
        assert!(!end(&ground, &paused, "a", late, later).await);
    }
    // Nor does the right fence help the wrong holder.
    assert!(!end(&ground, &second, "a", JobEnd::Done, later).await);
    assert_eq!(ground.dump(&["job"]).await, before);
    assert!(end(&ground, &second, "b", JobEnd::Done, later).await);
    assert!(!end(&ground, &second, "b", JobEnd::Done, later).await, "once");
    assert_eq!(take(&ground, ALL, "a", later.plus_s(3_600)).await, None);
}

async fn a_due_time_that_moves_is_taken_from_its_holder(ground: Ground) {
    let moved = async |due: Millis| {
        let kit = kit(&ground);
        let put = command(move |tx| {
            let kit = kit.clone();
            let new = work(Lane::Wake, "wake:1", due);
            Box::pin(async move { job_move(tx, &kit.0, &new, NOW, kit.1.as_ref()).await })
        });
        ground.db.run(put).await.unwrap();
    };
    moved(NOW).await;
    let holder = take(&ground, ALL, "a", NOW).await.unwrap();
    moved(NOW.plus_s(60)).await;
    assert!(!held(&ground, &holder, "a").await);
    assert!(!end(&ground, &holder, "a", JobEnd::Done, NOW).await);
    assert_eq!(take(&ground, ALL, "b", NOW.plus_s(59)).await, None);
    let again = take(&ground, ALL, "b", NOW.plus_s(60)).await.unwrap();
    assert_eq!((again.id, again.tries), (holder.id, 1), "the same row, counted anew");

    let kit = kit(&ground);
    let over = command(move |tx| {
        let kit = kit.clone();
        Box::pin(async move { job_end_by_key(tx, &kit.0, "wake:1", NOW).await })
    });
    ground.db.run(over).await.unwrap();
    assert_eq!(state(&ground, "wake:1").await.1, "done");
    moved(NOW.plus_s(90)).await;
    assert!(take(&ground, ALL, "b", NOW.plus_s(90)).await.is_some(), "an ended due time can be put again");
}

async fn the_same_work_is_never_put_twice(ground: Ground) {
    add(&ground, work(Lane::Mail, "m", NOW)).await;
    let first = take(&ground, ALL, "a", NOW).await.unwrap();
    assert!(end(&ground, &first, "a", JobEnd::Done, NOW).await);
    add(&ground, work(Lane::Mail, "m", NOW.plus_s(5))).await;
    assert_eq!(take(&ground, ALL, "a", NOW.plus_s(60)).await, None);
    assert_eq!(state(&ground, "m").await.1, "done");
}

async fn eight_workers_never_take_the_same_work(ground: Ground) {
    let count = 64;
    for n in 0..count {
        add(&ground, work(Lane::Mail, &format!("m{n}"), NOW)).await;
    }
    let mut workers = Vec::new();
    for _ in 0..8 {
        let db = ground.db.clone();
        workers.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                let claim = command(|tx| {
                    Box::pin(async move { job_claim(tx, ALL, NOW, "worker", NOW.plus_s(LEASE_S)).await })
                });
                match db.run(claim).await.unwrap() {
                    Some(job) => taken.push(job.key),
                    None => return taken,
                }
            }
        }));
    }
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    assert_eq!(all.len(), count, "nothing is taken twice");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), count, "and nothing is left");
}

async fn work_ends_as_it_is_told(ground: Ground) {
    for key in ["retry", "back", "dead", "moot", "void"] {
        add(&ground, work(Lane::Mail, key, NOW)).await;
    }
    let mut jobs = Vec::new();
    while let Some(job) = take(&ground, ALL, "a", NOW).await {
        jobs.push(job);
    }
    for job in &jobs {
        let ending = match job.key.as_str() {
            "retry" => JobEnd::Retry(NOW.plus_s(300), "451 later".into()),
            "back" => JobEnd::GivenBack,
            "dead" => JobEnd::Dead("550 no".into()),
            "moot" => JobEnd::Moot,
            _ => continue,
        };
        assert!(end(&ground, job, "a", ending, NOW).await);
    }
    let back = take(&ground, ALL, "b", NOW).await.unwrap();
    assert_eq!((back.key.as_str(), back.tries), ("back", 1), "a try that never began does not count");
    assert_eq!(take(&ground, ALL, "b", NOW.plus_s(1)).await, None);
    assert_eq!(state(&ground, "dead").await.1, "dead");
    assert_eq!(state(&ground, "moot").await.1, "moot");

    // The next life of the process takes over what the earlier one held, and nothing else.
    let void = command(|tx| Box::pin(async move { jobs_void_leases(tx, "b").await }));
    assert_eq!(ground.db.run(void).await.unwrap(), 1);
    let taken_over = take(&ground, ALL, "b", NOW).await.unwrap();
    assert_eq!(taken_over.key, "void");
    let old = jobs.iter().find(|j| j.key == "void").unwrap();
    assert!(!end(&ground, old, "a", JobEnd::Done, NOW).await);

    let retried = take(&ground, ALL, "b", NOW.plus_s(300)).await;
    // The leases of `back` and `void` ran out too; all three are due again.
    assert!(retried.is_some());
    let forget = command(|tx| Box::pin(async move { jobs_forget(tx, NOW.plus_s(1)).await }));
    assert_eq!(ground.db.run(forget).await.unwrap(), 1, "the moot one; the dead one stays for the office");
}

async fn an_alarm_stands_once_until_somebody_has_seen_it(ground: Ground) {
    let raise = || {
        let (kit, db) = (kit(&ground), ground.db.clone());
        let raise = command(move |tx| {
            let kit = kit.clone();
            Box::pin(
                async move { alarm_raise(tx, &kit.0, "exhausted", "request:1", NOW, kit.1.as_ref()).await },
            )
        });
        async move { db.run(raise).await.unwrap() }
    };
    let (one, two, three) = tokio::join!(raise(), raise(), raise());
    assert!(one == two && two == three, "{one} {two} {three}");
    let mut conn = ground.db.read().await.unwrap();
    assert_eq!(alarms_unacknowledged(&mut conn, &ground.association).await.unwrap().len(), 1);
    drop(conn);

    let (kit, id) = (kit(&ground), one.clone());
    let seen = || {
        let (kit, id) = (kit.clone(), id.clone());
        command(move |tx| {
            let (kit, id) = (kit.clone(), id.clone());
            Box::pin(async move { alarm_acknowledge(tx, &kit.0, &id, "member:1", NOW).await })
        })
    };
    assert!(ground.db.run(seen()).await.unwrap());
    assert!(!ground.db.run(seen()).await.unwrap(), "once");
    assert_ne!(raise().await, one, "after it was seen to, the next one is new");
}

async fn a_request_without_a_next_step_is_found(ground: Ground) {
    let request = ground.case(1).await;
    let stuck = async || requests_without_step(&mut ground.db.read().await.unwrap()).await.unwrap();
    assert_eq!(stuck().await, [(ground.association.clone(), request.id.clone())]);
    add(&ground, work(Lane::Wake, &format!("wake:{}", request.id), NOW)).await;
    assert!(stuck().await.is_empty());
    let taken = take(&ground, ALL, "a", NOW).await.unwrap();
    assert!(stuck().await.is_empty(), "a step in hand is a next step");
    assert!(end(&ground, &taken, "a", JobEnd::Dead("poison".into()), NOW).await);
    assert_eq!(stuck().await.len(), 1);
    ground.place.tamper("UPDATE request SET state = 'withdrawn'").await;
    assert!(stuck().await.is_empty());
}
