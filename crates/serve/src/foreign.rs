//! Refusals in the form of the protocol that is spoken at an address.
//!
//! A refusal may be made long before a handler runs: who has no key, asks with the wrong method, or meets a fault is
//! answered too. So what says no says it as a [`Problem`], which goes with the answer, and is said once more here where
//! the request belongs to a protocol with a form of its own.

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::cloudwatch::{self, CloudWatchProblem};
use crate::loki::{self, LokiProblem};
use crate::problem::Problem;
use crate::{elastic, grpc, otlp, splunk};

/// Whose form answers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Ours, or that of a handler which says it all itself.
    Native,
    /// A status in trailers, whatever is called.
    Grpc,
    /// `google.rpc.Status` in the encoding of the request.
    Otlp(ingest::OtlpForm),
    /// A text and a number of Splunk's.
    Splunk,
    /// Loki's: a text.
    Loki,
    /// A name of Amazon's, in the body and in a header.
    CloudWatch,
    /// Elasticsearch's errors; its clients want a mark on every answer.
    Elastic {
        /// The version whose form is wanted.
        version: Option<u8>,
    },
}

impl Voice {
    /// The voice in which a request wants to be answered.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let path = request.uri().path();
        let content_type = request.headers().get(header::CONTENT_TYPE);
        match path {
            _ if grpc::is_spoken(content_type) => Self::Grpc,
            path if otlp::is_address(path) => Self::Otlp(otlp::form_of_answer(content_type)),
            path if path.starts_with(splunk::PREFIX) => Self::Splunk,
            path if elastic::is_address(path) => Self::Elastic { version: elastic::version_wanted(request.headers()) },
            path if loki::is_address(path) => Self::Loki,
            _ if cloudwatch::is_spoken(request) => Self::CloudWatch,
            _ => Self::Native,
        }
    }

    /// An answer in this voice; what is said anew is only one that is a problem.
    pub(crate) fn say(self, response: Response) -> Response {
        let response = match response.extensions().get::<Problem>().and_then(|problem| self.refuse(problem)) {
            Some(said) => said_instead(response, said),
            None => response,
        };
        match self {
            Self::Elastic { version } => elastic::mark(response, version),
            _ => response,
        }
    }

    /// A problem in this voice, where it is not ours.
    fn refuse(self, problem: &Problem) -> Option<Response> {
        match self {
            Self::Native => None,
            Self::Grpc => Some(grpc::refuse(problem)),
            Self::Otlp(form) => Some(otlp::refuse(problem, form)),
            Self::Splunk => Some(splunk::refuse(problem)),
            Self::Elastic { .. } => Some(elastic::refuse(problem)),
            Self::Loki => Some(LokiProblem::from(problem.clone()).into_response()),
            Self::CloudWatch => Some(CloudWatchProblem::refuse(problem)),
        }
    }
}

/// `said` in the place of `response`; headers that others put on that one stay.
fn said_instead(response: Response, said: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    let (said, body) = said.into_parts();
    parts.status = said.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(said.headers);
    Response::from_parts(parts, body)
}
