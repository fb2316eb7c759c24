//! Sheets as bytes: XLSX and CSV.

mod csv;
mod grid;
mod read;
mod write;
mod xlsx;

#[cfg(test)]
mod rota_files;

pub use grid::{grid_csv_shift_jis, grid_csv_utf8, grid_xlsx};
pub use read::{FileRefused, LIMITS, Limits, read};
pub(super) use write::{ERA_FORMAT, guarded, kin, serial, writable};
pub use write::{Unwritable, csv_shift_jis, csv_utf8, xlsx as write_xlsx};
