//! Rules over rules: `"errors" and not "deploy running"`, by whether each of them fires.

use std::iter::Peekable;
use std::str::CharIndices;

/// Deepest nesting of brackets and `not`.
const NESTING_MAX: usize = 50;

/// A condition over rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The rule of this name, at this column, fires.
    Fires(String, usize),
    /// It does not hold.
    Not(Box<Condition>),
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
}

impl Default for Condition {
    /// Returns what never holds.
    fn default() -> Self {
        Self::Any(Vec::new())
    }
}

/// A word with its column from 1.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    text: String,
    is_quoted: bool,
    column: usize,
}

impl Condition {
    /// Parses `"a" and (b or not c)`; names with blanks are quoted.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let end = text.chars().count() + 1;
        let mut reader = Reader { tokens: &tokens, at: 0, end };
        let when = reader.any(0)?;
        reader.peek().map_or(Ok(when), |token| Err(format!("unexpected {} at 1:{}", token.text, token.column)))
    }

    /// Names of rules, with their columns.
    pub(crate) fn names<'w>(&'w self, found: &mut Vec<(&'w str, usize)>) {
        match self {
            Self::Fires(name, column) => found.push((name, *column)),
            Self::Not(inner) => inner.names(found),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.names(found)),
        }
    }

    pub(crate) fn holds(&self, fires: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Fires(name, _) => fires(name),
            Self::Not(inner) => !inner.holds(fires),
            Self::All(parts) => parts.iter().all(|part| part.holds(fires)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(fires)),
        }
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    end: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| !token.is_quoted && token.text.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn any(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.all(depth)?];
        while self.takes("or") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.one(depth)?];
        while self.takes("and") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition, String> {
        let column = self.peek().map_or(self.end, |token| token.column);
        types::ensure!(depth <= NESTING_MAX, format!("nested more than {NESTING_MAX} deep at 1:{column}"));
        if self.takes("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes("(") {
            let inner = self.any(depth + 1)?;
            let column = self.peek().map_or(self.end, |token| token.column);
            return if self.takes(")") { Ok(inner) } else { Err(format!("`)` is missing at 1:{column}")) };
        }
        let is_name = |token: &&Token| {
            token.is_quoted || !["and", "or", ")"].iter().any(|word| token.text.eq_ignore_ascii_case(word))
        };
        let token =
            self.peek().filter(is_name).ok_or_else(|| format!("the name of a rule is missing at 1:{column}"))?;
        self.at += 1;
        Ok(Condition::Fires(token.text.clone(), column))
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let column = text[..at].chars().count() + 1;
        let (word, is_quoted) = match letter {
            letter if letter.is_whitespace() => continue,
            '(' | ')' => (letter.to_string(), false),
            '"' | '\'' => {
                let rest = &text[at + 1..];
                let length = rest.find(letter).ok_or_else(|| format!("the quote at 1:{column} does not end"))?;
                skip_to(&mut letters, at + 1 + length + 1);
                (rest[..length].to_owned(), true)
            }
            _ => {
                let rest = &text[at..];
                let length = rest.find(|c: char| c.is_whitespace() || "()\"'".contains(c)).unwrap_or(rest.len());
                skip_to(&mut letters, at + length);
                (rest[..length].to_owned(), false)
            }
        };
        tokens.push(Token { text: word, is_quoted, column });
    }
    Ok(tokens)
}

fn skip_to(letters: &mut Peekable<CharIndices<'_>>, end: usize) {
    while letters.next_if(|(at, _)| *at < end).is_some() {}
}
