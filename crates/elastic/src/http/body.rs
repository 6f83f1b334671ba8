//! Bodies of requests: read within a limit, unpacked, and as JSON.

use ingest::decode;
use serde_json::{Value as Json_, json};

use super::state::Call;
use door::headers::encoding;
use door::{Outcome, Problem, Reply, Result};

/// Largest body of a search.
const BODY_BYTES_MAX: usize = 8 << 20;

/// Continues with the decompressed bytes of the body.
pub(super) fn with_bytes(call: Call, then: fn(Call, Vec<u8>) -> Outcome) -> Outcome {
    let encoding = encoding(&call.parts.headers)?;
    let bytes_max = call.server.app.limits.body_bytes_max.min(BODY_BYTES_MAX);
    Ok(Reply::body(bytes_max, move |body| then(call, decode(body.bytes(), encoding, bytes_max)?.into_owned())))
}

/// Continues with the body as JSON.
pub(super) fn with_json(call: Call, then: fn(Call, Json_) -> Outcome) -> Outcome {
    let encoding = encoding(&call.parts.headers)?;
    let bytes_max = call.server.app.limits.body_bytes_max.min(BODY_BYTES_MAX);
    Ok(Reply::body(bytes_max, move |body| then(call, json_of(&decode(body.bytes(), encoding, bytes_max)?)?)))
}

/// Parses a body as JSON; an empty one is an empty object.
pub(super) fn json_of(bytes: &[u8]) -> Result<Json_> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    let unreadable = |error: serde_json::Error| {
        Problem::bad_request("parsing_exception", format!("the body is not valid JSON: {error}"))
    };
    serde_json::from_slice(bytes).map_err(unreadable)
}
