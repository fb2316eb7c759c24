//! A small office behind the real server, and a client that sends exactly the bytes it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Extension;
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use touban::i18n::Lang;
use touban::ids::SeededChance;
use touban::web::edge::{ClientAddress, Edge, Framing};
use touban::web::extract::ApiJson;
use touban::web::problem::Problem;
use touban::web::server::{Limits, serve};
use touban::web::trust::{Networks, Site};

/// Longer than anything here should take, so that a hang fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

/// What the handlers of the test's office have seen.
#[derive(Default)]
pub struct Seen {
    pub changes: AtomicU32,
    pub entered: Notify,
    pub go_on: Notify,
}

fn office(seen: &Arc<Seen>) -> Router {
    let (changing, waiting) = (Arc::clone(seen), Arc::clone(seen));
    let api_changing = Arc::clone(seen);
    Router::new()
        .route("/", get(|| async { axum::response::Html("<p>当番</p>") }))
        .route(
            "/answer",
            post(async move || {
                changing.changes.fetch_add(1, Ordering::SeqCst);
                "answered"
            }),
        )
        .route("/k/{token}", get(async || "page"))
        .route("/form", post(|Form(note): Form<Note>| async move { note.text }))
        .route(
            "/assets/a.1234.js",
            get(|| async { ([(header::CACHE_CONTROL, "public, max-age=31536000, immutable")], "1") }),
        )
        .route(
            "/who",
            get(|Extension(ClientAddress(ip)): Extension<ClientAddress>| async move { ip.to_string() }),
        )
        .route("/broken", get(async || -> &'static str { panic!("a handler of the test breaks") }))
        .route(
            "/api/v1/notes",
            post(async move |ApiJson(note): ApiJson<Note>| -> Result<Json<Value>, Problem> {
                api_changing.changes.fetch_add(1, Ordering::SeqCst);
                Ok(Json(json!({ "length": note.text.len() })))
            }),
        )
        .route("/api/v1/plain", post(|Json(note): Json<Note>| async move { note.text }))
        .route("/api/v1/broken", get(async || -> &'static str { panic!("a handler of the test breaks") }))
        .route(
            "/slow",
            get(async move || {
                waiting.entered.notify_one();
                waiting.go_on.notified().await;
                "done"
            }),
        )
        .route(
            "/long",
            get(async || {
                let piece = || Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b'x'; 65_536]));
                Body::from_stream(stream::repeat_with(piece).take(1_000))
            }),
        )
}

fn page(status: StatusCode, lang: Lang) -> String {
    let words =
        if lang == Lang::Ja { "ページを表示できません" } else { "This page cannot be shown" };
    format!("<!doctype html><title>{}</title><p>{words}", status.as_u16())
}

pub fn edge(site: Site, trusted_proxies: Networks) -> Edge {
    Edge {
        site,
        trusted_proxies,
        boot_id: "01TESTBOOT".into(),
        framing: Framing::Nobody,
        error_page: page,
        chance: Arc::new(SeededChance::new(1)),
    }
}

pub struct Running {
    pub address: SocketAddr,
    pub seen: Arc<Seen>,
    pub stop: oneshot::Sender<()>,
    pub server: JoinHandle<std::io::Result<()>>,
}

pub async fn start_with(edge: Edge, limits: Limits) -> Running {
    let seen = Arc::<Seen>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = edge.apply(office(&seen)).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, router, limits, async {
        let _ = stopped.await;
    }));
    Running { address, seen, stop, server }
}

pub async fn start(limits: Limits) -> Running {
    start_with(edge(Site::Loopback, Networks::none()), limits).await
}

impl Running {
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.server).await.unwrap().unwrap().unwrap();
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes as they are and reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        Answer::read_to_end(&mut stream).await
    }

    /// A request with `Host: localhost` and `connection: close`.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            text.push_str("host: localhost\r\n");
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.raw(text.as_bytes()).await
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub async fn read_to_end(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes").unwrap();
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let first = found.next();
        assert_eq!(found.next(), None, "{name} stands once");
        first
    }

    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let value: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(value["status"], self.status);
        value
    }

    #[track_caller]
    pub fn is_guarded(&self) {
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; \
                 connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex"),
            ("cache-control", "no-store"),
            ("x-boot-id", "01TESTBOOT"),
        ] {
            assert_eq!(self.header(name), Some(value), "{name} of {self:?}");
        }
        let permissions = self.header("permissions-policy").unwrap();
        assert!(
            permissions.contains("camera=()") && permissions.split(", ").all(|p| p.ends_with("=()")),
            "{permissions}"
        );
        assert_eq!(self.header("x-request-id").map(str::len), Some(26));
    }
}
