//! Queries inside a plan.

use crate::plan::{AppendColumns, Expr, Join, Lookup, Operator, Other, Plan};

/// Reports whether a plan has subqueries, which must be answered before it runs.
pub fn has_subqueries(plan: &Plan) -> bool {
    plan.operators().iter().any(|operator| match operator {
        Operator::Filter(expr) | Operator::Extend { expr, .. } => holds_query(expr),
        Operator::Aggregate { by, aggregates } => {
            by.iter().any(|(_, expr)| holds_query(expr))
                || aggregates.iter().filter_map(|aggregate| aggregate.argument.as_ref()).any(holds_query)
        }
        Operator::Sort(keys) => keys.iter().any(|key| holds_query(&key.expr)),
        Operator::Parse(parse) => holds_query(&parse.text),
        Operator::Unnest { list, .. } => holds_query(list),
        Operator::Lookup(Lookup { table: other, .. })
        | Operator::Join(Join { other, .. })
        | Operator::AppendColumns(AppendColumns { other, .. }) => !matches!(other, Other::Rows(_)),
        Operator::Patterns(patterns) => holds_query(&patterns.text),
        _ => false,
    })
}

fn holds_query(expr: &Expr) -> bool {
    match expr {
        Expr::InQuery(..) => true,
        Expr::Literal(_) | Expr::Duration(_) | Expr::Regex(_) | Expr::Template(_) | Expr::Field(_) => false,
        Expr::Negate(inner) | Expr::Not(inner) | Expr::Match(inner, _) => holds_query(inner),
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => {
            holds_query(a) || holds_query(b)
        }
        Expr::In(item, list) => holds_query(item) || list.iter().any(holds_query),
        Expr::Between(item, low, high) => [item, low, high].into_iter().any(|part| holds_query(part)),
        Expr::Call(_, arguments) => arguments.iter().any(holds_query),
    }
}
