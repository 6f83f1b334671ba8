//! Elasticsearch's questions (what queries find is in `tests/golden/elastic.ask`): hits, aggregations, and what Grafana and the client libraries send.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply, encoded};

impl House {
    async fn ask(&self, uri: &str, body: &Value) -> Value {
        let reply = self.post(uri, body.to_string()).await;
        assert_eq!(reply.status, 200, "{uri} {body}: {}", reply.text());
        assert_eq!(reply.header("x-elastic-product"), "Elasticsearch");
        reply.json()
    }

    async fn search(&self, body: Value) -> Value {
        self.ask("/elasticsearch/_search", &body).await
    }

    async fn refused(&self, uri: &str, body: &str) -> (u16, String, String) {
        let reply = self.post(uri, body.to_owned()).await;
        refusal(&reply)
    }
}

fn refusal(reply: &Reply) -> (u16, String, String) {
    let error = reply.json();
    let text = |name: &str| error["error"][name].as_str().expect("a text").to_owned();
    assert_eq!(error["status"], reply.status, "{error}");
    assert_eq!(error["error"]["root_cause"][0]["type"], error["error"]["type"]);
    (reply.status, text("type"), text("reason"))
}

#[tokio::test]
async fn hits_are_events_newest_first_with_what_was_sent() {
    let house = House::new();
    house.fill().await;
    let found = house.ask("/elasticsearch/web%2Faccess/_search", &json!({})).await;
    assert_eq!(found["hits"]["total"], json!({"value": 3, "relation": "eq"}));
    let first = &found["hits"]["hits"][0];
    assert_eq!(first["_index"], "web/access");
    assert_eq!(
        first["_source"],
        json!({
            "@timestamp": "2026-11-20T11:53:30Z", "message": "GET /c failed", "level": "error", "service": "api", "ms": 41,
            "@logStream": "web-1",
        })
    );
    assert_eq!(first["_score"], 1.0);
    let shown = house
        .search(json!({"size": 1, "_source": ["mes*"], "sort": [{"@timestamp": "asc"}, "_doc"], "fields": ["ms", "service*"]}))
        .await;
    assert_eq!(shown["hits"]["total"]["value"], 5);
    let first = &shown["hits"]["hits"][0];
    assert_eq!(first["_source"], json!({"message": "GET /a"}));
    assert_eq!(first["fields"], json!({"ms": [12], "service": ["web"]}));
    assert_eq!(first["sort"][0], 1_795_175_460_000_i64);
    let bare = house.search(json!({"size": 1, "_source": false, "track_total_hits": false})).await;
    assert_eq!(bare["hits"].get("total"), None);
    assert_eq!(bare["hits"]["hits"][0].get("_source"), None);
    let of_address =
        house.get("/elasticsearch/_search?q=level:error&size=1&sort=ms:desc&rest_total_hits_as_int=true").await;
    assert_eq!(of_address.json()["hits"]["total"], 2);
    assert_eq!(of_address.json()["hits"]["hits"][0]["_source"]["ms"], 41);
}

