//! The outbox, the due times and the alarms. When a job is done and what it does is `durable`.

use serde::{Deserialize, Serialize};

use super::db::{Conn, StoreError};
use super::row::{Row, values};
use super::statements;
use crate::ids::{AlarmId, AssociationId, Chance, JobId};
use crate::planted::{self, Bug};
use crate::time::Millis;

statements! {
    JOB_ADD = "INSERT INTO job (association_id, job_id, lane, kind, key, body, state, due_at_ms, tries, fence, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 'due', $7, 0, 0, $8) ON CONFLICT (association_id, key) DO NOTHING";
    // A due time that moves takes the row back from whoever holds it: the fence grows.
    JOB_MOVE = "INSERT INTO job (association_id, job_id, lane, kind, key, body, state, due_at_ms, tries, fence, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 'due', $7, 0, 0, $8) ON CONFLICT (association_id, key) DO UPDATE SET state = 'due', due_at_ms = excluded.due_at_ms, tries = 0, owner = NULL, lease_until_ms = NULL, fence = job.fence + 1, ended_at_ms = NULL, last_error = NULL";
    JOB_END_BY_KEY = "UPDATE job SET state = 'done', ended_at_ms = $3, owner = NULL, lease_until_ms = NULL, fence = fence + 1 WHERE association_id = $1 AND key = $2 AND state IN ('due', 'leased')";
    // `state IN ('due', 'leased')` stands beside what implies it: SQLite uses a partial index only where its
    // own words are repeated. SQLite has one writer, so the inner choice cannot race; PostgreSQL locks the row it picks and skips
    // rows that others hold (a plain UPDATE … WHERE id IN (SELECT …) deadlocks there).
    JOB_CLAIM =
        "UPDATE job SET state = 'leased', owner = $4, lease_until_ms = $5, fence = fence + 1, tries = tries + 1 WHERE (association_id, job_id) IN (SELECT association_id, job_id FROM job WHERE lane >= $1 AND lane <= $2 AND state IN ('due', 'leased') AND ((state = 'due' AND due_at_ms <= $3) OR (state = 'leased' AND lease_until_ms <= $3)) ORDER BY lane, due_at_ms, job_id LIMIT 1) RETURNING association_id, job_id, lane, kind, key, body, due_at_ms, tries, fence, created_at_ms",
        "WITH picked AS MATERIALIZED (SELECT association_id, job_id FROM job WHERE lane >= $1 AND lane <= $2 AND state IN ('due', 'leased') AND ((state = 'due' AND due_at_ms <= $3) OR (state = 'leased' AND lease_until_ms <= $3)) ORDER BY lane, due_at_ms, job_id LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE job SET state = 'leased', owner = $4, lease_until_ms = $5, fence = fence + 1, tries = tries + 1 FROM picked WHERE job.association_id = picked.association_id AND job.job_id = picked.job_id RETURNING job.association_id, job.job_id, job.lane, job.kind, job.key, job.body, job.due_at_ms, job.tries, job.fence, job.created_at_ms";
    JOB_HELD = "SELECT fence FROM job WHERE association_id = $1 AND job_id = $2 AND owner = $3 AND fence = $4 AND state = 'leased'";
    JOB_END = "UPDATE job SET state = $5, ended_at_ms = $6, owner = NULL, lease_until_ms = NULL, last_error = $7 WHERE association_id = $1 AND job_id = $2 AND owner = $3 AND fence = $4 AND state = 'leased'";
    JOB_RETRY = "UPDATE job SET state = 'due', due_at_ms = $5, owner = NULL, lease_until_ms = NULL, last_error = $6 WHERE association_id = $1 AND job_id = $2 AND owner = $3 AND fence = $4 AND state = 'leased'";
    JOB_GIVE_BACK = "UPDATE job SET state = 'due', tries = tries - 1, owner = NULL, lease_until_ms = NULL WHERE association_id = $1 AND job_id = $2 AND owner = $3 AND fence = $4 AND state = 'leased'";
    JOBS_VOID_LEASES = "UPDATE job SET state = 'due', owner = NULL, lease_until_ms = NULL, fence = fence + 1 WHERE state IN ('due', 'leased') AND state = 'leased' AND owner <> $1";
    JOB_HOLDER = "SELECT owner, fence FROM job WHERE association_id = $1 AND job_id = $2";
    JOBS_NEXT = "SELECT MIN(due_at_ms) AS due FROM job WHERE state IN ('due', 'leased') AND state = 'due' AND lane >= $1 AND lane <= $2";
    // By the exact keys of the request's tries: a pattern on the key would read every job of the association.
    JOBS_IN_FLIGHT = "SELECT COUNT(*) AS n FROM attempt a JOIN job j ON j.association_id = a.association_id AND j.key = 'ask:' || a.request_id || ':' || a.member_id || ':' || a.number WHERE a.association_id = $1 AND a.request_id = $2 AND j.state = 'leased'";
    JOBS_BY_STATE = "SELECT state, COUNT(*) AS n FROM job GROUP BY state ORDER BY state";
    JOBS_LATE = "SELECT COUNT(*) AS n FROM job WHERE state IN ('due', 'leased') AND state = 'due' AND due_at_ms < $1";
    JOB_BY_KEY = "SELECT association_id, job_id, lane, kind, key, body, due_at_ms, tries, fence, created_at_ms, state, last_error FROM job WHERE association_id = $1 AND key = $2";
    JOBS_FORGET = "DELETE FROM job WHERE state IN ('done', 'moot') AND ended_at_ms < $1";
    // Every open request must have its due time in the outbox; this finds the ones that do not.
    REQUESTS_WITHOUT_STEP = "SELECT r.association_id, r.request_id FROM request r WHERE r.state NOT IN ('closed', 'refused', 'withdrawn', 'expired') AND NOT EXISTS (SELECT 1 FROM job j WHERE j.association_id = r.association_id AND j.key = 'wake:' || r.request_id AND j.state IN ('due', 'leased')) LIMIT 100";
    ALARM_ADD = "INSERT INTO alarm (association_id, alarm_id, kind, subject, raised_at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    ALARM_OPEN = "SELECT alarm_id FROM alarm WHERE association_id = $1 AND kind = $2 AND subject = $3 AND acknowledged_at_ms IS NULL";
    ALARM_ACKNOWLEDGE = "UPDATE alarm SET acknowledged_at_ms = $3, acknowledged_by = $4 WHERE association_id = $1 AND alarm_id = $2 AND acknowledged_at_ms IS NULL";
    ALARM_BY_ID = "SELECT alarm_id, kind, subject, raised_at_ms, acknowledged_at_ms, acknowledged_by FROM alarm WHERE association_id = $1 AND alarm_id = $2";
    ALARMS_AFTER = "SELECT alarm_id, kind, subject, raised_at_ms, acknowledged_at_ms, acknowledged_by FROM alarm WHERE association_id = $1 AND acknowledged_at_ms IS NULL AND alarm_id > $2 ORDER BY alarm_id LIMIT $3";
    ALARMS_UNACKNOWLEDGED = "SELECT alarm_id, kind, subject, raised_at_ms, acknowledged_at_ms, acknowledged_by FROM alarm WHERE association_id = $1 AND acknowledged_at_ms IS NULL ORDER BY raised_at_ms LIMIT 200";
}

