//! Operands and operators to an expression tree, by precedence and without recursion but for brackets.

use pest::iterators::Pair;
use types::Value;

use super::grammar::{NESTING_MAX, Rule};
use super::reader::Reader;
use super::syntax::{Binary, Command, Node, NodeKind};
use super::token;
use crate::grammar::span_of;
use plan::{ArithmeticOperator, Comparison, Result, Span};

/// Most levels of a tree. Brackets count, and operators of which one takes the result of the other.
// Execution recurses over the tree: 200 levels fit a thread's 2 MiB with room to spare.
const TREE_LEVELS_MAX: usize = 200;

/// An operator waiting for its right side.
#[derive(Clone, Copy)]
enum PendingOperator {
    Negate,
    Not,
    Binary(Binary),
    And,
    Or,
}

impl PendingOperator {
    /// Returns how tightly the operator binds.
    fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Not => 3,
            Self::Binary(Binary::Compare(_)) => COMPARISON_STRENGTH,
            Self::Binary(Binary::Arithmetic(operator)) => match operator {
                ArithmeticOperator::Add | ArithmeticOperator::Subtract => 5,
                ArithmeticOperator::Multiply | ArithmeticOperator::Divide | ArithmeticOperator::Remainder => 6,
                ArithmeticOperator::Power => 7,
            },
            Self::Negate => 8,
        }
    }

    /// Reports whether it must be applied before an operator of that strength comes.
    fn goes_before(self, next: u8) -> bool {
        let is_right = matches!(self, Self::Binary(Binary::Arithmetic(ArithmeticOperator::Power)));
        self.strength() > next || (self.strength() == next && !is_right)
    }
}

/// How deep queries may be inside one another.
const SUBQUERY_DEPTH_MAX: usize = 4;

/// Strength of comparisons, and of `like`, `in` and `between`.
const COMPARISON_STRENGTH: u8 = 4;

/// Reads the parts of `expr` or `bound`, `nesting` brackets deep.
pub(crate) fn read(reader: &Reader<'_>, pair: Pair<'_, Rule>, nesting: usize) -> Result<Node> {
    let span = span_of(&pair);
    if nesting > NESTING_MAX {
        let message = format!("brackets are nested more than {NESTING_MAX} deep here");
        return Err(reader.error("nested-too-deeply", message, span));
    }
    let mut tree = Tree { reader, operands: Vec::new(), waiting: Vec::new(), span };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::negate => tree.waiting.push((PendingOperator::Negate, span_of(&part))),
            Rule::not => tree.waiting.push((PendingOperator::Not, span_of(&part))),
            Rule::comparison | Rule::arithmetic | Rule::logical => tree.operator(&part)?,
            Rule::like | Rule::has | Rule::matches | Rule::matches_not | Rule::is_in | Rule::between => {
                tree.apply_before(COMPARISON_STRENGTH)?;
                let value = tree.pop()?;
                let node = test(reader, value, part, nesting)?;
                tree.push(node)?;
            }
            _ => {
                let node = operand(reader, part, nesting)?;
                tree.push(node)?;
            }
        }
    }
    tree.apply_before(0)?;
    tree.pop()
}

struct Tree<'r, 'a> {
    reader: &'r Reader<'a>,
    operands: Vec<Node>,
    waiting: Vec<(PendingOperator, Span)>,
    span: Span,
}

impl Tree<'_, '_> {
    fn push(&mut self, node: Node) -> Result<()> {
        if node.depth > TREE_LEVELS_MAX {
            let message = format!("this expression is more than {TREE_LEVELS_MAX} levels deep");
            return Err(self.reader.error("nested-too-deeply", message, node.span));
        }
        self.operands.push(node);
        Ok(())
    }

    fn pop(&mut self) -> Result<Node> {
        let missing = || self.reader.error("syntax", "an operand is missing here", self.span);
        self.operands.pop().ok_or_else(missing)
    }

