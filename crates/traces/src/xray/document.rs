//! Segment documents of spans (AWS X-Ray developer guide, *X-Ray segment documents*).
//!
//! Spans that were sent as segment documents have the members that were sent, with times to the microsecond. Other spans have
//! the members that OpenTelemetry's exporter for X-Ray gives them: attributes that have no place of their own are metadata of
//! the namespace `default`, except those that `aws.xray.annotations` lists, which are annotations.

use serde_json::{Map, Value as Json, json};
use types::Value;

use crate::span::{Span, is_of_resource, member};
use crate::times::MICROSECOND;

use super::attributes::{self, annotation_names, call_name, is_in_progress, namespace, origin, outcomes, path_of};
use super::segments::{Segments, is_alone, segment_name};

/// Deepest nesting of subsegments in a document, and of objects made of names with dots. Subsegments below become documents of
/// their own.
const DEPTH_MAX: usize = 32;

/// Attributes that are contained in other members of a document.
const HELD: [&str; 7] = [
    "service.name", "aws.xray.annotations", "aws.xray.namespace", "aws.xray.error", "aws.xray.throttle",
    "aws.xray.fault", "aws.xray.origin",
];

/// Members of `aws.xray` in a document. Other attributes below `aws.xray` are members of the document itself that
/// OpenTelemetry has no names for.
const SDK_MEMBERS: [&str; 5] = ["auto_instrumentation", "package", "package_version", "sampling_rule_name", "tracing"];

/// Members that no attribute may replace.
const OWN_MEMBERS: [&str; 16] = [
    "id", "trace_id", "parent_id", "name", "start_time", "end_time", "type", "namespace", "subsegments", "annotations",
    "metadata", "links", "error", "throttle", "fault", "in_progress",
];

/// Returns the id of a trace in X-Ray's form.
pub(super) fn xray_id(trace_id: &str) -> String {
    match (trace_id.get(..8), trace_id.get(8..)) {
        (Some(time), Some(rest)) => format!("1-{time}-{rest}"),
        _ => trace_id.to_owned(),
    }
}

/// Returns nanoseconds since the epoch as seconds, to the microsecond, which a 64-bit float holds.
pub(super) fn seconds(ns: i64) -> f64 {
    ns.div_euclid(MICROSECOND) as f64 / 1e6
}

/// Returns the documents of a trace in order of their starts: ids and texts.
pub(super) fn documents(segments: &Segments<'_>) -> Vec<(String, String)> {
    let starts = segments.all.iter().filter(|segment| !segment.is_inferred);
    // Spans are in order of time.
    let mut waiting: Vec<(usize, bool)> = starts.map(|segment| (segment.span, true)).collect();
    waiting.sort_by(|a, b| b.cmp(a));
    let mut documents = Vec::with_capacity(waiting.len());
    while let Some((index, is_start)) = waiting.pop() {
        let span = &segments.spans[index];
        let mut document = match is_start && !is_alone(span) {
            true => segment(span),
            false => Map::from_iter([("type".into(), "subsegment".into())].into_iter().chain(subsegment(span, None))),
        };
        document.insert("trace_id".into(), xray_id(&span.trace_id).into());
        if let Some(parent) = &span.parent_id {
            document.insert("parent_id".into(), (**parent).into());
        }
        add_subsegments(segments, index, DEPTH_MAX, &mut document, &mut waiting);
        documents.push((span.span_id.to_string(), Json::Object(document).to_string()));
    }
    documents
}

/// Adds the subsegments below a span. Those below `depth` levels are put into `waiting`.
fn add_subsegments(
    segments: &Segments<'_>,
    index: usize,
    depth: usize,
    document: &mut Map<String, Json>,
    waiting: &mut Vec<(usize, bool)>,
) {
    let below = &segments.below[index];
    if below.is_empty() {
        return;
    }
    if depth == 0 {
        waiting.extend(below.iter().map(|index| (*index, false)));
        return;
    }
    let with_all_below = |index: &usize| {
        let above = &segments.spans[segments.all[segments.of_span[*index]].span];
        let mut document = subsegment(&segments.spans[*index], Some(above));
        add_subsegments(segments, *index, depth - 1, &mut document, waiting);
        Json::Object(document)
    };
    let subsegments: Vec<Json> = below.iter().map(with_all_below).collect();
    document.insert("subsegments".into(), subsegments.into());
}

