//! Cold segments in an object store: moto's S3, from PyPI, in a process of its own.
//!
//! `tests/run` puts moto into the virtual environment of the client checks; where neither that nor a `moto_server` in
//! the path is there, these tests print so and pass.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::lab;
use crate::server::{Launch, Server, client, ndjson};

/// A running moto with one empty bucket.
pub(crate) struct Moto {
    process: Child,
    pub(crate) url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Moto {
    /// Ends it, with what it holds.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts moto on a free port; `None`, and a line that says so, where it is not installed.
    pub(crate) fn start() -> Option<Moto> {
        let of_tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/.venv/bin/moto_server");
        let program = if of_tests.is_file() { of_tests } else { PathBuf::from("moto_server") };
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut process) = command.spawn() else {
            println!("left out: there is no moto_server; tests/run installs it");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().expect("it was piped")).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(line[line.find("http://127.0.0.1:")?..].trim().to_owned()));
        // It goes on writing a line for each request.
        std::thread::spawn(move || lines.for_each(drop));
        let moto = Moto { process, url: url.expect("it says where it listens") };
        let made = client().put(format!("{}/logs", moto.url)).send().expect("it answers");
        assert!(made.status().is_success());
        Some(moto)
    }

    /// How many objects the bucket holds.
    pub(crate) fn n_objects(&self) -> usize {
        let listed = client().get(format!("{}/logs?list-type=2", self.url)).send().expect("it answers");
        listed.text().expect("a document").matches("<Key>").count()
    }

    /// A server whose segments go to the bucket as soon as they are compacted.
    fn launch(&self, scratch: &Path) -> Launch {
        let settings = format!(
            "[storage]\nobject_store = \"s3://logs/catat\"\nobject_store_endpoint = \"{}\"\n\
             object_store_region = \"us-east-1\"\nobject_store_allow_http = true\n\
             [retention]\ninterval = \"1s\"\nwarm_after = \"never\"\ncold_after = \"1s\"\n\
             cold_place = \"object_store\"\n",
            self.url
        );
        let credentials = [("AWS_ACCESS_KEY_ID", "an-id"), ("AWS_SECRET_ACCESS_KEY", "a-secret")];
        Launch::configured(scratch, &settings).with(&credentials)
    }
}

/// Events of one November day.
fn events(batch: u64) -> String {
    ndjson((0..50u64).map(|i| {
        let message = format!("request {i} of batch {batch} took {} ms", i * 7);
        json!({"time": format!("2026-11-0{}T10:00:{i:02}Z", batch % 9 + 1), "message": message, "n": batch * 50 + i})
    }))
}

fn number(server: &Server, name: &str) -> u64 {
    let status = server.get("/api/v1/status", &[]).json();
    status["store"][name].as_u64().unwrap_or_else(|| panic!("{name} is no number: {status}"))
}

/// Waits until every segment lies in the bucket and nothing else does.
fn until_all_is_moved(server: &Server, moto: &Moto) {
    server.until("segments are in the bucket, and nothing else is", || {
        server.try_flush(true);
        let n_segments = number(server, "segments");
        let is_moved = number(server, "object_store_segments") == n_segments && number(server, "hot_events") == 0;
        (is_moved && number(server, "object_store_orphans") == 0 && moto.n_objects() as u64 == n_segments).then_some(())
    });
}

const QUERIES: [&str; 4] = [
    "fields @timestamp, @message, @id, n | sort @id",
    "stats count(*) as n, sum(n) as s by bin(1d)",
    "filter @message like /batch 3 took 14/ | fields @message | sort @id",
    "filter n >= 90 and n < 110 | fields n, @message | sort n",
];

/// The rows of every query. A start opens segments of the bucket in the background; until it has opened all of them,
/// answers are partial and say so, and are asked for again.
fn answers(server: &Server) -> Vec<Value> {
    let whole = |query: &str| {
        let answer = server.query(query);
        let reasons = answer["partial_reasons"].to_string();
        if answer["partial"] == true {
            assert!(reasons.contains("\"unreachable\"") && !reasons.contains("\"damaged\""), "{reasons}");
            return None;
        }
        Some(answer["rows"].clone())
    };
    QUERIES.iter().map(|query| server.until("the answer is whole", || whole(query))).collect()
}