    fn operator(&mut self, pair: &Pair<'_, Rule>) -> Result<()> {
        let operator = match &*pair.as_str().to_ascii_lowercase() {
            "and" => PendingOperator::And,
            "or" => PendingOperator::Or,
            "==" => PendingOperator::Binary(Binary::Compare(Comparison::Equal)),
            "<>" => PendingOperator::Binary(Binary::Compare(Comparison::NotEqual)),
            sign => {
                let compared = Comparison::named(sign).map(Binary::Compare);
                let binary = compared.or_else(|| ArithmeticOperator::named(sign).map(Binary::Arithmetic));
                let missing = || self.reader.error("syntax", "there is no operator here", span_of(pair));
                PendingOperator::Binary(binary.ok_or_else(missing)?)
            }
        };
        self.apply_before(operator.strength())?;
        self.waiting.push((operator, span_of(pair)));
        Ok(())
    }

    /// Applies the operators on the stack that bind at least as tightly as one of strength `next`.
    fn apply_before(&mut self, next: u8) -> Result<()> {
        while let Some((operator, span)) = self.waiting.last().copied() {
            if !operator.goes_before(next) {
                break;
            }
            self.waiting.pop();
            let right = self.pop()?;
            let node = match operator {
                PendingOperator::Negate => negated(right, span),
                PendingOperator::Not => unary(NodeKind::Not, right, span),
                PendingOperator::And => chain(self.pop()?, right, true),
                PendingOperator::Or => chain(self.pop()?, right, false),
                PendingOperator::Binary(binary) => {
                    let left = self.pop()?;
                    let (span, depth) = (left.span.to(right.span), left.depth.max(right.depth) + 1);
                    Node { kind: NodeKind::Binary(binary, Box::new(left), Box::new(right)), span, depth }
                }
            };
            self.push(node)?;
        }
        Ok(())
    }
}

fn unary(kind: fn(Box<Node>) -> NodeKind, operand: Node, sign: Span) -> Node {
    let (span, depth) = (sign.to(operand.span), operand.depth + 1);
    Node { kind: kind(Box::new(operand)), span, depth }
}

/// `-x`; a number is negated at once, so that the least of the whole numbers can be written.
fn negated(operand: Node, sign: Span) -> Node {
    let opposite = match &operand.kind {
        NodeKind::Literal(Some(Value::Integer(number))) => number.checked_neg().map(Value::Integer),
        NodeKind::Literal(Some(Value::Float(number))) => Some(Value::Float(-number)),
        NodeKind::Literal(Some(Value::String(digits)))
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && is_bare(&operand, digits) =>
        {
            Some(token::whole_number(&format!("-{digits}")))
        }
        _ => None,
    };
    match opposite {
        Some(value) => Node { kind: NodeKind::Literal(Some(value)), span: sign.to(operand.span), depth: 1 },
        None => unary(NodeKind::Negate, operand, sign),
    }
}

/// Reports whether digits were written without quotes: their place is then as long as they are.
fn is_bare(operand: &Node, digits: &str) -> bool {
    operand.span.end - operand.span.start == digits.len()
}

/// `left and right` or `left or right`, as one flat row with what `left` already is.
fn chain(left: Node, right: Node, is_and: bool) -> Node {
    let span = left.span.to(right.span);
    let mut nodes = match (left.kind, is_and) {
        (NodeKind::And(nodes), true) | (NodeKind::Or(nodes), false) => nodes,
        (kind, _) => vec![Node { kind, span: left.span, depth: left.depth }],
    };
    // The plan makes a balanced tree of the row.
    let n_levels = |n_nodes: usize| n_nodes.next_power_of_two().ilog2() as usize;
    let below = left.depth.saturating_sub(n_levels(nodes.len())).max(right.depth);
    nodes.push(right);
    let depth = below + n_levels(nodes.len());
    Node { kind: if is_and { NodeKind::And(nodes) } else { NodeKind::Or(nodes) }, span, depth }
}

