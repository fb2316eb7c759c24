//! One connection's bytes: the waits hyper does not bound itself, and bodies with a size and a deadline.
//! Who may connect, and what is answered, lives in `server` and `edge`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a connection we have closed is still read, so that the client sees our last answer: closing
/// with unread bytes makes the kernel send a reset, which destroys it.
const LINGER: Duration = Duration::from_secs(1);
/// How much is read and thrown away meanwhile.
const LINGER_BYTES: usize = 1 << 20;

/// Which part of the conversation a connection is in, shared between its bytes and its service.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    calls: AtomicU64,
    open: AtomicBool,
}

impl Exchange {
    /// A request's head has been read. The guard goes into the response body and ends the exchange.
    pub(super) fn begin(self: &Arc<Self>) -> ExchangeOpen {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.open.store(true, Ordering::SeqCst);
        ExchangeOpen(Arc::clone(self))
    }
}

/// Until this is dropped, a request is being answered.
#[derive(Debug)]
pub(super) struct ExchangeOpen(Arc<Exchange>);

impl Drop for ExchangeOpen {
    fn drop(&mut self) {
        self.0.open.store(false, Ordering::SeqCst);
    }
}

/// How long a connection may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// From the first byte of a request (for the first: from the connection) to the end of its head.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// For the client to take any of our bytes.
    pub write: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// A request is being answered; its body has its own deadline.
    No,
    ForARequest,
    ForTheHead,
}

