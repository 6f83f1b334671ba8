//! Patterns of names of indices that are created.

use super::*;

#[test]
fn the_first_pattern_that_matches_decides_which_indices_are_created() {
    for (rule, name, expected) in [
        ("true", "a", true),
        ("false", "a", false),
        ("logs-*", "logs-a", true),
        ("logs-*", "a", false),
        ("-logs-b*,+logs-*", "logs-b", false),
        ("-logs-b*, +logs-*", "logs-a", true),
        ("+*,-a", "a", true),
    ] {
        assert_eq!(creates(rule, name), expected, "{rule} {name}");
    }
}
