//! A shipper and its server on a network that fails in every way: nothing is lost, nothing is there twice.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use crate::lab::shipping::{HERE, Network, Place, Shipping};
use crate::lab::{Memory, Random, is_long, rounds, seed, some_moment};
use crate::server::{Launch, PATIENCE, Server};

const N_FILES: u64 = 6;

fn directory(scratch: &Path) -> std::path::PathBuf {
    let logs = scratch.join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    logs
}

fn append(logs: &Path, file: u64, from: u64, n: u64) {
    let name = logs.join(format!("f{file}.log"));
    let mut log: File = OpenOptions::new().create(true).append(true).open(name).expect("scratch is writable");
    let lines: String =
        (from..from + n).map(|n| format!("f={file} n={n} {}.\n", "y".repeat(n as usize % 90))).collect();
    log.write_all(lines.as_bytes()).expect("scratch is writable");
}

/// Every file has `n_lines` lines at the server, each once and whole, in the order in which they were written.
fn assert_each_once(server: &Server, n_lines: u64) {
    let parsed = "filter @message like /^f=/ | parse @message /^f=(?<f>[0-9]+) n=(?<n>[0-9]+) (?<rest>.*)$/";
    // An answer that never came is waited for as long as the patience of all other tests.
    let (deadline, wanted) = (Instant::now() + 3 * PATIENCE, N_FILES * n_lines);
    loop {
        let n = server.count();
        if n == wanted {
            break;
        }
        assert!(n < wanted, "{n} lines of {wanted}: some twice");
        assert!(Instant::now() < deadline, "{n} lines of {wanted}: some are lost\n{}", server.transcript());
        some_moment(20);
    }
    for file in 0..N_FILES {
        let rows =
            server.rows(&format!("{parsed} | filter f = \"{file}\" | sort offset asc | fields n, rest | limit 10000"));
        let expected = (0..n_lines).map(|n| vec![n.to_string(), format!("{}.", "y".repeat(n as usize % 90))]);
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let found = rows.iter().map(|row| row.iter().take(2).map(text).collect::<Vec<_>>());
        assert!(
            found.eq(expected),
            "file {file} is not what was written: {:?}",
            rows.iter().take(3).collect::<Vec<_>>()
        );
    }
}

#[test]
fn every_line_arrives_once_and_in_order_over_a_network_that_cuts_delays_and_lies() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = directory(scratch.path());
    let server = Server::serve(scratch.path());
    let network = Network::faulty(&server.url, seed(), is_long());
    let _shipping = Shipping::start(scratch.path(), &network.url, &logs);
    let (n_faults, mut n_lines, mut random) = (rounds(60), 0, Random::new(seed()));
    while network.n_faults() < n_faults {
        // Little at a time, so that there is always something on its way, and no more than one answer can show.
        if server.count() + 600 >= N_FILES * n_lines {
            let n = 1 + random.below(if is_long() { 1 } else { 4 });
            (0..N_FILES).for_each(|file| append(&logs, file, n_lines, n));
            n_lines += n;
        }
        some_moment(20);
        assert!(n_lines < 9_900, "too few requests come to grief: {}", network.n_faults());
    }
    network.heal();
    assert_each_once(&server, n_lines);
    let (n_requests, _) = network.requests();
    eprintln!(
        "{} faults, {n_requests} requests that reached the server, {n_lines} lines of each file",
        network.n_faults()
    );
}

#[test]
fn a_name_that_does_not_resolve_and_a_port_that_refuses_are_passed_over() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = directory(scratch.path());
    let server = Server::serve(scratch.path());
    (0..N_FILES).for_each(|file| append(&logs, file, 0, 100));
    let urls = format!("http://no-such-host.invalid:22828,http://127.0.0.1:1,{}", server.url);
    let _shipping = Shipping::start(scratch.path(), &urls, &logs);
    assert_each_once(&server, 100);
}

#[test]
fn a_link_that_goes_down_and_a_way_back_that_loses_everything_cost_nothing() {
    let Some(place) = Place::new() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = directory(scratch.path());
    let server = Launch::configured(scratch.path(), &format!("[server]\nhosts = [\"{HERE}\"]\n")).start();
    let network = Network::beside(&place, &server.url);
    let _shipping = Shipping::start_in(&place, scratch.path(), &network.url, &logs);
    let mut n_lines = 0;
    let mut write = || {
        for _ in 0..20 {
            (0..N_FILES).for_each(|file| append(&logs, file, n_lines, 3));
            n_lines += 3;
            some_moment(20);
        }
        n_lines
    };
    for _ in 0..rounds(1) {
        assert_each_once(&server, write());
        place.set_link(false);
        write();
        place.set_link(true);
        assert_each_once(&server, write());
        place.set_blackhole(true);
        write();
        place.set_blackhole(false);
        assert_each_once(&server, write());
    }
}

