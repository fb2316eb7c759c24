//! touban (当番): the night rota, consults, urgent calls and the subsidy ledger of a district medical
//! association.
//!
//! The map of rooms: `domain` decides, `app` arranges, `store` remembers, `durable` does it later,
//! `ports` speaks to the outside, `export` reads and writes files of offices, `web` and `cli` listen, `sim`
//! pretends, `seal` keeps secrets.
//! `tests/it/architecture.rs` holds the arrows between them.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod durable;
pub mod export;
pub mod i18n;
pub mod ids;
pub mod money;
pub mod planted;
pub mod ports;
pub mod seal;
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod web;
