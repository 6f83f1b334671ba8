//! Errors and messages of Sentry's SDKs.
//!
//! The text is the message, then the stack trace in the form of its language, from which the parser reads the fields of an
//! exception. Tags are fields under their own names; other members are fields under theirs.

use std::borrow::Cow;

use parse::{ArrivalContext, JsonError};
use serde_json::{Map, Value};
use types::Level;

use super::entry::Entry;
use super::trace::{self, text};
use crate::bodies::Members;

/// Large members that describe the program, not the event.
pub(super) const LEFT_OUT: [&str; 4] = ["modules", "debug_meta", "_meta", "threads"];

/// Names of members in envelopes of logs, which events have too.
const RENAMED: [(&str, &str); 2] = [("environment", "sentry.environment"), ("release", "sentry.release")];

/// Reads an event, and its other members into `members`.
pub(super) fn entry<'e>(
    event: &'e Map<String, Value>,
    members: &mut Members,
    received: &ArrivalContext<'_>,
) -> Result<Entry<'e>, JsonError> {
    let trace = event.get("contexts").and_then(|contexts| contexts.get("trace"));
    let id = |name: &str| trace.map_or("", |trace| text(trace, name)).into();
    let mut entry = Entry {
        text: message(event),
        // Sentry's own default.
        level: event.get("level").and_then(Value::as_str).and_then(Level::parse).or(Some(Level::Error)),
        trace_id: id("trace_id"),
        span_id: id("span_id"),
        exception: trace::exceptions(event).last().map(|outer| (text(outer, "type"), text(outer, "value"))),
        ..Entry::default()
    };
    members.begin();
    for (name, value) in event {
        match (name.as_str(), value) {
            (name, _) if LEFT_OUT.contains(&name) => {}
            (_, Value::Null) | ("exception" | "message" | "logentry", _) => {}
            ("server_name", Value::String(host)) => entry.host = Cow::Borrowed(host),
            ("timestamp", time) => entry.time = members.time(name, &time.to_string(), received)?,
            ("tags", Value::Object(tags)) => tags.iter().for_each(|(name, tag)| members.push(name, &tag.to_string())),
            ("tags", Value::Array(pairs)) => pairs.iter().for_each(|pair| add_tag(pair, members)),
            _ => {
                let known = RENAMED.iter().find(|(known, _)| known == name);
                members.push(known.map_or(name, |(_, renamed)| renamed), &value.to_string());
            }
        }
    }
    if let Some(template) = event.get("logentry") {
        for (name, stored) in [("message", "sentry.message.template"), ("params", "sentry.message.params")] {
            let value = template.get(name).filter(|value| !value.is_null() && value.as_str() != Some(&*entry.text));
            value.inspect(|value| members.push(stored, &value.to_string()));
        }
    }
    members.end(received.limits)?;
    Ok(entry)
}

/// Adds a tag of a list of names and values.
fn add_tag(pair: &Value, members: &mut Members) {
    match (pair.get(0).and_then(Value::as_str), pair.get(1)) {
        (Some(name), Some(value)) => members.push(name, &value.to_string()),
        _ => members.push("tags", &pair.to_string()),
    }
}

/// Returns the text of an event: its message and its stack trace, or the name of what failed.
fn message(event: &Map<String, Value>) -> Cow<'_, str> {
    let entry = event.get("logentry").or_else(|| event.get("message")).unwrap_or(&Value::Null);
    let said = ["formatted", "message"].into_iter().map(|name| text(entry, name)).find(|text| !text.is_empty());
    let said = said.or_else(|| event.get("message").and_then(Value::as_str)).unwrap_or_default();
    let trace = trace::text_of(event);
    match (said.is_empty(), trace.is_empty()) {
        (true, false) => Cow::Owned(trace),
        (false, false) => Cow::Owned(format!("{said}\n{trace}")),
        (_, true) => Cow::Borrowed(said),
    }
}
