//! Tests of `matching`.

use super::*;

fn check(text: &str, phrase: &str, expected: bool) {
    let words: Vec<String> = phrase.split_whitespace().map(String::from).collect();
    assert_eq!(holds_phrase(text, &words), expected, "{text} / {phrase}");
}

#[test]
fn phrases_are_whole_words_in_any_case() {
    check("Connection Refused by peer", "connection refused", true);
    check("connection, refused", "connection refused", true);
    check("disconnection refused", "connection refused", false);
    check("connection was refused", "connection refused", false);
    check("login from 10.1.2.3", "10.1.2.3", true);
    check("login from 10.1.2.34", "10.1.2.3", false);
    check("Größe ÄNDERN", "größe ändern", true);
    check("aaa aab", "aab", true);
    check("", "x", false);
}

#[test]
fn a_substring_never_reaches_over_the_end_of_a_text() {
    let values: Strings = ["ab", "cab", "", "b", "xabx"].into_iter().collect();
    let rows = substring_rows(&memmem::Finder::new("abc"), values.text().as_bytes(), values.ends());
    assert!(rows.is_empty());
    let rows = substring_rows(&memmem::Finder::new("ab"), values.text().as_bytes(), values.ends());
    assert_eq!(rows.iter().collect::<Vec<_>>(), [0, 1, 4]);
    let rows = substring_rows(&memmem::Finder::new("bb"), values.text().as_bytes(), values.ends());
    assert!(rows.is_empty());
}
