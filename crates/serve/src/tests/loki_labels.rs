//! Labels of pushed lines: what was pushed is never hidden by what a line holds, and is found as in Loki.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, encoded};

const START: i64 = 1_795_175_460;
const RANGE: &str = "start=1795172400000000000&end=1795176000000000000";

/// Pushes entries of a stream, a second apart from each other.
async fn push(house: &House, labels: Value, first: i64, entries: &[(&str, Value)]) {
    let entry = |(at, (line, metadata)): (usize, &(&str, Value))| {
        json!([format!("{}000000000", START + first + at as i64), line, metadata])
    };
    let values: Vec<Value> = entries.iter().enumerate().map(entry).collect();
    let body = json!({"streams": [{"stream": labels, "values": values}]}).to_string();
    let request = Request::post("/loki/api/v1/push").header("content-type", "application/json");
    assert_eq!(house.send(request.body(Body::from(body)).expect("a request")).await.status, 204);
}

async fn filled() -> House {
    let house = House::new();
    let clash = json!({"app": "clash", "env": "prod", "empty": ""});
    let lines = [
        (r#"{"app":"inner","level":"Error","n":1e3,"tags":["a"]}"#, json!({})),
        ("app=inner level=WARNING n=2", json!({})),
        ("plain", json!({"app": "inner", "user.id": "u1", "pod": "p1"})),
    ];
    push(&house, clash, 0, &lines).await;
    let reserved =
        json!({"app": "k8s", "stream": "stdout", "level": "WARNING", "timestamp": "t", "message": "m", "group": "g h"});
    push(&house, reserved, 10, &[("one", json!({})), ("two error", json!({}))]).await;
    house
}

async fn data(house: &House, query: &str) -> Value {
    let instant = if query.starts_with('{') { "query_range" } else { "query" };
    let uri = format!("/loki/api/v1/{instant}?query={}&{RANGE}&time=1795175760000000000", encoded(query));
    let reply = house.get(&uri).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()["data"]["result"].clone()
}

/// Returns how many lines a log query finds.
async fn n_lines(house: &House, query: &str) -> usize {
    let streams = data(house, query).await;
    streams.as_array().into_iter().flatten().filter_map(|stream| stream["values"].as_array()).map(Vec::len).sum()
}

/// Labels and values of the series of a metric query, in any order.
async fn series(house: &House, query: &str) -> Vec<(Value, String)> {
    let result = data(house, query).await;
    let one = |one: &Value| (one["metric"].clone(), one["value"][1].as_str().unwrap_or_default().to_owned());
    let mut all: Vec<_> = result.as_array().expect("series").iter().map(one).collect();
    all.sort_by_key(|(labels, _)| labels.to_string());
    all
}

#[tokio::test]
async fn what_was_pushed_is_not_hidden_by_fields() {
    let house = filled().await;
    for (query, expected) in [
        (r#"{app="clash"}"#, 3),
        (r#"{app="inner"}"#, 0),
        (r#"{app=~"cl.*",service_name="clash"}"#, 3),
        (r#"{app="k8s",stream="stdout"}"#, 2),
        (r#"{app="k8s",stream!="stdout"}"#, 0),
        (r#"{timestamp="t",message="m"}"#, 2),
        (r#"{group="g h"}"#, 2),
        (r#"{level="WARNING"}"#, 2),
        (r#"{level=~"WARN.*"}"#, 2),
        (r#"{level="warn"}"#, 0),
        (r#"{app=~".+"} | stream="stdout""#, 2),
        (r#"{app="k8s"} | level="WARNING""#, 2),
        (r#"{app="k8s"} | detected_level="warn""#, 2),
        (r#"{app="clash"} | user_id="u1""#, 1),
        (r#"{app="clash"} | app_extracted="inner""#, 1),
        (r#"{app="clash"} | n="2""#, 0),
        (r#"{app="clash"} | json | app_extracted="inner" | level="Error""#, 1),
        (r#"{app="clash"} | json | tags_0="a""#, 0),
        (r#"{app="clash"} | json t="tags[0]" | t="a""#, 1),
        (r#"{app="clash"} | regexp "(?P<app>inn\\w+)" | app="clash" | app_extracted="inner""#, 3),
        (r#"{app="clash"} | logfmt | app="clash" | level="WARNING""#, 1),
    ] {
        assert_eq!(n_lines(&house, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn labels_stand_where_they_come_from() {
    let house = filled().await;
    let plain = data(&house, r#"{app="clash"} |= "plain""#).await;
    let labels = json!({"app": "clash", "app_extracted": "inner", "detected_level": "unknown", "env": "prod", "pod": "p1",
                        "service_name": "clash", "user_id": "u1"});
    assert_eq!(plain[0]["stream"], labels);
    let uri = format!("/loki/api/v1/query_range?query={}&{RANGE}", encoded(r#"{app="clash"} | json | n="1e3""#));
    let reply = house.get_with(&uri, "x-loki-response-encoding-flags", "categorize-labels").await;
    let stream = reply.json()["data"]["result"][0].clone();
    assert_eq!(stream["stream"], json!({"app": "clash", "env": "prod", "service_name": "clash"}));
    let parsed = json!({"app_extracted": "inner", "level": "Error", "n": "1e3"});
    let categories = json!({"structuredMetadata": {"detected_level": "error"}, "parsed": parsed});
    assert_eq!(stream["values"][0][2], categories);
    let names = house.get(&format!("/loki/api/v1/labels?{RANGE}")).await.json()["data"].clone();
    assert_eq!(names, json!(["app", "env", "group", "level", "message", "service_name", "stream", "timestamp"]));
}

#[tokio::test]
async fn series_have_all_labels_of_their_lines() {
    let house = filled().await;
    let reserved = json!({"app": "k8s", "detected_level": "warn", "group": "g h", "level": "WARNING", "message": "m",
                          "service_name": "k8s", "stream": "stdout", "timestamp": "t"});
    assert_eq!(series(&house, r#"count_over_time({app="k8s"}[10m])"#).await, [(reserved, "2".to_owned())]);
    assert_eq!(
        series(&house, r#"sum by (stream, level) (count_over_time({app=~".+"}[10m]))"#).await,
        [(json!({"level": "WARNING", "stream": "stdout"}), "2".to_owned()), (json!({}), "3".to_owned())]
    );
    assert_eq!(series(&house, r#"count(count_over_time({app=~".+"}[10m]))"#).await, [(json!({}), "4".to_owned())]);
    let kept = r#"count_over_time({app="clash"} | logfmt | keep level, env [10m])"#;
    assert_eq!(
        series(&house, kept).await,
        [(json!({"env": "prod", "level": "WARNING"}), "1".to_owned()), (json!({"env": "prod"}), "2".to_owned())]
    );
    let unwrapped = r#"sum_over_time({app="clash"} | logfmt | drop detected_level | unwrap n [10m])"#;
    let labels =
        json!({"app": "clash", "app_extracted": "inner", "env": "prod", "level": "WARNING", "service_name": "clash"});
    assert_eq!(series(&house, unwrapped).await, [(labels, "2".to_owned())]);
    let without = r#"sum without (detected_level, app_extracted, pod, user_id) (count_over_time({app="clash"}[10m]))"#;
    let labels = json!({"app": "clash", "env": "prod", "service_name": "clash"});
    assert_eq!(series(&house, without).await, [(labels, "3".to_owned())]);
    let uri = format!("/loki/api/v1/query?query={}", encoded(r#"count_over_time({app="clash"} | json [10m])"#));
    let failed = house.get(&format!("{uri}&time=1795175760000000000")).await;
    assert_eq!((failed.status, failed.text().contains("JSONParserErr")), (400, true), "{}", failed.text());
}

#[tokio::test]
async fn equal_lines_are_one_however_requests_are_cut() {
    let house = House::new();
    let labels = || json!({"app": "again"});
    let line = |text| (text, json!({"trace_id": "t"}));
    push(&house, labels(), 0, &[line("a"), line("b"), line("c")]).await;
    push(&house, labels(), 1, &[line("b"), line("c"), line("d")]).await;
    push(&house, labels(), 2, &[("c", json!({"trace_id": "other"}))]).await;
    push(&house, json!({"app": "again", "pod": "x"}), 0, &[line("a")]).await;
    assert_eq!(n_lines(&house, r#"{app="again"}"#).await, 6);
    assert_eq!(n_lines(&house, r#"{app="again"} | trace_id="t""#).await, 5);
}

#[tokio::test]
async fn all_values_of_a_label_are_named() {
    let house = House::new();
    let stream = |n: usize| json!({"stream": {"app": format!("a{n}")}, "values": [[format!("{START}000000000"), "x"]]});
    let body = json!({"streams": (0..6_000).map(stream).collect::<Vec<_>>()}).to_string();
    let request = Request::post("/loki/api/v1/push").header("content-type", "application/json");
    assert_eq!(house.send(request.body(Body::from(body)).expect("a request")).await.status, 204);
    let values = house.get(&format!("/loki/api/v1/label/app/values?{RANGE}")).await.json();
    assert_eq!(values["data"].as_array().map(Vec::len), Some(6_000));
    let series = house.get(&format!("/loki/api/v1/series?match%5B%5D=%7B%7D&{RANGE}")).await.json();
    assert_eq!((series["data"].as_array().map(Vec::len), series["warnings"].is_array()), (Some(5_000), true));
}

#[tokio::test]
async fn a_question_that_runs_out_of_time_is_an_error() {
    let house = House::with_limits(types::Limits { query_timeout_ns: 0, ..types::Limits::default() });
    push(&house, json!({"app": "a"}), 0, &[("x", json!({}))]).await;
    let query = format!("query={}&{RANGE}", encoded("{app=\"a\"}"));
    let paths = [
        format!("query_range?{query}"),
        format!("query_range?{query}&interval=5s"),
        format!("labels?{RANGE}"),
        format!("label/app/values?{RANGE}"),
        format!("series?match%5B%5D=%7B%7D&{RANGE}"),
        format!("index/stats?{query}"),
        format!("index/volume?{query}"),
        format!("index/volume_range?{query}"),
        format!("patterns?{query}"),
        format!("detected_labels?{RANGE}"),
        format!("detected_fields?{query}"),
    ];
    for path in paths {
        let reply = house.get(&format!("/loki/api/v1/{path}")).await;
        assert_eq!(
            (reply.status, reply.text().starts_with("request timed out")),
            (504, true),
            "{path}: {}",
            reply.text()
        );
    }
}
