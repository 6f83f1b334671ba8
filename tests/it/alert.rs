//! Somebody is told when errors appear, and told again when they are gone, also across a restart.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};

use crate::server::{PATIENCE, Server, catat, run};

/// A place that webhooks are posted to.
struct Mailbox {
    url: String,
    posts: Receiver<Value>,
    /// Whether posts are answered with 503.
    is_refusing: Arc<AtomicBool>,
}

impl Mailbox {
    fn open() -> Mailbox {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
        let (sender, posts) = mpsc::channel();
        let is_refusing = Arc::new(AtomicBool::new(false));
        let refuses = is_refusing.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let mut n_bytes = 0;
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        n_bytes = length.trim().parse().unwrap_or(0);
                    }
                    line.clear();
                }
                let mut body = vec![0; n_bytes];
                let is_whole = reader.read_exact(&mut body).is_ok();
                let status = if refuses.load(Relaxed) { "503 Service Unavailable" } else { "200 OK" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = reader.get_mut().write_all(answer.as_bytes());
                if let (true, Ok(post)) = (is_whole, serde_json::from_slice(&body)) {
                    let _ = sender.send(post);
                }
            }
        });
        Mailbox { url, posts, is_refusing }
    }

    fn next(&self, server: &Server) -> Value {
        self.posts.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no webhook came\n{}", server.transcript()))
    }
}

fn configure(scratch: &Path, hook: &str) {
    fs::create_dir(scratch.join("rules")).expect("scratch is writable");
    let rules = format!(
        r#"channels:
  - name: hook
    type: webhook
    url: {hook}
    topics: [ops]
groups:
  - name: errors
    interval: 1s
    rules:
      - name: errors-by-group
        query: filter @level >= "error" | stats count(*) as count by @log
        window: 4s
        condition: count > 0
        topics: [ops]
        labels: {{team: night}}
        annotations: {{summary: "{{{{ value }}}} errors in {{{{ labels['@log'] }}}}"}}
"#
    );
    fs::write(scratch.join("rules/errors.yaml"), rules).expect("scratch is writable");
    let settings =
        format!("[alerts]\nrules_dir = {:?}\ngroup_wait = \"0s\"\ninterval = \"1s\"\n", scratch.join("rules"));
    fs::write(scratch.join("catat.toml"), settings).expect("scratch is writable");
}

#[test]
fn error_fires_a_webhook_with_its_lines_and_resolves() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mailbox = Mailbox::open();
    configure(scratch.path(), &mailbox.url);
    let server = Server::start(scratch.path(), &["serve", "--config", "catat.toml"]);
    // No time of its own, so it happened when it arrived.
    server.ingest("shop/till", "{\"level\":\"error\",\"message\":\"drawer is stuck\"}\n");
    let firing = mailbox.next(&server);
    assert_eq!((&firing["status"], &firing["rule"]), (&json!("firing"), &json!("errors-by-group")), "{firing}");
    assert!(firing["labels"].to_string().contains("shop/till") && firing["labels"]["team"] == "night", "{firing}");
    assert!(firing["events"].to_string().contains("drawer is stuck"), "{firing}");
    assert!(firing["id"].is_string() && firing["starts_at"].is_string(), "{firing}");
    let listed = server.get("/api/v1/rules", &[]);
    assert!(listed.status == 200 && listed.body.contains("errors-by-group"), "{}", listed.body);

    let mut server = server;
    server.kill();
    let server = server.restart();
    let mut resolved = mailbox.next(&server);
    while resolved["status"] == "firing" {
        // The crash may have come between the post and the note that it arrived; a repeat is the same notification.
        assert_eq!(resolved["id"], firing["id"], "one firing, whatever happened between: {resolved}");
        resolved = mailbox.next(&server);
    }
    assert_eq!(resolved["status"], "resolved", "{resolved}");
    assert!(resolved["ends_at"].is_string(), "{resolved}");
}

#[test]
fn notification_keeps_its_id_through_refusals_and_a_crash() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mailbox = Mailbox::open();
    configure(scratch.path(), &mailbox.url);
    mailbox.is_refusing.store(true, Relaxed);
    let mut server = Server::start(scratch.path(), &["serve", "--config", "catat.toml"]);
    server.ingest("shop/till", "{\"level\":\"error\",\"message\":\"drawer is stuck\"}\n");
    let refused = mailbox.next(&server);
    server.kill();
    mailbox.is_refusing.store(false, Relaxed);
    let server = server.restart();
    let taken = mailbox.next(&server);
    assert_eq!((&taken["id"], &taken["status"]), (&refused["id"], &json!("firing")), "{taken}");
    assert_eq!(taken["events"], refused["events"], "with the lines that it fired for");
    let resolved = mailbox.next(&server);
    assert_eq!(resolved["status"], "resolved", "and not a second time: {resolved}");
    assert_ne!(resolved["id"], taken["id"]);
}

#[test]
fn broken_rule_file_is_named_by_check() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    configure(scratch.path(), "http://127.0.0.1:1/hook");
    let broken = "groups:\n  - name: g\n    rules:\n      - name: r\n        qery: filter a = 1\n";
    fs::write(scratch.path().join("rules/broken.yaml"), broken).expect("scratch is writable");
    let mut command = crate::server::catat(scratch.path());
    command.args(["check", "--config", "catat.toml"]);
    let ran = crate::server::run(command, "");
    let said = ran.out + &ran.err;
    assert!(ran.code != 0 && said.contains("broken.yaml") && said.contains("qery"), "{said}");
}

