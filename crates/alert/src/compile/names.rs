//! Which names a condition may use: the columns that the query of its rule gives.
//!
//! A name that is not there would be a missing value for ever, and the rule would never fire.

use crate::compile::compiled_rule::{CompileError, shown};
use crate::compile::expressions::fields_of;
use language::logql::MetricQuery;
use plan::{Expr, Name, Operator, Plan};

/// Refuses a condition with a name that the rows of a plan do not have. `is_counted` means that the query returns events,
/// of which the plan only counts how many there are.
pub(super) fn check_condition(condition: &Expr, plan: &Plan, is_counted: bool) -> Result<(), CompileError> {
    let columns: Vec<&str> = shown(plan.operators()).iter().map(|(name, _)| &**name).collect();
    if columns.is_empty() {
        return Ok(());
    }
    let computed = computed(plan);
    let known: Vec<&str> = columns.iter().copied().chain(computed.iter().map(|name| &**name)).collect();
    let Some(unknown) = unknown_in(condition, &known) else { return Ok(()) };
    if is_counted {
        return Err(CompileError::Condition(format!(
            "the query gives events, and of events the condition knows only `count`, how many there are, not \"{unknown}\"; \
             put a condition on \"{unknown}\" into the query as a filter, or compute a column with `stats`"
        )));
    }
    Err(missing(&unknown, &columns))
}

/// Refuses a condition with a name that is not among `columns`.
pub(super) fn check(condition: Option<&Expr>, columns: &[&str]) -> Result<(), CompileError> {
    let unknown = condition.and_then(|condition| unknown_in(condition, columns));
    unknown.map_or(Ok(()), |unknown| Err(missing(&unknown, columns)))
}

/// Refuses a condition on a LogQL number with a name that no series can have.
pub(super) fn check_metric(condition: &Expr, query: &MetricQuery) -> Result<(), CompileError> {
    // Without `by` the labels of a series are those of its streams, which only the answer shows.
    let Some(labels) = query.labels_only() else { return Ok(()) };
    let columns: Vec<&str> = labels.iter().map(String::as_str).chain(["value"]).collect();
    check(Some(condition), &columns)
}

/// Returns names that the rows of a plan have besides those that are shown: what was computed since they were grouped last.
fn computed(plan: &Plan) -> Vec<Name> {
    let mut names = Vec::new();
    for operator in plan.operators() {
        match operator {
            Operator::Aggregate { by, aggregates } => {
                let groups = by.iter().map(|(name, _)| name.clone());
                names = groups.chain(aggregates.iter().map(|aggregate| aggregate.name.clone())).collect();
            }
            Operator::Extend { name, .. } => names.push(name.clone()),
            _ => {}
        }
    }
    names
}

fn unknown_in(condition: &Expr, known: &[&str]) -> Option<Name> {
    fields_of(condition).into_iter().find(|name| !known.contains(&&**name))
}

fn missing(unknown: &str, columns: &[&str]) -> CompileError {
    let near = plan::nearest(unknown, columns.iter().copied());
    let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    CompileError::Condition(format!(
        "the query returns no column \"{unknown}\"; its columns are {}{near}",
        columns.join(", ")
    ))
}
