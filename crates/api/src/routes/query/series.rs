//! Queries in PromQL, and metric queries in LogQL: an instant, or a range with a step; a row for each sample, with its time,
//! labels and value.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::response::Response;
use door::logql::measure;
use execute::{Answer, ColumnInfo, ColumnKind, PartialReason};
use language::logql::{self, Steps, joined};
use plan::error::Span;
use plan::{QueryError, QueryErrors, Warning};
use promql::{Data, EvalError, METRIC_NAME, Options, Query, Row, Stop};
use serde_json::Map;
use series::SampleSource;
use types::{TimeRange, Timestamp, Value};

use super::row_limit::{JSON_ROWS_DEFAULT, JSON_ROWS_MAX, more_rows};
use crate::answer::{Form, respond};
use crate::ask::{Ask, Groups, instant, range, time_zone};
use crate::state::Shared;
use door::problem::Problem;
use door::query_run::{QueryRun, read};

/// The name of the language.
const LANGUAGE: &str = "promql";

/// Most steps of a range, as in Prometheus.
const STEPS_MAX: i64 = 11_000;

/// Bytes of memory per sample that is read.
const SAMPLE_BYTES: usize = 40;

/// A sample: labels, time in ms, value.
type Sample = (promql::Labels, i64, promql::Value);

/// When a query is asked.
enum When {
    /// At a time in ms.
    Instant(i64),
    /// At each step from the first time to the second, in ms.
    Range { start: i64, end: i64, step: i64 },
}

/// Reports whether a query returns samples, and is answered here.
pub(super) fn is_series(ask: &Ask) -> bool {
    match ask.language.as_deref() {
        Some(LANGUAGE) => true,
        Some("logql") => matches!(logql::parse(&ask.query), Ok(logql::Query::Metric(_))),
        _ => false,
    }
}

/// Answers a query that returns samples.
pub(super) async fn answer(server: &Shared, ask: Ask, form: Form) -> Result<Response, Problem> {
    let limit = ask.limit;
    Ok(respond_within(rows(server, ask).await?, limit, form))
}

/// Returns all rows of a query that returns samples.
pub(super) async fn rows(server: &Shared, ask: Ask) -> Result<Answer, Problem> {
    if ask.language.as_deref() == Some("logql") { of_logql(server, ask).await } else { of_promql(server, ask).await }
}

