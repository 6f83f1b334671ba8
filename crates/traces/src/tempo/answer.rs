//! The members of answers about their cost and completeness.

use serde_json::{Value as Json, json};

use crate::read::Reading;

/// Returns the cost of reading. Fewer completed jobs than jobs in total mean that the answer is partial.
pub(super) fn metrics(reading: &Reading) -> Json {
    json!({
        "inspectedBytes": reading.stats.bytes_read.to_string(),
        "completedJobs": u8::from(reading.partial_reasons.is_empty()), "totalJobs": 1,
    })
}

/// Marks a partial answer, with the reasons, as `tempopb.PartialStatus` does.
pub(super) fn with_status(mut answer: Json, reading: &Reading) -> Json {
    if let Some(reason) = reading.not_whole() {
        (answer["status"], answer["message"]) = ("PARTIAL".into(), reason.into());
    }
    answer
}
