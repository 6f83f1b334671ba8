//! Counts of events per span of time, for the chart above a result.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Aggregate, AggregateKind, Expr, Function, Length, Name, Operator, Plan, calendar as bins};
use types::{Run, TimeRange, Timestamp, Value};

use crate::answers::run::execute;
use crate::request::answer::{PartialReason, Stats};
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::simplify::leading;

/// The most buckets of a histogram, whatever is asked for.
const BUCKETS_MAX: usize = 10_000;

/// Counts per bucket.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// The buckets that cover the range, empty ones too, oldest first.
    pub buckets: Vec<Bucket>,
    /// The length of a bucket in nanoseconds; days may be longer or shorter where clocks change.
    pub interval_ns: i64,
    /// What it took.
    pub stats: Stats,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// One bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The time it covers.
    pub range: TimeRange,
    /// How many events.
    pub total: u64,
    /// How many of each value of the field asked for, `""` for those without one.
    pub by: BTreeMap<String, u64>,
}

/// Lengths of buckets that people can read, in milliseconds.
const LENGTHS_MS: [i64; 33] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
    1_209_600_000, 2_419_200_000, 7_257_600_000, 29_030_400_000,
];

/// Returns the shortest readable length of which `n_buckets` cover the range.
fn length_ns(range: TimeRange, n_buckets: usize) -> i64 {
    let n_buckets = n_buckets.clamp(1, BUCKETS_MAX) as i128;
    // The end of a request belongs to its range: that last nanosecond must not double the length.
    let wanted = (i128::from(range.to.0) - i128::from(range.from.0) - 1).max(1);
    let fits = |ms: &&i64| i128::from(**ms) * 1_000_000 * n_buckets >= wanted;
    let longest = LENGTHS_MS[LENGTHS_MS.len() - 1];
    LENGTHS_MS.iter().find(fits).unwrap_or(&longest) * 1_000_000
}

/// Returns the range, where it has no beginning or end cut to the times of the runs.
fn clipped(range: TimeRange, runs: &[Arc<dyn Run>]) -> Option<TimeRange> {
    let first = runs.iter().map(|run| run.info().first).min();
    let last = runs.iter().map(|run| run.info().last).max();
    let from = if range.from == TimeRange::ALL.from { first? } else { range.from };
    let to = if range.to == TimeRange::ALL.to { Timestamp(last?.0.saturating_add(1)) } else { range.to };
    (from < to).then_some(TimeRange { from, to })
}

/// Counts the events that the conditions at the head of `plan` let through, per bucket and per value of `by`.
pub fn histogram(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    n_buckets: usize,
    by: &str,
) -> Result<Histogram> {
    let Some(range) = clipped(request.range, runs) else { return Ok(Histogram::default()) };
    let interval_ns = length_ns(range, n_buckets);
    let span = Length::Nanoseconds(interval_ns);
    let counting = counting_plan(plan, span, by);
    let answer = execute(&counting, runs, &Request { range, limit: None, ..*request })?;
    let mut buckets = empty_buckets(range, span, request);
    for row in answer.rows {
        let [Some(Value::Timestamp(start)), value, Some(Value::Integer(count))] = &row[..] else { continue };
        let Ok(index) = buckets.binary_search_by_key(start, |bucket| bucket.range.from) else { continue };
        let count = count.unsigned_abs();
        buckets[index].total += count;
        *buckets[index].by.entry(value.as_ref().map(Value::to_string).unwrap_or_default()).or_insert(0) += count;
    }
    if let Some(first) = buckets.first_mut() {
        first.range.from = first.range.from.max(range.from);
    }
    if let Some(last) = buckets.last_mut() {
        last.range.to = last.range.to.min(range.to);
    }
    Ok(Histogram { buckets, interval_ns, stats: answer.stats, partial_reasons: answer.partial_reasons })
}

fn empty_buckets(range: TimeRange, span: Length, request: &Request<'_>) -> Vec<Bucket> {
    let zone = request.time_zone;
    let mut buckets = Vec::new();
    let mut next = range.from.0;
    while next < range.to.0 && buckets.len() <= BUCKETS_MAX {
        let (start, end) = bins::bounds(zone, next, span).unwrap_or((next, i64::MAX));
        let range = TimeRange { from: Timestamp(start), to: Timestamp(end) };
        buckets.push(Bucket { range, total: 0, by: BTreeMap::new() });
        next = end;
    }
    buckets
}

/// Returns the conditions at the head of `plan`, then a count by time and by the field.
fn counting_plan(plan: &Plan, span: Length, by: &str) -> Plan {
    let start: Name = "bucket".into();
    let value: Name = "value".into();
    let count: Name = "count".into();
    let mut operators: Vec<Operator> = leading(plan);
    let bin = Expr::Call(Function::DateFloor, vec![Expr::Field("@timestamp".into()), Expr::Duration(span)]);
    operators.push(Operator::Aggregate {
        by: vec![(start.clone(), bin), (value.clone(), Expr::Field(by.into()))],
        aggregates: vec![Aggregate { name: count.clone(), kind: AggregateKind::Count, argument: None }],
    });
    let columns = [start, value, count].map(|name| (name.clone(), Expr::Field(name))).to_vec();
    operators.push(Operator::Project { columns, is_events: false });
    Plan::new(operators)
}

#[cfg(test)]
mod tests;
