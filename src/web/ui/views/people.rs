//! The people as the office sees them, and what each sees of themselves: devices, PINs, reachability.

use askama::Template;

use super::links::PinProblem;
use super::{Choice, Choices, ConsultRow, Field, Hidden, Shell, StateLine, quiet_debug};

/// A way to narrow a list.
#[derive(Clone, Debug, Default)]
pub struct FilterLink {
    pub label: String,
    pub href: String,
    pub current: bool,
}

/// A person in the list.
#[derive(Clone, Default)]
pub struct PersonLine {
    pub href: String,
    /// With title.
    pub name: String,
    pub kana: String,
    pub member_no: String,
    pub institution: String,
    /// "在宅医・協力医".
    pub roles: String,
    pub mail: StateLine,
    /// When they left.
    pub left: Option<String>,
}

/// `GET /people`, and `POST /people` with `q`: what is looked for stands in no address.
#[derive(Template)]
#[template(path = "people-list.html")]
pub struct PeopleList {
    pub shell: Shell,
    pub notice: Option<String>,
    pub query: String,
    pub filters: Vec<FilterLink>,
    pub rows: Vec<PersonLine>,
    pub count: String,
    pub previous_href: Option<String>,
    pub next_href: Option<String>,
    pub may_enrol: bool,
}

/// A name and what it is.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// A known device of a person.
#[derive(Clone, Debug, Default)]
pub struct DeviceLine {
    pub id: String,
    /// "iPhone の Safari".
    pub name: String,
    pub since: String,
    pub used: String,
    /// The one the page is shown on.
    pub is_this: bool,
}

/// One test mail and what came of it.
#[derive(Clone, Debug, Default)]
pub struct TestLine {
    pub asked: String,
    pub state: StateLine,
}

/// `GET /people/{id}`. Posts below it: `test`, `ring`, `unlock`, `devices/{device}/revoke`; each with `once`.
#[derive(Template)]
#[template(path = "people-person.html")]
pub struct PersonPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub id: String,
    pub name: String,
    pub kana: String,
    pub facts: Vec<Fact>,
    pub phone: Option<PhoneWaiting>,
    pub volunteers: Vec<String>,
    pub mail: StateLine,
    /// What makes the address hard to reach.
    pub mail_note: Option<String>,
    /// What the office should do next, one sentence.
    pub next: String,
    pub phone_state: StateLine,
    pub tests: Vec<TestLine>,
    pub pin: StateLine,
    pub pin_locked: bool,
    pub sheet: String,
    pub devices: Vec<DeviceLine>,
    pub left: Option<String>,
    pub may_enrol: bool,
    /// May set this person's PIN and let them leave: for people of the office that is another right.
    pub may_reset: bool,
    pub may_test: bool,
    /// A test call can be made.
    pub may_ring: bool,
    pub may_behalf: bool,
    pub once: Hidden,
}

/// A changed number that waits for a call back.
#[derive(Clone, Debug)]
pub struct PhoneWaiting {
    /// Empty: the old number is to go.
    pub new: String,
    pub asked: String,
    /// How the ring at the new number stands, once the office has called back.
    pub ring: Option<StateLine>,
    /// The number in force, and the institution's.
    pub old: Option<String>,
    pub clinic: Option<String>,
}

/// What somebody volunteers for, as a block of the form; its fields begin with `s` and its number.
#[derive(Clone, Default)]
pub struct OfferBlock {
    pub number: u32,
    pub legend: String,
    pub specialty: Choices,
    pub mode: Choices,
    pub areas: Choices,
    pub days: Choices,
    pub from: Field,
    pub to: Field,
    pub cap: Field,
}

/// `GET /people/new` and `GET /people/{id}/edit`; posts to its own path. Fields: `name`, `kana`,
/// `member_no`, `institution`, `role` (several), `email`, `phone`, `fax`, `way1` to `way3`, `phone_only`,
/// `no_deep_night`, `exempt`, `max_per_month`, `s1_specialty` …, `lang`, `note`, `revision`.
#[derive(Template)]
#[template(path = "people-form.html")]
pub struct PersonForm {
    pub shell: Shell,
    pub notice: Option<String>,
    pub is_new: bool,
    pub back: String,
    pub revision: i64,
    pub name: Field,
    pub kana: Field,
    pub member_no: Field,
    pub institution: Choices,
    pub roles: Choices,
    /// Roles that are given elsewhere, "事務局".
    pub office_roles: Option<String>,
    pub email: Field,
    pub phone: Field,
    pub fax: Field,
    pub ways: Vec<(String, String, Choices)>,
    pub duty: Choices,
    pub max_per_month: Field,
    pub offers: Vec<OfferBlock>,
    pub lang: Choices,
    pub note: Field,
    /// The ids of wrong fields, with what is wrong.
    pub problems: Vec<(String, String)>,
    pub once: Hidden,
}

