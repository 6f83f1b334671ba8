//! Queries inside a plan.

use crate::plan::{AppendColumns, Expr, Join, Lookup, Operator, Other, Plan};

/// Reports whether a plan has subqueries, which must be answered before it runs.
pub fn has_subqueries(plan: &Plan) -> bool {
    let asks = |operator: &Operator| match operator {
        Operator::Lookup(Lookup { table: other, .. })
        | Operator::Join(Join { other, .. })
        | Operator::AppendColumns(AppendColumns { other, .. }) => !matches!(other, Other::Rows(_)),
        _ => false,
    };
    plan.operators().iter().any(|operator| asks(operator) || operator.expressions().into_iter().any(holds_query))
}

fn holds_query(expr: &Expr) -> bool {
    matches!(expr, Expr::InQuery(..)) || expr.parts().any(holds_query)
}
