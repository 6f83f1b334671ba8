//! Points in time: searches that see nothing of what comes after one was opened.
//!
//! Like a scroll, a point in time is nothing that the server keeps. Its id holds the names of the indices and when it was
//! opened; a search by it leaves out what was accepted later. What is deleted meanwhile is gone, as anywhere.

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use data_encoding::BASE64URL_NOPAD;
use plan::{Comparison, Expr, Operator};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use types::{Timestamp, Value};

use super::body::{body_of, json_of};
use super::checked_parameters::CheckedParameters;
use super::indices::{self, Leniency};
use super::state::Shared;
use door::problem::Problem;

/// Longest id.
const ID_BYTES_MAX: usize = 128 << 10;

/// What an id holds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PointInTime {
    /// Names of indices.
    pub(super) index: String,
    /// When it was opened, in nanoseconds.
    opened: i64,
}

impl PointInTime {
    fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(id: &str) -> Result<Self, Problem> {
        let unreadable = || Problem::bad_request("illegal_argument_exception", format!("invalid id: [{id:.100}]"));
        if id.len() > ID_BYTES_MAX {
            return Err(unreadable());
        }
        let bytes = BASE64URL_NOPAD.decode(id.as_bytes()).map_err(|_| unreadable())?;
        serde_json::from_slice(&bytes).map_err(|_| unreadable())
    }

    /// The one that a search names. Its indices are those of the point in time, so that it must not name any.
    pub(super) fn of_search(body: &Json_, index: &str) -> Result<Option<Self>, Problem> {
        let Some(pit) = body.get("pit").filter(|pit| !pit.is_null()) else { return Ok(None) };
        if !index.is_empty() {
            let message = "[indices] cannot be used with point in time. Do not specify any index with point in time.";
            return Err(Problem::bad_request("illegal_argument_exception", message));
        }
        let id = pit.get("id").and_then(Json_::as_str);
        let id = id.ok_or_else(|| Problem::bad_request("parsing_exception", "[pit] needs an [id]"))?;
        Self::decode(id).map(Some)
    }

    /// The condition that an event was there when it was opened.
    pub(super) fn condition(&self) -> Operator {
        accepted_until(Timestamp(self.opened))
    }
}

/// The condition that an event was accepted until then.
pub(super) fn accepted_until(instant: Timestamp) -> Operator {
    let instant = Expr::Literal(Some(Value::Timestamp(instant)));
    let accepted = Expr::Field("@ingestionTime".into());
    Operator::Filter(Expr::Compare(Comparison::LessOrEqual, Box::new(accepted), Box::new(instant)))
}

/// Opens one.
pub(super) async fn open(
    server: Shared,
    Path(index): Path<String>,
    parameters: CheckedParameters,
) -> Result<Json<Json_>, Problem> {
    indices::resolve(&server, &index, Leniency::of_parameters(&parameters)?)?;
    let id = PointInTime { index, opened: server.now().0 }.encode();
    Ok(Json(json!({"id": id, "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0}})))
}

/// Closes one, of which nothing is kept.
pub(super) async fn close(server: Shared, headers: HeaderMap, body: Body) -> Result<Json<Json_>, Problem> {
    let body = json_of(&body_of(&server, &headers, body).await?)?;
    PointInTime::decode(body["id"].as_str().unwrap_or_default())?;
    Ok(Json(json!({"succeeded": true, "num_freed": 1})))
}
