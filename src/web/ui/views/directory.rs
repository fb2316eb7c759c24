//! The directory: institutions, contact windows, care groups; the public list.

use askama::Template;

use super::{Choice, Choices, Field, Hidden, PinProblem, Shell, StateLine, quiet_debug};

/// A name and what it is.
#[derive(Clone, Default)]
pub struct Fact {
    pub label: String,
    pub value: String,
    /// A number to be called.
    pub tel: bool,
    /// Written in lines of its own.
    pub long: bool,
}

impl Fact {
    /// The value as `tel:` wants it.
    #[must_use]
    pub fn number(&self) -> String {
        super::tel(&self.value)
    }
}

/// How a field is filled in.
#[derive(Clone)]
pub enum InputKind {
    /// One line; `mode` is the keyboard of a phone (`text`, `numeric`, `tel`).
    Line {
        value: String,
        mode: &'static str,
    },
    Day {
        value: String,
    },
    Text {
        value: String,
        rows: u32,
    },
    Tick {
        ticked: bool,
    },
    Select {
        options: Vec<Choice>,
        empty: String,
    },
    /// A heading above the fields that follow.
    Part,
}

/// One field of a form.
#[derive(Clone)]
pub struct Input {
    pub id: &'static str,
    pub label: String,
    pub hint: String,
    pub problem: Option<String>,
    pub kind: InputKind,
}

impl Input {
    /// What describes the field, as ids.
    pub(super) fn described(&self) -> String {
        let mut ids = Vec::new();
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.id));
        }
        if self.problem.is_some() {
            ids.push(format!("{}-problem", self.id));
        }
        ids.join(" ")
    }
}

/// A page that is one form. It posts to `action`: the names of `inputs` and `hidden`, `once`, and `pin` where
/// it is asked for.
#[derive(Template)]
#[template(path = "directory-form.html")]
pub struct DirectoryForm {
    pub shell: Shell,
    pub title: String,
    pub lead: String,
    /// Why it was not taken.
    pub notice: Option<String>,
    pub facts: Vec<Fact>,
    pub inputs: Vec<Input>,
    pub hidden: Vec<(&'static str, Hidden)>,
    pub asks_pin: bool,
    pub pin_problem: Option<PinProblem>,
    pub action: String,
    pub send: String,
    /// Without one there is no way back but the browser's.
    pub back: Option<String>,
    pub once: Hidden,
}

impl DirectoryForm {
    fn problems(&self) -> Vec<(&'static str, &str)> {
        self.inputs.iter().filter_map(|i| i.problem.as_deref().map(|problem| (i.id, problem))).collect()
    }
}

/// An institution in the list.
#[derive(Clone, Default)]
pub struct DirectoryRow {
    pub href: String,
    pub name: String,
    pub kana: String,
    pub area: String,
    pub round_the_clock: bool,
    pub closed: bool,
    /// "佐藤 健一 先生（皮膚科）".
    pub people: Vec<String>,
    pub accepts: String,
}

/// The institutions of one kind.
#[derive(Clone, Default)]
pub struct DirectoryPart {
    pub kind: String,
    pub title: String,
    pub rows: Vec<DirectoryRow>,
}

/// What the search was for.
#[derive(Clone, Default)]
pub struct Sought {
    pub q: Field,
    pub kind: Choices,
    pub area: Choices,
    /// Closed ones too.
    pub closed: bool,
}

/// `GET /directory?q=&kind=&area=&closed=yes`.
#[derive(Template)]
#[template(path = "directory.html")]
pub struct DirectoryPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub sought: Sought,
    pub parts: Vec<DirectoryPart>,
    pub count: u32,
    /// May add and change entries.
    pub enrols: bool,
    /// Sees who has not looked at their entry.
    pub office: bool,
    /// The address of the public list.
    pub public_href: String,
}

/// A person at an institution.
#[derive(Clone, Default)]
pub struct EntryPerson {
    pub name: String,
    pub roles: String,
    pub specialties: String,
    pub windows_href: Option<String>,
}

/// What the office does with an entry.
#[derive(Clone, Default)]
pub struct EntryOffice {
    pub revision: i64,
    /// "11月20日（金）10時".
    pub reviewed: String,
    pub asked: String,
    pub owner: String,
    /// Whoever may look after the entry.
    pub owners: Choices,
    pub can_ask: bool,
    pub note: String,
    pub public: bool,
    /// May change; otherwise only looks.
    pub enrols: bool,
    /// May see the bank account.
    pub bank: bool,
}

