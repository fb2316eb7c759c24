//! What would be done with each row of a sheet, and why a row cannot be taken.

use serde::{Deserialize, Serialize};

use super::{Column, InstitutionDraft, Kind, MemberDraft, WindowsDraft, unsaid};
use crate::ids::InstitutionId;

/// Where a member works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionOf {
    #[default]
    None,
    There(InstitutionId),
    /// The n-th of [`Plan::new_institutions`].
    New(usize),
}

/// Why a cell cannot be taken. The words are `sheet-reason-CODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Missing,
    /// Longer than the field takes.
    TooLong,
    /// Control characters or a form that cannot be used.
    NotText,
    /// No such kind, role, specialty.
    NotAChoice,
    NotAPhone,
    /// More than one number in one cell.
    TwoPhones,
    NotAnAddress,
    NotACode,
    NotAPostcode,
    NotADay,
    NotADayOfTheWeek,
    NotAnHour,
    NotANumber,
    /// Neither ○ nor ×.
    NotAMark,
    NotAWay,
    NotAnArea,
    /// A new institution needs its area.
    AreaNeeded,
    /// Office roles are not given by a sheet.
    OfficeRole,
    /// Several people or institutions fit; a number or a code would decide.
    Ambiguous,
    /// The number or the code belongs to somebody else.
    Taken,
    /// The same person or institution stands in an earlier row.
    Twice,
    /// Somebody of another name uses this address.
    OtherName,
    /// The institution of this row cannot be made.
    NoInstitution,
    /// The list is of a year that is long past or far ahead.
    OtherYear,
    /// Another row about the same doctor cannot be taken.
    RowBeside,
    /// More than a doctor may have.
    TooMany,
}

impl Reason {
    pub const ALL: [Self; 26] = [
        Self::Missing,
        Self::TooLong,
        Self::NotText,
        Self::NotAChoice,
        Self::NotAPhone,
        Self::TwoPhones,
        Self::NotAnAddress,
        Self::NotACode,
        Self::NotAPostcode,
        Self::NotADay,
        Self::NotADayOfTheWeek,
        Self::NotAnHour,
        Self::NotANumber,
        Self::NotAMark,
        Self::NotAWay,
        Self::NotAnArea,
        Self::AreaNeeded,
        Self::OfficeRole,
        Self::Ambiguous,
        Self::Taken,
        Self::Twice,
        Self::OtherName,
        Self::NoInstitution,
        Self::OtherYear,
        Self::RowBeside,
        Self::TooMany,
    ];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong => "too_long",
            Self::NotText => "not_text",
            Self::NotAChoice => "not_a_choice",
            Self::NotAPhone => "not_a_phone",
            Self::TwoPhones => "two_phones",
            Self::NotAnAddress => "not_an_address",
            Self::NotACode => "not_a_code",
            Self::NotAPostcode => "not_a_postcode",
            Self::NotADay => "not_a_day",
            Self::NotADayOfTheWeek => "not_a_weekday",
            Self::NotAnHour => "not_an_hour",
            Self::NotANumber => "not_a_number",
            Self::NotAMark => "not_a_mark",
            Self::NotAWay => "not_a_way",
            Self::NotAnArea => "not_an_area",
            Self::AreaNeeded => "area_needed",
            Self::OfficeRole => "office_role",
            Self::Ambiguous => "ambiguous",
            Self::Taken => "taken",
            Self::Twice => "twice",
            Self::OtherName => "other_name",
            Self::NoInstitution => "no_institution",
            Self::OtherYear => "other_year",
            Self::RowBeside => "row_beside",
            Self::TooMany => "too_many",
        }
    }
}

/// One cell that cannot be taken.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CellProblem {
    /// `None`: the row as a whole.
    pub column: Option<Column>,
    pub value: String,
    pub reason: Reason,
}

/// What was done to a cell or a row on the way, for the clerk to look at. The words are `sheet-note-CODE`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A spreadsheet had dropped the leading 0; it was put in front.
    ZeroPut(Column, String),
    /// What stands in the sheet is not used: 内線, A会員.
    NotUsed(Column, String),
    /// Their institution has another name here.
    OtherInstitutionName(String),
    /// The kind of a new institution was guessed from its name.
    KindGuessed(String),
    /// They are known by this number under another name.
    NameChanges(String),
    /// An institution that was closed is opened again.
    NewInstitution(String),
}

impl Note {
    /// The stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ZeroPut(..) => "zero_put",
            Self::NotUsed(..) => "not_used",
            Self::OtherInstitutionName(_) => "other_institution_name",
            Self::KindGuessed(_) => "kind_guessed",
            Self::NameChanges(_) => "name_changes",
            Self::NewInstitution(_) => "new_institution",
        }
    }

    /// The column it is about, and the text it names.
    #[must_use]
    pub fn about(&self) -> (Option<Column>, &str) {
        match self {
            Self::ZeroPut(column, text) | Self::NotUsed(column, text) => (Some(*column), text),
            Self::OtherInstitutionName(text)
            | Self::KindGuessed(text)
            | Self::NameChanges(text)
            | Self::NewInstitution(text) => (None, text),
        }
    }
}

