//! Refusals in the form of the protocol that is spoken at an address.
//!
//! A refusal may be made long before a handler runs: who has no key, asks with the wrong method, or meets a fault is
//! answered too. So what says no says it as a [`Problem`], which goes with the answer, and is said once more here where
//! the address belongs to a protocol with a form of its own.

use axum::extract::Request;
use axum::http::header;
use axum::response::Response;

use crate::problem::Problem;
use crate::{otlp, splunk};

/// Whose form refusals have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Ours, or that of a handler which says it all itself.
    Native,
    /// `google.rpc.Status` in the encoding of the request.
    Otlp(ingest::OtlpForm),
    /// A text and a number of Splunk's.
    Splunk,
}

impl Voice {
    /// The voice in which a request wants to be answered.
    pub(crate) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        if otlp::is_address(path) {
            return Self::Otlp(otlp::form_of_answer(request.headers().get(header::CONTENT_TYPE)));
        }
        if path.starts_with(splunk::PREFIX) { Self::Splunk } else { Self::Native }
    }

    /// An answer in this voice; only one that is a problem changes.
    pub(crate) fn say(self, response: Response) -> Response {
        if self == Self::Native {
            return response;
        }
        let Some(problem) = response.extensions().get::<Problem>() else { return response };
        let said = match self {
            Self::Native => return response,
            Self::Otlp(form) => otlp::refuse(problem, form),
            Self::Splunk => splunk::refuse(problem),
        };
        problem.mark(said)
    }
}
