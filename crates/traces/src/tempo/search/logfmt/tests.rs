//! Tags as pairs.

use super::*;

#[test]
fn tags_are_pairs_with_or_without_quotes() {
    let check = |text: &str, expected: &[(&str, &str)]| {
        let pairs = tags(text).expect("good tags");
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, expected, "{text}");
    };
    check("", &[]);
    check(" a=b  c=\"d e\\\"\\\\\" f=", &[("a", "b"), ("c", "d e\"\\"), ("f", "")]);
    check("url=x=y", &[("url", "x=y")]);
    for bad in ["a", "=b", "a b=c", "a=\"b"] {
        assert!(tags(bad).is_err(), "{bad}");
    }
}
