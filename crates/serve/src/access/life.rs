//! Until when somebody may do something, and what ends with it: a key that is revoked ends answers and uploads that
//! are under way, at the next piece of either.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use storage::Clock;
use types::Timestamp;

use crate::access::Caller;

/// Until when somebody may do something; all copies end together.
#[derive(Clone, Debug)]
pub struct Life(Arc<AtomicI64>);

impl Default for Life {
    /// One without an end, as yet.
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MAX)))
    }
}

impl PartialEq for Life {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Life {}

impl Life {
    /// Sets its end.
    pub fn end_at(&self, time: Timestamp) {
        self.0.store(time.0, Ordering::Release);
    }

    /// Ends it, whatever the clock says.
    pub fn end(&self) {
        self.end_at(Timestamp(i64::MIN));
    }

    /// Its end, where it has one.
    pub fn ends(&self) -> Option<Timestamp> {
        Some(self.0.load(Ordering::Acquire)).filter(|ends_ns| *ends_ns != i64::MAX).map(Timestamp)
    }

    /// Whether it has not ended.
    pub fn lasts(&self, now: Timestamp) -> bool {
        now.0 < self.0.load(Ordering::Acquire)
    }
}

/// The key of a request ended while it was under way.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the key was revoked")]
pub(crate) struct Ended;

/// A body that breaks off when its caller's time is over, and that counts against what their key may send.
pub(crate) struct Watched {
    inner: Body,
    caller: Arc<Caller>,
    clock: Clock,
    is_upload: bool,
}

impl Watched {
    /// The body of a request.
    pub(crate) fn upload(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Body::new(Self { inner, caller, clock, is_upload: true })
    }

    /// The body of an answer.
    pub(crate) fn answer(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Body::new(Self { inner, caller, clock, is_upload: false })
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if polled.is_pending() {
            return polled;
        }
        if !self.caller.life.lasts(self.clock.now()) {
            return Poll::Ready(Some(Err(Error::new(Ended))));
        }
        if let (true, Some(bucket), Poll::Ready(Some(Ok(frame)))) = (self.is_upload, &self.caller.bucket, &polled) {
            bucket.take(frame.data_ref().map_or(0, Bytes::len) as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_copies_end_together() {
        let life = Life::default();
        let copy = life.clone();
        assert!(copy.lasts(Timestamp(i64::MAX - 1)) && copy.ends().is_none());
        life.end_at(Timestamp(10));
        assert!(copy.lasts(Timestamp(9)) && !copy.lasts(Timestamp(10)));
        life.end();
        assert!(!copy.lasts(Timestamp(0)));
    }
}
