//! Signs requests as clients do, for tests of the whole server.

use axum::http::HeaderMap;
use data_encoding::HEXLOWER;

use crate::signature::{hex_of_hash, keyed_hash};

/// The keys of a signature, and the request that it is for.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The id of the pair of keys.
    pub access_key_id: &'a str,
    /// The secret of the pair.
    pub secret: &'a str,
    /// The AWS service.
    pub service: &'a str,
    /// The path of the request.
    pub path: &'a str,
    /// The operation, for services that have it in a header.
    pub target: Option<&'a str>,
}

/// Returns the headers of a signed request of an operation for `/cloudwatch/`.
pub fn signed(access_key_id: &str, secret: &str, operation: &str, body: &[u8]) -> HeaderMap {
    let target = format!("Logs_20140328.{operation}");
    Signing { access_key_id, secret, service: "logs", path: "/cloudwatch/", target: Some(&target) }.headers(body)
}

impl Signing<'_> {
    /// Returns the headers of a signed request.
    pub fn headers(&self, body: &[u8]) -> HeaderMap {
        let Self { access_key_id, secret, service, path, target } = *self;
        let mut signed = vec![
            ("content-type", "application/x-amz-json-1.1"),
            ("host", "localhost:22828"),
            ("x-amz-date", "20261120T120100Z"),
        ];
        signed.extend(target.map(|target| ("x-amz-target", target)));
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n{path}\n\n{lines}\n{names}\n{}", hex_of_hash(body));
        let scope = format!("20261120/eu-west-1/{service}/aws4_request");
        let to_sign = format!("AWS4-HMAC-SHA256\n20261120T120100Z\n{scope}\n{}", hex_of_hash(canonical.as_bytes()));
        let day = keyed_hash(format!("AWS4{secret}").as_bytes(), b"20261120");
        let key = keyed_hash(&keyed_hash(&keyed_hash(&day, b"eu-west-1"), service.as_bytes()), b"aws4_request");
        let value = HEXLOWER.encode(&keyed_hash(&key, to_sign.as_bytes()));
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={names}, Signature={value}");
        signed.push(("authorization", &authorization));
        let headers = signed
            .into_iter()
            .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().expect("a header value")));
        headers.collect()
    }
}
