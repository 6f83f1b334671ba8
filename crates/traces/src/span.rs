//! A span: one unit of work of a trace, read from an event.
//!
//! Fields are those that the doors of traces store; unknown kinds and statuses are the defaults of OpenTelemetry.

use std::sync::Arc;

pub(crate) use ingest::span::SpanKind;
use plan::Name;
use traceql::OWN_FIELDS;
use types::{Timestamp, Value};

/// The value of `@type` of an event that is a span.
pub(crate) const SPAN_TYPE: &str = "span";

/// Nanoseconds of a millisecond, the unit of `duration_ms`.
const NANOS_PER_MS: f64 = 1e6;

/// Prefix of an attribute with the name of one of the span's own fields.
const ATTRIBUTE_PREFIX: &str = "attributes.";

/// Prefixes of the names of attributes that describe what produces spans, by OpenTelemetry's semantic conventions.
const RESOURCE_PREFIXES: [&str; 13] = [
    "service.", "telemetry.", "host.", "os.", "process.", "k8s.", "container.", "cloud.", "deployment.", "device.",
    "webengine.", "openshift.", "aws.ecs.",
];

/// One unit of work of a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Span {
    /// The trace, 32 hexadecimal digits.
    pub(crate) trace_id: Arc<str>,
    /// The span, 16 hexadecimal digits; empty where the event has none.
    pub(crate) span_id: Arc<str>,
    /// The span that caused it; `None` for a root.
    pub(crate) parent_id: Option<Arc<str>>,
    /// The name of the work.
    pub(crate) name: Arc<str>,
    /// The service.
    pub(crate) service: Arc<str>,
    /// The role in a call.
    pub(crate) kind: SpanKind,
    /// Whether it failed.
    pub(crate) is_error: bool,
    /// When it began.
    pub(crate) start: Timestamp,
    /// How long it took, in nanoseconds, at least 0.
    pub(crate) duration_ns: i64,
    /// All fields of the event that have a value, system fields included.
    pub(crate) fields: Vec<(Name, Value)>,
}

impl Span {
    /// Returns the span of an event, given its fields.
    pub(crate) fn of_event(fields: Vec<(Name, Value)>) -> Self {
        let mut span = Self::default();
        let mut duration_ms = 0.0;
        for (name, value) in &fields {
            let text = || match value {
                Value::String(text) => text.clone(),
                other => other.to_string().into(),
            };
            match &**name {
                "trace_id" => span.trace_id = text(),
                "span_id" => span.span_id = text(),
                "parent_span_id" => span.parent_id = Some(text()).filter(|id| !is_zero(id)),
                "name" => span.name = text(),
                "service" => span.service = text(),
                "kind" => span.kind = SpanKind::of(&text()),
                "status" => span.is_error = text().eq_ignore_ascii_case("error"),
                "duration_ms" => duration_ms = number(value).unwrap_or_default(),
                "@timestamp" => {
                    if let Value::Timestamp(start) = value {
                        span.start = *start;
                    }
                }
                _ => {}
            }
        }
        span.duration_ns = nanoseconds(duration_ms);
        Self { fields, ..span }
    }

    /// Returns when it ended.
    pub(crate) fn end(&self) -> Timestamp {
        Timestamp(self.start.0.saturating_add(self.duration_ns))
    }

    /// Returns the value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }

    /// Returns the value of a field as text; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.field(name).map(Value::to_string).unwrap_or_default()
    }

    /// Returns the attributes under the names that they were sent with, those of the resource too.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &Value)> {
        let sent = self.fields.iter().filter(|(name, _)| !name.starts_with('@') && !is_own_field(name));
        sent.map(|(name, value)| (name.strip_prefix(ATTRIBUTE_PREFIX).unwrap_or(name), value))
    }

    /// Returns the objects of the field `events` or `links`.
    pub(crate) fn objects(&self, name: &str) -> Vec<&[(Arc<str>, Option<Value>)]> {
        self.field(name).map(objects_of).unwrap_or_default()
    }
}

/// Returns the objects of a list.
pub(crate) fn objects_of(list: &Value) -> Vec<&[(Arc<str>, Option<Value>)]> {
    let Value::List(items) = list else { return Vec::new() };
    let objects = items.iter().flatten();
    objects.filter_map(|item| if let Value::Object(members) = item { Some(&***members) } else { None }).collect()
}

/// Reports whether an attribute describes what produces spans, rather than one span.
pub(crate) fn is_of_resource(name: &str) -> bool {
    RESOURCE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Reports whether a field is part of a span itself, and not an attribute.
pub(crate) fn is_own_field(name: &str) -> bool {
    OWN_FIELDS.contains(&name)
}

/// Returns the field of an event that has the attribute `name`.
pub(crate) fn field_of_attribute(name: &str) -> String {
    if is_own_field(name) { format!("{ATTRIBUTE_PREFIX}{name}") } else { name.to_owned() }
}

/// Returns the member of an object.
pub(crate) fn member<'v>(object: &'v [(Arc<str>, Option<Value>)], name: &str) -> Option<&'v Value> {
    object.iter().find(|(known, _)| **known == *name).and_then(|(_, value)| value.as_ref())
}

/// Returns the time of an event of a span.
pub(crate) fn event_time(event: &[(Arc<str>, Option<Value>)]) -> Timestamp {
    match member(event, "timestamp") {
        Some(Value::Timestamp(time)) => *time,
        Some(Value::String(text)) => Timestamp::parse_rfc3339(text).unwrap_or_default(),
        _ => Timestamp::default(),
    }
}

/// Returns milliseconds as nanoseconds, at least 0.
pub(crate) fn nanoseconds(duration_ms: f64) -> i64 {
    // A float beyond an `i64` becomes the largest one; NaN becomes 0.
    ((duration_ms * NANOS_PER_MS).round() as i64).max(0)
}

/// Returns nanoseconds as milliseconds.
pub(crate) fn milliseconds(duration_ns: i64) -> f64 {
    duration_ns as f64 / NANOS_PER_MS
}

/// Returns a value as a number, also a text that reads as one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        other => other.as_f64(),
    }
}

/// Reports whether an id is empty or all zeros, which means that there is none.
fn is_zero(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// Returns a trace id in its stored form: 32 lower-case hexadecimal digits. `None` for anything else.
pub(crate) fn trace_id(text: &str) -> Option<String> {
    let digits = text.trim().strip_prefix("0x").unwrap_or(text.trim());
    let is_hex = !digits.is_empty() && digits.len() <= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| format!("{:0>32}", digits.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests;
