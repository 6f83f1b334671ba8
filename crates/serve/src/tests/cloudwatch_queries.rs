//! CloudWatch's queries: started, asked for, stopped; whose they are; and what data sources ask before that.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::cloudwatch::error;
use super::{House, Reply};

/// Noon in seconds, when it is in tests.
const NOW_S: i64 = 1_795_176_000;

/// What Grafana's data source puts before every query.
const GRAFANA: &str =
    "fields @timestamp,ltrim(@log) as __log__grafana_internal__,ltrim(@logStream) as __logstream__grafana_internal__|";

impl House {
    /// Asks with a key.
    pub(super) async fn operation_of(&self, key: &str, operation: &str, input: Value) -> Reply {
        let request = Request::post("/cloudwatch").header("x-amz-target", format!("Logs_20140328.{operation}"));
        let request = request.header("x-catat-key", key).body(Body::from(input.to_string()));
        self.send(request.expect("a request")).await
    }

    /// Returns the results of a query, once it has ended.
    async fn results(&self, id: &Value) -> Value {
        loop {
            let reply = self.operation("GetQueryResults", json!({"queryId": id})).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            if reply.json()["status"] != "Running" {
                return reply.json();
            }
            tokio::task::yield_now().await;
        }
    }

    async fn asked(&self, groups: &[&str], query: &str) -> Value {
        let started = self.operation("StartQuery", start(groups, query)).await;
        assert_eq!(started.status, 200, "{}", started.text());
        self.results(&started.json()["queryId"]).await
    }
}

fn start(groups: &[&str], query: &str) -> Value {
    json!({"logGroupNames": groups, "queryString": query, "startTime": NOW_S - 3600, "endTime": NOW_S})
}

/// Rows as `name=text`.
fn rows(answer: &Value) -> Vec<Vec<String>> {
    let cell = |cell: &Value| {
        let text = |name: &str| cell[name].as_str().expect("a text").to_owned();
        format!("{}={}", text("field"), text("value"))
    };
    let row = |row: &Value| row.as_array().expect("a row").iter().map(cell).collect();
    answer["results"].as_array().expect("rows").iter().map(row).collect()
}

#[tokio::test]
async fn a_query_is_started_and_its_results_are_fetched() {
    let house = House::new();
    house.fill().await;
    let answer = house.asked(&["web/access"], "filter @level = 'error' | fields @timestamp, ms, nothing").await;
    assert_eq!(answer["status"], "Complete", "{answer}");
    let found = rows(&answer);
    assert_eq!(found[0][..2], ["@timestamp=2026-11-20 11:53:30.000", "ms=41"]);
    assert!(found[0][2].starts_with("@ptr=") && found[0].len() == 3 && found.len() == 2, "{found:?}");
    let statistics = &answer["statistics"];
    assert_eq!((&statistics["recordsMatched"], &statistics["logGroupsScanned"]), (&json!(2.0), &json!(1.0)));
    assert!(statistics["bytesScanned"].as_f64() > Some(0.0), "events in memory are scanned too: {statistics}");
    let grouped = house.asked(&["web/access", "db"], "stats count(*), avg(ms) as a by bin(5m)").await;
    let expected = [["bin(5m)=2026-11-20 11:50:00.000", "count(*)=4", "a=31"]];
    assert_eq!(rows(&grouped)[0], expected[0], "{grouped}");
    assert_eq!(rows(&grouped)[1], ["bin(5m)=2026-11-20 11:55:00.000", "count(*)=1"]);
    // An event at the very end belongs to the range, which may be given in milliseconds.
    let mut at_end = start(&["db"], "stats count(*)");
    (at_end["startTime"], at_end["endTime"]) = (json!((NOW_S - 360) * 1000), json!((NOW_S - 300) * 1000));
    let id = house.operation("StartQuery", at_end).await.json()["queryId"].clone();
    assert_eq!(rows(&house.results(&id).await), [["count(*)=2"]]);
}

#[tokio::test]
async fn queries_run_as_grafana_rewrites_them() {
    let house = House::new();
    house.fill().await;
    let ask = async |query: &str| rows(&house.asked(&["web/access"], &format!("{GRAFANA}{query}")).await);
    let found = ask("fields @message | sort @timestamp asc | limit 1").await;
    let expected = [
        "@timestamp=2026-11-20 11:51:00.000",
        "__log__grafana_internal__=web/access",
        "__logstream__grafana_internal__=web-1",
        "@message=",
    ];
    for (cell, start) in found[0].iter().zip(expected) {
        assert!(cell.starts_with(start), "{found:?}");
    }
    assert_eq!(ask("stats count(*) by bin(5m)").await, [["bin(5m)=2026-11-20 11:50:00.000", "count(*)=3"]]);
    let by_service = ask("filter ms > 12 | stats max(ms) as worst by service | sort service").await;
    assert_eq!(by_service, [["service=api", "worst=41"], ["service=web", "worst=40"]]);
    let shown = ask("parse @message 'GET *' as path | display path, ms | sort ms desc | limit 1").await;
    assert_eq!(shown[0][1], "ms=41", "{shown:?}");
}

