//! What nodes say to each other is believed where its code is right, and nowhere else.

use std::time::Duration;

use axum::http::HeaderMap;
use data_encoding::HEXLOWER;
use storage::FleetOptions;

use super::link::{CODE_HEADER, FleetLink};

fn link(secret: &str) -> FleetLink {
    // Another test may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = FleetOptions {
        database: "postgres://db.example.org/catat".parse().expect("a URL"),
        node: "a".into(),
        address: "http://a".into(),
        roles: vec!["query".into()],
        zone: String::new(),
        linger: Duration::ZERO,
        object_bytes: 1 << 20,
    };
    FleetLink::new(options, secret.into()).expect("a client")
}

#[test]
fn codes_hold_for_what_was_said_and_for_one_secret() {
    let (one, other) = (link("one"), link("other"));
    let with_code = |code: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert(CODE_HEADER, HEXLOWER.encode(code).parse().expect("a header"));
        headers
    };
    let headers = with_code(&one.code("part", &[b"ab", b"c"]));
    assert!(one.is_from_node(&headers, "part", &[b"ab", b"c"]));
    assert!(!other.is_from_node(&headers, "part", &[b"ab", b"c"]));
    for (kind, parts) in [("part", [&b"a"[..], b"bc"]), ("forward", [b"ab", b"c"]), ("part", [b"ab", b"d"])] {
        assert!(!one.is_from_node(&headers, kind, &parts), "{kind} {parts:?}");
    }
    assert!(!one.is_from_node(&HeaderMap::new(), "part", &[b"ab", b"c"]));
    assert!(!one.is_from_node(&with_code(&one.code("part", &[b"ab", b"c"])[..31]), "part", &[b"ab", b"c"]));
}
