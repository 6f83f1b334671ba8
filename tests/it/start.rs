//! Starting where one cannot: each obstacle is a clear error with the next step, and nothing is touched.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::lab::disk::{Mount, scratch_in_memory};
use crate::lab::rounds;
use crate::server::{Launch, Lines, Ran, Server, catat, ndjson, run};

/// Runs `catat serve` with `arguments`, which must make it give up at once.
fn refused(scratch: &std::path::Path, arguments: &[&str]) -> Ran {
    let mut command = catat(scratch);
    command.arg("serve").args(arguments);
    let ran = run(command, "");
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    ran
}

#[test]
fn on_a_machine_that_trusts_no_authority_everything_by_http_works_and_that_is_said() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let none = scratch.path().join("none.pem");
    std::fs::write(&none, "").expect("scratch is writable");
    let (none, empty) = (none.to_string_lossy().into_owned(), scratch.path().to_string_lossy().into_owned());
    let bare = [("SSL_CERT_FILE", &*none), ("SSL_CERT_DIR", &*empty)];
    let server = Launch::new(scratch.path(), &["serve"]).with(&bare).start();
    assert_eq!(server.transcript().matches("install ca-certificates").count(), 1, "{}", server.transcript());
    std::fs::write(scratch.path().join("a.log"), "2026-11-20T06:47:13Z ERROR shipped\n").expect("scratch is writable");
    let mut shipper = catat(scratch.path());
    shipper.args(["ship", "--url", &server.url, "--state-dir", "state", "a.log"]).envs(bare);
    let _shipper = Lines::of(shipper);
    server.until("a line is shipped", || (server.count() == 1).then_some(()));
    let ask = |url: &str| {
        let mut command = catat(scratch.path());
        command.args(["query", "--url", url, "--from", "2026-01-01", "stats count(*) as n"]).envs(bare);
        run(command, "")
    };
    let ran = ask(&server.url);
    assert!(ran.code == 0 && ran.out.contains('1'), "{}{}", ran.out, ran.err);
    assert_eq!(ask("https://127.0.0.1:9").code, 3);
}

#[test]
fn second_server_on_the_directory_exits_at_once_and_names_it() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let data_dir = server.data_dir.to_str().expect("ASCII");
    let ran = refused(scratch.path(), &["--data-dir", data_dir, "--listen", "127.0.0.1:0"]);
    assert!(ran.err.contains(data_dir), "{}", ran.err);
    assert_eq!(server.count(), 0, "the first one goes on");
}

#[test]
fn second_server_is_refused_by_whatever_way_it_comes() {
    let scratch = scratch_in_memory();
    let mut server = Server::serve(scratch.path());
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(&server.data_dir, &link).expect("scratch is writable");
    let bound = Mount::bind(&server.data_dir, scratch.path().join("bound"));
    let ways = [Some(link), bound.as_ref().map(|mount| mount.at.clone()), Some(scratch.path().join("./data/../data"))];
    for way in ways.iter().flatten() {
        for _ in 0..rounds(1) {
            let began = Instant::now();
            let second = Launch::new(scratch.path(), &["serve"]).on(way).try_start();
            let refused = second.map(|_| ()).expect_err("one server at a time");
            assert!(began.elapsed() < Duration::from_secs(5) && refused.code == Some(2), "{refused:?}");
            assert!(refused.said.contains(&server.pid().to_string()), "names who has it: {refused:?}");
        }
    }
    server.ingest("g", ndjson([json!({"message": "the first one goes on"})]));
    assert_eq!(server.count(), 1);
    // The lock is the kernel's: it ends with the process, and no file is left that would have to be removed.
    server.kill();
    assert_eq!(Launch::new(scratch.path(), &["serve"]).on(&scratch.path().join("link")).start().count(), 1);
}

#[test]
fn port_in_use_is_named_with_the_next_step() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let ran = refused(scratch.path(), &["--data-dir", "data", "--listen", &address]);
    assert!(ran.err.contains(&address), "{}", ran.err);
    assert!(ran.err.contains("--listen"), "the next step: {}", ran.err);
}

#[test]
fn unwritable_directory_is_named() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    // A file in the way stops root too, whom permissions do not.
    std::fs::write(scratch.path().join("file"), "x").expect("scratch is writable");
    let ran = refused(scratch.path(), &["--data-dir", "file/data", "--listen", "127.0.0.1:0"]);
    assert!(ran.err.contains("file/data"), "{}", ran.err);
    assert!(ran.err.contains("--data-dir"), "the next step: {}", ran.err);
}

#[test]
fn address_beyond_loopback_is_refused_without_a_key() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let ran = refused(scratch.path(), &["--data-dir", "data", "--listen", "0.0.0.0:0"]);
    assert!(ran.err.contains("--insecure-allow-anonymous"), "{}", ran.err);
}

#[test]
fn newer_store_is_refused_and_left_alone() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    assert_eq!(server.stop().code(), Some(0));
    let store = server.data_dir.join("STORE");
    let bytes = std::fs::read(&store).expect("a store has STORE");
    std::fs::write(&store, bytes.iter().map(|byte| byte ^ 0x40).collect::<Vec<u8>>()).expect("scratch is writable");
    let ran = refused(scratch.path(), &["--data-dir", "data", "--listen", "127.0.0.1:0"]);
    assert!(ran.err.contains("STORE"), "{}", ran.err);
    std::fs::write(&store, bytes).expect("scratch is writable");
    assert_eq!(server.restart().count(), 0);
}

#[test]
fn unknown_setting_is_an_error_that_names_the_nearest() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    std::fs::write(scratch.path().join("catat.toml"), "[storage]\nflush_agee = \"1m\"\n").expect("scratch is writable");
    for subcommand in ["check", "serve"] {
        let mut command = catat(scratch.path());
        command.args([subcommand, "--config", "catat.toml"]);
        if subcommand == "serve" {
            command.args(["--data-dir", "data", "--listen", "127.0.0.1:0"]);
        }
        let ran = run(command, "");
        assert_ne!(ran.code, 0, "{subcommand}");
        let said = ran.out + &ran.err;
        let (wrong, all) = (said.matches("flush_agee").count(), said.matches("flush_age").count());
        assert!(wrong > 0 && all > wrong, "both names, the wrong and the right one: {said}");
    }
}
