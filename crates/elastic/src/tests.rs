//! The DSL, in text: what each query becomes, times, and that nothing from outside ends in a panic.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use types::{TimeRange, Timestamp};

use super::*;
use language::SearchError;
use language::dsl::{Selection, highlighted, parse_query};
use language::mapping::Schema;
use plan::date_math::zone_of;
use plan::{Plan, format_time};

const NOW: Timestamp = Timestamp(1_795_176_000_000_000_000);

fn selection(query: &Json) -> Result<Selection, SearchError> {
    parse_query(Some(query), NOW, &Schema::default())
}

#[track_caller]
fn check(query: Json, expected: &str) {
    let found = selection(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let plan = Plan::new(found.operators);
    assert_eq!(plan.to_string().replace('\n', " | "), expected, "{query}");
}

#[track_caller]
fn check_range(query: Json, from: &str, to: &str) {
    let range = selection(&query).unwrap_or_else(|error| panic!("{query}: {error}")).range;
    let shown =
        |open: Timestamp, instant: Timestamp| if instant == open { "*".to_owned() } else { instant.to_string() };
    assert_eq!(
        (shown(TimeRange::ALL.from, range.from), shown(TimeRange::ALL.to, range.to)),
        (from.into(), to.into()),
        "{query}"
    );
}

#[track_caller]
fn check_error(query: Json, expected: &str) {
    let error = selection(&query).map(|found| format!("{:?}", found.operators)).expect_err(&query.to_string());
    assert!(error.reason.contains(expected), "{query}: {error}");
}

#[test]
fn queries_of_one_field_are_conditions() {
    check(json!({"match_all": {}}), "");
    check(json!({"match_none": {}}), "filter false");
    check(json!({"match": {"message": "a b"}}), "filter ((@message has \"a\") or (@message has \"b\"))");
    check(
        json!({"match": {"message": {"query": "a b", "operator": "and"}}}),
        "filter (@message has \"a\") | filter (@message has \"b\")",
    );
    check(json!({"match": {"status": "500"}}), "filter (status has \"500\")");
    check(json!({"match": {"host.keyword": "web 1"}}), "filter (host = \"web 1\")");
    check(json!({"match_phrase": {"message": "out of memory"}}), "filter (@message has \"out of memory\")");
    check(json!({"term": {"host": "web"}}), "filter (host has \"web\")");
    check(json!({"term": {"host.keyword": "web"}}), "filter (host = \"web\")");
    check(json!({"term": {"n": -5}}), "filter (n = -5)");
    check(json!({"term": {"level": "error"}}), "filter ((@level = \"error\") or (level = \"error\"))");
    check(json!({"term": {"level": "notice"}}), "filter (level = \"notice\")");
    check(json!({"term": {"@level": "error"}}), "filter (@level = \"error\")");
    check(json!({"range": {"log.level": {"gte": "warn"}}}), "filter (@level >= \"warn\")");
    check(json!({"term": {"message": {"value": "x"}}}), "filter (@message has \"x\")");
    check(json!({"terms": {"host.keyword": ["a", "b"], "boost": 2}}), "filter (host in [\"a\", \"b\"])");
    check(json!({"terms": {"host": ["a", "b"]}}), "filter ((host has \"a\") or (host has \"b\"))");
    check(json!({"terms": {"host": []}}), "filter false");
    check(json!({"exists": {"field": "a.b"}}), "filter ispresent(a.b)");
    check(json!({"prefix": {"host": "w?b"}}), "filter (host has /(?s)^w\\?b.*$/)");
    check(json!({"prefix": {"host.keyword": "w?b"}}), "filter (host like /(?s)^w\\?b.*$/)");
    check(json!({"wildcard": {"host": {"value": "w*b?"}}}), "filter (host has /(?s)^w.*b.$/)");
    check(json!({"regexp": {"host": {"value": "a|b"}}}), "filter (host has /(?s)^(?:a|b)$/)");
    check(json!({"range": {"n": {"gt": 1, "lte": 2.5}}}), "filter ((n > 1) and (n <= 2.5))");
    check(json!({"query_string": {"query": "host:a AND b"}}), "filter (host has \"a\") | filter (@any has \"b\")");
    check(
        json!({"query_string": {"query": "a b", "default_field": "host", "default_operator": "AND"}}),
        "filter (host has \"a\") | filter (host has \"b\")",
    );
    check(json!({"query_string": {"query": "a", "fields": ["x^3", "y"]}}), "filter ((x has \"a\") or (y has \"a\"))");
    check(
        json!({"simple_query_string": {"query": "a + b | -c"}}),
        "filter (((@any has \"a\") and (@any has \"b\")) or not (@any has \"c\"))",
    );
}

#[test]
fn bool_joins_what_it_says() {
    let term = |value: &str| json!({"term": {"a": value}});
    check(json!({"bool": {}}), "");
    check(json!({"bool": {"must": [term("x")], "filter": term("y")}}), "filter (a has \"y\") | filter (a has \"x\")");
    check(json!({"bool": {"should": [term("x"), term("y")]}}), "filter ((a has \"x\") or (a has \"y\"))");
    check(json!({"bool": {"should": [term("x")], "filter": [term("y")]}}), "filter (a has \"y\")");
    check(json!({"bool": {"must_not": [term("x")]}}), "filter not (a has \"x\")");
    check(json!({"bool": {"must_not": [{"match_all": {}}]}}), "filter false");
    check(json!({"bool": {"should": [term("x"), {"match_all": {}}]}}), "");
    check(
        json!({"bool": {"should": [term("x"), term("y")], "minimum_should_match": "100%"}}),
        "filter (a has \"x\") | filter (a has \"y\")",
    );
    check(json!({"bool": {"should": [term("x")], "minimum_should_match": 2}}), "filter false");
}

#[test]
fn times_that_all_events_must_have_are_the_range_of_the_search() {
    let range = |bounds: Json| json!({"bool": {"filter": [{"range": {"@timestamp": bounds}}]}});
    check(range(json!({"gte": 0})), "");
    check_range(
        range(json!({"gte": 1_795_175_460_000_i64, "lte": 1_795_175_460_999_i64})),
        "2026-11-20T11:51:00Z",
        "2026-11-20T11:51:01Z",
    );
    check_range(
        range(json!({"gte": "1795175460", "lt": "1795175461", "format": "epoch_second"})),
        "2026-11-20T11:51:00Z",
        "2026-11-20T11:51:01Z",
    );
    // Elasticsearch takes the first day of a month that is given without one.
    check_range(
        range(json!({"gt": "2026-11", "lte": "now"})),
        "2026-11-02T00:00:00Z",
        "2026-11-20T12:00:00.000000001Z",
    );
    check_range(range(json!({"gte": "2026", "lte": "2026-11"})), "2026-01-01T00:00:00Z", "2026-11-02T00:00:00Z");
    check_range(
        range(json!({"gte": "2026-11-20", "lte": "2026-11-20"})),
        "2026-11-20T00:00:00Z",
        "2026-11-21T00:00:00Z",
    );
    check_range(
        range(json!({"gte": "2026-11-20", "lt": "2026-11-21", "time_zone": "Asia/Jakarta"})),
        "2026-11-19T17:00:00Z",
        "2026-11-20T17:00:00Z",
    );
    check_range(range(json!({"gte": "2026-11-20T12:00+07:00"})), "2026-11-20T05:00:00Z", "*");
    check_range(range(json!({"gte": "now-1d/d", "lte": "now/d"})), "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z");
    check_range(range(json!({"gte": "2026-11-20||+1M/M"})), "2026-12-01T00:00:00Z", "*");
    check_range(range(json!({"lt": null})), "*", "*");
    let not_all = json!({"bool": {"must_not": [{"range": {"@timestamp": {"gte": 0}}}]}});
    check_range(not_all, "*", "*");
    check_error(range(json!({"gte": "2026-13"})), "is no time");
    check_error(range(json!({"gte": "now+"})), "is no time");
    check_error(range(json!({"gte": 1, "time_zone": "Mars"})), "time zone [Mars]");
    check_error(range(json!({"above": 1})), "[range] query does not support [above]");
}

#[test]
fn what_is_nested_or_too_much_is_refused() {
    let mut nested = json!({"match_all": {}});
    for _ in 0..40 {
        nested = json!({"bool": {"must": [nested]}});
    }
    check_error(nested, "nested more than 30 deep");
    let many: Vec<Json> = (0..2_000).map(|n| json!({"term": {"a": n}})).collect();
    check_error(json!({"bool": {"should": many}}), "more than 1024 clauses");
    let patterns: Vec<Json> = (0..100).map(|n| json!({"wildcard": {"a": format!("{n}*")}})).collect();
    check_error(json!({"bool": {"should": patterns}}), "more than 64 regular expressions");
    check_error(json!({"terms": {"a": vec![1; 70_000]}}), "allowed maximum of [65536]");
    assert!(
        parse_aggregations(Some(&json!({"t": {"terms": {"field": "x", "order": {}}}})), NOW, &Schema::default())
            .is_ok()
    );
    let mut buckets = json!({"a": {"avg": {"field": "x"}}});
    for _ in 0..20 {
        buckets = json!({"a": {"terms": {"field": "x"}, "aggs": buckets}});
    }
    assert!(parse_aggregations(Some(&buckets), NOW, &Schema::default()).is_err());
    let script = |source: String| json!({"h": {"histogram": {"field": "x", "interval": 1}, "aggs": {"s": {"bucket_script": {"buckets_path": {"a": "_count"}, "script": source}}}}});
    assert!(
        parse_aggregations(Some(&script("params.a * (2 + Math.max(1, -params.a))".into())), NOW, &Schema::default())
            .is_ok()
    );
    assert!(parse_aggregations(Some(&script("(".repeat(4_000))), NOW, &Schema::default()).is_err());
    assert!(parse_aggregations(Some(&script("System.exit(0)".into())), NOW, &Schema::default()).is_err());
}

#[test]
fn texts_have_marks_around_what_was_looked_for() {
    let check = |query: Json, field: &str, text: &str, expected: Option<&str>| {
        let marks = selection(&query).expect("a query").marks;
        assert_eq!(highlighted(&marks, field, text, "<", ">").as_deref(), expected, "{query}");
    };
    check(json!({"match": {"message": "disk full"}}), "@message", "Disk is full", Some("<Disk> is <full>"));
    check(json!({"match_phrase": {"message": "disk full"}}), "@message", "the disk full!", Some("the <disk full>!"));
    check(json!({"match": {"message": "disk"}}), "host", "disk", None);
    check(json!({"query_string": {"query": "disk"}}), "host", "disk-1", Some("<disk>-1"));
    check(json!({"term": {"host": "disk"}}), "host", "disk", Some("<disk>"));
    check(json!({"bool": {"must_not": [{"match": {"message": "disk"}}]}}), "@message", "disk", None);
}

#[test]
fn times_are_shown_in_the_format_that_is_asked_for() {
    let check =
        |format: Option<&str>, expected: &str| assert_eq!(format_time(Timestamp(NOW.0 + 1_234_567), format), expected);
    check(None, "2026-11-20T12:00:00.001Z");
    check(Some("epoch_millis"), "1795176000001");
    check(Some("epoch_second"), "1795176000");
    check(Some("strict_date_optional_time_nanos"), "2026-11-20T12:00:00.001234567Z");
    check(Some("yyyy-MM-dd'T'HH:mm:ss.SSS||epoch_millis"), "2026-11-20T12:00:00.001");
    assert_eq!(zone_of("+07:00").map(|zone| zone.name()), Some("Etc/GMT-7"));
    assert_eq!(zone_of("utc"), Some(chrono_tz::Tz::UTC));
    assert_eq!(zone_of("+05:30"), Some(chrono_tz::Tz::Asia__Kolkata));
    assert_eq!(zone_of("+05:45"), Some(chrono_tz::Tz::Asia__Kathmandu));
    assert_eq!(zone_of("+01:10"), None);
}

/// Words of the language, so that guesses reach further than its door.
fn any_word() -> impl Strategy<Value = String> {
    let known = [
        "bool", "must", "should", "must_not", "filter", "match", "term", "terms", "range", "query_string", "query",
        "simple_query_string", "regexp", "wildcard", "fields", "field", "@timestamp", "message", "gte", "lte",
        "now-1d/d", "aggs", "date_histogram", "histogram", "interval", "fixed_interval", "1m", "avg", "percentiles",
        "percents", "order", "buckets_path", "bucket_script", "bucket_selector", "bucket_sort", "auto_date_histogram",
        "multi_terms", "rate", "unit", "max_bucket", "percentiles_bucket", "script", "params.a", "composite",
        "sources", "ranges", "from", "to", "missing",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any_word().prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(any_word(), inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_request_ends_in_a_panic(json in any_json(), text in ".{0,60}") {
        let _ = selection(&json);
        let _ = parse_aggregations(Some(&json), NOW, &Schema::default());
        let _ = parse_sort(Some(&json), &Schema::default()).map(|order| order.cursor(&json).map(|_| ()));
        for kind in ["query_string", "simple_query_string"] {
            let _ = selection(&json!({kind: {"query": text, "default_operator": "and"}}));
        }
        let _ = selection(&json!({"range": {"@timestamp": {"gte": text}}}));
        let _ = format_time(NOW, Some(&text));
        let _ = zone_of(&text);
    }
}
