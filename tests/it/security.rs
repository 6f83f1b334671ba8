//! What somebody with bad intentions tries from outside: names that lead elsewhere, links that are planted, lines that would
//! forge the log, keys as long as a book. Nothing of it leaves the data directory or ends the server.

#[path = "security/paths.rs"]
mod paths;
#[path = "security/payloads.rs"]
mod payloads;
#[path = "security/sources.rs"]
mod sources;
#[path = "security/wire.rs"]
mod wire;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use self::wire::Wire;
use crate::server::{Launch, Server, catat};

/// Files below a directory with this ending, oldest name first.
fn files_of(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in fs::read_dir(dir).expect("a directory of the store").flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(files_of(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Moves a file outside and leaves a link to it in its place.
fn plant(path: &Path, outside: &Path) -> (PathBuf, Vec<u8>) {
    let target = outside.join(path.file_name().expect("files have names"));
    fs::rename(path, &target).expect("one file system");
    symlink(&target, path).expect("a link can be made");
    let bytes = fs::read(&target).expect("it was moved there");
    (target, bytes)
}

fn assert_untouched(planted: &[(PathBuf, Vec<u8>)]) {
    for (target, bytes) in planted {
        let now = fs::read(target).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
        assert!(now == *bytes, "{} was written to", target.display());
    }
}

#[test]
fn links_planted_in_the_data_directory_are_not_followed_to_write_or_to_delete() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let outside = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    server.ingest("a", "{\"message\":\"one\"}\n");
    server.flush();
    server.ingest("b", "{\"message\":\"two\"}\n");
    server.kill();
    let dir = server.data_dir.clone();
    let segments = files_of(&dir.join("segments"), ".seg");
    let wals = files_of(&dir.join("wal"), ".wal");
    assert!(!segments.is_empty() && !wals.is_empty(), "{segments:?} {wals:?}");
    let mut planted: Vec<(PathBuf, Vec<u8>)> =
        segments.iter().chain(&wals).map(|path| plant(path, outside.path())).collect();
    // The last WAL file with half a record at its end: cutting that off is what a start writes.
    let (wal, whole) = planted.pop().expect("there is one");
    fs::write(&wal, &whole[..whole.len() - 3]).expect("scratch is writable");
    planted.push((wal, whole[..whole.len() - 3].to_vec()));
    for name in ["LOCK", "alerts/alerts.tmp", "address", "admin.key.tmp"] {
        let target = outside.path().join(name.replace('/', "-"));
        fs::write(&target, "theirs").expect("scratch is writable");
        let _ = fs::remove_file(dir.join(name));
        symlink(&target, dir.join(name)).expect("a link can be made");
        planted.push((target, b"theirs".to_vec()));
    }
    assert!(server.launch.try_start().is_err(), "a lock that is elsewhere is none");
    assert_untouched(&planted);
    fs::remove_file(dir.join("LOCK")).expect("the link goes");
    fs::remove_file(dir.join("admin.key")).expect("it is made anew");
    let refused = server.launch.try_start().map(|_| ()).expect_err("nothing is cut off elsewhere");
    assert!(refused.said.contains(".wal"), "the file is named: {}", refused.said);
    assert_untouched(&planted);

    let wal = wals.last().expect("there is one");
    fs::remove_file(wal).and_then(|()| fs::write(wal, whole)).expect("scratch is writable");
    let server = server.restart();
    assert_eq!(server.count(), 2, "what is elsewhere is read");
    server.flush();
    for group in ["a", "b"] {
        let deleted = server.try_delete(&format!("/api/v1/groups/{group}")).expect("the server answers");
        assert_eq!(deleted.status(), 200);
    }
    server.flush();
    assert_untouched(&planted);
}

#[test]
fn names_that_would_forge_the_log_begin_no_line_of_it() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Launch::new(scratch.path(), &["serve"]).with_variable("CATAT_LOG", "trace").start();
    let evil = "x%0d%0a2026-11-20T12:00:00Z%20ERROR%20forged%1b%5b2J";
    let mut wire = Wire::to(&server);
    let admin = format!("X-Catat-Key: {}", server.admin().trim_start_matches("Bearer "));
    for path in ["/api/v1/groups/", "/api/v1/lookups/", "/api/v1/keys/", "/api/v1/users/", "/api/v1/queries/", "/"] {
        for method in ["GET", "PUT", "DELETE"] {
            let target = format!("{path}{evil}?group={evil}&query={evil}");
            let answer = wire.ask(method, target.as_bytes(), &[admin.as_bytes()], b"{}");
            assert!(answer.status < 500, "{method} {path}: {}", answer.status);
        }
    }
    let body = b"{\"message\":\"a\\n2026-11-20T12:00:00Z ERROR forged\"}";
    let ingest = format!("/api/v1/ingest?group={evil}&stream={evil}");
    assert_eq!(wire.ask("POST", ingest.as_bytes(), &[], body).status, 200);
    let query = b"{\"query\":\"filter \\n2026-11-20T12:00:00Z ERROR forged\"}";
    wire.ask("POST", b"/api/v1/query", &[b"X-Request-Id: a\tERROR forged"], query);
    server.stop();
    let log = server.transcript();
    assert!(log.contains("request answered"), "the log is that of every request: {log}");
    for line in log.lines() {
        assert!(!line.starts_with("2026-11-20T12:00:00Z"), "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\r'), "{line:?}");
    }
}

#[test]
fn a_header_of_a_mebibyte_and_bytes_that_no_header_has_end_a_connection_and_nothing_else() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let long = [b"Authorization: Bearer ", &vec![b'a'; 1 << 20][..]].concat();
    let hostile: [&[u8]; 8] = [
        &long,
        b"Authorization: Bearer a\0b",
        b"Authorization: Bearer a\rX: b",
        b"Authorization : Bearer a",
        b"Authorization: Bearer \xff\xfe",
        b"\0: a",
        b"Host: evil.example.org",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    ];
    for header in hostile {
        let answer = Wire::to(&server).ask("GET", b"/api/v1/groups", &[header], b"");
        let shown = String::from_utf8_lossy(&header[..header.len().min(40)]);
        // What is too long is not read to its end, so that its answer may not arrive.
        let is_cut_off = header.len() > 1000 && answer.status == 0;
        assert!((200..500).contains(&answer.status) || is_cut_off, "{shown}: {}", answer.status);
        assert_eq!(server.get("/api/v1/groups", &[]).status, 200, "{shown}");
    }
    for target in [&b"/a b"[..], b"/\0", b"http://evil.example.org/", b"*", b"//", b"/%", b"/%zz", b"/%00", b"\\"] {
        let answer = Wire::to(&server).ask("GET", target, &[], b"");
        assert!((200..500).contains(&answer.status), "{target:?}: {}", answer.status);
    }
}

/// How often something is delivered while it is watched what the log does.
const DELIVERIES: usize = 20;

/// Lines of the log that both processes write to, without those that a test makes: its marks, and what it asks.
fn own_lines(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).expect("it is there");
    let is_own = |line: &&str| !line.starts_with("mark ") && !line.contains("route=\"/api/v1/query\"");
    text.lines().filter(is_own).map(str::to_owned).collect()
}

