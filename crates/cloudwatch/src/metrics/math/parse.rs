//! Reads expressions of metric math: `SUM(METRICS("e")) / m1 * 100`, `IF(m1 > 5 AND m2, 1, 0)`, `[m1, m2]`.

use super::MathProblem;
use crate::metrics::cursor::Cursor;
use types::ensure;

/// Deepest nesting of an expression, and most parts.
const DEPTH_MAX: usize = 64;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::metrics) enum Expression {
    Number(f64),
    Text(String),
    /// The id of another query, or a word such as `REPEAT`.
    Word(String),
    List(Vec<Expression>),
    Negated(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::metrics) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// Operators as they are written, by how tightly they bind, from loose to tight; longer ones before those they begin with.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("OR", Operator::Or), ("||", Operator::Or)],
    &[("AND", Operator::And), ("&&", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub(in crate::metrics) fn read(text: &str) -> Result<Self, MathProblem> {
        let mut reader = Cursor::new(text);
        let expression = reader.binary(0)?;
        if !reader.rest().is_empty() { Err(reader.problem("the expression should end here")) } else { Ok(expression) }
    }

    /// Reports whether it calls a function, whose name is in upper case.
    pub(in crate::metrics) fn calls(&self, function: &str) -> bool {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Word(_) => false,
            Self::List(items) => items.iter().any(|item| item.calls(function)),
            Self::Negated(inner) => inner.calls(function),
            Self::Binary(_, left, right) => left.calls(function) || right.calls(function),
            Self::Call(name, items) => {
                name.eq_ignore_ascii_case(function) || items.iter().any(|item| item.calls(function))
            }
        }
    }
}

impl Cursor<'_> {
    fn binary(&mut self, level: usize) -> Result<Expression, MathProblem> {
        let Some(operators) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(symbol, _)| self.take(symbol)) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Expression, MathProblem> {
        self.depth += 1;
        ensure!(self.depth <= DEPTH_MAX, self.problem(format!("the expression is nested more than {DEPTH_MAX} deep")));
        let expression = if self.take("-") {
            Expression::Negated(Box::new(self.power()?))
        } else {
            let base = self.primary()?;
            if self.take("^") {
                Expression::Binary(Operator::Power, Box::new(base), Box::new(self.power()?))
            } else {
                base
            }
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn primary(&mut self) -> Result<Expression, MathProblem> {
        match self.rest().chars().next() {
            Some('(') => {
                self.at += 1;
                let inner = self.binary(0)?;
                self.need(")")?;
                Ok(inner)
            }
            Some('[') => {
                self.at += 1;
                Ok(Expression::List(self.items("]")?))
            }
            Some(quote @ ('"' | '\'')) => Ok(Expression::Text(self.quoted(quote)?.to_owned())),
            Some(first) if first.is_ascii_digit() || first == '.' => self.number(),
            Some(first) if first.is_ascii_alphabetic() => {
                let rest = self.rest();
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                let word = rest[..end].to_owned();
                self.at += end;
                if self.take("(") { Ok(Expression::Call(word, self.items(")")?)) } else { Ok(Expression::Word(word)) }
            }
            _ => Err(self.problem("a number, an id, a function, a list or \"(\" is expected")),
        }
    }

    fn items(&mut self, end: &str) -> Result<Vec<Expression>, MathProblem> {
        let mut items = Vec::new();
        if self.take(end) {
            return Ok(items);
        }
        loop {
            items.push(self.binary(0)?);
            if self.take(end) {
                return Ok(items);
            }
            self.need(",")?;
        }
    }

    fn number(&mut self) -> Result<Expression, MathProblem> {
        let rest = self.rest();
        let mut end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if rest[end..].starts_with(['e', 'E']) {
            let exponent = &rest[end + 1..];
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let n_digits = exponent[sign..].bytes().take_while(u8::is_ascii_digit).count();
            end += if n_digits > 0 { 1 + sign + n_digits } else { 0 };
        }
        let number = rest[..end].parse().map_err(|_| self.problem(format!("{:?} is not a number", &rest[..end])))?;
        self.at += end;
        Ok(Expression::Number(number))
    }
}

#[cfg(test)]
mod tests;
