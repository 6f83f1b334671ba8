//! Each action of relabelling, and mistakes in rules.

use serde_json::{Value, json};

use super::super::labels::text_of;
use super::*;

/// Returns the labels after the rules as text, `dropped`, or what is wrong with the rules.
fn check(rules: Value, expected: &str) {
    let definition = json!({"relabel_configs": rules});
    let rules = RelabelRule::list(&Node::root("job", &definition), "relabel_configs");
    let pairs = [("a", "foo"), ("b", "bar"), ("c", "baz"), ("__meta_x", "Y")];
    let mut labels: LabelSet = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let shown = match rules {
        Err(error) => error.to_string(),
        Ok(rules) if relabel(&rules, &mut labels) => text_of(&labels),
        Ok(_) => "dropped".to_owned(),
    };
    assert_eq!(shown, expected);
}

const SAME: &str = r#"{"__meta_x":"Y","a":"foo","b":"bar","c":"baz"}"#;

#[test]
fn values_are_replaced_where_the_whole_of_them_matches() {
    let rule = |regex: &str, target: &str, replacement: &str| json!([{"source_labels": ["a"], "regex": regex, "target_label": target, "replacement": replacement}]);
    check(rule("f(.*)", "d", "ch${1}-ch${1}"), r#"{"__meta_x":"Y","a":"foo","b":"bar","c":"baz","d":"choo-choo"}"#);
    check(rule("f", "d", "x"), SAME);
    // Expressions and replacements are Go's.
    check(rule("\\Qfo\\E(\\w)", "d", "$01${a-b}$1"), r#"{"__meta_x":"Y","a":"foo","b":"bar","c":"baz","d":"${a-b}o"}"#);
    check(rule("(f)(.*)", "${2}", "$1"), r#"{"__meta_x":"Y","a":"foo","b":"bar","c":"baz","oo":"f"}"#);
    // A name is as long as it can be, and one that is not there is empty.
    check(rule("f(.*)", "c", "$1x"), r#"{"__meta_x":"Y","a":"foo","b":"bar"}"#);
    check(json!([{"target_label": "c", "replacement": ""}]), r#"{"__meta_x":"Y","a":"foo","b":"bar"}"#);
    check(
        json!([{"target_label": "n", "replacement": 80}]),
        r#"{"__meta_x":"Y","a":"foo","b":"bar","c":"baz","n":"80"}"#,
    );
    let joined = json!([{"source_labels": ["a", "b"], "target_label": "a"}]);
    check(joined, r#"{"__meta_x":"Y","a":"foo;bar","b":"bar","c":"baz"}"#);
}

#[test]
fn targets_are_kept_and_dropped() {
    check(json!([{"source_labels": ["a", "b"], "separator": "-", "regex": "foo-b.*", "action": "keep"}]), SAME);
    check(json!([{"source_labels": ["a"], "regex": "no-match", "action": "keep"}]), "dropped");
    check(json!([{"source_labels": ["a"], "regex": ".*o.*", "action": "drop"}]), "dropped");
    check(json!([{"source_labels": ["a"], "target_label": "b", "action": "keepequal"}]), "dropped");
    check(json!([{"source_labels": ["a"], "target_label": "b", "action": "dropequal"}]), SAME);
    check(json!([{"source_labels": ["nowhere"], "target_label": "nor_here", "action": "dropequal"}]), "dropped");
}

#[test]
fn names_are_mapped_dropped_and_kept() {
    check(
        json!([{"regex": "__meta_(.*)", "replacement": "meta_${1}", "action": "labelmap"}]),
        r#"{"__meta_x":"Y","a":"foo","b":"bar","c":"baz","meta_x":"Y"}"#,
    );
    check(json!([{"regex": "[ab]|_.*", "action": "labeldrop"}]), r#"{"c":"baz"}"#);
    check(json!([{"regex": "[ab]", "action": "LabelKeep"}]), r#"{"a":"foo","b":"bar"}"#);
}

#[test]
fn values_are_hashed_and_change_case() {
    // Prometheus' own test has these numbers.
    let rule = json!([{"source_labels": ["c"], "target_label": "d", "action": "hashmod", "modulus": 1000}]);
    check(rule, r#"{"__meta_x":"Y","a":"foo","b":"bar","c":"baz","d":"976"}"#);
    let rule = json!([{"source_labels": ["a"], "target_label": "a", "action": "uppercase"},
                          {"source_labels": ["__meta_x"], "target_label": "__meta_x", "action": "lowercase"}]);
    check(rule, r#"{"__meta_x":"y","a":"FOO","b":"bar","c":"baz"}"#);
    // Letters that Go maps one for one, and leaves where that is not possible.
    let changed = |change: fn(char) -> char, text: &str| text.chars().map(change).collect::<String>();
    assert_eq!(changed(uppercase, "straße éŉﬁ ά"), "STRAßE ÉŉﬁΆ".replace("ﬁΆ", "ﬁ Ά"));
    assert_eq!(changed(lowercase, "ΟΔΟΣ İÉ"), "οδοσ ié");
}

#[test]
fn default_values_of_keys_that_an_action_does_not_use_are_accepted() {
    let shown = json!({"separator": ";", "replacement": "$1", "regex": "[ab]|_.*", "action": "labeldrop"});
    check(json!([shown]), r#"{"c":"baz"}"#);
    let shown =
        json!({"source_labels": [], "target_label": "", "modulus": "0", "regex": "[ab]", "action": "labelkeep"});
    check(json!([shown]), r#"{"a":"foo","b":"bar"}"#);
    let shown = json!({"source_labels": ["a"], "separator": ";", "target_label": "b", "regex": "(.*)", "modulus": null,
                           "replacement": "$1", "action": "keepequal"});
    check(json!([shown]), "dropped");
    let shown = json!({"source_labels": ["a"], "separator": ";", "target_label": "a", "regex": "(.*)",
                           "replacement": "$1", "action": "uppercase"});
    check(json!([shown]), r#"{"__meta_x":"Y","a":"FOO","b":"bar","c":"baz"}"#);
    check(
        json!([{"action": "labelkeep", "regex": "a", "separator": ","}]),
        "job.relabel_configs[0].separator: the action labelkeep does not use this key; remove it",
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    check(
        json!([{"action": "labeldorp"}]),
        "job.relabel_configs[0].action: unknown action \"labeldorp\"; did you mean \"labeldrop\"?",
    );
    check(
        json!([{"action": "replace"}]),
        "job.relabel_configs[0]: \"target_label\" is missing: the action replace writes to it",
    );
    check(
        json!([{"action": "hashmod", "target_label": "a", "modulus": 0}]),
        "job.relabel_configs[0].modulus: must be at least 1",
    );
    check(
        json!([{"action": "labeldrop", "regex": "a", "target_label": "b"}]),
        "job.relabel_configs[0].target_label: the action labeldrop does not use this key; remove it",
    );
    check(
        json!([{"action": "keep", "regex": "("}]),
        "job.relabel_configs[0].regex: this regular expression is not valid: missing closing ): `(`",
    );
}
