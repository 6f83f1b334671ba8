//! Metric queries: vectors and matrices in the form of Prometheus and Loki.
//!
//! A value is a text, with its time in seconds. The warnings of a partial answer contain the reasons.

use language::logql::{MetricQuery, Point, Series, Steps, joined};
use serde_json::{Map, Value, json};
use types::{TimeRange, Timestamp};

use super::lines;
use door::logql::{Measured, measure};
use door::{Outcome, Reply, Shared};

/// Runs a query over a range. Answers with a matrix: each series with its values at the steps.
pub(crate) fn over_range(server: &Shared, query: MetricQuery, text: &str, range: TimeRange, step_ns: i64) -> Outcome {
    let (steps, now) = (Steps { start: range.from, end: range.to, step_ns }, server.now());
    Ok(Reply::query(server, text, move |reading| {
        let measured = measure(reading, &query, steps, now)?;
        let series = |series: &Series| {
            let values: Vec<Value> = series.points.iter().map(point_json).collect();
            json!({"metric": labels_json(series), "values": values})
        };
        let measured = Measured { series: joined(measured.series), ..measured };
        Ok(envelope("matrix", measured.series.iter().map(series).collect(), &measured))
    }))
}

/// Runs a query at one instant. Answers with a vector, or a scalar for a number without labels.
pub(crate) fn at_instant(server: &Shared, query: MetricQuery, text: &str, at: Timestamp) -> Outcome {
    let now = server.now();
    Ok(Reply::query(server, text, move |reading| {
        let measured = measure(reading, &query, Steps::instant(at), now)?;
        if query.is_scalar() {
            let value = measured.series.first().and_then(|series| series.points.last());
            let value = value.map_or(f64::NAN, |point| point.value);
            // Loki writes the time of a number without labels in milliseconds, unlike all others.
            let point = json!([milliseconds(at), number_text(value)]);
            return Ok(envelope("scalar", point, &measured));
        }
        let sample = |series: &Series| {
            let value = series.points.last().map(point_json)?;
            Some(json!({"metric": labels_json(series), "value": value}))
        };
        Ok(envelope("vector", measured.series.iter().filter_map(sample).collect(), &measured))
    }))
}

fn labels_json(series: &Series) -> Value {
    Value::Object(series.labels.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<Map<_, _>>())
}

fn milliseconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000_000)
}

/// Returns a sample: seconds with up to three decimals, and the value as a text.
fn point_json(point: &Point) -> Value {
    let at = milliseconds(point.at);
    let seconds = if at % 1000 == 0 { json!(at / 1000) } else { json!(at as f64 / 1000.0) };
    json!([seconds, number_text(point.value)])
}

/// Returns a number in the form of Prometheus.
fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        number.to_string()
    }
}

fn envelope(kind: &str, result: Value, measured: &Measured) -> Reply {
    let stats = lines::summary(&measured.stats, result.as_array().map_or(0, Vec::len));
    let mut answer = json!({"status": "success", "data": {"resultType": kind, "result": result, "stats": stats}});
    if !measured.partial_reasons.is_empty() {
        answer["warnings"] = measured.partial_reasons.iter().map(|reason| reason.message.clone()).collect();
    }
    Reply::json(&answer)
}

#[cfg(test)]
mod tests;
