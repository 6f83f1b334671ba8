//! Signs requests as clients of AWS do.

use axum::http::{HeaderMap, HeaderName};

use super::authorization;

/// The keys of a signature, and the request that it is for.
#[derive(Clone, Copy)]
pub(super) struct Signing<'a> {
    /// The id of the pair of keys.
    pub(super) access_key_id: &'a str,
    /// The secret of the pair.
    pub(super) secret: &'a str,
    /// The AWS service.
    pub(super) service: &'a str,
    /// The path of the request.
    pub(super) path: &'a str,
    /// The operation, for services that have it in a header.
    pub(super) target: Option<&'a str>,
}

/// Returns the headers of a signed request of an operation for `/cloudwatch/`.
pub(super) fn signed(access_key_id: &str, secret: &str, operation: &str, body: &[u8]) -> HeaderMap {
    let target = format!("Logs_20140328.{operation}");
    Signing { access_key_id, secret, service: "logs", path: "/cloudwatch/", target: Some(&target) }.headers(body)
}

impl Signing<'_> {
    /// Returns the headers of a signed request.
    pub(super) fn headers(&self, body: &[u8]) -> HeaderMap {
        let Self { access_key_id, secret, service, path, target } = *self;
        let mut headers = HeaderMap::new();
        let named = [
            ("content-type", Some("application/x-amz-json-1.1")),
            ("host", Some("localhost:22828")),
            ("x-amz-date", Some("20261120T120100Z")),
            ("x-amz-target", target),
        ];
        for (name, value) in named {
            headers.extend(value.map(|value| (HeaderName::from_static(name), value.parse().expect("a header value"))));
        }
        let signature = authorization((access_key_id, secret), (service, "eu-west-1"), (path, &headers), body);
        headers.insert("authorization", signature.parse().expect("a header value"));
        headers
    }
}
