//! What is delivered, and the messages that a receiver of a subscription filter gets: JSON, compressed with gzip.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};
use types::{EventId, Level, Value};

use super::filter::Filter;
use crate::time::milliseconds;

/// The account that owns all log groups.
const OWNER: &str = "000000000000";

/// An event to deliver.
pub(super) struct Line {
    pub(super) id: EventId,
    pub(super) stream: Arc<str>,
    pub(super) level: Option<Level>,
    /// Fields of the event, where the receiver gets them.
    pub(super) fields: Vec<(Arc<str>, Value)>,
    pub(super) message: Arc<str>,
}

impl Line {
    /// Returns about how many bytes it takes.
    pub(super) fn n_bytes(&self) -> usize {
        let field = |(name, value): &(Arc<str>, Value)| {
            name.len() + if let Value::String(text) = value { text.len() } else { size_of::<Value>() }
        };
        self.message.len() + self.fields.iter().map(field).sum::<usize>()
    }
}

/// Events that a receiver will not take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) n: u64,
    /// What it says of one of them.
    pub(super) reason: String,
}

/// Returns the message with events of one stream.
pub(super) fn data_message(filter: &Filter, lines: &[&Line]) -> Vec<u8> {
    let events: Vec<Json> = lines
        .iter()
        .map(|line| json!({"id": line.id.encode(), "timestamp": milliseconds(line.id.timestamp), "message": &*line.message}))
        .collect();
    packed(&json!({
        "messageType": "DATA_MESSAGE", "owner": OWNER, "logGroup": filter.group,
        "logStream": lines.first().map_or("", |line| &*line.stream),
        "subscriptionFilters": [filter.name], "logEvents": events,
    }))
}

/// Returns the message that probes a destination before its filter is saved.
pub(super) fn control_message(now_ms: i64) -> Vec<u8> {
    let text = "CWL CONTROL MESSAGE: Checking health of destination.";
    packed(&json!({
        "messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
        "subscriptionFilters": [], "logEvents": [{"id": "", "timestamp": now_ms, "message": text}],
    }))
}

fn packed(message: &Json) -> Vec<u8> {
    compressed(message.to_string().as_bytes())
}

pub(super) fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// A value as JSON.
pub(super) fn json_of(value: &Value) -> Json {
    let mut text = String::new();
    value.write_json(&mut text);
    serde_json::from_str(&text).unwrap_or_default()
}
