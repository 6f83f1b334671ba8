//! The plans of a search's aggregations: built, counted against their limits, and run by the caller.

use chrono_tz::Tz;
use serde_json::{Map, Value as Json};
use types::{TimeRange, Value};

use super::BUCKETS_MAX;
use super::aggregation::Aggregation;
use super::bucket::Candidate;
use super::results::{metrics, put};
use language::dsl::Selection;
use language::search_error::{Result, SearchError};
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan};

/// Limit on the plans of one search: overlapping buckets and lists of hits need one each.
const PLANS_MAX: usize = 500;

/// The key of a group and the number of its events.
pub(super) type KeyCount = (Vec<Option<Value>>, u64);

/// Runs the plans of aggregations.
pub trait Executor {
    /// The reason for a failure.
    type Error: From<SearchError>;

    /// Returns all rows of a plan over a range.
    fn rows(&mut self, plan: &Plan, range: TimeRange, zone: Tz) -> Result<Vec<Vec<Option<Value>>>, Self::Error>;

    /// Returns all rows of a plan over all events of the same indices, whatever their time.
    fn background_rows(&mut self, plan: &Plan, zone: Tz) -> Result<Vec<Vec<Option<Value>>>, Self::Error>;

    /// Returns the hits of a selection for the `top_hits` aggregation `body`.
    fn hits(&mut self, selection: Selection, body: &Json, at: &str) -> Result<Json, Self::Error>;
}

/// The buckets of a plan.
#[derive(Clone)]
pub(super) struct Context {
    /// Conditions on the events.
    pub(super) filters: Vec<Expr>,
    /// The keys of the buckets, outermost first.
    pub(super) keys: Vec<Expr>,
}

/// The run of a search's aggregations.
pub(super) struct AggregationRunner<'a, A> {
    executor: &'a mut A,
    pub(super) selection: &'a Selection,
    zone: Tz,
    n_buckets: usize,
    n_plans: usize,
}

impl<'a, A: Executor> AggregationRunner<'a, A> {
    pub(super) fn new(executor: &'a mut A, selection: &'a Selection, zone: Tz) -> Self {
        Self { executor, selection, zone, n_buckets: 0, n_plans: 0 }
    }

    fn count_plan(&mut self) -> Result<()> {
        self.n_plans += 1;
        match self.n_plans > PLANS_MAX {
            true => Err(SearchError::argument(format!(
                "the aggregations take more than {PLANS_MAX} queries; ask for fewer filters, ranges or lists of hits"
            ))),
            false => Ok(()),
        }
    }

    pub(super) fn count_buckets(&mut self, n: usize) -> Result<()> {
        self.n_buckets = self.n_buckets.saturating_add(n);
        match self.n_buckets > BUCKETS_MAX {
            true => Err(SearchError {
                kind: "too_many_buckets_exception",
                reason: format!(
                    "Trying to create too many buckets. Must be less than or equal to: [{BUCKETS_MAX}] but was \
                     [{}]. This limit is fixed; use a longer interval, a shorter range or a smaller size.",
                    self.n_buckets
                ),
            }),
            false => Ok(()),
        }
    }

    /// Returns the rows of a plan over the selection.
    pub(super) fn run(&mut self, plan: &Plan) -> Result<Vec<Vec<Option<Value>>>, A::Error> {
        self.count_plan()?;
        self.executor.rows(plan, self.selection.range, self.zone)
    }

    /// Returns the hits of a selection within this one for the `top_hits` aggregation `body`.
    pub(super) fn hits(&mut self, selection: Selection, body: &Json, at: &str) -> Result<Json, A::Error> {
        self.count_plan()?;
        self.executor.hits(selection, body, at)
    }

    /// Returns the groups of a plan, with their whole keys, counts and metrics.
    pub(super) fn rows(&mut self, context: &Context, aggregations: &[Aggregation]) -> Result<Vec<Candidate>, A::Error> {
        let key_name = |index: usize| Name::from(format!("#key{index}"));
        let by: Vec<(Name, Expr)> =
            context.keys.iter().enumerate().map(|(index, expr)| (key_name(index), expr.clone())).collect();
        let mut aggregates = vec![Aggregate { name: "#count".into(), kind: AggregateKind::Count, argument: None }];
        for (_, metric) in metrics(aggregations) {
            for (kind, argument) in metric.aggregates() {
                aggregates.push(Aggregate { name: format!("#{}", aggregates.len()).into(), kind, argument });
            }
        }
        let names = by.iter().map(|(name, _)| name.clone()).chain(aggregates.iter().map(|one| one.name.clone()));
        let columns = names.map(|name| (name.clone(), Expr::Field(name))).collect();
        let mut operators: Vec<Operator> = context.filters.iter().cloned().map(Operator::Filter).collect();
        operators.push(Operator::Aggregate { by, aggregates });
        let plan = self.selection.plan(operators, columns, false);
        let rows = self.run(&plan)?;
        let n_keys = context.keys.len();
        let candidate = |mut row: Vec<Option<Value>>| {
            let values = row.split_off(n_keys.min(row.len()));
            let count = match values.first() {
                Some(Some(Value::Integer(count))) => count.unsigned_abs(),
                _ => 0,
            };
            let (mut object, mut at) = (Map::new(), 1);
            for (aggregation, metric) in metrics(aggregations) {
                let n = metric.aggregates().len();
                put(aggregation, metric.shown(values.get(at..at + n).unwrap_or_default()), &mut object);
                at += n;
            }
            Candidate { key: row, count, object }
        };
        Ok(rows.into_iter().map(candidate).collect())
    }

    /// Returns groups of the background with their counts.
    pub(super) fn background_rows(
        &mut self,
        mut operators: Vec<Operator>,
        by: Vec<(Name, Expr)>,
    ) -> Result<Vec<KeyCount>, A::Error> {
        self.count_plan()?;
        let names = by.iter().map(|(name, _)| name.clone()).chain(["#count".into()]);
        let columns = names.map(|name: Name| (name.clone(), Expr::Field(name))).collect();
        let aggregates = vec![Aggregate { name: "#count".into(), kind: AggregateKind::Count, argument: None }];
        operators.push(Operator::Aggregate { by, aggregates });
        operators.push(Operator::Project { columns, is_events: false });
        let plan = Plan::new(operators);
        let zone = self.zone;
        let rows = self.executor.background_rows(&plan, zone)?;
        let row = |mut row: Vec<Option<Value>>| match row.pop() {
            Some(Some(Value::Integer(n))) => (row, n.unsigned_abs()),
            _ => (row, 0),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
