//! Mail as the rest of the program sees it: what to send, how it can fail, the port itself.
//!
//! Not here: forming the bytes (`compose`), talking SMTP (`smtp`, `settings`, `plaintext`), the demo's folder (`folder`), when to
//! try again (`durable`).

mod compose;
mod folder;
mod plaintext;
mod settings;
mod smtp;

use std::fmt;

use futures_util::future::BoxFuture;

pub use compose::{MAX_BODY_BYTES, MAX_NAME_CHARS, MAX_SUBJECT_CHARS, compose};
pub use folder::{CaughtMail, FolderMail};
pub use settings::{Secret, Security, SettingsError, SmtpSettings};
pub use smtp::SmtpMail;

use crate::time::Millis;

/// One logical mail. Every physical copy of it (a retry, a restart) is made from the same values and so
/// carries the same `Message-ID`.
///
/// Its `Debug` shows the `Message-ID` alone: the rest may name people and carries their links.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// `<offer-id.kind@host>` with the angle brackets, fixed when the mail is decided on (RFC 5322
    /// section 3.6.4).
    pub message_id: String,
    /// The office's address; also the envelope's return path.
    pub from: String,
    /// The name beside `from`, usually the association's.
    pub from_name: Option<String>,
    /// Where answers should go, when not to `from`.
    pub reply_to: Option<String>,
    /// The one recipient as stored. May break RFC 5321 the way old carrier addresses do
    /// (`foo..bar@docomo.ne.jp`, `foo.@docomo.ne.jp`).
    pub to: String,
    /// The recipient's name.
    pub to_name: Option<String>,
    /// The subject; cut after [`MAX_SUBJECT_CHARS`].
    pub subject: String,
    /// The plain text, complete in itself.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The `Message-ID` of the mail this one follows; threads them.
    pub in_reply_to: Option<String>,
    /// The `Date` header.
    pub date: Millis,
}

impl fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// The mail server took the mail over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The server's reply code and, if it gave one, its enhanced code: `250 2.0.0`. Never its text, which
    /// may repeat addresses.
    pub reply: String,
}

/// Why a mail was not handed over. Every `reason` says at which step and with which code, holds neither an
/// address nor content, and may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It may work later: the server is away, slow, or answered 4xx.
    #[error("mail not sent for now: {reason}")]
    Temporary {
        reason: String,
        /// The content was under way when the conversation broke, so the mail may have arrived: sending it
        /// again may make a second copy, with the same `Message-ID`.
        in_doubt: bool,
    },
    /// Something on our side: the password, the certificate, the sender, or a mail we formed wrongly. No
    /// mail at all gets through until it is put right, so it says nothing about the recipient, is worth
    /// trying again later, and the operator must hear of it.
    #[error("mail cannot be sent with these settings: {reason}")]
    Misconfigured { reason: String },
    /// The server will not take this mail for this recipient; trying again is useless, another channel or
    /// another person is needed.
    #[error("mail refused: {reason}")]
    Permanent { reason: String },
}

impl MailError {
    /// What happened, fit for a log.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Temporary { reason, .. } | Self::Misconfigured { reason } | Self::Permanent { reason } => {
                reason
            }
        }
    }

    /// Whether the same mail may be tried again later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::Permanent { .. })
    }

    /// Whether the mail may have arrived all the same.
    #[must_use]
    pub const fn in_doubt(&self) -> bool {
        matches!(self, Self::Temporary { in_doubt: true, .. })
    }

    pub(crate) fn misconfigured(reason: impl Into<String>) -> Self {
        Self::Misconfigured { reason: reason.into() }
    }

    pub(crate) fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent { reason: reason.into() }
    }
}

/// Sends mail. At least once, never exactly once: see [`MailError::in_doubt`].
pub trait MailPort: Send + Sync + fmt::Debug {
    /// Hands `mail` to the server, within the port's own time budget. The attempt runs to its end even when
    /// the returned future is dropped.
    ///
    /// # Errors
    /// See [`MailError`].
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<Delivered, MailError>>;

    /// Goes as far as one can without sending a mail (connect, TLS, AUTH, NOOP), for `touban doctor mail`.
    ///
    /// # Errors
    /// What a mail sent now would meet.
    fn check(&self) -> BoxFuture<'_, Result<(), MailError>>;
}
