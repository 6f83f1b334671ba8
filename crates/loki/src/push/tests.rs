//! The form of a body by its headers.

use super::*;

#[test]
fn the_form_is_what_the_headers_say() {
    let check = |kind: &'static str, encoding: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().expect("a header value"));
        headers.insert(header::CONTENT_ENCODING, encoding.parse().expect("a header value"));
        form(&headers).map_err(|problem| problem.status.as_u16())
    };
    assert_eq!(check("application/json", "gzip"), Ok(Form::Json(Encoding::Gzip)));
    assert_eq!(check("application/x-protobuf", "snappy"), Ok(Form::Protobuf));
    assert_eq!(check("application/x-protobuf; proto=x", ""), Ok(Form::Protobuf));
    assert_eq!(check("application/x-protobuf", "gzip"), Err(415));
}
