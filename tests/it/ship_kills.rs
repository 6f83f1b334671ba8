//! A shipper and its server as two processes, each killed on its own while files are written and rotated.
//!
//! The short form runs with all tests; `CATAT_FAULT_ROUNDS` makes it longer.

use std::fs;

use serde_json::Value;

use crate::lab::rotating::{Rotating, assert_each_line_once};
use crate::lab::shipping::{Network, Shipping};
use crate::lab::{Random, rounds, seed, some_moment};
use crate::server::{Server, catat, run};

#[test]
fn every_line_of_rotating_files_is_stored_once_though_shipper_and_server_are_killed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    let mut server = Server::serve(scratch.path());
    let network = Network::new(Some(&server.url));
    let mut shipping = Shipping::start(scratch.path(), &network.url, &logs);
    let (mut of_shipper, mut of_server) = (0, 0);
    let (rotating, mut random) = (Rotating::start(&logs), Random::new(seed()));
    for round in 0..rounds(6) {
        rotating.wait_for_more(&server, 100 + random.below(800));
        // The shipper, the server, both at once.
        if round % 3 != 1 {
            shipping.kill();
            of_shipper += 1;
        }
        if round % 3 != 0 {
            network.lead_to(None);
            server.kill();
            some_moment(random.below(200));
            server = server.restart();
            network.lead_to(Some(&server.url));
            of_server += 1;
        }
        if round % 3 != 1 {
            some_moment(random.below(200));
            shipping = shipping.restart();
        }
    }
    let written = rotating.stop();
    assert_each_line_once(&server, &written);
    assert_nothing_is_missed(&server);
    eprintln!("{of_shipper} kills of the shipper, {of_server} of the server: {written:?}, each line there once");
}

/// The ledger finds nothing missing where nothing is, once the shipper has told how it stands at the end.
fn assert_nothing_is_missed(server: &Server) {
    let source = || server.get("/api/v1/sources", &[]).json()["sources"][0].clone();
    let is_told = |source: &Value| source["state"] == "up" && source["lag_bytes"] == 0;
    let source = server.until("the shipper tells of itself", || Some(source()).filter(is_told));
    assert!(source["gap_bytes"] == 0 && source["files"].as_array().is_some_and(|files| files.len() > 2), "{source:#}");
}

#[test]
fn whoever_has_catat_can_try_it_on_their_own_machine() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut command = catat(scratch.path());
    command.args(["selftest", "tail", "--seconds", "2", "--rounds", "2", "--dir", "tried", "-o", "csv"]);
    let ran = run(command, "");
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let (header, rows) = ran.out.split_once('\n').expect("a header and rows");
    assert_eq!(header, "kind,rotations,written,stored,lost,repeated,altered,result");
    assert_eq!(rows.lines().filter(|row| row.ends_with(",0,0,0,exact")).count(), 9, "{rows}");
    let mut again = catat(scratch.path());
    again.args(["selftest", "tail", "--dir", "tried"]);
    let ran = run(again, "");
    assert!(ran.code == 2 && ran.err.contains("is not empty"), "{}", ran.err);
}
