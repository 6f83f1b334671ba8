//! Answers are exact at every moment: while events are flushed, put together, retired and deleted, before and after.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};

use crate::lab::oracle::Oracle;
use crate::lab::{Stopping, is_long};
use crate::server::{Launch, PATIENCE, Server, ndjson};

/// Small enough that a flush comes all the time.
const SETTINGS: &str = "[storage]\nflush_bytes = \"2MiB\"\nwal_segment_bytes = \"1MiB\"\n\
                        [retention]\nsize = \"never\"\nundo_window = \"0s\"\n";

const DAY: u64 = 86_400;
const FIRST: u64 = 1_763_380_800;

/// Events whose numbers, texts and times follow from `range`.
fn events(range: std::ops::Range<u64>) -> String {
    ndjson(range.map(|n| {
        let level = ["info", "warn", "error"][(n % 3) as usize];
        json!({"@timestamp": FIRST + n % 3 * DAY + n / 3, "n": n, "user": format!("u{}", n % 13), "ms": n * 31 % 977,
               "level": level,
               "message": format!("request {n} of u{} took {}ms word{}", n % 13, n * 31 % 977, n % 50)})
    }))
}

/// Questions about the events of the group `stable` below a number, each with an answer for itself.
fn questions(below: u64) -> Vec<String> {
    let of = format!("filter @log = \"stable\" and n < {below}");
    vec![
        format!("{of} | stats count(*) as n, sum(n) as s, min(@timestamp) as first, max(@timestamp) as last"),
        format!("{of} and @message like \"word17\" | stats count(*) as n, sum(ms) as s by @level | sort @level"),
        format!(
            "{of} and user = \"u5\" and @level >= \"warn\" | fields @timestamp, @message, n, @id | sort n | limit 50"
        ),
        format!(
            "{of} | stats count(*) as n, avg(ms) as mean, count_distinct(user) as users by bin(1d) as day | sort day"
        ),
        format!("{of} | fields @timestamp, @message, @id | sort @timestamp desc, @id | limit 40"),
    ]
}

fn answer(server: &Server, question: &str) -> String {
    let answer = server.try_query(question);
    assert_eq!(answer.status, 200, "{question}\n{}\n{}", answer.body, server.transcript());
    let answer = answer.json();
    assert_eq!((&answer["partial"], &answer["warnings"]), (&json!(false), &json!([])), "{question}\n{answer}");
    json!([answer["columns"], answer["rows"]]).to_string()
}

fn answers(server: &Server, below: u64) -> Vec<String> {
    questions(below).iter().map(|question| answer(server, question)).collect()
}

#[test]
fn the_same_question_has_the_same_answer_before_and_after_everything() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Launch::configured(scratch.path(), SETTINGS).start();
    for first in (0..1_500).step_by(300) {
        server.ingest("stable", events(first..first + 300));
    }
    let hot = answers(&server, 1_500);
    server.try_flush(false);
    assert_eq!(answers(&server, 1_500), hot, "in a segment");
    for first in (1_500..4_500).step_by(300) {
        server.ingest("stable", events(first..first + 300));
        server.try_flush(false);
    }
    let many = answers(&server, 4_500);
    assert_eq!(answers(&server, 1_500), hot, "among other events");
    server.flush();
    assert_eq!((answers(&server, 1_500), answers(&server, 4_500)), (hot.clone(), many.clone()), "compacted");
    server.kill();
    let mut server = server.restart();
    assert_eq!((answers(&server, 1_500), answers(&server, 4_500)), (hot.clone(), many.clone()), "after kill -9");
    assert!(server.stop().success());
    let server = server.restart();
    assert_eq!((answers(&server, 1_500), answers(&server, 4_500)), (hot, many), "after a stop");
}

/// Makes groups and has them retired or deleted, while the stable group gets further events and is compacted.
fn disturb(server: &Server, stop: &AtomicBool, n_disturbances: &AtomicU64) {
    let mut next = 10_000;
    for n in 0.. {
        if stop.load(Relaxed) {
            return;
        }
        server.ingest("stable", events(next..next + 60));
        next += 60;
        let group = format!("passing/{n}");
        server.ingest(&group, ndjson((0..20).map(|i| json!({"n": i, "message": "passing", "@timestamp": FIRST + i}))));
        server.try_flush(n % 4 == 3);
        let path = format!("/api/v1/groups/passing%2F{n}");
        let gone = match n % 2 {
            0 => server.try_delete(&path),
            _ => server.try_put(&path, &json!({"retention": {"age": "1d", "size": null}})),
        };
        assert!(gone.is_some_and(|answer| answer.status().is_success()), "{}", server.transcript());
        n_disturbances.fetch_add(1, Relaxed);
    }
}

