//! A webhook in the words of any receiver: method, headers, and a body written as a template over the notification.
//!
//! What is put into a body that is JSON is written as the inside of a JSON text where it is a text, and as JSON where it is
//! something else; so no log line can end its quotes. `"text": "{{ annotations.summary }}"` is right as it is.

use minijinja::value::Serde;
use minijinja::{Output, State};
use serde_json::{Value as Json, json};
use types::Secret;

use super::ChannelSettings;
use crate::template::{self, BoundedWriter, Names};

/// Longest body that a template may make.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Most headers, and the longest value.
const HEADERS_MAX: usize = 20;
const HEADER_BYTES_MAX: usize = 4 << 10;

/// How a webhook is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub(super) method: &'static str,
    pub(super) headers: Vec<(String, Secret)>,
    body: Option<String>,
}

impl Shape {
    /// Checks what is set.
    pub(super) fn new(settings: &ChannelSettings) -> Result<Self, String> {
        let wanted = settings.method.as_deref().unwrap_or("POST");
        let method = ["POST", "PUT", "PATCH"].into_iter().find(|known| known.eq_ignore_ascii_case(wanted));
        let method = method.ok_or_else(|| format!("method: \"{wanted}\" is none of POST, PUT, PATCH"))?;
        if settings.headers.len() > HEADERS_MAX {
            return Err(format!("headers: more than {HEADERS_MAX}"));
        }
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
        let shape = Self { method, headers, body: settings.body.clone() };
        // Its author is there to fix it now; at night, when it is needed, no one is.
        shape.check_variables()?;
        shape.render(&sample())?;
        Ok(shape)
    }

    /// Refuses a variable that no notification has: it would render as nothing.
    fn check_variables(&self) -> Result<(), String> {
        let Some(body) = &self.body else { return Ok(()) };
        let sample = sample();
        let known: Vec<&str> = sample.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let names = Names { variables: &known, labels: None, columns: &[] };
        template::check(body, names).map_err(|problem| format!("body: {problem}"))
    }

    /// Returns content type and body of a post.
    pub(super) fn render(&self, notification: &Json) -> Result<(&'static str, Vec<u8>), String> {
        let Some(body) = &self.body else { return Ok(("application/json", notification.to_string().into_bytes())) };
        let mut environment = template::environment();
        if is_json(body) {
            environment.set_formatter(write_json);
        }
        let context = minijinja::Value::from(Serde(notification));
        let mut out = BoundedWriter { bytes: Vec::new(), bytes_max: BODY_BYTES_MAX };
        let parsed = environment.template_from_str(body);
        let rendered = parsed.and_then(|template| template.render_captured_to(context, &mut out));
        rendered.map_err(|error| format!("body, of {BODY_BYTES_MAX} bytes at most: {error}"))?;
        let text = String::from_utf8_lossy(&out.bytes).into_owned();
        if !is_json(body) {
            return Ok(("text/plain; charset=utf-8", text.into_bytes()));
        }
        let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
        parsed.map_err(|error| format!("body: the template does not produce JSON: {error}"))?;
        Ok(("application/json", text.into_bytes()))
    }
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

/// Writes a value into a body that is JSON.
fn write_json(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &minijinja::Value) -> Result<(), minijinja::Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(());
    }
    let bad =
        |error: serde_json::Error| minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string());
    let json = serde_json::to_string(value).map_err(bad)?;
    let inside = value.as_str().and_then(|_| json.strip_prefix('"')?.strip_suffix('"'));
    out.write_str(inside.unwrap_or(&json)).map_err(minijinja::Error::from)
}

#[cfg(test)]
mod tests;
