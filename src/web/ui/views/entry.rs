//! The doors: start page, signing in by address, and the pages that say what could not be done.

use askama::Template;

use super::links::PinProblem;
use super::{Field, Hidden, Shell, quiet_debug};

/// `GET /`: what this is, and three ways in.
#[derive(Template)]
#[template(path = "home.html")]
pub struct Home {
    pub shell: Shell,
    /// The rules wait to be read.
    pub rules: bool,
    /// Something of the set-up is open.
    pub left: bool,
    /// There is no association yet.
    pub not_set_up: bool,
}

impl Home {
    /// What the reader's roles lead to beyond asking: where, and the key of its name.
    fn doors(&self) -> Vec<(&'static str, &'static str)> {
        let nav = &self.shell.nav;
        [
            (nav.duty, "/duty", "home-duty"),
            (nav.rota, "/rota", "home-rota"),
            (nav.board, "/board", "home-board"),
            (nav.directory, "/directory", "home-directory"),
            (nav.people, "/people", "home-people"),
            (nav.totals, "/totals", "home-totals"),
            (nav.settings, "/settings", "home-settings"),
        ]
        .into_iter()
        .filter_map(|(may, href, key)| may.then_some((href, key)))
        .collect()
    }

    fn note(&self, key: &str) -> String {
        self.shell.t(&format!("{key}-note"))
    }
}

/// `GET /sign-in`. Posts `/sign-in`: `address`, `once`.
#[derive(Template)]
#[template(path = "sign-in.html")]
pub struct SignIn {
    pub shell: Shell,
    /// The mail address; its problem is only ever about its form, never whether somebody has it.
    pub address: Field,
    pub once: Hidden,
    /// Said above the form, for instance that the session ended and where the reader goes afterwards.
    pub notice: Option<String>,
}

/// `GET /sign-in` on a known device: its second factor. Posts `/sign-in/device`: `pin`, `once`.
#[derive(Template)]
#[template(path = "device-sign-in.html")]
pub struct DeviceSignIn {
    pub shell: Shell,
    /// Whose device it is, with title.
    pub person_name: String,
    pub pin_problem: Option<PinProblem>,
    pub once: Hidden,
}

/// `GET /sign-in/sent`, after a posted address: the same for every address, and without it.
#[derive(Template)]
#[template(path = "sign-in-sent.html")]
pub struct SignInSent {
    pub shell: Shell,
    /// How long the mailed link lives.
    pub minutes: u32,
}

/// What could not be done. The texts are `message-KIND-title`, `-text` and `-todo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// 404; also for what exists but is not the reader's.
    NotFound,
    /// 403: signed in, but this page belongs to another role.
    Forbidden,
    /// 403: the form's token does not fit; go back and send it again.
    FormExpired,
    /// 409: changed by somebody else meanwhile.
    ChangedMeanwhile,
    /// 421: reached under a name that is not ours (RFC 9110 §15.5.20).
    Misdirected,
    /// 429.
    TooMany,
    /// 500.
    Broken,
    /// 503: starting or stopping.
    Unavailable,
    /// The session ended by time or by signing out elsewhere.
    SessionEnded,
}

impl MessageKind {
    /// Every kind, for the samples.
    pub const ALL: [Self; 9] = [
        Self::NotFound,
        Self::Forbidden,
        Self::FormExpired,
        Self::ChangedMeanwhile,
        Self::Misdirected,
        Self::TooMany,
        Self::Broken,
        Self::Unavailable,
        Self::SessionEnded,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::NotFound => "message-not-found-title",
            Self::Forbidden => "message-forbidden-title",
            Self::FormExpired => "message-form-expired-title",
            Self::ChangedMeanwhile => "message-changed-title",
            Self::Misdirected => "message-misdirected-title",
            Self::TooMany => "message-too-many-title",
            Self::Broken => "message-broken-title",
            Self::Unavailable => "message-unavailable-title",
            Self::SessionEnded => "message-session-ended-title",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::NotFound => "message-not-found-text",
            Self::Forbidden => "message-forbidden-text",
            Self::FormExpired => "message-form-expired-text",
            Self::ChangedMeanwhile => "message-changed-text",
            Self::Misdirected => "message-misdirected-text",
            Self::TooMany => "message-too-many-text",
            Self::Broken => "message-broken-text",
            Self::Unavailable => "message-unavailable-text",
            Self::SessionEnded => "message-session-ended-text",
        }
    }

    const fn needs_sign_in(self) -> bool {
        matches!(self, Self::SessionEnded)
    }
}

/// A page that says what could not be done and what to do instead.
#[derive(Template)]
#[template(path = "message.html")]
pub struct Message {
    pub shell: Shell,
    pub kind: MessageKind,
    /// What to read out to the office, so that they find the log line.
    pub reference: Option<String>,
    /// Where "back" goes; the start page when there is none.
    pub back: Option<String>,
}

/// `GET /problems/{name}`: what a problem type of the API means (RFC 9457 §3.1.1).
#[derive(Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    pub shell: Shell,
    /// The last part of the `type` address.
    pub name: String,
    pub status: u16,
    pub title: String,
    pub what_to_do: String,
}

quiet_debug!(Home, SignIn, DeviceSignIn, SignInSent, Message, ProblemPage);
