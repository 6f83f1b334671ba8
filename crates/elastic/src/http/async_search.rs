//! `_async_search`: searches that a client may fetch later. They are answered at once, without an id.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json_, json};

use super::body::SentBytes;
use super::checked_parameters::CheckedParameters;
use super::errors::error_answer;
use super::filter::Paths;
use super::index_names::IndexNames;
use super::search;
use super::state::Shared;
use door::problem::Problem;

/// Answers `_async_search`: a search that is answered at once.
pub(super) async fn search(
    server: Shared,
    IndexNames(index): IndexNames,
    parameters: CheckedParameters,
    bytes: SentBytes,
) -> Result<Json<Json_>, Problem> {
    let filter = Paths::of(&parameters);
    if parameters.get("scroll").is_some() {
        let message = "Validation Failed: 1: [scroll] queries are not supported;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    }
    let milliseconds = |server: &Shared| server.now().0.div_euclid(1_000_000);
    let (asked, started) = (server.clone(), milliseconds(&server));
    let response = search::answer(server, index, parameters, bytes).await?;
    let completed = milliseconds(&asked);
    Ok(Json(filter.shown(json!({
        "is_partial": response["_shards"]["failed"] != 0,
        "is_running": false,
        "start_time_in_millis": started,
        "expiration_time_in_millis": completed,
        "completion_time_in_millis": completed,
        "response": response,
    }))))
}

/// Answers that no search is stored.
pub(super) async fn missing(Path(id): Path<String>) -> Response {
    error_answer(StatusCode::NOT_FOUND, "resource_not_found_exception", &id)
}
