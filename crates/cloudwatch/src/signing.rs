//! Signs requests as clients do, for tests of the whole server.

use axum::http::HeaderMap;
use data_encoding::HEXLOWER;

use crate::signature::{hex_of_hash, keyed_hash};

/// Returns the headers of a signed request of an operation for `/cloudwatch/`.
pub fn signed(access_key_id: &str, secret: &str, operation: &str, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| headers.insert(name, value.parse().expect("a header value"));
    put("host", "localhost:22828");
    put("content-type", "application/x-amz-json-1.1");
    put("x-amz-date", "20261120T120100Z");
    put("x-amz-target", &format!("Logs_20140328.{operation}"));
    let names = "content-type;host;x-amz-date;x-amz-target";
    let canonical = format!(
        "POST\n/cloudwatch/\n\ncontent-type:application/x-amz-json-1.1\nhost:localhost:22828\n\
        x-amz-date:20261120T120100Z\nx-amz-target:Logs_20140328.{operation}\n\n{names}\n{}",
        hex_of_hash(body)
    );
    let scope = "20261120/eu-west-1/logs/aws4_request";
    let to_sign = format!("AWS4-HMAC-SHA256\n20261120T120100Z\n{scope}\n{}", hex_of_hash(canonical.as_bytes()));
    let day = keyed_hash(format!("AWS4{secret}").as_bytes(), b"20261120");
    let key = keyed_hash(&keyed_hash(&keyed_hash(&day, b"eu-west-1"), b"logs"), b"aws4_request");
    let value = HEXLOWER.encode(&keyed_hash(&key, to_sign.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={names}, Signature={value}");
    put("authorization", &text);
    headers
}
