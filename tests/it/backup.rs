//! `catat verify`, `backup` and `restore` as an operator uses them, on a server that goes on serving.

use std::path::Path;
use std::process::Output;

use serde_json::json;

use crate::server::{Server, catat, ndjson};

fn run(scratch: &Path, arguments: &[&str]) -> Output {
    catat(scratch).args(arguments).output().expect("our own executable runs")
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn send(server: &Server, from: usize, n: usize) {
    let body = ndjson((from..from + n).map(|i| json!({"message": format!("event {i}"), "serial": i})));
    let answer = server.try_post("/api/v1/ingest?group=jobs&format=ndjson", &[], body).expect("a server that answers");
    assert_eq!(answer.status(), 200);
}

fn flush(server: &Server) {
    let key = std::fs::read_to_string(server.data_dir.join("admin.key")).expect("the key is ours to read");
    let bearer = format!("Bearer {}", key.trim());
    let answer = server.try_post("/api/v1/status/flush", &[("authorization", &bearer)], String::new());
    assert_eq!(answer.expect("a server that answers").status(), 200);
}

#[test]
fn a_backup_of_a_running_server_is_restored_whole() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    send(&server, 0, 500);
    flush(&server);
    send(&server, 500, 70);
    let verified = run(scratch.path(), &["verify", "--data-dir", "data"]);
    assert!(verified.status.success(), "{}", printed(&verified));
    assert!(printed(&verified).contains("500 events"), "{}", printed(&verified));
    let copied = run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]);
    assert!(copied.status.success(), "{}", printed(&copied));
    send(&server, 570, 30);
    let again = run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(printed(&again).contains("not empty"), "{}", printed(&again));
    drop(server);
    let elsewhere = scratch.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("room");
    let restored = run(scratch.path(), &["restore", "--from", "copy", "--data-dir", "elsewhere/data"]);
    assert!(restored.status.success(), "{}", printed(&restored));
    let server = Server::serve(&elsewhere);
    let rows = server.rows("stats count(*) as n, count_distinct(serial) as d, max(serial) as high");
    assert_eq!(rows, [[json!(570), json!(570), json!(569)]]);
}

#[test]
fn damage_is_named_by_verify_and_keeps_a_backup_from_being_restored() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    send(&server, 0, 500);
    assert!(server.stop().success());
    let partition = std::fs::read_dir(server.data_dir.join("segments")).expect("readable").next();
    let partition = partition.expect("one partition").expect("readable").path();
    let segment = std::fs::read_dir(&partition).expect("readable").next().expect("one segment").expect("readable");
    let mut bytes = std::fs::read(segment.path()).expect("readable");
    bytes[200] ^= 0x40;
    std::fs::write(segment.path(), bytes).expect("writable");
    let name = segment.file_name().to_string_lossy().into_owned();
    let verified = run(scratch.path(), &["verify", "--data-dir", "data"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(printed(&verified).contains(&name), "{}", printed(&verified));
    assert!(run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]).status.success());
    let restored = run(scratch.path(), &["restore", "--from", "copy", "--data-dir", "new"]);
    assert_eq!(restored.status.code(), Some(2));
    assert!(printed(&restored).contains(&name), "{}", printed(&restored));
}
