//! Urgent calls and bridged talks: the same few lines as for requests, with the bridge's orders as rows. How a
//! call moves is `domain/call`; who carries the orders out is `durable/bridge`.

mod bridge;
mod clock;
mod duty;
mod fallback;
mod flow;
mod inbound;
mod report;
pub mod settings;
mod start;
mod views;
mod watch;
mod world;

pub use bridge::{CallOrder, Given, Seen, Todo};
pub use fallback::Fallback;
pub use report::{CallTold, OUTCOMES};
pub use start::Started;
pub use views::{CallLine, CallPage, LegLine, ReportLine};
pub use world::resolvable;

pub(crate) use duty::on_duty;
pub(crate) use flow::{notice_text, self_check};
pub(crate) use start::{What, ring_one};
pub(crate) use world::{here, physicians};

/// The plan that urgent calls are hunted by.
pub const PLAN: &str = "urgent";
