//! The mail server and the letters of a history: it takes, loses, doubles, delays, refuses and leaves in
//! doubt. When a mail is handed over is decided by the runners.

use std::sync::Mutex;

use futures_util::future::BoxFuture;

use super::stage::Sim;
use crate::ids::{MemberId, RequestId};
use crate::ports::mail::{Delivered, MailError, MailPort, OutgoingMail};
use crate::time::Millis;

/// What becomes of one handing over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Taken,
    /// Taken with 250 and never seen again.
    Lost,
    /// Taken once, put into the mailbox twice.
    Doubled,
    /// Taken, arrives hours later.
    Delayed,
    /// 4xx.
    Temporary,
    /// The conversation broke after the content, which arrived.
    DoubtArrived,
    /// The conversation broke after the content, which did not arrive.
    DoubtGone,
    /// 5xx.
    Refused,
    /// Our password is wrong.
    Misconfigured,
}

impl Fate {
    /// The server holds a copy.
    pub(super) const fn is_copy(self) -> bool {
        matches!(self, Self::Taken | Self::Lost | Self::Doubled | Self::Delayed | Self::DoubtArrived)
    }

    /// Nobody on our side knows whether it does.
    pub(super) const fn is_doubt(self) -> bool {
        matches!(self, Self::DoubtArrived | Self::DoubtGone)
    }
}

/// The port: answers what the scheduler decided.
#[derive(Debug, Default)]
pub(super) struct SimMail {
    next: Mutex<Option<Fate>>,
}

impl SimMail {
    pub(super) fn set(&self, fate: Fate) {
        *self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fate);
    }

    fn answer(&self) -> Result<Delivered, MailError> {
        let fate = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let temporary = |in_doubt| Err(MailError::Temporary { reason: "451".to_owned(), in_doubt });
        match fate.unwrap_or(Fate::Taken) {
            Fate::Taken | Fate::Lost | Fate::Doubled | Fate::Delayed => {
                Ok(Delivered { reply: "250 2.0.0".to_owned() })
            }
            Fate::Temporary => temporary(false),
            Fate::DoubtArrived | Fate::DoubtGone => temporary(true),
            Fate::Refused => Err(MailError::permanent("550 5.1.1")),
            Fate::Misconfigured => Err(MailError::misconfigured("535 5.7.8")),
        }
    }
}

impl MailPort for SimMail {
    fn send<'a>(&'a self, _mail: &'a OutgoingMail) -> BoxFuture<'a, Result<Delivered, MailError>> {
        let answer = self.answer();
        Box::pin(async move { answer })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(async { Ok(()) })
    }
}

/// A letter with a link, in somebody's mailbox.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub arrives: Millis,
    pub token: String,
    pub request: RequestId,
    pub person: MemberId,
}

/// The token in the text of an offer's mail: what stands behind `/k#`.
pub(super) fn token_in(text: &str) -> Option<String> {
    let (_, after) = text.split_once("/k#")?;
    let token: String =
        after.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    (!token.is_empty()).then_some(token)
}

impl Sim {
    /// What becomes of this handing over, by chance.
    pub(super) fn fate(&self, to: &str) -> Fate {
        let dead = self.volunteers.iter().any(|p| p.dead_address && p.email == to);
        if dead || to.is_empty() {
            return Fate::Refused;
        }
        if !self.faults_on {
            return Fate::Taken;
        }
        match self.dice.below(100) {
            0..4 => Fate::Lost,
            4..9 => Fate::Doubled,
            9..17 => Fate::Delayed,
            17..27 => Fate::Temporary,
            27..33 => Fate::DoubtArrived,
            33..37 => Fate::DoubtGone,
            37..40 => Fate::Refused,
            40..42 => Fate::Misconfigured,
            _ => Fate::Taken,
        }
    }

    /// Puts a copy into the mailbox.
    pub(super) fn deliver(&mut self, fate: Fate, letter: Letter) {
        let copies = match fate {
            Fate::Taken | Fate::DoubtArrived | Fate::Delayed => 1,
            Fate::Doubled => 2,
            Fate::Lost | Fate::Temporary | Fate::DoubtGone | Fate::Refused | Fate::Misconfigured => 0,
        };
        let late = if fate == Fate::Delayed { self.dice.seconds(600, 40_000) } else { 0 };
        for _ in 0..copies {
            self.letters.push(Letter { arrives: letter.arrives.plus_s(late), ..letter.clone() });
        }
    }
}
