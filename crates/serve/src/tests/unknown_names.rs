//! Names that nothing has: fields of no event, groups that do not exist.

use serde_json::Value;

use super::{House, encoded};

const EVENTS: &str = r#"{"timestamp":"2026-11-20T11:58:00Z","message":"a","timeMs":12,"user":"user7","http":{"status":500},"tags":["x"]}
{"timestamp":"2026-11-20T11:58:01Z","message":"ERROR b","timeMs":14,"user":"user8","http":{"status":200},"items":[{"sku":"s"}]}
"#;

/// Returns the warnings of a query, as `code: message; hint`.
async fn warnings(house: &House, parameters: &str) -> Vec<String> {
    let reply = house.get(&format!("/api/v1/query?{parameters}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = |warning: &Value, key: &str| warning[key].as_str().unwrap_or_default().to_owned();
    let shown = |w: &Value| format!("{}: {}; {}", text(w, "code"), text(w, "message"), text(w, "hint"));
    reply.json()["warnings"].as_array().into_iter().flatten().map(shown).collect()
}

async fn check(house: &House, query: &str, expected: &[&str]) {
    let found = warnings(house, &format!("query={}", encoded(query))).await;
    let unknown: Vec<&String> = found.iter().filter(|warning| warning.starts_with("unknown-field")).collect();
    assert_eq!(unknown.len(), expected.len(), "{query}: {found:?}");
    for (warning, part) in unknown.iter().zip(expected) {
        assert!(warning.contains(part), "{query}: {found:?}");
    }
}

#[tokio::test]
async fn a_field_that_no_event_has_is_named_with_the_nearest() {
    let house = House::new();
    house.post("/api/v1/ingest?group=app/web", EVENTS).await;
    check(&house, "stats avg(timems)", &["has the field `timems`; did you mean `timeMs`?"]).await;
    check(&house, "stats avg(time_ms) by usr", &["did you mean `timeMs`?", "did you mean `user`?"]).await;
    check(&house, "filter @severity = \"error\"", &["did you mean `@level`?"]).await;
    check(&house, "filter level = \"error\" | stats count(*)", &["did you mean `@level`?"]).await;
    check(&house, "filter user = user7", &["`user7`; a text is written in quotes: \"user7\""]).await;
    check(&house, "filter user in [user7, \"user8\"]", &["a text is written in quotes: \"user7\""]).await;
    check(&house, "filter status >= 500", &["did you mean `http.status`?"]).await;
    check(&house, "fields qqqqqq", &["fields are "]).await;
    check(&house, "fields qqqqqq | limit 1 | sort zzzzzz", &["`qqqqqq`", "`zzzzzz`"]).await;
    // What is there, as a field, an object, a part of a list, or made by the query.
    check(&house, "fields timeMs, http, http.status, tags.0, items.0.sku, @message, message, timestamp", &[]).await;
    check(&house, "eval seconds = timeMs / 1000 | filter seconds > 0 | stats sum(seconds) as s by user | sort s", &[])
        .await;
    check(&house, "parse @message \"* *\" as first, second | stats count(*) by first", &[]).await;
    check(&house, "filter ispresent(error) or coalesce(a, b) = 1", &[]).await;
    // The same after a flush, and through a scope that has no events.
    house.post("/api/v1/status/flush", "").await;
    check(&house, "stats avg(timems)", &["did you mean `timeMs`?"]).await;
    check(&house, "source \"db\" | stats avg(timems)", &[]).await;
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_named_with_the_nearest() {
    let house = House::new();
    house.post("/api/v1/ingest?group=work/trial/app/app.log", EVENTS).await;
    let found = warnings(&house, "query=&groups=app.log").await;
    assert!(
        found[0].starts_with("unknown-group: there is no group `app.log`; did you mean work/trial/app/app.log?"),
        "{found:?}"
    );
    assert_eq!(warnings(&house, "query=&groups=work/*").await, Vec::<String>::new());
}
