//! Files that grow, move, vanish and come back, polled by hand.

mod bench;
mod births;
mod deletion;
mod delivery;
mod long_lines;
mod looks;
mod messages;
mod names;
mod packed;
mod places;
mod rotation;
mod slow;

use std::fs;

use types::group_name_of_file;

pub(super) use self::bench::Bench;
use self::bench::MS;
use super::*;
use crate::Header;
use crate::discover::Backlog;

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
    let mut bench = Bench::new(&[("a.log", "")]);
    bench.append("a.log", "ERROR x\n");
    bench.run(600);
    bench.append("a.log", "\tat a.B\n");
    bench.run(600);
    bench.append("a.log", "\tat a.C\n");
    bench.run(1_200);
    bench.check(&["ERROR x\n\tat a.B\n\tat a.C"]);
}

#[test]
fn what_lines_have_taught_is_the_same_after_a_restart() {
    let mut bench = Bench::new(&[("a.log", "2026-11-20 06:47:13 on\n2026-11-20 06:47:13 on\n")]);
    bench.run(2_500);
    bench.stop();
    bench.start();
    bench.append("a.log", "2026-11-20 06:47:14 text\nof two lines\n");
    bench.run(2_500);
    bench.check(&["2026-11-20 06:47:13 on", "2026-11-20 06:47:13 on", "2026-11-20 06:47:14 text\nof two lines"]);
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
