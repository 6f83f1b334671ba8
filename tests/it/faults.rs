//! Disks that fail, disks that are full, files that are damaged: nothing acknowledged is lost, the reason is said,
//! everything else goes on.
//!
//! What needs `strace` or a file system of its own is left out, with the reason printed, where that is not permitted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::{Value, json};

use crate::lab::acknowledgements::{Checked, OPTIONS, check};
use crate::lab::disk::Mount;
use crate::lab::oracle::Oracle;
use crate::lab::strace::{self, Strace};
use crate::lab::{Stopping, is_long};
use crate::server::{Launch, Server, catat, ndjson, run};

const INGEST: &str = "/api/v1/ingest?group=jobs&format=ndjson";

fn batch(first: u64, n: u64) -> String {
    ndjson((first..first + n).map(|serial| {
        json!({"timestamp": format!("2026-11-19T10:00:{:02}Z", serial % 60), "serial": serial, "message": format!("event {serial} done")})
    }))
}

/// What a trace shows of 64 senders until so many batches are acknowledged.
fn traced_acknowledgements(n_batches: u64, options: &[&str]) -> Option<Checked> {
    if !strace::is_there() {
        return None;
    }
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let trace = scratch.path().join("trace");
    let options = [&OPTIONS[..], options].concat();
    let mut server = strace::traced(Launch::new(scratch.path(), &["serve"]), &trace, &options).start();
    let oracle = Oracle::new(64).with_batches_of(2);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        scope.spawn(|| oracle.produce(&server, &stop));
        server.until("enough is acknowledged", || (oracle.n_batches() >= n_batches).then_some(()));
        stop.store(true, Relaxed);
    });
    oracle.assert_kept(&server, "under strace");
    server.kill();
    let checked = check(&strace::whole_trace(&trace, server.pid()));
    let ratio = checked.n_acknowledged as f64 / checked.n_syncs as f64;
    eprintln!("{checked:?}: {ratio:.1} acknowledgements per sync ({options:?})");
    assert!(checked.n_acknowledged as u64 >= n_batches, "{checked:?}");
    Some(checked)
}

#[test]
fn every_acknowledgement_to_64_senders_follows_a_completed_sync() {
    let n_batches = if is_long() { 100_000 } else { 2_000 };
    let Some(checked) = traced_acknowledgements(n_batches, &[]) else { return };
    assert_eq!(checked.n_early, 0);
}

#[test]
fn a_slow_disk_makes_one_sync_cover_many_acknowledgements() {
    // 50 ms: a disk under load. With less, a busy machine sends too slowly for five batches to wait for each sync.
    let slow = ["-e", "inject=fdatasync:delay_enter=50000"];
    let Some(checked) = traced_acknowledgements(if is_long() { 20_000 } else { 2_000 }, &slow) else { return };
    assert_eq!(checked.n_early, 0);
    assert!(checked.n_acknowledged > 5 * checked.n_syncs, "{checked:?}");
}

#[test]
fn failed_sync_refuses_says_why_and_loses_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    assert_eq!(server.post(INGEST, &[], batch(0, 10)).status, 200);
    let failing = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"];
    let Some(strace) = Strace::attach(&server, scratch.path(), &failing) else { return };
    for _ in 0..2 {
        let answer = server.post(INGEST, &[("x-catat-batch", "unsure")], batch(10, 10));
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains("Input/output error"), "{}", answer.body);
    }
    drop(strace.detach());
    let ready = server.get("/-/ready", &[]);
    assert!(ready.status == 503 && ready.body.contains("Input/output error"), "{}", ready.body);
    assert_eq!(server.get("/-/healthy", &[]).status, 200);
    assert_eq!(server.count(), 10, "queries go on, over what was acknowledged");
    assert_eq!(server.post(INGEST, &[], batch(20, 1)).status, 503, "for good, also when the disk is well again");
    server.kill();
    let server = server.restart();
    let n = server.count();
    assert!(n == 10 || n == 20, "what was not acknowledged is there whole or not at all: {n}");
    assert_eq!(server.post(INGEST, &[("x-catat-batch", "unsure")], batch(10, 10)).status, 200);
    assert_eq!(server.rows("stats count(*), count_distinct(serial)"), [[json!(20), json!(20)]]);
}

