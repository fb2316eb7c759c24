//! Accepts connections and speaks HTTP/1.1 on them, with a bound on everything a peer can make us wait for
//! or hold. What is answered lives in `edge` and behind it.
//!
//! Not `axum::serve`: it sets no timer, so that half a request keeps its connection for ever.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tower::ServiceExt;

use super::edge::{Peer, ProtocolRefusal};
use super::trust::{Networks, client_unit};
use super::wire::{Answer, Bounded, Exchange, Waits, Wire, read_whole};

/// The bounds of the server. `Default` gives the documented ones.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Connections at once of one client (an IPv4 address or an IPv6 /64); further ones are closed.
    pub max_connections_per_client: usize,
    /// Peers without a limit of their own: the machine itself and the reverse proxies, from which all
    /// connections come.
    pub without_client_limit: Networks,
    /// Request line and headers together.
    pub header_bytes: usize,
    /// The body of a request.
    pub body_bytes: usize,
    /// Paths (by prefix) whose bodies may be larger, such as imports; the first that fits counts.
    pub larger_bodies: Vec<(String, usize)>,
    /// From the first byte of a request to the end of its head; also from the connection to its first
    /// request.
    pub header_timeout: Duration,
    /// From the end of the head to the end of the body.
    pub body_timeout: Duration,
    /// Between two requests on one connection.
    pub keep_alive_timeout: Duration,
    /// For the client to take any of our bytes.
    pub write_timeout: Duration,
    /// For running requests, once asked to stop.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1_024,
            max_connections_per_client: 32,
            without_client_limit: Networks::loopback(),
            header_bytes: 16 * 1_024,
            body_bytes: 64 * 1_024,
            // A sheet of 5 MB and the form around it; a rota of as many duties as one publication may have.
            larger_bodies: [
                ("/sheets/import", (5 << 20) + (64 << 10)),
                ("/rota/sheets", (5 << 20) + (64 << 10)),
                // 64 KB of Japanese text are three times as much in a form; what is longer is told in words.
                ("/ledger/tariffs", 1 << 20),
                ("/api/v1/rotas", 6 << 20),
            ]
            .map(|(path, bytes)| (path.to_owned(), bytes))
            .into(),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            keep_alive_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(5),
        }
    }
}

impl Limits {
    fn body_bytes_for(&self, path: &str) -> usize {
        let larger = self.larger_bodies.iter().find(|(prefix, _)| path.starts_with(prefix.as_str()));
        larger.map_or(self.body_bytes, |(_, bytes)| *bytes)
    }
}

/// Serves `router` on `listener` until `shutdown` is ready; then stops listening, lets running requests
/// finish for `stop_timeout`, and returns. The router must have gone through [`super::edge::Edge::apply`].
///
/// Cancelling a request cancels its handler: what must be finished runs in a task of its own.
///
/// # Errors
/// None at present: an accept error is logged and tried again, since the descriptors or the memory it
/// lacked come back when connections end.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let limits = Arc::new(limits);
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let clients = Arc::new(Clients::default());
    let (stop, stopped) = watch::channel(false);
    let mut connections: JoinSet<()> = JoinSet::new();
    let mut shutdown = pin!(shutdown);

    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                report_panic(&ended);
                continue;
            }
            accepted = next_connection(&mut listener, &permits) => accepted,
        };
        let (stream, peer, permit) = accepted;
        let Some(place) = clients.enter(peer.ip(), &limits) else {
            tracing::debug!(
                "Closed a connection: its client has {} already",
                limits.max_connections_per_client
            );
            continue;
        };
        let connection = Connection {
            router: router.clone(),
            limits: Arc::clone(&limits),
            peer,
            exchange: Arc::default(),
            permits: Arc::clone(&permits),
            stopped: stopped.clone(),
        };
        connections.spawn(async move {
            connection.run(stream).await;
            drop((place, permit));
        });
    }

    drop(listener);
    let deadline = Instant::now() + limits.stop_timeout;
    let _ = stop.send(true);
    while let Ok(Some(ended)) = timeout_at(deadline, connections.join_next()).await {
        report_panic(&ended);
    }
    if !connections.is_empty() {
        tracing::warn!("Cut {} connections that did not finish in time", connections.len());
        connections.shutdown().await;
    }
    Ok(())
}

