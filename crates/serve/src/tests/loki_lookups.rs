//! Lookups of the Loki API: volumes, statistics, detected fields, older forms, and what Grafana asks before it asks for logs.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, encoded};

/// The hour before now, in nanoseconds as Grafana sends it.
const RANGE: &str = "start=1795172400000000000&end=1795176000000000000";

/// Returns a house with three pushed streams: JSON, logfmt and plain lines.
async fn house() -> House {
    let house = House::new();
    let at = |second: i64| (1_795_175_460_000_000_000 + second * 1_000_000_000).to_string();
    let line = r#"{"user":{"id":7},"took":"39ms","size":"117kb","inner":"x","tags":["a"]}"#;
    push(
        &house,
        json!([
            {"stream": {"app": "shop", "env": "prod"}, "values": [[at(0), line], [at(1), "not json"]]},
            {"stream": {"app": "shop", "env": "test"}, "values": [[at(0), "status=200 order=1"], [at(60), "status=500 order=2"]]},
            {"stream": {"app": "mail"}, "values": [[at(2), "Žluťoučký", {"trace_id": "t1"}]]},
        ]),
    )
    .await;
    house
}

async fn push(house: &House, streams: Value) {
    let request = Request::post("/loki/api/v1/push").header("content-type", "application/json");
    let reply = house.send(request.body(Body::from(json!({"streams": streams}).to_string())).expect("a request")).await;
    assert_eq!(reply.status, 204, "{}", reply.text());
}

async fn get(house: &House, path: &str, query: &str, more: &str) -> Value {
    let uri = format!("/loki/api/v1/{path}?query={}&{RANGE}{more}", encoded(query));
    let reply = house.get(&uri).await;
    assert_eq!(reply.status, 200, "{uri}: {}", reply.text());
    let form = format!("query={}&{RANGE}{more}", encoded(query));
    let request =
        Request::post(format!("/loki/api/v1/{path}")).header("content-type", "application/x-www-form-urlencoded");
    let posted = house.send(request.body(Body::from(form)).expect("a request")).await;
    assert_eq!((posted.status, posted.json()), (200, reply.json()), "{path} by POST");
    reply.json()
}

