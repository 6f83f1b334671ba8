//! Keys in every form that agents send.

use super::*;

fn read(headers: &[(&str, &[u8])]) -> Result<Credentials, u16> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        map.append(name, header::HeaderValue::from_bytes(value).expect("a value"));
    }
    of(&map).map_err(|problem| problem.status.as_u16())
}

#[test]
fn a_key_is_found_in_every_form_that_agents_send() {
    let key = |text: &str| Ok(Credentials::Key(text.into()));
    let of = |text: &str| read(&[("authorization", text.as_bytes())]);
    assert_eq!(of("Bearer a_b"), key("a_b"));
    assert_eq!(of("bEARER   a_b "), key("a_b"));
    assert_eq!(of("Splunk a_b"), key("a_b"));
    assert_eq!(of("ApiKey a_b"), key("a_b"));
    assert_eq!(of(&format!("ApiKey {}", BASE64.encode(b"id:a_b"))), key("a_b"));
    assert_eq!(of(&format!("Basic {}", BASE64.encode(b"user:a:b"))), key("a:b"));
    assert_eq!(of("AWS4-HMAC-SHA256 Credential=x"), Ok(Credentials::Signature));
    assert_eq!(read(&[("x-catat-key", b"a_b"), ("authorization", b"Basic !")]), key("a_b"));
    assert_eq!(read(&[("dd-api-key", b"a_b")]), key("a_b"));
    assert_eq!(read(&[("x-amz-firehose-access-key", b"a_b"), ("authorization", b"Basic !")]), key("a_b"));
    let sentry = |text: &str| read(&[("x-sentry-auth", text.as_bytes())]);
    assert_eq!(sentry("Sentry sentry_key=a_b, sentry_version=7, sentry_client=x"), key("a_b"));
    assert_eq!(sentry("Sentry sentry_version=7,sentry_key=a_b"), key("a_b"));
    assert_eq!((sentry("sentry_key=a_b"), sentry("Sentry sentry_version=7")), (key(""), key("")));
    assert_eq!(read(&[]), Ok(Credentials::None));
    for wrong in ["", "Bearer", "Digest a_b", "Basic", "Basic !!!", "Basic dXNlcg=="] {
        assert_eq!(of(wrong), key(""), "{wrong}");
    }
    assert_eq!(read(&[("authorization", b"Bearer \xff")]), key(""));
}

#[test]
fn two_of_them_are_none() {
    assert_eq!(read(&[("authorization", b"Bearer a"), ("authorization", b"Bearer a")]), Err(400));
    assert_eq!(read(&[("authorization", b"Bearer a"), ("authorization", b"Basic YTpi")]), Err(400));
    assert_eq!(read(&[("x-catat-key", b"a"), ("x-catat-key", b"a")]), Err(400));
    assert_eq!(read(&[("x-catat-key", b"a"), ("dd-api-key", b"a")]), Err(400));
    assert_eq!(read(&[("x-sentry-auth", b"Sentry sentry_key=a"), ("dd-api-key", b"a")]), Err(400));
}

#[test]
fn a_key_in_an_address_is_refused() {
    let check = |uri: &str| check_address(&uri.parse().expect("an address")).is_ok();
    assert!(check("/api/v1/query?query=filter+token+%3D+1") && check("/") && check("/catat_/x?y=catat_"));
    assert!(!check("/api/v1/query?API_KEY=secret") && !check("/services/collector?token=x"));
    assert!(!check("/api/1/envelope/?sentry_version=7&sentry_key=secret") && !check("/api/v2/logs?dd-api-key=secret"));
    assert!(!check("http://user:secret@localhost/api/v1/query"));
    let key = format!("{PREFIX}0123456789abcdef_{}", "0".repeat(48));
    let values = "/zipkin/api/v2/autocompleteValues?key=";
    assert!(check(&format!("{values}region")) && !check(&format!("{values}{key}")) && !check("/zipkin/?key=region"));
    assert!(!check(&format!("/api/v1/query?query={key}")) && !check(&format!("/{key}/_bulk")));
}
