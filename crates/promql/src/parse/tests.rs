//! Keywords of experimental features, and signs before values.

use super::parse;

#[test]
fn words_of_experiments_are_names_of_metrics_too() {
    assert!(parse("sum(smoothed) + anchored{a=\"b\"}").is_ok());
    assert!(parse("a and smoothed or on (b) anchored").is_ok());
    assert!(parse("rate(a[5m] smoothed) + (anchored smoothed)").is_ok());
}

#[test]
fn a_plus_stands_before_numbers_and_vectors_alone() {
    assert!(parse("+1 + +a").is_ok());
    for text in ["+\"a\"", "+a[5m]", "label_replace(a, +\"b\", \"\", \"\", \"\")"] {
        assert!(parse(text).is_err(), "{text}");
    }
}
