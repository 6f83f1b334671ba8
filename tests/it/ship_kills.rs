//! A shipper and its server as two processes, each killed on its own while files are written and rotated.
//!
//! The short form runs with all tests; `CATAT_FAULT_ROUNDS` makes it longer.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::conservation::{Rotation, Writer, assert_each_line_once};
use crate::lab::shipping::{Network, Shipping};
use crate::lab::{Random, Stopping, rounds, seed, some_moment};
use crate::server::Server;

#[test]
fn every_line_of_rotating_files_is_stored_once_though_shipper_and_server_are_killed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    let mut server = Server::serve(scratch.path());
    let network = Network::new(Some(&server.url));
    let mut shipping = Shipping::start(scratch.path(), &network.url, &logs);
    let stop = AtomicBool::new(false);
    let (mut of_shipper, mut of_server) = (0, 0);
    let (written, server, _shipping) = std::thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        let writers = [Rotation::Rename, Rotation::CopyAndTruncate, Rotation::NextName].map(|rotation| {
            let (mut writer, stop) = (Writer::new(&logs, rotation), &stop);
            scope.spawn(move || (rotation, writer.write(stop)))
        });
        let mut random = Random::new(seed());
        for round in 0..rounds(6) {
            let enough = server.count() + 100 + random.below(800);
            server.until("it ships on", || (server.count() >= enough).then_some(()));
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
        stop.store(true, Relaxed);
        (writers.map(|writer| writer.join().expect("no writer panics")), server, shipping)
    });
    assert_each_line_once(&server, &written.into_iter().collect(), 0);
    eprintln!("{of_shipper} kills of the shipper, {of_server} of the server: {written:?} lines, each there once");
}
