//! Conditions on one label.

use std::sync::Arc;

use regex::Regex;

/// How a value is compared.
#[derive(Clone, Debug)]
pub enum MatchKind {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`; the expression is anchored at both ends.
    Matches(Regex),
    /// `!~`; the expression is anchored at both ends.
    NotMatches(Regex),
}

/// A condition on one label; a label that is not there has the empty value.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Name of the label.
    pub name: Arc<str>,
    /// How the value is compared.
    pub kind: MatchKind,
    /// The value, or the regular expression as written.
    pub value: Arc<str>,
}

impl Matcher {
    /// Creates a condition; `operator` is one of `=`, `!=`, `=~` and `!~`.
    ///
    /// Errors: the reason why a regular expression is not one, or that the operator is not one of the four.
    pub fn new(name: &str, operator: &str, value: &str) -> Result<Self, String> {
        let kind = match operator {
            "=" => MatchKind::Equal,
            "!=" => MatchKind::NotEqual,
            "=~" => MatchKind::Matches(anchored(value)?),
            "!~" => MatchKind::NotMatches(anchored(value)?),
            _ => return Err(format!("unknown operator {operator:?}; use one of = != =~ !~")),
        };
        Ok(Self { name: name.into(), kind, value: value.into() })
    }

    /// Returns the operator that the condition is written with.
    pub(crate) fn operator(&self) -> &'static str {
        match self.kind {
            MatchKind::Equal => "=",
            MatchKind::NotEqual => "!=",
            MatchKind::Matches(_) => "=~",
            MatchKind::NotMatches(_) => "!~",
        }
    }

    /// Reports whether the value is accepted.
    pub fn accepts(&self, value: &str) -> bool {
        match &self.kind {
            MatchKind::Equal => *self.value == *value,
            MatchKind::NotEqual => *self.value != *value,
            MatchKind::Matches(regex) => regex.is_match(value),
            MatchKind::NotMatches(regex) => !regex.is_match(value),
        }
    }
}

/// Compiles a regular expression that must match a whole value, `.` including line breaks.
pub(crate) fn anchored(text: &str) -> Result<Regex, String> {
    compiled(text, goregex::anchored(text))
}

/// Compiles a regular expression that may match anywhere.
pub(crate) fn unanchored(text: &str) -> Result<Regex, String> {
    compiled(text, goregex::rewritten(text))
}

fn compiled(text: &str, rewritten: Result<String, goregex::SyntaxError>) -> Result<Regex, String> {
    let wrong = |reason: &str| format!("invalid regular expression {text:?}: {reason}");
    let rewritten = rewritten.map_err(|error| wrong(&error.to_string()))?;
    Regex::new(&rewritten).map_err(|error| wrong(error.to_string().lines().last().unwrap_or_default().trim()))
}
