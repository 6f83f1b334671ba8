//! Deleted events are in no answer of any route, and only who may delete them can.

use serde_json::json;

use super::*;

const EVENTS: &str = "/api/v1/groups/web%2Faccess/delete-events";
const RANGE: &str = "from=2026-11-20T11:00:00Z&to=2026-11-20T12:00:00Z";

/// Returns a service with events of which one, in `web/access`, is of Ann: with her name as value and as a field.
async fn filled() -> House {
    let house = House::new();
    house.fill().await;
    let anns = r#"{"@timestamp":"2026-11-20T11:56:00Z","message":"login of annxyz","level":"fatal","service":"annxyz","annxyz":1}"#;
    assert_eq!(house.post("/api/v1/ingest?group=web/access&stream=web-1", anns).await.status, 200);
    house
}

async fn delete(house: &House, body: Value) -> Reply {
    house.administer("POST", EVENTS, body.to_string()).await
}

fn anns() -> Value {
    json!({"query": "filter service = \"annxyz\"", "from": "now-1h", "to": "now", "reason": "ticket 7"})
}

/// Returns every way to see the events, with its answer.
async fn seen(house: &House) -> Vec<(String, String)> {
    let query = |text: &str| format!("/api/v1/query?query={text}&{RANGE}");
    let paths = [
        query("fields+@message,+service"),
        query("filter+@any+like+%22annxyz%22"),
        query("filter+@message+like+%22annxyz%22"),
        query("stats+count(*)+by+service"),
        query("stats+count(*)+by+@level"),
        query("stats+max(@timestamp)"),
        query("filter+ispresent(annxyz)"),
        format!("/api/v1/histogram?query=&{RANGE}&buckets=10"),
        format!("/api/v1/fields?{RANGE}"),
        format!("/api/v1/fields/service/values?query=&{RANGE}"),
        "/api/v1/groups".into(),
        "/loki/api/v1/query_range?query=%7Bgroup%3D%22web/access%22%7D&start=1795172400&end=1795176000".into(),
        "/loki/api/v1/query?query=count_over_time(%7Bgroup%3D%22web/access%22%7D%5B1h%5D)&time=1795176000".into(),
        "/loki/api/v1/label/level/values?start=1795172400&end=1795176000".into(),
    ];
    let mut answers = Vec::new();
    for path in paths {
        let reply = house.get(&path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        answers.push((path, reply.text()));
    }
    for form in ["text/csv", "application/x-ndjson"] {
        let reply = house.get_with(&query("fields+@message,+service"), "accept", form).await;
        answers.push((form.into(), reply.text()));
    }
    answers
}

/// Returns what an answer says, without how long it took and how much it read.
fn said(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    for name in ["stats", "groups"] {
        value.as_object_mut().map(|answer| answer.remove(name));
    }
    if let Some(data) = value.get_mut("data").and_then(Value::as_object_mut) {
        data.remove("stats");
    }
    value.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_events_are_in_no_answer_hot_flushed_and_written_again() {
    let never = House::new();
    never.fill().await;
    let expected = seen(&never).await;
    for is_flushed in [false, true] {
        let house = filled().await;
        if is_flushed {
            house.store.flush().expect("room");
        }
        let before = seen(&house).await;
        let differs =
            |((_, found), (_, expected)): &(&(String, String), &(String, String))| said(found) != said(expected);
        assert!(before.iter().zip(&expected).filter(differs).count() > 10, "the event can be seen");
        let reply = delete(&house, anns()).await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["matched"], &answer["deleted"]), (200, &json!(1), &json!(1)), "{answer}");
        for step in ["deleted", "flushed", "written again"] {
            for ((path, found), (_, expected)) in seen(&house).await.iter().zip(&expected) {
                assert!(!found.contains("annxyz"), "{step}: {path}: {found}");
                if path.starts_with("/api/v1/query")
                    || path.starts_with("/api/v1/histogram")
                    || path.starts_with("/loki")
                {
                    // A truth, and what is around it.
                    let (found, expected) = (without_ids(&said(found)), without_ids(&said(expected)));
                    assert_eq!(found, expected, "{step}: {path}");
                }
            }
            let group = house.get("/api/v1/groups/web%2Faccess").await.json();
            assert_eq!((&group["events"], &group["last"]), (&json!(3), &json!("2026-11-20T11:53:30Z")), "{step}");
            match step {
                "deleted" => house.store.flush().expect("room"),
                _ => house.store.compact().expect("room"),
            }
        }
        let id = answer["id"].as_str().expect("it was recorded");
        let receipt = reclaimed(&house, id).await;
        assert_eq!(receipt["segments_left"], 0, "{receipt}");
        assert_eq!((&receipt["reason"], &receipt["requested_by"]), (&json!("ticket 7"), &json!("admin key")));
        assert_eq!(receipt["segments"].as_array().map(Vec::len), Some(usize::from(is_flushed)));
        assert!(!receipt.to_string().contains("annxyz"), "the receipt holds no text of the query");
        let list = house.administer("GET", EVENTS, "").await.json();
        assert_eq!(list["deletions"].as_array().map(Vec::len), Some(1));
    }
}

