//! Mail into a folder, for `touban demo`: every mail becomes one `.eml` file, and the files can be read back
//! for the page that plays the mailbox. Nothing leaves the machine.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use mail_parser::MessageParser;

use super::compose::compose;
use super::{Delivered, MailError, MailPort, OutgoingMail};
use crate::time::Millis;

/// How many mails [`FolderMail::list`] reads at most; the newest.
pub const MAX_LISTED: usize = 500;
const DIGITS: usize = 8;

/// A mail as its recipient would see it, read back from the bytes that would have been sent.
///
/// Its `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct CaughtMail {
    /// The file's name without `.eml`: eight digits, in order of arrival.
    pub id: String,
    /// The `Date` header.
    pub date: Millis,
    /// The recipient's address.
    pub to: String,
    /// The recipient's name, empty when there is none.
    pub to_name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// With angle brackets.
    pub message_id: String,
}

impl fmt::Debug for CaughtMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaughtMail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A folder that swallows mail.
#[derive(Debug)]
pub struct FolderMail {
    dir: PathBuf,
    next: AtomicU64,
}

impl FolderMail {
    /// Uses `dir`, making it when it is not there; mails already in it stay and are listed.
    ///
    /// # Errors
    /// When the folder can be neither made nor read.
    pub fn new(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        std::fs::create_dir_all(&dir)?;
        let mut last = 0;
        for entry in std::fs::read_dir(&dir)? {
            last = last.max(number_of(&entry?.path()).unwrap_or(0));
        }
        Ok(Self { dir, next: AtomicU64::new(last + 1) })
    }

    /// The newest mails, newest first, [`MAX_LISTED`] at most.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn list(&self) -> io::Result<Vec<CaughtMail>> {
        let mut numbers = Vec::new();
        let mut entries = tokio::fs::read_dir(&self.dir).await?;
        while let Some(entry) = entries.next_entry().await? {
            numbers.extend(number_of(&entry.path()));
        }
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let mut mails = Vec::new();
        for number in numbers.into_iter().take(MAX_LISTED) {
            mails.extend(self.read(&id_of(number)).await?);
        }
        Ok(mails)
    }

    /// One mail; `None` when there is none with this id.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub async fn read(&self, id: &str) -> io::Result<Option<CaughtMail>> {
        let Some(bytes) = self.source(id).await? else { return Ok(None) };
        Ok(read_back(id, &bytes))
    }

    /// The bytes of one mail, headers and all; `None` when there is none with this id.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub async fn source(&self, id: &str) -> io::Result<Option<Vec<u8>>> {
        // Digits only, so that an id cannot climb out of the folder.
        if id.len() != DIGITS || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(None);
        }
        match tokio::fs::read(self.dir.join(format!("{id}.eml"))).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Written beside and renamed, so that a half-written mail is never listed.
    async fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        let id = id_of(self.next.fetch_add(1, Ordering::SeqCst));
        let part = self.dir.join(format!("{id}.part"));
        tokio::fs::write(&part, bytes).await?;
        tokio::fs::rename(&part, self.dir.join(format!("{id}.eml"))).await
    }
}

impl MailPort for FolderMail {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<Delivered, MailError>> {
        Box::pin(async move {
            let composed = compose(mail)?;
            self.keep(&composed.bytes).await.map_err(|e| unwritable(&e))?;
            Ok(Delivered { reply: "250".to_owned() })
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(async move {
            let probe = self.dir.join("check.part");
            tokio::fs::write(&probe, b"").await.map_err(|e| unwritable(&e))?;
            tokio::fs::remove_file(&probe).await.map_err(|e| unwritable(&e))
        })
    }
}

fn unwritable(error: &io::Error) -> MailError {
    MailError::Temporary { reason: format!("mail folder: {}", error.kind()), in_doubt: false }
}

fn id_of(number: u64) -> String {
    format!("{number:0DIGITS$}")
}

fn number_of(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let ours = path.extension()? == "eml" && stem.len() == DIGITS && stem.bytes().all(|b| b.is_ascii_digit());
    ours.then(|| stem.parse().ok()).flatten()
}

fn read_back(id: &str, bytes: &[u8]) -> Option<CaughtMail> {
    let mail = MessageParser::default().parse(bytes)?;
    let to = mail.to().and_then(|to| to.first());
    let body = |part: Option<std::borrow::Cow<'_, str>>| part.unwrap_or_default().replace("\r\n", "\n");
    Some(CaughtMail {
        id: id.to_owned(),
        date: Millis(mail.date().map_or(0, |d| d.to_timestamp().saturating_mul(1_000))),
        to: to.and_then(|a| a.address()).unwrap_or_default().to_owned(),
        to_name: to.and_then(|a| a.name()).unwrap_or_default().to_owned(),
        subject: mail.subject().unwrap_or_default().to_owned(),
        text: body(mail.body_text(0)),
        html: body(mail.body_html(0)),
        message_id: format!("<{}>", mail.message_id().unwrap_or_default()),
    })
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
