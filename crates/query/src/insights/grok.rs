//! Grok patterns: `%{IP:client} %{WORD:method}` as a regular expression with names.
//!
//! The names of patterns are those that Logstash made usual; what they match is written here for logs as they are,
//! in ASCII classes, so that even the longest stays small when compiled.

use std::sync::Arc;

use regex::Regex;

use super::pattern::compile;
use crate::error::nearest;
use crate::plan::Name;

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

/// The regular expression of a grok pattern, and which groups are fields.
pub(super) fn regex(source: &str) -> Result<(Regex, Vec<(Name, usize)>), String> {
    let mut expansion = Expansion::default();
    expansion.expand(source, 0)?;
    let regex = compile(&expansion.regex, false).map_err(|(message, _)| message)?;
    let field_of = |(index, group): (usize, Option<&str>)| {
        let group = group?;
        let ours = group.strip_prefix(GROUP_PREFIX).and_then(|number| number.parse::<usize>().ok());
        let name = match ours {
            Some(number) => expansion.names.get(number)?.clone(),
            None => Arc::from(group),
        };
        Some((name, index))
    };
    let names: Vec<(Name, usize)> = regex.capture_names().enumerate().filter_map(field_of).collect();
    if names.is_empty() {
        return Err("this pattern names nothing to take out, such as %{IP:client}".to_owned());
    }
    Ok((regex, names))
}

// Field names may hold dots, names of groups may not: groups are numbered.
const GROUP_PREFIX: &str = "grok__";

#[derive(Default)]
struct Expansion {
    regex: String,
    names: Vec<Name>,
}

impl Expansion {
    fn expand(&mut self, source: &str, nesting: usize) -> Result<(), String> {
        if nesting > NESTING_MAX {
            return Err("this pattern is nested too deeply".to_owned());
        }
        let mut rest = source;
        while let Some(at) = rest.find("%{") {
            self.regex.push_str(&rest[..at]);
            let Some(end) = rest[at..].find('}') else { return Err("a `%{` has no closing `}`".to_owned()) };
            let mut parts = rest[at + 2..at + end].splitn(3, ':');
            let pattern = parts.next().unwrap_or_default();
            let Some((_, inner)) = PATTERNS.iter().find(|(name, _)| *name == pattern) else {
                let pattern: String = pattern.chars().take(40).collect();
                let near = nearest(&pattern, PATTERNS.iter().map(|(name, _)| *name));
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                return Err(format!("there is no grok pattern `{pattern}`{hint}"));
            };
            match parts.next().filter(|name| !name.is_empty()) {
                Some(name) => {
                    self.regex.push_str(&format!("(?P<{GROUP_PREFIX}{}>", self.names.len()));
                    self.names.push(Arc::from(name));
                }
                None => self.regex.push_str("(?:"),
            }
            if self.regex.len() > REGEX_TEXT_BYTES_MAX {
                return Err("this pattern is too large".to_owned());
            }
            self.expand(inner, nesting + 1)?;
            self.regex.push(')');
            rest = &rest[at + end + 1..];
        }
        self.regex.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, text: &str, expected: &[(&str, &str)]) {
        let (regex, names) = regex(source).expect(source);
        let captures = regex.captures(text);
        let found: Vec<(&str, &str)> = names
            .iter()
            .filter_map(|(name, index)| Some((&**name, captures.as_ref()?.get(*index)?.as_str())))
            .collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn patterns_take_their_fields() {
        check("%{IP:client} %{WORD:method}", "x 10.1.2.3 GET /", &[("client", "10.1.2.3"), ("method", "GET")]);
        check("%{IP:http.client}", "::1", &[("http.client", "::1")]);
        check("%{NUMBER:took:float}ms (?<rest>.*)", "7.5ms ok", &[("took", "7.5"), ("rest", "ok")]);
        check(
            "%{TIMESTAMP_ISO8601:at} %{LOGLEVEL:level}",
            "2026-11-20T06:00:00.123Z WARN",
            &[("at", "2026-11-20T06:00:00.123Z"), ("level", "WARN")],
        );
        check(
            "%{SYSLOGTIMESTAMP:at} %{HOST:host} %{SYSLOGPROG}:",
            "Nov  2 06:00:01 web-1 sshd[77]: x",
            &[("at", "Nov  2 06:00:01"), ("host", "web-1"), ("program", "sshd"), ("pid", "77")],
        );
        check(
            "%{COMBINEDAPACHELOG}",
            "192.0.2.1 - ann [20/Nov/2026:06:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 - \"-\" \"curl/8\"",
            &[
                ("clientip", "192.0.2.1"),
                ("ident", "-"),
                ("auth", "ann"),
                ("timestamp", "20/Nov/2026:06:00:00 +0000"),
                ("verb", "GET"),
                ("request", "/a?b=c"),
                ("httpversion", "1.1"),
                ("response", "200"),
                ("referrer", "\"-\""),
                ("agent", "\"curl/8\""),
            ],
        );
    }

    #[test]
    fn every_pattern_compiles_alone() {
        for (name, _) in PATTERNS {
            assert!(regex(&format!("%{{{name}:x}}")).is_ok(), "{name}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(regex("%{IPP:x}").expect_err("unknown").contains("did you mean"));
        assert!(regex("%{IP:x").is_err());
        assert!(regex("%{IP}").is_err());
        assert!(regex(&"%{COMBINEDAPACHELOG}".repeat(3_000)).is_err());
    }
}
