//! Conditions on one label.

use std::sync::Arc;

use regex::Regex;

use crate::go_regex::rewritten;

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
    compile(text, |text| format!("^(?s:{text})$"))
}

/// Compiles a regular expression as Go does, for which a brace that repeats nothing stands for itself.
pub(crate) fn compile(text: &str, wrap: impl Fn(&str) -> String) -> Result<Regex, String> {
    let rewritten = rewritten(text);
    Regex::new(&wrap(&rewritten)).or_else(|error| {
        Regex::new(&wrap(&literal_braces(&rewritten))).map_err(|_| {
            let reason = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            format!("invalid regular expression {text:?}: {reason}")
        })
    })
}

/// Escapes opening braces that do not begin a repetition.
fn literal_braces(text: &str) -> String {
    let (mut out, mut escaped) = (String::with_capacity(text.len()), false);
    for (at, c) in text.char_indices() {
        let repeats = || {
            let counts = text[at + 1..].split_once('}').map_or("", |(counts, _)| counts);
            let (least, most) = counts.split_once(',').unwrap_or((counts, ""));
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            !least.is_empty() && digits(least) && digits(most)
        };
        // After `\p` a brace names a class.
        if c == '{' && !escaped && !text[..at].ends_with("\\p") && !text[..at].ends_with("\\P") && !repeats() {
            out.push('\\');
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}
