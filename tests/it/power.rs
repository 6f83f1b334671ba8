//! Power cuts: what was acknowledged is there after one, once and unchanged, and nobody has to repair anything.
//!
//! `kill -9` says nothing about syncs, since the kernel keeps what was written. Here only what had reached the device
//! is left (`lab/disk.rs`). The control at the end turns the syncs into nothing, and must find events lost: otherwise
//! these tests would see nothing.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::lab::disk::{Disk, MOUNTS, scratch_in_memory};
use crate::lab::oracle::Oracle;
use crate::lab::{Random, Stopping, is_long, rounds, seed, some_moment, strace};
use crate::server::{Launch, PATIENCE, Server, ndjson};

const DISK_BYTES: u64 = 96 << 20;

/// Small steps, so that a cut finds every one of them under way.
const SETTINGS: &str = "[storage]\ndisk_reserve = \"4MiB\"\nwal_segment_bytes = \"1MiB\"\nflush_bytes = \"2MiB\"\n";

/// How long a cut waits for what goes on besides.
const ACTIVITY_MAX: Duration = Duration::from_millis(800);

/// What goes on besides ingest when the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Ingest,
    /// Flushes and compactions without a pause.
    Flush,
    /// Groups come and are deleted; limits are set.
    Delete,
}

const ACTIVITIES: [Activity; 3] = [Activity::Ingest, Activity::Flush, Activity::Delete];

/// Groups whose events are to be gone: deleted, or retired by a limit.
#[derive(Default)]
struct Deletions {
    next: AtomicU64,
    acknowledged: Mutex<Vec<u64>>,
}

impl Deletions {
    /// Makes a group, fills it, and deletes it, or lets retention take all of it.
    fn delete_one(&self, server: &Server) {
        let n = self.next.fetch_add(1, Relaxed);
        let old = |i| json!({"message": format!("event {i} of {n}"), "@timestamp": 1_763_000_000});
        let path = format!("/api/v1/ingest?group=doomed%2F{n}&format=ndjson");
        let sent = server.try_post(&path, &[], ndjson((0..50).map(old)));
        if sent.is_none_or(|answer| answer.status() != 200) {
            return;
        }
        if !n.is_multiple_of(3) {
            server.try_flush(false);
        }
        let group = format!("/api/v1/groups/doomed%2F{n}");
        let answer = match n % 3 {
            0 | 1 => server.try_delete(&group),
            _ => server.try_put(&group, &json!({"retention": {"age": "1d", "size": null}})),
        };
        if answer.is_some_and(|answer| answer.status().is_success()) {
            self.acknowledged.lock().expect("no thread panics").push(n);
        }
    }

    fn n_acknowledged(&self) -> usize {
        self.acknowledged.lock().expect("no thread panics").len()
    }

    /// What was deleted stays deleted.
    fn assert_kept(&self, server: &Server) {
        let left = server.rows("filter @log like /^doomed/ | stats count(*) as n by @log");
        for n in self.acknowledged.lock().expect("no thread panics").iter() {
            let is_it = |row: &Vec<Value>| row[0] == format!("doomed/{n}");
            assert!(!left.iter().any(is_it), "doomed/{n} is there again\n{}", server.transcript());
        }
    }
}

/// A server on a disk, its producers, and cuts.
struct Laboratory {
    oracle: Oracle,
    deletions: Deletions,
    launch: Launch,
    random: Random,
    n_cuts: u64,
    n_in_flight: u64,
    /// The process that was cut off last.
    pid: u32,
}

impl Laboratory {
    fn new(scratch: &Path, disk: &Disk, seed: u64) -> Laboratory {
        let launch = Launch::configured(scratch, SETTINGS).on(&disk.data_dir());
        let oracle = Oracle::new(4);
        let random = Random::new(seed);
        Laboratory { oracle, deletions: Deletions::default(), launch, random, n_cuts: 0, n_in_flight: 0, pid: 0 }
    }

