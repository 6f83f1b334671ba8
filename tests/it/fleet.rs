//! Several servers on one bucket and one database: what any of them has acknowledged all of them answer, once, whichever
//! of them ends, is stopped, or wakes up.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::lab::{self, Random};
use crate::object_store::Moto;
use crate::postgres;
use crate::server::{Launch, Server, catat, ndjson, run};

/// Events of a batch.
const BATCH_EVENTS: u64 = 20;

/// Senders at the same time.
const N_SENDERS: u64 = 4;

/// A bucket, a database, and a place for the nodes.
pub(crate) struct Lab {
    database: postgres::Server,
    bucket: Moto,
    scratch: tempfile::TempDir,
}

impl Lab {
    /// None where PostgreSQL or moto is not installed.
    pub(crate) fn new() -> Option<Self> {
        let (database, bucket) = (postgres::Server::start(&["fsync=off"])?, Moto::start()?);
        Some(Self { database, bucket, scratch: tempfile::tempdir().expect("a scratch directory") })
    }

    pub(crate) fn dir(&self, node: &str) -> std::path::PathBuf {
        let dir = self.scratch.path().join(node);
        std::fs::create_dir_all(&dir).expect("room");
        dir
    }

    pub(crate) fn launch(&self, node: &str) -> Launch {
        self.launch_with(node, &format!("advertise = \"http://{node}\"\n"))
    }

    /// A node that has these settings in `[fleet]`, too.
    fn launch_with(&self, node: &str, of_fleet: &str) -> Launch {
        let settings = format!(
            "[storage]\nobject_store = \"s3://logs/fleet\"\nobject_store_endpoint = \"{}\"\n\
             object_store_region = \"us-east-1\"\nobject_store_allow_http = true\nflush_age = \"2s\"\n\
             [fleet]\ndatabase = \"{}\"\nnode = \"{node}\"\nlinger = \"20ms\"\n{of_fleet}",
            self.bucket.url,
            self.database.url()
        );
        let credentials = [("AWS_ACCESS_KEY_ID", "an-id"), ("AWS_SECRET_ACCESS_KEY", "a-secret")];
        Launch::configured(&self.dir(node), &settings).with(&credentials)
    }

    /// Ends the leases of a node, as if they had not been renewed for long.
    fn end_leases_of(&self, node: &str) {
        let tables = self.database.sql("SELECT schemaname FROM pg_tables WHERE tablename = 'nodes'");
        let long_ago = "now() - interval '1 hour'";
        self.database.sql(&format!(
            "UPDATE {tables}.leases SET until = {long_ago} WHERE epoch IN (SELECT epoch FROM {tables}.nodes WHERE name = '{node}');
             UPDATE {tables}.nodes SET renewed = {long_ago} WHERE name = '{node}'"
        ));
    }
}

pub(crate) fn batch(number: u64) -> String {
    let serials = number * BATCH_EVENTS..(number + 1) * BATCH_EVENTS;
    ndjson(serials.map(|serial| json!({"message": format!("event {serial} of batch {number}"), "serial": serial})))
}

/// Sends a batch; whether it was acknowledged.
fn send(http: &reqwest::blocking::Client, url: &str, number: u64) -> bool {
    let group = number % 5;
    let request =
        http.post(format!("{url}/api/v1/ingest?group=g{group}")).header("x-catat-batch", format!("batch-{number}"));
    request.body(batch(number)).send().is_ok_and(|answer| answer.status().is_success())
}

/// How many events there are, how many different ones, and their sum.
fn counts(server: &Server) -> Value {
    let answer = server.query("stats count(*) as n, count_distinct(serial) as d, sum(serial) as s");
    assert_eq!(answer["partial"], false, "{answer}");
    answer["rows"][0].clone()
}

pub(crate) fn patient_answer(server: &Server, query: &str) -> Value {
    server.until("its answers are whole", || {
        let answer = server.query(query);
        (answer["partial"] == false).then(|| answer["rows"].clone())
    })
}

