//! Pages of the pillars, and of the own rota of one.

use super::directory::{Fact, Input, InputKind};
use super::*;

/// A pillar among the others.
#[derive(Clone, Debug, Default)]
pub struct PillarRow {
    pub href: String,
    pub name: String,
    pub kind: String,
    pub state: StateLine,
    /// From when until when; nothing signed: `None`.
    pub contract: Option<String>,
    pub rota: String,
}

/// `GET /settings/pillars`
#[derive(Template)]
#[template(path = "pillars.html")]
pub struct PillarsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<PillarRow>,
    /// Address and name of institutions that may stand by.
    pub others: Vec<(String, String)>,
}

/// `GET /settings/pillars/{institution}`. Posts to itself: the names of `inputs`, `revision`; to `remove`: `revision`.
#[derive(Template)]
#[template(path = "pillar.html")]
pub struct PillarPage {
    pub shell: Shell,
    /// As tariffs name it.
    pub id: String,
    pub name: String,
    pub problem: Option<String>,
    pub revision: i64,
    pub action: String,
    pub inputs: Vec<Input>,
    /// The tariffs for what it takes; none: empty.
    pub tariffs: Fact,
    /// Where its own rota is, and where it is taken out: once it is a pillar.
    pub rota: Option<String>,
    pub remove: Option<String>,
}

/// A line of a pillar's rota.
#[derive(Clone, Debug, Default)]
pub struct PillarDutyRow {
    pub id: String,
    pub hours: String,
    pub person: String,
}

/// `GET /pillar`, and `GET /pillar/{institution}` by the office. Posts below `base`: `add` (the names of `inputs`),
/// `withdraw` (`duty`); each with `once`.
#[derive(Template)]
#[template(path = "pillar-rota.html")]
pub struct PillarRotaPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub base: String,
    pub back: Option<String>,
    pub name: String,
    /// The institution stands by; otherwise the page says that it does not.
    pub pillar: bool,
    /// Who is rung where nothing is written.
    pub otherwise: String,
    pub inputs: Vec<Input>,
    pub rows: Vec<PillarDutyRow>,
    pub once: Hidden,
}

quiet_debug!(PillarsPage, PillarPage, PillarRotaPage);
