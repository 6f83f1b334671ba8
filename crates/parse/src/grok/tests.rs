//! Patterns, their fields and their mistakes.

use super::*;

fn check(source: &str, text: &str, expected: &[(&str, &str)]) {
    let grok = Grok::new(source).expect(source);
    let mut found: Vec<(String, &str)> = Vec::new();
    grok.read(text, |field, text| found.push((field.name.to_string(), text)));
    let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (name.as_str(), *text)).collect();
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
        assert!(Grok::new(&format!("%{{{name}:x}}")).is_ok(), "{name}");
    }
}

#[test]
fn mistakes_are_named() {
    assert_eq!(Grok::new("%{IPP:x}").map(|_| ()), Err(GrokError::Unknown("IPP".into())));
    assert_eq!(Grok::new("%{IP:x").map(|_| ()), Err(GrokError::Open));
    assert_eq!(Grok::new("%{IP}").map(|_| ()), Err(GrokError::NamesNothing));
    assert!(Grok::new(&"%{COMBINEDAPACHELOG}".repeat(3_000)).is_err());
    assert_eq!(Grok::new("(?<a>(?:x{1000}){1000})").map(|_| ()), Err(GrokError::TooLarge));
    assert!(matches!(Grok::new("(?<a>"), Err(GrokError::Regex(_))));
}

#[test]
fn a_field_may_have_a_type_and_a_plain_expression_no_patterns() {
    let grok = Grok::new("%{INT:n:int} %{NUMBER:took:float} %{WORD:w}").expect("a pattern");
    let kinds: Vec<GrokType> = grok.fields.iter().map(|field| field.kind).collect();
    assert_eq!(kinds, [GrokType::Integer, GrokType::Float, GrokType::Text]);
    let plain = Grok::of_regex(r"%\{IP:(?<x>\d+)").map(|grok| grok.regex.is_match("%{IP:7"));
    assert_eq!(plain, Ok(true));
}
