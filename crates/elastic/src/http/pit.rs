//! Points in time: searches that exclude events accepted later.
//!
//! The server does not store a point in time. Its id contains the names of the indices and the time at which it was opened.
//! Events that are deleted later disappear from it.

use data_encoding::BASE64URL_NOPAD;
use plan::{Comparison, Expr, Operator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use types::{Timestamp, Value};

use super::indices::{self, Leniency};
use super::state::Call;
use door::{Outcome, Problem, Reply, Result};

/// Longest id.
const ID_BYTES_MAX: usize = 128 << 10;

/// The contents of an id.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PointInTime {
    /// Names of indices.
    pub(super) index: String,
    /// When it was opened, in nanoseconds.
    opened: i64,
}

/// Reads a document in an id of at most so many bytes.
pub(super) fn document_of<T: DeserializeOwned>(id: &str, bytes_max: usize) -> Option<T> {
    let bytes = BASE64URL_NOPAD.decode(id.as_bytes()).ok().filter(|_| id.len() <= bytes_max)?;
    serde_json::from_slice(&bytes).ok()
}

impl PointInTime {
    fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(id: &str) -> Result<Self> {
        let unreadable = || Problem::bad_request("illegal_argument_exception", format!("invalid id: [{id:.100}]"));
        document_of(id, ID_BYTES_MAX).ok_or_else(unreadable)
    }

    /// Returns the point in time of a search, which must not name indices itself.
    pub(super) fn of_search(body: &Json_, index: &str) -> Result<Option<Self>> {
        let Some(pit) = body.get("pit").filter(|pit| !pit.is_null()) else { return Ok(None) };
        if !index.is_empty() {
            let message = "[indices] cannot be used with point in time. Do not specify any index with point in time.";
            return Err(Problem::bad_request("illegal_argument_exception", message));
        }
        let id = pit.get("id").and_then(Json_::as_str);
        let id = id.ok_or_else(|| Problem::bad_request("parsing_exception", "[pit] needs an [id]"))?;
        Self::decode(id).map(Some)
    }

    /// Returns the condition that an event was accepted before the point in time was opened.
    pub(super) fn condition(&self) -> Operator {
        accepted_until(Timestamp(self.opened))
    }
}

/// Returns the condition that an event was accepted until `instant`.
pub(super) fn accepted_until(instant: Timestamp) -> Operator {
    let instant = Expr::Literal(Some(Value::Timestamp(instant)));
    let accepted = Expr::Field("@ingestionTime".into());
    Operator::Filter(Expr::Compare(Comparison::LessOrEqual, Box::new(accepted), Box::new(instant)))
}

/// Answers `_pit`: opens a point in time.
pub(super) fn open(mut call: Call) -> Outcome {
    let index = call.variable();
    indices::resolve(&call.server, &index, Leniency::of_parameters(&call.parameters)?)?;
    let id = PointInTime { index, opened: call.server.now().0 }.encode();
    Ok(Reply::json(&json!({"id": id, "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0}})))
}

/// Answers `DELETE _pit`: closes a point in time, of which the server stores nothing.
pub(super) fn close(_: Call, body: Json_) -> Outcome {
    PointInTime::decode(body["id"].as_str().unwrap_or_default())?;
    Ok(Reply::json(&json!({"succeeded": true, "num_freed": 1})))
}
