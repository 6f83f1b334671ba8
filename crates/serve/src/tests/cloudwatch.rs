//! CloudWatch's senders: operations, their errors, signatures, and who may do what.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::signing::signed;
use super::{ADMIN_KEY, House, Reply};

/// Noon, when it is in tests.
pub(super) const NOW_MS: i64 = 1_795_176_000_000;

fn request(path: &str, operation: &str) -> axum::http::request::Builder {
    Request::post(path).header("x-amz-target", format!("Logs_20140328.{operation}"))
}

impl House {
    /// Asks as somebody on loopback.
    pub(super) async fn operation(&self, operation: &str, input: Value) -> Reply {
        let request = request("/cloudwatch", operation);
        self.send(request.body(Body::from(input.to_string())).expect("a request")).await
    }

    /// Asks with the admin key.
    async fn admin_operation(&self, operation: &str, input: Value) -> Reply {
        let request = request("/cloudwatch/", operation).header("x-catat-key", ADMIN_KEY);
        self.send(request.body(Body::from(input.to_string())).expect("a request")).await
    }

    /// Asks with a signature.
    pub(super) async fn signed_operation(&self, pair: (&str, &str), operation: &str, input: &Value) -> Reply {
        let body = input.to_string();
        let mut request = Request::post("/cloudwatch/").body(Body::from(body.clone())).expect("a request");
        *request.headers_mut() = signed(pair.0, pair.1, operation, body.as_bytes());
        self.send(request).await
    }

    pub(super) async fn make_stream(&self) {
        assert_eq!(self.operation("CreateLogGroup", json!({"logGroupName": "/ecs/pay"})).await.status, 200);
        let stream = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1"});
        let made = self.operation("CreateLogStream", stream).await;
        assert_eq!((made.status, made.text()), (200, String::new()));
    }
}

fn events(texts: &[&str]) -> Value {
    let events: Vec<Value> = texts.iter().map(|text| json!({"timestamp": NOW_MS - 1000, "message": text})).collect();
    json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "logEvents": events})
}

