//! Addresses of this API: all paths below `/elasticsearch`, and those at the root that no other API can have.
//!
//! At the root these are paths whose first part begins with `_`, such as `/_bulk`, or the second, such as
//! `/INDEX/_search`; and `/` and `/INDEX` for clients that accept JSON and no HTML, or that name themselves.

use std::borrow::Cow;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri, header, uri};
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;

/// The path of this API.
pub(super) const PREFIX: &str = "/elasticsearch";

/// Wraps a service so that it also finds requests for this API at the root.
pub fn at_the_root(router: Router) -> Router {
    let moved = ServiceBuilder::new().layer(MapRequestLayer::new(move_request)).service(router);
    Router::new().fallback_service(moved)
}

fn move_request(mut request: Request) -> Request {
    if let Some(path) = moved(request.method(), request.uri().path(), request.headers()) {
        let path = request.uri().query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        // The parts were a valid path.
        parts.path_and_query = uri::PathAndQuery::try_from(path).ok();
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
    request
}

/// Returns the path below this API that a request is for; `None` if the path is already there, or for another API.
fn moved(method: &Method, path: &str, headers: &HeaderMap) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (first, second) = (parts.next(), parts.next());
    if first == Some(&PREFIX[1..]) {
        // Senders join parts of addresses and leave surplus slashes.
        let has_slash_too_many = path.contains("//") || (second.is_some() && path.ends_with('/'));
        return has_slash_too_many.then(|| format!("/{}", squeezed(path)));
    }
    // No other API has such paths, and names that begin with a sign are not indices.
    let is_of_index = second.is_some_and(|second| second.starts_with('_'));
    let is_meant = match first {
        None => is_read(method) && (accepts_only_json(headers) || is_named(headers)),
        Some(first) => first.starts_with('_') || is_of_index || (second.is_none() && is_about_index(method, headers)),
    };
    is_meant.then(|| format!("{PREFIX}/{}", squeezed(path)))
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Reports whether a request for a single name at the root creates an index, asks whether there is one, or is sent by a
/// client of Elasticsearch. What reads by GET may be meant for other APIs, such as `/metrics`.
fn is_about_index(method: &Method, headers: &HeaderMap) -> bool {
    let accepts = || headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    *method == Method::PUT
        || accepts().any(|kinds| kinds.contains("vnd.elasticsearch"))
        || is_named(headers)
        || (*method == Method::HEAD && accepts_only_json(headers))
}

/// Reports whether a client says that it is one of Elasticsearch or OpenSearch.
fn is_named(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let agent = agent.to_ascii_lowercase();
    headers.contains_key("x-elastic-client-meta") || ["elastic", "opensearch"].iter().any(|name| agent.contains(name))
}

fn squeezed(path: &str) -> Cow<'_, str> {
    let trimmed = path.trim_matches('/');
    if !trimmed.contains("//") {
        return Cow::Borrowed(trimmed);
    }
    Cow::Owned(trimmed.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}

fn accepts_only_json(headers: &HeaderMap) -> bool {
    let accepts = || headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts().any(|kinds| kinds.contains("json")) && !accepts().any(|k| k.contains("*/*") || k.contains("text/html"))
}

/// Reports whether a path belongs to this API.
pub fn is_address(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
