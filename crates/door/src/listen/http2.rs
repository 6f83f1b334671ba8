//! What HTTP/2 needs beside HTTP/1: its bounds, and an eye on connections on which nothing goes on.
//!
//! A connection carries many requests, so that bounds on connections bound nothing by themselves. All connections
//! together have as many requests under way as there may be connections; what comes beyond is told to come back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, Request, header};
use hyper::body::{Frame, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::watch;
use tokio::time::timeout;

use super::head::HEAD_BYTES_MAX;

/// Requests under way on one connection.
const STREAMS_MAX: u32 = 128;

/// Bytes of bodies that a client may send before they are read: of one request, and on one connection.
const STREAM_WINDOW: u32 = 512 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Bytes of an answer that wait for its client to take them.
const SEND_BUFFER: usize = 128 << 10;

/// Requests that may be taken back before anything was done for them, and those that broke the rules, before the
/// connection is closed: who opens and resets requests without end costs nobody else anything.
const RESETS_MAX: usize = 32;

/// How often a client is asked whether it is still there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIME_MAX: Duration = Duration::from_secs(20);

/// Sets the bounds of connections that turn out to speak HTTP/2.
pub(super) fn bound(builder: &mut auto::Builder<TokioExecutor>) {
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(PING_INTERVAL).keep_alive_timeout(PING_TIME_MAX);
    http2.max_concurrent_streams(STREAMS_MAX).max_header_list_size(HEAD_BYTES_MAX as u32);
    http2.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    http2.max_send_buf_size(SEND_BUFFER);
    http2.max_pending_accept_reset_streams(RESETS_MAX).max_local_error_reset_streams(RESETS_MAX);
}

/// Says in `Host` what the request says in `:authority`, so that everything behind finds it in one place. A request
/// that names another host there names two, and is refused as such.
pub(super) fn name_host(request: &mut Request<Body>) {
    let authority = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let Some(authority) = authority else { return };
    if request.headers().get(header::HOST) != Some(&authority) {
        request.headers_mut().append(header::HOST, authority);
    }
}

/// Counts what is under way on a connection.
#[derive(Debug)]
pub(super) struct Presence {
    n_under_way: AtomicUsize,
    news: watch::Sender<usize>,
}

/// A request under way; over when dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Presence>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.add(usize::MAX);
    }
}

impl Presence {
    pub(super) fn new() -> (Arc<Self>, watch::Receiver<usize>) {
        let (news, told) = watch::channel(0);
        (Arc::new(Self { n_under_way: AtomicUsize::new(0), news }), told)
    }

    /// Counts a request that begins.
    pub(super) fn enter(self: &Arc<Self>) -> UnderWay {
        self.add(1);
        UnderWay(self.clone())
    }

    /// The connection turned out to be one that has time limits of its own.
    pub(super) fn is_watched_elsewhere(&self) {
        if self.n_under_way.load(Ordering::Relaxed) == 0 {
            self.add(1);
        }
    }

    /// Adds modulo the size of a word, so that the largest number takes one away.
    fn add(&self, n: usize) {
        let n_under_way = self.n_under_way.fetch_add(n, Ordering::Relaxed).wrapping_add(n);
        self.news.send_replace(n_under_way);
    }
}

/// Ends when nothing has gone on, or begun, for as long as one has patience.
pub(super) async fn forsaken(mut news: watch::Receiver<usize>, patience: Duration) {
    loop {
        if news.wait_for(|n_under_way| *n_under_way == 0).await.is_err() {
            // Nobody is left who could begin anything; the connection itself ends then.
            return std::future::pending().await;
        }
        if timeout(patience, news.changed()).await.is_err() {
            return;
        }
    }
}

/// The body of an answer, with what lasts as long as it does.
pub(super) struct Accompanied<C> {
    inner: Body,
    _companions: C,
}

impl<C: Unpin + Send + 'static> Accompanied<C> {
    pub(super) fn body(inner: Body, companions: C) -> Body {
        Body::new(Self { inner, _companions: companions })
    }
}

impl<C: Unpin> HttpBody for Accompanied<C> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests;
