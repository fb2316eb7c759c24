//! The rota: who is on, making it, wishes, changes, what it counts for, and its settings.

use askama::Template;

use super::directory::{Input, InputKind};
use super::{Hidden, Shell, quiet_debug};

/// A number of somebody on duty.
#[derive(Clone, Default)]
pub struct DutyNumber {
    /// "ご本人", "診療所".
    pub label: String,
    pub number: String,
}

impl DutyNumber {
    /// The number as `tel:` wants it.
    #[must_use]
    pub fn tel(&self) -> String {
        super::tel(&self.number)
    }
}

/// Somebody on duty.
#[derive(Clone, Default)]
pub struct DutyPerson {
    /// With title.
    pub name: String,
    pub institution: String,
    pub numbers: Vec<DutyNumber>,
}

/// A role on the board.
#[derive(Clone, Default)]
pub struct DutyCard {
    /// `primary`, `deputy`, `backing`.
    pub role: &'static str,
    pub title: String,
    /// Somebody is on, whether or not they are named.
    pub somebody: bool,
    /// Nobody for readers who see no names.
    pub people: Vec<DutyPerson>,
    pub until: Option<String>,
    /// "次：明日18時から 大野 誠 先生".
    pub next: Option<String>,
    /// Why nobody is on in hours that need somebody.
    pub gap: Option<String>,
    /// Where the office puts somebody on.
    pub fill: Option<String>,
}

/// Somebody's turn, or nobody's, in the list of days.
#[derive(Clone, Default)]
pub struct DutyTurn {
    /// "18時".
    pub from: String,
    pub who: String,
    pub empty: bool,
}

/// A day of the list.
#[derive(Clone, Default)]
pub struct DutyDay {
    pub day: String,
    pub off: bool,
    /// By role, as the heads.
    pub cells: Vec<Vec<DutyTurn>>,
}

/// Required hours that nobody holds.
#[derive(Clone, Default)]
pub struct HoleLine {
    pub hours: String,
    pub role: String,
    pub area: Option<String>,
    pub why: String,
    pub fill: Option<String>,
}

/// An area on the board.
#[derive(Clone, Default)]
pub struct DutyArea {
    /// Where there are several.
    pub name: Option<String>,
    pub cards: Vec<DutyCard>,
    pub heads: Vec<String>,
    pub days: Vec<DutyDay>,
    pub holes: Vec<HoleLine>,
    /// Wrong numbers of people, swaps that do not count any more.
    pub warnings: Vec<String>,
}

/// The moment asked for, as typed.
#[derive(Clone, Default)]
pub struct DutyChooser {
    pub day: String,
    pub time: String,
    pub known_day: String,
    pub known_time: String,
    pub problem: Option<String>,
}

/// `GET /duty` and `GET /public/{code}/duty`. With the header `HX-Request: true` answer
/// [`DutyBoard::render_live`] alone, under the name [`DutyBoard::tag`].
#[derive(Template)]
#[template(path = "duty.html", blocks = ["live"])]
pub struct DutyBoard {
    pub shell: Shell,
    /// The day that is looked at.
    pub day: String,
    /// The time that is looked at.
    pub stamp: String,
    /// As known then.
    pub known: Option<String>,
    /// Another moment than now.
    pub chosen: bool,
    /// Large, for a wall.
    pub wall: bool,
    /// The reader sees names.
    pub named: bool,
    pub path: String,
    /// Where the part that changes is asked for.
    pub live: String,
    /// The name of this state of the part that changes, as an entity tag.
    pub tag: String,
    /// The same as a JSON string.
    pub tag_json: String,
    pub areas: Vec<DutyArea>,
    /// For the office.
    pub chooser: Option<DutyChooser>,
}

impl DutyBoard {
    /// The part of the page that changes.
    #[must_use]
    pub fn render_live(&self) -> String {
        super::render(&self.as_live())
    }
}