/// A field that changes. Texts are codes where the field has codes; the pages say them in words.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    pub column: Column,
    /// In words of a language, so not part of what a plan is known by.
    #[serde(skip)]
    pub old: String,
    #[serde(skip)]
    pub new: String,
}

/// What a row becomes.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Member(Box<MemberDraft>),
    Institution(Box<InstitutionDraft>),
    Windows(Box<WindowsDraft>),
}

/// What would be done with a row.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Add(Target),
    Change {
        /// The stored id of the member or institution.
        id: String,
        revision: i64,
        to: Target,
        diffs: Vec<Diff>,
    },
    Same,
    Refused(Vec<CellProblem>),
}

/// A row of the sheet.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PlannedRow {
    /// Its number in the file.
    pub row: u32,
    /// The name that stands in it.
    pub label: String,
    pub outcome: Outcome,
    pub notes: Vec<Note>,
}

/// A column of the sheet, and what it was understood as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub header: String,
    /// `None`: not understood, or said twice.
    pub column: Option<Column>,
}

/// A new institution that rows of members need.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct NewHouse {
    /// The first row that names it.
    pub row: u32,
    pub draft: InstitutionDraft,
}

/// What would be done with a sheet.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub kind: Kind,
    /// The fiscal year that a yearly list is of.
    pub year: Option<i32>,
    /// `None`: no row with names of columns was found; nothing can be taken.
    pub heading: Option<u32>,
    pub columns: Vec<Seen>,
    pub new_institutions: Vec<NewHouse>,
    pub rows: Vec<PlannedRow>,
    /// Rows that are none: titles above, notes below, headers repeated.
    pub passed_over: Vec<u32>,
}

unsaid!(CellProblem, Note, Diff, Target, Outcome, PlannedRow, NewHouse, Plan);

/// How many rows end how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub added: u32,
    pub changed: u32,
    pub same: u32,
    pub refused: u32,
    pub new_institutions: u32,
}

impl Plan {
    /// A plan for a sheet in which no header was found.
    #[must_use]
    pub const fn unreadable(kind: Kind) -> Self {
        Self {
            kind,
            year: None,
            heading: None,
            columns: Vec::new(),
            new_institutions: Vec::new(),
            rows: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            new_institutions: u32::try_from(self.new_institutions.len()).unwrap_or(u32::MAX),
            ..Counts::default()
        };
        for row in &self.rows {
            let count = match row.outcome {
                Outcome::Add(_) => &mut counts.added,
                Outcome::Change { .. } => &mut counts.changed,
                Outcome::Same => &mut counts.same,
                Outcome::Refused(_) => &mut counts.refused,
            };
            *count += 1;
        }
        counts
    }

    /// Whether applying it would write anything.
    #[must_use]
    pub fn changes_something(&self) -> bool {
        let counts = self.counts();
        counts.added + counts.changed > 0
    }

    /// Takes out the new institutions that no accepted row needs any more.
    pub(super) fn drop_unused_houses(&mut self) {
        let count = self.new_institutions.len();
        let mut used = vec![false; count];
        for row in &self.rows {
            if let Outcome::Add(Target::Member(draft)) | Outcome::Change { to: Target::Member(draft), .. } =
                &row.outcome
                && let InstitutionOf::New(n) = draft.institution
                && let Some(flag) = used.get_mut(n)
            {
                *flag = true;
            }
        }
        let mut next = 0;
        let renumbered: Vec<Option<usize>> = used
            .iter()
            .map(|used| {
                used.then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let mut at = 0;
        self.new_institutions.retain(|_| {
            at += 1;
            used.get(at - 1).copied().unwrap_or(false)
        });
        for row in &mut self.rows {
            if let Outcome::Add(Target::Member(draft)) | Outcome::Change { to: Target::Member(draft), .. } =
                &mut row.outcome
                && let InstitutionOf::New(n) = &mut draft.institution
                && let Some(Some(new)) = renumbered.get(*n)
            {
                *n = *new;
            }
        }
    }

    /// Refuses a row after the fact.
    pub fn refuse(&mut self, at: usize, problem: CellProblem) {
        if let Some(row) = self.rows.get_mut(at) {
            match &mut row.outcome {
                Outcome::Refused(problems) => problems.push(problem),
                other => *other = Outcome::Refused(vec![problem]),
            }
        }
    }

    /// To be called after rows were refused: what only they needed is not made.
    pub fn settle(&mut self) {
        self.drop_unused_houses();
    }
}