/// Which work waits for which: a lower lane is always served first, by workers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lane {
    /// Urgent calls and alarms.
    Urgent = 0,
    /// Due times of requests: no port is called.
    Wake = 1,
    Mail = 2,
    /// Digests, housekeeping, exports.
    Reports = 3,
    /// Orders to the phone bridge and waits of calls: rows of their own, with a worker of their own.
    Calls = 4,
}

impl Lane {
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }
}

/// Work to be put in the outbox.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub lane: Lane,
    /// `ask`, `tell`, `wake`, `alarm`, `sign_in`, `reach_test`, `station`, `cron`.
    pub kind: &'static str,
    /// Unique per association: the same work is never put twice.
    pub key: String,
    pub body: serde_json::Value,
    pub due: Millis,
}

/// A claimed piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub association: AssociationId,
    pub id: JobId,
    pub lane: i64,
    pub kind: String,
    pub key: String,
    pub body: String,
    pub due: Millis,
    /// This try included.
    pub tries: u32,
    pub fence: i64,
    pub created: Millis,
}

fn job(row: &Row) -> Result<Job, StoreError> {
    Ok(Job {
        association: row.id("association_id", AssociationId::from_stored)?,
        id: row.id("job_id", JobId::from_stored)?,
        lane: row.int("lane")?,
        kind: row.text("kind")?,
        key: row.text("key")?,
        body: row.text("body")?,
        due: row.millis("due_at_ms")?,
        tries: u32::try_from(row.int("tries")?).unwrap_or(u32::MAX),
        fence: row.int("fence")?,
        created: row.millis("created_at_ms")?,
    })
}

