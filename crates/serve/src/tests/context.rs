//! What happened around an event: neighbours in its stream and around its instant, however they are stored.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{House, encoded};

/// Seconds and streams of the events of a group. Many share an instant.
fn second(n: usize) -> usize {
    n / 7 * 3
}

fn time(n: usize) -> String {
    let at = second(n);
    format!("2026-11-20T{:02}:{:02}:{:02}Z", 10 + at / 3600, at / 60 % 60, at % 60)
}

async fn send(house: &House, group: &str, stream: &str, from: usize, to: usize) {
    let line = |n: usize| {
        let host = ["h1", "h2"][n % 2];
        json!({"@timestamp": time(n), "message": format!("{group} {stream} {n}"), "host": host, "n": n}).to_string()
    };
    let body: Vec<String> = (from..to).map(line).collect();
    let reply = house.post(&format!("/api/v1/ingest?group={group}&stream={stream}"), body.join("\n")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

async fn flush(house: &House, how: &str) {
    let reply = house.administer("POST", &format!("/api/v1/status/flush{how}"), "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Returns every event with its id, oldest first, ties by id.
async fn all(house: &House, filter: &str) -> Vec<(String, String)> {
    let query = format!("fields @message, @timestamp, @id {filter} | sort @timestamp asc, @id asc | limit 10000");
    let uri = format!("/api/v1/query?from=2026-11-20T00:00:00Z&query={}", encoded(&query));
    let answer = house.get(&uri).await.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    answer["rows"].as_array().expect("rows").iter().map(|row| (text(&row[2]), text(&row[0]))).collect()
}

async fn context(house: &House, id: &str, parameters: &str) -> Value {
    let reply = house.get(&format!("/api/v1/context?id={id}&{parameters}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn ids(answer: &Value) -> Vec<String> {
    let ids = answer["ids"].as_array().expect("ids");
    ids.iter().map(|id| id.as_str().unwrap_or_default().to_owned()).collect()
}

/// Returns what should be shown around the event at `at` of those in `of`.
fn expected(of: &[(String, String)], at: usize, before: usize, after: usize) -> Vec<String> {
    let around = &of[at.saturating_sub(before)..of.len().min(at + after + 1)];
    around.iter().map(|(id, _)| id.clone()).collect()
}

async fn check(house: &House, filter: &str, parameters: &str) {
    let of = all(house, filter).await;
    for at in [0, 1, 33, 150, of.len() / 2, of.len() - 2, of.len() - 1] {
        for (before, after) in [(0, 0), (1, 5), (20, 20), (1000, 3)] {
            let (id, _) = &of[at];
            let answer = context(house, id, &format!("before={before}&after={after}&{parameters}")).await;
            assert_eq!(ids(&answer), expected(&of, at, before, after), "{parameters} {at} {before} {after}");
            assert_eq!(answer["place"], json!(at.min(before)));
            assert_eq!(
                (&answer["more_before"], &answer["more_after"]),
                (&json!(at > before), &json!(at + after + 1 < of.len()))
            );
            assert_eq!(answer["event"]["@id"], json!(id));
        }
    }
}

#[tokio::test]
async fn neighbours_are_the_same_however_events_are_stored() {
    let house = House::new();
    let fill = async |from, to| {
        send(&house, "web", "one", from, to).await;
        send(&house, "web", "two", from, to).await;
        send(&house, "db", "one", from, to).await;
    };
    fill(0, 150).await;
    flush(&house, "").await;
    fill(150, 260).await;
    for how in ["half of them hot", "flushed", "compacted"] {
        let one = "| filter @log = \"web\" and @logStream = \"one\"";
        check(&house, one, "").await;
        check(&house, "| filter @log = \"web\"", "stream=*&groups=web").await;
        check(&house, "", "stream=*").await;
        flush(&house, if how == "flushed" { "?compact=true" } else { "" }).await;
    }
}

#[tokio::test]
async fn a_filter_chooses_what_is_shown_and_never_loses_the_event() {
    let house = House::new();
    send(&house, "web", "one", 0, 100).await;
    let of = all(&house, "").await;
    let query = encoded("filter host = \"h2\" | fields @timestamp, n, n * 2 as m");
    let answer = context(&house, &of[50].0, &format!("before=2&after=2&query={query}")).await;
    let shown: Vec<&Value> = answer["rows"].as_array().expect("rows").iter().map(|row| &row[1]).collect();
    assert_eq!(shown, [&json!(47), &json!(49), &json!(50), &json!(51), &json!(53)]);
    assert_eq!((&answer["place"], &answer["rows"][2][2]), (&json!(2), &json!(100)));
    let names: BTreeSet<&str> =
        answer["columns"].as_array().expect("columns").iter().filter_map(|c| c["name"].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["@timestamp", "m", "n"]));
    let nothing = context(&house, &of[50].0, &format!("query={}", encoded("filter n = 1000"))).await;
    assert_eq!((ids(&nothing), &nothing["place"]), (vec![of[50].0.clone()], &json!(0)));
}

#[tokio::test]
async fn events_without_a_stream_have_neighbours_without_one() {
    let house = House::new();
    house.fill().await;
    send(&house, "db", "named", 2000, 2010).await;
    let answer = house.get(&format!("/api/v1/query?query={}", encoded("filter @message = \"ready\""))).await.json();
    let around = context(&house, answer["ids"][0].as_str().expect("an id"), "query=fields%20%40message").await;
    assert_eq!(around["rows"], json!([["slow query"], ["ready"]]), "{around}");
}

#[tokio::test]
async fn what_lies_far_costs_nothing() {
    let house = House::new();
    // A quarter of an hour from each other, in segments of their own.
    for quarter in 0..6 {
        send(&house, "web", "one", quarter * 2100, quarter * 2100 + 30).await;
        flush(&house, "").await;
    }
    let of = all(&house, "").await;
    let near = context(&house, &of[100].0, "before=5&after=5").await;
    // One segment, for the event itself and for either side of it.
    assert!(near["stats"]["segments_opened"].as_u64() <= Some(3), "{}", near["stats"]);
    assert!(near["stats"]["events_scanned"].as_u64() < Some(70), "{}", near["stats"]);
    let far = context(&house, &of[100].0, "before=1000&after=1000").await;
    assert_eq!((ids(&far).len(), &far["more"]), (of.len(), &json!(false)));
}

#[tokio::test]
async fn what_is_gone_or_out_of_reach_is_not_found() {
    let house = House::new();
    send(&house, "web", "one", 0, 30).await;
    send(&house, "db", "one", 0, 30).await;
    let of = all(&house, "| filter @log = \"web\"").await;
    let (id, _) = &of[10];
    let (_, key) = house.key("read", &["db"]).await;
    let uri = format!("/api/v1/context?id={id}");
    let foreign = house.get_with(&uri, "x-catat-key", &key).await;
    assert_eq!(house.administer("DELETE", "/api/v1/groups/web", "").await.status, 200);
    let gone = house.administer("GET", &uri, "").await;
    assert_eq!((foreign.status, gone.status), (404, 404));
    // Who may not see the group is told nothing but what the id itself says.
    assert_eq!(foreign.text(), gone.text());
    assert_eq!(gone.json()["error"]["code"], "event-gone");
    assert!(gone.text().contains(&time(10)), "{}", gone.text());
    let wide = all_as(&house, &key).await;
    let around = house.get_with(&format!("/api/v1/context?id={wide}&stream=*"), "x-catat-key", &key).await;
    assert_eq!(around.json()["rows"].as_array().map(Vec::len), Some(30), "{}", around.text());
}

/// Returns an event that a key sees.
async fn all_as(house: &House, key: &str) -> String {
    let uri = "/api/v1/query?from=2026-11-20T00:00:00Z&limit=1";
    let answer = house.get_with(uri, "x-catat-key", key).await.json();
    answer["ids"][0].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_place() {
    let house = House::new();
    send(&house, "web", "one", 0, 3).await;
    let id = &all(&house, "").await[1].0;
    let cases = [
        ("id=".to_owned(), "bad-id"),
        ("id=nonsense".to_owned(), "bad-id"),
        (format!("id={id}&stream=two"), "bad-parameter"),
        (format!("id={id}&groups=web"), "bad-parameter"),
        (format!("id={id}&before=-1"), "bad-parameter"),
        (format!("id={id}&from=now"), "unknown-parameter"),
        (format!("id={id}&query={}", encoded("stats count(*)")), "context-query"),
        (format!("id={id}&query={}", encoded("source logGroups(namePrefix: ['web'])")), "context-query"),
        (format!("id={id}&query={}", encoded("filter n in (source \"db\" | fields n)")), "context-query"),
    ];
    for (parameters, code) in cases {
        let reply = house.get(&format!("/api/v1/context?{parameters}")).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!(code)), "{parameters}");
    }
    let reply = house.get(&format!("/api/v1/context?id={id}&query={}", encoded("filter nonsense ==== 1"))).await;
    assert!(reply.status == 400 && reply.json()["error"]["start"].is_number(), "{}", reply.text());
}

#[tokio::test]
async fn an_event_with_a_trace_says_its_exceptions_its_issue_and_its_program() {
    let house = House::new();
    let trace = "a.Failed: no letter\n\tat shop.Mail.send(Mail.java:3)\n\tat java.base/java.lang.Thread.run(Thread.java:9)\n\
        Caused by: a.Gone: k\n\tat shop.Db.read(Db.java:7)\n\t... 2 more";
    let lines = [
        json!({"@timestamp": time(0), "level": "error", "message": trace, "service": "pay \"1\""}),
        json!({"@timestamp": time(7), "level": "info", "message": trace}),
        json!({"@timestamp": time(14), "level": "error", "message": "failed\nagain"}),
    ];
    let body: Vec<String> = lines.iter().map(Value::to_string).collect();
    let reply = house.post("/api/v1/ingest?group=web&stream=one", body.join("\n")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let issues = house.get("/api/v1/issues").await.json();
    let of = all(&house, "").await;
    let event = async |at: usize| context(&house, &of[at].0, "before=0&after=0").await["event"]["exception"].clone();
    let found = event(0).await;
    let shown: Vec<String> = found["exceptions"]
        .as_array()
        .expect("exceptions")
        .iter()
        .map(|one| {
            let frames = one["frames"].as_array().expect("frames").iter();
            let frames: Vec<String> =
                frames.map(|frame| format!("{}{}:{}", frame["own"], frame["function"], frame["line"])).collect();
            format!("{} {} {}", one["type"], one["message"], frames.join(" "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#""a.Failed" "no letter" true"shop.Mail.send":3 false"java.lang.Thread.run":9"#,
            r#""a.Gone" "k" true"shop.Db.read":7 true"shop.Mail.send":3 false"java.lang.Thread.run":9"#,
        ]
    );
    assert_eq!(found["text"], json!(trace));
    let of_program = |issue: &&Value| issue["service"] == json!("pay \"1\"");
    let issue = issues["issues"].as_array().expect("issues").iter().find(of_program).expect("its issue");
    assert_eq!(found["issue"], issue["id"]);
    let program = found["program"].as_str().expect("a query").to_owned();
    let uri = format!("/api/v1/query?from=2026-11-20T00:00:00Z&query={}", encoded(&program));
    let rows = house.get(&uri).await.json()["rows"].as_array().expect("rows").len();
    assert_eq!(rows, 3, "{program}: lines of its stream that name no other service");
    assert_eq!(event(1).await["issue"], Value::Null, "a line that is no error has no issue");
    assert_eq!(event(2).await, Value::Null);
}
