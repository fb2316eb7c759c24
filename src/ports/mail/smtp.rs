//! Hands mail to the association's SMTP server: the conversation, and what its failures mean. Not the
//! settings (`settings`), not the bytes of a mail (`compose`).
//!
//! One fresh connection per mail, no pool: a kept connection that the server has closed meanwhile costs an
//! urgent mail its first try. The client library bounds connecting only, so every attempt runs in a task of
//! its own under one outer budget.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::transport::smtp::Error as SmtpFault;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::compose::{Composed, compose};
use super::plaintext::LineAtATime;
use super::settings::{Security, SettingsError, SmtpSettings};
use super::{Delivered, MailError, MailPort, OutgoingMail};

/// How long a finished conversation may take to say goodbye; nobody waits for it.
const QUIT_MS: u64 = 1_000;
/// Connecting to one of the host's addresses may use this part of the budget, so that a dead IPv6 route
/// leaves time for IPv4.
const CONNECT_SHARE: u64 = 3;
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// How far a conversation has come. The order matters: see [`Step::in_doubt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Step {
    Connect,
    Hello,
    Tls,
    Auth,
    Noop,
    Sender,
    Recipient,
    Data,
    Content,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Connect,
        Self::Hello,
        Self::Tls,
        Self::Auth,
        Self::Noop,
        Self::Sender,
        Self::Recipient,
        Self::Data,
        Self::Content,
    ];

    const fn words(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Hello => "greeting",
            Self::Tls => "starting TLS",
            Self::Auth => "signing in",
            Self::Noop => "NOOP",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming the recipient",
            Self::Data => "announcing the content",
            Self::Content => "sending the content",
        }
    }

    /// Whether a conversation broken here may have delivered the mail.
    const fn in_doubt(self) -> bool {
        matches!(self, Self::Content)
    }
}

/// The step a running attempt is at, readable from outside when the attempt has run out of time.
#[derive(Debug, Default)]
struct Progress(AtomicU8);

impl Progress {
    fn at(&self, step: Step) {
        self.0.store(step as u8, Ordering::SeqCst);
    }

    fn step(&self) -> Step {
        Step::ALL.get(usize::from(self.0.load(Ordering::SeqCst))).copied().unwrap_or(Step::Content)
    }
}

/// Mail through an SMTP server.
#[derive(Clone, Debug)]
pub struct SmtpMail(Arc<Server>);

struct Server {
    host: String,
    port: u16,
    security: Security,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    budget: Duration,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// What an attempt wants from the server.
enum Errand {
    Check,
    Hand(Composed),
}

impl SmtpMail {
    /// Checks the settings and reads the certificates; does not connect.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn new(settings: SmtpSettings) -> Result<Self, SettingsError> {
        settings.check()?;
        let tls = settings.tls()?;
        let port = settings.port();
        let credentials = settings.username.zip(settings.password);
        Ok(Self(Arc::new(Server {
            host: settings.host,
            port,
            security: settings.security,
            tls,
            credentials: credentials
                .map(|(name, password)| Credentials::new(name, password.reveal().to_owned())),
            hello: settings.hello_name.map_or_else(ClientId::default, ClientId::Domain),
            budget: Duration::from_secs(u64::from(settings.send_budget_s)),
        })))
    }

    /// Runs one attempt in its own task: it ends by itself within the budget, whatever becomes of the
    /// caller, and its answer does not wait for the goodbye.
    async fn attempt(&self, errand: Errand) -> Result<Delivered, MailError> {
        let server = Arc::clone(&self.0);
        let progress = Arc::new(Progress::default());
        let seen = Arc::clone(&progress);
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            let mut connection = None;
            let done =
                tokio::time::timeout(server.budget, server.converse(&errand, &mut connection, &progress));
            let outcome = done
                .await
                .unwrap_or_else(|_| Err(temporary(progress.step(), "no answer within the time budget")));
            let polite = !matches!(&outcome, Err(MailError::Temporary { .. }));
            // The receiver is gone when the caller has given up; nobody is left to tell.
            let _ = answer.send(outcome);
            if let Some(mut connection) = connection.filter(|_| polite) {
                let _ = tokio::time::timeout(Duration::from_millis(QUIT_MS), connection.quit()).await;
            }
        });
        // A closed channel means that the task panicked or the runtime is stopping.
        answered.await.unwrap_or_else(|_| Err(temporary(seen.step(), "the attempt broke off")))
    }
}

