//! Messages to an attending doctor: writing one, what becomes of it, the sheet for the fax.

use askama::Template;

use super::links::PinProblem;
use super::people::Fact;
use super::{Choices, Field, Hidden, Shell, StateLine, quiet_debug};

/// A message in a list.
#[derive(Clone, Debug, Default)]
pub struct ContactRow {
    pub href: String,
    pub case_no: String,
    /// When it was written.
    pub at: String,
    /// To whom, about what.
    pub what: String,
    pub state: StateLine,
    /// What the reader has to do.
    pub to_do: Option<String>,
}

/// `GET /contacts`
#[derive(Template)]
#[template(path = "contacts.html")]
pub struct ContactsPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub may_ask: bool,
    pub open: Vec<ContactRow>,
    pub ended: Vec<ContactRow>,
}

/// `GET /contacts/new`. Posts to `/contacts`: `clinic`, `patient`, `topic`, `text`, `once`.
#[derive(Template)]
#[template(path = "contact-ask.html")]
pub struct ContactAskPage {
    pub shell: Shell,
    pub problem: Option<String>,
    pub clinic: Choices,
    pub patient: Field,
    pub topic: Choices,
    pub text: Field,
    pub once: Hidden,
}

/// An answer in a word.
#[derive(Clone, Debug, Default)]
pub struct ReplyBox {
    pub replies: Choices,
    pub words: Field,
}

/// What the office types in for a doctor.
#[derive(Clone, Debug, Default)]
pub struct ContactForBox {
    pub member: String,
    pub name: String,
    pub reply_id: String,
    pub channel_id: String,
    pub reply: ReplyBox,
    pub channel: Choices,
}

/// `GET /contacts/{id}`. Posts below it: `reply` (`reply`, `words`), `reply-for` (the same with `member` and `channel`),
/// `withdraw` (`reason`); each with `once`.
#[derive(Template)]
#[template(path = "contact.html")]
pub struct ContactPage {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub id: String,
    pub case_no: String,
    pub state: StateLine,
    /// When it is delivered, or what becomes of it, in a sentence.
    pub next: String,
    pub facts: Vec<Fact>,
    /// Who answered what and when, and the words.
    pub replies: Vec<(String, String)>,
    pub reply: Option<ReplyBox>,
    pub for_others: Vec<ContactForBox>,
    pub may_withdraw: bool,
    pub reason: Field,
    pub sheet_href: Option<String>,
    pub once: Hidden,
}

/// The answer to `POST /k/open` for a message. Posts `/k/contact`: `token`, `once`, `pin`, `remember`.
#[derive(Template)]
#[template(path = "link-contact.html")]
pub struct LinkContact {
    pub shell: Shell,
    pub person_name: String,
    pub case_no: String,
    /// What is asked, in a sentence.
    pub meaning: String,
    pub facts: Vec<Fact>,
    pub known_device: bool,
    pub pin_problem: Option<PinProblem>,
    pub remember: bool,
    pub token: Hidden,
    pub once: Hidden,
}

/// `GET /contacts/{id}/sheet`: one A4 page for the fax.
#[derive(Template)]
#[template(path = "contact-sheet.html")]
pub struct ContactSheet {
    pub shell: Shell,
    pub id: String,
    pub case_no: String,
    pub fax: String,
    pub facts: Vec<Fact>,
    pub replies: Vec<String>,
    pub made: String,
}

quiet_debug!(ContactsPage, ContactAskPage, ContactPage, LinkContact, ContactSheet);
