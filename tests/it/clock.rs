//! A clock that jumps deletes nothing, confuses no id, and stops nobody.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::lab::clock::Clock;
use crate::lab::{Random, is_long, seed};
use crate::server::{Launch, Server, ndjson};

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;

/// 19 January 2038, just before seconds no longer fit 31 bits, and the beginning of 1970.
const ABSOLUTE: [i64; 2] = [2_147_483_640, 60];

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("this machine's clock is right").as_secs() as i64
}

/// Jumps in seconds: small and large, both ways, and back.
fn jumps() -> Vec<i64> {
    let mut jumps = vec![-HOUR, HOUR, 0, -10 * YEAR, 10 * YEAR, 0];
    jumps.extend(ABSOLUTE.map(|at| at - now()));
    let mut random = Random::new(seed());
    let n_random = if is_long() { 100 } else { 0 };
    jumps.extend((0..n_random).map(|_| random.below(80 * YEAR as u64) as i64 - 40 * YEAR));
    jumps
}

/// What must stay as it is: 300 events of the last two days, in a group that keeps 30 days.
fn kept(server: &Server) -> Vec<Vec<Value>> {
    server.rows("filter @log = \"kept\" | fields n, @message, @id, @timestamp | sort n")
}

/// Sets the limits that hold already: what they no longer allow would go at once.
fn retire(server: &Server) {
    let set = server.put("/api/v1/groups/kept", &json!({"retention": {"age": "30d", "size": null}}));
    assert_eq!(set.status, 200, "{}\n{}", set.body, server.transcript());
}

fn ids(server: &Server) -> BTreeSet<String> {
    let rows = server.rows("fields @id");
    let ids: BTreeSet<String> = rows.iter().map(|row| row[0].to_string()).collect();
    assert_eq!(ids.len(), rows.len(), "an id is there twice\n{}", server.transcript());
    ids
}

#[test]
fn a_clock_that_jumps_deletes_nothing_and_stops_nobody() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let Some(clock) = Clock::build(scratch.path()) else { return };
    let settings = "[retention]\nsize = \"never\"\ninterval = \"1s\"\nundo_window = \"0s\"\n";
    let mut server = clock.of(Launch::configured(scratch.path(), settings)).start();
    let event = |n: i64| json!({"n": n, "message": format!("event {n}"), "@timestamp": now() - n * 600});
    server.ingest("kept", ndjson((0..300).map(event)));
    server.flush();
    retire(&server);
    let before = kept(&server);
    assert_eq!(before.len(), 300);
    let mut n_sent = 0;
    for (idx, jump) in jumps().into_iter().enumerate() {
        clock.set(jump);
        if idx % 4 == 3 {
            // A server that starts with a wrong clock.
            server.kill();
            server = server.launch.try_start().expect("a wrong clock keeps nobody from starting");
        }
        let id = format!("batch-{idx}");
        for is_again in [false, true] {
            let sent = server.post(
                "/api/v1/ingest?group=sent&format=ndjson",
                &[("x-catat-batch", &id)],
                ndjson((0..5).map(|i| json!({"jump": idx, "i": i, "message": "sent"}))),
            );
            assert_eq!((sent.status, &sent.json()["duplicate"]), (200, &json!(is_again)), "{jump}: {}", sent.body);
        }
        n_sent += 5;
        if idx % 2 == 0 {
            server.flush();
        }
        retire(&server);
        assert_eq!(kept(&server), before, "after a jump of {jump} s\n{}", server.transcript());
        assert_eq!(server.rows("filter @log = \"sent\" | fields @id").len(), n_sent, "{jump}\n{}", server.transcript());
        assert_eq!(ids(&server).len(), before.len() + n_sent);
        assert!(!server.transcript().contains("panicked"), "{}", server.transcript());
    }
    clock.set(0);
    server.kill();
    let server = server.restart();
    assert_eq!((kept(&server), ids(&server).len()), (before, 300 + n_sent), "with the true clock again");
}
