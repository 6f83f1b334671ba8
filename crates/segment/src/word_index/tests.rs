//! Words that are found, and damage.

use super::*;

#[test]
fn words_are_found_whatever_their_case_and_only_as_a_whole() {
    let templates =
        ["Connection refused by \u{12}", "connection reset", "refusal"].map(|text| text.as_bytes().to_vec());
    let section = build(&TemplateText::of(&templates)).expect("memory");
    let index = WordIndex::open(&section).expect("just built");
    let find = |words: &[&str]| index.templates_with(&words.iter().map(|w| w.to_string()).collect::<Vec<_>>());
    assert_eq!(find(&["connection"]), Ok(vec![1, 2]));
    assert_eq!(find(&["connection", "refused"]), Ok(vec![1]));
    assert_eq!(find(&["refuse"]), Ok(vec![]));
}

#[test]
fn a_damaged_section_is_an_error() {
    let section = build(&TemplateText::default()).expect("memory");
    for length in 0..section.len() {
        assert!(WordIndex::open(&section[..length]).is_err());
    }
}