/// Puts work in the outbox; the same key twice is one.
///
/// # Errors
/// The database's.
pub async fn job_add(
    tx: &mut Conn,
    association: &AssociationId,
    new: &NewJob,
    now: Millis,
    chance: &dyn Chance,
) -> Result<(), StoreError> {
    put(tx, &JOB_ADD, association, new, now, chance).await
}

/// Puts a due time, or moves the one that is there.
///
/// # Errors
/// The database's.
pub async fn job_move(
    tx: &mut Conn,
    association: &AssociationId,
    new: &NewJob,
    now: Millis,
    chance: &dyn Chance,
) -> Result<(), StoreError> {
    put(tx, &JOB_MOVE, association, new, now, chance).await
}

async fn put(
    tx: &mut Conn,
    statement: &'static super::Statement,
    association: &AssociationId,
    new: &NewJob,
    now: Millis,
    chance: &dyn Chance,
) -> Result<(), StoreError> {
    let id = JobId::new(now, chance);
    let params = values![
        association.as_str(),
        id.as_str(),
        new.lane.number(),
        new.kind,
        new.key.as_str(),
        new.body.to_string(),
        new.due,
        now,
    ];
    tx.exec(statement, params).await?;
    tx.wake_runner(new.lane);
    Ok(())
}

/// Ends the work of this key, whoever holds it.
///
/// # Errors
/// The database's.
pub async fn job_end_by_key(
    tx: &mut Conn,
    association: &AssociationId,
    key: &str,
    now: Millis,
) -> Result<(), StoreError> {
    tx.exec(&JOB_END_BY_KEY, values![association.as_str(), key, now]).await.map(drop)
}

/// Leases the most pressing due work of the lanes.
///
/// # Errors
/// The database's.
pub async fn job_claim(
    tx: &mut Conn,
    lanes: (Lane, Lane),
    now: Millis,
    owner: &str,
    lease_until: Millis,
) -> Result<Option<Job>, StoreError> {
    let params = values![lanes.0.number(), lanes.1.number(), now, owner, lease_until];
    tx.one(&JOB_CLAIM, params).await?.as_ref().map(job).transpose()
}

/// How a leased piece of work ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    Done,
    /// It was not needed any more.
    Moot,
    /// Given up; an alarm was raised.
    Dead(String),
    /// Again at that time.
    Retry(Millis, String),
    /// Not begun: the runner is stopping.
    GivenBack,
}

/// Whether this lease still stands. A worker that was paused may have lost it without knowing.
///
/// # Errors
/// The database's.
pub async fn job_held(tx: &mut Conn, job: &Job, owner: &str) -> Result<bool, StoreError> {
    let params = values![job.association.as_str(), job.id.as_str(), owner, job.fence];
    Ok(tx.one(&JOB_HELD, params).await?.is_some())
}

