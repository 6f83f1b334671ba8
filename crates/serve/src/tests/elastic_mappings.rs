//! Mappings and templates: kept, shown again, and what they decide.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{House, Reply};

impl House {
    async fn declare(&self, method: &str, uri: &str, body: Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/elasticsearch/{uri}"));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).expect("a request")).await
    }

    /// Returns the numbers `i` of the events that a query finds, or the error's type.
    async fn numbers(&self, index: &str, query: Value) -> Value {
        let body = json!({"query": query, "sort": ["i"], "_source": ["i"]});
        let reply = self.declare("POST", &format!("{index}/_search"), body).await.json();
        match reply["hits"]["hits"].as_array() {
            // A document is shown as it was sent, and one of them sent a text.
            Some(hits) => hits
                .iter()
                .map(|hit| if hit["_source"]["i"] == "2" { json!(2) } else { hit["_source"]["i"].clone() })
                .collect(),
            None => reply["error"]["type"].clone(),
        }
    }

    async fn documents(&self, index: &str, documents: &[Value]) -> Value {
        let lines: String = documents.iter().map(|one| format!("{{\"create\":{{}}}}\n{one}\n")).collect();
        self.post(&format!("/elasticsearch/{index}/_bulk"), lines).await.json()
    }
}

fn properties() -> Value {
    json!({"properties": {
        "i": {"type": "integer"},
        "client": {"type": "ip"},
        "code": {"type": "keyword", "ignore_above": 5},
        "user": {"type": "keyword", "normalizer": "lowercase"},
        "at": {"type": "date"},
        "text": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
        "words": {"type": "text", "fielddata": true, "index_options": "docs"},
        "ok": {"type": "boolean"},
        "number": {"type": "alias", "path": "i"},
        "place": {"type": "geo_point"},
        "closed": {"type": "object", "enabled": false},
        "labels": {"type": "flattened"},
    }})
}

fn documents() -> Vec<Value> {
    vec![
        json!({"i": 1, "client": "10.1.2.3", "code": "10", "user": "Ann", "at": 1_790_000_000_000_i64,
               "text": "Connection refused", "words": "Push Event", "ok": "true", "labels": {"a": "x"}}),
        json!({"i": "2", "client": "10.1.9.3", "code": "9", "user": "BOB", "at": "2026-11-01T00:00:00+02:00",
               "text": "2026-11-01", "words": "push", "ok": false, "closed": {"a": 1}}),
        json!({"i": 3, "client": "2001:db8::7", "code": "abcdefgh", "user": "ann", "text": "refused connection"}),
    ]
}

#[tokio::test]
async fn fields_are_what_they_are_declared_to_be() {
    let house = House::new();
    let made = house.declare("PUT", "shop", json!({"mappings": properties()})).await;
    assert_eq!((made.status, made.header("warning")), (200, ""));
    assert_eq!(house.documents("shop", &documents()).await["errors"], false);
    let house = house.restarted();
    for (query, expected) in [
        (json!({"term": {"client": "10.1.0.0/21"}}), json!([1])),
        (json!({"range": {"client": {"gte": "10.1.2.4"}}}), json!([2, 3])),
        (json!({"term": {"client": "2001:0db8:0:0::7"}}), json!([3])),
        // Texts that look like numbers are texts.
        (json!({"range": {"code": {"lt": "9"}}}), json!([1])),
        (json!({"term": {"code": "10.0"}}), json!([])),
        // What is longer than allowed is not found.
        (json!({"prefix": {"code": "abc"}}), json!([])),
        (json!({"exists": {"field": "code"}}), json!([1, 2])),
        (json!({"term": {"user": "ANN"}}), json!([1, 3])),
        (json!({"prefix": {"user": "AN"}}), json!([1, 3])),
        (json!({"range": {"at": {"gte": "2026-10-31T22:00:00Z"}}}), json!([2])),
        (json!({"range": {"at": {"lt": "2026-10-01"}}}), json!([1])),
        (json!({"match": {"text": "REFUSED"}}), json!([1, 3])),
        (json!({"term": {"text.raw": "Connection refused"}}), json!([1])),
        // There is no such part of the field.
        (json!({"term": {"text.keyword": "Connection refused"}}), json!([])),
        (json!({"match_phrase": {"text": {"query": "connection refused", "slop": 2}}}), json!([1, 3])),
        (json!({"match_phrase": {"words": "push event"}}), json!("query_shard_exception")),
        (json!({"term": {"ok": true}}), json!([1])),
        (json!({"range": {"number": {"gte": 2}}}), json!([2, 3])),
        (json!({"term": {"number": "two"}}), json!("query_shard_exception")),
        (json!({"match": {"number": {"query": "two", "lenient": true}}}), json!([])),
        (json!({"prefix": {"number": "1"}}), json!("query_shard_exception")),
        (json!({"query_string": {"query": "number:>1 AND client:\"10.0.0.0/8\""}}), json!([2])),
        (json!({"term": {"place": "1,2"}}), json!("query_shard_exception")),
        (json!({"exists": {"field": "closed.a"}}), json!([])),
        (json!({"term": {"labels.a": "x"}}), json!([1])),
    ] {
        assert_eq!(house.numbers("shop", query.clone()).await, expected, "{query}");
    }
}

