//! Native histograms by remote write and OTLP, asked with PromQL, read back, and as events.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::doors::{message as fields, varint};
use super::remote_write::{ONE, START, TWO, block, series, write};
use super::{House, encoded};

fn number(field: u8, number: i64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(u64::from(field) << 3, &mut out);
    varint(number.cast_unsigned(), &mut out);
    out
}

fn signed(field: u8, value: i64) -> Vec<u8> {
    number(field, value << 1 ^ value >> 63)
}

fn double(field: u8, value: f64) -> Vec<u8> {
    let mut out = vec![field << 3 | 1];
    out.extend(value.to_le_bytes());
    out
}

fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(u64::from(field) << 3 | 2, &mut out);
    varint(content.len() as u64, &mut out);
    out.extend(content);
    out
}

fn span(field: u8, offset: i64, length: i64) -> Vec<u8> {
    bytes(field, &[signed(1, offset), number(2, length)].concat())
}

/// Returns a histogram of whole counts: two observations in the zero bucket, and in each positive bucket from `(1, 2]` on the number
/// that the differences give.
fn whole(time: i64, count: i64, sum: f64, differences: &[i64]) -> Vec<u8> {
    let mut packed = Vec::new();
    differences.iter().for_each(|difference| varint((difference << 1 ^ difference >> 63).cast_unsigned(), &mut packed));
    let head = [number(1, count), double(3, sum), double(5, 0.001), number(6, 2)].concat();
    let spans = span(11, 1, differences.len() as i64);
    [head, spans, bytes(12, &packed), number(15, time)].concat()
}

/// Returns a histogram of decimal counts with the bounds 1, 5 and 10.
fn custom(time: i64, counts: [f64; 4]) -> Vec<u8> {
    let count: f64 = counts.iter().sum();
    let packed = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let bounds = [&[0x82, 0x01, 24][..], &packed(&[1.0, 5.0, 10.0])].concat();
    let head = [double(2, count), double(3, count * 3.0), signed(4, -53)].concat();
    [head, span(11, 0, 4), bytes(13, &packed(&counts)), number(15, time), bounds].concat()
}

/// Returns a series of version 1.0 that consists of histograms.
fn of_histograms(labels: &[(&str, &str)], histograms: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in labels {
        out.extend(bytes(1, &fields(&[(1, name.as_bytes()), (2, value.as_bytes())])));
    }
    histograms.iter().for_each(|histogram| out.extend(bytes(4, histogram)));
    bytes(1, &out)
}

async fn ask(house: &House, query: &str, at: i64) -> Value {
    let reply = house.get(&format!("/prometheus/api/v1/query?query={}&time={}", encoded(query), at as f64 / 1e3)).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()
}

async fn value(house: &House, query: &str, at: i64) -> Value {
    ask(house, query, at).await["data"]["result"][0]["value"][1].clone()
}

const LATENCY: [(&str, &str); 2] = [("__name__", "latency"), ("job", "api")];

async fn filled() -> House {
    let house = House::new();
    let stale = whole(START + 120_000, 2, f64::from_bits(0x7ff0_0000_0000_0002), &[]);
    let histograms = [whole(START, 6, 12.0, &[1, 2]), whole(START + 60_000, 14, 40.0, &[3, 6]), stale];
    let message =
        [of_histograms(&LATENCY, &histograms), series(&[("__name__", "up"), ("job", "api")], &[(START, 1.0)])];
    assert_eq!(write(&house, &message.concat(), ONE).await.status, 204);
    house
}

