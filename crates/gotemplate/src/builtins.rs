//! The functions that Go's templates have themselves. `and` and `or` are evaluated with the pipeline, since they look at no
//! more arguments than they need.

use crate::compare::{is_equal, is_less};
use crate::functions::escaped;
use crate::printf;
use crate::value::Value;

/// Names of all of them.
const NAMES: [&str; 17] = [
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "printf", "println",
    "html", "urlquery",
];

/// Reports whether there is a function of the name.
pub(crate) fn is_builtin(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls a function; `None` if there is none of the name.
pub(crate) fn call(name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    if !is_builtin(name) {
        return None;
    }
    let result = match name {
        "not" => one(name, arguments).map(|value| Value::Bool(!value.is_true())),
        "eq" => equal(arguments),
        "ne" => two(name, arguments).and_then(|(a, b)| is_equal(a, b)).map(|is_equal| Value::Bool(!is_equal)),
        "lt" => two(name, arguments).and_then(|(a, b)| is_less(a, b)).map(Value::Bool),
        "ge" => two(name, arguments).and_then(|(a, b)| is_less(a, b)).map(|is_less| Value::Bool(!is_less)),
        "le" => two(name, arguments).and_then(|(a, b)| Ok(is_less(a, b)? || is_equal(a, b)?)).map(Value::Bool),
        "gt" => two(name, arguments).and_then(|(a, b)| Ok(!is_less(a, b)? && !is_equal(a, b)?)).map(Value::Bool),
        "len" => one(name, arguments).and_then(length),
        "index" => index(arguments),
        "slice" => slice(arguments),
        "print" => Ok(Value::Text(printed(arguments))),
        "println" => Ok(Value::Text(printed_line(arguments))),
        "printf" => printf::formatted(arguments).map(Value::Text),
        "html" => Ok(Value::Text(html(&printed(arguments)))),
        "urlquery" => Ok(Value::Text(escaped(&printed(arguments)))),
        _ => return None,
    };
    Some(result.map_err(|error| format!("error calling {name}: {error}")))
}

fn one<'v>(name: &str, arguments: &'v [Value]) -> Result<&'v Value, String> {
    let [value] = arguments else {
        return Err(format!("wrong number of args for {name}: want 1 got {}", arguments.len()));
    };
    Ok(value)
}

fn two<'v>(name: &str, arguments: &'v [Value]) -> Result<(&'v Value, &'v Value), String> {
    let [a, b] = arguments else {
        return Err(format!("wrong number of args for {name}: want 2 got {}", arguments.len()));
    };
    Ok((a, b))
}

/// `eq`: whether the first argument equals any other.
fn equal(arguments: &[Value]) -> Result<Value, String> {
    let Some((first, others)) = arguments.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err("missing argument for comparison".to_owned());
    };
    for other in others {
        if is_equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn length(value: &Value) -> Result<Value, String> {
    let n = match value {
        Value::Text(text) => text.len(),
        Value::Labels(labels) => labels.len(),
        Value::Arguments(arguments) => arguments.len(),
        Value::Samples(samples) => samples.len(),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let Some((of, keys)) = arguments.split_first() else { return Err("index of untyped nil".to_owned()) };
    let mut value = of.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::Labels(labels), Value::Text(name)) => Value::text(labels.get(name).map_or("", String::as_str)),
            (Value::Arguments(all), Value::Text(name)) => all.get(name).cloned().unwrap_or(Value::Nil),
            (Value::Samples(samples), Value::Int(at)) => {
                let sample = usize::try_from(*at).ok().and_then(|at| samples.get(at));
                let sample = sample.ok_or_else(|| format!("index out of range: {at}"))?;
                Value::Sample(std::sync::Arc::new(sample.clone()))
            }
            (Value::Text(text), Value::Int(at)) => {
                let byte = usize::try_from(*at).ok().and_then(|at| text.as_bytes().get(at));
                Value::Int(i64::from(*byte.ok_or_else(|| format!("index out of range: {at}"))?))
            }
            (of, key) => return Err(format!("can't index item of type {} with {}", of.type_name(), key.type_name())),
        };
    }
    Ok(value)
}

/// `slice`: a part of a text, by bytes.
fn slice(arguments: &[Value]) -> Result<Value, String> {
    let Some((Value::Text(text), bounds)) = arguments.split_first() else {
        return Err("can't slice an item that is not a string".to_owned());
    };
    let bound = |at: usize, missing: usize| match bounds.get(at) {
        None => Ok(missing),
        Some(Value::Int(bound)) => usize::try_from(*bound).map_err(|_| format!("index out of range: {bound}")),
        Some(other) => Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    let (from, to) = (bound(0, 0)?, bound(1, text.len())?);
    let part = text.get(from..to).ok_or_else(|| format!("index out of range: {to}"))?;
    Ok(Value::text(part))
}

/// Prints values as Go's `Sprint` does: a space between two of which neither is a text.
fn printed(values: &[Value]) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if at > 0 && !is_text(value) && !is_text(&values[at - 1]) {
            text.push(' ');
        }
        text.push_str(&value.printed());
    }
    text
}

/// Prints values with spaces between them, and an end of line.
fn printed_line(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(Value::printed).collect();
    texts.join(" ") + "\n"
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\0' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
