//! `catat verify`, `backup` and `restore` as an operator uses them, on a server that goes on serving.

use std::path::Path;
use std::process::Output;

use serde_json::json;

use crate::server::{Launch, Server, catat, ndjson};

fn run(scratch: &Path, arguments: &[&str]) -> Output {
    catat(scratch).args(arguments).output().expect("our own executable runs")
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn send(server: &Server, from: usize, n: usize) {
    let body = ndjson((from..from + n).map(|i| json!({"message": format!("event {i}"), "serial": i})));
    let answer = server.try_post("/api/v1/ingest?group=jobs&format=ndjson", &[], body).expect("a server that answers");
    assert_eq!(answer.status(), 200);
}

fn flush(server: &Server) {
    let key = std::fs::read_to_string(server.data_dir.join("admin.key")).expect("the key is ours to read");
    let bearer = format!("Bearer {}", key.trim());
    let answer = server.try_post("/api/v1/status/flush", &[("authorization", &bearer)], String::new());
    assert_eq!(answer.expect("a server that answers").status(), 200);
}

#[test]
fn a_backup_of_a_running_server_is_restored_whole() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    send(&server, 0, 500);
    flush(&server);
    send(&server, 500, 70);
    let verified = run(scratch.path(), &["verify", "--data-dir", "data"]);
    assert!(verified.status.success(), "{}", printed(&verified));
    assert!(printed(&verified).contains("500 events"), "{}", printed(&verified));
    let copied = run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]);
    assert!(copied.status.success(), "{}", printed(&copied));
    send(&server, 570, 30);
    let again = run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(printed(&again).contains("not empty"), "{}", printed(&again));
    drop(server);
    let elsewhere = scratch.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("room");
    let restored = run(scratch.path(), &["restore", "--from", "copy", "--data-dir", "elsewhere/data"]);
    assert!(restored.status.success(), "{}", printed(&restored));
    let server = Server::serve(&elsewhere);
    let rows = server.rows("stats count(*) as n, count_distinct(serial) as d, max(serial) as high");
    assert_eq!(rows, [[json!(570), json!(570), json!(569)]]);
}

const RULE: &str = "groups:
- name: g
  rules:
  - name: kill
    query: filter @message like \"oom\"
    condition: count > 0
    topics: [ops]
channels:
- name: hook
  type: webhook
  url: URL
  topics: [ops]
";

/// The bodies that were posted to a receiver so far.
type Posted = std::sync::Arc<std::sync::Mutex<Vec<String>>>;

/// A receiver of webhooks.
fn receiver() -> (String, Posted) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
    let posted = Posted::default();
    let of_thread = posted.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (mut stream, mut bytes, mut piece) = (stream, Vec::new(), [0; 4096]);
            while !String::from_utf8_lossy(&bytes).ends_with('}') {
                match stream.read(&mut piece) {
                    Ok(n) if n > 0 => bytes.extend_from_slice(&piece[..n]),
                    _ => break,
                }
            }
            of_thread.lock().expect("no panic").push(String::from_utf8_lossy(&bytes).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (url, posted)
}

