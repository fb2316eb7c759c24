//! The subsidy ledger (補助台帳): facts of what happened in, lines for both sides and for duty out.
//!
//! `event` and `standby` are what is recorded; `tariff`, `program` and `condition` are the rules as data, read
//! by the `*_file` modules; `lines` and `duty_lines` say what one event is worth, `run` what a month is worth;
//! `entries` change what closed months say without touching them. Keeping lines is `store`'s, closing a month
//! `app`'s.

mod condition;
mod duty_lines;
mod entries;
mod event;
mod fraction;
mod lines;
mod month;
mod next_year;
mod program;
mod program_file;
mod run;
mod standby;
mod table;
mod tariff;
mod tariff_file;
mod tariff_keys;

pub use condition::{Condition, ConditionResult, ConditionState, ReasonCode};
pub use entries::{NotCorrectable, correction, differences, may_correct, proration};
pub use event::{
    AcceptorFacts, AskerRole, AttemptFact, AttemptResult, CallRef, Channel, Code, CompletedEvent,
    Confirmation, DutyRef, EventKind, EventRef, FACTS_VERSION, GateResult, Membership, Moment, NotACode,
    Occasion, OnRotaAs, RequesterFacts, TurnRef, Urgency, counting_instant,
};
pub use fraction::{Fraction, NotAFraction, Rounding};
pub use lines::{Eligibility, Entry, Line, Said, lines};
pub use month::{Month, NotAMonth};
pub use next_year::for_next_year;
pub use program::{
    Books, Budget, BudgetRule, Claim, ClaimBy, ClaimRule, Cycle, Program, StandbyDay, claim, prorated,
};
pub use run::{Asks, Balance, Brief, Fact, OutOfBalance, Run, Taken, Waiting, balance, run_month};
pub use standby::{People, Piece, StandbyEvent, TurnEvent, stretches, turns};
pub use table::{Cell, LedgerTable};
pub use tariff::{Caps, Side, Tariff, Tariffs, Unit, Uplift, UpliftOn};
pub use tariff_file::{TariffError, TariffErrors};

#[cfg(test)]
mod clause_tests;
#[cfg(test)]
mod tariff_tests;
#[cfg(test)]
mod tests;
