//! Bodies of requests: read within a limit, unpacked, and as JSON.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequest, Request};
use ingest::decode;
use serde_json::{Value as Json_, json};

use door::headers::encoding;
use door::problem::Problem;
use door::server::Server;

/// Largest body of a search.
const BODY_BYTES_MAX: usize = 8 << 20;

/// The decompressed bytes of a body.
pub(super) struct SentBytes(pub(super) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for SentBytes
where
    Arc<Server>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let server = Arc::<Server>::from_ref(state);
        let encoding = encoding(request.headers())?;
        let bytes_max = server.app.limits.body_bytes_max.min(BODY_BYTES_MAX);
        let received = server.bodies.read(request.into_body(), bytes_max).await?;
        Ok(Self(decode(received.bytes(), encoding, bytes_max)?.into_owned()))
    }
}

/// A JSON body.
pub(super) struct SentJson(pub(super) Json_);

impl<S: Send + Sync> FromRequest<S> for SentJson
where
    Arc<Server>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let SentBytes(bytes) = SentBytes::from_request(request, state).await?;
        json_of(&bytes).map(Self)
    }
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
