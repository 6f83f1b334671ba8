//! Lengths of messages and names of severities.

use super::super::super::fields::elements;
use super::*;

#[test]
fn lengths_of_every_size_are_those_of_what_follows() {
    for n_bytes in [0, 1, 120, 123, 124, 125, 126, 127, 128, 129, 16_376, 16_379, 16_384, 2_097_140, 2_097_152] {
        let text = "x".repeat(n_bytes);
        let mut message = Vec::new();
        put_pair(6, "", &Kind::Text((&*text).into()), &mut message);
        let mut inner = &message[..];
        for number in [6, 2, 1] {
            let found: Vec<_> = elements(inner, number).collect::<Result<_, _>>().expect("a message");
            let [only] = found[..] else { panic!("{number}: {} fields", found.len()) };
            inner = only;
        }
        assert_eq!(inner, text.as_bytes(), "{n_bytes}");
    }
}

#[test]
fn the_names_of_severities_are_understood() {
    let names = ["TRACE", "TRACE2", "DEBUG4", "INFO", "ERROR3", "FATAL4", "UNSPECIFIED"];
    let numbers = names.map(|name| severity(&format!("SEVERITY_NUMBER_{name}")));
    assert_eq!(numbers, [1, 2, 8, 9, 19, 24, 0].map(Some));
    assert_eq!(severity("SEVERITY_NUMBER_INFO5"), None);
    assert_eq!(severity("INFO"), None);
}
