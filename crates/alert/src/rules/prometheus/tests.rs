//! Files that Prometheus accepts and refuses: `promtool check rules` decides the same, and for what is newer than it the
//! source of Prometheus 3.

use types::Timestamp;

use crate::{RuleError, RuleSet};

/// Reads a file that Prometheus accepts.
fn read(text: &str) -> RuleSet {
    let mut set = RuleSet::default();
    set.add("r.yaml", text).unwrap_or_else(|errors| panic!("{text}\n{errors:?}"));
    set
}

/// Reads the keys of a group with one rule that records.
fn read_group(keys: &str) -> RuleSet {
    read(&format!("groups: [{{name: g, {keys}, rules: [{{record: a, expr: up}}]}}]"))
}

/// Reads the keys of a rule besides its expression.
fn read_rule(keys: &str) -> RuleSet {
    read(&format!("groups: [{{name: g, rules: [{{expr: up, {keys}}}]}}]"))
}

/// Reads a file that Prometheus refuses, and shows all errors.
fn check(text: &str, expected: &[&str]) {
    let errors = RuleSet::default().add("r.yaml", text).err().unwrap_or_default();
    let shown: Vec<String> = errors.iter().map(RuleError::to_string).collect();
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn files_and_groups_may_be_empty() {
    for text in ["", "# nothing\n", "---\n", "null\n", "{}\n", "groups:\n", "groups: []\n", "groups:\n  -\n"] {
        assert!(read(text).series.is_empty(), "{text}");
    }
    for rules in ["", ", rules:", ", rules: ~", ", rules: []", ", rules: [~]"] {
        read(&format!("groups: [{{name: g, interval: 0s, limit: 5, query_offset: 1m, labels: {{a: b}}{rules}}}]"));
    }
}

#[test]
fn the_first_document_of_a_file_is_read_and_the_second_is_warned_of() {
    let group = "groups: [{name: g, rules: [{record: a, expr: up}]}]\n";
    let warnings = |text: &str| {
        let set = read(text);
        (set.series.len(), set.warnings.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let warning = "r.yaml:3: a second YAML document is not read; put its rules into a file of their own";
    assert_eq!(warnings(&format!("{group}---\ngroups: [\n")), (1, vec![warning.to_owned()]));
    assert_eq!(warnings(&format!("---\n---\n{group}")), (0, vec![warning.to_owned()]));
    assert_eq!(warnings(&format!("# x\n---\n{group}---\n# nothing\n")), (1, Vec::new()));
}

#[test]
fn intervals_of_zero_are_the_usual_one_and_the_shortest_is_a_second() {
    let interval_ns = |text: &str| read_group(&format!("interval: {text}")).series[0].rule.interval_ns;
    for zero in ["0s", "0", "0ms", "~", ""] {
        assert_eq!(interval_ns(zero), None, "{zero}");
    }
    assert_eq!(interval_ns("500ms"), Some(Timestamp::SECOND));
    assert_eq!(interval_ns("1y1d"), Some(366 * Timestamp::DAY));
    let own = "groups: [{name: g, interval: 0s, rules: [{name: r, query: filter a = 1}]}]";
    check(own, &["r.yaml:1:30: interval: at least 1s"]);
}

#[test]
fn limits_are_read_as_in_go_and_negative_ones_are_none() {
    let limit = |text: &str| read_group(&format!("limit: {text}")).series[0].rule.prometheus.as_ref().unwrap().limit;
    let limits = ["0", "-1", "~", "7", "0x10", "1_000", "2.9", "-1.5"];
    assert_eq!(limits.map(limit), [0, 0, 0, 7, 16, 1_000, 2, 0]);
}

#[test]
fn values_that_are_not_written_are_empty() {
    let labels = |set: &RuleSet| {
        let rule = set.rules.first().or(set.series.first().map(|series| &series.rule)).unwrap();
        rule.labels.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(labels(&read_rule("record: a, labels: {x: , y: ~, z}")), "x= y= z=");
    assert_eq!(labels(&read_rule("alert: a, labels: {~: x, y: 5, z: true}")), "y=5 z=true");
    assert_eq!(labels(&read_rule("alert: a, labels: ")), "");
    assert_eq!(labels(&read_group("labels: {x: , job: all}")), "job=all x=");
    assert_eq!(read_rule("alert: a, annotations: {summary: }").rules[0].annotations["summary"], "");
}

#[test]
fn an_empty_name_or_length_is_none() {
    assert_eq!(read_rule("alert: '', record: b").series.len(), 1);
    assert_eq!(read_rule("alert: a, record: ''").rules[0].alertname(), "a");
    assert_eq!(read_rule("alert: a, record: ~").rules.len(), 1);
    assert_eq!(read_rule("record: b, for: 0s, keep_firing_for: 0, annotations: {}").series.len(), 1);
    assert_eq!(read_rule("alert: a, for: , keep_firing_for: ~").rules[0].for_ns, 0);
}

#[test]
fn names_may_have_any_characters_but_braces() {
    read_rule("record: 'http.requests per second', labels: {'service.name': a}");
    read_rule("alert: 'Disk is full', annotations: {'runbook.url': a}");
}

#[test]
fn mistakes_in_groups_are_refused() {
    let group = |keys: &str| format!("groups:\n- {keys}\n  rules:\n  - record: a\n    expr: up\n");
    let rule =
        "is no duration such as 5m or 1h30m: whole numbers with units from y to ms, the longest first, 292y at most";
    for (keys, expected) in [
        ("interval: 1m", "2:3: name: is missing; every group of rules has one"),
        ("name: ''", "2:3: name: is missing; every group of rules has one"),
        ("name:", "2:3: name: is missing; every group of rules has one"),
        ("{name: g, limit: many}", "2:13: expected a whole number, not \"many\""),
        ("{name: g, limit: true}", "2:13: expected a whole number, not true"),
        ("{name: g, limit: [1]}", "2:13: expected a whole number, not a list"),
        ("{name: g, limit: 1e30}", "2:13: expected a whole number, not 1000000000000000000000000000000.0"),
        ("{name: g, limit: .nan}", "2:20: .nan is not a number that fits here"),
        ("{name: g, labels: a}", "2:21: expected a mapping of keys to values"),
        ("{name: g, labels: {__name__: a}}", "2:32: labels: \"__name__\" is not a label name"),
        (
            "{name: g, partial_response_strategy: warn}",
            "2:13: unknown key \"partial_response_strategy\"; remove it, it belongs to Thanos",
        ),
        ("{name: g, evaluation_delay: 1m}", "2:13: unknown key \"evaluation_delay\"; write query_offset: …"),
    ] {
        let text = if keys.starts_with('{') { format!("groups:\n- {keys}\n") } else { group(keys) };
        check(&text, &[&format!("r.yaml:{expected}")]);
    }
    for (text, shown) in [
        ("1.5m", "1.5m"),
        ("1m 30s", "1m 30s"),
        ("1m1h", "1m1h"),
        ("30", "30"),
        ("-1m", "-1m"),
        ("300y", "300y"),
        ("''", ""),
    ] {
        check(
            &group(&format!("name: g\n  interval: {text}")),
            &[&format!("r.yaml:3:13: interval: \"{shown}\" {rule}")],
        );
        check(
            &group(&format!("name: g\n  query_offset: {text}")),
            &[&format!("r.yaml:3:17: query_offset: \"{shown}\" {rule}")],
        );
    }
    check("groups: [{name: g}, {name: g}]", &["r.yaml:1:28: group \"g\" is there twice"]);
    check("groups: {name: g}", &["r.yaml:1:9: expected a list"]);
    check("- name: g\n", &["r.yaml:1:1: expected a mapping of keys to values"]);
    check("groups: []\ngroups: []\n", &["r.yaml:2:1: the key \"groups\" is there twice"]);
}

#[test]
fn mistakes_in_rules_are_refused() {
    for (rule, expected) in [
        ("{}", &["r.yaml:4:5: a rule has either a name, an alert or a record"][..]),
        ("{alert: '', expr: up}", &["r.yaml:4:23: a rule with expr has an alert or a record"]),
        ("{alert: a}", &["r.yaml:4:13: expr: is missing; an alert has a query in PromQL"]),
        ("{alert: a, expr: }", &["r.yaml:4:13: expr: is missing; an alert has a query in PromQL"]),
        (
            "{record: a}",
            &["r.yaml:4:14: expr: is missing; a recording rule has a query in PromQL, or query: in another language"],
        ),
        ("{alert: a, record: b, expr: up}", &["r.yaml:4:24: a rule has either a name, an alert or a record"]),
        ("{record: a, expr: up, for: 5m}", &["r.yaml:4:32: for: is for an alert, not for a recording rule"]),
        (
            "{record: a, expr: up, annotations: {a: b}}",
            &["r.yaml:4:44: annotations: is for an alert, not for a recording rule"],
        ),
        (
            "{alert: a, expr: {b=\"c\"}}",
            &["r.yaml:4:22: expected one value, not a list or a mapping; put a text that begins with [ or { in quotes"],
        ),
        ("{alert: a, expr: up, expr: up}", &["r.yaml:4:26: the key \"expr\" is there twice"]),
        (
            "{alert: a, expr: up, labels: {'': b, c: '{{ nope }}'}}",
            &["r.yaml:4:45: labels: c: function \"nope\" not defined", "r.yaml:4:39: labels: \"\" is not a label name"],
        ),
        ("{alert: a, expr: up, annotations: {'': b}}", &["r.yaml:4:44: annotations: the name is empty"]),
        ("{alert: a, expr: *up}", &["r.yaml:4:22: the alias names an anchor that does not exist"]),
        ("{alert: a, expr: [up}", &["r.yaml:4:22: not valid YAML: mismatched bracket '[' closed by '}'"]),
    ] {
        check(&format!("groups:\n- name: g\n  rules:\n  - {rule}\n"), expected);
    }
}

#[test]
fn a_mistake_in_the_labels_of_a_group_is_reported_once() {
    let text =
        "groups:\n- name: g\n  labels: {a: '{{ b'}\n  rules:\n  - {alert: a, expr: up}\n  - {alert: b, expr: up}\n";
    check(text, &["r.yaml:3:15: labels: a: unclosed action"]);
}
