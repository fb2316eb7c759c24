//! The subsidy ledger (補助台帳): facts of a completed event in, lines for both sides out. Closing,
//! reversal, caps and budgets work on the lines of many events and are not here.

mod condition;
mod event;
mod lines;
mod tariff;
mod tariff_file;

pub use condition::{Condition, ConditionResult, ConditionState, ReasonCode};
pub use event::{
    AcceptorFacts, AskerRole, AttemptFact, AttemptResult, Channel, Code, CompletedEvent, Confirmation,
    EventKind, EventRef, FACTS_VERSION, GateResult, Membership, Moment, NotACode, Occasion, OnRotaAs,
    RequesterFacts, Urgency, counting_instant,
};
pub use lines::{Eligibility, Line, lines};
pub use tariff::{Side, Tariff, Tariffs, Unit};
pub use tariff_file::{TariffError, TariffErrors};

#[cfg(test)]
mod tariff_tests;
#[cfg(test)]
mod tests;
