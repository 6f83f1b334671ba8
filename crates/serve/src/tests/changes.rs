//! What changed: new, gone and jumping patterns with where they come from and their first event, and restarts.

use serde_json::{Value, json};

use super::{House, encoded};

const RANGE: &str = "from=2026-11-20T10:00:00Z&to=2026-11-20T10:59:59.999999999Z";

fn line(time: &str, text: &str, level: &str, service: &str, host: &str) -> String {
    let event =
        json!({"@timestamp": time, "@message": text, "level": level, "service": service, "host": host, "pid": 7});
    event.to_string() + "\n"
}

/// Returns an hour as usual, and one in which things went wrong.
fn lines() -> String {
    let mut all = String::new();
    for n in 0..60 {
        for hour in ["09", "10"] {
            let at = format!("2026-11-20T{hour}:{n:02}:05Z");
            all += &line(&at, &format!("request {n} took {n} ms"), "info", "web", ["web-1", "web-2"][n % 2]);
        }
        let (before, now) = (format!("2026-11-20T09:{n:02}:10Z"), format!("2026-11-20T10:{n:02}:10Z"));
        if n % 10 == 0 {
            all += &line(&before, &format!("slow answer of db-{n}"), "warn", "web", "web-1");
            all += &line(&before, "cache warmed", "info", "web", "web-1");
        }
        if n % 2 == 0 {
            all += &line(&now, &format!("slow answer of db-{n}"), "warn", "web", "web-1");
        }
        if n >= 30 {
            all +=
                &line(&now, &format!("connection to db-{n} refused"), "error", ["pay", "pay", "cart"][n % 3], "web-2");
        }
    }
    all += &line("2026-11-20T10:29:58Z", "pay starting", "info", "pay", "web-2");
    all += &line("2026-11-20T10:30:01Z", "pay listening on 0.0.0.0:8080", "info", "pay", "web-2");
    all + &line("2026-11-20T10:00:00Z", "Started Session 42 of user root.", "info", "systemd", "web-1")
}

async fn house() -> House {
    let house = House::new();
    let reply = house.post("/api/v1/ingest?group=shop", lines()).await;
    assert!(reply.status < 300, "{}", reply.text());
    house
}

