//! `/tempo/api/metrics/query_range` and `/tempo/api/metrics/query`: series that TraceQL computes of spans.

use axum::Json;
use door::parameters::Parameters;
use door::problem::Problem;
use door::query_run::read;
use door::server::Shared;
use plan::QueryErrors;
use serde_json::{Value as Json_, json};
use traceql::{MetricsPlan, Series};
use types::{Timestamp, Value};

use super::parameters::{range, traceql};
use crate::otlp::json_attribute;
use crate::plans::span_groups;
use crate::read::Reading;
use crate::search::duration;
use crate::times::{self, MILLISECOND};

const PARAMETERS: [&str; 8] = ["q", "query", "start", "end", "since", "step", "exemplars", "mode"];

/// Limit on the points of a series.
const POINTS_MAX: i64 = 11_000;

/// Points of a series for which no step is asked.
const POINTS_DEFAULT: i64 = 100;

/// Answers with the values of each series at the steps of a range.
pub(crate) async fn over_range(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    let range = range(&parameters, server.now())?;
    let width = range.to.0.saturating_sub(range.from.0);
    let step = match parameters.get("step") {
        Some(text) => duration("step", text, Timestamp::SECOND)?,
        None => (width / POINTS_DEFAULT / Timestamp::SECOND * Timestamp::SECOND).max(Timestamp::SECOND),
    };
    if step == 0 || width / step > POINTS_MAX {
        let message = format!("a series has at most {POINTS_MAX} points; the step is too short");
        return Err(Problem::bad_request("too-many-steps", message).hint("choose a longer step or a shorter range"));
    }
    let series = computed(server, &parameters, Some(step)).await?;
    let shown = series.iter().map(|series| {
        let sample = |(time, value): &(Timestamp, f64)| {
            json!({"timestampMs": time.0.div_euclid(MILLISECOND).to_string(), "value": value})
        };
        let mut json = labels_json(series);
        json["samples"] = series.points.iter().map(sample).collect();
        json["exemplars"] = json!([]);
        json
    });
    Ok(Json(json!({"series": shown.collect::<Vec<_>>(), "metrics": {}})))
}

/// Answers with one value of each series for the whole range.
pub(crate) async fn at_once(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    let series = computed(server, &parameters, None).await?;
    let shown = series.iter().filter_map(|series| {
        let mut json = labels_json(series);
        let (time, value) = series.points.last()?;
        json["timestampMs"] = time.0.div_euclid(MILLISECOND).to_string().into();
        json["value"] = (*value).into();
        Some(json)
    });
    Ok(Json(json!({"series": shown.collect::<Vec<_>>(), "metrics": {}})))
}

async fn computed(server: Shared, parameters: &Parameters, step: Option<i64>) -> Result<Vec<Series>, Problem> {
    parameters.check_names(&PARAMETERS)?;
    let range = range(parameters, server.now())?;
    let query =
        traceql(parameters)?.ok_or_else(|| Problem::bad_request("bad-parameter", "the parameter q is required"))?;
    let to = Timestamp(range.to.0.saturating_sub(1));
    let planned =
        traceql::metrics_plan(&query, range.from, to, step).map_err(|error| Problem::from(QueryErrors::from(error)))?;
    let MetricsPlan::Series(series) = planned else {
        let problem = Problem::bad_request("not-supported", "compare() is not supported");
        return Err(problem.hint("ask for each selection by itself, such as {status=error} | rate() by (name)"));
    };
    read(&server, parameters.get("q").unwrap_or_default(), move |run| {
        let snapshot = run.snapshot(&span_groups(&[]), series.range);
        let answer = run.execute_on(&snapshot, &series.plan, &times::scope(run.server.now()), series.range)?;
        let mut reading = Reading::default();
        let rows = reading.add(answer);
        match reading.partial_reasons.first() {
            // The form has no place for it, and values would be too low.
            Some(reason) => Err(Problem::internal(format!("the series are not whole: {}", reason.message))),
            None => Ok(series.series(&rows)),
        }
    })
    .await
}

/// Returns the labels of a series as Tempo writes them: typed, and as one text in the form of Prometheus.
fn labels_json(series: &Series) -> Json_ {
    let nil = Value::text("nil");
    let labels = || series.labels.iter().map(|(name, value)| (name.as_str(), value.as_ref().unwrap_or(&nil)));
    let texts: Vec<String> = labels()
        .map(|(name, value)| {
            let mut text = format!("{name}=");
            types::write_json_string(&value.to_string(), &mut text);
            text
        })
        .collect();
    let typed: Vec<Json_> = labels().map(|(name, value)| json_attribute(name, value)).collect();
    json!({"labels": typed, "promLabels": format!("{{{}}}", texts.join(", "))})
}
