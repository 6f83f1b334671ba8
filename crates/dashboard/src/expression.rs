//! Arithmetic over the results of a panel's queries: `a / b * 100`.

use crate::fill::is_name;

/// Deepest nesting of an expression.
const DEPTH_MAX: usize = 32;

/// An expression that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// The value of a query, by its id.
    Query(String),
    /// Minus a value.
    Minus(Box<Self>),
    /// Two values and the operator between them.
    Pair(Box<Self>, Operator, Box<Self>),
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// What is wrong, with the character at which it is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, at: 0 };
        let expression = reader.sum(0)?;
        match reader.next() {
            None => Ok(expression),
            Some(other) => Err(reader.wrong(&format!("{other:?} is not expected"))),
        }
    }

    /// Returns the value, of the values that the queries have; none where one of them is missing.
    pub fn value(&self, of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Query(id) => of(id),
            Self::Minus(value) => Some(-value.value(of)?),
            Self::Pair(left, operator, right) => {
                let (left, right) = (left.value(of)?, right.value(of)?);
                let value = match operator {
                    Operator::Plus => left + right,
                    Operator::Minus => left - right,
                    Operator::Times => left * right,
                    Operator::Over => left / right,
                };
                // Nothing divided by nothing is nothing that could be drawn.
                value.is_finite().then_some(value)
            }
        }
    }

    /// Returns the ids of the queries that it names.
    pub fn ids(&self) -> Vec<&str> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Query(id) => vec![id],
            Self::Minus(value) => value.ids(),
            Self::Pair(left, _, right) => [left.ids(), right.ids()].concat(),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn wrong(&self, what: &str) -> String {
        format!("{what} at character {}", self.text[..self.at].chars().count() + 1)
    }

    fn sum(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.product(depth)?;
        loop {
            let operator = match self.next() {
                Some('+') => Operator::Plus,
                Some('-') => Operator::Minus,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Pair(Box::new(left), operator, Box::new(self.product(depth)?));
        }
    }

    fn product(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.operand(depth)?;
        loop {
            let operator = match self.next() {
                Some('*') => Operator::Times,
                Some('/') => Operator::Over,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Pair(Box::new(left), operator, Box::new(self.operand(depth)?));
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, String> {
        let next = self.next();
        if depth > DEPTH_MAX {
            return Err(self.wrong("the nesting is too deep"));
        }
        match next {
            Some('(') => {
                self.at += 1;
                let inner = self.sum(depth + 1)?;
                if self.next() != Some(')') {
                    return Err(self.wrong("a closing parenthesis is missing"));
                }
                self.at += 1;
                Ok(inner)
            }
            Some('-') => {
                self.at += 1;
                Ok(Expression::Minus(Box::new(self.operand(depth + 1)?)))
            }
            Some(_) => self.word(),
            None => Err(self.wrong("a query's id or a number is missing")),
        }
    }

    fn word(&mut self) -> Result<Expression, String> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        let word = &rest[..length];
        let expression = if is_name(word) {
            Expression::Query(word.to_owned())
        } else {
            let number = word.parse::<f64>().ok().filter(|number| number.is_finite());
            Expression::Number(number.ok_or_else(|| self.wrong("a query's id or a number is missing"))?)
        };
        self.at += length;
        Ok(expression)
    }
}