/// Answers a metric query in LogQL.
async fn of_logql(server: &Shared, ask: Ask) -> Result<Answer, Problem> {
    if ask.explain {
        return Err(Problem::bad_request("unsupported", "a metric query in LogQL has no single plan to explain"));
    }
    let logql::Query::Metric(query) = logql::parse(&ask.query)? else {
        return Err(Problem::internal("a query for lines".to_owned()));
    };
    if ask.groups.is_some_and(|groups| !groups.patterns().is_empty()) {
        let problem = Problem::bad_request("unsupported", "a query in LogQL names its groups itself");
        return Err(problem.hint("write {group=~\"a/.*\"} in the query, and leave out groups"));
    }
    let steps = match when(&ask.step, (ask.from.as_ref(), ask.to.as_ref()), ask.time_zone.as_deref(), server.now())? {
        When::Instant(at) => Steps::instant(Timestamp(at.saturating_mul(Timestamp::MILLISECOND))),
        When::Range { start, end, step } => {
            let [start, end] = [start, end].map(|at| Timestamp(at.saturating_mul(Timestamp::MILLISECOND)));
            Steps { start, end, step_ns: step.saturating_mul(Timestamp::MILLISECOND) }
        }
    };
    let measured = measure(server, query, &ask.query, steps).await?;
    let mut samples = Vec::new();
    for series in joined(measured.series) {
        let labels = promql::Labels::new(series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        samples.extend(series.points.iter().map(|point| {
            let value = promql::Value::Float(point.value);
            (labels.clone(), point.at.0 / Timestamp::MILLISECOND, value)
        }));
    }
    Ok(Answer { stats: measured.stats, partial_reasons: measured.partial_reasons, ..rows_of(samples) })
}

/// Answers a query in PromQL.
async fn of_promql(server: &Shared, ask: Ask) -> Result<Answer, Problem> {
    if ask.explain {
        return Err(Problem::bad_request("unsupported", "a query in PromQL has no plan to explain"));
    }
    let query = parsed(&ask.query)?;
    let when = when(&ask.step, (ask.from.as_ref(), ask.to.as_ref()), ask.time_zone.as_deref(), server.now())?;
    let groups = ask.groups.map(Groups::patterns).unwrap_or_default();
    let text = ask.query;
    let work = move |run: &QueryRun<'_>| {
        let began = Instant::now();
        let samples_max = run.server.app.limits.query_memory_bytes / SAMPLE_BYTES;
        let source = SampleSource::new(run, samples_max);
        let source = if groups.is_empty() { source } else { source.within(groups) };
        let options = options(run, samples_max);
        let evaluated = match when {
            When::Instant(at) => promql::instant(&query, at, &source, &options),
            When::Range { start, end, step } => promql::range(&query, (start, end), step, &source, &options),
        };
        let evaluated = evaluated.map_err(|error| problem_of(&error, query.text()))?;
        let at = if let When::Instant(at) = when { at } else { 0 };
        let mut answer = rows_of(samples_of(evaluated.data, at)?);
        let notes = evaluated.annotations.warnings.into_iter().chain(evaluated.annotations.infos);
        answer.warnings.extend(notes.map(note));
        let reason = |message| PartialReason { code: "samples-missing", message };
        answer.partial_reasons = source.into_missing().into_iter().map(reason).collect();
        answer.stats.elapsed_ms = began.elapsed().as_secs_f64() * 1e3;
        Ok(answer)
    };
    read(server, &text, work).await
}

/// Writes an answer with at most as many rows as are asked for, or fit its form.
fn respond_within(mut answer: Answer, asked: Option<usize>, form: Form) -> Response {
    let limit = match form {
        Form::Json => asked.unwrap_or(JSON_ROWS_DEFAULT).min(JSON_ROWS_MAX),
        _ => asked.unwrap_or(usize::MAX),
    };
    if answer.rows.len() > limit {
        answer.rows.truncate(limit);
        answer.more = true;
        answer.warnings.extend((asked != Some(limit)).then(|| more_rows(limit)));
    }
    respond(form, answer, Map::new())
}

/// Reads a query; the error has the place of the mistake.
fn parsed(text: &str) -> Result<Query, Problem> {
    promql::parse(text).map_err(|error| {
        let span = Span { start: error.span.start, end: error.span.end };
        QueryErrors::from(QueryError::new("bad-query", error.message, text, span)).into()
    })
}

/// Returns when a query is asked: at `to`, or with a step from `from` to `to`.
fn when(
    step: &Option<String>,
    (from, to): (Option<&serde_json::Value>, Option<&serde_json::Value>),
    zone: Option<&str>,
    now: Timestamp,
) -> Result<When, Problem> {
    let zone = time_zone(zone)?;
    let ms = |time: Timestamp| time.0.div_euclid(Timestamp::MILLISECOND);
    let Some(step) = step else {
        let at = to.map_or(Ok(now), |to| instant("to", to, now, zone))?;
        return Ok(When::Instant(ms(at)));
    };
    let bad =
        |message: String| Problem::bad_request("bad-parameter", message).hint("write a duration such as 15s or 1m");
    let step = types::parse_duration_ns(step).map_err(|error| bad(format!("step: {error}")))?;
    let step = step / Timestamp::MILLISECOND;
    if step <= 0 {
        return Err(bad("step: must be at least 1ms".to_owned()));
    }
    let is_open = to.is_none();
    let TimeRange { from, to } = range(from, to, now, zone)?;
    // The end of a range is not in it; without one it is now.
    let end = if is_open && to > now { now } else { Timestamp(to.0.saturating_sub(1)) };
    let (start, end) = (ms(from), ms(end));
    if end.saturating_sub(start) / step > STEPS_MAX {
        return Err(bad(format!("step: the range has more than {STEPS_MAX} steps; choose a longer one")));
    }
    Ok(When::Range { start, end, step })
}

