//! Files that grow, move, vanish and come back, polled by hand.

mod births;
mod names;
mod packed;
mod places;
mod slow;

use std::fs;
use std::io::Write;

use tempfile::TempDir;

use types::group_name_of_file;

use crate::Header;
use crate::discover::Backlog;

use super::*;

mod looks;

const MS: i64 = 1_000_000;

/// A directory of logs, a shipper that is driven by hand, and a server that keeps what it gets by position.
pub(super) struct Bench {
    dir: TempDir,
    follower: Option<Follower>,
    pub(super) now: Timestamp,
    /// Bytes by file, generation and offset, as the server has them.
    stored: BTreeMap<(String, u64), Vec<u8>>,
    /// Events in the order in which they came, bytes that were there before left out.
    pub(super) events: Vec<String>,
    n_sent_twice: u64,
}

impl Bench {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        // Checkpoints are synced again and again, which a device would take its time for.
        let in_memory = Path::new("/dev/shm");
        let dir = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
        Self::in_dir(dir.unwrap(), files)
    }

    fn in_dir(dir: TempDir, files: &[(&str, &str)]) -> Self {
        fs::create_dir(dir.path().join("log")).unwrap();
        // Far ahead of the files' own times, so that they count as quiet at once.
        let now = Timestamp(Timestamp::parse_rfc3339("2200-01-01T00:00:00Z").unwrap().0);
        let stored = BTreeMap::new();
        let mut bench = Self { dir, follower: None, now, stored, events: Vec::new(), n_sent_twice: 0 };
        for (name, text) in files {
            bench.append(name, text);
        }
        bench.start();
        bench
    }

    pub(super) fn options(&self) -> FollowOptions {
        let paths = vec![self.dir.path().join("log")];
        let mut options = FollowOptions::new(paths, self.dir.path().join("state"));
        options.backlog = Backlog::ALL;
        options.host = "h".into();
        options
    }

    pub(super) fn start(&mut self) -> Discovery {
        self.start_with(self.options())
    }

    /// Ends it in the middle of things.
    pub(super) fn kill(&mut self) {
        self.follower = None;
    }

    pub(super) fn stop(&mut self) {
        let now = self.now;
        if let Some(mut follower) = self.follower.take() {
            follower.save(now).unwrap();
        }
    }

    pub(super) fn start_with(&mut self, options: FollowOptions) -> Discovery {
        self.follower = None;
        let (follower, discovery) = Follower::open(options, self.now).unwrap();
        self.follower = Some(follower);
        discovery
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("log").join(name)
    }

    pub(super) fn append(&self, name: &str, text: &str) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        // What is written while the shipper runs is written now, by the clock of the test.
        if self.follower.is_some() {
            let now = std::time::Duration::from_nanos(self.now.0.unsigned_abs());
            file.set_modified(std::time::UNIX_EPOCH + now).unwrap();
        }
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(super) fn follower(&mut self) -> &mut Follower {
        self.follower.as_mut().unwrap()
    }

    /// Lets time pass in small steps and delivers everything.
    pub(super) fn run(&mut self, milliseconds: i64) {
        let end = self.now.0 + milliseconds * MS;
        while self.now.0 < end && self.follower.is_some() {
            self.now = Timestamp(self.now.0 + 50 * MS);
            for batch in self.poll() {
                self.deliver(&batch);
            }
            let now = self.now;
            self.follower().save_if_due(now).unwrap();
        }
    }

    /// Lets time pass while no server answers; returns what is on its way meanwhile.
    pub(super) fn run_without_server(&mut self, milliseconds: i64) -> Vec<FileBatch> {
        let mut on_their_way = Vec::new();
        for _ in 0..milliseconds / 50 {
            self.now = Timestamp(self.now.0 + 50 * MS);
            on_their_way.extend(self.poll());
        }
        on_their_way
    }

    fn poll(&mut self) -> Vec<FileBatch> {
        let now = self.now;
        self.follower().poll_once(now)
    }

    fn deliver(&mut self, batch: &FileBatch) {
        self.store(batch);
        let now = self.now;
        self.follower().acknowledge(batch, now);
    }

    /// Stores bytes as a server does: by position, and only those it does not have.
    pub(super) fn store(&mut self, batch: &FileBatch) {
        let header = &batch.header;
        let stored = self.stored.entry((header.file.clone(), header.generation)).or_default();
        let start = usize::try_from(header.start).unwrap();
        if stored.is_empty() {
            // A server takes what stands before for left out on purpose, and nothing else.
            assert_eq!(header.begin, header.start, "where the shipper began with {}", header.path);
            stored.resize(start, b'?');
        }
        assert!(start <= stored.len(), "gap before {start} in {}", header.path);
        let n_known = (stored.len() - start).min(batch.bytes.len());
        self.n_sent_twice += n_known as u64;
        assert_eq!(stored[start..start + n_known], batch.bytes[..n_known], "other bytes at a known position");
        stored.extend_from_slice(&batch.bytes[n_known..]);
        self.add_events(batch, n_known);
    }

    fn add_events(&mut self, batch: &FileBatch, n_known: usize) {
        let lines = || batch.bytes.split_inclusive(|b| *b == b'\n').map(|line| line.len() as u64).collect();
        let lengths: Vec<u64> = batch.header.lengths.clone().unwrap_or_else(lines);
        assert_eq!(lengths.iter().sum::<u64>(), batch.bytes.len() as u64);
        let mut at = 0;
        for length in lengths {
            let event = &batch.bytes[at..at + length as usize];
            if at >= n_known {
                self.events.push(String::from_utf8_lossy(event).trim_end().to_string());
            }
            at += length as usize;
        }
    }

    pub(super) fn check(&self, expected: &[&str]) {
        let mut events = self.events.clone();
        events.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(events, expected);
    }
}