#[tokio::test]
async fn buckets_and_orders_are_of_declared_values() {
    let house = House::new();
    assert_eq!(house.declare("PUT", "shop", json!({"mappings": properties()})).await.status, 200);
    house.documents("shop", &documents()).await;
    let search = async |body: Value| house.declare("POST", "shop/_search", body).await.json();
    let keys = async |field: &str| {
        let found = search(json!({"size": 0, "aggs": {"a": {"terms": {"field": field}}}})).await;
        match found["aggregations"]["a"]["buckets"].as_array() {
            Some(buckets) => buckets.iter().map(|one| json!([one["key"], one["doc_count"]])).collect(),
            None => found["error"]["type"].clone(),
        }
    };
    assert_eq!(keys("user").await, json!([["ann", 2], ["bob", 1]]));
    assert_eq!(keys("code").await, json!([["10", 1], ["9", 1]]));
    assert_eq!(keys("words").await, json!([["push", 2], ["event", 1]]));
    assert_eq!(keys("at").await, json!([[1_790_000_000_000_i64, 1], [1_793_484_000_000_i64, 1]]));
    assert_eq!(keys("text").await, "illegal_argument_exception");
    let sorted = async |sort: Value| {
        let found = search(json!({"sort": [sort]})).await;
        let hits = found["hits"]["hits"].as_array().cloned().unwrap_or_default();
        hits.iter().map(|hit| hit["sort"][0].clone()).collect::<Value>()
    };
    assert_eq!(sorted(json!({"client": "desc"})).await, json!(["2001:db8::7", "10.1.9.3", "10.1.2.3"]));
    assert_eq!(sorted(json!("at")).await, json!([1_790_000_000_000_i64, 1_793_484_000_000_i64, null]));
    let after = json!({"sort": ["client"], "search_after": ["10.1.2.3"], "_source": ["i"]});
    assert_eq!(search(after).await["hits"]["hits"][0]["_source"]["i"], "2");
}

#[tokio::test]
async fn documents_that_do_not_fit_are_refused() {
    let house = House::new();
    let mapping = json!({"dynamic": "strict", "properties": {"n": {"type": "byte"}, "ip": {"type": "ip"},
        "t": {"type": "date"}, "lax": {"type": "long", "ignore_malformed": true}}});
    assert_eq!(house.declare("PUT", "strict", json!({"mappings": mapping})).await.status, 200);
    let good = [json!({"n": "7"}), json!({"n": [1, 2], "lax": "x"}), json!({"t": 5, "ip": "::1"}), json!({})];
    assert_eq!(house.documents("strict", &good).await["errors"], false);
    for (document, kind) in [
        (json!({"n": "x"}), "document_parsing_exception"),
        (json!({"n": 128}), "document_parsing_exception"),
        (json!({"ip": "10.0.0"}), "document_parsing_exception"),
        (json!({"t": "yesterday"}), "document_parsing_exception"),
        (json!({"n": {"a": 1}}), "document_parsing_exception"),
        (json!({"other": 1}), "strict_dynamic_mapping_exception"),
    ] {
        let answer = house.documents("strict", &[document.clone(), json!({"n": 1})]).await;
        assert_eq!(answer["items"][0]["create"]["error"]["type"], kind, "{document}");
        assert_eq!(answer["items"][1]["create"]["status"], 201, "{document}");
    }
}

