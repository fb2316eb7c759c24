//! The sections `[mail]` and `[mail.smtp]`. How mail is sent stands in `ports`.

use std::num::NonZeroU16;
use std::path::PathBuf;

use super::problem::Words;
use super::reader::Reader;
use super::values::{HostName, MailAddress, Seconds, SecretText};

/// `[mail]`
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: MailAddress,
    pub reply_to: Option<MailAddress>,
    pub via: MailVia,
}

/// Where mail goes.
#[derive(Clone, Debug)]
pub enum MailVia {
    /// Into a folder, one file each: for trying out.
    Folder { path: PathBuf },
    /// To a mail server.
    Smtp(Smtp),
}

/// `[mail.smtp]`
#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: HostName,
    pub port: NonZeroU16,
    pub security: SmtpSecurity,
    pub login: Option<SmtpLogin>,
    /// Certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// What we call ourselves in EHLO (RFC 5321 §4.1.1.1).
    pub hello_name: Option<HostName>,
    /// For one mail, from connecting to the last reply.
    pub send_budget: Seconds,
}

/// Who we are to the mail server.
#[derive(Clone, Debug)]
pub struct SmtpLogin {
    pub username: String,
    pub password: SecretText,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte (RFC 8314), usually port 465.
    Tls,
    /// STARTTLS, required, usually port 587.
    StartTls,
    /// None; only where `allow_plain` says so.
    Plain,
}

impl std::fmt::Display for SmtpSecurity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::Plain => "plain",
        })
    }
}

impl SmtpSecurity {
    fn parse(text: &str) -> Result<Self, Words> {
        match text {
            "tls" => Ok(Self::Tls),
            "starttls" => Ok(Self::StartTls),
            "plain" => Ok(Self::Plain),
            _ => Err(Words::one_of(&["tls", "starttls", "plain"])),
        }
    }
}

impl Mail {
    /// `lease` is how long a mail belongs to the worker that sends it, `[durable]`'s.
    pub(super) fn read(r: &mut Reader, lease: Seconds) -> Self {
        let kind = r.text("mail.kind", "folder".to_owned(), |t| match t {
            "folder" | "smtp" => Ok(t.to_owned()),
            _ => Err(Words::one_of(&["folder", "smtp"])),
        });
        let from = r.optional("mail.from", MailAddress::parse);
        let reply_to = r.optional("mail.reply_to", MailAddress::parse);
        let folder = r.path("mail.folder", "mail");
        let smtp = Smtp::read(r, kind == "smtp", lease);
        if kind == "smtp" && from.is_none() {
            r.unfit("mail.from", Words::new("差出人のアドレスが要ります", "mail by SMTP needs a sender"));
        }
        Self {
            from: from.unwrap_or_else(MailAddress::on_this_machine),
            reply_to,
            via: smtp.map_or(MailVia::Folder { path: folder }, MailVia::Smtp),
        }
    }
}

impl Smtp {
    /// Every key is read (and so checked) even where mail goes into a folder; `None` then.
    fn read(r: &mut Reader, wanted: bool, lease: Seconds) -> Option<Self> {
        let host = r.optional("mail.smtp.host", HostName::parse);
        let security = r.text("mail.smtp.security", SmtpSecurity::StartTls, SmtpSecurity::parse);
        let usual = match security {
            SmtpSecurity::Tls => 465,
            SmtpSecurity::StartTls => 587,
            SmtpSecurity::Plain => 25,
        };
        let port = r.number("mail.smtp.port", usual, 1..=65_535);
        let username: Option<String> = r.optional("mail.smtp.username", |t| Ok(t.to_owned()));
        let password = r.secret_text("mail.smtp.password");
        let ca_file = r.optional_path("mail.smtp.ca_file");
        let hello_name = r.optional("mail.smtp.hello_name", HostName::parse);
        // A shorter lease, and the time within it shrinks along unless it is written.
        let usual_budget = Seconds::new((lease.get() / 3).min(10)).unwrap_or(Seconds::ONE);
        let send_budget = r.seconds("mail.smtp.send_budget_s", usual_budget, 20);
        let allow_plain = r.flag("mail.smtp.allow_plain", false);
        if !wanted {
            return None;
        }
        // A mail whose lease ran out while it was being sent would be sent by a second worker as well.
        if send_budget >= lease {
            let words =
                Words::new("durable.lease_s より短くしてください", "it must be shorter than durable.lease_s");
            r.unfit("mail.smtp.send_budget_s", words);
        }
        if host.is_none() {
            r.unfit(
                "mail.smtp.host",
                Words::new("メールサーバーの名前が要ります", "SMTP needs the name of the server"),
            );
        }
        if security == SmtpSecurity::Plain && !allow_plain {
            r.unfit(
                "mail.smtp.security",
                Words::new(
                    "暗号化しない送信は mail.smtp.allow_plain = true のときだけ使えます",
                    "sending without encryption needs mail.smtp.allow_plain = true",
                ),
            );
        }
        let login = match (username, password) {
            (Some(username), Some(password)) => Some(SmtpLogin { username, password }),
            (None, None) => None,
            (Some(_), None) => {
                r.unfit(
                    "mail.smtp.username",
                    Words::new("パスワードも要ります", "a user name needs a password"),
                );
                None
            }
            (None, Some(_)) => {
                r.unfit(
                    "mail.smtp.password",
                    Words::new("ユーザー名も要ります", "a password needs a user name"),
                );
                None
            }
        };
        let port = u16::try_from(port).ok().and_then(NonZeroU16::new)?;
        Some(Self { host: host?, port, security, login, ca_file, hello_name, send_budget })
    }
}
