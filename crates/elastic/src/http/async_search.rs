//! `_async_search`: searches that a client may fetch later. They are answered at once, without an id.

use serde_json::{Value as Json_, json};

use super::errors::not_found;
use super::search;
use super::state::{Call, Shared};
use door::{Outcome, Problem};

/// Answers `_async_search`: a search that is answered at once.
pub(super) fn search(call: Call, bytes: Vec<u8>) -> Outcome {
    if call.parameters.get("scroll").is_some() {
        let message = "Validation Failed: 1: [scroll] queries are not supported;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    }
    let milliseconds = |server: &Shared| server.now().0.div_euclid(1_000_000);
    let (server, started) = (call.server.clone(), milliseconds(&call.server));
    search::answer(call, &bytes, move |response: Json_| {
        let completed = milliseconds(&server);
        json!({
            "is_partial": response["_shards"]["failed"] != 0,
            "is_running": false,
            "start_time_in_millis": started,
            "expiration_time_in_millis": completed,
            "completion_time_in_millis": completed,
            "response": response,
        })
    })
}

/// Answers that no search is stored.
pub(super) fn missing(mut call: Call) -> Outcome {
    Ok(not_found(&call.variable()))
}
