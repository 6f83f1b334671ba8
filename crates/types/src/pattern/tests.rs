//! What patterns of groups match.

use super::*;

#[test]
fn stars_cross_slashes_and_patterns_are_anchored() {
    let check = |pattern: &str, name: &str| GroupPattern::new(pattern).matches(name);
    assert!(check("*", "anything/at/all"));
    assert!(check("a/*", "a/b/c"));
    assert!(!check("a/*", "a"));
    assert!(check("a*c*e", "abcde"));
    assert!(!check("a", "A"));
    assert!(!check("a", "ab"));
    assert!(check("a**", "a"));
}

#[test]
fn the_servers_own_metrics_are_for_who_names_them() {
    let names = |patterns: &[&str], name: &str| {
        let patterns: Vec<GroupPattern> = patterns.iter().map(|pattern| GroupPattern::new(*pattern)).collect();
        GroupPattern::any_names(&patterns, name)
    };
    for all in [&[][..], &["*"], &["*-itself"], &["shop/*", "*"]] {
        assert!(!names(all, GroupName::OWN_METRICS), "{all:?}");
    }
    for named in [&["metrics/*"][..], &["metrics/catat-itself"], &["*", "m*"]] {
        assert!(names(named, GroupName::OWN_METRICS), "{named:?}");
    }
    assert!(names(&[], "metrics/catat") && names(&["*"], "shop") && !names(&["shop"], GroupName::OWN_METRICS));
}
