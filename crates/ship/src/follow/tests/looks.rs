//! How often the file system is asked.

use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

use super::*;
use crate::follow::options::FollowOptions;

/// Returns a bench with one file, whose directory has not changed for a minute.
fn settled() -> Bench {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    let minute_ago = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(60));
    File::open(bench.dir.path().join("log")).unwrap().set_times(minute_ago).unwrap();
    bench.run(1_500);
    bench
}

/// Nanoseconds until the only file is looked at.
fn next_look(bench: &mut Bench) -> i64 {
    bench.follower().files.values().map(|file| file.next_look.0).next().unwrap() - bench.now.0
}

#[test]
fn a_search_that_would_find_the_same_names_is_left_out_for_a_while() {
    let mut bench = settled();
    let searched_at = bench.follower().scanned_at;
    bench.append("a.log", "two\n");
    bench.run(12_000);
    assert_eq!(bench.follower().scanned_at, searched_at);
    bench.check(&["one", "two"]);
    bench.run(4_000);
    assert!(bench.follower().scanned_at > searched_at, "all the same from time to time");
}

#[test]
fn a_file_that_comes_or_is_renamed_is_found_within_a_second_or_two() {
    let mut bench = settled();
    bench.run(3_000);
    bench.append("b.log", "two\n");
    bench.run(1_500);
    bench.check(&["one", "two"]);
    bench.rename("a.log", "a.log.1");
    bench.append("a.log", "three\n");
    bench.append("a.log.1", "four\n");
    bench.run(1_500);
    bench.check(&["one", "two", "three", "four"]);
}

#[test]
fn while_the_server_is_away_searches_go_on_as_only_they_hold_files_open() {
    let mut bench = Bench::new(&[]);
    let options = FollowOptions { in_flight_max: 1, ..bench.options() };
    bench.start_with(options);
    bench.append("a.log", "one\n");
    bench.append("b.log", "two\n");
    let minute_ago = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(60));
    File::open(bench.dir.path().join("log")).unwrap().set_times(minute_ago).unwrap();
    assert_eq!(bench.run_without_server(3_000).len(), 1);
    let searched_at = bench.follower().scanned_at;
    bench.run_without_server(1_500);
    assert!(bench.follower().scanned_at > searched_at);
}

#[test]
fn where_changes_come_as_hints_a_file_quiet_for_long_is_looked_at_every_five_seconds_or_when_one_comes() {
    let mut bench = settled();
    bench.follower().trust_hints();
    bench.append("a.log", "two\n");
    let (path, now) = (bench.path("a.log"), bench.now);
    bench.follower().hint(&path, false, now);
    bench.run(70_000);
    let wait = next_look(&mut bench);
    assert!(wait <= 5 * Timestamp::SECOND, "{wait}");
    bench.run(wait / MS + 100);
    assert!(next_look(&mut bench) > 4 * Timestamp::SECOND);
    bench.append("a.log", "three\n");
    bench.run(1_500);
    bench.check(&["one", "two"]);
    let now = bench.now;
    bench.follower().hint(&path, false, now);
    bench.run(200);
    bench.check(&["one", "two", "three"]);
    bench.run(70_000);
    bench.append("a.log", "four\n");
    let now = bench.now;
    bench.follower().hints_missed(now);
    bench.run(200);
    bench.check(&["one", "two", "three", "four"]);
}

#[test]
fn a_file_that_once_changed_without_a_hint_is_looked_at_every_second_from_then_on() {
    let mut bench = settled();
    bench.follower().trust_hints();
    for line in ["two\n", "three\n"] {
        bench.append("a.log", line);
        bench.run(70_000);
    }
    bench.append("a.log", "four\n");
    bench.run(1_500);
    bench.check(&["one", "two", "three", "four"]);
    let (path, now) = (bench.path("a.log"), bench.now);
    bench.follower().hint(&path, false, now);
    bench.run(70_000);
    let wait = next_look(&mut bench);
    bench.run(wait / MS + 100);
    assert!(next_look(&mut bench) > 4 * Timestamp::SECOND, "hints come again");
}

#[test]
fn what_a_link_leads_to_gives_no_hints_and_is_looked_at_every_second() {
    let mut bench = Bench::new(&[]);
    let target = bench.dir.path().join("target");
    fs::write(&target, "one\n").unwrap();
    std::os::unix::fs::symlink(&target, bench.path("a.log")).unwrap();
    bench.run(1_500);
    bench.follower().trust_hints();
    bench.run(70_000);
    fs::write(&target, "one\ntwo\n").unwrap();
    bench.run(1_500);
    bench.check(&["one", "two"]);
}

#[test]
fn lines_written_one_after_the_other_are_sent_together_and_none_waits_long() {
    let mut bench = Bench::new(&[("a.log", "")]);
    bench.run(1_500);
    let (mut n_batches, mut waits) = (0, Vec::new());
    for line in 0..400 {
        // Ten milliseconds pass with each line; a hint comes with every second one.
        bench.append("a.log", &format!("{line}\n"));
        bench.now = Timestamp(bench.now.0 + 10 * MS);
        let (path, now) = (bench.path("a.log"), bench.now);
        if line % 2 == 0 {
            bench.follower().hint(&path, false, now);
        }
        for batch in bench.poll() {
            bench.store(&batch);
            bench.follower().acknowledge(&batch, now);
            n_batches += 1;
        }
        waits.push(line + 1 - bench.events.len());
    }
    assert!((20..=40).contains(&n_batches), "{n_batches}");
    assert!(waits.iter().all(|n_lines| *n_lines <= 14), "{waits:?}");
}
