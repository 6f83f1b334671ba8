//! Subscription filters that forward to another server in the protocols that others speak: each event, with its fields, once or more.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Server, ndjson};

const N: u64 = 600;

fn forward(from: &Server, group: &str, to: &str) -> (u16, String) {
    let target = "Logs_20140328.PutSubscriptionFilter";
    let asked = json!({"logGroupName": group, "filterName": "move", "filterPattern": "", "destinationArn": to});
    let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
    let authorization = "AWS4-HMAC-SHA256 Credential=id/20261120/us-east-1/logs/aws4_request";
    let headers = [headers[0], headers[1], ("authorization", authorization)];
    let answer = from.post("/cloudwatch", &headers, asked.to_string());
    (answer.status, answer.body)
}

fn events(from: u64, to: u64) -> String {
    ndjson((from..to).map(|n| {
        let level = if n % 3 == 0 { "error" } else { "info" };
        let time = format!("2026-11-20T06:00:00.{n:09}Z");
        json!({"time": time, "level": level, "message": format!("order {n}\n  in two lines"), "serial": n, "shop": {"name": "Ann's"}})
    }))
}

#[test]
fn events_are_forwarded_with_their_fields_in_the_protocols_of_others() {
    let (of_source, of_receiver) = (tempfile::tempdir(), tempfile::tempdir());
    let (of_source, of_receiver) = (of_source.expect("a directory"), of_receiver.expect("a directory"));
    let (mut source, receiver) = (Server::serve(of_source.path()), Server::serve(of_receiver.path()));
    let host = &receiver.url;
    // Each group goes on in a protocol of its own; what their messages are called is up to it.
    let forms = [
        ("by-loki", format!("loki+{host}"), "by-loki", "@message"),
        ("by-elastic", format!("elasticsearch+{host}/elasticsearch/moved"), "moved", "@message"),
        ("by-otlp", format!("otlp+{host}"), "by-otlp", "@message"),
        ("by-lines", format!("ndjson+{host}/api/v1/ingest?group=lines"), "lines", "@message"),
    ];
    for (group, destination, ..) in &forms {
        source.ingest(group, events(0, 1));
        let (status, answer) = forward(&source, group, destination);
        assert_eq!(status, 200, "{group}: {answer}");
        source.ingest(group, events(1, N / 2));
    }
    let delivered = |source: &Server| source.get("/metrics", &[]).body.matches("_failing{").count();
    source.until("filters are at work", || (delivered(&source) == forms.len()).then_some(()));
    source.kill();
    let source = source.restart();
    for (group, ..) in &forms {
        source.ingest(group, events(N / 2, N));
    }
    for (group, _, arrived, _) in &forms {
        let of_serial = "parse @message /order (?<n>\\d+)/ | stats count_distinct(n) as d, sum(n) / count(*) as mean";
        let errors = "count_distinct(if(@level = \"error\", n, null)) as e, max(serial) as s";
        let query = format!("filter @log = \"{arrived}\" | {of_serial}, {errors}");
        let expected = [json!(N - 1), json!(N / 3 - 1)];
        source.until(&format!("{group} has arrived"), || {
            let answer = receiver.try_query(&query);
            let rows: Vec<Vec<Value>> = serde_json::from_value(answer.json()["rows"].clone()).ok()?;
            let row = rows.first()?;
            ([row[0].clone(), row[2].clone()] == expected && row[3].to_string().contains("599")).then_some(())
        });
        let one = format!("filter @log = \"{arrived}\" and @message like /order 7\\n/ | fields @timestamp | limit 1");
        assert_eq!(receiver.rows(&one), [[json!("2026-11-20T06:00:00.000000007Z")]], "{group}");
    }
}

/// Takes lines of JSON, unless a post has the serial number that it refuses.
struct Gateway {
    url: String,
    /// Of each serial number the ids with which it came.
    taken: Arc<Mutex<BTreeMap<u64, Vec<String>>>>,
    refused: Arc<AtomicU64>,
}

/// Refuses everything.
const EVERYTHING: u64 = u64::MAX;

