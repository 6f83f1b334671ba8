//! OTLP metrics over HTTP, in both encodings, asked with PromQL.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::doors::message as fields;
use super::{House, Reply, encoded};

/// 2026-11-20T11:55:00Z, in ns.
const START: u64 = 1_795_175_700_000_000_000;

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// A request of one resource with some metrics.
fn request(metrics: Value) -> Value {
    let attributes = json!([
        text("service.name", "checkout"),
        text("service.namespace", "shop"),
        text("service.instance.id", "i-1"),
        text("host.name", "web-1"),
        {"key": "ports", "value": {"arrayValue": {"values": [{"intValue": "80"}, {"boolValue": true}]}}},
    ]);
    json!({"resourceMetrics": [{"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": metrics}]}]})
}

async fn send(house: &House, uri: &str, kind: &str, body: impl Into<Body>) -> Reply {
    house.send(Request::post(uri).header("content-type", kind).body(body.into()).expect("a request")).await
}

async fn send_json(house: &House, metrics: Value) -> Reply {
    send(house, "/v1/metrics", "application/json", request(metrics).to_string()).await
}

/// Returns what an expression is at the start, as a line for each series: labels without those of the resource, and value.
async fn ask(house: &House, query: &str) -> Vec<String> {
    let uri = format!("/prometheus/api/v1/query?query={}&time={}", encoded(query), START / 1_000_000_000 + 1);
    let reply = house.get(&uri).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    let reply = reply.json();
    let rows = reply["data"]["result"].as_array().expect("series");
    let line = |row: &Value| {
        let labels = row["metric"].as_object().expect("labels").iter();
        let own = labels.filter(|(name, _)| !["__name__", "job", "instance"].contains(&name.as_str()));
        let mut words: Vec<String> =
            own.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or("?"))).collect();
        words.push(row["value"][1].as_str().unwrap_or("?").to_owned());
        words.join(" ")
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn points_become_series_with_prometheus_names() {
    let house = House::new();
    let time = START.to_string();
    let metrics = json!([
        {"name": "http.server.requests", "unit": "{request}", "description": "Requests.", "sum": {
            "aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
                {"timeUnixNano": time, "asInt": "7", "attributes": [text("http.route", "/a"), text("http_route", "/b")]},
                {"timeUnixNano": time, "asDouble": 2.5},
            ]}},
        {"name": "queue.size", "sum": {"aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE", "dataPoints": [
            {"timeUnixNano": time, "asInt": -3}]}},
        {"name": "cpu.utilization", "unit": "1", "gauge": {"dataPoints": [{"timeUnixNano": time, "asDouble": "NaN"}]}},
        {"name": "gone", "gauge": {"dataPoints": [{"timeUnixNano": time, "asDouble": 1, "flags": 1}]}},
        {"name": "duration", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [
            {"timeUnixNano": time, "count": "6", "sum": 12.5, "bucketCounts": ["1", "2", "3"], "explicitBounds": [0.5, 10]}]}},
        {"name": "latency", "unit": "ms", "summary": {"dataPoints": [
            {"timeUnixNano": time, "count": 4, "sum": 8, "quantileValues": [{"quantile": 0.99, "value": 3.25}]}]}},
    ]);
    let reply = send_json(&house, metrics).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
    let check = async |query: &str, expected: &[&str]| assert_eq!(ask(&house, query).await, expected, "{query}");
    check("http_server_requests_total", &["2.5", "http_route=/a;/b 7"]).await;
    check("queue_size", &["-3"]).await;
    check("cpu_utilization_ratio", &["NaN"]).await;
    check("gone", &[]).await;
    check("duration_seconds_bucket", &["le=+Inf 6", "le=0.5 1", "le=10 3"]).await;
    check("duration_seconds_sum / duration_seconds_count", &["2.0833333333333335"]).await;
    check("latency_milliseconds", &["quantile=0.99 3.25"]).await;
    check("latency_milliseconds_count", &["4"]).await;
    check("target_info{job=\"shop/checkout\", instance=\"i-1\"}", &["host_name=web-1 ports=[80,true] 1"]).await;
    let known = house.get("/prometheus/api/v1/metadata?metric=duration_seconds").await.json();
    assert_eq!(known["data"]["duration_seconds"], json!([{"type": "histogram", "help": "", "unit": "seconds"}]));
}

