//! Arithmetic over the results of a panel's queries, `a / b * 100`: read to be checked. The page computes it.

use crate::fill::is_name;

/// Deepest nesting of an expression.
const DEPTH_MAX: usize = 32;

/// Operators by how tightly they bind, from loose to tight.
const LEVELS: [[char; 2]; 2] = [['+', '-'], ['*', '/']];

/// Returns the ids of the queries that an expression names.
///
/// # Errors
///
/// What is wrong, with the character at which it is.
pub(crate) fn ids(text: &str) -> Result<Vec<&str>, String> {
    let mut reader = Reader { text, at: 0, ids: Vec::new() };
    reader.pairs(0, 0)?;
    match reader.next() {
        None => Ok(reader.ids),
        Some(other) => Err(reader.wrong(&format!("{other:?} is not expected"))),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    ids: Vec<&'a str>,
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
    fn pairs(&mut self, level: usize, depth: usize) -> Result<(), String> {
        let Some(operators) = LEVELS.get(level) else { return self.operand(depth) };
        self.pairs(level + 1, depth)?;
        while self.next().is_some_and(|next| operators.contains(&next)) {
            self.at += 1;
            self.pairs(level + 1, depth)?;
        }
        Ok(())
    }

    fn operand(&mut self, depth: usize) -> Result<(), String> {
        let next = self.next();
        types::ensure!(depth <= DEPTH_MAX, self.wrong("the nesting is too deep"));
        match next {
            Some('(') => {
                self.at += 1;
                self.pairs(0, depth + 1)?;
                types::ensure!(self.next() == Some(')'), self.wrong("a closing parenthesis is missing"));
                self.at += 1;
                Ok(())
            }
            Some('-') => {
                self.at += 1;
                self.operand(depth + 1)
            }
            Some(_) => self.word(),
            None => Err(self.wrong("a query's id or a number is missing")),
        }
    }

    fn word(&mut self) -> Result<(), String> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        let word = &rest[..length];
        if is_name(word) {
            self.ids.push(word);
        } else if !word.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(self.wrong("a query's id or a number is missing"));
        }
        self.at += length;
        Ok(())
    }
}
