//! Gives events what is read of exceptions in them, by the names of OpenTelemetry.
//!
//! The trace itself is not kept twice: where it is the text of the event, `exception.stacktrace` is shown from that.

use types::{BatchBuilder, Level, Value};

use super::names::{FIELDS, STACKTRACE, TRACE_KEYS};
use super::{Trace, read};
use crate::Projection;
use crate::crash::{self, Signal};
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
    let is_any = FIELDS.iter().any(|name| is_wanted(wanted, name));
    let trace = is_any.then(|| read(text).or_else(|| of_obituary(text))).flatten()?;
    add(&trace, has_own, wanted, builder);
    (!trace.exceptions.is_empty()).then_some(STACKTRACE)
}

/// What the kernel tells in one line of a program that it ended.
fn of_obituary(text: &str) -> Option<Trace> {
    let death = crash::death(text).filter(|death| death.signal == Signal::Kernel)?;
    Some(Trace { program: Some((death.program?, death.pid?)), ..Trace::default() })
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
    let outer = trace.exceptions.first().filter(|outer| !outer.kind.is_empty());
    if let Some(outer) = outer {
        text("exception.type", &outer.kind);
        text("exception.message", &outer.message);
    }
    text("thread.name", trace.thread.as_deref().unwrap_or_default());
    text("process.runtime.name", trace.runtime.unwrap_or_default());
    text("process.runtime.version", trace.version.as_deref().unwrap_or_default());
    text("process.executable.name", trace.program.as_ref().map_or("", |(name, _)| name));
    let place = trace.place();
    if let Some(frame) = place {
        text("code.function.name", &frame.function);
        text("code.file.path", &frame.file);
    }
    let line = place.and_then(|frame| frame.line);
    for (name, number) in [("code.line.number", line), ("process.pid", trace.program.as_ref().map(|(_, pid)| *pid))] {
        if let Some(number) = number
            && is_wanted(wanted, name)
            && !has_own(name)
        {
            builder.field_integer(name, number.into());
        }
    }
    let causes: Vec<Option<Value>> = trace
        .exceptions
        .iter()
        .skip(1)
        .filter(|cause| !cause.kind.is_empty())
        .map(|cause| Some(Value::text(cause.kind.as_str())))
        .collect();
    if !causes.is_empty() && is_wanted(wanted, "exception.causes") && !has_own("exception.causes") {
        builder.field_value("exception.causes", Value::List(causes.into()));
    }
}
