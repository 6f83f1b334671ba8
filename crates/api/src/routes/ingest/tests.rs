//! How the format of a body is chosen.

use super::*;

#[test]
fn the_format_is_what_is_asked_for_then_what_the_body_says_it_is() {
    let check = |format_name: &str, content_type: &'static str| {
        let parameters = Parameters(vec![("format".into(), format_name.into())]);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().expect("a header value"));
        format(&parameters, &headers).map_err(|problem| problem.code)
    };
    assert_eq!(check("lines", "text/plain"), Ok(Format::Lines));
    assert_eq!(check("", "text/plain; charset=utf-8"), Ok(Format::Text));
    assert_eq!(check("", "application/x-www-form-urlencoded"), Ok(Format::Ndjson));
    assert_eq!(check("xml", "text/plain"), Err("unknown-format"));
}