#[test]
fn fifty_rotations_while_the_server_is_away_cost_no_line_and_little_memory() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = directory(scratch.path());
    let server = Server::serve(scratch.path());
    let network = Network::new(Some(&server.url));
    let shipping = Shipping::start(scratch.path(), &network.url, &logs);
    (0..N_FILES).for_each(|file| append(&logs, file, 0, 1));
    assert_each_once(&server, 1);
    network.lead_to(None);
    let memory = Memory::of(shipping.pid());
    let (path, n_rotations, n_each) = (logs.join("app.log"), 50, 1_000);
    let is_open = || {
        let files = fs::read_dir(format!("/proc/{}/fd", shipping.pid())).expect("it runs");
        let of = files.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        of.filter(|to| to == &path).count() == 1
    };
    for rotation in 0..n_rotations {
        let lines = (0..n_each).map(|n| format!("r={rotation} n={n} {}.\n", "z".repeat(300)));
        fs::write(&path, lines.collect::<String>()).expect("scratch is writable");
        server.until("the shipper has seen the file", || is_open().then_some(()));
        fs::remove_file(&path).expect("scratch is writable");
    }
    let peak = memory.peak();
    network.lead_to(Some(&server.url));
    let total = N_FILES + n_rotations * n_each;
    server.until("all deleted files have arrived", || {
        let n = server.count();
        assert!(n <= total, "{n} lines of {total}: some twice");
        (n == total).then_some(())
    });
    let of_each = "filter @message like /^r=/ | parse @message /^r=(?<r>[0-9]+) n=(?<n>[0-9]+) /";
    let rows = server.rows(&format!("{of_each} | stats count_distinct(r) as files, sum(n) as total"));
    assert_eq!(rows, [[json!(n_rotations), json!(n_rotations * (n_each * (n_each - 1) / 2))]]);
    eprintln!("{} MiB at most while the server was away", peak >> 20);
    assert!(peak <= 128 << 20 && memory.peak() <= 128 << 20, "{peak} then {} bytes", memory.peak());
}

#[test]
fn fifty_shippers_catch_up_after_a_restart_and_do_not_overrun_the_server() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    let network = Network::new(Some(&server.url));
    let shippers: Vec<_> = (0..50).map(|number| one_of_many(scratch.path(), number, &network.url)).collect();
    let write = |from: u64| {
        for (number, (_, logs)) in shippers.iter().enumerate() {
            append(logs, number as u64, from, 100);
        }
    };
    let count = |server: &Server, wanted: u64| {
        server.until("all have caught up", || {
            let n = server.count();
            assert!(n <= wanted, "{n} lines of {wanted}: some twice");
            (n == wanted).then_some(())
        });
    };
    write(0);
    count(&server, 5_000);
    network.lead_to(None);
    server.kill();
    (1..20).for_each(|round| write(round * 100));
    let (before, _) = network.requests();
    server = server.restart();
    network.lead_to(Some(&server.url));
    count(&server, 50 * 2_000);
    let (after, n_errors) = network.requests();
    eprintln!("{} requests after the restart, {n_errors} answered with 5xx", after - before);
    assert_eq!(n_errors, 0);
}

fn one_of_many(scratch: &Path, number: u64, url: &str) -> (ship::Shipper, std::path::PathBuf) {
    // The client needs a provider for TLS in this process.
    crate::server::client();
    let logs = scratch.join(format!("logs-{number}"));
    fs::create_dir(&logs).expect("scratch is writable");
    let http = ship::HttpOptions { urls: vec![url.to_owned()], key: None, ca_file: None, identity: None };
    let deliver = ship::HttpDeliver::new(http).expect("an address");
    let follow = ship::FollowOptions::new(vec![logs.clone()], scratch.join(format!("state-{number}")));
    let (shipper, _) = ship::Shipper::start(follow, Arc::new(deliver)).expect("scratch is writable");
    (shipper, logs)
}