#[tokio::test]
async fn volumes_are_the_bytes_of_the_lines_by_the_labels_asked_for() {
    let house = house().await;
    let volume = async |query: &str, more: &str| -> Vec<(Value, Value)> {
        let data = get(&house, "index/volume", query, more).await["data"].clone();
        assert_eq!(data["resultType"], "vector");
        let series = data["result"].as_array().expect("series").iter();
        series.map(|one| (one["metric"].clone(), one["value"].clone())).collect()
    };
    let sum = |bytes: &str| json!([1_795_176_000, bytes]);
    let of_selector = volume(r#"{app=~"shop|mail"}"#, "").await;
    assert_eq!(of_selector, [(json!({"app": "shop"}), sum("115")), (json!({"app": "mail"}), sum("13"))]);
    let by_target = volume(r#"{app=~".+"}"#, "&targetLabels=env").await;
    assert_eq!(by_target, [(json!({"env": "prod"}), sum("79")), (json!({"env": "test"}), sum("36"))]);
    let names = volume(r#"{app=~".+"}"#, "&targetLabels=app&aggregateBy=labels").await;
    assert_eq!(names, [(json!({"app": ""}), sum("128"))]);
    assert_eq!(volume(r#"{app=~".+"}"#, "&targetLabels=env,nosuch").await, []);
    assert_eq!(volume(r#"{app=~".+"}"#, "&targetLabels=app&limit=1").await.len(), 1);
    let steps = get(&house, "index/volume_range", r#"{env="test"}"#, "&step=60").await["data"]["result"].clone();
    let values = json!([[1_795_175_519.999, "18"], [1_795_175_579.999, "18"]]);
    assert_eq!(steps, json!([{"metric": {"env": "test"}, "values": values}]));
    let stats = get(&house, "index/stats", r#"{app="shop"}"#, "").await;
    assert_eq!((&stats["streams"], &stats["entries"], &stats["bytes"]), (&json!(2), &json!(4), &json!(115)));
}

#[tokio::test]
async fn fields_are_found_in_lines_with_types_cardinalities_and_parsers() {
    let house = house().await;
    let fields = get(&house, "detected_fields", r#"{app="shop"}"#, "").await;
    let of = |name: &str| {
        let all = fields["fields"].as_array().expect("fields");
        all.iter().find(|field| field["label"] == name).cloned().unwrap_or_default()
    };
    let expected =
        json!({"label": "user_id", "type": "int", "cardinality": 1, "parsers": ["json"], "jsonPath": ["user", "id"]});
    assert_eq!(of("user_id"), expected, "{fields}");
    assert_eq!((&of("took")["type"], &of("size")["type"]), (&json!("duration"), &json!("bytes")));
    assert_eq!(of("status"), json!({"label": "status", "type": "int", "cardinality": 2, "parsers": ["logfmt"]}));
    assert_eq!(of("inner")["jsonPath"], json!(["inner"]));
    assert_eq!((of("app"), of("env")), (Value::Null, Value::Null), "{fields}");
    let few = get(&house, "detected_fields", r#"{app="shop"} | logfmt | order > 1"#, "&limit=1&line_limit=1").await;
    assert_eq!((few["fields"].as_array().map(Vec::len), &few["limit"]), (Some(1), &json!(1)), "{few}");
    let values = async |name: &str| get(&house, &format!("detected_field/{name}/values"), r#"{app="shop"}"#, "").await;
    let sizes = values("size").await;
    assert_eq!((&sizes["values"][0], &sizes["limit"]), (&json!("117kB"), &json!(1000)));
    assert_eq!(values("user_id").await["values"], json!(["7"]));
    assert_eq!(values("nosuch").await, json!({}));
}

#[tokio::test]
async fn lookups_take_selectors_that_narrow_and_nothing_else() {
    let house = house().await;
    let refused = async |path: &str, query: &str| {
        let reply = house.get(&format!("/loki/api/v1/{path}?query={}&{RANGE}", encoded(query))).await;
        assert_eq!(reply.status, 400, "{path} {query}");
        reply.text()
    };
    for path in ["labels", "label/app/values", "index/volume", "index/volume_range", "index/stats", "detected_labels"] {
        assert!(refused(path, r#"{app="shop"} |= "x""#).await.contains("only label matchers are supported"), "{path}");
        assert!(refused(path, r#"{app=~".*"}"#).await.contains("queries require at least one"), "{path}");
        refused(path, "{").await;
    }
    assert!(refused("index/shards", r#"{app="shop"}"#).await.contains("targetBytesPerShard"));
    let uri = format!("/loki/api/v1/index/volume?query={}&{RANGE}&aggregateBy=x", encoded(r#"{app="shop"}"#));
    assert_eq!(house.get(&uri).await.status, 400);
    for more in ["limit=0", "limit=-1", "line_limit=0", "line_limit=10001"] {
        let uri = format!("/loki/api/v1/detected_fields?query={}&{RANGE}&{more}", encoded(r#"{app="shop"}"#));
        assert_eq!(house.get(&uri).await.status, 400, "{more}");
    }
    for more in ["limit=0", "limit=10001", "limit=x"] {
        let uri = format!("/loki/api/v1/query_range?query={}&{RANGE}&{more}", encoded(r#"{app="shop"}"#));
        assert_eq!(house.get(&uri).await.status, 400, "{more}");
    }
    let known = get(&house, "detected_labels", r#"{app=~".+"}"#, "").await;
    let cardinality = |name: &str| {
        let all = known["detectedLabels"].as_array().expect("labels").iter();
        all.clone().find(|one| one["label"] == name).map(|one| one["cardinality"].clone())
    };
    assert_eq!((cardinality("app"), cardinality("env")), (Some(json!(2)), Some(json!(2))), "{known}");
}

#[tokio::test]
async fn grafana_learns_what_the_server_can() {
    let house = house().await;
    let limits = house.get("/loki/api/v1/drilldown-limits").await.json();
    assert_eq!(
        (&limits["limits"]["volume_enabled"], &limits["pattern_ingester_enabled"]),
        (&json!(true), &json!(true))
    );
    assert!(house.get("/config").await.text().contains("\n    volume_enabled: true\n"));
    assert_eq!(house.get("/services").await.text(), "server => Running\n");
    let ring = house.get("/ring").await;
    assert_eq!((ring.status, ring.header("content-type")), (404, "text/plain; charset=utf-8"));
    let shards = get(&house, "index/shards", r#"{app="shop"}"#, "&targetBytesPerShard=1KB").await;
    assert_eq!(
        (shards["shards"].as_array().map(Vec::len), &shards["shards"][0]["stats"]["entries"]),
        (Some(1), &json!(4))
    );
    let old = house.get(&format!("/api/prom/label/env/values?{RANGE}")).await.json();
    assert_eq!(old["data"], json!(["prod", "test"]));
}

#[tokio::test]
async fn older_pushes_are_taken_and_empty_ones_refused() {
    let house = House::new();
    let send = async |path: &str, body: &str| {
        let request = Request::post(path).header("content-type", "application/json");
        house.send(request.body(Body::from(body.to_owned())).expect("a request")).await.status
    };
    let old =
        r#"{"streams":[{"labels":"{app=\"old\"}","entries":[{"ts":"2026-11-20T11:51:00Z","line":"of before"}]}]}"#;
    assert_eq!(send("/api/prom/push", old).await, 204);
    let bare = r#"{"streams":[{"stream":{"app":"old"},"values":[["1795175461000000000"]]}]}"#;
    assert_eq!(send("/loki/api/v1/push", bare).await, 204);
    let uri = format!("/loki/api/v1/query_range?query={}&{RANGE}&direction=forward", encoded(r#"{app="old"}"#));
    let found = house.get(&uri).await.json()["data"]["result"][0]["values"].clone();
    assert_eq!((found[0][1].as_str(), found[1][1].as_str()), (Some("of before"), Some("")), "{found}");
    assert_eq!(send("/loki/api/v1/push", "{}").await, 422);
    assert_eq!(send("/loki/api/v1/push", r#"{"streams":[{"stream":{"a-b":"x"},"values":[]}]}"#).await, 400);
}