    /// Lets the server work, cuts the power at some moment, and boots. `None` where the cut said nothing.
    fn cut(&mut self, disk: Disk, activity: Activity) -> Option<Disk> {
        let mut server = self.launch.start();
        let (enough, more_ms) = (1 + self.random.below(1_500), self.random.below(60));
        let (oracle, deletions, stop) = (&self.oracle, &self.deletions, &AtomicBool::new(false));
        let (n_done, n_wanted) =
            (&AtomicU64::new(0), if activity == Activity::Ingest { 0 } else { 1 + self.random.below(4) });

        let (copy, n_in_flight) = std::thread::scope(|scope| {
            let (running, _stopping) = (&server, Stopping(stop));
            scope.spawn(move || oracle.produce(running, stop));
            scope.spawn(move || {
                while activity != Activity::Ingest && !stop.load(Relaxed) {
                    match activity {
                        Activity::Delete => deletions.delete_one(running),
                        _ => running.try_flush(true),
                    }
                    n_done.fetch_add(1, Relaxed);
                }
            });
            assert!(oracle.acknowledges(enough, PATIENCE), "nothing is acknowledged\n{}", running.transcript());
            // Under load a flush with compaction may take long; to be cut off it need not end.
            let deadline = Instant::now() + ACTIVITY_MAX;
            while n_done.load(Relaxed) < n_wanted && Instant::now() < deadline {
                some_moment(2);
            }
            some_moment(more_ms);
            let copy = disk.cut(running.pid());
            let n_in_flight = oracle.n_in_flight();
            stop.store(true, Relaxed);
            crate::lab::signal(running.pid(), "-KILL");
            (copy, n_in_flight)
        });
        self.pid = server.pid();
        server.kill();
        drop(server);
        let disk = disk.boot(&copy)?;
        self.n_cuts += 1;
        self.n_in_flight += u64::from(n_in_flight > 0);
        Some(disk)
    }

    /// Starts on what the cut left, which needs nobody's help, and compares.
    fn check(&self, when: &str) {
        let server = self.launch.start();
        self.oracle.assert_kept(&server, when);
        self.deletions.assert_kept(&server);
    }
}

/// Cuts the power again and again under one kind of mount; the store lives through all of them.
///
/// Returns how many groups were deleted; `None` where nothing may be mounted.
fn cuts_with(options: &'static str, n_cuts: u64, seed: u64) -> Option<usize> {
    let scratch = scratch_in_memory();
    let mut disk = Disk::make(scratch.path(), DISK_BYTES, options)?;
    let mut lab = Laboratory::new(scratch.path(), &disk, seed);
    let mut n_deleted = 0;
    for n in 0..n_cuts {
        let activity = ACTIVITIES[((n + seed) % 3) as usize];
        // A store that has grown leaves no room to be cut in: then another begins.
        let is_grown = n > 0 && n % 40 == 0;
        let cut = if is_grown {
            drop(disk);
            None
        } else {
            lab.cut(disk, activity)
        };
        let Some(booted) = cut else {
            let (cuts, in_flight) = (lab.n_cuts, lab.n_in_flight);
            n_deleted += lab.deletions.n_acknowledged();
            disk = Disk::make(scratch.path(), DISK_BYTES, options)?;
            lab = Laboratory { n_cuts: cuts, n_in_flight: in_flight, ..Laboratory::new(scratch.path(), &disk, n) };
            continue;
        };
        disk = booted;
        lab.check(&format!("{options}, cut {n} during {activity:?}"));
    }
    n_deleted += lab.deletions.n_acknowledged();
    eprintln!(
        "{options}: {} cuts, {} with requests in flight, {} events acknowledged, {n_deleted} groups deleted",
        lab.n_cuts,
        lab.n_in_flight,
        lab.oracle.n_acknowledged()
    );
    assert!(lab.n_cuts * 2 > n_cuts, "more than half of the cuts were of broken file systems");
    assert!(lab.n_in_flight * 10 >= lab.n_cuts * 9, "cuts are to find requests in flight");
    Some(n_deleted)
}

#[test]
fn acknowledged_events_survive_power_cuts_in_every_mount_mode() {
    let seed = seed();
    let mut n_deleted = 0;
    for (idx, options) in MOUNTS.into_iter().enumerate() {
        let Some(deleted) = cuts_with(options, rounds(2), seed + idx as u64) else { return };
        n_deleted += deleted;
    }
    assert!(n_deleted > 0, "groups are to be deleted");
}

