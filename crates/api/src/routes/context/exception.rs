//! What an event says of a failure: the exceptions that the reader of issues finds in its stack trace, its issue, its program.

use incident::ErrorEvent;
use plan::insights_text::quoted;
use plan::{Expr, Name, SERVICE_FIELDS};
use serde_json::{Value as Json, json};
use types::{EventId, Value};

use crate::state::Api;

/// Returns the columns that [`exception_json`] reads.
pub(super) fn columns() -> Vec<(Name, Expr)> {
    let system = ["@logStream", "@level"].map(|name| (Name::from(name), Expr::Field(name.into())));
    ErrorEvent::columns().into_iter().chain(system).collect()
}

/// Returns the stream of a row with these columns.
pub(super) fn stream_of(row: &[Option<Value>]) -> Name {
    text_at(row, 2).unwrap_or_else(|| Name::from(""))
}

/// Returns the exceptions of an event; none where it has no stack trace. Blocks.
pub(super) fn exception_json(api: &Api, group: &str, id: EventId, row: &[Option<Value>]) -> Option<Json> {
    let event = ErrorEvent::of_row(id, row);
    let (text, trace) = event.exceptions()?;
    let is_error = text_at(row, 1).is_some_and(|level| matches!(&*level, "error" | "fatal"));
    let issue = api.issues.as_ref().ok().filter(|_| is_error).and_then(|issues| issues.id_of(group, &event));
    let exceptions: Vec<Json> = trace
        .exceptions
        .iter()
        .map(|one| {
            let frames = one.frames.iter().map(|frame| {
                json!({"function": frame.function, "file": frame.file, "line": frame.line, "own": frame.is_own})
            });
            let frames: Vec<Json> = frames.collect();
            let member = Some(one.member).filter(|member| *member > 0);
            json!({"type": one.kind, "message": one.message, "frames": frames, "member": member})
        })
        .collect();
    Some(json!({
        "exceptions": exceptions,
        "thread": trace.thread,
        "runtime": trace.runtime,
        "runtime_version": trace.version,
        "issue": issue,
        "program": program(&event, &stream_of(row)),
        "text": text,
    }))
}

/// Returns a query for the lines of a program: those of its stream that name its service or none.
fn program(event: &ErrorEvent, stream: &str) -> String {
    let stream = (!stream.is_empty()).then(|| format!("@logStream = {}", quoted(stream)));
    let service = event.service.as_deref().map(quoted);
    let service = service.map(|name| format!("coalesce({}, {name}) = {name}", SERVICE_FIELDS.join(", ")));
    let conditions: Vec<String> = stream.into_iter().chain(service).collect();
    if conditions.is_empty() { String::new() } else { format!("filter {}", conditions.join(" and ")) }
}

/// Returns a text of a row, counted from its end.
fn text_at(row: &[Option<Value>], from_end: usize) -> Option<Name> {
    match row.get(row.len().checked_sub(from_end)?) {
        Some(Some(Value::String(text))) => Some(text.clone()),
        _ => None,
    }
}
