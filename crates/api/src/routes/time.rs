//! `/api/v1/time`: what a written range means, so that the page reads times as every other route does.

use serde_json::json;

use crate::ask;
use crate::state::Call;
use door::{Outcome, Reply};

/// Names of the parameters.
const PARAMETERS: [&str; 2] = ["text", "time_zone"];

/// Both ends in the form that keeps what they mean (`now-2h` moves on), and the instants that they are now.
pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let zone = ask::time_zone(parameters.get("time_zone"))?;
    let text = parameters.get("text").unwrap_or_default();
    let range = plan::time::parse_range(text, server.now(), zone).map_err(|error| ask::bad_range(text, &error))?;
    Ok(Reply::json(&json!({
        "from": range.from.text, "to": range.to.text,
        "from_time": range.from.time.to_string(), "to_time": range.to.time.to_string(),
    })))
}
