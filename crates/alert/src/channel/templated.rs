//! A webhook in the words of any receiver: method, headers, and a body written as a template over the notification.
//!
//! What is put into a body that is JSON is written as the inside of a JSON text where it is a text, and as JSON where it is
//! something else; so no log line can end its quotes. `"text": "{{ .annotations.summary }}"` is right as it is.

use gotemplate::Dialect;
use serde_json::{Value as Json, json};
use types::{Secret, ensure};

use super::ChannelSettings;
use crate::template::{BODY, JSON_BODY, Mistake, Names, check, fill, read};

/// Most headers, and the longest value.
const HEADERS_MAX: usize = 20;
const HEADER_BYTES_MAX: usize = 4 << 10;

/// Variables of a body: what a notification may have, and `test`, which tests of a channel have alone.
#[rustfmt::skip]
pub(crate) const VARIABLES: [&str; 18] = [
    "acknowledge_url", "alerts", "annotations", "counts", "ends_at", "events", "first", "id", "labels", "last", "pattern", "rule",
    "silence_url", "starts_at", "status", "test", "url", "value",
];

/// How a webhook is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub(super) method: &'static str,
    pub(super) headers: Vec<(String, Secret)>,
    body: Option<String>,
    /// What is wrong with a body that was right when it was written; it is posted as it is.
    pub(super) warning: Option<String>,
}

impl Shape {
    /// Checks what is set.
    pub(super) fn new(settings: &ChannelSettings) -> Result<Self, String> {
        let wanted = settings.method.as_deref().unwrap_or("POST");
        let method = ["POST", "PUT", "PATCH"].into_iter().find(|known| known.eq_ignore_ascii_case(wanted));
        let method = method.ok_or_else(|| format!("method: \"{wanted}\" is none of POST, PUT, PATCH"))?;
        ensure!(settings.headers.len() <= HEADERS_MAX, format!("headers: more than {HEADERS_MAX}"));
        for (name, value) in &settings.headers {
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            let is_value =
                value.reveal().len() <= HEADER_BYTES_MAX && value.reveal().bytes().all(|b| (32..127).contains(&b));
            let is_ours = ["host", "content-length", "transfer-encoding", "connection", "x-catat-signature"];
            if !is_name || !is_value || is_ours.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(format!("headers: \"{name}\" cannot be set to this value, or not at all"));
            }
        }
        let headers = settings.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut shape = Self { method, headers, body: settings.body.clone(), warning: None };
        let Some(body) = &shape.body else { return Ok(shape) };
        // Its author is there to fix it now; at night, when it is needed, no one is. A variable that no notification has would
        // render as nothing.
        match check(body, dialect(body), Names { variables: &VARIABLES, labels: None, columns: &[] }) {
            Ok(()) => shape.render(&sample()).map(drop)?,
            Err(Mistake { message, was_right: true }) => shape.warning = Some(format!("body: {message}")),
            Err(Mistake { message, .. }) => return Err(format!("body: {message}")),
        }
        Ok(shape)
    }

    /// Returns content type and body of a post.
    pub(super) fn render(&self, notification: &Json) -> Result<(&'static str, Vec<u8>), String> {
        let Some(body) = &self.body else { return Ok(("application/json", notification.to_string().into_bytes())) };
        let mut text = String::new();
        match read(body, dialect(body), &VARIABLES) {
            Ok(template) => fill(&template, notification, &mut text).map_err(|failure| failure.text("body"))?,
            Err(_) => text.clone_from(body),
        }
        if !is_json(body) || self.warning.is_some() {
            return Ok(("text/plain; charset=utf-8", text.into_bytes()));
        }
        let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
        parsed.map_err(|error| format!("body: the template does not produce JSON: {error}"))?;
        Ok(("application/json", text.into_bytes()))
    }
}

fn dialect(body: &str) -> &'static Dialect {
    if is_json(body) { &JSON_BODY } else { &BODY }
}

/// Returns a notification with everything that one may hold.
fn sample() -> Json {
    let event = json!({"@timestamp": "2026-11-20T06:01:59Z", "@message": "a \"line\"", "@log": "app/a", "host": "a"});
    let mut sample = json!({
        "id": "0", "rule": "errors", "status": "firing", "labels": {"alertname": "errors"},
        "annotations": {"summary": "3 \"errors\""}, "value": 3, "starts_at": "2026-11-20T06:02:00Z", "ends_at": null,
        "events": [event], "first": event, "last": event, "url": "http://127.0.0.1/", "silence_url": "http://127.0.0.1/",
        "acknowledge_url": "http://127.0.0.1/", "counts": {"field": "host", "values": [{"value": "a", "count": 3}]},
        "pattern": {"text": "a <*>", "count": 3, "is_new": true},
    });
    sample["alerts"] = json!([sample.clone()]);
    // Only tests of a channel have it.
    sample["test"] = json!(false);
    sample
}

/// Reports whether a body is meant to be JSON.
fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
        && !body.trim_start().starts_with("{{")
        && !body.trim_start().starts_with("{%")
}

#[cfg(test)]
mod tests;
