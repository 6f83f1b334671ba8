//! Metrics queries as plans over spans.
//!
//! The engine groups spans by time and labels and aggregates them; [`SeriesPlan::series`] builds series from its rows. Time is
//! cut as in Tempo: points lie at multiples of the step, and a span counts for the point at or after its start. Values of
//! durations are seconds. Numbers are exact where Tempo's come from buckets: quantiles are the engine's percentiles.

use plan::{
    Aggregate, AggregateKind, ArithmeticOperator, Comparison, Expr, Function, Name, Operator, Plan, QueryError, Result,
    Span, within,
};
use types::{TimeRange, Timestamp, Value};

use crate::arithmetic::Operand;
use crate::condition::{SpanCondition, and, field, is_number, selection};
use crate::field::{Field, Intrinsic};
use crate::prefilter::{is_span, single_spans};
use crate::series::{Column, Shape, step_of};
use crate::span_view::{DURATION_FIELD, stored_field};
use crate::syntax::{AggregateFunction, Arithmetic, Metric, MetricFunction, Query, Spansets, Stage};

pub use crate::arithmetic::ArithmeticPlan;
pub use crate::compare::ComparePlan;
pub use crate::series::SeriesPlan;

/// A metrics query as plans.
#[derive(Clone, Debug)]
pub enum MetricsPlan {
    /// One aggregation.
    Series(SeriesPlan),
    /// Two selections of spans whose values are counted.
    Compare(ComparePlan),
    /// Several aggregations, joined by arithmetic.
    Arithmetic(ArithmeticPlan),
}

/// Returns the plan of a metrics query from `from` to `to`, both included, with a point every `step_ns` nanoseconds; without a
/// step, with one point at `to` for the whole range.
///
/// # Errors
/// The query needs whole traces (structural operators, `by` and aggregates before the metric, fields of the trace), or asks for
/// traces.
pub fn metrics_plan(query: &Query, from: Timestamp, to: Timestamp, step_ns: Option<i64>) -> Result<MetricsPlan> {
    if let Some(arithmetic) = &query.arithmetic {
        let mut plan_of = |query: &Query| metrics_plan(query, from, to, step_ns);
        let range = Grid::new(from, to, step_ns).range;
        return Ok(MetricsPlan::Arithmetic(ArithmeticPlan { range, operand: operand(arithmetic, &mut plan_of)? }));
    }
    let error = |message: String, span| QueryError::new("not-supported", message, &query.text, span);
    let Some(metric) = &query.metric else {
        let whole = Span { start: 0, end: query.text.len() };
        let error = QueryError::new("no-metric", "the query asks for traces, not for series", &query.text, whole);
        return Err(error.with_hint("add a function over time: | rate()"));
    };
    let Some(condition) = single_spans(query) else {
        let span = first_of_traces(query).unwrap_or(metric.span);
        let message = "series are computed from single spans, and this stage needs whole traces".to_owned();
        return Err(error(message, span).with_hint("select the spans with { … } alone"));
    };
    let base = and(is_span(), exact(query, condition)?);
    let grid = Grid::new(from, to, step_ns);
    if let MetricFunction::Compare { selection: chosen, most, between } = &metric.function {
        let mut chosen = exact(query, selection(chosen))?;
        if let Some((from, to)) = between {
            chosen = and(chosen, within(Box::new(field("@timestamp")), from.saturating_add(1), to.saturating_add(1)));
        }
        let most = usize::try_from(*most).unwrap_or(usize::MAX);
        let compare = ComparePlan { base, selected: chosen, most, range: grid.range, steps: grid.steps };
        return Ok(MetricsPlan::Compare(compare));
    }
    series_plan(query, metric, base, grid).map(MetricsPlan::Series)
}

/// Returns the plan of a metrics query each of whose series is a line; the arguments are those of [`metrics_plan`].
///
/// # Errors
/// Those of [`metrics_plan`], and `compare()`, whose series are counts of the values of all fields.
pub fn lines_plan(query: &Query, from: Timestamp, to: Timestamp, step_ns: Option<i64>) -> Result<ArithmeticPlan> {
    match metrics_plan(query, from, to, step_ns)? {
        MetricsPlan::Series(plan) => Ok(ArithmeticPlan { range: plan.range, operand: Operand::Series(Box::new(plan)) }),
        MetricsPlan::Arithmetic(plan) => Ok(plan),
        MetricsPlan::Compare(_) => {
            let span = query.metric.as_ref().map(|metric| metric.span).unwrap_or_default();
            let message = "compare() counts the values of all fields, which are no lines of one measure";
            let error = QueryError::new("not-supported", message, &query.text, span);
            Err(error.with_hint("count by the field that matters, as in rate() by (resource.service.name)"))
        }
    }
}

