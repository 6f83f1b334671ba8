//! Links and maps of a request.

use serde_json::json;

use super::*;

#[test]
fn links_are_read_whatever_they_hold() {
    let input = SnsInput::of_query("Action=Unsubscribe&Proof=a%3Ab+c%zz%&Proof=second&&x");
    assert_eq!((input.action().as_str(), input.text("Token")), ("Unsubscribe", Some("a:b c%zz%")));
    assert_eq!(SnsInput::of_query("Action=<b>").action(), "");
}

#[test]
fn maps_are_lists_of_entries() {
    let input = SnsInput::new(json!({
        "Attributes": {"entry": {"1": {"key": "a", "value": "b"}, "2": {"key": "c", "value": "d"}}}, "Tags": "", "Bad": "x",
    }));
    assert_eq!(input.map("Attributes").unwrap().len(), 2);
    assert!(input.map("Tags").unwrap().is_empty() && input.map("Bad").is_err());
    assert!(input.know(&["Attributes", "Tags"]).is_err());
}