#[tokio::test]
async fn what_is_not_stored_is_named_by_its_number() {
    let house = House::new();
    let time = START.to_string();
    let point = json!({"timeUnixNano": time, "asInt": 1});
    let delta = json!({"name": "delta", "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point, point]}});
    let good = json!({"name": "good", "gauge": {"dataPoints": [point]}});
    let future =
        json!({"name": "late", "gauge": {"dataPoints": [{"timeUnixNano": "4000000000000000000", "asInt": 1}]}});
    let exponential = json!({"name": "e", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [{"timeUnixNano": time, "count": "1"}]}});
    let timeless = json!({"name": "timeless", "gauge": {"dataPoints": [{"asInt": 1}]}});
    let nameless = json!({"name": "...", "gauge": {"dataPoints": [point]}});
    let reply = send_json(&house, json!([good, delta, future, exponential, nameless, timeless])).await;
    let partial = &reply.json()["partialSuccess"];
    assert_eq!((reply.status, partial["rejectedDataPoints"].as_str()), (200, Some("6")), "{}", reply.text());
    let message = partial["errorMessage"].as_str().unwrap_or_default();
    assert!(message.starts_with("data point 2: metric \"delta\" is not cumulative; set OTEL_"), "{message}");
    assert_eq!(ask(&house, "good").await, ["1"]);
    assert_eq!(ask(&house, "{__name__=~\"delta.*|late|e.*|timeless\"}").await, [""; 0]);
    let reply = send_json(&house, json!([exponential])).await;
    assert!(reply.text().contains("0 observations found in buckets, but the count is 1"), "{}", reply.text());
    let reply = send_json(&house, json!([timeless])).await;
    assert!(reply.text().contains("timeless: the point has no time; timeUnixNano is missing"), "{}", reply.text());
    for (body, expected) in [
        (r#"{"resourceMetrics": 7}"#, "\"7\" is not a valid value of resourceMetrics; expected an object at column 21"),
        (
            r#"{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": {}}]}]}]}"#,
            "\"{}\" is not a valid value of name; expected a text at column 62",
        ),
        (
            r#"{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"sum": {"aggregationTemporality": "x"}}]}]}]}"#,
            "\"x\" is not a valid value of aggregationTemporality; expected a number or name at column 88",
        ),
        ("{", "expected a text in quotes at column 2"),
    ] {
        let reply = send(&house, "/v1/metrics", "application/json", body).await;
        assert_eq!((reply.status, reply.json()["code"].as_i64()), (400, Some(3)), "{body}");
        assert!(
            reply.text().contains(&serde_json::to_string(expected).expect("a text")[1..expected.len()]),
            "{}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn protobuf_says_the_same_as_json() {
    let house = House::new();
    let attribute = |key: &str, value: &str| fields(&[(1, key.as_bytes()), (2, &fields(&[(1, value.as_bytes())]))]);
    let fixed = |number: u8, bits: u64| [&[number << 3 | 1][..], &bits.to_le_bytes()].concat();
    let packed = |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let bounds = packed(&[0.5f64.to_bits(), 10f64.to_bits()]);
    let point = [
        fixed(3, START),
        fixed(4, 6),
        fixed(5, 12.5f64.to_bits()),
        fields(&[(6, &packed(&[1, 2, 3])), (7, &bounds), (9, &attribute("route", "/a"))]),
    ];
    let histogram = [fields(&[(1, &point.concat())]), vec![2 << 3, 2]].concat();
    let metric = fields(&[(1, b"duration"), (3, b"s"), (9, &histogram)]);
    let resource = fields(&[(1, &attribute("service.name", "checkout"))]);
    let body = fields(&[(1, &fields(&[(2, &fields(&[(2, &metric)])), (1, &resource)]))]);
    let reply = send(&house, "/otlp/v1/metrics", "application/x-protobuf", body.clone()).await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(
        ask(&house, "duration_seconds_bucket").await,
        ["le=+Inf route=/a 6", "le=0.5 route=/a 1", "le=10 route=/a 3"]
    );
    assert_eq!(ask(&house, "sum by (job) (duration_seconds_count)").await, ["6"]);
    // Whatever is cut off is an error or less, and never the end of the server.
    for n_bytes in 0..body.len() {
        let reply = send(&house, "/v1/metrics", "application/x-protobuf", body[..n_bytes].to_vec()).await;
        assert!([200, 400].contains(&reply.status), "{n_bytes}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_sum_that_is_left_out_of_a_summary_is_zero() {
    let house = House::new();
    let time = START.to_string();
    let points = json!([{"timeUnixNano": time, "count": 5}]);
    let gone = json!([{"timeUnixNano": (START + 500_000_000).to_string(), "flags": 1}]);
    let summary = |points: &Value| json!([{"name": "wait", "summary": {"dataPoints": points}}]);
    assert_eq!(send_json(&house, summary(&points)).await.text(), "{}");
    assert_eq!((ask(&house, "wait_sum").await, ask(&house, "wait_count").await), (vec!["0".into()], vec!["5".into()]));
    assert_eq!(send_json(&house, summary(&gone)).await.text(), "{}");
    assert_eq!(ask(&house, "{__name__=~\"wait_.*\"}").await, [""; 0], "both end");
}

#[tokio::test]
async fn texts_may_be_cut_in_the_middle_of_a_letter() {
    let house = House::new();
    let point = json!({"timeUnixNano": START.to_string(), "asInt": 1, "attributes": [text("x", "CUT"), text("y", "\u{1f600}")]});
    let metrics = json!([{"name": "g", "description": "CUT", "unit": null, "gauge": {"dataPoints": [point]}}]);
    let body = request(metrics).to_string().replace("CUT", r"a\ud83d b").replace('\u{1f600}', r"\ud83d\ude00");
    let reply = send(&house, "/v1/metrics", "application/json", body).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
    assert_eq!(ask(&house, "g").await, ["x=a\u{fffd} b y=\u{1f600} 1"]);
}

#[tokio::test]
async fn points_are_joined_with_what_their_resource_is_described_by_at_their_time() {
    let house = House::new();
    let at = |seconds: u64| json!({"timeUnixNano": (START + seconds * 1_000_000_000).to_string(), "asInt": 1});
    let metrics = json!([{"name": "g", "gauge": {"dataPoints": [at(0), at(400), at(401), at(3600)]}}]);
    let mut body = request(metrics);
    let attributes = body["resourceMetrics"][0]["resource"]["attributes"].as_array_mut().expect("a list");
    attributes.push(text("command", &"x".repeat(70_000)));
    attributes.push(text(&"k".repeat(501), "long"));
    let reply = send(&house, "/v1/metrics", "application/json", body.to_string()).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
    // What is too long for a label is left out.
    let joined = "g * on (job, instance) group_left (host_name) target_info";
    assert_eq!(ask(&house, joined).await, ["host_name=web-1 1"]);
    let start = START / 1_000_000_000;
    let uri = format!("/prometheus/api/v1/query?query=target_info[2h]&time={}", start + 3600);
    let reply = house.get(&uri).await.json();
    let times: Vec<u64> = reply["data"]["result"][0]["values"]
        .as_array()
        .expect("samples")
        .iter()
        .filter_map(|pair| Some(pair[0].as_u64()? - start))
        .collect();
    assert_eq!(times, [0, 400, 3600], "one for an interval with points");
}

#[tokio::test]
async fn doubles_of_attributes_are_written_as_prometheus_does() {
    let house = House::new();
    let double = |key: &str, value: Value| json!({"key": key, "value": {"doubleValue": value}});
    let list = json!({"key": "list", "value": {"arrayValue": {"values": [{"doubleValue": 3}, {"doubleValue": 1e21}]}}});
    let attributes = json!([double("inf", json!("-Infinity")), double("large", json!(1e21)), list]);
    let point = json!({"timeUnixNano": START.to_string(), "asInt": 1, "attributes": attributes});
    assert_eq!(send_json(&house, json!([{"name": "g", "gauge": {"dataPoints": [point]}}])).await.text(), "{}");
    assert_eq!(ask(&house, "g").await, ["inf=-Infinity large=1e+21 list=[3,1e+21] 1"]);
}
