//! Deleting events: by the command line, and never undone by a crash.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::lab::{rounds, signal};
use crate::server::{ALL_TIME, Ran, Server, catat, ndjson, run};

fn groups(server: &Server, arguments: &[&str]) -> Ran {
    let mut command = catat(server.data_dir.parent().expect("it lies in the scratch directory"));
    command
        .args(["groups", "--url", &server.url, "--key", server.admin().trim_start_matches("Bearer ")])
        .args(arguments);
    run(command, "")
}

fn object(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(ran.out.trim()).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

fn events(n_events: usize) -> String {
    ndjson((0..n_events).map(|n| {
        let user = if n % 4 == 1 { "ann" } else { "bob" };
        json!({"timestamp": format!("2026-11-19T10:00:{:02}Z", n % 60), "n": n, "user": user, "message": format!("{user} came")})
    }))
}

#[test]
fn the_command_line_lists_limits_and_deletes() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("app/web", events(40));
    server.ingest("other", events(4));
    let ran = groups(&server, &[]);
    let listed: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
    assert_eq!((&listed[0]["name"], &listed[0]["events"], listed.len()), (&json!("app/web"), &json!(40), 2));
    assert!(groups(&server, &["-o", "table"]).out.starts_with("name"));
    assert_eq!(object(&groups(&server, &["show", "app/web"]))["events"], 40);

    let shown = object(&groups(&server, &["set", "app/web", "--retention-age", "30d", "--yes"]));
    assert_eq!(shown["retention"], json!({"age": "30d", "size": null}));
    let shown = object(&groups(&server, &["set", "app/web", "--retention-size", "10MB"]));
    assert_eq!(shown["retention"]["age"], "30d", "what was not named stays");
    let shown = object(&groups(&server, &["set", "app/web", "--time-zone", "Asia/Jakarta"]));
    assert_eq!((&shown["time_zone"], &shown["retention"]["age"]), (&json!("Asia/Jakarta"), &json!("30d")), "{shown}");
    let shown = object(&groups(&server, &["set", "app/web", "--retention-age", "never"]));
    assert_eq!(shown["retention"]["age"], json!(null));

    let anns = ["delete-events", "app/web", "--query", "filter user = \"ann\""];
    let with = |more: &[&str]| groups(&server, &[&anns, more].concat());
    assert_eq!(with(&[]).code, 2, "without a range");
    assert_eq!(with(&["--all-time", "--from", "now-1h"]).code, 2, "with both");
    let unasked = with(&["--all-time"]);
    assert!(unasked.code == 2 && unasked.err.contains("10 events") && unasked.err.contains("--yes"), "{}", unasked.err);
    assert_eq!(object(&with(&["--all-time", "--dry-run"]))["matched"], 10);
    assert_eq!(server.value("filter @log = \"app/web\" | stats count(*) as n"), 40);
    let done = object(&with(&["--from", ALL_TIME.0, "--to", ALL_TIME.1, "--reason", "ticket 7", "--yes"]));
    assert_eq!(
        (&done["deleted"], &done["state"], &done["reason"]),
        (&json!(10), &json!("invisible"), &json!("ticket 7"))
    );
    assert_eq!(server.value("filter @log = \"app/web\" | stats count(*) as n"), 30);
    assert_eq!(server.value("filter user = \"ann\" | stats count(*) as n"), 1, "the other group is as it was");
    assert_eq!(object(&with(&["--all-time", "--yes"]))["deleted"], 0);

    // Files go with the last snapshot, and a query's may go a moment after its answer was read.
    let listed = server.until("the events are gone from the disk", || {
        server.flush();
        let ran = groups(&server, &["deletions", "app/web"]);
        let listed: Value = serde_json::from_str(ran.out.trim()).expect("one deletion");
        (listed["state"] == "reclaimed").then_some(listed)
    });
    assert_eq!(listed["deleted"], 10, "{listed}");
    let id = listed["id"].as_str().expect("it has an id");
    assert_eq!(object(&groups(&server, &["deletions", "app/web", id]))["reason"], "ticket 7");

    let typo =
        groups(&server, &["delete-events", "app/web", "--all-time", "--yes", "--query", "filter user = 1 | limit 2"]);
    assert!(typo.code == 2 && typo.err.contains('^') && typo.err.contains("limit"), "{}", typo.err);
    let mut command = catat(scratch.path());
    command.args(["groups", "delete", "other", "--yes", "--url", &server.url, "--key", "wrong"]);
    assert_eq!(run(command, "").code, 5);
    assert_eq!(groups(&server, &["delete", "other"]).code, 2);
    assert_eq!(groups(&server, &["delete", "other", "--yes"]).code, 0);
    assert_eq!(groups(&server, &["delete", "other", "--yes"]).code, 2, "there is none any more");
}

