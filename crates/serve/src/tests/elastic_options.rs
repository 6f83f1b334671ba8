//! What shapes Elasticsearch's answers: names with kinds, parts of answers, totals, fields.

use serde_json::{Value, json};

use super::House;

async fn asked(house: &House, parameters: &str, body: Value) -> Value {
    let reply = house.post(&format!("/elasticsearch/_search?{parameters}"), body.to_string()).await;
    assert_eq!(reply.status, 200, "{parameters}: {}", reply.text());
    reply.json()
}

#[tokio::test]
async fn totals_are_counted_as_far_as_is_wanted() {
    let house = House::new();
    house.fill().await;
    for (parameters, body, expected) in [
        ("", json!({}), json!({"value": 5, "relation": "eq"})),
        ("track_total_hits=true", json!({"size": 1}), json!({"value": 5, "relation": "eq"})),
        ("", json!({"track_total_hits": 3}), json!({"value": 3, "relation": "gte"})),
        ("track_total_hits=5", json!({"size": 1}), json!({"value": 5, "relation": "eq"})),
        ("track_total_hits=false", json!({}), Value::Null),
        ("rest_total_hits_as_int=true", json!({}), json!(5)),
        ("rest_total_hits_as_int", json!({}), json!(5)),
    ] {
        assert_eq!(asked(&house, parameters, body).await["hits"]["total"], expected, "{parameters}");
    }
    for uri in ["track_total_hits=x", "track_total_hits=3&rest_total_hits_as_int=true"] {
        assert_eq!(house.post(&format!("/elasticsearch/_search?{uri}"), "{}").await.status, 400, "{uri}");
    }
}

#[tokio::test]
async fn only_the_fields_that_are_wanted_are_shown() {
    let house = House::new();
    house.fill().await;
    let slow = json!({"match": {"ms": 41}});
    let first = async |mut body: Value| {
        body["query"] = slow.clone();
        asked(&house, "", body).await["hits"]["hits"][0].clone()
    };
    assert_eq!(
        first(json!({"_source": {"includes": ["m*"], "excludes": "ms"}})).await["_source"],
        json!({"message": "GET /c failed"})
    );
    assert_eq!(first(json!({"stored_fields": []})).await.get("_source"), None);
    assert_eq!(first(json!({"stored_fields": "_none_"})).await.get("_source"), None);
    assert_eq!(first(json!({"stored_fields": ["*"], "_source": ["ms"]})).await["_source"], json!({"ms": 41}));
    assert_eq!(first(json!({"stored_fields": ["*"], "_source": {"excludes": []}})).await["_source"]["ms"], 41);
    let fields =
        first(json!({"_source": false, "docvalue_fields": ["ms", {"field": "@timestamp", "format": "epoch_millis"}]}))
            .await;
    assert_eq!(fields["fields"], json!({"ms": [41], "@timestamp": ["1795175610000"]}));
}

#[tokio::test]
async fn parts_of_answers_and_names_with_kinds() {
    let house = House::new();
    house.fill().await;
    let body = json!({"size": 1, "sort": [{"@timestamp": "desc"}], "aggs": {
        "by": {"terms": {"field": "level"}, "aggs": {"mean": {"avg": {"field": "ms"}}}},
        "when": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1h"}, "aggs": {
            "sum": {"cumulative_sum": {"buckets_path": "_count"}}, "last": {"top_hits": {"size": 1}}}},
        "kinds": {"filters": {"filters": {"a": {"match_all": {}}}}, "aggs": {"p": {"percentiles": {"field": "ms"}}}},
        "one": {"filter": {"match_all": {}}, "aggs": {"n": {"value_count": {"field": "ms"}}}},
        "numbers": {"terms": {"field": "ms"}}, "none": {"terms": {"field": "none"}},
    }});
    let found = asked(&house, "typed_keys=true", body.clone()).await["aggregations"].clone();
    let names: Vec<&String> = found.as_object().expect("aggregations").keys().collect();
    assert_eq!(
        names,
        ["date_histogram#when", "filter#one", "filters#kinds", "lterms#numbers", "sterms#by", "umterms#none"]
    );
    assert!(found["sterms#by"]["buckets"][0]["avg#mean"].is_object(), "{found}");
    let bucket = &found["date_histogram#when"]["buckets"][0];
    assert!(bucket["simple_value#sum"].is_object() && bucket["top_hits#last"].is_object(), "{bucket}");
    assert!(found["filters#kinds"]["buckets"]["a"]["tdigest_percentiles#p"].is_object(), "{found}");
    assert_eq!(found["filter#one"]["value_count#n"]["value"], 3);
    let part = asked(&house, "filter_path=hits.hits._source.message,aggregations.by.buckets.key", body).await;
    let keys = json!([{"key": "error"}, {"key": "info"}, {"key": "warn"}]);
    assert_eq!(
        part,
        json!({"hits": {"hits": [{"_source": {"message": "ready"}}]}, "aggregations": {"by": {"buckets": keys}}})
    );
}

#[tokio::test]
async fn days_begin_where_the_zone_says() {
    let house = House::new();
    let lines = ["2026-11-19T18:29:59Z", "2026-11-19T18:30:00Z", "2026-11-20T05:29:00Z"];
    let lines = lines.map(|time| format!("{{\"@timestamp\":\"{time}\",\"message\":\"x\"}}"));
    assert_eq!(house.post("/api/v1/ingest?group=a", lines.join("\n")).await.status, 200);
    let buckets = async |zone: &str, kind: &str, span: &str, format: Option<&str>| {
        let mut histogram = json!({"field": "@timestamp", "time_zone": zone, "min_doc_count": 1});
        histogram[kind] = span.into();
        if let Some(format) = format {
            histogram["format"] = format.into();
        }
        let found = asked(&house, "", json!({"size": 0, "aggs": {"t": {"date_histogram": histogram}}})).await;
        let buckets = found["aggregations"]["t"]["buckets"].as_array().expect("buckets").clone();
        let shown =
            |one: &Value| (one["key_as_string"].as_str().expect("a text").to_owned(), one["doc_count"].as_u64());
        buckets.iter().map(shown).collect::<Vec<_>>()
    };
    let days = |first: &str, second: &str| vec![(first.to_owned(), Some(1)), (second.to_owned(), Some(2))];
    for zone in ["Asia/Kolkata", "+05:30"] {
        let expected = days("2026-11-19T00:00:00.000+05:30", "2026-11-20T00:00:00.000+05:30");
        assert_eq!(buckets(zone, "calendar_interval", "1d", None).await, expected, "{zone}");
        assert_eq!(buckets(zone, "fixed_interval", "1d", Some("yyyy-MM-dd")).await, days("2026-11-19", "2026-11-20"));
    }
    let of_nepal = buckets("Asia/Kathmandu", "fixed_interval", "1h", Some("HH:mm")).await;
    assert_eq!(of_nepal, [("00:00".to_owned(), Some(2)), ("11:00".to_owned(), Some(1))]);
    let of_utc = buckets("UTC", "calendar_interval", "1d", None).await;
    assert_eq!(
        of_utc,
        [("2026-11-19T00:00:00.000Z".to_owned(), Some(2)), ("2026-11-20T00:00:00.000Z".to_owned(), Some(1))]
    );
    let millis = buckets("Asia/Kolkata", "calendar_interval", "1d", Some("epoch_millis")).await;
    assert_eq!(millis[1].0, "1795113000000");
}
