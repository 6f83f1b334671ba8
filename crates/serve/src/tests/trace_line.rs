//! `/api/v1/sources/trace`: a line is followed to the stage at which it ended, and what a caller may not see is not named.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::House;

const PATH: &str = "/var/log/app.log";

async fn trace(house: &House, body: &Value) -> Value {
    let reply = house.administer("POST", "/api/v1/sources/trace", body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Returns the outcome of each stage.
fn outcomes(trace: &Value) -> Vec<String> {
    let stages = trace["stages"].as_array().expect("stages").iter();
    stages.map(|stage| format!("{} {}", stage["stage"], stage["outcome"]).replace('"', "")).collect()
}

fn verdict(trace: &Value) -> &str {
    trace["verdict"].as_str().unwrap_or_default()
}

/// Ships lines as a shipper does, from offset `start` on.
async fn ship(house: &House, start: usize, lines: &str) {
    let header = json!({"source": "s1", "file": "f1", "generation": 0, "start": start, "host": "web-1", "path": PATH});
    let uri = "/api/v1/ingest?format=lines&group=app/a&stream=web-1:/var/log/app.log";
    let reply = house.administer("POST", uri, format!("{header}\n{lines}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

async fn report(house: &House, size: usize, offset: usize) {
    let file =
        json!({"file": "f1", "path": PATH, "group": "app/a", "stream": "web-1:x", "size": size, "offset": offset});
    let body = json!({"host": "web-1", "version": "1", "files": [file]}).to_string();
    assert_eq!(house.administer("POST", "/api/v1/sources/s1", body).await.status, 200);
}

fn place(offset: usize, text: &str) -> Value {
    json!({"text": text, "path": PATH, "host": "web-1", "offset": offset, "length": text.len()})
}

fn set_pipelines(house: &House, definitions: &Value) {
    house.server.app.intake.set_pipelines(ingest::Pipelines::compile(definitions).expect("they are right"));
}

const FIRST: &str = "2026-11-20T11:59:00Z ERROR no tea\n";
const SECOND: &str = "2026-11-20T11:59:01Z INFO tea is back\n";

#[tokio::test]
async fn a_shipped_line_is_followed_into_the_answer_of_a_query() {
    let house = House::new();
    ship(&house, 0, &format!("{FIRST}{SECOND}")).await;
    report(&house, 200, FIRST.len() + SECOND.len()).await;
    let mut body = place(0, FIRST);
    body["query"] = json!("filter @level = \"error\"");
    let found = trace(&house, &body).await;
    let expected = [
        "delivery passed", "recognised passed", "pipeline passed", "limits passed", "group passed", "store passed",
        "range passed", "query passed",
    ];
    assert_eq!(outcomes(&found), expected, "{found}");
    assert_eq!((&found["ended"], verdict(&found)), (&Value::Null, "it is in the answer: row 1 of the newest 1000"));
    assert_eq!(found["events"][0]["text"], FIRST.trim_end());
    house.administer("POST", "/api/v1/status/flush?compact=true", "").await;
    assert_eq!(trace(&house, &body).await["events"], found["events"]);
}

#[tokio::test]
async fn the_command_that_leaves_an_event_out_is_named() {
    let house = House::new();
    ship(&house, 0, &format!("{FIRST}{SECOND}")).await;
    let asked = |query: &str, more: Value| {
        let mut body = place(FIRST.len(), SECOND);
        body["query"] = json!(query);
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        body
    };
    for (query, more, ended, said) in [
        ("filter @message like /tea/ | filter @level = \"error\"", json!({}), "query", "the condition `filter"),
        ("fields @message", json!({"groups": ["web/*"]}), "range", "the query asks the groups web/*"),
        ("fields @message", json!({"from": "now-30s"}), "range", "the query is about"),
        ("filter offset < 5", json!({}), "query", "leaves it out"),
    ] {
        let found = trace(&house, &asked(query, more)).await;
        assert_eq!(found["ended"], ended, "{found}");
        assert!(verdict(&found).contains(said), "{found}");
    }
    let counted = trace(&house, &asked("filter @level = \"info\" | stats count(*) by bin(1m)", json!({}))).await;
    assert!(verdict(&counted).starts_with("all conditions let it through; it is one of the events of"), "{counted}");
    let mut first = place(0, FIRST);
    first["query"] = json!("fields @message | limit 1");
    let found = trace(&house, &first).await;
    assert_eq!(verdict(&found), "it matches, but the answer shows the newest 1 of 2 events up to it", "{found}");
}

#[tokio::test]
async fn lines_that_were_not_sent_or_never_arrived_are_told_apart() {
    let house = House::new();
    let unknown = trace(&house, &json!({"path": PATH, "offset": 0, "length": 10})).await;
    assert!(unknown["stages"][0]["text"].as_str().is_some_and(|text| text.starts_with("no shipper")), "{unknown}");
    ship(&house, 0, FIRST).await;
    ship(&house, 100, SECOND).await;
    report(&house, 500, 300).await;
    for (offset, ended, said) in [
        (40, "delivery", "never arrived"),
        (400, "delivery", "has not delivered it yet: 300 of 500 bytes of the file are acknowledged"),
        (600, "delivery", "last saw 500 bytes of the file"),
    ] {
        let found = trace(&house, &json!({"path": PATH, "offset": offset, "length": 10})).await;
        assert_eq!(found["ended"], ended, "{found}");
        assert!(verdict(&found).contains(said), "{found}");
    }
}

#[tokio::test]
async fn pipelines_limits_and_retention_are_stages() {
    let house = House::new();
    let line = json!({"text": "GET /healthz token=abc", "group": "app/a"});
    set_pipelines(&house, &json!([{"name": "noise", "steps": [{"drop": "event", "when": {"contains": "healthz"}}]}]));
    let dropped = trace(&house, &line).await;
    assert_eq!(
        (&dropped["ended"], verdict(&dropped)),
        (&json!("pipeline"), "dropped by step 1 of the pipeline \"noise\"")
    );
    set_pipelines(&house, &json!([]));
    house.post("/api/v1/ingest?group=app/a&format=text", "GET /healthz token=abc").await;
    set_pipelines(&house, &json!([{"name": "noise", "steps": [{"drop": "event"}]}]));
    let stored = trace(&house, &line).await;
    assert_eq!(stored["ended"], Value::Null, "{stored}");
    assert!(stored["stages"][1]["text"].as_str().is_some_and(|text| text.starts_with("it is stored, although")));
    set_pipelines(&house, &json!([]));
    let settings = json!({"retention": {"age": "1d"}}).to_string();
    house.administer("PUT", "/api/v1/groups/app%2Fa", settings).await;
    let old = trace(&house, &json!({"text": "2026-11-01T00:00:00Z old", "group": "app/a"})).await;
    assert_eq!(old["ended"], "group", "{old}");
    assert!(verdict(&old).contains("retention by age"), "{old}");
    let long = trace(&house, &json!({"text": "x".repeat(3 << 20), "group": "b"})).await;
    assert!(long["stages"][2]["text"].as_str().is_some_and(|text| text.contains("split into 3 events")));
    assert!(verdict(&long).starts_with("no event in the store is this line"), "{long}");
}

#[tokio::test]
async fn deleted_events_are_explained_by_the_deletion() {
    let house = House::new();
    ship(&house, 0, &format!("{FIRST}{SECOND}")).await;
    let order = json!({"query": "filter @level = \"error\"", "all_time": true}).to_string();
    let reply = house.administer("POST", "/api/v1/groups/app%2Fa/delete-events", order).await;
    assert_eq!(reply.json()["deleted"], 1, "{}", reply.text());
    let found = trace(&house, &place(0, FIRST)).await;
    assert_eq!(found["ended"], "store", "{found}");
    let stage = found["stages"].as_array().and_then(|stages| stages.iter().find(|stage| stage["stage"] == "deletion"));
    assert_eq!(stage.map(|stage| stage["outcome"].clone()), Some(json!("unknown")), "{found}");
}

#[tokio::test]
async fn a_key_for_some_groups_learns_nothing_of_others() {
    let house = House::new();
    ship(&house, 0, FIRST).await;
    let (_, reader) = house.key("read", &["web/*"]).await;
    set_pipelines(&house, &json!([{"name": "r", "match": {"group": "web/*"}, "steps": [{"route": "secret/pay"}]}]));
    let asked = async |body: Value| {
        let request = Request::post("/api/v1/sources/trace").header("authorization", format!("Bearer {reader}"));
        house.send(request.body(Body::from(body.to_string())).expect("a request")).await
    };
    let other = asked(json!({"text": FIRST, "group": "app/a"})).await.json();
    assert_eq!((&other["ended"], outcomes(&other).len()), (&json!("scope"), 1), "{other}");
    let routed = asked(json!({"text": FIRST, "group": "web/x"})).await;
    assert!(routed.json()["ended"] == "scope" && !routed.text().contains("secret"), "{}", routed.text());
    let by_place = asked(json!({"text": "x", "path": PATH, "offset": 0, "group": "web/x"})).await;
    assert!(!by_place.text().contains("app/a"), "{}", by_place.text());
}

#[tokio::test]
async fn a_guess_of_a_masked_value_is_not_confirmed_to_readers() {
    let house = House::new();
    let hashing = json!([{"name": "m", "steps": [{"mask": ["email"], "hash_key": "a key of sixteen signs"}]}]);
    set_pipelines(&house, &hashing);
    house.post("/api/v1/ingest?group=app/a&format=text", "login of bob@example.com").await;
    let (_, reader) = house.key("read", &["app/*"]).await;
    let guess = json!({"text": "login of bob@example.com", "group": "app/a"});
    let request = Request::post("/api/v1/sources/trace").header("authorization", format!("Bearer {reader}"));
    let seen = house.send(request.body(Body::from(guess.to_string())).expect("a request")).await;
    assert_eq!(seen.json()["events"], json!([]), "{}", seen.text());
    assert!(!seen.text().contains("[email:"), "{}", seen.text());
    let admin = trace(&house, &guess).await;
    assert_eq!(admin["events"].as_array().map(Vec::len), Some(1), "{admin}");
}

#[tokio::test]
async fn bodies_that_ask_for_nothing_are_refused_with_a_hint() {
    let house = House::new();
    for (body, said) in [
        ("{}", "neither text nor path and offset"),
        ("[]", "it is an array"),
        (r#"{"text":"x","offset":1}"#, "path is missing"),
        (r#"{"text":"x","file":"f","path":"/a"}"#, "file and generation come together"),
        (r#"{"text":"x","from":"now-1h"}"#, "belong to query"),
        (r#"{"txt":"x"}"#, "unknown field `txt`"),
        (r#"{"text":"x","zone":"Mars/Base"}"#, "zone"),
        (r#"{"text":"x","query":"filter ("}"#, ""),
    ] {
        let reply = house.administer("POST", "/api/v1/sources/trace", body).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
        assert!(reply.text().contains(said), "{body}: {}", reply.text());
    }
}
