//! `catat up`: a directory of logs of many shapes is read whole, then followed; nothing is missed, nothing repeated.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::server::{Lines, PATIENCE, Server, catat};

const LINES: usize = 400;

/// Writes line number so-and-so of a log.
type Line = fn(usize) -> String;

/// Logs as many systems write them: file name and one line by its number. All words are made up.
const SHAPES: &[(&str, Line)] = &[
    ("syslog", |n| {
        format!("Nov 19 10:{:02}:{:02} ham-{} relay[{}]: parcel {n} handed on", n / 60 % 60, n % 60, n % 3, 400 + n)
    }),
    ("web/access.log", |n| {
        let status = if n % 50 == 0 { 503 } else { 200 };
        format!(
            "10.1.2.{} - - [19/Nov/2026:10:{:02}:{:02} +0000] \"GET /notes/{n} HTTP/1.1\" {status} {} \"-\" \"fetchling/2.1\"",
            n % 250,
            n / 60 % 60,
            n % 60,
            n * 7
        )
    }),
    ("app/shop.json", |n| {
        json!({"time": format!("2026-11-19T10:{:02}:{:02}.{:03}Z", n / 60 % 60, n % 60, n % 1000), "level": "info", "msg": format!("basket {n} bought"), "basket": n}).to_string()
    }),
    ("store/block.log", |n| {
        format!(
            "261119 10{:02}{:02} {} INFO vault.Sink: taking block blk_{} of size 67108864",
            n / 60 % 60,
            n % 60,
            100 + n,
            n * 7919
        )
    }),
    ("flow/step.log", |n| {
        format!("26/11/19 10:{:02}:{:02} INFO flow.Runner: step {n}.0 of phase 3.0 is through", n / 60 % 60, n % 60)
    }),
    ("cloud/api.log", |n| {
        format!(
            "2026-11-19 10:{:02}:{:02}.{:03} 25746 INFO api.wsgi [req-{n:08x}] machine list sent",
            n / 60 % 60,
            n % 60,
            n % 1000
        )
    }),
    ("quorum.log", |n| {
        format!(
            "2026-11-19 10:{:02}:{:02},{:03} - WARN  [Voice:{n}] - line to peer {n} lost",
            n / 60 % 60,
            n % 60,
            n % 1000
        )
    }),
    ("web/error.log", |n| {
        format!("[Thu Nov 19 10:{:02}:{:02} 2026] [error] kid {n} sits in an odd seat", n / 60 % 60, n % 60)
    }),
    ("plain.txt", |n| format!("no time and no level, only line {n}")),
    ("kv/job.log", |n| format!("ts=2026-11-19T10:{:02}:{:02}Z level=info job=sweep serial={n}", n / 60 % 60, n % 60)),
];

/// Writes all shapes below `folder` and returns how many events that makes.
fn write_shapes(folder: &Path) -> usize {
    for (name, line) in SHAPES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("scratch is writable");
        let mut file = File::create(path).expect("scratch is writable");
        for n in 0..LINES {
            writeln!(file, "{}", line(n)).expect("scratch is writable");
        }
    }
    SHAPES.len() * LINES
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("scratch is writable");
    file.write_all(text.as_bytes()).expect("scratch is writable");
}

fn logs_in(scratch: &Path) -> PathBuf {
    let folder = scratch.join("logs");
    fs::create_dir(&folder).expect("scratch is writable");
    folder
}

fn until_count(server: &Server, expected: usize) {
    server.until(&format!("{expected} events are there"), || {
        let count = server.count() as usize;
        assert!(count <= expected, "{count} events of {expected}: some twice\n{}", server.transcript());
        (count == expected).then_some(())
    });
}

#[test]
fn directory_is_read_whole_and_every_file_is_a_group() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = logs_in(scratch.path());
    let expected = write_shapes(&logs);
    let server = Server::up(scratch.path(), &[&logs]);
    until_count(&server, expected);
    let by_group = server.rows("stats count(*) as n by @log");
    assert_eq!(by_group.len(), SHAPES.len(), "{by_group:?}");
    assert!(by_group.iter().all(|row| row[1] == LINES), "{by_group:?}");
    assert_eq!(
        server.value("filter @log like \"web/access.log\" and @level = \"error\" | stats count(*) as n"),
        LINES / 50
    );
    assert_eq!(server.value("filter @log like \"shop.json\" | stats sum(basket) as s"), LINES * (LINES - 1) / 2);
    // Lines that carry a whole date have it. That of syslog has no year and depends on when this runs; one has no time.
    let timed =
        server.value("filter @timestamp < 1795132800000 and @log not like /syslog|plain/ | stats count(*) as n");
    assert_eq!(timed, (SHAPES.len() - 2) * LINES);
    let said = server.transcript();
    assert!(said.contains(&server.url) && said.contains(logs.to_str().expect("ASCII")), "{said}");
}