/// A draft in the list.
#[derive(Clone, Default)]
pub struct DraftRow {
    pub href: String,
    pub name: String,
    pub period: String,
    pub area: Option<String>,
    pub made: String,
}

/// A publication in the list.
#[derive(Clone, Default)]
pub struct PublicationRow {
    pub href: String,
    pub period: String,
    pub area: Option<String>,
    pub made: String,
    pub note: String,
}

/// `GET /rota`. Posts `/rota`: `once`, `area`, `name`, `first`, `last`.
#[derive(Template)]
#[template(path = "rota.html")]
pub struct RotaIndex {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub drafts: Vec<DraftRow>,
    pub publications: Vec<PublicationRow>,
    pub inputs: Vec<Input>,
    pub once: Hidden,
}

impl RotaIndex {
    fn has_problems(&self) -> bool {
        self.inputs.iter().any(|input| input.problem.is_some())
    }
}

/// A seat in the month.
#[derive(Clone, Default)]
pub struct SeatCell {
    pub id: String,
    pub href: String,
    pub role: String,
    /// Family names; nothing when nobody sits there.
    pub who: String,
    /// Not held throughout.
    pub empty: bool,
    /// A rule is broken; whether it must hold.
    pub wrong: Option<bool>,
    pub chosen: bool,
    /// The key that leads here.
    pub letter: String,
}

/// A slot of a day.
#[derive(Clone, Default)]
pub struct SlotCell {
    pub name: String,
    pub hours: String,
    pub seats: Vec<SeatCell>,
}

/// A day of the month.
#[derive(Clone, Default)]
pub struct DayCell {
    pub number: u32,
    /// "10月9日（金）".
    pub name: String,
    pub holiday: Option<String>,
    pub off: bool,
    pub saturday: bool,
    pub slots: Vec<SlotCell>,
}

/// A broken rule.
#[derive(Clone, Default)]
pub struct ViolationLine {
    pub text: String,
    pub hard: bool,
    /// Its place in the month.
    pub href: Option<String>,
}

/// Somebody for a seat.
#[derive(Clone, Default)]
pub struct CandidateLine {
    pub id: String,
    pub name: String,
    pub institution: String,
    pub letter: String,
    pub reasons: String,
    pub against: Vec<String>,
}

/// What stands beside the month when a seat is chosen.
#[derive(Clone, Default)]
pub struct SeatPanel {
    /// As forms name it.
    pub seat: String,
    /// The id of its place.
    pub place: String,
    pub month: String,
    pub title: String,
    pub hours: String,
    pub held: Vec<String>,
    /// The id of who sits there.
    pub holds: String,
    pub wrong: Vec<String>,
    /// Best first.
    pub can: Vec<CandidateLine>,
    pub cannot: Vec<CandidateLine>,
}

/// What somebody has in a draft, in the order of names.
#[derive(Clone, Default)]
pub struct PersonLine {
    pub name: String,
    pub turns: u32,
    /// On days off.
    pub off: u32,
    pub points: String,
    pub wishes: Vec<String>,
}

/// A step of a draft's log.
#[derive(Clone, Default)]
pub struct StepLine {
    pub at: String,
    pub what: String,
    pub who: String,
    pub undone: bool,
}

/// `GET /rota/drafts/{id}`. Every form posts `once`, `revision` and `month`: `…/seat` with `seat` and `person`
/// (nobody when empty), `…/undo`, `…/redo`, `…/copy`, `…/draw`, `…/drop`.
#[derive(Template)]
#[template(path = "rota-draft.html")]
pub struct DraftPage {
    pub shell: Shell,
    /// Somebody else changed it meanwhile.
    pub stale: Option<String>,
    pub notice: Option<String>,
    pub id: String,
    pub revision: i64,
    pub name: String,
    pub area: Option<String>,
    pub period: String,
    pub month: String,
    pub month_key: String,
    /// Where and what.
    pub earlier: Option<(String, String)>,
    pub later: Option<(String, String)>,
    pub open: bool,
    /// Where what was made of it stands.
    pub published: Option<String>,
    pub empty: u32,
    pub hard: u32,
    pub soft: u32,
    pub first_empty: Option<String>,
    pub heads: Vec<String>,
    pub weeks: Vec<Vec<Option<DayCell>>>,
    pub violations: Vec<ViolationLine>,
    pub panel: Option<SeatPanel>,
    pub people: Vec<PersonLine>,
    /// Least, median, most.
    pub spread: Option<[String; 3]>,
    pub answered: u32,
    pub to_answer: u32,
    pub silent: Vec<String>,
    pub wishes_href: Option<String>,
    /// What can be taken back.
    pub undo: Option<String>,
    pub redo: Option<String>,
    /// Newest first.
    pub steps: Vec<StepLine>,
    pub has_year_end: bool,
    /// The seed and the order.
    pub lots: Option<(String, Vec<String>)>,
    pub once: Hidden,
}

