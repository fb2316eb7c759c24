//! Sheets as bytes: XLSX and CSV.

mod csv;
mod read;
mod write;
mod xlsx;

pub use read::{FileRefused, LIMITS, Limits, read};
pub(super) use write::{ERA_FORMAT, guarded, kin, serial, writable};
pub use write::{Unwritable, csv_shift_jis, csv_utf8, xlsx as write_xlsx};
