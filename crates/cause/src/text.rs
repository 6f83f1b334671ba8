//! Conditions on events, and the query that selects their events.

use plan::{Comparison, Expr, Function, Operator, Plan, insights_text};
use types::Value;

/// Returns the condition that a field has a value, or none.
pub(crate) fn equal(field: &str, value: Option<Value>) -> Expr {
    let name = Expr::Field(field.into());
    match value {
        Some(value) => Expr::Compare(Comparison::Equal, Box::new(name), Box::new(Expr::Literal(Some(value)))),
        None => Expr::Not(Box::new(is_present(field))),
    }
}

/// Returns the condition that a field has any value.
pub(crate) fn is_present(field: &str) -> Expr {
    Expr::Call(Function::IsPresent, vec![Expr::Field(field.into())])
}

/// Returns the condition that a field is a number on one side of another.
pub(crate) fn compare(field: &str, comparison: Comparison, number: f64) -> Expr {
    let is_whole = number.fract() == 0.0 && number.abs() < 9.0e15;
    let value = if is_whole { Value::Integer(number as i64) } else { Value::Float(number) };
    Expr::Compare(comparison, Box::new(Expr::Field(field.into())), Box::new(Expr::Literal(Some(value))))
}

/// Returns the operators at the head of a plan that choose events one by one.
pub(crate) fn conditions_of(plan: &Plan) -> Vec<Operator> {
    let is_row_wise = |operator: &&Operator| {
        matches!(operator, Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) | Operator::Lookup(_))
    };
    plan.operators().iter().take_while(is_row_wise).cloned().collect()
}

/// Returns the query for the events of a plan for which a condition holds; none where the language has no words for it.
pub(crate) fn query(plan: &Plan, condition: &Expr) -> Option<String> {
    insights_text::events_text(&plan.sources, &conditions_of(plan), std::slice::from_ref(condition))
}

/// Returns the query for the events of a plan; none where the language has no words for it.
pub(crate) fn query_of(plan: &Plan) -> Option<String> {
    insights_text::events_text(&plan.sources, &conditions_of(plan), &[])
}
