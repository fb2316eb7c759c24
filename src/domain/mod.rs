//! Decides. Pure: no async, no I/O, no clock, no chance, no SQL, no HTTP.

pub mod calendar;
pub mod call;
pub mod clinic_records;
pub mod consult;
pub mod contact;
pub mod cover;
pub mod dispatch;
pub mod ledger;
pub mod people;
pub mod retention;
pub mod rota;
pub mod totals;
pub mod transfer;
