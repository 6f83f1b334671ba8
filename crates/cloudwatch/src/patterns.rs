//! Plans of filter patterns, and conditions on the stream of an event.

use plan::{Expr, Operator, Plan};
use types::Value;

use super::answer::{CloudWatchProblem, Result};
use door::Problem;

/// The columns of an event in a page: message, time of arrival, stream, time.
const COLUMNS: [&str; 4] = ["@message", "@ingestionTime", "@logStream", "@timestamp"];

/// Returns the plan of a filter pattern, with the columns of an event in a page.
pub(super) fn plan_of(pattern: &str) -> Result<Plan> {
    let mut plan = language::parse_filter_pattern(pattern).map_err(|errors| bad_pattern(errors.into()))?;
    let columns = COLUMNS.map(|name| (name.into(), Expr::Field(name.into()))).to_vec();
    plan.edit(|operators| {
        operators.pop();
        operators.push(Operator::Project { columns, is_events: true });
    });
    Ok(plan)
}

/// Returns the plan of a filter pattern, with the columns that selectors name.
pub(super) fn showing(pattern: &str, selectors: &[&str]) -> Result<Plan> {
    language::parse_filter_pattern_showing(pattern, selectors).map_err(|errors| bad_pattern(errors.into()))
}

/// Returns the error for a filter pattern that cannot be parsed, with its position.
pub(super) fn bad_pattern(problem: Problem) -> CloudWatchProblem {
    let place = problem.places.first().map(|place| format!(" at line {}, column {}", place.line, place.column));
    let message = format!("Invalid filter pattern: {}{}", problem.sentence(), place.unwrap_or_default());
    CloudWatchProblem::parameter(message)
}

/// Returns the condition that an event belongs to one of several streams.
pub(super) fn is_one_of(names: &[&str]) -> Expr {
    let names = names.iter().map(|name| Expr::Literal(Some(Value::text(*name)))).collect();
    Expr::In(Box::new(Expr::Field("@logStream".into())), names)
}

/// Returns the condition that the name of an event's stream begins with one of several prefixes.
pub(super) fn starts_with_any(prefixes: &[&str]) -> Expr {
    let starts_with = |prefix: &&str| {
        let arguments = vec![Expr::Field("@logStream".into()), Expr::Literal(Some(Value::text(*prefix)))];
        Expr::Call(plan::function::Function::StartsWith, arguments)
    };
    let either = |one: Expr, other: Expr| Expr::Or(Box::new(one), Box::new(other));
    prefixes.iter().map(starts_with).reduce(either).unwrap_or(Expr::Literal(Some(Value::Boolean(false))))
}
