//! Loopback is no shield by itself: other sites in a browser, rebound names and forwarded strangers stay out.

use crate::server::Server;

const INGEST: &str = "/api/v1/ingest?group=a&format=ndjson";

#[test]
fn foreign_host_names_are_refused() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let answer = server.get("/api/v1/groups", &[("host", "evil.example")]);
    assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.body);
    let port = server.url.rsplit(':').next().expect("a URL with a port");
    assert_eq!(server.get("/api/v1/groups", &[("host", &format!("localhost:{port}"))]).status, 200);
}

#[test]
fn other_sites_may_not_change_anything() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    for header in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(server.post(INGEST, &[header], "{\"message\":\"x\"}\n").status, 403, "{header:?}");
    }
    let own = server.url.clone();
    assert_eq!(
        server.post(INGEST, &[("origin", &own), ("sec-fetch-site", "same-origin")], "{\"message\":\"x\"}\n").status,
        200
    );
    assert_eq!(server.count(), 1);
}

#[test]
fn forwarded_requests_need_a_key() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    for header in [("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1"), ("via", "1.1 proxy")] {
        assert_eq!(server.get("/api/v1/groups", &[header]).status, 401, "{header:?}");
    }
}

#[test]
fn admin_matters_need_the_admin_key() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let mode =
        std::fs::metadata(server.data_dir.join("admin.key")).expect("the first start writes it").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!([401, 403].contains(&server.post("/api/v1/status/flush", &[], "").status));
    let wrong = server.post("/api/v1/status/flush", &[("authorization", "Bearer wrong")], "");
    assert!([401, 403].contains(&wrong.status));
    server.flush();
}
