//! Revisions of the protocol: which one a message is of, and what its headers have to repeat.
//!
//! Up to 2025-11-25, `initialize` agrees on a revision, and a header repeats it. From 2026-07-28 on, each request names its
//! own in `_meta`, and headers repeat what a proxy may route by.

use axum::http::HeaderMap;
use data_encoding::BASE64;
use serde_json::{Value as Json, json};

use crate::rpc::{Message, RpcCode, RpcError};

/// All revisions, oldest first.
pub(crate) const REVISIONS: [&str; 5] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", SELF_CONTAINED];

/// The last revision with `initialize`, and the first one without.
const NEGOTIATED_MAX: &str = "2025-11-25";
const SELF_CONTAINED: &str = "2026-07-28";

/// The revision of a request that names none.
const UNNAMED: &str = "2025-03-26";

/// Members of `_meta` that a request of the last revision has.
const META_REVISION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The rules for a message and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    /// `initialize` came first.
    Negotiated,
    /// Each request says what it needs.
    SelfContained,
}

/// Returns the revision that `initialize` agrees on.
pub(crate) fn negotiated(asked: &str) -> &'static str {
    let mut with_initialize = REVISIONS.into_iter().filter(|revision| *revision <= NEGOTIATED_MAX);
    with_initialize.find(|revision| *revision == asked).unwrap_or(NEGOTIATED_MAX)
}

/// Checks the headers of a message against its body; returns its rules.
pub(crate) fn check(headers: &HeaderMap, message: &Message) -> Result<Lifecycle, RpcError> {
    let is_initialize = message.method == "initialize";
    let meta = |name: &str| message.params.get("_meta").and_then(|meta| meta.get(name));
    let in_body = if is_initialize { message.params.get("protocolVersion") } else { meta(META_REVISION) };
    // Only the answer to a request depends on its body.
    let in_body = in_body.filter(|_| message.id.is_some()).and_then(Json::as_str);
    let in_header = header(headers, "MCP-Protocol-Version")?;
    match (in_body, in_header) {
        (Some(revision), Some(repeated)) if revision != repeated => {
            return Err(mismatch(format!("MCP-Protocol-Version {repeated:?} does not match {revision:?} of the body")));
        }
        (Some(_), None) if !is_initialize => {
            return Err(mismatch("the revision in _meta is not repeated in MCP-Protocol-Version".into()));
        }
        _ => {}
    }
    let revision = in_body.or(in_header).unwrap_or(UNNAMED);
    if !is_initialize && !REVISIONS.contains(&revision) {
        let problem = format!("revision {revision:?} is not supported; known: {}", REVISIONS.join(", "));
        let data = Some(json!({"requested": revision, "supported": REVISIONS}));
        return Err(RpcError { data, ..RpcError::refused(RpcCode::UnsupportedRevision, problem) });
    }
    if in_header.is_some_and(|revision| revision >= SELF_CONTAINED) {
        check_routing(headers, message)?;
    }
    let is_negotiated = is_initialize || revision < SELF_CONTAINED && message.method != "server/discover";
    if is_negotiated {
        return Ok(Lifecycle::Negotiated);
    }
    let needed =
        [(META_REVISION, in_body.is_some()), (META_CAPABILITIES, meta(META_CAPABILITIES).is_some_and(Json::is_object))];
    match needed.iter().find(|(_, is_there)| !is_there && message.id.is_some()) {
        Some((name, _)) => Err(RpcError::refused(RpcCode::InvalidParams, format!("_meta: {name} is needed"))),
        None => Ok(Lifecycle::SelfContained),
    }
}

/// Checks the headers that a proxy may route by.
fn check_routing(headers: &HeaderMap, message: &Message) -> Result<(), RpcError> {
    let name = message.params.get("name").and_then(Json::as_str).filter(|_| message.method == "tools/call");
    for (header_name, expected) in [("Mcp-Method", Some(message.method.as_str())), ("Mcp-Name", name)] {
        let Some(expected) = expected else { continue };
        match header(headers, header_name)? {
            // Before `initialize`, a client does not know of these headers.
            None if message.method == "initialize" => {}
            None => return Err(mismatch(format!("{header_name} is needed"))),
            Some(given) if decoded(given).as_deref() == Some(expected) => {}
            Some(given) => {
                return Err(mismatch(format!("{header_name} {given:?} does not match {expected:?} of the body")));
            }
        }
    }
    Ok(())
}

/// Returns a header; several that differ are refused, since a proxy may have read another one of them.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, RpcError> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| values.all(|other| other == first));
    text.map(Some).ok_or_else(|| mismatch(format!("{name}: several values, or characters outside ASCII")))
}

/// Returns the text of a header that may be encoded; `None` if it is encoded wrongly.
fn decoded(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(BASE64.decode(encoded.as_bytes()).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

fn mismatch(problem: String) -> RpcError {
    RpcError::refused(RpcCode::HeaderMismatch, problem)
}

#[cfg(test)]
mod tests;
