//! Files read in and taken out: members, institutions, contact windows.

use askama::Template;

use super::{Choices, Field, Hidden, Shell, StateLine, quiet_debug};

/// A sheet that was read in.
#[derive(Clone)]
pub struct RunRow {
    pub href: String,
    pub at: String,
    pub kind: String,
    pub state: StateLine,
    pub result: Option<String>,
}

/// `GET /sheets`.
#[derive(Template)]
#[template(path = "sheets.html")]
pub struct Sheets {
    pub shell: Shell,
    pub runs: Vec<RunRow>,
}

/// An empty sheet to begin with.
#[derive(Clone)]
pub struct TemplateLink {
    pub href: String,
    pub name: String,
}

/// `GET /sheets/import`; posts `kind`, `file`, `sheet` as a form with a file.
#[derive(Template)]
#[template(path = "sheet-import.html")]
pub struct SheetImport {
    pub shell: Shell,
    pub kinds: Choices,
    pub sheet: Field,
    pub file_problem: Option<String>,
    pub templates: Vec<TemplateLink>,
    pub once: Hidden,
}

/// The name of a plan; it says nothing by itself, but is nobody's to read.
#[derive(Clone, Default)]
pub struct Hidden64(pub String);

impl std::fmt::Display for Hidden64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A cell that cannot be taken.
#[derive(Clone)]
pub struct RefusedCell {
    pub row: String,
    pub name: String,
    pub column: String,
    pub value: String,
    pub reason: String,
}

/// A field that changes.
#[derive(Clone)]
pub struct Change {
    pub column: String,
    pub old: String,
    pub new: String,
}

/// A row that is added or changed.
#[derive(Clone)]
pub struct ChangedRow {
    pub row: String,
    pub name: String,
    /// For an added one: what will stand there.
    pub summary: String,
    /// For a changed one.
    pub changes: Vec<Change>,
}

/// What was put right on the way.
#[derive(Clone)]
pub struct NotedRow {
    pub row: String,
    pub name: String,
    pub text: String,
}

/// How many rows a table does not show.
#[derive(Clone, Copy, Default)]
pub struct Rest(pub u32);

/// What would be done.
#[derive(Clone)]
pub struct RunPlan {
    pub has_heading: bool,
    /// The text that counts what is added or changed: rows, or doctors.
    pub counted: &'static str,
    pub added: u32,
    pub changed: u32,
    pub same: u32,
    pub refused: u32,
    pub new_institutions: u32,
    /// How the file was read, in sentences.
    pub read: Vec<String>,
    pub unknown_columns: Vec<String>,
    pub refusals: Vec<RefusedCell>,
    pub refused_rest: Rest,
    pub added_rows: Vec<ChangedRow>,
    pub added_rest: Rest,
    pub changed_rows: Vec<ChangedRow>,
    pub changed_rest: Rest,
    pub notes: Vec<NotedRow>,
    pub notes_rest: Rest,
    pub digest: Hidden64,
    pub may_confirm: bool,
}

/// What was done.
#[derive(Clone)]
pub struct RunDone {
    pub result: String,
    pub at: String,
    /// `None`: it cannot be undone any more.
    pub undo_until: Option<String>,
    pub was_undone: bool,
}

/// Where a run stands.
#[derive(Clone)]
pub enum SheetRunView {
    Waiting { plan: Box<RunPlan>, until: String },
    Done(RunDone),
    Dropped,
}

/// `GET /sheets/runs/{id}`; posts `/confirm` (`plan`, `leave_out`), `/stop`, `/undo`.
#[derive(Template)]
#[template(path = "sheet-run.html")]
pub struct RunPage {
    pub shell: Shell,
    pub id: String,
    pub kind: String,
    pub state: StateLine,
    pub made_at: String,
    pub problem: Option<String>,
    pub notice: Option<String>,
    pub stage: SheetRunView,
    pub once: Hidden,
}

/// A cell that Shift_JIS cannot hold.
#[derive(Clone)]
pub struct MissingCharacters {
    pub row: String,
    pub column: String,
    pub text: String,
    pub characters: String,
}

/// `GET /sheets/export`; posts `kind`, `format`, `replace`.
#[derive(Template)]
#[template(path = "sheet-export.html")]
pub struct SheetExport {
    pub shell: Shell,
    pub kind: String,
    pub kinds: Choices,
    pub formats: Choices,
    pub missing: Vec<MissingCharacters>,
    pub more: u32,
}

quiet_debug!(
    RunRow,
    Sheets,
    TemplateLink,
    SheetImport,
    Hidden64,
    RefusedCell,
    Change,
    ChangedRow,
    NotedRow,
    Rest,
    RunPlan,
    RunDone,
    SheetRunView,
    RunPage,
    MissingCharacters,
    SheetExport
);
