//! CloudWatch's embedded metric format: a JSON line that says which of its members are metrics.
//!
//! ```text
//! {"_aws":{"Timestamp":1795210709000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service"]],
//!  "Metrics":[{"Name":"Latency","Unit":"Milliseconds"}]}]},"Service":"pay","Latency":[12.5,14]}
//! ```
//!
//! The line stays an event as it is; its metrics become data as those of `PutMetricData`. A directive that is not valid gives
//! none, as at Amazon. Source: Amazon CloudWatch, "Specification: Embedded metric format".

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::{Map, Value};
use types::Timestamp;

use super::{Datum, MetricName, NO_UNIT, UNITS, VALUE_MAX, add};
use crate::{Collector, IngestError, RawEvent, Result};

/// Limits of the format.
const DIRECTIVES_MAX: usize = 100;
const METRICS_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 30;
const VALUES_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 1024;

/// Most data of one line: metrics times sets of dimensions times values.
const DATA_MAX: usize = 10_000;

/// Most bytes of dimensions of the data of one line: those of all its sets, once for each metric.
const DIMENSION_BYTES_MAX: usize = 4 << 20;

/// Bytes of a datum besides its labels.
const DATUM_BYTES: usize = 256;

/// The member that says which others are metrics.
const ABOUT: &str = "_aws";

/// Members of records that have their message.
const MESSAGES: [&str; 4] = ["@message", "message", "log", "msg"];

/// What every such line has, also as a text within a record.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("CloudWatchMetrics"));

/// Data of a metric in a unit.
#[derive(Debug, PartialEq)]
struct EmbeddedMetric {
    metric: MetricName,
    unit: &'static str,
    data: Vec<Datum>,
}

