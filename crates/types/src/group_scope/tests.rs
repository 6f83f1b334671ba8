//! Groups in and out of reach.

use super::*;

#[test]
fn what_no_pattern_names_is_out_of_reach() {
    let of = |patterns: &[&str]| GroupScope::Matching(patterns.iter().map(|text| GroupPattern::new(*text)).collect());
    assert!(GroupScope::All.admits("a") && GroupScope::All.is_everything());
    assert!(!of(&[]).admits("a") && !of(&[]).is_everything());
    assert!(of(&["a/*", "b"]).admits("a/b") && of(&["a/*", "b"]).admits("b"));
    assert!(!of(&["a/*"]).admits("a") && !of(&["a/*"]).admits("ab/c"));
    assert!(of(&["b", "*"]).is_everything() && !of(&["", "a*"]).is_everything());
}
