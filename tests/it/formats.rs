//! Data directories of every released format are opened for ever.
//!
//! `tests/data/v1` was written by the first release: a flushed segment with values of every type, hot events in the
//! WAL, a deleted group, batch ids; taken with `catat backup` after a `kill -9`. `tests/data/v2` (segments 2, WAL 2,
//! catalog 3, control store 2) has a shipped file, deleted events and limits of a group besides; `tests/data/write.py`
//! wrote it, and writes the next one.

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
    answers_as_it_did("v2", |server| {
        assert_eq!(
            server.rows("filter @log = \"v2/gone\" or user = \"ann\" | stats count(*)"),
            [[json!(0)]],
            "deleted"
        );
        let header =
            json!({"source": "0123456789abcdef", "file": "f1", "generation": 1, "start": 0, "path": "/var/log/x.log"});
        let text: String = (0..20).map(|n| format!("2025-11-20T07:00:{n:02}Z line {n}\n")).collect();
        let again = server.post("/api/v1/ingest?group=v2/shipped&format=lines", &[], format!("{header}\n{text}"));
        assert_eq!(again.status, 200, "{}", again.body);
        assert_eq!(server.rows("filter @log = \"v2/shipped\" | stats count(*)"), [[json!(20)]], "once");
        let limits = server.get("/api/v1/groups/v2%2Fshop", &[]).json();
        assert_eq!(limits["retention"]["age"], "36500d");
    });
}
