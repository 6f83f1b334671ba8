//! Traces as X-Ray's clients read them.
//!
//! Each case of `xray/*.txt` begins with `=== ` and a title, then has requests: a line with a path, and the body. Segment documents
//! are written as a list of objects. After a line `---` come the answers, the documents in them as objects too.
//! `UPDATE_GOLDEN=1` writes what comes out; read it before you keep it.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::signing::Signing;
use super::traces::TRACE;
use super::{House, Reply};

const TRACE_ID: &str = "1-58406520-a006649127e371903a2de979";

/// The ten minutes before now, in seconds.
const START: i64 = 1_795_175_400;
const END: i64 = 1_795_176_000;

impl House {
    async fn xray(&self, operation: &str, body: &Value) -> Reply {
        self.post(&format!("/xray/{operation}"), body.to_string()).await
    }

    async fn xray_answer(&self, operation: &str, body: Value) -> Value {
        let reply = self.xray(operation, &body).await;
        assert_eq!(reply.status, 200, "{operation} {body}: {}", reply.text());
        reply.json()
    }

    async fn put_documents(&self, documents: &[Value]) {
        let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
        let answer = self.xray_answer("TraceSegments", json!({ "TraceSegmentDocuments": texts })).await;
        assert_eq!(answer, json!({ "UnprocessedTraceSegments": [] }));
    }

    /// Returns the ids that a filter expression finds.
    async fn found_by(&self, filter: &str) -> Vec<String> {
        let ask = json!({ "StartTime": START, "EndTime": END, "FilterExpression": filter });
        ids(&self.xray_answer("TraceSummaries", ask).await)
    }
}

fn ids(answer: &Value) -> Vec<String> {
    let summaries = answer["TraceSummaries"].as_array().expect("summaries");
    summaries.iter().map(|summary| summary["Id"].as_str().expect("an id").to_owned()).collect()
}

/// Returns the documents of the first trace of an answer.
fn documents(answer: &Value) -> Vec<Value> {
    let segments = answer["Traces"][0]["Segments"].as_array().expect("segments");
    let document = |segment: &Value| serde_json::from_str(segment["Document"].as_str().expect("a text")).expect("JSON");
    segments.iter().map(document).collect()
}

async fn carry_out(requests: &str) -> String {
    let house = House::new();
    let mut answers = Vec::new();
    for request in requests.split("\nPOST ").map(|request| request.trim_start_matches("POST ")) {
        let (path, body) = request.split_once('\n').expect("a body");
        let mut body: Value = serde_json::from_str(body).expect("a body as JSON");
        if path == "/xray/TraceSegments" {
            let texts: Vec<String> = body.as_array().expect("documents").iter().map(Value::to_string).collect();
            body = json!({ "TraceSegmentDocuments": texts });
        }
        let request = Request::post(path).header("content-type", "application/json");
        let reply = house.send(request.body(Body::from(body.to_string())).expect("a request")).await;
        if reply.status == 200
            && !matches!(path, "/xray/TraceSummaries" | "/xray/Traces" | "/xray/TraceGraph" | "/xray/ServiceGraph")
        {
            continue;
        }
        let mut answer = reply.json();
        for trace in answer.get_mut("Traces").and_then(Value::as_array_mut).into_iter().flatten() {
            for segment in trace["Segments"].as_array_mut().into_iter().flatten() {
                segment["Document"] =
                    serde_json::from_str(segment["Document"].as_str().unwrap_or_default()).expect("a document");
            }
        }
        answers.push(format!("{} {answer:#}", reply.status));
    }
    answers.join("\n")
}

#[tokio::test]
async fn requests_are_answered_as_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/xray/reading.txt");
    let text = std::fs::read_to_string(&path).expect("the file of cases");
    let (head, cases) = text.split_once("=== ").expect("cases");
    let mut written = head.to_owned();
    for case in cases.split("\n=== ") {
        let (title, rest) = case.split_once('\n').expect("requests");
        let (requests, expected) = rest.split_once("\n---\n").expect("answers");
        let result = carry_out(requests).await;
        written.push_str(&format!("=== {title}\n{requests}\n---\n{result}\n\n"));
        if std::env::var_os("UPDATE_GOLDEN").is_none() {
            assert_eq!(result, expected.trim_end(), "{title}");
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, written.trim_end().to_owned() + "\n").expect("the file is written");
    }
}

