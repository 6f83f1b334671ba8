//! Tests of `text`.

use super::*;

fn check(function: Function, arguments: &[Cell<'_>], expected: Option<&str>) {
    let shown = scalar(function, arguments).map(|value| value.to_string());
    assert_eq!(shown.as_deref(), expected, "{function:?} {arguments:?}");
}

#[test]
fn texts_are_cut_by_code_points() {
    check(Function::Substring, &[Cell::Text("é🌋x"), Cell::Integer(1), Cell::Integer(1)], Some("🌋"));
    check(Function::Substring, &[Cell::Text("abc"), Cell::Integer(5)], Some(""));
    check(Function::Substring, &[Cell::Text("abc"), Cell::Integer(1), Cell::Integer(99)], Some("bc"));
    check(Function::Position, &[Cell::Text("a🌋b"), Cell::Text("b")], Some("2"));
    check(Function::Position, &[Cell::Text("ab"), Cell::Text("x")], None);
    check(Function::TextLength, &[Cell::Integer(200)], Some("3"));
}

#[test]
fn a_text_that_would_grow_without_bound_is_missing() {
    let long = "a".repeat(1 << 20);
    check(Function::Replace, &[Cell::Text(&long), Cell::Text("a"), Cell::Text("aaaaaaaaaaaaaaaaaaaaaaa")], None);
    let any = Regex::new("a").expect("a valid expression");
    assert_eq!(replace_matches(&long, &any, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), None);
    assert_eq!(replace_matches("a1b22", &Regex::new("[0-9]+").expect("valid"), "<$0>"), Some(Value::text("a<1>b<22>")));
}
