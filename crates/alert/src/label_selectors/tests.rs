//! Labels that match a selector, and texts that are no selectors.

use super::*;

fn check(selectors: &[&str], expected: bool) {
    let labels = [("severity", "page"), ("team", "{{ $labels.team }}")];
    let labels = labels.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect();
    let selectors = LabelSelectors::parse(selectors.iter().copied()).expect("selectors");
    assert_eq!(selectors.accept(&labels), expected, "{selectors:?}");
}

#[test]
fn labels_fulfil_all_conditions_of_one_selector() {
    check(&[], true);
    check(&[r#"{severity="page"}"#], true);
    check(&[r#"{severity=~"pa.*",job=""}"#], true);
    check(&[r#"{severity="page",job!=""}"#], false);
    check(&[r#"{severity="ticket"}"#, r#"{severity="page"}"#], true);
    check(&[r#"{team="{{ $labels.team }}"}"#], true);
    check(&["page"], false);
}

#[test]
fn what_is_no_selector_is_refused() {
    for (text, expected) in [
        ("{severity=", "1:1: parse error: \"{\" is not closed"),
        ("sum(up)", "\"sum(up)\" is not a selector of series"),
        ("up offset 5m", "\"up offset 5m\" is not a selector of series"),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ] {
        let error = LabelSelectors::parse([text]).expect_err("a mistake");
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}