#[tokio::test]
async fn long_answers_come_page_by_page_and_queries_are_listed() {
    let house = House::new();
    house.fill().await;
    let mut order = start(&["web/access"], "fields @message");
    order["limit"] = 3.into();
    let id = house.operation("StartQuery", order).await.json()["queryId"].clone();
    house.results(&id).await;
    let page = async |token: &Value| {
        house.operation("GetQueryResults", json!({"queryId": id, "maxItems": 2, "nextToken": token})).await.json()
    };
    let first = page(&Value::Null).await;
    assert_eq!((rows(&first).len(), first["statistics"]["resultCount"].as_f64()), (2, Some(3.0)));
    let second = page(&first["nextToken"]).await;
    assert_eq!((rows(&second).len(), &second["nextToken"]), (1, &Value::Null));
    let bad = house.operation("GetQueryResults", json!({"queryId": id, "nextToken": "?"})).await;
    assert_eq!(error(&bad).1, "InvalidParameterException");
    house.asked(&["db"], "fields @message").await;
    let listed = house.operation("DescribeQueries", json!({"logGroupName": "web/access"})).await.json();
    let queries = listed["queries"].as_array().expect("queries");
    assert_eq!((queries.len(), &queries[0]["queryId"], &queries[0]["status"]), (1, &id, &json!("Complete")));
    let pages = house.operation("DescribeQueries", json!({"maxResults": 1})).await.json();
    assert_eq!(pages["queries"][0]["logGroupName"], "db");
    let rest = house.operation("DescribeQueries", json!({"maxResults": 1, "nextToken": pages["nextToken"]})).await;
    assert_eq!((&rest.json()["queries"][0]["queryId"], &rest.json()["nextToken"]), (&id, &Value::Null));
    let running = house.operation("DescribeQueries", json!({"status": "Running"})).await.json();
    assert_eq!(running, json!({"queries": []}));
}

#[tokio::test]
async fn what_is_wrong_is_said_as_amazon_says_it() {
    let house = House::new();
    house.fill().await;
    let bad = house.operation("StartQuery", start(&["db"], "fields a\n| statz count(*)")).await;
    assert_eq!(error(&bad), (400, "MalformedQueryException".into()));
    let place = &bad.json()["queryCompileError"];
    assert_eq!(place["location"], json!({"startCharOffset": 11, "endCharOffset": 16}), "{}", bad.text());
    assert!(place["message"].as_str().is_some_and(|text| text.contains("stats")), "{place}");
    for words in ["connection refused", "\"connection refused\"", "/refused/"] {
        let plain = house.operation("StartQuery", start(&["db"], words)).await;
        assert_eq!(error(&plain), (400, "MalformedQueryException".into()), "{words}");
    }
    let missing = house.operation("StartQuery", start(&["db", "nowhere"], "")).await;
    assert_eq!(error(&missing).1, "ResourceNotFoundException");
    let wrong = [
        json!({"queryString": "", "startTime": 0, "endTime": 1}),
        json!({"queryString": "", "startTime": 0, "endTime": 1, "logGroupName": "db", "logGroupNames": ["db"]}),
        json!({"queryString": "", "startTime": 2, "endTime": 1, "logGroupName": "db"}),
        json!({"queryString": "", "startTime": -2, "endTime": 1, "logGroupName": "db"}),
        json!({"queryString": "", "startTime": 0, "logGroupName": "db"}),
        json!({"startTime": 0, "endTime": 1, "logGroupName": "db"}),
        json!({"queryString": "", "startTime": 0, "endTime": 1, "logGroupName": "db", "limit": 100_001}),
        json!({"queryString": "", "startTime": 0, "endTime": 1, "logGroupName": "db", "queryLanguage": "SQL"}),
    ];
    for order in wrong {
        let refused = house.operation("StartQuery", order.clone()).await;
        assert_eq!(error(&refused).1, "InvalidParameterException", "{order}");
    }
    for operation in ["GetQueryResults", "StopQuery"] {
        let refused = house.operation(operation, json!({"queryId": "none"})).await;
        assert_eq!(error(&refused).1, "ResourceNotFoundException");
    }
    // The query may name its groups itself, and a group may be named as everything of Amazon's.
    let own = json!({"queryString": "source 'web/*' | stats count(*)", "startTime": 0, "endTime": NOW_S});
    let id = house.operation("StartQuery", own).await.json()["queryId"].clone();
    assert_eq!(rows(&house.results(&id).await), [["count(*)=3"]]);
    let arn = "arn:aws:logs:eu-west-1:000000000000:log-group:db:*";
    let by_arn =
        json!({"queryString": "stats count(*)", "startTime": 0, "endTime": NOW_S, "logGroupIdentifiers": [arn]});
    let id = house.operation("StartQuery", by_arn).await.json()["queryId"].clone();
    assert_eq!(rows(&house.results(&id).await), [["count(*)=2"]]);
}

