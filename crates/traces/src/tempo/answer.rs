//! What answers say of how they were found.

use serde_json::{Value as Json, json};

use crate::read::Reading;

/// Returns what reading took. Fewer completed jobs than there are mean that something may be missing.
pub(super) fn metrics(reading: &Reading) -> Json {
    json!({
        "inspectedBytes": reading.stats.bytes_read.to_string(),
        "completedJobs": u8::from(reading.partial_reasons.is_empty()), "totalJobs": 1,
    })
}

/// Adds to an answer that it is not whole, and why, as `tempopb.PartialStatus` does.
pub(super) fn with_status(mut answer: Json, reading: &Reading) -> Json {
    if let Some(reason) = reading.not_whole() {
        (answer["status"], answer["message"]) = ("PARTIAL".into(), reason.into());
    }
    answer
}