#[tokio::test]
async fn histograms_are_answered_as_prometheus_answers_them() {
    let house = filled().await;
    let at = START + 60_000;
    let latest = ask(&house, "latency", at).await["data"]["result"].clone();
    let buckets = json!([[3, "-0.001", "0.001", "2"], [0, "1", "2", "3"], [0, "2", "4", "9"]]);
    let histogram = json!([at / 1_000, {"count": "14", "sum": "40", "buckets": buckets}]);
    assert_eq!(latest, json!([{"metric": {"__name__": "latency", "job": "api"}, "histogram": histogram}]));
    assert_eq!(value(&house, "histogram_count(latency)", at).await, "14");
    for (query, expected) in [
        ("histogram_count(increase(latency[60001ms]))", 8.0 * 60.001 / 60.0),
        ("histogram_quantile(0.5, latency)", (11.0f64 / 9.0).exp2()),
    ] {
        let found: f64 = value(&house, query, at).await.as_str().and_then(|text| text.parse().ok()).expect("a number");
        assert!((found / expected - 1.0).abs() < 1e-12, "{query}: {found}, not {expected}");
    }
    assert_eq!(value(&house, "histogram_avg(sum(latency))", START).await, "2");
    assert_eq!(ask(&house, "latency", START + 121_000).await["data"]["result"], json!([]), "the series ended");
    let uri = format!(
        "/prometheus/api/v1/query_range?query=latency&start={}&end={}&step=60",
        START / 1_000,
        START / 1_000 + 120
    );
    let row = house.get(&uri).await.json()["data"]["result"][0].clone();
    assert_eq!((row["histograms"].as_array().map(Vec::len), &row["values"]), (Some(2), &Value::Null));
    let series = house.get("/prometheus/api/v1/label/__name__/values").await.json()["data"].clone();
    assert_eq!(series, json!(["latency", "up"]));
}

#[tokio::test]
async fn version_two_brings_decimal_counts_in_listed_buckets() {
    let house = House::new();
    let symbols: [&[u8]; 5] = [b"", b"__name__", b"size", b"job", b"web"];
    let mut message: Vec<u8> = symbols.iter().flat_map(|symbol| fields(&[(4, symbol)])).collect();
    let histogram = custom(START, [1.0, 2.5, 0.0, 0.5]);
    message.extend(fields(&[(5, &fields(&[(1, &[1, 2, 3, 4]), (3, &histogram)]))]));
    let reply = write(&house, &message, TWO).await;
    assert_eq!((reply.status, reply.header("x-prometheus-remote-write-histograms-written")), (204, "1"));
    assert_eq!(reply.header("x-prometheus-remote-write-samples-written"), "0");
    let latest = ask(&house, "size", START).await["data"]["result"][0]["histogram"][1].clone();
    let buckets = json!([[3, "-Inf", "1", "1"], [0, "1", "5", "2.5"], [0, "10", "+Inf", "0.5"]]);
    assert_eq!(latest, json!({"count": "4", "sum": "12", "buckets": buckets}));
    assert_eq!(value(&house, "histogram_fraction(-Inf, 5, size)", START).await, "0.875");
}

