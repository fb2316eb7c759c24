//! What each page needs to be drawn: plain data and its template. No handler, no query, no decision.
//!
//! Every form posts `csrf` (from the [`Shell`]); a form that starts something also posts `once`, so that
//! a double tap happens once. The names of the other fields stand with each view.

use std::fmt;

use askama::Template;

use crate::i18n::{Lang, t, t_with};

mod board;
pub mod calls;
pub mod cards;
mod consults;
pub mod contacts;
pub mod covers;
mod demo;
pub mod directory;
pub mod duties;
mod entry;
mod ledger;
mod links;
pub mod paper;
pub mod people;
pub mod pillars;
pub mod records;
pub mod rota;
#[cfg(test)]
mod samples;
pub mod setup;
pub mod sheets;
pub mod signin;
pub mod transfers;
pub mod wishes;

pub use board::{Alarm, AskedPerson, Board, BoardRequest, BoardRow};
pub use consults::{
    AnswerForm, AnswerView, AskedCounts, CaseView, ConsultAsker, ConsultNew, ConsultRow, ConsultTaker,
    ConsultUnlock, MyConsults, Party, Responsible, SurveyForm, SurveyView, TimelineItem,
};
pub use demo::{DemoDone, DemoPerson, DemoStart, MailPart, MailRow, MailTab, Mailbox, MailboxMail};
pub use entry::{DeviceSignIn, Home, Message, MessageKind, ProblemPage, SignIn, SignInSent};
pub use ledger::{
    ChaseSheet, ComparedRow, Condition, JudgedRow, LedgerChasers, LedgerClaim, LedgerCorrect, LedgerEvidence,
    LedgerLetter, LedgerLetters, LedgerLine, LedgerPage, LedgerPaper, LedgerStatement, LedgerTariffs,
    LedgerYear, LoadRow, PartySum, Prep, PrepLine, ProgramSum, TableCell, Verdict, YearMonth, YearProgram,
};
pub use links::{
    BlindSummary, LinkEnd, LinkEndKind, LinkEntry, LinkOffer, LinkSignIn, OfferState, PinProblem,
};

/// Draws a view. A template of ours fails only when writing into memory fails; the page is then empty.
#[must_use]
pub fn render(view: &impl Template) -> String {
    view.render().unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "Drawing a page failed");
        String::new()
    })
}

/// A value that stands in a hidden field and in no log: tokens of links and forms.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The size of the letters, kept in a cookie: 18, 22 or 26 px for the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextSize {
    #[default]
    Standard,
    Large,
    ExtraLarge,
}

impl TextSize {
    /// All sizes, smallest first.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Large, Self::ExtraLarge];

    /// The value of the cookie and of the field `size`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Large => "large",
            Self::ExtraLarge => "extra-large",
        }
    }

    /// Reads [`TextSize::tag`]; anything else is the standard size.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        Self::ALL.into_iter().find(|size| size.tag() == tag).unwrap_or_default()
    }

    /// What the button at the top of the page changes to: one larger, from the largest back to standard.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Standard => Self::Large,
            Self::Large => Self::ExtraLarge,
            Self::ExtraLarge => Self::Standard,
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Standard => "shell-text-standard",
            Self::Large => "shell-text-large",
            Self::ExtraLarge => "shell-text-extra-large",
        }
    }

    const fn next_key(self) -> &'static str {
        match self {
            Self::Standard | Self::Large => "shell-text-larger",
            Self::ExtraLarge => "shell-text-back",
        }
    }
}

/// Which entries the menu has, by what the signed-in person may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nav {
    /// May ask for a consult; sees `/consults/new` and `/consults`.
    pub asker: bool,
    /// Sees `/board`.
    pub board: bool,
    /// Sees `/ledger`.
    pub ledger: bool,
    /// Sees `/directory`.
    pub directory: bool,
    /// Sees `/people`.
    pub people: bool,
    /// Sees `/sheets`.
    pub sheets: bool,
    /// Sees `/settings`.
    pub settings: bool,
    /// Sees `/totals`.
    pub totals: bool,
    /// Sees `/duty` with names.
    pub duty: bool,
    /// Sees `/rota`.
    pub rota: bool,
    /// Sees `/transfers`.
    pub transfers: bool,
}