/// Returns the plans of the queries that arithmetic joins.
fn operand(arithmetic: &Arithmetic, plan_of: &mut dyn FnMut(&Query) -> Result<MetricsPlan>) -> Result<Operand> {
    Ok(match arithmetic {
        Arithmetic::Number(number) => Operand::Number(*number),
        Arithmetic::Series(query) => match plan_of(query)? {
            MetricsPlan::Series(plan) => Operand::Series(Box::new(plan)),
            MetricsPlan::Arithmetic(plan) => plan.operand,
            MetricsPlan::Compare(_) => {
                let whole = Span { start: 0, end: query.text.len() };
                let message = "compare() gives several counts, which arithmetic cannot join";
                return Err(QueryError::new("not-supported", message, &query.text, whole));
            }
        },
        Arithmetic::Binary(operator, left, right) => {
            let (left, right) = (operand(left, plan_of)?, operand(right, plan_of)?);
            Operand::Binary(*operator, Box::new(left), Box::new(right))
        }
        Arithmetic::Second(inner, stages) => Operand::Second(Box::new(operand(inner, plan_of)?), stages.clone()),
    })
}

/// Returns the place of the first stage that looks at more than one span.
fn first_of_traces(query: &Query) -> Option<Span> {
    query.pipeline.stages.iter().find_map(|stage| match stage {
        Stage::Group(by) => Some(by.span),
        Stage::Scalar { aggregate, .. } => Some(aggregate.span),
        Stage::Spansets(Spansets::Combined(combined)) => Some(combined.span),
        _ => None,
    })
}

/// Returns a condition as a plan expresses it; refuses one that a plan cannot express exactly.
fn exact(query: &Query, condition: SpanCondition) -> Result<Expr> {
    let Some(span) = condition.inexact else { return Ok(condition.expr) };
    let shown = query.text.get(span.start..span.end).unwrap_or_default();
    let message = format!("`{shown}` cannot be computed from a single stored span in a metrics query");
    let error = QueryError::new("not-supported", message, &query.text, span);
    Err(error.with_hint("compare attributes and span:… fields with constants"))
}

/// The points of a query.
#[derive(Clone, Copy)]
struct Grid {
    /// The first nanosecond of the first step, and the length of all; `None` for a single point.
    steps: Option<(i64, i64)>,
    range: TimeRange,
    /// Seconds that one point covers.
    seconds: f64,
}

impl Grid {
    fn new(from: Timestamp, to: Timestamp, step_ns: Option<i64>) -> Self {
        let Some(step) = step_ns.map(|step| step.max(1)) else {
            let range = TimeRange { from, to: Timestamp(to.0.saturating_add(1)) };
            return Self { steps: None, range, seconds: (to.0.saturating_sub(from.0).max(1)) as f64 / 1e9 };
        };
        let start = from.0.div_euclid(step).saturating_mul(step);
        let end = to.0.saturating_add(step - 1).div_euclid(step).saturating_mul(step);
        let first = start.saturating_add(1);
        let range = TimeRange { from: Timestamp(first), to: Timestamp(end.saturating_add(1).max(first)) };
        Self { steps: Some((first, step)), range, seconds: step as f64 / 1e9 }
    }
}

