//! Conditions and columns of plans: parsing, substituting, finding what groups and values are.

use crate::compile::compiled_rule::{CompileError, FIRES};
use language::{ParseOptions, parse_insights};
use plan::{AggregateKind, Comparison, Expr, Name, Operator, Plan, visit_fields};
use std::sync::Arc;
use types::Value;

/// Reads the condition as the language reads a filter; several conditions joined by `and` are one.
pub(crate) fn parse_condition(text: &str, options: &ParseOptions) -> Result<Expr, CompileError> {
    let plan = parse_insights(&format!("filter {text}"), options)
        .map_err(|errors| CompileError::Condition(errors.to_string()))?;
    let mut all = Vec::new();
    for operator in plan.operators() {
        match operator {
            Operator::Filter(expr) => all.push(expr.clone()),
            Operator::Project { .. } => {}
            _ => return Err(CompileError::Condition("must be one expression, without further commands".into())),
        }
    }
    let join = |left: Expr, right: Expr| Expr::And(Box::new(left), Box::new(right));
    Ok(all.into_iter().reduce(join).unwrap_or_else(truth))
}

pub(crate) fn truth() -> Expr {
    Expr::Literal(Some(Value::Boolean(true)))
}

pub(crate) fn at_least_one() -> Expr {
    let zero = Expr::Literal(Some(Value::Integer(0)));
    Expr::Compare(Comparison::Greater, Box::new(Expr::Field("count".into())), Box::new(zero))
}

pub(crate) fn is_field(expr: &Expr, name: &Name) -> bool {
    matches!(expr, Expr::Field(field) if field == name)
}

type Aggregation = (Vec<(Name, Expr)>, Vec<(Name, AggregateKind)>, Vec<Operator>);

/// Returns group columns and aggregates of the last aggregation, and the operators before the first one.
pub(crate) fn last_aggregation(plan: &Plan) -> Aggregation {
    let (mut by_last, mut kinds) = (Vec::new(), Vec::new());
    let mut before: Option<Vec<Operator>> = None;
    for (at, operator) in plan.operators().iter().enumerate() {
        if let Operator::Aggregate { by, aggregates } = operator {
            if before.is_none() {
                let only_events = |operator: &&Operator| !matches!(operator, Operator::Sort(_));
                before = Some(plan.operators()[..at].iter().filter(only_events).cloned().collect());
                by_last.clone_from(by);
            } else {
                // Events can be found for groups of events, not for groups of groups.
                by_last.retain(|(name, _)| by.iter().any(|(outer, _)| outer == name));
            }
            kinds = aggregates.iter().map(|aggregate| (aggregate.name.clone(), aggregate.kind)).collect();
        }
    }
    (by_last, kinds, before.unwrap_or_default())
}

/// Returns the column that the condition names first, else the first aggregate.
pub(crate) fn value_column(
    condition: &Expr,
    columns: &[(Name, Expr)],
    aggregates: &[(Name, AggregateKind)],
) -> Option<usize> {
    let mentioned = fields_of(condition);
    let position = |name: &Name| columns.iter().position(|(column, _)| column == name);
    let of_condition = mentioned.iter().find_map(position);
    let is_aggregate = |(_, expr): &(Name, Expr)| aggregates.iter().any(|(name, _)| is_field(expr, name));
    of_condition.or_else(|| columns.iter().position(is_aggregate))
}

/// Puts the condition in as a column, last.
pub(crate) fn add_fires(plan: &mut Plan, condition: Expr) {
    let name: Name = Arc::from(FIRES);
    plan.edit(|operators| {
        if let Some(Operator::Project { columns, .. }) = operators.last_mut() {
            columns.push((name.clone(), Expr::Field(name.clone())));
            let at = operators.len() - 1;
            operators.insert(at, Operator::Extend { name, expr: condition });
        }
    });
}

/// Returns names of fields in an expression, in order.
pub(crate) fn fields_of(expr: &Expr) -> Vec<Name> {
    let mut names = Vec::new();
    visit_fields(expr, &mut |name| names.push(name.clone()));
    names
}

/// Replaces the shown columns that a condition names by what they are computed from.
pub(crate) fn substitute(condition: Expr, columns: &[(Name, Expr)]) -> Expr {
    map_fields(condition, &mut |name| {
        let column = columns.iter().find(|(shown, _)| *shown == name);
        column.map_or(Expr::Field(name), |(_, expr)| expr.clone())
    })
}

/// Replaces every field of an expression. The depth is that of the language, which is bounded.
pub(crate) fn map_fields(mut expr: Expr, replace: &mut dyn FnMut(Name) -> Expr) -> Expr {
    if let Expr::Field(name) = expr {
        return replace(name);
    }
    for part in expr.parts_mut() {
        *part = map_fields(std::mem::replace(part, Expr::Literal(None)), replace);
    }
    expr
}
