//! Tests of `unreadable`.

use super::*;

#[test]
fn problems_are_told_as_go_tells_them() {
    assert_eq!(number("a\"c"), r#"strconv.ParseFloat: parsing "a\"c": invalid syntax"#);
    assert_eq!(number("1e999"), "strconv.ParseFloat: parsing \"1e999\": value out of range");
    assert_eq!(number("\u{1}\n"), "strconv.ParseFloat: parsing \"\\x01\\n\": invalid syntax");
    assert_eq!(duration("abc"), "time: invalid duration \"abc\"");
    assert_eq!(duration(""), "time: invalid duration \"\"");
    assert_eq!(duration("5 \"µs\n"), r#"time: unknown unit " \"\xc2\xb5s\x0a" in duration "5 \"\xc2\xb5s\x0a""#);
    assert_eq!(duration("15"), "time: missing unit in duration \"15\"");
    assert_eq!(duration("1h117kb"), "time: unknown unit \"kb\" in duration \"1h117kb\"");
    assert_eq!(size("abc"), "strconv.ParseFloat: parsing \"\": invalid syntax");
    assert_eq!(size("12 Apples"), "unhandled size name: apples");
    assert_eq!(size("99eb"), "too large: 99eb");
}
