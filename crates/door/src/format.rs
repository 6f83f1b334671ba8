//! Errors in the format of the protocol that a request speaks.
//!
//! A request may be refused long before a handler runs: for its key, its method, or a fault. So every refusal is a
//! [`Problem`] that travels with the answer, and is written once more here if the request belongs to a protocol with an
//! error format of its own.

use axum::extract::Request;
use axum::http::header;
use axum::response::Response;

use crate::problem::Problem;

/// How one protocol writes errors.
pub trait ErrorFormat: Send + Sync {
    /// Returns the answer that reports `problem`.
    fn refuse(&self, problem: &Problem) -> Response;

    /// Adds what every answer of the protocol carries.
    fn mark(&self, response: Response) -> Response {
        response
    }
}

/// Returns the error format of a request's protocol; `None` for the native one, and for handlers that write their own.
pub type FormatOf = fn(&Request) -> Option<Box<dyn ErrorFormat>>;

/// Returns an answer in `format`; only answers that report a problem are written again.
pub fn formatted(format: Option<&dyn ErrorFormat>, response: Response) -> Response {
    let Some(format) = format else { return response };
    let refused = response.extensions().get::<Problem>().map(|problem| format.refuse(problem));
    format.mark(match refused {
        Some(refused) => replaced(response, refused),
        None => response,
    })
}

/// Returns `refused` instead of `response`; headers that others put on that one stay.
fn replaced(response: Response, refused: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    let (refused, body) = refused.into_parts();
    parts.status = refused.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(refused.headers);
    Response::from_parts(parts, body)
}
