//! `PutMetricData`: stores data.

use std::collections::BTreeMap;

use ingest::datum::{self, Datum, MetricName, NO_UNIT, UNITS, VALUE_MAX};
use ingest::sample::SeriesLabels;
use serde_json::Value;
use types::{Limits, Timestamp, ensure};

use super::error::{bad_combination, bad_value, missing};
use super::parameters::Parameters;
use crate::answer::Result;
use crate::state::Shared;

/// Limits of a request, as at Amazon.
const DATA_MAX: usize = 1000;
const VALUES_MAX: usize = 150;
const NAME_CHARS_MAX: usize = 255;
const DIMENSION_CHARS_MAX: usize = 1024;
pub(super) const DIMENSIONS_MAX: usize = 30;

/// Data of one metric at one time.
struct Entry {
    metric: MetricName,
    labels: SeriesLabels,
    time: i64,
    data: Vec<Datum>,
}

/// Stores the data of a request, all or nothing; returns when they are durable. Blocks.
///
/// A request again counts again, unless it has the id of the same call: `call_id`, which clients keep when they retry.
pub(super) fn put(server: &Shared, input: &Value, body: &[u8], call_id: Option<&str>) -> Result<()> {
    let input = Parameters::new(input);
    let namespace = input.needed_text("Namespace", NAME_CHARS_MAX)?;
    let intake = &server.app.intake;
    let now = server.now();
    let data = input.structures("MetricData", DATA_MAX)?;
    ensure!(!data.is_empty(), missing("MetricData"));
    let entries = data.iter().map(|datum| entry(namespace, datum, now, &intake.limits));
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    let call_id = call_id.map(|id| format!("cloudwatch metrics {id}"));
    let sender = server.sender(call_id.as_deref());
    let mut collector = intake.collect(&sender);
    for (at, entry) in entries.iter().enumerate() {
        for datum in &entry.data {
            if let Err(refusal) = datum::add(&mut collector, &entry.metric, &entry.labels, entry.time, datum)? {
                return Err(bad_value(format!("MetricData.member.{}.Timestamp: {refusal}", at + 1)));
            }
        }
    }
    if entries.iter().any(|entry| !entry.data.is_empty()) {
        intake.accept(collector, body, &sender)?;
    }
    Ok(())
}

fn entry(namespace: &str, datum: &Parameters<'_>, now: Timestamp, limits: &Limits) -> Result<Entry> {
    let name = datum.needed_text("MetricName", NAME_CHARS_MAX)?.to_owned();
    check_dimensions(datum)?;
    let metric = MetricName { namespace: namespace.to_owned(), name, dimensions: dimensions(datum)? };
    let unit = unit(datum)?.unwrap_or(NO_UNIT);
    let labels =
        metric.labels(unit, limits).map_err(|problem| bad_value(format!("{}: {problem}", datum.at("MetricName"))))?;
    let now_ms = now.0.div_euclid(Timestamp::MILLISECOND);
    let latest = now.0.saturating_add(limits.future_ns_max).div_euclid(Timestamp::MILLISECOND);
    let time = datum.time("Timestamp")?.unwrap_or(now_ms);
    if !(0..=latest).contains(&time) {
        let limit = Timestamp(latest.saturating_mul(Timestamp::MILLISECOND));
        return Err(bad_value(format!("The value of {} must be from 1970 to {limit}.", datum.at("Timestamp"))));
    }
    if !matches!(datum.integer("StorageResolution")?, None | Some(1 | 60)) {
        return Err(bad_value(format!("The value of {} must be 1 or 60.", datum.at("StorageResolution"))));
    }
    Ok(Entry { metric, labels, time, data: values(datum)? })
}

/// Reads the dimensions of a metric.
pub(super) fn dimensions(of: &Parameters<'_>) -> Result<BTreeMap<String, String>> {
    let mut dimensions = BTreeMap::new();
    for dimension in of.structures("Dimensions", DIMENSIONS_MAX)? {
        let name = dimension.needed_text("Name", NAME_CHARS_MAX)?;
        let text = dimension.needed_text("Value", DIMENSION_CHARS_MAX)?;
        if dimensions.insert(name.to_owned(), text.to_owned()).is_some() {
            return Err(bad_value(format!("{} is there twice: {name:?}.", dimension.at("Name"))));
        }
    }
    Ok(dimensions)
}

