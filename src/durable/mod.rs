//! Does it later: takes due work from the outbox, calls the port, writes down how it ended. Also the
//! schedules and the self-check. What work means is decided in `app`.

pub mod bridge;
mod clock;
pub mod retry;
pub mod reviews;
pub mod runner;
pub mod schedule;