fn series_plan(query: &Query, metric: &Metric, base: Expr, grid: Grid) -> Result<SeriesPlan> {
    let mut by: Vec<(Name, Expr)> = Vec::new();
    if let Some((first, step)) = grid.steps {
        by.push(("#time".into(), step_of(first, step)));
    }
    for (index, label) in metric.by.iter().enumerate() {
        by.push((format!("#by{index}").into(), stored(query, metric, label)?));
    }
    let mut shape = Shape {
        name: metric.name(),
        labels: metric.by.iter().map(ToString::to_string).collect(),
        end_of_step: grid.steps.map(|(_, step)| step - 1),
        instant: Timestamp(grid.range.to.0.saturating_sub(1)),
        bucket_scale: None,
        columns: vec![Column { quantile: None, scale: 1.0 }],
        second: metric.second.clone(),
    };
    let count = |argument| (AggregateKind::Count, argument);
    let aggregates = match &metric.function {
        MetricFunction::Rate => {
            shape.columns[0].scale = 1.0 / grid.seconds;
            vec![count(None)]
        }
        MetricFunction::Count | MetricFunction::Compare { .. } => vec![count(None)],
        MetricFunction::Simple(function, of) => {
            shape.columns[0].scale = scale_of(of);
            vec![(simple(*function), Some(number(query, metric, of)?))]
        }
        MetricFunction::Quantile(of, quantiles) => {
            let column = |quantile: &f64| Column { quantile: Some(*quantile), scale: scale_of(of) };
            shape.columns = quantiles.iter().map(column).collect();
            let argument = number(query, metric, of)?;
            let percentile = |quantile: &f64| (AggregateKind::Percentile(quantile * 100.0), Some(argument.clone()));
            quantiles.iter().map(percentile).collect()
        }
        MetricFunction::Histogram(of) => {
            shape.bucket_scale = Some(if is_duration(of) { 1e-9 } else { 1.0 });
            by.push(("#bucket".into(), bucket(query, metric, of)?));
            vec![count(None)]
        }
    };
    let name = |index: usize| -> Name { format!("#value{index}").into() };
    let aggregates: Vec<Aggregate> = aggregates
        .into_iter()
        .enumerate()
        .map(|(index, (kind, argument))| Aggregate { name: name(index), kind, argument })
        .collect();
    let names =
        by.iter().map(|(name, _)| name.clone()).chain(aggregates.iter().map(|aggregate| aggregate.name.clone()));
    let columns = names.map(|name| (name.clone(), Expr::Field(name))).collect();
    let operators = vec![
        Operator::Filter(base),
        Operator::Aggregate { by, aggregates },
        Operator::Project { columns, is_events: false },
    ];
    Ok(SeriesPlan { plan: Plan::new(operators), range: grid.range, shape })
}

fn simple(function: AggregateFunction) -> AggregateKind {
    match function {
        AggregateFunction::Count => AggregateKind::Count,
        AggregateFunction::Average => AggregateKind::Average,
        AggregateFunction::Min => AggregateKind::Min,
        AggregateFunction::Max => AggregateKind::Max,
        AggregateFunction::Sum => AggregateKind::Sum,
    }
}

fn is_duration(of: &Field) -> bool {
    *of == Field::Intrinsic(Intrinsic::Duration)
}

/// Returns the factor of stored values: the unit of durations is the second.
fn scale_of(of: &Field) -> f64 {
    if is_duration(of) { 1e-3 } else { 1.0 }
}

/// Returns the stored field.
fn stored(query: &Query, metric: &Metric, of: &Field) -> Result<Expr> {
    let unknown = || {
        let message = format!("`{of}` is not stored with a single span, so no series can be computed from it");
        QueryError::new("not-supported", message, &query.text, metric.span)
    };
    Ok(field(&stored_field(of).ok_or_else(unknown)?))
}

/// Returns the numbers of a field; texts that read as numbers are left out.
fn number(query: &Query, metric: &Metric, of: &Field) -> Result<Expr> {
    let stored = stored(query, metric, of)?;
    Ok(if is_duration(of) { stored } else { Expr::Call(Function::If, vec![is_number(stored.clone()), stored]) })
}

/// Returns the power of two that is not below a number: nanoseconds for durations. Numbers that are not above 0 have none.
fn bucket(query: &Query, metric: &Metric, of: &Field) -> Result<Expr> {
    let literal = |number: f64| Expr::Literal(Some(Value::Float(number)));
    let value = number(query, metric, of)?;
    let value = if is_duration(of) {
        let whole =
            Expr::Arithmetic(ArithmeticOperator::Multiply, Box::new(field(DURATION_FIELD)), Box::new(literal(1e6)));
        // A span may take no time at all.
        Expr::Call(Function::Greatest, vec![Expr::Call(Function::Round, vec![whole]), literal(1.0)])
    } else {
        let is_positive = Expr::Compare(Comparison::Greater, Box::new(value.clone()), Box::new(literal(0.0)));
        Expr::Call(Function::If, vec![is_positive, value])
    };
    let exponent = Expr::Call(Function::Ceil, vec![Expr::Call(Function::Log2, vec![value])]);
    Ok(Expr::Call(Function::Pow, vec![literal(2.0), exponent]))
}
