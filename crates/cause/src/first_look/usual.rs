//! What usually happens at this hour: how often the same events came at the same time of the days before.

use std::sync::Arc;

use execute::{EventSet, Request, Result, execute};
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan};
use types::{Run, TimeRange, Timestamp, Value};

use crate::text::conditions_of;

/// Days before that are looked at: those whose daily rhythm an onset is compared with.
const DAYS: i64 = 7;

/// Longest time that has an hour of the day.
const RANGE_MAX: i64 = 12 * Timestamp::HOUR;

/// What usually happens at an hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Usual {
    /// Events per minute since the onset.
    pub per_minute: f64,
    /// The same time of the days before that have events at all, the last one first, with the events per minute in it.
    pub days: Vec<(TimeRange, f64)>,
}

impl Usual {
    /// Returns the median of the days; of two in the middle the larger one.
    pub fn median(&self) -> f64 {
        let mut rates: Vec<f64> = self.days.iter().map(|(_, rate)| *rate).collect();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    }

    /// Returns the least and the most of the days.
    pub fn ends(&self) -> [f64; 2] {
        let rates = || self.days.iter().map(|(_, rate)| *rate);
        [rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max)]
    }
}

/// Counts the events of a set in its range, and at the same time of the days before. `None` where none of these has events of
/// any kind, those of `all`, and where the range is longer than half a day.
pub(super) fn usual(set: EventSet<'_>, all: &Plan, runs: &[Arc<dyn Run>]) -> Result<Option<Usual>> {
    let range = set.request.range;
    let length = range.to.0.saturating_sub(range.from.0);
    if length > RANGE_MAX {
        return Ok(None);
    }
    let per_minute = |n_events: i64| n_events as f64 * Timestamp::MINUTE as f64 / length.max(1) as f64;
    let count = |plan: &Plan, range: TimeRange| count(EventSet { plan, ..set }, range, runs);
    let mut days = Vec::new();
    for day in 1..=DAYS {
        let earlier = |at: Timestamp| Timestamp(at.0.saturating_sub(day * Timestamp::DAY));
        let of_day = TimeRange { from: earlier(range.from), to: earlier(range.to) };
        let has_runs = runs.iter().any(|run| of_day.overlaps(run.info().first, run.info().last));
        if has_runs && count(all, of_day)? > 0 {
            days.push((of_day, per_minute(count(set.plan, of_day)?)));
        }
    }
    if days.is_empty() {
        return Ok(None);
    }
    Ok(Some(Usual { per_minute: per_minute(count(set.plan, range)?), days }))
}

fn count(set: EventSet<'_>, range: TimeRange, runs: &[Arc<dyn Run>]) -> Result<i64> {
    let name = Name::from("n");
    let mut operators = conditions_of(set.plan);
    let aggregates = vec![Aggregate { name: name.clone(), kind: AggregateKind::Count, argument: None }];
    operators.push(Operator::Aggregate { by: Vec::new(), aggregates });
    operators.push(Operator::Project { columns: vec![(name.clone(), Expr::Field(name))], is_events: false });
    let answer = execute(&Plan::new(operators), runs, &Request { range, limit: None, ..*set.request })?;
    Ok(match answer.rows.first().and_then(|row| row.first()) {
        Some(Some(Value::Integer(n_events))) => *n_events,
        _ => 0,
    })
}
