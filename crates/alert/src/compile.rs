//! Compiles a rule to a plan: the query, and a column that holds for each row whether the condition is met.
//!
//! A query that gives events is counted; `count` is then the number of events. In a query with `stats`, `count` is
//! the number of rows unless a column has that name. All rows come back, not only those for which the condition
//! holds: a label set that is there and well differs from one that is missing.

pub(crate) mod compiled_rule;
mod expressions;
mod groups;
mod lines;
mod names;
mod patterns;

use language::ParseOptions;
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, PlanDraft};
use types::Timestamp;

pub(crate) use self::compiled_rule::{CompileError, CompiledRule, FIRES, Metric, SeriesQuery};
use self::expressions::{fields_of, parse_condition};
pub(crate) use self::lines::{Lines, LinesPage};
pub(crate) use self::patterns::MORE;
use crate::compile::compiled_rule::shown;
use crate::compile::expressions::{
    add_fires, at_least_one, is_field, last_aggregation, substitute, truth, value_column,
};
use crate::language::{RuleQuery, read};
use crate::{Kind, Rule};

/// Compiles a rule for an evaluation at `now`.
pub(crate) fn compile(rule: &Rule, now: Timestamp) -> Result<CompiledRule, CompileError> {
    match &rule.kind {
        Kind::Threshold | Kind::Anomaly(_) => of_rows(rule, now),
        Kind::Pattern(_) | Kind::Absence(_) | Kind::Ratio(_) | Kind::BurnRate(_) => groups::compile(rule, now),
        Kind::Composite(_) | Kind::Alarm(_) => Ok(CompiledRule::default()),
    }
}

/// Returns a rule that is a condition on the rows of its query.
fn of_rows(rule: &Rule, now: Timestamp) -> Result<CompiledRule, CompileError> {
    let options = ParseOptions { now, time_zone: chrono_tz::UTC };
    let condition = rule.condition.as_deref().map(|text| parse_condition(text, &options)).transpose()?;
    let asked = read(rule.language, &rule.query, &options, &[]);
    let draft = match asked.map_err(|errors| CompileError::Query(errors.to_string()))? {
        RuleQuery::Plan(draft) => draft,
        RuleQuery::Metric(_) | RuleQuery::Series(_) if rule.kind != Kind::Threshold => {
            return Err(CompileError::Query("must return columns; write it with `stats`, or as a filter".into()));
        }
        RuleQuery::Metric(query) => {
            let condition = condition.unwrap_or_else(truth);
            names::check_metric(&condition, &query)?;
            return Ok(of_metric(Metric { query, condition }));
        }
        RuleQuery::Series(query) => return of_series(rule, query, condition.unwrap_or_else(truth)),
    };
    let is_counted = !draft.operators.iter().any(|operator| matches!(operator, Operator::Aggregate { .. }));
    let mentions_count = condition.as_ref().is_some_and(|condition| fields_of(condition).contains(&"count".into()));
    let is_recounted = mentions_count && !shown(&draft.operators).iter().any(|(name, _)| &**name == "count");
    let draft = if is_counted || is_recounted { counted(draft) } else { draft };
    let mut plan = draft.finish();
    let condition = condition.unwrap_or_else(|| if is_counted { at_least_one() } else { truth() });
    names::check_condition(&condition, &plan, is_counted)?;
    let columns = shown(plan.operators()).to_vec();
    let (by, aggregates, before) = last_aggregation(&plan);
    let labels = columns.iter().enumerate().filter(|(_, (_, expr))| by.iter().any(|(name, _)| is_field(expr, name)));
    let labels: Vec<(usize, String)> = labels.map(|(at, (name, _))| (at, name.to_string())).collect();
    let value = value_column(&condition, &columns, &aggregates);
    let is_count = value.is_none_or(|at| {
        let counts =
            |(name, kind): &(Name, AggregateKind)| *kind == AggregateKind::Count && is_field(&columns[at].1, name);
        aggregates.iter().any(counts)
    });
    let sources = plan.sources.clone();
    add_fires(&mut plan, substitute(condition, &columns));
    Ok(CompiledRule { plan, labels, value, is_count, before, by, sources, ..CompiledRule::default() })
}

/// Compiles a metric query of LogQL: label sets and values are known once it has run. A series without a number is healthy.
fn of_metric(metric: Metric) -> CompiledRule {
    let events = metric.query.first_events();
    let (before, sources) = events.map(|events| (events.operators.clone(), events.sources.clone())).unwrap_or_default();
    CompiledRule { metric: Some(metric), is_count: true, before, sources, ..CompiledRule::default() }
}

/// Compiles a query in PromQL: label sets and values are known once it has run. A series without a number is healthy.
fn of_series(rule: &Rule, query: promql::Query, condition: Expr) -> Result<CompiledRule, CompileError> {
    let series = SeriesQuery::new(rule, query, condition).map_err(CompileError::Query)?;
    Ok(CompiledRule { series: Some(series), is_count: true, ..CompiledRule::default() })
}

/// Counts the rows of a query.
fn counted(mut draft: PlanDraft) -> PlanDraft {
    let count: Name = "count".into();
    draft.operators.retain(|operator| !matches!(operator, Operator::Project { .. }));
    let aggregate = Aggregate { name: count.clone(), kind: AggregateKind::Count, argument: None };
    draft.operators.push(Operator::Aggregate { by: Vec::new(), aggregates: vec![aggregate] });
    draft.operators.push(Operator::Project { columns: vec![(count.clone(), Expr::Field(count))], is_events: false });
    draft
}

#[cfg(test)]
mod tests;