fn report_panic(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(e) = ended
        && e.is_panic()
    {
        tracing::error!("A connection ended by a panic outside of any handler");
    }
}

/// Where connections come from, so that a test can make it fail.
trait Door {
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Door for TcpListener {
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        Self::accept(self)
    }
}

/// The next connection and the permit it holds. Waits for a permit first, so that what we cannot serve
/// stays in the kernel's queue. Running out of descriptors or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM) is
/// waited out, doubling from 10 ms to 1 s.
async fn next_connection(
    door: &mut impl Door,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let permit = loop {
        match Arc::clone(permits).acquire_owned().await {
            Ok(permit) => break permit,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    };
    let mut back_off = Duration::from_millis(10);
    loop {
        match door.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(e) if is_the_peers(&e) => {
                tracing::debug!(error = %e, "A connection was gone before it was taken")
            }
            Err(e) => {
                tracing::error!(error = %e, "Accepting connections failed; trying again in {back_off:?}");
                sleep_until(Instant::now() + back_off).await;
                back_off = (back_off * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Errors of one connection, reported by `accept(2)` because it had not been taken yet.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// How many connections each client has.
#[derive(Debug, Default)]
struct Clients(Mutex<BTreeMap<IpAddr, usize>>);

impl Clients {
    fn enter(self: &Arc<Self>, peer: IpAddr, limits: &Limits) -> Option<Place> {
        if limits.without_client_limit.contains(peer) {
            return Some(Place(None));
        }
        let client = client_unit(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_insert(0);
        if *count >= limits.max_connections_per_client {
            return None;
        }
        *count += 1;
        Some(Place(Some((Arc::clone(self), client))))
    }
}

/// A client's connection among those it may have; given back when dropped.
#[derive(Debug)]
struct Place(Option<(Arc<Clients>, IpAddr)>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((clients, client)) = self.0.take() {
            let mut counts = clients.0.lock().unwrap_or_else(PoisonError::into_inner);
            match counts.get_mut(&client) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(counts.remove(&client)),
            }
        }
    }
}

struct Connection {
    router: Router,
    limits: Arc<Limits>,
    peer: SocketAddr,
    exchange: Arc<Exchange>,
    permits: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        let limits = &self.limits;
        // Answers are small and complete; waiting to fill a segment only delays them.
        let _ = stream.set_nodelay(true);
        let waits = Waits {
            head: limits.header_timeout,
            idle: limits.keep_alive_timeout,
            write: limits.write_timeout,
        };
        let wire = Wire::new(stream, Arc::clone(&self.exchange), waits);
        let service = service_fn(|request| self.answer(request));
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // `Wire` keeps the two waits apart; hyper knows only their sum, as a second wall.
            .header_read_timeout(limits.header_timeout + limits.keep_alive_timeout)
            .max_header_size(limits.header_bytes)
            .serve_connection(TokioIo::new(wire), service);

        let mut stopped = self.stopped.clone();
        let ended = tokio::select! {
            ended = &mut connection => Some(ended),
            _ = stopped.wait_for(|s| *s) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                Pin::new(&mut connection).graceful_shutdown();
                (&mut connection).await
            }
        };
        if let Err(e) = &ended {
            tracing::debug!(error = e as &dyn std::error::Error, "A connection ended early");
        }
        let mut wire = connection.into_parts().io.into_inner();
        if let Some(status) = wire.refused() {
            wire.release();
            if let Err(e) = self.refuse(&mut wire, status).await {
                tracing::debug!(error = %e, "A refusal could not be sent");
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        let open = self.exchange.begin();
        let limit = self.limits.body_bytes_for(request.uri().path());
        let asks_first = request.headers().contains_key(header::EXPECT);
        let mut request =
            request.map(|body| Body::new(Bounded::new(body, limit, self.limits.body_timeout, asks_first)));
        request.extensions_mut().insert(Peer(self.peer.ip()));
        let mut response = self.router.clone().oneshot(request).await?;
        // When three quarters of the connections are taken, none may be kept for later.
        if self.permits.available_permits() < self.limits.max_connections / 4 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| Answer::new(body, open)))
    }

    /// Answers bytes that are no request, or one with too large a head, with all the headers every other
    /// answer has: hyper's own would have none.
    async fn refuse(&self, wire: &mut Wire, status: StatusCode) -> io::Result<()> {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(Peer(self.peer.ip()));
        request.extensions_mut().insert(ProtocolRefusal(status));
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let body = read_whole(body).await.unwrap_or_default();
        let mut text =
            format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or(""));
        for (name, value) in &head.headers {
            if name != header::CONTENT_LENGTH && name != header::CONNECTION {
                text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or("")));
            }
        }
        text.push_str(&format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len()));
        wire.write_all(text.as_bytes()).await?;
        wire.write_all(&body).await?;
        wire.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Jammed {
        listener: TcpListener,
        calls: u32,
    }

    impl Door for Jammed {
        async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
            self.calls += 1;
            match self.calls {
                1..=3 => Err(io::Error::from_raw_os_error(24)), // EMFILE
                4 => Err(io::ErrorKind::ConnectionAborted.into()),
                _ => self.listener.accept().await,
            }
        }
    }

    #[tokio::test]
    async fn running_out_of_descriptors_is_waited_out_without_spinning() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let mut door = Jammed { listener, calls: 0 };
        let began = Instant::now();
        let permits = Arc::new(Semaphore::new(1));
        let (_stream, peer, permit) = next_connection(&mut door, &permits).await;
        assert!(peer.ip().is_loopback());
        assert_eq!(door.calls, 5);
        let waited = began.elapsed();
        assert!(waited >= Duration::from_millis(10 + 20 + 40), "{waited:?}");
        drop(permit);
        assert_eq!(permits.available_permits(), 1);
    }

    #[test]
    fn a_client_gets_its_number_of_connections_and_a_proxy_any_number() {
        let limits = Limits { max_connections_per_client: 2, ..Limits::default() };
        let clients = Arc::new(Clients::default());
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let first = clients.enter(client, &limits).unwrap();
        let _second = clients.enter(client, &limits).unwrap();
        assert!(clients.enter(client, &limits).is_none());
        assert!(clients.enter("192.0.2.2".parse().unwrap(), &limits).is_some());
        drop(first);
        assert!(clients.enter(client, &limits).is_some());
        let own: Vec<_> = (0..10).map(|_| clients.enter(IpAddr::from([127, 0, 0, 1]), &limits)).collect();
        assert!(own.iter().all(Option::is_some));
        drop(_second);
        assert_eq!(clients.0.lock().unwrap().len(), 0, "no client is remembered after its last connection");
    }

    #[test]
    fn imports_may_be_larger_than_other_requests() {
        let limits = Limits { larger_bodies: vec![("/api/v1/imports".into(), 5 << 20)], ..Limits::default() };
        assert_eq!(limits.body_bytes_for("/api/v1/imports/members"), 5 << 20);
        assert_eq!(limits.body_bytes_for("/api/v1/members"), 64 << 10);
        // 20,000 duties of some 270 bytes, and a sheet of an office.
        let shipped = Limits::default();
        assert!(shipped.body_bytes_for("/api/v1/rotas") > 20_000 * 270);
        assert!(shipped.body_bytes_for("/rota/sheets") > 5 << 20);
        assert_eq!(shipped.body_bytes_for("/rota/settings"), 64 << 10);
    }
}
