//! Queries in PromQL, and metric queries in LogQL: an instant, or a range with a step; a row for each sample, with its time,
//! labels and value.

use std::time::Instant;

use door::logql::measure;
use execute::{Answer, PartialReason};
use language::logql::{self, Steps, joined};
use plan::{QueryError, QueryErrors, Span, Warning};
use promql::{Data, EvalError, Query, Row};
use series::{SampleSource, query_options};
use types::{Timestamp, ensure};

use super::outcome::RowsOf;
use super::samples::{Sample, rows_of};
use super::steps::{When, when};
use crate::ask::Ask;
use door::{Problem, Result};

/// The name of the language.
const LANGUAGE: &str = "promql";

/// Answers a metric query in LogQL.
pub(super) fn of_logql(ask: &Ask, now: Timestamp) -> Result<RowsOf> {
    ensure!(!ask.explain, Problem::bad_request("unsupported", "a metric query in LogQL has no single plan to explain"));
    let logql::Query::Metric(query) = logql::parse(&ask.query)? else {
        return Err(Problem::internal("a query for lines".to_owned()));
    };
    if !ask.groups().is_empty() {
        let problem = Problem::bad_request("unsupported", "a query in LogQL names its groups itself");
        return Err(problem.hint("write {group=~\"a/.*\"} in the query, and leave out groups"));
    }
    let steps = match when(ask, now)? {
        When::Instant(at) => Steps::instant(Timestamp(at.saturating_mul(Timestamp::MILLISECOND))),
        When::Range { start, end, step } => {
            let [start, end] = [start, end].map(|at| Timestamp(at.saturating_mul(Timestamp::MILLISECOND)));
            Steps { start, end, step_ns: step.saturating_mul(Timestamp::MILLISECOND) }
        }
    };
    Ok(Box::new(move |run| {
        let measured = measure(run, &query, steps, now)?;
        let mut samples = Vec::new();
        for series in joined(measured.series) {
            let labels = promql::Labels::new(series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            samples.extend(series.points.iter().map(|point| {
                let value = promql::Value::Float(point.value);
                (labels.clone(), point.at.0 / Timestamp::MILLISECOND, value)
            }));
        }
        let (stats, partial_reasons) = (measured.stats, measured.partial_reasons);
        Ok(Answer { stats, partial_reasons, ..rows_of(samples) })
    }))
}

/// Answers a query in PromQL.
pub(super) fn of_promql(ask: &Ask, now: Timestamp) -> Result<RowsOf> {
    ensure!(!ask.explain, Problem::bad_request("unsupported", "a query in PromQL has no plan to explain"));
    let query = parsed(&ask.query)?;
    let when = when(ask, now)?;
    let groups = ask.groups();
    Ok(Box::new(move |run| {
        let began = Instant::now();
        let memory_bytes = run.server.app.limits.query_memory_bytes;
        let options = query_options(memory_bytes, run.running.cancelled.clone(), run.deadline());
        let source = SampleSource::new(run, options.samples_max);
        let source = if groups.is_empty() { source } else { source.within(groups) };
        let evaluated = match when {
            When::Instant(at) => promql::instant(&query, at, &source, &options),
            When::Range { start, end, step } => source.range(&query, (start, end), step, &options),
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
    }))
}

/// Reads a query; the error has the place of the mistake.
fn parsed(text: &str) -> Result<Query> {
    promql::parse(text).map_err(|error| {
        let span = Span { start: error.span.start, end: error.span.end };
        QueryErrors::from(QueryError::new("bad-query", error.message, text, span)).into()
    })
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
fn samples_of(data: Data, at: i64) -> Result<Vec<Sample>> {
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