#[test]
fn nodes_share_events_groups_keys_and_what_was_accepted() {
    let Some(lab) = Lab::new() else { return };
    let (a, b) = (lab.launch("a").start(), lab.launch("b").start());
    let http = reqwest::blocking::Client::new();
    assert!(send(&http, &a.url, 0) && send(&http, &b.url, 1) && send(&http, &b.url, 0));
    for node in [&a, &b] {
        assert_eq!(
            counts(node),
            json!([2 * BATCH_EVENTS, 2 * BATCH_EVENTS, 2 * BATCH_EVENTS * (2 * BATCH_EVENTS - 1) / 2])
        );
    }
    let all = "fields @timestamp, @message, @id, serial | sort serial | limit 1000";
    let rows = patient_answer(&a, all);
    assert_eq!(rows, patient_answer(&b, all), "ids too");
    a.until("its events are in segments", || {
        let status = b.get("/api/v1/status", &[]).json();
        (status["store"]["hot_events"] == 0 && status["store"]["segments"] != 0).then_some(())
    });
    assert_eq!(rows, patient_answer(&a, all));
    assert_eq!(rows, patient_answer(&b, all));
    // A key that one makes the other knows, and no longer when it is revoked.
    let created =
        a.post("/api/v1/keys", &[("authorization", &a.admin())], json!({"name": "k", "role": "admin"}).to_string());
    let (key, id) = (created.json()["key"].clone(), created.json()["id"].clone());
    let key = key.as_str().expect("it is shown once");
    let is_valid = |node: &Server| node.get("/api/v1/groups", &[("x-catat-key", key)]).status == 200;
    b.until("the key is known to the other", || is_valid(&b).then_some(()));
    let path = format!("/api/v1/keys/{}", id.as_str().expect("an id"));
    let revoked = a.try_delete(&path);
    assert!(revoked.is_some_and(|answer| answer.status().is_success()));
    b.until("it ends there, too", || (!is_valid(&b)).then_some(()));
    // Who signs in at one is signed in at the other, and so signed out.
    let person = json!({"name": "ani", "role": "admin", "password": "a password of ani"});
    let json = ("content-type", "application/json");
    let made = a.post("/api/v1/users", &[("authorization", &a.admin()), json], person.to_string());
    assert!(made.status < 300, "{}", made.body);
    let form = [json, ("origin", a.url.as_str())];
    let signed_in = a.post("/api/v1/session", &form, r#"{"name": "ani", "password": "a password of ani"}"#);
    let cookie = signed_in.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let is_signed_in = |node: &Server| node.get("/api/v1/users", &[("cookie", &cookie)]).status == 200;
    b.until("who signed in at one is known to the other", || is_signed_in(&b).then_some(()));
    let http = reqwest::blocking::Client::new();
    let signed_out =
        http.delete(format!("{}/api/v1/session", b.url)).header("cookie", &cookie).header("origin", &b.url);
    assert!(signed_out.send().is_ok_and(|answer| answer.status().is_success()));
    a.until("the session ends there, too", || (!is_signed_in(&a)).then_some(()));
    // What the fleet is.
    let fleet = b.get("/api/v1/fleet", &[("authorization", &b.admin())]).json();
    let nodes = fleet["nodes"].as_array().expect("a list");
    let named: Vec<&Value> = nodes.iter().map(|node| &node["node"]).collect();
    assert_eq!(named, ["a", "b"], "{fleet}");
    let n_upkeep = nodes.iter().filter(|node| node["leases"].to_string().contains("upkeep")).count();
    assert_eq!(n_upkeep, 1, "{fleet}");
    let mut status = catat(&lab.dir("b"));
    let admin = b.admin();
    let admin = admin.trim_start_matches("Bearer ");
    status.args(["fleet", "status", "--url", &b.url, "--key", admin, "--output", "json"]);
    let shown = run(status, "");
    assert!(shown.out.contains("http://a"), "{} {}", shown.out, shown.err);
}

#[test]
fn whichever_node_ends_or_sleeps_nothing_is_lost_or_repeated() {
    let Some(lab) = Lab::new() else { return };
    let names = ["a", "b", "c"];
    let nodes: Vec<RwLock<Server>> = names.iter().map(|name| RwLock::new(lab.launch(name).start())).collect();
    let urls: Vec<Mutex<String>> =
        nodes.iter().map(|node| Mutex::new(node.read().expect("no panic").url.clone())).collect();
    let (next, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let seed = lab::seed();
    std::thread::scope(|scope| {
        let _stopping = lab::Stopping(&is_over);
        for sender in 0..N_SENDERS {
            let (urls, next, is_over) = (&urls, &next, &is_over);
            scope.spawn(move || {
                let http =
                    reqwest::blocking::Client::builder().timeout(Duration::from_secs(3)).build().expect("a client");
                let mut random = Random::new(seed + sender);
                while !is_over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // Until somebody acknowledges it: whoever is asked again may have it already.
                    loop {
                        let url = urls[random.below(urls.len() as u64) as usize].lock().expect("no panic").clone();
                        if send(&http, &url, number) {
                            break;
                        }
                        lab::some_moment(50);
                    }
                }
            });
        }
        let mut random = Random::new(seed);
        for round in 0..lab::rounds(6) {
            lab::some_moment(500 + random.below(1500));
            let victim = random.below(names.len() as u64) as usize;
            let mut node = nodes[victim].write().expect("no panic");
            if round % 2 == 0 {
                node.kill();
                lab::some_moment(random.below(1000));
                *node = lab.launch(names[victim]).start();
                *urls[victim].lock().expect("no panic") = node.url.clone();
            } else {
                // It sleeps until others have taken its place, and goes on in the middle of what it was doing.
                lab::signal(node.pid(), "-STOP");
                lab::some_moment(random.below(500));
                lab.end_leases_of(names[victim]);
                lab::some_moment(500 + random.below(2500));
                lab::signal(node.pid(), "-CONT");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let n = next.load(Ordering::Relaxed) * BATCH_EVENTS;
    assert!(n > 0);
    for node in &nodes {
        let node = node.read().expect("no panic");
        let expected = json!([n, n, n * (n - 1) / 2]);
        let found = patient_answer(&node, "stats count(*) as n, count_distinct(serial) as d, sum(serial) as s");
        // Counts of distinct values are exact up to 16,384.
        assert_eq!((&found[0][0], &found[0][2]), (&expected[0], &expected[2]), "{n} events were acknowledged");
    }
}

/// Groups of the events that queries are shared over, and how many each has.
const SHARED_GROUPS: u64 = 8;
const SHARED_EVENTS: u64 = 60_000;

/// An answer over all time to whoever has the key.
fn ask(server: &Server, key: &str, query: &str) -> Value {
    let request =
        json!({"query": query, "from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "limit": 10_000});
    let headers = [("content-type", "application/json"), ("x-catat-key", key)];
    let answer = server.post("/api/v1/query", &headers, request.to_string());
    assert_eq!(answer.status, 200, "{} {}", answer.body, server.transcript());
    assert_eq!(answer.json()["partial"], false, "{}", answer.body);
    answer.json()
}

/// Sends the events that nodes look at together, through a node that takes nothing itself.
fn send_shared(first: &Server, key: &str) {
    for group in 0..SHARED_GROUPS {
        for piece in 0..6 {
            let event = |n: u64| {
                let n = group * SHARED_EVENTS + piece * (SHARED_EVENTS / 6) + n;
                json!({"timestamp": 1_700_000_000_000 + n, "message": format!("request {n} took {} ms", n % 977),
                    "n": n, "ms": n as f64 / 7.0, "user": format!("u{}", n * 7919 % 5000)})
            };
            let path = format!("/api/v1/ingest?group=g{group}&format=ndjson");
            let (body, id) = (ndjson((0..SHARED_EVENTS / 6).map(event)), format!("{group}-{piece}"));
            // Bucket and database share the machine with other tests, and a node says within seconds that they are slow.
            first.until("a batch is accepted", || {
                let sent = first.post(&path, &[("x-catat-key", key), ("x-catat-batch", &id)], body.clone());
                assert!(matches!(sent.status, 200 | 503), "{} {}", sent.body, first.transcript());
                (sent.status == 200).then_some(())
            });
        }
    }
}

/// Checks that nodes work out parts of queries for each other, and that each answers alike.
fn check_sharing(nodes: [&Server; 3], key: &str) {
    let first = nodes[0];
    let questions = [
        "stats count(*), avg(ms), pct(ms, 99), count_distinct(user) by @log",
        "filter @message like /took 9\\d+ ms/ | stats count(*) as c, max(n) by user | sort c desc, user | limit 50",
    ];
    // On a machine that is busy with other tests a node may not be heard for a second; then it is left alone for some.
    let mut n_shared = 0;
    first.until("nodes work for each other", || {
        for question in questions {
            let answers = nodes.map(|node| ask(node, key, question));
            assert_eq!(answers[0]["rows"], answers[1]["rows"], "{question}");
            assert_eq!(answers[0]["rows"], answers[2]["rows"], "{question}");
            let shared = |answer: &Value| answer["stats"]["events_shared"].as_u64().unwrap_or(0);
            n_shared += answers[..2].iter().map(shared).sum::<u64>();
        }
        (n_shared >= SHARED_GROUPS * SHARED_EVENTS / 2).then_some(())
    });
    let explained =
        json!({"query": questions[0], "from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "explain": true});
    first.until("two nodes are named", || {
        let told =
            first.post("/api/v1/query", &[("x-catat-key", key)], explained.to_string()).json()["explain"].clone();
        let homes = told["nodes"].as_array().cloned().unwrap_or_default();
        let n_events: u64 = homes.iter().filter_map(|home| home["events"].as_u64()).sum();
        assert_eq!(n_events, SHARED_GROUPS * SHARED_EVENTS, "{told}");
        (homes.len() > 1).then_some(())
    });
}

/// Checks that users are not answered where nodes are, nor nodes where users are.
fn check_listeners(first: &Server, second: &Server, key: &str) {
    let fleet = first.get("/api/v1/fleet", &[("authorization", &first.admin())]).json();
    let nodes = fleet["nodes"].as_array().expect("a list");
    let for_nodes = nodes.iter().find(|node| node["node"] == "second").and_then(|node| node["address"].as_str());
    let for_nodes = for_nodes.and_then(|address| address.strip_prefix("http://")).expect("an address");
    assert!(status_line(for_nodes, "/api/v1/groups").contains("404"), "{for_nodes}");
    assert_eq!(second.post("/api/v1/fleet/part", &[("x-catat-key", key)], "{}").status, 404);
}

/// Asks an address for a path; returns the first line of the answer.
fn status_line(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("it reads");
    BufReader::new(stream).lines().next().expect("an answer").expect("text")
}

#[test]
fn nodes_that_start_together_on_an_empty_database_all_run() {
    let Some(lab) = Lab::new() else { return };
    std::thread::scope(|scope| {
        let started = ["a", "b", "c", "d"].map(|node| scope.spawn(|| lab.launch(node).start()));
        let nodes = started.map(|node| node.join().expect("it starts"));
        assert!(nodes.iter().all(|node| node.get("/api/v1/status", &[]).status == 200));
    });
}

#[test]
fn a_sender_is_told_to_come_back_within_seconds_while_bucket_or_database_is_away() {
    for is_bucket in [true, false] {
        let Some(mut lab) = Lab::new() else { return };
        let node = lab.launch("a").start();
        assert_eq!(node.post("/api/v1/ingest?group=g", &[], batch(0)).status, 200);
        if is_bucket {
            lab.bucket.kill();
        } else {
            lab.database.kill();
        }
        for number in 1..3 {
            let began = std::time::Instant::now();
            let refused = node.post("/api/v1/ingest?group=g", &[], batch(number));
            assert_eq!((refused.status, refused.header("retry-after")), (503, "2"), "{refused:?}");
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        }
    }
}

#[test]
fn nodes_hand_requests_on_and_work_out_parts_of_queries() {
    let Some(lab) = Lab::new() else { return };
    let secret = lab.scratch.path().join("secret");
    std::fs::write(&secret, "a secret of this fleet, which is long enough").expect("room");
    let with_roles = |node: &str, roles: &str| {
        // One of them answers nodes at an address of their own.
        let listen = if node == "second" { "listen = \"127.0.0.1:0\"\n" } else { "" };
        lab.launch_with(node, &format!("roles = [{roles}]\nsecret_file = \"{}\"\n{listen}", secret.display())).start()
    };
    let taker = with_roles("taker", "\"ingest\", \"upkeep\", \"page\"");
    let first = with_roles("first", "\"query\"");
    let mut second = with_roles("second", "\"query\", \"alert\"");
    // Before there is a key, and with the node's own admin key: at another node a caller is what they are at this one.
    for headers in [&[][..], &[("authorization", &*taker.admin())]] {
        let asked = || taker.get("/api/v1/groups", headers).status;
        taker.until("another node answers", || (asked() == 200).then_some(()));
    }
    let order = json!({"name": "k", "role": "admin"}).to_string();
    let created = first.post("/api/v1/keys", &[("authorization", &first.admin())], order).json();
    let key = created["key"].as_str().expect("it is shown once");
    // Each node answers this itself; other questions are handed on to one that may know the key before it does. A node that
    // knows of no key admits callers with any.
    let status = |node: &Server, headers: &[(&str, &str)]| node.get("/api/v1/status", headers).status;
    let knows = |node: &Server| status(node, &[]) == 401 && status(node, &[("x-catat-key", key)]) == 200;
    for node in [&taker, &first, &second] {
        node.until("the key is known to all", || knows(node).then_some(()));
    }
    send_shared(&first, key);
    first.until("all events are in segments", || {
        let status = first.get("/api/v1/status", &[("x-catat-key", key)]).json();
        (status["store"]["hot_events"] == 0 && status["store"]["segments"] != 0).then_some(())
    });
    check_sharing([&first, &second, &taker], key);
    check_listeners(&first, &second, key);
    let fresh = "stats sum(ms), count(*), last(n) by user | sort user | limit 100";
    let expected = ask(&second, key, fresh)["rows"].clone();
    second.kill();
    assert_eq!(ask(&first, key, fresh)["rows"], expected, "whoever is left works it out");
    // Nobody but a node asks for parts, and what nobody can do is refused by name.
    let stranger = first.post("/api/v1/fleet/part", &[("x-catat-key", key)], "{}");
    assert_eq!((stranger.status, stranger.json()["error"]["code"].as_str()), (403, Some("not-a-node")));
    let mut taker = taker;
    taker.kill();
    let refused = first.until("nobody takes events any more", || {
        let path = "/api/v1/ingest?group=g0&format=ndjson";
        let answer = first.try_post(path, &[("x-catat-key", key)], "{\"message\":\"x\"}\n")?;
        (answer.status() == 503).then(|| answer.text().unwrap_or_default())
    });
    assert!(refused.contains("node"), "{refused}");
}

/// Tells a node what a shipper scrapes: one job with one target.
fn report_target(node: &Server, source: &str, job: &str) {
    let target =
        json!({"pool": job, "labels": {"job": job, "instance": "i"}, "url": "http://i/metrics", "health": "up"});
    let scrapes = json!({"pools": [job], "active": [target], "dropped": [], "n_dropped": {job: 0}});
    let body = json!({"host": source, "inputs": [{"name": "scrape", "scrapes": scrapes}]});
    let answer = node.post(&format!("/api/v1/sources/{source}"), &[], body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The jobs of the targets that a node lists, and the nodes that it could not ask.
fn jobs_of_targets(node: &Server) -> (Vec<String>, String) {
    let answer = node.get("/prometheus/api/v1/targets", &[]).json();
    let targets = answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
    let jobs = targets.iter().map(|target| target["scrapePool"].as_str().unwrap_or_default().to_owned());
    (jobs.collect(), answer["warnings"].to_string())
}

/// Returns what the tool `sources` answers an agent.
fn sources_told_to_an_agent(node: &Server) -> Value {
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sources", "arguments": {}}});
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2025-06-18"),
    ];
    node.post("/mcp", &headers, call.to_string()).json()["result"]["structuredContent"].clone()
}

#[test]
fn targets_and_metadata_are_those_that_any_node_was_told() {
    let Some(lab) = Lab::new() else { return };
    let secret = lab.scratch.path().join("secret");
    std::fs::write(&secret, "a secret of this fleet, which is long enough").expect("room");
    let start = |node: &str| {
        let settings = format!("secret_file = \"{}\"\n[pushgateway]\ninterval = \"1s\"\n", secret.display());
        lab.launch_with(node, &settings).start()
    };
    let (a, mut b) = (start("a"), start("b"));
    report_target(&a, "one", "job-a");
    report_target(&b, "two", "job-b");
    let whole = (vec!["job-a".to_owned(), "job-b".to_owned()], "null".to_owned());
    for node in [&a, &b] {
        node.until("it knows the targets of both", || (jobs_of_targets(node) == whole).then_some(()));
        let pools = node.get("/prometheus/api/v1/scrape_pools", &[]).json();
        assert_eq!(pools["data"]["scrapePools"], json!(["job-a", "job-b"]));
    }
    // A shipper that goes to another node is listed once, as it is now.
    report_target(&b, "one", "job-c");
    assert_eq!(jobs_of_targets(&a).0, ["job-b", "job-c"]);
    assert_eq!(jobs_of_targets(&b).0, ["job-b", "job-c"]);
    // So with the shippers themselves.
    let hosts = |node: &Server| {
        let answer = node.get("/api/v1/sources", &[]).json();
        let sources = answer["sources"].as_array().cloned().unwrap_or_default();
        let hosts: Vec<String> =
            sources.iter().map(|one| one["host"].as_str().unwrap_or_default().to_owned()).collect();
        (hosts, answer["partial_reasons"].to_string())
    };
    for node in [&a, &b] {
        assert_eq!(hosts(node), (vec!["one".to_owned(), "two".to_owned()], "[]".to_owned()));
    }
    // What is said of metrics goes by the database.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_nanos().to_string();
    let points = json!([{"timeUnixNano": now, "asDouble": 1.0}]);
    let metric = json!({"name": "load", "description": "Load of a host.", "gauge": {"dataPoints": points}});
    let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).to_string();
    let sent = a.post("/v1/metrics", &[("content-type", "application/json")], body);
    assert_eq!(sent.status, 200, "{}", sent.body);
    b.until("it knows what the other was told", || {
        let known = b.get("/prometheus/api/v1/metadata", &[]).json();
        (known["data"]["load"][0]["help"] == "Load of a host.").then_some(())
    });
    // Only nodes are told; and who has not been asked is named.
    for path in ["/api/v1/fleet/scrapes", "/api/v1/fleet/sources"] {
        let stranger = b.post(path, &[], "1");
        assert_eq!((stranger.status, stranger.json()["error"]["code"].as_str()), (403, Some("not-a-node")));
    }
    b.kill();
    let (jobs, warnings) = jobs_of_targets(&a);
    assert_eq!(jobs, ["job-a"], "the last that it was told itself");
    assert!(warnings.contains("the node b"), "{warnings}");
    let (hosts, reasons) = hosts(&a);
    assert!(hosts == ["one"] && reasons.contains("the node b"), "{hosts:?} {reasons}");
    let told = sources_told_to_an_agent(&a);
    assert!(told["complete"] == false && told["notes"].to_string().contains("the node b"), "{told}");
}
