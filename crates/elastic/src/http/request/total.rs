//! `track_total_hits`: whether and how an answer contains the number of events.

use language::search_error::{Result, SearchError};
use serde_json::{Value as Json, json};

use door::Parameters;

/// Whether and how far the number of events is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Total {
    None,
    All,
    /// Up to this number.
    UpTo(u64),
}

impl Total {
    /// Returns the value of `total`.
    pub(in crate::http) fn shown(self, total: u64, as_number: bool) -> Json {
        match self {
            _ if as_number => json!(total),
            Self::UpTo(most) if total > most => json!({"value": most, "relation": "gte"}),
            _ => json!({"value": total, "relation": "eq"}),
        }
    }
}

/// Reads `track_total_hits`; without it all events are counted.
pub(in crate::http) fn total(body: &Json, parameters: &Parameters) -> Result<Total> {
    let of_address = parameters.get("track_total_hits").map(Json::from);
    let Some(written) = of_address.as_ref().or_else(|| body.get("track_total_hits")) else { return Ok(Total::All) };
    match written.as_str().map_or_else(|| written.to_string(), str::to_owned).as_str() {
        "true" | "null" | "-1" => Ok(Total::All),
        "false" => Ok(Total::None),
        other => other.parse().map(Total::UpTo).map_err(|_| {
            let reason = format!("[track_total_hits] parameter must be positive or equals to -1, got {other}");
            SearchError::argument(reason)
        }),
    }
}
