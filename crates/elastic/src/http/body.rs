//! Bodies of requests: read within a limit, unpacked, and as JSON.

use axum::body::Body;
use axum::http::HeaderMap;
use ingest::decode;
use serde_json::{Value as Json_, json};

use super::state::Shared;
use door::headers::encoding;
use door::problem::Problem;

/// Largest body of a search.
const BODY_BYTES_MAX: usize = 8 << 20;

/// Reads and decompresses a body.
pub(super) async fn body_of(server: &Shared, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let encoding = encoding(headers)?;
    let bytes_max = server.app.limits.body_bytes_max.min(BODY_BYTES_MAX);
    let received = server.bodies.read(body, bytes_max).await?;
    Ok(decode(received.bytes(), encoding, bytes_max)?.into_owned())
}

/// Parses a body as JSON; an empty one is an empty object.
pub(super) fn json_of(bytes: &[u8]) -> Result<Json_, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    let unreadable = |error: serde_json::Error| {
        Problem::bad_request("parsing_exception", format!("the body is not valid JSON: {error}"))
    };
    serde_json::from_slice(bytes).map_err(unreadable)
}
