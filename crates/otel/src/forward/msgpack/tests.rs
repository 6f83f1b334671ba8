//! Values as the specification of MessagePack writes them, cut and hostile ones.

use proptest::prelude::*;

use super::*;

fn json(mut bytes: &[u8]) -> Result<String, MsgpackError> {
    let mut out = Vec::new();
    write_json(&mut bytes, &mut out, 1 << 20)?;
    assert!(bytes.is_empty());
    Ok(String::from_utf8(out).expect("JSON is a text"))
}

#[test]
fn every_kind_of_value_is_json() {
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(json(bytes).as_deref(), Ok(expected), "{bytes:02x?}");
        assert_eq!(ValueEnd::default().find(&[bytes, b"rest"].concat(), 1 << 20), Ok(bytes.len()));
        for at in 0..bytes.len() {
            let mut end = ValueEnd::default();
            assert_eq!(end.find(&bytes[..at], 1 << 20), Err(MsgpackError::Cut), "{bytes:02x?} cut at {at}");
            assert_eq!(end.find(bytes, 1 << 20), Ok(bytes.len()), "{bytes:02x?} cut at {at}");
            assert_eq!(take_value(&mut &bytes[..at]), Err(MsgpackError::Cut));
        }
    };
    check(&[0xc0], "null");
    check(&[0xc3], "true");
    check(&[0xc2], "false");
    check(&[0x7f], "127");
    check(&[0xe0], "-32");
    check(&[0xcc, 0xff], "255");
    check(&[0xcd, 0x01, 0x00], "256");
    check(&[0xce, 0xff, 0xff, 0xff, 0xff], "4294967295");
    check(&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615");
    check(&[0xd0, 0x80], "-128");
    check(&[0xd1, 0x80, 0x00], "-32768");
    check(&[0xd2, 0x80, 0x00, 0x00, 0x00], "-2147483648");
    check(&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808");
    check(&[0xca, 0x3d, 0xcc, 0xcc, 0xcd], "0.1");
    check(&[0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "1.5");
    check(&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], "\"inf\"");
    check(b"\xa3a\"\n", r#""a\"\n""#);
    check(b"\xd9\x02\xffb", "\"\u{fffd}b\"");
    check(b"\xda\x00\x01a", "\"a\"");
    check(b"\xdb\x00\x00\x00\x01a", "\"a\"");
    check(b"\xc4\x01a", "\"a\"");
    check(b"\xc5\x00\x01a", "\"a\"");
    check(b"\xc6\x00\x00\x00\x01a", "\"a\"");
    check(&[0x92, 0x01, 0x90], "[1,[]]");
    check(&[0xdc, 0, 1, 0xc0], "[null]");
    check(&[0xdd, 0, 0, 0, 1, 0xc0], "[null]");
    check(b"\x82\xa1a\x01\x02\x80", r#"{"a":1,"2":{}}"#);
    check(b"\xde\x00\x01\xa1a\x01", r#"{"a":1}"#);
    check(b"\xdf\x00\x00\x00\x01\xa1a\x01", r#"{"a":1}"#);
    check(&[0xd7, 0x00, 0, 0, 0, 1, 0, 0, 0, 2], "1.000000002");
    check(&[0xd4, 0x05, 0xab], "\"ab\"");
    check(&[0xc7, 2, 0x05, 0xab, 0xcd], "\"abcd\"");
}

#[test]
fn lengths_that_lie_and_depth_are_refused() {
    let end = |bytes: &[u8]| ValueEnd::default().find(bytes, 1000);
    assert_eq!(end(&[0xdb, 0xff, 0xff, 0xff, 0xff]), Err(MsgpackError::TooLarge));
    assert_eq!(end(&[0xdd, 0xff, 0xff, 0xff, 0xff]), Err(MsgpackError::TooLarge));
    assert_eq!(end(&[0xdf, 0xff, 0xff, 0xff, 0xff]), Err(MsgpackError::TooLarge));
    assert_eq!(end(&[0x91, 0xc1]), Err(MsgpackError::Reserved));
    let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
    assert_eq!(take_value(&mut &deep[..]).map(<[u8]>::len), Ok(deep.len()));
    assert_eq!(json(&deep), Err(MsgpackError::Deep));
    assert_eq!(json(&[vec![0x91; DEPTH_MAX], vec![0xc0]].concat()).map(|text| text.len()), Ok(2 * DEPTH_MAX + 4));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut rest = &bytes[..];
        if let Ok(value) = take_value(&mut rest) {
            let written = json(value);
            if let Ok(written) = &written {
                prop_assert!(serde_json::from_str::<serde_json::Value>(written).is_ok(), "{written}");
            }
            prop_assert!(written.is_ok() || matches!(written, Err(MsgpackError::Deep)));
        }
    }
}
