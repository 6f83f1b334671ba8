//! Exemplars by remote write and OTLP, and what asks for them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::doors::{message as fields, varint};
use super::remote_write::{ONE, START, TWO, sample, write};
use super::{House, encoded};

/// Returns an exemplar whose first field is `labels`.
fn exemplar(labels: &[u8], value: f64, time: i64) -> Vec<u8> {
    let mut out = labels.to_vec();
    out.push(2 << 3 | 1);
    out.extend(value.to_le_bytes());
    out.push(3 << 3);
    varint(time.cast_unsigned(), &mut out);
    out
}

/// Returns labels of version 1.0.
fn labels(pairs: &[(&str, &str)]) -> Vec<u8> {
    pairs
        .iter()
        .flat_map(|(name, value)| fields(&[(1, &fields(&[(1, name.as_bytes()), (2, value.as_bytes())]))]))
        .collect()
}

/// Returns a series of version 1.0 with a sample and exemplars.
fn series(pairs: &[(&str, &str)], exemplars: &[Vec<u8>]) -> Vec<u8> {
    let mut out = labels(pairs);
    out.extend(fields(&[(2, &sample(START, 1.0))]));
    exemplars.iter().for_each(|exemplar| out.extend(fields(&[(3, exemplar)])));
    fields(&[(1, &out)])
}

const BUCKET: [(&str, &str); 3] = [("__name__", "took_seconds_bucket"), ("job", "api"), ("le", "1")];

async fn ask(house: &House, query: &str, (start, end): (i64, i64)) -> Value {
    let (start, end) = (start as f64 / 1e3, end as f64 / 1e3);
    let path = format!("/prometheus/api/v1/query_exemplars?query={}&start={start}&end={end}", encoded(query));
    let reply = house.get(&path).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()["data"].clone()
}

#[tokio::test]
async fn exemplars_are_answered_for_the_series_of_a_query() {
    let house = House::new();
    let trace = |id: &str| labels(&[("trace_id", id)]);
    let first = exemplar(&trace("4bf9"), 0.25, START);
    let second = exemplar(&trace("77aa"), 0.5, START + 60_000);
    let message = series(&BUCKET, &[first.clone(), second.clone()]);
    let reply = write(&house, &message, ONE).await;
    assert_eq!((reply.status, reply.header("x-prometheus-remote-write-exemplars-written")), (204, "2"));
    // What is sent again with the next samples is stored once.
    let mut again = series(&BUCKET, &[second]);
    again.extend(series(&[("__name__", "other"), ("job", "api")], &[]));
    assert_eq!(write(&house, &again, ONE).await.status, 204);
    let expected = json!([{
        "seriesLabels": {"__name__": "took_seconds_bucket", "job": "api", "le": "1"},
        "exemplars": [
            {"labels": {"trace_id": "4bf9"}, "value": "0.25", "timestamp": START as f64 / 1e3},
            {"labels": {"trace_id": "77aa"}, "value": "0.5", "timestamp": (START + 60_000) as f64 / 1e3},
        ],
    }]);
    let range = (START, START + 60_000);
    let quantile = "histogram_quantile(0.9, sum by (le) (rate(took_seconds_bucket[5m]))) + other";
    assert_eq!(ask(&house, "took_seconds_bucket", range).await, expected);
    assert_eq!(ask(&house, quantile, range).await, expected);
    assert_eq!(ask(&house, "took_seconds_bucket{le=~\"2.*\"}", range).await, json!([]));
    let later = ask(&house, "{job=\"api\"}", (START + 1, START + 60_000)).await;
    assert_eq!(later[0]["exemplars"].as_array().map(Vec::len), Some(1));
    let query = r#"filter trace_id = "4bf9" | fields @log, name, value, exemplar"#;
    let found = house.post("/api/v1/query", json!({"query": query}).to_string()).await.json();
    assert_eq!(
        found["rows"],
        json!([["exemplars/api", "took_seconds_bucket", 0.25, "{\"trace_id\":\"4bf9\"}"]]),
        "{found}"
    );
    let always = house.get("/prometheus/api/v1/query_exemplars?query=took_seconds_bucket").await.json();
    assert_eq!(always["data"], expected);
    for wrong in ["query=up(&start=1&end=2", "query=up&end=x", "query=up&start=2&end=1"] {
        assert_eq!(house.get(&format!("/prometheus/api/v1/query_exemplars?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn exemplars_of_version_two_have_symbols() {
    let house = House::new();
    let symbols: [&[u8]; 7] = [b"", b"__name__", b"hits_total", b"job", b"web", b"trace_id", b"4bf9"];
    let mut message: Vec<u8> = symbols.iter().flat_map(|symbol| fields(&[(4, symbol)])).collect();
    let of_trace = exemplar(&fields(&[(1, &[5, 6])]), 3.0, START);
    let series = fields(&[(1, &[1, 2, 3, 4]), (2, &sample(START, 3.0)), (4, &of_trace)]);
    message.extend(fields(&[(5, &series)]));
    let reply = write(&house, &message, TWO).await;
    assert_eq!((reply.status, reply.header("x-prometheus-remote-write-exemplars-written")), (204, "1"));
    let found = ask(&house, "hits_total", (START, START)).await;
    assert_eq!(found[0]["exemplars"][0]["labels"], json!({"trace_id": "4bf9"}));
}

#[tokio::test]
async fn exemplars_that_cannot_be_stored_are_named_and_samples_are_stored() {
    let house = House::new();
    let long = "x".repeat(200);
    let too_long = exemplar(&labels(&[("trace_id", &long)]), 1.0, START);
    let future = exemplar(&labels(&[("trace_id", "a")]), 1.0, START + 864_000_000);
    let reply = write(&house, &series(&BUCKET, &[too_long, future]), ONE).await;
    assert_eq!(reply.status, 400);
    for said in ["2 exemplars that cannot be stored", "208 characters; at most 128"] {
        assert!(reply.text().contains(said), "{said}: {}", reply.text());
    }
    let count = house.get(&format!("/prometheus/api/v1/query?query=took_seconds_bucket&time={}", START / 1000)).await;
    assert_eq!(count.json()["data"]["result"][0]["value"][1], "1");
}

#[tokio::test]
async fn points_of_otlp_bring_exemplars_of_their_bucket() {
    let house = House::new();
    let ns = (START * 1_000_000).to_string();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let exemplar = json!({"timeUnixNano": ns, "asDouble": 0.3, "traceId": trace, "spanId": "00f067aa0ba902b7",
        "filteredAttributes": [{"key": "user", "value": {"stringValue": "u1"}}]});
    let histogram = json!({"name": "took", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [{
        "timeUnixNano": ns, "count": "2", "sum": 0.4, "bucketCounts": ["1", "1", "0"], "explicitBounds": [0.2, 0.5],
        "exemplars": [exemplar],
    }]}});
    let counter = json!({"name": "hits", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
        {"timeUnixNano": ns, "asInt": "1", "exemplars": [{"timeUnixNano": ns, "asInt": "1", "traceId": trace}]},
    ]}});
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let metrics = json!([histogram, counter]);
    let body = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}).to_string();
    let request = Request::post("/v1/metrics").header("content-type", "application/json").body(Body::from(body));
    let reply = house.send(request.expect("a request")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let range = (START, START);
    let found = ask(&house, "took_seconds_bucket", range).await;
    assert_eq!((found.as_array().map(Vec::len), &found[0]["seriesLabels"]["le"]), (Some(1), &json!("0.5")), "{found}");
    let own = json!({"trace_id": trace, "span_id": "00f067aa0ba902b7", "user": "u1"});
    assert_eq!(found[0]["exemplars"][0]["labels"], own);
    assert_eq!(ask(&house, "hits_total", range).await[0]["exemplars"][0]["value"], "1");
}

