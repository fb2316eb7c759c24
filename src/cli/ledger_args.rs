//! What can be typed after `touban ledger`. What it does is `ledger`'s; the Japanese help stands with all other help.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::At;
use crate::app::ledger::tables::KINDS;
use crate::domain::ledger::Month;

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show what a month is, or would be now; nothing is written
    Run(MonthArgs),
    /// Make a month as a clerk, or approve a made one as an officer: two different people
    Close(CloseArgs),
    /// Order a closed line to be taken back; it goes into the next month
    Reverse(ReverseArgs),
    /// Write the statement of one institution
    Statement(StatementArgs),
    /// Write a table of a closed month into a file
    Export(LedgerExportArgs),
    /// Check the chain of sealed lines
    Verify(At),
    /// Record new tariffs from a file; without one: show those in force
    Tariffs(TariffArgs),
}

#[derive(Debug, Args)]
pub struct MonthArgs {
    #[command(flatten)]
    pub at: At,
    /// Which month, such as 2026-05
    #[arg(long, value_name = "MONTH")]
    pub month: Month,
}

#[derive(Debug, Args)]
pub struct CloseArgs {
    #[command(flatten)]
    pub of: MonthArgs,
    /// Whose deed it is: id of a member (mem_…)
    #[arg(long, value_name = "ID")]
    pub member: String,
    /// Approve the month that was made
    #[arg(long)]
    pub approve: bool,
}

#[derive(Debug, Args)]
pub struct ReverseArgs {
    #[command(flatten)]
    pub at: At,
    /// Whose deed it is: id of a member (mem_…)
    #[arg(long, value_name = "ID")]
    pub member: String,
    /// Id of the closed line (lin_…)
    #[arg(long, value_name = "ID")]
    pub line: String,
    /// What stands instead, in whole yen
    #[arg(long, value_name = "YEN", default_value_t = 0, allow_negative_numbers = true)]
    pub instead: i64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}

#[derive(Debug, Args)]
pub struct StatementArgs {
    #[command(flatten)]
    pub of: MonthArgs,
    /// Name or id (ins_…) of the institution
    #[arg(long, value_name = "NAME")]
    pub institution: String,
}

#[derive(Debug, Args)]
pub struct LedgerExportArgs {
    /// Which table
    #[arg(value_parser = KINDS.to_vec())]
    pub table: String,
    /// Where to write; it must not exist yet
    pub file: PathBuf,
    #[command(flatten)]
    pub of: MonthArgs,
    /// xlsx, csv (UTF-8 for Excel), csv-sjis (Shift_JIS) or json
    #[arg(long, default_value = "xlsx", value_parser = ["xlsx", "csv", "csv-sjis", "json"])]
    pub format: String,
    /// Write 〓 for characters that Shift_JIS does not have
    #[arg(long)]
    pub replace: bool,
}

#[derive(Debug, Args)]
pub struct TariffArgs {
    #[command(flatten)]
    pub at: At,
    /// TOML; in force for every month that is not closed
    #[arg(long, value_name = "FILE")]
    pub tariffs: Option<PathBuf>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
}
