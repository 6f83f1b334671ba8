//! From a request to an answer: what was acknowledged is found at once, hot or flushed, in every form of answer.

use std::io::Write;

use serde_json::{Value, json};

use crate::corpus::NEEDLES;
use crate::corpus_facts::corpus;
use crate::server::{ALL_TIME, Server, ndjson};

fn three_events() -> String {
    ndjson([
        json!({"timestamp": "2026-11-19T10:00:00Z", "level": "info", "event": "app.init", "message": "begin"}),
        json!({"timestamp": "2026-11-19T10:00:01Z", "level": "error", "event": "app.fail", "message": "no disk", "timeMs": 30}),
        json!({"timestamp": "2026-11-19T10:00:02Z", "level": "info", "event": "app.done", "message": "end", "timeMs": 10}),
    ])
}

#[test]
fn accepted_events_are_found_at_once_and_after_a_flush() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let answer = server.ingest("demo", three_events());
    assert_eq!((&answer["accepted"], &answer["duplicate"]), (&json!(3), &json!(false)));
    for _ in ["hot", "flushed"] {
        assert_eq!(server.count(), 3);
        let rows = server.rows("fields @timestamp, message, @level | filter @level = \"error\"");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][1..], [json!("no disk"), json!("error")]);
        server.flush();
    }
}

#[test]
fn filter_after_stats_still_averages_over_events_with_the_field() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("demo", three_events());
    let answer = server.query("stats avg(timeMs)\n  sort @timestamp desc\n  filter ispresent(timeMs)\n  limit 20\n");
    assert_eq!(answer["columns"][0]["name"], "avg(timeMs)");
    assert_eq!(answer["rows"], json!([[20.0]]));
    assert!(
        !answer["warnings"].as_array().expect("warnings are a list").is_empty(),
        "the sort has no column: {answer}"
    );
}

#[test]
fn commands_may_be_separated_by_newlines() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("demo", three_events());
    let query =
        "fields event, level, message\n\tfilter level = \"info\" and event = \"app.init\"\n\tsort @timestamp desc\n";
    assert_eq!(server.rows(query), [[json!("app.init"), json!("info"), json!("begin")]]);
}

#[test]
fn body_may_be_plain_gzip_or_zstd() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let body = three_events();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(body.as_bytes()).expect("memory takes it");
    let gzip = gzip.finish().expect("memory takes it");
    let zstd = zstd::encode_all(body.as_bytes(), 3).expect("memory takes it");
    for (encoding, bytes) in [("identity", body.into_bytes()), ("gzip", gzip), ("zstd", zstd)] {
        let answer = server.post("/api/v1/ingest?group=demo&format=ndjson", &[("content-encoding", encoding)], bytes);
        assert_eq!(answer.json()["accepted"], 3, "{encoding}: {}", answer.body);
    }
    assert_eq!(server.count(), 9);
}

#[test]
fn text_lines_become_events_with_their_own_time_and_level() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let text = "2026-11-19T10:00:00Z ERROR disk 3 went away\n2026-11-19T10:00:01Z all 0 errors gone\n";
    let answer = server.post("/api/v1/ingest?group=plain&stream=s1&format=text", &[], text);
    assert_eq!(answer.json()["accepted"], 2, "{}", answer.body);
    let rows = server.rows("fields @timestamp, @level, @log, @logStream | sort @timestamp asc");
    assert_eq!(rows[0][1..], [json!("error"), json!("plain"), json!("s1")]);
    assert!(rows[0][0].as_str().is_some_and(|time| time.starts_with("2026-11-19T10:00:00")), "{rows:?}");
    assert_ne!(rows[1][1], "error", "a word in the prose is no level");
}

#[test]
fn answers_over_the_corpus_agree_with_what_the_generator_wrote() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let (text, facts) = corpus(50_000, 42);
    let lines: Vec<&str> = text.lines().collect();
    for part in lines.chunks(10_000) {
        assert_eq!(server.ingest("bench", part.join("\n"))["accepted"], 10_000);
    }
    for state in ["hot", "flushed", "restarted"] {
        assert_eq!(server.count(), 50_000, "{state}");
        let mut by_level: Vec<(String, u64)> = server
            .rows("stats count(*) as n by @level")
            .iter()
            .map(|row| (row[0].as_str().unwrap_or("").to_owned(), row[1].as_u64().unwrap_or(0)))
            .collect();
        by_level.sort();
        let expected: Vec<(String, u64)> =
            facts.by_level.iter().map(|(&level, &n)| (level.to_owned(), n as u64)).collect();
        assert_eq!(by_level, expected, "{state}");
        for (token, _) in NEEDLES {
            let found = server.rows(&format!("fields @id | filter @message like \"{token}\""));
            assert_eq!(found.len(), facts.needles[token], "{state}: {token}");
        }
        server.flush();
    }
}

