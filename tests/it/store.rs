//! The store's contract: the same cases on a SQLite file and on a real PostgreSQL. What the office does with
//! it stands in the other tests.

mod audit;
mod ground;
mod jobs;
mod keys;
mod migrations;
mod requests;
mod statements;
mod transactions;
