//! What is no record, and what nests too deeply.

use super::*;

#[test]
fn nesting_beyond_the_limit_is_kept_as_text_and_costs_no_stack() {
    for depth in [63, 64, 1_000, 100_000] {
        for (open, close) in [("{\"a\":", "}"), ("[", "]"), ("[{\"a\":", "}]")] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let found = batch(&format!(r#"{{"v":{value},"w":2}}"#));
            assert_eq!(field(&found, "w"), Some(Value::Integer(2)));
            let is_cut = field(&found, "@rest").is_some();
            assert_eq!(is_cut, depth * open.matches(['{', '[']).count() + 1 > 64, "{depth} {open}");
        }
    }
    assert_eq!(error(&"{\"a\":".repeat(100_000)), "expected a value at column 500001");
    assert_eq!(error(&format!("{{\"a\":{}", "[".repeat(100_000))), "expected a value at column 100006");
}

#[test]
fn broken_records_are_refused_with_their_place() {
    let check = |line: &str, expected: &str| assert_eq!(error(line), expected, "{line}");
    check("", "expected a JSON object at column 1");
    check("[1]", "expected a JSON object at column 1");
    check("{", "expected a key in quotes at column 2");
    check(r#"{"a"}"#, "expected \":\" at column 5");
    check(r#"{"é":}"#, "expected a value at column 6");
    check(r#"{"a":1,}"#, "expected a key in quotes at column 8");
    check(r#"{"a":1 "b":2}"#, "expected \",\" or \"}\" at column 8");
    check(r#"{"a":01}"#, "expected no digit after a leading zero at column 7");
    check(r#"{"a":1.}"#, "expected a digit at column 8");
    check(r#"{"a":nul}"#, "expected a value at column 6");
    check(r#"{"a":"x"#, "text without closing quote at column 8");
    check(r#"{"a":"\x"}"#, "unknown escape at column 7");
    check(r#"{"a":"\u12"}"#, "expected four hexadecimal digits at column 7");
    check(r#"{"a":[1}"#, "expected \",\" or \"]\" at column 8");
    check(r#"{"a":1} x"#, "expected the end of the line at column 9");
}
