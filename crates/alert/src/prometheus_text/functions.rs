//! The functions that Prometheus adds to Go's templates.

use std::net::IpAddr;
use std::sync::Arc;

use gotemplate::Body::{Matching, OfInput, Partial, Total};
use gotemplate::Parameter::{Any, Text};
use gotemplate::{Arguments, Function, List, MapType, Value, ZonedTime, parse_float, title, url_encoded};

use super::humanize;
use super::values::{RESULT, SAMPLE};

/// Those about answers of Prometheus, its page and its clock.
pub(super) const QUERY: &[Function] = &[
    Function::new("query", &[Text], OfInput),
    Function::new("first", &[Any], Partial(first)),
    Function::new("label", &[Text, Any], Partial(|of| label(of.text(0), &of[1]))),
    Function::new("value", &[Any], Partial(|of| member(&of[0], "Value"))),
    Function::new("strvalue", &[Any], Partial(|of| label("__value__", &of[0]))),
    Function::new("sortByLabel", &[Text, Any], Partial(sorted)),
    Function::new("now", &[], OfInput),
    Function::new("graphLink", &[Text], Total(|of| link(of.text(0), 0))),
    Function::new("tableLink", &[Text], Total(|of| link(of.text(0), 1))),
    Function::new("externalURL", &[], OfInput),
    Function::new("pathPrefix", &[], OfInput),
];

/// Those about numbers and texts.
pub(crate) const TEXT: &[Function] = &[
    Function::variadic("args", &[], Total(args)),
    Function::new("humanize", &[Any], Partial(|of| Ok(humanize::metric(number(&of[0])?).into()))),
    Function::new("humanize1024", &[Any], Partial(|of| Ok(humanize::binary(number(&of[0])?).into()))),
    Function::new("humanizeDuration", &[Any], Partial(|of| Ok(humanize::duration(number(&of[0])?).into()))),
    Function::new("humanizePercentage", &[Any], Partial(|of| Ok(humanize::percentage(number(&of[0])?).into()))),
    Function::new("humanizeTimestamp", &[Any], Partial(timestamp)),
    Function::new("toTime", &[Any], Partial(|of| Ok(Value::Time(time(number(&of[0])?))))),
    Function::new(
        "parseDuration",
        &[Text],
        Partial(|of| promql::duration(of.text(0)).map(|length_ms| Value::Float(length_ms as f64 / 1e3))),
    ),
    Function::new("toUpper", &[Text], Total(|of| of.text(0).to_uppercase().into())),
    Function::new("toLower", &[Text], Total(|of| of.text(0).to_lowercase().into())),
    Function::new("title", &[Text], Total(|of| title(of.text(0)).into())),
    Function::new("safeHtml", &[Text], Total(|of| of.text(0).into())),
    Function::new("match", &[Text, Text], Matching(|regex, of| Ok(regex.is_match(of.text(1)).into()))),
    Function::new(
        "reReplaceAll",
        &[Text, Text, Text],
        Matching(|regex, of| {
            gotemplate::replaced(regex, of.text(2), |found, out| goregex::expand(found, of.text(1), out))
        }),
    ),
    Function::new(
        "stripPort",
        &[Text],
        Total(|of| host_and_port(of.text(0)).map_or(of.text(0), |(host, _)| host).into()),
    ),
    Function::new("stripDomain", &[Text], Total(|of| without_domain(of.text(0)).into())),
    Function::new("urlQueryEscape", &[Text], Total(|of| url_encoded(of.text(0)).into())),
];

fn wrong_type<T>(expected: &str, value: &Value) -> Result<T, String> {
    Err(format!("wrong type for value; expected {expected}; got {}", value.type_name()))
}

fn items(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::List(list) => Ok(&list.items),
        other => wrong_type(RESULT, other),
    }
}

/// Returns a member of a sample.
fn member(sample: &Value, name: &str) -> Result<Value, String> {
    match sample {
        Value::Map(map) if map.of == MapType::Struct(SAMPLE) => Ok(map.get(name).unwrap_or(Value::Nil)),
        other => wrong_type(SAMPLE, other),
    }
}

fn label(name: &str, sample: &Value) -> Result<Value, String> {
    match member(sample, "Labels")? {
        Value::Map(labels) => Ok(labels.get(name).unwrap_or(Value::Nil)),
        other => wrong_type("map[string]string", &other),
    }
}

fn first(of: Arguments<'_>) -> Result<Value, String> {
    items(&of[0])?.first().cloned().ok_or_else(|| "first() called on vector with no elements".to_owned())
}

fn sorted(of: Arguments<'_>) -> Result<Value, String> {
    let labelled = items(&of[1])?.iter().map(|item| Ok((label(of.text(0), item)?.printed(), item.clone())));
    let mut sorted: Vec<(String, Value)> = labelled.collect::<Result<_, String>>()?;
    sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(Value::List(Arc::new(List { type_name: RESULT, items: sorted.into_iter().map(|(_, item)| item).collect() })))
}

fn args(of: Arguments<'_>) -> Value {
    let named = of.iter().enumerate().map(|(at, value)| (format!("arg{at}"), value.clone()));
    Value::map(MapType::Values, named.collect())
}

/// Returns a number of any type; a text is read as one.
pub(crate) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Integer(number) | Value::Long(number) => Ok(*number as f64),
        Value::Text(text) => {
            parse_float(text).ok_or_else(|| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
        }
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

/// Returns seconds since the epoch as a time; Prometheus keeps milliseconds.
fn time(seconds: f64) -> ZonedTime {
    let ms = (seconds * 1e3) as i64;
    ZonedTime { nanoseconds: ms.rem_euclid(1_000) as u32 * 1_000_000, ..ZonedTime::of_seconds(ms.div_euclid(1_000)) }
}

fn timestamp(of: Arguments<'_>) -> Result<Value, String> {
    let seconds = number(&of[0])?;
    Ok(if seconds.is_finite() { Value::Time(time(seconds)).printed() } else { humanize::metric(seconds) }.into())
}

/// Returns the address of a query, at a tab of its page: the graph (0) or the table (1).
fn link(query: &str, tab: u8) -> Value {
    format!("/graph?g0.expr={}&g0.tab={tab}", url_encoded(query)).into()
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
