//! Tests of `columns`.

use super::*;

#[test]
fn brackets_and_quotes_hold_one_column_together() {
    let check = |text, expected: &[&str]| assert_eq!(columns(text).collect::<Vec<_>>(), expected, "{text}");
    check(
        "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534",
        &["127.0.0.1", "-", "frank", "10/Oct/2000:13:25:15 -0700", "GET /index.html HTTP/1.0", "404", "1534"],
    );
    check("  a\t b  ", &["a", "b"]);
    check("a \"b c", &["a", "b c"]);
    check("[] \"\"", &["", ""]);
    check("", &[]);
    assert_eq!(list("a b", true), Value::List(vec![Some(Value::text("b")), Some(Value::text("a"))].into()));
}
