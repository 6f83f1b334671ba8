//! Escape sequences, whole and broken.

use super::*;

#[test]
fn what_is_not_a_whole_sequence_loses_its_escape_alone() {
    let cases = [
        ("plain", "plain"),
        ("\u{1b}[1;31mred\u{1b}[0m end", "red end"),
        ("\u{1b}[38:2::1:2:3mé\u{1b}[K", "é"),
        ("a\u{1b}", "a"),
        ("a\u{1b}[", "a"),
        ("a\u{1b}[12", "a"),
        ("\u{1b}éa", "éa"),
        ("\u{1b}[1é\u{1b}[0ma", "éa"),
    ];
    for (text, expected) in cases {
        assert_eq!(without(text), expected, "{text:?}");
    }
}

#[test]
fn only_the_beginning_is_cleared() {
    assert_eq!(without_leading(b"\x1b[2m\x1b[31mE\x1b[0m x"), b"E\x1b[0m x");
    assert_eq!(without_leading(b"\x1b[0"), b"");
}
