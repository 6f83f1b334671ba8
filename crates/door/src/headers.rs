//! Reads the headers that every sender's request may carry: the encoding of its body and the id of its batch.

use axum::http::{HeaderMap, StatusCode, header};
use ingest::Encoding;

use crate::problem::{Problem, Result};

/// Longest batch id in bytes.
const BATCH_ID_BYTES_MAX: usize = 256;

/// Returns the encodings that a request names for its body, in lower case, of one header or of several.
pub fn content_encoding(headers: &HeaderMap) -> String {
    let names = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?").trim());
    names.collect::<Vec<_>>().join(", ").to_ascii_lowercase()
}

/// Returns the encoding of a body.
pub fn encoding(headers: &HeaderMap) -> Result<Encoding> {
    match &*content_encoding(headers) {
        "" | "identity" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "deflate" => Ok(Encoding::Deflate),
        "zstd" => Ok(Encoding::Zstd),
        other => {
            let message = format!("content encoding {other:?} is not supported");
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", message);
            Err(problem.hint("send the body plain, or as gzip, deflate (zlib) or zstd"))
        }
    }
}

/// Returns the sender's id of a batch.
pub fn batch_id(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get("x-catat-batch") else { return Ok(None) };
    let id = value.to_str().unwrap_or_default();
    if id.is_empty() || id.len() > BATCH_ID_BYTES_MAX {
        let message = format!("X-Catat-Batch is 1 to {BATCH_ID_BYTES_MAX} printable characters");
        return Err(Problem::bad_request("bad-batch-id", message));
    }
    Ok(Some(id.to_owned()))
}