#[test]
fn lines_are_sent_from_the_beginning_and_then_as_they_come() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\n")]);
    bench.run(200);
    bench.check(&["one", "two"]);
    bench.append("a.log", "three\n");
    let (path, now) = (bench.path("a.log"), bench.now);
    bench.follower().hint(&path, false, now);
    bench.run(200);
    bench.check(&["one", "two", "three"]);
    bench.append("a.log", "four\n");
    bench.run(250);
    bench.check(&["one", "two", "three", "four"]);
}

#[test]
fn a_header_says_where_the_bytes_come_from() {
    let mut bench = Bench::new(&[("a.log.1", "one\n")]);
    let batches = bench.poll();
    let path = bench.path("a.log.1").to_string_lossy().into_owned();
    let header = &batches[0].header;
    assert_eq!((header.start, header.generation, header.host.as_str(), &header.path), (0, 0, "h", &path));
    assert_eq!(header.source.len(), 32);
    assert!(header.modified.is_some());
    assert_eq!(batches[0].group, group_name_of_file(path.trim_end_matches(".1")));
    assert_eq!(batches[0].stream, format!("h:{path}"));
    let body = batches[0].encode();
    let newline = body.iter().position(|b| *b == b'\n').unwrap();
    assert_eq!(serde_json::from_slice::<Header>(&body[..newline]).unwrap(), *header);
    assert_eq!(&body[newline + 1..], b"one\n");
}

#[test]
fn a_half_line_is_held_back_and_sent_after_five_quiet_seconds() {
    let mut bench = Bench::new(&[]);
    bench.append("a.log", "half");
    bench.run(3_000);
    bench.append("a.log", " line\nlast");
    bench.run(3_000);
    bench.check(&["half line"]);
    bench.run(3_500);
    bench.check(&["half line", "last"]);
}

