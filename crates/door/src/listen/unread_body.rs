//! Says so where a connection ends with an answer: a request whose body nobody read to its end leaves bytes on the
//! connection that are no request, so that it cannot be used again (RFC 9112 §9.6). A sender that is told so by
//! `Connection: close` opens another one; one that is not loses its next request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

/// Whether a body was read to its end.
#[derive(Clone, Debug)]
pub(super) struct Unread(Arc<AtomicBool>);

/// A body that tells when its end is reached.
struct WatchedBody {
    body: Body,
    is_unread: Arc<AtomicBool>,
}

impl Unread {
    /// Watches how far the body of a request is read.
    pub(super) fn watch(request: Request<Body>) -> (Request<Body>, Self) {
        let is_unread = Arc::new(AtomicBool::new(!request.body().is_end_stream()));
        let of_body = is_unread.clone();
        let request = if is_unread.load(Ordering::Relaxed) {
            request.map(|body| Body::new(WatchedBody { body, is_unread: of_body }))
        } else {
            request
        };
        (request, Self(is_unread))
    }

    /// Marks an answer to the request as the last of its connection where bytes of the body are left.
    pub(super) fn mark(&self, mut response: Response) -> Response {
        if self.0.load(Ordering::Relaxed) && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.is_unread.store(false, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
