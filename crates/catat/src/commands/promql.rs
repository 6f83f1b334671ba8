//! `catat query --language promql`: PromQL, answered by a server.
//!
//! An instant unless `--from`, `--since` or `--step` ask for a range. A row is a series at a time: labels, and its value.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::Value;
use types::{TimeRange, Timestamp, VALUE_FIELD, column_of_label};

use crate::answer::{AnswerPrinter, Note, Trailer};
use crate::arguments::Query;
use crate::client::Server;
use crate::failure::{Failure, Result};
use crate::local::range_of;
use crate::output::{Column, Kind};
use crate::zone::Zones;

/// Steps of a range without `--step`.
const STEPS: i64 = 240;

/// The column of times.
const TIME: &str = "@timestamp";

/// The label that holds the name of a metric.
const NAME: &str = "__name__";

/// Parameters of a request.
type Parameters = Vec<(&'static str, String)>;

/// An answer in Prometheus' form.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    error: Option<String>,
    warnings: Vec<String>,
    infos: Vec<String>,
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

/// A series of a vector or matrix; what it has at each time is a pair.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Series {
    metric: HashMap<String, String>,
    value: Option<(f64, Value)>,
    values: Vec<(f64, Value)>,
    histogram: Option<(f64, Value)>,
    histograms: Vec<(f64, Value)>,
}

/// Runs a query and prints the answer.
pub(crate) fn query(options: &Query) -> Result<()> {
    if options.explain || !options.group.is_empty() {
        return Err(Failure::usage(
            "--explain and --group are not for PromQL; a group is the label job, as in up{job=\"node\"}",
        ));
    }
    let server = Server::new(&options.remote)?;
    let (path, times) = times(options)?;
    let mut parameters = vec![("query", options.query.clone())];
    parameters.extend(times);
    let response = server.attempt(server.request(reqwest::Method::GET, path).query(&parameters))?;
    let status = response.status();
    let body = response.bytes().map_err(|error| Failure::unreachable(format!("the answer broke off: {error}")))?;
    let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
    if !status.is_success() {
        return Err(answer.error.map_or_else(|| server.refusal_of(status, &body, &options.query), Failure::usage));
    }
    print(options, answer)
}

/// Returns the route and its times: `--to` for an instant, else start, end and step.
fn times(options: &Query) -> Result<(&'static str, Parameters)> {
    let now = Timestamp(chrono::Utc::now().timestamp_nanos_opt().unwrap_or_default());
    let zone = Zones::of(&options.zone)?.spoken();
    let range = range_of(options, now, zone)?;
    let seconds = |time: Timestamp| format!("{:.3}", (time.0 / Timestamp::MILLISECOND) as f64 / 1e3);
    // The end of a range is not in it.
    let end = if range.to == TimeRange::ALL.to { now } else { Timestamp(range.to.0.saturating_sub(1)) };
    if options.start()?.is_none() && options.step.is_none() {
        return Ok(("/prometheus/api/v1/query", vec![("time", seconds(end))]));
    }
    let start = if options.start()?.is_some() { range.from } else { Timestamp(end.0 - 3_600 * Timestamp::SECOND) };
    let wide = end.0.saturating_sub(start.0);
    let step = match &options.step {
        Some(step) => {
            types::parse_duration_ns(step).map_err(|error| Failure::usage(format!("--step {step}: {error}")))?
        }
        None => (wide / STEPS).max(Timestamp::SECOND),
    };
    let step = format!("{:.3}", step as f64 / 1e9);
    Ok(("/prometheus/api/v1/query_range", vec![("start", seconds(start)), ("end", seconds(end)), ("step", step)]))
}

fn print(options: &Query, answer: Answer) -> Result<()> {
    let broken = |error: serde_json::Error| Failure::other(format!("the answer is none of Prometheus': {error}"));
    let series: Vec<Series> = match answer.data.result_type.as_str() {
        "scalar" | "string" => {
            vec![Series { value: serde_json::from_value(answer.data.result).map_err(broken)?, ..Series::default() }]
        }
        _ => serde_json::from_value(answer.data.result).map_err(broken)?,
    };
    let names: BTreeSet<&str> = series.iter().flat_map(|series| series.metric.keys()).map(String::as_str).collect();
    // The name of the metric comes first.
    let named = names.contains(NAME).then_some(NAME);
    let labels: Vec<&str> = named.into_iter().chain(names.iter().copied().filter(|name| *name != NAME)).collect();
    let mut columns = vec![Column { name: TIME.to_owned(), kind: Kind::Time }];
    columns.extend(labels.iter().map(|label| Column::named(column_of_label(label))));
    columns.push(Column::named(VALUE_FIELD));
    let mut printer = AnswerPrinter::new(options);
    printer.start(columns)?;
    let mut left = options.row_limit().unwrap_or(u64::MAX);
    let mut more = false;
    for series in &series {
        let samples = series.values.iter().chain(&series.value).chain(&series.histograms).chain(&series.histogram);
        for (seconds, value) in samples {
            if left == 0 {
                more = true;
                break;
            }
            left -= 1;
            let time = Timestamp((seconds * 1e3).round() as i64 * Timestamp::MILLISECOND);
            let mut cells = vec![Value::from(time.to_string()).to_string()];
            let label = |name: &&str| series.metric.get(*name).map_or(Value::Null, |text| text.as_str().into());
            cells.extend(labels.iter().map(|name| label(name).to_string()));
            cells.push(number(value).to_string());
            printer.row(cells)?;
        }
    }
    let notes = answer.warnings.into_iter().chain(answer.infos);
    let warnings = notes.map(|message| Note { message, hint: None }).collect();
    printer.finish(Trailer { more, warnings, ..Trailer::default() })
}

/// Returns a value as a number where JSON has it: as it is written, so that whole numbers stay whole.
fn number(value: &Value) -> Value {
    let read = value.as_str().and_then(|text| serde_json::from_str::<serde_json::Number>(text).ok());
    read.map_or_else(|| value.clone(), Value::Number)
}
