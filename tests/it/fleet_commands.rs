//! What an operator does to a fleet while it runs: lets a node go, checks the store, copies it, brings a copy back.

use std::path::Path;

use serde_json::{Value, json};

use crate::fleet::{Lab, batch, patient_answer};
use crate::server::{Launch, Ran, Server, catat, run};

const ALL: &str = "fields @timestamp, @message, @id, serial | sort serial | limit 1000";

/// Runs a command about the fleet that the settings of a node name.
fn command(lab: &Lab, node: &str, arguments: &[&str]) -> Ran {
    let dir = lab.dir(node);
    let mut command = catat(&dir);
    command.envs([("AWS_ACCESS_KEY_ID", "an-id"), ("AWS_SECRET_ACCESS_KEY", "a-secret")]);
    command.env("CATAT_STORAGE__DIR", dir.join("data"));
    command.args(arguments).arg("--config").arg(dir.join("catat.toml"));
    run(command, "")
}

fn succeeds(lab: &Lab, node: &str, arguments: &[&str], text: &str) {
    let ran = command(lab, node, arguments);
    assert!(ran.code == 0 && ran.out.contains(text), "{arguments:?}: {} {} {}", ran.code, ran.out, ran.err);
}

fn send(node: &Server, number: u64) -> u16 {
    let id = format!("batch-{number}");
    node.post(&format!("/api/v1/ingest?group=g{number}"), &[("x-catat-batch", &id)], batch(number)).status
}

/// Asks a node with `catat fleet`.
fn fleet(lab: &Lab, node: &Server, arguments: &[&str]) -> Ran {
    let mut command = catat(&lab.dir("b"));
    command.arg("fleet").args(arguments).args(["--url", &node.url]);
    command.args(["--key", node.admin().trim_start_matches("Bearer ")]);
    run(command, "")
}

#[test]
fn a_node_is_drained_without_a_failed_request_and_comes_back() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.launch("a").start(), lab.launch("b").start());
    assert_eq!((send(&a, 0), send(&b, 1)), (200, 200));
    let unknown = fleet(&lab, &b, &["drain", "nobody"]);
    assert!(unknown.code != 0 && unknown.err.contains("no node \"nobody\""), "{}", unknown.err);
    let drained = fleet(&lab, &b, &["drain", "a"]);
    assert!(drained.code == 0 && drained.out.contains("a takes no new work"), "{} {}", drained.out, drained.err);
    let ready = |node: &Server| node.get("/-/ready", &[]);
    a.until("load balancers leave it", || (ready(&a).status == 503).then_some(()));
    assert!(ready(&a).body.contains("draining"), "{}", ready(&a).body);
    assert_eq!((ready(&b).status, send(&a, 2)), (200, 200), "what is still sent to it is accepted for a while");
    let refused = a.until("it refuses events", || {
        let answer = a.post("/api/v1/ingest?group=g", &[], batch(9));
        (answer.status == 503).then_some(answer)
    });
    assert_eq!((refused.json()["error"]["code"].as_str(), refused.header("retry-after")), (Some("draining"), "5"));
    let shown = b.until("it has nothing left", || {
        let shown = fleet(&lab, &b, &["status", "--output", "json"]).out;
        let nodes: Value = serde_json::from_str(&shown).expect("JSON");
        (nodes[0]["drained"] == true).then(|| nodes.clone())
    });
    assert_eq!(shown[0]["leases"], json!([]), "{shown}");
    assert_eq!(patient_answer(&a, ALL), patient_answer(&b, ALL), "it still answers");
    let table = fleet(&lab, &b, &["status", "--output", "table"]).out;
    assert!(table.contains("PUTs a day") && table.contains("at list prices"), "{table}");
    let metrics = b.get("/metrics", &[("authorization", &b.admin())]).body;
    let lines = ["catat_fleet_nodes 2", "catat_fleet_leases{lease=\"upkeep\"} 1", "catat_fleet_draining{node=\"a\","];
    lines.iter().for_each(|line| assert!(metrics.contains(line), "{line}: {metrics}"));
    assert!(fleet(&lab, &b, &["drain", "a", "--undo"]).out.contains("takes new work again"));
    a.until("it is ready", || (ready(&a).status == 200).then_some(()));
    assert_eq!(send(&a, 3), 200);
}

#[test]
fn a_fleet_is_verified_backed_up_restored_and_moved_out_by_commands() {
    let (Some(lab), Some(other)) = (Lab::new(), Lab::new()) else { return };
    let a = lab.launch("a").start();
    assert_eq!((send(&a, 0), send(&a, 1)), (200, 200));
    a.until("its events are in segments", || {
        let status = a.get("/api/v1/status", &[]).json();
        (status["store"]["hot_events"] == 0 && status["store"]["segments"] != 0).then_some(())
    });
    assert_eq!(send(&a, 2), 200);
    let rows = patient_answer(&a, ALL);
    assert_eq!(rows.as_array().map(Vec::len), Some(60));
    succeeds(&lab, "a", &["verify"], "no damage found");
    let refused = command(&lab, "a", &["verify", "--repair"]);
    assert!(refused.code != 0 && refused.err.contains("a fleet has no --repair"), "{}", refused.err);
    let backup = lab.dir("copies").join("backup");
    let named = backup.to_str().expect("ASCII");
    succeeds(&lab, "a", &["backup", "--to", named], "60 events copied");
    let out = lab.dir("copies").join("out");
    succeeds(
        &lab,
        "a",
        &["fleet", "export", "--data-dir", out.to_str().expect("ASCII")],
        "the fleet is running (nodes: 1)",
    );
    // Into a fleet that has nothing, and not into one that has something.
    drop(other.launch("b"));
    let refused = command(&lab, "a", &["restore", "--from", named]);
    assert!(refused.code != 0 && refused.err.contains("has events already"), "{}", refused.err);
    succeeds(&other, "b", &["restore", "--from", named], "60 events");
    let b = other.launch("b").start();
    assert_eq!(patient_answer(&b, ALL), rows, "ids too");
    assert_eq!((send(&b, 1), b.count()), (200, 60), "batch ids are known");
    assert_eq!(send(&b, 3), 200);
    drop(b);
    // And onto one machine.
    let alone = |dir: &Path| Launch::new(&lab.dir("copies"), &["serve"]).on(dir).start();
    let c = alone(&out);
    assert_eq!(patient_answer(&c, ALL), rows, "ids too");
    assert_eq!((send(&c, 2), c.count()), (200, 60), "batch ids are known");
}
