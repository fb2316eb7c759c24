//! The unencrypted start of an SMTP conversation. Not the conversation itself, and no TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How much is read from the socket at once.
const CHUNK_BYTES: usize = 1024;

/// A connection that hands over one line per read.
///
/// The SMTP client above reads through a buffer and keeps that buffer when it starts TLS. Whoever sits on
/// the wire could append forged replies to the answer to STARTTLS, and they would count as said under TLS
/// (the response injection of CVE-2011-0411's family). Line by line, its buffer is empty when TLS begins,
/// and anything forged goes into the handshake, which then fails.
#[derive(Debug)]
pub struct LineAtATime {
    socket: TcpStream,
    /// Received, not handed over yet; in order, starting at `next`.
    held: Vec<u8>,
    next: usize,
}

impl LineAtATime {
    pub const fn new(socket: TcpStream) -> Self {
        Self { socket, held: Vec::new(), next: 0 }
    }
}

impl AsyncRead for LineAtATime {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.next >= this.held.len() {
            let mut chunk = [0u8; CHUNK_BYTES];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.socket).poll_read(cx, &mut chunk))?;
            this.held.clear();
            this.held.extend_from_slice(chunk.filled());
            this.next = 0;
        }
        let waiting = this.held.get(this.next..).unwrap_or_default();
        let line = waiting.iter().position(|b| *b == b'\n').map_or(waiting.len(), |at| at + 1);
        let handed = line.min(out.remaining());
        out.put_slice(waiting.get(..handed).unwrap_or_default());
        this.next += handed;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineAtATime {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineAtATime {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }
}
