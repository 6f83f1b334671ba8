//! What values mean at the Elasticsearch door: lists, objects in lists, dates, and what `_mapping` says of them.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::House;

/// Returns a house with events of one group.
async fn house(documents: &[Value]) -> House {
    let house = House::new();
    let lines: Vec<String> = documents.iter().map(|document| format!("{{\"create\":{{}}}}\n{document}\n")).collect();
    let reply = house.post("/elasticsearch/app/_bulk", lines.concat()).await;
    assert_eq!(reply.json()["errors"], false, "{}", reply.text());
    house
}

async fn aggregated(house: &House, aggregation: Value) -> Value {
    let body = json!({"size": 0, "aggs": {"a": aggregation}});
    let reply = house.post("/elasticsearch/app/_search", body.to_string()).await;
    assert_eq!(reply.status, 200, "{body}: {}", reply.text());
    reply.json()["aggregations"]["a"].clone()
}

fn buckets(found: &Value) -> Vec<(String, u64)> {
    let one = |bucket: &Value| {
        let key = bucket["key"].as_str().map_or_else(|| bucket["key"].to_string(), str::to_owned);
        (key, bucket["doc_count"].as_u64().expect("a count"))
    };
    found["buckets"].as_array().expect("buckets").iter().map(one).collect()
}

