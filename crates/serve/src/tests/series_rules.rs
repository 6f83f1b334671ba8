//! PromQL in the native API, rules in Prometheus' form, and remote read.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::doors::{message as fields, varint};
use super::remote_write::{ONE, START, block, filled, write};
use super::{House, Reply};

const FILE: &str = "
groups:
  - name: hosts
    interval: 15s
    limit: 10
    rules:
      - {record: 'job:up:sum', expr: 'sum by (job) (up)', labels: {source: rules}}
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1h
        labels: {severity: page}
        annotations: {summary: '{{ $labels.instance }} is {{ $value }}'}
      - {alert: Down, expr: absent(up)}
";

/// RFC 3339 of so many s after the start.
fn at(seconds: i64) -> String {
    types::Timestamp((START + seconds * 1_000) * 1_000_000).to_string()
}

#[tokio::test]
async fn promql_is_answered_as_rows() {
    let house = filled().await;
    let asked = async |body: Value| house.post("/api/v1/query", body.to_string()).await;
    let at_once = asked(json!({"query": "up", "language": "promql", "to": at(1)})).await;
    let names = |reply: &Reply| {
        let columns = reply.json()["columns"].as_array().cloned().unwrap_or_default();
        columns
            .iter()
            .map(|column| format!("{}:{}", column["name"], column["type"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&at_once),
        ["@timestamp:timestamp", "__name__:string", "instance:string", "job:string", "value:float"]
    );
    assert_eq!(at_once.json()["rows"], json!([[at(1), "up", "a:1", "node", 1.0]]), "{}", at_once.text());
    let range = json!({"query": "sum(up) * 2", "language": "promql", "from": at(0), "to": at(120), "step": "1m"});
    let range = asked(range).await.json();
    assert_eq!(range["rows"], json!([[at(0), 2.0], [at(60), 0.0]]), "{range}");
    let infinite = asked(json!({"query": "1 / 0 * up", "language": "promql", "to": at(1)})).await;
    assert_eq!((&infinite.json()["rows"][0][3], &names(&infinite)[3][..]), (&json!("+Inf"), "value:any"));
    let uri = format!("/api/v1/query?query=count(up)&language=promql&to={}&format=csv", at(1));
    let file = house.get(&uri).await;
    assert!(
        file.status == 200 && file.text().lines().nth(1).is_some_and(|line| line.contains(",1")),
        "{}",
        file.text()
    );
    for (body, expected) in [
        (json!({"query": "sum(up", "language": "promql"}), "\"line\":1"),
        (json!({"query": "\"text\"", "language": "promql"}), "the query gives a text"),
        (json!({"query": "up", "language": "promql", "explain": true}), "no plan to explain"),
        (json!({"query": "up", "language": "promql", "step": "0s"}), "at least 1ms"),
        (
            json!({"query": "up", "language": "promql", "step": "1ms", "from": at(0), "to": at(60)}),
            "more than 11000 steps",
        ),
        (json!({"query": "fields @message", "step": "1m"}), "step is for queries in PromQL"),
    ] {
        let refused = asked(body.clone()).await;
        assert!(refused.status == 400 && refused.text().contains(expected), "{body}: {}", refused.text());
    }
    let (_, key) = house.key("read", &["metrics/api"]).await;
    let body = json!({"query": "count({__name__!=\"\"})", "language": "promql", "to": at(1)});
    let narrow = house.as_key(&key, "POST", "/api/v1/query", body.to_string()).await;
    assert_eq!(narrow.json()["rows"][0][1], 1.0, "only the job api exists for the key: {}", narrow.text());
}

#[tokio::test]
async fn rules_in_prometheus_form_are_tried_and_shown_in_its_shape() {
    let house = filled().await;
    let text = "alert: Down\nexpr: up == 0\nlabels: {team: '{{ $labels.job }}'}\nannotations: {s: '{{ $labels.instance }}: {{ $value }}'}";
    let tried = house.post("/api/v1/rules/test", json!({"text": text, "at": at(61)}).to_string()).await.json();
    let alert = json!({
        "labels": {"alertname": "Down", "instance": "a:1", "job": "node", "team": "node"}, "state": "alarm", "value": 0,
        "annotations": {"s": "a:1: 0"},
    });
    assert_eq!(tried["alerts"], json!([alert]), "{tried}");
    let native = json!({"name": "n", "language": "promql", "query": "up", "condition": "value < 1", "annotations": {"s": "{{ value }}"}});
    let tried = house.post("/api/v1/rules/test", json!({"rule": native, "at": at(61)}).to_string()).await.json();
    assert_eq!((&tried["holds"], &tried["alerts"][0]["annotations"]["s"]), (&json!([true]), &json!("0")), "{tried}");
    let past = json!({"text": text, "from": at(0), "to": at(150)}).to_string();
    let past = house.post("/api/v1/rules/backtest", past).await.json();
    assert_eq!(past["alerts"].as_array().map(Vec::len), Some(1), "{past}");

    let house = House::with_rules(FILE);
    let shown = house.get("/prometheus/api/v1/rules").await.json();
    let group = shown["data"]["groups"].as_array().and_then(|groups| groups.iter().find(|one| one["name"] == "hosts"));
    let group = group.expect("the group");
    assert_eq!((&group["interval"], &group["limit"]), (&json!(15.0), &json!(10)), "{group}");
    let names: Vec<String> = group["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| format!("{} {}", rule["type"], rule["name"]))
        .collect();
    assert_eq!(names, ["\"recording\" \"job:up:sum\"", "\"alerting\" \"Down\"", "\"alerting\" \"Down\""]);
    let down = &group["rules"][1];
    assert_eq!(
        (&down["query"], &down["duration"], &down["keepFiringFor"]),
        (&json!("up == 0"), &json!(300.0), &json!(3_600.0))
    );
    let recording = house.get("/prometheus/api/v1/rules?type=record").await.json();
    assert_eq!(recording["data"]["groups"][0]["rules"].as_array().map(Vec::len), Some(1), "{recording}");
    let (_, key) = house.key("read", &["metrics/*"]).await;
    let of_samples = house.as_key(&key, "GET", "/prometheus/api/v1/rules", String::new()).await.json();
    assert_eq!(of_samples["data"]["groups"][0]["rules"].as_array().map(Vec::len), Some(3), "{of_samples}");
    let (_, key) = house.key("read", &["web/*"]).await;
    let of_others = house.as_key(&key, "GET", "/prometheus/api/v1/rules", String::new()).await.json();
    assert_eq!(of_others["data"]["groups"], json!([]), "{of_others}");
    let (_, key) = house.key("operate", &["web/*"]).await;
    let rule = json!({"name": "n", "language": "promql", "query": "up == 0"}).to_string();
    let request = Request::post("/api/v1/rules").header("x-catat-key", &key).header("content-type", "application/json");
    let refused = house.send(request.body(Body::from(rule)).expect("a request")).await;
    assert!(refused.status == 400 && refused.text().contains("metrics/*"), "{}", refused.text());
}

/// Returns a request of remote read for `__name__=VALUE` over the first minute.
fn read_request(operator: u64, value: &str, kinds: &[u64]) -> Vec<u8> {
    let number = |field: u8, number: i64| {
        let mut out = vec![field << 3];
        varint(number.cast_unsigned(), &mut out);
        out
    };
    let mut matcher = number(1, operator.cast_signed());
    matcher.extend(fields(&[(2, b"__name__"), (3, value.as_bytes())]));
    let mut query = [number(1, START), number(2, START + 60_000)].concat();
    query.extend(fields(&[(3, &matcher)]));
    let mut request = fields(&[(1, &query)]);
    kinds.iter().for_each(|kind| request.extend(number(2, kind.cast_signed())));
    request
}

#[tokio::test]
async fn remote_read_gives_samples_and_format_query_a_layout() {
    let house = filled().await;
    let read = async |request: Vec<u8>| {
        let request = Request::post("/prometheus/api/v1/read").body(Body::from(block(&request)));
        house.send(request.expect("a request")).await
    };
    let reply = read(read_request(2, "u.", &[1, 0])).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.headers.get("content-encoding").map(|value| value.as_bytes()), Some(&b"snappy"[..]));
    let message = ingest::snappy::unpack(&reply.body, 1 << 20).expect("a block of Snappy");
    let label = |name: &str, value: &str| fields(&[(1, &fields(&[(1, name.as_bytes()), (2, value.as_bytes())]))]);
    let mut series = [label("__name__", "up"), label("instance", "a:1"), label("job", "node")].concat();
    for (time, value) in [(START, 1.0), (START + 60_000, 0.0)] {
        series.extend(fields(&[(2, &super::remote_write::sample(time, value))]));
    }
    assert_eq!(message, fields(&[(1, &fields(&[(1, &series)]))]));
    let refused = read(read_request(0, "up", &[1])).await;
    assert!(
        refused.status == 400 && refused.text().contains("streamed chunks are not supported"),
        "{}",
        refused.text()
    );
    let broken = read(read_request(2, "(", &[])).await;
    assert_eq!(broken.status, 400, "{}", broken.text());
    let laid_out = house.get("/prometheus/api/v1/format_query?query=sum(up)by(job)").await.json();
    assert_eq!(laid_out, json!({"status": "success", "data": "sum by (job) (up)"}));
    assert_eq!(house.get("/prometheus/api/v1/format_query?query=sum(").await.status, 400);
}

#[tokio::test]
async fn metadata_of_metrics_outlives_a_restart() {
    let house = House::new();
    let counter = [vec![1 << 3, 1], fields(&[(2, b"requests_total"), (4, b"Requests.")])].concat();
    assert_eq!(write(&house, &fields(&[(3, &counter)]), ONE).await.status, 204);
    metrics::save_metadata(house.server.settings(), &house.families.metrics).expect("it is written");
    let again = house.restarted();
    let known = again.get("/prometheus/api/v1/metadata").await.json();
    assert_eq!(
        known["data"]["requests_total"],
        json!([{"type": "counter", "help": "Requests.", "unit": ""}]),
        "{known}"
    );
}
