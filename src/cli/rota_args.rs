//! What can be typed after `touban who` and `touban rota`. What it does is `rota`'s; the Japanese help stands with
//! all other help.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::At;
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
    /// Read in a rota (JSON, as `rota export` writes it) or slot patterns (TOML, as config/slots.toml)
    Import(RotaImportArgs),
    /// Write the rota with all its history into a new JSON file
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
    /// Since when the slot patterns are known, for history; now without it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub recorded_at: Option<Millis>,
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

fn role(text: &str) -> Result<RotaRole, &'static str> {
    RotaRole::from_code(text).ok_or("primary, deputy, backing")
}
