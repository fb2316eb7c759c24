//! Pages that only the exercise association has: where to start, and the mailbox.

use askama::Template;

use super::{Hidden, Shell, quiet_debug};

/// Somebody to act as.
#[derive(Clone, Debug, Default)]
pub struct DemoPerson {
    /// The value of the field `person`.
    pub key: String,
    pub name: String,
    /// "皮膚科・協力医", "事務局".
    pub role: String,
    pub institution: String,
    /// Shown, because nobody here is real. `None` for people without a PIN.
    pub pin: Option<String>,
}

/// Which steps of the exercise have been done; the third, closing, is what brings the lines into the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct DemoDone {
    pub asked: bool,
    pub accepted: bool,
    pub in_ledger: bool,
}

/// `GET /demo`. Posts `/demo/as` (`person`) and `/demo/leap` (`leap`: `30m` or `morning`).
#[derive(Template)]
#[template(path = "demo-start.html")]
pub struct DemoStart {
    pub shell: Shell,
    /// Who asks in step 1 and closes in step 3.
    pub asker: DemoPerson,
    /// Who looks at the ledger in step 4.
    pub clerk: DemoPerson,
    /// Everybody else worth trying, with them.
    pub people: Vec<DemoPerson>,
    pub done: DemoDone,
    pub mails: u32,
    pub once: Hidden,
}

/// One mail in the list.
#[derive(Clone, Debug, Default)]
pub struct MailRow {
    pub href: String,
    pub at: String,
    /// The name when it is known, and the address.
    pub to: String,
    pub subject: String,
}

/// `GET /demo/mailbox`, newest first.
#[derive(Template)]
#[template(path = "mailbox.html")]
pub struct Mailbox {
    pub shell: Shell,
    pub mails: Vec<MailRow>,
}

/// Which part of a mail is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailTab {
    #[default]
    Text,
    Source,
}

/// A stretch of a mail's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailPart<'a> {
    Words(&'a str),
    Link(&'a str),
}

/// `GET /demo/mailbox/{n}`. The HTML part is not drawn into this page: `html_href` serves it alone.
#[derive(Template)]
#[template(path = "mailbox-mail.html")]
pub struct MailboxMail {
    pub shell: Shell,
    pub from: String,
    pub to: String,
    pub at: String,
    pub subject: String,
    pub tab: MailTab,
    /// The text part or the whole source, by `tab`.
    pub body: String,
    pub text_href: String,
    pub source_href: String,
    /// `None` when the mail has no HTML part.
    pub html_href: Option<String>,
    /// The PIN of the person it went to, so that the visitor need not look for it.
    pub pin: Option<String>,
}

impl MailboxMail {
    /// The body cut at its links.
    #[must_use]
    pub fn parts(&self) -> Vec<MailPart<'_>> {
        let mut parts = Vec::new();
        let mut rest = self.body.as_str();
        while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
            let (words, tail) = rest.split_at(start);
            let end =
                tail.find(|c: char| !c.is_ascii_graphic() || "<>\"'()".contains(c)).unwrap_or(tail.len());
            let (link, after) = tail.split_at(end);
            parts.push(MailPart::Words(words));
            parts.push(MailPart::Link(link));
            rest = after;
        }
        parts.push(MailPart::Words(rest));
        parts
    }

    /// The first link of the mail, for the large button.
    #[must_use]
    pub fn first_link(&self) -> Option<&str> {
        self.parts().into_iter().find_map(|part| match part {
            MailPart::Link(link) => Some(link),
            MailPart::Words(_) => None,
        })
    }

    fn is_source(&self) -> bool {
        self.tab == MailTab::Source
    }
}

quiet_debug!(DemoStart, Mailbox, MailboxMail);