impl Gateway {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("ndjson+http://{}/take", listener.local_addr().expect("it is bound"));
        let gateway = Self { url, taken: Arc::default(), refused: Arc::new(AtomicU64::new(EVERYTHING - 1)) };
        let (taken, refused) = (gateway.taken.clone(), gateway.refused.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let (mut n_bytes, mut line) = (0, String::new());
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        n_bytes = length.trim().parse().unwrap_or(0);
                    }
                    line.clear();
                }
                let (mut body, mut text) = (vec![0; n_bytes], String::new());
                let _ = reader.read_exact(&mut body);
                flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).expect("gzip");
                let events: Vec<Value> = text.lines().map(|line| line.parse().expect("JSON")).collect();
                let is_refused = |event: &Value| event["serial"] == refused.load(Relaxed);
                let is_over = refused.load(Relaxed) == EVERYTHING || events.iter().any(is_refused);
                if !is_over {
                    let mut taken = taken.lock().expect("nothing panics");
                    for event in &events {
                        let serial = event["serial"].as_u64().expect("a number");
                        taken.entry(serial).or_default().push(event["@id"].to_string());
                    }
                }
                let status = if is_over { "400 Bad Request" } else { "200 OK" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = reader.get_mut().write_all(answer.as_bytes());
            }
        });
        gateway
    }
}

#[test]
fn a_receiver_that_refuses_everything_for_a_while_misses_nothing_but_what_it_cannot_take() {
    let scratch = tempfile::tempdir().expect("a directory");
    let (mut server, gateway) = (Server::serve(scratch.path()), Gateway::open());
    server.ingest("app", events(0, 1));
    let (status, answer) = forward(&server, "app", &gateway.url);
    assert_eq!(status, 200, "{answer}");
    gateway.refused.store(EVERYTHING, Relaxed);
    server.ingest("app", events(1, N / 2));
    let has = |server: &Server, sample: &str| server.get("/metrics", &[]).body.contains(sample).then_some(());
    let of_filter = "{group=\"app\",filter=\"move\"}";
    server.until("the fault is told", || has(&server, &format!("catat_subscription_filter_failing{of_filter} 1")));
    server.kill();
    server = server.restart();
    server.ingest("app", events(N / 2, N));
    server
        .until("the fault is told again", || has(&server, &format!("catat_subscription_filter_failing{of_filter} 1")));
    let bad = 7;
    gateway.refused.store(bad, Relaxed);
    let refused = format!("catat_subscription_filter_refused_events_total{of_filter} 1");
    server.until("one event is left out", || has(&server, &refused));
    let n_taken = || gateway.taken.lock().expect("nothing panics").len() as u64;
    server.until("all others arrive", || (n_taken() == N - 2).then_some(()));
    let taken = gateway.taken.lock().expect("nothing panics");
    assert!(!taken.contains_key(&bad) && taken.values().all(|ids| ids.iter().all(|id| *id == ids[0])), "{taken:?}");
}

#[test]
fn destinations_that_cannot_be_are_refused_by_name() {
    let scratch = tempfile::tempdir().expect("a directory");
    let server = Server::serve(scratch.path());
    server.ingest("app", events(0, 1));
    let cases = [
        ("elasticsearch+http://127.0.0.1:1", "names the index"),
        ("kafka+http://127.0.0.1:1", "must begin with http://"),
        ("loki+ftp://127.0.0.1:1", "must begin with http://"),
        ("loki+http://169.254.169.254", "metadata address"),
        ("loki+http://127.0.0.1:1", "Could not deliver test message"),
        ("relp://127.0.0.1", "HOST:PORT"),
        ("syslog+tls://user@127.0.0.1:1", "HOST:PORT"),
        ("syslog+tcp://169.254.169.254:514", "metadata address"),
        ("relp://127.0.0.1:1", "Could not deliver test message"),
    ];
    for (destination, expected) in cases {
        let (status, answer) = forward(&server, "app", destination);
        assert!(status == 400 && answer.contains(expected), "{destination}: {status} {answer}");
    }
}
