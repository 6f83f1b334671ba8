//! Prefilters: conditions that hold for a span of every matching trace.

use plan::{Comparison, Expr, Function, not};
use types::Value;

use crate::condition::{SpanCondition, and, field, is_present, is_true, or, selection, truth};
use crate::field::{Field, Intrinsic};
use crate::literal::Literal;
use crate::span_view::{PARENT_FIELD, stored_field};
use crate::syntax::{
    BinaryOperator, Combined, Expression, ExpressionKind, Pipeline, Query, SetOperator, Side, Spansets, Stage,
};

/// Where to look for matching traces.
#[derive(Clone, Debug)]
pub struct Prefilter {
    /// A condition of the events of spans: every matching trace has a span for which it holds. Other traces may have
    /// one, too.
    pub condition: Expr,
    /// Whether the query is answered by the spans alone: the spans of its answer are exactly those for which the condition
    /// holds, whatever else is in their traces.
    pub is_exact: bool,
}

/// Returns where to look for the traces that a query matches.
///
/// Attributes have no scope in storage: `.x`, `span.x`, `resource.x` and `instrumentation.x` read the field `x`, as
/// evaluation does. The attribute `service.name` of the resource is the field `service`; an attribute with the name of
/// a field of spans (`name`, `status`, …) is the field `attributes.NAME`.
pub fn prefilter(query: &Query) -> Prefilter {
    let single = single_spans(query);
    let is_exact = single.as_ref().is_some_and(|condition| condition.inexact.is_none());
    let condition = single.map_or_else(|| of_pipeline(&query.pipeline), |condition| condition.expr);
    let condition = root_condition(query).filter(|_| is_true(&condition)).unwrap_or(condition);
    Prefilter { condition: and(is_span(), condition), is_exact }
}

/// Returns the condition that an event is a span.
pub(crate) fn is_span() -> Expr {
    equal("@type", "span")
}

fn equal(name: &str, text: &str) -> Expr {
    let literal = Expr::Literal(Some(Value::text(text)));
    Expr::Compare(Comparison::Equal, Box::new(field(name)), Box::new(literal))
}

/// Returns the condition of a query that looks at each span by itself; `None` for any other query.
pub(crate) fn single_spans(query: &Query) -> Option<SpanCondition> {
    let mut all = SpanCondition { expr: truth(true), inexact: None };
    for stage in &query.pipeline.stages {
        match stage {
            Stage::Spansets(Spansets::Filter(condition)) => {
                let found = selection(condition);
                all = SpanCondition { expr: and(all.expr, found.expr), inexact: all.inexact.or(found.inexact) };
            }
            Stage::Select(_) => {}
            _ => return None,
        }
    }
    Some(all)
}

/// Returns a condition that holds for a span of every trace in which a pipeline finds a spanset.
fn of_pipeline(pipeline: &Pipeline) -> Expr {
    let mut best = truth(true);
    for stage in &pipeline.stages {
        if let Stage::Spansets(spansets) = stage {
            best = better(best, of_spansets(spansets));
        }
    }
    best
}

fn of_spansets(spansets: &Spansets) -> Expr {
    match spansets {
        Spansets::Filter(condition) => selection(condition).expr,
        Spansets::Pipeline(pipeline) => of_pipeline(pipeline),
        Spansets::Combined(combined) => {
            let Combined { operator, left, right, .. } = &**combined;
            match operator {
                SetOperator::Or => or(of_spansets(left), of_spansets(right)),
                // The left side need not have any span.
                SetOperator::Related(_, Side::RightWithout) => of_spansets(right),
                SetOperator::And | SetOperator::Related(..) => better(of_spansets(left), of_spansets(right)),
            }
        }
    }
}

/// Returns the condition that probably holds for fewer spans.
fn better(a: Expr, b: Expr) -> Expr {
    if selectivity(&b) > selectivity(&a) { b } else { a }
}

/// Estimates how few spans a condition holds for.
fn selectivity(condition: &Expr) -> u32 {
    match condition {
        Expr::Literal(Some(Value::Boolean(false))) => 100,
        Expr::Literal(_) => 0,
        Expr::And(a, b) => (selectivity(a) + selectivity(b)).min(90),
        Expr::Or(a, b) => selectivity(a).min(selectivity(b)),
        Expr::Not(_) => 1,
        Expr::Compare(Comparison::Equal, ..) => 8,
        Expr::Compare(..) | Expr::Match(..) => 4,
        Expr::Call(Function::Each, arguments) => arguments.get(1).map_or(1, selectivity),
        _ => 2,
    }
}

/// Returns a condition of root spans, for a query that asks only for what roots have.
fn root_condition(query: &Query) -> Option<Expr> {
    let filters = query.pipeline.stages.iter().find_map(|stage| match stage {
        Stage::Spansets(Spansets::Filter(condition)) => Some(condition),
        _ => None,
    });
    let mut found = None;
    of_root(filters?, &mut found);
    found.map(|condition| and(not(is_present(field(PARENT_FIELD))), condition))
}

/// Finds a condition of the root among those that must all hold.
fn of_root(expression: &Expression, found: &mut Option<Expr>) {
    match &expression.kind {
        ExpressionKind::Binary(BinaryOperator::And, left, right) => {
            of_root(left, found);
            of_root(right, found);
        }
        ExpressionKind::Binary(BinaryOperator::Compare(Comparison::Equal), left, right) => {
            let (ExpressionKind::Field(asked), ExpressionKind::Literal(Literal::Text(text))) =
                (&left.kind, &right.kind)
            else {
                return;
            };
            let stored = match asked {
                Field::Intrinsic(Intrinsic::RootName) => stored_field(&Field::Intrinsic(Intrinsic::Name)),
                Field::Intrinsic(Intrinsic::RootService) => Some("service".into()),
                _ => None,
            };
            *found = found.take().or(stored.map(|name| equal(&name, text)));
        }
        _ => {}
    }
}
