//! The rota on paper: the wall sheet, a person's slip, a clinic's notice; files taken out; links for calendars;
//! rotas and wish sheets read in.

use askama::Template;

use super::sheets::{Hidden64, MissingCharacters, Rest};
use super::{Choices, Field, Hidden, Shell, StateLine, quiet_debug};

/// A page to go to, and whether it is the one that is shown.
#[derive(Clone, Debug, Default)]
pub struct Tab {
    pub href: String,
    pub label: String,
    pub current: bool,
}

/// Who is on in a part of a cell.
#[derive(Clone, Default)]
pub struct PaperName {
    /// "〜23:00", where a slot is held in parts; else empty.
    pub hours: String,
    /// The people, or the word for nobody.
    pub text: String,
}

/// One role of a line.
#[derive(Clone, Default)]
pub struct PaperCell {
    pub names: Vec<PaperName>,
    /// ★
    pub changed: bool,
    pub gap: bool,
}

/// A slot of a day.
#[derive(Clone, Default)]
pub struct PaperLine {
    /// The day's head, in its first line: how many lines it spans.
    pub day: Option<(PaperDay, u32)>,
    pub slot: String,
    pub cells: Vec<PaperCell>,
    /// The class of the day's ground.
    pub ground: &'static str,
}

/// The head of a day.
#[derive(Clone, Default)]
pub struct PaperDay {
    /// "14"
    pub number: String,
    /// "水"
    pub weekday: String,
    /// 【日】, 【祝】, 【年末年始】 in the fax edition; else empty.
    pub box_mark: String,
    /// The name of the holiday, or empty.
    pub holiday: String,
    pub off: bool,
}

/// Half a month: a table beside another.
#[derive(Clone, Default)]
pub struct PaperBlock {
    /// The month, for who reads the page aloud.
    pub caption: String,
    pub lines: Vec<PaperLine>,
}

/// A sheet of paper.
#[derive(Clone, Default)]
pub struct PaperSheet {
    pub title: String,
    /// "第2版 8月10日 公開" and how many changes.
    pub edition: String,
    pub blocks: Vec<PaperBlock>,
    /// "平日の夜 18:00〜翌8:00"
    pub legend: Vec<String>,
    /// The class by which the lines fit the page.
    pub fit: &'static str,
}

/// `GET /rota/paper`: the wall sheet.
#[derive(Template)]
#[template(path = "paper-wall.html")]
pub struct PaperWall {
    pub shell: Shell,
    pub heading: String,
    /// Months before and after.
    pub months: Vec<Tab>,
    /// A4, A3; a month, a quarter.
    pub sizes: Vec<Tab>,
    /// In colour, for the fax.
    pub editions: Vec<Tab>,
    pub areas: Vec<Tab>,
    pub files_href: String,
    /// `a4`, `a3-month`, `a3-quarter`.
    pub paper: &'static str,
    pub fax: bool,
    pub roles: Vec<String>,
    pub sheets: Vec<PaperSheet>,
    /// Nothing is published for these days.
    pub unpublished: bool,
}

impl PaperWall {
    fn size_css(&self) -> &'static str {
        super::super::assets::asset_url(match self.paper {
            "a3-quarter" => "paper-a3-wide.css",
            "a3-month" => "paper-a3.css",
            _ => "paper-a4.css",
        })
    }
}

/// A duty on a slip or a notice.
#[derive(Clone, Default)]
pub struct PaperDuty {
    /// "10月14日（水）"
    pub day: String,
    pub hours: String,
    pub slot: String,
    pub role: String,
    /// Who is on in the other role.
    pub with: String,
    pub changed: bool,
    pub off: bool,
}

/// `GET /me/duties/paper`, `GET /rota/paper/people/{id}`: what one person holds.
#[derive(Template)]
#[template(path = "paper-slip.html")]
pub struct PaperSlip {
    pub shell: Shell,
    pub back: Tab,
    pub months: Vec<Tab>,
    pub name: String,
    pub institution: String,
    pub period: String,
    pub duties: Vec<PaperDuty>,
    pub made: String,
}

/// A day of a notice.
#[derive(Clone, Default)]
pub struct NoticeLine {
    pub day: String,
    pub hours: String,
    pub primary: String,
    pub deputy: String,
    pub off: bool,
}

/// A doctor or institution of a notice with its number.
#[derive(Clone, Default)]
pub struct NoticeNumber {
    pub institution: String,
    pub phone: String,
    pub people: String,
}

/// `GET /rota/paper/notices/{institution}`: whom a clinic's households reach when.
#[derive(Template)]
#[template(path = "paper-notice.html")]
pub struct PaperNotice {
    pub shell: Shell,
    pub back: Tab,
    pub months: Vec<Tab>,
    pub clinic: String,
    /// The clinic's own number.
    pub phone: String,
    pub period: String,
    pub numbers: Vec<NoticeNumber>,
    pub lines: Vec<NoticeLine>,
    pub made: String,
}

