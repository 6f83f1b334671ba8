//! `catat pull kafka://…`: each message once, whatever its compression, by one member of a group or several, whenever they are killed.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::lab::{self, Random};
use crate::server::{Ran, Server, catat, run};

/// Brokers of librdkafka.
struct Cluster {
    process: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    brokers: String,
}

impl Cluster {
    /// Starts it; `None` where the Python package is missing.
    fn start() -> Option<Self> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
        let (of_tests, script) = (tests.join(".venv/bin/python"), tests.join("it/kafka.py"));
        let program = if of_tests.is_file() { of_tests } else { "python3".into() };
        let mut command = Command::new(program);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().ok()?;
        let orders = process.stdin.take().expect("it was piped");
        let mut said = BufReader::new(process.stdout.take().expect("it was piped")).lines();
        let Some(Ok(brokers)) = said.next() else {
            println!("left out: there is no confluent-kafka; tests/run installs it");
            return None;
        };
        Some(Self { process, orders, said, brokers })
    }

    /// Writes messages with the numbers of a range to a topic.
    fn produce(&mut self, topic: &str, range: std::ops::Range<u64>, compression: &str) {
        let order = json!({"topic": topic, "from": range.start, "to": range.end, "compression": compression});
        writeln!(self.orders, "{order}").expect("it reads");
        assert!(self.said.next().is_some_and(|said| said.is_ok_and(|said| said == "done")));
    }

    fn pull(&self, server: &Server, topics: &str, arguments: &[&str]) -> Command {
        let mut command = catat(server.data_dir.parent().expect("a scratch directory"));
        command.args(["pull", &format!("kafka://{}/{topics}", self.brokers), "--url", &server.url]).args(arguments);
        // The least that brokers allow.
        command.args(["--session-timeout", "6s"]);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A member of the group, until it is killed.
struct Member(Child);

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn whole(command: Command) -> Ran {
    let ran = run(command, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran
}

fn of_row(row: Value) -> Vec<Value> {
    serde_json::from_value(row).expect("a list")
}

/// What [`counts`] are of the messages 0 to `n`.
fn all(n: u64) -> Vec<Vec<Value>> {
    vec![of_row(json!([n, n, n * (n - 1) / 2, n / 2]))]
}

/// The numbers of messages, how many are different, their sum, and how many are errors.
fn counts(server: &Server) -> Vec<Vec<Value>> {
    server.rows(
        "parse @message /serial=(?<of_text>\\d+)/ | fields coalesce(serial, of_text) as n, if(@level = \"error\", 1, 0) as bad \
         | stats count(*), count_distinct(n), sum(n), sum(bad)",
    )
}

#[test]
fn messages_are_pulled_once_whatever_their_compression_and_whenever_it_is_killed() {
    let Some(mut cluster) = Cluster::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    for (number, compression) in (0..).zip(["none", "gzip", "snappy", "lz4", "zstd"]) {
        cluster.produce("orders", number * 2_000..(number + 1) * 2_000, compression);
    }
    let mut random = Random::new(lab::seed());
    for _ in 0..lab::rounds(2) {
        let mut command = cluster.pull(&server, "orders", &["--once"]);
        let mut child = Member(command.stderr(Stdio::piped()).spawn().expect("it starts"));
        // It is killed while it pulls, and not while it waits for the one before it.
        let said = BufReader::new(child.0.stderr.take().expect("it was piped")).lines().next();
        assert!(said.is_none_or(|said| said.is_ok_and(|said| said.ends_with("stored"))));
        lab::some_moment(random.below(60));
    }
    whole(cluster.pull(&server, "orders", &["--once"]));
    assert_eq!(counts(&server), all(10_000));
    let quiet = whole(cluster.pull(&server, "orders", &["--once"]));
    assert_eq!(quiet.err, "");
    // Key, headers and time are the messages', and what is text has no time of the one before it.
    let about = "fields @log, kafka.topic, kafka.key, kafka.headers.trace, @timestamp";
    let texts = server.rows(&format!("filter @message like /^serial=8 / | {about}"));
    assert_eq!(texts, [json!(["orders", "orders", "key-1", "trace-8", "2026-11-30T00:53:28Z"])].map(of_row));
    let records = server.rows(&format!("filter serial = 9 | {about}"));
    assert_eq!(records, [json!(["orders", "orders", "key-2", "trace-9", "2026-11-30T00:53:29Z"])].map(of_row));
    // Another consumer group begins anew.
    let arguments = ["--once", "--consumer-group", "other", "--group", "copies"];
    whole(cluster.pull(&server, "orders", &arguments));
    assert_eq!(server.value("filter @log = \"copies\" | stats count(*)"), 10_000);
    let newest = whole(cluster.pull(&server, "orders", &["--once", "--consumer-group", "late", "--begin", "newest"]));
    assert_eq!(newest.err, "");
    let absent = run(cluster.pull(&server, "absent", &["--once"]), "");
    assert!(absent.code == 1 && absent.err.contains("topic absent: UnknownTopicOrPartition"), "{}", absent.err);
}

#[test]
fn members_share_partitions_and_go_on_when_one_leaves() {
    let Some(mut cluster) = Cluster::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    cluster.produce("orders", 0..2_000, "lz4");
    let member = |server: &Server| {
        let child = cluster.pull(server, "orders", &[]).spawn().expect("it starts");
        Member(child)
    };
    let (first, second) = (member(&server), member(&server));
    server.until("all are there", || (counts(&server) == all(2_000)).then_some(()));
    lab::signal(first.0.id(), "-TERM");
    cluster.produce("orders", 2_000..4_000, "zstd");
    server.until("all are there", || (counts(&server) == all(4_000)).then_some(()));
    drop((first, second));
    assert_eq!(counts(&server), all(4_000));
}
