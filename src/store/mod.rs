//! Remembers. The only room with SQL; one text for SQLite and PostgreSQL.
//!
//! A write is an owned, re-runnable [`Command`] given to [`Db::run`]; nothing else can begin a transaction.
//! Every statement is a constant in [`statements!`] and is prepared on both databases by a test.

pub mod access;
pub mod audit;
pub mod calendar;
pub mod call;
pub mod cards;
pub mod clinic_records;
pub mod cover;
pub mod credentials;
pub mod db;
pub mod directory;
pub mod dispatch;
pub mod enrolment;
pub mod feeds;
pub mod households;
pub mod jobs;
pub mod ledger;
pub mod migrate;
pub mod people;
pub mod phone_changes;
pub mod pillars;
pub mod requests;
pub mod retention;
pub mod rota;
pub mod rota_sheets;
pub mod row;
pub mod secrets;
pub mod settings;
pub mod sheets;
pub mod swaps;
pub mod tonight;
pub mod transfers;

pub use db::{Command, Conn, Db, DbSettings, Faults, Statement, StoreError};
pub use row::{Row, Value};

/// Declares statements: `NAME = "text";`, or `NAME = "sqlite text", "postgres text";` where they differ.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sqlite:expr $(, $postgres:expr)?;)*) => {
        $($(#[$doc])* const $name: $crate::store::Statement = $crate::store::Statement {
            name: stringify!($name),
            sqlite: $sqlite,
            postgres: statements!(@second $sqlite $(, $postgres)?),
        };)*
        /// For the test that prepares every statement on both databases.
        pub(in crate::store) const ALL: &[&$crate::store::Statement] = &[$(&$name),*];
    };
    (@second $sqlite:expr, $postgres:expr) => { $postgres };
    (@second $sqlite:expr) => { $sqlite };
}
pub(crate) use statements;

/// Every statement of the program.
#[must_use]
pub fn all_statements() -> Vec<&'static Statement> {
    let mut all = [
        access::ALL,
        audit::ALL,
        calendar::ALL,
        call::ALL,
        call::orders::ALL,
        call::reports::ALL,
        credentials::ALL,
        directory::ALL,
        dispatch::ALL,
        enrolment::ALL,
        feeds::ALL,
        jobs::ALL,
        people::ALL,
        pillars::ALL,
        phone_changes::ALL,
        requests::ALL,
        retention::ALL,
        rota_sheets::ALL,
        secrets::ALL,
        settings::ALL,
        sheets::ALL,
        swaps::ALL,
        cards::ALL,
        cover::ALL,
        households::ALL,
        clinic_records::ALL,
        tonight::ALL,
        transfers::ALL,
    ]
    .concat();
    all.extend(ledger::statements());
    all.extend(rota::statements());
    all
}
