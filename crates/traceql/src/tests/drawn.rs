//! `tests/traces.txt`: traces drawn by hand, queries, and the spans that they find, worked out by hand.
//!
//! `=== NAME` begins a trace. A span is a line: its letter, service, name, start and duration in milliseconds, kind, status,
//! and its other fields as JSON. Indentation says which span is its parent. A query follows `? `; after it there is a line
//! `= ` for each spanset with the letters of its spans and what was computed, or `none`.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use types::{Timestamp, Value};

use crate::{SpanView, Trace, parse, search};

/// Returns a value of JSON.
pub(super) fn of_json(value: &serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    Some(match value {
        Json::Null => return None,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64().expect("a finite number")),
        },
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::List(Arc::new(items.iter().map(of_json).collect())),
        Json::Object(parts) => {
            let parts: Vec<_> = parts.iter().map(|(name, part)| (name.as_str().into(), of_json(part))).collect();
            Value::Object(Arc::new(parts))
        }
    })
}

/// Reads the line of a span.
fn span(line: &str, parent: Option<&str>) -> SpanView {
    let (head, name) = line.split_once('"').expect("a name in quotes");
    let (name, rest) = name.split_once('"').expect("a name in quotes");
    let [id, service] = head.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
    let (rest, json) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
    let [start, length, kind, status] = rest.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
    let mut fields: Vec<(Arc<str>, Value)> = vec![
        ("span_id".into(), Value::text(id)),
        ("trace_id".into(), Value::text("00000000000000000000000000000abc")),
        ("service".into(), Value::text(service)),
        ("name".into(), Value::text(name)),
        ("kind".into(), Value::text(kind)),
        ("status".into(), Value::text(status)),
        ("duration_ms".into(), Value::Float(length.parse().expect("a duration"))),
    ];
    fields.extend(parent.map(|parent| ("parent_span_id".into(), Value::text(parent))));
    let json: serde_json::Value = serde_json::from_str(if json.is_empty() { "{}" } else { json }).expect("JSON");
    for (name, value) in json.as_object().expect("an object") {
        fields.extend(of_json(value).map(|value| (name.as_str().into(), value)));
    }
    SpanView::new(Timestamp(start.parse::<i64>().expect("a start") * 1_000_000), fields)
}

fn answer(query: &str, spans: &[SpanView]) -> String {
    let query = parse(query).expect("a query");
    let mut out = String::new();
    for spanset in search(&query, &Trace::new(spans)) {
        out.push_str("= ");
        let letters = spanset.spans.iter().map(|place| spans[*place as usize].text("span_id").unwrap_or("?"));
        out.push_str(&letters.collect::<Vec<_>>().join(" "));
        for (name, value) in spanset.values {
            let _ = write!(out, "; {name} = {}", value.map_or("nil".into(), |value| value.to_string()));
        }
        out.push('\n');
    }
    if out.is_empty() { "= none\n".into() } else { out }
}

#[test]
fn queries_find_the_spans_of_the_drawings() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces.txt")).expect("traces");
    let (mut spans, mut above): (Vec<SpanView>, Vec<(usize, String)>) = (Vec::new(), Vec::new());
    let mut wrong = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("===") {
            (spans, above) = (Vec::new(), Vec::new());
        } else if let Some(query) = line.strip_prefix("? ") {
            let mut expected = String::new();
            while let Some(line) = lines.next_if(|line| line.starts_with('=') && !line.starts_with("===")) {
                expected.push_str(line);
                expected.push('\n');
            }
            let found = answer(query, &spans);
            if found != expected {
                let _ = writeln!(wrong, "? {query}\n{found}expected\n{expected}");
            }
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            let depth = line.len() - line.trim_start().len();
            above.retain(|(other, _)| *other < depth);
            spans.push(span(line.trim_start(), above.last().map(|(_, id)| id.as_str())));
            above.push((depth, line.split_whitespace().next().expect("a letter").to_owned()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
