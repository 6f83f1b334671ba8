//! The native API: send, ask, look around.

use std::io::Write;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use types::Limits;

use super::{ADMIN_KEY, House, encoded};

async fn ask(house: &House, query: &str) -> Value {
    let reply = house.get(&format!("/api/v1/query?query={}", encoded(query))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn what_was_acknowledged_is_found() {
    let house = House::new();
    house.fill().await;
    let answer = ask(&house, "fields @message, ms | filter @level = \"error\" | sort @timestamp desc").await;
    assert_eq!(answer["rows"], json!([["GET /c failed", 41], ["GET /b", 40]]));
    assert_eq!(answer["columns"][1], json!({"name": "ms", "type": "integer"}));
    assert_eq!(answer["ids"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["partial"], false);
    let counted = ask(&house, "stats count(*) as n by @log | sort n desc").await;
    assert_eq!(counted["rows"], json!([["web/access", 3], ["db", 2]]));
}

#[tokio::test]
async fn groups_and_ranges_narrow_a_question() {
    let house = House::new();
    house.fill().await;
    let check = async |body: Value| {
        let reply = house.post("/api/v1/query", body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["rows"][0][0].clone()
    };
    let query = "stats count(*)";
    assert_eq!(check(json!({"query": query, "groups": ["web/*"]})).await, 3);
    assert_eq!(check(json!({"query": query, "groups": "db"})).await, 2);
    assert_eq!(check(json!({"query": query, "from": "2026-11-20T11:52:00Z", "to": "2026-11-20T11:54:00Z"})).await, 3);
    assert_eq!(check(json!({"query": query, "from": "now-7m"})).await, 3);
    assert_eq!(check(json!({"query": query, "from": 1_795_175_640, "to": "now"})).await, 2);
}

#[tokio::test]
async fn a_mistake_is_located_and_every_error_has_its_status() {
    let house = House::new();
    let reply = house.get(&format!("/api/v1/query?query={}", encoded("stats conut(*)"))).await;
    let error = reply.json()["error"].clone();
    assert_eq!((reply.status, &error["line"], &error["column"]), (400, &json!(1), &json!(7)), "{error}");
    let check = async |body: &str| house.post("/api/v1/query", body.to_owned()).await.status;
    assert_eq!(check("not json").await, 400);
    assert_eq!(check(r#"{"query":"","frm":"now"}"#).await, 400);
    assert_eq!(check(r#"{"query":"","from":"now","to":"now-1h"}"#).await, 400);
    assert_eq!(check(r#"{"query":"","time_zone":"Mars/Olympus"}"#).await, 400);
    assert_eq!(check(r#"{"query":"","language":"sql"}"#).await, 400);
    assert_eq!(check(r#"{"query":"{ $.status >= 500 }","language":"filter-pattern"}"#).await, 200);
    assert_eq!(check(r#"{"query":"{ status >= 500 }","language":"filter-pattern"}"#).await, 400);
    assert_eq!(house.get("/api/v1/query?qery=x").await.status, 400);
}

#[tokio::test]
async fn several_questions_are_answered_a_line_each() {
    let house = House::new();
    house.fill().await;
    let asked = json!({"queries": [
        {"query": "stats count(*) as n by @log | sort n desc"}, {"query": "stats conut(*)"}, {"query": "1 + 1", "language": "promql"},
        {"query": "fields @message", "groups": ["db"]}, ["stats count(*)"], {"query": "", "frm": "now"},
    ]});
    let reply = house.post("/api/v1/query/several", asked.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines.sort_by_key(|line| line["query"].as_u64());
    let statuses: Vec<Value> = lines.iter().map(|line| line["status"].clone()).collect();
    assert_eq!(statuses, [200, 400, 200, 200, 400, 400]);
    assert_eq!(lines[0]["answer"]["rows"], json!([["web/access", 3], ["db", 2]]));
    assert_eq!(lines[1]["answer"]["error"]["column"], 7);
    let alone = house.post("/api/v1/query", asked["queries"][3].to_string()).await.json();
    assert_eq!((&lines[3]["answer"]["rows"], &lines[3]["answer"]["columns"]), (&alone["rows"], &alone["columns"]));
    let refused = async |body: Value| {
        let reply = house.post("/api/v1/query/several", body.to_string()).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    };
    assert!(refused(json!({"queries": []})).await.contains("no queries"));
    assert!(refused(json!({"queries": vec![json!({"query": ""}); 51]})).await.contains("50 are the most"));
    assert!(refused(json!({"queries": [], "limit": 1})).await.contains("limit"));
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_of_our_form() {
    let house = House::new();
    for uri in ["/api/v1/groups/%FF", "/api/v1/fields/%FF/values"] {
        let reply = house.get(uri).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("bad-path")), "{uri}");
    }
    let reply = house.post("/api/v1/query", r#"["stats count(*)"]"#).await;
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("bad-json")));
    let reply = house.get("/api/v1/nope").await;
    assert_eq!(reply.json()["error"]["message"], "there is nothing at /api/v1/nope");
}

#[tokio::test]
async fn a_mistyped_address_is_a_page_for_people_and_an_error_for_programs() {
    let house = House::new();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for uri in ["/nonsense", "/alerts/nonsense", "/nonsense.html"] {
        let reply = house.get_with(uri, "accept", browser).await;
        assert_eq!(reply.status, 404, "{uri}");
        assert!(reply.text().starts_with("<!doctype html>"), "{uri}: {}", reply.text());
    }
    for (uri, accept) in [("/nonsense", "*/*"), ("/nonsense", "application/json"), ("/api/v1/nope", browser)] {
        let reply = house.get_with(uri, "accept", accept).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (404, &json!("not-found")), "{uri} {accept}");
    }
}

#[tokio::test]
async fn ranges_without_an_end_hold_everything() {
    let house = House::new();
    house.fill().await;
    let uri = "/api/v1/query?query=stats+count(*)&from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z";
    assert_eq!(house.get(uri).await.json()["rows"], json!([[5]]));
}

#[tokio::test]
async fn an_empty_answer_says_where_the_newest_event_is() {
    let house = House::new();
    let empty = ask(&house, "filter @message like \"nothing\"").await;
    assert_eq!(empty["warnings"][0]["code"], "no-events");
    house.fill().await;
    let empty = ask(&house, "filter @message like \"nothing\"").await;
    assert_eq!(empty["warnings"][0]["code"], "newest-event");
    assert_eq!(empty["warnings"][0]["hint"], "2026-11-20T11:55:00Z");
}

#[tokio::test]
async fn streams_and_tables_are_forms_of_the_same_answer() {
    let house = House::new();
    house.fill().await;
    let uri = format!("/api/v1/query?query={}", encoded("stats count(*) as n by @level | sort n desc, @level"));
    let lines = house.get_with(&uri, "accept", "application/x-ndjson").await;
    let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["columns"][1]["name"], "n");
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[4]["partial"], false);
    let table = house.get_with(&uri, "accept", "Text/CSV").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(table.text().lines().next(), Some("@level,n"));
}

#[tokio::test]
async fn bad_lines_are_named_and_good_ones_go_in() {
    let house = House::new();
    let reply = house.post("/api/v1/ingest", "{\"message\":\"a\"}\n{broken\n{\"message\":\"b\"}").await;
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(2)));
    assert_eq!(reply.json()["rejected"][0]["line"], 2);
    let reply = house.post("/api/v1/ingest", "{broken").await;
    assert_eq!(reply.status, 400, "{}", reply.text());
}

#[tokio::test]
async fn a_batch_with_an_id_is_stored_once_packed_or_not() {
    let house = House::new();
    let send = async |body: Vec<u8>, encoding: &str| {
        let request = Request::post("/api/v1/ingest").header("x-catat-batch", "b1");
        let request = request.header("content-encoding", encoding).body(Body::from(body)).expect("a request");
        let reply = house.send(request).await;
        (reply.status, reply.json()["duplicate"].clone())
    };
    let plain = b"{\"message\":\"once\"}".to_vec();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&plain).expect("memory takes everything");
    let packed = packer.finish().expect("memory takes everything");
    assert_eq!(send(plain.clone(), "identity").await, (200, json!(false)));
    assert_eq!(send(packed, "gzip").await, (200, json!(true)));
    assert_eq!(send(b"{\"message\":\"other\"}".to_vec(), "identity").await.0, 409);
    assert_eq!(send(plain, "br").await.0, 415);
    assert_eq!(ask(&house, "stats count(*)").await["rows"][0][0], 1);
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_packed_or_not() {
    let house = House::with_limits(Limits { body_bytes_max: 100_000, ..Limits::default() });
    assert_eq!(house.post("/api/v1/ingest?format=text", "x".repeat(100_001)).await.status, 413);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&vec![b'x'; 10 << 20]).expect("memory takes everything");
    let bomb = packer.finish().expect("memory takes everything");
    let request = Request::post("/api/v1/ingest?format=text").header("content-encoding", "gzip");
    assert_eq!(house.send(request.body(Body::from(bomb)).expect("a request")).await.status, 413);
}

#[tokio::test]
async fn histogram_fields_and_values_look_around() {
    let house = House::new();
    house.fill().await;
    let histogram = house.get("/api/v1/histogram?from=now-10m&to=now&buckets=10").await.json();
    let buckets = histogram["buckets"].as_array().cloned().unwrap_or_default();
    let total: i64 = buckets.iter().filter_map(|bucket| bucket["total"].as_i64()).sum();
    let errors: i64 = buckets.iter().filter_map(|bucket| bucket["by"]["error"].as_i64()).sum();
    assert_eq!((total, errors), (5, 2), "{histogram}");
    let fields = house.get("/api/v1/fields?prefix=m").await.json();
    let ms = fields["fields"].as_array().and_then(|f| f.iter().find(|f| f["name"] == "ms")).cloned();
    assert_eq!(ms.as_ref().map(|ms| &ms["events"]), Some(&json!(3)), "{fields}");
    assert_eq!(ms.map(|ms| ms["types"].clone()), Some(json!(["integer"])));
    let matching = house.get("/api/v1/fields?query=filter%20service%20%3D%20%22web%22").await.json();
    let service = matching["fields"].as_array().and_then(|f| f.iter().find(|f| f["name"] == "service")).cloned();
    let service = service.expect("they have it");
    assert_eq!(
        (&service["events"], &service["share"], &service["approximate"]),
        (&json!(2), &json!(1.0), &json!(false))
    );
    assert_eq!((&matching["events"], &service["distinct"]), (&json!(2), &json!(null)), "{matching}");
    let wrong = house.get(&format!("/api/v1/fields?query={}", encoded("stats conut(*)"))).await;
    assert_eq!((wrong.status, wrong.json()["error"]["line"].clone()), (400, json!(1)));
    let values = house.get("/api/v1/fields/service/values").await.json();
    assert_eq!(values["values"][0], json!({"value": "web", "count": 2, "share": 2.0 / 3.0}), "{values}");
    assert_eq!((&values["distinct"], &values["total"]), (&json!(2), &json!(3)));
}

#[tokio::test]
async fn of_very_many_fields_the_most_frequent_are_listed() {
    let house = House::new();
    let event = |line: usize| {
        let fields: Vec<String> = (0..900).map(|field| format!("\"f{line}_{field}\":1")).collect();
        format!("{{\"message\":\"x\",\"zz\":1,{}}}", fields.join(","))
    };
    let body: Vec<String> = (0..12).map(event).collect();
    assert_eq!(house.post("/api/v1/ingest", body.join("\n")).await.status, 200);
    let answer = house.get("/api/v1/fields").await.json();
    let fields = answer["fields"].as_array().expect("fields");
    assert_eq!((fields.len(), &answer["more"]), (10_000, &json!(true)));
    assert_eq!(fields.last().map(|field| &field["name"]), Some(&json!("zz")));
}

#[tokio::test]
async fn an_answer_that_is_cut_below_the_limit_asked_for_says_so() {
    let house = House::new();
    let body = "{\"message\":\"x\"}\n".repeat(10_001);
    assert_eq!(house.post("/api/v1/ingest", body).await.status, 200);
    let asked = async |query: &str, limit: Option<u64>| {
        let mut question = json!({"query": query, "from": "now-1h", "limit": limit});
        question.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let answer = house.post("/api/v1/query", question.to_string()).await.json();
        let is_told = answer["warnings"].as_array().expect("warnings").iter().any(|one| one["code"] == "more");
        (answer["rows"].as_array().map(Vec::len), answer["more"] == true, is_told)
    };
    assert_eq!(asked("fields @message", Some(50_000)).await, (Some(10_000), true, true));
    assert_eq!(asked("fields @message | limit 50000", None).await, (Some(10_000), true, true));
    assert_eq!(asked("fields @message", None).await, (Some(1_000), true, true));
    assert_eq!(asked("fields @message", Some(10)).await, (Some(10), true, false));
}

#[tokio::test]
async fn groups_are_listed_and_deleted_by_their_encoded_name() {
    let house = House::new();
    house.fill().await;
    let list = house.get("/api/v1/groups").await.json();
    assert_eq!(list["groups"].as_array().map(Vec::len), Some(2));
    let group = house.get("/api/v1/groups/web%2Faccess").await.json();
    assert_eq!((&group["events"], &group["last"]), (&json!(3), &json!("2026-11-20T11:53:30Z")));
    assert_eq!(group["streams"], json!(["web-1"]));
    let delete = async |key: &str| {
        let request = Request::delete("/api/v1/groups/web%2Faccess").header("x-catat-key", key);
        house.send(request.body(Body::empty()).expect("a request")).await.status
    };
    assert_eq!(delete("wrong").await, 401);
    assert_eq!(delete(ADMIN_KEY).await, 200);
    assert_eq!(delete(ADMIN_KEY).await, 404);
    assert_eq!(ask(&house, "stats count(*)").await["rows"][0][0], 2);
}

#[tokio::test]
async fn a_flush_changes_no_answer() {
    let house = House::new();
    house.fill().await;
    let before = ask(&house, "fields @message, @level, service, ms").await;
    let request = Request::post("/api/v1/status/flush?compact=true").header("x-catat-key", ADMIN_KEY);
    assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 200);
    let after = ask(&house, "fields @message, @level, service, ms").await;
    assert_eq!((&before["rows"], &before["ids"]), (&after["rows"], &after["ids"]));
    assert!(after["stats"]["segments_total"].as_u64() > Some(0), "{}", after["stats"]);
}

#[tokio::test]
async fn a_query_asked_again_reads_only_what_is_new() {
    let house = House::new();
    house.fill().await;
    let request = Request::post("/api/v1/status/flush").header("x-catat-key", ADMIN_KEY);
    assert_eq!(house.send(request.body(Body::empty()).expect("a request")).await.status, 200);
    let query = "stats count(*), sum(ms) by @level";
    let first = ask(&house, query).await;
    assert_eq!(first["stats"]["events_cached"], 0);
    let again = ask(&house, query).await;
    assert_eq!((&again["rows"], &again["columns"]), (&first["rows"], &first["columns"]));
    assert_eq!((&again["stats"]["events_cached"], &again["stats"]["segments_opened"]), (&json!(5), &json!(0)));
    let body = r#"{"@timestamp":"2026-11-20T11:58:00Z","message":"new","level":"error","ms":1}"#;
    assert_eq!(house.post("/api/v1/ingest?group=web/access", body).await.status, 200);
    let more = ask(&house, query).await;
    assert_eq!((&more["stats"]["events_scanned"], &more["stats"]["events_cached"]), (&json!(6), &json!(5)));
    assert_ne!(more["rows"], first["rows"]);
    let metrics = house.get("/metrics").await.text();
    assert!(metrics.contains("catat_query_cache_hits_total 2\n"), "{metrics}");
    assert!(metrics.contains("catat_section_cache_hits_total "), "{metrics}");
}

#[tokio::test]
async fn events_of_groups_beyond_the_limit_are_told_of() {
    let house = House::with_limits(Limits { groups: 2, ..Limits::default() });
    house.fill().await;
    assert_eq!(house.get("/api/v1/status").await.json()["warnings"], json!([]));
    assert_eq!(house.post("/api/v1/ingest?group=third", "{\"message\":\"x\"}").await.status, 200);
    let status = house.get("/api/v1/status").await.json();
    assert!(status["warnings"][0].as_str().is_some_and(|text| text.starts_with("1 event went to")), "{status}");
    assert!(house.get("/metrics").await.text().contains("catat_events_overflowed_total 1\n"));
    assert_eq!(ask(&house, "fields @group | filter @log = \"overflow\"").await["rows"], json!([["third"]]));
}

#[tokio::test]
async fn health_status_and_metrics_are_told() {
    let house = House::new();
    house.fill().await;
    assert_eq!(house.get("/-/healthy").await.status, 200);
    assert_eq!(house.get("/-/ready").await.status, 200);
    assert_eq!(house.get("/api/v1/status").await.json()["version"], "0.0.0-test");
    assert_eq!(house.get("/api/openapi.json").await.json()["openapi"], "3.1.0");
    assert_eq!(house.get("/api/v1/queries").await.json()["queries"], json!([]));
    let metrics = house.get("/metrics").await.text();
    assert!(metrics.contains("catat_http_requests_total{route=\"/api/v1/ingest\",status=\"200\"} 2"), "{metrics}");
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let is_typed = |name: &str| metrics.contains(&format!("# TYPE {name} "));
        assert!(is_typed(name) || is_typed(family), "{line}");
    }
    house.closing.send_replace(true);
    assert_eq!(house.get("/-/ready").await.status, 503);
    assert!(house.store.groups().len() == 2);
}

#[tokio::test]
async fn a_query_is_laid_out_without_being_run() {
    let house = House::new();
    let reply = house.post("/api/v1/format", r#"{"query":"FILTER a=1|limit 5 # few"}"#).await;
    assert_eq!((reply.status, reply.json()), (200, json!({"query": "filter a = 1\n| limit 5  # few"})));
    let reply = house.post("/api/v1/format", r#"{"query":"filter a ="}"#).await;
    assert_eq!((reply.status, &reply.json()["error"]["column"]), (400, &json!(11)));
    assert_eq!(house.post("/api/v1/format", "[\"filter a\"]").await.status, 400);
}

#[tokio::test]
async fn a_query_is_checked_without_being_run() {
    let house = House::new();
    let check = async |query: &str| {
        let reply = house.post("/api/v1/check", json!({ "query": query }).to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    assert_eq!(check("filter a = 1").await, json!({"errors": [], "warnings": []}));
    let errors = check("filter é = 1\n| stast count(*)").await["errors"].clone();
    assert_eq!(
        (&errors[0]["line"], &errors[0]["start"], &errors[0]["end"]),
        (&json!(2), &json!(15), &json!(20)),
        "{errors}"
    );
    assert_eq!(check("connection refused").await["warnings"][0]["code"], "phrase-search");
    assert_eq!(house.post("/api/v1/check", r#"{"query":"a","language":"klingon"}"#).await.status, 400);
    assert_eq!(house.post("/api/v1/check", r#"{"query":"a","time_zone":"Mars/Base"}"#).await.status, 400);
}

#[tokio::test]
async fn a_written_range_is_told_by_its_ends() {
    let house = House::new();
    let time = async |text: &str, zone: &str| {
        house.get(&format!("/api/v1/time?text={}&time_zone={zone}", encoded(text))).await
    };
    let reply = time("2h", "").await;
    assert_eq!((reply.status, &reply.json()["from"], &reply.json()["to"]), (200, &json!("now-2h"), &json!("now")));
    let reply = time("2026-11-20 06:00..07:00", "Asia/Jakarta").await;
    let (from, to) = (json!("2026-11-19T23:00:00Z"), json!("2026-11-20T00:00:00Z"));
    assert_eq!(reply.json(), json!({"from": from, "to": to, "from_time": from, "to_time": to}));
    let reply = time("yésterday .. soon", "").await;
    let error = reply.json()["error"].clone();
    assert_eq!(
        (reply.status, &error["code"], &error["start"], &error["end"]),
        (400, &json!("bad-time"), &json!(0), &json!(9)),
        "{error}"
    );
    assert_eq!(time("2h", "Mars/Base").await.json()["error"]["code"], "unknown-time-zone");
    // Where a range is asked for, its beginning may be written with its end.
    let ends =
        async |from: &str| house.get(&format!("/api/v1/query?query=limit%201&from={}", encoded(from))).await.status;
    assert_eq!(
        (ends("06:00..07:00").await, ends("yesterday 14:00").await, ends("2h..").await, ends("2h..soon").await),
        (200, 200, 200, 400)
    );
}

#[tokio::test]
async fn completion_knows_the_language_the_fields_and_their_values() {
    let house = House::new();
    house.fill().await;
    let complete = async |text: &str| {
        let (head, tail) = text.split_once('¦').expect("a mark");
        let body = json!({"query": format!("{head}{tail}"), "cursor": head.encode_utf16().count()});
        let reply = house.post("/api/v1/complete", body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let labels = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["label"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(labels(&complete("ti¦").await), ["timechart"]);
    let found = complete("filter ser¦").await;
    assert_eq!(
        found["items"][0],
        json!({"kind": "field", "label": "service", "insert": "service", "detail": "string", "types": ["string"], "events": 3, "share": 0.6})
    );
    let found = complete("filter service = ¦").await;
    assert_eq!(
        found["items"][0],
        json!({"kind": "value", "label": "web", "insert": "\"web\"", "detail": "2 events", "count": 2, "share": 2.0 / 3.0})
    );
    let found = complete("filter ms > 20 | filter service = 'A¦' | limit 1").await;
    assert_eq!((&found["start"], &found["end"], labels(&found)), (&json!(34), &json!(37), vec!["api".to_owned()]));
    assert_eq!(found["items"][0]["insert"], "'api'");
    assert_eq!(labels(&complete("source \"w¦").await), ["web/access"]);
    assert_eq!(labels(&complete("stats count(*) as n by service | sort ¦").await)[..2], ["service", "n"]);
    assert!(!labels(&complete("stats count(*) as n by service | sort ¦").await).contains(&"ms".to_owned()));
    assert_eq!(house.post("/api/v1/complete", r#"{"text":""}"#).await.status, 400);
}

#[tokio::test]
async fn other_languages_are_translated_and_answered() {
    let house = House::new();
    house.fill().await;
    let reply = house.post("/api/v1/translate", r#"{"query":"service:web AND ms:>20","language":"kql"}"#).await;
    let translated = reply.json()["query"].as_str().unwrap_or_default().to_owned();
    assert_eq!(translated, "filter service has \"web\" and ms > 20");
    let body = json!({"query": "service:web AND ms:>20", "language": "lucene"});
    let asked = house.post("/api/v1/query", body.to_string()).await.json();
    let rows = ask(&house, &translated).await["rows"].clone();
    assert_eq!((&asked["rows"], rows.as_array().map(Vec::len)), (&rows, Some(1)));
    let reply = house.post("/api/v1/translate", r#"{"query":"a AND","language":"lucene"}"#).await;
    assert_eq!((reply.status, &reply.json()["error"]["column"]), (400, &json!(6)));
    assert_eq!(house.post("/api/v1/translate", r#"{"query":"a","language":"sql"}"#).await.status, 400);
}

#[tokio::test]
async fn an_explanation_says_what_was_pushed_down_and_what_it_came_to() {
    let house = House::new();
    house.fill().await;
    let body = json!({"query": "filter @message like \"GET\" | stats count(*) as n by service", "explain": true});
    let explained = house.post("/api/v1/query", body.to_string()).await.json()["explain"].clone();
    let steps = explained["steps"].as_array().cloned().unwrap_or_default();
    let stages: Vec<&str> = steps.iter().filter_map(|step| step["stage"].as_str()).collect();
    assert_eq!(stages, ["block", "merge", "rows"], "{explained}");
    assert_eq!(steps[0]["index"]["literal"], "GET");
    assert_eq!((&explained["estimated"]["events"], &explained["actual"]["events_matched"]), (&json!(5), &json!(3)));
    assert!(
        explained["text"].as_str().is_some_and(|text| text.contains("actual  5 events scanned, 3 matched")),
        "{explained}"
    );
}
