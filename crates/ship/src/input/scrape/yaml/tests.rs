//! Scalars as texts, and places of mistakes.

use serde_json::json;

use super::*;

#[test]
fn scalars_are_the_text_that_is_written() {
    let literals = [
        "no",
        "on",
        "y",
        "true",
        "1.10",
        "007",
        "0x10",
        "0o17",
        "1_000",
        "1e3",
        "1e999",
        "+5",
        "-0",
        ".inf",
        "-.inf",
        ".nan",
        "12345678901234567890123",
        "2024-01-01",
        "1:30",
        "v1",
        "=",
    ];
    for literal in literals {
        assert_eq!(read(&format!("é: {literal} # x\n")), Ok(json!({"é": literal})), "{literal}");
        assert_eq!(read(&format!("[{literal}, '{literal}', \"{literal}\"]")), Ok(json!([literal, literal, literal])));
        assert_eq!(read(&format!("\u{feff}- &a {literal}\n- *a\n")), Ok(json!([literal, literal])), "{literal}");
        assert_eq!(read(&format!("{literal}: ünï\n")), Ok(json!({literal: "ünï"})), "{literal}");
    }
    assert_eq!(
        read("a: !!str 1.10\nb: !!int \"7\"\nc: |\n  1.10\n"),
        Ok(json!({"a": "1.10", "b": "7", "c": "1.10\n"}))
    );
    assert_eq!(
        read("x: &x {a: 01, b: 2}\ny: {<<: *x, b: 0x3}\n"),
        Ok(json!({"x": {"a": "01", "b": "2"}, "y": {"a": "01", "b": "0x3"}}))
    );
}

#[test]
fn what_is_empty_is_null() {
    for text in ["", "# x\n", "---\n", "~"] {
        assert_eq!(read(text), Ok(Json::Null), "{text:?}");
    }
    assert_eq!(read("a:\nb: ~\nc: null\nd: ''\n"), Ok(json!({"a": null, "b": null, "c": null, "d": ""})));
}

#[test]
fn mistakes_have_their_place() {
    assert!(read("a: [\n").is_err_and(|error| error.contains("line")));
    assert!(read("a: 1\na: 2\n").is_err());
    assert!(read(&"[".repeat(5_000)).is_err());
}
