//! Metrics queries in TraceQL: a row for each point of each series, with its time, labels and value, as Tempo's
//! `metrics/query_range` computes them.

use std::time::Instant;

use chrono_tz::Tz;
use door::logql::add;
use door::{Problem, Result, Scope};
use execute::{Answer, Stats};
use ingest::span::SPAN_GROUPS;
use plan::QueryErrors;
use traceql::Series;
use types::{GroupPattern, Timestamp, Value};

use super::outcome::RowsOf;
use super::samples::{Sample, rows_of};
use super::steps::{When, when};
use crate::ask::Ask;

/// What stands for a label without a value, as in Tempo.
const NIL: &str = "nil";

/// Returns all rows of a metrics query; without a step, each series has one value, for the whole range.
pub(super) fn rows(ask: &Ask, now: Timestamp) -> Result<RowsOf> {
    if ask.explain {
        return Err(Problem::bad_request("unsupported", "a metrics query in TraceQL has no single plan to explain"));
    }
    let query = traceql::parse(&ask.query).map_err(QueryErrors::from)?;
    let ns = |ms: i64| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
    let (from, to, step) = match when(ask, now)? {
        When::Range { start, end, step } => (ns(start), ns(end), Some(step.saturating_mul(Timestamp::MILLISECOND))),
        When::Instant(at) => (ask.range(now)?.from, ns(at), None),
    };
    let plan = traceql::lines_plan(&query, from, to, step).map_err(QueryErrors::from)?;
    let asked = ask.groups();
    let groups = if asked.is_empty() { SPAN_GROUPS.map(GroupPattern::new).to_vec() } else { asked };
    let scope = Scope { groups, limit: None, time_zone: Tz::UTC, now };
    Ok(Box::new(move |run| {
        let began = Instant::now();
        let snapshot = run.snapshot(&scope.groups, plan.range);
        let (mut stats, mut partial_reasons) = (Stats::default(), Vec::new());
        let series = plan.series(&mut |of| {
            let answer = run.execute_on(&snapshot, &of.plan, &scope, of.range)?;
            add(&mut stats, &answer.stats);
            for reason in answer.partial_reasons {
                if !partial_reasons.contains(&reason) {
                    partial_reasons.push(reason);
                }
            }
            Ok::<_, Problem>(answer.rows)
        })?;
        stats.elapsed_ms = began.elapsed().as_secs_f64() * 1e3;
        let samples = series.iter().flat_map(samples_of).collect();
        Ok(Answer { stats, partial_reasons, ..rows_of(samples) })
    }))
}

fn samples_of(series: &Series) -> Vec<Sample> {
    let text = |value: &Option<Value>| value.as_ref().map_or_else(|| NIL.to_owned(), Value::to_string);
    let labels = promql::Labels::new(series.labels.iter().map(|(name, value)| (name.as_str(), text(value))));
    let sample = |(time, value): &(Timestamp, f64)| {
        (labels.clone(), time.0.div_euclid(Timestamp::MILLISECOND), promql::Value::Float(*value))
    };
    series.points.iter().map(sample).collect()
}