#[test]
fn answers_out_of_the_object_store_are_the_same_and_a_deleted_group_leaves_no_object() {
    let Some(moto) = Moto::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = moto.launch(scratch.path()).start();
    (0..6).for_each(|batch| drop(server.ingest("app", events(batch))));
    let hot = answers(&server);
    until_all_is_moved(&server, &moto);
    assert_eq!(answers(&server), hot);
    server.kill();
    std::fs::remove_dir_all(server.data_dir.join("cache")).expect("copies may be removed at any time");
    let server = server.restart();
    assert_eq!(answers(&server), hot);
    assert!(number(&server, "object_store_bytes_read") > 0);
    let deleted = server.try_delete("/api/v1/groups/app").expect("the server answers");
    assert!(deleted.status().is_success());
    server.until("no object is left", || (moto.n_objects() == 0).then_some(()));
}

#[test]
fn without_the_object_store_the_server_starts_names_what_is_missing_and_accepts_events() {
    let Some(moto) = Moto::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let launch = moto.launch(scratch.path());
    let mut server = launch.start();
    server.ingest("app", events(0));
    until_all_is_moved(&server, &moto);
    server.kill();
    std::fs::remove_dir_all(server.data_dir.join("cache")).expect("copies may be removed at any time");
    drop(moto);
    let server = launch.try_start().expect("it starts all the same");
    server.ingest("new", "{\"message\":\"accepted\"}\n");
    let answer = server.query("stats count(*) as n");
    assert_eq!((&answer["partial"], &answer["rows"]), (&json!(true), &json!([[1]])), "{answer}");
    let reasons = answer["partial_reasons"].to_string();
    assert!(reasons.contains("s3://logs/catat/"), "{answer}");
    assert!(reasons.contains("\"unreachable\"") && !reasons.contains("\"damaged\""), "{answer}");
    let ready = server.until("it says so", || {
        let ready = server.get("/-/ready", &[]);
        (ready.status == 200 && ready.body.contains("does not answer")).then_some(ready)
    });
    // Events are taken all the same, so that it stays where a load balancer sends them.
    assert!(ready.body.contains("s3://logs/catat") && ready.body.matches("s3://").count() == 1, "{ready:?}");
    // The log has it from whoever looks at the store by itself, which need not be the first to find out.
    let said =
        server.until("it is in the log", || Some(server.transcript()).filter(|said| said.contains("does not answer")));
    assert!(!said.contains("damage"), "{said}");
    assert!(!ready.body.contains("a-secret"));
}

#[test]
fn kill_9_while_segments_are_moved_loses_and_repeats_nothing_and_leaves_no_object() {
    let Some(moto) = Moto::start() else { return };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = moto.launch(scratch.path()).start();
    let n_rounds = lab::rounds(4);
    for round in 0..n_rounds {
        server.ingest("app", events(round));
        std::thread::scope(|scope| {
            scope.spawn(|| server.try_flush(true));
            // Another moment in each round: before, while and after the segments of the round are put.
            let n_objects = moto.n_objects() + (round % 3) as usize;
            let began = std::time::Instant::now();
            while moto.n_objects() < n_objects && began.elapsed().as_millis() < 300 * u128::from(1 + round % 4) {
                std::thread::yield_now();
            }
            Command::new("kill").args(["-9", &server.pid().to_string()]).status().expect("there is a kill command");
        });
        server.kill();
        server = server.restart();
        assert_eq!(server.count(), 50 * (round + 1));
    }
    until_all_is_moved(&server, &moto);
    let n = server.rows("stats count(*) as n, sum(n) as s");
    let total = 50 * n_rounds;
    assert_eq!(n, [[json!(total), json!(total * (total - 1) / 2)]]);
}