#[test]
fn full_disk_refuses_before_acknowledging_and_recovers_by_itself() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let Some(disk) = Mount::tmpfs(scratch.path().join("disk"), "size=24m") else { return };
    fs::write(disk.at.join("catat.toml"), "[storage]\ndisk_reserve = \"4MiB\"\n").expect("there is room");
    let mut server = Server::start(&disk.at, &["serve", "--config", "catat.toml"]);
    assert_eq!(server.post(INGEST, &[], batch(0, 100)).status, 200);
    disk.fill();
    let refused = server.post(INGEST, &[("x-catat-batch", "late")], batch(100, 100));
    assert_eq!(refused.status, 507, "{}", refused.body);
    assert!(!refused.header("retry-after").is_empty(), "a sender is told when to try again");
    let ready = server.get("/-/ready", &[]);
    assert!(ready.status == 503 && ready.body.contains("reserve"), "{}", ready.body);
    assert_eq!(server.count(), 100, "queries go on");
    assert_eq!(server.stop().code(), Some(0), "what was accepted is durable: {}", server.transcript());

    let (started, url) = start_unready(server, &disk.at, &["--config", "catat.toml"]);
    let (status, ready) = ask(&format!("{url}/-/ready"));
    assert!(status == 503 && ready.contains("reserve"), "it starts on the full disk too: {status} {ready}");
    assert_eq!(query(&url, "stats count(*) as n")["rows"][0][0], 100);
    disk.make_room();
    let late = || {
        let request = reqwest::blocking::Client::new().post(format!("{url}{INGEST}")).header("x-catat-batch", "late");
        request.body(batch(100, 100)).send().expect("the server answers").status().as_u16()
    };
    assert_eq!(late(), 200, "without a restart");
    assert_eq!(query(&url, "stats count(*) as n, count_distinct(serial) as d")["rows"], json!([[200, 200]]));
    drop(started);
}

/// A server that is killed at the end of the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The only file in `folder` (or below it) whose name ends so.
fn file_in(folder: &Path, suffix: &str) -> PathBuf {
    let entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("it is a folder").flatten().map(|entry| entry.path()).collect();
    let below =
        entries.iter().filter(|path| path.is_dir()).flat_map(|path| fs::read_dir(path).expect("a folder").flatten());
    let all: Vec<PathBuf> = below.map(|entry| entry.path()).chain(entries.iter().cloned()).collect();
    let mut found: Vec<&PathBuf> = all.iter().filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
    assert_eq!(found.len(), 1, "{suffix}: {all:?}");
    found.remove(0).clone()
}

fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).expect("it is there");
    let at = at(bytes.len());
    bytes[at] ^= 0x5A;
    fs::write(path, bytes).expect("scratch is writable");
}

/// A stopped store with 1,000 events in a segment and 1,000 in the WAL.
fn store_of_two_halves(scratch: &Path) -> Server {
    let mut server = Server::serve(scratch);
    assert_eq!(server.post(INGEST, &[("x-catat-batch", "first")], batch(0, 1_000)).status, 200);
    server.flush();
    for first in (1_000..2_000).step_by(100) {
        let id = format!("from-{first}");
        assert_eq!(server.post(INGEST, &[("x-catat-batch", &id)], batch(first, 100)).status, 200);
    }
    server.kill();
    server
}

/// Starts a server in the place of one that ended, without waiting until it is ready: it may not become so.
fn start_unready(ended: Server, scratch: &Path, arguments: &[&str]) -> (Started, String) {
    drop(ended);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    drop(listener);
    let mut command = catat(scratch);
    command.args(["serve", "--data-dir", "data", "--listen", &address]).args(arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the executable was built");
    (Started(child), format!("http://{address}"))
}

/// Asks until there is an answer of any status.
fn ask(url: &str) -> (u16, String) {
    let deadline = std::time::Instant::now() + crate::server::PATIENCE;
    loop {
        // A client of its own for each question: the server may just be starting.
        if let Ok(response) = reqwest::blocking::get(url) {
            return (response.status().as_u16(), response.text().unwrap_or_default());
        }
        assert!(std::time::Instant::now() < deadline, "no answer from {url}");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
}

/// The answer to a query over all time, by GET.
fn query(url: &str, text: &str) -> Value {
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (status, body) = ask(&format!("{url}/api/v1/query?query={escaped}&from=0&limit=10000"));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("an answer is JSON")
}

fn with_damaged(damage: impl Fn(&Path), check: impl Fn(&str)) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = store_of_two_halves(scratch.path());
    damage(&server.data_dir);
    let (started, url) = start_unready(server, scratch.path(), &[]);
    check(&url);
    drop(started);
}

#[test]
fn damage_inside_a_segment_makes_answers_partial_and_is_named() {
    with_damaged(
        |data_dir| flip(&file_in(&data_dir.join("segments"), ".seg"), |n_bytes| n_bytes * 3 / 10),
        |url| {
            let all = query(url, "fields serial, @message, @timestamp | sort serial");
            let rows = all["rows"].as_array().expect("rows");
            assert!(all["partial"] == true || rows.len() == 2_000, "never silently less: {} rows", rows.len());
            for row in rows {
                assert_eq!(row[1], format!("event {} done", row[0]), "never silently wrong");
            }
            let (status, ready) = ask(&format!("{url}/-/ready"));
            assert!(all["partial"] == false || (status == 503 && ready.contains(".seg")), "{status} {ready}");
        },
    );
}

#[test]
fn lost_segment_is_named_and_the_rest_answers() {
    with_damaged(
        |data_dir| fs::remove_file(file_in(&data_dir.join("segments"), ".seg")).expect("scratch is writable"),
        |url| {
            let count = query(url, "stats count(*) as n");
            assert_eq!((&count["rows"][0][0], &count["partial"]), (&json!(1_000), &json!(true)));
            let (status, ready) = ask(&format!("{url}/-/ready"));
            assert!(status == 503 && ready.contains(".seg"), "{ready}");
        },
    );
}

#[test]
fn damaged_wal_record_is_named_and_costs_itself_alone() {
    with_damaged(
        |data_dir| flip(&file_in(&data_dir.join("wal"), ".wal"), |n_bytes| n_bytes / 2),
        |url| {
            let n = query(url, "stats count(*) as n")["rows"][0][0].as_u64().expect("a number");
            assert_eq!(n, 1_900, "one batch of a hundred is damaged");
            let (status, ready) = ask(&format!("{url}/-/ready"));
            assert!(status == 503 && ready.contains(".wal"), "{ready}");
        },
    );
}

#[test]
fn lost_catalog_is_rebuilt_from_the_segments() {
    with_damaged(
        |data_dir| {
            for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
                let _ = fs::remove_file(data_dir.join(name));
            }
        },
        |url| {
            let both = query(url, "stats count(*), min(serial), max(serial)");
            assert_eq!(both["rows"], json!([[2_000, 0, 1_999]]));
            assert_eq!(ask(&format!("{url}/-/ready")).0, 503, "somebody should know");
        },
    );
}