/// Returns a segment without its subsegments.
fn segment(span: &Span) -> Map<String, Json> {
    let name = segment_name(span);
    let mut document = common(span, None, None);
    document.insert("name".into(), name.into());
    keep_name(span, name, &mut document);
    if let Some(origin) = origin(span) {
        document.insert("origin".into(), origin.into());
    }
    document
}

/// Returns a subsegment of the segment `above`, if that is known, without the subsegments below it.
fn subsegment(span: &Span, above: Option<&Span>) -> Map<String, Json> {
    let namespace = namespace(span);
    let called = namespace.is_some().then(|| call_name(span));
    let mut document = common(span, above, called.as_deref());
    let name = called.unwrap_or_else(|| span.name.to_string());
    keep_name(span, &name, &mut document);
    document.insert("name".into(), name.into());
    document.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace.into())));
    document
}

/// Keeps the name of a span as metadata if the document has another name.
fn keep_name(span: &Span, name: &str, document: &mut Map<String, Json>) {
    if *span.name != *name && !span.name.is_empty() {
        add_metadata(document, "span.name", (*span.name).into());
    }
}

fn object<'d>(document: &'d mut Map<String, Json>, name: &str) -> &'d mut Map<String, Json> {
    let member = document.entry(name).or_insert_with(|| json!({}));
    if !member.is_object() {
        *member = json!({});
    }
    // It was made an object above.
    member.as_object_mut().expect("an object")
}

fn add_metadata(document: &mut Map<String, Json>, name: &str, value: Json) {
    object(object(document, "metadata"), "default").insert(name.to_owned(), value);
}

/// Puts a value at a path of names with dots. Where a value is in the way, or the path is too long, the rest of it is one name.
fn insert(mut members: &mut Map<String, Json>, mut path: &str, value: Json) {
    for _ in 0..DEPTH_MAX {
        match path.split_once('.') {
            Some((head, rest)) if members.get(head).is_none_or(Json::is_object) && !rest.is_empty() => {
                (members, path) = (object(members, head), rest);
            }
            _ => break,
        }
    }
    members.insert(path.to_owned(), value);
}

/// Returns the members that segments and subsegments have. OpenTelemetry's SDKs repeat the attributes of the resource on
/// each span: those that the segment `above` already has are left out, and so are attributes that hold the name
/// `called`.
fn common(span: &Span, above: Option<&Span>, called: Option<&str>) -> Map<String, Json> {
    let above = above.filter(|above| above.field("telemetry.sdk.language").is_some());
    let is_said = |name: &str| is_of_resource(name) && above.is_some_and(|above| above.field(name) == span.field(name));
    let is_name = |name: &str, value: &Value| match name {
        "peer.service" | "rpc.service" => called.is_some_and(|called| value.to_string() == called),
        "rpc.system" => called.is_some() && namespace(span).as_deref() == Some("aws"),
        _ => false,
    };
    let mut document = Map::new();
    document.insert("id".into(), (*span.span_id).into());
    document.insert("start_time".into(), seconds(span.start.0).into());
    if is_in_progress(span) {
        document.insert("in_progress".into(), true.into());
    } else {
        document.insert("end_time".into(), seconds(span.end().0).into());
    }
    let outcomes = outcomes(span);
    for (name, is) in [("error", outcomes.is_error), ("throttle", outcomes.is_throttle), ("fault", outcomes.is_fault)] {
        if is {
            document.insert(name.into(), true.into());
        }
    }
    let annotated = annotation_names(span);
    for (name, value) in span.attributes() {
        if annotated.contains(name) {
            object(&mut document, "annotations").insert(name.to_owned(), attributes::json(value));
        } else if !is_said(name) && !is_name(name, value) && !HELD.contains(&name) {
            add_attribute(span, name, attributes::json(value), &mut document);
        }
    }
    add_cause(span, &mut document);
    let text = |link: &[_], name: &str| member(link, name).map(Value::to_string).unwrap_or_default();
    let link = |link: &[_]| {
        let mut json = json!({"trace_id": xray_id(&text(link, "trace_id")), "id": text(link, "span_id")});
        if let Some(attributes) = member(link, "attributes") {
            json["attributes"] = attributes::json(attributes);
        }
        json
    };
    let links: Vec<Json> = span.objects("links").into_iter().map(link).collect();
    if !links.is_empty() {
        document.insert("links".into(), links.into());
    }
    document
}

