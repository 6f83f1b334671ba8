//! Subscription filters that forward to another server in the protocols that others speak: each event, with its fields, once or more.

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
    ];
    for (destination, expected) in cases {
        let (status, answer) = forward(&server, "app", destination);
        assert!(status == 400 && answer.contains(expected), "{destination}: {status} {answer}");
    }
}
