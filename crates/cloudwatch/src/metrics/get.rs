//! `GetMetricStatistics` and `GetMetricData`: statistics of the data of each period.
//!
//! Periods of `GetMetricData` start at multiples of the period since 1970, those of `GetMetricStatistics` at the start of the
//! request in whole minutes. A period without data has no datapoint.

use std::collections::{BTreeMap, BTreeSet};

use door::problem::Problem;
use door::query_run::QueryRun;
use serde_json::{Value, json};

use super::error::{bad_combination, bad_value, missing};
use super::parameters::Parameters;
use super::put::{dimensions, unit};
use super::statistic::{Datum, Statistic};
use super::store::{self, MetricName};
use crate::answer::CloudWatchProblem;

/// Limits of requests, as at Amazon.
const QUERIES_MAX: usize = 500;
const DATAPOINTS_MAX: i64 = 1440;
const PAGE_MAX: i64 = 100_800;
const STATISTICS_MAX: usize = 5;
const EXTENDED_MAX: usize = 10;
const CHARS_MAX: usize = 255;
const EXPRESSION_CHARS_MAX: usize = 2048;

/// Periods below a minute, in s, and the longest one.
const SHORT_PERIODS: [i64; 5] = [1, 5, 10, 20, 30];
const PERIOD_MAX: i64 = 366 * 86_400;

const MINUTE_MS: i64 = 60_000;

type Read<T> = Result<T, CloudWatchProblem>;

/// A range from its start to before its end, in ms.
type Range = (i64, i64);

/// The datapoints of a query, and messages about them.
type Answered = (Vec<(i64, f64)>, Vec<Value>);

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
        let read = |name: &str, n_max: usize, of: fn(&str) -> Option<Statistic>| -> Read<Vec<(String, Statistic)>> {
            let refuse = |text: &str| bad_value(format!("The value {text:?} of {name} is no such statistic."));
            let texts = input.texts(name, n_max)?;
            texts.into_iter().map(|text| Ok((text.to_owned(), of(text).ok_or_else(|| refuse(text))?))).collect()
        };
        let simple = read("Statistics", STATISTICS_MAX, Statistic::simple)?;
        let extended = read("ExtendedStatistics", EXTENDED_MAX, Statistic::extended)?;
        if simple.is_empty() && extended.is_empty() {
            return Err(missing("Statistics"));
        }
        let n = (end - start - 1) / period_ms + 1;
        if n > DATAPOINTS_MAX {
            return Err(bad_combination(format!(
                "You have requested up to {n} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You may reduce \
                the datapoints requested by increasing Period, or decreasing the time range."
            )));
        }
        Ok(Self { metric, unit: unit(&input)?.map(str::to_owned), range: (start, end), period_ms, simple, extended })
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

/// One query of `GetMetricData`.
struct DataQuery {
    id: String,
    label: String,
    metric: MetricName,
    unit: Option<String>,
    period_ms: i64,
    statistic: Statistic,
    stat: String,
    is_returned: bool,
}

/// A request of `GetMetricData`.
pub(super) struct DataRequest {
    queries: Vec<DataQuery>,
    range: Range,
    is_ascending: bool,
    page: usize,
    /// The number of datapoints before the page.
    start: usize,
}

impl DataRequest {
    /// Reads a request, for the page that starts after `start` datapoints.
    pub(super) fn read(input: &Value, start: usize) -> Read<Self> {
        let input = Parameters::new(input);
        let queries = input.structures("MetricDataQueries", QUERIES_MAX)?;
        if queries.is_empty() {
            return Err(missing("MetricDataQueries"));
        }
        let queries = queries.iter().map(DataQuery::read).collect::<Read<Vec<_>>>()?;
        let mut ids = BTreeSet::new();
        if let Some(twice) = queries.iter().find(|query| !ids.insert(&query.id)) {
            return Err(bad_value(format!("The value {:?} of Id is there twice.", twice.id)));
        }
        let is_ascending = match input.text("ScanBy", CHARS_MAX)? {
            None | Some("TimestampDescending") => false,
            Some("TimestampAscending") => true,
            Some(other) => {
                let rule = "TimestampDescending or TimestampAscending";
                return Err(bad_value(format!("The value {other:?} of ScanBy must be {rule}.")));
            }
        };
        let page = input.integer("MaxDatapoints")?.unwrap_or(PAGE_MAX);
        let page = usize::try_from(page).ok().filter(|page| (1..=PAGE_MAX as usize).contains(page));
        let page = page.ok_or_else(|| bad_value(format!("MaxDatapoints must be from 1 to {PAGE_MAX}.")))?;
        Ok(Self { queries, range: range(&input)?, is_ascending, page, start })
    }

