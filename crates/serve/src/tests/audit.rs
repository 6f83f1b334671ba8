//! `catat/audit` says what was done, and only the server writes it: no door takes an event for it, nothing deletes one.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{ADMIN_KEY, House, Reply};

/// Stands in what is sent here, and in nothing that the server writes down.
const FORGED: &str = "zq-forged";

impl House {
    /// Sends something with the admin key.
    async fn bring(&self, uri: &str, kind: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post(uri).header("x-catat-key", ADMIN_KEY).header("content-type", kind);
        self.send(request.body(body.into()).expect("a request")).await
    }

    async fn audit_rows(&self, query: &str) -> Value {
        let ask = json!({"query": query, "groups": ["catat/*"], "from": 0}).to_string();
        let found = self.administer("POST", "/api/v1/query", ask).await;
        assert_eq!(found.status, 200, "{}", found.text());
        found.json()["rows"].clone()
    }

    async fn n_forged(&self) -> Value {
        self.audit_rows(&format!("filter @any like \"{FORGED}\" | stats count(*)")).await[0][0].clone()
    }
}

/// What the answer says of an attempt to write there, at each door.
const REFUSED: &[(&str, &str, &str, u16, &str)] = &[
    ("/api/v1/ingest?group=catat%2Faudit", "application/json", r#"{"message":"zq-forged"}"#, 403, "group-out-of-scope"),
    ("/api/v1/ingest?group=catat%2Faudit&format=text", "text/plain", "zq-forged\n", 403, "group-out-of-scope"),
    (
        "/elasticsearch/_bulk",
        "application/x-ndjson",
        "{\"create\":{\"_index\":\"catat/audit\"}}\n{\"message\":\"zq-forged\"}\n",
        200,
        "\"status\":403",
    ),
    (
        "/elasticsearch/catat%2Faudit/_bulk",
        "application/x-ndjson",
        "{\"create\":{}}\n{\"message\":\"zq-forged\"}\n",
        200,
        "\"status\":403",
    ),
    ("/elasticsearch/catat%2Faudit/_doc", "application/json", r#"{"message":"zq-forged"}"#, 403, "catat/audit"),
    (
        "/loki/api/v1/push",
        "application/json",
        r#"{"streams":[{"stream":{"group":"catat/audit"},"values":[["1795175700000000000","zq-forged"]]}]}"#,
        403,
        "catat/audit",
    ),
    (
        "/v1/logs",
        "application/json",
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"catat/audit"}}]},
            "scopeLogs":[{"logRecords":[{"body":{"stringValue":"zq-forged"}}]}]}]}"#,
        403,
        "catat/audit",
    ),
    (
        "/services/collector/event",
        "application/json",
        r#"{"index":"catat/audit","event":"zq-forged"}"#,
        400,
        "Incorrect index",
    ),
    ("/services/collector/raw?channel=1&index=catat%2Faudit", "text/plain", "zq-forged\n", 400, "Incorrect index"),
];

#[tokio::test]
async fn no_door_takes_an_event_for_it() {
    let house = House::new();
    for (uri, kind, body, status, said) in REFUSED {
        let reply = house.bring(uri, kind, *body).await;
        assert_eq!((reply.status, reply.text().contains(said)), (*status, true), "{uri}: {}", reply.text());
        assert_eq!(house.n_forged().await, 0, "{uri}");
    }
    let target = |operation: &str| format!("Logs_20140328.{operation}");
    let events = json!({"logGroupName": "catat/audit", "logStreamName": "s", "logEvents": [
        {"timestamp": super::now().0 / 1_000_000, "message": FORGED},
    ]});
    for (operation, input) in [
        ("CreateLogGroup", json!({"logGroupName": "catat/audit"})),
        ("CreateLogStream", json!({"logGroupName": "catat/audit", "logStreamName": "s"})),
        ("PutLogEvents", events),
    ] {
        let request = Request::post("/cloudwatch").header("x-amz-target", target(operation));
        let request = request.header("x-catat-key", ADMIN_KEY).body(Body::from(input.to_string()));
        let reply = house.send(request.expect("a request")).await;
        assert_eq!(reply.json()["__type"], "AccessDeniedException", "{operation}: {}", reply.text());
    }
    assert_eq!(house.n_forged().await, 0);
}

