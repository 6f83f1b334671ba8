//! Sentry's exceptions as stack traces in the form of their language, Python's or Java's and JavaScript's, as the parser reads
//! them.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Modules of types that Python names without them.
const BUILTINS: [&str; 3] = ["builtins", "__builtin__", "exceptions"];

/// Returns a text member of an object; empty if there is none.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the exceptions of an event, the causes first.
pub(super) fn exceptions(event: &Map<String, Value>) -> &[Value] {
    let list = event.get("exception").map(|exception| exception.get("values").unwrap_or(exception));
    match list {
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}

/// Returns the stack trace of an event; empty if it has no exception.
pub(super) fn text_of(event: &Map<String, Value>) -> String {
    let (exceptions, mut out) = (exceptions(event), String::new());
    if event.get("platform").and_then(Value::as_str) == Some("python") {
        for (index, exception) in exceptions.iter().enumerate() {
            if index > 0 {
                out.push_str("\nDuring handling of the above exception, another exception occurred:\n\n");
            }
            write_python(exception, &mut out);
        }
    } else {
        for (index, exception) in exceptions.iter().rev().enumerate() {
            out.push_str(if index > 0 { "Caused by: " } else { "" });
            write_other(exception, &mut out);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn frames(exception: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    let frames = exception.get("stacktrace").and_then(|trace| trace.get("frames")).and_then(Value::as_array);
    frames.into_iter().flatten()
}

/// Writes type and message.
fn write_heading(exception: &Value, out: &mut String) {
    let [module, kind, message] = ["module", "type", "value"].map(|name| text(exception, name));
    if !module.is_empty() && !BUILTINS.contains(&module) && !kind.starts_with(module) {
        out.extend([module, "."]);
    }
    out.extend([
        if kind.is_empty() { "Error" } else { kind },
        if message.is_empty() { "" } else { ": " },
        message,
        "\n",
    ]);
}

/// Returns file, line, column and function of a frame.
fn place(frame: &Value) -> (&str, Option<u64>, Option<u64>, &str) {
    let file = ["abs_path", "filename"].into_iter().map(|name| text(frame, name)).find(|file| !file.is_empty());
    let number = |name: &str| frame.get(name).and_then(Value::as_u64);
    (file.unwrap_or("<unknown>"), number("lineno"), number("colno"), text(frame, "function"))
}

fn write_python(exception: &Value, out: &mut String) {
    let mut is_first = true;
    for frame in frames(exception) {
        out.push_str(if is_first { "Traceback (most recent call last):\n" } else { "" });
        is_first = false;
        let (file, line, _, function) = place(frame);
        // A text takes whatever is written.
        let _ = writeln!(out, "  File \"{file}\", line {}, in {function}", line.unwrap_or_default());
        let source = text(frame, "context_line").trim();
        if !source.is_empty() {
            out.extend(["    ", source, "\n"]);
        }
    }
    write_heading(exception, out);
}

fn write_other(exception: &Value, out: &mut String) {
    write_heading(exception, out);
    for frame in frames(exception).rev() {
        let (file, line, column, function) = place(frame);
        let module = text(frame, "module");
        // Java's files have no path; its functions are named with their classes.
        let is_java = !module.is_empty() && file.ends_with(".java");
        let (class, dot, gap) = if is_java { (module, ".", "") } else { ("", "", " ") };
        // A text takes whatever is written.
        let _ = write!(out, "    at {class}{dot}{function}{gap}({file}");
        for number in [line, column].into_iter().flatten() {
            let _ = write!(out, ":{number}");
        }
        out.push_str(")\n");
    }
}