#[test]
fn answers_come_as_json_csv_and_a_stream() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("demo", three_events());
    let path = format!(
        "/api/v1/query?query={}&from={}&to={}",
        "fields%20event%2C%20timeMs%20%7C%20sort%20event%20asc", ALL_TIME.0, ALL_TIME.1
    );
    let answer = server.get(&path, &[]).json();
    assert_eq!(answer["columns"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["rows"], json!([["app.done", 10], ["app.fail", 30], ["app.init", null]]));
    assert_eq!(answer["partial"], false);
    assert_eq!(answer["stats"]["events_scanned"], 3);

    let csv = server.get(&path, &[("accept", "text/csv")]);
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!(lines, ["event,timeMs", "app.done,10", "app.fail,30", "app.init,"]);

    let stream = server.get(&path, &[("accept", "application/x-ndjson")]);
    let lines: Vec<Value> = stream.body.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
    assert!(lines[0]["columns"].is_array(), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.is_array()).count(), 3);
    assert_eq!(lines[lines.len() - 1]["partial"], false);
}

#[test]
fn empty_answer_says_where_the_newest_event_is() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("demo", three_events());
    let query = r#"{"query":"fields message","from":"2020-01-01T00:00:00Z","to":"2020-01-02T00:00:00Z"}"#;
    let answer = server.post("/api/v1/query", &[("content-type", "application/json")], query).json();
    assert_eq!(answer["rows"], json!([]));
    assert!(answer["warnings"].to_string().contains("2026-11-19T10:00:02"), "{answer}");
}

#[test]
fn histogram_fields_and_groups_describe_the_events() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("a/b", three_events());
    let range = "from=2026-11-19T10:00:00Z&to=2026-11-19T10:00:59Z";
    let histogram = server.get(&format!("/api/v1/histogram?{range}&buckets=10&by=@level"), &[]).json();
    let buckets = histogram["buckets"].as_array().expect("buckets are a list");
    assert_eq!(buckets.iter().map(|bucket| bucket["total"].as_u64().unwrap_or(0)).sum::<u64>(), 3, "{histogram}");
    assert_eq!(buckets.iter().map(|bucket| bucket["by"]["error"].as_u64().unwrap_or(0)).sum::<u64>(), 1, "{histogram}");

    let fields = server.get(&format!("/api/v1/fields?{range}"), &[]).json();
    let time_ms = fields["fields"].as_array().and_then(|fields| fields.iter().find(|field| field["name"] == "timeMs"));
    assert_eq!(time_ms.map(|field| field["events"].clone()), Some(json!(2)), "{fields}");
    let values = server.get(&format!("/api/v1/fields/event/values?{range}&limit=2"), &[]).json();
    assert_eq!((values["values"].as_array().map(Vec::len), &values["distinct"]), (Some(2), &json!(3)), "{values}");

    let groups = server.get("/api/v1/groups", &[]).json();
    assert!(groups.to_string().contains("\"a/b\""), "{groups}");
    let group = server.get("/api/v1/groups/a%2Fb", &[]).json();
    assert_eq!(group["events"], 3, "{group}");
}

#[test]
fn metrics_health_and_openapi_are_served() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("demo", three_events());
    assert_eq!(server.get("/-/healthy", &[]).status, 200);
    let metrics = server.get("/metrics", &[]);
    assert!(metrics.header("content-type").starts_with("text/plain"), "{:?}", metrics.headers);
    assert!(metrics.body.contains("# TYPE catat_"), "{}", metrics.body);
    let openapi = server.get("/api/openapi.json", &[]).json();
    assert!(openapi["paths"]["/api/v1/query"]["post"].is_object(), "{openapi}");
    let page = server.get("/", &[("accept", "text/html")]);
    assert!(page.status == 200 && page.body.contains("<html"), "{} {}", page.status, page.body);
    assert!(page.header("content-security-policy").contains("default-src"), "{:?}", page.headers);
}