#[tokio::test]
async fn nothing_deletes_an_event_of_it() {
    let house = House::new();
    house.key("read", &["*"]).await;
    let before = house.audit_rows("stats count(*)").await;
    assert_ne!(before, json!([[0]]), "a key was made");
    let path = "/api/v1/groups/catat%2Faudit";
    let all = json!({"query": "", "all_time": true}).to_string();
    let limits = |limits: Value| json!({ "retention": limits }).to_string();
    for (method, uri, body) in [
        ("DELETE", path.to_owned(), String::new()),
        ("POST", format!("{path}/delete-events"), all),
        ("PUT", path.to_owned(), limits(json!({"age": "1s"}))),
        ("PUT", path.to_owned(), limits(json!({"size": "1kB"}))),
    ] {
        let reply = house.administer(method, &uri, body).await;
        let code = reply.json()["error"]["code"].clone();
        assert_eq!((reply.status, code.as_str()), (403, Some("group-reserved")), "{method} {uri}: {}", reply.text());
    }
    let name = "catat/audit";
    for (operation, input) in [
        ("DeleteLogGroup", json!({"logGroupName": name})),
        ("PutRetentionPolicy", json!({"logGroupName": name, "retentionInDays": 1})),
        ("DeleteLogStream", json!({"logGroupName": name, "logStreamName": "s"})),
    ] {
        let input = input.to_string();
        let request = Request::post("/cloudwatch").header("x-amz-target", format!("Logs_20140328.{operation}"));
        let request = request.header("x-catat-key", ADMIN_KEY).body(Body::from(input)).expect("a request");
        assert_eq!(house.send(request).await.json()["__type"], "AccessDeniedException", "{operation}");
    }
    let kept = house.administer("PUT", path, limits(json!({"age": "90d"}))).await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    // Setting its limits was written down there as well.
    assert_eq!(house.audit_rows("stats count(*)").await[0][0].as_u64(), before[0][0].as_u64().map(|n| n + 1));
}

#[tokio::test]
async fn what_clients_of_cloudwatch_set_up_and_what_is_put_beside_queries_is_there() {
    let house = House::new();
    let pay = |more: Value| {
        let mut input = json!({"logGroupName": "/ecs/pay"});
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        input
    };
    house.operation("CreateLogGroup", pay(json!({}))).await;
    let transformation = json!([{"metricName": "errors", "metricNamespace": "shop", "metricValue": "1"}]);
    let filter =
        pay(json!({"filterName": "errors", "filterPattern": "ERROR", "metricTransformations": transformation}));
    assert_eq!(house.operation("PutMetricFilter", filter).await.status, 200);
    house.operation("DescribeMetricFilters", pay(json!({}))).await;
    assert_eq!(house.operation("DeleteMetricFilter", pay(json!({"filterName": "errors"}))).await.status, 200);
    house.operation("DeleteMetricFilter", pay(json!({"filterName": "none"}))).await;
    assert_eq!(house.administer("PUT", "/api/v1/lookups/words", "name,meaning\na,b\n").await.status, 200);
    assert_eq!(house.administer("DELETE", "/api/v1/lookups/words", "").await.status, 200);
    assert_eq!(house.administer("POST", "/api/v1/status/reload", "").await.status, 200);
    let rows = house
        .audit_rows(
            "filter operation like /MetricFilter/ | fields operation, filterName | sort @timestamp, operation desc",
        )
        .await;
    assert_eq!(rows, json!([["PutMetricFilter", "errors"], ["DeleteMetricFilter", "errors"]]));
    let rows =
        house.audit_rows("filter action like /^(lookup|settings)/ | stats count(*) by action | sort action").await;
    assert_eq!(rows, json!([["lookup table put", 1], ["lookup table removed", 1], ["settings reloaded", 1]]));
}
