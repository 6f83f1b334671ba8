//! `catat upgrade --check`: what it asks, what it finds, and that it leaves the store as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::server::{Ran, Server, ndjson, printed};

fn events(n: usize) -> String {
    let level = |n: usize| if n.is_multiple_of(3) { "error" } else { "info" };
    ndjson((0..n).map(|n| json!({"message": format!("event {n}"), "level": level(n)})))
}

fn filled(scratch: &Path) -> Server {
    let server = Server::serve(scratch);
    server.ingest("shop", events(100));
    server.flush();
    server
}

/// Runs the check; returns the rows that it prints as kinds, names, results and details.
fn check(scratch: &Path, arguments: &[&str]) -> (Ran, Vec<[String; 4]>) {
    let ran = printed(scratch, &[&["upgrade", "--check", "data", "-o", "json"], arguments].concat());
    let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap_or_default();
    let cell = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = rows.iter().map(|row| ["kind", "name", "result", "detail"].map(|name| cell(row, name)));
    let rows = rows.collect();
    (ran, rows)
}

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_running_server_and_a_snapshot_of_its_store_are_asked_the_same_and_the_store_stays_as_it_is() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = filled(scratch.path());
    server.ingest("web", events(10));
    let view = json!({"name": "errors", "view": {"q": "filter @level = \"error\" | stats count(*)", "groups": "shop"}});
    assert_eq!(server.post("/api/v1/views", &[("content-type", "application/json")], view.to_string()).status, 201);
    let queries = json!([{"query": "stats count(*) as n"}, {"query": "filter @level = \"$level\" | stats count(*)"}]);
    let panel = json!({"id": "n", "title": "N", "kind": "table", "x": 0, "y": 0, "w": 6, "h": 4, "queries": queries});
    let variables = json!([{"name": "level", "values": ["error", "info"]}]);
    let made = server.put("/api/v1/dashboards/d", &json!({"title": "D", "panels": [panel], "variables": variables}));
    assert_eq!(made.status, 201, "{}", made.body);
    let before = files(&server.data_dir);
    let (ran, rows) = check(scratch.path(), &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let of = |kind: &str| rows.iter().filter(|[of, ..]| of == kind).count();
    assert_eq!((of("newest events"), of("view"), of("panel"), of("rule")), (2, 1, 2, 14), "{rows:#?}");
    assert!(
        rows.iter().all(|[_, _, result, detail]| result == "equal" && detail.ends_with(" rows") | (detail == "1 row")),
        "{rows:#?}"
    );
    assert!(ran.err.contains("0 different"), "{}", ran.err);
    assert_eq!(files(&server.data_dir), before, "nothing is left");
    server.ingest("shop", "{\"message\":\"one more\"}\n");
    assert_eq!(server.count(), 111);
}

#[test]
fn what_another_version_answers_otherwise_is_named_and_one_that_does_not_start_is_told_with_its_words() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = filled(scratch.path());
    server.stop();
    let copied = Command::new("cp").args(["-r", "data", "earlier"]).current_dir(scratch.path()).status();
    assert!(copied.expect("there is cp").success());
    let mut server = server.restart();
    server.ingest("web", events(10));
    server.stop();
    let (ran, rows) = check(scratch.path(), &[]);
    assert!(ran.code == 0 && rows.iter().all(|[_, _, result, _]| result == "answered"), "{rows:#?}{}", ran.err);
    assert!(ran.err.contains("--against"), "{}", ran.err);
    // Another version, whose store has fewer events than ours.
    let executable = |name: &str, before: &str| {
        let (path, catat) = (scratch.path().join(name), env!("CARGO_BIN_EXE_catat"));
        fs::write(&path, format!("#!/bin/sh\n{before}\nexec {catat} \"$@\"\n")).expect("it is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        path.to_string_lossy().into_owned()
    };
    let same = executable("same", "");
    let (ran, rows) = check(scratch.path(), &["--against", &same]);
    assert!(ran.code == 0 && rows.iter().all(|[_, _, result, _]| result == "equal"), "{rows:#?}{}", ran.err);
    let forgetful =
        executable("forgetful", "rm -r data/upgrade-check/against && cp -r earlier data/upgrade-check/against");
    let (ran, rows) = check(scratch.path(), &["--against", &forgetful]);
    let named = |kind: &str, of: &str| rows.iter().find(|[is, name, ..]| is == kind && name == of).map(|row| &row[2..]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(named("newest events", "shop").expect("it was asked")[0], "equal");
    let events = named("store", "events").expect("it was asked");
    assert!(events[0] == "DIFFERENT" && events[1].contains("100") && events[1].contains("110"), "{events:?}");
    let lossy = executable("lossy", "rm data/upgrade-check/against/wal/*.wal");
    let (ran, _) = check(scratch.path(), &["--against", &lossy]);
    assert!(ran.code == 1 && ran.err.contains("is not ready: "), "{}", ran.err);
    let broken = executable("broken", "echo 'catat: no such thing' >&2; exit 3");
    let (ran, _) = check(scratch.path(), &["--against", &broken]);
    assert!(ran.code == 1 && ran.err.contains("no such thing"), "{}", ran.err);
    assert!(!scratch.path().join("data/upgrade-check").exists(), "nothing is left");
}