/// `GET /directory/{id}`. Posts `/directory/{id}/close|reopen|owner|ask|reviewed`: `once`, `revision`, `owner`.
#[derive(Template)]
#[template(path = "directory-entry.html")]
pub struct DirectoryEntry {
    pub shell: Shell,
    pub id: String,
    pub notice: Option<String>,
    /// Why a step was not done.
    pub problem: Option<String>,
    pub name: String,
    pub kana: String,
    pub kind: String,
    pub closed: bool,
    pub facts: Vec<Fact>,
    pub people: Vec<EntryPerson>,
    /// Name and address of its care group.
    pub group: Option<(String, String)>,
    pub office: Option<EntryOffice>,
    pub once: Hidden,
}

/// A care group in the list.
#[derive(Clone, Default)]
pub struct GroupRow {
    pub href: String,
    pub name: String,
    pub members: Vec<String>,
    pub count: u32,
}

/// `GET /directory/groups`. Posts there: `once`, `name`, `note`.
#[derive(Template)]
#[template(path = "directory-groups.html")]
pub struct GroupsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<GroupRow>,
    pub enrols: bool,
    pub inputs: Vec<Input>,
    pub once: Hidden,
}

/// An institution's time in a group.
#[derive(Clone, Default)]
pub struct GroupMember {
    pub name: String,
    pub href: String,
    pub institution: String,
    /// "2026-04-01".
    pub from: String,
    /// "2026年4月1日（水）から".
    pub time: String,
    pub now: bool,
    /// May still be given a last day.
    pub open: bool,
    pub once: Hidden,
}

/// `GET /directory/groups/{id}`. Posts there (`name`, `note`, `revision`), to `/join` (`institution`, `from`,
/// `until`) and to `/leave` (`institution`, `from`, `last_day`).
#[derive(Template)]
#[template(path = "directory-group.html")]
pub struct GroupPage {
    pub shell: Shell,
    pub id: String,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub name: String,
    pub note: String,
    pub members: Vec<GroupMember>,
    pub count: u32,
    pub enrols: bool,
    pub today: String,
    pub revision: i64,
    pub name_inputs: Vec<Input>,
    pub join_inputs: Vec<Input>,
    pub once: Hidden,
}

/// One row of the form of windows.
#[derive(Clone, Default)]
pub struct WindowRow {
    /// 1 to 12; in the names of the fields as `w1_way`.
    pub n: u32,
    pub problem: Option<String>,
    pub way: Vec<Choice>,
    /// Value, label, ticked.
    pub days: Vec<(String, String, bool)>,
    pub from: String,
    pub to: String,
    pub holidays: bool,
    pub remarks: String,
    pub public: bool,
}

/// `GET /directory/windows/{member}` and `GET /me/windows`. Posts to the same place: `year`, `revision`, `once`,
/// and for each row `wN_way`, `wN_mon` … `wN_sun`, `wN_from`, `wN_to`, `wN_holidays`, `wN_remarks`, `wN_public`.
#[derive(Template)]
#[template(path = "directory-windows-edit.html")]
pub struct WindowsForm {
    pub shell: Shell,
    pub action: String,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub person_name: String,
    /// "令和8年度".
    pub year: String,
    pub year_value: i32,
    /// The other year that can be written: its name and address.
    pub other_year: Option<(String, String)>,
    pub revision: i64,
    pub rows: Vec<WindowRow>,
    pub back: String,
    pub once: Hidden,
}

/// A window in a list.
#[derive(Clone, Default)]
pub struct WindowLine {
    pub who: String,
    pub institution: String,
    pub way: String,
    pub days: String,
    pub hours: String,
    pub remarks: String,
    pub open_now: bool,
    pub href: Option<String>,
}

/// The windows of one day of the week.
#[derive(Clone, Default)]
pub struct WeekdayPart {
    pub id: &'static str,
    pub title: String,
    pub lines: Vec<WindowLine>,
}

/// `GET /directory/windows?year=2026` and, with public windows alone, `GET /public/{code}/windows`.
#[derive(Template)]
#[template(path = "directory-windows.html")]
pub struct WindowsPage {
    pub shell: Shell,
    pub year: String,
    pub other_year: Option<(String, String)>,
    pub parts: Vec<WeekdayPart>,
    /// Doctors without windows this year, with where to write them.
    pub missing: Vec<(String, String)>,
    pub back: String,
}

/// An entry in the list of reviews.
#[derive(Clone, Default)]
pub struct ReviewRow {
    pub href: String,
    pub id: String,
    pub name: String,
    pub owner: String,
    pub state: StateLine,
    pub reviewed: String,
    pub asked: String,
    pub can_ask: bool,
    pub once: Hidden,
}