/// Puts an attribute at its place in a document.
fn add_attribute(span: &Span, name: &str, value: Json, document: &mut Map<String, Json>) {
    if let Some(path) = path_of(span, name) {
        insert(document, path, value);
        return;
    }
    let (head, rest) = name.split_once('.').unwrap_or((name, ""));
    match (head, rest) {
        ("metadata", "") => add_metadata(document, name, value),
        ("metadata", path) => insert(object(document, "metadata"), path, value),
        ("service", "version") => insert(document, name, value),
        ("http", path) if path.starts_with("request.") || path.starts_with("response.") => {
            insert(document, name, value)
        }
        ("sql", _) => insert(document, name, value),
        ("aws", path) => match path.strip_prefix("xray.") {
            Some(path) if SDK_MEMBERS.contains(&path) => insert(document, name, value),
            Some(path) if !OWN_MEMBERS.contains(&path.split('.').next().unwrap_or_default()) => {
                insert(document, path, value);
            }
            Some("in_progress") => {}
            Some(_) => add_metadata(document, name, value),
            None => insert(document, name, value),
        },
        _ => add_metadata(document, name, value),
    }
}

/// Adds the exceptions of a span, and its other events as metadata.
fn add_cause(span: &Span, document: &mut Map<String, Json>) {
    let events = span.objects("events");
    let is_exception = |event: &[_]| member(event, "name").is_some_and(|name| name.to_string() == "exception");
    let (exceptions, others): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| is_exception(event));
    let mut exceptions: Vec<Json> =
        exceptions.into_iter().enumerate().map(|(index, event)| exception(span, index, event)).collect();
    let message = span.text("status_message");
    if exceptions.is_empty() && !message.is_empty() {
        exceptions.push(json!({"id": exception_id(span, 0), "message": message}));
    }
    // A cause that is a text is the id of an exception of another segment.
    if !exceptions.is_empty() && !document.get("cause").is_some_and(Json::is_string) {
        object(document, "cause").insert("exceptions".into(), exceptions.into());
    }
    if !others.is_empty() {
        let event = |event: &[(std::sync::Arc<str>, Option<Value>)]| {
            let members =
                event.iter().filter_map(|(name, value)| Some((name.to_string(), attributes::json(value.as_ref()?))));
            Json::Object(members.collect())
        };
        add_metadata(document, "events", others.into_iter().map(event).collect());
    }
}

/// Returns an id for an exception that was sent without one.
fn exception_id(span: &Span, index: usize) -> String {
    let bytes = format!("{}/{}/{index}", span.trace_id, span.span_id);
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(bytes.as_bytes()))
}

fn exception(span: &Span, index: usize, event: &[(std::sync::Arc<str>, Option<Value>)]) -> Json {
    let attributes = member(event, "attributes").map_or(&[][..], Value::members);
    let mut json = Map::new();
    json.insert("id".into(), exception_id(span, index).into());
    for (name, value) in attributes.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        match &**name {
            "exception.message" => json.insert("message".into(), value.to_string().into()),
            "exception.type" => json.insert("type".into(), value.to_string().into()),
            "exception.stacktrace" => json.insert("stack".into(), value.to_string().lines().map(frame).collect()),
            other => {
                json.insert(other.strip_prefix("aws.xray.exception.").unwrap_or(other).into(), attributes::json(value))
            }
        };
    }
    Json::Object(json)
}

/// Returns a line of a stack: `at LABEL (PATH:LINE)`, or any other as a label.
fn frame(line: &str) -> Json {
    let parts = || {
        let (label, place) = line.trim().strip_prefix("at ")?.split_once(" (")?;
        Some((label, place.strip_suffix(')')?))
    };
    let Some((label, place)) = parts() else { return json!({"label": line.trim_end()}) };
    let mut frame = json!({"label": label, "path": place});
    if let Some((path, number)) = place.rsplit_once(':')
        && let Ok(number) = number.parse::<u32>()
    {
        frame["path"] = path.into();
        frame["line"] = number.into();
    }
    frame
}
