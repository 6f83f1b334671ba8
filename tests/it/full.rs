//! Full disks: events are refused before they are acknowledged, queries go on, and it recovers by itself.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::doors::{self, DOORS};
use crate::lab::disk::Mount;
use crate::lab::oracle::{Fate, Oracle};
use crate::lab::{Random, Stopping, is_long, some_moment};
use crate::server::{Answer, Launch, PATIENCE, Server, client, ndjson};

const SETTINGS: &str = "[storage]\ndisk_reserve = \"4MiB\"\nwal_segment_bytes = \"1MiB\"\nflush_bytes = \"2MiB\"\n\
    [retention]\nsize = \"1GiB\"\n";

/// How soon events are accepted again once there is room.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

/// A small file system and a server on it.
fn server_on(options: &str) -> Option<(tempfile::TempDir, Mount, Server)> {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let disk = Mount::tmpfs(scratch.path().join("disk"), options)?;
    let server = Launch::configured(scratch.path(), SETTINGS).on(&disk.at.join("data")).start();
    doors::prepare(&server);
    Some((scratch, disk, server))
}

fn send_one(server: &Server) -> Answer {
    server.post("/api/v1/ingest?group=one&format=ndjson", &[], ndjson([json!({"message": "one"})]))
}

/// Asserts that every door refuses as its senders expect it, and that queries and the operator are answered.
fn assert_refuses(server: &Server) {
    let refused = server.until("the disk is seen to be full", || Some(send_one(server)).filter(|a| a.status != 200));
    assert!(refused.status == 507 && !refused.header("retry-after").is_empty(), "{refused:?}");
    for door in &DOORS {
        let refused = door.send(server, &[], (door.good)("no room"));
        door.assert_refused(&refused, door.full);
        assert!(!refused.header("retry-after").is_empty(), "{}: {refused:?}", door.name);
    }
    let ready = server.get("/-/ready", &[]);
    assert!(ready.status == 503 && ready.body.contains("reserve"), "{ready:?}");
    assert_eq!(server.get("/-/healthy", &[]).status, 200);
}

#[test]
fn a_disk_that_is_filled_and_freed_again_and_again_loses_nothing() {
    let Some((_scratch, disk, mut server)) = server_on("size=64m") else { return };
    let oracle = Oracle::new(3).with_batches_of(20);
    let n_cycles = if is_long() { 100 } else { 10 };
    let (http, mut random) = (client(), Random::new(11));
    for cycle in 0..n_cycles {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _stopping = Stopping(&stop);
            scope.spawn(|| oracle.produce(&server, &stop));
            assert!(oracle.acknowledges(100, PATIENCE), "cycle {cycle}\n{}", server.transcript());
            disk.fill();
            assert_refuses(&server);
            stop.store(true, Relaxed);
        });
        // Every other time it starts on the full disk.
        if cycle % 2 == 1 {
            server.kill();
            server = server.launch.try_start().expect("a full disk keeps nobody from starting");
            assert_refuses(&server);
        }
        let verdict = oracle.verify(&server);
        assert!(verdict.is_clean(), "cycle {cycle}, full: {verdict}\n{}", server.transcript());
        disk.make_room();
        let freed = Instant::now();
        while oracle.send(&http, &server.url, 0, &mut random) != Fate::Acknowledged {
            assert!(freed.elapsed() < RECOVERED_WITHIN, "cycle {cycle}\n{}", server.transcript());
            some_moment(5);
        }
        // Room for the next cycles: what this one brought goes into a segment.
        server.flush();
    }
    oracle.assert_kept(&server, "after the last cycle");
    eprintln!("{n_cycles} cycles, {} events", oracle.n_acknowledged());
}

#[test]
fn on_a_full_disk_a_group_can_be_deleted_and_makes_room() {
    let Some((_scratch, disk, server)) = server_on("size=40m") else { return };
    // Texts that nothing makes smaller, so that a group takes some room.
    let mut random = Random::new(1);
    let mut noise = || (0..600).map(|_| format!("{:08x}", random.below(1 << 31))).collect::<String>();
    for group in ["big", "other"] {
        let events = ndjson((0..1_000).map(|i| json!({"message": noise(), "n": i, "@timestamp": 1_763_380_800})));
        assert_eq!(server.ingest(group, events)["accepted"], 1_000);
        server.flush();
    }
    // A little is left, less than the reserve.
    disk.fill();
    let filler = fs::OpenOptions::new().write(true).open(disk.at.join("filler")).expect("it was made");
    let filled = filler.metadata().expect("it was made").len();
    filler.set_len(filled - (3 << 20)).expect("smaller is possible");
    assert_refuses(&server);
    let deleted = server.try_delete("/api/v1/groups/big").expect("the server answers");
    assert_eq!(deleted.status(), 200, "{}", server.transcript());
    server.until("the room of the deleted group is used", || (send_one(&server).status == 200).then_some(()));
    assert_eq!(server.rows("filter @log = \"other\" | stats count(*) as n"), [[json!(1_000)]]);
    assert!(server.rows("filter @log = \"big\" | limit 1").is_empty());
}