/// `GET /people/{id}/leave`. Posts to itself: `sure` (`yes`), `once`.
#[derive(Template)]
#[template(path = "people-leave.html")]
pub struct LeavePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub ends: Vec<String>,
    /// What they still carry.
    pub cases: Vec<ConsultRow>,
    pub problem: Option<String>,
    pub once: Hidden,
}

/// Before sheets are made: for one (`GET /people/{id}/sheet`) or several. Posts `/people/sheets`: `member`
/// (several), `once`.
#[derive(Template)]
#[template(path = "people-sheet-start.html")]
pub struct SheetStart {
    pub shell: Shell,
    pub notice: Option<String>,
    pub back: String,
    /// Id, name, whether they have a PIN now.
    pub people: Vec<(String, String, bool)>,
    pub once: Hidden,
}

/// One sheet of paper.
#[derive(Clone, Default)]
pub struct SheetPaper {
    pub name: String,
    pub institution: String,
    /// Four digits.
    pub pin: Hidden,
}

/// The sheets, shown once.
#[derive(Template)]
#[template(path = "people-sheets.html")]
pub struct SheetsPage {
    pub shell: Shell,
    pub sheets: Vec<SheetPaper>,
    /// Where the QR code leads.
    pub address: String,
    /// An image as a `data:` address.
    pub qr: String,
    pub made: String,
}

/// A person on the board of readiness.
#[derive(Clone, Default)]
pub struct ReadyLine {
    pub id: String,
    pub href: String,
    pub name: String,
    pub institution: String,
    pub pin: StateLine,
    pub sheet: StateLine,
    pub device: StateLine,
    pub mail: StateLine,
    pub mail_note: Option<String>,
    pub phone: StateLine,
    pub next: String,
    /// Nothing is left to do.
    pub done: bool,
}

/// `GET /people/readiness`. Posts to itself: `member` (several), `do` (`sheets` or `tests`), `once`.
#[derive(Template)]
#[template(path = "people-readiness.html")]
pub struct ReadinessPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub counts: Vec<Fact>,
    pub filters: Vec<FilterLink>,
    pub rows: Vec<ReadyLine>,
    pub unreached: Vec<ReadyLine>,
    pub may_enrol: bool,
    pub once: Hidden,
}

/// `GET /me`. Posts below it: `devices/{device}/revoke`, `devices/others`, `pin` (`old`, `new`, `again`),
/// `ways` (`way1` to `way3`, `revision`), `test`, `ring`.
#[derive(Template)]
#[template(path = "people-me.html")]
pub struct MePage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub name: String,
    pub facts: Vec<Fact>,
    pub mail: StateLine,
    pub may_test: bool,
    pub phone_state: StateLine,
    pub may_ring: bool,
    pub devices: Vec<DeviceLine>,
    pub pin_set: bool,
    pub pin_old: Option<String>,
    pub pin_new: Option<String>,
    pub pin_again: Option<String>,
    pub ways: Vec<(String, String, Choices)>,
    pub revision: i64,
    pub once: Hidden,
}

/// A shared device in the office's list.
#[derive(Clone, Debug, Default)]
pub struct StationLine {
    pub id: String,
    pub name: String,
    pub institution: String,
    pub state: StateLine,
    pub detail: String,
    /// Its paper can still be printed.
    pub may_print: bool,
}

/// `GET /people/stations`, with `?institution=` the form for one. Posts to itself: `institution`, `name`,
/// `receiver`, `by` (`paper` or `mail`), `once`; and `/people/stations/{id}/revoke`.
#[derive(Template)]
#[template(path = "people-stations.html")]
pub struct StationsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub stations: Vec<StationLine>,
    /// Institutions that can have one, as links to their form.
    pub institutions: Vec<FilterLink>,
    pub form: Option<StationForm>,
    pub may_enrol: bool,
    pub once: Hidden,
}

