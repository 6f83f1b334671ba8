//! `/tempo/api/metrics/query_range` and `/tempo/api/metrics/query`: series that TraceQL computes from spans.

use door::{Outcome, Parameters, Problem, Reply, Result};
use plan::QueryErrors;
use serde_json::{Value as Json_, json};
use traceql::{Exemplar, Literal, MetricsPlan, Query, Series};
use types::{TimeRange, Timestamp, Value};

use super::answer::{metrics, with_status};
use super::compare;
use super::parameters::{range_of_metrics, traceql};
use crate::native::trace::needed;
use crate::otlp::json_attribute;
use crate::plans::span_groups;
use crate::read::query;
use crate::search::duration;
use crate::state::Call;
use crate::times::{self, MILLISECOND};

const PARAMETERS: [&str; 8] = ["q", "query", "start", "end", "since", "step", "exemplars", "mode"];

/// Limit on the points of a series.
const POINTS_MAX: i64 = 11_000;

/// Points of a series if the request has no step.
const POINTS_DEFAULT: i64 = 100;

/// Limit on the exemplars of an answer, and the number of parts of the range that they are taken from.
const EXEMPLARS_MAX: usize = 100;
const SLICES: usize = 20;

/// Answers with the values of each series at the steps of a range.
pub(crate) fn over_range(call: Call) -> Outcome {
    let range = range_of_metrics(&call.parameters, call.server.now())?;
    let width = range.to.0.saturating_sub(range.from.0);
    let step = match call.parameters.get("step") {
        Some(text) => duration("step", text, Timestamp::SECOND)?,
        None => (width / POINTS_DEFAULT / Timestamp::SECOND * Timestamp::SECOND).max(Timestamp::SECOND),
    };
    if step == 0 || width / step > POINTS_MAX {
        let message = format!("a series has at most {POINTS_MAX} points; the step is too short");
        return Err(Problem::bad_request("too-many-steps", message).hint("choose a longer step or a shorter range"));
    }
    computed(&call, Some(step), |series| {
        let sample = |(time, value): &(Timestamp, f64)| json!({"timestampMs": milliseconds(*time), "value": value});
        let mut json = labels_json(series);
        json["promLabels"] = labels_text(series).into();
        json["samples"] = series.points.iter().map(sample).collect();
        json["exemplars"] = series.exemplars.iter().map(exemplar_json).collect();
        Some(json)
    })
}

/// Answers with one value of each series for the whole range.
pub(crate) fn at_once(call: Call) -> Outcome {
    computed(&call, None, |series| {
        let mut json = labels_json(series);
        json["value"] = series.points.last()?.1.into();
        Some(json)
    })
}

/// Answers with the series of a query, each as `shown` writes it.
fn computed(Call { server, parameters, .. }: &Call, step: Option<i64>, shown: fn(&Series) -> Option<Json_>) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let range = range_of_metrics(parameters, server.now())?;
    let traceql = traceql(parameters)?.ok_or_else(|| needed("q"))?;
    let to = Timestamp(range.to.0.saturating_sub(1));
    let planned = traceql::metrics_plan(&traceql, range.from, to, step)
        .map_err(|error| Problem::from(QueryErrors::from(error)))?;
    let n_exemplars = if step.is_some() { n_exemplars(&traceql, parameters)? } else { 0 };
    let text = parameters.get("q").or(parameters.get("query")).unwrap_or_default();
    query(server, text, move |run, reading| {
        let series = match planned {
            MetricsPlan::Series(plan) => {
                let snapshot = run.snapshot(&span_groups(&[]), plan.range);
                let scope = times::scope(run.server.now());
                let mut series = plan.series(&reading.add(run.execute_on(&snapshot, &plan.plan, &scope, plan.range)?));
                let mut newest = Vec::new();
                for range in slices(plan.range, n_exemplars) {
                    let plan = plan.newest_spans(n_exemplars.div_ceil(SLICES));
                    newest.extend(reading.add(run.execute_on(&snapshot, &plan, &scope, range)?));
                }
                plan.add_exemplars(&newest, n_exemplars, &mut series);
                series
            }
            MetricsPlan::Compare(plan) => compare::series(run, &plan, reading)?,
            MetricsPlan::Arithmetic(plan) => {
                let snapshot = run.snapshot(&span_groups(&[]), plan.range);
                let scope = times::scope(run.server.now());
                plan.series(&mut |of| {
                    Ok::<_, Problem>(reading.add(run.execute_on(&snapshot, &of.plan, &scope, of.range)?))
                })?
            }
        };
        // Clients would show values that are too low as if they were right; a comparison may leave out fields.
        if let Some(reason) = reading.partial_reasons.iter().find(|reason| reason.code != "cut") {
            return Err(Problem::internal(format!("the series are not whole: {}", reason.message)));
        }
        let series: Vec<Json_> = series.iter().filter_map(shown).collect();
        Ok(Reply::json(&with_status(json!({"series": series, "metrics": metrics(reading)}), reading)))
    })
}

/// Returns the number of exemplars that a request and its query ask for.
fn n_exemplars(query: &Query, parameters: &Parameters) -> Result<usize> {
    let asked = parameters.number::<usize>("exemplars")?;
    let hinted = match query.hint("exemplars") {
        Some(Literal::Boolean(true)) => Some(asked.filter(|asked| *asked > 0).unwrap_or(EXEMPLARS_MAX)),
        Some(Literal::Boolean(false)) => Some(0),
        Some(Literal::Integer(number)) => Some(usize::try_from(*number).unwrap_or_default()),
        _ => None,
    };
    Ok(hinted.or(asked).unwrap_or_default().min(EXEMPLARS_MAX))
}

/// Divides a range, so that exemplars are not all from its end.
fn slices(range: TimeRange, n_exemplars: usize) -> Vec<TimeRange> {
    let n = n_exemplars.min(SLICES) as i64;
    let width = range.to.0.saturating_sub(range.from.0);
    let end = |index: i64| {
        Timestamp((i128::from(range.from.0) + i128::from(width) * i128::from(index) / i128::from(n)) as i64)
    };
    let slice = |index: i64| TimeRange { from: end(index), to: end(index + 1) };
    (0..n).map(slice).filter(|slice| slice.from < slice.to).collect()
}

fn exemplar_json(exemplar: &Exemplar) -> Json_ {
    let id = |name: &str, id: &str| json_attribute(name, &Value::text(id));
    json!({
        "labels": [id("trace:id", &exemplar.trace_id), id("span:id", &exemplar.span_id)],
        "value": exemplar.value, "timestampMs": milliseconds(exemplar.time),
    })
}

fn milliseconds(time: Timestamp) -> String {
    time.0.div_euclid(MILLISECOND).to_string()
}

/// Returns the labels of a series with their types, as Tempo writes them.
fn labels_json(series: &Series) -> Json_ {
    let nil = Value::text("nil");
    let labels = series.labels.iter().map(|(name, value)| json_attribute(name, value.as_ref().unwrap_or(&nil)));
    json!({"labels": labels.collect::<Vec<_>>()})
}

/// Returns the labels of a series as one text in the form of Prometheus, which Grafana up to version 11 shows.
fn labels_text(series: &Series) -> String {
    let texts = series.labels.iter().map(|(name, value)| {
        let mut text = format!("{name}=");
        types::write_json_string(&value.as_ref().map_or("nil".to_owned(), Value::to_string), &mut text);
        text
    });
    format!("{{{}}}", texts.collect::<Vec<_>>().join(", "))
}
