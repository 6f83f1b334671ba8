//! Expressions of Lucene.

use super::*;

#[test]
fn expressions_of_lucene_match_whole_values() {
    let matches = |pattern: &str, text: &str| {
        regex::Regex::new(&source(pattern).expect("an expression")).expect("ours").is_match(text)
    };
    assert!(matches("a.c", "abc") && !matches("a.c", "xabc"));
    assert!(matches("a|bc", "bc") && !matches("a|bc", "abc"));
    assert!(matches("^a$", "^a$") && matches("\\d+", "12") && matches("[^a-c]x", "dx"));
    assert!(matches("a.*", "a\nb"));
    for pattern in ["~a", "a&b", "<1-9>", "a**", "(?:a)", "[a", "a\\"] {
        assert!(source(pattern).is_err(), "{pattern}");
    }
    assert_eq!(replacement("$1-\\$").as_deref(), Ok("${1}-$$"));
    assert!(java("(?=a)").is_err() && java("a++").is_err() && java("\\1").is_err());
    assert_eq!(java("\\d+").as_deref(), Ok("[0-9]+"));
}
