//! CloudWatch's live tail, its written-down queries, and the test of filter patterns.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use super::House;
use super::cloudwatch::{NOW_MS, error};

/// Returns the kind and the payload of a message.
fn read_message(bytes: &[u8]) -> (String, Value) {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let (n_bytes, n_of_headers) = (number(0), number(4));
    assert_eq!(n_bytes, bytes.len(), "a message a piece");
    let headers = String::from_utf8_lossy(&bytes[12..12 + n_of_headers]).into_owned();
    let kinds = ["initial-response", "sessionStart", "sessionUpdate"];
    let kind = kinds.into_iter().find(|kind| headers.contains(kind)).expect("a known kind");
    let payload = serde_json::from_slice(&bytes[12 + n_of_headers..n_bytes - 4]).expect("JSON");
    (kind.to_owned(), payload)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_tail_tells_what_comes_and_matches() {
    let house = House::new();
    house.make_stream().await;
    let input = json!({"logGroupIdentifiers": ["arn:aws:logs:eu-west-1:000000000000:log-group:/ecs/pay"],
        "logEventFilterPattern": "ERROR", "logStreamNamePrefixes": ["web/", "x"]});
    let request = Request::post("/cloudwatch").header("x-amz-target", "Logs_20140328.StartLiveTail");
    let response = house.start(request.body(Body::from(input.to_string())).expect("a request")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/vnd.amazon.eventstream");
    let events = ["ERROR one", "INFO two", "ERROR three"];
    let events: Vec<Value> = events.iter().map(|text| json!({"timestamp": NOW_MS - 1000, "message": text})).collect();
    let put = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "logEvents": events});
    assert_eq!(house.operation("PutLogEvents", put).await.status, 200);
    let mut pieces = response.into_body().into_data_stream();
    let mut next = async || read_message(&pieces.next().await.expect("a piece").expect("no error"));
    assert_eq!(next().await, ("initial-response".to_owned(), json!({})));
    let (kind, start) = next().await;
    assert_eq!((kind.as_str(), &start["logEventFilterPattern"]), ("sessionStart", &json!("ERROR")));
    let (kind, update) = next().await;
    let found = update["sessionResults"].as_array().expect("events");
    assert_eq!(
        (kind.as_str(), found.len(), &update["sessionMetadata"]),
        ("sessionUpdate", 2, &json!({"sampled": false}))
    );
    let expected = json!({"logGroupIdentifier": "000000000000:/ecs/pay", "logStreamName": "web/1",
        "message": "ERROR one", "timestamp": NOW_MS - 1000, "ingestionTime": NOW_MS});
    assert_eq!(found[0], expected);
    // An update comes also where nothing happened, and the server's end is that of the session.
    assert_eq!(next().await.1["sessionResults"], json!([]));
    house.closing.send(true).expect("the server listens");
    while pieces.next().await.is_some() {}

    let refused = async |more: Value| error(&house.operation("StartLiveTail", more).await).1;
    let parameter = "InvalidParameterException";
    assert_eq!(refused(json!({"logGroupIdentifiers": []})).await, parameter);
    let two = json!({"logGroupIdentifiers": ["/ecs/pay", "/ecs/pay"], "logStreamNames": ["a"]});
    assert_eq!(refused(two).await, parameter);
    let bad = json!({"logGroupIdentifiers": ["/ecs/pay"], "logEventFilterPattern": "{ $.a"});
    assert_eq!(refused(bad).await, parameter);
    assert_eq!(refused(json!({"logGroupIdentifiers": ["nowhere"]})).await, "ResourceNotFoundException");
    let (_, key) = house.key("read", &["web/*"]).await;
    let denied = house.operation_of(&key, "StartLiveTail", json!({"logGroupIdentifiers": ["/ecs/pay"]})).await;
    assert_eq!(error(&denied).1, "AccessDeniedException");
}

