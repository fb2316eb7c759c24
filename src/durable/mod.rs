//! Does it later: the outbox, due times, retries and schedules.

pub mod retry;
pub mod schedule;
