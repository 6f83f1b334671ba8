//! Conservation: what goes in is there, once, whatever is killed meanwhile.
//!
//! The short form runs with all tests; `CATAT_FAULT_ROUNDS` (`tests/run faults` sets it) makes it longer.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::lab::oracle::Oracle;
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

/// How a log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rotation {
    Rename,
    CopyAndTruncate,
    /// A new file under a new name; the old one stays.
    NextName,
}

/// Writes numbered lines into one log and rotates it.
pub(crate) struct Writer {
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
    pub(crate) fn new(logs: &Path, rotation: Rotation) -> Writer {
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

    /// Writes until it is told to stop; returns how many lines there are.
    pub(crate) fn write(&mut self, stop: &AtomicBool) -> u64 {
        while !stop.load(Relaxed) {
            for _ in 0..=self.random.below(40) {
                self.line();
            }
            std::thread::park_timeout(Duration::from_millis(self.random.below(30)));
            if self.random.below(25) == 0 {
                self.rotate();
            }
        }
        self.n_lines
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
                scope.spawn(move || (rotation, writer.write(stop)))
            })
            .into();
        let mut random = Random::new(3);
        for _ in 0..rounds(3) {
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
    assert_each_line_once(&server, &written, 2);
    let parts = server.value("filter ispresent(@part) | stats count_distinct(@partOf) as n");
    assert_eq!(parts, 1, "the long line is one record in parts");
}

/// Every line that was written is stored once and whole, and `n_others` of other writers.
pub(crate) fn assert_each_line_once(server: &Server, written: &BTreeMap<Rotation, u64>, n_others: u64) {
    let counted = "filter @message like /^w=/ | parse @message /^w=(?<w>[A-Za-z]+) n=(?<n>[0-9]+) /";
    let all: u64 = written.values().sum::<u64>() + n_others;
    server.until("every line is there", || {
        let n = server.value(&format!("{counted} | stats count(*) as n")).as_u64()?;
        assert!(n <= all, "{n} lines of {all}: some twice: {}", twice(server, counted));
        (n == all).then_some(())
    });
    for (rotation, n_lines) in written {
        let of_one = format!("{counted} | filter w = \"{rotation:?}\" | stats count(*) as n_lines, sum(n) as total");
        assert_eq!(server.rows(&of_one), [[json!(n_lines), json!(n_lines * (n_lines - 1) / 2)]], "{rotation:?}");
        let torn =
            format!("filter @message like /^w={rotation:?} / and @message not like /\\.$/ | stats count(*) as n");
        assert_eq!(server.rows(&torn).first().map_or(json!(0), |row| row[0].clone()), 0, "{rotation:?}: torn lines");
    }
}

/// Which lines are there twice, and from which files they came.
fn twice(server: &Server, counted: &str) -> String {
    let of =
        |by: &str| server.rows(&format!("{counted} | stats count(*) as events, count_distinct(n) as lines by {by}"));
    let first = format!(
        "{counted} | stats count(*) as times, min(offset) as a, max(offset) as b by w, n | filter times > 1 | sort n asc | limit 5"
    );
    format!("{:?}\n{:?}\n{:?}\n{}", of("w"), of("file"), server.rows(&first), server.transcript())
}
