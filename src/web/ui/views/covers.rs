//! Night cover: asking for it, what becomes of it slot by slot, the sheet for the fax.

use askama::Template;

use super::links::PinProblem;
use super::people::Fact;
use super::{AskedPerson, Choices, Field, Hidden, Shell, StateLine, TimelineItem, quiet_debug};

/// A cover in a list.
#[derive(Clone, Debug, Default)]
pub struct CoverRow {
    pub href: String,
    pub case_no: String,
    pub hours: String,
    /// Whose patients.
    pub who: String,
    pub state: StateLine,
    /// "4枠のうち3枠".
    pub filled: String,
    /// What the reader has to do.
    pub to_do: Option<String>,
}

/// `GET /covers`
#[derive(Template)]
#[template(path = "covers.html")]
pub struct CoversPage {
    pub shell: Shell,
    pub notice: Option<String>,
    /// The reader may ask for cover.
    pub may_ask: bool,
    /// The reader is of the office: sees the settings and finds a case by its number.
    pub office: bool,
    pub find: Field,
    pub open: Vec<CoverRow>,
    pub ended: Vec<CoverRow>,
}

/// `GET /covers/new`, and `GET /people/{id}/for/cover` by the office. Posts to `action`: `from_date`, `from_time`,
/// `to_date`, `to_time`, `scope` (`all`, `some`), `patients` (a line each), `manner`, `note`, `channel` (by the
/// office), `once`.
#[derive(Template)]
#[template(path = "cover-ask.html")]
pub struct CoverAskPage {
    pub shell: Shell,
    /// Who is asked first, in a sentence.
    pub deputies: Option<String>,
    pub banner: Option<String>,
    pub action: String,
    pub back: String,
    pub problem: Option<String>,
    pub from_date: Field,
    pub from_time: Field,
    pub to_date: Field,
    pub to_time: Field,
    pub scope: Choices,
    pub patients: Field,
    pub manner: Choices,
    pub note: Field,
    pub channel: Option<Choices>,
    /// The sheet to be filled in by hand.
    pub sheet_href: Option<String>,
    pub once: Hidden,
}

/// One slot of a cover.
#[derive(Clone, Debug, Default)]
pub struct SlotBar {
    pub hours: String,
    pub state: StateLine,
    /// Who covers it, with the number of their institution where the reader may know.
    pub who: String,
    /// "当番", "手挙げ".
    pub as_what: String,
    pub case_no: String,
    /// What was told of it.
    pub told: Vec<String>,
}

/// A pillar beside a cover.
#[derive(Clone, Debug, Default)]
pub struct PillarBox {
    pub kind: String,
    pub name: String,
    pub state: StateLine,
    /// Whose households stand in its way, where the reader may know; and how many they are.
    pub untold: Vec<String>,
    pub untold_count: Option<String>,
    /// The clinic has not said that its list is whole.
    pub list_open: bool,
}

/// A call of the clinic while it was covered.
#[derive(Clone, Debug, Default)]
pub struct CoverCallRow {
    pub at: String,
    pub case_no: String,
    pub href: Option<String>,
    pub who: String,
    pub outcome: String,
}

/// What somebody is asked, with the PIN as proof; by the office, in whose name and how it came.
#[derive(Clone, Debug, Default)]
pub struct CoverAnswerBox {
    pub slots: Choices,
    pub pin_problem: Option<PinProblem>,
}

/// What the office types in for others.
#[derive(Clone, Debug, Default)]
pub struct CoverForBox {
    /// Who was asked and has not answered.
    pub people: Choices,
    pub slots: Choices,
    pub channel: Choices,
}

/// What a taker tells of a slot.
#[derive(Clone, Debug, Default)]
pub struct CoverReportBox {
    pub slots: Choices,
    pub outcome: Choices,
    pub calls: Field,
    pub visits: Field,
    pub minutes: Field,
    pub text: Field,
    /// By the office: how it came.
    pub channel: Option<Choices>,
}

/// `GET /covers/{id}`. Posts below it: `answer` (`slot`…, `answer`, `pin`), `answer-for` (`member`, `slot`…, `answer`,
/// `channel`), `give-back` (`slot`), `report` (`slot`, `outcome`, `calls`, `visits`, `minutes`, `text`, `channel`),
/// `confirm`, `withdraw` (`reason`); each with `once`.
#[derive(Template)]
#[template(path = "cover.html")]
pub struct CoverPage {
    pub shell: Shell,
    /// Who is asked first, in a sentence.
    pub deputies: Option<String>,
    /// For whoever covers the clinic now: to the night cards.
    pub cards: Option<String>,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub id: String,
    pub back: (String, String),
    pub case_no: String,
    pub state: StateLine,
    /// What comes next, or what became of it, in a sentence.
    pub next: String,
    pub facts: Vec<Fact>,
    pub slots: Vec<SlotBar>,
    /// For the asker and the office.
    pub pillars: Vec<PillarBox>,
    /// The clinic's list of households and the notice for them.
    pub households: Option<(String, String)>,
    pub answer: Option<CoverAnswerBox>,
    pub for_others: Option<CoverForBox>,
    pub report: Option<CoverReportBox>,
    /// Slots the reader may give back.
    pub give_back: Choices,
    pub may_confirm: bool,
    pub calls: Vec<CoverCallRow>,
    pub may_withdraw: bool,
    pub reason: Field,
    pub asked: Vec<(String, Vec<AskedPerson>)>,
    pub timeline: Vec<TimelineItem>,
    pub sheet_href: Option<String>,
    pub once: Hidden,
}