fn options(run: &QueryRun<'_>, samples_max: usize) -> Options {
    let (cancelled, deadline) = (run.running.cancelled.clone(), run.deadline());
    let stop = move || {
        if cancelled.load(Ordering::Relaxed) {
            return Some(Stop::Cancelled);
        }
        (Instant::now() > deadline).then_some(Stop::TimedOut)
    };
    Options { samples_max, stop: Some(Arc::new(stop)), ..Options::default() }
}

fn problem_of(error: &EvalError, text: &str) -> Problem {
    match error {
        EvalError::Query { span, message } => {
            let span = Span { start: span.start, end: span.end };
            QueryErrors::from(QueryError::new("bad-query", message.as_str(), text, span)).into()
        }
        EvalError::Source(error) => Problem::internal(error.to_string()),
        other => Problem::bad_request("query-not-evaluated", other.to_string()),
    }
}

fn note(message: String) -> Warning {
    Warning { code: LANGUAGE, message, line: None, column: None, hint: None }
}

/// Returns the samples of an answer.
fn samples_of(data: Data, at: i64) -> Result<Vec<Sample>, Problem> {
    let rows = match data {
        Data::Scalar(value) => return Ok(vec![(promql::Labels::default(), at, promql::Value::Float(value))]),
        Data::String(_) => return Err(Problem::bad_request("unsupported", "the query gives a text, not numbers")),
        Data::Vector(rows) | Data::Matrix(rows) => rows,
    };
    let mut samples = Vec::new();
    for Row { labels, samples: of_row } in rows {
        samples.extend(of_row.into_iter().map(|sample| (labels.clone(), sample.time, sample.value)));
    }
    Ok(samples)
}

/// Turns samples into rows: time, labels (the name of the metric first) and value, of a native histogram as text.
fn rows_of(samples: Vec<Sample>) -> Answer {
    let names: BTreeSet<Arc<str>> =
        samples.iter().flat_map(|(labels, ..)| labels.iter().map(|label| label.name.clone())).collect();
    let named = names.iter().filter(|name| &***name == METRIC_NAME);
    let names: Vec<Arc<str>> = named.chain(names.iter().filter(|name| &***name != METRIC_NAME)).cloned().collect();
    let is_finite =
        samples.iter().all(|(.., value)| matches!(value, promql::Value::Float(number) if number.is_finite()));
    let column = |name: &str, kind| ColumnInfo { name: name.to_owned(), kind, approximate: false };
    let mut columns = vec![column("@timestamp", ColumnKind::Timestamp)];
    columns.extend(names.iter().map(|name| column(name, ColumnKind::String)));
    columns.push(column("value", if is_finite { ColumnKind::Float } else { ColumnKind::Any }));
    let rows = samples.into_iter().map(|(labels, time, value)| {
        let time = Value::Timestamp(Timestamp(time.saturating_mul(Timestamp::MILLISECOND)));
        let label = |name: &Arc<str>| Some(labels.get(name)).filter(|text| !text.is_empty()).map(Value::text);
        let value = match value {
            promql::Value::Float(number) if number.is_finite() => Value::Float(number),
            // JSON has no number that is not finite.
            promql::Value::Float(number) => Value::text(not_finite(number)),
            promql::Value::Histogram(histogram) => Value::text(histogram.to_string()),
        };
        std::iter::once(Some(time)).chain(names.iter().map(label)).chain([Some(value)]).collect()
    });
    Answer { rows: rows.collect(), columns, ..Answer::default() }
}

fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}