/// What the test knows: serial numbers up to which events were accepted, and those of deletions.
#[derive(Default)]
struct Known {
    accepted: AtomicU64,
    /// Serial numbers whose deletion was acknowledged, and those for which it was asked.
    deleted: Mutex<(Vec<u64>, Vec<u64>)>,
}

const BATCH: u64 = 50;

fn send_batches(server: &Server, known: &Known) {
    for batch in known.accepted.load(Ordering::SeqCst) / BATCH.. {
        let lines = ndjson((0..BATCH).map(|n| {
            let serial = batch * BATCH + n;
            let time = format!("2026-11-19T10:{:02}:{:02}Z", serial / 60 % 60, serial % 60);
            json!({"timestamp": time, "serial": serial, "message": format!("event {serial}")})
        }));
        let id = format!("batch-{batch}");
        let sent = server.try_post("/api/v1/ingest?group=jobs&format=ndjson", &[("x-catat-batch", &id)], lines);
        if sent.is_none_or(|answer| answer.status() != 200) {
            return;
        }
        known.accepted.store((batch + 1) * BATCH, Ordering::SeqCst);
    }
}

/// Deletes one event of every batch in turn, as long as the server lives.
fn delete_events(server: &Server, known: &Known, key: &str, is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        let next = known.deleted.lock().expect("nobody panics").1.len() as u64 * BATCH + 7;
        if next >= known.accepted.load(Ordering::SeqCst) {
            std::thread::yield_now();
            continue;
        }
        known.deleted.lock().expect("nobody panics").1.push(next);
        let body = json!({"query": format!("filter serial = {next}"), "all_time": true}).to_string();
        let path = "/api/v1/groups/jobs/delete-events";
        let Some(answer) = server.try_post(path, &[("authorization", key)], body) else { return };
        if answer.status() != 200 {
            return;
        }
        known.deleted.lock().expect("nobody panics").0.push(next);
    }
}

/// The serial numbers that are stored, in order, read in pages: one answer holds so many rows and no more.
fn stored_serials(server: &Server, end: u64) -> Vec<u64> {
    const PAGE: u64 = 5_000;
    let mut serials = Vec::new();
    for start in (0..=end).step_by(PAGE as usize) {
        let page = format!("filter serial >= {start} and serial < {}", start + PAGE);
        let rows = server.rows(&format!("{page} | fields serial | sort serial asc | limit 10000"));
        serials.extend(rows.iter().map(|row| row[0].as_u64().expect("a number")));
    }
    serials
}

fn assert_conserved(server: &Server, known: &Known) {
    let (deleted, asked) = known.deleted.lock().expect("nobody panics").clone();
    let accepted = known.accepted.load(Ordering::SeqCst);
    let found = stored_serials(server, accepted + BATCH);
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "an event is there twice");
    for serial in &deleted {
        assert!(!found.contains(serial), "{serial} came back: {}", server.transcript());
    }
    let is_missing = |serial: &u64| !found.contains(serial) && !asked.contains(serial);
    let missing: Vec<u64> = (0..accepted).filter(is_missing).collect();
    assert_eq!(missing, Vec::<u64>::new(), "accepted, not deleted, and gone: {}", server.transcript());
}

#[test]
fn kill_9_while_deleting_brings_nothing_back_and_loses_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    let known = Known::default();
    let key = server.admin();
    for round in 0..rounds(3) as usize {
        let is_over = AtomicBool::new(false);
        let wanted = known.deleted.lock().expect("nobody panics").0.len() + 4 + round % 5;
        std::thread::scope(|scope| {
            scope.spawn(|| send_batches(&server, &known));
            scope.spawn(|| delete_events(&server, &known, &key, &is_over));
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    server.try_flush(true);
                }
            });
            server.until("some deletions", || {
                (known.deleted.lock().expect("nobody panics").0.len() >= wanted).then_some(())
            });
            is_over.store(true, Ordering::SeqCst);
            signal(server.pid(), "-KILL");
        });
        server.kill();
        server = server.restart();
        assert_conserved(&server, &known);
    }
    server.flush();
    assert_conserved(&server, &known);
    let deletions = server.until("all deleted events are gone from the disk", || {
        server.flush();
        let deletions = server.get("/api/v1/groups/jobs/delete-events", &[("authorization", &key)]).json();
        let all = deletions["deletions"].as_array().expect("a list").clone();
        all.iter().all(|one| one["state"] == "reclaimed").then_some(all)
    });
    assert!(deletions.len() >= known.deleted.lock().expect("nobody panics").0.len());
}
