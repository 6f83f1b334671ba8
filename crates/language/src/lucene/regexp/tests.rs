//! Characters that stand for themselves, and operators without a counterpart.

use super::*;

#[test]
fn signs_that_lucene_does_not_know_are_letters() {
    let check = |source: &str, text: &str, expected: bool| {
        let source = anchored(source).expect("a regular expression");
        let regex = regex::Regex::new(&source).expect("one that is ours");
        assert_eq!(regex.is_match(text), expected, "{source} {text}");
    };
    check("gold$", "gold$", true);
    check("red$", "red", false);
    check("^a", "^a", true);
    check("a@", "a\nb", true);
    check("\"a.b\"c", "a.bc", true);
    check("\"a.b\"c", "axbc", false);
    check("[^a]+", "bcd", true);
    check("[a&&b]", "&", true);
    check("#", "", false);
    check("\\d+-\\.", "12-.", true);
}

#[test]
fn what_has_no_counterpart_is_named() {
    for source in ["~(a)", "a&b", "<1-5>", "(?i)a", "a\\", "\"a"] {
        assert!(anchored(source).is_err(), "{source}");
    }
}
