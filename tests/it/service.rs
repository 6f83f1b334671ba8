//! As a service of systemd: what it is told, and that the units we ship are right and keep their sandbox.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::shipping::Shipping;
use crate::lab::signal;
use crate::server::{Launch, PATIENCE};

/// Exposure of a unit as `systemd-analyze security` counts it, in tenths: 0 is none, 100 all there is.
const EXPOSURE_MAX: [(&str, u32); 2] = [("catat.service", 15), ("catat-ship.service", 20)];

/// A service manager: where it listens.
fn manager(scratch: &Path) -> (UnixDatagram, PathBuf) {
    let path = scratch.join("notify");
    let socket = UnixDatagram::bind(&path).expect("scratch is writable");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    (socket, path)
}

fn next_word(socket: &UnixDatagram) -> String {
    let mut word = [0; 1024];
    let n_bytes = socket.recv(&mut word).expect("something is said");
    String::from_utf8_lossy(&word[..n_bytes]).into_owned()
}

/// Reads on until this is said; returns what was said before.
fn until_said(socket: &UnixDatagram, word: &str) -> Vec<String> {
    std::iter::repeat_with(|| next_word(socket)).take_while(|said| said != word).collect()
}

#[test]
fn a_server_says_that_it_is_ready_that_it_lives_and_that_it_stops() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (socket, path) = manager(scratch.path());
    let path = path.to_str().expect("scratch paths are ASCII");
    let variables = [("NOTIFY_SOCKET", path), ("WATCHDOG_USEC", "200000")];
    let starting = Launch::new(scratch.path(), &["serve"]).with(&variables).spawn();
    let ready = next_word(&socket);
    let url = ready.strip_prefix("READY=1\nSTATUS=serves ").unwrap_or_else(|| panic!("{ready}")).to_owned();
    let answer = crate::server::client().get(format!("{url}/-/ready")).send().expect("whoever is told finds it");
    assert_eq!(answer.status().as_u16(), 200);
    for _ in 0..3 {
        assert_eq!(next_word(&socket), "WATCHDOG=1");
    }
    signal(starting.pid(), "-TERM");
    assert!(until_said(&socket, "STOPPING=1").iter().all(|word| word == "WATCHDOG=1"));
}

#[test]
fn a_shipper_says_the_same() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (socket, path) = manager(scratch.path());
    let logs = scratch.path().join("logs");
    std::fs::create_dir(&logs).expect("scratch is writable");
    // Ready is who has begun to follow, whether there is a server yet or not.
    let variables = [("NOTIFY_SOCKET", path.as_os_str()), ("WATCHDOG_USEC", "200000".as_ref())];
    let shipping = Shipping::start_with(scratch.path(), "http://127.0.0.1:9", &logs, &variables);
    assert_eq!(next_word(&socket), "READY=1\nSTATUS=ships to http://127.0.0.1:9");
    assert_eq!(next_word(&socket), "WATCHDOG=1");
    signal(shipping.pid(), "-TERM");
    assert!(until_said(&socket, "STOPPING=1").iter().all(|word| word == "WATCHDOG=1"));
}

/// A unit of ours with the executable of these tests in the place of the installed one.
fn unit(scratch: &Path, name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name);
    let text = std::fs::read_to_string(path).expect("it is there");
    assert!(text.contains("=/usr/bin/catat "), "{name}");
    let path = scratch.join(name);
    std::fs::write(&path, text.replace("/usr/bin/catat", env!("CARGO_BIN_EXE_catat"))).expect("scratch is writable");
    path
}

#[test]
fn the_units_are_right_and_expose_little_of_the_machine() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    for (name, exposure_max) in EXPOSURE_MAX {
        let unit = unit(scratch.path(), name);
        let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).arg(&unit).output();
        let Ok(verified) = analyze(&["verify"]) else {
            return eprintln!("left out: there is no systemd-analyze");
        };
        // It speaks of other units of the machine, too.
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        let about_ours: Vec<&str> = said.lines().filter(|line| line.contains(name)).collect();
        assert!(about_ours.is_empty(), "{about_ours:#?}");
        let threshold = format!("--threshold={exposure_max}");
        let judged = analyze(&["security", "--offline=true", "--no-pager", &threshold]).expect("it was there");
        let said = String::from_utf8_lossy(&judged.stdout).into_owned() + &String::from_utf8_lossy(&judged.stderr);
        assert!(judged.status.success() && said.contains("Overall exposure level"), "{said}");
    }
}