#[test]
fn a_first_start_that_is_cut_off_is_followed_by_one_that_works() {
    let mut random = Random::new(seed());
    let mut n_unfinished = 0;
    for n in 0..rounds(3) {
        let scratch = scratch_in_memory();
        let Some(disk) = Disk::make(scratch.path(), DISK_BYTES, MOUNTS[(n % 4) as usize]) else { return };
        let launch = Launch::configured(scratch.path(), SETTINGS).on(&disk.data_dir());
        let starting = launch.spawn();
        some_moment(random.below(if is_long() { 120 } else { 60 }));
        let copy = disk.cut(starting.pid());
        let said = starting.kill().expect("it runs until it is killed");
        n_unfinished += u64::from(!said.contains("http://"));
        let Some(_disk) = disk.boot(&copy) else { continue };
        let server = launch.start();
        Oracle::new(1).assert_fresh(&server, "after a first start that was cut off");
    }
    eprintln!("{n_unfinished} first starts were cut off before they listened");
    assert!(n_unfinished > 0, "the cut is to come before the start has ended");
}

/// Whether a server whose syncs do nothing loses something in a power cut.
fn loses_without_syncs(options: &'static str, seed: u64) -> Option<bool> {
    let scratch = scratch_in_memory();
    let disk = Disk::make(scratch.path(), DISK_BYTES, options)?;
    let mut lab = Laboratory::new(scratch.path(), &disk, seed);
    let honest = lab.launch.clone();
    let trace = scratch.path().join("trace");
    let (traced, left_out) = (format!("trace={}", strace::SYNCS), format!("inject={}:retval=0", strace::SYNCS));
    lab.launch = strace::traced(honest.clone(), &trace, &["-e", &traced, "-e", &left_out]);
    let _disk = lab.cut(disk, Activity::Ingest)?;
    let n_left_out = strace::whole_trace(&trace, lab.pid).matches("(INJECTED)").count();
    assert!(n_left_out > 0, "the syncs are to do nothing");
    match honest.try_start() {
        Err(refused) => {
            eprintln!("without syncs it does not even start: {}", refused.said.lines().last().unwrap_or_default());
            Some(true)
        }
        Ok(server) => {
            let is_ready = |status| status == 200 || status == 503;
            server.until("it answers", || server.try_get("/-/ready").filter(|ready| is_ready(ready.status().as_u16())));
            let verdict = lab.oracle.verify(&server);
            eprintln!(
                "without {n_left_out} syncs, {options}: {} lost of {}",
                verdict.lost.len(),
                lab.oracle.n_acknowledged()
            );
            Some(!verdict.lost.is_empty())
        }
    }
}

#[test]
fn without_syncs_a_power_cut_is_seen_to_lose_events() {
    if !strace::is_there() {
        return;
    }
    let n_runs = rounds(2);
    let (mut n_valid, mut n_losing) = (0, 0);
    for n in 0..n_runs {
        // With `commit=600` nothing but a sync brings anything to the device in the time of a test.
        match loses_without_syncs(MOUNTS[0], seed() + n) {
            Some(loses) => (n_valid, n_losing) = (n_valid + 1, n_losing + u64::from(loses)),
            None if n == 0 => return,
            None => {}
        }
    }
    assert!(n_losing * 100 >= n_valid * 95 && n_losing > 0, "{n_losing} of {n_valid} runs lost something");
}

#[test]
fn oracle_sees_what_is_lost_changed_foreign_and_there_twice() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let oracle = Oracle::new(2);
    let (http, mut random) = (crate::server::client(), Random::new(3));
    for producer in [0, 1, 0, 1] {
        oracle.send(&http, &server.url, producer, &mut random);
    }
    oracle.assert_kept(&server, "before anything is wrong");
    let row = &server.rows("filter producer = 1 and seq = 0 | fields hash, @message, @timestamp")[0];
    let again = json!({"producer": 1, "seq": 0, "hash": row[0], "message": row[1], "@timestamp": row[2]});
    let changed = json!({"producer": 1, "seq": 0, "hash": row[0], "message": "something else", "@timestamp": row[2]});
    let foreign = json!({"producer": 9, "seq": 1, "hash": "", "message": "", "@timestamp": row[2]});
    server.ingest("lab/1", ndjson([again]));
    let verdict = oracle.verify(&server);
    assert!((verdict.twice.len(), verdict.altered.len()) == (1, 0) && !verdict.is_clean(), "{verdict}");
    server.ingest("lab/1", ndjson([changed, foreign]));
    let verdict = oracle.verify(&server);
    assert_eq!((verdict.twice.len(), verdict.altered.len(), verdict.foreign.len()), (2, 1, 1), "{verdict}");
    assert!(server.try_delete("/api/v1/groups/lab%2F0").is_some_and(|answer| answer.status().is_success()));
    assert!(!oracle.verify(&server).lost.is_empty());
}
