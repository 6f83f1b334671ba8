//! Messages with texts of protocols and attributes.

use super::*;

#[test]
fn a_message_in_json_has_a_default_and_texts_of_protocols() {
    let message = r#"{"default": "d", "http": "h", "sqs": "q", "email": 1}"#;
    let (default, texts) = by_protocol(message).unwrap();
    assert_eq!((default.as_str(), texts), ("d", [("http".to_owned(), "h".to_owned())].into()));
    for bad in ["", "x", "[]", "{}", r#"{"default": 1}"#] {
        assert!(by_protocol(bad).is_err(), "{bad}");
    }
}

#[test]
fn attributes_are_shown_with_their_types() {
    let entry = |kind: &str| json!({"MessageAttributes": {"entry": {"1": {"Name": "a", "Value": {"DataType": kind, "StringValue": "1"}}}}});
    let read = |kind: &str| attributes(&SnsInput::new(entry(kind)));
    assert_eq!(read("Number").unwrap(), json!({"a": {"Type": "Number", "Value": "1"}}));
    assert!(read("Numbers").is_err() && read("String.Array").is_ok());
}

#[test]
fn the_value_of_a_number_is_one() {
    let read = |kind: &str, text: &str| {
        let entry = json!({"Name": "a", "Value": {"DataType": kind, "StringValue": text}});
        attributes(&SnsInput::new(json!({"MessageAttributes": {"entry": {"1": entry}}})))
    };
    for good in ["7", "-1.5", "2e3"] {
        assert!(read("Number", good).is_ok() && read("Number.int", good).is_ok(), "{good}");
    }
    for bad in ["abc", "", "1,5", "inf", "NaN", " 1"] {
        let problem = read("Number", bad).unwrap_err();
        assert_eq!(problem.parts().1, "ParameterValueInvalid", "{bad}");
    }
    assert!(read("String", "abc").is_ok() && read("Number.int", "abc").is_err());
}
