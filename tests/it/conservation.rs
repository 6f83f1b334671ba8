//! Conservation: what goes in is there, once, whatever is killed meanwhile.
//!
//! The short form runs with all tests; `CATAT_FAULT_ROUNDS` (`tests/run faults` sets it) makes it longer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde_json::json;

use crate::server::{Server, ndjson};

const SENDERS: u64 = 6;

/// How often the server is killed.
fn rounds() -> u64 {
    std::env::var("CATAT_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// A small generator of numbers (xorshift64*): the same seed gives the same run, as far as threads allow.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }
}

/// What the senders know.
#[derive(Default)]
struct Ledger {
    next_serial: AtomicU64,
    acknowledged: Mutex<BTreeSet<u64>>,
    /// Batches with an id and without an answer: to be sent again, as senders do.
    unanswered: Mutex<HashMap<String, Vec<u64>>>,
}

impl Ledger {
    /// The batch to send now: its id, if it has one, and its serials.
    fn next_batch(&self, random: &mut Random, has_id: bool) -> (Option<String>, Vec<u64>) {
        if has_id && random.below(3) > 0 {
            let mut unanswered = self.unanswered.lock().expect("no sender panics");
            if let Some(id) = unanswered.keys().next().cloned() {
                let serials = unanswered.remove(&id).expect("its key was found");
                return (Some(id), serials);
            }
        }
        let n = [1, 5, 50, 400][random.below(4) as usize];
        let first = self.next_serial.fetch_add(n, Relaxed);
        (has_id.then(|| format!("batch-{first}")), (first..first + n).collect())
    }

    /// Sends batches until told to stop; whatever has no answer is kept for later where it has an id.
    fn send(&self, server: &Server, sender: u64, round: u64, stop: &AtomicBool) {
        let mut random = Random::new(1 + sender + 100 * round);
        while !stop.load(Relaxed) {
            let (id, serials) = self.next_batch(&mut random, sender.is_multiple_of(2));
            let body =
                ndjson(serials.iter().map(|serial| json!({"serial": serial, "message": format!("event {serial}")})));
            let path = format!("/api/v1/ingest?group=sender%2F{sender}&format=ndjson");
            let headers: Vec<(&str, &str)> = id.iter().map(|id| ("x-catat-batch", id.as_str())).collect();
            let response = server.try_post(&path, &headers, body);
            // An answer is one once it is there whole: the status line alone may be all that came.
            let is_acknowledged = response.is_some_and(|response| {
                response.status() == 200 && response.text().is_ok_and(|text| text.ends_with('}'))
            });
            if is_acknowledged {
                self.acknowledged.lock().expect("no sender panics").extend(serials);
            } else if let Some(id) = id {
                self.unanswered.lock().expect("no sender panics").insert(id, serials);
            }
        }
    }

    fn check(&self, server: &Server) {
        let mut times_stored: HashMap<u64, u64> = HashMap::new();
        let mut low = 0;
        while low < self.next_serial.load(Relaxed) {
            let rows = server.rows(&format!("filter serial >= {low} and serial < {} | fields serial", low + 5_000));
            for row in rows {
                *times_stored.entry(row[0].as_u64().expect("serials are numbers")).or_default() += 1;
            }
            low += 5_000;
        }
        let acknowledged = self.acknowledged.lock().expect("no sender panics");
        let lost: Vec<_> = acknowledged.iter().filter(|serial| !times_stored.contains_key(serial)).take(10).collect();
        let twice: Vec<_> = times_stored.iter().filter(|(_, times)| **times > 1).take(10).collect();
        assert!(lost.is_empty(), "acknowledged and not there: {lost:?}\n{}", server.transcript());
        assert!(twice.is_empty(), "there more than once: {twice:?}\n{}", server.transcript());
        assert_eq!(server.count(), times_stored.values().sum::<u64>());
    }
}

#[test]
fn acknowledged_events_are_there_once_after_kills_under_load() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    let ledger = Ledger::default();
    let mut random = Random::new(7);
    for round in 0..rounds() {
        let stop = AtomicBool::new(false);
        let enough = ledger.acknowledged.lock().expect("no sender panics").len() + 500 + random.below(5_000) as usize;
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (server, ledger, stop) = (&server, &ledger, &stop);
                scope.spawn(move || ledger.send(server, sender, round, stop));
            }
            server.until("the senders have got on", || {
                (ledger.acknowledged.lock().expect("no sender panics").len() >= enough).then_some(())
            });
            if round % 3 == 1 {
                server.flush();
            }
            let killed = std::process::Command::new("kill").args(["-9", &server.pid().to_string()]).status();
            assert!(killed.is_ok_and(|status| status.success()));
            stop.store(true, Relaxed);
        });
        server.kill();
        server = server.restart();
        ledger.check(&server);
    }
    server.flush();
    ledger.check(&server);
}

/// How a log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rotation {
    Rename,
    CopyAndTruncate,
    /// A new file under a new name; the old one stays.
    NextName,
}

/// Writes numbered lines into one log and rotates it.
struct Writer {
    rotation: Rotation,
    path: PathBuf,
    file: File,
    n_lines: u64,
    n_rotations: u64,
    random: Random,
}

