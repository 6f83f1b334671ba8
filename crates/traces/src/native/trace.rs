//! `/api/v1/traces/{id}`: a trace with its tree, its log lines, and what is wrong with it.

use std::fmt::Write;

use serde_json::{Value as Json, json};
use types::write_json_string;

use door::{Outcome, Problem, Reply, reason_json, stats_json};

use crate::node::{Node, Place};
use crate::problem::TraceProblem;
use crate::read::{self as reading, EventFields, Trace, query};
use crate::span::{milliseconds, trace_id};
use crate::state::Call;
use crate::times;

const PARAMETERS: [&str; 2] = ["from", "to"];

pub(crate) fn get(mut call: Call) -> Outcome {
    let id = call.variable();
    let Call { server, parameters, .. } = call;
    parameters.check_names(&PARAMETERS)?;
    let range = times::range(parameters.get("from"), parameters.get("to"), server.now())?;
    let id = trace_id(&id).ok_or_else(|| bad_id(&id))?;
    query(&server, &format!("trace {id}"), move |run, _| {
        let trace = reading::trace(run, &id, range)?.ok_or_else(|| missing(&id))?;
        Ok(Reply::content("application/json", written(&trace)))
    })
}

/// Returns the problem of a request without a parameter that it needs.
pub(crate) fn needed(name: &str) -> Problem {
    Problem::bad_parameter(format!("the parameter {name} is required"))
}

/// Returns the problem of a text that is not a trace id.
pub(crate) fn bad_id(id: &str) -> Problem {
    let problem = Problem::bad_request("bad-trace-id", format!("{id:?} is not the id of a trace"));
    problem.hint("an id has up to 32 hexadecimal digits, such as 4bf92f3577b34da6a3ce929d0e0e4736")
}

/// Returns the problem of a trace that is not found.
pub(crate) fn missing(id: &str) -> Problem {
    let problem = Problem::not_found(format!("no event has the trace id {id}"));
    problem.hint("it may be older than the retention, outside the range, or in groups that this key does not cover")
}

/// Writes a trace as JSON.
fn written(trace: &Trace) -> String {
    let (start, end) = trace.times();
    let root = trace.tree.root().map(|span| &trace.spans[span]);
    let head = json!({
        "trace_id": trace.id,
        "start": start.to_string(),
        "duration_ms": milliseconds(end.0.saturating_sub(start.0)),
        "root": root.map(|root| json!({"span_id": &*root.span_id, "name": &*root.name, "service": &*root.service})),
        "services": trace.services().iter().map(|service| Json::from(&**service)).collect::<Vec<_>>(),
        "n_spans": trace.spans.len(),
        "errors": trace.n_errors(),
        "problems": trace.problems.iter().map(TraceProblem::to_json).collect::<Vec<_>>(),
        "partial": !trace.reading.partial_reasons.is_empty(),
        "partial_reasons": trace.reading.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        "stats": stats_json(&trace.reading.stats),
    });
    let mut out = head.to_string();
    // Spans and lines are written after the members above, without a value in memory for each field.
    out.pop();
    out.push_str(",\"spans\":");
    write_events(trace.spans.iter().map(|span| &span.fields), &mut out);
    out.push_str(",\"tree\":");
    write_tree(trace, &mut out);
    out.push_str(",\"logs\":");
    write_events(trace.logs.iter(), &mut out);
    out.push('}');
    out
}

/// Writes events as a list of objects.
fn write_events<'e>(events: impl Iterator<Item = &'e EventFields>, out: &mut String) {
    out.push('[');
    for (index, fields) in events.enumerate() {
        out.push_str(if index > 0 { ",{" } else { "{" });
        for (index, (name, value)) in fields.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_json_string(name, out);
            out.push(':');
            value.write_json(out);
        }
        out.push('}');
    }
    out.push(']');
}

/// Writes the nodes of the tree, each after its parent. `span` is an index of the spans, `parent` one of the nodes.
fn write_tree(trace: &Trace, out: &mut String) {
    let text = |node: &Node| {
        let mut json = json!({
            "parent": node.parent, "depth": node.depth,
            "self_ms": milliseconds(node.self_ns), "critical_ms": milliseconds(node.critical_ns),
        });
        match &node.place {
            Place::Span(span) => {
                json["span"] = (*span).into();
                json["span_id"] = (*trace.spans[*span].span_id).into();
                if node.start != trace.spans[*span].start {
                    json["adjusted_start"] = node.start.to_string().into();
                }
            }
            Place::Gap(id) => json["missing_span_id"] = (**id).into(),
        }
        json.to_string()
    };
    out.push('[');
    for (index, node) in trace.tree.nodes.iter().enumerate() {
        let _ = write!(out, "{}{}", if index > 0 { "," } else { "" }, text(node));
    }
    out.push(']');
}
