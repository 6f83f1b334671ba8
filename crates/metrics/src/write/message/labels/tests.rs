//! Labels that cannot be read, and their places.

use super::*;

/// Returns a label of version 1.0.
fn label_bytes(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[1 << 3 | 2, name.len() as u8], name, &[2 << 3 | 2, value.len() as u8], value].concat()
}

#[test]
fn texts_that_are_not_utf_8_are_refused_with_their_place() {
    let check = |name: &[u8], value: &[u8], expected: Result<(&str, &str), &str>| {
        let bytes = label_bytes(name, value);
        let expected = expected.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        assert_eq!(pair(&bytes).expect("protobuf"), expected.map_err(str::to_owned));
    };
    check(b"job", b"a", Ok(("job", "a")));
    check(b"job", b"a\xff", Err("the value \"a\u{fffd}\" of label \"job\" is not UTF-8"));
    check(b"\xff", b"a", Err("the label name \"\u{fffd}\" is not UTF-8"));
    assert!(pair(b"\x0a\x7f").is_err(), "a field that is cut off is no protobuf");
}

#[test]
fn references_that_mean_nothing_are_refused_with_their_metric() {
    let symbols: [&[u8]; 5] = [b"", b"__name__", b"up", b"job", b"\xff"];
    let labels = |references: &[u64]| labels_of(references, &symbols);
    assert_eq!(labels(&[1, 2]), Ok(vec![(Cow::Borrowed("__name__"), Cow::Borrowed("up"))]));
    let refused = |references: &[u64], expected: &str| {
        assert_eq!(labels(references), Err(format!("metric \"up\": {expected}")), "{references:?}");
    };
    refused(&[3, 9, 1, 2], "there is no symbol 9; the message has 5");
    refused(&[1, 2, 3], "there are 3 references to labels, an odd number");
    refused(&[1, 2, 3, 4], "the value \"\u{fffd}\" of label \"job\" is not UTF-8");
    assert_eq!(labels(&[u64::MAX, 2]), Err(format!("there is no symbol {}; the message has 5", u64::MAX)));
}