#[tokio::test]
async fn a_query_that_runs_can_be_stopped_once_and_ends_with_the_server() {
    let house = House::new();
    house.fill().await;
    let places = house.server.reads.quick.enter_weighing(u32::MAX).await;
    let begin =
        async || house.operation("StartQuery", start(&["db"], "fields @message")).await.json()["queryId"].clone();
    let (first, second) = (begin().await, begin().await);
    let running = house.operation("GetQueryResults", json!({"queryId": first})).await.json();
    assert_eq!((&running["status"], &running["results"]), (&json!("Running"), &json!([])));
    assert!(running["statistics"]["recordsScanned"].is_number());
    let stopped = house.operation("StopQuery", json!({"queryId": first})).await;
    assert_eq!(stopped.json(), json!({"success": true}));
    assert_eq!(house.results(&first).await["status"], "Cancelled");
    let again = house.operation("StopQuery", json!({"queryId": first})).await;
    assert_eq!(error(&again).1, "InvalidParameterException");
    house.closing.send(true).expect("the server listens");
    assert_eq!(house.results(&second).await["status"], "Failed");
    drop(places);
}

#[tokio::test]
async fn a_query_belongs_to_its_key_and_sees_only_its_groups() {
    let house = House::new();
    house.fill().await;
    let (_, web) = house.key("read", &["web/*"]).await;
    let (_, other) = house.key("read", &["*"]).await;
    let (_, sender) = house.key("ingest", &["*"]).await;
    let denied = house.operation_of(&web, "StartQuery", start(&["db"], "")).await;
    assert_eq!(error(&denied).1, "AccessDeniedException");
    let denied = house.operation_of(&sender, "StartQuery", start(&["db"], "")).await;
    assert_eq!(error(&denied).1, "AccessDeniedException");
    let all = json!({"queryString": "source '*' | stats count(*) by @log", "startTime": 0, "endTime": NOW_S});
    let id = house.operation_of(&web, "StartQuery", all).await.json()["queryId"].clone();
    let own = loop {
        let reply = house.operation_of(&web, "GetQueryResults", json!({"queryId": id})).await.json();
        if reply["status"] != "Running" {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(rows(&own), [["@log=web/access", "count(*)=3"]]);
    for operation in ["GetQueryResults", "StopQuery"] {
        let refused = house.operation_of(&other, operation, json!({"queryId": id})).await;
        assert_eq!(error(&refused).1, "ResourceNotFoundException");
    }
    let listed = house.operation_of(&other, "DescribeQueries", json!({})).await.json();
    assert_eq!(listed, json!({"queries": []}));
    assert_eq!(error(&house.operation_of(&sender, "DescribeQueries", json!({})).await).1, "AccessDeniedException");
}

#[tokio::test]
async fn metrics_are_none_in_all_three_forms() {
    let house = House::new();
    let ask = async |house: &House, path: &str, name: &str, value: &str, body: &[u8]| {
        let request = Request::post(path).header(name, value).body(Body::from(body.to_vec()));
        house.send(request.expect("a request")).await
    };
    let cbor = "/cloudwatch/service/GraniteServiceVersion20100801/operation/ListMetrics";
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let json_target = "GraniteServiceVersion20100801.ListMetrics";
    let listed = ask(&house, cbor, "smithy-protocol", "rpc-v2-cbor", b"\xa0").await;
    assert_eq!((listed.status, listed.header("smithy-protocol")), (200, "rpc-v2-cbor"));
    assert_eq!(listed.body, b"\xa1\x67Metrics\x80");
    let listed = ask(&house, "/cloudwatch/", "x-amz-target", json_target, b"{}").await;
    assert_eq!((listed.status, listed.json()), (200, json!({"Metrics": []})));
    let listed = ask(&house, "/", "x-amz-target", json_target, b"{}").await;
    assert_eq!((listed.status, listed.json()), (200, json!({"Metrics": []})));
    let listed = ask(&house, "/cloudwatch", "content-type", form, b"Version=2010-08-01&Action=ListMetrics").await;
    assert!(listed.status == 200 && listed.text().contains("<ListMetricsResult><Metrics/>"), "{}", listed.text());

    let broken = ask(&house, cbor, "smithy-protocol", "rpc-v2-cbor", b"\x00").await;
    assert!(broken.status == 400 && broken.text().contains("SerializationException"), "{}", broken.text());

    let unknown = ask(&house, &cbor.replace("List", "Put"), "smithy-protocol", "rpc-v2-cbor", b"").await;
    assert!(unknown.status == 400 && unknown.text().contains("UnknownOperationException"), "{}", unknown.text());
    let unknown = ask(&house, "/cloudwatch", "content-type", form, b"Action=<b>").await;
    assert!(unknown.text().contains("<Code>InvalidAction</Code>") && unknown.text().contains("&lt;b&gt;"));
    let (_, key) = house.key("ingest", &["*"]).await;
    let refused = ask(&house, cbor, "smithy-protocol", "rpc-v2-cbor", b"").await;
    assert!(refused.status == 400 && refused.text().contains("MissingAuthenticationToken"), "{}", refused.text());
    let refused = ask(&house, cbor, "x-catat-key", &key, b"").await;
    assert!(refused.text().contains("AccessDeniedException"), "{}", refused.text());
}
