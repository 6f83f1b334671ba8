//! Gives events what is read of exceptions in them, by the names of OpenTelemetry.
//!
//! The trace itself is not kept twice: where it is the text of the event, `exception.stacktrace` is shown from that.

use types::{BatchBuilder, Level, Value};

use super::names::{FIELDS, STACKTRACE, TRACE_KEYS};
use super::{Trace, read};
use crate::Projection;
use crate::json::{Members, Token};

fn is_wanted(wanted: Option<&Projection>, name: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.has_field(name))
}

/// Gives an event the fields of the trace that its text has. Returns the key under which the text is the trace.
pub(crate) fn add_of_text(
    text: &str,
    has_own: impl Fn(&str) -> bool,
    wanted: Option<&Projection>,
    builder: &mut BatchBuilder,
) -> Option<&'static str> {
    let trace = if FIELDS.iter().any(|name| is_wanted(wanted, name)) { read(text)? } else { return None };
    add(&trace, has_own, wanted, builder);
    Some(STACKTRACE)
}

/// Gives a record the fields of the trace that one of its keys has, or its text. Returns the level of one that has
/// it under a key for traces and says none.
pub(crate) fn add_of_members(
    members: &Members,
    line: &str,
    wanted: Option<&Projection>,
    builder: &mut BatchBuilder,
) -> Option<Level> {
    // A text of several lines has escapes, and so is none of the line's own bytes.
    memchr::memchr(b'\n', members.scratch.as_bytes())?;
    let lines_of = |token: &Token| match token {
        Token::Text(span) if span.is_scratch => Some(members.get(*span, line)).filter(|text| text.contains('\n')),
        _ => None,
    };
    let rank = |name: &str| TRACE_KEYS.iter().position(|key| *key == name);
    let traces = members.members.iter().filter_map(|member| {
        let text = lines_of(&member.token)?;
        Some((rank(members.get(member.name, line))?, text))
    });
    let text = || members.texts.iter().flatten().find_map(|member| lines_of(&member.token));
    let of_key = traces.min_by_key(|(rank, _)| *rank).map(|(_, text)| text);
    let trace = of_key.or_else(text).and_then(read)?;
    add(&trace, |name| members.has(line, name), wanted, builder);
    (of_key.is_some() && !trace.exceptions.is_empty()).then_some(Level::Error)
}

/// Gives an event the fields of a trace that it does not have by itself.
fn add(trace: &Trace, has_own: impl Fn(&str) -> bool, wanted: Option<&Projection>, builder: &mut BatchBuilder) {
    let mut text = |name: &str, text: &str| {
        if !text.is_empty() && is_wanted(wanted, name) && !has_own(name) {
            builder.field_text(name, text);
        }
    };
    let Some(outer) = trace.exceptions.first() else { return };
    text("exception.type", &outer.kind);
    if !outer.kind.is_empty() {
        text("exception.message", &outer.message);
    }
    text("thread.name", trace.thread.as_deref().unwrap_or_default());
    text("process.runtime.name", trace.runtime.unwrap_or_default());
    text("process.runtime.version", trace.version.as_deref().unwrap_or_default());
    let place = trace.place();
    if let Some(frame) = place {
        text("code.function.name", &frame.function);
        text("code.file.path", &frame.file);
    }
    if let Some(line) = place.and_then(|frame| frame.line)
        && is_wanted(wanted, "code.line.number")
        && !has_own("code.line.number")
    {
        builder.field_integer("code.line.number", line.into());
    }
    let causes: Vec<Option<Value>> = trace.exceptions[1..]
        .iter()
        .filter(|cause| !cause.kind.is_empty())
        .map(|cause| Some(Value::text(cause.kind.as_str())))
        .collect();
    if !causes.is_empty() && is_wanted(wanted, "exception.causes") && !has_own("exception.causes") {
        builder.field_value("exception.causes", Value::List(causes.into()));
    }
}
