//! Ids and ranges of requests.

use super::*;

#[test]
fn ids_have_two_forms_and_come_once() {
    let ids = |texts: &[&str]| {
        let request = ById { ids: Some(texts.iter().map(|text| (*text).to_owned()).collect()) };
        request
            .ids()
            .map(|ids| ids.into_iter().map(|(_, id)| id).collect::<Vec<_>>())
            .map_err(|problem| problem.message)
    };
    let digits = "581cf771a006649127e371903a2de979";
    assert_eq!(ids(&["1-581cf771-A006649127e371903a2de979", digits]), Ok(vec![digits.to_owned()]));
    for wrong in ["1-581cf771-zz", "581cf771", "1-581cf771a-006649127e371903a2de979", "", "1--"] {
        assert!(ids(&[wrong]).is_err_and(|message| message.contains("8 hexadecimal digits")), "{wrong}");
    }
    assert!(ids(&[digits; 6]).is_err_and(|message| message.contains("1 to 5")));
    assert!(ids(&[]).is_err());
}

#[test]
fn ranges_are_in_seconds() {
    let range =
        |text: &str| body::<Ends>(text.as_bytes()).and_then(|ends| ends.range()).map_err(|problem| problem.message);
    let found = range(r#"{"StartTime": 10, "EndTime": 20.25}"#).expect("a range");
    assert_eq!((found.from.0, found.to.0), (10_000_000_000, 20_250_000_001));
    assert_eq!(range(r#"{"StartTime": 3, "EndTime": 3}"#).map(|range| range.to.0), Ok(4_000_000_000));
    for wrong in [
        "",
        "[]",
        "{",
        r#"{"StartTime": 1}"#,
        r#"{"StartTime": "1", "EndTime": 2}"#,
        r#"{"StartTime": -1, "EndTime": 2}"#,
        r#"{"StartTime": 1, "EndTime": 1e300}"#,
        r#"{"StartTime": 3, "EndTime": 2}"#,
        r#"{"StartTime": null, "EndTime": 2}"#,
    ] {
        assert!(range(wrong).is_err(), "{wrong}");
    }
}
