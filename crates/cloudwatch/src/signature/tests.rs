//! Signed requests, and what is wrong with others.

mod signing;

use self::signing::signed;
use super::*;

const NOW: &str = "2026-11-20T12:00:00Z";

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).expect("a valid time")
}

fn check(headers: &HeaderMap, path: &str, body: &[u8], now: Timestamp) -> Result<(), &'static str> {
    let uri: Uri = path.parse().expect("a path");
    let signature = Signature::of(headers, "logs", now).map_err(|problem| problem.kind)?.ok_or("none")?;
    signature.check("secret", &Method::POST, &uri, headers, body).map_err(|problem| problem.kind)
}

#[test]
fn the_documented_derivation_of_a_key_is_followed() {
    // The example in Amazon's documentation of the signing process.
    let mut key = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec();
    for step in ["20120215", "us-east-1", "iam", "aws4_request"] {
        key = keyed_hash(&key, step.as_bytes());
    }
    assert_eq!(HEXLOWER.encode(&key), "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

#[test]
fn what_was_signed_is_accepted_and_nothing_else() {
    let headers = signed("id", "secret", "PutLogEvents", b"{}");
    assert_eq!(check(&headers, "/cloudwatch/", b"{}", now()), Ok(()));
    let wrong = Err("InvalidSignatureException");
    assert_eq!(check(&headers, "/cloudwatch/", b"{ }", now()), wrong);
    assert_eq!(check(&headers, "/cloudwatch", b"{}", now()), wrong);
    assert_eq!(check(&headers, "/cloudwatch/?a=b", b"{}", now()), wrong);
    assert_eq!(check(&signed("id", "other", "PutLogEvents", b"{}"), "/cloudwatch/", b"{}", now()), wrong);
    for name in ["host", "content-type", "x-amz-target", "x-amz-date"] {
        let mut changed = headers.clone();
        changed.insert(name, "20261120T120000Z".parse().expect("a header value"));
        assert_eq!(check(&changed, "/cloudwatch/", b"{}", now()), wrong, "{name}");
    }
    let mut spaced = headers.clone();
    spaced.insert("content-type", "  application/x-amz-json-1.1 ".parse().expect("a header value"));
    assert_eq!(check(&spaced, "/cloudwatch/", b"{}", now()), Ok(()));
    let mut hash = headers;
    hash.insert("x-amz-content-sha256", UNSIGNED_PAYLOAD.parse().expect("a header value"));
    assert_eq!(check(&hash, "/cloudwatch/", b"{}", now()), wrong, "it is not among the signed headers");
}

#[test]
fn a_signature_is_good_for_a_quarter_of_an_hour() {
    let headers = signed("id", "secret", "PutLogEvents", b"{}");
    let at = |minutes: i64| check(&headers, "/cloudwatch/", b"{}", Timestamp(now().0 + minutes * Timestamp::MINUTE));
    assert_eq!((at(16), at(-14)), (Ok(()), Ok(())));
    assert_eq!((at(17), at(-15)), (Err("InvalidSignatureException"), Err("InvalidSignatureException")));
}

#[test]
fn what_is_no_signature_is_refused_without_a_panic() {
    let whole = signed("id", "secret", "PutLogEvents", b"{}");
    let text = whole["authorization"].to_str().expect("it is text").to_owned();
    for end in 0..text.len() {
        let mut headers = whole.clone();
        headers.insert("authorization", text[..end].parse().expect("a header value"));
        assert!(check(&headers, "/cloudwatch/", b"{}", now()).is_err(), "{end}");
    }
    for time in ["", "Z", "20261120T120100", "2026112\u{e9}T12010Z", "20269920T120100Z", "99999999T999999Z"] {
        let mut headers = whole.clone();
        headers.insert("x-amz-date", axum::http::HeaderValue::from_bytes(time.as_bytes()).expect("a header value"));
        assert_eq!(check(&headers, "/cloudwatch/", b"{}", now()), Err("InvalidSignatureException"), "{time}");
    }
}