impl DraftPage {
    fn spread_words(&self, least: &str, median: &str, most: &str) -> String {
        let values = [("least", least), ("median", median), ("most", most)];
        crate::i18n::t_with(self.shell.lang, "rota-spread", &values)
    }

    fn answered_words(&self) -> String {
        let (n, of) = (self.answered.to_string(), self.to_answer.to_string());
        crate::i18n::t_with(self.shell.lang, "rota-answered", &[("n", &n), ("of", &of)])
    }
}

/// A seat that filling leaves empty.
#[derive(Clone, Default)]
pub struct EmptyLine {
    pub seat: String,
    pub href: String,
    /// By person.
    pub why: Vec<String>,
}

/// `GET /rota/drafts/{id}/fill`. Posts the same: `once`, `revision`.
#[derive(Template)]
#[template(path = "rota-fill.html")]
pub struct FillPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub revision: i64,
    pub count: u32,
    pub adds: Vec<String>,
    pub empty: Vec<EmptyLine>,
    /// The distance between the most and the fewest points.
    pub before: String,
    pub after: String,
    pub open: bool,
    pub once: Hidden,
}

impl FillPage {
    fn range_words(&self) -> String {
        let values = [("before", self.before.as_str()), ("after", self.after.as_str())];
        crate::i18n::t_with(self.shell.lang, "rota-fill-range", &values)
    }
}

/// What changes when a draft is published.
#[derive(Clone, Default)]
pub struct ChangeLine {
    pub hours: String,
    pub role: String,
    pub before: String,
    pub after: String,
}

/// Whom it concerns.
#[derive(Clone, Default)]
pub struct ConcernedLine {
    pub name: String,
    pub channel: String,
    pub changes: u32,
}

/// `GET /rota/drafts/{id}/publish`. Posts the same: `once`, `revision`, `note`, `accept`.
#[derive(Template)]
#[template(path = "rota-publish.html")]
pub struct PublishPage {
    pub shell: Shell,
    pub id: String,
    pub revision: i64,
    pub name: String,
    pub period: String,
    pub open: bool,
    pub problem: Option<String>,
    pub refused: Vec<String>,
    pub hard: Vec<ViolationLine>,
    pub empty: Vec<String>,
    pub changes: Vec<ChangeLine>,
    pub change_count: u32,
    pub told: Vec<ConcernedLine>,
    pub note: String,
    pub once: Hidden,
}

/// `GET /rota/publications/{id}`
#[derive(Template)]
#[template(path = "rota-publication.html")]
pub struct PublicationPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub period: String,
    pub area: Option<String>,
    pub made: String,
    pub note: String,
    pub duties: Vec<String>,
}

/// A change by the office. Posts `/rota/changes/{id}/withdraw`: `once`.
#[derive(Clone, Default)]
pub struct OverrideRow {
    pub id: String,
    pub hours: String,
    pub role: String,
    pub area: Option<String>,
    pub who: String,
    pub made: String,
    pub reason: String,
    pub withdrawn: Option<String>,
    pub once: Hidden,
}