impl MailPort for SmtpMail {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<Delivered, MailError>> {
        Box::pin(async move { self.attempt(Errand::Hand(compose(mail)?)).await })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(async move { self.attempt(Errand::Check).await.map(|_| ()) })
    }
}

impl Server {
    /// The whole conversation but the goodbye. `connection` is left in the caller's hands for that.
    async fn converse(
        &self,
        errand: &Errand,
        connection: &mut Option<AsyncSmtpConnection>,
        progress: &Progress,
    ) -> Result<Delivered, MailError> {
        let connection = connection.insert(self.connect(progress).await?);
        self.secure(connection, progress).await?;
        self.sign_in(connection, progress).await?;
        match errand {
            Errand::Check => {
                progress.at(Step::Noop);
                let reply = connection.command(Noop).await.map_err(|e| judge(Step::Noop, &e))?;
                Ok(delivered(&reply))
            }
            Errand::Hand(mail) => hand_over(connection, mail, progress).await,
        }
    }

    async fn connect(&self, progress: &Progress) -> Result<AsyncSmtpConnection, MailError> {
        progress.at(Step::Connect);
        let share = self.budget / u32::try_from(CONNECT_SHARE).unwrap_or(1);
        let Self { host, port, .. } = self;
        if self.security == Security::Tls {
            let tls = self.tls.clone();
            return AsyncSmtpConnection::connect_tokio1(
                (host.as_str(), *port),
                Some(share),
                &self.hello,
                tls,
                None,
            )
            .await
            .map_err(|e| judge(Step::Connect, &e));
        }
        let addresses = tokio::net::lookup_host((host.as_str(), *port)).await;
        let addresses = addresses.map_err(|_| temporary(Step::Connect, "the host name is not known"))?;
        let mut last = temporary(Step::Connect, "the host has no address");
        for address in addresses {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    progress.at(Step::Hello);
                    // The end of the content is a write of its own and would wait for the other side's
                    // delayed acknowledgement, 40 ms for each mail. Without it the mail is only slower.
                    let _ = socket.set_nodelay(true);
                    let stream = Box::new(LineAtATime::new(socket));
                    return AsyncSmtpConnection::connect_with_transport(stream, &self.hello)
                        .await
                        .map_err(|e| judge(Step::Hello, &e));
                }
                Ok(Err(e)) => last = temporary(Step::Connect, &e.kind().to_string()),
                Err(_) => last = temporary(Step::Connect, "no answer"),
            }
        }
        Err(last)
    }

    async fn secure(
        &self,
        connection: &mut AsyncSmtpConnection,
        progress: &Progress,
    ) -> Result<(), MailError> {
        if self.security != Security::StartTls {
            return Ok(());
        }
        progress.at(Step::Tls);
        // Not offered may also mean that somebody on the way removed the offer.
        if !connection.server_info().supports_feature(Extension::StartTls) {
            return Err(ours(Step::Tls, "the server does not offer STARTTLS"));
        }
        let tls = self.tls.clone().ok_or_else(|| ours(Step::Tls, "no certificates"))?;
        connection.starttls(tls, &self.hello).await.map_err(|e| judge(Step::Tls, &e))?;
        if connection.is_encrypted() {
            Ok(())
        } else {
            Err(ours(Step::Tls, "the connection stayed in the clear"))
        }
    }

    async fn sign_in(
        &self,
        connection: &mut AsyncSmtpConnection,
        progress: &Progress,
    ) -> Result<(), MailError> {
        let Some(credentials) = &self.credentials else { return Ok(()) };
        progress.at(Step::Auth);
        if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
            return Err(ours(Step::Auth, "the server offers neither AUTH PLAIN nor LOGIN"));
        }
        let reply = connection.auth(&MECHANISMS, credentials).await.map_err(|e| judge(Step::Auth, &e))?;
        expect(Step::Auth, &reply, Severity::PositiveCompletion)
    }
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    mail: &Composed,
    progress: &Progress,
) -> Result<Delivered, MailError> {
    progress.at(Step::Sender);
    let sender = Mail::new(Some(mail.from.clone()), vec![]);
    let reply = connection.command(sender).await.map_err(|e| judge(Step::Sender, &e))?;
    expect(Step::Sender, &reply, Severity::PositiveCompletion)?;

    progress.at(Step::Recipient);
    let recipient = Rcpt::new(mail.to.clone(), vec![]);
    let reply = connection.command(recipient).await.map_err(|e| judge(Step::Recipient, &e))?;
    expect(Step::Recipient, &reply, Severity::PositiveCompletion)?;

    progress.at(Step::Data);
    let reply = connection.command(Data).await.map_err(|e| judge(Step::Data, &e))?;
    expect(Step::Data, &reply, Severity::PositiveIntermediate)?;

    // From the first byte of the content on, a broken conversation leaves us in doubt.
    progress.at(Step::Content);
    let reply = connection.message(&mail.bytes).await.map_err(|e| judge(Step::Content, &e))?;
    expect(Step::Content, &reply, Severity::PositiveCompletion)?;
    Ok(delivered(&reply))
}