#[tokio::test]
async fn what_is_not_supported_is_named_with_its_place() {
    let house = House::new();
    house.fill().await;
    for (body, kind, reason) in [
        (
            json!({"query": {"bool": {"must": [{"nested": {"path": "a"}}]}}}),
            "parsing_exception",
            "[query.bool.must[0]] query [nested] is not supported",
        ),
        (json!({"query": {"bool": {"musst": []}}}), "parsing_exception", "[bool] query does not support [musst]"),
        (json!({"query": {}}), "parsing_exception", "[query] is empty"),
        (json!({"query": {"term": {"a": 1}, "match_all": {}}}), "parsing_exception", "malformed"),
        (json!({"query": {"query_string": {"query": "a AND"}}}), "query_shard_exception", "at 1:6"),
        (json!({"query": {"regexp": {"a": "("}}}), "parsing_exception", "[query.regexp.a]"),
        (json!({"query": {"range": {"@timestamp": {"gte": "soon"}}}}), "parsing_exception", "is no time"),
        (
            json!({"aggs": {"x": {"geohash_grid": {}}}}),
            "parsing_exception",
            "[aggs.x.geohash_grid] aggregation [geohash_grid] is not supported",
        ),
        (json!({"aggs": {"x": {"terms": {}}}}), "parsing_exception", "Required one of fields"),
        (
            json!({"aggs": {"x": {"terms": {"field": "a", "order": {"y": "desc"}}}}}),
            "aggregation_execution_exception",
            "order path [y]",
        ),
        (json!({"aggs": {"x": {"derivative": {"buckets_path": "y"}}}}), "parsing_exception", "inside a histogram"),
        (json!({"from": 9_999, "size": 2}), "illegal_argument_exception", "Result window is too large"),
        (json!({"rescore": {"window_size": 9}}), "parsing_exception", "[rescore] is not supported"),
        (json!({"runtime_mappings": {"x": {}}}), "parsing_exception", "[runtime_mappings] is not supported"),
        (json!({"explain": true}), "parsing_exception", "[explain] is not supported"),
        (json!({"min_score": 0.5}), "parsing_exception", "[min_score] is not supported above 0"),
        (json!({"slice": {"id": 2, "max": 2}}), "illegal_argument_exception", "got id 2 of 2"),
        (json!({"collapse": {"field": "a", "inner_hits": {}}}), "parsing_exception", "[inner_hits] is not supported"),
        (
            json!({"query": {"match": {"a": {"query": "b", "foo": 1}}}}),
            "parsing_exception",
            "[match] query does not support [foo]",
        ),
        (
            json!({"query": {"match": {"a": {"query": "b", "analyzer": "x"}}}}),
            "parsing_exception",
            "[analyzer] with [x]",
        ),
        (json!({"aggs": {"x": {"terms": {"field": "a", "script": "1"}}}}), "parsing_exception", "[script] with [1]"),
        (json!({"aggs": {"x": {"avg": {"field": "a", "foo": 1}}}}), "parsing_exception", "[avg] unknown field [foo]"),
        (
            json!({"aggs": {"x": {"significant_text": {"field": "a"}}}}),
            "parsing_exception",
            "[significant_text] is not supported",
        ),
        (json!({"quary": {}}), "parsing_exception", "unknown key [quary]"),
        (json!({"sort": [{"@timestamp": "desc"}], "search_after": [1, 2]}), "parsing_exception", "has 2 values"),
        (json!([]), "parsing_exception", "is not an object"),
    ] {
        let (status, found, text) = house.refused("/elasticsearch/_search", &body.to_string()).await;
        assert_eq!((status, found.as_str()), (400, kind), "{body}: {text}");
        assert!(text.contains(reason), "{body}: {text}");
    }
    assert_eq!(house.refused("/elasticsearch/_search", "{").await.1, "parsing_exception");
}

#[tokio::test]
async fn indices_that_are_not_there_are_refused_unless_the_request_allows_them() {
    let house = House::new();
    house.fill().await;
    let (status, kind, reason) = house.refused("/elasticsearch/db,nothing/_search", "{}").await;
    assert_eq!((status, kind.as_str(), reason.as_str()), (404, "index_not_found_exception", "no such index [nothing]"));
    let found = house.ask("/elasticsearch/db,nothing/_search?ignore_unavailable=true", &json!({})).await;
    assert_eq!(found["hits"]["total"]["value"], 2);
    let found =
        house.ask("/elasticsearch/none*/_search", &json!({"aggs": {"n": {"value_count": {"field": "ms"}}}})).await;
    assert_eq!((&found["hits"]["total"]["value"], found.get("aggregations")), (&json!(0), None));
    assert_eq!(house.refused("/elasticsearch/none*/_search?allow_no_indices=false", "{}").await.0, 404);
    let found = house.ask("/elasticsearch/*,-db/_search", &json!({})).await;
    assert_eq!(found["hits"]["total"]["value"], 3);
}

/// Returns what Grafana's backend sends for a panel: filters, then buckets in buckets.
fn of_grafana(lucene: &str, aggregations: Value) -> String {
    let range = json!({"range": {"@timestamp": {"gte": 1_795_174_800_000_i64, "lte": 1_795_176_000_000_i64, "format": "epoch_millis"}}});
    let query = json!({"query_string": {"analyze_wildcard": true, "query": lucene}});
    let body = json!({"size": 0, "query": {"bool": {"filter": [range, query]}}, "aggs": aggregations});
    let header = json!({"search_type": "query_then_fetch", "ignore_unavailable": true, "index": "web/access,db,gone"});
    format!("{header}\n{body}\n")
}

fn date_histogram(interval: &str, inner: &Value) -> Value {
    json!({"date_histogram": {
        "field": "@timestamp", "fixed_interval": interval, "min_doc_count": 0, "format": "epoch_millis",
        "extended_bounds": {"min": 1_795_174_800_000_i64, "max": 1_795_176_000_000_i64},
    }, "aggs": inner})
}

