//! A trace in Zipkin's form (version 2 of its JSON).

use serde_json::{Map, Value as Json, json};
use types::Value;

use crate::read::Trace;
use crate::span::{Span, SpanKind, event_time, member};
use crate::times::MICROSECOND;

/// Attributes that name the other side of a call.
pub(super) const REMOTE_FIELDS: [&str; 3] = ["peer.service", "server.address", "net.peer.name"];

/// Returns the spans of a trace.
pub(super) fn trace_json(trace: &Trace) -> Json {
    trace.spans.iter().map(span_json).collect()
}

fn span_json(span: &Span) -> Json {
    let mut json = json!({
        "traceId": &*span.trace_id, "id": &*span.span_id, "name": &*span.name,
        "timestamp": span.start.0.div_euclid(MICROSECOND),
        // 0 is unknown in Zipkin.
        "duration": (span.duration_ns / MICROSECOND).max(1),
        "localEndpoint": {"serviceName": &*span.service},
        "tags": tags(span),
        "annotations": span.objects("events").into_iter().map(annotation).collect::<Vec<_>>(),
    });
    if let Some(parent) = &span.parent_id {
        json["parentId"] = (**parent).into();
    }
    if span.kind != SpanKind::Internal {
        json["kind"] = span.kind.name().to_ascii_uppercase().into();
    }
    let remote = REMOTE_FIELDS.iter().find_map(|field| span.field(field));
    if let Some(remote) = remote {
        json["remoteEndpoint"] = json!({"serviceName": remote.to_string()});
        let port = ["server.port", "net.peer.port"].iter().find_map(|field| span.field(field));
        if let Some(Value::Integer(port)) = port {
            json["remoteEndpoint"]["port"] = (*port).into();
        }
    }
    json
}

fn tags(span: &Span) -> Map<String, Json> {
    let mut tags: Map<String, Json> =
        span.attributes().map(|(name, value)| (name.to_owned(), value.to_string().into())).collect();
    if span.is_error {
        let message = span.text("status_message");
        let text = if message.is_empty() { "true".to_owned() } else { message };
        tags.entry("error").or_insert(text.into());
    }
    for (name, field) in [("otel.scope.name", "scope.name"), ("otel.scope.version", "scope.version")] {
        let text = span.text(field);
        if !text.is_empty() {
            tags.insert(name.to_owned(), text.into());
        }
    }
    tags
}

/// Returns an event of a span: its name, with its attributes as JSON where it has some.
fn annotation(event: &[(std::sync::Arc<str>, Option<Value>)]) -> Json {
    let time = event_time(event);
    let name = member(event, "name").map(Value::to_string).unwrap_or_default();
    let value = match member(event, "attributes") {
        Some(Value::Object(members)) if !members.is_empty() => {
            format!("{name} {}", Value::Object(members.clone()))
        }
        _ => name,
    };
    json!({"timestamp": time.0.div_euclid(MICROSECOND), "value": value})
}
