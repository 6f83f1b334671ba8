//! Conservation: what goes in is there, once, whatever is killed meanwhile.
//!
//! The short form runs with all tests; `CATAT_FAULT_ROUNDS` (`tests/run faults` sets it) makes it longer.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use crate::lab::oracle::Oracle;
use crate::lab::rotating::{Rotating, assert_each_line_once};
use crate::lab::{Random, Stopping, rounds, seed, signal, some_moment};
use crate::server::{PATIENCE, Server};

const PRODUCERS: usize = 6;

#[test]
fn acknowledged_events_are_there_once_after_kills_under_load() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    let oracle = Oracle::new(PRODUCERS);
    let mut random = Random::new(seed());
    let (n_rounds, mut n_in_flight, mut rates) = (rounds(3), 0, Vec::new());
    for round in 0..n_rounds {
        let stop = AtomicBool::new(false);
        let enough = 500 + random.below(5_000);
        std::thread::scope(|scope| {
            let _stopping = Stopping(&stop);
            scope.spawn(|| oracle.produce(&server, &stop));
            let (before, began) = (oracle.n_acknowledged(), Instant::now());
            assert!(oracle.acknowledges(enough, PATIENCE), "nothing is acknowledged\n{}", server.transcript());
            rates.push((oracle.n_acknowledged() - before) as f64 / began.elapsed().as_secs_f64());
            if round % 3 == 1 {
                server.flush();
            }
            n_in_flight += u64::from(oracle.n_in_flight() > 0);
            signal(server.pid(), "-KILL");
            stop.store(true, Relaxed);
        });
        server.kill();
        // Killed again while it recovers, up to twice.
        for _ in 0..round % 3 {
            let recovering = server.launch.spawn();
            some_moment(random.below(150));
            recovering.kill();
        }
        server = server.restart();
        oracle.assert_kept(&server, &format!("kill {round}"));
    }
    server.flush();
    oracle.assert_kept(&server, "after the last flush");
    // Every producer sends its next batch as soon as it has an answer: that is the most there is of this load.
    rates.sort_by(f64::total_cmp);
    let (median, most) = (rates[rates.len() / 2], rates[rates.len() - 1]);
    eprintln!(
        "{n_rounds} kills, {n_in_flight} with requests in flight, {} events, {median:.0}/s (at most {most:.0}/s)",
        oracle.n_acknowledged()
    );
    assert!(n_in_flight * 10 >= n_rounds * 9, "kills are to find requests in flight");
}

#[test]
fn every_line_of_rotating_files_is_stored_once_though_up_is_killed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    let mut server = Server::up(scratch.path(), &[&logs]);
    let (rotating, mut random) = (Rotating::start(&logs), Random::new(3));
    for _ in 0..rounds(3) {
        rotating.wait_for_more(&server, 100 + random.below(1_500));
        server.kill();
        some_moment(random.below(400));
        server = server.restart();
    }
    assert_each_line_once(&server, &rotating.stop());
    // A line of 10 MB is one record in parts, and nothing after it is lost.
    fs::write(logs.join("long.log"), format!("long {}.\nlast .\n", "A".repeat(10_000_000)))
        .expect("scratch is writable");
    server.until("what follows the long line is there", || {
        (server.value("filter @message = \"last .\" | stats count(*) as n") == 1).then_some(())
    });
    let parts = server.value("filter ispresent(@part) | stats count_distinct(@partOf) as n");
    assert_eq!(parts, 1, "the long line is one record in parts");
}