#[tokio::test]
async fn queries_are_written_down_changed_listed_and_removed() {
    let house = House::new();
    let put = async |input: Value| house.operation("PutQueryDefinition", input).await;
    let made =
        put(json!({"name": "a/errors", "queryString": "filter @level = 'error'", "logGroupNames": ["web/access"]}));
    let id = made.await.json()["queryDefinitionId"].clone();
    let parameters = json!([{"name": "service", "defaultValue": "web"}]);
    let other = put(json!({"name": "b", "queryString": "stats count(*)", "parameters": parameters})).await;
    assert_eq!(other.status, 200, "{}", other.text());
    let changed = put(json!({"name": "a/warnings", "queryString": "filter @level = 'warn'", "queryDefinitionId": id}));
    assert_eq!(changed.await.json()["queryDefinitionId"], id);
    let list = async |input: Value| house.operation("DescribeQueryDefinitions", input).await.json();
    let all = list(json!({})).await;
    let first = &all["queryDefinitions"][0];
    assert_eq!(
        (&first["name"], &first["logGroupNames"], &first["lastModified"]),
        (&json!("a/warnings"), &json!([]), &json!(NOW_MS))
    );
    assert_eq!(all["queryDefinitions"][1]["parameters"], parameters);
    let page = list(json!({"maxResults": 1})).await;
    let next = list(json!({"maxResults": 1, "nextToken": page["nextToken"]})).await;
    assert_eq!((&next["queryDefinitions"][0]["name"], &next["nextToken"]), (&json!("b"), &Value::Null));
    let prefixed = list(json!({"queryDefinitionNamePrefix": "b"})).await;
    assert_eq!(prefixed["queryDefinitions"].as_array().map(Vec::len), Some(1));

    let delete = async || house.operation("DeleteQueryDefinition", json!({"queryDefinitionId": id})).await;
    assert_eq!(delete().await.json(), json!({"success": true}));
    assert_eq!(error(&delete().await).1, "ResourceNotFoundException");
    let gone = json!({"name": "x", "queryString": "x", "queryDefinitionId": id});
    assert_eq!(error(&put(gone).await).1, "ResourceNotFoundException");
    assert_eq!(error(&put(json!({"name": "", "queryString": "x"})).await).1, "InvalidParameterException");
    let of_web = json!({"name": "web", "queryString": "x", "logGroupNames": ["web/access"]});
    assert_eq!(put(of_web.clone()).await.status, 200);
    let (_, reader) = house.key("read", &["db"]).await;
    assert_eq!(
        error(&house.operation_of(&reader, "PutQueryDefinition", of_web.clone()).await).1,
        "AccessDeniedException"
    );
    let seen = house.operation_of(&reader, "DescribeQueryDefinitions", json!({})).await.json();
    assert_eq!(seen["queryDefinitions"][0]["name"], "b");
    assert_eq!(seen["queryDefinitions"].as_array().map(Vec::len), Some(1), "{seen}");
    let (_, operator) = house.key("operate", &["db"]).await;
    assert_eq!(error(&house.operation_of(&operator, "PutQueryDefinition", of_web).await).1, "AccessDeniedException");
}

