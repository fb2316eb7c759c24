//! The subsidy ledger as the office works with it. `record` writes what completed, `calls` the urgent calls among it; `tariffs` the rules;
//! `world` and `duty` read everything a month is run from; `close` makes and closes months; `orders` change what
//! closed months say; `figures` are what statements and exports show, `tables` the tables of the files. What a
//! line is worth is `domain::ledger`.

mod calls;
pub mod chase;
pub mod close;
mod duty;
pub mod ending;
pub mod evaluation;
pub mod figures;
pub mod names;
pub mod orders;
pub mod record;
pub mod reports;
pub mod tables;
pub mod tariffs;
pub mod world;

pub(crate) use calls::record_call;
pub(crate) use record::{record, record_confirmed, record_reported};

pub use record::FIRST_RUN;
