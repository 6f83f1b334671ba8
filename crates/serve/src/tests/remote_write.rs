//! Samples by Prometheus' remote write, asked with PromQL and as events.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::doors::{message as fields, varint};
use super::{House, Reply, encoded};

/// 2026-11-20T11:55:00Z, in ms.
pub(super) const START: i64 = 1_795_175_700_000;

pub(super) fn sample(time: i64, value: f64) -> Vec<u8> {
    let mut out = vec![1 << 3 | 1];
    out.extend(value.to_le_bytes());
    out.push(2 << 3);
    varint(time.cast_unsigned(), &mut out);
    out
}

/// Returns a series of version 1.0.
pub(super) fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in labels {
        out.extend(fields(&[(1, &fields(&[(1, name.as_bytes()), (2, value.as_bytes())]))]));
    }
    samples.iter().for_each(|(time, value)| out.extend(fields(&[(2, &sample(*time, *value))])));
    fields(&[(1, &out)])
}

/// Returns a block of Snappy that is one literal.
pub(super) fn block(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(message.len() as u64, &mut out);
    out.push(61 << 2);
    out.extend((message.len() as u16 - 1).to_le_bytes());
    out.extend(message);
    out
}

pub(super) async fn write(house: &House, message: &[u8], kind: &str) -> Reply {
    let request =
        Request::post("/prometheus/api/v1/write").header("content-type", kind).header("content-encoding", "snappy");
    house.send(request.body(Body::from(block(message))).expect("a request")).await
}

pub(super) const ONE: &str = "application/x-protobuf";
pub(super) const TWO: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

async fn ask(house: &House, query: &str, at: i64) -> Value {
    let reply = house.get(&format!("/prometheus/api/v1/query?query={}&time={}", encoded(query), at as f64 / 1e3)).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()["data"]["result"].clone()
}

pub(super) async fn filled() -> House {
    let house = House::new();
    let up = [("__name__", "up"), ("job", "node"), ("instance", "a:1")];
    let counter = [("__name__", "requests_total"), ("job", "api"), ("name", "n"), ("status", "500")];
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let message = [
        series(&up, &[(START, 1.0), (START + 60_000, 0.0), (START + 120_000, stale)]),
        series(&counter, &[(START, 10.0), (START + 30_000, 40.0), (START + 60_000, f64::INFINITY)]),
    ];
    assert_eq!(write(&house, &message.concat(), ONE).await.status, 204);
    // The same request again, and the same sample with another value: the first stays.
    assert_eq!(write(&house, &message.concat(), ONE).await.status, 204);
    assert_eq!(write(&house, &series(&up, &[(START, 7.0)]), ONE).await.status, 204);
    house
}

#[tokio::test]
async fn samples_are_answered_as_prometheus_answers_them() {
    let house = filled().await;
    let up = json!({"__name__": "up", "job": "node", "instance": "a:1"});
    assert_eq!(ask(&house, "up", START + 1_000).await, json!([{"metric": up, "value": [1_795_175_701, "1"]}]));
    assert_eq!(ask(&house, "up", START + 119_000).await[0]["value"][1], "0");
    assert_eq!(ask(&house, "up", START + 121_000).await, json!([]), "a stale marker ends the series");
    assert_eq!(
        ask(&house, "increase(requests_total{status=\"500\"}[30001ms])", START + 30_000).await[0]["value"][1],
        "30.001"
    );
    assert_eq!(ask(&house, "requests_total{status=~\"5..\"}", START + 61_000).await[0]["value"][1], "+Inf");
    assert_eq!(ask(&house, "requests_total{status!=\"500\"}", START + 61_000).await, json!([]));
    let uri =
        format!("/prometheus/api/v1/query_range?query=up&start={}&end={}&step=60", START / 1_000, START / 1_000 + 120);
    let values = house.get(&uri).await.json()["data"]["result"][0]["values"].clone();
    assert_eq!(values, json!([[1_795_175_700, "1"], [1_795_175_760, "0"]]));
}

#[tokio::test]
async fn samples_are_events_with_their_labels_as_fields() {
    let house = filled().await;
    let query =
        r#"filter name = "requests_total" and value >= 0 | stats sum(value) as total by job, label.name, status"#;
    let reply = house.post("/api/v1/query", json!({"query": query}).to_string()).await;
    assert_eq!(reply.json()["rows"], json!([["api", "n", "500", 50.0]]), "{}", reply.text());
}

