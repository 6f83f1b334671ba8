//! The tree of a query as JSON, in the form in which Prometheus' `parse_query` answers it.
//!
//! What Prometheus leaves out of its tree (places in the text, comments) is left out here too.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::Query;
use crate::function::{Function, Kind};
use crate::histogram::plain;
use crate::labels::METRIC_NAME;
use crate::matcher::{MatchKind, Matcher};
use crate::syntax::{At, Expr, Length, Many, Matching, Node, Operator, Selector, Shift};

impl Query {
    /// Returns the tree of the query.
    pub fn tree(&self) -> Value {
        node(&self.node)
    }
}

fn node(of: &Node) -> Value {
    match &of.expr {
        Expr::Computed(inner, durations) => {
            let mut tree = node(inner);
            for (length, duration) in durations {
                tree[match length {
                    Length::Range => "rangeExpr",
                    Length::Step => "stepExpr",
                    Length::Offset => "offsetExpr",
                }] = duration_tree(duration);
            }
            tree
        }
        Expr::Number(number) => json!({"type": "numberLiteral", "val": plain(*number)}),
        Expr::Text(text) => json!({"type": "stringLiteral", "val": &**text}),
        Expr::Paren(inner) => json!({"type": "parenExpr", "expr": node(inner)}),
        Expr::Negate(inner) => json!({"type": "unaryExpr", "op": "-", "expr": node(inner)}),
        Expr::Selector(of) => selector("vectorSelector", of),
        Expr::Matrix(of, range) => {
            let mut tree = selector("matrixSelector", of);
            tree["range"] = json!(range);
            tree
        }
        Expr::Subquery { inner, range, step, shift } => with_shift(
            json!({"type": "subquery", "expr": node(inner), "range": range, "step": step.unwrap_or(0)}),
            *shift,
        ),
        Expr::Call(function, args) => {
            json!({"type": "call", "func": signature(function), "args": args.iter().map(node).collect::<Vec<_>>()})
        }
        Expr::Aggregate { aggregation, param, inner, grouping } => json!({
            "type": "aggregation",
            "op": aggregation.text(),
            "expr": node(inner),
            "param": param.as_ref().map(|param| node(param)),
            "grouping": names(&grouping.labels),
            "without": grouping.without,
        }),
        Expr::Binary { operator, left, right, matching, return_bool } => json!({
            "type": "binaryExpr",
            "op": operator.text(),
            "lhs": node(left),
            "rhs": node(right),
            "matching": matching_of(*operator, (left, right), matching),
            "bool": return_bool,
        }),
    }
}

/// Returns the tree of a computed duration.
fn duration_tree(of: &Node) -> Value {
    let tree = |op: &str, sides: [Option<&Node>; 2]| {
        let [lhs, rhs] = sides.map(|side| side.map(duration_tree));
        json!({"type": "durationExpr", "op": op, "lhs": lhs, "rhs": rhs, "wrapped": false})
    };
    match &of.expr {
        Expr::Paren(inner) => {
            let mut inner = duration_tree(inner);
            if inner["type"] == "numberLiteral" {
                inner = json!({"type": "durationExpr", "op": "+", "lhs": null, "rhs": inner});
            }
            inner["wrapped"] = json!(true);
            inner
        }
        Expr::Negate(inner) => tree("-", [None, Some(inner)]),
        Expr::Binary { operator, left, right, .. } => tree(operator.text(), [Some(left), Some(right)]),
        Expr::Call(function, args) => tree(function.name, [args.first(), args.get(1)]),
        _ => node(of),
    }
}

fn selector(kind: &str, of: &Selector) -> Value {
    let name =
        of.matchers.iter().find(|matcher| *matcher.name == *METRIC_NAME && matches!(matcher.kind, MatchKind::Equal));
    let matcher =
        |matcher: &Matcher| json!({"name": &*matcher.name, "type": matcher.operator(), "value": &*matcher.value});
    let tree = json!({
        "type": kind,
        "name": name.map_or("", |name| &*name.value),
        "matchers": of.matchers.iter().map(matcher).collect::<Vec<_>>(),
    });
    with_shift(tree, of.shift)
}

fn with_shift(mut tree: Value, shift: Shift) -> Value {
    let (time, edge) = match shift.at {
        Some(At::Time(time)) => (Some(time), None),
        Some(At::Start) => (None, Some("start")),
        Some(At::End) => (None, Some("end")),
        None => (None, None),
    };
    if let Some((modifier, _)) = shift.edges.modifier() {
        tree[modifier] = json!(true);
    }
    tree["offset"] = json!(shift.offset);
    tree["timestamp"] = json!(time);
    tree["startOrEnd"] = json!(edge);
    tree
}

fn signature(function: &Function) -> Value {
    let variadic = if function.most == usize::MAX { -1 } else { (function.most - function.least) as i64 };
    json!({
        "name": function.name,
        "argTypes": function.args.iter().map(|kind| kind.text()).collect::<Vec<_>>(),
        "variadic": variadic,
        "returnType": function.returns.text(),
    })
}

/// Returns how the series of two vectors are matched; null where one side is none.
fn matching_of(operator: Operator, (left, right): (&Node, &Node), matching: &Matching) -> Value {
    if left.kind() != Kind::Vector || right.kind() != Kind::Vector {
        return Value::Null;
    }
    let card = match matching.many {
        _ if operator.is_set() => "many-to-many",
        Many::None => "one-to-one",
        Many::Left => "many-to-one",
        Many::Right => "one-to-many",
    };
    let mut tree = json!({
        "card": card,
        "labels": names(&matching.labels),
        "on": matching.on,
        "include": names(&matching.include),
    });
    if matching.is_filled() {
        tree["fillValues"] = json!({"lhs": matching.fill_left, "rhs": matching.fill_right});
    }
    tree
}

fn names(labels: &[Arc<str>]) -> Vec<&str> {
    labels.iter().map(|label| &**label).collect()
}

#[cfg(test)]
mod tests;
