//! The gap ledger, with real shippers: what never arrived is named to the byte, until it arrives.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::lab::shipping::{Network, Shipping};
use crate::server::{Server, catat};

/// The one source, once it is as wanted.
fn source_once(server: &Server, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let source = || {
        let answer = server.get("/api/v1/sources", &[]);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let sources = answer.json()["sources"].clone();
        let count = sources.as_array().map_or(0, Vec::len);
        assert!(count <= 1, "there is one shipper: {sources:#}");
        sources[0].clone()
    };
    server.until(what, || Some(source()).filter(|source| is_wanted(source)))
}

fn is_whole(source: &Value, size: u64) -> bool {
    let file = &source["files"][0];
    source["state"] == "up" && file["complete"] == true && file["size"] == size && file["gaps"] == json!([])
}

/// Appends a hundred lines; gives how large the file is then.
fn append(log: &Path) -> u64 {
    let mut file = fs::File::options().append(true).create(true).open(log).expect("scratch is writable");
    file.write_all("a line of text, and another word\n".repeat(100).as_bytes()).expect("scratch is writable");
    file.metadata().expect("it is there").len()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("scratch is writable");
    for entry in fs::read_dir(from).expect("it is a directory").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy_all(&entry.path(), &target) } else { _ = fs::copy(entry.path(), target) }
    }
}

#[test]
fn bytes_that_were_acknowledged_and_never_arrived_are_named_until_they_arrive() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (logs, state) = (scratch.path().join("logs"), scratch.path().join("ship"));
    fs::create_dir(&logs).expect("scratch is writable");
    let log = logs.join("app.log");
    let first = append(&log);
    let server = Server::serve(scratch.path());
    let network = Network::new(Some(&server.url));
    let mut shipping = Shipping::start(scratch.path(), &network.url, &logs);
    let whole = source_once(&server, "all is there", |source| is_whole(source, first));
    assert_eq!(whole["files"][0]["path"], log.to_str().expect("scratch paths are ASCII"));
    shipping.kill();
    copy_all(&state, &scratch.path().join("before"));
    let shipping = shipping.restart();
    network.swallow(true);
    let second = append(&log);
    let gaps = |source: &Value| source["files"][0]["gaps"].clone();
    source_once(&server, "the end is missing", |source| gaps(source) == json!([[first, second]]));
    network.swallow(false);
    let third = append(&log);
    let torn = |source: &Value| source["files"][0]["offset"] == third;
    let source = source_once(&server, "the rest is there", torn);
    assert_eq!((gaps(&source), &source["gap_bytes"]), (json!([[first, second]]), &json!(second - first)));
    assert_eq!(source["files"][0]["complete"], false);
    // A shipper that knows nothing of the acknowledgement sends it again.
    let mut shipping = shipping;
    shipping.kill();
    fs::remove_dir_all(&state).expect("scratch is writable");
    copy_all(&scratch.path().join("before"), &state);
    let _shipping = shipping.restart();
    source_once(&server, "all is there again", |source| is_whole(source, third));
}

#[test]
fn a_server_that_follows_files_itself_tells_of_them_and_knows_them_after_a_restart() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    let size = append(&logs.join("app.log"));
    let mut server = Server::up(scratch.path(), &[&logs]);
    let before = source_once(&server, "all is there", |source| is_whole(source, size));
    server.stop();
    let server = server.restart();
    let after = source_once(&server, "it is up again", |source| is_whole(source, size));
    for name in ["source", "host", "first_seen"] {
        assert_eq!(before[name], after[name]);
    }
    let listed = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        command.args(["sources", "--url", &server.url, "-o", "csv"]).args(arguments);
        let output = command.output().expect("the executable was built");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it prints UTF-8")
    };
    let shippers = listed(&["--state", "up"]);
    assert!(
        shippers.starts_with("host,state,behind")
            && shippers.lines().nth(1).is_some_and(|line| line.contains(",up,0,"))
    );
    assert_eq!(listed(&["--state", "down"]).lines().count(), 1, "the header alone");
    let files = listed(&["--files"]);
    assert!(files.contains(&format!(",{size},{size},0,true,,")), "{files}");
}
