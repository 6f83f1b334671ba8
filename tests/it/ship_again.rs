//! Shippers that lost their state, or have a second one: what the server holds is not stored again, and what it refuses is
//! set aside and said.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::lab::shipping::Shipping;
use crate::server::Server;
use crate::server::{catat, run};

fn append(log: &Path, from: u32, to: u32) {
    let mut file = fs::File::options().append(true).create(true).open(log).expect("scratch is writable");
    let lines: String = (from..to).map(|n| format!("line {n} of a file that is shipped and shipped again\n")).collect();
    file.write_all(lines.as_bytes()).expect("scratch is writable");
}

/// Waits until the lines `0..n` are there, and all of what the shippers that are up follow; each is there once.
fn once_each(server: &Server, n: u64, shippers: usize) {
    let whole = || {
        let sources = server.get("/api/v1/sources", &[]).json()["sources"].clone();
        let sources = sources.as_array().expect("it is a list").clone();
        let is_whole = |source: &Value| {
            let files = source["files"].as_array().expect("it is a list");
            source["state"] == "up" && !files.is_empty() && files.iter().all(|file| file["complete"] == true)
        };
        (sources.iter().filter(|source| is_whole(source)).count() == shippers && server.count() >= n).then_some(())
    };
    server.until("everything is there", whole);
    let distinct = server.value("stats count_distinct(@message) as n");
    assert_eq!((server.count(), distinct), (n, json!(n)));
}

#[test]
fn a_shipper_that_lost_its_state_sends_what_is_new_alone() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (logs, state) = (scratch.path().join("logs"), scratch.path().join("ship"));
    fs::create_dir(&logs).expect("scratch is writable");
    append(&logs.join("app.log"), 0, 100);
    append(&logs.join("other.log"), 100, 150);
    let mut server = Server::serve(scratch.path());
    let mut shipping = Shipping::start(scratch.path(), &server.url, &logs);
    once_each(&server, 150, 1);
    append(&logs.join("app.log"), 150, 200);
    once_each(&server, 200, 1);
    shipping.kill();
    // It is rotated, copied and grows while nobody looks.
    fs::rename(logs.join("app.log"), logs.join("app.log.1")).expect("scratch is writable");
    append(&logs.join("app.log"), 200, 220);
    fs::copy(logs.join("other.log"), logs.join("other.log.1")).expect("scratch is writable");
    fs::write(logs.join("other.log"), "").expect("scratch is writable");
    append(&logs.join("other.log"), 220, 230);
    append(&logs.join("app.log.1"), 230, 240);
    fs::rename(&state, scratch.path().join("lost")).expect("scratch is writable");
    let mut shipping = shipping.restart();
    once_each(&server, 240, 1);
    append(&logs.join("app.log"), 240, 250);
    once_each(&server, 250, 1);
    // And once more, with the server started anew in between.
    shipping.kill();
    server.stop();
    let server = server.restart();
    fs::rename(&state, scratch.path().join("lost-again")).expect("scratch is writable");
    append(&logs.join("app.log"), 250, 260);
    let _shipping = Shipping::start(scratch.path(), &server.url, &logs);
    once_each(&server, 260, 1);
}

#[test]
fn a_server_that_follows_files_itself_knows_them_when_its_state_is_lost() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    append(&logs.join("app.log"), 0, 100);
    let mut server = Server::up(scratch.path(), &[&logs]);
    once_each(&server, 100, 1);
    server.stop();
    let state = scratch.path().join("data/ship");
    assert!(state.is_dir(), "it is where it is looked for");
    fs::remove_dir_all(&state).expect("scratch is writable");
    append(&logs.join("app.log"), 100, 120);
    let server = server.restart();
    once_each(&server, 120, 1);
}

#[test]
fn a_group_that_was_deleted_may_be_shipped_again() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (logs, state) = (scratch.path().join("logs"), scratch.path().join("ship"));
    fs::create_dir(&logs).expect("scratch is writable");
    append(&logs.join("app.log"), 0, 50);
    let server = Server::serve(scratch.path());
    let mut shipping = Shipping::start(scratch.path(), &server.url, &logs);
    once_each(&server, 50, 1);
    shipping.kill();
    let group =
        server.rows("stats count(*) as n by @log | fields @log")[0][0].as_str().expect("a name").replace('/', "%2F");
    assert!(server.try_delete(&format!("/api/v1/groups/{group}")).is_some_and(|answer| answer.status() == 200));
    fs::remove_dir_all(&state).expect("scratch is writable");
    let _shipping = shipping.restart();
    once_each(&server, 50, 1);
}

#[test]
fn lines_that_the_server_refuses_are_set_aside_counted_and_said() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (logs, state) = (scratch.path().join("logs"), scratch.path().join("ship"));
    fs::create_dir(&logs).expect("scratch is writable");
    let server = Server::serve(scratch.path());
    let limits = json!({"retention": {"age": "7d", "size": null}});
    let path =
        logs.join("app.log").to_str().expect("scratch paths are ASCII").trim_start_matches('/').replace('/', "%2F");
    assert_eq!(server.put(&format!("/api/v1/groups/{path}"), &limits).status, 200);
    let now = server.value("stats latest(@ingestionTime) as t").as_str().map(str::to_owned);
    assert!(now.is_none());
    let old: String = (0..1500).map(|n| format!("2020-01-01T00:00:00Z old line {n}\n")).collect();
    fs::write(logs.join("app.log"), format!("a line of now\n{old}")).expect("scratch is writable");
    let _shipping = Shipping::start(scratch.path(), &server.url, &logs);
    let source = server.until("it is told", || {
        let sources = server.get("/api/v1/sources", &[]).json()["sources"].clone();
        Some(sources[0].clone()).filter(|source| source["refused_events"] == 1500 && source["refused"] == 1500)
    });
    let file = &source["files"][0];
    assert_eq!((&file["refused_events"], &file["refused_bytes"]), (&json!(1500), &json!(old.len())));
    assert_eq!(
        (&file["complete"], &source["refused_events"], &source["refused"]),
        (&json!(false), &json!(1500), &json!(1500))
    );
    let letters = fs::read_dir(state.join("dead-letter")).expect("it is there").flatten();
    let letters: Vec<_> = letters.map(|entry| fs::read_to_string(entry.path()).expect("it is text")).collect();
    assert!(letters.iter().any(|letter| letter.ends_with(&old)), "they are there as they were read");
    assert!(letters.iter().any(|letter| letter.contains("retention")), "{letters:?}");
    let mut command = catat(scratch.path());
    command.args(["sources", "--files", "--url", &server.url, "-o", "csv"]);
    let shown = run(command, "");
    assert!(shown.out.contains(",false,,1500,"), "{}", shown.out);
}
