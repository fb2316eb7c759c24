//! Files that offices keep: spreadsheets and CSV, read into plain tables and written from them. What a table
//! means is `domain`.

pub mod ics;
pub mod ledger;
pub mod sheet;
pub mod transfer;
