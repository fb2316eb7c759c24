//! Night cards: the clinic's list, the card being written, on paper, and the way to it at night.

use askama::Template;

use super::links::PinProblem;
use super::people::Fact;
use super::{Choices, Field, Hidden, Shell, StateLine, quiet_debug};

/// A patient of the clinic's list.
#[derive(Clone, Debug, Default)]
pub struct CardPatient {
    /// The card being written.
    pub href: String,
    /// The card on paper, where there is one and the reader may read it.
    pub paper: Option<String>,
    /// The sheet to be filled in by hand and faxed.
    pub sheet: String,
    pub id: String,
    pub patient: String,
    pub state: StateLine,
    pub last_visit: Option<String>,
    /// "主治医 …　副主治医 …"
    pub pair: String,
    pub attending: Choices,
    pub deputy: Choices,
}

/// Who opened a card.
#[derive(Clone, Debug, Default)]
pub struct OpenedRow {
    pub at: String,
    pub who: String,
    /// "電話 R8-0412", "緊急閲覧"
    pub via: String,
    pub patient: String,
    pub reason: String,
    /// Without having taken the call.
    pub glass: bool,
}

/// `GET /cards`, and `GET /cards/of/{clinic}` by the office. Posts to `base`/pair: `household` (or nothing: all of them),
/// `attending`, `deputy`, `once`.
#[derive(Template)]
#[template(path = "cards.html")]
pub struct CardsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub base: String,
    /// The office writes and does not read.
    pub office: bool,
    /// The association keeps no cards.
    pub off: bool,
    /// What may stand on cards, in a sentence.
    pub mode: String,
    pub clinic: String,
    pub patients: Vec<CardPatient>,
    pub attending: Choices,
    pub deputy: Choices,
    pub opened: Vec<OpenedRow>,
    pub once: Hidden,
}

/// `GET /cards/{household}`, `GET /cards/of/{clinic}/{household}`. Posts to `action`: `adl`, `surroundings`, `things`,
/// `wishes`, `wishes_on`, `wishes_by`, `medicines`, `last_visit_on`, `expect`, `once`.
#[derive(Template)]
#[template(path = "card-form.html")]
pub struct CardForm {
    pub shell: Shell,
    pub problem: Option<String>,
    pub back: String,
    pub action: String,
    pub office: bool,
    pub off: bool,
    pub mode: String,
    /// Also what needs a history.
    pub whole: bool,
    pub clinic: String,
    pub patient: String,
    pub state: StateLine,
    pub adl: Field,
    pub surroundings: Field,
    pub things: Field,
    pub wishes: Field,
    pub wishes_on: Field,
    pub wishes_by: Field,
    pub medicines: Field,
    pub last_visit_on: Field,
    pub expect: Field,
    pub once: Hidden,
}

/// `GET /cards/{household}/paper`, `GET /cards/openings/{id}`: one A4 page.
#[derive(Template)]
#[template(path = "card-paper.html")]
pub struct CardPaper {
    pub shell: Shell,
    pub back: (String, String),
    pub clinic: String,
    pub patient: String,
    pub facts: Vec<Fact>,
    pub state: StateLine,
    /// Said in large letters.
    pub old: bool,
    /// Stands where there is nothing.
    pub empty: String,
    /// That the opening was written down.
    pub opened: Option<String>,
    pub made: String,
}

/// `GET /cards/{household}/sheet`, `GET /cards/of/{clinic}/{household}/sheet`: one A4 page to be filled in by hand.
#[derive(Template)]
#[template(path = "card-sheet.html")]
pub struct CardSheet {
    pub shell: Shell,
    pub back: (String, String),
    pub clinic: String,
    pub patient: String,
    /// By which the office finds the patient again.
    pub no: String,
    /// Why there is nothing to fill in.
    pub off: Option<String>,
    /// Also what needs a history.
    pub whole: bool,
    pub made: String,
}

/// `GET /calls/{id}/cards`, `GET /covers/{id}/cards`, `GET /cards/emergency`. Posts to `action`: `pin`, `once`; in an
/// emergency `clinic` and `reason` too.
#[derive(Template)]
#[template(path = "card-door.html")]
pub struct CardDoor {
    pub shell: Shell,
    pub back: String,
    pub action: String,
    pub clinic: String,
    /// Why it does not open.
    pub shut: Option<String>,
    pub problem: Option<String>,
    /// The clinics to choose from, and the reason.
    pub emergency: Option<(Choices, Field)>,
    pub pin_problem: Option<PinProblem>,
    pub once: Hidden,
}

/// A patient behind a pass.
#[derive(Clone, Debug, Default)]
pub struct PassPatient {
    pub household: String,
    pub patient: String,
    pub has_card: bool,
    pub state: StateLine,
}

/// `GET /cards/passes/{id}`. Posts to `action`: `household`, `once`.
#[derive(Template)]
#[template(path = "card-pass.html")]
pub struct PassPage {
    pub shell: Shell,
    pub clinic: String,
    pub via: String,
    pub until: String,
    pub action: String,
    pub patients: Vec<PassPatient>,
    pub once: Hidden,
}

/// Somebody who broke the glass.
#[derive(Clone, Debug, Default)]
pub struct BrokenRow {
    pub at: String,
    pub who: String,
    pub clinic: String,
    pub reason: String,
}

/// `GET /cards/broken`
#[derive(Template)]
#[template(path = "cards-broken.html")]
pub struct BrokenPage {
    pub shell: Shell,
    pub rows: Vec<BrokenRow>,
}

quiet_debug!(CardsPage, CardForm, CardPaper, CardSheet, CardDoor, PassPage, BrokenPage);