#[tokio::test]
async fn what_contradicts_itself_is_named_and_the_rest_is_stored() {
    let house = House::new();
    let million = [number(1, 0), span(11, 0, 1_000_000), bytes(12, &vec![0; 20_000])].concat();
    let overlapping = [number(1, 2), span(11, 4, 1), span(11, -2, 1), bytes(12, &[2, 0])].concat();
    let future = whole(START + 864_000_000, 6, 12.0, &[1, 2]);
    let lies = [
        (whole(START, 7, 12.0, &[1, 2]), "6 observations found in buckets, but the count is 7"),
        (whole(START, 2, 0.0, &[1, -2]), "positive side: bucket number 2 has an observation count of -1"),
        (million, "positive side: spans need 1000000 buckets, have 16385 buckets"),
        (overlapping, "positive side: span number 2 with offset -2: the buckets overlap"),
        ([number(1, 0), signed(4, -9)].concat(), "schema -9 is neither"),
        (custom(START, [-1.0, 0.0, 0.0, 2.0]), "positive bucket 0 has an observation count of -1"),
    ];
    for (lie, said) in lies {
        let message = of_histograms(&LATENCY, &[lie, whole(START, 6, 12.0, &[1, 2])]);
        let reply = write(&house, &message, ONE).await;
        let error = reply.json()["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(reply.status, 400, "{said}: {error}");
        assert!(error.contains("1 native histograms that are not valid ({\"__name__\":\"latency\""), "{error}");
        assert!(error.contains(said), "{said}: {error}");
        assert_eq!(reply.header("x-prometheus-remote-write-histograms-written"), "1");
    }
    assert_eq!(value(&house, "histogram_count(latency)", START).await, "6");
    let late = write(&house, &of_histograms(&LATENCY, &[future]), ONE).await;
    assert!(late.status == 400 && late.text().contains("1 samples of the future"), "{}", late.text());
    let nameless = write(&house, &of_histograms(&[("job", "a")], &[whole(START, 2, 0.0, &[])]), ONE).await;
    assert!(nameless.text().contains("1 samples of series that have no valid labels"), "{}", nameless.text());
}

#[tokio::test]
async fn remote_read_and_events_have_the_histograms() {
    let house = filled().await;
    let matcher = fields(&[(2, b"__name__"), (3, b"latency")]);
    let query = [number(1, START), number(2, START + 60_000), bytes(3, &matcher)].concat();
    let request = Request::post("/prometheus/api/v1/read").body(Body::from(block(&bytes(1, &query))));
    let reply = house.send(request.expect("a request")).await;
    let message = ingest::snappy::unpack(&reply.body, 1 << 20).expect("a block of Snappy");
    // The one result of an answer is what a request to write is: the same histograms under another name.
    let mut again = message[1 + message[1..].iter().position(|byte| *byte < 0x80).expect("a length") + 1..].to_vec();
    let at = again.windows(7).position(|at| at == b"latency").expect("the name");
    again[at] = b'L';
    assert_eq!(write(&house, &again, ONE).await.status, 204);
    let both = [ask(&house, "latency", START + 60_000).await, ask(&house, "Latency", START + 60_000).await];
    assert_eq!(both[0]["data"]["result"][0]["histogram"], both[1]["data"]["result"][0]["histogram"], "{both:?}");
    let query = r#"filter name = "latency" | fields histogram | sort @timestamp | limit 1"#;
    let reply = house.post("/api/v1/query", json!({"query": query}).to_string()).await;
    let text = r#"{"schema":0,"count":6,"sum":12,"zero_threshold":0.001,"zero_count":2,"positive":[[1,[1,3]]]}"#;
    assert_eq!(reply.json()["rows"], json!([[text]]), "{}", reply.text());
    let reply = house
        .post(
            "/api/v1/query",
            json!({"query": "sum(latency)", "language": "promql", "from": START / 1_000, "to": START / 1_000})
                .to_string(),
        )
        .await;
    assert!(reply.text().contains("{count:6, sum:12, [-0.001,0.001]:2, (1,2]:1, (2,4]:3}"), "{}", reply.text());
}

#[tokio::test]
async fn exponential_histograms_of_otlp_become_native_ones() {
    let house = House::new();
    let time = format!("{START}000000");
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let point = json!({
        "timeUnixNano": time, "count": "9", "sum": 21.5, "scale": 10, "zeroCount": "1",
        "positive": {"offset": -2, "bucketCounts": ["1", "1", 1, "0", "0", "0", "3"]}, "negative": {"bucketCounts": ["2"]},
        "attributes": [text("route", "/a")],
    });
    let wrong = json!({"timeUnixNano": time, "count": "9", "scale": 0, "positive": {"bucketCounts": ["1"]}});
    let coarse = json!({"timeUnixNano": time, "count": "0", "scale": -7});
    let metric = |name: &str, temporality: i32, points: Value| json!({"name": name, "unit": "s", "exponentialHistogram": {"aggregationTemporality": temporality, "dataPoints": points}});
    let metrics = json!([metric("took", 2, json!([point, wrong, coarse])), metric("delta", 1, json!([point]))]);
    let resource = json!({"attributes": [text("service.name", "shop")]});
    let body = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}).to_string();
    let request = Request::post("/v1/metrics").header("content-type", "application/json").body(Body::from(body));
    let reply = house.send(request.expect("a request")).await;
    let partial = reply.json()["partialSuccess"].clone();
    assert_eq!((reply.status, &partial["rejectedDataPoints"]), (200, &json!("3")), "{}", reply.text());
    let message = partial["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("data point 2: took_seconds: 1 observations found in buckets"), "{message}");
    let row = ask(&house, "took_seconds", START).await["data"]["result"][0].clone();
    assert_eq!(row["metric"], json!({"__name__": "took_seconds", "job": "shop", "route": "/a"}));
    let counts: Vec<&Value> =
        row["histogram"][1]["buckets"].as_array().expect("buckets").iter().map(|bucket| &bucket[3]).collect();
    assert_eq!(counts, ["2", "1", "2", "1", "3"], "{row}");
    let known = house.get("/prometheus/api/v1/metadata?metric=took_seconds").await.json();
    assert_eq!(known["data"]["took_seconds"][0]["type"], "histogram");
}
