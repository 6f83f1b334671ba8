//! Orders of operators that answer the same and cost less.
//!
//! Only sorts move: towards the end, past what does not change the order of rows, so that conditions written after a
//! sort are applied while scanning; and a sort before an aggregation that takes rows in any order goes.

use std::sync::Arc;

use plan::{Operator, Plan, SortKey, has_subqueries, settle, visit_fields};
use types::{Run, ensure};

use crate::request::error::{ExecuteError, Result};
use crate::scan::steps::{defines, is_row_wise};

/// Returns the operators as they are run over these runs: simplified, without what no run needs.
pub(crate) fn simplify_over(operators: &[Operator], runs: &[Arc<dyn Run>]) -> Vec<Operator> {
    match settle(operators, runs) {
        Some(settled) => simplify(Plan::new(settled).operators()),
        None => simplify(operators),
    }
}

/// Returns the row-wise operators at the head of a plan without subqueries, simplified for these runs.
pub(crate) fn row_wise_lead(plan: &Plan, runs: &[Arc<dyn Run>]) -> Result<Vec<Operator>> {
    ensure!(!has_subqueries(plan), ExecuteError::Subquery);
    Ok(simplify_over(plan.operators(), runs).into_iter().take_while(is_row_wise).collect())
}

/// Returns the operators, simplified.
pub(crate) fn simplify(operators: &[Operator]) -> Vec<Operator> {
    let mut done: Vec<Operator> = Vec::with_capacity(operators.len());
    // A sort that is still on its way towards the end.
    let mut sort: Option<Vec<SortKey>> = None;
    for operator in operators {
        match (operator, sort.take()) {
            (Operator::Sort(keys), earlier) => {
                // Ties of the later sort keep the order of the earlier one.
                sort = Some(keys.iter().cloned().chain(earlier.into_iter().flatten()).collect());
            }
            (_, None) => done.push(operator.clone()),
            (Operator::Filter(_), keys) => {
                done.push(operator.clone());
                sort = keys;
            }
            (Operator::Extend { .. } | Operator::Parse(_), Some(keys)) if !changes_keys(operator, &keys) => {
                done.push(operator.clone());
                sort = Some(keys);
            }
            (Operator::Aggregate { aggregates, .. }, Some(_))
                if !aggregates.iter().any(|aggregate| aggregate.kind.depends_on_order())
                    && (done.iter().all(is_row_wise)
                        || !aggregates.iter().any(|aggregate| aggregate.kind.needs_places())) =>
            {
                done.push(operator.clone());
            }
            // What is counted and which text is the newest does not depend on the order of events.
            (Operator::Patterns(_), Some(_)) if done.iter().all(is_row_wise) => done.push(operator.clone()),
            (_, Some(keys)) => {
                done.push(Operator::Sort(keys));
                done.push(operator.clone());
            }
        }
    }
    done.extend(sort.map(Operator::Sort));
    done
}

fn changes_keys(operator: &Operator, keys: &[SortKey]) -> bool {
    let mut changes = false;
    for key in keys {
        visit_fields(&key.expr, &mut |field| changes |= defines(operator, field));
    }
    changes
}

/// Returns the row-wise operators at the head of a plan.
pub(crate) fn leading(plan: &Plan) -> Vec<Operator> {
    simplify(plan.operators()).into_iter().take_while(is_row_wise).collect()
}
