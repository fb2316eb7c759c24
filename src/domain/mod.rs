//! Decides. Pure: no async, no I/O, no clock, no chance, no SQL, no HTTP.

pub mod calendar;
pub mod dispatch;
pub mod ledger;
pub mod people;