/// `GET /rota/changes`. Posts the same: `once` and the names of `inputs`.
#[derive(Template)]
#[template(path = "rota-changes.html")]
pub struct ChangesPage {
    pub shell: Shell,
    pub notice: Option<String>,
    /// What the rules say against what was just done.
    pub against: Vec<String>,
    pub problem: Option<String>,
    pub rows: Vec<OverrideRow>,
    pub inputs: Vec<Input>,
    pub once: Hidden,
}

/// `GET /rota/holes`
#[derive(Template)]
#[template(path = "rota-holes.html")]
pub struct HolesPage {
    pub shell: Shell,
    pub first: String,
    pub last: String,
    pub problem: Option<String>,
    pub holes: Vec<HoleLine>,
}

/// What somebody did in a fiscal year, in the order of names.
#[derive(Clone, Default)]
pub struct CountLine {
    pub name: String,
    pub turns: u32,
    pub points: String,
    pub share: String,
    pub carried: String,
    pub target: String,
}

/// An institution's continuous 24-hour turns of a month.
#[derive(Clone, Default)]
pub struct TurnLine {
    pub institution: String,
    pub done: u32,
    pub planned: u32,
    pub target: u32,
    pub short: bool,
}

/// Somebody's days of a year.
#[derive(Clone, Default)]
pub struct YearLine {
    pub name: String,
    /// Their duties on paper.
    pub href: String,
    /// April first: "3日正 14日副".
    pub months: Vec<String>,
}

/// `GET /rota/year`
#[derive(Template)]
#[template(path = "rota-year.html")]
pub struct YearPage {
    pub shell: Shell,
    pub year: String,
    pub earlier: String,
    pub later: String,
    /// April first.
    pub months: Vec<String>,
    /// The wall sheet of each month.
    pub month_hrefs: Vec<String>,
    pub people: Vec<YearLine>,
}

/// `GET /rota/counts`. Posts `/rota/counts/close`: `once`, `year`.
#[derive(Template)]
#[template(path = "rota-counts.html")]
pub struct CountsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub year: String,
    pub year_key: i32,
    pub earlier: String,
    pub later: String,
    pub people: Vec<CountLine>,
    /// Least, median, most.
    pub spread: Option<[String; 3]>,
    pub month: String,
    pub turns: Vec<TurnLine>,
    /// The year is over.
    pub may_close: bool,
    pub once: Hidden,
}

impl CountsPage {
    fn spread_words(&self, least: &str, median: &str, most: &str) -> String {
        let values = [("least", least), ("median", median), ("most", most)];
        crate::i18n::t_with(self.shell.lang, "rota-spread", &values)
    }
}

/// `GET /rota/settings`. Posts the same: `once`, `version`, and the names of `inputs`.
#[derive(Template)]
#[template(path = "rota-settings.html")]
pub struct RotaSettingsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub version: i64,
    pub inputs: Vec<Input>,
    pub once: Hidden,
}

/// `GET /rota/settings/slots`. Posts the same: `once`, `body`.
#[derive(Template)]
#[template(path = "rota-slots.html")]
pub struct SlotsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub edition: String,
    pub body: String,
    /// By line: "12行目：…".
    pub wrong: Vec<String>,
    pub once: Hidden,
}

quiet_debug!(
    YearLine,
    YearPage,
    DutyNumber,
    DutyPerson,
    DutyCard,
    DutyTurn,
    DutyDay,
    HoleLine,
    DutyArea,
    DutyChooser,
    DutyBoard,
    DraftRow,
    PublicationRow,
    RotaIndex,
    SeatCell,
    SlotCell,
    DayCell,
    ViolationLine,
    CandidateLine,
    SeatPanel,
    PersonLine,
    StepLine,
    DraftPage,
    EmptyLine,
    FillPage,
    ChangeLine,
    ConcernedLine,
    PublishPage,
    PublicationPage,
    OverrideRow,
    ChangesPage,
    HolesPage,
    CountLine,
    TurnLine,
    CountsPage,
    RotaSettingsPage,
    SlotsPage,
);
