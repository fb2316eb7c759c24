//! Logs to stderr and counters for `/metrics`. What is worth saying is decided where it happens.
//!
//! Nothing is scrubbed here, because nothing that needs scrubbing is ever logged: ids, kinds and times only.

pub mod counters;
mod log;
mod panics;

pub use log::{LogFilter, LogFormat, NotAFilter, StartError, init};
pub use panics::report_places_only;
