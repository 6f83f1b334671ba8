//! What texts have in common.

use super::*;
use crate::mine::tokens::words_of;

fn check(texts: &[&str], expected: &str) {
    let mut tokens = Tokens::default();
    let words = |text: &&str| words_of(text).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = texts.iter().map(words).collect();
    let rows: Vec<Row> = rows.iter().map(|row| row.iter().map(|word| tokens.number(word)).collect()).collect();
    assert_eq!(shown(&Rows::new(rows), &tokens), vec![expected; texts.len()]);
}

#[test]
fn what_all_texts_have_around_what_varies_is_shown() {
    check(&["one two (a.b) three", "one two (a.b, c.d) three"], "one two (a.b<*>) three");
    check(&["one two a.b three", "one two (a.b) three"], "one two <*> three");
    check(&["one two three", "one two a.b three"], "one two <*> three");
    check(&["one, two three", "one two three"], "one<*> two three");
}
