//! The machine of voices, beside the dispatcher: legs, screening, joining, hand-over, call-back.
//!
//! The dispatcher decides whom to ask; a call rings them, brings their answers back to it, and joins the one
//! whose yes it took with the caller. `number` reads numbers, `policy` is the data, `bridge` what a phone
//! bridge is told and tells, `leg` one line, `state` where a call stands, `decide` how it moves, `clock` what
//! becomes of its waits when the machine's clock is set, `hunt` both machines together.

pub mod bridge;
mod clock;
pub mod decide;
pub mod hunt;
pub mod leg;
pub mod number;
pub mod policy;
pub mod state;

pub use bridge::{Collect, Command, Gather, LegSeen, Prompt, RoleSpoken, Snapshot};
pub use clock::move_waits;
pub use decide::{Answer, Decision, Effect, Event, News, Notice, PinVerdict, To, Told, decide, next_due};
pub use hunt::{Both, Happened, hunt};
pub use leg::{Cause, Leg, LegId, LegState, Role};
pub use number::{Line, Number, Reading};
pub use policy::{Admission, Limits, Load, Policy, admit};
pub use state::{Alarm, Call, Caller, Kind, Message, Outcome, Route, Stage, Standing, Taker};

#[cfg(test)]
mod tests;