/// The planted bug: whoever holds the work now, in place of whoever says so.
async fn holder(tx: &mut Conn, claimed: &Job) -> Result<(String, Job), StoreError> {
    let row = tx.one(&JOB_HOLDER, values![claimed.association.as_str(), claimed.id.as_str()]).await?;
    let owner = row.as_ref().map_or(Ok(None), |r| r.opt_text("owner"))?;
    let fence = row.map_or(Ok(claimed.fence), |r| r.int("fence"))?;
    Ok((owner.unwrap_or_default(), Job { fence, ..claimed.clone() }))
}

/// Ends a lease. `false`: the fence is stale, somebody else has it; nothing was written.
///
/// # Errors
/// The database's.
pub async fn job_end(
    tx: &mut Conn,
    job: &Job,
    owner: &str,
    end: &JobEnd,
    now: Millis,
) -> Result<bool, StoreError> {
    let (association, id) = (job.association.as_str(), job.id.as_str());
    let now_held;
    let (owner, job) = if planted::is(Bug::FenceNotCompared) {
        now_held = holder(tx, job).await?;
        (now_held.0.as_str(), &now_held.1)
    } else {
        (owner, job)
    };
    let changed = match end {
        JobEnd::Done => {
            tx.exec(&JOB_END, values![association, id, owner, job.fence, "done", now, None::<String>]).await?
        }
        JobEnd::Moot => {
            tx.exec(&JOB_END, values![association, id, owner, job.fence, "moot", now, None::<String>]).await?
        }
        JobEnd::Dead(why) => {
            tx.exec(&JOB_END, values![association, id, owner, job.fence, "dead", now, why.as_str()]).await?
        }
        JobEnd::Retry(at, why) => {
            tx.exec(&JOB_RETRY, values![association, id, owner, job.fence, *at, why.as_str()]).await?
        }
        JobEnd::GivenBack => tx.exec(&JOB_GIVE_BACK, values![association, id, owner, job.fence]).await?,
    };
    Ok(changed == 1)
}

/// One process on one file: what an earlier life leased is due again at once.
///
/// # Errors
/// The database's.
pub async fn jobs_void_leases(tx: &mut Conn, owner: &str) -> Result<u64, StoreError> {
    tx.exec(&JOBS_VOID_LEASES, values![owner]).await
}

/// When the next work of the lanes is due.
///
/// # Errors
/// The database's.
pub async fn jobs_next(conn: &mut Conn, lanes: (Lane, Lane)) -> Result<Option<Millis>, StoreError> {
    let row = conn.one(&JOBS_NEXT, values![lanes.0.number(), lanes.1.number()]).await?;
    row.map_or(Ok(None), |r| r.opt_millis("due"))
}

/// Mails of a request that are being handed over in this moment.
///
/// # Errors
/// The database's.
pub async fn jobs_in_flight(
    conn: &mut Conn,
    association: &AssociationId,
    request: &crate::ids::RequestId,
) -> Result<i64, StoreError> {
    let row = conn.one(&JOBS_IN_FLIGHT, values![association.as_str(), request.as_str()]).await?;
    row.map_or(Ok(0), |r| r.int("n"))
}

/// How many jobs are in each state.
///
/// # Errors
/// The database's.
pub async fn jobs_by_state(conn: &mut Conn) -> Result<Vec<(String, i64)>, StoreError> {
    conn.all(&JOBS_BY_STATE, &[]).await?.iter().map(|r| Ok((r.text("state")?, r.int("n")?))).collect()
}

/// Work that should have begun before `before`.
///
/// # Errors
/// The database's.
pub async fn jobs_late(conn: &mut Conn, before: Millis) -> Result<i64, StoreError> {
    conn.one(&JOBS_LATE, values![before]).await?.map_or(Ok(0), |r| r.int("n"))
}

/// The job of a key with its state, for tests and checks.
///
/// # Errors
/// The database's.
pub async fn job_by_key(
    conn: &mut Conn,
    association: &AssociationId,
    key: &str,
) -> Result<Option<(Job, String)>, StoreError> {
    let row = conn.one(&JOB_BY_KEY, values![association.as_str(), key]).await?;
    row.map(|r| Ok((job(&r)?, r.text("state")?))).transpose()
}