async fn changes(house: &House, parameters: &str) -> Value {
    let reply = house.get(&format!("/api/v1/changes?{RANGE}&{parameters}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut json = reply.json();
    json.as_object_mut().expect("an object").remove("stats");
    json
}

#[tokio::test]
async fn what_changed_is_named_with_where_it_comes_from_and_its_first_event() {
    let house = house().await;
    let found = changes(&house, "").await;
    let told: Vec<(&str, &str, u64, u64, &str)> = (found["changes"].as_array().expect("a list").iter())
        .filter_map(|one| {
            let (count, previous) = (one["count"].as_u64()?, one["previous"].as_u64()?);
            Some((one["description"].as_str()?, one["pattern"].as_str()?, count, previous, one["level"].as_str()?))
        })
        .collect();
    let expected = [
        ("new", "connection to db-<*> refused", 30, 0, "error"),
        ("up 5×", "slow answer of db-<*>", 30, 6, "warn"),
        ("gone", "cache warmed", 0, 6, "info"),
        ("new", "Started Session <*> of user root.", 1, 0, "info"),
        ("new", "pay listening on <*>:<*>", 1, 0, "info"),
        ("new", "pay starting", 1, 0, "info"),
    ];
    assert_eq!(told, expected);
    let first = &found["changes"][0];
    assert_eq!(
        first["services"],
        json!([{"field": "service", "name": "pay", "count": 20, "previous": 0},
               {"field": "service", "name": "cart", "count": 10, "previous": 0}])
    );
    assert_eq!(first["hosts"][0]["name"], "web-2");
    assert_eq!(first["first"]["time"], "2026-11-20T10:30:10Z");
    assert_eq!(first["first"]["text"], "connection to db-30 refused");
    assert_eq!(first["last"], "2026-11-20T10:59:10Z");
    let gone = &found["changes"][2];
    assert_eq!(gone["first"]["time"], "2026-11-20T09:00:10Z");
    assert_eq!(found["range"]["events"], 123);
    assert_eq!(found["baseline"]["from"], "2026-11-20T09:00:00Z");
    let counts = first["counts"].as_array().expect("a list").iter().filter_map(|pair| pair[1].as_u64());
    assert_eq!(counts.sum::<u64>(), 30);
}

#[tokio::test]
async fn a_canary_is_seen_its_start_and_its_values_and_single_lines_do_not_hide_it() {
    let house = House::new();
    let mut all = String::new();
    for second in 0..7_200 {
        let (hour, minute, second_of_minute) = (9 + second / 3_600, second / 60 % 60, second % 60);
        let time = format!("2026-11-20T{hour:02}:{minute:02}:{second_of_minute:02}Z");
        let is_canary = second >= 5_400 && second % 10 == 3;
        let (version, host) =
            if is_canary { ("v4.13.0", "node-14") } else { ("v4.12.1", ["node-1", "node-2"][second % 2]) };
        let mut event = json!({"@timestamp": time, "message": format!("order {second} done"), "level": "info",
            "service": "payment", "version": version, "host": host});
        if is_canary {
            event["message"] = format!("order {second} failed: pool exhausted").into();
            event["level"] = "error".into();
        }
        all += &(event.to_string() + "\n");
    }
    let line = |time: &str, text: &str, level: &str| {
        json!({"@timestamp": time, "message": text, "level": level, "service": "payment", "host": "node-14"})
            .to_string()
            + "\n"
    };
    all += &line("2026-11-20T10:29:20Z", "payment v4.13.0 starting, pool ledger-db max_size=8 (was 64)", "info");
    all += &line("2026-11-20T10:29:11Z", "deploy started service=payment", "info");
    let words = ["alpha", "bravo", "candle", "dragon", "ember", "falcon", "garnet", "harbor"];
    for (n, word) in words.iter().enumerate() {
        all +=
            &line(&format!("2026-11-20T10:4{n}:30Z"), &format!("machine check {word} {word} unrecoverable"), "fatal");
    }
    assert!(house.post("/api/v1/ingest?group=app", all).await.status < 300);
    let found = changes(&house, "").await;
    let first = &found["changes"][0];
    assert_eq!(
        (&first["pattern"], &first["count"]),
        (&json!("order <*> failed: pool exhausted"), &json!(180)),
        "{found:#}"
    );
    let fatal = found["changes"].as_array().expect("a list").iter().filter(|one| one["level"] == "fatal");
    assert!(fatal.count() <= 5);
    let started: Vec<&str> =
        found["restarts"].as_array().expect("a list").iter().filter_map(|one| one["first"]["text"].as_str()).collect();
    assert_eq!(started, ["deploy started service=payment"], "both signs of one origin within 30 s are one restart");
    let fields: Vec<&str> =
        found["fields"].as_array().expect("a list").iter().filter_map(|one| one["field"].as_str()).collect();
    assert!(fields.contains(&"version"), "{fields:?}");
}

#[tokio::test]
async fn what_began_anew_is_one_restart_for_all_that_says_so() {
    let found = changes(&house().await, "").await;
    let restarts = found["restarts"].as_array().expect("a list").clone();
    assert_eq!(restarts.len(), 1, "{restarts:?}");
    assert_eq!(
        (&restarts[0]["name"], &restarts[0]["kind"], &restarts[0]["events"]),
        (&json!("pay"), &json!("program"), &json!(2))
    );
    assert_eq!(restarts[0]["first"]["text"], "pay starting");
    assert_eq!(restarts[0]["host"], json!({"field": "host", "name": "web-2"}));
}

#[tokio::test]
async fn another_process_number_is_a_restart_where_one_follows_the_other() {
    let house = House::new();
    let line = |second: usize, service: &str, pid: usize| {
        let time = format!("2026-11-20T10:{:02}:{:02}Z", second / 60, second % 60);
        json!({"@timestamp": time, "@message": "works", "service": service, "pid": pid}).to_string() + "\n"
    };
    // One follows the other; two work side by side; one is run again and again.
    let body = (0..600).step_by(10).map(|second| {
        line(second, "single", if second < 300 { 11 } else { 12 })
            + &line(second, "workers", second / 10 % 2)
            + &line(second, "cron", second / 30)
    });
    assert!(house.post("/api/v1/ingest?group=app", body.collect::<String>()).await.status < 300);
    let found = changes(&house, "").await;
    let told: Vec<(&Value, &Value, &Value)> = (found["restarts"].as_array().expect("a list").iter())
        .map(|one| (&one["name"], &one["kind"], &one["first"]["time"]))
        .collect();
    assert_eq!(told, [(&json!("single"), &json!("process"), &json!("2026-11-20T10:05:00Z"))]);
}

#[tokio::test]
async fn what_changed_is_the_same_however_events_are_stored() {
    let house = house().await;
    let without_ids = |mut found: Value| {
        for list in ["changes", "restarts"] {
            for one in found[list].as_array_mut().expect("a list") {
                one["first"]["id"].take();
            }
        }
        for one in found["fields"].as_array_mut().expect("a list") {
            one["event"]["id"].take();
        }
        found
    };
    let hot = without_ids(changes(&house, "").await);
    for how in ["", "?compact=true"] {
        let reply = house.administer("POST", &format!("/api/v1/status/flush{how}"), "").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(without_ids(changes(&house, "").await), hot, "{how}");
    }
}

#[tokio::test]
async fn the_query_of_a_change_finds_exactly_its_events() {
    let house = house().await;
    let json_lines = (0..20).map(|n| {
        let inner = json!({"time": format!("2026-11-20T10:10:{n:02}Z"), "msg": format!("cart {n} of \"gold\" was lost"), "n": n});
        inner.to_string() + "\n"
    });
    let reply = house.post("/api/v1/ingest?group=json&format=text", json_lines.collect::<String>()).await;
    assert!(reply.status < 300, "{}", reply.text());
    for asked in
        ["", "filter @level = \"error\"", "refused", "parse @message \"* to *\" as a, b | filter b like \"db\""]
    {
        let found = changes(&house, &format!("query={}", encoded(asked))).await;
        let all = found["changes"].as_array().expect("a list").clone();
        assert!(!all.is_empty(), "{asked}");
        for one in all.iter().filter(|one| one["change"] != "gone") {
            let query = one["query"].as_str().expect("a query");
            let body = json!({"query": format!("{query} | stats count(*) as n"), "from": "2026-11-20T10:00:00Z", "to": "2026-11-20T10:59:59.999999999Z"});
            let reply = house.post("/api/v1/query", body.to_string()).await;
            assert_eq!(reply.json()["rows"][0][0], one["count"], "{query}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_said() {
    let house = house().await;
    assert_eq!(house.get("/api/v1/changes?baseline=soon").await.status, 400);
    assert_eq!(house.get("/api/v1/changes?query=filter%20(").await.status, 400);
    assert_eq!(house.get("/api/v1/changes?wrong=1").await.status, 400);
    let few = changes(&house, "limit=2").await;
    assert_eq!((few["changes"].as_array().map(Vec::len), &few["more"]), (Some(2), &json!(true)));
}
