//! Searches of metrics: `{AWS/EC2,InstanceId} MetricName="CPUUtilization" web OR (db NOT test)`.
//!
//! A word matches a namespace, a name, or the name or value of a dimension if its parts occur there one after another:
//! `count` matches `RequestCount2`. In quotes it must be the whole. Source: Amazon CloudWatch, "Search expression syntax".

use ingest::datum::MetricName;
use types::ensure;

use super::math::MathProblem;

/// Deepest nesting of a search.
const DEPTH_MAX: usize = 32;

/// A search.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MetricSearch {
    /// Namespace and the names of all dimensions.
    schema: Option<(String, Vec<String>)>,
    condition: Condition,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// A property, if one is named, and a text.
    Term(Option<String>, Term),
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    text: String,
    is_exact: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Equal,
    Word(Term),
}

impl MetricSearch {
    /// Reads a search.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, MathProblem> {
        let text = text.trim();
        let (schema, rest) = match text.strip_prefix('{') {
            None => (None, text),
            Some(inner) => {
                let end = inner
                    .find('}')
                    .ok_or_else(|| MathProblem("the schema of SEARCH does not end with }".to_owned()))?;
                let mut names = inner[..end].split(',').map(|name| name.trim().trim_matches('"').to_owned());
                let namespace = names.next().unwrap_or_default();
                let mut dimensions: Vec<String> = names.filter(|name| !name.is_empty()).collect();
                dimensions.sort();
                (Some((namespace, dimensions)), &inner[end + 1..])
            }
        };
        let tokens = tokens(rest)?;
        let mut reader = Reader { tokens: &tokens, depth: 0 };
        let condition = reader.any()?;
        match reader.tokens {
            [] if schema.is_none() && condition == Condition::All(Vec::new()) => {
                Err(MathProblem("SEARCH needs a schema or words to search for".to_owned()))
            }
            [] => Ok(Self { schema, condition }),
            _ => Err(MathProblem("a parenthesis of SEARCH is closed that was not opened".to_owned())),
        }
    }

    /// Returns the namespace that all found metrics have, if the search says it.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.schema.as_ref().map(|(namespace, _)| namespace.as_str())
    }

    /// Reports whether a metric is meant.
    pub(super) fn is_match(&self, metric: &MetricName) -> bool {
        let is_of_schema = self.schema.as_ref().is_none_or(|(namespace, dimensions)| {
            *namespace == metric.namespace && dimensions.iter().eq(metric.dimensions.keys())
        });
        is_of_schema && self.condition.is_match(metric)
    }
}

impl Condition {
    fn is_match(&self, metric: &MetricName) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.is_match(metric)),
            Self::Any(parts) => parts.iter().any(|part| part.is_match(metric)),
            Self::Not(part) => !part.is_match(metric),
            Self::Term(None, term) => {
                let of_dimensions = metric.dimensions.iter().flat_map(|(name, value)| [name, value]);
                [&metric.namespace, &metric.name].into_iter().chain(of_dimensions).any(|text| term.is_match(text))
            }
            Self::Term(Some(property), term) => match &*property.to_ascii_lowercase() {
                "metricname" => term.is_match(&metric.name),
                "namespace" => term.is_match(&metric.namespace),
                _ => metric.dimensions.get(property).is_some_and(|value| term.is_match(value)),
            },
        }
    }
}

impl Term {
    fn is_match(&self, text: &str) -> bool {
        if self.is_exact {
            return self.text == text;
        }
        let (own, of_text) = (parts(&self.text), parts(text));
        !own.is_empty() && of_text.windows(own.len()).any(|window| window == own)
    }
}

/// Returns the parts of a text in lower case: they end at other characters than letters and digits, between letters and digits,
/// and before an upper-case letter after a lower-case one or before one: `CPUUtilization2` is `cpu`, `utilization`, `2`.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut last: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() {
            let is_new = last.is_none_or(|last| {
                let ends_word = last.is_lowercase() || characters.peek().is_some_and(|next| next.is_lowercase());
                last.is_numeric() != character.is_numeric() || character.is_uppercase() && ends_word
            });
            if is_new {
                parts.push(String::new());
            }
            parts.last_mut().into_iter().for_each(|part| part.extend(character.to_lowercase()));
            last = Some(character);
        } else {
            last = None;
        }
    }
    parts
}

fn tokens(text: &str) -> Result<Vec<Token>, MathProblem> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let n_bytes = match first {
            '(' | ')' | '=' => {
                tokens.push(match first {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Equal,
                });
                1
            }
            '"' => {
                let end =
                    rest[1..].find('"').ok_or_else(|| MathProblem("a quote of SEARCH does not end".to_owned()))?;
                tokens.push(Token::Word(Term { text: rest[1..=end].to_owned(), is_exact: true }));
                end + 2
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | '"');
                let end = rest.find(is_end).unwrap_or(rest.len());
                tokens.push(Token::Word(Term { text: rest[..end].to_owned(), is_exact: false }));
                end
            }
        };
        rest = rest[n_bytes..].trim_start();
    }
    Ok(tokens)
}

struct Reader<'t> {
    tokens: &'t [Token],
    depth: usize,
}

impl Reader<'_> {
    fn take_word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.tokens.first(), Some(Token::Word(Term { text, is_exact: false })) if text == word);
        self.tokens = &self.tokens[usize::from(is_it)..];
        is_it
    }

    fn any(&mut self) -> Result<Condition, MathProblem> {
        self.depth += 1;
        ensure!(self.depth <= DEPTH_MAX, MathProblem(format!("the search is nested more than {DEPTH_MAX} deep")));
        let mut parts = vec![self.all()?];
        while self.take_word("OR") {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self) -> Result<Condition, MathProblem> {
        let mut parts = Vec::new();
        loop {
            self.take_word("AND");
            let is_negated = self.take_word("NOT");
            let part = match self.tokens {
                [Token::Word(Term { text, is_exact: false }), ..] if text == "OR" && !is_negated => break,
                [Token::Open, rest @ ..] => {
                    self.tokens = rest;
                    let inner = self.any()?;
                    self.close()?;
                    inner
                }
                [Token::Word(property), Token::Equal, Token::Open, rest @ ..] => {
                    self.tokens = rest;
                    self.values(&property.text)?
                }
                [Token::Word(property), Token::Equal, Token::Word(term), rest @ ..] => {
                    self.tokens = rest;
                    Condition::Term(Some(property.text.clone()), term.clone())
                }
                [Token::Word(term), rest @ ..] => {
                    self.tokens = rest;
                    Condition::Term(None, term.clone())
                }
                [] | [Token::Close, ..] if !is_negated => break,
                _ => return Err(MathProblem("a word is expected in SEARCH".to_owned())),
            };
            parts.push(if is_negated { Condition::Not(Box::new(part)) } else { part });
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    /// Reads the values of a property, of which any may match.
    fn values(&mut self, property: &str) -> Result<Condition, MathProblem> {
        let mut values = Vec::new();
        while let [Token::Word(term), rest @ ..] = self.tokens {
            self.tokens = rest;
            if term.is_exact || term.text != "OR" {
                values.push(Condition::Term(Some(property.to_owned()), term.clone()));
            }
        }
        self.close()?;
        Ok(Condition::Any(values))
    }

    fn close(&mut self) -> Result<(), MathProblem> {
        match self.tokens {
            [Token::Close, rest @ ..] => {
                self.tokens = rest;
                Ok(())
            }
            _ => Err(MathProblem("a parenthesis of SEARCH is not closed".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
