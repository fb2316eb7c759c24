//! A mail server that takes everything and remembers when. It never fails: failures are the tests' part.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// When the mails of one request came.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub first_recipient: Instant,
    pub last_taken: Instant,
    mails: usize,
}

#[derive(Debug)]
struct Shared {
    /// By the request that the mail names in `In-Reply-To`.
    seen: Mutex<BTreeMap<String, Seen>>,
    changed: watch::Sender<usize>,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
pub struct Sink {
    port: u16,
    shared: Arc<Shared>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared { seen: Mutex::default(), changed: watch::channel(0).0 });
        let takes = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&takes);
                // The client may hang up at any time.
                tokio::spawn(async move { hold(socket, &shared).await.ok() });
            }
        });
        Self { port, shared }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Waits until so many mails of the request were taken.
    pub async fn wait_for(&self, request: &str, mails: usize) -> Seen {
        let mut changed = self.shared.changed.subscribe();
        loop {
            if let Some(seen) = self.shared.seen().get(request).filter(|s| s.mails >= mails) {
                return *seen;
            }
            changed.changed().await.expect("the sink");
        }
    }
}

async fn hold(socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut wire = BufReader::new(socket);
    say(&mut wire, "220 sink.example.jp ESMTP").await?;
    let mut recipient = Instant::now();
    loop {
        let mut line = String::new();
        if wire.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => say(&mut wire, "250-sink.example.jp\r\n250 8BITMIME").await?,
            "RCPT" => {
                recipient = Instant::now();
                say(&mut wire, "250 ok").await?;
            }
            "DATA" => {
                say(&mut wire, "354 go on").await?;
                let request = request_named_in(&mut wire).await?;
                say(&mut wire, "250 taken").await?;
                note(shared, request, recipient);
            }
            "QUIT" => return say(&mut wire, "221 bye").await,
            _ => say(&mut wire, "250 ok").await?,
        }
    }
}

fn note(shared: &Shared, request: String, recipient: Instant) {
    let now = Instant::now();
    shared
        .seen()
        .entry(request)
        .and_modify(|seen| {
            seen.first_recipient = seen.first_recipient.min(recipient);
            seen.last_taken = now;
            seen.mails += 1;
        })
        .or_insert(Seen { first_recipient: recipient, last_taken: now, mails: 1 });
    shared.changed.send_modify(|count| *count += 1);
}

/// Reads the content to its end; the request in `In-Reply-To: <REQUEST.case@host>`, or nothing.
async fn request_named_in(wire: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut request = String::new();
    loop {
        let mut line = Vec::new();
        if wire.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(request);
        }
        let line = String::from_utf8_lossy(&line);
        if let Some((_, id)) = line.split_once("In-Reply-To: <") {
            id.split('.').next().unwrap_or_default().clone_into(&mut request);
        }
    }
}

async fn say(wire: &mut BufReader<TcpStream>, reply: &str) -> std::io::Result<()> {
    wire.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await
}