fn delivered(reply: &Response) -> Delivered {
    let code = reply.code().to_string();
    let enhanced = reply.first_line().and_then(enhanced_code);
    Delivered { reply: enhanced.map_or_else(|| code.clone(), |e| format!("{code} {e}")) }
}

/// A positive answer of the wrong kind (354 where 250 belongs) means that the two sides no longer talk
/// about the same command.
fn expect(step: Step, reply: &Response, wanted: Severity) -> Result<(), MailError> {
    if reply.code().severity == wanted {
        Ok(())
    } else {
        Err(temporary(step, &format!("out of step, answer {}", reply.code())))
    }
}

fn temporary(step: Step, what: &str) -> MailError {
    MailError::Temporary { reason: format!("{}: {what}", step.words()), in_doubt: step.in_doubt() }
}

fn ours(step: Step, what: &str) -> MailError {
    MailError::misconfigured(format!("{}: {what}", step.words()))
}

/// What a failure at `step` means. Of the server's words only the codes are used: the text may repeat
/// addresses, and it is whatever the other side likes to send.
fn judge(step: Step, fault: &SmtpFault) -> MailError {
    let Some(code) = fault.status() else { return judge_broken(step, fault) };
    let text = std::error::Error::source(fault).map(ToString::to_string).unwrap_or_default();
    let enhanced = enhanced_code(&text);
    let what = enhanced.map_or_else(|| code.to_string(), |e| format!("{code} {e}"));
    if fault.is_permanent() {
        if is_our_fault(step, &code.to_string(), enhanced) {
            ours(step, &what)
        } else {
            MailError::permanent(format!("{}: {what}", step.words()))
        }
    } else {
        // A 4xx after the content is a clear "not delivered": no doubt.
        MailError::Temporary { reason: format!("{}: {what}", step.words()), in_doubt: false }
    }
}

/// Whether a 5xx speaks of us and not of this recipient or this mail. Before the recipient is named it can
/// only be us. Later the codes decide: "sign in first" and "out of order" (RFC 5321, RFC 4954), and of the
/// enhanced codes (RFC 3463) the sender's address (x.1.7, x.1.8), protocol (x.5) and policy (x.7). Taking a
/// policy refusal for a dead mailbox would mark every doctor unreachable once the relay stops trusting us.
fn is_our_fault(step: Step, code: &str, enhanced: Option<&str>) -> bool {
    if step < Step::Recipient {
        return true;
    }
    let mut numbers = enhanced.unwrap_or_default().split('.').skip(1);
    match (numbers.next(), numbers.next()) {
        (Some("5" | "7"), _) | (Some("1"), Some("7" | "8")) => true,
        (Some(_), _) => false,
        (None, _) => matches!(code, "500" | "502" | "503" | "530" | "534" | "535" | "538"),
    }
}

/// The enhanced status code at the start of a reply's text, `5.1.1`.
fn enhanced_code(text: &str) -> Option<&str> {
    let word = text.split([' ', '\n', '\r']).next()?;
    let mut parts = word.split('.');
    let class = parts.next()?;
    let number = |p: Option<&str>| {
        p.is_some_and(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let well_formed = matches!(class, "2" | "4" | "5") && number(parts.next()) && number(parts.next());
    (well_formed && parts.next().is_none()).then_some(word)
}

/// The conversation broke without an answer.
fn judge_broken(step: Step, fault: &SmtpFault) -> MailError {
    let mut cause = std::error::Error::source(fault);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            // rustls reports what it will not accept (a certificate, a record that is none) as bad data.
            if io.kind() == std::io::ErrorKind::InvalidData {
                return ours(Step::Tls, &printable(&io.to_string()));
            }
            return temporary(step, &io.kind().to_string());
        }
        cause = error.source();
    }
    if fault.is_client() {
        ours(step, "not possible with this server")
    } else {
        temporary(step, "the server hung up or made no sense")
    }
}

/// TLS errors name host names at most, but partly in the other side's words: short, one line, plain.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(120).collect()
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
