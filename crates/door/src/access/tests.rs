//! Who is let in: hosts, origins, proxies, keys.

mod hostile;
mod timing;

use axum::body::Body;
use storage::{Options, Store};
use tempfile::TempDir;
use types::GroupScope;

use super::*;

fn access(address: &str) -> Access {
    Access {
        admin_key: Some("secret".into()),
        addresses: vec![address.parse().expect("an address")],
        hosts: vec!["logs.example.org".into()],
        allow_anonymous: false,
        ..Access::default()
    }
}

/// Returns a store without keys, and those keys.
fn keys() -> (TempDir, Keys) {
    let dir = TempDir::new().expect("a scratch directory");
    let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a new store opens");
    let keys = Keys::open(store, None, Timestamp(0)).expect("it has none yet");
    (dir, keys)
}

fn admit_with(keys: &Keys, method: &str, headers: &[(&str, &str)]) -> Result<Role, u16> {
    let mut request = Request::builder().method(method).uri("/api/v1/query");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
    let admitted = access("127.0.0.1").admit(keys, &Attempts::default(), None, &request, Timestamp(0));
    admitted.map(|caller| caller.role).map_err(|problem| problem.status.as_u16())
}

/// Before there is a key.
fn admit(method: &str, headers: &[(&str, &str)]) -> Result<Role, u16> {
    admit_with(&keys().1, method, headers)
}

#[test]
fn only_names_that_are_ours_are_answered() {
    let check = |listens: &str, host: &str| access(listens).is_ours(without_port(host));
    assert!(check("127.0.0.1", "localhost:22828"));
    assert!(check("127.0.0.1", "127.0.0.1"));
    assert!(check("127.0.0.1", "[::1]:22828"));
    assert!(check("127.0.0.1", "LOGS.example.org:80"));
    assert!(check("0.0.0.0", "192.0.2.7:22828"));
    assert!(!check("127.0.0.1", "192.0.2.7"));
    assert!(!check("127.0.0.1", "evil.example.org:22828"));
    assert!(!check("127.0.0.1", "localhost.example.org"));
    assert!(!check("192.0.2.7", "localhost"));
    assert!(!check("127.0.0.1", ""));
}

#[test]
fn pages_of_other_sites_may_not_change_anything() {
    let host = ("host", "localhost:22828");
    assert_eq!(admit("POST", &[host]), Ok(Role::Operate));
    assert_eq!(admit("POST", &[host, ("origin", "http://localhost:22828")]), Ok(Role::Operate));
    assert_eq!(admit("POST", &[host, ("origin", "http://localhost:3000")]), Err(403));
    assert_eq!(admit("POST", &[host, ("origin", "null")]), Err(403));
    assert_eq!(admit("DELETE", &[host, ("sec-fetch-site", "cross-site")]), Err(403));
    assert_eq!(admit("DELETE", &[host, ("sec-fetch-site", "cross-site"), ("x-catat-key", "secret")]), Err(403));
    assert_eq!(admit("GET", &[host, ("origin", "http://evil.example.org")]), Ok(Role::Operate));
}

#[test]
fn a_proxy_needs_a_key() {
    let host = ("host", "127.0.0.1");
    assert_eq!(admit("GET", &[host, ("x-forwarded-for", "192.0.2.1")]), Err(401));
    assert_eq!(admit("GET", &[host, ("via", "1.1 proxy")]), Err(401));
    assert_eq!(admit("GET", &[host, ("via", "1.1 proxy"), ("authorization", "Bearer secret")]), Ok(Role::Admin));
}

#[test]
fn the_admin_key_is_known_in_every_form() {
    let host = ("host", "localhost");
    for form in ["Bearer secret", "bearer  secret", "ApiKey secret", "Basic dXNlcjpzZWNyZXQ="] {
        assert_eq!(admit("GET", &[host, ("authorization", form)]), Ok(Role::Admin), "{form}");
    }
    assert_eq!(admit("GET", &[host, ("x-catat-key", "secret")]), Ok(Role::Admin));
    assert_eq!(admit("GET", &[host, ("authorization", "Bearer wrong")]), Ok(Role::Operate));
    assert_eq!(require(&Caller::local(Validity::default()), Role::Admin).map_err(|p| p.status.as_u16()), Err(401));
}

#[test]
fn while_senders_may_go_on_others_are_refused_and_so_are_keys_that_are_meant_to_be_ours() {
    let (_dir, keys) = keys();
    let host = ("host", "localhost");
    let (name, role) = ("ci".to_owned(), "read".to_owned());
    let order = KeyOrder { name, role, anonymous_grace: Some("7d".into()), ..KeyOrder::default() };
    let made = keys.create(&order, &GroupScope::All, Timestamp(0)).expect("the order is right");
    let signed =
        |id: &str| format!("AWS4-HMAC-SHA256 Credential={id}/20261130/x/logs/aws4_request, SignedHeaders=host");
    for (header, value, expected) in [
        ("x-none", "", Ok(Role::Ingest)),
        ("authorization", "Basic ZWxhc3RpYzpjaGFuZ2VtZQ==", Ok(Role::Ingest)),
        ("authorization", &signed("AKIDEXAMPLE"), Ok(Role::Ingest)),
        ("authorization", &signed(&made.access_key_id), Ok(Role::None)),
        ("authorization", &format!("Bearer {}0", made.key), Err(401)),
        ("authorization", &format!("Bearer {}", made.key), Ok(Role::Read)),
        ("x-catat-key", "secret", Ok(Role::Admin)),
        ("via", "1.1 proxy", Err(401)),
    ] {
        assert_eq!(admit_with(&keys, "POST", &[host, (header, value)]), expected, "{header} {value}");
    }
}

#[test]
fn with_the_first_key_nobody_without_one_is_let_in() {
    let (_dir, keys) = keys();
    let host = ("host", "localhost");
    let bearer = |key: &str| format!("Bearer {key}");
    assert_eq!(admit_with(&keys, "GET", &[host]), Ok(Role::Operate));
    let order = KeyOrder { name: "ci".into(), role: "read".into(), ..KeyOrder::default() };
    let made = keys.create(&order, &GroupScope::All, Timestamp(0)).expect("the order is right");
    assert_eq!(admit_with(&keys, "GET", &[host]), Ok(Role::None));
    assert_eq!(admit_with(&keys, "GET", &[host, ("authorization", "Bearer wrong")]), Err(401));
    assert_eq!(admit_with(&keys, "GET", &[host, ("authorization", &bearer(&made.key))]), Ok(Role::Read));
    assert_eq!(admit_with(&keys, "GET", &[host, ("via", "1.1 p"), ("x-catat-key", &made.key)]), Ok(Role::Read));
    assert_eq!(admit_with(&keys, "GET", &[host, ("x-catat-key", "secret")]), Ok(Role::Admin));
    keys.revoke(&made.view.id, &GroupScope::All, Timestamp(0)).expect("it is there");
    assert_eq!(admit_with(&keys, "GET", &[host, ("authorization", &bearer(&made.key))]), Err(401));
    assert_eq!(admit_with(&keys, "GET", &[host]), Ok(Role::None));
}