#[test]
fn appended_lines_new_files_and_rotation_are_followed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = logs_in(scratch.path());
    append(&logs.join("a.log"), "first line\n");
    let server = Server::up(scratch.path(), &[&logs]);
    until_count(&server, 1);
    append(&logs.join("a.log"), "second line\n");
    until_count(&server, 2);
    append(&logs.join("later.log"), "from a file that came later\n");
    until_count(&server, 3);
    fs::rename(logs.join("a.log"), logs.join("a.log.1")).expect("scratch is writable");
    append(&logs.join("a.log"), "after the rotation\n");
    append(&logs.join("a.log.1"), "a straggler into the old file\n");
    until_count(&server, 5);
    assert_eq!(server.rows("stats count(*) as n by @log").len(), 2, "a.log.1 belongs to the group of a.log");
}

#[test]
fn kill_9_and_restart_miss_nothing_and_repeat_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = logs_in(scratch.path());
    let mut expected = write_shapes(&logs);
    let mut server = Server::up(scratch.path(), &[&logs]);
    // The first crash comes in the middle of catching up, the second when all is read, the third after a flush.
    for round in 0..3 {
        if round > 0 {
            until_count(&server, expected);
        }
        if round == 2 {
            server.flush();
        }
        server.kill();
        for n in 0..10 {
            append(&logs.join("plain.txt"), &format!("while it was down {round}.{n}\n"));
        }
        expected += 10;
        server = server.restart();
    }
    until_count(&server, expected);
    assert_eq!(server.value("filter @message like \"while it was down\" | stats count_distinct(@message) as n"), 30);
}

#[test]
fn binary_and_compressed_files_are_skipped_and_named() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = logs_in(scratch.path());
    append(&logs.join("good.log"), "one line\n");
    fs::write(logs.join("wtmp"), [1u8, 0, 0, 0, 2, 0, 0, 0].repeat(400)).expect("scratch is writable");
    fs::write(logs.join("old.log.2.gz"), b"\x1f\x8b\x08\0\0\0\0\0\0\x03\0\0").expect("scratch is writable");
    let server = Server::up(scratch.path(), &[&logs]);
    until_count(&server, 1);
    let said = server.transcript();
    assert!(said.contains("wtmp") && said.contains(".gz"), "{said}");
}

#[test]
fn stack_trace_is_one_event() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = logs_in(scratch.path());
    let event = |n: usize| {
        format!(
            "2026-11-19 10:00:{n:02},000 ERROR desk: it broke\nstore.BrokenException: channel {n}\n\tat store.Desk.run(Desk.java:7)\n\tat lang.Thread.run(Thread.java:9)\nCaused by: lang.Missing\n\t... 3 more\n"
        )
    };
    append(&logs.join("desk.log"), &(0..5).map(event).collect::<String>());
    append(&logs.join("desk.log"), "2026-11-19 10:01:00,000 INFO desk: open again\n");
    let server = Server::up(scratch.path(), &[&logs]);
    until_count(&server, 6);
    assert_eq!(server.value("filter @message like \"Desk.java\" and @level = \"error\" | stats count(*) as n"), 5);
}

#[test]
fn tail_shows_an_appended_line() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = logs_in(scratch.path());
    append(&logs.join("a.log"), "before\n");
    let server = Server::up(scratch.path(), &[&logs]);
    until_count(&server, 1);
    let mut command = catat(scratch.path());
    command.args(["tail", "--url", &server.url, "filter @message like \"knock\""]);
    let tail = Lines::of(command);
    // Tail says nothing when it is connected, so the line is written again until it answers.
    let rounds = PATIENCE.as_millis() / 500;
    let line = (0..rounds).find_map(|round| {
        append(&logs.join("a.log"), &format!("noise\nknock knock {round}\n"));
        tail.next_within(Duration::from_millis(500))
    });
    let line = line.expect("an appended line arrives");
    assert!(line.contains("knock knock"), "{line}");
}
