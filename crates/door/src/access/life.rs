//! Until when somebody may do something, and what ends with it: a key that is revoked ends answers and uploads that
//! are under way, also those that wait for their next piece.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use storage::Clock;
use tokio::sync::Notify;
use tokio::time::timeout;
use types::Timestamp;

use crate::access::Caller;

/// Longest wait for an end that is set. The clock that it is set by may be put forward meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Until when somebody may do something; all copies end together.
#[derive(Clone, Debug)]
pub struct Life(Arc<Course>);

#[derive(Debug)]
struct Course {
    ends_ns: AtomicI64,
    /// Told each time that the end is set.
    is_set: Notify,
}

impl Default for Life {
    /// One without an end, as yet.
    fn default() -> Self {
        Self(Arc::new(Course { ends_ns: AtomicI64::new(i64::MAX), is_set: Notify::new() }))
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
        self.0.ends_ns.store(time.0, Ordering::Release);
        self.0.is_set.notify_waiters();
    }

    /// Ends it, whatever the clock says.
    pub fn end(&self) {
        self.end_at(Timestamp(i64::MIN));
    }

    /// Its end, where it has one.
    pub fn ends(&self) -> Option<Timestamp> {
        Some(self.0.ends_ns.load(Ordering::Acquire)).filter(|ends_ns| *ends_ns != i64::MAX).map(Timestamp)
    }

    /// Whether it has not ended.
    pub fn lasts(&self, now: Timestamp) -> bool {
        now.0 < self.0.ends_ns.load(Ordering::Acquire)
    }

    /// Returns when it has ended.
    pub async fn over(self, clock: Clock) {
        loop {
            let mut is_set = pin!(self.0.is_set.notified());
            // Waits from here on: an end that is set between the look and the wait is not missed.
            is_set.as_mut().enable();
            let now = clock.now();
            if !self.lasts(now) {
                return;
            }
            match self.ends() {
                None => is_set.await,
                Some(ends) => {
                    let left = Duration::from_nanos(ends.0.saturating_sub(now.0).unsigned_abs());
                    // Either way it is looked again.
                    let _ = timeout(left.min(LOOK_AGAIN), is_set).await;
                }
            }
        }
    }
}

/// The key of a request ended while it was under way.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{}", Self::REASON)]
pub struct Ended;

impl Ended {
    /// What who is concerned is told.
    pub const REASON: &'static str = "the key was revoked";
}

/// A body that breaks off when its caller's time is over, and that counts against what their key may send.
pub struct Watched {
    inner: Body,
    caller: Arc<Caller>,
    clock: Clock,
    is_upload: bool,
    /// Done when the caller's time is over; made when a piece is waited for.
    ending: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Watched {
    /// The body of a request.
    pub fn upload(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Body::new(Self { inner, caller, clock, is_upload: true, ending: None })
    }

    /// The body of a request that somebody may have signed; it counts as theirs when they have.
    pub fn unproved(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Self::answer(inner, caller, clock)
    }

    /// The body of an answer.
    pub fn answer(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Body::new(Self { inner, caller, clock, is_upload: false, ending: None })
    }

    /// Ready when the caller's time is over while nothing else happens.
    fn poll_ending(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Self { caller, clock, ending, .. } = self;
        ending.get_or_insert_with(|| Box::pin(caller.life.clone().over(clock.clone()))).as_mut().poll(context)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if polled.is_pending() {
            return self.poll_ending(context).map(|()| Some(Err(Error::new(Ended))));
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

    #[tokio::test]
    async fn who_waits_for_an_end_is_told_of_it_and_of_no_other() {
        let life = Life::default();
        let waiting = tokio::spawn(life.clone().over(Clock::new(|| Timestamp(5))));
        tokio::task::yield_now().await;
        life.end_at(Timestamp(i64::MAX - 1));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        life.end_at(Timestamp(5));
        waiting.await.expect("no panic");
        life.over(Clock::new(|| Timestamp(6))).await;
    }
}
