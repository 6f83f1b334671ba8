//! Columns of places, and near words.

use super::*;

#[test]
fn places_count_code_points_and_utf16_units() {
    let text = "a\n🌋é xx";
    let error = QueryError::new("e", "wrong", text, Span { start: 9, end: 11 });
    assert_eq!((error.line, error.column, error.start, error.end), (2, 4, 6, 8));
    assert_eq!(error.with_hint("do y").to_string(), "wrong at 2:4; do y");
}

#[test]
fn near_words_are_found_and_far_ones_are_not() {
    let words = ["stats", "filter", "fields", "sort"];
    assert_eq!(nearest("statz", words), Some("stats"));
    assert_eq!(nearest("FLITER", words), Some("filter"));
    assert_eq!(nearest("connection", words), None);
    assert_eq!(nearest("x", words), None);
}
