//! Dimensions that Amazon allows.

use serde_json::json;

use super::*;

#[test]
fn dimensions_of_new_data_are_those_that_amazon_allows() {
    let check = |name: &str, text: &str, expected: Option<&str>| {
        let datum = json!({"Dimensions": [{"Name": "a", "Value": "b"}, {"Name": name, "Value": text}]});
        let problem = check_dimensions(&Parameters::new(&datum)).err();
        let Some(expected) = expected else { return assert!(problem.is_none(), "{name:?} {text:?}: {problem:?}") };
        let problem = problem.expect(expected);
        let (_, kind, message) = problem.parts();
        assert!(kind == "InvalidParameterValueException" && message.contains(expected), "{message}");
    };
    check("a b", " x:\"y\" ", None);
    check("a:", ":", None);
    check("  ", "x", Some("Dimensions.member.2.Name must contain a character other than a blank"));
    check("a", " ", Some("Dimensions.member.2.Value must contain a character"));
    check(":a", "x", Some("Dimensions.member.2.Name must not start with a colon"));
    check("é", "x", Some("Dimensions.member.2.Name must contain only ASCII characters"));
    check("a", "ü", Some("Dimensions.member.2.Value must contain only ASCII characters"));
    check("a", "x\ny", Some("and no control characters"));
}