#[test]
fn a_backup_holds_rules_and_alerts_and_what_is_restored_notifies_nobody_until_it_is_promoted() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (url, posted) = receiver();
    let rules = scratch.path().join("data/rules");
    std::fs::create_dir_all(&rules).expect("room");
    std::fs::write(rules.join("kill.yaml"), RULE.replace("URL", &url)).expect("room");
    let mut server = Server::serve(scratch.path());
    send(&server, 0, 5);
    assert!(server.stop().success(), "so that what alerts have come to is written down");
    assert!(run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]).status.success());
    let restored = run(scratch.path(), &["restore", "--from", "copy", "--data-dir", "elsewhere/data"]);
    assert!(restored.status.success() && printed(&restored).contains("catat promote"), "{}", printed(&restored));
    let elsewhere = scratch.path().join("elsewhere");
    for file in ["rules/kill.yaml", "alerts/alerts.state"] {
        assert_eq!(
            std::fs::read(elsewhere.join("data").join(file)).expect("it is there"),
            std::fs::read(server.data_dir.join(file)).expect("it is there"),
            "{file}"
        );
    }
    assert!(!elsewhere.join("data/rules/errors.yaml").exists(), "no rule was there that comes back");
    let copy = Server::serve(&elsewhere);
    assert!(copy.transcript().contains("this store is a copy"), "{}", copy.transcript());
    let ready = copy.get("/-/ready", &[]);
    assert!(ready.status == 200 && ready.body.contains("is a copy"), "{ready:?}");
    copy.ingest("jobs", "{\"message\":\"oom: killed\"}\n");
    copy.until("the alert fires", || {
        let alerts = copy.get("/api/v1/alerts", &[]).body;
        alerts.contains("\"kill\"").then_some(())
    });
    copy.until("what it has to say waits", || {
        let metrics = copy.get("/metrics", &[]).body;
        metrics.lines().any(|line| line.starts_with("catat_notifications_waiting 1")).then_some(())
    });
    assert_eq!(posted.lock().expect("no panic").len(), 0);
    let promoted = run(&elsewhere, &["promote", "--data-dir", "data"]);
    assert!(promoted.status.success(), "{}", printed(&promoted));
    copy.until("it notifies", || (!posted.lock().expect("no panic").is_empty()).then_some(()));
    assert!(!copy.get("/-/ready", &[]).body.contains("is a copy"));
    let again = run(&elsewhere, &["promote", "--data-dir", "data"]);
    assert!(again.status.success() && printed(&again).contains("is not a copy"), "{}", printed(&again));
}

#[test]
fn damage_is_named_by_verify_and_keeps_a_backup_from_being_restored() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    send(&server, 0, 500);
    assert!(server.stop().success());
    let partition = std::fs::read_dir(server.data_dir.join("segments")).expect("readable").next();
    let partition = partition.expect("one partition").expect("readable").path();
    let segment = std::fs::read_dir(&partition).expect("readable").next().expect("one segment").expect("readable");
    let mut bytes = std::fs::read(segment.path()).expect("readable");
    bytes[200] ^= 0x40;
    std::fs::write(segment.path(), bytes).expect("writable");
    let name = segment.file_name().to_string_lossy().into_owned();
    let verified = run(scratch.path(), &["verify", "--data-dir", "data"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(printed(&verified).contains(&name), "{}", printed(&verified));
    assert!(run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]).status.success());
    let restored = run(scratch.path(), &["restore", "--from", "copy", "--data-dir", "new"]);
    assert_eq!(restored.status.code(), Some(2));
    assert!(printed(&restored).contains(&name), "{}", printed(&restored));
}

#[test]
fn a_restored_copy_writes_no_metrics_to_a_remote_receiver_until_it_is_promoted() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    send(&server, 0, 5);
    assert!(server.stop().success());
    assert!(run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]).status.success());
    assert!(run(scratch.path(), &["restore", "--from", "copy", "--data-dir", "elsewhere/data"]).status.success());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (sender, connected) = std::sync::mpsc::channel();
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(|_| _ = sender.send(())));
    let elsewhere = scratch.path().join("elsewhere");
    let settings = format!(
        "[metrics]\nremote_write = \"http://{address}/api/v1/write\"\nremote_write_interval = \"1s\"\n\
         remote_write_own = true\n"
    );
    let copy = Launch::configured(&elsewhere, &settings).start();
    assert!(copy.get("/-/ready", &[]).body.contains("is a copy"));
    // Three intervals.
    let silent = connected.recv_timeout(std::time::Duration::from_secs(3));
    assert!(silent.is_err(), "a copy wrote under the names of its original");
    assert!(run(&elsewhere, &["promote", "--data-dir", "data"]).status.success());
    connected.recv_timeout(crate::server::PATIENCE).expect("the original writes");
}
