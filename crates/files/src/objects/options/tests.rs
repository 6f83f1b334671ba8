//! Addresses of buckets, with and without TLS.

use super::*;

#[test]
fn addresses_of_buckets_are_taken_apart_and_others_refused() {
    let of = |url: &str| ObjectStoreOptions::new(url).bucket_and_prefix().map(|(b, p)| format!("{b} {p}"));
    assert_eq!(of("s3://logs").as_deref(), Ok("logs "));
    assert_eq!(of("s3://logs/").as_deref(), Ok("logs "));
    assert_eq!(of("s3://my.logs-1/a/b=c/").as_deref(), Ok("my.logs-1 a/b=c"));
    for bad in
        ["", "logs", "https://logs", "s3://", "s3://x", "s3://Logs", "s3://logs/../x", "s3://logs/a//b", "s3://logs/ä"]
    {
        assert!(of(bad).is_err_and(|problem| problem.contains("s3://BUCKET")), "{bad}");
    }
}

#[test]
fn an_endpoint_without_tls_has_to_be_allowed() {
    let with = |endpoint: &str, allow_http| {
        let options = ObjectStoreOptions::new("s3://logs");
        ObjectStoreOptions { endpoint: Some(endpoint.into()), allow_http, ..options }.check_endpoint()
    };
    assert_eq!(with("https://s3.example.org:9000", false), Ok(()));
    assert_eq!(with("http://[::1]:9000", true), Ok(()));
    assert!(with("http://127.0.0.1:9000", false).is_err_and(|problem| problem.contains("TLS")));
    assert!(with("127.0.0.1:9000", true).is_err());
    assert!(with("https://", true).is_err());
}