/// A TCP stream that gives up on a peer who keeps it waiting, and holds back hyper's own answer to bytes
/// that are no HTTP, so that the server can give ours.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    exchange: Arc<Exchange>,
    waits: Waits,
    seen_calls: u64,
    waiting: Waiting,
    read_timer: Pin<Box<Sleep>>,
    write_timer: Option<Pin<Box<Sleep>>>,
    /// Bytes of an answer may still sit in hyper's buffer.
    answer_unflushed: bool,
    refused: Option<StatusCode>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, exchange: Arc<Exchange>, waits: Waits) -> Self {
        Self {
            stream,
            exchange,
            waits,
            seen_calls: 0,
            waiting: Waiting::ForTheHead,
            read_timer: Box::pin(sleep_until(Instant::now() + waits.head)),
            write_timer: None,
            answer_unflushed: false,
            refused: None,
            linger: None,
        }
    }

    /// The status hyper wanted to answer on its own, because the bytes were not a request it accepts.
    pub(super) const fn refused(&self) -> Option<StatusCode> {
        self.refused
    }

    /// Lets bytes through again after `refused`.
    pub(super) const fn release(&mut self) {
        self.refused = None;
        self.answer_unflushed = true;
    }

    fn wait_for(&mut self, waiting: Waiting) {
        if self.waiting != waiting {
            self.waiting = waiting;
            let wait = if waiting == Waiting::ForTheHead { self.waits.head } else { self.waits.idle };
            self.read_timer.as_mut().reset(Instant::now() + wait);
        }
    }

    fn notice_calls(&mut self) {
        let calls = self.exchange.calls.load(Ordering::SeqCst);
        if calls != self.seen_calls {
            self.seen_calls = calls;
            self.answer_unflushed = true;
            self.waiting = Waiting::No;
        }
    }

    /// Whether hyper is about to write although nobody asked our service anything.
    fn is_refusal(&mut self, bytes: &[u8]) -> bool {
        self.notice_calls();
        if self.refused.is_some() {
            return true;
        }
        if self.answer_unflushed || !bytes.starts_with(b"HTTP/1.") {
            return false;
        }
        self.refused = bytes.get(9..12).and_then(|code| StatusCode::from_bytes(code).ok());
        self.refused.is_some()
    }

    fn bound_write<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let wait = self.waits.write;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + wait)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.notice_calls();
        let answering = this.exchange.open.load(Ordering::SeqCst);
        if !answering && this.waiting == Waiting::No {
            this.wait_for(Waiting::ForARequest);
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                if !answering && buf.filled().len() > before {
                    // Bytes that are always ready are bounded by the size of the head, not by this timer.
                    this.wait_for(Waiting::ForTheHead);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            Poll::Pending if answering => Poll::Pending,
            Poll::Pending => {
                ready!(this.read_timer.as_mut().poll(cx));
                match this.waiting {
                    Waiting::ForTheHead => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                    // As if the client had hung up: nothing was begun, nothing is refused.
                    Waiting::No | Waiting::ForARequest => Poll::Ready(Ok(())),
                }
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_refusal(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.bound_write(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first: &[u8] = bufs.iter().find(|b| !b.is_empty()).map_or(&[], |b| b);
        if this.is_refusal(first) {
            return Poll::Ready(Ok(bufs.iter().map(|b| b.len()).sum()));
        }
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.bound_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.notice_calls();
        // hyper flushes only when its buffer is empty; what comes after the last exchange is its own.
        if !this.exchange.open.load(Ordering::SeqCst) && this.refused.is_none() {
            this.answer_unflushed = false;
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.refused.is_some() {
            return Poll::Ready(Ok(()));
        }
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let (timer, left) =
            this.linger.get_or_insert_with(|| (Box::pin(sleep_until(Instant::now() + LINGER)), LINGER_BYTES));
        let mut scratch = [0u8; 4096];
        while *left > 0 {
            let mut buf = ReadBuf::new(&mut scratch);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    *left = left.saturating_sub(buf.filled().len());
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(timer.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Why a request's body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyRefused {
    /// More bytes than the limit.
    #[error("the request's body is too large")]
    TooLarge,
    /// Not complete in time.
    #[error("the request's body did not arrive in time")]
    TooSlow,
    /// The connection broke, or the bytes were not what the head announced.
    #[error("the request's body could not be read")]
    Broken,
}

/// A request body with a limit and a deadline for the whole of it.
#[derive(Debug)]
pub(super) struct Bounded {
    inner: Incoming,
    left: usize,
    /// What is still read and thrown away once the limit is passed, so that the refusal can be heard.
    to_discard: usize,
    state: BodyState,
    wait: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyState {
    Taking,
    Discarding,
    Over,
}

impl Bounded {
    /// `asks_first`: the client waits for `100 Continue`, so a body announced as too large is refused
    /// unread.
    pub(super) fn new(inner: Incoming, limit: usize, wait: Duration, asks_first: bool) -> Self {
        let announced = inner.size_hint().lower();
        let too_large = announced > u64::try_from(limit).unwrap_or(u64::MAX);
        let (state, to_discard) = match (too_large, asks_first) {
            (true, true) => (BodyState::Discarding, 0),
            (true, false) => (BodyState::Discarding, LINGER_BYTES),
            (false, _) => (BodyState::Taking, LINGER_BYTES),
        };
        Self { inner, left: limit, to_discard, state, wait, timer: None }
    }

    fn over(&mut self, why: BodyRefused) -> Poll<Option<Result<Frame<Bytes>, BodyRefused>>> {
        self.state = BodyState::Over;
        Poll::Ready(Some(Err(why)))
    }
}

impl Body for Bounded {
    type Data = Bytes;
    type Error = BodyRefused;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyRefused>>> {
        let this = self.get_mut();
        loop {
            match this.state {
                BodyState::Over => return Poll::Ready(None),
                BodyState::Discarding if this.to_discard == 0 => return this.over(BodyRefused::TooLarge),
                BodyState::Discarding | BodyState::Taking => {}
            }
            let discarding = this.state == BodyState::Discarding;
            match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Ready(None) if discarding => return this.over(BodyRefused::TooLarge),
                Poll::Ready(None) => {
                    this.state = BodyState::Over;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(_))) => {
                    let why = if discarding { BodyRefused::TooLarge } else { BodyRefused::Broken };
                    return this.over(why);
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let size = frame.data_ref().map_or(0, Bytes::len);
                    if discarding {
                        this.to_discard = this.to_discard.saturating_sub(size);
                    } else if size > this.left {
                        this.state = BodyState::Discarding;
                    } else {
                        this.left -= size;
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Pending => {
                    let wait = this.wait;
                    let timer =
                        this.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + wait)));
                    ready!(timer.as_mut().poll(cx));
                    return this.over(if discarding { BodyRefused::TooLarge } else { BodyRefused::TooSlow });
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.state == BodyState::Over || (self.state == BodyState::Taking && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A response body that ends the exchange when it has been sent or dropped.
#[derive(Debug)]
pub(super) struct Answer {
    inner: axum::body::Body,
    _open: ExchangeOpen,
}

impl Answer {
    pub(super) const fn new(inner: axum::body::Body, open: ExchangeOpen) -> Self {
        Self { inner, _open: open }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a body to its end.
///
/// # Errors
/// What `Bounded` says, also through the layers of error types put around it.
pub(super) async fn read_whole(body: axum::body::Body) -> Result<Bytes, BodyRefused> {
    match body.collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) => {
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
            while let Some(e) = cause {
                if let Some(why) = e.downcast_ref::<BodyRefused>() {
                    return Err(*why);
                }
                cause = e.source();
            }
            Err(BodyRefused::Broken)
        }
    }
}
