//! Servers whose catalog and control store are in PostgreSQL: what was acknowledged is there once, whatever ends or
//! stops: the server, the database, or the one that thinks it is still the server.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::postgres;
use crate::server::{Launch, Server, catat, ndjson};

/// Never shown to anybody. The test's database does not ask for it.
const PASSWORD: &str = "hunter%402";

/// A server with its catalog behind a socket and its control store behind a port.
fn launch(scratch: &Path, database: &postgres::Server) -> Launch {
    let catalog = database.url().replace("catat@", &format!("catat:{PASSWORD}@"));
    let control = format!("postgres://catat:{PASSWORD}@127.0.0.1:{}/postgres", database.port());
    let storage = format!("[storage]\ncatalog = \"{catalog}\"\ncontrol_store = \"{control}\"\n");
    Launch::configured(scratch, &(storage + "[retention]\nsize = \"never\"\n"))
}

fn batch(from: u64, n: u64) -> String {
    ndjson((from..from + n).map(|i| json!({"message": format!("event {i}"), "serial": i})))
}

fn send(server: &Server, group: &str, from: u64, n: u64) {
    server.ingest(group, batch(from, n));
}

/// How many events there are, the sum of their numbers, and the last of them.
fn counts(server: &Server) -> Value {
    server.rows("stats count(*) as n, sum(serial) as s, max(serial) as m")[0].clone().into()
}

/// The same of the events 0, 1, … `n - 1`.
fn all(n: u64) -> Value {
    json!([n, n * (n - 1) / 2, n - 1])
}

fn is_secret(text: &str) -> bool {
    text.contains("hunter")
}

/// Runs the executable on the server's data directory, with its configuration.
fn run(scratch: &Path, arguments: &[&str]) -> (bool, String) {
    let output = catat(scratch).args(arguments).args(["--config", "catat.toml"]).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn a_server_keeps_everything_in_databases_elsewhere_and_no_password_is_shown() {
    let Some(database) = postgres::Server::start(&["listen_addresses=127.0.0.1"]) else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = launch(scratch.path(), &database).start();
    for i in 0..6 {
        send(&server, "app", i * 10, 10);
        send(&server, "gone", 1000 + i, 1);
        server.try_flush(i == 5);
    }
    send(&server, "app", 60, 5);
    let limits = json!({"retention": {"age": null, "size": "1GiB"}});
    assert_eq!(server.put("/api/v1/groups/app", &limits).status, 200);
    assert!(server.try_delete("/api/v1/groups/gone").expect("it answers").status().is_success());
    server.kill();
    let server = server.restart();
    assert_eq!(counts(&server), all(65));
    let group = server.get("/api/v1/groups/app", &[("authorization", &server.admin())]).json();
    assert_eq!(group["retention"]["size"], "1GiB", "{group}");
    assert!(!server.data_dir.join("catalog.sqlite").exists() && !server.data_dir.join("control.sqlite").exists());
    let (is_intact, said) = run(scratch.path(), &["verify", "--data-dir", "data"]);
    assert!(is_intact && said.contains("60 events") || said.contains("66 events"), "{said}");
    let (is_copied, copied) = run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]);
    assert!(is_copied, "{copied}");
    let (_, shown) = run(scratch.path(), &["config", "show"]);
    assert!(shown.contains("catalog = \"postgres://catat@"), "{shown}");
    let status = server.get("/api/v1/status", &[("authorization", &server.admin())]).body;
    for text in [said, copied, shown, status, server.transcript()] {
        assert!(!is_secret(&text), "{text}");
    }
    // Where it cannot be reached, it is named without it, too.
    drop((server, database));
    let refused = launch_again(scratch.path()).try_start().err().expect("there is no database");
    assert!(refused.said.contains("cannot be used now") && !is_secret(&refused.said), "{}", refused.said);
    assert!(refused.said.contains("database cannot be reached; trying again"), "{}", refused.said);
    let (is_valid, said) = run(scratch.path(), &["check"]);
    assert!(!is_valid && said.contains("cannot be used now") && !is_secret(&said), "{said}");
    // The copy stands for itself.
    let elsewhere = tempfile::tempdir().expect("a directory without a configuration");
    let copy = Launch::new(elsewhere.path(), &["serve"]).on(&scratch.path().join("copy")).start();
    assert_eq!(counts(&copy), all(65));
}

/// The same again: its configuration is there.
fn launch_again(scratch: &Path) -> Launch {
    let path = scratch.join("catat.toml");
    Launch::new(scratch, &["serve", "--config", path.to_str().expect("scratch paths are ASCII")])
}

/// Sends batches, each until it is acknowledged, until it is told to stop; returns how many events that were.
fn send_until(url: &str, is_over: &AtomicBool) -> u64 {
    let client = reqwest::blocking::Client::builder().build().expect("a client");
    let mut n = 0;
    while !is_over.load(Ordering::Relaxed) {
        let id = format!("batch-{n}");
        loop {
            let request = client.post(format!("{url}/api/v1/ingest?group=app&format=ndjson"));
            let answer = request.header("x-catat-batch", &id).body(batch(n, 10)).send();
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(200) => break,
                Ok(429 | 503) => std::thread::park_timeout(Duration::from_millis(20)),
                other => panic!("{other:?}"),
            }
        }
        n += 10;
        std::thread::park_timeout(Duration::from_millis(2));
    }
    n
}