/// `like`, `=~`, `!~`, `in`, `between`, applied to `value`.
fn test(reader: &Reader<'_>, value: Node, pair: Pair<'_, Rule>, nesting: usize) -> Result<Node> {
    let span = value.span.to(span_of(&pair));
    let rule = pair.as_rule();
    let mut negated = rule == Rule::matches_not;
    let (mut nodes, mut pattern) = (Vec::new(), None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_not => negated = true,
            Rule::subquery => {
                let depth = value.depth + 1;
                let kind = NodeKind::InQuery { value: Box::new(value), commands: subquery(reader, part)?, negated };
                return Ok(Node { kind, span, depth });
            }
            Rule::string | Rule::regex => pattern = Some(token::pattern(reader, &part)?),
            Rule::bound => nodes.push(read(reader, part, nesting)?),
            Rule::list | Rule::values => {
                for item in part.into_inner().filter(|item| item.as_rule() == Rule::expr) {
                    nodes.push(read(reader, item, nesting + 1)?);
                }
            }
            _ => {}
        }
    }
    let depth = nodes.iter().map(|node| node.depth).fold(value.depth, usize::max) + 1;
    let value = Box::new(value);
    let kind = match (rule, pattern) {
        (Rule::is_in, _) => NodeKind::In { value, items: nodes, negated },
        (Rule::between, _) => match <[Node; 2]>::try_from(nodes) {
            Ok([low, high]) => NodeKind::Between { value, bounds: Box::new((low, high)), negated },
            Err(_) => return Err(reader.error("syntax", "`between` needs two values", span)),
        },
        (_, Some(mut pattern)) => {
            pattern.is_phrase = rule == Rule::has;
            pattern.is_regex |= matches!(rule, Rule::matches | Rule::matches_not);
            NodeKind::Like { value, pattern, negated }
        }
        (_, None) => return Err(reader.error("syntax", "a pattern is missing here", span)),
    };
    Ok(Node { kind, span, depth })
}

/// Reads the commands of a query inside another.
pub(crate) fn subquery(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Vec<Command>> {
    if reader.n_around == SUBQUERY_DEPTH_MAX {
        let message = format!("subqueries are nested more than {SUBQUERY_DEPTH_MAX} deep here");
        return Err(reader.error("nested-too-deeply", message, span_of(&pair)));
    }
    let inside = Reader { n_around: reader.n_around + 1, ..*reader };
    let is_sign = |part: &Pair<'_, Rule>| matches!(part.as_rule(), Rule::open | Rule::close | Rule::pipe);
    pair.into_inner().filter(|part| !is_sign(part)).map(|command| inside.command(command)).collect()
}

/// Reads one operand, `nesting` brackets deep.
pub(crate) fn operand(reader: &Reader<'_>, pair: Pair<'_, Rule>, nesting: usize) -> Result<Node> {
    let span = span_of(&pair);
    let kind = match pair.as_rule() {
        Rule::paren => {
            let Some(inner) = pair.into_inner().find(|part| part.as_rule() == Rule::expr) else {
                return Err(reader.error("syntax", "an expression is missing here", span));
            };
            return Ok(Node { span, ..read(reader, inner, nesting + 1)? });
        }
        Rule::call => return call(reader, pair, nesting),
        Rule::number => NodeKind::Literal(Some(token::number(reader, &pair)?)),
        Rule::duration => NodeKind::Duration(pair.as_str().to_owned()),
        Rule::string => NodeKind::Literal(Some(Value::text(token::string(reader, &pair)?))),
        Rule::field => NodeKind::Field(token::name(&pair).text),
        Rule::literal => NodeKind::Literal(match &*pair.as_str().to_ascii_lowercase() {
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            _ => None,
        }),
        _ => return Err(reader.error("syntax", "there is no value here", span)),
    };
    Ok(Node { kind, span, depth: 1 })
}

fn call(reader: &Reader<'_>, pair: Pair<'_, Rule>, nesting: usize) -> Result<Node> {
    let span = span_of(&pair);
    let (mut name, mut arguments, mut has_star) = (None, Vec::new(), false);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::function => name = Some(token::name(&part)),
            Rule::star => has_star = true,
            Rule::expr => arguments.push(read(reader, part, nesting + 1)?),
            _ => {}
        }
    }
    let Some(name) = name else { return Err(reader.error("syntax", "a function name is missing here", span)) };
    let depth = arguments.iter().map(|node| node.depth).max().unwrap_or(0) + 1;
    Ok(Node { kind: NodeKind::Call { name, arguments, has_star }, span, depth })
}
