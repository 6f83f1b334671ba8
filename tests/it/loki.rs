//! What Grafana's Loki data source asks, in the forms it asks it.

use serde_json::{Value, json};

use crate::server::{Server, ndjson};

/// 2026-11-19T10:00:00Z.
const START_S: u64 = 1_795_082_400;

fn with_events() -> (tempfile::TempDir, Server) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let events = (0..120).map(|n| {
        json!({"timestamp": format!("2026-11-19T10:{:02}:{:02}Z", n / 12, n % 12 * 5), "message": format!("parcel {n} handed on"),
               "level": if n % 4 == 0 { "error" } else { "info" }})
    });
    server.ingest("shop", ndjson(events));
    (scratch, server)
}

fn data(server: &Server, path: &str) -> Value {
    let answer = server.get(path, &[]);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["status"], "success", "{answer}");
    answer["data"].clone()
}

#[test]
fn save_and_test_succeeds() {
    let (_scratch, server) = with_events();
    let answer = data(&server, "/loki/api/v1/query?query=vector%281%29%2Bvector%281%29&time=1795082400000000000");
    assert_eq!(answer["resultType"], "vector");
    assert_eq!(answer["result"][0]["value"][1], "2", "{answer}");
    assert_eq!(server.get("/ready", &[]).status + server.get("/loki/api/v1/status/buildinfo", &[]).status, 400);
}

#[test]
fn labels_and_their_values_are_listed() {
    let (_scratch, server) = with_events();
    let range = format!("start={START_S}000000000&end={}000000000", START_S + 3600);
    let labels = data(&server, &format!("/loki/api/v1/labels?{range}"));
    assert!(
        labels.as_array().is_some_and(|labels| labels.contains(&json!("group")) && !labels.contains(&json!("level"))),
        "{labels}"
    );
    assert_eq!(data(&server, &format!("/loki/api/v1/label/group/values?{range}")), json!(["shop"]));
}

#[test]
fn log_query_gives_streams_newest_first() {
    let (_scratch, server) = with_events();
    let path = format!(
        "/loki/api/v1/query_range?query=%7Bgroup%3D%22shop%22%7D%20%7C%3D%20%22parcel%201%22&start={START_S}000000000&end={}000000000&limit=1000&direction=backward",
        START_S + 3600
    );
    let answer = data(&server, &path);
    assert_eq!(answer["resultType"], "streams");
    let streams = answer["result"].as_array().expect("a list");
    let mut n_lines = 0;
    for stream in streams {
        assert_eq!(stream["stream"]["group"], "shop", "{stream}");
        let times: Vec<&str> =
            stream["values"].as_array().expect("a list").iter().filter_map(|value| value[0].as_str()).collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
        n_lines += times.len();
    }
    // 1, 10 to 19, 100 to 119.
    assert_eq!(n_lines, 31, "{answer}");
}

#[test]
fn histogram_query_counts_by_level() {
    let (_scratch, server) = with_events();
    let path = format!(
        "/loki/api/v1/query_range?query=sum%20by%20(level)%20(count_over_time(%7Bgroup%3D%22shop%22%7D%5B5m%5D))&start={START_S}&end={}&step=300",
        START_S + 600
    );
    let answer = data(&server, &path);
    assert_eq!(answer["resultType"], "matrix");
    let mut totals: Vec<(String, u64)> = answer["result"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|series| {
            let values = series["values"].as_array().expect("a list");
            let sum = values.iter().filter_map(|value| value[1].as_str()?.parse::<u64>().ok()).sum();
            (series["metric"]["level"].as_str().unwrap_or("").to_owned(), sum)
        })
        .collect();
    totals.sort();
    // Windows end at the step and exclude their start: the event at the very start is in the first one.
    assert_eq!(totals, [("error".to_owned(), 30), ("info".to_owned(), 90)], "{answer}");
}

#[test]
fn bad_selector_is_an_error_that_grafana_shows() {
    let (_scratch, server) = with_events();
    let answer = server.get("/loki/api/v1/query_range?query=%7Bgroup%3D&start=1&end=2", &[]);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("parse error"), "{}", answer.body);
}

#[test]
fn pushed_streams_come_back() {
    let (_scratch, server) = with_events();
    let body = json!({"streams": [{"stream": {"job": "pushed", "host": "h1"}, "values": [[format!("{START_S}000000001"), "over the wall"]]}]});
    let answer = server.post("/loki/api/v1/push", &[("content-type", "application/json")], body.to_string());
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(
        server.rows("fields @message, host | filter @log = \"pushed\""),
        [[json!("over the wall"), json!("h1")]]
    );
}