#[tokio::test]
async fn grafana_gets_its_panels() {
    let house = House::new();
    house.fill().await;
    let count = of_grafana("*", json!({"2": date_histogram("5m", &json!({}))}));
    let metrics =
        json!({"1": {"avg": {"field": "ms"}}, "3": {"percentiles": {"field": "ms", "percents": ["50", "99"]}}});
    let by_level = json!({"4": {
        "terms": {"field": "level", "size": 500, "order": {"_key": "desc"}, "min_doc_count": 1, "missing": "unknown"},
        "aggs": {"2": date_histogram("10m", &metrics)},
    }});
    let body = count + &of_grafana("service:*", by_level) + &of_grafana("a AND", json!({}));
    let reply = house.post("/elasticsearch/_msearch?max_concurrent_shard_requests=5", body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer = reply.json();
    let buckets = answer["responses"][0]["aggregations"]["2"]["buckets"].as_array().expect("buckets").clone();
    let counts: Vec<u64> = buckets.iter().map(|bucket| bucket["doc_count"].as_u64().expect("a count")).collect();
    assert_eq!(counts, [0, 0, 4, 1, 0]);
    assert_eq!(buckets[0]["key"], 1_795_174_800_000_i64);
    assert_eq!(buckets[0]["key_as_string"], "1795174800000");
    assert_eq!(answer["responses"][0]["status"], 200);
    let levels = &answer["responses"][1]["aggregations"]["4"];
    assert_eq!((&levels["buckets"][0]["key"], &levels["buckets"][1]["key"]), (&json!("info"), &json!("error")));
    let of_error = &levels["buckets"][1]["2"]["buckets"];
    assert_eq!(of_error.as_array().map(Vec::len), Some(3), "{of_error}");
    assert_eq!(of_error[1]["doc_count"], 2);
    assert_eq!(of_error[1]["1"], json!({"value": 40.5}));
    assert_eq!(of_error[1]["3"]["values"]["99.0"].as_f64().map(f64::round), Some(41.0), "{of_error}");
    assert_eq!(of_error[0]["1"], json!({"value": null}));
    assert_eq!(answer["responses"][2]["status"], 400);
    assert_eq!(answer["responses"][2]["error"]["type"], "query_shard_exception");
}

#[tokio::test]
async fn grafana_gets_logs_with_marks_and_what_was_around_them() {
    let house = House::new();
    house.fill().await;
    let logs = |order: &str, after: Option<&Value>, size: usize| {
        let mut body = json!({
            "size": size, "query": {"bool": {"filter": [{"query_string": {"analyze_wildcard": true, "query": "get"}}]}},
            "sort": [{"@timestamp": {"order": order, "unmapped_type": "boolean"}}, {"_doc": {"order": order}}],
            "docvalue_fields": ["@timestamp"], "script_fields": {},
            "fields": [{"field": "@timestamp", "format": "strict_date_optional_time_nanos"}],
            "highlight": {"fields": {"*": {}}, "pre_tags": ["@HIGHLIGHT@"], "post_tags": ["@/HIGHLIGHT@"], "fragment_size": 2_147_483_647},
            "aggs": {"1": date_histogram("1m", &json!({}))},
        });
        if let Some(after) = after {
            body["search_after"] = after.clone();
        }
        body
    };
    let found = house.search(logs("desc", None, 2)).await;
    let hits = found["hits"]["hits"].as_array().expect("hits").clone();
    assert_eq!(hits.len(), 2);
    assert_eq!(hits[0]["highlight"], json!({"message": ["@HIGHLIGHT@GET@/HIGHLIGHT@ /c failed"]}));
    assert_eq!(found["hits"]["total"]["value"], 3);
    let next = house.search(logs("desc", Some(&hits[1]["sort"]), 2)).await;
    assert_eq!(next["hits"]["hits"][0]["_source"]["message"], "GET /a");
    assert_eq!(next["hits"]["hits"].as_array().map(Vec::len), Some(1));
    let back = house.search(logs("asc", Some(&next["hits"]["hits"][0]["sort"]), 5)).await;
    let messages: Vec<&str> = back["hits"]["hits"]
        .as_array()
        .expect("hits")
        .iter()
        .filter_map(|hit| hit["_source"]["message"].as_str())
        .collect();
    assert_eq!(messages, ["GET /b", "GET /c failed"]);
}

#[tokio::test]
async fn grafana_finds_the_index_and_its_fields() {
    let house = House::new();
    house.fill().await;
    assert_eq!(house.get("/elasticsearch/_cluster/health?wait_for_status=yellow").await.json()["status"], "green");
    let mapping = house.get("/elasticsearch/web%2Faccess/_mapping").await.json();
    let properties = &mapping["web/access"]["mappings"]["properties"];
    assert_eq!(properties["@timestamp"]["type"], "date", "{mapping}");
    assert_eq!(
        (&properties["ms"]["type"], &properties["service"]["fields"]["keyword"]["type"]),
        (&json!("long"), &json!("keyword"))
    );
    assert_eq!(house.get("/elasticsearch/gone/_mapping").await.status, 404);
    let capabilities = house.get("/elasticsearch/*/_field_caps?fields=@timestamp,ser*").await.json();
    assert_eq!(capabilities["indices"], json!(["db", "web/access"]));
    assert_eq!(capabilities["fields"]["@timestamp"]["date"]["aggregatable"], true);
    let names: Vec<&String> = capabilities["fields"].as_object().expect("fields").keys().collect();
    assert_eq!(names, ["@timestamp", "service", "service.keyword"]);
    assert_eq!(house.get("/elasticsearch/_resolve/index/w*").await.json()["indices"][0]["name"], "web/access");
    assert_eq!(
        house.get("/elasticsearch/_cat/indices?h=index,docs.count").await.text(),
        "db         2\nweb/access 3\n"
    );
    let rows = house.get("/elasticsearch/_cat/indices/db?format=json").await.json();
    assert_eq!((&rows[0]["index"], &rows[0]["docs.count"]), (&json!("db"), &json!("2")));
    let count = house.ask("/elasticsearch/_count", &json!({"query": {"term": {"level": "error"}}})).await;
    assert_eq!(count["count"], 2);
}

#[tokio::test]
async fn a_scroll_gives_each_event_once() {
    let house = House::new();
    let lines: String = (0..25)
        .map(|n| {
            format!(
                "{{\"index\":{{\"_id\":\"id-{n}\"}}}}\n{{\"@timestamp\":\"2026-11-20T11:00:00.{:09}Z\",\"n\":{n}}}\n",
                n / 2
            )
        })
        .collect();
    assert_eq!(house.post("/elasticsearch/many/_bulk", lines).await.status, 200);
    for sort in [json!(["_doc"]), json!([{"@timestamp": "asc"}]), json!([{"n": "desc"}]), json!([{"missing": "asc"}])] {
        let body = json!({"size": 10, "sort": sort});
        let mut answer = house.ask("/elasticsearch/many/_search?scroll=1m", &body).await;
        let mut found = Vec::new();
        loop {
            let hits = answer["hits"]["hits"].as_array().expect("hits").clone();
            assert_eq!(answer["hits"]["total"]["value"], 25);
            if hits.is_empty() {
                break;
            }
            found.extend(hits.iter().map(|hit| (hit["_id"].clone(), hit["_source"]["n"].as_i64().expect("a number"))));
            let next = json!({"scroll_id": answer["_scroll_id"], "scroll": "1m"});
            answer = house.ask("/elasticsearch/_search/scroll", &next).await;
        }
        assert_eq!(found.len(), 25, "{sort}");
        let mut numbers: Vec<i64> = found.iter().map(|(_, n)| *n).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..25).collect::<Vec<i64>>(), "{sort}");
        assert!(found.iter().all(|(id, n)| *id == format!("id-{n}")), "{sort}");
    }
    let cleared = Request::delete("/elasticsearch/_search/scroll").body(Body::from("{\"scroll_id\":\"x\"}"));
    assert_eq!(house.send(cleared.expect("a request")).await.json()["succeeded"], true);
    assert_eq!(house.refused("/elasticsearch/_search/scroll", "{\"scroll_id\":\"x\"}").await.0, 400);
    assert_eq!(house.messages_of_ids().await, 2);
}

impl House {
    async fn messages_of_ids(&self) -> usize {
        let found = self.search(json!({"query": {"ids": {"values": ["id-1", "id-2"]}}})).await;
        found["hits"]["hits"].as_array().map_or(0, Vec::len)
    }
}

#[tokio::test]
async fn answers_have_the_type_of_the_library_that_asks() {
    let house = House::new();
    house.fill().await;
    for version in [8, 9] {
        let kind = format!("application/vnd.elasticsearch+json; compatible-with={version}");
        let reply = house.get_with("/db/_search", "accept", &kind).await;
        assert_eq!(reply.header("content-type"), kind.replace("; ", ";"), "{}", reply.text());
        assert_eq!(reply.json()["hits"]["total"]["value"], 2);
    }
    assert_eq!(house.get("/db/_count").await.json()["count"], 2);
    let same = format!("/elasticsearch/_search?q={}", encoded("message:slow"));
    assert_eq!(house.get(&same).await.json()["hits"]["hits"][0]["_index"], "db");
}
