//! What a filter never denies, and what it denies.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_a_text_holds_the_filter_never_denies(
        texts in proptest::collection::vec("[a-zA-Z0-9\u{e9}]{1,12}", 1..20), which in 0usize..20,
        from in 0usize..12, length in 1usize..12,
    ) {
        let table = FilterTable::of(texts.iter().map(String::as_str), 0).bytes();
        let piece: String = texts[which % texts.len()].chars().skip(from).take(length).collect();
        prop_assert!(piece.is_empty() || may_hold(&table, &piece));
        prop_assert!(piece.is_empty() || may_hold(&table, &piece.to_ascii_uppercase()));
        let rare = FilterTable::of(texts.iter().map(String::as_str), 2).bytes();
        prop_assert!(piece.is_empty() || may_hold_rare(&rare, &piece, 2));
    }
}

#[test]
fn most_other_texts_are_denied() {
    let texts: Vec<String> = (0..5000).map(|i| format!("u{}", i * 7919)).collect();
    let table = FilterTable::of(texts.iter().map(String::as_str), 0).bytes();
    let n_mistakes = (0..1000).filter(|i| may_hold(&table, &format!("needle{i}one8c41f"))).count();
    assert!(n_mistakes < 20, "{n_mistakes}");
    assert!(!may_hold(&FilterTable::of(std::iter::empty(), 0).bytes(), "anything"));
}
