//! Help that is not all UTF-8.

use super::*;

#[test]
fn help_that_is_not_utf_8_is_kept_as_far_as_it_is() {
    let symbols: [&[u8]; 3] = [b"", b"a\xffb", b"seconds"];
    let mut budget = DecodeBudget::of_body(10);
    let metadata =
        read(&[1 << 3, 1, 3 << 3, 1, 4 << 3, 2], &symbols, &mut budget).expect("protobuf").expect("metadata");
    let expected = Metadata { kind: kind_of_number(1), help: "a\u{fffd}b".to_owned(), unit: "seconds".to_owned() };
    assert_eq!(metadata, expected);
    let wrong = read(&[3 << 3, 8], &symbols, &mut budget).expect("protobuf");
    assert_eq!(wrong, Err("there is no symbol 8; the message has 3".to_owned()));
    assert_eq!(read(&[], &[], &mut budget).expect("protobuf").map(|metadata| metadata.help), Ok(String::new()));
}
