//! Rule files: what is read, and where mistakes are found.

use types::{GroupPattern, Timestamp};

use super::*;
use crate::rule::{Datapoints, MissingPolicy, RuleError};

/// Reads a file and shows its errors, one per line.
fn check(text: &str, expected: &[&str]) {
    let errors = RuleSet::default().add("r.yaml", text).err().unwrap_or_default();
    let shown: Vec<String> = errors.iter().map(RuleError::to_string).collect();
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (shown, expected) in shown.iter().zip(expected) {
        assert!(shown.starts_with(expected), "{shown}\ndoes not start with\n{expected}");
    }
}

#[test]
fn the_rule_that_comes_with_catat_is_right() {
    let mut set = RuleSet::default();
    set.add("errors.yaml", crate::DEFAULT_RULES).unwrap();
    let rule = &set.rules[0];
    assert_eq!((rule.name.as_str(), rule.window_ns), ("new error pattern", 300 * Timestamp::SECOND));
    assert_eq!((rule.interval_ns, rule.kind.name()), (Some(30 * Timestamp::SECOND), "pattern"));
    assert_eq!(set.rules.len(), 1);
    assert!(rule.enabled);
    assert!(set.channels.is_empty());
}

#[test]
fn the_rule_that_is_an_example_is_right_without_its_signs() {
    let text = crate::DEFAULT_RULES.lines().map(|line| match line.trim_start().strip_prefix("# ") {
        Some(rest) if line.starts_with("      # ") && !rest.starts_with("A threshold rule") => format!("      {rest}"),
        _ if line.starts_with("# channels") || line.starts_with("#   ") => line[2..].to_owned(),
        _ => line.to_owned(),
    });
    let mut set = RuleSet::default();
    set.add("errors.yaml", &text.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(set.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["new error pattern", "errors"]);
    assert_eq!(set.channels.len(), 1);
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
    let mut set = RuleSet::default();
    set.add("r.yaml", text).unwrap();
    let rule = &set.rules[0];
    assert_eq!(rule.groups, [GroupPattern::new("a/*")]);
    assert_eq!((rule.interval_ns, rule.for_ns), (Some(15 * Timestamp::SECOND), Timestamp::MINUTE));
    assert_eq!((rule.missing, rule.datapoints), (Some(MissingPolicy::Keep), Datapoints { to_alarm: 2, of: 3 }));
    assert!(!rule.enabled);
    assert!(!format!("{:?}", set.channels).contains("\"s\""));
    assert!(set.channels[0].takes(&["ops".into()]));
    assert!(!set.channels[0].takes(&["dev".into()]));
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

#[test]
fn a_condition_on_a_column_that_the_query_does_not_give_is_refused() {
    let with = |query: &str, condition: &str| {
        let text = format!("groups: [{{name: g, rules: [{{name: r, query: '{query}', condition: '{condition}'}}]}}]");
        RuleSet::default().add("r.yaml", &text).err().map(|errors| errors[0].message.clone())
    };
    let columns = "condition: the query returns no column \"m\"; its columns are host, n";
    assert_eq!(with("stats count(*) as n by host", "m > 0").as_deref(), Some(columns));
    assert_eq!(with("stats count(*) as n by host", "n > 0 and host != \"a\""), None);
    assert_eq!(with("stats count(*) as n by host", "count > 3"), None);
    assert_eq!(with("stats count(*) as n, max(x) as worst by host | fields n", "worst > 3"), None);
    assert_eq!(with("stats sum(x) as s by host | fields s / 2 as half", "half > 3"), None);
    let refused = with("filter status >= 500", "status > 3").unwrap();
    assert!(refused.contains("knows only `count`") && refused.contains("\"status\""), "{refused}");
    assert_eq!(with("filter status >= 500", "count > 3"), None);
    check(
        r#"groups: [{name: g, rules: [{name: r, language: logql, query: 'sum by (host) (rate({group="a"}[5m]))', condition: 'n > 1'}]}]"#,
        &["r.yaml:1:114: condition: the query returns no column \"n\"; its columns are host, value"],
    );
    check(
        "groups: [{name: g, rules: [{name: r, kind: ratio, query: 'filter a = 1', bad: 'b = 2', by: [host], condition: 'rate > 0.1'}]}]",
        &[
            "r.yaml:1:111: condition: the query returns no column \"rate\"; its columns are host, bad, total, ratio, value",
        ],
    );
}

#[test]
fn a_template_with_a_name_that_is_never_there_is_refused() {
    let with = |more: &str| {
        let rule = format!("name: r, query: 'stats count(*) as n by host', labels: {{team: a}}, {more}");
        let text = format!("groups: [{{name: g, rules: [{{{rule}}}]}}]");
        RuleSet::default().add("r.yaml", &text).err().map(|errors| errors[0].message.clone())
    };
    assert_eq!(with("annotations: {summary: '{{ value }} of {{ labels.host }} {{ labels.team }}'}"), None);
    let refused = with("annotations: {summary: '{{n}} payments failed'}").unwrap();
    assert!(refused.starts_with("annotations: summary: unknown variable \"n\""), "{refused}");
    let refused = with("annotations: {summary: '{{ labels.hots }}'}").unwrap();
    assert!(refused.ends_with("known: alertname, team, host; did you mean \"host\"?"), "{refused}");
    let refused = with("condition: n > 1, annotations: {summary: '{{ labels.team'}").unwrap();
    assert!(refused.starts_with("annotations: summary: "), "{refused}");
    let text = "groups: [{name: g, rules: [{name: r, query: a, labels: {host: '{{ labels.host }}'}}]}]";
    check(text, &["r.yaml:1:35: labels: host: labels cannot be templates; put the text into annotations"]);
}

#[test]
fn a_template_of_jinja_that_has_no_counterpart_stops_no_rule_that_is_in_force() {
    let text = "groups:\n- name: g\n  rules:\n  - name: r\n    query: a\n    annotations: {s: '{{ value | tojson }}'}\n\
                channels:\n- {name: c, type: webhook, url: 'http://127.0.0.1:9/', body: '{% set n = 1 %}'}\n";
    let warnings = [
        "r.yaml:6:22: annotations: s: \"tojson\" in {{ value | tojson }}: Jinja's, ",
        "r.yaml:8:3: channel \"c\": body: \"set\" in {% set n = 1 %}: Jinja's, ",
    ];
    let are_those = |told: &[RuleError]| {
        told.len() == 2 && told.iter().zip(warnings).all(|(told, warning)| told.to_string().starts_with(warning))
    };
    let refused = RuleSet::default().add("r.yaml", text).unwrap_err();
    assert!(are_those(&refused), "{refused:?}");
    let mut set = RuleSet { is_in_force: true, ..RuleSet::default() };
    set.add("r.yaml", text).unwrap();
    assert!(are_those(&set.warnings), "{:?}", set.warnings);
    assert_eq!((set.rules.len(), set.channels.len()), (1, 1));
    let error = set
        .add("s.yaml", "groups: [{name: g, rules: [{name: s, query: a, annotations: {s: '{{ .n }}'}}]}]")
        .unwrap_err();
    assert!(error[0].message.contains("unknown variable \"n\""), "{error:?}");
}

#[test]
fn a_value_that_is_a_condition_stops_no_rule_that_is_in_force() {
    let text = "groups:\n- name: g\n  rules:\n  - {name: r, query: filter status = 500 or 503}\n";
    let told = "r.yaml:4:22: query: 503 alone is no condition";
    let refused = RuleSet::default().add("r.yaml", text).unwrap_err();
    assert!(refused[0].to_string().starts_with(told), "{refused:?}");
    let mut set = RuleSet { is_in_force: true, ..RuleSet::default() };
    set.add("r.yaml", text).unwrap();
    assert!(set.warnings.len() == 1 && set.warnings[0].to_string().starts_with(told), "{:?}", set.warnings);
    assert_eq!(set.rules.len(), 1);
}

#[test]
fn keys_of_other_programs_get_a_hint_and_the_place_once() {
    check(
        "groups:\n- name: g\n  rules:\n  - alert: r\n    query: a\n",
        &["r.yaml:4:12: alert: goes with expr:, in PromQL; else write name: and query:"],
    );
    let text = "groups:\n- name: g\n  rules:\n  - name: r\n    query: a\n    severity: page\n";
    check(text, &["r.yaml:6:5: unknown key \"severity\"; write labels: {severity: …}"]);
    check("rules:\n- name: r\n", &["r.yaml:1:1: unknown key \"rules\"; write groups: [{name: …, rules: […]}]"]);
    check(
        "groups:\n- name: g\n  rules:\n  - name: r\n    qery: a\n",
        &["r.yaml:5:5: unknown key \"qery\"; did you mean query:?"],
    );
}

#[test]
fn all_wrong_keys_of_a_file_are_reported_at_once() {
    let text = r#"
groups:
  - name: g
    intervall: 1m
    rules:
      - name: a
        expr: count > 1
        severity: page
        query: stats count(*) as count
        condition: count > 5
        labels:
          team: web
        annotation:
          summary: text
      - {name: b, qurey: "a, b", query: filter a = 1}
      - name: c
        query: filtr a = 1
      - name: d
        query: filter a = 1
        notify: perhaps
channels:
  - {name: ops, type: webhook, url: "http://127.0.0.1:1/", topic: [ops]}
"#;
    check(
        text,
        &[
            "r.yaml:4:5: unknown key \"intervall\"",
            "r.yaml:8:9: unknown key \"severity\"",
            "r.yaml:13:9: unknown key \"annotation\"",
            "r.yaml:15:19: unknown key \"qurey\"",
            "r.yaml:17:16: query: ",
            "r.yaml:20:17: expected true or false",
            "r.yaml:22:60: unknown key \"topic\"",
        ],
    );
}

#[test]
fn what_a_wrong_key_may_have_caused_is_not_reported() {
    check("groups:\n- nmae: g\n  rules: []\n", &["r.yaml:2:3: unknown key \"nmae\""]);
    check(
        "groups:\n- name: g\n  rules:\n  - name: r\n    qurey: filter a = 1\n",
        &["r.yaml:5:5: unknown key \"qurey\""],
    );
}
