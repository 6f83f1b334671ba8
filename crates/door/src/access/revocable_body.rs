//! Bodies that break off when the key of their caller is revoked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use storage::Clock;

use super::caller::Caller;
use crate::problem::Problem;

/// The key of a request was revoked, or expired, while the request was under way.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{}", Self::REASON)]
pub struct KeyRevoked;

impl KeyRevoked {
    /// The reason in answers and in close frames.
    pub const REASON: &'static str = "the key was revoked or expired";
}

impl From<KeyRevoked> for Problem {
    fn from(revoked: KeyRevoked) -> Self {
        Self::new(axum::http::StatusCode::UNAUTHORIZED, "key-revoked", revoked.to_string())
    }
}

/// A body that breaks off when the validity of its caller ends. The bytes of an upload count against the rate of the key.
pub struct RevocableBody {
    inner: Body,
    caller: Arc<Caller>,
    clock: Clock,
    direction: Direction,
    /// Completes at the end of the caller's validity; created at the first wait for a piece.
    ending: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Which way a body goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// The body counts against the rate of its caller's key.
    Upload,
    /// The body counts against nothing.
    Answer,
}

impl RevocableBody {
    /// Wraps the body of a request.
    pub fn upload(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Body::new(Self { inner, caller, clock, direction: Direction::Upload, ending: None })
    }

    /// Wraps the body of a request whose signature is not verified yet; it counts against no rate.
    pub fn unproved(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Self::answer(inner, caller, clock)
    }

    /// Wraps the body of an answer.
    pub fn answer(inner: Body, caller: Arc<Caller>, clock: Clock) -> Body {
        Body::new(Self { inner, caller, clock, direction: Direction::Answer, ending: None })
    }

    /// Is ready once the caller's validity has ended.
    fn poll_ending(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Self { caller, clock, ending, .. } = self;
        ending.get_or_insert_with(|| Box::pin(caller.validity.clone().expired(clock.clone()))).as_mut().poll(context)
    }
}

impl HttpBody for RevocableBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if polled.is_pending() {
            return self.poll_ending(context).map(|()| Some(Err(Error::new(KeyRevoked))));
        }
        if !self.caller.validity.is_valid_at(self.clock.now()) {
            return Poll::Ready(Some(Err(Error::new(KeyRevoked))));
        }
        if let (Direction::Upload, Some(bucket), Poll::Ready(Some(Ok(frame)))) =
            (self.direction, &self.caller.bucket, &polled)
        {
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
