//! Required texts, and expressions that explode.

use super::*;

#[test]
fn expressions_give_the_longest_text_they_cannot_do_without() {
    let check = |pattern, expected: Option<&str>| {
        assert_eq!(required_literal(pattern).as_deref(), expected, "{pattern}");
    };
    check("Exception|cron", None);
    check("(?i)EXCEPTION", Some("exception"));
    check(r"user=(?<user>\w+) logged in", Some(" logged in"));
    check(r"^id=\d+$", Some("id="));
    check(r"(abc)+d", Some("abc"));
    check(r"(abc)*def", Some("def"));
    check(r"a(bc)d", Some("abcd"));
    check(r"", None);
    check(r".*", None);
}

#[test]
fn regexes_that_explode_are_refused() {
    assert!(compile_regex(r"(\w{100}){100}", false).is_err());
    assert!(compile_regex(r"(((a{100}){100}){100}){100}", false).is_err());
    assert_eq!(compile_regex("ab(", false).map_err(|(_, at)| at).err(), Some(2));
    assert!(compile_regex(r"\d+", false).is_ok());
}