fn expected(buckets: &[(&str, u64)]) -> Vec<(String, u64)> {
    buckets.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

fn documents() -> Vec<Value> {
    vec![
        json!({"@timestamp": "2026-11-20T11:00:00Z", "message": "one", "tags": ["nginx", "prod", "prod"], "codes": [200, 500],
               "items": [{"sku": "a-1", "qty": 2}, {"sku": "b-2", "qty": 7}], "created": "2026-03-28T22:30:00Z"}),
        json!({"@timestamp": "2026-11-20T11:01:00Z", "message": "two", "tags": ["prod"], "codes": [404],
               "items": [{"sku": "b-2", "qty": 1}], "created": "2026-03-29T21:30:00Z"}),
        json!({"@timestamp": "2026-11-20T11:02:00Z", "message": "three", "tags": "test", "codes": 7, "n": 1.5,
               "items": {"sku": "c-3", "qty": 5}, "created": "2026-03-30T00:00:00+02:00"}),
        json!({"@timestamp": "2026-11-20T11:03:00Z", "message": "four", "tags": [], "items": []}),
    ]
}

#[tokio::test]
async fn an_event_is_in_the_bucket_of_each_of_its_values() {
    let house = house(&documents()).await;
    let tags = aggregated(&house, json!({"terms": {"field": "tags.keyword"}})).await;
    assert_eq!(buckets(&tags), expected(&[("prod", 2), ("nginx", 1), ("test", 1)]));
    let some = aggregated(&house, json!({"terms": {"field": "tags.keyword", "include": "n.*|test"}})).await;
    assert_eq!(buckets(&some), expected(&[("nginx", 1), ("test", 1)]));
    let others =
        aggregated(&house, json!({"terms": {"field": "tags.keyword", "exclude": ["prod"], "missing": "none"}})).await;
    assert_eq!(buckets(&others), expected(&[("nginx", 1), ("none", 1), ("test", 1)]));
    let skus = aggregated(
        &house,
        json!({"terms": {"field": "items.sku.keyword", "order": {"_key": "asc"}},
               "aggs": {"tags": {"terms": {"field": "tags.keyword"}}, "most": {"max": {"field": "codes"}}}}),
    )
    .await;
    assert_eq!(buckets(&skus), expected(&[("a-1", 1), ("b-2", 2), ("c-3", 1)]));
    assert_eq!(buckets(&skus["buckets"][1]["tags"]), expected(&[("prod", 2), ("nginx", 1)]));
    assert_eq!(skus["buckets"][1]["most"]["value"], 500.0);
    let codes = aggregated(&house, json!({"histogram": {"field": "codes", "interval": 300}})).await;
    assert_eq!(buckets(&codes), expected(&[("0.0", 2), ("300.0", 2)]));
    let hits =
        aggregated(&house, json!({"terms": {"field": "tags.keyword"}, "aggs": {"h": {"top_hits": {"size": 1}}}})).await;
    assert_eq!(hits["buckets"][0]["h"]["hits"]["total"]["value"], 2);
    assert_eq!(hits["buckets"][1]["h"]["hits"]["hits"][0]["_source"]["message"], "one");
    let page = json!({"composite": {"size": 2, "sources": [{"t": {"terms": {"field": "tags.keyword"}}}]}});
    let page = aggregated(&house, page).await;
    assert_eq!((&page["buckets"][0]["key"]["t"], &page["buckets"][1]["key"]["t"]), (&json!("nginx"), &json!("prod")));
}

#[tokio::test]
async fn metrics_take_every_value_of_a_list() {
    let house = house(&documents()).await;
    for (aggregation, value) in [
        (json!({"sum": {"field": "codes"}}), json!(1111.0)),
        (json!({"max": {"field": "codes"}}), json!(500.0)),
        (json!({"avg": {"field": "items.qty"}}), json!(3.75)),
        (json!({"value_count": {"field": "items.qty"}}), json!(4)),
        (json!({"cardinality": {"field": "tags.keyword"}}), json!(3)),
        (json!({"cardinality": {"field": "items.sku.keyword"}}), json!(3)),
        (json!({"sum": {"field": "n"}}), json!(1.5)),
    ] {
        assert_eq!(aggregated(&house, aggregation.clone()).await["value"], value, "{aggregation}");
    }
    let missing = aggregated(&house, json!({"missing": {"field": "tags"}})).await;
    assert_eq!(missing["doc_count"], 1);
    let ranges = json!({"range": {"field": "codes", "ranges": [{"to": 300}, {"from": 300}]}});
    let ranges = aggregated(&house, ranges).await;
    assert_eq!((&ranges["buckets"][0]["doc_count"], &ranges["buckets"][1]["doc_count"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn a_number_is_found_by_all_of_its_digits() {
    // Numbers that a reader which rounds each step takes for their neighbours.
    let numbers =
        ["90.33333333333333", "0.12000000000000001", "1.1e-7", "123456789.12345679", "2.2250738585072014e-308"];
    let house = House::new();
    for number in numbers {
        let lines = format!("{{\"create\":{{}}}}\n{{\"message\":\"{number}\",\"x\":{number}}}\n");
        assert_eq!(house.post("/elasticsearch/app/_bulk", lines).await.json()["errors"], false);
    }
    for number in numbers {
        let query = format!(r#"{{"query":{{"term":{{"x":{number}}}}}}}"#);
        let reply = house.post("/elasticsearch/app/_search", query).await.json();
        assert_eq!(reply["hits"]["total"]["value"], 1, "{number}: {reply}");
        assert_eq!(reply["hits"]["hits"][0]["_source"]["message"], number, "{reply}");
    }
}

#[tokio::test]
async fn dates_are_dates_in_every_field() {
    let house = house(&documents()).await;
    let most = aggregated(&house, json!({"max": {"field": "created"}})).await;
    assert_eq!(most, json!({"value": 1_774_821_600_000.0, "value_as_string": "2026-03-29T22:00:00.000Z"}));
    let stats = aggregated(&house, json!({"stats": {"field": "created"}})).await;
    assert_eq!((&stats["count"], &stats["min_as_string"]), (&json!(3), &json!("2026-03-28T22:30:00.000Z")));
    let days =
        json!({"date_histogram": {"field": "created", "calendar_interval": "day", "time_zone": "Europe/Berlin"}});
    assert_eq!(
        buckets(&aggregated(&house, days).await),
        // Clocks are put forward on the 29th: that day has 23 hours.
        expected(&[("1774652400000", 1), ("1774738800000", 1), ("1774821600000", 1)])
    );
    let count = async |range: Value| {
        let body = json!({"query": {"range": {"created": range}}}).to_string();
        house.post("/elasticsearch/app/_count", body).await.json()["count"].clone()
    };
    assert_eq!(count(json!({"gte": "2026-03-29", "lte": "2026-03-29", "time_zone": "Europe/Berlin"})).await, 1);
    let day = json!({"gte": "2026-03-29||/d", "lt": "2026-03-29||+1d/d", "time_zone": "Europe/Berlin"});
    assert_eq!(count(day).await, 1);
    assert_eq!(count(json!({"gte": "now-20y", "lt": "now"})).await, 3);
}

#[tokio::test]
async fn the_mapping_names_what_can_be_asked_for() {
    let house = house(&documents()).await;
    let mapping = house.get("/elasticsearch/app/_mapping").await.json();
    let properties = &mapping["app"]["mappings"]["properties"];
    for (path, kind) in [
        ("/tags/type", json!("text")),
        ("/tags/fields/keyword/type", json!("keyword")),
        ("/codes/type", json!("long")),
        ("/n/type", json!("double")),
        ("/created/type", json!("date")),
        ("/items/properties/sku/type", json!("text")),
        ("/items/properties/qty/type", json!("long")),
    ] {
        assert_eq!(properties.pointer(path), Some(&kind), "{path} of {properties}");
    }
    let capabilities = house.get("/elasticsearch/app/_field_caps?fields=items.*").await.json();
    let names: Vec<&String> = capabilities["fields"].as_object().expect("fields").keys().collect();
    assert_eq!(names, ["items.qty", "items.sku", "items.sku.keyword"]);
}

/// Returns the document of an id, without the fields that are added to it.
async fn source(house: &House, index: &str, id: &str) -> Value {
    let mut source = house.get(&format!("/elasticsearch/{index}/_source/{id}")).await.json();
    source.as_object_mut().expect("a document").retain(|name, _| name != "@timestamp" && name != "message");
    source
}

#[tokio::test]
async fn a_document_has_all_its_fields_however_many_its_index_has() {
    let house = House::new();
    let wide = |number: usize, n: usize| -> Value {
        (0..n).map(|field| (format!("f{number}_{field:05}"), json!(field))).collect::<serde_json::Map<_, _>>().into()
    };
    let documents: Vec<Value> = [700, 700, 700, 1_300, 2].into_iter().enumerate().map(|(n, f)| wide(n, f)).collect();
    let lines: Vec<String> = documents
        .iter()
        .enumerate()
        .map(|(n, document)| format!("{{\"create\":{{\"_id\":\"{n}\"}}}}\n{document}\n"))
        .collect();
    assert_eq!(house.post("/elasticsearch/wide/_bulk", lines.concat()).await.json()["errors"], false);
    for _ in ["hot", "flushed"] {
        for (number, document) in documents.iter().enumerate() {
            let found = source(&house, "wide", &number.to_string()).await;
            assert_eq!(found.as_object().map(serde_json::Map::len), document.as_object().map(serde_json::Map::len));
            assert!(found == *document, "{number}");
        }
        let body = json!({"sort": [{"@timestamp": "asc"}], "from": 1, "size": 3, "_source": ["f*_00001"]});
        let hits = house.post("/elasticsearch/wide/_search", body.to_string()).await.json();
        let found: Vec<&Value> =
            hits["hits"]["hits"].as_array().expect("hits").iter().map(|hit| &hit["_source"]).collect();
        assert_eq!(found, [&json!({"f1_00001": 1}), &json!({"f2_00001": 1}), &json!({"f3_00001": 1})]);
        assert_eq!(house.administer("POST", "/api/v1/status/flush", "").await.status, 200);
    }
}

#[tokio::test]
async fn a_document_without_an_id_is_found_by_that_in_the_answer() {
    let house = House::new();
    for document in [json!({"a": 1.0}), json!({"a": null}), json!({"a": 1, "message": "m"})] {
        let reply = house.post("/elasticsearch/app/_doc", document.to_string()).await;
        let id = reply.json()["_id"].as_str().expect("an id").to_owned();
        let found = house.get(&format!("/elasticsearch/app/_doc/{id}")).await.json();
        let shown = |mut source: Value| {
            source.as_object_mut().expect("a document").remove("@timestamp");
            source
        };
        assert_eq!((&found["found"], shown(found["_source"].clone())), (&json!(true), document), "{found}");
    }
}

/// Events whose levels are written in several ways, or recognised.
fn levels() -> Vec<Value> {
    let of = |second: u32, more: Value| {
        let mut document = json!({"@timestamp": format!("2026-11-20T11:00:{second:02}Z"), "message": format!("event {second}"), "n": second});
        document.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        document
    };
    vec![
        of(1, json!({"level": "INFO"})),
        of(2, json!({"level": "INFO"})),
        of(3, json!({"level": "NOTICE"})),
        of(4, json!({"level": "WARNING"})),
        of(5, json!({"level": "silent"})),
        of(6, json!({"level": 30})),
        of(7, json!({"log": {"level": "ERROR"}})),
        of(8, json!({"severity": "ERROR"})),
        of(9, json!({"level": "error"})),
    ]
}

#[tokio::test]
async fn a_bucket_of_levels_is_named_as_its_events_show_them() {
    let house = house(&levels()).await;
    let search = async |body: Value| {
        let reply = house.post("/elasticsearch/app/_search", body.to_string()).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        reply.json()["hits"]["hits"].as_array().expect("hits").clone()
    };
    for (field, pointer) in [
        ("level", "/_source/level"),
        ("level.keyword", "/_source/level"),
        ("log.level", "/_source/log/level"),
        ("log.level.keyword", "/_source/log/level"),
    ] {
        let mut shown: BTreeMap<String, u64> = BTreeMap::new();
        for hit in search(json!({"size": 20})).await {
            if let Some(level) = hit.pointer(pointer) {
                *shown.entry(level.as_str().map_or_else(|| level.to_string(), str::to_owned)).or_default() += 1;
            }
        }
        let n_shown: u64 = shown.values().sum();
        let found = aggregated(&house, json!({"terms": {"field": field, "size": 20}})).await;
        assert_eq!(buckets(&found).into_iter().collect::<BTreeMap<_, _>>(), shown, "{field}");
        let sources = json!([{"l": {"terms": {"field": field}}}]);
        let pages = aggregated(&house, json!({"composite": {"size": 20, "sources": sources}})).await;
        let of_pages = pages["buckets"].as_array().expect("buckets").iter();
        assert!(of_pages.clone().all(|page| shown.contains_key(page["key"]["l"].as_str().unwrap_or("30"))), "{pages}");
        assert_eq!(of_pages.count(), shown.len(), "{field}");
        let n_values = aggregated(&house, json!({"cardinality": {"field": field}})).await;
        assert_eq!(n_values["value"], shown.len(), "{field}");
        let missing = aggregated(&house, json!({"missing": {"field": field}})).await;
        assert_eq!(missing["doc_count"], 9 - n_shown, "{field}");
        assert_eq!(search(json!({"size": 20, "query": {"exists": {"field": field}}})).await.len() as u64, n_shown);
        let sorted = search(json!({"size": 20, "sort": [{field: "asc"}]})).await;
        for hit in &sorted {
            assert_eq!(hit["sort"][0], *hit.pointer(pointer).unwrap_or(&Value::Null), "{field}: {hit}");
        }
        let collapsed = search(json!({"size": 20, "collapse": {"field": field}})).await;
        assert_eq!(collapsed.len(), shown.len() + usize::from(n_shown < 9), "{field}");
        for (key, count) in &shown {
            let value = key.parse::<u64>().map_or_else(|_| json!(key), |number| json!(number));
            for query in [
                json!({"term": {field: value}}),
                json!({"terms": {field: [value]}}),
                json!({"match_phrase": {field: value}}),
                json!({"query_string": {"query": format!("{field}:\"{key}\"")}}),
                json!({"prefix": {field: key}}),
                json!({"wildcard": {field: format!("{key}*")}}),
            ] {
                let hits = search(json!({"size": 20, "query": query})).await;
                let of_key = hits.iter().filter(|hit| hit.pointer(pointer) == Some(&value)).count() as u64;
                assert!(
                    of_key == *count || query.get("prefix").or(query.get("wildcard")).is_some() && key == "30",
                    "{query}"
                );
                // The name of a level finds all ways to write it, a `.keyword` only its own.
                assert!(!field.ends_with(".keyword") || hits.len() as u64 == *count, "{query}: {}", hits.len());
            }
        }
    }
}

#[tokio::test]
async fn the_name_of_a_level_finds_all_ways_to_write_it_and_other_values_what_was_sent() {
    let house = house(&levels()).await;
    let ns = async |query: Value| -> Vec<i64> {
        let body = json!({"size": 20, "sort": ["n"], "query": query});
        let reply = house.post("/elasticsearch/app/_search", body.to_string()).await.json();
        let hits = reply["hits"]["hits"].as_array().expect("hits");
        hits.iter().map(|hit| hit["_source"]["n"].as_i64().expect("a number")).collect()
    };
    assert_eq!(ns(json!({"term": {"level": "error"}})).await, [7, 8, 9]);
    assert_eq!(ns(json!({"query_string": {"query": "level:(ERROR OR warn)"}})).await, [4, 7, 8, 9]);
    assert_eq!(ns(json!({"term": {"level": "NOTICE"}})).await, [3]);
    assert_eq!(ns(json!({"range": {"level": {"gte": "warn"}}})).await, [4, 7, 8, 9]);
    assert_eq!(ns(json!({"range": {"level": {"gte": 20, "lt": 40}}})).await, [6]);
    let capabilities = house.get("/elasticsearch/app/_field_caps?fields=level*").await.json();
    assert_eq!(capabilities["fields"]["level.keyword"]["keyword"]["aggregatable"], true, "{capabilities}");
}

#[tokio::test]
async fn a_declared_level_is_its_whole_text() {
    let house = House::new();
    let mapping = json!({"mappings": {"properties": {"level": {"type": "keyword"}}}});
    let request = Request::put("/elasticsearch/app").body(Body::from(mapping.to_string())).expect("a request");
    assert_eq!(house.send(request).await.status, 200);
    let documents: Vec<Value> = levels().into_iter().filter(|document| document["level"] != 30).collect();
    let lines: Vec<String> = documents.iter().map(|document| format!("{{\"create\":{{}}}}\n{document}\n")).collect();
    house.post("/elasticsearch/app/_bulk", lines.concat()).await;
    let found = aggregated(&house, json!({"terms": {"field": "level", "order": {"_key": "asc"}}})).await;
    let keys = [("INFO", 2), ("NOTICE", 1), ("WARNING", 1), ("error", 2), ("silent", 1)];
    assert_eq!(buckets(&found), expected(&keys));
    for (key, count) in keys.iter().chain(&[("info", 0), ("ERROR", 0)]) {
        let filter = aggregated(&house, json!({"filter": {"term": {"level": key}}})).await;
        assert_eq!(filter["doc_count"], *count, "{key}");
    }
}
