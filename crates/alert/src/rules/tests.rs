//! Rule files: what is read, and where mistakes are found.

use super::*;

/// Reads a file and shows its errors, one per line.
fn check(text: &str, expected: &[&str]) {
    let errors = RuleBook::default().add("r.yaml", text).err().unwrap_or_default();
    let shown: Vec<String> = errors.iter().map(RuleError::to_string).collect();
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (shown, expected) in shown.iter().zip(expected) {
        assert!(shown.starts_with(expected), "{shown}\ndoes not start with\n{expected}");
    }
}

#[test]
fn the_rule_that_comes_with_catat_is_right() {
    let mut book = RuleBook::default();
    book.add("errors.yaml", crate::DEFAULT_RULES).unwrap();
    let rule = &book.rules[0];
    assert_eq!((rule.name.as_str(), rule.window_ns), ("new error pattern", 300 * Timestamp::SECOND));
    assert_eq!((rule.interval_ns, rule.kind.name()), (Some(30 * Timestamp::SECOND), "pattern"));
    assert_eq!(book.rules.len(), 1);
    assert!(rule.enabled);
    assert!(book.channels.is_empty());
}

#[test]
fn the_rule_that_is_an_example_is_right_without_its_signs() {
    let text = crate::DEFAULT_RULES.lines().map(|line| match line.trim_start().strip_prefix("# ") {
        Some(rest) if line.starts_with("      # ") && !rest.starts_with("A rule of") => format!("      {rest}"),
        _ if line.starts_with("# channels") || line.starts_with("#   ") => line[2..].to_owned(),
        _ => line.to_owned(),
    });
    let mut book = RuleBook::default();
    book.add("errors.yaml", &text.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(book.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["new error pattern", "errors"]);
    assert_eq!(book.channels.len(), 1);
}

#[test]
fn every_key_of_a_rule_is_read() {
    let text = r#"
groups:
  - name: g
    interval: 1m
    rules:
      - name: r
        query: filter @level >= "error"
        language: insights
        groups: ["a/*"]
        window: 10m
        interval: 15s
        condition: count > 5
        for: 1m
        keep_firing_for: 2m
        missing: keep
        datapoints: {to_alarm: 2, of: 3}
        labels: {team: web}
        annotations: {summary: "{{ value }} errors"}
        topics: [ops]
        enabled: false
channels:
  - {name: hook, type: webhook, url: "http://127.0.0.1:9/x", topics: [ops], secret: s}
"#;
    let mut book = RuleBook::default();
    book.add("r.yaml", text).unwrap();
    let rule = &book.rules[0];
    assert_eq!(rule.groups, [GroupPattern::new("a/*")]);
    assert_eq!((rule.interval_ns, rule.for_ns), (Some(15 * Timestamp::SECOND), Timestamp::MINUTE));
    assert_eq!((rule.missing, rule.datapoints), (Some(Missing::Keep), Datapoints { to_alarm: 2, of: 3 }));
    assert!(!rule.enabled);
    assert!(!format!("{:?}", book.channels).contains("\"s\""));
    assert!(book.channels[0].takes(&["ops".into()]));
    assert!(!book.channels[0].takes(&["dev".into()]));
}

#[test]
fn mistakes_are_named_with_their_place() {
    check("groups: [{name: g, rules: [{name: r, query: filter a = 1, wnidow: 5m}]}]", &["r.yaml:1:"]);
    check("groups: {", &["r.yaml:1:"]);
    let text =
        "groups:\n  - name: g\n    rules:\n      - name: r\n        query: filter a =\n        window: 5 parsecs\n";
    check(text, &["r.yaml:6:17: window: \"5 parsecs\" is no duration", "r.yaml:5:16: query: "]);
    let text =
        "groups:\n  - name: g\n    rules:\n      - name: r\n        query: filter a = 1\n        condition: count >\n";
    check(text, &["r.yaml:6:20: condition: "]);
}

#[test]
fn a_condition_is_one_expression() {
    let text = "groups:\n  - name: g\n    rules:\n      - name: r\n        query: filter a = 1\n        condition: count > 5 | limit 3\n";
    check(text, &["r.yaml:6:20: condition: "]);
}

#[test]
fn names_are_unique_and_channels_of_other_types_are_refused_clearly() {
    let rule = "{name: r, query: filter a = 1}";
    check(&format!("groups: [{{name: g, rules: [{rule}, {rule}]}}]"), &["r.yaml:1:"]);
    let channel = |kind: &str, url: &str| format!("channels: [{{name: c, type: {kind}, url: \"{url}\"}}]");
    check(
        &channel("teams", "https://example.com"),
        &["r.yaml:1:12: channel \"c\": unknown type \"teams\"; there are webhook, slack"],
    );
    check(&channel("webhook", "ftp://example.com"), &["r.yaml:1:12: channel \"c\": url must begin with http"]);
    check(&channel("webhook", "http://169.254.169.254/x"), &["r.yaml:1:12: channel \"c\": url points to a link-local"]);
}