#[tokio::test]
async fn exemplars_that_are_sent_again_are_stored_once() {
    let house = House::new();
    let at = |ms: i64| (ms * 1_000_000).to_string();
    let zeros = ("0".repeat(32), "0".repeat(16));
    let exemplar = |n: i64| json!({"timeUnixNano": at(START + n), "asInt": n, "traceId": zeros.0, "spanId": zeros.1});
    let send = async |second: i64, exemplars: &[i64]| {
        let exemplars: Vec<Value> = exemplars.iter().map(|n| exemplar(*n)).collect();
        let point = json!({"timeUnixNano": at(START + second * 1000), "asInt": second, "exemplars": exemplars});
        let metric =
            json!({"name": "hits", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point]}});
        let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).to_string();
        let request = Request::post("/v1/metrics").header("content-type", "application/json").body(Body::from(body));
        assert_eq!(house.send(request.expect("a request")).await.text(), "{}");
    };
    for (second, exemplars) in [(1, [1, 2, 3]), (2, [1, 2, 3]), (3, [3, 2, 1]), (4, [2, 3, 4]), (5, [4, 2, 3])] {
        send(second, &exemplars).await;
    }
    let found = ask(&house, "hits_total", (START, START + 10_000)).await;
    let values: Vec<&str> =
        found[0]["exemplars"].as_array().expect("exemplars").iter().filter_map(|one| one["value"].as_str()).collect();
    assert_eq!(values, ["1", "2", "3", "4"], "{found}");
    assert_eq!(found[0]["exemplars"][0]["labels"], json!({}), "ids of zeros are none");
    let query = json!({"query": "stats count(*) by @log", "groups": ["exemplars/*"]}).to_string();
    let stored = house.post("/api/v1/query", query).await.json();
    assert_eq!(stored["rows"], json!([["exemplars/unknown_job", 4]]), "{stored}");
}

#[tokio::test]
async fn a_query_is_answered_as_a_tree() {
    let house = House::new();
    let tree = house.get("/prometheus/api/v1/parse_query?query=-up").await.json();
    assert_eq!((&tree["data"]["type"], &tree["data"]["expr"]["name"]), (&json!("unaryExpr"), &json!("up")));
    assert_eq!(house.get("/prometheus/api/v1/parse_query?query=sum(").await.status, 400);
}
