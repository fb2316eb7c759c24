//! Pages of the year of a home-care support clinic, and of conferences.

use super::directory::{Input, InputKind};
use super::*;

/// A month, or the sum of all: turns, visits, deaths, conferences.
#[derive(Clone, Debug)]
pub struct MonthRow {
    pub name: String,
    pub cells: [String; 4],
}

/// A figure that the criteria ask for.
#[derive(Clone, Debug)]
pub struct DemandRow {
    pub name: String,
    pub has: String,
    pub needs: String,
    pub state: StateLine,
}

/// The year of the clinic's group.
#[derive(Clone, Debug)]
pub struct GroupTable {
    pub name: String,
    pub institutions: String,
    pub rows: Vec<MonthRow>,
}

/// A line that the clinic wrote down.
#[derive(Clone, Debug)]
pub struct RecordRow {
    pub id: String,
    pub day: String,
    pub what: String,
}

/// `GET /records`, and `GET /records/{clinic}` by the office. Posts below `base`: `add` (the names of `inputs`),
/// `withdraw` (`record`); each with `once`.
#[derive(Template)]
#[template(path = "clinic-year.html")]
pub struct ClinicYearPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub base: String,
    pub back: String,
    pub clinic: String,
    pub month: String,
    pub month_key: String,
    pub earlier: String,
    pub later: Option<String>,
    pub demands: Vec<DemandRow>,
    pub mine: Vec<MonthRow>,
    pub group: Option<GroupTable>,
    pub inputs: Vec<Input>,
    pub lines: Vec<RecordRow>,
    /// Address and name of each file.
    pub files: Vec<(String, String)>,
    pub once: Hidden,
}

/// A conference on the list.
#[derive(Clone, Debug)]
pub struct ConferenceRow {
    pub id: String,
    pub title: String,
    pub attendees: String,
    pub counts: String,
}

/// `GET /conferences`. Posts: itself (the names of `inputs`, `attendees` for each), `withdraw` (`record`); `once`.
#[derive(Template)]
#[template(path = "conferences.html")]
pub struct ConferencesPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<ConferenceRow>,
    pub inputs: Vec<Input>,
    pub attendees: Choices,
    /// Address and name of each clinic's year.
    pub clinics: Vec<(String, String)>,
    pub once: Hidden,
}

quiet_debug!(ClinicYearPage, ConferencesPage);
