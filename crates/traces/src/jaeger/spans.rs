//! A trace in Jaeger's form.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use types::Value;

use crate::read::Trace;
use crate::span::{Span, event_time, is_of_resource, member};
use crate::times::MICROSECOND;

/// Returns a trace: its spans, and the processes that made them.
pub(super) fn trace_json(trace: &Trace) -> Json {
    let (mut known, mut processes): (BTreeMap<String, String>, Map<String, Json>) = Default::default();
    let mut spans = Vec::with_capacity(trace.spans.len());
    for span in &trace.spans {
        let tags = span.attributes().filter(|(name, _)| is_of_resource(name));
        let tags: Vec<Json> = tags.map(|(name, value)| tag(name, value)).collect();
        let process = json!({"serviceName": &*span.service, "tags": tags});
        let number = known.len() + 1;
        let id = known.entry(process.to_string()).or_insert_with(|| format!("p{number}")).clone();
        processes.entry(id.clone()).or_insert(process);
        spans.push(span_json(span, &id));
    }
    let warnings: Vec<&str> = trace.problems.iter().map(|problem| problem.message.as_str()).collect();
    json!({"traceID": trace.id, "spans": spans, "processes": processes, "warnings": warnings})
}

fn span_json(span: &Span, process: &str) -> Json {
    let parent = span.parent_id.iter().map(|id| reference("CHILD_OF", &span.trace_id, id));
    let text = |link: &[_], name: &str| member(link, name).map(Value::to_string).unwrap_or_default();
    let links = span.objects("links").into_iter();
    let links = links.map(|link| reference("FOLLOWS_FROM", &text(link, "trace_id"), &text(link, "span_id")));
    let own = span.attributes().filter(|(name, _)| !is_of_resource(name)).map(|(name, value)| tag(name, value));
    let problem = span.text("span_problem");
    json!({
        "traceID": &*span.trace_id, "spanID": &*span.span_id, "flags": 1, "operationName": &*span.name,
        "references": parent.chain(links).collect::<Vec<_>>(),
        "startTime": span.start.0.div_euclid(MICROSECOND), "duration": span.duration_ns / MICROSECOND,
        "tags": own.chain(derived(span)).collect::<Vec<_>>(),
        "logs": span.objects("events").into_iter().map(log).collect::<Vec<_>>(),
        "processID": process,
        "warnings": if problem.is_empty() { Json::Null } else { json!([problem]) },
    })
}

/// Returns the tags that stand for members of a span.
fn derived(span: &Span) -> Vec<Json> {
    let mut tags = vec![json!({"key": "span.kind", "type": "string", "value": span.kind.name()})];
    if span.is_error {
        tags.push(json!({"key": "error", "type": "bool", "value": true}));
    }
    let status = span.text("status").to_ascii_uppercase();
    let texts = [
        ("otel.status_code", if status == "UNSET" { String::new() } else { status }),
        ("otel.status_description", span.text("status_message")),
        ("otel.scope.name", span.text("scope.name")),
        ("otel.scope.version", span.text("scope.version")),
        ("w3c.tracestate", span.text("trace_state")),
    ];
    let present = texts.into_iter().filter(|(_, text)| !text.is_empty());
    tags.extend(present.map(|(name, text)| json!({"key": name, "type": "string", "value": text})));
    tags
}

fn reference(kind: &str, trace_id: &str, span_id: &str) -> Json {
    json!({"refType": kind, "traceID": trace_id, "spanID": span_id})
}

/// Returns an event of a span: its attributes, and its name as the field `event`.
fn log(event: &[(std::sync::Arc<str>, Option<Value>)]) -> Json {
    let name = member(event, "name").map(|name| tag("event", name));
    let attributes = member(event, "attributes").map_or(&[][..], Value::members);
    let fields = attributes.iter().filter_map(|(name, value)| Some(tag(name, value.as_ref()?)));
    json!({"timestamp": event_time(event).0.div_euclid(MICROSECOND), "fields": name.into_iter().chain(fields).collect::<Vec<_>>()})
}

fn tag(name: &str, value: &Value) -> Json {
    match value {
        Value::Boolean(truth) => json!({"key": name, "type": "bool", "value": truth}),
        Value::Integer(number) => json!({"key": name, "type": "int64", "value": number}),
        Value::Float(number) => json!({"key": name, "type": "float64", "value": number}),
        text => json!({"key": name, "type": "string", "value": text.to_string()}),
    }
}