#[test]
fn who_ships_the_servers_own_log_to_it_gets_no_line_for_a_delivery() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let log = scratch.path().join("own.log");
    let append = || fs::File::options().create(true).append(true).open(&log).expect("scratch is writable");
    append();
    let mut server = Launch::new(scratch.path(), &["serve"]).with_variable("CATAT_LOG", "trace").start();
    let state = scratch.path().join("ship");
    let mut ship = catat(scratch.path());
    ship.args(["ship", "--url", &server.url, "--group", "own", "--state-dir"]).arg(&state).arg(&log);
    ship.env("CATAT_LOG", "trace").stdout(Stdio::null()).stderr(Stdio::from(append()));
    let mut ship = ship.spawn().expect("the executable was built");
    // The server's own lines go where the shipper reads, as with a service whose output is one file.
    let mut n_copied = 0;
    let mut write = |text: &str| {
        use std::io::Write;
        let said = server.transcript();
        let lines = [&said[n_copied..], text].concat();
        append().write_all(lines.as_bytes()).expect("scratch is writable");
        n_copied = said.len();
    };
    let mut deliver = |n: usize| {
        // Without a time it belongs to the line of the log before it.
        write(&format!("mark {n};\n"));
        server.until("the mark was delivered", || {
            write("");
            let found = server.value(&format!("filter @message like \"mark {n};\" | stats count(*) as n"));
            (found == 1).then_some(())
        });
    };
    deliver(0);
    let before = own_lines(&log);
    assert!(before.iter().any(|line| line.contains("catat ships to")), "both write there: {before:?}");
    (1..=DELIVERIES).for_each(deliver);
    let after = own_lines(&log);
    ship.kill().and_then(|()| ship.wait()).expect("our own child can be killed");
    assert_eq!(before, after[..before.len()]);
    let more = &after[before.len()..];
    // What the first delivery was under way with may be said after it.
    assert!(more.len() < DELIVERIES / 2, "{} lines of {DELIVERIES} deliveries: {more:#?}", more.len());
    server.stop();
}
