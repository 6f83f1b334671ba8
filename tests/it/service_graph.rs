//! Metrics of the service graph: calls between services as PromQL finds them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::server::{Answer, Launch, Server};

fn now_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after the epoch");
    u64::try_from(now.as_nanos()).expect("this century")
}

/// A span of trace 1 that began just now and took 3 ms; kind 2 is a server, 3 a client.
fn span(id: u32, parent: u32, kind: u32, status: u32, attributes: Value) -> Value {
    let start = now_ns();
    let hex = |id: u32| if id == 0 { String::new() } else { format!("{id:016x}") };
    json!({
        "traceId": format!("{:032x}", 1), "spanId": hex(id), "parentSpanId": hex(parent), "name": "work", "kind": kind,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 3_000_000).to_string(),
        "status": {"code": status}, "attributes": attributes,
    })
}

fn send(server: &Server, service: &str, spans: &[Value]) {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": service}}]});
    let body = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]});
    let answer = server.post("/v1/traces", &[("content-type", "application/json")], body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Asks at an instant; each series as its client, its server and its value.
fn asked(server: &Server, query: &str) -> Vec<(String, String, f64)> {
    let body = format!("query={}", query.replace(' ', "+"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer: Answer = server.post("/prometheus/api/v1/query", &form, body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    let series = answer["data"]["result"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<_> = series
        .iter()
        .map(|one| {
            let metric = &one["metric"];
            let value = one["value"][1].as_str().and_then(|value| value.parse().ok()).expect("a number");
            (text(&metric["client"]), text(&metric["server"]), value)
        })
        .collect();
    rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    rows
}

#[test]
fn calls_between_services_are_series_that_grafana_asks_for() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server =
        Launch::new(scratch.path(), &["serve"]).with_variable("CATAT_METRICS__SERVICE_GRAPH", "1s").start();
    // The server's side comes first, in a request of its own.
    send(
        &server,
        "cart",
        &[
            span(2, 1, 2, 2, json!([])),
            span(3, 2, 3, 0, json!([{"key": "db.system.name", "value": {"stringValue": "redis"}}])),
        ],
    );
    send(&server, "shop", &[span(9, 0, 2, 0, json!([])), span(1, 9, 3, 0, json!([]))]);
    let expected = [("cart", "redis", 1.0), ("shop", "cart", 1.0), ("user", "shop", 1.0)]
        .map(|(client, called, n)| (client.to_owned(), called.to_owned(), n));
    server.until("the calls to be series", || {
        (asked(&server, "traces_service_graph_request_total") == expected).then_some(())
    });
    let failed = asked(&server, "traces_service_graph_request_failed_total > 0");
    assert_eq!(failed, [("shop".to_owned(), "cart".to_owned(), 1.0)]);
    // What Grafana's service graph asks; the first call of a series is an increase, too.
    let rates = asked(&server, "sum by (client, server) (rate(traces_service_graph_request_server_seconds_sum[1h]))");
    assert!(rates.len() == 3 && rates.iter().all(|(.., rate)| *rate > 0.0), "{rates:?}");
    let connections = server.get("/prometheus/api/v1/label/connection_type/values", &[]).json();
    assert_eq!(connections["data"], json!(["database", "virtual_node"]));
    assert!(server.stop().success());
}

#[test]
fn nothing_is_counted_unless_it_is_asked_for() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    send(&server, "shop", &[span(9, 0, 2, 0, json!([]))]);
    assert_eq!(server.value("stats count_distinct(@log) as n"), json!(1));
}
