//! Rules by name, group, file and labels.

use super::*;

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    Parameters(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

fn check(pairs: &[(&str, &str)], expected: bool) {
    let labels = BTreeMap::from([("severity".to_owned(), "page".to_owned())]);
    let rule = Candidate { name: "Down", group: "hosts", file: "node.yaml", labels: &labels };
    let parameters = parameters(pairs);
    let selection = RuleSelection::of(&parameters).expect("good parameters");
    assert_eq!(selection.has(&rule), expected, "{pairs:?}");
}

#[test]
fn rules_are_chosen_by_name_group_file_and_labels() {
    check(&[], true);
    check(&[("rule_name[]", "Up"), ("rule_name[]", "Down"), ("rule_group[]", "hosts"), ("file[]", "node.yaml")], true);
    check(&[("rule_name[]", "Down"), ("file[]", "other.yaml")], false);
    check(&[("rule_name[]", "")], false);
    check(&[("rule_name", ""), ("rule_group", ""), ("file", "")], true);
    check(&[("rule_name", "Up")], false);
    check(&[("match[]", "{severity=\"page\"}")], true);
    check(&[("match[]", "{severity=\"ticket\"}")], false);
    check(&[("other", "x")], true);
}

#[test]
fn types_and_alerts_are_chosen_in_any_case() {
    let of = |pairs: &[(&str, &str)]| {
        let parameters = parameters(pairs);
        let selection = RuleSelection::of(&parameters).expect("good parameters");
        (selection.has_alerting_rules, selection.has_recording_rules, selection.has_alerts)
    };
    assert_eq!(of(&[("type", ""), ("exclude_alerts", "")]), (true, true, true));
    assert_eq!(of(&[("type", "Alert"), ("exclude_alerts", "TRUE")]), (true, false, false));
    assert_eq!(of(&[("type", "record"), ("exclude_alerts", "F")]), (false, true, true));
}

#[test]
fn bad_values_are_refused_with_the_words_of_prometheus() {
    for (name, value, expected) in [
        ("type", "x", "invalid parameter \"type\": not supported value \"x\""),
        ("exclude_alerts", "maybe", "invalid parameter \"exclude_alerts\": \"maybe\" is neither true nor false"),
        ("match[]", "sum(up)", "invalid parameter \"match[]\": \"sum(up)\" is not a selector of series"),
    ] {
        let problem = RuleSelection::of(&parameters(&[(name, value)])).err().expect("a problem");
        assert_eq!((problem.status.as_u16(), problem.message.as_str()), (400, expected));
    }
}