/// A segment with everything that a document can have.
fn full_segment() -> Value {
    json!({
        "name": "scorekeep", "id": "70de5b6f19ff9a0a", "trace_id": TRACE_ID, "parent_id": "53995c3f42cd8ad8",
        "start_time": 1_795_175_700.271, "end_time": 1_795_175_700.449_123, "fault": true, "user": "ann",
        "http": {
            "request": {"method": "POST", "url": "http://www.example.com/api/user", "user_agent": "curl/8",
                "client_ip": "192.0.2.1", "x_forwarded_for": true},
            "response": {"status": 503, "content_length": 48},
        },
        "origin": "AWS::EC2::Instance", "service": {"version": "1.2", "runtime": "CPython", "name": "keeper"}, "precursor_ids": ["0000000000000007"], "resource_arn": "arn:aws:x",
        "aws": {
            "account_id": "123456789012",
            "ec2": {"instance_id": "i-0b5a4678fc325bg98", "availability_zone": "eu-west-1c", "instance_size": "m4.large",
                "ami_id": "ami-1"},
            "ecs": {"container": "web", "container_id": "c1"}, "elastic_beanstalk": {"deployment_id": 32},
            "xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0", "auto_instrumentation": false,
                "sampling_rule_name": "Default"},
        },
        "cause": {
            "working_directory": "/srv", "paths": ["a", "b"],
            "exceptions": [{
                "id": "2a5ea2ffb1c2d3e4", "type": "KeyError", "message": "no such user", "remote": false, "truncated": 2,
                "stack": [{"path": "app.py", "line": 7, "label": "get"}, {"path": "main.py", "label": "run"}],
            }],
        },
        "annotations": {"customer": "acme", "orders": 3, "share": 0.5, "paid": true, "kind": "own", "http_route": "/a"},
        "metadata": {"default": {"cart": {"items": [1, {"n": 2}]}, "note": "x"}, "debug": {"level": 7}},
        "links": [{"trace_id": TRACE_ID, "id": "0000000000000001", "attributes": {"n": 1}}],
        "subsegments": [
            {
                "id": "53995c3f42cd8ad9", "name": "DynamoDB", "namespace": "aws", "start_time": 1_795_175_700.3,
                "end_time": 1_795_175_700.35, "throttle": true, "http": {"response": {"status": 200}},
                "aws": {"operation": "UpdateItem", "table_name": "users", "region": "eu-west-1", "request_id": "R1",
                    "retries": 2},
                "subsegments": [{"id": "0000000000000009", "name": "retry", "start_time": 1_795_175_700.31,
                    "end_time": 1_795_175_700.32, "annotations": {"attempt": 2}}],
            },
            {
                "id": "0000000000000010", "name": "orders@db", "namespace": "remote", "start_time": 1_795_175_700.36,
                "end_time": 1_795_175_700.37,
                "sql": {"url": "jdbc:postgresql://db:5432/orders", "database_type": "PostgreSQL", "sanitized_query": "SELECT ?",
                    "user": "app", "driver_version": "42", "preparation": "call"},
            },
            {
                "id": "0000000000000011", "name": "legacy", "namespace": "remote", "start_time": 1_795_175_700.38,
                "end_time": 1_795_175_700.39, "error": true, "sql": {"connection_string": "Server=db;Database=x"},
                "http": {"request": {"method": "GET", "url": "https://legacy/", "traced": true}, "response": {"status": 404}},
                "cause": "2a5ea2ffb1c2d3e4",
            },
        ],
    })
}

#[tokio::test]
async fn segments_come_back_as_they_were_sent() {
    let house = House::new();
    let segment = full_segment();
    house.put_documents(std::slice::from_ref(&segment)).await;
    let answer =
        house.xray_answer("Traces", json!({ "TraceIds": [TRACE_ID, "1-00000000-000000000000000000000001"] })).await;
    assert_eq!(documents(&answer), [segment]);
    assert_eq!(answer["UnprocessedTraceIds"], json!(["1-00000000-000000000000000000000001"]));
    let trace = &answer["Traces"][0];
    assert_eq!((&trace["Id"], &trace["LimitExceeded"]), (&json!(TRACE_ID), &json!(false)));
    assert_eq!(trace["Duration"], json!(0.178_123));
    assert_eq!(trace["Segments"][0]["Id"], "70de5b6f19ff9a0a");
}

