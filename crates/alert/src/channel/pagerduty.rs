//! A notification as an event of PagerDuty
//! (<https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>): `trigger` begins an incident, `resolve`
//! with the same `dedup_key` ends it.

use serde_json::{Value as Json, json};
use types::Secret;
use xxhash_rust::xxh3::xxh3_128;

use super::words;

/// Longest summary that PagerDuty takes, in characters; bytes are on the safe side.
const SUMMARY_BYTES_MAX: usize = 1_024;

/// Returns the event.
pub(crate) fn event(notification: &Json, routing_key: &Secret) -> Json {
    let fires = words::fires(notification);
    let labels = &notification["labels"];
    let source = words::labels(notification).find(|(name, _)| matches!(*name, "host" | "@log" | "service"));
    let summary = match words::summary(notification) {
        "" => words::text(notification, "rule"),
        summary => summary,
    };
    json!({
        "routing_key": routing_key.reveal(),
        "event_action": if fires { "trigger" } else { "resolve" },
        "dedup_key": dedup_key(notification),
        "client": "catat",
        "client_url": words::text(notification, "url"),
        "links": [{"href": words::text(notification, "url"), "text": "Show the lines in catat"}],
        "payload": {
            "summary": words::cut(&words::one_line(summary), SUMMARY_BYTES_MAX),
            "source": source.map_or("catat", |(_, value)| value),
            "severity": severity(labels["severity"].as_str().unwrap_or_default()),
            "timestamp": words::text(notification, "starts_at"),
            "class": words::text(notification, "rule"),
            "custom_details": {
                "labels": labels,
                "annotations": notification["annotations"],
                "value": notification["value"],
                "lines": words::lines(notification),
                "counts": notification["counts"],
                "pattern": notification["pattern"],
            },
        },
    })
}

/// Returns one key for the beginning and the end of an alert, and another for its next beginning.
pub(super) fn dedup_key(notification: &Json) -> String {
    let identity = json!([notification["rule"], notification["labels"], notification["starts_at"]]).to_string();
    format!("catat-{:032x}", xxh3_128(identity.as_bytes()))
}

/// Returns one of the four severities of PagerDuty.
fn severity(label: &str) -> &'static str {
    match label.to_ascii_lowercase().as_str() {
        "critical" | "fatal" | "page" => "critical",
        "warning" | "warn" => "warning",
        "info" | "none" | "notice" | "debug" => "info",
        _ => "error",
    }
}
