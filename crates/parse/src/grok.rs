//! Grok patterns and regular expressions with names: `%{IP:client} %{INT:status:int}`, `(?<user>\S+)`.
//!
//! The names of patterns are those that Logstash made usual; what they match is written here for logs as they are,
//! in ASCII classes, so that even the longest stays small when compiled. Everything compiles to one expression that is
//! matched in linear time, and whose size is bounded.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

/// Bytes of a compiled expression: a person's longest takes a tenth of it.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// Named patterns. One may speak of others, never of itself.
const PATTERNS: &[(&str, &str)] = &[
    ("WORD", r"[A-Za-z0-9_]+"),
    ("NOTSPACE", r"\S+"),
    ("SPACE", r"\s*"),
    ("DATA", r".*?"),
    ("GREEDYDATA", r".*"),
    ("INT", r"[+-]?[0-9]+"),
    ("NUMBER", r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"),
    ("BASE10NUM", r"%{NUMBER}"),
    ("BASE16NUM", r"(?:0[xX])?[0-9A-Fa-f]+"),
    ("POSINT", r"[1-9][0-9]*"),
    ("NONNEGINT", r"[0-9]+"),
    ("USERNAME", r"[A-Za-z0-9._-]+"),
    ("USER", r"%{USERNAME}"),
    ("EMAILADDRESS", r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@%{HOSTNAME}"),
    ("UUID", r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
    ("MAC", r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"),
    ("QUOTEDSTRING", r#"(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"#),
    ("QS", r"%{QUOTEDSTRING}"),
    ("IPV4", r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"),
    ("IPV6", r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:%{IPV4}|[0-9A-Fa-f]{0,4})(?:%[A-Za-z0-9]+)?"),
    ("IP", r"(?:%{IPV6}|%{IPV4})"),
    ("HOSTNAME", r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?"),
    ("HOST", r"%{HOSTNAME}"),
    ("IPORHOST", r"(?:%{IP}|%{HOSTNAME})"),
    ("HOSTPORT", r"%{IPORHOST}:%{POSINT}"),
    ("UNIXPATH", r"(?:/[^\s/]*)+"),
    ("PATH", r"(?:%{UNIXPATH}|[A-Za-z]:\\\S*)"),
    ("URIPROTO", r"[A-Za-z][A-Za-z0-9+.-]*"),
    ("URIHOST", r"%{IPORHOST}(?::%{POSINT})?"),
    ("URIPATH", r"/[^\s?#]*"),
    ("URIPARAM", r"\?[^\s#]*"),
    ("URIPATHPARAM", r"%{URIPATH}(?:%{URIPARAM})?"),
    ("URI", r"%{URIPROTO}://(?:%{USER}(?::[^@\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"),
    ("MONTH", r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"),
    ("MONTHNUM", r"(?:0?[1-9]|1[0-2])"),
    ("MONTHDAY", r"(?:3[01]|[12][0-9]|0?[1-9])"),
    ("DAY", r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"),
    ("YEAR", r"[0-9]{2}(?:[0-9]{2})?"),
    ("HOUR", r"(?:2[0-3]|[01]?[0-9])"),
    ("MINUTE", r"[0-5][0-9]"),
    ("SECOND", r"(?:[0-5]?[0-9]|60)(?:[.,:][0-9]+)?"),
    ("TIME", r"%{HOUR}:%{MINUTE}(?::%{SECOND})?"),
    ("ISO8601_TIMEZONE", r"(?:Z|[+-]%{HOUR}:?%{MINUTE})"),
    (
        "TIMESTAMP_ISO8601",
        r"[0-9]{4}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?",
    ),
    ("SYSLOGTIMESTAMP", r"%{MONTH} +%{MONTHDAY} %{TIME}"),
    ("HTTPDATE", r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} [+-][0-9]{4}"),
    ("DATE_US", r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"),
    ("DATE_EU", r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"),
    (
        "LOGLEVEL",
        r"(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|alert|emerg(?:ency)?)",
    ),
    ("PROG", r"[!-Z\\^-~]+"),
    ("SYSLOGPROG", r"%{PROG:program}(?:\[%{POSINT:pid}\])?"),
    (
        "COMMONAPACHELOG",
        r#"%{IPORHOST:clientip} %{NOTSPACE:ident} %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" (?:%{INT:response}|-) (?:%{INT:bytes}|-)"#,
    ),
    ("COMBINEDAPACHELOG", r"%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}"),
];

// The deepest of the table is seven; a bound, should somebody write a circle into it.
const NESTING_MAX: usize = 12;

// An access log needs 3 KiB.
const REGEX_TEXT_BYTES_MAX: usize = 64 << 10;

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrokError {
    /// No pattern has this name.
    #[error("there is no grok pattern `{0}`")]
    Unknown(String),
    /// A `%{` is left open.
    #[error("a `%{{` has no closing `}}`")]
    Open,
    /// A pattern that speaks of patterns that speak of patterns.
    #[error("this pattern is nested too deeply")]
    Nested,
    /// It would take too much memory.
    #[error("this pattern is too large")]
    TooLarge,
    /// It takes nothing out of a text.
    #[error("this pattern names nothing to take out, such as %{{IP:client}}")]
    NamesNothing,
    /// What it expands to is no regular expression.
    #[error("this regular expression is not valid: {0}")]
    Regex(String),
}

/// What a field is made of the text that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrokType {
    /// The text itself.
    Text,
    /// A whole number where it is one: `:int`.
    Integer,
    /// A number where it is one: `:float`.
    Float,
}

/// A field that a pattern gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrokField {
    /// Its name.
    pub name: Arc<str>,
    /// The group of the expression that holds it.
    pub group: usize,
    /// What it is made of the text.
    pub kind: GrokType,
}

/// A pattern, compiled.
#[derive(Clone, Debug)]
pub struct Grok {
    /// The expression.
    pub regex: Regex,
    /// The fields, in the order of their groups.
    pub fields: Vec<GrokField>,
}

impl Grok {
    /// Compiles a grok pattern; what is no `%{…}` in it is a regular expression, and may name groups.
    ///
    /// # Errors
    /// Where it is no pattern, too large, or names nothing.
    pub fn new(source: &str) -> Result<Self, GrokError> {
        let mut expansion = Expansion::default();
        expansion.expand(source, 0)?;
        let regex = RegexBuilder::new(&expansion.regex)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => GrokError::TooLarge,
                other => GrokError::Regex(other.to_string()),
            })?;
        let field_of = |(group, given): (usize, Option<&str>)| {
            let given = given?;
            let ours = given.strip_prefix(GROUP_PREFIX).and_then(|number| number.parse::<usize>().ok());
            let (name, kind) = match ours {
                Some(number) => expansion.names.get(number)?.clone(),
                None => (Arc::from(given), GrokType::Text),
            };
            Some(GrokField { name, group, kind })
        };
        let fields: Vec<GrokField> = regex.capture_names().enumerate().filter_map(field_of).collect();
        if fields.is_empty() { Err(GrokError::NamesNothing) } else { Ok(Self { regex, fields }) }
    }

    /// Compiles a regular expression with named groups: `%{` means nothing in it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_regex(source: &str) -> Result<Self, GrokError> {
        Self::new(&source.replace("%{", "%\\{"))
    }

    /// Gives `take` each field that `text` has, with its text; returns whether the pattern is in it.
    pub fn read<'t>(&self, text: &'t str, mut take: impl FnMut(&GrokField, &'t str)) -> bool {
        let Some(captures) = self.regex.captures(text) else { return false };
        for field in &self.fields {
            if let Some(found) = captures.get(field.group) {
                take(field, found.as_str());
            }
        }
        true
    }

    /// The names of all patterns.
    pub fn patterns() -> impl Iterator<Item = &'static str> {
        PATTERNS.iter().map(|(name, _)| *name)
    }
}

// Field names may hold dots, names of groups may not: groups are numbered.
const GROUP_PREFIX: &str = "grok__";

#[derive(Default)]
struct Expansion {
    regex: String,
    names: Vec<(Arc<str>, GrokType)>,
}

impl Expansion {
    fn expand(&mut self, source: &str, nesting: usize) -> Result<(), GrokError> {
        types::ensure!(nesting <= NESTING_MAX, GrokError::Nested);
        let mut rest = source;
        while let Some(at) = rest.find("%{") {
            self.regex.push_str(&rest[..at]);
            let Some(end) = rest[at..].find('}') else { return Err(GrokError::Open) };
            let mut parts = rest[at + 2..at + end].splitn(3, ':');
            let pattern = parts.next().unwrap_or_default();
            let Some((_, inner)) = PATTERNS.iter().find(|(name, _)| *name == pattern) else {
                let pattern: String = pattern.chars().take(40).collect();
                return Err(GrokError::Unknown(pattern));
            };
            match parts.next().filter(|name| !name.is_empty()) {
                Some(name) => {
                    self.regex.push_str(&format!("(?P<{GROUP_PREFIX}{}>", self.names.len()));
                    let kind = match parts.next() {
                        Some("int" | "integer" | "long") => GrokType::Integer,
                        Some("float" | "double" | "number") => GrokType::Float,
                        _ => GrokType::Text,
                    };
                    self.names.push((Arc::from(name), kind));
                }
                None => self.regex.push_str("(?:"),
            }
            types::ensure!(self.regex.len() <= REGEX_TEXT_BYTES_MAX, GrokError::TooLarge);
            self.expand(inner, nesting + 1)?;
            self.regex.push(')');
            rest = &rest[at + end + 1..];
        }
        self.regex.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
