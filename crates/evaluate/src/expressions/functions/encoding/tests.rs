//! Tests of `encoding`.

use super::*;

#[test]
fn encodings_are_undone() {
    let check = |function, text, expected: Option<&str>| {
        assert_eq!(scalar(function, text).map(|value| value.to_string()).as_deref(), expected, "{text}");
    };
    check(Function::UrlDecode, "a%20b%2Fc%", Some("a b/c%"));
    check(Function::UrlDecode, "%C3%A9%zz", Some("é%zz"));
    check(Function::Base64Decode, "aGFsbG8=", Some("hallo"));
    check(Function::Base64Decode, "aGFsbG8", Some("hallo"));
    check(Function::Base64Decode, "!", None);
}

#[test]
fn digests_are_those_of_the_standards() {
    let check = |function, expected: &str| assert_eq!(scalar(function, "abc"), Some(Value::text(expected)));
    check(Function::Md5, "900150983cd24fb0d6963f7d28e17f72");
    check(Function::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
