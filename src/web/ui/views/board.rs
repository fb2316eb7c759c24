//! The coordinator's board: every open request, who was asked, and what happens next.

use askama::Template;

use super::consults::{Responsible, TimelineItem};
use super::{Hidden, Shell, StateLine, quiet_debug};

/// Something a person must see. Posts `/board/alarms/{id}/seen`: `once`.
#[derive(Clone, Default)]
pub struct Alarm {
    pub id: String,
    pub at: String,
    pub text: String,
    /// The request it is about.
    pub href: Option<String>,
    pub once: Hidden,
}

/// One person asked.
#[derive(Clone, Default)]
pub struct AskedPerson {
    pub name: String,
    pub at: String,
    /// "メール送信済み", "メールが届きません".
    pub how: StateLine,
    /// "返事待ち", "お断り（日程）", "引き受け".
    pub answer: StateLine,
}

/// One open request.
#[derive(Clone, Default)]
pub struct BoardRow {
    pub href: String,
    pub case_no: String,
    pub specialty: String,
    pub area: String,
    pub state: StateLine,
    pub answer_by: String,
    pub asked: Vec<AskedPerson>,
    /// "12:20 に次の3名へ"; `None` when nothing happens by itself any more.
    pub next: Option<String>,
}

/// `GET /board`. With the header `HX-Request: true` answer [`Board::render_live`] alone: the same block of the
/// same template, asked for every 20 seconds.
#[derive(Template)]
#[template(path = "board.html", blocks = ["live"])]
pub struct Board {
    pub shell: Shell,
    pub alarms: Vec<Alarm>,
    pub rows: Vec<BoardRow>,
}

impl Board {
    /// The part of the page that changes.
    #[must_use]
    pub fn render_live(&self) -> String {
        super::render(&self.as_live())
    }
}

/// `GET /board/{id}`. Posts `/board/{id}/withdraw`: `once`, `reason` (free text, kept in the audit).
#[derive(Template)]
#[template(path = "board-request.html")]
pub struct BoardRequest {
    pub shell: Shell,
    pub id: String,
    pub row: BoardRow,
    pub asker: super::Party,
    pub responsible: Responsible,
    pub timeline: Vec<TimelineItem>,
    pub may_withdraw: bool,
    /// Said when the withdrawal could not be done.
    pub problem: Option<String>,
    pub once: Hidden,
}

quiet_debug!(Alarm, AskedPerson, BoardRow, Board, BoardRequest);
