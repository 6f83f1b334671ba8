//! Reads expressions into the syntax tree.

use pest::iterators::Pair;

use super::error::Result;
use super::grammar::{Rule, parts, span_of};
use super::read::{Reader, string};
use super::syntax::{Expression, Literal, Node, Unit};
use plan::{ArithmeticOperator, Comparison, Span};

impl Reader<'_> {
    /// Returns an expression that must be there.
    pub(super) fn expression_of(&mut self, pair: Option<Pair<'_, Rule>>, span: Span) -> Result<Expression> {
        match pair {
            Some(pair) => self.expression(pair),
            None => Err(self.error(span, "an expression is missing")),
        }
    }

    /// Returns an expression of any level.
    pub(super) fn expression(&mut self, pair: Pair<'_, Rule>) -> Result<Expression> {
        let span = span_of(&pair);
        match pair.as_rule() {
            Rule::expression => self.joined(pair, Node::Any),
            Rule::both => self.joined(pair, Node::All),
            Rule::negated => self.negated(pair),
            Rule::test => self.test(pair),
            Rule::value | Rule::product => self.arithmetic(pair),
            Rule::signed => self.signed(pair),
            Rule::cast => self.cast(pair),
            Rule::primary => self.primary(pair),
            _ => Err(self.error(span, "this is no expression")),
        }
    }

    fn joined(&mut self, pair: Pair<'_, Rule>, join: fn(Vec<Expression>) -> Node) -> Result<Expression> {
        let span = span_of(&pair);
        let mut found: Vec<Expression> = parts(pair).map(|part| self.expression(part)).collect::<Result<_, _>>()?;
        match found.pop() {
            Some(only) if found.is_empty() => Ok(only),
            last => {
                found.extend(last);
                Ok(Expression { node: join(found), span })
            }
        }
    }

    fn negated(&mut self, pair: Pair<'_, Rule>) -> Result<Expression> {
        let span = span_of(&pair);
        let mut is_negated = false;
        let mut found = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::not => is_negated = !is_negated,
                _ => found = Some(self.expression(part)?),
            }
        }
        let inner = found.ok_or_else(|| self.error(span, "a condition is missing"))?;
        Ok(if is_negated { Expression { node: Node::Not(Box::new(inner)), span } } else { inner })
    }

    fn test(&mut self, pair: Pair<'_, Rule>) -> Result<Expression> {
        let span = span_of(&pair);
        let mut inner = parts(pair);
        let value = self.expression_of(inner.next(), span)?;
        let Some(part) = inner.next() else { return Ok(value) };
        let (rule, value) = (part.as_rule(), Box::new(value));
        let mut details: Vec<Pair<'_, Rule>> = parts(part).collect();
        let is_negated = details.first().is_some_and(|first| first.as_rule() == Rule::not);
        if is_negated {
            details.remove(0);
        }
        let mut details = details.into_iter();
        let node = match rule {
            Rule::is_null => Node::IsNull(value, is_negated),
            Rule::like => {
                let is_regex = details.next().is_some_and(|word| word.as_rule() == Rule::rlike_word);
                let mut patterns = Vec::new();
                for detail in details {
                    let texts =
                        if detail.as_rule() == Rule::like_list { parts(detail).collect() } else { vec![detail] };
                    for text in texts {
                        patterns.push(self.text_of(Some(text), span)?.name);
                    }
                }
                Node::Like { text: value, patterns, is_regex, is_negated }
            }
            Rule::within => {
                let list = details.map(|detail| self.expression(detail)).collect::<Result<_, _>>()?;
                Node::In { value, list, is_negated }
            }
            Rule::comparison => {
                let sign =
                    details.next().map_or("=", |sign| sign.as_str().strip_suffix("==").map_or(sign.as_str(), |_| "="));
                let Some(comparison) = Comparison::named(sign) else {
                    return Err(self.error(span, "the operator [=~] is not supported; compare TO_LOWER of both"));
                };
                Node::Compare(comparison, value, Box::new(self.expression_of(details.next(), span)?))
            }
            _ => match details.next() {
                Some(parameter) if parameter.as_rule() == Rule::parameter => {
                    Node::Matches(value, self.parameter(&parameter)?)
                }
                Some(literal) => Node::Matches(value, self.literal(literal)?),
                None => return Err(self.error(span, "a value is missing")),
            },
        };
        Ok(Expression { node, span })
    }

    fn arithmetic(&mut self, pair: Pair<'_, Rule>) -> Result<Expression> {
        let span = span_of(&pair);
        let mut inner = parts(pair);
        let mut found = self.expression_of(inner.next(), span)?;
        while let Some(sign) = inner.next() {
            let operator = ArithmeticOperator::named(sign.as_str()).unwrap_or(ArithmeticOperator::Remainder);
            self.nest(1, span)?;
            let right = self.expression_of(inner.next(), span)?;
            let span = found.span.to(right.span);
            found = Expression { node: Node::Arithmetic(operator, Box::new(found), Box::new(right)), span };
        }
        Ok(found)
    }

    fn signed(&mut self, pair: Pair<'_, Rule>) -> Result<Expression> {
        let mut span = span_of(&pair);
        let mut signs = Vec::new();
        let mut found = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::sum_sign => signs.push((part.as_str() == "-", span_of(&part).start)),
                Rule::cast if matches!(signs.last(), Some((true, _))) && part.as_str() == "9223372036854775808" => {
                    // The least number has no positive counterpart.
                    signs.pop();
                    found = Some(Expression { node: Node::Literal(Literal::Whole(i64::MIN)), span });
                }
                _ => found = Some(self.expression(part)?),
            }
        }
        let mut found = found.ok_or_else(|| self.error(span, "a value is missing"))?;
        self.nest(signs.len(), span)?;
        for (is_minus, start) in signs.into_iter().rev().filter(|(is_minus, _)| *is_minus) {
            debug_assert!(is_minus, "others were left out");
            span.start = start;
            let node = match found.node {
                Node::Literal(Literal::Whole(number)) if number != i64::MIN => Node::Literal(Literal::Whole(-number)),
                Node::Literal(Literal::Decimal(number)) => Node::Literal(Literal::Decimal(-number)),
                node => Node::Negate(Box::new(Expression { node, span: found.span })),
            };
            found = Expression { node, span };
        }
        Ok(found)
    }

    fn cast(&mut self, pair: Pair<'_, Rule>) -> Result<Expression> {
        let span = span_of(&pair);
        let mut inner = parts(pair);
        let mut found = self.expression_of(inner.next(), span)?;
        for kind in inner {
            self.nest(1, span)?;
            let span = Span { start: found.span.start, end: span_of(&kind).end };
            found = Expression { node: Node::Cast(Box::new(found), kind.as_str().to_ascii_lowercase()), span };
        }
        Ok(found)
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Result<Expression> {
        let span = span_of(&pair);
        let Some(part) = parts(pair).next() else { return Err(self.error(span, "a value is missing")) };
        let node = match part.as_rule() {
            Rule::span => {
                let mut inner = parts(part);
                let number = inner.next().and_then(|whole| whole.as_str().parse().ok());
                let unit = inner.next().and_then(|unit| Unit::of(unit.as_str()));
                match (number, unit) {
                    (Some(number), Some(unit)) => Node::Duration(number, unit),
                    _ => return Err(self.error(span, "this length of time cannot be read")),
                }
            }
            Rule::literal => Node::Literal(self.literal(part)?),
            Rule::list => Node::Literal(self.list(part)?),
            Rule::parameter => Node::Literal(self.parameter(&part)?),
            Rule::name => Node::Name(self.named(part)?.name),
            Rule::call => self.call(part)?,
            // In brackets: the place is that of what is in them.
            _ => return self.expression(part),
        };
        Ok(Expression { node, span })
    }

    fn call(&mut self, pair: Pair<'_, Rule>) -> Result<Node> {
        let mut inner = parts(pair);
        let name = inner.next().map_or("", |name| name.as_str()).to_owned();
        let (mut arguments, mut has_star, mut options) = (Vec::new(), false, Vec::new());
        for part in inner {
            if part.as_rule() == Rule::star {
                has_star = true;
                continue;
            }
            for argument in parts(part) {
                if argument.as_rule() != Rule::map {
                    arguments.push(self.expression(argument)?);
                    continue;
                }
                for entry in parts(argument) {
                    let mut entry = parts(entry);
                    let (Some(key), Some(value)) = (entry.next(), entry.next()) else { continue };
                    options.push((string(key.as_str()), self.literal(value)?));
                }
            }
        }
        Ok(Node::Call { name, arguments, has_star, options })
    }

    fn list(&mut self, pair: Pair<'_, Rule>) -> Result<Literal> {
        let mut items = Vec::new();
        for element in parts(pair) {
            let (mut is_negative, span) = (false, span_of(&element));
            for part in parts(element) {
                match part.as_rule() {
                    Rule::sum_sign => is_negative = part.as_str() == "-",
                    _ => items.push(match (self.literal(part)?, is_negative) {
                        (Literal::Whole(number), true) => Literal::Whole(-number),
                        (Literal::Decimal(number), true) => Literal::Decimal(-number),
                        (Literal::Null, _) => return Err(self.error(span, "mismatched input 'null' in a list")),
                        (literal, _) => literal,
                    }),
                }
            }
        }
        Ok(Literal::List(items))
    }

    /// Returns a constant.
    pub(super) fn literal(&mut self, pair: Pair<'_, Rule>) -> Result<Literal> {
        let span = span_of(&pair);
        let Some(part) = parts(pair).next() else { return Ok(Literal::Null) };
        let written = part.as_str();
        let number = |this: &Self| written.parse::<f64>().map_err(|_| this.error(span, "this number cannot be read"));
        Ok(match part.as_rule() {
            Rule::string => Literal::Text(string(written)),
            Rule::decimal => Literal::Decimal(number(self)?),
            Rule::whole => match written.parse() {
                Ok(number) => Literal::Whole(number),
                Err(_) if written.parse::<u64>().is_ok() => {
                    return Err(self.error(span, format!("[{written}]: unsigned_long is not supported")));
                }
                Err(_) => Literal::Decimal(number(self)?),
            },
            Rule::truth => Literal::Boolean(written.eq_ignore_ascii_case("true")),
            _ => Literal::Null,
        })
    }
}