/// Checks that the dimensions of new data are as Amazon allows them. Those of requests that read data are not checked:
/// data of other senders may have other dimensions.
fn check_dimensions(datum: &Parameters<'_>) -> Result<()> {
    for dimension in datum.structures("Dimensions", DIMENSIONS_MAX)? {
        for (part, chars_max) in [("Name", NAME_CHARS_MAX), ("Value", DIMENSION_CHARS_MAX)] {
            let text = dimension.needed_text(part, chars_max)?;
            let rule = if text.bytes().any(|byte| !byte.is_ascii() || byte.is_ascii_control()) {
                "must contain only ASCII characters, and no control characters"
            } else if text.trim().is_empty() {
                "must contain a character other than a blank"
            } else if part == "Name" && text.starts_with(':') {
                "must not start with a colon"
            } else {
                continue;
            };
            return Err(bad_value(format!("The value {text:?} of {} {rule}.", dimension.at(part))));
        }
    }
    Ok(())
}

/// Reads a unit.
pub(super) fn unit<'v>(of: &Parameters<'v>) -> Result<Option<&'v str>> {
    let Some(unit) = of.text("Unit", NAME_CHARS_MAX)? else { return Ok(None) };
    let problem = || bad_value(format!("The value {unit:?} of {} is no unit; {NO_UNIT} would be one.", of.at("Unit")));
    if UNITS.contains(&unit) { Ok(Some(unit)) } else { Err(problem()) }
}

/// Reads the one form of values that a datum has.
fn values(datum: &Parameters<'_>) -> Result<Vec<Datum>> {
    let (value, set) = (datum.number("Value")?, datum.structure("StatisticValues")?);
    let values = datum.numbers("Values", VALUES_MAX)?;
    let counts = datum.numbers("Counts", VALUES_MAX)?;
    let n_forms = [value.is_some(), set.is_some(), values.is_some()].into_iter().filter(|is_given| *is_given).count();
    if n_forms != 1 {
        let message = || format!("{} excludes Values and StatisticValues, and each the others.", datum.at("Value"));
        return Err(if n_forms == 0 { missing(&datum.at("Value")) } else { bad_combination(message()) });
    }
    ensure!(counts.is_none() || values.is_some(), bad_combination(format!("{} needs Values.", datum.at("Counts"))));
    if let Some(set) = set {
        return Ok(vec![statistic_set(&set)?]);
    }
    let values = values.unwrap_or_else(|| value.into_iter().collect());
    let counts = counts.unwrap_or_else(|| vec![1.0; values.len()]);
    if counts.len() != values.len() {
        return Err(bad_value(format!("{} and {} must have the same length.", datum.at("Values"), datum.at("Counts"))));
    }
    let single = |(value, count): (f64, f64)| {
        check_value(value, || datum.at("Value"))?;
        if count < 0.0 {
            return Err(bad_value(format!("{} must not be negative.", datum.at("Counts"))));
        }
        let of_value = Datum::of_value(value, count);
        check_sum(of_value.sum, || datum.at("Counts"))?;
        Ok(of_value)
    };
    // A value that was measured no time is none.
    let data = values.into_iter().zip(counts).map(single).collect::<Result<Vec<_>, _>>()?;
    Ok(data.into_iter().filter(|datum| datum.count > 0.0).collect())
}

fn statistic_set(set: &Parameters<'_>) -> Result<Datum> {
    let number = |name: &str| -> Result<f64> {
        let number = set.number(name)?.ok_or_else(|| missing(&set.at(name)))?;
        check_value(number, || set.at(name)).map(|()| number)
    };
    let datum = Datum {
        count: number("SampleCount")?,
        sum: number("Sum")?,
        minimum: number("Minimum")?,
        maximum: number("Maximum")?,
    };
    if datum.count <= 0.0 {
        return Err(bad_value(format!("{} must be greater than 0.", set.at("SampleCount"))));
    }
    if datum.minimum > datum.maximum {
        return Err(bad_value(format!("{} must not be greater than Maximum.", set.at("Minimum"))));
    }
    Ok(datum)
}

fn check_value(value: f64, place: impl Fn() -> String) -> Result<()> {
    if value.abs() <= VALUE_MAX {
        return Ok(());
    }
    Err(bad_value(format!("The value {value} of {} must be from -2^360 to 2^360.", place())))
}

fn check_sum(sum: f64, place: impl Fn() -> String) -> Result<()> {
    if sum.is_finite() { Ok(()) } else { Err(bad_value(format!("{} are too large.", place()))) }
}

#[cfg(test)]
mod tests;
