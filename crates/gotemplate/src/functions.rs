//! The functions that Prometheus adds to Go's templates.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use regex::{Captures, Regex};

use crate::data::Data;
use crate::value::Value;
use crate::{humanize, time};

/// A function: its arguments, what the template is filled in with, and a result or an error.
type Function = fn(&[Value], &Data<'_>) -> Result<Value, String>;

/// Name, number of arguments (`None` for any) and function.
const FUNCTIONS: [(&str, Option<usize>, Function); 28] = [
    ("query", Some(1), query),
    ("first", Some(1), |of, _| {
        let samples = samples(&of[0])?;
        let first = samples.first().ok_or("first() called on vector with no elements")?;
        Ok(Value::Sample(Arc::new(first.clone())))
    }),
    ("label", Some(2), |of, _| {
        let (name, sample) = (text(&of[0])?, sample(&of[1])?);
        Ok(Value::text(sample.labels.get(name).map_or("", String::as_str)))
    }),
    ("value", Some(1), |of, _| sample(&of[0]).map(|sample| Value::Float(sample.value))),
    ("strvalue", Some(1), |of, _| Ok(Value::text(sample(&of[0])?.labels.get("__value__").map_or("", String::as_str)))),
    ("sortByLabel", Some(2), |of, _| {
        let name = text(&of[0])?;
        let mut sorted = samples(&of[1])?.to_vec();
        sorted.sort_by(|a, b| a.labels.get(name).cmp(&b.labels.get(name)));
        Ok(Value::Samples(Arc::new(sorted)))
    }),
    ("args", None, |of, _| {
        let named = of.iter().enumerate().map(|(at, value)| (format!("arg{at}"), value.clone()));
        Ok(Value::Arguments(Arc::new(named.collect::<BTreeMap<_, _>>())))
    }),
    ("humanize", Some(1), |of, _| number(&of[0]).map(|number| Value::Text(humanize::metric(number)))),
    ("humanize1024", Some(1), |of, _| number(&of[0]).map(|number| Value::Text(humanize::binary(number)))),
    ("humanizeDuration", Some(1), |of, _| number(&of[0]).map(|number| Value::Text(humanize::duration(number)))),
    ("humanizePercentage", Some(1), |of, _| number(&of[0]).map(|number| Value::Text(humanize::percentage(number)))),
    ("humanizeTimestamp", Some(1), |of, _| {
        let seconds = number(&of[0])?;
        Ok(Value::Text(if seconds.is_finite() { time::text(seconds) } else { humanize::metric(seconds) }))
    }),
    ("toTime", Some(1), |of, _| number(&of[0]).map(Value::Time)),
    ("now", Some(0), |_, data| Ok(Value::Float(data.now))),
    ("parseDuration", Some(1), |of, _| {
        let text = text(&of[0])?;
        time::duration(text).map(Value::Float).ok_or_else(|| format!("not a valid duration string: {text:?}"))
    }),
    ("toUpper", Some(1), |of, _| text(&of[0]).map(|text| Value::Text(text.to_uppercase()))),
    ("toLower", Some(1), |of, _| text(&of[0]).map(|text| Value::Text(text.to_lowercase()))),
    ("title", Some(1), |of, _| text(&of[0]).map(|text| Value::Text(title(text)))),
    ("safeHtml", Some(1), |of, _| text(&of[0]).map(Value::text)),
    ("match", Some(2), |of, _| {
        let (pattern, text) = (pattern(&of[0])?, text(&of[1])?);
        Ok(Value::Bool(pattern.is_match(text)))
    }),
    ("reReplaceAll", Some(3), |of, _| {
        let (pattern, with, text) = (pattern(&of[0])?, text(&of[1])?, text(&of[2])?);
        let expanded = |groups: &Captures<'_>| {
            let mut expanded = String::new();
            goregex::expand(groups, with, &mut expanded);
            expanded
        };
        Ok(Value::text(pattern.replace_all(text, expanded)))
    }),
    ("stripPort", Some(1), |of, _| {
        let text = text(&of[0])?;
        Ok(Value::text(host_and_port(text).map_or(text, |(host, _)| host)))
    }),
    ("stripDomain", Some(1), |of, _| text(&of[0]).map(|text| Value::Text(without_domain(text)))),
    ("graphLink", Some(1), |of, _| {
        text(&of[0]).map(|text| Value::Text(format!("/graph?g0.expr={}&g0.tab=0", escaped(text))))
    }),
    ("tableLink", Some(1), |of, _| {
        text(&of[0]).map(|text| Value::Text(format!("/graph?g0.expr={}&g0.tab=1", escaped(text))))
    }),
    ("urlQueryEscape", Some(1), |of, _| text(&of[0]).map(|text| Value::Text(escaped(text)))),
    ("externalURL", Some(0), |_, data| Ok(Value::text(data.external_url))),
    ("pathPrefix", Some(0), |_, data| {
        let after_scheme = data.external_url.split_once("://").map_or(data.external_url, |(_, rest)| rest);
        Ok(Value::text(after_scheme.find('/').map_or("", |at| &after_scheme[at..])))
    }),
];

/// Reports whether there is a function of the name.
pub(crate) fn is_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, ..)| *known == name)
}

/// Calls a function; `None` if there is none of the name.
pub(crate) fn call(name: &str, arguments: &[Value], data: &Data<'_>) -> Option<Result<Value, String>> {
    let (_, n, function) = FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
    if let Some(n) = n.filter(|n| *n != arguments.len()) {
        return Some(Err(format!("wrong number of args for {name}: want {n} got {}", arguments.len())));
    }
    Some(function(arguments, data).map_err(|error| format!("error calling {name}: {error}")))
}

fn query(of: &[Value], data: &Data<'_>) -> Result<Value, String> {
    (data.query)(text(&of[0])?).map(|samples| Value::Samples(Arc::new(samples)))
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(format!("wrong type for value; expected string; got {}", other.type_name())),
    }
}

fn samples(value: &Value) -> Result<&[crate::QuerySample], String> {
    match value {
        Value::Samples(samples) => Ok(samples),
        other => Err(format!("wrong type for value; expected template.QueryResult; got {}", other.type_name())),
    }
}

fn sample(value: &Value) -> Result<&crate::QuerySample, String> {
    match value {
        Value::Sample(sample) => Ok(sample),
        other => Err(format!("wrong type for value; expected *template.sample; got {}", other.type_name())),
    }
}

/// Returns a number of whatever type; a text is read as one.
fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Text(text) => text.parse().map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax")),
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

fn pattern(value: &Value) -> Result<Regex, String> {
    let rewritten = goregex::rewritten(text(value)?).map_err(|error| format!("error parsing regexp: {error}"))?;
    Regex::new(&rewritten).map_err(|error| format!("error parsing regexp: {error}"))
}

/// Returns the text with the first letter of each word in upper case.
fn title(text: &str) -> String {
    let (mut titled, mut is_start) = (String::with_capacity(text.len()), true);
    for character in text.chars() {
        if is_start {
            titled.extend(character.to_uppercase());
        } else {
            titled.push(character);
        }
        is_start = !(character.is_alphanumeric() || character == '_' || character == '\'');
    }
    titled
}

/// Splits an address; `None` if it has no port.
fn host_and_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').map(|inner| (inner, port)),
        None => (!host.contains(':')).then_some((host, port)),
    }
}

fn without_domain(text: &str) -> String {
    let (host, port) = host_and_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let host = host.split('.').next().unwrap_or_default();
    if port.is_empty() { host.to_owned() } else { format!("{host}:{port}") }
}

/// Returns a text as a part of an address.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            b' ' => escaped.push('+'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