fn open(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("scratch is writable")
}

impl Writer {
    fn new(logs: &Path, rotation: Rotation) -> Writer {
        let path = logs.join(format!("{rotation:?}.log"));
        Writer {
            rotation,
            file: open(&path),
            path,
            n_lines: 0,
            n_rotations: 0,
            random: Random::new(rotation as u64 + 1),
        }
    }

    fn line(&mut self) {
        let padding = "y".repeat(self.random.below(200) as usize);
        let line = format!("w={:?} n={} {padding}.\n", self.rotation, self.n_lines);
        self.n_lines += 1;
        if self.random.below(40) > 0 {
            return self.file.write_all(line.as_bytes()).expect("scratch is writable");
        }
        let (half, rest) = line.split_at(self.random.below(line.len() as u64) as usize);
        self.file.write_all(half.as_bytes()).expect("scratch is writable");
        std::thread::park_timeout(Duration::from_millis(self.random.below(60)));
        self.file.write_all(rest.as_bytes()).expect("scratch is writable");
    }

    fn rotate(&mut self) {
        self.n_rotations += 1;
        let with_suffix = |n: u64| PathBuf::from(format!("{}.{n}", self.path.display()));
        for n in (1..self.n_rotations).rev() {
            if with_suffix(n).exists() {
                fs::rename(with_suffix(n), with_suffix(n + 1)).expect("scratch is writable");
            }
        }
        match self.rotation {
            Rotation::Rename => {
                fs::rename(&self.path, with_suffix(1)).expect("scratch is writable");
                // A writer keeps its file open for a moment.
                self.line();
                self.file = open(&self.path);
            }
            Rotation::CopyAndTruncate => {
                fs::copy(&self.path, with_suffix(1)).expect("scratch is writable");
                self.file.set_len(0).expect("scratch is writable");
            }
            Rotation::NextName => {
                let name = format!("next-{}.log", self.n_rotations);
                self.file = open(&self.path.with_file_name(name));
            }
        }
    }

    fn write(&mut self, stop: &AtomicBool) {
        while !stop.load(Relaxed) {
            for _ in 0..=self.random.below(40) {
                self.line();
            }
            std::thread::park_timeout(Duration::from_millis(self.random.below(30)));
            if self.random.below(25) == 0 {
                self.rotate();
            }
        }
    }
}

/// Writes logs while `catat up` is killed again and again; returns what was written and the server that was last.
fn write_while_it_is_killed(logs: &Path, mut server: Server) -> (BTreeMap<Rotation, u64>, Server) {
    let stop = AtomicBool::new(false);
    let rotations = [Rotation::Rename, Rotation::CopyAndTruncate, Rotation::NextName];
    std::thread::scope(|scope| {
        let stop = &stop;
        let writers: Vec<_> = rotations
            .map(|rotation| {
                let mut writer = Writer::new(logs, rotation);
                scope.spawn(move || {
                    writer.write(stop);
                    (rotation, writer.n_lines)
                })
            })
            .into();
        let mut random = Random::new(3);
        for _ in 0..rounds() {
            let enough = server.count() + 100 + random.below(1_500);
            server.until("it reads on", || (server.count() >= enough).then_some(()));
            server.kill();
            std::thread::park_timeout(Duration::from_millis(random.below(400)));
            server = server.restart();
        }
        stop.store(true, Relaxed);
        let written = writers.into_iter().map(|writer| writer.join().expect("no writer panics")).collect();
        (written, server)
    })
}

#[test]
fn every_line_of_rotating_files_is_stored_once_though_up_is_killed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    let server = Server::up(scratch.path(), &[&logs]);
    let (written, server) = write_while_it_is_killed(&logs, server);
    // A line of 10 MB is one record in parts, and nothing after it is lost.
    let long = format!("w=Long n=0 {}.\nw=Long n=1 .\n", "A".repeat(10_000_000));
    fs::write(logs.join("long.log"), long).expect("scratch is writable");
    let counted = "filter @message like /^w=/ | parse @message /^w=(?<w>[A-Za-z]+) n=(?<n>[0-9]+) /";
    let all: u64 = written.values().sum::<u64>() + 2;
    server.until("every line is there", || {
        let n = server.value(&format!("{counted} | stats count(*) as n")).as_u64()?;
        assert!(n <= all, "{n} lines of {all}: some twice\n{}", server.transcript());
        (n == all).then_some(())
    });
    for (rotation, n_lines) in &written {
        let of_one = format!("{counted} | filter w = \"{rotation:?}\" | stats count(*) as n_lines, sum(n) as total");
        assert_eq!(server.rows(&of_one), [[json!(n_lines), json!(n_lines * (n_lines - 1) / 2)]], "{rotation:?}");
        let torn =
            format!("filter @message like /^w={rotation:?} / and @message not like /\\.$/ | stats count(*) as n");
        assert_eq!(server.rows(&torn).first().map_or(json!(0), |row| row[0].clone()), 0, "{rotation:?}: torn lines");
    }
    let parts = server.value("filter ispresent(@part) | stats count_distinct(@partOf) as n");
    assert_eq!(parts, 1, "the long line is one record in parts");
}
