//! A mail server inside the test that fails on command. It speaks plain SMTP with AUTH on a loopback port;
//! TLS is the real Postfix's part.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Where in the conversation a server can say no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Banner,
    Hello,
    Auth,
    Sender,
    Recipient,
    Data,
    /// After the final dot; the mail is not taken over.
    Content,
}

/// What one connection meets.
#[derive(Clone, Debug)]
pub enum Act {
    /// Takes the mail.
    Deliver,
    /// Accepts the connection and resets it at once.
    Refuse,
    /// Waits before the banner, then takes the mail.
    SlowBanner(Duration),
    /// Waits before answering the final dot; the mail is taken and the answer sent if the client waits.
    SlowAnswer(Duration),
    /// Answers this line at this point (`450 4.7.1 come back later`); everything before it goes well.
    Answer(At, &'static str),
    /// 450 for a recipient's first try, then takes the mail.
    Greylist,
    /// Takes the mail and never answers; the connection stays open.
    LoseReply,
    /// Takes the mail and resets the connection in place of the answer.
    ResetAfterContent,
    /// Resets the connection in the middle of the content; the mail is not taken.
    ResetInContent,
    /// Offers STARTTLS and appends forged plain-text replies to its answer.
    InjectAfterStartTls,
}

/// The acts of the first connections in order, then the one of all further ones.
#[derive(Clone, Debug)]
pub struct Script {
    first: VecDeque<Act>,
    then: Act,
}

impl Script {
    pub fn always(act: Act) -> Self {
        Self { first: VecDeque::new(), then: act }
    }

    /// `first` one by one, after that every mail is taken.
    pub fn first(first: impl IntoIterator<Item = Act>) -> Self {
        Self { first: first.into_iter().collect(), then: Act::Deliver }
    }

    pub fn then(mut self, act: Act) -> Self {
        self.then = act;
        self
    }
}

/// A mail whose content arrived in full, whether or not the client was told so.
#[derive(Clone, Debug)]
pub struct ReceivedMail {
    /// The envelope, without angle brackets.
    pub from: String,
    pub to: Vec<String>,
    /// The message with dot-stuffing undone.
    pub bytes: Vec<u8>,
    /// Whether the client was told 250.
    pub answered: bool,
    /// The connection it came by, counted from 1.
    pub connection: usize,
}

impl ReceivedMail {
    fn parsed(&self) -> mail_parser::Message<'_> {
        mail_parser::MessageParser::default().parse(&self.bytes).expect("a mail that parses")
    }

    /// With angle brackets.
    pub fn message_id(&self) -> String {
        format!("<{}>", self.parsed().message_id().unwrap_or_default())
    }

    pub fn subject(&self) -> String {
        self.parsed().subject().unwrap_or_default().to_owned()
    }

    /// The plain text part, decoded.
    pub fn text(&self) -> String {
        self.parsed().body_text(0).unwrap_or_default().replace("\r\n", "\n")
    }

    /// The HTML part, decoded.
    pub fn html(&self) -> String {
        self.parsed().body_html(0).unwrap_or_default().into_owned()
    }
}

#[derive(Debug)]
struct State {
    script: Script,
    received: Vec<ReceivedMail>,
    greylisted: BTreeSet<String>,
    connections: usize,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Counts mails, for those who wait.
    changed: watch::Sender<usize>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server; it stops when dropped.
#[derive(Debug)]
pub struct FaultySmtp {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for FaultySmtp {
    fn drop(&mut self) {
        // Ends the connections too: their set lives in this task.
        self.serving.abort();
    }
}

impl FaultySmtp {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(script: Script) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), script)
    }

    /// Serves a port that somebody else has opened, for instance after it was shut for a while.
    pub fn on(listener: TcpListener, script: Script) -> Self {
        let address = listener.local_addr().expect("an address");
        let state = State { script, received: Vec::new(), greylisted: BTreeSet::new(), connections: 0 };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: watch::channel(0).0 });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, serving }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes what further connections meet: an outage begins, or ends.
    pub fn now(&self, script: Script) {
        self.shared.state().script = script;
    }

    /// Everything taken so far, in order of arrival.
    pub fn received(&self) -> Vec<ReceivedMail> {
        self.shared.state().received.clone()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Waits until `count` mails are there; fails the test when they do not come.
    pub async fn wait_for(&self, count: usize, patience: Duration) -> Vec<ReceivedMail> {
        let mut changed = self.shared.changed.subscribe();
        let enough = tokio::time::timeout(patience, changed.wait_for(|have| *have >= count)).await;
        let received = self.received();
        assert!(enough.is_ok(), "{} of {count} mails after {patience:?}", received.len());
        received
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut conversations = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (act, connection) = {
            let mut state = shared.state();
            state.connections += 1;
            let act = state.script.first.pop_front().unwrap_or_else(|| state.script.then.clone());
            (act, state.connections)
        };
        let shared = Arc::clone(&shared);
        conversations.spawn(async move {
            let conversation = Conversation { act, connection, shared };
            // The client may hang up at any time.
            let _ = conversation.hold(socket).await;
        });
        while conversations.try_join_next().is_some() {}
    }
}