#[test]
fn a_stack_trace_written_in_two_goes_is_one_event() {
    let mut bench = Bench::new(&[]);
    bench.append("a.log", "ERROR x\n");
    bench.run(50);
    bench.append("a.log", "\tat a.B\n");
    bench.run(1_500);
    bench.check(&["ERROR x\n\tat a.B"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(200);
    bench.append("a.log", "two\n");
    bench.rename("a.log", "a.log.1");
    bench.append("a.log", "three\n");
    bench.append("a.log.1", "late\n");
    bench.run(2_000);
    bench.append("a.log.1", "later\n");
    bench.run(2_000);
    bench.check(&["one", "two", "three", "late", "later"]);
    let paths: Vec<u64> = bench.follower().status().iter().map(|file| file.generation).collect();
    assert_eq!(paths, [0, 0]);
}

#[test]
fn fifty_rotations_between_two_polls_lose_nothing() {
    let mut bench = Bench::new(&[]);
    let mut expected = Vec::new();
    for round in 0..50 {
        for i in (1..=round).rev() {
            bench.rename(&format!("a.log{}", suffix(i - 1)), &format!("a.log.{i}"));
        }
        expected.push(format!("line of round {round}"));
        bench.append("a.log", &format!("line of round {round}\n"));
    }
    bench.run(3_000);
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

fn suffix(n: usize) -> String {
    if n == 0 { String::new() } else { format!(".{n}") }
}

#[test]
fn a_truncated_file_begins_anew_and_its_copy_is_not_sent_again() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\n")]);
    bench.run(200);
    bench.append("a.log", "unread\n");
    fs::copy(bench.path("a.log"), bench.path("a.log.1")).unwrap();
    fs::File::create(bench.path("a.log")).unwrap();
    bench.append("a.log", "three\n");
    bench.run(3_000);
    bench.check(&["one", "two", "unread", "three"]);
}

#[test]
fn a_copy_in_the_making_waits_for_its_original() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\nthree\n")]);
    bench.run(200);
    bench.append("a.log.1", "one\nt");
    bench.run(10_000);
    bench.append("a.log.1", "wo\nthree\n");
    fs::File::create(bench.path("a.log")).unwrap();
    bench.run(3_000);
    bench.append("a.log", "four\n");
    bench.run(3_000);
    bench.check(&["one", "two", "three", "four"]);
}

#[test]
fn a_file_truncated_and_grown_past_the_old_place_is_seen_to_be_another() {
    let mut bench = Bench::new(&[("a.log", "header\nmonday\n")]);
    bench.run(200);
    fs::write(bench.path("a.log"), "header\ntuesday and more\n").unwrap();
    bench.run(1_500);
    bench.check(&["header", "monday", "header", "tuesday and more"]);
}

#[test]
fn other_content_of_the_same_length_is_seen() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(200);
    fs::write(bench.path("a.log"), "two\n").unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    fs::File::options().write(true).open(bench.path("a.log")).unwrap().set_modified(later).unwrap();
    bench.run(1_500);
    bench.check(&["one", "two"]);
}

#[test]
fn delete_and_recreate_reads_every_file_whole_even_with_equal_first_lines() {
    let mut bench = Bench::new(&[]);
    let mut expected = Vec::new();
    for round in 0..30 {
        let _ = fs::remove_file(bench.path("a.log"));
        bench.append("a.log", &format!("banner\nround {round}\n"));
        bench.run(1_200);
        expected.extend(["banner".to_string(), format!("round {round}")]);
    }
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_deleted_file_is_read_to_its_end_while_it_is_open() {
    let mut bench = Bench::new(&[]);
    bench.append("a.log", "one\n");
    bench.run(1_500);
    bench.append("a.log", "two\n");
    fs::remove_file(bench.path("a.log")).unwrap();
    bench.run(1_500);
    bench.check(&["one", "two"]);
    assert_eq!(bench.follower().status().len(), 1);
    bench.run(62_000);
    assert!(bench.follower().status().is_empty());
}

#[test]
fn a_restart_goes_on_where_the_server_acknowledged() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(2_000);
    bench.append("a.log", "two\n");
    bench.start();
    bench.run(500);
    bench.check(&["one", "two"]);
    assert_eq!(bench.n_sent_twice, 0);
}

#[test]
fn rotation_while_the_shipper_is_down_loses_and_repeats_nothing() {
    let mut bench = Bench::new(&[("a.log", "one\n"), ("b.log", "uno\n")]);
    bench.run(2_000);
    bench.follower = None;
    bench.append("a.log", "two\n");
    bench.rename("a.log", "a.log.1");
    bench.append("a.log", "three\n");
    bench.append("b.log", "due\n");
    fs::copy(bench.path("b.log"), bench.path("b.log.1")).unwrap();
    fs::File::create(bench.path("b.log")).unwrap();
    bench.append("b.log", "tre\n");
    bench.start();
    bench.run(2_000);
    bench.check(&["one", "two", "three", "uno", "due", "tre"]);
    assert_eq!(bench.n_sent_twice, 0);
}

#[test]
fn what_was_sent_but_not_checkpointed_is_sent_again_at_the_same_position() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\n")]);
    let batches = bench.poll();
    assert_eq!(batches.len(), 1);
    bench.store(&batches[0]);
    // The process dies here: sent, stored, never acknowledged.
    bench.start();
    bench.run(500);
    bench.check(&["one", "two"]);
    assert_eq!(bench.n_sent_twice, 8);
}

#[test]
fn a_batch_that_could_not_be_delivered_is_read_again() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    let batches = bench.poll();
    let now = bench.now;
    bench.follower().give_back(&batches[0], "server down", now);
    assert_eq!(bench.follower().status()[0].last_error.as_deref(), Some("server down"));
    bench.run(6_000);
    bench.check(&["one"]);
    assert_eq!(bench.follower().status()[0].last_error, None);
}

