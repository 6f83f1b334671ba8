//! Spans in OpenTelemetry's form (`opentelemetry.proto.trace.v1`), as protobuf and as its JSON.
//!
//! An event does not record which of its attributes describe the resource: they are those that OpenTelemetry's conventions define
//! for resources.

mod json;
mod protobuf;

use std::collections::BTreeMap;

use types::Value;

use crate::span::{Span, SpanKind, is_of_resource};

pub(crate) use self::json::{attribute as json_attribute, batches as json_batches};
pub(crate) use self::protobuf::{Message, batches as protobuf_batches};

/// Spans of one resource and one scope.
struct Batch<'s> {
    resource: Vec<(&'s str, Value)>,
    scope: [String; 2],
    spans: Vec<&'s Span>,
}

/// Groups spans by resource and scope, in the order of the first span of each.
fn batches(spans: &[Span]) -> Vec<Batch<'_>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for span in spans {
        let resource = resource(span);
        let scope = [span.text("scope.name"), span.text("scope.version")];
        let place = *places.entry(format!("{resource:?}{scope:?}")).or_insert(batches.len());
        if place == batches.len() {
            batches.push(Batch { resource, scope, spans: Vec::new() });
        }
        batches[place].spans.push(span);
    }
    batches
}

/// Returns the attributes of the resource. The first is the name of the service.
fn resource(span: &Span) -> Vec<(&str, Value)> {
    let service = ("service.name", Value::String(span.service.clone()));
    let others = span.attributes().filter(|(name, _)| is_of_resource(name) && *name != "service.name");
    std::iter::once(service).chain(others.map(|(name, value)| (name, value.clone()))).collect()
}

/// Returns the attributes of the span itself.
fn own_attributes(span: &Span) -> impl Iterator<Item = (&str, &Value)> {
    span.attributes().filter(|(name, _)| !is_of_resource(name))
}

/// Returns the number of a kind.
fn kind_number(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// Returns the number of a status: 0 is unset, 1 is ok, 2 is error.
fn status_number(span: &Span) -> u64 {
    if span.is_error { 2 } else { u64::from(span.text("status").eq_ignore_ascii_case("ok")) }
}

/// Returns a time as nanoseconds since the epoch; 0 for none and for times before it.
fn nanos(value: Option<&Value>) -> u64 {
    let time = match value {
        Some(Value::Timestamp(time)) => Some(*time),
        Some(Value::String(text)) => types::Timestamp::parse_rfc3339(text),
        _ => None,
    };
    time.and_then(|time| u64::try_from(time.0).ok()).unwrap_or_default()
}

/// Returns the bytes of an id of hexadecimal digits; any other text gives its own bytes, so that it remains a different
/// id.
fn id_bytes(id: &str) -> Vec<u8> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(id.as_bytes()).unwrap_or_else(|_| id.as_bytes().to_vec())
}
