//! The journal, by a `journalctl` of our own that notes what it is asked.

use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::entry::ENTRY_BYTES_MAX;
use super::*;
use crate::input::WhenFull;
use crate::input::journal::entry::CURSOR;
use crate::spool::Spool;
use crate::stop::Stop;

/// A directory with a `journalctl` that does what `script` says, and a place for its lines.
struct Bench {
    dir: tempfile::TempDir,
    journal: Journal,
}

impl Bench {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let journal = Journal { program: dir.path().join("journalctl"), ..Journal::new(StartPoint::Boot, Vec::new()) };
        let bench = Self { dir, journal };
        bench.install(script);
        bench
    }

    fn install(&self, script: &str) {
        let dir = self.dir.path().display();
        let script = format!("#!/bin/sh\necho \"$*\" >> {dir}/asked\n{script}\n");
        // Another name first: what is open for writing cannot be run.
        let path = self.dir.path().join("new");
        std::fs::write(&path, script).expect("scratch");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("scratch");
        std::fs::rename(path, &self.journal.program).expect("scratch");
    }

    fn sink(&self) -> Sink {
        let spool = Spool::open(self.dir.path().join("spool"), u64::MAX).expect("a spool");
        Sink::new("journal".into(), WhenFull::Wait, spool, Arc::new(Stop::default()))
    }

    /// Returns what the last run was asked besides what it always is.
    fn asked(&self) -> String {
        let asked = std::fs::read_to_string(self.dir.path().join("asked")).expect("it was run");
        let last = asked.lines().last().expect("it was run");
        last.strip_prefix(&format!("{} ", ARGUMENTS.join(" "))).expect("what is always asked").to_owned()
    }

    /// Runs until `n_lines` were made, then stops; returns the lines of all runs so far.
    fn run_until(&mut self, n_lines: u64) -> Vec<String> {
        let sink = self.sink();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let deadline = Instant::now() + Duration::from_secs(60);
                while sink.status().lines < n_lines && Instant::now() < deadline {
                    sink.stop.wait(Duration::from_millis(5));
                }
                sink.stop.set();
            });
            let outcome = self.journal.run(&sink);
            assert!(matches!(outcome, Err(InputError::Stopping)), "{outcome:?}");
        });
        sink.flush().expect("a spool");
        self.kept()
    }

    /// Runs until it fails and returns the reason.
    fn fail(&mut self) -> String {
        self.journal.run(&self.sink()).expect_err("it fails").to_string()
    }

    fn kept(&self) -> Vec<String> {
        let dir = self.dir.path().join("spool");
        let mut paths: Vec<_> =
            std::fs::read_dir(dir).expect("a spool").map(|entry| entry.expect("a file").path()).collect();
        paths.sort();
        let text: String = paths.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect();
        text.lines().map(str::to_owned).collect()
    }
}

