//! Elasticsearch's aggregations: what they are beside Grafana's, the same numbers as in other dialects, and limits.

use serde_json::{Value, json};

use super::{House, encoded};

async fn aggregated(house: &House, aggregations: Value) -> Value {
    let reply = house.post("/elasticsearch/_search", json!({"size": 0, "aggs": aggregations}).to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["aggregations"].clone()
}

#[tokio::test]
async fn buckets_have_buckets_hits_and_numbers() {
    let house = House::new();
    house.fill().await;
    let found = aggregated(
        &house,
        json!({
            "services": {
                "terms": {"field": "service.keyword", "size": 1, "order": {"_count": "desc"}},
                "meta": {"panel": 1},
                "aggs": {"last": {"top_hits": {"size": 1, "_source": ["message"], "sort": [{"@timestamp": "desc"}]}},
                         "top": {"top_metrics": {"metrics": {"field": "ms"}, "sort": {"@timestamp": "desc"}}}},
            },
            "none": {"missing": {"field": "service"}, "aggs": {"levels": {"terms": {"field": "level", "order": {"_key": "asc"}}}}},
            "slow": {"filter": {"range": {"ms": {"gte": 40}}}, "aggs": {"sum": {"sum": {"field": "ms"}}, "max": {"max": {"field": "@timestamp"}}}},
            "when": {"date_range": {"field": "@timestamp", "ranges": [{"to": "2026-11-20T11:53:00Z"}, {"from": "2026-11-20T11:53:00Z"}]}},
            "days": {"date_histogram": {"field": "@timestamp", "calendar_interval": "day", "time_zone": "Asia/Jakarta", "format": "yyyy-MM-dd"}},
            "list": {"filters": {"filters": [{"match": {"message": "get"}}], "other_bucket": true}},
            "steps": {"histogram": {"field": "ms", "interval": 10, "offset": 5, "min_doc_count": 0}},
            "stats": {"stats": {"field": "ms"}}, "count": {"value_count": {"field": "service"}},
            "empty": {"filter": {"match_none": {}}, "aggs": {"e": {"extended_stats": {"field": "ms"}}}},
        }),
    )
    .await;
    let web = &found["services"]["buckets"][0];
    assert_eq!((&web["key"], &web["doc_count"]), (&json!("web"), &json!(2)));
    assert_eq!(
        (&found["services"]["sum_other_doc_count"], &found["services"]["meta"]["panel"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(web["last"]["hits"]["total"]["value"], 2);
    assert_eq!(web["last"]["hits"]["hits"][0]["_source"], json!({"message": "GET /b"}));
    assert_eq!(web["top"]["top"][0]["metrics"], json!({"ms": 40}));
    let levels: Vec<&Value> =
        found["none"]["levels"]["buckets"].as_array().expect("buckets").iter().map(|b| &b["key"]).collect();
    assert_eq!((&found["none"]["doc_count"], levels), (&json!(2), vec![&json!("info"), &json!("warn")]));
    assert_eq!(found["slow"]["sum"]["value"], 81.0);
    assert_eq!(found["slow"]["max"]["value_as_string"], "2026-11-20T11:53:30.000Z");
    let counts = |name: &str| {
        let buckets = found[name]["buckets"].as_array().expect("buckets");
        buckets.iter().map(|bucket| bucket["doc_count"].as_u64().expect("a count")).collect::<Vec<_>>()
    };
    assert_eq!((counts("when"), counts("days"), counts("list")), (vec![2, 3], vec![5], vec![3, 2]));
    assert_eq!(found["days"]["buckets"][0]["key"], 1_795_107_600_000_i64);
    assert_eq!((counts("steps"), &found["steps"]["buckets"][0]["key"]), (vec![1, 0, 0, 2], &json!(5.0)));
    assert_eq!(found["stats"], json!({"count": 3, "min": 12.0, "max": 41.0, "avg": 31.0, "sum": 93.0}));
    assert_eq!(found["count"]["value"], 3);
    assert_eq!((&found["empty"]["e"]["count"], &found["empty"]["e"]["min"]), (&json!(0), &Value::Null));
}

/// Returns the levels and values of a metric query in windows of ten minutes, in order.
async fn loki_values(house: &House, query: &str) -> Vec<(String, f64)> {
    let parameters = format!("query={}&start=1795173000000000000&end=1795176000000000000&step=600s", encoded(query));
    let answer = house.get(&format!("/loki/api/v1/query_range?{parameters}")).await.json();
    let mut values = Vec::new();
    for series in answer["data"]["result"].as_array().expect("series") {
        let level = series["metric"]["level"].as_str().expect("a level").to_owned();
        for point in series["values"].as_array().expect("values") {
            values.push((level.clone(), point[1].as_str().expect("a text").parse::<f64>().expect("a number")));
        }
    }
    values.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    values
}

#[tokio::test]
async fn one_question_has_the_same_numbers_in_three_dialects() {
    let house = House::new();
    let line = |n: u64| {
        let level = ["info", "warn", "error"][(n % 3) as usize];
        format!(
            "{{\"@timestamp\":{},\"message\":\"n {n}\",\"level\":\"{level}\",\"ms\":{}}}",
            1_795_172_400_000 + n * 7_000,
            n * n % 101
        )
    };
    let lines: Vec<String> = (0..500).map(line).collect();
    assert_eq!(house.post("/api/v1/ingest?group=app", lines.join("\n")).await.status, 200);
    house.store.flush().expect("it flushes");
    let native = "stats count(*) as n, sum(ms) as s by @level, bin(10m) as t | sort @level, t";
    let uri =
        format!("/api/v1/query?groups=app&from=2026-11-20T11:00:00Z&to=2026-11-20T11:59:59Z&query={}", encoded(native));
    let rows = house.get(&uri).await.json()["rows"].clone();
    let expected: Vec<(String, f64, f64)> = rows
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (
                row[0].as_str().expect("a level").to_owned(),
                row[2].as_f64().expect("a count"),
                row[3].as_f64().expect("a sum"),
            )
        })
        .collect();
    assert_eq!(expected.len(), 18);
    let by_time = json!({"date_histogram": {"field": "@timestamp", "fixed_interval": "10m"}, "aggs": {"s": {"sum": {"field": "ms"}}}});
    let by_level =
        json!({"levels": {"terms": {"field": "level", "order": {"_key": "asc"}}, "aggs": {"times": by_time}}});
    let found = aggregated(&house, by_level).await;
    let mut of_elastic = Vec::new();
    for level in found["levels"]["buckets"].as_array().expect("buckets") {
        for time in level["times"]["buckets"].as_array().expect("buckets") {
            let number = |value: &Value| value.as_f64().expect("a number");
            let name = level["key"].as_str().expect("a level").to_owned();
            of_elastic.push((name, number(&time["doc_count"]), number(&time["s"]["value"])));
        }
    }
    let ordered = |mut rows: Vec<(String, f64, f64)>| {
        rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
        rows
    };
    assert_eq!(ordered(of_elastic), ordered(expected.clone()));
    // Windows of LogQL are closed at their ends: one that ends a nanosecond before the bucket does is the bucket.
    let column = |pick: fn(&(String, f64, f64)) -> f64| {
        let mut values: Vec<(String, f64)> = expected.iter().map(|row| (row.0.clone(), pick(row))).collect();
        values.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        values
    };
    assert_eq!(
        loki_values(&house, "sum by (level) (count_over_time({group=\"app\"}[10m] offset 1ns))").await,
        column(|row| row.1)
    );
    assert_eq!(
        loki_values(&house, "sum by (level) (sum_over_time({group=\"app\"} | unwrap ms [10m] offset 1ns))").await,
        column(|row| row.2)
    );
}

#[tokio::test]
async fn what_is_too_much_or_nonsense_is_refused() {
    let house = House::new();
    house.fill().await;
    let search = async |body: Value| {
        let reply = house.post("/elasticsearch/_search", body.to_string()).await;
        (reply.status, reply.json()["error"]["type"].as_str().unwrap_or_default().to_owned())
    };
    let fine = json!({"aggs": {"t": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1ms"}}}});
    assert_eq!(search(fine).await, (400, "too_many_buckets_exception".into()));
    let far = json!({"aggs": {"t": {"histogram": {"field": "ms", "interval": 1e-300, "extended_bounds": {"min": 0, "max": 1e300}}}}});
    assert_eq!(search(far).await, (400, "too_many_buckets_exception".into()));
    let ranges: Vec<Value> = (0..600).map(|n| json!({"from": n})).collect();
    let many = json!({"aggs": {"t": {"range": {"field": "ms", "ranges": ranges}}}});
    assert_eq!(search(many).await, (400, "illegal_argument_exception".into()));
    let deep = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    for (uri, body, status) in [
        ("/elasticsearch/_search", deep.as_str(), 400),
        ("/elasticsearch/_search", "\u{0}", 400),
        ("/elasticsearch/_msearch", "", 400),
        ("/elasticsearch/_msearch", "{}\n", 400),
        ("/elasticsearch/_count", "{\"size\":1}", 400),
        ("/elasticsearch/_search/scroll", "{}", 400),
        ("/elasticsearch/,,,*,-*/_search", "{}", 200),
    ] {
        let reply = house.post(uri, body.to_owned()).await;
        assert_eq!(reply.status, status, "{uri}: {}", reply.text());
    }
    let answer = house.post("/elasticsearch/_msearch", "{broken\n{}\n\n{}\n{\"index\":7}\n{}\n").await.json();
    let statuses: Vec<&Value> =
        answer["responses"].as_array().expect("responses").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [400, 200, 200]);
}
