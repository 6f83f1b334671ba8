//! Warnings as a header.

use super::*;

#[test]
fn warning_is_a_quoted_text_whatever_the_reason() {
    let mut reading = Reading::default();
    assert!(with_warning("x", &reading).headers().get(header::WARNING).is_none());
    reading.cut("a \"file\"\r\nEvil: ü".into());
    reading.cut("b".repeat(2_000));
    let response = with_warning("x", &reading);
    let text = response.headers()[header::WARNING].to_str().expect("visible characters");
    assert!(text.starts_with("199 catat \"a ?file???Evil: ?; bbb"), "{text}");
    assert_eq!(text.len(), WARNING_MAX + 12);
}
