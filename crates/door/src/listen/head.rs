//! The time limit for heads of requests over HTTP/1, from their first byte to their last.
//!
//! Between two requests a connection may be silent for longer than a head may take, so the limit starts with the first
//! byte of a head. Bodies and answers have limits of their own. A connection that turns out to speak HTTP/2, or
//! something else after an upgrade, is left alone. What was read together with the end of another request starts no
//! limit before more bytes come: the limit for idle connections ends that.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Largest head of a request in bytes, checked after each read of up to as many again; a larger one is answered with 431.
pub(super) const HEAD_BYTES_MAX: usize = 64 << 10;

/// The first bytes of an HTTP/2 connection.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The requests of a connection, as its stream sees them.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    n_begun: AtomicU64,
    n_ended: AtomicU64,
    is_free: AtomicBool,
}

/// A request whose head is complete; dropped when its answer is.
#[derive(Debug)]
pub(super) struct Exchange(Exchanges);

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.0.n_ended.fetch_add(1, Ordering::Release);
    }
}

impl Exchanges {
    /// Counts a request whose head is complete.
    pub(super) fn begin(&self) -> Exchange {
        self.0.n_begun.fetch_add(1, Ordering::Release);
        Exchange(self.clone())
    }

    /// Takes the limit off: no heads of HTTP/1 follow.
    pub(super) fn free(&self) {
        self.0.is_free.store(true, Ordering::Release);
    }

    /// Returns the number of the head that is expected, unless a request is being answered or no head follows.
    fn expected(&self) -> Option<u64> {
        let n_begun = self.0.n_begun.load(Ordering::Acquire);
        let is_between = n_begun == self.0.n_ended.load(Ordering::Acquire);
        (is_between && !self.0.is_free.load(Ordering::Acquire)).then_some(n_begun)
    }
}

/// A stream that fails when the head of a request takes too long.
pub(super) struct HeadTimeout<S> {
    stream: S,
    exchanges: Exchanges,
    time_max: Duration,
    /// The head under way, and when its time is over.
    until: Option<(u64, Pin<Box<Sleep>>)>,
    /// How much of the stream so far is HTTP/2's beginning; nothing once it is something else.
    n_preface: Option<usize>,
}

impl<S> HeadTimeout<S> {
    pub(super) fn new(stream: S, exchanges: Exchanges, time_max: Duration) -> Self {
        Self { stream, exchanges, time_max, until: None, n_preface: Some(0) }
    }

    /// Reports whether the head under way has had its time.
    fn is_late(&mut self, expected: Option<u64>, context: &mut Context<'_>) -> bool {
        self.until.take_if(|(head, _)| Some(*head) != expected);
        self.until.as_mut().is_some_and(|(_, until)| until.as_mut().poll(context).is_ready())
    }

    /// Notes bytes that came while a head was expected.
    fn note(&mut self, bytes: &[u8], head: u64) {
        if let Some(n_known) = self.n_preface {
            let rest = &PREFACE[n_known..];
            let n_more = bytes.len().min(rest.len());
            self.n_preface = (bytes[..n_more] == rest[..n_more]).then_some(n_known + n_more);
            if self.n_preface == Some(PREFACE.len()) {
                self.n_preface = None;
                return self.exchanges.free();
            }
        }
        if self.until.is_none() {
            self.until = Some((head, Box::pin(sleep(self.time_max))));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadTimeout<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let expected = this.exchanges.expected();
        if this.is_late(expected, context) {
            return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "request head took too long")));
        }
        let n_before = room.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, room))?;
        if let (Some(head), [_, ..]) = (expected, &room.filled()[n_before..]) {
            this.note(&room.filled()[n_before..], head);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadTimeout<S> {
    forward_writes!();

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
