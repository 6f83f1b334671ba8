//! The form of all answers of this API: the header that clients require, and the media type of their version.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::errors::problem_json;
use door::{ErrorFormat, Problem};

/// The header without which clients refuse an answer.
const PRODUCT: (&str, HeaderValue) = ("x-elastic-product", HeaderValue::from_static("Elasticsearch"));

/// Returns the major version of Elasticsearch whose form a client requests.
pub fn version_wanted(headers: &HeaderMap) -> Option<u8> {
    let kinds = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut wanted = kinds.filter(|kinds| kinds.contains("application/vnd.elasticsearch+json"));
    let version = wanted.next()?.split("compatible-with=").nth(1)?;
    version.trim().split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Errors in the form of Elasticsearch, and the header that its clients require.
pub struct ElasticFormat {
    /// The requested version.
    pub version: Option<u8>,
}

impl ErrorFormat for ElasticFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        refuse(problem)
    }

    fn mark(&self, response: Response) -> Response {
        mark(response, self.version)
    }
}

/// Adds the headers that clients require.
fn mark(mut response: Response, version: Option<u8>) -> Response {
    let headers = response.headers_mut();
    headers.insert(PRODUCT.0, PRODUCT.1);
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let kind = |version| format!("application/vnd.elasticsearch+json;compatible-with={version}");
    if let Some(Ok(kind)) = version.filter(|_| is_json).map(|version| HeaderValue::try_from(kind(version))) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// Answers with a problem in the form of Elasticsearch.
fn refuse(problem: &Problem) -> Response {
    let (status, body) = problem_json(problem);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
