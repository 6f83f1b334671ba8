//! Acknowledged is durable, and once is once: across `kill -9`, restarts, repeats and races.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Server, ndjson};

const BATCH_EVENTS: usize = 40;

/// Batch `batch_idx`, whose events carry serial numbers that no other batch has.
fn batch(batch_idx: usize) -> String {
    ndjson((0..BATCH_EVENTS).map(|event_idx| {
        let serial = batch_idx * BATCH_EVENTS + event_idx;
        json!({"timestamp": format!("2026-11-19T10:{:02}:{:02}Z", serial / 60 % 60, serial % 60),
               "serial": serial, "message": format!("event {serial} of batch {batch_idx}")})
    }))
}

const INGEST: &str = "/api/v1/ingest?group=jobs&format=ndjson";

fn send(server: &Server, batch_idx: usize) -> Option<Value> {
    let id = format!("batch-{batch_idx}");
    let response = server.try_post(INGEST, &[("x-catat-batch", &id)], batch(batch_idx))?;
    if response.status() != 200 {
        return None;
    }
    serde_json::from_str(&response.text().ok()?).ok()
}

/// Asserts that exactly the events of the first `n_batches` batches are there, each once.
fn assert_exactly(server: &Server, n_batches: usize) {
    let rows = server.rows("stats count(*) as n, count_distinct(serial) as d, min(serial) as low, max(serial) as high");
    let n = n_batches * BATCH_EVENTS;
    assert_eq!(rows, [[json!(n), json!(n), json!(0), json!(n - 1)]], "{}", server.transcript());
}

#[test]
fn kill_9_while_ingesting_loses_nothing_and_repeats_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    let mut next = 0;
    // Three crashes at different moments; after each the sender repeats what it has no answer for, as senders do.
    for acknowledged_before_crash in [20, 25, 30] {
        let (sender, acknowledgements) = mpsc::channel();
        std::thread::scope(|scope| {
            let victim = &server;
            let first = next;
            scope.spawn(move || {
                // Without an end: on a busy machine any number of batches may go in before the kill arrives.
                for batch_idx in first.. {
                    if send(victim, batch_idx).is_none() {
                        break;
                    }
                    if sender.send(batch_idx).is_err() {
                        break;
                    }
                }
            });
            let pid = server.pid().to_string();
            for _ in 0..acknowledged_before_crash {
                next = 1 + acknowledgements.recv().expect("the server acknowledges until it is killed");
            }
            let killed = std::process::Command::new("kill").args(["-9", &pid]).status();
            assert!(killed.is_ok_and(|status| status.success()));
            // What was acknowledged between the count and the kill counts too.
            next = acknowledgements.iter().last().map_or(next, |batch_idx| batch_idx + 1);
        });
        server.kill();
        let started = Instant::now();
        server = server.restart();
        assert!(started.elapsed() < Duration::from_secs(10), "ready again soon");
        let present = server.count() as usize;
        assert!(present >= next * BATCH_EVENTS, "{present} events of {next} acknowledged batches");
        assert!(
            present <= (next + 1) * BATCH_EVENTS && present.is_multiple_of(BATCH_EVENTS),
            "a batch is whole or absent: {present}"
        );
    }
    let n_batches = next + 10;
    for batch_idx in 0..n_batches {
        let answer = send(&server, batch_idx).expect("a running server acknowledges");
        assert!(
            batch_idx >= next || answer["duplicate"] == true,
            "batch {batch_idx} was acknowledged before: {answer}"
        );
    }
    assert_exactly(&server, n_batches);
    server.flush();
    assert_exactly(&server, n_batches);
}

#[test]
fn sigterm_ends_with_status_zero_and_keeps_everything() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    for batch_idx in 0..3 {
        send(&server, batch_idx).expect("acknowledged");
    }
    let started = Instant::now();
    assert_eq!(server.stop().code(), Some(0), "{}", server.transcript());
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_exactly(&server.restart(), 3);
}

#[test]
fn segments_survive_a_crash_after_the_flush() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    send(&server, 0).expect("acknowledged");
    server.flush();
    send(&server, 1).expect("acknowledged");
    server.kill();
    let mut server = server.restart();
    assert_exactly(&server, 2);
    server.kill();
    assert_exactly(&server.restart(), 2);
}

#[test]
fn repeated_batch_is_stored_once_also_across_restart_and_flush() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    assert_eq!(send(&server, 0).map(|answer| answer["duplicate"].clone()), Some(json!(false)));
    assert_eq!(send(&server, 0).map(|answer| answer["duplicate"].clone()), Some(json!(true)));
    server.flush();
    assert_eq!(send(&server, 0).map(|answer| answer["duplicate"].clone()), Some(json!(true)), "after the flush");
    server.kill();
    let server = server.restart();
    assert_eq!(send(&server, 0).map(|answer| answer["duplicate"].clone()), Some(json!(true)), "after the restart");
    assert_exactly(&server, 1);
}

#[test]
fn same_batch_sent_at_once_by_many_is_stored_once() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let firsts = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(|| send(&server, 0).expect("acknowledged"))).collect();
        let answers = senders.into_iter().map(|sender| sender.join().expect("no sender panics"));
        answers.filter(|answer| answer["duplicate"] == false).count()
    });
    assert_eq!(firsts, 1);
    assert_exactly(&server, 1);
}

#[test]
fn other_body_under_a_known_batch_id_is_a_conflict() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    send(&server, 0).expect("acknowledged");
    let answer = server.post(INGEST, &[("x-catat-batch", "batch-0")], batch(1));
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.json()["error"]["message"].is_string());
    assert_exactly(&server, 1);
}

#[test]
fn gzipped_and_plain_form_are_the_same_batch() {
    use std::io::Write;
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    send(&server, 0).expect("acknowledged");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(batch(0).as_bytes()).expect("memory takes it");
    let gzip = gzip.finish().expect("memory takes it");
    let answer = server.post(INGEST, &[("x-catat-batch", "batch-0"), ("content-encoding", "gzip")], gzip);
    assert_eq!(answer.json()["duplicate"], true, "{}", answer.body);
    assert_exactly(&server, 1);
}
