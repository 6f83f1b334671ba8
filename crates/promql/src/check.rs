//! Checks types and the rest of what the grammar cannot say, and finds the places of syntax errors.

use crate::error::ParseError;
use crate::function::Kind;
use crate::labels::METRIC_NAME;
use crate::lexer::{Token, Word};
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
        Expr::Subquery { inner, .. } => {
            check(inner)?;
            expect(inner, Kind::Vector, "subquery")
        }
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
                expect(arg, kind, &format!("call to function {:?}", function.name))?;
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
            Expr::Binary { matching, .. } if matching.fill_left.is_some() || matching.fill_right.is_some() => {
                "modifier \"fill\"".to_owned()
            }
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

fn expect(node: &Node, kind: Kind, place: &str) -> Result<(), ParseError> {
    if node.kind() == kind {
        return Ok(());
    }
    let message = format!("expected type {} in {place}, got {}", kind.noun(), node.kind().noun());
    Err(ParseError::new(node.span.clone(), message))
}

/// Refuses a sign before what is neither a scalar nor an instant vector.
pub(crate) fn expect_signed(node: &Node) -> Result<(), ParseError> {
    expect_either(node, "unary expression only allowed on expressions of type scalar or instant vector")
}

fn expect_either(node: &Node, message: &str) -> Result<(), ParseError> {
    match node.kind() {
        Kind::Scalar | Kind::Vector => Ok(()),
        other => Err(ParseError::new(node.span.clone(), format!("{message}, got {}", other.noun()))),
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
    expect_either(left, "binary expression must contain only scalar and instant vector types")?;
    expect_either(right, "binary expression must contain only scalar and instant vector types")?;
    let scalars = [left, right].iter().filter(|side| side.kind() == Kind::Scalar).count();
    let modified = matching.on || !matching.labels.is_empty() || matching.many != Many::None;
    let filled = matching.fill_left.is_some() || matching.fill_right.is_some();
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
    if scalars > 0 && (modified || filled) {
        return fail("vector matching only allowed between instant vectors".to_owned());
    }
    if matching.on
        && let Some(name) = matching.include.iter().find(|name| matching.labels.contains(name))
    {
        return fail(format!("label {name:?} must not occur in ON and GROUP clause at once"));
    }
    Ok(())
}

/// Refuses brackets that are not closed, or that close nothing.
pub(crate) fn check_brackets(text: &str, words: &[Token]) -> Result<(), ParseError> {
    let word = |token: &Token| &text[token.span.clone()];
    if words.is_empty() {
        return Err(ParseError::new(0..text.len(), "no expression found in input"));
    }
    let mut open: Vec<&Token> = Vec::new();
    for token in words.iter().filter(|token| token.word == Word::Sign) {
        match word(token) {
            "(" | "[" | "{" => open.push(token),
            close @ (")" | "]" | "}") => {
                let wanted = open.pop().map(word);
                if !matches!((wanted, close), (Some("("), ")") | (Some("["), "]") | (Some("{"), "}")) {
                    let message = format!("unexpected {close:?}, which closes nothing");
                    return Err(ParseError::new(token.span.clone(), message));
                }
            }
            _ => {}
        }
    }
    match open.last() {
        Some(token) => Err(ParseError::new(token.span.clone(), format!("{:?} is not closed", word(token)))),
        None => Ok(()),
    }
}

/// Finds the place of what `promql-parser` refuses: it says what, never where.
pub(crate) fn syntax_error(text: &str, words: &[Token], message: &str) -> ParseError {
    let word = |token: &Token| &text[token.span.clone()];
    if let Some(found) = adjacent(text, words) {
        return found;
    }
    // A message that quotes a word of the query is about that word.
    let quoted = words.iter().find(|token| token.word == Word::Name && message.contains(&format!("'{}'", word(token))));
    let span = quoted.map_or(0..text.len(), |token| token.span.clone());
    let what = if message.contains("invalid promql query") { "the words do not form an expression" } else { message };
    ParseError::new(span, what.to_owned())
}

/// Finds an operand without an operator before it, and an operator without an operand.
fn adjacent(text: &str, words: &[Token]) -> Option<ParseError> {
    let word = |token: &Token| &text[token.span.clone()];
    let mut braces = 0_usize;
    for pair in words.windows(2) {
        match word(&pair[0]) {
            "{" => braces += 1,
            "}" => braces = braces.saturating_sub(1),
            _ => {}
        }
        let value = |token: &Token| !matches!(token.word, Word::Sign | Word::Name);
        let closes = matches!(word(&pair[0]), ")" | "}" | "]") && pair[0].word == Word::Sign;
        if braces == 0 && closes && value(&pair[1]) {
            let message = format!("unexpected {:?}, expected an operator", word(&pair[1]));
            return Some(ParseError::new(pair[1].span.clone(), message));
        }
        if braces == 0 && value(&pair[0]) && (value(&pair[1]) || word(&pair[1]) == "(") {
            let message = format!("unexpected {:?}, expected an operator", word(&pair[1]));
            return Some(ParseError::new(pair[1].span.clone(), message));
        }
        let operator =
            |token: &Token| matches!(word(token), "*" | "/" | "%" | "^" | "==" | "!=" | ">" | "<" | ">=" | "<=");
        if braces == 0 && matches!(word(&pair[0]), "+" | "-" | "*" | "/" | "%" | "^" | "(") && operator(&pair[1]) {
            let message = format!("unexpected {:?}, expected an operand", word(&pair[1]));
            return Some(ParseError::new(pair[1].span.clone(), message));
        }
    }
    let last = words.last().filter(|token| token.word == Word::Sign && !matches!(word(token), ")" | "]" | "}"))?;
    Some(ParseError::new(last.span.end..text.len(), format!("unexpected end of input after {:?}", word(last))))
}