/// Forgets finished work older than `before`.
///
/// # Errors
/// The database's.
pub async fn jobs_forget(tx: &mut Conn, before: Millis) -> Result<u64, StoreError> {
    tx.exec(&JOBS_FORGET, values![before]).await
}

/// Open requests that have no due time: there must be none.
///
/// # Errors
/// The database's.
pub async fn requests_without_step(
    conn: &mut Conn,
) -> Result<Vec<(AssociationId, crate::ids::RequestId)>, StoreError> {
    let rows = conn.all(&REQUESTS_WITHOUT_STEP, &[]).await?;
    rows.iter()
        .map(|r| {
            Ok((
                r.id("association_id", AssociationId::from_stored)?,
                r.id("request_id", crate::ids::RequestId::from_stored)?,
            ))
        })
        .collect()
}

/// Something a human must look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    pub id: AlarmId,
    pub kind: String,
    /// The kind and id of what it is about, such as `request:…`.
    pub subject: String,
    pub raised: Millis,
    pub acknowledged: Option<Millis>,
    pub acknowledged_by: Option<String>,
}

fn alarm(row: &Row) -> Result<AlarmRow, StoreError> {
    Ok(AlarmRow {
        id: row.id("alarm_id", AlarmId::from_stored)?,
        kind: row.text("kind")?,
        subject: row.text("subject")?,
        raised: row.millis("raised_at_ms")?,
        acknowledged: row.opt_millis("acknowledged_at_ms")?,
        acknowledged_by: row.opt_text("acknowledged_by")?,
    })
}

/// Raises an alarm; the same alarm about the same thing stays one until it is acknowledged.
///
/// # Errors
/// The database's.
pub async fn alarm_raise(
    tx: &mut Conn,
    association: &AssociationId,
    kind: &str,
    subject: &str,
    now: Millis,
    chance: &dyn Chance,
) -> Result<AlarmId, StoreError> {
    let id = AlarmId::new(now, chance);
    tx.exec(&ALARM_ADD, values![association.as_str(), id.as_str(), kind, subject, now]).await?;
    let row = tx.one(&ALARM_OPEN, values![association.as_str(), kind, subject]).await?;
    row.map_or(Ok(id), |r| r.id("alarm_id", AlarmId::from_stored))
}

/// Somebody has seen it. `false`: it was acknowledged before, or does not exist.
///
/// # Errors
/// The database's.
pub async fn alarm_acknowledge(
    tx: &mut Conn,
    association: &AssociationId,
    id: &AlarmId,
    by: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.exec(&ALARM_ACKNOWLEDGE, values![association.as_str(), id.as_str(), now, by]).await? == 1)
}

/// # Errors
/// The database's.
pub async fn alarm_by_id(
    conn: &mut Conn,
    association: &AssociationId,
    id: &AlarmId,
) -> Result<Option<AlarmRow>, StoreError> {
    conn.one(&ALARM_BY_ID, values![association.as_str(), id.as_str()]).await?.as_ref().map(alarm).transpose()
}

/// Alarms nobody has acknowledged in the order of ids, after `after` (empty: from the start).
///
/// # Errors
/// The database's.
pub async fn alarms_after(
    conn: &mut Conn,
    association: &AssociationId,
    after: &str,
    limit: i64,
) -> Result<Vec<AlarmRow>, StoreError> {
    conn.all(&ALARMS_AFTER, values![association.as_str(), after, limit]).await?.iter().map(alarm).collect()
}

/// Alarms nobody has acknowledged, oldest first.
///
/// # Errors
/// The database's.
pub async fn alarms_unacknowledged(
    conn: &mut Conn,
    association: &AssociationId,
) -> Result<Vec<AlarmRow>, StoreError> {
    conn.all(&ALARMS_UNACKNOWLEDGED, values![association.as_str()]).await?.iter().map(alarm).collect()
}
