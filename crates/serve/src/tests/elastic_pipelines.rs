//! Elasticsearch's aggregations beyond buckets and numbers: rates, chosen steps, several values, numbers of all buckets.

use serde_json::{Value, json};

use super::House;

async fn aggregated(house: &House, aggregations: Value) -> Value {
    let reply = house.post("/elasticsearch/_search", json!({"size": 0, "aggs": aggregations}).to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["aggregations"].clone()
}

/// 600 events in an hour, ten a minute, of three services by turns.
async fn filled() -> House {
    let house = House::new();
    let line = |n: u64| {
        let time = 1_795_172_400_000 + n * 6_000;
        format!("{{\"@timestamp\":{time},\"message\":\"n {n}\",\"service\":\"s{}\",\"n\":{n}}}", n % 3)
    };
    let lines: Vec<String> = (0..600).map(line).collect();
    assert_eq!(house.post("/api/v1/ingest?group=app", lines.join("\n")).await.status, 200);
    house
}

fn numbers(buckets: &Value, name: &str) -> Vec<Option<f64>> {
    let buckets = buckets["buckets"].as_array().expect("buckets");
    buckets.iter().map(|bucket| bucket[name]["value"].as_f64()).collect()
}

#[tokio::test]
async fn rates_are_of_the_length_of_their_buckets() {
    let house = filled().await;
    let rates = json!({
        "a": {"rate": {"unit": "minute"}}, "b": {"rate": {"unit": "second", "field": "n", "mode": "value_count"}},
        "c": {"rate": {"unit": "hour", "field": "n"}}, "d": {"rate": {}},
    });
    let by_time = json!({"date_histogram": {"field": "@timestamp", "fixed_interval": "30m"}, "aggs": rates});
    let found =
        aggregated(&house, json!({"t": by_time, "s": {"terms": {"field": "service"}, "aggs": {"t": by_time}}})).await;
    assert_eq!(numbers(&found["t"], "a"), [Some(10.0), Some(10.0)]);
    assert_eq!(numbers(&found["t"], "b"), [Some(300.0 / 1_800.0), Some(300.0 / 1_800.0)]);
    assert_eq!(numbers(&found["t"], "c"), [Some(44_850.0 * 2.0), Some(134_850.0 * 2.0)]);
    assert_eq!(numbers(&found["t"], "d"), [Some(300.0), Some(300.0)]);
    assert_eq!(numbers(&found["s"]["buckets"][0]["t"], "a"), [Some(100.0 / 30.0), Some(100.0 / 30.0)]);
    let of_month = json!({"t": {"date_histogram": {"field": "@timestamp", "calendar_interval": "month"}, "aggs": {
        "day": {"rate": {"unit": "day"}}, "year": {"rate": {"unit": "year"}}}}});
    let found = aggregated(&house, of_month).await;
    assert_eq!((numbers(&found["t"], "day"), numbers(&found["t"], "year")), (vec![Some(20.0)], vec![Some(7_200.0)]));
}

#[tokio::test]
async fn steps_are_chosen_so_that_buckets_are_not_too_many() {
    let house = filled().await;
    let automatic = |n: usize, more: Value| {
        let mut body = json!({"field": "@timestamp", "buckets": n});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"t": {"auto_date_histogram": body, "aggs": {"n": {"value_count": {"field": "n"}}}}})
    };
    for (n, more, interval, n_buckets) in [
        (10, json!({}), "10m", 6),
        (60, json!({}), "1m", 60),
        (59, json!({}), "5m", 12),
        (1, json!({}), "1h", 1),
        (100, json!({"minimum_interval": "hour"}), "1h", 1),
        (2_000, json!({}), "5s", 719),
    ] {
        let found = aggregated(&house, automatic(n, more)).await;
        let buckets = found["t"]["buckets"].as_array().expect("buckets");
        assert_eq!((found["t"]["interval"].as_str(), buckets.len()), (Some(interval), n_buckets), "{n}");
        assert_eq!(buckets.iter().filter_map(|bucket| bucket["doc_count"].as_u64()).sum::<u64>(), 600);
        assert_eq!(numbers(&found["t"], "n").iter().flatten().sum::<f64>(), 600.0);
    }
    let nothing = json!({"none": {"filter": {"match_none": {}}, "aggs": automatic(10, json!({}))}});
    assert_eq!(aggregated(&house, nothing).await["none"]["t"], json!({"buckets": [], "interval": "1s"}));
}