#[tokio::test]
async fn a_pattern_is_tested_on_texts() {
    let house = House::new();
    let test = async |pattern: &str, texts: Value| {
        house.operation("TestMetricFilter", json!({"filterPattern": pattern, "logEventMessages": texts})).await
    };
    let texts = json!([r#"{"status":503,"path":"/a"}"#, r#"{"status":200,"path":"/b"}"#, "ERROR plain"]);
    let of_json = test("{ $.status >= 500 && $.path = * }", texts.clone()).await.json();
    let expected = json!({"matches": [{"eventNumber": 0, "eventMessage": r#"{"status":503,"path":"/a"}"#,
        "extractedValues": {"$.status": "503", "$.path": "/a"}}]});
    assert_eq!(of_json, expected);
    let of_words = test("ERROR", texts.clone()).await.json();
    assert_eq!(of_words["matches"], json!([{"eventNumber": 2, "eventMessage": "ERROR plain", "extractedValues": {}}]));
    let all = test("", texts).await.json();
    assert_eq!(all["matches"].as_array().map(Vec::len), Some(3));
    let of_columns = test("[ip, size > 100]", json!(["10.0.0.1 1534", "10.0.0.2 20"])).await.json();
    let values = json!({"$ip": "10.0.0.1", "$size": "1534"});
    assert_eq!(of_columns["matches"][0]["extractedValues"], values, "{of_columns}");
    assert_eq!(of_columns["matches"].as_array().map(Vec::len), Some(1));
    assert_eq!(error(&test("{ $.a", json!(["x"])).await).1, "InvalidParameterException");
    assert_eq!(error(&test("a", json!([])).await).1, "InvalidParameterException");
}

#[tokio::test]
async fn metric_filters_count_what_comes_after_them_also_across_a_restart() {
    let house = House::new();
    house.make_stream().await;
    let send = async |house: &House, texts: &[&str]| {
        let events: Vec<Value> =
            texts.iter().map(|text| json!({"timestamp": NOW_MS - 1000, "message": text})).collect();
        let put = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "logEvents": events});
        assert_eq!(house.operation("PutLogEvents", put).await.status, 200);
    };
    send(&house, &[r#"{"status":500,"ms":1000}"#]).await;
    let put = async |name: &str, pattern: &str, value: &str| {
        let transformation = json!({"metricName": name, "metricNamespace": "pay", "metricValue": value});
        let input = json!({"logGroupName": "/ecs/pay", "filterName": name, "filterPattern": pattern,
            "metricTransformations": [transformation]});
        house.operation("PutMetricFilter", input).await
    };
    for (name, pattern, value) in [("failures", "{ $.status >= 500 }", "1"), ("spent", "{ $.ms = * }", "$.ms")] {
        let made = put(name, pattern, value).await;
        assert_eq!((made.status, made.text()), (200, String::new()));
    }
    let counts = async |house: &House| {
        let page = house.administer("GET", "/metrics", "").await.text();
        let numbers = page.lines().filter(|line| line.starts_with("catat_metric_filter_"));
        numbers.filter_map(|line| Some(line.rsplit_once(' ')?.1.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(counts(&house).await, ["0", "0", "0", "0"]);
    send(&house, &[r#"{"status":503,"ms":20}"#, r#"{"status":200,"ms":2.5}"#, "plain"]).await;
    // Events of both filters, then their values.
    assert_eq!(counts(&house).await, ["1", "2", "1", "22.5"]);
    assert_eq!(counts(&house).await, ["1", "2", "1", "22.5"]);
    house.store.flush().expect("it flushes");
    let house = house.restarted();
    assert_eq!(counts(&house).await, ["1", "2", "1", "22.5"]);
    send(&house, &[r#"{"status":504}"#]).await;
    assert_eq!(counts(&house).await, ["2", "2", "2", "22.5"]);

    let described = house.operation("DescribeMetricFilters", json!({"metricName": "spent"})).await.json();
    let filter = &described["metricFilters"][0];
    assert_eq!(
        (&filter["filterPattern"], &filter["metricTransformations"][0]["metricValue"]),
        (&json!("{ $.ms = * }"), &json!("$.ms"))
    );
    assert_eq!(described["metricFilters"].as_array().map(Vec::len), Some(1));
    let groups = house.operation("DescribeLogGroups", json!({})).await.json();
    assert_eq!(groups["logGroups"][0]["metricFilterCount"], 2);
    let parameter = "InvalidParameterException";
    assert_eq!(error(&put("bad", "{ $.a", "1").await).1, parameter);
    assert_eq!(error(&put("a:b", "", "1").await).1, parameter);
    assert_eq!(error(&put("bad", "", "many").await).1, parameter);
    let delete = async || {
        let input = json!({"logGroupName": "/ecs/pay", "filterName": "spent"});
        house.operation("DeleteMetricFilter", input).await
    };
    assert_eq!(delete().await.status, 200);
    assert_eq!(error(&delete().await).1, "ResourceNotFoundException");
    let (_, reader) = house.key("read", &["web/*"]).await;
    let seen = house.operation_of(&reader, "DescribeMetricFilters", json!({})).await.json();
    assert_eq!(seen, json!({"metricFilters": []}));
}
