//! Conditions as in Alertmanager.

use super::*;

fn check(written: &str, expected: bool) {
    let labels = [("severity", "page"), ("host", "web-1\nx")];
    let labels = labels.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    assert_eq!(Matcher::parse(written).expect("a condition").matches(&labels), expected, "{written}");
}

#[test]
fn conditions_mean_what_they_mean_to_alertmanager() {
    check("severity=\"page\"", true);
    check("severity = page", true);
    check("severity!='page'", false);
    check("severity=~'page|error'", true);
    check("severity=~'pa'", false);
    check("severity!~\"pa.*\"", false);
    check("host=~web-.*", false);
    check("host=~(?s)web-.*", true);
    check("host=~(?s)web-\\d\\Q\\E.x", true);
    check("none=\"\"", true);
    check("none!=''", false);
    check("none=~.+", false);
}

#[test]
fn what_is_no_condition_is_refused() {
    for wrong in ["", "severity", "=x", "a=~'('", "a!b", "a=~'(a{1000}){1000}'"] {
        assert!(Matcher::parse(wrong).is_err(), "{wrong}");
    }
}
