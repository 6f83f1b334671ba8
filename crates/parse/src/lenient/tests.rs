//! Objects with a mistake in them.

use super::*;

fn read(text: &str) -> (String, Option<JsonMistake>) {
    let mut found = Vec::new();
    let mistake = json_members(text, &mut |name, token| {
        found.push(match token {
            JsonToken::Text(inner) => format!("{name}={}", json_text(inner).unwrap_or_default()),
            token => format!("{name}:{token:?}"),
        });
        Ok::<(), JsonMistake>(())
    });
    (found.join(" "), mistake.err())
}

#[test]
fn members_before_a_mistake_are_read() {
    let check = |text: &str, found: &str, mistake: Option<JsonMistake>| {
        assert_eq!(read(text), (found.to_owned(), mistake), "{text}");
    };
    check(
        r#" {"a" : "x\n", "b":[1,{"c":"]"}], "d":null} more"#,
        "a=x\n b:Array(\"[1,{\\\"c\\\":\\\"]\\\"}]\") d:Null",
        None,
    );
    check("{}", "", None);
    check(r#"{"a":"1",}"#, "a=1", None);
    check("{", "", Some(JsonMistake::Malformed));
    check("plain", "", Some(JsonMistake::Object));
    check(r#"{"a":5"#, "a:Plain(\"5\")", Some(JsonMistake::Array));
    check(r#"{"a":"1","b":"cut"#, "a=1", Some(JsonMistake::String));
    check(r#"{"a":"1","b":{"c":1"#, "a=1", Some(JsonMistake::Object));
    check(r#"{"a":"1","b":[1"#, "a=1", Some(JsonMistake::Array));
    check(r#"{"a":"1" "b":2}"#, "a=1", Some(JsonMistake::Object));
    check(r#"{"a":"1","b"#, "a=1", Some(JsonMistake::Malformed));
    check(r#"{"a":yes}"#, "", Some(JsonMistake::Value));
    check(r#"{"\q":1}"#, "", Some(JsonMistake::Escape));
    check("{\"a\":\"tab\there \\u00e9\"}", "a=tab\there é", None);
}

#[test]
fn a_string_with_a_wrong_escape_has_no_text() {
    assert_eq!(json_text(r"a\q"), None);
    assert_eq!(json_text(r"\ud83d\ude00").as_deref(), Some("😀"));
    assert_eq!(json_text(r"\ud83d"), None);
    assert_eq!(json_text(r#"\\\"\/"#).as_deref(), Some("\\\"/"));
}
