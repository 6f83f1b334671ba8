//! Which streams a filter chooses.

use super::*;

#[test]
fn streams_are_chosen_by_their_labels_wherever_those_stand() {
    let matcher = |name, operator, value| Matcher::new(name, operator, value).expect("a matcher");
    let filter =
        StreamFilter::of(&[matcher("__name__", "=", "up"), matcher("job", "=", "a\"b"), matcher("x", "!=", "1")]);
    assert!(filter.accepts(r#"{"__name__":"up","job":"a\"b","x":"2"}"#));
    assert!(filter.accepts(r#"{"ZONE":"eu","__name__":"up","job":"a\"b"}"#), "a label before the name");
    assert!(!filter.accepts(r#"{"__name__":"up","job":"a"}"#));
    assert!(!filter.accepts(r#"{"__name__":"up2","job":"a\"b"}"#));
    assert!(!filter.accepts(r#"{"ZONE":"eu","__name__":"down","job":"a\"b"}"#));
    assert!(StreamFilter::of(&[matcher("x", "=", "")]).accepts(r#"{"__name__":"up"}"#), "it may be missing");
}