/// A clinic to choose a notice of, or a person to choose a slip of.
#[derive(Clone, Default)]
pub struct PaperChoice {
    pub href: String,
    pub name: String,
    pub note: String,
}

/// `GET /rota/files`, and `POST /rota/files` with what cannot be written; posts `what`, `format`, `month`,
/// `months`, `area`, `replace`.
#[derive(Template)]
#[template(path = "rota-files.html")]
pub struct RotaFiles {
    pub shell: Shell,
    pub what: Choices,
    pub formats: Choices,
    pub areas: Choices,
    pub month: Field,
    pub months: Field,
    /// "7月分の期限は5月10日（日）": when the city wants the next lists.
    pub due: Vec<String>,
    pub slips: Vec<PaperChoice>,
    pub notices: Vec<PaperChoice>,
    pub missing: Vec<MissingCharacters>,
    pub more: u32,
}

/// A link that works.
#[derive(Clone, Default)]
pub struct FeedLine {
    pub id: String,
    pub name: String,
    pub made: String,
}

/// The one time a link is shown.
#[derive(Clone)]
pub struct FeedShown {
    pub name: String,
    pub address: Hidden,
    /// The same as `webcal:`.
    pub webcal: Hidden,
    pub qr: String,
}

/// `GET /me/calendar`; posts `what` and `once`, and below it `{id}/revoke`.
#[derive(Template)]
#[template(path = "my-calendar.html")]
pub struct MyCalendar {
    pub shell: Shell,
    pub notice: Option<String>,
    pub shown: Option<FeedShown>,
    pub links: Vec<FeedLine>,
    /// What a new link may be of.
    pub what: Choices,
    pub once: Hidden,
}

/// A sheet that was read in.
#[derive(Clone)]
pub struct RotaSheetRow {
    pub href: String,
    pub at: String,
    pub kind: String,
    pub into: String,
    pub state: StateLine,
    pub result: Option<String>,
}

/// `GET /rota/sheets`; posts `target`, `file`, `sheet` as a form with a file.
#[derive(Template)]
#[template(path = "rota-sheets.html")]
pub struct RotaSheets {
    pub shell: Shell,
    /// The drafts and the rounds into which a sheet may go.
    pub targets: Choices,
    pub sheet: Field,
    pub file_problem: Option<String>,
    pub rows: Vec<RotaSheetRow>,
    pub once: Hidden,
}

/// A cell that cannot be read.
#[derive(Clone)]
pub struct RefusedPlace {
    pub place: String,
    pub value: String,
    pub reason: String,
}

/// What a sheet would put where.
#[derive(Clone)]
pub struct PlacedLine {
    pub place: String,
    pub day: String,
    pub what: String,
    pub name: String,
    /// Who stands there now, where somebody does.
    pub instead: String,
}

/// What would be done.
#[derive(Clone)]
pub struct RotaSheetPlan {
    pub readable: bool,
    /// How it was read: sheet, letters, layout, days.
    pub read: Vec<String>,
    /// Names of sheets that were not read; or empty.
    pub other_sheets: String,
    pub added: u32,
    pub changed: u32,
    pub same: u32,
    pub refused: u32,
    pub refusals: Vec<RefusedPlace>,
    pub refused_rest: Rest,
    pub changes: Vec<PlacedLine>,
    pub changes_rest: Rest,
    pub notes: Vec<RefusedPlace>,
    pub notes_rest: Rest,
    pub digest: Hidden64,
    pub may_confirm: bool,
}

/// What was done.
#[derive(Clone)]
pub struct RotaSheetDone {
    pub result: String,
    pub at: String,
    pub undo_until: Option<String>,
    pub was_undone: bool,
}

/// Where a sheet stands.
#[derive(Clone)]
pub enum RotaSheetStage {
    Waiting { plan: Box<RotaSheetPlan>, until: String },
    Done(RotaSheetDone),
    Dropped,
}

/// `GET /rota/sheets/{id}`; posts `confirm` (`plan`, `leave_out`), `stop`, `undo`.
#[derive(Template)]
#[template(path = "rota-sheet.html")]
pub struct RotaSheetPage {
    pub shell: Shell,
    pub id: String,
    pub kind: String,
    pub into: Tab,
    pub state: StateLine,
    pub made_at: String,
    pub problem: Option<String>,
    pub notice: Option<String>,
    pub stage: RotaSheetStage,
    pub once: Hidden,
}

quiet_debug!(
    PaperName,
    PaperCell,
    PaperLine,
    PaperDay,
    PaperBlock,
    PaperSheet,
    PaperWall,
    PaperDuty,
    PaperSlip,
    NoticeLine,
    NoticeNumber,
    PaperNotice,
    PaperChoice,
    RotaFiles,
    FeedLine,
    FeedShown,
    MyCalendar,
    RotaSheetRow,
    RotaSheets,
    RefusedPlace,
    PlacedLine,
    RotaSheetPlan,
    RotaSheetDone,
    RotaSheetStage,
    RotaSheetPage,
);