    /// Returns a page of results, and the start of the next page.
    pub(super) fn answer(&self, run: &QueryRun<'_>) -> Result<(Value, Option<usize>), Problem> {
        let (mut results, mut before) = (Vec::new(), 0);
        let end = self.start.saturating_add(self.page);
        for query in self.queries.iter().filter(|query| query.is_returned) {
            let (mut points, messages) = query.points(run, self.range)?;
            if !self.is_ascending {
                points.reverse();
            }
            let n = points.len();
            let place = |at: usize| at.saturating_sub(before).min(n);
            let page = &points[place(self.start)..place(end)];
            // A result without datapoints belongs to the page on which it would start.
            let is_here = !page.is_empty() || n == 0 && (self.start..end).contains(&before);
            if is_here {
                let is_whole = before + n <= end;
                results.push(json!({
                    "Id": query.id,
                    "Label": query.label,
                    "Timestamps": page.iter().map(|(time, _)| time / 1000).collect::<Vec<_>>(),
                    "Values": page.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
                    "StatusCode": if is_whole { "Complete" } else { "PartialData" },
                    "Messages": messages,
                }));
            }
            before += n;
        }
        let next = (before > end).then_some(end);
        Ok((json!({"MetricDataResults": results, "Messages": []}), next))
    }
}

impl DataQuery {
    fn read(query: &Parameters<'_>) -> Read<Self> {
        let id = query.needed_text("Id", CHARS_MAX)?;
        let is_id = id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_id {
            let rule = "must start with a lowercase letter and have letters, digits and underscores only";
            return Err(bad_value(format!("The value {id:?} of {} {rule}.", query.at("Id"))));
        }
        if query.text("Expression", EXPRESSION_CHARS_MAX)?.is_some() {
            let reason = "metric math, SEARCH and Metrics Insights are not supported here: send MetricStat";
            return Err(bad_value(format!("{}: {reason}.", query.at("Expression"))));
        }
        let stat = query.structure("MetricStat")?.ok_or_else(|| missing(&query.at("MetricStat")))?;
        if query.get("Period").is_some() {
            return Err(bad_combination(format!("{} is for expressions; MetricStat has its own.", query.at("Period"))));
        }
        let of = stat.structure("Metric")?.ok_or_else(|| missing(&stat.at("Metric")))?;
        let metric = metric(&of)?;
        let label = query.text("Label", EXPRESSION_CHARS_MAX)?.unwrap_or(&metric.name).to_owned();
        if label.contains("${") {
            return Err(bad_value(format!("{}: dynamic labels are not supported here.", query.at("Label"))));
        }
        let text = stat.needed_text("Stat", CHARS_MAX)?;
        Ok(Self {
            id: id.to_owned(),
            label,
            metric,
            unit: unit(&stat)?.map(str::to_owned),
            period_ms: period(&stat)? * 1000,
            statistic: Statistic::read(text)?,
            stat: text.to_owned(),
            is_returned: query.flag("ReturnData")?.unwrap_or(true),
        })
    }

    /// Returns the datapoints in order of time, and what is to be said about them.
    fn points(&self, run: &QueryRun<'_>, (start, end): Range) -> Result<Answered, Problem> {
        let start = start.div_euclid(self.period_ms) * self.period_ms;
        let units = store::data_of(run, &self.metric, (start, end))?;
        let is_meant = |unit: &str| self.unit.as_ref().is_none_or(|wanted| wanted == unit);
        let data = units.into_iter().filter(|(unit, _)| is_meant(unit)).flat_map(|(_, data)| data).collect();
        let periods = by_period(data, 0, self.period_ms);
        let n_periods = periods.len();
        let points: Vec<(i64, f64)> =
            periods.into_iter().filter_map(|(time, data)| Some((time, self.statistic.of(&data)?))).collect();
        let n_without = n_periods - points.len();
        let text = format!("{} needs single values: {n_without} periods have statistic sets", self.stat);
        let messages = if n_without == 0 { Vec::new() } else { vec![json!({"Code": "StatisticSets", "Value": text})] };
        Ok((points, messages))
    }
}

/// Reads the metric that a request names.
fn metric(of: &Parameters<'_>) -> Read<MetricName> {
    let namespace = of.needed_text("Namespace", CHARS_MAX)?.to_owned();
    let name = of.needed_text("MetricName", CHARS_MAX)?.to_owned();
    Ok(MetricName { namespace, name, dimensions: dimensions(of)? })
}

fn range(input: &Parameters<'_>) -> Read<Range> {
    let (start, end) = (input.needed_time("StartTime")?, input.needed_time("EndTime")?);
    if start < end {
        return Ok((start, end));
    }
    Err(bad_value("The parameter StartTime must be less than the parameter EndTime."))
}

/// Reads a period in s.
fn period(of: &Parameters<'_>) -> Read<i64> {
    let period = of.integer("Period")?.ok_or_else(|| missing(&of.at("Period")))?;
    if SHORT_PERIODS.contains(&period) || period % 60 == 0 && (60..=PERIOD_MAX).contains(&period) {
        return Ok(period);
    }
    Err(bad_value(format!("The value {period} of {} must be 1, 5, 10, 20, 30 or a multiple of 60.", of.at("Period"))))
}

/// Returns the data of each period that has any, by its start in ms; periods are counted from `origin`.
fn by_period(data: Vec<(i64, Datum)>, origin: i64, period_ms: i64) -> BTreeMap<i64, Vec<Datum>> {
    let mut periods: BTreeMap<i64, Vec<Datum>> = BTreeMap::new();
    for (time, datum) in data {
        let start = (time - origin).div_euclid(period_ms) * period_ms + origin;
        periods.entry(start).or_default().push(datum);
    }
    periods
}
