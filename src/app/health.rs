//! How the work stands, in numbers without names: for whoever watches the process.

use crate::store::jobs::{jobs_by_state, jobs_late, requests_without_step};

use super::{App, AppError};

/// The outbox at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Waiting for their time or for a worker.
    pub due: i64,
    /// Being done.
    pub leased: i64,
    /// Given up after too many tries.
    pub given_up: i64,
    /// Due for more than [`LATE_S`] and not begun.
    pub late: i64,
    /// Open requests that nothing will wake: there must be none (at most 100 are counted).
    pub requests_without_step: i64,
}

/// Seconds after which waiting work counts as late.
pub const LATE_S: i64 = 60;

impl App {
    /// The state of the outbox now.
    ///
    /// # Errors
    /// The store's.
    pub async fn work_now(&self) -> Result<Work, AppError> {
        let mut conn = self.db.read().await?;
        let mut work = Work {
            late: jobs_late(&mut conn, self.now().plus_s(-LATE_S)).await?,
            requests_without_step: i64::try_from(requests_without_step(&mut conn).await?.len())
                .unwrap_or(i64::MAX),
            ..Work::default()
        };
        for (state, n) in jobs_by_state(&mut conn).await? {
            match state.as_str() {
                "due" => work.due = n,
                "leased" => work.leased = n,
                "dead" => work.given_up = n,
                _ => {}
            }
        }
        Ok(work)
    }
}
