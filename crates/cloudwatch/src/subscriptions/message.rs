//! The messages that a receiver of a subscription filter gets: JSON, compressed with gzip.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};
use types::EventId;

use super::filter::Filter;
use crate::time::milliseconds;

/// The account that owns all log groups.
const OWNER: &str = "000000000000";

/// An event to deliver.
pub(super) struct Line {
    pub(super) id: EventId,
    pub(super) stream: Arc<str>,
    pub(super) message: Arc<str>,
}

/// Returns the message with events of one stream.
pub(super) fn data_message(filter: &Filter, lines: &[&Line]) -> Vec<u8> {
    let events: Vec<Json> = lines
        .iter()
        .map(|line| json!({"id": line.id.encode(), "timestamp": milliseconds(line.id.timestamp), "message": &*line.message}))
        .collect();
    compressed(&json!({
        "messageType": "DATA_MESSAGE", "owner": OWNER, "logGroup": filter.group,
        "logStream": lines.first().map_or("", |line| &*line.stream),
        "subscriptionFilters": [filter.name], "logEvents": events,
    }))
}

/// Returns the message that probes a destination before its filter is saved.
pub(super) fn control_message(now_ms: i64) -> Vec<u8> {
    let text = "CWL CONTROL MESSAGE: Checking health of destination.";
    compressed(&json!({
        "messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
        "subscriptionFilters": [], "logEvents": [{"id": "", "timestamp": now_ms, "message": text}],
    }))
}

fn compressed(message: &Json) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(message.to_string().as_bytes());
    encoder.finish().unwrap_or_default()
}
