//! Checks of a tree that was read: types, numbers of arguments, matchers, vector matching.

use crate::error::ParseError;
use crate::function::Kind;
use crate::labels::METRIC_NAME;
use crate::syntax::{Aggregation, Expr, Many, Matching, Node, Operator, Selector, Span};

/// Checks a tree from the leaves up.
pub(crate) fn check(node: &Node) -> Result<(), ParseError> {
    match &node.expr {
        Expr::Number(_) | Expr::Text(_) => Ok(()),
        Expr::Selector(selector) | Expr::Matrix(selector, _) => check_selector(selector, &node.span),
        Expr::Paren(inner) => check(inner),
        Expr::Negate(inner) => {
            check(inner)?;
            expect_signed(inner)
        }
        // The reader checks the type of a subquery's operand: otherwise `a[1m:][1m:]…` could nest without limit.
        Expr::Subquery { inner, .. } | Expr::Computed(inner, _) => check(inner),
        Expr::Call(function, args) => {
            if args.len() < function.least || args.len() > function.most {
                let wanted = match (function.least, function.most) {
                    (least, usize::MAX) => format!("at least {least}"),
                    (least, most) if least == most => format!("{least}"),
                    (least, most) => format!("{least} to {most}"),
                };
                let message =
                    format!("expected {wanted} argument(s) in call to {:?}, got {}", function.name, args.len());
                return Err(ParseError::new(node.span.clone(), message));
            }
            for (at, arg) in args.iter().enumerate() {
                check_argument(function.name, at, arg)?;
                let kind = function.args.get(at).or(function.args.last()).copied().unwrap_or(Kind::Scalar);
                if arg.kind() != kind {
                    let (name, start) = (function.name, node.span.start);
                    let (wanted, got) = (kind.text(), arg.kind().text());
                    let message = format!("expected type {wanted} in call to function '{name}', got {got}");
                    return Err(ParseError::new(start..start + name.len(), message));
                }
            }
            Ok(())
        }
        Expr::Aggregate { aggregation, param, inner, .. } => {
            check(inner)?;
            expect(inner, Kind::Vector, "aggregation expression")?;
            let Some(param) = param else { return Ok(()) };
            check(param)?;
            let kind = if *aggregation == Aggregation::CountValues { Kind::Text } else { Kind::Scalar };
            expect(param, kind, "aggregation parameter")
        }
        Expr::Binary { operator, left, right, matching, return_bool } => {
            check(left)?;
            check(right)?;
            check_binary(node, *operator, (left, right), matching, *return_bool)
        }
    }
}

/// Refuses what Prometheus calls experimental.
pub(crate) fn check_experimental(node: &Node) -> Result<(), ParseError> {
    let mut refused = None;
    node.walk(&mut |node| {
        let name = match &node.expr {
            Expr::Call(function, _) if function.experimental => format!("function {:?}", function.name),
            Expr::Aggregate { aggregation: one @ (Aggregation::Limitk | Aggregation::LimitRatio), .. } => {
                format!("aggregation {:?}", one.text())
            }
            Expr::Binary { matching, .. } if matching.is_filled() => "modifier \"fill\"".to_owned(),
            _ => return,
        };
        let message = format!("{name} is experimental and not enabled");
        refused.get_or_insert_with(|| ParseError::new(node.span.clone(), message));
    });
    refused.map_or(Ok(()), Err)
}

/// The second argument of `info` is no query of its own: it may match the empty value, but must be bare braces.
fn check_argument(function: &str, at: usize, arg: &Node) -> Result<(), ParseError> {
    if (function, at) != ("info", 1) {
        return check(arg);
    }
    match &arg.expr {
        Expr::Selector(selector) if selector.shift == crate::syntax::Shift::default() => Ok(()),
        _ => Err(ParseError::new(arg.span.clone(), "expected label selectors only, such as {version=~\".+\"}")),
    }
}

fn check_selector(selector: &Selector, span: &Span) -> Result<(), ParseError> {
    if selector.matchers.iter().all(|matcher| matcher.accepts("")) {
        let message = "vector selector must contain at least one non-empty matcher";
        return Err(ParseError::new(span.clone(), message));
    }
    let named = selector.matchers.first().is_some_and(|m| *m.name == *METRIC_NAME);
    if named
        && selector.matchers.iter().skip(1).any(|m| *m.name == *METRIC_NAME && m.value == selector.matchers[0].value)
    {
        return Err(ParseError::new(span.clone(), "metric name must not be set twice"));
    }
    Ok(())
}

pub(crate) fn expect(node: &Node, kind: Kind, place: &str) -> Result<(), ParseError> {
    if node.kind() == kind {
        return Ok(());
    }
    let message = format!("expected type {} in {place}, got {}", kind.noun(), node.kind().noun());
    Err(ParseError::new(node.span.clone(), message))
}

/// Refuses a sign before what is neither a scalar nor an instant vector.
pub(crate) fn expect_signed(node: &Node) -> Result<(), ParseError> {
    match node.kind() {
        Kind::Scalar | Kind::Vector => Ok(()),
        other => {
            let message = "unary expression only allowed on expressions of type scalar or instant vector";
            Err(ParseError::new(node.span.clone(), format!("{message}, got {}", other.noun())))
        }
    }
}

fn check_binary(
    node: &Node,
    operator: Operator,
    (left, right): (&Node, &Node),
    matching: &Matching,
    return_bool: bool,
) -> Result<(), ParseError> {
    let fail = |message: String| Err(ParseError::new(node.span.clone(), message));
    if let Some(side) = [left, right].iter().find(|side| matches!(side.kind(), Kind::Text | Kind::Matrix)) {
        let message = "binary expression must contain only scalar and instant vector types";
        return Err(ParseError::new(side.span.clone(), message));
    }
    let scalars = [left, right].iter().filter(|side| side.kind() == Kind::Scalar).count();
    let filled = matching.is_filled();
    if return_bool && !operator.is_comparison() {
        return fail("bool modifier can only be used on comparison operators".to_owned());
    }
    if operator.is_comparison() && !return_bool && scalars == 2 {
        return fail("comparisons between scalars must use BOOL modifier".to_owned());
    }
    if operator.is_trim() && scalars == 2 {
        return fail(format!("operator {:?} not allowed between scalars", operator.text()));
    }
    if operator.is_set() && scalars > 0 {
        return fail(format!("set operator {:?} not allowed in binary scalar expression", operator.text()));
    }
    if operator.is_set() && matching.many != Many::None {
        return fail(format!("no grouping allowed for {:?} operation", operator.text()));
    }
    if operator.is_set() && filled {
        return fail(format!("filling in missing series not allowed for set operator {:?}", operator.text()));
    }
    if scalars > 0 && !matching.is_plain() {
        return fail("vector matching only allowed between instant vectors".to_owned());
    }
    if matching.on
        && let Some(name) = matching.include.iter().find(|name| matching.labels.contains(name))
    {
        return fail(format!("label {name:?} must not occur in ON and GROUP clause at once"));
    }
    Ok(())
}