#[test]
fn a_control_store_that_is_away_is_told_within_seconds_and_events_are_taken() {
    let Some(mut database) = postgres::Server::start(&["listen_addresses=127.0.0.1"]) else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let settings = format!("[storage]\ncontrol_store = \"{}\"\n", database.url());
    let server = Launch::configured(scratch.path(), &settings).start();
    let (is_valid, said) = run(scratch.path(), &["check"]);
    assert!(is_valid, "{said}");
    database.kill();
    let ready = server.until("it says that the control store is away", || {
        let ready = server.get("/-/ready", &[]);
        ready.body.contains("settings cannot be changed").then_some(ready)
    });
    assert_eq!(ready.status, 200, "{ready:?}");
    send(&server, "app", 0, 5);
    assert_eq!(counts(&server), all(5));
    let status = server.get("/api/v1/status", &[("authorization", &server.admin())]).json();
    assert!(status["warnings"].to_string().contains("control store"), "{status}");
    assert!(server.transcript().contains("control store cannot be used"), "{}", server.transcript());
    database.resume();
    server.until("it can be used again", || {
        let ready = server.get("/-/ready", &[]);
        (ready.status == 200 && !ready.body.contains("settings")).then_some(())
    });
}

#[test]
fn a_database_that_dies_and_hangs_under_load_loses_and_repeats_nothing() {
    let Some(mut database) = postgres::Server::start(&["listen_addresses=127.0.0.1"]) else { return };
    let rounds = std::env::var("CATAT_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2u32);
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = launch(scratch.path(), &database).start();
    let is_over = AtomicBool::new(false);
    let n_sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| send_until(&server.url, &is_over));
        for round in 0..rounds {
            server.try_flush(true);
            std::thread::park_timeout(Duration::from_millis(u64::from(round) * 41 % 301));
            if round % 2 == 0 {
                database.kill()
            } else {
                database.signal(Signal::STOP)
            }
            server.until("it says that the catalog is away", || {
                let answer = server.get("/-/ready", &[]);
                (answer.status == 503 && answer.body.contains("catalog cannot be used")).then_some(())
            });
            let before = counts(&server);
            server.until("events are taken all the same", || (counts(&server) != before).then_some(()));
            if round % 2 == 0 {
                database.resume()
            } else {
                database.signal(Signal::CONT)
            }
            server.until("it is ready again", || (server.get("/-/ready", &[]).status == 200).then_some(()));
        }
        is_over.store(true, Ordering::Relaxed);
        sender.join().expect("every batch is acknowledged in the end")
    });
    assert_eq!(counts(&server), all(n_sent));
    server.flush();
    server.kill();
    let server = server.restart();
    assert_eq!(counts(&server), all(n_sent));
    let (is_intact, said) = run(scratch.path(), &["verify", "--data-dir", "data"]);
    assert!(is_intact, "{said}");
}

#[test]
fn a_server_that_was_stopped_and_replaced_is_told_so_when_it_goes_on() {
    let Some(database) = postgres::Server::start(&["fsync=off", "listen_addresses=127.0.0.1"]) else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let first = launch(scratch.path(), &database).start();
    send(&first, "app", 0, 10);
    first.flush();
    let copy = scratch.path().join("copy");
    let (is_copied, said) = run(scratch.path(), &["backup", "--data-dir", "data", "--to", "copy"]);
    assert!(is_copied, "{said}");
    for name in ["catalog", "control"] {
        std::fs::remove_file(copy.join(format!("{name}.sqlite"))).expect("it is in the copy");
        std::fs::copy(first.data_dir.join(format!("{name}.postgres")), copy.join(format!("{name}.postgres")))
            .expect("room");
    }
    let refused = launch_again(scratch.path()).on(&copy).try_start().err().expect("the first one is the owner");
    assert!(refused.said.contains("in use by another catat"), "{}", refused.said);
    let pid = i32::try_from(first.pid()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::STOP).expect("our own child");
    // Instead of waiting until its claim has run out.
    let schema = database.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'catat%catalog'");
    database.sql(&format!("UPDATE {schema}.state SET renewed = now() - interval '1 hour'"));
    let second = launch_again(scratch.path()).on(&copy).start();
    send(&second, "app", 10, 10);
    kill_process(pid, Signal::CONT).expect("our own child");
    first.until("it says that it was replaced", || {
        let answer = first.get("/-/ready", &[]);
        (answer.status == 503 && answer.body.contains("taken over")).then_some(())
    });
    let answer = first.try_post("/api/v1/ingest?group=app&format=ndjson", &[], batch(20, 1)).expect("an answer");
    assert_eq!(answer.status(), 503);
    second.flush();
    assert_eq!(counts(&second), all(20));
}
