//! Mistakes after the first one.

use super::*;

fn check(text: &str, expected: &[(usize, usize)]) {
    let error = Insights::parse(Rule::query, text).expect_err(text);
    let found: Vec<(usize, usize)> =
        mistakes(&error, text, text).0.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn commands_behind_a_mistake_are_read_too() {
    check("fields a | statz count(*) | limit ten", &[(1, 12), (1, 35)]);
    check("fields a\nfliter b = 1\nlimit ten\nsort", &[(2, 1), (3, 7), (4, 5)]);
    check("filter a = \"|\" b | limit ten # | fliter", &[(1, 16), (1, 26)]);
    check("filter a || b = 1 | limit 1", &[(1, 11)]);
    check("fields a | | limit 1", &[(1, 12)]);
    check("filter a = | limit 1", &[(1, 12)]);
}

#[test]
fn nothing_is_told_behind_what_is_open() {
    check("filter (a = 1 | limit ten", &[(1, 15)]);
    check("filter a = \"x | limit ten", &[(1, 12)]);
    check("filter a in (source \"g\" | statz b | limit 1) | limit 1", &[(1, 27)]);
}

#[test]
fn mistakes_are_not_told_without_end() {
    let text = "statz x | ".repeat(100);
    let error = Insights::parse(Rule::query, &text).expect_err("mistakes");
    assert_eq!(mistakes(&error, &text, &text).0.len(), MISTAKES_MAX);
}
