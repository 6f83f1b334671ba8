//! Conditions of silences in both forms, and mistakes in them.

use super::*;

fn made(silence: &str) -> Result<Silence, String> {
    let silence: NewSilence = serde_json::from_str(silence).map_err(|error| error.to_string())?;
    let maker = Author { name: "a".into(), scope: GroupScope::All, is_admin: true };
    silence.checked(&maker, Timestamp(0)).map_err(|error| error.to_string())
}

#[test]
fn a_silence_is_written_as_channels_write_conditions_or_as_objects() {
    let parts = r#"[{"name":"severity","value":"page|error","is_regex":true}]"#;
    let all = [
        r#"{"match":["severity=~'page|error'"],"duration":"1h"}"#.to_owned(),
        r#"{"matchers":["severity=~'page|error'"],"duration":"1h"}"#.to_owned(),
        format!(r#"{{"matchers":{parts},"duration":"1h"}}"#),
    ];
    for written in all {
        let silence = made(&written).unwrap();
        let labels = |severity: &str| [("severity".to_owned(), severity.to_owned())].into();
        assert!(silence.holds(&[], &labels("page"), Timestamp(1)), "{written}");
        assert!(!silence.holds(&[], &labels("info"), Timestamp(1)), "{written}");
    }
}

#[test]
fn mistakes_are_told_in_the_words_of_the_api() {
    for (written, expected) in [
        (r#"{"matchers":[7],"duration":"1h"}"#, "a matcher is a text such as \"severity=~'page|error'\""),
        (r#""x""#, "expected an object with match, duration or ends_at, and comment"),
        (r#"{"match":["severity"],"duration":"1h"}"#, "\"severity\" is not a condition"),
        (r#"{"duration":"1h"}"#, "a silence has 1–20 conditions"),
        (r#"{"match":["a=b"]}"#, "a silence has either ends_at or duration"),
        (r#"{"matches":["a=b"]}"#, "unknown field `matches`"),
    ] {
        let refused = made(written).unwrap_err();
        assert!(refused.contains(expected) && !refused.contains("struct"), "{written}: {refused}");
    }
}
