//! Wishes for the rota: collections, who has answered, somebody's sheet.

use askama::Template;

use super::directory::{Input, InputKind};
use super::{Choice, Field, Hidden, PinProblem, Shell, quiet_debug};

/// A collection of wishes in a list.
#[derive(Clone, Default)]
pub struct RoundRow {
    pub href: String,
    pub period: String,
    pub state: String,
    pub open: bool,
}

/// `GET /rota/wishes`. Posts the same: `once`, `first`, `last`, `deadline`, `time`.
#[derive(Template)]
#[template(path = "rota-wishes.html")]
pub struct RoundsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub rows: Vec<RoundRow>,
    pub inputs: Vec<Input>,
    pub once: Hidden,
}

/// Somebody who is asked for wishes.
#[derive(Clone, Default)]
pub struct AskedLine {
    pub name: String,
    pub href: String,
    pub answered: Option<String>,
    pub asked: Option<String>,
    /// Days and stretches on the sheet.
    pub days: u32,
    pub note: String,
}

/// `GET /rota/wishes/{id}`. Posts `…/until`: `once`, `deadline`, `do` (`move` or `close`).
#[derive(Template)]
#[template(path = "rota-round.html")]
pub struct RoundPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub id: String,
    pub period: String,
    pub state: String,
    pub open: bool,
    pub silent: u32,
    /// Those who have not answered first.
    pub people: Vec<AskedLine>,
    pub deadline: Field,
    pub once: Hidden,
}

impl RoundPage {
    const fn is_awaited(&self) -> bool {
        self.silent > 0
    }
}

/// A day of a sheet.
#[derive(Clone, Default)]
pub struct WishDay {
    /// "2026-10-01".
    pub key: String,
    pub name: String,
    pub off: bool,
    pub holiday: Option<String>,
    /// `no`, `off`, `off-much`, `on`, `on-much`, or nothing.
    pub wished: &'static str,
}

/// A month of a sheet.
#[derive(Clone, Default)]
pub struct WishMonth {
    pub name: String,
    pub days: Vec<WishDay>,
}

/// Somebody's sheet of wishes. Posts `action`: `once`, `d-DAY` for each day, `phone_only`, `no_deep_night`, `most`,
/// `apart` (several), `note`, and `source` where the office types.
#[derive(Template)]
#[template(path = "wish-sheet.html")]
pub struct SheetPage {
    pub shell: Shell,
    pub banner: Option<String>,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub action: String,
    pub back: String,
    pub period: String,
    pub state: String,
    pub may_write: bool,
    pub answered: Option<String>,
    pub months: Vec<WishMonth>,
    pub phone_only: bool,
    pub no_deep_night: bool,
    pub most: String,
    pub people: Vec<Choice>,
    pub note: String,
    pub by_office: bool,
    /// Behind the link of a mail: its token, whether the PIN is asked for, and what is wrong with it.
    pub link: Option<SheetLink>,
    pub once: Hidden,
}

/// What a sheet behind a link needs beside.
#[derive(Clone, Default)]
pub struct SheetLink {
    pub token: Hidden,
    pub person_name: String,
    pub asks_pin: bool,
    pub pin_problem: Option<PinProblem>,
}

impl SheetPage {
    /// What can be wished for a day: the value and the key of its words.
    fn wishes(&self) -> [(&'static str, &'static str); 6] {
        [
            ("", "wishes-any"),
            ("no", "wishes-no"),
            ("off", "wishes-off"),
            ("off-much", "wishes-off-much"),
            ("on", "wishes-on"),
            ("on-much", "wishes-on-much"),
        ]
    }
}

/// `GET /me/wishes`: each collection with the words of how one stands.
#[derive(Template)]
#[template(path = "my-wishes.html")]
pub struct OwnRounds {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<(RoundRow, String)>,
}

quiet_debug!(RoundRow, RoundsPage, AskedLine, RoundPage, WishDay, WishMonth, SheetLink, SheetPage, OwnRounds);
