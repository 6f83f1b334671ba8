//! Tests of reading and checking.

use types::Timestamp;

use super::*;

fn check_error(text: &str, expected: &str) {
    let parsed = parse(text, &Parameters::default());
    let error = parsed.and_then(|statement| statement.check(&Schema::default(), None, Timestamp(0)));
    assert_eq!(error.err().map(|error| error.reason).unwrap_or_default(), expected, "{text}");
}

#[test]
fn what_cannot_be_read_is_placed() {
    check_error(
        "row a = 1 | foo a",
        "line 1:13: mismatched input 'foo' expecting {'from', 'row', 'where', 'eval', 'stats', 'sort', 'limit', 'keep', 'drop', 'rename', 'dissect', 'grok'}",
    );
    check_error("row a = 1 | evall b = 2", "line 1:13: mismatched input 'evall', did you mean [EVAL]?");
    check_error("row a = 1 | mv_expand a", "line 1:13: the command [MV_EXPAND] is not supported here");
    check_error("row a = 1\n| lookup  join b on a", "line 2:3: the command [LOOKUP JOIN] is not supported here");
}

#[test]
fn unknown_columns_and_functions_are_named() {
    check_error("row abc = 1 | eval x = abd", "Found 1 problem\nline 1:24: Unknown column [abd], did you mean [abc]?");
    check_error(
        "row a = lenght(\"x\")",
        "Found 1 problem\nline 1:9: Unknown function [lenght], did you mean [length]?",
    );
    check_error(
        "row a = 1 | eval b = count(a)",
        "Found 1 problem\nline 1:22: aggregate function [count(a)] not allowed outside STATS command",
    );
}

#[test]
fn hostile_texts_end_in_errors() {
    let deep = |open: &str, close: &str| format!("row a = {}1{}", open.repeat(500), close.repeat(500));
    for text in [deep("(", ")"), deep("abs(", ")"), "row a = 1".to_owned() + &"+1".repeat(5_000), deep("-", "")] {
        let found = parse(&text, &Parameters::default());
        let found = found.and_then(|statement| statement.check(&Schema::default(), None, Timestamp(0)));
        assert!(found.is_err() || !text.contains('+'), "{text:.40}");
    }
}

#[test]
fn errors_have_the_form_of_other_languages() {
    let text = "row `é` = 1\n| eval y = abd";
    let parsed = parse(text, &Parameters::default());
    let error = parsed.and_then(|statement| statement.check(&Schema::default(), None, Timestamp(0))).err();
    let error = error.expect("there is no such column").in_text(text);
    assert_eq!(error.message, "Unknown column [abd]");
    assert_eq!((error.line, error.column, error.start, error.end), (2, 12, 23, 26));
}