#[test]
fn no_more_batches_than_allowed_are_on_their_way_and_none_twice() {
    let names: Vec<String> = (0..20).map(|i| format!("f{i}x.log")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "line\n")).collect();
    let mut bench = Bench::new(&files);
    let first = bench.poll();
    assert_eq!(first.len(), 4);
    assert!(bench.poll().is_empty());
    bench.store(&first[0]);
    let now = bench.now;
    bench.follower().acknowledge(&first[0], now);
    bench.follower().acknowledge(&first[0], now);
    let second = bench.poll();
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].header.file, first[0].header.file);
}

#[test]
fn long_lines_are_kept_whole_up_to_the_limit_and_cut_between_characters_beyond() {
    let mut bench = Bench::new(&[]);
    let whole = "w".repeat(5_000);
    let too_long = "é".repeat(20_001);
    bench.append("a.log", &format!("{whole}\nx{too_long}\nnext\n"));
    let mut options = bench.options();
    (options.batch_bytes, options.line_bytes_max) = (1_000, 8_000);
    bench.start_with(options);
    bench.run(3_000);
    assert_eq!(bench.events[0], whole);
    assert_eq!(bench.events.last().unwrap(), "next");
    let rest: String = bench.events[1..bench.events.len() - 1].concat();
    assert_eq!(rest, format!("x{too_long}"));
}

#[test]
fn of_long_lines_one_at_a_time_is_in_memory_and_each_file_has_its_turn() {
    let mut bench = Bench::new(&[]);
    let names = ["a.log", "b.log", "c.log"];
    names
        .iter()
        .for_each(|name| bench.append(name, &format!("{}\nlast\n", "x".repeat(file::PIECE_BYTES + (17 << 20)))));
    bench.append("short.log", "one\ntwo\n");
    bench.start();
    let (mut turns, mut n_short) = (Vec::new(), 0);
    while turns.len() < 3 * 5 {
        let batches = bench.poll();
        let (large, mut small): (Vec<_>, Vec<_>) = batches.into_iter().partition(is_large);
        assert!(large.len() <= 1, "{}", large.len());
        assert!(large.iter().all(|batch| batch.bytes.capacity() <= 2 * file::PIECE_BYTES));
        for batch in large {
            let meanwhile = bench.poll();
            assert!(!meanwhile.iter().any(is_large));
            small.extend(meanwhile);
            turns.push((batch.header.path.clone(), batch.header.start));
            bench.deliver(&batch);
        }
        n_short += small.iter().filter(|batch| batch.header.path.ends_with("short.log")).count();
        small.iter().for_each(|batch| bench.deliver(batch));
        bench.now.0 += 50 * MS;
    }
    assert_eq!(n_short, 1);
    let of_first_rounds: std::collections::BTreeSet<_> = turns.iter().take(3).map(|(path, _)| path).collect();
    assert_eq!(of_first_rounds.len(), 3, "{turns:?}");
    assert!(turns.iter().all(|(_, start)| start % file::PIECE_BYTES as u64 == 0), "{turns:?}");
}

