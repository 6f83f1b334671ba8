//! Formats and the names of their fields.

use super::*;

#[test]
fn texts_have_no_other_names_and_formats_do() {
    let mut lines = LineFields::default();
    assert!(!lines.may_have_other_names("connection refused by 10.0.0.1 after 3 attempts"));
    assert!(lines.may_have_other_names(r#" {"a\u0062c": 1}"#));
    let access = r#"1.2.3.4 - - [20/Nov/2026:06:47:13 +0000] "GET / HTTP/1.1" 200 5"#;
    assert!(lines.may_have_other_names(access));
    assert_eq!(["status", "user_id", "GET"].map(|name| lines.of(access)(name)), [true, false, true]);
    let flow = "10.0.0.1 10.0.0.2 443";
    assert!(!lines.may_have_other_names(flow));
    assert!(lines.may_have_other_names("srcaddr dstaddr dstport") && lines.may_have_other_names(flow));
}