pub(super) fn error(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.header("x-amzn-errortype"), reply.json()["__type"], "{}", reply.text());
    assert_eq!(reply.header("content-type"), "application/x-amz-json-1.1");
    (reply.status, reply.json()["__type"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn agents_are_told_what_is_missing_make_it_and_send() {
    let house = House::new();
    let missing = |reply: &Reply| assert_eq!(error(reply), (400, "ResourceNotFoundException".into()));
    let refused = house.operation("PutLogEvents", events(&["a"])).await;
    missing(&refused);
    assert!(refused.text().contains("log group does not exist"));
    let stream = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1"});
    missing(&house.operation("CreateLogStream", stream.clone()).await);
    assert_eq!(house.operation("CreateLogGroup", json!({"logGroupName": "/ecs/pay"})).await.status, 200);
    let refused = house.operation("PutLogEvents", events(&["a"])).await;
    missing(&refused);
    assert!(refused.text().contains("log stream does not exist"));
    assert_eq!(house.operation("CreateLogStream", stream.clone()).await.status, 200);
    let exists = house.operation("CreateLogStream", stream).await;
    assert_eq!(error(&exists), (400, "ResourceAlreadyExistsException".into()));

    let metric = r#"{"_aws":{"CloudWatchMetrics":[{"Namespace":"n"}]},"latency":12}"#;
    let put = house.operation("PutLogEvents", events(&["GET /a 200", metric])).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(put.json()["nextSequenceToken"].is_string() && put.json()["rejectedLogEventsInfo"].is_null());
    assert_eq!(put.header("x-amzn-requestid").len(), 36);
    let query = r#"{"query":"filter latency = 12 | fields @log, @logStream, @message","from":"now-1h"}"#;
    let found = house.post("/api/v1/query", query).await;
    assert!(found.text().contains("/ecs/pay") && found.text().contains("web/1"), "{}", found.text());
}

#[tokio::test]
async fn streams_of_other_doors_take_events_too() {
    let house = House::new();
    house.fill().await;
    let put = |stream: &str| {
        json!({"logGroupName": "web/access", "logStreamName": stream,
        "logEvents": [{"timestamp": NOW_MS, "message": "x"}]})
    };
    assert_eq!(house.operation("PutLogEvents", put("web-1")).await.status, 200);
    assert_eq!(error(&house.operation("PutLogEvents", put("web-2")).await).1, "ResourceNotFoundException");
}

#[tokio::test]
async fn groups_and_streams_are_listed_page_by_page() {
    let house = House::new();
    house.fill().await;
    house.make_stream().await;
    let describe = async |input: Value| house.operation("DescribeLogGroups", input).await.json();
    let first = describe(json!({"limit": 2})).await;
    let names = |page: &Value| -> Vec<String> {
        let groups = page["logGroups"].as_array().expect("groups");
        groups.iter().filter_map(|group| group["logGroupName"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names(&first), ["/ecs/pay", "db"]);
    let second = describe(json!({"limit": 2, "nextToken": first["nextToken"]})).await;
    assert_eq!((names(&second), &second["nextToken"]), (vec!["web/access".to_owned()], &Value::Null));
    assert_eq!(names(&describe(json!({"logGroupNamePrefix": "web"})).await), ["web/access"]);
    assert_eq!(names(&describe(json!({"logGroupNamePattern": "a"})).await), ["/ecs/pay", "web/access"]);
    assert_eq!(first["logGroups"][0]["arn"], "arn:aws:logs:us-east-1:000000000000:log-group:/ecs/pay:*");
    assert_eq!(first["logGroups"][0]["creationTime"], NOW_MS);
    let bad = house.operation("DescribeLogGroups", json!({"limit": 51})).await;
    assert_eq!(error(&bad), (400, "InvalidParameterException".into()));

    assert_eq!(house.operation("PutLogEvents", events(&["a"])).await.status, 200);
    let empty = json!({"logGroupName": "/ecs/pay", "logStreamName": "a"});
    assert_eq!(house.operation("CreateLogStream", empty).await.status, 200);
    let streams = house.operation("DescribeLogStreams", json!({"logGroupName": "/ecs/pay", "limit": 1})).await.json();
    assert_eq!(streams["logStreams"][0]["logStreamName"], "a");
    let asked = json!({"logGroupName": "/ecs/pay", "limit": 1, "nextToken": streams["nextToken"]});
    let streams = house.operation("DescribeLogStreams", asked).await.json();
    assert_eq!(streams["logStreams"][0]["logStreamName"], "web/1");
    assert_eq!(streams["logStreams"][0]["lastEventTimestamp"], NOW_MS - 1000);
    assert_eq!(streams["logStreams"][0]["lastIngestionTime"], NOW_MS);
    let asked = json!({"logGroupName": "/ecs/pay", "orderBy": "LastEventTime", "descending": true, "limit": 1});
    let streams = house.operation("DescribeLogStreams", asked).await.json();
    assert_eq!(streams["logStreams"][0]["logStreamName"], "web/1");
}

#[tokio::test]
async fn retention_tags_and_deletion_are_those_of_the_group() {
    let house = House::new();
    house.make_stream().await;
    assert_eq!(house.operation("PutLogEvents", events(&["a"])).await.status, 200);
    let name = || json!({"logGroupName": "/ecs/pay"});
    let keep = |days: i64| json!({"logGroupName": "/ecs/pay", "retentionInDays": days});
    assert_eq!(error(&house.operation("PutRetentionPolicy", keep(7)).await).1, "AccessDeniedException");
    assert_eq!(error(&house.admin_operation("PutRetentionPolicy", keep(8)).await).1, "InvalidParameterException");
    assert_eq!(house.admin_operation("PutRetentionPolicy", keep(7)).await.status, 200);
    let groups = house.operation("DescribeLogGroups", json!({})).await.json();
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 7);
    let old = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1", "logEvents": [
        {"timestamp": NOW_MS - 7 * 86_400_000 - 1000, "message": "old"},
        {"timestamp": NOW_MS - 7 * 86_400_000 + 60_000, "message": "kept"},
    ]});
    let put = house.operation("PutLogEvents", old).await.json();
    assert_eq!(put["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}), "{put}");
    assert_eq!(house.admin_operation("DeleteRetentionPolicy", name()).await.status, 200);

    let arn = "arn:aws:logs:eu-west-1:000000000000:log-group:/ecs/pay";
    let tags = json!({"resourceArn": arn, "tags": {"team": "pay", "env": "prod"}});
    assert_eq!(house.operation("TagResource", tags).await.status, 200);
    let untag = json!({"resourceArn": arn, "tagKeys": ["env"]});
    assert_eq!(house.operation("UntagResource", untag).await.status, 200);
    let tags = house.operation("ListTagsForResource", json!({"resourceArn": arn})).await.json();
    assert_eq!(tags, json!({"tags": {"team": "pay"}}));

    let stream = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1"});
    assert_eq!(house.admin_operation("DeleteLogStream", stream).await.status, 200);
    let streams = house.operation("DescribeLogStreams", name()).await.json();
    assert_eq!(streams, json!({"logStreams": []}));
    assert_eq!(error(&house.operation("DeleteLogGroup", name()).await).1, "AccessDeniedException");
    assert_eq!(house.admin_operation("DeleteLogGroup", name()).await.status, 200);
    assert_eq!(error(&house.admin_operation("DeleteLogGroup", name()).await).1, "ResourceNotFoundException");
    assert_eq!(house.operation("DescribeLogGroups", json!({})).await.json(), json!({"logGroups": []}));
}

#[tokio::test]
async fn the_door_is_at_the_root_too_and_knows_what_it_does_not_know() {
    let house = House::new();
    let at_root = request("/", "DescribeLogGroups").body(Body::empty()).expect("a request");
    assert_eq!(house.send(at_root).await.json(), json!({"logGroups": []}));
    let unknown = house.operation("CreateDelivery", json!({})).await;
    assert_eq!(error(&unknown), (400, "UnknownOperationException".into()));
    assert_eq!(error(&house.post("/cloudwatch", "{}").await).1, "UnknownOperationException");
    assert_eq!(error(&house.operation("PutLogEvents", json!([])).await).1, "SerializationException");
    let own = house.operation("CreateLogGroup", json!({"logGroupName": "catat/audit"})).await;
    assert_eq!(error(&own).1, "AccessDeniedException");
}

#[tokio::test]
async fn with_keys_only_their_signatures_count_and_scopes_hold() {
    let house = House::new();
    house.make_stream().await;
    let make = async |role: &str, groups: &str| {
        let order = json!({"name": role, "role": role, "groups": [groups]}).to_string();
        let made = house.administer("POST", "/api/v1/keys", order).await.json();
        let text = |name: &str| made[name].as_str().expect("it is there").to_owned();
        (text("access_key_id"), text("secret_access_key"), text("id"))
    };
    let (id, secret, number) = make("ingest", "/ecs/*").await;
    let put = events(&["signed"]);
    assert_eq!(error(&house.operation("PutLogEvents", put.clone()).await).1, "MissingAuthenticationTokenException");
    let sent = house.signed_operation((&id, &secret), "PutLogEvents", &put).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let wrong = house.signed_operation((&id, "wrong"), "PutLogEvents", &put).await;
    assert_eq!(error(&wrong), (400, "InvalidSignatureException".into()));
    let nobody = house.signed_operation(("AKIANOBODY", &secret), "PutLogEvents", &put).await;
    assert_eq!(error(&nobody).1, "UnrecognizedClientException");

    let mut elsewhere = put.clone();
    elsewhere["logGroupName"] = "other".into();
    let denied = house.signed_operation((&id, &secret), "PutLogEvents", &elsewhere).await;
    assert_eq!(error(&denied).1, "AccessDeniedException");
    let name = json!({"logGroupName": "/ecs/pay"});
    assert_eq!(
        error(&house.signed_operation((&id, &secret), "DeleteLogGroup", &name).await).1,
        "AccessDeniedException"
    );
    let (reader, of_reader, _) = make("read", "web/*").await;
    let sees = house.signed_operation((&reader, &of_reader), "DescribeLogGroups", &json!({})).await;
    assert_eq!(sees.json(), json!({"logGroups": []}));
    assert_eq!(
        error(&house.signed_operation((&reader, &of_reader), "PutLogEvents", &put).await).1,
        "AccessDeniedException"
    );

    assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{number}"), "").await.status, 200);
    let revoked = house.signed_operation((&id, &secret), "PutLogEvents", &put).await;
    assert_eq!(error(&revoked).1, "UnrecognizedClientException");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_protected_group_is_deleted_by_no_door_until_its_protection_ends() {
    let house = House::new();
    let protected = json!({"logGroupName": "/ecs/pay", "deletionProtectionEnabled": true});
    assert_eq!(house.operation("CreateLogGroup", protected).await.status, 200);
    let stream = json!({"logGroupName": "/ecs/pay", "logStreamName": "web/1"});
    assert_eq!(house.operation("CreateLogStream", stream.clone()).await.status, 200);
    assert_eq!(house.operation("PutLogEvents", events(&["a"])).await.status, 200);
    let shown = house.operation("DescribeLogGroups", json!({})).await.json();
    assert_eq!(shown["logGroups"][0]["deletionProtectionEnabled"], true, "{shown}");
    let group = json!({"logGroupName": "/ecs/pay"});
    for (operation, input) in [("DeleteLogGroup", group.clone()), ("DeleteLogStream", stream)] {
        let refused = house.admin_operation(operation, input).await;
        assert_eq!(error(&refused), (400, "ValidationException".into()), "{operation} {}", refused.text());
    }
    let by_query = r#"{"query": {"match_all": {}}}"#;
    for (method, path, body) in [
        ("DELETE", "/api/v1/groups/%2Fecs%2Fpay", ""),
        ("DELETE", "/elasticsearch/%2Fecs%2Fpay", ""),
        ("POST", "/elasticsearch/%2Fecs%2Fpay/_delete_by_query", by_query),
    ] {
        let request = Request::builder().method(method).uri(path).header("x-catat-key", ADMIN_KEY);
        let request = request.header("content-type", "application/json").body(Body::from(body)).expect("a request");
        let refused = house.send(request).await;
        assert_eq!(refused.status, 409, "{method} {path} {}", refused.text());
    }
    let end = json!({"logGroupIdentifier": "/ecs/pay", "deletionProtectionEnabled": false});
    assert_eq!(house.operation("PutLogGroupDeletionProtection", end.clone()).await.status, 400, "it needs an admin");
    assert_eq!(house.admin_operation("PutLogGroupDeletionProtection", end).await.status, 200);
    assert_eq!(house.admin_operation("DeleteLogGroup", group).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_listed_by_tags_patterns_and_accounts_and_by_nothing_else() {
    let house = House::new();
    for (name, stage) in [("lg-a", "Prod"), ("lg-b", "test")] {
        let input = json!({"logGroupName": name, "tags": {"stage": stage}});
        assert_eq!(house.operation("CreateLogGroup", input).await.status, 200);
    }
    let names = async |operation: &str, input: Value| {
        let reply = house.operation(operation, input.clone()).await;
        if reply.status != 200 {
            return reply.json()["message"].as_str().unwrap_or_default().to_owned();
        }
        let groups = reply.json()["logGroups"].as_array().cloned().unwrap_or_default();
        groups.iter().filter_map(|group| group["logGroupName"].as_str()).collect::<Vec<_>>().join(" ")
    };
    let list = "ListLogGroups";
    for (values, expected) in [
        (json!(["Prod"]), "lg-a"),
        (json!(["prod"]), ""),
        (json!(["prod*"]), "lg-a"),
        (json!(["!Prod"]), "lg-b"),
        (json!(["x", "test"]), "lg-b"),
        (json!([]), "lg-a lg-b"),
    ] {
        let input = json!({"logGroupTags": [{"key": "stage", "values": values}]});
        assert_eq!(names(list, input.clone()).await, expected, "{input}");
    }
    assert_eq!(names(list, json!({"logGroupTags": [{"key": "owner"}]})).await, "");
    assert_eq!(names(list, json!({"logGroupNamePattern": "^lg-a|g-b"})).await, "lg-a lg-b");
    for pattern in ["^lg.*b", "^g[23]", "a||b", "lg$"] {
        let refused = names(list, json!({"logGroupNamePattern": pattern})).await;
        assert!(refused.contains("logGroupNamePattern"), "{pattern}: {refused}");
    }
    for operation in [list, "DescribeLogGroups"] {
        let own = json!({"accountIdentifiers": ["000000000000"], "includeLinkedAccounts": true});
        assert_eq!(names(operation, own).await, "lg-a lg-b");
        let other = names(operation, json!({"accountIdentifiers": ["123456789012"]})).await;
        assert!(other.contains("123456789012"), "{other}");
    }
    for (member, value) in [("fieldIndexNames", json!(["a"])), ("dataSources", json!([{"name": "a"}])), ("x", json!(1))]
    {
        let refused = names(list, json!({member: value})).await;
        assert_eq!(refused, format!("The parameter {member} of ListLogGroups is not supported here."));
    }
}

#[tokio::test]
async fn saved_queries_in_other_languages_are_refused_and_a_repeated_request_saves_once() {
    let house = House::new();
    let put = |language: &str| json!({"name": "q", "queryString": "fields a", "queryLanguage": language});
    for language in ["SQL", "PPL", "X"] {
        let refused = house.admin_operation("PutQueryDefinition", put(language)).await;
        assert_eq!(error(&refused), (400, "InvalidParameterException".into()), "{language}");
    }
    for _ in 0..2 {
        let token = json!({"name": "q", "queryString": "fields a", "queryLanguage": "CWLI", "clientToken": "t"});
        assert_eq!(house.admin_operation("PutQueryDefinition", token).await.status, 200);
    }
    for (language, n) in [("CWLI", 1), ("SQL", 0)] {
        let found = house.operation("DescribeQueryDefinitions", json!({"queryLanguage": language})).await.json();
        assert_eq!(found["queryDefinitions"].as_array().map(Vec::len), Some(n), "{found}");
    }
}