#[test]
fn a_pack_that_is_printed_is_a_rule_file_that_is_right() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let rules = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        command.arg("rules").args(arguments);
        run(command, "")
    };
    let packs = rules(&["packs"]);
    assert!(packs.code == 0 && packs.out.lines().count() == 12, "{}", packs.out);
    for line in packs.out.lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let pack = rules(&["pack", name]);
        assert_eq!(pack.code, 0, "{}", pack.err);
        let file = scratch.path().join(format!("{name}.yaml"));
        fs::write(&file, pack.out).expect("scratch is writable");
        let checked = rules(&["check", file.to_str().expect("a plain path")]);
        assert_eq!(checked.code, 0, "{name}: {}", checked.err);
    }
    let unknown = rules(&["pack", "nothing"]);
    assert!(unknown.code == 2 && unknown.err.contains("unknown rule pack \"nothing\""), "{}", unknown.err);
}

/// The one alert that is about no instance.
const OF_SILENCE: &str = "catat stores nothing of itself";

/// An alert of the pack about catat itself, a series that it looks at, and values of a server that is well and of one that is not.
const OF_ITSELF: [(&str, &str, &str, &str); 13] = [
    ("catat accepts no events", "catat_poisoned", "0x60", "1x60"),
    (OF_SILENCE, "catat_start_time_seconds", "1x60", "1x20"),
    ("catat has damaged files", "catat_damaged_files", "0x60", "1x60"),
    ("the disk of catat is nearly full", "catat_disk_free_bytes", "900x60", "150x60"),
    ("catat does not reach its catalog", "catat_catalog_unavailable", "0x60", "1x60"),
    ("the clock of catat jumped", "catat_clock_doubted", "0x60", "1x60"),
    ("catat refuses senders", "catat_batches_refused_total", "5x60", "0+1x60"),
    ("catat does not flush", "catat_wal_oldest_seconds", "600x60", "4000x60"),
    ("catat cannot notify", "catat_channel_failing", "0x60", "1x60"),
    ("a rule cannot be evaluated", "catat_rule_evaluation_failures_total", "5x60", "0+1x60"),
    ("a shipper is down", "catat_source_up", "1x60", "0x60"),
    ("bytes of files never arrived", "catat_source_gap_bytes", "0x60", "9x60"),
    ("there are too many groups", "catat_events_overflowed_total", "5x60", "0+1x60"),
];

#[test]
fn the_rules_about_catat_itself_fire_when_something_is_wrong_and_only_then() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let rules = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        command.arg("rules").args(arguments);
        run(command, "")
    };
    let pack = rules(&["pack", "catat"]).out;
    assert_eq!(pack.matches("- alert: ").count(), OF_ITSELF.len(), "each rule is tested");
    fs::write(scratch.path().join("catat.yaml"), &pack).expect("scratch is writable");
    let series = |name: &str, values: &str| {
        format!("      - {{series: '{name}{{instance=\"a\",job=\"catat-itself\"}}', values: '{values}'}}\n")
    };
    let mut tests = "rule_files: [catat.yaml]\ntests:\n".to_owned();
    let severity = |alert: &str| {
        let rest = pack.split_once(alert).and_then(|(_, rule)| rule.split_once("severity: "));
        rest.and_then(|(_, rest)| rest.split_once('}')).map_or("", |(severity, _)| severity)
    };
    for is_ill in [false, true] {
        tests += &format!("  - name: ill {is_ill}\n    interval: 1m\n    input_series:\n");
        tests += &series("catat_disk_reserve_bytes", "100x60");
        OF_ITSELF.iter().for_each(|(_, metric, well, ill)| tests += &series(metric, if is_ill { ill } else { well }));
        tests += "    alerts:\n";
        for (alert, ..) in OF_ITSELF {
            let others = if alert == OF_SILENCE { "" } else { "instance: a, job: catat-itself, " };
            let fires = format!("labels: {{{others}severity: {}}}", severity(alert));
            let expected = if is_ill { &fires } else { "none: true" };
            tests += &format!("      - {{at: 40m, alertname: '{alert}', {expected}}}\n");
        }
    }
    fs::write(scratch.path().join("catat.test.yaml"), &tests).expect("scratch is writable");
    let ran = rules(&["test", "catat.test.yaml"]);
    assert!(ran.code == 0 && ran.out.contains("2 tests, 0 failed"), "{}{}", ran.out, ran.err);
}

#[test]
fn rule_files_in_jinja_are_read_and_rewritten() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let printed = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        command.args(arguments);
        run(command, "")
    };
    let file = |template: &str| {
        format!(
            "groups:\n- name: g\n  rules:\n  # {template}\n  - {{name: r, query: a, annotations: {{s: \"{template}\"}}}}\n"
        )
    };
    let path = scratch.path().join("r.yaml");
    std::fs::write(&path, file("{{ value }} in {{ labels['alertname'] }}")).expect("scratch is writable");
    assert_eq!(printed(&["rules", "check", "r.yaml"]).out, "r.yaml: 1 rule, 0 channels\n");
    assert_eq!(printed(&["rules", "convert", "r.yaml"]).out, "r.yaml: 1 template rewritten\n");
    let rewritten = file("{{ .value }} in {{ .labels.alertname }}");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), rewritten);
    assert_eq!(printed(&["rules", "convert", "r.yaml"]).out, "r.yaml: 0 templates rewritten\n");
    let odd = file("{% set n = 1 %}{{ value }}");
    std::fs::write(&path, &odd).expect("scratch is writable");
    for command in ["check", "convert"] {
        let ran = printed(&["rules", command, "r.yaml"]);
        assert_eq!(ran.code, if command == "check" { 0 } else { 2 }, "{}", ran.err);
        assert!(ran.err.contains("r.yaml:5:42: annotations: s: \"set\" in {% set n = 1 %}: "), "{}", ran.err);
    }
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), odd);
}
