//! Trees of queries, and their selectors.

use super::*;

fn check(text: &str, expected: &Value) {
    assert_eq!(&crate::parse(text).expect("a query").tree(), expected, "{text}");
}

#[test]
fn queries_are_trees() {
    let up = json!({
        "type": "vectorSelector", "name": "up", "offset": 300_000, "timestamp": null, "startOrEnd": null,
        "matchers": [
            {"name": "job", "type": "=~", "value": "a|b"},
            {"name": "__name__", "type": "=", "value": "up"},
        ],
    });
    let found = crate::parse("up{job=~\"a|b\"} offset 5m").expect("a query").tree();
    assert_eq!((&found["type"], &found["name"], &found["offset"]), (&up["type"], &up["name"], &up["offset"]));
    assert_eq!(found["matchers"].as_array().map(Vec::len), Some(2));
    check("1.5", &json!({"type": "numberLiteral", "val": "1.5"}));
    check("\"a\"", &json!({"type": "stringLiteral", "val": "a"}));
    let rate = crate::parse("sum by (a) (rate(x[1m] @ 5)) / on (a) group_left (b) y").expect("a query").tree();
    assert_eq!(rate["matching"], json!({"card": "many-to-one", "labels": ["a"], "on": true, "include": ["b"]}));
    let sum = &rate["lhs"];
    assert_eq!((&sum["op"], &sum["grouping"], &sum["without"]), (&json!("sum"), &json!(["a"]), &json!(false)));
    let call = &sum["expr"];
    let signature = json!({"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"});
    assert_eq!(call["func"], signature);
    assert_eq!((&call["args"][0]["range"], &call["args"][0]["timestamp"]), (&json!(60_000), &json!(5_000)));
    let computed = crate::parse("a[(step()) * 2] anchored").expect("a query").tree();
    let step = json!({"type": "durationExpr", "op": "step", "lhs": null, "rhs": null, "wrapped": true});
    assert_eq!((&computed["rangeExpr"]["lhs"], &computed["anchored"]), (&step, &json!(true)));
    assert_eq!(crate::parse("a or b").expect("a query").tree()["matching"]["card"], "many-to-many");
    assert_eq!(crate::parse("a > bool 1").expect("a query").tree()["matching"], Value::Null);
}

#[test]
fn every_selector_of_a_query_is_listed() {
    let query = crate::parse("rate(a[5m]) + on () sum(b{c=\"d\"}) or max_over_time(e[1h:])").expect("a query");
    let names = |matchers: &&[Matcher]| {
        let name = matchers.iter().find(|matcher| *matcher.name == *METRIC_NAME);
        name.map_or(String::new(), |name| name.value.to_string())
    };
    assert_eq!(query.selectors().iter().map(names).collect::<Vec<_>>(), ["a", "b", "e"]);
}
