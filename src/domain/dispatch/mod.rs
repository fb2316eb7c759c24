//! The one act behind every request: ask people, in order, until enough of them say yes.
//!
//! `plan` is what to do, as data; `request` is where a request stands; `decide` moves it on; `settle`
//! holds the rules of each kind. Voices (legs, rooms, joining) are another machine.

mod clock;
pub mod decide;
pub mod plan;
pub mod request;
pub mod settle;

pub use decide::{Alarm, Answer, Decision, Effect, Event, Notice, To, decide, next_due};
pub use plan::{Channel, Kind, Mode, Plan, Plans, Proof, Selector, Step};
pub use request::{Acceptance, Offer, OfferState, Request, State, Terms};
pub use settle::{Candidate, Rule, World};

#[cfg(test)]
mod tests;
