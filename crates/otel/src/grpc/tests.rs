//! Messages of gRPC in a body.

use super::*;

#[test]
fn a_body_is_one_message_of_the_length_that_it_says() {
    let check = |body: &[u8], packing| message(body, packing).map(|(m, e)| (m.to_vec(), e)).map_err(|p| p.message);
    assert_eq!(check(b"\0\0\0\0\x02ab", Encoding::Gzip), Ok((b"ab".to_vec(), Encoding::Identity)));
    assert_eq!(check(b"\x01\0\0\0\x01a", Encoding::Zstd), Ok((b"a".to_vec(), Encoding::Zstd)));
    assert_eq!(check(b"\0\0\0\0\0", Encoding::Identity), Ok((Vec::new(), Encoding::Identity)));
    for wrong in [
        &b""[..],
        b"\0\0\0\0",
        b"\0\0\0\0\x03ab",
        b"\0\0\0\0\x01ab",
        b"\0\xff\xff\xff\xffab",
        b"\x01\0\0\0\x01a",
        b"\x02\0\0\0\x01a",
    ] {
        assert!(check(wrong, Encoding::Identity).is_err(), "{wrong:?}");
    }
}

#[test]
fn what_is_said_in_a_header_is_ascii() {
    assert_eq!(percent_encoded("50 % of „this“\n"), "50 %25 of %E2%80%9Ethis%E2%80%9C%0A");
}

#[test]
fn grpc_of_browsers_is_another_protocol() {
    let check = |text: &'static str| is_spoken(Some(&HeaderValue::from_static(text)));
    assert!(check("application/grpc") && check("application/grpc+proto") && check("application/grpc;a=b"));
    assert!(!check("application/grpc-web") && !check("application/json") && !is_spoken(None));
}