/// What surrounds every page.
///
/// Posts from here: `/lang` (`lang`, `back`), `/text-size` (`size`, `back`), both with `settings` as their
/// `csrf`, and `/sign-out`. `back` is `path`
/// again: use it only when it is one of our own paths (starts with one `/`, no `//`, no `\`).
#[derive(Clone, Debug, Default)]
pub struct Shell {
    pub lang: Lang,
    /// As printed, "青葉市医師会".
    pub association_name: String,
    /// As printed with hyphens, "042-000-0000".
    pub office_phone: String,
    /// When the office is there, in its own words; or empty.
    pub office_hours: String,
    /// With title, "佐藤 健一 先生".
    pub signed_in_as: Option<String>,
    pub nav: Nav,
    /// The person has a role of the office, but came by PIN: the way to sign in for the office's work.
    pub office_door: bool,
    /// Somebody asked for new means of signing in for this person, who has not said to have seen it.
    pub recovery: bool,
    pub text_size: TextSize,
    /// The exercise association: a line says so on every page, with the ways back to the start and the mailbox.
    pub demo: bool,
    pub csrf: Hidden,
    /// The token of the two forms that only set a cookie; the same on every page.
    pub settings: Hidden,
    /// The civil time of the page, "11月20日（金）19時45分".
    pub now_text: String,
    /// The path of a GET that shows this page (or the nearest one) again.
    pub path: String,
}

impl Shell {
    /// The text of `key` in the reader's language.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        t(self.lang, key)
    }

    /// The text of `key` with one value.
    #[must_use]
    pub fn t1(&self, key: &str, name: &str, value: &str) -> String {
        t_with(self.lang, key, &[(name, value)])
    }

    /// The text of `key` with a number called `n`.
    #[must_use]
    pub fn tn(&self, key: &str, n: &u32) -> String {
        t_with(self.lang, key, &[("n", &n.to_string())])
    }

    /// How many of the places of an offer are taken.
    fn t_places(&self, taken: &u32, places: &u32) -> String {
        t_with(self.lang, "offer-places", &[("taken", &taken.to_string()), ("places", &places.to_string())])
    }

    /// The office's number for a `tel:` link: digits only.
    #[must_use]
    pub fn office_tel(&self) -> String {
        tel(&self.office_phone)
    }

    /// The sizes to choose from: the value, the key of its name, and whether it is in use.
    fn text_sizes(&self) -> [(&'static str, &'static str, bool); 3] {
        TextSize::ALL.map(|size| (size.tag(), size.key(), size == self.text_size))
    }

    /// The language the switch offers.
    #[must_use]
    pub const fn other_lang(&self) -> Lang {
        match self.lang {
            Lang::Ja => Lang::En,
            Lang::En => Lang::Ja,
        }
    }

    /// What stands behind the page's own title.
    #[must_use]
    pub fn title_end(&self) -> String {
        if self.association_name.is_empty() { self.t("shell-product") } else { self.association_name.clone() }
    }

    /// Whether the page has a menu at all.
    #[must_use]
    pub const fn has_menu(&self) -> bool {
        self.signed_in_as.is_some()
    }
}

/// A printed number as `tel:` wants it (RFC 3966 local number): a leading plus and digits.
#[must_use]
pub fn tel(printed: &str) -> String {
    printed.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

/// The colour of a state; the words always say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    /// Going on.
    Info,
    /// Done, accepted.
    Good,
    /// Somebody should look.
    Warn,
    /// Somebody must act.
    Bad,
}

impl Tone {
    /// The class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Plain => "tone-plain",
            Self::Info => "tone-info",
            Self::Good => "tone-good",
            Self::Warn => "tone-warn",
            Self::Bad => "tone-bad",
        }
    }
}

/// A state in words and colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateLine {
    pub text: String,
    pub tone: Tone,
}

/// What was typed, and what is wrong with it in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    pub value: String,
    pub problem: Option<String>,
}

/// One thing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    /// A second, smaller line.
    pub note: Option<String>,
    pub chosen: bool,
}

/// A question with its choices, and what is wrong with the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    pub options: Vec<Choice>,
    pub problem: Option<String>,
}

/// Views carry what patients and doctors wrote; printed for debugging they show their name alone.
macro_rules! quiet_debug {
    ($($view:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $view {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($view)).finish_non_exhaustive()
            }
        }
    )+};
}
pub(crate) use quiet_debug;
