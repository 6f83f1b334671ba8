//! Data directories of every released format are opened for ever.
//!
//! `tests/data/v1` was written by the first release: a flushed segment with values of every type, hot events in the
//! WAL, a deleted group, batch ids; taken with `catat backup` after a `kill -9`. `tests/data/v2` (segments 2, WAL 2,
//! catalog 3, control store 2) has a shipped file, deleted events and limits of a group besides, and so has `tests/data/v3` (segments 3,
//! control store 3), and `tests/data/v4` (segments 4) spans as well. `tests/data/v5` (segments 5 and WAL 2) has samples besides, as events in the WAL,
//! `tests/data/v6` (segments 6 and WAL 3) has them by their series, and `tests/data/v7` (segments 7 and WAL 4) in a block of 300,000 as well.
//! `tests/data/write.py` wrote them, and writes the next one.

use std::path::Path;

use serde_json::json;

use crate::lab::disk::copy_directory;
use crate::server::{Server, catat};

/// Checks, starts and asks a copy of the directory `version`, and what the next binary makes of it.
fn answers_as_it_did(version: &str, also: impl Fn(&Server)) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(version);
    copy_directory(&written, &scratch.path().join("data"));
    let verified = catat(scratch.path()).args(["verify", "--data-dir", "data"]).output().expect("our own executable");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let mut server = Server::serve(scratch.path());
    let question = "filter @log like \"shop\" | stats count(*) as n, sum(n) as s, sum(price) as p, count_distinct(`req.id`) as d, \
                    count_distinct(mixed) as m by @log, @level | sort @level";
    let group = format!("{version}/shop");
    let expected = [
        [json!(group), json!("info"), json!(200), json!(59700), json!(14925.0), json!(200), json!(150)],
        [json!(group), json!("warn"), json!(200), json!(59900), json!(14975.0), json!(200), json!(150)],
        [json!(group), json!("error"), json!(200), json!(60100), json!(15025.0), json!(200), json!(150)],
        [json!(group), json!("fatal"), json!(40), json!(40780), json!(null), json!(0), json!(0)],
    ];
    assert_eq!(server.rows(question), expected);
    let one = "fields timestamp, message, price, ok, tags, req | filter n = 5 | limit 1";
    let event = json!([
        "2025-11-20T06:00:05.005Z",
        "order 5 of user u35 took 5ms from 10.0.1.6",
        1.25,
        false,
        ["a", 5],
        {"id": "00000000000000000000000000000005"},
    ]);
    assert_eq!(json!(server.rows(one)[0]), event);
    also(&server);
    // What the next binary writes joins what the first one wrote, and survives its own restart.
    assert!(server.stop().success());
    let server = server.restart();
    assert_eq!(server.rows(question), expected);
    also(&server);
}

#[test]
fn a_directory_of_format_1_answers_as_it_did() {
    answers_as_it_did("v1", |_| {});
}

#[test]
fn a_directory_of_format_2_answers_as_it_did() {
    answers_as_it_did("v2", |server| has_shipped_file_deletions_and_limits(server, "v2"));
}

#[test]
fn a_directory_of_format_3_answers_as_it_did() {
    answers_as_it_did("v3", |server| has_shipped_file_deletions_and_limits(server, "v3"));
}

#[test]
fn a_directory_of_format_4_answers_as_it_did() {
    answers_as_it_did("v4", |server| {
        has_shipped_file_deletions_and_limits(server, "v4");
        has_spans(server, "v4");
    });
}

#[test]
fn a_directory_of_format_5_answers_as_it_did() {
    answers_as_it_did("v5", |server| {
        has_shipped_file_deletions_and_limits(server, "v5");
        has_spans(server, "v5");
        has_samples(server, "v5");
    });
}

#[test]
fn a_directory_of_format_6_answers_as_it_did() {
    answers_as_it_did("v6", |server| {
        has_shipped_file_deletions_and_limits(server, "v6");
        has_spans(server, "v6");
        has_samples(server, "v6");
    });
}

#[test]
fn a_directory_of_format_7_answers_as_it_did() {
    answers_as_it_did("v7", |server| {
        has_shipped_file_deletions_and_limits(server, "v7");
        has_spans(server, "v7");
        has_samples(server, "v7");
        let of_many = "sum(sum_over_time(v7_many_bytes%5B5h%5D))";
        let answer = server.get(&format!("/prometheus/api/v1/query?query={of_many}&time=1763633385"), &[]).json();
        assert_eq!(answer["data"]["result"][0]["value"], json!([1_763_633_385, "5638106250"]), "{answer}");
        let of_one = "v7_many_bytes%7Bpod%3D%22shop-299%22%7D";
        let answer = server.get(&format!("/prometheus/api/v1/query?query={of_one}&time=1763633385"), &[]).json();
        assert_eq!(answer["data"]["result"][0]["value"], json!([1_763_633_385, "74925"]), "{answer}");
    });
}