/// The answer to `POST /k/open` for an offer of a cover. Posts `/k/cover`: `token`, `once`, `slot`…, `answer`
/// (`accept`, `decline`), `pin`, `remember`.
#[derive(Template)]
#[template(path = "link-cover.html")]
pub struct LinkCover {
    pub shell: Shell,
    pub person_name: String,
    pub case_no: String,
    /// What is asked, in a sentence.
    pub meaning: String,
    pub problem: Option<String>,
    pub facts: Vec<Fact>,
    pub slots: Choices,
    pub known_device: bool,
    pub pin_problem: Option<PinProblem>,
    pub remember: bool,
    pub token: Hidden,
    pub once: Hidden,
}

/// `GET /covers/{id}/sheet` and `GET /people/{id}/for/cover/sheet`: one A4 page for the fax.
#[derive(Template)]
#[template(path = "cover-sheet.html")]
pub struct CoverSheet {
    pub shell: Shell,
    pub back: (String, String),
    /// "夜間代行のお願い" or "夜間代行のお返事".
    pub title: String,
    pub institution: String,
    pub doctor: String,
    /// The case number and its two check digits; `None`: not asked yet.
    pub case_no: Option<(String, String)>,
    /// Hours, who, and whether it is settled.
    pub slots: Vec<(String, String, String)>,
    /// What is ticked or written by hand.
    pub manners: Vec<String>,
    pub outcomes: Vec<String>,
    pub made: String,
}

/// A slot on the notice for households. Not settled yet: all but the hours are empty.
#[derive(Clone, Debug, Default)]
pub struct NoticeSlot {
    pub hours: String,
    pub place: String,
    pub person: String,
    pub phone: String,
}

/// `GET /covers/{id}/notice`: one A4 page for the households: who covers when, whom to telephone.
#[derive(Template)]
#[template(path = "cover-notice.html")]
pub struct CoverNotice {
    pub shell: Shell,
    pub back: String,
    pub clinic: String,
    pub doctor: String,
    /// Of the clinic itself; unknown: empty.
    pub phone: String,
    pub slots: Vec<NoticeSlot>,
    pub made: String,
}

/// `GET /covers/settings`. Posts to itself: `at_once`, `month`, `summary` (7:00), `check` (16:00 or nothing),
/// `revision`, `once`.
#[derive(Template)]
#[template(path = "cover-settings.html")]
pub struct CoverSettingsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub at_once: Field,
    pub month: Field,
    pub summary: Field,
    pub check: Field,
    /// How much of patients may stand on night cards.
    pub cards: Choices,
    pub revision: String,
    pub once: Hidden,
}

/// Somebody of tonight's chain.
#[derive(Clone, Debug, Default)]
pub struct TonightRow {
    pub name: String,
    pub institution: String,
    pub state: StateLine,
}

/// `GET /tonight`: the last round of tonight's check.
#[derive(Template)]
#[template(path = "tonight.html")]
pub struct TonightView {
    pub shell: Shell,
    /// When it was; `None`: never.
    pub when: Option<String>,
    pub holes: String,
    pub has_holes: bool,
    pub rows: Vec<TonightRow>,
}

/// The answer to `POST /k/open` for tonight's check. Posts `/k/answer`: `token`, `once`, `answer` (`accept_check`,
/// `decline`), `pin`, `remember`.
#[derive(Template)]
#[template(path = "link-tonight.html")]
pub struct LinkTonight {
    pub shell: Shell,
    pub person_name: String,
    pub known_device: bool,
    pub pin_problem: Option<PinProblem>,
    pub remember: bool,
    pub token: Hidden,
    pub once: Hidden,
}

quiet_debug!(
    TonightView,
    LinkTonight,
    CoversPage,
    CoverAskPage,
    CoverPage,
    LinkCover,
    CoverSheet,
    CoverNotice,
    CoverSettingsPage
);

/// What a household was told of one pillar, or of the members' cover.
#[derive(Clone, Debug, Default)]
pub struct ToldCell {
    /// The id of its institution; `members`.
    pub pillar: String,
    pub title: String,
    pub state: StateLine,
}

/// A household of the list.
#[derive(Clone, Debug, Default)]
pub struct HouseholdRow {
    pub id: String,
    pub patient: String,
    pub told: Vec<ToldCell>,
}

/// `GET /households`, and `GET /households/{clinic}` by the office. Posts below `base`: `add` (`patient`), `told`
/// (`household`, or `all` of which nothing is written, `pillar`, `day`, `answer` = `told`, `refused`), `end` (`household`), `whole` (`whole` = `yes`, `no`);
/// each with `once`.
#[derive(Template)]
#[template(path = "households.html")]
pub struct HouseholdsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub base: String,
    pub clinic: String,
    /// Each pillar, and whether calls for this clinic may ring it.
    pub pillars: Vec<(String, StateLine)>,
    pub whole: Option<String>,
    /// Of what a household is told: id and name.
    pub told_of: Vec<(String, String)>,
    pub patient: Field,
    pub day: Field,
    pub rows: Vec<HouseholdRow>,
    pub once: Hidden,
}

/// A pillar on the notice for a household.
#[derive(Clone, Debug, Default)]
pub struct NoticePillar {
    /// Its name and telephone number.
    pub name: String,
    pub phone: String,
    pub kind: String,
    /// Who answers for it (担当者); nobody named: empty.
    pub people: String,
    pub hours: String,
    pub contract: String,
}

/// `GET /households/notice`, `GET /households/{clinic}/notice`: one A4 page for a household.
#[derive(Template)]
#[template(path = "household-notice.html")]
pub struct HouseholdNotice {
    pub shell: Shell,
    pub back: String,
    pub clinic: String,
    pub pillars: Vec<NoticePillar>,
    pub made: String,
}

quiet_debug!(HouseholdsPage, HouseholdNotice);