struct Conversation {
    act: Act,
    connection: usize,
    shared: Arc<Shared>,
}

type Wire = BufReader<TcpStream>;

impl Conversation {
    async fn hold(self, socket: TcpStream) -> std::io::Result<()> {
        let mut wire = BufReader::new(socket);
        match &self.act {
            Act::Refuse => return reset(wire),
            Act::SlowBanner(wait) => pause(*wait).await,
            _ => {}
        }
        if !self.say(&mut wire, At::Banner, "220 fake.example.jp ESMTP").await? {
            return Ok(());
        }
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let mut line = String::new();
            if wire.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match word.as_str() {
                "EHLO" | "HELO" => {
                    let tls =
                        if matches!(self.act, Act::InjectAfterStartTls) { "250-STARTTLS\r\n" } else { "" };
                    let features = format!(
                        "250-fake.example.jp\r\n250-ENHANCEDSTATUSCODES\r\n{tls}250-AUTH PLAIN LOGIN\r\n250 8BITMIME"
                    );
                    self.say(&mut wire, At::Hello, &features).await?;
                }
                "STARTTLS" => {
                    put(&mut wire, "220 2.0.0 go ahead\r\n250-fake.example.jp\r\n250 AUTH PLAIN").await?;
                }
                "AUTH" => {
                    self.say(&mut wire, At::Auth, "235 2.7.0 welcome").await?;
                }
                "MAIL" => {
                    from = path(line);
                    self.say(&mut wire, At::Sender, "250 2.1.0 ok").await?;
                }
                "RCPT" => {
                    let recipient = path(line);
                    if matches!(self.act, Act::Greylist)
                        && self.shared.state().greylisted.insert(recipient.clone())
                    {
                        put(&mut wire, "450 4.2.0 greylisted, come back later").await?;
                    } else if self.say(&mut wire, At::Recipient, "250 2.1.5 ok").await? {
                        to.push(recipient);
                    }
                }
                "DATA" => {
                    if !self.say(&mut wire, At::Data, "354 end with a dot").await? {
                        continue;
                    }
                    if matches!(self.act, Act::ResetInContent) {
                        wire.read_u8().await?;
                        return reset(wire);
                    }
                    let bytes = content(&mut wire).await?;
                    let mail = (std::mem::take(&mut from), std::mem::take(&mut to), bytes);
                    match &self.act {
                        Act::Answer(At::Content, reply) => put(&mut wire, reply).await?,
                        Act::LoseReply => {
                            self.keep(mail, false);
                            // Silent until the client has had enough.
                            let mut rest = Vec::new();
                            wire.read_to_end(&mut rest).await?;
                            return Ok(());
                        }
                        Act::ResetAfterContent => {
                            self.keep(mail, false);
                            return reset(wire);
                        }
                        act => {
                            if let Act::SlowAnswer(wait) = act {
                                pause(*wait).await;
                            }
                            let answered = put(&mut wire, "250 2.0.0 taken").await;
                            self.keep(mail, answered.is_ok());
                            answered?;
                        }
                    }
                }
                "NOOP" | "RSET" => put(&mut wire, "250 2.0.0 ok").await?,
                "QUIT" => {
                    put(&mut wire, "221 2.0.0 bye").await?;
                    return Ok(());
                }
                _ => put(&mut wire, "502 5.5.2 what?").await?,
            }
        }
    }

    /// Says `good`, or what the act wants said here; whether it was `good`. A refusal by 421 or at the
    /// banner hangs up as RFC 5321 has it.
    async fn say(&self, wire: &mut Wire, at: At, good: &str) -> std::io::Result<bool> {
        match &self.act {
            Act::Answer(here, reply) if *here == at => {
                put(wire, reply).await?;
                if reply.starts_with("421") || at == At::Banner {
                    wire.get_mut().shutdown().await?;
                }
                Ok(false)
            }
            _ => put(wire, good).await.map(|()| true),
        }
    }

    fn keep(&self, (from, to, bytes): (String, Vec<String>, Vec<u8>), answered: bool) {
        let mail = ReceivedMail { from, to, bytes, answered, connection: self.connection };
        let have = {
            let mut state = self.shared.state();
            state.received.push(mail);
            state.received.len()
        };
        self.shared.changed.send_replace(have);
    }
}

async fn put(wire: &mut Wire, reply: &str) -> std::io::Result<()> {
    wire.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await
}

/// What stands between the outer angle brackets of MAIL and RCPT.
fn path(line: &str) -> String {
    let from = line.find('<').map_or(0, |at| at + 1);
    let to = line.rfind('>').unwrap_or(line.len());
    line.get(from..to).unwrap_or_default().to_owned()
}

async fn content(wire: &mut Wire) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        if wire.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

/// Closes with RST instead of FIN.
fn reset(wire: Wire) -> std::io::Result<()> {
    wire.into_inner().set_zero_linger()
}

#[expect(clippy::disallowed_methods, reason = "a slow server is slow in real time")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
