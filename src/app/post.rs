//! Sends one test mail while its reader waits, and says what the server answered. Every other mail goes by the
//! outbox. The second place where `app` reads a port.

use std::sync::Arc;

use crate::i18n::{Lang, t, t_with};
use crate::ports::mail::{MailError, MailPort, OutgoingMail};

/// The way out for mail as the set-up shows it. Nothing secret stands here.
#[derive(Clone, Debug)]
pub struct Post {
    pub port: Arc<dyn MailPort>,
    pub shown: PostShown,
}

/// What the configuration says of mail, fit for a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostShown {
    pub from: String,
    pub reply_to: Option<String>,
    /// `None`: mail goes into a folder and reaches nobody.
    pub server: Option<ServerShown>,
}

/// A mail server without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerShown {
    pub host: String,
    pub port: u16,
    /// `tls`, `starttls` or `plain`.
    pub security: String,
    pub username: Option<String>,
}

/// How a test mail ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostTest {
    /// The server took it: the code of its reply.
    Taken { reply: String },
    /// It went into a folder.
    Folder,
    /// The server is away or asks to come later.
    Later { reason: String },
    /// Password, certificate or sender: our settings.
    Settings { reason: String },
    /// The server does not want it for this address.
    Refused { reason: String },
    /// This program was started without a way out for mail.
    NoPort,
}

impl super::App {
    /// The way out for mail, as it may be shown.
    #[must_use]
    pub fn post_shown(&self) -> PostShown {
        self.post.as_ref().map(|post| post.shown.clone()).unwrap_or_default()
    }

    /// Sends a test mail to `to`: the name of the office and nothing else.
    pub async fn post_test(&self, to: &str, association: &str, lang: Lang) -> PostTest {
        let Some(post) = &self.post else { return PostTest::NoPort };
        let mut random = [0u8; 16];
        self.chance.fill(&mut random);
        let number = crate::ids::crockford_128(u128::from_le_bytes(random));
        let who = if association.is_empty() { t(lang, "shell-product") } else { association.to_owned() };
        let text = t_with(lang, "setup-test-mail-text", &[("association", &who)]);
        let mail = OutgoingMail {
            message_id: format!("<{number}.try@{}>", self.rules.mail_host),
            from: post.shown.from.clone(),
            from_name: (!association.is_empty()).then(|| association.to_owned()),
            reply_to: post.shown.reply_to.clone(),
            to: to.to_owned(),
            to_name: None,
            subject: t(lang, "setup-test-mail-subject"),
            // Nothing in these two texts was typed but the association's name.
            html: format!(
                "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"></head>\n\
                 <body style=\"font-size:18px;line-height:1.7\">\n<p>{}</p>\n</body>\n</html>\n",
                lang.tag(),
                text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
            ),
            text: format!("{text}\n"),
            in_reply_to: None,
            date: self.now(),
        };
        match post.port.send(&mail).await {
            Ok(_) if post.shown.server.is_none() => PostTest::Folder,
            Ok(delivered) => PostTest::Taken { reply: delivered.reply },
            Err(MailError::Temporary { reason, .. }) => PostTest::Later { reason },
            Err(MailError::Misconfigured { reason }) => PostTest::Settings { reason },
            Err(MailError::Permanent { reason }) => PostTest::Refused { reason },
        }
    }
}
