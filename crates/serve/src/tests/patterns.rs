//! Patterns: the same from events in memory, from one segment and from several, and beside those of an earlier time.

use serde_json::{Value, json};

use super::{House, encoded};

/// Messages of all kinds that segments split: numbers, addresses, ids, times, texts in quotes, odd bytes, several lines.
fn lines(from: usize, to: usize) -> String {
    let line = |n: usize| {
        let message = match n % 12 {
            0 => format!("took {n} ms, {}.{} %", n % 7, n % 10),
            1 => format!("from 10.0.{}.{}:{} closed", n % 250, n % 99, 1000 + n),
            2 => format!("trace {:016x} span {:08x}", n * 7919, n * 31),
            3 => format!("job {:08x}-0000-4000-8000-{:012x} done", n, n * 13),
            4 => format!("Nov {:2} 08:07:{:02} host{} up", 1 + n % 28, n % 60, n % 5),
            5 => format!("2026-11-{:02} 08:{:02}:06,{:03} - ready", 1 + n % 28, n % 60, n % 1000),
            6 => format!("open \"/srv/{}/x{n}\" by \"user {}\"", ["a", "bc", "d"][n % 3], n % 4),
            7 => format!("user {} logged in", ["ann", "bob", "cid", "dan", "eve", "fay"][n / 12 % 6]),
            8 => format!("cannot read /var/{}/f.{}", ["log", "lib", "tmp"][n / 12 % 3], ["a", "b"][n / 12 % 2]),
            9 => format!("failed: {}\n  at a.b(C.java:{n})", ["io", "net"][n / 12 % 2]),
            10 => format!("odd \u{11}{n} \u{e9}{n} \u{7}"),
            _ => format!("[{:02}/Nov/2026:08:07:06 +0000] \"GET /{n} HTTP/1.1\" {}", 1 + n % 28, 200 + n % 5),
        };
        let time = format!("2026-11-20T{:02}:{:02}:{:02}Z", 10 + n / 3600 % 2, n / 60 % 60, n % 60);
        let level = ["info", "warn", "error"][n % 3];
        json!({"@timestamp": time, "@message": message, "level": level}).to_string() + "\n"
    };
    (from..to).map(line).collect()
}

async fn send(house: &House, from: usize, to: usize) {
    let reply = house.post("/api/v1/ingest?group=app", lines(from, to)).await;
    assert!(reply.status < 300, "{}", reply.text());
}

async fn flush(house: &House, how: &str) {
    let reply = house.administer("POST", &format!("/api/v1/status/flush{how}"), "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

async fn patterns(house: &House, parameters: &str) -> Value {
    let range = "from=2026-11-20T10:00:00Z&to=2026-11-20T11:59:59Z";
    let reply = house.get(&format!("/api/v1/patterns?{range}&{parameters}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["patterns"].clone()
}

#[tokio::test]
async fn patterns_are_the_same_however_events_are_stored() {
    let house = House::new();
    let filtered = format!("query={}", encoded("filter @level >= \"warn\" and @message like \"1\""));
    let all = async || [patterns(&house, "").await, patterns(&house, &filtered).await];
    send(&house, 0, 2000).await;
    send(&house, 2000, 4000).await;
    let hot = all().await;
    assert!(hot[0].as_array().is_some_and(|patterns| (12..60).contains(&patterns.len())), "{}", hot[0]);
    flush(&house, "").await;
    assert_eq!(all().await, hot, "one segment");
    send(&house, 4000, 6000).await;
    let half_hot = all().await;
    flush(&house, "").await;
    assert_eq!(all().await, half_hot, "two segments");
    flush(&house, "?compact=true").await;
    assert_eq!(all().await, half_hot, "compacted");
}

#[tokio::test]
async fn a_baseline_tells_what_is_new() {
    let house = House::new();
    let line = |time: &str, text: &str| json!({"@timestamp": time, "@message": text}).to_string() + "\n";
    let body = line("2026-11-20T09:30:00Z", "gone 1")
        + &line("2026-11-20T09:31:00Z", "kept 1")
        + &line("2026-11-20T11:30:00Z", "kept 2")
        + &line("2026-11-20T11:31:00Z", "fresh 1");
    assert!(house.post("/api/v1/ingest?group=app", body).await.status < 300);
    for how in ["hot", "flushed"] {
        let found = patterns(&house, "baseline=previous").await;
        let changes: Vec<(&str, &str)> = found
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|pattern| Some((pattern["pattern"].as_str()?, pattern["change"].as_str()?)))
            .collect();
        assert_eq!(changes, [("kept <*>", "unchanged"), ("fresh <*>", "new"), ("gone <*>", "gone")], "{how}");
        let times = |one: &Value| (one["first"].clone(), one["last"].clone());
        let (kept, gone) = (json!("2026-11-20T11:30:00Z"), json!("2026-11-20T09:30:00Z"));
        assert_eq!([times(&found[0]), times(&found[2])], [(kept.clone(), kept), (gone.clone(), gone)], "{how}");
        let id = found[0]["first_id"].as_str().expect("an id");
        let asked = json!({"query": format!("filter @id = \"{id}\" | fields @message"), "from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"});
        let reply = house.post("/api/v1/query", asked.to_string()).await;
        assert_eq!(reply.json()["rows"][0][0], "kept 2", "{how}: {}", reply.text());
        flush(&house, "").await;
    }
    assert_eq!(house.get("/api/v1/patterns?baseline=soon").await.status, 400);
}

#[tokio::test]
async fn patterns_have_counts_over_time_for_loki_too() {
    let house = House::new();
    send(&house, 0, 2400).await;
    let found = patterns(&house, "").await;
    let first = found[0].clone();
    let counts = first["counts"].as_array().expect("a list").iter().map(|pair| pair[1].as_u64().unwrap_or_default());
    assert_eq!(Some(counts.sum::<u64>()), first["count"].as_u64(), "{first}");
    let range = "start=2026-11-20T10:00:00Z&end=2026-11-20T11:59:59Z&step=60";
    let reply = house.get(&format!("/loki/api/v1/patterns?query={}&{range}", encoded("{group=\"app\"}"))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let data = reply.json()["data"].clone();
    assert_eq!(data.as_array().map(Vec::len), found.as_array().map(Vec::len));
    let total: u64 = data[0]["samples"].as_array().expect("a list").iter().filter_map(|pair| pair[1].as_u64()).sum();
    assert_eq!(Some(total), first["count"].as_u64());
    assert!(data.to_string().contains("<_>"), "{data}");
}
