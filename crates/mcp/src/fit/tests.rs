//! Texts and lists that are shortened.

use super::*;

#[test]
fn texts_are_cut_and_hidden_characters_shown() {
    let mut value = json!({"a\u{1b}": ["x\u{1b}[31m\u{202e}y", "z".repeat(600)], "n": 7});
    clean(&mut value);
    assert_eq!(value["a\\u{1b}"][0], "x\\u{1b}[31m\\u{202e}y");
    let cut = value["a\\u{1b}"][1].as_str().expect("a text");
    assert!(cut.starts_with(&"z".repeat(500)) && cut.contains("(+100 characters;"), "{cut}");
    assert_eq!(value["n"], 7);
}

#[test]
fn the_largest_list_is_shortened_first_and_the_rest_is_counted() {
    let rows: Vec<Json> = (0..1_000).map(|n| json!([n, "a line of a log that takes some room"])).collect();
    let mut answer = json!({"rows": rows, "few": [1, 2], "matched": 1_000});
    shorten(&mut answer, &["/rows", "/few"], 10_000);
    let shown = answer["rows"].as_array().expect("rows").len();
    assert!(answer.to_string().len() <= 10_200 && shown > 100, "{shown}");
    assert_eq!(answer["left_out"], json!({"rows": {"shown": shown, "of": 1_000}}));
    assert_eq!(answer["matched"], 1_000);
    let mut small = json!({"rows": [1]});
    shorten(&mut small, &["/rows"], 10_000);
    assert_eq!(small, json!({"rows": [1]}));
}

#[test]
fn budgets_are_bounded() {
    assert_eq!((bytes_of(None), bytes_of(Some(1)), bytes_of(Some(1_000_000))), (18_000, 1_500, 72_000));
}
