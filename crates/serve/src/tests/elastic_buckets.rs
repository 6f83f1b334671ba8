//! Elasticsearch's aggregations beyond those that panels ask for: composite sources, zones, significant and rare values.

use serde_json::{Value, json};

use super::House;

async fn filled(lines: &str) -> House {
    let house = House::new();
    assert_eq!(house.post("/api/v1/ingest?group=g", lines.to_owned()).await.status, 200);
    house
}

async fn aggregated(house: &House, body: Value) -> Value {
    let reply = house.post("/elasticsearch/g/_search", body.to_string()).await;
    assert_eq!(reply.status, 200, "{body}: {}", reply.text());
    reply.json()["aggregations"]["a"].clone()
}

async fn of(house: &House, aggregation: Value) -> Value {
    aggregated(house, json!({"size": 0, "aggs": {"a": aggregation}})).await
}

/// Keys and counts of buckets.
fn counts(found: &Value) -> Vec<(Value, u64)> {
    let buckets = found["buckets"].as_array().expect("buckets");
    buckets.iter().map(|one| (one["key"].clone(), one["doc_count"].as_u64().expect("a count"))).collect()
}

#[tokio::test]
async fn composite_sources_of_numbers_have_their_keys_and_pages() {
    let lines: String = (0..60).map(|n| format!("{{\"@timestamp\":\"2026-11-20T11:00:00Z\",\"n\":{n}}}\n")).collect();
    let house = filled(&lines).await;
    let page = async |after: Value| {
        let mut composite = json!({"size": 2, "sources": [{"n": {"histogram": {"field": "n", "interval": 20}}}]});
        if !after.is_null() {
            composite["after"] = after;
        }
        of(&house, json!({"composite": composite})).await
    };
    let first = page(Value::Null).await;
    assert_eq!(counts(&first), [(json!({"n": 0.0}), 20), (json!({"n": 20.0}), 20)]);
    assert_eq!(counts(&page(first["after_key"].clone()).await), [(json!({"n": 40.0}), 20)]);
    let reply = house
        .post(
            "/elasticsearch/g/_search",
            r#"{"aggs":{"a":{"composite":{"sources":[{"n":{"terms":{"field":"n"}}}],"after":{"m":1}}}}}"#,
        )
        .await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn fixed_intervals_begin_by_the_clocks_of_a_zone() {
    let times = [
        "2026-10-24T21:59:00Z", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z",
        "2026-10-25T11:00:00Z",
    ];
    let lines: String = times.iter().map(|time| format!("{{\"@timestamp\":\"{time}\"}}\n")).collect();
    let house = filled(&lines).await;
    let starts = async |histogram: Value| {
        let mut histogram = histogram;
        histogram["field"] = json!("@timestamp");
        histogram["min_doc_count"] = json!(1);
        let found = of(&house, json!({"date_histogram": histogram})).await;
        let buckets = found["buckets"].as_array().expect("buckets").clone();
        buckets.iter().map(|one| one["key_as_string"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        starts(json!({"fixed_interval": "12h", "time_zone": "Europe/Berlin"})).await,
        ["2026-10-24T12:00:00.000+02:00", "2026-10-25T00:00:00.000+02:00", "2026-10-25T12:00:00.000+01:00"]
    );
    assert_eq!(
        starts(json!({"fixed_interval": "3h", "time_zone": "Europe/Berlin"})).await,
        [
            "2026-10-24T21:00:00.000+02:00",
            "2026-10-25T00:00:00.000+02:00",
            "2026-10-25T03:00:00.000+01:00",
            "2026-10-25T12:00:00.000+01:00"
        ]
    );
    assert_eq!(
        starts(json!({"fixed_interval": "12h", "time_zone": "Europe/Berlin", "offset": "6h"})).await,
        ["2026-10-24T18:00:00.000+02:00", "2026-10-25T06:00:00.000+01:00"]
    );
    assert_eq!(
        starts(json!({"calendar_interval": "day", "time_zone": "Europe/Berlin", "offset": "+6h"})).await,
        ["2026-10-24T06:00:00.000+02:00", "2026-10-25T05:00:00.000+01:00"]
    );
    assert_eq!(starts(json!({"fixed_interval": "7d"})).await, ["2026-10-22T00:00:00.000Z"]);
}

#[tokio::test]
async fn significant_values_are_more_frequent_than_elsewhere_and_rare_ones_seldom() {
    let line = |n: usize| {
        let (host, level) = if n.is_multiple_of(10) { ("bad", "error") } else { ("good", "info") };
        let level = if n == 5 { "error" } else { level };
        format!(
            "{{\"@timestamp\":\"2026-11-20T11:00:00Z\",\"host\":\"{host}\",\"level\":\"{level}\",\"once\":\"v{}\"}}\n",
            n.min(3)
        )
    };
    let house = filled(&(0..100).map(line).collect::<String>()).await;
    let significant =
        json!({"significant_terms": {"field": "host"}, "aggs": {"n": {"value_count": {"field": "host"}}}});
    let query = json!({"term": {"level": "error"}});
    let found = aggregated(&house, json!({"size": 0, "query": query, "aggs": {"a": significant}})).await;
    assert_eq!((&found["doc_count"], &found["bg_count"]), (&json!(11), &json!(100)));
    assert_eq!(counts(&found), [(json!("bad"), 10)]);
    let (bucket, share) = (&found["buckets"][0], 10.0 / 11.0);
    assert_eq!((&bucket["bg_count"], &bucket["n"]["value"]), (&json!(10), &json!(10)));
    let score = bucket["score"].as_f64().expect("a score");
    assert!((score - (share - 0.1) * (share / 0.1)).abs() < 1e-9, "{score}");
    let rare = of(&house, json!({"rare_terms": {"field": "once"}})).await;
    assert_eq!(counts(&rare), [(json!("v0"), 1), (json!("v1"), 1), (json!("v2"), 1)]);
    assert_eq!(rare.get("sum_other_doc_count"), None);
    assert_eq!(counts(&of(&house, json!({"rare_terms": {"field": "once", "max_doc_count": 100}})).await).len(), 4);
}

#[tokio::test]
async fn ranks_weights_and_parts_of_values() {
    let line = |n: usize| format!("{{\"@timestamp\":\"2026-11-20T11:00:00Z\",\"n\":{n},\"w\":{}}}\n", n % 2);
    let lines: String = (1..=10).map(line).chain(["{\"w\":5}\n".to_owned()]).collect();
    let house = filled(&lines).await;
    let ranks = of(&house, json!({"percentile_ranks": {"field": "n", "values": [0, 5, 10.5]}})).await;
    assert_eq!(ranks, json!({"values": {"0.0": 0.0, "5.0": 45.0, "10.5": 100.0}}));
    let ranks = of(&house, json!({"percentile_ranks": {"field": "n", "values": [3], "keyed": false}})).await;
    assert_eq!(ranks, json!({"values": [{"key": 3.0, "value": 25.0}]}));
    let mean = of(&house, json!({"weighted_avg": {"value": {"field": "n"}, "weight": {"field": "w"}}})).await;
    assert_eq!(mean, json!({"value": 5.0}));
    let mut all = Vec::new();
    for partition in 0..3 {
        let include = json!({"partition": partition, "num_partitions": 3});
        let found = of(&house, json!({"terms": {"field": "n", "size": 100, "include": include}})).await;
        all.extend(counts(&found).into_iter().map(|(key, _)| key.as_i64().expect("a number")));
    }
    all.sort_unstable();
    assert_eq!(all, (1..=10).collect::<Vec<i64>>());
}