#[tokio::test]
async fn several_values_together_are_a_key() {
    let house = House::new();
    house.fill().await;
    let found = aggregated(&house, json!({"t": {
        "multi_terms": {"terms": [{"field": "service"}, {"field": "level.keyword"}], "order": {"m": "desc"}, "size": 2},
        "aggs": {"m": {"max": {"field": "ms"}}, "when": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1h"}}},
    }})).await;
    let expected = json!([["api", "error"], ["web", "error"]]);
    let buckets = found["t"]["buckets"].as_array().expect("buckets");
    assert_eq!(buckets.iter().map(|bucket| bucket["key"].clone()).collect::<Value>(), expected);
    assert_eq!((&buckets[0]["key_as_string"], &buckets[0]["m"]["value"]), (&json!("api|error"), &json!(41.0)));
    assert_eq!(
        (&buckets[1]["when"]["buckets"][0]["doc_count"], &found["t"]["sum_other_doc_count"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn numbers_of_all_buckets_stand_beside_them() {
    let house = filled().await;
    let by_time = json!({"date_histogram": {"field": "@timestamp", "fixed_interval": "10m"}, "aggs": {
        "sum": {"sum": {"field": "n"}}, "diff": {"serial_diff": {"buckets_path": "sum"}}}});
    let aggregations = json!({
        "t": by_time,
        "mean": {"avg_bucket": {"buckets_path": "t>sum"}}, "total": {"sum_bucket": {"buckets_path": "t>_count"}},
        "most": {"max_bucket": {"buckets_path": "t>sum"}}, "least": {"min_bucket": {"buckets_path": "t>sum"}},
        "stats": {"stats_bucket": {"buckets_path": "t>diff"}},
        "spread": {"percentiles_bucket": {"buckets_path": "t>sum", "percents": [0, 50, 100]}},
        "s": {"terms": {"field": "service"}, "aggs": {"t": by_time, "top": {"max_bucket": {"buckets_path": "t>_count"}}}},
        "f": {"filter": {"match_all": {}}, "aggs": {"t": by_time}}, "inner": {"sum_bucket": {"buckets_path": "f>t>sum"}},
        "tops": {"sum_bucket": {"buckets_path": "s>top"}},
    });
    let found = aggregated(&house, aggregations).await;
    assert_eq!((&found["mean"]["value"], &found["total"]["value"]), (&json!(29_950.0), &json!(600.0)));
    assert_eq!(found["most"], json!({"value": 54_950.0, "keys": ["2026-11-20T11:50:00.000Z"]}));
    assert_eq!(found["least"], json!({"value": 4_950.0, "keys": ["2026-11-20T11:00:00.000Z"]}));
    assert_eq!(found["stats"], json!({"count": 5, "min": 10_000.0, "max": 10_000.0, "avg": 10_000.0, "sum": 50_000.0}));
    assert_eq!(found["spread"]["values"], json!({"0.0": 4_950.0, "50.0": 34_950.0, "100.0": 54_950.0}));
    assert_eq!(found["s"]["buckets"][0]["top"]["value"], 34.0);
    assert_eq!((&found["inner"]["value"], &found["tops"]["value"]), (&json!(179_700.0), &json!(102.0)));
}

#[tokio::test]
async fn buckets_are_chosen_and_ordered() {
    let house = filled().await;
    let by_time = async |choice: Value| {
        let aggregations = json!({"t": {"date_histogram": {"field": "@timestamp", "fixed_interval": "10m", "format": "HH:mm"}, "aggs": {
            "sum": {"sum": {"field": "n"}}, "half": {"bucket_script": {"buckets_path": {"s": "sum"}, "script": "params.s / 2"}}, "choice": choice}}});
        let found = aggregated(&house, aggregations).await;
        let buckets = found["t"]["buckets"].as_array().expect("buckets").clone();
        buckets.iter().map(|bucket| bucket["key_as_string"].as_str().expect("a key").to_owned()).collect::<Vec<_>>()
    };
    let selector =
        |script: &str| json!({"bucket_selector": {"buckets_path": {"h": "half", "n": "_count"}, "script": script}});
    assert_eq!(by_time(selector("params.h > 20000")).await, ["11:40", "11:50"]);
    assert_eq!(
        by_time(selector("params.h <= 2475 || (params.h >= 27475 && params.n == 100)")).await,
        ["11:00", "11:50"]
    );
    assert_eq!(by_time(selector("params.n != 100")).await, Vec::<String>::new());
    let sort = |body: Value| json!({"bucket_sort": body});
    assert_eq!(by_time(sort(json!({"sort": [{"half": {"order": "desc"}}], "size": 2}))).await, ["11:50", "11:40"]);
    assert_eq!(by_time(sort(json!({"sort": ["_count", {"_key": "desc"}], "from": 4}))).await, ["11:10", "11:00"]);
    assert_eq!(by_time(sort(json!({"from": 5}))).await, ["11:50"]);
}

#[tokio::test]
async fn what_cannot_be_computed_is_refused_as_elasticsearch_does() {
    let house = filled().await;
    let time = json!({"field": "@timestamp", "fixed_interval": "1h"});
    for (aggregation, kind, reason) in [
        (
            json!({"x": {"moving_avg": {"buckets_path": "y"}}}),
            "parsing_exception",
            "Unknown aggregation type [moving_avg] did you mean [moving_fn]?",
        ),
        (
            json!({"x": {"geohash_grid": {"field": "place"}}}),
            "illegal_argument_exception",
            "Field [place] of type [text] is not supported for aggregation [geohash_grid]",
        ),
        (
            json!({"x": {"nested": {"path": "items"}}}),
            "aggregation_execution_exception",
            "[nested] nested path [items] is not nested",
        ),
        (
            json!({"x": {"rate": {"unit": "day"}}}),
            "illegal_argument_exception",
            "can only be used inside a date histogram",
        ),
        (
            json!({"x": {"terms": {"field": "n"}, "aggs": {"r": {"rate": {}}}}}),
            "illegal_argument_exception",
            "can only be used inside a date histogram",
        ),
        (
            json!({"x": {"date_histogram": time, "aggs": {"r": {"rate": {"unit": "month"}}}}}),
            "illegal_argument_exception",
            "month-based",
        ),
        (
            json!({"x": {"date_histogram": time, "aggs": {"r": {"rate": {"unit": "eon"}}}}}),
            "illegal_argument_exception",
            "Unsupported unit eon",
        ),
        (
            json!({"x": {"sum_bucket": {"buckets_path": "y>z"}}}),
            "action_request_validation_exception",
            "No aggregation found for path [y>z]",
        ),
        (json!({"x": {"bucket_sort": {"size": 1}}}), "parsing_exception", "inside a histogram"),
        (json!({"x": {"multi_terms": {"terms": [{"field": "a"}]}}}), "illegal_argument_exception", "must have 2"),
        (
            json!({"x": {"auto_date_histogram": {"field": "@timestamp", "buckets": 0}}}),
            "illegal_argument_exception",
            "buckets must be between",
        ),
        (
            json!({"x": {"auto_date_histogram": {"field": "@timestamp", "minimum_interval": "week"}}}),
            "illegal_argument_exception",
            "minimum_interval",
        ),
    ] {
        let reply = house.post("/elasticsearch/_search", json!({"aggs": aggregation}).to_string()).await;
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status, error["type"].as_str()), (400, Some(kind)), "{aggregation}: {error}");
        assert!(error["reason"].as_str().is_some_and(|text| text.contains(reason)), "{aggregation}: {error}");
    }
}
