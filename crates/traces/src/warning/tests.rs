//! Warnings as a header.

use super::*;

#[test]
fn warning_is_a_quoted_text_whatever_the_reason() {
    let mut reading = Reading::default();
    assert_eq!(warning_of(&reading), None);
    reading.cut("a \"file\"\r\nEvil: ü".into());
    reading.cut("b".repeat(2_000));
    let warning = warning_of(&reading).expect("the answer is partial");
    let text = warning.to_str().expect("visible characters");
    assert!(text.starts_with("199 catat \"a ?file???Evil: ?; bbb"), "{text}");
    assert_eq!(text.len(), WARNING_MAX + 12);
}
