//! What happened around an event: plans for its neighbours on either side, and for itself.
//!
//! Neighbours are in the order of time; equal times go by group and acceptance, as `@id` does. What a query says of
//! order and number does not count here: the side that is asked for decides both.

use plan::{Comparison, Expr, Name, Operator, Plan, SortKey};
use types::{EventId, Value, ensure};

use crate::scan::steps::{defines, is_row_wise};

/// A side of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Events before it, nearest first.
    Before,
    /// Events after it, nearest first.
    After,
}

/// The event whose neighbours are wanted, and of which stream they are to be; of any where it is none.
#[derive(Clone, Debug)]
pub struct ContextAnchor {
    /// The event.
    pub id: EventId,
    /// The stream.
    pub stream: Option<Name>,
}

/// Why a query cannot say which neighbours of an event are shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// It does more than to choose events and to compute fields of each.
    #[error("neighbours of an event are chosen by filters alone, not by `{0}`")]
    Operator(String),
    /// It gives another meaning to what neighbours are ordered by.
    #[error("neighbours of an event are ordered by its own `{0}`, which the query computes anew")]
    Redefined(&'static str),
}

/// Returns the plan for the `most` nearest events on one side, as far as the filters of `plan` let them through, with
/// its columns.
pub fn context_plan(plan: &Plan, around: &ContextAnchor, side: Side, most: u64) -> Result<Plan, ContextError> {
    let (lead, last) = row_wise(plan)?;
    let mut operators = vec![Operator::Filter(beyond(around.id, side))];
    if let Some(stream) = &around.stream {
        operators.push(Operator::Filter(equal("@logStream", stream)));
    }
    operators.extend(lead);
    // Without a sort the newest come first, which are the nearest ones before.
    if side == Side::After {
        let key = |name: &str| SortKey { expr: Expr::Field(name.into()), descending: false };
        operators.push(Operator::Sort(vec![key("@timestamp"), key("@id")]));
    }
    operators.push(Operator::Limit(most));
    operators.push(last);
    Ok(plan.with_operators(operators))
}

/// Returns the plan for the event itself with the columns of `plan`, whether its filters let it through or not.
pub fn event_plan(plan: &Plan, id: EventId) -> Result<Plan, ContextError> {
    let (lead, last) = row_wise(plan)?;
    let mut operators = vec![Operator::Filter(equal("@id", &id.encode()))];
    operators.extend(lead.into_iter().filter(|operator| !matches!(operator, Operator::Filter(_))));
    operators.push(last);
    Ok(plan.with_operators(operators))
}

/// Returns what a query does with each event by itself, and the columns that it shows.
fn row_wise(plan: &Plan) -> Result<(Vec<Operator>, Operator), ContextError> {
    let Some((last @ Operator::Project { is_events: true, .. }, operators)) = plan.operators().split_last() else {
        let other = plan.operators().iter().find(|operator| !is_row_wise(operator));
        return Err(ContextError::Operator(other.map_or_else(String::new, ToString::to_string)));
    };
    let ordered = |operator: &&Operator| {
        matches!(operator, Operator::Sort(_) | Operator::Limit(_) | Operator::Tail(_) | Operator::Project { .. })
    };
    let lead: Vec<Operator> = operators.iter().filter(|operator| !ordered(operator)).cloned().collect();
    if let Some(other) = lead.iter().find(|operator| !is_row_wise(operator)) {
        return Err(ContextError::Operator(other.to_string()));
    }
    for name in ["@timestamp", "@id"] {
        ensure!(!lead.iter().any(|operator| defines(operator, name)), ContextError::Redefined(name));
    }
    Ok((lead, last.clone()))
}

fn equal(field: &str, text: &str) -> Expr {
    compare(Comparison::Equal, field, Value::text(text))
}

fn compare(comparison: Comparison, field: &str, value: Value) -> Expr {
    Expr::Compare(comparison, Box::new(Expr::Field(field.into())), Box::new(Expr::Literal(Some(value))))
}

/// On this side of the event: at another time, or at the same and accepted before or after it.
pub fn beyond(id: EventId, side: Side) -> Expr {
    let comparison = if side == Side::Before { Comparison::Less } else { Comparison::Greater };
    let by_time = compare(comparison, "@timestamp", Value::Timestamp(id.timestamp));
    let at_once = compare(Comparison::Equal, "@timestamp", Value::Timestamp(id.timestamp));
    let by_id = compare(comparison, "@id", Value::text(id.encode()));
    Expr::Or(Box::new(by_time), Box::new(Expr::And(Box::new(at_once), Box::new(by_id))))
}

#[cfg(test)]
mod tests;