/// Returns the receipt of a deletion whose events are gone from the disk. The thread of a query may let its snapshot go a
/// moment after its answer was read, and files go with the last snapshot.
async fn reclaimed(house: &House, id: &str) -> Value {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let receipt = house.administer("GET", &format!("{EVENTS}/{id}"), "").await.json();
        if receipt["state"] == "reclaimed" {
            return receipt;
        }
        assert!(std::time::Instant::now() < deadline, "{receipt}");
        tokio::task::yield_now().await;
        house.store.compact().expect("room");
    }
}

/// Ids differ from store to store in what comes with the writer's epoch.
fn without_ids(text: &str) -> String {
    text.split("\"@id\"").next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_comes_back_is_given_nothing_deleted() {
    let house = filled().await;
    assert_eq!(delete(&house, anns()).await.status, 200);
    let first = house.get(&format!("/api/v1/query?query=fields+@id+|+sort+@timestamp+|+limit+1&{RANGE}")).await.json();
    let id = first["rows"][0][0].as_str().expect("an id").to_owned();
    let request = Request::get("/api/v1/tail").header("last-event-id", id).body(Body::empty()).expect("a request");
    let mut body = house.start(request).await.into_body().into_data_stream();
    let mut text = String::new();
    while text.matches("event: event").count() < 4 {
        let piece = tokio_stream::StreamExt::next(&mut body).await.expect("it goes on").expect("it is whole");
        text += &String::from_utf8_lossy(&piece);
    }
    assert!(!text.contains("annxyz"), "{text}");
    house.closing.send_replace(true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_checked_before_anything_is_deleted() {
    let house = filled().await;
    let all = json!({"query": "fields @timestamp", "all_time": true});
    let with = |name: &str, value: Value| {
        let mut body = anns();
        body[name] = value;
        body
    };
    let without_range = json!({"query": "filter service = \"annxyz\""});
    for (body, status, code) in [
        (without_range, 400, "range-required"),
        (json!({"query": "filter a = 1", "to": "now"}), 400, "range-required"),
        (with("all_time", json!(true)), 400, "bad-range"),
        (with("from", json!("now+1h")), 400, "empty-range"),
        (with("from", json!("yesterday-ish")), 400, "bad-time"),
        (with("query", json!("")), 400, "empty-query"),
        (with("query", json!("annxyz login")), 400, "no-query"),
        (with("query", json!("filter service = \"annxyz\" | limit 1")), 400, "not-a-filter"),
        (with("query", json!("filter service =")), 400, "syntax"),
        (with("limit", json!(1)), 400, "bad-json"),
        (json!([]), 400, "bad-json"),
    ] {
        let reply = delete(&house, body.clone()).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (status, &json!(code)), "{body}");
    }
    let located = delete(&house, with("query", json!("filter a = 1\n| sort a"))).await.json();
    assert_eq!((&located["error"]["line"], &located["error"]["column"]), (&json!(2), &json!(3)), "{located}");
    let unknown = house.administer("POST", "/api/v1/groups/nowhere/delete-events", all.to_string()).await;
    assert_eq!(unknown.status, 404);
    for (method, path) in [("POST", EVENTS.to_owned()), ("GET", EVENTS.to_owned()), ("GET", format!("{EVENTS}/1"))] {
        let request = Request::builder().method(method).uri(&path).body(all.to_string().into()).expect("a request");
        assert_eq!(house.send(request).await.status, 401, "{method} {path}");
    }
    assert_eq!(house.administer("GET", &format!("{EVENTS}/1"), "").await.status, 404);
    let group = house.get("/api/v1/groups/web%2Faccess").await.json();
    assert_eq!(group["events"], json!(4), "nothing was deleted by all that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_the_same_again_deletes_nothing() {
    let house = filled().await;
    let mut dry = anns();
    dry["dry_run"] = true.into();
    let counted = delete(&house, dry).await.json();
    assert_eq!((&counted["matched"], &counted["deleted"], &counted["id"]), (&json!(1), &json!(0), &json!(null)));
    assert_eq!(delete(&house, anns()).await.json()["deleted"], json!(1));
    let again = delete(&house, anns()).await.json();
    assert_eq!((&again["matched"], &again["deleted"], &again["id"]), (&json!(0), &json!(0), &json!(null)), "{again}");
    let rest = json!({"query": "fields @timestamp", "all_time": true});
    let all = delete(&house, rest).await.json();
    assert_eq!((&all["deleted"], &all["all_time"], &all["from"]), (&json!(3), &json!(true), &json!(null)), "{all}");
    let groups = house.get("/api/v1/groups").await.json();
    let n_events: Vec<u64> =
        groups["groups"].as_array().into_iter().flatten().filter_map(|g| g["events"].as_u64()).collect();
    assert_eq!(n_events, [2, 0], "the other group is as it was, this one stays");
}