/// `GET /directory/reviews`. Posts `/directory/{id}/ask` and `/directory/{id}/reviewed`: `once`, `list`.
#[derive(Template)]
#[template(path = "directory-reviews.html")]
pub struct ReviewsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<ReviewRow>,
    /// Asked and silent, looked at, without anybody to ask.
    pub waiting: u32,
    pub good: u32,
    pub nobody: u32,
    pub enrols: bool,
}

/// One of the person's own entries.
#[derive(Clone, Default)]
pub struct OwnEntryView {
    pub id: String,
    pub revision: i64,
    pub name: String,
    pub kind: String,
    pub facts: Vec<Fact>,
    /// Looked at since it was asked for.
    pub done: bool,
}

/// Behind the mailed link. Posts `/k/entry`: `token`, `once`, `pin`, and `answer` = `right ID REVISION` or
/// `edit ID REVISION`.
#[derive(Template)]
#[template(path = "directory-own.html")]
pub struct OwnEntriesPage {
    pub shell: Shell,
    pub person_name: String,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub entries: Vec<OwnEntryView>,
    pub all_done: bool,
    pub until: String,
    pub known_device: bool,
    pub pin_problem: Option<PinProblem>,
    pub token: Hidden,
    pub once: Hidden,
}

/// An institution in the public list.
#[derive(Clone, Default)]
pub struct PublicRow {
    pub href: String,
    pub name: String,
    pub area: String,
    pub phone: String,
    pub fax: String,
    pub hours: String,
    pub address: String,
    pub accepts: String,
    pub round_the_clock: bool,
}

impl PublicRow {
    /// The number as `tel:` wants it.
    #[must_use]
    pub fn number(&self) -> String {
        super::tel(&self.phone)
    }
}

/// Public institutions of one kind.
#[derive(Clone, Default)]
pub struct PublicPart {
    pub id: String,
    pub title: String,
    pub rows: Vec<PublicRow>,
}

/// `GET /public`, `GET /public/{code}`: whom to call.
#[derive(Template)]
#[template(path = "public.html")]
pub struct PublicPage {
    pub shell: Shell,
    /// "/public/aoba".
    pub base: String,
    pub stations: Vec<PublicRow>,
    pub clinics: Vec<PublicRow>,
}

/// `GET /public/{code}/list?q=&area=` and `GET /public/{code}/print`.
#[derive(Template)]
#[template(path = "public-list.html")]
pub struct PublicList {
    pub shell: Shell,
    pub base: String,
    pub sought: Sought,
    pub parts: Vec<PublicPart>,
    pub count: u32,
}

impl PublicList {
    /// Where the search goes.
    fn place(&self) -> String {
        format!("{}/list", self.base)
    }
}

/// `GET /public/{code}/print`: the same on paper.
#[derive(Template)]
#[template(path = "public-print.html")]
pub struct PublicPrint {
    pub shell: Shell,
    pub base: String,
    pub day: String,
    pub parts: Vec<PublicPart>,
}

/// `GET /public/{code}/entries/{id}`.
#[derive(Template)]
#[template(path = "public-entry.html")]
pub struct PublicEntry {
    pub shell: Shell,
    pub base: String,
    pub id: String,
    pub name: String,
    pub kind: String,
    pub facts: Vec<Fact>,
    pub windows: Vec<WindowLine>,
    /// Has doctors of its own, so that there is somebody to reach.
    pub is_clinic: bool,
    pub open_now: bool,
    /// "いま、電話で連絡できます。", "いまは時間外です。".
    pub now: String,
    /// When the next window opens.
    pub next: Option<String>,
    pub stations: Vec<PublicRow>,
}

/// `GET /public/{code}/sheet/{id}`: 主治医連絡票, to be printed, filled in and faxed.
#[derive(Template)]
#[template(path = "public-sheet.html")]
pub struct PublicSheet {
    pub shell: Shell,
    pub base: String,
    pub id: String,
    pub day: String,
    pub name: String,
    pub phone: String,
    pub fax: String,
}

quiet_debug!(
    Fact,
    InputKind,
    Input,
    DirectoryPart,
    Sought,
    GroupRow,
    GroupMember,
    WeekdayPart,
    PublicPart,
    DirectoryForm,
    DirectoryRow,
    DirectoryPage,
    EntryPerson,
    EntryOffice,
    DirectoryEntry,
    GroupsPage,
    GroupPage,
    WindowRow,
    WindowsForm,
    WindowLine,
    WindowsPage,
    ReviewRow,
    ReviewsPage,
    OwnEntryView,
    OwnEntriesPage,
    PublicRow,
    PublicPage,
    PublicList,
    PublicPrint,
    PublicEntry,
    PublicSheet,
);