#[test]
fn a_small_disk_loses_its_oldest_events_instead_of_refusing_new_ones() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let Some(disk) = Mount::tmpfs(scratch.path().join("disk"), "size=64m") else { return };
    // Less than the 256 MiB that a share of the disk is not to fall below.
    let settings = "[storage]\ndisk_reserve = \"8MiB\"\nwal_segment_bytes = \"1MiB\"\nflush_bytes = \"4MiB\"\n\
                    [retention]\ninterval = \"1s\"\n";
    let server = Launch::configured(scratch.path(), settings).on(&disk.at.join("data")).start();
    let mut random = Random::new(4);
    let mut noise = || (0..600).map(|_| format!("{:08x}", random.below(1 << 31))).collect::<String>();
    let n_batches = 60;
    for batch in 0..n_batches {
        let at = 1_763_380_800 + batch * 86_400;
        let events = ndjson((0..500).map(|_| json!({"message": noise(), "batch": batch, "@timestamp": at})));
        // The sender comes again while the oldest events go.
        server.until("there is room", || {
            let answer = server.post("/api/v1/ingest?group=one&format=ndjson", &[], events.clone());
            (answer.status == 200).then_some(())
        });
    }
    let rows = server.rows("stats count(*) as n, min(batch) as low, max(batch) as high");
    let number = |at: usize| rows[0][at].as_i64().expect("a number");
    assert_eq!(number(2), n_batches - 1, "the newest stay");
    assert!(number(1) > 0 && number(0) >= 2_000, "the oldest went: {rows:?}");
    let ready =
        server.until("it says so", || Some(server.get("/-/ready", &[])).filter(|a| a.body.contains("nearly full")));
    assert_eq!(ready.status, 200, "{ready:?}");
    assert!(server.transcript().contains("disk is nearly full"), "{}", server.transcript());
}

#[test]
fn a_disk_without_inodes_refuses_what_needs_one_and_recovers() {
    let Some((_scratch, disk, mut server)) = server_on("size=64m,nr_inodes=200") else { return };
    let oracle = Oracle::new(2);
    let (http, mut random) = (client(), Random::new(2));
    oracle.send(&http, &server.url, 0, &mut random);
    let mut fillers = Vec::new();
    while let Some(path) = Some(disk.at.join(format!("i{}", fillers.len()))).filter(|path| fs::write(path, []).is_ok())
    {
        fillers.push(path);
    }
    assert!(fillers.len() > 100, "the file system was to run out of inodes");
    for _ in 0..4 {
        oracle.send(&http, &server.url, 1, &mut random);
        server.try_flush(true);
    }
    let verdict = oracle.verify(&server);
    assert!(verdict.is_clean(), "without inodes: {verdict}\n{}", server.transcript());
    server.kill();
    let restarted = server.launch.try_start();
    if let Ok(restarted) = &restarted {
        let verdict = oracle.verify(restarted);
        assert!(verdict.is_clean(), "started without inodes: {verdict}\n{}", restarted.transcript());
    }
    fillers.iter().for_each(|path| fs::remove_file(path).expect("it was made"));
    let server = match restarted {
        Ok(restarted) => restarted,
        // What needs a file and gets none may refuse to start, with the reason.
        Err(refused) if refused.said.contains("No space left") => server.restart(),
        Err(refused) => panic!("{refused:?}"),
    };
    oracle.assert_kept(&server, "with inodes again");
    server.flush();
    oracle.assert_kept(&server, "with inodes again, flushed");
}

#[test]
fn a_limit_on_file_sizes_ends_acknowledging_and_loses_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let launch = Launch::new(scratch.path(), &["serve"]);
    // 1,024 blocks of 512 bytes, which the WAL reaches first.
    let limited = ["env", "--ignore-signal=XFSZ", "sh", "-c", "ulimit -f 1024; exec \"$@\"", "sh"];
    let mut server = launch.clone().under(&limited).start();
    let oracle = Oracle::new(2);
    let (http, mut random) = (client(), Random::new(4));
    let began = Instant::now();
    let refused = loop {
        match oracle.send(&http, &server.url, 0, &mut random) {
            Fate::Refused(status) => break status,
            fate => assert!(began.elapsed() < PATIENCE, "{fate:?}"),
        }
    };
    assert!(matches!(refused, 503 | 507), "{refused}");
    let ready = server.get("/-/ready", &[]);
    assert_eq!(ready.status, 503, "{}", ready.body);
    let verdict = oracle.verify(&server);
    assert!(verdict.is_clean(), "{verdict}\n{}", server.transcript());
    server.kill();
    oracle.assert_kept(&launch.start(), "without the limit");
}
