//! Tests of `json`.

use super::*;

fn check(text: &str, expected: Option<&str>) {
    let shown = parse(text).map(|value| {
        let mut json = String::new();
        value.write_json(&mut json);
        json
    });
    assert_eq!(shown.as_deref(), expected, "{text}");
}

#[test]
fn json_keeps_types_and_digits() {
    check(r#" {"a":[1,2.5,"x\n",true,null],"a.b":{}} "#, Some(r#"{"a":[1,2.5,"x\n",true,null],"a.b":{}}"#));
    check("99999999999999999999", Some("\"99999999999999999999\""));
    check(r#"{"a":1,"b":2,"a":3}"#, Some(r#"{"a":3,"b":2}"#));
    check("\"\\ud83c\\udf0b\"", Some("\"🌋\""));
}

#[test]
fn what_is_no_json_is_no_value() {
    for text in ["", "null", "{", "[1,]", "{\"a\"}", "01", "1.", "+1", "nul", "\"\\", "\"a\n\"", "1 2", "{\"a\":1,}"] {
        check(text, None);
    }
    check(&"[".repeat(100_000), None);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_as_serde_json_would_or_not_at_all(text in "[\\[\\]{}\",:a1\\\\ .-]{0,24}") {
        let theirs = serde_json::from_str::<serde_json::Value>(&text).ok().filter(|value| !value.is_null());
        proptest::prop_assert_eq!(parse(&text).is_some(), theirs.is_some());
    }
}
