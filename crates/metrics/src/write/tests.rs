//! The message by its headers.

use super::*;

#[test]
fn the_message_is_what_the_headers_say() {
    let check = |kind: &'static str, encoding: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        version(&headers).map_err(|problem| problem.status.as_u16())
    };
    assert_eq!(check("application/x-protobuf", "snappy"), Ok(Version::One));
    assert_eq!(check("application/x-protobuf;proto=prometheus.WriteRequest", "snappy"), Ok(Version::One));
    assert_eq!(check("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy"), Ok(Version::Two));
    assert_eq!(check("application/x-protobuf;proto=other", "snappy"), Err(415));
    assert_eq!(check("application/x-protobuf", "gzip"), Err(415));
    assert_eq!(check("application/json", "snappy"), Err(415));
}
