//! What can be typed after `touban who` and `touban rota`. What it does is `rota`'s; the Japanese help stands with
//! all other help.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::At;
use crate::app::rota::sheets::Target;
use crate::domain::calendar::CivilDate;
use crate::domain::rota::{Area, RotaRole};
use crate::time::Millis;

#[derive(Debug, Args)]
pub struct WhoArgs {
    #[command(flatten)]
    pub at: At,
    /// The moment asked about (2026-12-10T23:00:00+09:00); now without it
    #[arg(long = "at", value_name = "TIME", value_parser = instant)]
    pub moment: Option<Millis>,
    /// As it was known at this moment; as known now without it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub as_of: Option<Millis>,
    /// Key of the area; every area without it
    #[arg(long = "area", value_name = "KEY")]
    pub duty_area: Option<Area>,
    /// primary, deputy or backing; each of them without it
    #[arg(long = "role", value_name = "ROLE", value_parser = role)]
    pub duty_role: Option<RotaRole>,
}

#[derive(Debug, Subcommand)]
pub enum RotaCommand {
    /// Read in a rota (JSON, as `rota export` writes it), slot patterns (TOML, as config/slots.toml), or a rota or
    /// wish sheet that an office keeps (.xlsx, .csv)
    Import(RotaImportArgs),
    /// Write the rota with all its history into a new JSON file, or some days of it as a list or a calendar
    Export(RotaExportArgs),
    /// Look for holes, clashes and breaches of the rules
    Check(RotaCheckArgs),
    /// Publish a draft
    Publish(RotaPublishArgs),
    /// Fill the empty seats of a draft, or of a new one
    Fill(RotaFillArgs),
}

#[derive(Debug, Args)]
pub struct RotaImportArgs {
    #[command(flatten)]
    pub at: At,
    /// The file
    #[arg(value_name = "FILE")]
    pub rota_file: PathBuf,
    /// Since when the slot patterns, or the published rota of a sheet, are known, for history
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub recorded_at: Option<Millis>,
    /// Where a sheet goes: draft:ID or round:ID, as its page names them
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub into: Option<Target>,
    /// Begin a draft of this name for a sheet
    #[arg(long, value_name = "NAME")]
    pub new_draft: Option<String>,
    /// First day of a new draft, or of history, out of a sheet
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub first: Option<CivilDate>,
    /// Last day of it
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub last: Option<CivilDate>,
    /// Key of the area of a sheet; the first one of the settings without it
    #[arg(long = "area", value_name = "KEY")]
    pub duty_area: Option<Area>,
    /// Sheet of the workbook; the first with anything in it without this
    #[arg(long, value_name = "NAME", default_value = "")]
    pub sheet: String,
    /// Say what a sheet would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Leave out the cells that cannot be read; otherwise such a sheet is not taken at all
    #[arg(long)]
    pub leave_out: bool,
}

#[derive(Debug, Args)]
pub struct RotaExportArgs {
    #[command(flatten)]
    pub at: At,
    /// The file; it must not be there yet
    #[arg(value_name = "FILE")]
    pub rota_file: PathBuf,
    /// Only what decides who is on from this day on
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub since: Option<CivilDate>,
    /// json (all of it), xlsx, csv (UTF-8 for Excel), csv-sjis (Shift_JIS) or ics (a calendar)
    #[arg(long, default_value = "json", value_parser = ["json", "xlsx", "csv", "csv-sjis", "ics"])]
    pub format: String,
    /// First day of a list or calendar
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub first: Option<CivilDate>,
    /// Last day of it
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub last: Option<CivilDate>,
    /// Key of its area; the first one of the settings without it
    #[arg(long = "area", value_name = "KEY")]
    pub duty_area: Option<Area>,
    /// One role of a calendar; all of them without it
    #[arg(long = "role", value_name = "ROLE", value_parser = role)]
    pub duty_role: Option<RotaRole>,
    /// The city's list: institutions with their numbers
    #[arg(long)]
    pub city: bool,
    /// Write 〓 for characters that Shift_JIS does not have
    #[arg(long)]
    pub replace: bool,
}

#[derive(Debug, Args)]
pub struct RotaCheckArgs {
    #[command(flatten)]
    pub at: At,
    /// The draft (drf_…); what is published without it
    #[arg(long, value_name = "ID", conflicts_with_all = ["first", "last"])]
    pub draft: Option<String>,
    /// First day; today without it
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub first: Option<CivilDate>,
    /// Last day; 90 days later without it
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub last: Option<CivilDate>,
}

#[derive(Debug, Args)]
pub struct RotaPublishArgs {
    #[command(flatten)]
    pub at: At,
    /// The draft (drf_…)
    #[arg(long, value_name = "ID")]
    pub draft: String,
    /// Publish even where rules are broken; overlaps are refused always
    #[arg(long)]
    pub accept_breaches: bool,
}

#[derive(Debug, Args)]
pub struct RotaFillArgs {
    #[command(flatten)]
    pub at: At,
    /// The draft (drf_…); a new one without it
    #[arg(long, value_name = "ID", conflicts_with_all = ["first", "last", "duty_area"])]
    pub draft: Option<String>,
    /// First day of the new draft
    #[arg(long, value_name = "DAY", value_parser = day, required_unless_present = "draft")]
    pub first: Option<CivilDate>,
    /// Last day of the new draft
    #[arg(long, value_name = "DAY", value_parser = day, required_unless_present = "draft")]
    pub last: Option<CivilDate>,
    /// Key of the area of the new draft; the first one of the settings without it
    #[arg(long = "area", value_name = "KEY")]
    pub duty_area: Option<Area>,
}

fn instant(text: &str) -> Result<Millis, &'static str> {
    Millis::parse_rfc3339(text).ok_or("2026-12-10T23:00:00+09:00")
}

fn day(text: &str) -> Result<CivilDate, String> {
    text.parse().map_err(|e: crate::domain::calendar::NotADate| e.to_string())
}

fn target(text: &str) -> Result<Target, &'static str> {
    Target::from_code(text).ok_or("draft:ID, round:ID")
}

fn role(text: &str) -> Result<RotaRole, &'static str> {
    RotaRole::from_code(text).ok_or("primary, deputy, backing")
}