#[tokio::test]
async fn a_subsegment_sent_alone_is_part_of_its_parent() {
    let house = House::new();
    let times =
        |n: f64| json!({"start_time": 1_795_175_700.0 + n, "end_time": 1_795_175_701.0 + n, "trace_id": TRACE_ID});
    let one = |members: Value, n: f64| {
        let mut document = times(n);
        for (name, value) in members.as_object().into_iter().flatten() {
            document[name] = value.clone();
        }
        document
    };
    let alone = |id: &str, parent: &str, n: f64| {
        one(json!({"type": "subsegment", "id": id, "parent_id": parent, "name": format!("work {id}")}), n)
    };
    // Each comes before its parent, the last one's parent never does.
    let segment = one(json!({"name": "shop", "id": "00000000000000a1"}), 0.0);
    let documents_sent = [
        alone("00000000000000a3", "00000000000000a2", 2.0),
        alone("00000000000000a2", "00000000000000a1", 1.0),
        alone("00000000000000b2", "00000000000000b1", 4.0),
        segment.clone(),
        alone("00000000000000a4", "00000000000000a1", 3.0),
    ];
    house.put_documents(&documents_sent).await;
    let query =
        json!({"query": "stats count(*) as n by @log, service | sort @log", "groups": ["traces/*"], "from": "now-1h"});
    let rows = house.post("/api/v1/query", query.to_string()).await.json();
    assert_eq!(
        rows["rows"],
        json!([["traces/shop", "shop", 4], ["traces/unknown_service", "unknown_service", 1]]),
        "{rows}"
    );

    let found = documents(&house.xray_answer("Traces", json!({ "TraceIds": [TRACE_ID] })).await);
    let below = |document: &Value| {
        let below = document["subsegments"].as_array().cloned().unwrap_or_default();
        below.iter().map(|below| below["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(below(&found[0]), ["work 00000000000000a2", "work 00000000000000a4"]);
    assert_eq!(below(&found[0]["subsegments"][0]), ["work 00000000000000a3"]);
    assert_eq!(found[1], documents_sent[2]);
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn of_a_segment_sent_twice_the_finished_one_is_read() {
    let house = House::new();
    let open = json!({"name": "slow", "id": "00000000000000a1", "trace_id": TRACE_ID, "start_time": 1_795_175_700.5,
        "in_progress": true});
    house.put_documents(std::slice::from_ref(&open)).await;
    let ask = || json!({ "TraceIds": [TRACE_ID] });
    assert_eq!(documents(&house.xray_answer("Traces", ask()).await), std::slice::from_ref(&open));
    assert_eq!(house.found_by("partial").await, [TRACE_ID]);
    let done = json!({"name": "slow", "id": "00000000000000a1", "trace_id": TRACE_ID, "start_time": 1_795_175_700.5,
        "end_time": 1_795_175_702.5});
    house.put_documents(&[done.clone(), open]).await;
    assert_eq!(documents(&house.xray_answer("Traces", ask()).await), [done]);
    assert_eq!(house.found_by("partial").await, Vec::<String>::new());
    assert_eq!(house.found_by("responsetime = 2 AND !partial").await, [TRACE_ID]);
    let native = house.get("/api/v1/traces/58406520a006649127e371903a2de979").await.json();
    assert_eq!((&native["n_spans"], &native["duration_ms"]), (&json!(1), &json!(2000.0)));
}

#[tokio::test]
async fn deep_subsegments_become_documents_of_their_own() {
    let house = House::new();
    let mut spans = Vec::new();
    for n in 1..=100 {
        spans.push(json!({"traceId": TRACE, "spanId": format!("{n:016x}"), "name": format!("{n}"), "kind": 1,
            "parentSpanId": if n == 1 { String::new() } else { format!("{:016x}", n - 1) },
            "startTimeUnixNano": "1795175700000000000", "endTimeUnixNano": "1795175701000000000",
            "attributes": [{"key": format!("metadata{}", ".a".repeat(40)), "value": {"boolValue": true}}]}));
    }
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string();
    let request = Request::post("/v1/traces").header("content-type", "application/json").body(Body::from(body));
    assert_eq!(house.send(request.expect("a request")).await.status, 200);
    let found = documents(&house.xray_answer("Traces", json!({ "TraceIds": [TRACE] })).await);
    assert_eq!(found.len(), 4);
    // Names of many parts are objects in each other as far down.
    let mut attribute = &found[0]["metadata"];
    let n_objects = std::iter::from_fn(|| attribute.get("a").inspect(|below| attribute = below)).count();
    assert_eq!((n_objects, attribute.as_object().map(serde_json::Map::len)), (32, Some(1)), "{}", found[0]);
    assert_eq!(found[1]["parent_id"], json!(format!("{:016x}", 33)), "{}", found[1]);
    assert_eq!((&found[1]["type"], &found[1]["id"]), (&json!("subsegment"), &json!(format!("{:016x}", 34))));
}

#[tokio::test]
async fn filters_find_the_traces_that_they_describe() {
    let house = House::new();
    house.store_trace().await;
    house.put_documents(&[full_segment()]).await;
    let (web, shop) = ("1-4bf92f35-77b34da6a3ce929d0e0e4736", TRACE_ID);
    let both = [shop, web];
    for (filter, expected) in [
        ("", &both[..]),
        ("fault", &both),
        ("ok", &[]),
        ("error", &[]),
        ("service() { error }", &[shop]),
        ("service() { throttle }", &[shop]),
        ("service(\"DynamoDB\") { throttle }", &[shop]),
        ("service(id(type: \"AWS::DynamoDB\"))", &[shop]),
        ("service(id(name: \"scorekeep\", type: \"AWS::EC2::Instance\"))", &[shop]),
        ("service(\"pay\")", &[web]),
        ("service(\"pay\") { fault }", &[]),
        ("edge(\"web\", \"pay\")", &[web]),
        ("edge(\"pay\", \"web\")", &[]),
        ("edge(\"pay\", \"postgresql\") { responsetime < 1 }", &[web]),
        ("!service(\"pay\")", &[shop]),
        ("annotation.customer = \"acme\"", &[shop]),
        ("annotation[kind] BEGINSWITH \"o\"", &[shop]),
        ("annotation.orders >= 3 AND annotation.share < 1 AND annotation.paid = true", &[shop]),
        ("annotation.orders = \"3\"", &[]),
        ("annotation.attempt = 2", &[shop]),
        ("service(\"scorekeep\") { annotation.attempt = 2 }", &[shop]),
        ("annotation.orders CONTAINS \"\"", &[shop]),
        ("user = \"ann\"", &[shop]),
        ("http.url CONTAINS \"/api/\" AND http.method = \"POST\"", &[shop]),
        ("http.useragent BEGINSWITH \"curl\" http.clientip = \"192.0.2.1\"", &[shop]),
        ("http.status = 503", &both),
        ("http.status > 503", &[]),
        ("duration > 1", &[web]),
        ("responsetime > 0.2 AND responsetime < 0.3", &[web]),
        ("instance.id = \"i-0b5a4678fc325bg98\"", &[shop]),
        ("availabilityzone ENDSWITH \"c\"", &[shop]),
        ("name = \"mail\" OR user CONTAINS \"nn\"", &both),
        ("partial", &[]),
        ("service(\"pay\") AND service(\"mail\")", &[web]),
        ("service(\"pay\") AND annotation.paid = true", &[]),
        ("fault AND service(\"DynamoDB\") { throttle } AND annotation.paid = true", &[shop]),
    ] {
        assert_eq!(house.found_by(filter).await, expected, "{filter}");
    }
}

/// Reads all pages of a search over 250 traces. Every third trace has an annotation.
async fn read_pages(filter: &str) -> (Vec<String>, usize, u64) {
    let house = House::new();
    let segment = |id: String, start: i64, is_third: bool| {
        json!({"name": "shop", "id": "0000000000000001", "trace_id": id, "start_time": start, "end_time": START + 500,
            "annotations": {"third": is_third}})
    };
    // Many begin at one instant.
    let all: Vec<Value> = (0..250).map(|n| segment(numbered(n), START + n as i64 / 100, n % 3 == 0)).collect();
    house.put_documents(&all).await;
    let mut ask = json!({ "StartTime": START, "EndTime": END, "FilterExpression": filter });
    let (mut found, mut n_pages, mut n_processed) = (Vec::new(), 0, 0);
    loop {
        let page = house.xray_answer("TraceSummaries", ask.clone()).await;
        found.extend(ids(&page));
        n_processed += page["TracesProcessedCount"].as_u64().expect("a count");
        n_pages += 1;
        let Some(token) = page["NextToken"].as_str() else { return (found, n_pages, n_processed) };
        ask["NextToken"] = token.into();
        // What comes meanwhile begins later than what has been read.
        house.put_documents(&[segment(numbered(1_000 + n_pages), START + 100, true)]).await;
        let other = json!({ "StartTime": START, "EndTime": END, "FilterExpression": "ok", "NextToken": token });
        let reply = house.xray("TraceSummaries", &other).await;
        assert!(reply.text().contains("another range or filter expression"), "{}", reply.text());
    }
}

/// Returns an id that reads as a number.
fn numbered(n: usize) -> String {
    format!("1-00000000-{:024}", n * 7 % 1_000 + n / 1_000 * 1_000 + 1)
}

#[tokio::test]
async fn pages_neither_repeat_nor_lose_a_trace() {
    for (filter, step, pages) in [("", 1, 3), ("annotation.third = true", 3, 1), ("!annotation.third = false", 3, 1)] {
        let (found, n_pages, n_processed) = read_pages(filter).await;
        let expected: BTreeSet<String> = (0..250).step_by(step).map(numbered).collect();
        assert_eq!((found.len(), n_pages), (expected.len(), pages), "{filter}");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{filter}");
        assert_eq!(n_processed, if filter.starts_with('!') { 250 } else { expected.len() as u64 }, "{filter}");
    }
}

#[tokio::test]
async fn traces_belong_to_the_range_in_which_they_begin() {
    let house = House::new();
    house.store_trace().await;
    for (start, end, n) in
        [(START, END, 1), (1_795_175_699, 1_795_175_699, 1), (1_795_175_700, END, 0), (START, 1_795_175_698, 0)]
    {
        for filter in ["", "service(\"mail\")"] {
            let ask = json!({ "StartTime": start, "EndTime": end, "FilterExpression": filter });
            assert_eq!(ids(&house.xray_answer("TraceSummaries", ask).await).len(), n, "{start} {end} {filter}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_by_name() {
    let house = House::new();
    let range = |more: Value| {
        let mut ask = json!({ "StartTime": START, "EndTime": END });
        for (name, value) in more.as_object().into_iter().flatten() {
            ask[name] = value.clone();
        }
        ask
    };
    for (operation, ask, expected) in [
        ("TraceSummaries", json!({}), "StartTime is required"),
        ("TraceSummaries", json!({ "StartTime": END, "EndTime": START }), "the range is empty"),
        ("TraceSummaries", range(json!({ "TimeRangeType": "Service" })), "TimeRangeType \"Service\" is not supported"),
        ("TraceSummaries", range(json!({ "Sampling": true })), "Sampling is not supported"),
        (
            "TraceSummaries",
            range(json!({ "SamplingStrategy": { "Name": "PartialScan" } })),
            "Sampling is not supported",
        ),
        (
            "TraceSummaries",
            range(json!({ "FilterExpression": "fault AND\nrootcause.fault.service" })),
            "FilterExpression, line 2, column 1: the keyword rootcause.fault.service is not supported",
        ),
        ("TraceSummaries", range(json!({ "FilterExpression": "falt" })), "did you mean fault?"),
        ("TraceSummaries", range(json!({ "FilterExpression": 7 })), "invalid type"),
        ("TraceSummaries", range(json!({ "NextToken": "x" })), "NextToken is not one that an answer contained"),
        ("TraceSummaries", json!([]), "not an object"),
        ("Traces", json!({}), "TraceIds has 0 ids"),
        ("Traces", json!({ "TraceIds": vec![TRACE_ID; 6] }), "a request takes 1 to 5"),
        ("Traces", json!({ "TraceIds": ["x"] }), "the trace id \"x\" is not 1-"),
        ("Traces", json!({ "TraceIds": "x" }), "invalid type"),
        ("TraceGraph", json!({ "TraceIds": ["1-1-1"] }), "is not 1-"),
        ("ServiceGraph", range(json!({ "GroupName": "slow" })), "there is no group \"slow\""),
        ("ServiceGraph", range(json!({ "GroupARN": "arn:x" })), "groups have no ARN"),
        ("ServiceGraph", range(json!({ "NextToken": "x" })), "has one page"),
        ("SamplingTargets", json!(7), "not an object"),
    ] {
        let reply = house.xray(operation, &ask).await;
        assert_eq!(reply.status, 400, "{operation} {ask}: {}", reply.text());
        assert_eq!(reply.header("x-amzn-errortype"), "InvalidRequestException", "{operation} {ask}: {}", reply.text());
        assert!(
            reply.text().contains(&json!(expected).to_string().trim_matches('"').replace("\\\\", "\\")),
            "{expected}: {}",
            reply.text()
        );
    }
    let reply = house.xray("Insight", &json!({})).await;
    assert_eq!(reply.header("x-amzn-errortype"), "UnknownOperationException");
}

#[tokio::test]
async fn sdks_find_no_groups_and_no_rules() {
    let house = House::new();
    assert_eq!(house.xray_answer("Groups", json!({})).await, json!({ "Groups": [] }));
    assert_eq!(house.xray_answer("GetSamplingRules", json!({})).await, json!({ "SamplingRuleRecords": [] }));
    let answer = house
        .xray_answer("SamplingTargets", json!({ "SamplingStatisticsDocuments": [{ "RuleName": "Default" }] }))
        .await;
    assert_eq!(answer["SamplingTargetDocuments"], json!([]));
    assert_eq!(answer["UnprocessedStatistics"][0]["RuleName"], "Default");
}

#[tokio::test]
async fn a_key_reads_the_spans_of_its_groups_only() {
    let house = House::new();
    house.store_trace().await;
    let order = |role: &str| json!({"name": role, "role": role, "groups": ["traces/pay"]}).to_string();
    let mut replies = Vec::new();
    for role in ["read", "ingest"] {
        let made = house.administer("POST", "/api/v1/keys", order(role)).await.json();
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        let (id, secret) = (text("access_key_id"), text("secret_access_key"));
        for (path, body) in [
            ("/xray/Traces", json!({ "TraceIds": [TRACE] })),
            ("/xray/TraceSummaries", json!({ "StartTime": START, "EndTime": END })),
            (
                "/xray/TraceSummaries",
                json!({ "StartTime": START, "EndTime": END, "FilterExpression": "service(\"web\")" }),
            ),
            ("/xray/TraceGraph", json!({ "TraceIds": [TRACE] })),
            ("/xray/ServiceGraph", json!({ "StartTime": START, "EndTime": END })),
            ("/xray/GetSamplingRules", json!({})),
        ] {
            let body = body.to_string();
            let signing = Signing { access_key_id: &id, secret: &secret, service: "xray", path, target: None };
            let mut request = Request::post(path).body(Body::from(body.clone())).expect("a request");
            *request.headers_mut() = signing.headers(body.as_bytes());
            let reply = house.send(request).await;
            if role == "ingest" && path != "/xray/GetSamplingRules" {
                assert_eq!((reply.status, reply.header("x-amzn-errortype")), (400, "AccessDeniedException"), "{path}");
                continue;
            }
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
            for hidden in ["\"web\"", "\"mail\"", "GET /cart", "web-1", "receipt\""] {
                let is_shown = reply.text().replace("\\\"", "\"").contains(hidden);
                assert!(!is_shown || hidden == "receipt\"", "{path} shows {hidden}: {}", reply.text());
            }
            replies.push(reply.json());
        }
    }
    assert_eq!(documents(&replies[0]).len(), 1);
    assert_eq!(ids(&replies[1]), ["1-4bf92f35-77b34da6a3ce929d0e0e4736"]);
    assert_eq!(ids(&replies[2]), Vec::<String>::new());
    let unsigned = house.xray("Traces", &json!({ "TraceIds": [TRACE] })).await;
    assert_eq!(unsigned.header("x-amzn-errortype"), "MissingAuthenticationTokenException");
}
