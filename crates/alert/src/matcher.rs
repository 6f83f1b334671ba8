//! Conditions on labels, as routes and silences have them: `severity="page"`, `service!="web"`, `host=~'web-.*'`.
//!
//! A label that is not there counts as an empty one, and an expression has to match the whole value: an Alertmanager user
//! knows both.

use crate::labels::Labels;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Longest value of a condition, and the most memory that its expression may take when compiled.
const VALUE_BYTES_MAX: usize = 1_024;
const REGEX_BYTES_MAX: usize = 256 << 10;

/// A condition as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatcherText {
    /// The label.
    pub name: String,
    /// What it has to be.
    pub value: String,
    /// Whether the value is a regular expression.
    #[serde(default)]
    pub is_regex: bool,
    /// Whether it has to be so, or must not.
    #[serde(default = "truth")]
    pub is_equal: bool,
}

fn truth() -> bool {
    true
}

/// A condition, checked.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    pub(crate) text: MatcherText,
    regex: Option<Regex>,
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Matcher {}

impl Matcher {
    /// Checks a condition.
    pub(crate) fn new(text: MatcherText) -> Result<Self, String> {
        if text.name.is_empty() || text.name.len() > VALUE_BYTES_MAX || text.value.len() > VALUE_BYTES_MAX {
            return Err(format!("a matcher needs a name, and a value of at most {VALUE_BYTES_MAX} bytes"));
        }
        let compiled = text.is_regex.then(|| {
            let rewritten = goregex::rewritten(&text.value).ok()?;
            RegexBuilder::new(&format!("^(?:{rewritten})$")).size_limit(REGEX_BYTES_MAX).build().ok()
        });
        let wrong = || format!("\"{}\" is not a regular expression", text.value);
        let regex = compiled.map(|regex| regex.ok_or_else(wrong)).transpose()?;
        Ok(Self { text, regex })
    }

    /// Reads `name="value"`, with `=`, `!=`, `=~` or `!~`, and quotes of either kind or none.
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        let bad = || format!("\"{written}\" is not a condition; write severity=\"page\" or severity=~'page|error'");
        let at = written.find(['=', '!']).ok_or_else(bad)?;
        let (name, rest) = written.split_at(at);
        let operators = [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];
        let found = operators.into_iter().find_map(|(sign, is_regex, is_equal)| {
            rest.strip_prefix(sign).map(|value| (value.trim(), is_regex, is_equal))
        });
        let (value, is_regex, is_equal) = found.ok_or_else(bad)?;
        let unquoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        let value = unquoted.unwrap_or(value).to_string();
        Self::new(MatcherText { name: name.trim().to_string(), value, is_regex, is_equal })
    }

    /// Reports whether labels fulfil it.
    pub(crate) fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.text.name).map_or("", String::as_str);
        let is_so = self.regex.as_ref().map_or_else(|| value == self.text.value, |regex| regex.is_match(value));
        is_so == self.text.is_equal
    }
}

#[cfg(test)]
mod tests;
