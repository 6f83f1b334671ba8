//! Documents that are right and wrong, and where the mistake is.

use serde_json::{Value, json};

use super::*;

fn problem(change: impl Fn(&mut Value)) -> String {
    let mut document = json!({
        "title": "Payments", "range": {"from": "now-24h"}, "refresh": "30s",
        "variables": [{"name": "service", "values": ["pay", "cart"]},
            {"name": "host", "query": "filter service = $service | stats count(*) by host", "multiple": true, "all": true}],
        "panels": [
            {"id": "p1", "title": "Errors of $service", "kind": "line", "x": 0, "y": 0, "w": 12, "h": 8,
             "queries": [{"query": "filter service = $service and host in $host | stats count(*) by bin($__interval)"},
                {"language": "promql", "query": "sum(rate(http_requests_total{service=\"$service\"}[$__rate_interval]))"}],
             "expression": "a / b * 100", "thresholds": [{"value": 1, "level": "warn"}, {"value": 5, "level": "error"}]},
            {"id": "p2", "kind": "text", "x": 12, "y": 0, "w": 12, "h": 8, "text": "# Who to call"}],
    });
    change(&mut document);
    match read(document.to_string().as_bytes(), Timestamp(0)) {
        Ok(_) => "none".to_owned(),
        Err(mistake) => mistake.to_string(),
    }
}

#[test]
fn a_document_that_is_right_comes_back_as_it_was() {
    assert_eq!(problem(|_| ()), "none");
    for (language, query) in [
        ("traceql", "{ .service = \"$service\" } | quantile_over_time(duration, 0.5, 0.99) by (resource.service.name)"),
        ("esql", "FROM \"web/*\" | WHERE host IN $host | STATS n = COUNT(*) BY BUCKET(@timestamp, $__interval)"),
    ] {
        assert_eq!(problem(|d| d["panels"][0]["queries"][1] = json!({"language": language, "query": query})), "none");
    }
    let document = json!({"title": "T", "range": {"from": "now-1h", "to": "now"}, "panels": [
        {"id": "a", "title": "", "kind": "logs", "x": 0, "y": 0, "w": 24, "h": 10, "queries": [{"query": "limit 5", "groups": ["a/*"]}]}]});
    let read = read(document.to_string().as_bytes(), Timestamp(0)).expect("a right document");
    assert_eq!(serde_json::to_value(read).expect("JSON"), document);
}

#[test]
fn a_mistake_is_named_with_its_path() {
    type Change = fn(&mut Value);
    let cases: &[(Change, &str)] = &[
        (|d| d["title"] = "".into(), "title: a dashboard needs a title"),
        (|d| d["titel"] = "".into(), "titel: unknown field `titel`"),
        (|d| d["panels"][1]["kind"] = "pye".into(), "panels[1].kind: unknown variant `pye`"),
        (|d| d["panels"][0]["queries"][0]["query"] = "filter (".into(), "panels[0].queries[0]: "),
        (
            |d| d["panels"][0]["queries"][1]["language"] = "sql".into(),
            "panels[0].queries[1].language: unknown variant `sql`",
        ),
        (
            |d| d["panels"][0]["queries"][1] = json!({"language": "traceql", "query": "{ status = error }"}),
            "panels[0].queries[1]: the query asks for traces, not for series at 1:1; add a function over time: | rate()",
        ),
        (
            |d| {
                d["panels"][0]["queries"][1] =
                    json!({"language": "traceql", "query": "{ } | compare({ status = error })"})
            },
            "panels[0].queries[1]: compare() counts the values of all fields",
        ),
        (
            |d| d["panels"][0]["queries"][1] = json!({"language": "esql", "query": "FROM a | STATZ n = COUNT(*)"}),
            "panels[0].queries[1]: mismatched input 'statz', did you mean [STATS]? at 1:10",
        ),
        (|d| d["panels"][0]["w"] = 25.into(), "panels[0].w: x and w lie within the 24 columns"),
        (|d| d["panels"][0]["x"] = u32::MAX.into(), "panels[0].w: "),
        (|d| d["panels"][0]["x"] = (-1).into(), "panels[0].x: invalid value"),
        (|d| d["panels"][0]["h"] = 0.into(), "panels[0].h: "),
        (|d| d["panels"][1]["id"] = "p1".into(), "panels[1].id: two panels have the id \"p1\""),
        (
            |d| d["panels"][0]["expression"] = "a / c".into(),
            "panels[0].expression: no query of the panel has the id \"c\": there are a, b",
        ),
        (
            |d| d["panels"][0]["expression"] = "a /".into(),
            "panels[0].expression: a query's id or a number is missing at character 4",
        ),
        (|d| d["panels"][0]["link"] = "//example.org".into(), "panels[0].link: a path of the page"),
        (|d| d["panels"][0]["thresholds"][0]["value"] = 9.into(), "panels[0].thresholds: their values ascend"),
        (|d| d["panels"][1]["text"] = Value::Null, "panels[1].text: a panel of this kind needs a text"),
        (|d| d["variables"][0]["query"] = "limit 1".into(), "variables[0]: it has values or a query, not both"),
        (|d| d["variables"][1]["name"] = "service".into(), "variables[1].name: two variables have this name"),
        (|d| d["refresh"] = "1s".into(), "refresh: the shortest distance is 5s"),
        (|d| d["range"]["from"] = "yesterdayish".into(), "range.from: "),
        (|d| d["panels"] = json!({}), "panels: invalid type: map"),
    ];
    for (change, wanted) in cases {
        let said = problem(change);
        assert!(said.starts_with(wanted), "{said:?} instead of {wanted:?}");
    }
}