#[test]
fn old_data_is_limited_newest_first_and_named() {
    let mut bench = Bench::new(&[]);
    let line = format!("{}\n", "x".repeat(99));
    bench.append("old.log", &line.repeat(10));
    bench.append("big.log", &line.repeat(10));
    bench.append("new.log", &line.repeat(10));
    for (name, days) in [("old.log", 40), ("big.log", 2), ("new.log", 1)] {
        let age = std::time::Duration::from_secs(days * 86_400);
        let file = fs::File::options().append(true).open(bench.path(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
    }
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    bench.now = Timestamp(since_epoch.as_nanos() as i64);
    fs::remove_dir_all(bench.dir.path().join("state")).unwrap();
    let mut options = bench.options();
    options.backlog = Backlog { bytes_max: Some(1_450), ..Backlog::default() };
    let discovery = bench.start_with(options);
    let starts: Vec<u64> = discovery.files.iter().map(|file| file.start).collect();
    assert_eq!(starts, [600, 0, 1_000]);
    let mut begins: Vec<u64> = bench.follower().status().iter().map(|file| file.begin).collect();
    begins.sort_unstable();
    assert_eq!(begins, [0, 600, 1_000], "what was left out on purpose can be told from what is missing");
    let reasons: Vec<String> = discovery.left_out.iter().map(|left| left.reason.to_string()).collect();
    assert!(reasons[0].starts_with("the first 600 B"), "{reasons:?}");
    assert!(reasons[1].starts_with("last modified"), "{reasons:?}");
    bench.append("old.log", "awake\n");
    bench.run(1_500);
    assert_eq!(bench.events.len(), 15);
    assert!(bench.events.contains(&"awake".to_string()));
    // Of what replaces it nothing is left out.
    fs::File::create(bench.path("big.log")).unwrap();
    bench.append("big.log", "anew\n");
    bench.run(1_500);
    assert!(bench.events.contains(&"anew".to_string()));
}

#[test]
fn a_file_that_turns_out_to_be_binary_is_dropped() {
    let mut bench = Bench::new(&[("empty.log", "")]);
    bench.run(200);
    fs::write(bench.path("empty.log"), [0u8; 500]).unwrap();
    bench.run(2_000);
    bench.check(&[]);
    assert!(bench.follower().status().is_empty());
}

#[test]
fn a_name_that_is_no_text_does_not_stop_the_checkpoint() {
    use std::os::unix::ffi::OsStrExt;
    let mut bench = Bench::new(&[]);
    let name = std::ffi::OsStr::from_bytes(b"bad\xff.log");
    fs::write(bench.dir.path().join("log").join(name), "one\n").unwrap();
    bench.run(2_500);
    bench.check(&["one"]);
    bench.start();
    bench.run(1_500);
    bench.check(&["one"]);
}

#[test]
fn a_damaged_checkpoint_sends_again_and_skips_nothing() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(2_000);
    bench.append("a.log", "two\n");
    bench.run(2_000);
    bench.follower = None;
    for slot in 0..2 {
        fs::write(bench.dir.path().join("state").join(format!("checkpoint-{slot}")), [0u8; 100]).unwrap();
    }
    bench.start();
    assert!(bench.follower().was_damaged());
    bench.append("a.log", "three\n");
    bench.run(2_000);
    bench.check(&["one", "two", "one", "two", "three"]);
}

/// Files that come and are deleted while no server answers: `n` of 100 lines and 1,000 bytes each.
fn rotate_without_server(bench: &mut Bench, gone_bytes: u64, n: usize) -> Vec<String> {
    let options = FollowOptions { gone_bytes, in_flight_max: 1, ..bench.options() };
    bench.start_with(options);
    bench.append("first.log", "first\n");
    let first = bench.run_without_server(2000);
    assert_eq!(first.len(), 1, "no more than one is on its way");
    let mut lines = vec!["first".to_string()];
    for number in 0..n {
        let name = format!("{number:03}.log");
        let of_file: Vec<String> = (0..100).map(|line| format!("{number:03}/{line:05}")).collect();
        bench.append(&name, &(of_file.join("\n") + "\n"));
        assert!(bench.run_without_server(1100).is_empty());
        fs::remove_file(bench.path(&name)).unwrap();
        assert!(bench.run_without_server(1100).is_empty());
        lines.extend(of_file);
    }
    let now = bench.now;
    for batch in first {
        bench.store(&batch);
        bench.follower().acknowledge(&batch, now);
    }
    bench.run(10_000);
    bench.events.sort();
    lines.sort();
    lines
}

#[test]
fn files_that_come_and_go_while_the_server_is_away_are_kept_up_to_the_limit() {
    let mut bench = Bench::new(&[]);
    let lines = rotate_without_server(&mut bench, 30_000, 30);
    assert!(bench.events == lines, "{} of {} lines", bench.events.len(), lines.len());
    assert_eq!(bench.follower().given_up(), LossCount::default());
}

#[test]
fn beyond_the_limit_the_oldest_deleted_files_are_given_up_and_counted_to_the_byte() {
    let mut bench = Bench::new(&[]);
    let lines = rotate_without_server(&mut bench, 10_999, 30);
    assert_eq!(bench.follower().given_up(), LossCount { lines: 2_000, bytes: 20_000 });
    let gone: Vec<_> = bench.follower().status().into_iter().filter(|file| file.is_gone).collect();
    assert_eq!(gone.iter().map(|file| file.size - file.offset).sum::<u64>(), 20_000, "{gone:?}");
    assert!(gone.iter().all(|file| file.lag_bytes() == 0 && file.last_error.is_some()));
    assert!(bench.events == lines[2_000..], "the newest ten and what is on disk arrive");
}
