//! Loopback is no shield by itself: other sites in a browser, rebound names and forwarded strangers stay out.

use std::io::BufRead;
use std::process::Stdio;

use crate::server::{Server, catat, run};

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

/// Runs `catat keys` on a data directory and reads what it prints.
fn keys(scratch: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let ran = catat(scratch).arg("keys").args(arguments).output().expect("the executable was built");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code().unwrap_or(-1), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn keys_are_made_and_revoked_with_and_without_a_running_server() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let dir = scratch.path().join("data");
    let dir = dir.to_str().expect("scratch paths are ASCII");
    let (code, out, err) =
        keys(scratch.path(), &["create", "--data-dir", dir, "--name", "before", "--role", "read", "--groups", "a/*"]);
    assert_eq!(code, 0, "{err}");
    let before: serde_json::Value = serde_json::from_str(&out).expect("a row of JSON");
    let mut server = Server::start(scratch.path(), &["serve"]);
    assert_eq!(server.data_dir.to_str(), Some(dir));
    let ask = |server: &Server, key: &serde_json::Value| {
        let key = key["key"].as_str().expect("a key").to_owned();
        server.get("/api/v1/groups", &[("authorization", &format!("Bearer {key}"))]).status
    };
    assert_eq!(server.get("/api/v1/groups", &[]).status, 401);
    assert_eq!(ask(&server, &before), 200);

    let (code, out, err) = keys(scratch.path(), &["create", "--data-dir", dir, "--name", "while", "--role", "ingest"]);
    assert_eq!(code, 0, "{err}");
    let while_it_runs: serde_json::Value = serde_json::from_str(&out).expect("a row of JSON");
    assert_eq!(ask(&server, &while_it_runs), 403);
    let id = before["id"].as_str().expect("an id");
    let (code, out, err) = keys(scratch.path(), &["rotate", id, "--data-dir", dir, "--grace", "0s"]);
    assert_eq!(code, 0, "{err}");
    let rotated: serde_json::Value = serde_json::from_str(&out).expect("a row of JSON");
    assert_eq!((ask(&server, &before), ask(&server, &rotated)), (401, 200));
    let id = rotated["id"].as_str().expect("an id");
    assert_eq!(keys(scratch.path(), &["revoke", id, "--data-dir", dir]).0, 0);
    assert_eq!(ask(&server, &rotated), 401);
    server.stop();

    let (code, out, _) = keys(scratch.path(), &["list", "--data-dir", dir]);
    // The replaced key stays in the list as expired, the revoked one does not.
    let named = |name: &str| out.lines().filter(|line| line.contains(name)).map(str::to_owned).collect::<Vec<_>>();
    let before = named("\"before\"");
    assert!(code == 0 && named("\"while\"").len() == 1 && before.len() == 1, "{out}");
    assert!(before.iter().all(|line| line.contains("\"expired\"")), "{out}");
    let secret = while_it_runs["key"].as_str().and_then(|key| key.rsplit('_').next()).expect("it has one");
    for entry in std::fs::read_dir(dir).expect("the data directory is there").flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{:?}", entry.path());
    }
}

#[test]
fn users_are_made_and_removed_with_and_without_a_running_server() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let dir = scratch.path().join("data");
    let dir = dir.to_str().expect("scratch paths are ASCII");
    let users = |arguments: &[&str], input: &str| {
        let mut command = catat(scratch.path());
        command.arg("users").args(arguments).args(["--data-dir", dir]);
        run(command, input)
    };
    assert_eq!(users(&["list"], "").code, 2, "there is no store yet, and a list makes none");
    let password = "seven good words\n";
    assert_eq!(users(&["add", "ann", "--role", "admin"], password).code, 0);
    let again = users(&["add", "ann"], password);
    assert!(again.code == 2 && again.err.contains("exists"), "{}", again.err);
    let mut server = Server::start(scratch.path(), &["serve"]);
    let sign_in = |server: &Server, name: &str, password: &str| {
        let body = serde_json::json!({"name": name, "password": password}).to_string();
        server.post("/api/v1/session", &[("content-type", "application/json"), ("origin", &server.url)], body).status
    };
    assert_eq!(sign_in(&server, "ann", password.trim()), 200);
    assert_eq!(users(&["add", "bob"], password).code, 0, "the server that runs there is asked");
    assert_eq!(sign_in(&server, "bob", password.trim()), 200);
    server.stop();
    assert_eq!(users(&["password", "ann"], "other good words\n").code, 0);
    assert_eq!(users(&["remove", "bob"], "").code, 0);
    let gone = users(&["remove", "bob"], "");
    assert!(gone.code == 2 && gone.err.contains("there is no user"), "{}", gone.err);
    let listed = users(&[], "");
    assert!(listed.code == 0 && listed.out.contains("ann") && !listed.out.contains("bob"), "{}", listed.out);
    let mut server = Server::start(scratch.path(), &["serve"]);
    let statuses = [password.trim(), "other good words"].map(|password| sign_in(&server, "ann", password));
    assert_eq!(statuses, [401, 200]);
    server.stop();
}

#[test]
fn with_a_key_a_server_may_be_reached_from_elsewhere() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let dir = scratch.path().join("data");
    let dir = dir.to_str().expect("scratch paths are ASCII");
    let (code, _, err) = keys(scratch.path(), &["create", "--data-dir", dir, "--name", "me", "--role", "operate"]);
    assert_eq!(code, 0, "{err}");
    let mut child = catat(scratch.path())
        .args(["serve", "--data-dir", dir, "--listen", "0.0.0.0:0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the executable was built");
    let mut line = String::new();
    let err = child.stderr.take().expect("it was piped");
    std::io::BufReader::new(err).read_line(&mut line).expect("it says where it listens");
    child.kill().and_then(|()| child.wait()).expect("our own child can be killed");
    assert!(line.contains("catat serves http://0.0.0.0:"), "{line}");
}