/// Checks samples of the segment and of the write-ahead log.
fn has_samples(server: &Server, version: &str) {
    let query = format!("sum%20by%20(job)%20(sum_over_time({version}_used_bytes%5B30m%5D))");
    let answer = server.get(&format!("/prometheus/api/v1/query?query={query}&time=1763620185"), &[]).json();
    let expected = json!([{"metric": {"job": version}, "value": [1_763_620_185, "10710"]}]);
    assert_eq!(answer["data"]["result"], expected, "{answer}");
}

fn has_spans(server: &Server, version: &str) {
    let spans = format!("filter @log = \"{version}/spans\"");
    let children = format!("{spans} and parent_span_id = \"e3779b97f4a7c150\"");
    let of_parent = json!([
        ["GET /cart 200 50.1 ms", 50.112, "shop-4", "south"],
        ["GET /cart 200 82.4 ms", 82.353, "shop-2", "east"],
    ]);
    let shown = "fields message, duration_ms, pod, node | sort @timestamp asc";
    assert_eq!(json!(server.rows(&format!("{children} | {shown}"))), of_parent);
    let by_node = "stats count(*), count_distinct(pod), count_distinct(parent_span_id) by node | sort node asc";
    let of_nodes = json!([["east", 142, 1, 107], ["north", 72, 1, 72], ["south", 286, 2, 215]]);
    assert_eq!(json!(server.rows(&format!("{spans} | {by_node}"))), of_nodes);
    let found = format!("{spans} and @message like \"9.7 ms\" | fields message, duration_ms | sort @timestamp asc");
    let of_duration = json!([
        ["GET /cart 200 79.7 ms", 79.652],
        ["GET /cart 200 69.7 ms", 69.7],
        ["GET /cart 200 89.7 ms", 89.7],
        ["GET /cart 200 29.7 ms", 29.728],
        ["GET /cart 200 39.7 ms", 39.697],
    ]);
    assert_eq!(json!(server.rows(&found)), of_duration);
}

fn has_shipped_file_deletions_and_limits(server: &Server, version: &str) {
    let gone = format!("filter @log = \"{version}/gone\" or user = \"ann\" | stats count(*)");
    assert_eq!(server.rows(&gone), [[json!(0)]], "deleted");
    let header =
        json!({"source": "0123456789abcdef", "file": "f1", "generation": 1, "start": 0, "path": "/var/log/x.log"});
    let text: String = (0..20).map(|n| format!("2025-11-20T07:00:{n:02}Z line {n}\n")).collect();
    let route = format!("/api/v1/ingest?group={version}/shipped&format=lines");
    let again = server.post(&route, &[], format!("{header}\n{text}"));
    assert_eq!(again.status, 200, "{}", again.body);
    let shipped = format!("filter @log = \"{version}/shipped\" | stats count(*)");
    assert_eq!(server.rows(&shipped), [[json!(20)]], "once");
    let limits = server.get(&format!("/api/v1/groups/{version}%2Fshop"), &[]).json();
    assert_eq!(limits["retention"]["age"], "36500d");
}

/// All files below a directory with what they hold, except locks.
fn contents(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).expect("it can be listed").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                dirs.push(entry);
            } else if entry.file_name().is_some_and(|name| name != "LOCK") {
                found.push((entry.clone(), std::fs::read(&entry).expect("it can be read")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn state_of_a_newer_format_is_refused_by_every_command_before_a_byte_is_changed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    server.ingest("app", "{\"message\":\"one\"}\n");
    assert!(server.stop().success());
    let of_slot = "catat-checkpoint 9 9";
    let xxh3 = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(of_slot.as_bytes()));
    let states = [
        ("alerts/alerts.state", r#"{"format":"catat-alerts","version":9,"xxh3":"0"}"#.to_owned()),
        ("alerts/metrics.state", r#"{"format":"catat-metrics","version":9,"xxh3":"0"}"#.to_owned()),
        (
            "ship/checkpoint-0",
            format!("{{\"format\":\"catat-checkpoint\",\"version\":9,\"serial\":9,\"xxh3\":\"{xxh3}\"}}"),
        ),
    ];
    for (name, preamble) in states {
        let path = server.data_dir.join(name);
        let before = std::fs::read(&path).ok();
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("room");
        std::fs::write(&path, format!("{preamble}\nin a form of its own")).expect("room");
        let as_it_is = contents(&server.data_dir);
        let commands: [&[&str]; 4] = [
            &["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"],
            &["verify", "--data-dir", "data"],
            &["backup", "--data-dir", "data", "--to", "copy"],
            &["keys", "list", "--data-dir", "data"],
        ];
        for command in commands {
            let ran = catat(scratch.path()).args(command).output().expect("our own executable");
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            assert!(
                !ran.status.success() && said.contains("newer") && said.contains(name),
                "{name} {command:?}: {said}"
            );
            assert!(contents(&server.data_dir) == as_it_is, "{name}: {command:?} changed something");
            assert!(!scratch.path().join("copy").exists(), "{name}: {command:?}");
        }
        match before {
            Some(bytes) => std::fs::write(&path, bytes).expect("room"),
            None => std::fs::remove_file(&path).expect("it was there"),
        }
    }
}