#[tokio::test]
async fn labels_and_series_are_listed() {
    let house = filled().await;
    let get = async |path: &str| house.get(&format!("/prometheus/api/v1/{path}")).await.json()["data"].clone();
    assert_eq!(get("labels").await, json!(["__name__", "instance", "job", "name", "status"]));
    assert_eq!(get("label/job/values").await, json!(["api", "node"]));
    assert_eq!(get("label/job/values?match[]=up").await, json!(["node"]));
    assert_eq!(get("label/job/values?start=1").await, json!(["api", "node"]));
    assert_eq!(get("label/job/values?end=1").await, json!([]));
    let up = json!({"__name__": "up", "job": "node", "instance": "a:1"});
    assert_eq!(get("series?match[]=up&match[]=%7Bjob%3D%22node%22%7D").await, json!([up]));
    assert_eq!(house.get("/prometheus/api/v1/series").await.status, 400);
}

#[tokio::test]
async fn version_two_brings_symbols_and_metadata() {
    let house = House::new();
    let symbols: [&[u8]; 6] = [b"", b"__name__", b"hits_total", b"job", b"web", b"Hits."];
    let mut message: Vec<u8> = symbols.iter().flat_map(|symbol| fields(&[(4, symbol)])).collect();
    let series = fields(&[(1, &[1, 2, 3, 4]), (2, &sample(START, 3.0)), (5, &[1 << 3, 1, 3 << 3, 5])]);
    message.extend(fields(&[(5, &series)]));
    let reply = write(&house, &message, TWO).await;
    assert_eq!((reply.status, reply.header("x-prometheus-remote-write-samples-written")), (204, "1"));
    assert_eq!(ask(&house, "hits_total", START).await[0]["metric"]["job"], "web");
    let metadata = house.get("/prometheus/api/v1/metadata").await.json()["data"].clone();
    assert_eq!(metadata, json!({"hits_total": [{"type": "counter", "help": "Hits.", "unit": ""}]}));
    let odd = fields(&[(4, b""), (5, &fields(&[(1, &[0])]))]);
    let far = fields(&[(4, b""), (5, &fields(&[(1, &[0, 9])]))]);
    for (message, said) in [(odd, "an odd number"), (far, "there is no symbol 9")] {
        let reply = write(&house, &message, TWO).await;
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains(said), "{}", reply.text());
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_named_and_the_rest_is_stored() {
    let house = House::new();
    let mut odd = series(&[("__name__", "odd"), ("job", "x")], &[(START, 1.0), (START + 864_000_000, 2.0)]);
    odd.extend(series(&[("job", "nameless")], &[(START, 1.0)]));
    odd.extend(series(&[("__name__", "twice"), ("job", "a"), ("job", "b")], &[(START, 1.0)]));
    let reply = write(&house, &odd, ONE).await;
    let text = reply.json()["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!((reply.status, &reply.json()["errorType"]), (400, &json!("bad_data")));
    for said in ["1 samples of the future", "2 samples of series that have no valid labels"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert_eq!(ask(&house, "odd", START).await[0]["value"][1], "1");
    for broken in [&b"\x0a\x05ab"[..], b"\xff", b"\x0a\x04\x12\x02\x09\x00"] {
        let reply = write(&house, broken, ONE).await;
        assert_eq!((reply.status, &reply.json()["status"]), (400, &json!("error")), "{broken:?}");
    }
    let not_text = fields(&[(1, &fields(&[(1, &fields(&[(1, b"\xff"), (2, b"x")]))]))]);
    assert!(write(&house, &not_text, ONE).await.text().contains("not UTF-8"));
}

#[tokio::test]
async fn mistakes_in_queries_have_their_place_and_kind() {
    let house = filled().await;
    for (query, kind, status, said) in [
        ("sum(", "bad_data", 400, "1:"),
        ("rate(up)", "bad_data", 400, "rate"),
        ("up + on () up{job=\"x\"} offset", "bad_data", 400, "parse error"),
        ("mad_over_time(up[5m])", "bad_data", 400, "mad_over_time"),
    ] {
        let reply = house.get(&format!("/prometheus/api/v1/query?query={}", encoded(query))).await;
        let error = reply.json();
        assert_eq!((reply.status, &error["errorType"]), (status, &json!(kind)), "{query}: {error}");
        assert!(error["error"].as_str().is_some_and(|text| text.contains(said)), "{query}: {error}");
    }
    for parameters in ["query=up&time=x", "query=up&limit=-1"] {
        assert_eq!(house.get(&format!("/prometheus/api/v1/query?{parameters}")).await.status, 400);
    }
    for parameters in [
        "query=up&start=0&end=1",
        "query=up&start=0&end=1&step=0",
        "query=up&start=0&end=1e9&step=1",
        "query=up%5B5m%5D&start=0&end=1&step=1",
    ] {
        assert_eq!(
            house.get(&format!("/prometheus/api/v1/query_range?{parameters}")).await.status,
            400,
            "{parameters}"
        );
    }
}

#[tokio::test]
async fn keys_see_their_groups_only() {
    let house = filled().await;
    let (_, key) = house.key("read", &["metrics/api"]).await;
    let get =
        async |uri: &str| house.get_with(uri, "authorization", &format!("Bearer {key}")).await.json()["data"].clone();
    assert_eq!(get("/prometheus/api/v1/label/job/values").await, json!(["api"]));
    let uri = format!("/prometheus/api/v1/query?query=count(%7Bjob!%3D%22%22%7D)&time={}", START / 1_000);
    assert_eq!(get(&uri).await["result"][0]["value"][1], "1");
}

#[tokio::test]
async fn series_are_counted_by_name_and_label() {
    let house = filled().await;
    let data = house.get("/prometheus/api/v1/status/tsdb?limit=2").await.json()["data"].clone();
    assert_eq!((&data["headStats"]["numSeries"], &data["headStats"]["numLabelPairs"]), (&json!(2), &json!(7)));
    let row = |name: &str, value: usize| json!({"name": name, "value": value});
    assert_eq!(data["seriesCountByMetricName"], json!([row("requests_total", 1), row("up", 1)]));
    assert_eq!(data["labelValueCountByLabelName"], json!([row("__name__", 2), row("job", 2)]));
    assert_eq!(data["memoryInBytesByLabelName"], json!([row("__name__", 16), row("job", 7)]));
    assert_eq!(data["seriesCountByLabelValuePair"], json!([row("__name__=requests_total", 1), row("__name__=up", 1)]));
    assert_eq!(house.get("/prometheus/api/v1/status/tsdb?limit=0").await.status, 400);
}

#[tokio::test]
async fn steps_that_were_kept_are_answered_only_as_long_as_their_samples_are_there() {
    let house = House::new();
    let load = |instance: &str, steps: std::ops::RangeInclusive<i64>| {
        let samples: Vec<(i64, f64)> = steps.map(|step| (START + step * 6_000, 1.0)).collect();
        series(&[("__name__", "load"), ("job", "node"), ("instance", instance)], &samples)
    };
    let (start, end) = (START / 1000, START / 1000 + 240);
    let uri = format!("/prometheus/api/v1/query_range?query=sum(load)&start={start}&end={end}&step=6");
    // The sum over 41 steps, of Prometheus' route and of ours.
    let sums = async || {
        let values = house.get(&uri).await.json()["data"]["result"][0]["values"].clone();
        let theirs: f64 = values
            .as_array()
            .into_iter()
            .flatten()
            .map(|value| value[1].as_str().map_or(0.0, |n| n.parse().expect("a number")))
            .sum();
        let body = json!({"query": "sum(load)", "language": "promql", "from": start, "to": end + 1, "step": "6s"});
        let rows = house.post("/api/v1/query", body.to_string()).await.json()["rows"].clone();
        let ours: f64 = rows.as_array().into_iter().flatten().filter_map(|row| row[1].as_f64()).sum();
        assert_eq!(theirs, ours);
        theirs
    };
    assert_eq!(sums().await, 0.0);
    assert_eq!(write(&house, &load("a:1", 0..=40), ONE).await.status, 204);
    assert_eq!([sums().await, sums().await], [41.0; 2]);
    // One that comes late; its series goes on until the end.
    assert_eq!(write(&house, &load("b:1", 20..=20), ONE).await.status, 204);
    assert_eq!([sums().await, sums().await], [62.0; 2]);
    assert_eq!(house.administer("POST", "/api/v1/status/flush", String::new()).await.status, 200);
    assert_eq!([sums().await, sums().await], [62.0; 2]);
    let late = json!({"query": "filter instance = \"b:1\"", "all_time": true, "reason": "ticket 8"});
    let deleted = house.administer("POST", "/api/v1/groups/metrics%2Fnode/delete-events", late.to_string()).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!([sums().await, sums().await], [41.0; 2]);
    let (_, elsewhere) = house.key("read", &["metrics/api"]).await;
    let unseen = house.as_key(&elsewhere, "GET", &uri, String::new()).await;
    assert_eq!(unseen.json()["data"]["result"], json!([]), "{}", unseen.text());
}
