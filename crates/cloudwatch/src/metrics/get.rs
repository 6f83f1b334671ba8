//! `GetMetricStatistics`: statistics of the data of each period.
//!
//! Periods start at the start of the request in whole minutes. A period without data has no datapoint.

use std::collections::BTreeMap;

use door::{Problem, QueryRun};
use ingest::datum::{Datum, MetricName};
use serde_json::{Value, json};

use super::error::{bad_combination, bad_value, missing};
use super::parameters::{ACCOUNT, Parameters};
use super::put::{dimensions, unit};
use super::statistic::Statistic;
use super::store;
use crate::answer::Result;

/// Limits of requests, as at Amazon.
const DATAPOINTS_MAX: i64 = 1440;
const STATISTICS_MAX: usize = 5;
const EXTENDED_MAX: usize = 10;
const CHARS_MAX: usize = 255;

/// Periods below a minute, in s, and the longest one.
pub(super) const SHORT_PERIODS: [i64; 5] = [1, 5, 10, 20, 30];
pub(super) const PERIOD_MAX: i64 = 366 * 86_400;

const MINUTE_MS: i64 = 60_000;

type Read<T> = Result<T>;

/// A range from its start to before its end, in ms.
type Range = (i64, i64);

/// A request of `GetMetricStatistics`.
pub(super) struct StatisticsRequest {
    metric: MetricName,
    unit: Option<String>,
    range: Range,
    period_ms: i64,
    simple: Vec<(String, Statistic)>,
    extended: Vec<(String, Statistic)>,
}

impl StatisticsRequest {
    pub(super) fn read(input: &Value) -> Read<Self> {
        let input = Parameters::new(input);
        let metric = metric(&input)?;
        let (start, end) = range(&input)?;
        let period_ms = period(&input)? * 1000;
        let start = start.div_euclid(MINUTE_MS.min(period_ms)) * MINUTE_MS.min(period_ms);
        let read_to = whole_end(end, period_ms);
        let read = |name: &str, n_max: usize, of: fn(&str) -> Option<Statistic>| -> Read<Vec<(String, Statistic)>> {
            let refuse = |text: &str| bad_value(format!("The value {text:?} of {name} is no such statistic."));
            let texts = input.texts(name, n_max)?;
            texts.into_iter().map(|text| Ok((text.to_owned(), of(text).ok_or_else(|| refuse(text))?))).collect()
        };
        let simple = read("Statistics", STATISTICS_MAX, Statistic::simple)?;
        let extended = read("ExtendedStatistics", EXTENDED_MAX, Statistic::extended)?;
        types::ensure!(!simple.is_empty() || !extended.is_empty(), missing("Statistics"));
        if !simple.is_empty() && !extended.is_empty() {
            return Err(bad_combination("Statistics excludes ExtendedStatistics: ask for one of them at a time."));
        }
        let n = (end - start - 1) / period_ms + 1;
        if n > DATAPOINTS_MAX {
            return Err(bad_combination(format!(
                "You have requested up to {n} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You may reduce \
                the datapoints requested by increasing Period, or decreasing the time range."
            )));
        }
        let unit = unit(&input)?.map(str::to_owned);
        Ok(Self { metric, unit, range: (start, read_to), period_ms, simple, extended })
    }

    /// Returns the datapoints, each unit's on their own.
    pub(super) fn answer(&self, run: &QueryRun<'_>) -> Result<Value, Problem> {
        let mut datapoints = Vec::new();
        for (unit, data) in store::data_of(run, &self.metric, self.range)? {
            if self.unit.as_ref().is_some_and(|wanted| *wanted != unit) {
                continue;
            }
            for (time, data) in by_period(data, self.range.0, self.period_ms) {
                let mut datapoint = json!({"Timestamp": time / 1000, "Unit": unit});
                for (name, statistic) in &self.simple {
                    datapoint[name] = statistic.of(&data).into();
                }
                for (name, statistic) in &self.extended {
                    if let Some(value) = statistic.of(&data) {
                        datapoint["ExtendedStatistics"][name] = value.into();
                    }
                }
                if !self.simple.is_empty() || datapoint["ExtendedStatistics"].is_object() {
                    datapoints.push(without_nulls(datapoint));
                }
            }
        }
        Ok(json!({"Label": self.metric.name, "Datapoints": datapoints}))
    }
}

/// Removes members that were looked at and are not there.
fn without_nulls(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}

/// Reads the metric that a request names.
pub(super) fn metric(of: &Parameters<'_>) -> Read<MetricName> {
    let namespace = of.needed_text("Namespace", CHARS_MAX)?.to_owned();
    let name = of.needed_text("MetricName", CHARS_MAX)?.to_owned();
    Ok(MetricName { namespace, name, dimensions: dimensions(of)? })
}

/// Refuses the id of another account: this server has one.
pub(super) fn check_account(of: &Parameters<'_>, name: &str) -> Read<()> {
    match of.text(name, CHARS_MAX)? {
        Some(account) if account != ACCOUNT => {
            let place = of.at(name);
            Err(bad_value(format!("{place}: metrics of other accounts are not supported here; this one is {ACCOUNT}.")))
        }
        _ => Ok(()),
    }
}

/// Reads the range of a request.
pub(super) fn range(input: &Parameters<'_>) -> Read<Range> {
    let (start, end) = (input.needed_time("StartTime")?, input.needed_time("EndTime")?);
    if start < end {
        return Ok((start, end));
    }
    Err(bad_value("The parameter StartTime must be less than the parameter EndTime."))
}

/// Returns up to when data are read for datapoints that begin before `end`, in ms: a minute, or a second of short periods, counts
/// as a whole.
pub(super) fn whole_end(end: i64, period_ms: i64) -> i64 {
    let step = if period_ms < MINUTE_MS { 1_000 } else { MINUTE_MS };
    (end.div_euclid(step) + i64::from(end.rem_euclid(step) > 0)).saturating_mul(step)
}

/// Reads a period in s.
pub(super) fn period(of: &Parameters<'_>) -> Read<i64> {
    let period = of.integer("Period")?.ok_or_else(|| missing(&of.at("Period")))?;
    if SHORT_PERIODS.contains(&period) || period % 60 == 0 && (60..=PERIOD_MAX).contains(&period) {
        return Ok(period);
    }
    Err(bad_value(format!("The value {period} of {} must be 1, 5, 10, 20, 30 or a multiple of 60.", of.at("Period"))))
}

/// Returns the data of each period that has any, by its start in ms; periods are counted from `origin`.
pub(super) fn by_period(data: Vec<(i64, Datum)>, origin: i64, period_ms: i64) -> BTreeMap<i64, Vec<Datum>> {
    let mut periods: BTreeMap<i64, Vec<Datum>> = BTreeMap::new();
    for (time, datum) in data {
        let start = (time - origin).div_euclid(period_ms) * period_ms + origin;
        periods.entry(start).or_default().push(datum);
    }
    periods
}

#[cfg(test)]
mod tests;
