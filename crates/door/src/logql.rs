//! Runs metric queries of LogQL, for its own API and for the native one.

use chrono_tz::Tz;
use execute::{PartialReason, Stats};
use language::logql::{MetricError, MetricQuery, Series, Steps, run_metric};
use plan::PlanError;
use types::{TimeRange, Timestamp};

use crate::problem::{Problem, Result};
use crate::query_run::{QueryRun, Scope};

/// The result of a metric query.
pub struct Measured {
    /// The series, not yet joined.
    pub series: Vec<Series>,
    /// What was read for it.
    pub stats: Stats,
    /// Why it is not complete.
    pub partial_reasons: Vec<PartialReason>,
}

/// Runs a metric query at its steps. Blocks.
///
/// # Errors
///
/// If it asks for too much, or one of its plans fails.
pub fn measure(reading: &QueryRun<'_>, query: &MetricQuery, steps: Steps, now: Timestamp) -> Result<Measured> {
    let (mut stats, mut partial_reasons) = (Stats::default(), Vec::new());
    let run = |plan: &plan::Plan, range: TimeRange| {
        // A query has its own selectors.
        let scope = Scope { groups: plan.sources.clone(), limit: None, time_zone: Tz::UTC, now };
        let answer = reading.execute(plan, &scope, range).map_err(PlanProblem)?;
        add(&mut stats, &answer.stats);
        partial_reasons.extend(answer.partial_reasons);
        Ok(answer.rows)
    };
    let series = run_metric(query, steps, run).map_err(|error| match error {
        MetricError::Execute(PlanProblem(problem)) => problem,
        other => Problem::bad_request("bad-metric-query", other.to_string()),
    })?;
    Ok(Measured { series, stats, partial_reasons })
}

/// The reason why one of a query's plans failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct PlanProblem(Problem);

impl PlanError for PlanProblem {
    fn is_out_of_memory(&self) -> bool {
        self.0.code == "query-memory"
    }
}

/// Adds the statistics of several plans of one query.
pub fn add(sum: &mut Stats, stats: &Stats) {
    sum.events_scanned = sum.events_scanned.saturating_add(stats.events_scanned);
    sum.events_matched = sum.events_matched.saturating_add(stats.events_matched);
    sum.bytes_read = sum.bytes_read.saturating_add(stats.bytes_read);
    sum.elapsed_ms += stats.elapsed_ms;
}