#[test]
fn queries_that_race_with_flush_compaction_and_retirement_are_exact() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Launch::configured(scratch.path(), SETTINGS).start();
    for first in (0..3_000).step_by(250) {
        server.ingest("stable", events(first..first + 250));
        server.try_flush(false);
    }
    let expected = answers(&server, 3_000);
    let n_wanted = if is_long() { 20_000 } else { 1_000 };
    let (stop, n_queries, n_disturbances) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        let disturber = scope.spawn(|| disturb(&server, &stop, &n_disturbances));
        let askers: Vec<_> = (0..4)
            .map(|asker| {
                let (server, stop, expected) = (&server, &stop, &expected);
                let (n_queries, n_disturbances) = (&n_queries, &n_disturbances);
                scope.spawn(move || {
                    let questions = questions(3_000);
                    for idx in asker.. {
                        // Queries are quick: they go on until something was there to race with.
                        let is_enough = n_queries.fetch_add(1, Relaxed) >= n_wanted && n_disturbances.load(Relaxed) > 5;
                        if is_enough || stop.load(Relaxed) {
                            return;
                        }
                        let idx = idx % questions.len();
                        assert_eq!(answer(server, &questions[idx]), expected[idx], "{}", questions[idx]);
                    }
                })
            })
            .collect();
        let asked: Vec<_> = askers.into_iter().map(|asker| asker.join()).collect();
        stop.store(true, Relaxed);
        assert!(asked.iter().all(Result::is_ok), "an answer differed");
        disturber.join().expect("the server takes what it is sent");
    });
    let status = server.get("/api/v1/status", &[]).json()["store"].clone();
    let n = |name: &str| status[name].as_u64().unwrap_or(0);
    eprintln!(
        "{} queries, {} disturbances, {} flushes, {} compactions, {} runs retired",
        n_queries.load(Relaxed),
        n_disturbances.load(Relaxed),
        n("flushes"),
        n("compactions"),
        n("runs_retired")
    );
    assert!(n_disturbances.load(Relaxed) > 5 && n("compactions") > 0, "something is to go on meanwhile: {status}");
}

#[test]
fn a_count_never_falls_and_holds_what_was_acknowledged_before_it_was_asked() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Launch::configured(scratch.path(), SETTINGS).start();
    let oracle = Oracle::new(2).with_batches_of(20);
    let n_flushes = if is_long() { 1_000 } else { 60 };
    let (stop, n_asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        scope.spawn(|| oracle.produce(&server, &stop));
        let asker = scope.spawn(|| {
            let mut before = 0;
            while !stop.load(Relaxed) {
                let acknowledged = oracle.n_acknowledged();
                let rows = server.rows("stats count(*) as n");
                let n = rows.first().and_then(|row| row[0].as_u64()).unwrap_or(0);
                assert!(n >= before, "{before} events, then {n}");
                assert!(n >= acknowledged, "{acknowledged} were acknowledged, {n} are there");
                (before, _) = (n, n_asked.fetch_add(1, Relaxed));
            }
        });
        for n in 0..n_flushes {
            let has_more = oracle.acknowledges(1, PATIENCE);
            server.try_flush(n % 5 == 4);
            if asker.is_finished() || !has_more {
                break;
            }
        }
        stop.store(true, Relaxed);
        assert!(asker.join().is_ok(), "a count fell\n{}", server.transcript());
    });
    eprintln!("{n_flushes} flushes, {} counts, {} events", n_asked.load(Relaxed), oracle.n_acknowledged());
    assert!(oracle.n_acknowledged() >= n_flushes && n_asked.load(Relaxed) > 20, "something is to go on meanwhile");
    assert_eq!(json!(server.count()), Value::from(oracle.n_acknowledged()));
    oracle.assert_kept(&server, "at the end");
}