/// The form that invites a device of one institution.
#[derive(Clone, Default)]
pub struct StationForm {
    pub institution_id: String,
    pub institution: String,
    pub name: Field,
    pub receiver: Choices,
    pub by: Choices,
}

/// `GET /people/stations/{id}`: the paper.
#[derive(Template)]
#[template(path = "people-station-sheet.html")]
pub struct StationPaper {
    pub shell: Shell,
    pub institution: String,
    pub device: String,
    pub receiver: String,
    pub address: String,
    pub code: Hidden,
    pub qr: String,
    pub until: String,
}

/// Behind the link that enrols a shared device. Posts `/k/station`: `token`, `member`, `pin`, `once`.
#[derive(Template)]
#[template(path = "link-station.html")]
pub struct LinkStation {
    pub shell: Shell,
    pub institution: String,
    pub device: String,
    pub member: Choices,
    pub pin_problem: Option<PinProblem>,
    pub token: Hidden,
    pub once: Hidden,
}

/// `GET /sign-in` on a shared device. Posts `/sign-in/station`: `member`, `pin`, `once`.
#[derive(Template)]
#[template(path = "station-sign-in.html")]
pub struct StationSignIn {
    pub shell: Shell,
    pub institution: String,
    pub notice: Option<String>,
    pub member: Choices,
    pub pin_problem: Option<PinProblem>,
    pub once: Hidden,
}

/// Behind the link of a test mail. Posts `/k/arrived`: `token`, `arrived` (`yes`).
#[derive(Template)]
#[template(path = "link-arrived.html")]
pub struct LinkArrived {
    pub shell: Shell,
    pub person_name: String,
    pub confirmed: bool,
    pub token: Hidden,
}

/// An offer that can be answered in somebody's name.
#[derive(Clone, Debug, Default)]
pub struct BehalfOffer {
    pub id: String,
    pub case_no: String,
    pub specialty: String,
    pub area: String,
    pub answer_by: String,
    pub state: StateLine,
    pub may_visit: bool,
    /// About a duty of the rota.
    pub duty: bool,
}

/// Something they took and have not reported.
#[derive(Clone, Debug, Default)]
pub struct BehalfTaken {
    pub id: String,
    pub case_no: String,
    pub specialty: String,
    pub answer_by: String,
}

/// `GET /people/{id}/for`. Posts `/people/{id}/for/offers/{offer}`: `answer` (`accept_advice`,
/// `accept_visit`, `decline`), `channel` (`phone`, `fax`), `once`.
#[derive(Template)]
#[template(path = "people-for.html")]
pub struct BehalfPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub id: String,
    pub name: String,
    pub may_ask: bool,
    pub offers: Vec<BehalfOffer>,
    pub taken: Vec<BehalfTaken>,
    /// The offer whose form had no channel.
    pub problem: Option<(String, String)>,
    pub once: Hidden,
}

/// `GET /people/{id}/for/cases/{request}`: what a taker told the office. Posts to itself: `channel`,
/// `assessment`, `do_now`, `follow_up`, `refer_when`, `minutes`, `once`.
#[derive(Template)]
#[template(path = "people-for-answer.html")]
pub struct BehalfAnswer {
    pub shell: Shell,
    pub id: String,
    pub request: String,
    pub banner: String,
    pub case_no: String,
    pub channel: Choices,
    pub form: super::AnswerForm,
    pub once: Hidden,
}

/// The two ways in which somebody tells the office.
#[must_use]
pub fn channels(lang: crate::i18n::Lang, chosen: &str, problem: Option<String>) -> Choices {
    let option = |code: &str| Choice {
        value: code.to_owned(),
        label: crate::i18n::t(lang, &format!("word-channel-{code}")),
        note: None,
        chosen: code == chosen,
    };
    Choices { options: ["phone", "fax"].map(option).into(), problem }
}

quiet_debug!(
    PersonLine,
    PeopleList,
    PersonPage,
    OfferBlock,
    PersonForm,
    LeavePage,
    SheetStart,
    SheetPaper,
    SheetsPage,
    ReadyLine,
    ReadinessPage,
    MePage,
    StationsPage,
    StationForm,
    StationPaper,
    LinkStation,
    StationSignIn,
    LinkArrived,
    BehalfPage,
    BehalfAnswer,
);
