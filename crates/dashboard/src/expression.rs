//! Arithmetic over the results of a panel's queries: `a / b * 100`.

use crate::fill::is_name;

/// Deepest nesting of an expression.
const DEPTH_MAX: usize = 32;

/// Operators by how tightly they bind, from loose to tight.
const LEVELS: [[(char, Operator); 2]; 2] =
    [[('+', Operator::Plus), ('-', Operator::Minus)], [('*', Operator::Times), ('/', Operator::Over)]];

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
        let expression = reader.pairs(0, 0)?;
        match reader.next() {
            None => Ok(expression),
            Some(other) => Err(reader.wrong(&format!("{other:?} is not expected"))),
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

    /// Reads values with the operators of a level between them.
    fn pairs(&mut self, level: usize, depth: usize) -> Result<Expression, String> {
        let Some(operators) = LEVELS.get(level) else { return self.operand(depth) };
        let mut left = self.pairs(level + 1, depth)?;
        while let Some(next) = self.next()
            && let Some((_, operator)) = operators.iter().find(|(sign, _)| *sign == next)
        {
            self.at += 1;
            left = Expression::Pair(Box::new(left), *operator, Box::new(self.pairs(level + 1, depth)?));
        }
        Ok(left)
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, String> {
        let next = self.next();
        if depth > DEPTH_MAX {
            return Err(self.wrong("the nesting is too deep"));
        }
        match next {
            Some('(') => {
                self.at += 1;
                let inner = self.pairs(0, depth + 1)?;
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
