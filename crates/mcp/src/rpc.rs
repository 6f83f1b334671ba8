//! Messages of JSON-RPC 2.0: reads the one in a body, and writes the answer to it.

use axum::http::StatusCode;
use door::Reply;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json, json};
use types::ensure;

/// From here on, an id written as a floating-point number may stand for several integers.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The parameters of a message.
pub(crate) type Params = Map<String, Json>;

/// A request, or a notification.
#[derive(Debug)]
pub(crate) struct Message {
    /// `None` for a notification, which takes no answer.
    pub(crate) id: Option<Json>,
    pub(crate) method: String,
    pub(crate) params: Params,
}

/// Why a message has no result.
#[derive(Debug)]
pub(crate) struct RpcError {
    pub(crate) status: StatusCode,
    pub(crate) code: RpcCode,
    pub(crate) message: String,
    pub(crate) data: Option<Json>,
}

/// Codes of JSON-RPC, and of the Model Context Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RpcCode {
    ParseError = -32_700,
    InvalidRequest = -32_600,
    UnknownMethod = -32_601,
    InvalidParams = -32_602,
    HeaderMismatch = -32_020,
    UnsupportedRevision = -32_022,
}

/// The members of a message, to tell its kind by.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Members {
    jsonrpc: String,
    #[serde(default, deserialize_with = "even_null")]
    id: Option<Json>,
    method: Option<String>,
    params: Option<Params>,
    #[serde(default, deserialize_with = "even_null")]
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// Reads a member that is there even if it is null.
fn even_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Message {
    /// Reads a body.
    pub(crate) fn read(body: &[u8]) -> Result<Self, RpcError> {
        let invalid = |problem: &str| RpcError::refused(RpcCode::InvalidRequest, problem);
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(invalid("a body holds one message; batches are not supported"));
        }
        let members: Members = serde_json::from_slice(body).map_err(|error| {
            let code = if error.is_data() { RpcCode::InvalidRequest } else { RpcCode::ParseError };
            RpcError::refused(code, format!("not a message of JSON-RPC: {error}"))
        })?;
        ensure!(members.jsonrpc == "2.0", invalid("jsonrpc: not \"2.0\""));
        if members.result.is_some() || members.error.is_some() {
            return Err(invalid("this server asks nothing, so it takes no responses"));
        }
        let is_whole = |number: f64| number.fract() == 0.0 && number.abs() < EXACT_MAX;
        let is_id = |id: &Json| id.is_string() || id.is_i64() || id.is_u64() || id.as_f64().is_some_and(is_whole);
        ensure!(members.id.as_ref().is_none_or(is_id), invalid("id: neither a text nor a whole number"));
        let method = members.method.ok_or_else(|| invalid("method: is needed"))?;
        Ok(Self { id: members.id, method, params: members.params.unwrap_or_default() })
    }
}

impl RpcError {
    /// Returns the error of a request that was understood; HTTP's status does not show it.
    pub(crate) fn new(code: RpcCode, message: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, code, message: message.into(), data: None }
    }

    /// Returns the error of a request that is none of this protocol.
    pub(crate) fn refused(code: RpcCode, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, ..Self::new(code, message) }
    }
}

/// Returns the answer to a request, or to a body in which no request was found.
pub(crate) fn reply(id: Option<Json>, outcome: Result<Json, RpcError>) -> Reply {
    let (status, mut answer) = match outcome {
        Ok(result) => (StatusCode::OK, json!({"jsonrpc": "2.0", "result": result})),
        Err(error) => {
            let mut members = json!({"code": error.code as i64, "message": error.message});
            error.data.into_iter().for_each(|data| members["data"] = data);
            (error.status, json!({"jsonrpc": "2.0", "error": members}))
        }
    };
    id.into_iter().for_each(|id| answer["id"] = id);
    Reply::json(&answer).with_status(status)
}

#[cfg(test)]
mod tests;