#[test]
fn vanished_wal_is_named_and_answers_say_so() {
    with_damaged(
        |data_dir| fs::remove_dir_all(data_dir.join("wal")).expect("scratch is writable"),
        |url| {
            let count = query(url, "stats count(*) as n");
            assert_eq!((&count["rows"][0][0], &count["partial"]), (&json!(1_000), &json!(true)));
            assert!(count["partial_reasons"].to_string().contains(".wal"), "{count}");
            let (status, ready) = ask(&format!("{url}/-/ready"));
            assert!(status == 503 && ready.contains(".wal"), "{ready}");
        },
    );
}

#[test]
fn store_that_lost_its_control_store_is_locked_until_it_is_unlocked() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = store_of_two_halves(scratch.path());
    for name in ["control.sqlite", "control.sqlite-wal", "control.sqlite-shm"] {
        let _ = fs::remove_file(server.data_dir.join(name));
    }
    let (started, url) = start_unready(server, scratch.path(), &[]);
    for path in ["/-/ready", "/api/v1/query?query=limit+1", "/loki/api/v1/labels", "/api/v1/groups"] {
        let (status, body) = ask(&format!("{url}{path}"));
        assert!(status == 503 && body.contains("catat unlock"), "{path}: {status} {body}");
    }
    let refused =
        reqwest::blocking::Client::new().post(format!("{url}{INGEST}")).body(batch(0, 1)).send().expect("an answer");
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(ask(&format!("{url}/-/healthy")).0, 200);
    drop(started);
    let command =
        |name: &str| catat(scratch.path()).args([name, "--data-dir", "data"]).output().expect("our own executable");
    let found = command("verify");
    assert!(!found.status.success() && String::from_utf8_lossy(&found.stdout).contains("catat unlock"));
    assert!(command("unlock").status.success());
    assert!(command("verify").status.success());
    let server = Server::serve(scratch.path());
    assert_eq!(server.count(), 2_000);
}

#[test]
fn verify_makes_a_lost_catalog_anew_and_finds_nothing_the_second_time() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = store_of_two_halves(scratch.path());
    server.kill();
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(server.data_dir.join(name));
    }
    let verify = |more: &[&str]| {
        let mut command = catat(scratch.path());
        command.args(["verify", "--data-dir", "data"]).args(more).output().expect("our own executable")
    };
    let found = verify(&[]);
    assert!(!found.status.success() && String::from_utf8_lossy(&found.stdout).contains("verify --repair"));
    let repaired = verify(&["--repair"]);
    let said = String::from_utf8_lossy(&repaired.stdout).into_owned();
    assert!(repaired.status.success() && said.contains(" missing from the catalog and "), "{said}");
    assert!(verify(&["--repair"]).status.success());
    assert_eq!(server.restart().count(), 2_000, "and the server is ready");
}

#[test]
fn admin_key_that_is_none_is_refused_with_the_next_step() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    let key = server.data_dir.join("admin.key");
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&server.data_dir), mode(&key)), (0o700, 0o600), "nobody else's business");
    assert_eq!(server.stop().code(), Some(0));
    fs::write(&key, [0; 65]).expect("scratch is writable");
    let mut command = catat(scratch.path());
    command.args(["serve", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    let ran = run(command, "");
    assert!(ran.code == 2 && ran.err.contains("admin.key") && ran.err.contains("remove"), "{}", ran.err);
    fs::remove_file(&key).expect("scratch is writable");
    assert_eq!(server.restart().count(), 0, "and that step helps");
}
