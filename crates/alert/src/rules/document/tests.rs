//! Markers between documents.

use super::*;

fn check(text: &str, expected: &str, next: Option<u64>) {
    assert_eq!(first(text), (expected, next), "{text:?}");
}

#[test]
fn one_document_is_the_whole_text() {
    for text in [
        "", "a: 1\n", "# x\n---\na: 1\n", "%YAML 1.1\n---\na: 1\n", "\u{feff}---\r\na: 1", "a: |\n  ---\n", "---a: 1\n",
    ] {
        check(text, text, None);
    }
}

#[test]
fn the_rest_begins_at_the_second_marker() {
    check("a: 1\n---\nb: 2\n", "a: 1\n", Some(3));
    check("---\na: 1\n--- # x\n\n# y\nb: 2", "---\na: 1\n", Some(6));
    check("a: |\n  x\n---\tb: 2\n", "a: |\n  x\n", Some(3));
    check("---\n---\nb: 2\n", "---\n", Some(3));
    check("a: 1\n...\nb: 2\n", "a: 1\n", Some(3));
}

#[test]
fn empty_documents_at_the_end_are_nothing() {
    check("a: 1\n---\n# nothing\n---\n...\n", "a: 1\n", None);
    check("a: 1\n...\n", "a: 1\n", None);
}
