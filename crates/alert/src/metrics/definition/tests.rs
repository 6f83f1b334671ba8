//! Mistakes in definitions, and the labels that fields become.

use super::*;

fn refused(json: &str) -> String {
    let settings: MetricSettings = serde_json::from_str(json).expect("the right members");
    settings.meter(GroupScope::All).expect_err("it is wrong").to_string()
}

#[test]
fn what_is_wrong_is_named() {
    for (json, expected) in [
        (r#"{"name":"a-b","type":"counter"}"#, "name: \"a-b\" is not a metric name"),
        (r#"{"name":"9a","type":"counter"}"#, "name: \"9a\" is not a metric name"),
        (r#"{"name":"catat_events_total","type":"counter"}"#, "is reserved"),
        (r#"{"name":"a","type":"gauge"}"#, "field: is needed"),
        (r#"{"name":"a","type":"counter","buckets":[1]}"#, "buckets: is for a histogram alone"),
        (r#"{"name":"a","type":"histogram","field":"ms","buckets":[2,1]}"#, "buckets: are 1–50 numbers, rising"),
        (r#"{"name":"a","type":"histogram","field":"ms","labels":["le"]}"#, "labels: \"le\" cannot be a label"),
        (r#"{"name":"a","type":"counter","labels":["a.b","a_b"]}"#, "labels: \"a_b\" is there twice"),
        (r#"{"name":"a","type":"summary","field":"ms","quantiles":[50]}"#, "quantiles: are at most"),
        (r#"{"name":"a","type":"summary","field":"ms","window":"0s"}"#, "window: is 1s to 24h"),
        (r#"{"name":"a","type":"counter","exemplar":"trace_id"}"#, "exemplar: is for a histogram, or a counter"),
        (r#"{"name":"a","type":"gauge","field":"ms","exemplar":"trace_id"}"#, "exemplar: is for a histogram"),
        (r#"{"name":"a_total","type":"counter","exemplar":"9"}"#, "exemplar: \"9\" cannot be a label"),
        (r#"{"name":"a","type":"counter","query":"stats count(*)"}"#, "a metric takes filter"),
        (r#"{"name":"a","type":"counter","query":"filter ("}"#, "query: "),
        (r#"{"name":"a","type":"counter","query":"source \"b\"","groups":["c"]}"#, "groups: is left out"),
        (r#"{"name":"a","type":"counter","language":"sql"}"#, "language: unknown \"sql\""),
    ] {
        let found = refused(json);
        assert!(found.contains(expected), "{json}: {found}");
    }
}

#[test]
fn fields_make_labels_that_prometheus_takes() {
    let json = r#"{"name":"a_total","type":"counter","labels":["@level","http.status","service"]}"#;
    let settings: MetricSettings = serde_json::from_str(json).expect("the right members");
    let meter = settings.meter(GroupScope::All).expect("a good metric");
    assert_eq!(meter.labels, ["level", "http_status", "service"]);
}