/// Returns an entry as it is kept, and as it is printed.
fn entry(cursor: &str) -> String {
    format!(r#"{{"__REALTIME_TIMESTAMP":"1795210709000001","message":"of {cursor}","__CURSOR":"{cursor}"}}"#)
}

fn printed(cursor: &str) -> String {
    format!(r#"{{"__REALTIME_TIMESTAMP":"1795210709000001","MESSAGE":"of {cursor}","__CURSOR":"{cursor}"}}"#)
}

/// Returns a script that prints entries and then waits for more, as `--follow` does.
fn following(cursors: &[&str]) -> String {
    let lines: Vec<String> = cursors.iter().map(|cursor| format!("echo '{}'", printed(cursor))).collect();
    format!("{}\nsleep 1000\n", lines.join("\n"))
}

#[test]
fn the_journal_is_read_on_from_the_last_entry_that_was_kept() {
    let mut bench = Bench::new(&following(&["s=1;i=1", "s=1;i=2"]));
    bench.journal.filters = vec!["--unit=ssh".into(), "_TRANSPORT=kernel".into()];
    assert_eq!(bench.run_until(2), [entry("s=1;i=1"), entry("s=1;i=2")]);
    assert_eq!(bench.asked(), "--boot --unit=ssh _TRANSPORT=kernel");
    bench.install(&following(&["s=1;i=2", "s=1;i=3"]));
    assert_eq!(bench.run_until(1), [entry("s=1;i=1"), entry("s=1;i=2"), entry("s=1;i=3")]);
    assert_eq!(bench.asked(), "--cursor=s=1;i=2 --unit=ssh _TRANSPORT=kernel");
}

#[test]
fn a_journal_vacuumed_past_the_last_entry_begins_with_the_oldest() {
    let mut bench = Bench::new(&following(&["s=1;i=1"]));
    bench.run_until(1);
    bench.install(&following(&["s=1;i=8", "s=1;i=9"]));
    assert_eq!(bench.run_until(2), [entry("s=1;i=1"), entry("s=1;i=8"), entry("s=1;i=9")]);
}

#[test]
fn a_cursor_that_is_not_taken_is_replaced_by_its_time() {
    let mut bench = Bench::new(&following(&["nonsense"]));
    bench.run_until(1);
    bench.install("echo 'Failed to seek to cursor: Invalid argument' >&2; exit 1");
    assert_eq!(bench.fail(), "journalctl: exit status: 1: Failed to seek to cursor: Invalid argument");
    assert_eq!(bench.asked(), "--cursor=nonsense");
    bench.install(&following(&["s=1;i=5"]));
    assert_eq!(bench.run_until(1), [entry("nonsense"), entry("s=1;i=5")]);
    assert_eq!(bench.asked(), "--since=@1795210709.000002");
}

#[test]
fn what_ends_is_begun_again_without_repeating_what_waits_to_be_written() {
    let mut bench = Bench::new(&format!("{}\nexit 0", following(&["s=1;i=1"]).replace("sleep 1000", "")));
    let sink = bench.sink();
    let error = bench.journal.run(&sink).expect_err("it should not end");
    assert_eq!(error.to_string(), "journalctl: exit status: 0: ");
    bench.journal.run(&sink).expect_err("it should not end");
    assert_eq!((bench.asked().as_str(), sink.status().lines), ("--cursor=s=1;i=1", 1));
}

#[test]
fn where_there_is_no_journalctl_the_error_says_what_is_needed() {
    let mut bench = Bench::new("");
    bench.journal.program = Path::new("/no/such/journalctl").to_owned();
    assert_eq!(bench.fail(), "journalctl not found; reading the journal needs systemd's");
}

#[test]
fn the_first_start_begins_where_it_is_told() {
    let check = |since, expected: &str| {
        let journal = Journal::new(since, Vec::new());
        let asked = journal.beginning(None);
        assert!(asked.starts_with(expected), "{asked}");
    };
    check(StartPoint::Oldest, "--since=@0");
    check(StartPoint::Boot, "--boot");
    check(StartPoint::Now, &format!("--since=@{}", now().0 / 100_000_000_000));
    check(StartPoint::Ago(now().0 - 7_000_001_000), "--since=@7.0");
}

#[test]
fn an_entry_that_is_too_long_leaves_its_place() {
    let long = "x".repeat(ENTRY_BYTES_MAX);
    let text = format!("{{\"COREDUMP\":\"{long}\",\"MESSAGE\":\"__CURSOR\",{}\nhalf", &entry("s=1;i=7")[1..]);
    for n_bytes in [100, 64 << 10, 8 << 20] {
        let mut output = std::io::BufReader::with_capacity(n_bytes, Cursor::new(&text));
        let mut line = Vec::new();
        let found = next_entry(&mut output, &mut line).expect("bytes");
        let (cursor, time) = (Some("s=1;i=7".to_owned()), Some("1795210709000001".to_owned()));
        assert_eq!(found, Entry::TooLong { n_bytes: text.len() - 5, cursor, time }, "{n_bytes} at once");
        assert!(line.len() <= 1 << 10);
        assert_eq!(next_entry(&mut output, &mut line).expect("bytes"), Entry::None, "a half line comes again");
    }
    let bench = Bench::new("");
    let sink = bench.sink();
    copy_entries(&mut text.as_bytes(), None, &sink).expect("entries");
    sink.flush().expect("a spool");
    let kept: serde_json::Value = serde_json::from_str(&bench.kept()[0]).expect("an object");
    assert_eq!((&kept["__CURSOR"], &kept["PRIORITY"]), (&"s=1;i=7".into(), &"4".into()));
    assert!(kept["MESSAGE"].as_str().is_some_and(|text| text.starts_with("entry of 3145")), "{kept}");
}

#[test]
fn a_field_is_found_in_any_spelling_and_not_in_a_text() {
    let check = |line: &str, expected: Option<&str>| assert_eq!(field_of(line.as_bytes(), CURSOR), expected, "{line}");
    check(r#"{ "__CURSOR" : "s=1", "MESSAGE" : "x" }"#, Some("s=1"));
    check(r#"{"MESSAGE":"\"__CURSOR\":\"s=0\"","A":"__CURSOR","__CURSOR":"s=1"}"#, Some("s=1"));
    check(r#"{"__CURSOR":["a"]}"#, None);
    check(r#"{"__CURSOR":"cut"#, None);
    check("", None);
}

#[test]
fn message_and_unit_are_called_as_elsewhere_and_nothing_else_is_touched() {
    let check = |line: &str, expected: &str| {
        let named = super::entry::with_usual_names(line.as_bytes());
        assert_eq!(String::from_utf8_lossy(&named), expected);
        if let Ok(object) = serde_json::from_str::<serde_json::Value>(line) {
            let of_named: serde_json::Value = serde_json::from_slice(&named).expect("an object still");
            assert_eq!(object["PRIORITY"], of_named["PRIORITY"]);
        }
    };
    check(
        r#"{"PRIORITY":"6","MESSAGE":"says \"MESSAGE\":\"x\"","A":"MESSAGE","_SYSTEMD_UNIT":"a.service"}"#,
        r#"{"unit":"a.service","PRIORITY":"6","message":"says \"MESSAGE\":\"x\"","A":"MESSAGE","_SYSTEMD_UNIT":"a.service"}"#,
    );
    check(r#"{ "MESSAGE" : "x", "PRIORITY" : "6" }"#, r#"{ "message" : "x", "PRIORITY" : "6" }"#);
    check(r#"{"MESSAGE":[104,105],"PRIORITY":"6"}"#, r#"{"MESSAGE":[104,105],"PRIORITY":"6"}"#);
    check(r#"{"MESSAGE":null,"_SYSTEMD_UNIT":["a","b"]}"#, r#"{"MESSAGE":null,"_SYSTEMD_UNIT":["a","b"]}"#);
    check("{}", "{}");
    check("{", "{");
}