/// Adds the data that an event has within it, if it is such a line and its sender may write to their groups.
///
/// # Errors
/// If the collected events need more memory than a request may use, or the data far more than their lines.
pub(crate) fn collect(collector: &mut Collector<'_>, raw: RawEvent<'_>) -> Result<()> {
    let (RawEvent::Text(bytes) | RawEvent::Body(bytes) | RawEvent::Syslog(bytes, _) | RawEvent::Record(bytes)) = raw;
    let Some(at) = MARK.find(bytes) else { return Ok(()) };
    // A time or a prefix may stand before the object.
    let Some(start) = memchr::memchr(b'{', bytes).filter(|start| *start < at) else { return Ok(()) };
    let Ok(Value::Object(line)) = serde_json::from_slice(&bytes[start..]) else { return Ok(()) };
    let Some(line) = line_within(line) else { return Ok(()) };
    let received = collector.received();
    let (now, limits) = (received.at, received.limits);
    let Some((time, metrics)) = metrics_of(&line, now.0 / Timestamp::MILLISECOND) else { return Ok(()) };
    if time > now.0.saturating_add(limits.future_ns_max) / Timestamp::MILLISECOND {
        return Ok(());
    }
    // To its sender the line is one record, and says what it says about those that follow.
    let (n_records, context) = (collector.n_records(), collector.line_context());
    collector.embedded.add_line(bytes.len());
    for EmbeddedMetric { metric, unit, data } in metrics {
        let Ok(labels) = metric.labels(unit, limits) else { continue };
        collector.embedded.hold((labels.text().len() + DATUM_BYTES) * data.len())?;
        for datum in &data {
            match add(collector, &metric, &labels, time, datum) {
                // A datum that is too old for its group, or a group that the sender may not write to: the line remains.
                Ok(_) | Err(IngestError::OutOfScope(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    collector.set_n_records(n_records);
    collector.set_line_context(context);
    Ok(())
}

/// Returns a line, or the one that is the message of a record: shippers put lines into such.
fn line_within(mut record: Map<String, Value>) -> Option<Map<String, Value>> {
    if record.contains_key(ABOUT) {
        return Some(record);
    }
    MESSAGES.into_iter().find_map(|name| match record.remove(name)? {
        Value::String(text) => {
            let line = text.get(text.find('{')?..)?;
            serde_json::from_str::<Map<String, Value>>(line).ok().filter(|line| line.contains_key(ABOUT))
        }
        _ => None,
    })
}

/// Returns the time of a line in ms, and its metrics; `None` if it has none that are valid.
fn metrics_of(line: &Map<String, Value>, now: i64) -> Option<(i64, Vec<EmbeddedMetric>)> {
    let about = line.get(ABOUT)?;
    let time = about.get("Timestamp").map_or(Some(now), Value::as_i64).filter(|time| *time >= 0)?;
    let directives = about.get("CloudWatchMetrics")?.as_array().filter(|list| list.len() <= DIRECTIVES_MAX)?;
    let (mut found, mut left) = (Vec::new(), DIMENSION_BYTES_MAX);
    for directive in directives {
        found.extend(directive_of(line, directive, &mut left)?);
        if found.iter().map(|metric| metric.data.len()).sum::<usize>() > DATA_MAX {
            return None;
        }
    }
    Some((time, found))
}

fn directive_of(line: &Map<String, Value>, directive: &Value, left: &mut usize) -> Option<Vec<EmbeddedMetric>> {
    let namespace = name_of(directive.get("Namespace")?)?;
    let metrics = directive.get("Metrics")?.as_array().filter(|metrics| metrics.len() <= METRICS_MAX)?;
    let sets = match directive.get("Dimensions") {
        None => Vec::new(),
        Some(sets) => {
            let of_set = |set| {
                let dimensions = dimensions_of(line, set)?;
                let n_bytes: usize = dimensions.iter().map(|(name, value)| name.len() + value.len()).sum();
                *left = left.checked_sub(n_bytes * metrics.len())?;
                Some(dimensions)
            };
            sets.as_array()?.iter().map(of_set).collect::<Option<Vec<_>>>()?
        }
    };
    let sets = if sets.is_empty() { vec![BTreeMap::new()] } else { sets };
    let mut found = Vec::new();
    for definition in metrics {
        let name = name_of(definition.get("Name")?)?;
        let unit = definition.get("Unit").map_or(Some(NO_UNIT), Value::as_str)?;
        let unit = UNITS.into_iter().find(|known| *known == unit)?;
        if !matches!(definition.get("StorageResolution").map(Value::as_u64), None | Some(Some(1 | 60))) {
            return None;
        }
        // A metric whose member is not there has no datum.
        let Some(target) = line.get(&name) else { continue };
        let data = data_of(target)?;
        for dimensions in &sets {
            let metric =
                MetricName { namespace: namespace.clone(), name: name.clone(), dimensions: dimensions.clone() };
            found.push(EmbeddedMetric { metric, unit, data: data.clone() });
        }
        if found.len() > DATA_MAX {
            return None;
        }
    }
    Some(found)
}

fn name_of(value: &Value) -> Option<String> {
    value.as_str().filter(|text| (1..=NAME_CHARS_MAX).contains(&text.chars().count())).map(str::to_owned)
}

/// Returns the dimensions that a set names, with the values that the line has for them.
fn dimensions_of(line: &Map<String, Value>, set: &Value) -> Option<BTreeMap<String, String>> {
    let names = set.as_array().filter(|names| names.len() <= DIMENSIONS_MAX)?;
    let dimension = |name: &Value| {
        let name = name_of(name)?;
        let value = match line.get(&name)? {
            Value::String(text) => text.clone(),
            value @ (Value::Number(_) | Value::Bool(_)) => value.to_string(),
            _ => return None,
        };
        (!value.is_empty() && value.chars().count() <= NAME_CHARS_MAX).then_some((name, value))
    };
    names.iter().map(dimension).collect()
}

/// Returns the values of a metric, a number or a list; equal ones are counted.
fn data_of(target: &Value) -> Option<Vec<Datum>> {
    let number = |value: &Value| value.as_f64().filter(|number| number.abs() <= VALUE_MAX);
    let mut values = match target {
        Value::Array(items) if items.len() <= VALUES_MAX => items.iter().map(number).collect::<Option<Vec<_>>>()?,
        Value::Array(_) => return None,
        value => vec![number(value)?],
    };
    values.sort_by(f64::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    Some(runs.map(|run| Datum::of_value(run[0], run.len() as f64)).collect())
}

#[cfg(test)]
mod tests;