#[tokio::test]
async fn templates_decide_about_new_indices_alone() {
    let house = House::new();
    house.documents("logs-old", &[json!({"code": 5})]).await;
    let base = json!({"template": {"mappings": {"properties": {"code": {"type": "keyword"}}}}});
    assert_eq!(house.declare("PUT", "_component_template/base", base).await.status, 200);
    let template = json!({"index_patterns": ["logs-*"], "composed_of": ["base"], "priority": 7, "template": {
        "settings": {"number_of_shards": 1}, "mappings": {"properties": {"n": {"type": "long"}}}}});
    assert_eq!(house.declare("PUT", "_index_template/logs", template.clone()).await.status, 200);
    house.documents("logs-new", &[json!({"code": 5})]).await;
    let house = house.restarted();
    let shown = house.get("/elasticsearch/_index_template/lo*").await.json();
    let mut kept = template;
    kept["template"]["settings"] = json!({"index": {"number_of_shards": "1"}});
    assert_eq!(shown, json!({"index_templates": [{"name": "logs", "index_template": kept}]}));
    let kind = async |index: &str| {
        let mapping = house.get(&format!("/elasticsearch/{index}/_mapping")).await.json();
        mapping[index]["mappings"]["properties"]["code"]["type"].clone()
    };
    assert_eq!((kind("logs-old").await, kind("logs-new").await), (json!("long"), json!("keyword")));
    // Each index is asked as it is mapped, and what both are asked for must be one thing.
    let found = house.declare("POST", "logs-*/_count", json!({"query": {"range": {"code": {"gte": "10"}}}})).await;
    assert_eq!(found.json()["count"], 1);
    let component = house.declare("DELETE", "_component_template/base", Value::Null).await;
    assert_eq!(
        (component.status, component.json()["error"]["type"].as_str()),
        (400, Some("illegal_argument_exception"))
    );
    assert_eq!(house.declare("DELETE", "_index_template/logs", Value::Null).await.status, 200);
    assert_eq!(house.get("/elasticsearch/_index_template/logs").await.status, 404);
    assert_eq!(kind("logs-new").await, json!("keyword"));
    let caps = house.get("/elasticsearch/logs-new/_field_caps?fields=code,n").await.json();
    assert_eq!(
        (&caps["fields"]["code"]["keyword"]["type"], &caps["fields"]["n"]["long"]["type"]),
        (&json!("keyword"), &json!("long"))
    );
}

#[tokio::test]
async fn what_is_not_supported_is_refused_when_it_is_declared() {
    let house = House::new();
    assert_eq!(
        house.declare("PUT", "a", json!({"mappings": {"properties": {"x": {"type": "long"}}}})).await.status,
        200
    );
    for body in [
        json!({"properties": {"y": {"type": "nested"}}}),
        json!({"properties": {"y": {"type": "join", "relations": {}}}}),
        json!({"properties": {"y": {"type": "dense_vector", "dims": 3}}}),
        json!({"properties": {"y": {"type": "text", "analyzer": "french"}}}),
        json!({"properties": {"y": {"type": "keyword", "normalizer": "mine"}}}),
        json!({"properties": {"y": {"type": "date", "format": "dd/MM/yyyy"}}}),
        json!({"properties": {"y": {"type": "keyword", "copy_to": "z"}}}),
        json!({"properties": {"y": {"type": "keyword", "null_value": "z"}}}),
        json!({"properties": {"y": {"type": "alias", "path": "z"}}}),
        json!({"properties": {"x": {"type": "keyword"}}}),
        json!({"properties": {"y": {"type": "long", "foo": 1}}}),
        json!({"runtime": {"y": {"type": "long"}}}),
        json!({"_source": {"enabled": false}}),
        json!({"foo": 1}),
    ] {
        let answer = house.declare("PUT", "a/_mapping", body.clone()).await;
        assert_eq!(answer.status, 400, "{body} {}", answer.text());
    }
    let properties = house.get("/elasticsearch/a/_mapping").await.json()["a"]["mappings"]["properties"].clone();
    assert_eq!(properties["x"], json!({"type": "long"}));
    assert!(properties.get("y").is_none(), "{properties}");
    let pipeline = json!({"index_patterns": ["a*"], "template": {"settings": {"index.default_pipeline": "p"}}});
    assert_eq!(house.declare("PUT", "_index_template/p", pipeline).await.status, 400);
    assert_eq!(house.declare("PUT", "none/_mapping", json!({"properties": {}})).await.status, 404);
}

#[tokio::test]
async fn esql_reads_declared_fields_or_refuses_them_by_name() {
    let house = House::new();
    house.declare("PUT", "shop", json!({"mappings": properties()})).await;
    assert_eq!(house.documents("shop", &documents()).await["errors"], false);
    let ask = async |query: &str| house.declare("POST", "_query", json!({"query": query})).await.json();
    // `code` is a keyword: its whole value is looked for, as `_search` does.
    let found = ask("FROM shop | WHERE MATCH(code, \"10\") | KEEP i").await;
    assert_eq!(
        found["error"]["type"], "verification_exception",
        "the numbers of `i` are texts in one document: {found}"
    );
    let found = ask("FROM shop | WHERE MATCH(code, \"10\") | KEEP code").await;
    assert_eq!(found["values"], json!([["10"]]), "{found}");
    let refused = ask("FROM shop | STATS n = COUNT(*) BY client").await;
    assert!(
        refused["error"]["reason"].as_str().is_some_and(|reason| reason.contains("[client] is mapped as [ip]")),
        "{refused}"
    );
    let counted = ask("FROM shop | STATS n = COUNT(*)").await;
    assert_eq!(counted["values"], json!([[3]]), "{counted}");
}
