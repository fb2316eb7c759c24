//! One's own duties, asking for a change of them, and what becomes of it.

use askama::Template;

use super::links::PinProblem;
use super::people::Fact;
use super::{AskedPerson, Choices, Field, Hidden, Shell, StateLine, TimelineItem, quiet_debug};

/// A duty to come, or one that is on.
#[derive(Clone, Debug, Default)]
pub struct DutyRow {
    /// "11月21日（土）18時〜22日（日）9時".
    pub hours: String,
    /// "正".
    pub role: String,
    /// Where the association has several.
    pub area: Option<String>,
    /// It came to them after publishing.
    pub changed: bool,
    pub on_now: bool,
    /// What is being asked about it, and its page.
    pub open: Option<(String, String)>,
    /// Where to ask for a change; `None` where it cannot be given away.
    pub ask_href: Option<String>,
    pub ill_href: String,
}

/// A request about a duty in a list.
#[derive(Clone, Debug, Default)]
pub struct SwapRow {
    pub href: String,
    pub case_no: String,
    /// "譲渡".
    pub form: String,
    pub hours: String,
    pub who: String,
    pub state: StateLine,
    /// What the reader has to do.
    pub to_do: Option<String>,
}

/// `GET /duties`, and `GET /people/{id}/for/duties` by the office in somebody's name.
#[derive(Template)]
#[template(path = "duties.html")]
pub struct DutiesPage {
    pub shell: Shell,
    pub notice: Option<String>,
    /// In whose name, and the way back.
    pub banner: Option<(String, String)>,
    pub rows: Vec<DutyRow>,
    pub requests: Vec<SwapRow>,
    /// The reader's institution stands by: it has a rota of its own.
    pub pillar: bool,
    /// When the reader is reminded; the office types it for nobody.
    pub reminders: Option<RemindersBox>,
}

/// When somebody is reminded of their duties. Posts `remind_eve` (18:00), `remind_start` (minutes), `reset`, `once` to
/// `/me/reminders`.
#[derive(Clone, Debug, Default)]
pub struct RemindersBox {
    pub eve: Field,
    pub start: Field,
    /// They chose themselves.
    pub own: bool,
    pub once: Hidden,
}

/// `GET /duties/{area}/{role}/{from}`. Posts to itself: `form` (`give`, `exchange`, `pool`, `cover`), `other`,
/// `takes`, `part` (`whole`, `part`), `from`, `to` (18:00), `note`, `channel` (by the office), `once`.
#[derive(Template)]
#[template(path = "swap-ask.html")]
pub struct SwapAskPage {
    pub shell: Shell,
    pub banner: Option<String>,
    pub action: String,
    pub back: String,
    pub facts: Vec<Fact>,
    pub form: Choices,
    pub other: Choices,
    pub takes: Choices,
    pub part: Choices,
    pub from: Field,
    pub to: Field,
    pub note: Field,
    /// How it came to the office.
    pub channel: Option<Choices>,
    pub late: bool,
    pub problem: Option<String>,
    pub once: Hidden,
}

/// `GET /duties/{area}/{role}/{from}/ill`. Posts to itself: `channel` (by the office), `once`.
#[derive(Template)]
#[template(path = "swap-ill.html")]
pub struct SwapIllPage {
    pub shell: Shell,
    pub banner: Option<String>,
    pub action: String,
    pub back: String,
    pub facts: Vec<Fact>,
    /// The deputy moves up.
    pub primary: bool,
    /// It has begun: it cannot be undone.
    pub begun: bool,
    pub channel: Option<Choices>,
    pub problem: Option<String>,
    pub once: Hidden,
}

/// The answer to `POST /k/open` for an offer about a duty. Posts `/k/answer`: `token`, `once`, `answer`
/// (`accept_duty`, `decline`), `gives` and `takes` (what the page showed, in an exchange), `pin`, `remember`.
#[derive(Template)]
#[template(path = "link-swap.html")]
pub struct LinkSwap {
    pub shell: Shell,
    pub person_name: String,
    /// "当番の引き受けのお願い".
    pub title: String,
    /// What a yes means, in a sentence.
    pub meaning: String,
    /// What the button says.
    pub accept: String,
    pub case_no: String,
    pub facts: Vec<Fact>,
    pub note: String,
    pub answer_by: String,
    pub late: bool,
    pub gives: String,
    pub takes: String,
    pub known_device: bool,
    pub pin_problem: Option<PinProblem>,
    pub remember: bool,
    pub token: Hidden,
    pub once: Hidden,
}

/// What a signed-in reader is asked, with the PIN as proof.
#[derive(Clone, Debug, Default)]
pub struct SwapAnswer {
    /// What is asked, "当番の引き受けのお願い".
    pub title: String,
    pub meaning: String,
    /// What the button says.
    pub accept: String,
    pub gives: String,
    pub takes: String,
    pub pin_problem: Option<PinProblem>,
}

/// `GET /swaps/{id}`. Posts below it: `answer` (`answer`, `pin`, `gives`, `takes`), `withdraw`, `undo`, `confirm`;
/// each with `once`.
#[derive(Template)]
#[template(path = "swap.html")]
pub struct SwapPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub id: String,
    pub back: (String, String),
    pub case_no: String,
    pub title: String,
    pub state: StateLine,
    /// What comes next, or what became of it, in a sentence.
    pub next: String,
    pub facts: Vec<Fact>,
    pub note: String,
    pub answer: Option<SwapAnswer>,
    /// Who was asked and what they answered; for the office and the asker.
    pub asked: Vec<AskedPerson>,
    pub timeline: Vec<TimelineItem>,
    /// The office confirms it by telephone: what stands there now.
    pub phone: Option<StateLine>,
    pub may_confirm: bool,
    pub may_withdraw: bool,
    pub may_undo: bool,
    /// Whose yes is undone when it is the office that does it.
    pub undo: Choices,
    pub once: Hidden,
}

/// Hours that nobody holds. Posts `/swaps/holes`: `area`, `role`, `from`, `to` (as given), `once`.
#[derive(Clone, Debug, Default)]
pub struct HoleRow {
    pub hours: String,
    pub role: String,
    pub area: Option<String>,
    pub area_key: String,
    pub role_code: String,
    pub from: String,
    pub to: String,
    /// The request that calls for it.
    pub called: Option<String>,
    pub once: Hidden,
}

/// `GET /swaps`: the office's list.
#[derive(Template)]
#[template(path = "swaps.html")]
pub struct SwapsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub holes: Vec<HoleRow>,
    pub open: Vec<SwapRow>,
    pub agreed: Vec<SwapRow>,
    pub ended: Vec<SwapRow>,
}

quiet_debug!(DutiesPage, SwapAskPage, SwapIllPage, LinkSwap, SwapPage, SwapsPage);
